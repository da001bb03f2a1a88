/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of traffic mirror filters.  See mirror.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/mirror_edit.h"
#include "model/token_edit.h"

#define OPERATION "CreateTrafficMirrorFilterRule"

enum { PORT_MAX = 65535, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static const struct mirror_rule *rule_of(const struct mirror_filter *f, uint64_t id)
{
	for (size_t i = 0; i < f->n_rules; i++)
		if (f->rules[i].id == id)
			return &f->rules[i];
	return NULL;
}

/* Of the caller's filters, which are few. */
static int find(const struct model *m, const struct caller *c, const char *id,
		const struct mirror_filter **ret_filter, const struct mirror_rule **ret,
		struct refusal *reterr)
{
	struct model_iter it = c->is_operator
				       ? model_iter_kind(m, KIND_MIRROR_FILTER)
				       : model_iter_account(m, KIND_MIRROR_FILTER, c->account);
	const struct mirror_filter *f;
	uint64_t number;

	if (!id_parse_prefixed(ID_PREFIX_MIRROR_RULE, id, &number))
		while ((f = (const struct mirror_filter *)model_iter_next(&it))) {
			*ret = rule_of(f, number);
			*ret_filter = f;
			if (*ret)
				return 0;
		}
	return refuse(reterr, MODEL_E_MIRROR_RULE_NOT_FOUND, id);
}

/* ---- what is asked for ---- */

static int set_prefix(struct prefix *p, const char *text, struct refusal *reterr)
{
	if (!text)
		return 0;
	if (cidr_parse(text, p) && cidr6_parse(text, p))
		return refuse(reterr, MODEL_E_CIDR_MALFORMED, text);
	return 0;
}

/* A range given by one or both of its ends. */
static int set_ports(const uint32_t *from, const uint32_t *to, bool none, bool *has,
		     uint32_t *ret_from, uint32_t *ret_to, const char *name, struct refusal *reterr)
{
	if (none) {
		*has = false;
		*ret_from = *ret_to = 0;
		return 0;
	}
	if (!from && !to)
		return 0;
	if (!from != !to)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A range of ports needs both FromPort and ToPort.");
	if (*from > *to || *to > PORT_MAX)
		return mirror_value(reterr, *from > PORT_MAX ? *from : *to, name,
				    "It is 0 to 65535, and not below FromPort.");
	*has = true;
	*ret_from = *from;
	*ret_to = *to;
	return 0;
}

static int set_words(struct mirror_rule *r, const struct mirror_rule_args *a,
		     struct refusal *reterr)
{
	if (a->direction) {
		r->egress = str_equal(a->direction, "egress");
		if (!r->egress && !str_equal(a->direction, "ingress"))
			return refuse(reterr, MODEL_E_VALUE, a->direction, "TrafficDirection",
				      "It is ingress or egress.");
	}
	if (a->action) {
		r->accept = str_equal(a->action, "accept");
		if (!r->accept && !str_equal(a->action, "reject"))
			return refuse(reterr, MODEL_E_VALUE, a->action, "RuleAction",
				      "It is accept or reject.");
	}
	if (a->number) {
		if (!*a->number || *a->number > MIRROR_NUMBER_MAX)
			return mirror_value(reterr, *a->number, "RuleNumber", "It is 1 to 32766.");
		r->number = *a->number;
	}
	if (a->no_protocol)
		r->protocol = MIRROR_PROTOCOL_ANY;
	if (a->protocol) {
		if (*a->protocol >= MIRROR_PROTOCOL_ANY)
			return mirror_value(reterr, *a->protocol, "Protocol",
					    "It is the number of a protocol, 0 to 255.");
		r->protocol = *a->protocol;
	}
	if (a->description || a->no_description)
		return mirror_set_text(&r->description, a->description, reterr);
	return 0;
}

static int change(struct mirror_rule *r, const struct mirror_rule_args *a, struct refusal *reterr)
{
	int e = set_words(r, a, reterr);

	if (!e)
		e = set_prefix(&r->source, a->source, reterr);
	if (!e)
		e = set_prefix(&r->destination, a->destination, reterr);
	if (!e)
		e = set_ports(a->source_from, a->source_to, a->no_source_ports,
			      &r->has_source_ports, &r->source_from, &r->source_to,
			      "SourcePortRange", reterr);
	if (!e)
		e = set_ports(a->destination_from, a->destination_to, a->no_destination_ports,
			      &r->has_destination_ports, &r->destination_from, &r->destination_to,
			      "DestinationPortRange", reterr);
	if (e)
		return e;
	if (prefix_is_v4(&r->source) != prefix_is_v4(&r->destination))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "SourceCidrBlock and DestinationCidrBlock must be of one family.");
	if ((r->has_source_ports || r->has_destination_ports) && r->protocol != PROTOCOL_TCP &&
	    r->protocol != PROTOCOL_UDP)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Ranges of ports go with the protocols 6 (TCP) and 17 (UDP).");
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct mirror_rule *x = a, *y = b;

