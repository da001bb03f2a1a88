/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/miss.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

struct held {
	struct list link;
	struct dp_upcall *upcall;
};

/* An address that was asked for, and the packets that wait for it.  A renewal has none. */
struct pending {
	struct hmap_node node;
	struct miss *miss;
	struct question question;
	uint32_t port; /* that asked first */
	struct list held;
};

/* What one port makes us hold; 0 stands for the substrate. */
struct load {
	struct hmap_node node;
	uint32_t port;
	uint32_t n_questions, n_held;
	size_t bytes;
};

static void miss_on_answer(struct question *q, enum question_result result,
			   const struct answer *answer, void *arg);

void miss_init(struct miss *m, struct cache *cache, struct questions *questions,
	       const struct miss_ops *ops, void *arg)
{
	*m = (struct miss){.cache = cache, .questions = questions, .ops = ops, .arg = arg};
	hmap_init(&m->pending);
	hmap_init(&m->loads);
}

static uint64_t miss_hash(uint32_t vni, const struct ipaddr *addr)
{
	return hash_u64_bytes(vni, addr->b, sizeof(addr->b));
}

static struct pending *miss_find(const struct miss *m, uint32_t vni, const struct ipaddr *addr)
{
	struct pending *p;

	hmap_for_each_at (p, &m->pending, miss_hash(vni, addr), node)
		if (question_subject_vni(&p->question) == vni &&
		    ipaddr_equal(&p->question.addr, addr))
			return p;
	return NULL;
}

bool miss_is_pending(const struct miss *m, uint32_t vni, const struct ipaddr *addr)
{
	return miss_find(m, vni, addr);
}

/* ---- bounds ---- */

static struct load *miss_load(struct miss *m, uint32_t port)
{
	struct load *l;

	hmap_for_each_at (l, &m->loads, hash_u64(port), node)
		if (l->port == port)
			return l;
	l = calloc(1, sizeof(*l));
	if (l) {
		l->port = port;
		hmap_insert(&m->loads, &l->node, hash_u64(port));
	}
	return l;
}

static void miss_put_load(struct miss *m, struct load *l)
{
	if (l->n_questions || l->n_held)
		return;
	hmap_remove(&m->loads, &l->node);
	free(l);
}

static void miss_drop(struct miss *m, struct dp_upcall *u, enum miss_drop reason)
{
	m->drops[reason]++;
	datapath_upcall_free(u);
}

/* Takes the packet behind the others of 'p', or drops it. */
static void miss_hold(struct miss *m, struct pending *p, struct dp_upcall *u)
{
	struct load *l = miss_load(m, u->port);
	struct held *h = NULL;

	if (l && l->n_held < LIMIT_AGENT_HELD_PER_PORT &&
	    l->bytes + u->size <= LIMIT_AGENT_HELD_BYTES_PER_PORT &&
	    m->held_bytes + u->size <= LIMIT_AGENT_HELD_BYTES)
		h = calloc(1, sizeof(*h));
	if (!h) {
		miss_drop(m, u, MISS_DROP_BOUND);
		if (l)
			miss_put_load(m, l);
		return;
	}
	l->n_held++;
	l->bytes += u->size;
	m->held_bytes += u->size;
	m->n_held++;
	h->upcall = u;
	list_push_back(&p->held, &h->link);
}

/* The packet leaves the queue and is the caller's. */
static struct dp_upcall *miss_unhold(struct miss *m, struct held *h)
{
	struct dp_upcall *u = h->upcall;
	struct load *l = miss_load(m, u->port);

	if (l) {
		l->n_held--;
		l->bytes -= u->size;
		miss_put_load(m, l);
	}
	m->held_bytes -= u->size;
	list_remove(&h->link);
	free(h);
	return u;
}

static void miss_reinject(struct miss *m, struct dp_upcall *u)
{
	int e = datapath_reinject(m->dp, u);

	if (e) {
		log_debug("packet not written back", LOG_U64("port", u->port),
			  LOG_ADDR("dst", &u->dst), LOG_ERRNO(e));
		miss_drop(m, u, MISS_DROP_FAULT);
		return;
	}
	m->n_reinjected++;
	datapath_upcall_free(u);
}

