/* SPDX-License-Identifier: Apache-2.0 */
/* The tables; the objects in them are read in desired_*.c. */
#include "agent/desired_take.h"

#include <string.h>

#include "agent/convert.h"
#include "base/hash.h"
#include "base/str.h"

/* ---- keys ---- */

static uint64_t desired_key_hash(const struct desired_key *key)
{
	switch (key->kind) {
	case DESIRED_SUBNET:
		return hash_u64_bytes((uint64_t)key->number << 8 | key->prefix.len,
				      key->prefix.addr.b, sizeof(key->prefix.addr.b));
	case DESIRED_INSTANCE:
	case DESIRED_INTERFACE:
		return hash_str(key->id);
	case DESIRED_PEERING:
		return hash_u64((uint64_t)key->vni_a << 32 | key->vni_b);
	case DESIRED_PUBLIC:
		return hash_u64_bytes(0, key->prefix.addr.b, sizeof(key->prefix.addr.b));
	default:
		return hash_u64(key->number);
	}
}

static bool desired_key_equal(const struct desired_key *a, const struct desired_key *b)
{
	return a->number == b->number && a->vni_a == b->vni_a && a->vni_b == b->vni_b &&
	       prefix_equal(&a->prefix, &b->prefix) && str_equal(a->id, b->id);
}

struct desired_key desired_key_of(enum desired_kind kind, const struct desired_item *item)
{
	struct desired_key key = {.kind = kind};

	switch (kind) {
	case DESIRED_PEER:
		key.number = container_of(item, const struct desired_peer, item)->dp.id;
		break;
	case DESIRED_SUBNET:
		key.number = container_of(item, const struct desired_subnet, item)->dp.vni;
		key.prefix = container_of(item, const struct desired_subnet, item)->dp.prefix;
		break;
	case DESIRED_INSTANCE:
		memcpy(key.id, container_of(item, const struct desired_instance, item)->id,
		       sizeof(key.id));
		break;
	case DESIRED_INTERFACE:
		memcpy(key.id, container_of(item, const struct desired_interface, item)->driver.id,
		       sizeof(key.id));
		break;
	case DESIRED_GROUP:
		key.number = container_of(item, const struct desired_group, item)->dp.number;
		break;
	case DESIRED_ACL:
		key.number = container_of(item, const struct desired_acl, item)->dp.number;
		break;
	case DESIRED_TABLE:
		key.number = container_of(item, const struct desired_table, item)->number;
		break;
	case DESIRED_PEERING:
		key.vni_a = container_of(item, const struct desired_peering, item)->vni_a;
		key.vni_b = container_of(item, const struct desired_peering, item)->vni_b;
		break;
	case DESIRED_GATEWAY:
		key.number = container_of(item, const struct desired_gateway, item)->dp.handle;
		break;
	case DESIRED_PUBLIC:
		key.prefix = prefix_make(
			&container_of(item, const struct desired_public, item)->dp.public, 128);
		break;
	case DESIRED_HOST:
	case DESIRED_KIND_MAX:
		break;
	}
	return key;
}

/* ---- finding ---- */

struct hmap *desired_table(struct desired *d, enum desired_kind kind)
{
	struct hmap *const tables[DESIRED_KIND_MAX] = {
		[DESIRED_PEER] = &d->peers,         [DESIRED_SUBNET] = &d->subnets,
		[DESIRED_INSTANCE] = &d->instances, [DESIRED_INTERFACE] = &d->interfaces,
		[DESIRED_GROUP] = &d->groups,       [DESIRED_ACL] = &d->acls,
		[DESIRED_TABLE] = &d->tables,       [DESIRED_PEERING] = &d->peerings,
		[DESIRED_GATEWAY] = &d->gateways,   [DESIRED_PUBLIC] = &d->publics,
	};

	return tables[kind];
}

struct desired_item *desired_find(const struct desired *d, const struct desired_key *key)
{
	struct hmap *table = desired_table((struct desired *)(uintptr_t)d, key->kind);
	struct desired_item *item;

