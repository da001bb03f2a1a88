/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about reachability: read, and put to the model.  See insights_question.h.
 *
 * EC2 says of a path's ends either an address and a port, or filters: what the packet is like where
 * it is sent, and where it arrives.  An end that has not the address of a filter is no refusal, but
 * a path that is not found (reach_filter.c).
 */
#include "model/insights_question.h"

#include <stdio.h>

#include "base/str.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/vpc.h"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* ---- as it is asked ---- */

static int parse_addr(const char *parameter, const char *text, struct ipaddr *ret,
		      struct refusal *reterr)
{
	*ret = (struct ipaddr){0};
	if (text && ipaddr_parse(text, ret))
		return refuse(reterr, MODEL_E_VALUE, text, parameter,
			      "This is no IPv4 or IPv6 address.");
	return 0;
}

static int parse_port(const char *parameter, int32_t port, uint32_t least, uint32_t *ret,
		      struct refusal *reterr)
{
	char text[12];

	if (port >= (int32_t)least && port <= UINT16_MAX) {
		*ret = (uint32_t)port;
		return 0;
	}
	snprintf(text, sizeof(text), "%d", port);
	return refuse(reterr, MODEL_E_VALUE, text, parameter,
		      least ? "A port is between 1 and 65535."
			    : "A first port is between 0 and 65535.");
}

/* 'parameter' of 'filter'. */
enum { NAME_SIZE = 64 };

static const char *name_of(const char *filter, const char *parameter, char buf[static NAME_SIZE])
{
	snprintf(buf, NAME_SIZE, "%s.%s", filter, parameter);
	return buf;
}

static int parse_ports(const char *filter, const char *parameter,
		       const struct insights_ports_args *args, struct reach_ports *ret,
		       struct refusal *reterr)
{
	char range[NAME_SIZE], name[NAME_SIZE + 16], text[32];
	struct reach_ports p = {0};
	int r;

	if (!args->from && !args->to)
		return 0;
	name_of(filter, parameter, range);
	snprintf(name, sizeof(name), "%s.%s", range, args->from ? "toPort" : "fromPort");
	if (!args->from || !args->to)
		return refuse(reterr, MODEL_E_MISSING, name);
	r = parse_port(range, *args->from, 0, &p.from, reterr);
	if (!r)
		r = parse_port(range, *args->to, 1, &p.to, reterr);
	if (r)
		return r;
	if (p.from > p.to) {
		snprintf(text, sizeof(text), "%u-%u", p.from, p.to);
		return refuse(reterr, MODEL_E_VALUE, text, range,
			      "The first port is behind the last one.");
	}
	*ret = p;
	return 0;
}

static int parse_filter(const char *filter, const struct insights_filter_args *args,
			struct reach_filter *ret, struct refusal *reterr)
{
	char name[NAME_SIZE];
	int r = parse_addr(name_of(filter, "sourceAddress", name), args->source, &ret->src, reterr);

	if (!r)
		r = parse_addr(name_of(filter, "destinationAddress", name), args->destination,
			       &ret->dst, reterr);
	if (!r)
		r = parse_ports(filter, "sourcePortRange", &args->source_ports, &ret->src_ports,
				reterr);
	if (!r)
		r = parse_ports(filter, "destinationPortRange", &args->destination_ports,
				&ret->dst_ports, reterr);
	return r;
}

/* What EC2 does not let be said twice. */
static int check_twice(const struct insights_path *p, const struct insights_path_args *args,
		       struct refusal *reterr)
{
	if (reach_filter_is_set(&p->at_source) && (args->source_ip || args->port))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "With filterAtSource, sourceIp and destinationPort cannot be given: "
			      "say sourceAddress and destinationPortRange in the filter");
	if (reach_filter_is_set(&p->at_destination) && args->destination_ip)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "With filterAtDestination, destinationIp cannot be given: say "
			      "destinationAddress in the filter");
	return 0;
}

/* Every address that is said, the first of which tells the family; NULL behind the last. */
enum { ADDRESSES = 6 };

static void addresses_of(const struct insights_path *p, const struct ipaddr *ret[ADDRESSES + 1])
{
	const struct ipaddr *all[ADDRESSES] = {
		&p->source_addr,   &p->destination_addr,   &p->at_source.src,
		&p->at_source.dst, &p->at_destination.src, &p->at_destination.dst,
	};
	size_t n = 0;

	for (size_t i = 0; i < ADDRESSES; i++)
		if (!ipaddr_is_zero(all[i]))
			ret[n++] = all[i];
	ret[n] = NULL;
}

