/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal text: see hex.h. */
#include "base/hex.h"

void hex_encode(const void *data, size_t size, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = data;

	for (size_t i = 0; i < size; i++) {
		ret_text[2 * i] = digits[from[i] >> 4];
		ret_text[2 * i + 1] = digits[from[i] & 15];
	}
	ret_text[2 * size] = '\0';
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int hex_decode(const char *text, void *ret, size_t size)
{
	uint8_t *to = ret;

	for (size_t i = 0; i < 2 * size; i++)
		if (hex_digit(text[i]) < 0)
			return -EINVAL; /* also at the NUL: nothing behind it is read */
	if (text[2 * size])
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}
