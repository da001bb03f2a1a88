/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/resolve.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/message.h"
#include "manager/manager.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "wire/session.h"

enum {
	PREFETCH_QUESTIONS = 16, /* at a time: what they need fits the first-level cache */
	PREFETCH_STAGES = 4,     /* holders_prefetch() */
};

/* Questions that wait for a commit. */
struct waiting {
	struct list node;
	struct journal_wait wait;
	struct manager *manager;
	struct agent *agent;
	Viaduct__Agent__Resolve *questions;
};

int resolver_init(struct resolver *resolver)
{
	list_init(&resolver->waiting);
	resolver->answers = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(*resolver->answers));
	resolver->pointers = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(Viaduct__Agent__Answer *));
	resolver->mappings = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(*resolver->mappings));
	if (!resolver->answers || !resolver->pointers || !resolver->mappings)
		return -ENOMEM;
	for (size_t i = 0; i < LIMIT_RESOLVE_QUESTIONS; i++) {
		viaduct__agent__answer__init(&resolver->answers[i]);
		viaduct__agent__mapping__init(&resolver->mappings[i]);
		resolver->pointers[i] = &resolver->answers[i];
	}
	return 0;
}

static void waiting_free(struct waiting *waiting)
{
	journal_wait_cancel(&waiting->wait);
	list_remove(&waiting->node);
	waiting->agent->n_resolves_waiting--;
	viaduct__agent__resolve__free_unpacked(waiting->questions, NULL);
	free(waiting);
}

void resolver_deinit(struct resolver *resolver)
{
	free(resolver->answers);
	free(resolver->pointers);
	free(resolver->mappings);
	*resolver = (struct resolver){0};
}

void resolve_forget(struct manager *manager, struct agent *agent)
{
	struct waiting *waiting;

	list_for_each (waiting, &manager->resolver.waiting, node)
		if (waiting->agent == agent)
			waiting_free(waiting);
}

static void settled(int result, void *data)
{
	struct waiting *waiting = data;
	struct manager *manager = waiting->manager;
	struct agent *agent = waiting->agent;
	Viaduct__Agent__Resolve *questions = TAKE_PTR(waiting->questions);

	/* Durable or undone: in either case the model is to be asked again. */
	waiting_free(waiting);
	resolve_answer(manager, agent, questions);
	viaduct__agent__resolve__free_unpacked(questions, NULL);
}

/* False: no room, and the asker has to be told so. */
static bool wait_for_commit(struct manager *manager, struct agent *agent,
			    const Viaduct__Agent__Resolve *questions)
{
	struct waiting *waiting;
	ProtobufCMessage *copy;

	if (agent->n_resolves_waiting >= LIMIT_RESOLVES_WAITING)
		return false;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return false;
	if (message_copy(&questions->base, &copy)) {
		free(waiting);
		return false;
	}
	waiting->manager = manager;
	waiting->agent = agent;
	waiting->questions = (Viaduct__Agent__Resolve *)copy;
	list_push_back(&manager->resolver.waiting, &waiting->node);
	agent->n_resolves_waiting++;
	if (journal_wait(manager->journal, &waiting->wait, settled, waiting))
		return true;
	waiting_free(waiting);
	return false;
}

enum outcome {
	ANSWERED,
	NOT_DURABLE, /* the answer depends on a change that is on its way */
};

static bool question_kind(Viaduct__Agent__Question__Kind kind, enum mapping_question *ret)
{
	switch (kind) {
	case VIADUCT__AGENT__QUESTION__KIND__SEND:
		*ret = MAPPING_SEND;
		return true;
	case VIADUCT__AGENT__QUESTION__KIND__VERIFY:
		*ret = MAPPING_VERIFY;
		return true;
	case VIADUCT__AGENT__QUESTION__KIND__NAME:
		*ret = MAPPING_NAME;
		return true;
	default:
		return false;
	}
}

/* Looks one question up; '*ret' is NULL when it is refused. */
static enum outcome look_up(struct manager *manager, struct agent *agent,
			    const Viaduct__Agent__Question *question, const struct mapping **ret)
{
	uint64_t durable = journal_durable(manager->journal);
	const struct mapping *mapping = NULL;
	struct ipaddr asker, addr = {0};
	enum mapping_question kind;
	int r;

	*ret = NULL;
	if (!question_kind(question->kind, &kind) || message_addr(&question->asker, &asker) ||
	    (kind != MAPPING_NAME && message_addr(&question->addr, &addr)))
		return ANSWERED;
	r = mapping_resolve(manager->model, agent->number, kind, question->vni, &asker, &addr,
			    question->name, &mapping, NULL);
	if (r && journal_is_pending(manager->journal))
		return NOT_DURABLE; /* it may be refused for something that has not happened yet */
	if (r)
		return ANSWERED;
	if (mapping->revision > durable)
		return NOT_DURABLE;
	*ret = mapping;
	return ANSWERED;
}

