/* SPDX-License-Identifier: Apache-2.0 */
/* The random walk's steps with IPv6.  See walk.h. */

#include "model/subnet_block6.h"
#include "model/vpc_block6.h"
#include "tests/unit/model/walk.h"

int walk_vpc_block6(struct walk *w, struct tx *tx)
{
	static const char *const cidrs[] = {"fd56:6976:3600::/56", "fd56:6976:3600:100::/56",
					    "fd56:6976:3601::/64", "2001:db8::/56"};
	const char *id = walk_some(w, KIND_VPC);
	struct vpc_block6_args args = {.provided = walk_random(w, 2)};
	char text[ID_TEXT_SIZE] = "vpc-cidr-assoc-00000000000000001";
	struct cidr_block block;
	const struct vpc *v;

	if (walk_random(w, 2)) {
		if (!vpc_find(w->c.m, &w->c.admin, id, &v, NULL) && v->n_blocks6)
			id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks6[0].association, text);
		return vpc_disassociate_block6(tx, walk_someone(w), text, &v, &block,
					       &w->c.refusal);
	}
	if (!args.provided) {
		args.pool_id = "ipv6pool-ec2-00000000000000001";
		args.cidr = cidrs[walk_random(w, ARRAY_SIZE(cidrs))];
	}
	return vpc_associate_block6(tx, walk_someone(w), id, &args, &v, &w->c.refusal);
}

int walk_subnet_block6(struct walk *w, struct tx *tx)
{
	char cidr[PREFIX_TEXT_SIZE] = "fd56:6976:3600::/64";
	char text[ID_TEXT_SIZE] = "subnet-cidr-assoc-00000000000000001";
	const char *id = walk_some(w, KIND_SUBNET);
	const struct subnet *s;
	const struct vpc *v;

	if (subnet_find(w->c.m, &w->c.admin, id, &s, NULL))
		return subnet_associate_block6(tx, walk_someone(w), id, cidr, &s, &w->c.refusal);
	if (subnet_has_block6(s) && walk_random(w, 3)) {
		id_text_prefixed(ID_PREFIX_SUBNET_CIDR, s->association6, text);
		return subnet_disassociate_block6(tx, walk_someone(w), text, &s, &w->c.refusal);
	}
	v = (const struct vpc *)model_get(w->c.m, KIND_VPC, s->vpc);
	if (v->n_blocks6) {
		struct prefix p = {v->blocks6[0].prefix.addr, 64};

		p.addr.b[7] = (uint8_t)walk_random(w, 3);
		prefix_text(&p, cidr);
	}
	return subnet_associate_block6(tx, walk_someone(w), id, cidr, &s, &w->c.refusal);
}

int walk_assign6(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERFACE);
	char text[IPADDR_TEXT_SIZE] = "fd56:6976:3600::5";
	const char *addrs[] = {text};
	bool explicit = walk_random(w, 2);
	struct interface_assign_args args = {
		.interface_id = id,
		.addrs = addrs,
		.n_addrs = explicit,
		.count = explicit ? 0 : walk_random(w, 3),
	};
	const struct interface *i;
	const struct subnet *s;
	size_t n;

	if (!interface_find(w->c.m, &w->c.admin, id, &i, NULL)) {
		s = (const struct subnet *)model_get(w->c.m, KIND_SUBNET, i->subnet);
		if (subnet_has_block6(s)) {
			struct ipaddr a = s->prefix6.addr;

			a.b[15] = (uint8_t)walk_random(w, 8);
			ipaddr_text(&a, text);
		}
	}
	return interface_assign6(tx, walk_someone(w), &args, &i, &n, &w->c.refusal);
}

int walk_unassign6(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERFACE);
	char text[IPADDR_TEXT_SIZE] = "fd56:6976:3600::5";
	const char *addrs = text;
	const struct interface *i;

	if (!interface_find(w->c.m, &w->c.admin, id, &i, NULL))
		ipaddr_text(&i->addrs[i->n_addrs - 1].addr, text);
	return interface_unassign6(tx, walk_someone(w), id, &addrs, 1, &w->c.refusal);
}
