/* SPDX-License-Identifier: Apache-2.0 */
/* The socket; what is answered is in control_answer.c. */
#include "agent/control.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"

struct control_client {
	struct list link;
	struct control *control;
	int fd;
	struct watch watch;
	struct buf in, out;
};

static void control_client_free(struct control_client *cl)
{
	watch_deinit(&cl->watch);
	list_remove(&cl->link);
	cl->control->n_clients--;
	close(cl->fd);
	buf_deinit(&cl->in);
	buf_deinit(&cl->out);
	free(cl);
}

/* Answers the lines that are complete. */
static int control_client_serve(struct control_client *cl)
{
	const uint8_t *data, *end;

	while ((data = buf_data(&cl->in)) && buf_size(&cl->in) &&
	       (end = memchr(data, '\n', buf_size(&cl->in)))) {
		_cleanup_free_ char *answer = NULL;
		size_t length = (size_t)(end - data);

		answer = control_answer(cl->control, (const char *)data, length);
		if (!answer)
			return -ENOMEM;
		buf_put_str(&cl->out, answer);
		buf_consume(&cl->in, length + 1);
	}
	return buf_error(&cl->out);
}

static int control_client_read(struct control_client *cl)
{
	uint8_t bytes[4096];
	ssize_t n = recv(cl->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	int e;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	buf_put(&cl->in, bytes, (size_t)n);
	e = buf_error(&cl->in);
	return e ?: control_client_serve(cl);
}

static int control_client_write(struct control_client *cl)
{
	ssize_t n;

	while (buf_size(&cl->out)) {
		n = send(cl->fd, buf_data(&cl->out), buf_size(&cl->out),
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			return -errno;
		buf_consume(&cl->out, (size_t)n);
	}
	return watch_set(&cl->watch, WATCH_READ | (buf_size(&cl->out) ? WATCH_WRITE : 0));
}

static void control_on_client(struct watch *w, unsigned int ready, void *data)
{
	struct control_client *cl = data;
	int e = ready & WATCH_READ ? control_client_read(cl) : 0;

	if (!e)
		e = control_client_write(cl);
	if (e)
		control_client_free(cl);
}

static bool control_peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void control_on_connect(struct watch *w, unsigned int ready, void *data)
{
	struct control *c = data;
	struct control_client *cl;
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	cl = c->n_clients < LIMIT_AGENT_CONTROL_CLIENTS && control_peer_is_allowed(fd)
		     ? calloc(1, sizeof(*cl))
		     : NULL;
	if (!cl) {
		close(fd);
		return;
	}
	cl->control = c;
	cl->fd = fd;
	buf_init(&cl->in, LIMIT_AGENT_CONTROL_LINE);
	buf_init(&cl->out, LIMIT_AGENT_CONTROL_ANSWER);
	list_push_back(&c->clients, &cl->link);
	c->n_clients++;
	if (watch_init(&cl->watch, c->agent->loop, fd, WATCH_READ, control_on_client, cl))
		control_client_free(cl);
}

static int control_listen(const char *path, int *ret_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int e = str_copy(addr.sun_path, sizeof(addr.sun_path), path);

	if (e)
		return e;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* The mode is set before anyone can connect: nobody can before listen(2). */
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, 0600) < 0 ||
	    listen(fd, LIMIT_AGENT_CONTROL_CLIENTS) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int control_init(struct control *c, struct agent *agent, const char *path, const char *resolv_dir)
{
	int e;

	*c = (struct control){.agent = agent, .resolv_dir = resolv_dir, .fd = -1};
	list_init(&c->clients);
	e = str_printf(&c->path, "%s", path);
	if (!e)
		e = control_listen(path, &c->fd);
	if (!e)
		e = watch_init(&c->watch, agent->loop, c->fd, WATCH_READ, control_on_connect, c);
	if (e)
		control_deinit(c);
	return e;
}

void control_deinit(struct control *c)
{
	struct control_client *cl;

	if (!c->path)
		return;
	list_for_each (cl, &c->clients, link)
		control_client_free(cl);
	watch_deinit(&c->watch);
	if (c->fd >= 0) {
		close(c->fd);
		unlink(c->path);
	}
	free(c->path);
	*c = (struct control){.fd = -1};
}
