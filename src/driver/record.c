/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"

static const char record_suffix[] = ".node";

void record_deinit(struct record *r)
{
	free(r->interfaces);
	*r = (struct record){0};
}

struct record_interface *record_find(const struct record *r, const char *interface)
{
	for (size_t i = 0; i < r->n_interfaces; i++)
		if (str_equal(r->interfaces[i].interface.id, interface))
			return &r->interfaces[i];
	return NULL;
}

int record_add(struct record *r, const struct driver_interface *interface,
	       struct record_interface **ret)
{
	struct record_interface *grown;

	if (r->n_interfaces >= LIMIT_NODE_INTERFACES)
		return -ENOSPC;
	grown = reallocarray(r->interfaces, r->n_interfaces + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	r->interfaces = grown;
	grown[r->n_interfaces] = (struct record_interface){.interface = *interface};
	*ret = &grown[r->n_interfaces++];
	return 0;
}

void record_remove(struct record *r, const char *interface)
{
	struct record_interface *i = record_find(r, interface);

	if (i)
		*i = r->interfaces[--r->n_interfaces];
}

static int record_path(const char *directory, const char *node, char **ret)
{
	return str_printf(ret, "%s/%s%s", directory, node, record_suffix);
}

static int record_parse_node(char **words, size_t n, struct record *r)
{
	if (n != 3 || str_u64(words[1], 0, UINT64_MAX, &r->node.generation))
		return -EBADMSG;
	r->node.running = str_equal(words[2], "running");
	r->starting = str_equal(words[2], "starting");
	return r->node.running || r->starting || str_equal(words[2], "ended") ? 0 : -EBADMSG;
}

static int record_parse_interface(char **words, size_t n, struct record *r)
{
	struct driver_interface parsed = {0};
	struct record_interface *added;

	if (n != 5 || !driver_id_is_valid(words[1]) || record_find(r, words[1]) ||
	    str_u32(words[2], 0, LIMIT_NODE_INTERFACES, &parsed.device_index) ||
	    mac_parse(words[3], &parsed.mac) || str_u32(words[4], 0, UINT16_MAX, &parsed.mtu))
		return -EBADMSG;
	if (str_copy(parsed.id, sizeof(parsed.id), words[1]))
		return -EBADMSG;
	return record_add(r, &parsed, &added);
}

static int record_parse_client(char **words, size_t n, struct record *r)
{
	struct record_interface *i = n == 4 ? record_find(r, words[1]) : NULL;
	uint32_t pid;

	if (!i || str_u32(words[2], 1, INT32_MAX, &pid) ||
	    str_u64(words[3], 0, UINT64_MAX, &i->client_start))
		return -EBADMSG;
	i->client = (pid_t)pid;
	return 0;
}

static int record_parse_line(const char *line, struct record *r)
{
	_cleanup_(strv_free_cleanup) char **words = NULL;
	size_t n;
	int e;

	e = strv_split(line, ' ', 8, &words);
	if (e)
		return e == -E2BIG ? -EBADMSG : e;
	n = strv_count(words);
	if (!n)
		return 0; /* behind the last newline */
	if (str_equal(words[0], "node"))
		return record_parse_node(words, n, r);
	if (str_equal(words[0], "interface"))
		return record_parse_interface(words, n, r);
	if (str_equal(words[0], "client"))
		return record_parse_client(words, n, r);
	return -EBADMSG;
}

int record_read(const char *directory, const char *node, struct record *ret)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_(strv_free_cleanup) char **lines = NULL;
	_cleanup_record_ struct record r = {0};
	int e;

	e = record_path(directory, node, &path);
	if (!e)
		e = file_read(path, LIMIT_NODE_RECORD_SIZE, &text, NULL);
	if (!e)
		e = str_copy(r.node.id, sizeof(r.node.id), node);
	if (!e)
		e = strv_split(text, '\n', 2 * LIMIT_NODE_INTERFACES + 2, &lines);
	for (size_t i = 0; !e && lines[i]; i++)
		e = record_parse_line(lines[i], &r);
	if (e)
		return e == -E2BIG ? -EBADMSG : e;
	*ret = r;
	r = (struct record){0};
	return 0;
}

static int record_print(const struct record *r, struct buf *text)
{
	char mac[MAC_TEXT_SIZE];

	buf_put_printf(text, "node %" PRIu64 " %s\n", r->node.generation,
		       r->starting       ? "starting"
		       : r->node.running ? "running"
					 : "ended");
	for (size_t i = 0; i < r->n_interfaces; i++) {
		const struct record_interface *ri = &r->interfaces[i];

		buf_put_printf(text, "interface %s %u %s %u\n", ri->interface.id,
			       ri->interface.device_index, mac_text(&ri->interface.mac, mac),
			       ri->interface.mtu);
		if (ri->client)
			buf_put_printf(text, "client %s %d %" PRIu64 "\n", ri->interface.id,
				       ri->client, ri->client_start);
	}
	return buf_error(text);
}

int record_write(const char *directory, const struct record *r)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_buf_ struct buf text;
	int e;

	buf_init(&text, LIMIT_NODE_RECORD_SIZE);
	e = record_print(r, &text);
	if (!e)
		e = record_path(directory, r->node.id, &path);
	if (!e)
		e = file_write_atomic(path, buf_data(&text), buf_size(&text), 0600);
	return e;
}

static int record_replace(const char *path, const char *fresh, const struct buf *text)
{
	_cleanup_close_ int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, buf_data(text), buf_size(text));
	if (n == (ssize_t)buf_size(text) && rename(fresh, path) == 0)
		return 0;
	n = n < 0 || n == (ssize_t)buf_size(text) ? -errno : -ENOSPC;
	unlink(fresh);
	return (int)n;
}

int record_note(const char *directory, const struct record *r)
{
	_cleanup_free_ char *path = NULL, *fresh = NULL;
	_cleanup_buf_ struct buf text;
	int e;

	buf_init(&text, LIMIT_NODE_RECORD_SIZE);
	e = record_print(r, &text);
	if (!e)
		e = record_path(directory, r->node.id, &path);
	if (!e)
		e = str_printf(&fresh, "%s.new", path);
	return e ?: record_replace(path, fresh, &text);
}

int record_delete(const char *directory, const char *node)
{
	_cleanup_free_ char *path = NULL;
	int e = record_path(directory, node, &path);

	if (e)
		return e;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static void record_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int record_list(const char *directory, char ***ret_ids)
{
	_cleanup_(record_closedir) DIR *dir = opendir(directory);
	_cleanup_(strv_free_cleanup) char **ids = calloc(1, sizeof(*ids));
	const struct dirent *entry;
	size_t n = 0;

	if (!ids)
		return -ENOMEM;
	if (!dir && errno != ENOENT)
		return -errno;
	while (dir && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		char **grown;

		if (!str_has_suffix(entry->d_name, record_suffix))
			continue;
		grown = reallocarray(ids, n + 2, sizeof(*ids));
		if (!grown)
			return -ENOMEM;
		ids = grown;
		ids[n] = strndup(entry->d_name, length - strlen(record_suffix));
		if (!ids[n])
			return -ENOMEM;
		ids[++n] = NULL;
	}
	*ret_ids = TAKE_PTR(ids);
	return 0;
}
