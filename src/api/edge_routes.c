/* SPDX-License-Identifier: Apache-2.0 */
/* The border in the operators' API: pools of public addresses, who has which address, NAT gateways'
 * ports. */
#include "api/route_handlers.h"
#include "model/drain.h"
#include "model/elastic.h"
#include "model/nat_gateway.h"
#include "model/pool.h"

#include <string.h>

#include "base/str.h"

/* ---- pools ---- */

static json_t *show_pool(struct route_call *c, const struct object *object)
{
	const struct pool *p = (const struct pool *)object;
	json_t *o = json_new_object(c);

	json_put_id(c, o, "id", KIND_POOL, object->id);
	json_put_prefix(c, o, "cidr", &p->prefix);
	json_put_u64(c, o, "addresses", pool_size(p));
	json_put_u64(c, o, "allocated", pool_used(c->model, p));
	return o;
}

int route_pools(struct route_call *c)
{
	static const struct route_list list = {"pools", KIND_POOL, show_pool};

	return route_list_run(c, &list);
}

int route_pool_add(struct route_call *c)
{
	const struct pool *p;
	const char *cidr;
	int r = route_text(c, "cidr", true, &cidr);

	if (!r)
		r = pool_add(c->tx, &c->caller, cidr, &p, &c->refusal);
	if (r)
		return r;
	c->status = 201;
	c->result = json_new_object(c);
	json_put(c, c->result, "pool", show_pool(c, &p->o));
	return 0;
}

int route_pool_remove(struct route_call *c)
{
	int r = pool_remove(c->tx, &c->caller, c->segments[2], &c->refusal);

	if (!r)
		c->result = json_new_object(c);
	return r;
}

/* ---- addresses ---- */

/* Who had the address and keeps his connections, and until when. */
static json_t *show_drains(struct route_call *c, const struct elastic *e)
{
	struct model_iter it = model_iter_group(c->model, REL_ADDRESS_DRAINS, e->o.id);
	json_t *drains = json_new_array(c);
	const struct drain *d;

	while ((d = (const struct drain *)model_iter_next(&it))) {
		json_t *o = json_new_object(c);

		json_put_addr(c, o, "private", &d->private_addr);
		json_put_time(c, o, "until", d->until_ms);
		json_append(c, drains, o);
	}
	return drains;
}

static json_t *show_address(struct route_call *c, const struct object *object)
{
	const struct elastic *e = (const struct elastic *)object;
	json_t *o;

	if (!route_query_is_host(c, "edge", e->edge))
		return NULL;
	o = json_new_object(c);
	json_put_id(c, o, "id", KIND_ADDRESS, object->id);
	json_put_account(c, o, object->account);
	json_put_addr(c, o, "public", &e->public);
	json_put_bool(c, o, "automatic", e->automatic);
	json_put_id(c, o, "network", KIND_VPC, e->vpc);
	json_put_addr(c, o, "private", &e->private_addr);
	json_put_id(c, o, "nat_gateway", KIND_NAT_GATEWAY, e->nat_gateway);
	json_put_host(c, o, "edge", e->edge);
	json_put(c, o, "draining", show_drains(c, e));
	json_put_tags(c, o, "tags", object);
	return o;
}

int route_addresses(struct route_call *c)
{
	static const struct route_list list = {"addresses", KIND_ADDRESS, show_address};

	return route_list_run(c, &list);
}

/* ---- NAT gateways ---- */

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static json_t *show_port(struct route_call *c, const struct nat_port *port)
{
	json_t *o = json_new_object(c);

	json_put_text(c, o, "protocol", port->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	json_put_u64(c, o, "public_port", port->public_port);
	json_put_addr(c, o, "address", &port->addr);
	json_put_u64(c, o, "port", port->port);
	return o;
}

static json_t *show_gateway(struct route_call *c, const struct object *object)
{
	const struct nat_gateway *g = (const struct nat_gateway *)object;
	json_t *o, *ports;

	if (!route_query_is(c, "network", KIND_VPC, g->vpc) ||
	    !route_query_is_host(c, "edge", g->edge))
		return NULL;
	o = json_new_object(c);
	ports = json_new_array(c);
	json_put_id(c, o, "id", KIND_NAT_GATEWAY, object->id);
	json_put_account(c, o, object->account);
	json_put_text(c, o, "connectivity", g->is_private ? "private" : "public");
	json_put_text(c, o, "state", nat_state_text(g->state));
	json_put_id(c, o, "network", KIND_VPC, g->vpc);
	json_put_id(c, o, "subnet", KIND_SUBNET, g->subnet);
	if (g->is_private)
		json_put_text(c, o, "public", NULL);
	else
		json_put_addr(c, o, "public", &g->public_addr);
	json_put_addr(c, o, "private", &g->private_addr);
	json_put_host(c, o, "edge", g->edge);
	json_put_text(c, o, "failure", g->failure);
	for (size_t i = 0; i < g->n_ports; i++)
		json_append(c, ports, show_port(c, &g->ports[i]));
	json_put(c, o, "ports", ports);
	json_put_tags(c, o, "tags", object);
	return o;
}

int route_nat_gateways(struct route_call *c)
{
	static const struct route_list list = {"nat_gateways", KIND_NAT_GATEWAY, show_gateway};

	return route_list_run(c, &list);
}

static int read_protocol(struct route_call *c, const char *text, uint32_t *ret)
{
	if (strcmp(text, "tcp") && strcmp(text, "udp"))
		return route_refuse(c, 400, "BadRequest", "'protocol' must be tcp or udp");
	*ret = strcmp(text, "tcp") ? PROTOCOL_UDP : PROTOCOL_TCP;
	return 0;
}

static int read_port(struct route_call *c, struct nat_port *ret)
{
	const char *protocol, *address;
	const uint32_t *public_port, *port;
	int r = route_text(c, "protocol", true, &protocol);

	if (!r)
		r = read_protocol(c, protocol, &ret->protocol);
	if (!r)
		r = route_text(c, "address", true, &address);
	if (!r && ipaddr_parse(address, &ret->addr))
		r = route_refuse(c, 400, "BadRequest", "'address' must be an IPv4 address");
	if (!r)
		r = route_u32(c, "public_port", &public_port);
	if (!r)
		r = route_u32(c, "port", &port);
	if (r)
		return r;
	if (!public_port)
		return route_refuse(c, 400, "BadRequest", "'public_port' is needed");
	ret->public_port = *public_port;
	ret->port = port ? *port : *public_port;
	return 0;
}

int route_nat_port_open(struct route_call *c)
{
	struct nat_port port = {0};
	int r = read_port(c, &port);

	if (!r)
		r = nat_gateway_open(c->tx, &c->caller, c->segments[2], &port, &c->refusal);
	if (r)
		return r;
	c->status = 201;
	c->result = json_new_object(c);
	json_put(c, c->result, "port", show_port(c, &port));
	return 0;
}

int route_nat_port_close(struct route_call *c)
{
	uint32_t protocol = 0, port = 0;
	int r = 0;

	/* what cannot be a port leads nowhere */
	if (str_u32(c->segments[5], 1, 65535, &port))
		port = 0;
	if (!strcmp(c->segments[4], "tcp") || !strcmp(c->segments[4], "udp"))
		r = read_protocol(c, c->segments[4], &protocol);
	if (!r)
		r = nat_gateway_close(c->tx, &c->caller, c->segments[2], protocol, port,
				      &c->refusal);
	if (!r)
		c->result = json_new_object(c);
	return r;
}
