/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits of private addresses.  See exit.h.
 */
#include "model/exit.h"

#include <string.h>

#include "abi/gateway.h"
#include "model/drain.h"
#include "model/elastic.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/table.h"
#include "model/tx.h"

const struct elastic *exit_public(const struct model *m, uint32_t vni, const struct ipaddr *addr)
{
	const struct elastic *e = elastic_by_private(m, vni, addr);

	if (!e)
		e = drain_find(m, vni, addr, 0);
	return e && !e->nat_gateway ? e : NULL;
}

struct ipaddr exit_address(const struct ipaddr *addr)
{
	struct ipaddr exit;
	uint32_t v4;

	memcpy(&v4, addr->b + 12, sizeof(v4));
	dp_exit_address(exit.b, v4);
	return exit;
}

bool exit_is(const struct ipaddr *exit, struct ipaddr *ret)
{
	static const struct ipaddr mapped = {{[10] = 0xff, 0xff}};
	uint32_t v4;

	if (!dp_exit_read(exit->b, &v4))
		return false;
	*ret = mapped;
	memcpy(ret->b + 12, &v4, sizeof(v4));
	return true;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct mapping exit_mapping(const struct model *m, uint32_t vni, const struct ipaddr *exit)
{
	struct mapping now = {.addr = *exit, .vni = vni};
	const struct internet_gateway *g;
	const struct elastic *e;
	struct ipaddr source;

	if (!exit_is(exit, &source))
		return now;
	e = exit_public(m, vni, &source);
	g = e ? internet_gateway_of(m, e->vpc) : NULL;
	if (!g)
		return now;
	now.host = e->edge;
	now.revision = later(e->o.revision, g->o.revision);
	return now;
}

bool exit_may_come(const struct model *m, uint32_t vni, const struct ipaddr *exit)
{
	struct ipaddr source;

	return exit_is(exit, &source) && interface_by_addr(m, vni, &source);
}

static bool leads_to_internet(const struct model *m, const struct interface *i)
{
	const struct route_table *t =
		route_table_of(m, (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet));

	for (size_t n = 0; t && n < t->n_routes; n++)
		if (t->routes[n].target == ROUTE_INTERNET_GATEWAY)
			return true;
	return false;
}

int exit_resolve(const struct model *m, uint32_t host, enum mapping_question q,
		 const struct mapping_key *asker, const struct mapping_key *exit,
		 struct mapping *ret)
{
	const struct mapping *asking = mapping_find_key(m->mappings, asker);
	const struct interface *i;
	struct mapping now;

	if (q != MAPPING_SEND || asker->vni != exit->vni || !asking || !mapping_is_at(asking, host))
		return MODEL_E_MAPPING_NOT_HERE;
	i = (const struct interface *)model_get(m, KIND_INTERFACE, asking->interface);
	if (!i || i->source_dest_check || !leads_to_internet(m, i))
		return MODEL_E_MAPPING_NOT_HERE;
	now = exit_mapping(m, exit->vni, &exit->addr);
	if (!now.host)
		return MODEL_E_MAPPING_UNKNOWN;
	*ret = now;
	return 0;
}

/* ---- changes ---- */

struct telling {
	const struct model *m;
	const struct change *c;
	void (*fn)(void *data, const struct mapping *now);
	void *data;
};

static void tell(const struct telling *t, uint32_t vni, const struct ipaddr *addr)
{
	struct ipaddr exit;
	struct mapping now;

	if (!vni)
		return;
	exit = exit_address(addr);
	now = exit_mapping(t->m, vni, &exit);
	now.revision = change_revision(t->c);
	t->fn(t->data, &now);
}

static bool same_exit(const struct elastic *a, const struct elastic *b)
{
	return a && b && a->vni == b->vni && a->edge == b->edge &&
	       a->nat_gateway == b->nat_gateway && ipaddr_equal(&a->private_addr, &b->private_addr);
}

static void tell_elastic(const struct telling *t, const struct elastic *before,
			 const struct elastic *after)
{
	if (same_exit(before, after))
		return;
	if (before)
		tell(t, before->vni, &before->private_addr);
	if (after && (!before || before->vni != after->vni ||
		      !ipaddr_equal(&before->private_addr, &after->private_addr)))
		tell(t, after->vni, &after->private_addr);
}

static void tell_network(const struct telling *t, uint64_t vpc)
{
	struct model_iter it = model_iter_group(t->m, REL_VPC_ADDRESSES, vpc);
	const struct elastic *e;

	while ((e = (const struct elastic *)model_iter_next(&it)))
		tell(t, e->vni, &e->private_addr);
}

static void tell_gateway(const struct telling *t, const struct internet_gateway *before,
			 const struct internet_gateway *after)
{
	uint64_t was = before ? before->vpc : 0, is = after ? after->vpc : 0;

	if (was != is && was)
		tell_network(t, was);
	if (was != is && is)
		tell_network(t, is);
}

void exit_changes(const struct model *m, const struct change *c,
		  void (*fn)(void *data, const struct mapping *now), void *data)
{
	const struct telling t = {m, c, fn, data};

	for (size_t k = 0; k < change_count(c); k++) {
		struct write w = change_get(c, k);
		const struct drain *d = (const struct drain *)(w.after ? w.after : w.before);

		if (w.kind == KIND_ADDRESS)
			tell_elastic(&t, (const struct elastic *)w.before,
				     (const struct elastic *)w.after);
		else if (w.kind == KIND_INTERNET_GATEWAY)
			tell_gateway(&t, (const struct internet_gateway *)w.before,
				     (const struct internet_gateway *)w.after);
		else if (w.kind == KIND_DRAIN)
			tell(&t, d->vni, &d->private_addr);
	}
}
