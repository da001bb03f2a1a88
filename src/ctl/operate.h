/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that change something at the manager: addresses, NAT gateways, pools, accounts
 * and their keys.  Those about hosts, networks and interfaces have files of their own.
 */
#pragma once

#include "ctl/command.h"

enum { OPERATE_ACCOUNT_COMMANDS = 7, OPERATE_POOL_COMMANDS = 3 };
extern const struct command operate_account_commands[OPERATE_ACCOUNT_COMMANDS];
extern const struct command operate_pool_commands[OPERATE_POOL_COMMANDS];
extern const struct command operate_release_command;
extern const struct command operate_nat_command;
