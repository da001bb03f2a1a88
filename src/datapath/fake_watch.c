/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_watch.h. */
#include "datapath/fake_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/fake_device.h"
#include "datapath/fake_tables.h"

struct fake_record {
	uint32_t window;
	struct dp_record dp;
};

struct fake_mirror {
	uint32_t port;
	struct dp_mirror_value rules;
};

struct fake_copy {
	struct list link;
	struct dp_copy dp;
	uint8_t frame[];
};

int fake_watch_init(struct fake_watch *w)
{
	*w = (struct fake_watch){.window = {.epoch = 1, .window = 1}};
	list_init(&w->copies);
	w->copy_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->copy_fd < 0 ? -errno : 0;
}

void fake_watch_deinit(struct fake_watch *w)
{
	while (w->copies.next && !list_empty(&w->copies)) {
		struct fake_copy *c = container_of(w->copies.next, struct fake_copy, link);

		list_remove(&c->link);
		free(c);
	}
	if (w->copy_fd >= 0)
		close(w->copy_fd);
	free(w->records);
	free(w->mirrors);
	free(w->frame);
}

static struct fake_watch *watch_of(const struct datapath *dp)
{
	return &fake_host_of(dp)->watch;
}

/* ---- records ---- */

static bool is_record(const struct fake_record *r, uint32_t window, const struct dp_record *k)
{
	return r->window == window && r->dp.port == k->port && r->dp.egress == k->egress &&
	       r->dp.reject == k->reject && r->dp.protocol == k->protocol &&
	       r->dp.source == k->source && r->dp.destination == k->destination &&
	       ipaddr_equal(&r->dp.src, &k->src) && ipaddr_equal(&r->dp.dst, &k->dst);
}

static struct dp_record *record_get(struct fake_watch *w, const struct dp_record *key)
{
	struct fake_record *records;

	for (size_t i = 0; i < w->n_records; i++)
		if (is_record(&w->records[i], w->window.window, key))
			return &w->records[i].dp;
	records = reallocarray(w->records, w->n_records + 1, sizeof(*records));
	if (!records)
		return NULL;
	w->records = records;
	records[w->n_records] = (struct fake_record){w->window.window, *key};
	return &records[w->n_records++].dp;
}

static void count(struct fake_watch *w, uint32_t port, const struct fake_seen *s)
{
	bool ports = s->protocol == 6 || s->protocol == 17;
	struct dp_record *r, key = {
				     .port = port,
				     .egress = s->egress,
				     .reject = s->reject,
				     .protocol = s->protocol,
				     .src = s->src,
				     .dst = s->dst,
				     .source = ports ? s->source : 0,
				     .destination = ports ? s->destination : 0,
				     .first_ns = w->window.opened,
				     .last_ns = w->window.opened,
			     };

	r = record_get(w, &key);
	if (!r)
		return;
	r->packets++;
	r->bytes += s->size - 14;
	r->tcp |= s->protocol == 6 ? s->tcp : 0;
}

int fake_window_close(struct datapath *dp, uint64_t now_ns)
{
	struct dp_watch_value *v = &watch_of(dp)->window;

	if (v->window - v->done > 1)
		return -EBUSY;
	v->opened_before = v->opened;
	v->opened = now_ns;
	v->window++;
	return 0;
}

int fake_window(struct datapath *dp, struct dp_window *ret)
{
	const struct dp_watch_value *v = &watch_of(dp)->window;

	if (v->window - v->done <= 1)
		return -ENOENT;
	*ret = (struct dp_window){v->epoch, v->window - 1, v->opened_before, v->opened};
	return 0;
}

int fake_window_forget(struct datapath *dp)
{
	struct fake_watch *w = watch_of(dp);
	size_t n = 0;

	for (size_t i = 0; i < w->n_records; i++)
		if (w->records[i].window == w->window.window)
			w->records[n++] = w->records[i];
	w->n_records = n;
	w->window.done = w->window.window - 1;
	return 0;
}

int fake_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg)
{
	const struct fake_watch *w = watch_of(dp);
	int r = 0;

	for (size_t i = 0; i < w->n_records && !r; i++)
		if (w->records[i].window != w->window.window)
			r = fn(&w->records[i].dp, arg);
	return r;
}

