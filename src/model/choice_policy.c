/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies for negotiation: making, changing, deleting.  See choice_policy.h; what they lead to is
 * in choice_rules.c.
 */
#include "model/choice_policy.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/account.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/vpc.h"

enum { NAME_MAX_LENGTH = 63, BURST_KIB = 256, BURST_KIB_MAX = 65536, RATE_MBIT_MAX = 1000000 };

static const char *const effects[] = {
	[CHOICE_FORBID] = "forbid",
	[CHOICE_REQUIRE] = "require",
	[CHOICE_PREFER] = "prefer",
	[CHOICE_PIN] = "pin",
};
static const char *const directions[] = {
	[CHOICE_BOTH] = "both", [CHOICE_OUT] = "out", [CHOICE_IN] = "in"};

const char *choice_effect_text(enum choice_effect e)
{
	return e < ARRAY_SIZE(effects) ? effects[e] : NULL;
}

const char *choice_direction_text(enum choice_direction d)
{
	return d < ARRAY_SIZE(directions) ? directions[d] : NULL;
}

static const struct choice_policy *find_by_name(const struct model *m, uint64_t account,
						const char *name)
{
	struct model_iter it = model_iter_kind(m, KIND_CHOICE_POLICY);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (o->account == account &&
		    str_equal(((const struct choice_policy *)o)->name, name))
			return (const struct choice_policy *)o;
	return NULL;
}

int choice_policy_find(const struct model *m, const struct caller *c, const char *id,
		       const struct choice_policy **ret, struct refusal *reterr)
{
	const struct choice_policy *p = NULL;
	uint64_t number;

	if (!id_parse(KIND_CHOICE_POLICY, id, &number))
		p = (const struct choice_policy *)model_get(m, KIND_CHOICE_POLICY, number);
	else
		p = find_by_name(m, c->is_operator ? 0 : c->account, id);
	if (!p || !caller_sees(c, &p->o))
		return refuse(reterr, MODEL_E_CHOICE_POLICY_NOT_FOUND, id);
	*ret = p;
	return 0;
}

/* ---- what it is about ---- */

static int read_labels(struct choice_member *member, const struct choice_member_args *args,
		       const char *parameter, struct refusal *reterr)
{
	if (!args->n_labels)
		return 0;
	if (args->n_labels > CHOICE_LABELS_MAX)
		return refuse(reterr, MODEL_E_VALUE, args->labels[0].key, parameter,
			      "A policy names at most 8 labels of a host.");
	member->labels = calloc(args->n_labels, sizeof(*member->labels));
	if (!member->labels)
		return -ENOMEM;
	for (size_t i = 0; i < args->n_labels; i++) {
		const struct tag_args *label = &args->labels[i];
		struct tag *t = &member->labels[member->n_labels++];

		if (!label->key[0] || strlen(label->key) > LIMIT_MODEL_TAG_KEY ||
		    strlen(label->value) > LIMIT_MODEL_TAG_VALUE)
			return refuse(reterr, MODEL_E_VALUE, label->key, parameter,
				      "That is no label of a host.");
		t->key = strdup(label->key);
		t->value = strdup(label->value);
		if (!t->key || !t->value)
			return -ENOMEM;
	}
	return 0;
}

static int read_member(const struct model *m, const struct caller *c,
		       const struct choice_member_args *args, const char *parameter,
		       struct choice_member *member, struct refusal *reterr)
{
	const struct account *a;
	const struct host *h;
	const struct vpc *v;
	int r = 0;

	if (!c->is_operator && (args->host || args->account || args->n_labels))
		return refuse(
			reterr, MODEL_E_NOT_PERMITTED,
			"Hosts, their labels and accounts may only be named by administrators");
	if (args->host) {
		h = host_find(m, args->host);
		if (!h)
			return refuse(reterr, MODEL_E_HOST_NOT_FOUND, args->host);
		member->host = h->o.id;
	}
	if (args->account) {
		a = account_find(m, args->account);
		if (!a)
			return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, args->account);
		member->account = a->o.id;
	}
	if (args->network) {
		r = vpc_find(m, c, args->network, &v, reterr);
		if (r)
			return r;
		member->vpc = v->o.id;
	}
	return read_labels(member, args, parameter, reterr);
}

