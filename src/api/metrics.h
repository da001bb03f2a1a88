/* SPDX-License-Identifier: Apache-2.0 */
/* For the files that write parts of GET /metrics: families, each whole and once. */
#pragma once

#include "api/route.h"

/* The two lines before a family's samples; 'name' is without its prefix "viaduct_". */
void metrics_head(struct route_call *c, const char *name, const char *type, const char *help);
/* A family of one sample. */
void metrics_one(struct route_call *c, const char *name, const char *type, const char *help,
		 uint64_t value);
/* What hosts use between them.  0 or -ENOMEM. */
must_check int metrics_pairs(struct route_call *c);
/* What their nodes sent and got, by format. */
void metrics_traffic(struct route_call *c);
