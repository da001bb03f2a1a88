/* SPDX-License-Identifier: Apache-2.0 */
/*
 * viaduct-seal: seals and opens a host's packets, for the agent that started it and for its
 * successors (seal/protocol.h).  Not to be started by hand.
 *
 *	viaduct-seal RESERVE	with the listening socket as its standard input; beside it is the file
 *				of replay windows (seal/windows.h)
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "seal/aead.h"
#include "seal/engine.h"
#include "seal/message.h"

struct worker {
	int listener, agent;
	int counters; /* descriptor of 'shared' */
	struct seal_shared *shared;
	struct past past;
	struct engine *engine;
	uint64_t generation;
	bool quit;
};

/* ---- what the agent asks for ---- */

static int worker_apply(struct worker *w, const void *image, size_t size)
{
	const struct seal_image *head = image;
	int r = size < sizeof(*head) ? -EINVAL : 0;

	if (r)
		return r;
	if (w->engine && (!engine_is_for(w->engine, head) || engine_is_broken(w->engine)))
		w->engine = engine_free(w->engine);
	if (!w->engine)
		r = engine_new(head, w->shared, &w->past, &w->engine);
	if (!r)
		r = engine_configure(w->engine, image, size);
	if (r)
		return r;
	w->generation = head->generation;
	r = engine_bind(w->engine, &head->cpus);
	if (r)
		log_warn("processors to seal on cannot be had", LOG_ERRNO(r));
	return 0;
}

static int worker_configure(struct worker *w, int fd)
{
	struct stat st;
	void *image;
	int r;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return -EINVAL;
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (image == MAP_FAILED)
		return -errno;
	r = worker_apply(w, image, (size_t)st.st_size);
	munmap(image, (size_t)st.st_size);
	return r;
}

/* 0, or the agent is gone. */
static int worker_answer(struct worker *w)
{
	struct seal_message m, answer = {.generation = w->generation};
	_cleanup_close_ int fd = -1;
	int r = seal_message_receive(w->agent, &m, &fd);

	if (r)
		return r;
	switch (m.kind) {
	case SEAL_HELLO:
		answer.kind = SEAL_WELCOME;
		answer.version = SEAL_PROTOCOL;
		answer.pid = getpid();
		return seal_message_send(w->agent, &answer, w->counters);
	case SEAL_CONFIGURE:
		answer.kind = SEAL_CONFIGURED;
		answer.error = worker_configure(w, fd);
		answer.generation = w->generation;
		return seal_message_send(w->agent, &answer, -1);
	case SEAL_QUIT:
		w->quit = true;
		return 0;
	default:
		return -EPROTO;
	}
}

/* One agent at a time: the newest. */
static void worker_turn(struct worker *w)
{
	struct pollfd fds[] = {{.fd = w->listener, .events = POLLIN},
			       {.fd = w->agent, .events = POLLIN}};
	int fd;

	if (poll(fds, 2, -1) < 0)
		return;
	if (fds[1].revents && worker_answer(w)) {
		close(w->agent);
		w->agent = -1;
	}
	if (fds[0].revents & POLLIN) {
		fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return;
		close_cleanup(&w->agent);
		w->agent = fd;
	} else if (fds[0].revents) {
		w->quit = true;
	}
}

/* ---- life ---- */

static int worker_share(struct worker *w)
{
	w->counters = memfd_create("viaduct-seal", MFD_CLOEXEC);
	if (w->counters < 0 || ftruncate(w->counters, sizeof(*w->shared)))
		return -errno;
	w->shared =
		mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE, MAP_SHARED, w->counters, 0);
	return w->shared == MAP_FAILED ? -errno : 0;
}

/* No core file, no debugger but root's: there are keys in memory. */
static void worker_protect(void)
{
	const struct rlimit none = {};

	(void)!prctl(PR_SET_DUMPABLE, 0);
	(void)!setrlimit(RLIMIT_CORE, &none);
}

static bool worker_is_listening(int fd)
{
	socklen_t size = sizeof(int);
	int listening = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) && listening;
}

static int worker_fail(const char *what, int e)
{
	fprintf(stderr, "viaduct-seal: %s: %s\n", what, strerrordesc_np(-e) ?: "unknown error");
	return EXIT_FAILURE;
}

static uint64_t worker_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The windows are where the socket is, which ends with the host's kernel as they do. */
static int worker_remember(struct worker *w, const char *reserve)
{
	struct sockaddr_un address = {};
	socklen_t size = sizeof(address) - 1;
	_cleanup_free_ char *windows = NULL;
	int e = 0;

	if (getsockname(w->listener, (struct sockaddr *)&address, &size))
		return -errno;
	if (address.sun_family != AF_UNIX || !address.sun_path[0])
		return -ENOTSOCK;
	e = str_printf(&windows, "%s" SEAL_WINDOWS_SUFFIX, address.sun_path);
	if (!e)
		e = past_open(&w->past, reserve, windows, worker_now());
	if (!e)
		w->shared->incarnation = windows_incarnation(&w->past.windows);
	return e;
}

int main(int argc, char **argv)
{
	struct worker w = {.agent = -1, .counters = -1};
	int e;

	if (argc != 2 || *argv[1] == '-' || !*argv[1]) {
		fputs("viaduct-seal RESERVE is started by viaduct-agent, with a socket as its "
		      "input\n",
		      stderr);
		return 2;
	}
	worker_protect();
	signal(SIGPIPE, SIG_IGN);
	w.listener = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (w.listener < 0 || !worker_is_listening(w.listener))
		return worker_fail("no socket", w.listener < 0 ? -errno : -ENOTSOCK);
	e = worker_share(&w);
	if (e)
		return worker_fail("counters", e);
	e = worker_remember(&w, argv[1]);
	if (e)
		return worker_fail("what former workers did", e);
	log_info("worker started", LOG_STR("aes_gcm", aead_best()->name));
	while (!w.quit)
		worker_turn(&w);
	w.engine = engine_free(w.engine);
	past_close(&w.past);
	close_cleanup(&w.agent);
	return EXIT_SUCCESS;
}
