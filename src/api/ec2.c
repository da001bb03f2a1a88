/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ec2.h"

#include <stdio.h>
#include <string.h>

#include "api/action.h"
#include "api/answer.h"
#include "api/identity.h"
#include "api/param.h"
#include "api/state.h"
#include "base/limits.h"

static void refuse_form(struct api_answer *answer, const struct form *f, int r)
{
	const char *name = f->culprit ? f->culprit : "?";

	if (r == -EILSEQ)
		answer_error(answer, 400, "MalformedQueryString",
			     "The parameter '%.100s' is not percent-encoded UTF-8 text", name);
	else if (r == -E2BIG)
		answer_error(answer, 400, "MalformedQueryString",
			     "There are more than %u parameters", LIMIT_API_PARAMS);
	else if (r == -EEXIST)
		answer_error(answer, 400, "InvalidParameterCombination",
			     "The parameter '%.100s' is given twice", name);
	else
		answer_fault(answer, r);
}

/* The parameters of the query and of the body together. */
static int read_form(struct api *a, const struct http_request *r, struct form *ret)
{
	int ret_code = 0;

	form_init(ret, &a->arena);
	if (r->query)
		ret_code = form_parse(ret, r->query, strlen(r->query));
	if (!ret_code && r->body_size && !strcmp(r->method, "POST"))
		ret_code = form_parse(ret, r->body, r->body_size);
	return ret_code ? ret_code : form_sort(ret);
}

/* Turns what a handler returned into an error of the protocol. */
static void write_refusal(struct ec2_call *c, int r, struct api_answer *answer)
{
	const struct refusal_info *info;

	if (r == EC2_REFUSED) {
		answer_error(answer, c->status, c->code, "%s", c->message);
	} else if (r > 0) {
		info = refusal_info(r);
		answer_error(answer, info->ec2_status, info->ec2_code, "%s", c->refusal.message);
	} else {
		answer_fault(answer, r);
	}
}

static int run_handler(struct ec2_call *c, struct api_answer *answer)
{
	struct xml x;
	int r;

	xml_init(&x, &answer->body);
	c->xml = &x;
	xml_open(&x, param_name(c, "%sResponse", c->action->name));
	xml_attribute(&x, "xmlns", EC2_NAMESPACE);
	xml_text(&x, "requestId", answer->request_id);
	r = c->action->handle(c);
	if (!r)
		r = xml_end(&x);
	xml_deinit(&x);
	if (!r && param_is_true(c, "DryRun"))
		r = ec2_refuse(c, 412, "DryRunOperation",
			       "Request would have succeeded, but DryRun flag is set.");
	return r;
}

static void run_action(struct ec2_call *c, struct api_answer *answer)
{
	bool writes = c->action->effect == ACTION_WRITES;
	int r = 0;

	if (c->action->effect == ACTION_REFUSES)
		r = ec2_refuse_unsupported(c, c->action->name);
	if (!r && writes && c->caller.read_only)
		r = ec2_refuse(c, 403, "UnauthorizedOperation",
			       "You are not authorized to perform this operation. The access key "
			       "is read-only.");
	if (!r)
		r = param_check(c, c->action->params, c->action->n_params);
	if (!r && writes)
		r = tx_begin(c->api->model, c->now_ms, &c->tx);
	if (!r)
		r = run_handler(c, answer);
	if (c->tx) {
		if (r)
			tx_abort(c->tx);
		else
			r = tx_end(c->tx, &answer->change);
	}
	if (r)
		write_refusal(c, r, answer);
}

static void run_sts(struct ec2_call *c, const struct identity *id, const char *action,
		    struct api_answer *answer)
{
	char account[ACCOUNT_TEXT_SIZE], arn[64];
	struct xml x;
	int r;

	if (strcmp(action, "GetCallerIdentity")) {
		answer_error(answer, 400, "InvalidAction",
			     "Could not find operation %.100s for this service", action);
		return;
	}
	account_text(id->caller.account, account);
	snprintf(arn, sizeof(arn), "arn:aws:iam::%s:root", account);
	xml_init(&x, &answer->body);
	xml_open(&x, "GetCallerIdentityResponse");
	xml_attribute(&x, "xmlns", STS_NAMESPACE);
	xml_open(&x, "GetCallerIdentityResult");
	xml_text(&x, "Arn", arn);
	xml_text(&x, "UserId", account);
	xml_text(&x, "Account", account);
	xml_close(&x);
	xml_open(&x, "ResponseMetadata");
	xml_text(&x, "RequestId", answer->request_id);
	xml_close(&x);
	r = xml_end(&x);
	xml_deinit(&x);
	if (r)
		answer_fault(answer, r);
}

static void run(struct api *a, const struct identity *id, const struct form *form,
		struct api_answer *answer)
{
	const char *name = form_find(form, "Action");
	const char *version = form_find(form, "Version");
	struct ec2_call c = {
		.api = a,
		.model = a->model,
		.caller = id->caller,
		.now_ms = clock_wall_ms(a->clock),
		.form = form,
		.arena = &a->arena,
	};

	if (!name || !*name) {
		answer_error(answer, 400, "MissingAction",
			     "The request must contain the parameter Action");
		return;
	}
	if (id->is_sts) {
		run_sts(&c, id, name, answer);
		return;
	}
	c.action = action_find(name);
	if (!c.action)
		answer_error(answer, 400, "InvalidAction",
			     "The action %.100s is not valid for this web service. It is misspelt, "
			     "or of "
			     "a part of EC2 that Viaduct does not have: docs/ec2-api.md lists what "
			     "it has.",
			     name);
	else if (version && strcmp(version, "2016-11-15"))
		answer_error(answer, 400, "NoSuchVersion",
			     "The requested version (%.40s) of service AmazonEC2 does not exist",
			     version);
	else
		run_action(&c, answer);
}

void ec2_handle(struct api *a, const struct http_request *r, struct api_answer *ret)
{
	struct identity_refusal refusal;
	struct identity id;
	struct form form;
	int code;

	answer_init(ret, API_EC2);
	if (strcmp(r->method, "POST") && strcmp(r->method, "GET")) {
		answer_error(ret, 405, "MethodNotAllowed", "Use POST, or GET");
		return;
	}
	code = identity_by_signature(a, r, &id, &refusal);
	if (id.is_sts)
		ret->protocol = API_STS;
	if (code == -EACCES) {
		answer_error(ret, refusal.status, refusal.code, "%s", refusal.message);
		return;
	}
	if (code) {
		answer_fault(ret, code);
		return;
	}
	code = read_form(a, r, &form);
	if (code)
		refuse_form(ret, &form, code);
	else
		run(a, &id, &form, ret);
}
