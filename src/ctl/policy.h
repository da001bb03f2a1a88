/* SPDX-License-Identifier: Apache-2.0 */
/* Policies for negotiation (docs/negotiation.md). */
#pragma once

#include "ctl/command.h"

extern const struct command policy_command;
