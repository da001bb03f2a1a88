/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/questions.h"

#include "agent/convert.h"
#include "base/limits.h"

/* The questions of one frame.  A place is NULL when its question has ended before its answer. */
struct question_batch {
	struct list link;
	uint64_t seq;
	size_t n;
	struct question *places[];
};

static void questions_on_flush(struct deferred *d, void *data);
static void questions_on_deadline(struct timer *t, void *data);
static void questions_on_retry(struct timer *t, void *data);

void questions_init(struct questions *qs, struct loop *loop, questions_send_fn send,
		    questions_orphan_fn orphan, void *arg)
{
	*qs = (struct questions){.loop = loop, .send = send, .orphan = orphan, .arg = arg};
	list_init(&qs->all);
	list_init(&qs->waiting);
	list_init(&qs->retrying);
	list_init(&qs->batches);
	deferred_init(&qs->flush, loop, questions_on_flush, qs);
	timer_init(&qs->deadline, loop, questions_on_deadline, qs);
	timer_init(&qs->retry, loop, questions_on_retry, qs);
}

void questions_deinit(struct questions *qs)
{
	struct question_batch *b;

	list_for_each (b, &qs->batches, link)
		free(b);
	list_init(&qs->batches);
	deferred_deinit(&qs->flush);
	timer_deinit(&qs->deadline);
	timer_deinit(&qs->retry);
}

static uint64_t questions_now(const struct questions *qs)
{
	return clock_mono_ns(loop_clock(qs->loop));
}

/* All deadlines are equally far away when they are set, so the lists are in their order. */
static void questions_arm(struct questions *qs)
{
	struct question *oldest = list_first(&qs->all, struct question, age);
	struct question *next = list_first(&qs->retrying, struct question, state);

	if (oldest)
		timer_arm_at(&qs->deadline, oldest->deadline_ns);
	else
		timer_disarm(&qs->deadline);
	if (next)
		timer_arm_at(&qs->retry, next->retry_ns);
	else
		timer_disarm(&qs->retry);
}

void questions_cancel(struct questions *qs, struct question *q)
{
	if (list_empty(&q->age))
		return;
	list_remove(&q->age);
	list_remove(&q->state);
	if (q->batch)
		q->batch->places[q->place] = NULL;
	q->batch = NULL;
	qs->n--;
	questions_arm(qs);
}

static void questions_end(struct questions *qs, struct question *q, enum question_result result,
			  const struct answer *answer)
{
	questions_cancel(qs, q);
	q->fn(q, result, answer, q->arg);
}

static void questions_wait(struct questions *qs, struct question *q)
{
	list_remove(&q->state);
	list_push_back(&qs->waiting, &q->state);
	deferred_schedule(&qs->flush);
}

int questions_ask(struct questions *qs, struct question *q)
{
	if (qs->n >= LIMIT_AGENT_QUESTIONS)
		return -ENOBUFS;
	qs->n++;
	q->batch = NULL;
	q->deadline_ns = questions_now(qs) + LIMIT_AGENT_QUESTION_MS * CLOCK_NS_PER_MS;
	list_push_back(&qs->all, &q->age);
	questions_wait(qs, q);
	questions_arm(qs);
	return 0;
}

/* ---- asking ---- */

static bool questions_names(const struct question *q)
{
	return q->kind == VIADUCT__AGENT__QUESTION__KIND__NAME ||
	       q->kind == VIADUCT__AGENT__QUESTION__KIND__NAME6;
}

static void questions_write(const struct question *q, Viaduct__Agent__Question *m)
{
	viaduct__agent__question__init(m);
	m->kind = q->kind;
	m->vni = q->vni;
	m->asker = convert_bytes(&q->asker);
	if (questions_names(q))
		m->name = (char *)(uintptr_t)q->name;
	else if (q->by_label)
		m->label = ipaddr_v4(&q->addr);
	else
		m->addr = convert_bytes(&q->addr);
	m->addr_vni = q->addr_vni;
}

static int questions_send(struct questions *qs, struct question_batch *batch)
{
	Viaduct__Agent__Question messages[LIMIT_AGENT_QUESTIONS_PER_FRAME];
	Viaduct__Agent__Question *pointers[LIMIT_AGENT_QUESTIONS_PER_FRAME];
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	for (size_t i = 0; i < batch->n; i++) {
		questions_write(batch->places[i], &messages[i]);
		pointers[i] = &messages[i];
	}
	resolve.seq = batch->seq;
	resolve.n_questions = batch->n;
	resolve.questions = pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	return qs->send(&frame, qs->arg);
}

/* Sends the first of those that wait in one frame. */
static int questions_send_some(struct questions *qs)
{
	_cleanup_free_ struct question_batch *batch = NULL;
	struct question *q;
	int e;

	batch = calloc(1, sizeof(*batch) + LIMIT_AGENT_QUESTIONS_PER_FRAME * sizeof(q));
	if (!batch)
		return -ENOMEM;
	list_for_each (q, &qs->waiting, state) {
		if (batch->n == LIMIT_AGENT_QUESTIONS_PER_FRAME)
			break;
		batch->places[batch->n++] = q;
	}
	batch->seq = qs->seq + 1;
	e = questions_send(qs, batch);
	if (e)
		return e;
	qs->seq++;
	for (size_t i = 0; i < batch->n; i++) {
		q = batch->places[i];
		list_remove(&q->state);
		q->batch = batch;
		q->place = i;
	}
	list_push_back(&qs->batches, &batch->link);
	(void)TAKE_PTR(batch);
	return 0;
}

static void questions_on_flush(struct deferred *d, void *data)
{
	struct questions *qs = data;

	/* Without a session, or without memory, they wait: for questions_connected() or their
	 * end. */
	while (!list_empty(&qs->waiting) && !questions_send_some(qs))
		;
}

