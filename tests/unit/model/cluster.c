/* SPDX-License-Identifier: Apache-2.0 */
/* See cluster.h. */
#include "tests/unit/model/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/internet_gateway.h"
#include "model/pair_shift.h"
#include "model/record.h"
#include "model/table.h"

#define ALL_FORMATS                                                                                \
	(FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1) |      \
	 FORMAT_BIT(FORMAT_VXLAN_1))

/* splitmix64: the same ids in each run */
static void fill_random(void *data, void *ret, size_t size)
{
	struct cluster *c = data;
	uint8_t *bytes = ret;

	for (size_t i = 0; i < size; i++) {
		uint64_t z = c->random += 0x9e3779b97f4a7c15;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		bytes[i] = (uint8_t)(z ^ (z >> 31));
	}
}

struct tx *cluster_tx(struct cluster *c)
{
	struct tx *tx;

	assert_int_equal(tx_begin(c->m, c->now_ms, &tx), 0);
	memset(&c->refusal, 0, sizeof(c->refusal));
	return tx;
}

struct change *cluster_end_change(struct cluster *c, int r)
{
	struct change *change;

	assert_int_equal(r, 0);
	assert_int_equal(tx_end(c->m->tx, &change), 0);
	return change;
}

int cluster_end(struct cluster *c, int r)
{
	struct change *change;

	if (r < 0)
		fail_msg("fault %d", r);
	if (r) {
		assert_int_equal(c->refusal.code, r);
		assert_true(c->refusal.message[0]);
		assert_false(tx_has_writes(c->m->tx));
	}
	assert_int_equal(tx_end(c->m->tx, &change), 0);
	change_free(change);
	return r;
}

uint32_t cluster_add_host(struct cluster *c, const char *name, const char *v4, const char *v6,
			  uint32_t formats, uint32_t mtu)
{
	struct host_add_args args = {.name = name, .v4 = v4, .v6 = v6};
	struct capabilities can = {
		.formats = formats,
		.substrate_mtu = mtu,
		.probed_ms = c->now_ms,
		.kernel = (char *)(uintptr_t) "6.1",
	};
	const struct host *h;
	struct tx *tx = cluster_tx(c);
	uint32_t number;
	int r = host_add(tx, &c->admin, &args, &h, &c->refusal);

	assert_int_equal(r, 0);
	number = h->number;
	r = host_report(tx, number, &can, &c->refusal);
	while (!r && host_report_due(c->m))
		r = host_report_step(tx, SIZE_MAX);
	assert_int_equal(cluster_end(c, r), 0);
	host_set_connected(c->m, number, true);
	return number;
}

void cluster_init(struct cluster *c, size_t n_hosts)
{
	cluster_init_passes(c, n_hosts, 0);
}

void cluster_init_passes(struct cluster *c, size_t n_hosts, size_t choice_at_once)
{
	struct model_config config = {
		.region = "us-east-1", .ids = {fill_random, c}, .choice_at_once = choice_at_once};
	struct account_create_args account = {.id = ACCOUNT_TEXT, .name = "customer"};
	const struct account *a;

	*c = (struct cluster){
		.random = 42,
		.now_ms = 1000000,
		.choice_at_once = choice_at_once,
		.me = {.account = ACCOUNT_ID},
		.admin = {.is_operator = true},
		.stranger = {.account = 999999999999},
	};
	assert_int_equal(prefix_parse("fd56:6961::/32", &config.organisation), 0);
	assert_int_equal(prefix_parse("fd56:6976:3600::/40", &config.ipv6_pool), 0);
	assert_int_equal(model_new(&config, &c->m), 0);
	assert_int_equal(
		cluster_end(c, account_create(cluster_tx(c), &c->admin, &account, &a, &c->refusal)),
		0);
	for (size_t i = 0; i < n_hosts; i++) {
		char name[32], v6[32];

		snprintf(name, sizeof(name), "h%zu", i + 1);
		snprintf(v6, sizeof(v6), "fd00::%zx", i + 1);
		c->hosts[i] = cluster_add_host(c, name, NULL, v6, ALL_FORMATS, 1500);
	}
}

void cluster_init_network(struct cluster *c, size_t n_hosts)
{
	cluster_init(c, n_hosts);
	cluster_make_network(c);
}

void cluster_make_network(struct cluster *c)
{
	cluster_make_vpc(c, "10.0.0.0/16", c->vpc);
	cluster_make_subnet(c, c->vpc, "10.0.0.0/24", c->subnet);
}

void cluster_deinit(struct cluster *c)
{
	c->m = model_free(c->m);
}

uint32_t cluster_add_edge(struct cluster *c, const char *name, const char *v6)
{
	struct host_add_args args = {.name = name, .v6 = v6, .edge = true};
	struct capabilities can = {.formats =
					   FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
				   .substrate_mtu = 1500,
				   .probed_ms = 1};
	const struct host *h;
	struct tx *tx = cluster_tx(c);
	int r = host_add(tx, &c->admin, &args, &h, &c->refusal);
	uint32_t number;

	assert_ok(r);
	number = h->number;
	r = host_report(tx, number, &can, &c->refusal);
	while (!r && host_report_due(c->m))
		r = host_report_step(tx, SIZE_MAX);
	assert_ok(cluster_end(c, r));
	host_set_connected(c->m, number, true);
	return number;
}

void cluster_make_vpc(struct cluster *c, const char *cidr, char ret_id[ID_TEXT_SIZE])
{
	struct vpc_create_args args = {.cidr = cidr};
	const struct vpc *v;
	int r = vpc_create(cluster_tx(c), &c->me, &args, &v, &c->refusal);

	assert_int_equal(r, 0);
	object_id_text(&v->o, ret_id);
	cluster_end(c, r);
}

