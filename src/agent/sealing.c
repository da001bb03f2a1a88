/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sealing.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"

static void sealing_on_end(struct watch *w, unsigned int ready, void *data);
static void sealing_on_retry(struct timer *t, void *data);
static void sealing_on_left(struct timer *t, void *data);

/* How much of what is not wanted any more the worker keeps. */
enum sealing_extent {
	SEALING_WIDE,    /* all of it */
	SEALING_LEAVING, /* what packets that are on their way to it need */
	SEALING_NARROW,
};

void sealing_init(struct sealing *s, struct loop *loop, const struct desired *desired,
		  const struct sealing_paths *paths, sealing_changed_fn changed, void *arg)
{
	int e;

	*s = (struct sealing){.paths = *paths,
			      .desired = desired,
			      .loop = loop,
			      .client = {.fd = -1},
			      .incarnation = paths->incarnation,
			      .changed = changed,
			      .arg = arg};
	e = paths->socket ? seal_client_incarnation(paths->socket, paths->reserve, &s->incarnation)
			  : 0;
	if (e)
		log_err("what was sealed and opened cannot be kept", LOG_ERRNO(e));
	timer_init(&s->retry, loop, sealing_on_retry, s);
	timer_init(&s->left, loop, sealing_on_left, s);
}

static void sealing_disconnect(struct sealing *s)
{
	if (s->client.fd < 0)
		return;
	watch_deinit(&s->watch);
	seal_client_close(&s->client);
}

static void sealing_forget(struct sealing *s)
{
	if (s->keys)
		explicit_bzero(s->keys, s->image.n_keys * sizeof(*s->keys));
	free(s->keys);
	free(s->classes);
	s->keys = NULL;
	s->classes = NULL;
	s->image = (struct seal_image){};
}

void sealing_deinit(struct sealing *s)
{
	timer_deinit(&s->retry);
	timer_deinit(&s->left);
	sealing_disconnect(s);
	sealing_forget(s);
}

void sealing_set_datapath(struct sealing *s, struct datapath *dp)
{
	s->dp = dp;
}

bool sealing_lacks_keys(const struct desired *d)
{
	const struct desired_peer *p;

	hmap_for_each (p, &d->peers, node)
		if (desired_peer_is_sealed(p) && !p->n_keys)
			return true;
	return false;
}

static const struct desired_peer_key *sealing_key(const struct desired_peer *p,
						  enum seal_cipher seal)
{
	const struct desired_peer_key *newest = NULL;

	for (size_t i = 0; i < p->n_keys; i++)
		if (p->keys[i].seals && p->keys[i].cipher == seal &&
		    (!newest || p->keys[i].made_ms >= newest->made_ms))
			newest = &p->keys[i];
	return newest;
}

/* ---- what the worker is to know ---- */

struct sealing_wanted {
	struct seal_image image;
	struct seal_class *classes;
	struct seal_key_record *keys;
	uint32_t n_leaving; /* classes that nothing is put into any more */
};

static void sealing_wanted_deinit(struct sealing_wanted *w)
{
	if (w->keys)
		explicit_bzero(w->keys, w->image.n_keys * sizeof(*w->keys));
	free(w->keys);
	free(w->classes);
}

static void sealing_want_class(struct sealing_wanted *w, const struct desired_peer *p)
{
	const struct desired_peer_key *key = sealing_key(p, p->dp.seal);
	struct seal_class *c = &w->classes[w->image.n_classes++];

	*c = (struct seal_class){
		.number = p->dp.id,
		.peer = p->dp.id,
		.spi = key ? key->spi : 0,
		.cipher = (uint8_t)p->dp.seal,
		.lz4 = !!(p->features & FEATURE_BIT(FEATURE_LZ4_1)),
	};
	memcpy(c->remote, p->dp.vxlan_over_v6 ? p->dp.v6.b : p->dp.v4.b, 16);
}

/* Alike ones next to each other share a class. */
static void sealing_want_variants(struct sealing_wanted *w, const struct sealing *s,
				  const struct desired_peer *p)
{
	uint32_t number, last = 0;

	for (size_t i = 0; i < p->dp.n_variants; i++) {
		const struct dp_variant *v = &p->variants[i];
		const struct desired_peer_key *key = sealing_key(p, v->seal);
		struct seal_class *c = &w->classes[w->image.n_classes];

		if (!v->seal || datapath_variant_class(s->dp, p->dp.id, v, &number) ||
		    number == last)
			continue;
		last = number;
		w->image.n_classes++;
		*c = (struct seal_class){
			.number = number,
			.peer = p->dp.id,
			.spi = key ? key->spi : 0,
			.cipher = (uint8_t)v->seal,
			.lz4 = v->lz4,
		};
		memcpy(c->remote, v->vxlan_over_v6 ? p->dp.v6.b : p->dp.v4.b, 16);
	}
}

