/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <stdio.h>
#include <string.h>

#include "agent/convert.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"

enum { AGENT_PROTOCOL_MIN = 1, AGENT_PROTOCOL_MAX = 1 };

uint64_t agent_now(const struct agent *a)
{
	return clock_mono_ns(loop_clock(a->loop));
}

/* ---- the link ---- */

/* Every mapping that is held, as the Hello wants it. */
static int agent_write_held(const struct agent *a, struct arena *arena,
			    Viaduct__Agent__Hello *hello)
{
	const struct mapping *m;

	hello->held =
		arena_alloc_array(arena, hmap_count(&a->cache.mappings) + 1, sizeof(*hello->held));
	if (!hello->held)
		return -ENOMEM;
	hmap_for_each (m, &a->cache.mappings, node) {
		Viaduct__Agent__HeldMapping *held;

		if (!mapping_is_held(m))
			continue;
		held = arena_alloc(arena, sizeof(*held));
		if (!held)
			return -ENOMEM;
		viaduct__agent__held_mapping__init(held);
		held->vni = m->vni;
		held->addr = convert_bytes(&m->addr);
		held->revision = m->revision;
		hello->held[hello->n_held++] = held;
	}
	return 0;
}

static void agent_describe(const struct agent *a, Viaduct__Agent__Capabilities *m)
{
	probe_describe(&a->probe, m);
	m->incarnation = a->sealing.incarnation;
}

static int agent_greet(struct session *session, void *arg)
{
	struct agent *a = arg;
	_cleanup_arena_ struct arena arena;
	Viaduct__Agent__Hello hello = VIADUCT__AGENT__HELLO__INIT;
	Viaduct__Agent__Capabilities capabilities;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	arena_init(&arena, LIMIT_WIRE_DECODE_SIZE);
	agent_describe(a, &capabilities);
	hello.protocol_min = AGENT_PROTOCOL_MIN;
	hello.protocol_max = AGENT_PROTOCOL_MAX;
	hello.host_id = (char *)(uintptr_t)a->config.host_id;
	hello.boot_id.data = a->config.boot_id;
	hello.boot_id.len = sizeof(a->config.boot_id);
	hello.software = (char *)(uintptr_t) "viaduct-agent " VIADUCT_VERSION;
	hello.capabilities = &capabilities;
	hello.revision = sealing_lacks_keys(&a->desired) ? 0 : a->settled;
	hello.cluster_id = a->cluster_id;
	hello.preloads = true;
	e = agent_write_held(a, &arena, &hello);
	if (e)
		return e;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_HELLO;
	frame.hello = &hello;
	return session_send(session, &frame);
}

void agent_send_capabilities(struct agent *a)
{
	Viaduct__Agent__Capabilities capabilities;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	agent_describe(a, &capabilities);
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_CAPABILITIES;
	frame.capabilities = &capabilities;
	(void)!link_send(&a->link, &frame); /* without a session the next Hello says it */
}

static void agent_on_up(const Viaduct__Agent__Welcome *welcome, void *arg)
{
	struct agent *a = arg;

	if (a->cluster_id && a->cluster_id != welcome->cluster_id)
		log_warn("another cluster: everything will be replaced",
			 LOG_U64("was", a->cluster_id), LOG_U64("is", welcome->cluster_id));
	if (a->cluster_id != welcome->cluster_id)
		a->revision = a->settled = 0;
	a->cluster_id = welcome->cluster_id;
	a->takes_pending = welcome->pending;
	a->sealing.bound = welcome->incarnations;
	if (welcome->stale)
		stale_begin(&a->stale);
	cache_connected(&a->cache, welcome->lease_seconds);
	questions_connected(&a->questions);
	probe_set_interval(&a->probe, welcome->probe_seconds);
	report_set_interval(a, welcome->stats_seconds);
	/* What happened to the instances meanwhile; also tries again what failed. */
	if (a->desired.host.set)
		sync_full(a);
}

static void agent_on_down(void *arg)
{
	struct agent *a = arg;

	cache_disconnected(&a->cache);
	questions_disconnected(&a->questions);
	stale_end(&a->stale);
	handoff_end(&a->handoff);
}

static void agent_on_frame(const Viaduct__Agent__Frame *frame, void *arg)
{
	struct agent *a = arg;

	switch (frame->body_case) {
	case VIADUCT__AGENT__FRAME__BODY_DESIRED:
		sync_desired(a, frame->desired);
		break;
	case VIADUCT__AGENT__FRAME__BODY_RESOLVED:
		if (questions_answered(&a->questions, frame->resolved))
			log_warn("answer does not fit its question",
				 LOG_U64("seq", frame->resolved->seq));
		break;
	case VIADUCT__AGENT__FRAME__BODY_UPDATE:
		sync_update(a, frame->update);
		break;
	case VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST:
		probe_start(&a->probe);
		break;
	case VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_READ:
		handoff_tell(&a->handoff, frame->translations_read);
		break;
	case VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITE:
		handoff_take(&a->handoff, frame->translations_write);
		break;
	case VIADUCT__AGENT__FRAME__BODY_FLOW_ACK:
		flows_acknowledged(a, frame->flow_ack);
		break;
	case VIADUCT__AGENT__FRAME__BODY_CERTIFICATE:
		if (a->config.renew)
			a->config.renew(a->config.renew_arg, frame->certificate);
		break;
	default:
		/* A newer manager's, or one that only managers receive: not for us to judge. */
		log_debug("frame ignored", LOG_STR("frame", frame_name(frame)));
	}
}

