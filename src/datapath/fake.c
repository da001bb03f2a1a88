/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of the fake data plane: the same questions in the same order as the programs of bpf/
 * ask them, on the tables of fake_tables.c.
 */
#include "datapath/fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

#include "abi/gateway.h"
#include "abi/substrate.h"
#include "datapath/fake_device.h"
#include "datapath/fake_gateway.h"
#include "datapath/fake_packet.h"
#include "datapath/fake_spread.h"
#include "net/csum.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP6_SERVER_PORT = 547,
	DNS_PORT = 53,
};

/* A frame under way. */
struct packet {
	const uint8_t *frame;
	size_t size;
	uint32_t vni;
	struct ipaddr src, dst;
	uint8_t protocol;
	uint16_t destination_port;
	struct fake_tuple tuple;
	uint32_t src_vni;   /* of the sender's network */
	uint32_t handle;    /* of a gateway or port, whatever the address; 0: none */
	uint64_t revision;  /* of the mapping that decided, for the event */
	bool reinjected;    /* HELD counts as LIVE */
	bool elsewhere;     /* to another of the address's hosts, though it is here too */
	bool copied;        /* the agent's own, with a copy inside: its port is not asked */
	struct ipaddr home; /* the source, or of what a node forwards its own first address */
	bool by_exit;       /* it is known where its source is public, or that is asked */
	enum format format; /* that it left its host in, or is to come to this one in */
};

/* What a node has sent on for others carries its handle as the source's network. */
static bool is_forwarded(const struct packet *p)
{
	return p->src_vni >= SUBSTRATE_VNI_HANDLE_MIN;
}

/* A handle counts as the network it is in. */
static uint32_t network_of(const struct packet *p)
{
	return is_forwarded(p) ? p->vni : p->src_vni;
}

int fake_world_new(struct fake_world **ret)
{
	struct fake_world *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	list_init(&w->hosts);
	*ret = w;
	return 0;
}

struct fake_world *fake_world_free(struct fake_world *world)
{
	while (world && !list_empty(&world->hosts))
		fake_host_free(container_of(world->hosts.next, struct fake_host, link));
	free(world);
	return NULL;
}

int datapath_open_fake(struct fake_world *world, const struct dp_config *config,
		       struct datapath **ret, bool *ret_adopted)
{
	struct fake_host *h = fake_host_find(world, config->name);
	bool adopted = h != NULL;
	struct fake_datapath *dp;
	int r;

	if (!config->name[0] || strlen(config->name) >= FAKE_NAME_SIZE)
		return -EINVAL;
	if (h && (!prefix_equal(&h->config.siit1, &config->siit1) ||
		  !prefix_equal(&h->config.siit2, &config->siit2) ||
		  h->config.max_mappings != config->max_mappings))
		return -EINVAL;
	if (h && h->open)
		return -EBUSY;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return -ENOMEM;
	if (!h) {
		r = fake_host_new(world, config, &h);
		if (r) {
			free(dp);
			return r;
		}
	}
	r = fake_preparer_new(h, &dp->base.preparer);
	if (r) {
		free(dp);
		return r;
	}
	h->open = true;
	h->config.substrate_ifindex = config->substrate_ifindex;
	dp->base.ops = &fake_ops;
	dp->host = h;
	dp->formats = config->formats ? config->formats : UINT32_MAX;
	dp->adoption = h->next_adoption;
	h->next_adoption = (struct dp_adoption){};
	if (!adopted || !config->defer)
		h->formats = dp->formats;
	*ret = &dp->base;
	*ret_adopted = adopted;
	return 0;
}

void fake_next_adoption(struct fake_world *world, const char *name,
			const struct dp_adoption *adoption)
{
	fake_host_find(world, name)->next_adoption = *adoption;
}

void fake_destroy(struct fake_world *world, const char *name)
{
	fake_host_free(fake_host_find(world, name));
}

/* ---- verdicts ---- */

static enum fake_verdict refuse(struct fake_host *h, struct fake_port *port, const struct packet *p,
				uint32_t reason, uint32_t *ret_reason)
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

static enum fake_verdict hold(struct fake_host *h, struct fake_port *port, const struct packet *p,
			      enum dp_upcall_kind kind, uint32_t *ret_reason)
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
	else if (is_forwarded(p) && kind == DP_UPCALL_VERIFY)
		up.src = ipaddr_from_v4(p->vni);
	if (p->handle && !p->by_exit)
		up.dst = (struct ipaddr){};
	if (fake_queue_upcall(h, &up, p->frame, p->size))
		return refuse(h, port, p, DROP_UPCALL_LIMIT, ret_reason);
	return FAKE_HELD;
}

