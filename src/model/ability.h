/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host can do, as negotiation sees it (docs/negotiation.md), and the names of formats and
 * features.
 *
 * Both belong to frameworks with versions ("siit/2" is version 2 of siit).  A report counts as a
 * whole or not at all: what it says must be possible.  Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/feature.h"
#include "abi/format.h"
#include "base/err.h"
#include "model/pair_key.h"
#include "model/topology.h"

struct host;
struct capabilities;

/* What of a host matters. */
struct ability {
	uint32_t formats;           /* FORMAT_BIT()s that it has and may use */
	uint32_t features;          /* FEATURE_BIT()s likewise */
	uint32_t required_features; /* without these, in any version, it talks to nobody */
	uint32_t mtu;               /* of its substrate; 0: nothing of its report counts */
	struct locators locators;
	const char *fault; /* why nothing of its report counts; NULL: it counts */
};

struct ability ability_of(const struct host *h);
/* What it was before the report that is on its way to pairs (model/host.h, changing_at). */
struct ability ability_former(const struct host *h);
/* The one of the two by which choices between the host and the other one go. */
struct ability ability_towards(const struct host *h, const struct host *other);
/* The key of what 'from' seals for 'to', by what choices between them go by. */
struct pair_key ability_key(const struct host *from, const struct host *to);
/* The formats that it can use with the addresses it has. */
uint32_t ability_usable(const struct ability *a);
/* Alike for every choice, but for the MTU and the keys. */
bool ability_equal(const struct ability *a, const struct ability *b);
/* Nothing that is said of the one is not said of the other, but for their addresses and keys. */
bool ability_same(const struct ability *a, const struct ability *b);
/* "IPv4", "IPv4 and IPv6", ... */
const char *ability_families(const struct ability *a);

/* Frameworks of formats, in the order in which they are preferred, and of features. */
enum framework {
	FRAMEWORK_SIIT,
	FRAMEWORK_REIP4,
	FRAMEWORK_VXLAN,
	FRAMEWORK_GENEVE,
	FRAMEWORK_MAX
};
enum feature_framework {
	FEATURE_CRYPT,
	FEATURE_INTEGRITY,
	FEATURE_LZ4,
	FEATURE_RATE,
	FEATURE_FRAMEWORKS,
};

/* A version of anything: major.minor. */
struct version {
	uint16_t major, minor;
};
/* The highest version in both lists, in any order (1.0, 1.1, 3.0 with 1.0, 1.1, 2.0 gives 1.1);
 * false when there is none. */
bool negotiate_version(const struct version *a, size_t n_a, const struct version *b, size_t n_b,
		       struct version *ret);

/* All versions of a framework, bits; ipip6, which accompanies siit, is of none. */
uint32_t framework_formats(enum framework f);
uint32_t framework_features(enum feature_framework f);
/* Of the formats in both sets, all of one framework, the highest version; FORMAT_NONE: they have
 * none in common. */
enum format format_highest(enum framework f, uint32_t a, uint32_t b);
/* Likewise; FEATURE_MAX: none. */
enum feature feature_highest(enum feature_framework f, uint32_t a, uint32_t b);
/* It says on the wire which network the source is in. */
bool format_joins_networks(enum format f);

/* "siit/2"; "none" for FORMAT_NONE. */
const char *format_name(enum format f);
const char *feature_name(enum feature f);
enum { FORMAT_LIST_SIZE = 96, FEATURE_LIST_SIZE = 64 };
/* "siit/1, siit/2, ipip6/1", or "nothing" */
const char *format_list(uint32_t formats, char buf[static FORMAT_LIST_SIZE]);
const char *feature_list(uint32_t features, char buf[static FEATURE_LIST_SIZE]);
/* "siit/2", "siit" (all its versions), "crypt", ...: bits in exactly one of the two.  -EINVAL:
 * unknown. */
must_check int ability_parse(const char *text, uint32_t *ret_formats, uint32_t *ret_features);
