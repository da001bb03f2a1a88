/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sealed_path.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"

struct sealed_path {
	struct hmap_node node;
	uint32_t peer;
	uint16_t mtu[2]; /* over IPv4, over IPv6; 0: nothing is known but the link's */
	uint64_t sealed; /* packets, when it was looked last */
	uint64_t round;  /* when that was; 0: never */
};

static void sealed_paths_on_look(struct timer *t, void *data);

void sealed_paths_init(struct sealed_paths *p, struct loop *loop, const struct sealed_paths *with)
{
	*p = *with;
	p->round = 1;
	hmap_init(&p->by_peer);
	timer_init(&p->look, loop, sealed_paths_on_look, p);
}

void sealed_paths_deinit(struct sealed_paths *p)
{
	struct sealed_path *path;

	timer_deinit(&p->look);
	hmap_for_each (path, &p->by_peer, node) {
		hmap_remove(&p->by_peer, &path->node);
		free(path);
	}
	hmap_deinit(&p->by_peer);
}

void sealed_paths_run(struct sealed_paths *p, bool on)
{
	if (on)
		timer_arm_in(&p->look, LIMIT_AGENT_SEALED_PATH_MS * CLOCK_NS_PER_MS);
	else
		timer_disarm(&p->look);
}

static struct sealed_path *sealed_paths_find(const struct sealed_paths *p, uint32_t peer)
{
	struct sealed_path *path;

	hmap_for_each_at (path, &p->by_peer, hash_u64(peer), node)
		if (path->peer == peer)
			return path;
	return NULL;
}

uint16_t sealed_paths_mtu(const struct sealed_paths *p, uint32_t peer, bool v6, uint16_t mtu)
{
	const struct sealed_path *path = p ? sealed_paths_find(p, peer) : NULL;

	return path && path->mtu[v6] && path->mtu[v6] < mtu ? path->mtu[v6] : mtu;
}

/* What the kernel knows of the way to an address; 0: nothing. */
static uint16_t sealed_paths_ask(const struct sealed_paths *p, const struct ipaddr *remote)
{
	uint16_t mtu;

	return ipaddr_is_zero(remote) || p->kernel->path_mtu(p->kernel_arg, remote, &mtu) ? 0 : mtu;
}

static struct sealed_path *sealed_paths_get(struct sealed_paths *p, uint32_t peer)
{
	struct sealed_path *path = sealed_paths_find(p, peer);

	if (path)
		return path;
	path = calloc(1, sizeof(*path));
	if (!path)
		return NULL;
	path->peer = peer;
	hmap_insert(&p->by_peer, &path->node, hash_u64(peer));
	return path;
}

bool sealed_paths_is_of_kernel(enum format send)
{
	return FORMAT_BIT(send) & (FORMATS_TUNNEL | FORMAT_BIT(FORMAT_REIP4_1));
}

/* Packets to it may go by the kernel's devices. */
static bool sealed_paths_is_tunnelled(const struct desired_peer *peer)
{
	bool is = sealed_paths_is_of_kernel(peer->dp.send);

	for (size_t i = 0; i < peer->dp.n_variants && !is; i++)
		is = sealed_paths_is_of_kernel(peer->variants[i].send);
	return is;
}

/* Whether the kernel was asked. */
static bool sealed_paths_look_at(struct sealed_paths *p, const struct desired_peer *peer)
{
	uint64_t sealed = sealing_counters(p->sealing, peer->dp.id).sealed_packets;
	bool tunnelled = sealed_paths_is_tunnelled(peer);
	struct sealed_path *path = sealed || tunnelled ? sealed_paths_get(p, peer->dp.id)
						       : sealed_paths_find(p, peer->dp.id);
	uint16_t mtu[2];

	if (!path || path->round == p->round)
		return false;
	path->round = p->round;
	if (path->sealed == sealed && !path->mtu[0] && !path->mtu[1] && !tunnelled)
		return false;
	path->sealed = sealed;
	mtu[0] = sealed_paths_ask(p, &peer->dp.v4);
	mtu[1] = sealed_paths_ask(p, &peer->dp.v6);
	if (mtu[0] == path->mtu[0] && mtu[1] == path->mtu[1])
		return true;
	log_info("path MTU of what the host itself sends", LOG_U64("peer", peer->dp.id),
		 LOG_U64("ipv4", mtu[0]), LOG_U64("ipv6", mtu[1]));
	path->mtu[0] = mtu[0];
	path->mtu[1] = mtu[1];
	p->changed(peer->dp.id, p->arg);
	return true;
}

static void sealed_paths_forget_peers(struct sealed_paths *p)
{
	struct sealed_path *path;

	hmap_for_each (path, &p->by_peer, node) {
		if (desired_find_peer(p->desired, path->peer))
			continue;
		hmap_remove(&p->by_peer, &path->node);
		free(path);
	}
}

static void sealed_paths_on_look(struct timer *t, void *data)
{
	struct sealed_paths *p = data;
	const struct desired_peer *peer;
	unsigned int n = 0;

	hmap_for_each (peer, &p->desired->peers, node)
		if (n < LIMIT_AGENT_SEALED_PATHS && sealed_paths_look_at(p, peer))
			n++;
	if (n < LIMIT_AGENT_SEALED_PATHS) {
		p->round++;
		sealed_paths_forget_peers(p);
	}
	timer_arm_in(t, LIMIT_AGENT_SEALED_PATH_MS * CLOCK_NS_PER_MS);
}