static void questions_on_deadline(struct timer *t, void *data)
{
	struct questions *qs = data;
	struct question *q;

	while ((q = list_first(&qs->all, struct question, age)) &&
	       q->deadline_ns <= questions_now(qs))
		questions_end(qs, q, QUESTION_TIMEOUT, NULL);
	questions_arm(qs);
}

static void questions_on_retry(struct timer *t, void *data)
{
	struct questions *qs = data;
	struct question *q;

	while ((q = list_first(&qs->retrying, struct question, state)) &&
	       q->retry_ns <= questions_now(qs))
		questions_wait(qs, q);
	questions_arm(qs);
}

void questions_connected(struct questions *qs)
{
	deferred_schedule(&qs->flush);
}

static void questions_forget_batch(struct question_batch *b)
{
	list_remove(&b->link);
	free(b);
}

void questions_disconnected(struct questions *qs)
{
	struct question_batch *b;

	list_for_each (b, &qs->batches, link) {
		for (size_t i = 0; i < b->n; i++)
			if (b->places[i]) {
				b->places[i]->batch = NULL;
				questions_wait(qs, b->places[i]);
			}
		questions_forget_batch(b);
	}
}

/* ---- answers ---- */

/* It was one of the oldest, so its place is near the front. */
static void questions_insert_by_age(struct questions *qs, struct question *q)
{
	struct question *other;

	list_for_each (other, &qs->all, age)
		if (other->deadline_ns >= q->deadline_ns) {
			list_push_back(&other->age, &q->age); /* before 'other' */
			return;
		}
	list_push_back(&qs->all, &q->age);
}

int answer_read(const Viaduct__Agent__Mapping *m, struct answer *ret)
{
	struct answer a = {
		.vni = m->vni, .host = m->host, .revision = m->revision, .lifetime_s = m->lifetime};

	/* A handle stands for a node that forwards (dp_upcall). */
	if (!convert_vni_is_valid(m->vni) && !convert_handle_is_valid(m->vni))
		return -EINVAL;
	if (convert_addr(&m->addr, &a.addr))
		return -EINVAL;
	if (m->n_groups > DP_GROUPS_MAX || m->n_hosts > DP_PEER_SET_MAX)
		return -EINVAL;
	for (size_t n = 0; n < m->n_groups; n++) {
		/* Ascending, so that the same groups are the same list. */
		if (n && m->groups[n] <= m->groups[n - 1])
			return -EINVAL;
		a.groups[a.n_groups++] = m->groups[n];
	}
	for (size_t n = 0; n < m->n_hosts; n++)
		a.hosts[a.n_hosts++] = m->hosts[n];
	if (m->label && !ipaddr_is_v4(&a.addr))
		return -EINVAL;
	a.label = m->label;
	*ret = a;
	return 0;
}

static void questions_retry(struct questions *qs, struct question *q)
{
	q->batch = NULL;
	q->retry_ns = questions_now(qs) + LIMIT_AGENT_RETRY_MS * CLOCK_NS_PER_MS;
	list_push_back(&qs->retrying, &q->state);
}

int questions_again(struct questions *qs, struct question *q)
{
	if (q->deadline_ns <= questions_now(qs))
		return -ETIMEDOUT;
	qs->n++;
	questions_insert_by_age(qs, q);
	questions_retry(qs, q);
	questions_arm(qs);
	return 0;
}

uint32_t question_subject_vni(const struct question *q)
{
	if (q->by_label)
		return DP_VNI_LABELS;
	return q->addr_vni ? q->addr_vni : q->vni;
}

static bool questions_fits(const struct question *q, const struct answer *a)
{
	if (q->by_label)
		return a->label == ipaddr_v4(&q->addr);
	return question_subject_vni(q) == a->vni &&
	       (questions_names(q) || ipaddr_equal(&q->addr, &a->addr));
}

/* One answer to 'q', which may be NULL: it ended before. */
static int questions_take_answer(struct questions *qs, struct question *q,
				 const Viaduct__Agent__Answer *m)
{
	struct answer a;

	if (m->status == VIADUCT__AGENT__ANSWER__STATUS__REFUSED) {
		if (q)
			questions_end(qs, q, QUESTION_REFUSED, NULL);
		return 0;
	}
	if (m->status != VIADUCT__AGENT__ANSWER__STATUS__OK) {
		if (q)
			questions_retry(qs, q);
		return 0;
	}
	if (!m->mapping || answer_read(m->mapping, &a) || (q && !questions_fits(q, &a))) {
		if (q)
			questions_retry(qs, q);
		return -EPROTO;
	}
	if (q)
		questions_end(qs, q, QUESTION_OK, &a);
	else
		qs->orphan(&a, qs->arg);
	return 0;
}

static struct question_batch *questions_find(struct questions *qs, uint64_t seq)
{
	struct question_batch *b;

	list_for_each (b, &qs->batches, link)
		if (b->seq == seq)
			return b;
	return NULL;
}

int questions_answered(struct questions *qs, const Viaduct__Agent__Resolved *m)
{
	struct question_batch *b = questions_find(qs, m->seq);
	int result = 0;

	if (!b)
		return -EPROTO;
	list_remove(&b->link);
	for (size_t i = 0; i < b->n; i++) {
		struct question *q = b->places[i];
		int e = 0;

		if (i < m->n_answers)
			e = questions_take_answer(qs, q, m->answers[i]);
		else if (q)
			questions_retry(qs, q);
		result = result ?: e;
	}
	if (m->n_answers != b->n)
		result = -EPROTO;
	free(b);
	questions_arm(qs);
	return result;
}
