/* SPDX-License-Identifier: Apache-2.0 */
/* The choice between two hosts: rows of what each has and what is chosen, and any set of abilities
 * and demands against a reference that is written as plainly as the rules are. */
#include "model/negotiate.h"

#include <string.h>

#include "model/id.h"
#include "tests/unit/test.h"

#define S1 FORMAT_BIT(FORMAT_SIIT_1)
#define S2 FORMAT_BIT(FORMAT_SIIT_2)
#define IP FORMAT_BIT(FORMAT_IPIP6_1)
#define VX FORMAT_BIT(FORMAT_VXLAN_1)
#define G1 FORMAT_BIT(FORMAT_GENEVE_1)
#define G2 FORMAT_BIT(FORMAT_GENEVE_2)

enum { V4 = 1, V6 = 2, V6_FAR = 4 }; /* FAR: does not fit siit/2 */

static struct ability make(uint32_t formats, int families, uint32_t mtu)
{
	struct topology_place place = {.rack = families & V6_FAR ? 200 : 1, .host = 1};
	struct ability a = {.formats = formats, .mtu = mtu};
	struct ipaddr v4 = {{0}}, v6 = {{0}};
	struct prefix organisation;

	assert_ok(prefix_parse("fd56:6961::/32", &organisation));
	if (families & V4)
		assert_ok(ipaddr_parse("192.0.2.1", &v4));
	if (families & (V6 | V6_FAR))
		assert_ok(ipaddr_parse("fd00::1", &v6));
	assert_ok(topology_locators(&organisation, &place, &v4, &v6, &a.locators));
	return a;
}

static const struct {
	const char *what;
	uint32_t a, b;
	int families_a, families_b;
	enum format send;
	uint32_t accept;
	bool over_v6;
	uint32_t overhead;
} rows[] = {
	{"all on both", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V6, V6, FORMAT_SIIT_2, S2 | IP, false,
	 40},
	{"highest common version", S1 | S2 | IP, S1 | IP, V6, V6, FORMAT_SIIT_1, S1 | IP, false,
	 40},
	{"siit before vxlan", S1 | VX, S1 | VX, V6 | V4, V6 | V4, FORMAT_SIIT_1, S1, false, 20},
	{"no ipip6 on one", S2 | IP, S2, V6, V6, FORMAT_SIIT_2, S2, false, 20},
	{"no common siit: vxlan", S1 | VX, S2 | VX, V6, V6, FORMAT_VXLAN_1, VX, true, 70},
	{"one does not fit siit/2", S1 | S2 | IP, S1 | S2 | IP, V6, V6_FAR, FORMAT_SIIT_1, S1 | IP,
	 false, 40},
	{"IPv4 only", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V4, V4, FORMAT_VXLAN_1, VX, false, 50},
	{"one IPv4 only, one both", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V4, V4 | V6,
	 FORMAT_VXLAN_1, VX, false, 50},
	{"no address family in common", VX, VX, V4, V6, FORMAT_NONE, 0, false, 0},
	{"nothing in common", S1 | IP, VX, V6, V6, FORMAT_NONE, 0, false, 0},
	{"vxlan before geneve: it is shorter", VX | G1 | G2, VX | G1 | G2, V4, V4, FORMAT_VXLAN_1,
	 VX, false, 50},
	{"the higher geneve", G1 | G2, VX | G1 | G2, V4, V4, FORMAT_GENEVE_2, G2, false,
	 20 + 8 + 8 + 16 + 14},
	{"the common geneve", VX | G1, G1 | G2, V4, V4, FORMAT_GENEVE_1, G1, false,
	 20 + 8 + 8 + 12 + 14},
	{"geneve/2 over IPv6", G1 | G2, G2, V6, V6, FORMAT_GENEVE_2, G2, true,
	 40 + 8 + 8 + 16 + 14},
	{"geneve/1 over IPv6", G1, G1 | G2, V6, V6, FORMAT_GENEVE_1, G1, true,
	 40 + 8 + 8 + 12 + 14},
	{"geneve without a family in common", G1 | G2, G1 | G2, V4, V6, FORMAT_NONE, 0, false, 0},
	{"ipip6 alone is nothing", IP, IP, V6, V6, FORMAT_NONE, 0, false, 0},
	{"no probe yet", 0, S1 | S2 | IP | VX, V6, V6, FORMAT_NONE, 0, false, 0},
};

