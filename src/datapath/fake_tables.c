/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the fake data plane and the contract's operations on them. */
#include "datapath/fake_tables.h"

#include <errno.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/fake_device.h"
#include "datapath/fake_gateway.h"
#include "datapath/fake_peer.h"
#include "datapath/fake_spread.h"

/* ---- rows ---- */

static void *row(const struct fake_table *t, size_t i)
{
	return t->rows + i * t->row_size;
}

/* Room for one row more, zeroed. */
static void *row_add(struct fake_table *t)
{
	if (t->n == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 16;
		uint8_t *rows = reallocarray(t->rows, capacity, t->row_size);

		if (!rows)
			return NULL;
		t->rows = rows;
		t->capacity = capacity;
	}
	memset(row(t, t->n), 0, t->row_size);
	return row(t, t->n++);
}

static void row_remove(struct fake_table *t, void *r)
{
	void *last = row(t, --t->n);

	if (r != last)
		memcpy(r, last, t->row_size);
}

static void free_frames(struct list *head)
{
	while (head && !list_empty(head)) {
		struct fake_frame *f = container_of(head->next, struct fake_frame, link);

		list_remove(&f->link);
		free(f);
	}
}

static void port_clear(struct fake_port *port)
{
	free_frames(port->received);
	free(port->received);
	free(port->connections);
}

/* ---- look-ups ---- */

struct fake_host *fake_host_find(struct fake_world *world, const char *name)
{
	for (struct list *l = world->hosts.next; l != &world->hosts; l = l->next) {
		struct fake_host *h = container_of(l, struct fake_host, link);

		if (!strcmp(h->name, name))
			return h;
	}
	return NULL;
}

struct fake_port *fake_port_find(struct fake_host *h, uint32_t id)
{
	for (size_t i = 0; i < h->ports.n; i++) {
		struct fake_port *p = row(&h->ports, i);

		if (p->dp.id == id)
			return p;
	}
	return NULL;
}

struct fake_port *fake_port_by_addr(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->ports.n; i++) {
		struct fake_port *p = row(&h->ports, i);

		for (size_t k = 0; p->dp.vni == vni && k < p->dp.n_addrs; k++) {
			if (ipaddr_equal(&p->dp.addrs[k], addr))
				return p;
		}
	}
	return NULL;
}

static struct dp_subnet *subnet_exact(struct fake_host *h, uint32_t vni,
				      const struct prefix *prefix)
{
	for (size_t i = 0; i < h->subnets.n; i++) {
		struct dp_subnet *s = row(&h->subnets, i);

		if (s->vni == vni && prefix_equal(&s->prefix, prefix))
			return s;
	}
	return NULL;
}

struct dp_subnet *fake_subnet_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	struct dp_subnet *best = NULL;

	for (size_t i = 0; i < h->subnets.n; i++) {
		struct dp_subnet *s = row(&h->subnets, i);

		if (s->vni == vni && prefix_contains(&s->prefix, addr) &&
		    (!best || s->prefix.len > best->prefix.len))
			best = s;
	}
	return best;
}

static struct dp_nexthop *nexthop_find(struct fake_host *h, uint32_t id)
{
	for (size_t i = 0; i < h->nexthops.n; i++) {
		struct dp_nexthop *n = row(&h->nexthops, i);

		if (n->id == id)
			return n;
	}
	return NULL;
}

struct dp_mapping *fake_mapping_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->mappings.n; i++) {
		struct dp_mapping *m = row(&h->mappings, i);

		if (m->vni == vni && ipaddr_equal(&m->addr, addr))
			return m;
	}
	return NULL;
}

struct dp_group *fake_group_find(struct fake_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->groups.n; i++) {
		struct dp_group *g = row(&h->groups, i);

		if (g->number == number)
			return g;
	}
	return NULL;
}

struct dp_acl *fake_acl_find(struct fake_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->acls.n; i++) {
		struct dp_acl *a = row(&h->acls, i);

		if (a->number == number)
			return a;
	}
	return NULL;
}

