/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a VPC as statements about any two objects.  See twin.h. */
#include <string.h>

#include "model/instance.h"
#include "model/interface.h"
#include "model/release.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/test.h"

static const struct object *find(const struct twin *t, enum kind k, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == k && t->objects[i]->id == id)
			return t->objects[i];
	fail_msg("a reference leads nowhere");
	return NULL;
}

static void check_subnet(const struct twin *t, const struct subnet *s)
{
	const struct vpc *v = (const struct vpc *)find(t, KIND_VPC, s->vpc);

	assert_true(prefix_covers(&v->blocks[0].prefix, &s->prefix));
	assert_true(!s->prefix6.len == !s->association6);
	assert_true(!s->prefix6.len ||
		    (v->n_blocks6 && prefix_covers(&v->blocks6[0].prefix, &s->prefix6)));
	assert_int_equal(v->vni, s->vni);
	assert_int_equal(v->o.account, s->o.account);
}

static void check_two_subnets(const struct subnet *a, const struct subnet *b)
{
	if (a->vpc == b->vpc)
		assert_false(prefix_overlaps(&a->prefix, &b->prefix));
	if (a->prefix6.len && b->prefix6.len)
		assert_false(prefix_overlaps(&a->prefix6, &b->prefix6));
}

/* A block is one VPC's. */
static void check_two_vpcs(const struct vpc *a, const struct vpc *b)
{
	for (size_t i = 0; i < a->n_blocks6; i++)
		for (size_t k = 0; k < b->n_blocks6; k++)
			assert_false(prefix_overlaps(&a->blocks6[i].prefix, &b->blocks6[k].prefix));
}

/* The first four addresses of a subnet and the last are nobody's. */
static void check_address(const struct subnet *s, const struct ipaddr *a)
{
	uint32_t base = ipaddr_v4(&s->prefix.addr), size = 1U << (128 - s->prefix.len);
	static const uint8_t zeros[7], ones[7] = {255, 255, 255, 255, 255, 255, 255};

	if (!ipaddr_is_v4(a)) {
		assert_true(prefix_contains(&s->prefix6, a));
		assert_false(!memcmp(a->b + 8, zeros, 7) && a->b[15] < 4);
		assert_false(!memcmp(a->b + 8, ones, 7) && a->b[15] == 255);
		return;
	}
	assert_true(ipaddr_v4(a) >= base + 4);
	assert_true(ipaddr_v4(a) < base + size - 1);
}

static const struct host *host_of(const struct twin *t, const struct attachment *a)
{
	for (size_t k = 0; k < t->n; k++)
		if (t->objects[k]->kind == KIND_HOST &&
		    ((const struct host *)t->objects[k])->number == a->host)
			return (const struct host *)t->objects[k];
	fail();
	return NULL;
}

static void check_attachment(const struct twin *t, const struct interface *i,
			     const struct attachment *a)
{
	const struct instance *n;

	if (a->gateway) { /* the rest is told by the gateway (twin_ways.c) */
		assert_true(a->gateway == i->managed_by && !a->instance);
		assert_true(a->state == ATTACHMENT_ATTACHED && !a->wait_revision);
		assert_true(!a->host || host_of(t, a)->edge);
		return;
	}
	if (!a->instance) {
		/* by hand, at once, and alone */
		assert_true(host_of(t, a)->foreign);
		assert_true(a->plugged && a->state == ATTACHMENT_ATTACHED && !a->wait_revision);
		assert_true(!i->shared && !i->n_others && i->condition == INTERFACE_NORMAL);
		return;
	}
	n = (const struct instance *)find(t, KIND_INSTANCE, a->instance);
	assert_false(a->host && host_of(t, a)->foreign);
	assert_int_equal(n->vpc, i->vpc);
	/* one that ends waits for the host where it was */
	if (a->state != ATTACHMENT_DETACHING)
		assert_int_equal(n->host, a->host);
	assert_int_not_equal(n->state, INSTANCE_TERMINATED);
	/* it has mappings exactly while its node is on the network */
	assert_int_equal(a->plugged,
			 a->state != ATTACHMENT_DETACHING &&
				 (n->state == INSTANCE_PENDING || n->state == INSTANCE_RUNNING));
	/* one to an instance, and one to a host */
	assert_ptr_equal(interface_attachment_to(i, a->instance), a);
	assert_ptr_equal(interface_attachment_at(i, a->host), a);
}

