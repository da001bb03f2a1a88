/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/nearest.h"

static const struct command_option command_globals[] = {
	{"endpoint", "URL", "the manager's API (default: $VIADUCT_ENDPOINT)", false},
	{"token", "TOKEN", "the operator's token (default: $VIADUCT_TOKEN)", false},
	{"admin", "FILE", "an admin.json that viaductd init wrote", false},
	{"lab", "NAME", "the manager of that lab", false},
	{"json", NULL, "print the API's JSON", false},
	{"help", NULL, "say what the command does", false},
	{"version", NULL, "say which version this is", false},
};

const char *invocation_option(const struct invocation *inv, const char *name)
{
	for (size_t i = inv->n_given; i > 0; i--)
		if (str_equal(inv->given[i - 1].option->name, name))
			return inv->given[i - 1].value;
	return NULL;
}

const char *invocation_next(const struct invocation *inv, const char *name, size_t *at)
{
	while (*at < inv->n_given) {
		const struct command_given *given = &inv->given[(*at)++];

		if (str_equal(given->option->name, name))
			return given->value;
	}
	return NULL;
}

const struct command_option *command_global_options(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(command_globals);
	return command_globals;
}

static const struct command_option *find_in(const struct command_option *options, size_t n,
					    const char *name, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(options[i].name) == length && !strncmp(options[i].name, name, length))
			return &options[i];
	return NULL;
}

const struct command_option *command_option(const struct command *c, const char *name,
					    size_t length)
{
	const struct command_option *o = find_in(c->options, c->n_options, name, length);

	return o ? o : find_in(command_globals, ARRAY_SIZE(command_globals), name, length);
}

const struct command *command_child(const struct command *c, const char *word)
{
	for (size_t i = 0; i < c->n_children; i++)
		if (str_equal(c->children[i].word, word))
			return &c->children[i];
	return NULL;
}

static int give(struct invocation *inv, const struct command_option *o, const char *value)
{
	if (!o->many && invocation_option(inv, o->name))
		return complain_usage("--%s is given twice", o->name);
	if (inv->n_given == LIMIT_CTL_OPTIONS)
		return complain_usage("too many options");
	inv->given[inv->n_given++] = (struct command_given){o, value};
	return 0;
}

