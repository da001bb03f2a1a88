/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that show something of the manager: each a path of the API and the columns of its
 * table.
 */
#pragma once

#include "ctl/command.h"

enum { SHOW_COMMANDS = 16 };
extern const struct command show_commands[SHOW_COMMANDS];
