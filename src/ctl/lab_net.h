/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The substrate of a lab (ctl/lab.h): its namespaces, links, addresses and routes.  In-process, by
 * netlink.  Functions complain and return 0 or a negative errno; what is half made is left to
 * lab_down().
 */
#pragma once

#include <jansson.h>

#include "ctl/lab.h"

/* The router and all nodes, so that every node reaches every other. */
must_check int lab_net_create(const struct lab *l);
/* Routes the locators of a host to it; 'record' is the host's as the API gives it. */
must_check int lab_net_route_locators(const struct lab *l, uint32_t node, const json_t *record);
/* Makes the namespace "vd-NAME-WHAT", with its loopback as it is. */
must_check int lab_net_make(const struct lab *l, const char *what, int *ret_fd);
/* Opens the namespace "vd-NAME-WHAT". */
must_check int lab_net_open(const struct lab *l, const char *what, int *ret_fd);
