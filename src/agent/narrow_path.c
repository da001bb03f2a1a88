/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/narrow_path.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"

enum { IPV6_MTU_MIN = 1280 }; /* RFC 8200 5 */

struct narrow_path {
	struct hmap_node node;
	uint32_t peer;
	uint16_t mtu;
	uint64_t until_ns;
};

static void narrow_paths_on_forget(struct timer *t, void *data);

void narrow_paths_init(struct narrow_paths *p, struct loop *loop, const struct narrow_paths *with)
{
	*p = *with;
	p->loop = loop;
	hmap_init(&p->by_peer);
	timer_init(&p->forget, loop, narrow_paths_on_forget, p);
}

static void narrow_paths_remove(struct narrow_paths *p, struct narrow_path *path)
{
	hmap_remove(&p->by_peer, &path->node);
	free(path);
}

void narrow_paths_deinit(struct narrow_paths *p)
{
	struct narrow_path *path;

	timer_deinit(&p->forget);
	hmap_for_each (path, &p->by_peer, node)
		narrow_paths_remove(p, path);
	hmap_deinit(&p->by_peer);
}

static struct narrow_path *narrow_paths_find(const struct narrow_paths *p, uint32_t peer)
{
	struct narrow_path *path;

	hmap_for_each_at (path, &p->by_peer, hash_u64(peer), node)
		if (path->peer == peer)
			return path;
	return NULL;
}

uint16_t narrow_paths_mtu(const struct narrow_paths *p, uint32_t peer, uint16_t mtu)
{
	const struct narrow_path *path = p ? narrow_paths_find(p, peer) : NULL;

	return path && path->mtu < mtu ? path->mtu : mtu;
}

static struct narrow_path *narrow_paths_get(struct narrow_paths *p, uint32_t peer)
{
	struct narrow_path *path = narrow_paths_find(p, peer);

	if (path)
		return path;
	path = calloc(1, sizeof(*path));
	if (!path)
		return NULL;
	path->peer = peer;
	hmap_insert(&p->by_peer, &path->node, hash_u64(peer));
	return path;
}

void narrow_paths_learn(struct narrow_paths *p, uint32_t peer, uint32_t mtu)
{
	const struct desired_peer *d = desired_find_peer(p->desired, peer);
	uint16_t most = d ? narrow_paths_mtu(p, peer, d->dp.path_mtu) : 0;
	struct narrow_path *path;

	if (mtu < IPV6_MTU_MIN)
		mtu = IPV6_MTU_MIN;
	if (mtu >= most)
		return;
	path = narrow_paths_get(p, peer);
	if (!path)
		return;
	path->mtu = (uint16_t)mtu;
	path->until_ns =
		clock_mono_ns(loop_clock(p->loop)) + LIMIT_AGENT_NARROW_PATH_MS * CLOCK_NS_PER_MS;
	if (!timer_armed(&p->forget))
		timer_arm_in(&p->forget, LIMIT_AGENT_NARROW_PATH_MS * CLOCK_NS_PER_MS);
	log_info("the way to a peer is narrower than known", LOG_U64("peer", peer),
		 LOG_U64("mtu", mtu));
	p->changed(peer, p->arg);
}

/* Ways get wider unnoticed: each is tried again. */
static void narrow_paths_on_forget(struct timer *t, void *data)
{
	struct narrow_paths *p = data;
	uint64_t now = clock_mono_ns(loop_clock(p->loop)), next = UINT64_MAX;
	struct narrow_path *path;

	hmap_for_each (path, &p->by_peer, node) {
		uint32_t peer = path->peer;

		if (path->until_ns > now) {
			next = path->until_ns < next ? path->until_ns : next;
			continue;
		}
		narrow_paths_remove(p, path);
		p->changed(peer, p->arg);
	}
	if (next != UINT64_MAX)
		timer_arm_in(t, next - now);
}
