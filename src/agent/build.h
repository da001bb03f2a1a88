/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build of the agent has: set where its program is linked, so that builds with other sets of
 * versions can be made and tried beside each other (tests/builds).
 */
#pragma once

#include <stdint.h>

/* FORMAT_BIT()s that its programs carry; 0: all that it knows. */
extern const uint32_t agent_build_formats;
