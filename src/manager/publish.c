/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/publish.h"

#include "base/limits.h"
#include "base/log.h"
#include "manager/heir.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "manager/note.h"
#include "manager/preload.h"
#include "manager/sessions.h"
#include "manager/updates.h"
#include "manager/upkeep.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "model/plan.h"
#include "wire/session.h"

static void changed(const struct change *change, void **ret_note, void *data)
{
	*ret_note = note_new(data, change);
}

/* Differences were lost: sessions begin anew, with everything. */
static void restart_all(struct manager *manager)
{
	struct agent *agent;

	log_err("no memory to note a change: all hosts resync");
	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		outbox_clear(&agent->outbox);
		agent->needs_full = true;
		if (agent->session)
			session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
				      "resync");
	}
}

static void apply_hosts(struct manager *manager, struct note *note)
{
	struct note_host *host;
	struct agent *agent;

	list_for_each (host, &note->hosts, node) {
		agent = agents_find(&manager->agents, host->number);
		if (!host->removed && !agent) {
			if (agents_add(&manager->agents, host->number, AGENTS_NOTHING))
				log_err("no memory for a new host", LOG_U64("host", host->number));
		} else if (host->removed && agent) {
			sessions_remove(manager, agent);
			holders_remove_host(model_holders(manager->model), host->number);
			manager->releases_due = true;
			agents_remove(&manager->agents, agent);
		}
	}
}

static void apply_item(struct manager *manager, const struct note *note, struct note_item *item)
{
	struct agent *agent = agents_find(&manager->agents, item->host);

	if (!agent || agent->needs_full || note->revision <= agent->planned)
		return;
	agent->urgent |= !note->steps;
	if (outbox_put(&agent->outbox, TAKE_PTR(item->item)) ||
	    (!agent->session && outbox_count(&agent->outbox) > LIMIT_OUTBOX_AWAY)) {
		outbox_clear(&agent->outbox);
		agent->needs_full = true;
	}
	publish_mark(manager, agent);
}

static void apply_preload(struct manager *manager, uint64_t revision,
			  const struct note_preload *preload)
{
	struct agent *agent = agents_find(&manager->agents, preload->host);

	if (agent)
		preload_check(manager, agent, preload->vni, revision);
}

static void durable(uint64_t revision, void *data_note, void *data)
{
	struct manager *manager = data;
	struct note *note = data_note;
	struct note_parting *parting;
	struct note_heritage *heritage;
	struct note_preload *preload;
	struct note_item *item;
	struct note_mapping *mapping;
	struct agent *agent;

	if (!note || note->incomplete) {
		restart_all(manager);
	} else {
		apply_hosts(manager, note);
		list_for_each (item, &note->items, node)
			apply_item(manager, note, item);
		list_for_each (preload, &note->preloads, node)
			apply_preload(manager, revision, preload);
		list_for_each (heritage, &note->heritages, node)
			heir_begin(manager, &heritage->heritage, revision);
		list_for_each (mapping, &note->mappings, node)
			updates_publish(manager, &mapping->now);
		list_for_each (parting, &note->partings, node)
			updates_part(manager, parting->vni, parting->other_vni, revision);
	}
	/* Whole states that waited for this revision may leave. */
	if (revision <= manager->planned) {
		hmap_for_each (agent, &manager->agents.by_number, by_number)
			if (agent->full && agent->session)
				publish_mark(manager, agent);
	}
	intake_durable(manager, revision);
	upkeep_durable(manager);
	deferred_schedule(&manager->flush);
	note_free(note);
}

static void undone(void *note, void *data)
{
	note_free(note);
}

static void recovered(void *data)
{
	struct manager *manager = data;
	uint64_t revision = journal_durable(manager->journal);
	struct agent *agent;

	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		if (agent->planned > revision) {
			outbox_clear(&agent->outbox);
			agent->planned = 0;
			agent->full = false;
			agent->needs_full = true;
		}
		if (agent->session && agent->shown > revision)
			session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
				      "the store failed: resync");
	}
	intake_undone(manager);
	upkeep_undone(manager);
	preload_review(manager);
}

struct journal_observer publish_observer(struct manager *manager)
{
	return (struct journal_observer){
		.changed = changed,
		.durable = durable,
		.undone = undone,
		.recovered = recovered,
		.data = manager,
	};
}

struct filling {
	const struct manager *manager;
	struct agent *agent;
};

static int fill_outbox(void *data, uint32_t number, const struct plan_item *plan)
{
	const struct filling *filling = data;
	struct agent *agent = filling->agent;
	struct outbox_item *item;
	int r = outbox_item_new(plan, agent->planned, &filling->manager->keyring, number, &item);

	return r ? r : outbox_put(&agent->outbox, item);
}

