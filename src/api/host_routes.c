/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, what they can do, what was chosen between them, what they dropped; and the manager
 * itself. */
#include "api/placement_json.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "abi/drop.h"
#include "base/limits.h"
#include "model/edge.h"
#include "model/choice_pass.h"
#include "model/choice_progress.h"
#include "model/host.h"
#include "model/host_key.h"
#include "model/interface.h"
#include "model/label.h"
#include "model/mapping.h"
#include "model/pair_class.h"
#include "model/plan.h"
#include "model/vpc.h"

#include <stdio.h>
#include <string.h>

static void put_capabilities(struct route_call *c, json_t *o, const struct host *h)
{
	const struct capabilities *can = &h->can;
	struct api_host_live live;

	c->api->live->host(c->api->live->data, h->number, &live);
	json_put_formats(c, o, "formats", can->formats);
	json_put_u64(c, o, "substrate_mtu", can->substrate_mtu);
	json_put_bool(c, o, "tcx", can->tcx);
	json_put_bool(c, o, "tap_uso", can->tap_uso);
	json_put_text(c, o, "kernel", can->kernel);
	json_put_text(c, o, "refused", can->refused);
	json_put_time(c, o, "probed_at", can->probed_ms);
	json_put_time(c, o, "reported_at", live.reported_ms);
	json_put_text(c, o, "error", can->error);
	json_put_bool(c, o, "carries_nothing", can->carries_nothing);
	json_put_features(c, o, "features", can->features);
	json_put_features(c, o, "required_features", can->required_features);
	json_put_features(c, o, "disallowed_features", can->disallowed_features);
	json_put_formats(c, o, "disallowed_formats", can->disallowed_formats);
	json_put_u64(c, o, "generation", can->generation);
	json_put_text(c, o, "fault", ability_of(h).fault);
}

static const char *state_text(const struct host *h, const struct api_host_live *live)
{
	if (h->foreign)
		return "foreign";
	switch (live->state) {
	case API_HOST_CONNECTED:
		return "connected";
	case API_HOST_DISCONNECTED:
		return "disconnected";
	default: /* not since the manager was started, but its report may be in the store */
		return h->can.probed_ms ? "disconnected" : "never";
	}
}

static void put_place(struct route_call *c, json_t *o, const struct host *h)
{
	json_put_text(c, o, "zone", h->zone);
	json_put_u64(c, o, "locale", h->place.locale);
	json_put_u64(c, o, "area", h->place.area);
	json_put_u64(c, o, "rack", h->place.rack);
	json_put_prefix(c, o, "siit1", &h->locators.siit1);
	json_put_prefix(c, o, "siit2", &h->locators.siit2);
	json_put_addr(c, o, "v4", &h->locators.v4);
	json_put_addr(c, o, "v6", &h->locators.v6);
	json_put_prefix(c, o, "aliases", &h->locators.aliases);
}

/* How much of the alias range is taken. */
static json_t *show_aliases(struct route_call *c, const struct host *h)
{
	struct label_use use = label_use(c->model, h);
	json_t *o = json_new_object(c);

	json_put_u64(c, o, "room", use.room);
	json_put_u64(c, o, "used", use.used);
	json_put_u64(c, o, "resting", use.resting);
	return o;
}

