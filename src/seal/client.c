/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/client.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "base/process.h"
#include "base/str.h"
#include "seal/message.h"
#include "seal/table.h"

static int client_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	return str_copy(ret->sun_path, sizeof(ret->sun_path), path);
}

/* One of this kind. */
static int client_receive(int fd, uint32_t kind, struct seal_message *ret, int *ret_fd)
{
	int e = seal_message_receive(fd, ret, ret_fd);

	if (e)
		return e == -EAGAIN ? -ETIMEDOUT : e;
	return ret->kind == kind ? 0 : -EPROTO;
}

/* ---- finding and starting ---- */

static int client_connect(const char *path, int *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const struct timeval wait = {.tv_sec = SEAL_CLIENT_WAIT_MS / 1000};
	struct sockaddr_un address;
	int e = fd < 0 ? -errno : client_address(path, &address);

	if (e)
		return e;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

/* The socket is made here and given to the worker, so that it is there when this returns. */
static int client_start(const char *path, const char *program, const char *reserve)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const char *argv[] = {program, reserve, NULL};
	struct process_spec spec = PROCESS_SPEC_INIT;
	struct sockaddr_un address;
	struct process process;
	int e = fd < 0 ? -errno : client_address(path, &address);

	if (e)
		return e;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		return -errno;
	spec.argv = argv;
	spec.stdin_fd = fd;
	spec.new_session = true;
	process_init(&process);
	e = process_spawn(&spec, &process);
	process_deinit(&process);
	return e;
}

static int client_greet(struct seal_client *c)
{
	const struct seal_message hello = {.kind = SEAL_HELLO, .version = SEAL_PROTOCOL};
	_cleanup_close_ int counters = -1;
	struct seal_message m;
	void *shared;
	int e = seal_message_send(c->fd, &hello, -1);

	if (!e)
		e = client_receive(c->fd, SEAL_WELCOME, &m, &counters);
	if (!e && m.version != SEAL_PROTOCOL)
		e = -EPROTONOSUPPORT;
	if (!e && counters < 0)
		e = -EPROTO;
	if (e)
		return e;
	shared = mmap(NULL, sizeof(*c->shared), PROT_READ, MAP_SHARED, counters, 0);
	if (shared == MAP_FAILED)
		return -errno;
	c->shared = shared;
	c->pid = m.pid;
	c->generation = m.generation;
	return 0;
}

void seal_client_close(struct seal_client *c)
{
	close_cleanup(&c->fd);
	c->fd = -1;
	if (c->shared)
		munmap((void *)(uintptr_t)c->shared, sizeof(*c->shared));
	c->shared = NULL;
}

int seal_client_quit(const char *path)
{
	const struct seal_message quit = {.kind = SEAL_QUIT};
	_cleanup_close_ int fd = -1;
	struct seal_message m;
	int e = client_connect(path, &fd), none = -1;

	if (e == -ENOENT || e == -ECONNREFUSED)
		return 0;
	if (!e)
		e = seal_message_send(fd, &quit, -1);
	if (!e)
		e = client_receive(fd, 0, &m, &none);
	if (e && e != -EPIPE && e != -ECONNRESET)
		return e;
	unlink(path);
	return 0;
}

int seal_client_open(struct seal_client *c, const char *path, const char *program,
		     const char *reserve)
{
	int e;

	*c = (struct seal_client){.fd = -1};
	e = client_connect(path, &c->fd);
	if (!e) {
		e = client_greet(c);
		if (!e)
			return 0;
		seal_client_close(c);
		/* Of another build, or not right in the head. */
		e = seal_client_quit(path);
		if (e)
			return e;
	} else if (e != -ENOENT && e != -ECONNREFUSED) {
		return e;
	}
	e = client_start(path, program, reserve);
	if (!e)
		e = client_connect(path, &c->fd);
	if (!e)
		e = client_greet(c);
	if (e)
		seal_client_close(c);
	return e;
}

static int client_ask(const char *path, uint64_t *ret)
{
	struct seal_client c = {.fd = -1};
	int e = client_connect(path, &c.fd);

	if (!e)
		e = client_greet(&c);
	if (!e)
		*ret = c.shared->incarnation;
	seal_client_close(&c);
	return e;
}

int seal_client_incarnation(const char *path, const char *reserve, uint64_t *ret)
{
	_cleanup_free_ char *windows = NULL;
	struct timespec now;
	int e;

	if (!client_ask(path, ret))
		return 0;
	e = str_printf(&windows, "%s" SEAL_WINDOWS_SUFFIX, path);
	if (e)
		return e;
	clock_gettime(CLOCK_REALTIME, &now);
	return past_incarnation(reserve, windows,
				(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, ret);
}

/* ---- telling ---- */

static int client_write(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -errno;
		data = (const char *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

int seal_client_configure(struct seal_client *c, const struct seal_image *image,
			  const struct seal_class *classes, const struct seal_key_record *keys)
{
	const struct seal_message configure = {.kind = SEAL_CONFIGURE};
	_cleanup_close_ int fd = memfd_create("viaduct-seal-image", MFD_CLOEXEC);
	struct seal_message m;
	int e = fd < 0 ? -errno : client_write(fd, image, sizeof(*image)), none = -1;

	if (!e)
		e = client_write(fd, classes, image->n_classes * sizeof(*classes));
	if (!e)
		e = client_write(fd, keys, image->n_keys * sizeof(*keys));
	if (!e)
		e = seal_message_send(c->fd, &configure, fd);
	if (!e)
		e = client_receive(c->fd, SEAL_CONFIGURED, &m, &none);
	if (e)
		return e;
	if (!m.error)
		c->generation = m.generation;
	return m.error;
}