	if (x->egress != y->egress)
		return x->egress ? 1 : -1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The rules are in order again, and each direction within its bounds. */
static int settle(struct mirror_filter *f, struct refusal *reterr)
{
	size_t n[2] = {};
	char text[16];

	qsort(f->rules, f->n_rules, sizeof(*f->rules), compare);
	for (size_t i = 0; i < f->n_rules; i++) {
		if (++n[f->rules[i].egress] > LIMIT_MODEL_MIRROR_RULES) {
			char id[ID_TEXT_SIZE];

			return refuse(reterr, MODEL_E_MIRROR_RULE_LIMIT, object_id_text(&f->o, id));
		}
		if (i && !compare(&f->rules[i - 1], &f->rules[i])) {
			snprintf(text, sizeof(text), "%u", f->rules[i].number);
			return refuse(reterr, MODEL_E_MIRROR_RULE_EXISTS, text);
		}
	}
	return 0;
}

/* ---- operations ---- */

static int append(struct mirror_filter *f, uint64_t id, const struct mirror_rule_args *args,
		  struct refusal *reterr)
{
	struct mirror_rule *rules = reallocarray(f->rules, f->n_rules + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	f->rules = rules;
	rules[f->n_rules] = (struct mirror_rule){.id = id, .protocol = MIRROR_PROTOCOL_ANY};
	f->n_rules++;
	return change(&rules[f->n_rules - 1], args, reterr);
}

static int put(struct tx *tx, const struct mirror_filter *old, struct mirror_filter **new,
	       uint64_t id, const struct mirror_filter **ret_filter, const struct mirror_rule **ret)
{
	const struct mirror_filter *f = *new;
	int r = TX_PUT(tx, old, new);

	if (r)
		return r;
	*ret_filter = f;
	*ret = rule_of(f, id);
	return 0;
}

static int answer_again(const struct model *m, const struct caller *c, uint64_t id,
			const struct mirror_filter **ret_filter, const struct mirror_rule **ret,
			struct refusal *reterr)
{
	char text[ID_TEXT_SIZE];

	return find(m, c, id_text_prefixed(ID_PREFIX_MIRROR_RULE, id, text), ret_filter, ret,
		    reterr);
}

static int do_create(struct tx *tx, const struct caller *c, const struct mirror_rule_args *args,
		     const struct mirror_filter **ret_filter, const struct mirror_rule **ret,
		     struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct mirror_filter *f;
	const struct token *seen;
	uint64_t id;
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (!r && seen)
		return answer_again(tx->m, c, seen->results[0], ret_filter, ret, reterr);
	if (!r)
		r = mirror_filter_find(tx->m, c, args->filter_id, &f, reterr);
	if (!r)
		r = tx_edit(tx, &f->o, &o);
	if (r)
		return r;
	id = tx_random(tx);
	r = append((struct mirror_filter *)o, id, args, reterr);
	if (!r)
		r = settle((struct mirror_filter *)o, reterr);
	if (!r)
		r = put(tx, f, (struct mirror_filter **)&o, id, ret_filter, ret);
	return r ? r
		 : token_remember(tx, c->account, OPERATION, &args->token, KIND_MIRROR_FILTER, &id,
				  1);
}

int mirror_rule_create(struct tx *tx, const struct caller *c, const struct mirror_rule_args *args,
		       const struct mirror_filter **ret_filter, const struct mirror_rule **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret_filter, ret, reterr));
}

static int do_modify(struct tx *tx, const struct caller *c, const char *id,
		     const struct mirror_rule_args *args, const struct mirror_filter **ret_filter,
		     const struct mirror_rule **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct mirror_filter *f = NULL;
	const struct mirror_rule *rule = NULL;
	uint64_t number;
	int r = find(tx->m, c, id, &f, &rule, reterr);

	if (!r)
		r = tx_edit(tx, &f->o, &o);
	if (r)
		return r;
	number = rule->id;
	r = change(&((struct mirror_filter *)o)->rules[rule - f->rules], args, reterr);
	if (!r)
		r = settle((struct mirror_filter *)o, reterr);
	return r ? r : put(tx, f, (struct mirror_filter **)&o, number, ret_filter, ret);
}

int mirror_rule_modify(struct tx *tx, const struct caller *c, const char *id,
		       const struct mirror_rule_args *args, const struct mirror_filter **ret_filter,
		       const struct mirror_rule **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_modify(tx, c, id, args, ret_filter, ret, reterr));
}

static int do_delete(struct tx *tx, const struct mirror_filter *f, const struct mirror_rule *rule)
{
	size_t i = (size_t)(rule - f->rules);
	struct mirror_filter *new = NULL;
	int r = TX_EDIT(tx, f, &new);

	if (r)
		return r;
	free(new->rules[i].description);
	new->n_rules--;
	memmove(&new->rules[i], &new->rules[i + 1], (new->n_rules - i) * sizeof(*new->rules));
	return TX_PUT(tx, f, &new);
}

int mirror_rule_delete(struct tx *tx, const struct caller *c, const char *id,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_filter *f;
	const struct mirror_rule *rule;
	int r = find(tx->m, c, id, &f, &rule, reterr);

	return r ? r : tx_settle(tx, mark, do_delete(tx, f, rule));
}
