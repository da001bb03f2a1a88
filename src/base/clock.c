/* SPDX-License-Identifier: Apache-2.0 */
/* Real and manual clocks: see clock.h. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

void clock_init_real(struct clock *c)
{
	*c = (struct clock){.manual = false};
}

void clock_init_manual(struct clock *c, uint64_t mono_ns, uint64_t wall_ms)
{
	*c = (struct clock){.manual = true, .mono_ns = mono_ns, .wall_ms = wall_ms};
}

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(const struct clock *c)
{
	return c->manual ? c->mono_ns : read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(const struct clock *c)
{
	return c->manual ? c->wall_ms : read_ns(CLOCK_REALTIME) / CLOCK_NS_PER_MS;
}

const char *clock_date_text(uint64_t wall_ms, char buf[static CLOCK_DATE_SIZE])
{
	const time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, CLOCK_DATE_SIZE, "%Y-%m-%d", &tm))
		buf[0] = '\0';
	return buf;
}

void clock_advance(struct clock *c, uint64_t ns)
{
	uint64_t before_ms = c->mono_ns / CLOCK_NS_PER_MS;

	assert(c->manual);
	c->mono_ns += ns;
	/* Many short steps must add up to the same wall time as one long one. */
	c->wall_ms += c->mono_ns / CLOCK_NS_PER_MS - before_ms;
}
