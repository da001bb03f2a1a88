/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on elastic addresses that other operations take.
 */
#pragma once

#include "model/elastic.h"

/* The private address has left its interface for good: what is associated with it is not any
 * more. */
must_check int elastic_forget_private(struct tx *tx, uint32_t vni, const struct ipaddr *a);
/* For a node that starts: gives its primary address a public one, unless it has one.  Without pools
 * there is none, which is no error; POOL_EXHAUSTED */
must_check int elastic_give_automatic(struct tx *tx, const struct interface *i,
				      struct refusal *reterr);
/* The node has stopped: automatic addresses go. */
must_check int elastic_end_automatic(struct tx *tx, const struct interface *i);
/* Associates 'e' with an address of the interface of a NAT gateway. */
must_check int elastic_bind_nat(struct tx *tx, const struct elastic *e, const struct interface *i,
				uint64_t nat_gateway, uint32_t *ret_edge);
/* Ends its association, whatever it is with. */
must_check int elastic_unbind(struct tx *tx, const struct elastic *e);
/* Gives it to another edge (0: none). */
must_check int elastic_set_edge(struct tx *tx, const struct elastic *e, uint32_t edge);
uint64_t elastic_private_hash(uint32_t vni, const struct ipaddr *a);
