/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables derive of objects.  See table_derived.h.
 */
#include "model/table_derived.h"

#include "model/carrier.h"
#include "model/edge.h"
#include "model/group_set.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/mapping_table.h"
#include "model/placement_index.h"
#include "model/release.h"

static struct mapping mapping_of(const struct interface *i, size_t n)
{
	return (struct mapping){
		.addr = i->addrs[n].addr,
		.vni = i->vni,
		.host = interface_addr_host(i, n),
		.interface = i->o.id,
		.revision = i->addrs[n].revision,
		.groups = i->group_set,
		.hosts = i->addrs[n].arriving ? NULL : i->host_set,
		.subnet = i->subnet,
	};
}

/* The link-local address goes where the primary address goes. */
static struct mapping mapping_of_link_local(const struct interface *i)
{
	struct mapping record = mapping_of(i, 0);

	record.addr = interface_link_local(i);
	return record;
}

/* Where what it forwards comes from: nowhere while it may not. */
static bool mapping_of_forwarding(const struct interface *i, struct mapping *ret)
{
	uint32_t vni;
	struct ipaddr addr;

	if (!i || !interface_forwarding(i, &vni, &addr))
		return false;
	*ret = mapping_of(i, 0);
	ret->vni = vni;
	ret->addr = addr;
	ret->revision = i->o.revision;
	ret->groups = NULL;
	if (i->source_dest_check) {
		ret->host = 0;
		ret->hosts = NULL;
	}
	return true;
}

/* What carrying an interface at a host means. */
static void carry_at(struct model *m, const struct interface *i, uint32_t host,
		     void (*fn)(struct model *m, enum carried_kind k, uint32_t number,
				uint32_t host))
{
	if (host)
		fn(m, CARRIED_NETWORK, i->vni, host);
	for (size_t n = 0; n < i->n_groups; n++)
		fn(m, CARRIED_GROUP, i->groups[n].number, host);
}

/* Members that are on no host count as those of host 0. */
static void carry(struct model *m, const struct interface *i,
		  void (*fn)(struct model *m, enum carried_kind k, uint32_t number, uint32_t host))
{
	if (!interface_is_desired(i))
		carry_at(m, i, 0, fn);
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (attachment_is_desired(interface_attachment(i, n)))
			carry_at(m, i, interface_attachment(i, n)->host, fn);
}

static void replace_sets(struct model *m, const struct interface *old, const struct interface *new)
{
	if (new) {
		group_set_hold(m, new->group_set);
		group_set_hold(m, new->host_set);
	}
	if (old) {
		group_set_release(m, old->group_set);
		group_set_release(m, old->host_set);
	}
}

static void replace_forwarding(struct model *m, const struct interface *old,
			       const struct interface *new)
{
	struct mapping before, after;
	bool there = mapping_of_forwarding(new, &after);

	if (mapping_of_forwarding(old, &before) && !(there && before.vni == after.vni))
		mapping_table_remove(m->mappings, before.vni, &before.addr, old->o.id);
	if (there)
		mapping_table_put(m->mappings, &after);
}

static void replace_interface(struct model *m, const struct interface *old,
			      const struct interface *now)
{
	if (now)
		carry(m, now, carrier_add);
	if (old)
		carry(m, old, carrier_remove);
	replace_sets(m, old, now);
	for (size_t n = 0; old && n < old->n_addrs; n++)
		if (!interface_has_addr(now, &old->addrs[n].addr))
			mapping_table_remove(m->mappings, old->vni, &old->addrs[n].addr, old->o.id);
	if (old && !now) {
		struct ipaddr addr = interface_link_local(old);

		mapping_table_remove(m->mappings, old->vni, &addr, old->o.id);
	}
	for (size_t n = 0; now && n < now->n_addrs; n++) {
		struct mapping record = mapping_of(now, n);

		mapping_table_put(m->mappings, &record);
	}
	if (now) {
		struct mapping record = mapping_of_link_local(now);

		mapping_table_put(m->mappings, &record);
	}
	replace_forwarding(m, old, now);
}

/* An edge carries the networks that it has gateways and public addresses of. */
static void replace_edge(struct model *m, const struct object *old, const struct object *new)
{
	uint32_t vni, host;

	if (edge_serves(new, &vni, &host))
		carrier_add(m, CARRIED_NETWORK, vni, host);
	if (edge_serves(old, &vni, &host))
		carrier_remove(m, CARRIED_NETWORK, vni, host);
}

static void replace_release(struct model *m, const struct release *old, const struct release *new)
{
	/* the address of a move is in the interface that gets it */
	if (old && !old->to)
		mapping_table_remove(m->mappings, old->vni, &old->addr, 0);
	if (new && !new->to) {
		struct mapping record = {
			.addr = new->addr, .vni = new->vni, .revision = new->o.revision};

		mapping_table_put(m->mappings, &record);
	}
}

static bool has_range(const struct object *host)
{
	return host && ((const struct host *)host)->locators.aliases.len;
}

static void forget_subnet(struct model *m, uint64_t subnet)
{
	struct group *g = group_find(m, REL_SUBNET_INTERFACES, KIND_INTERFACE, subnet);

	if (g && !g->n && list_empty(&g->idle))
		list_push_back(&m->idle_groups, &g->idle);
}

static bool is_of_choices(enum kind k)
{
	return k == KIND_CHOICE_POLICY || k == KIND_CHOICE_CHANGE || k == KIND_CHOICE_PASS;
}

void table_derived_replace(struct model *m, struct object *old, struct object *new)
{
	const struct object *any = new ? new : old;

	placement_index_replace(m, old, new);
	if (any->kind == KIND_INTERFACE)
		replace_interface(m, (struct interface *)old, (struct interface *)new);
	else if (any->kind == KIND_SUBNET && !new)
		forget_subnet(m, any->id);
	else if (any->kind == KIND_CHOICE_POLICY)
		choice_rules_set(&m->choice_rules, (struct choice_policy *)old,
				 (struct choice_policy *)new);
	else if (any->kind == KIND_RELEASE)
		replace_release(m, (struct release *)old, (struct release *)new);
	else
		replace_edge(m, old, new);
	if (is_of_choices(any->kind))
		choice_passing_follow(m);
	m->kinds_epoch += any->kind == KIND_HOST || is_of_choices(any->kind);
	if (any->kind == KIND_HOST)
		m->n_ranges = m->n_ranges + has_range(new) - has_range(old);
}
