/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Wire formats: what the manager chooses from for each pair of hosts (docs/substrate.md).
 * The numbers are on the agent protocol and in maps: they are never re-used.
 */
#pragma once

enum format {
	FORMAT_NONE = 0,
	FORMAT_SIIT_1 = 1,   /* re-heading, layout siit/1 */
	FORMAT_SIIT_2 = 2,   /* re-heading, layout siit/2, checksum-neutral */
	FORMAT_IPIP6_1 = 3,  /* IP in IPv6 between the pair's embedded addresses */
	FORMAT_VXLAN_1 = 4,  /* RFC 7348 by the kernel's device */
	FORMAT_REIP4_1 = 5,  /* re-heading on IPv4: both addresses become labels */
	FORMAT_GENEVE_1 = 6, /* RFC 8926 by the kernel's device, with an option (abi/geneve.h) */
	FORMAT_GENEVE_2 = 7, /* another layout of the option */
	FORMAT_MAX,
};

/* For an array of FORMAT_MAX. */
#define FORMAT_NAMES                                                                               \
	{                                                                                          \
		[FORMAT_NONE] = "none", [FORMAT_SIIT_1] = "siit/1", [FORMAT_SIIT_2] = "siit/2",    \
		[FORMAT_IPIP6_1] = "ipip6/1", [FORMAT_VXLAN_1] = "vxlan/1",                        \
		[FORMAT_REIP4_1] = "reip4/1", [FORMAT_GENEVE_1] = "geneve/1",                      \
		[FORMAT_GENEVE_2] = "geneve/2",                                                    \
	}

#define FORMAT_BIT(f) (1U << (f))

#define FORMATS_SIIT   (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2))
#define FORMATS_GENEVE (FORMAT_BIT(FORMAT_GENEVE_1) | FORMAT_BIT(FORMAT_GENEVE_2))
/* By a device of the kernel's, to the other host's own address. */
#define FORMATS_TUNNEL (FORMAT_BIT(FORMAT_VXLAN_1) | FORMATS_GENEVE)
/* All versions of a format, as bits; itself where it has one. */
#define FORMAT_VERSIONS(f)                                                                         \
	(FORMAT_BIT(f) & FORMATS_SIIT     ? FORMATS_SIIT                                           \
	 : FORMAT_BIT(f) & FORMATS_GENEVE ? FORMATS_GENEVE                                         \
					  : FORMAT_BIT(f))
