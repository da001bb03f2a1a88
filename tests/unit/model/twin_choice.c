/* SPDX-License-Identifier: Apache-2.0 */
/* See twin_choice.h. */
#include "tests/unit/model/twin_choice.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/choice_policy.h"
#include "model/host.h"
#include "model/vpc.h"
#include "tests/unit/test.h"

enum { POLICIES_MAX = 64, FEATURE_SETS = 1 << FEATURE_MAX, KEYS = FEATURE_FRAMEWORKS + 1 };

/* Of features: all versions of each framework, the highest first. */
static const uint32_t versions[FEATURE_FRAMEWORKS][2] = {
	[FEATURE_CRYPT] = {FEATURE_BIT(FEATURE_CRYPT_2), FEATURE_BIT(FEATURE_CRYPT_1)},
	[FEATURE_INTEGRITY] = {FEATURE_BIT(FEATURE_INTEGRITY_1)},
	[FEATURE_LZ4] = {FEATURE_BIT(FEATURE_LZ4_1)},
	[FEATURE_RATE] = {FEATURE_BIT(FEATURE_RATE_1)},
};
enum { CRYPT = FEATURE_BIT(FEATURE_CRYPT_1) | FEATURE_BIT(FEATURE_CRYPT_2) };

/* Of formats: the order in which they are preferred when no policy says another. */
static const enum format usual[] = {FORMAT_SIIT_2,  FORMAT_SIIT_1,   FORMAT_REIP4_1,
				    FORMAT_VXLAN_1, FORMAT_GENEVE_2, FORMAT_GENEVE_1};

/* What is asked about. */
struct question {
	const struct twin_end *from, *to;
	struct ability a, b;
	size_t n;
	/* that match, the most specific first */
	const struct choice_policy *policies[POLICIES_MAX];
};

/* ---- which policies match ---- */

static bool end_is(const struct twin_end *e, const struct choice_member *m)
{
	if (m->host && m->host != e->host->o.id)
		return false;
	if (m->vpc && m->vpc != e->vpc->o.id)
		return false;
	if (m->account && m->account != e->vpc->o.account)
		return false;
	for (size_t i = 0; i < m->n_labels; i++)
		if (!str_equal(object_tag(&e->host->o, m->labels[i].key), m->labels[i].value))
			return false;
	return true;
}

static bool is_in_environment(const struct twin_end *e, const char *environment)
{
	const char *network = e->vpc->environment ? e->vpc->environment
						  : object_tag(&e->vpc->o, "viaduct:environment");

	return str_equal(network, environment) ||
	       str_equal(object_tag(&e->host->o, "environment"), environment);
}

static bool holds(const struct choice_policy *p, const struct twin_end *one,
		  const struct twin_end *other)
{
	if (p->environment && !is_in_environment(one, p->environment))
		return false;
	if (p->interfaces[0] &&
	    (p->interfaces[0] != one->interface || p->interfaces[1] != other->interface))
		return false;
	return end_is(one, &p->one) && end_is(other, &p->other);
}

static bool matches(const struct choice_policy *p, const struct twin_end *from,
		    const struct twin_end *to)
{
	switch (p->direction) {
	case CHOICE_OUT:
		return holds(p, from, to);
	case CHOICE_IN:
		return holds(p, to, from);
	default:
		return holds(p, from, to) || holds(p, to, from);
	}
}

bool twin_matches(const struct model *m, uint64_t policy, const struct twin_end *from,
		  const struct twin_end *to)
{
	const struct object *o = model_get(m, KIND_CHOICE_POLICY, policy);

	return o && matches((const struct choice_policy *)o, from, to);
}

