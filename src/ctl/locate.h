/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which manager a command talks to.  In this order: --endpoint and --token; --admin FILE; --lab
 * NAME; $VIADUCT_ENDPOINT and $VIADUCT_TOKEN; /var/lib/viaduct/admin.json; the only lab on this
 * machine.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/command.h"

/* Connects nothing yet: a client for the manager that is meant.  Complains. */
must_check int locate_manager(const struct invocation *inv, struct client **ret);
/* A client from an admin.json.  -ENOENT: there is none (no complaint); else complains. */
must_check int locate_admin(const char *path, struct client **ret);
