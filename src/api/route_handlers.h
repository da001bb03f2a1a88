/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers that routes.def names; see route.h for what a handler does. */
#pragma once

#include "api/route.h"

#define ROUTE(method, path, handler, who, effect, query, fields, text)                             \
	int handler(struct route_call *c);
#include "api/routes.def"
#undef ROUTE

/* A host and an instance as lists show them. */
json_t *route_show_host(struct route_call *c, const struct object *object);
json_t *route_show_instance(struct route_call *c, const struct object *object);

struct host;
/* How far it is drained; null: it is not. */
json_t *route_show_drain(struct route_call *c, const struct host *h);

struct interface;
/* If the question names a host: the interface is there. */
bool route_interface_is_at(const struct route_call *c, const struct interface *i);
