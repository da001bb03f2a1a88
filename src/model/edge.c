/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edges.  See edge.h.
 */
#include "model/edge.h"

#include "abi/substrate.h"
#include "model/drain.h"
#include "model/edit.h"
#include "model/egress_gateway.h"
#include "model/elastic_edit.h"
#include "model/host.h"
#include "model/internet_gateway.h"
#include "model/mapping.h"
#include "model/nat_gateway_edit.h"
#include "model/vpc.h"

static const enum relation holdings[] = {
	REL_EDGE_ADDRESSES,
	REL_EDGE_INTERNET_GATEWAYS,
	REL_EDGE_EGRESS_GATEWAYS,
	REL_EDGE_NAT_GATEWAYS,
};

bool edge_is(const struct model *m, uint32_t number)
{
	const struct host *h = number ? host_by_number(m, number) : NULL;

	return h && h->edge;
}

size_t edge_load(const struct model *m, uint32_t number)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(holdings); i++)
		n += model_group_count(m, holdings[i], number);
	return n;
}

/* 'but': not this one; 'hands_over': one that can be given what another translates. */
static uint32_t choose_of(const struct model *m, uint32_t but, bool hands_over)
{
	struct model_iter it = model_iter_group(m, REL_EDGES, 0);
	const struct host *h;
	size_t least = SIZE_MAX;
	uint32_t best = 0;

	while ((h = (const struct host *)model_iter_next(&it))) {
		size_t load;

		if (h->number == but || h->drained || !host_is_connected(m, h->number) ||
		    !host_is_capable(h) || h->can.carries_nothing ||
		    (hands_over && !h->can.hands_over))
			continue;
		load = edge_load(m, h->number);
		if (load >= least)
			continue;
		least = load;
		best = h->number;
	}
	return best;
}

static uint32_t choose(const struct model *m, uint32_t but)
{
	return choose_of(m, but, false);
}

uint32_t edge_choose(const struct model *m)
{
	return choose(m, 0);
}

bool edge_serves(const struct object *o, uint32_t *ret_vni, uint32_t *ret_host)
{
	const struct elastic *e = (const struct elastic *)o;
	const struct internet_gateway *i = (const struct internet_gateway *)o;
	const struct egress_gateway *g = (const struct egress_gateway *)o;

	*ret_vni = *ret_host = 0;
	if (!o)
		return false;
	if (o->kind == KIND_ADDRESS && e->association)
		*ret_vni = e->vni, *ret_host = e->edge;
	else if (o->kind == KIND_INTERNET_GATEWAY && i->vpc)
		*ret_vni = i->vni, *ret_host = i->edge;
	else if (o->kind == KIND_EGRESS_GATEWAY)
		*ret_vni = g->vni, *ret_host = g->edge;
	return *ret_vni && *ret_host;
}

/* ---- giving and taking ---- */

static int move_internet(struct tx *tx, const struct internet_gateway *g, uint32_t edge)
{
	struct internet_gateway *new = NULL;
	uint32_t vni = g->vni;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	new->edge = edge;
	r = TX_PUT(tx, g, &new);
	return r ? r : network_refresh(tx, vni);
}

static int move_egress(struct tx *tx, const struct egress_gateway *g, uint32_t edge)
{
	struct egress_gateway *new = NULL;
	uint32_t vni = g->vni;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	new->edge = edge;
	r = TX_PUT(tx, g, &new);
	return r ? r : network_refresh(tx, vni);
}

/* A NAT gateway is where its address is. */
static int move_address(struct tx *tx, const struct elastic *e, uint32_t edge)
{
	uint64_t nat = e->nat_gateway;
	int r = elastic_set_edge(tx, e, edge);

	return r || !nat ? r : nat_gateway_set_edge(tx, nat, edge);
}

static int move(struct tx *tx, const struct object *o, uint32_t edge)
{
	switch (o->kind) {
	case KIND_ADDRESS:
		return move_address(tx, (const struct elastic *)o, edge);
	case KIND_INTERNET_GATEWAY:
		return move_internet(tx, (const struct internet_gateway *)o, edge);
	case KIND_NAT_GATEWAY:
		return nat_gateway_set_edge(tx, o->id, edge);
	default:
		return move_egress(tx, (const struct egress_gateway *)o, edge);
	}
}

/* ---- handing over ---- */

/* The NAT gateway that something of an edge is, or is the address of, and that works. */
static const struct nat_gateway *working_gateway(const struct model *m, const struct object *o)
{
	const struct nat_gateway *g;

	if (o->kind == KIND_ADDRESS)
		o = model_get(m, KIND_NAT_GATEWAY, ((const struct elastic *)o)->nat_gateway);
	g = o && o->kind == KIND_NAT_GATEWAY ? (const struct nat_gateway *)o : NULL;
	return g && g->state == NAT_AVAILABLE ? g : NULL;
}

uint32_t edge_heir(const struct model *m, uint32_t from, uint32_t but)
{
	const struct host *h = edge_is(m, from) ? host_by_number(m, from) : NULL;
	uint32_t heir;

	if (!h || !h->drained || !h->can.hands_over || h->can.carries_nothing)
		return 0;
	heir = choose_of(m, but, true);
	return heir ? heir : choose_of(m, from, true);
}

const struct nat_gateway *edge_handed_over(const struct model *m, uint32_t from,
					   bool (*skip)(void *data, const struct nat_gateway *g),
					   void *data)
{
	static const enum relation relations[] = {REL_EDGE_NAT_GATEWAYS, REL_EDGE_ADDRESSES};

	for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
		struct model_iter it = model_iter_group(m, relations[i], from);
		const struct nat_gateway *g;
		const struct object *o;

		while ((o = model_iter_next(&it)))
			if ((g = working_gateway(m, o)) && !skip(data, g))
				return g;
	}
	return NULL;
}

