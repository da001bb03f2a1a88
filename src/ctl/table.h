/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of JSON objects as a table for people, or one object as "name: value" lines: the same walk
 * over the same data that --json prints as it came.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct table_column {
	const char *title;
	const char *path; /* members from the row down: "capabilities.mtu" */
};

/* The text of a value for people, to be freed: "-" for what is absent; lists with commas, objects
 * as name=value; control characters escaped, so that data cannot draw on a terminal.
 * NULL: no memory. */
char *table_text(const json_t *value);
/* The value at 'path' below 'row', borrowed, or NULL. */
const json_t *table_value(const json_t *row, const char *path);

/* 0 or -ENOMEM.  On a terminal that is too narrow for the table each row is a block of lines, a
 * column a line. */
must_check int table_print(FILE *out, const json_t *rows, const struct table_column *columns,
			   size_t n_columns);
/* The same for 'most' characters in a line; 0: as many as it takes. */
must_check int table_print_within(FILE *out, const json_t *rows, const struct table_column *columns,
				  size_t n_columns, size_t most);
must_check int table_print_object(FILE *out, const json_t *object,
				  const struct table_column *columns, size_t n_columns);
