/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "../test.h"

void *fixture_image(enum seal_cipher cipher, bool lz4, bool seals, uint64_t epoch, uint8_t first,
		    size_t *ret_size)
{
	const size_t size = sizeof(struct seal_image) + seals * sizeof(struct seal_class) +
			    sizeof(struct seal_key_record);
	struct seal_image *image = calloc(1, size);
	struct seal_class *class = (void *)(image + 1);
	struct seal_key_record *key = (void *)(class + seals);
	uint32_t peer = seals ? FIXTURE_RECEIVER : FIXTURE_SENDER;

	assert_non_null(image);
	image->n_classes = seals;
	image->n_keys = 1;
	*key = (struct seal_key_record){.spi = seal_spi(FIXTURE_SENDER, cipher, epoch),
					.peer = peer,
					.cipher = (uint8_t)cipher,
					.seals = seals};
	for (size_t i = 0; i < sizeof(key->key); i++)
		key->key[i] = (uint8_t)(first + i);
	if (seals)
		*class = (struct seal_class){.number = 1,
					     .peer = peer,
					     .spi = key->spi,
					     .cipher = (uint8_t)cipher,
					     .lz4 = lz4,
					     .remote = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
	*ret_size = size;
	return image;
}

static void fixture_write(void *arg, const uint8_t *frame, size_t size)
{
	struct fixture *f = arg;

	memcpy(f->frame, frame, size);
	f->size = size;
	f->n_frames++;
}

struct fixture *fixture_new(enum seal_cipher cipher, bool lz4)
{
	struct fixture *f = calloc(1, sizeof(*f));
	size_t size;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/seal-test-%d", (int)getpid());
	unlink(f->path);
	snprintf(f->windows, sizeof(f->windows), "%s.windows", f->path);
	unlink(f->windows);
	assert_ok(past_open(&f->past, f->path, f->windows, 1000));
	for (int i = 0; i < 2; i++) {
		void *image = fixture_image(cipher, lz4, !i, FIXTURE_EPOCH, 1, &size);

		f->shared[i] = calloc(1, sizeof(struct seal_shared));
		assert_ok(table_new(image, size, NULL, &f->past, 2000, &f->tables[i]));
		free(image);
	}
	f->outbox = calloc(1, sizeof(*f->outbox));
	f->sealer = calloc(1, sizeof(*f->sealer));
	f->opener = calloc(1, sizeof(*f->opener));
	f->outbox->not_sent = &f->shared[0]->not_sent;
	f->sealer->outbox = f->outbox;
	f->sealer->reserve = &f->past.reserve;
	f->sealer->shared = f->shared[0];
	f->opener->shared = f->shared[1];
	f->opener->write = fixture_write;
	f->opener->arg = f;
	f->opener->merge.keeps_udp = true;
	return f;
}

void fixture_restart(struct fixture *f, enum seal_cipher cipher)
{
	size_t size;
	void *image = fixture_image(cipher, false, false, FIXTURE_EPOCH, 1, &size);

	/* whoever is killed releases nothing */
	for (uint32_t i = 0; i < f->tables[1]->n_keys; i++)
		f->tables[1]->keys[i]->replay = NULL;
	table_free(f->tables[1], &f->past);
	past_close(&f->past);
	assert_ok(past_open(&f->past, f->path, f->windows, 1000));
	assert_ok(table_new(image, size, NULL, &f->past, 2000, &f->tables[1]));
	free(image);
}

void fixture_free(struct fixture *f)
{
	char lock[80];

	for (int i = 0; i < 2; i++) {
		table_free(f->tables[i], &f->past);
		free(f->shared[i]);
	}
	past_close(&f->past);
	unlink(f->path);
	unlink(f->windows);
	snprintf(lock, sizeof(lock), "%s.lock", f->path);
	unlink(lock);
	free(f->outbox);
	free(f->sealer);
	free(f->opener);
	free(f);
}

void fixture_seal(struct fixture *f, const struct virtio_net_hdr *vnet, const uint8_t *packet,
		  size_t size, bool tunnel)
{
	const struct seal_note note = {.magic = SEAL_NOTE_MAGIC,
				       .kind = tunnel ? SEAL_NOTE_TUNNEL : SEAL_NOTE_SUBSTRATE,
				       .vni = {0, 1, 2},
				       .id = {0, 0, 0, 1}};
	uint8_t *copy = malloc(SEAL_FRONT + size);

	assert_non_null(copy);
	f->outbox->n = f->outbox->size = 0;
	memcpy(copy + SEAL_FRONT, packet, size);
	seal_frame(f->sealer, f->tables[0], vnet, &note, copy + SEAL_FRONT, size);
	free(copy);
}

uint8_t *fixture_datagram(struct fixture *f, size_t n, size_t *ret_size)
{
	for (size_t i = 0; i < f->outbox->n; i++) {
		const struct outbox_message *m = &f->outbox->messages[i];

		for (size_t at = 0; at < m->size; at += m->segment)
			if (!n--) {
				*ret_size = m->size - at < m->segment ? m->size - at : m->segment;
				return f->outbox->bytes + m->at + at;
			}
	}
	return NULL;
}

enum drop_reason fixture_open(struct fixture *f, const uint8_t *datagram, size_t size)
{
	static const uint8_t from[16] = {0xfd};

	return open_datagram(f->opener, f->tables[1], datagram, size, from);
}

size_t fixture_packet(uint8_t *ret, bool v6, bool tcp, size_t data, uint8_t fill)
{
	size_t ip = v6 ? 40 : 20, transport = tcp ? 32 : 8, size = ip + transport + data;
	uint8_t *t = ret + ip;
	uint16_t sum;

	memset(ret, 0, size);
	if (v6) {
		ret[0] = 0x60;
		packet_put16(ret + 4, (uint16_t)(transport + data));
		ret[6] = tcp ? 6 : 17;
		ret[7] = 64;
		ret[8] = ret[24] = 0xfd;
		ret[23] = 1;
		ret[39] = 2;
		sum = packet_sum(ret + 8, 32, 0);
	} else {
		ret[0] = 0x45;
		packet_put16(ret + 2, (uint16_t)size);
		packet_put16(ret + 4, 100);
		ret[8] = 64;
		ret[9] = tcp ? 6 : 17;
		ret[12] = ret[16] = 10;
		ret[15] = 1;
		ret[19] = 2;
		packet_complete(ret, 20, 0, 10);
		sum = packet_sum(ret + 12, 8, 0);
	}
	packet_put16(t, 1111);
	packet_put16(t + 2, 80);
	if (tcp) {
		packet_put32(t + 4, 0xfffffff0);
		t[12] = 0x80;
		t[13] = 0x18; /* PSH, ACK */
	} else {
		packet_put16(t + 4, (uint16_t)(8 + data));
	}
	for (size_t i = 0; i < data; i++)
		t[transport + i] = fill ? fill : (uint8_t)(i * 7 + i / 251);
	/* The pseudo header: addresses, length, protocol. */
	{
		uint8_t rest[4] = {(uint8_t)((transport + data) >> 8), (uint8_t)(transport + data),
				   0, tcp ? 6 : 17};

		sum = packet_sum(rest, 4, sum);
	}
	memcpy(t + (tcp ? 16 : 6), &sum, 2);
	return size;
}
