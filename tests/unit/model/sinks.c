/* SPDX-License-Identifier: Apache-2.0 */
/* See sinks.h. */
#include "tests/unit/model/sinks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/mirror.h"
#include "model/host.h"
#include "model/nat_gateway.h"
#include "tests/unit/test.h"

enum { TEXT_MAX = 65536 };

static void put_addr(struct buf *b, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_SIZE];

	buf_put_printf(b, "%s ", ipaddr_text(a, text));
}

static void put_prefix(struct buf *b, const struct prefix *p)
{
	char text[PREFIX_TEXT_SIZE];

	buf_put_printf(b, "%s ", prefix_text(p, text));
}

static void put_locators(struct buf *b, const struct locators *l)
{
	put_prefix(b, &l->siit1);
	put_prefix(b, &l->siit2);
	put_addr(b, &l->v4);
	put_addr(b, &l->v6);
}

static char *take(struct buf *b)
{
	char *text;
	size_t size;

	assert_int_equal(buf_take(b, &text, &size), 0);
	return text;
}

static char *key_of(const struct plan_item *i)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, TEXT_MAX);
	buf_put_printf(&b, "%d ", (int)i->kind);
	switch (i->kind) {
	case PLAN_HOST:
		break;
	case PLAN_PEER:
		buf_put_printf(&b, "%u", i->peer.number);
		break;
	case PLAN_SUBNET:
		buf_put_printf(&b, "%u ", i->subnet.vni);
		put_prefix(&b, &i->subnet.prefix);
		break;
	case PLAN_INSTANCE:
		buf_put_str(&b, i->instance.id);
		break;
	case PLAN_INTERFACE:
		buf_put_str(&b, i->interface.id);
		break;
	case PLAN_GROUP:
		buf_put_printf(&b, "%u", i->group.number);
		break;
	case PLAN_ACL:
		buf_put_printf(&b, "%u", i->acl.number);
		break;
	case PLAN_TABLE:
		buf_put_printf(&b, "%u", i->table.number);
		break;
	case PLAN_GATEWAY:
		buf_put_printf(&b, "%u", i->gateway.handle);
		break;
	case PLAN_PUBLIC:
		put_addr(&b, &i->public.public);
		break;
	case PLAN_PEERING:
		buf_put_printf(&b, "%u %u", i->peering.vni_a, i->peering.vni_b);
		break;
	}
	return take(&b);
}

static void put_rules(struct buf *b, const struct plan_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct plan_rule *r = &rules[i];

		buf_put_printf(b, "%d %d %u %u-%u %u %u ", r->egress, r->allow, r->traffic.protocol,
			       r->traffic.from, r->traffic.to, r->group, r->number);
		put_prefix(b, &r->prefix);
	}
}

static void put_mirror(struct buf *b, const struct plan_mirror *m)
{
	buf_put_printf(b, " mirror %u %u %u %d ", m->number, m->vni, m->length, m->filter->dns);
	put_addr(b, &m->target);
	for (size_t n = 0; n < m->filter->n_rules; n++) {
		const struct mirror_rule *r = &m->filter->rules[n];

		buf_put_printf(b, "%u %d %d ", r->number, r->egress, r->accept);
		put_prefix(b, &r->source);
		put_prefix(b, &r->destination);
	}
}

static void put_interface(struct buf *b, const struct plan_interface *i)
{
	char mac[MAC_TEXT_SIZE];

	buf_put_printf(b, "%s %u %u %s %u %s %d %d %d %u ", i->instance_id, i->device_index, i->vni,
		       mac_text(&i->mac, mac), i->mtu, i->host_name, i->dns, i->shared, i->forwards,
		       i->handle);
	for (size_t n = 0; n < i->n_addrs; n++)
		put_addr(b, &i->addrs[n]);
	for (size_t n = 0; n < i->n_groups; n++)
		buf_put_printf(b, "sg%u ", i->groups[n]);
	for (size_t n = 0; n < i->n_exits; n++) {
		put_addr(b, &i->exits[n].addr);
		put_addr(b, &i->exits[n].public);
		buf_put_printf(b, "%u %u ", i->exits[n].peer, i->exits[n].handle);
	}
	put_prefix(b, &i->subnet);
	buf_put_printf(b, " logged %d vlan %u resolves %d", i->logged, i->vlan, i->resolves);
	for (size_t n = 0; n < i->n_mirrors; n++)
		put_mirror(b, &i->mirrors[n]);
}

