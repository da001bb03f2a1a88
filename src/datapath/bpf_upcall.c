/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upcall device: a persistent tap with vnet headers.  The programs redirect whole packets to it
 * with a note in the MAC fields (abi/maps.h); writing one back sends it through the programs again.
 * It stays when the agent goes; packets that come up meanwhile are dropped by the device.
 */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "abi/gateway.h"
#include "abi/substrate.h"
#include "datapath/bpf_skel.h"

/* UDP GSO over a tap came with Linux 6.2; newer than the headers. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What datapath_upcall_free() frees is the first member's address. */
struct upcall {
	struct dp_upcall dp;
	struct virtio_net_hdr vnet;
};

static int set_offload(int fd, bool *ret_uso)
{
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	/* An unknown bit makes the kernel refuse the whole mask. */
	*ret_uso = !ioctl(fd, TUNSETOFFLOAD, (unsigned long)(offload | TUN_F_USO4 | TUN_F_USO6));
	if (!*ret_uso && ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload))
		return -errno;
	return 0;
}

int bpf_upcall_open(const char *device, int *ret_fd, bool *ret_uso)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int r;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, TUNSETIFF, &request) || ioctl(fd, TUNSETPERSIST, 1UL))
		return -errno;
	r = set_offload(fd, ret_uso);
	if (r)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bpf_upcall_fd(const struct datapath *dp)
{
	return container_of(dp, const struct bpf_host, base)->upcall_fd;
}

/* ---- what a frame is about ---- */

static void read_ipv4(const uint8_t *packet, size_t size, struct dp_upcall *u)
{
	uint32_t words[2];

	if (size < 20)
		return;
	memcpy(words, packet + 12, 8);
	u->src = ipaddr_from_v4(ntohl(words[0]));
	u->dst = ipaddr_from_v4(ntohl(words[1]));
}

static void read_ipv6(const uint8_t *packet, size_t size, struct dp_upcall *u)
{
	if (size < 40)
		return;
	memcpy(u->src.b, packet + 8, 16);
	memcpy(u->dst.b, packet + 24, 16);
}

/* A packet of the substrate: what is virtual about it is in its addresses, or inside. */
static void read_substrate(const uint8_t *packet, size_t size, struct dp_upcall *u)
{
	if (size < 40)
		return;
	if (packet[6] == IPPROTO_IPV6) {
		read_ipv6(packet + 40, size - 40, u);
		return;
	}
	u->src = ipaddr_from_v4(ntohl(substrate_v4(packet + 8)));
	u->dst = ipaddr_from_v4(ntohl(substrate_v4(packet + 24)));
}

static void read_arp(const uint8_t *packet, size_t size, struct dp_upcall *u)
{
	uint32_t word;

	if (size < 28)
		return;
	memcpy(&word, packet + 14, 4);
	u->src = ipaddr_from_v4(ntohl(word));
	memcpy(&word, packet + 24, 4);
	u->dst = ipaddr_from_v4(ntohl(word));
}

/* A neighbour solicitation asks for its target, not for its destination. */
static void read_nd(const uint8_t *packet, size_t size, struct dp_upcall *u)
{
	read_ipv6(packet, size, u);
	if (size >= 64 && packet[6] == IPPROTO_ICMPV6 && packet[40] == 135)
		memcpy(u->dst.b, packet + 48, 16);
}

/* It came from the substrate, or by a tunnel. */
static bool note_arrived(const struct dp_note *note)
{
	return note->kind == DP_NOTE_VERIFY || note->kind == DP_NOTE_STALE ||
	       note->kind == DP_NOTE_NARROW;
}

static void read_addresses(const uint8_t *frame, size_t size, const struct dp_note *note,
			   struct dp_upcall *u)
{
	uint16_t ethertype = (uint16_t)(frame[12] << 8 | frame[13]);
	const uint8_t *packet = frame + ETH_HLEN;

	size -= ETH_HLEN;
	if (ethertype == ETH_P_ARP)
		read_arp(packet, size, u);
	else if (note->kind == DP_NOTE_ARP)
		read_nd(packet, size, u);
	else if (ethertype == ETH_P_IP)
		read_ipv4(packet, size, u);
	else if (note_arrived(note) && !(note->flags & DP_NOTE_TUNNEL))
		read_substrate(packet, size, u);
	else
		read_ipv6(packet, size, u);
}

