/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of EC2 actions: their tables, the check of a request against its table, and access to
 * what has passed the check.
 *
 * A table names each parameter as it is written, with N for an index ("Filter.N.Value.N").  The
 * check refuses parameters that are not in the table, that lack, that are not of their type, and
 * those of functions that Viaduct does not have, unless they switch the function off ("false",
 * "0").
 *
 * Accessors return NULL, or nothing, for what was not sent; they cannot fail otherwise.  Everything
 * lives as long as the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "base/err.h"
#include "model/host.h"
#include "model/token.h"

enum param_type { PARAM_TEXT, PARAM_BOOL, PARAM_U32, PARAM_I32 };

enum param_need {
	PARAM_OPTIONAL,
	PARAM_REQUIRED,    /* of a list: at least one element */
	PARAM_IGNORED,     /* accepted, has no meaning here */
	PARAM_UNSUPPORTED, /* refused unless it says no */
};

struct param_spec {
	const char *pattern;
	enum param_type type;
	enum param_need need;
};

/* Checks the whole form.  0, EC2_REFUSED, -ENOMEM. */
must_check int param_check(struct ec2_call *c, const struct param_spec *specs, size_t n);

const char *param_text(const struct ec2_call *c, const char *name);
const bool *param_bool(const struct ec2_call *c, const char *name);
bool param_is_true(const struct ec2_call *c, const char *name);
/* 'fallback' when it was not sent. */
uint32_t param_u32(const struct ec2_call *c, const char *name, uint32_t fallback);

/* NULL when it was not sent; lives as long as the call.  For PARAM_I32. */
const int32_t *param_i32(const struct ec2_call *c, const char *name);

/* A list, in order of its indices: PREFIX.1, PREFIX.2, ...  0, -ENOMEM */
must_check int param_list(const struct ec2_call *c, const char *prefix, const char *const **ret,
			  size_t *ret_n);
/* The indices that occur in PREFIX.N..., in order, each once.  0, -ENOMEM */
must_check int param_indices(const struct ec2_call *c, const char *prefix, const uint32_t **ret,
			     size_t *ret_n);
/* A name with its indices filled in; NULL: no memory. */
const char *param_name(const struct ec2_call *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Tag.N.Key, Tag.N.Value below 'prefix' ("" or "TagSpecification.1."); 'values' tells whether a tag
 * must have a value.  0, EC2_REFUSED, -ENOMEM */
must_check int param_tags(struct ec2_call *c, const char *prefix, bool values,
			  const struct tag_args **ret, size_t *ret_n);
/* The tags for 'resource' in TagSpecification.N; other resources than those in 'allowed' (ended by
 * NULL) are refused. */
must_check int param_tag_specification(struct ec2_call *c, const char *resource,
				       const char *const *allowed, const struct tag_args **ret,
				       size_t *ret_n);
/* ClientToken, with the digest of everything else that was asked for. */
must_check int param_token(struct ec2_call *c, struct token_args *ret);
