/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network interfaces: making, deleting, changing, and finding them.  See interface.h; attachments
 * are in interface_attach.c, addresses in interface_addrs.c.
 */
#include "model/interface.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/mapping.h"
#include "model/security_group_edit.h"
#include "model/token_edit.h"

#define OPERATION "CreateNetworkInterface"

const char *interface_status_text(const struct interface *i)
{
	if (i->managed_by)
		return "in-use";
	switch (i->attachment.state) {
	case ATTACHMENT_NONE:
		return "available";
	case ATTACHMENT_ATTACHED:
		return "in-use";
	default:
		return attachment_state_text(i->attachment.state);
	}
}

bool interface_has_addr(const struct interface *i, const struct ipaddr *addr)
{
	for (size_t n = 0; i && n < i->n_addrs; n++)
		if (ipaddr_equal(&i->addrs[n].addr, addr))
			return true;
	return false;
}

bool interface_has_group(const struct interface *i, uint64_t id)
{
	for (size_t n = 0; n < i->n_groups; n++)
		if (i->groups[n].id == id)
			return true;
	return false;
}

const char *interface_condition_text(enum interface_condition c)
{
	static const char *const texts[] = {
		[INTERFACE_NORMAL] = "normal",
		[INTERFACE_DISABLED] = "disabled",
		[INTERFACE_IN_REPAIR] = "in-repair",
	};

	return c < ARRAY_SIZE(texts) ? texts[c] : NULL;
}

int interface_find(const struct model *m, const struct caller *c, const char *id,
		   const struct interface **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_INTERFACE, id, &number))
		o = model_get(m, KIND_INTERFACE, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_INTERFACE_NOT_FOUND, id);
	*ret = (const struct interface *)o;
	return 0;
}

const struct interface *interface_by_mac(const struct model *m, const struct mac *mac)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_MAC, hash_bytes(mac, sizeof(*mac)));

	for (; n; n = hmap_next_at(n)) {
		const struct interface *i = hmap_entry(n, const struct interface, by_mac);

		if (mac_equal(&i->mac, mac))
			return i;
	}
	return NULL;
}

struct ipaddr interface_link_local(const struct interface *i)
{
	return interface_link_local_of(&i->mac);
}

bool interface_forwarding(const struct interface *i, uint32_t *ret_vni, struct ipaddr *ret_addr)
{
	*ret_vni = i->handle.number;
	*ret_addr = ipaddr_from_v4(i->vni);
	return i->handle.number;
}

struct ipaddr interface_link_local_of(const struct mac *mac)
{
	const uint8_t *m = mac->b;

	return (struct ipaddr){
		{0xfe, 0x80, [8] = m[0] ^ 0x02, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

size_t interface_count_addrs(const struct interface *i, bool v6)
{
	size_t n = 0;

	for (size_t k = 0; k < i->n_addrs; k++)
		n += ipaddr_is_v4(&i->addrs[k].addr) != v6;
	return n;
}

const struct interface *interface_by_addr(const struct model *m, uint32_t vni,
					  const struct ipaddr *addr)
{
	const struct mapping *mapping = mapping_find(m->mappings, vni, addr);

	return mapping ? (const struct interface *)model_get(m, KIND_INTERFACE, mapping->interface)
		       : NULL;
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct interface_create_args *args, const struct interface **ret,
		     struct refusal *reterr)
{
	const struct interface_spec spec = {
		.description = args->description,
		.private_ip = args->private_ip,
		.addrs = args->addrs,
		.n_addrs = args->n_addrs,
		.secondary_count = args->secondary_count,
		.addrs6 = args->addrs6,
		.n_addrs6 = args->n_addrs6,
		.count6 = args->count6,
		.groups = args->groups,
		.n_groups = args->n_groups,
		.max_addrs = LIMIT_MODEL_INTERFACE_ADDRS,
		.tags = args->tags,
		.n_tags = args->n_tags,
	};
	const struct interface *result;
	const struct token *seen;
	const struct subnet *s;
	struct interface *i = NULL;
	int r;

	r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);
	if (r)
		return r;
	if (seen)
		return token_answer(tx->m, seen, MODEL_E_INTERFACE_NOT_FOUND,
				    (const struct object **)ret, reterr);
	r = subnet_find(tx->m, c, args->subnet_id, &s, reterr);
	if (!r)
		r = interface_make(tx, s, &spec, &i, reterr);
	if (r)
		return r;
	result = i;
	r = TX_PUT(tx, (struct interface *)NULL, &i);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_INTERFACE,
				   &result->o.id, 1);
	if (!r)
		*ret = result;
	return r;
}

int interface_create(struct tx *tx, const struct caller *c,
		     const struct interface_create_args *args, const struct interface **ret,
		     struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int interface_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct interface *i;
	int r = interface_find_for(tx->m, c, id, INTERFACE_OWN, &i, reterr);

	if (r)
		return r;
	if (i->attachment.state != ATTACHMENT_NONE)
		return refuse(reterr, MODEL_E_INTERFACE_IN_USE, id);
	return tx_settle(tx, mark, interface_end(tx, i));
}

/* The attachment that the arguments name must be this interface's. */
static int check_attachment(const struct model *m, const struct interface *i,
			    const struct interface_modify_args *args, uint64_t *ret,
			    struct refusal *reterr)
{
	const struct attachment *a;
	uint64_t id;

