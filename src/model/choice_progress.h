/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far policies have come on their way into the pairs of hosts (model/choice_pass.h).  Pure.
 */
#pragma once

#include "model/choice_policy.h"

/* How far a policy, with what it matches, or all that has been changed, has come. */
enum choice_progress {
	CHOICE_WAITING,  /* for the pass under way */
	CHOICE_APPLYING, /* pairs are gone over */
	CHOICE_CHANGING, /* all pairs go by it, and some hosts have yet to confirm what they use */
	CHOICE_EFFECTIVE,
};
const char *choice_progress_text(enum choice_progress p); /* "waiting", ... */
enum choice_progress choice_progress_of(const struct model *m, const struct choice_policy *p);
/* Of all policies, also of those that are gone: the one that is furthest behind. */
enum choice_progress choice_progress_of_all(const struct model *m);
