/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assigning addresses to interfaces and taking them away, of either family.  See interface.h.
 */
#include "model/edit.h"
#include "model/address.h"
#include "model/elastic_edit.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/release_edit.h"

/* In what the families differ. */
struct family {
	const char *either;    /* is said when both or neither of addresses and a count are given */
	const char *parameter; /* that names addresses to be taken away */
	int (*add)(struct tx *tx, const struct caller *c, const struct subnet *s,
		   struct interface *i, const struct interface_assign_args *args,
		   struct refusal *reterr);
	int (*drop)(struct interface *i, const char *text, struct refusal *reterr);
};

static const struct family v4 = {
	.either = "Name either private IP addresses or how many are wanted.",
	.parameter = "PrivateIpAddress",
	.add = interface_assign_addrs4,
	.drop = interface_drop_addr4,
};

static const struct family v6 = {
	.either = "Name either IPv6 addresses or how many are wanted.",
	.parameter = "Ipv6Addresses",
	.add = interface_assign_addrs6,
	.drop = interface_drop_addr6,
};

static int do_assign(struct tx *tx, const struct family *f, const struct caller *c,
		     const struct interface *old, const struct interface_assign_args *args,
		     const struct interface **ret, size_t *ret_n, struct refusal *reterr)
{
	const struct subnet *s = (const struct subnet *)model_get(tx->m, KIND_SUBNET, old->subnet);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	size_t n_before = old->n_addrs;
	const struct interface *result;
	int r;

	if (!args->n_addrs == !args->count)
		return refuse(reterr, MODEL_E_COMBINATION, f->either);
	r = tx_edit(tx, &old->o, &o);
	if (!r)
		r = f->add(tx, c, s, (struct interface *)o, args, reterr);
	if (r)
		return r;
	result = (const struct interface *)o;
	if (result->n_addrs != n_before)
		r = tx_put(tx, &old->o, &o);
	else
		result = old;
	if (!r) {
		*ret_n = result->n_addrs - n_before;
		*ret = result;
	}
	return r;
}

static int assign(struct tx *tx, const struct family *f, const struct caller *c,
		  const struct interface_assign_args *args, const struct interface **ret,
		  size_t *ret_n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct interface *i;
	int r = interface_find_for(tx->m, c, args->interface_id, INTERFACE_SET, &i, reterr);

	return r ? r : tx_settle(tx, mark, do_assign(tx, f, c, i, args, ret, ret_n, reterr));
}

int interface_assign(struct tx *tx, const struct caller *c,
		     const struct interface_assign_args *args, const struct interface **ret,
		     size_t *ret_n_assigned, struct refusal *reterr)
{
	return assign(tx, &v4, c, args, ret, ret_n_assigned, reterr);
}

int interface_assign6(struct tx *tx, const struct caller *c,
		      const struct interface_assign_args *args, const struct interface **ret,
		      size_t *ret_n_assigned, struct refusal *reterr)
{
	return assign(tx, &v6, c, args, ret, ret_n_assigned, reterr);
}

/* 'a' has left the interface for good. */
static int give_back(struct tx *tx, const struct interface *old, const struct private_addr *a)
{
	int r = elastic_forget_private(tx, old->vni, &a->addr);

	return r ? r : release_make(tx, old, a, interface_is_live(tx->m, old));
}

static int do_unassign(struct tx *tx, const struct family *f, const struct interface *old,
		       const char *const *addrs, size_t n, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct interface *new;
	int r;

	if (!n)
		return refuse(reterr, MODEL_E_MISSING, f->parameter);
	r = tx_edit(tx, &old->o, &o);
	for (size_t k = 0; k < n && !r; k++)
		r = f->drop((struct interface *)o, addrs[k], reterr);
	if (r)
		return r;
	new = (const struct interface *)o;
	r = tx_put(tx, &old->o, &o);
	for (size_t k = 0; k < old->n_addrs && !r; k++)
		if (address_index(new, &old->addrs[k].addr) == new->n_addrs)
			r = give_back(tx, old, &old->addrs[k]);
	return r;
}

static int unassign(struct tx *tx, const struct family *f, const struct caller *c, const char *id,
		    const char *const *addrs, size_t n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct interface *i;
	int r = interface_find_for(tx->m, c, id, INTERFACE_SET, &i, reterr);

	return r ? r : tx_settle(tx, mark, do_unassign(tx, f, i, addrs, n, reterr));
}

int interface_unassign(struct tx *tx, const struct caller *c, const char *id,
		       const char *const *addrs, size_t n_addrs, struct refusal *reterr)
{
	return unassign(tx, &v4, c, id, addrs, n_addrs, reterr);
}

int interface_unassign6(struct tx *tx, const struct caller *c, const char *id,
			const char *const *addrs, size_t n_addrs, struct refusal *reterr)
{
	return unassign(tx, &v6, c, id, addrs, n_addrs, reterr);
}
