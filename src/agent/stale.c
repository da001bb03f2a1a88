/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/stale.h"

#include <stdlib.h>

#include "agent/convert.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

struct notice {
	struct hmap_node node;
	struct list age, wait;
	uint32_t peer, vni, src_vni;
	struct ipaddr src, dst;
	uint64_t until_ns;
};

static void stale_on_tell(struct timer *t, void *data);

void stale_init(struct stale *s, struct loop *loop, stale_send_fn send, void *arg)
{
	*s = (struct stale){.loop = loop, .send = send, .arg = arg};
	hmap_init(&s->notices);
	list_init(&s->by_age);
	list_init(&s->waiting);
	timer_init(&s->tell, loop, stale_on_tell, s);
}

static void notice_free(struct stale *s, struct notice *n)
{
	hmap_remove(&s->notices, &n->node);
	list_remove(&n->age);
	list_remove(&n->wait);
	free(n);
}

void stale_end(struct stale *s)
{
	struct notice *n;

	s->taken = false;
	timer_disarm(&s->tell);
	list_for_each (n, &s->by_age, age)
		notice_free(s, n);
}

void stale_begin(struct stale *s)
{
	s->taken = true;
}

void stale_deinit(struct stale *s)
{
	stale_end(s);
	timer_deinit(&s->tell);
	hmap_deinit(&s->notices);
}

static uint64_t stale_hash(uint32_t peer, uint32_t vni, const struct ipaddr *dst)
{
	return hash_u64_bytes((uint64_t)peer << 32 | vni, dst->b, sizeof(dst->b));
}

static bool stale_is_known(const struct stale *s, const struct dp_upcall *u)
{
	const struct notice *n;

	hmap_for_each_at (n, &s->notices, stale_hash(u->peer, u->vni, &u->dst), node)
		if (n->peer == u->peer && n->vni == u->vni && ipaddr_equal(&n->dst, &u->dst))
			return true;
	return false;
}

/* What may be told again is forgotten. */
static void stale_expire(struct stale *s, uint64_t now)
{
	struct notice *n;

	while ((n = list_first(&s->by_age, struct notice, age)) && n->until_ns <= now)
		notice_free(s, n);
}

static size_t stale_count(const struct stale *s, uint32_t peer)
{
	const struct notice *n;
	size_t count = 0;

	list_for_each (n, &s->by_age, age)
		count += n->peer == peer;
	return count;
}

static void stale_note(struct stale *s, const struct dp_upcall *u)
{
	uint64_t now = clock_mono_ns(loop_clock(s->loop));
	struct notice *n;

	if (!s->taken)
		return;
	stale_expire(s, now);
	/* most of what comes is about one that is known: only for others they are counted */
	if (stale_is_known(s, u) || hmap_count(&s->notices) >= LIMIT_AGENT_STALE ||
	    stale_count(s, u->peer) >= LIMIT_AGENT_STALE_PER_PEER)
		return;
	n = calloc(1, sizeof(*n));
	if (!n)
		return;
	n->peer = u->peer;
	n->vni = u->vni;
	n->src_vni = u->other_vni ? u->other_vni : u->vni;
	n->src = u->src;
	n->dst = u->dst;
	n->until_ns = now + LIMIT_AGENT_STALE_AGAIN_MS * CLOCK_NS_PER_MS;
	hmap_insert(&s->notices, &n->node, stale_hash(n->peer, n->vni, &n->dst));
	list_push_back(&s->by_age, &n->age);
	list_push_back(&s->waiting, &n->wait);
	if (!timer_armed(&s->tell))
		timer_arm_in(&s->tell, LIMIT_AGENT_STALE_MS * CLOCK_NS_PER_MS);
}

void stale_take(struct stale *s, struct dp_upcall *u)
{
	stale_note(s, u);
	datapath_upcall_free(u);
}

static void stale_on_tell(struct timer *t, void *data)
{
	Viaduct__Agent__StaleMapping messages[LIMIT_AGENT_STALE_PER_FRAME];
	Viaduct__Agent__StaleMapping *pointers[LIMIT_AGENT_STALE_PER_FRAME];
	Viaduct__Agent__Stale stale = VIADUCT__AGENT__STALE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct stale *s = data;
	struct notice *n;

	list_for_each (n, &s->waiting, wait) {
		Viaduct__Agent__StaleMapping *m = &messages[stale.n_mappings];

		if (stale.n_mappings == LIMIT_AGENT_STALE_PER_FRAME)
			break;
		viaduct__agent__stale_mapping__init(m);
		m->vni = n->vni;
		m->addr = convert_bytes(&n->dst);
		m->host = n->peer;
		m->src_vni = n->src_vni;
		m->src = convert_bytes(&n->src);
		pointers[stale.n_mappings++] = m;
		list_remove(&n->wait);
		log_debug("a host has not heard that an address is gone from here",
			  LOG_U64("peer", n->peer), LOG_U64("vni", n->vni),
			  LOG_ADDR("addr", &n->dst));
	}
	stale.mappings = pointers;
	s->n_told += stale.n_mappings;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_STALE;
	frame.stale = &stale;
	(void)!s->send(&frame, s->arg); /* it sends again, and is told of again */
	if (!list_empty(&s->waiting))
		timer_arm_in(&s->tell, LIMIT_AGENT_STALE_MS * CLOCK_NS_PER_MS);
}
