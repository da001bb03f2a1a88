/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/rotate.h"

#include "base/limits.h"
#include "base/log.h"
#include "manager/manager.h"
#include "model/host.h"
#include "model/host_key.h"
#include "model/tx.h"

static bool rotate_is_due(const struct manager *manager, const struct host *h, uint64_t now_ms)
{
	/* what it has reported reaches its pairs first */
	return host_is_capable(h) && !h->changing_at &&
	       host_keyed_ms(h) + manager->rotate_ms <= now_ms;
}

/* The next one by number that is due, after those that were looked at; NULL: none. */
static const struct host *rotate_next(const struct manager *manager, uint64_t now_ms)
{
	struct model_iter it = model_iter_kind(manager->model, KIND_HOST);
	const struct host *next = NULL;
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;

		if (h->number > manager->rotate_last && rotate_is_due(manager, h, now_ms) &&
		    (!next || h->number < next->number))
			next = h;
	}
	return next;
}

static int rotate(struct manager *manager, struct tx *tx, void *data)
{
	const struct host *h = *(const struct host *const *)data;
	int r = host_key_rotate(tx, h);

	if (!r)
		log_info("keys rotated", LOG_STR("host", h->name));
	return r;
}

void rotate_tick(struct manager *manager)
{
	uint64_t now_ms = clock_wall_ms(manager->clock), begun = clock_mono_ns(manager->clock);

	for (int i = 0; i < LIMIT_KEYS_PER_TICK; i++) {
		const struct host *h = rotate_next(manager, now_ms);
		bool used;

		if (clock_mono_ns(manager->clock) - begun > LIMIT_KEYS_TICK_NS)
			return;
		manager->rotate_last = h ? h->number : 0;
		if (!h)
			return;
		/* what is due and fails stays so: a later tick tries again */
		if (!host_key_is_used(manager->model, h, &used) && used)
			manager_change(manager, "keys of a host", rotate, &h);
	}
}
