/* SPDX-License-Identifier: Apache-2.0 */
/* The front of the driver contract: checks what every back-end would have to check, and
 * dispatches. */
#include "driver/driver.h"

#include <string.h>

bool driver_id_is_valid(const char *id)
{
	size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length < DRIVER_ID_SIZE && !id[length];
}

int driver_start(struct driver *d, const char *node, uint64_t generation)
{
	return driver_id_is_valid(node) ? d->ops->start(d, node, generation) : -EINVAL;
}

int driver_stop(struct driver *d, const char *node)
{
	return driver_id_is_valid(node) ? d->ops->stop(d, node) : -EINVAL;
}

int driver_forget(struct driver *d, const char *node)
{
	return driver_id_is_valid(node) ? d->ops->forget(d, node) : -EINVAL;
}

int driver_check(struct driver *d, const char *node, struct driver_node *ret)
{
	return driver_id_is_valid(node) ? d->ops->check(d, node, ret) : -EINVAL;
}

int driver_plug(struct driver *d, const char *node, const struct driver_interface *interface,
		struct driver_port *ret)
{
	if (!driver_id_is_valid(node) || !driver_id_is_valid(interface->id))
		return -EINVAL;
	return d->ops->plug(d, node, interface, ret);
}

int driver_open(struct driver *d, const char *node, const char *interface)
{
	if (!driver_id_is_valid(node) || !driver_id_is_valid(interface))
		return -EINVAL;
	return d->ops->open(d, node, interface);
}

int driver_online(struct driver *d, const char *node, const char *interface,
		  const struct driver_address *address)
{
	if (!driver_id_is_valid(node) || !driver_id_is_valid(interface))
		return -EINVAL;
	return d->ops->online(d, node, interface, address);
}

int driver_addresses6(struct driver *d, const char *node, const char *interface,
		      const struct ipaddr *addrs, size_t n)
{
	if (!driver_id_is_valid(node) || !driver_id_is_valid(interface))
		return -EINVAL;
	return d->ops->addresses6(d, node, interface, addrs, n);
}

int driver_unplug(struct driver *d, const char *node, const char *interface)
{
	if (!driver_id_is_valid(node) || !driver_id_is_valid(interface))
		return -EINVAL;
	return d->ops->unplug(d, node, interface);
}

int driver_nodes(struct driver *d, driver_node_fn fn, void *arg)
{
	return d->ops->nodes(d, fn, arg);
}

int driver_interfaces(struct driver *d, const char *node, driver_interface_fn fn, void *arg)
{
	return driver_id_is_valid(node) ? d->ops->interfaces(d, node, fn, arg) : -EINVAL;
}

void driver_submit(struct driver *d, struct driver_job *job)
{
	d->ops->submit(d, job);
}

void driver_halt(struct driver *d)
{
	d->ops->halt(d);
}

struct driver *driver_free(struct driver *d)
{
	if (d)
		d->ops->free(d);
	return NULL;
}
