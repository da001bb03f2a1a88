/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/manager.h"
#include "manager/message.h"
#include "manager/preload.h"
#include "model/exit.h"
#include "model/holders.h"
#include "model/label.h"
#include "model/mapping.h"
#include "net/log_addr.h"
#include "wire/frame.h"
#include "wire/session.h"

enum {
	PREFETCH_QUESTIONS = 16, /* at a time: what they need fits the first-level cache */
	MAPPING_PREFETCH_STAGES = 2,
	FRAMES_AT_A_TIME = 128,
};

/* What a question is looked up by. */
struct resolver_keys {
	bool valid;
	bool by_label; /* 'addr' is what a label stands for */
	bool by_exit;  /* it is the exit of another (model/exit.h) */
	enum mapping_question kind;
	struct mapping_key asker, addr;
};

/* One frame: 'n' questions from 'first' on in the resolver's room. */
struct asked {
	uint64_t seq;
	size_t first, n;
};

/* Questions that wait for a commit. */
struct waiting {
	struct list node;
	struct journal_wait wait;
	struct manager *manager;
	struct agent *agent;
	uint64_t seq;
	size_t n;
	struct lookup_question *questions; /* and behind them what they borrow */
};

int resolver_init(struct resolver *resolver)
{
	list_init(&resolver->waiting);
	buf_init(&resolver->out, SIZE_MAX);
	resolver->questions = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(*resolver->questions));
	resolver->keys = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(*resolver->keys));
	resolver->answers = calloc(LIMIT_RESOLVE_QUESTIONS, sizeof(*resolver->answers));
	return resolver->questions && resolver->keys && resolver->answers ? 0 : -ENOMEM;
}

static void waiting_free(struct waiting *waiting)
{
	journal_wait_cancel(&waiting->wait);
	list_remove(&waiting->node);
	waiting->agent->n_resolves_waiting--;
	free(waiting->questions);
	free(waiting);
}

void resolver_deinit(struct resolver *resolver)
{
	free(resolver->questions);
	free(resolver->keys);
	free(resolver->answers);
	buf_deinit(&resolver->out);
	*resolver = (struct resolver){0};
}

void resolve_forget(struct manager *manager, struct agent *agent)
{
	struct waiting *waiting;

	list_for_each (waiting, &manager->resolver.waiting, node)
		if (waiting->agent == agent)
			waiting_free(waiting);
}

/* ---- waiting for a commit ---- */

/* A copy that borrows nothing, in one piece of memory; or NULL. */
static struct lookup_question *copy_questions(const struct lookup_question *questions, size_t n)
{
	size_t size = n * sizeof(*questions);
	struct lookup_question *copy;
	char *to;

	for (size_t i = 0; i < n; i++)
		size += 2 * sizeof(struct ipaddr) +
			(questions[i].name ? strlen(questions[i].name) + 1 : 0);
	copy = malloc(size ? size : 1);
	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, questions, n * sizeof(*questions));
	to = (char *)(copy + n);
	for (size_t i = 0; i < n; i++) {
		if (copy[i].asker)
			copy[i].asker = memcpy(to, copy[i].asker, sizeof(struct ipaddr));
		to += sizeof(struct ipaddr);
		if (copy[i].addr)
			copy[i].addr = memcpy(to, copy[i].addr, sizeof(struct ipaddr));
		to += sizeof(struct ipaddr);
		if (copy[i].name)
			copy[i].name = strcpy(to, copy[i].name);
		to += copy[i].name ? strlen(to) + 1 : 0;
	}
	return copy;
}

static void answer_one(struct manager *manager, struct agent *agent, uint64_t seq,
		       const struct lookup_question *questions, size_t n);

static void settled(int result, void *data)
{
	struct waiting *waiting = data;
	struct manager *manager = waiting->manager;
	struct agent *agent = waiting->agent;
	_cleanup_free_ struct lookup_question *questions = TAKE_PTR(waiting->questions);
	uint64_t seq = waiting->seq;
	size_t n = waiting->n;

	/* Durable or undone: in either case the model is to be asked again. */
	waiting_free(waiting);
	answer_one(manager, agent, seq, questions, n);
}

