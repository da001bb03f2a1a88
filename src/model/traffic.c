/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocols and ranges of rules.  See traffic.h.
 */
#include "model/traffic.h"

#include <ctype.h>
#include <stdio.h>

#include "base/str.h"

enum { PROTOCOL_MAX = 255, PORT_MAX = 65535, ICMP_MAX = 255, TEXT_SIZE = 128 };

static const struct {
	const char *name;
	uint32_t protocol;
} names[] = {
	{"tcp", TRAFFIC_TCP},       {"udp", TRAFFIC_UDP}, {"icmp", TRAFFIC_ICMP},
	{"icmpv6", TRAFFIC_ICMPV6}, {"-1", TRAFFIC_ANY},  {"all", TRAFFIC_ANY},
};

/* EC2 takes names in either case. */
static bool is_name(const char *text, const char *name)
{
	while (*name && tolower((unsigned char)*text) == *name) {
		text++;
		name++;
	}
	return !*name && !*text;
}

static int parse_protocol(const char *text, uint32_t *ret, struct refusal *reterr)
{
	char why[TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_name(text, names[i].name)) {
			*ret = names[i].protocol;
			return 0;
		}
	if (!str_u32(text, 0, PROTOCOL_MAX, ret))
		return 0;
	snprintf(why, sizeof(why), "Invalid value '%.40s' for IP protocol. Unknown protocol.",
		 text);
	return refuse(reterr, MODEL_E_TRAFFIC, why);
}

static int refuse_number(const char *what, int32_t value, struct refusal *reterr)
{
	char why[TEXT_SIZE];

	snprintf(why, sizeof(why), "%s (%d) out of range", what, value);
	return refuse(reterr, MODEL_E_TRAFFIC, why);
}

static int parse_ports(const int32_t *from, const int32_t *to, struct traffic *t,
		       struct refusal *reterr)
{
	char why[TEXT_SIZE];

	if (!from || !to)
		return refuse(reterr, MODEL_E_TRAFFIC,
			      "Invalid value 'Must specify both from and to ports with TCP/UDP.' "
			      "for portRange.");
	if (*from < 0 || *from > PORT_MAX)
		return refuse_number("TCP/UDP port", *from, reterr);
	if (*to < 0 || *to > PORT_MAX)
		return refuse_number("TCP/UDP port", *to, reterr);
	if (*from > *to) {
		snprintf(why, sizeof(why), "Invalid TCP/UDP port range (%d:%d)", *from, *to);
		return refuse(reterr, MODEL_E_TRAFFIC, why);
	}
	t->from = (uint32_t)*from;
	t->to = (uint32_t)*to;
	return 0;
}

static int parse_icmp(const int32_t *type, const int32_t *code, struct traffic *t,
		      struct refusal *reterr)
{
	int32_t a = type ? *type : -1, b = code ? *code : -1;

	if (a < -1 || a > ICMP_MAX)
		return refuse_number("ICMP type", a, reterr);
	if (b < -1 || b > ICMP_MAX || (a < 0 && b >= 0))
		return refuse_number(a < 0 ? "ICMP code without a type" : "ICMP code", b, reterr);
	if (a < 0)
		return 0;
	t->from = (uint32_t)a << 8 | (uint32_t)(b < 0 ? 0 : b);
	t->to = (uint32_t)a << 8 | (uint32_t)(b < 0 ? ICMP_MAX : b);
	return 0;
}

int traffic_parse(const char *protocol, const int32_t *from, const int32_t *to, struct traffic *ret,
		  struct refusal *reterr)
{
	struct traffic t = {.to = TRAFFIC_MAX};
	int r = parse_protocol(protocol, &t.protocol, reterr);

	if (!r && traffic_has_ports(&t))
		r = parse_ports(from, to, &t, reterr);
	else if (!r && traffic_is_icmp(&t))
		r = parse_icmp(from, to, &t, reterr);
	if (!r)
		*ret = t;
	return r;
}

bool traffic_has_ports(const struct traffic *t)
{
	return t->protocol == TRAFFIC_TCP || t->protocol == TRAFFIC_UDP;
}

bool traffic_is_icmp(const struct traffic *t)
{
	return t->protocol == TRAFFIC_ICMP || t->protocol == TRAFFIC_ICMPV6;
}

void traffic_range(const struct traffic *t, int32_t *ret_from, int32_t *ret_to)
{
	*ret_from = -1;
	*ret_to = -1;
	if (traffic_has_ports(t)) {
		*ret_from = (int32_t)t->from;
		*ret_to = (int32_t)t->to;
	} else if (traffic_is_icmp(t) && t->to - t->from < TRAFFIC_MAX) {
		*ret_from = (int32_t)(t->from >> 8);
		*ret_to = t->from == t->to ? (int32_t)(t->from & ICMP_MAX) : -1;
	}
}

const char *traffic_number(const struct traffic *t, char buf[static TRAFFIC_TEXT_SIZE])
{
	snprintf(buf, TRAFFIC_TEXT_SIZE, "%d", t->protocol == TRAFFIC_ANY ? -1 : (int)t->protocol);
	return buf;
}

const char *traffic_name(const struct traffic *t, char buf[static TRAFFIC_TEXT_SIZE])
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].protocol == t->protocol)
			return names[i].name;
	return traffic_number(t, buf);
}

bool traffic_equal(const struct traffic *a, const struct traffic *b)
{
	return a->protocol == b->protocol && a->from == b->from && a->to == b->to;
}

bool traffic_covers(const struct traffic *t, uint32_t protocol, uint32_t port)
{
	if (t->protocol != TRAFFIC_ANY && t->protocol != protocol)
		return false;
	return port >= t->from && port <= t->to;
}
