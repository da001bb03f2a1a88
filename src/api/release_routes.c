/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses on their way from their nodes, in the operators' API. */
#include "api/route_handlers.h"
#include "model/release.h"
#include "model/vpc.h"

struct blockers {
	struct route_call *call;
	json_t *list;
};

static void put_blocker(void *data, uint32_t host, enum release_blocker why)
{
	static const char *const texts[] = {
		[RELEASE_BY_HOST] = "its acknowledgement",
		[RELEASE_BY_HOLDER] = "its knowledge of the new place",
		[RELEASE_BY_UNKNOWN] = "its return: what it holds is not known",
	};
	const struct blockers *b = data;
	json_t *o = json_new_object(b->call);

	json_put_host(b->call, o, "host", host);
	json_put_text(b->call, o, "what", texts[why]);
	json_append(b->call, b->list, o);
}

static json_t *show_release(struct route_call *c, const struct object *object)
{
	const struct release *r = (const struct release *)object;
	const struct vpc *v = vpc_by_vni(c->model, r->vni);
	struct blockers blockers = {.call = c};
	json_t *o;

	if (!route_query_is(c, "network", KIND_VPC, v ? v->o.id : 0))
		return NULL;
	o = json_new_object(c);
	json_put_id(c, o, "network", KIND_VPC, v ? v->o.id : 0);
	json_put_u64(c, o, "vni", r->vni);
	json_put_addr(c, o, "address", &r->addr);
	json_put_id(c, o, "subnet", KIND_SUBNET, r->subnet);
	json_put_host(c, o, "host", r->host);
	json_put_id(c, o, "from", KIND_INTERFACE, r->from);
	json_put_id(c, o, "to", KIND_INTERFACE, r->to);
	json_put_text(c, o, "step", release_step_text(r->step));
	json_put_u64(c, o, "revision", object->revision);
	blockers.list = json_new_array(c);
	release_each_blocker(c->model, r, put_blocker, &blockers);
	json_put(c, o, "waits_for", blockers.list);
	return o;
}

int route_releases(struct route_call *c)
{
	static const struct route_list list = {"releases", KIND_RELEASE, show_release};

	return route_list_run(c, &list);
}

int route_release_force(struct route_call *c)
{
	const struct vpc *v;
	struct ipaddr addr;
	int r;

	r = vpc_find(c->model, &c->caller, c->segments[2], &v, &c->refusal);
	if (r)
		return r;
	if (ipaddr_parse(c->segments[3], &addr))
		return route_refuse(c, 400, "BadRequest", "'%.60s' is not an address",
				    c->segments[3]);
	r = release_force(c->tx, &c->caller, v->vni, &addr, &c->refusal);
	if (!r)
		c->result = json_new_object(c);
	return r;
}
