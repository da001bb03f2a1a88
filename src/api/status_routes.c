/* SPDX-License-Identifier: Apache-2.0 */
/* The manager itself, and what hosts dropped. */
#include "abi/drop.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/choice_pass.h"
#include "model/choice_progress.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/mapping.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
} reasons[DROP_REASON_MAX] = {
#define DROP_REASON(number, name, event, text) [number] = {#name, text},
#include "abi/drop_reasons.def"
#undef DROP_REASON
};

struct drops {
	struct route_call *call;
	json_t *list;
};

static bool drop_is_visible(const struct route_call *c, const struct api_drop *d)
{
	const char *wanted = route_query(c, "interface");
	const struct interface *i;
	struct refusal none;

	if (!route_query_is_host(c, "host", d->host))
		return false;
	if (wanted && (!d->interface_id || strcmp(wanted, d->interface_id)))
		return false;
	if (c->caller.is_operator)
		return true;
	return d->interface_id && !interface_find(c->model, &c->caller, d->interface_id, &i, &none);
}

static void put_drop(void *user, const struct api_drop *d)
{
	struct drops *drops = user;
	struct route_call *c = drops->call;
	const char *name = d->reason < DROP_REASON_MAX ? reasons[d->reason].name : NULL;
	json_t *o;
	char number[24];

	if (!drop_is_visible(c, d))
		return;
	/* Of a newer agent: a number is better than nothing. */
	snprintf(number, sizeof(number), "REASON_%u", d->reason);
	o = json_new_object(c);
	json_put_host(c, o, "host", d->host);
	json_put_text(c, o, "interface", d->interface_id);
	json_put_text(c, o, "reason", name ? name : number);
	json_put_text(c, o, "text", name ? reasons[d->reason].text : NULL);
	json_put_u64(c, o, "packets", d->packets);
	json_append(c, drops->list, o);
}

int route_drops(struct route_call *c)
{
	struct drops drops = {.call = c};
	const char *interface = route_query(c, "interface");
	const struct interface *i;
	int r = route_check_host_query(c, "host");

	if (r)
		return r;
	c->result = json_new_object(c);
	drops.list = json_new_array(c);
	json_put(c, c->result, "drops", drops.list);
	c->api->live->drops(c->api->live->data, put_drop, &drops);
	/* One that is deleted may have dropped something: it is told.  Else there has to be one. */
	if (!interface || json_array_size(drops.list))
		return 0;
	return interface_find(c->model, &c->caller, interface, &i, &c->refusal);
}

static json_t *show_counts(struct route_call *c)
{
	json_t *o = json_new_object(c);

	json_put_u64(c, o, "accounts", model_count(c->model, KIND_ACCOUNT));
	json_put_u64(c, o, "networks", model_count(c->model, KIND_VPC));
	json_put_u64(c, o, "subnets", model_count(c->model, KIND_SUBNET));
	json_put_u64(c, o, "interfaces", model_count(c->model, KIND_INTERFACE));
	json_put_u64(c, o, "instances", model_count(c->model, KIND_INSTANCE));
	json_put_u64(c, o, "mappings", mapping_count(model_mappings(c->model)));
	return o;
}

static json_t *show_host_counts(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	json_t *o = json_new_object(c);
	uint64_t connected = 0, foreign = 0;
	const struct host *h;

	while ((h = (const struct host *)model_iter_next(&it))) {
		connected += host_is_connected(c->model, h->number);
		foreign += h->foreign;
	}
	json_put_u64(c, o, "total", model_count(c->model, KIND_HOST) - foreign);
	json_put_u64(c, o, "foreign", foreign);
	json_put_u64(c, o, "connected", connected);
	return o;
}

/* Of all policies, also of those that are gone and are yet in use. */
static json_t *show_progress(struct route_call *c)
{
	json_t *o = json_new_object(c);
	uint64_t applied, all;

	choice_pass_count(c->model, &applied, &all);
	json_put_text(c, o, "state", choice_progress_text(choice_progress_of_all(c->model)));
	json_put_u64(c, o, "applied", applied);
	json_put_u64(c, o, "directions", all);
	return o;
}

int route_status(struct route_call *c)
{
	struct api_status_live live = {};
	json_t *store;

	c->api->live->status(c->api->live->data, &live);
	c->result = json_new_object(c);
	json_put_text(c, c->result, "version", VIADUCT_VERSION);
	json_put_u64(c, c->result, "cluster_id", live.cluster_id);
	json_put_text(c, c->result, "region", model_region(c->model));
	json_put_u64(c, c->result, "revision", model_revision(c->model));
	json_put_u64(c, c->result, "durable_revision", live.durable_revision);
	store = json_new_object(c);
	json_put_text(c, store, "kind", live.store_kind);
	json_put_text(c, store, "state", live.store_error ? "broken" : "ok");
	json_put_text(c, store, "error", live.store_error);
	json_put(c, c->result, "store", store);
	json_put(c, c->result, "hosts", show_host_counts(c));
	json_put(c, c->result, "counts", show_counts(c));
	json_put(c, c->result, "policies", show_progress(c));
	return 0;
}
