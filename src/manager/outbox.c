/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "abi/agent.pb-c.h"
#include "base/hash.h"
#include "base/limits.h"
#include "manager/message.h"
#include "wire/frame.h"

enum {
	VARINT_MAX = 5, /* of 32 bits */
	FIELD_SET = 3,  /* numbers of Desired's fields */
	FIELD_REMOVE = 4,
};

struct outbox_item *outbox_item_free(struct outbox_item *item)
{
	free(item);
	return NULL;
}

static size_t put_varint(uint8_t *at, size_t n)
{
	size_t size = 0;

	for (; n >= 0x80; n >>= 7)
		at[size++] = (uint8_t)(n | 0x80);
	at[size++] = (uint8_t)n;
	return size;
}

/* 'content' is the Object, or the key itself of what is removed. */
static struct outbox_item *pack_item(const ProtobufCMessage *content, const ProtobufCMessage *key)
{
	size_t size = protobuf_c_message_get_packed_size(content);
	size_t key_size = key && key != content ? protobuf_c_message_get_packed_size(key) : 0;
	struct outbox_item *item = malloc(sizeof(*item) + VARINT_MAX + size + key_size);
	size_t at;

	if (!item)
		return NULL;
	*item = (struct outbox_item){.removal = key == content};
	at = put_varint(item->bytes, size);
	protobuf_c_message_pack(content, item->bytes + at);
	item->size = (uint32_t)(at + size);
	item->key_at = key == content ? (uint32_t)at : item->size;
	item->key_size = (uint32_t)(key == content ? size : key_size);
	if (key_size)
		protobuf_c_message_pack(key, item->bytes + item->key_at);
	return item;
}

int outbox_item_new(const struct plan_item *plan, uint64_t revision, const struct keyring *keyring,
		    uint32_t number, struct outbox_item **ret)
{
	_cleanup_(message_deinit) struct message c = {.keyring = keyring, .self = number};
	const Viaduct__Agent__ObjectKey *key = message_key(&c, plan);
	const ProtobufCMessage *content = key ? &key->base : NULL;
	const Viaduct__Agent__Object *object;
	struct outbox_item *item;
	int r = 0;

	if (!plan->remove) {
		r = message_object(&c, plan, &object);
		if (r)
			return r;
		content = &object->base;
	}
	item = pack_item(content, key ? &key->base : NULL);
	if (!item)
		return -ENOMEM;
	item->revision = revision;
	*ret = item;
	return 0;
}

void outbox_init(struct outbox *outbox)
{
	list_init(&outbox->unsent);
	list_init(&outbox->sent);
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

static void clear(struct outbox *outbox, struct list *items)
{
	struct outbox_item *item;

	while ((item = list_first(items, struct outbox_item, node)))
		drop(outbox, item);
}

void outbox_clear(struct outbox *outbox)
{
	clear(outbox, &outbox->unsent);
	clear(outbox, &outbox->sent);
}

static struct outbox_item *find(struct outbox *outbox, const struct outbox_item *like,
				uint64_t hash)
{
	struct outbox_item *item;

	hmap_for_each_at (item, &outbox->by_key, hash, by_key)
		if (item->key_size == like->key_size &&
		    !memcmp(item->bytes + item->key_at, like->bytes + like->key_at, like->key_size))
			return item;
	return NULL;
}

int outbox_put(struct outbox *outbox, struct outbox_item *item)
{
	uint64_t hash = hash_bytes(item->bytes + item->key_at, item->key_size);
	struct outbox_item *old = find(outbox, item, hash);

	if (old)
		drop(outbox, old);
	if (outbox_count(outbox) >= LIMIT_OUTBOX_ITEMS) {
		outbox_item_free(item);
		return -ENOBUFS;
	}
	item->sent = false;
	outbox->n_unsent++;
	list_push_back(&outbox->unsent, &item->node);
	hmap_insert(&outbox->by_key, &item->by_key, hash);
	return 0;
}

size_t outbox_count(const struct outbox *outbox)
{
	return hmap_count(&outbox->by_key);
}

/* As it is: the library writes fields that a message's type does not say behind those it does. */
static ProtobufCMessageUnknownField field_of(struct outbox_item *item)
{
	return (ProtobufCMessageUnknownField){
		.tag = item->removal ? FIELD_REMOVE : FIELD_SET,
		.wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		.len = item->size,
		.data = item->bytes,
	};
}

int outbox_pack(struct outbox *outbox, uint64_t revision, bool full, struct buf *out)
{
	_cleanup_free_ ProtobufCMessageUnknownField *fields = NULL;
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct outbox_item *item;
	unsigned n = 0;
	int r;

	if (full)
		outbox_rewind(outbox);
	fields = calloc(outbox->n_unsent + 1, sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	list_for_each (item, &outbox->unsent, node)
		if (!full || !item->removal)
			fields[n++] = field_of(item);
	desired.revision = revision;
	desired.full = full;
	desired.base.n_unknown_fields = n;
	desired.base.unknown_fields = fields;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_DESIRED;
	frame.desired = &desired;
	r = frame_pack(out, &frame);
	if (r)
		return r;
	list_for_each (item, &outbox->unsent, node)
		item->sent = true;
	list_splice_back(&outbox->sent, &outbox->unsent);
	outbox->n_unsent = 0;
	return 0;
}

static void acknowledge(struct outbox *outbox, struct list *items, uint64_t revision)
{
	struct outbox_item *item;

	while ((item = list_first(items, struct outbox_item, node)) && item->revision <= revision)
		drop(outbox, item);
}

void outbox_acknowledge(struct outbox *outbox, uint64_t revision)
{
	acknowledge(outbox, &outbox->sent, revision);
	acknowledge(outbox, &outbox->unsent, revision);
}

void outbox_rewind(struct outbox *outbox)
{
	struct outbox_item *item;

	list_for_each (item, &outbox->sent, node)
		item->sent = false;
	list_splice_back(&outbox->sent, &outbox->unsent);
	list_splice_back(&outbox->unsent, &outbox->sent);
	outbox->n_unsent = outbox_count(outbox);
}
