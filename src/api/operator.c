/* SPDX-License-Identifier: Apache-2.0 */
#include "api/operator.h"

#include <string.h>
#include <strings.h>

#include "api/answer.h"
#include "api/identity.h"
#include "api/route.h"
#include "api/state.h"
#include "base/str.h"

/* Splits the path, undoing its encoding; the number of segments, or 0 for a path that none can
 * have. */
static size_t split_path(struct route_call *c, const char *path)
{
	size_t n = 0;

	while (*path == '/') {
		size_t length = strcspn(++path, "/");
		struct form form;

		if (n == ROUTE_SEGMENTS || !length)
			return 0;
		form_init(&form, c->arena);
		form.plus_is_space = false;
		if (memchr(path, '&', length) || memchr(path, '=', length) ||
		    form_parse(&form, path, length) || form.n != 1)
			return 0;
		c->segments[n++] = form.params[0].name;
		path += length;
	}
	return n;
}

/* "/v1/hosts/{id}" against the segments. */
static bool path_matches(const char *pattern, const struct route_call *c, size_t n)
{
	size_t i = 0;

	while (*pattern == '/') {
		size_t length = strcspn(++pattern, "/");

		if (i == n)
			return false;
		if (*pattern != '{' &&
		    (strncmp(pattern, c->segments[i], length) || c->segments[i][length]))
			return false;
		pattern += length;
		i++;
	}
	return i == n;
}

/* Finds the route; '*ret_other' tells that the path exists with another method. */
static const struct route *find_route(const struct route_call *c, const char *method, size_t n,
				      bool *ret_other)
{
	const struct route *table;
	size_t n_routes;

	*ret_other = false;
	table = routes(&n_routes);
	for (size_t i = 0; i < n_routes; i++) {
		if (!path_matches(table[i].path, c, n))
			continue;
		if (!strcmp(table[i].method, method))
			return &table[i];
		*ret_other = true;
	}
	return NULL;
}

static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = list; length && (p = strstr(p, name)); p += length)
		if ((p == list || p[-1] == ' ') && (p[length] == ' ' || !p[length]))
			return true;
	return false;
}

static int read_query(struct route_call *c, const struct http_request *r)
{
	int ret = 0;

	form_init(&c->query, c->arena);
	if (r->query)
		ret = form_parse(&c->query, r->query, strlen(r->query));
	if (!ret)
		ret = form_sort(&c->query);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return route_refuse(c, 400, "BadRequest", "The query cannot be read");
	for (size_t i = 0; i < c->query.n; i++)
		if (!is_listed(c->route->query, c->query.params[i].name) &&
		    !str_has_prefix(c->query.params[i].name, "X-Amz-"))
			return route_refuse(c, 400, "BadRequest",
					    "The parameter '%.100s' is not known here%s%s",
					    c->query.params[i].name,
					    *c->route->query ? "; known are: " : "",
					    c->route->query);
	return 0;
}

static int read_body(struct route_call *c, const struct http_request *r)
{
	json_error_t error;
	const char *key;
	json_t *value;

	if (strcmp(r->method, "POST") && strcmp(r->method, "PUT"))
		return 0;
	c->body = r->body_size ? json_loadb(r->body, r->body_size, JSON_REJECT_DUPLICATES, &error)
			       : json_object();
	if (!c->body)
		return route_refuse(c, 400, "BadRequest", "The body is not JSON: %s (line %d)",
				    error.text, error.line);
	if (!json_is_object(c->body))
		return route_refuse(c, 400, "BadRequest", "The body must be a JSON object");
	json_object_foreach (c->body, key, value)
		if (!is_listed(c->route->fields, key))
			return route_refuse(c, 400, "BadRequest",
					    "The field '%.100s' is not known "
					    "here; known are: %s",
					    key, c->route->fields);
	return 0;
}

