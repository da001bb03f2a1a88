/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/netns.h"
#include "net/rtnl.h"

static const char *const siit1[] = {"2001:db8:1:101::", "2001:db8:1:102::"};
static const char *const siit2[] = {"2001:db8:8000:1100::", "2001:db8:8000:1200::"};

struct pair_host pair_hosts[PAIR_HOSTS];

void pair_check(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(-r));
	exit(1);
}

struct ipaddr pair_addr(const char *text)
{
	struct ipaddr a;

	pair_check(ipaddr_parse(text, &a), text);
	return a;
}

struct prefix pair_prefix(const char *text, uint8_t len)
{
	struct ipaddr a = pair_addr(text);

	return prefix_make(&a, len);
}

int pair_link(const char *name, struct mac *ret_mac)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	pair_check(rtnl_open(&rtnl), "rtnetlink");
	pair_check(rtnl_link_find(rtnl, name, &link), name);
	rtnl_close(rtnl);
	if (ret_mac)
		*ret_mac = link.mac;
	return link.ifindex;
}

void pair_enter(int i)
{
	pair_check(netns_enter(pair_hosts[i].netns), pair_hosts[i].config.name);
}

void pair_open(int i, const char *netns, const char *bpffs, const char *uplink)
{
	struct pair_host *h = &pair_hosts[i];
	struct dp_config *c = &h->config;
	char path[256];
	bool adopted;

	snprintf(path, sizeof(path), "%s/%d", bpffs, i);
	pair_check(mkdir(path, 0700) ? -errno : 0, path);
	pair_check(mount("bpf", path, "bpf", 0, NULL) ? -errno : 0, path);
	pair_check(netns_open("/run/netns", netns, &h->netns), netns);
	pair_enter(i);
	c->bpffs = strdup(path);
	c->siit1 = pair_prefix(siit1[i], 64);
	c->siit2 = pair_prefix(siit2[i], 56);
	c->vxlan_port = 4789;
	c->substrate_ifindex = pair_link("sub0", &h->mac);
	c->uplink_ifindex = uplink ? pair_link(uplink, NULL) : 0;
	pair_check(datapath_open(c, &h->dp, &adopted), "data plane");
}

void pair_set_peer(int i, bool edge)
{
	const struct pair_host *h = &pair_hosts[i], *other = &pair_hosts[!i];
	struct dp_nexthop n = {.id = 1,
			       .ifindex = h->config.substrate_ifindex,
			       .resolved = true,
			       .source = h->mac,
			       .destination = other->mac,
			       .mtu = PAIR_MTU};
	struct dp_peer p = {.id = (uint32_t)!i + 1,
			    .siit1 = other->config.siit1,
			    .siit2 = other->config.siit2,
			    .send = FORMAT_SIIT_2,
			    .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = PAIR_MTU,
			    .nexthop = 1,
			    .edge = edge};

	pair_check(datapath_nexthop_set(h->dp, &n), "next hop");
	pair_check(datapath_peer_set(h->dp, &p), "peer");
}

void pair_map(int i, struct ipaddr addr, int at, uint32_t group)
{
	struct dp_mapping m = {.vni = PAIR_VNI,
			       .addr = addr,
			       .peer = i == at ? DP_PEER_SELF : (uint32_t)at + 1,
			       .revision = 1,
			       .n_groups = group ? 1 : 0,
			       .groups = {group}};

	pair_check(datapath_mapping_set(pair_hosts[i].dp, &m), "mapping");
}

void pair_say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

void pair_close(void)
{
	for (int i = 0; i < PAIR_HOSTS; i++) {
		struct dp_config *c = &pair_hosts[i].config;

		pair_enter(i);
		datapath_close(pair_hosts[i].dp);
		pair_check(datapath_destroy(c), "data plane");
		umount2(c->bpffs, MNT_DETACH);
		rmdir(c->bpffs);
	}
}
