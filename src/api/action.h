/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of actions: everything that dispatch, the check of parameters and the documentation
 * need to know about each action, from actions.def.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "api/filter.h"
#include "api/param.h"

typedef int (*action_fn)(struct ec2_call *c);

enum action_effect {
	ACTION_READS,
	ACTION_WRITES,
	ACTION_REFUSES, /* known to EC2, not done by Viaduct: UnsupportedOperation */
};

struct action {
	const char *name;
	action_fn handle; /* NULL: refuses */
	enum action_effect effect;
	const char *group; /* "VPC", "Subnet", ...: chapters of the documentation */
	const struct param_spec *params;
	size_t n_params;
	const struct filter *filters; /* NULL: has none */
	const char *text;             /* what it does, in a sentence */
};

/* The action of that name, or NULL. */
const struct action *action_find(const char *name);
const struct action *actions(size_t *ret_n);
