/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "manager/listen.h"
#include "manager/state.h"
#include "wire/pki.h"

const char options_help[] =
	"viaductd - the manager of a Viaduct cluster\n"
	"\n"
	"  viaductd init [--state DIR] [--address NAME]...\n"
	"      Makes the cluster's state: certificates, store, administrator (DIR/admin.json).\n"
	"      --address  an address by which agents reach this manager, repeatable\n"
	"\n"
	"  viaductd run [--state DIR] [--config FILE] [OPTION]...\n"
	"      --http ADDR:PORT       EC2 and operator API         127.0.0.1:8773\n"
	"      --agents ADDR:PORT     agents, mutual TLS           [::]:8774\n"
	"      --advertise ADDR:PORT  for join bundles, repeatable the init's addresses\n"
	"      --store KIND           sqlite or memory             sqlite\n"
	"      --region NAME                                       us-east-1\n"
	"      --organisation PREFIX  /32 of the locators          fd56:6961::/32\n"
	"      --ipv6-pool PREFIX     of the VPCs' blocks, or none fd56:6976:3600::/40\n"
	"      --lease SECONDS        lifetime of mappings         300\n"
	"      --rotate-keys SECONDS  lifetime of pairs' keys      3600\n"
	"      --log-level LEVEL      err, warn, info, debug       info\n"
	"\n"
	"  DIR is /var/lib/viaduct unless given.  FILE has lines 'name = value' with these "
	"names.\n";

static int parse_address(const char *value, void *dest)
{
	struct options *options = dest;
	char *copy;

	if (options->n_addresses == OPTIONS_ADDRESSES_MAX)
		return -ERANGE;
	if (!pki_name_is_valid(value))
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	options->addresses[options->n_addresses++] = copy;
	return 0;
}

static int parse_advertised(const char *value, void *dest)
{
	struct options *options = dest;
	struct listen_addr addr;
	char *copy;

	if (options->n_advertised == OPTIONS_ADDRESSES_MAX)
		return -ERANGE;
	/* Agents look no names up: they have to find the manager when nothing else works. */
	if (listen_parse(value, &addr))
		return -EINVAL;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	options->advertised[options->n_advertised++] = copy;
	return 0;
}

static int parse_listen(const char *value, void *dest)
{
	struct listen_addr addr;

	return listen_parse(value, &addr) ? -EINVAL : config_parse_string(value, dest);
}

static int parse_store(const char *value, void *dest)
{
	return state_store_is_known(value) ? config_parse_string(value, dest) : -EINVAL;
}

static int parse_lease(const char *value, void *dest)
{
	return str_u32(value, 1, 86400, dest);
}

static int parse_rotate(const char *value, void *dest)
{
	return str_u32(value, 10, 30 * 86400, dest);
}

/* Clients sign for it, and take nothing else: a label of a DNS name (RFC 1123, section 2.1). */
static int parse_region(const char *value, void *dest)
{
	const size_t n = strlen(value);

	if (!n || n > OPTIONS_REGION_MAX || *value == '-' || value[n - 1] == '-')
		return -EINVAL;
	for (const char *s = value; *s; s++)
		if (!isascii(*s) || (!isalnum((unsigned char)*s) && *s != '-'))
			return -EINVAL;
	return config_parse_string(value, dest);
}

static int parse_level(const char *value, void *dest)
{
	enum log_level level;

	return log_level_parse(value, &level) ? -EINVAL : config_parse_string(value, dest);
}

enum { N_KEYS = 12 };

static void fill_keys(struct options *o, struct config_key ret[static N_KEYS])
{
	const struct config_key keys[N_KEYS] = {
		{"", "state", config_parse_string, &o->state, "a directory", false, false},
		{"", "store", parse_store, &o->store, "sqlite or memory", false, false},
		{"", "http", parse_listen, &o->http, "ADDRESS:PORT", false, false},
		{"", "agents", parse_listen, &o->agents, "ADDRESS:PORT", false, false},
		{"", "region", parse_region, &o->region,
		 "a name of at most 63 letters, digits and inner dashes", false, false},
		{"", "organisation", config_parse_string, &o->organisation, "a prefix", false,
		 false},
		{"", "ipv6-pool", config_parse_string, &o->ipv6_pool, "a prefix or none", false,
		 false},
		{"", "lease", parse_lease, &o->lease_seconds, "1 to 86400", false, false},
		{"", "rotate-keys", parse_rotate, &o->rotate_seconds, "10 to 2592000", false,
		 false},
		{"", "log-level", parse_level, &o->log_level, "err, warn, info or debug", false,
		 false},
		{"", "address", parse_address, o, "a DNS name or an IP address, at most 16", false,
		 true},
		{"", "advertise", parse_advertised, o, "ADDRESS:PORT, at most 16", false, true},
	};

	memcpy(ret, keys, sizeof(keys));
}

