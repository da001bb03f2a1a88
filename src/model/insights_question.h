/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what a path of network insights asks (insights.h), from the words of a request
 * and to the question that is analysed (reach.h).
 */
#pragma once

#include "model/insights.h"

/* The addresses, ports and filters of 'args', into 'p' with its ends set.  VALUE, MISSING,
 * COMBINATION; parameters are named as EC2's answers name them. */
must_check int insights_question_parse(const struct insights_path_args *args,
				       struct insights_path *p, struct refusal *reterr);
/* The question as it is about the model now.  INSIGHTS_END_GONE, VALUE when an end does not have
 * the address by which it was named. */
must_check int insights_question(const struct model *m, const struct insights_path *p,
				 struct reach_question *ret, struct refusal *reterr);
