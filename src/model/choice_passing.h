/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the two sets of rules by which pairs go while a pass (model/choice_pass.h) is
 * under way.
 */
#pragma once

#include "model/choice_pass.h"
#include "model/choice_rules.h"

/* Kept by the tables: the rules of the pass under way. */
struct choice_passing {
	bool active;
	enum choice_phase phase;
	uint64_t at, through;
	struct choice_rules base, target;
};
/* Makes room for one more policy or change, so that following cannot fail. */
must_check int choice_passing_prepare(struct model *m);
/* Follows the objects in the tables. */
void choice_passing_follow(struct model *m);
void choice_passing_deinit(struct choice_passing *p);
