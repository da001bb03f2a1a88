/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making instances.  See instance.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/default_vpc.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/instance.h"
#include "model/interface_edit.h"
#include "model/placement_edit.h"
#include "model/subnet.h"
#include "model/token_edit.h"

#define OPERATION    "RunInstances"
#define IMAGE        "ami-netns"
#define IMAGE_DRIVER "netns"

/* One call, once its arguments are checked. */
struct run {
	const struct instance_run_args *args;
	const struct caller *caller;
	const struct instance_type *type;
	const struct subnet *subnet;           /* of device index 0 */
	struct instance_interface_args simple; /* stands for subnet_id and private_ip */
	const struct instance_interface_args *interfaces;
	size_t n_interfaces;
	const struct placement_group *group; /* or NULL */
	uint32_t partition;
	uint32_t host; /* number of the only one; 0: any */
	uint64_t reservation;
	/* existing interfaces that others may have as well */
	uint64_t shared[LIMIT_NODE_INTERFACES];
	size_t n_shared;
};

/* ---- checking ---- */

static bool is_image_id(const char *s)
{
	if (!str_has_prefix(s, "ami-"))
		return false;
	for (s += strlen("ami-"); *s; s++)
		if (!isxdigit((unsigned char)*s))
			return false;
	return true;
}

static int check_what(struct run *run, struct refusal *reterr)
{
	const struct instance_run_args *args = run->args;
	const char *type = args->type ? args->type : INSTANCE_TYPE_DEFAULT;

	if (args->image && !str_equal(args->image, IMAGE))
		return refuse(reterr,
			      is_image_id(args->image) ? MODEL_E_IMAGE_NOT_FOUND
						       : MODEL_E_IMAGE_MALFORMED,
			      args->image);
	run->type = instance_type_find(type);
	if (!run->type)
		return refuse(reterr, MODEL_E_INSTANCE_TYPE_UNKNOWN, type);
	if (!args->min_count || args->max_count < args->min_count)
		return refuse(reterr, MODEL_E_VALUE, args->min_count ? "less than minCount" : "0",
			      args->min_count ? "maxCount" : "minCount",
			      "It is 1 or more, and minCount is not above maxCount.");
	if (args->max_count > LIMIT_MODEL_RUN_COUNT)
		return refuse(reterr, MODEL_E_INSTANCE_LIMIT, "1000 in one call");
	if (args->user_data && strlen(args->user_data) > LIMIT_MODEL_USER_DATA)
		return refuse(reterr, MODEL_E_VALUE, "...", "userData",
			      "User data is limited to 16384 bytes.");
	if (args->key_name && strlen(args->key_name) > LIMIT_MODEL_TEXT)
		return refuse(reterr, MODEL_E_VALUE, args->key_name, "keyName",
			      "It is longer than 255 characters.");
	return 0;
}

static int choose_interfaces(struct run *run, struct refusal *reterr)
{
	const struct instance_run_args *args = run->args;

	if (args->n_interfaces && args->n_groups)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Network interfaces and an instance-level security groups may not be "
			      "specified on the same request");
	if (args->n_interfaces && (args->subnet_id || args->private_ip || args->secondary_count ||
				   args->n_addrs6 || args->count6))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Network interfaces and an instance-level subnet ID may not be "
			      "specified on the same request");
	run->simple = (struct instance_interface_args){
		.subnet_id = args->subnet_id,
		.private_ip = args->private_ip,
		.groups = args->groups,
		.n_groups = args->n_groups,
		.secondary_count = args->secondary_count,
		.addrs6 = args->addrs6,
		.n_addrs6 = args->n_addrs6,
		.count6 = args->count6,
	};
	run->interfaces = args->n_interfaces ? args->interfaces : &run->simple;
	run->n_interfaces = args->n_interfaces ? args->n_interfaces : 1;
	return 0;
}

static int check_indexes(const struct run *run, struct refusal *reterr)
{
	char text[16];
	bool has_primary = false;

	snprintf(text, sizeof(text), "%u", run->type->interfaces);
	if (run->n_interfaces > run->type->interfaces)
		return refuse(reterr, MODEL_E_ATTACHMENT_LIMIT, text, run->type->name);
	for (size_t i = 0; i < run->n_interfaces; i++) {
		uint32_t index = run->interfaces[i].device_index;

		has_primary |= !index;
		if (index >= run->type->interfaces)
			return refuse(reterr, MODEL_E_ATTACHMENT_LIMIT, text, run->type->name);
		for (size_t j = 0; j < i; j++) {
			if (run->interfaces[j].device_index != index)
				continue;
			snprintf(text, sizeof(text), "%u", index);
			return refuse(reterr, MODEL_E_VALUE, text, "deviceIndex",
				      "Each network interface requires a unique device index.");
		}
	}
	if (!has_primary)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A network interface with device index 0 is needed.");
	return 0;
}

