/* SPDX-License-Identifier: Apache-2.0 */
/* See walk.h. */
#include "tests/unit/model/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/holders.h"
#include "model/release.h"
#include "model/subnet_router.h"
#include "model/tag.h"
#include "model/unknown_mac.h"

uint32_t walk_random(struct walk *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(w->seed >> 33) % below;
}

static void remember(struct walk *w, const struct object *o)
{
	size_t i = w->n_ids < WALK_IDS ? w->n_ids++ : walk_random(w, WALK_IDS);

	object_id_text(o, w->ids[i]);
}

const char *walk_some(struct walk *w, enum kind k)
{
	static const char *const nonsense[] = {"", "vpc-", "i-00000000000000000", "eni-zz",
					       "subnet-0123456789abcdef0"};

	if (!walk_random(w, 25))
		return nonsense[walk_random(w, ARRAY_SIZE(nonsense))];
	for (int tries = 0; tries < 60 && w->n_ids; tries++) {
		const char *id = w->ids[walk_random(w, (uint32_t)w->n_ids)];
		uint64_t number;

		if (kind_of_id(id) != k || id_parse(k, id, &number))
			continue;
		if (model_get(w->c.m, k, number) || tries > 50)
			return id;
	}
	return "eni-0123456789abcdef0";
}

const struct caller *walk_someone(struct walk *w)
{
	return walk_random(w, 30) ? &w->c.me : &w->c.stranger;
}

static uint32_t some_host(struct walk *w)
{
	struct model_iter it = model_iter_kind(w->c.m, KIND_HOST);
	uint32_t n = walk_random(w, (uint32_t)model_count(w->c.m, KIND_HOST) + 1);
	const struct object *o = NULL;

	for (uint32_t i = 0; i < n; i++)
		o = model_iter_next(&it);
	return o ? ((const struct host *)o)->number : 999;
}

/* An address near the beginning of a subnet of the pool, or of the interface 'id'. */
static const char *some_addr(struct walk *w, const char *subnet_id, const char *interface_id,
			     char buf[static 24])
{
	const struct interface *i = NULL;
	const struct subnet *s = NULL;
	uint32_t base = 0x0a000000;

	if (!interface_find(w->c.m, &w->c.admin, interface_id, &i, NULL))
		s = (const struct subnet *)model_get(w->c.m, KIND_SUBNET, i->subnet);
	if (s || !subnet_find(w->c.m, &w->c.admin, subnet_id, &s, NULL))
		base = ipaddr_v4(&s->prefix.addr);
	base += walk_random(w, 18);
	snprintf(buf, 24, "%u.%u.%u.%u", base >> 24, base >> 16 & 255, base >> 8 & 255, base & 255);
	return buf;
}

static bool some_bool(struct walk *w)
{
	return walk_random(w, 2);
}

/* ---- the operations ---- */

static int step_vpc_create(struct walk *w, struct tx *tx)
{
	static const char *const cidrs[] = {"10.0.0.0/16", "10.0.0.0/16",  "10.0.0.7/20",
					    "10.0.0.0/8",  "224.0.0.0/16", "x",
					    "10.1.0.0/28", "10.2.0.0/20"};
	struct vpc_create_args args = {.cidr = cidrs[walk_random(w, ARRAY_SIZE(cidrs))]};
	const struct vpc *v;
	int r;

	if (model_count(w->c.m, KIND_VPC) > 4)
		return 0;
	r = vpc_create(tx, walk_someone(w), &args, &v, &w->c.refusal);
	if (!r)
		remember(w, &v->o);
	return r;
}

static int step_vpc_modify(struct walk *w, struct tx *tx)
{
	bool support = some_bool(w), names = some_bool(w);
	struct vpc_modify_args args = {
		.vpc_id = walk_some(w, KIND_VPC),
		.dns_support = &support,
		.dns_hostnames = some_bool(w) ? &names : NULL,
	};

	return vpc_modify(tx, walk_someone(w), &args, &w->c.refusal);
}

static int step_vpc_delete(struct walk *w, struct tx *tx)
{
	return vpc_delete(tx, walk_someone(w), walk_some(w, KIND_VPC), &w->c.refusal);
}

static int step_subnet_create(struct walk *w, struct tx *tx)
{
	char cidr[32];
	struct subnet_create_args args = {.vpc_id = walk_some(w, KIND_VPC), .cidr = cidr};
	const struct subnet *s;
	int r;

	snprintf(cidr, sizeof(cidr), "10.0.%u.%u/%u", walk_random(w, 4), 16 * walk_random(w, 4),
		 27 + walk_random(w, 3));
	r = subnet_create(tx, walk_someone(w), &args, &s, &w->c.refusal);
	if (!r)
		remember(w, &s->o);
	return r;
}

