/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through both ends: cut, sealed, opened and together again, and what is refused. */
#include <string.h>

#include "../test.h"
#include "fixture.h"
#include "seal/psp.h"

static struct virtio_net_hdr gso(bool v6, bool tcp, uint16_t step)
{
	uint16_t ip = v6 ? 40 : 20;

	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = (uint8_t)(!step  ? 0
				      : !tcp ? 5
				      : v6   ? 4
					     : 1),
		.gso_size = step,
		.csum_start = (uint16_t)(SEAL_ETHERNET + ip),
		.csum_offset = tcp ? 16 : 6,
	};
}

/* Whether a packet's complete transport checksum is right: all of it and the pseudo header sum to
 * nothing. */
static bool checksum_is_right(const uint8_t *packet, size_t size, bool v6)
{
	size_t ip = v6 ? 40 : 20;
	uint8_t rest[4] = {(uint8_t)((size - ip) >> 8), (uint8_t)(size - ip), 0,
			   v6 ? packet[6] : packet[9]};
	uint16_t sum = packet_sum(v6 ? packet + 8 : packet + 12, v6 ? 32 : 8, 0);

	sum = packet_sum(rest, 4, sum);
	return packet_sum(packet + ip, size - ip, sum) == 0xffff;
}

/* requirement: NEG-11 */
static void test_whole_and_back(void **state)
{
	static uint8_t packet[65000];

	for (int cipher = SEAL_AES_128_GCM; cipher < SEAL_CIPHERS; cipher++)
		for (int kind = 0; kind < 8; kind++) {
			bool v6 = kind & 1, tcp = kind & 2, tunnel = kind & 4;
			const struct virtio_net_hdr vnet = gso(v6, tcp, 1300);
			struct fixture *f = fixture_new((enum seal_cipher)cipher, false);
			size_t data = 1300 * 20 + 77,
			       size = fixture_packet(packet, v6, tcp, data, 0);
			uint8_t *d;
			size_t n, i;

			fixture_seal(f, &vnet, packet, size, tunnel);
			for (i = 0; (d = fixture_datagram(f, i, &n)); i++) {
				/* Each segment by itself, within the size that one has on the
				 * wire. */
				assert_true(n <= 32 + 30 + 40 + 32 + 1300);
				if (cipher != SEAL_AES_128_GMAC)
					assert_null(memmem(d, n, packet + size - 64, 16));
				assert_int_equal(fixture_open(f, d, n), DROP_NONE);
			}
			assert_int_equal(i, 21);
			assert_int_equal(f->n_frames, 0);
			opener_flush(f->opener);
			assert_int_equal(f->n_frames, 1);
			/* The packet, whole again, byte for byte. */
			assert_int_equal(f->size, size + SEAL_VNET + SEAL_ETHERNET);
			assert_memory_equal(f->frame + SEAL_VNET + SEAL_ETHERNET, packet, size);
			assert_int_equal(f->frame[1], vnet.gso_type);
			assert_int_equal(f->frame[SEAL_VNET + 1], tunnel);
			assert_int_equal(f->frame[SEAL_VNET + 6], cipher);
			assert_int_equal(f->frame[SEAL_VNET + 11], FIXTURE_SENDER);
			assert_int_equal(f->shared[0]->peers[FIXTURE_RECEIVER].sealed_packets, 21);
			assert_int_equal(f->shared[1]->peers[FIXTURE_SENDER].opened_packets, 21);
			fixture_free(f);
		}
}

/* Small datagrams in any number: never more together than the kernel takes. */
static void test_many_datagrams(void **state)
{
	static uint8_t packet[2000];
	const struct virtio_net_hdr vnet = gso(true, false, 0);
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	size_t size = fixture_packet(packet, true, false, 64, 0), n;

	for (int i = 0; i < 200; i++) {
		uint8_t *d;

		fixture_seal(f, &vnet, packet, size, false);
		d = fixture_datagram(f, 0, &n);
		assert_non_null(d);
		assert_int_equal(fixture_open(f, d, n), DROP_NONE);
		if (f->n_frames)
			assert_int_equal(f->size, SEAL_VNET + SEAL_ETHERNET + 48 + 64 * 64);
	}
	assert_int_equal(f->n_frames, 3);
	opener_flush(f->opener);
	assert_int_equal(f->size, SEAL_VNET + SEAL_ETHERNET + 48 + 8 * 64);
	fixture_free(f);
}

/* The most that a node's TCP sends at once (64 KiB less MAX_TCP_HEADER, in whole segments) comes as
 * one packet again. */
