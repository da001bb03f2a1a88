/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "manager/manager.h"
#include "manager/sessions.h"
#include "store/store.h"
#include "wire/session.h"

static void live_status(void *data, struct api_status_live *ret)
{
	struct live *live = data;
	struct manager *manager = live->manager;
	const char *text;
	int error = journal_error(manager->journal, &text);

	*ret = (struct api_status_live){
		.cluster_id = manager->cluster_id,
		.durable_revision = journal_durable(manager->journal),
		.store_kind = manager->store_kind,
		.store_error = error ? text : NULL,
	};
}

static void live_host(void *data, uint32_t number, struct api_host_live *ret)
{
	struct live *live = data;
	const struct agent *agent = agents_find(&live->manager->agents, number);

	*ret = (struct api_host_live){.state = API_HOST_NEVER};
	if (!agent)
		return;
	ret->revision = agent->acknowledged;
	ret->reported_ms = agent->can_ms;
	ret->told = agent->n_resolved;
	ret->refused = agent->n_refused;
	if (agent->stats && *agent->stats->lost_tables)
		ret->lost_tables = agent->stats->lost_tables;
	ret->lacks_nothing = agent->was_connected && !agent->needs_full &&
			     !outbox_count(&agent->outbox) &&
			     !journal_is_pending(live->manager->journal);
	if (agent->session) {
		ret->state = API_HOST_CONNECTED;
		ret->seen_ms = clock_wall_ms(live->manager->clock);
		ret->address = session_peer_addr(agent->session);
		ret->software = agent->software;
	} else if (agent->was_connected) {
		ret->state = API_HOST_DISCONNECTED;
		ret->seen_ms = agent->since_ms;
		ret->software = agent->software;
	}
}

struct drops {
	void (*fn)(void *user, const struct api_drop *drop);
	void *user;
};

static void tell_drops(const struct drops *drops, uint32_t host, const char *interface_id,
		       Viaduct__Agent__DropCount *const *counts, size_t n)
{
	struct api_drop drop = {.host = host, .interface_id = interface_id};

	for (size_t i = 0; i < n; i++) {
		drop.reason = counts[i]->reason;
		drop.packets = counts[i]->packets;
		if (drop.packets)
			drops->fn(drops->user, &drop);
	}
}

static struct api_pair_live pair_of(const Viaduct__Agent__PeerStats *p)
{
	return (struct api_pair_live){
		.sealed_packets = p->sealed_packets,
		.sealed_bytes = p->sealed_bytes,
		.opened_packets = p->opened_packets,
		.opened_bytes = p->opened_bytes,
		.saved_bytes = p->saved_bytes,
		.held_back = p->held_back,
	};
}

static bool live_pair(void *data, uint32_t from, uint32_t to, struct api_pair_live *ret)
{
	struct live *live = data;
	const struct agent *agent = agents_find(&live->manager->agents, from);
	const Viaduct__Agent__Stats *stats = agent ? agent->stats : NULL;

	for (size_t i = 0; stats && i < stats->n_peers; i++) {
		if (stats->peers[i]->number != to)
			continue;
		*ret = pair_of(stats->peers[i]);
		return true;
	}
	return false;
}

static void live_pairs(void *data, uint32_t from,
		       void (*fn)(void *user, uint32_t to, const struct api_pair_live *l),
		       void *user)
{
	struct live *live = data;
	const struct agent *agent = agents_find(&live->manager->agents, from);
	const Viaduct__Agent__Stats *stats = agent ? agent->stats : NULL;

	for (size_t i = 0; stats && i < stats->n_peers; i++) {
		const struct api_pair_live l = pair_of(stats->peers[i]);

		fn(user, stats->peers[i]->number, &l);
	}
}

static void live_drops(void *data, void (*fn)(void *user, const struct api_drop *drop), void *user)
{
	const struct drops drops = {.fn = fn, .user = user};
	struct live *live = data;
	const Viaduct__Agent__Stats *stats;
	struct agent *agent;

	hmap_for_each (agent, &live->manager->agents.by_number, by_number) {
		stats = agent->stats;
		if (!stats)
			continue;
		tell_drops(&drops, agent->number, NULL, stats->host_drops, stats->n_host_drops);
		for (size_t i = 0; i < stats->n_interfaces; i++)
			tell_drops(&drops, agent->number, stats->interfaces[i]->id,
				   stats->interfaces[i]->drops, stats->interfaces[i]->n_drops);
	}
}

static void live_traffic(void *data, void (*fn)(void *user, const struct api_traffic *t),
			 void *user)
{
	struct live *live = data;
	struct agent *agent;

	hmap_for_each (agent, &live->manager->agents.by_number, by_number) {
		for (size_t i = 0; agent->stats && i < agent->stats->n_formats; i++) {
			const Viaduct__Agent__FormatStats *s = agent->stats->formats[i];
			const struct api_traffic t = {
				.host = agent->number,
				.format = s->format,
				.sent_packets = s->tx_packets,
				.sent_bytes = s->tx_bytes,
				.received_packets = s->rx_packets,
				.received_bytes = s->rx_bytes,
			};

			fn(user, &t);
		}
	}
}

static bool live_usage(void *data, uint64_t interface, struct usage *ret)
{
	const struct live *live = data;

	return metering_get(live->manager, interface, ret);
}

static int live_probe(void *data, uint32_t number)
{
	struct live *live = data;
	struct agent *agent = agents_find(&live->manager->agents, number);

	return agent ? sessions_ask_capabilities(agent) : -ENOTCONN;
}

static const char *const *live_managers(void *data)
{
	const struct live *live = data;

	return live->advertised;
}

static int live_issue(void *data, const char *host_id, struct api_bundle *ret)
{
	struct live *live = data;
	struct pki_validity validity = {clock_wall_ms(live->manager->clock),
					LIMIT_HOST_CERTIFICATE_DAYS};
	struct pki_pair pair;
	char *ca;
	int r;

	r = pki_make_host(live->ca, host_id, validity, &pair);
	if (r)
		return r;
	ca = strdup(live->ca->certificate);
	if (!ca) {
		pki_pair_deinit(&pair);
		return -ENOMEM;
	}
	*ret = (struct api_bundle){
		.ca = ca,
		.certificate = pair.certificate,
		.key = pair.key,
		.cluster_id = live->manager->cluster_id,
	};
	return 0;
}

static int live_flow_records(void *data, uint64_t flow_log, uint64_t place, size_t most,
			     struct buf *b, uint64_t *ret_next)
{
	struct live *live = data;

	return flow_intake_read(live->manager, flow_log, place, most, b, ret_next);
}

struct api_live live_api(struct live *live)
{
	return (struct api_live){
		.data = live,
		.status = live_status,
		.host = live_host,
		.drops = live_drops,
		.traffic = live_traffic,
		.pair = live_pair,
		.pairs = live_pairs,
		.usage = live_usage,
		.probe = live_probe,
		.managers = live_managers,
		.issue = live_issue,
		.flow_records = live_flow_records,
	};
}
