/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps that operations on hosts share.
 */
#pragma once

#include "model/host.h"

/* NOT_PERMITTED */
int host_need_operator(const struct caller *c, struct refusal *reterr);
/* The host that an operator named.  NOT_PERMITTED, HOST_NOT_FOUND */
must_check int host_of_operator(const struct model *m, const struct caller *c, const char *id,
				const struct host **ret, struct refusal *reterr);
/* Anything of it. */
bool host_room_is_given(const struct host_room_args *args);
/* Puts a host that can do something else than before, or seals with other keys, and takes '*o':
 * choices change, or begin to (host.h, changing_at).  'old' is not changing. */
must_check int host_put_changed(struct tx *tx, const struct host *old, struct object **o);
/* Puts a host, and takes '*o': the choices of all its pairs change in the same step. */
must_check int host_put_at_once(struct tx *tx, const struct host *old, struct object **o);
/* All pairs of a host that is changing go by what it is. */
must_check int host_end_change(struct tx *tx, const struct host *h);
/* VALUE */
must_check int host_set_room(struct host *h, const struct host_room_args *args,
			     struct refusal *reterr);
