/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept questions about reachability, and their answers.  See insights.h.
 */
#include "model/insights.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/subnet.h"
#include "model/token_edit.h"

#define OPERATION_CREATE "CreateNetworkInsightsPath"
#define OPERATION_START  "StartNetworkInsightsAnalysis"

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

int insights_path_find(const struct model *m, const struct caller *c, const char *id,
		       const struct insights_path **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_INSIGHTS_PATH, id, &number))
		o = model_get(m, KIND_INSIGHTS_PATH, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_INSIGHTS_PATH_NOT_FOUND, id);
	*ret = (const struct insights_path *)o;
	return 0;
}

int insights_analysis_find(const struct model *m, const struct caller *c, const char *id,
			   const struct insights_analysis **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_INSIGHTS_ANALYSIS, id, &number))
		o = model_get(m, KIND_INSIGHTS_ANALYSIS, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_INSIGHTS_ANALYSIS_NOT_FOUND, id);
	*ret = (const struct insights_analysis *)o;
	return 0;
}

/* ---- paths ---- */

/* An end by its id: what it is, and that it is there. */
static int find_end(const struct model *m, const struct caller *c, const char *parameter,
		    const char *text, enum kind *ret_kind, uint64_t *ret, struct refusal *reterr)
{
	const struct internet_gateway *g;
	const struct interface *i;
	const struct instance *n;
	int r;

	*ret_kind = kind_of_id(text);
	switch (*ret_kind) {
	case KIND_INTERFACE:
		r = interface_find(m, c, text, &i, reterr);
		break;
	case KIND_INSTANCE:
		r = instance_find(m, c, text, &n, reterr);
		break;
	case KIND_INTERNET_GATEWAY:
		r = internet_gateway_find(m, c, text, &g, reterr);
		break;
	default:
		return refuse(reterr, MODEL_E_VALUE, text, parameter,
			      "Name an instance, a network interface or an internet gateway.");
	}
	return r ? r : id_parse(*ret_kind, text, ret);
}

/* The address of an end, or zero: of the world behind a gateway it must be given. */
static int parse_end_addr(const char *parameter, const char *text, enum kind k, struct ipaddr *ret,
			  struct refusal *reterr)
{
	*ret = (struct ipaddr){0};
	if (!text && k == KIND_INTERNET_GATEWAY)
		return refuse(reterr, MODEL_E_MISSING, parameter);
	if (text && ipaddr_parse(text, ret))
		return refuse(reterr, MODEL_E_VALUE, text, parameter,
			      "This is no IPv4 or IPv6 address.");
	return 0;
}

static int check_families(const struct insights_path *p, struct refusal *reterr)
{
	const struct ipaddr *a = &p->source_addr, *b = &p->destination_addr;

	if (ipaddr_is_zero(a) || ipaddr_is_zero(b) || ipaddr_is_v4(a) == ipaddr_is_v4(b))
		return 0;
	return refuse(reterr, MODEL_E_COMBINATION,
		      "The addresses of the source and the destination must be of one family");
}

static int fill_path(struct tx *tx, const struct caller *c, struct insights_path *p,
		     const struct insights_path_args *args, struct refusal *reterr)
{
	int r = find_end(tx->m, c, "source", args->source, &p->source_kind, &p->source, reterr);

	if (!r)
		r = find_end(tx->m, c, "destination", args->destination, &p->destination_kind,
			     &p->destination, reterr);
	if (!r)
		r = parse_end_addr("sourceIp", args->source_ip, p->source_kind, &p->source_addr,
				   reterr);
	if (!r)
		r = parse_end_addr("destinationIp", args->destination_ip, p->destination_kind,
				   &p->destination_addr, reterr);
	if (!r)
		r = check_families(p, reterr);
	if (r)
		return r;
	if (p->source_kind == KIND_INTERNET_GATEWAY && p->destination_kind == KIND_INTERNET_GATEWAY)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The source and the destination cannot both be internet gateways");
	if (p->source == p->destination && p->source_kind == p->destination_kind)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The source and the destination must not be the same");
	if (str_equal(args->protocol, "tcp"))
		p->protocol = PROTOCOL_TCP;
	else if (str_equal(args->protocol, "udp"))
		p->protocol = PROTOCOL_UDP;
	else
		return refuse(reterr, MODEL_E_VALUE, args->protocol, "protocol",
			      "It is tcp or udp.");
	if (!args->port || args->port > UINT16_MAX)
		return refuse(reterr, MODEL_E_VALUE, "0", "destinationPort",
			      "It is between 1 and 65535.");
	p->port = args->port;
	return tags_set(&p->o, args->tags, args->n_tags, reterr);
}

