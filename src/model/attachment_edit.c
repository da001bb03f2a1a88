/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps in the life of an attachment.  See interface_edit.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/interface_edit.h"

struct attachment *interface_attachment_of(struct interface *i, uint64_t attachment)
{
	for (size_t n = 0; n < i->n_others; n++)
		if (i->others[n].id == attachment)
			return &i->others[n];
	return &i->attachment;
}

void interface_touch_addrs(struct interface *i, uint64_t revision)
{
	for (size_t n = 0; n < i->n_addrs; n++)
		if (!i->addrs[n].arriving)
			i->addrs[n].revision = revision;
}

void interface_locate(struct interface *i, struct attachment *a, uint32_t host, bool plugged,
		      uint64_t revision)
{
	uint32_t before = a->plugged ? a->host : 0, after = plugged ? host : 0;

	a->host = host;
	a->plugged = plugged;
	if (before == after)
		return;
	a->lost = false;
	interface_touch_addrs(i, revision);
}

int interface_check_free(const struct interface *i, uint64_t instance, const char *id,
			 struct refusal *reterr)
{
	size_t n = interface_attachment_count(i);
	char most[16];

	if (i->managed_by || (n && (!i->shared || attachment_is_foreign(&i->attachment))) ||
	    interface_attachment_to(i, instance))
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, id);
	if (i->condition != INTERFACE_NORMAL)
		return refuse(reterr, MODEL_E_INTERFACE_STATE, id,
			      interface_condition_text(i->condition));
	snprintf(most, sizeof(most), "%d", LIMIT_MODEL_ATTACHMENTS);
	return n < LIMIT_MODEL_ATTACHMENTS ? 0 : refuse(reterr, MODEL_E_SHARED_LIMIT, id, most);
}

int interface_attach_to(struct tx *tx, struct interface *i, uint64_t instance,
			uint32_t device_index, struct attachment **ret)
{
	struct attachment *a = &i->attachment, *others;
	uint64_t id;

	if (a->state != ATTACHMENT_NONE) {
		others = reallocarray(i->others, i->n_others + 1, sizeof(*others));
		if (!others)
			return -ENOMEM;
		i->others = others;
		a = &others[i->n_others++];
	}
	do
		id = tx_random(tx);
	while (!id || attachment_find(tx->m, id));
	*a = (struct attachment){
		.id = id,
		.instance = instance,
		.device_index = device_index,
		.state = ATTACHMENT_ATTACHING,
		.attached_ms = tx->now_ms,
		.wait_revision = tx->revision,
	};
	*ret = a;
	return 0;
}

int interface_edit_attached(struct tx *tx, const struct interface *i, uint64_t instance,
			    uint32_t device_index, struct interface **ret,
			    struct attachment **ret_attachment)
{
	struct interface *copy = NULL;
	int r = TX_EDIT(tx, i, &copy);

	if (!r)
		r = interface_attach_to(tx, copy, instance, device_index, ret_attachment);
	if (r)
		record_free(copy ? &copy->o : NULL);
	else
		*ret = copy;
	return r;
}

void interface_drop_attachment(struct interface *i, struct attachment *a)
{
	struct attachment *end;

	if (!i->n_others) {
		*a = (struct attachment){.state = ATTACHMENT_NONE};
		i->auto_public = false;
		return;
	}
	if (a == &i->attachment) {
		i->attachment = i->others[0];
		a = &i->others[0];
	}
	end = &i->others[i->n_others];
	memmove(a, a + 1, (size_t)((char *)end - (char *)(a + 1)));
	i->n_others--;
}

int interface_free_attachment(struct tx *tx, const struct attachment *a)
{
	const struct interface *i = a->of;
	struct interface *new = NULL;
	struct attachment *gone;
	int r = TX_EDIT(tx, i, &new);

	if (r)
		return r;
	gone = interface_attachment_of(new, a->id);
	interface_locate(new, gone, 0, false, tx->revision);
	interface_drop_attachment(new, gone);
	return TX_PUT(tx, i, &new);
}

/* Public addresses that come and go with the node: with the first one, and with the last. */
static int follow_node(struct tx *tx, const struct attachment *a, bool plugged)
{
	const struct interface *i = a->of;
	bool others = false;
	int r;

	for (size_t n = 0; n < interface_attachment_count(i); n++)
		others |= interface_attachment(i, n) != a && interface_attachment(i, n)->plugged;
	if (others)
		return 0;
	if (!plugged)
		return a->plugged ? elastic_end_automatic(tx, i) : 0;
	if (a->plugged || !i->auto_public)
		return 0;
	/* one that has none left to get starts without */
	r = elastic_give_automatic(tx, i, NULL);
	return r > 0 ? 0 : r;
}

int interface_begin_detach(struct tx *tx, const struct attachment *a, bool keep)
{
	const struct interface *i = a->of;
	struct interface *new = NULL;
	struct attachment *ending;
	int r = follow_node(tx, a, false);

	if (!r)
		r = TX_EDIT(tx, i, &new);
	if (r)
		return r;
	ending = interface_attachment_of(new, a->id);
	interface_locate(new, ending, a->host, false, tx->revision);
	ending->state = ATTACHMENT_DETACHING;
	if (keep)
		ending->delete_on_termination = false;
	ending->wait_revision = tx->revision;
	return TX_PUT(tx, i, &new);
}

int interface_confirm_attach(struct tx *tx, const struct attachment *a)
{
	const struct interface *i = a->of;
	struct interface *new = NULL;
	struct attachment *attached;
	int r = TX_EDIT(tx, i, &new);

	if (r)
		return r;
	attached = interface_attachment_of(new, a->id);
	attached->state = ATTACHMENT_ATTACHED;
	attached->wait_revision = 0;
	return TX_PUT(tx, i, &new);
}

int interface_relocate(struct tx *tx, const struct attachment *a, uint32_t host, bool plugged)
{
	const struct interface *i = a->of;
	struct interface *new = NULL;
	struct attachment *moved;
	int r = follow_node(tx, a, plugged);

	if (!r)
		r = TX_EDIT(tx, i, &new);
	if (r)
		return r;
	moved = interface_attachment_of(new, a->id);
	if (host != a->host) {
		moved->state = ATTACHMENT_ATTACHING;
		moved->wait_revision = tx->revision;
	}
	interface_locate(new, moved, host, plugged, tx->revision);
	return TX_PUT(tx, i, &new);
}
