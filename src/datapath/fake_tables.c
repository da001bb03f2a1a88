/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the fake data plane: rows, and how they are found. */
#include "datapath/fake_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one row more, zeroed. */
void *fake_table_row_add(struct fake_table *t)
{
	if (t->n == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 16;
		uint8_t *rows = reallocarray(t->rows, capacity, t->row_size);

		if (!rows)
			return NULL;
		t->rows = rows;
		t->capacity = capacity;
	}
	memset(fake_table_row(t, t->n), 0, t->row_size);
	return fake_table_row(t, t->n++);
}

void fake_table_row_remove(struct fake_table *t, void *r)
{
	void *last = fake_table_row(t, --t->n);

	if (r != last)
		memcpy(r, last, t->row_size);
}

struct fake_port *fake_port_find(struct fake_host *h, uint32_t id)
{
	for (size_t i = 0; i < h->ports.n; i++) {
		struct fake_port *p = fake_table_row(&h->ports, i);

		if (p->dp.id == id)
			return p;
	}
	return NULL;
}

struct fake_port *fake_port_by_addr(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->ports.n; i++) {
		struct fake_port *p = fake_table_row(&h->ports, i);

		for (size_t k = 0; p->dp.vni == vni && k < p->dp.n_addrs; k++) {
			if (ipaddr_equal(&p->dp.addrs[k], addr))
				return p;
		}
	}
	return NULL;
}

struct dp_subnet *fake_subnet_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	struct dp_subnet *best = NULL;

	for (size_t i = 0; i < h->subnets.n; i++) {
		struct dp_subnet *s = fake_table_row(&h->subnets, i);

		if (s->vni == vni && prefix_contains(&s->prefix, addr) &&
		    (!best || s->prefix.len > best->prefix.len))
			best = s;
	}
	return best;
}

struct dp_mapping *fake_mapping_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr)
{
	for (size_t i = 0; i < h->mappings.n; i++) {
		struct dp_mapping *m = fake_table_row(&h->mappings, i);

		if (m->vni == vni && ipaddr_equal(&m->addr, addr))
			return m;
	}
	return NULL;
}

struct dp_group *fake_group_find(struct fake_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->groups.n; i++) {
		struct dp_group *g = fake_table_row(&h->groups, i);

		if (g->number == number)
			return g;
	}
	return NULL;
}

struct dp_acl *fake_acl_find(struct fake_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->acls.n; i++) {
		struct dp_acl *a = fake_table_row(&h->acls, i);

		if (a->number == number)
			return a;
	}
	return NULL;
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

int fake_table_put(struct fake_table *t, void *found, const void *record)
{
	void *r = found ? found : fake_table_row_add(t);

	if (!r)
		return -ENOMEM;
	memcpy(r, record, t->row_size);
	return 0;
}

int fake_table_drop(struct fake_table *t, void *found)
{
	if (!found)
		return -ENOENT;
	fake_table_row_remove(t, found);
	return 0;
}
