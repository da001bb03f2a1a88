/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion by bash: the script that it reads, and what may stand at the end of a line.
 */
#pragma once

#include <stdio.h>

#include "ctl/command.h"

/* Writes to 'out', a line each, what the last of 'words' may be made into: commands, or options if
 * it begins with a dash; nothing where a value, an argument or somebody else's word stands. */
void completion_words(const struct command *root, size_t n_words, const char *const *words,
		      FILE *out);

extern const struct command completion_command;
