/* SPDX-License-Identifier: Apache-2.0 */
/* Targets and sessions of traffic mirroring. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/mirror_view.h"
#include "api/param.h"
#include "base/str.h"

int mirror_read_number(struct ec2_call *c, const char *name, const uint32_t **ret)
{
	uint32_t *number;

	*ret = NULL;
	if (!param_text(c, name))
		return 0;
	number = arena_alloc_array(c->arena, 1, sizeof(*number));
	if (!number)
		return -ENOMEM;
	*number = param_u32(c, name, 0);
	*ret = number;
	return 0;
}

int mirror_read_removals(struct ec2_call *c, const char *const names[], bool *const flags[])
{
	const char *const *fields;
	size_t n, k;
	int r = param_list(c, "RemoveField", &fields, &n);

	for (size_t i = 0; i < n && !r; i++) {
		for (k = 0; names[k] && !str_equal(names[k], fields[i]);)
			k++;
		if (!names[k])
			r = ec2_refuse_value(c, "RemoveField", fields[i], "It cannot be removed.");
		else
			*flags[k] = true;
	}
	return r;
}

static void write_token(struct ec2_call *c, const struct token_args *token)
{
	if (token->token)
		xml_text(c->xml, "clientToken", token->token);
}

static void write_description(struct ec2_call *c, const char *text)
{
	if (text)
		xml_text(c->xml, "description", text);
}

/* ---- targets ---- */

static void write_target(struct ec2_call *c, const struct mirror_target *t)
{
	ec2_write_id(c, "trafficMirrorTargetId", KIND_MIRROR_TARGET, t->o.id);
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, t->interface);
	xml_text(c->xml, "type", "network-interface");
	write_description(c, t->description);
	ec2_write_owner(c, "ownerId", t->o.account);
	ec2_write_tags(c, &t->o);
}

int action_create_traffic_mirror_target(struct ec2_call *c)
{
	static const char *const taggable[] = {"traffic-mirror-target", NULL};
	struct mirror_target_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.description = param_text(c, "Description"),
	};
	const struct mirror_target *t;
	int r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);

	if (!r && !args.interface_id)
		r = ec2_refuse_missing(c, "NetworkInterfaceId");
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = mirror_target_create(c->tx, &c->caller, &args, &t, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "trafficMirrorTarget");
	write_target(c, t);
	xml_close(c->xml);
	write_token(c, &args.token);
	return 0;
}

int action_delete_traffic_mirror_target(struct ec2_call *c)
{
	const char *id = param_text(c, "TrafficMirrorTargetId");
	int r = mirror_target_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "trafficMirrorTargetId", id);
	return r;
}

#define TARGET ((const struct mirror_target *)item)

static void target_by_description(struct filter_probe *p, const void *item)
{
	filter_text(p, TARGET->description);
}

static void target_by_interface(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INTERFACE, TARGET->interface);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ((const struct object *)item)->account);
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, ((const struct object *)item)->kind, ((const struct object *)item)->id);
}

/* Of what is no interface. */
static void target_by_nothing(struct filter_probe *p, const void *item)
{
}

const struct filter mirror_target_filters[] = {
	{"description", target_by_description},
	{"network-interface-id", target_by_interface},
	{"network-load-balancer-arn", target_by_nothing},
	{"owner-id", by_owner},
	{"traffic-mirror-target-id", by_id},
	{},
};

static int find_target(const struct model *m, const struct caller *caller, const char *id,
		       const struct object **ret, struct refusal *reterr)
{
	return mirror_target_find(m, caller, id, (const struct mirror_target **)ret, reterr);
}

static void show_target(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_target(c, (const struct mirror_target *)o);
	xml_close(c->xml);
}

int action_describe_traffic_mirror_targets(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"traffic-mirror-target-id", KIND_MIRROR_TARGET, REL_MAX},
		{"network-interface-id", KIND_INTERFACE, REL_INTERFACE_MIRROR_TARGETS},
		{}};
	static const struct describe d = {
		.kind = KIND_MIRROR_TARGET,
		.ids = "TrafficMirrorTargetId",
		.find = find_target,
		.filters = mirror_target_filters,
		.groups = groups,
		.write = show_target,
	};

	return describe_run(c, &d, "trafficMirrorTargetSet", NULL, NULL);
}

/* ---- sessions ---- */

static void write_session(struct ec2_call *c, const struct mirror_session *s)
{
	ec2_write_id(c, "trafficMirrorSessionId", KIND_MIRROR_SESSION, s->o.id);
	ec2_write_id(c, "trafficMirrorTargetId", KIND_MIRROR_TARGET, s->target);
	ec2_write_id(c, "trafficMirrorFilterId", KIND_MIRROR_FILTER, s->filter);
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, s->interface);
	ec2_write_owner(c, "ownerId", s->o.account);
	if (s->length)
		xml_u64(c->xml, "packetLength", s->length);
	xml_u64(c->xml, "sessionNumber", s->number);
	xml_u64(c->xml, "virtualNetworkId", s->vni);
	write_description(c, s->description);
	ec2_write_tags(c, &s->o);
}

