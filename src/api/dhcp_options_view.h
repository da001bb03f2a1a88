/* SPDX-License-Identifier: Apache-2.0 */
/* How a VPC's DHCP options set is named. */
#pragma once

#include "model/id.h"

struct vpc;

/* "dopt-...", or "default" */
const char *dhcp_options_id(const struct vpc *v, char buf[static ID_TEXT_SIZE]);