/* False: no room, and the asker has to be told so. */
static bool wait_for_commit(struct manager *manager, struct agent *agent, const struct asked *asked)
{
	struct waiting *waiting;

	if (agent->n_resolves_waiting >= LIMIT_RESOLVES_WAITING)
		return false;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return false;
	waiting->questions = copy_questions(&manager->resolver.questions[asked->first], asked->n);
	if (!waiting->questions) {
		free(waiting);
		return false;
	}
	waiting->manager = manager;
	waiting->agent = agent;
	waiting->seq = asked->seq;
	waiting->n = asked->n;
	list_push_back(&manager->resolver.waiting, &waiting->node);
	agent->n_resolves_waiting++;
	if (journal_wait(manager->journal, &waiting->wait, settled, waiting))
		return true;
	waiting_free(waiting);
	return false;
}

/* ---- looking up ---- */

static bool question_kind(uint32_t kind, enum mapping_question *ret)
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
	case VIADUCT__AGENT__QUESTION__KIND__NAME6:
		*ret = MAPPING_NAME6;
		return true;
	default:
		return false;
	}
}

/* Whom a label stands for; of one that rests nobody is told. */
static bool set_label_key(const struct model *m, struct resolver_keys *keys, uint32_t label)
{
	const struct label *l = keys->kind == MAPPING_VERIFY ? label_find(m, label) : NULL;

	if (!l || l->since)
		return false;
	keys->addr = mapping_key_of(l->vni, &l->virtual);
	return true;
}

static void set_keys(const struct model *m, struct resolver_keys *keys,
		     const struct lookup_question *question)
{
	struct ipaddr source;

	keys->by_label = question->label;
	keys->valid = question_kind(question->kind, &keys->kind) && question->asker &&
		      (question->addr || mapping_question_names(keys->kind) || keys->by_label);
	if (keys->valid && keys->by_label)
		keys->valid = set_label_key(m, keys, question->label);
	if (!keys->valid)
		return;
	keys->asker = mapping_key_of(question->vni, question->asker);
	if (!mapping_question_names(keys->kind) && !keys->by_label)
		keys->addr = mapping_key_of(question->addr_vni ? question->addr_vni : question->vni,
					    question->addr);
	keys->by_exit = !mapping_question_names(keys->kind) && exit_is(&keys->addr.addr, &source);
}

/* The tables are larger than any cache: many look-ups wait for memory together, not one by one. */
static void prefetch(struct manager *manager, const struct agent *agent,
		     const struct resolver_keys *keys, size_t n)
{
	const struct mapping_table *table = model_mappings(manager->model);
	const struct holders *holders = model_holders(manager->model);

	for (unsigned int stage = 0; stage < HOLDERS_PREFETCH_STAGES; stage++) {
		for (size_t i = 0; i < n; i++) {
			if (!keys[i].valid || mapping_question_names(keys[i].kind))
				continue;
			holders_prefetch(holders, stage, &keys[i].addr, agent->number);
			if (stage >= MAPPING_PREFETCH_STAGES)
				continue;
			mapping_prefetch(table, stage, &keys[i].addr);
			mapping_prefetch(table, stage, &keys[i].asker);
		}
	}
}

enum outcome {
	ANSWERED,
	NOT_DURABLE, /* the answer depends on a change that is on its way */
};

/* Who asked for an address that has an owner and is nowhere now is told when it is somewhere: else
 * he would believe the refusal for a while yet.  Without memory for that he does. */
static void note_interest(struct manager *manager, const struct agent *agent,
			  const struct resolver_keys *keys)
{
	const struct mapping *found = mapping_find_key(model_mappings(manager->model), &keys->addr);
	uint64_t revision = found && found->interface && !found->host ? found->revision : 0;

	if (exit_may_come(manager->model, keys->addr.vni, &keys->addr.addr))
		revision = model_revision(manager->model);
	if (!revision)
		return;
	if (holders_add_key(model_holders(manager->model), &keys->addr, agent->number, revision,
			    manager_now_ms(manager) + manager_lease_ms(manager)))
		log_debug("interest not noted", LOG_U64("host", agent->number));
}

