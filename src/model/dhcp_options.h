/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP options sets: what the nodes of a VPC are told beside their address.  A set never changes; a
 * VPC is given another one.  Without one ("default") it has the region's domain and the network's
 * resolver.
 *
 * Names, numbers of values and the meaning of AmazonProvidedDNS: EC2 API reference,
 * CreateDhcpOptions. Hosts hand out domain-name, domain-name-servers and ntp-servers; the NetBIOS
 * options are kept and shown.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct vpc;

#define DHCP_OPTIONS_DEFAULT  "default" /* instead of an id */
#define DHCP_OPTIONS_PROVIDED "AmazonProvidedDNS"

/* One value; those of one key are neighbours. */
struct dhcp_option {
	char *key;
	char *value;
};

struct dhcp_options {
	struct object o;
	size_t n_options;
	struct dhcp_option *options; /* in the order they were given */
};

struct dhcp_option_args {
	const char *key;
	const char *const *values;
	size_t n_values;
};

struct dhcp_options_args {
	const struct dhcp_option_args *options;
	size_t n_options;
	const struct tag_args *tags;
	size_t n_tags;
};

/* VALUE, MISSING, DHCP_OPTIONS_LIMIT, TAG_* */
must_check int dhcp_options_create(struct tx *tx, const struct caller *c,
				   const struct dhcp_options_args *args,
				   const struct dhcp_options **ret, struct refusal *reterr);
/* DHCP_OPTIONS_NOT_FOUND, DHCP_OPTIONS_MALFORMED, DHCP_OPTIONS_DEPENDENCY */
must_check int dhcp_options_delete(struct tx *tx, const struct caller *c, const char *id,
				   struct refusal *reterr);
/* 'id' may be DHCP_OPTIONS_DEFAULT.  DHCP_OPTIONS_NOT_FOUND, VPC_NOT_FOUND */
must_check int dhcp_options_associate(struct tx *tx, const struct caller *c, const char *id,
				      const char *vpc_id, struct refusal *reterr);
must_check int dhcp_options_find(const struct model *m, const struct caller *c, const char *id,
				 const struct dhcp_options **ret, struct refusal *reterr);

enum { DHCP_SERVERS_MAX = 4 }; /* of one kind, EC2's most */

/* What nodes of a VPC are told; texts belong to the model. */
struct dhcp_settings {
	const char *domain; /* NULL: the region's */
	size_t n_dns;       /* 0: the network's resolver */
	struct ipaddr dns[DHCP_SERVERS_MAX];
	size_t n_ntp;
	struct ipaddr ntp[DHCP_SERVERS_MAX];
};
struct dhcp_settings dhcp_settings_of(const struct model *m, const struct vpc *v);