static int complain_unknown_option(const struct command *c, const char *word)
{
	struct nearest n = nearest_to(word + 2, strcspn(word + 2, "="));

	for (size_t i = 0; i < c->n_options; i++)
		nearest_offer(&n, c->options[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(command_globals); i++)
		nearest_offer(&n, command_globals[i].name);
	if (!n.best)
		return complain_usage("there is no option %s here (--help shows those there are)",
				      word);
	return complain_usage("there is no option %s here: is it --%s? (--help shows all)", word,
			      n.best);
}

static int complain_unknown_command(const struct command *c, const char *word)
{
	struct nearest n = nearest_to(word, strlen(word));

	for (size_t i = 0; i < c->n_children; i++)
		nearest_offer(&n, c->children[i].word);
	if (!n.best)
		return complain_usage("there is no command \"%s\" (--help shows those there are)",
				      word);
	return complain_usage("there is no command \"%s\": is it \"%s\"? (--help shows all)", word,
			      n.best);
}

/* "--name value" or "--name=value" at '*at'. */
static int parse_option(struct invocation *inv, int n_words, char *const *words, int *at)
{
	const char *name = words[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct command_option *o = command_option(inv->command, name, length);

	if (!o)
		return complain_unknown_option(inv->command, words[*at]);
	if (!o->value && equals)
		return complain_usage("--%s takes no value", o->name);
	if (!o->value || equals)
		return give(inv, o, equals ? equals + 1 : "");
	if (*at + 1 == n_words)
		return complain_usage("--%s needs a value: %s", o->name, o->value);
	return give(inv, o, words[++*at]);
}

static int parse_word(struct invocation *inv, const char *word)
{
	if (inv->command->n_children) {
		const struct command *child = command_child(inv->command, word);

		if (!child)
			return complain_unknown_command(inv->command, word);
		inv->command = child;
		if (inv->n_path == LIMIT_CTL_DEPTH)
			return complain_usage("\"%s\" is too deep", word);
		inv->path[inv->n_path++] = child;
		return 0;
	}
	if (inv->n_arguments == LIMIT_CTL_WORDS)
		return complain_usage("too many words");
	inv->arguments[inv->n_arguments++] = word;
	return 0;
}

static void print_usage(FILE *to, const struct invocation *inv)
{
	const struct command *c = inv->command;

	for (size_t i = 0; i < inv->n_path; i++)
		fprintf(to, "%s%s", i ? " " : "", inv->path[i]->word);
	fprintf(to, "%s%s%s", c->n_options ? " [OPTION]..." : "", c->arguments ? " " : "",
		c->arguments ? c->arguments : "");
}

static char *usage_text(const struct invocation *inv)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	print_usage(to, inv);
	fclose(to);
	return text;
}

static int check_arguments(const struct invocation *inv)
{
	const struct command *c = inv->command;
	_cleanup_free_ char *usage = NULL;

	if (inv->help || c->n_children || invocation_option(inv, "version"))
		return 0;
	if (c->not_json && invocation_option(inv, "json"))
		return complain_usage("--json is not for %s: %s", c->word, c->not_json);
	if (inv->n_arguments >= c->min_arguments && inv->n_arguments <= c->max_arguments)
		return 0;
	usage = usage_text(inv);
	if (inv->n_arguments < c->min_arguments)
		return complain_usage("something is missing: %s\nusage: %s", c->arguments,
				      usage ?: "");
	return complain_usage("\"%s\" is too much for %s\nusage: %s",
			      inv->arguments[c->max_arguments], c->word, usage ?: "");
}

int command_parse(const struct command *root, int n_words, char *const *words,
		  struct invocation *ret)
{
	struct invocation inv = {.command = root, .path = {root}, .n_path = 1};
	int r = 0;

	for (int i = 0; !r && i < n_words; i++) {
		if (str_equal(words[i], "--")) {
			while (!r && ++i < n_words)
				r = parse_word(&inv, words[i]);
		} else if (str_equal(words[i], "-h") ||
			   (inv.command->n_children && str_equal(words[i], "help"))) {
			inv.help = true;
		} else if (str_has_prefix(words[i], "--")) {
			r = parse_option(&inv, n_words, words, &i);
		} else {
			r = parse_word(&inv, words[i]);
		}
	}
	if (invocation_option(&inv, "help"))
		inv.help = true;
	if (!r)
		r = check_arguments(&inv);
	if (r)
		return r;
	*ret = inv;
	return 0;
}

static void print_options(const struct command_option *options, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct command_option *o = &options[i];
		int width = printf("  --%s%s%s", o->name, o->value ? " " : "",
				   o->value ? o->value : "");

		printf("%*s%s\n", width < 28 ? 28 - width : 1, "", o->help);
	}
}

static void print_help(const struct invocation *inv)
{
	const struct command *c = inv->command;

	printf("%s: %s\n", c->word, c->help);
	if (c->run) {
		printf("\nUsage: ");
		print_usage(stdout, inv);
		putchar('\n');
	}
	if (c->n_children)
		printf("\nCommands (each with --help):\n");
	for (size_t i = 0; i < c->n_children; i++)
		printf("  %-14s %s\n", c->children[i].word, c->children[i].help);
	if (c->n_options)
		printf("\nOptions:\n");
	print_options(c->options, c->n_options);
	printf("\nGlobal options:\n");
	print_options(command_globals, ARRAY_SIZE(command_globals));
}

/* Also of words that make no sense otherwise. */
static bool asks_for_json(int n_words, char *const *words)
{
	for (int i = 0; i < n_words && !str_equal(words[i], "--"); i++)
		if (str_equal(words[i], "--json"))
			return true;
	return false;
}

int command_main(const struct command *root, int n_words, char *const *words)
{
	struct invocation inv;
	int r;

	complain_as_json(asks_for_json(n_words, words));
	r = command_parse(root, n_words, words, &inv);
	if (r)
		return r;
	if (invocation_option(&inv, "version")) {
		puts("viaduct " VIADUCT_VERSION);
		return 0;
	}
	if (!inv.help && !inv.command->run && invocation_option(&inv, "json"))
		return complain_usage("which command? (--help shows those there are)");
	if (inv.help || !inv.command->run) {
		print_help(&inv);
		return inv.help ? 0 : COMPLAIN_USAGE;
	}
	r = inv.command->run(&inv);
	if (!r && fflush(stdout))
		r = complain_errno(-errno, "writing the output");
	return r < 0 ? 1 : r;
}
