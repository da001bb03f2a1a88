/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the forms that EC2 asks of texts.  Pure functions, any thread.
 */
#pragma once

#include <stdbool.h>

/* What names and descriptions of groups, rules and prefix lists may be: at most 255 of EC2's
 * characters (letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*). */
bool text_is_plain(const char *s);
/* Looks like an id with 'prefix', EC2's or ours: 8 or 17 hexadecimal digits.  What does not is
 * malformed rather than not there. */
bool text_is_id(const char *prefix, const char *s);
