/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's functions, each handed to the back-end that opened the data plane. */
#include "datapath/datapath.h"

#include <assert.h>
#include <stdlib.h>

#include "abi/connection.h"
#include "abi/substrate.h"
#include "datapath/provider.h"

const char *connection_text(uint8_t state)
{
	static const char *const texts[] = CONNECTION_TEXTS;

	static_assert(sizeof(texts) / sizeof(texts[0]) == CONNECTION_STATES, "one for each");
	return state < CONNECTION_STATES ? texts[state] : "unknown";
}

bool datapath_labels_are_valid(const struct prefix *range)
{
	return !range->len ||
	       (ipaddr_is_v4(&range->addr) && range->len >= 96 + SUBSTRATE_LABELS_LEN_MIN &&
		range->len <= 96 + SUBSTRATE_LABELS_LEN_MAX);
}

void datapath_adoption(const struct datapath *dp, struct dp_adoption *ret)
{
	dp->ops->adoption(dp, ret);
}

struct datapath *datapath_close(struct datapath *dp)
{
	return dp ? dp->ops->close(dp) : NULL;
}

struct dp_upcall *datapath_upcall_free(struct dp_upcall *upcall)
{
	if (upcall)
		free(upcall->frame);
	free(upcall);
	return NULL;
}

int datapath_upcall_fd(const struct datapath *dp)
{
	return dp->ops->upcall_fd(dp);
}

int datapath_event_fd(const struct datapath *dp)
{
	return dp->ops->event_fd(dp);
}

int datapath_substrate_set(struct datapath *dp, int ifindex)
{
	return dp->ops->substrate_set(dp, ifindex);
}

int datapath_port_set(struct datapath *dp, const struct dp_port *port)
{
	return dp->ops->port_set(dp, port);
}

int datapath_port_delete(struct datapath *dp, uint32_t id)
{
	return dp->ops->port_delete(dp, id);
}

int datapath_subnet_set(struct datapath *dp, const struct dp_subnet *subnet)
{
	return dp->ops->subnet_set(dp, subnet);
}

int datapath_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix)
{
	return dp->ops->subnet_delete(dp, vni, prefix);
}

int datapath_peer_set(struct datapath *dp, const struct dp_peer *peer)
{
	return dp->ops->peer_set(dp, peer);
}

int datapath_peer_plan(struct datapath *dp, const struct dp_peer *peer)
{
	return dp->ops->peer_plan(dp, peer);
}

int datapath_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
			   uint32_t *ret)
{
	return dp->ops->variant_class(dp, peer, variant, ret);
}

int datapath_peer_delete(struct datapath *dp, uint32_t id)
{
	return dp->ops->peer_delete(dp, id);
}

int datapath_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop)
{
	return dp->ops->nexthop_set(dp, nexthop);
}

int datapath_nexthop_delete(struct datapath *dp, uint32_t id)
{
	return dp->ops->nexthop_delete(dp, id);
}

int datapath_mapping_set(struct datapath *dp, const struct dp_mapping *mapping)
{
	return dp->ops->mapping_set(dp, mapping);
}

int datapath_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr)
{
	return dp->ops->mapping_delete(dp, vni, addr);
}

int datapath_group_set(struct datapath *dp, const struct dp_group *group)
{
	return dp->ops->group_set(dp, group);
}

int datapath_group_delete(struct datapath *dp, uint32_t number)
{
	return dp->ops->group_delete(dp, number);
}

int datapath_acl_set(struct datapath *dp, const struct dp_acl *acl)
{
	return dp->ops->acl_set(dp, acl);
}

int datapath_acl_delete(struct datapath *dp, uint32_t number)
{
	return dp->ops->acl_delete(dp, number);
}

int datapath_ports(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg)
{
	return dp->ops->ports(dp, fn, arg);
}

int datapath_subnets(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg)
{
	return dp->ops->subnets(dp, fn, arg);
}

int datapath_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret)
{
	return dp->ops->peer_held(dp, id, ret);
}

const char *datapath_seal_device(const struct datapath *dp)
{
	return dp->ops->seal_device(dp);
}

int datapath_peers(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg)
{
	return dp->ops->peers(dp, fn, arg);
}

int datapath_mappings(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *), void *arg)
{
	return dp->ops->mappings(dp, fn, arg);
}

