/* SPDX-License-Identifier: Apache-2.0 */
/* Interface records in the operators' API: what EC2 shows of them, and the rest. */
#include "api/call.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface_rights.h"
#include "model/nat_gateway.h"
#include "model/payer.h"
#include "model/subnet.h"
#include "model/usage.h"

#include <string.h>

static json_t *show_attachment(struct route_call *c, const struct attachment *a)
{
	char text[ID_TEXT_SIZE], account[ACCOUNT_TEXT_SIZE];
	uint64_t owner = attachment_owner(c->model, a);
	json_t *shown;

	if (a->state == ATTACHMENT_NONE)
		return json_null();
	shown = json_new_object(c);
	json_put_text(c, shown, "id", id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, text));
	json_put_id(c, shown, "instance", KIND_INSTANCE, a->instance);
	json_put_u64(c, shown, "device_index", a->device_index);
	json_put_text(c, shown, "status", attachment_state_text(a->state));
	json_put_bool(c, shown, "delete_on_termination", a->delete_on_termination);
	json_put_time(c, shown, "attached_at", a->attached_ms);
	json_put_text(c, shown, "owner",
		      owner ? account_text(owner, account) : NULL); /* of the instance */
	json_put_host(c, shown, "host", a->host);
	json_put_bool(c, shown, "lost", a->lost);
	json_put_bool(c, shown, "standby", a->standby);
	return shown;
}

/* The first, which is the only one unless it is shared, and all of them. */
static void put_attachments(struct route_call *c, json_t *o, const struct interface *i)
{
	json_t *all = json_new_array(c), *hosts = json_new_array(c), *instances = json_new_array(c);
	char text[ID_TEXT_SIZE];

	for (size_t n = 0; n < interface_attachment_count(i); n++) {
		const struct attachment *a = interface_attachment(i, n);

		json_append(c, all, show_attachment(c, a));
		if (a->instance)
			json_append(c, instances,
				    json_string(id_text(KIND_INSTANCE, a->instance, text)));
		if (a->host)
			json_append(c, hosts, json_host(c, a->host));
	}
	json_put_bool(c, o, "shared", i->shared);
	json_put(c, o, "attachment", show_attachment(c, &i->attachment));
	json_put(c, o, "attachments", all);
	json_put(c, o, "instances", instances);
	json_put_host(c, o, "host", i->attachment.host);
	json_put(c, o, "hosts", hosts);
}

static bool is_applied_at(const struct route_call *c, const struct interface *i, uint32_t host)
{
	struct api_host_live live = {};

	const struct host *h = host_by_number(c->model, host);

	if (!h || h->foreign)
		return h; /* there is nobody to apply anything */
	c->api->live->host(c->api->live->data, host, &live);
	/* What the host itself has said makes a revision, of which it need not hear. */
	return live.lacks_nothing || live.revision >= i->o.revision;
}

/* That of a NAT gateway with an elastic address is attached to nothing: what is at an edge is the
 * gateway, which is available when the edge has said so. */
static bool is_applied_by_gateway(const struct route_call *c, const struct interface *i)
{
	const struct object *o = model_get(c->model, KIND_NAT_GATEWAY, i->managed_by);
	const struct nat_gateway *g = (const struct nat_gateway *)o;

	return g && g->edge && g->state == NAT_AVAILABLE;
}

/* Whether its hosts say that they have applied the interface as it is now. */
static bool is_applied(const struct route_call *c, const struct interface *i)
{
	if (i->managed_by && !interface_attachment_count(i))
		return is_applied_by_gateway(c, i);
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (!is_applied_at(c, i, interface_attachment(i, n)->host))
			return false;
	return interface_attachment_count(i);
}

static void put_addresses(struct route_call *c, json_t *o, const struct interface *i)
{
	json_t *addrs = json_new_array(c), *arriving = json_new_array(c);
	char text[IPADDR_TEXT_SIZE];

	for (size_t k = 0; k < i->n_addrs; k++) {
		ipaddr_text(&i->addrs[k].addr, text);
		json_append(c, addrs, json_string(text));
		if (i->addrs[k].arriving)
			json_append(c, arriving, json_string(text));
	}
	json_put(c, o, "addresses", addrs);
	json_put(c, o, "arriving", arriving);
}

