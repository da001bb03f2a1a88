/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "driver/fake.h"

enum { SEEN_MAX = 16 };

struct scenario_host {
	struct loop *loop;
	struct fake_world *substrate;
	size_t index;
	char name[12];
	char id[40];
	scenario_dial_fn dial;
	void *dial_arg;
	struct fake_nodes nodes;
	struct driver *driver;
	struct agent *agent; /* NULL: not running */
	struct agent_backend backend;
	/* Ports by their interfaces: known also while the agent is down. */
	struct {
		char interface_id[DRIVER_ID_SIZE];
		uint32_t port;
	} seen[SEEN_MAX];
	size_t n_seen;
	int plane_error;
	uint32_t formats; /* FORMAT_BIT()s that its probes find */
	int uplink;       /* 0: no edge */
	uint64_t incarnation;
};

static int open_plane(void *arg, const struct dp_config *config, struct datapath **ret,
		      bool *ret_adopted)
{
	struct scenario_host *host = arg;

	if (host->plane_error)
		return host->plane_error;
	return datapath_open_fake(host->substrate, config, ret, ret_adopted);
}

static int destroy_plane(void *arg, const struct dp_config *config)
{
	struct scenario_host *host = arg;

	fake_destroy(host->substrate, config->name);
	return 0;
}

static int probe(void *arg, const struct dp_config *config, struct dp_capabilities *ret)
{
	const struct scenario_host *host = arg;

	*ret = (struct dp_capabilities){.formats = host->formats,
					.rate = true,
					.tcx = true,
					.substrate_mtu = 1500,
					.kernel = "6.1"};
	return 0;
}

static int route(void *arg, const struct ipaddr *target, struct nexthop_way *ret)
{
	*ret = (struct nexthop_way){.ifindex = 2, .gateway = *target};
	return 0;
}

static int find_link(void *arg, int ifindex, struct nexthop_link *ret)
{
	*ret = (struct nexthop_link){.mac = {{2, 0, 0, 0, 0, 1}}, .mtu = 1500};
	return 0;
}

static int find_addr(void *arg, const struct ipaddr *addr)
{
	return 0;
}

static int neighbour(void *arg, const struct nexthop_way *way, struct mac *ret_mac)
{
	*ret_mac = (struct mac){{2, 0, 0, 0, 0, 2}};
	return 0;
}

static int probe_neighbour(void *arg, const struct nexthop_way *way)
{
	return 0;
}

static int path_mtu(void *arg, const struct ipaddr *target, uint16_t *ret)
{
	*ret = 0;
	return 0;
}

static const struct nexthop_kernel kernel = {
	.route = route,
	.link = find_link,
	.find_addr = find_addr,
	.path_mtu = path_mtu,
	.neighbour = neighbour,
	.probe = probe_neighbour,
};

static int dial(void *arg, size_t index, const struct session_callbacks *callbacks, void *user,
		struct session **ret)
{
	struct scenario_host *host = arg;

	return host->dial(host->dial_arg, host->index, callbacks, user, ret);
}

struct scenario_host *scenario_host_new(struct loop *loop, struct fake_world *substrate,
					size_t index, const char *host_id, scenario_dial_fn fn,
					void *arg)
{
	struct scenario_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->loop = loop;
	host->substrate = substrate;
	host->index = index;
	host->dial = fn;
	host->dial_arg = arg;
	host->formats =
		FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1);
	snprintf(host->name, sizeof(host->name), "h%u", (unsigned int)(index + 1) % 100);
	snprintf(host->id, sizeof(host->id), "%s", host_id);
	host->backend = (struct agent_backend){
		.open = open_plane, .destroy = destroy_plane, .probe = probe, .arg = host};
	assert_int_equal(driver_fake_new(&host->nodes, loop, &host->driver), 0);
	return host;
}

struct scenario_host *scenario_host_free(struct scenario_host *host)
{
	scenario_host_kill(host);
	driver_free(host->driver);
	free(host);
	return NULL;
}

void scenario_host_set_edge(struct scenario_host *host)
{
	host->uplink = 3;
}

uint64_t scenario_host_sent_out(const struct scenario_host *host, uint32_t handle)
{
	struct dp_gateway_counters counters = {};

	return host->agent && !datapath_gateway_counters(host->agent->dp, handle, &counters)
		       ? counters.out_packets
		       : 0;
}

struct datapath *scenario_host_plane(const struct scenario_host *host)
{
	return host->agent ? host->agent->dp : NULL;
}

/* Nobody listens. */
static int announce(void *arg, int ifindex, const struct ipaddr *public)
{
	return 0;
}

void scenario_host_start(struct scenario_host *host)
{
	const struct agent_config config = {
		.loop = host->loop,
		.host_id = host->id,
		.dialer = {.dial = dial, .n = 1, .arg = host},
		.backend = &host->backend,
		.dp = {.name = host->name,
		       .max_mappings = 1000,
		       .max_flows = 1000,
		       .uplink_ifindex = host->uplink},
		.announce = announce,
		.driver = host->driver,
		.kernel = &kernel,
		.kernel_arg = host,
		.sealing = {.incarnation = host->incarnation},
	};

	assert_int_equal(agent_new(&config, &host->agent), 0);
}

void scenario_host_kill(struct scenario_host *host)
{
	host->agent = agent_free(host->agent);
}

bool scenario_host_is_up(const struct scenario_host *host)
{
	return host->agent && host->agent->link.state == LINK_UP;
}

uint64_t scenario_host_revision(const struct scenario_host *host)
{
	return host->agent->revision;
}

const char *scenario_host_name(const struct scenario_host *host)
{
	return host->name;
}

