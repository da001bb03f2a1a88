/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids as text and back.  See id.h.
 */
#include "model/id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ID_DIGITS = 17, ACCOUNT_DIGITS = 12 };

static const struct {
	const char *name;
	const char *prefix;
} kinds[KIND_MAX] = {
	[KIND_ACCOUNT] = {"account", ""},
	[KIND_KEY] = {"key", ""},
	[KIND_HOST] = {"host", "host-"},
	[KIND_VPC] = {"vpc", "vpc-"},
	[KIND_SUBNET] = {"subnet", "subnet-"},
	[KIND_INTERFACE] = {"interface", "eni-"},
	[KIND_INSTANCE] = {"instance", "i-"},
	[KIND_TOKEN] = {"token", ""},
	[KIND_COUNTERS] = {"counters", ""},
	[KIND_RELEASE] = {"release", ""},
	[KIND_SECURITY_GROUP] = {"security-group", "sg-"},
	[KIND_SECURITY_GROUP_RULE] = {"security-group-rule", "sgr-"},
	[KIND_NETWORK_ACL] = {"network-acl", "acl-"},
	[KIND_PREFIX_LIST] = {"prefix-list", "pl-"},
	[KIND_ROUTE_TABLE] = {"route-table", "rtb-"},
	[KIND_INTERNET_GATEWAY] = {"internet-gateway", "igw-"},
	[KIND_EGRESS_GATEWAY] = {"egress-only-internet-gateway", "eigw-"},
	[KIND_DHCP_OPTIONS] = {"dhcp-options", "dopt-"},
	[KIND_NAT_GATEWAY] = {"natgateway", "nat-"},
	[KIND_ADDRESS] = {"elastic-ip", "eipalloc-"},
	[KIND_PEERING] = {"vpc-peering-connection", "pcx-"},
	[KIND_POOL] = {"pool", "ipv4pool-ec2-"},
	[KIND_PERMISSION] = {"permission", "eni-perm-"},
	[KIND_CHOICE_POLICY] = {"policy", ID_PREFIX_CHOICE_POLICY},
	[KIND_USAGE] = {"usage", ""},
	[KIND_FLOW_LOG] = {"vpc-flow-log", "fl-"},
	[KIND_MIRROR_TARGET] = {"traffic-mirror-target", "tmt-"},
	[KIND_MIRROR_FILTER] = {"traffic-mirror-filter", "tmf-"},
	[KIND_MIRROR_SESSION] = {"traffic-mirror-session", "tms-"},
	[KIND_DRAIN] = {"drain", ""},
	[KIND_PAIR_SHIFT] = {"pair-shift", ""},
	[KIND_PLACEMENT_GROUP] = {"placement-group", "pg-"},
	[KIND_SETTINGS] = {"settings", ""},
	[KIND_CHOICE_CHANGE] = {"policy-change", ""},
	[KIND_CHOICE_PASS] = {"policy-pass", ""},
	[KIND_LABEL] = {"label", ""},
	[KIND_INSIGHTS_PATH] = {"network-insights-path", "nip-"},
	[KIND_INSIGHTS_ANALYSIS] = {"network-insights-analysis", "nia-"},
};

const char *kind_name(enum kind k)
{
	return k > KIND_NONE && k < KIND_MAX ? kinds[k].name : NULL;
}

const char *kind_prefix(enum kind k)
{
	return k > KIND_NONE && k < KIND_MAX && kinds[k].prefix ? kinds[k].prefix : "";
}

enum kind kind_of_id(const char *text)
{
	enum kind found = KIND_NONE;

	/* "eni-attach-" begins like an interface's id, and is none; "eni-perm-" is a
	 * permission's */
	if (!strncmp(text, ID_PREFIX_ATTACHMENT, strlen(ID_PREFIX_ATTACHMENT)))
		return KIND_NONE;
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		size_t length = strlen(kind_prefix(k));

		if (length > strlen(kind_prefix(found)) && !strncmp(text, kind_prefix(k), length))
			found = k;
	}
	return found;
}

const char *id_text_prefixed(const char *prefix, uint64_t id, char buf[static ID_TEXT_SIZE])
{
	snprintf(buf, ID_TEXT_SIZE, "%s%0*" PRIx64, prefix, ID_DIGITS, id);
	return buf;
}

const char *id_text(enum kind k, uint64_t id, char buf[static ID_TEXT_SIZE])
{
	if (k != KIND_ACCOUNT)
		return id_text_prefixed(kind_prefix(k), id, buf);
	snprintf(buf, ID_TEXT_SIZE, "%0*" PRIu64, ACCOUNT_DIGITS, id);
	return buf;
}

int id_parse_prefixed(const char *prefix, const char *text, uint64_t *ret)
{
	size_t length = strlen(prefix);
	uint64_t id = 0;

	if (strncmp(text, prefix, length) || strnlen(text + length, ID_DIGITS + 1) != ID_DIGITS ||
	    text[length] != '0')
		return -EINVAL;
	for (const char *s = text + length; *s; s++) {
		if (*s >= '0' && *s <= '9')
			id = id << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			id = id << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret = id;
	return 0;
}

static int parse_account(const char *text, uint64_t *ret)
{
	uint64_t id = 0;

	if (strnlen(text, ACCOUNT_DIGITS + 1) != ACCOUNT_DIGITS)
		return -EINVAL;
	for (const char *s = text; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		id = id * 10 + (uint64_t)(*s - '0');
	}
	if (!id) /* the system's own */
		return -EINVAL;
	*ret = id;
	return 0;
}

int id_parse(enum kind k, const char *text, uint64_t *ret)
{
	if (k == KIND_ACCOUNT)
		return parse_account(text, ret);
	return id_parse_prefixed(kind_prefix(k), text, ret);
}
