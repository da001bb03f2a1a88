/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/engine.h"

#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/log.h"
#include "seal/descriptors.h"
#include "seal/duty.h"
#include "seal/seal.h"

enum {
	ENGINE_BATCH = 8,         /* receive buffers of one call */
	ENGINE_DATAGRAMS = 65536, /* bytes of each: what UDP_GRO gives at most */
	ENGINE_TURNS = 64,        /* frames or calls after which the table may change, */
	ENGINE_BYTES = 512 << 10, /* or bytes: the other way waits for no more of them */
};

/* Who does what: the first thread always seals; 'opens' says which of them opens. */
enum engine_hand { ENGINE_FIRST, ENGINE_SECOND, ENGINE_HANDS };

struct engine {
	struct seal_image image;
	struct seal_shared *shared;
	struct past *past;
	pthread_rwlock_t lock; /* of the table */
	struct table *table;
	int device, stop;
	int sockets[2];
	int waits[ENGINE_HANDS]; /* epoll: both have the sockets, one listens to them */
	bool uso, broken;
	unsigned int n_threads;
	pthread_t threads[ENGINE_HANDS];
	enum engine_hand opens;
	pthread_mutex_t handing; /* 'opens' and who listens change together */
	struct duty duty; /* the thread's that opens, as are the opener and what is received */
	uint64_t sealed, opened, rested[ENGINE_HANDS]; /* struct duty_counts; one writer each */
	struct outbox outbox;
	struct sealer sealer;
	struct opener opener;
	struct {
		struct sockaddr_in6 from;
		_Alignas(struct cmsghdr) char control[64];
		uint8_t bytes[ENGINE_DATAGRAMS];
	} received[ENGINE_BATCH];
	uint8_t frame[SEAL_FRONT + SEAL_ETHERNET + 65536 + 64];
};

static uint64_t engine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t engine_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void engine_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* ---- what the threads work with ---- */

static int engine_open_sockets(struct engine *e)
{
	static const uint8_t none[16];
	int r = 0;

	if (memcmp(e->image.v4, none, 16))
		r = descriptors_socket(AF_INET, e->image.v4, &e->sockets[0]);
	if (!r && memcmp(e->image.v6, none, 16))
		r = descriptors_socket(AF_INET6, e->image.v6, &e->sockets[1]);
	if (!r)
		r = outbox_open(&e->outbox, e->image.v4, e->image.v6, &e->shared->not_sent);
	return r;
}

static void engine_break(struct engine *e, const char *what, int error)
{
	log_debug("sealing ended", LOG_STR("what", what), LOG_ERRNO(error));
	__atomic_store_n(&e->broken, true, __ATOMIC_RELAXED);
}

/* ---- sealing ---- */

/* One frame: its size; 0: none waits; or a negative errno. */
static ssize_t engine_read(struct engine *e, struct virtio_net_hdr *vnet)
{
	struct iovec parts[] = {{vnet, SEAL_VNET},
				{e->frame + SEAL_FRONT, sizeof(e->frame) - SEAL_FRONT}};
	ssize_t n = readv(e->device, parts, 2);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return n;
}

static void engine_seal_frame(struct engine *e, const struct virtio_net_hdr *vnet, size_t size)
{
	uint8_t *frame = e->frame + SEAL_FRONT;
	struct seal_note note;

	if (size <= SEAL_VNET + SEAL_ETHERNET)
		return;
	memcpy(&note, frame, sizeof(note));
	if (note.magic != SEAL_NOTE_MAGIC)
		return; /* the kernel's own chatter */
	seal_frame(&e->sealer, e->table, vnet, &note, frame + SEAL_ETHERNET,
		   size - SEAL_VNET - SEAL_ETHERNET);
	outbox_flush_full(&e->outbox);
}

/* 0, or why the device is no more. */
static int engine_seal_batch(struct engine *e)
{
	struct virtio_net_hdr vnet;
	size_t bytes = 0;
	ssize_t n = 0;

	pthread_rwlock_rdlock(&e->lock);
	for (int turn = 0; turn < ENGINE_TURNS && bytes < ENGINE_BYTES; turn++) {
		n = engine_read(e, &vnet);
		if (n <= 0)
			break;
		bytes += (size_t)n;
		engine_count(&e->sealed, vnet.gso_size ? 1 + (uint64_t)n / vnet.gso_size : 1);
		engine_seal_frame(e, &vnet, (size_t)n);
	}
	outbox_flush(&e->outbox);
	pthread_rwlock_unlock(&e->lock);
	return n < 0 ? (int)n : 0;
}