/* Of a new interface: the one that is named, or the default one. */
static int find_subnet(const struct model *m, const struct run *run, const char *id,
		       const struct subnet **ret, struct refusal *reterr)
{
	if (id)
		return subnet_find(m, run->caller, id, ret, reterr);
	*ret = default_subnet_of(m, run->caller->account, run->args->zone);
	return *ret ? 0 : refuse(reterr, MODEL_E_NO_DEFAULT_VPC, "");
}

/* One of the interfaces: an existing one that is free, or a new one. */
static int check_interface(const struct model *m, const struct run *run,
			   const struct instance_interface_args *a, const struct subnet **ret,
			   struct refusal *reterr)
{
	const struct interface *i;
	int r;

	if (run->args->max_count > 1 &&
	    (a->interface_id || a->private_ip || a->n_addrs || a->n_addrs6))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A network interface or a private IP address can only be given to "
			      "one instance.");
	if (a->public_ip && *a->public_ip &&
	    (a->interface_id || a->device_index || run->n_interfaces > 1))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The associatePublicIPAddress parameter can only be given for the "
			      "only network interface, a new one with device index 0.");
	if (a->public_ip && *a->public_ip && !model_count(m, KIND_POOL))
		return refuse(reterr, MODEL_E_POOL_EXHAUSTED, "");
	if (!a->interface_id)
		return find_subnet(m, run, a->subnet_id, ret, reterr);
	if (a->subnet_id || a->private_ip || a->n_addrs || a->n_groups || a->secondary_count ||
	    a->n_addrs6 || a->count6 || a->description)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "An existing network interface has its subnet, addresses, groups "
			      "and description already.");
	r = interface_find(m, run->caller, a->interface_id, &i, reterr);
	if (r)
		return r;
	r = interface_check_free(i, 0, a->interface_id, reterr);
	if (r)
		return r;
	*ret = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	return 0;
}

/* All of them are there. */
static void note_shared(const struct model *m, struct run *run)
{
	uint64_t id;

	for (size_t n = 0; n < run->n_interfaces && run->n_shared < LIMIT_NODE_INTERFACES; n++)
		if (run->interfaces[n].interface_id &&
		    !id_parse(KIND_INTERFACE, run->interfaces[n].interface_id, &id))
			run->shared[run->n_shared++] = id;
}

static int check_interfaces(const struct model *m, struct run *run, struct refusal *reterr)
{
	const struct subnet *subnet = NULL;
	int r = check_indexes(run, reterr);

	for (size_t i = 0; i < run->n_interfaces && !r; i++) {
		r = check_interface(m, run, &run->interfaces[i], &subnet, reterr);
		if (!r && !run->interfaces[i].device_index)
			run->subnet = subnet;
	}
	if (!r)
		note_shared(m, run);
	for (size_t i = 0; i < run->n_interfaces && !r; i++) {
		r = check_interface(m, run, &run->interfaces[i], &subnet, reterr);
		if (!r && (subnet->vpc != run->subnet->vpc ||
			   !str_equal(subnet->zone, run->subnet->zone)))
			r = refuse(reterr, MODEL_E_COMBINATION,
				   "All network interfaces of an instance must be in one VPC and "
				   "one availability zone.");
	}
	if (!r && run->args->zone && !str_equal(run->args->zone, run->subnet->zone))
		r = refuse(reterr, MODEL_E_VALUE, run->args->zone, "availabilityZone",
			   "The subnet is in another availability zone.");
	return r;
}

static int check_place(const struct model *m, struct run *run, struct refusal *reterr)
{
	const struct host *h;
	int r = placement_group_resolve(m, run->subnet->o.account, &run->args->group, &run->group,
					&run->partition, reterr);

	if (r || !run->args->host)
		return r;
	if (!run->caller->is_operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED, "Operators choose hosts");
	h = host_find(m, run->args->host);
	if (!h)
		return refuse(reterr, MODEL_E_HOST_NOT_FOUND, run->args->host);
	run->host = h->number;
	return 0;
}

/* ---- making ---- */

