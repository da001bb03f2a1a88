/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that change something at the manager: hosts, pools, accounts and their keys.
 */
#pragma once

#include "ctl/command.h"

enum {
	OPERATE_HOST_COMMANDS = 5,
	OPERATE_ACCOUNT_COMMANDS = 5,
	OPERATE_POOL_COMMANDS = 3,
	OPERATE_INTERFACE_COMMANDS = 2
};
extern const struct command operate_host_commands[OPERATE_HOST_COMMANDS];
extern const struct command operate_account_commands[OPERATE_ACCOUNT_COMMANDS];
extern const struct command operate_interface_commands[OPERATE_INTERFACE_COMMANDS];
extern const struct command operate_pool_commands[OPERATE_POOL_COMMANDS];
extern const struct command operate_release_command;
extern const struct command operate_share_command;
extern const struct command operate_preload_command;
extern const struct command operate_environment_command;
