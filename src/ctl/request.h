/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the manager: its body from the options of the command line, and its answer for
 * people or as JSON.  All of these complain; 0 or a negative errno.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/table.h"

/* The path is 'prefix', the escaped 'word', and 'suffix'; 'body' and 'ret' may be NULL. */
must_check int request_send(const struct invocation *inv, const char *method, const char *prefix,
			    const char *word, const char *suffix, const json_t *body, json_t **ret);
must_check int request_print_json(const json_t *answer);
/* With --json an empty object: it is done, and there is nothing to say of it. */
must_check int request_print_done(const struct invocation *inv);
/* As lines of names and values, or with --json as it came. */
must_check int request_print_object(const struct invocation *inv, const json_t *answer,
				    const struct table_column *columns, size_t n);
/* All pages of the list 'key' of 'path', as a table, or with --json as an object. */
must_check int request_print_list(const struct invocation *inv, const char *path, const char *key,
				  const struct table_column *columns, size_t n);

/* Members of the body, with '_' for the '-' of options; an option that was not given is left
 * out. */
must_check int request_set_text(json_t *body, const char *key, const char *value);
must_check int request_set_number(const struct invocation *inv, json_t *body, const char *key);
must_check int request_set_flag(const struct invocation *inv, json_t *body, const char *key);
/* "labels" of all --label KEY=VALUE, also when there are none. */
must_check int request_set_labels(const struct invocation *inv, json_t *body);
/* An array of all values of the option. */
must_check int request_set_names(const struct invocation *inv, json_t *body, const char *key);
