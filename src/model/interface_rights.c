/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with an interface.  See interface_rights.h.
 */
#include "model/interface_rights.h"

#include "model/model.h"
#include "model/permission.h"

static bool lists(const uint64_t *accounts, size_t n, uint64_t account)
{
	for (size_t i = 0; i < n; i++)
		if (accounts[i] == account)
			return true;
	return false;
}

static bool may_attach(const struct model *m, const struct interface *i, uint64_t account)
{
	return lists(i->attachers, i->n_attachers, account) ||
	       permission_exists(m, i->o.id, account, PERMISSION_ATTACH);
}

static bool may_detach(const struct model *m, const struct interface *i, uint64_t account)
{
	if (i->n_detachers)
		return lists(i->detachers, i->n_detachers, account);
	return may_attach(m, i, account);
}

/* One of its nodes is the account's. */
static bool has_it(const struct model *m, const struct interface *i, uint64_t account)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (attachment_owner(m, interface_attachment(i, n)) == account)
			return true;
	return false;
}

static bool may_see(const struct model *m, const struct interface *i, uint64_t account)
{
	return may_attach(m, i, account) || may_detach(m, i, account) || has_it(m, i, account) ||
	       lists(i->setters, i->n_setters, account) ||
	       lists(i->modifiers, i->n_modifiers, account) ||
	       permission_exists(m, i->o.id, account, PERMISSION_ASSOCIATE);
}

bool interface_permits(const struct model *m, const struct interface *i, const struct caller *c,
		       enum interface_right right)
{
	if (caller_sees(c, &i->o))
		return true;
	switch (right) {
	case INTERFACE_SEE:
		return may_see(m, i, c->account);
	case INTERFACE_ATTACH:
		return may_attach(m, i, c->account);
	case INTERFACE_DETACH:
		return may_detach(m, i, c->account);
	case INTERFACE_SET:
		return lists(i->setters, i->n_setters, c->account);
	case INTERFACE_MODIFY:
		return lists(i->modifiers, i->n_modifiers, c->account);
	case INTERFACE_ASSOCIATE:
		return permission_exists(m, i->o.id, c->account, PERMISSION_ASSOCIATE);
	case INTERFACE_OWN:
		return false;
	}
	return false;
}

static const char *right_text(enum interface_right right)
{
	static const char *const texts[] = {
		[INTERFACE_SEE] = "see",        [INTERFACE_ATTACH] = "attach",
		[INTERFACE_DETACH] = "detach",  [INTERFACE_SET] = "set the addresses of",
		[INTERFACE_MODIFY] = "modify",  [INTERFACE_ASSOCIATE] = "associate addresses with",
		[INTERFACE_OWN] = "dispose of",
	};

	return texts[right];
}

int interface_check_right(const struct model *m, const struct interface *i, const struct caller *c,
			  enum interface_right right, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];

	object_id_text(&i->o, id);
	if (interface_permits(m, i, c, right))
		return right != INTERFACE_SEE && i->managed_by
			       ? refuse(reterr, MODEL_E_INTERFACE_MANAGED, id)
			       : 0;
	if (!interface_permits(m, i, c, INTERFACE_SEE))
		return refuse(reterr, MODEL_E_INTERFACE_NOT_FOUND, id);
	return refuse(reterr, MODEL_E_INTERFACE_RIGHT, id, right_text(right));
}

int interface_check_detach(const struct model *m, const struct attachment *a,
			   const struct caller *c, struct refusal *reterr)
{
	if (attachment_owner(m, a) == c->account && !a->of->managed_by)
		return 0;
	return interface_check_right(m, a->of, c, INTERFACE_DETACH, reterr);
}

int interface_find_for(const struct model *m, const struct caller *c, const char *id,
		       enum interface_right right, const struct interface **ret,
		       struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;
	int r;

	if (!id_parse(KIND_INTERFACE, id, &number))
		o = model_get(m, KIND_INTERFACE, number);
	if (!o)
		return refuse(reterr, MODEL_E_INTERFACE_NOT_FOUND, id);
	r = interface_check_right(m, (const struct interface *)o, c, right, reterr);
	if (!r)
		*ret = (const struct interface *)o;
	return r;
}
