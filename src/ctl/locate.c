/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ctl/complain.h"
#include "ctl/lab.h"

#define LOCATE_ADMIN_DEFAULT "/var/lib/viaduct/admin.json"

static int make_client(const char *endpoint, const char *token, struct client **ret)
{
	int r = client_new(endpoint, token, ret);

	if (r == -EINVAL)
		return complain_usage("\"%s\" is not the endpoint of a manager: http://HOST:PORT",
				      endpoint);
	return r ? complain_memory() : 0;
}

int locate_admin(const char *path, struct client **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *admin = NULL;
	const char *endpoint, *token;
	int r;

	r = file_read(path, LIMIT_LAB_FILE_SIZE, &text, NULL);
	if (r == -ENOENT)
		return r;
	if (r == -EACCES)
		return complain(
			r, "%s is for root alone: run this as root, or give --endpoint and --token",
			path);
	if (r)
		return complain_errno(r, "%s", path);
	admin = json_loads(text, 0, NULL);
	if (json_unpack(admin, "{s:s,s:s}", "endpoint", &endpoint, "token", &token))
		return complain(-EBADMSG,
				"%s is not what viaductd init wrote: no endpoint and token in it",
				path);
	return make_client(endpoint, token, ret);
}

static int locate_lab(const char *name, struct client **ret)
{
	_cleanup_(lab_deinit) struct lab lab = {0};
	_cleanup_free_ char *path = NULL;
	int r;

	r = lab_find(name, &lab);
	if (r)
		return r;
	path = lab_path(&lab, "admin.json");
	if (!path)
		return complain_memory();
	r = locate_admin(path, ret);
	if (r == -ENOENT)
		return complain(
			r,
			"lab %s has no manager yet (it is starting, or its start was broken off: "
			"viaduct lab down --name %s)",
			lab.name, lab.name);
	return r;
}

int locate_manager(const struct invocation *inv, struct client **ret)
{
	const char *endpoint = invocation_option(inv, "endpoint");
	const char *token = invocation_option(inv, "token");
	const char *admin = invocation_option(inv, "admin");
	const char *lab = invocation_option(inv, "lab");
	int r;

	if (!endpoint && !admin && !lab)
		endpoint = getenv("VIADUCT_ENDPOINT");
	if (endpoint && !token)
		token = getenv("VIADUCT_TOKEN");
	if (endpoint && !token)
		return complain_usage(
			"a token belongs to the endpoint %s: --token or $VIADUCT_TOKEN", endpoint);
	if (endpoint)
		return make_client(endpoint, token, ret);
	if (admin) {
		r = locate_admin(admin, ret);
		return r == -ENOENT ? complain_errno(r, "%s", admin) : r;
	}
	if (lab)
		return locate_lab(lab, ret);
	r = locate_admin(LOCATE_ADMIN_DEFAULT, ret);
	return r == -ENOENT ? locate_lab(NULL, ret) : r;
}
