/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may know where an address is.  See mapping.h.
 */
#include "model/mapping.h"

#include "abi/substrate.h"
#include "model/edge.h"
#include "model/id.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/names.h"
#include "model/peering.h"
#include "model/table.h"
#include "model/vpc.h"

bool mapping_is_at(const struct mapping *m, uint32_t host)
{
	if (!host || !m->hosts)
		return host && m->host == host;
	for (uint32_t n = 0; n < m->hosts->n; n++)
		if (m->hosts->numbers[n] == host)
			return true;
	return false;
}

uint32_t mapping_network(uint32_t vni, const struct ipaddr *addr)
{
	return vni >= SUBSTRATE_VNI_HANDLE_MIN && ipaddr_is_v4(addr) ? ipaddr_v4(addr) : vni;
}

static int unknown(const struct ipaddr *addr, struct refusal *reterr)
{
	char text[IPADDR_TEXT_SIZE];

	if (!reterr)
		return MODEL_E_MAPPING_UNKNOWN;
	return refuse(reterr, MODEL_E_MAPPING_UNKNOWN, ipaddr_text(addr, text));
}

/* The primary address of the instance whose id is 'name', if it is in network 'v'. */
static bool find_instance_name(const struct model *m, const struct vpc *v, const char *name,
			       struct ipaddr *ret)
{
	const struct instance *i;
	uint64_t id;

	if (id_parse(KIND_INSTANCE, name, &id))
		return false;
	i = (const struct instance *)model_get(m, KIND_INSTANCE, id);
	if (!i || i->vpc != v->o.id || i->state == INSTANCE_TERMINATED)
		return false;
	*ret = i->private_addr;
	return true;
}

static int find_name(const struct model *m, uint32_t vni, const char *name, struct ipaddr *ret,
		     struct refusal *reterr)
{
	const struct vpc *v = vpc_by_vni(m, vni);

	if (!v || !v->dns_support || !name ||
	    (names_parse(m->region, name, ret) && !find_instance_name(m, v, name, ret)))
		return refuse(reterr, MODEL_E_MAPPING_UNKNOWN, name ? name : "");
	return 0;
}

/* The first IPv6 address of the interface that has the name's IPv4 address. */
static int find_name6(const struct model *m, uint32_t vni, const char *name, struct ipaddr *ret,
		      struct refusal *reterr)
{
	const struct interface *i;
	struct ipaddr v4;
	int r = find_name(m, vni, name, &v4, reterr);

	if (r)
		return r;
	i = interface_by_addr(m, vni, &v4);
	for (size_t n = 0; i && n < i->n_addrs; n++)
		if (!ipaddr_is_v4(&i->addrs[n].addr)) {
			*ret = i->addrs[n].addr;
			return 0;
		}
	return refuse(reterr, MODEL_E_MAPPING_UNKNOWN, name);
}

/* An edge asks for itself: for what is behind its public addresses and gateways. */
static int to_edge(const struct model *m, const struct mapping_key *addr,
		   const struct mapping **ret, struct refusal *reterr)
{
	const struct mapping *found = mapping_find_key(m->mappings, addr);

	if (!found || !found->host || ipaddr_is_link_local(&addr->addr))
		return unknown(&addr->addr, reterr);
	*ret = found;
	return 0;
}

/* Its own network, one that is peered, or what is forwarded into its own. */
static bool may_reach(const struct model *m, enum mapping_question q, uint32_t vni,
		      const struct mapping_key *addr)
{
	uint32_t network = mapping_network(addr->vni, &addr->addr);

	if (network != addr->vni)
		return network == vni && q == MAPPING_VERIFY;
	return network == vni || peering_is_active(m, vni, network);
}

int mapping_resolve_key(const struct model *m, uint32_t host, enum mapping_question q,
			const struct mapping_key *asker, const struct mapping_key *addr,
			const char *name, const struct mapping **ret, struct refusal *reterr)
{
	const struct mapping *asking = mapping_find_key(m->mappings, asker);
	const struct mapping *found;
	char text[IPADDR_TEXT_SIZE];
	struct mapping_key named;
	struct ipaddr named_addr;
	int r;

	/* the question of a host that is not hosting the node, or of another network's node */
	if (!asking || !mapping_is_at(asking, host)) {
		if (!mapping_question_names(q) && host &&
		    edge_may_know(m, host, addr->vni, &addr->addr))
			return to_edge(m, addr, ret, reterr);
		if (!reterr)
			return MODEL_E_MAPPING_NOT_HERE;
		return refuse(reterr, MODEL_E_MAPPING_NOT_HERE, ipaddr_text(&asker->addr, text));
	}
	if (mapping_question_names(q)) {
		r = q == MAPPING_NAME ? find_name(m, asker->vni, name, &named_addr, reterr)
				      : find_name6(m, asker->vni, name, &named_addr, reterr);
		if (r)
			return r;
		named = mapping_key_of(asker->vni, &named_addr);
		addr = &named;
	}
	if (!may_reach(m, q, asker->vni, addr))
		return unknown(&addr->addr, reterr);
	found = mapping_find_key(m->mappings, addr);
	if (!found || !found->host ||
	    (ipaddr_is_link_local(&addr->addr) && found->subnet != asking->subnet))
		return unknown(&addr->addr, reterr);
	*ret = found;
	return 0;
}

int mapping_resolve(const struct model *m, uint32_t host, enum mapping_question q, uint32_t vni,
		    const struct ipaddr *asker, const struct ipaddr *addr, const char *name,
		    const struct mapping **ret, struct refusal *reterr)
{
	struct mapping_key from = mapping_key_of(vni, asker), to = from;

	if (!mapping_question_names(q))
		to = mapping_key_of(vni, addr);
	return mapping_resolve_key(m, host, q, &from, &to, name, ret, reterr);
}
