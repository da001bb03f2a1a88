/* SPDX-License-Identifier: Apache-2.0 */
#include "simulated/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static ProtobufCBinaryData bytes_of(const struct ipaddr *addr)
{
	return (ProtobufCBinaryData){.len = sizeof(addr->b), .data = (uint8_t *)addr->b};
}

void sim_agent_init(struct sim_agent *agent, const char *host_id)
{
	*agent = (struct sim_agent){.formats = 1U << 2 | 1U << 3, .mtu = 1500};
	snprintf(agent->host_id, sizeof(agent->host_id), "%s", host_id);
	hmap_init(&agent->objects);
	hmap_init(&agent->mappings);
}

static void clear_objects(struct sim_agent *agent)
{
	struct sim_object *object;

	hmap_for_each (object, &agent->objects, node) {
		hmap_remove(&agent->objects, &object->node);
		free(object);
	}
}

static void clear_mappings(struct sim_agent *agent)
{
	struct sim_mapping *mapping;

	hmap_for_each (mapping, &agent->mappings, node) {
		hmap_remove(&agent->mappings, &mapping->node);
		free(mapping);
	}
}

void sim_agent_deinit(struct sim_agent *agent)
{
	clear_objects(agent);
	clear_mappings(agent);
	hmap_deinit(&agent->objects);
	hmap_deinit(&agent->mappings);
}

void sim_agent_reboot(struct sim_agent *agent)
{
	clear_objects(agent);
	clear_mappings(agent);
	agent->revision = 0;
}

static int send_body(struct sim_agent *agent, Viaduct__Agent__Frame__BodyCase kind, void *body)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	if (!agent->session)
		return -ENOTCONN;
	frame.body_case = kind;
	frame.hello = body; /* of the union, whichever it is */
	return session_send(agent->session, &frame);
}

static void must_send(struct sim_agent *agent, Viaduct__Agent__Frame__BodyCase kind, void *body)
{
	if (send_body(agent, kind, body))
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
			      "no room");
}

static void fill_capabilities(const struct sim_agent *agent, Viaduct__Agent__Capabilities *can)
{
	viaduct__agent__capabilities__init(can);
	can->formats = agent->formats;
	can->substrate_mtu = agent->mtu;
	can->kernel = (char *)"6.1.0-sim";
	can->probed_at = 1;
}

static void opened(struct session *session, void *user)
{
	struct sim_agent *agent = user;
	Viaduct__Agent__Hello hello = VIADUCT__AGENT__HELLO__INIT;
	Viaduct__Agent__Capabilities can;
	size_t n = hmap_count(&agent->mappings), i = 0;
	_cleanup_free_ Viaduct__Agent__HeldMapping *held = calloc(n + 1, sizeof(*held));
	_cleanup_free_ Viaduct__Agent__HeldMapping **pointers = calloc(n + 1, sizeof(*pointers));
	struct sim_mapping *mapping;

	agent->session = session;
	agent->welcome = false;
	agent->n_sessions++;
	hmap_for_each (mapping, &agent->mappings, node) {
		viaduct__agent__held_mapping__init(&held[i]);
		held[i].vni = mapping->vni;
		held[i].addr = bytes_of(&mapping->addr);
		held[i].revision = mapping->revision;
		pointers[i] = &held[i];
		i++;
	}
	fill_capabilities(agent, &can);
	hello.protocol_min = 1;
	hello.protocol_max = 1;
	hello.host_id = agent->host_id;
	hello.software = (char *)"simulated";
	hello.capabilities = &can;
	hello.revision = agent->revision;
	hello.cluster_id = agent->cluster_id;
	hello.preloads = agent->preloads;
	hello.n_held = n;
	hello.held = pointers;
	must_send(agent, VIADUCT__AGENT__FRAME__BODY_HELLO, &hello);
}

static struct sim_object *find_object(struct sim_agent *agent, uint64_t hash, const uint8_t *key,
				      size_t key_size)
{
	struct sim_object *object;

	hmap_for_each_at (object, &agent->objects, hash, node)
		if (object->key_size == key_size && !memcmp(object->bytes, key, key_size))
			return object;
	return NULL;
}

static void remove_key(struct sim_agent *agent, const uint8_t *key, size_t key_size)
{
	struct sim_object *object = find_object(agent, hash_bytes(key, key_size), key, key_size);

	if (!object)
		return;
	hmap_remove(&agent->objects, &object->node);
	free(object);
}

