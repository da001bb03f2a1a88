/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "net/csum.h"

struct policy_lab policy_lab;

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t router_mac_2[6] = {0x02, 0xff, 0, 0, 0, 2};

static struct lab_node *node(int host, const char *addr, const char *addr6, const char *router)
{
	struct lab_node *n = lab_node(&policy_lab.lab, host, LAB_VNI, addr, router);

	n->port.addrs[n->port.n_addrs++] = lab_addr(addr6);
	lab_set_port(&policy_lab.lab, host, &n->port);
	lab_map(&policy_lab.lab, LAB_VNI, addr, host, DP_MAPPING_LIVE);
	lab_map(&policy_lab.lab, LAB_VNI, addr6, host, DP_MAPPING_LIVE);
	return n;
}

static void set_subnets(void)
{
	struct lab *lab = &policy_lab.lab;

	lab_subnet(lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
	lab_subnet(lab, LAB_VNI, "2001:db8:0:1::/64", "fe80::100", NULL);
	lab_subnet(lab, LAB_VNI, "2001:db8:0:2::/64", "fe80::100", NULL);
}

int policy_lab_set_up(void **state)
{
	struct policy_lab *l = &policy_lab;

	lab_init(&l->lab, FORMAT_SIIT_2);
	set_subnets();
	l->a = node(0, "10.0.1.10", "2001:db8:0:1::10", "10.0.1.1");
	l->b = node(1, "10.0.1.11", "2001:db8:0:1::11", "10.0.1.1");
	l->c = node(0, "10.0.1.12", "2001:db8:0:1::12", "10.0.1.1");
	l->d = node(1, "10.0.2.13", "2001:db8:0:2::13", "10.0.2.1");
	return 0;
}

int policy_lab_tear_down(void **state)
{
	lab_deinit(&policy_lab.lab);
	return 0;
}

static void set_port(struct lab_node *n)
{
	lab_set_port(&policy_lab.lab, n->host, &n->port);
}

static void map(const struct lab_node *n, const struct ipaddr *addr, uint32_t group)
{
	for (int i = 0; i < LAB_HOSTS; i++) {
		struct dp_mapping m = {.vni = LAB_VNI,
				       .addr = *addr,
				       .peer = i == n->host ? DP_PEER_SELF : (uint32_t)n->host + 1,
				       .revision = 1,
				       .n_groups = group ? 1 : 0,
				       .groups = {group}};

		assert_int_equal(datapath_mapping_set(policy_lab.lab.hosts[i].dp, &m), 0);
	}
}

static int collect(uint32_t number, void *arg)
{
	uint32_t *all = arg;

	all[++all[0]] = number;
	return 0;
}

static void delete_all(struct datapath *dp)
{
	uint32_t all[64] = {};

	assert_int_equal(datapath_groups(dp, collect, all), 0);
	for (uint32_t i = 1; i <= all[0]; i++)
		assert_int_equal(datapath_group_delete(dp, all[i]), 0);
	all[0] = 0;
	assert_int_equal(datapath_acls(dp, collect, all), 0);
	for (uint32_t i = 1; i <= all[0]; i++)
		assert_int_equal(datapath_acl_delete(dp, all[i]), 0);
}

int policy_lab_reset(void **state)
{
	struct policy_lab *l = &policy_lab;
	struct lab_node *all[] = {l->a, l->b, l->c, l->d};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i]->port.connections = 0;
		policy_join(all[i], 0);
	}
	for (int i = 0; i < LAB_HOSTS; i++)
		delete_all(l->lab.hosts[i].dp);
	set_subnets();
	return 0;
}

struct dp_rule policy_rule(bool egress, uint16_t protocol, uint16_t from, uint16_t to,
			   const char *prefix, uint32_t group)
{
	struct dp_rule r = {
		.egress = egress, .protocol = protocol, .from = from, .to = to, .group = group};

	if (prefix)
		assert_int_equal(prefix_parse(prefix, &r.prefix), 0);
	return r;
}

void policy_set_group(uint32_t number, const struct dp_rule *rules, size_t n)
{
	struct dp_group g = {.number = number, .n_rules = n, .rules = rules};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_group_set(policy_lab.lab.hosts[i].dp, &g), 0);
}

void policy_join(struct lab_node *n, uint32_t group)
{
	n->port.n_groups = group ? 1 : 0;
	n->port.groups[0] = group;
	set_port(n);
	for (size_t i = 0; i < n->port.n_addrs; i++)
		map(n, &n->port.addrs[i], group);
}

void policy_give(struct lab_node *n, const struct dp_rule *rules, size_t n_rules)
{
	policy_set_group(n->port.id, rules, n_rules);
	policy_join(n, n->port.id);
}