static int do_hand_over(struct tx *tx, const struct nat_gateway *g, uint32_t to)
{
	const struct object *address = model_get(tx->m, KIND_ADDRESS, g->address);

	return move(tx, address ? address : &g->o, to);
}

int edge_hand_over(struct tx *tx, uint64_t gateway, uint32_t to)
{
	const struct object *o = model_get(tx->m, KIND_NAT_GATEWAY, gateway);
	size_t mark = tx_mark(tx);

	if (!o)
		return 0;
	return tx_settle(tx, mark, do_hand_over(tx, (const struct nat_gateway *)o, to));
}

/* ---- losing ---- */

/* Whether another edge should have what it has.  Its loss is looked at in any case: that notes
 * since when.  '*ret_hands_over': but for what is handed over. */
static bool gives_all(struct model *m, const struct host *h, uint64_t now_ms, bool *ret_hands_over)
{
	bool lost = host_is_lost(m, h->number, now_ms);

	*ret_hands_over = !lost && edge_heir(m, h->number, h->number);
	return (lost || h->drained) && choose(m, h->number);
}

/* What 'from' has goes to others, or to 0 if there is none. */
static int move_all(struct tx *tx, uint32_t from, bool hands_over, size_t *left)
{
	for (size_t i = 0; i < ARRAY_SIZE(holdings); i++) {
		struct model_iter it = model_iter_group(tx->m, holdings[i], from);
		const struct object *o = model_iter_next(&it);

		while (o && *left) {
			const struct object *next = model_iter_next(&it);
			bool stays = hands_over && working_gateway(tx->m, o);
			uint32_t to = stays ? from : choose(tx->m, from);
			int r = to == from ? 0 : move(tx, o, to);

			if (r)
				return r;
			*left -= !stays;
			o = next;
		}
	}
	return 0;
}

static bool has_to_move(const struct model *m, uint32_t from, bool hands_over)
{
	for (size_t i = 0; i < ARRAY_SIZE(holdings); i++) {
		struct model_iter it = model_iter_group(m, holdings[i], from);
		const struct object *o;

		while ((o = model_iter_next(&it)))
			if (!hands_over || !working_gateway(m, o))
				return true;
	}
	return false;
}

bool edge_due(struct model *m, uint64_t now_ms)
{
	struct model_iter it = model_iter_group(m, REL_EDGES, 0);
	const struct host *h;
	bool due = edge_load(m, 0) && edge_choose(m), hands_over;

	while ((h = (const struct host *)model_iter_next(&it)))
		if (gives_all(m, h, now_ms, &hands_over) && has_to_move(m, h->number, hands_over))
			due = true;
	return due;
}

static int do_settle(struct tx *tx, uint64_t now_ms, size_t max)
{
	struct model_iter it = model_iter_group(tx->m, REL_EDGES, 0);
	const struct host *h;
	bool hands_over;
	int r = 0;

	while (!r && (h = (const struct host *)model_iter_next(&it)))
		if (gives_all(tx->m, h, now_ms, &hands_over))
			r = move_all(tx, h->number, hands_over, &max);
	return r || !edge_choose(tx->m) ? r : move_all(tx, 0, false, &max);
}

int edge_settle(struct tx *tx, uint64_t now_ms, size_t max)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_settle(tx, now_ms, max));
}

enum edge_drain edge_drain_of(const struct model *m, const struct host *h)
{
	if (edge_load(m, h->number))
		return choose(m, h->number) ? EDGE_DRAIN_MOVES : EDGE_DRAIN_NO_OTHER;
	return host_instance_count(m, h->number) ? EDGE_DRAIN_INSTANCES : EDGE_DRAIN_EMPTY;
}

int edge_evacuate(struct tx *tx, const struct host *h)
{
	size_t all = SIZE_MAX;

	return h->edge ? move_all(tx, h->number, false, &all) : 0;
}

/* ---- asking ---- */

static bool has_in_network(const struct model *m, enum relation r, uint64_t vpc, uint32_t host)
{
	struct model_iter it = model_iter_group(m, r, vpc);
	const struct object *o;
	uint32_t vni, edge;

	while ((o = model_iter_next(&it)))
		if (edge_serves(o, &vni, &edge) && edge == host)
			return true;
	return false;
}

static bool has_nat(const struct model *m, uint64_t vpc, uint32_t host)
{
	struct model_iter it = model_iter_group(m, REL_VPC_NAT_GATEWAYS, vpc);
	const struct nat_gateway *g;

	while ((g = (const struct nat_gateway *)model_iter_next(&it)))
		if (nat_gateway_serves(g) && g->edge == host)
			return true;
	return false;
}

bool edge_may_know(const struct model *m, uint32_t host, uint32_t vni, const struct ipaddr *addr)
{
	const struct elastic *e = elastic_by_private(m, vni, addr);
	const struct vpc *v;

	/* who forwards into a network that it serves */
	if (vni >= SUBSTRATE_VNI_HANDLE_MIN)
		return edge_is(m, host) &&
		       carried_interfaces(m, CARRIED_NETWORK, mapping_network(vni, addr), host);
	if ((e && e->edge == host) || drain_find(m, vni, addr, host))
		return true;
	v = edge_is(m, host) ? vpc_by_vni(m, vni) : NULL;
	if (!v)
		return false;
	if (ipaddr_is_v4(addr))
		return has_nat(m, v->o.id, host);
	return has_in_network(m, REL_VPC_INTERNET_GATEWAY, v->o.id, host) ||
	       has_in_network(m, REL_VPC_EGRESS_GATEWAYS, v->o.id, host);
}
