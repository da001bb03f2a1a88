/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/lab_process.h"
#include "ctl/lab_up.h"
#include "net/netns.h"

/* The namespaces of a lab. */
struct remains {
	char **names; /* of all namespaces of the machine, NULL-terminated */
	const char **own;
	int *fds;
	size_t n;
};

static void remains_deinit(struct remains *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->fds[i] >= 0)
			close(r->fds[i]);
	free(r->fds);
	free(r->own);
	strv_free(r->names);
}

static int find_remains(const char *name, struct remains *ret)
{
	char prefix[LAB_NETNS_NAME_SIZE];
	size_t n;
	int r = str_format(prefix, sizeof(prefix), "vd-%s-", name);

	if (!r)
		r = netns_list(LAB_NETNS_DIR, &ret->names);
	if (r)
		return r;
	n = strv_count(ret->names);
	ret->own = calloc(n + 1, sizeof(*ret->own));
	ret->fds = calloc(n + 1, sizeof(*ret->fds));
	if (!ret->own || !ret->fds)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!str_has_prefix(ret->names[i], prefix))
			continue;
		ret->own[ret->n] = ret->names[i];
		/* One whose making was broken off is a plain file: nothing can be inside. */
		if (netns_open(LAB_NETNS_DIR, ret->names[i], &ret->fds[ret->n]))
			ret->fds[ret->n] = -1;
		ret->n++;
	}
	return 0;
}

static int end_processes(const struct remains *r)
{
	_cleanup_free_ int *open_fds = calloc(r->n + 1, sizeof(*open_fds));
	size_t n = 0;

	if (!open_fds)
		return -ENOMEM;
	for (size_t i = 0; i < r->n; i++)
		if (r->fds[i] >= 0)
			open_fds[n++] = r->fds[i];
	return lab_process_end_inside(open_fds, n, LIMIT_LAB_STOP_MS);
}

/* All that can be, also when one cannot. */
static int remove_namespaces(const struct remains *r)
{
	int result = 0;

	for (size_t i = 0; i < r->n; i++) {
		int e = netns_delete(LAB_NETNS_DIR, r->own[i]);

		if (e && e != -ENOENT)
			result = complain_errno(e, "removing network namespace %s", r->own[i]);
	}
	return result;
}

static int unmount_bpffs(const char *directory)
{
	_cleanup_free_ char *path = NULL;

	if (str_printf(&path, "%s/bpf", directory))
		return complain_memory();
	/* As often as it was mounted; detached, so that a shell in there does not hold it. */
	while (!umount2(path, MNT_DETACH))
		;
	if (errno != EINVAL && errno != ENOENT)
		return complain_errno(-errno, "unmounting %s", path);
	return 0;
}

/* Ends and removes what is there now; '*ret_n' tells how many namespaces that were. */
static int remove_remains(const char *name, size_t *ret_n)
{
	_cleanup_(remains_deinit) struct remains remains = {0};
	int r = find_remains(name, &remains);

	if (r)
		return complain_errno(r, "listing the network namespaces");
	r = end_processes(&remains);
	if (r)
		return complain_errno(r, "ending the processes of lab %s", name);
	*ret_n = remains.n;
	return remove_namespaces(&remains);
}

int lab_down(const char *name, bool *ret_found)
{
	_cleanup_free_ char *directory = NULL;
	bool found;
	size_t n;
	int r;

	if (geteuid() != 0)
		return complain(-EPERM, "labs belong to root: run this as root");
	if (str_printf(&directory, LAB_ROOT "/%s", name))
		return complain_memory();
	found = !access(directory, F_OK);
	/* More than once: while it was ending, an agent may have made the namespace of an instance
	 * that was just starting. */
	for (int round = 0; round < LIMIT_LAB_DOWN_ROUNDS; round++) {
		r = remove_remains(name, &n);
		if (r || !n)
			break;
		found = true;
	}
	if (!r && n)
		return complain(-EBUSY,
				"something goes on making network namespaces vd-%s-*: end it, "
				"and run this again",
				name);
	if (!r)
		r = unmount_bpffs(directory);
	if (r)
		return r;
	r = file_remove_tree(directory);
	if (r)
		return complain_errno(r, "removing %s", directory);
	*ret_found = found;
	return 0;
}
