/* SPDX-License-Identifier: Apache-2.0 */
/* What all back-ends share: guards, the text of the last failure, subscriptions. */
#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>

void store_init(struct store *s, const struct store_ops *ops)
{
	s->ops = ops;
	s->info = (struct store_info){.kind = ops->kind};
	s->error.text[0] = '\0';
	list_init(&s->watches);
}

int store_fail(struct store *s, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->error.text, sizeof(s->error.text), format, args);
	va_end(args);
	return r;
}

struct store *store_free(struct store *s)
{
	struct store_watch *w;

	if (!s)
		return NULL;
	list_for_each (w, &s->watches, node)
		list_remove(&w->node);
	s->ops->free(s);
	return NULL;
}

const struct store_info *store_info_get(const struct store *s)
{
	return &s->info;
}

const char *store_error_text(const struct store *s)
{
	return s->error.text;
}

int store_load(struct store *s, store_write_fn fn, void *data)
{
	return s->ops->load(s, fn, data);
}

static int check_batches(struct store *s, const struct store_batch *const *batches, size_t n)
{
	uint64_t last = s->info.revision;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = store_batch_error(batches[i]);
		if (r)
			return store_fail(s, r, "a batch could not be encoded");
		if (store_batch_empty(batches[i]))
			return store_fail(s, -EINVAL, "an empty batch cannot be committed");
		if (batches[i]->first_revision <= last)
			return store_fail(s, -ESTALE,
					  "revision %llu is not behind revision %llu of the store",
					  (unsigned long long)batches[i]->first_revision,
					  (unsigned long long)last);
		last = batches[i]->last_revision;
	}
	return 0;
}

int store_commit(struct store *s, const struct store_batch *const *batches, size_t n)
{
	struct store_watch *w;
	int r;

	r = check_batches(s, batches, n);
	if (r || !n)
		return r;
	r = s->ops->commit(s, batches, n);
	if (r)
		return r;
	s->info.revision = batches[n - 1]->last_revision;
	s->error.text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		s->info.log_size += buf_size(&batches[i]->payload);
		list_for_each (w, &s->watches, node)
			w->fn(batches[i], w->data);
	}
	return 0;
}

int store_probe(struct store *s)
{
	int r = s->ops->probe(s);

	if (!r)
		s->error.text[0] = '\0';
	return r;
}

int store_compact(struct store *s, bool force, bool *ret_more)
{
	if (!s->ops->compact) {
		*ret_more = false;
		return 0;
	}
	return s->ops->compact(s, force, ret_more);
}

int store_watch(struct store *s, uint64_t from, store_watch_fn fn, void *data,
		struct store_watch *w)
{
	int r;

	if (from <= s->info.snapshot_revision)
		return store_fail(s, -ESTALE, "revision %llu is in the snapshot of revision %llu",
				  (unsigned long long)from,
				  (unsigned long long)s->info.snapshot_revision);
	r = s->ops->replay(s, from, fn, data);
	if (r)
		return r;
	*w = (struct store_watch){.fn = fn, .data = data};
	list_push_back(&s->watches, &w->node);
	return 0;
}

void store_unwatch(struct store_watch *w)
{
	list_remove(&w->node);
}
