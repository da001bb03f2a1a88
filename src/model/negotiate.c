/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice for one direction between two hosts.  See negotiate.h; the sentences are in
 * negotiate_reason.c.
 */
#include "model/negotiate.h"

#include <string.h>

#include "abi/geneve.h"
#include "abi/substrate.h"
#include "model/negotiate_reason.h"

static const struct demand nothing;

static bool both_have(const struct ipaddr *a, const struct ipaddr *b)
{
	return !ipaddr_is_zero(a) && !ipaddr_is_zero(b);
}

/* The formats that both can use towards each other, before policies. */
static uint32_t common(const struct ability *a, const struct ability *b, bool *ret_v6)
{
	uint32_t formats = ability_usable(a) & ability_usable(b);
	bool v4 = both_have(&a->locators.v4, &b->locators.v4);
	bool v6 = both_have(&a->locators.v6, &b->locators.v6);

	if (!v4 && !v6)
		formats &= ~(uint32_t)FORMATS_TUNNEL;
	*ret_v6 = v6 && !v4; /* over IPv4 a packet is 20 bytes shorter */
	return formats;
}

/* ---- the format ---- */

static enum format highest(uint32_t formats)
{
	for (enum framework f = 0; f < FRAMEWORK_MAX; f++) {
		enum format best = format_highest(f, formats, formats);

		if (best != FORMAT_NONE)
			return best;
	}
	return FORMAT_NONE;
}

/* The first of the list that is there, and of it the highest version. */
static enum format first_of(const struct demand_list *l, uint32_t formats)
{
	for (uint32_t i = 0; i < l->n; i++) {
		enum format best = highest(formats & l->masks[i]);

		if (best != FORMAT_NONE)
			return best;
	}
	return FORMAT_NONE;
}

static uint32_t eligible(uint32_t formats, bool joins)
{
	for (enum format f = FORMAT_NONE + 1; joins && f < FORMAT_MAX; f++)
		if (f != FORMAT_IPIP6_1 && !format_joins_networks(f))
			formats &= ~FORMAT_BIT(f);
	return formats;
}

static uint32_t union_of(const struct demand_list *l)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < l->n; i++)
		all |= l->masks[i];
	return all;
}

/* What policies leave of what both have, to a receiver that has to infer what is used. */
static void permit(struct wish *w, const struct demand *d)
{
	if (d->pin_formats.n)
		w->permitted_formats &= union_of(&d->pin_formats) | FORMAT_BIT(FORMAT_IPIP6_1);
	/* with what goes beside the one that is chosen */
	w->permitted_formats = eligible(w->permitted_formats, d->joins) | w->formats;
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		if (!d->pin_features[f].n)
			continue;
		w->permitted_features &= ~framework_features(f) | union_of(&d->pin_features[f]);
		w->required_features |= framework_features(f);
	}
}

static enum format choose_format(const struct demand *d, uint32_t formats,
				 struct policy_ref *ret_policy)
{
	enum format f;

	formats = eligible(formats, d->joins);
	if (d->pin_formats.n) {
		*ret_policy = d->pin_formats.policy;
		return first_of(&d->pin_formats, formats);
	}
	f = first_of(&d->prefer_formats, formats);
	if (f != FORMAT_NONE)
		*ret_policy = d->prefer_formats.policy;
	return f != FORMAT_NONE ? f : highest(formats);
}

/* ipip6 carries, packet by packet, what siit cannot; vxlan, inside a network, what reip4 cannot. */
static uint32_t with_companion(enum format f, uint32_t formats, bool joins)
{
	uint32_t vxlan = joins ? 0 : FORMAT_BIT(FORMAT_VXLAN_1);

	if (f == FORMAT_NONE)
		return 0;
	if (f == FORMAT_REIP4_1)
		return FORMAT_BIT(f) | (formats & vxlan);
	if (!(FORMAT_BIT(f) & framework_formats(FRAMEWORK_SIIT)))
		return FORMAT_BIT(f);
	return FORMAT_BIT(f) | (formats & FORMAT_BIT(FORMAT_IPIP6_1));
}

/* ---- the features ---- */

static enum feature first_feature(enum feature_framework f, const struct demand_list *l,
				  uint32_t features)
{
	for (uint32_t i = 0; i < l->n; i++) {
		enum feature best = feature_highest(f, features & l->masks[i], features);

		if (best != FEATURE_MAX)
			return best;
	}
	return FEATURE_MAX;
}

