/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice between two hosts.  See negotiate.h.
 */
#include "model/negotiate.h"

#include <stdio.h>
#include <string.h>

#include "abi/substrate.h"
#include "model/host.h"

enum framework { FRAMEWORK_SIIT, FRAMEWORK_VXLAN, FRAMEWORK_MAX };

/* In the order of preference: frameworks as they come, and their versions by number. */
static const struct {
	enum framework framework;
	struct version version;
	enum format format;
} offers[] = {
	{FRAMEWORK_SIIT, {1, 0}, FORMAT_SIIT_1},
	{FRAMEWORK_SIIT, {2, 0}, FORMAT_SIIT_2},
	{FRAMEWORK_VXLAN, {1, 0}, FORMAT_VXLAN_1},
};

static const char *const names[FORMAT_MAX] = {
	[FORMAT_NONE] = "none",       [FORMAT_SIIT_1] = "siit/1",   [FORMAT_SIIT_2] = "siit/2",
	[FORMAT_IPIP6_1] = "ipip6/1", [FORMAT_VXLAN_1] = "vxlan/1",
};

const char *format_name(enum format f)
{
	return f < FORMAT_MAX ? names[f] : "unknown";
}

const char *format_list(uint32_t formats, char buf[static FORMAT_LIST_SIZE])
{
	size_t used = 0;

	buf[0] = '\0';
	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (formats & FORMAT_BIT(f))
			used += (size_t)snprintf(buf + used, FORMAT_LIST_SIZE - used, "%s%s",
						 used ? ", " : "", names[f]);
	if (!used)
		snprintf(buf, FORMAT_LIST_SIZE, "nothing");
	return buf;
}

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

struct ability ability_of(const struct host *h)
{
	return (struct ability){
		/* what no probe has confirmed does not count (NEG-1) */
		.formats = h->can.probed_ms ? h->can.formats : 0,
		.mtu = h->can.substrate_mtu,
		.locators = h->locators,
	};
}

/* What the host can do with the addresses it has. */
static uint32_t usable(const struct ability *a)
{
	uint32_t formats = a->formats;

	if (!a->locators.siit1.len)
		formats &= ~FORMAT_BIT(FORMAT_SIIT_1);
	if (!a->locators.siit2.len)
		formats &= ~FORMAT_BIT(FORMAT_SIIT_2);
	if (!(formats & (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2))))
		formats &= ~FORMAT_BIT(FORMAT_IPIP6_1);
	return formats;
}

static bool both_have(const struct ipaddr *a, const struct ipaddr *b)
{
	return !ipaddr_is_zero(a) && !ipaddr_is_zero(b);
}

/* The formats that both can use towards each other. */
static uint32_t common(const struct ability *a, const struct ability *b, bool *ret_v6)
{
	uint32_t formats = usable(a) & usable(b);
	bool v4 = both_have(&a->locators.v4, &b->locators.v4);
	bool v6 = both_have(&a->locators.v6, &b->locators.v6);

	if (!v4 && !v6)
		formats &= ~FORMAT_BIT(FORMAT_VXLAN_1);
	*ret_v6 = v6 && !v4; /* over IPv4 a packet is 20 bytes shorter */
	return formats;
}

static size_t versions_in(uint32_t formats, enum framework f,
			  struct version ret[static ARRAY_SIZE(offers)])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++)
		if (offers[i].framework == f && formats & FORMAT_BIT(offers[i].format))
			ret[n++] = offers[i].version;
	return n;
}

static enum format format_of(enum framework f, const struct version *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(offers); i++)
		if (offers[i].framework == f && offers[i].version.major == v->major &&
		    offers[i].version.minor == v->minor)
			return offers[i].format;
	return FORMAT_NONE;
}

static enum format choose(uint32_t a, uint32_t b)
{
	for (enum framework f = 0; f < FRAMEWORK_MAX; f++) {
		struct version va[ARRAY_SIZE(offers)], vb[ARRAY_SIZE(offers)], best;
		size_t n_a = versions_in(a, f, va), n_b = versions_in(b, f, vb);

		if (negotiate_version(va, n_a, vb, n_b, &best))
			return format_of(f, &best);
	}
	return FORMAT_NONE;
}

static uint32_t overhead_of(enum format f, uint32_t accept, bool vxlan_over_v6)
{
	if (f == FORMAT_VXLAN_1)
		return vxlan_over_v6 ? SUBSTRATE_OVERHEAD_VXLAN_V6 : SUBSTRATE_OVERHEAD_VXLAN_V4;
	return accept & FORMAT_BIT(FORMAT_IPIP6_1) ? SUBSTRATE_OVERHEAD_IPIP6
						   : SUBSTRATE_OVERHEAD_SIIT;
}

static uint32_t accept_of(enum format f, uint32_t formats)
{
	if (f == FORMAT_NONE)
		return 0;
	if (f == FORMAT_VXLAN_1)
		return FORMAT_BIT(f);
	return FORMAT_BIT(f) | (formats & FORMAT_BIT(FORMAT_IPIP6_1));
}

uint32_t negotiate_overhead(const struct ability *a, const struct ability *b)
{
	bool v6;
	uint32_t formats = common(a, b, &v6);
	enum format f = choose(formats, formats);

	return f == FORMAT_NONE ? UINT32_MAX : overhead_of(f, accept_of(f, formats), v6);
}

static const char *family_list(const struct locators *l)
{
	bool v4 = !ipaddr_is_zero(&l->v4), v6 = !ipaddr_is_zero(&l->v6);

	return v4 && v6 ? "IPv4 and IPv6" : v4 ? "IPv4" : v6 ? "IPv6" : "no address";
}

static void explain(struct choice *c, const struct ability *from, const char *from_name,
		    const struct ability *to, const char *to_name)
{
	char has_from[FORMAT_LIST_SIZE], has_to[FORMAT_LIST_SIZE];

	format_list(usable(from), has_from);
	format_list(usable(to), has_to);
	if (c->send == FORMAT_NONE)
		snprintf(c->reason, sizeof(c->reason),
			 "no format in common: %.40s has %s (%s), %.40s has %s (%s)", from_name,
			 has_from, family_list(&from->locators), to_name, has_to,
			 family_list(&to->locators));
	else
		snprintf(c->reason, sizeof(c->reason),
			 "%s%s: the best of what %.40s (%s) and %.40s (%s) have in common",
			 format_name(c->send),
			 c->accept & FORMAT_BIT(FORMAT_IPIP6_1) ? " with ipip6/1" : "", from_name,
			 has_from, to_name, has_to);
}

struct choice negotiate(const struct ability *from, const char *from_name, const struct ability *to,
			const char *to_name)
{
	struct choice c = {.path_mtu = from->mtu < to->mtu ? from->mtu : to->mtu};
	bool v6;
	uint32_t formats = common(from, to, &v6);

	c.send = choose(formats, formats);
	c.accept = accept_of(c.send, formats);
	if (c.send != FORMAT_NONE) {
		c.vxlan_over_v6 = c.send == FORMAT_VXLAN_1 && v6;
		c.overhead = overhead_of(c.send, c.accept, v6);
	}
	explain(&c, from, from_name, to, to_name);
	return c;
}
