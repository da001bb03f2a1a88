/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may know where an address is.  See mapping.h.
 */
#include "model/mapping.h"

#include "model/id.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/names.h"
#include "model/table.h"
#include "model/vpc.h"

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

/* A link-local address means something inside one link: a subnet. */
static bool in_one_subnet(const struct model *m, const struct mapping *a, const struct mapping *b)
{
	const struct interface *one, *other;

	one = (const struct interface *)model_get(m, KIND_INTERFACE, a->interface);
	other = (const struct interface *)model_get(m, KIND_INTERFACE, b->interface);
	return one && other && one->subnet == other->subnet;
}

int mapping_resolve(const struct model *m, uint32_t host, enum mapping_question q, uint32_t vni,
		    const struct ipaddr *asker, const struct ipaddr *addr, const char *name,
		    const struct mapping **ret, struct refusal *reterr)
{
	const struct mapping *asking = mapping_find(m->mappings, vni, asker);
	const struct mapping *found;
	char text[IPADDR_TEXT_SIZE];
	struct ipaddr named;
	int r;

	/* the question of a host that is not hosting the node, or of another network's node */
	if (!asking || !host || asking->host != host) {
		if (!reterr)
			return MODEL_E_MAPPING_NOT_HERE;
		return refuse(reterr, MODEL_E_MAPPING_NOT_HERE, ipaddr_text(asker, text));
	}
	if (q == MAPPING_NAME) {
		r = find_name(m, vni, name, &named, reterr);
		if (r)
			return r;
		addr = &named;
	}
	found = mapping_find(m->mappings, vni, addr);
	if (!found || !found->host ||
	    (ipaddr_is_link_local(addr) && !in_one_subnet(m, asking, found)))
		return unknown(addr, reterr);
	*ret = found;
	return 0;
}
