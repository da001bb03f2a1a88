/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts can do, and what it is called.  See ability.h.
 */
#include "model/ability.h"

#include <stdio.h>
#include <string.h>

#include "model/host.h"

/* A version of a framework, of formats or of features. */
struct offer {
	unsigned int framework; /* enum framework, enum feature_framework */
	struct version version;
	unsigned int number; /* enum format, enum feature: which bit stands for it */
	bool joins;          /* a format that carries the source's network */
};

static const struct offer offers[] = {
	{FRAMEWORK_SIIT, {1, 0}, FORMAT_SIIT_1, true},
	{FRAMEWORK_SIIT, {2, 0}, FORMAT_SIIT_2, true},
	{FRAMEWORK_REIP4, {1, 0}, FORMAT_REIP4_1, true},
	{FRAMEWORK_VXLAN, {1, 0}, FORMAT_VXLAN_1, false},
	{FRAMEWORK_GENEVE, {1, 0}, FORMAT_GENEVE_1, true},
	{FRAMEWORK_GENEVE, {2, 0}, FORMAT_GENEVE_2, true},
};

static const struct offer extras[] = {
	{FEATURE_CRYPT, {1, 0}, FEATURE_CRYPT_1, false},
	{FEATURE_CRYPT, {2, 0}, FEATURE_CRYPT_2, false},
	{FEATURE_INTEGRITY, {1, 0}, FEATURE_INTEGRITY_1, false},
	{FEATURE_LZ4, {1, 0}, FEATURE_LZ4_1, false},
	{FEATURE_RATE, {1, 0}, FEATURE_RATE_1, false},
};
_Static_assert(ARRAY_SIZE(extras) == FEATURE_MAX, "every feature belongs to a framework");
enum { OFFERS_MAX = 32 }; /* a bit stands for each */
_Static_assert(ARRAY_SIZE(offers) <= OFFERS_MAX && ARRAY_SIZE(extras) <= OFFERS_MAX,
	       "each has its bit");

static const char *const format_names[FORMAT_MAX] = FORMAT_NAMES;
static const char *const feature_names[FEATURE_MAX] = FEATURE_NAMES;

/* ---- names ---- */

const char *format_name(enum format f)
{
	return f < FORMAT_MAX ? format_names[f] : "unknown";
}

const char *feature_name(enum feature f)
{
	return f < FEATURE_MAX ? feature_names[f] : "unknown";
}

static const char *name_list(uint32_t bits, const char *const *names, size_t n, char *buf,
			     size_t size)
{
	char *at = buf, *end = buf + size - 1;

	for (size_t i = 0; i < n && bits >> i; i++) {
		if (!(bits >> i & 1))
			continue;
		for (const char *c = at > buf ? ", " : ""; *c && at < end; c++)
			*at++ = *c;
		for (const char *c = names[i]; *c && at < end; c++)
			*at++ = *c;
	}
	*at = '\0';
	if (at == buf)
		snprintf(buf, size, "nothing");
	return buf;
}

const char *format_list(uint32_t formats, char buf[static FORMAT_LIST_SIZE])
{
	return name_list(formats & ~FORMAT_BIT(FORMAT_NONE), format_names, FORMAT_MAX, buf,
			 FORMAT_LIST_SIZE);
}

const char *feature_list(uint32_t features, char buf[static FEATURE_LIST_SIZE])
{
	return name_list(features, feature_names, FEATURE_MAX, buf, FEATURE_LIST_SIZE);
}

/* "siit/2" is named by "siit/2" and by "siit". */
static bool is_named(const char *name, const char *text)
{
	size_t length = strlen(text);

	return !strncmp(name, text, length) && (!name[length] || name[length] == '/');
}

int ability_parse(const char *text, uint32_t *ret_formats, uint32_t *ret_features)
{
	uint32_t formats = 0, features = 0;

	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (is_named(format_names[f], text))
			formats |= FORMAT_BIT(f);
	for (enum feature f = 0; f < FEATURE_MAX; f++)
		if (is_named(feature_names[f], text))
			features |= FEATURE_BIT(f);
	if (!*text || (!formats && !features))
		return -EINVAL;
	*ret_formats = formats;
	*ret_features = features;
	return 0;
}