/* ---- which networks ---- */

static uint32_t note_vni(const struct dp_note *note)
{
	return (uint32_t)note->vni[0] << 16 | (uint32_t)note->vni[1] << 8 | note->vni[2];
}

/* By a tunnel: the network of the source, or its handle. */
static uint32_t note_source(const struct dp_note *note)
{
	struct dp_note_tunnel t;

	memcpy(&t, note, sizeof(t));
	return (uint32_t)t.src_vni[0] << 16 | (uint32_t)t.src_vni[1] << 8 | t.src_vni[2];
}

/* From a port: the network of the destination is another one when the note says so. */
static void read_port_networks(struct bpf_host *h, const struct dp_note *note, struct dp_upcall *u)
{
	const struct dp_port *port;
	uint32_t slot;

	u->vni = note_vni(note);
	if (!(note->flags & DP_NOTE_OTHER))
		return;
	port = bpf_port_find(h, u->port, &slot);
	u->other_vni = u->vni;
	u->vni = port ? port->vni : 0;
}

/* For a handle nobody's address is the destination's: it becomes that of the port which has it, or
 * zero for a gateway. */
static void read_handle(struct bpf_host *h, uint32_t handle, struct dp_upcall *u)
{
	struct dp_handle_value value;

	u->dst = (struct ipaddr){};
	if (bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.handles), &handle, &value))
		return;
	u->vni = value.vni;
	if (value.kind == DP_HANDLE_PORT && value.row < DP_SLOTS_MAX && h->mirror[value.row])
		u->dst = h->mirror[value.row]->addrs[0];
}

/* From the substrate: the source's network is another one when its address, or what a tunnel had
 * said, says so.  What a node forwards is asked for by its handle and the network that it goes to
 * (bpf/lib/ingress_address.h). */
static void read_substrate_networks(struct bpf_host *h, const struct dp_note *note,
				    const uint8_t *frame, size_t size, struct dp_upcall *u)
{
	uint32_t dst_vni = u->vni = note_vni(note), src_vni = dst_vni;

	if (note->flags & DP_NOTE_TUNNEL) {
		src_vni = note_source(note);
	} else if (size >= ETH_HLEN + 40) {
		src_vni = substrate_vni(frame + ETH_HLEN + 8);
		dst_vni = substrate_vni(frame + ETH_HLEN + 24);
	}
	if (dst_vni >= SUBSTRATE_VNI_HANDLE_MIN)
		read_handle(h, dst_vni, u);
	if (src_vni != u->vni)
		u->other_vni = src_vni;
	if (src_vni >= SUBSTRATE_VNI_HANDLE_MIN)
		u->src = ipaddr_from_v4(u->vni);
}

/* The same for what came re-headed on IPv4: both addresses are labels, of which the source's may be
 * unknown. */
static void read_labels(struct bpf_host *h, struct dp_upcall *u)
{
	uint32_t vni;

	if (!ipaddr_is_v4(&u->src) || !ipaddr_is_v4(&u->dst))
		return;
	if (u->kind == DP_UPCALL_STALE)
		bpf_departed_label(h, ipaddr_v4(&u->dst), &u->vni, &u->dst);
	else
		bpf_label_find(h, ipaddr_v4(&u->dst), &u->vni, &u->dst);
	if (!bpf_label_find(h, ipaddr_v4(&u->src), &vni, &u->src))
		u->src_is_label = true;
	else if (vni != u->vni)
		u->other_vni = vni;
}

static uint32_t note_id(const struct dp_note *note)
{
	return (uint32_t)note->id[0] << 24 | (uint32_t)note->id[1] << 16 |
	       (uint32_t)note->id[2] << 8 | note->id[3];
}

/* Whose host sent what arrived. */
static uint32_t note_peer(const struct dp_note *note)
{
	struct dp_note_tunnel t;

	if (!(note->flags & DP_NOTE_TUNNEL))
		return note_id(note);
	memcpy(&t, note, sizeof(t));
	return (uint32_t)t.peer[0] << 8 | t.peer[1];
}

