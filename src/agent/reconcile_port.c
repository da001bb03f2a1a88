/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the data plane: see reconcile_port.h. */
#include "agent/reconcile_port.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

static bool reconcile_port_groups_equal(const struct dp_port *a, const struct dp_port *b)
{
	return a->n_groups == b->n_groups &&
	       !memcmp(a->groups, b->groups, a->n_groups * sizeof(a->groups[0]));
}

static bool reconcile_port_exits_equal(const struct dp_port *a, const struct dp_port *b)
{
	if (a->n_exits != b->n_exits)
		return false;
	for (uint32_t i = 0; i < a->n_exits; i++)
		if (!ipaddr_equal(&a->exits[i].addr, &b->exits[i].addr) ||
		    a->exits[i].peer != b->exits[i].peer ||
		    a->exits[i].handle != b->exits[i].handle)
			return false;
	return true;
}

static bool reconcile_port_equal(const struct dp_port *a, const struct dp_port *b)
{
	if (a->id != b->id || a->ifindex != b->ifindex || a->peer_redirect != b->peer_redirect ||
	    a->vni != b->vni || !mac_equal(&a->mac, &b->mac) || a->mtu != b->mtu ||
	    a->n_addrs != b->n_addrs || a->forwards != b->forwards || a->disabled != b->disabled ||
	    a->shared != b->shared || a->translates != b->translates || a->vlan != b->vlan ||
	    a->resolves != b->resolves || a->logged != b->logged || a->handle != b->handle ||
	    a->connections != b->connections)
		return false;
	for (uint32_t i = 0; i < a->n_addrs; i++)
		if (!ipaddr_equal(&a->addrs[i], &b->addrs[i]) || a->labels[i] != b->labels[i])
			return false;
	return reconcile_port_groups_equal(a, b) && reconcile_port_exits_equal(a, b);
}

void reconcile_port_gone(struct reconcile *r, struct port *port)
{
	int e = port->set ? datapath_port_delete(r->dp, port->dp.id) : -ENOENT;

	if (!e)
		r->n_deleted++;
	else if (e != -ENOENT)
		log_warn("port not deleted", LOG_U64("port", port->dp.id), LOG_ERRNO(e));
	miss_drop_port(r->miss, port->dp.id);
	ports_remove(r->ports, port);
}

static bool reconcile_mirrors_equal(const struct desired_mirrors *a,
				    const struct desired_mirrors *b)
{
	if (!a || !b)
		return a == b;
	return a->n == b->n && a->rules.n == b->rules.n && a->rules.dns == b->rules.dns &&
	       !memcmp(a->sessions, b->sessions, sizeof(a->sessions)) &&
	       !memcmp(a->rules.rules, b->rules.rules, a->rules.n * sizeof(a->rules.rules[0]));
}

/* What is copied of the port; one that was adopted gets its rules again, its sessions being the
 * agent's. */
static int reconcile_mirrors(struct reconcile *r, const struct desired_interface *i,
			     struct port *port)
{
	static const struct dp_mirror_value none;
	struct desired_mirrors *copy = NULL;
	int e;

	if (reconcile_mirrors_equal(port->mirrors, i->mirrors) &&
	    (i->mirrors || !port->dp.mirrored))
		return 0;
	if (i->mirrors) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *i->mirrors;
	}
	e = datapath_mirror_set(r->dp, port->dp.id, copy ? &copy->rules : &none);
	if (e) {
		free(copy);
		return e;
	}
	port->dp.mirrored = copy && copy->rules.n;
	free(port->mirrors);
	port->mirrors = copy;
	r->n_set++;
	return 0;
}

/* Nobody is known by it, and nothing passes; all else is ready. */
static void reconcile_stand_by(struct dp_port *record)
{
	memset(record->addrs, 0, sizeof(record->addrs));
	memset(record->labels, 0, sizeof(record->labels));
	record->n_addrs = record->n_exits = 0;
	record->handle = 0;
	record->disabled = true;
}