int datapath_table_set(struct datapath *dp, const struct dp_table *table)
{
	return dp->ops->table_set(dp, table);
}

int datapath_table_delete(struct datapath *dp, uint32_t number)
{
	return dp->ops->table_delete(dp, number);
}

int datapath_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	return dp->ops->tables(dp, fn, arg);
}

int datapath_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	return dp->ops->peering_set(dp, vni_a, vni_b);
}

int datapath_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	return dp->ops->peering_delete(dp, vni_a, vni_b);
}

int datapath_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *),
		      void *arg)
{
	return dp->ops->peerings(dp, fn, arg);
}

int datapath_gateway_set(struct datapath *dp, const struct dp_gateway *gateway)
{
	return dp->ops->gateway_set(dp, gateway);
}

int datapath_gateway_delete(struct datapath *dp, uint32_t handle)
{
	return dp->ops->gateway_delete(dp, handle);
}

int datapath_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex)
{
	return dp->ops->gateway_device(dp, handle, ret_ifindex);
}

int datapath_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg)
{
	return dp->ops->gateways(dp, fn, arg);
}

int datapath_gateway_counters(struct datapath *dp, uint32_t handle, struct dp_gateway_counters *ret)
{
	return dp->ops->gateway_counters(dp, handle, ret);
}

int datapath_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			       struct dp_translation *ret, size_t *ret_n)
{
	return dp->ops->translations_read(dp, handle, at, ret, ret_n);
}

int datapath_translations_write(struct datapath *dp, uint32_t handle,
				const struct dp_translation *translations, size_t n)
{
	return dp->ops->translations_write(dp, handle, translations, n);
}

int datapath_public_set(struct datapath *dp, const struct dp_public *public)
{
	return dp->ops->public_set(dp, public);
}

int datapath_public_delete(struct datapath *dp, const struct ipaddr *public)
{
	return dp->ops->public_delete(dp, public);
}

int datapath_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *), void *arg)
{
	return dp->ops->publics(dp, fn, arg);
}

int datapath_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	return dp->ops->groups(dp, fn, arg);
}

int datapath_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	return dp->ops->acls(dp, fn, arg);
}

int datapath_connections(struct datapath *dp, uint32_t port,
			 int (*fn)(const struct dp_connection *, void *), void *arg)
{
	return dp->ops->connections(dp, port, fn, arg);
}

int datapath_upcall_read(struct datapath *dp, struct dp_upcall **ret)
{
	return dp->ops->upcall_read(dp, ret);
}

int datapath_reinject(struct datapath *dp, const struct dp_upcall *upcall)
{
	return dp->ops->reinject(dp, upcall);
}

int datapath_announce(struct datapath *dp, const struct ipaddr *addr)
{
	return dp->ops->announce(dp, addr);
}

int datapath_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size)
{
	return dp->ops->deliver(dp, port, frame, size);
}

int datapath_event_read(struct datapath *dp, struct dp_drop_event *ret)
{
	return dp->ops->event_read(dp, ret);
}

int datapath_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n)
{
	return dp->ops->drops(dp, port, ret, n);
}

int datapath_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret)
{
	return dp->ops->counters(dp, port, ret);
}

int datapath_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX])
{
	return dp->ops->traffic(dp, ret);
}

int datapath_window_close(struct datapath *dp, uint64_t now_ns)
{
	return dp->ops->window_close(dp, now_ns);
}

int datapath_window(struct datapath *dp, struct dp_window *ret)
{
	return dp->ops->window(dp, ret);
}

int datapath_window_forget(struct datapath *dp)
{
	return dp->ops->window_forget(dp);
}

int datapath_activate(struct datapath *dp)
{
	return dp->ops->activate(dp);
}

int datapath_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg)
{
	return dp->ops->records(dp, fn, arg);
}

int datapath_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret)
{
	return dp->ops->records_skipped(dp, port, ret);
}

int datapath_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror)
{
	return dp->ops->mirror_set(dp, port, mirror);
}

int datapath_copy_fd(const struct datapath *dp)
{
	return dp->ops->copy_fd(dp);
}

int datapath_copy_read(struct datapath *dp, struct dp_copy *ret)
{
	return dp->ops->copy_read(dp, ret);
}

int datapath_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size)
{
	return dp->ops->copy_send(dp, port, frame, size);
}