static int fill_instance(struct instance *n, const struct run *run,
			 const struct placement_choice *where, uint32_t index, const struct tx *tx)
{
	const struct instance_run_args *args = run->args;
	const struct {
		char **field;
		const char *value;
	} strings[] = {
		{&n->image, IMAGE},
		{&n->driver, IMAGE_DRIVER},
		{&n->type, run->type->name},
		{&n->zone, run->subnet->zone},
		{&n->key_name, args->key_name},
		{&n->user_data, args->user_data},
		{&n->client_token, args->token.token},
	};
	int r = 0;

	n->reservation = run->reservation;
	n->launch_index = index;
	n->subnet = run->subnet->o.id;
	n->vpc = run->subnet->vpc;
	n->host = where->host->number;
	n->placement_group = run->group ? run->group->o.id : 0;
	n->partition = where->partition;
	n->state = INSTANCE_PENDING;
	n->generation = 1;
	n->wait_revision = tx->revision;
	n->launched_ms = tx->now_ms;
	n->disable_api_termination = args->disable_api_termination;
	n->disable_api_stop = args->disable_api_stop;
	n->terminate_on_shutdown = args->terminate_on_shutdown;
	for (size_t i = 0; i < ARRAY_SIZE(strings) && !r; i++)
		r = edit_string(strings[i].field, strings[i].value);
	return r;
}

/* A copy of the existing interface, or a new one; to be put in the place of '*ret_old'. */
static int take_interface(struct tx *tx, const struct run *run,
			  const struct instance_interface_args *a, const struct interface **ret_old,
			  struct interface **ret, struct refusal *reterr)
{
	const struct interface_spec spec = {
		.description = a->description,
		.private_ip = a->private_ip,
		.addrs = a->addrs,
		.n_addrs = a->n_addrs,
		.groups = a->groups,
		.n_groups = a->n_groups,
		.secondary_count = a->secondary_count,
		.addrs6 = a->addrs6,
		.n_addrs6 = a->n_addrs6,
		.count6 = a->count6,
		.max_addrs = run->type->addresses,
		.tags = run->args->interface_tags,
		.n_tags = run->args->n_interface_tags,
	};
	const struct subnet *s;
	int r;

	*ret_old = NULL;
	if (a->interface_id) {
		r = interface_find(tx->m, run->caller, a->interface_id, ret_old, reterr);
		return r ? r : TX_EDIT(tx, *ret_old, ret);
	}
	r = find_subnet(tx->m, run, a->subnet_id, &s, reterr);
	return r ? r : interface_make(tx, s, &spec, ret, reterr);
}

/* Whether the new interface gets a public address with its node: the first one alone. */
static bool wants_public(const struct model *m, const struct run *run,
			 const struct instance_interface_args *a)
{
	if (a->interface_id || a->device_index)
		return false;
	return a->public_ip ? *a->public_ip
			    : run->n_interfaces == 1 && run->subnet->map_public_ip &&
				      model_count(m, KIND_POOL);
}

static int plug_interface(struct tx *tx, const struct run *run, struct instance *n,
			  const struct instance_interface_args *a, struct refusal *reterr)
{
	struct interface *i = NULL;
	const struct interface *old, *result;
	struct attachment *made;
	int r = take_interface(tx, run, a, &old, &i, reterr);

	if (!r && old) /* it may have been named twice */
		r = interface_check_free(i, n->o.id, a->interface_id, reterr);
	if (!r)
		r = interface_attach_to(tx, i, n->o.id, a->device_index, &made);
	if (r) {
		record_free(i ? &i->o : NULL);
		return r;
	}
	interface_locate(i, made, n->host, true, tx->revision);
	made->delete_on_termination =
		a->delete_on_termination ? *a->delete_on_termination : !a->interface_id;
	if (!a->device_index)
		n->private_addr = i->addrs[0].addr;
	i->auto_public |= wants_public(tx->m, run, a);
	result = i;
	r = TX_PUT(tx, old, &i);
	return r || !result->auto_public ? r : elastic_give_automatic(tx, result, reterr);
}

/* Chooses a host for 'o', which has its tags. */
static int place(struct tx *tx, const struct run *run, uint32_t index, const struct object *o,
		 struct placement_choice *ret, struct refusal *reterr)
{
	struct placement_request where = {
		.account = o->account,
		.zone = run->subnet->zone,
		.what = run->type->name,
		.shared = run->shared,
		.n_shared = run->n_shared,
		.only = run->host,
		.group = run->group,
		.partition = run->partition,
		.together = index < run->args->min_count ? run->args->min_count - index : 1,
	};
	int r = 0;

