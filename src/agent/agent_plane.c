/* SPDX-License-Identifier: Apache-2.0 */
/* An agent and its data plane: opened as the manager says who the host is, adopted, closed. */
#include <stdio.h>

#include "agent/agent.h"
#include "base/log.h"
#include "base/str.h"

void agent_close_plane(struct agent *a)
{
	upcalls_close(a);
	report_close(a);
	copies_close(a);
	flows_close(a);
	miss_set_datapath(&a->miss, NULL);
	cache_abandon(&a->cache);
	nexthops_set_datapath(&a->nexthops, NULL);
	ports_clear(&a->ports);
	a->reconcile.dp = NULL;
	nodes_set_datapath(&a->nodes, NULL);
	sealing_set_datapath(&a->sealing, NULL);
	sealed_paths_run(&a->sealed_paths, false);
	a->dp = datapath_close(a->dp);
}

static int agent_note_nexthop(const struct dp_peer *peer, void *arg)
{
	struct agent *a = arg;

	if (peer->nexthop)
		nexthops_note_old(&a->nexthops, peer->nexthop);
	return 0;
}

/* Takes over what is in the data plane. */
static int agent_adopt_plane(struct agent *a)
{
	int e;

	nexthops_set_datapath(&a->nexthops, a->dp);
	miss_set_datapath(&a->miss, a->dp);
	a->reconcile.dp = a->dp;
	nodes_set_datapath(&a->nodes, a->dp);
	sealing_set_datapath(&a->sealing, a->dp);
	sealed_paths_run(&a->sealed_paths, true);
	a->reconcile.opening++;
	e = datapath_peers(a->dp, agent_note_nexthop, a);
	if (!e)
		e = ports_adopt(&a->ports, a->dp);
	if (!e)
		e = cache_adopt(&a->cache, a->dp);
	if (!e)
		e = upcalls_open(a);
	if (!e)
		e = report_open(a);
	if (!e)
		e = copies_open(a);
	if (!e)
		flows_open(a);
	return e;
}

/* The configuration of the data plane as the manager says who we are. */
static struct dp_config agent_plane_config(const struct agent *a)
{
	struct dp_config config = a->config.dp;

	config.defer = true;
	config.siit1 = a->desired.host.siit1;
	config.siit2 = a->desired.host.siit2;
	config.labels = a->desired.host.labels;
	config.v4 = a->desired.host.v4;
	config.v6 = a->desired.host.v6;
	if (!a->desired.host.edge)
		config.uplink_ifindex = 0;
	return config;
}

static bool agent_plane_equal(const struct dp_config *a, const struct dp_config *b)
{
	return prefix_equal(&a->siit1, &b->siit1) && prefix_equal(&a->siit2, &b->siit2) &&
	       prefix_equal(&a->labels, &b->labels) && ipaddr_equal(&a->v4, &b->v4) &&
	       ipaddr_equal(&a->v6, &b->v6) && a->uplink_ifindex == b->uplink_ifindex;
}

const char *agent_role_error(const struct agent *a)
{
	if (!a->desired.host.set || a->desired.host.edge == !!a->config.dp.uplink_ifindex)
		return NULL;
	return a->desired.host.edge
		       ? "the manager calls this host an edge: run its agent with role = edge and "
			 "uplink = IFNAME"
		       : "the manager does not call this host an edge: register it with \"viaduct "
			 "host add NAME --edge\", or run its agent without role = edge";
}

static int agent_open_backend(struct agent *a, const struct dp_config *config, bool *ret_adopted)
{
	const struct agent_backend *backend = a->config.backend;
	int e = backend->open(backend->arg, config, &a->dp, ret_adopted);

	if (e != -EINVAL)
		return e;
	/* What is pinned is of other sizes, or a layout that cannot be converted: nothing of it can
	 * be kept. */
	log_warn("data plane of another configuration is replaced: all connections and counters "
		 "are lost",
		 LOG_STR("name", config->name));
	(void)!str_copy(a->lost, sizeof(a->lost), "all");
	e = backend->destroy(backend->arg, config);
	if (e)
		return e;
	return backend->open(backend->arg, config, &a->dp, ret_adopted);
}

