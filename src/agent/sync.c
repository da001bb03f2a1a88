/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager says about this host's state, and the answers: Desired -> Ack (acknowledge.c),
 * Update -> UpdateAck, and the snapshot that lets the next life of the agent begin where this one
 * stands.
 *
 * Revisions only grow. A Desired with differences that is older than what was applied cannot be put
 * in its place any more: the session is ended, and the next Hello says that nothing is held, which
 * makes the manager send everything.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/preload.h"
#include "agent/snapshot.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/log_addr.h"

struct sync_keys {
	struct desired_key *items;
	size_t n;
};

/* ---- the snapshot ---- */

static void sync_complain_unsaved(const struct agent *a, int e)
{
	log_err("state not saved: a restart would not know it", LOG_STR("path", a->config.snapshot),
		LOG_ERRNO(e));
}

static void sync_on_save(struct timer *t, void *data)
{
	struct agent *a = data;
	int e = snapshot_write(a->config.snapshot, &a->desired, a->cluster_id, a->revision);

	if (e)
		sync_complain_unsaved(a, e);
}

/* They are taken, and written nowhere.  The message is the decoder's, who frees it as a whole. */
static void sync_hide_keys(const Viaduct__Agent__Desired *m)
{
	for (size_t i = 0; i < m->n_set; i++) {
		const Viaduct__Agent__Object *o = m->set[i];
		Viaduct__Agent__Choice *c = o->object_case == VIADUCT__AGENT__OBJECT__OBJECT_PEER
						    ? o->peer->choice
						    : NULL;

		for (size_t k = 0; c && k < c->n_keys; k++)
			explicit_bzero(c->keys[k]->key.data, c->keys[k]->key.len);
		if (c)
			c->n_keys = 0;
	}
}

/* Before it is applied: an agent that is killed must not come back with less than its programs
 * have. */
static void sync_record(struct agent *a, const Viaduct__Agent__Desired *m)
{
	int e = a->config.snapshot ? snapshot_append(a->config.snapshot, m, a->cluster_id) : 0;

	/* With the file out of the way, the next life takes all from the manager and adopts. */
	if (e && unlink(a->config.snapshot) < 0 && errno != ENOENT)
		sync_complain_unsaved(a, e);
}

/* Soon, but once for many changes: all of it, durably, takes a while. */
static void sync_save_soon(struct agent *a)
{
	if (a->config.snapshot && !timer_armed(&a->save))
		timer_arm_in(&a->save, LIMIT_AGENT_SAVE_MS * CLOCK_NS_PER_MS);
}

/* ---- Desired ---- */

static void sync_note(struct sync_keys *keys, const struct desired_key *key)
{
	keys->items[keys->n++] = *key;
}

/* Takes the objects into the tables; notes the keys of what changed. */
static void sync_take(struct agent *a, const Viaduct__Agent__Desired *m, struct sync_keys *keys,
		      struct failures *failures)
{
	struct desired_key key;
	const char *text;
	int e;

	if (m->full)
		desired_sweep_begin(&a->desired);
	for (size_t i = 0; i < m->n_remove; i++) {
		e = desired_remove(&a->desired, m->remove[i], &key, &text);
		if (e)
			failures_add(failures, &key, e, text);
		else
			sync_note(keys, &key);
	}
	for (size_t i = 0; i < m->n_set; i++) {
		e = desired_set(&a->desired, m->set[i], &key, &text);
		if (e)
			failures_add(failures, &key, e, text);
		else
			sync_note(keys, &key);
	}
	if (m->full)
		desired_sweep_end(&a->desired);
}

static bool sync_names_host(const struct sync_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->items[i].kind == DESIRED_HOST)
			return true;
	return false;
}

static bool sync_names_subnet(const struct sync_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->items[i].kind == DESIRED_SUBNET)
			return true;
	return false;
}

static void sync_apply(struct agent *a, bool full, const struct sync_keys *keys,
		       struct failures *failures)
{
	const bool was_open = a->dp, names_host = sync_names_host(keys);
	bool confirms, all;
	int e = 0;

