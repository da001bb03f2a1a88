/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster in one process, for scenarios: the manager on a store in memory, hosts with simulated
 * agents joined to it by pairs, in virtual time.  What happens to frames on the way, and to the
 * store's disk, is the scenario's to say.
 *
 * The store's commits run on their own thread: world_settle() waits for them, in real time, while
 * virtual time stands still.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "manager/manager.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "simulated/agent.h"
#include "store/store_memory.h"
#include "wire/pair.h"

enum { WORLD_HOSTS = 4 };

struct world {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	bool hanging;
	struct manager *manager;
	size_t n_hosts;
	struct sim_agent agents[WORLD_HOSTS];
	struct pair *pairs[WORLD_HOSTS]; /* NULL: not connected */
	uint32_t numbers[WORLD_HOSTS];
	char host_ids[WORLD_HOSTS][ID_TEXT_SIZE];
	struct caller customer;
	bool unreachable; /* dialling fails */
	char vpc[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE];
	uint32_t vni;
	size_t choice_at_once; /* model_config's, from the next start of the manager on */
};

/* A manager, 'n_hosts' hosts that are registered, an account with a VPC 10.0.0.0/16 and a subnet
 * 10.0.0.0/24 in it.  world_new() connects and settles simulated agents, too. */
struct world *world_new(size_t n_hosts);
struct world *world_new_unconnected(size_t n_hosts);
struct world *world_free(struct world *w);
/* cmocka's teardown of a state that is a world. */
int world_teardown(void **state);

/* Everything that can happen now has happened. */
void world_settle(struct world *w);
/* Commits what an operation of the model, 'call', has done in 'tx' with a 'refusal', and waits for it. */
#define WORLD_DO(w, call)                                                                          \
	do {                                                                                       \
		struct tx *tx = world_begin(w);                                                    \
		struct refusal refusal = {0};                                                      \
                                                                                                   \
		assert_int_equal(call, 0);                                                         \
		assert_int_equal(world_end(w, tx), 0);                                             \
		world_settle(w);                                                                   \
	} while (0)
void world_advance(struct world *w, uint64_t ms);

/* While it hangs, commits do not come back; world_settle() does not wait for them for long. */
void world_hang_disk(struct world *w, bool hang);

void world_connect(struct world *w, size_t host);
/* The same for an agent that is not simulated: gives it its end. */
int world_dial(struct world *w, size_t host, const struct session_callbacks *callbacks, void *user,
	       struct session **ret);
void world_disconnect(struct world *w, size_t host); /* as when the path is lost */
/* The manager ends, and the sessions break; a new one starts on the same disk. */
void world_stop_manager(struct world *w);
void world_start_manager(struct world *w);
void world_restart_manager(struct world *w); /* both */
/* One host more, an edge; its index. */
size_t world_add_edge(struct world *w);
/* Another account with a VPC of the same addresses; it is the customer from now on. */
void world_add_network(struct world *w);

/* Begins a change of the model as an API call would; world_end() submits it, durable or not. */
struct tx *world_begin(struct world *w);
int world_end(struct world *w, struct tx *tx);

/* Runs an instance on 'host' with the primary address 'addr', or one that is chosen (NULL).  Does
 * not wait. 'ret_id' gets its id. */
void world_run(struct world *w, size_t host, const char *addr, char ret_id[static ID_TEXT_SIZE]);
void world_terminate(struct world *w, const char *instance_id);
const struct instance *world_instance(struct world *w, const char *id);
/* Its primary interface. */
const struct interface *world_interface(struct world *w, const char *instance_id);

/* What 'host' was told equals what plan_full() says. */
void world_check_desired(struct world *w, size_t host);
struct ipaddr world_addr(const char *text);
/* Asks as 'host' and settles; the answer is in its sim_agent. */
void world_ask(struct world *w, size_t host, const char *asker, const char *addr);
