/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/gate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/descriptors.h"
#include "manager/manager.h"
#include "manager/sessions.h"
#include "model/host.h"
#include "wire/session.h"
#include "wire/tls.h"

struct gate {
	struct manager *manager;
	struct tls_context *tls;
	struct descriptors shares;
	int fd;
	struct watch watch;
	struct timer reopen;
};

static const uint64_t closed_ns = 100 * CLOCK_NS_PER_MS;

static bool admit(const struct pki_info *client, void *arg)
{
	const struct gate *gate = arg;
	const struct host *host = host_find(gate->manager->model, client->name);
	char id[ID_TEXT_SIZE];

	/* host_find() takes names as well; a certificate names by id alone. */
	return host && !strcmp(object_id_text(&host->o, id), client->name);
}

static void close_for_a_moment(struct gate *gate, int error)
{
	log_warn("no agents accepted for a moment", LOG_ERRNO(error));
	if (watch_set(&gate->watch, 0))
		log_err("the gate could not be closed");
	timer_arm_in(&gate->reopen, closed_ns);
}

static void reopen(struct timer *timer, void *data)
{
	struct gate *gate = data;

	if (watch_set(&gate->watch, WATCH_READ))
		timer_arm_in(timer, closed_ns);
}

/* The same connection with a number of the agents' share; -1: none is free.  Takes 'fd'. */
static int move_to_share(struct gate *gate, int fd)
{
	int moved;

	if (gate->shares.http_end == INT_MAX)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, gate->shares.http_end);
	close(fd);
	if (moved >= gate->shares.agents_end) {
		close(moved);
		moved = -1;
	}
	return moved;
}

static void accept_one(struct gate *gate, int accepted)
{
	int r, fd = move_to_share(gate, accepted);
	void *user = fd < 0 ? NULL : sessions_new_user(gate->manager);
	struct session *session;

	if (!user) {
		if (fd >= 0)
			close(fd);
		log_warn("too many connections of agents");
		return;
	}
	r = session_accept(gate->manager->loop, gate->tls, fd, &sessions_callbacks, user, &session);
	if (r) {
		log_err("connection not accepted", LOG_ERRNO(r));
		sessions_drop_user(user);
		return;
	}
	sessions_begin(user, session);
}

static void on_ready(struct watch *watch, unsigned int ready, void *data)
{
	struct gate *gate = data;
	int fd;

	/* A few per turn: a thousand hosts that reconnect must not stop the look-ups of the others.
	 */
	for (int i = 0; i < LIMIT_ACCEPT_PER_TURN; i++) {
		fd = accept4(gate->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			accept_one(gate, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			close_for_a_moment(gate, errno);
		return;
	}
}

int gate_new(struct manager *manager, const char *ca_certificate, const struct pki_pair *server,
	     int fd, const struct descriptors *shares, struct gate **ret)
{
	_cleanup_(gate_free_cleanup) struct gate *gate = calloc(1, sizeof(*gate));
	int r;

	if (!gate) {
		close(fd);
		return -ENOMEM;
	}
	gate->manager = manager;
	gate->shares = *shares;
	gate->fd = fd;
	timer_init(&gate->reopen, manager->loop, reopen, gate);
	r = tls_server_new(ca_certificate, server, admit, gate, &gate->tls);
	if (!r)
		r = watch_init(&gate->watch, manager->loop, fd, WATCH_READ, on_ready, gate);
	if (r)
		return r;
	*ret = TAKE_PTR(gate);
	return 0;
}

struct gate *gate_free(struct gate *gate)
{
	if (!gate)
		return NULL;
	timer_deinit(&gate->reopen);
	watch_deinit(&gate->watch);
	tls_free(gate->tls);
	close(gate->fd);
	free(gate);
	return NULL;
}
