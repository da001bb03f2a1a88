/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the fake data plane: which were prepared (datapath/prepare.h), and what ports came
 * without.  A device is its index alone, as the fake driver's are; preparing takes no time.
 */
#include "datapath/fake_device.h"

#include <stdlib.h>

struct fake_preparer {
	struct dp_preparer base;
	struct fake_world *world;
	char name[FAKE_NAME_SIZE];
};

/* The host may be gone, its agent's workers not. */
static struct fake_host *preparer_host(struct dp_preparer *base)
{
	struct fake_preparer *p = container_of(base, struct fake_preparer, base);

	return fake_host_find(p->world, p->name);
}

static bool *device_find(struct fake_host *h, int ifindex, bool watched)
{
	bool *row = watched ? h->devices.watched : h->devices.prepared;

	return ifindex > 0 && ifindex < FAKE_DEVICES_MAX ? &row[ifindex] : NULL;
}

static int prepare(struct dp_preparer *base, int ifindex, bool watched)
{
	struct fake_host *h = preparer_host(base);

	if (!h || !device_find(h, ifindex, false))
		return -ENODEV;
	if (h->devices.fail_prepare)
		return h->devices.fail_prepare;
	*device_find(h, ifindex, false) = true;
	*device_find(h, ifindex, true) = watched;
	return 0;
}

static int watch(struct dp_preparer *base, int ifindex, bool watched)
{
	struct fake_host *h = preparer_host(base);

	if (!h || !device_find(h, ifindex, true))
		return -ENODEV;
	if (watched && h->devices.fail_prepare)
		return h->devices.fail_prepare;
	*device_find(h, ifindex, true) = watched;
	return 0;
}

static void tidy(struct dp_preparer *base)
{
	struct fake_host *h = preparer_host(base);

	if (h)
		h->devices.n_tidied++;
}

static void preparer_free(struct dp_preparer *base)
{
	free(container_of(base, struct fake_preparer, base));
}

static const struct dp_preparer_ops ops = {
	.prepare = prepare, .watch = watch, .tidy = tidy, .free = preparer_free};

int fake_preparer_new(struct fake_host *h, struct dp_preparer **ret)
{
	struct fake_preparer *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	dp_preparer_init(&p->base, &ops);
	p->world = h->world;
	memcpy(p->name, h->name, sizeof(p->name));
	*ret = &p->base;
	return 0;
}

void fake_device_enter(struct fake_host *h, const struct dp_port *port)
{
	const bool *prepared = device_find(h, port->ifindex, false);
	const bool *watched = device_find(h, port->ifindex, true);

	if (!prepared || !*prepared || ((port->logged || port->vlan) && !*watched))
		h->devices.n_blocked++;
}

void fake_device_watch(struct fake_host *h, const struct dp_port *was)
{
	const bool *watched = device_find(h, was->ifindex, true);

	if (!was->logged && !was->mirrored && !was->vlan && (!watched || !*watched))
		h->devices.n_blocked++;
}

bool fake_is_watched(struct fake_world *world, const char *name, int ifindex)
{
	const bool *watched = device_find(fake_host_find(world, name), ifindex, true);

	return watched && *watched;
}

unsigned int fake_blocked(struct fake_world *world, const char *name)
{
	return fake_host_find(world, name)->devices.n_blocked;
}

unsigned int fake_tidied(struct fake_world *world, const char *name)
{
	return fake_host_find(world, name)->devices.n_tidied;
}

bool fake_is_prepared(struct fake_world *world, const char *name, int ifindex)
{
	const bool *prepared = device_find(fake_host_find(world, name), ifindex, false);

	return prepared && *prepared;
}

void fake_fail_prepare(struct fake_world *world, const char *name, int e)
{
	fake_host_find(world, name)->devices.fail_prepare = e;
}

int fake_substrate(struct fake_world *world, const char *name, unsigned int *ret_times)
{
	const struct fake_host *h = fake_host_find(world, name);

	*ret_times = h->devices.n_substrates;
	return h->config.substrate_ifindex;
}

void fake_fail_substrate(struct fake_world *world, const char *name, int e)
{
	fake_host_find(world, name)->devices.fail_substrate = e;
}