static int remember_holder(struct manager *manager, const struct agent *agent,
			   const struct mapping *mapping, uint64_t expires_ms)
{
	return holders_add(model_holders(manager->model), mapping->vni, &mapping->addr,
			   agent->number, mapping->revision, expires_ms);
}

static void set_answer(struct resolver *resolver, size_t i, const struct mapping *mapping)
{
	Viaduct__Agent__Mapping *message = &resolver->mappings[i];

	resolver->answers[i].mapping = NULL;
	if (!mapping) {
		resolver->answers[i].status = VIADUCT__AGENT__ANSWER__STATUS__REFUSED;
		return;
	}
	message_mapping(message, mapping);
	resolver->answers[i].status = VIADUCT__AGENT__ANSWER__STATUS__OK;
	resolver->answers[i].mapping = message;
}

static void set_unavailable(struct resolver *resolver, size_t i)
{
	resolver->answers[i].mapping = NULL;
	resolver->answers[i].status = VIADUCT__AGENT__ANSWER__STATUS__UNAVAILABLE;
}

static void send_answers(struct manager *manager, struct agent *agent, uint64_t seq, size_t n)
{
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int r;

	resolved.seq = seq;
	resolved.n_answers = n;
	resolved.answers = manager->resolver.pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVED;
	frame.resolved = &resolved;
	r = session_send(agent->session, &frame);
	/* A queue that is full ends the session; an agent asks again what was not answered. */
	if (r == -ENOMEM)
		log_err("answer not sent", LOG_U64("host", agent->number), LOG_ERRNO(r));
}

/* The tables are larger than any cache: many look-ups wait for memory together, not one by one. */
static void prefetch(struct manager *manager, const struct agent *agent,
		     const Viaduct__Agent__Resolve *questions, size_t first)
{
	const struct mapping_table *table = model_mappings(manager->model);
	const struct holders *holders = model_holders(manager->model);
	size_t end = first + PREFETCH_QUESTIONS;
	const Viaduct__Agent__Question *question;
	struct ipaddr asker, addr;

	if (end > questions->n_questions)
		end = questions->n_questions;
	for (unsigned int stage = 0; stage < PREFETCH_STAGES; stage++) {
		for (size_t i = first; i < end; i++) {
			question = questions->questions[i];
			if (message_addr(&question->addr, &addr))
				continue;
			holders_prefetch(holders, stage, question->vni, &addr, agent->number);
			if (stage > 1 || message_addr(&question->asker, &asker))
				continue;
			mapping_prefetch(table, stage, question->vni, &addr);
			mapping_prefetch(table, stage, question->vni, &asker);
		}
	}
}

void resolve_answer(struct manager *manager, struct agent *agent,
		    const Viaduct__Agent__Resolve *questions)
{
	uint64_t expires_ms = manager_now_ms(manager) + manager_lease_ms(manager);
	struct resolver *resolver = &manager->resolver;
	const struct mapping *mapping;
	bool unavailable = false;

	if (questions->n_questions > LIMIT_RESOLVE_QUESTIONS) {
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "too many questions in one frame");
		return;
	}
	for (size_t i = 0; i < questions->n_questions; i++) {
		if (i % PREFETCH_QUESTIONS == 0 && i + 1 < questions->n_questions)
			prefetch(manager, agent, questions, i);
		if (look_up(manager, agent, questions->questions[i], &mapping) == NOT_DURABLE) {
			if (!unavailable && wait_for_commit(manager, agent, questions))
				return;
			unavailable = true;
			set_unavailable(resolver, i);
			continue;
		}
		/* Who is told must be on record: else a change would not reach it. */
		if (mapping && remember_holder(manager, agent, mapping, expires_ms)) {
			set_unavailable(resolver, i);
			continue;
		}
		agent->n_resolved += mapping != NULL;
		if (!mapping) {
			agent->n_refused++;
			log_info("mapping refused", LOG_U64("host", agent->number),
				 LOG_U64("vni", questions->questions[i]->vni));
		}
		set_answer(resolver, i, mapping);
	}
	send_answers(manager, agent, questions->seq, questions->n_questions);
}
