/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of a host's own: their names, and making or finding them. */
#include <stdio.h>
#include <string.h>

#include "abi/geneve.h"
#include "abi/maps.h"
#include "base/file.h"
#include "base/log.h"
#include "datapath/bpf_gateway.h"
#include "datapath/bpf_host.h"
#include "net/rtnl.h"

static const struct mac tunnel_mac = {DP_VXLAN_MAC_DEVICE};

struct bpf_devices bpf_host_devices(const struct dp_config *config)
{
	struct bpf_devices d;

	snprintf(d.upcall, sizeof(d.upcall), "%.11s-up", config->name);
	snprintf(d.copy, sizeof(d.copy), "%.11s-cp", config->name);
	snprintf(d.seal, sizeof(d.seal), "%.11s-sl", config->name);
	snprintf(d.vxlan, sizeof(d.vxlan), "%.11s-vx", config->name);
	snprintf(d.geneve, sizeof(d.geneve), "%.11s-gn", config->name);
	snprintf(d.bridge, sizeof(d.bridge), "%.11s-br", config->name);
	snprintf(d.wide, sizeof(d.wide), "%.11s-hr", config->name);
	return d;
}

/* What the programs have to know of an edge's interface to the world. */
static int open_uplink(struct bpf_host *h, const struct dp_config *config, struct rtnl *rtnl)
{
	struct rtnl_link link;
	int r;

	h->uplink_ifindex = config->uplink_ifindex;
	h->max_sessions = config->max_connections ? config->max_connections : 65536;
	if (!config->uplink_ifindex)
		return 0;
	r = rtnl_link_get(rtnl, config->uplink_ifindex, &link);
	if (r)
		return r;
	h->uplink_mac = link.mac;
	return bpf_neighbour_hear(h);
}

/* A tap, made or found, and up. */
static int open_tap(struct rtnl *rtnl, const char *name, int *ret_fd, bool *ret_uso,
		    int *ret_ifindex)
{
	struct rtnl_link link;
	int r = bpf_upcall_open(name, ret_fd, ret_uso);

	if (!r)
		r = rtnl_link_find(rtnl, name, &link);
	if (r)
		return r;
	*ret_ifindex = link.ifindex;
	return rtnl_link_set_up(rtnl, link.ifindex, true);
}

/* The sealing device.  While its worker has it open nobody else can open it. */
static int open_seal(struct bpf_host *h, const struct bpf_devices *names, struct rtnl *rtnl)
{
	_cleanup_close_ int fd = -1;
	struct rtnl_link link;
	bool uso;
	int r = rtnl_link_find(rtnl, names->seal, &link);

	if (!r)
		r = rtnl_link_set_up(rtnl, link.ifindex, true);
	else
		r = open_tap(rtnl, names->seal, &fd, &uso, &link.ifindex);
	if (r)
		return r;
	memcpy(h->seal_device, names->seal, sizeof(h->seal_device));
	h->seal_ifindex = link.ifindex;
	return 0;
}

/* What a tunnel's device came to: its index, made or found and up; 0: there is none. */
static int open_tunnel(struct rtnl *rtnl, const char *name, int created)
{
	struct rtnl_link link;
	int r;

	if (created && created != -EEXIST) {
		log_debug("no tunnel device", LOG_STR("device", name), LOG_ERRNO(created));
		return 0;
	}
	if (rtnl_link_find(rtnl, name, &link))
		return 0; /* EEXIST: another device has the UDP port */
	r = rtnl_link_set_up(rtnl, link.ifindex, true);
	if (r) /* its UDP port is taken */
		log_debug("no tunnel device", LOG_STR("device", name), LOG_ERRNO(r));
	return r ? 0 : link.ifindex;
}

int bpf_host_open_devices(struct bpf_host *h, const struct dp_config *config,
			  struct bpf_device_indexes *ret)
{
	struct bpf_devices names = bpf_host_devices(config);
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	bool copy_uso;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = open_tap(rtnl, names.upcall, &h->upcall_fd, &h->tap_uso, &ret->upcall);
	if (!r)
		r = open_tap(rtnl, names.copy, &h->copy_fd, &copy_uso, &ret->copy);
	if (!r)
		r = open_seal(h, &names, rtnl);
	if (!r)
		r = open_uplink(h, config, rtnl);
	if (r)
		return r;
	bpf_headroom_open(h, names.bridge, names.wide);
	r = rtnl_vxlan_create(rtnl, names.vxlan, config->vxlan_port, &tunnel_mac);
	ret->vxlan = open_tunnel(rtnl, names.vxlan, r);
	r = rtnl_geneve_create(rtnl, names.geneve, GENEVE_PORT, &tunnel_mac);
	ret->geneve = open_tunnel(rtnl, names.geneve, r);
	return 0;
}
