/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent was told to do: command line and configuration file.
 *
 * The file has "key = value" lines with the names of the long options; the command line wins. After
 * options_parse() nothing changes any more. What a run used is saved beside its state, so that
 * "leave" finds everything that the run made.
 *
 * Ownership: heap strings inside: options_deinit().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cpus.h"
#include "base/err.h"
#include "base/log.h"

enum options_command {
	OPTIONS_RUN,
	OPTIONS_JOIN,
	OPTIONS_LEAVE,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_command command;
	char *state;     /* directory; survives a reboot */
	char *run;       /* directory; need not */
	char *name;      /* of this agent on its machine: [a-z0-9-]{1,11} */
	char *substrate; /* the interface to the wire */
	char *role;      /* "host" or "edge" */
	char *uplink;    /* of an edge: the interface to the world outside; else NULL */
	char *bpffs;
	char *netns_dir, *netns_prefix;
	char *formats;         /* "siit/1,ipip6/1": the only ones allowed on this host; NULL: all */
	char *features;        /* likewise of features; "none" */
	char *require;         /* "crypt,lz4": none is talked to without; NULL: nothing */
	char *max_connections; /* a number; NULL: the data plane's own */
	char *flow_log_seconds; /* a number; NULL: the usual */
	char *seal_cpus_list;   /* "2,4-7": where the worker may run; NULL: anywhere */
	char *log_level;
	char *bundle;           /* join: the file */
	uint32_t n_connections; /* from 'max_connections'; 0: not given */
	uint32_t flow_seconds;  /* from 'flow_log_seconds'; 0: not given */
	uint32_t disallowed;    /* formats, from 'formats': FORMAT_BIT()s */
	uint32_t required_features, disallowed_features; /* FEATURE_BIT()s */
	struct cpus seal_cpus;                           /* from 'seal_cpus_list'; or empty */
	enum log_level level;
};

enum { OPTIONS_ERROR_SIZE = 768, OPTIONS_NAME_SIZE = 12 };

void options_deinit(struct options *o);
#define _cleanup_options_ _cleanup_(options_deinit)

/* 0, or -EINVAL (or what reading the file gave) with what to tell the user. */
must_check int options_parse(int argc, char **argv, struct options *ret,
			     char reterr_text[static OPTIONS_ERROR_SIZE]);
/* Saves what this run uses to STATE/run.conf; reads it back into 'o', of which 'state' is set. */
must_check int options_save(const struct options *o);
must_check int options_load(struct options *o, char reterr_text[static OPTIONS_ERROR_SIZE]);
const char *options_help(void);
