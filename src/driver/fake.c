/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/fake.h"

#include "base/str.h"

struct driver_fake {
	struct driver driver; /* first: the contract's part */
	struct fake_nodes *nodes;
};

static struct fake_nodes *fake_of(struct driver *d)
{
	return container_of(d, struct driver_fake, driver)->nodes;
}

struct fake_node *fake_nodes_find(struct fake_nodes *nodes, const char *id)
{
	for (size_t i = 0; i < FAKE_NODES_MAX; i++)
		if (str_equal(nodes->nodes[i].node.id, id))
			return &nodes->nodes[i];
	return NULL;
}

static int fake_start(struct driver *d, const char *id, uint64_t generation)
{
	struct fake_nodes *nodes = fake_of(d);
	struct fake_node *n = fake_nodes_find(nodes, id);

	if (nodes->fail_start)
		return nodes->fail_start;
	if (!n)
		n = fake_nodes_find(nodes, "");
	if (!n)
		return -ENOSPC;
	if (!n->node.running)
		nodes->n_starts++;
	n->node.generation = generation;
	n->node.running = true;
	return str_copy(n->node.id, sizeof(n->node.id), id);
}

static int fake_stop(struct driver *d, const char *id)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);

	if (!n)
		return 0;
	if (n->node.running)
		fake_of(d)->n_stops++;
	n->node.running = false;
	n->n_interfaces = 0;
	return 0;
}

static int fake_forget(struct driver *d, const char *id)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	int e = fake_stop(d, id);

	if (n)
		*n = (struct fake_node){0};
	return e;
}

static int fake_check(struct driver *d, const char *id, struct driver_node *ret)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);

	if (!n)
		return -ENOENT;
	if (!n->node.running)
		n->n_interfaces = 0;
	*ret = n->node;
	return 0;
}

static size_t fake_interface(const struct fake_node *n, const char *id)
{
	size_t i = 0;

	while (i < n->n_interfaces && !str_equal(n->interfaces[i].id, id))
		i++;
	return i;
}

static int fake_plug(struct driver *d, const char *id, const struct driver_interface *interface,
		     struct driver_port *ret)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i;

	if (fake_of(d)->fail_plug)
		return fake_of(d)->fail_plug;
	if (!n || !n->node.running)
		return -ENOENT;
	i = fake_interface(n, interface->id);
	if (i == FAKE_INTERFACES_MAX)
		return -ENOSPC;
	if (i == n->n_interfaces) {
		n->n_interfaces++;
		n->ifindexes[i] = ++fake_of(d)->last_ifindex;
		n->online[i] = false;
		n->n_addrs6[i] = 0;
	}
	n->interfaces[i] = *interface;
	*ret = (struct driver_port){.ifindex = n->ifindexes[i], .peer_redirect = true};
	return 0;
}

static int fake_online(struct driver *d, const char *id, const char *interface)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return -ENOENT;
	n->online[i] = true;
	return 0;
}

static int fake_addresses6(struct driver *d, const char *id, const char *interface,
			   const struct ipaddr *addrs, size_t n_addrs)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return -ENOENT;
	n->n_addrs6[i] = n_addrs;
	return 0;
}

static int fake_unplug(struct driver *d, const char *id, const char *interface)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return 0;
	n->n_interfaces--;
	n->interfaces[i] = n->interfaces[n->n_interfaces];
	n->ifindexes[i] = n->ifindexes[n->n_interfaces];
	n->online[i] = n->online[n->n_interfaces];
	n->n_addrs6[i] = n->n_addrs6[n->n_interfaces];
	return 0;
}

static int fake_nodes_each(struct driver *d, driver_node_fn fn, void *arg)
{
	struct fake_nodes *nodes = fake_of(d);
	int e = 0;

	for (size_t i = 0; !e && i < FAKE_NODES_MAX; i++)
		if (*nodes->nodes[i].node.id)
			e = fn(&nodes->nodes[i].node, arg);
	return e;
}

static int fake_interfaces_each(struct driver *d, const char *id, driver_interface_fn fn, void *arg)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	int e = 0;

	for (size_t i = 0; n && !e && i < n->n_interfaces; i++)
		e = fn(&n->interfaces[i], arg);
	return e;
}

static void fake_free(struct driver *d)
{
	free(container_of(d, struct driver_fake, driver));
}

static const struct driver_ops fake_ops = {
	.start = fake_start,
	.stop = fake_stop,
	.forget = fake_forget,
	.check = fake_check,
	.plug = fake_plug,
	.online = fake_online,
	.addresses6 = fake_addresses6,
	.unplug = fake_unplug,
	.nodes = fake_nodes_each,
	.interfaces = fake_interfaces_each,
	.free = fake_free,
};

int driver_fake_new(struct fake_nodes *nodes, struct driver **ret)
{
	struct driver_fake *df = calloc(1, sizeof(*df));

	if (!df)
		return -ENOMEM;
	df->driver.ops = &fake_ops;
	df->nodes = nodes;
	*ret = &df->driver;
	return 0;
}