/* ---- hosts ---- */

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
		port_clear(row(&h->ports, i));
	free(h->ports.rows);
	free(h->subnets.rows);
	fake_peer_free_all(h);
	free(h->nexthops.rows);
	free(h->mappings.rows);
	free(h->pins.rows);
	free(h->departed.rows);
	fake_gateway_free_all(h);
	for (size_t i = 0; i < h->groups.n; i++)
		free((void *)((struct dp_group *)row(&h->groups, i))->rules);
	free(h->groups.rows);
	for (size_t i = 0; i < h->acls.n; i++)
		free((void *)((struct dp_acl *)row(&h->acls, i))->entries);
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

/* ---- queues ---- */

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

/* ---- the contract's operations ---- */

static struct fake_host *host_of(const struct datapath *dp)
{
	return ((const struct fake_datapath *)dp)->host;
}

static struct datapath *op_close(struct datapath *dp)
{
	host_of(dp)->open = false;
	dp_preparer_unref(dp->preparer);
	free(dp);
	return NULL;
}

static void op_adoption(const struct datapath *dp, struct dp_adoption *ret)
{
	*ret = container_of(dp, const struct fake_datapath, base)->adoption;
}

static int op_activate(struct datapath *dp)
{
	host_of(dp)->formats = container_of(dp, struct fake_datapath, base)->formats;
	return 0;
}

static int op_substrate_set(struct datapath *dp, int ifindex)
{
	struct fake_host *h = host_of(dp);

	if (h->devices.fail_substrate)
		return h->devices.fail_substrate;
	h->config.substrate_ifindex = ifindex;
	h->devices.n_substrates++;
	return 0;
}

bool fake_has_departed(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->departed.n; i++) {
		const struct fake_departed *d = (const struct fake_departed *)h->departed.rows + i;

		if (d->vni == vni && ipaddr_equal(&d->addr, addr))
			return true;
	}
	return false;
}

/* Remembers the addresses of 'was' that 'is' (NULL: nothing) has not.  Without memory nobody is
 * told. */
static void note_departed(struct fake_host *h, const struct dp_port *was, const struct dp_port *is)
{
	for (uint32_t i = 0; i < was->n_addrs; i++) {
		struct fake_departed d = {.vni = was->vni, .addr = was->addrs[i]};
		uint32_t k = 0;

		while (is && is->vni == was->vni && k < is->n_addrs &&
		       !ipaddr_equal(&is->addrs[k], &d.addr))
			k++;
		if ((!is || is->vni != was->vni || k == is->n_addrs) &&
		    !fake_has_departed(h, d.vni, &d.addr))
			(void)!fake_table_put(&h->departed, NULL, &d);
	}
}

static int op_port_set(struct datapath *dp, const struct dp_port *port)
{
	struct fake_host *h = host_of(dp);
	struct fake_port *p = fake_port_find(h, port->id);

	if (!port->id || !port->vni || port->n_addrs > DP_PORT_ADDRS_MAX ||
	    port->n_groups > DP_GROUPS_MAX)
		return -EINVAL;
	if (!p) {
		struct list *received = malloc(sizeof(*received));

		if (!received)
			return -ENOMEM;
		p = row_add(&h->ports);
		if (!p) {
			free(received);
			return -ENOMEM;
		}
		list_init(received);
		p->received = received;
	}
	if (p->dp.ifindex != port->ifindex)
		fake_device_enter(h, port);
	else if (port->logged || port->vlan)
		fake_device_watch(h, &p->dp);
	note_departed(h, &p->dp, port);
	p->dp = *port;
	return 0;
}

static int op_port_delete(struct datapath *dp, uint32_t id)
{
	struct fake_host *h = host_of(dp);
	struct fake_port *p = fake_port_find(h, id);

	if (!p)
		return -ENOENT;
	note_departed(h, &p->dp, NULL);
	fake_watch_forget_port(h, id);
	port_clear(p);
	row_remove(&h->ports, p);
	return 0;
}

int fake_table_put(struct fake_table *t, void *found, const void *record)
{
	void *r = found ? found : row_add(t);

	if (!r)
		return -ENOMEM;
	memcpy(r, record, t->row_size);
	return 0;
}

