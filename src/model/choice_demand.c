/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy demands, beside those before it.  See choice_demand.h.
 */
#include "model/choice_demand.h"

static struct policy_ref ref_of(const struct choice_policy *p)
{
	return (struct policy_ref){p->id, p->name};
}

static void cut(struct demand *d, const struct choice_policy *p, uint32_t formats,
		uint32_t features)
{
	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (formats & ~d->cut_formats & FORMAT_BIT(f))
			d->format_cut_by[f] = ref_of(p);
	for (enum feature f = 0; f < FEATURE_MAX; f++)
		if (features & ~d->cut_features & FEATURE_BIT(f))
			d->feature_cut_by[f] = ref_of(p);
	d->cut_formats |= formats;
	d->cut_features |= features;
}

static void all_of(const struct choice_policy *p, uint32_t *ret_formats, uint32_t *ret_features)
{
	*ret_formats = *ret_features = 0;
	for (uint32_t i = 0; i < p->n_masks; i++) {
		*ret_formats |= p->formats[i];
		*ret_features |= p->features[i];
	}
}

static struct demand_rate rate_of(const struct choice_policy *p)
{
	return (struct demand_rate){p->rate_bits, p->rate_burst};
}

static void forbid(struct demand *d, const struct choice_policy *p)
{
	uint32_t formats, features;

	all_of(p, &formats, &features);
	cut(d, p, formats, features);
}

/* Of the formats those that are named are left, of a feature that is named the named versions. */
static void require(struct demand *d, const struct choice_policy *p)
{
	uint32_t formats, features, any = 0, rest = 0;

	all_of(p, &formats, &features);
	for (enum framework f = 0; f < FRAMEWORK_MAX; f++)
		any |= framework_formats(f);
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++) {
		uint32_t versions = framework_features(f);

		if (!(features & versions))
			continue;
		rest |= versions & ~features;
		if (!(d->required_features & versions))
			d->required_by[f] = ref_of(p);
		d->required_features |= versions;
	}
	d->required_rate = demand_rate_least(d->required_rate, rate_of(p));
	cut(d, p, formats ? any & ~formats : 0, rest);
}

static void list(struct demand_list *l, const struct choice_policy *p, const uint32_t *masks,
		 uint32_t of)
{
	if (l->n)
		return; /* a more specific one has spoken */
	for (uint32_t i = 0; i < p->n_masks; i++)
		if (masks[i] & of)
			l->masks[l->n++] = masks[i] & of;
	if (!l->n)
		return;
	l->policy = ref_of(p);
	l->rate = rate_of(p);
}

static void order(struct demand_list *formats,
		  struct demand_list features[static FEATURE_FRAMEWORKS],
		  const struct choice_policy *p)
{
	list(formats, p, p->formats, UINT32_MAX);
	for (enum feature_framework f = 0; f < FEATURE_FRAMEWORKS; f++)
		list(&features[f], p, p->features, framework_features(f));
}

void choice_demand_add(struct demand *d, const struct choice_policy *p)
{
	d->inferred |= p->source_only;
	switch (p->effect) {
	case CHOICE_FORBID:
		forbid(d, p);
		break;
	case CHOICE_REQUIRE:
		require(d, p);
		break;
	case CHOICE_PREFER:
		order(&d->prefer_formats, d->prefer_features, p);
		break;
	case CHOICE_PIN:
		order(&d->pin_formats, d->pin_features, p);
		break;
	}
}
