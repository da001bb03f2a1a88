/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int complain(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("viaduct: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	return error;
}

int complain_errno(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("viaduct: ", stderr);
	vfprintf(stderr, format, ap);
	fprintf(stderr, ": %s\n", strerror(-error));
	va_end(ap);
	return error;
}

int complain_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("viaduct: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	return COMPLAIN_USAGE;
}

int complain_memory(void)
{
	return complain(-ENOMEM, "out of memory");
}