int fake_table_drop(struct fake_table *t, void *found)
{
	if (!found)
		return -ENOENT;
	row_remove(t, found);
	return 0;
}

static int op_subnet_set(struct datapath *dp, const struct dp_subnet *s)
{
	struct fake_host *h = host_of(dp);

	return fake_table_put(&h->subnets, subnet_exact(h, s->vni, &s->prefix), s);
}

static int op_subnet_delete(struct datapath *dp, uint32_t vni, const struct prefix *prefix)
{
	struct fake_host *h = host_of(dp);

	return fake_table_drop(&h->subnets, subnet_exact(h, vni, prefix));
}

/* What is sealed arrives sealed, without a device. */
static const char *op_seal_device(const struct datapath *dp)
{
	return "";
}

static int op_nexthop_set(struct datapath *dp, const struct dp_nexthop *nexthop)
{
	struct fake_host *h = host_of(dp);

	return fake_table_put(&h->nexthops, nexthop_find(h, nexthop->id), nexthop);
}

static int op_nexthop_delete(struct datapath *dp, uint32_t id)
{
	struct fake_host *h = host_of(dp);

	return fake_table_drop(&h->nexthops, nexthop_find(h, id));
}

static int op_mapping_set(struct datapath *dp, const struct dp_mapping *m)
{
	struct fake_host *h = host_of(dp);
	struct dp_mapping *found = fake_mapping_find(h, m->vni, &m->addr);

	if (!found && h->config.max_mappings && h->mappings.n >= h->config.max_mappings)
		return -ENOSPC;
	return fake_table_put(&h->mappings, found, m);
}

static int op_mapping_delete(struct datapath *dp, uint32_t vni, const struct ipaddr *addr)
{
	struct fake_host *h = host_of(dp);

	return fake_table_drop(&h->mappings, fake_mapping_find(h, vni, addr));
}

int fake_group_put(struct fake_host *h, const struct dp_group *group)
{
	struct dp_group *found = fake_group_find(h, group->number);
	void *was = found ? (void *)found->rules : NULL;
	int r = fake_table_put(&h->groups, found, group);

	free(r ? (void *)group->rules : was);
	return r;
}

int fake_acl_put(struct fake_host *h, const struct dp_acl *acl)
{
	struct dp_acl *found = fake_acl_find(h, acl->number);
	void *was = found ? (void *)found->entries : NULL;
	int r = fake_table_put(&h->acls, found, acl);

	free(r ? (void *)acl->entries : was);
	return r;
}

static int op_group_delete(struct datapath *dp, uint32_t number)
{
	struct fake_host *h = host_of(dp);
	struct dp_group *found = fake_group_find(h, number);

	if (found)
		free((void *)found->rules);
	return fake_table_drop(&h->groups, found);
}

static int op_acl_delete(struct datapath *dp, uint32_t number)
{
	struct fake_host *h = host_of(dp);
	struct dp_acl *found = fake_acl_find(h, number);

	if (found)
		free((void *)found->entries);
	return fake_table_drop(&h->acls, found);
}

/* One walk for all tables; a row begins with the contract's record. */
#define OP_WALK(name, table, type)                                                                 \
	static int op_##name(struct datapath *dp, int (*fn)(const type *, void *), void *arg)      \
	{                                                                                          \
		struct fake_host *h = host_of(dp);                                                 \
		int r = 0;                                                                         \
                                                                                                   \
		for (size_t i = 0; !r && i < h->table.n; i++)                                      \
			r = fn(row(&h->table, i), arg);                                            \
		return r;                                                                          \
	}
OP_WALK(ports, ports, struct dp_port)
OP_WALK(subnets, subnets, struct dp_subnet)
OP_WALK(peers, peers, struct dp_peer)
OP_WALK(mappings, mappings, struct dp_mapping)
#undef OP_WALK

/* Rows that are shown by their number, which comes first. */
static int walk_numbers(struct fake_table *t, int (*fn)(uint32_t number, void *), void *arg)
{
	int r = 0;

	for (size_t i = 0; !r && i < t->n; i++)
		r = fn(*(const uint32_t *)row(t, i), arg);
	return r;
}

