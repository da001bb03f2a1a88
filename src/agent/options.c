/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/options_check.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"

/* The keys of the file are the long options.  The order is that of options_fields(). */
enum options_key {
	KEY_STATE,
	KEY_RUN,
	KEY_NAME,
	KEY_SUBSTRATE,
	KEY_ROLE,
	KEY_UPLINK,
	KEY_BPFFS,
	KEY_NETNS_DIR,
	KEY_NETNS_PREFIX,
	KEY_FORMATS,
	KEY_FEATURES,
	KEY_REQUIRE,
	KEY_MAX_CONNECTIONS,
	KEY_FLOW_LOG_SECONDS,
	KEY_SEAL_CPUS,
	KEY_LOG_LEVEL,
	KEY_MAX,
};

static const struct {
	const char *name, *initial, *expected;
} options_keys[KEY_MAX] = {
	[KEY_STATE] = {"state", "/var/lib/viaduct-agent", "a directory"},
	[KEY_RUN] = {"run", "/run/viaduct-agent", "a directory"},
	[KEY_NAME] = {"name", "host", "a name"},
	[KEY_SUBSTRATE] = {"substrate", NULL, "an interface"},
	[KEY_ROLE] = {"role", "host", "host or edge"},
	[KEY_UPLINK] = {"uplink", NULL, "an interface"},
	[KEY_BPFFS] = {"bpffs", "/sys/fs/bpf", "a directory"},
	[KEY_NETNS_DIR] = {"netns-dir", "/run/netns", "a directory"},
	[KEY_NETNS_PREFIX] = {"netns-prefix", "vd-", "a prefix"},
	[KEY_FORMATS] = {"formats", NULL, "a list of formats"},
	[KEY_FEATURES] = {"features", NULL, "a list of features"},
	[KEY_REQUIRE] = {"require", NULL, "a list of features"},
	[KEY_MAX_CONNECTIONS] = {"max-connections", NULL, "a number"},
	[KEY_FLOW_LOG_SECONDS] = {"flow-log-seconds", NULL, "a number"},
	[KEY_SEAL_CPUS] = {"seal-cpus", NULL, "a list of processors"},
	[KEY_LOG_LEVEL] = {"log-level", "info", "err, warn, info or debug"},
};

enum { OPTION_CONFIG = KEY_MAX, OPTION_HELP, OPTION_VERSION };

const char *options_help(void)
{
	return "viaduct-agent: the communication manager of a host\n"
	       "\n"
	       "  viaduct-agent join FILE [--state DIR]   install the join bundle of \"viaduct "
	       "host add\"\n"
	       "  viaduct-agent run --substrate IFNAME    carry the networks of this host\n"
	       "  viaduct-agent leave [--state DIR]       undo everything on this host\n"
	       "\n"
	       "Options (also in the file of --config, as \"key = value\"):\n"
	       "  --config FILE         read options from FILE; the command line wins\n"
	       "  --state DIR           identity and records [/var/lib/viaduct-agent]\n"
	       "  --run DIR             control socket and files of a boot [/run/viaduct-agent]\n"
	       "  --name NAME           this agent on its machine, [a-z0-9-]{1,11} [host]\n"
	       "  --substrate IFNAME    the interface to the other hosts\n"
	       "  --role ROLE           host, or edge: the way to the world outside [host]\n"
	       "  --uplink IFNAME       the interface of an edge to the world outside\n"
	       "  --bpffs DIR           where bpffs is mounted [/sys/fs/bpf]\n"
	       "  --netns-dir DIR       where namespaces of instances are bound [/run/netns]\n"
	       "  --netns-prefix TEXT   of their names [vd-]\n"
	       "  --formats LIST        the only wire formats allowed on this host, such as\n"
	       "                        siit/1,ipip6/1 [all that work]\n"
	       "  --features LIST       the only features allowed on this host, such as "
	       "crypt/2,lz4\n"
	       "                        or none [all that work]\n"
	       "  --require LIST        talk to nobody without these, such as crypt [none]\n"
	       "  --max-connections N   how many connections may be tracked on this host [65536]\n"
	       "  --flow-log-seconds N  how long a record of a flow log is at most, 1 to 60 [60]\n"
	       "  --seal-cpus LIST      the only processors that seal and open, such as 2,4-7 "
	       "[all]\n"
	       "  --log-level LEVEL     err, warn, info or debug [info]\n"
	       "  --help, --version\n";
}

