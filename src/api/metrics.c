/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: the cluster in numbers, as Prometheus reads them (text exposition format 0.0.4).
 *
 * Counters are as agents count them: they begin anew when a host's tables do.  What would be too
 * much to tell one by one, pairs of many hosts, is told as sums.
 */
#include <stdio.h>

#include "abi/drop.h"
#include "api/metrics.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "base/limits.h"
#include "model/host.h"
#include "model/mapping.h"

/* Names of hosts, ids, formats and reasons need no escaping: they are of [A-Za-z0-9_/.-]. */

void metrics_head(struct route_call *c, const char *name, const char *type, const char *help)
{
	buf_put_printf(c->text, "# HELP viaduct_%s %s\n# TYPE viaduct_%s %s\n", name, help, name,
		       type);
}

void metrics_one(struct route_call *c, const char *name, const char *type, const char *help,
		 uint64_t value)
{
	metrics_head(c, name, type, help);
	buf_put_printf(c->text, "viaduct_%s %llu\n", name, (unsigned long long)value);
}

static void put_manager(struct route_call *c)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = {
		{"account", KIND_ACCOUNT},   {"network", KIND_VPC},
		{"subnet", KIND_SUBNET},     {"interface", KIND_INTERFACE},
		{"instance", KIND_INSTANCE}, {"security_group", KIND_SECURITY_GROUP},
		{"release", KIND_RELEASE},
	};
	struct api_status_live live = {};

	c->api->live->status(c->api->live->data, &live);
	metrics_head(c, "build_info", "gauge", "The version of the manager.");
	buf_put_printf(c->text, "viaduct_build_info{version=\"%s\"} 1\n", VIADUCT_VERSION);
	metrics_one(c, "revision", "counter", "Of the model.", model_revision(c->model));
	metrics_one(c, "durable_revision", "counter", "The last one that the store has.",
		    live.durable_revision);
	metrics_one(c, "store_up", "gauge", "Whether the store takes writes.", !live.store_error);
	metrics_head(c, "objects", "gauge", "Objects of each kind.");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		buf_put_printf(c->text, "viaduct_objects{kind=\"%s\"} %zu\n", kinds[i].name,
			       model_count(c->model, kinds[i].kind));
	metrics_one(c, "mappings", "gauge", "Virtual addresses that are somewhere.",
		    mapping_count(model_mappings(c->model)));
}

static void put_host_values(struct route_call *c, const char *name, const char *help,
			    uint64_t (*value)(struct route_call *c, const struct host *h))
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	const struct host *h;

	metrics_head(c, name, "gauge", help);
	while ((h = (const struct host *)model_iter_next(&it)))
		if (!h->foreign) /* no agent says anything of it */
			buf_put_printf(c->text, "viaduct_%s{host=\"%s\"} %llu\n", name, h->name,
				       (unsigned long long)value(c, h));
}

static uint64_t is_connected(struct route_call *c, const struct host *h)
{
	return host_is_connected(c->model, h->number);
}

static uint64_t is_capable(struct route_call *c, const struct host *h)
{
	return host_is_capable(h);
}

static uint64_t has_alarm(struct route_call *c, const struct host *h)
{
	return h->can.error && *h->can.error;
}

static uint64_t has_lost(struct route_call *c, const struct host *h)
{
	struct api_host_live live = {};

	c->api->live->host(c->api->live->data, h->number, &live);
	return live.lost_tables != NULL;
}

static uint64_t applied(struct route_call *c, const struct host *h)
{
	struct api_host_live live = {};

	c->api->live->host(c->api->live->data, h->number, &live);
	return live.revision;
}

static uint64_t instances(struct route_call *c, const struct host *h)
{
	return host_instance_count(c->model, h->number);
}