/* ---- versions ---- */

static bool is_higher(const struct version *a, const struct version *b)
{
	return a->major != b->major ? a->major > b->major : a->minor > b->minor;
}

bool negotiate_version(const struct version *a, size_t n_a, const struct version *b, size_t n_b,
		       struct version *ret)
{
	bool found = false;
	struct version best = {0, 0};

	for (size_t i = 0; i < n_a; i++)
		for (size_t j = 0; j < n_b; j++) {
			if (a[i].major != b[j].major || a[i].minor != b[j].minor)
				continue;
			if (!found || is_higher(&a[i], &best))
				best = a[i];
			found = true;
		}
	if (found)
		*ret = best;
	return found;
}

/* The versions of a framework among 'bits'. */
static size_t versions_of(const struct offer *v, size_t n, unsigned int framework, uint32_t bits,
			  struct version ret[static OFFERS_MAX])
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].framework == framework && bits >> v[i].number & 1)
			ret[n_found++] = v[i].version;
	return n_found;
}

/* The number of the highest version that is among 'a' and 'b', or 'none'. */
static unsigned int highest(const struct offer *v, size_t n, unsigned int framework, uint32_t a,
			    uint32_t b, unsigned int none)
{
	struct version va[OFFERS_MAX] = {}, vb[OFFERS_MAX] = {}, best;
	size_t n_a = versions_of(v, n, framework, a, va), n_b = versions_of(v, n, framework, b, vb);

	if (!negotiate_version(va, n_a, vb, n_b, &best))
		return none;
	for (size_t i = 0; i < n; i++)
		if (v[i].framework == framework && v[i].version.major == best.major &&
		    v[i].version.minor == best.minor)
			return v[i].number;
	return none;
}

static uint32_t all_versions(const struct offer *v, size_t n, unsigned int framework)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].framework == framework)
			bits |= UINT32_C(1) << v[i].number;
	return bits;
}

enum format format_highest(enum framework f, uint32_t a, uint32_t b)
{
	return highest(offers, ARRAY_SIZE(offers), f, a, b, FORMAT_NONE);
}

enum feature feature_highest(enum feature_framework f, uint32_t a, uint32_t b)
{
	return highest(extras, ARRAY_SIZE(extras), f, a, b, FEATURE_MAX);
}

uint32_t framework_formats(enum framework f)
{
	return all_versions(offers, ARRAY_SIZE(offers), f);
}

uint32_t framework_features(enum feature_framework f)
{
	return all_versions(extras, ARRAY_SIZE(extras), f);
}

bool format_joins_networks(enum format f)
{
	for (size_t i = 0; i < ARRAY_SIZE(offers); i++)
		if (offers[i].number == f)
			return offers[i].joins;
	return false;
}

/* ---- reports ---- */

enum {
	KNOWN_FORMATS = (1U << FORMAT_MAX) - 1 - FORMAT_BIT(FORMAT_NONE),
	KNOWN_FEATURES = FEATURE_BIT(FEATURE_MAX) - 1,
	SIIT_FORMATS = FORMATS_SIIT,
	MTU_LEAST = 576, /* what every host can receive: RFC 791 */
};

static const char *features_fault(const struct capabilities *can)
{
	uint32_t have = can->features & ~can->disallowed_features;

	if (can->required_features && !(can->required_features & KNOWN_FEATURES))
		return "its report requires features that nobody knows";
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		uint32_t versions = framework_features(f);

		if (!(can->required_features & versions) || have & versions)
			continue;
		return can->features & versions ? "its report requires a feature that it disallows"
						: "its report requires a feature that it has not";
	}
	return NULL;
}

/* Why a report cannot be: a text that says what is wrong with it; NULL: nothing is.  Only for one
 * whose probe has succeeded. */
