/* SPDX-License-Identifier: Apache-2.0 */
/* See subnet_router.h. */
#include "model/subnet_router.h"

#include <stdio.h>
#include <string.h>

#include "model/address.h"
#include "model/cidr.h"
#include "model/interface.h"
#include "model/subnet.h"
#include "model/table.h"
#include "model/tag.h"
#include "model/tx.h"

/* 0, or the refusal's number: the address may be a router's in the subnet. */
static int router_parse(const struct subnet *s, const char *text, struct ipaddr *ret)
{
	struct ipaddr network = s->prefix.addr, resolver = cidr_addr(&s->prefix, CIDR_RESOLVER);
	struct ipaddr a;

	if (ipaddr_parse(text, &a) || !ipaddr_is_v4(&a) || strchr(text, ':'))
		return MODEL_E_VALUE;
	if (!prefix_contains(&s->prefix, &a))
		return MODEL_E_ADDRESS_OUTSIDE;
	if (ipaddr_equal(&a, &network) || ipaddr_equal(&a, &resolver) ||
	    cidr_is_reserved_last(&s->prefix, &a))
		return MODEL_E_ADDRESS_RESERVED;
	*ret = a;
	return 0;
}

struct ipaddr subnet_router(const struct subnet *s)
{
	const char *text = object_tag(&s->o, SUBNET_ROUTER_TAG);
	struct ipaddr chosen;

	/* a tag from before it had a meaning may say anything */
	return text && !router_parse(s, text, &chosen) ? chosen
						       : cidr_addr(&s->prefix, CIDR_ROUTER);
}

bool subnet_router_is_among_usable(const struct subnet *s)
{
	struct ipaddr router = subnet_router(s);

	return !cidr_is_reserved(&s->prefix, &router);
}

int subnet_router_check(const struct subnet *s, const char *text, struct refusal *reterr)
{
	struct ipaddr a;
	int r = router_parse(s, text, &a);

	if (r == MODEL_E_VALUE)
		return refuse(reterr, r, text, SUBNET_ROUTER_TAG,
			      "It is an IPv4 address of the subnet.");
	return r ? refuse(reterr, r, text) : 0;
}

/* A node behind it has heard of its router, or somebody has told it. */
static bool knows_router(const struct model *m, const struct attachment *a)
{
	return attachment_is_foreign(a) || (!a->gateway && attachment_is_live(m, a));
}

static size_t count_knowing(const struct model *m, const struct subnet *s)
{
	struct model_iter it = model_iter_group(m, REL_SUBNET_INTERFACES, s->o.id);
	const struct object *o;
	size_t count = 0;

	while ((o = model_iter_next(&it))) {
		const struct interface *i = (const struct interface *)o;
		size_t n = 0;

		while (n < interface_attachment_count(i) &&
		       !knows_router(m, interface_attachment(i, n)))
			n++;
		count += n < interface_attachment_count(i);
	}
	return count;
}

int subnet_router_change(const struct model *m, const struct subnet *before,
			 const struct subnet *after, struct refusal *reterr)
{
	struct ipaddr from = subnet_router(before), to = subnet_router(after);
	char id[ID_TEXT_SIZE], was[IPADDR_TEXT_SIZE], count[24];
	size_t n;

	if (ipaddr_equal(&from, &to))
		return 0;
	if (!address_is_free(m, after, &to))
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, ipaddr_text(&to, was));
	n = count_knowing(m, before);
	if (!n)
		return 0;
	snprintf(count, sizeof(count), "%zu", n);
	return refuse(reterr, MODEL_E_SUBNET_ROUTER_KNOWN, object_id_text(&before->o, id),
		      ipaddr_text(&from, was), count);
}

int subnet_router_set(struct tx *tx, const struct caller *c, const char *subnet_id,
		      const char *text, struct refusal *reterr)
{
	const struct tag_args tag = {SUBNET_ROUTER_TAG, text[0] ? text : NULL};
	const struct subnet *s;
	int r = subnet_find(tx_model(tx), c, subnet_id, &s, reterr);

	return r ? r : tag_set(tx, c, subnet_id, &tag, reterr);
}
