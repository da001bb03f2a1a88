/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports with their addresses.  A port has a slot, its index in the tables, for as long
 * as it exists.  Order matters to the programs: tables first, the epoch last (abi/maps.h).
 */
#include "datapath/bpf_device.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "abi/gateway.h"
#include "abi/substrate.h"
#include "datapath/bpf_connection.h"
#include "datapath/bpf_policy.h"
#include "datapath/bpf_skel.h"

/* ---- slots ---- */

static struct dp_port_value *row(const struct bpf_host *h, uint32_t slot)
{
	return bpf_array_row(&h->ports, slot);
}

static const struct dp_port_copy *current(const struct bpf_host *h, uint32_t slot)
{
	const struct dp_port_value *p = row(h, slot);

	return &p->copy[p->current & 1];
}

static void publish(struct bpf_host *h, uint32_t slot, const struct dp_port_copy *copy)
{
	struct dp_port_value *p = row(h, slot);
	uint32_t next = ~p->current & 1;

	p->copy[next] = *copy;
	__atomic_store_n(&p->current, next, __ATOMIC_RELEASE);
	bpf_host_bump_epoch(h);
}

struct dp_port *bpf_port_find(const struct bpf_host *h, uint32_t id, uint32_t *ret_slot)
{
	for (uint32_t slot = 1; slot < DP_SLOTS_MAX; slot++)
		if (h->mirror[slot] && h->mirror[slot]->id == id) {
			*ret_slot = slot;
			return h->mirror[slot];
		}
	return NULL;
}

static int slot_new(struct bpf_host *h, uint32_t *ret_slot)
{
	for (uint32_t slot = 1; slot < DP_SLOTS_MAX; slot++) {
		if (h->mirror[slot])
			continue;
		h->mirror[slot] = calloc(1, sizeof(*h->mirror[slot]));
		if (!h->mirror[slot])
			return -ENOMEM;
		*ret_slot = slot;
		return bpf_event_reset(h, slot);
	}
	return -ENOSPC;
}

/* ---- addresses ---- */

static struct dp_addr_key addr_key(uint32_t vni, const struct ipaddr *addr)
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr->b, sizeof(key.addr));
	return key;
}

static bool port_has(const struct dp_port *port, uint32_t vni, const struct ipaddr *addr)
{
	for (uint32_t i = 0; port->vni == vni && i < port->n_addrs; i++)
		if (ipaddr_equal(&port->addrs[i], addr))
			return true;
	return false;
}

/* Takes the addresses of 'was' that are not in 'is' out of the table, unless another port has taken
 * them over.  That they were here is remembered. */
static void addrs_remove(struct bpf_host *h, uint32_t slot, const struct dp_port *was,
			 const struct dp_port *is)
{
	int fd = bpf_map__fd(h->skel->maps.locals);

	for (uint32_t i = 0; i < was->n_addrs; i++) {
		struct dp_addr_key key = addr_key(was->vni, &was->addrs[i]);
		struct dp_local_value owner;

		if ((is && port_has(is, was->vni, &was->addrs[i])) ||
		    bpf_map_lookup_elem(fd, &key, &owner) || owner.slot != slot)
			continue;
		bpf_departed_note(h, was->vni, &was->addrs[i]);
		bpf_map_delete_elem(fd, &key);
		(void)!bpf_label_set_own(h, was->vni, &was->addrs[i], 0); /* takes no room */
		bpf_host_bump_mapping(h, was->vni, &was->addrs[i]);
	}
}

/* Which way to the Internet an address has. */
static struct dp_local_value local_value(uint32_t slot, const struct dp_port *port,
					 const struct ipaddr *addr)
{
	struct dp_local_value v = {.slot = slot, .flags = port->shared ? DP_LOCAL_SHARED : 0};

	for (uint32_t i = 0; i < port->n_exits; i++)
		if (ipaddr_equal(&port->exits[i].addr, addr)) {
			v.flags |= DP_LOCAL_EXIT;
			v.exit_peer = port->exits[i].peer;
			v.exit_handle = port->exits[i].handle;
		}
	return v;
}

