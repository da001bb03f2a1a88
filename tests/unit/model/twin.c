/* SPDX-License-Identifier: Apache-2.0 */
/* See twin.h. */
#include "tests/unit/model/twin.h"

#include <stdlib.h>

#include "base/str.h"
#include "model/account.h"
#include "model/cidr.h"
#include "model/group_rule.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/choice_rules.h"
#include "model/mapping.h"
#include "model/pair.h"
#include "model/peering.h"
#include "model/network_acl.h"
#include "model/record.h"
#include "model/release.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/subnet_router.h"
#include "model/vpc.h"
#include "tests/unit/test.h"

static void add(struct twin *t, const struct object *o)
{
	t->objects = reallocarray(t->objects, t->n + 1, sizeof(*t->objects));
	assert_non_null(t->objects);
	assert_int_equal(record_copy(o, &t->objects[t->n]), 0);
	t->n++;
}

static void drop(struct twin *t, const struct object *o)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->objects[i]->kind != o->kind || t->objects[i]->id != o->id)
			continue;
		assert_true(record_equal(t->objects[i], o));
		record_free(t->objects[i]);
		t->objects[i] = t->objects[--t->n];
		return;
	}
	fail_msg("the model changed an object that was not there");
}

void twin_init(struct twin *t, const struct model *m)
{
	*t = (struct twin){0};
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct model_iter it = model_iter_kind(m, k);
		const struct object *o;

		while ((o = model_iter_next(&it)))
			add(t, o);
	}
}

void twin_deinit(struct twin *t)
{
	for (size_t i = 0; i < t->n; i++)
		record_free(t->objects[i]);
	free(t->objects);
}

void twin_apply(struct twin *t, const struct change *c)
{
	for (size_t i = 0; i < change_count(c); i++) {
		struct write w = change_get(c, i);

		if (w.before)
			drop(t, w.before);
		if (w.after)
			add(t, w.after);
	}
}

void twin_undo(struct twin *t, const struct change *c)
{
	for (size_t i = change_count(c); i--;) {
		struct write w = change_get(c, i);

		if (w.after)
			drop(t, w.after);
		if (w.before)
			add(t, w.before);
	}
}

/* ---- what the groups must hold ---- */

/* The key of the group of relation 'r' that 'o' is in; false: in none. */
static bool key_of(const struct object *o, enum relation r, uint64_t *ret)
{
	const struct interface *i = (const struct interface *)o;
	const struct instance *n = (const struct instance *)o;
	const struct release *rel = (const struct release *)o;

	if (twin_ways_key(o, r, ret) || twin_watch_key(o, r, ret))
		return true;
	if (o->kind == KIND_SUBNET && r == REL_VPC_SUBNETS)
		return *ret = ((const struct subnet *)o)->vpc, true;
	if (o->kind == KIND_SUBNET && r == REL_ACL_SUBNETS)
		return *ret = ((const struct subnet *)o)->acl, true;
	if (o->kind == KIND_SECURITY_GROUP && r == REL_VPC_GROUPS)
		return *ret = ((const struct security_group *)o)->vpc, true;
	if (o->kind == KIND_NETWORK_ACL && r == REL_VPC_ACLS)
		return *ret = ((const struct network_acl *)o)->vpc, true;
	if (o->kind == KIND_SECURITY_GROUP_RULE && r == REL_GROUP_RULES)
		return *ret = ((const struct group_rule *)o)->group, true;
	if (o->kind == KIND_SECURITY_GROUP_RULE && r == REL_PEER_RULES)
		return *ret = ((const struct group_rule *)o)->peer,
		       ((const struct group_rule *)o)->peer;
	if (o->kind == KIND_SECURITY_GROUP_RULE && r == REL_LIST_RULES)
		return *ret = ((const struct group_rule *)o)->list,
		       ((const struct group_rule *)o)->list;
	if (o->kind == KIND_RELEASE && r == REL_SUBNET_RELEASES)
		return *ret = rel->subnet, !rel->to;
	if (o->kind == KIND_RELEASE && r == REL_HOST_WAITING_RELEASES)
		return *ret = rel->host, rel->wait_revision;
	if (o->kind == KIND_RELEASE && r == REL_WIDE_RELEASES)
		return *ret = 0, rel->n_more_hosts > 0;
	if (o->kind == KIND_RELEASE && r == REL_INTERFACE_MOVES)
		return *ret = rel->to, rel->to;
	if (o->kind == KIND_INTERFACE) {
		switch (r) {
		case REL_SUBNET_INTERFACES:
			return *ret = i->subnet, true;
		case REL_SHARED_INTERFACES:
			return *ret = 0, i->shared;
		default:
			return false;
		}
	}
	if (o->kind != KIND_INSTANCE)
		return false;
	switch (r) {
	case REL_SUBNET_INSTANCES:
		return *ret = n->subnet, true;
	case REL_HOST_INSTANCES:
		return *ret = n->host, n->state != INSTANCE_TERMINATED;
	case REL_HOST_WAITING_INSTANCES:
		return *ret = n->host, n->wait_revision && n->state != INSTANCE_TERMINATED;
	case REL_PLACEMENT_GROUP:
		return *ret = n->placement_group,
		       n->placement_group && n->state != INSTANCE_TERMINATED;
	case REL_TERMINATED:
		return *ret = 0, n->state == INSTANCE_TERMINATED;
	default:
		return false;
	}
}

