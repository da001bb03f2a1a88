/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts: header, ciphers against vectors that a plain reference made, window, reserve. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "base/hex.h"
#include "seal/cipher.h"
#include "seal/outbox.h"
#include "seal/protocol.h"
#include "seal/psp.h"
#include "seal/replay.h"
#include "seal/reserve.h"
#include "seal/squeeze.h"

/* Of AES-GCM written after NIST SP 800-38D in another language and checked with its test case 4:
 * key 00 01 02 ..., SPI 0014000e, IV 0102030405060708, next header 41, payload 00 01 ... 27. */
static const struct {
	enum seal_cipher cipher;
	const char *datagram;
} known[] = {
	{SEAL_AES_128_GCM,
	 "290100010014000e010203040506070863505884c6e3229859db26a4b1b84d209820baa871da"
	 "ab31c3294e3d53d0cc0cb3129c1b9ad46c8b114ae7fc9a5d317df2aa36cf4a926d7f"},
	{SEAL_AES_256_GCM,
	 "290100050014000e010203040506070831f7f8c8d1f671a544ec3e89a00dd7993330da6e7748"
	 "0c726499d74f4f8531405a34040909299cf4ac7aab1c3feff1a13e958a2a9a5d3111"},
	{SEAL_AES_128_GMAC,
	 "290100090014000e0102030405060708000102030405060708090a0b0c0d0e0f101112131415"
	 "161718191a1b1c1d1e1f2021222324252627f2d13ff0c276f5240470a4d34a892f8e"},
};
enum { KNOWN_PAYLOAD = 40, KNOWN_SIZE = SEAL_HEADER_SIZE + KNOWN_PAYLOAD + SEAL_TAG_SIZE };

static void known_answer(const struct aead *aead, size_t i)
{
	const struct psp psp = {.next = PSP_NEXT_IPV6,
				.cipher = known[i].cipher,
				.spi = 0x0014000e,
				.iv = 0x0102030405060708};
	uint8_t key[32], payload[KNOWN_PAYLOAD], expected[KNOWN_SIZE], datagram[KNOWN_SIZE];
	uint8_t opened[KNOWN_PAYLOAD];
	struct cipher seals, opens;
	struct psp read;

	for (size_t b = 0; b < sizeof(key); b++)
		key[b] = (uint8_t)b;
	for (size_t b = 0; b < sizeof(payload); b++)
		payload[b] = (uint8_t)b;
	assert_ok(hex_decode(known[i].datagram, expected, sizeof(expected)));
	assert_ok(cipher_init_by(&seals, aead, psp.cipher, key, true));
	assert_ok(cipher_init_by(&opens, aead, psp.cipher, key, false));
	psp_write(&psp, datagram);
	assert_ok(cipher_seal(&seals, datagram, payload, sizeof(payload)));
	assert_memory_equal(datagram, expected, sizeof(expected));
	assert_int_equal(psp_read(datagram, sizeof(datagram), &read), DROP_NONE);
	assert_memory_equal(&read.iv, &psp.iv, sizeof(psp.iv));
	assert_int_equal(read.cipher, psp.cipher);
	assert_int_equal(read.spi, psp.spi);
	assert_ok(cipher_open(&opens, datagram, sizeof(datagram), opened));
	assert_memory_equal(opened, payload, sizeof(payload));
	/* Each bit of header, payload and tag counts. */
	for (size_t bit = 0; bit < sizeof(datagram) * 8; bit++) {
		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_error(cipher_open(&opens, datagram, sizeof(datagram), opened), EBADMSG);
		datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cipher_deinit(&seals);
	cipher_deinit(&opens);
}

/* requirement: NEG-11 */
static void test_known_answers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		known_answer(&aead_openssl, i);
		known_answer(aead_best(), i);
		if (aead_ipsec_mb())
			known_answer(aead_ipsec_mb(), i);
	}
}

/* One library's datagrams are the other's, of every length of a block and of whole buffers, one key
 * in use for many and at any address.  requirement: NEG-11 */
