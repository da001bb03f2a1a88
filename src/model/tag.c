/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags.  See tag.h.
 */
#include "model/tag.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/peering.h"
#include "model/placement.h"
#include "model/preload.h"
#include "model/subnet.h"
#include "model/subnet_router.h"
#include "model/unknown_mac.h"

#define RESERVED_PREFIX "aws:"
#define OWN_PREFIX      "viaduct:"

/* Those that mean something, at objects of some kind; anything may have them, as the tags that a
 * client gives to all that it makes. */
static const char *const own_keys[] = {
	CHOICE_TAG_ENVIRONMENT, PRELOAD_TAG,          UNKNOWN_MAC_TAG,    SUBNET_ROUTER_TAG,
	PLACEMENT_TAG_REQUIRE,  PLACEMENT_TAG_DESIRE, PLACEMENT_TAG_NEAR, PLACEMENT_TAG_MAX_COST,
	PLACEMENT_TAG_STRATEGY,
};

/* Kinds that customers may tag, with the refusal for an id that is not there. */
static const struct {
	enum kind kind;
	int not_found;
} taggable[] = {
	{KIND_VPC, MODEL_E_VPC_NOT_FOUND},
	{KIND_SUBNET, MODEL_E_SUBNET_NOT_FOUND},
	{KIND_INTERFACE, MODEL_E_INTERFACE_NOT_FOUND},
	{KIND_INSTANCE, MODEL_E_INSTANCE_NOT_FOUND},
	{KIND_SECURITY_GROUP, MODEL_E_GROUP_NOT_FOUND},
	{KIND_SECURITY_GROUP_RULE, MODEL_E_RULE_ID_NOT_FOUND},
	{KIND_NETWORK_ACL, MODEL_E_ACL_NOT_FOUND},
	{KIND_PREFIX_LIST, MODEL_E_LIST_NOT_FOUND},
	{KIND_ROUTE_TABLE, MODEL_E_TABLE_NOT_FOUND},
	{KIND_INTERNET_GATEWAY, MODEL_E_INTERNET_GATEWAY_NOT_FOUND},
	{KIND_INSIGHTS_PATH, MODEL_E_INSIGHTS_PATH_NOT_FOUND},
	{KIND_INSIGHTS_ANALYSIS, MODEL_E_INSIGHTS_ANALYSIS_NOT_FOUND},
	{KIND_DHCP_OPTIONS, MODEL_E_DHCP_OPTIONS_NOT_FOUND},
	{KIND_EGRESS_GATEWAY, MODEL_E_EGRESS_GATEWAY_NOT_FOUND},
	{KIND_NAT_GATEWAY, MODEL_E_NAT_NOT_FOUND},
	{KIND_ADDRESS, MODEL_E_ALLOCATION_NOT_FOUND},
	{KIND_PEERING, MODEL_E_PEERING_NOT_FOUND},
	{KIND_FLOW_LOG, MODEL_E_FLOW_LOG_NOT_FOUND},
	{KIND_MIRROR_TARGET, MODEL_E_MIRROR_TARGET_NOT_FOUND},
	{KIND_MIRROR_FILTER, MODEL_E_MIRROR_FILTER_NOT_FOUND},
	{KIND_MIRROR_SESSION, MODEL_E_MIRROR_SESSION_NOT_FOUND},
	{KIND_PLACEMENT_GROUP, MODEL_E_PLACEMENT_GROUP_NOT_FOUND},
};

const char *object_tag(const struct object *o, const char *key)
{
	for (size_t i = 0; i < o->n_tags; i++)
		if (str_equal(o->tags[i].key, key))
			return o->tags[i].value;
	return NULL;
}

/* Of a peering connection that another account asked the caller for. */
static bool is_accepters(const struct caller *c, const struct object *o)
{
	return o->kind == KIND_PEERING && !caller_sees(c, o) &&
	       ((const struct peering *)o)->accepter.account == c->account;
}

const struct tag *tags_of(const struct caller *c, const struct object *o, size_t *ret_n)
{
	*ret_n = 0;
	if (is_accepters(c, o)) {
		*ret_n = ((const struct peering *)o)->n_accepter_tags;
		return ((const struct peering *)o)->accepter_tags;
	}
	if (!caller_sees(c, o))
		return NULL;
	*ret_n = o->n_tags;
	return o->tags;
}

