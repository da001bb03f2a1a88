/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a node, from what it is to what is desired of it:
 *
 *	LOOK -> CHANGE (start, plug) -> ports -> CONFIGURE -> RUNNING
 *	     -> CHANGE (stop, forget)     |           |
 *	                                  '-> CLEAN <-'  a start that failed
 *
 * What is desired is looked at when a step has ended, never while it is under way.  If it became
 * something else meanwhile, what was done is still true and is taken as far as it is wanted; then
 * the node is looked at again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/reconcile_port.h"
#include "base/log.h"
#include "base/str.h"

static void reconcile_failed(struct node *n, enum desired_kind kind, const char *id, int e,
			     const char *text)
{
	struct desired_key key = {.kind = kind};

	(void)!str_copy(key.id, sizeof(key.id), id);
	failures_add(&n->failures, &key, e, text);
	if (n->error)
		return;
	n->error = e;
	n->text = text;
}

void reconcile_look(struct node *n)
{
	n->again = n->waits = false;
	/* What failed is tried again; until that has ended it is not done. */
	if (n->error)
		node_set_pending(n, 0);
	failures_deinit(&n->failures);
	n->error = 0;
	node_begin(n, NODE_LOOK);
}

/* A node may have waited for this one to be done with an interface. */
static void reconcile_wake_others(struct reconcile *r, const struct node *n)
{
	struct node *other;

	hmap_for_each (other, &r->nodes->by_id, by_id) {
		if (other == n || !other->waits)
			continue;
		if (other->step == NODE_IDLE)
			reconcile_look(other);
		else
			other->again = true;
	}
}

static void reconcile_rest(struct reconcile *r, struct node *n)
{
	const bool was_pending = n->pending;

	node_rest(n);
	reconcile_wake_others(r, n);
	if (n->again) {
		reconcile_look(n);
		return;
	}
	if (n->waits)
		return;
	n->pending = false;
	if (!n->known && !n->error && !desired_find_instance(r->desired, n->id))
		nodes_remove(r->nodes, n);
	if (was_pending)
		r->settled(r->arg);
}

static void reconcile_change(struct node *n, enum node_change change)
{
	n->change = change;
	n->stop_first = n->start = false;
	n->n_unplug = 0;
	n->n_interfaces = 0;
	node_begin(n, NODE_CHANGE);
}

/* ---- behind LOOK ---- */

static void reconcile_ask_unplug(struct reconcile *r, struct node *n)
{
	for (size_t k = 0; k < n->n_plugged; k++) {
		const struct desired_interface *i =
			desired_find_interface(r->desired, n->plugged[k]);
		struct port *port = ports_find_interface(r->ports, n->plugged[k]);

		if (i && str_equal(i->instance_id, n->id))
			continue;
		if (port && str_equal(port->instance_id, n->id))
			reconcile_port_gone(r, port);
		memcpy(n->unplug[n->n_unplug++], n->plugged[k], DRIVER_ID_SIZE);
	}
}

/* A node that had the interface may be in the middle of plugging it: its device has one name. */
static bool reconcile_is_being_plugged(const struct reconcile *r, const struct node *n,
				       const char *interface)
{
	const struct node *other;

	hmap_for_each (other, &r->nodes->by_id, by_id)
		if (other != n && other->step != NODE_IDLE && node_asks_for(other, interface))
			return true;
	return false;
}

static void reconcile_ask_plug(struct reconcile *r, struct node *n,
			       const struct desired_interface *i)
{
	const struct port *port =
		ports_find_standing(r->ports, i->driver.id, i->vni, &i->driver.mac);
	const char *text = NULL;
	int e = 0;

	if (!desired_find_subnet(r->desired, i->vni, &i->subnet)) {
		text = "the interface's subnet is not known on this host";
		e = -ENOENT;
	} else if (reconcile_is_being_plugged(r, n, i->driver.id)) {
		n->waits = true;
		return;
	} else if (n->n_interfaces == LIMIT_NODE_INTERFACES) {
		text = "the instance has more interfaces than a node can have";
		e = -ENOSPC;
	}
	if (e) {
		reconcile_drop_ahead(r, i);
		reconcile_failed(n, DESIRED_INTERFACE, i->driver.id, e, text);
		return;
	}
	n->interfaces[n->n_interfaces++] = (struct node_interface){
		.interface = i->driver,
		.standing = port && port->set ? port->dp.ifindex : 0,
		.watched = i->logged || i->vlan || i->mirrors,
		.was_watched = port && port->set && reconcile_port_watched(port),
	};
}

/* It is to run under its generation: 'start' says whether it does not yet. */
static void reconcile_ask_run(struct reconcile *r, struct node *n,
			      const struct desired_instance *instance, bool start)
{
	const struct desired_interface *i;

	n->change = NODE_RUN;
	n->generation = instance->generation;
	n->stop_first = start && n->running;
	n->start = start;
	n->n_unplug = n->n_interfaces = 0;
	if (start)
		reconcile_ports_of_gone(r, n->id);
	else
		reconcile_ask_unplug(r, n);
	hmap_for_each (i, &r->desired->interfaces, node)
		if (str_equal(i->instance_id, instance->id))
			reconcile_ask_plug(r, n, i);
	node_begin(n, NODE_CHANGE);
}

