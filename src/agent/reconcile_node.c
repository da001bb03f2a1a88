/* SPDX-License-Identifier: Apache-2.0 */
/* Instances and their interfaces: nodes of the driver, ports of the data plane. */
#include "agent/reconcile.h"
#include "agent/reconcile_port.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"

/* ---- interfaces ---- */

/* The node's own side of an interface that carries packets now. */
static int reconcile_configure(struct reconcile *r, const struct desired_interface *i,
			       const struct port *changed)
{
	struct ipaddr addrs[DP_PORT_ADDRS_MAX];
	size_t n = 0;
	int e = driver_online(r->driver, i->instance_id, i->driver.id);

	if (e || !changed)
		return e;
	for (uint32_t k = 0; k < i->n_addrs; k++)
		if (!ipaddr_is_v4(&i->addrs[k]) && !ipaddr_is_link_local(&i->addrs[k]))
			addrs[n++] = i->addrs[k];
	e = driver_addresses6(r->driver, i->instance_id, i->driver.id, addrs, n);
	if (!e)
		r->online(changed, r->arg);
	return e;
}

static int reconcile_plug_or_fail(struct reconcile *r, const struct desired_interface *i,
				  const char **reterr_text)
{
	const struct port *changed = NULL;
	struct driver_port plugged;
	int e;

	if (!desired_find_subnet(r->desired, i->vni, &i->subnet)) {
		*reterr_text = "the interface's subnet is not known on this host";
		return -ENOENT;
	}
	e = driver_plug(r->driver, i->instance_id, &i->driver, &plugged);
	*reterr_text = "the interface could not be plugged into the node";
	if (e)
		return e;
	e = reconcile_port(r, i, &plugged, &changed);
	*reterr_text = "the data plane did not take the port";
	if (e)
		return e;
	e = reconcile_configure(r, i, changed);
	*reterr_text = "the node's interface could not be configured";
	return e;
}

/* An address that left the interface may be another node's as soon as this is acknowledged, also when it
 * failed: then the port goes off the network with all that it had. */
static void reconcile_drop_ahead(struct reconcile *r, const struct desired_interface *i)
{
	struct port *port = ports_find_interface(r->ports, i->driver.id);

	if (!port || !port->set || !reconcile_port_is_ahead(port, i))
		return;
	log_warn("port taken off the network: its addresses could not be changed",
		 LOG_STR("interface", i->driver.id));
	reconcile_port_gone(r, port);
}

static int reconcile_plug(struct reconcile *r, const struct desired_interface *i,
			  const char **reterr_text)
{
	int e = reconcile_plug_or_fail(r, i, reterr_text);

	if (e)
		reconcile_drop_ahead(r, i);
	return e;
}

static void reconcile_unplug(struct reconcile_run *run, const char *instance, const char *interface)
{
	struct port *port = ports_find_interface(run->r->ports, interface);
	struct desired_key key = {.kind = DESIRED_INTERFACE};
	int e;

	if (port)
		reconcile_port_gone(run->r, port);
	e = driver_unplug(run->r->driver, instance, interface);
	if (!e || e == -ENOENT)
		return;
	if (!str_copy(key.id, sizeof(key.id), interface))
		failures_add(run->failures, &key, e, "the interface could not be unplugged");
}

/* What the driver has plugged into 'instance' and what is wanted there. */
struct reconcile_plugged {
	struct desired *desired;
	const char *instance;
	char unwanted[LIMIT_NODE_INTERFACES][DRIVER_ID_SIZE];
	size_t n;
};

static int reconcile_see_interface(const struct driver_interface *actual, void *arg)
{
	struct reconcile_plugged *p = arg;
	const struct desired_interface *i = desired_find_interface(p->desired, actual->id);

	if (i && str_equal(i->instance_id, p->instance))
		return 0;
	if (p->n == LIMIT_NODE_INTERFACES)
		return -ENOSPC;
	memcpy(p->unwanted[p->n++], actual->id, DRIVER_ID_SIZE);
	return 0;
}

static void reconcile_unplug_unwanted(struct reconcile_run *run, const char *instance)
{
	struct reconcile_plugged plugged = {.desired = run->r->desired, .instance = instance};

	if (driver_interfaces(run->r->driver, instance, reconcile_see_interface, &plugged))
		return; /* the next full run sees it again */
	for (size_t i = 0; i < plugged.n; i++)
		reconcile_unplug(run, instance, plugged.unwanted[i]);
}

/* ---- instances ---- */

static void reconcile_tell(struct reconcile *r, const char *id, uint64_t generation,
			   Viaduct__Agent__InstanceStatus__State state, const char *text)
{
	const struct instance_status status = {
		.id = id, .generation = generation, .state = state, .text = text};

	r->status(&status, r->arg);
}

