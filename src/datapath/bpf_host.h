/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: one host's programs, pinned tables and devices.
 *
 * Pinned under <bpffs>/viaduct/<name>/: every table by its name and layout (abi/tables.def), and
 * where the kernel has tcx the links by theirs (link_substrate, link_upcall, link_tunnel,
 * link_tunnel_geneve, link_port_ID, link_watch_ID).  Devices: <name>-up, the upcall tap, <name>-cp,
 * that of copies, <name>-vx, the vxlan device, <name>-gn, the geneve device, <name>-sl, the sealing
 * tap, which the worker of src/seal holds open, <name>-br and <name>-hr of bpf_headroom.c, and
 * vng-HANDLE for each private NAT gateway (bpf_gateway_device.c).  Programs are loaded anew by each
 * open and take the place of those that run, one by one and atomically; tables stay, or are carried
 * over (bpf_layout.h).
 */
#pragma once

#include <limits.h>
#include <linux/virtio_net.h>
#include <stdint.h>

#include "abi/maps.h"
#include "base/err.h"
#include "datapath/provider.h"

struct viaduct;
struct ring_buffer;
struct bpf_policy;
struct bpf_layouts;
struct bpf_settler;

/* An array table in shared memory; rows are 8-byte aligned. */
struct bpf_array {
	uint8_t *rows;
	size_t stride, size;
};

struct bpf_host {
	struct datapath base;
	char dir[PATH_MAX];
	struct viaduct *skel;
	struct bpf_layouts *layouts; /* bpf_layout.c */
	bool tcx;
	struct bpf_settler *settler; /* NULL without tcx */
	bool tap_uso;
	struct bpf_array host, ports, peers, policies, nexthops, rates, generations;
	char seal_device[16];
	int seal_ifindex;
	struct bpf_array identities, ranges;
	struct bpf_array watch, watch_slots;
	struct bpf_policy *policy;            /* bpf_policy.h */
	struct dp_port *mirror[DP_SLOTS_MAX]; /* what each slot was set to */
	struct bpf_variants *variants;        /* bpf_variant.c */
	struct prefix *label_ranges;          /* by peer: bpf_label.c */
	int upcall_fd;                        /* the tap */
	int copy_fd;                          /* the tap of copies */
	int packet_fd;                        /* to deliver frames */
	struct ring_buffer *ring;
	struct dp_event event; /* the one that the ring has just given */
	bool has_event;
	int n_cpus;
	uint8_t *buffer; /* a frame being read */
	int substrate_ifindex, upcall_ifindex;
	int vxlan_ifindex;           /* 0: the kernel has none */
	int geneve_ifindex;          /* likewise */
	int headroom_ifindex;        /* the bridge of bpf_headroom.c; 0: there is none */
	bool trial;                  /* bpf_host_open_trial() */
	bool active;                 /* the programs that run are this build's */
	bool attached[DP_SLOTS_MAX]; /* by slot: this build's program is on its device */
	int uplink_ifindex;          /* 0: no edge */
	struct mac uplink_mac;
	uint32_t max_sessions;  /* of one gateway */
	uint32_t last_instance; /* of a route table */
};

enum {
	BPF_FRAME_MAX = 65536 + 256, /* the largest GSO packet, its link and substrate headers */
};

static inline struct bpf_host *bpf_host_of(struct datapath *dp)
{
	return container_of(dp, struct bpf_host, base);
}

static inline void *bpf_array_row(const struct bpf_array *a, uint32_t i)
{
	return a->rows + (size_t)i * a->stride;
}

/* The names of a host's devices, and their indexes. */
struct bpf_devices {
	char upcall[16], copy[16], seal[16], vxlan[16], geneve[16], bridge[16], wide[16];
};
struct bpf_device_indexes {
	int upcall, copy;
	int vxlan, geneve; /* 0: the kernel has none */
};

/* As datapath_open(), of a data plane that lives for a probe: it has the programs that packets of
 * nodes and of the wire meet (port, substrate, tunnel); those of the agent, the sealing device, the
 * world and watched nodes are not loaded. */
must_check int bpf_host_open_trial(const struct dp_config *config, struct datapath **ret);

struct bpf_devices bpf_host_devices(const struct dp_config *config);
/* The devices, made or found; what is not given back is in 'h'. */
must_check int bpf_host_open_devices(struct bpf_host *h, const struct dp_config *config,
				     struct bpf_device_indexes *ret);
bool bpf_host_name_is_valid(const char *name);
/* Where its tables and links are pinned; -ENAMETOOLONG. */
must_check int bpf_host_dir(const struct dp_config *config, char ret[static PATH_MAX]);

/* After a change of a port, peer, subnet or ACL: what was decided from it is decided anew. */
void bpf_host_bump_epoch(struct bpf_host *h);
void bpf_host_bump_mapping(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr);
/* bpf(2)'s error for a full table is E2BIG; the contract's is ENOSPC. */
int bpf_host_error(int r);

