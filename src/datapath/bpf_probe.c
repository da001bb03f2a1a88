/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host can carry, found out by carrying it: in a namespace of its own, gone at the end, a
 * data plane of its own is opened whose only peer has this host's own locators.  A packet is run
 * through the programs as a node's and what comes out as the wire's: it must come back exactly.  A
 * vxlan or geneve packet goes through the kernel's device and the loopback, and must be recognised.
 */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_packet.h>
#include <sys/utsname.h>

#include "abi/drop.h"
#include "abi/substrate.h"
#include "datapath/bpf_skel.h"
#include "net/csum.h"
#include "net/netns.h"
#include "net/rtnl.h"

enum {
	PROBE_VNI = 1,
	PROBE_SENDER = 0x0a000002, /* 10.0.0.2 */
	PROBE_RECEIVER = 0x0a000003,
	PROBE_LABELS = 0xc6120000, /* 198.18.0.0/24 (RFC 2544), this host's and its disguise's */
	PROBE_PAYLOAD = 32,
	PROBE_WAIT_MS = 1000,
	PROBE_RATE = 8, /* bits a second: next to nothing, but for a burst of a GSO packet */
	PROBE_BURST = 65536,
};

struct probe {
	struct dp_config config;
	char name[12];
	struct datapath *dp;
	int sender, receiver; /* the hosts' ends of two nodes' interfaces */
	int node;             /* the sender's own end */
	uint64_t rate_bits;   /* of the peer; 0: none */
	struct dp_capabilities *caps;
};

struct probe_packet {
	struct ether_header ethernet;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[PROBE_PAYLOAD];
} __attribute__((packed));

static const struct mac sender_mac = {{0x02, 0, 0, 0, 0, 1}};
static const struct mac receiver_mac = {{0x02, 0, 0, 0, 0, 2}};

/* Adds why a format is missing. */
static void refuse(struct dp_capabilities *caps, const char *format, const char *why)
{
	size_t n = strlen(caps->refused);

	snprintf(caps->refused + n, sizeof(caps->refused) - n, "%s%s: %s", n ? "; " : "", format,
		 why);
}

/* ---- the packet ---- */

static struct probe_packet packet_make(bool with_identification)
{
	struct ipaddr src = ipaddr_from_v4(PROBE_SENDER), dst = ipaddr_from_v4(PROBE_RECEIVER);
	uint16_t udp_size = sizeof(struct udphdr) + PROBE_PAYLOAD;
	struct probe_packet p = {
		.ethernet.ether_type = htons(ETHERTYPE_IP),
		.ip = {.version = 4,
		       .ihl = 5,
		       .tos = 0x28,
		       .tot_len = htons((uint16_t)(sizeof(struct iphdr) + udp_size)),
		       .id = with_identification ? htons(0x1234) : 0,
		       .frag_off = with_identification ? 0 : htons(IP_DF),
		       .ttl = 61,
		       .protocol = IPPROTO_UDP,
		       .saddr = htonl(PROBE_SENDER),
		       .daddr = htonl(PROBE_RECEIVER)},
		.udp = {.source = htons(1000), .dest = htons(2000), .len = htons(udp_size)},
	};

	substrate_dummy_mac_v4(p.ethernet.ether_dhost, PROBE_VNI, htonl(PROBE_RECEIVER));
	memcpy(p.ethernet.ether_shost, sender_mac.b, 6);
	for (size_t i = 0; i < sizeof(p.payload); i++)
		p.payload[i] = (uint8_t)(i * 11 + 3);
	p.ip.check = csum(&p.ip, sizeof(p.ip));
	p.udp.check = csum_fold(
		csum_add(csum_pseudo(&src, &dst, IPPROTO_UDP, udp_size), &p.udp, udp_size));
	return p;
}

/* ---- the tables ---- */

static uint32_t label_of(uint32_t addr)
{
	return PROBE_LABELS | (addr & 0xff);
}

static int set_port(struct probe *p, uint32_t id, int ifindex, const struct mac *mac, uint32_t addr)
{
	struct dp_port port = {.id = id,
			       .ifindex = ifindex,
			       .vni = PROBE_VNI,
			       .mac = *mac,
			       .mtu = 1400,
			       .n_addrs = 1,
			       .addrs = {ipaddr_from_v4(addr)},
			       .labels = {label_of(addr)}};

	return datapath_port_set(p->dp, &port);
}