/* How many members of each rank it names, the highest rank first. */
static void ranks_of(const struct choice_policy *p, size_t ret[static 6])
{
	const struct choice_member *members[] = {&p->one, &p->other};

	memset(ret, 0, 6 * sizeof(*ret));
	ret[0] = p->interfaces[0] ? 1 : 0;
	for (size_t i = 0; i < 2; i++) {
		ret[1] += members[i]->host ? 1 : 0;
		ret[2] += members[i]->n_labels;
		ret[3] += members[i]->vpc ? 1 : 0;
		ret[4] += members[i]->account ? 1 : 0;
	}
	ret[5] = p->environment ? 1 : 0;
}

static int compare(const void *x, const void *y)
{
	const struct choice_policy *a = *(const struct choice_policy *const *)x;
	const struct choice_policy *b = *(const struct choice_policy *const *)y;
	size_t of_a[6], of_b[6];

	ranks_of(a, of_a);
	ranks_of(b, of_b);
	for (size_t i = 0; i < 6; i++)
		if (of_a[i] != of_b[i])
			return of_a[i] > of_b[i] ? -1 : 1;
	if (!a->o.account != !b->o.account)
		return a->o.account ? 1 : -1;
	return a->o.serial < b->o.serial ? -1 : 1;
}

static void ask(const struct model *m, const struct twin_end *from, const struct twin_end *to,
		struct question *q)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_POLICY);
	const struct object *o;

	*q = (struct question){from, to, ability_of(from->host), ability_of(to->host), 0, {NULL}};
	while ((o = model_iter_next(&it))) {
		if (!matches((const struct choice_policy *)o, from, to))
			continue;
		assert_true(q->n < POLICIES_MAX);
		q->policies[q->n++] = (const struct choice_policy *)o;
	}
	qsort(q->policies, q->n, sizeof(*q->policies), compare);
}

/* ---- what a policy names ---- */

/* Where in its list, -1: nowhere. */
static int position(const struct choice_policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_what; i++) {
		size_t n = strlen(p->what[i].text);

		if (!strncmp(p->what[i].text, name, n) && (!name[n] || name[n] == '/'))
			return (int)i;
	}
	return -1;
}

static int position_of_feature(const struct choice_policy *p, uint32_t bit)
{
	return position(p, feature_name((enum feature)__builtin_ctz(bit)));
}

static bool names_a_format(const struct choice_policy *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (position(p, format_name(usual[i])) >= 0)
			return true;
	return false;
}

static bool names_a_version(const struct choice_policy *p, int framework)
{
	for (size_t i = 0; i < 2; i++)
		if (versions[framework][i] && position_of_feature(p, versions[framework][i]) >= 0)
			return true;
	return false;
}

/* The most specific one with that effect that has a word about it; framework -1: about formats. */
static const struct choice_policy *decider(const struct question *q, enum choice_effect effect,
					   int framework)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->policies[i]->effect == effect &&
		    (framework < 0 ? names_a_format(q->policies[i])
				   : names_a_version(q->policies[i], framework)))
			return q->policies[i];
	return NULL;
}

/* ---- formats ---- */

static bool usable_by(const struct ability *a, enum format f)
{
	if (!(a->formats & FORMAT_BIT(f)))
		return false;
	switch (f) {
	case FORMAT_SIIT_1:
		return a->locators.siit1.len;
	case FORMAT_SIIT_2:
		return a->locators.siit2.len;
	case FORMAT_IPIP6_1:
		return usable_by(a, FORMAT_SIIT_1) || usable_by(a, FORMAT_SIIT_2);
	case FORMAT_REIP4_1:
		return a->locators.aliases.len && !ipaddr_is_zero(&a->locators.v4);
	default:
		return true;
	}
}

static bool usable(const struct question *q, enum format f)
{
	const struct locators *a = &q->a.locators, *b = &q->b.locators;

	if (!usable_by(&q->a, f) || !usable_by(&q->b, f))
		return false;
	if (f != FORMAT_VXLAN_1 && f != FORMAT_GENEVE_1 && f != FORMAT_GENEVE_2)
		return true;
	return (!ipaddr_is_zero(&a->v4) && !ipaddr_is_zero(&b->v4)) ||
	       (!ipaddr_is_zero(&a->v6) && !ipaddr_is_zero(&b->v6));
}

