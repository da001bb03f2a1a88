/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance's tags say about its place.  See placement.h.
 */
#include "base/str.h"
#include "model/capability.h"
#include "model/placement.h"

const char *placement_strategy_text(enum placement_strategy s)
{
	static const char *const texts[PLACEMENT_STRATEGY_MAX] = {
		[PLACEMENT_LEAST_LOADED] = "least-loaded",
		[PLACEMENT_ROUND_ROBIN] = "round-robin",
	};

	return s < PLACEMENT_STRATEGY_MAX ? texts[s] : NULL;
}

int placement_strategy_parse(const char *text, enum placement_strategy *ret)
{
	for (enum placement_strategy s = PLACEMENT_USUAL; s < PLACEMENT_STRATEGY_MAX; s++) {
		if (!placement_strategy_text(s) || !str_equal(text, placement_strategy_text(s)))
			continue;
		*ret = s;
		return 0;
	}
	return -EINVAL;
}

static int read_cost(const char *text, uint32_t *ret, struct refusal *reterr)
{
	if (!str_u32(text, 0, UINT32_MAX, ret))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, text, PLACEMENT_TAG_MAX_COST, "It is a number.");
}

static int read_strategy(const char *text, enum placement_strategy *ret, struct refusal *reterr)
{
	if (!placement_strategy_parse(text, ret))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, text, PLACEMENT_TAG_STRATEGY,
		      "It is least-loaded or round-robin.");
}

static int check_names(const char *key, const char *text, struct refusal *reterr)
{
	const char *list = text, *name;
	size_t length;

	if (capability_next(&list, &name, &length))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, text, key, "It names nothing.");
}

int placement_check_tag(const char *key, const char *value, struct refusal *reterr)
{
	enum placement_strategy strategy;
	uint32_t cost;

	if (str_equal(key, PLACEMENT_TAG_MAX_COST))
		return read_cost(value, &cost, reterr);
	if (str_equal(key, PLACEMENT_TAG_STRATEGY))
		return read_strategy(value, &strategy, reterr);
	if (str_equal(key, PLACEMENT_TAG_REQUIRE) || str_equal(key, PLACEMENT_TAG_DESIRE) ||
	    str_equal(key, PLACEMENT_TAG_NEAR))
		return check_names(key, value, reterr);
	return 0;
}

int placement_read_tags(struct placement_request *r, const struct object *tagged,
			struct refusal *reterr)
{
	const char *cost = object_tag(tagged, PLACEMENT_TAG_MAX_COST);
	const char *strategy = object_tag(tagged, PLACEMENT_TAG_STRATEGY);
	int ret = cost ? read_cost(cost, &r->max_cost, reterr) : 0;

	r->require = object_tag(tagged, PLACEMENT_TAG_REQUIRE);
	r->desire = object_tag(tagged, PLACEMENT_TAG_DESIRE);
	r->near = object_tag(tagged, PLACEMENT_TAG_NEAR);
	r->limits_cost = cost;
	if (!ret && strategy)
		ret = read_strategy(strategy, &r->strategy, reterr);
	return ret;
}