/* The key of an object, packed: what a later removal will name. */
static size_t key_of(const Viaduct__Agent__Object *object, uint8_t *ret, size_t size)
{
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__SubnetKey subnet = VIADUCT__AGENT__SUBNET_KEY__INIT;

	switch (object->object_case) {
	case VIADUCT__AGENT__OBJECT__OBJECT_PEER:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER;
		key.peer_number = object->peer->number;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_SUBNET:
		subnet.vni = object->subnet->vni;
		subnet.prefix = object->subnet->prefix;
		subnet.prefix_len = object->subnet->prefix_len;
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET;
		key.subnet = &subnet;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID;
		key.instance_id = object->instance->id;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
		key.interface_id = object->interface->id;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_GROUP:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GROUP_NUMBER;
		key.group_number = object->group->number;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_ACL:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_ACL_NUMBER;
		key.acl_number = object->acl->number;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_TABLE:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_TABLE_NUMBER;
		key.table_number = object->table->number;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_PEERING:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEERING;
		key.peering = object->peering;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GATEWAY_HANDLE;
		key.gateway_handle = object->gateway->handle;
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC:
		key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PUBLIC;
		key.public_ = object->public_->public_;
		break;
	default:
		return 0; /* the host itself */
	}
	assert(viaduct__agent__object_key__get_packed_size(&key) <= size);
	return viaduct__agent__object_key__pack(&key, ret);
}

static void set_object(struct sim_agent *agent, const Viaduct__Agent__Object *message)
{
	size_t size = viaduct__agent__object__get_packed_size(message);
	struct sim_object *object;
	uint8_t key[256];
	size_t key_size = key_of(message, key, sizeof(key));

	remove_key(agent, key, key_size);
	object = malloc(sizeof(*object) + key_size + size);
	if (!object)
		abort();
	object->key_size = (uint32_t)key_size;
	object->size = (uint32_t)size;
	memcpy(object->bytes, key, key_size);
	viaduct__agent__object__pack(message, object->bytes + key_size);
	hmap_insert(&agent->objects, &object->node, hash_bytes(key, key_size));
}

int sim_agent_acknowledge(struct sim_agent *agent)
{
	Viaduct__Agent__Ack ack = VIADUCT__AGENT__ACK__INIT;

	ack.revision = agent->revision;
	return send_body(agent, VIADUCT__AGENT__FRAME__BODY_ACK, &ack);
}

int sim_agent_acknowledge_updates(struct sim_agent *agent)
{
	Viaduct__Agent__UpdateAck ack = VIADUCT__AGENT__UPDATE_ACK__INIT;

	ack.revision = agent->last_update;
	return send_body(agent, VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK, &ack);
}

static void take_desired(struct sim_agent *agent, const Viaduct__Agent__Desired *desired)
{
	uint8_t key[256];

	agent->n_desired++;
	agent->n_full += desired->full ? 1 : 0;
	if (desired->full)
		clear_objects(agent);
	for (size_t i = 0; i < desired->n_set && !agent->only_count; i++)
		set_object(agent, desired->set[i]);
	for (size_t i = 0; i < desired->n_remove && !agent->only_count; i++) {
		assert(viaduct__agent__object_key__get_packed_size(desired->remove[i]) <=
		       sizeof(key));
		remove_key(agent, key, viaduct__agent__object_key__pack(desired->remove[i], key));
	}
	agent->revision = desired->revision;
	if (!agent->silent && sim_agent_acknowledge(agent))
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
			      "no room");
	if (agent->on_desired)
		agent->on_desired(agent, desired);
}

static uint64_t mapping_hash(uint32_t vni, const struct ipaddr *addr)
{
	return hash_u64_bytes(vni, addr->b, sizeof(addr->b));
}

static struct sim_mapping *find_mapping(const struct sim_agent *agent, uint32_t vni,
					const struct ipaddr *addr)
{
	struct sim_mapping *mapping;

	hmap_for_each_at (mapping, &agent->mappings, mapping_hash(vni, addr), node)
		if (mapping->vni == vni && ipaddr_equal(&mapping->addr, addr))
			return mapping;
	return NULL;
}

const struct sim_mapping *sim_agent_mapping(const struct sim_agent *agent, uint32_t vni,
					    const struct ipaddr *addr)
{
	return find_mapping(agent, vni, addr);
}

/* Newer words replace older ones, in whatever order they come. */
static void set_mapping(struct sim_agent *agent, const Viaduct__Agent__Mapping *message)
{
	struct sim_mapping *mapping;
	struct ipaddr addr;

	if (agent->forget_mappings || message->addr.len != sizeof(addr.b))
		return;
	memcpy(addr.b, message->addr.data, sizeof(addr.b));
	mapping = find_mapping(agent, message->vni, &addr);
	if (mapping && mapping->revision > message->revision)
		return;
	if (message->gone) {
		if (mapping) {
			hmap_remove(&agent->mappings, &mapping->node);
			free(mapping);
		}
		return;
	}
	if (!mapping) {
		mapping = calloc(1, sizeof(*mapping));
		if (!mapping)
			abort();
		mapping->vni = message->vni;
		mapping->addr = addr;
		hmap_insert(&agent->mappings, &mapping->node, mapping_hash(message->vni, &addr));
	}
	mapping->host = message->host;
	mapping->revision = message->revision;
}