static void options_fields(struct options *o, char **ret[static KEY_MAX])
{
	ret[KEY_STATE] = &o->state;
	ret[KEY_RUN] = &o->run;
	ret[KEY_NAME] = &o->name;
	ret[KEY_SUBSTRATE] = &o->substrate;
	ret[KEY_ROLE] = &o->role;
	ret[KEY_UPLINK] = &o->uplink;
	ret[KEY_BPFFS] = &o->bpffs;
	ret[KEY_NETNS_DIR] = &o->netns_dir;
	ret[KEY_NETNS_PREFIX] = &o->netns_prefix;
	ret[KEY_FORMATS] = &o->formats;
	ret[KEY_FEATURES] = &o->features;
	ret[KEY_REQUIRE] = &o->require;
	ret[KEY_MAX_CONNECTIONS] = &o->max_connections;
	ret[KEY_FLOW_LOG_SECONDS] = &o->flow_log_seconds;
	ret[KEY_SEAL_CPUS] = &o->seal_cpus_list;
	ret[KEY_LOG_LEVEL] = &o->log_level;
}

void options_deinit(struct options *o)
{
	char **fields[KEY_MAX];

	options_fields(o, fields);
	for (size_t i = 0; i < KEY_MAX; i++)
		free(*fields[i]);
	free(o->bundle);
	*o = (struct options){0};
}