static void test_libraries_agree(void **state)
{
	enum { LONGEST = 65000, ROOM = SEAL_HEADER_SIZE + LONGEST + SEAL_TAG_SIZE };
	const struct aead *other = aead_ipsec_mb();
	_cleanup_free_ uint8_t *one = malloc(ROOM + 64), *two = malloc(ROOM + 64);
	_cleanup_free_ uint8_t *payload = malloc(LONGEST + 64), *back = malloc(LONGEST + 64);
	uint8_t key[32];

	if (!other)
		skip();
	assert_true(one && two && payload && back);
	for (size_t i = 0; i < LONGEST + 64; i++)
		payload[i] = (uint8_t)(i * 31 + i / 251);
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(200 - i);
	for (int kind = SEAL_AES_128_GCM; kind < SEAL_CIPHERS; kind++) {
		struct psp psp = {
			.next = PSP_NEXT_IPV4, .cipher = (enum seal_cipher)kind, .spi = 6};
		struct cipher by_openssl, by_other, opens, opens_other;

		assert_ok(cipher_init_by(&by_openssl, &aead_openssl, psp.cipher, key, true));
		assert_ok(cipher_init_by(&by_other, other, psp.cipher, key, true));
		assert_ok(cipher_init_by(&opens, &aead_openssl, psp.cipher, key, false));
		assert_ok(cipher_init_by(&opens_other, other, psp.cipher, key, false));
		for (size_t size = 0; size <= LONGEST; size += size < 300 ? 1 : 977) {
			size_t whole = SEAL_HEADER_SIZE + size + SEAL_TAG_SIZE;
			uint8_t *a = one + size % 16, *b = two + size % 7;

			psp.iv++;
			psp_write(&psp, a);
			psp_write(&psp, b);
			assert_ok(cipher_seal(&by_openssl, a, payload + size % 5, size));
			assert_ok(cipher_seal(&by_other, b, payload + size % 5, size));
			assert_memory_equal(a, b, whole);
			assert_ok(cipher_open(&opens_other, a, whole, back + size % 11));
			assert_memory_equal(back + size % 11, payload + size % 5, size);
			assert_ok(cipher_open(&opens, b, whole, back + size % 3));
			assert_memory_equal(back + size % 3, payload + size % 5, size);
			a[whole - 1] ^= 1;
			assert_error(cipher_open(&opens_other, a, whole, back), EBADMSG);
		}
		cipher_deinit(&by_openssl);
		cipher_deinit(&by_other);
		cipher_deinit(&opens);
		cipher_deinit(&opens_other);
	}
}

static void test_header(void **state)
{
	const struct psp psp = {.next = 41, .cipher = SEAL_AES_128_GCM, .spi = 2, .iv = 3};
	uint8_t d[33] = {};
	struct psp read;

	psp_write(&psp, d);
	assert_int_equal(psp_read(d, 33, &read), DROP_NONE);
	assert_int_equal(psp_read(d, 32, &read), DROP_MALFORMED);
	assert_int_equal(psp_read(d, 0, &read), DROP_MALFORMED);
	d[3] &= 0xfe;
	assert_int_equal(psp_read(d, 33, &read), DROP_MALFORMED);
	psp_write(&psp, d);
	d[2] = 0x40;
	assert_int_equal(psp_read(d, 33, &read), DROP_MALFORMED);
	psp_write(&psp, d);
	d[2] = 1; /* a crypt offset */
	assert_int_equal(psp_read(d, 33, &read), DROP_STATEMENT);
	psp_write(&psp, d);
	d[3] |= 3 << 2; /* a version that nobody here has */
	assert_int_equal(psp_read(d, 33, &read), DROP_STATEMENT);
	psp_write(&psp, d);
	d[3] |= 2; /* a cookie */
	assert_int_equal(psp_read(d, 33, &read), DROP_STATEMENT);
	psp_write(&psp, d);
	d[1] = 2;
	assert_int_equal(psp_read(d, 33, &read), DROP_STATEMENT);
}

/* Against the plain rule: seen before, or too old. */
static void test_replay_model(void **state)
{
	enum { SPAN = 60000 };
	static bool seen[SPAN];
	struct replay *r = calloc(1, sizeof(*r));
	uint64_t highest = 0, at = 20000;
	uint32_t x = 1;

	assert_non_null(r);
	for (int i = 0; i < 400000; i++) {
		uint64_t iv;
		bool expected;

		x = x * 1664525 + 1013904223;
		if (i % 50 == 0 && at < SPAN - 3000)
			at += x >> 20 & 63;
		if (i % 9973 == 0 && at < SPAN - 20000)
			at += 3000 + (x >> 18); /* a leap */
		iv = at - (x >> 16) % 9000;
		expected = iv > highest || (highest - iv < REPLAY_WINDOW && !seen[iv]);
		assert_int_equal(replay_is_new(r, iv), expected);
		if (!expected || x >> 30 == 0)
			continue;
		replay_note(r, iv);
		seen[iv] = true;
		if (iv > highest)
			highest = iv;
	}
	/* A leap over more than all of the ring forgets everything below. */
	replay_note(r, highest + (1ULL << 40));
	assert_false(replay_is_new(r, highest));
	assert_true(replay_is_new(r, highest + (1ULL << 40) - 1));
	free(r);
}

/* requirement: NEG-11 */
static void test_reserve_never_repeats(void **state)
{
	const char *path = "/tmp/seal-test-reserve", *lock = "/tmp/seal-test-reserve.lock";
	struct reserve r, other;
	uint64_t used = 0, start;

	unlink(path);
	/* Lives that end at any time, with a clock that goes back and stands still. */
	for (int life = 0; life < 20; life++) {
		uint64_t now = life % 3 == 0 ? 1000000 : 5000 * (uint64_t)life;

		assert_ok(reserve_open(&r, path, now));
		assert_error(reserve_open(&other, path, now), EWOULDBLOCK);
		for (int key = 0; key < 3; key++) {
			assert_ok(reserve_start(&r, now, &start));
			assert_true(start > used);
			used = start + ((uint64_t)(1 + life) << (30 + key * 4));
			assert_ok(reserve_cover(&r, used + 1));
			assert_true(r.bound > used);
			reserve_used(&r, used + 1);
		}
		/* No word of what was used reaches the next life but what is on disk. */
		reserve_close(&r);
	}
	/* A file that was lost: the clock has gone on. */
	unlink(path);
	assert_ok(reserve_open(&r, path, used + 1));
	assert_ok(reserve_start(&r, used + 1, &start));
	assert_true(start > used);
	reserve_close(&r);
	unlink(path);
	unlink(lock);
}

