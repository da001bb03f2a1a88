/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and prefixes of tests, from their text; the test fails where that is none. */
#pragma once

#include "net/addr.h"
#include "tests/unit/test.h"

static inline struct ipaddr addr_of(const char *text)
{
	struct ipaddr addr;

	assert_ok(ipaddr_parse(text, &addr));
	return addr;
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_ok(prefix_parse(text, &prefix));
	return prefix;
}
