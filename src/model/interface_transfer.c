/* SPDX-License-Identifier: Apache-2.0 */
#include "model/interface_transfer.h"

#include "model/edit.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"

enum step { PREPARING, STOPPING, ARRIVING, BACK };

/* By their place: the first is the one that the interface had. */
enum { FIRST, SECOND };

bool interface_is_transferred(const struct interface *i)
{
	return i->n_others && !i->shared;
}

static const struct attachment *part(const struct interface *i, size_t place)
{
	return interface_attachment(i, place);
}

static struct attachment *part_of(struct interface *copy, size_t place)
{
	return place ? &copy->others[place - 1] : &copy->attachment;
}

static enum step step_of(const struct interface *i)
{
	if (part(i, SECOND)->state == ATTACHMENT_DETACHING)
		return BACK;
	if (part(i, FIRST)->state != ATTACHMENT_DETACHING)
		return PREPARING;
	return part(i, SECOND)->standby ? STOPPING : ARRIVING;
}

/* Where one that stands by is, beside one that is at 'other'; 0: nowhere. */
static uint32_t standby_host(const struct model *m, uint32_t host, uint32_t other)
{
	const struct host *h = host && host != other ? host_by_number(m, host) : NULL;

	return h && h->can.stands_by ? host : 0;
}

static bool runs(const struct instance *n)
{
	return n->state == INSTANCE_PENDING || n->state == INSTANCE_RUNNING;
}

static const struct instance *instance_of(const struct model *m, const struct attachment *a)
{
	return (const struct instance *)model_get(m, KIND_INSTANCE, a->instance);
}

/* ---- steps, on a copy that is to be put ---- */

/* 'to' is live, and 'from' stands by. */
static void arrive(struct tx *tx, struct interface *i, size_t from_place, size_t to_place)
{
	struct attachment *from = part_of(i, from_place), *to = part_of(i, to_place);
	const struct instance *n = instance_of(tx->m, to);

	interface_locate(i, from, from->standby ? from->host : 0, false, tx->revision);
	from->state = ATTACHMENT_DETACHING;
	from->standby = true;
	from->wait_revision = 0;
	interface_locate(i, to, n->host, runs(n), tx->revision);
	to->state = ATTACHMENT_ATTACHING;
	to->standby = false;
	to->wait_revision = tx->revision;
	/* where nobody acknowledges anything there is nothing to go back to either */
	if (!n->host || to_place == FIRST)
		interface_drop_attachment(i, from);
}

/* 'from' is to stand by, and then 'to' to be live. */
static void stop(struct tx *tx, struct interface *i, size_t from_place, size_t to_place)
{
	struct attachment *from = part_of(i, from_place), *to = part_of(i, to_place);
	const struct instance *n = instance_of(tx->m, to);

	from->standby = standby_host(tx->m, from->host, n->host);
	from->state = ATTACHMENT_DETACHING;
	from->wait_revision = tx->revision;
	to->state = ATTACHMENT_ATTACHING;
	to->standby = true;
	to->wait_revision = 0;
	if (!from->host)
		arrive(tx, i, from_place, to_place);
}

/* The second is gone before it was live: the first goes on. */
static void call_off(struct tx *tx, struct interface *i)
{
	struct attachment *first = part_of(i, FIRST);

	if (first->state == ATTACHMENT_DETACHING) {
		first->state = ATTACHMENT_ATTACHING;
		first->standby = false;
		first->wait_revision = tx->revision;
	}
	interface_drop_attachment(i, part_of(i, SECOND));
}

/* The first cannot be gone back to: it is gone, and the second leaves like any other. */
static void let_go(struct tx *tx, struct interface *i)
{
	struct attachment *second = part_of(i, SECOND);

	interface_locate(i, second, second->host, false, tx->revision);
	second->standby = false;
	second->wait_revision = tx->revision;
	interface_drop_attachment(i, part_of(i, FIRST));
}

/* ---- its beginning ---- */

int interface_check_transfer(const struct model *m, const struct caller *c,
			     const struct interface *i, uint64_t instance, struct refusal *reterr)
{
	const struct attachment *a = part(i, FIRST);
	const struct instance *n = instance_of(m, a);
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	object_id_text(&i->o, id);
	if (!n || i->managed_by || a->instance == instance)
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, id);
	if (interface_is_transferred(i))
		return refuse(reterr, MODEL_E_INTERFACE_STATE, id, "going to another instance");
	if (i->condition != INTERFACE_NORMAL)
		return refuse(reterr, MODEL_E_INTERFACE_STATE, id,
			      interface_condition_text(i->condition));
	if (!a->device_index)
		return refuse(reterr, MODEL_E_DEVICE_INDEX_PRIMARY,
			      id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, other));
	if (a->state != ATTACHMENT_ATTACHED)
		return refuse(reterr, MODEL_E_INTERFACE_STATE, id, attachment_state_text(a->state));
	if (!instance_can_change(n))
		return refuse(reterr, MODEL_E_INSTANCE_ATTACH_STATE, object_id_text(&n->o, other),
			      instance_state_text(n->state));
	return interface_check_detach(m, a, c, reterr);
}

