/* SPDX-License-Identifier: Apache-2.0 */
/* What options mean, and whether they go together. */
#include "agent/options_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/feature.h"
#include "abi/format.h"
#include "base/config.h"
#include "base/limits.h"
#include "base/str.h"

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

int options_check(struct options *o, char reterr_text[static OPTIONS_ERROR_SIZE])
{
	size_t length = strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	int e;

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
