/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/message.h"
#include "manager/manager.h"
#include "manager/publish.h"
#include "model/instance.h"
#include "model/nat_gateway.h"
#include "model/release.h"
#include "model/tx.h"
#include "wire/session.h"

/* A transition of an instance that its host saw. */
struct report {
	struct list node;
	uint64_t id;
	uint64_t generation;
	enum instance_report_state state;
	char *text;
	uint64_t revision; /* of the change that holds it; 0: not in the model */
};

static void report_free(struct agent *agent, struct report *report)
{
	list_remove(&report->node);
	agent->n_reports--;
	free(report->text);
	free(report);
}

static void failures_free(struct agent *agent)
{
	for (size_t i = 0; i < agent->n_failures; i++)
		free((char *)agent->failures[i].text);
	free(agent->failures);
	agent->failures = NULL;
	agent->n_failures = 0;
}

static struct capabilities *capabilities_free(struct capabilities *can)
{
	if (can) {
		free(can->kernel);
		free(can->refused);
		free(can->error);
		free(can);
	}
	return NULL;
}

void intake_clear(struct agent *agent)
{
	struct report *report;

	list_for_each (report, &agent->reports, node)
		report_free(agent, report);
	failures_free(agent);
	agent->can = capabilities_free(agent->can);
	list_remove(&agent->in_news);
	list_remove(&agent->in_unsettled);
}

static void mark(struct manager *manager, struct agent *agent)
{
	if (list_empty(&agent->in_news))
		list_push_back(&manager->news, &agent->in_news);
	if (list_empty(&agent->in_unsettled))
		list_push_back(&manager->unsettled, &agent->in_unsettled);
	upkeep_schedule(manager);
}

/* What it reports cannot be kept: it shall say it again. */
static void restart(struct agent *agent, const char *why)
{
	session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, why);
}

/* The object of a customer's that a key names; false: there is none that waits for its host. */
static bool failed_object(const struct manager *manager, const struct agent *agent,
			  const Viaduct__Agent__ObjectKey *key, struct host_failure *ret)
{
	const struct host *peer;

	switch (key->key_case) {
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID:
		ret->kind = KIND_INSTANCE;
		return !id_parse(ret->kind, key->instance_id, &ret->id);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID:
		ret->kind = KIND_INTERFACE;
		return !id_parse(ret->kind, key->interface_id, &ret->id);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_GATEWAY_HANDLE:
		ret->kind = KIND_NAT_GATEWAY;
		ret->id = nat_gateway_waiting(manager->model, agent->number, key->gateway_handle);
		return ret->id;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER:
		peer = host_by_number(manager->model, key->peer_number);
		ret->kind = KIND_HOST;
		ret->id = peer ? peer->o.id : 0;
		return peer;
	default:
		return false;
	}
}

static int add_failure(const struct manager *manager, struct agent *agent,
		       const Viaduct__Agent__Failure *failure)
{
	const Viaduct__Agent__ObjectKey *key = failure->key;
	struct host_failure f = {0};

	log_warn("host could not apply", LOG_U64("host", agent->number),
		 LOG_STR("text", failure->text), LOG_ERRNO(failure->error));
	if (!key || !failed_object(manager, agent, key, &f))
		return 0;
	f.text = strdup(failure->text);
	if (!f.text)
		return -ENOMEM;
	agent->failures[agent->n_failures++] = f;
	return 0;
}

/* What is no instance's id names nothing that waits. */
static void add_pending(struct agent *agent, const char *id)
{
	struct host_failure f = {.kind = KIND_INSTANCE};

	if (!id_parse(f.kind, id, &f.id))
		agent->failures[agent->n_failures++] = f;
}

