/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement in words.  See placement.h and placement_edit.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "model/counters.h"
#include "model/edit.h"
#include "model/placement_edit.h"
#include "model/placement_group.h"
#include "model/settings.h"

const char *placement_reason_text(enum placement_reason r)
{
	static const char *const texts[PLACEMENT_REASON_MAX] = {
		[PLACEMENT_FITS] = "fits",
		[PLACEMENT_EDGE] = "edge",
		[PLACEMENT_OTHER_HOST] = "other-host",
		[PLACEMENT_ZONE] = "zone",
		[PLACEMENT_DISCONNECTED] = "disconnected",
		[PLACEMENT_NO_FORMAT] = "no-format",
		[PLACEMENT_SHARED] = "shared-interface",
		[PLACEMENT_LACKS] = "lacks",
		[PLACEMENT_COST] = "cost",
		[PLACEMENT_FULL] = "full",
		[PLACEMENT_GROUP] = "group",
		[PLACEMENT_FOREIGN] = "foreign",
		[PLACEMENT_NO_DATAPATH] = "carries-nothing",
		[PLACEMENT_DRAINED] = "drained",
	};

	return texts[r];
}

/* A text that grows as long as there is room. */
struct words {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->used, w->size - w->used, format, args);
	va_end(args);
	if (n > 0)
		w->used += (size_t)n;
	if (w->used >= w->size)
		w->used = w->size - 1;
}

/* ---- of a whole request ---- */

void placement_pass(struct placement_passed *p, const struct placement_request *r,
		    const struct placement_verdict *v)
{
	if (v->reason == PLACEMENT_EDGE || v->reason == PLACEMENT_FOREIGN) {
		if (r->only == v->host->number)
			p->only = *v;
		return;
	}
	p->total++;
	p->by_reason[v->reason]++;
	if (v->reason == PLACEMENT_FULL)
		p->by_room[v->room]++;
}

static void count(struct words *w, size_t n, const char *what)
{
	if (n)
		say(w, " %zu %s,", n, what);
}

static void count_all(struct words *w, const struct placement_passed *p)
{
	static const char *const reasons[PLACEMENT_REASON_MAX] = {
		[PLACEMENT_OTHER_HOST] = "not the one asked for",
		[PLACEMENT_ZONE] = "in other zones",
		[PLACEMENT_DISCONNECTED] = "not connected",
		[PLACEMENT_NO_FORMAT] = "without a confirmed wire format",
		[PLACEMENT_NO_DATAPATH] = "that carry nothing now",
		[PLACEMENT_DRAINED] = "drained",
		[PLACEMENT_SHARED] = "with a node of the same shared interface",
		[PLACEMENT_LACKS] = "without what is required",
		[PLACEMENT_COST] = "too expensive",
		[PLACEMENT_GROUP] = "excluded by the placement group",
	};
	static const char *const rooms[HOST_ROOM_MAX] = {
		[HOST_MEMORY] = "with too little memory left",
		[HOST_VCPUS] = "with too few vCPUs left",
		[HOST_BANDWIDTH] = "with too little bandwidth left",
		[HOST_DISK] = "with too little disk left",
		[HOST_PORTS] = "without a port left",
	};

	say(w, "of %zu host%s:", p->total, p->total == 1 ? "" : "s");
	for (enum placement_reason r = 0; r < PLACEMENT_REASON_MAX; r++)
		if (reasons[r])
			count(w, p->by_reason[r], reasons[r]);
	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++)
		count(w, p->by_room[r], rooms[r]);
	w->text[w->used - 1] = '\0'; /* the last comma */
}

