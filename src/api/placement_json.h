/* SPDX-License-Identifier: Apache-2.0 */
/* What requests and answers of the operators' API about hosts say of placement. */
#pragma once

#include "api/route.h"
#include "model/host.h"

/* memory, vcpus, bandwidth, disk, ports, cost.  0, ROUTE_REFUSED, -ENOMEM */
must_check int placement_read_room(struct route_call *c, struct host_room_args *ret);
/* "room" and "cost" */
void placement_put_room(struct route_call *c, json_t *o, const struct host *h);
/* "can": the names that nodes may require */
void placement_put_capabilities(struct route_call *c, json_t *o, const struct host *h);