static void put_accounts(struct route_call *c, json_t *o, const char *key, const uint64_t *accounts,
			 size_t n)
{
	json_t *list = json_new_array(c);
	char text[ACCOUNT_TEXT_SIZE];

	for (size_t k = 0; k < n; k++)
		json_append(c, list, json_string(account_text(accounts[k], text)));
	json_put(c, o, key, list);
}

static void put_routes(struct route_call *c, json_t *o, const struct interface *i)
{
	json_t *list = json_new_array(c);

	for (size_t k = 0; k < i->n_routes; k++) {
		json_t *route = json_new_object(c);

		json_put_prefix(c, route, "prefix", &i->routes[k].prefix);
		json_put_addr(c, route, "via", &i->routes[k].via);
		json_append(c, list, route);
	}
	json_put(c, o, "routes", list);
}

/* Of the devices that stand for it in nodes. */
static void put_macs(struct route_call *c, json_t *o, const struct interface *i)
{
	json_t *list = json_new_array(c);
	char text[MAC_TEXT_SIZE];

	json_put_text(c, o, "mac", mac_text(&i->mac, text));
	if (interface_attachment_count(i))
		json_append(c, list, json_string(text));
	json_put(c, o, "macs", list);
}

/* What EC2 does not have. */
static void put_record(struct route_call *c, json_t *o, const struct interface *i)
{
	const struct subnet *s = (const struct subnet *)model_get(c->model, KIND_SUBNET, i->subnet);
	char text[ACCOUNT_TEXT_SIZE];

	json_put_text(c, o, "condition", interface_condition_text(i->condition));
	json_put_text(c, o, "zone", s ? s->zone : NULL);
	json_put_addr(c, o, "dns_server", &i->dns_server);
	json_put_u64(c, o, "vlan", i->vlan);
	json_put_text(c, o, "billing_account", account_text(payer_of(c->model, i), text));
	put_routes(c, o, i);
	put_accounts(c, o, "attachers", i->attachers, i->n_attachers);
	put_accounts(c, o, "detachers", i->detachers, i->n_detachers);
	put_accounts(c, o, "setters", i->setters, i->n_setters);
	put_accounts(c, o, "modifiers", i->modifiers, i->n_modifiers);
}

static json_t *show_one(struct route_call *c, const struct interface *i)
{
	json_t *o = json_new_object(c);
	struct usage usage = {0};

	json_put_identity(c, o, &i->o);
	json_put_id(c, o, "network", KIND_VPC, i->vpc);
	json_put_u64(c, o, "vni", i->vni);
	json_put_id(c, o, "subnet", KIND_SUBNET, i->subnet);
	put_macs(c, o, i);
	put_addresses(c, o, i);
	json_put_text(c, o, "status", interface_status_text(i));
	json_put_text(c, o, "description", i->description ? i->description : "");
	json_put_bool(c, o, "source_dest_check", i->source_dest_check);
	put_attachments(c, o, i);
	json_put_bool(c, o, "applied", is_applied(c, i));
	put_record(c, o, i);
	c->api->live->usage(c->api->live->data, i->o.id, &usage);
	json_put(c, o, "usage", json_usage(c, &usage));
	json_put_tags(c, o, "tags", &i->o);
	return o;
}

bool route_interface_is_at(const struct route_call *c, const struct interface *i)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (route_query_is_host(c, "host", interface_attachment(i, n)->host))
			return true;
	return route_query_is_host(c, "host", 0);
}

/* One of its attachments, if the question names an instance, or a host. */
static bool has_attachment(const struct route_call *c, const struct interface *i)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++) {
		const struct attachment *a = interface_attachment(i, n);

		if (route_query_is(c, "instance", KIND_INSTANCE, a->instance) &&
		    route_query_is_host(c, "host", a->host))
			return true;
	}
	return route_query_is(c, "instance", KIND_INSTANCE, 0) && route_query_is_host(c, "host", 0);
}