	if (!table)
		return NULL;
	hmap_for_each_at (item, table, desired_key_hash(key), node) {
		const struct desired_key its = desired_key_of(key->kind, item);

		if (desired_key_equal(&its, key))
			return item;
	}
	return NULL;
}

static struct desired_item *desired_find_number(const struct desired *d, enum desired_kind kind,
						uint32_t number)
{
	const struct desired_key key = {.kind = kind, .number = number};

	return desired_find(d, &key);
}

static struct desired_item *desired_find_id(const struct desired *d, enum desired_kind kind,
					    const char *id)
{
	struct desired_key key = {.kind = kind};

	return str_copy(key.id, sizeof(key.id), id) ? NULL : desired_find(d, &key);
}

/* The item is the first member of each type, so that NULL stays NULL. */
struct desired_peer *desired_find_peer(const struct desired *d, uint32_t number)
{
	return (struct desired_peer *)desired_find_number(d, DESIRED_PEER, number);
}

struct desired_subnet *desired_find_subnet(const struct desired *d, uint32_t vni,
					   const struct prefix *prefix)
{
	const struct desired_key key = {.kind = DESIRED_SUBNET, .number = vni, .prefix = *prefix};

	return (struct desired_subnet *)desired_find(d, &key);
}

struct desired_instance *desired_find_instance(const struct desired *d, const char *id)
{
	return (struct desired_instance *)desired_find_id(d, DESIRED_INSTANCE, id);
}

struct desired_interface *desired_find_interface(const struct desired *d, const char *id)
{
	return (struct desired_interface *)desired_find_id(d, DESIRED_INTERFACE, id);
}

struct desired_group *desired_find_group(const struct desired *d, uint32_t number)
{
	return (struct desired_group *)desired_find_number(d, DESIRED_GROUP, number);
}

struct desired_acl *desired_find_acl(const struct desired *d, uint32_t number)
{
	return (struct desired_acl *)desired_find_number(d, DESIRED_ACL, number);
}

struct desired_table *desired_find_table(const struct desired *d, uint32_t number)
{
	return (struct desired_table *)desired_find_number(d, DESIRED_TABLE, number);
}

struct desired_gateway *desired_find_gateway(const struct desired *d, uint32_t handle)
{
	return (struct desired_gateway *)desired_find_number(d, DESIRED_GATEWAY, handle);
}

struct desired_public *desired_find_public(const struct desired *d, const struct ipaddr *public)
{
	const struct desired_key key = {.kind = DESIRED_PUBLIC, .prefix = prefix_make(public, 128)};

	return (struct desired_public *)desired_find(d, &key);
}

/* ---- life ---- */

void desired_init(struct desired *d)
{
	*d = (struct desired){0};
	for (enum desired_kind kind = DESIRED_PEER; kind < DESIRED_KIND_MAX; kind++)
		hmap_init(desired_table(d, kind));
}

/* Removes every object that the sweep 'keep' did not see; 0: every object. */
static void desired_remove_unseen(struct desired *d, uint64_t keep)
{
	for (enum desired_kind kind = DESIRED_PEER; kind < DESIRED_KIND_MAX; kind++) {
		struct hmap *table = desired_table(d, kind);
		struct desired_item *item;

		hmap_for_each (item, table, node)
			if (!keep || item->sweep != keep) {
				hmap_remove(table, &item->node);
				free(item);
			}
	}
}

void desired_deinit(struct desired *d)
{
	desired_remove_unseen(d, 0);
	for (enum desired_kind kind = DESIRED_PEER; kind < DESIRED_KIND_MAX; kind++)
		hmap_deinit(desired_table(d, kind));
}

void desired_sweep_begin(struct desired *d)
{
	d->sweep++;
}

void desired_sweep_end(struct desired *d)
{
	desired_remove_unseen(d, d->sweep);
}

/* ---- one object from the wire ---- */

int desired_place(struct desired *d, const struct desired_key *key, struct desired_item *item,
		  const char *text)
{
	struct hmap *table = desired_table(d, key->kind);
	struct desired_item *old = desired_find(d, key);

	if (text) {
		if (old)
			old->sweep = d->sweep;
		free(item);
		return -EINVAL;
	}
	if (old)
		hmap_remove(table, &old->node);
	free(old);
	item->sweep = d->sweep;
	hmap_insert(table, &item->node, desired_key_hash(key));
	return 0;
}

