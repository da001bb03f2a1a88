/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether security groups and network ACLs let a connection come about: the same rules that hosts
 * enforce, asked of the model.  For the analysis of reachability.
 *
 * The question is about the first packet of a connection and the packets that answer it.  Four
 * things decide about the first, in this order: the groups of the sender, the ACL of its subnet,
 * the ACL of the receiver's, the groups of the receiver.  Groups know the answer as part of the
 * connection; ACLs, which are stateless, are asked about it too, the other way round.  ACLs only
 * decide about packets that cross the border of a subnet.
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

enum policy_step {
	POLICY_EGRESS_GROUPS,
	POLICY_EGRESS_ACL,
	POLICY_INGRESS_ACL,
	POLICY_INGRESS_GROUPS,
	POLICY_ANSWER_EGRESS_ACL,  /* of the receiver's subnet */
	POLICY_ANSWER_INGRESS_ACL, /* of the sender's */
	POLICY_STEPS,
};

/* What one step said. */
struct policy_decision {
	bool asked; /* false: there was nothing to ask, e.g. no group, or both are in one subnet */
	bool allowed; /* true too when it was not asked */
	/* What decided: of groups the rule that allows (0: none does); of an ACL the ACL and the
	 * number of the entry, ACL_RULE_LAST for none. */
	uint64_t group;
	uint64_t rule;
	uint64_t acl;
	uint32_t entry;
};

struct policy_verdict {
	bool allowed;
	enum policy_step step; /* not allowed: the first that refused */
	struct policy_decision steps[POLICY_STEPS];
};

/* 'from' or 'to' is NULL for an end outside of the networks, whose own policy is not known. */
must_check int policy_allows(const struct model *m, const struct interface *from,
			     const struct interface *to, const struct policy_packet *packet,
			     struct policy_verdict *ret);
const char *policy_step_text(enum policy_step s); /* "egress security groups" */