static json_t *show_interface(struct route_call *c, const struct object *object)
{
	const struct interface *i = (const struct interface *)object;

	if (!route_query_is(c, "network", KIND_VPC, i->vpc) ||
	    !route_query_is(c, "subnet", KIND_SUBNET, i->subnet) || !has_attachment(c, i))
		return NULL;
	return show_one(c, i);
}

int route_interfaces(struct route_call *c)
{
	static const struct route_list list = {"interfaces", KIND_INTERFACE, show_interface};

	return route_list_run(c, &list);
}

int route_interface(struct route_call *c)
{
	const struct interface *i;
	int r = interface_find_for(c->model, &c->caller, c->segments[2], INTERFACE_SEE, &i,
				   &c->refusal);

	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "interface", show_one(c, i));
	return 0;
}

/* ---- setting ---- */

/* A list of accounts; '*ret' is NULL when it is not there. */
static int read_accounts(struct route_call *c, const char *name, const struct account_list **ret)
{
	const json_t *list = json_object_get(c->body, name), *item;
	struct account_list *read;
	const char **ids;
	size_t i;

	*ret = NULL;
	if (!list)
		return 0;
	if (!json_is_array(list))
		return route_refuse(c, 400, "BadRequest", "'%s' must be a list of accounts", name);
	read = arena_alloc(c->arena, sizeof(*read));
	ids = arena_alloc_array(c->arena, json_array_size(list) + 1, sizeof(*ids));
	if (!read || !ids)
		return -ENOMEM;
	json_array_foreach (list, i, item) {
		ids[i] = json_string_value(item);
		if (!ids[i])
			return route_refuse(c, 400, "BadRequest",
					    "'%s' must be a list of accounts, each a string of 12 "
					    "digits",
					    name);
	}
	*read = (struct account_list){ids, json_array_size(list)};
	*ret = read;
	return 0;
}

static int read_route(struct route_call *c, const json_t *item, struct interface_route *ret)
{
	const char *prefix = json_string_value(json_object_get(item, "prefix"));
	const char *via = json_string_value(json_object_get(item, "via"));

	*ret = (struct interface_route){.via = {{0}}};
	if (!prefix || prefix_parse(prefix, &ret->prefix) || (via && ipaddr_parse(via, &ret->via)))
		return route_refuse(c, 400, "BadRequest",
				    "'routes' must be a list of {\"prefix\": \"192.0.2.0/24\", "
				    "\"via\": ADDRESS}");
	return 0;
}

static int read_routes(struct route_call *c, struct interface_set_args *args)
{
	const json_t *list = json_object_get(c->body, "routes"), *item;
	struct interface_route *routes;
	size_t i, *n;
	int r = 0;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return route_refuse(c, 400, "BadRequest", "'routes' must be a list");
	n = arena_alloc(c->arena, sizeof(*n));
	routes = arena_alloc_array(c->arena, json_array_size(list) + 1, sizeof(*routes));
	if (!n || !routes)
		return -ENOMEM;
	json_array_foreach (list, i, item) {
		if (!r)
			r = read_route(c, item, &routes[i]);
	}
	*n = json_array_size(list);
	args->routes = routes;
	args->n_routes = n;
	return r;
}

