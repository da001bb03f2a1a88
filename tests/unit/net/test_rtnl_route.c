/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and routes, both families. */
#include "net/rtnl.h"

#include <string.h>

#include "tests/unit/net/world.h"
#include "tests/unit/addr.h"

static struct rtnl_route route(const char *dst, const char *gateway)
{
	struct rtnl_route r = {0};

	assert_ok(prefix_parse(dst, &r.dst));
	if (gateway)
		r.gateway = addr_of(gateway);
	return r;
}

static int near_ifindex(const struct world *w)
{
	struct rtnl_link l;

	assert_ok(rtnl_link_find(w->near, "near0", &l));
	return l.ifindex;
}

struct wanted {
	struct rtnl_addr addr;
	int n;
};

static int count_addr(const struct rtnl_addr *a, void *data)
{
	struct wanted *w = data;

	w->n += a->ifindex == w->addr.ifindex && a->len == w->addr.len &&
		ipaddr_equal(&a->addr, &w->addr.addr);
	return 0;
}

static int n_addrs(struct rtnl *r, const struct rtnl_addr *a)
{
	struct wanted w = {.addr = *a};

	assert_ok(rtnl_addr_dump(r, count_addr, &w));
	return w.n;
}

static void test_addresses_come_and_go(void **state)
{
	struct world *w = *state;
	struct rtnl_addr a[] = {{.addr = addr_of("10.1.2.3"), .len = 96 + 20},
				{.addr = addr_of("2001:db8::3"), .len = 64}};

	assert_ok(world_join(w, NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		int r;

		a[i].ifindex = near_ifindex(w);
		assert_int_equal(n_addrs(w->near, &a[i]), 0);
		assert_ok(rtnl_addr_add(w->near, &a[i]));
		assert_int_equal(n_addrs(w->near, &a[i]), 1);
		assert_error(rtnl_addr_add(w->near, &a[i]), EEXIST);
		assert_ok(rtnl_addr_delete(w->near, &a[i]));
		assert_int_equal(n_addrs(w->near, &a[i]), 0);
		r = rtnl_addr_delete(w->near, &a[i]);
		assert_true(rtnl_is_gone(r));
	}
	a[0].len = 8; /* of IPv6: no length for an IPv4 address */
	assert_error(rtnl_addr_add(w->near, &a[0]), EINVAL);
	a[0].len = 128;
	a[0].ifindex = 9999;
	assert_error(rtnl_addr_add(w->near, &a[0]), ENODEV);
}

struct search {
	struct prefix dst;
	uint32_t metric;
	struct rtnl_route found;
	int n;
};

static int collect_route(const struct rtnl_route *r, void *data)
{
	struct search *s = data;

	if (!prefix_equal(&r->dst, &s->dst) || (s->metric && r->metric != s->metric))
		return 0;
	s->found = *r;
	s->n++;
	return 0;
}

static int find_route(struct rtnl *r, const struct rtnl_route *like, struct rtnl_route *ret)
{
	struct search s = {.dst = like->dst, .metric = like->metric};

	assert_ok(rtnl_route_dump(r, collect_route, &s));
	*ret = s.found;
	return s.n;
}

struct family {
	const char *near, *far, *dst, *inside, *fallback, *outside;
};

static const struct family families[] = {
	{"10.9.0.1", "10.9.0.2", "10.20.0.0/16", "10.20.3.4", "0.0.0.0/0", "192.0.2.1"},
	{"2001:db8:9::1", "2001:db8:9::2", "2001:db8:20::/48", "2001:db8:20::4", "::/0",
	 "2001:db8:ffff::1"},
};

static void check_family(struct world *w, const struct family *f)
{
	struct rtnl_route way = route(f->dst, f->far), got, expected_dst;
	struct ipaddr inside = addr_of(f->inside), outside = addr_of(f->outside),
		      near = addr_of(f->near);
	struct ipaddr far = addr_of(f->far);
	int ifindex;

	assert_ok(world_join(w, f->near, f->far));
	ifindex = near_ifindex(w);
	assert_error(rtnl_route_get(w->near, &inside, &got), ENETUNREACH);

	way.mtu = 1400;
	way.prefsrc = near;
	assert_ok(rtnl_route_add(w->near, &way));
	assert_error(rtnl_route_add(w->near, &way), EEXIST);
	assert_int_equal(find_route(w->near, &way, &got), 1);
	assert_true(ipaddr_equal(&got.gateway, &far));
	assert_true(ipaddr_equal(&got.prefsrc, &near));
	assert_int_equal(got.oif, ifindex);
	assert_int_equal(got.mtu, 1400);
	assert_false(got.blackhole);

	/* The way to an address: behind the gateway, on the link, nowhere. */
	assert_ok(rtnl_route_get(w->near, &inside, &got));
	expected_dst.dst = prefix_make(&inside, 128);
	assert_true(prefix_equal(&got.dst, &expected_dst.dst));
	assert_true(ipaddr_equal(&got.gateway, &far));
	assert_int_equal(got.oif, ifindex);
	assert_int_equal(got.mtu, 1400);
	assert_ok(rtnl_route_get(w->near, &far, &got));
	assert_true(ipaddr_is_zero(&got.gateway));
	assert_int_equal(got.oif, ifindex);
	assert_true(ipaddr_equal(&got.prefsrc, &near));
	assert_error(rtnl_route_get(w->near, &outside, &got), ENETUNREACH);

	/* Replacing changes it, and keeps it one. */
	way.mtu = 1300;
	assert_ok(rtnl_route_replace(w->near, &way));
	assert_int_equal(find_route(w->near, &way, &got), 1);
	assert_int_equal(got.mtu, 1300);

	assert_ok(rtnl_route_delete(w->near, &way));
	assert_int_equal(find_route(w->near, &way, &got), 0);
	assert_true(rtnl_is_gone(rtnl_route_delete(w->near, &way)));
	assert_error(rtnl_route_get(w->near, &inside, &got), ENETUNREACH);

	way = route(f->fallback, f->far);
	assert_ok(rtnl_route_add(w->near, &way));
	assert_int_equal(find_route(w->near, &way, &got), 1);
	assert_ok(rtnl_route_get(w->near, &outside, &got));
	assert_true(ipaddr_equal(&got.gateway, &far));
	assert_ok(rtnl_route_delete(w->near, &way));
}

static void test_routes_of_ipv4(void **state)
{
	check_family(*state, &families[0]);
}

static void test_routes_of_ipv6(void **state)
{
	check_family(*state, &families[1]);
}

static void test_blackholes_and_metrics(void **state)
{
	struct world *w = *state;

	assert_ok(world_join(w, families[0].near, families[0].far));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct rtnl_route hole = route(families[i].dst, NULL), got;
		struct ipaddr inside = addr_of(families[i].inside);

		hole.blackhole = true;
		hole.metric = 70;
		assert_ok(rtnl_route_add(w->near, &hole));
		assert_int_equal(find_route(w->near, &hole, &got), 1);
		assert_true(got.blackhole);
		assert_int_equal(got.metric, 70);
		assert_int_equal(got.oif, 0);
		assert_error(rtnl_route_get(w->near, &inside, &got), EINVAL);
		assert_ok(rtnl_route_delete(w->near, &hole));
		assert_int_equal(find_route(w->near, &hole, &got), 0);
	}
}

