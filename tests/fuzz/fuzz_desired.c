/* SPDX-License-Identifier: Apache-2.0 */
/* A frame of the manager: what of it goes into the tables of the desired state makes sense
 * there. */
#include <stdlib.h>

#include "agent/desired.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_policy(const struct desired *d)
{
	const struct desired_group *g;
	const struct desired_acl *a;
	const struct desired_table *t;
	const struct desired_gateway *w;
	const struct desired_public *p;

	hmap_for_each (g, &d->groups, node) {
		if (desired_find_group(d, g->dp.number) != g || g->dp.rules != g->rules)
			abort();
		for (size_t n = 0; n < g->dp.n_rules; n++)
			if (g->rules[n].from > g->rules[n].to ||
			    g->rules[n].protocol > DP_PROTOCOL_ANY)
				abort();
	}
	hmap_for_each (a, &d->acls, node)
		if (desired_find_acl(d, a->dp.number) != a || a->dp.n_entries > DP_ACL_ENTRIES_MAX)
			abort();
	hmap_for_each (t, &d->tables, node)
		if (desired_find_table(d, t->number) != t)
			abort();
	hmap_for_each (w, &d->gateways, node)
		if (desired_find_gateway(d, w->dp.handle) != w ||
		    (w->dp.kind == DP_GATEWAY_NAT && w->dp.port_first > w->dp.port_last))
			abort();
	hmap_for_each (p, &d->publics, node)
		if (desired_find_public(d, &p->dp.public) != p || !ipaddr_is_v4(&p->dp.addr))
			abort();
}

static void check_interface(const struct desired_interface *i)
{
	for (uint32_t n = 1; n < i->n_groups; n++)
		if (i->groups[n] <= i->groups[n - 1])
			abort();
	if (i->n_groups > DP_GROUPS_MAX || i->n_exits > DP_PORT_ADDRS_MAX ||
	    i->n_dns_servers > DESIRED_SERVERS_MAX || i->n_ntp_servers > DESIRED_SERVERS_MAX)
		abort();
}

static void check(const struct desired *d)
{
	const struct desired_interface *i;
	const struct desired_subnet *s;
	const struct desired_peer *p;

	hmap_for_each (i, &d->interfaces, node)
		if (!driver_id_is_valid(i->driver.id) || !i->n_addrs ||
		    i->n_addrs > DP_PORT_ADDRS_MAX || desired_find_interface(d, i->driver.id) != i)
			abort();
	hmap_for_each (i, &d->interfaces, node)
		check_interface(i);
	check_policy(d);
	hmap_for_each (s, &d->subnets, node)
		if (!prefix_contains(&s->dp.prefix, &s->dp.router) &&
		    !ipaddr_is_link_local(&s->dp.router))
			abort();
	hmap_for_each (p, &d->peers, node)
		if (p->dp.send >= FORMAT_MAX || desired_find_peer(d, p->dp.id) != p)
			abort();
}

static void apply(struct desired *d, const Viaduct__Agent__Desired *m)
{
	struct desired_key key;
	const char *text = NULL;

	if (m->full)
		desired_sweep_begin(d);
	for (size_t n = 0; n < m->n_remove; n++)
		if (desired_remove(d, m->remove[n], &key, &text) && !text)
			abort();
	for (size_t n = 0; n < m->n_set; n++)
		if (desired_set(d, m->set[n], &key, &text) && !text)
			abort();
	if (m->full)
		desired_sweep_end(d);
	check(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame_decoder *decoder;
	const Viaduct__Agent__Frame *frame;
	struct desired d;

	if (!decoder && frame_decoder_new(&decoder))
		abort();
	if (frame_decode(decoder, data, size, &frame) ||
	    frame->body_case != VIADUCT__AGENT__FRAME__BODY_DESIRED)
		return 0;
	desired_init(&d);
	apply(&d, frame->desired);
	apply(&d, frame->desired); /* again: objects that are there already */
	desired_deinit(&d);
	return 0;
}
