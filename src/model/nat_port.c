/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static ports of NAT gateways.  See nat_gateway.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/interface.h"
#include "model/nat_gateway.h"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PORT_MAX = 65535 };

static size_t find_port(const struct nat_gateway *g, uint32_t protocol, uint32_t public_port)
{
	size_t i = 0;

	while (i < g->n_ports &&
	       (g->ports[i].protocol != protocol || g->ports[i].public_port != public_port))
		i++;
	return i;
}

/* The one that leads where 'port' does, or NULL. */
static const struct nat_port *find_inside(const struct nat_gateway *g, const struct nat_port *port)
{
	for (size_t i = 0; i < g->n_ports; i++)
		if (g->ports[i].protocol == port->protocol && g->ports[i].port == port->port &&
		    ipaddr_equal(&g->ports[i].addr, &port->addr))
			return &g->ports[i];
	return NULL;
}

static int check_number(uint32_t value, const char *name, struct refusal *reterr)
{
	char text[16];

	if (value && value <= PORT_MAX)
		return 0;
	snprintf(text, sizeof(text), "%u", value);
	return refuse(reterr, MODEL_E_VALUE, text, name, "A port is 1 to 65535.");
}

static int check_port(const struct model *m, const struct nat_gateway *g, const char *id,
		      const struct nat_port *port, struct refusal *reterr)
{
	char text[IPADDR_TEXT_SIZE], interface[ID_TEXT_SIZE];
	const struct nat_port *double_of;
	const struct interface *i;
	int r;

	if (port->protocol != PROTOCOL_TCP && port->protocol != PROTOCOL_UDP) {
		snprintf(text, sizeof(text), "%u", port->protocol);
		return refuse(reterr, MODEL_E_VALUE, text, "protocol", "It is tcp or udp.");
	}
	r = check_number(port->public_port, "public_port", reterr);
	if (!r)
		r = check_number(port->port, "port", reterr);
	if (r)
		return r;
	if (g->state != NAT_PENDING && g->state != NAT_AVAILABLE)
		return refuse(reterr, MODEL_E_NAT_STATE, id, nat_state_text(g->state));
	i = ipaddr_is_v4(&port->addr) ? interface_by_addr(m, g->vni, &port->addr) : NULL;
	if (!i)
		return refuse(reterr, MODEL_E_VALUE, ipaddr_text(&port->addr, text), "address",
			      "No interface of the gateway's network has it.");
	if (attachment_is_foreign(&i->attachment))
		return refuse(reterr, MODEL_E_FOREIGN_INTERFACE, object_id_text(&i->o, interface));
	if (find_port(g, port->protocol, port->public_port) < g->n_ports) {
		snprintf(text, sizeof(text), "%u", port->public_port);
		return refuse(reterr, MODEL_E_NAT_PORT_IN_USE, text, id);
	}
	double_of = find_inside(g, port);
	if (double_of) {
		snprintf(text, sizeof(text), "%u", double_of->public_port);
		return refuse(reterr, MODEL_E_NAT_PORT_DOUBLE, text, id);
	}
	if (g->n_ports >= LIMIT_MODEL_NAT_PORTS)
		return refuse(reterr, MODEL_E_NAT_PORT_LIMIT, id);
	return 0;
}

const struct nat_gateway *nat_gateway_opening(const struct model *m, uint64_t vpc,
					      const struct ipaddr *addr)
{
	struct model_iter it = model_iter_group(m, REL_VPC_NAT_GATEWAYS, vpc);
	const struct nat_gateway *g;

	while ((g = (const struct nat_gateway *)model_iter_next(&it)))
		for (size_t i = 0; i < g->n_ports; i++)
			if ((g->state == NAT_PENDING || g->state == NAT_AVAILABLE) &&
			    ipaddr_equal(&g->ports[i].addr, addr))
				return g;
	return NULL;
}

static int do_open(struct tx *tx, const struct nat_gateway *g, const struct nat_port *port)
{
	struct nat_gateway *new = NULL;
	struct nat_port *ports;
	int r = TX_EDIT(tx, g, &new);

	if (r)
		return r;
	ports = reallocarray(new->ports, new->n_ports + 1, sizeof(*ports));
	if (!ports) {
		record_free(&new->o);
		return -ENOMEM;
	}
	new->ports = ports;
	ports[new->n_ports++] = *port;
	return TX_PUT(tx, g, &new);
}

int nat_gateway_open(struct tx *tx, const struct caller *c, const char *id,
		     const struct nat_port *port, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct nat_gateway *g;
	int r = nat_gateway_find(tx->m, c, id, &g, reterr);

	if (!r)
		r = check_port(tx->m, g, id, port, reterr);
	return r ? r : tx_settle(tx, mark, do_open(tx, g, port));
}

int nat_gateway_close(struct tx *tx, const struct caller *c, const char *id, uint32_t protocol,
		      uint32_t public_port, struct refusal *reterr)
{
	size_t mark = tx_mark(tx), place;
	struct nat_gateway *new = NULL;
	const struct nat_gateway *g;
	char text[16];
	int r = nat_gateway_find(tx->m, c, id, &g, reterr);

	if (r)
		return r;
	place = find_port(g, protocol, public_port);
	if (place == g->n_ports) {
		snprintf(text, sizeof(text), "%u", public_port);
		return refuse(reterr, MODEL_E_NAT_PORT_NOT_FOUND, text, id);
	}
	r = TX_EDIT(tx, g, &new);
	if (r)
		return r;
	new->n_ports--;
	memmove(&new->ports[place], &new->ports[place + 1],
		(new->n_ports - place) * sizeof(*new->ports));
	return tx_settle(tx, mark, TX_PUT(tx, g, &new));
}
