/* SPDX-License-Identifier: Apache-2.0 */
/* The command that prints the records of a flow log. */
#pragma once

#include "ctl/command.h"

extern const struct command flow_log_command;