static int read_interfaces(const struct model *m, const struct caller *c,
			   const struct choice_policy_args *args, struct choice_policy *p,
			   struct refusal *reterr)
{
	const struct interface *i;
	int r;

	if (!args->interfaces[0] && !args->interfaces[1])
		return 0;
	for (size_t n = 0; n < 2; n++) {
		if (!args->interfaces[n])
			return refuse(reterr, MODEL_E_MISSING, "match.interfaces: both ends");
		r = interface_find(m, c, args->interfaces[n], &i, reterr);
		if (r)
			return r;
		if (!caller_sees(c, &i->o))
			return refuse(reterr, MODEL_E_INTERFACE_NOT_FOUND, args->interfaces[n]);
		p->interfaces[n] = i->o.id;
	}
	if (p->interfaces[0] == p->interfaces[1])
		return refuse(reterr, MODEL_E_VALUE, args->interfaces[1], "match.interfaces",
			      "They are two different interfaces.");
	return 0;
}

/* A customer's is about what is its own. */
static int check_scope(const struct caller *c, const struct choice_policy *p,
		       struct refusal *reterr)
{
	if (c->is_operator || p->one.vpc || p->interfaces[0])
		return 0;
	return refuse(reterr, MODEL_E_NOT_PERMITTED,
		      "Name a network (match.network) or two interfaces (match.interfaces) of your "
		      "own: a policy "
		      "for more is the administrators'");
}

static int read_match(const struct model *m, const struct caller *c,
		      const struct choice_policy_args *args, struct choice_policy *p,
		      struct refusal *reterr)
{
	int r = read_member(m, c, &args->match, "match.host_label", &p->one, reterr);

	if (!r)
		r = read_member(m, c, &args->peer, "match.peer.host_label", &p->other, reterr);
	if (!r && p->one.host && p->one.host == p->other.host)
		r = refuse(reterr, MODEL_E_VALUE, args->peer.host, "match.peer.host",
			   "It is the host of the match, and no host is a pair with itself.");
	if (!r)
		r = read_interfaces(m, c, args, p, reterr);
	if (!r && args->environment && !*args->environment)
		r = refuse(reterr, MODEL_E_VALUE, "", "match.environment",
			   "An environment has a name; a policy for all of them has no environment "
			   "in its match.");
	if (!r && args->environment && strlen(args->environment) > LIMIT_MODEL_TAG_VALUE)
		r = refuse(reterr, MODEL_E_VALUE, args->environment, "match.environment",
			   "It is too long.");
	if (!r)
		r = edit_string(&p->environment, args->environment);
	if (!r && args->direction) {
		while (p->direction < ARRAY_SIZE(directions) &&
		       !str_equal(directions[p->direction], args->direction))
			p->direction++;
		if (p->direction == ARRAY_SIZE(directions))
			r = refuse(reterr, MODEL_E_VALUE, args->direction, "match.direction",
				   "It is both, out or in.");
	}
	return r ? r : check_scope(c, p, reterr);
}

/* ---- what it says ---- */

static int read_effect(const struct choice_policy_args *args, struct choice_policy *p,
		       struct refusal *reterr)
{
	if (!args->effect)
		return refuse(reterr, MODEL_E_MISSING, "effect");
	for (p->effect = CHOICE_FORBID; p->effect < ARRAY_SIZE(effects); p->effect++)
		if (str_equal(effects[p->effect], args->effect))
			return 0;
	return refuse(reterr, MODEL_E_VALUE, args->effect, "effect",
		      "It is forbid, require, prefer or pin.");
}

