/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages (RFC 1035) as the agent answers them for its nodes: one question, at most one
 * answer.
 *
 * Concept.  dns_parse() reads a query and says what it is about: a *name* of the network (an
 * instance's), an *address* of the network (reverse), or nothing that is served here. Whoever knows
 * more decides and calls dns_answer(), which needs nothing but the question.
 *
 * Names served: a single label, alone or in the network's domain ("ip-10-0-0-4",
 * "i-0123.ec2.internal"), and D.C.B.A.in-addr.arpa. Everything else is to be REFUSED: no resolver
 * is behind this one. EDNS is ignored: the OPT record is not read and none is sent, which tells the
 * asker (RFC 6891 7).
 *
 * Hostile input: no pointer is followed, every length is checked.  Pure, any thread.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

enum {
	DNS_PORT = 53,
	DNS_LABEL_SIZE = 64, /* with the NUL */
	DNS_NAME_SIZE = 255, /* of a name on the wire, RFC 1035 2.3.4 */
	DNS_ANSWER_TTL = 60, /* seconds: as EC2's */
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

enum dns_kind {
	DNS_NAME,    /* 'label' is asked for; 'in_domain' */
	DNS_ADDRESS, /* the name of 'addr' is asked for */
	DNS_OTHER,   /* nothing served here: 'rcode' is the answer */
};

struct dns_question {
	uint16_t id;
	uint16_t flags; /* as sent */
	enum dns_kind kind;
	enum dns_rcode rcode;       /* of DNS_OTHER */
	uint16_t type;              /* QTYPE */
	bool in_domain;             /* the name ended in the network's domain */
	char label[DNS_LABEL_SIZE]; /* lower case */
	struct ipaddr addr;
	size_t size; /* of the question section to be repeated, 0: none could be read */
	uint8_t section[DNS_NAME_SIZE + 4]; /* it, as it was sent */
};

/* Reads a query; 'domain' is the network's ("ec2.internal", "" for none).  0; -EBADMSG: not even a
 * DNS query: nothing is to be answered. */
must_check int dns_parse(const uint8_t *payload, size_t size, const char *domain,
			 struct dns_question *ret);

/* It asks for an IPv6 address. */
bool dns_wants_v6(const struct dns_question *q);

/* Appends the answer's UDP payload.  With DNS_NOERROR: 'addr' answers A or AAAA questions about a
 * name, as its family is (others get an empty answer), 'name' (dotted) answers PTR questions about
 * an address; either may be NULL for an empty answer.  The buffer keeps the error. */
void dns_answer(struct buf *b, const struct dns_question *q, enum dns_rcode rcode,
		const struct ipaddr *addr, const char *name);
