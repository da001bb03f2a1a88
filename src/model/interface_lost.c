/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that are not heard of any more: connections to shared interfaces are not sent to them while
 * another one is there, and no other interface goes there.  See attachment.h, interface_transfer.h.
 */
#include <string.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/interface_edit.h"
#include "model/interface_transfer.h"

/* Whether what is said of an attachment's host is not so any more. */
static bool differs(struct model *m, const struct attachment *a, uint64_t now_ms)
{
	return a->host && a->plugged && a->lost != host_is_lost(m, a->host, now_ms);
}

static bool any_differs(struct model *m, const struct interface *i, uint64_t now_ms)
{
	if (!i->shared)
		return interface_lost_target(m, i, now_ms);
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (differs(m, interface_attachment(i, n), now_ms))
			return true;
	return false;
}

bool interface_lost_due(struct model *m, uint64_t now_ms)
{
	struct model_iter it = model_iter_group(m, REL_SHARED_INTERFACES, 0);
	const struct object *o;
	bool due = false;

	/* all are asked: it is noted from when on a host is away */
	while ((o = model_iter_next(&it)))
		due |= any_differs(m, (const struct interface *)o, now_ms);
	return due;
}

static int settle_one(struct tx *tx, const struct interface *i, uint64_t now_ms)
{
	uint32_t before[LIMIT_MODEL_ATTACHMENTS], after[LIMIT_MODEL_ATTACHMENTS];
	size_t n_before = interface_hosts(i, before), n_after;
	const struct attachment *target;
	struct interface *new = NULL;
	int r;

	if (!i->shared) {
		target = interface_lost_target(tx->m, i, now_ms);
		return interface_yield(tx, &target, false);
	}
	r = TX_EDIT(tx, i, &new);
	if (r)
		return r;
	for (size_t n = 0; n < interface_attachment_count(new); n++) {
		const struct attachment *a = interface_attachment(new, n);

		if (differs(tx->m, a, now_ms))
			interface_attachment_of(new, a->id)->lost = !a->lost;
	}
	n_after = interface_hosts(new, after);
	if (n_before != n_after || memcmp(before, after, n_after * sizeof(*after)))
		interface_touch_addrs(new, tx->revision);
	return TX_PUT(tx, i, &new);
}

static int do_settle(struct tx *tx, uint64_t now_ms, size_t max)
{
	struct model_iter it = model_iter_group(tx->m, REL_SHARED_INTERFACES, 0);
	const struct object *o = model_iter_next(&it);
	int r = 0;

	while (o && !r && max) {
		const struct object *next = model_iter_next(&it);

		if (any_differs(tx->m, (const struct interface *)o, now_ms)) {
			r = settle_one(tx, (const struct interface *)o, now_ms);
			max--;
		}
		o = next;
	}
	return r;
}

int interface_settle_lost(struct tx *tx, uint64_t now_ms, size_t max)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_settle(tx, now_ms, max));
}
