/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is told of ways out of networks: route tables, gateways, public addresses,
 * peerings. */
#include "manager/message_build.h"

#include "model/nat_gateway.h"

void message_set_peering(struct message *c, const struct plan_peering *peering)
{
	viaduct__agent__peering__init(&c->peering);
	c->peering.vni_a = peering->vni_a;
	c->peering.vni_b = peering->vni_b;
}

static Viaduct__Agent__Route__Target target_of(enum plan_target target)
{
	switch (target) {
	case PLAN_TARGET_INTERNET:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERNET;
	case PLAN_TARGET_GATEWAY:
		return VIADUCT__AGENT__ROUTE__TARGET__GATEWAY;
	case PLAN_TARGET_NETWORK:
		return VIADUCT__AGENT__ROUTE__TARGET__NETWORK;
	case PLAN_TARGET_INTERFACE:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERFACE;
	default:
		return VIADUCT__AGENT__ROUTE__TARGET__BLACKHOLE;
	}
}

static void fill_route(Viaduct__Agent__Route *message, const struct plan_route *route)
{
	viaduct__agent__route__init(message);
	message->prefix = message_bytes(&route->prefix.addr);
	message->prefix_len = route->prefix.len;
	message->target = target_of(route->target);
	message->local = route->target == PLAN_TARGET_LOCAL;
	message->peer = route->peer;
	message->vni = route->vni;
}

int message_set_table(struct message *c, const struct plan_table *table)
{
	Viaduct__Agent__Route **routes = (Viaduct__Agent__Route **)message_alloc(
		c, table->n_routes, sizeof(Viaduct__Agent__Route));

	if (!routes)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_routes; i++)
		fill_route(routes[i], &table->routes[i]);
	viaduct__agent__route_table__init(&c->table);
	c->table.number = table->number;
	c->table.id = (char *)table->id;
	c->table.inside = table->inside;
	c->table.n_routes = table->n_routes;
	c->table.routes = routes;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_TABLE;
	c->object.table = &c->table;
	return 0;
}

static Viaduct__Agent__Gateway__Kind gateway_kind_of(enum plan_gateway_kind kind)
{
	switch (kind) {
	case PLAN_GATEWAY_INTERNET:
		return VIADUCT__AGENT__GATEWAY__KIND__INTERNET;
	case PLAN_GATEWAY_NAT:
		return VIADUCT__AGENT__GATEWAY__KIND__NAT;
	case PLAN_GATEWAY_EGRESS_ONLY:
		return VIADUCT__AGENT__GATEWAY__KIND__EGRESS_ONLY;
	case PLAN_GATEWAY_PRIVATE:
		return VIADUCT__AGENT__GATEWAY__KIND__PRIVATE;
	}
	return VIADUCT__AGENT__GATEWAY__KIND__UNSPECIFIED;
}

static int set_ports(struct message *c, const struct plan_gateway *gateway)
{
	Viaduct__Agent__StaticPort **ports;

	if (!gateway->n_ports)
		return 0;
	ports = (Viaduct__Agent__StaticPort **)message_alloc(c, gateway->n_ports,
							     sizeof(Viaduct__Agent__StaticPort));
	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < gateway->n_ports; i++) {
		viaduct__agent__static_port__init(ports[i]);
		ports[i]->protocol = gateway->ports[i].protocol;
		ports[i]->public_port = gateway->ports[i].public_port;
		ports[i]->addr = message_bytes(&gateway->ports[i].addr);
		ports[i]->port = gateway->ports[i].port;
	}
	c->gateway.n_statics = gateway->n_ports;
	c->gateway.statics = ports;
	return 0;
}

int message_set_gateway(struct message *c, const struct plan_gateway *gateway)
{
	viaduct__agent__gateway__init(&c->gateway);
	c->gateway.handle = gateway->handle;
	c->gateway.kind = gateway_kind_of(gateway->kind);
	c->gateway.id = (char *)gateway->id;
	c->gateway.vni = gateway->vni;
	c->gateway.public_ = message_addr_or_empty(&gateway->public);
	c->gateway.table = gateway->table;
	c->gateway.port_first = gateway->port_first;
	c->gateway.port_last = gateway->port_last;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY;
	c->object.gateway = &c->gateway;
	return set_ports(c, gateway);
}

void message_set_public(struct message *c, const struct plan_public *public)
{
	viaduct__agent__public_address__init(&c->public);
	c->public.public_ = message_bytes(&public->public);
	c->public.vni = public->vni;
	c->public.addr = message_bytes(&public->addr);
	c->public.handle = public->handle;
	c->public.id = (char *)public->id;
	c->public.n_formers = public->n_formers;
	c->public.formers = c->formers;
	for (size_t i = 0; i < public->n_formers; i++)
		c->formers[i] = message_bytes(&public->formers[i]);
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC;
	c->object.public_ = &c->public;
}
