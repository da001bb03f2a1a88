/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands about one host: it is added, changed, emptied, removed, asked to probe or given new
 * keys.
 */
#pragma once

#include "ctl/command.h"

extern const struct command host_command;
