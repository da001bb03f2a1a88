/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours: set, resolved by the kernel, probed again, deleted; and the monitor, which sees it
 * all. */
#include "net/rtnl.h"

#include <linux/neighbour.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "net/sysctl.h"
#include "tests/unit/net/world.h"
#include "tests/unit/addr.h"

static struct rtnl_link link_of(struct rtnl *r, const char *name)
{
	struct rtnl_link l;

	assert_ok(rtnl_link_find(r, name, &l));
	return l;
}

/* What a monitor has seen of one kind. */
struct seen {
	enum rtnl_event_kind kind;
	bool (*matches)(const struct rtnl_event *e, const void *what);
	const void *what;
	int n;
};

static void look(const struct rtnl_event *e, void *data)
{
	struct seen *s = data;

	if (e->kind == s->kind && s->matches(e, s->what))
		s->n++;
}

/* Reads events until one matches; false after ten seconds. */
static bool wait_for(struct rtnl_monitor *m, struct seen *s)
{
	time_t end = time(NULL) + 10;

	while (time(NULL) < end) {
		struct pollfd pfd = {.fd = rtnl_monitor_fd(m), .events = POLLIN};

		assert_ok(rtnl_monitor_read(m));
		if (s->n)
			return true;
		assert_true(poll(&pfd, 1, 1000) >= 0);
	}
	return false;
}

static bool neigh_is_resolved(const struct rtnl_event *e, const void *what)
{
	return !e->deleted && ipaddr_equal(&e->neigh.addr, what) && e->neigh.resolved;
}

static bool neigh_is_reachable(const struct rtnl_event *e, const void *what)
{
	return neigh_is_resolved(e, what) && e->neigh.state & NUD_REACHABLE;
}

static bool neigh_has_failed(const struct rtnl_event *e, const void *what)
{
	return ipaddr_equal(&e->neigh.addr, what) && e->neigh.state & NUD_FAILED;
}

static void check_set(struct world *w, const char *text)
{
	struct mac mac = {{2, 0, 0, 0, 0, 9}};
	struct ipaddr a = addr_of(text);
	int ifindex = link_of(w->near, "near0").ifindex;
	struct rtnl_neigh n;

	assert_error(rtnl_neigh_get(w->near, ifindex, &a, &n), ENOENT);
	assert_ok(rtnl_neigh_set(w->near, ifindex, &a, &mac));
	assert_ok(rtnl_neigh_get(w->near, ifindex, &a, &n));
	assert_true(n.resolved);
	assert_int_equal(n.state, NUD_PERMANENT);
	assert_int_equal(n.ifindex, ifindex);
	assert_true(mac_equal(&n.mac, &mac));
	assert_true(ipaddr_equal(&n.addr, &a));
	mac.b[5] = 10;
	assert_ok(rtnl_neigh_set(w->near, ifindex, &a, &mac));
	assert_ok(rtnl_neigh_probe(w->near, ifindex, &a)); /* nothing to ask: stays as it is */
	assert_ok(rtnl_neigh_get(w->near, ifindex, &a, &n));
	assert_int_equal(n.state, NUD_PERMANENT);
	assert_true(mac_equal(&n.mac, &mac));
}

static void test_permanent_entries(void **state)
{
	struct world *w = *state;

	assert_ok(world_join(w, "10.9.0.1", "10.9.0.2"));
	check_set(w, "10.9.0.77");
	check_set(w, "2001:db8:9::77");
}

static void check_resolving(struct world *w, const char *far)
{
	struct rtnl_link near = link_of(w->near, "near0"), other = link_of(w->far, "far0");
	struct ipaddr a = addr_of(far);
	struct seen resolved = {RTNL_EVENT_NEIGH, neigh_is_resolved, &a, 0};
	struct seen reachable = {RTNL_EVENT_NEIGH, neigh_is_reachable, &a, 0};
	struct rtnl_monitor *m;
	struct rtnl_neigh n;

	assert_ok(rtnl_monitor_open(look, &resolved, &m));
	assert_ok(rtnl_neigh_probe(w->near, near.ifindex, &a));
	assert_true(wait_for(m, &resolved));
	assert_ok(rtnl_neigh_get(w->near, near.ifindex, &a, &n));
	assert_true(n.resolved);
	assert_true(mac_equal(&n.mac, &other.mac));
	rtnl_monitor_close(m);

	/* Known already: asked again at once, without a packet to send. */
	assert_ok(rtnl_monitor_open(look, &reachable, &m));
	assert_ok(rtnl_neigh_probe(w->near, near.ifindex, &a));
	assert_true(wait_for(m, &reachable));
	rtnl_monitor_close(m);
}

static void test_kernel_resolves_ipv4(void **state)
{
	assert_ok(world_join(*state, "10.9.0.1", "10.9.0.2"));
	check_resolving(*state, "10.9.0.2");
}

