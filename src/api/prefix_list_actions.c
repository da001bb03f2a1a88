/* SPDX-License-Identifier: Apache-2.0 */
/* Managed prefix lists. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/group_rule.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/security_group.h"

#include <stdio.h>

static void write_arn(struct ec2_call *c, const struct prefix_list *l)
{
	char arn[ARN_SIZE];

	xml_text(c->xml, "prefixListArn", ec2_arn(c, "prefix-list", &l->o, arn));
}

static void write_list(struct ec2_call *c, const struct prefix_list *l, const char *state)
{
	ec2_write_id(c, "prefixListId", KIND_PREFIX_LIST, l->o.id);
	xml_text(c->xml, "addressFamily", l->v6 ? "IPv6" : "IPv4");
	xml_text(c->xml, "state", state ? state : prefix_list_state_text(l->state));
	write_arn(c, l);
	xml_text(c->xml, "prefixListName", l->name);
	xml_u64(c->xml, "maxEntries", l->max_entries);
	xml_u64(c->xml, "version", l->version);
	ec2_write_tags(c, &l->o);
	ec2_write_owner(c, "ownerId", l->o.account);
}

static void write_answer(struct ec2_call *c, const struct prefix_list *l, const char *state)
{
	xml_open(c->xml, "prefixList");
	write_list(c, l, state);
	xml_close(c->xml);
}

/* NAME.N.Cidr and .Description */
static int read_entries(struct ec2_call *c, const char *name,
			const struct prefix_list_entry_args **ret, size_t *ret_n)
{
	struct prefix_list_entry_args *entries;
	const uint32_t *indices;
	int r = param_indices(c, name, &indices, ret_n);

	if (r)
		return r;
	entries = arena_alloc_array(c->arena, *ret_n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < *ret_n; i++) {
		const char *cidr = param_name(c, "%s.%u.Cidr", name, indices[i]);
		const char *text = param_name(c, "%s.%u.Description", name, indices[i]);

		if (!cidr || !text)
			return -ENOMEM;
		entries[i] =
			(struct prefix_list_entry_args){param_text(c, cidr), param_text(c, text)};
		if (!entries[i].cidr)
			return ec2_refuse_missing(c, cidr);
	}
	*ret = entries;
	return 0;
}

static int read_version(struct ec2_call *c, const char *name, const uint64_t **ret)
{
	const char *text = param_text(c, name);
	uint64_t *version;

	*ret = NULL;
	if (!text)
		return 0;
	version = arena_alloc_array(c->arena, 1, sizeof(*version));
	if (!version)
		return -ENOMEM;
	if (str_u64(text, 1, INT64_MAX, version))
		return ec2_refuse_value(c, name, text, "It must be the number of a version.");
	*ret = version;
	return 0;
}

