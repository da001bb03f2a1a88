/* SPDX-License-Identifier: Apache-2.0 */
/* Links: made, found, changed, moved and deleted in namespaces of the test's own. */
#include "net/rtnl.h"

#include <linux/if.h>
#include <string.h>

#include "tests/unit/net/world.h"
#include "tests/unit/test.h"

static struct mac mac(const char *text)
{
	struct mac m;

	assert_ok(mac_parse(text, &m));
	return m;
}

static void test_veth_across_namespaces(void **state)
{
	struct world *w = *state;
	struct mac near_mac = mac("02:00:00:00:00:01"), far_mac = mac("02:00:00:00:00:02");
	struct rtnl_veth_end a = {.name = "near0", .netns_fd = -1, .mac = &near_mac, .mtu = 1460};
	struct rtnl_veth_end b = {
		.name = "far0", .netns_fd = w->far_fd, .mac = &far_mac, .mtu = 9000};
	struct rtnl_link near, far;

	assert_ok(rtnl_veth_create(w->near, &a, &b));
	assert_ok(rtnl_link_find(w->near, "near0", &near));
	assert_ok(rtnl_link_find(w->far, "far0", &far));
	assert_error(rtnl_link_find(w->near, "far0", &far), ENODEV);
	assert_string_equal(near.name, "near0");
	assert_string_equal(near.kind, "veth");
	assert_int_equal(near.mtu, 1460);
	assert_true(mac_equal(&near.mac, &near_mac));
	assert_false(near.up);
	assert_false(near.carrier);
	assert_int_equal(near.peer_ifindex, far.ifindex);
	assert_true(near.peer_netns_id >= 0);
	assert_int_equal(near.master_ifindex, 0);
	assert_int_equal(far.mtu, 9000);
	assert_true(mac_equal(&far.mac, &far_mac));

	assert_ok(rtnl_link_set_up(w->near, near.ifindex, true));
	assert_ok(rtnl_link_get(w->near, near.ifindex, &near));
	assert_true(near.up);
	assert_false(near.carrier); /* the other end is down */
	assert_ok(rtnl_link_set_up(w->far, far.ifindex, true));
	assert_ok(rtnl_link_get(w->near, near.ifindex, &near));
	assert_true(near.carrier);
	assert_int_equal(near.operstate, IF_OPER_UP);
}

/* Both ends elsewhere: neither appears where the request was made. */
static void test_veth_with_both_ends_elsewhere(void **state)
{
	struct world *w = *state;
	struct rtnl_veth_end a = {.name = "a0", .netns_fd = w->far_fd};
	struct rtnl_veth_end b = {.name = "b0", .netns_fd = w->far_fd};
	struct rtnl_veth_end c = {.name = "c0", .netns_fd = w->far_fd};
	struct rtnl_veth_end d = {.name = "d0", .netns_fd = -1};
	struct rtnl_link l;

	assert_ok(rtnl_veth_create(w->near, &a, &b));
	assert_ok(rtnl_link_find(w->far, "a0", &l));
	assert_int_equal(l.mtu, 1500);
	assert_ok(rtnl_link_find(w->far, "b0", &l));
	assert_error(rtnl_link_find(w->near, "a0", &l), ENODEV);
	assert_ok(rtnl_veth_create(w->near, &c, &d));
	assert_ok(rtnl_link_find(w->far, "c0", &l));
	assert_ok(rtnl_link_find(w->near, "d0", &l));
}

static void test_failed_veth_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct rtnl_veth_end a = {.name = "near1", .netns_fd = -1};
	struct rtnl_veth_end taken = {.name = "far0", .netns_fd = w->far_fd};
	struct rtnl_veth_end bad = {.name = "a-name-that-is-too-long", .netns_fd = -1};
	struct rtnl_link l;

	assert_ok(world_join(w, NULL, NULL));
	assert_error(rtnl_veth_create(w->near, &a, &taken), EEXIST);
	assert_error(rtnl_link_find(w->near, "near1", &l), ENODEV);
	assert_error(rtnl_veth_create(w->near, &a, &bad), EINVAL);
	bad.name = "";
	assert_error(rtnl_veth_create(w->near, &bad, &a), EINVAL);
}

