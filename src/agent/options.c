/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/feature.h"
#include "abi/format.h"
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

/* ---- checks ---- */

static int options_parse_format(const char *name, uint32_t *mask)
{
	static const char *const names[FORMAT_MAX] = FORMAT_NAMES;

	for (int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (str_equal(names[f], name)) {
			*mask |= FORMAT_BIT(f);
			return 0;
		}
	return -EINVAL;
}

static int options_check_formats(struct options *o, char *reterr_text)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	uint32_t allowed = 0;
	int e;

	if (!o->formats)
		return 0;
	e = strv_split(o->formats, ',', FORMAT_MAX, &names);
	for (size_t i = 0; !e && names[i]; i++)
		e = options_parse_format(names[i], &allowed);
	if (e || !allowed) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "formats: \"%s\" is no list of siit/2, siit/1, ipip6/1, reip4/1, vxlan/1, "
			 "geneve/2, "
			 "geneve/1",
			 o->formats);
		return e ?: -EINVAL;
	}
	for (int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (!(allowed & FORMAT_BIT(f)))
			o->disallowed |= FORMAT_BIT(f);
	return 0;
}

/* "crypt/2", or "crypt" for any version. */
static int options_parse_feature(const char *name, uint32_t *mask)
{
	static const char *const names[FEATURE_MAX] = FEATURE_NAMES;
	size_t n = strlen(name);
	uint32_t found = 0;

	for (int f = 0; f < FEATURE_MAX; f++)
		if (str_equal(names[f], name) ||
		    (!strncmp(names[f], name, n) && names[f][n] == '/'))
			found |= FEATURE_BIT(f);
	*mask |= found;
	return found && *name ? 0 : -EINVAL;
}

static int options_read_features(const char *key, const char *list, uint32_t *mask,
				 char *reterr_text)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	int e = strv_split(list, ',', FEATURE_MAX, &names);

	for (size_t i = 0; !e && names[i]; i++)
		e = options_parse_feature(names[i], mask);
	if (e)
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "%s: \"%s\" is no list of crypt, crypt/1, crypt/2, integrity, lz4, rate",
			 key, list);
	return e;
}

/* One of 'require'. */
static int options_check_required(const struct options *o, const char *name, char *reterr_text)
{
	uint32_t versions = 0;
	int e = options_parse_feature(name, &versions);

	if (e)
		return e;
	if (versions & FEATURE_BIT(FEATURE_RATE_1)) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "require: a host cannot require rate, which has a limit where a policy "
			 "sets one: viaduct policy create");
		return -EINVAL;
	}
	if (versions & ~o->disallowed_features)
		return 0;
	snprintf(reterr_text, OPTIONS_ERROR_SIZE,
		 "require: \"%s\" is not among the allowed features, \"%s\"", name, o->features);
	return -EINVAL;
}

static int options_check_features(struct options *o, char *reterr_text)
{
	_cleanup_(strv_free_cleanup) char **required = NULL;
	uint32_t allowed = 0;
	int e = 0;

	if (o->features && !str_equal(o->features, "none"))
		e = options_read_features("features", o->features, &allowed, reterr_text);
	if (!e && o->require)
		e = options_read_features("require", o->require, &o->required_features,
					  reterr_text);
	if (e)
		return e;
	if (o->features)
		o->disallowed_features = (FEATURE_BIT(FEATURE_MAX) - 1) & ~allowed;
	if (o->require)
		e = strv_split(o->require, ',', FEATURE_MAX, &required);
	for (size_t i = 0; !e && required && required[i]; i++)
		e = options_check_required(o, required[i], reterr_text);
	return e;
}

static int options_check_role(const struct options *o, char *reterr_text)
{
	const bool edge = str_equal(o->role, "edge");
	const char *text = NULL;

	if (!edge && !str_equal(o->role, "host"))
		text = "is neither host nor edge";
	else if (edge && !o->uplink)
		text = "needs --uplink: name the interface to the world outside";
	else if (!edge && o->uplink)
		text = "has no uplink: say --role edge as well, or leave --uplink out";
	else if (edge && o->substrate && str_equal(o->uplink, o->substrate))
		text = "needs an uplink that is not the substrate";
	if (!text)
		return 0;
	snprintf(reterr_text, OPTIONS_ERROR_SIZE, "role: \"%s\" %s", o->role, text);
	return -EINVAL;
}

