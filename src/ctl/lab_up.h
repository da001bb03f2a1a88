/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting and ending a lab (ctl/lab.h).
 */
#pragma once

#include "ctl/lab.h"

/* Makes the lab that 'l' describes (all but directory, port and processes are set) and waits until
 * all its agents are connected.  On failure, or SIGINT or SIGTERM, nothing of it is left; with
 * 'keep_failed' what there is stays, to be looked at.  Complains. */
must_check int lab_up(struct lab *l, bool keep_failed);
/* Starts the daemon of 'node' anew (it is ended first when it runs) and waits until it answers. */
must_check int lab_restart(struct lab *l, uint32_t node, const char *build);

/* Ends everything that belongs to a lab of that name, as far as there is anything.
 * '*ret_found' says whether there was.  Complains. */
must_check int lab_down(const char *name, bool *ret_found);
