/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's operations on a host of a fake world: what reads and writes its tables. */
#include "datapath/fake_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/fake_device.h"
#include "datapath/fake_gateway.h"
#include "datapath/fake_peer.h"

static struct dp_subnet *subnet_exact(struct fake_host *h, uint32_t vni,
				      const struct prefix *prefix)
{
	for (size_t i = 0; i < h->subnets.n; i++) {
		struct dp_subnet *s = fake_table_row(&h->subnets, i);

		if (s->vni == vni && prefix_equal(&s->prefix, prefix))
			return s;
	}
	return NULL;
}

static struct dp_nexthop *nexthop_find(struct fake_host *h, uint32_t id)
{
	for (size_t i = 0; i < h->nexthops.n; i++) {
		struct dp_nexthop *n = fake_table_row(&h->nexthops, i);

		if (n->id == id)
			return n;
	}
	return NULL;
}

static struct datapath *op_close(struct datapath *dp)
{
	fake_host_of(dp)->open = false;
	dp_preparer_unref(dp->preparer);
	free(dp);
	return NULL;
}

static void op_adoption(const struct datapath *dp, struct dp_adoption *ret)
{
	*ret = container_of(dp, const struct fake_datapath, base)->adoption;
}

static int op_activate(struct datapath *dp)
{
	fake_host_of(dp)->formats = container_of(dp, struct fake_datapath, base)->formats;
	return 0;
}

static int op_substrate_set(struct datapath *dp, int ifindex)
{
	struct fake_host *h = fake_host_of(dp);

	if (h->devices.fail_substrate)
		return h->devices.fail_substrate;
	h->config.substrate_ifindex = ifindex;
	h->devices.n_substrates++;
	return 0;
}

/* Remembers the addresses of 'was' that 'is' (NULL: nothing) has not.  Without memory nobody is
 * told. */
static void note_departed(struct fake_host *h, const struct dp_port *was, const struct dp_port *is)
{
	for (uint32_t i = 0; i < was->n_addrs; i++) {
		struct fake_departed d = {.vni = was->vni, .addr = was->addrs[i]};
		uint32_t k = 0;

		while (is && is->vni == was->vni && k < is->n_addrs &&
		       !ipaddr_equal(&is->addrs[k], &d.addr))
			k++;
		if ((!is || is->vni != was->vni || k == is->n_addrs) &&
		    !fake_has_departed(h, d.vni, &d.addr))
			(void)!fake_table_put(&h->departed, NULL, &d);
	}
}

static int op_port_set(struct datapath *dp, const struct dp_port *port)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_port *p = fake_port_find(h, port->id);

	if (!port->id || !port->vni || port->n_addrs > DP_PORT_ADDRS_MAX ||
	    port->n_groups > DP_GROUPS_MAX)
		return -EINVAL;
	if (!p) {
		struct list *received = malloc(sizeof(*received));

		if (!received)
			return -ENOMEM;
		p = fake_table_row_add(&h->ports);
		if (!p) {
			free(received);
			return -ENOMEM;
		}
		list_init(received);
		p->received = received;
	}
	if (p->dp.ifindex != port->ifindex)
		fake_device_enter(h, port);
	else if (port->logged || port->vlan)
		fake_device_watch(h, &p->dp);
	note_departed(h, &p->dp, port);
	p->dp = *port;
	return 0;
}

static int op_port_delete(struct datapath *dp, uint32_t id)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_port *p = fake_port_find(h, id);

	if (!p)
		return -ENOENT;
	note_departed(h, &p->dp, NULL);
	fake_watch_forget_port(h, id);
	fake_port_clear(p);
	fake_table_row_remove(&h->ports, p);
	return 0;
}

static int op_subnet_set(struct datapath *dp, const struct dp_subnet *s)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_put(&h->subnets, subnet_exact(h, s->vni, &s->prefix), s);
}

static int op_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_drop(&h->subnets, subnet_exact(h, vni, prefix));
}

/* What is sealed arrives sealed, without a device. */
static const char *op_seal_device(const struct datapath *dp)
{
	return "";
}

static int op_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_put(&h->nexthops, nexthop_find(h, nexthop->id), nexthop);
}

static int op_nexthop_delete(struct datapath *dp, uint32_t id)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_drop(&h->nexthops, nexthop_find(h, id));
}

static int op_mapping_set(struct datapath *dp, const struct dp_mapping *m)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_mapping *found = fake_mapping_find(h, m->vni, &m->addr);

	if (!found && h->config.max_mappings && h->mappings.n >= h->config.max_mappings)
		return -ENOSPC;
	return fake_table_put(&h->mappings, found, m);
}

static int op_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr)
{
	struct fake_host *h = fake_host_of(dp);

	return fake_table_drop(&h->mappings, fake_mapping_find(h, vni, addr));
}