static int options_check_connections(struct options *o, char *reterr_text)
{
	uint32_t n;

	if (!o->max_connections)
		return 0;
	if (config_parse_u32(o->max_connections, &n) || n < LIMIT_AGENT_CONNECTIONS_MIN ||
	    n > LIMIT_AGENT_CONNECTIONS_MAX) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "max-connections: \"%s\" is no number from %u to %u", o->max_connections,
			 LIMIT_AGENT_CONNECTIONS_MIN, LIMIT_AGENT_CONNECTIONS_MAX);
		return -EINVAL;
	}
	o->n_connections = n;
	return 0;
}

static int options_check_flow_log(struct options *o, char *reterr_text)
{
	uint32_t n;

	if (!o->flow_log_seconds)
		return 0;
	if (config_parse_u32(o->flow_log_seconds, &n) || !n || n > LIMIT_AGENT_FLOW_S) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "flow-log-seconds: \"%s\" is no number from 1 to %u", o->flow_log_seconds,
			 LIMIT_AGENT_FLOW_S);
		return -EINVAL;
	}
	o->flow_seconds = n;
	return 0;
}

/* A run of before is undone also where there are fewer processors now. */
static int options_check_seal_cpus(struct options *o, char *reterr_text)
{
	_cleanup_free_ char *text = NULL;
	struct cpus present;

	if (!o->seal_cpus_list)
		return 0;
	if (cpus_parse(o->seal_cpus_list, &o->seal_cpus)) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "seal-cpus: \"%s\" is no list of processors such as 2,4-7",
			 o->seal_cpus_list);
		return -EINVAL;
	}
	if (o->command == OPTIONS_RUN && !cpus_read_present(&present, &text) &&
	    !cpus_are_among(&o->seal_cpus, &present)) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "seal-cpus: \"%s\" has processors that this machine has not: it has %s",
			 o->seal_cpus_list, text);
		return -EINVAL;
	}
	return 0;
}

/* What nodes are given runs elsewhere than here, and leave perhaps too. */
static int options_make_absolute(struct options *o, char *reterr_text)
{
	char **const folders[] = {&o->state, &o->run, &o->bpffs, &o->netns_dir};
	_cleanup_free_ char *here = getcwd(NULL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path;
		int e;

		if (**folders[i] == '/')
			continue;
		if (!here || !**folders[i]) {
			snprintf(reterr_text, OPTIONS_ERROR_SIZE,
				 "\"%s\" is no directory: name it from / on", *folders[i]);
			return -EINVAL;
		}
		e = str_printf(&path, "%s/%s", here, *folders[i]);
		if (e)
			return e;
		free(*folders[i]);
		*folders[i] = path;
	}
	return 0;
}

static int options_check(struct options *o, char *reterr_text)
{
	int e;

	size_t length = strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (!length || o->name[length] || length >= OPTIONS_NAME_SIZE) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "name: \"%s\" is not 1 to 11 of a-z, 0-9 and -", o->name);
		return -EINVAL;
	}
	if (log_level_parse(o->log_level, &o->level)) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "log-level: \"%s\" is none of err, warn, info, debug", o->log_level);
		return -EINVAL;
	}
	if (o->command == OPTIONS_RUN && !o->substrate) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE,
			 "--substrate is missing: name the interface to the other hosts");
		return -EINVAL;
	}
	if (o->command == OPTIONS_JOIN && !o->bundle) {
		snprintf(reterr_text, OPTIONS_ERROR_SIZE, "join needs the file of the join bundle");
		return -EINVAL;
	}
	e = options_make_absolute(o, reterr_text);
	if (!e)
		e = options_check_role(o, reterr_text);
	if (!e)
		e = options_check_connections(o, reterr_text);
	if (!e)
		e = options_check_flow_log(o, reterr_text);
	if (!e)
		e = options_check_seal_cpus(o, reterr_text);
	if (!e)
		e = options_check_formats(o, reterr_text);
	return e ?: options_check_features(o, reterr_text);
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
