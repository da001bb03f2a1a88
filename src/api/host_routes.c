/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, and what they can do. */
#include "api/placement_json.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/ability.h"
#include "model/edge.h"
#include "model/host.h"
#include "model/host_key.h"
#include "model/label.h"

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
	json_put(c, o, "drain", route_show_drain(c, h));
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
