/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a back-end of datapath/datapath.h provides: one function for each of the contract's, with
 * the contract's meaning.  A back-end embeds 'struct datapath' first in its own struct.
 */
#pragma once

#include <stdatomic.h>

#include "datapath/datapath.h"
#include "datapath/prepare.h"

struct datapath_ops {
	int (*activate)(struct datapath *dp);
	void (*adoption)(const struct datapath *dp, struct dp_adoption *ret);
	struct datapath *(*close)(struct datapath *dp);
	int (*substrate_set)(struct datapath *dp, int ifindex);
	int (*port_set)(struct datapath *dp, const struct dp_port *port);
	int (*port_delete)(struct datapath *dp, uint32_t id);
	int (*subnet_set)(struct datapath *dp, const struct dp_subnet *subnet);
	int (*subnet_delete)(struct datapath *dp, uint32_t vni, const struct prefix *prefix);
	int (*peer_plan)(struct datapath *dp, const struct dp_peer *peer);
	int (*variant_class)(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
			     uint32_t *ret);
	int (*peer_set)(struct datapath *dp, const struct dp_peer *peer);
	int (*peer_delete)(struct datapath *dp, uint32_t id);
	int (*nexthop_set)(struct datapath *dp, const struct dp_nexthop *nexthop);
	int (*nexthop_delete)(struct datapath *dp, uint32_t id);
	int (*mapping_set)(struct datapath *dp, const struct dp_mapping *mapping);
	int (*mapping_delete)(struct datapath *dp, uint32_t vni, const struct ipaddr *addr);
	int (*group_set)(struct datapath *dp, const struct dp_group *group);
	int (*group_delete)(struct datapath *dp, uint32_t number);
	int (*acl_set)(struct datapath *dp, const struct dp_acl *acl);
	int (*acl_delete)(struct datapath *dp, uint32_t number);
	int (*ports)(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg);
	int (*subnets)(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg);
	int (*peer_held)(struct datapath *dp, uint32_t id, uint64_t *ret);
	const char *(*seal_device)(const struct datapath *dp);
	int (*peers)(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg);
	int (*mappings)(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *),
			void *arg);
	int (*table_set)(struct datapath *dp, const struct dp_table *table);
	int (*table_delete)(struct datapath *dp, uint32_t number);
	int (*tables)(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
	int (*peering_set)(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
	int (*peering_delete)(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
	int (*peerings)(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *),
			void *arg);
	int (*gateway_set)(struct datapath *dp, const struct dp_gateway *gateway);
	int (*gateway_delete)(struct datapath *dp, uint32_t handle);
	int (*gateway_device)(struct datapath *dp, uint32_t handle, int *ret_ifindex);
	int (*gateways)(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg);
	int (*gateway_counters)(struct datapath *dp, uint32_t handle,
				struct dp_gateway_counters *ret);
	int (*translations_read)(struct datapath *dp, uint32_t handle, uint64_t *at,
				 struct dp_translation *ret, size_t *ret_n);
	int (*translations_write)(struct datapath *dp, uint32_t handle,
				  const struct dp_translation *translations, size_t n);
	int (*public_set)(struct datapath *dp, const struct dp_public *public);
	int (*public_delete)(struct datapath *dp, const struct ipaddr *public);
	int (*publics)(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *),
		       void *arg);
	int (*groups)(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
	int (*acls)(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
	int (*connections)(struct datapath *dp, uint32_t port,
			   int (*fn)(const struct dp_connection *, void *), void *arg);
	int (*upcall_fd)(const struct datapath *dp);
	int (*upcall_read)(struct datapath *dp, struct dp_upcall **ret);
	int (*reinject)(struct datapath *dp, const struct dp_upcall *upcall);
	int (*announce)(struct datapath *dp, const struct ipaddr *addr);
	int (*deliver)(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size);
	int (*event_fd)(const struct datapath *dp);
	int (*event_read)(struct datapath *dp, struct dp_drop_event *ret);
	int (*drops)(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n);
	int (*counters)(struct datapath *dp, uint32_t port, struct dp_port_counters *ret);
	int (*traffic)(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX]);
	int (*window_close)(struct datapath *dp, uint64_t now_ns);
	int (*window)(struct datapath *dp, struct dp_window *ret);
	int (*window_forget)(struct datapath *dp);
	int (*records)(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg);
	int (*records_skipped)(struct datapath *dp, uint32_t port, uint64_t *ret);
	int (*mirror_set)(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror);
	int (*copy_fd)(const struct datapath *dp);
	int (*copy_read)(struct datapath *dp, struct dp_copy *ret);
	int (*copy_send)(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size);
};

/* The text of an enum connection_state (abi/connection.h). */
const char *connection_text(uint8_t state);

struct datapath {
	const struct datapath_ops *ops;
	struct dp_preparer *preparer; /* or NULL: devices need nothing */
};

struct dp_preparer_ops {
	int (*prepare)(struct dp_preparer *p, int ifindex, bool watched);
	int (*watch)(struct dp_preparer *p, int ifindex, bool watched);
	void (*tidy)(struct dp_preparer *p);
	void (*free)(struct dp_preparer *p);
};

/* A back-end embeds this as its first member. */
struct dp_preparer {
	const struct dp_preparer_ops *ops;
	atomic_uint n_references;
};

/* With one reference. */
void dp_preparer_init(struct dp_preparer *p, const struct dp_preparer_ops *ops);
