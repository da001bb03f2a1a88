/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: starting, stopping, ending, changing, and finding them.  See instance.h; making them
 * is in instance_run.c.
 */
#include "model/instance.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/instance_edit.h"
#include "model/placement_edit.h"

enum { ID_DIGITS_SHORT = 8, ID_DIGITS_LONG = 17 };

const char *instance_state_text(enum instance_state s)
{
	switch (s) {
	case INSTANCE_PENDING:
		return "pending";
	case INSTANCE_RUNNING:
		return "running";
	case INSTANCE_SHUTTING_DOWN:
		return "shutting-down";
	case INSTANCE_TERMINATED:
		return "terminated";
	case INSTANCE_STOPPING:
		return "stopping";
	case INSTANCE_STOPPED:
		return "stopped";
	}
	return NULL;
}

bool instance_can_change(const struct instance *n)
{
	return n->state == INSTANCE_RUNNING || n->state == INSTANCE_STOPPED;
}

static const struct instance_type types[] = {
#define INSTANCE_TYPE(name, vcpus, memory, interfaces, addresses, bandwidth)                       \
	{name, vcpus, memory, interfaces, addresses, bandwidth},
#include "model/instance_type.def"
#undef INSTANCE_TYPE
};

const struct instance_type *instance_types(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(types);
	return types;
}

const struct instance_type *instance_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_equal(types[i].name, name))
			return &types[i];
	return NULL;
}

/* EC2 tells an id that cannot be one from an id that is not there. */
static bool is_malformed(const char *id)
{
	size_t prefix = strlen(kind_prefix(KIND_INSTANCE));
	size_t length = strlen(id);

	if (!str_has_prefix(id, kind_prefix(KIND_INSTANCE)) ||
	    (length - prefix != ID_DIGITS_SHORT && length - prefix != ID_DIGITS_LONG))
		return true;
	for (const char *s = id + prefix; *s; s++)
		if (!isxdigit((unsigned char)*s))
			return true;
	return false;
}

static const struct instance *look_up(const struct model *m, const struct caller *c, const char *id)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_INSTANCE, id, &number))
		o = model_get(m, KIND_INSTANCE, number);
	return o && caller_sees(c, o) ? (const struct instance *)o : NULL;
}

int instance_find(const struct model *m, const struct caller *c, const char *id,
		  const struct instance **ret, struct refusal *reterr)
{
	const struct instance *n = look_up(m, c, id);

	if (!n && is_malformed(id))
		return refuse(reterr, MODEL_E_INSTANCE_MALFORMED, id);
	if (!n)
		return refuse(reterr, MODEL_E_INSTANCE_NOT_FOUND, id);
	*ret = n;
	return 0;
}

/* All ids that are not there, in one refusal, as EC2 does. */
static int check_ids(const struct model *m, const struct caller *c, const char *const *ids,
		     size_t n, struct refusal *reterr)
{
	char missing[REFUSAL_MESSAGE_SIZE / 2] = "";
	const struct instance *instance;
	size_t n_missing = 0, used = 0;

	for (size_t i = 0; i < n; i++) {
		int r = instance_find(m, c, ids[i], &instance, reterr);

		if (r && r != MODEL_E_INSTANCE_NOT_FOUND)
			return r;
		if (!r)
			continue;
		n_missing++;
		if (used + strlen(ids[i]) + sizeof(", ") > sizeof(missing))
			continue;
		used += (size_t)(stpcpy(missing + used, used ? ", " : "") - (missing + used));
		used += (size_t)(stpcpy(missing + used, ids[i]) - (missing + used));
	}
	if (!n)
		return refuse(reterr, MODEL_E_MISSING, "InstanceId");
	if (n_missing == 1)
		return refuse(reterr, MODEL_E_INSTANCE_NOT_FOUND, missing);
	return n_missing ? refuse(reterr, MODEL_E_INSTANCES_NOT_FOUND, missing) : 0;
}

/* ---- transitions asked for by customers ---- */

typedef int (*step_fn)(struct tx *tx, const struct instance *n, const char *id,
		       const struct instance **ret, struct refusal *reterr);

static int each(struct tx *tx, const struct caller *c, const char *const *ids, size_t n,
		step_fn step, struct instance_transition *ret, struct refusal *reterr)
{
	_cleanup_free_ struct instance_transition *results = calloc(n + 1, sizeof(*results));
	size_t mark = tx_mark(tx);
	int r = results ? check_ids(tx->m, c, ids, n, reterr) : -ENOMEM;

	for (size_t i = 0; i < n && !r; i++) {
		const struct instance *old = look_up(tx->m, c, ids[i]);

		results[i] = (struct instance_transition){old, old->state};
		r = step(tx, old, ids[i], &results[i].instance, reterr);
	}
	/* a later step may have replaced an instance that was named twice */
	for (size_t i = 0; i < n && !r; i++)
		results[i].instance = look_up(tx->m, c, ids[i]);
	if (!r && ret)
		memcpy(ret, results, n * sizeof(*results));
	return tx_settle(tx, mark, r);
}

