/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/engine.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/log.h"
#include "seal/seal.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	ENGINE_BATCH = 8,         /* receive buffers of one call */
	ENGINE_DATAGRAMS = 65536, /* bytes of each: what UDP_GRO gives at most */
	ENGINE_TURNS = 64,        /* frames or calls after which the table may change */
	ENGINE_BUFFER = 16 << 20, /* of a receiving socket */
};

struct engine {
	struct seal_image image;
	struct seal_shared *shared;
	struct reserve *reserve;
	pthread_rwlock_t lock; /* of the table */
	struct table *table;
	int device, stop;
	int sockets[2];
	bool uso, broken;
	unsigned int n_threads;
	pthread_t threads[2];
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

/* ---- what the threads work with ---- */

static int engine_open_device(struct engine *e)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", e->image.device);
	if (ioctl(fd, TUNSETIFF, &request))
		return -errno;
	e->uso = !ioctl(fd, TUNSETOFFLOAD, (unsigned long)(offload | TUN_F_USO4 | TUN_F_USO6));
	if (!e->uso && ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload))
		return -errno;
	e->device = TAKE_FD(fd);
	return 0;
}

static int engine_open_socket(int family, const uint8_t local[16], int *ret)
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(SEAL_PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(SEAL_PORT)};
	int on = 1, size = ENGINE_BUFFER;
	bool is_v4 = family == AF_INET;

	if (fd < 0)
		return -errno;
	memcpy(&v4.sin_addr, local + 12, 4);
	memcpy(&v6.sin6_addr, local, 16);
	(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)!setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	if (setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_FREEBIND : IPV6_FREEBIND,
		       &on, sizeof(on)) ||
	    bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		 is_v4 ? sizeof(v4) : sizeof(v6)))
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static int engine_open_sockets(struct engine *e)
{
	static const uint8_t none[16];
	int r = 0;

	if (memcmp(e->image.v4, none, 16))
		r = engine_open_socket(AF_INET, e->image.v4, &e->sockets[0]);
	if (!r && memcmp(e->image.v6, none, 16))
		r = engine_open_socket(AF_INET6, e->image.v6, &e->sockets[1]);
	if (!r)
		r = outbox_open(&e->outbox, e->image.v4, e->image.v6, &e->shared->not_sent);
	return r;
}

/* Waits until one of 'fds' is ready; false: it is time to end. */
static bool engine_wait(struct engine *e, struct pollfd *fds, nfds_t n)
{
	fds[n] = (struct pollfd){.fd = e->stop, .events = POLLIN};
	while (poll(fds, n + 1, -1) < 0)
		if (errno != EINTR)
			return false;
	return !fds[n].revents;
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

static ssize_t engine_seal_batch(struct engine *e)
{
	struct virtio_net_hdr vnet;
	ssize_t n = 0;

	pthread_rwlock_rdlock(&e->lock);
	for (int turn = 0; turn < ENGINE_TURNS; turn++) {
		n = engine_read(e, &vnet);
		if (n <= 0)
			break;
		engine_seal_frame(e, &vnet, (size_t)n);
	}
	outbox_flush(&e->outbox);
	pthread_rwlock_unlock(&e->lock);
	return n;
}

static void *engine_seal(void *arg)
{
	struct engine *e = arg;
	struct pollfd fds[2];
	ssize_t n;

	for (;;) {
		n = engine_seal_batch(e);
		if (n < 0) {
			engine_break(e, "device", (int)n);
			return NULL;
		}
		fds[0] = (struct pollfd){.fd = e->device, .events = POLLIN};
		if (!engine_wait(e, fds, 1))
			return NULL;
	}
}

/* ---- opening ---- */

static void engine_write(void *arg, const uint8_t *frame, size_t size)
{
	struct engine *e = arg;

	while (write(e->device, frame, size) < 0) {
		if (errno == EINTR)
			continue;
		e->shared->drops[DROP_REWRITE]++;
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

static void engine_open_datagrams(struct engine *e, struct msghdr *h, const uint8_t *bytes,
				  size_t size)
{
	size_t step = engine_segment(h, size);
	uint8_t from[16];

	engine_from(h->msg_name, from);
	for (size_t at = 0; at < size; at += step)
		(void)open_datagram(&e->opener, e->table, bytes + at,
				    size - at < step ? size - at : step, from);
}

static int engine_receive(struct engine *e, int fd)
{
	struct mmsghdr headers[ENGINE_BATCH];
	struct iovec iovs[ENGINE_BATCH];
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
	for (int i = 0; i < n; i++)
		engine_open_datagrams(e, &headers[i].msg_hdr, e->received[i].bytes,
				      headers[i].msg_len);
	return n;
}

static void engine_open_batch(struct engine *e)
{
	bool more = true;

	pthread_rwlock_rdlock(&e->lock);
	for (int turn = 0; more && turn < ENGINE_TURNS; turn++) {
		more = false;
		for (int i = 0; i < 2; i++)
			if (e->sockets[i] >= 0 && engine_receive(e, e->sockets[i]) == ENGINE_BATCH)
				more = true;
	}
	opener_flush(&e->opener);
	pthread_rwlock_unlock(&e->lock);
}

static void *engine_open(void *arg)
{
	struct engine *e = arg;
	struct pollfd fds[3];

	for (;;) {
		nfds_t n = 0;

		engine_open_batch(e);
		for (int i = 0; i < 2; i++)
			if (e->sockets[i] >= 0)
				fds[n++] = (struct pollfd){.fd = e->sockets[i], .events = POLLIN};
		if (!engine_wait(e, fds, n))
			return NULL;
	}
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
	e->table = table_free(e->table, e->reserve);
	outbox_close(&e->outbox);
	close_cleanup(&e->device);
	close_cleanup(&e->stop);
	close_cleanup(&e->sockets[0]);
	close_cleanup(&e->sockets[1]);
	pthread_rwlock_destroy(&e->lock);
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

static int engine_start(struct engine *e)
{
	static void *(*const threads[])(void *) = {engine_seal, engine_open};
	int r;

	e->stop = eventfd(0, EFD_CLOEXEC);
	if (e->stop < 0)
		return -errno;
	r = engine_open_device(e);
	if (!r)
		r = engine_open_sockets(e);
	if (r)
		return r;
	e->sealer.outbox = &e->outbox;
	e->sealer.reserve = e->reserve;
	e->sealer.shared = e->opener.shared = e->shared;
	e->opener.write = engine_write;
	e->opener.arg = e;
	e->opener.merge.keeps_udp = e->uso;
	for (; e->n_threads < 2; e->n_threads++) {
		r = pthread_create(&e->threads[e->n_threads], NULL, threads[e->n_threads], e);
		if (r)
			return -r;
	}
	return 0;
}

int engine_new(const struct seal_image *image, struct seal_shared *shared, struct reserve *reserve,
	       struct engine **ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->image = *image;
	e->shared = shared;
	e->reserve = reserve;
	e->device = e->stop = e->sockets[0] = e->sockets[1] = -1;
	memset(e->outbox.fds, -1, sizeof(e->outbox.fds));
	engine_init_lock(e);
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

int engine_configure(struct engine *e, const void *image, size_t size)
{
	struct table *table;
	int r;

	pthread_rwlock_wrlock(&e->lock);
	r = table_new(image, size, e->table, e->reserve, engine_now(), &table);
	if (!r)
		e->table = table;
	pthread_rwlock_unlock(&e->lock);
	return r;
}
