/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement groups.  See placement_group.h; what they mean for a place is in placement.c.
 */
#include "model/placement_group.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/instance.h"
#include "model/text.h"

const char *placement_group_strategy_text(enum placement_group_strategy s)
{
	switch (s) {
	case PLACEMENT_CLUSTER:
		return "cluster";
	case PLACEMENT_SPREAD:
		return "spread";
	case PLACEMENT_PARTITION:
		return "partition";
	}
	return NULL;
}

/* ---- finding ---- */

const struct placement_group *placement_group_named(const struct model *m, uint64_t account,
						    const char *name)
{
	struct model_iter it = model_iter_account(m, KIND_PLACEMENT_GROUP, account);
	const struct placement_group *g;

	while ((g = (const struct placement_group *)model_iter_next(&it)))
		if (str_equal(g->name, name))
			return g;
	return NULL;
}

int placement_group_find(const struct model *m, const struct caller *c, const char *id,
			 const struct placement_group **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!text_is_id("pg-", id))
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_MALFORMED, id);
	if (!id_parse(KIND_PLACEMENT_GROUP, id, &number))
		o = model_get(m, KIND_PLACEMENT_GROUP, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_NOT_FOUND, id);
	*ret = (const struct placement_group *)o;
	return 0;
}

static int find_either(const struct model *m, uint64_t account,
		       const struct placement_group_args *args, const struct placement_group **ret,
		       struct refusal *reterr)
{
	const struct caller owner = {.account = account};

	if (args->name && args->id)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A placement group is named by GroupName or by GroupId, not by both");
	if (args->id)
		return placement_group_find(m, &owner, args->id, ret, reterr);
	*ret = placement_group_named(m, account, args->name);
	return *ret ? 0 : refuse(reterr, MODEL_E_PLACEMENT_GROUP_UNKNOWN, args->name);
}

int placement_group_resolve(const struct model *m, uint64_t account,
			    const struct placement_group_args *args,
			    const struct placement_group **ret, uint32_t *ret_partition,
			    struct refusal *reterr)
{
	const struct placement_group *g = NULL;
	char number[16];
	int r = 0;

	if (args->name || args->id)
		r = find_either(m, account, args, &g, reterr);
	if (r)
		return r;
	if (args->partition && (!g || g->strategy != PLACEMENT_PARTITION))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A partition number needs a placement group of the strategy "
			      "'partition'");
	snprintf(number, sizeof(number), "%u", args->partition ? *args->partition : 0);
	if (args->partition && (!*args->partition || *args->partition > g->partitions))
		return refuse(reterr, MODEL_E_VALUE, number, "PartitionNumber",
			      "The placement group has no such partition.");
	*ret = g;
	*ret_partition = args->partition ? *args->partition : 0;
	return 0;
}

int placement_group_admit(const struct model *m, const struct placement_group *g, const char *zone,
			  struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_PLACEMENT_GROUP, g->o.id);
	const struct instance *n;
	size_t count = 0;

	if (g->strategy != PLACEMENT_SPREAD || g->by_host)
		return 0;
	while ((n = (const struct instance *)model_iter_next(&it)))
		count += n->state != INSTANCE_STOPPED && str_equal(n->zone, zone);
	return count < PLACEMENT_SPREAD_PER_ZONE
		       ? 0
		       : refuse(reterr, MODEL_E_PLACEMENT_GROUP_FULL, g->name, "7", zone);
}

/* ---- making ---- */

static int set_strategy(struct placement_group *g, const char *text, struct refusal *reterr)
{
	static const enum placement_group_strategy all[] = {PLACEMENT_CLUSTER, PLACEMENT_SPREAD,
							    PLACEMENT_PARTITION};

	g->strategy = text ? 0 : PLACEMENT_CLUSTER;
	for (size_t i = 0; text && i < ARRAY_SIZE(all); i++)
		if (str_equal(text, placement_group_strategy_text(all[i])))
			g->strategy = all[i];
	return g->strategy ? 0
			   : refuse(reterr, MODEL_E_VALUE, text, "strategy",
				    "It is cluster, spread or partition.");
}