/* One walk for all tables; a row begins with the contract's record. */
#define OP_WALK(name, table, type)                                                                 \
	static int op_##name(struct datapath *dp, int (*fn)(const type *, void *), void *arg)      \
	{                                                                                          \
		struct fake_host *h = fake_host_of(dp);                                            \
		int r = 0;                                                                         \
                                                                                                   \
		for (size_t i = 0; !r && i < h->table.n; i++)                                      \
			r = fn(fake_table_row(&h->table, i), arg);                                 \
		return r;                                                                          \
	}
OP_WALK(ports, ports, struct dp_port)
OP_WALK(subnets, subnets, struct dp_subnet)
OP_WALK(peers, peers, struct dp_peer)
OP_WALK(mappings, mappings, struct dp_mapping)
#undef OP_WALK

/* Rows that are shown by their number, which comes first. */
static int walk_numbers(struct fake_table *t, int (*fn)(uint32_t number, void *), void *arg)
{
	int r = 0;

	for (size_t i = 0; !r && i < t->n; i++)
		r = fn(*(const uint32_t *)fake_table_row(t, i), arg);
	return r;
}

static int op_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	static_assert(!offsetof(struct dp_group, number), "first");
	return walk_numbers(&fake_host_of(dp)->groups, fn, arg);
}

static int op_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	static_assert(!offsetof(struct dp_acl, number), "first");
	return walk_numbers(&fake_host_of(dp)->acls, fn, arg);
}

static int op_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size)
{
	struct fake_port *p = fake_port_find(fake_host_of(dp), port);

	return p ? fake_queue_frame(p, frame, size) : -ENOENT;
}

static int op_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_port *p = fake_port_find(h, port);

	if (port && !p)
		return -ENOENT;
	for (size_t i = 0; i < n; i++)
		ret[i] = i >= DROP_REASON_MAX ? 0 : port ? p->drops[i] : h->drops[i];
	return 0;
}

static int op_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret)
{
	struct fake_port *p = fake_port_find(fake_host_of(dp), port);

	if (!p)
		return -ENOENT;
	*ret = p->counters;
	return 0;
}

static int op_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX])
{
	memcpy(ret, fake_host_of(dp)->traffic, sizeof(fake_host_of(dp)->traffic));
	return 0;
}

const struct datapath_ops fake_ops = {
	.close = op_close,
	.activate = op_activate,
	.adoption = op_adoption,
	.substrate_set = op_substrate_set,
	.port_set = op_port_set,
	.port_delete = op_port_delete,
	.subnet_set = op_subnet_set,
	.subnet_delete = op_subnet_delete,
	.peer_plan = fake_peer_plan,
	.variant_class = fake_variant_class,
	.peer_set = fake_peer_set,
	.peer_delete = fake_peer_delete,
	.nexthop_set = op_nexthop_set,
	.nexthop_delete = op_nexthop_delete,
	.mapping_set = op_mapping_set,
	.mapping_delete = op_mapping_delete,
	.group_set = fake_group_set,
	.group_delete = fake_group_delete,
	.acl_set = fake_acl_set,
	.acl_delete = fake_acl_delete,
	.ports = op_ports,
	.subnets = op_subnets,
	.peers = op_peers,
	.peer_held = fake_peer_held,
	.seal_device = op_seal_device,
	.mappings = op_mappings,
	.table_set = fake_table_set,
	.table_delete = fake_table_delete,
	.tables = fake_tables,
	.peering_set = fake_peering_set,
	.peering_delete = fake_peering_delete,
	.peerings = fake_peerings,
	.gateway_set = fake_gateway_set,
	.gateway_delete = fake_gateway_delete,
	.gateway_device = fake_gateway_device,
	.gateways = fake_gateways,
	.gateway_counters = fake_gateway_counters,
	.translations_read = fake_translations_read,
	.translations_write = fake_translations_write,
	.public_set = fake_public_set,
	.public_delete = fake_public_delete,
	.publics = fake_publics,
	.groups = op_groups,
	.acls = op_acls,
	.connections = fake_connections,
	.upcall_fd = fake_upcall_fd,
	.upcall_read = fake_upcall_read,
	.reinject = fake_reinject,
	.announce = fake_announce,
	.deliver = op_deliver,
	.event_fd = fake_event_fd,
	.event_read = fake_event_read,
	.drops = op_drops,
	.counters = op_counters,
	.traffic = op_traffic,
	.window_close = fake_window_close,
	.window = fake_window,
	.window_forget = fake_window_forget,
	.records = fake_records,
	.records_skipped = fake_records_skipped,
	.mirror_set = fake_mirror_set,
	.copy_fd = fake_copy_fd,
	.copy_read = fake_copy_read,
	.copy_send = fake_copy_send,
};
