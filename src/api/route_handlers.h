/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that routes.def names; see route.h for what a handler does. */
#pragma once

#include "api/route.h"

#define ROUTE(method, path, handler, who, effect, query, fields, text)                             \
	int handler(struct route_call *c);
#include "api/routes.def"
#undef ROUTE

struct interface;
/* If the question names a host: the interface is there. */
bool route_interface_is_at(const struct route_call *c, const struct interface *i);
