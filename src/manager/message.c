/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/message.h"

#include <stdlib.h>
#include <string.h>

#include "model/interface.h"
#include "model/nat_gateway.h"

static ProtobufCBinaryData bytes_of(const void *data, size_t size)
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
	return bytes_of(addr->b, sizeof(addr->b));
}

/* An absent address or locator is an empty field. */
static ProtobufCBinaryData addr_or_empty(const struct ipaddr *addr)
{
	return ipaddr_is_zero(addr) ? bytes_of(NULL, 0) : message_bytes(addr);
}

static ProtobufCBinaryData locator_or_empty(const struct prefix *locator)
{
	return locator->len ? message_bytes(&locator->addr) : bytes_of(NULL, 0);
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

static void set_peering(struct message *c, const struct plan_peering *peering)
{
	viaduct__agent__peering__init(&c->peering);
	c->peering.vni_a = peering->vni_a;
	c->peering.vni_b = peering->vni_b;
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
		set_peering(c, &item->peering);
		c->key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEERING;
		c->key.peering = &c->peering;
		break;
	}
	return &c->key;
}

static void set_host(struct message *c, const struct plan_host *host)
{
	viaduct__agent__host_config__init(&c->host);
	c->host.number = host->number;
	c->host.name = (char *)host->name;
	c->host.siit1 = locator_or_empty(&host->locators.siit1);
	c->host.siit2 = locator_or_empty(&host->locators.siit2);
	c->host.v4 = addr_or_empty(&host->locators.v4);
	c->host.v6 = addr_or_empty(&host->locators.v6);
	c->host.aliases = locator_or_empty(&host->locators.aliases);
	c->host.aliases_len = host->locators.aliases.len;
	c->host.edge = host->edge;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_HOST;
	c->object.host = &c->host;
}

static void set_choice(struct message_choice *m, const struct choice *choice)
{
	Viaduct__Agent__Choice *c = &m->choice;

	viaduct__agent__choice__init(c);
	c->send = choice->send;
	c->send_features = choice->send_features;
	for (size_t i = 0; i < choice->n_accepts; i++) {
		viaduct__agent__accept__init(&m->accepts[i]);
		m->accepts[i].formats = choice->accepts[i].formats;
		m->accepts[i].features = choice->accepts[i].features;
		m->accept_pointers[i] = &m->accepts[i];
	}
	c->n_accepts = choice->n_accepts;
	c->accepts = m->accept_pointers;
	c->path_mtu = choice->path_mtu;
	c->outer_v6 = choice->outer_v6;
	c->rate_bits = choice->rate.bits;
	c->rate_burst = choice->rate.burst;
	if (choice->policy)
		c->policy = (char *)id_text_prefixed(ID_PREFIX_CHOICE_POLICY, choice->policy,
						     m->policy);
	c->reason = (char *)choice->reason;
	c->inferred = choice->inferred;
}

/* 'n' messages of 'size' bytes behind as many pointers to them, in c->rules; NULL: no memory. */
static void **alloc_messages(struct message *c, size_t n, size_t size)
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

/* The variant comes first: pointers to these are pointers to it. */
struct message_variant {
	Viaduct__Agent__Variant variant;
	struct message_choice choice;
};

/* For the one who sends or takes packets: the reasons stay here. */
static void fill_variant(struct message_variant *m, const struct plan_variant *v)
{
	viaduct__agent__variant__init(&m->variant);
	m->variant.vni = v->vni;
	m->variant.addr = addr_or_empty(&v->addr);
	m->variant.peer_vni = v->peer_vni;
	m->variant.peer_addr = addr_or_empty(&v->peer_addr);
	set_choice(&m->choice, v->choice);
	m->choice.choice.reason = (char *)protobuf_c_empty_string;
	m->variant.choice = &m->choice.choice;
}

static int set_variants(struct message *c, const struct plan_peer *peer)
{
	void **variants;

	if (!peer->n_variants)
		return 0;
	variants = alloc_messages(c, peer->n_variants, sizeof(struct message_variant));
	if (!variants)
		return -ENOMEM;
	for (size_t i = 0; i < peer->n_variants; i++)
		fill_variant(variants[i], &peer->variants[i]);
	c->peer.n_variants = peer->n_variants;
	c->peer.variants = (Viaduct__Agent__Variant **)variants;
	return 0;
}