/* What a router says about the way to a peer: its message is behind an IPv6 header. */
static void read_narrow(const uint8_t *frame, size_t size, const struct dp_note *note,
			struct dp_upcall *u)
{
	uint32_t mtu;

	u->peer = note_id(note);
	if (size < ETH_HLEN + 40 + 8)
		return;
	memcpy(&mtu, frame + ETH_HLEN + 40 + 4, sizeof(mtu));
	u->mtu = ntohl(mtu);
}

/* Whom a frame is about, and where they are. */
static void read_note(struct bpf_host *h, const uint8_t *frame, size_t size,
		      const struct dp_note *note, struct dp_upcall *u)
{
	if (u->kind == DP_UPCALL_NARROW) {
		read_narrow(frame, size, note, u);
		return;
	}
	u->port = note_arrived(note) || note->flags & DP_NOTE_UPLINK ? 0 : note_id(note);
	if (u->kind == DP_UPCALL_STALE)
		u->peer = note_peer(note);
	read_addresses(frame, size, note, u);
	if (note_arrived(note) && !(note->flags & DP_NOTE_TUNNEL) &&
	    (frame[12] << 8 | frame[13]) == ETH_P_IP) {
		u->vni = note_vni(note);
		read_labels(h, u);
	} else if (note_arrived(note))
		read_substrate_networks(h, note, frame, size, u);
	else
		read_port_networks(h, note, u);
	if (note->flags & DP_NOTE_UPLINK && ipaddr_is_v4(&u->dst))
		u->dst = ipaddr_from_v4(note_id(note));
	if (note->flags & DP_NOTE_EXIT && !note_arrived(note))
		dp_exit_address(u->dst.b, htonl(ipaddr_v4(&u->src)));
}

/* 0 with '*ret', -EAGAIN when the frame is none of the programs' (the kernel's own chatter). */
static int upcall_new(struct datapath *dp, const struct virtio_net_hdr *vnet, const uint8_t *frame,
		      size_t size, struct dp_upcall **ret)
{
	struct dp_note note;
	struct upcall *u;

	if (size < ETH_HLEN)
		return -EAGAIN;
	memcpy(&note, frame, sizeof(note));
	if (note.magic != DP_NOTE_MAGIC || note.kind > DP_NOTE_NARROW)
		return -EAGAIN;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->dp.frame = malloc(size);
	if (!u->dp.frame) {
		free(u);
		return -ENOMEM;
	}
	memcpy(u->dp.frame, frame, size);
	u->vnet = *vnet;
	u->dp.dp = dp;
	u->dp.size = size;
	u->dp.kind = (enum dp_upcall_kind)note.kind;
	read_note(bpf_host_of(dp), frame, size, &note, &u->dp);
	*ret = &u->dp;
	return 0;
}

int bpf_upcall_read(struct datapath *dp, struct dp_upcall **ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct virtio_net_hdr vnet;
	struct iovec parts[] = {{&vnet, sizeof(vnet)}, {h->buffer, BPF_FRAME_MAX}};
	ssize_t n;
	int r;

	do {
		n = readv(h->upcall_fd, parts, 2);
		if (n < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		r = n < (ssize_t)sizeof(vnet)
			    ? -EAGAIN
			    : upcall_new(dp, &vnet, h->buffer, (size_t)n - sizeof(vnet), ret);
	} while (r == -EAGAIN);
	return r;
}

int bpf_upcall_reinject(struct datapath *dp, const struct dp_upcall *upcall)
{
	const struct upcall *u = container_of(upcall, const struct upcall, dp);
	struct iovec parts[] = {{(void *)&u->vnet, sizeof(u->vnet)}, {upcall->frame, upcall->size}};

	return writev(bpf_host_of(dp)->upcall_fd, parts, 2) < 0 ? -errno : 0;
}

int bpf_upcall_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	const struct dp_port *p;
	uint32_t slot;

	p = bpf_port_find(h, port, &slot);
	if (!p)
		return -ENOENT;
	if (size < ETH_HLEN)
		return -EINVAL;
	to.sll_ifindex = p->ifindex;
	return sendto(h->packet_fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno
											    : 0;
}