/* What became of tables that have another layout in this build. */
static void agent_note_adoption(struct agent *a)
{
	struct dp_adoption adoption;

	datapath_adoption(a->dp, &adoption);
	if (adoption.n_changed)
		log_info("tables have another layout in this version",
			 LOG_U64("tables", adoption.n_changed));
	if (!*adoption.lost)
		return;
	log_err("tables began empty: this version cannot read what the last one left in them",
		LOG_STR("tables", adoption.lost));
	(void)!str_copy(a->lost, sizeof(a->lost), adoption.lost);
}

static uint32_t agent_formats_of(const struct dp_peer *p)
{
	uint32_t formats = p->accept | FORMAT_BIT(p->send);

	for (int i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		formats |= p->accept_sealed[i];
	return formats & ~(uint32_t)FORMAT_BIT(FORMAT_NONE) & ~(uint32_t)SEAL_ACCEPT_LZ4;
}

/* Formats that a peer may still come with, or that packets to it go by. */
static uint32_t agent_formats_in_use(const struct agent *a)
{
	const struct desired_peer *p;
	uint32_t formats = 0;

	hmap_for_each (p, &a->desired.peers, node)
		formats |= agent_formats_of(&p->dp);
	return formats;
}

static void agent_note_activated(struct agent *a, const struct dp_adoption *adoption)
{
	a->active = true;
	if (adoption->n_left_out)
		log_warn("entries of tables found no room in their new layout",
			 LOG_U64("entries", adoption->n_left_out));
}

void agent_activate(struct agent *a)
{
	uint32_t lacking =
		a->config.dp.formats ? agent_formats_in_use(a) & ~a->config.dp.formats : 0;
	struct dp_adoption adoption;
	int e;

	if (!a->dp || a->active)
		return;
	datapath_adoption(a->dp, &adoption);
	/* programs that do not share all tables with this agent do not hear what changes */
	if (lacking && !adoption.n_changed) {
		if (lacking != a->lacking)
			log_info("the programs of another build go on until no peer needs what "
				 "this one lacks",
				 LOG_U64("formats", lacking));
		a->lacking = lacking;
		return;
	}
	if (lacking)
		log_warn("peers need what the programs of this version lack until the manager has "
			 "changed that",
			 LOG_U64("formats", lacking));
	e = datapath_activate(a->dp);
	datapath_adoption(a->dp, &adoption);
	if (e)
		log_err("programs not replaced", LOG_ERRNO(e));
	else
		agent_note_activated(a, &adoption);
}

int agent_open_plane(struct agent *a)
{
	struct dp_config config = agent_plane_config(a);
	bool adopted = false;
	int e;

	if (a->dp && agent_plane_equal(&config, &a->dp_config))
		return 0;
	if (!a->desired.host.set) {
		(void)!str_copy(a->plane_error, sizeof(a->plane_error),
				"the manager has not said which host this is");
		return -ENOENT;
	}
	if (a->dp)
		agent_close_plane(a);
	e = agent_open_backend(a, &config, &adopted);
	if (!e) {
		e = agent_adopt_plane(a);
		if (e)
			agent_close_plane(a);
	}
	if (e) {
		snprintf(a->plane_error, sizeof(a->plane_error),
			 "the data plane cannot be opened: %s",
			 strerrordesc_np(-e) ?: "unknown error");
		log_err("data plane not open", LOG_ERRNO(e));
		return e;
	}
	a->dp_config = config;
	a->active = !adopted;
	agent_note_adoption(a);
	*a->plane_error = '\0';
	if (a->link.state == LINK_UP)
		cache_connected(&a->cache, a->cache.lease_s);
	log_info("data plane open", LOG_STR("adopted", adopted ? "yes" : "no"),
		 LOG_U64("ports", hmap_count(&a->ports.by_id)),
		 LOG_U64("mappings", hmap_count(&a->cache.mappings)));
	return 0;
}