static int options_set(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int options_read_file(struct options *o, const char *path, char *reterr_text)
{
	struct config_key keys[KEY_MAX];
	struct config_error error;
	char **fields[KEY_MAX];
	int e;

	options_fields(o, fields);
	for (size_t i = 0; i < KEY_MAX; i++)
		keys[i] = (struct config_key){.section = "",
					      .key = options_keys[i].name,
					      .parse = config_parse_string,
					      .dest = fields[i],
					      .expected = options_keys[i].expected};
	e = config_load(path, keys, KEY_MAX, &error);
	if (e)
		snprintf(reterr_text, OPTIONS_ERROR_SIZE, "%s", error.text);
	return e;
}

static int options_set_defaults(struct options *o)
{
	char **fields[KEY_MAX];
	int e = 0;

	options_fields(o, fields);
	for (size_t i = 0; !e && i < KEY_MAX; i++)
		if (!*fields[i] && options_keys[i].initial)
			e = options_set(fields[i], options_keys[i].initial);
	return e;
}

/* ---- the command line ---- */

static const struct option options_long[] = {
	{"state", required_argument, NULL, KEY_STATE},
	{"run", required_argument, NULL, KEY_RUN},
	{"name", required_argument, NULL, KEY_NAME},
	{"substrate", required_argument, NULL, KEY_SUBSTRATE},
	{"role", required_argument, NULL, KEY_ROLE},
	{"uplink", required_argument, NULL, KEY_UPLINK},
	{"bpffs", required_argument, NULL, KEY_BPFFS},
	{"netns-dir", required_argument, NULL, KEY_NETNS_DIR},
	{"netns-prefix", required_argument, NULL, KEY_NETNS_PREFIX},
	{"formats", required_argument, NULL, KEY_FORMATS},
	{"features", required_argument, NULL, KEY_FEATURES},
	{"require", required_argument, NULL, KEY_REQUIRE},
	{"max-connections", required_argument, NULL, KEY_MAX_CONNECTIONS},
	{"flow-log-seconds", required_argument, NULL, KEY_FLOW_LOG_SECONDS},
	{"seal-cpus", required_argument, NULL, KEY_SEAL_CPUS},
	{"log-level", required_argument, NULL, KEY_LOG_LEVEL},
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{0},
};

static int options_read_command(struct options *o, char **words, int n, char *reterr_text)
{
	static const struct {
		const char *name;
		enum options_command command;
		int n_words;
	} commands[] = {
		{"run", OPTIONS_RUN, 1},
		{"join", OPTIONS_JOIN, 2},
		{"leave", OPTIONS_LEAVE, 1},
	};

	if (o->command == OPTIONS_HELP || o->command == OPTIONS_VERSION)
		return 0;
	for (size_t i = 0; n && i < ARRAY_SIZE(commands); i++) {
		if (!str_equal(words[0], commands[i].name))
			continue;
		if (n > commands[i].n_words) {
			snprintf(reterr_text, OPTIONS_ERROR_SIZE,
				 "%s: \"%s\" is one argument too many", words[0],
				 words[commands[i].n_words]);
			return -EINVAL;
		}
		o->command = commands[i].command;
		return n == 2 ? options_set(&o->bundle, words[1]) : 0;
	}
	snprintf(reterr_text, OPTIONS_ERROR_SIZE, "say one of join, run, leave; see --help");
	return -EINVAL;
}

/* Reads the command line over what is in 'o'; '*config' is the argument of --config. */
static int options_read_line(struct options *o, int argc, char **argv, const char **config,
			     char *reterr_text)
{
	char **fields[KEY_MAX];
	int c, e = 0;

	options_fields(o, fields);
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while (!e && (c = getopt_long(argc, argv, "", options_long, NULL)) >= 0) {
		if (c < KEY_MAX) {
			e = options_set(fields[c], optarg);
		} else if (c == OPTION_CONFIG) {
			*config = optarg;
		} else if (c == OPTION_HELP) {
			o->command = OPTIONS_HELP;
		} else if (c == OPTION_VERSION) {
			o->command = OPTIONS_VERSION;
		} else {
			snprintf(reterr_text, OPTIONS_ERROR_SIZE,
				 "\"%s\": no such option, or its argument is missing; see --help",
				 argv[optind - 1]);
			e = -EINVAL;
		}
	}
	return e ?: options_read_command(o, argv + optind, argc - optind, reterr_text);
}

int options_parse(int argc, char **argv, struct options *ret,
		  char reterr_text[static OPTIONS_ERROR_SIZE])
{
	_cleanup_options_ struct options o = {0}, from_file = {0};
	const char *config = NULL;
	char **fields[KEY_MAX], **file_fields[KEY_MAX];
	int e;

	snprintf(reterr_text, OPTIONS_ERROR_SIZE, "out of memory");
	e = options_read_line(&o, argc, argv, &config, reterr_text);
	if (!e && config)
		e = options_read_file(&from_file, config, reterr_text);
	if (e)
		return e;
	options_fields(&o, fields);
	options_fields(&from_file, file_fields);
	for (size_t i = 0; i < KEY_MAX; i++)
		if (!*fields[i])
			*fields[i] = TAKE_PTR(*file_fields[i]);
	e = options_set_defaults(&o);
	if (!e && o.command != OPTIONS_HELP && o.command != OPTIONS_VERSION)
		e = options_check(&o, reterr_text);
	if (e)
		return e;
	*ret = o;
	o = (struct options){0};
	return 0;
}

/* ---- what a run used ---- */

int options_save(const struct options *o)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct buf text;
	char **fields[KEY_MAX];
	int e;

	buf_init(&text, LIMIT_CONFIG_SIZE);
	options_fields((struct options *)(uintptr_t)o, fields);
	for (size_t i = 0; i < KEY_MAX; i++)
		if (i != KEY_STATE && *fields[i])
			buf_put_printf(&text, "%s = %s\n", options_keys[i].name, *fields[i]);
	e = buf_error(&text);
	if (!e)
		e = str_printf(&path, "%s/run.conf", o->state);
	if (!e)
		e = file_write_atomic(path, buf_data(&text), buf_size(&text), 0600);
	return e;
}

int options_load(struct options *o, char reterr_text[static OPTIONS_ERROR_SIZE])
{
	_cleanup_free_ char *path = NULL;
	int e;

	snprintf(reterr_text, OPTIONS_ERROR_SIZE, "out of memory");
	e = str_printf(&path, "%s/run.conf", o->state);
	if (e)
		return e;
	return options_read_file(o, path, reterr_text);
}
