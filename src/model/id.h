/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: kinds of objects, their ids, and where random bytes come from.
 *
 * An object is named by its kind and 64 random bits.  As text that is EC2's long form: a prefix,
 * "0" and 16 lower-case hex digits ("vpc-0" "123456789abcdef0").  Inside the model only the number
 * is used. Accounts are numbers of 12 digits, whose text is the digits.  An attachment and a
 * reservation are parts of an interface and an instance; they have ids of their own, with prefixes
 * of their own.
 *
 * Plain values, any thread.  Errors: -EINVAL for a text that is no id of that kind.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Written to the store: never re-used. */
enum kind {
	KIND_NONE = 0,
	KIND_ACCOUNT = 1,
	KIND_KEY = 2, /* an account's access key */
	KIND_HOST = 3,
	KIND_VPC = 4,
	KIND_SUBNET = 5,
	KIND_INTERFACE = 6,
	KIND_INSTANCE = 7,
	KIND_TOKEN = 8,    /* an idempotent request that was answered */
	KIND_COUNTERS = 9, /* exactly one, id 1: numbers that are not re-used */
	/* an address that was taken from its node and is not yet to be given away */
	KIND_RELEASE = 10,
	KIND_SECURITY_GROUP = 11,
	KIND_SECURITY_GROUP_RULE = 12,
	KIND_NETWORK_ACL = 13,
	KIND_PREFIX_LIST = 14,
	KIND_ROUTE_TABLE = 15,
	KIND_INTERNET_GATEWAY = 16,
	KIND_EGRESS_GATEWAY = 17,
	KIND_NAT_GATEWAY = 18,
	KIND_ADDRESS = 19, /* an elastic (public) address */
	KIND_DHCP_OPTIONS = 20,
	KIND_PEERING = 21,
	KIND_POOL = 22, /* public addresses to allocate from */
	KIND_PERMISSION = 23,
	KIND_INSIGHTS_PATH = 24,
	KIND_INSIGHTS_ANALYSIS = 25,
	KIND_USAGE = 26, /* of an interface, whose id it has */
	KIND_DRAIN = 27, /* connections of a public address that stay where they are */
	KIND_PLACEMENT_GROUP = 30,
	KIND_SETTINGS = 31,   /* at most one, id 1 */
	KIND_PAIR_SHIFT = 32, /* what two hosts use changes */
	KIND_FLOW_LOG = 33,
	KIND_MIRROR_TARGET = 34,
	KIND_MIRROR_FILTER = 35,
	KIND_MIRROR_SESSION = 36,
	KIND_CHOICE_POLICY = 37, /* for negotiation */
	KIND_CHOICE_CHANGE = 38, /* of a policy for negotiation, until all pairs go by it */
	KIND_CHOICE_PASS = 39,   /* at most one, id 1: how far such changes have come */
	KIND_LABEL = 40,         /* stands on the substrate for a virtual address */
	KIND_MAX,
};

enum { ID_TEXT_SIZE = 40 }; /* "subnet-cidr-assoc-" and 17 digits */

/* "vpc", "subnet", ...: for people and for the operator API; NULL for numbers that no kind has. */
const char *kind_name(enum kind k);
/* "vpc-", "eni-", ...; "" for kinds whose objects have no textual id. */
const char *kind_prefix(enum kind k);
/* The kind that 'text' has the prefix of, or KIND_NONE; the rest of the text is not looked at. */
enum kind kind_of_id(const char *text);

const char *id_text(enum kind k, uint64_t id, char buf[static ID_TEXT_SIZE]);
/* The same with a prefix of one's own, e.g. "eni-attach-" or "r-". */
const char *id_text_prefixed(const char *prefix, uint64_t id, char buf[static ID_TEXT_SIZE]);
must_check int id_parse(enum kind k, const char *text, uint64_t *ret);
must_check int id_parse_prefixed(const char *prefix, const char *text, uint64_t *ret);

#define ID_PREFIX_ATTACHMENT    "eni-attach-"
#define ID_PREFIX_RESERVATION   "r-"
#define ID_PREFIX_CHOICE_POLICY "np-"

/* Random bytes, given to the model by whoever made it: it has no source of its own. */
struct id_source {
	void (*fill)(void *data, void *ret, size_t size);
	void *data;
};
