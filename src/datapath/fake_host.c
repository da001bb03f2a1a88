/* SPDX-License-Identifier: Apache-2.0 */
/* One host of a fake world: what outlives its agent, and its queues. */
#include "datapath/fake_tables.h"

#include <errno.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/fake_gateway.h"
#include "datapath/fake_peer.h"
#include "datapath/fake_spread.h"

static void free_frames(struct list *head)
{
	while (head && !list_empty(head)) {
		struct fake_frame *f = container_of(head->next, struct fake_frame, link);

		list_remove(&f->link);
		free(f);
	}
}

void fake_port_clear(struct fake_port *port)
{
	free_frames(port->received);
	free(port->received);
	free(port->connections);
}

struct fake_host *fake_host_find(struct fake_world *world, const char *name)
{
	for (struct list *l = world->hosts.next; l != &world->hosts; l = l->next) {
		struct fake_host *h = container_of(l, struct fake_host, link);

		if (!strcmp(h->name, name))
			return h;
	}
	return NULL;
}

int fake_host_new(struct fake_world *world, const struct dp_config *config, struct fake_host **ret)
{
	struct fake_host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->world = world;
	strncpy(h->name, config->name, sizeof(h->name) - 1);
	h->config = *config;
	h->config.name = h->name;
	h->ports.row_size = sizeof(struct fake_port);
	h->subnets.row_size = sizeof(struct dp_subnet);
	h->peers.row_size = sizeof(struct dp_peer);
	h->plans.row_size = sizeof(struct dp_peer);
	h->nexthops.row_size = sizeof(struct dp_nexthop);
	h->mappings.row_size = sizeof(struct dp_mapping);
	h->tables.row_size = sizeof(struct dp_table);
	h->peerings.row_size = sizeof(struct fake_peering);
	h->gateways.row_size = sizeof(struct fake_gateway);
	h->publics.row_size = sizeof(struct dp_public);
	h->pins.row_size = sizeof(struct fake_pin);
	h->departed.row_size = sizeof(struct fake_departed);
	h->groups.row_size = sizeof(struct dp_group);
	h->acls.row_size = sizeof(struct dp_acl);
	list_init(&h->upcalls);
	list_init(&h->events);
	h->upcall_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	h->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	list_push_back(&world->hosts, &h->link);
	if (h->upcall_fd < 0 || h->event_fd < 0 || fake_watch_init(&h->watch)) {
		fake_host_free(h);
		return -errno;
	}
	*ret = h;
	return 0;
}

static void free_upcalls(struct fake_host *h)
{
	while (!list_empty(&h->upcalls)) {
		struct fake_upcall *u = container_of(h->upcalls.next, struct fake_upcall, link);

		list_remove(&u->link);
		free(u->dp.frame);
		free(u);
	}
}

static void free_events(struct fake_host *h)
{
	while (!list_empty(&h->events)) {
		struct fake_event *e = container_of(h->events.next, struct fake_event, link);

		list_remove(&e->link);
		free(e);
	}
}

struct fake_host *fake_host_free(struct fake_host *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < h->ports.n; i++)
		fake_port_clear(fake_table_row(&h->ports, i));
	free(h->ports.rows);
	free(h->subnets.rows);
	fake_peer_free_all(h);
	free(h->nexthops.rows);
	free(h->mappings.rows);
	free(h->pins.rows);
	free(h->departed.rows);
	fake_gateway_free_all(h);
	for (size_t i = 0; i < h->groups.n; i++)
		free((void *)((struct dp_group *)fake_table_row(&h->groups, i))->rules);
	free(h->groups.rows);
	for (size_t i = 0; i < h->acls.n; i++)
		free((void *)((struct dp_acl *)fake_table_row(&h->acls, i))->entries);
	free(h->acls.rows);
	free_upcalls(h);
	free_events(h);
	fake_watch_deinit(&h->watch);
	if (h->upcall_fd >= 0)
		close(h->upcall_fd);
	if (h->event_fd >= 0)
		close(h->event_fd);
	list_remove(&h->link);
	free(h);
	return NULL;
}