static void test_kernel_resolves_ipv6(void **state)
{
	assert_ok(world_join(*state, "2001:db8:9::1", "2001:db8:9::2"));
	check_resolving(*state, "2001:db8:9::2");
}

static void test_nobody_answers(void **state)
{
	struct world *w = *state;
	struct ipaddr a = addr_of("10.9.0.99");
	struct seen failed = {RTNL_EVENT_NEIGH, neigh_has_failed, &a, 0};
	struct rtnl_monitor *m;
	struct rtnl_neigh n;
	int ifindex;

	assert_ok(world_join(w, "10.9.0.1", "10.9.0.2"));
	ifindex = link_of(w->near, "near0").ifindex;
	assert_ok(sysctl_set(-1, "ipv4/neigh/near0/retrans_time_ms", "50")); /* gives up sooner */
	assert_ok(rtnl_monitor_open(look, &failed, &m));
	assert_ok(rtnl_neigh_probe(w->near, ifindex, &a));
	assert_ok(rtnl_neigh_get(w->near, ifindex, &a, &n));
	assert_false(n.resolved);
	assert_true(wait_for(m, &failed));
	rtnl_monitor_close(m);
}

/* The monitor on links, addresses and routes. */

static bool link_is(const struct rtnl_event *e, const void *name)
{
	return !e->deleted && strcmp(e->link.name, name) == 0 && e->link.carrier;
}

static bool link_is_gone(const struct rtnl_event *e, const void *name)
{
	return e->deleted && strcmp(e->link.name, name) == 0;
}

static bool addr_is(const struct rtnl_event *e, const void *what)
{
	return !e->deleted && ipaddr_equal(&e->addr.addr, what);
}

static bool route_is(const struct rtnl_event *e, const void *what)
{
	return !e->deleted && prefix_equal(&e->route.dst, what);
}

static bool route_is_gone(const struct rtnl_event *e, const void *what)
{
	return e->deleted && prefix_equal(&e->route.dst, what);
}

static void test_monitor_sees_links_addresses_and_routes(void **state)
{
	struct world *w = *state;
	struct ipaddr a = addr_of("10.9.0.1");
	struct rtnl_route r = {.gateway = addr_of("10.9.0.2")};
	struct seen seen[] = {
		{RTNL_EVENT_LINK, link_is, "near0", 0},
		{RTNL_EVENT_ADDR, addr_is, &a, 0},
		{RTNL_EVENT_ROUTE, route_is, &r.dst, 0},
		{RTNL_EVENT_ROUTE, route_is_gone, &r.dst, 0},
		{RTNL_EVENT_LINK, link_is_gone, "near0", 0},
	};
	struct rtnl_monitor *m[ARRAY_SIZE(seen)];

	assert_ok(prefix_parse("10.20.0.0/16", &r.dst));
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_ok(rtnl_monitor_open(look, &seen[i], &m[i]));
	assert_ok(rtnl_monitor_read(m[0])); /* nothing there: does not wait */
	assert_ok(world_join(w, "10.9.0.1", "10.9.0.2"));
	assert_ok(rtnl_route_add(w->near, &r));
	assert_ok(rtnl_route_delete(w->near, &r));
	assert_ok(rtnl_link_delete(w->near, link_of(w->near, "near0").ifindex));
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		assert_true(wait_for(m[i], &seen[i]));
		rtnl_monitor_close(m[i]);
	}
}

static bool always(const struct rtnl_event *e, const void *what)
{
	return true;
}

static void test_monitor_tells_of_lost_events(void **state)
{
	struct world *w = *state;
	struct mac mac = {{2, 0, 0, 0, 0, 9}};
	struct seen lost = {RTNL_EVENT_LOST, always, NULL, 0};
	struct rtnl_monitor *m;
	int ifindex, tiny = 1;

	assert_ok(world_join(w, "10.9.0.1", "10.9.0.2"));
	ifindex = link_of(w->near, "near0").ifindex;
	assert_ok(rtnl_monitor_open(look, &lost, &m));
	assert_int_equal(
		setsockopt(rtnl_monitor_fd(m), SOL_SOCKET, SO_RCVBUFFORCE, &tiny, sizeof(tiny)), 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct ipaddr a = ipaddr_from_v4(0x0a090010 + i);

		assert_ok(rtnl_neigh_set(w->near, ifindex, &a, &mac));
	}
	assert_true(wait_for(m, &lost));
	rtnl_monitor_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_permanent_entries),
		IN_WORLD(test_kernel_resolves_ipv4),
		IN_WORLD(test_kernel_resolves_ipv6),
		IN_WORLD(test_nobody_answers),
		IN_WORLD(test_monitor_sees_links_addresses_and_routes),
		IN_WORLD(test_monitor_tells_of_lost_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
