/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/completion.h"

#include <string.h>

#include "base/str.h"

/* bash splits words at '=', too; what this program says nothing about are names of files. */
static const char script[] =
	"_viaduct() {\n"
	"\tlocal words\n"
	"\twords=$(\"${COMP_WORDS[0]}\" completion -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
	"2>/dev/null) || return\n"
	"\tCOMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
	"}\n"
	"complete -o default -F _viaduct viaduct\n";

/* Where a line is, word by word. */
struct place {
	const struct command *command;
	const struct command_option *pending; /* its value comes next */
	bool foreign;                         /* behind "--" */
};

static void pass(struct place *p, const char *word)
{
	if (p->foreign || str_equal(word, "="))
		return;
	if (p->pending) {
		p->pending = NULL;
	} else if (str_equal(word, "--")) {
		p->foreign = true;
	} else if (str_has_prefix(word, "--")) {
		size_t length = strcspn(word + 2, "=");
		const struct command_option *o = command_option(p->command, word + 2, length);

		if (o && o->value && !word[2 + length])
			p->pending = o;
	} else {
		p->command = command_child(p->command, word) ?: p->command;
	}
}

static void offer_options(const struct command_option *options, size_t n, const char *begun,
			  FILE *out)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(options[i].name, begun, strlen(begun)))
			fprintf(out, "--%s\n", options[i].name);
}

void completion_words(const struct command *root, size_t n_words, const char *const *words,
		      FILE *out)
{
	struct place p = {.command = root};
	const char *last = n_words ? words[n_words - 1] : "";
	const struct command_option *globals;
	size_t n;

	for (size_t i = 0; i + 1 < n_words; i++)
		pass(&p, words[i]);
	if (p.foreign || p.pending)
		return;
	if (*last == '-') {
		const char *begun = last + strspn(last, "-");

		globals = command_global_options(&n);
		offer_options(p.command->options, p.command->n_options, begun, out);
		offer_options(globals, n, begun, out);
		return;
	}
	for (size_t i = 0; i < p.command->n_children; i++)
		if (str_has_prefix(p.command->children[i].word, last))
			fprintf(out, "%s\n", p.command->children[i].word);
}

static int run_completion(const struct invocation *inv)
{
	if (inv->n_arguments)
		completion_words(inv->path[0], inv->n_arguments, inv->arguments, stdout);
	else
		fputs(script, stdout);
	return 0;
}

const struct command completion_command = {
	.word = "completion",
	.help = "print what bash needs to complete commands: eval \"$(viaduct completion)\"",
	.arguments = "[-- WORD...]",
	.max_arguments = LIMIT_CTL_WORDS,
	.run = run_completion,
	.not_json = "it is for shells",
};