int fake_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret)
{
	if (!fake_port_find(fake_host_of(dp), port))
		return -ENOENT;
	*ret = 0; /* there is always room */
	return 0;
}

/* ---- mirrors ---- */

static struct fake_mirror *mirror_find(const struct fake_watch *w, uint32_t port)
{
	for (size_t i = 0; i < w->n_mirrors; i++)
		if (w->mirrors[i].port == port)
			return &w->mirrors[i];
	return NULL;
}

void fake_watch_forget_port(struct fake_host *h, uint32_t port)
{
	struct fake_mirror *m = mirror_find(&h->watch, port);

	if (m)
		*m = h->watch.mirrors[--h->watch.n_mirrors];
}

int fake_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_watch *w = &h->watch;
	const struct fake_port *p = fake_port_find(h, port);
	struct fake_mirror *mirrors;

	if (!p)
		return -ENOENT;
	if (mirror->n && !mirror_find(w, port))
		fake_device_watch(h, &p->dp);
	fake_watch_forget_port(h, port);
	if (!mirror->n)
		return 0;
	mirrors = reallocarray(w->mirrors, w->n_mirrors + 1, sizeof(*mirrors));
	if (!mirrors)
		return -ENOMEM;
	w->mirrors = mirrors;
	mirrors[w->n_mirrors++] = (struct fake_mirror){port, *mirror};
	return 0;
}

static bool rule_is(const struct dp_mirror_rule *r, const struct fake_seen *s)
{
	bool ports = s->protocol == 6 || s->protocol == 17;
	uint16_t source = ports ? s->source : 0, destination = ports ? s->destination : 0;
	struct prefix from = {.len = r->src_len}, to = {.len = r->dst_len};

	memcpy(from.addr.b, r->src, 16);
	memcpy(to.addr.b, r->dst, 16);
	return r->egress == s->egress && r->v6 == !ipaddr_is_v4(&s->src) &&
	       (r->protocol == DP_MIRROR_PROTOCOL_ANY || r->protocol == s->protocol) &&
	       source >= r->src_from && source <= r->src_to && destination >= r->dst_from &&
	       destination <= r->dst_to && prefix_contains(&from, &s->src) &&
	       prefix_contains(&to, &s->dst);
}

static int session_of(const struct dp_mirror_value *m, const struct fake_seen *s)
{
	uint32_t skip = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct dp_mirror_rule *r = &m->rules[i];

		if (skip >> r->session & 1 || !rule_is(r, s))
			continue;
		if (r->accept)
			return r->session;
		skip |= 1U << r->session;
	}
	return -1;
}

static void copy(struct fake_watch *w, uint32_t port, int session, const struct fake_seen *s)
{
	struct fake_copy *c = malloc(sizeof(*c) + s->size);
	uint64_t one = 1;

	if (!c)
		return;
	c->dp = (struct dp_copy){
		.port = port, .session = (uint8_t)session, .egress = s->egress, .size = s->size};
	memcpy(c->frame, s->frame, s->size);
	list_push_back(&w->copies, &c->link);
	(void)!write(w->copy_fd, &one, sizeof(one));
}

void fake_watch_see(struct fake_host *h, const struct fake_port *port, const struct fake_seen *seen)
{
	const struct fake_mirror *m = mirror_find(&h->watch, port->dp.id);
	int session;

	if (port->dp.logged)
		count(&h->watch, port->dp.id, seen);
	if (!m || seen->reject)
		return;
	session = session_of(&m->rules, seen);
	if (session >= 0)
		copy(&h->watch, port->dp.id, session, seen);
}

int fake_copy_fd(const struct datapath *dp)
{
	return watch_of(dp)->copy_fd;
}

int fake_copy_read(struct datapath *dp, struct dp_copy *ret)
{
	struct fake_watch *w = watch_of(dp);
	struct fake_copy *c;
	uint64_t value;

	if (list_empty(&w->copies))
		return -EAGAIN;
	c = container_of(w->copies.next, struct fake_copy, link);
	free(w->frame);
	w->frame = malloc(c->dp.size);
	if (!w->frame)
		return -ENOMEM;
	memcpy(w->frame, c->frame, c->dp.size);
	*ret = c->dp;
	ret->frame = w->frame;
	list_remove(&c->link);
	free(c);
	if (list_empty(&w->copies))
		(void)!read(w->copy_fd, &value, sizeof(value));
	return 0;
}