/* 'it' visits 'n' objects in order of their serials. */
static void check_list(struct model_iter it, size_t n)
{
	const struct object *o;
	uint64_t serial = 0;
	size_t seen = 0;

	for (; (o = model_iter_next(&it)); seen++) {
		assert_true(!seen || o->serial > serial);
		serial = o->serial;
	}
	assert_int_equal(seen, n);
}

static bool list_has(struct model_iter it, uint64_t id)
{
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (o->id == id)
			return true;
	return false;
}

/* The groups of 'r' that an interface is in because of its attachment 'n'. */
static bool part_key_of(const struct object *o, enum relation r, size_t n, uint64_t *ret)
{
	const struct interface *i = (const struct interface *)o;
	const struct attachment *a = n ? &i->others[n - 1] : &i->attachment;
	bool attached = a->state == ATTACHMENT_ATTACHED;

	switch (r) {
	case REL_INSTANCE_INTERFACES:
		return *ret = a->instance, a->state != ATTACHMENT_NONE && a->instance;
	case REL_HOST_INTERFACES:
		return *ret = a->host, a->host && (attached || a->state == ATTACHMENT_ATTACHING);
	case REL_HOST_WAITING_INTERFACES:
		return *ret = a->host, a->host && !attached && a->state;
	default:
		return false;
	}
}

static bool any_key_of(const struct object *o, enum relation r, size_t n, uint64_t *ret)
{
	if (!n && key_of(o, r, ret))
		return true;
	return o->kind == KIND_INTERFACE && part_key_of(o, r, n, ret);
}

static size_t count_parts(const struct object *o)
{
	return o->kind == KIND_INTERFACE ? 1 + ((const struct interface *)o)->n_others : 1;
}

static size_t count_in_group(const struct twin *t, enum kind k, enum relation r, uint64_t key)
{
	uint64_t other;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		for (size_t p = 0; p < count_parts(t->objects[i]); p++)
			n += t->objects[i]->kind == k && any_key_of(t->objects[i], r, p, &other) &&
			     other == key;
	return n;
}

static void check_relation(const struct twin *t, const struct model *m, const struct object *o,
			   enum relation r)
{
	uint64_t key;
	size_t n;

	for (size_t p = 0; p < count_parts(o); p++) {
		if (!any_key_of(o, r, p, &key))
			continue;
		assert_true(list_has(model_iter_group(m, r, key), o->id));
		n = count_in_group(t, o->kind, r, key);
		assert_int_equal(model_group_count(m, r, key), n);
		check_list(model_iter_group(m, r, key), n);
	}
}