static const struct option long_options[] = {
	{"state", required_argument, NULL, 'o'},
	{"store", required_argument, NULL, 'o'},
	{"http", required_argument, NULL, 'o'},
	{"agents", required_argument, NULL, 'o'},
	{"region", required_argument, NULL, 'o'},
	{"organisation", required_argument, NULL, 'o'},
	{"ipv6-pool", required_argument, NULL, 'o'},
	{"lease", required_argument, NULL, 'o'},
	{"rotate-keys", required_argument, NULL, 'o'},
	{"log-level", required_argument, NULL, 'o'},
	{"address", required_argument, NULL, 'o'},
	{"advertise", required_argument, NULL, 'o'},
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int set_defaults(struct options *o)
{
	*o = (struct options){
		.state = strdup("/var/lib/viaduct"),
		.store = strdup("sqlite"),
		.http = strdup("127.0.0.1:8773"),
		.agents = strdup("[::]:8774"),
		.region = strdup("us-east-1"),
		.organisation = strdup("fd56:6961::/32"),
		.ipv6_pool = strdup("fd56:6976:3600::/40"),
		.log_level = strdup("info"),
		.lease_seconds = 300,
		.rotate_seconds = LIMIT_KEY_S,
	};
	return o->state && o->store && o->http && o->agents && o->region && o->organisation &&
			       o->ipv6_pool && o->log_level
		       ? 0
		       : -ENOMEM;
}

static int set_option(struct options *o, const char *name, const char *value, char *reterr)
{
	struct config_key keys[N_KEYS];

	fill_keys(o, keys);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].key, name))
			continue;
		if (!keys[i].parse(value, keys[i].dest))
			return 0;
		snprintf(reterr, OPTIONS_ERROR_SIZE, "--%s '%s': expected %s", name, value,
			 keys[i].expected);
		return -EINVAL;
	}
	return -EINVAL;
}

/* On the command line: --state is of both commands, --address of init, all others of run. */
static bool is_of_command(const struct options *o, const char *name)
{
	bool init = o->command == OPTIONS_INIT;

	return str_equal(name, "state") || str_equal(name, "address") == init;
}

/* The command line goes over 'argv' twice: first for the file, whose values it then replaces. */
static int read_arguments(int argc, char **argv, struct options *o, bool only_config, char *reterr)
{
	bool init = o->command == OPTIONS_INIT;
	int c, index, r;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (c == 'h' || c == 'V') {
			o->command = c == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
		} else if ((c == 'c' || c == 'o') && !is_of_command(o, long_options[index].name)) {
			snprintf(reterr, OPTIONS_ERROR_SIZE,
				 "--%s is an option of viaductd %s, not of %s",
				 long_options[index].name, init ? "run" : "init",
				 init ? "init" : "run");
			return -EINVAL;
		} else if (c == 'c') {
			r = config_parse_string(optarg, &o->config);
			if (r)
				return r;
		} else if (c == '?') {
			snprintf(reterr, OPTIONS_ERROR_SIZE, "'%s': no such option, or no value",
				 argv[optind - 1]);
			return -EINVAL;
		} else if (!only_config) {
			r = set_option(o, long_options[index].name, optarg, reterr);
			if (r)
				return r;
		}
	}
	if (optind < argc) {
		snprintf(reterr, OPTIONS_ERROR_SIZE, "'%s' is too much", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static int read_file(struct options *o, char *reterr)
{
	struct config_key keys[N_KEYS];
	struct config_error error;
	int r;

	if (!o->config)
		return 0;
	fill_keys(o, keys);
	r = config_load(o->config, keys, N_KEYS, &error);
	if (r)
		snprintf(reterr, OPTIONS_ERROR_SIZE, "%s", error.text);
	return r;
}

static int read_command(int argc, char **argv, struct options *o, char *reterr)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (!*word) {
		snprintf(reterr, OPTIONS_ERROR_SIZE, "say init or run (viaductd --help)");
		return -EINVAL;
	}
	if (str_equal(word, "run"))
		o->command = OPTIONS_RUN;
	else if (str_equal(word, "init"))
		o->command = OPTIONS_INIT;
	else if (str_equal(word, "help") || str_equal(word, "--help") || str_equal(word, "-h"))
		o->command = OPTIONS_HELP;
	else if (str_equal(word, "--version"))
		o->command = OPTIONS_VERSION;
	else {
		snprintf(reterr, OPTIONS_ERROR_SIZE, "'%s': expected init or run (viaductd --help)",
			 word);
		return -EINVAL;
	}
	return 0;
}

static int check_prefixes(const struct options *o, char *reterr)
{
	struct prefix organisation, pool;
	struct state_error error;
	int r = state_parse_prefixes(o->organisation, o->ipv6_pool, &organisation, &pool, &error);

	if (r)
		snprintf(reterr, OPTIONS_ERROR_SIZE, "%s", error.text);
	return r;
}

int options_parse(int argc, char **argv, struct options *ret,
		  char reterr[static OPTIONS_ERROR_SIZE])
{
	struct options o;
	int r;

	snprintf(reterr, OPTIONS_ERROR_SIZE, "out of memory");
	r = set_defaults(&o);
	if (!r)
		r = read_command(argc, argv, &o, reterr);
	if (!r && o.command <= OPTIONS_INIT) {
		r = read_arguments(argc - 1, argv + 1, &o, true, reterr);
		if (!r)
			r = read_file(&o, reterr);
		if (!r)
			r = read_arguments(argc - 1, argv + 1, &o, false, reterr);
		if (!r)
			r = check_prefixes(&o, reterr);
	}
	if (r) {
		options_deinit(&o);
		return r;
	}
	*ret = o;
	return 0;
}

void options_deinit(struct options *o)
{
	free(o->config);
	free(o->state);
	free(o->store);
	free(o->http);
	free(o->agents);
	free(o->region);
	free(o->organisation);
	free(o->ipv6_pool);
	free(o->log_level);
	for (size_t i = 0; i < o->n_addresses; i++)
		free(o->addresses[i]);
	for (size_t i = 0; i < o->n_advertised; i++)
		free(o->advertised[i]);
	*o = (struct options){0};
}
