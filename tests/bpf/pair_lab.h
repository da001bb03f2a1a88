/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h with one node on each host, known to both, as most packet tables want it:
 *
 *	a (10.0.1.10) --- host 1 === host 2 --- b (10.0.1.11)
 *
 * There is a second subnet, 10.0.2.0/24, with nobody in it.
 */
#pragma once

#include "frame.h"

struct pair_lab {
	struct lab lab;
	struct lab_node *a, *b;
};

void pair_lab_init(struct pair_lab *p, enum format format);
/* What comes by host 2's wire reaches b. */
void pair_assert_accepted(const struct pair_lab *p, const struct frame *f);
/* It is dropped at the host, before it is known for whom; or at b's port. */
void pair_assert_dropped(const struct pair_lab *p, const struct frame *f, uint32_t reason);
void pair_assert_dropped_at_port(const struct pair_lab *p, const struct frame *f, uint32_t reason);
