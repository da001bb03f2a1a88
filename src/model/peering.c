/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peering connections.  See peering.h.
 */
#include "model/peering.h"

#include "base/limits.h"
#include "model/edit.h"
#include "model/vpc.h"

enum peering_list { LIST_PENDING = 0, LIST_OVER = 1 };

static const struct {
	const char *code;
	const char *message;
} states[] = {
	[PEERING_PENDING] = {"pending-acceptance", "Pending Acceptance"},
	[PEERING_ACTIVE] = {"active", "Active"},
	[PEERING_REJECTED] = {"rejected", "Rejected"},
	[PEERING_EXPIRED] = {"expired", "Expired"},
	[PEERING_FAILED] = {"failed", "Failed due to incorrect VPC-ID, Account ID, or overlapping "
				      "CIDR range"},
	[PEERING_DELETED] = {"deleted", "Deleted"},
};

const char *peering_state_text(enum peering_state s)
{
	return s < ARRAY_SIZE(states) ? states[s].code : NULL;
}

const char *peering_state_message(enum peering_state s)
{
	return states[s].message;
}

bool peering_sees(const struct caller *c, const struct peering *p)
{
	return c->is_operator || c->account == p->requester.account ||
	       c->account == p->accepter.account;
}

int peering_find(const struct model *m, const struct caller *c, const char *id,
		 const struct peering **ret, struct refusal *reterr)
{
	const struct peering *p = NULL;
	uint64_t number;

	if (!id_parse(KIND_PEERING, id, &number))
		p = (const struct peering *)model_get(m, KIND_PEERING, number);
	if (!p || !peering_sees(c, p))
		return refuse(reterr, MODEL_E_PEERING_NOT_FOUND, id);
	*ret = p;
	return 0;
}

/* ---- walking ---- */

struct peering_iter peering_iter_of(const struct model *m, uint64_t vpc)
{
	return (struct peering_iter){.m = m, .vpc = vpc};
}

const struct peering *peering_iter_next(struct peering_iter *it)
{
	for (;;) {
		enum relation r = it->accepted ? REL_VPC_PEERINGS_IN : REL_VPC_PEERINGS_OUT;
		struct model_iter list = model_iter_group(it->m, r, it->vpc);

		if (it->at)
			model_iter_skip(it->m, &list, KIND_PEERING, it->at->o.id, it->at->o.serial);
		it->at = (const struct peering *)model_iter_next(&list);
		if (it->at || it->accepted)
			return it->at;
		it->accepted = true;
	}
}

const struct peering_side *peering_other(const struct peering *p, uint64_t vpc)
{
	if (p->requester.vpc == vpc)
		return &p->accepter;
	return p->accepter.vpc == vpc ? &p->requester : NULL;
}

bool peering_is_active(const struct model *m, uint32_t vni, uint32_t other_vni)
{
	const struct vpc *v = vpc_by_vni(m, vni);
	struct peering_iter it = peering_iter_of(m, v ? v->o.id : 0);
	const struct peering *p;

	while (v && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE && peering_other(p, v->o.id)->vni == other_vni)
			return true;
	return false;
}

bool peering_joins(const struct model *m, uint64_t vpc, uint64_t other)
{
	const struct vpc *a = (const struct vpc *)model_get(m, KIND_VPC, vpc);
	const struct vpc *b = (const struct vpc *)model_get(m, KIND_VPC, other);

	return a && b && peering_is_active(m, a->vni, b->vni);
}

bool peering_reaches(const struct model *m, uint32_t host, uint32_t vni)
{
	const struct vpc *v = vpc_by_vni(m, vni);
	struct peering_iter it = peering_iter_of(m, v ? v->o.id : 0);
	const struct peering *p;

	if (carried_interfaces(m, CARRIED_NETWORK, vni, host))
		return true;
	while (v && (p = peering_iter_next(&it)))
		if (p->state == PEERING_ACTIVE &&
		    carried_interfaces(m, CARRIED_NETWORK, peering_other(p, v->o.id)->vni, host))
			return true;
	return false;
}

static bool has_part(const struct vpc *v, const struct prefix *block)
{
	for (size_t i = 0; i < v->n_blocks; i++)
		if (prefix_overlaps(&v->blocks[i].prefix, block))
			return true;
	for (size_t i = 0; i < v->n_blocks6; i++)
		if (prefix_overlaps(&v->blocks6[i].prefix, block))
			return true;
	return false;
}

bool peering_conflicts(const struct model *m, uint64_t vpc, const struct prefix *block)
{
	struct peering_iter it = peering_iter_of(m, vpc);
	const struct peering *p;

	while ((p = peering_iter_next(&it))) {
		const struct object *other = model_get(m, KIND_VPC, peering_other(p, vpc)->vpc);

		if (p->state == PEERING_ACTIVE && other &&
		    has_part((const struct vpc *)other, block))
			return true;
	}
	return false;
}