int interface_begin_transfer(struct tx *tx, const struct interface *i, const struct instance *n,
			     uint32_t device_index, uint64_t *ret_id)
{
	struct interface *copy;
	struct attachment *second;
	int r = interface_edit_attached(tx, i, n->o.id, device_index, &copy, &second);

	if (r)
		return r;
	*ret_id = second->id;
	second->standby = true;
	second->host = standby_host(tx->m, n->host, part(copy, FIRST)->host);
	if (!second->host)
		stop(tx, copy, FIRST, SECOND);
	return TX_PUT(tx, i, &copy);
}

/* ---- and how it goes on ---- */

/* False: nothing follows. */
static bool acknowledge(struct tx *tx, struct interface *i, const struct attachment *a, bool failed)
{
	const bool is_second = a->id == part(i, SECOND)->id;

	switch (step_of(i)) {
	case PREPARING:
		if (!is_second)
			return false;
		if (failed)
			call_off(tx, i);
		else
			stop(tx, i, FIRST, SECOND);
		return true;
	case STOPPING:
		/* one that was to stand by and failed is off the network */
		if (is_second || (failed && !a->standby))
			return false;
		arrive(tx, i, FIRST, SECOND);
		return true;
	case ARRIVING:
		if (!is_second)
			return false;
		if (failed) {
			stop(tx, i, SECOND, FIRST);
			return true;
		}
		part_of(i, SECOND)->state = ATTACHMENT_ATTACHED;
		part_of(i, SECOND)->wait_revision = 0;
		interface_drop_attachment(i, part_of(i, FIRST));
		return true;
	case BACK:
		if (!is_second || (failed && !a->standby))
			return false;
		arrive(tx, i, SECOND, FIRST);
		return true;
	}
	return false;
}

int interface_acknowledge_transfer(struct tx *tx, const struct attachment *a, bool failed)
{
	const struct interface *i = a->of;
	uint32_t vni = i->vni;
	struct interface *copy = NULL;
	int r;

	if (!a->wait_revision)
		return 0;
	r = TX_EDIT(tx, i, &copy);
	if (r)
		return r;
	if (!acknowledge(tx, copy, a, failed)) {
		record_free(&copy->o);
		return 0;
	}
	r = TX_PUT(tx, i, &copy);
	return r ? r : network_refresh(tx, vni);
}

/* ---- something else happens ---- */

/* True: 'a' is as any other from now on, if it is there. */
static bool yield(struct tx *tx, struct interface *i, bool is_second, bool gone)
{
	switch (step_of(i)) {
	case PREPARING:
		call_off(tx, i);
		return true;
	case STOPPING:
		if (is_second) {
			call_off(tx, i);
			return true;
		}
		if (!gone)
			return false;
		part_of(i, FIRST)->standby = false;
		arrive(tx, i, FIRST, SECOND);
		if (i->n_others)
			interface_drop_attachment(i, part_of(i, FIRST));
		return true;
	case ARRIVING:
		interface_drop_attachment(i, part_of(i, FIRST));
		return true;
	case BACK:
		if (!is_second)
			let_go(tx, i);
		else if (gone)
			arrive(tx, i, SECOND, FIRST);
		return !is_second || gone;
	}
	return false;
}

int interface_yield(struct tx *tx, const struct attachment **a, bool gone)
{
	const uint64_t id = (*a)->id;
	const struct interface *i = (*a)->of;
	struct interface *copy = NULL;
	uint32_t vni = i->vni;
	int r = TX_EDIT(tx, i, &copy);

	if (r)
		return r;
	*a = NULL;
	if (!yield(tx, copy, id == part(i, SECOND)->id, gone)) {
		record_free(&copy->o);
		return 0;
	}
	r = TX_PUT(tx, i, &copy);
	if (!r)
		r = network_refresh(tx, vni);
	if (!r)
		*a = attachment_find(tx->m, id);
	return r;
}

const struct attachment *interface_lost_target(struct model *m, const struct interface *i,
					       uint64_t now_ms)
{
	const struct attachment *target;

	if (!interface_is_transferred(i))
		return NULL;
	target = part(i, step_of(i) == BACK ? FIRST : SECOND);
	return target->standby && target->host && host_is_lost(m, target->host, now_ms) ? target
											: NULL;
}
