/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and their access keys. */
#include "api/call.h"
#include "api/route_handlers.h"
#include "model/account.h"
#include "model/default_vpc.h"
#include "model/payer.h"

static json_t *show_limits(struct route_call *c, uint64_t account)
{
	struct account_limits l = account_limits(c->model, account);
	json_t *o = json_new_object(c);

	json_put_u64(c, o, "rules_per_security_group", l.group_rules);
	json_put_u64(c, o, "security_groups_per_interface", l.interface_groups);
	json_put_u64(c, o, "entries_per_network_acl", l.acl_entries);
	return o;
}

static json_t *show_account(struct route_call *c, const struct object *object)
{
	json_t *o = json_new_object(c);
	char text[ACCOUNT_TEXT_SIZE];

	json_put_text(c, o, "id", account_text(object->id, text));
	json_put_text(c, o, "name", ((const struct account *)object)->name);
	json_put_time(c, o, "created_at", object->created_ms);
	json_put(c, o, "limits", show_limits(c, object->id));
	return o;
}

int route_accounts(struct route_call *c)
{
	static const struct route_list list = {"accounts", KIND_ACCOUNT, show_account};

	return route_list_run(c, &list);
}

/* If it is asked for. */
static int make_default_vpc(struct route_call *c, uint64_t account)
{
	const json_t *wanted = json_object_get(c->body, "default_vpc");
	const struct caller owner = {.account = account};
	const struct vpc *v;

	if (!wanted || json_is_null(wanted) || json_is_false(wanted))
		return 0;
	if (!json_is_true(wanted))
		return route_refuse(c, 400, "BadRequest", "'default_vpc' must be true or false");
	return default_vpc_create(c->tx, &owner, &v, &c->refusal);
}

int route_account_create(struct route_call *c)
{
	struct account_create_args args = {};
	const struct account *account;
	uint64_t id = 0;
	int r;

	r = route_text(c, "id", false, &args.id);
	if (!r)
		r = route_text(c, "name", false, &args.name);
	if (!r)
		r = account_create(c->tx, &c->caller, &args, &account, &c->refusal);
	if (!r) {
		id = account->o.id;
		r = make_default_vpc(c, id);
	}
	if (r)
		return r;
	account = (const struct account *)model_get(c->model, KIND_ACCOUNT, id);
	c->status = 201;
	c->result = json_new_object(c);
	json_put(c, c->result, "account", show_account(c, &account->o));
	return 0;
}

int route_account_limits(struct route_call *c)
{
	struct account_limit_args args = {.account_id = c->segments[2]};
	const struct account *account;
	int r;

	r = route_u32(c, "rules_per_security_group", &args.group_rules);
	if (!r)
		r = route_u32(c, "security_groups_per_interface", &args.interface_groups);
	if (!r)
		r = route_u32(c, "entries_per_network_acl", &args.acl_entries);
	if (!r)
		r = account_limit(c->tx, &c->caller, &args, &account, &c->refusal);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "account", show_account(c, &account->o));
	return 0;
}

int route_account_delete(struct route_call *c)
{
	int r = account_delete(c->tx, &c->caller, c->segments[2], &c->refusal);

	if (!r)
		c->result = json_new_object(c);
	return r;
}

static json_t *show_key(struct route_call *c, const struct key *key)
{
	json_t *o = json_new_object(c);

	json_put_text(c, o, "access_key_id", key->access_key_id);
	json_put_account(c, o, key->o.account);
	json_put_text(c, o, "role", key_role_text(key->role));
	json_put_time(c, o, "created_at", key->o.created_ms);
	return o;
}

int route_keys(struct route_call *c)
{
	const struct account *account = account_find(c->model, c->segments[2]);
	struct model_iter it;
	const struct object *o;
	json_t *list;

	if (!account)
		return route_refuse(c, 404, "NotFound", "There is no account '%.40s'",
				    c->segments[2]);
	c->result = json_new_object(c);
	list = json_new_array(c);
	json_put(c, c->result, "keys", list);
	it = model_iter_account(c->model, KIND_KEY, account->o.id);
	while ((o = model_iter_next(&it)))
		json_append(c, list, show_key(c, (const struct key *)o));
	return 0;
}

int route_key_create(struct route_call *c)
{
	struct key_create_args args = {.account_id = c->segments[2]};
	const struct key *key;
	json_t *shown;
	int r;

	r = route_text(c, "access_key_id", false, &args.access_key_id);
	if (!r)
		r = route_text(c, "secret_access_key", false, &args.secret);
	if (!r)
		r = route_text(c, "role", false, &args.role);
	if (!r)
		r = key_create(c->tx, &c->caller, &args, &key, &c->refusal);
	if (r)
		return r;
	c->status = 201;
	c->result = json_new_object(c);
	shown = show_key(c, key);
	json_put_text(c, shown, "secret_access_key", key->secret);
	json_put(c, c->result, "key", shown);
	return 0;
}

int route_key_delete(struct route_call *c)
{
	int r = key_delete(c->tx, &c->caller, c->segments[2], c->segments[4], &c->refusal);

	if (!r)
		c->result = json_new_object(c);
	return r;
}

/* ---- who pays for whom ---- */

static json_t *show_billing(struct route_call *c, const struct account *a)
{
	json_t *o = json_new_object(c), *pays_for = json_new_array(c), *payers = json_new_array(c);
	struct model_iter it = model_iter_kind(c->model, KIND_ACCOUNT);
	char text[ACCOUNT_TEXT_SIZE];
	const struct object *other;

	json_put_text(c, o, "account", account_text(a->o.id, text));
	for (size_t n = 0; n < a->n_pays_for; n++)
		json_append(c, pays_for, json_string(account_text(a->pays_for[n], text)));
	json_put(c, o, "pays_for", pays_for);
	while ((other = model_iter_next(&it)))
		if (other->id != a->o.id && payer_agreed(c->model, other->id, a->o.id))
			json_append(c, payers, json_string(account_text(other->id, text)));
	json_put(c, o, "payers", payers);
	return o;
}

int route_billing(struct route_call *c)
{
	const struct account *a = account_find(c->model, c->segments[2]);

	if (!a || !caller_sees(&c->caller, &a->o))
		return route_refuse(c, 404, "NotFound", "There is no account '%.40s'",
				    c->segments[2]);
	c->result = json_new_object(c);
	json_put(c, c->result, "billing", show_billing(c, a));
	return 0;
}

static int set_agreed(struct route_call *c, bool agreed)
{
	const struct payer_agree_args args = {c->segments[2], c->segments[4], agreed};
	const struct account *a;
	int r = payer_agree(c->tx, &c->caller, &args, &a, &c->refusal);

	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "billing", show_billing(c, a));
	return 0;
}

int route_billing_agree(struct route_call *c)
{
	return set_agreed(c, true);
}

int route_billing_revoke(struct route_call *c)
{
	return set_agreed(c, false);
}
