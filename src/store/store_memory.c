/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_memory.h"

#include <pthread.h>
#include <string.h>

#include "base/rand.h"

struct disk_row {
	struct list node;
	struct store_batch batch;
};

struct store_disk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct list rows; /* struct disk_row, in order; touched by the open store only */
	uint64_t cluster_id;
	uint64_t n_commits;
	unsigned int n_failures;
	int failure;
	bool hang;
	bool open;
};

struct memory_store {
	struct store base;
	struct store_disk *disk;
};

int store_disk_new(struct store_disk **ret)
{
	struct store_disk *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	list_init(&d->rows);
	d->cluster_id = rand_u64() % ((UINT64_C(1) << 52) - 1) + 1;
	*ret = d;
	return 0;
}

static void row_free(struct disk_row *row)
{
	list_remove(&row->node);
	store_batch_deinit(&row->batch);
	free(row);
}

struct store_disk *store_disk_free(struct store_disk *d)
{
	struct disk_row *row;

	if (!d)
		return NULL;
	list_for_each (row, &d->rows, node)
		row_free(row);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

void store_disk_fail_next(struct store_disk *d, unsigned int n, int error)
{
	pthread_mutex_lock(&d->lock);
	d->n_failures = n;
	d->failure = error;
	pthread_mutex_unlock(&d->lock);
}

void store_disk_hang(struct store_disk *d, bool hang)
{
	pthread_mutex_lock(&d->lock);
	d->hang = hang;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

uint64_t store_disk_n_commits(struct store_disk *d)
{
	uint64_t n;

	pthread_mutex_lock(&d->lock);
	n = d->n_commits;
	pthread_mutex_unlock(&d->lock);
	return n;
}

static struct memory_store *memory_of(struct store *s)
{
	return container_of(s, struct memory_store, base);
}

static int memory_load(struct store *s, store_write_fn fn, void *data)
{
	struct memory_store *m = memory_of(s);
	struct disk_row *row;
	struct store_write w;
	struct cursor c;
	int r;

	list_for_each (row, &m->disk->rows, node) {
		cursor_init(&c, buf_data(&row->batch.payload), buf_size(&row->batch.payload));
		while (store_write_decode(&c, &w)) {
			r = fn(&w, data);
			if (r)
				return r;
		}
		r = cursor_error(&c);
		if (r)
			return store_fail(s, r, "the store is damaged");
	}
	return 0;
}

/* What the disk was told to do; 0 when nothing stands in the way. */
static int disk_obey(struct store_disk *d)
{
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (d->hang)
		pthread_cond_wait(&d->changed, &d->lock);
	if (d->n_failures) {
		d->n_failures--;
		r = d->failure;
	} else {
		d->n_commits++;
	}
	pthread_mutex_unlock(&d->lock);
	return r;
}

static int row_new(const struct store_batch *b, struct disk_row **ret)
{
	struct disk_row *row = calloc(1, sizeof(*row));
	int r;

	if (!row)
		return -ENOMEM;
	list_init(&row->node);
	store_batch_init(&row->batch);
	buf_put(&row->batch.payload, buf_data(&b->payload), buf_size(&b->payload));
	r = store_batch_error(&row->batch);
	if (r) {
		row_free(row);
		return r;
	}
	row->batch.first_revision = b->first_revision;
	row->batch.last_revision = b->last_revision;
	row->batch.n_writes = b->n_writes;
	*ret = row;
	return 0;
}

static int memory_probe(struct store *s)
{
	int r = disk_obey(memory_of(s)->disk);

	return r ? store_fail(s, r, "the disk was told to fail: %s", strerror(-r)) : 0;
}

static int memory_commit(struct store *s, const struct store_batch *const *batches, size_t n)
{
	struct memory_store *m = memory_of(s);
	struct list rows;
	struct disk_row *row;
	int r;

	r = disk_obey(m->disk);
	if (r)
		return store_fail(s, r, "the disk was told to fail: %s", strerror(-r));
	list_init(&rows);
	for (size_t i = 0; i < n; i++) {
		r = row_new(batches[i], &row);
		if (r) {
			list_for_each (row, &rows, node)
				row_free(row);
			return store_fail(s, r, "out of memory");
		}
		list_push_back(&rows, &row->node);
	}
	list_splice_back(&m->disk->rows, &rows);
	return 0;
}

static int memory_replay(struct store *s, uint64_t from, store_watch_fn fn, void *data)
{
	struct memory_store *m = memory_of(s);
	struct disk_row *row;

	list_for_each (row, &m->disk->rows, node)
		if (row->batch.last_revision >= from)
			fn(&row->batch, data);
	return 0;
}

static void memory_free(struct store *s)
{
	struct memory_store *m = memory_of(s);

	m->disk->open = false;
	free(m);
}

static const struct store_ops memory_ops = {
	.kind = "memory",
	.load = memory_load,
	.commit = memory_commit,
	.probe = memory_probe,
	.replay = memory_replay,
	.free = memory_free,
};

int store_memory_open(struct store_disk *d, struct store **ret)
{
	struct memory_store *m;
	struct disk_row *row;

	if (d->open)
		return -EWOULDBLOCK;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	store_init(&m->base, &memory_ops);
	m->disk = d;
	m->base.info.cluster_id = d->cluster_id;
	list_for_each (row, &d->rows, node) {
		m->base.info.revision = row->batch.last_revision;
		m->base.info.log_size += buf_size(&row->batch.payload);
	}
	d->open = true;
	*ret = &m->base;
	return 0;
}