static void check_account(const struct twin *t, const struct model *m, const struct object *o)
{
	size_t n = 0, all = 0;

	for (size_t i = 0; i < t->n; i++) {
		n += t->objects[i]->kind == o->kind && t->objects[i]->account == o->account;
		all += t->objects[i]->kind == o->kind;
	}
	assert_true(list_has(model_iter_account(m, o->kind, o->account), o->id));
	check_list(model_iter_account(m, o->kind, o->account), n);
	check_list(model_iter_kind(m, o->kind), all);
	assert_int_equal(model_count(m, o->kind), all);
}

/* ---- the other indexes ---- */

static void check_unique(const struct model *m, const struct object *o)
{
	const struct object *same = model_get(m, o->kind, o->id);
	const struct interface *i = (const struct interface *)o;

	switch (o->kind) {
	case KIND_KEY:
		assert_ptr_equal(key_find(m, ((const struct key *)o)->access_key_id), same);
		break;
	case KIND_HOST:
		assert_ptr_equal(host_by_number(m, ((const struct host *)o)->number), same);
		assert_ptr_equal(host_find(m, ((const struct host *)o)->name), same);
		break;
	case KIND_VPC:
		assert_ptr_equal(vpc_by_vni(m, ((const struct vpc *)o)->vni), same);
		break;
	case KIND_SECURITY_GROUP:
		assert_ptr_equal(
			security_group_by_number(m, ((const struct security_group *)o)->number),
			same);
		assert_ptr_equal(security_group_by_name(m, ((const struct security_group *)o)->vpc,
							((const struct security_group *)o)->name),
				 same);
		break;
	case KIND_NETWORK_ACL:
		assert_ptr_equal(network_acl_by_number(m, ((const struct network_acl *)o)->number),
				 same);
		break;
	case KIND_INTERFACE:
		assert_ptr_equal(interface_by_mac(m, &i->mac), same);
		for (size_t n = 0; n < interface_attachment_count(i); n++)
			assert_ptr_equal(attachment_find(m, interface_attachment(i, n)->id),
					 interface_attachment((const struct interface *)same, n));
		break;
	default:
		break;
	}
}

/* A mapping leads to the nodes that are on the network with the interface: those whose hosts are
 * lost only when all are. */
static void check_hosts(const struct interface *i, const struct mapping *found)
{
	size_t n_plugged = 0, n_there = 0, n = 0;

	for (size_t k = 0; k < interface_attachment_count(i); k++) {
		n_plugged += interface_attachment(i, k)->plugged;
		n_there += interface_attachment(i, k)->plugged && !interface_attachment(i, k)->lost;
	}
	for (size_t k = 0; k < interface_attachment_count(i); k++) {
		const struct attachment *a = interface_attachment(i, k);
		bool there = a->plugged && (!a->lost || !n_there);

		n += there;
		assert_int_equal(mapping_is_at(found, a->host), there);
	}
	assert_int_equal(!found->host, !n_plugged);
	assert_int_equal(!found->hosts, !i->shared || !n_plugged);
	if (found->hosts)
		assert_int_equal(found->hosts->n, n);
	if (found->hosts)
		assert_int_equal(found->hosts->numbers[0], found->host);
}

/* One that routes name is known by its handle, and is nowhere unless it may forward. */
static size_t check_forwarding(const struct model *m, const struct interface *i)
{
	const struct mapping *found;
	struct ipaddr addr = ipaddr_from_v4(i->vni);

	if (!i->handle.number)
		return 0;
	found = mapping_find(model_mappings(m), i->handle.number, &addr);
	assert_non_null(found);
	assert_int_equal(found->interface, i->o.id);
	if (i->source_dest_check)
		assert_int_equal(found->host, 0);
	else
		check_hosts(i, found);
	assert_int_equal(found->revision, i->o.revision);
	return 1;
}