static void check_interface(const struct twin *t, const struct interface *i)
{
	const struct subnet *s = (const struct subnet *)find(t, KIND_SUBNET, i->subnet);

	assert_int_equal(s->vni, i->vni);
	assert_true(i->n_addrs >= 1);
	for (size_t k = 0; k < i->n_addrs; k++)
		check_address(s, &i->addrs[k].addr);
	if (i->attachment.state == ATTACHMENT_NONE) {
		assert_int_equal(i->attachment.host, 0);
		assert_false(i->attachment.plugged);
	}
	assert_true(i->attachment.state != ATTACHMENT_NONE || !i->n_others);
	assert_true(i->shared || !i->n_others);
	for (size_t k = 0; k < interface_attachment_count(i); k++)
		check_attachment(t, i, interface_attachment(i, k));
}

/* What arrives is on its way from a host that has not acknowledged, and by one move only. */
static void check_arrivals(const struct twin *t, const struct interface *i)
{
	for (size_t k = 0; k < i->n_addrs; k++) {
		size_t n = 0;

		for (size_t j = 0; j < t->n; j++) {
			const struct release *r = (const struct release *)t->objects[j];

			n += r->o.kind == KIND_RELEASE && r->to == i->o.id && r->wait_revision &&
			     r->step == RELEASE_LEAVING &&
			     ipaddr_equal(&r->addr, &i->addrs[k].addr);
		}
		assert_int_equal(n, i->addrs[k].arriving);
	}
	assert_false(i->addrs[0].arriving);
}

/* A move leads to an interface that has the address, and from a node that has not. */
static void check_release(const struct twin *t, const struct release *r)
{
	const struct interface *to;
	size_t n = 0;

	if (!r->to)
		return;
	to = (const struct interface *)find(t, KIND_INTERFACE, r->to);
	for (size_t k = 0; k < to->n_addrs; k++)
		n += ipaddr_equal(&to->addrs[k].addr, &r->addr) &&
		     to->addrs[k].arriving == (r->step == RELEASE_LEAVING);
	assert_int_equal(n, 1);
}

static void check_two_interfaces(const struct interface *a, const struct interface *b)
{
	assert_false(mac_equal(&a->mac, &b->mac));
	for (size_t n = 0; n < interface_attachment_count(a); n++) {
		const struct attachment *x = interface_attachment(a, n);
		const struct attachment *y =
			x->instance ? interface_attachment_to(b, x->instance) : NULL;

		if (y)
			assert_int_not_equal(x->device_index, y->device_index);
	}
	for (size_t i = 0; i < a->n_addrs && a->vni == b->vni; i++)
		for (size_t k = 0; k < b->n_addrs; k++)
			assert_false(ipaddr_equal(&a->addrs[i].addr, &b->addrs[k].addr));
}

static void check_instance(const struct twin *t, const struct instance *n)
{
	size_t n_primary = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct interface *x = (const struct interface *)t->objects[i];

		const struct attachment *a =
			x->o.kind == KIND_INTERFACE ? interface_attachment_to(x, n->o.id) : NULL;

		n_primary +=
			a && !a->device_index && ipaddr_equal(&x->addrs[0].addr, &n->private_addr);
	}
	assert_int_equal(n_primary, n->state != INSTANCE_TERMINATED);
	assert_int_equal(!n->host, n->state == INSTANCE_TERMINATED);
	assert_int_equal(!!n->wait_revision, n->state == INSTANCE_PENDING ||
						     n->state == INSTANCE_STOPPING ||
						     n->state == INSTANCE_SHUTTING_DOWN);
}

void twin_check_rules(const struct twin *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];

		if (o->kind == KIND_SUBNET)
			check_subnet(t, (const struct subnet *)o);
		if (o->kind == KIND_INTERFACE) {
			check_interface(t, (const struct interface *)o);
			check_arrivals(t, (const struct interface *)o);
		}
		if (o->kind == KIND_RELEASE)
			check_release(t, (const struct release *)o);
		if (o->kind == KIND_INSTANCE)
			check_instance(t, (const struct instance *)o);
		for (size_t k = 0; k < i; k++) {
			const struct object *p = t->objects[k];

			if (o->kind == KIND_VPC && p->kind == KIND_VPC)
				check_two_vpcs((const struct vpc *)o, (const struct vpc *)p);
			if (o->kind == KIND_SUBNET && p->kind == KIND_SUBNET)
				check_two_subnets((const struct subnet *)o,
						  (const struct subnet *)p);
			if (o->kind == KIND_INTERFACE && p->kind == KIND_INTERFACE)
				check_two_interfaces((const struct interface *)o,
						     (const struct interface *)p);
		}
	}
	twin_ways_check_rules(t);
	twin_policy_check_rules(t);
}
