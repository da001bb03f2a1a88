/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "manager/message.h"
#include "manager/persist.h"
#include "model/account.h"
#include "model/plan.h"
#include "model/tx.h"

static const struct caller the_operator = {.is_operator = true};

/* Not random: a scenario that fails fails again. */
static void fill_ids(void *data, void *ret, size_t size)
{
	static uint64_t next = 1;
	uint64_t word = hash_siphash13(1, 2, &next, sizeof(next));
	uint8_t *bytes = ret;

	next++;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(word >> (8 * (i % 8)));
}

void world_start_manager(struct world *w)
{
	struct manager_config config = {.loop = w->loop, .lease_seconds = 300};
	struct model_config model = {
		.region = "us-east-1", .ids.fill = fill_ids, .choice_at_once = w->choice_at_once};

	assert_int_equal(prefix_parse("fd56:6961::/32", &model.organisation), 0);
	assert_int_equal(prefix_parse("fd56:6976:3600::/40", &model.ipv6_pool), 0);
	assert_int_equal(store_memory_open(w->disk, &config.store), 0);
	assert_int_equal(model_new(&model, &config.model), 0);
	assert_int_equal(persist_load(config.store, config.model), 0);
	assert_int_equal(manager_new(&config, &w->manager), 0);
	w->unreachable = false;
}

void world_settle(struct world *w)
{
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(loop_settle(w->loop), 0);
		if (!w->manager || !journal_is_pending(w->manager->journal))
			break;
		/* The store's thread is at work; when its disk hangs it is the scenario's wish. */
		assert_int_equal(loop_turn(w->loop, 1), 0);
		if (i > 50 && w->hanging)
			break;
	}
	assert_int_equal(loop_settle(w->loop), 0);
}

void world_advance(struct world *w, uint64_t ms)
{
	/* In steps: a commit takes no virtual time, but what follows from it must come in order. */
	for (uint64_t at = 0; at < ms; at += 100) {
		assert_int_equal(loop_advance(w->loop, 100 * CLOCK_NS_PER_MS), 0);
		world_settle(w);
	}
}

struct tx *world_begin(struct world *w)
{
	struct tx *tx;

	assert_int_equal(tx_begin(w->manager->model, clock_wall_ms(&w->clock), &tx), 0);
	return tx;
}

int world_end(struct world *w, struct tx *tx)
{
	struct change *change = NULL;

	assert_int_equal(tx_end(tx, &change), 0);
	return change ? journal_submit(w->manager->journal, change) : 0;
}

static void add_host(struct world *w, size_t i, bool edge)
{
	char name[8], addr[32];
	struct host_add_args args = {.name = name, .v6 = addr, .edge = edge};
	struct refusal refusal = {0};
	const struct host *host;
	struct tx *tx = world_begin(w);

	snprintf(name, sizeof(name), "h%zu", i + 1);
	snprintf(addr, sizeof(addr), "fd00::%zu", i + 1);
	assert_int_equal(host_add(tx, &the_operator, &args, &host, &refusal), 0);
	w->numbers[i] = host->number;
	object_id_text(&host->o, w->host_ids[i]);
	assert_int_equal(world_end(w, tx), 0);
	sim_agent_init(&w->agents[i], w->host_ids[i]);
}

size_t world_add_edge(struct world *w)
{
	assert_true(w->n_hosts < WORLD_HOSTS);
	add_host(w, w->n_hosts, true);
	world_settle(w);
	return w->n_hosts++;
}

void world_add_network(struct world *w)
{
	struct refusal refusal = {0};
	const struct account *account;
	const struct subnet *subnet;
	const struct vpc *vpc;
	struct tx *tx = world_begin(w);

	assert_int_equal(account_create(tx, &the_operator, &(struct account_create_args){0},
					&account, &refusal),
			 0);
	w->customer = (struct caller){.account = account->o.id};
	assert_int_equal(vpc_create(tx, &w->customer,
				    &(struct vpc_create_args){.cidr = "10.0.0.0/16"}, &vpc,
				    &refusal),
			 0);
	object_id_text(&vpc->o, w->vpc);
	w->vni = vpc->vni;
	assert_int_equal(
		subnet_create(tx, &w->customer,
			      &(struct subnet_create_args){.vpc_id = w->vpc, .cidr = "10.0.0.0/24"},
			      &subnet, &refusal),
		0);
	object_id_text(&subnet->o, w->subnet);
	assert_int_equal(world_end(w, tx), 0);
}

struct world *world_new_unconnected(size_t n_hosts)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_true(n_hosts <= WORLD_HOSTS);
	w->n_hosts = n_hosts;
	clock_init_manual(&w->clock, CLOCK_NS_PER_S, UINT64_C(1764000000000));
	assert_int_equal(loop_new(&w->clock, &w->loop), 0);
	assert_int_equal(store_disk_new(&w->disk), 0);
	world_start_manager(w);
	for (size_t i = 0; i < n_hosts; i++)
		add_host(w, i, false);
	world_add_network(w);
	world_settle(w);
	return w;
}

struct world *world_new(size_t n_hosts)
{
	struct world *w = world_new_unconnected(n_hosts);

	for (size_t i = 0; i < n_hosts; i++)
		world_connect(w, i);
	world_settle(w);
	return w;
}