static int read_what(const struct choice_policy_args *args, struct choice_policy *p,
		     struct refusal *reterr)
{
	if (!args->n_what)
		return refuse(reterr, MODEL_E_MISSING, "what");
	if (args->n_what > CHOICE_WHAT_MAX)
		return refuse(reterr, MODEL_E_VALUE, args->what[0], "what",
			      "It has at most 16 entries.");
	p->what = calloc(args->n_what, sizeof(*p->what));
	if (!p->what)
		return -ENOMEM;
	for (size_t i = 0; i < args->n_what; i++) {
		uint32_t formats, features;
		int r;

		if (ability_parse(args->what[i], &formats, &features))
			return refuse(reterr, MODEL_E_VALUE, args->what[i], "what",
				      "It is a format (siit, siit/2, reip4, vxlan, geneve, ...) or "
				      "a feature (crypt, crypt/1, "
				      "crypt/2, integrity, lz4, rate).");
		if (formats == FORMAT_BIT(FORMAT_IPIP6_1) && p->effect != CHOICE_FORBID)
			return refuse(
				reterr, MODEL_E_VALUE, args->what[i], "what",
				"ipip6 accompanies siit by itself; it can only be forbidden.");
		for (size_t k = 0; k < i; k++)
			if (str_equal(args->what[i], args->what[k]))
				return refuse(reterr, MODEL_E_VALUE, args->what[i], "what",
					      "It is there twice.");
		r = edit_string(&p->what[i].text, args->what[i]);
		if (r)
			return r;
		p->n_what++;
	}
	return 0;
}

static bool names_rate(const struct choice_policy *p)
{
	for (size_t i = 0; i < p->n_what; i++)
		if (str_equal(p->what[i].text, "rate") || str_has_prefix(p->what[i].text, "rate/"))
			return true;
	return false;
}

static int refuse_number(uint32_t value, const char *parameter, const char *why,
			 struct refusal *reterr)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return refuse(reterr, MODEL_E_VALUE, text, parameter, why);
}

static int read_rate(const struct choice_policy_args *args, struct choice_policy *p,
		     struct refusal *reterr)
{
	bool wanted = names_rate(p) && p->effect != CHOICE_FORBID;
	uint32_t burst = args->rate_burst_kib ? *args->rate_burst_kib : BURST_KIB;

	if (!wanted && (args->rate_mbit || args->rate_burst_kib))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "'rate' belongs to a policy that requires, prefers or pins rate");
	if (!wanted)
		return 0;
	if (!args->rate_mbit)
		return refuse(reterr, MODEL_E_MISSING, "rate.mbit");
	if (!*args->rate_mbit || *args->rate_mbit > RATE_MBIT_MAX)
		return refuse_number(*args->rate_mbit, "rate.mbit", "It is 1 to 1000000.", reterr);
	if (!burst || burst > BURST_KIB_MAX)
		return refuse_number(burst, "rate.burst_kib", "It is 1 to 65536.", reterr);
	p->rate_bits = *args->rate_mbit * 1000000ULL;
	p->rate_burst = burst * 1024;
	return 0;
}

static int read_notify(const struct choice_policy_args *args, struct choice_policy *p,
		       struct refusal *reterr)
{
	if (!args->notify || str_equal(args->notify, "both"))
		return 0;
	p->source_only = true;
	if (str_equal(args->notify, "source"))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, args->notify, "notify", "It is both or source.");
}

