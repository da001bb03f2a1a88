/* SPDX-License-Identifier: Apache-2.0 */
/* "viaduct agent": what the agents of this machine, or of a lab, know, whether a manager is there
 * or not. */
#pragma once

#include "ctl/command.h"

enum { AGENTS_COMMANDS = 7 };
extern const struct command agents_commands[AGENTS_COMMANDS];
