/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, prefixes and MACs: the value types that every room above shares.
 *
 * One address type serves IPv4 and IPv6: 16 bytes in network order, an IPv4 address in its
 * IPv4-mapped form (::ffff:a.b.c.d, RFC 4291 2.5.5.2).  So an address compares and hashes as
 * 16 bytes, and a prefix has one length, counted in the 128-bit space (10.0.0.0/8 has length 104).
 * All are plain values: copied by assignment, compared by the functions below, never allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ipaddr {
	uint8_t b[16];
};

struct prefix {
	struct ipaddr addr; /* bits behind 'len' are zero */
	uint8_t len;        /* 0..128, in the 128-bit space */
};

struct mac {
	uint8_t b[6];
};

enum {
	IPADDR_TEXT_SIZE = 46, /* INET6_ADDRSTRLEN */
	PREFIX_TEXT_SIZE = 50,
	MAC_TEXT_SIZE = 18,
};

/* Host-order IPv4 in and out.  ipaddr_v4() of an address that is not IPv4-mapped is 0. */
struct ipaddr ipaddr_from_v4(uint32_t host_order);
uint32_t ipaddr_v4(const struct ipaddr *a);
bool ipaddr_is_v4(const struct ipaddr *a);
bool ipaddr_is_zero(const struct ipaddr *a);
bool ipaddr_is_link_local(const struct ipaddr *a); /* fe80::/10, RFC 4291 2.5.6 */
int ipaddr_compare(const struct ipaddr *a, const struct ipaddr *b);
static inline bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return !memcmp(a->b, b->b, sizeof(a->b)); /* two comparisons, where it is inline */
}

/* Text as inet_pton(3) reads it, IPv4 or IPv6; nothing before or behind.
 * Returns 0 with '*ret', or -EINVAL with '*ret' untouched. */
int ipaddr_parse(const char *text, struct ipaddr *ret);
/* Writes the canonical text (RFC 5952; dotted for IPv4) to 'buf' and returns 'buf'. */
const char *ipaddr_text(const struct ipaddr *a, char buf[static IPADDR_TEXT_SIZE]);

/* "10.0.0.1/16", "2001:db8::1/32": the address as it is written, and the prefix's length.  -EINVAL:
 * neither of them. */
int prefix_split(const char *text, struct ipaddr *ret, uint8_t *ret_len);
/* "10.0.0.0/16", "2001:db8::/32".  -EINVAL: no prefix; -EDOM: bits are set behind the length. */
int prefix_parse(const char *text, struct prefix *ret);
const char *prefix_text(const struct prefix *p, char buf[static PREFIX_TEXT_SIZE]);
struct prefix prefix_make(const struct ipaddr *addr, uint8_t len); /* clears the bits behind */
struct prefix prefix_v4(uint32_t host_order, uint8_t v4_len);
uint8_t prefix_text_len(const struct prefix *p); /* as people write it: 8 for 10.0.0.0/8 */
bool prefix_is_v4(const struct prefix *p);
bool prefix_contains(const struct prefix *p, const struct ipaddr *a);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
bool prefix_equal(const struct prefix *a, const struct prefix *b);

int mac_parse(const char *text, struct mac *ret); /* "02:00:00:00:00:01"; 0 or -EINVAL */
const char *mac_text(const struct mac *m, char buf[static MAC_TEXT_SIZE]);
bool mac_equal(const struct mac *a, const struct mac *b);
