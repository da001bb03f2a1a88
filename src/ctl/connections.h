/* SPDX-License-Identifier: Apache-2.0 */
/* The command that shows the tracked connections of agents on this machine. */
#pragma once

#include "ctl/command.h"

extern const struct command connections_command;
