/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAT gateways (EDGE-1): the way to the Internet for nodes without public addresses.  A gateway has
 * an elastic address, whose edge it is at, and an interface of its own in its subnet, which is
 * nobody else's to change.
 *
 * A *private* one has no elastic address: nodes leave as its private address, by the route table of
 * its subnet, for a peered network as a rule.  Its interface is attached to it, at the edge that it
 * was given to itself; in no security group, and with a handle, which ways lead to.
 *
 * It is pending until its edge has acknowledged it, and deleting until the edge has let it go; then
 * it is described for an hour yet.  Without an edge it stays pending.  Connections begun outside
 * are let in by static ports alone: (protocol, public port) to (address, port).
 */
#pragma once

#include "model/counters.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct tag_args;

/* Stored. */
enum nat_state {
	NAT_PENDING = 1,
	NAT_FAILED = 2,
	NAT_AVAILABLE = 3,
	NAT_DELETING = 4,
	NAT_DELETED = 5,
};

enum { NAT_PORT_FIRST = 1024, NAT_PORT_LAST = 65535 };

struct nat_port {
	uint32_t protocol; /* TCP or UDP */
	uint32_t public_port;
	struct ipaddr addr;
	uint32_t port;
};

struct nat_gateway {
	struct object o;
	uint64_t vpc;
	uint32_t vni;
	uint64_t subnet;
	uint64_t interface;
	bool is_private;
	uint64_t address; /* id of its elastic address; private: 0 */
	/* Also of one that is over. */
	struct ipaddr private_addr, public_addr;
	enum nat_state state;
	uint32_t edge; /* number of the host that has it; 0: none now */
	struct handle handle;
	uint64_t wait_revision; /* pending, deleting: the edge has to acknowledge this */
	uint64_t ended_ms;      /* failed, deleted */
	char *failure_code, *failure;
	size_t n_ports;
	struct nat_port *ports;

	struct member by_vpc;
	struct member by_subnet; /* unless it is over */
	struct member by_waiting;
	struct member by_end;
	struct member by_edge; /* private */
};

const char *nat_state_text(enum nat_state s);
/* Its edge has it, or is to have it. */
bool nat_gateway_serves(const struct nat_gateway *g);

struct nat_gateway_create_args {
	const char *subnet_id;
	bool is_private;
	const char *allocation_id; /* private: NULL */
	const char *private_ip;    /* NULL: chosen here */
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* SUBNET_NOT_FOUND, MISSING, COMBINATION, ALLOCATION_NOT_FOUND, ELASTIC_ASSOCIATED,
 * NETWORK_NOT_ATTACHED, NAT_LIMIT, those of interface_create(), TOKEN_MISMATCH */
must_check int nat_gateway_create(struct tx *tx, const struct caller *c,
				  const struct nat_gateway_create_args *args,
				  const struct nat_gateway **ret, struct refusal *reterr);
/* NAT_NOT_FOUND; writes nothing for one that is over, or on its way there. */
must_check int nat_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
				  struct refusal *reterr);
must_check int nat_gateway_find(const struct model *m, const struct caller *c, const char *id,
				const struct nat_gateway **ret, struct refusal *reterr);

/* The id of the one with that handle that waits for the host's acknowledgement, or 0. */
uint64_t nat_gateway_waiting(const struct model *m, uint32_t host, uint32_t handle);

/* Lets in connections to a public port of the gateway, one for each port inside.  NAT_NOT_FOUND,
 * NAT_STATE, VALUE, NAT_PORT_IN_USE, NAT_PORT_DOUBLE, NAT_PORT_LIMIT, FOREIGN_INTERFACE */
must_check int nat_gateway_open(struct tx *tx, const struct caller *c, const char *id,
				const struct nat_port *port, struct refusal *reterr);
/* NAT_NOT_FOUND, NAT_PORT_NOT_FOUND */
must_check int nat_gateway_close(struct tx *tx, const struct caller *c, const char *id,
				 uint32_t protocol, uint32_t public_port, struct refusal *reterr);
/* One of the VPC with a static port that leads to 'addr', or NULL. */
const struct nat_gateway *nat_gateway_opening(const struct model *m, uint64_t vpc,
					      const struct ipaddr *addr);