	if (!was_open || names_host)
		e = agent_open_plane(a);
	agent_tell_fault(a);
	if (names_host)
		devices_host_changed(a);
	if (e) {
		failures_add(failures, &(struct desired_key){.kind = DESIRED_HOST}, e,
			     a->plane_error);
		return;
	}
	if ((full || names_host) && agent_role_error(a))
		failures_add(failures, &(struct desired_key){.kind = DESIRED_HOST}, -EOPNOTSUPP,
			     agent_role_error(a));
	/* the first word of a session, even if it says that nothing has changed */
	confirms = a->link.state == LINK_UP && a->reconcile.remembers;
	if (confirms)
		a->reconcile.remembers = false;
	all = full || !was_open || confirms;
	if (all)
		sealing_plan_all(&a->sealing);
	else
		sealing_plan(&a->sealing, keys->items, keys->n);
	sealing_widen(&a->sealing, failures);
	if (all)
		reconcile_full(&a->reconcile, full || !was_open || keys->n, failures);
	else
		reconcile_some(&a->reconcile, keys->items, keys->n, failures);
	sealing_narrow(&a->sealing, failures);
	agent_activate(a);
	if (full || !was_open || sync_names_subnet(keys))
		preload_networks(a);
	if (confirms)
		uplink_told_all(a);
	else if (a->link.state == LINK_UP)
		uplink_told(a, keys->items, keys->n);
}

/* Ends a session whose frames contradict each other. */
static void sync_start_over(struct agent *a, const char *text)
{
	a->revision = a->settled = 0;
	link_reset(&a->link, text);
}

void sync_desired(struct agent *a, const Viaduct__Agent__Desired *m)
{
	_cleanup_failures_ struct failures failures = {0};
	struct sync_keys keys = {0};

	if (!m->full && m->revision < a->revision) {
		sync_start_over(a, "differences came that are older than what was applied");
		return;
	}
	keys.items = calloc(m->n_set + m->n_remove + 1, sizeof(*keys.items));
	if (!keys.items) {
		sync_start_over(a, "no memory for the desired state");
		return;
	}
	sync_take(a, m, &keys, &failures);
	sync_hide_keys(m);
	sync_record(a, m);
	sync_apply(a, m->full, &keys, &failures);
	free(keys.items);
	a->revision = m->revision;
	log_debug("desired state applied", LOG_U64("revision", m->revision),
		  LOG_U64("set", m->n_set), LOG_U64("failed", failures.n));
	failures_deinit(&a->failures);
	a->failures = failures;
	failures = (struct failures){0};
	acknowledge_now(a);
	sync_save_soon(a);
}

/* What it says is taken, and only the end of it applied. */
static int sync_loaded(uint64_t cluster_id, const Viaduct__Agent__Desired *m, void *arg)
{
	struct agent *a = arg;
	_cleanup_failures_ struct failures failures = {0};
	struct sync_keys keys = {.items = calloc(m->n_set + m->n_remove + 1, sizeof(*keys.items))};

	if (!keys.items)
		return -ENOMEM;
	sync_take(a, m, &keys, &failures);
	free(keys.items);
	a->cluster_id = cluster_id;
	a->revision = m->revision;
	return 0;
}

void sync_load(struct agent *a)
{
	_cleanup_failures_ struct failures failures = {0};
	const struct sync_keys keys = {0};
	int e;

	a->reconcile.remembers = true;
	e = a->config.snapshot ? snapshot_read(a->config.snapshot, sync_loaded, a) : -ENOENT;

	if (e && e != -ENOENT)
		log_warn("saved state not used", LOG_STR("path", a->config.snapshot), LOG_ERRNO(e));
	if (!e)
		sync_apply(a, true, &keys, &failures);
	if (!e && a->dp && !nodes_pending(&a->nodes, NULL))
		a->settled = a->revision;
}

