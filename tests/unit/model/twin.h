/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slow, plain twin of the model: one list of objects, searched from end to end.  It follows the
 * changes that the model reports and then says, by looking at every object, what each index must
 * hold.
 */
#pragma once

#include "model/model.h"
#include "model/tx.h"

struct twin {
	size_t n;
	struct object **objects;
};

/* Copies all objects of 'm'. */
void twin_init(struct twin *t, const struct model *m);
void twin_deinit(struct twin *t);
void twin_apply(struct twin *t, const struct change *c);
/* Before the change is undone in the model. */
void twin_undo(struct twin *t, const struct change *c);
/* Fails the test unless every object and every index of 'm' is as the twin says. */
void twin_check(const struct twin *t, const struct model *m);
/* Fails the test if the objects break a rule that no sequence of operations may break. */
void twin_check_rules(const struct twin *t);

/* The same for ways out of networks: twin_ways.c. */
bool twin_ways_key(const struct object *o, enum relation r, uint64_t *ret);
/* 'o' makes the host, an edge, carry the network. */
bool twin_ways_carries(const struct object *o, uint32_t vni, uint32_t host);
void twin_ways_check_rules(const struct twin *t);
/* And for security groups, ACLs and prefix lists: twin_policy.c. */
void twin_policy_check_rules(const struct twin *t);
/* For flow logs and traffic mirroring: walk_watch.c. */
bool twin_watch_key(const struct object *o, enum relation r, uint64_t *ret);
