/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what is kept beside the tables because it is asked for all the time, and
 * follows from the objects in them: mappings, which hosts carry which networks and groups, the
 * index of placement, the rules of policies.  For table.c.
 */
#pragma once

#include "model/table.h"

/* Either may be NULL.  Memory for it has been reserved: it cannot fail. */
void table_derived_replace(struct model *m, struct object *old, struct object *new);
