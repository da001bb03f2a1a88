/* SPDX-License-Identifier: Apache-2.0 */
/* Named network namespaces: see netns.h. */
#include "net/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/str.h"

enum { NAME_LENGTH_MAX = 64 };

static bool name_is_valid(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(name);

	return n && n <= NAME_LENGTH_MAX && name[0] != '.' && strspn(name, allowed) == n;
}

static int make_path(const char *directory, const char *name, char **ret)
{
	if (!name_is_valid(name))
		return -EINVAL;
	return str_printf(ret, "%s/%s", directory, name);
}

int netns_open_self(int *ret_fd)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* A thread in the wrong namespace would configure the wrong network: it must not go on. */
static void return_or_die(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}

int netns_call(int fd, int (*fn)(void *data), void *data)
{
	_cleanup_close_ int home = -1;
	int r = netns_open_self(&home);

	if (!r)
		r = netns_enter(fd);
	if (r < 0)
		return r;
	r = fn(data);
	return_or_die(home);
	return r;
}

static int loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return -errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* Makes a namespace and binds it onto the file 'path'; the thread is back at the end. */
static int create_at(const char *path)
{
	_cleanup_close_ int home = -1;
	int r = netns_open_self(&home);

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	r = loopback_up();
	if (!r && mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		r = -errno;
	return_or_die(home);
	return r;
}

/* A bind of the directory onto itself, which takes along what is bound in there. */
static int share_directory(const char *directory)
{
	if (!mount("", directory, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	if (errno != EINVAL) /* EINVAL: it is no mount point yet */
		return -errno;
	if (mount(directory, directory, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", directory, "none", MS_SHARED | MS_REC, NULL) < 0)
		return -errno;
	return 0;
}

int netns_share(const char *directory)
{
	_cleanup_close_ int fd = -1;
	int r = file_mkdirs(directory, 0755);

	if (r < 0)
		return r;
	/* Two that find no mount point would each make one. */
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	return share_directory(directory);
}

int netns_create(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;
	int fd, r;

	r = make_path(directory, name, &path);
	if (!r)
		r = file_mkdirs(directory, 0755);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	close(fd);
	r = create_at(path);
	if (r < 0)
		unlink(path);
	return r;
}

int netns_delete(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;
	int r = make_path(directory, name, &path);

	if (r < 0)
		return r;
	/* EINVAL: a file that nothing is bound to, left behind by a crash of the machine. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return -errno;
	return unlink(path) < 0 ? -errno : 0;
}

int netns_open(const char *directory, const char *name, int *ret_fd)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct statfs fs;
	int r = make_path(directory, name, &path);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int is_name(const struct dirent *d)
{
	return name_is_valid(d->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int netns_list(const char *directory, char ***ret_names)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_name, by_bytes);
	int r = n < 0 && errno != ENOENT ? -errno : 0;

	if (r < 0)
		return r;
	n = n < 0 ? 0 : n;
	names = calloc((size_t)n + 1, sizeof(*names));
	if (!names)
		r = -ENOMEM;
	for (int i = 0; i < n; i++) {
		if (!r)
			names[i] = strdup(entries[i]->d_name);
		if (!r && !names[i])
			r = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	if (r < 0)
		return r;
	*ret_names = TAKE_PTR(names);
	return 0;
}