/* Returns how many mappings the object stands for. */
static size_t check_mappings(const struct model *m, const struct object *o)
{
	const struct interface *i = (const struct interface *)o;
	const struct release *r = (const struct release *)o;
	const struct mapping *found;
	struct ipaddr addr;

	if (o->kind == KIND_RELEASE && !r->to) {
		found = mapping_find(model_mappings(m), r->vni, &r->addr);
		assert_non_null(found);
		assert_int_equal(found->interface, 0);
		assert_int_equal(found->host, 0);
		return 1;
	}
	if (o->kind != KIND_INTERFACE)
		return 0;
	for (size_t n = 0; n < i->n_addrs; n++) {
		found = mapping_find(model_mappings(m), i->vni, &i->addrs[n].addr);
		assert_non_null(found);
		assert_int_equal(found->interface, o->id);
		if (i->addrs[n].arriving)
			assert_int_equal(found->host, i->addrs[n].at);
		else
			check_hosts(i, found);
		assert_int_equal(found->revision, i->addrs[n].revision);
	}
	addr = interface_link_local(i);
	found = mapping_find(model_mappings(m), i->vni, &addr);
	assert_non_null(found);
	assert_int_equal(found->interface, o->id);
	check_hosts(i, found);
	return i->n_addrs + 1 + check_forwarding(m, i);
}

static uint64_t count_v4(const struct interface *i)
{
	uint64_t n = 0;

	for (size_t k = 0; k < i->n_addrs; k++)
		n += ipaddr_is_v4(&i->addrs[k].addr);
	return n;
}

static void check_subnet(const struct twin *t, const struct model *m, const struct subnet *s)
{
	struct ipaddr router = subnet_router(s);
	uint64_t taken = 0;

	assert_null(mapping_find(model_mappings(m), s->vni, &router));
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];

		if (o->kind == KIND_INTERFACE && ((const struct interface *)o)->subnet == s->o.id)
			taken += count_v4((const struct interface *)o);
		if (o->kind == KIND_RELEASE && ipaddr_is_v4(&((const struct release *)o)->addr))
			taken += !((const struct release *)o)->to &&
				 ((const struct release *)o)->subnet == s->o.id;
	}
	assert_int_equal(subnet_available(m, s) + taken,
			 cidr_usable(&s->prefix) - subnet_router_is_among_usable(s));
}

static bool carries(const struct twin *t, uint32_t vni, uint32_t host)
{
	uint64_t number;

	for (size_t i = 0; i < t->n; i++)
		for (size_t p = 0; p < count_parts(t->objects[i]); p++)
			if (any_key_of(t->objects[i], REL_HOST_INTERFACES, p, &number) &&
			    number == host && ((const struct interface *)t->objects[i])->vni == vni)
				return true;
	for (size_t i = 0; i < t->n; i++)
		if (twin_ways_carries(t->objects[i], vni, host))
			return true;
	return false;
}

static const struct host *host_of(const struct twin *t, uint32_t number)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == KIND_HOST &&
		    ((const struct host *)t->objects[i])->number == number)
			return (const struct host *)t->objects[i];
	fail_msg("no host %u", number);
	return NULL;
}

static bool is_in(const struct twin *t, uint64_t interface, uint32_t vni)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == KIND_INTERFACE && t->objects[i]->id == interface)
			return ((const struct interface *)t->objects[i])->vni == vni;
	return false;
}

/* Inside the network, also between interfaces of it that a policy names. */
static uint32_t worst_overhead(const struct twin *t, const struct model *m, const struct host *a,
			       const struct host *b, uint32_t vni)
{
	struct pair_class c = {.vni = vni, .peer_vni = vni};
	struct wish w;
	uint32_t worst;

	pair_wish(m, a, b, &c, &w);
	worst = w.overhead;
	for (size_t i = 0; i < t->n; i++) {
		const struct choice_policy *p = (const struct choice_policy *)t->objects[i];

		if (p->o.kind != KIND_CHOICE_POLICY || !is_in(t, p->interfaces[0], vni) ||
		    !is_in(t, p->interfaces[1], vni))
			continue;
		for (int k = 0; k < 2; k++) {
			c.interface = p->interfaces[k];
			c.peer_interface = p->interfaces[!k];
			pair_wish(m, a, b, &c, &w);
			worst = w.overhead > worst ? w.overhead : worst;
		}
	}
	return worst;
}

