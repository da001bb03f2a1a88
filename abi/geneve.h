/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The option of geneve/1 and geneve/2 (RFC 8926): what the tunnel's own VNI, which is the
 * destination's, does not say.
 *
 *	geneve/1  | class 16 | type 1 | length 2 | version 8 = 1 | source VNI 24 | policy 32 |
 *	geneve/2  | class 16 | type 2 | length 3 | policy 64 | version 8 = 2 | source VNI 24 |
 *
 * - Class: one of those for experiments (RFC 8926 section 7, the IANA registry "Geneve Option
 *   Class": 0xFF00 to 0xFFFF).
 * - Type: the version of the format, and so says the version byte.  The type's critical bit is not
 *   set: the kernel's device, given options by a program, does not set the header's bit that has to
 *   go with it (section 3.4).  Whoever does not know the option ignores it, and takes the packet
 *   for one of the VNI alone.
 * - Length: of what follows, in 4 bytes (section 3.5).
 * - Source VNI: the network of the source, or the handle of a node that forwards; so a packet may
 *   go from one network to another.
 * - Policy: the policy that decided what is sent, by its number (np-... is the same in hexadecimal;
 *   geneve/1 has the lower half), 0: none did.  For whoever reads captures; the receiver does not
 *   judge it, because while a choice changes it has heard of another one than the sender.
 *
 * There is this one option and no other.  Numbers are big endian.
 */
#pragma once

#include <linux/types.h>

enum {
	GENEVE_PORT = 6081, /* IANA's */
	GENEVE_OPTION_CLASS = 0xfff6,
	GENEVE_OPTION_1_SIZE = 12, /* with its header */
	GENEVE_OPTION_2_SIZE = 16,
	GENEVE_OPTION_MAX = 16,
};

struct geneve_option {
	__u8 class[2];
	__u8 type;
	__u8 length;
};

struct geneve_option_1 {
	struct geneve_option head;
	__u8 version;
	__u8 src_vni[3];
	__u8 policy[4];
};

struct geneve_option_2 {
	struct geneve_option head;
	__u8 policy[8];
	__u8 version;
	__u8 src_vni[3];
};

_Static_assert(sizeof(struct geneve_option_1) == GENEVE_OPTION_1_SIZE, "layout of geneve/1");
_Static_assert(sizeof(struct geneve_option_2) == GENEVE_OPTION_2_SIZE, "layout of geneve/2");