/* requirement: NEG-2 */
static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ability a = make(rows[i].a, rows[i].families_a, 1500);
		struct ability b = make(rows[i].b, rows[i].families_b, 9000);
		struct wish w;

		negotiate(&a, "h1", &b, "h2", NULL, &w);
		if (w.send != rows[i].send || w.formats != rows[i].accept ||
		    w.outer_v6 != rows[i].over_v6 || w.overhead != rows[i].overhead)
			fail_msg("%s: %s, formats %x, overhead %u (%s)", rows[i].what,
				 format_name(w.send), w.formats, w.overhead, w.reason);
		assert_int_equal(w.path_mtu, 1500);
	}
}

/* requirement: NEG-7 */
static void test_no_choice_names_what_each_has(void **state)
{
	struct ability a = make(S1 | IP, V6, 1500), b = make(VX, V4, 1500);
	struct wish w;

	negotiate(&a, "left", &b, "right", NULL, &w);
	assert_int_equal(w.send, FORMAT_NONE);
	assert_string_equal(w.reason, "no format in common: left has siit/1, ipip6/1 (IPv6), "
				      "right has vxlan/1 (IPv4)");
	a = make(S2, V6, 1500), b = make(S2, V6, 1500);
	a.features = FEATURE_BIT(FEATURE_CRYPT_1);
	b.required_features = FEATURE_BIT(FEATURE_CRYPT_2);
	b.features = FEATURE_BIT(FEATURE_CRYPT_2) | FEATURE_BIT(FEATURE_LZ4_1);
	negotiate(&a, "left", &b, "right", NULL, &w);
	assert_int_equal(w.send, FORMAT_NONE);
	assert_string_equal(w.reason, "no crypt in common, which right requires: left has crypt/1, "
				      "right has crypt/2, lz4/1");
	b.fault = "its report is upside down";
	b.formats = 0;
	negotiate(&a, "left", &b, "right", NULL, &w);
	assert_string_equal(w.reason, "no format in common: left has siit/2 (IPv6), "
				      "right has nothing: its report is upside down");
}

/* requirement: NEG-3, NEG-7 */
static void test_policies_are_named(void **state)
{
	struct ability a = make(S1 | S2 | VX, V4 | V6, 1500), b = a;
	struct demand d = {.cut_formats = S2};
	struct wish w;

	d.format_cut_by[FORMAT_SIIT_2] = (struct policy_ref){0x1a, "old"};
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_SIIT_1);
	assert_int_equal(w.policy.id, 0x1a);
	assert_non_null(strstr(w.reason, "siit/2 is taken away by np-0000000000000001a (old)"));
	d.pin_formats = (struct demand_list){.policy = {0x2b, "pinned"}, .n = 1, .masks = {S2}};
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_NONE);
	assert_int_equal(w.policy.id, 0x2b);
	assert_non_null(
		strstr(w.reason, "no format in common of those pinned by np-0000000000000002b"));
	assert_non_null(strstr(w.reason, "siit/2 is taken away by np-0000000000000001a (old)"));
	d.pin_formats.masks[0] = VX;
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_VXLAN_1);
	assert_non_null(strstr(w.reason, "vxlan/1: pinned by np-0000000000000002b (pinned)"));
}

/* What carries the source's network is taken between networks, and what is not sealed gives way
 * where something has to be. */
/* requirement: NEG-2, NEG-3, NEG-7, PKT-3 */
static void test_geneve(void **state)
{
	struct ability a = make(VX | G1 | G2, V4, 1500), b = a;
	struct demand d = {.joins = true};
	struct wish w;

	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_GENEVE_2);
	d = (struct demand){.pin_formats = {{0x2b, "pinned"}, 1, {G1}}};
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_GENEVE_1);
	a.features = b.features = FEATURE_BIT(FEATURE_CRYPT_1);
	d.prefer_features[FEATURE_CRYPT] = (struct demand_list){
		.policy = {0x3c, "preferred"}, .n = 1, .masks = {FEATURE_BIT(FEATURE_CRYPT_1)}};
	negotiate(&a, "h1", &b, "h2", &d, &w); /* a preference gives way */
	assert_int_equal(w.send, FORMAT_GENEVE_1);
	assert_int_equal(w.features, 0);
	d.required_features = FEATURE_BIT(FEATURE_CRYPT_1);
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_NONE);
	assert_non_null(strstr(w.reason, "no format in common that goes sealed of those pinned by "
					 "np-0000000000000002b (pinned)"));
	d.pin_formats.n = 0;
	d.prefer_formats =
		(struct demand_list){.policy = {0x2b, "preferred"}, .n = 1, .masks = {G1}};
	negotiate(&a, "h1", &b, "h2", &d, &w);
	assert_int_equal(w.send, FORMAT_VXLAN_1);
	assert_int_equal(w.features, FEATURE_BIT(FEATURE_CRYPT_1));
}

