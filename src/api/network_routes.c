/* SPDX-License-Identifier: Apache-2.0 */
/* Networks, subnets, instances and mappings in the operators' API. */
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/choice_rules.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/mapping.h"
#include "model/preload.h"
#include "model/subnet.h"
#include "model/subnet_router.h"
#include "model/unknown_mac.h"
#include "model/vpc.h"

#include <string.h>

static json_t *show_network(struct route_call *c, const struct object *object)
{
	const struct vpc *v = (const struct vpc *)object;
	json_t *o = json_new_object(c), *blocks = json_new_array(c), *blocks6 = json_new_array(c);
	char text[PREFIX_TEXT_SIZE];

	json_put_identity(c, o, object);
	json_put_u64(c, o, "vni", v->vni);
	json_put_prefix(c, o, "cidr", &v->blocks[0].prefix);
	for (size_t i = 0; i < v->n_blocks; i++)
		json_append(c, blocks, json_string(prefix_text(&v->blocks[i].prefix, text)));
	json_put(c, o, "cidrs", blocks);
	for (size_t i = 0; i < v->n_blocks6; i++)
		json_append(c, blocks6, json_string(prefix_text(&v->blocks6[i].prefix, text)));
	json_put(c, o, "ipv6_cidrs", blocks6);
	json_put_u64(c, o, "mtu", v->mtu);
	json_put_bool(c, o, "dns_support", v->dns_support);
	json_put_bool(c, o, "dns_hostnames", v->dns_hostnames);
	json_put_bool(c, o, "preloaded", preload_is_marked(v));
	json_put_text(c, o, "unknown_macs", unknown_mac_text(v));
	json_put_text(c, o, "environment", choice_environment(v));
	json_put_bool(c, o, "environment_fixed", v->environment != NULL);
	json_put_u64(c, o, "subnets", model_group_count(c->model, REL_VPC_SUBNETS, object->id));
	json_put_tags(c, o, "tags", object);
	return o;
}

int route_networks(struct route_call *c)
{
	static const struct route_list list = {"networks", KIND_VPC, show_network};

	return route_list_run(c, &list);
}

int route_network_set(struct route_call *c)
{
	const struct vpc *v;
	const bool *preloaded = NULL;
	const char *environment = NULL, *unknown = NULL;
	int r = vpc_find(c->model, &c->caller, c->segments[2], &v, &c->refusal);

	if (!r)
		r = route_bool(c, "preloaded", &preloaded);
	if (!r)
		r = route_text(c, "environment", false, &environment);
	if (!r)
		r = route_text(c, "unknown_macs", false, &unknown);
	if (!r && !preloaded && !environment && !unknown)
		r = route_refuse(c, 400, "BadRequest",
				 "say what is to be set: {\"preloaded\": true}, "
				 "{\"unknown_macs\": \"resolve\"} or "
				 "{\"environment\": \"production\"}");
	if (!r && preloaded)
		r = preload_mark(c->tx, &c->caller, c->segments[2], *preloaded, &c->refusal);
	if (!r && unknown)
		r = unknown_mac_set(c->tx, &c->caller, c->segments[2], unknown, &c->refusal);
	if (!r && environment)
		r = vpc_set_environment(c->tx, &c->caller, c->segments[2], environment,
					&c->refusal);
	if (!r)
		r = vpc_find(c->model, &c->caller, c->segments[2], &v, &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "network", show_network(c, &v->o));
	return 0;
}

static json_t *show_subnet(struct route_call *c, const struct object *object)
{
	const struct subnet *s = (const struct subnet *)object;
	struct ipaddr router = subnet_router(s);
	json_t *o;

	if (!route_query_is(c, "network", KIND_VPC, s->vpc))
		return NULL;
	o = json_new_object(c);
	json_put_identity(c, o, object);
	json_put_id(c, o, "network", KIND_VPC, s->vpc);
	json_put_u64(c, o, "vni", s->vni);
	json_put_prefix(c, o, "cidr", &s->prefix);
	json_put_prefix(c, o, "ipv6_cidr", &s->prefix6);
	json_put_text(c, o, "zone", s->zone);
	json_put_addr(c, o, "router", &router);
	json_put_u64(c, o, "available", subnet_available(c->model, s));
	json_put_u64(c, o, "interfaces",
		     model_group_count(c->model, REL_SUBNET_INTERFACES, object->id));
	json_put_tags(c, o, "tags", object);
	return o;
}

int route_subnets(struct route_call *c)
{
	static const struct route_list list = {"subnets", KIND_SUBNET, show_subnet};

	return route_list_run(c, &list);
}

int route_subnet_set(struct route_call *c)
{
	const char *router = NULL;
	const struct subnet *s;
	int r = subnet_find(c->model, &c->caller, c->segments[2], &s, &c->refusal);

	if (!r)
		r = route_text(c, "router", false, &router);
	if (!r && !router)
		r = route_refuse(c, 400, "BadRequest",
				 "say what is to be set: {\"router\": \"10.0.0.254\"}, or \"\" for "
				 "the first usable address");
	if (!r)
		r = subnet_router_set(c->tx, &c->caller, c->segments[2], router, &c->refusal);
	if (!r)
		r = subnet_find(c->model, &c->caller, c->segments[2], &s, &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "subnet", show_subnet(c, &s->o));
	return 0;
}