static int step_subnet_delete(struct walk *w, struct tx *tx)
{
	return subnet_delete(tx, walk_someone(w), walk_some(w, KIND_SUBNET), &w->c.refusal);
}

static int step_subnet_modify(struct walk *w, struct tx *tx)
{
	bool map = some_bool(w);
	struct subnet_modify_args args = {
		.subnet_id = walk_some(w, KIND_SUBNET),
		.map_public_ip = &map,
		.assign_ipv6 = some_bool(w) ? &map : NULL,
	};

	return subnet_modify(tx, walk_someone(w), &args, &w->c.refusal);
}

static int step_interface_create(struct walk *w, struct tx *tx)
{
	char addr[24], token[8];
	const char *subnet = walk_some(w, KIND_SUBNET);
	const uint32_t count6 = walk_random(w, 2);
	struct interface_create_args args = {
		.subnet_id = subnet,
		.description = some_bool(w) ? "one" : NULL,
		.private_ip = some_bool(w) ? some_addr(w, subnet, "", addr) : NULL,
		.secondary_count = walk_random(w, 4),
		.count6 = some_bool(w) ? &count6 : NULL,
	};
	const struct interface *i;
	int r;

	snprintf(token, sizeof(token), "t%u", walk_random(w, 50));
	if (some_bool(w))
		args.token = (struct token_args){.token = token, .digest = {(uint8_t)some_bool(w)}};
	r = interface_create(tx, walk_someone(w), &args, &i, &w->c.refusal);
	if (!r)
		remember(w, &i->o);
	return r;
}

static int step_interface_delete(struct walk *w, struct tx *tx)
{
	return interface_delete(tx, walk_someone(w), walk_some(w, KIND_INTERFACE), &w->c.refusal);
}

static int step_interface_modify(struct walk *w, struct tx *tx)
{
	bool check = some_bool(w);
	struct interface_modify_args args = {
		.interface_id = walk_some(w, KIND_INTERFACE),
		.description = some_bool(w) ? "other" : "",
		.source_dest_check = &check,
	};

	return interface_modify(tx, walk_someone(w), &args, &w->c.refusal);
}

static int step_attach(struct walk *w, struct tx *tx)
{
	struct interface_attach_args args = {walk_some(w, KIND_INTERFACE),
					     walk_some(w, KIND_INSTANCE), walk_random(w, 4),
					     walk_random(w, 2)};
	const struct attachment *a;

	return interface_attach(tx, walk_someone(w), &args, &a, &w->c.refusal);
}

static int step_place(struct walk *w, struct tx *tx)
{
	const struct host *h = host_by_number(w->c.m, some_host(w));
	struct model_iter it = model_iter_kind(w->c.m, KIND_HOST);
	const struct object *o;
	const struct attachment *a;

	/* mostly a foreign one, if there is one */
	while (walk_random(w, 8) && (!h || !h->foreign) && (o = model_iter_next(&it)))
		h = (const struct host *)o;
	return interface_place(tx, walk_random(w, 8) ? &w->c.admin : walk_someone(w),
			       walk_some(w, KIND_INTERFACE), h ? h->name : "nobody", &a,
			       &w->c.refusal);
}

static int step_share(struct walk *w, struct tx *tx)
{
	bool shared = walk_random(w, 4);
	uint32_t vlan = shared ? 0 : walk_random(w, 4);
	struct interface_set_args args = {
		.interface_id = walk_some(w, KIND_INTERFACE), .shared = &shared, .vlan = &vlan};

	return interface_set(tx, walk_someone(w), &args, &w->c.refusal);
}

/* One more node for an interface that has one already: by chance alone that is rare. */
static int step_attach_shared(struct walk *w, struct tx *tx)
{
	struct model_iter it = model_iter_group(w->c.m, REL_SHARED_INTERFACES, 0);
	char id[ID_TEXT_SIZE] = "eni-00000000000000000";
	struct interface_attach_args args = {id, walk_some(w, KIND_INSTANCE), walk_random(w, 4),
					     walk_random(w, 2)};
	size_t n = model_group_count(w->c.m, REL_SHARED_INTERFACES, 0);
	const struct attachment *a;

	for (n = n ? walk_random(w, (uint32_t)n) + 1 : 0; n; n--)
		object_id_text(model_iter_next(&it), id);
	return interface_attach(tx, walk_someone(w), &args, &a, &w->c.refusal);
}

