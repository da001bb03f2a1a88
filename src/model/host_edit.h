/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps that operations on hosts share.
 */
#pragma once

#include "model/host.h"

/* NOT_PERMITTED */
int host_need_operator(const struct caller *c, struct refusal *reterr);
/* Anything of it. */
bool host_room_is_given(const struct host_room_args *args);
/* VALUE */
must_check int host_set_room(struct host *h, const struct host_room_args *args,
			     struct refusal *reterr);
