/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/control_answer.h"

#include <netinet/in.h>
#include <stdio.h>

#include "base/limits.h"

/* ---- connections ---- */

struct control_walk {
	struct control *control;
	json_t *list;
};

static json_t *control_protocol(uint8_t protocol)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{IPPROTO_ICMP, "icmp"},
		{IPPROTO_TCP, "tcp"},
		{IPPROTO_UDP, "udp"},
		{IPPROTO_ICMPV6, "icmpv6"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == protocol)
			return json_string(names[i].name);
	return json_sprintf("%u", protocol);
}

static int control_see_connection(const struct dp_connection *n, void *arg)
{
	struct control_walk *w = arg;
	const struct port *port = ports_find(&w->control->agent->ports, n->port);

	if (json_array_size(w->list) >= LIMIT_AGENT_CONNECTIONS_LISTED)
		return -ENOSPC;
	return json_array_append_new(
		       w->list,
		       json_pack("{s:s, s:o, s:o, s:i, s:o, s:i, s:s, s:s, s:i}", "interface",
				 port ? port->interface_id : "", "protocol",
				 control_protocol(n->protocol), "local", control_addr(&n->local),
				 "local_port", (int)n->local_port, "remote",
				 control_addr(&n->remote), "remote_port", (int)n->remote_port,
				 "begun", n->egress ? "here" : "there", "state", n->state,
				 "expires_in", (int)n->expires_in))
		       ? -ENOMEM
		       : 0;
}

json_t *control_connections(struct control *c, const json_t *request)
{
	const char *interface = json_string_value(json_object_get(request, "interface"));
	const struct port *port =
		interface ? ports_find_interface(&c->agent->ports, interface) : NULL;
	struct control_walk w = {.control = c, .list = json_array()};
	int e = 0;

	if (c->agent->dp && (!interface || (port && port->set)))
		e = datapath_connections(c->agent->dp, port ? port->dp.id : 0,
					 control_see_connection, &w);
	return json_pack("{s:o, s:b, s:b}", "list", w.list, "truncated", e == -ENOSPC, "known",
			 !interface || port);
}

/* ---- what an edge has ---- */

static const char *control_gateway_kind(enum dp_gateway_kind kind)
{
	switch (kind) {
	case DP_GATEWAY_INTERNET:
		return "internet";
	case DP_GATEWAY_NAT:
		return "nat";
	case DP_GATEWAY_EGRESS_ONLY:
		return "egress-only";
	case DP_GATEWAY_PRIVATE:
		return "private-nat";
	}
	return "unknown";
}

static json_t *control_gateway(const struct agent *a, const struct desired_gateway *g)
{
	struct dp_gateway_counters n = {0};

	if (a->dp && datapath_gateway_counters(a->dp, g->dp.handle, &n))
		n = (struct dp_gateway_counters){0};
	return json_pack("{s:s, s:s, s:i, s:i, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
			 g->id, "kind", control_gateway_kind(g->dp.kind), "handle",
			 (int)g->dp.handle, "vni", (int)g->dp.vni, "public",
			 control_addr(&g->dp.public), "applied", g->applied == a->reconcile.opening,
			 "out_packets", (json_int_t)n.out_packets, "out_bytes",
			 (json_int_t)n.out_bytes, "in_packets", (json_int_t)n.in_packets,
			 "in_bytes", (json_int_t)n.in_bytes, "no_port", (json_int_t)n.no_port,
			 "unsolicited", (json_int_t)n.unsolicited);
}

static json_t *control_public(const struct agent *a, const struct desired_public *p)
{
	json_t *formers = json_array();

	for (size_t n = 0; n < p->dp.n_formers; n++)
		json_array_append_new(formers, control_addr(&p->dp.formers[n]));
	return json_pack("{s:s, s:o, s:i, s:o, s:o, s:b}", "id", p->id, "public",
			 control_addr(&p->dp.public), "vni", (int)p->dp.vni, "private",
			 control_addr(&p->dp.addr), "formers", formers, "applied",
			 p->applied == a->reconcile.opening);
}

json_t *control_edge(struct control *c, const json_t *request)
{
	const struct agent *a = c->agent;
	json_t *gateways = json_array(), *publics = json_array();
	const struct desired_gateway *g;
	const struct desired_public *p;

	hmap_for_each (g, &a->desired.gateways, node)
		json_array_append_new(gateways, control_gateway(a, g));
	hmap_for_each (p, &a->desired.publics, node)
		json_array_append_new(publics, control_public(a, p));
	return json_pack("{s:s?, s:o, s:o, s:I}", "uplink", a->config.uplink, "gateways", gateways,
			 "publics", publics, "announced", (json_int_t)a->announcer.n_sent);
}