json_t *route_show_host(struct route_call *c, const struct object *object)
{
	const struct host *h = (const struct host *)object;
	json_t *o = json_new_object(c), *can = json_new_object(c);
	struct api_host_live live = {};

	c->api->live->host(c->api->live->data, h->number, &live);
	json_put_id(c, o, "id", KIND_HOST, object->id);
	json_put_text(c, o, "name", h->name);
	json_put_u64(c, o, "number", h->number);
	put_place(c, o, h);
	json_put(c, o, "alias_use", show_aliases(c, h));
	json_put_text(c, o, "state", state_text(h, &live));
	json_put_u64(c, o, "revision", live.revision);
	json_put_bool(c, o, "applied",
		      live.lacks_nothing && !host_is_changing(c->model, h->number));
	json_put_time(c, o, "seen_at", live.seen_ms);
	json_put_text(c, o, "software", live.software);
	json_put_text(c, o, "address", live.address);
	json_put_text(c, o, "lost_tables", live.lost_tables);
	json_put_u64(c, o, "lookups_told", live.told);
	json_put_u64(c, o, "lookups_refused", live.refused);
	put_capabilities(c, can, h);
	json_put(c, o, "capabilities", can);
	json_put_u64(c, o, "instances", host_instance_count(c->model, h->number));
	json_put_text(c, o, "role", h->foreign ? "foreign" : h->edge ? "edge" : "host");
	json_put_bool(c, o, "runs_instances", !h->foreign && (!h->edge || h->instances));
	json_put_bool(c, o, "drained", h->drained);
	json_put_u64(c, o, "owns", edge_load(c->model, h->number));
	placement_put_room(c, o, h);
	placement_put_capabilities(c, o, h);
	json_put_tags(c, o, "labels", object);
	return o;
}

int route_hosts(struct route_call *c)
{
	static const struct route_list list = {"hosts", KIND_HOST, route_show_host};

	return route_list_run(c, &list);
}

int route_host(struct route_call *c)
{
	const struct host *h = host_find(c->model, c->segments[2]);

	if (!h)
		return route_refuse_host(c, c->segments[2]);
	c->result = json_new_object(c);
	json_put(c, c->result, "host", route_show_host(c, &h->o));
	return 0;
}