/* By those that forbid, and by those that require another one. */
static bool taken_away(const struct question *q, enum format f)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct choice_policy *p = q->policies[i];
		bool named = position(p, format_name(f)) >= 0;

		if (p->effect == CHOICE_FORBID && named)
			return true;
		if (p->effect == CHOICE_REQUIRE && f != FORMAT_IPIP6_1 && names_a_format(p) &&
		    !named)
			return true;
	}
	return false;
}

static bool is_left(const struct question *q, enum format f)
{
	return usable(q, f) && !taken_away(q, f);
}

static int usual_place(enum format f)
{
	int i = 0;

	while (usual[i] != f)
		i++;
	return i;
}

/* The smaller the better; -1: not allowed. */
static int rank_format(const struct question *q, enum format f)
{
	const struct choice_policy *pin = decider(q, CHOICE_PIN, -1),
				   *prefer = decider(q, CHOICE_PREFER, -1);
	const struct choice_policy *list = pin ? pin : prefer;
	int at = list ? position(list, format_name(f)) : -1;

	if (!is_left(q, f) || (f == FORMAT_VXLAN_1 && q->from->vpc != q->to->vpc) ||
	    (pin && at < 0))
		return -1;
	return (at < 0 ? 100 : at) * 10 + usual_place(f);
}

/* ---- features ---- */

static bool feature_is_left(const struct question *q, uint32_t bit, int framework)
{
	if (!(q->a.features & q->b.features & bit))
		return false;
	for (size_t i = 0; i < q->n; i++) {
		const struct choice_policy *p = q->policies[i];
		bool named = position_of_feature(p, bit) >= 0;

		if ((p->effect == CHOICE_FORBID && named) ||
		    (p->effect == CHOICE_REQUIRE && names_a_version(p, framework) && !named))
			return false;
	}
	return true;
}

static bool is_needed(const struct question *q, int framework)
{
	uint32_t all = versions[framework][0] | versions[framework][1];

	return (q->a.required_features | q->b.required_features) & all ||
	       decider(q, CHOICE_REQUIRE, framework) || decider(q, CHOICE_PIN, framework);
}

/* What a set has of one framework; the smaller the better, -1: not allowed. */
static int rank_features(const struct question *q, int framework, uint32_t set)
{
	const struct choice_policy *pin = decider(q, CHOICE_PIN, framework);
	const struct choice_policy *list = pin ? pin : decider(q, CHOICE_PREFER, framework);
	uint32_t mine = set & (versions[framework][0] | versions[framework][1]);
	int at;

	/* encryption does what integrity does */
	if (framework == FEATURE_INTEGRITY && set & CRYPT)
		return mine ? -1 : 0;
	if (!mine)
		return is_needed(q, framework) ? -1 : 10000;
	if (mine & (mine - 1) || !feature_is_left(q, mine, framework))
		return -1;
	at = list ? position_of_feature(list, mine) : -1;
	if (at < 0 && (pin || !is_needed(q, framework)))
		return -1;
	return (at < 0 ? 100 : at) * 10 + (mine != versions[framework][0]);
}

/* ---- the best ---- */

/* False: not allowed. */
static bool judge(const struct question *q, enum format f, uint32_t set, int keys[static KEYS])
{
	keys[FEATURE_FRAMEWORKS] = rank_format(q, f);
	for (int i = 0; i < FEATURE_FRAMEWORKS && keys[FEATURE_FRAMEWORKS] >= 0; i++)
		if ((keys[i] = rank_features(q, i, set)) < 0)
			return false;
	if ((f == FORMAT_GENEVE_1 || f == FORMAT_GENEVE_2) && set & FEATURES_PAYLOAD)
		return false; /* it is never sealed */
	return keys[FEATURE_FRAMEWORKS] >= 0;
}

