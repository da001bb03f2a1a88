/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands about one interface: it is shown, changed, detached, put on a foreign host and taken
 * off, and shared.
 */
#pragma once

#include "ctl/command.h"

extern const struct command interface_command;
extern const struct command interface_share_command;
