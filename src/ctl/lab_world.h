/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world outside of a lab (ctl/lab.h): one namespace, and one segment to which all edges are
 * linked. To both sides the public addresses are on link, so that whoever has one answers for it,
 * as on the network of a provider.  Complains; what is half made is left to lab_down().
 */
#pragma once

#include "ctl/lab.h"

/* The nodes of all edges are there. */
must_check int lab_world_create(const struct lab *l);
