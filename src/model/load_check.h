/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what the rest relies on, and records of another origin may lack.  For load.c.
 */
#pragma once

#include "model/model.h"

/* By itself.  Any thread, of an object in no model. */
bool load_is_sound(const struct object *o);
/* Every object that one of the part names is there; -EBADMSG. */
must_check int load_check_references(const struct model *m, enum model_load_part part);
