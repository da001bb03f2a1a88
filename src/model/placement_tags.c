/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance's tags say about its place.  See placement.h.
 */
#include "base/str.h"
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

int placement_read_tags(struct placement_request *r, const struct object *tagged,
			struct refusal *reterr)
{
	const char *cost = object_tag(tagged, PLACEMENT_TAG_MAX_COST);
	const char *strategy = object_tag(tagged, PLACEMENT_TAG_STRATEGY);

	r->require = object_tag(tagged, PLACEMENT_TAG_REQUIRE);
	r->desire = object_tag(tagged, PLACEMENT_TAG_DESIRE);
	r->near = object_tag(tagged, PLACEMENT_TAG_NEAR);
	if (cost && str_u32(cost, 0, UINT32_MAX, &r->max_cost))
		return refuse(reterr, MODEL_E_VALUE, cost, PLACEMENT_TAG_MAX_COST,
			      "It is a number.");
	r->limits_cost = cost;
	if (strategy && placement_strategy_parse(strategy, &r->strategy))
		return refuse(reterr, MODEL_E_VALUE, strategy, PLACEMENT_TAG_STRATEGY,
			      "It is least-loaded or round-robin.");
	return 0;
}
