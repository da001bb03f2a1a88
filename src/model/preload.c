/* SPDX-License-Identifier: Apache-2.0 */
/* See preload.h. */
#include "model/preload.h"

#include "base/limits.h"
#include "base/str.h"
#include "model/carrier.h"
#include "model/edge.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/mapping.h"
#include "model/subnet.h"
#include "model/tag.h"
#include "model/tx.h"
#include "model/vpc.h"

static const char marked_value[] = "true";

bool preload_is_marked(const struct vpc *v)
{
	return str_equal(object_tag(&v->o, PRELOAD_TAG), marked_value);
}

int preload_mark(struct tx *tx, const struct caller *c, const char *vpc_id, bool marked,
		 struct refusal *reterr)
{
	const struct tag_args tag = {.key = PRELOAD_TAG, .value = marked ? marked_value : NULL};
	const struct vpc *v;
	int r = vpc_find(tx_model(tx), c, vpc_id, &v, reterr);

	return r ? r : tag_set(tx, c, vpc_id, &tag, reterr);
}

bool preload_is_due(const struct model *m, uint32_t host, uint32_t vni)
{
	const struct vpc *v = vpc_by_vni(m, vni);

	return v && preload_is_marked(v) && carried_interfaces(m, CARRIED_NETWORK, vni, host);
}

bool preload_concerns(const struct model *m, uint32_t host, const struct mapping *mapping)
{
	const struct host *h = host_by_number(m, host);

	if (!h || !mapping->host || ipaddr_is_link_local(&mapping->addr))
		return false;
	/* its own ports it knows */
	if (!mapping->hosts && mapping->host == host)
		return false;
	return !h->edge || edge_may_know(m, host, mapping->vni, &mapping->addr);
}

bool preload_has_room(const struct model *m, uint32_t vni)
{
	const struct vpc *v = vpc_by_vni(m, vni);
	struct model_iter it;
	const struct object *o;
	size_t n = 0;

	if (!v)
		return false;
	it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	while ((o = model_iter_next(&it)))
		n += model_group_count(m, REL_SUBNET_INTERFACES, o->id);
	return n <= LIMIT_PRELOAD_INTERFACES;
}

/* Where the walk stands: its subnet, and the rest of that one's interfaces. */
static bool next_subnet(const struct model *m, struct preload_walk *walk)
{
	const struct vpc *v = vpc_by_vni(m, walk->vni);
	struct model_iter it;
	const struct object *o;

	if (!v)
		return false;
	it = model_iter_group(m, REL_VPC_SUBNETS, v->o.id);
	if (walk->subnet)
		model_iter_skip(m, &it, KIND_SUBNET, walk->subnet, walk->subnet_serial);
	o = model_iter_next(&it);
	if (!o)
		return false;
	walk->subnet = o->id;
	walk->subnet_serial = o->serial;
	walk->interface = 0;
	return true;
}

static const struct interface *next_interface(const struct model *m, struct preload_walk *walk)
{
	struct model_iter it = model_iter_group(m, REL_SUBNET_INTERFACES, walk->subnet);
	const struct object *o;

	if (walk->interface)
		model_iter_skip(m, &it, KIND_INTERFACE, walk->interface, walk->interface_serial);
	o = model_iter_next(&it);
	if (!o)
		return NULL;
	walk->interface = o->id;
	walk->interface_serial = o->serial;
	walk->n_interfaces++;
	walk->place = 0;
	return (const struct interface *)o;
}

const struct mapping *preload_next(const struct model *m, struct preload_walk *walk, size_t *budget)
{
	const struct mapping *mapping;
	const struct interface *i = walk->interface ? (const struct interface *)model_get(
							      m, KIND_INTERFACE, walk->interface)
						    : NULL;

	for (; *budget; --*budget) {
		while (i && walk->place < i->n_addrs && *budget) {
			--*budget;
			mapping = mapping_find(model_mappings(m), walk->vni,
					       &i->addrs[walk->place++].addr);
			if (mapping && mapping->interface == i->o.id &&
			    preload_concerns(m, walk->host, mapping))
				return mapping;
		}
		if (!*budget || walk->n_interfaces >= LIMIT_PRELOAD_INTERFACES)
			return NULL;
		i = walk->subnet ? next_interface(m, walk) : NULL;
		if (!i && !next_subnet(m, walk))
			return NULL;
	}
	return NULL;
}
