/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of refusals, and how one is filled.  See refusal.h.
 */
#include "model/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 3 };

#define CLASS_NAME_INVALID     "InvalidParameter"
#define CLASS_NAME_FORBIDDEN   "Forbidden"
#define CLASS_NAME_NOT_FOUND   "NotFound"
#define CLASS_NAME_CONFLICT    "Conflict"
#define CLASS_NAME_LIMIT       "LimitExceeded"
#define CLASS_NAME_UNAVAILABLE "Unavailable"

enum {
	STATUS_INVALID = 400,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_LIMIT = 429,
	STATUS_UNAVAILABLE = 503,
	EC2_STATUS_INVALID = 400,
	EC2_STATUS_FORBIDDEN = 400,
	EC2_STATUS_NOT_FOUND = 400,
	EC2_STATUS_CONFLICT = 400,
	EC2_STATUS_LIMIT = 400,
	EC2_STATUS_UNAVAILABLE = 500, /* clients try again */
};

static const struct {
	struct refusal_info info;
	const char *message;
} refusals[MODEL_E_MAX] = {
#define REFUSAL(name, ec2, class, message)                                                         \
	[MODEL_E_##name] = {{#name, ec2, EC2_STATUS_##class, REFUSAL_##class, CLASS_NAME_##class,  \
			     STATUS_##class},                                                      \
			    message},
#include "model/refusal.def"
#undef REFUSAL
};

const struct refusal_info *refusal_info(int code)
{
	assert(code > 0 && code < MODEL_E_MAX);
	return &refusals[code].info;
}

/* Cuts 'text', which fills 'size', before a character that lost its end: answers are UTF-8. */
static void trim_utf8(char *text, size_t size)
{
	size_t end = strlen(text);

	if (end + 1 < size)
		return;
	while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end && (unsigned char)text[end - 1] >= 0xc0)
		end--;
	text[end] = '\0';
}

int refuse(struct refusal *r, int code, const char *subject, ...)
{
	const char *args[ARGS_MAX] = {subject, "", ""};
	const char *message = refusals[code].message;
	size_t n = 0;
	va_list ap;

	if (!r)
		return code;
	for (const char *s = strchr(message, '%'); s; s = strchr(s + 1, '%'))
		n++;
	assert(n <= ARGS_MAX);
	va_start(ap, subject);
	for (size_t i = 1; i < n; i++)
		args[i] = va_arg(ap, const char *);
	va_end(ap);
	r->code = code;
	snprintf(r->subject, sizeof(r->subject), "%s", subject);
	trim_utf8(r->subject, sizeof(r->subject));
	snprintf(r->message, sizeof(r->message), message, args[0], args[1], args[2]);
	trim_utf8(r->message, sizeof(r->message));
	return code;
}
