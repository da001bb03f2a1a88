/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters in the form of application/x-www-form-urlencoded: bodies of the EC2 Query protocol,
 * and queries of URLs.
 *
 * A form collects parameters (of a body and a query, if need be), is sorted once, and is then
 * looked up by name.  Names and values are text: percent-encoding is undone, and what is not UTF-8
 * or could not be said in XML is refused.
 *
 * Everything lives in the arena of the request.  Errors: -EILSEQ (bad encoding or characters),
 * -E2BIG (LIMIT_API_PARAMS), -EEXIST (a name given twice), -ENOMEM; 'culprit' then names the
 * parameter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct form_param {
	const char *name;
	const char *value;
};

struct form {
	struct arena *arena;
	struct form_param *params; /* by name after form_sort() */
	size_t n;
	size_t allocated;
	bool plus_is_space; /* true at first: as browsers and AWS clients write bodies */
	const char *culprit;
};

void form_init(struct form *f, struct arena *a);
/* Adds the parameters in 'text'. */
must_check int form_parse(struct form *f, const char *text, size_t size);
/* To be called once, after the last form_parse(). */
must_check int form_sort(struct form *f);
/* The value of the parameter 'name', or NULL.  Borrowed from the arena. */
const char *form_find(const struct form *f, const char *name);

/* Whether 's' is UTF-8 of characters that XML 1.0 can carry. */
bool form_text_is_valid(const char *s, size_t size);