struct dp_acl_entry policy_entry(bool egress, bool allow, uint16_t protocol, uint16_t from,
				 uint16_t to)
{
	struct dp_acl_entry e = {
		.egress = egress, .allow = allow, .protocol = protocol, .from = from, .to = to};

	assert_int_equal(prefix_parse("0.0.0.0/0", &e.prefix), 0);
	return e;
}

void policy_set_acl(uint32_t number, const struct dp_acl_entry *entries, size_t n)
{
	struct dp_acl acl = {.number = number, .n_entries = n, .entries = entries};

	for (int i = 0; i < LAB_HOSTS; i++)
		assert_int_equal(datapath_acl_set(policy_lab.lab.hosts[i].dp, &acl), 0);
}

/* ---- packets ---- */

static const char *text(const struct lab_node *n, bool v6, char buf[static IPADDR_TEXT_SIZE])
{
	return ipaddr_text(&n->port.addrs[v6], buf);
}

static bool same_subnet(const struct lab_node *a, const struct lab_node *b)
{
	return a->port.addrs[0].b[14] == b->port.addrs[0].b[14];
}

static void put_ports(struct frame *f, const struct policy_packet *p, size_t at)
{
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		frame_put_u16(f, at, p->source);
		frame_put_u16(f, at + 2, p->destination);
	}
	if (p->protocol == IPPROTO_TCP)
		f->b[at + 13] = p->tcp;
}

static struct frame frame_of_v6(const struct policy_packet *p)
{
	char src[IPADDR_TEXT_SIZE], dst[IPADDR_TEXT_SIZE];
	const struct v6 v = {.src = text(p->from, true, src),
			     .dst = text(p->to, true, dst),
			     .mac = same_subnet(p->from, p->to) ? NULL : router_mac,
			     .from = (uint8_t)p->from->port.id,
			     .protocol = p->protocol,
			     .hop_limit = 64,
			     .payload = 32};
	struct frame f = frame_v6(&v);

	put_ports(&f, p, IP_AT + 40);
	return f;
}

struct frame policy_frame(const struct policy_packet *p)
{
	char src[IPADDR_TEXT_SIZE], dst[IPADDR_TEXT_SIZE];
	struct v4 v = {.src = text(p->from, false, src),
		       .dst = text(p->to, false, dst),
		       .from = (uint8_t)p->from->port.id,
		       .protocol = p->protocol,
		       .ttl = 64,
		       .id = p->id,
		       .fragment = p->fragment,
		       .payload = 32};
	struct frame f;
	size_t at = IP_AT + 20;

	if (p->v6)
		return frame_of_v6(p);
	if (!same_subnet(p->from, p->to))
		v.mac = p->from->port.addrs[0].b[14] == 1 ? router_mac : router_mac_2;
	f = frame_v4(&v);
	if (p->fragment & 0x1fff)
		return f;
	put_ports(&f, p, at);
	if (p->protocol == IPPROTO_ICMP) {
		frame_put_u16(&f, at, p->source);
		frame_put_u16(&f, at + 4, p->destination);
	}
	if (p->quote) {
		memcpy(f.b + at + 8, p->quote->b + IP_AT, 28);
		f.size = at + 8 + 28;
		frame_put_u16(&f, IP_AT + 2, (uint16_t)(f.size - IP_AT));
		frame_fix_ip(&f);
	}
	return f;
}

/* The reason that has been counted since, anywhere on the host. */
struct drops {
	uint64_t of[1 + LAB_NODES][DROP_REASON_MAX]; /* the substrate side and the nodes' ports */
};

static void drops_take(int host, struct drops *ret)
{
	const struct lab *l = &policy_lab.lab;

	*ret = (struct drops){};
	for (int i = -1; i < l->n_nodes; i++) {
		if (i >= 0 && l->nodes[i].host != host)
			continue;
		assert_int_equal(datapath_drops(l->hosts[host].dp, i < 0 ? 0 : l->nodes[i].port.id,
						ret->of[i + 1], DROP_REASON_MAX),
				 0);
	}
}

/* What the node's kernel says by itself, at any time. */
static bool is_chatter(uint32_t reason)
{
	return reason == DROP_MULTICAST || reason == DROP_ND_IGNORED || reason == DROP_ARP_IGNORED;
}

static uint32_t reason_since(int host, const struct drops *before)
{
	uint32_t chatter = DROP_NONE;
	struct drops now;

	drops_take(host, &now);
	for (size_t i = 0; i < ARRAY_SIZE(now.of); i++)
		for (uint32_t r = 0; r < DROP_REASON_MAX; r++) {
			if (now.of[i][r] == before->of[i][r])
				continue;
			if (!is_chatter(r))
				return r;
			chatter = r;
		}
	return chatter;
}

