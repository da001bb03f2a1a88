/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line says when something is wrong: one line on standard error, what it is and
 * what to do.  A function of this room that takes no error output has complained by the time it
 * returns a negative errno, or COMPLAIN_USAGE; its caller only passes the number on.
 */
#pragma once

#include "base/err.h"

/* The exit status when the command line is wrong (viaduct(1)). */
#define COMPLAIN_USAGE 2

/* Writes "viaduct: TEXT" and returns 'error' (a negative errno). */
int complain(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with ": " and what the errno means behind the text. */
int complain_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The command line is wrong: writes "viaduct: TEXT" and returns COMPLAIN_USAGE, the exit status. */
int complain_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Out of memory. */
int complain_memory(void);
