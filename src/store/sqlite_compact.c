/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_compact.h"

#include <string.h>

#include "base/limits.h"
#include "store/sqlite_store.h"

struct sqlite_compact_entry {
	struct store_write write; /* points into a payload */
	size_t order;
};

struct sqlite_compact_run {
	struct heap_node node;
	const struct sqlite_compact_entry *next;
	size_t first, end; /* of the entries */
};

static bool run_less(const struct heap_node *na, const struct heap_node *nb)
{
	const struct sqlite_compact_run *a = container_of(na, struct sqlite_compact_run, node);
	const struct sqlite_compact_run *b = container_of(nb, struct sqlite_compact_run, node);
	int r = store_write_compare(&a->next->write, &b->next->write);

	/* Of one object the last write comes first. */
	return r ? r < 0 : a->first > b->first;
}

void sqlite_compact_init(struct sqlite_compact *c)
{
	*c = (struct sqlite_compact){.phase = SQLITE_COMPACT_CLEAN};
	buf_init(&c->old, LIMIT_STORE_BATCH_SIZE);
	heap_init(&c->heads, run_less);
}

void sqlite_compact_reset(struct sqlite_compact *c)
{
	size_t retry_size = c->retry_size;

	for (size_t i = 0; i < c->n_payloads; i++)
		free(c->payloads[i]);
	free(c->payloads);
	free(c->entries);
	free(c->runs);
	buf_deinit(&c->old);
	sqlite_compact_init(c);
	c->retry_size = retry_size;
}

/* Makes room for one more in an array; doubles, so that adding n costs n. */
static int grow(void **array, size_t *allocated, size_t n, size_t size)
{
	size_t more = *allocated ? *allocated * 2 : 1024;
	void *p;

	if (n < *allocated)
		return 0;
	p = reallocarray(*array, more, size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*allocated = more;
	return 0;
}

static int add_payload(struct sqlite_compact *c, const void *data, size_t size)
{
	struct store_write w;
	struct cursor cursor;
	uint8_t *copy;
	int r;

	r = grow((void **)&c->payloads, &c->allocated_payloads, c->n_payloads,
		 sizeof(*c->payloads));
	if (r)
		return r;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	c->payloads[c->n_payloads++] = copy;
	cursor_init(&cursor, copy, size);
	while (store_write_decode(&cursor, &w)) {
		r = grow((void **)&c->entries, &c->allocated_entries, c->n_entries,
			 sizeof(*c->entries));
		if (r)
			return r;
		c->entries[c->n_entries] =
			(struct sqlite_compact_entry){.write = w, .order = c->n_entries};
		c->n_entries++;
	}
	return cursor_error(&cursor);
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct sqlite_compact_entry *a = pa, *b = pb;
	int r = store_write_compare(&a->write, &b->write);

	if (r)
		return r;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Makes the entries from 'first' on a run: sorted, of each object the last write. */
static int end_run(struct sqlite_compact *c, size_t first)
{
	size_t n = first;
	int r;

	if (first == c->n_entries)
		return 0;
	r = grow((void **)&c->runs, &c->allocated_runs, c->n_runs, sizeof(*c->runs));
	if (r)
		return r;
	qsort(c->entries + first, c->n_entries - first, sizeof(*c->entries), compare_entries);
	for (size_t i = first; i < c->n_entries; i++) {
		if (n > first &&
		    !store_write_compare(&c->entries[n - 1].write, &c->entries[i].write))
			n--;
		c->entries[n++] = c->entries[i];
	}
	c->n_entries = n;
	c->runs[c->n_runs++] = (struct sqlite_compact_run){.first = first, .end = n};
	return 0;
}

/* All is read: neither array moves any more. */
static void begin_merge(struct sqlite_compact *c)
{
	for (size_t i = 0; i < c->n_runs; i++) {
		c->runs[i].next = c->entries + c->runs[i].first;
		heap_insert(&c->heads, &c->runs[i].node);
	}
	c->phase = SQLITE_COMPACT_MERGE;
}

/* The next write of the tail, or NULL. */
static const struct store_write *peek_new(const struct sqlite_compact *c)
{
	const struct heap_node *n = heap_first(&c->heads);

	return n ? &container_of(n, struct sqlite_compact_run, node)->next->write : NULL;
}

/* Moves on behind 'w', which peek_new() gave, and the older writes of the same object. */
static void drop_new(struct sqlite_compact *c, const struct store_write *w)
{
	const struct store_write *head;

	while ((head = peek_new(c)) && !store_write_compare(head, w)) {
		struct sqlite_compact_run *run =
			container_of(heap_first(&c->heads), struct sqlite_compact_run, node);

		heap_remove(&c->heads, &run->node);
		if (++run->next < c->entries + run->end)
			heap_insert(&c->heads, &run->node);
	}
}

static int step_read(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_LOG);
	size_t size, budget = LIMIT_STORE_STEP_SIZE, first = c->n_entries;
	const void *data;
	int r = 0, step = SQLITE_DONE;

	sqlite3_bind_int64(st, 1, (int64_t)c->next);
	sqlite3_bind_int64(st, 2, (int64_t)c->upto);
	while (!r && budget && (step = sqlite3_step(st)) == SQLITE_ROW) {
		r = sqlite_store_payload(s, st, 5, 4, "revision", &data, &size);
		if (!r)
			r = add_payload(c, data, size);
		if (r)
			break;
		c->next = (uint64_t)sqlite3_column_int64(st, 0) + 1;
		c->folded_size += size;
		budget -= size < budget ? size : budget;
	}
	if (!r && step != SQLITE_ROW && step != SQLITE_DONE)
		r = sqlite_store_fail(s, "read the log");
	sqlite3_reset(st);
	if (!r)
		r = end_run(c, first);
	if (!r && step == SQLITE_DONE)
		begin_merge(c);
	return r;
}

static int read_old_chunk(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_SNAPSHOT);
	const void *data;
	size_t size;
	int r;

	sqlite3_bind_int64(st, 1, sqlite_store_chunk_id(s->generation, c->old_chunk));
	sqlite3_bind_int64(st, 2, sqlite_store_chunk_id(s->generation, c->old_chunk + 1));
	if (sqlite3_step(st) != SQLITE_ROW) {
		r = store_fail(&s->base, -EBADMSG, "%s: a part of the snapshot is missing",
			       s->path);
	} else {
		r = sqlite_store_payload(s, st, 2, 1, "snapshot chunk", &data, &size);
	}
	if (!r) {
		buf_reset(&c->old);
		buf_put(&c->old, data, size);
		r = buf_error(&c->old);
	}
	sqlite3_reset(st);
	if (r)
		return r;
	c->old_chunk++;
	cursor_init(&c->old_rest, buf_data(&c->old), buf_size(&c->old));
	return 0;
}