/* ---- pending addresses ---- */

static struct pending *miss_free_pending(struct miss *m, struct pending *p)
{
	struct load *l = miss_load(m, p->port);

	if (l) {
		l->n_questions--;
		miss_put_load(m, l);
	}
	questions_cancel(m->questions, &p->question);
	hmap_remove(&m->pending, &p->node);
	free(p);
	return NULL;
}

static void miss_drop_held(struct miss *m, struct pending *p, enum miss_drop reason)
{
	struct held *h;

	list_for_each (h, &p->held, link)
		miss_drop(m, miss_unhold(m, h), reason);
}

void miss_set_datapath(struct miss *m, struct datapath *dp)
{
	struct pending *p;

	hmap_for_each (p, &m->pending, node) {
		miss_drop_held(m, p, MISS_DROP_FAULT);
		miss_free_pending(m, p);
	}
	m->dp = dp;
}

void miss_deinit(struct miss *m)
{
	miss_set_datapath(m, NULL);
	hmap_deinit(&m->pending);
	hmap_deinit(&m->loads);
}

/* What a packet wants to be known, and who may ask. */
struct subject {
	Viaduct__Agent__Question__Kind kind;
	uint32_t port;
	uint32_t vni, addr_vni; /* of the asker; of the address, when it is another one, else 0 */
	struct ipaddr asker, addr;
	bool by_label; /* 'addr' is a label */
};

static uint32_t miss_subject_vni(const struct subject *s)
{
	if (s->by_label)
		return DP_VNI_LABELS;
	return s->addr_vni ? s->addr_vni : s->vni;
}

/* Asks where the address is.  On failure nothing is pending. */
static int miss_ask(struct miss *m, const struct subject *s, struct pending **ret)
{
	struct load *l = miss_load(m, s->port);
	struct pending *p;
	int e;

	if (!l)
		return -ENOMEM;
	if (l->n_questions >= LIMIT_AGENT_QUESTIONS_PER_PORT)
		return -ENOBUFS;
	p = calloc(1, sizeof(*p));
	if (!p) {
		miss_put_load(m, l);
		return -ENOMEM;
	}
	l->n_questions++;
	p->miss = m;
	p->port = s->port;
	list_init(&p->held);
	p->question = (struct question){.kind = s->kind,
					.vni = s->vni,
					.addr_vni = s->addr_vni,
					.asker = s->asker,
					.addr = s->addr,
					.by_label = s->by_label,
					.fn = miss_on_answer,
					.arg = p};
	hmap_insert(&m->pending, &p->node, miss_hash(miss_subject_vni(s), &s->addr));
	e = questions_ask(m->questions, &p->question);
	if (e) {
		miss_free_pending(m, p);
		return e;
	}
	m->n_asked++;
	*ret = p;
	return 0;
}

static int miss_subject(struct miss *m, const struct dp_upcall *u, struct subject *ret)
{
	struct subject s = {.port = u->port, .vni = u->vni};
	int e;

	if (u->other_vni != u->vni)
		s.addr_vni = u->other_vni;
	s.kind = VIADUCT__AGENT__QUESTION__KIND__SEND;
	s.addr = u->dst;
	if (u->kind == DP_UPCALL_VERIFY) {
		s.kind = VIADUCT__AGENT__QUESTION__KIND__VERIFY;
		s.addr = u->src;
		s.by_label = u->src_is_label;
	}
	e = m->ops->asker(u, &s.asker, m->arg);
	if (!e)
		*ret = s;
	return e;
}

/* A packet came up although the cache knows its address. */
static void miss_take_known(struct miss *m, struct mapping *mapping, struct dp_upcall *u,
			    const struct subject *s)
{
	struct pending *p;

	if (mapping->state == MAPPING_PROVING) {
		/* Live again at once; without room for the question it ends with its lifetime. */
		if (!cache_use(m->cache, mapping)) {
			(void)!miss_ask(m, s, &p);
			m->ops->drain(m->arg);
		}
	} else if (mapping->state != MAPPING_SETTLING && !cache_repeat(m->cache, mapping)) {
		miss_drop(m, u, MISS_DROP_LOOP);
		return;
	}
	miss_reinject(m, u);
}