static const char *capabilities_fault(const struct capabilities *can)
{
	uint32_t formats = can->formats & ~can->disallowed_formats;

	if (can->formats && !(can->formats & KNOWN_FORMATS))
		return "its report has only formats that nobody knows";
	if (!can->substrate_mtu)
		return "its report says that its substrate has an MTU of 0";
	if (can->substrate_mtu < MTU_LEAST || can->substrate_mtu > UINT16_MAX)
		return "its report says that its substrate has an MTU that no substrate has";
	if (formats & FORMAT_BIT(FORMAT_IPIP6_1) &&
	    !((can->formats | can->disallowed_formats) & SIIT_FORMATS))
		return "its report has ipip6 without siit, which cannot be";
	return features_fault(can);
}

static struct ability ability_by(const struct host *h, const struct capabilities *can)
{
	struct ability a = {.locators = h->locators};

	/* what no probe has confirmed does not count (NEG-1) */
	a.fault = can->probed_ms ? capabilities_fault(can) : "no probe of it has succeeded yet";
	if (a.fault)
		return a;
	a.mtu = can->substrate_mtu;
	a.formats = can->formats & ~can->disallowed_formats & KNOWN_FORMATS;
	a.features = can->features & ~can->disallowed_features & KNOWN_FEATURES;
	a.required_features = can->required_features & KNOWN_FEATURES;
	return a;
}

struct ability ability_of(const struct host *h)
{
	return ability_by(h, &h->can);
}

struct ability ability_former(const struct host *h)
{
	return ability_by(h, &h->former);
}

/* The news of the host have not come to the pair. */
static bool is_former(const struct host *h, const struct host *other)
{
	return h->changing_at && other->number >= h->changing_at;
}

struct ability ability_towards(const struct host *h, const struct host *other)
{
	return is_former(h, other) ? ability_former(h) : ability_of(h);
}

/* Whatever of it grows, the epoch is one that was not there before. */
struct pair_key ability_key(const struct host *from, const struct host *to)
{
	bool a = is_former(from, to), b = is_former(to, from);
	uint32_t epoch = 1 + (a ? from->former_key_epoch : from->key_epoch) +
			 (a ? from->former_n_incarnations : from->n_incarnations) +
			 (b ? to->former_n_incarnations : to->n_incarnations);

	return (struct pair_key){epoch, a ? from->former.incarnation : from->can.incarnation,
				 b ? to->former.incarnation : to->can.incarnation};
}

uint32_t ability_usable(const struct ability *a)
{
	uint32_t formats = a->formats;

	if (!a->locators.siit1.len)
		formats &= ~FORMAT_BIT(FORMAT_SIIT_1);
	if (!a->locators.siit2.len)
		formats &= ~FORMAT_BIT(FORMAT_SIIT_2);
	if (!(formats & SIIT_FORMATS))
		formats &= ~FORMAT_BIT(FORMAT_IPIP6_1);
	if (!a->locators.aliases.len || ipaddr_is_zero(&a->locators.v4))
		formats &= ~FORMAT_BIT(FORMAT_REIP4_1);
	return formats;
}

bool ability_equal(const struct ability *a, const struct ability *b)
{
	return a->formats == b->formats && a->features == b->features &&
	       a->required_features == b->required_features &&
	       !a->locators.siit1.len == !b->locators.siit1.len &&
	       !a->locators.siit2.len == !b->locators.siit2.len &&
	       !a->locators.aliases.len == !b->locators.aliases.len &&
	       ipaddr_is_zero(&a->locators.v4) == ipaddr_is_zero(&b->locators.v4) &&
	       ipaddr_is_zero(&a->locators.v6) == ipaddr_is_zero(&b->locators.v6);
}

bool ability_same(const struct ability *a, const struct ability *b)
{
	return ability_equal(a, b) && a->mtu == b->mtu && a->fault == b->fault;
}

const char *ability_families(const struct ability *a)
{
	bool v4 = !ipaddr_is_zero(&a->locators.v4), v6 = !ipaddr_is_zero(&a->locators.v6);

	return v4 && v6 ? "IPv4 and IPv6" : v4 ? "IPv4" : v6 ? "IPv6" : "no address";
}