/* Sessions end and come back, and some stay away for long. */
static int step_lose(struct walk *w, struct tx *tx)
{
	uint32_t host = some_host(w);

	if (host_by_number(w->c.m, host))
		host_set_connected(w->c.m, host, walk_random(w, 3));
	w->mono_ms += walk_random(w, LIMIT_MODEL_EDGE_LOST_MS);
	if (!interface_lost_due(w->c.m, w->mono_ms))
		return 0;
	return interface_settle_lost(tx, w->mono_ms, 1 + walk_random(w, 4));
}

static int step_detach(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERFACE);
	const struct interface *i;
	char text[ID_TEXT_SIZE] = "eni-attach-00000000000000000";

	if (!interface_find(w->c.m, &w->c.admin, id, &i, NULL) && interface_attachment_count(i))
		id_text_prefixed(ID_PREFIX_ATTACHMENT,
				 interface_attachment(
					 i, walk_random(w, (uint32_t)interface_attachment_count(i)))
					 ->id,
				 text);
	return interface_detach(tx, walk_random(w, 10) ? walk_someone(w) : &w->c.admin, text,
				!walk_random(w, 4), &w->c.refusal);
}

static int step_assign(struct walk *w, struct tx *tx)
{
	char a[24], b[24];
	const char *id = walk_some(w, KIND_INTERFACE);
	const char *addrs[] = {some_addr(w, "", id, a), some_addr(w, "", id, b)};
	bool explicit = some_bool(w);
	struct interface_assign_args args = {
		.interface_id = id,
		.addrs = addrs,
		.n_addrs = explicit ? 1 + walk_random(w, 2) : 0,
		.count = explicit ? 0 : walk_random(w, 3),
		.allow_reassignment = some_bool(w),
	};
	const struct interface *i;
	size_t n;

	return interface_assign(tx, walk_someone(w), &args, &i, &n, &w->c.refusal);
}

static int step_unassign(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_INTERFACE);
	const struct interface *i;
	char text[IPADDR_TEXT_SIZE] = "10.0.0.9";
	const char *addrs = text;

	if (!interface_find(w->c.m, &w->c.admin, id, &i, NULL))
		ipaddr_text(&i->addrs[walk_random(w, (uint32_t)i->n_addrs)].addr, text);
	return interface_unassign(tx, walk_someone(w), id, &addrs, 1, &w->c.refusal);
}

static int step_run(struct walk *w, struct tx *tx)
{
	char token[8];
	struct instance_interface_args interfaces[2] = {
		{.subnet_id = walk_some(w, KIND_SUBNET), .secondary_count = walk_random(w, 2)},
		{.device_index = 1, .interface_id = walk_some(w, KIND_INTERFACE)},
	};
	struct instance_run_args args = {
		.type = walk_random(w, 20) ? "m5.large" : "z1.none",
		.min_count = 1,
		.max_count = 1 + walk_random(w, 3),
		.interfaces = interfaces,
		.n_interfaces = 1 + walk_random(w, 2),
		.disable_api_termination = !walk_random(w, 10),
		.terminate_on_shutdown = some_bool(w),
	};
	const struct instance *made[3];
	size_t n;
	int r;

	snprintf(token, sizeof(token), "r%u", walk_random(w, 50));
	if (some_bool(w))
		args.token.token = token;
	if (args.n_interfaces == 2)
		args.max_count = 1;
	r = instance_run(tx, walk_someone(w), &args, made, &n, &w->c.refusal);
	for (size_t i = 0; !r && i < n; i++)
		remember(w, &made[i]->o);
	return r;
}

static int step_transition(struct walk *w, struct tx *tx)
{
	const char *ids[2] = {walk_some(w, KIND_INSTANCE), walk_some(w, KIND_INSTANCE)};
	size_t n = 1 + !walk_random(w, 4);
	struct instance_transition t[2];

	switch (walk_random(w, 4)) {
	case 0:
		return instance_start(tx, walk_someone(w), ids, n, t, &w->c.refusal);
	case 1:
		return instance_stop(tx, walk_someone(w), ids, n, t, &w->c.refusal);
	case 2:
		return instance_reboot(tx, walk_someone(w), ids, n, &w->c.refusal);
	default:
		return instance_terminate(tx, walk_someone(w), ids, n, t, &w->c.refusal);
	}
}