int placement_refuse(const struct model *m, const struct placement_request *r,
		     const struct placement_passed *p, struct refusal *reterr)
{
	char why[REFUSAL_MESSAGE_SIZE], text[PLACEMENT_TEXT_SIZE];
	struct words w = {why, sizeof(why), 0};

	if (p->only.host)
		say(&w, "the host asked for, %s, is %s", p->only.host->name,
		    placement_text(m, r, &p->only, text));
	else if (p->total)
		count_all(&w, p);
	else
		say(&w, "no host has been added");
	w.used = strlen(why);
	if (r->require)
		say(&w, " (required: %s)", r->require);
	if (r->desire)
		say(&w, " (desired: %s)", r->desire);
	if (r->group)
		say(&w, " (placement group: %s)", r->group->name);
	return refuse(reterr, MODEL_E_NO_CAPACITY, r->what, r->zone ? r->zone : "any zone", why);
}

/* ---- of one host ---- */

static const char *unit_of(enum host_room r)
{
	static const char *const units[HOST_ROOM_MAX] = {
		[HOST_MEMORY] = " MiB", [HOST_VCPUS] = "", [HOST_BANDWIDTH] = " Mb/s",
		[HOST_DISK] = " GiB",   [HOST_PORTS] = "",
	};

	return units[r];
}

static void explain_group(struct words *w, const struct placement_request *r,
			  const struct placement_verdict *v)
{
	const struct placement_group *g = r->group;

	if (g->strategy == PLACEMENT_SPREAD)
		say(w, "%s has another node of the spread group %s", g->by_host ? "it" : "its rack",
		    g->name);
	else if (g->strategy == PLACEMENT_PARTITION)
		say(w, "its rack belongs to partition %u of the group %s", v->detail, g->name);
	else if (v->detail != UINT32_MAX)
		say(w, "its rack has room for %u of the %u nodes of the cluster group %s",
		    v->detail, r->together, g->name);
	else
		say(w, "the nodes of the cluster group %s are in another rack", g->name);
}

const char *placement_text(const struct model *m, const struct placement_request *r,
			   const struct placement_verdict *v, char buf[static PLACEMENT_TEXT_SIZE])
{
	struct words w = {buf, PLACEMENT_TEXT_SIZE, 0};

	buf[0] = '\0';
	switch (v->reason) {
	case PLACEMENT_EDGE:
		say(&w, "an edge that runs no instances");
		break;
	case PLACEMENT_FOREIGN:
		say(&w, "a foreign host, which has no agent");
		break;
	case PLACEMENT_OTHER_HOST:
		say(&w, "not the host asked for, which is %s", host_by_number(m, r->only)->name);
		break;
	case PLACEMENT_ZONE:
		say(&w, "in zone %s, not in %s", v->host->zone, r->zone);
		break;
	case PLACEMENT_DISCONNECTED:
		say(&w, "not connected");
		break;
	case PLACEMENT_NO_FORMAT:
		say(&w, "its probes have confirmed no wire format");
		break;
	case PLACEMENT_NO_DATAPATH:
		say(&w, "it carries nothing now: %s",
		    v->host->can.error ? v->host->can.error : "it does not say why");
		break;
	case PLACEMENT_DRAINED:
		say(&w, "it is drained: \"viaduct host drain %s --off\" lets instances come again",
		    v->host->name);
		break;
	case PLACEMENT_SHARED:
		say(&w, "has another node with a shared interface of it");
		break;
	case PLACEMENT_LACKS:
		say(&w, "lacks %.*s, which is required", (int)v->capability_length, v->capability);
		break;
	case PLACEMENT_COST:
		say(&w, "costs %u, more than %u", v->host->cost, r->max_cost);
		break;
	case PLACEMENT_FULL:
		say(&w, "%s: %u%s left, %u%s needed", host_room_text(v->room), v->detail,
		    unit_of(v->room), r->needs[v->room], unit_of(v->room));
		break;
	case PLACEMENT_GROUP:
		explain_group(&w, r, v);
		break;
	default:
		break;
	}
	return buf;
}

/* ---- for operations ---- */

int placement_done(struct tx *tx, const struct placement_request *r, uint32_t host)
{
	enum placement_strategy s = r->strategy ? r->strategy : settings_placement(tx->m);

	return s == PLACEMENT_ROUND_ROBIN ? counters_note_placed(tx, host) : 0;
}
