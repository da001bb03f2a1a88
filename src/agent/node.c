/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/node.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"

/* ---- the table ---- */

void nodes_init(struct nodes *nodes, struct driver *driver, node_done_fn done, void *arg)
{
	*nodes = (struct nodes){.driver = driver, .done = done, .arg = arg};
	hmap_init(&nodes->by_id);
}

static void node_forget_addrs(struct node *n)
{
	for (size_t i = 0; i < n->n_interfaces; i++) {
		free(n->interfaces[i].addrs);
		n->interfaces[i].addrs = NULL;
	}
}

void nodes_remove(struct nodes *nodes, struct node *n)
{
	hmap_remove(&nodes->by_id, &n->by_id);
	node_forget_addrs(n);
	failures_deinit(&n->failures);
	dp_preparer_unref(n->preparer);
	free(n);
}

void nodes_deinit(struct nodes *nodes)
{
	struct node *n;

	hmap_for_each (n, &nodes->by_id, by_id)
		nodes_remove(nodes, n);
	hmap_deinit(&nodes->by_id);
	nodes_set_datapath(nodes, NULL);
}

void nodes_set_datapath(struct nodes *nodes, struct datapath *dp)
{
	dp_preparer_unref(nodes->preparer);
	nodes->preparer = dp ? datapath_preparer(dp) : NULL;
}

struct node *nodes_find(const struct nodes *nodes, const char *id)
{
	struct node *n;

	hmap_for_each_at (n, &nodes->by_id, hash_str(id), by_id)
		if (str_equal(n->id, id))
			return n;
	return NULL;
}

bool nodes_pending(const struct nodes *nodes, uint64_t *ret_since)
{
	const struct node *n;
	uint64_t since = UINT64_MAX;
	bool any = false;

	hmap_for_each (n, &nodes->by_id, by_id)
		if (n->pending) {
			any = true;
			since = n->since < since ? n->since : since;
		}
	if (any && ret_since)
		*ret_since = since;
	return any;
}

void node_set_pending(struct node *n, uint64_t revision)
{
	if (!n->pending)
		n->since = revision;
	n->pending = true;
}

/* ---- steps, on a worker ---- */

static int node_see_interface(const struct driver_interface *actual, void *arg)
{
	struct node *n = arg;

	if (n->n_plugged == LIMIT_NODE_INTERFACES)
		return -ENOSPC;
	memcpy(n->plugged[n->n_plugged++], actual->id, DRIVER_ID_SIZE);
	return 0;
}

static void node_look(struct node *n, struct driver *d, bool interfaces)
{
	n->n_plugged = 0;
	n->result = driver_check(d, n->id, &n->found);
	/* Interfaces that cannot be listed are seen by the next full run. */
	if (!n->result && n->found.running && interfaces &&
	    driver_interfaces(d, n->id, node_see_interface, n))
		n->n_plugged = 0;
}

/* A port that stands keeps its program, but that of those that are watched may come or go. */
static int node_make_ready(const struct node *n, struct driver *d, const struct node_interface *ni)
{
	int r;

	if (ni->port.ifindex != ni->standing) {
		r = dp_preparer_prepare(n->preparer, ni->port.ifindex, ni->watched);
		return r ? r : driver_open(d, n->id, ni->interface.id);
	}
	return ni->was_watched ? 0 : dp_preparer_watch(n->preparer, ni->port.ifindex, ni->watched);
}

static void node_run(struct node *n, struct driver *d)
{
	n->stop_result = n->stop_first ? driver_stop(d, n->id) : 0;
	n->result = n->start ? driver_start(d, n->id, n->generation) : 0;
	for (size_t i = 0; i < n->n_unplug; i++)
		n->unplug_results[i] = driver_unplug(d, n->id, n->unplug[i]);
	for (size_t i = 0; !n->result && i < n->n_interfaces; i++) {
		struct node_interface *ni = &n->interfaces[i];

		ni->error = driver_plug(d, n->id, &ni->interface, &ni->port);
		if (!ni->error && n->preparer)
			ni->unready = node_make_ready(n, d, ni);
	}
}

static void node_change(struct node *n, struct driver *d)
{
	switch (n->change) {
	case NODE_FORGET:
		n->result = driver_forget(d, n->id);
		break;
	case NODE_STOP:
		n->result = driver_stop(d, n->id);
		break;
	case NODE_RUN:
		node_run(n, d);
		break;
	}
	if (n->preparer) /* devices may have gone */
		dp_preparer_tidy(n->preparer);
}

static void node_configure(struct node *n, struct driver *d)
{
	for (size_t i = 0; i < n->n_interfaces; i++) {
		struct node_interface *ni = &n->interfaces[i];

		if (!ni->configure)
			continue;
		ni->error = driver_online(d, n->id, ni->interface.id,
					  ipaddr_is_zero(&ni->address.addr) ? NULL : &ni->address);
		if (!ni->error && ni->addrs)
			ni->error = driver_addresses6(d, n->id, ni->interface.id, ni->addrs,
						      ni->n_addrs);
	}
}

static void node_on_run(struct driver_job *job, struct driver *d)
{
	struct node *n = container_of(job, struct node, job);

	switch (n->step) {
	case NODE_IDLE:
		break;
	case NODE_GLANCE:
	case NODE_LOOK:
		node_look(n, d, n->step == NODE_LOOK);
		break;
	case NODE_CHANGE:
		node_change(n, d);
		break;
	case NODE_CONFIGURE:
		node_configure(n, d);
		break;
	case NODE_CLEAN:
		n->result = driver_stop(d, n->id);
		break;
	}
}

/* ---- steps, in the loop ---- */

static void node_on_done(struct driver_job *job)
{
	struct node *n = container_of(job, struct node, job);

	n->preparer = dp_preparer_unref(n->preparer);
	n->nodes->done(n, n->nodes->arg);
}

int nodes_get(struct nodes *nodes, const char *id, struct node **ret)
{
	struct node *n = nodes_find(nodes, id);
	int e;

	if (n) {
		*ret = n;
		return 0;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	e = str_copy(n->id, sizeof(n->id), id);
	if (e) {
		free(n);
		return e;
	}
	n->nodes = nodes;
	n->job = (struct driver_job){.node = n->id, .run = node_on_run, .done = node_on_done};
	hmap_insert(&nodes->by_id, &n->by_id, hash_str(id));
	*ret = n;
	return 0;
}

void node_begin(struct node *n, enum node_step step)
{
	if (step != NODE_CONFIGURE)
		node_forget_addrs(n);
	n->step = step;
	if (step == NODE_CHANGE)
		n->preparer = dp_preparer_ref(n->nodes->preparer);
	driver_submit(n->nodes->driver, &n->job);
}

void node_rest(struct node *n)
{
	node_forget_addrs(n);
	n->step = NODE_IDLE;
}

bool node_asks_for(const struct node *n, const char *interface)
{
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (str_equal(n->interfaces[i].interface.id, interface))
			return true;
	return false;
}