/* The sender is here; the receiver is said to be at the peer, which is this host in disguise. */
static int set_tables(struct probe *p, enum format format)
{
	struct dp_subnet subnet = {.vni = PROBE_VNI,
				   .prefix = prefix_v4(PROBE_SENDER & ~0xffU, 24),
				   .router = ipaddr_from_v4((PROBE_SENDER & ~0xffU) + 1),
				   .router_mac = {{0x02, 0, 0, 0, 0, 3}}};
	struct dp_nexthop nexthop = {.id = 1,
				     .ifindex = p->config.substrate_ifindex,
				     .resolved = true,
				     .source = sender_mac,
				     .destination = receiver_mac};
	struct dp_peer peer = {.id = 1,
			       .siit1 = p->config.siit1,
			       .siit2 = p->config.siit2,
			       .labels = p->config.labels,
			       .v4 = ipaddr_from_v4(INADDR_LOOPBACK),
			       .send = format,
			       .accept = FORMAT_BIT(format),
			       .path_mtu = 1500,
			       .rate_bits = p->rate_bits,
			       .nexthop = 1};
	struct dp_mapping m = {.vni = PROBE_VNI,
			       .addr = ipaddr_from_v4(PROBE_RECEIVER),
			       .state = DP_MAPPING_LIVE,
			       .peer = 1,
			       .label = label_of(PROBE_RECEIVER)};
	int r = datapath_subnet_set(p->dp, &subnet);

	if (!r)
		r = datapath_nexthop_set(p->dp, &nexthop);
	if (!r)
		r = datapath_peer_set(p->dp, &peer);
	if (!r)
		r = datapath_mapping_set(p->dp, &m);
	return r ? r : set_port(p, 1, p->sender, &sender_mac, PROBE_SENDER);
}

/* Now the receiver is here and the sender at the peer: the same packet arrives. */
static int turn_tables(struct probe *p)
{
	struct dp_mapping m = {.vni = PROBE_VNI,
			       .addr = ipaddr_from_v4(PROBE_SENDER),
			       .state = DP_MAPPING_LIVE,
			       .peer = 1,
			       .label = label_of(PROBE_SENDER)};
	int r = datapath_port_delete(p->dp, 1);

	if (!r)
		r = set_port(p, 2, p->receiver, &receiver_mac, PROBE_RECEIVER);
	return r ? r : datapath_mapping_set(p->dp, &m);
}

/* ---- the runs ---- */

/* Runs a program on a frame; '*size' is the capacity of 'out', then what came out. */
static int run(const struct bpf_program *program, int ifindex, const void *in, size_t in_size,
	       void *out, uint32_t *size)
{
	struct __sk_buff context = {.ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = (uint32_t)in_size,
		    .data_out = out, .data_size_out = *size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));
	int r = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	if (r)
		return r;
	*size = opts.data_size_out;
	return opts.retval == TC_ACT_REDIRECT ? 0 : -EPROTO;
}

static int round_trip(struct probe *p, const struct probe_packet *sent, struct mac wire_mac)
{
	struct bpf_host *h = bpf_host_of(p->dp);
	struct probe_packet want = *sent;
	uint8_t wire[256], back[256];
	uint32_t wire_size = sizeof(wire), back_size = sizeof(back);
	int r = run(h->skel->progs.port, p->sender, sent, sizeof(*sent), wire, &wire_size);

	if (!r)
		r = turn_tables(p);
	if (r)
		return r;
	memcpy(wire, wire_mac.b, 6); /* so that it is for us */
	r = run(h->skel->progs.substrate, p->config.substrate_ifindex, wire, wire_size, back,
		&back_size);
	if (r)
		return r;
	memcpy(want.ethernet.ether_dhost, receiver_mac.b, 6);
	substrate_dummy_mac_v4(want.ethernet.ether_shost, PROBE_VNI, htonl(PROBE_SENDER));
	return back_size == sizeof(want) && !memcmp(back, &want, sizeof(want)) ? 0 : -EBADMSG;
}

/* The programs would refuse it as well; this says why. */
static bool is_built(struct probe *p, enum format format, const char *name)
{
	if (!p->config.formats || p->config.formats & FORMAT_BIT(format))
		return true;
	refuse(p->caps, name, "this build of the agent does not have it");
	return false;
}

