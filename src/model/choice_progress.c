/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far policies have come.  See choice_progress.h.
 */
#include "model/choice_progress.h"

#include "model/choice_note.h"
#include "model/pair_shift.h"
#include "model/table.h"

const char *choice_progress_text(enum choice_progress p)
{
	static const char *const texts[] = {"waiting", "applying", "changing", "effective"};

	return texts[p];
}

static enum choice_progress progress_of_change(const struct model *m, const struct choice_change *c,
					       const struct object *oldest)
{
	if (c->done)
		return choice_change_is_settled(c, oldest) ? CHOICE_EFFECTIVE : CHOICE_CHANGING;
	return choice_change_waits(c, m->choice_passing.through) ? CHOICE_WAITING : CHOICE_APPLYING;
}

/* The policy matches by what has changed. */
static bool has_to_do_with(const struct choice_change *c, const struct choice_policy *p)
{
	bool of_labels = p->environment || p->one.n_labels || p->other.n_labels;

	switch (c->about) {
	case KIND_HOST:
		return of_labels;
	case KIND_VPC:
		return p->environment;
	default:
		return c->former.id == p->id;
	}
}

/* 'policy': NULL: any */
static enum choice_progress least_progress(const struct model *m,
					   const struct choice_policy *policy)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_CHANGE);
	const struct object *o, *oldest = pair_shift_oldest(m);
	enum choice_progress least = CHOICE_EFFECTIVE, p;

	while ((o = model_iter_next(&it))) {
		const struct choice_change *c = (const struct choice_change *)o;

		if (policy && !has_to_do_with(c, policy))
			continue;
		p = progress_of_change(m, c, oldest);
		least = p < least ? p : least;
	}
	return least;
}

enum choice_progress choice_progress_of(const struct model *m, const struct choice_policy *p)
{
	return least_progress(m, p);
}

enum choice_progress choice_progress_of_all(const struct model *m)
{
	return least_progress(m, NULL);
}
