/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "viaduct lab ...": the words of the command line for ctl/lab_up.h and ctl/lab_enter.h.
 */
#pragma once

#include "ctl/command.h"

enum { LAB_COMMANDS = 7 };
extern const struct command lab_commands[LAB_COMMANDS];
