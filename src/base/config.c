/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file's syntax and its table of keys: see config.h. */
#include "base/config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"

struct parse {
	const char *name;
	unsigned int line;
	const struct config_key *keys;
	size_t n_keys;
	bool *seen;          /* one per key */
	const char *section; /* borrowed from the text being cut up */
	struct config_error *error;
};

static int __attribute__((format(printf, 3, 4)))
complain(struct parse *p, int error, const char *format, ...)
{
	char what[384];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (p->line)
		snprintf(p->error->text, sizeof(p->error->text), "%.100s:%u: %s", p->name, p->line,
			 what);
	else
		snprintf(p->error->text, sizeof(p->error->text), "%.100s: %s", p->name, what);
	return error;
}

/* Cuts white space off both ends, in place. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n && strchr(" \t\r", s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static int parse_section(struct parse *p, char *line)
{
	size_t n = strlen(line);
	char shown[64];

	if (line[n - 1] != ']')
		return complain(p, -EINVAL, "a section's name ends with ]");
	line[n - 1] = '\0';
	p->section = trim(line + 1);
	for (size_t i = 0; i < p->n_keys; i++)
		if (str_equal(p->keys[i].section, p->section))
			return 0;
	return complain(p, -EINVAL, "unknown section [%s]",
			str_escape(p->section, shown, sizeof(shown)));
}

static int assign(struct parse *p, size_t i, const char *value)
{
	const struct config_key *k = &p->keys[i];
	char shown[128];
	int r;

	if (p->seen[i] && !k->many)
		return complain(p, -EINVAL, "%s is given twice", k->key);
	p->seen[i] = true;
	r = k->parse(value, k->dest);
	if (r == -EINVAL || r == -ERANGE)
		return complain(p, r, "%s must be %s, not \"%s\"", k->key, k->expected,
				str_escape(value, shown, sizeof(shown)));
	if (r < 0)
		return complain(p, r, "%s: %s", k->key, strerror(-r));
	return 0;
}

static int parse_line(struct parse *p, char *line)
{
	char shown_key[64], shown_section[64];
	const char *key;
	char *equals;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	if (*line == '[')
		return parse_section(p, line);
	equals = strchr(line, '=');
	if (!equals)
		return complain(p, -EINVAL, "neither \"key = value\" nor \"[section]\"");
	*equals = '\0';
	key = trim(line);
	for (size_t i = 0; i < p->n_keys; i++)
		if (str_equal(p->keys[i].section, p->section) && str_equal(p->keys[i].key, key))
			return assign(p, i, trim(equals + 1));
	str_escape(key, shown_key, sizeof(shown_key));
	if (!*p->section)
		return complain(p, -EINVAL, "unknown key \"%s\"", shown_key);
	return complain(p, -EINVAL, "unknown key \"%s\" in section [%s]", shown_key,
			str_escape(p->section, shown_section, sizeof(shown_section)));
}

static int check_required(struct parse *p)
{
	p->line = 0;
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct config_key *k = &p->keys[i];

		if (!k->required || p->seen[i])
			continue;
		if (*k->section)
			return complain(p, -EINVAL, "%s is missing in section [%s]", k->key,
					k->section);
		return complain(p, -EINVAL, "%s is missing", k->key);
	}
	return 0;
}

int config_parse(const char *name, const char *text, const struct config_key *keys, size_t n_keys,
		 struct config_error *reterr_error)
{
	_cleanup_free_ char *copy = strdup(text);
	_cleanup_free_ bool *seen = calloc(n_keys + 1, sizeof(*seen));
	struct parse p = {.name = name,
			  .keys = keys,
			  .n_keys = n_keys,
			  .seen = seen,
			  .section = "",
			  .error = reterr_error};
	char *rest = copy;

	if (!copy || !seen)
		return complain(&p, -ENOMEM, "%s", strerror(ENOMEM));
	while (rest) {
		char *line = strsep(&rest, "\n");
		int r;

		p.line++;
		r = parse_line(&p, line);
		if (r < 0)
			return r;
	}
	return check_required(&p);
}

int config_load(const char *path, const struct config_key *keys, size_t n_keys,
		struct config_error *reterr_error)
{
	struct parse p = {.name = path, .error = reterr_error};
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = file_read(path, LIMIT_CONFIG_SIZE, &text, &size);

	if (r < 0)
		return complain(&p, r, "%s", strerror(-r));
	if (strlen(text) != size)
		return complain(&p, -EINVAL, "not a text file");
	return config_parse(path, text, keys, n_keys, reterr_error);
}

int config_parse_string(const char *value, void *dest)
{
	char **to = dest;
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

int config_parse_u32(const char *value, void *dest)
{
	return str_u32(value, 0, UINT32_MAX, dest);
}
