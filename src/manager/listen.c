/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"

enum {
	LISTEN_FDS_START = 3, /* sd_listen_fds(3) */
	LISTEN_FDS_MAX = 64,
	LISTEN_BACKLOG = 4096,
};

static int parse_host(const char *host, uint16_t port, struct listen_addr *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->addr;

	*ret = (struct listen_addr){0};
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		ret->size = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		ret->size = sizeof(*v6);
		return 0;
	}
	return -EINVAL;
}

int listen_parse(const char *text, struct listen_addr *ret)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	struct listen_addr addr;
	size_t length;
	uint16_t port;
	int r;

	if (!colon || str_u16(colon + 1, 1, 65535, &port))
		return -EINVAL;
	length = (size_t)(colon - text);
	/* An IPv6 address without brackets would swallow the port. */
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return -EINVAL;
	}
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	r = parse_host(host, port, &addr);
	if (r)
		return r;
	*ret = addr;
	return 0;
}

int listen_open(const struct listen_addr *addr, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	int on = 1, off = 0;

	fd = socket(addr->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	if (addr->addr.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return -errno;
	if (bind(fd, (const struct sockaddr *)&addr->addr, addr->size) ||
	    listen(fd, LISTEN_BACKLOG))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Whether the colon-separated 'names' have 'name' at place 'i'. */
static bool name_at(const char *names, unsigned int i, const char *name)
{
	size_t length;

	for (; names && i; i--) {
		names = strchr(names, ':');
		if (names)
			names++;
	}
	if (!names)
		return false;
	length = strcspn(names, ":");
	return length == strlen(name) && !strncmp(names, name, length);
}

int listen_take(const char *name, int *ret_fd)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *n_text = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	uint32_t pid, n;
	int fd, flags;

	if (!pid_text || !n_text || !names || str_u32(pid_text, 1, UINT32_MAX, &pid) ||
	    pid != (uint32_t)getpid() || str_u32(n_text, 1, LISTEN_FDS_MAX, &n))
		return -ENOENT;
	for (uint32_t i = 0; i < n; i++) {
		if (!name_at(names, i, name))
			continue;
		fd = LISTEN_FDS_START + (int)i;
		flags = fcntl(fd, F_GETFL);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC))
			return -errno;
		*ret_fd = fd;
		return 0;
	}
	return -ENOENT;
}
