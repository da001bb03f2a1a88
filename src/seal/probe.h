/* SPDX-License-Identifier: Apache-2.0 */
/* What this host can do to payloads, found out by doing it: a packet is sealed and opened,
 * compressed and restored. */
#pragma once

#include <stdint.h>

/* FEATURE_BIT()s.  Any thread. */
uint32_t seal_probe(void);