static bool is_name(const char *s)
{
	size_t length = strlen(s);

	return length && length <= NAME_MAX_LENGTH && !str_has_prefix(s, ID_PREFIX_CHOICE_POLICY) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int fill(const struct model *m, const struct caller *c,
		const struct choice_policy_args *args, struct choice_policy *p,
		struct refusal *reterr)
{
	const struct choice_policy *same;
	int r;

	if (!args->name)
		return refuse(reterr, MODEL_E_MISSING, "name");
	if (!is_name(args->name))
		return refuse(reterr, MODEL_E_VALUE, args->name, "name",
			      "It has 1 to 63 lower-case letters, digits or '-', and does not "
			      "begin with 'np-'.");
	same = find_by_name(m, p->o.account, args->name);
	if (same && same->o.id != p->o.id)
		return refuse(reterr, MODEL_E_EXISTS, args->name);
	r = edit_string(&p->name, args->name);
	if (!r)
		r = read_match(m, c, args, p, reterr);
	if (!r)
		r = read_effect(args, p, reterr);
	if (!r)
		r = read_what(args, p, reterr);
	if (!r)
		r = read_rate(args, p, reterr);
	return r ? r : read_notify(args, p, reterr);
}

/* ---- operations ---- */

static int check_limit(const struct model *m, uint64_t account, struct refusal *reterr)
{
	size_t n = model_account_count(m, KIND_CHOICE_POLICY, account);

	if (n < (account ? LIMIT_MODEL_ACCOUNT_CHOICE_POLICIES : LIMIT_MODEL_CHOICE_POLICIES))
		return 0;
	return refuse(reterr, MODEL_E_CHOICE_POLICY_LIMIT,
		      account ? "this account" : "the administrators");
}

static int do_create(struct tx *tx, const struct caller *c, const struct choice_policy_args *args,
		     const struct choice_policy **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	uint64_t account = c->is_operator ? 0 : c->account;
	int r = check_limit(tx->m, account, reterr);

	if (!r)
		r = tx_make(tx, KIND_CHOICE_POLICY, account, &o);
	if (!r)
		r = fill(tx->m, c, args, (struct choice_policy *)o, reterr);
	if (r)
		return r;
	*ret = (struct choice_policy *)o;
	return choice_policy_put(tx, NULL, &o);
}

int choice_policy_create(struct tx *tx, const struct caller *c,
			 const struct choice_policy_args *args, const struct choice_policy **ret,
			 struct refusal *reterr)
{
	const struct choice_policy *p = NULL;
	size_t mark = tx_mark(tx);
	int r = tx_settle(tx, mark, do_create(tx, c, args, &p, reterr));

	if (!r)
		*ret = p;
	return r;
}

/* A policy with nothing but what it keeps. */
static int renew(struct tx *tx, const struct choice_policy *old, struct object **ret)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r = tx_make(tx, KIND_CHOICE_POLICY, old->o.account, &o);

	if (r)
		return r;
	o->id = old->o.id;
	o->serial = old->o.serial;
	o->created_ms = old->o.created_ms;
	*ret = TAKE_PTR(o);
	return 0;
}

static int do_replace(struct tx *tx, const struct caller *c, const char *id,
		      const struct choice_policy_args *args, const struct choice_policy **ret,
		      struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct choice_policy *old;
	/* An administrator who changes a customer's stays within what the customer may say. */
	struct caller owner = *c;
	int r = choice_policy_find(tx->m, c, id, &old, reterr);

	if (r)
		return r;
	if (old->o.account)
		owner = (struct caller){.account = old->o.account};
	r = renew(tx, old, &o);
	if (!r)
		r = fill(tx->m, &owner, args, (struct choice_policy *)o, reterr);
	if (r)
		return r;
	*ret = (struct choice_policy *)o;
	return choice_policy_put(tx, old, &o);
}

int choice_policy_replace(struct tx *tx, const struct caller *c, const char *id,
			  const struct choice_policy_args *args, const struct choice_policy **ret,
			  struct refusal *reterr)
{
	const struct choice_policy *p = NULL;
	size_t mark = tx_mark(tx);
	int r = tx_settle(tx, mark, do_replace(tx, c, id, args, &p, reterr));

	if (!r)
		*ret = p;
	return r;
}

int choice_policy_delete(struct tx *tx, const struct caller *c, const char *id,
			 struct refusal *reterr)
{
	const struct choice_policy *p;
	size_t mark = tx_mark(tx);
	int r = choice_policy_find(tx->m, c, id, &p, reterr);

	return r ? r : tx_settle(tx, mark, choice_policy_put(tx, p, NULL));
}