static int op_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	static_assert(!offsetof(struct dp_group, number), "first");
	return walk_numbers(&host_of(dp)->groups, fn, arg);
}

static int op_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	static_assert(!offsetof(struct dp_acl, number), "first");
	return walk_numbers(&host_of(dp)->acls, fn, arg);
}

static int op_upcall_fd(const struct datapath *dp)
{
	return host_of(dp)->upcall_fd;
}

static int op_event_fd(const struct datapath *dp)
{
	return host_of(dp)->event_fd;
}

static int op_upcall_read(struct datapath *dp, struct dp_upcall **ret)
{
	struct fake_host *h = host_of(dp);
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

static int op_event_read(struct datapath *dp, struct dp_drop_event *ret)
{
	struct fake_host *h = host_of(dp);
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

static int op_deliver(struct datapath *dp, uint32_t port, const uint8_t *frame, size_t size)
{
	struct fake_port *p = fake_port_find(host_of(dp), port);

	return p ? fake_queue_frame(p, frame, size) : -ENOENT;
}

static int op_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n)
{
	struct fake_host *h = host_of(dp);
	struct fake_port *p = fake_port_find(h, port);

	if (port && !p)
		return -ENOENT;
	for (size_t i = 0; i < n; i++)
		ret[i] = i >= DROP_REASON_MAX ? 0 : port ? p->drops[i] : h->drops[i];
	return 0;
}

static int op_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret)
{
	struct fake_port *p = fake_port_find(host_of(dp), port);

	if (!p)
		return -ENOENT;
	*ret = p->counters;
	return 0;
}

static int op_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX])
{
	memcpy(ret, host_of(dp)->traffic, sizeof(host_of(dp)->traffic));
	return 0;
}

const struct datapath_ops fake_ops = {
	.close = op_close,
	.activate = op_activate,
	.adoption = op_adoption,
	.substrate_set = op_substrate_set,
	.port_set = op_port_set,
	.port_delete = op_port_delete,
	.subnet_set = op_subnet_set,
	.subnet_delete = op_subnet_delete,
	.peer_plan = fake_peer_plan,
	.variant_class = fake_variant_class,
	.peer_set = fake_peer_set,
	.peer_delete = fake_peer_delete,
	.nexthop_set = op_nexthop_set,
	.nexthop_delete = op_nexthop_delete,
	.mapping_set = op_mapping_set,
	.mapping_delete = op_mapping_delete,
	.group_set = fake_group_set,
	.group_delete = op_group_delete,
	.acl_set = fake_acl_set,
	.acl_delete = op_acl_delete,
	.ports = op_ports,
	.subnets = op_subnets,
	.peers = op_peers,
	.peer_held = fake_peer_held,
	.seal_device = op_seal_device,
	.mappings = op_mappings,
	.table_set = fake_table_set,
	.table_delete = fake_table_delete,
	.tables = fake_tables,
	.peering_set = fake_peering_set,
	.peering_delete = fake_peering_delete,
	.peerings = fake_peerings,
	.gateway_set = fake_gateway_set,
	.gateway_delete = fake_gateway_delete,
	.gateway_device = fake_gateway_device,
	.gateways = fake_gateways,
	.gateway_counters = fake_gateway_counters,
	.public_set = fake_public_set,
	.public_delete = fake_public_delete,
	.publics = fake_publics,
	.groups = op_groups,
	.acls = op_acls,
	.connections = fake_connections,
	.upcall_fd = op_upcall_fd,
	.upcall_read = op_upcall_read,
	.reinject = fake_reinject,
	.deliver = op_deliver,
	.event_fd = op_event_fd,
	.event_read = op_event_read,
	.drops = op_drops,
	.counters = op_counters,
	.traffic = op_traffic,
	.window_close = fake_window_close,
	.window = fake_window,
	.window_forget = fake_window_forget,
	.records = fake_records,
	.records_skipped = fake_records_skipped,
	.mirror_set = fake_mirror_set,
	.copy_fd = fake_copy_fd,
	.copy_read = fake_copy_read,
	.copy_send = fake_copy_send,
};
