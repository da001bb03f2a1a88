/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the operators' API, handed to the handler of its route.
 *
 * A handler sets c->result (a JSON object that it gives away), or c->content_type and writes to
 * c->text, and returns 0, or a MODEL_E_* with c->refusal, ROUTE_REFUSED by route_refuse(), or a
 * negative errno; then nothing of what it did stays. The json_put functions note a lack of memory
 * in c->failed, so that building is a straight list.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/form.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/refusal.h"

enum { ROUTE_REFUSED = MODEL_E_MAX, ROUTE_SEGMENTS = 6 };

struct route_call {
	struct api *api;
	const struct route *route;
	const struct model *model;
	struct tx *tx; /* NULL: the route only reads */
	struct caller caller;
	uint64_t now_ms;
	const char *segments[ROUTE_SEGMENTS]; /* of the path, behind /v1/ */
	struct form query;
	json_t *body; /* of a POST or PUT: an object; borrowed */
	struct arena *arena;
	json_t *result;
	struct buf *text;         /* or what is answered, when content_type is set */
	const char *content_type; /* static */
	int status;               /* of success: 200 unless the handler says otherwise */
	bool failed;
	struct refusal refusal;
	/* Of route_refuse(): */
	int refused_status;
	const char *code;
	const char *message;
};

struct route {
	const char *method;
	const char *path; /* "/v1/accounts/{id}/keys" */
	int (*handle)(struct route_call *c);
	bool for_accounts; /* else only operators */
	bool writes;
	const char *query;  /* names of its parameters, between spaces: "limit next network" */
	const char *fields; /* of the body, likewise */
	const char *text;   /* what it does */
};
const struct route *routes(size_t *ret_n);

int route_refuse(struct route_call *c, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A parameter of the query, or NULL. */
const char *route_query(const struct route_call *c, const char *name);

/* A text of the body; NULL when it is not there or null.  'required': refused then.
 * 0, ROUTE_REFUSED */
must_check int route_text(struct route_call *c, const char *name, bool required, const char **ret);
/* A number 0..UINT32_MAX of the body; '*ret' is NULL when it is not there. */
must_check int route_u32(struct route_call *c, const char *name, const uint32_t **ret);

/* True or false of the body; likewise. */
must_check int route_bool(struct route_call *c, const char *name, const bool **ret);

struct tag_args;
/* An object of strings; NULL when it is not there. */
must_check int route_tags(struct route_call *c, const char *name, const struct tag_args **ret,
			  size_t *ret_n);

void json_put(struct route_call *c, json_t *o, const char *key, json_t *value); /* takes 'value' */
void json_put_text(struct route_call *c, json_t *o, const char *key,
		   const char *value); /* or null */
void json_put_u64(struct route_call *c, json_t *o, const char *key, uint64_t value);
void json_put_bool(struct route_call *c, json_t *o, const char *key, bool value);
void json_put_id(struct route_call *c, json_t *o, const char *key, enum kind k, uint64_t id);
void json_put_addr(struct route_call *c, json_t *o, const char *key, const struct ipaddr *a);
void json_put_prefix(struct route_call *c, json_t *o, const char *key, const struct prefix *p);
void json_put_time(struct route_call *c, json_t *o, const char *key, uint64_t ms); /* 0: null */
/* "id", "account", "revision" */
void json_put_identity(struct route_call *c, json_t *o, const struct object *object);
void json_put_account(struct route_call *c, json_t *o, uint64_t account); /* "account" */
/* Its name; null when there is no such host. */
json_t *json_host(struct route_call *c, uint32_t number);
void json_put_host(struct route_call *c, json_t *o, const char *key,
		   uint32_t number); /* its name */
json_t *json_usage(struct route_call *c, const struct usage *u);
void json_put_tags(struct route_call *c, json_t *o, const char *key, const struct object *tagged);
void json_put_formats(struct route_call *c, json_t *o, const char *key, uint32_t formats);
void json_put_features(struct route_call *c, json_t *o, const char *key, uint32_t features);
json_t *json_new_object(struct route_call *c);
json_t *json_new_array(struct route_call *c);
void json_append(struct route_call *c, json_t *array, json_t *value); /* takes 'value' */

/* A list of objects of one kind, in pages, in the order of creation:
 * {"NAME":[...],"next":TOKEN}. */
struct route_list {
	const char *name;
	enum kind kind;
	/* What is to be shown of 'o', a new value; NULL: nothing. */
	json_t *(*show)(struct route_call *c, const struct object *o);
};
/* Of what the caller owns, an operator of all: sets c->result.  0, ROUTE_REFUSED, a negative
 * errno. */
must_check int route_list_run(struct route_call *c, const struct route_list *l);
/* Of others: of those that 'it', which has not begun, goes over. */
must_check int route_list_run_over(struct route_call *c, const struct route_list *l,
				   struct model_iter it);
/* Whether the parameter 'name' of the query was not sent, or is the id (kind, id). */
bool route_query_is(const struct route_call *c, const char *name, enum kind k, uint64_t id);
/* The same for a host, by id, name or number. */
bool route_query_is_host(const struct route_call *c, const char *name, uint32_t number);
/* A host named in the query must be there: 0 or ROUTE_REFUSED. */
must_check int route_check_host_query(struct route_call *c, const char *name);
/* There is no such host.  ROUTE_REFUSED. */
must_check int route_refuse_host(struct route_call *c, const char *id);
