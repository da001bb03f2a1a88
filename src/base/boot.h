/* SPDX-License-Identifier: Apache-2.0 */
/* Which start of the kernel this is.  Any thread. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { BOOT_ID_SIZE = 16 };

/* The kernel's own number of this start, made at random. */
must_check int boot_id(uint8_t ret[static BOOT_ID_SIZE]);
