/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses on their way from one interface to another.  See release.h.
 */
#include "model/address.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/release_edit.h"

const struct release *release_find_move(const struct model *m, uint64_t to,
					const struct ipaddr *addr)
{
	struct model_iter it = model_iter_group(m, REL_INTERFACE_MOVES, to);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (ipaddr_equal(&((const struct release *)o)->addr, addr))
			return (const struct release *)o;
	return NULL;
}

int release_wait(struct tx *tx, struct release *rel, const struct interface *i)
{
	size_t n = interface_attachment_count(i);
	uint64_t *more = n > 1 ? calloc(n, sizeof(*more)) : NULL;

	if (n > 1 && !more)
		return -ENOMEM;
	free(rel->more_hosts);
	rel->more_hosts = more;
	rel->n_more_hosts = 0;
	rel->wait_revision = 0;
	for (size_t k = 0; k < n; k++) {
		const struct attachment *a = interface_attachment(i, k);

		if (!attachment_is_live(tx->m, a))
			continue;
		if (rel->wait_revision)
			more[rel->n_more_hosts++] = a->host;
		else
			rel->host = a->host;
		rel->wait_revision = tx->revision;
	}
	if (!rel->n_more_hosts) {
		free(rel->more_hosts);
		rel->more_hosts = NULL;
	}
	return 0;
}

int release_begin_move(struct tx *tx, const struct interface *from, const struct private_addr *a,
		       uint64_t to, bool back)
{
	const struct release *before = release_find_move(tx->m, from->o.id, &a->addr);
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct release *rel;
	int r = before ? tx_delete(tx, &before->o) : 0;

	if (!r)
		r = tx_make(tx, KIND_RELEASE, from->o.account, &o);
	if (r)
		return r;
	rel = (struct release *)o;
	rel->vni = from->vni;
	rel->addr = a->addr;
	rel->subnet = from->subnet;
	rel->host = from->attachment.host;
	rel->from = from->o.id;
	rel->to = to;
	rel->back = back;
	r = release_wait(tx, rel, from);
	return r ? r : tx_put(tx, NULL, &o);
}

int release_end_move(struct tx *tx, const struct release *rel)
{
	struct release *new = NULL;
	int r = TX_EDIT(tx, rel, &new);

	if (r)
		return r;
	new->to = 0;
	new->since = tx->revision;
	return TX_PUT(tx, rel, &new);
}

/* The host has nothing to acknowledge any more. */
static int stop_waiting(struct tx *tx, const struct release *rel)
{
	struct release *new = NULL;
	int r = TX_EDIT(tx, rel, &new);

	if (r)
		return r;
	new->wait_revision = 0;
	r = TX_PUT(tx, rel, &new);
	if (r)
		return r;
	rel = (const struct release *)model_get(tx->m, KIND_RELEASE, rel->o.id);
	return release_is_settled(tx->m, rel) ? tx_delete(tx, &rel->o) : 0;
}

int release_arrive(struct tx *tx, const struct release *rel)
{
	const struct interface *to =
		(const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->to);
	size_t place = to ? address_index(to, &rel->addr) : 0;
	struct interface *new = NULL;
	struct release *moved = NULL;
	struct private_addr *a;
	uint32_t was;
	int r;

	/* of a store of another origin, perhaps: what leads nowhere ends */
	if (!to || place == to->n_addrs)
		return tx_delete(tx, &rel->o);
	r = TX_EDIT(tx, to, &new);
	if (r)
		return r;
	a = &new->addrs[place];
	was = interface_addr_host(new, place);
	a->arriving = false;
	a->at = 0;
	/* whoever knows where it was need not hear of a move within a host */
	if (interface_addr_host(new, place) != was)
		a->revision = tx->revision;
	r = TX_PUT(tx, to, &new);
	if (!r)
		r = TX_EDIT(tx, rel, &moved);
	if (r)
		return r;
	to = (const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->to);
	moved->step = RELEASE_ARRIVING;
	moved->host = to->attachment.host;
	r = release_wait(tx, moved, to);
	if (r) {
		record_free(&moved->o);
		return r;
	}
	r = TX_PUT(tx, rel, &moved);
	if (r)
		return r;
	rel = (const struct release *)model_get(tx->m, KIND_RELEASE, rel->o.id);
	return release_is_settled(tx->m, rel) ? tx_delete(tx, &rel->o) : 0;
}

/* The address of 'second' at 'place' is one of 'first' that arrives. */
static int hand_back(struct tx *tx, const struct interface *second, size_t place,
		     const struct interface *first)
{
	struct private_addr a = second->addrs[place];
	uint32_t at = interface_addr_host(second, place);
	struct interface *without = NULL, *with = NULL;
	int r = TX_EDIT(tx, second, &without);

	if (r)
		return r;
	address_drop(without, place);
	r = TX_PUT(tx, second, &without);
	if (!r)
		r = TX_EDIT(tx, first, &with);
	if (r)
		return r;
	r = address_append(with, &a.addr, a.revision);
	if (r) {
		record_free(&with->o);
		return r;
	}
	with->addrs[with->n_addrs - 1].arriving = true;
	with->addrs[with->n_addrs - 1].at = at;
	return TX_PUT(tx, first, &with);
}

/* The new host cannot carry it: back to the first one, which gets it when whoever has it has let it
 * go. */