static void reconcile_is_stopped(struct reconcile *r, struct node *n, uint64_t generation,
				 const char *text)
{
	reconcile_tell(r, n->id, generation, VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED, text);
	reconcile_rest(r, n);
}

static void reconcile_looked(struct reconcile *r, struct node *n)
{
	const struct desired_instance *instance = desired_find_instance(r->desired, n->id);
	const bool was_running = n->running;

	n->known = !n->result;
	n->running = n->known && n->found.running;
	if (!n->running)
		n->starting = false;
	if (!instance) {
		reconcile_ports_of_gone(r, n->id);
		reconcile_change(n, NODE_FORGET);
	} else if (n->result && n->result != -ENOENT && n->result != -EBADMSG) {
		reconcile_failed(n, DESIRED_INSTANCE, n->id, n->result,
				 "the node's state cannot be found out");
		reconcile_rest(r, n);
	} else if (!instance->running) {
		reconcile_ports_of_gone(r, n->id);
		if (n->known && !n->running)
			reconcile_is_stopped(r, n, instance->generation, "");
		else
			reconcile_change(n, NODE_STOP);
	} else if (!n->known || n->found.generation != instance->generation) {
		reconcile_ask_run(r, n, instance, true);
	} else if (n->running) {
		reconcile_ask_run(r, n, instance, false);
	} else {
		if (was_running)
			log_warn("instance stopped by itself", LOG_STR("instance", n->id));
		reconcile_ports_of_gone(r, n->id);
		reconcile_is_stopped(r, n, instance->generation, "it stopped by itself");
	}
}

static void reconcile_glanced(struct reconcile *r, struct node *n)
{
	if (!n->result && n->found.running)
		reconcile_rest(r, n);
	else
		reconcile_look(n);
}

/* ---- behind CHANGE ---- */

static void reconcile_clean(struct reconcile *r, struct node *n)
{
	reconcile_ports_of_gone(r, n->id);
	node_begin(n, NODE_CLEAN);
}

static void reconcile_ended(struct node *n)
{
	if (n->running)
		log_info("instance ended", LOG_STR("instance", n->id));
	n->running = n->starting = false;
}

static void reconcile_forgotten(struct reconcile *r, struct node *n)
{
	r->n_deleted++;
	if (n->result) {
		reconcile_failed(n, DESIRED_INSTANCE, n->id, n->result,
				 "the node could not be removed");
	} else {
		reconcile_ended(n);
		n->known = false;
	}
	reconcile_rest(r, n);
}

static void reconcile_stopped(struct reconcile *r, struct node *n)
{
	const struct desired_instance *instance = desired_find_instance(r->desired, n->id);

	if (n->running)
		r->n_deleted++;
	if (n->result)
		reconcile_failed(n, DESIRED_INSTANCE, n->id, n->result,
				 "the node could not be stopped");
	else
		reconcile_ended(n);
	if (!n->result && instance && !instance->running)
		reconcile_is_stopped(r, n, instance->generation, "");
	else
		reconcile_rest(r, n);
}

/* The interface that was plugged, if it still is to be there as it was asked for. */
static const struct desired_interface *
reconcile_asked(const struct reconcile *r, const struct node *n, const struct node_interface *ni)
{
	const struct desired_interface *i = desired_find_interface(r->desired, ni->interface.id);

	return i && str_equal(i->instance_id, n->id) &&
			       i->driver.device_index == ni->interface.device_index &&
			       i->driver.mtu == ni->interface.mtu &&
			       mac_equal(&i->driver.mac, &ni->interface.mac)
		       ? i
		       : NULL;
}

/* What its node has to know of the port, if it does not yet. */
static int reconcile_ask_configure(struct reconcile *r, struct node_interface *ni,
				   const struct desired_interface *i)
{
	const struct port *port = ports_find_interface(r->ports, i->driver.id);

	const struct desired_subnet *s = desired_find_subnet(r->desired, i->vni, &i->subnet);

	ni->configure = true;
	ni->address = (struct driver_address){0};
	if (s && !i->vlan &&
	    ipaddr_is_v4(&i->addrs[0])) /* a tagged one asks in its VLAN, if at all */
		ni->address = (struct driver_address){
			.addr = i->addrs[0], .len = s->dp.prefix.len, .router = s->dp.router};
	if (port->told == port->version)
		return 0;
	ni->addrs = calloc(i->n_addrs, sizeof(*ni->addrs));
	if (!ni->addrs)
		return -ENOMEM;
	for (uint32_t k = 0; k < i->n_addrs; k++)
		if (!ipaddr_is_v4(&i->addrs[k]) && !ipaddr_is_link_local(&i->addrs[k]))
			ni->addrs[ni->n_addrs++] = i->addrs[k];
	ni->version = port->version;
	return 0;
}

