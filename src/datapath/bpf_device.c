/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs on devices that are no port's: prepared for one that is to come (datapath/prepare.h), or
 * left by one that went.  Such an attachment is *loose*: a tcx link that is not pinned, so it ends
 * with this process, or a clsact filter, which ends with its device.  Whoever needs one takes it out
 * of the list, and only then works with it.
 */
#include "datapath/bpf_device.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>

#include "base/list.h"

struct loose {
	struct list link;
	struct bpf_attachment at;
};

struct bpf_preparer {
	struct dp_preparer base;
	bool tcx;
	int port_fd, delivered_fd; /* programs, its own descriptors */
	int bridge;                /* of bpf_headroom.c, or 0 */
	pthread_mutex_t lock;
	struct list loose; /* under the lock */
};

static struct bpf_preparer *preparer_of(struct dp_preparer *base)
{
	return container_of(base, struct bpf_preparer, base);
}

/* ---- the list ---- */

bool bpf_device_take(struct dp_preparer *base, int ifindex, enum bpf_side side,
		     struct bpf_attachment *ret)
{
	struct bpf_preparer *p = preparer_of(base);
	struct loose *l;
	bool found = false;

	pthread_mutex_lock(&p->lock);
	list_for_each (l, &p->loose, link)
		if (l->at.ifindex == ifindex && l->at.side == side) {
			list_remove(&l->link);
			*ret = l->at;
			free(l);
			found = true;
			break;
		}
	pthread_mutex_unlock(&p->lock);
	return found;
}

static void give_up(struct bpf_preparer *p, struct bpf_attachment *at)
{
	bpf_attachment_end(at);
	if (at->side == BPF_SIDE_INGRESS)
		bpf_headroom_take(p->bridge, at->ifindex);
}

void bpf_device_put(struct dp_preparer *base, struct bpf_attachment *at)
{
	struct bpf_preparer *p = preparer_of(base);
	struct loose *l = malloc(sizeof(*l));

	if (!l) {
		give_up(p, at);
		return;
	}
	l->at = *at;
	at->fd = -1;
	pthread_mutex_lock(&p->lock);
	list_push_back(&p->loose, &l->link);
	pthread_mutex_unlock(&p->lock);
}

bool bpf_device_is_ready(struct dp_preparer *base, int ifindex, enum bpf_side side)
{
	struct bpf_preparer *p = preparer_of(base);
	const struct loose *l;
	bool ready = false;

	pthread_mutex_lock(&p->lock);
	list_for_each (l, &p->loose, link)
		ready |= l->at.ifindex == ifindex && l->at.side == side && l->at.current;
	pthread_mutex_unlock(&p->lock);
	return ready;
}

void bpf_device_drop(struct dp_preparer *base, int ifindex, enum bpf_side side)
{
	struct bpf_attachment at;

	if (bpf_device_take(base, ifindex, side, &at))
		bpf_attachment_end(&at);
}

/* ---- the contract ---- */

static int make_ready(struct bpf_preparer *p, int ifindex, enum bpf_side side, int prog_fd)
{
	struct bpf_attachment at = {.ifindex = ifindex,
				    .fd = -1,
				    .side = side,
				    .wants_link = p->tcx && side == BPF_SIDE_EGRESS};
	int r;

	(void)bpf_device_take(&p->base, ifindex, side, &at);
	r = at.current ? 0 : bpf_attachment_set(&at, prog_fd);
	if (!r)
		bpf_device_put(&p->base, &at);
	return r == -EEXIST ? 0 : r; /* pinned: it is a port's, whom it goes on serving */
}

static int watch(struct dp_preparer *base, int ifindex, bool watched)
{
	struct bpf_preparer *p = preparer_of(base);

	if (watched)
		return make_ready(p, ifindex, BPF_SIDE_EGRESS, p->delivered_fd);
	bpf_device_drop(base, ifindex, BPF_SIDE_EGRESS);
	return 0;
}

static int prepare(struct dp_preparer *base, int ifindex, bool watched)
{
	struct bpf_preparer *p = preparer_of(base);
	int r = make_ready(p, ifindex, BPF_SIDE_INGRESS, p->port_fd);

	if (!r)
		r = watch(base, ifindex, watched);
	if (!r)
		bpf_headroom_give(p->bridge, ifindex);
	return r;
}

static bool is_gone(const struct bpf_attachment *at)
{
	char name[IF_NAMESIZE];

	return at->fd >= 0 ? !bpf_link_ifindex(at->fd)
			   : !if_indextoname((unsigned int)at->ifindex, name);
}

static void tidy(struct dp_preparer *base)
{
	struct bpf_preparer *p = preparer_of(base);
	struct list gone;
	struct loose *l;

	list_init(&gone);
	pthread_mutex_lock(&p->lock);
	list_for_each (l, &p->loose, link)
		if (is_gone(&l->at)) {
			list_remove(&l->link);
			list_push_back(&gone, &l->link);
		}
	pthread_mutex_unlock(&p->lock);
	while ((l = list_first(&gone, struct loose, link))) {
		list_remove(&l->link);
		bpf_attachment_end(&l->at);
		free(l);
	}
}

static void preparer_free(struct dp_preparer *base)
{
	struct bpf_preparer *p = preparer_of(base);
	struct loose *l;

	while ((l = list_first(&p->loose, struct loose, link))) {
		list_remove(&l->link);
		give_up(p, &l->at);
		free(l);
	}
	close_cleanup(&p->port_fd);
	close_cleanup(&p->delivered_fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct dp_preparer_ops ops = {
	.prepare = prepare, .watch = watch, .tidy = tidy, .free = preparer_free};

int bpf_device_open(bool tcx, int port_fd, int delivered_fd, int bridge, struct dp_preparer **ret)
{
	struct bpf_preparer *p = calloc(1, sizeof(*p));
	int e;

	if (!p)
		return -ENOMEM;
	dp_preparer_init(&p->base, &ops);
	list_init(&p->loose);
	pthread_mutex_init(&p->lock, NULL);
	p->tcx = tcx;
	p->bridge = bridge;
	p->port_fd = fcntl(port_fd, F_DUPFD_CLOEXEC, 0);
	p->delivered_fd = delivered_fd < 0 ? -1 : fcntl(delivered_fd, F_DUPFD_CLOEXEC, 0);
	if (p->port_fd < 0 || (delivered_fd >= 0 && p->delivered_fd < 0)) {
		e = -errno;
		dp_preparer_unref(&p->base);
		return e;
	}
	*ret = &p->base;
	return 0;
}