static bool is_better(const int *a, const int *b)
{
	for (int i = 0; i < KEYS; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

static void find_best(const struct question *q, struct twin_choice *ret)
{
	int best[KEYS] = {0}, keys[KEYS];

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		for (uint32_t set = 0; set < FEATURE_SETS; set++) {
			if (!judge(q, usual[i], set, keys))
				continue;
			if (ret->send != FORMAT_NONE && !is_better(keys, best))
				continue;
			memcpy(best, keys, sizeof(best));
			ret->send = usual[i];
			ret->features = set;
		}
}

static uint32_t companions_of(const struct question *q, enum format f)
{
	if ((f == FORMAT_SIIT_1 || f == FORMAT_SIIT_2) && is_left(q, FORMAT_IPIP6_1))
		return FORMAT_BIT(FORMAT_IPIP6_1);
	if (f == FORMAT_REIP4_1 && is_left(q, FORMAT_VXLAN_1) && q->from->vpc == q->to->vpc)
		return FORMAT_BIT(FORMAT_VXLAN_1);
	return 0;
}

/* No more than the one that decides says, nor than any that requires. */
static struct demand_rate rate_of(const struct question *q)
{
	const struct choice_policy *named = decider(q, CHOICE_PIN, FEATURE_RATE);
	struct demand_rate rate = {0};

	if (!named)
		named = decider(q, CHOICE_PREFER, FEATURE_RATE);
	for (size_t i = 0; i < q->n; i++) {
		const struct choice_policy *p = q->policies[i];

		if (!p->rate_bits || (p != named && p->effect != CHOICE_REQUIRE))
			continue;
		if (!rate.bits || p->rate_bits < rate.bits ||
		    (p->rate_bits == rate.bits && p->rate_burst < rate.burst))
			rate = (struct demand_rate){p->rate_bits, p->rate_burst};
	}
	return rate;
}

struct twin_choice twin_choose_freely(const struct twin_end *from, const struct twin_end *to)
{
	struct question q = {from, to, ability_of(from->host), ability_of(to->host), 0, {NULL}};
	struct twin_choice ret = {.send = FORMAT_NONE};

	find_best(&q, &ret);
	return ret;
}

struct twin_choice twin_choose(const struct model *m, const struct twin_end *from,
			       const struct twin_end *to)
{
	struct twin_choice ret = {.send = FORMAT_NONE};
	struct question q;

	ask(m, from, to, &q);
	find_best(&q, &ret);
	ret.companions = companions_of(&q, ret.send);
	ret.n_policies = q.n;
	for (size_t i = 0; i < q.n; i++) {
		const struct choice_policy *p = q.policies[i];

		ret.inferred |= p->source_only;
	}
	if (ret.features & FEATURE_BIT(FEATURE_RATE_1))
		ret.rate = rate_of(&q);
	return ret;
}

static bool may_infer_feature(const struct question *q, uint32_t bit, int framework)
{
	const struct choice_policy *pin = decider(q, CHOICE_PIN, framework);

	return feature_is_left(q, bit, framework) && (!pin || position_of_feature(pin, bit) >= 0);
}

bool twin_may_infer(const struct model *m, const struct twin_end *from, const struct twin_end *to,
		    enum format f, uint32_t features)
{
	struct question q;
	bool sealed = features & (CRYPT | FEATURE_BIT(FEATURE_INTEGRITY_1));

	ask(m, from, to, &q);
	if (f == FORMAT_IPIP6_1 ? !is_left(&q, f) : rank_format(&q, f) < 0)
		return false;
	for (int i = FEATURE_CRYPT; i <= FEATURE_LZ4; i++)
		for (int k = 0; k < 2; k++)
			if (features & versions[i][k] && !may_infer_feature(&q, versions[i][k], i))
				return false;
	if (is_needed(&q, FEATURE_CRYPT) && !(features & CRYPT))
		return false;
	return sealed || !is_needed(&q, FEATURE_INTEGRITY);
}