static int check_families(const struct insights_path *p, struct refusal *reterr)
{
	const struct ipaddr *all[ADDRESSES + 1];

	addresses_of(p, all);
	for (size_t i = 0; all[i]; i++)
		if (ipaddr_is_v4(all[i]) != ipaddr_is_v4(all[0]))
			return refuse(reterr, MODEL_E_COMBINATION,
				      "The addresses of the source and the destination must be of "
				      "one family");
	return 0;
}

static bool says_destination(const struct insights_path *p)
{
	return !ipaddr_is_zero(&p->destination_addr) || !ipaddr_is_zero(&p->at_source.dst) ||
	       !ipaddr_is_zero(&p->at_destination.dst);
}

static int check_addresses(const struct insights_path *p, struct refusal *reterr)
{
	if (!p->destination_kind && !says_destination(p))
		return refuse(reterr, MODEL_E_MISSING,
			      "destination, or filterAtDestination.destinationAddress");
	return check_families(p, reterr);
}

static int parse_protocol(const char *text, uint32_t *ret, struct refusal *reterr)
{
	if (str_equal(text, "tcp") || str_equal(text, "TCP"))
		*ret = PROTOCOL_TCP;
	else if (str_equal(text, "udp") || str_equal(text, "UDP"))
		*ret = PROTOCOL_UDP;
	else
		return refuse(reterr, MODEL_E_VALUE, text, "protocol", "It is tcp or udp.");
	return 0;
}

int insights_question_parse(const struct insights_path_args *args, struct insights_path *p,
			    struct refusal *reterr)
{
	int r = parse_addr("sourceIp", args->source_ip, &p->source_addr, reterr);

	if (!r)
		r = parse_addr("destinationIp", args->destination_ip, &p->destination_addr, reterr);
	if (!r)
		r = parse_filter("filterAtSource", &args->at_source, &p->at_source, reterr);
	if (!r)
		r = parse_filter("filterAtDestination", &args->at_destination, &p->at_destination,
				 reterr);
	if (!r)
		r = check_twice(p, args, reterr);
	if (!r)
		r = check_addresses(p, reterr);
	if (!r)
		r = parse_protocol(args->protocol, &p->protocol, reterr);
	if (!r && args->port)
		r = parse_port("destinationPort", *args->port, 1, &p->port, reterr);
	return r;
}

/* ---- as it is put to the model ---- */

/* An instance stands for its primary interface, or for the one that has the address. */
static const struct interface *interface_of_instance(const struct model *m, uint64_t instance,
						     const struct ipaddr *addr)
{
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, instance);
	const struct interface *found = NULL;
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct interface *i = (const struct interface *)o;

		if (!ipaddr_is_zero(addr) && interface_has_addr(i, addr))
			return i;
		if (!interface_attachment_to(i, instance)->device_index)
			found = i;
	}
	return ipaddr_is_zero(addr) ? found : NULL;
}

/* The first address of the family; NULL: there is none. */
static const struct ipaddr *first_addr(const struct interface *i, bool v6)
{
	for (size_t a = 0; a < i->n_addrs; a++)
		if (ipaddr_is_v4(&i->addrs[a].addr) != v6)
			return &i->addrs[a].addr;
	return NULL;
}

/* An end that is named, and how: 'addr' it has to have, 'wanted' is taken if it does. */
struct named {
	enum kind kind;
	uint64_t id;
	const struct ipaddr *addr, *wanted;
};

static const struct interface *find_interface(const struct model *m, const struct named *n,
					      const struct object *o)
{
	const struct interface *i = NULL;

	if (n->kind == KIND_INTERFACE)
		return (const struct interface *)o;
	if (ipaddr_is_zero(n->addr) && !ipaddr_is_zero(n->wanted))
		i = interface_of_instance(m, n->id, n->wanted);
	return i ? i : interface_of_instance(m, n->id, n->addr);
}

/* 'v6': the family of what has no address given. */
static int resolve_end(const struct model *m, const struct named *n, bool v6, struct reach_end *ret,
		       struct refusal *reterr)
{
	const struct object *o = model_get(m, n->kind, n->id);
	char text[ID_TEXT_SIZE], addr_text[IPADDR_TEXT_SIZE];
	const struct ipaddr *first;

