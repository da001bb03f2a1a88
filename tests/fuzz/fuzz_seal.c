/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to the opener: any bytes, and any payload that is sealed rightly, so that what is
 * behind the tag is reached as well; frames from the device to the sealer; images from the agent.
 * What comes out is a whole IP packet.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seal/psp.h"
#include "seal/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct past past;
static struct seal_shared shared;
static struct table *sends, *opens;
static struct outbox outbox;
static struct sealer sealer;
static struct opener opener;

static void take_frame(void *arg, const uint8_t *frame, size_t size)
{
	struct shape s;

	if (size <= SEAL_VNET + SEAL_ETHERNET ||
	    shape_read(frame + SEAL_VNET + SEAL_ETHERNET, size - SEAL_VNET - SEAL_ETHERNET, &s))
		abort();
}

static struct table *table_of(bool seals)
{
	struct {
		struct seal_image image;
		struct seal_class class;
		struct seal_key_record key;
	} with = {
		.image = {.n_classes = 1, .n_keys = 1},
		.class = {.number = 1, .peer = 2, .spi = 2, .cipher = 1, .lz4 = 1},
		.key = {.spi = 2, .peer = 2, .cipher = 1, .seals = seals},
	};
	struct table *t;

	if (table_new(&with, sizeof(with), NULL, &past, 1, &t))
		abort();
	return t;
}

static void start(void)
{
	char path[64], windows[80];

	snprintf(path, sizeof(path), "/tmp/fuzz-seal-%d", (int)getpid());
	snprintf(windows, sizeof(windows), "%s.windows", path);
	unlink(path);
	unlink(windows);
	if (past_open(&past, path, windows, 1))
		abort();
	sends = table_of(true);
	opens = table_of(false);
	outbox.not_sent = &shared.not_sent;
	memset(outbox.fds, -1, sizeof(outbox.fds));
	sealer.outbox = &outbox;
	sealer.reserve = &past.reserve;
	sealer.shared = opener.shared = &shared;
	opener.write = take_frame;
	opener.merge.keeps_udp = true;
}

static void open_sealed(const uint8_t *data, size_t size)
{
	static uint8_t datagram[65536];
	static const uint8_t from[16];
	struct psp psp = {.cipher = SEAL_AES_128_GCM, .iv = sends->keys[0]->next++};

	if (size < 3 || size > 60000)
		return;
	psp.next = data[0];
	psp.spi = 2 | (data[1] & 1);
	psp_write(&psp, datagram);
	if (cipher_seal(&sends->keys[0]->cipher, datagram, data + 2, size - 2))
		abort();
	(void)open_datagram(&opener, opens, datagram, size - 2 + SEAL_HEADER_SIZE + SEAL_TAG_SIZE,
			    from);
}

static void seal_any(const uint8_t *data, size_t size)
{
	static uint8_t packet[SEAL_FRONT + 65536];
	struct virtio_net_hdr vnet;
	struct seal_note note;

	if (size < SEAL_VNET + sizeof(note) || size > 60000)
		return;
	memcpy(&vnet, data, SEAL_VNET);
	memcpy(&note, data + SEAL_VNET, sizeof(note));
	memcpy(note.id, (uint8_t[]){0, 0, 0, 1}, 4);
	size -= SEAL_VNET + sizeof(note);
	memcpy(packet + SEAL_FRONT, data + SEAL_VNET + sizeof(note), size);
	seal_frame(&sealer, sends, &vnet, &note, packet + SEAL_FRONT, size);
	outbox.n = outbox.size = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t from[16];
	struct table *t;
	void *image;

	if (!sends)
		start();
	if (!size)
		return 0;
	switch (data[0] & 3) {
	case 0:
		(void)open_datagram(&opener, opens, data + 1, size - 1, from);
		break;
	case 1:
		open_sealed(data + 1, size - 1);
		break;
	case 2:
		seal_any(data + 1, size - 1);
		break;
	case 3:
		image = malloc(size); /* aligned, as a mapping is */
		if (!image)
			abort();
		memcpy(image, data + 1, size - 1);
		if (!table_new(image, size - 1, NULL, &past, 1, &t))
			table_free(t, &past);
		free(image);
	}
	if (size & 1)
		opener_flush(&opener);
	return 0;
}