void cluster_make_subnet(struct cluster *c, const char *vpc, const char *cidr,
			 char ret_id[ID_TEXT_SIZE])
{
	struct subnet_create_args args = {.vpc_id = vpc, .cidr = cidr};
	const struct subnet *s;
	int r = subnet_create(cluster_tx(c), &c->me, &args, &s, &c->refusal);

	assert_int_equal(r, 0);
	object_id_text(&s->o, ret_id);
	cluster_end(c, r);
}

void cluster_make_internet(struct cluster *c, const char *vpc, char ret_id[ID_TEXT_SIZE])
{
	const struct internet_gateway *g;
	struct tx *tx = cluster_tx(c);
	int r = internet_gateway_create(tx, &c->me, NULL, 0, &g, &c->refusal);

	assert_ok(r);
	object_id_text(&g->o, ret_id);
	if (vpc)
		r = internet_gateway_attach(tx, &c->me, ret_id, vpc, &c->refusal);
	assert_ok(cluster_end(c, r));
}

int cluster_make_interface(struct cluster *c, const char *subnet, const char *ip,
			   char ret_id[ID_TEXT_SIZE])
{
	struct interface_create_args args = {.subnet_id = subnet, .private_ip = ip};
	const struct interface *i;
	int r = interface_create(cluster_tx(c), &c->me, &args, &i, &c->refusal);

	if (!r)
		object_id_text(&i->o, ret_id);
	return cluster_end(c, r);
}

int cluster_run(struct cluster *c, const char *subnet, char ret_id[ID_TEXT_SIZE])
{
	struct instance_run_args args = {
		.type = "m5.large",
		.min_count = 1,
		.max_count = 1,
		.subnet_id = subnet,
	};
	const struct instance *n;
	size_t count;
	int r = instance_run(cluster_tx(c), &c->me, &args, &n, &count, &c->refusal);

	if (!r)
		object_id_text(&n->o, ret_id);
	return cluster_end(c, r);
}

int cluster_run_on(struct cluster *c, size_t host, const char *subnet, char ret_id[ID_TEXT_SIZE])
{
	int r;

	for (size_t i = 0; i < CLUSTER_HOSTS_MAX && c->hosts[i]; i++)
		host_set_connected(c->m, c->hosts[i], i == host);
	r = cluster_run(c, subnet, ret_id);
	for (size_t i = 0; i < CLUSTER_HOSTS_MAX && c->hosts[i]; i++)
		host_set_connected(c->m, c->hosts[i], true);
	return r;
}

int cluster_transition(struct cluster *c, cluster_transition_fn fn, const char *id)
{
	struct instance_transition t;

	return cluster_end(c, fn(cluster_tx(c), &c->me, &id, 1, &t, &c->refusal));
}

void cluster_restart(struct cluster *c)
{
	struct model_config config = {
		.region = "us-east-1", .ids = c->m->ids, .choice_at_once = c->choice_at_once};
	struct model *m;

	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	assert_ok(model_new(&config, &m));
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct model_iter it = model_iter_kind(c->m, k);
		const struct object *o;

		while ((o = model_iter_next(&it))) {
			_cleanup_buf_ struct buf b;

			buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
			record_encode(o, &b);
			assert_ok(model_load(m, k, o->id, buf_data(&b), buf_size(&b)));
		}
	}
	assert_ok(model_load_end(m, model_revision(c->m)));
	model_free(c->m);
	c->m = m;
}

void cluster_acknowledge(struct cluster *c)
{
	for (size_t i = 0; i < CLUSTER_HOSTS_MAX && c->hosts[i]; i++) {
		uint64_t revision = model_revision(c->m);

		if (host_by_number(c->m, c->hosts[i]))
			assert_ok(cluster_end(c, host_acknowledge(cluster_tx(c), c->hosts[i],
								  revision, NULL, 0, &c->refusal)));
	}
}

void cluster_settle_choices(struct cluster *c)
{
	for (int i = 0; i < 4; i++) {
		cluster_acknowledge(c);
		c->now_ms += LIMIT_MODEL_SHIFT_GRACE_MS;
		assert_ok(cluster_end(c, pair_shift_tick(cluster_tx(c), LIMIT_MODEL_SHIFTS_PER_TICK,
							 &(uint32_t){0})));
	}
	assert_int_equal(model_count(c->m, KIND_PAIR_SHIFT), 0);
}

const struct vpc *cluster_vpc(struct cluster *c, const char *id)
{
	const struct vpc *v;

	assert_ok(vpc_find(c->m, &c->admin, id, &v, &c->refusal));
	return v;
}

const struct subnet *cluster_subnet(struct cluster *c, const char *id)
{
	const struct subnet *s;

	assert_ok(subnet_find(c->m, &c->admin, id, &s, &c->refusal));
	return s;
}

const struct instance *cluster_instance(struct cluster *c, const char *id)
{
	const struct instance *n;

	assert_int_equal(instance_find(c->m, &c->admin, id, &n, &c->refusal), 0);
	return n;
}

const struct interface *cluster_interface(struct cluster *c, const char *id)
{
	const struct interface *i;

	assert_int_equal(interface_find(c->m, &c->admin, id, &i, &c->refusal), 0);
	return i;
}

const struct interface *cluster_interface_of(struct cluster *c, const char *instance_id)
{
	const struct instance *n = cluster_instance(c, instance_id);
	struct model_iter it = model_iter_group(c->m, REL_INSTANCE_INTERFACES, n->o.id);

	return (const struct interface *)model_iter_next(&it);
}