static void put_interfaces(struct route_call *c, json_t *o, uint64_t instance)
{
	struct model_iter it = model_iter_group(c->model, REL_INSTANCE_INTERFACES, instance);
	json_t *ids = json_new_array(c);
	const struct object *i;
	char text[ID_TEXT_SIZE];

	while ((i = model_iter_next(&it)))
		json_append(c, ids, json_string(object_id_text(i, text)));
	json_put(c, o, "interfaces", ids);
}

json_t *route_show_instance(struct route_call *c, const struct object *object)
{
	const struct instance *i = (const struct instance *)object;
	const char *state = route_query(c, "state");
	const struct placement_group *g;
	char text[ID_TEXT_SIZE];
	json_t *o;

	if (!route_query_is(c, "network", KIND_VPC, i->vpc) ||
	    !route_query_is(c, "subnet", KIND_SUBNET, i->subnet) ||
	    !route_query_is_host(c, "host", i->host) ||
	    (state && strcmp(state, instance_state_text(i->state))))
		return NULL;
	o = json_new_object(c);
	json_put_identity(c, o, object);
	json_put_text(c, o, "state", instance_state_text(i->state));
	json_put_text(c, o, "type", i->type);
	json_put_text(c, o, "image", i->image);
	json_put_text(c, o, "driver", i->driver);
	json_put_host(c, o, "host", i->host);
	json_put_text(c, o, "zone", i->zone);
	json_put_id(c, o, "network", KIND_VPC, i->vpc);
	json_put_id(c, o, "subnet", KIND_SUBNET, i->subnet);
	json_put_addr(c, o, "private_address", &i->private_addr);
	put_interfaces(c, o, object->id);
	json_put_text(c, o, "reservation",
		      id_text_prefixed(ID_PREFIX_RESERVATION, i->reservation, text));
	g = (const struct placement_group *)model_get(c->model, KIND_PLACEMENT_GROUP,
						      i->placement_group);
	json_put_text(c, o, "placement_group", g ? g->name : NULL);
	json_put(c, o, "partition", i->partition ? json_integer(i->partition) : json_null());
	json_put_u64(c, o, "generation", i->generation);
	json_put_time(c, o, "launched_at", i->launched_ms);
	json_put_text(c, o, "reason", i->reason);
	json_put_tags(c, o, "tags", object);
	return o;
}

int route_instances(struct route_call *c)
{
	static const struct route_list list = {"instances", KIND_INSTANCE, route_show_instance};

	return route_list_run(c, &list);
}

static void count_holder(void *data, const struct holder *e)
{
	(*(uint64_t *)data)++;
}

static uint64_t count_holders(const struct route_call *c, uint32_t vni, const struct ipaddr *addr)
{
	uint64_t n = 0;

	holders_each_of_mapping(model_holders(c->api->model), vni, addr, count_holder, &n);
	return n;
}

/* All that have it: of a shared interface perhaps several. */
static json_t *show_hosts(struct route_call *c, const struct mapping *m)
{
	json_t *hosts = json_new_array(c);

	for (uint32_t n = 0; m && m->hosts && n < m->hosts->n; n++)
		json_append(c, hosts, json_host(c, m->hosts->numbers[n]));
	if (m && m->host && !m->hosts)
		json_append(c, hosts, json_host(c, m->host));
	return hosts;
}

/* All addresses of an interface, as an array. */
static json_t *show_mappings(struct route_call *c, const struct object *object)
{
	const struct interface *i = (const struct interface *)object;
	json_t *list;

	if (!route_query_is(c, "network", KIND_VPC, i->vpc) || !route_interface_is_at(c, i))
		return NULL;
	list = json_new_array(c);
	for (size_t k = 0; k < i->n_addrs; k++) {
		const struct mapping *m =
			mapping_find(model_mappings(c->model), i->vni, &i->addrs[k].addr);
		uint32_t host = m ? m->host : 0;
		json_t *o = json_new_object(c);

		json_put_id(c, o, "network", KIND_VPC, i->vpc);
		json_put_u64(c, o, "vni", i->vni);
		json_put_addr(c, o, "address", &i->addrs[k].addr);
		json_put_id(c, o, "interface", KIND_INTERFACE, object->id);
		json_put_id(c, o, "instance", KIND_INSTANCE, i->attachment.instance);
		json_put_host(c, o, "host", host);
		json_put(c, o, "hosts", show_hosts(c, m));
		json_put_text(c, o, "state", host ? "active" : "nowhere");
		json_put_u64(c, o, "revision", i->addrs[k].revision);
		json_put_u64(c, o, "holders", count_holders(c, i->vni, &i->addrs[k].addr));
		json_append(c, list, o);
	}
	return list;
}

int route_mappings(struct route_call *c)
{
	static const struct route_list list = {"mappings", KIND_INTERFACE, show_mappings};

	return route_list_run(c, &list);
}
