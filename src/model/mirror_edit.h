/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the model: what the files of traffic mirroring share. */
#pragma once

#include "model/edit.h"
#include "model/mirror.h"

/* A description: MIRROR_TEXT */
must_check int mirror_set_text(char **field, const char *value, struct refusal *reterr);
must_check int mirror_value(struct refusal *reterr, uint32_t value, const char *name,
			    const char *why);
