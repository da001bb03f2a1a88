/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permissions to use another's interface.  See permission.h.
 */
#include "model/permission.h"

#include "base/limits.h"
#include "base/str.h"
#include "model/account.h"
#include "model/edit.h"
#include "model/interface_rights.h"

static const char *const types[] = {
	[PERMISSION_ATTACH] = "INSTANCE-ATTACH",
	[PERMISSION_ASSOCIATE] = "EIP-ASSOCIATE",
};

const char *permission_type_text(enum permission_type t)
{
	return t < ARRAY_SIZE(types) ? types[t] : NULL;
}

static const struct permission *find_same(const struct model *m, uint64_t interface,
					  uint64_t account, enum permission_type type)
{
	struct model_iter it = model_iter_group(m, REL_INTERFACE_PERMISSIONS, interface);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct permission *p = (const struct permission *)o;

		if (p->grantee == account && p->type == type)
			return p;
	}
	return NULL;
}

bool permission_exists(const struct model *m, uint64_t interface, uint64_t account,
		       enum permission_type type)
{
	return find_same(m, interface, account, type);
}

int permission_find(const struct model *m, const struct caller *c, const char *id,
		    const struct permission **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_PERMISSION, id, &number))
		o = model_get(m, KIND_PERMISSION, number);
	if (!o || (!caller_sees(c, o) && ((const struct permission *)o)->grantee != c->account))
		return refuse(reterr, MODEL_E_PERMISSION_NOT_FOUND, id);
	*ret = (const struct permission *)o;
	return 0;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct permission_create_args *args, const struct permission **ret,
		     struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct account *account = account_find(tx->m, args->account_id);
	enum permission_type type = PERMISSION_ATTACH;
	const struct permission *same;
	const struct interface *i;
	struct permission *p;
	int r = interface_find_for(tx->m, c, args->interface_id, INTERFACE_OWN, &i, reterr);

	if (r)
		return r;
	while (type < ARRAY_SIZE(types) && !str_equal(types[type], args->type))
		type++;
	if (type == ARRAY_SIZE(types))
		return refuse(reterr, MODEL_E_VALUE, args->type, "permission",
			      "It is INSTANCE-ATTACH or EIP-ASSOCIATE.");
	if (!account)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->account_id);
	same = find_same(tx->m, i->o.id, account->o.id, type);
	if (same) {
		*ret = same;
		return 0;
	}
	if (model_group_count(tx->m, REL_INTERFACE_PERMISSIONS, i->o.id) >=
	    LIMIT_MODEL_INTERFACE_ACCOUNTS)
		return refuse(reterr, MODEL_E_PERMISSION_LIMIT, args->interface_id);
	r = tx_make(tx, KIND_PERMISSION, i->o.account, &o);
	if (r)
		return r;
	p = (struct permission *)o;
	p->interface = i->o.id;
	p->grantee = account->o.id;
	p->type = type;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = p;
	return r;
}

int permission_create(struct tx *tx, const struct caller *c,
		      const struct permission_create_args *args, const struct permission **ret,
		      struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

/* The account uses it: the interface is attached to an instance of its own. */
static bool is_in_use(const struct model *m, const struct permission *p)
{
	const struct interface *i =
		(const struct interface *)model_get(m, KIND_INTERFACE, p->interface);

	for (size_t n = 0; i && n < interface_attachment_count(i); n++)
		if (attachment_owner(m, interface_attachment(i, n)) == p->grantee)
			return p->type == PERMISSION_ATTACH;
	return false;
}

int permission_delete(struct tx *tx, const struct caller *c, const char *id, bool force,
		      struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct permission *p;
	int r = permission_find(tx->m, c, id, &p, reterr);

	if (r)
		return r;
	if (!caller_sees(c, &p->o))
		return refuse(reterr, MODEL_E_NOT_PERMITTED, "The interface's owner takes it back");
	if (!force && is_in_use(tx->m, p))
		return refuse(reterr, MODEL_E_PERMISSION_IN_USE, id);
	return tx_settle(tx, mark, tx_delete(tx, &p->o));
}

int permission_end_all(struct tx *tx, uint64_t interface)
{
	return tx_delete_all(tx, model_iter_group(tx->m, REL_INTERFACE_PERMISSIONS, interface));
}
