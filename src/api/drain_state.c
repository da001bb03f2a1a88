/* SPDX-License-Identifier: Apache-2.0 */
/* How far a host is that is drained. */
#include "api/call.h"
#include "api/route_handlers.h"
#include "model/edge.h"
#include "model/host.h"

static const struct {
	const char *state, *text;
} states[] = {
	[EDGE_DRAIN_EMPTY] = {"empty", "nothing is left on it"},
	[EDGE_DRAIN_INSTANCES] = {"instances", "instances go on until they are stopped, and start "
					       "on another host"},
	[EDGE_DRAIN_MOVES] = {"moves", "gateways and public addresses go to other edges"},
	[EDGE_DRAIN_NO_OTHER] = {"no-other-edge",
				 "it keeps its gateways and public addresses: no other edge is "
				 "connected, works and is not drained"},
};

json_t *route_show_drain(struct route_call *c, const struct host *h)
{
	enum edge_drain d = edge_drain_of(c->model, h);
	json_t *o;

	if (!h->drained)
		return json_null();
	o = json_new_object(c);
	json_put_text(c, o, "state", states[d].state);
	json_put_text(c, o, "text", states[d].text);
	return o;
}