static void test_squeeze(void **state)
{
	static uint8_t state_of[SQUEEZE_STATE_SIZE] __attribute__((aligned(16)));
	uint8_t in[1400], out[1400], back[1500], next;
	size_t packed, n;
	uint32_t x = 7;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t) "a line of text that repeats itself "[i % 35];
	packed = squeeze_pack(state_of, 41, in, sizeof(in), out);
	assert_true(packed > 4 && packed < 200);
	assert_int_equal(squeeze_unpack(out, packed, back, sizeof(back), &n, &next), DROP_NONE);
	assert_int_equal(n, sizeof(in));
	assert_int_equal(next, 41);
	assert_memory_equal(in, back, n);
	out[3] ^= 1; /* another algorithm */
	assert_int_equal(squeeze_unpack(out, packed, back, sizeof(back), &n, &next),
			 DROP_STATEMENT);
	out[3] ^= 1;
	out[1] = 1;
	assert_int_equal(squeeze_unpack(out, packed, back, sizeof(back), &n, &next),
			 DROP_MALFORMED);
	out[1] = 0;
	assert_int_equal(squeeze_unpack(out, packed, back, 1399, &n, &next), DROP_STATEMENT);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	assert_int_equal(squeeze_pack(state_of, 41, in, sizeof(in), out), 0);
	assert_int_equal(squeeze_pack(state_of, 41, in, 5, out), 0);
	/* A block that grows: said to be compressed, and is not. */
	{
		const uint8_t literals[] = {41, 0, 0xf0, 0, 0x30, 'a', 'b', 'c'};

		assert_int_equal(
			squeeze_unpack(literals, sizeof(literals), back, sizeof(back), &n, &next),
			DROP_STATEMENT);
	}
}

/* Messages are full while there is more to send: the one that is not waits, whole and in its
 * order.  What was sent is counted by the kernel's refusal: the descriptor is no socket. */
static void test_outbox_keeps_what_is_not_full(void **state)
{
	enum { SIZE = 1452, FULL = OUTBOX_MESSAGE_SIZE / SIZE, ALL = FULL + 6 };
	static const uint8_t remote[16] = {0xfd, [15] = 1};
	struct outbox *o = calloc(1, sizeof(*o));
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	uint64_t not_sent = 0;

	assert_non_null(o);
	assert_true(fd >= 0);
	o->not_sent = &not_sent;
	for (int i = 0; i < OUTBOX_PORTS; i++)
		o->fds[1][i] = fd;
	outbox_flush_full(o);
	assert_int_equal(o->n, 0);
	for (int i = 0; i < ALL; i++) {
		memset(outbox_room(o, SIZE), i, SIZE);
		outbox_add(o, SIZE, remote, 7);
	}
	outbox_flush_full(o);
	assert_int_equal(not_sent, FULL);
	assert_int_equal(o->n, 1);
	assert_int_equal(o->size, 6 * SIZE);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(o->bytes[o->messages[0].at + (size_t)i * SIZE], FULL + i);
		assert_int_equal(o->bytes[o->messages[0].at + (size_t)i * SIZE + SIZE - 1],
				 FULL + i);
	}
	outbox_flush_full(o);
	assert_int_equal(not_sent, FULL); /* still not full */
	memset(outbox_room(o, 100), 0, 100);
	outbox_add(o, 100, remote, 7);
	outbox_flush_full(o); /* ended by a shorter one: nothing can follow */
	assert_int_equal(not_sent, ALL + 1);
	assert_int_equal(o->n, 0);
	assert_int_equal(o->size, 0);
	close(fd);
	free(o);
}

enum { N_DROPS = 2000000 };

static void *count_drops(void *shared)
{
	for (int i = 0; i < N_DROPS; i++)
		seal_count_drop(shared, DROP_REWRITE);
	return NULL;
}

/* Both threads of the worker drop packets. */
/* requirement: PKT-15 */
static void test_no_drop_goes_uncounted(void **state)
{
	struct seal_shared *shared = calloc(1, sizeof(*shared));
	pthread_t other;

	assert_non_null(shared);
	assert_int_equal(pthread_create(&other, NULL, count_drops, shared), 0);
	count_drops(shared);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(seal_drop_count(shared, DROP_REWRITE), 2 * N_DROPS);
	free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_libraries_agree),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_replay_model),
		cmocka_unit_test(test_reserve_never_repeats),
		cmocka_unit_test(test_squeeze),
		cmocka_unit_test(test_outbox_keeps_what_is_not_full),
		cmocka_unit_test(test_no_drop_goes_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
