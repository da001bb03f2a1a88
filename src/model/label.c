/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels.  See label.h.
 */
#include "model/label_edit.h"

#include "abi/substrate.h"
#include "base/hash.h"
#include "base/limits.h"
#include "model/edit.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/release.h"

/* ---- finding ---- */

bool label_any(const struct model *m)
{
	return m->kinds[KIND_LABEL].n;
}

const struct label *label_find(const struct model *m, uint32_t addr)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_LABEL, hash_u64(addr));

	for (; n; n = hmap_next_at(n)) {
		const struct label *l = hmap_entry(n, const struct label, by_addr);

		if (l->addr == addr)
			return l;
	}
	return NULL;
}

static bool is_of(const struct label *l, uint32_t vni, const struct ipaddr *addr)
{
	return l->vni == vni && ipaddr_equal(&l->virtual, addr);
}

/* The next of an address behind 'after' (NULL: the first). */
static const struct label *next_of(const struct model *m, uint32_t vni, const struct ipaddr *addr,
				   const struct label *after)
{
	const struct hmap_node *n = after ? hmap_next_at(&after->by_virtual)
					  : unique_first(m, UNIQUE_LABEL_VIRTUAL,
							 hash_u64_bytes(vni, addr, sizeof(*addr)));

	for (; n; n = hmap_next_at(n)) {
		const struct label *l = hmap_entry(n, const struct label, by_virtual);

		if (is_of(l, vni, addr))
			return l;
	}
	return NULL;
}

uint32_t label_of(const struct model *m, uint32_t vni, const struct ipaddr *addr, uint32_t host)
{
	const struct label *l = NULL;

	if (!host || !label_any(m))
		return 0;
	while ((l = next_of(m, vni, addr, l)))
		if (!l->since && l->host == host)
			return l->addr;
	return 0;
}

/* ---- ranges ---- */

/* How many a host's range has; 0: it has none.  The first and the last address are nobody's. */
static uint32_t label_room(const struct host *h)
{
	return h->locators.aliases.len ? (1U << (128 - h->locators.aliases.len)) - 2 : 0;
}

static uint32_t range_label(const struct prefix *range, uint32_t n)
{
	return ipaddr_v4(&range->addr) + 1 + n;
}

static bool range_has(const struct prefix *range, uint32_t addr)
{
	struct ipaddr a = ipaddr_from_v4(addr);

	return range->len && prefix_contains(range, &a);
}

struct label_use label_use(const struct model *m, const struct host *h)
{
	struct label_use u = {.room = label_room(h)};
	struct model_iter it = model_iter_group(m, REL_HOST_LABELS, h->number);
	const struct label *l;

	while ((l = (const struct label *)model_iter_next(&it))) {
		u.used += !l->since;
		u.resting += l->since != 0;
	}
	return u;
}

static bool is_unicast(const struct prefix *range)
{
	uint32_t first = ipaddr_v4(&range->addr) >> 24;

	return first && first != 127 && first < 224;
}

static int check_hosts(const struct model *m, const struct host *h, const struct prefix *range,
		       struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct host *other;

	if (!ipaddr_is_zero(&h->locators.v4) && prefix_contains(range, &h->locators.v4))
		return refuse(reterr, MODEL_E_EXISTS, "A host with an address in this alias range");
	while ((other = (const struct host *)model_iter_next(&it))) {
		if (!ipaddr_is_zero(&other->locators.v4) &&
		    prefix_contains(range, &other->locators.v4))
			return refuse(reterr, MODEL_E_EXISTS,
				      "A host with an address in this alias range");
		if (other->number != h->number && other->locators.aliases.len &&
		    prefix_overlaps(range, &other->locators.aliases))
			return refuse(reterr, MODEL_E_EXISTS,
				      "A host with an alias range that overlaps this one");
	}
	return 0;
}

int label_check_range(const struct model *m, const struct host *h, const struct prefix *range,
		      struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_LABEL);
	char text[PREFIX_TEXT_SIZE];
	const struct label *l;

	if (!prefix_is_v4(range) || !is_unicast(range) ||
	    range->len < 96 + SUBSTRATE_LABELS_LEN_MIN ||
	    range->len > 96 + SUBSTRATE_LABELS_LEN_MAX)
		return refuse(reterr, MODEL_E_VALUE, prefix_text(range, text), "aliases",
			      "It is an IPv4 prefix of 16 to 28 bits that is routed to the host.");
	if (ipaddr_is_zero(&h->locators.v4))
		return refuse(reterr, MODEL_E_MISSING,
			      "v4: a host with an alias range needs an IPv4 address");
	/* of a host that is gone, or had the range before */
	while ((l = (const struct label *)model_iter_next(&it)))
		if (l->host != h->number && range_has(range, l->addr))
			return refuse(reterr, MODEL_E_EXISTS,
				      "An alias in this range that hosts may still use");
	return check_hosts(m, h, range, reterr);
}

/* ---- giving ---- */

static int rest(struct tx *tx, const struct label *l)
{
	struct label *new = NULL;
	int r = TX_EDIT(tx, l, &new);

	if (r)
		return r;
	new->since = tx->revision;
	new->rest_ms = tx->now_ms;
	return TX_PUT(tx, l, &new);
}

