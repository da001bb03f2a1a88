/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers from the kernel (getrandom(2)), good enough for keys and identifiers.
 *
 * There is no error to handle: a kernel that cannot give randomness ends the process.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *ret, size_t size);
uint64_t rand_u64(void);
/* Uniform in [0, n); n > 0. */
uint32_t rand_u32_below(uint32_t n);
