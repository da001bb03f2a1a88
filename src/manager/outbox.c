/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "manager/message.h"
#include "wire/frame.h"

struct outbox_item *outbox_item_free(struct outbox_item *item)
{
	if (!item)
		return NULL;
	if (item->object)
		viaduct__agent__object__free_unpacked(item->object, NULL);
	if (item->key)
		viaduct__agent__object_key__free_unpacked(item->key, NULL);
	free(item);
	return NULL;
}

int outbox_item_new(const struct plan_item *plan, uint64_t revision, const struct keyring *keyring,
		    uint32_t number, struct outbox_item **ret)
{
	_cleanup_(message_deinit) struct message c = {.keyring = keyring, .self = number};
	const Viaduct__Agent__ObjectKey *key = message_key(&c, plan);
	size_t key_size = key ? viaduct__agent__object_key__get_packed_size(key) : 0;
	struct outbox_item *item = calloc(1, sizeof(*item) + key_size);
	const Viaduct__Agent__Object *object;
	ProtobufCMessage *copy;
	int r = 0;

	if (!item)
		return -ENOMEM;
	item->revision = revision;
	item->key_size = (uint32_t)key_size;
	if (key) {
		viaduct__agent__object_key__pack(key, item->key_bytes);
		r = message_copy(&key->base, &copy);
		if (!r)
			item->key = (Viaduct__Agent__ObjectKey *)copy;
	}
	if (!r && !plan->remove) {
		r = message_object(&c, plan, &object);
		if (!r)
			r = message_copy(&object->base, &copy);
		if (!r)
			item->object = (Viaduct__Agent__Object *)copy;
	}
	if (r) {
		outbox_item_free(item);
		return r;
	}
	*ret = item;
	return 0;
}

void outbox_init(struct outbox *outbox)
{
	list_init(&outbox->items);
	hmap_init(&outbox->by_key);
	outbox->n_unsent = 0;
}

void outbox_deinit(struct outbox *outbox)
{
	outbox_clear(outbox);
	hmap_deinit(&outbox->by_key);
}

static void drop(struct outbox *outbox, struct outbox_item *item)
{
	list_remove(&item->node);
	hmap_remove(&outbox->by_key, &item->by_key);
	outbox->n_unsent -= !item->sent;
	outbox_item_free(item);
}

void outbox_clear(struct outbox *outbox)
{
	struct outbox_item *item;

	list_for_each (item, &outbox->items, node)
		drop(outbox, item);
}

static struct outbox_item *find(struct outbox *outbox, const struct outbox_item *like,
				uint64_t hash)
{
	struct outbox_item *item;

	hmap_for_each_at (item, &outbox->by_key, hash, by_key)
		if (item->key_size == like->key_size &&
		    !memcmp(item->key_bytes, like->key_bytes, like->key_size))
			return item;
	return NULL;
}

int outbox_put(struct outbox *outbox, struct outbox_item *item)
{
	uint64_t hash = hash_bytes(item->key_bytes, item->key_size);
	struct outbox_item *old = find(outbox, item, hash);

	if (old)
		drop(outbox, old);
	if (outbox_count(outbox) >= LIMIT_OUTBOX_ITEMS) {
		outbox_item_free(item);
		return -ENOBUFS;
	}
	item->sent = false;
	outbox->n_unsent++;
	list_push_back(&outbox->items, &item->node);
	hmap_insert(&outbox->by_key, &item->by_key, hash);
	return 0;
}

size_t outbox_count(const struct outbox *outbox)
{
	return hmap_count(&outbox->by_key);
}

int outbox_pack(struct outbox *outbox, uint64_t revision, bool full, struct buf *out)
{
	size_t n = outbox_count(outbox), n_set = 0, n_remove = 0;
	_cleanup_free_ Viaduct__Agent__Object **set = calloc(n + 1, sizeof(*set));
	_cleanup_free_ Viaduct__Agent__ObjectKey **remove = calloc(n + 1, sizeof(*remove));
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct outbox_item *item;
	int r;

	if (!set || !remove)
		return -ENOMEM;
	list_for_each (item, &outbox->items, node) {
		if (item->sent && !full)
			continue;
		if (item->object)
			set[n_set++] = item->object;
		else if (!full)
			remove[n_remove++] = item->key;
	}
	desired.revision = revision;
	desired.full = full;
	desired.n_set = n_set;
	desired.set = set;
	desired.n_remove = n_remove;
	desired.remove = remove;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_DESIRED;
	frame.desired = &desired;
	r = frame_pack(out, &frame);
	if (r)
		return r;
	list_for_each (item, &outbox->items, node)
		item->sent = true;
	outbox->n_unsent = 0;
	return 0;
}

void outbox_acknowledge(struct outbox *outbox, uint64_t revision)
{
	struct outbox_item *item;

	list_for_each (item, &outbox->items, node)
		if (item->revision <= revision)
			drop(outbox, item);
}

void outbox_rewind(struct outbox *outbox)
{
	struct outbox_item *item;

	list_for_each (item, &outbox->items, node)
		item->sent = false;
	outbox->n_unsent = outbox_count(outbox);
}
