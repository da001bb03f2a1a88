/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/manager.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/publish.h"
#include "manager/renew.h"
#include "manager/upkeep.h"
#include "model/holders.h"
#include "model/tx.h"
#include "store/store.h"

static const uint64_t tick_ns = CLOCK_NS_PER_S;
static const uint64_t lease_grace_ms = 30000;

uint64_t manager_now_ms(const struct manager *manager)
{
	return clock_mono_ns(manager->clock) / CLOCK_NS_PER_MS;
}

uint64_t manager_lease_ms(const struct manager *manager)
{
	return (uint64_t)manager->lease_seconds * 1000 + lease_grace_ms;
}

static void flush(struct deferred *deferred, void *data)
{
	publish_flush(data);
}

/* Leases of connected hosts end by time; a disconnected host may be using what it has. */
static void expire_holders(struct manager *manager)
{
	struct holders *holders = model_holders(manager->model);
	uint64_t now = manager_now_ms(manager);
	struct agent *agent;

	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		if (agent->session &&
		    holders_expire(holders, agent->number, now, LIMIT_HOLDERS_EXPIRED_PER_TICK))
			manager->releases_due = true;
	}
}

static void tick(struct timer *timer, void *data)
{
	struct manager *manager = data;

	timer_arm_in(timer, tick_ns);
	expire_holders(manager);
	publish_tick(manager);
	upkeep_tick(manager);
	handoff_tick(manager);
	metering_tick(manager, false);
	flow_intake_tick(manager);
	renew_tick(manager);
}

int manager_new(const struct manager_config *config, struct manager **ret)
{
	_cleanup_(manager_free_cleanup) struct manager *manager = calloc(1, sizeof(*manager));
	struct journal_observer observer;
	int r;

	if (!manager) {
		model_free(config->model);
		store_free(config->store);
		return -ENOMEM;
	}
	manager->loop = config->loop;
	manager->clock = loop_clock(config->loop);
	manager->model = config->model;
	manager->store = config->store;
	manager->store_kind = store_info_get(config->store)->kind;
	manager->cluster_id = store_info_get(config->store)->cluster_id;
	manager->lease_seconds = config->lease_seconds;
	manager->ca = config->ca;
	manager->keyring = config->keyring;
	manager->rotate_ms =
		1000ULL * (config->rotate_seconds ? config->rotate_seconds : LIMIT_KEY_S);
	list_init(&manager->dirty);
	pace_init(&manager->pace, manager);
	list_init(&manager->news);
	list_init(&manager->unsettled);
	agents_init(&manager->agents);
	sessions_init(&manager->sessions);
	events_init(&manager->events);
	metering_init(&manager->metering, manager->clock);
	flow_intake_init(&manager->flow_intake);
	buf_init(&manager->scratch, SIZE_MAX);
	updates_packed_init(&manager->packed);
	deferred_init(&manager->flush, config->loop, flush, manager);
	upkeep_init(&manager->upkeep, manager);
	handoffs_init(&manager->handoffs);
	timer_init(&manager->tick, config->loop, tick, manager);
	r = resolver_init(&manager->resolver);
	if (!r && config->flow_dir)
		r = flow_store_new(config->flow_dir, &manager->flow_intake.store);
	if (!r)
		r = agents_load(&manager->agents, manager->model, model_revision(manager->model));
	observer = publish_observer(manager);
	if (!r)
		r = journal_new(config->loop, manager->model, manager->store, &observer,
				&manager->journal);
	if (r)
		return r;
	timer_arm_in(&manager->tick, tick_ns);
	*ret = TAKE_PTR(manager);
	return 0;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	timer_deinit(&manager->tick);
	sessions_deinit(&manager->sessions, manager);
	if (manager->journal)
		metering_tick(manager, true);
	/* What is still on its way becomes durable; the observer finds nobody to tell. */
	manager->journal = journal_free(manager->journal);
	/* what has become durable asks for more */
	upkeep_deinit(&manager->upkeep);
	handoffs_deinit(&manager->handoffs);
	deferred_deinit(&manager->flush);
	pace_deinit(&manager->pace);
	resolver_deinit(&manager->resolver);
	agents_deinit(&manager->agents);
	events_deinit(&manager->events);
	metering_deinit(&manager->metering);
	flow_intake_deinit(&manager->flow_intake);
	buf_deinit(&manager->scratch);
	updates_packed_deinit(&manager->packed);
	model_free(manager->model);
	store_free(manager->store);
	free(manager);
	return NULL;
}

int manager_submit(struct manager *manager, struct tx *tx)
{
	struct change *change = NULL;
	int r = tx_end(tx, &change);

	if (!r && change)
		r = journal_submit(manager->journal, change);
	if (r)
		log_err("change not made", LOG_ERRNO(r));
	return r;
}

int manager_change(struct manager *manager, const char *about, manager_write_fn write, void *data)
{
	struct tx *tx;
	int r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);

	if (!r) {
		r = write(manager, tx, data);
		if (!r)
			return manager_submit(manager, tx);
		tx_abort(tx);
	}
	log_err("change not begun", LOG_STR("about", about), LOG_ERRNO(r));
	return r;
}
