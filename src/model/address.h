/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: which addresses of a subnet an interface may have.
 */
#pragma once

#include "model/interface.h"
#include "model/refusal.h"
#include "model/subnet.h"

/* An address that a client asked for, in the subnet and not reserved; whether it is free is another
 * question.  VALUE, ADDRESS_OUTSIDE, ADDRESS_RESERVED */
must_check int address_parse(const struct subnet *s, const char *text, struct ipaddr *ret,
			     struct refusal *reterr);
bool address_is_free(const struct model *m, const struct subnet *s, const struct ipaddr *a);
/* Appends 'n' free addresses to those of 'i', which need not be in the model; goes round the
 * subnet, so that one just given back is the last to be given away.  NO_FREE_ADDRESS, -ENOMEM */
must_check int address_pick(struct model *m, const struct subnet *s, struct interface *i, size_t n,
			    struct refusal *reterr);
/* Appends one.  -ENOMEM */
must_check int address_append(struct interface *i, const struct ipaddr *a, uint64_t revision);
void address_drop(struct interface *i, size_t n);
/* The place of 'a' among the interface's addresses, or n_addrs. */
size_t address_index(const struct interface *i, const struct ipaddr *a);
