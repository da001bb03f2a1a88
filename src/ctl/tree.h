/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole tree of the command line, put together from its parts.
 */
#pragma once

#include "ctl/command.h"

/* The root, which lives as long as the program. */
const struct command *tree_root(void);