/* Looks one question up; '*ret' is NULL when it is refused.  'room' is for what is in no table. */
static enum outcome look_up(struct manager *manager, struct agent *agent,
			    const struct lookup_question *question,
			    const struct resolver_keys *keys, struct mapping *room,
			    const struct mapping **ret)
{
	const struct mapping *mapping = NULL;
	int r;

	*ret = NULL;
	if (!keys->valid) /* a label may be one of tomorrow, too: see below */
		return keys->by_label && journal_is_pending(manager->journal) ? NOT_DURABLE
									      : ANSWERED;
	if (keys->by_exit)
		r = exit_resolve(manager->model, agent->number, keys->kind, &keys->asker,
				 &keys->addr, room);
	else
		r = mapping_resolve_key(manager->model, agent->number, keys->kind, &keys->asker,
					&keys->addr, question->name, &mapping, NULL);
	if (r && journal_is_pending(manager->journal))
		return NOT_DURABLE; /* it may be refused for something that has not happened yet */
	if (r == MODEL_E_MAPPING_UNKNOWN && !mapping_question_names(keys->kind))
		note_interest(manager, agent, keys);
	if (r)
		return ANSWERED;
	if (keys->by_exit)
		mapping = room;
	if (mapping->revision > journal_durable(manager->journal))
		return NOT_DURABLE;
	*ret = mapping;
	return ANSWERED;
}

static int remember_holder(struct manager *manager, const struct agent *agent,
			   const struct resolver_keys *keys, const struct mapping *mapping,
			   uint64_t expires_ms)
{
	struct holders *holders = model_holders(manager->model);

	if (preload_keeps(agent, mapping->vni))
		expires_ms = HOLDERS_NEVER;
	if (mapping_question_names(keys->kind))
		return holders_add(holders, mapping->vni, &mapping->addr, agent->number,
				   mapping->revision, expires_ms);
	return holders_add_key(holders, &keys->addr, agent->number, mapping->revision, expires_ms);
}

static struct lookup_answer answer_of(const struct model *m, const struct mapping *mapping)
{
	if (!mapping)
		return (struct lookup_answer){.status = VIADUCT__AGENT__ANSWER__STATUS__REFUSED};
	return (struct lookup_answer){
		.status = VIADUCT__AGENT__ANSWER__STATUS__OK,
		.addr = &mapping->addr,
		.vni = mapping->vni,
		.host = mapping->host,
		.revision = mapping->revision,
		.label = mapping->hosts ? 0
					: label_of(m, mapping->vni, &mapping->addr, mapping->host),
		.groups = mapping->groups ? mapping->groups->numbers : NULL,
		.n_groups = mapping->groups ? mapping->groups->n : 0,
		.hosts = mapping->hosts ? mapping->hosts->numbers : NULL,
		.n_hosts = mapping->hosts ? mapping->hosts->n : 0,
	};
}

static const struct lookup_answer unavailable_answer = {
	.status = VIADUCT__AGENT__ANSWER__STATUS__UNAVAILABLE,
};

static void note_refusal(struct agent *agent, const struct lookup_question *question)
{
	static const struct ipaddr none;

	agent->n_refused++;
	log_info("mapping refused", LOG_U64("host", agent->number), LOG_U64("vni", question->vni),
		 LOG_ADDR("asker", question->asker ? question->asker : &none),
		 LOG_ADDR("address", question->addr ? question->addr : &none));
}

