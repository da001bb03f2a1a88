/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network ACLs.  See network_acl.h; their entries are in network_acl_entry.c.
 */
#include "model/network_acl.h"

#include "base/hash.h"
#include "base/limits.h"
#include "model/counters.h"
#include "model/edit.h"
#include "model/network_acl_edit.h"
#include "model/subnet.h"
#include "model/token_edit.h"
#include "model/vpc.h"

#define OPERATION "CreateNetworkAcl"

enum { DEFAULT_RULE = 100, DEFAULT_RULE6 = 101 };

/* ---- finding ---- */

int network_acl_find(const struct model *m, const struct caller *c, const char *id,
		     const struct network_acl **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_NETWORK_ACL, id, &number))
		o = model_get(m, KIND_NETWORK_ACL, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_ACL_NOT_FOUND, id);
	*ret = (const struct network_acl *)o;
	return 0;
}

const struct network_acl *network_acl_by_number(const struct model *m, uint32_t number)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_ACL_NUMBER, hash_u64(number));

	for (; n; n = hmap_next_at(n)) {
		const struct network_acl *a = hmap_entry(n, const struct network_acl, by_number);

		if (a->number == number)
			return a;
	}
	return NULL;
}

const struct network_acl *network_acl_default(const struct model *m, const struct vpc *v)
{
	return (const struct network_acl *)model_get(m, KIND_NETWORK_ACL, v->default_acl);
}

/* ---- making and ending ---- */

/* Both directions, all of IPv4, and of IPv6 where the VPC has a block of it. */
static int allow_all(struct network_acl *a, const struct vpc *v)
{
	const struct traffic all = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX};
	size_t families = vpc_has_v6(v) ? 2 : 1;

	a->entries = calloc(2 * families, sizeof(*a->entries));
	if (!a->entries)
		return -ENOMEM;
	for (size_t egress = 0; egress < 2; egress++)
		for (size_t v6 = 0; v6 < families; v6++)
			a->entries[a->n_entries++] = (struct acl_entry){
				.rule = v6 ? DEFAULT_RULE6 : DEFAULT_RULE,
				.egress = egress,
				.allow = true,
				.traffic = all,
				.prefix = v6 ? (struct prefix){} : prefix_v4(0, 0),
			};
	return 0;
}

static const struct acl_entry all_v6 = {
	.rule = DEFAULT_RULE6,
	.allow = true,
	.traffic = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX},
};

/* Has the one entry of that direction that it was made with. */
static bool is_usual(const struct network_acl *a, bool egress)
{
	const struct prefix everything = prefix_v4(0, 0);
	size_t n = 0;
	bool usual = false;

	for (size_t i = 0; i < a->n_entries; i++) {
		const struct acl_entry *e = &a->entries[i];

		if (e->egress != egress)
			continue;
		n++;
		usual = e->rule == DEFAULT_RULE && e->allow &&
			traffic_equal(&e->traffic, &all_v6.traffic) &&
			prefix_equal(&e->prefix, &everything);
	}
	return usual && n == 1;
}

int network_acl_widen(struct tx *tx, const struct vpc *v)
{
	const struct network_acl *old = network_acl_default(tx->m, v);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct network_acl *new;
	int r;

	if (!old || (!is_usual(old, false) && !is_usual(old, true)))
		return 0;
	r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct network_acl *)o;
	for (size_t egress = 0; egress < 2 && !r; egress++) {
		struct acl_entry e = all_v6;

		e.egress = egress;
		if (is_usual(old, egress))
			r = network_acl_insert(new, &e);
	}
	return r ? r : tx_put(tx, &old->o, &o);
}

