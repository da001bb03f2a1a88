/* SPDX-License-Identifier: Apache-2.0 */
/* Plan items as messages: every field arrives, absent ones are empty, keys match their objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manager/message.h"
#include "tests/unit/addr.h"

static void an_interface_arrives_whole(void **state)
{
	struct plan_item item = {
		.kind = PLAN_INTERFACE,
		.interface = {.id = "eni-00000000000000001",
			      .instance_id = "i-00000000000000002",
			      .device_index = 1,
			      .vni = 7,
			      .mac = {{2, 0, 0, 0, 0, 9}},
			      .mtu = 1460,
			      .n_addrs = 2,
			      .host_name = "ip-10-0-0-4",
			      .dns = true},
	};
	const Viaduct__Agent__Object *object;
	struct ipaddr addr;
	struct message c = {};

	item.interface.addrs[0] = addr_of("10.0.0.4");
	item.interface.addrs[1] = addr_of("fe80::ff:fe00:9");
	item.interface.subnet = prefix_v4(0x0a000000, 24);
	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(object->object_case, VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE);
	assert_string_equal(object->interface->id, "eni-00000000000000001");
	assert_string_equal(object->interface->instance_id, "i-00000000000000002");
	assert_int_equal(object->interface->device_index, 1);
	assert_int_equal(object->interface->vni, 7);
	assert_int_equal(object->interface->mtu, 1460);
	assert_int_equal(object->interface->n_addrs, 2);
	assert_int_equal(message_addr(&object->interface->addrs[1], &addr), 0);
	assert_true(ipaddr_equal(&addr, &item.interface.addrs[1]));
	assert_int_equal(object->interface->mac.len, 6);
	assert_memory_equal(object->interface->mac.data, item.interface.mac.b, 6);
	assert_int_equal(object->interface->subnet_prefix_len, 120);
	assert_true(object->interface->dns);
	assert_string_equal(message_key(&c, &item)->interface_id, "eni-00000000000000001");
}

static void absent_addresses_are_empty_fields(void **state)
{
	struct plan_item item = {.kind = PLAN_PEER, .peer = {.number = 3, .name = "h3"}};
	const Viaduct__Agent__Object *object;
	struct message c = {};

	item.peer.locators.v4 = addr_of("192.0.2.3");
	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(object->peer->siit1.len, 0);
	assert_int_equal(object->peer->siit2.len, 0);
	assert_int_equal(object->peer->v6.len, 0);
	assert_int_equal(object->peer->v4.len, 16);
	assert_int_equal(message_key(&c, &item)->peer_number, 3);

	/* a prefix that is no part of the network's blocks, as the link-local one */
	item = (struct plan_item){.kind = PLAN_SUBNET,
				  .subnet = {.vni = 7, .prefix = {{{0xfe, 0x80}}, 64}}};
	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(object->subnet->prefix_len, 64);
	assert_int_equal(object->subnet->network.len, 0);
}

/* requirement: PKT-16 */
static void reip4_says_whether_it_goes_alone(void **state)
{
	const uint32_t reip4 = FORMAT_BIT(FORMAT_REIP4_1), vxlan = FORMAT_BIT(FORMAT_VXLAN_1);
	struct plan_item item = {.kind = PLAN_PEER, .peer = {.number = 3, .name = "h3"}};
	struct choice *c = &item.peer.choice;
	const Viaduct__Agent__Object *object;
	struct message m = {};

	/* what the other end may send says nothing about it */
	*c = (struct choice){.send = FORMAT_REIP4_1, .send_formats = reip4, .n_accepts = 1};
	c->accepts[0].formats = reip4 | vxlan;
	assert_int_equal(message_object(&m, &item, &object), 0);
	assert_true(object->peer->choice->alone);
	c->send_formats = reip4 | vxlan;
	c->accepts[0].formats = reip4;
	assert_int_equal(message_object(&m, &item, &object), 0);
	assert_false(object->peer->choice->alone);
}

