/* SPDX-License-Identifier: Apache-2.0 */
/* Files: limits, atomic replacement, directories, locks, removal. */
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/test.h"

static char folder[64];

static const char *in_folder(const char *name, char path[static 128])
{
	assert_ok(str_format(path, 128, "%s/%s", folder, name));
	return path;
}
#define AT(name) in_folder(name, (char[128]){0})

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/test_file.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return file_remove_tree(folder);
}

static void test_reads_up_to_the_limit(void **state)
{
	_cleanup_free_ char *text = NULL;
	char content[10000];
	size_t size = 0;

	memset(content, 'x', sizeof(content));
	assert_ok(file_write_atomic(AT("f"), content, sizeof(content), 0600));
	assert_error(file_read(AT("f"), sizeof(content) - 1, &text, &size), EFBIG);
	assert_null(text);
	assert_ok(file_read(AT("f"), sizeof(content), &text, &size));
	assert_int_equal(size, sizeof(content));
	assert_memory_equal(text, content, size);
	assert_int_equal(text[size], '\0');
	assert_error(file_read(AT("none"), 10, &text, &size), ENOENT);
}

static void test_reads_proc(void **state)
{
	_cleanup_free_ char *text = NULL;

	assert_ok(file_read("/proc/self/stat", 4096, &text, NULL));
	assert_int_equal(atoi(text), getpid());
}

static void test_replaces_whole_with_its_mode(void **state)
{
	_cleanup_free_ char *text = NULL;
	mode_t mask = umask(0777);
	struct stat before, after;

	assert_ok(file_write_atomic(AT("f"), "old content", 11, 0644));
	assert_int_equal(stat(AT("f"), &before), 0);
	assert_ok(file_write_atomic(AT("f"), "new", 3, 0600));
	umask(mask);
	assert_int_equal(stat(AT("f"), &after), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_true(before.st_ino != after.st_ino); /* a new file, not the old one rewritten */
	assert_ok(file_read(AT("f"), 100, &text, NULL));
	assert_string_equal(text, "new");
}

static void test_failed_replacement_leaves_nothing(void **state)
{
	struct stat st;

	assert_int_equal(mkdir(AT("d"), 0755), 0);
	assert_int_equal(mkdir(AT("d/full"), 0755), 0);
	assert_int_equal(mkdir(AT("d/full/x"), 0755), 0);
	assert_true(file_write_atomic(AT("d/full"), "x", 1, 0600) < 0);
	assert_int_equal(stat(AT("d"), &st), 0);
	assert_int_equal(rmdir(AT("d/full/x")), 0);
	assert_int_equal(rmdir(AT("d/full")), 0);
	assert_int_equal(rmdir(AT("d")), 0); /* fails when a temporary file is left */
	assert_error(file_write_atomic(AT("none/f"), "x", 1, 0600), ENOENT);
}

static void test_writes_existing_only(void **state)
{
	_cleanup_free_ char *text = NULL;

	assert_error(file_write_existing(AT("f"), "1"), ENOENT);
	assert_ok(file_write_atomic(AT("f"), "123", 3, 0600));
	assert_ok(file_write_existing(AT("f"), "4"));
	assert_ok(file_read(AT("f"), 10, &text, NULL));
	assert_string_equal(text, "4");
}

static void test_makes_directories(void **state)
{
	struct stat st;

	assert_ok(file_mkdirs(AT("a/b/c"), 0750));
	assert_int_equal(stat(AT("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_ok(file_mkdirs(AT("a/b/c"), 0750));
	assert_ok(file_mkdirs(AT("a//b/d/"), 0750));
	assert_int_equal(stat(AT("a/b/d"), &st), 0);
	assert_ok(file_write_atomic(AT("a/f"), "", 0, 0600));
	assert_error(file_mkdirs(AT("a/f"), 0750), ENOTDIR);
	assert_error(file_mkdirs(AT("a/f/g"), 0750), ENOTDIR);
}

static void test_lock_excludes_another_process_until_it_ends(void **state)
{
	_cleanup_free_ char *text = NULL;
	int ready[2], fd = -1, status;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int child_fd;

		if (file_lock(AT("pid"), &child_fd) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_error(file_lock(AT("pid"), &fd), EWOULDBLOCK);
	assert_int_equal(fd, -1);
	assert_ok(file_read(AT("pid"), 100, &text, NULL));
	assert_int_equal(atoi(text), pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_ok(file_lock(AT("pid"), &fd));
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

static void test_removes_trees_but_not_what_links_point_to(void **state)
{
	struct stat st;

	assert_ok(file_mkdirs(AT("kept"), 0755));
	assert_ok(file_write_atomic(AT("kept/f"), "x", 1, 0600));
	assert_ok(file_mkdirs(AT("tree/a/b"), 0755));
	assert_ok(file_write_atomic(AT("tree/a/f"), "x", 1, 0600));
	assert_int_equal(symlink(AT("kept"), AT("tree/a/link")), 0);
	assert_ok(file_remove_tree(AT("tree")));
	assert_int_equal(stat(AT("tree"), &st), -1);
	assert_int_equal(stat(AT("kept/f"), &st), 0);
	assert_ok(file_remove_tree(AT("tree")));
	assert_ok(file_remove_tree(AT("kept/f")));
	assert_int_equal(stat(AT("kept/f"), &st), -1);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_reads_up_to_the_limit),
		IN_FOLDER(test_reads_proc),
		IN_FOLDER(test_replaces_whole_with_its_mode),
		IN_FOLDER(test_failed_replacement_leaves_nothing),
		IN_FOLDER(test_writes_existing_only),
		IN_FOLDER(test_makes_directories),
		IN_FOLDER(test_lock_excludes_another_process_until_it_ends),
		IN_FOLDER(test_removes_trees_but_not_what_links_point_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