static int addrs_add(struct bpf_host *h, uint32_t slot, const struct dp_port *is)
{
	for (uint32_t i = 0; i < is->n_addrs; i++) {
		struct dp_addr_key key = addr_key(is->vni, &is->addrs[i]);
		struct dp_local_value owner = local_value(slot, is, &is->addrs[i]);
		int r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.locals), &key, &owner,
					    BPF_ANY);

		if (!r)
			r = bpf_label_set_own(h, is->vni, &is->addrs[i], is->labels[i]);
		if (r)
			return bpf_host_error(r);
		bpf_host_bump_mapping(h, is->vni, &is->addrs[i]);
	}
	return 0;
}

/* ---- handles: packets for the port whatever their address ---- */

static int handle_add(struct bpf_host *h, uint32_t slot, const struct dp_port *port)
{
	struct dp_handle_value value = {.kind = DP_HANDLE_PORT, .vni = port->vni, .row = slot};

	if (!port->handle)
		return 0;
	return bpf_host_error(bpf_map_update_elem(bpf_map__fd(h->skel->maps.handles), &port->handle,
						  &value, BPF_ANY));
}

/* Unless it is another port's by now. */
static void handle_remove(struct bpf_host *h, uint32_t slot, uint32_t handle)
{
	int fd = bpf_map__fd(h->skel->maps.handles);
	struct dp_handle_value owner;

	if (handle && !bpf_map_lookup_elem(fd, &handle, &owner) && owner.kind == DP_HANDLE_PORT &&
	    owner.row == slot)
		bpf_map_delete_elem(fd, &handle);
}

/* ---- ports ---- */

/* Fills in the groups and the connections of a port.  On success the port uses its identity, and
 * the caller leaves that of before. */
static int policy_of(struct bpf_host *h, uint32_t slot, const struct dp_port *port,
		     struct dp_port_copy *c)
{
	const struct dp_port_copy *was = current(h, slot);
	int r = bpf_identity_get(h, port->groups, port->n_groups, &c->identity);

	c->connections = port->connections;
	if (r || !c->identity)
		return r;
	c->flags |= DP_PORT_TRACKED;
	c->region = was->region;
	r = bpf_connection_region(h, slot, port, was->present && was->flags & DP_PORT_TRACKED,
				  &c->region);
	return r ? r : bpf_identity_use(h, c->identity);
}

bool bpf_port_is_watched(const struct dp_port *port)
{
	return port->logged || port->mirrored || port->vlan || port->translates;
}

static struct dp_port_copy copy_of(const struct dp_port *port)
{
	struct dp_port_copy c = {
		.present = 1,
		.id = port->id,
		.ifindex = (uint32_t)port->ifindex,
		.vni = port->vni,
		.mtu = port->mtu,
		.flags = port->peer_redirect ? DP_PORT_PEER_REDIRECT : 0,
		.handle = port->handle,
	};

	if (port->forwards)
		c.flags |= DP_PORT_FORWARDS;
	if (port->translates)
		c.flags |= DP_PORT_TRANSLATES;
	if (port->disabled)
		c.flags |= DP_PORT_DISABLED;
	if (port->shared)
		c.flags |= DP_PORT_SHARED;
	if (port->resolves)
		c.flags |= DP_PORT_RESOLVES;
	if (port->logged)
		c.flags |= DP_PORT_LOGGED;
	if (port->mirrored)
		c.flags |= DP_PORT_MIRRORED;
	c.flags |= (uint32_t)port->vlan << DP_PORT_VLAN_SHIFT;
	if (bpf_port_is_watched(port)) /* by its device, where program 'delivered' is */
		c.flags &= ~(uint32_t)DP_PORT_PEER_REDIRECT;
	memcpy(c.mac, port->mac.b, 6);
	memcpy(c.home, port->addrs[0].b, 16);
	return c;
}

static void link_name(uint32_t id, char ret[static 32])
{
	snprintf(ret, 32, "port_%u", id);
}

/* Program 'delivered' where it has something to do. */
int bpf_port_watch(struct bpf_host *h, const struct dp_port *port)
{
	char name[32];

	snprintf(name, sizeof(name), "watch_%u", port->id);
	return bpf_attach_set_egress(h, name, port->ifindex,
				     bpf_program__fd(h->skel->progs.delivered));
}

/* It lets everything pass there, until who may wait ends it (dp_preparer_watch()). */
static void unwatch(struct bpf_host *h, const struct dp_port *mirror)
{
	char name[32];

	snprintf(name, sizeof(name), "watch_%u", mirror->id);
	if (bpf_port_is_watched(mirror))
		bpf_attach_loosen_egress(h, name, mirror->ifindex);
}

