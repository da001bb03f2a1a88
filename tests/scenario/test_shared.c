/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record on several nodes, from the API's call to packets: the manager, whole agents, and the
 * fake data plane.
 *
 *	clients on h1 (10.0.0.10 to .21) --- substrate --- the shared 10.0.0.99 on h2 and h3, later h4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "base/limits.h"
#include "cluster.h"
#include "model/mapping.h"
#include "model/model.h"

enum { HOSTS = 4, CLIENTS = 12 };

#define SHARED "10.0.0.99"

struct fixture {
	struct cluster c;
	struct cluster_node clients[CLIENTS]; /* on h1 */
	struct cluster_node servers[HOSTS];   /* on h2 to h4 */
	char addrs[CLIENTS][16];              /* of the clients */
	char eni[ID_TEXT_SIZE];
	uint32_t number;
};

static void attach(struct fixture *f, size_t host)
{
	struct interface_attach_args args = {f->eni, f->servers[host].id, 1, false};
	struct tx *tx = world_begin(f->c.w);
	const struct attachment *a;
	struct refusal refusal = {0};

	assert_int_equal(interface_attach(tx, &f->c.w->customer, &args, &a, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	world_advance(f->c.w, 1000);
}

static void make_shared(struct fixture *f)
{
	struct interface_create_args create = {.subnet_id = f->c.w->subnet, .private_ip = SHARED};
	const bool yes = true;
	struct interface_set_args share = {.interface_id = f->eni, .shared = &yes};
	struct tx *tx = world_begin(f->c.w);
	const struct interface *i;
	struct refusal refusal = {0};

	assert_int_equal(interface_create(tx, &f->c.w->customer, &create, &i, &refusal), 0);
	object_id_text(&i->o, f->eni);
	assert_int_equal(interface_set(tx, &f->c.w->customer, &share, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	cluster_init(&f->c, HOSTS, NULL, NULL);
	for (size_t i = 0; i < CLIENTS; i++) {
		snprintf(f->addrs[i], sizeof(f->addrs[i]), "10.0.0.%zu", 10 + i);
		cluster_run(&f->c, 0, f->addrs[i], &f->clients[i]);
	}
	for (size_t i = 1; i < HOSTS; i++)
		cluster_run(&f->c, i, NULL, &f->servers[i]);
	make_shared(f);
	attach(f, 1);
	attach(f, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cluster_deinit(&f->c);
	free(f);
	return 0;
}

/* Which host gets a packet of a client to the shared address: its index; 0: none. */
static size_t where(struct fixture *f, size_t client)
{
	const struct interface *record;
	uint32_t number = ++f->number;
	size_t got = 0;
	uint64_t id;

	assert_int_equal(id_parse(KIND_INTERFACE, f->eni, &id), 0);
	scenario_host_send(f->c.hosts[0], f->clients[client].eni, f->addrs[client], SHARED, number,
			   NULL);
	world_advance(f->c.w, 200);
	record = (const struct interface *)model_get(f->c.w->manager->model, KIND_INTERFACE, id);
	for (size_t i = 1; i < HOSTS; i++) {
		if (interface_attachment_at(record, f->c.w->numbers[i]) &&
		    scenario_host_receive(f->c.hosts[i], f->eni) == number)
			got = i;
	}
	return got;
}

/* The first packets ask; what is known of the address is where all its nodes are; connections are
 * spread, and stay when a node is added.  requirement: NIC-4 MAP-3 */
static void connections_stay_when_a_node_is_added(void **state)
{
	struct fixture *f = *state;
	size_t at[CLIENTS], of[HOSTS] = {};

	for (size_t i = 0; i < CLIENTS; i++) {
		at[i] = where(f, i);
		assert_true(at[i] == 1 || at[i] == 2);
		of[at[i]]++;
		assert_int_equal(where(f, i), at[i]);
	}
	assert_true(of[1] && of[2]);
	attach(f, 3);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(where(f, i), at[i]);
}

/* A host whose agent is not heard of keeps its place for a while; then its connections go
 * elsewhere, and no others; when it is back, nothing moves.  requirement: NIC-4 */
static void a_lost_host_loses_its_own(void **state)
{
	struct fixture *f = *state;
	size_t at[CLIENTS], moved = 0;

	attach(f, 3);
	for (size_t i = 0; i < CLIENTS; i++)
		at[i] = where(f, i);
	scenario_host_kill(f->c.hosts[2]);
	world_advance(f->c.w, LIMIT_MODEL_EDGE_LOST_MS / 2);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(where(f, i), at[i]); /* its data plane goes on */
	world_advance(f->c.w, 2 * LIMIT_MODEL_EDGE_LOST_MS);
	for (size_t i = 0; i < CLIENTS; i++) {
		size_t now = where(f, i);

		if (at[i] != 2)
			assert_int_equal(now, at[i]);
		else
			assert_true(now == 1 || now == 3);
		moved += at[i] == 2;
		at[i] = now;
	}
	assert_true(moved > 0);
	scenario_host_start(f->c.hosts[2]);
	world_advance(f->c.w, 5000);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(where(f, i), at[i]);
}

/* A new manager knows all of it.  requirement: NIC-4 OPS-3 */
static void a_new_manager_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct ipaddr addr = world_addr(SHARED);
	const struct mapping *m;
	size_t at[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++)
		at[i] = where(f, i);
	world_restart_manager(f->c.w);
	world_advance(f->c.w, 20000);
	m = mapping_find(model_mappings(f->c.w->manager->model), f->c.w->vni, &addr);
	assert_int_equal(m->hosts->n, 2);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(where(f, i), at[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connections_stay_when_a_node_is_added),
		TEST(a_lost_host_loses_its_own),
		TEST(a_new_manager_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
