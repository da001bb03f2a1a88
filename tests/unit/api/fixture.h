/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API over a model with two hosts that do what they are told at once, for tests and for the test
 * server: accounts 111111111111 (key KEY1, SECRET1) and 222222222222 (KEY2, SECRET2), the
 * operator's token "operator".
 */
#pragma once

#include "api/api.h"
#include "base/clock.h"
#include "model/model.h"

struct fixture {
	struct clock clock;
	struct model *model;
	struct api_live live;
	struct api *api;
	uint64_t n_ids;    /* state of the source of ids */
	bool hosts_answer; /* hosts acknowledge after each request */
	bool store_broken;
	struct api_drop drops[4];
	size_t n_drops;
	uint64_t used; /* id of the interface that has usage */
	char drop_interface[32];
};

/* The clock shows 2026-01-31T12:00:00Z and stands still, unless 'real_time'. */
void fixture_init(struct fixture *f, bool real_time);
void fixture_deinit(struct fixture *f);
/* The same for cmocka: the state is a fixture whose clock stands still. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Handles a request as it is; the change is committed, that is, dropped. */
void fixture_handle(struct fixture *f, const struct http_request *r, struct api_answer *ret);
/* A form signed with the key of account 1 or 2, for service ec2.  The answer is freed by the
 * caller. */
void fixture_ec2(struct fixture *f, int account, const char *form, struct api_answer *ret);
/* The text of the first element <element> of what a form of account 1 makes, which must succeed;
 * freed by the caller. */
char *fixture_create(struct fixture *f, const char *form, const char *element);
/* With the operator's token. */
void fixture_operator(struct fixture *f, const char *method, const char *path, const char *query,
		      const char *body, struct api_answer *ret);

/* A GET of the operators' API, signed with the key of account 1 or 2. */
void fixture_account(struct fixture *f, int account, const char *path, const char *query,
		     struct api_answer *ret);

/* The body as text, borrowed. */
const char *answer_text(struct api_answer *a);
/* Whether it is a fault of the API's own, not a refusal: a lack of hosts or addresses has a status
 * above 500, too. */
bool answer_is_fault(struct api_answer *a);
/* The text of the first element <name>, to be freed; NULL: there is none. */
char *answer_element(struct api_answer *a, const char *name);