/* bpf_headroom.c: the kernels of nodes leave room in front of packets for a longer header. */
void bpf_headroom_open(struct bpf_host *h, const char *bridge, const char *wide);
void bpf_headroom_give(int bridge, int ifindex); /* any thread; 'bridge' 0: nothing is done */
void bpf_headroom_take(int bridge, int ifindex);

/* bpf_activate.c */
must_check int bpf_activate(struct datapath *dp);
int bpf_substrate_set(struct datapath *dp, int ifindex);

/* bpf_attach.c: a program at a device's ingress under a name; replaces what runs there. */
must_check int bpf_attach_set(struct bpf_host *h, const char *name, int ifindex, int prog_fd);
/* The same on a port's device, without a wait for the kernel. */
must_check int bpf_attach_set_port(struct bpf_host *h, const char *name, int ifindex, int prog_fd);
/* Takes the name from it: it stays on the device until that is gone, or is another port's
 * (bpf_device.c).  Waits for no grace period. */
void bpf_attach_loosen_port(struct bpf_host *h, const char *name, int ifindex);
/* The same at its egress; names are other ones. */
must_check int bpf_attach_set_egress(struct bpf_host *h, const char *name, int ifindex,
				     int prog_fd);
void bpf_attach_loosen_egress(struct bpf_host *h, const char *name, int ifindex);
/* Whether this kernel has tcx, found out by attaching to 'ifindex'. */
must_check int bpf_attach_probe(int ifindex, int prog_fd, bool *ret_tcx);
/* Takes clsact's filters of ours off a device; 0 when it or they are gone. */
must_check int bpf_attach_clear(int ifindex);
/* That with which a port begins. */
must_check int bpf_attach_clear_port(int ifindex);

/* bpf_settle.c: where a port's device has the program by a filter, a pinned link takes its place.
 * All of it is the data plane's thread's, and may have no effect: a filter does the same. */
must_check int bpf_settler_new(struct bpf_settler **ret);
void bpf_settler_add(struct bpf_settler *s, int ifindex, const char *path, int prog_fd);
/* From now on nothing is done about the device; the link may be pinned by now. */
void bpf_settler_drop(struct bpf_settler *s, int ifindex);
struct bpf_settler *bpf_settler_free(struct bpf_settler *s); /* NULL is allowed */

/* bpf_port.c, bpf_subnet.c */
must_check int bpf_port_load(struct bpf_host *h); /* the mirror, from the tables */
struct dp_port *bpf_port_find(const struct bpf_host *h, uint32_t id, uint32_t *ret_slot);
int bpf_port_set(struct datapath *dp, const struct dp_port *port);
/* Also its 'mirrored'. */
must_check int bpf_port_put(struct bpf_host *h, const struct dp_port *port);
/* what is for its node passes program 'delivered' */
bool bpf_port_is_watched(const struct dp_port *port);
must_check int bpf_port_watch(struct bpf_host *h, const struct dp_port *port); /* puts it there */
int bpf_port_delete(struct datapath *dp, uint32_t id);
int bpf_ports(struct datapath *dp, int (*fn)(const struct dp_port *, void *), void *arg);
int bpf_subnet_set(struct datapath *dp, const struct dp_subnet *subnet);
int bpf_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix);
int bpf_subnets(struct datapath *dp, int (*fn)(const struct dp_subnet *, void *), void *arg);

/* bpf_peer.c: peers and next hops. */
void bpf_peer_init_self(struct bpf_host *h);
int bpf_peer_set(struct datapath *dp, const struct dp_peer *peer);
int bpf_peer_delete(struct datapath *dp, uint32_t id);
/* Of a row: a peer's number, or behind those a variant's. */
struct dp_peer_copy bpf_peer_copy_of(const struct dp_peer *peer);
const struct dp_peer_copy *bpf_peer_current(struct bpf_host *h, uint32_t row);
void bpf_peer_publish(struct bpf_host *h, uint32_t row, const struct dp_peer_copy *copy);
/* bpf_variant.c: variants of peers.  To find what is pinned; to decide where those of a peer will
 * be; to write those that come or change, before it; to take away those that it has no more, after
 * it. */
must_check int bpf_variant_load(struct bpf_host *h);
void bpf_variant_unload(struct bpf_host *h);
must_check int bpf_variant_set(struct bpf_host *h, const struct dp_peer *peer);
void bpf_variant_reap(struct bpf_host *h, uint32_t peer);
int bpf_peer_plan(struct datapath *dp, const struct dp_peer *peer);
int bpf_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
		      uint32_t *ret);
int bpf_peers(struct datapath *dp, int (*fn)(const struct dp_peer *, void *), void *arg);
/* bpf_peer_own.c: puts sealing and rate into 'c', and the next hop that they need; the other way;
 * makes those anew that were made from 'base'. */