static void write_refusal(struct route_call *c, int r, struct api_answer *answer)
{
	if (r == ROUTE_REFUSED)
		answer_error(answer, c->refused_status, c->code, "%s", c->message);
	else if (r > 0)
		answer_error(answer, refusal_info(r)->status, refusal_info(r)->class_name, "%s",
			     c->refusal.message);
	else
		answer_fault(answer, r);
}

static int put_text(const char *data, size_t size, void *user)
{
	struct buf *b = user;

	buf_put(b, data, size);
	return buf_error(b) ? -1 : 0;
}

static int write_result(struct route_call *c, struct api_answer *answer)
{
	int r;

	if (c->content_type) {
		answer->content_type = c->content_type;
		return buf_error(&answer->body);
	}
	if (c->failed || !c->result)
		return -ENOMEM;
	if (json_dump_callback(c->result, put_text, &answer->body, JSON_COMPACT)) {
		r = buf_error(&answer->body);
		return r ? r : -ENOMEM;
	}
	return 0;
}

static void run(struct route_call *c, const struct http_request *request, struct api_answer *answer)
{
	int r;

	c->status = 200;
	c->text = &answer->body;
	r = read_query(c, request);
	if (!r)
		r = read_body(c, request);
	if (!r && c->route->writes)
		r = tx_begin(c->api->model, c->now_ms, &c->tx);
	if (!r)
		r = c->route->handle(c);
	if (!r)
		r = write_result(c, answer);
	if (c->tx) {
		if (r)
			tx_abort(c->tx);
		else
			r = tx_end(c->tx, &answer->change);
	}
	answer->status = c->status;
	if (r)
		write_refusal(c, r, answer);
	json_decref(c->result);
	json_decref(c->body);
}

/* 0, or what identity_by_signature() returns. */
static int identify(struct api *a, const struct http_request *r, struct route_call *c,
		    struct identity_refusal *reterr)
{
	const char *authorization = http_header_find(r, "authorization");
	struct identity id;
	int ret;

	if (authorization && !strncasecmp(authorization, "Bearer ", strlen("Bearer "))) {
		if (!identity_is_operator(a, authorization + strlen("Bearer "))) {
			*reterr = (struct identity_refusal){
				.status = 401,
				.code = "Unauthorized",
				.message = "The bearer token is not the operator's",
			};
			return -EACCES;
		}
		c->caller.is_operator = true;
		return 0;
	}
	ret = identity_by_signature(a, r, &id, reterr);
	c->caller = id.caller;
	if (ret == -EACCES && reterr->status == 403 &&
	    !strcmp(reterr->code, "MissingAuthenticationToken"))
		*reterr = (struct identity_refusal){
			.status = 401,
			.code = "Unauthorized",
			.message = "Send 'Authorization: Bearer TOKEN' with the operator's token, "
				   "or sign the request with an access key (SigV4, service ec2)",
		};
	return ret;
}

void operator_handle(struct api *a, const struct http_request *r, struct api_answer *ret)
{
	struct route_call c = {
		.api = a,
		.model = a->model,
		.now_ms = clock_wall_ms(a->clock),
		.arena = &a->arena,
	};
	struct identity_refusal refusal;
	bool other;
	int code;

	answer_init(ret, API_JSON);
	code = identify(a, r, &c, &refusal);
	if (code == -EACCES) {
		answer_error(ret, refusal.status, refusal.code, "%s", refusal.message);
		return;
	}
	if (code) {
		answer_fault(ret, code);
		return;
	}
	c.route = find_route(&c, r->method, split_path(&c, r->path), &other);
	if (!c.route && other)
		answer_error(ret, 405, "MethodNotAllowed", "%s cannot be used with %s", r->path,
			     r->method);
	else if (!c.route)
		answer_error(ret, 404, "NotFound", "There is nothing at %.200s", r->path);
	else if (!c.route->for_accounts && !c.caller.is_operator)
		answer_error(ret, 403, "Forbidden",
			     "Only operators may do this: use the operator's token");
	else if (c.route->writes && c.caller.read_only)
		answer_error(ret, 403, "Forbidden", "The access key is read-only");
	else
		run(&c, r, ret);
}