static size_t queue_length(const struct list *head)
{
	size_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		n++;
	return n;
}

/* Makes the queue's descriptor readable exactly while something waits. */
static void show(int fd, const struct list *queue)
{
	uint64_t value = 1;
	ssize_t n;

	if (list_empty(queue))
		n = read(fd, &value, sizeof(value));
	else
		n = write(fd, &value, sizeof(value));
	(void)n; /* EAGAIN: it was so already */
}

/* With the tag of the port's record, as program 'delivered' puts it on. */
int fake_queue_frame(struct fake_port *port, const uint8_t *data, size_t size)
{
	const uint8_t tag[4] = {0x81, 0x00, (uint8_t)(port->dp.vlan >> 8), (uint8_t)port->dp.vlan};
	size_t n_tag = port->dp.vlan && size > (size_t)(2 * ETHER_ADDR_LEN) ? sizeof(tag) : 0;
	size_t head = n_tag ? (size_t)(2 * ETHER_ADDR_LEN) : 0;
	struct fake_frame *f;

	if (queue_length(port->received) >= FAKE_QUEUE_MAX)
		return -ENOSPC;
	f = malloc(sizeof(*f) + size + n_tag);
	if (!f)
		return -ENOMEM;
	f->size = size + n_tag;
	memcpy(f->data, data, head);
	memcpy(f->data + head, tag, n_tag);
	memcpy(f->data + head + n_tag, data + head, size - head);
	list_push_back(port->received, &f->link);
	port->counters.rx_packets++;
	port->counters.rx_bytes += size;
	return 0;
}

int fake_queue_upcall(struct fake_host *h, const struct dp_upcall *upcall, const uint8_t *frame,
		      size_t size)
{
	struct fake_upcall *u;

	if (queue_length(&h->upcalls) >= FAKE_QUEUE_MAX)
		return -ENOSPC;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->dp = *upcall;
	u->dp.size = size;
	u->dp.frame = malloc(size);
	if (!u->dp.frame) {
		free(u);
		return -ENOMEM;
	}
	memcpy(u->dp.frame, frame, size);
	list_push_back(&h->upcalls, &u->link);
	show(h->upcall_fd, &h->upcalls);
	return 0;
}

void fake_count_drop(struct fake_host *h, struct fake_port *port, const struct dp_drop_event *event)
{
	struct fake_event *e;

	if (port)
		port->drops[event->reason]++;
	else
		h->drops[event->reason]++;
	if (queue_length(&h->events) >= FAKE_QUEUE_MAX)
		return; /* events are samples: the count above is what is exact */
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	e->dp = *event;
	list_push_back(&h->events, &e->link);
	show(h->event_fd, &h->events);
}

int fake_upcall_fd(const struct datapath *dp)
{
	return fake_host_of(dp)->upcall_fd;
}

int fake_event_fd(const struct datapath *dp)
{
	return fake_host_of(dp)->event_fd;
}

int fake_upcall_read(struct datapath *dp, struct dp_upcall **ret)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_upcall *u;
	struct dp_upcall *out;

	if (list_empty(&h->upcalls))
		return -EAGAIN;
	out = malloc(sizeof(*out));
	if (!out)
		return -ENOMEM;
	u = container_of(h->upcalls.next, struct fake_upcall, link);
	list_remove(&u->link);
	show(h->upcall_fd, &h->upcalls);
	*out = u->dp;
	out->dp = dp;
	free(u);
	*ret = out;
	return 0;
}

int fake_event_read(struct datapath *dp, struct dp_drop_event *ret)
{
	struct fake_host *h = fake_host_of(dp);
	struct fake_event *e;

	if (list_empty(&h->events))
		return -EAGAIN;
	e = container_of(h->events.next, struct fake_event, link);
	list_remove(&e->link);
	show(h->event_fd, &h->events);
	*ret = e->dp;
	free(e);
	return 0;
}
