/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line says when something is wrong: one line on standard error, what it is and
 * what to do.  A function of this room that takes no error output has complained by the time it
 * returns something that is not 0: a negative errno for what could not be done, COMPLAIN_USAGE for
 * what was said wrongly; its caller only passes the number on.
 *
 * With --json a line is an object: {"error":{"code","message"}}.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* The exit status of a command line that makes no sense, whatever of it that is. */
enum { COMPLAIN_USAGE = 2 };

/* Lines are JSON from here on, or not. */
void complain_as_json(bool json);
/* Writes "viaduct: TEXT" and returns 'error' (a negative errno). */
int complain(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with ": " and what the errno means behind the text. */
int complain_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The command line, or a value on it, is wrong.  Returns COMPLAIN_USAGE. */
int complain_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Out of memory. */
int complain_memory(void);
/* Something that is worth knowing and no error: {"note":{"message"}}. */
void complain_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
