/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/agent_socket.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/lab.h"

#define AGENT_SOCKET_DIRECTORY "/run/viaduct-agent"
#define AGENT_SOCKET_SUFFIX    ".sock"

void agent_sockets_deinit(struct agent_sockets *s)
{
	free(s->directory);
	strv_free(s->names);
	*s = (struct agent_sockets){0};
}

/* ---- which there are ---- */

/* "lab-h1.sock" as "h1", or NULL when it is none of ours. */
static char *socket_agent(const struct agent_sockets *s, const char *file)
{
	const size_t prefix = strlen(s->prefix), length = strlen(file);
	const size_t suffix = strlen(AGENT_SOCKET_SUFFIX);

	if (length <= prefix + suffix || strncmp(file, s->prefix, prefix) != 0 ||
	    !str_equal(file + length - suffix, AGENT_SOCKET_SUFFIX))
		return NULL;
	return strndup(file + prefix, length - prefix - suffix);
}

static int list_agents(struct agent_sockets *s)
{
	struct dirent **entries = NULL;
	int n = scandir(s->directory, &entries, NULL, alphasort), kept = 0;

	if (n < 0 && errno != ENOENT)
		return complain_errno(-errno, "%s", s->directory);
	n = n < 0 ? 0 : n;
	s->names = calloc((size_t)n + 1, sizeof(*s->names));
	for (int i = 0; i < n; i++) {
		char *name = s->names ? socket_agent(s, entries[i]->d_name) : NULL;

		if (name)
			s->names[kept++] = name;
		free(entries[i]);
	}
	free(entries);
	return s->names ? 0 : complain_memory();
}

static int find_in_lab(const char *name, struct agent_sockets *s)
{
	_cleanup_(lab_deinit) struct lab lab = {.lock_fd = -1};
	int r = lab_find(name, &lab);

	if (r)
		return r;
	s->directory = lab_path(&lab, "run");
	if (!s->directory || str_format(s->prefix, sizeof(s->prefix), "%s-", lab.name))
		return complain_memory();
	return list_agents(s);
}

int agent_sockets_find(const struct invocation *inv, struct agent_sockets *ret)
{
	_cleanup_agent_sockets_ struct agent_sockets s = {0};
	const char *lab = invocation_option(inv, "lab");
	int r;

	if (!lab && !getenv("VIADUCT_LAB")) {
		s.directory = strdup(AGENT_SOCKET_DIRECTORY);
		r = s.directory ? list_agents(&s) : complain_memory();
		if (r)
			return r;
		if (s.names[0]) {
			*ret = s;
			s = (struct agent_sockets){0};
			return 0;
		}
		agent_sockets_deinit(&s);
	}
	r = find_in_lab(lab, &s);
	if (r)
		return r;
	if (!s.names[0])
		return complain(-ENOENT, "no agent runs in %s", s.directory);
	*ret = s;
	s = (struct agent_sockets){0};
	return 0;
}

/* ---- asking ---- */

static int dial(const char *path, int *ret_fd)
{
	const struct timeval patience = {.tv_sec = LIMIT_CTL_REQUEST_MS / 1000};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (str_copy(to.sun_path, sizeof(to.sun_path), path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int read_line(int fd, struct buf *b)
{
	char bytes[65536];
	ssize_t n;

	while (!buf_size(b) || buf_data(b)[buf_size(b) - 1] != '\n') {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (!n)
			return -ECONNRESET;
		buf_put(b, bytes, (size_t)n);
		if (buf_error(b))
			return buf_error(b);
	}
	return 0;
}

static int exchange(const char *path, const char *line, json_t **ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_buf_ struct buf b;
	int r = dial(path, &fd);

	buf_init(&b, LIMIT_CTL_ANSWER_SIZE);
	if (r)
		return r;
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return -errno;
	r = read_line(fd, &b);
	if (r)
		return r;
	*ret = json_loadb((const char *)buf_data(&b), buf_size(&b), 0, NULL);
	return *ret ? 0 : -EPROTO;
}

int agent_socket_request(const struct agent_sockets *s, const char *name, const json_t *body,
			 json_t **ret)
{
	_cleanup_free_ char *path = NULL, *text = json_dumps(body, JSON_COMPACT), *line = NULL;
	int r;

	if (!text || str_printf(&line, "%s\n", text) ||
	    str_printf(&path, "%s/%s%s" AGENT_SOCKET_SUFFIX, s->directory, s->prefix, name))
		return complain_memory();
	r = exchange(path, line, ret);
	if (r == -EACCES)
		return complain(r, "the agents' sockets are for root alone: run this as root");
	if (r == -ECONNREFUSED || r == -ENOENT)
		return complain(r, "the agent of %s does not run", name);
	return r ? complain_errno(r, "asking the agent of %s", name) : 0;
}