	if (!args->delete_on_termination)
		return 0;
	if (!args->attachment_id)
		return refuse(reterr, MODEL_E_MISSING, "Attachment.AttachmentId");
	if (id_parse_prefixed(ID_PREFIX_ATTACHMENT, args->attachment_id, &id))
		return refuse(reterr, MODEL_E_ATTACHMENT_NOT_FOUND, args->attachment_id);
	a = attachment_find(m, id);
	if (!a || a->of != i)
		return refuse(reterr, MODEL_E_ATTACHMENT_MISMATCH, args->attachment_id,
			      args->interface_id);
	*ret = id;
	return 0;
}

static bool same_groups(const struct interface *i, const struct group_ref *refs, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!interface_has_group(i, refs[k].id))
			return false;
	return i->n_groups == n;
}

/* Hosts know the groups of an address from its mapping: with them the mapping changes. */
static int regroup(struct tx *tx, struct interface *i, const struct interface_modify_args *args,
		   struct refusal *reterr)
{
	_cleanup_free_ struct group_ref *before = i->groups;
	size_t n_before = i->n_groups;
	int r;

	i->groups = NULL;
	i->n_groups = 0;
	r = security_group_join(tx, i, args->groups, args->n_groups, reterr);
	if (!r && interface_is_plugged(i) && !same_groups(i, before, n_before))
		interface_touch_addrs(i, tx->revision);
	return r;
}

static int do_modify(struct tx *tx, const struct interface *old,
		     const struct interface_modify_args *args, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct interface *new;
	uint64_t attachment = 0;
	int r = check_attachment(tx->m, old, args, &attachment, reterr);

	if (!r && args->description && strlen(args->description) > LIMIT_MODEL_TEXT)
		r = refuse(reterr, MODEL_E_VALUE, args->description, "description",
			   "It is longer than 255 characters.");
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct interface *)o;
	if (args->description)
		r = edit_string(&new->description, args->description);
	if (args->source_dest_check)
		new->source_dest_check = *args->source_dest_check;
	if (args->delete_on_termination)
		interface_attachment_of(new, attachment)->delete_on_termination =
			*args->delete_on_termination;
	if (!r && args->n_groups)
		r = regroup(tx, new, args, reterr);
	if (r || record_equal(&old->o, o))
		return r;
	return tx_put(tx, &old->o, &o);
}

int interface_modify(struct tx *tx, const struct caller *c,
		     const struct interface_modify_args *args, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct interface *i;
	int r = interface_find_for(tx->m, c, args->interface_id, INTERFACE_MODIFY, &i, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, i, args, reterr));
}
