/* SPDX-License-Identifier: Apache-2.0 */
/* Ways out of a network: route tables, peerings, gateways, public addresses. */
#include <netinet/in.h>

#include "agent/convert.h"
#include "agent/desired_take.h"

/* ---- route tables ---- */

static const char *desired_read_route(const Viaduct__Agent__Route *m, struct dp_route *r)
{
	static const enum dp_target targets[] = {
		[VIADUCT__AGENT__ROUTE__TARGET__BLACKHOLE] = DP_TARGET_BLACKHOLE,
		[VIADUCT__AGENT__ROUTE__TARGET__INTERNET] = DP_TARGET_INTERNET,
		[VIADUCT__AGENT__ROUTE__TARGET__GATEWAY] = DP_TARGET_GATEWAY,
		[VIADUCT__AGENT__ROUTE__TARGET__NETWORK] = DP_TARGET_NETWORK,
		[VIADUCT__AGENT__ROUTE__TARGET__INTERFACE] = DP_TARGET_INTERFACE,
	};

	if (convert_any_prefix(&m->prefix, m->prefix_len, &r->prefix))
		return "a route's prefix is none";
	if ((uint32_t)m->target >= ARRAY_SIZE(targets))
		return "a route leads to what this agent does not know: update it";
	if (m->local && m->target != VIADUCT__AGENT__ROUTE__TARGET__BLACKHOLE)
		return "a local route has another target";
	r->target = m->local ? DP_TARGET_LOCAL : targets[m->target];
	if (r->target == DP_TARGET_NETWORK ? !convert_vni_is_valid(m->vni)
					   : m->vni && !convert_handle_is_valid(m->vni))
		return "a route's VNI is not one of its target";
	r->peer = m->peer;
	r->vni = m->vni;
	return NULL;
}

static const char *desired_read_table(const Viaduct__Agent__RouteTable *m, struct desired_table *t)
{
	const char *text = NULL;

	if (!m->number)
		return "the route table has no number";
	if (convert_name(m->id, t->id, sizeof(t->id)))
		return "the route table's id is too long";
	for (size_t n = 0; !text && n < m->n_routes; n++)
		text = desired_read_route(m->routes[n], &t->routes[n]);
	t->number = m->number;
	t->inside = m->inside;
	t->n_routes = m->n_routes;
	return text;
}

int desired_take_table(struct desired *d, const Viaduct__Agent__RouteTable *m,
		       struct desired_key *key, const char **text)
{
	struct desired_table *t = calloc(1, sizeof(*t) + m->n_routes * sizeof(t->routes[0]));

	*key = (struct desired_key){.kind = DESIRED_TABLE, .number = m->number};
	if (!t)
		return -ENOMEM;
	*text = desired_read_table(m, t);
	return desired_place(d, key, &t->item, *text);
}

/* ---- peerings ---- */

int desired_read_peering_key(const Viaduct__Agent__Peering *m, struct desired_key *key)
{
	*key = (struct desired_key){.kind = DESIRED_PEERING, .vni_a = m->vni_a, .vni_b = m->vni_b};
	return convert_vni_is_valid(m->vni_a) && convert_vni_is_valid(m->vni_b) &&
			       m->vni_a < m->vni_b
		       ? 0
		       : -EINVAL;
}

int desired_take_peering(struct desired *d, const Viaduct__Agent__Peering *m,
			 struct desired_key *key, const char **text)
{
	struct desired_peering *p = calloc(1, sizeof(*p));

	if (desired_read_peering_key(m, key))
		*text = "the peering is not of two networks in ascending order";
	else
		*text = NULL;
	if (!p)
		return -ENOMEM;
	p->vni_a = m->vni_a;
	p->vni_b = m->vni_b;
	return desired_place(d, key, &p->item, *text);
}

/* ---- gateways ---- */

static const char *desired_read_static(const Viaduct__Agent__StaticPort *m,
				       struct dp_static_port *s)
{
	if (m->protocol != IPPROTO_TCP && m->protocol != IPPROTO_UDP)
		return "a static port of the gateway is neither of TCP nor of UDP";
	if (!m->public_port || m->public_port > UINT16_MAX || !m->port || m->port > UINT16_MAX)
		return "a static port of the gateway is outside of 1 to 65535";
	if (convert_addr(&m->addr, &s->addr))
		return "the address of a static port of the gateway is not 16 bytes";
	s->protocol = (uint8_t)m->protocol;
	s->public_port = (uint16_t)m->public_port;
	s->port = (uint16_t)m->port;
	return NULL;
}

static const char *desired_read_nat(const Viaduct__Agent__Gateway *m, struct desired_gateway *g)
{
	const char *text = NULL;

	if (convert_addr(&m->public_, &g->dp.public) || !ipaddr_is_v4(&g->dp.public))
		return "the NAT gateway has no IPv4 address to send from";
	if (!m->port_first || m->port_first > m->port_last || m->port_last > UINT16_MAX)
		return "the NAT gateway's range of ports is outside of 1 to 65535";
	g->dp.port_first = (uint16_t)m->port_first;
	g->dp.port_last = (uint16_t)m->port_last;
	for (size_t n = 0; !text && n < m->n_statics; n++)
		text = desired_read_static(m->statics[n], &g->statics[n]);
	g->dp.n_statics = m->n_statics;
	g->dp.statics = g->statics;
	return text;
}