/* ---- what the parts ask of each other ---- */

static int agent_send(const Viaduct__Agent__Frame *frame, void *arg)
{
	struct agent *a = arg;

	return link_send(&a->link, frame);
}

static void agent_on_orphan(const struct answer *answer, void *arg)
{
	struct agent *a = arg;

	if (!a->dp || miss_learn(&a->miss, answer))
		log_debug("late answer not kept");
}

void agent_release(struct agent *a, uint32_t vni, const struct ipaddr *addr, uint64_t revision)
{
	Viaduct__Agent__HeldMapping held = VIADUCT__AGENT__HELD_MAPPING__INIT;
	Viaduct__Agent__HeldMapping *pointers[] = {&held};
	Viaduct__Agent__Released released = VIADUCT__AGENT__RELEASED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	held.vni = vni;
	held.addr = convert_bytes(addr);
	held.revision = revision;
	released.n_mappings = 1;
	released.mappings = pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RELEASED;
	frame.released = &released;
	(void)!link_send(&a->link, &frame); /* without a session the next Hello says it */
}

static void agent_on_released(const struct mapping *m, void *arg)
{
	agent_release(arg, m->vni, &m->addr, m->revision);
}

static void agent_on_unwanted(const struct answer *answer, void *arg)
{
	agent_release(arg, answer->vni, &answer->addr, answer->revision);
}

/* An edge receives for the world outside; whoever it is there, it asks for itself. */
static bool agent_is_inside(const struct agent *a, uint32_t vni, const struct ipaddr *addr)
{
	const struct desired_subnet *s;

	hmap_for_each (s, &a->desired.subnets, node)
		if (s->dp.vni == vni && prefix_contains(&s->dp.prefix, addr))
			return true;
	return false;
}

static int agent_asker(const struct dp_upcall *u, struct ipaddr *ret, void *arg)
{
	static const struct ipaddr nobody;
	const struct agent *a = arg;
	const struct port *p;

	if (u->kind == DP_UPCALL_VERIFY) {
		*ret = a->desired.host.edge && !agent_is_inside(a, u->vni, &u->dst) ? nobody
										    : u->dst;
		return 0;
	}
	if (!u->port && a->desired.host.edge) {
		*ret = nobody;
		return 0;
	}
	p = ports_find(&a->ports, u->port);
	if (!p || !p->dp.n_addrs)
		return -ENOENT;
	*ret = p->dp.addrs[0];
	return 0;
}

static int agent_peer(uint32_t number, uint32_t *ret_peer, void *arg)
{
	const struct agent *a = arg;

	if (number == a->desired.host.number)
		*ret_peer = DP_PEER_SELF;
	else if (desired_find_peer(&a->desired, number))
		*ret_peer = number;
	else
		return -ENOENT;
	return 0;
}

static void agent_drain(void *arg)
{
	upcalls_drain_soon(arg);
}

static void agent_on_moved(uint32_t peer, uint32_t nexthop, void *arg)
{
	struct agent *a = arg;
	struct desired_peer *p = desired_find_peer(&a->desired, reconcile_wanting_peer(peer));
	int e = p ? reconcile_peer(&a->reconcile, p) : 0;

	if (e)
		log_warn("peer not moved to its next hop", LOG_U64("peer", peer),
			 LOG_U64("nexthop", nexthop), LOG_ERRNO(e));
}

static void agent_on_path(uint32_t peer, void *arg)
{
	struct agent *a = arg;
	struct desired_peer *p = desired_find_peer(&a->desired, peer);
	int e = p && a->dp ? reconcile_peer(&a->reconcile, p) : 0;

	if (e)
		log_warn("peer not told of its path MTU", LOG_U64("peer", peer), LOG_ERRNO(e));
}

static void agent_on_instance(const struct instance_status *status, void *arg)
{
	struct agent *a = arg;
	Viaduct__Agent__InstanceStatus m = VIADUCT__AGENT__INSTANCE_STATUS__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	m.id = (char *)(uintptr_t)status->id;
	m.generation = status->generation;
	m.state = status->state;
	m.text = (char *)(uintptr_t)status->text;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS;
	frame.instance_status = &m;
	(void)!link_send(&a->link, &frame); /* told again when the link comes up */
}

static void agent_on_settled(void *arg)
{
	acknowledge_settled(arg);
}

static void agent_on_port(const struct port *port, void *arg)
{
	serve6_greet(arg, port);
}