/* As reconcile_port().  'ready': its device is ready for all that 'i' wants. */
static int reconcile_port_to(struct reconcile *r, const struct desired_interface *i,
			     const struct driver_port *plugged, bool ready)
{
	struct dp_port record = {.ifindex = plugged->ifindex,
				 .peer_redirect = plugged->peer_redirect,
				 .vni = i->vni,
				 .mac = i->driver.mac,
				 .mtu = (uint16_t)i->driver.mtu,
				 .n_addrs = i->n_addrs,
				 .n_groups = i->n_groups,
				 .connections = i->connections,
				 .forwards = i->forwards,
				 .translates = i->gateway,
				 .handle = i->handle,
				 .disabled = i->disabled,
				 .shared = i->shared,
				 .resolves = i->resolves,
				 .vlan = i->vlan,
				 .logged = i->logged && ready};
	struct port *port;
	int e;

	memcpy(record.addrs, i->addrs, i->n_addrs * sizeof(record.addrs[0]));
	memcpy(record.labels, i->labels, i->n_addrs * sizeof(record.labels[0]));
	memcpy(record.groups, i->groups, i->n_groups * sizeof(record.groups[0]));
	reconcile_exits(r, i, &record);
	if (i->standby)
		reconcile_stand_by(&record);
	e = ports_get(r->ports, i->driver.id, i->vni, &i->driver.mac, &port);
	if (e)
		return e;
	record.id = port->dp.id;
	record.mirrored = port->dp.mirrored;
	if (!ready)
		record.vlan = port->dp.vlan;
	memcpy(port->instance_id, i->instance_id, sizeof(port->instance_id));
	if (port->set && reconcile_port_equal(&record, &port->dp))
		return ready ? reconcile_mirrors(r, i, port) : 0;
	e = datapath_port_set(r->dp, &record);
	if (e) {
		if (!port->set)
			ports_remove(r->ports, port);
		return e;
	}
	port->dp = record;
	port->set = true;
	port->version++;
	r->n_set++;
	if (i->standby)
		miss_drop_port(r->miss, port->dp.id);
	/* Somebody may have asked for these addresses before they were here. */
	for (uint32_t n = 0; n < i->n_addrs; n++)
		cache_drop_negative(r->cache, i->vni, &i->addrs[n]);
	return ready ? reconcile_mirrors(r, i, port) : 0;
}

int reconcile_port(struct reconcile *r, const struct desired_interface *i,
		   const struct driver_port *plugged)
{
	return reconcile_port_to(r, i, plugged, true);
}

int reconcile_port_standing(struct reconcile *r, const struct desired_interface *i)
{
	const struct port *port =
		ports_find_standing(r->ports, i->driver.id, i->vni, &i->driver.mac);
	struct driver_port plugged;
	bool watches = i->logged || i->mirrors || i->vlan;

	if (!port || !port->set || port->dp.vni != i->vni ||
	    !mac_equal(&port->dp.mac, &i->driver.mac))
		return 0;
	plugged = (struct driver_port){.ifindex = port->dp.ifindex,
				       .peer_redirect = port->dp.peer_redirect};
	return reconcile_port_to(r, i, &plugged, !watches || reconcile_port_watched(port));
}

bool reconcile_port_watched(const struct port *port)
{
	return port->dp.logged || port->dp.mirrored || port->dp.vlan || port->dp.translates;
}

void reconcile_ports_of_gone(struct reconcile *r, const char *instance)
{
	struct port *port;

	hmap_for_each (port, &r->ports->by_id, by_id)
		if (str_equal(port->instance_id, instance))
			reconcile_port_gone(r, port);
}

/* Has it an address that its interface has no more? */
static bool reconcile_port_is_ahead(const struct port *port, const struct desired_interface *i)
{
	if (i->standby)
		return port->dp.n_addrs;
	for (uint32_t n = 0; n < port->dp.n_addrs; n++) {
		uint32_t k = 0;

		while (k < i->n_addrs && !ipaddr_equal(&port->dp.addrs[n], &i->addrs[k]))
			k++;
		if (k == i->n_addrs)
			return true;
	}
	return false;
}

void reconcile_drop_ahead(struct reconcile *r, const struct desired_interface *i)
{
	struct port *port = ports_find_interface(r->ports, i->driver.id);

	if (!port || !port->set || !reconcile_port_is_ahead(port, i))
		return;
	log_warn("port taken off the network: its addresses could not be changed",
		 LOG_STR("interface", i->driver.id));
	reconcile_port_gone(r, port);
}
