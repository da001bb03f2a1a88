/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of traffic mirroring share. */
#pragma once

#include "api/call.h"
#include "model/mirror.h"

/* An optional number; '*ret' is NULL when it was not sent.  -ENOMEM */
must_check int mirror_read_number(struct ec2_call *c, const char *name, const uint32_t **ret);
/* The names in RemoveField.N: each of 'names' (ended by NULL) sets its flag; others are refused. */
must_check int mirror_read_removals(struct ec2_call *c, const char *const names[],
				    bool *const flags[]);