static void ifindex_remove(struct bpf_host *h, uint32_t slot, int ifindex)
{
	int fd = bpf_map__fd(h->skel->maps.port_slots);
	uint32_t key = (uint32_t)ifindex, owner;

	if (!bpf_map_lookup_elem(fd, &key, &owner) && owner == slot)
		bpf_map_delete_elem(fd, &key);
}

static void device_leave(struct bpf_host *h, uint32_t slot, const struct dp_port *mirror)
{
	char name[32];

	h->attached[slot] = false;
	ifindex_remove(h, slot, mirror->ifindex);
	link_name(mirror->id, name);
	bpf_attach_loosen_port(h, name, mirror->ifindex);
}

static int device_enter(struct bpf_host *h, uint32_t slot, const struct dp_port *port)
{
	char name[32];
	int r;

	/* A port that went may have left it, and this one is not watched; or it is prepared for
	 * what will be. */
	if (!bpf_port_is_watched(port) &&
	    !bpf_device_is_ready(h->base.preparer, port->ifindex, BPF_SIDE_EGRESS))
		bpf_device_drop(h->base.preparer, port->ifindex, BPF_SIDE_EGRESS);
	if (!bpf_device_is_ready(h->base.preparer, port->ifindex, BPF_SIDE_INGRESS))
		bpf_headroom_give(h->headroom_ifindex, port->ifindex);
	link_name(port->id, name);
	r = bpf_attach_set_port(h, name, port->ifindex, bpf_program__fd(h->skel->progs.port));
	h->attached[slot] = !r;
	return r;
}

static int install(struct bpf_host *h, uint32_t slot, const struct dp_port *port,
		   struct dp_port *mirror)
{
	uint32_t ifindex = (uint32_t)port->ifindex;
	struct dp_port_copy copy = copy_of(port);
	uint32_t had = current(h, slot)->identity;
	bool moves = mirror->ifindex && mirror->ifindex != port->ifindex;
	bool kept;
	int r;

	if (port->logged && !mirror->logged)
		bpf_watch_reset(h, slot);

	r = addrs_add(h, slot, port);
	if (!r)
		r = handle_add(h, slot, port);
	if (r)
		return r;
	r = policy_of(h, slot, port, &copy);
	if (r)
		return r;
	if (mirror->handle != port->handle)
		handle_remove(h, slot, mirror->handle);
	addrs_remove(h, slot, mirror, port);
	r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.port_slots), &ifindex, &slot, BPF_ANY);
	if (r) {
		bpf_identity_leave(h, copy.identity);
		return bpf_host_error(r);
	}
	if (moves) /* its pin has one name on both */
		unwatch(h, mirror);
	if (bpf_port_is_watched(port)) /* first: no frame goes to a tagged node without its tag */
		r = bpf_port_watch(h, port);
	if (r) {
		bpf_identity_leave(h, copy.identity);
		return r;
	}
	publish(h, slot, &copy);
	bpf_identity_leave(h, had);
	/* an earlier build's program goes on with it until all are replaced */
	kept = mirror->ifindex == port->ifindex && (!h->active || h->attached[slot]);
	if (moves)
		device_leave(h, slot, mirror);
	else if (!bpf_port_is_watched(port))
		unwatch(h, mirror);
	*mirror = *port;
	return kept ? 0 : device_enter(h, slot, port);
}

static void uninstall(struct bpf_host *h, uint32_t slot)
{
	struct dp_port *mirror = h->mirror[slot];
	uint32_t had = current(h, slot)->identity;
	struct dp_port_copy none = {};

	if (mirror->ifindex) {
		device_leave(h, slot, mirror);
		unwatch(h, mirror);
	}
	bpf_mirror_forget(h, slot);
	addrs_remove(h, slot, mirror, NULL);
	handle_remove(h, slot, mirror->handle);
	publish(h, slot, &none);
	bpf_identity_leave(h, had);
	(void)!bpf_event_reset(h, slot); /* at the latest when there is another port */
	free(mirror);
	h->mirror[slot] = NULL;
}