/* ---- against a plain reference ---- */

/* Smaller is better; -1: not allowed. */
static int rank_format(enum format f, const struct ability *a, const struct ability *b,
		       const struct demand *d)
{
	static const int order[FORMAT_MAX] = {[FORMAT_SIIT_2] = 1,
					      [FORMAT_SIIT_1] = 2,
					      [FORMAT_VXLAN_1] = 3,
					      [FORMAT_GENEVE_2] = 4,
					      [FORMAT_GENEVE_1] = 5};
	uint32_t bit = FORMAT_BIT(f);

	if (!order[f] || !(a->formats & bit) || !(b->formats & bit) || d->cut_formats & bit)
		return -1;
	if (f == FORMAT_SIIT_1 && (!a->locators.siit1.len || !b->locators.siit1.len))
		return -1;
	if (f == FORMAT_SIIT_2 && (!a->locators.siit2.len || !b->locators.siit2.len))
		return -1;
	if (f == FORMAT_VXLAN_1 && d->joins)
		return -1;
	if (FORMAT_BIT(f) & (VX | G1 | G2) &&
	    (ipaddr_is_zero(&a->locators.v4) || ipaddr_is_zero(&b->locators.v4)) &&
	    (ipaddr_is_zero(&a->locators.v6) || ipaddr_is_zero(&b->locators.v6)))
		return -1;
	for (uint32_t i = 0; i < d->pin_formats.n; i++)
		if (d->pin_formats.masks[i] & bit)
			return (int)i * 10 + order[f];
	if (d->pin_formats.n)
		return -1;
	for (uint32_t i = 0; i < d->prefer_formats.n; i++)
		if (d->prefer_formats.masks[i] & bit)
			return (int)i * 10 + order[f];
	return 1000 + order[f];
}

/* Of those in 'among'. */
static enum format best_format(const struct ability *a, const struct ability *b,
			       const struct demand *d, uint32_t among)
{
	enum format best = FORMAT_NONE;
	int best_rank = 10000;

	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++) {
		int rank = among & FORMAT_BIT(f) ? rank_format(f, a, b, d) : -1;

		if (rank >= 0 && rank < best_rank) {
			best = f;
			best_rank = rank;
		}
	}
	return best;
}

/* What features of those in 'among' are used, or UINT32_MAX: one that is needed is missing. */
static uint32_t best_features(const struct ability *a, const struct ability *b,
			      const struct demand *d, uint32_t among)
{
	static const uint32_t frameworks[FEATURE_FRAMEWORKS] = {[FEATURE_CRYPT] = 0x3,
								[FEATURE_INTEGRITY] = 0x4,
								[FEATURE_LZ4] = 0x8,
								[FEATURE_RATE] = 0x10};
	uint32_t have = a->features & b->features & ~d->cut_features & among, used = 0;
	uint32_t needed = a->required_features | b->required_features | d->required_features;

	for (int f = 0; f < FEATURE_FRAMEWORKS; f++) {
		const struct demand_list *l =
			d->pin_features[f].n ? &d->pin_features[f] : &d->prefer_features[f];
		uint32_t mine = 0;

		if (f == FEATURE_INTEGRITY && used & 0x3)
			continue;
		for (uint32_t i = 0; i < l->n && !mine; i++)
			mine = have & l->masks[i] & frameworks[f];
		if (!mine && !d->pin_features[f].n && needed & frameworks[f])
			mine = have & frameworks[f];
		if (!mine && (d->pin_features[f].n || needed & frameworks[f]))
			return UINT32_MAX;
		if (mine)
			used |= mine & 0x2 ? 0x2 : mine; /* of crypt the higher */
	}
	return used;
}

