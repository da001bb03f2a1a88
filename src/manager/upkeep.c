/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/upkeep.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "manager/rotate.h"
#include "model/choice_pass.h"
#include "model/edge.h"
#include "model/interface.h"
#include "model/pair_shift.h"
#include "model/tx.h"

/* ---- long work, in stretches ---- */

/* What no packet can be in any more is not accepted any more. */
static bool settle_shifts(struct manager *manager)
{
	uint32_t from;
	struct tx *tx;
	int r;

	if (manager->shifts_taken > journal_durable(manager->journal) ||
	    (!manager->shifts_from && !manager->shifts_due))
		return false;
	manager->shifts_due = false;
	r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);
	if (r)
		return false;
	from = manager->shifts_from;
	r = pair_shift_tick(tx, LIMIT_MODEL_SHIFTS_PER_TICK, &from);
	if (r) {
		tx_abort(tx);
		log_err("no choice settled", LOG_ERRNO(r));
		return false;
	}
	/* What is due stays so: the next tick tries again.  What was too much for one change goes
	 * on when that is durable. */
	if (manager_submit(manager, tx))
		return false;
	manager->shifts_taken = model_revision(manager->model);
	manager->shifts_from = from;
	return true;
}

/* Policies reach the pairs of a large cluster step by step, each when the one before it is
 * durable. */
static bool step_pass(struct manager *manager)
{
	struct tx *tx;
	int r;

	if (manager->pass_taken > journal_durable(manager->journal) ||
	    !choice_pass_due(manager->model))
		return false;
	r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);
	if (r)
		return false;
	r = choice_pass_step(tx, LIMIT_MODEL_CHOICE_STEP);
	if (r) {
		tx_abort(tx);
		log_err("policies not applied to more pairs", LOG_ERRNO(r));
		return false;
	}
	/* What is to be done stays so: the next tick tries again. */
	if (manager_submit(manager, tx))
		return false;
	manager->pass_taken = model_revision(manager->model);
	return true;
}

void upkeep_turn(struct manager *manager)
{
	static bool (*const work[])(struct manager * manager) = {intake_absorb, settle_shifts,
								 step_pass};

	for (size_t i = 0; i < ARRAY_SIZE(work); i++) {
		size_t k = (manager->upkeep_next + i) % ARRAY_SIZE(work);

		if (!work[k](manager))
			continue;
		manager->upkeep_next = k + 1;
		deferred_schedule(&manager->upkeep);
		return;
	}
}

void upkeep_durable(struct manager *manager, uint64_t revision)
{
	if ((manager->shifts_from && revision >= manager->shifts_taken) ||
	    (revision >= manager->pass_taken && choice_pass_of(manager->model)))
		deferred_schedule(&manager->upkeep);
}

void upkeep_undone(struct manager *manager)
{
	/* Taken up again by the tick, not at once: the store has just failed. */
	manager->shifts_taken = 0;
	manager->shifts_from = 0;
	manager->shifts_due = false;
	manager->pass_taken = 0;
}

/* ---- what is over ---- */

/* Client tokens and terminated instances whose time is over. */
static void expire(struct manager *manager)
{
	struct tx *tx;
	int r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);

	if (r)
		return;
	r = tx_expire(tx, LIMIT_MODEL_EXPIRED_PER_TICK);
	if (r) {
		tx_abort(tx);
		log_err("nothing expired", LOG_ERRNO(r));
		return;
	}
	/* What is over stays so: the next tick tries again. */
	if (manager_submit(manager, tx))
		return;
}

/* What lost edges had goes to others. */
static void settle_edges(struct manager *manager)
{
	uint64_t now_ms = manager_now_ms(manager);
	struct tx *tx;
	int r;

	if (!edge_due(manager->model, now_ms))
		return;
	r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);
	if (r)
		return;
	r = edge_settle(tx, now_ms, LIMIT_MODEL_EDGE_MOVES);
	if (r) {
		tx_abort(tx);
		log_err("nothing moved between edges", LOG_ERRNO(r));
		return;
	}
	log_info("edges settled", LOG_U64("revision", tx_revision(tx)));
	/* What is due stays so: the next tick tries again. */
	if (manager_submit(manager, tx))
		return;
}

/* Connections to shared interfaces are not sent to hosts that are lost. */
static void settle_shared(struct manager *manager)
{
	uint64_t now_ms = manager_now_ms(manager);
	struct tx *tx;
	int r;

	if (!interface_lost_due(manager->model, now_ms))
		return;
	r = tx_begin(manager->model, clock_wall_ms(manager->clock), &tx);
	if (r)
		return;
	r = interface_settle_lost(tx, now_ms, LIMIT_MODEL_EDGE_MOVES);
	if (r) {
		tx_abort(tx);
		log_err("lost hosts stay in the mappings of shared interfaces", LOG_ERRNO(r));
		return;
	}
	log_info("shared interfaces settled", LOG_U64("revision", tx_revision(tx)));
	/* What is due stays so: the next tick tries again. */
	if (manager_submit(manager, tx))
		return;
}

void upkeep_tick(struct manager *manager)
{
	manager->shifts_due = pair_shift_due(manager->model, clock_wall_ms(manager->clock));
	expire(manager);
	rotate_tick(manager);
	settle_edges(manager);
	settle_shared(manager);
	deferred_schedule(&manager->upkeep);
}