static const char *desired_read_gateway(const Viaduct__Agent__Gateway *m, struct desired_gateway *g)
{
	if (!convert_handle_is_valid(m->handle))
		return "the gateway has no handle";
	if (convert_name(m->id, g->id, sizeof(g->id)))
		return "the gateway's id is too long";
	if (!convert_vni_is_valid(m->vni))
		return "the gateway's VNI is not one of a network";
	g->dp.handle = m->handle;
	g->dp.vni = m->vni;
	switch (m->kind) {
	case VIADUCT__AGENT__GATEWAY__KIND__INTERNET:
		g->dp.kind = DP_GATEWAY_INTERNET;
		g->dp.table = m->table;
		return NULL;
	case VIADUCT__AGENT__GATEWAY__KIND__NAT:
		g->dp.kind = DP_GATEWAY_NAT;
		return desired_read_nat(m, g);
	case VIADUCT__AGENT__GATEWAY__KIND__PRIVATE:
		g->dp.kind = DP_GATEWAY_PRIVATE;
		return desired_read_nat(m, g);
	case VIADUCT__AGENT__GATEWAY__KIND__EGRESS_ONLY:
		g->dp.kind = DP_GATEWAY_EGRESS_ONLY;
		return NULL;
	default:
		return "the gateway is of a kind that this agent does not know: update it";
	}
}

bool desired_gateway_is_public(const struct desired_gateway *g)
{
	return g->dp.kind == DP_GATEWAY_NAT;
}

static struct desired_gateway *desired_new_gateway(const Viaduct__Agent__Gateway *m)
{
	return calloc(1, sizeof(struct desired_gateway) +
				 m->n_statics * sizeof(struct dp_static_port));
}

int desired_make_gateway(const Viaduct__Agent__Gateway *m, struct desired_gateway **ret,
			 const char **text)
{
	_cleanup_free_ struct desired_gateway *g = desired_new_gateway(m);

	if (!g)
		return -ENOMEM;
	*text = desired_read_gateway(m, g);
	if (*text)
		return -EINVAL;
	*ret = TAKE_PTR(g);
	return 0;
}

int desired_take_gateway(struct desired *d, const Viaduct__Agent__Gateway *m,
			 struct desired_key *key, const char **text)
{
	struct desired_gateway *g = desired_new_gateway(m);

	*key = (struct desired_key){.kind = DESIRED_GATEWAY, .number = m->handle};
	if (!g)
		return -ENOMEM;
	*text = desired_read_gateway(m, g);
	return desired_place(d, key, &g->item, *text);
}

/* ---- public addresses ---- */

int desired_read_public_key(const ProtobufCBinaryData *b, struct desired_key *key)
{
	struct ipaddr public;

	*key = (struct desired_key){.kind = DESIRED_PUBLIC};
	if (convert_addr(b, &public))
		return -EINVAL;
	key->prefix = prefix_make(&public, 128);
	return 0;
}

static const char *desired_read_public(const Viaduct__Agent__PublicAddress *m,
				       struct desired_public *p)
{
	if (convert_addr(&m->public_, &p->dp.public) || !ipaddr_is_v4(&p->dp.public))
		return "the public address is no IPv4 address";
	if (convert_addr(&m->addr, &p->dp.addr) || !ipaddr_is_v4(&p->dp.addr))
		return "the private address of a public one is no IPv4 address";
	if (!convert_vni_is_valid(m->vni))
		return "the public address's VNI is not one of a network";
	if (!convert_handle_is_valid(m->handle))
		return "the public address's gateway has no handle";
	if (convert_name(m->id, p->id, sizeof(p->id)))
		return "the public address's id is too long";
	if (m->n_formers > DP_FORMERS)
		return "more had the public address than this agent knows of: update it";
	for (size_t n = 0; n < m->n_formers; n++)
		if (convert_addr(&m->formers[n], &p->dp.formers[n]) ||
		    !ipaddr_is_v4(&p->dp.formers[n]))
			return "a private address that had the public one is no IPv4 address";
	p->dp.n_formers = (uint32_t)m->n_formers;
	p->dp.vni = m->vni;
	p->dp.handle = m->handle;
	return NULL;
}

int desired_take_public(struct desired *d, const Viaduct__Agent__PublicAddress *m,
			struct desired_key *key, const char **text)
{
	struct desired_public *p = calloc(1, sizeof(*p));
	int e = desired_read_public_key(&m->public_, key);

	if (!p)
		return -ENOMEM;
	*text = e ? "the public address is not 16 bytes" : desired_read_public(m, p);
	return desired_place(d, key, &p->item, *text);
}