static void reconcile_ports_of_gone(struct reconcile *r, const char *instance)
{
	struct port *port;

	hmap_for_each (port, &r->ports->by_id, by_id)
		if (str_equal(port->instance_id, instance))
			reconcile_port_gone(r, port);
}

static int reconcile_stop(struct reconcile *r, const char *id)
{
	int e;

	reconcile_ports_of_gone(r, id);
	e = driver_stop(r->driver, id);
	r->n_deleted++;
	return e;
}

/* Plugs all interfaces of a running node.  The first error, and what to say about it. */
static int reconcile_plug_all(struct reconcile_run *run, const struct desired_instance *instance,
			      const char **reterr_text)
{
	struct desired_key key = {.kind = DESIRED_INTERFACE};
	struct desired_interface *i;
	int result = 0;

	hmap_for_each (i, &run->r->desired->interfaces, node) {
		const char *text = NULL;
		int e;

		if (!str_equal(i->instance_id, instance->id))
			continue;
		e = reconcile_plug(run->r, i, &text);
		if (!e)
			continue;
		memcpy(key.id, i->driver.id, sizeof(key.id));
		failures_add(run->failures, &key, e, text);
		if (!result)
			*reterr_text = text;
		result = result ?: e;
	}
	return result;
}

/* Brings up a node that does not run; whatever fails ends it. */
static void reconcile_start(struct reconcile_run *run, const struct desired_instance *instance)
{
	const struct desired_key key = {.kind = DESIRED_INSTANCE};
	const char *text = "the node could not be started";
	struct reconcile *r = run->r;
	struct desired_key named = key;
	char message[256];
	int e;

	e = driver_start(r->driver, instance->id, instance->generation);
	r->n_set++;
	if (e) {
		memcpy(named.id, instance->id, sizeof(named.id));
		failures_add(run->failures, &named, e, text);
	} else {
		e = reconcile_plug_all(run, instance, &text);
	}
	if (!e) {
		log_info("instance started", LOG_STR("instance", instance->id),
			 LOG_U64("generation", instance->generation));
		reconcile_tell(r, instance->id, instance->generation,
			       VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING, "");
		return;
	}
	snprintf(message, sizeof(message), "%s: %s", text, strerror(-e));
	if (reconcile_stop(r, instance->id))
		log_warn("failed instance not cleaned away", LOG_STR("instance", instance->id));
	reconcile_tell(r, instance->id, instance->generation,
		       VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED, message);
}

static void reconcile_wanted_stopped(struct reconcile_run *run,
				     const struct desired_instance *instance, bool running)
{
	struct desired_key key = {.kind = DESIRED_INSTANCE};
	int e = running ? reconcile_stop(run->r, instance->id) : 0;

	if (e) {
		memcpy(key.id, instance->id, sizeof(key.id));
		failures_add(run->failures, &key, e, "the node could not be stopped");
		return;
	}
	reconcile_tell(run->r, instance->id, instance->generation,
		       VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED, "");
}

static void reconcile_wanted_running(struct reconcile_run *run,
				     const struct desired_instance *instance,
				     const struct driver_node *node)
{
	const char *text;

	if (!node || node->generation != instance->generation) {
		if (node && node->running && reconcile_stop(run->r, instance->id))
			log_warn("instance not ended before its new start",
				 LOG_STR("instance", instance->id));
		reconcile_start(run, instance);
		return;
	}
	if (!node->running) {
		reconcile_ports_of_gone(run->r, instance->id);
		reconcile_tell(run->r, instance->id, instance->generation,
			       VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED,
			       "it stopped by itself");
		return;
	}
	reconcile_unplug_unwanted(run, instance->id);
	/* Failures are in the list; the node runs all the same. */
	(void)!reconcile_plug_all(run, instance, &text);
	reconcile_tell(run->r, instance->id, instance->generation,
		       VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING, "");
}

static void reconcile_forget(struct reconcile_run *run, const char *id)
{
	struct desired_key key = {.kind = DESIRED_INSTANCE};
	int e;

	reconcile_ports_of_gone(run->r, id);
	e = driver_forget(run->r->driver, id);
	run->r->n_deleted++;
	if (e && !str_copy(key.id, sizeof(key.id), id))
		failures_add(run->failures, &key, e, "the node could not be removed");
}

