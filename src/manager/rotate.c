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
	return host_is_capable(h) && h->keyed_ms + manager->rotate_ms <= now_ms;
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

static void rotate_host(struct manager *manager, const struct host *h, uint64_t now_ms)
{
	struct tx *tx;
	bool used;
	int r = host_key_is_used(manager->model, h, &used);

	if (r || !used)
		return;
	r = tx_begin(manager->model, now_ms, &tx);
	if (r)
		return;
	r = host_key_rotate(tx, h);
	if (r) {
		tx_abort(tx);
		log_err("keys not rotated", LOG_STR("host", h->name), LOG_ERRNO(r));
		return;
	}
	log_info("keys rotated", LOG_STR("host", h->name));
	/* What is due stays so: a later tick tries again. */
	if (manager_submit(manager, tx))
		return;
}

void rotate_tick(struct manager *manager)
{
	uint64_t now_ms = clock_wall_ms(manager->clock);

	for (int i = 0; i < LIMIT_KEYS_PER_TICK; i++) {
		const struct host *h = rotate_next(manager, now_ms);

		manager->rotate_last = h ? h->number : 0;
		if (!h)
			return;
		rotate_host(manager, h, now_ms);
	}
}