static int step_instance_modify(struct walk *w, struct tx *tx)
{
	bool no = false, check = some_bool(w);
	struct instance_modify_args args = {
		.instance_id = walk_some(w, KIND_INSTANCE),
		.disable_api_termination = &no,
		.source_dest_check = some_bool(w) ? &check : NULL,
		.type = some_bool(w) ? "m5.xlarge" : NULL,
	};

	return instance_modify(tx, walk_someone(w), &args, &w->c.refusal);
}

static int step_report(struct walk *w, struct tx *tx)
{
	const struct instance *n;

	if (instance_find(w->c.m, &w->c.admin, walk_some(w, KIND_INSTANCE), &n, NULL))
		return 0;
	return instance_report(tx, n->host, n->o.id, n->generation - !walk_random(w, 4),
			       (enum instance_report_state)walk_random(w, 3), "it said so");
}

static int step_acknowledge(struct walk *w, struct tx *tx)
{
	uint64_t revision = model_revision(w->c.m);
	struct host_failure failure = {.kind = some_bool(w) ? KIND_INSTANCE : KIND_INTERFACE,
				       .text = "failed"};
	bool fails = !walk_random(w, 8);

	if (id_parse(failure.kind, walk_some(w, failure.kind), &failure.id))
		fails = false;
	return host_acknowledge(tx, some_host(w), revision - walk_random(w, 3), &failure, fails,
				&w->c.refusal);
}

static int step_tags(struct walk *w, struct tx *tx)
{
	const enum kind kinds[] = {KIND_VPC, KIND_SUBNET, KIND_INTERFACE, KIND_INSTANCE,
				   KIND_ROUTE_TABLE};
	const char *ids[2] = {walk_some(w, kinds[walk_random(w, 5)]),
			      walk_some(w, kinds[walk_random(w, 5)])};
	char key[8];
	struct tag_args tag = {key, some_bool(w) ? "value" : ""};

	snprintf(key, sizeof(key), "k%u", walk_random(w, 60));
	if (!walk_random(w, 20))
		tag.key = "aws:x";
	if (walk_random(w, 3))
		return tag_create(tx, walk_someone(w), ids, 2, &tag, 1, &w->c.refusal);
	tag.value = NULL;
	return tag_delete(tx, walk_someone(w), ids, 2, &tag, (size_t)walk_random(w, 2),
			  &w->c.refusal);
}

static int step_router(struct walk *w, struct tx *tx)
{
	const char *id = walk_some(w, KIND_SUBNET);
	char addr[24];

	return subnet_router_set(tx, walk_someone(w), id,
				 walk_random(w, 3) ? some_addr(w, id, "", addr) : "",
				 &w->c.refusal);
}

static int step_unknown_macs(struct walk *w, struct tx *tx)
{
	return unknown_mac_set(tx, walk_someone(w), walk_some(w, KIND_VPC),
			       some_bool(w) ? "resolve" : "refuse", &w->c.refusal);
}

static int step_host_add(struct walk *w, struct tx *tx)
{
	char name[16], v6[32];
	uint32_t rack = walk_random(w, 80);
	struct tag_args label = {"environment", some_bool(w) ? "production" : "test"};
	struct host_add_args args = {
		.name = name, .v6 = v6, .rack = &rack, .labels = &label, .n_labels = some_bool(w)};
	const struct host *h;

	if (model_count(w->c.m, KIND_HOST) > 5)
		return 0;
	snprintf(name, sizeof(name), "x%u", walk_random(w, 20));
	snprintf(v6, sizeof(v6), "fd00::1:%x", walk_random(w, 20));
	if (!walk_random(w, 3))
		args = (struct host_add_args){.name = name, .foreign = v6};
	return host_add(tx, &w->c.admin, &args, &h, &w->c.refusal);
}

static int step_host_report(struct walk *w, struct tx *tx)
{
	struct capabilities can = {
		.stands_by = walk_random(w, 4),
		.formats = walk_random(w, 32) & ~1U,
		.substrate_mtu = some_bool(w) ? 1500 : 9000,
		.probed_ms = 1 + walk_random(w, 100),
		.error = (char *)(uintptr_t)(walk_random(w, 5) ? NULL : "probe failed"),
	};

	return host_report(tx, some_host(w), &can, &w->c.refusal);
}

static int step_host_remove(struct walk *w, struct tx *tx)
{
	const struct host *h = host_by_number(w->c.m, some_host(w));

	if (!h || model_count(w->c.m, KIND_HOST) < 3)
		return 0;
	return host_remove(tx, &w->c.admin, h->name, some_bool(w), &w->c.refusal);
}

