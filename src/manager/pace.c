/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/pace.h"

#include "base/limits.h"
#include "manager/agents.h"
#include "manager/manager.h"

static void on_time(struct timer *timer, void *data)
{
	struct manager *manager = data;

	list_splice_back(&manager->dirty, &manager->pace.waiting);
	deferred_schedule(&manager->flush);
}

void pace_init(struct pace *pace, struct manager *manager)
{
	list_init(&pace->waiting);
	timer_init(&pace->timer, manager->loop, on_time, manager);
}

void pace_deinit(struct pace *pace)
{
	timer_deinit(&pace->timer);
}

bool pace_hold(struct manager *manager, struct agent *agent)
{
	if (agent->urgent || agent->full || agent->needs_full ||
	    clock_mono_ns(manager->clock) >= agent->paced_until_ns)
		return false;
	if (list_empty(&manager->pace.waiting))
		timer_arm_in(&manager->pace.timer, LIMIT_PACE_ROUND_NS);
	list_push_back(&manager->pace.waiting, &agent->in_dirty);
	return true;
}

void pace_told(struct manager *manager, struct agent *agent)
{
	uint64_t gap_ns = agents_count(&manager->agents) * CLOCK_NS_PER_S / LIMIT_PACE_TOLD_PER_S;

	agent->urgent = false;
	agent->paced_until_ns =
		gap_ns < LIMIT_PACE_ROUND_NS ? 0 : clock_mono_ns(manager->clock) + gap_ns;
}
