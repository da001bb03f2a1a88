/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EC2 does not know of interfaces: who else may use them, their condition, what is billed and
 * told to nodes.  See interface.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/account.h"
#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/payer.h"
#include "model/permission.h"
#include "model/subnet.h"

enum { VLAN_MAX = 4094 }; /* IEEE 802.1Q: 4095 is reserved */

static int find_account(const struct model *m, const char *id, uint64_t *ret,
			struct refusal *reterr)
{
	const struct account *a = account_find(m, id);

	if (!a)
		return refuse(reterr, MODEL_E_ACCOUNT_NOT_FOUND, id);
	*ret = a->o.id;
	return 0;
}

static int set_list(const struct model *m, uint64_t **accounts, size_t *n,
		    const struct account_list *list, struct refusal *reterr)
{
	_cleanup_free_ uint64_t *ids = NULL;
	size_t n_ids = 0;
	int r = 0;

	if (!list)
		return 0;
	if (list->n > LIMIT_MODEL_INTERFACE_ACCOUNTS)
		return refuse(reterr, MODEL_E_VALUE, "...", "accounts",
			      "A list has at most 64 accounts.");
	ids = calloc(list->n + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < list->n && !r; i++) {
		size_t k = 0;

		r = find_account(m, list->ids[i], &ids[n_ids], reterr);
		while (k < n_ids && ids[k] != ids[n_ids])
			k++;
		n_ids += k == n_ids; /* named twice is named once */
	}
	if (r)
		return r;
	free(*accounts);
	*accounts = n_ids ? TAKE_PTR(ids) : NULL;
	*n = n_ids;
	return 0;
}

static int set_lists(const struct model *m, struct interface *i,
		     const struct interface_set_args *args, struct refusal *reterr)
{
	int r = set_list(m, &i->attachers, &i->n_attachers, args->attachers, reterr);

	if (!r)
		r = set_list(m, &i->detachers, &i->n_detachers, args->detachers, reterr);
	if (!r)
		r = set_list(m, &i->setters, &i->n_setters, args->setters, reterr);
	if (!r)
		r = set_list(m, &i->modifiers, &i->n_modifiers, args->modifiers, reterr);
	return r;
}

static int set_condition(struct interface *i, const char *text, struct refusal *reterr)
{
	enum interface_condition c = INTERFACE_NORMAL;
	char id[ID_TEXT_SIZE];

	while (c <= INTERFACE_IN_REPAIR && !str_equal(interface_condition_text(c), text))
		c++;
	if (c > INTERFACE_IN_REPAIR)
		return refuse(reterr, MODEL_E_VALUE, text, "condition",
			      "It is normal, disabled or in-repair.");
	/* nobody at the other end would keep it from the network */
	if (c != INTERFACE_NORMAL && attachment_is_foreign(&i->attachment))
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, object_id_text(&i->o, id));
	i->condition = c;
	return 0;
}

static int set_dns_server(struct interface *i, const char *text, struct refusal *reterr)
{
	struct ipaddr a = {{0}};

	if (*text && (ipaddr_parse(text, &a) || ipaddr_is_zero(&a)))
		return refuse(reterr, MODEL_E_VALUE, text, "dns_server",
			      "It is an IP address, or empty for the network's own.");
	i->dns_server = a;
	return 0;
}

