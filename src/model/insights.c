/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept questions about reachability, and their answers.  See insights.h.
 */
#include "model/insights.h"

#include <string.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/insights_question.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/token_edit.h"

#define OPERATION_CREATE "CreateNetworkInsightsPath"
#define OPERATION_START  "StartNetworkInsightsAnalysis"

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

static int find_ends(const struct model *m, const struct caller *c, struct insights_path *p,
		     const struct insights_path_args *args, struct refusal *reterr)
{
	int r = find_end(m, c, "source", args->source, &p->source_kind, &p->source, reterr);

	if (r || !args->destination)
		return r;
	return find_end(m, c, "destination", args->destination, &p->destination_kind,
			&p->destination, reterr);
}

static int fill_path(struct tx *tx, const struct caller *c, struct insights_path *p,
		     const struct insights_path_args *args, struct refusal *reterr)
{
	int r = find_ends(tx->m, c, p, args, reterr);

	if (!r)
		r = insights_question_parse(args, p, reterr);
	if (r)
		return r;
	if (p->source_kind == KIND_INTERNET_GATEWAY && p->destination_kind == KIND_INTERNET_GATEWAY)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The source and the destination cannot both be internet gateways");
	if (p->source == p->destination && p->source_kind == p->destination_kind)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "The source and the destination must not be the same");
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

static int analyse(struct tx *tx, const struct insights_path *p, struct insights_analysis *a,
		   struct refusal *reterr)
{
	struct reach_question q;
	struct reach_answer answer;
	int r = insights_question(tx->m, p, &q, reterr);

	if (r)
		return r;
	r = reach_analyse(tx->m, &q, &answer);
	if (r)
		return r;
	a->path = p->o.id;
	a->found = answer.found;
	a->port_from = answer.port_from;
	a->port_to = answer.port_to;
	a->to_port_from = answer.to_port_from;
	a->to_port_to = answer.to_port_to;
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
