/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what the parts of plan_change() share.
 */
#pragma once

#include "model/plan.h"
#include "model/plan_items.h"
#include "model/table.h"
#include "model/tx.h"

/* By how many interfaces of a network or group a host's desired state grows or shrinks. */
struct delta {
	enum carried_kind kind;
	uint32_t number;
	uint32_t host;
	int64_t n;
};

struct planner {
	const struct model *m;
	plan_sink_fn sink;
	void *data;
	size_t n_deltas;
	struct delta *deltas;
	struct plan_rules rules; /* of the item under way */
};

int planner_emit(struct planner *p, uint32_t host, struct plan_item *item, bool remove);
/* To all hosts that carry it; for a removal, also to those that did until this change. */
must_check int planner_emit_carriers(struct planner *p, enum carried_kind k, uint32_t number,
				     struct plan_item *item, bool remove);

/* Groups that a host has the first or the last member of. */
must_check int plan_group_carrier(struct planner *p, const struct delta *d, bool has);
/* Groups and ACLs whose contents change. */
must_check int plan_group_contents(struct planner *p, const struct change *c);
must_check int plan_acl_change(struct planner *p, const struct network_acl *before,
			       const struct network_acl *after);
/* The ACLs that a subnet had and has. */
must_check int plan_subnet_acls(struct planner *p, const struct subnet *before,
				const struct subnet *after);
