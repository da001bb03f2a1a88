/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts and access keys.  See account.h.
 */
#include "model/account.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/payer.h"

enum {
	ACCOUNT_MIN = 100000000000, /* chosen ones have no leading zeros: people drop them */
	KEY_ID_MIN = 4,
	KEY_ID_MAX = 128,
	KEY_ID_RANDOM = 16,
	SECRET_MAX = 128,
	SECRET_RANDOM = 40,
};

static int need_operator(const struct caller *c, const char *what, struct refusal *reterr)
{
	return c->is_operator ? 0 : refuse(reterr, MODEL_E_NOT_PERMITTED, what);
}

const struct account *account_find(const struct model *m, const char *id)
{
	uint64_t number;

	if (id_parse(KIND_ACCOUNT, id, &number))
		return NULL;
	return (const struct account *)model_get(m, KIND_ACCOUNT, number);
}

const struct key *key_find(const struct model *m, const char *access_key_id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_ACCESS_KEY_ID, hash_str(access_key_id));

	for (; n; n = hmap_next_at(n)) {
		const struct key *k = hmap_entry(n, const struct key, by_access_key_id);

		if (str_equal(k->access_key_id, access_key_id))
			return k;
	}
	return NULL;
}

const char *key_role_text(enum key_role r)
{
	static const char *const texts[] = {[KEY_FULL] = "full", [KEY_READ_ONLY] = "read-only"};

	return r < ARRAY_SIZE(texts) ? texts[r] : NULL;
}

static int choose_account(struct tx *tx, const char *text, uint64_t *ret, struct refusal *reterr)
{
	uint64_t id = 0;

	if (text && id_parse(KIND_ACCOUNT, text, &id))
		return refuse(reterr, MODEL_E_VALUE, text, "id", "An account ID has 12 digits.");
	if (text && model_get(tx->m, KIND_ACCOUNT, id))
		return refuse(reterr, MODEL_E_EXISTS, text);
	while (!text) {
		id = ACCOUNT_MIN + tx_random(tx) % (9 * ACCOUNT_MIN);
		if (!model_get(tx->m, KIND_ACCOUNT, id))
			break;
	}
	*ret = id;
	return 0;
}

/* People tell accounts apart by it, in tables: it is one line, and there if it is given. */
static int check_name(const char *name, struct refusal *reterr)
{
	if (!name)
		return 0;
	if (strlen(name) > LIMIT_MODEL_TEXT)
		return refuse(reterr, MODEL_E_VALUE, name, "name", "It is too long.");
	if (!name[strspn(name, " ")])
		return refuse(reterr, MODEL_E_VALUE, name, "name",
			      "An account's name may not be empty.");
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return refuse(reterr, MODEL_E_VALUE, name, "name",
				      "An account's name has no control characters.");
	return 0;
}

static int do_account_create(struct tx *tx, const struct account_create_args *args,
			     const struct account **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct account *result;
	uint64_t id = 0;
	int r;

	r = check_name(args->name, reterr);
	if (r)
		return r;
	r = choose_account(tx, args->id, &id, reterr);
	if (!r)
		r = tx_make(tx, KIND_ACCOUNT, id, &o);
	if (r)
		return r;
	o->id = id;
	r = edit_string(&((struct account *)o)->name, args->name);
	if (r)
		return r;
	result = (const struct account *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = result;
	return r;
}

int account_create(struct tx *tx, const struct caller *c, const struct account_create_args *args,
		   const struct account **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	int r = need_operator(c, "Accounts are the operators'", reterr);

	return r ? r : tx_settle(tx, mark, do_account_create(tx, args, ret, reterr));
}

struct account_limits account_limits(const struct model *m, uint64_t account)
{
	const struct account *a = (const struct account *)model_get(m, KIND_ACCOUNT, account);
	struct account_limits l = {
		.group_rules = LIMIT_MODEL_GROUP_RULES,
		.interface_groups = LIMIT_MODEL_INTERFACE_GROUPS_USUAL,
		.acl_entries = LIMIT_MODEL_ACL_ENTRIES,
	};

	if (a && a->group_rules)
		l.group_rules = a->group_rules;
	if (a && a->interface_groups)
		l.interface_groups = a->interface_groups;
	if (a && a->acl_entries)
		l.acl_entries = a->acl_entries;
	return l;
}

static int set_limit(uint32_t *limit, const uint32_t *value, uint32_t max, const char *name,
		     struct refusal *reterr)
{
	char text[16], why[64];

	if (!value)
		return 0;
	if (*value > max) {
		snprintf(text, sizeof(text), "%u", *value);
		snprintf(why, sizeof(why), "It is at most %u; 0 stands for the usual.", max);
		return refuse(reterr, MODEL_E_VALUE, text, name, why);
	}
	*limit = *value;
	return 0;
}

static int do_account_limit(struct tx *tx, const struct account *old,
			    const struct account_limit_args *args, const struct account **ret,
			    struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct account *new;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct account *)o;
	r = set_limit(&new->group_rules, args->group_rules, LIMIT_MODEL_GROUP_RULES_MAX,
		      "rules_per_security_group", reterr);
	if (!r)
		r = set_limit(&new->interface_groups, args->interface_groups,
			      LIMIT_MODEL_INTERFACE_GROUPS, "security_groups_per_interface",
			      reterr);
	if (!r)
		r = set_limit(&new->acl_entries, args->acl_entries, LIMIT_MODEL_ACL_ENTRIES_MAX,
			      "entries_per_network_acl", reterr);
	if (r)
		return r;
	if (record_equal(&old->o, o))
		new = (struct account *)(uintptr_t)old;
	else
		r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret = new;
	return r;
}

