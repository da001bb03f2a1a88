/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the EC2 API: everything an action needs, handed to its handler.
 *
 * A handler reads its parameters (api/param.h), which were checked against its table in actions.def
 * before it is called, does its work on the model (a read-only model, or an open transaction when
 * the action writes), and writes the elements of its answer.  It returns 0, a MODEL_E_* with
 * c->refusal filled in, EC2_REFUSED by ec2_refuse(), or a negative errno; after anything but 0 what
 * it wrote is thrown away, in the answer and in the model.
 *
 * Everything is borrowed for the call; memory comes from c->arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/form.h"
#include "api/xml.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/model.h"
#include "model/refusal.h"
#include "model/tx.h"

struct action;
struct api;

enum { EC2_REFUSED = MODEL_E_MAX }; /* beside the MODEL_E_* */

struct ec2_call {
	struct api *api;
	const struct action *action;
	const struct model *model;
	struct tx *tx; /* NULL: the action only reads */
	struct caller caller;
	uint64_t now_ms;
	const struct form *form;
	struct arena *arena;
	struct xml *xml;
	struct refusal refusal; /* of the model */
	/* Of ec2_refuse(): */
	const char *code;
	int status;
	const char *message;
};

/* Refuses with an error of the protocol's own; returns EC2_REFUSED. */
int ec2_refuse(struct ec2_call *c, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The forms most used: 400, "Value (VALUE) for parameter NAME is invalid. WHY" */
int ec2_refuse_value(struct ec2_call *c, const char *name, const char *value, const char *why);
int ec2_refuse_missing(struct ec2_call *c, const char *name);
/* "WHAT is not supported. ..." */
int ec2_refuse_unsupported(struct ec2_call *c, const char *what);

/* Elements that many answers have. */
void ec2_write_return(struct ec2_call *c); /* <return>true</return> */
void ec2_write_tags(struct ec2_call *c, const struct object *o);
void ec2_write_owner(struct ec2_call *c, const char *name, uint64_t account);
void ec2_write_id(struct ec2_call *c, const char *name, enum kind k, uint64_t id);
void ec2_write_addr(struct ec2_call *c, const char *name, const struct ipaddr *a);
void ec2_write_prefix(struct ec2_call *c, const char *name, const struct prefix *p);
/* "123456789012" */
enum { ACCOUNT_TEXT_SIZE = 21 };
const char *account_text(uint64_t account, char buf[static ACCOUNT_TEXT_SIZE]);
/* "arn:aws:ec2:REGION:ACCOUNT:TYPE/ID" of an object that is named by its id there. */
enum { ARN_SIZE = 192 };
const char *ec2_arn(const struct ec2_call *c, const char *type, const struct object *o,
		    char buf[static ARN_SIZE]);