static enum fake_verdict to_node(struct fake_host *h, struct fake_port *port,
				 const struct packet *p, uint32_t *ret_reason)
{
	if (fake_queue_frame(port, p->frame, p->size))
		return refuse(h, port, p, DROP_REWRITE, ret_reason);
	h->traffic[p->format].rx_packets++;
	h->traffic[p->format].rx_bytes += p->size;
	return FAKE_DELIVERED;
}

/* ---- policy ---- */

/* Asks one of the two ports: 0 or the reason. 'groups' are those of the other end. */
static uint32_t judge(struct fake_host *h, struct fake_port *port, const struct packet *p,
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
static enum fake_verdict to_neighbour(struct fake_host *h, struct fake_port *port,
				      struct fake_port *here, const struct packet *p,
				      uint32_t *ret_reason)
{
	uint32_t reason = judge(h, port, p, true, here->dp.groups, here->dp.n_groups);

	if (here->dp.disabled) /* the sender's packet: counted there, as all that does not leave */
		return refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (reason)
		return refuse(h, port, p, reason, ret_reason);
	reason = judge(h, here, p, false, port->dp.groups, is_forwarded(p) ? 0 : port->dp.n_groups);
	if (reason)
		return refuse(h, here, p, reason, ret_reason);
	return to_node(h, here, p, ret_reason);
}

/* ---- arriving from the substrate ---- */

/* The peer record of 'h' for another host, by its substrate addresses. */
static struct dp_peer *peer_of(struct fake_host *h, const struct fake_host *from)
{
	for (size_t i = 0; i < h->peers.n; i++) {
		struct dp_peer *p = (struct dp_peer *)h->peers.rows + i;

		if ((from->config.siit2.len && prefix_equal(&p->siit2, &from->config.siit2)) ||
		    (from->config.siit1.len && prefix_equal(&p->siit1, &from->config.siit1)) ||
		    (!ipaddr_is_zero(&from->config.v4) && ipaddr_equal(&p->v4, &from->config.v4)))
			return p;
	}
	return NULL;
}

/* Who sent a packet that waits for verification and what it is for, in the MACs: as with the
 * programs' notes. */
struct note {
	uint32_t peer, handle;
	uint16_t format, seal;
};
static_assert(sizeof(struct note) == 12, "fills two MACs");

static enum fake_verdict hold_for_verification(struct fake_host *h, const struct dp_peer *peer,
					       enum format format, enum seal_cipher seal,
					       const struct packet *p, uint32_t *ret_reason)
{
	_cleanup_free_ uint8_t *frame = malloc(p->size);
	struct note note = {.peer = peer->id,
			    .handle = p->handle,
			    .format = (uint16_t)format,
			    .seal = (uint16_t)seal};
	struct packet noted = *p;

	if (!frame)
		return refuse(h, NULL, p, DROP_UPCALL_LIMIT, ret_reason);
	memcpy(frame, p->frame, p->size);
	memcpy(frame, &note, sizeof(note));
	noted.frame = frame;
	return hold(h, NULL, &noted, DP_UPCALL_VERIFY, ret_reason);
}

/* For an address that was here, from who lives there: dropped, and shown to the agent. */
static enum fake_verdict show_stale(struct fake_host *h, const struct dp_peer *peer,
				    const struct packet *p, uint32_t *ret_reason)
{
	struct dp_upcall up = {.kind = DP_UPCALL_STALE,
			       .peer = peer->id,
			       .vni = p->vni,
			       .src = p->src,
			       .dst = p->dst};

	if (p->src_vni != p->vni)
		up.other_vni = p->src_vni;
	/* a queue that is full shows less of it */
	(void)!fake_queue_upcall(h, &up, p->frame, p->size);
	return refuse(h, NULL, p, DROP_LOCAL_GONE, ret_reason);
}

static struct fake_port *port_by_handle(struct fake_host *h, uint32_t handle)
{
	for (size_t i = 0; handle && i < h->ports.n; i++) {
		struct fake_port *p = (struct fake_port *)h->ports.rows + i;

		if (p->dp.handle == handle)
			return p;
	}
	return NULL;
}

/* From an edge: an address that no subnet of the network has needs no mapping, but for a
 * gateway. */
static bool is_outside(struct fake_host *h, const struct dp_peer *peer,
		       const struct fake_port *port, const struct packet *p)
{
	return peer->edge && p->src_vni == p->vni && (!p->handle || port) &&
	       !fake_subnet_find(h, p->vni, &p->src);
}

/* Out of the uplink: the world is not modelled, what leaves is counted. */
static enum fake_verdict to_world(struct fake_gateway *g, const struct packet *p)
{
	g->counters.out_packets++;
	g->counters.out_bytes += p->size;
	return FAKE_DELIVERED;
}

/* For a handle of this host: a port's node, or a gateway. */
static enum fake_verdict to_handle(struct fake_host *h, const struct packet *p,
				   uint32_t *ret_reason)
{
	struct fake_gateway *g = fake_gateway_find(h, p->handle);
	struct fake_port *port = port_by_handle(h, p->handle);

	if (port)
		return port->dp.vni == p->vni ? to_node(h, port, p, ret_reason)
					      : refuse(h, NULL, p, DROP_VNI, ret_reason);
	if (!g)
		return refuse(h, NULL, p, DROP_HANDLE, ret_reason);
	if (g->dp.vni != p->vni)
		return refuse(h, NULL, p, DROP_VNI, ret_reason);
	if (g->dp.kind == DP_GATEWAY_NAT && is_forwarded(p) &&
	    !fake_subnet_find(h, p->vni, &p->src))
		return refuse(h, NULL, p, DROP_FOREIGN_SOURCE, ret_reason);
	if (g->dp.kind == DP_GATEWAY_INTERNET && ipaddr_is_v4(&p->src) &&
	    !fake_public_of(h, p->vni, &p->src))
		return refuse(h, NULL, p, DROP_NO_PUBLIC, ret_reason);
	return to_world(g, p);
}

/* As bpf/lib/variant.h: the record that decides between two nodes. */
static struct dp_peer decisive(const struct dp_peer *peer, uint32_t vni, const struct ipaddr *addr,
			       uint32_t peer_vni, const struct ipaddr *peer_addr)
{
	const struct dp_variant *found = NULL;
	struct dp_peer p = *peer;

	for (size_t i = 0; i < peer->n_variants; i++) {
		const struct dp_variant *v = &peer->variants[i];
		bool all = ipaddr_is_zero(&v->addr);

		if (v->vni != vni || v->peer_vni != peer_vni || (all && found))
			continue;
		if (all || (ipaddr_equal(&v->addr, addr) && ipaddr_equal(&v->peer_addr, peer_addr)))
			found = v;
	}
	if (!found)
		return p;
	p.send = found->send;
	p.accept = found->accept;
	p.vxlan_over_v6 = found->vxlan_over_v6;
	p.path_mtu = found->path_limit && found->path_limit < found->path_mtu ? found->path_limit
									      : found->path_mtu;
	p.seal = found->seal;
	memcpy(p.accept_sealed, found->accept_sealed, sizeof(p.accept_sealed));
	p.nexthop = found->nexthop;
	return p;
}

/* In another version of what is accepted, or in none of it. */
static uint32_t format_refusal(uint32_t accept, enum format format)
{
	return accept & FORMAT_VERSIONS(format) ? DROP_FORMAT_VERSION : DROP_FORMAT;
}

/* As bpf/lib/seal.h. */
static uint32_t seal_refusal(const struct dp_peer *peer, enum seal_cipher seal, enum format format)
{
	uint32_t accept = seal ? peer->accept_sealed[seal] : peer->accept, sealed = 0;

	if (accept & FORMAT_BIT(format))
		return DROP_NONE;
	for (int i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		sealed |= peer->accept_sealed[i];
	if (seal)
		return accept & ~(uint32_t)SEAL_ACCEPT_LZ4 ? format_refusal(accept, format)
							   : DROP_SEALED;
	return sealed & FORMAT_BIT(format) ? DROP_PLAIN : format_refusal(accept, format);
}

static struct dp_pin_key pin_key(const struct fake_port *port, const struct packet *p, bool out)
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

/* The address is at 'peer', or at several hosts of which that is one. */
static bool is_at(const struct dp_mapping *m, uint32_t peer)
{
	for (uint32_t i = 0; i < m->n_peers; i++)
		if (m->peers[i] == peer)
			return true;
	return !m->n_peers && m->peer == peer;
}

static enum fake_verdict arrive(struct fake_host *h, const struct dp_peer *peer, enum format format,
				enum seal_cipher seal, struct packet *p, uint32_t *ret_reason)
{
	struct ipaddr into = ipaddr_from_v4(p->vni);
	struct dp_mapping *m = fake_mapping_find(h, p->src_vni, is_forwarded(p) ? &into : &p->src);
	struct fake_port *port =
		p->handle ? port_by_handle(h, p->handle) : fake_port_by_addr(h, p->vni, &p->dst);
	struct dp_mapping outside = {.peer = peer ? peer->id : 0};
	struct dp_peer accepts;
	uint32_t reason;
	bool gone;

	p->format = format;
	if (!peer)
		return refuse(h, NULL, p, DROP_UNKNOWN_PEER, ret_reason);
	if (p->src_vni != p->vni && !is_forwarded(p) && !fake_is_peered(h, p->src_vni, p->vni))
		return refuse(h, NULL, p, DROP_NOT_PEERED, ret_reason);
	accepts = decisive(peer, p->vni, &p->dst, network_of(p), &p->src);
	reason = h->formats & FORMAT_BIT(format) ? seal_refusal(&accepts, seal, format)
						 : DROP_FORMAT;
	if (reason)
		return refuse(h, NULL, p, reason, ret_reason);
	if (p->handle && !port && !fake_gateway_find(h, p->handle))
		return refuse(h, NULL, p, DROP_HANDLE, ret_reason);
	if (!m && is_outside(h, peer, port, p))
		m = &outside;
	gone = !port && !p->handle && fake_has_departed(h, p->vni, &p->dst);
	if (!port && !p->handle && !gone)
		return refuse(h, NULL, p, DROP_NOT_LOCAL, ret_reason);
	if (port && port->dp.disabled)
		return refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (!m && gone)
		return refuse(h, NULL, p, DROP_LOCAL_GONE, ret_reason);
	if (!m || (m->state == DP_MAPPING_HELD && !p->reinjected && !gone))
		return hold_for_verification(h, peer, format, seal, p, ret_reason);
	p->revision = m->revision;
	if (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE)
		return refuse(h, NULL, p, DROP_SOURCE_REFUSED, ret_reason);
	if (!is_at(m, peer->id))
		return refuse(h, NULL, p, DROP_SPOOF, ret_reason);
	if (gone)
		return show_stale(h, peer, p, ret_reason);
	if (p->handle)
		return to_handle(h, p, ret_reason);
	reason = judge(h, port, p, false, m->groups, m->n_groups);
	if (reason)
		return refuse(h, port, p, reason, ret_reason);
	if (m->n_peers) {
		struct dp_pin_key key = pin_key(port, p, false);

		fake_spread_note(h, m, &key, peer->id);
	}
	return to_node(h, port, p, ret_reason);
}

/* ---- leaving ---- */

static struct fake_host *host_of_peer(struct fake_host *h, const struct dp_peer *peer)
{
	for (struct list *l = h->world->hosts.next; l != &h->world->hosts; l = l->next) {
		struct fake_host *other = container_of(l, struct fake_host, link);

		if ((peer->siit2.len && prefix_equal(&peer->siit2, &other->config.siit2)) ||
		    (peer->siit1.len && prefix_equal(&peer->siit1, &other->config.siit1)) ||
		    (!ipaddr_is_zero(&peer->v4) && ipaddr_equal(&peer->v4, &other->config.v4)))
			return other;
	}
	return NULL;
}

static enum fake_verdict leave(struct fake_host *h, struct fake_port *port, struct packet *p,
			       const struct dp_mapping *m, uint32_t *ret_reason)
{
	const struct dp_peer *peer = fake_peer_find(h, m->peer);
	struct dp_peer towards;
	struct fake_port *here =
		p->handle || p->elsewhere ? NULL : fake_port_by_addr(h, p->vni, &p->dst);
	struct packet arriving = *p;
	struct fake_host *other;
	uint32_t reason;

	if (here)
		return to_neighbour(h, port, here, p, ret_reason);
	if (!peer)
		return refuse(h, port, p, DROP_NO_PEER, ret_reason);
	towards = decisive(peer, network_of(p), &p->src, p->vni, &p->dst);
	peer = &towards;
	if (peer->send == FORMAT_NONE || !(h->formats & FORMAT_BIT(peer->send)) ||
	    (peer->send == FORMAT_VXLAN_1 && p->src_vni != p->vni))
		return refuse(h, port, p, DROP_NO_FORMAT, ret_reason);
	p->format = peer->send;
	if (!peer->nexthop)
		return refuse(h, port, p, DROP_NO_NEXTHOP, ret_reason);
	reason = judge(h, port, p, true, m->groups, m->n_groups);
	if (reason)
		return refuse(h, port, p, reason, ret_reason);
	other = host_of_peer(h, peer);
	if (!other)
		return FAKE_DELIVERED; /* left this host; nobody is there, as on a real substrate */
	arriving.reinjected = false;
	arriving.elsewhere = false;
	return arrive(other, peer_of(other, h), peer->send, peer->seal, &arriving, ret_reason);
}

/* To one of the hosts of the address, which may be this one. */
static enum fake_verdict leave_spread(struct fake_host *h, struct fake_port *port, struct packet *p,
				      const struct dp_mapping *m, uint32_t *ret_reason)
{
	struct fake_port *here = fake_port_by_addr(h, p->vni, &p->dst);
	struct dp_pin_key key = pin_key(port, p, true);
	struct dp_mapping chosen = *m;

	if (fake_spread_choose(h, m, &key, here, &chosen.peer))
		return refuse(h, port, p, DROP_NO_PEER, ret_reason);
	p->elsewhere = chosen.peer != DP_PEER_SELF;
	return leave(h, port, p, &chosen, ret_reason);
}

/* Where the table of the sender's subnet leads: 0 with another network or a handle in 'p' and its
 * peer, or neither for where the address is; or a reason. */
static uint32_t find_way(struct fake_host *h, const struct fake_port *port, struct packet *p,
			 uint32_t *ret_peer)
{
	const struct dp_subnet *own = fake_subnet_find(h, p->vni, &p->home);
	const struct dp_route *r = own ? fake_route_find(h, own->table, &p->dst) : NULL;

	if (!r)
		return DROP_NO_ROUTE;
	if (r->target == DP_TARGET_LOCAL)
		return fake_subnet_find(h, p->vni, &p->dst) ? 0 : DROP_BLACKHOLE;
	if (r->target == DP_TARGET_NETWORK) {
		if (!fake_is_peered(h, p->vni, r->vni))
			return DROP_NOT_PEERED;
		p->vni = r->vni;
		return 0;
	}
	if (r->target == DP_TARGET_BLACKHOLE || (r->target == DP_TARGET_INTERFACE && !r->vni))
		return DROP_BLACKHOLE;
	p->handle = r->vni;
	*ret_peer = r->peer;
	if (r->target != DP_TARGET_INTERNET || !ipaddr_is_v4(&p->dst))
		return p->handle ? 0 : DROP_NO_EDGE;
	p->by_exit = is_forwarded(p);
	if (p->by_exit)
		return p->handle ? 0 : DROP_NO_PUBLIC;
	for (uint32_t i = 0; i < port->dp.n_exits; i++) {
		const struct dp_exit *e = &port->dp.exits[i];

		p->handle = e->handle;
		*ret_peer = e->peer;
		if (ipaddr_equal(&e->addr, &p->src))
			return e->handle ? 0 : DROP_NO_EDGE;
	}
	return DROP_NO_PUBLIC;
}

/* Sent to the router by a table that has routes for addresses of its own network. */
static bool is_looked_up(struct fake_host *h, const struct packet *p)
{
	const struct dp_subnet *own = fake_subnet_find(h, p->vni, &p->home);
	const struct dp_table *t = own ? fake_table_find(h, own->table) : NULL;

	return t && t->inside && !memcmp(p->frame, own->router_mac.b, sizeof(own->router_mac.b));
}

static bool is_nowhere(const struct dp_mapping *m)
{
	return m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE ||
	       (!m->n_peers && m->peer == DP_PEER_SELF);
}

/* What a node forwards, to where its source is public. */
static enum fake_verdict leave_by_exit(struct fake_host *h, struct fake_port *port,
				       struct packet *p, uint32_t *ret_reason)
{
	struct dp_mapping way = {};
	const struct dp_mapping *m;
	struct ipaddr exit;

	dp_exit_address(exit.b, htonl(ipaddr_v4(&p->src)));
	m = fake_mapping_find(h, p->vni, &exit);
	if (!m || (m->state == DP_MAPPING_HELD && !p->reinjected))
		return hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
	p->revision = m->revision;
	if (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE)
		return refuse(h, port, p, DROP_NO_PUBLIC, ret_reason);
	way.peer = m->peer;
	return way.peer ? leave(h, port, p, &way, ret_reason) : to_handle(h, p, ret_reason);
}

static enum fake_verdict route(struct fake_host *h, struct fake_port *port, struct packet *p,
			       uint32_t *ret_reason)
{
	struct dp_mapping way = {};
	struct fake_port *here;
	const struct dp_mapping *m;

	if (!fake_subnet_find(h, p->vni, &p->dst) || is_looked_up(h, p)) {
		uint32_t reason = find_way(h, port, p, &way.peer);

		if (reason)
			return refuse(h, port, p, reason, ret_reason);
		if (p->by_exit)
			return leave_by_exit(h, port, p, ret_reason);
		if (p->handle)
			return way.peer ? leave(h, port, p, &way, ret_reason)
					: to_handle(h, p, ret_reason);
	}
	here = fake_port_by_addr(h, p->vni, &p->dst);
	m = fake_mapping_find(h, p->vni, &p->dst);
	if (here && here->dp.shared && m && is_nowhere(m))
		m = NULL;
	else if (here && here->dp.shared)
		here = NULL;
	if (!m && here)
		return to_neighbour(h, port, here, p, ret_reason);
	if (!m)
		return hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
	p->revision = m->revision;
	switch (m->state) {
	case DP_MAPPING_REFUSED:
		return refuse(h, port, p, DROP_REFUSED, ret_reason);
	case DP_MAPPING_GONE:
		return refuse(h, port, p, DROP_GONE, ret_reason);
	case DP_MAPPING_HELD:
		if (!p->reinjected)
			return hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
		break;
	case DP_MAPPING_LIVE:
		break;
	}
	return m->n_peers ? leave_spread(h, port, p, m, ret_reason)
			  : leave(h, port, p, m, ret_reason);
}

/* ---- ARP (RFC 826): answered with the made-up MAC of the address, or the router's ---- */

struct arp {
	struct ether_header ethernet;
	struct ether_arp arp;
} __attribute__((packed));

static enum fake_verdict arp_answer(struct fake_host *h, struct fake_port *port,
				    const struct packet *p, const uint8_t mac[6],
				    uint32_t *ret_reason)
{
	struct arp answer;
	struct packet out = *p;

	memcpy(&answer, p->frame, sizeof(answer));
	memcpy(answer.ethernet.ether_dhost, port->dp.mac.b, 6);
	memcpy(answer.ethernet.ether_shost, mac, 6);
	answer.arp.arp_op = htons(ARPOP_REPLY);
	memcpy(answer.arp.arp_tha, port->dp.mac.b, 6);
	memcpy(answer.arp.arp_tpa, p->src.b + 12, 4);
	memcpy(answer.arp.arp_sha, mac, 6);
	memcpy(answer.arp.arp_spa, p->dst.b + 12, 4);
	out.frame = (const uint8_t *)&answer;
	out.size = sizeof(answer);
	return to_node(h, port, &out, ret_reason);
}

static enum fake_verdict arp(struct fake_host *h, struct fake_port *port, struct packet *p,
			     uint32_t *ret_reason)
{
	const struct arp *a = (const struct arp *)p->frame;
	const struct dp_subnet *subnet;
	const struct dp_mapping *m;
	uint8_t mac[6];
	__be32 v4;

	if (p->size < sizeof(*a))
		return refuse(h, port, p, DROP_MALFORMED, ret_reason);
	p->src = ipaddr_from_v4(ntohl(*(const uint32_t *)a->arp.arp_spa));
	p->dst = ipaddr_from_v4(ntohl(*(const uint32_t *)a->arp.arp_tpa));
	subnet = fake_subnet_find(h, p->vni, &p->dst);
	if (a->arp.arp_op != htons(ARPOP_REQUEST) || !subnet || ipaddr_equal(&p->src, &p->dst) ||
	    fake_port_by_addr(h, p->vni, &p->dst) == port)
		return refuse(h, port, p, DROP_ARP_IGNORED, ret_reason);
	if (fake_port_by_addr(h, p->vni, &p->src) != port)
		return refuse(h, port, p, DROP_SOURCE_ADDR, ret_reason);
	if (ipaddr_equal(&subnet->router, &p->dst))
		return arp_answer(h, port, p, subnet->router_mac.b, ret_reason);
	m = fake_mapping_find(h, p->vni, &p->dst);
	if (!m && !fake_port_by_addr(h, p->vni, &p->dst))
		return hold(h, port, p, DP_UPCALL_ARP, ret_reason);
	if (m && (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE))
		return refuse(h, port, p, DROP_ARP_REFUSED, ret_reason);
	memcpy(&v4, p->dst.b + 12, 4);
	substrate_dummy_mac_v4(mac, p->vni, v4);
	return arp_answer(h, port, p, mac, ret_reason);
}

/* ---- from a node ---- */

/* Fills in what the verdicts need of an IPv4 packet; false: it is malformed. */
static bool parse_ip(struct packet *p)
{
	struct iphdr ip;
	size_t at;

	if (p->size < sizeof(struct ether_header) + sizeof(ip))
		return false;
	memcpy(&ip, p->frame + sizeof(struct ether_header), sizeof(ip));
	if (ip.version != 4 || ip.ihl < 5 ||
	    ntohs(ip.tot_len) > p->size - sizeof(struct ether_header))
		return false;
	p->src = ipaddr_from_v4(ntohl(ip.saddr));
	p->dst = ipaddr_from_v4(ntohl(ip.daddr));
	p->protocol = ip.protocol;
	at = sizeof(struct ether_header) + ip.ihl * 4U;
	if (at > p->size)
		return false;
	fake_tuple_read(&p->tuple, ip.protocol, p->frame + at, p->size - at);
	if (ip.protocol == IPPROTO_UDP)
		p->destination_port = p->tuple.destination;
	return true;
}

/* Of IPv6 the fake one knows what comes up to the agent alone: router solicitations and DHCPv6. */
static enum fake_verdict configure6(struct fake_host *h, struct fake_port *port, struct packet *p,
				    uint32_t *ret_reason)
{
	const uint8_t *upper = p->frame + sizeof(struct ether_header) + sizeof(struct ip6_hdr);
	struct ip6_hdr ip;

	if (p->size < sizeof(struct ether_header) + sizeof(ip) + 4)
		return refuse(h, port, p, DROP_MALFORMED, ret_reason);
	memcpy(&ip, p->frame + sizeof(struct ether_header), sizeof(ip));
	memcpy(p->src.b, &ip.ip6_src, sizeof(p->src.b));
	memcpy(p->dst.b, &ip.ip6_dst, sizeof(p->dst.b));
	if ((ip.ip6_nxt == IPPROTO_ICMPV6 && upper[0] == ND_ROUTER_SOLICIT) ||
	    (ip.ip6_nxt == IPPROTO_UDP && (upper[2] << 8 | upper[3]) == DHCP6_SERVER_PORT))
		return hold(h, port, p, DP_UPCALL_CONFIGURE6, ret_reason);
	return refuse(h, port, p, DROP_MULTICAST, ret_reason);
}

static enum fake_verdict from_node_plain(struct fake_host *h, struct fake_port *port,
					 struct packet *p, uint32_t *ret_reason)
{
	const struct ether_header *e = (const struct ether_header *)p->frame;
	const struct dp_subnet *own;

	if (e->ether_type == htons(ETHERTYPE_ARP))
		return arp(h, port, p, ret_reason);
	if (e->ether_type == htons(ETHERTYPE_IPV6))
		return configure6(h, port, p, ret_reason);
	if (e->ether_type != htons(ETHERTYPE_IP))
		return refuse(h, port, p, DROP_PROTOCOL, ret_reason);
	if (!parse_ip(p))
		return refuse(h, port, p, DROP_MALFORMED, ret_reason);
	if (p->protocol == IPPROTO_UDP && p->destination_port == DHCP_SERVER_PORT)
		return hold(h, port, p, DP_UPCALL_DHCP, ret_reason);
	p->home = p->src;
	if (fake_port_by_addr(h, p->vni, &p->src) != port) {
		if (!port->dp.forwards || !port->dp.handle || !port->dp.n_addrs)
			return refuse(h, port, p, DROP_SOURCE_ADDR, ret_reason);
		p->src_vni = port->dp.handle;
		p->home = port->dp.addrs[0];
	}
	if (ipaddr_v4(&p->dst) == INADDR_BROADCAST)
		return refuse(h, port, p, DROP_BROADCAST, ret_reason);
	own = fake_subnet_find(h, p->vni, &p->home);
	if (own && p->destination_port == DNS_PORT && ipaddr_equal(&own->resolver, &p->dst))
		return hold(h, port, p, DP_UPCALL_DNS, ret_reason);
	return route(h, port, p, ret_reason);
}

/* The VLAN tag of the port's record comes off; another one, or none where it has one, is
 * refused. */
static enum fake_verdict from_node_tagged(struct fake_host *h, struct fake_port *port,
					  struct packet *p, uint32_t *ret_reason)
{
	const size_t macs = 2 * ETHER_ADDR_LEN, tag = 4;
	_cleanup_free_ uint8_t *plain = NULL;

	if (p->size < sizeof(struct ether_header) + tag || !port->dp.vlan ||
	    ((p->frame[macs + 2] << 8 | p->frame[macs + 3]) & 0xfff) != port->dp.vlan)
		return refuse(h, port, p, DROP_VLAN, ret_reason);
	plain = malloc(p->size - tag);
	if (!plain)
		return refuse(h, port, p, DROP_REWRITE, ret_reason);
	memcpy(plain, p->frame, macs);
	memcpy(plain + macs, p->frame + macs + tag, p->size - macs - tag);
	p->frame = plain;
	p->size -= tag;
	return from_node_plain(h, port, p, ret_reason);
}

static enum fake_verdict from_node(struct fake_host *h, struct fake_port *port, struct packet *p,
				   uint32_t *ret_reason)
{
	const struct ether_header *e = (const struct ether_header *)p->frame;

	if (port->dp.disabled)
		return refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (p->size < sizeof(*e))
		return refuse(h, port, p, DROP_MALFORMED, ret_reason);
	if (memcmp(e->ether_shost, port->dp.mac.b, 6))
		return refuse(h, port, p, DROP_SOURCE_MAC, ret_reason);
	if (e->ether_type == htons(ETHERTYPE_VLAN))
		return from_node_tagged(h, port, p, ret_reason);
	if (port->dp.vlan)
		return refuse(h, port, p, DROP_VLAN, ret_reason);
	return from_node_plain(h, port, p, ret_reason);
}

enum fake_verdict fake_send(struct fake_world *world, const char *name, uint32_t port,
			    const uint8_t *frame, size_t size, uint32_t *ret_reason)
{
	struct fake_host *h = fake_host_find(world, name);
	struct fake_port *from = h ? fake_port_find(h, port) : NULL;
	struct packet p = {.frame = frame, .size = size};
	enum fake_verdict verdict;

	if (!from) {
		if (ret_reason)
			*ret_reason = DROP_NO_PORT;
		return FAKE_DROPPED;
	}
	p.vni = p.src_vni = from->dp.vni;
	from->counters.tx_packets++;
	from->counters.tx_bytes += size;
	verdict = from_node(h, from, &p, ret_reason);
	h->traffic[p.format].tx_packets++;
	h->traffic[p.format].tx_bytes += size;
	return verdict;
}

/* ---- as though it came from a host ---- */

enum fake_verdict fake_arrive(struct fake_world *world, const char *name, const char *from,
			      uint32_t vni, const struct ipaddr *src, const struct ipaddr *dst,
			      uint32_t number, uint32_t *ret_reason)
{
	struct fake_host *h = fake_host_find(world, name), *sender = fake_host_find(world, from);
	struct fake_numbered n = fake_numbered(src, dst, number);
	struct packet p = {.frame = (const uint8_t *)&n,
			   .size = sizeof(n),
			   .vni = vni,
			   .src_vni = vni,
			   .src = *src,
			   .dst = *dst,
			   .tuple.protocol = FAKE_NUMBER_PROTOCOL};
	struct dp_peer *back, *towards;

	if (!h || !sender) {
		if (ret_reason)
			*ret_reason = DROP_UNKNOWN_PEER;
		return FAKE_DROPPED;
	}
	towards = peer_of(sender, h);
	back = peer_of(h, sender);
	return arrive(h, back, towards ? towards->send : FORMAT_NONE,
		      towards ? towards->seal : SEAL_CLEAR, &p, ret_reason);
}

/* ---- once more, from the agent ---- */

int fake_reinject(struct datapath *dp, const struct dp_upcall *upcall)
{
	struct fake_host *h = ((struct fake_datapath *)dp)->host;
	struct packet p = {
		.frame = upcall->frame,
		.size = upcall->size,
		.vni = upcall->vni,
		.src = upcall->src,
		.dst = upcall->dst,
		.src_vni = upcall->other_vni ? upcall->other_vni : upcall->vni,
		.reinjected = true,
	};
	struct note note;

	if (upcall->size < sizeof(struct ether_header))
		return -EINVAL;
	if (upcall->port) {
		struct fake_port *port = fake_port_find(h, upcall->port);

		if (!port)
			return -ENOENT;
		p.src_vni = p.vni;
		from_node(h, port, &p, NULL);
		return 0;
	}
	if (!parse_ip(&p))
		return -EINVAL;
	memcpy(&note, upcall->frame, sizeof(note));
	p.handle = note.handle;
	arrive(h, fake_peer_find(h, note.peer), (enum format)note.format,
	       (enum seal_cipher)note.seal, &p, NULL);
	return 0;
}

int fake_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size)
{
	struct fake_host *h = ((struct fake_datapath *)dp)->host;
	struct fake_port *from = fake_port_find(h, port);
	struct packet p = {.frame = frame, .size = size, .reinjected = true, .copied = true};
	struct ether_header *ethernet = (struct ether_header *)frame;

	if (!from)
		return -ENOENT;
	memcpy(ethernet->ether_shost, from->dp.mac.b, 6);
	ethernet->ether_type = htons(ETHERTYPE_IP);
	p.vni = p.src_vni = from->dp.vni;
	from_node(h, from, &p, NULL);
	return 0;
}