/* Of one framework: FEATURE_MAX for none; false: what has to be used is not there. */
static bool choose_feature(enum feature_framework f, const struct demand *d, uint32_t required,
			   uint32_t features, enum feature *ret)
{
	bool needed = required & framework_features(f);

	if (d->pin_features[f].n) {
		*ret = first_feature(f, &d->pin_features[f], features);
		return *ret != FEATURE_MAX;
	}
	*ret = first_feature(f, &d->prefer_features[f], features);
	if (*ret == FEATURE_MAX && needed)
		*ret = feature_highest(f, features, features);
	return *ret != FEATURE_MAX || !needed;
}

/* Encryption has integrity already: where both are wanted it is used alone, and where it is left,
 * it is enough. */
static bool choose_features(const struct demand *d, struct wish *w,
			    enum feature_framework *ret_missing)
{
	uint32_t features = w->permitted_features;
	bool sealed = false;

	w->features = 0;
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		enum feature chosen;

		if (f == FEATURE_INTEGRITY && sealed)
			continue;
		if (!choose_feature(f, d, w->required_features, features, &chosen)) {
			*ret_missing = f;
			return false;
		}
		if (chosen == FEATURE_MAX)
			continue;
		w->features |= FEATURE_BIT(chosen);
		sealed |= f == FEATURE_CRYPT;
	}
	return true;
}

static uint32_t overhead_of(const struct wish *w)
{
	uint32_t overhead = w->formats & FORMAT_BIT(FORMAT_IPIP6_1) ? SUBSTRATE_OVERHEAD_IPIP6
								    : SUBSTRATE_OVERHEAD_SIIT;

	if (w->send == FORMAT_REIP4_1)
		overhead = 0;
	if (w->formats & FORMATS_TUNNEL)
		overhead = w->outer_v6 ? SUBSTRATE_OVERHEAD_VXLAN_V6 : SUBSTRATE_OVERHEAD_VXLAN_V4;
	if (w->send == FORMAT_GENEVE_1)
		overhead += GENEVE_OPTION_1_SIZE;
	if (w->send == FORMAT_GENEVE_2)
		overhead += GENEVE_OPTION_2_SIZE;
	if (w->features & FEATURES_PAYLOAD)
		overhead += w->outer_v6 ? SUBSTRATE_OVERHEAD_SEAL_V6 : SUBSTRATE_OVERHEAD_SEAL_V4;
	return overhead;
}

/* The policy that has a say in what is used of a framework, or in that nothing of it is left;
 * 'both' is what both have. */
static struct policy_ref feature_policy(const struct demand *d, enum feature_framework f,
					uint32_t used, uint32_t both)
{
	uint32_t versions = framework_features(f);

	if (d->pin_features[f].n)
		return d->pin_features[f].policy;
	if (union_of(&d->prefer_features[f]) & used)
		return d->prefer_features[f].policy;
	if (d->required_features & versions)
		return d->required_by[f];
	for (enum feature i = 0; i < FEATURE_MAX; i++)
		if (both & d->cut_features & versions & FEATURE_BIT(i))
			return d->feature_cut_by[i];
	return (struct policy_ref){0};
}

/* The first that took away a format that both have. */
static struct policy_ref cutting(const struct demand *d, uint32_t cut)
{
	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (cut & FORMAT_BIT(f))
			return d->format_cut_by[f];
	return (struct policy_ref){0};
}

/* Why nothing that is left goes sealed. */
static struct policy_ref unsealing(const struct demand *d, enum feature_framework f, uint32_t cut,
				   uint32_t both_features)
{
	struct policy_ref p =
		d->pin_formats.n ? d->pin_formats.policy : feature_policy(d, f, 0, both_features);

	return p.id ? p : cutting(d, cut);
}

/* The policy that is named as the one that decided, where no list of formats did: that of a feature
 * in use, else the first that took away a format that both have. */
static struct policy_ref deciding(const struct demand *d, const struct wish *w, uint32_t cut,
				  uint32_t both_features)
{
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		struct policy_ref p = feature_policy(d, f, w->features, both_features);

		if (w->features & framework_features(f) && p.id)
			return p;
	}
	return cutting(d, cut);
}

struct demand_rate demand_rate_least(struct demand_rate a, struct demand_rate b)
{
	if (!a.bits || !b.bits)
		return a.bits ? a : b;
	if (a.bits != b.bits)
		return a.bits < b.bits ? a : b;
	return a.burst < b.burst ? a : b;
}

/* What is pinned, or else preferred, is no way around what is required. */
static struct demand_rate rate_demanded(const struct demand *d)
{
	const struct demand_list *pin = &d->pin_features[FEATURE_RATE];

