/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversions between layouts of tables: docs/howto/change-a-table.md.  The structs of layouts that are no more stand
 * here, each with its number in its name.  A conversion goes when no release that is upgraded from has its 'from' any more.
 */
#include "datapath/bpf_convert.h"

const struct bpf_conversion bpf_conversions[] = {
	{.table = NULL},
};