/* The first probe decides what the Hello says; later ones are told as they come. */
static void agent_on_probed(void *arg)
{
	struct agent *a = arg;

	if (a->link.state == LINK_UP)
		agent_send_capabilities(a);
	link_start(&a->link);
}

/* Without a session the next Hello says it. */
static void agent_on_incarnated(void *arg)
{
	struct agent *a = arg;

	if (a->link.state == LINK_UP)
		agent_send_capabilities(a);
}

/* ---- life ---- */

static const struct link_ops agent_link_ops = {
	.greet = agent_greet,
	.up = agent_on_up,
	.received = agent_on_frame,
	.down = agent_on_down,
};

static const struct miss_ops agent_miss_ops = {
	.asker = agent_asker,
	.peer = agent_peer,
	.drain = agent_drain,
	.learned = uplink_learned,
	.unwanted = agent_on_unwanted,
};

int agent_new(const struct agent_config *config, struct agent **ret)
{
	struct agent *a = calloc(1, sizeof(*a));
	int e;

	if (!a)
		return -ENOMEM;
	a->config = *config;
	a->loop = config->loop;
	desired_init(&a->desired);
	ports_init(&a->ports);
	nexthops_init(&a->nexthops, a->loop, config->kernel, config->kernel_arg, agent_on_moved, a);
	cache_init(&a->cache, a->loop, agent_on_released, a);
	questions_init(&a->questions, a->loop, agent_send, agent_on_orphan, a);
	miss_init(&a->miss, &a->cache, &a->questions, &agent_miss_ops, a);
	nodes_init(&a->nodes, config->driver, reconcile_on_node, &a->reconcile);
	a->reconcile = (struct reconcile){.driver = config->driver,
					  .nodes = &a->nodes,
					  .desired = &a->desired,
					  .ports = &a->ports,
					  .nexthops = &a->nexthops,
					  .cache = &a->cache,
					  .miss = &a->miss,
					  .sealed_paths = &a->sealed_paths,
					  .narrow_paths = &a->narrow_paths,
					  .handoff = &a->handoff,
					  .revision = &a->revision,
					  .status = agent_on_instance,
					  .settled = agent_on_settled,
					  .online = agent_on_port,
					  .arg = a};
	announcer_init(&a->announcer, a->loop, uplink_announce, a, config->dp.uplink_ifindex);
	sealing_init(&a->sealing, a->loop, &a->desired, &config->sealing, agent_on_incarnated, a);
	sealed_paths_init(&a->sealed_paths, a->loop,
			  &(struct sealed_paths){.kernel = config->kernel,
						 .kernel_arg = config->kernel_arg,
						 .desired = &a->desired,
						 .sealing = &a->sealing,
						 .changed = agent_on_path,
						 .arg = a});
	narrow_paths_init(
		&a->narrow_paths, a->loop,
		&(struct narrow_paths){.desired = &a->desired, .changed = agent_on_path, .arg = a});
	stale_init(&a->stale, a->loop, agent_send, a);
	handoff_init(&a->handoff, a->loop, &a->reconcile, agent_send, a);
	link_init(&a->link, a->loop, &config->dialer, &agent_link_ops, a);
	serve_init(a);
	serve6_init(a);
	upcalls_init(a);
	report_init(a);
	flows_init(a);
	sync_init(a);
	acknowledge_init(a);
	devices_init(a);

	const struct probe_spec spec = {.fn = config->backend->probe,
					.fn_arg = config->backend->arg,
					.config = &a->config.dp,
					.disallowed = config->disallowed,
					.required_features = config->required_features,
					.disallowed_features = config->disallowed_features,
					.threaded = config->threaded_probe};

	e = probe_init(&a->probe, a->loop, &spec, agent_on_probed, a);
	if (e) {
		agent_free(a);
		return e;
	}
	sync_load(a);
	probe_start(&a->probe);
	*ret = a;
	return 0;
}

struct agent *agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	/* What is under way with nodes is done to the end of its step; the next agent goes on from
	 * there. */
	driver_halt(a->config.driver);
	devices_deinit(a);
	probe_deinit(&a->probe);
	announcer_deinit(&a->announcer);
	narrow_paths_deinit(&a->narrow_paths);
	sealed_paths_deinit(&a->sealed_paths);
	sealing_deinit(&a->sealing);
	link_deinit(&a->link);
	sync_deinit(a);
	acknowledge_deinit(a);
	if (a->dp)
		agent_close_plane(a);
	serve6_deinit(a);
	serve_deinit(a);
	report_deinit(a);
	flows_deinit(a);
	copies_deinit(a);
	upcalls_deinit(a);
	handoff_deinit(&a->handoff);
	stale_deinit(&a->stale);
	miss_deinit(&a->miss);
	questions_deinit(&a->questions);
	cache_deinit(&a->cache);
	nexthops_deinit(&a->nexthops);
	ports_deinit(&a->ports);
	nodes_deinit(&a->nodes);
	desired_deinit(&a->desired);
	free(a);
	return NULL;
}
