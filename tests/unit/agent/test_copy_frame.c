/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of packets: cut to what they are on the wire, checksums finished, wrapped, cut to fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "agent/copy_frame.h"
#include "net/csum.h"

enum { INNER = 14 + COPY_FRAME_HEADERS, ETHERNET = 14, TCP = 6, UDP = 17 };

static uint8_t work[COPY_FRAME_MAX], frame[COPY_FRAME_MAX];

struct got {
	size_t n;
	size_t sizes[64];
	uint8_t frames[64][1600];
};
static struct got got;

static int keep(uint8_t *f, size_t size, void *arg)
{
	assert_true(got.n < 64 && size <= sizeof(got.frames[0]));
	memcpy(got.frames[got.n], f, size);
	got.sizes[got.n++] = size;
	return 0;
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static struct copy_frame_way way_of(uint16_t mtu, uint32_t length)
{
	return (struct copy_frame_way){.from = ipaddr_from_v4(0x0a000105),
				       .to = ipaddr_from_v4(0x0a000109),
				       .vni = 0x123456,
				       .length = length,
				       .mtu = mtu};
}

/* IPv4 or IPv6 with a transport header and a payload that counts up; its checksum is the pseudo
 * header's. */
static size_t packet(bool v6, uint8_t protocol, size_t payload)
{
	size_t ip = v6 ? 40 : 20, header = protocol == TCP ? 20 : 8;
	uint8_t *transport = frame + ETHERNET + ip;
	struct ipaddr src = ipaddr_from_v4(0x0a000105), dst = ipaddr_from_v4(0x0a000106);
	uint16_t sum;

	memset(frame, 0, ETHERNET + ip + header);
	memcpy(frame, "\x02\1\1\1\1\1\x02\2\2\2\2\2", 12);
	put16(frame + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		src.b[0] = dst.b[0] = 0xfd;
		frame[14] = 0x60;
		put16(frame + 18, (uint32_t)(header + payload));
		frame[20] = protocol;
		frame[21] = 64;
		memcpy(frame + 22, src.b, 16);
		memcpy(frame + 38, dst.b, 16);
	} else {
		frame[14] = 0x45;
		put16(frame + 16, (uint32_t)(ip + header + payload));
		put16(frame + 18, 500);
		frame[22] = 64;
		frame[23] = protocol;
		memcpy(frame + 26, src.b + 12, 4);
		memcpy(frame + 30, dst.b + 12, 4);
		sum = csum(frame + 14, 20);
		memcpy(frame + 24, &sum, 2);
	}
	put16(transport, 1000);
	put16(transport + 2, 2000);
	if (protocol == TCP) {
		put16(transport + 6, 7); /* sequence number 7 */
		transport[12] = 5 << 4;
		transport[13] = 0x99; /* CWR, ACK, PSH, FIN */
	} else {
		put16(transport + 4, (uint32_t)(header + payload));
	}
	sum = (uint16_t)~csum_fold(csum_pseudo(&src, &dst, protocol, (uint32_t)(header + payload)));
	memcpy(transport + (protocol == TCP ? 16 : 6), &sum, 2);
	for (size_t i = 0; i < payload; i++)
		transport[header + i] = (uint8_t)(i * 7);
	return ETHERNET + ip + header + payload;
}

/* What is inside is intact, and what is around it says the truth. */
static void assert_intact(const uint8_t *f, size_t size, bool v6, uint8_t protocol)
{
	const uint8_t *inner = f + INNER;
	size_t ip = v6 ? 40 : 20, rest = size - INNER - ETHERNET - ip;
	struct ipaddr src, dst;

	assert_int_equal(csum(f + 14, 20), 0);
	assert_int_equal(get16(f + 16), size - 14);
	assert_int_equal(f[23], UDP);
	assert_int_equal(get16(f + 36), COPY_FRAME_UDP_PORT);
	assert_true(get16(f + 34) >= 49152);
	assert_int_equal(get16(f + 38), size - 34);
	assert_int_equal(f[42], 8);
	assert_int_equal(get32(f + 46), 0x12345600);
	if (v6) {
		memcpy(src.b, inner + 22, 16);
		memcpy(dst.b, inner + 38, 16);
		assert_int_equal(get16(inner + 18), rest);
	} else {
		src = ipaddr_from_v4(get32(inner + 26));
		dst = ipaddr_from_v4(get32(inner + 30));
		assert_int_equal(csum(inner + 14, 20), 0);
		assert_int_equal(get16(inner + 16), rest + 20);
	}
	assert_int_equal(csum_fold(csum_add(csum_pseudo(&src, &dst, protocol, (uint32_t)rest),
					    inner + ETHERNET + ip, rest)),
			 0);
}

static void run(size_t size, uint16_t gso, bool v6, const struct copy_frame_way *way)
{
	struct dp_copy c = {.partial = true,
			    .sum_start = (uint16_t)(ETHERNET + (v6 ? 40 : 20)),
			    .gso_size = gso,
			    .size = size,
			    .frame = frame};

	c.sum_at = frame[v6 ? 20 : 23] == TCP ? 16 : 6;
	got.n = 0;
	assert_int_equal(copy_frame_each(&c, way, work, keep, NULL), 0);
}

/* requirement: OPS-4 */
static void test_one_packet(void **state)
{
	struct copy_frame_way way = way_of(1430, 0);

	for (int v6 = 0; v6 < 2; v6++)
		for (int tcp = 0; tcp < 2; tcp++) {
			size_t size = packet(v6, tcp ? TCP : UDP, 333);

			run(size, 0, v6, &way);
			assert_int_equal(got.n, 1);
			assert_int_equal(got.sizes[0], INNER + size);
			assert_intact(got.frames[0], got.sizes[0], v6, tcp ? TCP : UDP);
			assert_memory_equal(got.frames[0] + INNER, frame, 12);
		}
}

static void test_segments(void **state)
{
	struct copy_frame_way way = way_of(1430, 0);

	for (int v6 = 0; v6 < 2; v6++) {
		size_t ip = v6 ? 40 : 20, at = 0;
		size_t size = packet(v6, TCP, 2500);

		run(size, 1000, v6, &way);
		assert_int_equal(got.n, 3);
		for (size_t i = 0; i < 3; i++) {
			const uint8_t *tcp = got.frames[i] + INNER + ETHERNET + ip;
			size_t payload = i < 2 ? 1000 : 500;

			assert_int_equal(got.sizes[i], INNER + ETHERNET + ip + 20 + payload);
			assert_intact(got.frames[i], got.sizes[i], v6, TCP);
			assert_int_equal(get32(tcp + 4), 7 + at);
			assert_int_equal(tcp[13], i == 0 ? 0x90 : i == 1 ? 0x10 : 0x19);
			assert_memory_equal(tcp + 20, frame + ETHERNET + ip + 20 + at, payload);
			if (!v6)
				assert_int_equal(get16(got.frames[i] + INNER + 18), 500 + i);
			at += payload;
			assert_int_equal(get16(got.frames[i] + 34), get16(got.frames[0] + 34));
		}
		size = packet(v6, UDP, 1500);
		run(size, 700, v6, &way);
		assert_int_equal(got.n, 3);
		for (size_t i = 0; i < 3; i++)
			assert_intact(got.frames[i], got.sizes[i], v6, UDP);
		assert_int_equal(got.sizes[2], INNER + ETHERNET + ip + 8 + 100);
	}
}

static void test_cut_to_fit(void **state)
{
	struct copy_frame_way narrow = way_of(1430, 0), shorter = way_of(1430, 100);
	size_t size = packet(false, TCP, 1390);

	run(size, 0, false, &narrow);
	assert_int_equal(got.sizes[0], 14 + 1430);
	assert_int_equal(get16(got.frames[0] + 16), 1430);
	assert_int_equal(csum(got.frames[0] + 14, 20), 0);
	/* the packet inside says how long it was */
	assert_int_equal(get16(got.frames[0] + INNER + 16), 1430);
	run(size, 0, false, &shorter);
	assert_int_equal(got.sizes[0], INNER + 100);
	size = packet(false, UDP, 10);
	run(size, 0, false, &shorter);
	assert_int_equal(got.sizes[0], INNER + size);
}

/* Nothing that comes up makes it read or write elsewhere. */
static void test_rubbish(void **state)
{
	struct copy_frame_way way = way_of(1430, 0);
	uint64_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct dp_copy c = {.frame = frame};
		size_t size;

		packet(i & 1, i & 2 ? TCP : UDP, 200);
		for (int k = 0; k < 6; k++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			frame[(seed >> 33) % 80] = (uint8_t)(seed >> 20);
		}
		size = (seed >> 40) % 260;
		c.size = size;
		c.partial = true;
		c.sum_start = (uint16_t)((seed >> 12) % 300);
		c.sum_at = (uint16_t)((seed >> 9) % 300);
		c.gso_size = (uint16_t)((seed >> 25) % 3 ? (seed >> 18) % 64 + 8 : 0);
		got.n = 0;
		assert_int_equal(copy_frame_each(&c, &way, work, keep, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_packet),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_cut_to_fit),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests_name("copy_frame", tests, NULL, NULL);
}
