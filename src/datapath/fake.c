/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worlds of the fake data plane, and where packets come into them: the same questions follow in
 * the same order as the programs of bpf/ ask them (fake_node.c, fake_route.c, fake_ingress.c), on
 * the tables of fake_tables.c.
 */
#include "datapath/fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/fake_device.h"
#include "datapath/fake_packet.h"
#include "datapath/fake_peer.h"
#include "datapath/fake_verdict.h"

int fake_world_new(struct fake_world **ret)
{
	struct fake_world *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	list_init(&w->hosts);
	*ret = w;
	return 0;
}

struct fake_world *fake_world_free(struct fake_world *world)
{
	while (world && !list_empty(&world->hosts))
		fake_host_free(container_of(world->hosts.next, struct fake_host, link));
	free(world);
	return NULL;
}

int datapath_open_fake(struct fake_world *world, const struct dp_config *config,
		       struct datapath **ret, bool *ret_adopted)
{
	struct fake_host *h = fake_host_find(world, config->name);
	bool adopted = h != NULL;
	struct fake_datapath *dp;
	int r;

	if (!config->name[0] || strlen(config->name) >= FAKE_NAME_SIZE)
		return -EINVAL;
	if (h && (!prefix_equal(&h->config.siit1, &config->siit1) ||
		  !prefix_equal(&h->config.siit2, &config->siit2) ||
		  h->config.max_mappings != config->max_mappings))
		return -EINVAL;
	if (h && h->open)
		return -EBUSY;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return -ENOMEM;
	if (!h) {
		r = fake_host_new(world, config, &h);
		if (r) {
			free(dp);
			return r;
		}
	}
	r = fake_preparer_new(h, &dp->base.preparer);
	if (r) {
		free(dp);
		return r;
	}
	h->open = true;
	h->config.substrate_ifindex = config->substrate_ifindex;
	dp->base.ops = &fake_ops;
	dp->host = h;
	dp->formats = config->formats ? config->formats : UINT32_MAX;
	dp->adoption = h->next_adoption;
	h->next_adoption = (struct dp_adoption){};
	if (!adopted || !config->defer)
		h->formats = dp->formats;
	*ret = &dp->base;
	*ret_adopted = adopted;
	return 0;
}

void fake_next_adoption(struct fake_world *world, const char *name,
			const struct dp_adoption *adoption)
{
	fake_host_find(world, name)->next_adoption = *adoption;
}

void fake_destroy(struct fake_world *world, const char *name)
{
	fake_host_free(fake_host_find(world, name));
}

enum fake_verdict fake_send(struct fake_world *world, const char *name, uint32_t port,
			    const uint8_t *frame, size_t size, uint32_t *ret_reason)
{
	struct fake_host *h = fake_host_find(world, name);
	struct fake_port *from = h ? fake_port_find(h, port) : NULL;
	struct fake_flight p = {.frame = frame, .size = size};
	enum fake_verdict verdict;

	if (!from) {
		if (ret_reason)
			*ret_reason = DROP_NO_PORT;
		return FAKE_DROPPED;
	}
	p.vni = p.src_vni = from->dp.vni;
	from->counters.tx_packets++;
	from->counters.tx_bytes += size;
	verdict = fake_from_node(h, from, &p, ret_reason);
	h->traffic[p.format].tx_packets++;
	h->traffic[p.format].tx_bytes += size;
	return verdict;
}

enum fake_verdict fake_arrive(struct fake_world *world, const char *name, const char *from,
			      uint32_t vni, const struct ipaddr *src, const struct ipaddr *dst,
			      uint32_t number, uint32_t *ret_reason)
{
	struct fake_host *h = fake_host_find(world, name), *sender = fake_host_find(world, from);
	struct fake_numbered n = fake_numbered(src, dst, number);
	struct fake_flight p = {.frame = (const uint8_t *)&n,
				.size = sizeof(n),
				.vni = vni,
				.src_vni = vni,
				.src = *src,
				.dst = *dst,
				.tuple.protocol = FAKE_NUMBER_PROTOCOL};
	struct dp_peer *back, *towards;

	if (!h || !sender) {
		if (ret_reason)
			*ret_reason = DROP_UNKNOWN_PEER;
		return FAKE_DROPPED;
	}
	towards = fake_peer_of(sender, h);
	back = fake_peer_of(h, sender);
	return fake_ingress(h, back, towards ? towards->send : FORMAT_NONE,
			    towards ? towards->seal : SEAL_CLEAR, &p, ret_reason);
}

int fake_reinject(struct datapath *dp, const struct dp_upcall *upcall)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_flight p = {
		.frame = upcall->frame,
		.size = upcall->size,
		.vni = upcall->vni,
		.src = upcall->src,
		.dst = upcall->dst,
		.src_vni = upcall->other_vni ? upcall->other_vni : upcall->vni,
		.reinjected = true,
	};
	struct fake_note note;

	if (upcall->size < sizeof(struct ether_header))
		return -EINVAL;
	if (upcall->port) {
		struct fake_port *port = fake_port_find(h, upcall->port);

		if (!port)
			return -ENOENT;
		p.src_vni = p.vni;
		fake_from_node(h, port, &p, NULL);
		return 0;
	}
	if (!fake_parse_ip(&p))
		return -EINVAL;
	memcpy(&note, upcall->frame, sizeof(note));
	p.handle = note.handle;
	fake_ingress(h, fake_peer_find(h, note.peer), (enum format)note.format,
		     (enum seal_cipher)note.seal, &p, NULL);
	return 0;
}

int fake_announce(struct datapath *dp, const struct ipaddr *addr)
{
	struct fake_host *h = fake_host_of(dp);

	if (!h->config.uplink_ifindex)
		return -EOPNOTSUPP;
	h->announced = *addr;
	h->n_announced++;
	return 0;
}

unsigned int fake_announced(struct fake_world *world, const char *name, struct ipaddr *ret_last)
{
	const struct fake_host *h = fake_host_find(world, name);

	*ret_last = h->announced;
	return h->n_announced;
}

int fake_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_port *from = fake_port_find(h, port);
	struct fake_flight p = {.frame = frame, .size = size, .reinjected = true, .copied = true};
	struct ether_header *ethernet = (struct ether_header *)frame;

	if (!from)
		return -ENOENT;
	memcpy(ethernet->ether_shost, from->dp.mac.b, 6);
	ethernet->ether_type = htons(ETHERTYPE_IP);
	p.vni = p.src_vni = from->dp.vni;
	fake_from_node(h, from, &p, NULL);
	return 0;
}