/* ---- opening ---- */

static void engine_write(void *arg, const uint8_t *frame, size_t size)
{
	struct engine *e = arg;

	while (write(e->device, frame, size) < 0) {
		if (errno == EINTR)
			continue;
		seal_count_drop(e->shared, DROP_REWRITE);
		return;
	}
}

/* How large the datagrams are that the kernel has put together. */
static size_t engine_segment(struct msghdr *h, size_t size)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int segment;

			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
			return segment > 0 ? (size_t)segment : size;
		}
	return size;
}

static void engine_from(const struct sockaddr_in6 *from, uint8_t ret[16])
{
	struct sockaddr_in v4;

	memset(ret, 0, 16);
	if (from->sin6_family == AF_INET6) {
		memcpy(ret, &from->sin6_addr, 16);
		return;
	}
	memcpy(&v4, from, sizeof(v4));
	ret[10] = ret[11] = 0xff;
	memcpy(ret + 12, &v4.sin_addr, 4);
}

/* Whether they were several. */
static bool engine_open_datagrams(struct engine *e, struct msghdr *h, const uint8_t *bytes,
				  size_t size)
{
	size_t step = engine_segment(h, size);
	uint8_t from[16];

	engine_from(h->msg_name, from);
	engine_count(&e->opened, 1 + size / step);
	for (size_t at = 0; at < size; at += step)
		(void)open_datagram(&e->opener, e->table, bytes + at,
				    size - at < step ? size - at : step, from);
	return size > step;
}

/* One call: whether there may be more; '*bytes' grows by what it brought.  A message of several
 * datagrams is seldom the last: what a node sent at once is more than one holds. */
static bool engine_receive(struct engine *e, int fd, size_t *bytes)
{
	struct mmsghdr headers[ENGINE_BATCH];
	struct iovec iovs[ENGINE_BATCH];
	bool more = false;
	int n;

	for (int i = 0; i < ENGINE_BATCH; i++) {
		iovs[i] = (struct iovec){e->received[i].bytes, sizeof(e->received[i].bytes)};
		headers[i] = (struct mmsghdr){
			.msg_hdr = {.msg_name = &e->received[i].from,
				    .msg_namelen = sizeof(e->received[i].from),
				    .msg_iov = &iovs[i],
				    .msg_iovlen = 1,
				    .msg_control = e->received[i].control,
				    .msg_controllen = sizeof(e->received[i].control)}};
	}
	n = recvmmsg(fd, headers, ENGINE_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		*bytes += headers[i].msg_len;
		more = engine_open_datagrams(e, &headers[i].msg_hdr, e->received[i].bytes,
					     headers[i].msg_len);
	}
	return more || n == ENGINE_BATCH;
}

static void engine_open_batch(struct engine *e)
{
	size_t bytes = 0;
	bool more = true;

	pthread_rwlock_rdlock(&e->lock);
	for (int turn = 0; more && turn < ENGINE_TURNS && bytes < ENGINE_BYTES; turn++) {
		more = false;
		for (int i = 0; i < 2; i++)
			if (e->sockets[i] >= 0)
				more |= engine_receive(e, e->sockets[i], &bytes);
	}
	opener_flush(&e->opener);
	pthread_rwlock_unlock(&e->lock);
}

/* ---- the threads ---- */

/* What a thread waits for, as the number of an event. */
enum engine_event { ENGINE_STOP, ENGINE_DEVICE, ENGINE_SOCKETS, ENGINE_EVENTS };

static int engine_listen(struct engine *e, enum engine_hand hand, int how, int fd,
			 enum engine_event event, uint32_t to)
{
	struct epoll_event ev = {.events = to, .data.u32 = event};

	return epoll_ctl(e->waits[hand], how, fd, &ev) ? -errno : 0;
}