void intake_ack(struct manager *manager, struct agent *agent, const Viaduct__Agent__Ack *ack)
{
	int r = 0;

	failures_free(agent);
	if (ack->n_failed || ack->n_pending) {
		agent->failures = calloc(ack->n_failed + ack->n_pending, sizeof(*agent->failures));
		r = agent->failures ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < ack->n_pending && !r; i++)
		add_pending(agent, ack->pending[i]);
	for (size_t i = 0; i < ack->n_failed && !r; i++)
		r = add_failure(manager, agent, ack->failed[i]);
	if (r) {
		restart(agent, "its acknowledgement could not be kept");
		return;
	}
	publish_acknowledge(manager, agent, ack->revision);
	if (agent->n_failures || host_waits(manager->model, agent->number, agent->acknowledged))
		mark(manager, agent);
}

static char *copy_text(const char *text, int *r)
{
	char *copy = strdup(text);

	if (!copy)
		*r = -ENOMEM;
	return copy;
}

void intake_capabilities(struct manager *manager, struct agent *agent,
			 const Viaduct__Agent__Capabilities *message)
{
	struct capabilities *can = calloc(1, sizeof(*can));
	int r = 0;

	if (can) {
		*can = message_capabilities(message);
		can->kernel = copy_text(can->kernel, &r);
		can->refused = copy_text(can->refused, &r);
		can->error = copy_text(can->error, &r);
	}
	if (!can || r) {
		capabilities_free(can);
		restart(agent, "its capabilities could not be kept");
		return;
	}
	capabilities_free(agent->can);
	agent->can = can;
	agent->can_revision = 0;
	mark(manager, agent);
}

static bool report_state(Viaduct__Agent__InstanceStatus__State state,
			 enum instance_report_state *ret)
{
	switch (state) {
	case VIADUCT__AGENT__INSTANCE_STATUS__STATE__RUNNING:
		*ret = INSTANCE_REPORT_RUNNING;
		return true;
	case VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED:
		*ret = INSTANCE_REPORT_STOPPED;
		return true;
	case VIADUCT__AGENT__INSTANCE_STATUS__STATE__FAILED:
		*ret = INSTANCE_REPORT_FAILED;
		return true;
	default:
		return false;
	}
}

void intake_status(struct manager *manager, struct agent *agent,
		   const Viaduct__Agent__InstanceStatus *status)
{
	struct report *report;

	if (agent->n_reports >= LIMIT_INTAKE_REPORTS) {
		restart(agent, "too many transitions of instances wait for the store");
		return;
	}
	report = calloc(1, sizeof(*report));
	if (report)
		report->text = strdup(status->text);
	if (!report || !report->text) {
		free(report);
		restart(agent, "its report could not be kept");
		return;
	}
	if (id_parse(KIND_INSTANCE, status->id, &report->id) ||
	    !report_state(status->state, &report->state)) {
		free(report->text);
		free(report);
		return;
	}
	report->generation = status->generation;
	list_push_back(&agent->reports, &report->node);
	agent->n_reports++;
	mark(manager, agent);
}

/* What the host can do waits until what it said before has reached all of its pairs. */
static bool has_to_wait(const struct model *m, const struct agent *agent)
{
	return agent->can && !agent->can_revision && host_is_changing(m, agent->number);
}

/* A refusal means that the model knows better (the host or the instance is gone): nothing to retry.
 * Of the steps that choices take up to '*steps'. */
static int absorb_agent(struct tx *tx, struct agent *agent, uint64_t now_ms, size_t *steps)
{
	uint64_t revision = tx_revision(tx);
	struct refusal refusal;
	struct report *report;
	int r = 0;

	if (agent->can && !agent->can_revision && !has_to_wait(tx_model(tx), agent)) {
		r = host_report(tx, agent->number, agent->can, &refusal);
		if (r >= 0) {
			agent->can_revision = revision;
			agent->can_ms = now_ms;
		}
	}
	list_for_each (report, &agent->reports, node) {
		if (r < 0 || report->revision)
			continue;
		r = instance_report(tx, agent->number, report->id, report->generation,
				    report->state, report->text);
		if (r >= 0)
			report->revision = revision;
	}
	if (r >= 0 &&
	    (agent->n_failures || host_waits(tx_model(tx), agent->number, agent->acknowledged)))
		r = host_acknowledge_some(tx, agent->number, agent->acknowledged, agent->failures,
					  agent->n_failures, steps, &refusal);
	return r < 0 ? r : 0;
}

