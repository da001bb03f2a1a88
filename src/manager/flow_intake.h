/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow logs: what hosts tell of their logged interfaces becomes lines, kept by flow_store.h.
 *
 * A host says the records of a window until it hears that they are kept; what was kept of a window
 * already is not kept twice while this manager runs.  An interface is believed only of a host that
 * has it.
 */
#pragma once

#include "abi/agent.pb-c.h"
#include "base/hmap.h"
#include "manager/flow_store.h"

struct agent;
struct manager;
struct model;

struct flow_intake {
	struct flow_store *store; /* NULL: records are kept nowhere */
	struct hmap hosts;        /* how far each has told */
	uint64_t sweep_ms;        /* when what is over is removed next */
};

void flow_intake_init(struct flow_intake *f);
void flow_intake_deinit(struct flow_intake *f);
/* Keeps what the frame has; an error ends the session. -EBADMSG */
must_check int flow_intake_take(struct manager *manager, struct agent *agent,
				const Viaduct__Agent__FlowRecords *m);
void flow_intake_tick(struct manager *manager);
/* Lines of a flow log for people: 'most' bytes from 'place' on. */
must_check int flow_intake_read(struct manager *manager, uint64_t flow_log, uint64_t place,
				size_t most, struct buf *b, uint64_t *ret_next);
