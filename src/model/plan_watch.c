/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What flow logs and traffic mirroring make of interfaces' items.  See plan.h.
 */
#include "model/flow_log.h"
#include "model/interface.h"
#include "model/mirror.h"
#include "model/plan_change.h"

void plan_watchers(const struct model *m, const struct interface *i, struct plan_interface *ret)
{
	const struct mirror_session *sessions[LIMIT_MODEL_MIRROR_SESSIONS];
	size_t n = mirror_sessions_of(m, i->o.id, sessions);

	ret->logged = flow_log_covers(m, i);
	for (size_t k = 0; k < n; k++) {
		struct plan_mirror *p = &ret->mirrors[ret->n_mirrors];

		*p = (struct plan_mirror){
			.number = sessions[k]->number,
			.vni = sessions[k]->vni,
			.length = sessions[k]->length,
			.filter = (const struct mirror_filter *)model_get(m, KIND_MIRROR_FILTER,
									  sessions[k]->filter),
		};
		ret->n_mirrors += p->filter && mirror_session_address(m, sessions[k], &p->target);
	}
}

static int emit_by_id(struct planner *p, uint64_t id)
{
	const struct object *i = model_get(p->m, KIND_INTERFACE, id);

	return i ? plan_interface_everywhere(p, (const struct interface *)i) : 0;
}

static int emit_group(struct planner *p, enum relation r, uint64_t key)
{
	struct model_iter it = model_iter_group(p->m, r, key);
	const struct object *o;
	int e = 0;

	while (!e && (o = model_iter_next(&it)))
		e = r == REL_VPC_SUBNETS
			    ? emit_group(p, REL_SUBNET_INTERFACES, o->id)
			    : plan_interface_everywhere(p, (const struct interface *)o);
	return e;
}

int plan_flow_log_change(struct planner *p, const struct flow_log *before,
			 const struct flow_log *after)
{
	const struct flow_log *f = after ? after : before;

	if (before && after) /* hosts know only that there is one */
		return 0;
	switch (f->resource_kind) {
	case KIND_VPC:
		return emit_group(p, REL_VPC_SUBNETS, f->resource);
	case KIND_SUBNET:
		return emit_group(p, REL_SUBNET_INTERFACES, f->resource);
	default:
		return emit_by_id(p, f->resource);
	}
}

int plan_mirror_session_change(struct planner *p, const struct mirror_session *before,
			       const struct mirror_session *after)
{
	return emit_by_id(p, (after ? after : before)->interface);
}

int plan_mirror_filter_change(struct planner *p, const struct mirror_filter *before,
			      const struct mirror_filter *after)
{
	struct model_iter it;
	const struct mirror_session *s;
	int r = 0;

	if (!before || !after) /* no session has it */
		return 0;
	it = model_iter_group(p->m, REL_FILTER_MIRROR_SESSIONS, after->o.id);
	while (!r && (s = (const struct mirror_session *)model_iter_next(&it)))
		r = emit_by_id(p, s->interface);
	return r;
}