static void test_changes(void **state)
{
	struct world *w = *state;
	struct rtnl_link l;
	int ifindex;

	assert_ok(world_join(w, NULL, NULL));
	assert_ok(rtnl_link_find(w->near, "near0", &l));
	ifindex = l.ifindex;
	assert_ok(rtnl_link_set_mtu(w->near, ifindex, 1400));
	assert_ok(rtnl_link_set_up(w->near, ifindex, false));
	assert_ok(rtnl_link_get(w->near, ifindex, &l));
	assert_int_equal(l.mtu, 1400);
	assert_false(l.up);
	assert_error(rtnl_link_set_mtu(w->near, ifindex, 10), EINVAL);
	assert_int_equal(rtnl_link_set_mtu(w->near, 9999, 1400), -ENODEV);
	assert_error(rtnl_link_get(w->near, 0, &l), ENODEV);
}

static void test_deleting_one_end_deletes_both(void **state)
{
	struct world *w = *state;
	struct rtnl_link l;
	int r;

	assert_ok(world_join(w, NULL, NULL));
	assert_ok(rtnl_link_find(w->near, "near0", &l));
	assert_ok(rtnl_link_delete(w->near, l.ifindex));
	r = rtnl_link_get(w->near, l.ifindex, &l);
	assert_error(r, ENODEV);
	assert_true(rtnl_is_gone(r));
	assert_false(rtnl_is_gone(-EEXIST));
	assert_false(rtnl_is_gone(0));
	assert_error(rtnl_link_find(w->far, "far0", &l), ENODEV);
	assert_error(rtnl_link_delete(w->near, 9999), ENODEV);
}

static void test_bridge_and_its_ports(void **state)
{
	struct world *w = *state;
	struct rtnl_link bridge, port;

	assert_ok(world_join(w, NULL, NULL));
	assert_ok(rtnl_bridge_create(w->near, "br0"));
	assert_error(rtnl_bridge_create(w->near, "br0"), EEXIST);
	assert_ok(rtnl_link_find(w->near, "br0", &bridge));
	assert_string_equal(bridge.kind, "bridge");
	assert_ok(rtnl_link_find(w->near, "near0", &port));
	assert_ok(rtnl_link_set_master(w->near, port.ifindex, bridge.ifindex));
	assert_ok(rtnl_link_get(w->near, port.ifindex, &port));
	assert_int_equal(port.master_ifindex, bridge.ifindex);
	assert_ok(rtnl_link_set_master(w->near, port.ifindex, 0));
	assert_ok(rtnl_link_get(w->near, port.ifindex, &port));
	assert_int_equal(port.master_ifindex, 0);
}

/* requirement: PKT-3 */
static void test_vxlan_with_metadata(void **state)
{
	struct world *w = *state;
	struct mac m = mac("02:00:00:00:00:05");
	struct rtnl_link l;

	assert_ok(rtnl_vxlan_create(w->near, "vx0", 4789, &m));
	assert_ok(rtnl_link_find(w->near, "vx0", &l));
	assert_string_equal(l.kind, "vxlan");
	assert_true(mac_equal(&l.mac, &m));
	/* Of two devices in metadata mode on one port the kernel brings up only the first. */
	assert_ok(rtnl_link_set_up(w->near, l.ifindex, true));
	assert_ok(rtnl_vxlan_create(w->far, "vx0", 4789, NULL));
	assert_error(rtnl_vxlan_create(w->near, "vx1", 4789, NULL), EEXIST);
}

static void test_handle_keeps_to_its_namespace(void **state)
{
	struct world *w = *state;
	struct rtnl_link l;

	assert_ok(world_join(w, NULL, NULL));
	assert_int_equal(setns(w->far_fd, CLONE_NEWNET), 0);
	assert_ok(rtnl_link_find(w->near, "near0", &l));
	assert_int_equal(setns(w->near_fd, CLONE_NEWNET), 0);
	assert_ok(rtnl_link_find(w->far, "far0", &l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_veth_across_namespaces),
		IN_WORLD(test_veth_with_both_ends_elsewhere),
		IN_WORLD(test_failed_veth_leaves_nothing),
		IN_WORLD(test_changes),
		IN_WORLD(test_deleting_one_end_deletes_both),
		IN_WORLD(test_bridge_and_its_ports),
		IN_WORLD(test_vxlan_with_metadata),
		IN_WORLD(test_handle_keeps_to_its_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