/* Limits count characters, not bytes. */
static size_t utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* A misspelt one would be kept, and do nothing. */
static int check_own(const char *key, struct refusal *reterr)
{
	if (!str_has_prefix(key, OWN_PREFIX))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(own_keys); i++)
		if (str_equal(key, own_keys[i]))
			return 0;
	return refuse(reterr, MODEL_E_VALUE, key, "Tag.Key",
		      "Tags that begin with viaduct: are environment, preloaded, unknown-macs, "
		      "router, require, desire, near, max-cost and strategy.");
}

static int check_tag(const struct tag_args *tag, struct refusal *reterr)
{
	if (str_has_prefix(tag->key, RESERVED_PREFIX))
		return refuse(reterr, MODEL_E_TAG_RESERVED, tag->key);
	if (!tag->key[0] || utf8_length(tag->key) > LIMIT_MODEL_TAG_KEY)
		return refuse(reterr, MODEL_E_TAG_INVALID, tag->key);
	if (!tag->value || utf8_length(tag->value) > LIMIT_MODEL_TAG_VALUE)
		return refuse(reterr, MODEL_E_TAG_INVALID, tag->value ? tag->value : tag->key);
	return check_own(tag->key, reterr);
}

/* Where 'key' is, or belongs. */
static size_t tag_place(const struct object *o, const char *key, bool *ret_found)
{
	size_t i = 0;

	while (i < o->n_tags && strcmp(o->tags[i].key, key) < 0)
		i++;
	*ret_found = i < o->n_tags && str_equal(o->tags[i].key, key);
	return i;
}

static int insert_tag(struct object *o, size_t place, const struct tag_args *tag)
{
	struct tag *tags = reallocarray(o->tags, o->n_tags + 1, sizeof(*tags));
	_cleanup_free_ char *key = strdup(tag->key);
	_cleanup_free_ char *value = strdup(tag->value);

	if (tags)
		o->tags = tags;
	if (!tags || !key || !value)
		return -ENOMEM;
	memmove(&tags[place + 1], &tags[place], (o->n_tags - place) * sizeof(*tags));
	tags[place] = (struct tag){TAKE_PTR(key), TAKE_PTR(value)};
	o->n_tags++;
	return 0;
}

static int set_tag(struct object *o, const struct tag_args *tag)
{
	bool found;
	size_t place = tag_place(o, tag->key, &found);
	char *value;

	if (!found)
		return insert_tag(o, place, tag);
	value = strdup(tag->value);
	if (!value)
		return -ENOMEM;
	free(o->tags[place].value);
	o->tags[place].value = value;
	return 0;
}

/* Of tags that mean something to Viaduct, where only some values do. */
static int check_meaning(const struct object *o, const struct tag_args *tag, struct refusal *reterr)
{
	if (o->kind == KIND_VPC && str_equal(tag->key, UNKNOWN_MAC_TAG))
		return unknown_mac_check(tag->value, reterr);
	if (o->kind == KIND_SUBNET && str_equal(tag->key, SUBNET_ROUTER_TAG))
		return subnet_router_check((const struct subnet *)o, tag->value, reterr);
	if (o->kind == KIND_INSTANCE)
		return placement_check_tag(tag->key, tag->value, reterr);
	if (o->kind != KIND_VPC || !str_equal(tag->key, PRELOAD_TAG) ||
	    str_equal(tag->value, "true") || str_equal(tag->value, "false"))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, tag->value, PRELOAD_TAG,
		      "It is \"true\" or \"false\".");
}

int tags_set(struct object *o, const struct tag_args *tags, size_t n, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		int r = check_tag(&tags[i], reterr);

		for (size_t j = 0; j < i && !r; j++)
			if (str_equal(tags[i].key, tags[j].key))
				r = refuse(reterr, MODEL_E_TAG_DUPLICATE, tags[i].key);
		if (!r && i >= LIMIT_MODEL_TAGS)
			r = refuse(reterr, MODEL_E_TAG_LIMIT, object_id_text(o, id));
		if (!r)
			r = check_meaning(o, &tags[i], reterr);
		if (!r)
			r = set_tag(o, &tags[i]);
		if (r)
			return r;
	}
	if (o->n_tags > LIMIT_MODEL_TAGS)
		return refuse(reterr, MODEL_E_TAG_LIMIT, object_id_text(o, id));
	return 0;
}