/* Makes 'old_write' the next object of the old snapshot, if there is one. */
static int next_old(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;
	int r;

	while (!c->have_old) {
		if (store_write_decode(&c->old_rest, &c->old_write)) {
			c->have_old = true;
			break;
		}
		r = cursor_error(&c->old_rest);
		if (r)
			return r;
		if (c->old_chunk == s->n_chunks)
			break;
		r = read_old_chunk(s);
		if (r)
			return r;
	}
	return 0;
}

/* Puts the next object of the new snapshot into 'out'; '*ret_end' when there is none. */
static int merge_one(struct sqlite_store *s, struct buf *out, bool *ret_end)
{
	struct sqlite_compact *c = &s->compact;
	const struct store_write *new;
	int order, r;

	r = next_old(s);
	if (r)
		return r;
	new = peek_new(c);
	*ret_end = !new && !c->have_old;
	if (*ret_end)
		return 0;
	if (!new)
		order = -1;
	else if (!c->have_old)
		order = 1;
	else
		order = store_write_compare(&c->old_write, new);
	if (order < 0) {
		store_write_encode(out, &c->old_write);
	} else {
		if (new->value)
			store_write_encode(out, new);
		drop_new(c, new);
	}
	if (order <= 0)
		c->have_old = false;
	return buf_error(out);
}

static int add_chunk(struct sqlite_store *s, const struct buf *out)
{
	struct sqlite_compact *c = &s->compact;
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_CHUNK_ADD);

	sqlite3_bind_int64(st, 1, sqlite_store_chunk_id(s->generation + 1, c->new_chunk));
	sqlite3_bind_int64(st, 2, sqlite_store_checksum(buf_data(out), buf_size(out)));
	sqlite3_bind_blob64(st, 3, buf_data(out), buf_size(out), SQLITE_STATIC);
	return sqlite_store_run(s, st, "write the snapshot");
}