static void sealing_want_keys(struct sealing_wanted *w, const struct desired_peer *p, bool bound)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		struct seal_key_record *k = &w->keys[w->image.n_keys++];

		*k = (struct seal_key_record){
			.spi = p->keys[i].spi,
			.peer = p->dp.id,
			.cipher = (uint8_t)p->keys[i].cipher,
			.seals = p->keys[i].seals,
			.goes_on = bound,
			.incarnation = p->keys[i].incarnation,
		};
		memcpy(k->key, p->keys[i].key, sizeof(k->key));
	}
}

/* Classes and keys of 'old' that are not there any more; without those that open, if only what is
 * leaving is wanted. */
static void sealing_want_old(struct sealing_wanted *w, const struct sealing *old,
			     enum sealing_extent extent)
{
	const uint32_t n_classes = w->image.n_classes, n_keys = w->image.n_keys;

	for (uint32_t i = 0; i < old->image.n_classes; i++) {
		uint32_t at = 0;

		while (at < n_classes && w->classes[at].number != old->classes[i].number)
			at++;
		if (at == n_classes)
			w->classes[w->image.n_classes++] = old->classes[i];
	}
	w->n_leaving = w->image.n_classes - n_classes;
	for (uint32_t i = 0; i < old->image.n_keys; i++) {
		uint32_t at = 0;

		if (extent == SEALING_LEAVING && !old->keys[i].seals)
			continue;
		while (at < n_keys && (w->keys[at].spi != old->keys[i].spi ||
				       w->keys[at].peer != old->keys[i].peer ||
				       w->keys[at].seals != old->keys[i].seals))
			at++;
		if (at == n_keys)
			w->keys[w->image.n_keys++] = old->keys[i];
	}
}

static void sealing_want_addresses(struct sealing_wanted *w, const struct sealing *s)
{
	const char *device = datapath_seal_device(s->dp);

	memcpy(w->image.device, device, strnlen(device, sizeof(w->image.device) - 1));
	memcpy(w->image.v4, s->desired->host.v4.b, 16);
	memcpy(w->image.v6, s->desired->host.v6.b, 16);
	w->image.cpus = s->paths.cpus;
}

static int sealing_want(const struct sealing *s, enum sealing_extent extent,
			struct sealing_wanted *ret)
{
	size_t n = hmap_count(&s->desired->peers), n_variants = 0;
	struct sealing_wanted w = {};
	const struct desired_peer *p;

	hmap_for_each (p, &s->desired->peers, node)
		n_variants += p->dp.n_variants;
	w.classes = calloc(n + n_variants + s->image.n_classes + 1, sizeof(*w.classes));
	w.keys = calloc(n * DESIRED_PEER_KEYS + s->image.n_keys + 1, sizeof(*w.keys));
	if (!w.classes || !w.keys) {
		sealing_wanted_deinit(&w);
		return -ENOMEM;
	}
	sealing_want_addresses(&w, s);
	hmap_for_each (p, &s->desired->peers, node) {
		if (p->dp.seal)
			sealing_want_class(&w, p);
		sealing_want_variants(&w, s, p);
		sealing_want_keys(&w, p, s->bound);
	}
	if (extent != SEALING_NARROW)
		sealing_want_old(&w, s, extent);
	*ret = w;
	return 0;
}

static bool sealing_is_told(const struct sealing *s, const struct sealing_wanted *w)
{
	return s->client.fd >= 0 && s->image.n_classes == w->image.n_classes &&
	       s->image.n_keys == w->image.n_keys &&
	       !memcmp(s->image.device, w->image.device, sizeof(w->image.device)) &&
	       !memcmp(s->image.v4, w->image.v4, 16) && !memcmp(s->image.v6, w->image.v6, 16) &&
	       !memcmp(s->classes, w->classes, w->image.n_classes * sizeof(*w->classes)) &&
	       !memcmp(s->keys, w->keys, w->image.n_keys * sizeof(*w->keys));
}

/* ---- telling it ---- */

static int sealing_connect(struct sealing *s)
{
	int e;

	if (s->client.fd >= 0)
		return 0;
	e = seal_client_open(&s->client, s->paths.socket, s->paths.program, s->paths.reserve);
	if (e)
		return e;
	e = watch_init(&s->watch, s->loop, s->client.fd, WATCH_READ, sealing_on_end, s);
	if (e) {
		seal_client_close(&s->client);
		return e;
	}
	s->n_refusals = s->client.shared->n_refusals;
	log_info("sealing worker", LOG_I64("pid", s->client.pid),
		 LOG_STR("keys", s->client.generation ? "has some" : "none yet"));
	if (s->incarnation == s->client.shared->incarnation)
		return 0;
	log_warn("what former sealing workers did is not known: other keys are needed");
	s->incarnation = s->client.shared->incarnation;
	s->changed(s->arg);
	return 0;
}

static int sealing_tell(struct sealing *s, struct sealing_wanted *w)
{
	int e = sealing_connect(s);

	if (e)
		return e;
	s->generation = s->generation > s->client.generation ? s->generation : s->client.generation;
	w->image.generation = ++s->generation;
	e = seal_client_configure(&s->client, &w->image, w->classes, w->keys);
	if (e == -EPIPE || e == -ECONNRESET || e == -ETIMEDOUT || e == -EPROTO)
		sealing_disconnect(s);
	if (e)
		return e;
	sealing_forget(s);
	s->image = w->image;
	s->classes = w->classes;
	s->keys = w->keys;
	*w = (struct sealing_wanted){};
	return 0;
}