static void put_lookups(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	const struct host *h;

	metrics_head(c, "host_lookups_total", "counter",
		     "Its agent's questions where an address is.");
	while ((h = (const struct host *)model_iter_next(&it))) {
		struct api_host_live live = {};

		if (h->foreign)
			continue;
		c->api->live->host(c->api->live->data, h->number, &live);
		buf_put_printf(c->text,
			       "viaduct_host_lookups_total{host=\"%s\",answer=\"told\"} %llu\n",
			       h->name, (unsigned long long)live.told);
		buf_put_printf(c->text,
			       "viaduct_host_lookups_total{host=\"%s\",answer=\"refused\"} %llu\n",
			       h->name, (unsigned long long)live.refused);
	}
}

static void put_hosts(struct route_call *c)
{
	put_host_values(c, "host_connected", "Whether its agent has a session.", is_connected);
	put_host_values(c, "host_capable", "Whether it can carry traffic: a probe has succeeded.",
			is_capable);
	put_host_values(c, "host_probe_failed", "Whether its last probe failed.", has_alarm);
	put_host_values(c, "host_state_lost",
			"Whether its agent, when it took over, lost connections or counters.",
			has_lost);
	put_host_values(c, "host_applied_revision", "The last one that it has applied.", applied);
	put_host_values(c, "host_instances", "Instances placed on it.", instances);
	put_lookups(c);
}

static void put_drop(void *user, const struct api_drop *d)
{
	static const char *const names[DROP_REASON_MAX] = {
#define DROP_REASON(number, name, event, text) [number] = #name,
#include "abi/drop_reasons.def"
#undef DROP_REASON
	};
	struct route_call *c = user;
	const struct host *h = host_by_number(c->model, d->host);
	const char *name = d->reason < DROP_REASON_MAX ? names[d->reason] : NULL;
	char number[24];

	if (!h)
		return;
	snprintf(number, sizeof(number), "REASON_%u", d->reason);
	buf_put_printf(
		c->text,
		"viaduct_dropped_packets_total{host=\"%s\",interface=\"%s\",reason=\"%s\"} %llu\n",
		h->name, d->interface_id ? d->interface_id : "", name ? name : number,
		(unsigned long long)d->packets);
}

static void put_drops(struct route_call *c)
{
	metrics_head(
		c, "dropped_packets_total", "counter",
		"Packets dropped, by reason; the interface is empty for those from the substrate.");
	c->api->live->drops(c->api->live->data, put_drop, c);
}

static uint64_t tx_packets(const struct usage *u)
{
	return u->sum.tx_packets;
}

static uint64_t tx_bytes(const struct usage *u)
{
	return u->sum.tx_bytes;
}

static uint64_t rx_packets(const struct usage *u)
{
	return u->sum.rx_packets;
}

static uint64_t rx_bytes(const struct usage *u)
{
	return u->sum.rx_bytes;
}

static void put_interface_values(struct route_call *c, const char *name, const char *help,
				 uint64_t (*value)(const struct usage *u))
{
	struct model_iter it = model_iter_kind(c->model, KIND_INTERFACE);
	char id[ID_TEXT_SIZE];
	const struct object *o;
	struct usage u;

	metrics_head(c, name, "counter", help);
	while ((o = model_iter_next(&it)))
		if (c->api->live->usage(c->api->live->data, o->id, &u))
			buf_put_printf(c->text, "viaduct_%s{interface=\"%s\"} %llu\n", name,
				       object_id_text(o, id), (unsigned long long)value(&u));
}

static void put_interfaces(struct route_call *c)
{
	if (model_count(c->model, KIND_INTERFACE) > LIMIT_API_METRICS_INTERFACES)
		return;
	put_interface_values(c, "interface_sent_packets_total", "From the node.", tx_packets);
	put_interface_values(c, "interface_sent_bytes_total", "From the node.", tx_bytes);
	put_interface_values(c, "interface_received_packets_total", "To the node.", rx_packets);
	put_interface_values(c, "interface_received_bytes_total", "To the node.", rx_bytes);
}

int route_metrics(struct route_call *c)
{
	int r;

	c->content_type = "text/plain; version=0.0.4; charset=utf-8";
	put_manager(c);
	put_hosts(c);
	r = metrics_pairs(c);
	if (r)
		return r;
	metrics_traffic(c);
	put_drops(c);
	put_interfaces(c);
	return 0;
}
