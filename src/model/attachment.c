/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments, and what an interface's say together.  See attachment.h.
 */
#include "model/attachment.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/table.h"

const char *attachment_state_text(enum attachment_state s)
{
	static const char *const texts[] = {
		[ATTACHMENT_NONE] = "detached",
		[ATTACHMENT_ATTACHING] = "attaching",
		[ATTACHMENT_ATTACHED] = "attached",
		[ATTACHMENT_DETACHING] = "detaching",
	};

	return s < ARRAY_SIZE(texts) ? texts[s] : NULL;
}

const struct attachment *attachment_find(const struct model *m, uint64_t id)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_ATTACHMENT, hash_u64(id));

	for (; n; n = hmap_next_at(n)) {
		const struct attachment *a = hmap_entry(n, const struct attachment, by_id);

		if (a->id == id)
			return a;
	}
	return NULL;
}

bool attachment_is_desired(const struct attachment *a)
{
	return a->host &&
	       (a->standby || a->state == ATTACHMENT_ATTACHING || a->state == ATTACHMENT_ATTACHED);
}

bool attachment_is_foreign(const struct attachment *a)
{
	return a->state != ATTACHMENT_NONE && !a->instance && !a->gateway;
}

bool attachment_is_live(const struct model *m, const struct attachment *a)
{
	const struct instance *n;

	if (attachment_is_foreign(a))
		return false;
	if (!a->host || a->plugged || a->gateway || a->state == ATTACHMENT_DETACHING)
		return a->host;
	n = (const struct instance *)model_get(m, KIND_INSTANCE, a->instance);
	return n && n->state != INSTANCE_STOPPED;
}

uint64_t attachment_owner(const struct model *m, const struct attachment *a)
{
	const struct object *n =
		a->state != ATTACHMENT_NONE ? model_get(m, KIND_INSTANCE, a->instance) : NULL;

	return n ? n->account : 0;
}

/* ---- of an interface ---- */

size_t interface_attachment_count(const struct interface *i)
{
	return i->attachment.state == ATTACHMENT_NONE ? 0 : 1 + i->n_others;
}

const struct attachment *interface_attachment(const struct interface *i, size_t n)
{
	return n ? &i->others[n - 1] : &i->attachment;
}

const struct attachment *interface_attachment_at(const struct interface *i, uint32_t host)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (host && interface_attachment(i, n)->host == host)
			return interface_attachment(i, n);
	return NULL;
}

const struct attachment *interface_attachment_to(const struct interface *i, uint64_t instance)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (interface_attachment(i, n)->instance == instance)
			return interface_attachment(i, n);
	return NULL;
}

bool interface_is_desired(const struct interface *i)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (attachment_is_desired(interface_attachment(i, n)))
			return true;
	return false;
}

bool interface_is_desired_at(const struct interface *i, uint32_t host)
{
	const struct attachment *a = interface_attachment_at(i, host);

	return a && attachment_is_desired(a);
}

bool interface_is_plugged(const struct interface *i)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (interface_attachment(i, n)->plugged)
			return true;
	return false;
}

bool interface_is_live(const struct model *m, const struct interface *i)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (attachment_is_live(m, interface_attachment(i, n)))
			return true;
	return false;
}

static size_t insert_host(uint32_t *hosts, size_t n, uint32_t host)
{
	size_t at = n;

	while (at && hosts[at - 1] > host)
		at--;
	memmove(&hosts[at + 1], &hosts[at], (n - at) * sizeof(*hosts));
	hosts[at] = host;
	return n + 1;
}

static size_t collect_hosts(const struct interface *i, bool lost, uint32_t *ret)
{
	size_t n = 0;

	for (size_t k = 0; k < interface_attachment_count(i); k++) {
		const struct attachment *a = interface_attachment(i, k);

		if (a->plugged && a->host && (lost || !a->lost) && n < LIMIT_MODEL_ATTACHMENTS)
			n = insert_host(ret, n, a->host);
	}
	return n;
}

size_t interface_hosts(const struct interface *i, uint32_t *ret)
{
	size_t n = collect_hosts(i, false, ret);

	/* All are lost: they may well be there, and nobody else is. */
	return n ? n : collect_hosts(i, true, ret);
}

uint32_t interface_host(const struct interface *i)
{
	uint32_t hosts[LIMIT_MODEL_ATTACHMENTS];

	if (!i->n_others)
		return i->attachment.plugged ? i->attachment.host : 0;
	return interface_hosts(i, hosts) ? hosts[0] : 0;
}

uint32_t interface_addr_host(const struct interface *i, size_t n)
{
	return i->addrs[n].arriving ? i->addrs[n].at : interface_host(i);
}