static int set_peer(struct message *c, const struct plan_peer *peer)
{
	int r = 0;

	viaduct__agent__peer__init(&c->peer);
	c->peer.number = peer->number;
	c->peer.name = (char *)peer->name;
	c->peer.siit1 = locator_or_empty(&peer->locators.siit1);
	c->peer.siit2 = locator_or_empty(&peer->locators.siit2);
	c->peer.v4 = addr_or_empty(&peer->locators.v4);
	c->peer.v6 = addr_or_empty(&peer->locators.v6);
	c->peer.aliases = locator_or_empty(&peer->locators.aliases);
	c->peer.aliases_len = peer->locators.aliases.len;
	c->peer.send = peer->choice.send;
	c->peer.accept = choice_formats(&peer->choice);
	c->peer.path_mtu = peer->choice.path_mtu;
	c->peer.vxlan_over_v6 = peer->choice.outer_v6;
	c->peer.reason = (char *)peer->choice.reason;
	c->peer.edge = peer->edge;
	c->peer.foreign = peer->foreign;
	set_choice(&c->choice, &peer->choice);
	c->peer.choice = &c->choice.choice;
	if (set_variants(c, peer))
		return -ENOMEM;
	if (c->keyring)
		r = keyring_fill(c->keyring, c->self, peer->number, &peer->choice, &c->choice.keys);
	for (size_t i = 0; i < peer->n_variants && c->keyring && !r; i++)
		if (!i || peer->variants[i].choice != peer->variants[i - 1].choice)
			r = keyring_fill_more(c->keyring, c->self, peer->number,
					      peer->variants[i].choice, &c->choice.keys);
	c->choice.choice.n_keys = r || !c->keyring ? 0 : c->choice.keys.n;
	c->choice.choice.keys = c->choice.keys.pointers;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PEER;
	c->object.peer = &c->peer;
	return r;
}

static void set_subnet(struct message *c, const struct plan_subnet *subnet)
{
	viaduct__agent__subnet__init(&c->subnet);
	c->subnet.vni = subnet->vni;
	c->subnet.prefix = message_bytes(&subnet->prefix.addr);
	c->subnet.prefix_len = subnet->prefix.len;
	c->subnet.router = message_bytes(&subnet->router);
	c->subnet.router_mac = bytes_of(subnet->router_mac.b, sizeof(subnet->router_mac.b));
	c->subnet.resolver = message_bytes(&subnet->resolver);
	c->subnet.network = locator_or_empty(&subnet->network);
	c->subnet.network_len = subnet->network.len;
	c->subnet.domain = (char *)subnet->domain;
	c->subnet.acl = subnet->acl;
	c->subnet.table = subnet->table;
	c->subnet.preloaded = subnet->preloaded;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_SUBNET;
	c->object.subnet = &c->subnet;
}

static void set_instance(struct message *c, const struct plan_instance *instance)
{
	viaduct__agent__instance__init(&c->instance);
	c->instance.id = (char *)instance->id;
	c->instance.driver = (char *)instance->driver;
	c->instance.running = instance->running;
	c->instance.generation = instance->generation;
	c->instance.name = (char *)instance->name;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE;
	c->object.instance = &c->instance;
}

static void fill_exit(Viaduct__Agent__Exit *message, const struct plan_exit *exit)
{
	viaduct__agent__exit__init(message);
	message->addr = message_bytes(&exit->addr);
	message->public_ = message_bytes(&exit->public);
	message->peer = exit->peer;
	message->handle = exit->handle;
}

static int set_exits(struct message *c, const struct plan_interface *interface)
{
	Viaduct__Agent__Exit **exits;

	if (!interface->n_exits)
		return 0;
	exits = (Viaduct__Agent__Exit **)alloc_messages(c, interface->n_exits,
							sizeof(Viaduct__Agent__Exit));
	if (!exits)
		return -ENOMEM;
	for (size_t i = 0; i < interface->n_exits; i++)
		fill_exit(exits[i], &interface->exits[i]);
	c->interface.n_exits = interface->n_exits;
	c->interface.exits = exits;
	return 0;
}

static void set_dhcp(struct message *c, const struct plan_interface *interface)
{
	for (size_t i = 0; i < interface->n_dns; i++)
		c->dns_servers[i] = message_bytes(&interface->dns_servers[i]);
	c->interface.n_dns_servers = interface->n_dns;
	c->interface.dns_servers = c->dns_servers;
	for (size_t i = 0; i < interface->n_ntp; i++)
		c->ntp_servers[i] = message_bytes(&interface->ntp_servers[i]);
	c->interface.n_ntp_servers = interface->n_ntp;
	c->interface.ntp_servers = c->ntp_servers;
	if (interface->domain_name)
		c->interface.domain_name = (char *)interface->domain_name;
}

static void set_node_routes(struct message *c, const struct plan_interface *interface)
{
	for (size_t i = 0; i < interface->n_routes; i++) {
		const struct interface_route *r = &interface->routes[i];

		viaduct__agent__node_route__init(&c->routes[i]);
		c->routes[i].prefix = message_bytes(&r->prefix.addr);
		c->routes[i].prefix_len = r->prefix.len;
		if (!ipaddr_is_zero(&r->via))
			c->routes[i].via = message_bytes(&r->via);
		c->route_pointers[i] = &c->routes[i];
	}
	c->interface.n_routes = interface->n_routes;
	c->interface.routes = c->route_pointers;
}