int action_create_managed_prefix_list(struct ec2_call *c)
{
	static const char *const taggable[] = {"prefix-list", NULL};
	struct prefix_list_create_args args = {
		.name = param_text(c, "PrefixListName"),
		.family = param_text(c, "AddressFamily"),
		.max_entries = param_u32(c, "MaxEntries", 0),
	};
	const struct prefix_list *l;
	int r = read_entries(c, "Entry", &args.entries, &args.n_entries);

	if (!r)
		r = param_tag_specification(c, "prefix-list", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = prefix_list_create(c->tx, &c->caller, &args, &l, &c->refusal);
	if (!r)
		write_answer(c, l, NULL);
	return r;
}

int action_delete_managed_prefix_list(struct ec2_call *c)
{
	const struct prefix_list *l;
	int r = prefix_list_delete(c->tx, &c->caller, param_text(c, "PrefixListId"), &l,
				   &c->refusal);

	if (!r)
		write_answer(c, l, "delete-complete");
	return r;
}

static int read_removals(struct ec2_call *c, struct prefix_list_modify_args *args)
{
	const struct prefix_list_entry_args *entries;
	const char **cidrs;
	int r = read_entries(c, "RemoveEntry", &entries, &args->n_remove);

	if (r)
		return r;
	cidrs = arena_alloc_array(c->arena, args->n_remove + 1, sizeof(*cidrs));
	if (!cidrs)
		return -ENOMEM;
	for (size_t i = 0; i < args->n_remove; i++)
		cidrs[i] = entries[i].cidr;
	args->remove = cidrs;
	return 0;
}

int action_modify_managed_prefix_list(struct ec2_call *c)
{
	uint32_t max_entries = param_u32(c, "MaxEntries", 0);
	struct prefix_list_modify_args args = {
		.id = param_text(c, "PrefixListId"),
		.name = param_text(c, "PrefixListName"),
		.max_entries = param_text(c, "MaxEntries") ? &max_entries : NULL,
	};
	const struct prefix_list *l;
	int r = read_version(c, "CurrentVersion", &args.version);

	if (!r)
		r = read_entries(c, "AddEntry", &args.add, &args.n_add);
	if (!r)
		r = read_removals(c, &args);
	if (!r)
		r = prefix_list_modify(c->tx, &c->caller, &args, &l, &c->refusal);
	if (!r)
		write_answer(c, l, NULL);
	return r;
}

int action_restore_managed_prefix_list_version(struct ec2_call *c)
{
	const uint64_t *previous, *current;
	const struct prefix_list *l;
	int r = read_version(c, "PreviousVersion", &previous);

	if (!r)
		r = read_version(c, "CurrentVersion", &current);
	if (!r)
		r = prefix_list_restore(c->tx, &c->caller, param_text(c, "PrefixListId"), *previous,
					*current, &l, &c->refusal);
	if (!r)
		write_answer(c, l, NULL);
	return r;
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct prefix_list *l;
	int r = prefix_list_find(m, caller, id, &l, reterr);

	if (!r)
		*ret = &l->o;
	return r;
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ((const struct object *)item)->account);
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_PREFIX_LIST, ((const struct object *)item)->id);
}

static void by_name(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct prefix_list *)item)->name);
}

const struct filter prefix_list_filters[] = {
	{"owner-id", by_owner},
	{"prefix-list-id", by_id},
	{"prefix-list-name", by_name},
	{},
};

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_list(c, (const struct prefix_list *)o, NULL);
	xml_close(c->xml);
}

int action_describe_managed_prefix_lists(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"prefix-list-id", KIND_PREFIX_LIST, REL_MAX}, {}};
	static const struct describe d = {
		.kind = KIND_PREFIX_LIST,
		.ids = "PrefixListId",
		.find = find,
		.filters = prefix_list_filters,
		.groups = groups,
		.small_pages = true,
		.write = write_item,
	};

	return describe_run(c, &d, "prefixListSet", NULL, NULL);
}

/* EC2 lists its own services here, which a network of one's own does not have. */
int action_describe_prefix_lists(struct ec2_call *c)
{
	struct filter_set filters;
	const char *const *ids;
	struct page_run page;
	size_t n;
	int r = filter_parse(c, aws_prefix_list_filters, false, &filters);

	if (!r)
		r = page_run_begin(c, &page);
	if (!r)
		r = param_list(c, "PrefixListId", &ids, &n);
	if (r)
		return r;
	if (n)
		return ec2_refuse(c, 400, "InvalidPrefixListID.NotFound",
				  "The prefix list ID '%.100s' does not exist", ids[0]);
	xml_empty(c->xml, "prefixListSet");
	return 0;
}

const struct filter aws_prefix_list_filters[] = {
	{"prefix-list-id", by_id},
	{"prefix-list-name", by_name},
	{},
};

