/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as hexadecimal text.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Writes 2 * size lower-case digits and a NUL to 'ret_text'. */
void hex_encode(const void *data, size_t size, char *ret_text);
/* What a digit, of either case, stands for; -EINVAL: it is none. */
int hex_digit(char c);
/* Reads exactly 2 * size digits, either case, and nothing else; -EINVAL with 'ret' untouched. */
must_check int hex_decode(const char *text, void *ret, size_t size);
