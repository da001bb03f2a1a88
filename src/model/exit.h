/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where what a node forwards for others leaves its network (EDGE-1, PKT-13): the *exit* of a
 * private address is the edge that has its public one, in a network with an internet gateway.
 *
 * The host of a node knows its exits with its interface (plan.h).  A host whose node forwards
 * (source/destination check off) asks for those of others, and to it an exit is a mapping like
 * others: of an address that no network has (dp_exit_address() in abi/gateway.h), with holders who
 * are told of changes.  It is computed from the public addresses, not kept; what it says changes
 * with them, their drains and the gateway.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/mapping.h"

struct change;
struct elastic;

/* The public address that the private one sends from by the internet gateway, its own or one that
 * drains; or NULL. */
const struct elastic *exit_public(const struct model *m, uint32_t vni, const struct ipaddr *addr);

/* What stands for the exit of an IPv4 address, and whether an address does, with whose in
 * '*ret'. */
struct ipaddr exit_address(const struct ipaddr *addr);
bool exit_is(const struct ipaddr *exit, struct ipaddr *ret);

/* The mapping of an exit as it is now; its host is 0 if there is none. */
struct mapping exit_mapping(const struct model *m, uint32_t vni, const struct ipaddr *exit);
/* Somebody has the private address, who may get an exit. */
bool exit_may_come(const struct model *m, uint32_t vni, const struct ipaddr *exit);
/* The answer to an agent, as mapping_resolve_key(): 'asker' is at 'host', may send from addresses
 * that are not its own, and the table of its subnet leads to an internet gateway.  0 and '*ret',
 * MAPPING_NOT_HERE, or MAPPING_UNKNOWN: he may know, and there is none. */
must_check int exit_resolve(const struct model *m, uint32_t host, enum mapping_question q,
			    const struct mapping_key *asker, const struct mapping_key *exit,
			    struct mapping *ret);
/* Calls 'fn' with the exits that the change may have moved, made or ended: part of
 * plan_mappings(). */
void exit_changes(const struct model *m, const struct change *c,
		  void (*fn)(void *data, const struct mapping *now), void *data);