struct world *world_free(struct world *w)
{
	world_hang_disk(w, false);
	for (size_t i = 0; i < w->n_hosts; i++)
		w->pairs[i] = pair_free(w->pairs[i]);
	assert_int_equal(loop_settle(w->loop), 0);
	w->manager = manager_free(w->manager);
	for (size_t i = 0; i < w->n_hosts; i++)
		sim_agent_deinit(&w->agents[i]);
	loop_free(w->loop);
	store_disk_free(w->disk);
	free(w);
	return NULL;
}

int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

void world_hang_disk(struct world *w, bool hang)
{
	w->hanging = hang;
	store_disk_hang(w->disk, hang);
}

static void join(struct world *w, size_t host, const struct session_callbacks *callbacks,
		 void *user)
{
	void *server_user = sessions_new_user(w->manager);

	assert_non_null(server_user);
	w->pairs[host] = pair_free(w->pairs[host]);
	assert_int_equal(pair_new(w->loop, w->host_ids[host], callbacks, user, &sessions_callbacks,
				  server_user, &w->pairs[host]),
			 0);
}

void world_connect(struct world *w, size_t host)
{
	join(w, host, &sim_agent_callbacks, &w->agents[host]);
}

int world_dial(struct world *w, size_t host, const struct session_callbacks *callbacks, void *user,
	       struct session **ret)
{
	if (w->unreachable)
		return -EHOSTUNREACH;
	join(w, host, callbacks, user);
	*ret = pair_client(w->pairs[host]);
	return 0;
}

void world_disconnect(struct world *w, size_t host)
{
	w->pairs[host] = pair_free(w->pairs[host]);
	world_settle(w);
}

void world_stop_manager(struct world *w)
{
	w->unreachable = true;
	for (size_t i = 0; i < w->n_hosts; i++)
		w->pairs[i] = pair_free(w->pairs[i]);
	assert_int_equal(loop_settle(w->loop), 0);
	w->manager = manager_free(w->manager);
}

void world_restart_manager(struct world *w)
{
	world_stop_manager(w);
	world_start_manager(w);
}

void world_run(struct world *w, size_t host, const char *addr, char ret_id[static ID_TEXT_SIZE])
{
	struct instance_run_args args = {
		.min_count = 1, .max_count = 1, .subnet_id = w->subnet, .private_ip = addr};
	const struct instance *instance;
	struct refusal refusal = {0};
	struct tx *tx;
	size_t n;

	/* Placement takes connected hosts: for the moment only this one is. */
	for (size_t i = 0; i < w->n_hosts; i++)
		host_set_connected(w->manager->model, w->numbers[i], i == host);
	tx = world_begin(w);
	assert_int_equal(instance_run(tx, &w->customer, &args, &instance, &n, &refusal), 0);
	object_id_text(&instance->o, ret_id);
	assert_int_equal(world_end(w, tx), 0);
	for (size_t i = 0; i < w->n_hosts; i++)
		host_set_connected(w->manager->model, w->numbers[i],
				   agents_find(&w->manager->agents, w->numbers[i])->session);
}

void world_terminate(struct world *w, const char *instance_id)
{
	struct instance_transition transition;
	struct refusal refusal = {0};
	struct tx *tx = world_begin(w);

	assert_int_equal(
		instance_terminate(tx, &w->customer, &instance_id, 1, &transition, &refusal), 0);
	assert_int_equal(world_end(w, tx), 0);
}

const struct instance *world_instance(struct world *w, const char *id)
{
	const struct instance *instance;
	struct refusal refusal = {0};

	if (instance_find(w->manager->model, &w->customer, id, &instance, &refusal))
		return NULL;
	return instance;
}

const struct interface *world_interface(struct world *w, const char *instance_id)
{
	const struct instance *instance = world_instance(w, instance_id);
	struct model_iter it =
		model_iter_group(w->manager->model, REL_INSTANCE_INTERFACES, instance->o.id);

	return (const struct interface *)model_iter_next(&it);
}

struct checking {
	struct sim_agent *agent;
	size_t n;
};

static int check_item(void *data, uint32_t host, const struct plan_item *item)
{
	struct checking *checking = data;
	_cleanup_(message_deinit) struct message c = {};
	_cleanup_free_ uint8_t *bytes = NULL;
	const Viaduct__Agent__Object *message;
	struct sim_object *object;
	bool found = false;
	size_t size;

	assert_int_equal(message_object(&c, item, &message), 0);
	size = viaduct__agent__object__get_packed_size(message);
	bytes = malloc(size);
	assert_non_null(bytes);
	viaduct__agent__object__pack(message, bytes);
	hmap_for_each (object, &checking->agent->objects, node)
		found |= object->size == size &&
			 !memcmp(object->bytes + object->key_size, bytes, size);
	assert_true(found);
	checking->n++;
	return 0;
}

void world_check_desired(struct world *w, size_t host)
{
	struct checking checking = {.agent = &w->agents[host]};

	assert_int_equal(plan_full(w->manager->model, w->numbers[host], check_item, &checking), 0);
	assert_int_equal(checking.n, hmap_count(&w->agents[host].objects));
}

struct ipaddr world_addr(const char *text)
{
	struct ipaddr addr;

	assert_int_equal(ipaddr_parse(text, &addr), 0);
	return addr;
}

void world_ask(struct world *w, size_t host, const char *asker, const char *addr)
{
	struct ipaddr from = world_addr(asker), to = world_addr(addr);

	assert_int_equal(sim_agent_ask(&w->agents[host], VIADUCT__AGENT__QUESTION__KIND__SEND,
				       w->vni, &from, &to, w->agents[host].resolved_seq + 1),
			 0);
	world_settle(w);
}
