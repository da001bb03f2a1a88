/* SPDX-License-Identifier: Apache-2.0 */
/* Instances and their interfaces, as far as a run goes with them: ports that go or change at once,
 * and nodes whose steps are begun (reconcile_step.c). */
#include <stdlib.h>
#include <string.h>

#include "agent/reconcile_port.h"
#include "base/str.h"

static struct desired_key reconcile_key(enum desired_kind kind, const char *id)
{
	struct desired_key key = {.kind = kind};

	(void)!str_copy(key.id, sizeof(key.id), id);
	return key;
}

static void reconcile_touch(struct reconcile_run *run, const char *id)
{
	const struct desired_key key = reconcile_key(DESIRED_INSTANCE, id);
	const bool is_new = !nodes_find(run->r->nodes, id);
	struct node *n;
	int e = nodes_get(run->r->nodes, id, &n);

	if (e) {
		failures_add(run->failures, &key, e, "the node cannot be dealt with");
		return;
	}
	/* Of one that is new to this agent nobody knows what it was before. */
	if (run->changed || is_new)
		node_set_pending(n, run->r->remembers ? 0 : *run->r->revision);
	/* What is desired is looked at behind NODE_LOOK, not before. */
	if (n->step == NODE_IDLE)
		reconcile_look(n);
	else if (n->step != NODE_LOOK)
		n->again = true;
}

/* ---- interfaces ---- */

/* Its port, if there is one, is what is desired from here on.  False: that cannot be. */
static bool reconcile_standing(struct reconcile_run *run, const struct desired_interface *i)
{
	const struct desired_key key = reconcile_key(DESIRED_INTERFACE, i->driver.id);
	const char *text = "the interface's subnet is not known on this host";
	int e = -ENOENT;

	if (desired_find_subnet(run->r->desired, i->vni, &i->subnet)) {
		text = "the data plane did not take the port";
		e = reconcile_port_standing(run->r, i);
	}
	if (!e)
		return true;
	reconcile_drop_ahead(run->r, i);
	failures_add(run->failures, &key, e, text);
	return false;
}

/* Takes the interface from nodes that it does not belong to (any more). */
static void reconcile_leave(struct reconcile_run *run, const char *id,
			    const struct desired_interface *i)
{
	struct port *port = ports_find_interface(run->r->ports, id);
	char instance[DRIVER_ID_SIZE];
	struct node *n;

	if (port && (!i || !str_equal(port->instance_id, i->instance_id))) {
		const bool has_node = !port->dp.translates;

		memcpy(instance, port->instance_id, sizeof(instance));
		reconcile_port_gone(run->r, port);
		if (has_node)
			reconcile_touch(run, instance);
	}
	/* Also from where it is just being plugged, or could not become a port. */
	hmap_for_each (n, &run->r->nodes->by_id, by_id)
		if (node_asks_for(n, id) && (!i || !str_equal(n->id, i->instance_id)))
			reconcile_touch(run, n->id);
}

/* A private NAT gateway has no node: its port is on a device that the data plane has for it. */
static void reconcile_gateway(struct reconcile_run *run, const struct desired_interface *i)
{
	const struct desired_key key = reconcile_key(DESIRED_INTERFACE, i->driver.id);
	struct driver_port device = {};
	int e = -ENOENT;

	if (desired_find_subnet(run->r->desired, i->vni, &i->subnet))
		e = datapath_gateway_device(run->r->dp, i->gateway, &device.ifindex);
	if (!e)
		e = reconcile_port(run->r, i, &device);
	if (!e)
		return;
	reconcile_drop_ahead(run->r, i);
	failures_add(run->failures, &key, e, "the data plane did not take the gateway's port");
}

void reconcile_gateways(struct reconcile_run *run)
{
	const struct desired_interface *i;

	hmap_for_each (i, &run->r->desired->interfaces, node)
		if (i->gateway)
			reconcile_gateway(run, i);
}

void reconcile_interface(struct reconcile_run *run, const char *id)
{
	const struct desired_interface *i = desired_find_interface(run->r->desired, id);
	const struct desired_instance *instance;

	reconcile_leave(run, id, i);
	if (i && i->gateway) {
		reconcile_gateway(run, i);
		return;
	}
	instance = i ? desired_find_instance(run->r->desired, i->instance_id) : NULL;
	/* Of an instance that is dealt with as a whole, or not here, or not running: nothing to
	 * do. */
	if (!instance || instance->seen == run->r->round || !instance->running)
		return;
	if (reconcile_standing(run, i))
		reconcile_touch(run, instance->id);
}

/* ---- instances ---- */

void reconcile_tell(struct reconcile *r, const char *id, uint64_t generation,
		    Viaduct__Agent__InstanceStatus__State state, const char *text)
{
	const struct instance_status status = {
		.id = id, .generation = generation, .state = state, .text = text};

	r->status(&status, r->arg);
}

static void reconcile_standing_ports(struct reconcile_run *run, const char *instance)
{
	const struct desired_interface *i;

	/* What cannot be is seen again, and reported, with the node's other interfaces. */
	hmap_for_each (i, &run->r->desired->interfaces, node)
		if (str_equal(i->instance_id, instance) && reconcile_port_standing(run->r, i))
			reconcile_drop_ahead(run->r, i);
}

void reconcile_instance(struct reconcile_run *run, const char *id)
{
	struct desired_instance *instance = desired_find_instance(run->r->desired, id);
	const struct desired_key key = reconcile_key(DESIRED_INSTANCE, id);
	static const char no_driver[] = "this host has no such driver";

	if (instance)
		instance->seen = run->r->round;
	if (instance && *instance->driver && !str_equal(instance->driver, "netns")) {
		failures_add(run->failures, &key, -EOPNOTSUPP, no_driver);
		reconcile_tell(run->r, id, instance->generation,
			       VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED, no_driver);
		return;
	}
	if (instance && instance->running)
		reconcile_standing_ports(run, id);
	else
		reconcile_ports_of_gone(run->r, id);
	reconcile_touch(run, id);
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

static int reconcile_see_node(const char *id, void *arg)
{
	struct reconcile_run *run = arg;

	if (!desired_find_instance(run->r->desired, id))
		reconcile_instance(run, id);
	return 0;
}

void reconcile_unwanted_nodes(struct reconcile_run *run)
{
	int e = driver_nodes(run->r->driver, reconcile_see_node, run);

	if (e)
		failures_add(run->failures, &(struct desired_key){.kind = DESIRED_INSTANCE}, e,
			     "the nodes on this host cannot be listed");
}

void reconcile_check(struct reconcile *r)
{
	const struct port *port;

	/* Nodes without ports have nothing to lose, so the ports lead to those that matter. */
	hmap_for_each (port, &r->ports->by_interface, by_interface) {
		struct node *n = port->set ? nodes_find(r->nodes, port->instance_id) : NULL;

		if (n && n->step == NODE_IDLE)
			node_begin(n, NODE_GLANCE);
	}
}
