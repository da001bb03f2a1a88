/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic mirroring: copies of packets that come up from the data plane go, as VXLAN, to the
 * targets of their sessions.  Read within bounds: what else the agent has to do comes first, and
 * what is too much is lost, as EC2's is.
 */
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/copy_frame.h"
#include "base/limits.h"
#include "base/log.h"

struct sending {
	struct agent *agent;
	uint32_t port;
};

static int copies_send(uint8_t *frame, size_t size, void *arg)
{
	const struct sending *s = arg;
	int e = datapath_copy_send(s->agent->dp, s->port, frame, size);

	if (e)
		s->agent->n_copies_lost++;
	else
		s->agent->n_copies++;
	return 0;
}

static void copies_take(struct agent *a, const struct dp_copy *c)
{
	const struct port *port = ports_find(&a->ports, c->port);
	struct sending sending = {a, c->port};
	const struct desired_mirror *session;
	struct copy_frame_way way;

	if (!port || !port->mirrors || c->session >= port->mirrors->n)
		return;
	session = &port->mirrors->sessions[c->session];
	way = (struct copy_frame_way){
		.from = port->dp.addrs[0],
		.to = session->target,
		.vni = session->vni,
		.length = session->length,
		.mtu = port->dp.mtu,
	};
	copy_frame_each(c, &way, a->copy_work, copies_send, &sending);
}

static void copies_on_ready(struct watch *w, unsigned int ready, void *data)
{
	struct agent *a = data;
	struct dp_copy c;

	for (unsigned int n = 0; n < LIMIT_AGENT_COPIES_PER_TURN; n++) {
		int e = datapath_copy_read(a->dp, &c);

		if (e == -EAGAIN)
			return;
		if (e) {
			log_warn("copies of packets cannot be read", LOG_ERRNO(e));
			return;
		}
		copies_take(a, &c);
	}
}

int copies_open(struct agent *a)
{
	if (!a->copy_work)
		a->copy_work = malloc(COPY_FRAME_MAX);
	if (!a->copy_work)
		return -ENOMEM;
	return watch_init(&a->copies, a->loop, datapath_copy_fd(a->dp), WATCH_READ, copies_on_ready,
			  a);
}

void copies_close(struct agent *a)
{
	watch_deinit(&a->copies);
}

void copies_deinit(struct agent *a)
{
	watch_deinit(&a->copies);
	free(a->copy_work);
}
