/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/publish.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/heir.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/sessions.h"
#include "manager/updates.h"
#include "manager/upkeep.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "model/peering.h"
#include "model/plan.h"
#include "model/preload.h"
#include "model/vpc.h"
#include "wire/session.h"

/* What a change means for others, until it is durable. */
struct note_item {
	struct list node;
	uint32_t host;
	struct outbox_item *item;
};

struct note_mapping {
	struct list node;
	struct mapping now;
};

struct note {
	struct model *model;
	struct list items;
	struct list mappings;
	bool incomplete; /* no memory: all hosts need their whole state */
	uint64_t revision;
	bool steps;           /* nothing but steps of choices that change */
	struct list hosts;    /* that came or went */
	struct list partings; /* peerings that ended */
	struct list preloads; /* hosts and networks that begin or end to be preloaded there */
	struct list heritages;
};

struct note_heritage {
	struct list node;
	struct heritage heritage;
};

struct note_preload {
	struct list node;
	uint32_t host, vni;
};

struct note_parting {
	struct list node;
	uint32_t vni, other_vni;
};

struct note_host {
	struct list node;
	uint32_t number;
	bool removed;
};

static void note_free(struct note *note)
{
	struct note_item *item;
	struct note_mapping *mapping;
	struct note_parting *parting;
	struct note_heritage *heritage;
	struct note_preload *preload;
	struct note_host *host;

	if (!note)
		return;
	list_for_each (item, &note->items, node) {
		outbox_item_free(item->item);
		free(item);
	}
	list_for_each (mapping, &note->mappings, node) {
		group_set_release(note->model, mapping->now.groups);
		group_set_release(note->model, mapping->now.hosts);
		free(mapping);
	}
	list_for_each (host, &note->hosts, node)
		free(host);
	list_for_each (parting, &note->partings, node)
		free(parting);
	list_for_each (preload, &note->preloads, node)
		free(preload);
	list_for_each (heritage, &note->heritages, node)
		free(heritage);
	free(note);
}

struct noting {
	struct manager *manager;
	struct note *note;
};

/* The subnets of a network that is or was preloaded there say so. */
static int note_preload(const struct noting *noting, uint32_t number, const struct plan_item *plan)
{
	const struct agent *agent = agents_find(&noting->manager->agents, number);
	struct note_preload *last = list_last(&noting->note->preloads, struct note_preload, node);
	struct note_preload *preload;

	if (plan->kind != PLAN_SUBNET || !agent || !agent->session ||
	    (!plan->subnet.preloaded && list_empty(&agent->preloads)))
		return 0;
	/* a network's subnets come one after the other */
	if (last && last->host == number && last->vni == plan->subnet.vni)
		return 0;
	preload = calloc(1, sizeof(*preload));
	if (!preload)
		return -ENOMEM;
	preload->host = number;
	preload->vni = plan->subnet.vni;
	list_push_back(&noting->note->preloads, &preload->node);
	return 0;
}

static int note_plan(void *data, uint32_t number, const struct plan_item *plan)
{
	const struct noting *noting = data;
	const struct agent *agent = agents_find(&noting->manager->agents, number);
	struct note_item *item;
	int r = note_preload(noting, number, plan);

	if (r)
		return r;
	/* Who needs everything anyway does not need this. */
	if (agent && agent->needs_full)
		return 0;
	item = calloc(1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	r = outbox_item_new(plan, noting->note->revision, &noting->manager->keyring, number,
			    &item->item);
	if (r) {
		free(item);
		return r;
	}
	item->host = number;
	list_push_back(&noting->note->items, &item->node);
	return 0;
}

static void note_moved(void *data, const struct mapping *now)
{
	const struct noting *noting = data;
	const struct vpc *v = vpc_by_vni(noting->manager->model, now->vni);
	struct note_mapping *mapping;

	if (!(v && preload_is_marked(v)) &&
	    !holders_any(model_holders(noting->manager->model), now->vni, &now->addr))
		return;
	mapping = calloc(1, sizeof(*mapping));
	if (!mapping) {
		noting->note->incomplete = true;
		return;
	}
	mapping->now = *now;
	group_set_hold(noting->note->model, now->groups);
	group_set_hold(noting->note->model, now->hosts);
	list_push_back(&noting->note->mappings, &mapping->node);
}

static void note_partings(struct note *note, const struct change *change)
{
	for (size_t i = 0; i < change_count(change); i++) {
		struct write write = change_get(change, i);
		const struct peering *before = (const struct peering *)write.before;
		const struct peering *after = (const struct peering *)write.after;
		struct note_parting *parting;

		if (write.kind != KIND_PEERING || !before || before->state != PEERING_ACTIVE ||
		    (after && after->state == PEERING_ACTIVE))
			continue;
		parting = calloc(1, sizeof(*parting));
		if (!parting) {
			note->incomplete = true;
			return;
		}
		parting->vni = before->requester.vni;
		parting->other_vni = before->accepter.vni;
		list_push_back(&note->partings, &parting->node);
	}
}

/* For lack of memory the heir will ask. */
static void note_heritages(struct note *note, const struct change *change)
{
	struct note_heritage *noted;
	struct heritage heritage;
	struct write write;

	for (size_t i = 0; i < change_count(change); i++) {
		write = change_get(change, i);
		if (!heritage_of(note->model, &write, &heritage))
			continue;
		noted = calloc(1, sizeof(*noted));
		if (!noted)
			return;
		noted->heritage = heritage;
		list_push_back(&note->heritages, &noted->node);
	}
}

static void note_hosts(struct note *note, const struct change *change)
{
	struct note_host *host;
	struct write write;

	for (size_t i = 0; i < change_count(change); i++) {
		write = change_get(change, i);
		if (write.kind != KIND_HOST || (write.before && write.after))
			continue;
		host = calloc(1, sizeof(*host));
		if (!host) {
			note->incomplete = true;
			return;
		}
		host->removed = !write.after;
		host->number =
			((const struct host *)(write.after ? write.after : write.before))->number;
		list_push_back(&note->hosts, &host->node);
	}
}

/* Those of choices that change, and those of a pass over all pairs, which begins such ones. */
static bool has_only_steps(const struct change *change)
{
	for (size_t i = 0; i < change_count(change); i++) {
		enum kind k = change_get(change, i).kind;

		if (k != KIND_PAIR_SHIFT && k != KIND_CHOICE_PASS && k != KIND_CHOICE_CHANGE)
			return false;
	}
	return true;
}

static void changed(const struct change *change, void **ret_note, void *data)
{
	struct manager *manager = data;
	struct noting noting = {.manager = manager, .note = calloc(1, sizeof(*noting.note))};

	*ret_note = noting.note;
	if (!noting.note)
		return;
	noting.note->model = manager->model;
	noting.note->revision = change_revision(change);
	noting.note->steps = has_only_steps(change);
	list_init(&noting.note->items);
	list_init(&noting.note->mappings);
	list_init(&noting.note->hosts);
	list_init(&noting.note->partings);
	list_init(&noting.note->preloads);
	list_init(&noting.note->heritages);
	note_partings(noting.note, change);
	note_hosts(noting.note, change);
	note_heritages(noting.note, change);
	plan_mappings(manager->model, change, note_moved, &noting);
	if (plan_change(manager->model, change, note_plan, &noting))
		noting.note->incomplete = true;
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
