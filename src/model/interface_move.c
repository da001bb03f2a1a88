/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private address goes to an interface, or to an instance that gets an interface for it.  See
 * interface.h.
 */
#include <stdio.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/instance.h"
#include "model/interface_rights.h"
#include "model/subnet.h"

/* The instance's interface in the subnet; NULL: none. */
static const struct interface *interface_in(const struct model *m, const struct instance *n,
					    const struct subnet *s)
{
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, n->o.id);
	const struct interface *i;

	while ((i = (const struct interface *)model_iter_next(&it)))
		if (i->subnet == s->o.id &&
		    interface_attachment_to(i, n->o.id)->state != ATTACHMENT_DETACHING)
			return i;
	return NULL;
}

/* The first device index that no interface of the instance has. */
static uint32_t free_index(const struct model *m, const struct instance *n)
{
	uint32_t index = 0;
	bool taken;

	do {
		struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, n->o.id);
		const struct interface *i;

		taken = false;
		while ((i = (const struct interface *)model_iter_next(&it)))
			if (interface_attachment_to(i, n->o.id)->device_index == index)
				taken = true;
	} while (taken && ++index);
	return index;
}

/* A new interface, in the groups of the address's present holder if it has one. */
static int make(struct tx *tx, const struct caller *c, const struct interface_move_args *args,
		const struct interface *holder, bool v6, const struct interface **ret,
		struct refusal *reterr)
{
	char groups[LIMIT_MODEL_INTERFACE_GROUPS][ID_TEXT_SIZE], description[96];
	const char *ids[LIMIT_MODEL_INTERFACE_GROUPS];
	const uint32_t none = 0;
	struct interface_create_args create = {
		.subnet_id = args->subnet_id,
		.description = description,
		/* an address that nobody has is simply its own */
		.private_ip = holder || v6 ? NULL : args->addr,
		.count6 = v6 ? &none : NULL,
		.groups = ids,
	};

	for (size_t k = 0; holder && k < holder->n_groups; k++)
		ids[create.n_groups++] =
			id_text(KIND_SECURITY_GROUP, holder->groups[k].id, groups[k]);
	snprintf(description, sizeof(description), "made for %.60s", args->addr);
	return interface_create(tx, c, &create, ret, reterr);
}

static int make_attached(struct tx *tx, const struct caller *c,
			 const struct interface_move_args *args, const struct instance *n,
			 const struct interface *holder, bool v6, const struct interface **ret,
			 struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	struct interface_attach_args attach = {
		.interface_id = id,
		.instance_id = args->instance_id,
		.device_index = free_index(tx->m, n),
	};
	const struct attachment *a;
	int r = make(tx, c, args, holder, v6, ret, reterr);

	if (r)
		return r;
	object_id_text(&(*ret)->o, id);
	r = interface_attach(tx, c, &attach, &a, reterr);
	if (!r)
		*ret = a->of;
	return r;
}

/* Whose interface it is to be; made when there is none. */
static int find_target(struct tx *tx, const struct caller *c,
		       const struct interface_move_args *args, const struct subnet *s,
		       const struct ipaddr *addr, const struct interface **ret, bool *ret_made,
		       struct refusal *reterr)
{
	const struct interface *holder = interface_by_addr(tx->m, s->vni, addr);
	/* an operator does it for the network's owner */
	const struct caller owner = {.account = s->o.account};
	const struct caller *maker = c->is_operator ? &owner : c;
	const struct instance *n;
	char id[ID_TEXT_SIZE];
	int r;

	*ret_made = false;
	if (args->interface_id) {
		r = interface_find_for(tx->m, c, args->interface_id, INTERFACE_SET, ret, reterr);
		return r || (*ret)->subnet == s->o.id
			       ? r
			       : refuse(reterr, MODEL_E_ADDRESS_OUTSIDE, args->addr);
	}
	if (args->instance_id) {
		r = instance_find(tx->m, c, args->instance_id, &n, reterr);
		if (r)
			return r;
		*ret = interface_in(tx->m, n, s);
		if (*ret)
			return interface_check_right(tx->m, *ret, c, INTERFACE_SET, reterr);
	}
	if (holder && !interface_permits(tx->m, holder, c, INTERFACE_SET))
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, args->addr);
	if (holder && !args->allow_reassignment)
		return refuse(reterr, MODEL_E_ADDRESS_ASSIGNED, args->addr,
			      object_id_text(&holder->o, id));
	*ret_made = true;
	return args->instance_id
		       ? make_attached(tx, maker, args, n, holder, !ipaddr_is_v4(addr), ret, reterr)
		       : make(tx, maker, args, holder, !ipaddr_is_v4(addr), ret, reterr);
}

static int do_move(struct tx *tx, const struct caller *c, const struct interface_move_args *args,
		   const struct interface **ret, bool *ret_made, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	struct interface_assign_args assign = {
		.interface_id = id,
		.addrs = &args->addr,
		.n_addrs = 1,
		.allow_reassignment = args->allow_reassignment,
	};
	const struct subnet *s;
	struct ipaddr addr;
	size_t n;
	int r = subnet_find(tx->m, c, args->subnet_id, &s, reterr);

	if (!r && args->interface_id && args->instance_id)
		r = refuse(reterr, MODEL_E_COMBINATION,
			   "Name an interface, an instance, or neither for a new interface.");
	if (!r && ipaddr_parse(args->addr, &addr))
		r = refuse(reterr, MODEL_E_VALUE, args->addr, "address",
			   "This is not a valid IP address.");
	if (!r)
		r = find_target(tx, c, args, s, &addr, ret, ret_made, reterr);
	if (r)
		return r;
	object_id_text(&(*ret)->o, id);
	if (interface_by_addr(tx->m, s->vni, &addr) == *ret)
		return 0;
	return ipaddr_is_v4(&addr) ? interface_assign(tx, c, &assign, ret, &n, reterr)
				   : interface_assign6(tx, c, &assign, ret, &n, reterr);
}

int interface_move(struct tx *tx, const struct caller *c, const struct interface_move_args *args,
		   const struct interface **ret, bool *ret_made, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_move(tx, c, args, ret, ret_made, reterr));
}
