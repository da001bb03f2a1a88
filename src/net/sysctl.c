/* SPDX-License-Identifier: Apache-2.0 */
/* Network settings of a namespace: see sysctl.h. */
#include "net/sysctl.h"

#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "net/netns.h"

struct access {
	const char *path;
	const char *value; /* to write; NULL: read */
	char *ret_value;
	size_t size;
};

/* Down and sideways only: no empty, "." or ".." component. */
static bool key_is_valid(const char *key)
{
	size_t n;

	for (;; key += n + 1) {
		n = strcspn(key, "/");
		if (!n || (n == 1 && key[0] == '.') || (n == 2 && strncmp(key, "..", 2) == 0))
			return false;
		if (!key[n])
			return true;
	}
}

static int access_here(void *data)
{
	struct access *a = data;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	if (a->value)
		return file_write_existing(a->path, a->value);
	r = file_read(a->path, a->size, &text, &size);
	if (r < 0)
		return r;
	if (size && text[size - 1] == '\n')
		text[--size] = '\0';
	return str_copy(a->ret_value, a->size, text) < 0 ? -EFBIG : 0;
}

static int access_at(int netns_fd, const char *key, struct access *a)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!key_is_valid(key))
		return -EINVAL;
	r = str_printf(&path, "/proc/sys/net/%s", key);
	if (r < 0)
		return r;
	a->path = path;
	return netns_fd < 0 ? access_here(a) : netns_call(netns_fd, access_here, a);
}

int sysctl_set(int netns_fd, const char *key, const char *value)
{
	struct access a = {.value = value};

	return access_at(netns_fd, key, &a);
}

int sysctl_get(int netns_fd, const char *key, char *ret_value, size_t size)
{
	struct access a = {.ret_value = ret_value, .size = size};

	return access_at(netns_fd, key, &a);
}
