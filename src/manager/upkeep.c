/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/upkeep.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "manager/rotate.h"
#include "model/choice_pass.h"
#include "model/edge.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair_shift.h"
#include "model/tx.h"

/* ---- long work, in stretches ---- */

static bool shifts_are_due(const struct manager *manager)
{
	return manager->upkeep.shifts_from || manager->upkeep.shifts_due;
}

/* What no packet can be in any more is not accepted any more.  What was too much for one change
 * goes on when that is durable; what fails stays so, and the next tick tries again. */
static int settle_shifts(struct manager *manager, struct tx *tx, void *data)
{
	struct upkeep *upkeep = &manager->upkeep;
	uint32_t from = upkeep->shifts_from;
	int r;

	upkeep->shifts_due = false;
	r = pair_shift_tick(tx, LIMIT_MODEL_SHIFTS_PER_TICK, &from);
	if (!r)
		upkeep->shifts_from = from;
	return r;
}

static bool hosts_are_due(const struct manager *manager)
{
	return host_report_due(manager->model);
}

static int step_hosts(struct manager *manager, struct tx *tx, void *data)
{
	return host_report_step(tx, LIMIT_MODEL_CHOICE_STEP);
}

static bool pass_is_due(const struct manager *manager)
{
	return choice_pass_due(manager->model);
}

static int step_pass(struct manager *manager, struct tx *tx, void *data)
{
	return choice_pass_step(tx, LIMIT_MODEL_CHOICE_STEP);
}

static const struct {
	bool (*is_due)(const struct manager *manager);
	manager_write_fn step;
	const char *about;
} works[UPKEEP_WORKS] = {
	[UPKEEP_SHIFTS] = {shifts_are_due, settle_shifts, "choices that settle"},
	[UPKEEP_HOSTS] = {hosts_are_due, step_hosts, "what a host can do"},
	[UPKEEP_PASS] = {pass_is_due, step_pass, "policies on their way"},
};

static bool is_due(const struct manager *manager, enum upkeep_work work)
{
	return manager->upkeep.taken[work] <= journal_durable(manager->journal) &&
	       works[work].is_due(manager);
}

/* What is to be done stays so where it fails: the next tick tries again. */
static bool do_stretch(struct manager *manager, enum upkeep_work work)
{
	if (!is_due(manager, work) ||
	    manager_change(manager, works[work].about, works[work].step, NULL))
		return false;
	manager->upkeep.taken[work] = model_revision(manager->model);
	return true;
}

/* One stretch, if there is one; the next is then scheduled. */
static void turn(struct deferred *deferred, void *data)
{
	struct manager *manager = data;
	struct upkeep *upkeep = &manager->upkeep;

	for (size_t i = 0; i <= UPKEEP_WORKS; i++) {
		size_t k = (upkeep->next + i) % (UPKEEP_WORKS + 1);

		if (!(k < UPKEEP_WORKS ? do_stretch(manager, (enum upkeep_work)k)
				       : intake_absorb(manager)))
			continue;
		upkeep->next = k + 1;
		deferred_schedule(&upkeep->turn);
		return;
	}
}

void upkeep_init(struct upkeep *upkeep, struct manager *manager)
{
	*upkeep = (struct upkeep){0};
	deferred_init(&upkeep->turn, manager->loop, turn, manager);
}

void upkeep_deinit(struct upkeep *upkeep)
{
	deferred_deinit(&upkeep->turn);
}

void upkeep_schedule(struct manager *manager)
{
	deferred_schedule(&manager->upkeep.turn);
}

void upkeep_durable(struct manager *manager)
{
	bool any = false;

	for (enum upkeep_work k = 0; k < UPKEEP_WORKS; k++)
		any |= is_due(manager, k);
	if (any)
		upkeep_schedule(manager);
}

void upkeep_undone(struct manager *manager)
{
	struct upkeep *upkeep = &manager->upkeep;

	/* Taken up again by the tick, not at once: the store has just failed. */
	memset(upkeep->taken, 0, sizeof(upkeep->taken));
	upkeep->shifts_from = 0;
	upkeep->shifts_due = false;
}

/* ---- what is over ---- */

/* Client tokens and terminated instances whose time is over. */
static int expire(struct manager *manager, struct tx *tx, void *data)
{
	return tx_expire(tx, LIMIT_MODEL_EXPIRED_PER_TICK);
}

/* What lost edges had goes to others. */
static int settle_edges(struct manager *manager, struct tx *tx, void *data)
{
	int r = edge_settle(tx, manager_now_ms(manager), LIMIT_MODEL_EDGE_MOVES);

	if (!r)
		log_info("edges settled", LOG_U64("revision", tx_revision(tx)));
	return r;
}

/* Connections to shared interfaces are not sent to hosts that are lost. */
static int settle_shared(struct manager *manager, struct tx *tx, void *data)
{
	int r = interface_settle_lost(tx, manager_now_ms(manager), LIMIT_MODEL_EDGE_MOVES);

	if (!r)
		log_info("shared interfaces settled", LOG_U64("revision", tx_revision(tx)));
	return r;
}

/* What is due and fails stays so: the next tick tries again. */
void upkeep_tick(struct manager *manager)
{
	uint64_t now_ms = manager_now_ms(manager);

	manager->upkeep.shifts_due = pair_shift_due(manager->model, clock_wall_ms(manager->clock));
	manager_change(manager, "what is over", expire, NULL);
	rotate_tick(manager);
	if (edge_due(manager->model, now_ms))
		manager_change(manager, "what lost edges had", settle_edges, NULL);
	if (interface_lost_due(manager->model, now_ms))
		manager_change(manager, "lost hosts of shared interfaces", settle_shared, NULL);
	upkeep_schedule(manager);
}
