/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hashes for tables in memory: SipHash-1-3 (Aumasson, Bernstein) under a key drawn once per
 * process, so that nobody outside can choose keys that collide.  Never store a hash or send it.
 *
 * Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t size);
uint64_t hash_str(const char *s);
uint64_t hash_u64(uint64_t v);
/* For keys of two parts, such as (VNI, address). */
uint64_t hash_u64_bytes(uint64_t v, const void *data, size_t size);

/* The function itself, under the key (k0, k1). */
uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t size);
