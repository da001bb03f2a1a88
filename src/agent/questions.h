/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the manager (Resolve) and their answers (Resolved).
 *
 * Concept.  A question is embedded in whoever asks: the miss path, DNS.  Those asked in one turn of
 * the loop leave in one frame. A question ends in exactly one call of its function: answered,
 * refused, or out of time (LIMIT_AGENT_QUESTION_MS after it was asked, with or without a manager).
 * UNAVAILABLE is asked again; so is what was under way when a session ended. Whoever cancels is not
 * called.
 *
 * An answer that comes for a question which has ended makes this host a holder all the same, so it
 * goes to the 'orphan' function.
 *
 * Ownership: questions belong to their askers, who must not free one before it has ended or was
 * cancelled.  Threading: the loop's.  Errors: -ENOBUFS: too many under way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "datapath/datapath.h"
#include "net/addr.h"

enum {
	QUESTION_NAME_SIZE = 64,
};

enum question_result {
	QUESTION_OK,
	QUESTION_REFUSED,
	QUESTION_TIMEOUT,
};

/* A mapping as the manager told it, checked. */
struct answer {
	uint32_t vni;
	struct ipaddr addr;
	uint32_t host; /* the manager's number */
	uint64_t revision;
	uint32_t lifetime_s;             /* 0: the session's */
	uint32_t n_groups, n_hosts;      /* n_hosts 0: 'host' alone */
	uint32_t groups[DP_GROUPS_MAX];  /* security groups it is in, ascending */
	uint32_t hosts[DP_PEER_SET_MAX]; /* the manager's numbers of all the hosts */
	uint32_t label;                  /* what stands for it at 'host'; 0: nothing */
};

struct question;
/* 'answer' is NULL unless QUESTION_OK.  The question has ended and may be freed. */
typedef void (*question_fn)(struct question *q, enum question_result result,
			    const struct answer *answer, void *arg);

struct question {
	/* Set by the asker. */
	Viaduct__Agent__Question__Kind kind;
	uint32_t vni;      /* of the asker */
	uint32_t addr_vni; /* of 'addr', when it is in another network; else 0 */
	struct ipaddr asker, addr;
	bool by_label; /* 'addr' is a label: whom does it stand for? */
	char name[QUESTION_NAME_SIZE];
	question_fn fn;
	void *arg;
	/* Of this file. */
	struct list age;   /* all that have not ended, oldest first */
	struct list state; /* waiting to be sent, or to be sent again */
	uint64_t deadline_ns, retry_ns;
	struct question_batch *batch; /* asked in it */
	size_t place;                 /* there */
};

/* Sends a frame; -ENOTCONN when there is no session. */
typedef int (*questions_send_fn)(const Viaduct__Agent__Frame *frame, void *arg);
typedef void (*questions_orphan_fn)(const struct answer *answer, void *arg);

struct questions {
	struct loop *loop;
	struct list all, waiting, retrying, batches;
	size_t n;
	uint64_t seq;
	struct deferred flush;
	struct timer deadline, retry;
	questions_send_fn send;
	questions_orphan_fn orphan;
	void *arg;
};

void questions_init(struct questions *qs, struct loop *loop, questions_send_fn send,
		    questions_orphan_fn orphan, void *arg);
void questions_deinit(struct questions *qs); /* no question is called */

must_check int questions_ask(struct questions *qs, struct question *q);
/* Asks once more after a while, from inside the question's function: the answer was of no use yet.
 * The deadline stays; -ETIMEDOUT when it is over. */
must_check int questions_again(struct questions *qs, struct question *q);
void questions_cancel(struct questions *qs, struct question *q); /* also one that has ended */

/* A session opened; one ended. */
void questions_connected(struct questions *qs);
void questions_disconnected(struct questions *qs);
/* An answer came.  -EPROTO: it answers nothing that was asked, or not what was asked. */
must_check int questions_answered(struct questions *qs, const Viaduct__Agent__Resolved *m);

/* The network of the address that a question is about. */
uint32_t question_subject_vni(const struct question *q);

/* Checks a mapping of the protocol.  -EINVAL: it makes no sense. */
must_check int answer_read(const Viaduct__Agent__Mapping *m, struct answer *ret);
