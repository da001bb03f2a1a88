/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/build.h"

const uint32_t agent_build_formats = 0;