static void test_the_largest(void **state)
{
	static uint8_t packet[65536];
	const struct virtio_net_hdr vnet = gso(true, true, 1328);
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	size_t size = fixture_packet(packet, true, true, 49 * 1328, 0), n;
	uint8_t *d;

	fixture_seal(f, &vnet, packet, size, false);
	for (size_t i = 0; (d = fixture_datagram(f, i, &n)); i++)
		assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	opener_flush(f->opener);
	assert_int_equal(f->n_frames, 1);
	assert_memory_equal(f->frame + SEAL_VNET + SEAL_ETHERNET, packet, size);
	fixture_free(f);
}

/* A segment that is lost costs one segment: those before and behind it arrive. */
static void test_one_lost(void **state)
{
	static uint8_t packet[65000];
	const struct virtio_net_hdr vnet = gso(true, true, 1000);
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	size_t size = fixture_packet(packet, true, true, 10000, 0), n;
	uint8_t *d;

	fixture_seal(f, &vnet, packet, size, false);
	for (size_t i = 0; (d = fixture_datagram(f, i, &n)); i++)
		if (i != 4)
			assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	assert_int_equal(f->n_frames, 1);
	assert_int_equal(f->size, SEAL_VNET + SEAL_ETHERNET + 72 + 4000);
	opener_flush(f->opener);
	assert_int_equal(f->n_frames, 2);
	assert_int_equal(f->size, SEAL_VNET + SEAL_ETHERNET + 72 + 5000);
	fixture_free(f);
}

/* A checksum that cannot be found again at the other end is complete before it is sealed. */
static void test_checksums(void **state)
{
	uint8_t packet[600], inner[600];
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	struct virtio_net_hdr vnet = gso(false, true, 0);
	size_t size = fixture_packet(inner, false, true, 100, 0), n;
	uint8_t *d;

	/* IPv4 in IPv6, whose transport header is inside. */
	memset(packet, 0, 40);
	packet[0] = 0x60;
	packet_put16(packet + 4, (uint16_t)size);
	packet[6] = 4;
	memcpy(packet + 40, inner, size);
	vnet.csum_start = SEAL_ETHERNET + 60;
	fixture_seal(f, &vnet, packet, size + 40, false);
	d = fixture_datagram(f, 0, &n);
	assert_non_null(d);
	assert_false(d[7] & SEAL_SPI_PARTIAL);
	assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	opener_flush(f->opener);
	assert_int_equal(f->frame[0], 0);
	assert_true(checksum_is_right(f->frame + SEAL_VNET + SEAL_ETHERNET + 40, size, false));
	fixture_free(f);
}

/* requirement: NEG-6 */
static void test_refusals(void **state)
{
	uint8_t packet[600], copy[700];
	struct fixture *f = fixture_new(SEAL_AES_256_GCM, false);
	const struct virtio_net_hdr vnet = gso(true, true, 0);
	size_t size = fixture_packet(packet, true, true, 300, 0), n, n_image;
	void *image;
	uint8_t *d;

	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	memcpy(copy, d, n);
	copy[n / 2] ^= 1;
	assert_int_equal(fixture_open(f, copy, n), DROP_BAD_TAG);
	/* A forged one moves nothing: the true one is still new. */
	assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	assert_int_equal(fixture_open(f, d, n), DROP_REPLAYED);
	memcpy(copy, d, n);
	copy[5] ^= 0x10; /* another epoch */
	assert_int_equal(fixture_open(f, copy, n), DROP_KEY_UNKNOWN);
	memcpy(copy, d, n);
	copy[3] = 1; /* says AES-128 with a key of AES-256 */
	assert_int_equal(fixture_open(f, copy, n), DROP_STATEMENT);
	assert_int_equal(fixture_open(f, copy, 20), DROP_MALFORMED);
	opener_flush(f->opener);
	assert_int_equal(f->n_frames, 1);
	assert_memory_equal(f->frame + SEAL_VNET + SEAL_ETHERNET, packet, size);
	/* Without its key nothing opens any more. */
	image = fixture_image(SEAL_AES_256_GCM, false, false, FIXTURE_EPOCH + 1, 9, &n_image);
	assert_ok(table_new(image, n_image, f->tables[1], &f->past, 3000, &f->tables[1]));
	free(image);
	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	assert_int_equal(fixture_open(f, d, n), DROP_KEY_UNKNOWN);
	assert_int_equal(f->shared[1]->n_refusals, 6);
	assert_int_equal(f->shared[1]->refusals[0].peer, FIXTURE_SENDER);
	fixture_free(f);
}

