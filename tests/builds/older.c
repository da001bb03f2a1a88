/* SPDX-License-Identifier: Apache-2.0 */
/* What a build of an earlier version has: meson.build says it. */
#include "abi/format.h"
#include "agent/build.h"

const uint32_t agent_build_formats = OLDER_FORMATS;
