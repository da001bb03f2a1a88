/* SPDX-License-Identifier: Apache-2.0 */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/tag.h"

#include <string.h>

int action_create_tags(struct ec2_call *c)
{
	const struct tag_args *tags;
	const char *const *ids;
	size_t n_ids, n_tags;
	int r;

	r = param_list(c, "ResourceId", &ids, &n_ids);
	if (!r)
		r = param_tags(c, "", true, &tags, &n_tags);
	if (!r)
		r = tag_create(c->tx, &c->caller, ids, n_ids, tags, n_tags, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

int action_delete_tags(struct ec2_call *c)
{
	const struct tag_args *tags;
	const char *const *ids;
	size_t n_ids, n_tags;
	int r;

	r = param_list(c, "ResourceId", &ids, &n_ids);
	if (!r)
		r = param_tags(c, "", false, &tags, &n_tags);
	if (!r)
		r = tag_delete(c->tx, &c->caller, ids, n_ids, tags, n_tags, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

/* The kinds that have tags, as EC2 names them, in the order of the list. */
static const struct {
	enum kind kind;
	const char *type;
} taggable[] = {
	{KIND_VPC, "vpc"},
	{KIND_SUBNET, "subnet"},
	{KIND_INTERFACE, "network-interface"},
	{KIND_INSTANCE, "instance"},
	{KIND_SECURITY_GROUP, "security-group"},
	{KIND_SECURITY_GROUP_RULE, "security-group-rule"},
	{KIND_NETWORK_ACL, "network-acl"},
	{KIND_PREFIX_LIST, "prefix-list"},
	{KIND_ROUTE_TABLE, "route-table"},
	{KIND_INTERNET_GATEWAY, "internet-gateway"},
	{KIND_DHCP_OPTIONS, "dhcp-options"},
	{KIND_INSIGHTS_PATH, "network-insights-path"},
	{KIND_INSIGHTS_ANALYSIS, "network-insights-analysis"},
	{KIND_FLOW_LOG, "vpc-flow-log"},
	{KIND_MIRROR_TARGET, "traffic-mirror-target"},
	{KIND_MIRROR_FILTER, "traffic-mirror-filter"},
	{KIND_MIRROR_SESSION, "traffic-mirror-session"},
	{KIND_EGRESS_GATEWAY, "egress-only-internet-gateway"},
	{KIND_NAT_GATEWAY, "natgateway"},
	{KIND_ADDRESS, "elastic-ip"},
	{KIND_PEERING, "vpc-peering-connection"},
	{KIND_PLACEMENT_GROUP, "placement-group"},
};

struct tagged {
	const struct object *o;
	const char *type;
	const struct tag *tag;
};

static void by_key(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct tagged *)item)->tag->key);
}

static void by_value(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct tagged *)item)->tag->value);
}

static void by_resource(struct filter_probe *p, const void *item)
{
	const struct tagged *t = item;

	filter_id(p, t->o->kind, t->o->id);
}

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct tagged *)item)->type);
}

const struct filter tag_filters[] = {
	{"key", by_key},
	{"resource-id", by_resource},
	{"resource-type", by_type},
	{"value", by_value},
	{},
};

struct listing {
	struct filter_set filters;
	struct page_run page;
};

/* "tag:KEY" means the tag itself here, not the tags of its resource. */
static bool passes(struct ec2_call *c, const struct listing *l, const struct tagged *t)
{
	struct tag only = *t->tag;
	struct object o = {.account = c->caller.account, .n_tags = 1, .tags = &only};

	return filter_passes(c, &l->filters, t, &o);
}

/* The tags of one object, from the 'from'-th on; false when the page is full. */
static bool show_object(struct ec2_call *c, struct listing *l, const struct object *o,
			const char *type, size_t from)
{
	char id[ID_TEXT_SIZE];
	size_t n;
	const struct tag *tags = tags_of(&c->caller, o, &n);

	for (size_t i = from; i < n; i++) {
		struct tagged t = {.o = o, .type = type, .tag = &tags[i]};

		if (!passes(c, l, &t))
			continue;
		if (!page_run_admit(&l->page))
			return false;
		xml_open(c->xml, "item");
		xml_text(c->xml, "resourceId", object_id_text(o, id));
		xml_text(c->xml, "resourceType", type);
		xml_text(c->xml, "key", t.tag->key);
		xml_text(c->xml, "value", t.tag->value);
		xml_close(c->xml);
		l->page.last = (struct page_mark){
			.kind = o->kind, .id = o->id, .serial = o->serial, .part = i + 1};
	}
	return true;
}

static bool show_kind(struct ec2_call *c, struct listing *l, size_t which)
{
	enum kind k = taggable[which].kind;
	/* of a peering connection both sides have tags */
	struct model_iter it = k == KIND_PEERING
				       ? model_iter_kind(c->model, k)
				       : model_iter_account(c->model, k, c->caller.account);
	const struct object *o;

	if (l->page.begun_before && l->page.after.kind == k) {
		/* The object that the last page ended in may have more. */
		o = model_get(c->model, k, l->page.after.id);
		if (o && !show_object(c, l, o, taggable[which].type, l->page.after.part))
			return false;
		model_iter_skip(c->model, &it, k, l->page.after.id, l->page.after.serial);
	}
	while ((o = model_iter_next(&it)))
		if (!show_object(c, l, o, taggable[which].type, 0))
			return false;
	return true;
}

static void show_one(struct ec2_call *c, struct listing *l, const char *id_text)
{
	const struct object *o;
	uint64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(taggable); i++) {
		if (id_parse(taggable[i].kind, id_text, &id))
			continue;
		o = model_get(c->model, taggable[i].kind, id);
		if (o)
			show_object(c, l, o, taggable[i].type,
				    l->page.begun_before ? l->page.after.part : 0);
	}
}

static size_t first_kind(const struct listing *l)
{
	for (size_t i = 0; l->page.begun_before && i < ARRAY_SIZE(taggable); i++)
		if (taggable[i].kind == l->page.after.kind)
			return i;
	return 0;
}

int action_describe_tags(struct ec2_call *c)
{
	struct listing l;
	const char *one;
	int r;

	r = filter_parse(c, tag_filters, true, &l.filters);
	if (!r)
		r = page_run_begin(c, &l.page);
	if (r)
		return r;
	one = filter_exact(&l.filters, "resource-id");
	xml_open(c->xml, "tagSet");
	if (one) {
		show_one(c, &l, one);
	} else {
		for (size_t i = first_kind(&l); i < ARRAY_SIZE(taggable); i++)
			if (!show_kind(c, &l, i))
				break;
	}
	xml_close(c->xml);
	return page_run_end(c, &l.page);
}
