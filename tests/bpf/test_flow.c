/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow cache: where its entries lie.
 *
 * a lives on host 1; on host 2 lives whoever it speaks with.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "abi/maps.h"
#include "abi/substrate.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "frame.h"

enum {
	MANY = LAB_TABLE_SIZE / 5, /* a table with two ways then loses a few */
	KEPT = MANY * 9 / 10,
};

static struct lab lab;
static struct lab_node *a;

/* Each processor has entries of its own: the test stays on one. */
static void stay(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (size_t i = 0, found = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set) && found++)
			CPU_CLR(i, &set);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static int set_up(void **state)
{
	stay();
	lab_init(&lab, FORMAT_SIIT_2);
	lab_subnet(&lab, LAB_VNI, "10.0.0.0/16", "10.0.1.1", "10.0.0.2");
	a = lab_node(&lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	lab_map(&lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&lab);
	return 0;
}

/* The map's entries that are in use. */
static int count(const struct bpf_map *map)
{
	uint32_t size = bpf_map__value_size(map);
	uint8_t *value = calloc(1, size), *none = calloc(1, size);
	int n = 0;

	assert_true(value && none);
	for (uint32_t i = 0; i < bpf_map__max_entries(map); i++) {
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &i, value), 0);
		n += memcmp(value, none, size) != 0;
	}
	free(value);
	free(none);
	return n;
}

static struct frame to_node(const char *dst)
{
	const struct v4 p = {.src = "10.0.1.10",
			     .dst = dst,
			     .from = (uint8_t)a->port.id,
			     .protocol = IPPROTO_UDP,
			     .ttl = 64,
			     .fragment = 0x4000,
			     .payload = 32};

	return frame_v4(&p);
}

/* The last bytes of two addresses are what differs in a network, and each pair has a place of its own. */
/* requirement: PKT-2 */
static void test_many_have_places(void **state)
{
	struct viaduct *skels[] = {bpf_host_of(lab.hosts[0].dp)->skel,
				   bpf_host_of(lab.hosts[1].dp)->skel};
	struct frame f, wire, got;
	char text[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", 2 + i / 100, 10 + i % 100);
		lab_map(&lab, LAB_VNI, text, 1, DP_MAPPING_LIVE);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", 2 + i / 100, 10 + i % 100);
		f = to_node(text);
		assert_int_equal(frame_from_node(&lab, a, &f, &wire), TC_ACT_REDIRECT);
		/* the same from there */
		memcpy(got.b, wire.b, wire.size);
		got.size = wire.size;
		substrate_siit_2(got.b + IP_AT + 8, lab.hosts[1].config.siit2.addr.b, LAB_VNI,
				 inet_addr(text));
		substrate_siit_2(got.b + IP_AT + 24, lab.hosts[0].config.siit2.addr.b, LAB_VNI,
				 inet_addr("10.0.1.10"));
		assert_int_equal(frame_from_wire(&lab, 0, &got, &f), TC_ACT_REDIRECT);
	}
	assert_in_range(count(skels[0]->maps.flows_out), KEPT, MANY);
	assert_in_range(count(skels[0]->maps.flows_in), KEPT, MANY);
	assert_int_equal(count(skels[1]->maps.flows_out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_have_places),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