/* The rules are all policies, the one that decides first. */
static void check_rules(const struct twin *t, const struct model *m)
{
	const struct choice_rules *r = choice_rules_of(m);
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->objects[i]->kind == KIND_CHOICE_POLICY;
	assert_int_equal(r->n, n);
	for (size_t i = 0; i < r->n; i++) {
		assert_ptr_equal(r->v[i], model_get(m, KIND_CHOICE_POLICY, r->v[i]->o.id));
		assert_true(!i || r->v[i - 1]->specificity >= r->v[i]->specificity);
	}
}

/* From a host of the network to those of one that it is peered with. */
static uint32_t worst_to_peers(const struct twin *t, const struct model *m, const struct host *a,
			       uint32_t vni)
{
	uint32_t worst = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct peering *p = (const struct peering *)t->objects[i];
		struct pair_class c = {.vni = vni};
		const uint32_t *hosts;
		struct wish w;
		size_t n;

		if (p->o.kind != KIND_PEERING || p->state != PEERING_ACTIVE ||
		    (p->requester.vni != vni && p->accepter.vni != vni))
			continue;
		c.peer_vni = p->requester.vni == vni ? p->accepter.vni : p->requester.vni;
		n = model_network_hosts(m, c.peer_vni, &hosts);
		for (size_t k = 0; k < n; k++) {
			pair_wish(m, a, host_of(t, hosts[k]), &c, &w);
			worst = w.overhead > worst ? w.overhead : worst;
		}
	}
	return worst;
}

/* docs/substrate.md: the smallest substrate MTU minus the largest overhead of any pair, also to
 * peered networks. */
static void check_mtu(const struct twin *t, const struct model *m, uint32_t vni,
		      const uint32_t *hosts, size_t n, uint32_t mtu)
{
	uint32_t smallest = UINT32_MAX, worst = 0;

	for (size_t i = 0; i < n; i++) {
		struct ability a = ability_of(host_of(t, hosts[i]));

		if (a.mtu && a.mtu < smallest)
			smallest = a.mtu;
		for (size_t k = 0; k < n; k++) {
			uint32_t overhead = worst_overhead(t, m, host_of(t, hosts[i]),
							   host_of(t, hosts[k]), vni);

			if (overhead > worst)
				worst = overhead;
		}
	}
	worst = worst ? worst : 70;
	for (size_t i = 0; i < n; i++) {
		uint32_t overhead = worst_to_peers(t, m, host_of(t, hosts[i]), vni);

		worst = overhead > worst ? overhead : worst;
	}
	if (smallest != UINT32_MAX) /* else what it was */
		assert_int_equal(mtu, smallest - worst);
}

static void check_network(const struct twin *t, const struct model *m, const struct vpc *v)
{
	const uint32_t *hosts;
	size_t n = model_network_hosts(m, v->vni, &hosts), expected = 0;

	for (size_t i = 0; i < n; i++)
		assert_true(carries(t, v->vni, hosts[i]));
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == KIND_HOST)
			expected +=
				carries(t, v->vni, ((const struct host *)t->objects[i])->number);
	assert_int_equal(n, expected);
	if (n)
		check_mtu(t, m, v->vni, hosts, n, v->mtu);
}

void twin_check(const struct twin *t, const struct model *m)
{
	size_t n_mappings = 0, n = 0;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++)
		n += model_count(m, k);
	assert_int_equal(n, t->n);
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];
		const struct object *found = model_get(m, o->kind, o->id);

		assert_non_null(found);
		assert_true(record_equal(found, o));
		check_account(t, m, o);
		for (enum relation r = 0; r < REL_MAX; r++)
			check_relation(t, m, o, r);
		check_unique(m, o);
		n_mappings += check_mappings(m, o);
		if (o->kind == KIND_SUBNET)
			check_subnet(t, m, (const struct subnet *)o);
		if (o->kind == KIND_VPC)
			check_network(t, m, (const struct vpc *)o);
	}
	assert_int_equal(mapping_count(model_mappings(m)), n_mappings);
	check_rules(t, m);
}
