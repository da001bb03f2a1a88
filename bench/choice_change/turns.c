/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

#include <stdio.h>
#include <string.h>

#include "bench/mapping/population.h"
#include "manager/intake.h"
#include "manager/persist.h"
#include "manager/publish.h"
#include "manager/upkeep.h"
#include "model/choice_pass.h"
#include "model/host.h"
#include "model/pair_shift.h"

static const char *const names[PARTS] = {
	[PART_REST] = "rest",     [PART_INTAKE] = "intake",   [PART_SETTLE] = "settle",
	[PART_REPORT] = "report", [PART_PASS] = "pass",       [PART_NOTE] = "note",
	[PART_STORE] = "store",   [PART_DURABLE] = "durable", [PART_TELL] = "tell",
	[PART_TICK] = "tick",
};

/* ---- the turn under way ---- */

static enum part now = PART_REST;
static double since, begun, parts[PARTS];

/* From now on it is spent for another part; returns the one until now. */
static enum part enter(enum part part)
{
	double at = bench_cpu_seconds();
	enum part was = now;

	parts[was] += at - since;
	since = at;
	now = part;
	return was;
}

void turns_begin(void)
{
	memset(parts, 0, sizeof(parts));
	begun = since = bench_cpu_seconds();
}

void turns_end(struct turns *turns)
{
	double took;

	enter(PART_REST);
	took = since - begun;
	for (size_t i = 0; i < PARTS; i++)
		turns->all[i] += parts[i];
	turns->over_10ms += took > 0.01 ? took : 0;
	if (took <= turns->longest)
		return;
	turns->longest = took;
	memcpy(turns->parts, parts, sizeof(parts));
}

static void print_parts(const double *v, double unit)
{
	const char *between = "";

	for (size_t i = 0; i < PARTS; i++) {
		if (v[i] / unit < 0.05)
			continue;
		printf("%s\"%s\": %.1f", between, names[i], v[i] / unit);
		between = ", ";
	}
}

void turns_print(const char *name, const struct turns *turns)
{
	printf("\"%s\": {\"longest_turn_ms\": %.1f, \"of_it_ms\": {", name, 1000 * turns->longest);
	print_parts(turns->parts, 0.001);
	printf("}, \"turns_over_10ms_s\": %.2f, \"cpu_s\": {", turns->over_10ms);
	print_parts(turns->all, 1);
	printf("}}");
}

/* ---- what is led through here ---- */

bool __real_intake_absorb(struct manager *manager);
bool __wrap_intake_absorb(struct manager *manager);
bool __wrap_intake_absorb(struct manager *manager)
{
	enum part was = enter(PART_INTAKE);
	bool did = __real_intake_absorb(manager);

	enter(was);
	return did;
}

int __real_pair_shift_tick(struct tx *tx, size_t max, uint32_t *from);
int __wrap_pair_shift_tick(struct tx *tx, size_t max, uint32_t *from);
int __wrap_pair_shift_tick(struct tx *tx, size_t max, uint32_t *from)
{
	enum part was = enter(PART_SETTLE);
	int r = __real_pair_shift_tick(tx, max, from);

	enter(was);
	return r;
}

int __real_host_report_step(struct tx *tx, size_t budget);
int __wrap_host_report_step(struct tx *tx, size_t budget);
int __wrap_host_report_step(struct tx *tx, size_t budget)
{
	enum part was = enter(PART_REPORT);
	int r = __real_host_report_step(tx, budget);

	enter(was);
	return r;
}

int __real_choice_pass_step(struct tx *tx, size_t budget);
int __wrap_choice_pass_step(struct tx *tx, size_t budget);
int __wrap_choice_pass_step(struct tx *tx, size_t budget)
{
	enum part was = enter(PART_PASS);
	int r = __real_choice_pass_step(tx, budget);

	enter(was);
	return r;
}

int __real_persist_change(const struct change *change, struct store_batch *batch);
int __wrap_persist_change(const struct change *change, struct store_batch *batch);
int __wrap_persist_change(const struct change *change, struct store_batch *batch)
{
	enum part was = enter(PART_STORE);
	int r = __real_persist_change(change, batch);

	enter(was);
	return r;
}

void __real_publish_flush(struct manager *manager);
void __wrap_publish_flush(struct manager *manager);
void __wrap_publish_flush(struct manager *manager)
{
	enum part was = enter(PART_TELL);

	__real_publish_flush(manager);
	enter(was);
}

void __real_publish_tick(struct manager *manager);
void __wrap_publish_tick(struct manager *manager);
void __wrap_publish_tick(struct manager *manager)
{
	enum part was = enter(PART_TICK);

	__real_publish_tick(manager);
	enter(was);
}

void __real_upkeep_tick(struct manager *manager);
void __wrap_upkeep_tick(struct manager *manager);
void __wrap_upkeep_tick(struct manager *manager)
{
	enum part was = enter(PART_TICK);

	__real_upkeep_tick(manager);
	enter(was);
}

/* The manager's own, which is one. */
static struct journal_observer observer;

static void changed(const struct change *change, void **ret_note, void *data)
{
	enum part was = enter(PART_NOTE);

	observer.changed(change, ret_note, data);
	enter(was);
}

static void durable(uint64_t revision, void *note, void *data)
{
	enum part was = enter(PART_DURABLE);

	observer.durable(revision, note, data);
	enter(was);
}

struct journal_observer __real_publish_observer(struct manager *manager);
struct journal_observer __wrap_publish_observer(struct manager *manager);
struct journal_observer __wrap_publish_observer(struct manager *manager)
{
	struct journal_observer led = observer = __real_publish_observer(manager);

	led.changed = changed;
	led.durable = durable;
	return led;
}
