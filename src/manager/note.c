/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/note.h"

#include <stdlib.h>

#include "manager/manager.h"
#include "model/holders.h"
#include "model/peering.h"
#include "model/plan.h"
#include "model/preload.h"
#include "model/vpc.h"

struct note *note_free(struct note *note)
{
	struct note_item *item;
	struct note_mapping *mapping;
	struct note_parting *parting;
	struct note_heritage *heritage;
	struct note_preload *preload;
	struct note_host *host;

	if (!note)
		return NULL;
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
	return NULL;
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

struct note *note_new(struct manager *manager, const struct change *change)
{
	struct note *note = calloc(1, sizeof(*note));
	struct noting noting = {manager, note};

	if (!note)
		return NULL;
	note->model = manager->model;
	note->revision = change_revision(change);
	note->steps = has_only_steps(change);
	list_init(&note->items);
	list_init(&note->mappings);
	list_init(&note->hosts);
	list_init(&note->partings);
	list_init(&note->preloads);
	list_init(&note->heritages);
	note_partings(note, change);
	note_hosts(note, change);
	note_heritages(note, change);
	plan_mappings(manager->model, change, note_moved, &noting);
	if (plan_change(manager->model, change, note_plan, &noting))
		note->incomplete = true;
	return note;
}
