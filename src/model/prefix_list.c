/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed prefix lists: making, finding and ending them.  See prefix_list.h; changes of their
 * entries are in prefix_list_change.c.
 */
#include "model/prefix_list.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/prefix_list_edit.h"
#include "model/route_table.h"
#include "model/text.h"
#include "model/token_edit.h"

#define OPERATION "CreateManagedPrefixList"

const char *prefix_list_state_text(enum prefix_list_state s)
{
	static const char *const texts[] = {
		[LIST_CREATED] = "create-complete",
		[LIST_MODIFIED] = "modify-complete",
		[LIST_RESTORED] = "restore-complete",
	};

	return s < ARRAY_SIZE(texts) ? texts[s] : NULL;
}

int prefix_list_find(const struct model *m, const struct caller *c, const char *id,
		     const struct prefix_list **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_PREFIX_LIST, id, &number))
		o = model_get(m, KIND_PREFIX_LIST, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_LIST_NOT_FOUND, id);
	*ret = (const struct prefix_list *)o;
	return 0;
}

bool prefix_list_entries(const struct prefix_list *l, uint64_t version,
			 const struct prefix_list_entry **ret, size_t *ret_n)
{
	if (version == l->version) {
		*ret = l->entries;
		*ret_n = l->n_entries;
		return true;
	}
	for (size_t i = 0; i < l->n_versions; i++) {
		if (l->versions[i].version != version)
			continue;
		*ret = l->versions[i].entries;
		*ret_n = l->versions[i].n_entries;
		return true;
	}
	return false;
}

/* Whether a rule or a route names it. */
static bool prefix_list_is_used(const struct model *m, const struct prefix_list *l)
{
	struct model_iter it = model_iter_account(m, KIND_ROUTE_TABLE, l->o.account);

	return model_group_count(m, REL_LIST_RULES, l->o.id) ||
	       route_table_next_by_list(&it, l->o.id);
}

int prefix_list_check_name(const char *name, struct refusal *reterr)
{
	if (!name[0] || !text_is_plain(name) || str_has_prefix(name, "com.amazonaws"))
		return refuse(reterr, MODEL_E_LIST_NAME, name);
	return 0;
}

int prefix_list_check_max(uint32_t max, struct refusal *reterr)
{
	char text[16];

	if (max && max <= LIMIT_MODEL_LIST_ENTRIES)
		return 0;
	snprintf(text, sizeof(text), "%u", max);
	return refuse(reterr, MODEL_E_VALUE, text, "maxEntries", "It is 1 to 1000.");
}

static size_t entry_index(const struct prefix_list *l, const struct prefix *p)
{
	size_t i = 0;

	while (i < l->n_entries && !prefix_equal(&l->entries[i].prefix, p))
		i++;
	return i;
}

static int parse(const struct prefix_list *l, const char *cidr, struct prefix *ret,
		 struct refusal *reterr)
{
	if (!cidr)
		return refuse(reterr, MODEL_E_MISSING, "Cidr");
	if (l->v6 ? cidr6_parse(cidr, ret) : cidr_parse(cidr, ret))
		return refuse(reterr, MODEL_E_CIDR_MALFORMED, cidr);
	return 0;
}

int prefix_list_add(struct prefix_list *l, const struct prefix_list_entry_args *args,
		    struct refusal *reterr)
{
	const char *description = args->description ? args->description : "";
	struct prefix_list_entry *entries;
	struct prefix prefix;
	char text[16];
	int r = parse(l, args->cidr, &prefix, reterr);

	if (r)
		return r;
	if (!text_is_plain(description))
		return refuse(reterr, MODEL_E_RULE_DESCRIPTION, description);
	if (entry_index(l, &prefix) < l->n_entries)
		return refuse(reterr, MODEL_E_LIST_ENTRY_EXISTS, args->cidr, description);
	if (l->n_entries >= l->max_entries) {
		snprintf(text, sizeof(text), "%u", l->max_entries);
		return refuse(reterr, MODEL_E_LIST_ENTRIES, text);
	}
	entries = reallocarray(l->entries, l->n_entries + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	l->entries = entries;
	entries[l->n_entries] = (struct prefix_list_entry){.prefix = prefix};
	l->n_entries++;
	return edit_string(&entries[l->n_entries - 1].description, description);
}

int prefix_list_take(struct prefix_list *l, const char *cidr, struct refusal *reterr)
{
	struct prefix prefix;
	size_t i;
	int r = parse(l, cidr, &prefix, reterr);

	if (r)
		return r;
	i = entry_index(l, &prefix);
	if (i == l->n_entries)
		return refuse(reterr, MODEL_E_LIST_NO_ENTRY, cidr);
	free(l->entries[i].description);
	l->n_entries--;
	memmove(&l->entries[i], &l->entries[i + 1], (l->n_entries - i) * sizeof(*l->entries));
	return 0;
}

/* ---- making and ending ---- */

static int fill(struct prefix_list *l, const struct prefix_list_create_args *args,
		struct refusal *reterr)
{
	int r;

	if (!str_equal(args->family, "IPv4") && !str_equal(args->family, "IPv6"))
		return refuse(reterr, MODEL_E_VALUE, args->family, "addressFamily",
			      "It is IPv4 or IPv6.");
	l->v6 = str_equal(args->family, "IPv6");
	l->max_entries = args->max_entries;
	l->version = 1;
	r = prefix_list_check_name(args->name, reterr);
	if (!r)
		r = prefix_list_check_max(args->max_entries, reterr);
	if (!r)
		r = edit_string(&l->name, args->name);
	for (size_t i = 0; i < args->n_entries && !r; i++)
		r = prefix_list_add(l, &args->entries[i], reterr);
	return r ? r : tags_set(&l->o, args->tags, args->n_tags, reterr);
}

static int make(struct tx *tx, const struct caller *c, const struct prefix_list_create_args *args,
		const struct prefix_list **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct prefix_list *l;
	int r;

	if (model_account_count(tx->m, KIND_PREFIX_LIST, c->account) >= LIMIT_MODEL_LISTS)
		return refuse(reterr, MODEL_E_LIST_LIMIT, args->name);
	r = tx_make(tx, KIND_PREFIX_LIST, c->account, &o);
	if (!r)
		r = fill((struct prefix_list *)o, args, reterr);
	if (r)
		return r;
	l = (const struct prefix_list *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_PREFIX_LIST,
				   &l->o.id, 1);
	if (!r)
		*ret = l;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct prefix_list_create_args *args, const struct prefix_list **ret,
		     struct refusal *reterr)
{
	const struct token *seen;
	char id[ID_TEXT_SIZE];
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (r)
		return r;
	if (!seen)
		return make(tx, c, args, ret, reterr);
	return prefix_list_find(tx->m, c, id_text(KIND_PREFIX_LIST, seen->results[0], id), ret,
				reterr);
}

int prefix_list_create(struct tx *tx, const struct caller *c,
		       const struct prefix_list_create_args *args, const struct prefix_list **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int prefix_list_delete(struct tx *tx, const struct caller *c, const char *id,
		       const struct prefix_list **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct prefix_list *l;
	int r = prefix_list_find(tx->m, c, id, &l, reterr);

	if (r)
		return r;
	if (prefix_list_is_used(tx->m, l))
		return refuse(reterr, MODEL_E_LIST_IN_USE, id);
	r = tx_settle(tx, mark, tx_delete(tx, &l->o));
	if (!r)
		*ret = l;
	return r;
}