static int set_routes(const struct model *m, struct interface *i, const struct interface_route *v,
		      size_t n, struct refusal *reterr)
{
	const struct subnet *s = (const struct subnet *)model_get(m, KIND_SUBNET, i->subnet);
	_cleanup_free_ struct interface_route *routes = NULL;
	char text[PREFIX_TEXT_SIZE];

	if (n > LIMIT_MODEL_INTERFACE_ROUTES)
		return refuse(reterr, MODEL_E_VALUE, "...", "routes", "There are at most 16.");
	for (size_t k = 0; k < n; k++) {
		if (!ipaddr_is_v4(&v[k].prefix.addr))
			return refuse(reterr, MODEL_E_VALUE, prefix_text(&v[k].prefix, text),
				      "routes", "It is not an IPv4 range.");
		if (!ipaddr_is_zero(&v[k].via) && !prefix_contains(&s->prefix, &v[k].via))
			return refuse(reterr, MODEL_E_VALUE, prefix_text(&v[k].prefix, text),
				      "routes", "It leads to an address outside of the subnet.");
	}
	routes = calloc(n + 1, sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	if (n)
		memcpy(routes, v, n * sizeof(*routes));
	free(i->routes);
	i->routes = n ? TAKE_PTR(routes) : NULL;
	i->n_routes = n;
	return 0;
}

static int set_all(const struct model *m, const struct caller *c, struct interface *i,
		   const struct interface_set_args *args, struct refusal *reterr)
{
	char text[16];
	int r = set_lists(m, i, args, reterr);

	if (!r && args->condition)
		r = set_condition(i, args->condition, reterr);
	if (!r && args->dns_server)
		r = set_dns_server(i, args->dns_server, reterr);
	if (!r && args->vlan && *args->vlan > VLAN_MAX) {
		snprintf(text, sizeof(text), "%u", *args->vlan);
		r = refuse(reterr, MODEL_E_VALUE, text, "vlan", "It is 1 to 4094, or 0 for none.");
	}
	if (!r && args->vlan)
		i->vlan = *args->vlan;
	if (!r && args->billing_account)
		r = payer_set(m, c, i, args->billing_account, reterr);
	if (!r && args->n_routes)
		r = set_routes(m, i, args->routes, *args->n_routes, reterr);
	return r;
}

/* Whoever knows where its addresses are learns that connections are to be spread, or not any
 * more. */
static int set_shared(struct interface *i, const struct interface_set_args *args, uint64_t revision,
		      struct refusal *reterr)
{
	if (!args->shared || *args->shared == i->shared)
		return 0;
	if (interface_attachment_count(i) > 1 || attachment_is_foreign(&i->attachment))
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, args->interface_id);
	i->shared = *args->shared;
	if (interface_is_plugged(i))
		interface_touch_addrs(i, revision);
	return 0;
}

static int do_set(struct tx *tx, const struct caller *c, const struct interface_set_args *args,
		  struct refusal *reterr)
{
	bool lists = args->attachers || args->detachers || args->setters || args->modifiers ||
		     args->billing_account || args->shared;
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct interface *old;
	int r = interface_find_for(tx->m, c, args->interface_id,
				   lists ? INTERFACE_OWN : INTERFACE_MODIFY, &old, reterr);

	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (!r)
		r = set_all(tx->m, c, (struct interface *)o, args, reterr);
	if (!r)
		r = set_shared((struct interface *)o, args, tx->revision, reterr);
	if (r || record_equal(&old->o, o))
		return r;
	return tx_put(tx, &old->o, &o);
}

int interface_set(struct tx *tx, const struct caller *c, const struct interface_set_args *args,
		  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_set(tx, c, args, reterr));
}

/* ---- accounts that go ---- */

static void drop_account(uint64_t *accounts, size_t *n, uint64_t account)
{
	size_t k = 0;

	while (k < *n && accounts[k] != account)
		k++;
	if (k < *n)
		memmove(&accounts[k], &accounts[k + 1], (--*n - k) * sizeof(*accounts));
}

static bool names_account(const struct interface *i, uint64_t account)
{
	const struct {
		const uint64_t *accounts;
		size_t n;
	} lists[] = {{i->attachers, i->n_attachers},
		     {i->detachers, i->n_detachers},
		     {i->setters, i->n_setters},
		     {i->modifiers, i->n_modifiers},
		     {&i->billing_account, 1}};

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		for (size_t j = 0; j < lists[k].n; j++)
			if (lists[k].accounts[j] == account)
				return true;
	return false;
}

static int forget_in(struct tx *tx, const struct interface *i, uint64_t account)
{
	struct interface *new = NULL;
	int r = TX_EDIT(tx, i, &new);

	if (r)
		return r;
	drop_account(new->attachers, &new->n_attachers, account);
	drop_account(new->detachers, &new->n_detachers, account);
	drop_account(new->setters, &new->n_setters, account);
	drop_account(new->modifiers, &new->n_modifiers, account);
	if (new->billing_account == account) {
		new->billing_account = 0;
		new->billing_imposed = false;
	}
	return TX_PUT(tx, i, &new);
}

int interface_forget_account(struct tx *tx, uint64_t account)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_PERMISSION);
	const struct object *o, *next;
	int r = 0;

	for (o = model_iter_next(&it); o && !r; o = next) {
		next = model_iter_next(&it);
		if (((const struct permission *)o)->grantee == account)
			r = tx_delete(tx, o);
	}
	it = model_iter_kind(tx->m, KIND_INTERFACE);
	for (o = r ? NULL : model_iter_next(&it); o && !r; o = next) {
		next = model_iter_next(&it);
		if (names_account((const struct interface *)o, account))
			r = forget_in(tx, (const struct interface *)o, account);
	}
	return r;
}
