/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts: finding and removing them.  See host.h; adding is in host_add.c, what they report in
 * host_report.c.
 */
#include "model/host.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/ability.h"
#include "model/cidr.h"
#include "model/counters.h"
#include "model/edge.h"
#include "model/edit.h"
#include "model/host_edit.h"
#include "model/instance_edit.h"
#include "model/interface_edit.h"
#include "model/label_edit.h"
#include "model/nat_gateway_edit.h"
#include "model/pair_shift.h"
#include "model/placement_index.h"
#include "model/release_edit.h"
#include "model/zone.h"

const struct host *host_by_number(const struct model *m, uint32_t number)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_HOST_NUMBER, hash_u64(number));

	for (; n; n = hmap_next_at(n)) {
		const struct host *h = hmap_entry(n, const struct host, by_number);

		if (h->number == number)
			return h;
	}
	return NULL;
}

const struct host *host_find(const struct model *m, const char *id_or_name)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_HOST_NAME, hash_str(id_or_name));
	uint64_t id;

	if (!id_parse(KIND_HOST, id_or_name, &id) && model_get(m, KIND_HOST, id))
		return (const struct host *)model_get(m, KIND_HOST, id);
	for (; n; n = hmap_next_at(n)) {
		const struct host *h = hmap_entry(n, const struct host, by_name);

		if (str_equal(h->name, id_or_name))
			return h;
	}
	return NULL;
}

void host_set_connected(struct model *m, uint32_t number, bool connected)
{
	struct host_state *s = host_state_find(m, number);

	if (!s)
		return;
	s->connected = connected;
	s->silent = false;
	placement_index_refresh(m, number);
}

void host_set_acknowledged(struct model *m, uint32_t number, uint64_t revision)
{
	struct host_state *s = host_state_find(m, number);

	if (s)
		s->acknowledged = revision;
}

bool host_is_lost(struct model *m, uint32_t number, uint64_t now_ms)
{
	struct host_state *s = host_state_find(m, number);

	if (!s || s->connected) {
		if (s)
			s->lost_ms = 0;
		return false;
	}
	if (!s->lost_ms)
		s->lost_ms = now_ms ? now_ms : 1;
	return s->silent || now_ms >= s->lost_ms + LIMIT_MODEL_EDGE_LOST_MS;
}

void host_set_silent(struct model *m, uint32_t number)
{
	struct host_state *s = host_state_find(m, number);

	if (s)
		s->silent = !s->connected;
}

bool host_is_connected(const struct model *m, uint32_t number)
{
	const struct host_state *s = host_state_find(m, number);

	return s && s->connected;
}

bool host_is_capable(const struct host *h)
{
	struct ability a = ability_of(h);

	return a.formats;
}

const struct host *host_of_other_config(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;

		if (!zone_find(m, h->zone))
			return h;
		if (h->locators.siit1.len && !prefix_covers(&m->organisation, &h->locators.siit1))
			return h;
		if (h->locators.siit2.len && !prefix_covers(&m->organisation, &h->locators.siit2))
			return h;
	}
	return NULL;
}

size_t host_instance_count(const struct model *m, uint32_t number)
{
	return model_group_count(m, REL_HOST_INSTANCES, number);
}

/* ---- operators ---- */

int host_need_operator(const struct caller *c, struct refusal *reterr)
{
	return c->is_operator ? 0
			      : refuse(reterr, MODEL_E_NOT_PERMITTED, "Hosts are the operators'");
}

int host_of_operator(const struct model *m, const struct caller *c, const char *id,
		     const struct host **ret, struct refusal *reterr)
{
	int r = host_need_operator(c, reterr);

	*ret = r ? NULL : host_find(m, id);
	return r || *ret ? r : refuse(reterr, MODEL_E_HOST_NOT_FOUND, id);
}

/* ---- removing ---- */

static int end_instances(struct tx *tx, const struct host *h)
{
	struct instance_reason reason = {"Server.HostRemoved", "An operator removed the host"};
	struct model_iter it = model_iter_group(tx->m, REL_HOST_INSTANCES, h->number);
	const struct object *o = model_iter_next(&it);

	while (o) {
		const struct object *next = model_iter_next(&it);
		const struct instance *n = (const struct instance *)o;
		int r = 0;

		if (n->state != INSTANCE_SHUTTING_DOWN)
			r = instance_begin_end(tx, n, reason, &n);
		if (!r)
			r = instance_finish(tx, n, &n);
		if (r)
			return r;
		o = next;
	}
	return 0;
}

/* Off a foreign host. */
static int take_off_interfaces(struct tx *tx, const struct host *h)
{
	struct model_iter it = model_iter_group(tx->m, REL_HOST_INTERFACES, h->number);
	const struct object *o = h->foreign ? model_iter_next(&it) : NULL;
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);

		r = interface_take_off(
			tx, interface_attachment_at((const struct interface *)o, h->number));
		o = next;
	}
	return r;
}

static int do_remove(struct tx *tx, const struct host *h)
{
	int r = end_instances(tx, h);

	if (!r)
		r = take_off_interfaces(tx, h);
	/* what it has not acknowledged it never will */
	if (!r)
		r = release_acknowledge(tx, h->number, UINT64_MAX, NULL, 0);
	if (!r)
		r = nat_gateway_acknowledge(tx, h->number, UINT64_MAX, NULL, 0);
	if (!r)
		r = edge_evacuate(tx, h);
	if (!r)
		r = pair_shift_forget(tx, h->number);
	return r ? r : tx_delete(tx, &h->o);
}

int host_remove(struct tx *tx, const struct caller *c, const char *id, bool force,
		struct refusal *reterr)
{
	const struct host *h;
	size_t mark = tx_mark(tx);
	char text[24];
	size_t n;
	int r = host_of_operator(tx->m, c, id, &h, reterr);

	if (r)
		return r;
	n = host_instance_count(tx->m, h->number);
	if (n && !force) {
		r = str_format(text, sizeof(text), "%zu", n);
		return r ? r : refuse(reterr, MODEL_E_HOST_DEPENDENCY, h->name, text);
	}
	n = h->foreign ? model_group_count(tx->m, REL_HOST_INTERFACES, h->number) : 0;
	if (n && !force) {
		r = str_format(text, sizeof(text), "%zu", n);
		return r ? r : refuse(reterr, MODEL_E_HOST_INTERFACES, h->name, text);
	}
	n = h->edge && host_is_connected(tx->m, h->number) ? edge_load(tx->m, h->number) : 0;
	if (n && !force) {
		r = str_format(text, sizeof(text), "%zu", n);
		return r ? r : refuse(reterr, MODEL_E_HOST_EDGE, h->name, text);
	}
	return tx_settle(tx, mark, do_remove(tx, h));
}
