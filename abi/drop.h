/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Drop reasons by name; the list is drop_reasons.def. */
#pragma once

enum drop_reason {
	DROP_NONE = 0,
#define DROP_REASON(number, name, event, text) DROP_##name = number,
#include "abi/drop_reasons.def"
#undef DROP_REASON
	DROP_REASON_MAX = 128, /* places in the counters */
};