/* What is sealed rightly and says of itself what it is not.  requirement: NEG-6 */
static void test_statements(void **state)
{
	uint8_t packet[600];
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	struct table_key *key = f->tables[0]->keys[0];
	size_t size = fixture_packet(packet, true, true, 300, 0), n;
	struct {
		uint8_t next;
		uint8_t at, xor; /* a byte of the packet that is another one */
		uint32_t partial;
	} cases[] = {
		{PSP_NEXT_IPV4, 0, 0, 1},       /* IPv6 said to be IPv4 */
		{PSP_NEXT_UDP, 0, 0, 0},        /* said to be a tunnel's */
		{PSP_NEXT_COMPRESSED, 0, 0, 0}, /* said to be compressed */
		{PSP_NEXT_IPV6, 5, 1, 1},       /* longer than it is */
		{PSP_NEXT_IPV6, 6, 6 ^ 58, 1},  /* a partial checksum of what has none */
		{PSP_NEXT_IPV6, 52, 0x70, 1},   /* a TCP header longer than the packet... */
	};

	cases[5].xor = 0x80 ^ 0x10; /* ...or shorter than any */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t d[700], other[600];
		struct psp psp = {.next = cases[i].next,
				  .cipher = SEAL_AES_128_GCM,
				  .spi = key->record.spi | cases[i].partial,
				  .iv = key->next++};
		enum drop_reason r;

		memcpy(other, packet, size);
		other[cases[i].at] ^= cases[i].xor ;
		psp_write(&psp, d);
		assert_ok(cipher_seal(&key->cipher, d, other, size));
		n = size + SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
		r = fixture_open(f, d, n);
		/* What IPComp's flags byte says is read before its algorithm. */
		assert_int_equal(r == DROP_MALFORMED ? DROP_STATEMENT : r, DROP_STATEMENT);
	}
	opener_flush(f->opener);
	assert_int_equal(f->n_frames, 0);
	fixture_free(f);
}

/* requirement: NEG-11 */
static void test_lz4(void **state)
{
	static uint8_t packet[65000];
	const struct virtio_net_hdr vnet = gso(true, true, 1400);
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, true);
	size_t size = fixture_packet(packet, true, true, 14000, 'x'), n, sent = 0, i;
	uint32_t x = 3;
	uint8_t *d;

	fixture_seal(f, &vnet, packet, size, false);
	for (i = 0; (d = fixture_datagram(f, i, &n)); i++) {
		sent += n;
		assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	}
	assert_int_equal(i, 10);
	assert_true(sent < 2000);
	assert_true(f->shared[0]->peers[FIXTURE_RECEIVER].saved_bytes > 12000);
	opener_flush(f->opener);
	assert_memory_equal(f->frame + SEAL_VNET + SEAL_ETHERNET, packet, size);
	assert_int_equal(f->frame[SEAL_VNET + 6], SEAL_AES_128_GCM | SEAL_NOTE_LZ4);
	/* What does not shrink is left alone, and says so. */
	for (i = 72; i < size; i++)
		packet[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	f->shared[0]->peers[FIXTURE_RECEIVER].saved_bytes = 0;
	fixture_seal(f, &vnet, packet, size, false);
	for (i = 0; (d = fixture_datagram(f, i, &n)); i++) {
		assert_int_equal(d[0], PSP_NEXT_IPV6);
		assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	}
	assert_int_equal(f->shared[0]->peers[FIXTURE_RECEIVER].saved_bytes, 0);
	opener_flush(f->opener);
	assert_int_equal(f->frame[SEAL_VNET + 6], SEAL_AES_128_GCM);
	assert_memory_equal(f->frame + SEAL_VNET + SEAL_ETHERNET, packet, size);
	fixture_free(f);
}

/* A key that is told again keeps its counter and its window; another one begins above. */
static void test_table_keeps_keys(void **state)
{
	uint8_t packet[600];
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	const struct virtio_net_hdr vnet = gso(true, true, 0);
	size_t size = fixture_packet(packet, true, true, 300, 0), n, n_image;
	uint64_t next;
	void *image;
	uint8_t *d, copy[700];

	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	memcpy(copy, d, n);
	assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	next = f->tables[0]->keys[0]->next;
	for (int i = 0; i < 2; i++) {
		image = fixture_image(SEAL_AES_128_GCM, false, !i, FIXTURE_EPOCH, 1, &n_image);
		assert_ok(table_new(image, n_image, f->tables[i], &f->past, 0, &f->tables[i]));
		free(image);
	}
	assert_true(f->tables[0]->keys[0]->next == next);
	assert_int_equal(fixture_open(f, copy, n), DROP_REPLAYED);
	/* Other bytes under the same SPI are another key. */
	image = fixture_image(SEAL_AES_128_GCM, false, true, FIXTURE_EPOCH, 2, &n_image);
	assert_ok(table_new(image, n_image, f->tables[0], &f->past, 0, &f->tables[0]));
	assert_true(f->tables[0]->keys[0]->next >= next - 1);
	/* Cut, or too long, or two keys under one SPI: refused, and the old table stays. */
	for (size_t cut = 0; cut < n_image; cut++) {
		struct table *t = NULL;

		assert_error(table_new(image, cut, f->tables[0], &f->past, 0, &t), EINVAL);
	}
	free(image);
	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	assert_int_equal(fixture_open(f, d, n), DROP_BAD_TAG);
	fixture_free(f);
}

