/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sessions joined in memory, for tests: no sockets, no TLS, the loop's clock (virtual in a
 * scenario), and faults on request.
 *
 * Each frame sent on one end is decoded again on the other, later by what the fault function says;
 * without one, in the next turn of the loop.  Frames with less delay overtake others: that is how a
 * test re-orders them.  Cutting the pair ends both sessions as a lost connection does (no Goodbye);
 * a *stalled* pair carries nothing and tells nobody, as a dead path does: what is sent waits, then
 * overflows or times out.
 *
 * Ownership: the pair is freed when both sessions have ended and pair_free() was called.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/session.h"

struct pair;

enum pair_direction {
	PAIR_TO_SERVER,
	PAIR_TO_CLIENT,
};

enum {
	PAIR_LOSE = -1, /* the frame never arrives */
	PAIR_CUT = -2,  /* the connection breaks instead */
};

/* What happens to 'frame': its delay in ns (0: next turn), PAIR_LOSE or PAIR_CUT. */
typedef int64_t (*pair_fault_fn)(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
				 void *arg);

/* Makes both ends.  They open in the next turn of the loop; 'client_name' is what session_peer() of
 * the server's end says (a certificate's CN), "manager" is what the client's end says. */
must_check int pair_new(struct loop *loop, const char *client_name,
			const struct session_callbacks *client_callbacks, void *client_user,
			const struct session_callbacks *server_callbacks, void *server_user,
			struct pair **ret);
void pair_set_fault(struct pair *pair, pair_fault_fn fn, void *arg);
void pair_stall(struct pair *pair, bool stalled);
void pair_cut(struct pair *pair);
struct pair *pair_free(struct pair *pair); /* cuts it; returns NULL */

struct session *pair_client(struct pair *pair); /* NULL when it has ended */
struct session *pair_server(struct pair *pair);
