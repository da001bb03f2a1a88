/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operators have set for the whole cluster.  At most one object; before the first setting
 * there is none, and all is as usual.
 */
#pragma once

#include "model/object.h"
#include "model/placement.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;

enum { SETTINGS_ID = 1 };

struct settings {
	struct object o;
	enum placement_strategy placement; /* PLACEMENT_USUAL: least loaded */
};

/* NULL: unchanged */
struct settings_args {
	const char *placement; /* "least-loaded", "round-robin" */
};

/* VALUE, NOT_PERMITTED */
must_check int settings_set(struct tx *tx, const struct caller *c, const struct settings_args *args,
			    struct refusal *reterr);
/* Never PLACEMENT_USUAL. */
enum placement_strategy settings_placement(const struct model *m);
