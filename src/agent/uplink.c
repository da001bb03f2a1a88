/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge says on its uplink: which public addresses it was given, and which IPv6 addresses of
 * networks are reached by it.  Nobody lists the latter to an edge: it says so of each when it gets
 * to know where that is, which is when the first packet from there or for it comes here, and of all
 * that it knows when the way of their subnets to the world may have become its own.  Whether it
 * has, the programs know (datapath_announce()).
 */
#include <string.h>

#include "abi/gateway.h"
#include "agent/agent.h"
#include "base/limits.h"

static bool uplink_is_outside(const struct ipaddr *addr)
{
	__be32 source;

	return !ipaddr_is_v4(addr) && !ipaddr_is_link_local(addr) &&
	       !dp_exit_read(addr->b, &source);
}

int uplink_announce(void *arg, int ifindex, const struct ipaddr *addr)
{
	const struct agent *a = arg;

	if (ipaddr_is_v4(addr))
		return a->config.announce(a->config.kernel_arg, ifindex, addr);
	return a->dp ? datapath_announce(a->dp, addr) : 0;
}

void uplink_learned(const struct ipaddr *addr, void *arg)
{
	struct agent *a = arg;

	if (a->desired.host.edge && uplink_is_outside(addr))
		announcer_add(&a->announcer, addr);
}

/* An item that the manager has given; a NAT gateway has its address, too. */
static void uplink_announce_item(struct agent *a, const struct desired_key *key,
				 const struct desired_item *item)
{
	const struct desired_gateway *gateway = (const struct desired_gateway *)item;

	if (item->applied != a->reconcile.opening)
		return;
	if (key->kind == DESIRED_PUBLIC)
		announcer_add(&a->announcer, &key->prefix.addr);
	if (key->kind == DESIRED_GATEWAY && desired_gateway_is_public(gateway))
		announcer_add(&a->announcer, &gateway->dp.public);
}

/* The route table of an IPv6 address's subnet, which is a /64 (model/cidr6.h); 0: none. */
static uint32_t uplink_table_of(const struct agent *a, const struct mapping *m)
{
	const struct prefix prefix = prefix_make(&m->addr, 64);
	const struct desired_subnet *subnet = desired_find_subnet(&a->desired, m->vni, &prefix);

	return subnet ? subnet->dp.table : 0;
}

/* What is known of subnets with one of the tables in 'keys'; of all, if there are many. */
static void uplink_announce_known(struct agent *a, const struct desired_key *tables, size_t n)
{
	const struct mapping *m;

	hmap_for_each (m, &a->cache.mappings, node) {
		uint32_t table;
		bool is = n > LIMIT_AGENT_ANNOUNCED_TABLES;

		if (!mapping_is_held(m) || !uplink_is_outside(&m->addr))
			continue;
		table = is ? 0 : uplink_table_of(a, m);
		for (size_t i = 0; i < n && !is; i++)
			is = table && tables[i].number == table;
		if (is)
			announcer_add(&a->announcer, &m->addr);
	}
}

void uplink_told(struct agent *a, const struct desired_key *keys, size_t n)
{
	struct desired_key tables[LIMIT_AGENT_ANNOUNCED_TABLES];
	size_t n_tables = 0;

	for (size_t i = 0; i < n; i++) {
		const struct desired_key *key = &keys[i];
		const struct desired_item *item = desired_find(&a->desired, key);

		if (key->kind == DESIRED_PUBLIC && !item)
			announcer_remove(&a->announcer, &key->prefix.addr);
		if (item)
			uplink_announce_item(a, key, item);
		if (item && key->kind == DESIRED_TABLE && n_tables++ < ARRAY_SIZE(tables))
			tables[n_tables - 1] = *key;
	}
	if (n_tables && a->desired.host.edge)
		uplink_announce_known(a, tables, n_tables);
}

void uplink_told_all(struct agent *a)
{
	static const enum desired_kind kinds[] = {DESIRED_PUBLIC, DESIRED_GATEWAY};
	struct desired_item *item;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		hmap_for_each (item, desired_table(&a->desired, kinds[k]), node) {
			const struct desired_key key = desired_key_of(kinds[k], item);

			uplink_announce_item(a, &key, item);
		}
	if (a->desired.host.edge)
		uplink_announce_known(a, NULL, SIZE_MAX);
}
