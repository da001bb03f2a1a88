/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, atomic replacement, directories, locks: see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"

enum { READ_STEP = 4096 };

int file_read(const char *path, size_t limit, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b;

	buf_init(&b, SIZE_MAX); /* checked below, after each step */
	if (fd < 0)
		return -errno;
	for (;;) {
		void *to = buf_reserve(&b, READ_STEP);
		ssize_t n;

		if (!to)
			return buf_error(&b);
		n = read(fd, to, READ_STEP);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return buf_take(&b, ret, ret_size);
		buf_commit(&b, (size_t)n);
		if (buf_size(&b) > limit)
			return -EFBIG;
	}
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The directory that holds 'path', to be freed. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int write_synced(const char *path, const void *data, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fchmod(fd, mode) < 0 ? -errno : 0; /* whatever the umask says */
	if (!r)
		r = write_all(fd, data, size);
	if (!r && fsync(fd) < 0)
		r = -errno;
	if (r)
		unlink(path);
	return r;
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode)
{
	_cleanup_free_ char *directory = parent_of(path);
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int dir_fd = -1;
	int r;

	if (!directory)
		return -ENOMEM;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	r = str_printf(&temporary, "%s.%08x.tmp", path, (unsigned int)rand_u64());
	if (r < 0)
		return r;
	r = write_synced(temporary, data, size, mode);
	if (r < 0)
		return r;
	if (rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
		return r;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int file_write_existing(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t size = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

static int make_one_directory(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_mkdirs(const char *path, mode_t mode)
{
	_cleanup_free_ char *partial = strdup(path);

	if (!partial)
		return -ENOMEM;
	for (char *slash = strchr(partial + (*partial == '/'), '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = make_one_directory(partial, mode);
		if (r < 0)
			return r;
		*slash = '/';
	}
	return make_one_directory(partial, mode);
}

int file_lock(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char pid[32];
	int r;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	r = str_format(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (r < 0)
		return r;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	r = write_all(fd, pid, strlen(pid));
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void closedir_cleanup(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Removes 'name' in 'parent', a tree on the device 'device'. */
static int remove_at(int parent, const char *name, dev_t device)
{
	_cleanup_(closedir_cleanup) DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (st.st_dev != device)
		return -EXDEV;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		int r;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		r = remove_at(dirfd(dir), entry->d_name, device);
		if (r < 0)
			return r;
	}
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int file_remove_tree(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_at(AT_FDCWD, path, st.st_dev);
}
