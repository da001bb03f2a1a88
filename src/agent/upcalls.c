/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the packets that come up from the data plane and gives each to who answers it.
 *
 * While mappings settle (agent/miss.h), reading on until nothing waits is what makes them live.
 */
#include "agent/agent.h"
#include "base/limits.h"
#include "base/log.h"

static void upcalls_dispatch(struct agent *a, struct dp_upcall *u)
{
	a->n_upcalls[u->kind]++;
	switch (u->kind) {
	case DP_UPCALL_RESOLVE:
	case DP_UPCALL_ARP:
	case DP_UPCALL_VERIFY:
		miss_take(&a->miss, u);
		break;
	case DP_UPCALL_DHCP:
		serve_dhcp(a, u);
		break;
	case DP_UPCALL_DNS:
		serve_dns(a, u);
		break;
	case DP_UPCALL_CONFIGURE6:
		serve6(a, u);
		break;
	case DP_UPCALL_STALE:
		stale_take(&a->stale, u);
		break;
	case DP_UPCALL_NARROW:
		narrow_paths_learn(&a->narrow_paths, u->peer, u->mtu);
		datapath_upcall_free(u);
		break;
	}
}

/* Reads what waits, within bounds; true when nothing waits any more. */
static bool upcalls_read(struct agent *a)
{
	struct dp_upcall *u;
	int e;

	for (unsigned int n = 0; n < LIMIT_AGENT_UPCALLS_PER_TURN; n++) {
		e = datapath_upcall_read(a->dp, &u);
		if (e == -EAGAIN)
			return true;
		if (e) {
			log_warn("upcalls cannot be read", LOG_ERRNO(e));
			return true;
		}
		upcalls_dispatch(a, u);
	}
	return false;
}

static void upcalls_on_ready(struct watch *w, unsigned int ready, void *data)
{
	struct agent *a = data;

	if (upcalls_read(a) && cache_is_settling(&a->cache))
		upcalls_drain_soon(a);
}

/* The held packets are written back.  Those that came meanwhile follow them, then the mapping goes
 * live; what slipped in between is picked up by the watch. A port that never stops sending does not
 * keep it from going live: then a few packets overtake each other. */
static void upcalls_on_drain(struct deferred *d, void *data)
{
	struct agent *a = data;

	if (!a->dp)
		return;
	if (!upcalls_read(a) && ++a->n_drains < LIMIT_AGENT_DRAINS) {
		deferred_schedule(&a->drain);
		return;
	}
	a->n_drains = 0;
	miss_settle(&a->miss);
}

void upcalls_drain_soon(struct agent *a)
{
	deferred_schedule(&a->drain);
}

void upcalls_init(struct agent *a)
{
	deferred_init(&a->drain, a->loop, upcalls_on_drain, a);
}

int upcalls_open(struct agent *a)
{
	return watch_init(&a->upcalls, a->loop, datapath_upcall_fd(a->dp), WATCH_READ,
			  upcalls_on_ready, a);
}

void upcalls_close(struct agent *a)
{
	watch_deinit(&a->upcalls);
	deferred_cancel(&a->drain);
}

void upcalls_deinit(struct agent *a)
{
	watch_deinit(&a->upcalls);
	deferred_deinit(&a->drain);
}