/* Its own host if that will do, else another. */
static int place_again(struct tx *tx, const struct instance *n, struct placement_choice *ret,
		       struct refusal *reterr)
{
	struct placement_request where = {
		.account = n->o.account,
		.zone = n->zone,
		.what = n->type,
		.group = (const struct placement_group *)model_get(tx->m, KIND_PLACEMENT_GROUP,
								   n->placement_group),
		.partition = n->partition,
		.together = 1,
		.again = n,
	};
	struct model_iter it = model_iter_group(tx->m, REL_INSTANCE_INTERFACES, n->o.id);
	size_t n_interfaces = model_group_count(tx->m, REL_INSTANCE_INTERFACES, n->o.id);
	_cleanup_free_ uint64_t *shared = calloc(n_interfaces + 1, sizeof(*shared));
	const struct object *o;
	int r;

	if (!shared)
		return -ENOMEM;
	while ((o = model_iter_next(&it)))
		if (((const struct interface *)o)->shared)
			shared[where.n_shared++] = o->id;
	where.shared = shared;
	placement_needs(instance_type_find(n->type), n_interfaces, where.needs);
	r = placement_read_tags(&where, &n->o, reterr);
	if (!r && where.group)
		r = placement_group_admit(tx->m, where.group, n->zone, reterr);
	if (!r)
		r = placement_choose(tx->m, &where, ret, reterr);
	return r ? r : placement_done(tx, &where, ret->host->number);
}

/* The partition that was chosen for an instance that had none. */
static int set_partition(struct tx *tx, const struct instance *n, uint32_t partition,
			 const struct instance **ret)
{
	struct instance *new = NULL;
	int r;

	*ret = n;
	if (n->partition == partition)
		return 0;
	r = TX_EDIT(tx, n, &new);
	if (r)
		return r;
	new->partition = partition;
	*ret = new;
	return TX_PUT(tx, n, &new);
}

static int start_one(struct tx *tx, const struct instance *n, const char *id,
		     const struct instance **ret, struct refusal *reterr)
{
	struct placement_choice where;
	uint32_t number;
	int r;

	if (n->state == INSTANCE_RUNNING || n->state == INSTANCE_PENDING)
		return 0;
	if (n->state != INSTANCE_STOPPED)
		return refuse(reterr, MODEL_E_INSTANCE_STATE, id, "started");
	r = place_again(tx, n, &where, reterr);
	if (r)
		return r;
	number = where.host->number;
	r = set_partition(tx, n, where.partition, &n);
	if (!r)
		r = instance_enter(tx, n, INSTANCE_PENDING, number,
				   (struct instance_reason){NULL, NULL}, ret);
	return r ? r : instance_locate(tx, *ret, number, true);
}

int instance_start(struct tx *tx, const struct caller *c, const char *const *ids, size_t n,
		   struct instance_transition *ret, struct refusal *reterr)
{
	return each(tx, c, ids, n, start_one, ret, reterr);
}

static int stop_one(struct tx *tx, const struct instance *n, const char *id,
		    const struct instance **ret, struct refusal *reterr)
{
	struct instance_reason reason = {"Client.UserInitiatedShutdown",
					 "Client.UserInitiatedShutdown: User initiated shutdown"};
	int r;

	if (n->disable_api_stop)
		return refuse(reterr, MODEL_E_STOP_PROTECTED, id);
	if (n->state == INSTANCE_STOPPED || n->state == INSTANCE_STOPPING)
		return 0;
	if (n->state != INSTANCE_RUNNING)
		return refuse(reterr, MODEL_E_INSTANCE_STATE, id, "stopped");
	r = instance_enter(tx, n, INSTANCE_STOPPING, n->host, reason, ret);
	return r ? r : instance_locate(tx, *ret, n->host, false);
}

int instance_stop(struct tx *tx, const struct caller *c, const char *const *ids, size_t n,
		  struct instance_transition *ret, struct refusal *reterr)
{
	return each(tx, c, ids, n, stop_one, ret, reterr);
}

static int terminate_one(struct tx *tx, const struct instance *n, const char *id,
			 const struct instance **ret, struct refusal *reterr)
{
	struct instance_reason reason = {"Client.UserInitiatedShutdown",
					 "Client.UserInitiatedShutdown: User initiated shutdown"};

	if (n->state == INSTANCE_SHUTTING_DOWN || n->state == INSTANCE_TERMINATED)
		return 0;
	if (n->disable_api_termination)
		return refuse(reterr, MODEL_E_TERMINATION_PROTECTED, id);
	return instance_begin_end(tx, n, reason, ret);
}

int instance_terminate(struct tx *tx, const struct caller *c, const char *const *ids, size_t n,
		       struct instance_transition *ret, struct refusal *reterr)
{
	return each(tx, c, ids, n, terminate_one, ret, reterr);
}

/* A new generation of a running instance: the host starts its node again. */
static int reboot_one(struct tx *tx, const struct instance *n, const char *id,
		      const struct instance **ret, struct refusal *reterr)
{
	struct instance *new = NULL;
	int r;

	if (n->state != INSTANCE_RUNNING)
		return refuse(reterr, MODEL_E_INSTANCE_STATE, id, "rebooted");
	r = TX_EDIT(tx, n, &new);
	if (r)
		return r;
	new->generation++;
	*ret = new;
	return TX_PUT(tx, n, &new);
}

