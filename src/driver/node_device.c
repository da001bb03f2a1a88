/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/node_device.h"

#include <stdio.h>

const char *node_device_name(uint32_t device_index, char buf[NODE_DEVICE_SIZE])
{
	snprintf(buf, NODE_DEVICE_SIZE, "eth%u", device_index);
	return buf;
}

int node_device_open(int netns_fd, uint32_t device_index, struct rtnl **ret,
		     struct rtnl_link *ret_link)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	char name[NODE_DEVICE_SIZE];
	int e = rtnl_open_at(netns_fd, &inside);

	if (!e)
		e = rtnl_link_find(inside, node_device_name(device_index, name), ret_link);
	if (e)
		return e;
	*ret = inside;
	inside = NULL;
	return 0;
}