static uint32_t port_of(struct scenario_host *host, const char *interface_id)
{
	const struct port *port =
		host->agent ? ports_find_interface(&host->agent->ports, interface_id) : NULL;
	size_t i;

	for (i = 0; i < host->n_seen; i++)
		if (!strcmp(host->seen[i].interface_id, interface_id))
			break;
	if (port && port->set) {
		assert_true(i < SEEN_MAX);
		snprintf(host->seen[i].interface_id, sizeof(host->seen[i].interface_id), "%s",
			 interface_id);
		host->seen[i].port = port->dp.id;
		if (i == host->n_seen)
			host->n_seen++;
	}
	return i < host->n_seen ? host->seen[i].port : 0;
}

enum fake_verdict scenario_host_send(struct scenario_host *host, const char *interface_id,
				     const char *src, const char *dst, uint32_t number,
				     uint32_t *ret_reason)
{
	uint32_t port = port_of(host, interface_id);
	struct ipaddr from, to;

	assert_int_not_equal(port, 0);
	assert_int_equal(ipaddr_parse(src, &from), 0);
	assert_int_equal(ipaddr_parse(dst, &to), 0);
	return fake_send_packet(host->substrate, host->name, port, &from, &to, number, ret_reason);
}

uint32_t scenario_host_receive(struct scenario_host *host, const char *interface_id)
{
	uint32_t port = port_of(host, interface_id), number = 0;

	assert_int_not_equal(port, 0);
	return fake_receive_packet(host->substrate, host->name, port, &number) ? number : 0;
}

bool scenario_host_has_port(const struct scenario_host *host, const char *interface_id)
{
	const struct port *port =
		host->agent ? ports_find_interface(&host->agent->ports, interface_id) : NULL;

	return port && port->set;
}

uint64_t scenario_host_asked(const struct scenario_host *host)
{
	return host->agent->miss.n_asked;
}

size_t scenario_host_mappings(const struct scenario_host *host)
{
	const struct mapping *m;
	size_t n = 0;

	hmap_for_each (m, &host->agent->cache.mappings, node)
		n += mapping_is_held(m);
	return n;
}

void scenario_host_limit_mappings(struct scenario_host *host, size_t max)
{
	host->agent->cache.max = max;
}

struct seeking {
	struct dp_peer peer; /* its id is sought */
	bool found;
};

static int see_peer(const struct dp_peer *peer, void *arg)
{
	struct seeking *s = arg;

	if (peer->id == s->peer.id) {
		s->peer = *peer;
		s->found = true;
	}
	return 0;
}

bool scenario_host_choice(const struct scenario_host *host, uint32_t peer, enum format *ret_send,
			  uint32_t *ret_accept)
{
	struct seeking s = {.peer.id = peer};

	if (!host->agent || !host->agent->dp)
		return false;
	assert_int_equal(datapath_peers(host->agent->dp, see_peer, &s), 0);
	if (!s.found)
		return false;
	*ret_send = s.peer.send;
	*ret_accept = s.peer.accept;
	return true;
}

void scenario_host_reboot(struct scenario_host *host, uint64_t incarnation)
{
	scenario_host_kill(host);
	fake_destroy(host->substrate, host->name);
	host->incarnation = incarnation;
	scenario_host_start(host);
}

void scenario_host_incarnate(struct scenario_host *host, uint64_t incarnation)
{
	host->incarnation = incarnation;
	if (!host->agent)
		return;
	host->agent->sealing.incarnation = incarnation;
	host->agent->sealing.changed(host->agent->sealing.arg);
}

bool scenario_host_sealing(const struct scenario_host *host, uint32_t peer,
			   struct scenario_sealing *ret)
{
	const struct desired_peer *p =
		host->agent ? desired_find_peer(&host->agent->desired, peer) : NULL;
	const struct desired_peer_key *newest = NULL;

	*ret = (struct scenario_sealing){.peer = p, .incarnation = host->incarnation};
	if (!p)
		return false;
	ret->clear = p->dp.accept || (p->dp.send != FORMAT_NONE && !p->dp.seal);
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct desired_peer_key *k = &p->keys[i];

		/* the one that it seals with, as agent/sealing.c finds it */
		if (k->seals && p->dp.send != FORMAT_NONE && k->cipher == p->dp.seal &&
		    (!newest || k->made_ms >= newest->made_ms))
			newest = k;
		/* what the worker opens with */
		if (!k->seals && k->incarnation == host->incarnation)
			memcpy(ret->opens[ret->n_opens++], k->key, SEAL_KEY_SIZE);
	}
	ret->seals = newest && newest->incarnation == host->incarnation;
	if (ret->seals)
		memcpy(ret->key, newest->key, SEAL_KEY_SIZE);
	return true;
}

void scenario_host_slow(struct scenario_host *host, uint64_t ms)
{
	host->nodes.slow_ns = ms * CLOCK_NS_PER_MS;
}

void scenario_host_set_formats(struct scenario_host *host, uint32_t formats)
{
	host->formats = formats;
}

void scenario_host_lose_port(struct scenario_host *host, const char *interface_id)
{
	assert_int_equal(datapath_port_delete(host->agent->dp, port_of(host, interface_id)), 0);
}

void scenario_host_refuse_plane(struct scenario_host *host, int error)
{
	host->plane_error = error;
}

uint64_t scenario_host_stale(const struct scenario_host *host)
{
	return host->agent->stale.n_told;
}

size_t scenario_host_nodes(const struct scenario_host *host)
{
	size_t n = 0;

	for (size_t i = 0; i < FAKE_NODES_MAX; i++)
		n += host->nodes.nodes[i].node.id[0] != '\0';
	return n;
}
