/* SPDX-License-Identifier: Apache-2.0 */
/* The next release's conversions, in the place of bpf_conversions.c: change.py says what has
 * changed. */
#include <string.h>

#include "abi/maps.h"
#include "datapath/bpf_convert.h"

static_assert(DP_ABI_VERSION == 7, "the next release's contract comes first");

struct connection_value_1 {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint8_t protocol, state, flags, pad;
	uint32_t hash, seen;
} __attribute__((aligned(8)));

struct connection_set_1 {
	uint32_t lock, pad;
	struct connection_value_1 connections[DP_SET_CONNECTIONS];
};

static bool convert_connections(const void *was, void *ret)
{
	const struct connection_set_1 *from = was;
	struct dp_connection_set *to = ret;

	for (size_t i = 0; i < DP_SET_CONNECTIONS; i++)
		memcpy(&to->connections[i], &from->connections[i], sizeof(from->connections[i]));
	return true;
}

struct port_value_1 {
	struct dp_port_copy copy[2];
	uint32_t current, pad;
};

static bool convert_port(const void *was, void *ret)
{
	const struct port_value_1 *from = was;
	struct dp_port_value *to = ret;

	memcpy(to->copy, from->copy, sizeof(to->copy));
	to->current = from->current;
	return true;
}

const struct bpf_conversion bpf_conversions[] = {
	{.table = "connections", .from = 1, .to = 2, .value = convert_connections},
	{.table = "ports", .from = 1, .to = 2, .value = convert_port},
	{.table = "drops", .from = 1, .to = 2},
	{.table = "sessions", .from = 1, .to = 2},
	{.table = NULL},
};
