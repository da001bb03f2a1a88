/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dice for random walks: the same after the same dice_begin() (xorshift64: G. Marsaglia, "Xorshift
 * RNGs", 2003).  Each program has its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static uint64_t dice;

/* 'from' is not 0. */
static inline void dice_begin(uint64_t from)
{
	dice = from * 0x9e3779b97f4a7c15;
}

/* 0 to n - 1. */
static inline uint32_t below(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)((dice >> 33) % n);
}

static inline const char *one_of(const char *const *v, size_t n)
{
	return v[below((uint32_t)n)];
}
#define ONE_OF(...)                                                                                \
	one_of((const char *const[]){__VA_ARGS__}, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))