static bool overlap(const struct vpc *a, const struct vpc *b)
{
	for (size_t i = 0; i < a->n_blocks; i++)
		if (has_part(b, &a->blocks[i].prefix))
			return true;
	for (size_t i = 0; i < a->n_blocks6; i++)
		if (has_part(b, &a->blocks6[i].prefix))
			return true;
	return false;
}

/* ---- asking ---- */

static const struct peering *find_between(const struct model *m, uint64_t vpc, uint64_t other)
{
	struct peering_iter it = peering_iter_of(m, vpc);
	const struct peering *p;

	while ((p = peering_iter_next(&it)))
		if (peering_other(p, vpc)->vpc == other)
			return p;
	return NULL;
}

static struct peering_side side_of(const struct vpc *v)
{
	return (struct peering_side){
		.vpc = v->o.id,
		.account = v->o.account,
		.vni = v->vni,
		.block = v->blocks[0].prefix,
	};
}

/* The VPC to be peered with, or NULL: then the connection fails, as EC2's do, which tells nobody
 * what others have. */
static int find_peer(const struct model *m, const struct caller *c,
		     const struct peering_create_args *args, struct peering_side *ret_side,
		     const struct vpc **ret, struct refusal *reterr)
{
	const struct object *o;
	uint64_t account = c->account;

	*ret = NULL;
	if (!args->peer_vpc_id)
		return refuse(reterr, MODEL_E_MISSING, "peerVpcId");
	if (args->peer_account && id_parse(KIND_ACCOUNT, args->peer_account, &account))
		return refuse(reterr, MODEL_E_VALUE, args->peer_account, "peerOwnerId",
			      "An account ID has 12 digits.");
	*ret_side = (struct peering_side){.account = account};
	if (id_parse(KIND_VPC, args->peer_vpc_id, &ret_side->vpc))
		return refuse(reterr, MODEL_E_VALUE, args->peer_vpc_id, "peerVpcId",
			      "This is not a VPC ID.");
	o = model_get(m, KIND_VPC, ret_side->vpc);
	if (!o || o->account != account)
		return 0;
	*ret = (const struct vpc *)o;
	*ret_side = side_of(*ret);
	return 0;
}

static int make(struct tx *tx, const struct vpc *v, const struct peering_side *peer,
		const struct vpc *other, const struct peering_create_args *args,
		const struct peering **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct peering *p;
	int r = tx_make(tx, KIND_PEERING, v->o.account, &o);

	if (r)
		return r;
	p = (struct peering *)o;
	p->requester = side_of(v);
	p->accepter = *peer;
	if (other && !overlap(v, other)) {
		p->state = PEERING_PENDING;
		p->expires_ms = tx->now_ms + LIMIT_MODEL_PEERING_MS;
	} else {
		p->state = PEERING_FAILED;
		p->ended_ms = tx->now_ms;
	}
	r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = p;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c, const struct peering_create_args *args,
		     const struct peering **ret, struct refusal *reterr)
{
	const struct vpc *v, *other = NULL;
	const struct peering *there;
	struct peering_side peer;
	char id[ID_TEXT_SIZE];
	int r;

	if (!args->vpc_id)
		return refuse(reterr, MODEL_E_MISSING, "vpcId");
	r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);
	if (!r)
		r = find_peer(tx->m, c, args, &peer, &other, reterr);
	if (r)
		return r;
	there = other ? find_between(tx->m, v->o.id, other->o.id) : NULL;
	if (there && there->state == PEERING_PENDING && there->requester.vpc == v->o.id) {
		*ret = there;
		return 0;
	}
	if (there)
		return refuse(reterr, MODEL_E_PEERING_EXISTS, object_id_text(&there->o, id));
	if (model_group_count(tx->m, REL_VPC_PEERINGS_OUT, v->o.id) >= LIMIT_MODEL_PEERINGS)
		return refuse(reterr, MODEL_E_PEERING_LIMIT, args->vpc_id);
	return make(tx, v, &peer, other, args, ret, reterr);
}

