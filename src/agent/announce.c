/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/announce.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

/* A public address that is to be announced some more times. */
struct announced {
	struct hmap_node node;
	struct list link;
	struct ipaddr public;
	uint64_t due_ns;
	unsigned int n_left;
};

static void announcer_on_timer(struct timer *t, void *data);

void announcer_init(struct announcer *a, struct loop *loop, announce_fn fn, void *arg, int ifindex)
{
	*a = (struct announcer){.loop = loop, .fn = fn, .arg = arg, .ifindex = fn ? ifindex : 0};
	hmap_init(&a->publics);
	list_init(&a->queue);
	timer_init(&a->timer, loop, announcer_on_timer, a);
}

static uint64_t announcer_hash(const struct ipaddr *public)
{
	return hash_u64_bytes(0, public->b, sizeof(public->b));
}

static struct announced *announcer_find(const struct announcer *a, const struct ipaddr *public)
{
	struct announced *n;

	hmap_for_each_at (n, &a->publics, announcer_hash(public), node)
		if (ipaddr_equal(&n->public, public))
			return n;
	return NULL;
}

static void announcer_drop(struct announcer *a, struct announced *n)
{
	hmap_remove(&a->publics, &n->node);
	list_remove(&n->link);
	free(n);
}

void announcer_deinit(struct announcer *a)
{
	struct announced *n;

	hmap_for_each (n, &a->publics, node)
		announcer_drop(a, n);
	hmap_deinit(&a->publics);
	timer_deinit(&a->timer);
}

/* All wait equally long for their next turn, so the queue is in order. */
static void announcer_arm(struct announcer *a)
{
	const struct announced *first = list_first(&a->queue, struct announced, link);

	if (first)
		timer_arm_at(&a->timer, first->due_ns);
	else
		timer_disarm(&a->timer);
}

static void announcer_send(struct announcer *a, struct announced *n, uint64_t now)
{
	int e = a->fn(a->arg, a->ifindex, &n->public);

	if (e)
		log_warn("public address not announced", LOG_ADDR("public", &n->public),
			 LOG_ERRNO(e));
	else
		a->n_sent++;
	if (!--n->n_left) {
		announcer_drop(a, n);
		return;
	}
	n->due_ns = now + LIMIT_AGENT_ANNOUNCE_AGAIN_MS * CLOCK_NS_PER_MS;
	list_remove(&n->link);
	list_push_back(&a->queue, &n->link);
}

static void announcer_on_timer(struct timer *t, void *data)
{
	struct announcer *a = data;
	const uint64_t now = clock_mono_ns(loop_clock(a->loop));
	struct announced *n;

	for (unsigned int k = 0; k < LIMIT_AGENT_ANNOUNCED_PER_TURN; k++) {
		n = list_first(&a->queue, struct announced, link);
		if (!n || n->due_ns > now)
			break;
		announcer_send(a, n, now);
	}
	n = list_first(&a->queue, struct announced, link);
	if (n && n->due_ns <= now)
		timer_arm_in(&a->timer, LIMIT_AGENT_ANNOUNCE_TURN_MS * CLOCK_NS_PER_MS);
	else
		announcer_arm(a);
}

void announcer_add(struct announcer *a, const struct ipaddr *public)
{
	struct announced *n;

	if (!a->ifindex)
		return;
	announcer_remove(a, public); /* begins anew */
	if (!ipaddr_is_v4(public) && hmap_count(&a->publics) >= LIMIT_AGENT_ANNOUNCED)
		return;
	n = calloc(1, sizeof(*n));
	if (!n) {
		log_warn("public address not announced", LOG_ADDR("public", public),
			 LOG_ERRNO(-ENOMEM));
		return;
	}
	n->public = *public;
	n->n_left = LIMIT_AGENT_ANNOUNCE_TIMES;
	n->due_ns = 0;
	hmap_insert(&a->publics, &n->node, announcer_hash(public));
	list_push_front(&a->queue, &n->link);
	announcer_arm(a);
}

void announcer_remove(struct announcer *a, const struct ipaddr *public)
{
	struct announced *n = announcer_find(a, public);

	if (n)
		announcer_drop(a, n);
	announcer_arm(a);
}
