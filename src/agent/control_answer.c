/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of the control socket: one function per request, one table.  Those about connections
 * and the edge are in control_network.c. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "abi/drop.h"
#include "agent/control_answer.h"
#include "base/str.h"

json_t *control_addr(const struct ipaddr *a)
{
	char text[IPADDR_TEXT_SIZE];

	return ipaddr_is_zero(a) ? json_null() : json_string(ipaddr_text(a, text));
}

static json_t *control_prefix(const struct prefix *p)
{
	char text[PREFIX_TEXT_SIZE];

	return p->len ? json_string(prefix_text(p, text)) : json_null();
}

static const char *control_format(enum format f)
{
	static const char *const names[FORMAT_MAX] = FORMAT_NAMES;

	return names[f];
}

static json_t *control_formats(uint32_t formats)
{
	json_t *list = json_array();

	for (int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (formats & FORMAT_BIT(f))
			json_array_append_new(list, json_string(control_format(f)));
	return list;
}

static json_t *control_features(uint32_t features)
{
	static const char *const names[FEATURE_MAX] = FEATURE_NAMES;
	json_t *list = json_array();

	for (int f = 0; f < FEATURE_MAX; f++)
		if (features & FEATURE_BIT(f))
			json_array_append_new(list, json_string(names[f]));
	return list;
}

static json_t *control_status(struct control *c, const json_t *request)
{
	const struct agent *a = c->agent;
	const struct desired_host *h = &a->desired.host;
	json_t *status = json_pack(
		"{s:s, s:s, s:{s:s, s:i, s:o, s:o, s:o, s:o}, s:{s:s, s:s, s:I},"
		" s:I, s:I, s:{s:b, s:s}, s:{s:i, s:i, s:i, s:i, s:i, s:i},"
		" s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:s}",
		"version", VIADUCT_VERSION, "host_id", a->config.host_id, "host", "name", h->name,
		"number", (int)h->number, "siit1", control_prefix(&h->siit1), "siit2",
		control_prefix(&h->siit2), "v4", control_addr(&h->v4), "v6", control_addr(&h->v6),
		"manager", "state", link_state_text(a->link.state), "error", a->link.error,
		"sessions", (json_int_t)a->link.n_sessions, "revision", (json_int_t)a->revision,
		"cluster_id", (json_int_t)a->cluster_id, "datapath", "open", a->dp != NULL, "error",
		a->plane_error, "counts", "ports", (int)hmap_count(&a->ports.by_id), "mappings",
		(int)hmap_count(&a->cache.mappings), "peers", (int)hmap_count(&a->desired.peers),
		"subnets", (int)hmap_count(&a->desired.subnets), "instances",
		(int)hmap_count(&a->desired.instances), "held_bytes", (int)a->miss.held_bytes,
		"totals", "asked", (json_int_t)a->miss.n_asked, "held", (json_int_t)a->miss.n_held,
		"reinjected", (json_int_t)a->miss.n_reinjected, "dhcp",
		(json_int_t)a->n_dhcp_answers, "dns", (json_int_t)a->n_dns_answers, "events",
		(json_int_t)a->n_events, "resolv_dir", c->resolv_dir);

	/* The manager and the configuration may not agree about it. */
	json_object_set_new(status, "role", json_string(a->config.uplink ? "edge" : "host"));
	json_object_set_new(status, "lost_tables", json_string(a->lost));
	json_object_set_new(status, "problem",
			    json_string(*a->plane_error ? a->plane_error : probe_error(&a->probe)));
	json_object_set_new(status, "role_error",
			    agent_role_error(a) ? json_string(agent_role_error(a)) : json_null());
	return status;
}

static json_t *control_ports(struct control *c, const json_t *request)
{
	json_t *list = json_array();
	const struct port *p;

	hmap_for_each (p, &c->agent->ports.by_id, by_id) {
		char mac[MAC_TEXT_SIZE];
		struct dp_port_counters n = {0};
		json_t *addrs = json_array();

		for (uint32_t i = 0; i < p->dp.n_addrs; i++)
			json_array_append_new(addrs, control_addr(&p->dp.addrs[i]));
		if (c->agent->dp && p->set && datapath_counters(c->agent->dp, p->dp.id, &n))
			n = (struct dp_port_counters){0};
		json_array_append_new(
			list,
			json_pack("{s:i, s:s, s:s, s:i, s:i, s:s, s:i, s:o, s:I, s:I, s:I, s:I}",
				  "id", (int)p->dp.id, "interface", p->interface_id, "instance",
				  p->instance_id, "ifindex", p->dp.ifindex, "vni", (int)p->dp.vni,
				  "mac", mac_text(&p->dp.mac, mac), "mtu", (int)p->dp.mtu, "addrs",
				  addrs, "tx_packets", (json_int_t)n.tx_packets, "tx_bytes",
				  (json_int_t)n.tx_bytes, "rx_packets", (json_int_t)n.rx_packets,
				  "rx_bytes", (json_int_t)n.rx_bytes));
	}
	return list;
}

/* Of a shared address, over which connections are spread; empty for others. */
static json_t *control_mapping_peers(const struct mapping *m)
{
	json_t *list = json_array();

	for (uint32_t n = 0; n < m->n_peers; n++)
		json_array_append_new(list, json_integer((int)m->lists[m->n_groups + n]));
	return list;
}

static json_t *control_mappings(struct control *c, const json_t *request)
{
	const struct cache *cache = &c->agent->cache;
	const uint64_t now = agent_now(c->agent);
	json_t *list = json_array();
	const struct mapping *m;

	hmap_for_each (m, &cache->mappings, node) {
		json_t *left_ms = json_integer(
			m->end_ns > now ? (json_int_t)((m->end_ns - now) / 1000000) : 0);

		if (cache_is_preloaded(cache, m->vni)) { /* it has no end */
			json_decref(left_ms);
			left_ms = json_null();
		}

		json_array_append_new(list, json_pack("{s:i, s:o, s:s, s:i, s:o, s:I, s:o}", "vni",
						      (int)m->vni, "addr", control_addr(&m->addr),
						      "state", mapping_state_text(m->state), "peer",
						      (int)m->peer, "peers",
						      control_mapping_peers(m), "revision",
						      (json_int_t)m->revision, "left_ms", left_ms));
	}
	return list;
}

static const char *control_reason(uint32_t reason)
{
	static const char *const names[DROP_REASON_MAX] = {
#define DROP_REASON(number, name, event, text) [number] = #name,
#include "abi/drop_reasons.def"
#undef DROP_REASON
	};

	return names[reason] ?: "unknown";
}

static json_t *control_drops_of(struct control *c, uint32_t port)
{
	uint64_t drops[AGENT_REASONS_MAX];
	json_t *reasons = json_object();

	if (report_drops(c->agent, port, drops))
		return reasons;
	for (uint32_t r = 0; r < AGENT_REASONS_MAX; r++)
		if (drops[r])
			json_object_set_new(reasons, control_reason(r),
					    json_integer((json_int_t)drops[r]));
	return reasons;
}

static json_t *control_drops(struct control *c, const json_t *request)
{
	json_t *interfaces = json_object();
	const struct port *p;

	hmap_for_each (p, &c->agent->ports.by_interface, by_interface)
		if (p->set)
			json_object_set_new(interfaces, p->interface_id,
					    control_drops_of(c, p->dp.id));
	return json_pack("{s:o, s:o}", "host", control_drops_of(c, 0), "interfaces", interfaces);
}

static json_t *control_capabilities(struct control *c, const json_t *request)
{
	const struct probe *p = &c->agent->probe;

	return json_pack("{s:o, s:o, s:o, s:i, s:b, s:b, s:s, s:s, s:I, s:s}", "formats",
			 control_formats(p->confirmed.formats), "features",
			 control_features(p->features & ~p->disallowed_features),
			 "required_features", control_features(p->required_features),
			 "substrate_mtu", (int)p->confirmed.substrate_mtu, "tcx", p->confirmed.tcx,
			 "tap_uso", p->confirmed.tap_uso, "kernel", p->confirmed.kernel, "refused",
			 p->confirmed.refused, "probed_at", (json_int_t)p->probed_at, "error",
			 probe_error(p));
}

static json_t *control_peers(struct control *c, const json_t *request)
{
	json_t *list = json_array();
	const struct desired_peer *p;

	hmap_for_each (p, &c->agent->desired.peers, node) {
		const char *text;
		bool reachable = nexthops_reachable(&c->agent->nexthops, p->dp.id, &text);
		uint16_t mtu = reconcile_peer_mtu(&c->agent->reconcile, p);

		json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:o, s:i, s:s, s:b, s:s}",
						      "number", (int)p->dp.id, "name", p->name,
						      "send", control_format(p->dp.send), "accept",
						      control_formats(p->dp.accept), "path_mtu",
						      (int)mtu, "reason", p->reason, "reachable",
						      reachable, "text", text));
	}
	return list;
}