static int turn_back(struct tx *tx, const struct release *rel, const struct interface *first)
{
	const struct interface *second =
		(const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->to);
	size_t place = second ? address_index(second, &rel->addr) : 0;
	struct release *new = NULL;
	struct private_addr a;
	int r;

	if (!second || place == second->n_addrs)
		return tx_delete(tx, &rel->o);
	a = second->addrs[place];
	r = hand_back(tx, second, place, first);
	if (r)
		return r;
	second = (const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->to);
	if (rel->step == RELEASE_ARRIVING)
		return release_begin_move(tx, second, &a, rel->from, true);
	r = TX_EDIT(tx, rel, &new);
	if (r)
		return r;
	new->to = rel->from;
	new->back = true;
	return TX_PUT(tx, rel, &new);
}

/* A move to the interface that can go back. */
static const struct release *find_forth(const struct model *m, uint64_t to)
{
	struct model_iter it = model_iter_group(m, REL_INTERFACE_MOVES, to);
	const struct release *rel;

	while ((rel = (const struct release *)model_iter_next(&it)))
		if (!rel->back && rel->from != to && model_get(m, KIND_INTERFACE, rel->from))
			return rel;
	return NULL;
}

int release_turn_all_back(struct tx *tx, uint64_t to)
{
	const struct release *rel;
	int r = 0;

	while (!r && (rel = find_forth(tx->m, to)))
		r = turn_back(
			tx, rel,
			(const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->from));
	return r;
}

static bool has_failed(const struct release *rel, const struct host_failure *failed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (failed[i].kind == KIND_INTERFACE && failed[i].id == rel->to)
			return true;
	return false;
}

/* Of several hosts that are waited for this one has acknowledged. */
static int forget_host(struct tx *tx, const struct release *rel, uint32_t host)
{
	struct release *left = NULL;
	size_t k = 0;
	int r = TX_EDIT(tx, rel, &left);

	if (r)
		return r;
	if (left->host == host)
		left->host = (uint32_t)left->more_hosts[--left->n_more_hosts];
	while (k < left->n_more_hosts && left->more_hosts[k] != host)
		k++;
	if (k < left->n_more_hosts)
		left->more_hosts[k] = left->more_hosts[--left->n_more_hosts];
	return TX_PUT(tx, rel, &left);
}

static bool names_host(const struct release *rel, uint32_t host)
{
	for (size_t k = 0; k < rel->n_more_hosts; k++)
		if (rel->more_hosts[k] == host)
			return true;
	return false;
}

bool release_host_waits(const struct model *m, uint32_t number, uint64_t revision)
{
	struct model_iter it = model_iter_group(m, REL_HOST_WAITING_RELEASES, number);
	struct model_iter wide = model_iter_group(m, REL_WIDE_RELEASES, 0);
	const struct release *rel;

	while ((rel = (const struct release *)model_iter_next(&it)))
		if (rel->wait_revision <= revision)
			return true;
	while ((rel = (const struct release *)model_iter_next(&wide)))
		if (rel->wait_revision <= revision && names_host(rel, number))
			return true;
	return false;
}

/* It arrives, and one of the hosts cannot carry it. */
static bool arrives_not(struct tx *tx, const struct release *rel, const struct host_failure *failed,
			size_t n_failed)
{
	return rel->step == RELEASE_ARRIVING && !rel->back && has_failed(rel, failed, n_failed) &&
	       model_get(tx->m, KIND_INTERFACE, rel->from);
}

/* It arrives at a node of which the host has not said yet whether it can carry it. */
static bool arrives_yet(const struct tx *tx, const struct release *rel, uint32_t number,
			const struct host_failure *failed, size_t n_failed)
{
	const struct interface *to;
	const struct attachment *a;

	if (rel->step != RELEASE_ARRIVING || rel->back)
		return false;
	to = (const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->to);
	a = to ? interface_attachment_at(to, number) : NULL;
	return a && host_instance_is_pending(failed, n_failed, a->instance);
}

static int acknowledge_one(struct tx *tx, const struct release *rel,
			   const struct host_failure *failed, size_t n_failed)
{
	if (arrives_not(tx, rel, failed, n_failed))
		return turn_back(
			tx, rel,
			(const struct interface *)model_get(tx->m, KIND_INTERFACE, rel->from));
	if (rel->n_more_hosts)
		return forget_host(tx, rel, rel->host);
	/* a host that fails with an interface takes it off the network: it has lost the address */
	if (rel->step == RELEASE_LEAVING && rel->to)
		return release_arrive(tx, rel);
	return stop_waiting(tx, rel);
}

/* Releases that wait for this host and for others. */
static int acknowledge_wide(struct tx *tx, uint32_t number, uint64_t revision,
			    const struct host_failure *failed, size_t n_failed)
{
	struct model_iter it = model_iter_group(tx->m, REL_WIDE_RELEASES, 0);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct release *rel = (const struct release *)o;

		if (rel->wait_revision <= revision && names_host(rel, number) &&
		    !arrives_yet(tx, rel, number, failed, n_failed))
			r = arrives_not(tx, rel, failed, n_failed)
				    ? acknowledge_one(tx, rel, failed, n_failed)
				    : forget_host(tx, rel, number);
		o = next;
	}
	return r;
}

int release_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
			const struct host_failure *failed, size_t n_failed)
{
	int r = acknowledge_wide(tx, number, revision, failed, n_failed);
	struct model_iter it = model_iter_group(tx->m, REL_HOST_WAITING_RELEASES, number);
	const struct object *o = model_iter_next(&it);

	while (o && !r) {
		const struct object *next = model_iter_next(&it);
		const struct release *rel = (const struct release *)o;

		if (rel->wait_revision <= revision &&
		    !arrives_yet(tx, rel, number, failed, n_failed))
			r = acknowledge_one(tx, rel, failed, n_failed);
		o = next;
	}
	return r;
}
