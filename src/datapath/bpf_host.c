/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, adopting and closing a host's data plane in the kernel. */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/rand.h"
#include "datapath/bpf_connection.h"
#include "datapath/bpf_device.h"
#include "datapath/bpf_gateway.h"
#include "datapath/bpf_layout.h"
#include "datapath/bpf_policy.h"
#include "datapath/bpf_skel.h"

void bpf_host_bump_epoch(struct bpf_host *h)
{
	struct dp_host_value *v = bpf_array_row(&h->host, 0);

	__atomic_add_fetch(&v->epoch, 1, __ATOMIC_RELEASE);
}

void bpf_host_bump_mapping(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr)
{
	uint32_t v4, bucket;
	uint32_t *counter;

	memcpy(&v4, addr->b + 12, 4);
	bucket = ipaddr_is_v4(addr) ? dp_bucket_v4(vni, v4) : dp_bucket_v6(vni, addr->b);
	counter = bpf_array_row(&h->generations, bucket);
	__atomic_add_fetch(counter, 1, __ATOMIC_RELEASE);
}

int bpf_host_error(int r)
{
	return r == -E2BIG ? -ENOSPC : r;
}

/* ---- names ---- */

/* [a-z0-9-]{1,11}: part of device names, of at most 15 bytes, and of a path. */
bool bpf_host_name_is_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n <= 11 && !name[n];
}

