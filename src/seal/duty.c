/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/duty.h"

void duty_begin(struct duty *d, uint64_t now_ns, const struct duty_counts *counts)
{
	d->begun = now_ns;
	d->counts = *counts;
}

void duty_init(struct duty *d, uint64_t now_ns, const struct duty_counts *counts)
{
	d->divided = false;
	duty_begin(d, now_ns, counts);
}

bool duty_update(struct duty *d, uint64_t now_ns, const struct duty_counts *counts)
{
	uint64_t window = now_ns - d->begun, rested = counts->rested - d->counts.rested;
	uint64_t sealed = counts->sealed - d->counts.sealed;
	uint64_t opened = counts->opened - d->counts.opened;
	uint64_t light = sealed < opened ? sealed : opened, all = sealed + opened;
	bool before = d->divided, divided = before;

	if (window < DUTY_WINDOW_NS)
		return false;
	if (!divided)
		divided = rested < window / DUTY_REST_MIN && light > all / DUTY_LIGHT_DIVIDE;
	else if (light < all / DUTY_LIGHT_JOIN)
		divided = false;
	else /* what both do would leave one of them half of the time */
		divided = rested < window + window / 2;
	d->divided = divided;
	duty_begin(d, now_ns, counts);
	return divided != before;
}
