/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts: adding them, and their ranges of aliases.  See host.h.
 */
#include "model/host.h"

#include <string.h>

#include "base/str.h"
#include "model/cidr.h"
#include "model/counters.h"
#include "model/edit.h"
#include "model/host_edit.h"
#include "model/label_edit.h"
#include "model/zone.h"

enum { NAME_MAX_LENGTH = 63, FOREIGN_MTU = 1500, FOREIGN_MTU_MIN = 1280 };

static bool is_name(const char *s)
{
	size_t length = strlen(s);

	return length && length <= NAME_MAX_LENGTH &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* Of one machine, known beyond its link, and none that packets of networks have outside: others
 * cannot send to what is loopback, link-local or multicast (RFC 4291 2.5, 2.7). */
static bool is_substrate_address(const struct model *m, const struct ipaddr *a)
{
	struct prefix p = prefix_make(a, 128);

	if (ipaddr_is_v4(a))
		return cidr_is_unicast(&p);
	return a->b[0] != 0 && a->b[0] != 0xff && !ipaddr_is_link_local(a) &&
	       !prefix_covers(&m->organisation, &p);
}

static int parse_addr(const struct model *m, const char *text, bool v4, const char *parameter,
		      struct ipaddr *ret, struct refusal *reterr)
{
	struct ipaddr a;

	if (!text)
		return 0;
	if (ipaddr_parse(text, &a) || ipaddr_is_v4(&a) != v4 || !is_substrate_address(m, &a))
		return refuse(
			reterr, MODEL_E_VALUE, text, parameter,
			v4 ? "It is the host's own IPv4 address, which others can send to: not "
			     "loopback, link-local or multicast."
			   : "It is the host's own IPv6 address, which others can send to: not "
			     "loopback, link-local or multicast, and outside of the locators' "
			     "prefix.");
	*ret = a;
	return 0;
}

static bool same_rack(const struct topology_place *a, const struct topology_place *b)
{
	return a->locale == b->locale && a->area == b->area && a->rack == b->rack;
}

/* The lowest number in the rack that is free, and addresses that nobody has. */
static int find_place(const struct model *m, struct host *new, struct refusal *reterr)
{
	bool used[TOPOLOGY_HOST_MAX + 1] = {true};
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;

		if (same_rack(&h->place, &new->place))
			used[h->place.host] = true;
		if (!ipaddr_is_zero(&new->locators.v6) &&
		    ipaddr_equal(&h->locators.v6, &new->locators.v6))
			return refuse(reterr, MODEL_E_EXISTS, "A host with this v6 address");
		if (!ipaddr_is_zero(&new->locators.v4) &&
		    ipaddr_equal(&h->locators.v4, &new->locators.v4))
			return refuse(reterr, MODEL_E_EXISTS, "A host with this v4 address");
	}
	for (uint32_t n = 1; n <= TOPOLOGY_HOST_MAX; n++) {
		if (used[n])
			continue;
		new->place.host = n;
		return 0;
	}
	return refuse(reterr, MODEL_E_HOST_LIMIT, "this rack");
}

static int check_number(const uint32_t *value, uint32_t max, const char *parameter, uint32_t *ret,
			struct refusal *reterr)
{
	char text[16];

	if (!value)
		return 0;
	if (*value > max) {
		if (str_format(text, sizeof(text), "%u", *value))
			return -EINVAL;
		return refuse(reterr, MODEL_E_VALUE, text, parameter,
			      "It does not fit the substrate's layout.");
	}
	*ret = *value;
	return 0;
}

/* 'text' may be "": none. */
static int fill_aliases(const struct model *m, struct host *h, const char *text,
			struct refusal *reterr)
{
	struct prefix range = {0};
	int r = 0;

	if (*text && prefix_parse(text, &range))
		return refuse(reterr, MODEL_E_VALUE, text, "aliases",
			      "It is an IPv4 prefix of 16 to 28 bits that is routed to the host.");
	if (*text)
		r = label_check_range(m, h, &range, reterr);
	if (!r)
		h->locators.aliases = range;
	return r;
}

static int fill_place(const struct model *m, struct host *h, const struct host_add_args *args,
		      struct refusal *reterr)
{
	int r = check_number(args->locale, TOPOLOGY_LOCALE_MAX, "locale", &h->place.locale, reterr);

	if (!r)
		r = check_number(args->area, TOPOLOGY_AREA_MAX, "area", &h->place.area, reterr);
	if (!r)
		r = check_number(args->rack, TOPOLOGY_RACK_MAX, "rack", &h->place.rack, reterr);
	if (!r)
		r = parse_addr(m, args->v4, true, "v4", &h->locators.v4, reterr);
	if (!r)
		r = parse_addr(m, args->v6, false, "v6", &h->locators.v6, reterr);
	if (!r && !args->v4 && !args->v6)
		r = refuse(reterr, MODEL_E_MISSING, "v6 or v4: a host needs a substrate address");
	if (!r)
		r = find_place(m, h, reterr);
	if (!r && args->aliases)
		r = fill_aliases(m, h, args->aliases, reterr);
	if (!r)
		r = topology_locators(&m->organisation, &h->place, &h->locators.v4, &h->locators.v6,
				      &h->locators);
	return r;
}