static int use_again(struct tx *tx, const struct label *l)
{
	struct label *new = NULL;
	int r = TX_EDIT(tx, l, &new);

	if (r)
		return r;
	new->since = 0;
	new->rest_ms = 0;
	return TX_PUT(tx, l, &new);
}

/* One that nothing has stood for lately; false: there is none. */
static bool pick(const struct model *m, const struct host *h, uint32_t *ret)
{
	struct host_state *s = host_state_find(m, h->number);
	uint32_t room = label_room(h);

	if (!s)
		return false;
	for (uint32_t tries = 0; tries < room; tries++) {
		uint32_t addr = range_label(&h->locators.aliases, s->next_label++ % room);

		if (!label_find(m, addr)) {
			*ret = addr;
			return true;
		}
	}
	return false;
}

/* A host without room leaves the address without a label. */
static int give(struct tx *tx, const struct host *h, uint32_t vni, const struct ipaddr *addr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct label *l;
	uint32_t label;
	int r;

	if (!pick(tx->m, h, &label))
		return 0;
	r = tx_make(tx, KIND_LABEL, 0, &o);
	if (r)
		return r;
	l = (struct label *)o;
	l->addr = label;
	l->host = h->number;
	l->vni = vni;
	l->virtual = *addr;
	return tx_put(tx, NULL, &o);
}

/* The address is at 'host' now (0: nowhere), and at no other. */
static int follow_addr(struct tx *tx, uint32_t vni, const struct ipaddr *addr, uint32_t host)
{
	const struct host *h = host ? host_by_number(tx->m, host) : NULL;
	const struct label *l = NULL, *next = next_of(tx->m, vni, addr, NULL), *mine = NULL;
	bool wanted = h && h->locators.aliases.len;
	int r = 0;

	if (!wanted && !next)
		return 0;
	while (!r && (l = next)) {
		next = next_of(tx->m, vni, addr, l);
		if (wanted && l->host == host && range_has(&h->locators.aliases, l->addr))
			mine = l;
		else if (!l->since)
			r = rest(tx, l);
	}
	if (r || !wanted)
		return r;
	if (!mine)
		return give(tx, h, vni, addr);
	return mine->since ? use_again(tx, mine) : 0;
}

/* Where the address 'n' is alone. */
static uint32_t host_of(const struct interface *i, size_t n)
{
	return i->host_set && !i->addrs[n].arriving ? 0 : interface_addr_host(i, n);
}

int label_follow(struct tx *tx, const struct interface *old, const struct interface *now)
{
	int r = 0;

	if (!tx->m->n_ranges && !label_any(tx->m))
		return 0;
	for (size_t n = 0; old && n < old->n_addrs && !r; n++)
		if (ipaddr_is_v4(&old->addrs[n].addr) &&
		    !interface_has_addr(now, &old->addrs[n].addr))
			r = follow_addr(tx, old->vni, &old->addrs[n].addr, 0);
	for (size_t n = 0; now && n < now->n_addrs && !r; n++)
		if (ipaddr_is_v4(&now->addrs[n].addr))
			r = follow_addr(tx, now->vni, &now->addrs[n].addr, host_of(now, n));
	return r;
}

/* ---- another range ---- */

static int renew_interface(struct tx *tx, const struct interface *i, uint32_t host)
{
	struct interface *new = NULL;
	bool any = false;
	int r = TX_EDIT(tx, i, &new);

	if (r)
		return r;
	for (size_t n = 0; n < new->n_addrs; n++) {
		if (!ipaddr_is_v4(&new->addrs[n].addr) || host_of(i, n) != host)
			continue;
		new->addrs[n].revision = tx->revision;
		any = true;
	}
	if (any)
		return TX_PUT(tx, i, &new);
	record_free(&new->o);
	return 0;
}

int label_renew(struct tx *tx, const struct host *h)
{
	struct model_iter it = model_iter_group(tx->m, REL_HOST_INTERFACES, h->number);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&it);

		r = renew_interface(tx, (const struct interface *)o, h->number);
		o = next;
	}
	return r;
}

/* ---- the end of a rest ---- */

/* Nobody may use it as it was. */
static bool is_over(const struct tx *tx, const struct label *l, bool unknown)
{
	const struct host_state *s = host_state_find(tx->m, l->host);

	if (!l->since || unknown || tx->now_ms < l->rest_ms + LIMIT_MODEL_LABEL_REST_MS)
		return false;
	if (host_by_number(tx->m, l->host) && s->acknowledged < l->since)
		return false;
	return !holders_any_before(tx->m->holders, l->vni, &l->virtual, l->since);
}

int label_expire(struct tx *tx, size_t *left)
{
	struct model_iter it = model_iter_group(tx->m, REL_RESTING_LABELS, 0);
	const struct object *o = model_iter_next(&it);
	bool unknown = o && release_any_unknown(tx->m);
	int r = 0;

	while (o && *left && !r) {
		const struct object *next = model_iter_next(&it);

		if (is_over(tx, (const struct label *)o, unknown)) {
			--*left;
			r = tx_delete(tx, o);
		}
		o = next;
	}
	return r;
}
