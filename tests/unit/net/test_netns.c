/* SPDX-License-Identifier: Apache-2.0 */
/* Named namespaces in a directory of the test's own. */
#include "net/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "tests/unit/test.h"

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/test_netns.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;

	if (netns_list(folder, &names) < 0)
		return -1;
	for (char **n = names; *n; n++)
		if (netns_delete(folder, *n) < 0)
			return -1;
	return file_remove_tree(folder);
}

/* Which namespace: its inode. */
static ino_t id_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static ino_t own_id(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static void test_create_open_delete(void **state)
{
	ino_t home = own_id(), made;
	int fd = -1;

	assert_ok(netns_create(folder, "node-1"));
	assert_true(own_id() == home); /* the thread stays where it is */
	assert_ok(netns_open(folder, "node-1", &fd));
	made = id_of(fd);
	assert_true(made != home);
	close(fd);
	assert_error(netns_create(folder, "node-1"), EEXIST);
	assert_ok(netns_open(folder, "node-1", &fd));
	assert_true(id_of(fd) == made); /* and it was left alone */
	close(fd);
	assert_ok(netns_delete(folder, "node-1"));
	fd = -1;
	assert_error(netns_open(folder, "node-1", &fd), ENOENT);
	assert_int_equal(fd, -1);
	assert_error(netns_delete(folder, "node-1"), ENOENT);
}

static void test_directory_is_made(void **state)
{
	char path[128];

	assert_ok(str_format(path, sizeof(path), "%s/a/b", folder));
	assert_ok(netns_create(path, "x"));
	assert_ok(netns_delete(path, "x"));
	*strrchr(path, '/') = '\0';
	assert_ok(file_remove_tree(path));
}

static void test_bad_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		".x",
		"a/b",
		"../x",
		"a b",
		"a\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaa"};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_error(netns_create(folder, names[i]), EINVAL);
		assert_error(netns_open(folder, names[i], &fd), EINVAL);
		assert_error(netns_delete(folder, names[i]), EINVAL);
	}
}

static int read_id(void *data)
{
	*(ino_t *)data = own_id();
	return -ENOTTY;
}

static void test_call_visits_and_comes_back(void **state)
{
	ino_t home = own_id(), seen = 0;
	int fd, not_a_netns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	assert_ok(netns_create(folder, "x"));
	assert_ok(netns_open(folder, "x", &fd));
	assert_error(netns_call(fd, read_id, &seen), ENOTTY); /* what the function returned */
	assert_true(seen == id_of(fd));
	assert_true(own_id() == home);
	seen = 0;
	assert_error(netns_call(not_a_netns, read_id, &seen), EINVAL);
	assert_true(seen == 0);
	close(fd);
	close(not_a_netns);
}

static void test_enter_stays(void **state)
{
	int home, fd;

	assert_ok(netns_open_self(&home));
	assert_true(id_of(home) == own_id());
	assert_ok(netns_create(folder, "x"));
	assert_ok(netns_open(folder, "x", &fd));
	assert_ok(netns_enter(fd));
	assert_true(own_id() == id_of(fd));
	assert_ok(netns_enter(home));
	close(home);
	close(fd);
}

static int loopback_is_up(void *data)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	close(fd);
	return !(request.ifr_flags & IFF_UP);
}

static void test_loopback_is_up(void **state)
{
	int fd;

	assert_ok(netns_create(folder, "x"));
	assert_ok(netns_open(folder, "x", &fd));
	assert_ok(netns_call(fd, loopback_is_up, NULL));
	close(fd);
}

/* As after a crash of the machine: the name is there, the namespace is not. */
static void test_leftover_file_is_no_namespace_and_can_be_deleted(void **state)
{
	char path[128];
	int fd = -1;

	assert_ok(str_format(path, sizeof(path), "%s/stale", folder));
	assert_ok(file_write_atomic(path, "", 0, 0444));
	assert_error(netns_open(folder, "stale", &fd), EINVAL);
	assert_ok(netns_delete(folder, "stale"));
	assert_error(netns_delete(folder, "stale"), ENOENT);
}

/* Another kind of namespace under the name is none of ours. */
static void test_other_kinds_of_namespace_are_refused(void **state)
{
	char path[128];
	int fd = -1;

	assert_ok(str_format(path, sizeof(path), "%s/mnt", folder));
	assert_ok(file_write_atomic(path, "", 0, 0444));
	assert_int_equal(mount("/proc/self/ns/uts", path, NULL, MS_BIND, NULL), 0);
	assert_error(netns_open(folder, "mnt", &fd), EINVAL);
	assert_ok(netns_delete(folder, "mnt"));
}

/* In a mount namespace of its own: makes a namespace in the folder, then does to the folder what
 * ip-netns(8) does at its first use, and deletes.  Returns what deleting said. */
static int delete_after_ip_netns(bool shared)
{
	pid_t child = fork();
	int status, r;

	assert_true(child >= 0);
	if (child) {
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		return -WEXITSTATUS(status);
	}
	r = unshare(CLONE_NEWNS) < 0 || mount("", "/", "none", MS_PRIVATE | MS_REC, NULL) < 0;
	if (!r && shared)
		r = netns_share(folder) || netns_share(folder);
	if (!r)
		r = netns_create(folder, "node");
	if (!r && mount("", folder, "none", MS_SHARED | MS_REC, NULL) < 0)
		r = mount(folder, folder, "none", MS_BIND | MS_REC, NULL) < 0;
	_exit(r ? 255 : -netns_delete(folder, "node"));
}

static void test_shared_directory_survives_ip_netns(void **state)
{
	char path[128];

	assert_int_equal(delete_after_ip_netns(true), 0);
	assert_int_equal(delete_after_ip_netns(false), -EBUSY); /* what sharing is for */
	assert_ok(str_format(path, sizeof(path), "%s/node", folder));
	assert_int_equal(unlink(path), 0);
}

static void test_list_is_sorted(void **state)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	_cleanup_(strv_free_cleanup) char **none = NULL;

	assert_ok(netns_create(folder, "b"));
	assert_ok(netns_create(folder, "a-2"));
	assert_ok(netns_create(folder, "a-10"));
	assert_ok(netns_list(folder, &names));
	assert_int_equal(strv_count(names), 3);
	assert_string_equal(names[0], "a-10");
	assert_string_equal(names[1], "a-2");
	assert_string_equal(names[2], "b");
	assert_ok(netns_list("/nowhere", &none));
	assert_int_equal(strv_count(none), 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_create_open_delete),
		IN_FOLDER(test_directory_is_made),
		IN_FOLDER(test_bad_names_are_refused),
		IN_FOLDER(test_call_visits_and_comes_back),
		IN_FOLDER(test_enter_stays),
		IN_FOLDER(test_loopback_is_up),
		IN_FOLDER(test_leftover_file_is_no_namespace_and_can_be_deleted),
		IN_FOLDER(test_other_kinds_of_namespace_are_refused),
		IN_FOLDER(test_shared_directory_survives_ip_netns),
		IN_FOLDER(test_list_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
