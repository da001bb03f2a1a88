/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps in an instance's life.  See instance_edit.h.
 */
#include "model/instance_edit.h"

#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/interface_transfer.h"

enum instance_step { STEP_LOCATE, STEP_DETACH, STEP_FINISH };

int instance_enter(struct tx *tx, const struct instance *n, enum instance_state state,
		   uint32_t host, struct instance_reason reason, const struct instance **ret)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct instance *new;
	int r = tx_edit(tx, &n->o, &o);

	if (r)
		return r;
	new = (struct instance *)o;
	new->state = state;
	new->host = host;
	new->wait_revision = 0;
	if (state == INSTANCE_PENDING || state == INSTANCE_STOPPING ||
	    state == INSTANCE_SHUTTING_DOWN)
		new->wait_revision = tx->revision;
	if (state == INSTANCE_PENDING) {
		new->generation++;
		new->launched_ms = tx->now_ms;
	}
	if (state == INSTANCE_TERMINATED) {
		new->terminated_ms = tx->now_ms;
		new->private_addr = (struct ipaddr){{0}};
	}
	r = edit_string(&new->reason_code, reason.code);
	if (!r)
		r = edit_string(&new->reason, reason.text);
	if (!r)
		r = tx_put(tx, &n->o, &o);
	if (!r)
		*ret = new;
	return r;
}

static int step_attachment(struct tx *tx, enum instance_step step, const struct attachment *a,
			   uint32_t host, bool plugged)
{
	bool ends;
	int r;

	if (interface_is_transferred(a->of)) {
		r = interface_yield(tx, &a, step == STEP_FINISH);
		if (r || !a)
			return r;
	}
	/* one that other instances have lives on, whatever this attachment says */
	ends = a->delete_on_termination && interface_attachment_count(a->of) == 1;
	if (step == STEP_FINISH)
		return ends ? interface_end(tx, a->of) : interface_free_attachment(tx, a);
	if (a->state == ATTACHMENT_DETACHING)
		return 0;
	return step == STEP_DETACH ? interface_begin_detach(tx, a, false)
				   : interface_relocate(tx, a, host, plugged);
}

static int each_interface(struct tx *tx, const struct instance *n, enum instance_step step,
			  uint32_t host, bool plugged)
{
	struct model_iter it = model_iter_group(tx->m, REL_INSTANCE_INTERFACES, n->o.id);
	const struct object *o = model_iter_next(&it);
	uint32_t vni = 0;
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		uint32_t other = ((const struct interface *)o)->vni;

		/* in one network, but for interfaces of other accounts */
		if (vni && other != vni)
			r = network_refresh(tx, vni);
		vni = other;
		if (!r)
			r = step_attachment(
				tx, step,
				interface_attachment_to((const struct interface *)o, n->o.id), host,
				plugged);
		o = next;
	}
	return r || !vni ? r : network_refresh(tx, vni);
}

int instance_locate(struct tx *tx, const struct instance *n, uint32_t host, bool plugged)
{
	return each_interface(tx, n, STEP_LOCATE, host, plugged);
}

int instance_finish(struct tx *tx, const struct instance *n, const struct instance **ret)
{
	struct instance_reason reason = {n->reason_code, n->reason};
	int r = each_interface(tx, n, STEP_FINISH, 0, false);

	return r ? r : instance_enter(tx, n, INSTANCE_TERMINATED, 0, reason, ret);
}

int instance_begin_end(struct tx *tx, const struct instance *n, struct instance_reason reason,
		       const struct instance **ret)
{
	const struct instance *ending;
	int r = instance_enter(tx, n, INSTANCE_SHUTTING_DOWN, n->host, reason, &ending);

	if (!r && !n->host)
		return instance_finish(tx, ending, ret);
	if (!r)
		r = each_interface(tx, ending, STEP_DETACH, 0, false);
	if (!r)
		*ret = ending;
	return r;
}

int instance_stopped(struct tx *tx, const struct instance *n, struct instance_reason reason)
{
	const struct instance *new;
	int r = instance_enter(tx, n, INSTANCE_STOPPED, n->host, reason, &new);

	return r ? r : instance_locate(tx, new, new->host, false);
}

int instance_failed(struct tx *tx, const struct instance *n, const char *text)
{
	struct instance_reason reason = {"Server.InternalError", text ? text : "The host failed"};
	const struct instance *new;

	if (n->state == INSTANCE_PENDING && n->generation == 1)
		return instance_begin_end(tx, n, reason, &new);
	return instance_stopped(tx, n, reason);
}