void bpf_peer_own_set(struct bpf_host *h, const struct dp_peer *peer, struct dp_peer_copy *c);
/* The row of a variant is of a class that is part of that of row 'wider', as far as rates go;
 * 'begins': nothing has been sent by it yet. */
void bpf_peer_own_part(struct bpf_host *h, uint32_t row, uint32_t wider, bool begins);
void bpf_peer_own_get(struct bpf_host *h, const struct dp_peer_copy *c, struct dp_peer *ret);
void bpf_peer_own_follow(struct bpf_host *h, uint32_t base);
int bpf_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret);
const char *bpf_peer_seal_device(const struct datapath *dp);
int bpf_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop);
int bpf_nexthop_delete(struct datapath *dp, uint32_t id);

/* bpf_label.c: what labels stand for (reip4). */
must_check int bpf_label_load(struct bpf_host *h);
/* Sets the range of a peer, len 0: none.  -EINVAL, -ENOSPC */
must_check int bpf_label_range_set(struct bpf_host *h, uint32_t peer, const struct prefix *range);
/* 'label' stands for the address from now on, and 'was' (0: none) not any more. */
must_check int bpf_label_set(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr,
			     uint32_t label, uint32_t was);
/* The same for an address of a port here, which is written as its label. */
must_check int bpf_label_set_own(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr,
				 uint32_t label);
/* What is written for an address of a port here; 0: nothing. */
uint32_t bpf_label_of(const struct bpf_host *h, uint32_t vni, const struct ipaddr *addr);
/* What a label stands for; false: not known here. */
bool bpf_label_find(const struct bpf_host *h, uint32_t label, uint32_t *ret_vni,
		    struct ipaddr *ret_addr);

/* bpf_departed.c: an address of a port here, and its label, are about to be none's any more. */
void bpf_departed_note(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr);
/* What a label stood for that was here; false: not known. */
bool bpf_departed_label(const struct bpf_host *h, uint32_t label, uint32_t *ret_vni,
			struct ipaddr *ret_addr);

/* bpf_mapping.c */
int bpf_mapping_set(struct datapath *dp, const struct dp_mapping *mapping);
int bpf_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr);
int bpf_mappings(struct datapath *dp, int (*fn)(const struct dp_mapping *, void *), void *arg);

/* bpf_table.c: route tables and peerings. */
int bpf_table_set(struct datapath *dp, const struct dp_table *table);
int bpf_table_delete(struct datapath *dp, uint32_t number);
int bpf_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
int bpf_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
int bpf_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
int bpf_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *), void *arg);

/* bpf_gateway.c, bpf_public.c: of an edge. */
int bpf_gateway_set(struct datapath *dp, const struct dp_gateway *gateway);
int bpf_gateway_delete(struct datapath *dp, uint32_t handle);
int bpf_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex);
int bpf_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg);
int bpf_gateway_counters(struct datapath *dp, uint32_t handle, struct dp_gateway_counters *ret);
int bpf_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			  struct dp_translation *ret, size_t *ret_n);
int bpf_translations_write(struct datapath *dp, uint32_t handle,
			   const struct dp_translation *translations, size_t n);
int bpf_public_set(struct datapath *dp, const struct dp_public *public);
int bpf_public_delete(struct datapath *dp, const struct ipaddr *public);
int bpf_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *), void *arg);

/* bpf_upcall.c */
/* Makes a persistent tap with vnet headers. */
must_check int bpf_upcall_open(const char *device, int *ret_fd, bool *ret_uso);
int bpf_upcall_fd(const struct datapath *dp);
int bpf_upcall_read(struct datapath *dp, struct dp_upcall **ret);
int bpf_upcall_reinject(struct datapath *dp, const struct dp_upcall *upcall);
int bpf_upcall_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size);

/* bpf_event.c: drop events and counters. */
must_check int bpf_event_open(struct bpf_host *h);
int bpf_event_fd(const struct datapath *dp);
int bpf_event_read(struct datapath *dp, struct dp_drop_event *ret);
int bpf_event_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n);
int bpf_event_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret);
int bpf_event_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX]);
/* A new port starts at zero; what the slot's last one counted stays with the host. */
must_check int bpf_event_reset(struct bpf_host *h, uint32_t slot);

/* bpf_watch.c: flow logs and mirroring (datapath/watch.h). */
void bpf_watch_open(struct bpf_host *h);
void bpf_watch_reset(struct bpf_host *h, uint32_t slot); /* it is logged from now on */
int bpf_window_close(struct datapath *dp, uint64_t now_ns);
int bpf_window(struct datapath *dp, struct dp_window *ret);
int bpf_window_forget(struct datapath *dp);
int bpf_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg);
int bpf_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret);
int bpf_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror);
void bpf_mirror_forget(struct bpf_host *h, uint32_t slot);
int bpf_copy_fd(const struct datapath *dp);
int bpf_copy_read(struct datapath *dp, struct dp_copy *ret);
int bpf_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size);