void desired_insert_number(uint32_t *list, uint32_t *n, uint32_t number)
{
	uint32_t at = 0;

	while (at < *n && list[at] < number)
		at++;
	if (at < *n && list[at] == number)
		return;
	memmove(&list[at + 1], &list[at], (*n - at) * sizeof(*list));
	list[at] = number;
	++*n;
}

static int desired_take(struct desired *d, const Viaduct__Agent__Object *object,
			struct desired_key *key, const char **text)
{
	switch (object->object_case) {
	case VIADUCT__AGENT__OBJECT__OBJECT_HOST:
		return desired_take_host(d, object->host, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_PEER:
		return desired_take_peer(d, object->peer, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_SUBNET:
		return desired_take_subnet(d, object->subnet, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE:
		return desired_take_instance(d, object->instance, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE:
		return desired_take_interface(d, object->interface, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_GROUP:
		return desired_take_group(d, object->group, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_ACL:
		return desired_take_acl(d, object->acl, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_TABLE:
		return desired_take_table(d, object->table, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_PEERING:
		return desired_take_peering(d, object->peering, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY:
		return desired_take_gateway(d, object->gateway, key, text);
	case VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC:
		return desired_take_public(d, object->public_, key, text);
	default:
		*text = "this agent does not know this kind of object: update it";
		return -EINVAL;
	}
}

int desired_set(struct desired *d, const Viaduct__Agent__Object *object,
		struct desired_key *ret_key, const char **reterr_text)
{
	struct desired_key key = {0};
	const char *text = NULL;
	int e = desired_take(d, object, &key, &text);

	*ret_key = key;
	if (e)
		*reterr_text = text ?: "out of memory";
	return e;
}

static int desired_read_key(const Viaduct__Agent__ObjectKey *m, struct desired_key *key,
			    const char **text)
{
	switch (m->key_case) {
	case VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER:
		*key = (struct desired_key){.kind = DESIRED_PEER, .number = m->peer_number};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET:
		*key = (struct desired_key){.kind = DESIRED_SUBNET, .number = m->subnet->vni};
		*text = "the prefix of the subnet to remove is none";
		return convert_prefix(&m->subnet->prefix, m->subnet->prefix_len, &key->prefix);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID:
		key->kind = DESIRED_INSTANCE;
		*text = "the id of the instance to remove cannot be used";
		return convert_id(m->instance_id, key->id);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID:
		key->kind = DESIRED_INTERFACE;
		*text = "the id of the interface to remove cannot be used";
		return convert_id(m->interface_id, key->id);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_GROUP_NUMBER:
		*key = (struct desired_key){.kind = DESIRED_GROUP, .number = m->group_number};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_ACL_NUMBER:
		*key = (struct desired_key){.kind = DESIRED_ACL, .number = m->acl_number};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_TABLE_NUMBER:
		*key = (struct desired_key){.kind = DESIRED_TABLE, .number = m->table_number};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_PEERING:
		*text = "the peering to remove is not of two networks in ascending order";
		return desired_read_peering_key(m->peering, key);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_GATEWAY_HANDLE:
		*key = (struct desired_key){.kind = DESIRED_GATEWAY, .number = m->gateway_handle};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_PUBLIC:
		*text = "the public address to remove is not 16 bytes";
		return desired_read_public_key(&m->public_, key);
	default:
		*text = "this agent does not know this kind of object: update it";
		return -EINVAL;
	}
}

int desired_remove(struct desired *d, const Viaduct__Agent__ObjectKey *key,
		   struct desired_key *ret_key, const char **reterr_text)
{
	struct desired_key read = {0};
	struct desired_item *item;
	const char *text = NULL;
	int e = desired_read_key(key, &read, &text);

	*ret_key = read;
	if (e) {
		*reterr_text = text;
		return e;
	}
	item = desired_find(d, &read);
	if (item)
		hmap_remove(desired_table(d, read.kind), &item->node);
	free(item);
	return 0;
}
