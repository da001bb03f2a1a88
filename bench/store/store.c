/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite store by itself: operations per second with 1, 64 and 512 operations per commit, and
 * the time to load a million objects of 200 bytes, from the log and from the snapshot.  Prints one
 * JSON object.
 *	bench_store DIRECTORY [OBJECTS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/store_sqlite.h"

enum { VALUE_SIZE = 200 };

static struct clock bench_clock;
static uint64_t revision;

static void must(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(r < 0 ? -r : r));
	exit(1);
}

static double seconds_since(uint64_t begin)
{
	return (double)(clock_mono_ns(&bench_clock) - begin) / 1e9;
}

static void commit(struct store *s, unsigned int n)
{
	static uint8_t value[VALUE_SIZE];
	struct store_batch b;
	const struct store_batch *batches[] = {&b};

	store_batch_init(&b);
	for (unsigned int i = 0; i < n; i++) {
		revision++;
		memcpy(value, &revision, sizeof(revision));
		store_batch_put(&b, revision, 6, &revision, sizeof(revision), value, sizeof(value));
	}
	must(store_commit(s, batches, 1), "commit");
	store_batch_deinit(&b);
}

static double rate(struct store *s, unsigned int per_commit)
{
	uint64_t begin = clock_mono_ns(&bench_clock), n = 0;

	while (seconds_since(begin) < 2) {
		commit(s, per_commit);
		n += per_commit;
	}
	return (double)n / seconds_since(begin);
}

static int count(const struct store_write *w, void *data)
{
	(*(uint64_t *)data)++;
	return 0;
}

static double load(const char *path, struct store **s)
{
	uint64_t begin = clock_mono_ns(&bench_clock), n = 0;
	struct store_error error;

	*s = store_free(*s);
	must(store_sqlite_open(path, s, &error), "open");
	must(store_load(*s, count, &n), "load");
	return seconds_since(begin);
}

int main(int argc, char **argv)
{
	uint64_t objects = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	double rates[3], from_log, from_snapshot, compacting;
	static const unsigned int sizes[] = {1, 64, 512};
	_cleanup_(store_free_cleanup) struct store *s = NULL;
	struct store_error error;
	char path[4096];
	uint64_t begin;
	bool more = true;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_store DIRECTORY [OBJECTS]\n");
		return 2;
	}
	clock_init_real(&bench_clock);
	snprintf(path, sizeof(path), "%s/store.db", argv[1]);
	must(store_sqlite_open(path, &s, &error), "open");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		rates[i] = rate(s, sizes[i]);
	while (revision < objects)
		commit(s, 512);
	from_log = load(path, &s);
	begin = clock_mono_ns(&bench_clock);
	while (more || store_info_get(s)->log_size)
		must(store_compact(s, true, &more), "compact");
	compacting = seconds_since(begin);
	from_snapshot = load(path, &s);
	printf("{\"ops_per_s_1\": %.0f, \"ops_per_s_64\": %.0f, \"ops_per_s_512\": %.0f, "
	       "\"objects\": %llu, \"load_log_s\": %.2f, \"load_snapshot_s\": %.2f, "
	       "\"compaction_s\": %.2f}\n",
	       rates[0], rates[1], rates[2], (unsigned long long)revision, from_log, from_snapshot,
	       compacting);
	return 0;
}