	return demand_rate_least(d->required_rate,
				 pin->n ? pin->rate : d->prefer_features[FEATURE_RATE].rate);
}

/* Fills in what follows from the format and features. */
static void complete(struct wish *w, const struct demand *d, bool v6)
{
	w->formats = with_companion(w->send, w->permitted_formats, d->joins);
	w->outer_v6 = v6 && (w->features & FEATURES_PAYLOAD ||
			     !(w->formats & framework_formats(FRAMEWORK_SIIT)));
	w->overhead = overhead_of(w);
	w->rate = w->features & FEATURE_BIT(FEATURE_RATE_1) ? rate_demanded(d)
							    : (struct demand_rate){0};
	w->inferred = d->inferred;
	permit(w, d);
}

/* What does not go sealed gives way to what does; where nothing does, sealing that is merely
 * preferred gives way to it.  False: sealing is demanded, by what of '*ret_demanded', and nothing
 * that is left goes sealed. */
static bool seal(const struct demand *d, struct wish *w, enum feature_framework *ret_demanded)
{
	uint32_t permitted = w->permitted_features;
	struct policy_ref policy = {0};
	enum format sealed;
	bool chosen;

	if (!(w->features & FEATURES_PAYLOAD) || !(FORMAT_BIT(w->send) & FORMATS_GENEVE))
		return true;
	sealed = choose_format(d, w->permitted_formats & ~(uint32_t)FORMATS_GENEVE, &policy);
	if (sealed != FORMAT_NONE) {
		w->send = sealed;
		w->policy = policy;
		return true;
	}
	w->permitted_features &= ~(uint32_t)FEATURES_PAYLOAD;
	chosen = choose_features(d, w, ret_demanded);
	w->permitted_features = permitted;
	return chosen;
}

static void decide(const struct ability *from, const struct ability *to, const struct demand *d,
		   struct wish *w, struct lack *ret_lack)
{
	bool v6;
	uint32_t formats = common(from, to, &v6), both_features = from->features & to->features;

	*w = (struct wish){.path_mtu = from->mtu < to->mtu ? from->mtu : to->mtu};
	*ret_lack = (struct lack){.feature = FEATURE_FRAMEWORKS};
	w->permitted_formats = formats & ~d->cut_formats;
	w->permitted_features = both_features & ~d->cut_features;
	w->required_features =
		from->required_features | to->required_features | d->required_features;
	w->send = choose_format(d, w->permitted_formats, &w->policy);
	ret_lack->formats = w->send == FORMAT_NONE;
	if (w->send != FORMAT_NONE && !choose_features(d, w, &ret_lack->feature)) {
		w->policy = feature_policy(d, ret_lack->feature, 0, both_features);
		w->send = FORMAT_NONE;
		w->features = 0;
		return;
	}
	if (!seal(d, w, &ret_lack->feature)) {
		ret_lack->unsealed = true;
		w->policy =
			unsealing(d, ret_lack->feature, formats & d->cut_formats, both_features);
		w->send = FORMAT_NONE;
		w->features = 0;
		return;
	}
	if (!w->policy.id)
		w->policy = deciding(d, w, formats & d->cut_formats, both_features);
	if (w->send != FORMAT_NONE)
		complete(w, d, v6);
}

bool wish_equal(const struct wish *a, const struct wish *b)
{
	return a->send == b->send && a->formats == b->formats && a->features == b->features &&
	       a->outer_v6 == b->outer_v6 && a->path_mtu == b->path_mtu &&
	       a->overhead == b->overhead && a->rate.bits == b->rate.bits &&
	       a->rate.burst == b->rate.burst && a->inferred == b->inferred &&
	       a->policy.id == b->policy.id && a->permitted_formats == b->permitted_formats &&
	       a->permitted_features == b->permitted_features &&
	       a->required_features == b->required_features;
}

void negotiate_quickly(const struct ability *from, const struct ability *to, const struct demand *d,
		       struct wish *ret)
{
	struct lack lack;

	decide(from, to, d ? d : &nothing, ret, &lack);
	ret->reason[0] = '\0';
}

void negotiate(const struct ability *from, const char *from_name, const struct ability *to,
	       const char *to_name, const struct demand *d, struct wish *ret)
{
	struct side sides[2] = {{from, from_name}, {to, to_name}};
	struct lack lack;

	decide(from, to, d ? d : &nothing, ret, &lack);
	negotiate_explain(&sides[0], &sides[1], d ? d : &nothing, &lack, ret);
}
