/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversions between layouts of tables: docs/howto/change-a-table.md.  The structs of layouts
 * that are no more stand here, each with its number in its name.  A conversion goes when no release
 * that is upgraded from has its 'from' any more.
 */
#include "datapath/bpf_convert.h"

#include <string.h>

#include "abi/format.h"
#include "abi/maps.h"

struct counters_value_1 {
	uint64_t tx_packets, tx_bytes, rx_packets, rx_bytes;
};

/* In which format it was, nobody has counted. */
static bool convert_counters(const void *was, void *ret)
{
	struct dp_counters_value *to = ret;

	static_assert(sizeof(to->formats[FORMAT_NONE]) == sizeof(struct counters_value_1), "");
	memcpy(&to->formats[FORMAT_NONE], was, sizeof(struct counters_value_1));
	return true;
}

const struct bpf_conversion bpf_conversions[] = {
	{.table = "counters", .from = 1, .to = 2, .value = convert_counters},
	{.table = NULL},
};
