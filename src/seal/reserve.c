/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/reserve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

static int reserve_read(struct reserve *r)
{
	_cleanup_free_ char *text = NULL;
	int e = file_read(r->path, 64, &text, NULL);
	uint64_t bound;
	char end;

	if (e)
		return e == -ENOENT ? 0 : e;
	if (sscanf(text, "%" SCNu64 "%c", &bound, &end) != 2 || end != '\n')
		return -EBADMSG;
	r->bound = r->highest = bound;
	return 0;
}

/* The mutex is held, or nobody else is there yet. */
static int reserve_extend(struct reserve *r, uint64_t until)
{
	uint64_t bound = until + (1ULL << RESERVE_AHEAD_SHIFT);
	char text[32];
	int n, e;

	if (until < r->bound)
		return 0;
	n = snprintf(text, sizeof(text), "%" PRIu64 "\n", bound);
	e = file_write_atomic(r->path, text, (size_t)n, 0600);
	if (!e)
		__atomic_store_n(&r->bound, bound, __ATOMIC_RELAXED);
	return e;
}

int reserve_open(struct reserve *r, const char *path, uint64_t now_ns)
{
	_cleanup_free_ char *lock = NULL;
	int e;

	*r = (struct reserve){.lock = -1, .path = strdup(path)};
	pthread_mutex_init(&r->mutex, NULL);
	e = r->path ? str_printf(&lock, "%s.lock", path) : -ENOMEM;
	if (!e)
		e = file_lock(lock, &r->lock);
	if (!e)
		e = reserve_read(r);
	if (!e && r->highest < now_ns)
		r->highest = now_ns;
	if (!e)
		e = reserve_extend(r, r->highest);
	if (e)
		reserve_close(r);
	return e;
}

void reserve_close(struct reserve *r)
{
	if (!r->path)
		return;
	pthread_mutex_destroy(&r->mutex);
	close_cleanup(&r->lock);
	free(r->path);
	*r = (struct reserve){.lock = -1};
}

int reserve_start(struct reserve *r, uint64_t now_ns, uint64_t *ret)
{
	int e;

	pthread_mutex_lock(&r->mutex);
	if (r->highest < now_ns)
		r->highest = now_ns;
	e = reserve_extend(r, r->highest);
	if (!e)
		*ret = r->highest;
	pthread_mutex_unlock(&r->mutex);
	return e;
}

int reserve_cover(struct reserve *r, uint64_t until)
{
	int e;

	if (until < __atomic_load_n(&r->bound, __ATOMIC_RELAXED))
		return 0;
	pthread_mutex_lock(&r->mutex);
	e = reserve_extend(r, until);
	pthread_mutex_unlock(&r->mutex);
	return e;
}

void reserve_used(struct reserve *r, uint64_t next)
{
	pthread_mutex_lock(&r->mutex);
	if (r->highest < next)
		r->highest = next;
	pthread_mutex_unlock(&r->mutex);
}