static void put_table(struct buf *b, const struct plan_table *t)
{
	buf_put_str(b, t->id);
	for (size_t n = 0; n < t->n_routes; n++) {
		buf_put_printf(b, " %d %u %u ", (int)t->routes[n].target, t->routes[n].peer,
			       t->routes[n].vni);
		put_prefix(b, &t->routes[n].prefix);
	}
}

static void put_gateway(struct buf *b, const struct plan_gateway *g)
{
	buf_put_printf(b, "%d %s %u %u-%u ", (int)g->kind, g->id, g->vni, g->port_first,
		       g->port_last);
	put_addr(b, &g->public);
	for (size_t n = 0; n < g->n_ports; n++) {
		buf_put_printf(b, "%u %u %u ", g->ports[n].protocol, g->ports[n].public_port,
			       g->ports[n].port);
		put_addr(b, &g->ports[n].addr);
	}
}

static char *content_of(const struct plan_item *i)
{
	char mac[MAC_TEXT_SIZE];
	_cleanup_buf_ struct buf b;

	buf_init(&b, TEXT_MAX);
	switch (i->kind) {
	case PLAN_HOST:
		buf_put_printf(&b, "%u %s %d ", i->host.number, i->host.name, i->host.edge);
		put_locators(&b, &i->host.locators);
		break;
	case PLAN_PEER:
		buf_put_printf(&b, "%d %s %d %u %u %d %s ", i->peer.edge, i->peer.name,
			       (int)i->peer.choice.send, choice_formats(&i->peer.choice),
			       i->peer.choice.path_mtu, i->peer.choice.outer_v6,
			       i->peer.choice.reason);
		buf_put_printf(&b, "%x %zu %jx ", i->peer.choice.send_features,
			       i->peer.choice.n_accepts, (uintmax_t)i->peer.choice.policy);
		for (size_t n = 0; n < i->peer.n_variants; n++) {
			const struct plan_variant *v = &i->peer.variants[n];

			buf_put_printf(&b, "[%u ", v->vni);
			put_addr(&b, &v->addr);
			buf_put_printf(&b, "%u ", v->peer_vni);
			put_addr(&b, &v->peer_addr);
			buf_put_printf(&b, "%d %x %x %zu %s]", (int)v->choice->send,
				       v->choice->send_features, choice_formats(v->choice),
				       v->choice->n_accepts, v->choice->reason);
		}
		put_locators(&b, &i->peer.locators);
		break;
	case PLAN_SUBNET:
		put_addr(&b, &i->subnet.router);
		put_addr(&b, &i->subnet.resolver);
		put_prefix(&b, &i->subnet.network);
		buf_put_printf(&b, "%s %s acl%u rtb%u %d", mac_text(&i->subnet.router_mac, mac),
			       i->subnet.domain, i->subnet.acl, i->subnet.table,
			       i->subnet.preloaded);
		break;
	case PLAN_INSTANCE:
		buf_put_printf(&b, "%s %d %ju %s", i->instance.driver, i->instance.running,
			       (uintmax_t)i->instance.generation, i->instance.name);
		break;
	case PLAN_INTERFACE:
		put_interface(&b, &i->interface);
		break;
	case PLAN_GROUP:
		buf_put_printf(&b, "%s ", i->group.id);
		put_rules(&b, i->group.rules, i->group.n_rules);
		break;
	case PLAN_ACL:
		buf_put_printf(&b, "%s ", i->acl.id);
		put_rules(&b, i->acl.entries, i->acl.n_entries);
		break;
	case PLAN_TABLE:
		put_table(&b, &i->table);
		break;
	case PLAN_GATEWAY:
		put_gateway(&b, &i->gateway);
		break;
	case PLAN_PUBLIC:
		buf_put_printf(&b, "%s %u %u ", i->public.id, i->public.vni, i->public.handle);
		put_addr(&b, &i->public.addr);
		for (size_t n = 0; n < i->public.n_formers; n++)
			put_addr(&b, &i->public.formers[n]);
		break;
	case PLAN_PEERING:
		break;
	}
	return take(&b);
}