uint32_t policy_send_frame(const struct lab_node *from, const struct lab_node *to,
			   const struct frame *f)
{
	struct frame wire, got;
	struct drops before;

	drops_take(from->host, &before);
	if (frame_from_node(&policy_lab.lab, from, f, &wire) != TC_ACT_REDIRECT)
		return reason_since(from->host, &before);
	if (from->host == to->host)
		return 0;
	drops_take(to->host, &before);
	if (frame_from_wire(&policy_lab.lab, to->host, &wire, &got) != TC_ACT_REDIRECT)
		return reason_since(to->host, &before);
	if (frame_u16(f, 12) == 0x86dd)
		assert_memory_equal(got.b + IP_AT + 8, f->b + IP_AT + 8, 32);
	else
		assert_memory_equal(got.b + IP_AT + 12, f->b + IP_AT + 12, 8);
	return 0;
}

uint32_t policy_send(const struct policy_packet *p)
{
	struct frame f = policy_frame(p);

	return policy_send_frame(p->from, p->to, &f);
}

uint32_t policy_tcp(const struct lab_node *from, const struct lab_node *to, uint16_t source,
		    uint16_t destination, uint8_t flags)
{
	return policy_send(&(struct policy_packet){.from = from,
						   .to = to,
						   .protocol = IPPROTO_TCP,
						   .source = source,
						   .destination = destination,
						   .tcp = flags,
						   .v6 = policy_lab.v6});
}

uint32_t policy_udp(const struct lab_node *from, const struct lab_node *to, uint16_t source,
		    uint16_t destination)
{
	return policy_send(&(struct policy_packet){.from = from,
						   .to = to,
						   .protocol = IPPROTO_UDP,
						   .source = source,
						   .destination = destination,
						   .v6 = policy_lab.v6});
}

uint32_t policy_icmp(const struct lab_node *from, const struct lab_node *to, uint8_t type,
		     uint16_t number)
{
	return policy_send(&(struct policy_packet){.from = from,
						   .to = to,
						   .protocol = IPPROTO_ICMP,
						   .source = (uint16_t)(type << 8),
						   .destination = number});
}

/* ---- connections ---- */

struct wanted {
	uint16_t local, remote;
	const char *state;
};

static int look(const struct dp_connection *c, void *arg)
{
	struct wanted *w = arg;

	if (c->local_port == w->local && c->remote_port == w->remote)
		w->state = c->state;
	return 0;
}

const char *policy_state(const struct lab_node *n, uint16_t local, uint16_t remote)
{
	struct wanted w = {.local = local, .remote = remote, .state = "none"};

	assert_int_equal(
		datapath_connections(policy_lab.lab.hosts[n->host].dp, n->port.id, look, &w), 0);
	return w.state;
}

static int count(const struct dp_connection *c, void *arg)
{
	++*(size_t *)arg;
	return 0;
}

size_t policy_count(const struct lab_node *n)
{
	size_t all = 0;

	assert_int_equal(
		datapath_connections(policy_lab.lab.hosts[n->host].dp, n->port.id, count, &all), 0);
	return all;
}

void policy_age(const struct lab_node *n, uint32_t seconds)
{
	policy_age_ticks(n, (uint32_t)((uint64_t)seconds * 1000000000 >> DP_TICK_SHIFT) + 1);
}

void policy_each(const struct lab_node *n, void (*fn)(struct dp_connection_value *, uint32_t),
		 uint32_t arg)
{
	struct bpf_host *h = bpf_host_of(policy_lab.lab.hosts[n->host].dp);
	int fd = bpf_map__fd(h->skel->maps.connections);
	const struct dp_port_value *port;
	const struct dp_port_copy *c;
	uint32_t slot;

	assert_non_null(bpf_port_find(h, n->port.id, &slot));
	port = bpf_array_row(&h->ports, slot);
	c = &port->copy[port->current & 1];
	for (uint32_t i = 0; i <= c->region.mask; i++) {
		uint32_t key = c->region.first + i;
		struct dp_connection_set set;

		assert_int_equal(bpf_map_lookup_elem_flags(fd, &key, &set, BPF_F_LOCK), 0);
		for (size_t k = 0; k < DP_SET_CONNECTIONS; k++)
			fn(&set.connections[k], arg);
		assert_int_equal(bpf_map_update_elem(fd, &key, &set, BPF_F_LOCK), 0);
	}
}

static void make_older(struct dp_connection_value *c, uint32_t ticks)
{
	c->seen -= ticks;
}

void policy_age_ticks(const struct lab_node *n, uint32_t ticks)
{
	policy_each(n, make_older, ticks);
}

static void make_free(struct dp_connection_value *c, uint32_t unused)
{
	(void)unused;
	memset(c, 0, sizeof(*c));
}

void policy_forget(const struct lab_node *n)
{
	policy_each(n, make_free, 0);
}
