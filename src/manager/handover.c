/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/handover.h"

#include <stdlib.h>

#include "model/holders.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/tx.h"

struct handover_item {
	enum kind kind;
	uint64_t id;
	uint64_t attachment; /* KIND_INTERFACE: that ends, or begins */
	bool begins;         /* it comes from another instance */
	uint64_t revision;   /* at which its mappings led nowhere */
};

void handover_deinit(struct handover *h)
{
	free(h->items);
	*h = (struct handover){0};
}

/* An interface that is detached by itself; what goes with its instance is another story. */
static const struct attachment *find_detached(const struct write *w)
{
	const struct interface *before = (const struct interface *)w->before;
	const struct interface *after = (const struct interface *)w->after;

	if (w->kind != KIND_INTERFACE || !before || !after)
		return NULL;
	for (size_t n = 0; n < interface_attachment_count(after); n++) {
		const struct attachment *a = interface_attachment(after, n);
		const struct attachment *was = interface_attachment_to(before, a->instance);

		if (a->state == ATTACHMENT_DETACHING && !a->delete_on_termination && was &&
		    was->state != ATTACHMENT_DETACHING)
			return a;
	}
	return NULL;
}

/* That of an interface that is on its way to another instance. */
static const struct attachment *find_beginning(const struct write *w)
{
	const struct interface *before = (const struct interface *)w->before;
	const struct interface *after = (const struct interface *)w->after;

	if (w->kind != KIND_INTERFACE || !before || !after || after->shared ||
	    interface_attachment_count(before) != 1 || interface_attachment_count(after) != 2)
		return NULL;
	return interface_attachment(after, 1);
}

void handover_note(struct handover *h, const struct change *change)
{
	struct handover_item item, *grown;
	const struct attachment *detached, *beginning;
	struct write w;

	for (size_t i = 0; i < change_count(change); i++) {
		w = change_get(change, i);
		item = (struct handover_item){
			.kind = w.kind, .id = w.id, .revision = change_revision(change)};
		beginning = find_beginning(&w);
		detached = find_detached(&w);
		item.begins = beginning;
		if (beginning)
			item.attachment = beginning->id;
		else if (detached)
			item.attachment = detached->id;
		else if (w.kind != KIND_RELEASE || w.before)
			continue;
		grown = reallocarray(h->items, h->n + 1, sizeof(*grown));
		if (!grown)
			return;
		h->items = grown;
		grown[h->n++] = item;
	}
}

static bool is_done(const struct handover_item *item, struct model *model)
{
	const struct object *o = model_get(model, item->kind, item->id);
	const struct interface *i = (const struct interface *)o;
	const struct attachment *a;
	const struct object *n;
	struct ipaddr link_local;

	if (!o || item->kind != KIND_INTERFACE)
		return !o;
	a = attachment_find(model, item->attachment);
	n = a ? model_get(model, KIND_INSTANCE, a->instance) : NULL;
	if (n && ((const struct instance *)n)->state == INSTANCE_SHUTTING_DOWN)
		return true;
	if (item->begins)
		return !a || a->state == ATTACHMENT_ATTACHED;
	if (a && a->state == ATTACHMENT_DETACHING)
		return false;
	for (size_t k = 0; k < i->n_addrs; k++)
		if (holders_any_before(model_holders(model), i->vni, &i->addrs[k].addr,
				       item->revision))
			return false;
	link_local = interface_link_local(i);
	return !holders_any_before(model_holders(model), i->vni, &link_local, item->revision);
}

bool handover_is_done(const struct handover *h, struct model *model)
{
	for (size_t i = 0; i < h->n; i++)
		if (!is_done(&h->items[i], model))
			return false;
	return true;
}
