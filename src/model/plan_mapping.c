/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mappings a change moves.  See plan.h.
 */
#include "model/exit.h"
#include "model/interface.h"
#include "model/mapping.h"
#include "model/plan.h"
#include "model/table.h"
#include "model/tx.h"

/* Where an address of 'i' was, and in which groups. */
struct place {
	uint32_t host; /* 0: nowhere */
	const struct group_set *groups;
	const struct group_set *hosts; /* of a shared interface: all of them */
	/* that last changed where it is, or what stands for it there */
	uint64_t revision;
};

static const struct place nowhere;

static struct place place_of(const struct interface *i, size_t n)
{
	return (struct place){interface_addr_host(i, n), i->group_set,
			      i->addrs[n].arriving ? NULL : i->host_set, i->addrs[n].revision};
}

/* What is now so of an address that 'i' had, or has, and that was at 'was'. */
static void plan_address(const struct model *m, const struct change *c, uint32_t vni,
			 const struct ipaddr *a, struct place was,
			 void (*fn)(void *data, const struct mapping *now), void *data)
{
	const struct mapping *found = mapping_find(m->mappings, vni, a);
	struct mapping now = {.addr = *a, .vni = vni, .revision = change_revision(c)};

	if (found && found->host)
		now = *found;
	if (now.host != was.host ||
	    (now.host &&
	     (now.groups != was.groups || now.hosts != was.hosts || now.revision != was.revision)))
		fn(data, &now);
}

static void plan_link_local(const struct model *m, const struct change *c,
			    const struct interface *before, const struct interface *after,
			    void (*fn)(void *data, const struct mapping *now), void *data)
{
	const struct interface *i = before ? before : after;
	struct ipaddr addr = interface_link_local(i);

	plan_address(m, c, i->vni, &addr, before ? place_of(before, 0) : nowhere, fn, data);
}

/* What a node forwards: from where, or not at all. */
static void plan_forwarding(const struct model *m, const struct change *c,
			    const struct interface *before, const struct interface *after,
			    void (*fn)(void *data, const struct mapping *now), void *data)
{
	bool did = before && before->handle.number && !before->source_dest_check;
	struct place was = did ? place_of(before, 0) : nowhere;
	struct ipaddr addr;
	uint32_t vni;

	if (!(before && interface_forwarding(before, &vni, &addr)) &&
	    !(after && interface_forwarding(after, &vni, &addr)))
		return;
	was.groups = NULL;
	was.revision = did ? before->o.revision : 0;
	plan_address(m, c, vni, &addr, was, fn, data);
}

void plan_mappings(const struct model *m, const struct change *c,
		   void (*fn)(void *data, const struct mapping *now), void *data)
{
	for (size_t k = 0; k < change_count(c); k++) {
		struct write w = change_get(c, k);
		const struct interface *before = (const struct interface *)w.before;
		const struct interface *after = (const struct interface *)w.after;

		if (w.kind != KIND_INTERFACE)
			continue;
		for (size_t n = 0; before && n < before->n_addrs; n++)
			plan_address(m, c, before->vni, &before->addrs[n].addr, place_of(before, n),
				     fn, data);
		for (size_t n = 0; after && n < after->n_addrs; n++)
			if (!interface_has_addr(before, &after->addrs[n].addr) &&
			    !after->addrs[n].arriving)
				plan_address(m, c, after->vni, &after->addrs[n].addr, nowhere, fn,
					     data);
		plan_link_local(m, c, before, after, fn, data);
		plan_forwarding(m, c, before, after, fn, data);
	}
	exit_changes(m, c, fn, data);
}
