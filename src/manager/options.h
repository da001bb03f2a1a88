/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What viaductd was asked to do: its command line and its configuration file.
 *
 * The file has the same names as the command line, without the dashes; what the command line says
 * goes before it.  Parsed once, immutable after.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum options_command {
	OPTIONS_RUN,
	OPTIONS_INIT,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

enum { OPTIONS_ADDRESSES_MAX = 16, OPTIONS_ERROR_SIZE = 512, OPTIONS_REGION_MAX = 63 };

struct options {
	enum options_command command;
	char *config;
	char *state;
	char *store;  /* "sqlite", "memory" */
	char *http;   /* "127.0.0.1:8773" */
	char *agents; /* "[::]:8774" */
	char *region;
	char *organisation;
	char *ipv6_pool; /* a prefix, or "none" */
	char *log_level;
	uint32_t lease_seconds;
	uint32_t rotate_seconds;
	size_t n_addresses; /* init: names of the manager */
	char *addresses[OPTIONS_ADDRESSES_MAX];
	size_t n_advertised; /* run: what join bundles say, "[2001:db8::1]:8774" */
	char *advertised[OPTIONS_ADDRESSES_MAX];
};

/* -EINVAL with what is wrong, and what would be right, in 'reterr'. */
must_check int options_parse(int argc, char **argv, struct options *ret,
			     char reterr[static OPTIONS_ERROR_SIZE]);
void options_deinit(struct options *options);
extern const char options_help[];