static void probe_format(struct probe *p, enum format format, const char *name,
			 const struct mac *wire_mac)
{
	struct probe_packet packet = packet_make(format == FORMAT_IPIP6_1);
	int r;

	if (!is_built(p, format, name))
		return;
	r = set_tables(p, format);

	if (!r)
		r = round_trip(p, &packet, *wire_mac);
	if (r)
		refuse(p->caps, name, strerror(-r));
	else
		p->caps->formats |= FORMAT_BIT(format);
	datapath_port_delete(p->dp, 1);
	datapath_port_delete(p->dp, 2);
}

/* One packet leaves.  0, -EPROTO when it does not, or a fault */
static int leave(struct probe *p)
{
	const struct probe_packet packet = packet_make(false);
	uint8_t wire[256];
	uint32_t size = sizeof(wire);

	return run(bpf_host_of(p->dp)->skel->progs.port, p->sender, &packet, sizeof(packet), wire,
		   &size);
}

/* A burst leaves, then nothing more; without a rate the next one does. */
static int rate_trip(struct probe *p, enum format format)
{
	size_t most = PROBE_BURST / (sizeof(struct probe_packet) - sizeof(struct ether_header)) + 1;
	int r;

	p->rate_bits = PROBE_RATE;
	r = set_tables(p, format);
	if (!r)
		r = leave(p);
	for (size_t n = 0; n < most && !r; n++)
		r = leave(p);
	if (r != -EPROTO)
		return r ? r : -ENODATA;
	p->rate_bits = 0;
	r = set_tables(p, format);
	return r ? r : leave(p);
}

/* By whichever format carries anything: the rate is the same piece of each. */
static void probe_rate(struct probe *p)
{
	static const enum format formats[] = {FORMAT_SIIT_2,  FORMAT_SIIT_1,   FORMAT_REIP4_1,
					      FORMAT_VXLAN_1, FORMAT_GENEVE_1, FORMAT_GENEVE_2};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!(p->caps->formats & FORMAT_BIT(formats[i])))
			continue;
		r = rate_trip(p, formats[i]);
		p->caps->rate = !r;
		if (r)
			refuse(p->caps, "rate/1",
			       r == -ENODATA ? "nothing was held back" : strerror(-r));
		break;
	}
	datapath_port_delete(p->dp, 1);
	p->rate_bits = 0;
}

/* The receiver lives nowhere, or did for another format, so that what arrives is refused and
 * reported: by that it is seen. */
static int tunnel_trip(struct probe *p, enum format format)
{
	struct probe_packet packet = packet_make(false);
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = p->node};
	struct pollfd wait = {.fd = datapath_event_fd(p->dp), .events = POLLIN};
	struct ipaddr src = ipaddr_from_v4(PROBE_SENDER), dst = ipaddr_from_v4(PROBE_RECEIVER);
	struct dp_drop_event e;
	int r = set_tables(p, format);

	if (r)
		return r;
	if (sendto(bpf_host_of(p->dp)->packet_fd, &packet, sizeof(packet), 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	do {
		if (poll(&wait, 1, PROBE_WAIT_MS) != 1)
			return -ETIMEDOUT;
		r = datapath_event_read(p->dp, &e);
	} while (!r && e.reason != DROP_NOT_LOCAL && e.reason != DROP_LOCAL_GONE);
	if (r)
		return r;
	return e.vni == PROBE_VNI && ipaddr_equal(&e.src, &src) && ipaddr_equal(&e.dst, &dst)
		       ? 0
		       : -EBADMSG;
}

static void probe_tunnel(struct probe *p, enum format format, const char *name, bool has_device)
{
	int r;

	if (!is_built(p, format, name))
		return;
	if (!has_device) {
		refuse(p->caps, name, "the kernel has no such device, or its port is taken");
		return;
	}
	r = tunnel_trip(p, format);
	if (r)
		refuse(p->caps, name, strerror(-r));
	else
		p->caps->formats |= FORMAT_BIT(format);
}

/* ---- the namespace ---- */

static int make_veth(struct rtnl *rtnl, const char *outer, const char *inner, const struct mac *mac,
		     int *ret_outer, int *ret_inner)
{
	struct rtnl_veth_end a = {.name = outer, .netns_fd = -1, .mac = mac};
	struct rtnl_veth_end b = {.name = inner, .netns_fd = -1};
	struct rtnl_link one, two;
	int r = rtnl_veth_create(rtnl, &a, &b);

	if (!r)
		r = rtnl_link_find(rtnl, outer, &one);
	if (!r)
		r = rtnl_link_find(rtnl, inner, &two);
	if (!r)
		r = rtnl_link_set_up(rtnl, one.ifindex, true);
	if (!r)
		r = rtnl_link_set_up(rtnl, two.ifindex, true);
	if (r)
		return r;
	*ret_outer = one.ifindex;
	*ret_inner = two.ifindex;
	return 0;
}

static int make_devices(struct probe *p, const struct mac *wire_mac)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	int r = rtnl_open(&rtnl), other;

	if (!r) /* the first device of a namespace is its loopback */
		r = rtnl_link_set_up(rtnl, 1, true);
	if (!r)
		r = make_veth(rtnl, "sender", "node", NULL, &p->sender, &p->node);
	if (!r)
		r = make_veth(rtnl, "receiver", "other", NULL, &p->receiver, &other);
	return r ? r
		 : make_veth(rtnl, "wire", "far", wire_mac, &p->config.substrate_ifindex, &other);
}