/* requirement: NIC-6 */
static void rules_arrive_whole(void **state)
{
	const struct plan_rule rules[] = {
		{.egress = true,
		 .traffic = {TRAFFIC_TCP, 22, 80},
		 .prefix = prefix_v4(0x0a000000, 8)},
		{.traffic = {TRAFFIC_ANY, 0, TRAFFIC_MAX}, .group = 9},
	};
	struct plan_item item = {.kind = PLAN_GROUP,
				 .group = {7, "sg-00000000000000007", 2, rules}};
	_cleanup_(message_deinit) struct message c = {};
	const Viaduct__Agent__Object *object;

	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(object->group->number, 7);
	assert_string_equal(object->group->id, "sg-00000000000000007");
	assert_int_equal(object->group->n_rules, 2);
	assert_true(object->group->rules[0]->egress);
	assert_int_equal(object->group->rules[0]->protocol, 6);
	assert_int_equal(object->group->rules[0]->from, 22);
	assert_int_equal(object->group->rules[0]->to, 80);
	assert_int_equal(object->group->rules[0]->prefix_len, 104);
	assert_int_equal(object->group->rules[0]->group, 0);
	assert_int_equal(object->group->rules[1]->protocol, 256);
	assert_int_equal(object->group->rules[1]->group, 9);
	assert_int_equal(object->group->rules[1]->prefix.len, 0);
	assert_int_equal(message_key(&c, &item)->group_number, 7);
}

/* requirement: NIC-6 */
static void entries_arrive_in_order(void **state)
{
	const struct plan_rule entries[] = {
		{.allow = true, .traffic = {TRAFFIC_UDP, 53, 53}, .number = 90},
		{.egress = true, .traffic = {TRAFFIC_ANY, 0, TRAFFIC_MAX}, .number = 100},
	};
	struct plan_item item = {.kind = PLAN_ACL, .acl = {3, "acl-00000000000000003", 2, entries}};
	_cleanup_(message_deinit) struct message c = {};
	const Viaduct__Agent__Object *object;

	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(object->acl->n_entries, 2);
	assert_true(object->acl->entries[0]->allow);
	assert_int_equal(object->acl->entries[0]->rule_number, 90);
	assert_int_equal(object->acl->entries[0]->from, 53);
	assert_false(object->acl->entries[1]->allow);
	assert_true(object->acl->entries[1]->egress);
	assert_int_equal(message_key(&c, &item)->acl_number, 3);
}

static void a_copy_outlives_its_source(void **state)
{
	struct plan_item item = {.kind = PLAN_INSTANCE,
				 .instance = {.id = "i-00000000000000002",
					      .driver = "netns",
					      .running = true,
					      .generation = 5}};
	const Viaduct__Agent__Object *object;
	ProtobufCMessage *copy;
	struct message c = {};

	assert_int_equal(message_object(&c, &item, &object), 0);
	assert_int_equal(message_copy(&object->base, &copy), 0);
	memset(&c, 0xff, sizeof(c));
	memset(&item, 0xff, sizeof(item));
	assert_string_equal(((Viaduct__Agent__Object *)copy)->instance->id, "i-00000000000000002");
	assert_int_equal(((Viaduct__Agent__Object *)copy)->instance->generation, 5);
	protobuf_c_message_free_unpacked(copy, NULL);
}

static void addresses_of_another_size_are_refused(void **state)
{
	uint8_t bytes[17] = {0};
	struct ipaddr addr = addr_of("10.0.0.4"), before = addr;

	assert_int_equal(message_addr(&(ProtobufCBinaryData){.len = 4, .data = bytes}, &addr),
			 -EINVAL);
	assert_int_equal(message_addr(&(ProtobufCBinaryData){.len = 17, .data = bytes}, &addr),
			 -EINVAL);
	assert_int_equal(message_addr(&(ProtobufCBinaryData){0}, &addr), -EINVAL);
	assert_true(ipaddr_equal(&addr, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_arrives_whole),
		cmocka_unit_test(absent_addresses_are_empty_fields),
		cmocka_unit_test(reip4_says_whether_it_goes_alone),
		cmocka_unit_test(rules_arrive_whole),
		cmocka_unit_test(entries_arrive_in_order),
		cmocka_unit_test(a_copy_outlives_its_source),
		cmocka_unit_test(addresses_of_another_size_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
