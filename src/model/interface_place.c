/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces on foreign hosts: an operator puts them there and takes them off.  See interface.h and
 * attachment.h.
 */
#include <stdio.h>

#include "model/edit.h"
#include "model/elastic.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/nat_gateway.h"

/* VXLAN does not say between which networks a packet goes: what an edge would send is not delivered
 * there. */
static int check_unreached(const struct model *m, const struct interface *i, const char *id,
			   struct refusal *reterr)
{
	char what[80], text[IPADDR_TEXT_SIZE], gateway[ID_TEXT_SIZE];

	for (size_t k = 0; k < i->n_addrs; k++) {
		const struct ipaddr *a = &i->addrs[k].addr;
		const struct elastic *e = elastic_by_private(m, i->vni, a);
		const struct nat_gateway *g = e ? NULL : nat_gateway_opening(m, i->vpc, a);

		if (e)
			snprintf(what, sizeof(what), "The public address %s",
				 ipaddr_text(&e->public, text));
		else if (g)
			snprintf(what, sizeof(what), "A port of %s",
				 object_id_text(&g->o, gateway));
		else
			continue;
		return refuse(reterr, MODEL_E_FOREIGN_REACHED, id, what);
	}
	return 0;
}

static int check(const struct model *m, const struct caller *c, const char *id, const char *host,
		 const struct interface **ret, const struct host **ret_host, struct refusal *reterr)
{
	const struct host *h;
	int r;

	if (!c->is_operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED,
			      "An operator places an interface on a foreign host");
	r = interface_find_for(m, c, id, INTERFACE_ATTACH, ret, reterr);
	if (r)
		return r;
	h = host_find(m, host);
	if (!h)
		return refuse(reterr, MODEL_E_HOST_NOT_FOUND, host);
	if (!h->foreign)
		return refuse(reterr, MODEL_E_HOST_NOT_FOREIGN, host);
	/* connections are spread over hosts by what these say of themselves, and it says nothing */
	if ((*ret)->shared || interface_attachment_count(*ret))
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, id);
	*ret_host = h;
	r = interface_check_free(*ret, 0, id, reterr);
	return r ? r : check_unreached(m, *ret, id, reterr);
}

static int do_place(struct tx *tx, const struct caller *c, const char *id, const char *host,
		    const struct attachment **ret, struct refusal *reterr)
{
	const struct interface *old;
	const struct host *h = NULL;
	struct interface *new;
	struct attachment *a;
	uint64_t attachment;
	uint32_t vni;
	int r = check(tx->m, c, id, host, &old, &h, reterr);

	if (!r)
		r = interface_edit_attached(tx, old, 0, 0, &new, &a);
	if (r)
		return r;
	attachment = a->id;
	vni = new->vni;
	a->state = ATTACHMENT_ATTACHED;
	a->wait_revision = 0;
	interface_locate(new, a, h->number, true, tx->revision);
	r = TX_PUT(tx, old, &new);
	if (!r)
		r = network_refresh(tx, vni);
	if (!r)
		*ret = attachment_find(tx->m, attachment);
	return r;
}

int interface_place(struct tx *tx, const struct caller *c, const char *interface_id,
		    const char *host, const struct attachment **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_place(tx, c, interface_id, host, ret, reterr));
}

int interface_take_off(struct tx *tx, const struct attachment *a)
{
	uint32_t vni = a->of->vni;
	int r = interface_free_attachment(tx, a);

	return r ? r : network_refresh(tx, vni);
}