static void test_impossible_routes_are_refused(void **state)
{
	struct world *w = *state;
	struct rtnl_route r = route("10.0.0.0/8", "2001:db8::1");

	assert_error(rtnl_route_add(w->near, &r), EINVAL);
	r = route("10.0.0.0/8", "10.9.0.2");
	r.prefsrc = addr_of("2001:db8::1");
	assert_error(rtnl_route_add(w->near, &r), EINVAL);
	r = route("10.0.0.0/8", "10.9.0.2");
	r.blackhole = true;
	assert_error(rtnl_route_add(w->near, &r), EINVAL);
	r.blackhole = false; /* a gateway that nothing leads to */
	assert_error(rtnl_route_add(w->near, &r), ENETUNREACH);
}

/* Of several ways the first is shown. */
static void test_multipath(void **state)
{
	struct world *w = *state;
	struct rtnl_route like = route("10.77.0.0/16", NULL), got;
	struct ipaddr first = addr_of("10.9.0.2");

	assert_ok(world_join(w, "10.9.0.1", NULL));
	assert_int_equal(system("ip route add 10.77.0.0/16 nexthop via 10.9.0.2 dev near0 "
				"nexthop via 10.9.0.3 dev near0"),
			 0);
	assert_int_equal(find_route(w->near, &like, &got), 1);
	assert_true(ipaddr_equal(&got.gateway, &first));
	assert_int_equal(got.oif, near_ifindex(w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_addresses_come_and_go),
		IN_WORLD(test_routes_of_ipv4),
		IN_WORLD(test_routes_of_ipv6),
		IN_WORLD(test_blackholes_and_metrics),
		IN_WORLD(test_impossible_routes_are_refused),
		IN_WORLD(test_multipath),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
