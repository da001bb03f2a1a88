/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/updates.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/heir.h"
#include "manager/message.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/publish.h"
#include "model/exit.h"
#include "model/holders.h"
#include "model/instance.h"
#include "model/label.h"
#include "model/mapping.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/release.h"
#include "wire/frame.h"
#include "wire/session.h"

struct update {
	struct list node; /* in agent->updates, in order of revision */
	struct model *model;
	struct mapping now; /* holds its groups */
	bool sent;
};

static void update_free(struct agent *agent, struct update *update)
{
	group_set_release(update->model, update->now.groups);
	group_set_release(update->model, update->now.hosts);
	list_remove(&update->node);
	agent->n_updates--;
	agent->n_updates_unsent -= !update->sent;
	free(update);
}

void updates_clear(struct agent *agent)
{
	struct update *update;

	list_for_each (update, &agent->updates, node)
		update_free(agent, update);
}

void updates_queue(struct manager *manager, struct agent *agent, const struct mapping *now)
{
	struct update *update;

	if (!agent->session)
		return;
	update = agent->n_updates < LIMIT_UPDATES_WAITING ? calloc(1, sizeof(*update)) : NULL;
	if (!update) {
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__QUEUE_FULL,
			      "it does not acknowledge updates of mappings");
		return;
	}
	update->model = manager->model;
	update->now = *now;
	group_set_hold(manager->model, now->groups);
	group_set_hold(manager->model, now->hosts);
	list_push_back(&agent->updates, &update->node);
	agent->n_updates++;
	agent->n_updates_unsent++;
	publish_mark(manager, agent);
}

struct fanout {
	struct manager *manager;
	const struct mapping *now;
};

static void tell_holder(void *data, const struct holder *holder)
{
	const struct fanout *fanout = data;
	struct agent *agent = agents_find(&fanout->manager->agents, holder->host);

	if (agent && holder->revision < fanout->now->revision)
		updates_queue(fanout->manager, agent, fanout->now);
}

void updates_publish(struct manager *manager, const struct mapping *now)
{
	struct fanout fanout = {.manager = manager, .now = now};

	struct ipaddr source;

	if (!exit_is(&now->addr, &source)) /* of these every host asks for what it needs */
		preload_tell(manager, now);
	holders_each_of_mapping(model_holders(manager->model), now->vni, &now->addr, tell_holder,
				&fanout);
}

struct parting {
	struct manager *manager;
	struct agent *agent;
	uint32_t vni;
	uint64_t revision;
};

static void withdraw(void *data, const struct holder *holder)
{
	const struct parting *p = data;
	struct mapping gone = {.addr = holder->addr, .vni = holder->vni, .revision = p->revision};

	if (holder->vni == p->vni && holder->revision < p->revision)
		updates_queue(p->manager, p->agent, &gone);
}

/* Who carries 'from' and has no other way to know 'vni'. */
static void part_from(struct manager *manager, uint32_t from, uint32_t vni, uint64_t revision)
{
	struct parting p = {.manager = manager, .vni = vni, .revision = revision};
	const uint32_t *hosts;
	size_t n = model_network_hosts(manager->model, from, &hosts);

	for (size_t i = 0; i < n; i++) {
		p.agent = agents_find(&manager->agents, hosts[i]);
		if (p.agent && !peering_reaches(manager->model, hosts[i], vni))
			holders_each_of_host(model_holders(manager->model), hosts[i], withdraw, &p);
	}
}

void updates_part(struct manager *manager, uint32_t vni, uint32_t other_vni, uint64_t revision)
{
	part_from(manager, vni, other_vni, revision);
	part_from(manager, other_vni, vni, revision);
}

/* As it is now; an exit's (model/exit.h) in 'exit'.  NULL: there is none. */
static const struct mapping *held_mapping(const struct model *m, uint32_t vni,
					  const struct ipaddr *addr, struct mapping *exit)
{
	struct ipaddr source;

	if (!exit_is(addr, &source))
		return mapping_find(model_mappings(m), vni, addr);
	*exit = exit_mapping(m, vni, addr);
	return exit->host ? exit : NULL;
}