/* What was taken once is taken by no later worker, nor when the key has been away.
 * requirement: NEG-6 NEG-11 */
static void test_no_worker_takes_what_another_took(void **state)
{
	uint8_t packet[600], taken[700], waits[700];
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	const struct virtio_net_hdr vnet = gso(true, true, 0);
	size_t size = fixture_packet(packet, true, true, 300, 0), n, n_image;
	struct seal_image none = {};
	uint8_t *d;
	void *image;

	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	memcpy(waits, d, n);
	fixture_seal(f, &vnet, packet, size, false);
	d = fixture_datagram(f, 0, &n);
	memcpy(taken, d, n);
	assert_int_equal(fixture_open(f, d, n), DROP_NONE);
	fixture_restart(f, SEAL_AES_128_GCM);
	memcpy(d, taken, n);
	assert_int_equal(fixture_open(f, d, n), DROP_REPLAYED);
	/* and one that was on its way meanwhile still comes */
	memcpy(d, waits, n);
	assert_int_equal(fixture_open(f, d, n), DROP_NONE);

	assert_ok(table_new(&none, sizeof(none), f->tables[1], &f->past, 0, &f->tables[1]));
	memcpy(d, taken, n);
	assert_int_equal(fixture_open(f, d, n), DROP_KEY_UNKNOWN);
	image = fixture_image(SEAL_AES_128_GCM, false, false, FIXTURE_EPOCH, 1, &n_image);
	assert_ok(table_new(image, n_image, f->tables[1], &f->past, 0, &f->tables[1]));
	free(image);
	for (int i = 0; i < 2; i++) {
		memcpy(d, i ? taken : waits, n);
		assert_int_equal(fixture_open(f, d, n), DROP_REPLAYED);
	}
	fixture_free(f);
}

/* The image of one class, if it seals, and one key for 'incarnation'. */
static struct table *told(struct fixture *f, bool seals, uint64_t incarnation, bool goes_on)
{
	size_t size;
	struct seal_image *image =
		fixture_image(SEAL_AES_128_GCM, false, seals, FIXTURE_EPOCH, 1, &size);
	struct seal_key_record *key = (void *)((char *)image + size - sizeof(*key));
	struct table *t;

	key->incarnation = incarnation;
	key->goes_on = goes_on;
	assert_ok(table_new(image, size, f->tables[!seals], &f->past, 3000, &t));
	f->tables[!seals] = t;
	free(image);
	return t;
}

static struct table *told_nothing(struct fixture *f)
{
	struct seal_image none = {};

	assert_ok(table_new(&none, sizeof(none), f->tables[1], &f->past, 0, &f->tables[1]));
	return f->tables[1];
}