/* All that are given change, or none. */
int route_interface_set(struct route_call *c)
{
	struct interface_set_args args = {.interface_id = c->segments[2]};
	const struct interface *i;
	int r = read_accounts(c, "attachers", &args.attachers);

	if (!r)
		r = read_accounts(c, "detachers", &args.detachers);
	if (!r)
		r = read_accounts(c, "setters", &args.setters);
	if (!r)
		r = read_accounts(c, "modifiers", &args.modifiers);
	if (!r)
		r = route_text(c, "condition", false, &args.condition);
	if (!r)
		r = route_text(c, "dns_server", false, &args.dns_server);
	if (!r)
		r = route_u32(c, "vlan", &args.vlan);
	if (!r)
		r = route_text(c, "billing_account", false, &args.billing_account);
	if (!r)
		r = read_routes(c, &args);
	if (!r)
		r = route_bool(c, "shared", &args.shared);
	if (!r)
		r = interface_set(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		r = interface_find_for(c->model, &c->caller, c->segments[2], INTERFACE_SEE, &i,
				       &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "interface", show_one(c, i));
	return 0;
}

int route_interface_attach(struct route_call *c)
{
	struct interface_attach_args args = {.interface_id = c->segments[2], .device_index = 1};
	const struct attachment *a;
	const uint32_t *index = NULL;
	const bool *reassign = NULL;
	const char *host = NULL;
	int r = route_text(c, "host", false, &host);

	if (!r)
		r = route_text(c, "instance", !host, &args.instance_id);
	if (!r)
		r = route_u32(c, "device_index", &index);
	if (!r)
		r = route_bool(c, "allow_reassignment", &reassign);
	if (!r && host && (args.instance_id || index || reassign))
		return route_refuse(c, 400, "BadRequest",
				    "'host' stands alone: on a foreign host there is no instance");
	if (!r && index)
		args.device_index = *index;
	args.allow_reassignment = !r && reassign && *reassign;
	if (!r)
		r = host ? interface_place(c->tx, &c->caller, args.interface_id, host, &a,
					   &c->refusal)
			 : interface_attach(c->tx, &c->caller, &args, &a, &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "attachment", show_attachment(c, a));
	json_put(c, c->result, "interface", show_one(c, a->of));
	return 0;
}

static bool names_attachment(const struct interface *i, const char *text)
{
	uint64_t id;

	if (id_parse_prefixed(ID_PREFIX_ATTACHMENT, text, &id))
		return false;
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (interface_attachment(i, n)->id == id)
			return true;
	return false;
}

int route_interface_detach(struct route_call *c)
{
	const char *force = route_query(c, "force"), *which = route_query(c, "attachment");
	const struct interface *i;
	char id[ID_TEXT_SIZE];
	int r;

	r = interface_find_for(c->model, &c->caller, c->segments[2], INTERFACE_SEE, &i,
			       &c->refusal);
	if (r)
		return r;
	if (!interface_attachment_count(i))
		return route_refuse(c, 404, "NotFound", "'%.60s' is not attached", c->segments[2]);
	if (!which && interface_attachment_count(i) > 1)
		return route_refuse(
			c, 409, "Conflict",
			"'%.60s' is attached to several instances: say which attachment "
			"ends, as ?attachment=eni-attach-...",
			c->segments[2]);
	if (!which)
		which = id_text_prefixed(ID_PREFIX_ATTACHMENT, i->attachment.id, id);
	if (!names_attachment(i, which))
		return route_refuse(c, 404, "NotFound", "'%.60s' is no attachment of '%.60s'",
				    which, c->segments[2]);
	r = interface_detach(c->tx, &c->caller, which, force && !strcmp(force, "true"),
			     &c->refusal);
	if (!r)
		c->result = json_new_object(c);
	return r;
}

int route_address_move(struct route_call *c)
{
	struct interface_move_args args = {
		.subnet_id = c->segments[2], .addr = c->segments[4], .allow_reassignment = true};
	const struct interface *i;
	struct ipaddr addr;
	bool made;
	int r;

	if (ipaddr_parse(args.addr, &addr))
		return route_refuse(c, 400, "BadRequest", "'%.60s' is not an address", args.addr);
	r = route_text(c, "interface", false, &args.interface_id);
	if (!r)
		r = route_text(c, "instance", false, &args.instance_id);
	if (!r)
		r = interface_move(c->tx, &c->caller, &args, &i, &made, &c->refusal);
	if (r)
		return r;
	c->status = made ? 201 : 200;
	c->result = json_new_object(c);
	json_put(c, c->result, "interface", show_one(c, i));
	json_put_bool(c, c->result, "made", made);
	return 0;
}