/* Packets for classes that are leaving are in the device's queue, or come from a processor that was
 * kept from its work. */
static void sealing_await_leaving(struct sealing *s, uint32_t n)
{
	if (!n)
		timer_disarm(&s->left);
	else if (n > s->n_leaving || !timer_armed(&s->left))
		timer_arm_in(&s->left, LIMIT_AGENT_SEAL_LEAVE_MS * CLOCK_NS_PER_MS);
	s->n_leaving = n;
}

static int sealing_apply(struct sealing *s, enum sealing_extent extent)
{
	struct sealing_wanted w;
	int e = sealing_want(s, extent, &w);

	if (e)
		return e;
	if (extent == SEALING_LEAVING)
		sealing_await_leaving(s, w.n_leaving);
	/* A worker that nobody needs is not started; one that is there may have to forget. */
	if ((w.image.n_classes || w.image.n_keys || s->client.fd >= 0 ||
	     !access(s->paths.socket, F_OK)) &&
	    !sealing_is_told(s, &w))
		e = sealing_tell(s, &w);
	sealing_wanted_deinit(&w);
	return e;
}

static void sealing_fail(struct sealing *s, int e, struct failures *failures)
{
	const struct desired_peer *p;

	log_err("the sealing worker was not told", LOG_ERRNO(e));
	hmap_for_each (p, &s->desired->peers, node)
		if (failures && desired_peer_is_sealed(p))
			failures_add(
				failures,
				&(struct desired_key){.kind = DESIRED_PEER, .number = p->dp.id}, e,
				"the sealing worker could not be told: see the agent's log");
	if (!timer_armed(&s->retry))
		timer_arm_in(&s->retry, LIMIT_AGENT_SEAL_RETRY_MS * CLOCK_NS_PER_MS);
}

static void sealing_run(struct sealing *s, enum sealing_extent extent, struct failures *failures)
{
	int e;

	/* What an earlier life told the worker is more than what is known without the manager. */
	if (!s->paths.socket || !s->dp || sealing_lacks_keys(s->desired))
		return;
	e = sealing_apply(s, extent);
	if (e)
		sealing_fail(s, e, failures);
}

/* What cannot be planned cannot be set, and is reported then. */
static void sealing_plan_peer(struct sealing *s, const struct desired_peer *p)
{
	if (p->dp.n_variants && s->paths.socket && s->dp)
		(void)datapath_peer_plan(s->dp, &p->dp);
}

void sealing_plan(struct sealing *s, const struct desired_key *keys, size_t n_keys)
{
	const struct desired_peer *p;

	for (size_t i = 0; i < n_keys; i++) {
		p = keys[i].kind == DESIRED_PEER ? desired_find_peer(s->desired, keys[i].number)
						 : NULL;
		if (p)
			sealing_plan_peer(s, p);
	}
}

void sealing_plan_all(struct sealing *s)
{
	const struct desired_peer *p;

	hmap_for_each (p, &s->desired->peers, node)
		sealing_plan_peer(s, p);
}

void sealing_widen(struct sealing *s, struct failures *failures)
{
	sealing_run(s, SEALING_WIDE, failures);
}

void sealing_narrow(struct sealing *s, struct failures *failures)
{
	sealing_run(s, SEALING_LEAVING, failures);
}

/* It says nothing that it was not asked: it has ended. */
static void sealing_on_end(struct watch *w, unsigned int ready, void *data)
{
	struct sealing *s = data;

	log_warn("the sealing worker has ended", LOG_I64("pid", s->client.pid));
	sealing_disconnect(s);
	timer_arm_in(&s->retry, 0);
}

static void sealing_on_retry(struct timer *t, void *data)
{
	sealing_run(data, SEALING_LEAVING, NULL);
}

static void sealing_on_left(struct timer *t, void *data)
{
	struct sealing *s = data;

	s->n_leaving = 0;
	sealing_run(s, SEALING_NARROW, NULL);
}

/* ---- what it has done ---- */

struct seal_counters sealing_counters(const struct sealing *s, uint32_t peer)
{
	return s->client.shared && peer < DP_PEERS_MAX ? s->client.shared->peers[peer]
						       : (struct seal_counters){};
}

uint64_t sealing_drops(const struct sealing *s, uint32_t reason)
{
	return s->client.shared && reason < DROP_REASON_MAX
		       ? seal_drop_count(s->client.shared, reason)
		       : 0;
}

bool sealing_refusal(struct sealing *s, struct seal_refusal *ret)
{
	uint64_t n;

	if (!s->client.shared)
		return false;
	n = __atomic_load_n(&s->client.shared->n_refusals, __ATOMIC_ACQUIRE);
	if (n - s->n_refusals > SEAL_REFUSALS)
		s->n_refusals = n - SEAL_REFUSALS;
	if (n == s->n_refusals)
		return false;
	*ret = s->client.shared->refusals[s->n_refusals++ % SEAL_REFUSALS];
	return true;
}