void updates_take_held(struct manager *manager, struct agent *agent,
		       const Viaduct__Agent__Hello *hello)
{
	struct holders *holders = model_holders(manager->model);
	uint64_t expires = manager_now_ms(manager) + manager_lease_ms(manager);
	const struct mapping *mapping;
	struct mapping gone = {0}, exit;
	int r = 0;

	holders_remove_host(holders, agent->number);
	for (size_t i = 0; i < hello->n_held && !r; i++) {
		const Viaduct__Agent__HeldMapping *held = hello->held[i];

		if (message_addr(&held->addr, &gone.addr))
			continue;
		r = holders_add(holders, held->vni, &gone.addr, agent->number, held->revision,
				preload_keeps(agent, held->vni) ? HOLDERS_NEVER : expires);
		mapping = held_mapping(manager->model, held->vni, &gone.addr, &exit);
		/* a peering may have ended while it was away */
		if (mapping && !peering_reaches(manager->model, agent->number,
						mapping_network(held->vni, &gone.addr)))
			mapping = NULL;
		if (mapping && mapping->host && mapping->revision == held->revision)
			continue;
		gone.vni = held->vni;
		gone.revision = model_revision(manager->model);
		updates_queue(manager, agent, mapping ? mapping : &gone);
	}
	if (r)
		log_err("holders not remembered", LOG_U64("host", agent->number), LOG_ERRNO(r));
	else
		release_host_known(manager->model, agent->number);
	manager->releases_due = true;
}

/* The address has an owner that is not ending: who knew where it was will want to know where it is
 * again, and not believe for a while that it is nowhere. */
static bool may_come_back(const struct manager *manager, const struct mapping *gone)
{
	const struct interface *i = interface_by_addr(manager->model, gone->vni, &gone->addr);
	const struct nat_gateway *g;
	const struct instance *n;

	if (exit_may_come(manager->model, gone->vni, &gone->addr))
		return true;
	if (!i || !interface_attachment_count(i))
		return i;
	for (size_t k = 0; k < interface_attachment_count(i); k++) {
		n = (const struct instance *)model_get(manager->model, KIND_INSTANCE,
						       interface_attachment(i, k)->instance);
		g = (const struct nat_gateway *)model_get(manager->model, KIND_NAT_GATEWAY,
							  interface_attachment(i, k)->gateway);
		if (g && (g->state == NAT_PENDING || g->state == NAT_AVAILABLE))
			return true;
		if (n && n->state != INSTANCE_SHUTTING_DOWN)
			return true;
	}
	return false;
}

void updates_acknowledge(struct manager *manager, struct agent *agent, uint64_t revision)
{
	uint64_t expires = manager_now_ms(manager) + manager_lease_ms(manager);
	struct holders *holders = model_holders(manager->model);
	struct update *update;
	struct holder holder;

	list_for_each (update, &agent->updates, node) {
		const struct mapping *now = &update->now;

		if (!update->sent || now->revision > revision)
			continue;
		if (!now->host) {
			if (!may_come_back(manager, now) ||
			    holders_add(holders, now->vni, &now->addr, agent->number, now->revision,
					expires))
				holders_remove(holders, now->vni, &now->addr, agent->number);
			else /* of a preloaded network, too: it holds nothing any more */
				holders_lease(holders, now->vni, &now->addr, agent->number,
					      expires);
			manager->releases_due = true;
		} else if (holders_get(holders, now->vni, &now->addr, agent->number, &holder) &&
			   holder.revision < now->revision) {
			/* Renewing an entry that is there needs no memory.  For a whole lifetime:
			 * one that was told nothing but a refusal before begins one now. */
			if (holders_add(holders, now->vni, &now->addr, agent->number, now->revision,
					preload_keeps(agent, now->vni) ? HOLDERS_NEVER : expires))
				log_err("holder not renewed", LOG_U64("host", agent->number));
			manager->releases_due = true;
		}
		update_free(agent, update);
	}
	preload_more(manager, agent);
	heir_more(manager, agent);
}

