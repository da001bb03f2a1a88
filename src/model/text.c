/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of texts.  See text.h.
 */
#include "model/text.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { ID_DIGITS_SHORT = 8, ID_DIGITS_LONG = 17 };

bool text_is_plain(const char *s)
{
	size_t length = strlen(s);

	return length <= LIMIT_MODEL_TEXT &&
	       strspn(s, LETTERS_AND_DIGITS " ._-:/()#,@[]+=&;{}!$*") == length;
}

bool text_is_id(const char *prefix, const char *s)
{
	size_t n;

	if (!str_has_prefix(s, prefix))
		return false;
	s += strlen(prefix);
	n = strspn(s, "0123456789abcdef");
	return !s[n] && (n == ID_DIGITS_SHORT || n == ID_DIGITS_LONG);
}