int instance_reboot(struct tx *tx, const struct caller *c, const char *const *ids, size_t n,
		    struct refusal *reterr)
{
	return each(tx, c, ids, n, reboot_one, NULL, reterr);
}

/* ---- attributes ---- */

int instance_only_interface(const struct model *m, const struct instance *n, const char *id,
			    const char *what, const struct interface **ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, n->o.id);
	const struct interface *i = (const struct interface *)model_iter_next(&it);

	if (!i)
		return refuse(reterr, MODEL_E_INSTANCE_STATE, id, what);
	if (model_iter_next(&it))
		return refuse(reterr, MODEL_E_INSTANCE_INTERFACES, id);
	*ret = i;
	return 0;
}

static int modify_only_interface(struct tx *tx, const struct caller *c, const struct instance *n,
				 const struct instance_modify_args *args, struct refusal *reterr)
{
	const struct interface *i;
	char id[ID_TEXT_SIZE];
	struct interface_modify_args change = {
		.interface_id = id,
		.source_dest_check = args->source_dest_check,
		.groups = args->groups,
		.n_groups = args->n_groups,
	};
	int r = instance_only_interface(tx->m, n, args->instance_id, "modified", &i, reterr);

	if (r)
		return r;
	object_id_text(&i->o, id);
	return interface_modify(tx, c, &change, reterr);
}

static int check_modify(const struct instance *n, const struct instance_modify_args *args,
			struct refusal *reterr)
{
	if (n->state == INSTANCE_SHUTTING_DOWN || n->state == INSTANCE_TERMINATED)
		return refuse(reterr, MODEL_E_INSTANCE_STATE, args->instance_id, "modified");
	if ((args->type || args->user_data) && n->state != INSTANCE_STOPPED)
		return refuse(reterr, MODEL_E_INSTANCE_NOT_STOPPED, args->instance_id);
	if (args->type && !instance_type_find(args->type))
		return refuse(reterr, MODEL_E_INSTANCE_TYPE_UNKNOWN, args->type);
	if (args->user_data && strlen(args->user_data) > LIMIT_MODEL_USER_DATA)
		return refuse(reterr, MODEL_E_VALUE, "...", "userData",
			      "User data is limited to 16384 bytes.");
	return 0;
}

static int do_modify(struct tx *tx, const struct caller *c, const struct instance *old,
		     const struct instance_modify_args *args, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct instance *new;
	int r = check_modify(old, args, reterr);

	if (!r && (args->source_dest_check || args->n_groups))
		r = modify_only_interface(tx, c, old, args, reterr);
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct instance *)o;
	if (args->disable_api_termination)
		new->disable_api_termination = *args->disable_api_termination;
	if (args->disable_api_stop)
		new->disable_api_stop = *args->disable_api_stop;
	if (args->terminate_on_shutdown)
		new->terminate_on_shutdown = *args->terminate_on_shutdown;
	if (args->type)
		r = edit_string(&new->type, args->type);
	if (!r && args->user_data)
		r = edit_string(&new->user_data, args->user_data);
	if (r || record_equal(&old->o, o))
		return r;
	return tx_put(tx, &old->o, &o);
}

int instance_modify(struct tx *tx, const struct caller *c, const struct instance_modify_args *args,
		    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct instance *n;
	int r = instance_find(tx->m, c, args->instance_id, &n, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, c, n, args, reterr));
}

/* ---- reports of hosts ---- */

static int do_report(struct tx *tx, const struct instance *n, enum instance_report_state state,
		     const char *text)
{
	struct instance_reason reason = {
		"Client.InstanceInitiatedShutdown",
		"Client.InstanceInitiatedShutdown: Instance initiated shutdown"};
	const struct instance *new;

	if (state == INSTANCE_REPORT_FAILED || n->state == INSTANCE_PENDING)
		return instance_failed(tx, n, text);
	if (n->terminate_on_shutdown && n->state == INSTANCE_RUNNING)
		return instance_begin_end(tx, n, reason, &new);
	if (n->state == INSTANCE_STOPPING)
		reason = (struct instance_reason){n->reason_code, n->reason};
	return instance_stopped(tx, n, reason);
}

int instance_report(struct tx *tx, uint32_t host, uint64_t id, uint64_t generation,
		    enum instance_report_state state, const char *text)
{
	const struct instance *n = (const struct instance *)model_get(tx->m, KIND_INSTANCE, id);
	size_t mark = tx_mark(tx);

	if (!n || n->host != host || n->generation != generation ||
	    state == INSTANCE_REPORT_RUNNING)
		return 0;
	if (n->state != INSTANCE_PENDING && n->state != INSTANCE_RUNNING &&
	    n->state != INSTANCE_STOPPING)
		return 0;
	return tx_settle(tx, mark, do_report(tx, n, state, text));
}
