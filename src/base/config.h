/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files of the daemons:
 *
 *	# a comment
 *	key = value          before the first section: section ""
 *	[section]
 *	key = value          white space at the ends is dropped; a value may hold '='
 *
 * The caller names every key it knows in a table; unknown sections and keys, keys given twice,
 * missing ones and bad values are errors that name the file and the line.  Nothing is a default
 * here: the caller fills its struct with defaults first.  On failure destinations may be partly
 * set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Parses 'value' into 'dest': 0, or -EINVAL or -ERANGE for a bad value, or -ENOMEM. */
typedef int (*config_parse_fn)(const char *value, void *dest);

struct config_key {
	const char *section;
	const char *key;
	config_parse_fn parse;
	void *dest;
	const char *expected; /* for the message: "a port number"; never NULL */
	bool required;
	bool many; /* may be given more than once; 'parse' adds */
};

struct config_error {
	char text[512]; /* "/etc/viaduct/agent.conf:12: unknown key \"x\" in section [y]" */
};

/* Common parsers; 'dest' is of the type named. */
int config_parse_string(const char *value, void *dest); /* char **, freed before it is set */
int config_parse_u32(const char *value, void *dest);    /* uint32_t * */

/* Reads 'path'.  0; a negative errno with what to tell the user in '*reterr_error'. */
must_check int config_load(const char *path, const struct config_key *keys, size_t n_keys,
			   struct config_error *reterr_error);
/* The same on text in memory; 'name' stands for the path in messages. */
must_check int config_parse(const char *name, const char *text, const struct config_key *keys,
			    size_t n_keys, struct config_error *reterr_error);