static void take_resolved(struct sim_agent *agent, const Viaduct__Agent__Resolved *resolved)
{
	const Viaduct__Agent__Answer *answer;

	agent->resolved_seq = resolved->seq;
	agent->n_resolved += resolved->n_answers;
	for (size_t i = 0; i < resolved->n_answers; i++) {
		answer = resolved->answers[i];
		agent->status = answer->status;
		if (!answer->mapping)
			continue;
		agent->host = answer->mapping->host;
		agent->mapping_revision = answer->mapping->revision;
		set_mapping(agent, answer->mapping);
	}
	if (agent->on_resolved)
		agent->on_resolved(agent, resolved);
}

static void take_update(struct sim_agent *agent, const Viaduct__Agent__Update *update)
{
	agent->n_updates++;
	if (update->revision > agent->last_update)
		agent->last_update = update->revision;
	for (size_t i = 0; i < update->n_mappings; i++)
		set_mapping(agent, update->mappings[i]);
	if (!agent->silent && !agent->acks_updates_later && sim_agent_acknowledge_updates(agent))
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
			      "no room");
	if (agent->on_update)
		agent->on_update(agent, update);
}

static void report_capabilities(struct sim_agent *agent)
{
	Viaduct__Agent__Capabilities can;

	fill_capabilities(agent, &can);
	must_send(agent, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES, &can);
}

static void received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
	struct sim_agent *agent = user;

	switch (frame->body_case) {
	case VIADUCT__AGENT__FRAME__BODY_WELCOME:
		agent->welcome = true;
		if (agent->cluster_id != frame->welcome->cluster_id)
			agent->revision = 0;
		agent->cluster_id = frame->welcome->cluster_id;
		break;
	case VIADUCT__AGENT__FRAME__BODY_GOODBYE:
		agent->goodbye = frame->goodbye->code;
		break;
	case VIADUCT__AGENT__FRAME__BODY_DESIRED:
		take_desired(agent, frame->desired);
		break;
	case VIADUCT__AGENT__FRAME__BODY_RESOLVED:
		take_resolved(agent, frame->resolved);
		break;
	case VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST:
		report_capabilities(agent);
		break;
	case VIADUCT__AGENT__FRAME__BODY_UPDATE:
		take_update(agent, frame->update);
		break;
	default:
		break;
	}
}

static void closed(struct session *session, enum session_end end, const char *text, void *user)
{
	struct sim_agent *agent = user;

	if (agent->session == session) {
		agent->session = NULL;
		agent->welcome = false;
	}
}

const struct session_callbacks sim_agent_callbacks = {
	.opened = opened,
	.received = received,
	.closed = closed,
};

int sim_agent_ask(struct sim_agent *agent, Viaduct__Agent__Question__Kind kind, uint32_t vni,
		  const struct ipaddr *asker, const struct ipaddr *addr, uint64_t seq)
{
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *questions[] = {&question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;

	question.kind = kind;
	question.vni = vni;
	question.asker = bytes_of(asker);
	question.addr = bytes_of(addr);
	resolve.seq = seq;
	resolve.n_questions = 1;
	resolve.questions = questions;
	return send_body(agent, VIADUCT__AGENT__FRAME__BODY_RESOLVE, &resolve);
}

int sim_agent_tell_stale(struct sim_agent *agent, uint32_t host, uint32_t vni,
			 const struct ipaddr *src, const struct ipaddr *addr, size_t n)
{
	Viaduct__Agent__StaleMapping mapping = VIADUCT__AGENT__STALE_MAPPING__INIT;
	Viaduct__Agent__Stale stale = VIADUCT__AGENT__STALE__INIT;
	Viaduct__Agent__StaleMapping **all = calloc(n, sizeof(*all));
	int r;

	if (!all)
		return -ENOMEM;
	mapping.host = host;
	mapping.vni = mapping.src_vni = vni;
	mapping.addr = (ProtobufCBinaryData){sizeof(addr->b), (uint8_t *)(uintptr_t)addr->b};
	mapping.src = (ProtobufCBinaryData){sizeof(src->b), (uint8_t *)(uintptr_t)src->b};
	for (size_t i = 0; i < n; i++)
		all[i] = &mapping;
	stale.n_mappings = n;
	stale.mappings = all;
	r = send_body(agent, VIADUCT__AGENT__FRAME__BODY_STALE, &stale);
	free(all);
	return r;
}

int sim_agent_report(struct sim_agent *agent, const char *instance_id, uint64_t generation,
		     Viaduct__Agent__InstanceStatus__State state)
{
	Viaduct__Agent__InstanceStatus status = VIADUCT__AGENT__INSTANCE_STATUS__INIT;

	status.id = (char *)instance_id;
	status.generation = generation;
	status.state = state;
	return send_body(agent, VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS, &status);
}

size_t sim_agent_count(const struct sim_agent *agent, Viaduct__Agent__Object__ObjectCase kind)
{
	const struct sim_object *object;
	Viaduct__Agent__Object *message;
	size_t n = 0;

	hmap_for_each (object, &agent->objects, node) {
		message = viaduct__agent__object__unpack(NULL, object->size,
							 object->bytes + object->key_size);
		if (!message)
			abort();
		n += message->object_case == kind;
		viaduct__agent__object__free_unpacked(message, NULL);
	}
	return n;
}