void updates_release(struct manager *manager, struct agent *agent,
		     const Viaduct__Agent__Released *released)
{
	struct holders *holders = model_holders(manager->model);
	struct holder holder;
	struct ipaddr addr;

	for (size_t i = 0; i < released->n_mappings; i++) {
		const Viaduct__Agent__HeldMapping *held = released->mappings[i];

		if (message_addr(&held->addr, &addr))
			continue;
		/* An answer that crossed this on the way has made it a holder again. */
		if (holders_get(holders, held->vni, &addr, agent->number, &holder) &&
		    holder.revision <= held->revision) {
			holders_remove(holders, held->vni, &addr, agent->number);
			manager->releases_due = true;
			preload_released(manager, agent, held->vni);
		}
	}
}

/* What stands for the address where 'now' says that it is.  When it is somewhere else meanwhile,
 * another update follows. */
static uint32_t label_now(const struct manager *manager, const struct mapping *now)
{
	const struct mapping *found;

	if (!label_any(manager->model) || !now->host || now->hosts)
		return 0;
	found = mapping_find(model_mappings(manager->model), now->vni, &now->addr);
	return found && found->revision == now->revision
		       ? label_of(manager->model, now->vni, &now->addr, now->host)
		       : 0;
}

static void fill(const struct manager *manager, Viaduct__Agent__Mapping *message,
		 const struct mapping *now)
{
	viaduct__agent__mapping__init(message);
	message_mapping(message, now);
	message->label = label_now(manager, now);
}

static bool same(const struct mapping *a, const struct mapping *b)
{
	return a->vni == b->vni && ipaddr_equal(&a->addr, &b->addr) && a->revision == b->revision &&
	       a->host == b->host && a->groups == b->groups && a->hosts == b->hosts;
}

/* What was packed last is what 'agent' is to hear. */
static bool is_packed(const struct updates_packed *packed, const struct agent *agent)
{
	const struct update *update;
	size_t n = 0;

	if (packed->n != agent->n_updates_unsent)
		return false;
	list_for_each (update, &agent->updates, node) {
		if (update->sent)
			continue;
		if (n == packed->n || !same(&packed->of[n], &update->now))
			return false;
		n++;
	}
	return n == packed->n;
}

static int pack(struct manager *manager, const struct agent *agent)
{
	size_t n = agent->n_updates_unsent, i = 0;
	_cleanup_free_ Viaduct__Agent__Mapping *messages = calloc(n, sizeof(*messages));
	_cleanup_free_ Viaduct__Agent__Mapping **pointers = calloc(n, sizeof(*pointers));
	Viaduct__Agent__Update body = VIADUCT__AGENT__UPDATE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct updates_packed *packed = &manager->packed;
	const struct update *update;

	updates_packed_reset(packed);
	if (!messages || !pointers)
		return -ENOMEM;
	list_for_each (update, &agent->updates, node) {
		if (update->sent)
			continue;
		fill(manager, &messages[i], &update->now);
		pointers[i] = &messages[i];
		if (n <= UPDATES_SHARED)
			packed->of[i] = update->now;
		i++;
		if (body.revision < update->now.revision)
			body.revision = update->now.revision;
	}
	body.n_mappings = n;
	body.mappings = pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_UPDATE;
	frame.update = &body;
	packed->n = n <= UPDATES_SHARED ? n : 0;
	return frame_pack(&packed->bytes, &frame);
}

void updates_packed_init(struct updates_packed *packed)
{
	packed->n = 0;
	buf_init(&packed->bytes, SIZE_MAX);
}

void updates_packed_deinit(struct updates_packed *packed)
{
	buf_deinit(&packed->bytes);
	packed->n = 0;
}

void updates_packed_reset(struct updates_packed *packed)
{
	packed->n = 0;
	buf_reset(&packed->bytes);
}

void updates_flush(struct manager *manager, struct agent *agent)
{
	struct updates_packed *packed = &manager->packed;
	struct update *update;
	int r;

	if (!agent->n_updates_unsent || !agent->session)
		return;
	r = is_packed(packed, agent) ? 0 : pack(manager, agent);
	if (!r) {
		list_for_each (update, &agent->updates, node)
			update->sent = true;
		agent->n_updates_unsent = 0;
		r = session_send_bytes(agent->session, buf_data(&packed->bytes),
				       buf_size(&packed->bytes));
	} else {
		updates_packed_reset(packed);
	}
	if (r && r != -ENOBUFS)
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED,
			      "updates could not be sent");
}