static int read_flag(struct route_call *c, const char *name, bool *ret)
{
	const json_t *value = json_object_get(c->body, name);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return route_refuse(c, 400, "BadRequest", "'%s' must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

static int read_host(struct route_call *c, struct host_add_args *args)
{
	int r;

	r = route_text(c, "name", true, &args->name);
	if (!r)
		r = route_text(c, "zone", false, &args->zone);
	if (!r)
		r = route_u32(c, "locale", &args->locale);
	if (!r)
		r = route_u32(c, "area", &args->area);
	if (!r)
		r = route_u32(c, "rack", &args->rack);
	if (!r)
		r = route_text(c, "v4", false, &args->v4);
	if (!r)
		r = route_text(c, "v6", false, &args->v6);
	if (!r)
		r = route_text(c, "aliases", false, &args->aliases);
	if (!r)
		r = route_text(c, "foreign", false, &args->foreign);
	if (!r)
		r = route_u32(c, "mtu", &args->mtu);
	if (!r)
		r = read_flag(c, "edge", &args->edge);
	if (!r)
		r = read_flag(c, "instances", &args->instances);
	if (!r)
		r = placement_read_room(c, &args->room);
	return r ? r : route_tags(c, "labels", &args->labels, &args->n_labels);
}

static json_t *show_managers(struct route_call *c)
{
	const char *const *m = c->api->live->managers(c->api->live->data);
	json_t *list = json_new_array(c);

	for (; *m; m++)
		json_append(c, list, json_string(*m));
	return list;
}

/* What the agent needs to join; the key is nowhere else. */
static int put_bundle(struct route_call *c, const struct host *h)
{
	json_t *o = json_new_object(c), *host = json_new_object(c);
	struct api_bundle b = {};
	char id[ID_TEXT_SIZE];
	int r;

	r = c->api->live->issue(c->api->live->data, object_id_text(&h->o, id), &b);
	json_put_u64(c, o, "version", 1);
	json_put_text(c, host, "id", id);
	json_put_text(c, host, "name", h->name);
	json_put_u64(c, host, "number", h->number);
	json_put(c, o, "host", host);
	json_put_text(c, o, "ca", b.ca);
	json_put_text(c, o, "certificate", b.certificate);
	json_put_text(c, o, "key", b.key);
	json_put(c, o, "managers", show_managers(c));
	json_put_u64(c, o, "cluster_id", b.cluster_id);
	json_put(c, c->result, "bundle", o);
	free(b.ca);
	free(b.certificate);
	if (b.key)
		explicit_bzero(b.key, strlen(b.key));
	free(b.key);
	return r;
}

int route_host_add(struct route_call *c)
{
	struct host_add_args args = {};
	const struct host *h;
	int r;

	r = read_host(c, &args);
	if (!r)
		r = host_add(c->tx, &c->caller, &args, &h, &c->refusal);
	if (r)
		return r;
	c->status = 201;
	c->result = json_new_object(c);
	json_put(c, c->result, "host", route_show_host(c, &h->o));
	return h->foreign ? 0 : put_bundle(c, h);
}

int route_host_remove(struct route_call *c)
{
	const char *force = route_query(c, "force");
	int r;

	if (force && strcmp(force, "true") && strcmp(force, "false"))
		return route_refuse(c, 400, "BadRequest", "'force' must be true or false");
	r = host_remove(c->tx, &c->caller, c->segments[2], force && !strcmp(force, "true"),
			&c->refusal);
	if (!r)
		c->result = json_new_object(c);
	return r;
}

int route_host_probe(struct route_call *c)
{
	const struct host *h = host_find(c->model, c->segments[2]);
	const struct api_live *live = c->api->live;

	if (!h)
		return route_refuse_host(c, c->segments[2]);
	if (h->foreign)
		return route_refuse(c, 409, "NotConnected",
				    "'%.64s' is a foreign host: there is no agent to probe",
				    h->name);
	if (live->probe(live->data, h->number))
		return route_refuse(c, 409, "NotConnected",
				    "'%.64s' is not connected: it probes when it comes back",
				    h->name);
	c->result = json_new_object(c);
	return 0;
}

int route_host_rotate(struct route_call *c)
{
	int r = host_key_rotate_asked(c->tx, &c->caller, c->segments[2], &c->refusal);

	if (!r)
		c->result = json_new_object(c);
	return r;
}

static json_t *show_capabilities(struct route_call *c, const struct object *object)
{
	const struct host *h = (const struct host *)object;
	json_t *o = json_new_object(c);

	json_put_text(c, o, "host", h->name);
	json_put_u64(c, o, "number", h->number);
	put_capabilities(c, o, h);
	return o;
}

int route_capabilities(struct route_call *c)
{
	static const struct route_list list = {"capabilities", KIND_HOST, show_capabilities};

	return route_list_run(c, &list);
}

static json_t *show_accepts(struct route_call *c, const struct choice *choice)
{
	json_t *list = json_new_array(c);

	for (size_t i = 0; i < choice->n_accepts; i++) {
		json_t *o = json_new_object(c);

		json_put_formats(c, o, "formats", choice->accepts[i].formats);
		json_put_features(c, o, "features", choice->accepts[i].features);
		json_append(c, list, o);
	}
	return list;
}

static void put_choice(struct route_call *c, json_t *o, const struct choice *choice)
{
	char id[ID_TEXT_SIZE];

	json_put_text(c, o, "send", format_name(choice->send));
	json_put_formats(c, o, "send_formats", choice->send_formats);
	json_put_formats(c, o, "companions",
			 choice->send_formats &
				 ~(choice->send == FORMAT_NONE ? 0 : FORMAT_BIT(choice->send)));
	json_put_features(c, o, "send_features", choice->send_features);
	json_put_formats(c, o, "accept", choice_formats(choice));
	json_put(c, o, "accepts", show_accepts(c, choice));
	json_put_u64(c, o, "path_mtu", choice->path_mtu);
	json_put_u64(c, o, "overhead", choice->overhead);
	json_put_u64(c, o, "rate_bits", choice->rate.bits);
	json_put_u64(c, o, "rate_burst", choice->rate.burst);
	if (choice->send_features & FEATURES_PAYLOAD) {
		json_put_u64(c, o, "key_epoch", choice->send_epoch);
		json_put_time(c, o, "key_made_at", choice->send_keyed_ms);
	}
	json_put_bool(c, o, "inferred", choice->inferred);
	json_put_text(c, o, "policy",
		      choice->policy ? id_text_prefixed(ID_PREFIX_CHOICE_POLICY, choice->policy, id)
				     : NULL);
	json_put_text(c, o, "reason", choice->reason);
}

/* What the sender's host says of itself. */
static void put_pair_counters(struct route_call *c, json_t *o, const struct host *from,
			      const struct host *to)
{
	struct api_pair_live live = {};

	(void)c->api->live->pair(c->api->live->data, from->number, to->number, &live);
	json_put_u64(c, o, "sealed_packets", live.sealed_packets);
	json_put_u64(c, o, "sealed_bytes", live.sealed_bytes);
	json_put_u64(c, o, "opened_packets", live.opened_packets);
	json_put_u64(c, o, "opened_bytes", live.opened_bytes);
	json_put_u64(c, o, "saved_bytes", live.saved_bytes);
	json_put_u64(c, o, "held_back", live.held_back);
}

static void put_vpc(struct route_call *c, json_t *o, const char *key, uint32_t vni)
{
	const struct vpc *v = vni ? vpc_by_vni(c->model, vni) : NULL;

	json_put_id(c, o, key, KIND_VPC, v ? v->o.id : 0);
}

static void put_class(struct route_call *c, json_t *list, const struct host *from,
		      const struct host *to, const struct pair_class *class,
		      const struct choice *choice)
{
	json_t *o = json_new_object(c);

	json_put_text(c, o, "from", from->name);
	json_put_text(c, o, "to", to->name);
	put_vpc(c, o, "network", class->vni);
	put_vpc(c, o, "peer_network", class->peer_vni);
	json_put_id(c, o, "interface", KIND_INTERFACE, class->interface);
	json_put_id(c, o, "peer_interface", KIND_INTERFACE, class->peer_interface);
	put_choice(c, o, choice);
	put_pair_counters(c, o, from, to);
	json_append(c, list, o);
}

/* What is chosen otherwise for some of their nodes. */
static int put_variants(struct route_call *c, json_t *list, const struct host *from,
			const struct host *to, const struct choice *pair)
{
	_cleanup_(pair_classes_deinit) struct pair_classes classes = {0};
	int r = pair_classes_of(c->model, from, to, &classes);

	for (size_t i = 0; i < classes.n && !r; i++) {
		struct choice choice;

		pair_choice(c->model, from, to, &classes.v[i], &choice);
		if (!choice_equal(&choice, pair))
			put_class(c, list, from, to, &classes.v[i], &choice);
	}
	return r;
}

static int put_pair(struct route_call *c, json_t *list, const struct host *from,
		    const struct host *to)
{
	struct choice choice;

	pair_choice(c->model, from, to, &pair_all, &choice);
	put_class(c, list, from, to, &pair_all, &choice);
	/* of one pair all there is; of many the hosts' own choices */
	return route_query(c, "from") && route_query(c, "to")
		       ? put_variants(c, list, from, to, &choice)
		       : 0;
}

static int put_pairs_from(struct route_call *c, json_t *list, const struct host *from)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	const struct host *to;
	int r = 0;

	while (!r && (to = (const struct host *)model_iter_next(&it)))
		if (to != from && route_query_is_host(c, "to", to->number))
			r = put_pair(c, list, from, to);
	return r;
}

int route_pairs(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	const struct host *from;
	json_t *list;
	int r;

	r = route_check_host_query(c, "from");
	if (!r)
		r = route_check_host_query(c, "to");
	if (r)
		return r;
	if (!route_query(c, "from") && !route_query(c, "to") &&
	    model_count(c->model, KIND_HOST) > LIMIT_API_PAIR_HOSTS)
		return route_refuse(c, 400, "BadRequest",
				    "There are more than %u hosts: name one by 'from' or 'to'",
				    LIMIT_API_PAIR_HOSTS);
	c->result = json_new_object(c);
	list = json_new_array(c);
	json_put(c, c->result, "pairs", list);
	while (!r && (from = (const struct host *)model_iter_next(&it)))
		if (route_query_is_host(c, "from", from->number))
			r = put_pairs_from(c, list, from);
	return r;
}

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
