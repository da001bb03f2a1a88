/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals: what the rules of the VPC do not allow, as values.
 *
 * A model operation returns 0, a negative errno (a fault: memory), or a positive MODEL_E_*.  With
 * the latter it fills the caller's 'struct refusal': the code, the subject (the id or value at
 * fault) and the message as EC2 words it.  refusal_info() gives, from the one table refusal.def,
 * what an API needs to answer: EC2's error code, HTTP status, the class for the operator API.
 *
 * Plain values, any thread.
 */
#pragma once

#include "base/err.h"

enum {
	MODEL_OK = 0,
#define REFUSAL(name, ec2, class, message) MODEL_E_##name,
#include "model/refusal.def"
#undef REFUSAL
	MODEL_E_MAX,
};

enum refusal_class {
	REFUSAL_INVALID,     /* 400 */
	REFUSAL_FORBIDDEN,   /* 403 */
	REFUSAL_NOT_FOUND,   /* 404 */
	REFUSAL_CONFLICT,    /* 409 */
	REFUSAL_LIMIT,       /* 429 */
	REFUSAL_UNAVAILABLE, /* 503 */
};

enum { REFUSAL_SUBJECT_SIZE = 128, REFUSAL_MESSAGE_SIZE = 512 };

struct refusal {
	int code; /* MODEL_E_*, 0: none */
	char subject[REFUSAL_SUBJECT_SIZE];
	char message[REFUSAL_MESSAGE_SIZE];
};

struct refusal_info {
	const char *name;     /* "VPC_NOT_FOUND" */
	const char *ec2_code; /* "InvalidVpcID.NotFound" */
	int ec2_status;       /* HTTP status in the EC2 API: 400; 500 for lack of capacity */
	enum refusal_class class;
	const char *class_name; /* "NotFound", for the operator API */
	int status;             /* HTTP status in the operator API */
};

/* 'code' is a MODEL_E_*. */
const struct refusal_info *refusal_info(int code);

/* Fills 'r' (may be NULL) with 'code' and its message; the arguments are strings, as many as the
 * message in refusal.def has, the first is the subject.  Returns 'code'. */
int refuse(struct refusal *r, int code, const char *subject, ...);
