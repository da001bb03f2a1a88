/* SPDX-License-Identifier: Apache-2.0 */
/* Has a host find out anew what it can do. */
#pragma once

#include "base/err.h"
#include "ctl/command.h"

/* Asks the host, by id or name, and returns when its report is in, at most LIMIT_CTL_PROBE_MS
 * later.  Complains: a negative errno, -ETIMEDOUT when no report came. */
must_check int probe_host(const struct invocation *inv, const char *host);
