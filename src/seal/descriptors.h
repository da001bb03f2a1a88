/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine reads from and writes to, ready for use: none of them blocks.
 *
 * Ownership: a descriptor is the caller's.  Errors: a negative errno, and the outputs are
 * untouched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The sealing device, a TAP with vnet headers (virtio 1.2 section 5.1.6); '*ret_uso': it takes
 * whole GSO packets of UDP too.  -ENODEV or -EINVAL: there is none of this name. */
must_check int descriptors_device(const char *name, bool *ret_uso, int *ret);
/* Receives what is for SEAL_PORT of 'local', as many datagrams at once as the kernel has put
 * together (UDP_GRO). */
must_check int descriptors_socket(int family, const uint8_t local[16], int *ret);