/* Forgets what is in a change of a revision from 'first' to 'last'. */
static void forget(struct manager *manager, uint64_t first, uint64_t last)
{
	struct report *report;
	struct agent *agent;

	list_for_each (agent, &manager->unsettled, in_unsettled) {
		if (agent->can && agent->can_revision >= first && agent->can_revision <= last)
			agent->can = capabilities_free(agent->can);
		list_for_each (report, &agent->reports, node)
			if (report->revision >= first && report->revision <= last)
				report_free(agent, report);
		if (!agent->can && list_empty(&agent->reports) && list_empty(&agent->in_news))
			list_remove(&agent->in_unsettled);
	}
}

/* What is in a change behind 'revision' is not in the model: it is to be written again. */
static void regather(struct manager *manager, uint64_t revision)
{
	struct report *report;
	struct agent *agent;

	list_for_each (agent, &manager->unsettled, in_unsettled) {
		if (agent->can_revision > revision)
			agent->can_revision = 0;
		list_for_each (report, &agent->reports, node)
			if (report->revision > revision)
				report->revision = 0;
		if (list_empty(&agent->in_news))
			list_push_back(&manager->news, &agent->in_news);
	}
	manager->releases_due = true;
}

/* Takes up what 'news' have, as far as a turn of the loop allows; returns whether there is more. */
static bool absorb_news(struct manager *manager, struct tx *tx, struct list *news)
{
	uint64_t begun = clock_mono_ns(manager->clock);
	size_t steps = LIMIT_INTAKE_TURN_STEPS;
	struct agent *agent;

	list_for_each (agent, news, in_news) {
		int r;

		/* A thousand hosts that come back must not stop the look-ups of the others. */
		if (clock_mono_ns(manager->clock) - begun > LIMIT_INTAKE_TURN_NS)
			return true;
		r = absorb_agent(tx, agent, clock_wall_ms(manager->clock), &steps);
		if (r)
			log_err("report not taken", LOG_U64("host", agent->number), LOG_ERRNO(r));
		else if (!has_to_wait(tx_model(tx), agent))
			list_remove(&agent->in_news);
		if (steps)
			continue;
		/* there may be more of this one; others come first */
		if (!r) {
			list_remove(&agent->in_news);
			list_push_back(news, &agent->in_news);
		}
		return true;
	}
	return false;
}

struct absorbing {
	struct list news; /* of whom something is yet to be taken up */
	bool more;        /* the turn is over before all of them had theirs */
	bool wrote;
};

static int absorb(struct manager *manager, struct tx *tx, void *data)
{
	struct absorbing *a = data;
	size_t n = 0;
	int r = 0;

	a->more = absorb_news(manager, tx, &a->news);
	if (manager->releases_due && release_count(manager->model))
		r = release_settle(tx, &n);
	/* a release that failed stays for the next tick; the reports are taken */
	manager->releases_due = r < 0;
	a->wrote = tx_has_writes(tx);
	return 0;
}

bool intake_absorb(struct manager *manager)
{
	struct absorbing a = {0};
	int r;

	if (list_empty(&manager->news) && !manager->releases_due)
		return false;
	list_init(&a.news);
	list_splice_back(&a.news, &manager->news);
	r = manager_change(manager, "reports", absorb, &a);
	/* Those that failed stay for the next tick, those that were not reached for the next turn.
	 */
	list_splice_back(&manager->news, &a.news);
	if (r)
		regather(manager, model_revision(manager->model));
	else if (!a.wrote)
		/* All of it was known, and the transaction's revision was not used up. */
		forget(manager, model_revision(manager->model) + 1, UINT64_MAX);
	return !r && (a.wrote || a.more);
}

void intake_durable(struct manager *manager, uint64_t revision)
{
	forget(manager, 1, revision);
}

void intake_undone(struct manager *manager)
{
	regather(manager, journal_durable(manager->journal));
}