/* The first thread has the device and opens. */
static int engine_listen_first(struct engine *e)
{
	int r = 0;

	for (int hand = 0; !r && hand < ENGINE_HANDS; hand++) {
		r = engine_listen(e, hand, EPOLL_CTL_ADD, e->stop, ENGINE_STOP, EPOLLIN);
		for (int i = 0; !r && i < 2; i++)
			if (e->sockets[i] >= 0)
				r = engine_listen(e, hand, EPOLL_CTL_ADD, e->sockets[i],
						  ENGINE_SOCKETS,
						  hand == ENGINE_FIRST ? EPOLLIN : 0);
	}
	return r
		       ?: engine_listen(e, ENGINE_FIRST, EPOLL_CTL_ADD, e->device, ENGINE_DEVICE,
					EPOLLIN);
}

/* Changes what is there, which cannot fail. */
static void engine_listen_sockets(struct engine *e, enum engine_hand hand, uint32_t to)
{
	for (int i = 0; i < 2; i++)
		if (e->sockets[i] >= 0)
			(void)engine_listen(e, hand, EPOLL_CTL_MOD, e->sockets[i], ENGINE_SOCKETS,
					    to);
}

/* What there is to do for a thread, a bit for each event, and what time it is then. */
static unsigned int engine_wait(struct engine *e, enum engine_hand self, uint64_t *ret_now)
{
	struct epoll_event events[ENGINE_EVENTS + 1];
	uint64_t from = engine_clock();
	unsigned int what = 0;
	int n = epoll_wait(e->waits[self], events, ENGINE_EVENTS + 1, -1);

	for (int i = 0; i < n; i++)
		what |= 1U << events[i].data.u32;
	*ret_now = engine_clock();
	engine_count(&e->rested[self], *ret_now - from);
	return what;
}

static struct duty_counts engine_counts(const struct engine *e, bool divided)
{
	struct duty_counts c = {
		.sealed = __atomic_load_n(&e->sealed, __ATOMIC_RELAXED),
		.opened = __atomic_load_n(&e->opened, __ATOMIC_RELAXED),
		.rested = __atomic_load_n(&e->rested[ENGINE_FIRST], __ATOMIC_RELAXED),
	};

	if (divided)
		c.rested += __atomic_load_n(&e->rested[ENGINE_SECOND], __ATOMIC_RELAXED);
	return c;
}

/* For the thread that opens, between batches: hands opening over, with all that belongs to it, when
 * that is better. */
static void engine_divide(struct engine *e, enum engine_hand self, uint64_t now)
{
	struct duty_counts counts = engine_counts(e, e->duty.divided);
	enum engine_hand next;

	if (!duty_update(&e->duty, now, &counts))
		return;
	counts = engine_counts(e, e->duty.divided);
	duty_begin(&e->duty, now, &counts);
	next = e->duty.divided ? ENGINE_SECOND : ENGINE_FIRST;
	pthread_mutex_lock(&e->handing);
	engine_listen_sockets(e, self, 0);
	__atomic_store_n(&e->opens, next, __ATOMIC_RELEASE);
	engine_listen_sockets(e, next, EPOLLIN); /* it wakes up if something waits already */
	pthread_mutex_unlock(&e->handing);
}

/* A thread is there until it is joined, for engine_bind(). */
static void *engine_await_stop(struct engine *e)
{
	struct pollfd fd = {.fd = e->stop, .events = POLLIN};

	while (poll(&fd, 1, -1) < 0 && errno == EINTR)
		;
	return NULL;
}

static void *engine_work(struct engine *e, enum engine_hand self)
{
	unsigned int what;
	uint64_t now;
	int r;

	for (;;) {
		what = engine_wait(e, self, &now);
		if (what & 1U << ENGINE_STOP)
			return NULL;
		r = what & 1U << ENGINE_DEVICE ? engine_seal_batch(e) : 0;
		if (r) {
			engine_break(e, "device", r);
			return engine_await_stop(e);
		}
		if (__atomic_load_n(&e->opens, __ATOMIC_ACQUIRE) != self)
			continue;
		if (what & 1U << ENGINE_SOCKETS)
			engine_open_batch(e);
		engine_divide(e, self, now);
	}
}

static void *engine_first(void *arg)
{
	return engine_work(arg, ENGINE_FIRST);
}

static void *engine_second(void *arg)
{
	return engine_work(arg, ENGINE_SECOND);
}

/* ---- life ---- */

struct engine *engine_free(struct engine *e)
{
	uint64_t one = 1;