/* What is used; geneve goes unsealed. */
static enum format best(const struct ability *a, const struct ability *b, const struct demand *d,
			uint32_t *ret_features)
{
	enum format f = best_format(a, b, d, UINT32_MAX), other;

	*ret_features = best_features(a, b, d, UINT32_MAX);
	if (f >= FORMAT_GENEVE_1 && *ret_features != UINT32_MAX && *ret_features & 0xf) {
		other = best_format(a, b, d, ~(G1 | G2));
		if (other == FORMAT_NONE)
			*ret_features = best_features(a, b, d, ~0xfU);
		else
			f = other;
	}
	if (f != FORMAT_NONE && *ret_features != UINT32_MAX)
		return f;
	*ret_features = 0;
	return FORMAT_NONE;
}

static uint32_t seed = 1;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* reip4 needs ranges of labels, which these have not. */
static uint32_t roll_formats(void)
{
	return (dice(32) & ~1U) | (dice(3) ? dice(4) << FORMAT_GENEVE_1 : 0);
}

static void roll_list(struct demand_list *l, const uint32_t *masks, uint32_t n_masks,
		      uint64_t policy)
{
	l->n = dice(3);
	l->policy = (struct policy_ref){policy, "p"};
	for (uint32_t i = 0; i < l->n; i++)
		l->masks[i] = masks[dice(n_masks)];
}

static void roll_demand(struct demand *d)
{
	static const uint32_t formats[] = {S1, S2, S1 | S2, VX, G1, G1 | G2};
	static const uint32_t features[FEATURE_FRAMEWORKS][3] = {
		{1, 2, 3}, {4, 4, 4}, {8, 8, 8}, {16, 16, 16}};

	*d = (struct demand){.joins = !dice(4), .inferred = !dice(4)};
	d->cut_formats = dice(2) ? roll_formats() : 0;
	d->cut_features = dice(2) ? dice(32) : 0;
	d->required_features = dice(2) ? dice(32) : 0;
	for (enum format f = 0; f < FORMAT_MAX; f++)
		d->format_cut_by[f] = (struct policy_ref){0x100 + f, "cuts"};
	for (enum feature f = 0; f < FEATURE_MAX; f++)
		d->feature_cut_by[f] = (struct policy_ref){0x200 + f, "cuts"};
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++)
		d->required_by[f] = (struct policy_ref){0x300 + f, "requires"};
	if (!dice(3))
		roll_list(&d->pin_formats, formats, ARRAY_SIZE(formats), 0x400);
	if (!dice(2))
		roll_list(&d->prefer_formats, formats, ARRAY_SIZE(formats), 0x401);
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		if (!dice(4))
			roll_list(&d->pin_features[f], features[f], 3, 0x402);
		if (!dice(2))
			roll_list(&d->prefer_features[f], features[f], 3, 0x403);
	}
}

static void check_against_reference(const struct ability *a, const struct ability *b,
				    const struct demand *d)
{
	static const struct demand nothing;
	struct wish ab, ba, quick;
	uint32_t features;
	enum format f = best(a, b, d ? d : &nothing, &features);

	negotiate(a, "left", b, "right", d, &ab);
	negotiate(b, "right", a, "left", d, &ba);
	negotiate_quickly(a, b, d, &quick);
	assert_int_equal(ab.send, f);
	assert_int_equal(ab.features, features);
	/* the same whoever asks */
	assert_int_equal(ba.send, f);
	assert_int_equal(ba.features, features);
	assert_int_equal(ba.formats, ab.formats);
	assert_int_equal(ba.overhead, ab.overhead);
	assert_int_equal(ba.policy.id, ab.policy.id);
	assert_int_equal(ba.permitted_features, ab.permitted_features);
	assert_int_equal(ab.path_mtu, 1400);
	assert_int_equal(quick.send, ab.send);
	assert_int_equal(quick.overhead, ab.overhead);
	assert_int_equal(quick.policy.id, ab.policy.id);
	/* only what both have and nobody took away */
	assert_int_equal(ab.formats & ~(a->formats & b->formats), 0);
	assert_int_equal(ab.features & ~(a->features & b->features), 0);
	assert_int_equal(d ? ab.formats & d->cut_formats : 0, 0);
	assert_int_equal(d ? ab.features & d->cut_features : 0, 0);
	assert_true(f == FORMAT_NONE ? !ab.formats : ab.formats & FORMAT_BIT(f));
	assert_false(ab.features & FEATURES_CRYPT &&
		     ab.features & FEATURE_BIT(FEATURE_INTEGRITY_1));
	/* and it says why */
	if (f != FORMAT_NONE)
		assert_ptr_equal(strstr(ab.reason, format_name(f)), ab.reason);
	else
		assert_non_null(strstr(ab.reason, "in common"));
	if (ab.policy.id) {
		char id[ID_TEXT_SIZE];

		if (strlen(ab.reason) + 1 < sizeof(ab.reason))
			assert_non_null(
				strstr(ab.reason, id_text_prefixed("np-", ab.policy.id, id)));
	}
}

