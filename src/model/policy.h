/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether security groups and network ACLs let a connection come about: the same rules that hosts
 * enforce, asked of the model.  For the analysis of reachability.
 *
 * Groups know the answers of what they have let pass as part of the connection; ACLs, which are
 * stateless, are asked about those too.  ACLs only decide about packets that cross the border of a
 * subnet.  Which of them a packet meets, and in which order, is the way's affair
 * (model/reach_walk.c).
 *
 * Pure, reads the model.  -ENOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/interface.h"
#include "net/addr.h"

struct model;

struct policy_packet {
	uint32_t protocol; /* IANA's number */
	struct ipaddr src,
		dst;       /* as at the place where it is asked: behind an address translation */
	uint16_t src_port; /* TCP, UDP */
	uint16_t dst_port; /* TCP, UDP; ICMP: type << 8 | code */
};

/* What was said. */
struct policy_decision {
	bool asked;   /* false: there was nothing to ask, e.g. no group */
	bool allowed; /* true too when it was not asked */
	/* What decided: of groups the rule that allows (0: none does); of an ACL the ACL and the
	 * number of the entry, ACL_RULE_LAST or ACL_RULE_LAST6 for none. */
	uint64_t group;
	uint64_t rule;
	uint64_t acl;
	uint32_t entry;
	/* Above the packet's, the first destination port for which rules that are about its
	 * addresses and protocol may decide otherwise; 0: none. */
	uint32_t next_port;
};

/* The next border above 'port' of a range of ports; 'next', or 0, was found before. */
uint32_t policy_next_border(uint32_t port, uint32_t from, uint32_t to, uint32_t next);

/* The groups of 'i' about a packet that its node sends ('egress') or gets.  'other' is the
 * interface of the other end, whose groups are known there; NULL: nobody knows them. */
must_check int policy_ask_groups(const struct model *m, const struct interface *i,
				 const struct interface *other, bool egress,
				 const struct policy_packet *packet, struct policy_decision *ret);
/* The ACL of the subnet that 'i' is in. */
must_check int policy_ask_acl(const struct model *m, const struct interface *i, bool egress,
			      const struct policy_packet *packet, struct policy_decision *ret);
/* What answers the packet. */
struct policy_packet policy_answer(const struct policy_packet *packet);