static int record(void *data, uint32_t host, const struct plan_item *item)
{
	struct sink_script *s = data;

	s->items = reallocarray(s->items, s->n + 1, sizeof(*s->items));
	assert_non_null(s->items);
	s->items[s->n++] = (struct sink_item){
		.host = host,
		.remove = item->remove,
		.key = key_of(item),
		.content = item->remove ? NULL : content_of(item),
	};
	return 0;
}

static void free_items(struct sink_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(items[i].key);
		free(items[i].content);
	}
	free(items);
}

void sink_script_record(struct sink_script *s, const struct model *m, const struct change *c)
{
	*s = (struct sink_script){0};
	assert_int_equal(plan_change(m, c, record, s), 0);
}

void sink_script_deinit(struct sink_script *s)
{
	free_items(s->items, s->n);
	*s = (struct sink_script){0};
}

static struct sink_item *find(const struct sink_hosts *h, uint32_t host, const char *key)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].host == host && str_equal(h->items[i].key, key))
			return &h->items[i];
	return NULL;
}

static void set(struct sink_hosts *h, const struct sink_item *item)
{
	struct sink_item *old = find(h, item->host, item->key);

	if (old) {
		free(old->content);
		old->content = strdup(item->content);
		return;
	}
	h->items = reallocarray(h->items, h->n + 1, sizeof(*h->items));
	assert_non_null(h->items);
	h->items[h->n++] =
		(struct sink_item){item->host, false, strdup(item->key), strdup(item->content)};
}

static void drop(struct sink_hosts *h, const struct sink_item *item)
{
	struct sink_item *old = find(h, item->host, item->key);

	if (!old) /* removing what is not there is no error: Desired is idempotent */
		return;
	free(old->key);
	free(old->content);
	*old = h->items[--h->n];
}

void sink_hosts_play(struct sink_hosts *h, const struct sink_script *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->items[i].remove)
			drop(h, &s->items[i]);
		else
			set(h, &s->items[i]);
	}
}

static void full_plans(const struct model *m, struct sink_script *ret)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	*ret = (struct sink_script){0};
	while ((o = model_iter_next(&it)))
		assert_int_equal(plan_full(m, ((const struct host *)o)->number, record, ret), 0);
}

void sink_hosts_load(struct sink_hosts *h, const struct model *m)
{
	struct sink_script s;

	full_plans(m, &s);
	*h = (struct sink_hosts){0};
	sink_hosts_play(h, &s);
	sink_script_deinit(&s);
}

void sink_hosts_check(const struct sink_hosts *h, const struct model *m)
{
	struct sink_script s;
	size_t n = 0;

	full_plans(m, &s);
	for (size_t i = 0; i < s.n; i++) {
		const struct sink_item *item = find(h, s.items[i].host, s.items[i].key);

		if (!item)
			fail_msg("host %u lacks %s", s.items[i].host, s.items[i].key);
		assert_string_equal(item->content, s.items[i].content);
	}
	for (size_t i = 0; i < h->n; i++) /* what a removed host had is nobody's concern */
		n += !!host_by_number(m, h->items[i].host);
	for (size_t i = 0; i < h->n && n > s.n; i++) {
		bool wanted = !host_by_number(m, h->items[i].host);

		for (size_t k = 0; k < s.n; k++)
			wanted |= s.items[k].host == h->items[i].host &&
				  str_equal(s.items[k].key, h->items[i].key);
		if (!wanted)
			fail_msg("host %u still has %s", h->items[i].host, h->items[i].key);
	}
	assert_int_equal(n, s.n);
	sink_script_deinit(&s);
}

void sink_hosts_deinit(struct sink_hosts *h)
{
	free_items(h->items, h->n);
}