/* True: there is something to configure. */
static bool reconcile_plugged(struct reconcile *r, struct node *n, struct node_interface *ni)
{
	const struct desired_interface *i = reconcile_asked(r, n, ni);
	const char *text = "the interface could not be plugged into the node";
	int e = ni->error;

	if (!i)
		return false; /* it is looked at again: whoever changed it has said so */
	if (!e) {
		e = ni->unready ?: reconcile_port(r, i, &ni->port);
		text = "the data plane did not take the port";
	}
	if (!e) {
		e = reconcile_ask_configure(r, ni, i);
		text = "the node's interface could not be configured";
	}
	if (!e)
		return true;
	ni->configure = false;
	reconcile_drop_ahead(r, i);
	reconcile_failed(n, DESIRED_INTERFACE, i->driver.id, e, text);
	return false;
}

/* All steps have been made, whatever came of them. */
static void reconcile_runs(struct reconcile *r, struct node *n)
{
	if (n->starting && n->error) {
		reconcile_clean(r, n);
		return;
	}
	if (n->starting)
		log_info("instance started", LOG_STR("instance", n->id),
			 LOG_U64("generation", n->generation));
	n->starting = false;
	reconcile_tell(r, n->id, n->generation, VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING,
		       "");
	reconcile_rest(r, n);
}

static void reconcile_ran(struct reconcile *r, struct node *n)
{
	const struct desired_instance *instance = desired_find_instance(r->desired, n->id);
	bool configure = false;

	if (n->stop_result)
		log_warn("instance not ended before its new start", LOG_STR("instance", n->id),
			 LOG_ERRNO(n->stop_result));
	if (n->start) {
		r->n_set++;
		n->known = true;
		n->running = n->starting = !n->result;
	}
	for (size_t i = 0; i < n->n_unplug; i++)
		if (n->unplug_results[i] && n->unplug_results[i] != -ENOENT)
			reconcile_failed(n, DESIRED_INTERFACE, n->unplug[i], n->unplug_results[i],
					 "the interface could not be unplugged");
	if (!instance || !instance->running || instance->generation != n->generation) {
		reconcile_look(n);
		return;
	}
	if (n->result) {
		reconcile_failed(n, DESIRED_INSTANCE, n->id, n->result,
				 "the node could not be started");
		reconcile_clean(r, n);
		return;
	}
	for (size_t i = 0; i < n->n_interfaces; i++)
		configure |= reconcile_plugged(r, n, &n->interfaces[i]);
	if (configure)
		node_begin(n, NODE_CONFIGURE);
	else
		reconcile_runs(r, n);
}

static void reconcile_changed(struct reconcile *r, struct node *n)
{
	switch (n->change) {
	case NODE_FORGET:
		reconcile_forgotten(r, n);
		break;
	case NODE_STOP:
		reconcile_stopped(r, n);
		break;
	case NODE_RUN:
		reconcile_ran(r, n);
		break;
	}
}

/* ---- behind CONFIGURE and CLEAN ---- */

static void reconcile_configured_one(struct reconcile *r, struct node *n,
				     const struct node_interface *ni)
{
	const struct desired_interface *i = reconcile_asked(r, n, ni);
	struct port *port = ports_find_interface(r->ports, ni->interface.id);

	if (!i)
		return;
	if (ni->error) {
		reconcile_drop_ahead(r, i);
		reconcile_failed(n, DESIRED_INTERFACE, i->driver.id, ni->error,
				 "the node's interface could not be configured");
	} else if (port && ni->addrs) {
		port->told = ni->version;
		r->online(port, r->arg);
	}
}

static void reconcile_configured(struct reconcile *r, struct node *n)
{
	const struct desired_instance *instance = desired_find_instance(r->desired, n->id);

	if (!instance || !instance->running || instance->generation != n->generation) {
		reconcile_look(n);
		return;
	}
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (n->interfaces[i].configure)
			reconcile_configured_one(r, n, &n->interfaces[i]);
	reconcile_runs(r, n);
}

static void reconcile_cleaned(struct reconcile *r, struct node *n)
{
	char message[256];

	if (n->result)
		log_warn("failed instance not cleaned away", LOG_STR("instance", n->id),
			 LOG_ERRNO(n->result));
	else
		n->running = false;
	n->starting = false;
	r->n_deleted++;
	snprintf(message, sizeof(message), "%s: %s", n->text, strerrordesc_np(-n->error) ?: "");
	reconcile_tell(r, n->id, n->generation, VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED,
		       message);
	reconcile_rest(r, n);
}

void reconcile_on_node(struct node *n, void *arg)
{
	struct reconcile *r = arg;

	/* The data plane was closed meanwhile: a full run follows when it is open again. */
	if (!r->dp) {
		n->again = false;
		node_set_pending(n, 0);
		node_rest(n);
		return;
	}
	switch (n->step) {
	case NODE_IDLE:
		break;
	case NODE_GLANCE:
		reconcile_glanced(r, n);
		break;
	case NODE_LOOK:
		reconcile_looked(r, n);
		break;
	case NODE_CHANGE:
		reconcile_changed(r, n);
		break;
	case NODE_CONFIGURE:
		reconcile_configured(r, n);
		break;
	case NODE_CLEAN:
		reconcile_cleaned(r, n);
		break;
	}
}
