/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that set what networks and subnets have and EC2 does not.
 */
#pragma once

#include "ctl/command.h"

extern const struct command network_preload_command;
extern const struct command network_environment_command;
extern const struct command network_unknown_macs_command;
extern const struct command network_router_command;