int bpf_host_dir(const struct dp_config *config, char ret[static PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s/viaduct/%s", config->bpffs, config->name);

	return n < 0 || n >= PATH_MAX - 64 ? -ENAMETOOLONG : 0;
}

/* ---- opening ---- */

/* libbpf's own lines say why a program was refused; they are for developers. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	int n;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_LEVEL_DEBUG))
		return 0;
	n = vsnprintf(line, sizeof(line), format, args);
	log_debug("libbpf", LOG_STR("text", line));
	return n;
}

/* The places of a flow cache: the largest power of two that is not above what is asked for, but two
 * for IPv6 at least. */
static uint32_t flow_places(const struct dp_config *config)
{
	uint32_t n = 2 << DP_FLOWS_V6_SHIFT;

	while (n <= config->max_flows / 2)
		n *= 2;
	return n;
}

/* Those of all processors.  One with a number above their count, where numbers are left out, has
 * none: its packets take the full path. */
static uint32_t all_flow_places(const struct dp_config *config)
{
	int cpus = libbpf_num_possible_cpus();

	return flow_places(config) * (cpus > 0 ? (uint32_t)cpus : 1);
}

static void set_sizes(struct viaduct *skel, const struct dp_config *config)
{
	bpf_map__set_max_entries(skel->maps.mappings_v4, config->max_mappings);
	bpf_map__set_max_entries(skel->maps.mappings_v6, config->max_mappings);
	bpf_map__set_max_entries(skel->maps.flows_out, all_flow_places(config));
	bpf_map__set_max_entries(skel->maps.flows_in, all_flow_places(config));
	bpf_map__set_max_entries(skel->maps.flows_out_v6,
				 all_flow_places(config) >> DP_FLOWS_V6_SHIFT);
	bpf_map__set_max_entries(skel->maps.flows_in_v6,
				 all_flow_places(config) >> DP_FLOWS_V6_SHIFT);
	bpf_map__set_max_entries(skel->maps.flows_edge,
				 config->uplink_ifindex ? flow_places(config) : 1);
	bpf_map__set_max_entries(skel->maps.connections,
				 bpf_connection_sets(config->max_connections));
}

/* Of the table that is pinned, if one is: what is in it lies where the seed says. */
static uint64_t connection_seed(const struct bpf_host *h)
{
	char path[PATH_MAX + 64];
	_cleanup_close_ int fd = -1;
	struct dp_host_value v = {};
	uint32_t zero = 0;

	bpf_layout_path(h, "host", path);
	fd = bpf_obj_get(path);
	if (fd >= 0 && !bpf_map_lookup_elem(fd, &zero, &v) && v.connection_seed)
		return v.connection_seed;
	return rand_u64() | 1;
}

static void set_rodata(struct bpf_host *h, const struct dp_config *config,
		       const struct bpf_device_indexes *devices)
{
	struct dp_rodata r = {
		.has_siit1 = config->siit1.len > 0,
		.has_siit2 = config->siit2.len > 0,
		.labels = config->labels.len ? htonl(ipaddr_v4(&config->labels.addr)) : 0,
		.labels_mask =
			config->labels.len ? htonl(UINT32_MAX << (128 - config->labels.len)) : 0,
		.upcall_ifindex = (uint32_t)devices->upcall,
		.vxlan_ifindex = (uint32_t)devices->vxlan,
		.geneve_ifindex = (uint32_t)devices->geneve,
		.copy_ifindex = (uint32_t)devices->copy,
		.seal_ifindex = (uint32_t)h->seal_ifindex,
		.flow_mask = flow_places(config) - 1,
		.uplink_ifindex = (uint32_t)h->uplink_ifindex,
		.formats = config->formats ? config->formats : UINT32_MAX,
		.connection_seed = connection_seed(h),
	};

	memcpy(r.siit1, config->siit1.addr.b, 16);
	memcpy(r.siit2, config->siit2.addr.b, 16);
	memcpy(r.uplink_mac, h->uplink_mac.b, 6);
	memcpy((void *)&h->skel->rodata->config, &r, sizeof(r));
}

static int map_array(struct bpf_map *map, struct bpf_array *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = (bpf_map__value_size(map) + 7U) & ~(size_t)7;
	size_t size = (stride * bpf_map__max_entries(map) + page - 1) & ~(page - 1);
	void *rows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (rows == MAP_FAILED)
		return -errno;
	*ret = (struct bpf_array){.rows = rows, .stride = stride, .size = size};
	return 0;
}

static int map_arrays(struct bpf_host *h)
{
	int r = map_array(h->skel->maps.host, &h->host);

	if (!r)
		r = map_array(h->skel->maps.ports, &h->ports);
	if (!r)
		r = map_array(h->skel->maps.peers, &h->peers);
	if (!r)
		r = map_array(h->skel->maps.policies, &h->policies);
	if (!r)
		r = map_array(h->skel->maps.nexthops, &h->nexthops);
	if (!r)
		r = map_array(h->skel->maps.rates, &h->rates);
	if (!r)
		r = map_array(h->skel->maps.generations, &h->generations);
	if (!r)
		r = map_array(h->skel->maps.identities, &h->identities);
	if (!r)
		r = map_array(h->skel->maps.watch, &h->watch);
	if (!r)
		r = map_array(h->skel->maps.watch_slots, &h->watch_slots);
	return r ? r : map_array(h->skel->maps.ranges, &h->ranges);
}

static int check_abi(struct bpf_host *h, bool *ret_adopted)
{
	struct dp_host_value *v = bpf_array_row(&h->host, 0);

	if (v->abi_version && v->abi_version < DP_ABI_LAYOUTS)
		return -EINVAL;
	*ret_adopted = v->abi_version != 0;
	v->abi_version = DP_ABI_VERSION;
	v->connection_seed = h->skel->rodata->config.connection_seed;
	return 0;
}

/* What a trial asks nothing of need not be judged by the kernel, which takes its time for each. */
static void leave_out(struct bpf_host *h)
{
	bpf_program__set_autoload(h->skel->progs.handed, !h->trial);
	bpf_program__set_autoload(h->skel->progs.uplink, !h->trial);
	bpf_program__set_autoload(h->skel->progs.delivered, !h->trial);
}

/* Loads the programs with the pinned tables, or new ones. */
static int load(struct bpf_host *h, const struct dp_config *config,
		const struct bpf_device_indexes *devices)
{
	int r;

	libbpf_set_print(print_libbpf);
	h->skel = viaduct__open();
	if (!h->skel)
		return -errno;
	set_sizes(h->skel, config);
	set_rodata(h, config, devices);
	leave_out(h);
	r = bpf_layout_plan(h);
	if (!r)
		r = viaduct__load(h->skel);
	if (!r)
		r = bpf_layout_fill(h);
	if (!r)
		r = map_arrays(h);
	return r;
}

/* In this order: what names a rulebook is loaded before those that nothing names are dropped. */
static int load_policy(struct bpf_host *h)
{
	int r;

	h->policy = calloc(1, sizeof(*h->policy));
	if (!h->policy)
		return -ENOMEM;
	r = bpf_rulebook_load(h);
	if (!r)
		r = bpf_group_load(h);
	if (!r)
		r = bpf_identity_load(h);
	if (!r)
		r = bpf_acl_load(h);
	if (!r)
		bpf_rulebook_loaded(h);
	return r;
}

static void unload_policy(struct bpf_host *h)
{
	if (!h->policy)
		return;
	bpf_identity_unload(h);
	bpf_group_unload(h);
	bpf_rulebook_unload(h);
	free(h->policy);
}

static void unmap_array(struct bpf_array *a)
{
	if (a->rows)
		munmap(a->rows, a->size);
}

static struct datapath *close_host(struct datapath *dp)
{
	struct bpf_host *h = bpf_host_of(dp);

	bpf_settler_free(h->settler);
	dp_preparer_unref(h->base.preparer);
	ring_buffer__free(h->ring);
	unmap_array(&h->host);
	unmap_array(&h->ports);
	unmap_array(&h->peers);
	unmap_array(&h->policies);
	unmap_array(&h->nexthops);
	unmap_array(&h->rates);
	unmap_array(&h->generations);
	unload_policy(h);
	unmap_array(&h->identities);
	unmap_array(&h->ranges);
	unmap_array(&h->watch);
	unmap_array(&h->watch_slots);
	bpf_layout_close(h);
	viaduct__destroy(h->skel);
	for (size_t i = 0; i < ARRAY_SIZE(h->mirror); i++)
		free(h->mirror[i]);
	free(h->label_ranges);
	bpf_variant_unload(h);
	close_cleanup(&h->upcall_fd);
	close_cleanup(&h->copy_fd);
	close_cleanup(&h->packet_fd);
	free(h->buffer);
	free(h);
	return NULL;
}

static const struct datapath_ops bpf_ops = {
	.activate = bpf_activate,
	.adoption = bpf_layout_adoption,
	.close = close_host,
	.substrate_set = bpf_substrate_set,
	.port_set = bpf_port_set,
	.port_delete = bpf_port_delete,
	.subnet_set = bpf_subnet_set,
	.subnet_delete = bpf_subnet_delete,
	.peer_plan = bpf_peer_plan,
	.variant_class = bpf_variant_class,
	.peer_set = bpf_peer_set,
	.peer_delete = bpf_peer_delete,
	.nexthop_set = bpf_nexthop_set,
	.nexthop_delete = bpf_nexthop_delete,
	.mapping_set = bpf_mapping_set,
	.mapping_delete = bpf_mapping_delete,
	.group_set = bpf_group_set,
	.group_delete = bpf_group_delete,
	.acl_set = bpf_acl_set,
	.acl_delete = bpf_acl_delete,
	.ports = bpf_ports,
	.subnets = bpf_subnets,
	.peers = bpf_peers,
	.peer_held = bpf_peer_held,
	.seal_device = bpf_peer_seal_device,
	.mappings = bpf_mappings,
	.table_set = bpf_table_set,
	.table_delete = bpf_table_delete,
	.tables = bpf_tables,
	.peering_set = bpf_peering_set,
	.peering_delete = bpf_peering_delete,
	.peerings = bpf_peerings,
	.gateway_set = bpf_gateway_set,
	.gateway_delete = bpf_gateway_delete,
	.gateway_device = bpf_gateway_device,
	.gateways = bpf_gateways,
	.gateway_counters = bpf_gateway_counters,
	.translations_read = bpf_translations_read,
	.translations_write = bpf_translations_write,
	.public_set = bpf_public_set,
	.public_delete = bpf_public_delete,
	.publics = bpf_publics,
	.groups = bpf_groups,
	.acls = bpf_acls,
	.connections = bpf_connections,
	.upcall_fd = bpf_upcall_fd,
	.upcall_read = bpf_upcall_read,
	.reinject = bpf_upcall_reinject,
	.announce = bpf_neighbour_announce,
	.deliver = bpf_upcall_deliver,
	.event_fd = bpf_event_fd,
	.event_read = bpf_event_read,
	.drops = bpf_event_drops,
	.counters = bpf_event_counters,
	.traffic = bpf_event_traffic,
	.window_close = bpf_window_close,
	.window = bpf_window,
	.window_forget = bpf_window_forget,
	.records = bpf_records,
	.records_skipped = bpf_records_skipped,
	.mirror_set = bpf_mirror_set,
	.copy_fd = bpf_copy_fd,
	.copy_read = bpf_copy_read,
	.copy_send = bpf_copy_send,
};

static int open_host(struct bpf_host *h, const struct dp_config *config, bool *ret_adopted)
{
	struct bpf_device_indexes devices = {};
	int r;

	h->buffer = malloc(BPF_FRAME_MAX);
	if (!h->buffer)
		return -ENOMEM;
	h->packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->packet_fd < 0)
		return -errno;
	r = bpf_host_dir(config, h->dir);
	if (!r)
		r = file_mkdirs(h->dir, 0700);
	if (!r)
		r = bpf_host_open_devices(h, config, &devices);
	if (!r)
		r = load(h, config, &devices);
	if (!r)
		r = check_abi(h, ret_adopted);
	if (!r)
		r = load_policy(h);
	if (!r)
		r = bpf_port_load(h);
	if (!r)
		r = bpf_label_load(h);
	if (!r)
		r = bpf_variant_load(h);
	if (!r)
		r = bpf_event_open(h);
	if (!r)
		bpf_watch_open(h);
	if (r)
		return r;
	bpf_peer_init_self(h);
	h->substrate_ifindex = config->substrate_ifindex;
	h->upcall_ifindex = devices.upcall;
	h->vxlan_ifindex = devices.vxlan;
	h->geneve_ifindex = devices.geneve;
	r = bpf_attach_probe(devices.upcall, bpf_program__fd(h->skel->progs.port), &h->tcx);
	if (!r)
		r = bpf_device_open(h->tcx, bpf_program__fd(h->skel->progs.port),
				    bpf_program__fd(h->skel->progs.delivered), h->headroom_ifindex,
				    &h->base.preparer);
	if (!r && h->tcx)
		r = bpf_settler_new(&h->settler);
	if (r || (config->defer && *ret_adopted))
		return r;
	return bpf_activate(&h->base);
}

static int open_any(const struct dp_config *config, bool trial, struct datapath **ret,
		    bool *ret_adopted)
{
	struct bpf_host *h;
	bool adopted = false;
	int r;

	if (!bpf_host_name_is_valid(config->name) || config->substrate_ifindex <= 0 ||
	    config->uplink_ifindex < 0 || config->uplink_ifindex == config->substrate_ifindex ||
	    !config->max_mappings || !config->max_flows ||
	    !datapath_labels_are_valid(&config->labels))
		return -EINVAL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->base.ops = &bpf_ops;
	h->trial = trial;
	h->upcall_fd = h->copy_fd = h->packet_fd = -1;
	r = open_host(h, config, &adopted);
	if (r) {
		close_host(&h->base);
		return r;
	}
	*ret = &h->base;
	*ret_adopted = adopted;
	return 0;
}

int datapath_open(const struct dp_config *config, struct datapath **ret, bool *ret_adopted)
{
	return open_any(config, false, ret, ret_adopted);
}

int bpf_host_open_trial(const struct dp_config *config, struct datapath **ret)
{
	bool adopted;

	return open_any(config, true, ret, &adopted);
}