static int make(struct tx *tx, const struct vpc *v, uint64_t id, const struct tag_args *tags,
		size_t n_tags, const struct network_acl **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct network_acl *a;
	int r = tx_make(tx, KIND_NETWORK_ACL, v->o.account, &o);

	if (r)
		return r;
	a = (struct network_acl *)o;
	if (id)
		o->id = id;
	a->vpc = v->o.id;
	a->is_default = id;
	if (id)
		r = allow_all(a, v);
	if (!r)
		r = tags_set(o, tags, n_tags, reterr);
	if (!r)
		r = counters_next_acl(tx, &a->number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = a;
	return r;
}

int network_acl_make_default(struct tx *tx, const struct vpc *v, struct refusal *reterr)
{
	const struct network_acl *a;

	return make(tx, v, v->default_acl, NULL, 0, &a, reterr);
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct network_acl_create_args *args, const struct network_acl **ret,
		     struct refusal *reterr)
{
	const struct network_acl *made;
	const struct token *seen;
	const struct vpc *v;
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (!r && seen)
		return token_answer(tx->m, seen, MODEL_E_ACL_NOT_FOUND, (const struct object **)ret,
				    reterr);
	if (!r)
		r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);
	if (!r && model_group_count(tx->m, REL_VPC_ACLS, v->o.id) >= LIMIT_MODEL_ACLS)
		r = refuse(reterr, MODEL_E_ACL_LIMIT, args->vpc_id);
	if (!r)
		r = make(tx, v, 0, args->tags, args->n_tags, &made, reterr);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_NETWORK_ACL,
				   &made->o.id, 1);
	if (!r)
		*ret = made;
	return r;
}

int network_acl_create(struct tx *tx, const struct caller *c,
		       const struct network_acl_create_args *args, const struct network_acl **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int network_acl_delete(struct tx *tx, const struct caller *c, const char *id,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct network_acl *a;
	int r = network_acl_find(tx->m, c, id, &a, reterr);

	if (r)
		return r;
	if (a->is_default)
		return refuse(reterr, MODEL_E_ACL_DEFAULT, id);
	if (model_group_count(tx->m, REL_ACL_SUBNETS, a->o.id))
		return refuse(reterr, MODEL_E_ACL_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &a->o));
}

/* ---- associations ---- */

static const struct subnet *subnet_by_association(const struct model *m, uint64_t id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_ACL_ASSOCIATION, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct subnet *s = hmap_entry(n, const struct subnet, by_acl_association);

		if (s->acl_association == id)
			return s;
	}
	return NULL;
}

void network_acl_assign(struct tx *tx, struct subnet *s, const struct network_acl *a)
{
	s->acl = a ? a->o.id : 0;
	s->acl_number = a ? a->number : 0;
	do
		s->acl_association = a ? tx_random(tx) : 0;
	while (a && (!s->acl_association || subnet_by_association(tx->m, s->acl_association)));
}

static int do_associate(struct tx *tx, const struct caller *c, const char *association,
			const char *acl_id, uint64_t *ret, struct refusal *reterr)
{
	const struct subnet *old = NULL;
	const struct network_acl *a;
	struct subnet *new = NULL;
	char id_buf[ID_TEXT_SIZE];
	uint64_t id;
	int r;

	if (!id_parse_prefixed(ID_PREFIX_ACL_ASSOCIATION, association, &id))
		old = subnet_by_association(tx->m, id);
	if (!old || !caller_sees(c, &old->o))
		return refuse(reterr, MODEL_E_ACL_ASSOCIATION_NOT_FOUND, association);
	r = network_acl_find(tx->m, c, acl_id, &a, reterr);
	if (r)
		return r;
	if (a->vpc != old->vpc)
		return refuse(reterr, MODEL_E_ACL_VPC_MISMATCH, acl_id,
			      object_id_text(&old->o, id_buf));
	r = TX_EDIT(tx, old, &new);
	if (r)
		return r;
	network_acl_assign(tx, new, a);
	id = new->acl_association;
	r = TX_PUT(tx, old, &new);
	if (!r)
		*ret = id;
	return r;
}

int network_acl_associate(struct tx *tx, const struct caller *c, const char *association,
			  const char *acl_id, uint64_t *ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_associate(tx, c, association, acl_id, ret, reterr));
}
