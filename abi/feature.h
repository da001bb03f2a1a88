/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Features: what the manager may choose for a pair of hosts beside a wire format
 * (docs/negotiation.md). The numbers are on the agent protocol and in the store: they are never
 * re-used.
 *
 * Versions of one feature are numbers of their own: of those that both ends have, the highest is
 * chosen.  crypt, integrity and lz4 touch the payload and travel in the PSP header of the agents'
 * workers; crypt and integrity exclude each other (GCM has integrity already).
 */
#pragma once

enum feature {
	FEATURE_CRYPT_1 = 0,     /* PSP version 0: AES-128-GCM */
	FEATURE_CRYPT_2 = 1,     /* PSP version 1: AES-256-GCM */
	FEATURE_INTEGRITY_1 = 2, /* PSP version 2: AES-128-GMAC */
	FEATURE_LZ4_1 = 3,       /* each segment as an LZ4 block, when that is smaller */
	FEATURE_RATE_1 = 4,      /* a token bucket for each direction of the pair */
	FEATURE_MAX,
};

#define FEATURE_NAMES                                                                              \
	{                                                                                          \
		[FEATURE_CRYPT_1] = "crypt/1", [FEATURE_CRYPT_2] = "crypt/2",                      \
		[FEATURE_INTEGRITY_1] = "integrity/1", [FEATURE_LZ4_1] = "lz4/1",                  \
		[FEATURE_RATE_1] = "rate/1",                                                       \
	}

#define FEATURE_BIT(f) (1U << (f))
enum {
	FEATURES_CRYPT = FEATURE_BIT(FEATURE_CRYPT_1) | FEATURE_BIT(FEATURE_CRYPT_2),
	FEATURES_PAYLOAD =
		FEATURES_CRYPT | FEATURE_BIT(FEATURE_INTEGRITY_1) | FEATURE_BIT(FEATURE_LZ4_1),
};