static int set_partitions(struct placement_group *g, const uint32_t *n, struct refusal *reterr)
{
	char text[16];

	if (g->strategy != PLACEMENT_PARTITION)
		return n ? refuse(reterr, MODEL_E_COMBINATION,
				  "A partition count needs the strategy 'partition'")
			 : 0;
	g->partitions = n ? *n : PLACEMENT_PARTITIONS_USUAL;
	snprintf(text, sizeof(text), "%u", g->partitions);
	return g->partitions && g->partitions <= PLACEMENT_PARTITIONS_MAX
		       ? 0
		       : refuse(reterr, MODEL_E_VALUE, text, "partitionCount", "It is 1 to 7.");
}

static int set_spread_level(struct placement_group *g, const char *text, struct refusal *reterr)
{
	if (!text)
		return 0;
	if (g->strategy != PLACEMENT_SPREAD)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A spread level needs the strategy 'spread'");
	g->by_host = str_equal(text, "host");
	return g->by_host || str_equal(text, "rack")
		       ? 0
		       : refuse(reterr, MODEL_E_VALUE, text, "spreadLevel", "It is host or rack.");
}

static int check_name(const struct tx *tx, uint64_t account, const char *name,
		      struct refusal *reterr)
{
	if (!name || !name[0])
		return refuse(reterr, MODEL_E_MISSING, "GroupName");
	if (strlen(name) > LIMIT_MODEL_TEXT)
		return refuse(reterr, MODEL_E_VALUE, name, "groupName",
			      "It is longer than 255 characters.");
	if (placement_group_named(tx->m, account, name))
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_EXISTS, name);
	if (model_account_count(tx->m, KIND_PLACEMENT_GROUP, account) >=
	    LIMIT_MODEL_PLACEMENT_GROUPS)
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_LIMIT, "500");
	return 0;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct placement_group_create_args *args,
		     const struct placement_group **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct placement_group *g;
	int r = check_name(tx, c->account, args->name, reterr);

	if (!r)
		r = tx_make(tx, KIND_PLACEMENT_GROUP, c->account, &o);
	if (r)
		return r;
	g = (struct placement_group *)o;
	r = set_strategy(g, args->strategy, reterr);
	if (!r)
		r = set_partitions(g, args->partitions, reterr);
	if (!r)
		r = set_spread_level(g, args->spread_level, reterr);
	if (!r)
		r = edit_string(&g->name, args->name);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = g;
	return r;
}

int placement_group_create(struct tx *tx, const struct caller *c,
			   const struct placement_group_create_args *args,
			   const struct placement_group **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int placement_group_delete(struct tx *tx, const struct caller *c, const char *name,
			   struct refusal *reterr)
{
	const struct placement_group *g = placement_group_named(tx->m, c->account, name);
	size_t mark = tx_mark(tx);

	if (!g)
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_UNKNOWN, name);
	if (model_group_count(tx->m, REL_PLACEMENT_GROUP, g->o.id))
		return refuse(reterr, MODEL_E_PLACEMENT_GROUP_IN_USE, name);
	return tx_settle(tx, mark, tx_delete(tx, &g->o));
}

/* ---- instances that stand still ---- */

static int do_place(struct tx *tx, const struct instance *n, const struct instance_place_args *args,
		    struct refusal *reterr)
{
	struct placement_group_args wanted = args->group;
	const struct placement_group *g = (const struct placement_group *)model_get(
		tx->m, KIND_PLACEMENT_GROUP, n->placement_group);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct instance *new;
	uint32_t partition;
	int r;

	/* a partition alone is one of the group that it is in */
	if (!wanted.name && !wanted.id && g)
		wanted.name = g->name;
	if (wanted.name && !wanted.name[0])
		wanted.name = NULL;
	r = placement_group_resolve(tx->m, n->o.account, &wanted, &g, &partition, reterr);
	if (!r)
		r = tx_edit(tx, &n->o, &o);
	if (r)
		return r;
	new = (struct instance *)o;
	new->placement_group = g ? g->o.id : 0;
	new->partition = partition;
	return record_equal(&n->o, o) ? 0 : tx_put(tx, &n->o, &o);
}

int instance_place(struct tx *tx, const struct caller *c, const struct instance_place_args *args,
		   struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct instance *n;
	int r = instance_find(tx->m, c, args->instance_id, &n, reterr);

	if (r)
		return r;
	if (n->state != INSTANCE_STOPPED)
		return refuse(reterr, MODEL_E_INSTANCE_NOT_STOPPED, args->instance_id);
	if (!args->group.name && !args->group.id && !args->group.partition)
		return refuse(reterr, MODEL_E_MISSING, "GroupName");
	return tx_settle(tx, mark, do_place(tx, n, args, reterr));
}