int bpf_port_put(struct bpf_host *h, const struct dp_port *port)
{
	struct dp_port *mirror;
	bool is_new;
	uint32_t slot;
	int r;

	if (!port->id || port->ifindex <= 0 || port->n_addrs > DP_PORT_ADDRS_MAX || !port->vni ||
	    port->n_exits > DP_PORT_ADDRS_MAX || port->vlan > DP_VLAN_MAX ||
	    (port->handle && port->handle < SUBSTRATE_VNI_HANDLE_MIN))
		return -EINVAL;
	mirror = bpf_port_find(h, port->id, &slot);
	is_new = !mirror;
	if (is_new) {
		r = slot_new(h, &slot);
		if (r)
			return r;
		mirror = h->mirror[slot];
		mirror->id = port->id;
	}
	r = install(h, slot, port, mirror);
	if (r && is_new) {
		mirror->vni = port->vni;
		mirror->n_addrs = port->n_addrs;
		memcpy(mirror->addrs, port->addrs, sizeof(mirror->addrs));
		mirror->ifindex = port->ifindex;
		mirror->handle = port->handle;
		uninstall(h, slot);
	}
	return r;
}

int bpf_port_set(struct datapath *dp, const struct dp_port *port)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_port record = *port;
	uint32_t slot;
	const struct dp_port *was = bpf_port_find(h, port->id, &slot);

	record.mirrored = was && was->mirrored;
	return bpf_port_put(h, &record);
}

int bpf_port_delete(struct datapath *dp, uint32_t id)
{
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t slot;

	if (!bpf_port_find(h, id, &slot))
		return -ENOENT;
	uninstall(h, slot);
	return 0;
}

int bpf_ports(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = 0;

	for (uint32_t slot = 1; !r && slot < DP_SLOTS_MAX; slot++)
		if (h->mirror[slot])
			r = fn(h->mirror[slot], arg);
	return r;
}

static void addr_load(const struct bpf_host *h, struct dp_port *p, const struct dp_addr_key *key,
		      const struct dp_local_value *value)
{
	struct ipaddr *addr = &p->addrs[p->n_addrs];

	memcpy(addr->b, key->addr, sizeof(addr->b));
	p->labels[p->n_addrs++] = bpf_label_of(h, p->vni, addr);
	if (value->flags & DP_LOCAL_EXIT)
		p->exits[p->n_exits++] = (struct dp_exit){
			.addr = *addr, .peer = value->exit_peer, .handle = value->exit_handle};
}

int bpf_port_load(struct bpf_host *h)
{
	int fd = bpf_map__fd(h->skel->maps.locals);
	struct dp_addr_key key, next;
	struct dp_local_value owner;
	void *at = NULL;
	int r;

	for (uint32_t slot = 1; slot < DP_SLOTS_MAX; slot++) {
		const struct dp_port_copy *c = current(h, slot);
		struct dp_port *p;

		if (!c->present)
			continue;
		p = h->mirror[slot] = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->id = c->id;
		p->ifindex = (int)c->ifindex;
		p->peer_redirect = c->flags & DP_PORT_PEER_REDIRECT;
		p->vni = c->vni;
		p->mtu = c->mtu;
		p->forwards = c->flags & DP_PORT_FORWARDS;
		p->translates = c->flags & DP_PORT_TRANSLATES;
		p->disabled = c->flags & DP_PORT_DISABLED;
		p->shared = c->flags & DP_PORT_SHARED;
		p->resolves = c->flags & DP_PORT_RESOLVES;
		p->logged = c->flags & DP_PORT_LOGGED;
		p->mirrored = c->flags & DP_PORT_MIRRORED;
		p->vlan = (uint16_t)(c->flags >> DP_PORT_VLAN_SHIFT);
		p->handle = c->handle;
		memcpy(p->mac.b, c->mac, 6);
		p->connections = c->connections;
		p->n_groups = bpf_identity_groups(h, c->identity, p->groups);
		r = bpf_identity_use(h, c->identity);
		if (r)
			return r;
	}
	for (; !bpf_map_get_next_key(fd, at, &next); at = &key) {
		struct dp_port *p;

		key = next;
		if (bpf_map_lookup_elem(fd, &key, &owner) || owner.slot >= DP_SLOTS_MAX)
			continue;
		p = h->mirror[owner.slot];
		if (p && p->vni == key.vni && p->n_addrs < DP_PORT_ADDRS_MAX)
			addr_load(h, p, &key, &owner);
	}
	return 0;
}