static json_t *control_instances(struct control *c, const json_t *request)
{
	json_t *list = json_array();
	const struct desired_instance *i;

	hmap_for_each (i, &c->agent->desired.instances, node) {
		const struct node *node = nodes_find(&c->agent->nodes, i->id);

		json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b, s:I}", "id", i->id,
						      "name", i->name, "wanted", i->running,
						      "running", node && node->running,
						      "generation", (json_int_t)i->generation));
	}
	return list;
}

static json_t *control_probe(struct control *c, const json_t *request)
{
	probe_start(&c->agent->probe);
	return json_true();
}

static const struct {
	const char *request;
	json_t *(*answer)(struct control *c, const json_t *request);
} control_requests[] = {
	{"status", control_status},
	{"ports", control_ports},
	{"mappings", control_mappings},
	{"drops", control_drops},
	{"capabilities", control_capabilities},
	{"peers", control_peers},
	{"instances", control_instances},
	{"connections", control_connections},
	{"edge", control_edge},
	{"probe", control_probe},
};

static json_t *control_error(const char *code, const char *message)
{
	return json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message);
}

static json_t *control_dispatch(struct control *c, const json_t *line)
{
	const char *request = json_string_value(json_object_get(line, "request"));

	for (size_t i = 0; request && i < ARRAY_SIZE(control_requests); i++)
		if (str_equal(control_requests[i].request, request))
			return json_pack("{s:o}", request, control_requests[i].answer(c, line));
	return control_error("UnknownRequest", "requests are status, ports, mappings, drops, "
					       "capabilities, peers, instances, connections, "
					       "edge, probe");
}

char *control_answer(struct control *c, const char *line, size_t length)
{
	json_t *request, *answer;
	char *text = NULL, *result = NULL;

	request = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(request))
		answer = control_dispatch(c, request);
	else
		answer =
			control_error("BadRequest", "a line is one JSON object: {\"request\":...}");
	if (answer)
		text = json_dumps(answer, JSON_COMPACT);
	if (text && str_printf(&result, "%s\n", text))
		result = NULL;
	free(text);
	json_decref(answer);
	json_decref(request);
	return result;
}