int account_limit(struct tx *tx, const struct caller *c, const struct account_limit_args *args,
		  const struct account **ret, struct refusal *reterr)
{
	const struct account *a = account_find(tx->m, args->account_id);
	size_t mark = tx_mark(tx);
	int r = need_operator(c, "Limits are set by operators", reterr);

	if (r)
		return r;
	if (!a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->account_id);
	return tx_settle(tx, mark, do_account_limit(tx, a, args, ret, reterr));
}

/* Kinds whose objects are the customer's own, and not about the account itself. */
static bool is_resource(enum kind k)
{
	return k != KIND_ACCOUNT && k != KIND_KEY && k != KIND_TOKEN && k != KIND_USAGE;
}

static int do_account_delete(struct tx *tx, const struct account *a, const char *id,
			     struct refusal *reterr)
{
	const enum kind gone_with_it[] = {KIND_KEY, KIND_TOKEN, KIND_USAGE};
	int r;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct model_iter it = model_iter_account(tx->m, k, a->o.id);

		if (is_resource(k) && model_iter_next(&it))
			return refuse(reterr, MODEL_E_ACCOUNT_DEPENDENCY, id);
	}
	for (size_t i = 0; i < ARRAY_SIZE(gone_with_it); i++) {
		r = tx_delete_all(tx, model_iter_account(tx->m, gone_with_it[i], a->o.id));
		if (r)
			return r;
	}
	r = interface_forget_account(tx, a->o.id);
	if (!r)
		r = payer_forget_account(tx, a->o.id);
	return r ? r : tx_delete(tx, &a->o);
}

int account_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	const struct account *a = account_find(tx->m, id);
	size_t mark = tx_mark(tx);
	int r = need_operator(c, "Accounts are the operators'", reterr);

	if (r)
		return r;
	if (!a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, id);
	return tx_settle(tx, mark, do_account_delete(tx, a, id, reterr));
}

/* 'n' random characters of base 32 or 64; 'buf' has room for the NUL. */
static void random_text(struct tx *tx, const char *alphabet, size_t n, char *buf)
{
	size_t size = strlen(alphabet);

	for (size_t i = 0; i < n; i++)
		buf[i] = alphabet[tx_random(tx) % size];
	buf[n] = '\0';
}

static bool is_printable(const char *s, size_t min, size_t max)
{
	size_t length = strlen(s);

	for (size_t i = 0; i < length; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '/')
			return false;
	return length >= min && length <= max;
}

static int fill_key(struct tx *tx, struct key *k, const struct key_create_args *args,
		    struct refusal *reterr)
{
	char id[KEY_ID_RANDOM + sizeof("AKIA")] = "AKIA";
	char secret[SECRET_RANDOM + 1];
	int r;

	if (args->access_key_id && !is_printable(args->access_key_id, KEY_ID_MIN, KEY_ID_MAX))
		return refuse(reterr, MODEL_E_VALUE, args->access_key_id, "access_key_id",
			      "It has 4 to 128 printable characters.");
	if (args->secret && (!args->secret[0] || strlen(args->secret) > SECRET_MAX))
		return refuse(reterr, MODEL_E_VALUE, "...", "secret_access_key",
			      "It has 1 to 128 characters.");
	if (str_equal(args->role, key_role_text(KEY_READ_ONLY)))
		k->role = KEY_READ_ONLY;
	else if (args->role && !str_equal(args->role, key_role_text(KEY_FULL)))
		return refuse(reterr, MODEL_E_VALUE, args->role, "role",
			      "It is full or read-only.");
	if (args->access_key_id && key_find(tx->m, args->access_key_id))
		return refuse(reterr, MODEL_E_EXISTS, args->access_key_id);
	do
		random_text(tx, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", KEY_ID_RANDOM,
			    id + strlen("AKIA"));
	while (key_find(tx->m, id));
	random_text(tx, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		    SECRET_RANDOM, secret);
	r = edit_string(&k->access_key_id, args->access_key_id ? args->access_key_id : id);
	if (!r)
		r = edit_string(&k->secret, args->secret ? args->secret : secret);
	return r;
}

static int do_key_create(struct tx *tx, const struct key_create_args *args, const struct key **ret,
			 struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct account *a = account_find(tx->m, args->account_id);
	const struct group *g;
	const struct key *result;
	int r;

	if (!a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->account_id);
	g = group_find(tx->m, REL_ACCOUNT, KIND_KEY, a->o.id);
	if (g && g->n >= LIMIT_MODEL_KEYS)
		return refuse(reterr, MODEL_E_KEY_LIMIT, args->account_id);
	r = tx_make(tx, KIND_KEY, a->o.id, &o);
	if (!r)
		r = fill_key(tx, (struct key *)o, args, reterr);
	if (r)
		return r;
	result = (const struct key *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = result;
	return r;
}

int key_create(struct tx *tx, const struct caller *c, const struct key_create_args *args,
	       const struct key **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	int r = need_operator(c, "Access keys are made by operators", reterr);

	return r ? r : tx_settle(tx, mark, do_key_create(tx, args, ret, reterr));
}

int key_delete(struct tx *tx, const struct caller *c, const char *account_id,
	       const char *access_key_id, struct refusal *reterr)
{
	const struct account *a = account_find(tx->m, account_id);
	const struct key *k = key_find(tx->m, access_key_id);
	size_t mark = tx_mark(tx);
	int r = need_operator(c, "Access keys are deleted by operators", reterr);

	if (r)
		return r;
	if (!a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, account_id);
	if (!k || k->o.account != a->o.id)
		return refuse(reterr, MODEL_E_KEY_NOT_FOUND, access_key_id);
	return tx_settle(tx, mark, tx_delete(tx, &k->o));
}