static int do_create(struct tx *tx, const struct caller *c, const struct insights_path_args *args,
		     const struct insights_path **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct insights_path *result;
	const struct token *seen;
	int r = token_seen(tx, c->account, OPERATION_CREATE, &args->token, &seen, reterr);
	char id[ID_TEXT_SIZE];

	if (r)
		return r;
	if (seen)
		return insights_path_find(
			tx->m, c, id_text(KIND_INSIGHTS_PATH, seen->results[0], id), ret, reterr);
	if (model_account_count(tx->m, KIND_INSIGHTS_PATH, c->account) >= LIMIT_MODEL_INSIGHTS)
		return refuse(reterr, MODEL_E_INSIGHTS_LIMIT, "network insights paths");
	r = tx_make(tx, KIND_INSIGHTS_PATH, c->account, &o);
	if (!r)
		r = fill_path(tx, c, (struct insights_path *)o, args, reterr);
	if (r)
		return r;
	result = (const struct insights_path *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, OPERATION_CREATE, &args->token,
				   KIND_INSIGHTS_PATH, &result->o.id, 1);
	if (!r)
		*ret = result;
	return r;
}

int insights_path_create(struct tx *tx, const struct caller *c,
			 const struct insights_path_args *args, const struct insights_path **ret,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int insights_path_delete(struct tx *tx, const struct caller *c, const char *id,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct insights_path *p;
	int r = insights_path_find(tx->m, c, id, &p, reterr);

	if (r)
		return r;
	if (model_group_count(tx->m, REL_PATH_ANALYSES, p->o.id))
		return refuse(reterr, MODEL_E_INSIGHTS_PATH_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &p->o));
}

/* ---- analyses ---- */

/* An instance stands for its primary interface, or for the one that has the address. */
static const struct interface *interface_of_instance(const struct model *m, uint64_t instance,
						     const struct ipaddr *addr)
{
	struct model_iter it = model_iter_group(m, REL_INSTANCE_INTERFACES, instance);
	const struct interface *found = NULL;
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct interface *i = (const struct interface *)o;

		for (size_t a = 0; !ipaddr_is_zero(addr) && a < i->n_addrs; a++)
			if (ipaddr_equal(&i->addrs[a].addr, addr))
				return i;
		if (!interface_attachment_to(i, instance)->device_index)
			found = i;
	}
	return ipaddr_is_zero(addr) ? found : NULL;
}

/* The first address of the family; NULL: there is none. */
static const struct ipaddr *first_addr(const struct interface *i, bool v6)
{
	for (size_t a = 0; a < i->n_addrs; a++)
		if (ipaddr_is_v4(&i->addrs[a].addr) != v6)
			return &i->addrs[a].addr;
	return NULL;
}

static bool has_addr(const struct interface *i, const struct ipaddr *addr)
{
	for (size_t a = 0; a < i->n_addrs; a++)
		if (ipaddr_equal(&i->addrs[a].addr, addr))
			return true;
	return false;
}

