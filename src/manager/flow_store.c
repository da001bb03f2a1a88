/* SPDX-License-Identifier: Apache-2.0 */
/* See flow_store.h. */
#include "manager/flow_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "model/id.h"

struct flow_store {
	char *dir;
};

int flow_store_new(const char *dir, struct flow_store **ret)
{
	struct flow_store *s = calloc(1, sizeof(*s));

	if (s)
		s->dir = strdup(dir);
	if (!s || !s->dir) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct flow_store *flow_store_free(struct flow_store *s)
{
	if (s)
		free(s->dir);
	free(s);
	return NULL;
}

/* ---- names ---- */

static int folder_of(const struct flow_store *s, uint64_t flow_log, char ret[static PATH_MAX])
{
	char id[ID_TEXT_SIZE];
	int n = snprintf(ret, PATH_MAX, "%s/%s", s->dir, id_text(KIND_FLOW_LOG, flow_log, id));

	return n < 0 || n >= PATH_MAX - 32 ? -ENAMETOOLONG : 0;
}

static void file_of(const char *folder, uint64_t place, char ret[static PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%.4000s/%020" PRIu64, folder, place);
}

/* The places where the files of a folder begin, in order. */
struct places {
	size_t n;
	uint64_t v[LIMIT_FLOW_FILES + 8];
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int list(const char *folder, struct places *ret)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;

	ret->n = 0;
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(d)) && ret->n < ARRAY_SIZE(ret->v)) {
		char *end;
		uint64_t place = strtoull(entry->d_name, &end, 10);

		if (entry->d_name[0] != '.' && !*end)
			ret->v[ret->n++] = place;
	}
	closedir(d);
	qsort(ret->v, ret->n, sizeof(*ret->v), compare);
	return 0;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

/* ---- writing ---- */

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* The file that lines go to: the last one, or a new one behind it. */
static int open_last(const char *folder, size_t size, int *ret)
{
	struct places p;
	char path[PATH_MAX];
	uint64_t last = 0, used = 0;
	int r = list(folder, &p);

	if (r)
		return r;
	if (p.n) {
		last = p.v[p.n - 1];
		file_of(folder, last, path);
		used = size_of(path);
	}
	if (used && used + size > LIMIT_FLOW_FILE_SIZE) {
		last += used;
		for (size_t i = 0; i + LIMIT_FLOW_FILES - 1 < p.n; i++) {
			file_of(folder, p.v[i], path);
			unlink(path);
		}
	}
	file_of(folder, last, path);
	*ret = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return *ret < 0 ? -errno : 0;
}

int flow_store_append(struct flow_store *s, uint64_t flow_log, const void *lines, size_t size)
{
	_cleanup_close_ int fd = -1;
	char folder[PATH_MAX];
	int r = folder_of(s, flow_log, folder);

	if (!r)
		r = file_mkdirs(folder, 0700);
	if (!r)
		r = open_last(folder, size, &fd);
	return r ? r : write_all(fd, lines, size);
}

/* ---- reading ---- */

/* Of one file, from 'offset' on, whole lines. */
static int read_lines(const char *path, uint64_t offset, size_t most, struct buf *b, size_t *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *at, *end;
	ssize_t n;

	*ret = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	at = buf_reserve(b, most);
	if (!at)
		return buf_error(b);
	n = pread(fd, at, most, (off_t)offset);
	if (n < 0)
		return -errno;
	end = n ? memrchr(at, '\n', (size_t)n) : NULL;
	*ret = end ? (size_t)(end + 1 - at) : 0;
	buf_commit(b, *ret);
	return 0;
}

int flow_store_read(struct flow_store *s, uint64_t flow_log, uint64_t place, size_t most,
		    struct buf *b, uint64_t *ret_next)
{
	char folder[PATH_MAX], path[PATH_MAX];
	struct places p;
	int r = folder_of(s, flow_log, folder);

	if (!r)
		r = list(folder, &p);
	if (!r && p.n && place < p.v[0])
		place = p.v[0];
	for (size_t i = 0; i < p.n && !r && most; i++) {
		size_t n = 0;

		if (i + 1 < p.n && place >= p.v[i + 1])
			continue;
		file_of(folder, p.v[i], path);
		r = read_lines(path, place - p.v[i], most, b, &n);
		place += n;
		most -= n;
		if (i + 1 == p.n || place != p.v[i + 1])
			break; /* the rest of it does not fit */
	}
	*ret_next = place;
	return r;
}

/* ---- sweeping ---- */

void flow_store_sweep(struct flow_store *s, bool (*keep)(void *data, uint64_t flow_log), void *data)
{
	DIR *d = opendir(s->dir);
	const struct dirent *entry;
	char folder[PATH_MAX];
	uint64_t id;

	while (d && (entry = readdir(d)))
		if (!id_parse(KIND_FLOW_LOG, entry->d_name, &id) && !keep(data, id) &&
		    !folder_of(s, id, folder))
			(void)!file_remove_tree(folder);
	if (d)
		closedir(d);
}