/* Puts the host's whole state, as the model shows it now, into its outbox. */
static int plan_everything(struct manager *manager, struct agent *agent)
{
	int r;

	outbox_clear(&agent->outbox);
	agent->planned = model_revision(manager->model);
	agent->base = agent->planned;
	if (manager->planned < agent->planned)
		manager->planned = agent->planned;
	if (agent->shown < agent->planned)
		agent->shown = agent->planned;
	r = plan_full(manager->model, agent->number, fill_outbox,
		      &(struct filling){manager, agent});
	if (r) {
		outbox_clear(&agent->outbox);
		return r;
	}
	agent->needs_full = false;
	agent->full = true;
	return 0;
}

void publish_begin(struct manager *manager, struct agent *agent, uint64_t revision,
		   uint64_t cluster_id)
{
	bool known =
		cluster_id == manager->cluster_id && revision <= journal_durable(manager->journal);

	agent->acknowledged = known ? revision : 0;
	host_set_acknowledged(manager->model, agent->number, agent->acknowledged);
	if (!known || revision < agent->base || !revision)
		agent->needs_full = true;
	if (!agent->needs_full) {
		agent->full = false;
		outbox_acknowledge(&agent->outbox, revision);
		outbox_rewind(&agent->outbox);
	}
	agent->confirm = true;
	agent->urgent = true;
	publish_mark(manager, agent);
}

void publish_acknowledge(struct manager *manager, struct agent *agent, uint64_t revision)
{
	if (revision > journal_durable(manager->journal)) {
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "it acknowledged what has never been");
		return;
	}
	/* Of a manager before this one, perhaps: this one will hear of what it sends itself. */
	if (revision > agent->sent)
		return;
	if (revision > agent->acknowledged)
		agent->acknowledged = revision;
	host_set_acknowledged(manager->model, agent->number, agent->acknowledged);
	outbox_acknowledge(&agent->outbox, revision);
}

void publish_mark(struct manager *manager, struct agent *agent)
{
	list_remove(&agent->in_dirty); /* also from those that wait */
	list_push_back(&manager->dirty, &agent->in_dirty);
	deferred_schedule(&manager->flush);
}

/* Returns how many items it has planned and sent. */
static size_t send_desired(struct manager *manager, struct agent *agent)
{
	uint64_t revision = journal_durable(manager->journal);
	size_t n = 0;
	int r = 0;

	if (agent->needs_full) {
		r = plan_everything(manager, agent);
		n = agent->outbox.n_unsent;
	}
	if (!r && agent->full && agent->planned > revision)
		return n; /* until it is durable */
	if (!r && !agent->full && !agent->outbox.n_unsent && !agent->confirm)
		return n;
	if (!r && pace_hold(manager, agent))
		return n;
	n += agent->outbox.n_unsent;
	buf_reset(&manager->scratch);
	if (!r)
		r = outbox_pack(&agent->outbox, revision, agent->full, &manager->scratch);
	if (!r)
		r = session_send_bytes(agent->session, buf_data(&manager->scratch),
				       buf_size(&manager->scratch));
	if (r == -ENOBUFS || r == -ENOTCONN)
		return n; /* the session is ending */
	if (r) {
		log_err("desired state not sent", LOG_U64("host", agent->number), LOG_ERRNO(r));
		agent->needs_full = true;
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
			      "the desired state could not be sent");
		return n;
	}
	agent->sent = revision;
	agent->full = false;
	agent->confirm = false;
	pace_told(manager, agent);
	return n;
}

void publish_flush(struct manager *manager)
{
	uint64_t begun = clock_mono_ns(manager->clock);
	struct agent *agent;
	size_t n = 0;

	updates_packed_reset(&manager->packed);
	while (n < LIMIT_PUBLISH_TURN_ITEMS &&
	       (agent = list_first(&manager->dirty, struct agent, in_dirty))) {
		list_remove(&agent->in_dirty);
		if (!agent->session)
			continue;
		n += send_desired(manager, agent);
		preload_fill(manager, agent);
		heir_fill(manager, agent);
		updates_flush(manager, agent);
		if (clock_mono_ns(manager->clock) - begun > LIMIT_PUBLISH_TURN_NS)
			break;
	}
	if (!list_empty(&manager->dirty))
		deferred_schedule(&manager->flush);
}

void publish_tick(struct manager *manager)
{
	uint64_t revision = journal_durable(manager->journal);
	struct agent *agent;

	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		if (!agent->session || agent->sent >= revision || agent->needs_full || agent->full)
			continue;
		if (!host_waits(manager->model, agent->number, revision))
			continue;
		agent->confirm = true;
		agent->urgent |= host_waits_for_objects(manager->model, agent->number, revision);
		publish_mark(manager, agent);
	}
	preload_tick(manager);
}