	placement_needs(run->type, run->n_interfaces, where.needs);
	r = placement_read_tags(&where, o, reterr);
	if (!r && run->group)
		r = placement_group_admit(tx->m, run->group, where.zone, reterr);
	if (!r)
		r = placement_choose(tx->m, &where, ret, reterr);
	return r ? r : placement_done(tx, &where, ret->host->number);
}

static int make_one(struct tx *tx, const struct run *run, uint32_t index,
		    const struct instance **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct instance *result;
	struct placement_choice where;
	int r = tx_make(tx, KIND_INSTANCE, run->subnet->o.account, &o);

	if (!r)
		r = tags_set(o, run->args->tags, run->args->n_tags, reterr);
	if (!r)
		r = place(tx, run, index, o, &where, reterr);
	if (!r)
		r = fill_instance((struct instance *)o, run, &where, index, tx);
	for (size_t i = 0; i < run->n_interfaces && !r; i++)
		r = plug_interface(tx, run, (struct instance *)o, &run->interfaces[i], reterr);
	if (r)
		return r;
	result = (const struct instance *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = network_refresh(tx, run->subnet->vni);
	if (!r)
		*ret = result;
	return r;
}

/* What may stop the making of more than min_count. */
static bool is_shortage(int r)
{
	return r == MODEL_E_NO_CAPACITY || r == MODEL_E_NO_FREE_ADDRESS ||
	       r == MODEL_E_POOL_EXHAUSTED || r == MODEL_E_INTERFACE_LIMIT ||
	       r == MODEL_E_INSTANCE_LIMIT || r == MODEL_E_PLACEMENT_GROUP_FULL;
}

static int make_all(struct tx *tx, const struct run *run, const struct instance **ret,
		    size_t *ret_n, struct refusal *reterr)
{
	size_t n = 0;
	int r = 0;

	for (; n < run->args->max_count; n++) {
		size_t mark = tx_mark(tx);

		if (model_account_count(tx->m, KIND_INSTANCE, run->subnet->o.account) >=
		    LIMIT_MODEL_INSTANCES)
			r = refuse(reterr, MODEL_E_INSTANCE_LIMIT, "1048576");
		else
			r = tx_settle(tx, mark, make_one(tx, run, (uint32_t)n, &ret[n], reterr));
		if (r)
			break;
	}
	if (r && (!is_shortage(r) || n < run->args->min_count))
		return r;
	*ret_n = n;
	return 0;
}

static int remember(struct tx *tx, const struct run *run, const struct instance *const *made,
		    size_t n)
{
	_cleanup_free_ uint64_t *ids = calloc(n, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ids[i] = made[i]->o.id;
	return token_remember(tx, run->caller->account, OPERATION, &run->args->token, KIND_INSTANCE,
			      ids, n);
}

static int answer_again(const struct model *m, const struct token *t, const struct instance **ret,
			size_t *ret_n, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < t->n_results; i++) {
		const struct object *o = model_get(m, KIND_INSTANCE, t->results[i]);

		if (o)
			ret[n++] = (const struct instance *)o;
	}
	if (!n)
		return refuse(reterr, MODEL_E_INSTANCE_NOT_FOUND,
			      id_text(KIND_INSTANCE, t->results[0], id));
	*ret_n = n;
	return 0;
}

static int do_run(struct tx *tx, struct run *run, const struct instance **ret, size_t *ret_n,
		  struct refusal *reterr)
{
	const struct token *seen;
	size_t n = 0;
	int r = token_seen(tx, run->caller->account, OPERATION, &run->args->token, &seen, reterr);

	if (!r && seen)
		return answer_again(tx->m, seen, ret, ret_n, reterr);
	if (!r)
		r = check_what(run, reterr);
	if (!r)
		r = choose_interfaces(run, reterr);
	if (!r)
		r = check_interfaces(tx->m, run, reterr);
	if (!r)
		r = check_place(tx->m, run, reterr);
	if (r)
		return r;
	run->reservation = tx_random(tx);
	r = make_all(tx, run, ret, &n, reterr);
	if (!r)
		r = remember(tx, run, ret, n);
	if (!r)
		*ret_n = n;
	return r;
}

int instance_run(struct tx *tx, const struct caller *c, const struct instance_run_args *args,
		 const struct instance **ret, size_t *ret_n, struct refusal *reterr)
{
	struct run run = {.args = args, .caller = c};
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_run(tx, &run, ret, ret_n, reterr));
}
