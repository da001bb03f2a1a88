/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of commands as data: each node has its word, its help, and either more words below it or
 * a function.  Options may stand anywhere before "--"; what stands behind it is arguments as they
 * are.
 *
 * Every command takes the global options (--endpoint, --token, --admin, --lab, --json, --help)
 * beside its own.  An invocation borrows the words of main(): it lives as long as they do.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"

struct command;

struct command_option {
	const char *name;  /* without the dashes */
	const char *value; /* what stands for its value in the help; NULL: a switch */
	const char *help;
	bool many; /* may be given more than once */
};

struct command_given {
	const struct command_option *option;
	const char *value; /* "" for a switch */
};

struct invocation {
	const struct command *command;
	const struct command *path[LIMIT_CTL_DEPTH]; /* from the root to 'command' */
	size_t n_path;
	struct command_given given[LIMIT_CTL_OPTIONS];
	size_t n_given;
	const char *arguments[LIMIT_CTL_WORDS + 1]; /* NULL behind the last */
	size_t n_arguments;
	bool help; /* asked for: nothing is run */
};

struct command {
	const char *word;
	const char *help;
	const char *arguments; /* for the usage line; NULL: none */
	size_t min_arguments, max_arguments;
	const struct command_option *options;
	size_t n_options;
	const struct command *children; /* instead of all the above but word and help */
	size_t n_children;
	/* 0, or a negative errno after complaining, or a positive exit status: that of
	 * complain_usage(), or a command's own. */
	int (*run)(const struct invocation *inv);
	/* why it has nothing to do with --json; NULL: what it prints is JSON then */
	const char *not_json;
};

/* The value of an option, or NULL when it was not given; the last one of several. */
const char *invocation_option(const struct invocation *inv, const char *name);
/* Walks over the values of an option given several times: start with '*at' 0; NULL ends. */
const char *invocation_next(const struct invocation *inv, const char *name, size_t *at);

/* The options that every command takes. */
const struct command_option *command_global_options(size_t *ret_n);
/* The command 'word' below 'c', or NULL. */
const struct command *command_child(const struct command *c, const char *word);
/* The option of 'c', or of all commands, of which 'name' is the first 'length' characters; NULL:
 * there is none. */
const struct command_option *command_option(const struct command *c, const char *name,
					    size_t length);

/* Finds the command that 'words' mean and sorts the rest into '*ret'.  Complains:
 * COMPLAIN_USAGE. */
must_check int command_parse(const struct command *root, int n_words, char *const *words,
			     struct invocation *ret);
/* Parses and runs; the exit status of the program. */
int command_main(const struct command *root, int n_words, char *const *words);
