/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ports.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"

void ports_init(struct ports *p)
{
	*p = (struct ports){0};
	hmap_init(&p->by_id);
	hmap_init(&p->by_interface);
}

void ports_clear(struct ports *p)
{
	struct port *port;

	hmap_for_each (port, &p->by_id, by_id)
		ports_remove(p, port);
}

void ports_deinit(struct ports *p)
{
	ports_clear(p);
	hmap_deinit(&p->by_id);
	hmap_deinit(&p->by_interface);
}

struct port *ports_find(const struct ports *p, uint32_t id)
{
	struct port *port;

	hmap_for_each_at (port, &p->by_id, hash_u64(id), by_id)
		if (port->dp.id == id)
			return port;
	return NULL;
}

struct port *ports_find_interface(const struct ports *p, const char *interface_id)
{
	struct port *port;

	hmap_for_each_at (port, &p->by_interface, hash_str(interface_id), by_interface)
		if (str_equal(port->interface_id, interface_id))
			return port;
	return NULL;
}

static int ports_add(struct ports *p, const struct dp_port *dp, struct port **ret)
{
	struct port *port = calloc(1, sizeof(*port));

	if (!port)
		return -ENOMEM;
	port->dp = *dp;
	hmap_insert(&p->by_id, &port->by_id, hash_u64(dp->id));
	*ret = port;
	return 0;
}

static int ports_adopt_one(const struct dp_port *dp, void *arg)
{
	struct ports *p = arg;
	struct port *port;
	int e = ports_add(p, dp, &port);

	if (e)
		return e;
	port->set = true;
	if (dp->id > p->last_id)
		p->last_id = dp->id;
	return 0;
}

int ports_adopt(struct ports *p, struct datapath *dp)
{
	return datapath_ports(dp, ports_adopt_one, p);
}

/* An adopted port that is nobody's yet and can be this interface's. */
static struct port *ports_find_adopted(const struct ports *p, uint32_t vni, const struct mac *mac)
{
	struct port *port;

	hmap_for_each (port, &p->by_id, by_id)
		if (!*port->interface_id && port->dp.vni == vni && mac_equal(&port->dp.mac, mac))
			return port;
	return NULL;
}

struct port *ports_find_standing(const struct ports *p, const char *interface_id, uint32_t vni,
				 const struct mac *mac)
{
	return ports_find_interface(p, interface_id) ?: ports_find_adopted(p, vni, mac);
}

static int ports_new_id(struct ports *p, uint32_t *ret)
{
	if (hmap_count(&p->by_id) >= LIMIT_AGENT_PORTS)
		return -ENOSPC;
	do
		p->last_id = p->last_id % LIMIT_AGENT_PORTS + 1;
	while (ports_find(p, p->last_id));
	*ret = p->last_id;
	return 0;
}

int ports_get(struct ports *p, const char *interface_id, uint32_t vni, const struct mac *mac,
	      struct port **ret)
{
	struct port *port = ports_find_interface(p, interface_id);
	struct dp_port fresh = {0};
	int e = 0;

	if (port) {
		*ret = port;
		return 0;
	}
	port = ports_find_adopted(p, vni, mac);
	if (!port) {
		e = ports_new_id(p, &fresh.id);
		if (!e)
			e = ports_add(p, &fresh, &port);
	}
	if (e)
		return e;
	e = str_copy(port->interface_id, sizeof(port->interface_id), interface_id);
	if (e) {
		if (!port->set)
			ports_remove(p, port);
		return e;
	}
	hmap_insert(&p->by_interface, &port->by_interface, hash_str(interface_id));
	/* an adopted one, too: who had it may not have come to configuring its node */
	port->version++;
	*ret = port;
	return 0;
}

void ports_remove(struct ports *p, struct port *port)
{
	hmap_remove(&p->by_id, &port->by_id);
	if (*port->interface_id)
		hmap_remove(&p->by_interface, &port->by_interface);
	free(port->mirrors);
	free(port);
}