int action_get_managed_prefix_list_entries(struct ec2_call *c)
{
	const struct prefix_list_entry *entries;
	const struct prefix_list *l;
	const uint64_t *version;
	struct page_run page;
	size_t n;
	int r = prefix_list_find(c->model, &c->caller, param_text(c, "PrefixListId"), &l,
				 &c->refusal);

	if (!r)
		r = read_version(c, "TargetVersion", &version);
	if (!r)
		r = page_run_begin_within(c, 1, LIMIT_API_PAGE_MAX, &page);
	if (!r && page.begun_before) {
		/* the pages are of one list, and of the version that the first one was of */
		if (page.after.id != l->o.id || (version && *version != page.after.serial))
			r = page_run_refuse(c);
		version = &page.after.serial;
	}
	if (r)
		return r;
	version = version ? version : &l->version;
	if (!prefix_list_entries(l, *version, &entries, &n))
		return ec2_refuse(c, 400, "InvalidPrefixListVersion.NotFound",
				  "The prefix list has no version %llu that is kept",
				  (unsigned long long)*version);
	xml_open(c->xml, "entrySet");
	for (size_t i = page.begun_before ? page.after.part : 0; i < n; i++) {
		if (!page_run_admit(&page))
			break;
		xml_open(c->xml, "item");
		ec2_write_prefix(c, "cidr", &entries[i].prefix);
		xml_text(c->xml, "description",
			 entries[i].description ? entries[i].description : "");
		xml_close(c->xml);
		page.last = (struct page_mark){
			.kind = KIND_PREFIX_LIST, .id = l->o.id, .serial = *version, .part = i + 1};
	}
	xml_close(c->xml);
	return page_run_end(c, &page);
}

/* Each group that has a rule which names the list, once. */
static bool is_first_of_group(const struct ec2_call *c, const struct prefix_list *l,
			      const struct group_rule *rule)
{
	struct model_iter it = model_iter_group(c->model, REL_LIST_RULES, l->o.id);
	const struct group_rule *r;

	do
		r = (const struct group_rule *)model_iter_next(&it);
	while (r != rule && r->group != rule->group);
	return r == rule;
}

static void write_association(struct ec2_call *c, struct page_run *page, const struct object *o,
			      enum kind kind, uint64_t id)
{
	xml_open(c->xml, "item");
	ec2_write_id(c, "resourceId", kind, id);
	ec2_write_owner(c, "resourceOwner", o->account);
	xml_close(c->xml);
	page->last = (struct page_mark){.kind = o->kind, .id = o->id, .serial = o->serial};
}

/* Begins where the last page ended, if that was in this list. */
static void go_on(struct ec2_call *c, const struct page_run *page, enum kind kind,
		  struct model_iter *it)
{
	if (page->begun_before && page->after.kind == kind)
		model_iter_skip(c->model, it, kind, page->after.id, page->after.serial);
}

static void write_groups(struct ec2_call *c, const struct prefix_list *l, struct page_run *page)
{
	struct model_iter it = model_iter_group(c->model, REL_LIST_RULES, l->o.id);
	const struct group_rule *rule;

	if (page->begun_before && page->after.kind != KIND_SECURITY_GROUP_RULE)
		return;
	go_on(c, page, KIND_SECURITY_GROUP_RULE, &it);
	while ((rule = (const struct group_rule *)model_iter_next(&it))) {
		if (!is_first_of_group(c, l, rule))
			continue;
		if (!page_run_admit(page))
			return;
		write_association(c, page, &rule->o, KIND_SECURITY_GROUP, rule->group);
	}
}

static void write_tables(struct ec2_call *c, const struct prefix_list *l, struct page_run *page)
{
	struct model_iter it = model_iter_account(c->model, KIND_ROUTE_TABLE, l->o.account);
	const struct route_table *t;

	if (page->more)
		return;
	go_on(c, page, KIND_ROUTE_TABLE, &it);
	while ((t = route_table_next_by_list(&it, l->o.id))) {
		if (!page_run_admit(page))
			return;
		write_association(c, page, &t->o, KIND_ROUTE_TABLE, t->o.id);
	}
}

int action_get_managed_prefix_list_associations(struct ec2_call *c)
{
	const struct prefix_list *l;
	struct page_run page;
	int r = prefix_list_find(c->model, &c->caller, param_text(c, "PrefixListId"), &l,
				 &c->refusal);

	if (!r)
		r = page_run_begin(c, &page);
	if (r)
		return r;
	xml_open(c->xml, "prefixListAssociationSet");
	write_groups(c, l, &page);
	write_tables(c, l, &page);
	xml_close(c->xml);
	return page_run_end(c, &page);
}