/* Looks up the questions of one frame.  False: they wait, all of them. */
static bool look_up_frame(struct manager *manager, struct agent *agent, const struct asked *asked,
			  uint64_t expires_ms)
{
	struct resolver *resolver = &manager->resolver;
	const struct lookup_question *question;
	const struct mapping *mapping;
	bool unavailable = false;
	struct mapping room;

	for (size_t i = asked->first; i < asked->first + asked->n; i++) {
		question = &resolver->questions[i];
		if (look_up(manager, agent, question, &resolver->keys[i], &room, &mapping) ==
		    NOT_DURABLE) {
			if (!unavailable && wait_for_commit(manager, agent, asked))
				return false;
			unavailable = true;
			resolver->answers[i] = unavailable_answer;
			continue;
		}
		/* Who is told must be on record: else a change would not reach it. */
		if (mapping &&
		    remember_holder(manager, agent, &resolver->keys[i], mapping, expires_ms)) {
			resolver->answers[i] = unavailable_answer;
			continue;
		}
		agent->n_resolved += mapping != NULL;
		if (!mapping)
			note_refusal(agent, question);
		resolver->answers[i] = answer_of(manager->model, mapping);
		if (mapping == &room) /* which the next one takes */
			resolver->answers[i].addr = &resolver->keys[i].addr.addr;
	}
	return true;
}

/* Answers frames whose questions are in the resolver's room, 'n' in all. */
static void answer(struct manager *manager, struct agent *agent, const struct asked *asked,
		   size_t n_asked, size_t n)
{
	uint64_t expires_ms = manager_now_ms(manager) + manager_lease_ms(manager);
	struct resolver *resolver = &manager->resolver;
	size_t prefetched = 0, more;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		set_keys(manager->model, &resolver->keys[i], &resolver->questions[i]);
	buf_reset(&resolver->out);
	for (size_t i = 0; i < n_asked && !r; i++) {
		while (prefetched < asked[i].first + asked[i].n) {
			more = n - prefetched < PREFETCH_QUESTIONS ? n - prefetched
								   : PREFETCH_QUESTIONS;
			prefetch(manager, agent, &resolver->keys[prefetched], more);
			prefetched += more;
		}
		if (look_up_frame(manager, agent, &asked[i], expires_ms))
			r = lookup_write(&resolver->out, asked[i].seq,
					 &resolver->answers[asked[i].first], asked[i].n);
	}
	if (!r && buf_size(&resolver->out))
		r = session_send_bytes(agent->session, buf_data(&resolver->out),
				       buf_size(&resolver->out));
	/* A queue that is full ends the session; an agent asks again what was not answered. */
	if (r == -ENOMEM || r == -EMSGSIZE)
		log_err("answers not sent", LOG_U64("host", agent->number), LOG_ERRNO(r));
}

static void answer_one(struct manager *manager, struct agent *agent, uint64_t seq,
		       const struct lookup_question *questions, size_t n)
{
	struct asked asked = {.seq = seq, .n = n};

	if (n)
		memcpy(manager->resolver.questions, questions, n * sizeof(*questions));
	answer(manager, agent, &asked, 1, n);
}

size_t resolve_records(struct manager *manager, struct agent *agent, const uint8_t *data,
		       size_t size)
{
	struct resolver *resolver = &manager->resolver;
	struct asked asked[FRAMES_AT_A_TIME];
	size_t n_asked = 0, n = 0, at = 0, record;

	while (n_asked < FRAMES_AT_A_TIME && !frame_measure(data + at, size - at, &record) &&
	       record <= size - at) {
		struct asked *next = &asked[n_asked];

		if (lookup_read(data + at + FRAME_HEADER_SIZE, record - FRAME_HEADER_SIZE,
				&resolver->questions[n], LIMIT_RESOLVE_QUESTIONS - n, &next->seq,
				&next->n))
			break;
		next->first = n;
		n += next->n;
		n_asked++;
		at += record;
	}
	if (n_asked)
		answer(manager, agent, asked, n_asked, n);
	return at;
}

void resolve_answer(struct manager *manager, struct agent *agent,
		    const Viaduct__Agent__Resolve *questions)
{
	struct asked asked = {.seq = questions->seq, .n = questions->n_questions};

	if (questions->n_questions > LIMIT_RESOLVE_QUESTIONS) {
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "too many questions in one frame");
		return;
	}
	for (size_t i = 0; i < questions->n_questions; i++)
		manager->resolver.questions[i] = message_question(questions->questions[i]);
	answer(manager, agent, &asked, 1, questions->n_questions);
}