int peering_create(struct tx *tx, const struct caller *c, const struct peering_create_args *args,
		   const struct peering **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

/* ---- answering ---- */

static int enter(struct tx *tx, const struct peering *p, enum peering_state state,
		 const struct peering **ret)
{
	const bool joins = p->state == PEERING_ACTIVE || state == PEERING_ACTIVE;
	const uint32_t vni = p->requester.vni, peer_vni = p->accepter.vni;
	const struct peering *result;
	struct peering *new = NULL;
	int r = TX_EDIT(tx, p, &new);

	if (r)
		return r;
	new->state = state;
	if (state != PEERING_PENDING)
		new->expires_ms = 0;
	if (state != PEERING_PENDING && state != PEERING_ACTIVE)
		new->ended_ms = tx->now_ms;
	result = new;
	r = TX_PUT(tx, p, &new);
	if (!r && joins)
		r = network_recompute_peered(tx, vni, peer_vni);
	if (!r)
		*ret = result;
	return r;
}

static int refuse_transition(const struct peering *p, const char *id, enum peering_state to,
			     struct refusal *reterr)
{
	return refuse(reterr, MODEL_E_PEERING_TRANSITION, id, peering_state_text(p->state),
		      peering_state_text(to));
}

/* What the accepter does with one that is pending. */
static int answer(struct tx *tx, const struct caller *c, const char *id, enum peering_state state,
		  const struct peering **ret, struct refusal *reterr)
{
	const struct vpc *a, *b;
	const struct peering *p;
	int r = peering_find(tx->m, c, id, &p, reterr);

	if (r)
		return r;
	if (!c->is_operator && c->account != p->accepter.account)
		return refuse(reterr, MODEL_E_PEERING_NOT_YOURS, id);
	if (p->state != PEERING_PENDING)
		return refuse_transition(p, id, state, reterr);
	a = (const struct vpc *)model_get(tx->m, KIND_VPC, p->requester.vpc);
	b = (const struct vpc *)model_get(tx->m, KIND_VPC, p->accepter.vpc);
	/* blocks may have been added meanwhile */
	if (state == PEERING_ACTIVE && overlap(a, b))
		state = PEERING_FAILED;
	return enter(tx, p, state, ret);
}

int peering_accept(struct tx *tx, const struct caller *c, const char *id,
		   const struct peering **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, answer(tx, c, id, PEERING_ACTIVE, ret, reterr));
}

int peering_reject(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	const struct peering *p;
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, answer(tx, c, id, PEERING_REJECTED, &p, reterr));
}

int peering_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct peering *p;
	int r = peering_find(tx->m, c, id, &p, reterr);

	if (r)
		return r;
	if (p->state == PEERING_PENDING && !c->is_operator && c->account != p->requester.account)
		return refuse(reterr, MODEL_E_PEERING_NOT_YOURS, id);
	if (p->state != PEERING_PENDING && p->state != PEERING_ACTIVE)
		return refuse_transition(p, id, PEERING_DELETED, reterr);
	return tx_settle(tx, mark, enter(tx, p, PEERING_DELETED, &p));
}

static int do_modify(struct tx *tx, const struct peering *p, const struct peering_modify_args *args,
		     const struct peering **ret)
{
	const struct peering *result;
	struct peering *new = NULL;
	int r = TX_EDIT(tx, p, &new);

	if (r)
		return r;
	if (args->requester_dns)
		new->requester.dns = *args->requester_dns;
	if (args->accepter_dns)
		new->accepter.dns = *args->accepter_dns;
	result = new;
	r = TX_PUT(tx, p, &new);
	if (!r)
		*ret = result;
	return r;
}

int peering_modify(struct tx *tx, const struct caller *c, const struct peering_modify_args *args,
		   const struct peering **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct peering *p;
	int r = peering_find(tx->m, c, args->id, &p, reterr);

	if (r)
		return r;
	if (!c->is_operator && ((args->requester_dns && c->account != p->requester.account) ||
				(args->accepter_dns && c->account != p->accepter.account)))
		return refuse(reterr, MODEL_E_PEERING_NOT_YOURS, args->id);
	if (p->state != PEERING_ACTIVE)
		return refuse_transition(p, args->id, PEERING_ACTIVE, reterr);
	return tx_settle(tx, mark, do_modify(tx, p, args, ret));
}

/* ---- time ---- */

int peering_expire(struct tx *tx, size_t *left)
{
	for (uint64_t list = LIST_PENDING; list <= LIST_OVER; list++) {
		struct model_iter it = model_iter_group(tx->m, REL_PEERINGS, list);
		const struct peering *p = (const struct peering *)model_iter_next(&it);

		while (p && *left) {
			const struct peering *next = (const struct peering *)model_iter_next(&it);
			const struct peering *expired;
			int r = 0;

			if (list == LIST_PENDING && p->expires_ms <= tx->now_ms)
				r = enter(tx, p, PEERING_EXPIRED, &expired);
			else if (list == LIST_OVER &&
				 p->ended_ms + LIMIT_MODEL_TERMINATED_MS <= tx->now_ms)
				r = tx_delete(tx, &p->o);
			else
				r = 1;
			if (r < 0)
				return r;
			*left -= !r;
			p = next;
		}
	}
	return 0;
}