void reconcile_instance(struct reconcile_run *run, const char *id)
{
	struct desired_instance *instance = desired_find_instance(run->r->desired, id);
	struct desired_key key = {.kind = DESIRED_INSTANCE};
	struct driver_node node;
	int e;

	if (!instance) {
		reconcile_forget(run, id);
		return;
	}
	instance->seen = run->r->round;
	memcpy(key.id, instance->id, sizeof(key.id));
	e = driver_check(run->r->driver, id, &node);
	if (e && e != -ENOENT && e != -EBADMSG) {
		failures_add(run->failures, &key, e, "the node's state cannot be found out");
		return;
	}
	if (*instance->driver && !str_equal(instance->driver, "netns")) {
		failures_add(run->failures, &key, -EOPNOTSUPP, "this host has no such driver");
		reconcile_tell(run->r, id, instance->generation,
			       VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED,
			       "this host has no such driver");
	} else if (instance->running) {
		reconcile_wanted_running(run, instance, e ? NULL : &node);
	} else {
		reconcile_wanted_stopped(run, instance, !e && node.running);
	}
}

void reconcile_interface(struct reconcile_run *run, const char *id)
{
	struct reconcile *r = run->r;
	const struct desired_interface *i = desired_find_interface(r->desired, id);
	const struct port *port = ports_find_interface(r->ports, id);
	const struct desired_instance *instance;
	struct desired_key key = {.kind = DESIRED_INTERFACE};
	char instance_id[DRIVER_ID_SIZE];
	const char *text;
	struct driver_node node;
	int e;

	if (port && (!i || !str_equal(port->instance_id, i->instance_id))) {
		memcpy(instance_id, port->instance_id, sizeof(instance_id));
		reconcile_unplug(run, instance_id, id);
	}
	instance = i ? desired_find_instance(r->desired, i->instance_id) : NULL;
	/* Of an instance that is dealt with as a whole, or not here, or not running: nothing to do. */
	if (!instance || instance->seen == r->round || !instance->running)
		return;
	if (driver_check(r->driver, instance->id, &node) || !node.running) {
		reconcile_drop_ahead(r, i);
		return;
	}
	e = reconcile_plug(r, i, &text);
	if (e) {
		memcpy(key.id, i->driver.id, sizeof(key.id));
		failures_add(run->failures, &key, e, text);
	}
}

/* ---- what nobody wants ---- */

static bool reconcile_port_is_wanted(const struct desired *desired, const struct port *port)
{
	const struct desired_interface *i;

	if (*port->interface_id) {
		i = desired_find_interface(desired, port->interface_id);
		return i && i->vni == port->dp.vni && mac_equal(&i->driver.mac, &port->dp.mac);
	}
	hmap_for_each (i, &desired->interfaces, node)
		if (i->vni == port->dp.vni && mac_equal(&i->driver.mac, &port->dp.mac))
			return true;
	return false;
}

void reconcile_unwanted_ports(struct reconcile_run *run)
{
	struct port *port;

	hmap_for_each (port, &run->r->ports->by_id, by_id)
		if (!reconcile_port_is_wanted(run->r->desired, port))
			reconcile_port_gone(run->r, port);
}

struct reconcile_nodes {
	const struct desired *desired;
	char (*unwanted)[DRIVER_ID_SIZE];
	size_t n;
};

static int reconcile_see_node(const struct driver_node *node, void *arg)
{
	struct reconcile_nodes *nodes = arg;
	char(*grown)[DRIVER_ID_SIZE];

	if (nodes->desired && desired_find_instance(nodes->desired, node->id))
		return 0;
	grown = reallocarray(nodes->unwanted, nodes->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	nodes->unwanted = grown;
	memcpy(grown[nodes->n++], node->id, DRIVER_ID_SIZE);
	return 0;
}

void reconcile_unwanted_nodes(struct reconcile_run *run)
{
	struct reconcile_nodes nodes = {.desired = run->r->desired};
	int e = driver_nodes(run->r->driver, reconcile_see_node, &nodes);

	if (e)
		failures_add(run->failures, &(struct desired_key){.kind = DESIRED_INSTANCE}, e,
			     "the nodes on this host cannot be listed");
	for (size_t i = 0; i < nodes.n; i++)
		reconcile_forget(run, nodes.unwanted[i]);
	free(nodes.unwanted);
}

/* The instance of a port whose node has ended; its id and generation go to '*ret'. */
static bool reconcile_find_ended(struct reconcile *r, struct driver_node *ret)
{
	const struct port *port;

	hmap_for_each (port, &r->ports->by_interface, by_interface)
		if (port->set && !driver_check(r->driver, port->instance_id, ret) && !ret->running)
			return true;
	return false;
}

void reconcile_check(struct reconcile *r)
{
	struct driver_node node;

	/* Nodes without ports have nothing to lose, so the ports lead to those that matter. */
	while (reconcile_find_ended(r, &node)) {
		log_warn("instance stopped by itself", LOG_STR("instance", node.id));
		reconcile_ports_of_gone(r, node.id);
		reconcile_tell(r, node.id, node.generation,
			       VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED,
			       "it stopped by itself");
	}
}