void miss_take(struct miss *m, struct dp_upcall *u)
{
	struct mapping *mapping;
	struct pending *p;
	struct subject s;
	uint32_t vni;

	if (miss_subject(m, u, &s)) {
		miss_drop(m, u, MISS_DROP_FAULT);
		return;
	}
	vni = miss_subject_vni(&s);
	mapping = cache_find(m->cache, vni, &s.addr);
	if (mapping) {
		miss_take_known(m, mapping, u, &s);
		return;
	}
	p = miss_find(m, vni, &s.addr);
	if (!p && miss_ask(m, &s, &p)) {
		miss_drop(m, u, MISS_DROP_BOUND);
		return;
	}
	miss_hold(m, p, u);
}

void miss_settle(struct miss *m)
{
	cache_settle(m->cache);
}

/* ---- answers ---- */

/* The mapping or the refusal is written: the packets go through the programs again, in order. */
static void miss_release(struct miss *m, struct pending *p)
{
	struct held *h;

	list_for_each (h, &p->held, link)
		miss_reinject(m, miss_unhold(m, h));
	if (cache_is_settling(m->cache))
		m->ops->drain(m->arg);
}

static int miss_place(struct miss *m, const struct answer *a, struct mapping_place *place)
{
	int e;

	*place = (struct mapping_place){
		.revision = a->revision, .n_groups = a->n_groups, .label = a->label};
	e = m->ops->peer(a->host, &place->peer, m->arg);
	memcpy(place->groups, a->groups, sizeof(place->groups));
	for (; !e && place->n_peers < a->n_hosts; place->n_peers++)
		e = m->ops->peer(a->hosts[place->n_peers], &place->peers[place->n_peers], m->arg);
	return e;
}

static int miss_install(struct miss *m, const struct answer *a)
{
	const struct mapping *known = cache_find(m->cache, a->vni, &a->addr);
	const bool was_held = known && mapping_is_held(known);
	struct mapping_place place;
	int e = miss_place(m, a, &place);

	if (!e)
		e = cache_install(m->cache, a->vni, &a->addr, &place, a->lifetime_s);
	if (!e && !was_held)
		m->ops->learned(&a->addr, m->arg);
	return e;
}

int miss_preload(struct miss *m, const struct answer *a)
{
	struct mapping_place place;
	int e = miss_place(m, a, &place);

	if (!e)
		e = cache_preload(m->cache, a->vni, &a->addr, &place);
	if (!e)
		m->ops->learned(&a->addr, m->arg);
	return e;
}

static void miss_on_answer(struct question *q, enum question_result result,
			   const struct answer *answer, void *arg)
{
	struct pending *p = arg;
	struct miss *m = p->miss;
	int e = -ETIMEDOUT;

	if (result == QUESTION_OK) {
		e = miss_install(m, answer);
		/* The manager names a host that it has not told us about yet: it will. */
		if (e == -ENOENT && !questions_again(m->questions, &p->question))
			return;
		if (e)
			m->ops->unwanted(answer, m->arg);
	} else if (result == QUESTION_REFUSED) {
		e = cache_refuse(m->cache, question_subject_vni(q), &q->addr);
	}
	if (!e)
		miss_release(m, p);
	else
		miss_drop_held(m, p, e == -ETIMEDOUT ? MISS_DROP_TIMEOUT : MISS_DROP_FAULT);
	miss_free_pending(m, p);
}

int miss_learn(struct miss *m, const struct answer *a)
{
	struct pending *p = miss_find(m, a->vni, &a->addr);
	int e = miss_install(m, a);

	if (e)
		return e;
	if (p) {
		miss_release(m, p);
		miss_free_pending(m, p);
	} else if (cache_is_settling(m->cache)) {
		m->ops->drain(m->arg);
	}
	return 0;
}

void miss_drop_port(struct miss *m, uint32_t port)
{
	struct pending *p;
	struct held *h;

	hmap_for_each (p, &m->pending, node)
		list_for_each (h, &p->held, link)
			if (h->upcall->port == port)
				miss_drop(m, miss_unhold(m, h), MISS_DROP_FAULT);
}
