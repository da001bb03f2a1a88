/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log fields (base/log.h) of the types of net/addr.h.  Each takes a pointer.
 */
#pragma once

#include "base/log.h"
#include "net/addr.h"

#define LOG_ADDR(k, a)   LOG_STR(k, ipaddr_text((a), (char[IPADDR_TEXT_SIZE]){0}))
#define LOG_PREFIX(k, p) LOG_STR(k, prefix_text((p), (char[PREFIX_TEXT_SIZE]){0}))
#define LOG_MAC(k, m)    LOG_STR(k, mac_text((m), (char[MAC_TEXT_SIZE]){0}))
