/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when a host has applied a revision.  See host.h.
 */
#include "base/str.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/instance_edit.h"
#include "model/interface_edit.h"
#include "model/interface_transfer.h"
#include "model/nat_gateway_edit.h"
#include "model/pair_shift.h"
#include "model/release_edit.h"

static const struct host_failure *failure_of(const struct host_failure *failed, size_t n,
					     enum kind k, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (failed[i].kind == k && failed[i].id == id)
			return &failed[i];
	return NULL;
}

bool host_instance_is_pending(const struct host_failure *failed, size_t n_failed, uint64_t instance)
{
	for (size_t i = 0; i < n_failed; i++)
		if (failed[i].kind == KIND_INSTANCE && failed[i].id == instance && !failed[i].text)
			return true;
	return false;
}

/* A failure of the instance, or of an interface that it needs. */
static const struct host_failure *instance_failure(const struct model *m, const struct instance *n,
						   const struct host_failure *failed,
						   size_t n_failed)
{
	const struct host_failure *f = failure_of(failed, n_failed, KIND_INSTANCE, n->o.id);
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, n->o.id);
	const struct object *o;

	while (n_failed && !f && (o = model_iter_next(&it)))
		f = failure_of(failed, n_failed, KIND_INTERFACE, o->id);
	return f;
}

static int acknowledge_instance(struct tx *tx, const struct instance *n,
				const struct host_failure *failure)
{
	struct instance_reason reason = {n->reason_code, n->reason};
	const struct instance *new;

	switch (n->state) {
	case INSTANCE_PENDING:
		if (failure)
			return instance_failed(tx, n, failure->text);
		return instance_enter(tx, n, INSTANCE_RUNNING, n->host,
				      (struct instance_reason){NULL, NULL}, &new);
	case INSTANCE_STOPPING:
		/* a host that could not stop it still runs it: its word is needed */
		return failure ? 0 : instance_stopped(tx, n, reason);
	case INSTANCE_SHUTTING_DOWN:
		return failure ? 0 : instance_finish(tx, n, &new);
	default:
		return 0;
	}
}

static int acknowledge_instances(struct tx *tx, uint32_t number, uint64_t revision,
				 const struct host_failure *failed, size_t n_failed)
{
	struct model_iter it = model_iter_group(tx->m, REL_HOST_WAITING_INSTANCES, number);
	const struct object *o = model_iter_next(&it);

	while (o) {
		const struct object *next = model_iter_next(&it);
		const struct instance *n = (const struct instance *)o;
		int r = 0;

		if (n->wait_revision <= revision &&
		    !host_instance_is_pending(failed, n_failed, n->o.id))
			r = acknowledge_instance(tx, n,
						 instance_failure(tx->m, n, failed, n_failed));
		if (r)
			return r;
		o = next;
	}
	return 0;
}

/* Attached to a running instance, and its host cannot: as if it had not been asked for.  A shared
 * one may have what it was given at its other hosts. */
static int attachment_failed(struct tx *tx, const struct attachment *a)
{
	uint64_t id = a->id;
	int r = a->of->shared ? 0 : release_turn_all_back(tx, a->of->o.id);

	return r ? r : interface_begin_detach(tx, attachment_find(tx->m, id), true);
}

static int acknowledge_attachment(struct tx *tx, const struct attachment *a, bool failed)
{
	const struct instance *n =
		(const struct instance *)model_get(tx->m, KIND_INSTANCE, a->instance);

	/* it goes with its instance */
	if (n->state == INSTANCE_SHUTTING_DOWN)
		return 0;
	if (interface_is_transferred(a->of))
		return failed && a->state != ATTACHMENT_DETACHING && n->state != INSTANCE_RUNNING
			       ? 0
			       : interface_acknowledge_transfer(tx, a, failed);
	if (a->state == ATTACHMENT_DETACHING)
		return failed ? 0 : interface_free_attachment(tx, a);
	if (!failed)
		return interface_confirm_attach(tx, a);
	return n->state == INSTANCE_RUNNING ? attachment_failed(tx, a) : 0;
}

static int acknowledge_interfaces(struct tx *tx, uint32_t number, uint64_t revision,
				  const struct host_failure *failed, size_t n_failed)
{
	struct model_iter it = model_iter_group(tx->m, REL_HOST_WAITING_INTERFACES, number);
	const struct object *o = model_iter_next(&it);

	while (o) {
		const struct object *next = model_iter_next(&it);
		const struct attachment *a =
			interface_attachment_at((const struct interface *)o, number);
		int r = 0;

		/* What it is to have no more is off the network at once, whatever its node still
		 * needs to let the device go. */
		if (a->wait_revision <= revision &&
		    (a->state == ATTACHMENT_DETACHING ||
		     !host_instance_is_pending(failed, n_failed, a->instance)))
			r = acknowledge_attachment(
				tx, a, failure_of(failed, n_failed, KIND_INTERFACE, o->id));
		if (r)
			return r;
		o = next;
	}
	return 0;
}

static int do_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
			  const struct host_failure *failed, size_t n_failed, size_t *max)
{
	int r = acknowledge_instances(tx, number, revision, failed, n_failed);

	if (!r)
		r = acknowledge_interfaces(tx, number, revision, failed, n_failed);
	if (!r)
		r = release_acknowledge(tx, number, revision, failed, n_failed);
	if (!r)
		r = pair_shift_acknowledge(tx, number, revision, failed, n_failed, max);
	return r ? r : nat_gateway_acknowledge(tx, number, revision, failed, n_failed);
}

int host_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
		     const struct host_failure *failed, size_t n_failed, struct refusal *reterr)
{
	size_t max = SIZE_MAX;

	return host_acknowledge_some(tx, number, revision, failed, n_failed, &max, reterr);
}

int host_acknowledge_some(struct tx *tx, uint32_t number, uint64_t revision,
			  const struct host_failure *failed, size_t n_failed, size_t *max,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	char text[16];

	if (!host_by_number(tx->m, number)) {
		if (str_format(text, sizeof(text), "%u", number))
			return -EINVAL;
		return refuse(reterr, MODEL_E_HOST_NOT_FOUND, text);
	}
	return tx_settle(tx, mark, do_acknowledge(tx, number, revision, failed, n_failed, max));
}

bool host_waits_for_objects(const struct model *m, uint32_t number, uint64_t revision)
{
	struct model_iter instances = model_iter_group(m, REL_HOST_WAITING_INSTANCES, number);
	struct model_iter interfaces = model_iter_group(m, REL_HOST_WAITING_INTERFACES, number);
	const struct object *o;

	while ((o = model_iter_next(&instances)))
		if (((const struct instance *)o)->wait_revision <= revision)
			return true;
	while ((o = model_iter_next(&interfaces)))
		if (interface_attachment_at((const struct interface *)o, number)->wait_revision <=
		    revision)
			return true;
	return release_host_waits(m, number, revision) || nat_gateway_waits(m, number, revision);
}

bool host_waits(const struct model *m, uint32_t number, uint64_t revision)
{
	return host_waits_for_objects(m, number, revision) || pair_shift_waits(m, number, revision);
}