/* requirement: NEG-2, NEG-3, NEG-7 */
static void test_any_abilities(void **state)
{
	const int families[] = {V4, V6, V4 | V6, V6_FAR, V4 | V6_FAR};

	for (uint32_t n = 0; n < 32 * 32 * 25; n++) {
		struct ability a = make(n % 32 & ~1U, families[n / 1024 % 5], 1500);
		struct ability b = make(n / 32 % 32 & ~1U, families[n / 1024 / 5], 1400);

		check_against_reference(&a, &b, NULL);
	}
}

/* requirement: NEG-2, NEG-3, NEG-7 */
static void test_any_abilities_and_demands(void **state)
{
	const int families[] = {V4, V6, V4 | V6, V6_FAR, V4 | V6_FAR};

	for (uint32_t n = 0; n < 200000; n++) {
		struct ability a = make(roll_formats(), families[dice(5)], 1500);
		struct ability b = make(roll_formats(), families[dice(5)], 1400);
		struct demand d;

		a.features = dice(32) | dice(32);
		b.features = dice(32) | dice(32);
		a.required_features = dice(3) ? 0 : dice(32);
		b.required_features = dice(3) ? 0 : dice(32);
		roll_demand(&d);
		check_against_reference(&a, &b, &d);
	}
}

/* requirement: NEG-2 */
static void test_versions(void **state)
{
	const struct version a[] = {{1, 0}, {1, 1}, {3, 0}}, b[] = {{2, 0}, {1, 1}, {1, 0}};
	const struct version high[] = {{2, 0}, {10, 0}, {9, 99}};
	struct version v = {7, 7};

	assert_true(negotiate_version(a, 3, b, 3, &v));
	assert_int_equal(v.major, 1);
	assert_int_equal(v.minor, 1);
	assert_true(negotiate_version(high, 3, high, 3, &v));
	assert_int_equal(v.major, 10);
	v = (struct version){7, 7};
	assert_false(negotiate_version(&a[2], 1, b, 3, &v));
	assert_false(negotiate_version(a, 0, b, 3, &v));
	assert_int_equal(v.major, 7);
}

static void test_names(void **state)
{
	char text[FORMAT_LIST_SIZE], features[FEATURE_LIST_SIZE];
	uint32_t f, x;

	assert_string_equal(format_name(FORMAT_SIIT_2), "siit/2");
	assert_string_equal(format_name(FORMAT_NONE), "none");
	assert_string_equal(format_name(FORMAT_MAX), "unknown");
	assert_string_equal(format_list(S1 | S2 | IP | VX, text),
			    "siit/1, siit/2, ipip6/1, vxlan/1");
	assert_string_equal(format_list(0, text), "nothing");
	assert_string_equal(feature_list(0x1f, features),
			    "crypt/1, crypt/2, integrity/1, lz4/1, rate/1");
	assert_ok(ability_parse("siit", &f, &x));
	assert_int_equal(f, S1 | S2);
	assert_int_equal(x, 0);
	assert_ok(ability_parse("ipip6/1", &f, &x));
	assert_int_equal(f, IP);
	assert_ok(ability_parse("crypt/2", &f, &x));
	assert_int_equal(x, FEATURE_BIT(FEATURE_CRYPT_2));
	assert_int_equal(f, 0);
	for (size_t i = 0; i < 6; i++)
		assert_error(ability_parse(
				     (const char *[]){"", "sii", "siit/", "siit/3", "none", "/"}[i],
				     &f, &x),
			     EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_choice_names_what_each_has),
		cmocka_unit_test(test_policies_are_named),
		cmocka_unit_test(test_geneve),
		cmocka_unit_test(test_any_abilities),
		cmocka_unit_test(test_any_abilities_and_demands),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