/* The data plane could be opened only now: what was told meanwhile is applied, and acknowledged. */
static void sync_reopened(struct agent *a)
{
	_cleanup_failures_ struct failures failures = {0};

	agent_tell_fault(a);
	sealing_plan_all(&a->sealing);
	sealing_widen(&a->sealing, &failures);
	reconcile_full(&a->reconcile, true, &failures);
	sealing_narrow(&a->sealing, &failures);
	agent_activate(a);
	preload_networks(a);
	failures_deinit(&a->failures);
	a->failures = failures;
	failures = (struct failures){0};
	acknowledge_now(a);
}

void sync_full(struct agent *a)
{
	_cleanup_failures_ struct failures failures = {0};
	const bool was_open = a->dp;

	if (!was_open && agent_open_plane(a)) {
		agent_tell_fault(a);
		return;
	}
	if (!was_open) {
		sync_reopened(a);
		return;
	}
	reconcile_full(&a->reconcile, false, &failures);
	agent_activate(a);
}

void sync_again(struct agent *a)
{
	sync_full(a);
	if (a->link.state == LINK_UP && !a->reconcile.remembers)
		uplink_told_all(a);
}

/* ---- Update ---- */

static void sync_update_one(struct agent *a, const Viaduct__Agent__Mapping *m)
{
	const struct mapping *held;
	struct answer told;
	int e;

	if (answer_read(m, &told)) {
		log_warn("pushed mapping makes no sense", LOG_U64("vni", m->vni));
		return;
	}
	/* that it was out of reach, for a network that has come back */
	if (!m->gone && preload_is_inherited(a, &told))
		cache_drop_negative(&a->cache, told.vni, &told.addr);
	held = cache_find(&a->cache, told.vni, &told.addr);
	if (!held && !miss_is_pending(&a->miss, told.vni, &told.addr)) {
		if (!m->gone)
			preload_take(a, &told);
		return;
	}
	if (m->gone)
		e = held ? cache_gone(&a->cache, told.vni, &told.addr, told.revision) : 0;
	else
		e = miss_learn(&a->miss, &told);
	if (!e)
		return;
	log_warn("pushed mapping not applied", LOG_U64("vni", told.vni),
		 LOG_ADDR("addr", &told.addr), LOG_ERRNO(e));
	/* The old location must not be used any more; the next packet asks. */
	cache_drop(&a->cache, told.vni, &told.addr);
}

void sync_update(struct agent *a, const Viaduct__Agent__Update *m)
{
	Viaduct__Agent__UpdateAck ack = VIADUCT__AGENT__UPDATE_ACK__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	for (size_t i = 0; i < m->n_mappings; i++)
		sync_update_one(a, m->mappings[i]);
	ack.revision = m->revision;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK;
	frame.update_ack = &ack;
	(void)!link_send(&a->link, &frame);
}

/* ---- now and then ---- */

static void sync_on_check(struct timer *t, void *data)
{
	struct agent *a = data;

	timer_arm_in(&a->check, LIMIT_AGENT_CHECK_MS * CLOCK_NS_PER_MS);
	if (!a->dp)
		return;
	reconcile_check(&a->reconcile);
	report_refusals(a);
}

static void sync_on_resync(struct timer *t, void *data)
{
	struct agent *a = data;

	timer_arm_in(&a->resync, LIMIT_AGENT_RESYNC_MS * CLOCK_NS_PER_MS);
	if (a->desired.host.set)
		sync_full(a);
}

void sync_init(struct agent *a)
{
	timer_init(&a->save, a->loop, sync_on_save, a);
	timer_init(&a->check, a->loop, sync_on_check, a);
	timer_init(&a->resync, a->loop, sync_on_resync, a);
	timer_arm_in(&a->check, LIMIT_AGENT_CHECK_MS * CLOCK_NS_PER_MS);
	timer_arm_in(&a->resync, LIMIT_AGENT_RESYNC_MS * CLOCK_NS_PER_MS);
}

void sync_deinit(struct agent *a)
{
	if (timer_armed(&a->save))
		sync_on_save(&a->save, a);
	timer_deinit(&a->save);
	timer_deinit(&a->check);
	timer_deinit(&a->resync);
}