	*ret = (struct reach_end){.addr = *n->addr};
	if (!o)
		return refuse(reterr, MODEL_E_INSIGHTS_END_GONE, id_text(n->kind, n->id, text));
	if (n->kind == KIND_INTERNET_GATEWAY) {
		ret->gateway = (const struct internet_gateway *)o;
		if (ipaddr_is_zero(n->addr))
			ret->addr = *n->wanted;
		return 0;
	}
	ret->interface = find_interface(m, n, o);
	if (!ret->interface ||
	    (!ipaddr_is_zero(n->addr) && !interface_has_addr(ret->interface, n->addr)))
		return refuse(reterr, MODEL_E_VALUE, ipaddr_text(n->addr, addr_text), "ip",
			      "The source or destination does not have this address.");
	if (!ipaddr_is_zero(n->addr))
		return 0;
	first = interface_has_addr(ret->interface, n->wanted) ? n->wanted
							      : first_addr(ret->interface, v6);
	if (!first)
		return refuse(reterr, MODEL_E_VALUE, id_text(n->kind, n->id, text),
			      "networkInsightsPathId",
			      "This source or destination has no IPv6 address.");
	ret->addr = *first;
	return 0;
}

/* What the world calls 'a', inside the network 'vni'. */
static struct ipaddr behind(const struct model *m, uint32_t vni, const struct ipaddr *a)
{
	const struct elastic *e = elastic_by_public(m, a);

	return e && e->association && !e->nat_gateway && e->vni == vni ? e->private_addr : *a;
}

static uint32_t network_of(const struct model *m, const struct internet_gateway *g)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, g->vpc);

	return v ? v->vni : 0;
}

/* Nobody is named: what comes in by a gateway is for whoever has the address there; where a node's
 * packet gets to is for the walk to find. */
static int resolve_address(const struct model *m, const struct reach_end *from,
			   const struct ipaddr *addr, struct reach_end *ret, struct refusal *reterr)
{
	char text[IPADDR_TEXT_SIZE];

	*ret = (struct reach_end){.addr = *addr};
	if (!from->gateway && interface_has_addr(from->interface, addr))
		return refuse(reterr, MODEL_E_VALUE, ipaddr_text(addr, text),
			      "filterAtDestination.destinationAddress",
			      "This is an address of the source itself.");
	if (from->gateway) {
		uint32_t vni = network_of(m, from->gateway);

		ret->addr = behind(m, vni, addr);
		ret->interface = interface_by_addr(m, vni, &ret->addr);
	}
	return 0;
}

/* To which address the source sends, as far as it is said. */
static const struct ipaddr *destination_of(const struct insights_path *p)
{
	return !ipaddr_is_zero(&p->at_source.dst)      ? &p->at_source.dst
	       : !ipaddr_is_zero(&p->destination_addr) ? &p->destination_addr
						       : &p->at_destination.dst;
}

static int resolve_to(const struct model *m, const struct insights_path *p,
		      const struct reach_end *from, bool v6, struct reach_end *ret,
		      struct refusal *reterr)
{
	struct ipaddr wanted = p->at_destination.dst;
	struct named to = {p->destination_kind, p->destination, &p->destination_addr, &wanted};

	if (!p->destination_kind)
		return resolve_address(m, from, destination_of(p), ret, reterr);
	if (ipaddr_is_zero(&wanted))
		wanted = from->gateway ? behind(m, network_of(m, from->gateway), &p->at_source.dst)
				       : p->at_source.dst;
	return resolve_end(m, &to, v6, ret, reterr);
}

int insights_question(const struct model *m, const struct insights_path *p,
		      struct reach_question *ret, struct refusal *reterr)
{
	/* Nothing translates what the world sends. */
	const bool outside =
		p->source_kind == KIND_INTERNET_GATEWAY && ipaddr_is_zero(&p->at_source.src);
	struct named from = {p->source_kind, p->source, &p->source_addr,
			     outside ? &p->at_destination.src : &p->at_source.src};
	struct reach_question q = {
		.protocol = (uint8_t)p->protocol,
		.port = (uint16_t)p->port,
		.at_source = p->at_source,
		.at_destination = p->at_destination,
	};
	const struct ipaddr *all[ADDRESSES + 1];
	bool v6;
	int r;

	addresses_of(p, all);
	v6 = all[0] && !ipaddr_is_v4(all[0]);
	r = resolve_end(m, &from, v6, &q.from, reterr);
	if (!r)
		r = resolve_to(m, p, &q.from, v6, &q.to, reterr);
	if (!r)
		*ret = q;
	return r;
}
