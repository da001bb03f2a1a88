/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is told of its nodes: subnets, instances, interfaces. */
#include "manager/message_build.h"

#include "model/interface.h"

void message_set_subnet(struct message *c, const struct plan_subnet *subnet)
{
	viaduct__agent__subnet__init(&c->subnet);
	c->subnet.vni = subnet->vni;
	c->subnet.prefix = message_bytes(&subnet->prefix.addr);
	c->subnet.prefix_len = subnet->prefix.len;
	c->subnet.router = message_bytes(&subnet->router);
	c->subnet.router_mac = message_data(subnet->router_mac.b, sizeof(subnet->router_mac.b));
	c->subnet.resolver = message_bytes(&subnet->resolver);
	c->subnet.network = message_locator_or_empty(&subnet->network);
	c->subnet.network_len = subnet->network.len;
	c->subnet.domain = (char *)subnet->domain;
	c->subnet.acl = subnet->acl;
	c->subnet.table = subnet->table;
	c->subnet.preloaded = subnet->preloaded;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_SUBNET;
	c->object.subnet = &c->subnet;
}

void message_set_instance(struct message *c, const struct plan_instance *instance)
{
	viaduct__agent__instance__init(&c->instance);
	c->instance.id = (char *)instance->id;
	c->instance.driver = (char *)instance->driver;
	c->instance.running = instance->running;
	c->instance.generation = instance->generation;
	c->instance.name = (char *)instance->name;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE;
	c->object.instance = &c->instance;
}

static void fill_exit(Viaduct__Agent__Exit *message, const struct plan_exit *exit)
{
	viaduct__agent__exit__init(message);
	message->addr = message_bytes(&exit->addr);
	message->public_ = message_bytes(&exit->public);
	message->peer = exit->peer;
	message->handle = exit->handle;
}

static int set_exits(struct message *c, const struct plan_interface *interface)
{
	Viaduct__Agent__Exit **exits;

	if (!interface->n_exits)
		return 0;
	exits = (Viaduct__Agent__Exit **)message_alloc(c, interface->n_exits,
						       sizeof(Viaduct__Agent__Exit));
	if (!exits)
		return -ENOMEM;
	for (size_t i = 0; i < interface->n_exits; i++)
		fill_exit(exits[i], &interface->exits[i]);
	c->interface.n_exits = interface->n_exits;
	c->interface.exits = exits;
	return 0;
}

static void set_dhcp(struct message *c, const struct plan_interface *interface)
{
	for (size_t i = 0; i < interface->n_dns; i++)
		c->dns_servers[i] = message_bytes(&interface->dns_servers[i]);
	c->interface.n_dns_servers = interface->n_dns;
	c->interface.dns_servers = c->dns_servers;
	for (size_t i = 0; i < interface->n_ntp; i++)
		c->ntp_servers[i] = message_bytes(&interface->ntp_servers[i]);
	c->interface.n_ntp_servers = interface->n_ntp;
	c->interface.ntp_servers = c->ntp_servers;
	if (interface->domain_name)
		c->interface.domain_name = (char *)interface->domain_name;
}

static void set_node_routes(struct message *c, const struct plan_interface *interface)
{
	for (size_t i = 0; i < interface->n_routes; i++) {
		const struct interface_route *r = &interface->routes[i];

		viaduct__agent__node_route__init(&c->routes[i]);
		c->routes[i].prefix = message_bytes(&r->prefix.addr);
		c->routes[i].prefix_len = r->prefix.len;
		if (!ipaddr_is_zero(&r->via))
			c->routes[i].via = message_bytes(&r->via);
		c->route_pointers[i] = &c->routes[i];
	}
	c->interface.n_routes = interface->n_routes;
	c->interface.routes = c->route_pointers;
}

int message_set_interface(struct message *c, const struct plan_interface *interface)
{
	int r;

	viaduct__agent__interface__init(&c->interface);
	c->interface.id = (char *)interface->id;
	c->interface.instance_id = (char *)interface->instance_id;
	c->interface.device_index = interface->device_index;
	c->interface.vni = interface->vni;
	c->interface.mac = message_data(interface->mac.b, sizeof(interface->mac.b));
	c->interface.mtu = interface->mtu;
	for (size_t i = 0; i < interface->n_addrs; i++)
		c->addrs[i] = message_bytes(&interface->addrs[i]);
	if (interface->standby) {
		c->interface.n_standby_addrs = interface->n_addrs;
		c->interface.standby_addrs = c->addrs;
	} else {
		c->interface.n_addrs = interface->n_addrs;
		c->interface.addrs = c->addrs;
		c->interface.n_labels = interface->n_addrs;
		c->interface.labels = (uint32_t *)interface->labels;
	}
	c->interface.subnet_prefix = message_bytes(&interface->subnet.addr);
	c->interface.subnet_prefix_len = interface->subnet.len;
	c->interface.host_name = (char *)interface->host_name;
	c->interface.dns = interface->dns;
	c->interface.forwards = interface->forwards;
	c->interface.handle = interface->handle;
	c->interface.n_groups = interface->n_groups;
	c->interface.groups = (uint32_t *)interface->groups;
	c->interface.disabled = interface->disabled;
	c->interface.shared = interface->shared;
	c->interface.resolves = interface->resolves;
	c->interface.vlan = interface->vlan;
	c->interface.gateway = interface->gateway;
	c->interface.logged = interface->logged;
	set_dhcp(c, interface);
	set_node_routes(c, interface);
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE;
	c->object.interface = &c->interface;
	r = message_set_mirrors(c, interface);
	return r ? r : set_exits(c, interface);
}