static void remove_tag(struct object *o, const struct tag_args *tag)
{
	bool found;
	size_t place = tag_place(o, tag->key, &found);

	if (!found || (tag->value && !str_equal(tag->value, o->tags[place].value)))
		return;
	free(o->tags[place].key);
	free(o->tags[place].value);
	o->n_tags--;
	memmove(&o->tags[place], &o->tags[place + 1], (o->n_tags - place) * sizeof(*o->tags));
}

static void remove_all_tags(struct object *o)
{
	while (o->n_tags) {
		o->n_tags--;
		free(o->tags[o->n_tags].key);
		free(o->tags[o->n_tags].value);
	}
}

static int find_taggable(const struct model *m, const struct caller *c, const char *id,
			 const struct object **ret, struct refusal *reterr)
{
	enum kind k = kind_of_id(id);

	for (size_t i = 0; i < ARRAY_SIZE(taggable); i++) {
		const struct object *o;
		uint64_t number;

		if (taggable[i].kind != k)
			continue;
		o = id_parse(k, id, &number) ? NULL : model_get(m, k, number);
		if (!o || (!caller_sees(c, o) && !is_accepters(c, o)))
			return refuse(reterr, taggable[i].not_found, id);
		*ret = o;
		return 0;
	}
	return refuse(reterr, MODEL_E_TAG_RESOURCE_UNKNOWN, id);
}

enum tag_act { TAG_CREATE, TAG_DELETE };

static int change_tags(struct object *o, enum tag_act act, const struct tag_args *tags, size_t n,
		       struct refusal *reterr)
{
	if (act == TAG_CREATE)
		return tags_set(o, tags, n, reterr);
	for (size_t i = 0; i < n; i++) {
		if (str_has_prefix(tags[i].key, RESERVED_PREFIX))
			return refuse(reterr, MODEL_E_TAG_RESERVED, tags[i].key);
		remove_tag(o, &tags[i]);
	}
	if (!n)
		remove_all_tags(o);
	return 0;
}

static void swap_sides(struct peering *p)
{
	const struct peering was = *p;

	p->o.tags = was.accepter_tags;
	p->o.n_tags = was.n_accepter_tags;
	p->accepter_tags = was.o.tags;
	p->n_accepter_tags = was.o.n_tags;
}

/* As the owner has them, or in his place the accepter. */
static int change_tags_of(const struct caller *c, struct object *o, enum tag_act act,
			  const struct tag_args *tags, size_t n, struct refusal *reterr)
{
	int r;

	if (!is_accepters(c, o))
		return change_tags(o, act, tags, n, reterr);
	swap_sides((struct peering *)o);
	r = change_tags(o, act, tags, n, reterr);
	swap_sides((struct peering *)o);
	return r;
}

static int do_tags(struct tx *tx, const struct caller *c, enum tag_act act, const char *const *ids,
		   size_t n_ids, const struct tag_args *tags, size_t n_tags, struct refusal *reterr)
{
	for (size_t i = 0; i < n_ids; i++) {
		_cleanup_(record_free_cleanup) struct object *new = NULL;
		const struct object *old = NULL;
		int r = find_taggable(tx->m, c, ids[i], &old, reterr);

		if (!r)
			r = tx_edit(tx, old, &new);
		if (!r)
			r = change_tags_of(c, new, act, tags, n_tags, reterr);
		if (!r && old->kind == KIND_SUBNET)
			r = subnet_router_change(tx->m, (const struct subnet *)old,
						 (const struct subnet *)new, reterr);
		if (!r && !record_equal(old, new))
			r = old->kind == KIND_VPC ? choice_vpc_put(tx, old, &new)
						  : tx_put(tx, old, &new);
		if (r)
			return r;
	}
	return 0;
}

int tag_create(struct tx *tx, const struct caller *c, const char *const *ids, size_t n_ids,
	       const struct tag_args *tags, size_t n_tags, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_tags(tx, c, TAG_CREATE, ids, n_ids, tags, n_tags, reterr));
}

int tag_delete(struct tx *tx, const struct caller *c, const char *const *ids, size_t n_ids,
	       const struct tag_args *tags, size_t n_tags, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_tags(tx, c, TAG_DELETE, ids, n_ids, tags, n_tags, reterr));
}

int tag_set(struct tx *tx, const struct caller *c, const char *id, const struct tag_args *tag,
	    struct refusal *reterr)
{
	return tag->value ? tag_create(tx, c, &id, 1, tag, 1, reterr)
			  : tag_delete(tx, c, &id, 1, tag, 1, reterr);
}
