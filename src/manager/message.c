/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from agents, which kind of message an item becomes, and what all of these need. */
#include "manager/message.h"

#include <stdlib.h>
#include <string.h>

#include "manager/message_build.h"

ProtobufCBinaryData message_data(const void *data, size_t size)
{
	return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

static const struct ipaddr *addr_in(const ProtobufCBinaryData *bytes)
{
	return bytes->len == sizeof(struct ipaddr) ? (const struct ipaddr *)bytes->data : NULL;
}

struct lookup_question message_question(const Viaduct__Agent__Question *question)
{
	return (struct lookup_question){
		.kind = (uint32_t)question->kind,
		.vni = question->vni,
		.addr_vni = question->addr_vni,
		.asker = addr_in(&question->asker),
		.addr = addr_in(&question->addr),
		.name = question->name,
		.label = question->label,
	};
}

ProtobufCBinaryData message_bytes(const struct ipaddr *addr)
{
	return message_data(addr->b, sizeof(addr->b));
}

ProtobufCBinaryData message_addr_or_empty(const struct ipaddr *addr)
{
	return ipaddr_is_zero(addr) ? message_data(NULL, 0) : message_bytes(addr);
}

ProtobufCBinaryData message_locator_or_empty(const struct prefix *locator)
{
	return locator->len ? message_bytes(&locator->addr) : message_data(NULL, 0);
}

int message_addr(const ProtobufCBinaryData *bytes, struct ipaddr *ret)
{
	if (bytes->len != sizeof(ret->b))
		return -EINVAL;
	memcpy(ret->b, bytes->data, sizeof(ret->b));
	return 0;
}

struct capabilities message_capabilities(const Viaduct__Agent__Capabilities *message)
{
	return (struct capabilities){
		.formats = message->formats,
		.substrate_mtu = message->substrate_mtu,
		.tcx = message->tcx,
		.tap_uso = message->tap_uso,
		.kernel = message->kernel,
		.refused = message->refused,
		.probed_ms = message->probed_at,
		.error = message->error,
		.features = message->features,
		.required_features = message->required_features,
		.disallowed_features = message->disallowed_features,
		.disallowed_formats = message->disallowed_formats,
		.generation = message->generation,
		.carries_nothing = message->carries_nothing,
		.stands_by = message->stands_by,
		.hands_over = message->hands_over,
		.incarnation = message->incarnation,
	};
}

int message_copy(const ProtobufCMessage *message, ProtobufCMessage **ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	_cleanup_free_ uint8_t *packed = malloc(size ? size : 1);
	ProtobufCMessage *copy;

	if (!packed)
		return -ENOMEM;
	protobuf_c_message_pack(message, packed);
	copy = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

const Viaduct__Agent__ObjectKey *message_key(struct message *c, const struct plan_item *item)
{
	viaduct__agent__object_key__init(&c->key);
	switch (item->kind) {
	case PLAN_HOST:
		return NULL;
	case PLAN_PEER:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER;
		c->key.peer_number = item->peer.number;
		break;
	case PLAN_SUBNET:
		viaduct__agent__subnet_key__init(&c->subnet_key);
		c->subnet_key.vni = item->subnet.vni;
		c->subnet_key.prefix = message_bytes(&item->subnet.prefix.addr);
		c->subnet_key.prefix_len = item->subnet.prefix.len;
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET;
		c->key.subnet = &c->subnet_key;
		break;
	case PLAN_INSTANCE:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID;
		c->key.instance_id = (char *)item->instance.id;
		break;
	case PLAN_INTERFACE:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
		c->key.interface_id = (char *)item->interface.id;
		break;
	case PLAN_GROUP:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GROUP_NUMBER;
		c->key.group_number = item->group.number;
		break;
	case PLAN_ACL:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_ACL_NUMBER;
		c->key.acl_number = item->acl.number;
		break;
	case PLAN_TABLE:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_TABLE_NUMBER;
		c->key.table_number = item->table.number;
		break;
	case PLAN_GATEWAY:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GATEWAY_HANDLE;
		c->key.gateway_handle = item->gateway.handle;
		break;
	case PLAN_PUBLIC:
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PUBLIC;
		c->key.public_ = message_bytes(&item->public.public);
		break;
	case PLAN_PEERING:
		message_set_peering(c, &item->peering);
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEERING;
		c->key.peering = &c->peering;
		break;
	}
	return &c->key;
}

void **message_alloc(struct message *c, size_t n, size_t size)
{
	void **pointers;
	char *at;

	free(c->rules);
	c->rules = calloc(n ? n : 1, sizeof(void *) + size);
	if (!c->rules)
		return NULL;
	pointers = c->rules;
	at = (char *)(pointers + n);
	for (size_t i = 0; i < n; i++, at += size)
		pointers[i] = at;
	return pointers;
}

int message_object(struct message *c, const struct plan_item *item,
		   const Viaduct__Agent__Object **ret)
{
	int r = 0;

	viaduct__agent__object__init(&c->object);
	switch (item->kind) {
	case PLAN_HOST:
		message_set_host(c, &item->host);
		break;
	case PLAN_PEER:
		r = message_set_peer(c, &item->peer);
		break;
	case PLAN_SUBNET:
		message_set_subnet(c, &item->subnet);
		break;
	case PLAN_INSTANCE:
		message_set_instance(c, &item->instance);
		break;
	case PLAN_INTERFACE:
		r = message_set_interface(c, &item->interface);
		break;
	case PLAN_GROUP:
		r = message_set_group(c, &item->group);
		break;
	case PLAN_ACL:
		r = message_set_acl(c, &item->acl);
		break;
	case PLAN_TABLE:
		r = message_set_table(c, &item->table);
		break;
	case PLAN_GATEWAY:
		r = message_set_gateway(c, &item->gateway);
		break;
	case PLAN_PUBLIC:
		message_set_public(c, &item->public);
		break;
	case PLAN_PEERING:
		message_set_peering(c, &item->peering);
		c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PEERING;
		c->object.peering = &c->peering;
		break;
	}
	if (!r)
		*ret = &c->object;
	return r;
}

void message_deinit(struct message *c)
{
	free(c->rules);
	c->rules = NULL;
	free(c->mirrors);
	c->mirrors = NULL;
}

void message_mapping(Viaduct__Agent__Mapping *message, const struct mapping *mapping)
{
	message->vni = mapping->vni;
	message->addr = message_bytes(&mapping->addr);
	message->host = mapping->host;
	message->revision = mapping->revision;
	message->gone = !mapping->host;
	message->n_groups = mapping->groups ? mapping->groups->n : 0;
	message->groups = mapping->groups ? (uint32_t *)mapping->groups->numbers : NULL;
	message->n_hosts = mapping->hosts ? mapping->hosts->n : 0;
	message->hosts = mapping->hosts ? (uint32_t *)mapping->hosts->numbers : NULL;
}