/* 'v6': the family of what has no address given. */
static int resolve_end(const struct model *m, enum kind k, uint64_t id, const struct ipaddr *addr,
		       bool v6, struct reach_end *ret, struct refusal *reterr)
{
	const struct object *o = model_get(m, k, id);
	char text[ID_TEXT_SIZE], addr_text[IPADDR_TEXT_SIZE];
	const struct ipaddr *first;

	*ret = (struct reach_end){.addr = *addr};
	if (!o)
		return refuse(reterr, MODEL_E_INSIGHTS_END_GONE, id_text(k, id, text));
	if (k == KIND_INTERNET_GATEWAY) {
		ret->gateway = (const struct internet_gateway *)o;
		return 0;
	}
	ret->interface = k == KIND_INTERFACE ? (const struct interface *)o
					     : interface_of_instance(m, id, addr);
	if (!ret->interface || (!ipaddr_is_zero(addr) && !has_addr(ret->interface, addr)))
		return refuse(reterr, MODEL_E_VALUE, ipaddr_text(addr, addr_text), "ip",
			      "The source or destination does not have this address.");
	if (!ipaddr_is_zero(addr))
		return 0;
	first = first_addr(ret->interface, v6);
	if (!first)
		return refuse(reterr, MODEL_E_VALUE, id_text(k, id, text), "networkInsightsPathId",
			      "This source or destination has no IPv6 address.");
	ret->addr = *first;
	return 0;
}

/* No IPv4 address is given, but an IPv6 one. */
static bool path_is_v6(const struct insights_path *p)
{
	const struct ipaddr *given =
		ipaddr_is_zero(&p->source_addr) ? &p->destination_addr : &p->source_addr;

	return !ipaddr_is_zero(given) && !ipaddr_is_v4(given);
}

static int analyse(struct tx *tx, const struct insights_path *p, struct insights_analysis *a,
		   struct refusal *reterr)
{
	struct reach_question q = {.protocol = (uint8_t)p->protocol, .port = (uint16_t)p->port};
	struct reach_answer answer;
	bool v6 = path_is_v6(p);
	int r = resolve_end(tx->m, p->source_kind, p->source, &p->source_addr, v6, &q.from, reterr);

	if (!r)
		r = resolve_end(tx->m, p->destination_kind, p->destination, &p->destination_addr,
				v6, &q.to, reterr);
	if (r)
		return r;
	r = reach_analyse(tx->m, &q, &answer);
	if (r)
		return r;
	a->path = p->o.id;
	a->found = answer.found;
	a->port_from = answer.port_from;
	a->port_to = answer.port_to;
	if (!answer.n_steps)
		return 0;
	a->steps = calloc(answer.n_steps, sizeof(*a->steps));
	if (!a->steps)
		return -ENOMEM;
	a->n_steps = answer.n_steps;
	memcpy(a->steps, answer.steps, answer.n_steps * sizeof(*a->steps));
	return 0;
}

static int do_start(struct tx *tx, const struct caller *c, const struct insights_start_args *args,
		    const struct insights_analysis **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct insights_analysis *result;
	const struct insights_path *p;
	const struct token *seen;
	char id[ID_TEXT_SIZE];
	int r = token_seen(tx, c->account, OPERATION_START, &args->token, &seen, reterr);

	if (r)
		return r;
	if (seen)
		return insights_analysis_find(tx->m, c,
					      id_text(KIND_INSIGHTS_ANALYSIS, seen->results[0], id),
					      ret, reterr);
	r = insights_path_find(tx->m, c, args->path_id, &p, reterr);
	if (r)
		return r;
	if (model_account_count(tx->m, KIND_INSIGHTS_ANALYSIS, c->account) >= LIMIT_MODEL_INSIGHTS)
		return refuse(reterr, MODEL_E_INSIGHTS_LIMIT, "network insights analyses");
	r = tx_make(tx, KIND_INSIGHTS_ANALYSIS, c->account, &o);
	if (!r)
		r = analyse(tx, p, (struct insights_analysis *)o, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (r)
		return r;
	result = (const struct insights_analysis *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, OPERATION_START, &args->token,
				   KIND_INSIGHTS_ANALYSIS, &result->o.id, 1);
	if (!r)
		*ret = result;
	return r;
}

int insights_start(struct tx *tx, const struct caller *c, const struct insights_start_args *args,
		   const struct insights_analysis **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_start(tx, c, args, ret, reterr));
}

int insights_analysis_delete(struct tx *tx, const struct caller *c, const char *id,
			     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct insights_analysis *a;
	int r = insights_analysis_find(tx->m, c, id, &a, reterr);

	return r ? r : tx_settle(tx, mark, tx_delete(tx, &a->o));
}