static int set_valid(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;
	int r;

	r = sqlite_store_set_meta(s, "generation", s->generation + 1);
	if (!r)
		r = sqlite_store_set_meta(s, "snapshot_chunks", c->new_chunk);
	if (!r)
		r = sqlite_store_set_meta(s, "snapshot_revision", c->upto);
	if (!r)
		r = sqlite_store_set_meta(s, "snapshot_size", c->new_size);
	return r;
}

/* The new snapshot is on the disk: what the store says follows. */
static void adopt(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;

	s->generation++;
	s->n_chunks = c->new_chunk;
	s->base.info.snapshot_revision = c->upto;
	s->base.info.snapshot_size = c->new_size;
	s->base.info.log_size -= c->folded_size;
	sqlite_compact_reset(c); /* goes on with cleaning */
	c->retry_size = 0;
}

static int step_merge(struct sqlite_store *s)
{
	struct sqlite_compact *c = &s->compact;
	_cleanup_buf_ struct buf out;
	bool end = false;
	int r = 0;

	buf_init(&out, LIMIT_STORE_BATCH_SIZE);
	while (!r && !end && buf_size(&out) < LIMIT_STORE_CHUNK_SIZE)
		r = merge_one(s, &out, &end);
	if (!r)
		r = sqlite_store_begin(s, end); /* before it is valid, nothing depends on it */
	if (r)
		return r;
	if (buf_size(&out)) {
		r = add_chunk(s, &out);
		c->new_chunk++;
		c->new_size += buf_size(&out);
	}
	if (!r && end)
		r = set_valid(s);
	r = sqlite_store_end(s, r);
	if (!r && end)
		adopt(s);
	return r;
}

/* Removes rows that the snapshot has made needless, a bounded number. */
static int step_clean(struct sqlite_store *s)
{
	sqlite3_stmt *st;
	int n = 0, r;

	r = sqlite_store_begin(s, false);
	if (r)
		return r;
	st = sqlite_store_statement(s, SQLITE_STATEMENT_LOG_CLEAN);
	sqlite3_bind_int64(st, 1, (int64_t)s->base.info.snapshot_revision);
	sqlite3_bind_int64(st, 2, LIMIT_STORE_STEP_ROWS);
	r = sqlite_store_run(s, st, "shorten the log");
	if (!r) {
		n += sqlite3_changes(s->db);
		st = sqlite_store_statement(s, SQLITE_STATEMENT_SNAPSHOT_CLEAN);
		sqlite3_bind_int64(st, 1, sqlite_store_chunk_id(s->generation, 0));
		sqlite3_bind_int64(st, 2, sqlite_store_chunk_id(s->generation + 1, 0));
		sqlite3_bind_int64(st, 3, LIMIT_STORE_STEP_SIZE / LIMIT_STORE_CHUNK_SIZE);
		r = sqlite_store_run(s, st, "remove an old snapshot");
	}
	if (!r)
		n += sqlite3_changes(s->db);
	r = sqlite_store_end(s, r);
	if (!r && !n)
		s->compact.phase = SQLITE_COMPACT_IDLE;
	return r;
}

static bool wanted(const struct sqlite_store *s, bool force)
{
	const struct store_info *i = &s->base.info;

	if (force)
		return i->log_size;
	return i->log_size > LIMIT_STORE_TAIL_SIZE && i->log_size > i->snapshot_size / 2 &&
	       i->log_size > s->compact.retry_size;
}

int sqlite_compact_step(struct sqlite_store *s, bool force, bool *ret_more)
{
	struct sqlite_compact *c = &s->compact;
	int r = 0;

	switch (c->phase) {
	case SQLITE_COMPACT_IDLE:
		if (wanted(s, force)) {
			c->phase = SQLITE_COMPACT_READ;
			c->next = s->base.info.snapshot_revision + 1;
			c->upto = s->base.info.revision;
		}
		break;
	case SQLITE_COMPACT_READ:
		r = step_read(s);
		break;
	case SQLITE_COMPACT_MERGE:
		r = step_merge(s);
		break;
	case SQLITE_COMPACT_CLEAN:
		r = step_clean(s);
		break;
	}
	if (r) {
		/* Not urgent: tried again when the log has grown some more. */
		sqlite_compact_reset(c); /* first removes what it had written */
		c->retry_size = s->base.info.log_size + LIMIT_STORE_TAIL_SIZE / 4;
		return r;
	}
	*ret_more = c->phase != SQLITE_COMPACT_IDLE;
	return 0;
}