/* In the namespace. */
static int probe_inside(struct probe *p)
{
	static const struct mac wire_mac = {{0x02, 0, 0, 0, 0, 4}};
	const struct bpf_host *h;
	int r = make_devices(p, &wire_mac);

	if (!r)
		r = bpf_host_open_trial(&p->config, &p->dp);
	if (r)
		return r;
	h = bpf_host_of(p->dp);
	p->caps->tcx = h->tcx;
	p->caps->tap_uso = h->tap_uso;
	probe_format(p, FORMAT_SIIT_1, "siit/1", &wire_mac);
	probe_format(p, FORMAT_SIIT_2, "siit/2", &wire_mac);
	probe_format(p, FORMAT_IPIP6_1, "ipip6/1", &wire_mac);
	probe_format(p, FORMAT_REIP4_1, "reip4/1", &wire_mac);
	probe_tunnel(p, FORMAT_VXLAN_1, "vxlan/1", h->vxlan_ifindex);
	probe_tunnel(p, FORMAT_GENEVE_1, "geneve/1", h->geneve_ifindex);
	probe_tunnel(p, FORMAT_GENEVE_2, "geneve/2", h->geneve_ifindex);
	probe_rate(p);
	datapath_close(p->dp);
	return datapath_destroy(&p->config);
}

static int substrate_mtu(int ifindex, uint32_t *ret)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = rtnl_link_get(rtnl, ifindex, &link);
	if (!r)
		*ret = link.mtu;
	return r;
}

static void make_config(struct probe *p, const struct dp_config *config)
{
	static const struct ipaddr siit1 = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1}};
	static const struct ipaddr siit2 = {{0x20, 0x01, 0x0d, 0xb8, 0x80, 0, 1}};

	snprintf(p->name, sizeof(p->name), "p%u", (unsigned int)getpid() % 1000000000U);
	p->config = (struct dp_config){
		.name = p->name,
		.bpffs = config->bpffs,
		.siit1 = prefix_make(&siit1, SUBSTRATE_SIIT_1_LEN),
		.siit2 = prefix_make(&siit2, SUBSTRATE_SIIT_2_LEN),
		.labels = prefix_v4(PROBE_LABELS, 24),
		.vxlan_port = config->vxlan_port,
		.formats = config->formats,
		.max_mappings = 16,
		.max_flows = 256,
	};
}

int datapath_probe(const struct dp_config *config, struct dp_capabilities *ret)
{
	struct dp_capabilities caps = {};
	struct probe p = {.caps = &caps};
	_cleanup_close_ int self = -1;
	struct utsname name;
	int r = netns_open_self(&self);

	if (!r)
		r = substrate_mtu(config->substrate_ifindex, &caps.substrate_mtu);
	if (r)
		return r;
	uname(&name);
	memcpy(caps.kernel, name.release, sizeof(caps.kernel) - 1);
	make_config(&p, config);
	if (unshare(CLONE_NEWNET))
		return -errno;
	r = probe_inside(&p);
	if (netns_enter(self))
		abort(); /* this thread is in a namespace without a name and has no way back */
	if (r)
		return r;
	*ret = caps;
	return 0;
}
