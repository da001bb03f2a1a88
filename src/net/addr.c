/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes and MACs: see addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/str.h"

static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

enum { V4_SHIFT = 96 }; /* where IPv4 begins in the 128-bit space */

struct ipaddr ipaddr_from_v4(uint32_t host_order)
{
	uint32_t wire = htonl(host_order);
	struct ipaddr a;

	memcpy(a.b, v4_mapped, sizeof(v4_mapped));
	memcpy(a.b + 12, &wire, sizeof(wire));
	return a;
}

uint32_t ipaddr_v4(const struct ipaddr *a)
{
	uint32_t wire;

	if (!ipaddr_is_v4(a))
		return 0;
	memcpy(&wire, a->b + 12, sizeof(wire));
	return ntohl(wire);
}

bool ipaddr_is_v4(const struct ipaddr *a)
{
	return memcmp(a->b, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool ipaddr_is_zero(const struct ipaddr *a)
{
	static const struct ipaddr zero;

	return ipaddr_equal(a, &zero);
}

bool ipaddr_is_link_local(const struct ipaddr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

int ipaddr_compare(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

int ipaddr_parse(const char *text, struct ipaddr *ret)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*ret = ipaddr_from_v4(ntohl(v4.s_addr));
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return -EINVAL;
	memcpy(ret->b, &v6, sizeof(ret->b));
	return 0;
}

const char *ipaddr_text(const struct ipaddr *a, char buf[static IPADDR_TEXT_SIZE])
{
	/* IPADDR_TEXT_SIZE is enough for every address, so these do not fail. */
	if (ipaddr_is_v4(a))
		inet_ntop(AF_INET, a->b + 12, buf, IPADDR_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, a->b, buf, IPADDR_TEXT_SIZE);
	return buf;
}

int prefix_split(const char *text, struct ipaddr *ret, uint8_t *ret_len)
{
	char addr_text[IPADDR_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	struct ipaddr addr;
	uint32_t len;
	bool is_v4;

	if (!slash || (size_t)(slash - text) >= sizeof(addr_text))
		return -EINVAL;
	memcpy(addr_text, text, (size_t)(slash - text));
	addr_text[slash - text] = '\0';
	if (ipaddr_parse(addr_text, &addr) < 0)
		return -EINVAL;
	/* Written with colons, an IPv4-mapped address has a length of IPv6. */
	is_v4 = !strchr(addr_text, ':');
	if (slash[1] == '0' && slash[2])
		return -EINVAL; /* "/08" */
	if (str_u32(slash + 1, 0, is_v4 ? 32 : 128, &len) < 0)
		return -EINVAL;
	*ret = addr;
	*ret_len = (uint8_t)(is_v4 ? V4_SHIFT + len : len);
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	struct prefix made;
	struct ipaddr addr;
	uint8_t len;
	int e = prefix_split(text, &addr, &len);

	if (e)
		return e;
	made = prefix_make(&addr, len);
	if (!ipaddr_equal(&made.addr, &addr))
		return -EDOM;
	*ret = made;
	return 0;
}

const char *prefix_text(const struct prefix *p, char buf[static PREFIX_TEXT_SIZE])
{
	char addr[IPADDR_TEXT_SIZE];

	/* A prefix wider than all of IPv4 is one of IPv6, whatever its address looks like. */
	if (prefix_is_v4(p))
		ipaddr_text(&p->addr, addr);
	else
		inet_ntop(AF_INET6, p->addr.b, addr, sizeof(addr));
	snprintf(buf, PREFIX_TEXT_SIZE, "%s/%u", addr, prefix_text_len(p));
	return buf;
}

struct prefix prefix_make(const struct ipaddr *addr, uint8_t len)
{
	struct prefix p = {.addr = *addr, .len = len};

	for (unsigned int i = 0; i < sizeof(p.addr.b); i++) {
		if (8 * i >= len)
			p.addr.b[i] = 0;
		else if (8 * i + 8 > len)
			p.addr.b[i] &= (uint8_t)(0xff << (8 * i + 8 - len));
	}
	return p;
}

struct prefix prefix_v4(uint32_t host_order, uint8_t v4_len)
{
	struct ipaddr addr = ipaddr_from_v4(host_order);

	return prefix_make(&addr, (uint8_t)(V4_SHIFT + v4_len));
}

uint8_t prefix_text_len(const struct prefix *p)
{
	return prefix_is_v4(p) ? (uint8_t)(p->len - V4_SHIFT) : p->len;
}

bool prefix_is_v4(const struct prefix *p)
{
	return p->len >= V4_SHIFT && ipaddr_is_v4(&p->addr);
}

bool prefix_contains(const struct prefix *p, const struct ipaddr *a)
{
	struct prefix around = prefix_make(a, p->len);

	return ipaddr_equal(&around.addr, &p->addr);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && ipaddr_equal(&a->addr, &b->addr);
}

int mac_parse(const char *text, struct mac *ret)
{
	struct mac m;

	for (size_t i = 0; i < sizeof(m.b); i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -EINVAL : hex_digit(text[1]);

		if (low < 0 || text[2] != (i + 1 < sizeof(m.b) ? ':' : '\0'))
			return -EINVAL;
		m.b[i] = (uint8_t)(high << 4 | low);
	}
	*ret = m;
	return 0;
}

const char *mac_text(const struct mac *m, char buf[static MAC_TEXT_SIZE])
{
	snprintf(buf, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		 m->b[3], m->b[4], m->b[5]);
	return buf;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