/* No agent says what it can do: it is an ordinary VXLAN endpoint, and stands in no rack of the
 * layout. */
static int fill_foreign(const struct tx *tx, struct host *h, const struct host_add_args *args,
			struct refusal *reterr)
{
	struct ipaddr *at;
	struct ipaddr a;
	char text[16];
	int r;

	if (args->v4 || args->v6 || args->aliases || args->edge || args->instances ||
	    args->locale || args->area || args->rack || host_room_is_given(&args->room))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A foreign host has its address, a zone, an MTU and labels, and "
			      "nothing else");
	if (ipaddr_parse(args->foreign, &a) || !is_substrate_address(tx->m, &a))
		return refuse(
			reterr, MODEL_E_VALUE, args->foreign, "foreign",
			"It is the IPv4 or IPv6 address of its VXLAN device on the substrate, "
			"which others can send to: not loopback, link-local or multicast.");
	h->can.substrate_mtu = args->mtu ? *args->mtu : FOREIGN_MTU;
	if (h->can.substrate_mtu < FOREIGN_MTU_MIN || h->can.substrate_mtu > UINT16_MAX) {
		r = str_format(text, sizeof(text), "%u", h->can.substrate_mtu);
		return r ? r : refuse(reterr, MODEL_E_VALUE, text, "mtu", "It is 1280 to 65535.");
	}
	at = ipaddr_is_v4(&a) ? &h->locators.v4 : &h->locators.v6;
	*at = a;
	h->foreign = true;
	h->can.formats = FORMAT_BIT(FORMAT_VXLAN_1);
	h->can.probed_ms = tx->now_ms ? tx->now_ms : 1;
	r = find_place(tx->m, h, reterr);
	h->place.host = 0;
	return r;
}

static int do_add(struct tx *tx, const struct host_add_args *args, const struct host **ret,
		  struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const char *zone = args->zone ? zone_find(tx->m, args->zone) : model_zone(tx->m, 0);
	struct host *h;
	int r;

	if (!args->name || !is_name(args->name))
		return refuse(reterr, MODEL_E_VALUE, args->name ? args->name : "", "name",
			      "It has 1 to 63 lower-case letters, digits or '-'.");
	if (host_find(tx->m, args->name))
		return refuse(reterr, MODEL_E_EXISTS, args->name);
	if (!zone)
		return refuse(reterr, MODEL_E_VALUE, args->zone, "zone",
			      "The region has no such availability zone.");
	if (args->mtu && !args->foreign)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "An MTU is said of a foreign host alone: an agent finds its own out");
	if (args->instances && !args->edge)
		return refuse(
			reterr, MODEL_E_COMBINATION,
			"That it runs instances is said of an edge alone: other hosts do anyway");
	r = tx_make(tx, KIND_HOST, 0, &o);
	if (r)
		return r;
	h = (struct host *)o;
	h->edge = args->edge;
	h->instances = args->edge && args->instances;
	r = host_set_room(h, &args->room, reterr);
	if (!r)
		r = args->foreign ? fill_foreign(tx, h, args, reterr)
				  : fill_place(tx->m, h, args, reterr);
	if (!r)
		r = edit_string(&h->name, args->name);
	if (!r)
		r = edit_string(&h->zone, zone);
	if (!r)
		r = tags_set(o, args->labels, args->n_labels, reterr);
	if (!r)
		r = counters_next_host(tx, &h->number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (r)
		return r;
	/* a host that has just come cannot hold anything */
	host_state_find(tx->m, h->number)->known = true;
	*ret = h;
	return 0;
}

int host_add(struct tx *tx, const struct caller *c, const struct host_add_args *args,
	     const struct host **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	int r = host_need_operator(c, reterr);

	return r ? r : tx_settle(tx, mark, do_add(tx, args, ret, reterr));
}

/* ---- another alias range ---- */

static int do_set_aliases(struct tx *tx, const struct host *old, const char *aliases,
			  const struct host **ret, struct refusal *reterr)
{
	struct host *new = NULL;
	uint32_t number = old->number;
	int r = TX_EDIT(tx, old, &new);

	if (!r)
		r = fill_aliases(tx->m, new, aliases, reterr);
	if (r) {
		record_free(new ? &new->o : NULL);
		return r;
	}
	if (prefix_equal(&new->locators.aliases, &old->locators.aliases)) {
		record_free(&new->o);
		*ret = old;
		return 0;
	}
	r = TX_PUT(tx, old, &new);
	if (!r)
		r = label_renew(tx, host_by_number(tx->m, number));
	if (!r)
		r = network_refresh_host(tx, number);
	*ret = host_by_number(tx->m, number);
	return r;
}

int host_set_aliases(struct tx *tx, const struct caller *c, const char *id, const char *aliases,
		     const struct host **ret, struct refusal *reterr)
{
	const struct host *h;
	size_t mark = tx_mark(tx);
	int r = host_of_operator(tx->m, c, id, &h, reterr);

	if (r)
		return r;
	if (h->foreign && *aliases)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A foreign host has no range of aliases");
	return tx_settle(tx, mark, do_set_aliases(tx, h, aliases, ret, reterr));
}