static int set_interface(struct message *c, const struct plan_interface *interface)
{
	int r;

	viaduct__agent__interface__init(&c->interface);
	c->interface.id = (char *)interface->id;
	c->interface.instance_id = (char *)interface->instance_id;
	c->interface.device_index = interface->device_index;
	c->interface.vni = interface->vni;
	c->interface.mac = bytes_of(interface->mac.b, sizeof(interface->mac.b));
	c->interface.mtu = interface->mtu;
	for (size_t i = 0; i < interface->n_addrs; i++)
		c->addrs[i] = message_bytes(&interface->addrs[i]);
	c->interface.n_addrs = interface->n_addrs;
	c->interface.addrs = c->addrs;
	c->interface.n_labels = interface->n_addrs;
	c->interface.labels = (uint32_t *)interface->labels;
	c->interface.subnet_prefix = message_bytes(&interface->subnet.addr);
	c->interface.subnet_prefix_len = interface->subnet.len;
	c->interface.host_name = (char *)interface->host_name;
	c->interface.dns = interface->dns;
	c->interface.forwards = interface->forwards;
	c->interface.handle = interface->handle;
	c->interface.n_groups = interface->n_groups;
	c->interface.groups = (uint32_t *)interface->groups;
	c->interface.disabled = interface->disabled;
	c->interface.shared = interface->shared;
	c->interface.vlan = interface->vlan;
	c->interface.gateway = interface->gateway;
	c->interface.logged = interface->logged;
	set_dhcp(c, interface);
	set_node_routes(c, interface);
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE;
	c->object.interface = &c->interface;
	r = message_set_mirrors(c, interface);
	return r ? r : set_exits(c, interface);
}

static void fill_rule(Viaduct__Agent__Rule *message, const struct plan_rule *rule)
{
	viaduct__agent__rule__init(message);
	message->egress = rule->egress;
	message->protocol = rule->traffic.protocol;
	message->from = rule->traffic.from;
	message->to = rule->traffic.to;
	message->group = rule->group;
	if (rule->group)
		return;
	message->prefix = message_bytes(&rule->prefix.addr);
	message->prefix_len = rule->prefix.len;
}

static int set_group(struct message *c, const struct plan_group *group)
{
	Viaduct__Agent__Rule **rules = (Viaduct__Agent__Rule **)alloc_messages(
		c, group->n_rules, sizeof(Viaduct__Agent__Rule));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_rules; i++)
		fill_rule(rules[i], &group->rules[i]);
	viaduct__agent__security_group__init(&c->group);
	c->group.number = group->number;
	c->group.id = (char *)group->id;
	c->group.n_rules = group->n_rules;
	c->group.rules = rules;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_GROUP;
	c->object.group = &c->group;
	return 0;
}

static void fill_entry(Viaduct__Agent__AclEntry *message, const struct plan_rule *entry)
{
	viaduct__agent__acl_entry__init(message);
	message->egress = entry->egress;
	message->allow = entry->allow;
	message->protocol = entry->traffic.protocol;
	message->from = entry->traffic.from;
	message->to = entry->traffic.to;
	message->prefix = message_bytes(&entry->prefix.addr);
	message->prefix_len = entry->prefix.len;
	message->rule_number = entry->number;
}

static int set_acl(struct message *c, const struct plan_acl *acl)
{
	Viaduct__Agent__AclEntry **entries = (Viaduct__Agent__AclEntry **)alloc_messages(
		c, acl->n_entries, sizeof(Viaduct__Agent__AclEntry));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < acl->n_entries; i++)
		fill_entry(entries[i], &acl->entries[i]);
	viaduct__agent__acl__init(&c->acl);
	c->acl.number = acl->number;
	c->acl.id = (char *)acl->id;
	c->acl.n_entries = acl->n_entries;
	c->acl.entries = entries;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_ACL;
	c->object.acl = &c->acl;
	return 0;
}

static Viaduct__Agent__Route__Target target_of(enum plan_target target)
{
	switch (target) {
	case PLAN_TARGET_INTERNET:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERNET;
	case PLAN_TARGET_GATEWAY:
		return VIADUCT__AGENT__ROUTE__TARGET__GATEWAY;
	case PLAN_TARGET_NETWORK:
		return VIADUCT__AGENT__ROUTE__TARGET__NETWORK;
	case PLAN_TARGET_INTERFACE:
		return VIADUCT__AGENT__ROUTE__TARGET__INTERFACE;
	default:
		return VIADUCT__AGENT__ROUTE__TARGET__BLACKHOLE;
	}
}

