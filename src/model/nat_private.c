/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a private NAT gateway: an edge has its address as any host has a node's, so who
 * may know of it and who learns that it has moved is the mapping table's business.  See
 * nat_gateway.h.
 */
#include <stdlib.h>

#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/nat_gateway_edit.h"

int nat_private_prepare(struct tx *tx, const struct nat_gateway *g, struct interface *i,
			struct refusal *reterr)
{
	struct attachment *a;
	int r = counters_next_handle(tx, &i->handle.number, reterr);

	if (!r)
		r = interface_attach_to(tx, i, 0, 0, &a);
	if (r)
		return r;
	/* as in EC2, nobody's rules are asked for what it forwards but those of its subnet */
	free(i->groups);
	i->groups = NULL;
	i->n_groups = 0;
	a->gateway = g->o.id;
	a->state = ATTACHMENT_ATTACHED;
	a->wait_revision = 0;
	interface_locate(i, a, g->edge, g->edge, tx->revision);
	return 0;
}

int nat_private_move(struct tx *tx, const struct interface *i, uint32_t edge,
		     const struct object **ret)
{
	struct interface *new = NULL;
	uint32_t vni = i->vni;
	uint64_t id = i->o.id;
	int r;

	*ret = &i->o;
	if (!i->attachment.gateway || i->attachment.host == edge)
		return 0;
	r = TX_EDIT(tx, i, &new);
	if (r)
		return r;
	interface_locate(new, &new->attachment, edge, edge, tx->revision);
	r = TX_PUT(tx, i, &new);
	if (!r)
		r = network_refresh(tx, vni);
	if (!r)
		*ret = model_get(tx->m, KIND_INTERFACE, id);
	return r;
}

int nat_private_place(struct tx *tx, uint64_t interface, uint32_t edge)
{
	const struct object *i = model_get(tx->m, KIND_INTERFACE, interface);

	return i ? nat_private_move(tx, (const struct interface *)i, edge, &i) : 0;
}
