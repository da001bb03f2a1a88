/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the fields of the agent protocol to the types of the program, and back.  What comes from the
 * wire is checked; outputs are untouched on failure (-EINVAL).  Pure, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "driver/driver.h"
#include "net/addr.h"

enum { CONVERT_VNI_MAX = 0xEFFFFF }; /* of a network; above are handles of the receiving host */

bool convert_vni_is_valid(uint32_t vni);
bool convert_handle_is_valid(uint32_t handle); /* of a gateway or an interface */
must_check int convert_addr(const ProtobufCBinaryData *b,
			    struct ipaddr *ret); /* exactly 16 bytes */
must_check int convert_optional_addr(const ProtobufCBinaryData *b,
				     struct ipaddr *ret); /* or none */
must_check int convert_prefix(const ProtobufCBinaryData *b, uint32_t len, struct prefix *ret);
/* The same, or ::/0, which says all of IPv6 (all of IPv4 has a length of 96). */
must_check int convert_any_prefix(const ProtobufCBinaryData *b, uint32_t len, struct prefix *ret);
/* A locator: 16 bytes and nothing set behind 'len'; empty gives a prefix of length 0. */
must_check int convert_locator(const ProtobufCBinaryData *b, uint8_t len, struct prefix *ret);
must_check int convert_mac(const ProtobufCBinaryData *b, struct mac *ret); /* unicast, not zero */
must_check int convert_id(const char *id, char ret[static DRIVER_ID_SIZE]);
/* Copies; a name that is too long is cut, and that is -EINVAL. */
must_check int convert_name(const char *name, char *ret, size_t size);

/* The number of a policy, which its id says in hexadecimal ("np-..."), 0: none.  It is only shown:
 * a text that is none counts as none. */
uint64_t convert_policy(const char *id);

/* The bytes of an address for a message that is packed while 'a' lives. */
ProtobufCBinaryData convert_bytes(const struct ipaddr *a);
