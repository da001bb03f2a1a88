/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a frame of the fake data plane: it is refused, goes up to the agent, or to a node
 * or a gateway of this host, when the ports concerned let it.
 */
#include "datapath/fake_verdict.h"

#include <arpa/inet.h>

#include "abi/gateway.h"
#include "abi/substrate.h"
#include "datapath/fake_gateway.h"

/* What a node has sent on for others carries its handle as the source's network. */
bool fake_is_forwarded(const struct fake_flight *p)
{
	return p->src_vni >= SUBSTRATE_VNI_HANDLE_MIN;
}

/* A handle counts as the network it is in. */
uint32_t fake_network_of(const struct fake_flight *p)
{
	return fake_is_forwarded(p) ? p->vni : p->src_vni;
}

enum fake_verdict fake_refuse(struct fake_host *h, struct fake_port *port,
			      const struct fake_flight *p, uint32_t reason, uint32_t *ret_reason)
{
	struct dp_drop_event event = {
		.reason = reason,
		.port = port ? port->dp.id : 0,
		.vni = p->vni,
		.src = p->src,
		.dst = p->dst,
		.revision = p->revision,
	};

	fake_count_drop(h, port, &event);
	if (ret_reason)
		*ret_reason = reason;
	return FAKE_DROPPED;
}

enum fake_verdict fake_hold(struct fake_host *h, struct fake_port *port,
			    const struct fake_flight *p, enum dp_upcall_kind kind,
			    uint32_t *ret_reason)
{
	struct dp_upcall up = {
		.kind = kind,
		.port = port ? port->dp.id : 0,
		.vni = p->vni,
		.src = p->src,
		.dst = p->dst,
	};

	if (p->src_vni != p->vni) /* each asks in its own network */
		up.other_vni = port ? p->vni : p->src_vni;
	if (port)
		up.vni = port->dp.vni;
	if (port && up.other_vni == up.vni)
		up.other_vni = 0;
	if (port && p->by_exit)
		dp_exit_address(up.dst.b, htonl(ipaddr_v4(&p->src)));
	else if (fake_is_forwarded(p) && kind == DP_UPCALL_VERIFY)
		up.src = ipaddr_from_v4(p->vni);
	if (p->handle && !p->by_exit)
		up.dst = (struct ipaddr){};
	if (fake_queue_upcall(h, &up, p->frame, p->size))
		return fake_refuse(h, port, p, DROP_UPCALL_LIMIT, ret_reason);
	return FAKE_HELD;
}

enum fake_verdict fake_to_node(struct fake_host *h, struct fake_port *port,
			       const struct fake_flight *p, uint32_t *ret_reason)
{
	if (fake_queue_frame(port, p->frame, p->size))
		return fake_refuse(h, port, p, DROP_REWRITE, ret_reason);
	h->traffic[p->format].rx_packets++;
	h->traffic[p->format].rx_bytes += p->size;
	return FAKE_DELIVERED;
}

/* Asks one of the two ports: 0 or the reason. 'groups' are those of the other end. */
uint32_t fake_ask(struct fake_host *h, struct fake_port *port, const struct fake_flight *p,
		  bool egress, const uint32_t *groups, uint32_t n_groups)
{
	struct fake_judged what = {
		.vni = port->dp.vni,
		.egress = egress,
		.local = egress ? p->src : p->dst,
		.remote = egress ? p->dst : p->src,
		.groups = groups,
		.n_groups = n_groups,
		.tuple = &p->tuple,
	};

	struct fake_seen seen = {
		.frame = p->frame,
		.size = p->size,
		.src = p->src,
		.dst = p->dst,
		.source = p->tuple.source,
		.destination = p->tuple.destination,
		.protocol = p->tuple.protocol,
		.tcp = p->tuple.tcp,
		.egress = egress,
	};
	uint32_t reason;

	if (p->copied && egress)
		return 0;
	reason = fake_judge(h, port, &what);
	seen.reject = reason;
	fake_watch_see(h, port, &seen);
	return reason;
}

/* From one port of this host to another. */
enum fake_verdict fake_to_neighbour(struct fake_host *h, struct fake_port *port,
				    struct fake_port *here, const struct fake_flight *p,
				    uint32_t *ret_reason)
{
	uint32_t reason = fake_ask(h, port, p, true, here->dp.groups, here->dp.n_groups);

	if (here->dp.disabled) /* the sender's packet: counted there, as all that does not leave */
		return fake_refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (reason)
		return fake_refuse(h, port, p, reason, ret_reason);
	reason = fake_ask(h, here, p, false, port->dp.groups,
			  fake_is_forwarded(p) ? 0 : port->dp.n_groups);
	if (reason)
		return fake_refuse(h, here, p, reason, ret_reason);
	return fake_to_node(h, here, p, ret_reason);
}

struct fake_port *fake_port_by_handle(struct fake_host *h, uint32_t handle)
{
	for (size_t i = 0; handle && i < h->ports.n; i++) {
		struct fake_port *p = (struct fake_port *)h->ports.rows + i;

		if (p->dp.handle == handle)
			return p;
	}
	return NULL;
}

/* Out of the uplink: the world is not modelled, what leaves is counted. */
static enum fake_verdict to_world(struct fake_gateway *g, const struct fake_flight *p)
{
	g->counters.out_packets++;
	g->counters.out_bytes += p->size;
	return FAKE_DELIVERED;
}

/* For a handle of this host: a port's node, or a gateway. */
enum fake_verdict fake_to_handle(struct fake_host *h, const struct fake_flight *p,
				 uint32_t *ret_reason)
{
	struct fake_gateway *g = fake_gateway_find(h, p->handle);
	struct fake_port *port = fake_port_by_handle(h, p->handle);

	if (port)
		return port->dp.vni == p->vni ? fake_to_node(h, port, p, ret_reason)
					      : fake_refuse(h, NULL, p, DROP_VNI, ret_reason);
	if (!g)
		return fake_refuse(h, NULL, p, DROP_HANDLE, ret_reason);
	if (g->dp.vni != p->vni)
		return fake_refuse(h, NULL, p, DROP_VNI, ret_reason);
	if (g->dp.kind == DP_GATEWAY_NAT && fake_is_forwarded(p) &&
	    !fake_subnet_find(h, p->vni, &p->src))
		return fake_refuse(h, NULL, p, DROP_FOREIGN_SOURCE, ret_reason);
	if (g->dp.kind == DP_GATEWAY_INTERNET && ipaddr_is_v4(&p->src) &&
	    !fake_public_of(h, p->vni, &p->src))
		return fake_refuse(h, NULL, p, DROP_NO_PUBLIC, ret_reason);
	return to_world(g, p);
}

struct dp_pin_key fake_pin_key(const struct fake_port *port, const struct fake_flight *p, bool out)
{
	const struct fake_tuple *t = &p->tuple;
	struct dp_pin_key key = {
		.vni = out ? p->vni : p->src_vni,
		.slot = (uint16_t)port->dp.id,
		.protocol = t->protocol,
		.ports = out ? (uint32_t)t->source << 16 | t->destination
			     : (uint32_t)t->destination << 16 | t->source,
	};

	memcpy(key.local, out ? &p->src : &p->dst, sizeof(key.local));
	memcpy(key.remote, out ? &p->dst : &p->src, sizeof(key.remote));
	return key;
}
