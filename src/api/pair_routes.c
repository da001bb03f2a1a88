/* SPDX-License-Identifier: Apache-2.0 */
/* What was chosen between hosts. */
#include "api/route_handlers.h"
#include "api/state.h"
#include "base/limits.h"
#include "model/host.h"
#include "model/pair_class.h"
#include "model/vpc.h"

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
		json_put_u64(c, o, "key_epoch", choice->send_key.epoch);
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
