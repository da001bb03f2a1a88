/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps on interfaces.  See interface_edit.h.
 */
#include "model/interface_edit.h"

#include <string.h>

#include "base/limits.h"
#include "model/address.h"
#include "model/choice_rules.h"
#include "model/edit.h"
#include "model/elastic_edit.h"
#include "model/flow_log.h"
#include "model/mirror.h"
#include "model/permission.h"
#include "model/release_edit.h"
#include "model/security_group_edit.h"

static struct mac new_mac(struct tx *tx)
{
	struct mac mac;

	do {
		uint64_t v = tx_random(tx);

		memcpy(&mac, &v, sizeof(mac));
		mac.b[0] = 0x02; /* locally administered, one station's */
	} while (interface_by_mac(tx->m, &mac));
	return mac;
}

/* Which of the explicit addresses is the primary: the one that says so, or the first. */
static int primary_place(const struct interface_spec *spec, size_t *ret, struct refusal *reterr)
{
	size_t n = 0, place = 0;

	for (size_t k = 0; k < spec->n_addrs; k++)
		if (spec->addrs[k].primary) {
			place = k;
			n++;
		}
	if (n > 1 || (n && spec->private_ip))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Only one primary private IP address can be specified.");
	*ret = place;
	return 0;
}

static int add_explicit(struct tx *tx, const struct subnet *s, struct interface *i,
			const char *text, struct refusal *reterr)
{
	struct ipaddr a;
	int r;

	if (!text)
		return refuse(reterr, MODEL_E_MISSING, "PrivateIpAddress");
	r = address_parse(s, text, &a, reterr);
	if (r)
		return r;
	if (address_index(i, &a) < i->n_addrs || !address_is_free(tx->m, s, &a))
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, text);
	return address_append(i, &a, 0);
}

static int add_addresses(struct tx *tx, const struct subnet *s, const struct interface_spec *spec,
			 struct interface *i, struct refusal *reterr)
{
	size_t place = 0, n_primary = !spec->private_ip && !spec->n_addrs;
	char id[ID_TEXT_SIZE];
	int r = primary_place(spec, &place, reterr);

	/* each is bounded by itself, so that the sum cannot wrap */
	if (!r && (spec->n_addrs > spec->max_addrs || spec->secondary_count > spec->max_addrs ||
		   spec->n_addrs + spec->secondary_count + !!spec->private_ip + n_primary >
			   spec->max_addrs))
		r = refuse(reterr, MODEL_E_ADDRESS_LIMIT, object_id_text(&s->o, id));
	if (!r && spec->private_ip)
		r = add_explicit(tx, s, i, spec->private_ip, reterr);
	else if (!r && spec->n_addrs)
		r = add_explicit(tx, s, i, spec->addrs[place].addr, reterr);
	for (size_t k = 0; k < spec->n_addrs && !r; k++)
		if (spec->private_ip || k != place)
			r = add_explicit(tx, s, i, spec->addrs[k].addr, reterr);
	if (!r)
		r = address_pick(tx->m, s, i, n_primary + spec->secondary_count, reterr);
	return r;
}

static int add_addresses6(struct tx *tx, const struct subnet *s, const struct interface_spec *spec,
			  struct interface *i, struct refusal *reterr)
{
	bool assigns = s->assign_ipv6 && subnet_has_block6(s);
	uint32_t count = spec->count6 ? *spec->count6 : !spec->n_addrs6 && assigns;

	return interface_add_addrs6(tx, s, i, spec->addrs6, spec->n_addrs6, count, spec->max_addrs,
				    reterr);
}

int interface_make(struct tx *tx, const struct subnet *s, const struct interface_spec *spec,
		   struct interface **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct interface *i;
	int r;

	if (model_account_count(tx->m, KIND_INTERFACE, s->o.account) >= LIMIT_MODEL_INTERFACES)
		return refuse(reterr, MODEL_E_INTERFACE_LIMIT, "per account");
	if (spec->description && strlen(spec->description) > LIMIT_MODEL_TEXT)
		return refuse(reterr, MODEL_E_VALUE, spec->description, "description",
			      "It is longer than 255 characters.");
	r = tx_make(tx, KIND_INTERFACE, s->o.account, &o);
	if (r)
		return r;
	i = (struct interface *)o;
	i->subnet = s->o.id;
	i->vpc = s->vpc;
	i->vni = s->vni;
	i->source_dest_check = true;
	i->mac = new_mac(tx);
	r = add_addresses(tx, s, spec, i, reterr);
	if (!r)
		r = add_addresses6(tx, s, spec, i, reterr);
	if (!r)
		r = security_group_join(tx, i, spec->groups, spec->n_groups, reterr);
	if (!r)
		r = edit_string(&i->description, spec->description);
	if (!r)
		r = tags_set(o, spec->tags, spec->n_tags, reterr);
	if (r)
		return r;
	*ret = i;
	o = NULL;
	return 0;
}

int interface_end(struct tx *tx, const struct interface *i)
{
	int r = permission_end_all(tx, i->o.id);

	if (!r)
		r = flow_log_end_all(tx, i->o.id);
	if (!r)
		r = mirror_end_interface(tx, i->o.id);
	for (size_t n = 0; n < i->n_addrs && !r; n++)
		r = elastic_forget_private(tx, i->vni, &i->addrs[n].addr);
	if (!r)
		r = tx_delete(tx, &i->o);
	if (!r)
		r = choice_interface_ended(tx, i->o.id, i->vni);
	for (size_t n = 0; n < i->n_addrs && !r; n++)
		r = release_make(tx, i, &i->addrs[n], false);
	return r;
}