	if (!e)
		return NULL;
	if (e->n_threads)
		(void)!write(e->stop, &one, sizeof(one));
	for (unsigned int i = 0; i < e->n_threads; i++)
		pthread_join(e->threads[i], NULL);
	e->table = table_free(e->table, e->past);
	outbox_close(&e->outbox);
	close_cleanup(&e->device);
	close_cleanup(&e->stop);
	for (int i = 0; i < 2; i++) {
		close_cleanup(&e->sockets[i]);
		close_cleanup(&e->waits[i]);
	}
	pthread_rwlock_destroy(&e->lock);
	pthread_mutex_destroy(&e->handing);
	free(e);
	return NULL;
}

/* Who changes the table waits for the batches that run, and no other begins before it. */
static void engine_init_lock(struct engine *e)
{
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&e->lock, &a);
	pthread_rwlockattr_destroy(&a);
}

static int engine_open_waits(struct engine *e)
{
	e->stop = eventfd(0, EFD_CLOEXEC);
	if (e->stop < 0)
		return -errno;
	for (int hand = 0; hand < ENGINE_HANDS; hand++) {
		e->waits[hand] = epoll_create1(EPOLL_CLOEXEC);
		if (e->waits[hand] < 0)
			return -errno;
	}
	return engine_listen_first(e);
}

static int engine_start(struct engine *e)
{
	static void *(*const threads[])(void *) = {engine_first, engine_second};
	int r = descriptors_device(e->image.device, &e->uso, &e->device);

	if (!r)
		r = engine_open_sockets(e);
	if (!r)
		r = engine_open_waits(e);
	if (r)
		return r;
	duty_init(&e->duty, engine_clock(), &(struct duty_counts){});
	e->sealer.outbox = &e->outbox;
	e->sealer.reserve = &e->past->reserve;
	e->sealer.shared = e->opener.shared = e->shared;
	e->opener.write = engine_write;
	e->opener.arg = e;
	e->opener.merge.keeps_udp = e->uso;
	for (; e->n_threads < ENGINE_HANDS; e->n_threads++) {
		r = pthread_create(&e->threads[e->n_threads], NULL, threads[e->n_threads], e);
		if (r)
			return -r;
	}
	return 0;
}

int engine_new(const struct seal_image *image, struct seal_shared *shared, struct past *past,
	       struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->image = *image;
	e->image.cpus = (struct cpus){}; /* until engine_bind() */
	e->shared = shared;
	e->past = past;
	e->device = e->stop = e->sockets[0] = e->sockets[1] = -1;
	e->waits[ENGINE_FIRST] = e->waits[ENGINE_SECOND] = -1;
	memset(e->outbox.fds, -1, sizeof(e->outbox.fds));
	engine_init_lock(e);
	pthread_mutex_init(&e->handing, NULL);
	e->table = calloc(1, sizeof(*e->table));
	r = e->table ? engine_start(e) : -ENOMEM;
	if (r) {
		engine_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

bool engine_is_for(const struct engine *e, const struct seal_image *image)
{
	return !memcmp(e->image.device, image->device, sizeof(image->device)) &&
	       !memcmp(e->image.v4, image->v4, 16) && !memcmp(e->image.v6, image->v6, 16);
}

bool engine_is_broken(const struct engine *e)
{
	return __atomic_load_n(&e->broken, __ATOMIC_RELAXED);
}

unsigned int engine_n_at_work(const struct engine *e)
{
	return __atomic_load_n(&e->opens, __ATOMIC_RELAXED) == ENGINE_FIRST ? 1 : 2;
}

int engine_bind(struct engine *e, const struct cpus *cpus)
{
	int r = 0;

	if (!memcmp(&e->image.cpus, cpus, sizeof(*cpus)))
		return 0;
	for (unsigned int i = 0; !r && i < e->n_threads; i++)
		r = cpus_bind(cpus, e->threads[i]);
	if (!r)
		e->image.cpus = *cpus;
	return r;
}

int engine_configure(struct engine *e, const void *image, size_t size)
{
	struct table *table;
	int r;

	pthread_rwlock_wrlock(&e->lock);
	r = table_new(image, size, e->table, e->past, engine_now(), &table);
	if (!r)
		e->table = table;
	pthread_rwlock_unlock(&e->lock);
	return r;
}