/* A key is used by the incarnation that it is for.  requirement: NEG-6 NEG-11 */
static void test_no_incarnation_uses_the_keys_of_another(void **state)
{
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	const uint64_t first = windows_incarnation(&f->past.windows);
	const uint32_t spi = seal_spi(FIXTURE_SENDER, SEAL_AES_128_GCM, FIXTURE_EPOCH);
	uint64_t second;

	assert_non_null(table_opener_find(told(f, false, first, true), spi));
	assert_non_null(table_class_find(told(f, true, first, true), 1)->key);
	assert_null(table_opener_find(told(f, false, first + 1, true), spi));
	assert_null(table_class_find(told(f, true, first + 1, true), 1)->key);

	/* of none, from a manager that knows incarnations: what was opened with before */
	assert_non_null(table_opener_find(told(f, false, 0, true), spi));
	told_nothing(f);
	assert_non_null(table_opener_find(told(f, false, 0, true), spi));
	told_nothing(f);

	/* the kernel starts, or the file is lost otherwise */
	for (int i = 0; i < 2; i++)
		f->tables[i] = table_free(f->tables[i], &f->past);
	past_close(&f->past);
	assert_ok(unlink(f->windows));
	assert_ok(past_open(&f->past, f->path, f->windows, 1000));
	second = windows_incarnation(&f->past.windows);
	assert_int_not_equal(second, first);
	assert_null(table_opener_find(told(f, false, first, true), spi));
	assert_null(table_class_find(told(f, true, first, true), 1)->key);
	assert_null(table_opener_find(told(f, false, 0, true), spi));
	/* from one that does not */
	assert_non_null(table_opener_find(told(f, false, 0, false), spi));

	/* without the vectors that were used, those that were taken are not known, either */
	for (int i = 0; i < 2; i++)
		f->tables[i] = table_free(f->tables[i], &f->past);
	past_close(&f->past);
	assert_ok(unlink(f->path));
	assert_ok(past_open(&f->past, f->path, f->windows, 1000));
	assert_null(table_class_find(told(f, true, second, true), 1)->key);
	assert_null(table_opener_find(told(f, false, 0, true), spi));
	fixture_free(f);
}

/* Whoever asks before there is a worker, beside it, or after it.  requirement: NEG-11 */
static void test_the_incarnation_is_known_without_a_worker(void **state)
{
	struct fixture *f = fixture_new(SEAL_AES_128_GCM, false);
	const uint64_t is = windows_incarnation(&f->past.windows);
	uint64_t asked;

	assert_ok(past_incarnation(f->path, f->windows, 1000, &asked));
	assert_int_equal(asked, is);
	for (int i = 0; i < 2; i++)
		f->tables[i] = table_free(f->tables[i], &f->past);
	past_close(&f->past);
	assert_ok(past_incarnation(f->path, f->windows, 1000, &asked));
	assert_int_equal(asked, is);
	unlink(f->windows);
	unlink(f->path);
	assert_ok(past_incarnation(f->path, f->windows, 1000, &asked));
	assert_int_not_equal(asked, is);
	assert_ok(past_open(&f->past, f->path, f->windows, 1000));
	assert_int_equal(windows_incarnation(&f->past.windows), asked);
	fixture_free(f);
}

/* An SPI says who sends and in which epoch, so all of a sender's keys of one epoch have the same:
 * they are told apart by whom they are for.  requirement: NEG-11 */
static void test_one_host_seals_for_several(void **state)
{
	struct {
		struct seal_image head;
		struct seal_class classes[3];
		struct seal_key_record keys[3];
	} image = {.head = {.n_classes = 3, .n_keys = 3}};
	uint8_t last[WINDOWS_NAME_SIZE];
	struct fixture *f = fixture_new(SEAL_AES_256_GCM, false);

	for (uint32_t i = 0; i < 3; i++) {
		image.keys[i] = (struct seal_key_record){
			.spi = seal_spi(FIXTURE_SENDER, SEAL_AES_256_GCM, FIXTURE_EPOCH),
			.peer = 10 + i,
			.cipher = SEAL_AES_256_GCM,
			.seals = 1,
			.key = {(uint8_t)i}};
		image.classes[2 - i] = (struct seal_class){.number = 5 + i,
							   .peer = 10 + i,
							   .spi = image.keys[i].spi,
							   .cipher = SEAL_AES_256_GCM};
	}
	assert_ok(table_new(&image, sizeof(image), f->tables[0], &f->past, 0, &f->tables[0]));
	for (uint32_t i = 0; i < 3; i++) {
		const struct table_class *c = table_class_find(f->tables[0], 5 + i);

		assert_non_null(c);
		assert_non_null(c->key);
		assert_int_equal(c->key->record.peer, 10 + i);
		if (i)
			assert_memory_not_equal(c->key->name, last, sizeof(last));
		memcpy(last, c->key->name, sizeof(last));
	}
	image.keys[1].peer = image.keys[0].peer; /* twice for one: nobody could tell which */
	assert_error(table_new(&image, sizeof(image), f->tables[0], &f->past, 0, &f->tables[0]),
		     EINVAL);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_datagrams),
		cmocka_unit_test(test_whole_and_back),
		cmocka_unit_test(test_the_largest),
		cmocka_unit_test(test_one_lost),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_lz4),
		cmocka_unit_test(test_table_keeps_keys),
		cmocka_unit_test(test_no_worker_takes_what_another_took),
		cmocka_unit_test(test_no_incarnation_uses_the_keys_of_another),
		cmocka_unit_test(test_the_incarnation_is_known_without_a_worker),
		cmocka_unit_test(test_one_host_seals_for_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
