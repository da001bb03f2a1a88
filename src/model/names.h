/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private DNS names of interfaces: ip-10-0-0-4.ec2.internal in us-east-1, .REGION.compute.internal
 * elsewhere.  Plain functions, any thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "net/addr.h"

enum { NAMES_SIZE = 128 };

/* "ec2.internal" or "REGION.compute.internal" */
const char *names_domain(const char *region, char buf[static NAMES_SIZE]);
/* "ip-10-0-0-4" */
const char *names_host(const struct ipaddr *a, char buf[static NAMES_SIZE]);
/* "ip-10-0-0-4.ec2.internal" */
const char *names_private_dns(const char *region, const struct ipaddr *a,
			      char buf[static NAMES_SIZE]);
/* Of a public address: "ec2-203-0-113-25.compute-1.amazonaws.com" in us-east-1,
 * .REGION.compute.amazonaws.com elsewhere, as EC2's clients know them. */
const char *names_public_dns(const char *region, const struct ipaddr *a,
			     char buf[static NAMES_SIZE]);
/* The address in a name, with or without the domain and a final dot, in either case; -EINVAL. */
must_check int names_parse(const char *region, const char *name, struct ipaddr *ret);
