/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complain.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How this process complains: like a log's level, the program's and nobody else's. */
static bool as_json;

void complain_as_json(bool json)
{
	as_json = json;
}

/* 'code' NULL: a note. */
static void write_json(const char *code, const char *text)
{
	json_t *line = code ? json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", text)
			    : json_pack("{s:{s:s}}", "note", "message", text);

	/* Data that is no UTF-8 cannot be said in JSON. */
	if (!line)
		line = json_pack("{s:{s:s,s:s}}", "error", "code", code ?: "", "message",
				 "it cannot be said in JSON: say it without --json");
	if (line)
		json_dumpf(line, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(line);
}

__attribute__((format(printf, 3, 0))) static void say(const char *code, const char *meaning,
						      const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL, *whole = NULL;

	if (vasprintf(&text, format, ap) < 0 ||
	    asprintf(&whole, "%s%s%s", text, meaning ? ": " : "", meaning ?: "") < 0) {
		fputs("viaduct: out of memory\n", stderr);
		return;
	}
	if (as_json)
		write_json(code, whole);
	else
		fprintf(stderr, "viaduct: %s\n", whole);
}

static const char *code_of(int error)
{
	return error ? strerrorname_np(-error) ?: "EINVAL" : "Refused";
}

int complain(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(code_of(error), NULL, format, ap);
	va_end(ap);
	return error;
}

int complain_errno(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(code_of(error), strerror(-error), format, ap);
	va_end(ap);
	return error;
}

int complain_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say("Usage", NULL, format, ap);
	va_end(ap);
	return COMPLAIN_USAGE;
}

int complain_memory(void)
{
	return complain(-ENOMEM, "out of memory");
}

void complain_note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(NULL, NULL, format, ap);
	va_end(ap);
}
