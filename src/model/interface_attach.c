/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching interfaces to instances, and detaching them.  See interface.h.
 */
#include <stdio.h>

#include "base/str.h"
#include "model/edit.h"
#include "model/instance.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/interface_transfer.h"

static int check_room(const struct model *m, const struct instance *n,
		      const struct interface_attach_args *args, struct refusal *reterr)
{
	const struct instance_type *t = instance_type_find(n->type);
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, n->o.id);
	const struct object *o;
	char text[16];
	size_t count = 0;

	for (; (o = model_iter_next(&it)); count++) {
		if (interface_attachment_to((const struct interface *)o, n->o.id)->device_index !=
		    args->device_index)
			continue;
		snprintf(text, sizeof(text), "%u", args->device_index);
		return refuse(reterr, MODEL_E_DEVICE_INDEX_IN_USE, args->instance_id, text);
	}
	if (t && (count >= t->interfaces || args->device_index >= t->interfaces)) {
		snprintf(text, sizeof(text), "%u", t->interfaces);
		return refuse(reterr, MODEL_E_ATTACHMENT_LIMIT, text, n->type);
	}
	if (n->host && !host_has_port(m, n->host))
		return refuse(reterr, MODEL_E_NO_PORT, args->instance_id);
	return 0;
}

/* It comes from another instance. */
static bool goes_over(const struct interface *i, const struct interface_attach_args *args)
{
	return args->allow_reassignment && !i->shared && interface_attachment_count(i);
}

static int check_attach(const struct model *m, const struct caller *c, const struct interface *i,
			const struct instance *n, const struct interface_attach_args *args,
			struct refusal *reterr)
{
	const struct subnet *s = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	int r = goes_over(i, args) ? interface_check_transfer(m, c, i, n->o.id, reterr)
				   : interface_check_free(i, n->o.id, args->interface_id, reterr);

	if (r)
		return r;
	if (!instance_can_change(n))
		return refuse(reterr, MODEL_E_INSTANCE_ATTACH_STATE, args->instance_id,
			      instance_state_text(n->state));
	if (i->shared && interface_attachment_at(i, n->host))
		return refuse(reterr, MODEL_E_INTERFACE_ON_HOST, args->interface_id,
			      args->instance_id);
	/* an operator does it for the instance's owner, who needs the right himself */
	r = interface_check_right(m, i, &(struct caller){.account = n->o.account}, INTERFACE_ATTACH,
				  reterr);
	if (r)
		return r;
	if (n->vpc != i->vpc && n->o.account == i->o.account)
		return refuse(reterr, MODEL_E_VPC_SUBNET_MISMATCH, args->instance_id,
			      args->interface_id);
	if (!str_equal(s->zone, n->zone))
		return refuse(reterr, MODEL_E_ZONE_MISMATCH, args->instance_id, args->interface_id);
	return check_room(m, n, args, reterr);
}

static int attach(struct tx *tx, const struct interface *i, const struct instance *n,
		  uint32_t device_index, uint64_t *ret_id)
{
	struct interface *new;
	struct attachment *a;
	int r = interface_edit_attached(tx, i, n->o.id, device_index, &new, &a);

	if (r)
		return r;
	*ret_id = a->id;
	interface_locate(new, a, n->host, n->state == INSTANCE_RUNNING, tx->revision);
	return TX_PUT(tx, i, &new);
}

static int do_attach(struct tx *tx, const struct caller *c,
		     const struct interface_attach_args *args, const struct attachment **ret,
		     struct refusal *reterr)
{
	const struct interface *i;
	const struct instance *n;
	uint32_t vni;
	uint64_t id;
	int r = interface_find_for(tx->m, c, args->interface_id, INTERFACE_ATTACH, &i, reterr);

	if (!r)
		r = instance_find(tx->m, c, args->instance_id, &n, reterr);
	if (!r)
		r = check_attach(tx->m, c, i, n, args, reterr);
	if (r)
		return r;
	vni = i->vni;
	r = goes_over(i, args) ? interface_begin_transfer(tx, i, n, args->device_index, &id)
			       : attach(tx, i, n, args->device_index, &id);
	if (!r)
		r = network_refresh(tx, vni);
	if (!r)
		*ret = attachment_find(tx->m, id);
	return r;
}

int interface_attach(struct tx *tx, const struct caller *c,
		     const struct interface_attach_args *args, const struct attachment **ret,
		     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_attach(tx, c, args, ret, reterr));
}

static int do_detach(struct tx *tx, const struct caller *c, const char *attachment_id, bool force,
		     struct refusal *reterr)
{
	const struct attachment *a = NULL;
	const struct interface *i;
	const struct instance *n;
	char id_text_buf[ID_TEXT_SIZE];
	uint32_t vni;
	uint64_t id;
	int r;

	if (!id_parse_prefixed(ID_PREFIX_ATTACHMENT, attachment_id, &id))
		a = attachment_find(tx->m, id);
	i = a ? a->of : NULL;
	if (!i || !interface_permits(tx->m, i, c, INTERFACE_SEE))
		return refuse(reterr, MODEL_E_ATTACHMENT_NOT_FOUND, attachment_id);
	r = interface_check_detach(tx->m, a, c, reterr);
	if (r)
		return r;
	if (attachment_is_foreign(a))
		return c->is_operator ? interface_take_off(tx, a)
				      : refuse(reterr, MODEL_E_NOT_PERMITTED,
					       "An operator takes an interface off a foreign host");
	n = (const struct instance *)model_get(tx->m, KIND_INSTANCE, a->instance);
	if (!a->device_index)
		return refuse(reterr, MODEL_E_DEVICE_INDEX_PRIMARY, attachment_id);
	vni = i->vni;
	/* one that goes over: what is on its way out stays on it, unless an operator says that it
	 * is out */
	if (interface_is_transferred(i) &&
	    (a->state != ATTACHMENT_DETACHING || !a->wait_revision || (force && c->is_operator))) {
		r = interface_yield(tx, &a, force && c->is_operator);
		if (r || !a)
			return r;
		i = a->of;
	}
	if (force && c->is_operator)
		return interface_free_attachment(tx, a);
	if (a->state == ATTACHMENT_DETACHING && force)
		return 0;
	if (a->state == ATTACHMENT_DETACHING)
		return refuse(reterr, MODEL_E_INTERFACE_STATE, object_id_text(&i->o, id_text_buf),
			      attachment_state_text(a->state));
	if (!instance_can_change(n))
		return refuse(reterr, MODEL_E_INSTANCE_ATTACH_STATE,
			      object_id_text(&n->o, id_text_buf), instance_state_text(n->state));
	r = interface_begin_detach(tx, a, true);
	return r ? r : network_refresh(tx, vni);
}

int interface_detach(struct tx *tx, const struct caller *c, const char *attachment_id, bool force,
		     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_detach(tx, c, attachment_id, force, reterr));
}
