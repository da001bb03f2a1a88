/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private DNS names.  See names.h.
 */
#include "model/names.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define HOST_PREFIX "ip-"

const char *names_domain(const char *region, char buf[static NAMES_SIZE])
{
	if (str_equal(region, "us-east-1"))
		snprintf(buf, NAMES_SIZE, "ec2.internal");
	else
		snprintf(buf, NAMES_SIZE, "%.64s.compute.internal", region);
	return buf;
}

const char *names_host(const struct ipaddr *a, char buf[static NAMES_SIZE])
{
	uint32_t v = ipaddr_v4(a);

	snprintf(buf, NAMES_SIZE, HOST_PREFIX "%u-%u-%u-%u", v >> 24, v >> 16 & 0xff, v >> 8 & 0xff,
		 v & 0xff);
	return buf;
}

const char *names_private_dns(const char *region, const struct ipaddr *a,
			      char buf[static NAMES_SIZE])
{
	char domain[NAMES_SIZE];
	uint32_t v = ipaddr_v4(a);

	names_domain(region, domain);
	snprintf(buf, NAMES_SIZE, HOST_PREFIX "%u-%u-%u-%u.%.96s", v >> 24, v >> 16 & 0xff,
		 v >> 8 & 0xff, v & 0xff, domain);
	return buf;
}

const char *names_public_dns(const char *region, const struct ipaddr *a,
			     char buf[static NAMES_SIZE])
{
	uint32_t v = ipaddr_v4(a);
	int n = snprintf(buf, NAMES_SIZE, "ec2-%u-%u-%u-%u.", v >> 24, v >> 16 & 0xff,
			 v >> 8 & 0xff, v & 0xff);

	if (str_equal(region, "us-east-1"))
		snprintf(buf + n, NAMES_SIZE - (size_t)n, "compute-1.amazonaws.com");
	else
		snprintf(buf + n, NAMES_SIZE - (size_t)n, "%.64s.compute.amazonaws.com", region);
	return buf;
}

/* One number of 0 to 255 without leading zeros; returns what is behind it, or NULL. */
static const char *octet(const char *s, uint32_t *ret)
{
	uint32_t v = 0;
	size_t n = strspn(s, "0123456789");

	if (!n || n > 3 || (n > 1 && s[0] == '0'))
		return NULL;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	if (v > 255)
		return NULL;
	*ret = v;
	return s + n;
}

/* What is behind the host's name: nothing, or the domain, then maybe a dot. */
static bool is_domain(const char *region, const char *rest)
{
	char domain[NAMES_SIZE];
	size_t length = strlen(names_domain(region, domain));

	if (!rest[0] || str_equal(rest, "."))
		return true;
	if (rest[0] != '.' || strncasecmp(rest + 1, domain, length))
		return false;
	rest += 1 + length;
	return !rest[0] || str_equal(rest, ".");
}

int names_parse(const char *region, const char *name, struct ipaddr *ret)
{
	uint32_t v = 0;

	if (strncasecmp(name, HOST_PREFIX, strlen(HOST_PREFIX)))
		return -EINVAL;
	name += strlen(HOST_PREFIX);
	for (int i = 0; i < 4; i++) {
		uint32_t part = 0;

		if (i && *name++ != '-')
			return -EINVAL;
		name = octet(name, &part);
		if (!name)
			return -EINVAL;
		v = v << 8 | part;
	}
	if (!is_domain(region, name))
		return -EINVAL;
	*ret = ipaddr_from_v4(v);
	return 0;
}