static void answer_session(struct ec2_call *c, const struct mirror_session *s)
{
	xml_open(c->xml, "trafficMirrorSession");
	write_session(c, s);
	xml_close(c->xml);
}

static int read_session(struct ec2_call *c, struct mirror_session_args *args)
{
	int r = mirror_read_number(c, "SessionNumber", &args->number);

	if (!r)
		r = mirror_read_number(c, "PacketLength", &args->length);
	if (!r)
		r = mirror_read_number(c, "VirtualNetworkId", &args->vni);
	args->target_id = param_text(c, "TrafficMirrorTargetId");
	args->filter_id = param_text(c, "TrafficMirrorFilterId");
	args->description = param_text(c, "Description");
	return r;
}

int action_create_traffic_mirror_session(struct ec2_call *c)
{
	static const char *const taggable[] = {"traffic-mirror-session", NULL};
	struct mirror_session_args args = {.interface_id = param_text(c, "NetworkInterfaceId")};
	const struct mirror_session *s;
	int r = read_session(c, &args);

	if (!r)
		r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = mirror_session_create(c->tx, &c->caller, &args, &s, &c->refusal);
	if (r)
		return r;
	answer_session(c, s);
	write_token(c, &args.token);
	return 0;
}

int action_modify_traffic_mirror_session(struct ec2_call *c)
{
	static const char *const names[] = {"packet-length", "virtual-network-id", "description",
					    NULL};
	struct mirror_session_args args = {};
	bool *const flags[] = {&args.no_length, &args.no_vni, &args.no_description};
	const struct mirror_session *s;
	int r = read_session(c, &args);

	if (!r)
		r = mirror_read_removals(c, names, flags);
	if (!r)
		r = mirror_session_modify(c->tx, &c->caller,
					  param_text(c, "TrafficMirrorSessionId"), &args, &s,
					  &c->refusal);
	if (!r)
		answer_session(c, s);
	return r;
}

int action_delete_traffic_mirror_session(struct ec2_call *c)
{
	const char *id = param_text(c, "TrafficMirrorSessionId");
	int r = mirror_session_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "trafficMirrorSessionId", id);
	return r;
}

#define SESSION ((const struct mirror_session *)item)

static void session_by_description(struct filter_probe *p, const void *item)
{
	filter_text(p, SESSION->description);
}

static void session_by_interface(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INTERFACE, SESSION->interface);
}

static void session_by_length(struct filter_probe *p, const void *item)
{
	filter_u64(p, SESSION->length);
}

static void session_by_number(struct filter_probe *p, const void *item)
{
	filter_u64(p, SESSION->number);
}

static void session_by_filter(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_MIRROR_FILTER, SESSION->filter);
}

static void session_by_target(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_MIRROR_TARGET, SESSION->target);
}

static void session_by_vni(struct filter_probe *p, const void *item)
{
	filter_u64(p, SESSION->vni);
}

const struct filter mirror_session_filters[] = {
	{"description", session_by_description},
	{"network-interface-id", session_by_interface},
	{"owner-id", by_owner},
	{"packet-length", session_by_length},
	{"session-number", session_by_number},
	{"traffic-mirror-filter-id", session_by_filter},
	{"traffic-mirror-session-id", by_id},
	{"traffic-mirror-target-id", session_by_target},
	{"virtual-network-id", session_by_vni},
	{},
};

static int find_session(const struct model *m, const struct caller *caller, const char *id,
			const struct object **ret, struct refusal *reterr)
{
	return mirror_session_find(m, caller, id, (const struct mirror_session **)ret, reterr);
}

static void show_session(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_session(c, (const struct mirror_session *)o);
	xml_close(c->xml);
}

int action_describe_traffic_mirror_sessions(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"traffic-mirror-session-id", KIND_MIRROR_SESSION, REL_MAX},
		{"network-interface-id", KIND_INTERFACE, REL_INTERFACE_MIRROR_SESSIONS},
		{"traffic-mirror-target-id", KIND_MIRROR_TARGET, REL_TARGET_MIRROR_SESSIONS},
		{"traffic-mirror-filter-id", KIND_MIRROR_FILTER, REL_FILTER_MIRROR_SESSIONS},
		{}};
	static const struct describe d = {
		.kind = KIND_MIRROR_SESSION,
		.ids = "TrafficMirrorSessionId",
		.find = find_session,
		.filters = mirror_session_filters,
		.groups = groups,
		.write = show_session,
	};

	return describe_run(c, &d, "trafficMirrorSessionSet", NULL, NULL);
}