static void fill_route(Viaduct__Agent__Route *message, const struct plan_route *route)
{
	viaduct__agent__route__init(message);
	message->prefix = message_bytes(&route->prefix.addr);
	message->prefix_len = route->prefix.len;
	message->target = target_of(route->target);
	message->local = route->target == PLAN_TARGET_LOCAL;
	message->peer = route->peer;
	message->vni = route->vni;
}

static int set_table(struct message *c, const struct plan_table *table)
{
	Viaduct__Agent__Route **routes = (Viaduct__Agent__Route **)alloc_messages(
		c, table->n_routes, sizeof(Viaduct__Agent__Route));

	if (!routes)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_routes; i++)
		fill_route(routes[i], &table->routes[i]);
	viaduct__agent__route_table__init(&c->table);
	c->table.number = table->number;
	c->table.id = (char *)table->id;
	c->table.inside = table->inside;
	c->table.n_routes = table->n_routes;
	c->table.routes = routes;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_TABLE;
	c->object.table = &c->table;
	return 0;
}

static Viaduct__Agent__Gateway__Kind gateway_kind_of(enum plan_gateway_kind kind)
{
	switch (kind) {
	case PLAN_GATEWAY_INTERNET:
		return VIADUCT__AGENT__GATEWAY__KIND__INTERNET;
	case PLAN_GATEWAY_NAT:
		return VIADUCT__AGENT__GATEWAY__KIND__NAT;
	case PLAN_GATEWAY_EGRESS_ONLY:
		return VIADUCT__AGENT__GATEWAY__KIND__EGRESS_ONLY;
	case PLAN_GATEWAY_PRIVATE:
		return VIADUCT__AGENT__GATEWAY__KIND__PRIVATE;
	}
	return VIADUCT__AGENT__GATEWAY__KIND__UNSPECIFIED;
}

static int set_ports(struct message *c, const struct plan_gateway *gateway)
{
	Viaduct__Agent__StaticPort **ports;

	if (!gateway->n_ports)
		return 0;
	ports = (Viaduct__Agent__StaticPort **)alloc_messages(c, gateway->n_ports,
							      sizeof(Viaduct__Agent__StaticPort));
	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < gateway->n_ports; i++) {
		viaduct__agent__static_port__init(ports[i]);
		ports[i]->protocol = gateway->ports[i].protocol;
		ports[i]->public_port = gateway->ports[i].public_port;
		ports[i]->addr = message_bytes(&gateway->ports[i].addr);
		ports[i]->port = gateway->ports[i].port;
	}
	c->gateway.n_statics = gateway->n_ports;
	c->gateway.statics = ports;
	return 0;
}

static int set_gateway(struct message *c, const struct plan_gateway *gateway)
{
	viaduct__agent__gateway__init(&c->gateway);
	c->gateway.handle = gateway->handle;
	c->gateway.kind = gateway_kind_of(gateway->kind);
	c->gateway.id = (char *)gateway->id;
	c->gateway.vni = gateway->vni;
	c->gateway.public_ = addr_or_empty(&gateway->public);
	c->gateway.table = gateway->table;
	c->gateway.port_first = gateway->port_first;
	c->gateway.port_last = gateway->port_last;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY;
	c->object.gateway = &c->gateway;
	return set_ports(c, gateway);
}

static void set_public(struct message *c, const struct plan_public *public)
{
	viaduct__agent__public_address__init(&c->public);
	c->public.public_ = message_bytes(&public->public);
	c->public.vni = public->vni;
	c->public.addr = message_bytes(&public->addr);
	c->public.handle = public->handle;
	c->public.id = (char *)public->id;
	c->public.n_formers = public->n_formers;
	c->public.formers = c->formers;
	for (size_t i = 0; i < public->n_formers; i++)
		c->formers[i] = message_bytes(&public->formers[i]);
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC;
	c->object.public_ = &c->public;
}

int message_object(struct message *c, const struct plan_item *item,
		   const Viaduct__Agent__Object **ret)
{
	int r = 0;

	viaduct__agent__object__init(&c->object);
	switch (item->kind) {
	case PLAN_HOST:
		set_host(c, &item->host);
		break;
	case PLAN_PEER:
		r = set_peer(c, &item->peer);
		break;
	case PLAN_SUBNET:
		set_subnet(c, &item->subnet);
		break;
	case PLAN_INSTANCE:
		set_instance(c, &item->instance);
		break;
	case PLAN_INTERFACE:
		r = set_interface(c, &item->interface);
		break;
	case PLAN_GROUP:
		r = set_group(c, &item->group);
		break;
	case PLAN_ACL:
		r = set_acl(c, &item->acl);
		break;
	case PLAN_TABLE:
		r = set_table(c, &item->table);
		break;
	case PLAN_GATEWAY:
		r = set_gateway(c, &item->gateway);
		break;
	case PLAN_PUBLIC:
		set_public(c, &item->public);
		break;
	case PLAN_PEERING:
		set_peering(c, &item->peering);
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
