/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a subnet's router (PKT-7): its first usable one, or another one of the subnet that
 * its owner or an operator has chosen.
 *
 * The choice is the subnet's tag "viaduct:router", an IPv4 address; so it can be made when the
 * subnet is, by any client of EC2.  The address is no interface's then; the first usable one stays
 * reserved.  The network's own address, the third, which is the resolver's, and the last are no
 * router's.
 *
 * Nodes hear of their router by DHCP when they start, so it stays where it is while nodes of the
 * subnet run.  An IPv6 router has a link-local address, which advertisements tell (RFC 4861), and
 * which is not chosen.
 *
 * Pure.  One thread.
 */
#pragma once

#include "base/err.h"
#include "model/refusal.h"
#include "net/addr.h"

struct caller;
struct model;
struct subnet;
struct tx;

#define SUBNET_ROUTER_TAG "viaduct:router"

struct ipaddr subnet_router(const struct subnet *s);
/* It is one of those that interfaces would get. */
bool subnet_router_is_among_usable(const struct subnet *s);
/* As the tag's value, whatever is in the subnet.  VALUE, ADDRESS_OUTSIDE, ADDRESS_RESERVED */
must_check int subnet_router_check(const struct subnet *s, const char *text,
				   struct refusal *reterr);
/* Whether 'after' may follow 'before', another version of a subnet.  ADDRESS_IN_USE,
 * SUBNET_ROUTER_KNOWN */
must_check int subnet_router_change(const struct model *m, const struct subnet *before,
				    const struct subnet *after, struct refusal *reterr);
/* "": the first usable address.  SUBNET_NOT_FOUND, TAG_LIMIT, and as above */
must_check int subnet_router_set(struct tx *tx, const struct caller *c, const char *subnet_id,
				 const char *text, struct refusal *reterr);