static int step_accounts(struct walk *w, struct tx *tx)
{
	char name[16];
	struct key_create_args args = {
		.account_id = ACCOUNT_TEXT, .access_key_id = name, .secret = "secret"};
	const struct key *k;

	snprintf(name, sizeof(name), "AKIA%u", walk_random(w, 9));
	if (some_bool(w))
		return key_create(tx, some_bool(w) ? &w->c.admin : &w->c.me, &args, &k,
				  &w->c.refusal);
	return key_delete(tx, &w->c.admin, ACCOUNT_TEXT, name, &w->c.refusal);
}

/* Holders come and go beside the transactions, as sessions do. */
static int step_holders(struct walk *w, struct tx *tx)
{
	const struct interface *i;
	size_t n;

	if (interface_find(w->c.m, &w->c.admin, walk_some(w, KIND_INTERFACE), &i, NULL))
		return release_settle(tx, &n);
	if (some_bool(w))
		return holders_add(model_holders(w->c.m), i->vni, &i->addrs[0].addr, some_host(w),
				   1, 1000);
	holders_remove_host(model_holders(w->c.m), some_host(w));
	return release_settle(tx, &n);
}

/* An operator's word, for whatever is on its way. */
static int step_force(struct walk *w, struct tx *tx)
{
	struct model_iter it = model_iter_kind(w->c.m, KIND_RELEASE);
	const struct release *r = (const struct release *)model_iter_next(&it);
	uint32_t vni;
	struct ipaddr addr;

	if (!r)
		return 0;
	vni = r->vni;
	addr = r->addr;
	return release_force(tx, &w->c.admin, vni, &addr, &w->c.refusal);
}

static int step_expire(struct walk *w, struct tx *tx)
{
	w->c.now_ms += 60 * 1000 * walk_random(w, 60);
	return tx_expire(tx, 10);
}

void walk_remember(struct walk *w, const struct object *o)
{
	remember(w, o);
}

int walk_step(struct walk *w, struct tx *tx)
{
	static const struct {
		uint32_t weight;
		int (*step)(struct walk *w, struct tx *tx);
	} steps[] = {
		{2, step_vpc_create},
		{2, step_vpc_modify},
		{1, step_vpc_delete},
		{4, step_subnet_create},
		{1, step_subnet_delete},
		{1, step_subnet_modify},
		{8, step_interface_create},
		{4, step_interface_delete},
		{2, step_interface_modify},
		{6, step_attach},
		{6, step_place},
		{4, step_detach},
		{3, step_share},
		{6, step_attach_shared},
		{4, step_lose},
		{6, step_assign},
		{4, step_unassign},
		{8, step_run},
		{14, step_transition},
		{2, step_instance_modify},
		{4, step_report},
		{14, step_acknowledge},
		{3, step_tags},
		{4, step_router},
		{2, step_unknown_macs},
		{2, step_host_add},
		{3, step_host_report},
		{1, step_host_remove},
		{1, step_accounts},
		{4, step_holders},
		{1, step_force},
		{1, step_expire},
		{3, walk_vpc_block6},
		{4, walk_subnet_block6},
		{6, walk_assign6},
		{4, walk_unassign6},
		{44, walk_step_ways},
		{26, walk_step_policy},
		{16, walk_step_choice},
	};
	uint32_t total = 0, at;
	size_t i = 0;
	int r;

	if (w->watches && !walk_random(w, 10)) {
		r = walk_step_watch(w, tx);
		assert_true(r >= 0);
		w->done[!r]++;
		return r;
	}

	for (size_t k = 0; k < ARRAY_SIZE(steps); k++)
		total += steps[k].weight;
	for (at = walk_random(w, total); at >= steps[i].weight; i++)
		at -= steps[i].weight;
	r = steps[i].step(w, tx);
	assert_true(r >= 0);
	w->done[!r]++;
	for (uint32_t n = some_host(w), end = n + 6; n < end; n++)
		host_set_connected(w->c.m, n, walk_random(w, 8));
	return r;
}

static void begin(struct walk *w)
{
	cluster_make_network(&w->c);
	snprintf(w->ids[w->n_ids++], ID_TEXT_SIZE, "%s", w->c.vpc);
	snprintf(w->ids[w->n_ids++], ID_TEXT_SIZE, "%s", w->c.subnet);
}

void walk_init(struct walk *w, uint64_t seed)
{
	*w = (struct walk){.seed = seed};
	cluster_init(&w->c, 3);
	begin(w);
}

void walk_init_passes(struct walk *w, uint64_t seed)
{
	*w = (struct walk){.seed = seed};
	cluster_init_passes(&w->c, 3, 1);
	begin(w);
}

void walk_deinit(struct walk *w)
{
	cluster_deinit(&w->c);
}
