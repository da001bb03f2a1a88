/* SPDX-License-Identifier: Apache-2.0 */
#include "base/boot.h"

#include "base/file.h"
#include "base/hex.h"

int boot_id(uint8_t ret[static BOOT_ID_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char digits[2 * BOOT_ID_SIZE + 1];
	size_t n = 0;
	int e = file_read("/proc/sys/kernel/random/boot_id", 64, &text, NULL);

	if (e)
		return e;
	for (const char *c = text; *c && n < sizeof(digits) - 1; c++)
		if (*c != '-' && *c != '\n')
			digits[n++] = *c;
	digits[n] = '\0';
	return hex_decode(digits, ret, BOOT_ID_SIZE);
}
