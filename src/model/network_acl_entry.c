/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of network ACLs.  See network_acl.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "model/account.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/network_acl_edit.h"

static const char *rule_text(uint32_t rule, char buf[static 16])
{
	snprintf(buf, 16, "%u", rule);
	return buf;
}

static int parse_prefix(const struct acl_entry_args *args, struct prefix *ret,
			struct refusal *reterr)
{
	if (args->cidr && args->cidr6)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Specify either an IPv4 or an IPv6 CIDR block");
	if (!args->cidr && !args->cidr6)
		return refuse(reterr, MODEL_E_MISSING, "cidrBlock or ipv6CidrBlock");
	if (args->cidr && cidr_parse(args->cidr, ret))
		return refuse(reterr, MODEL_E_CIDR_MALFORMED, args->cidr);
	if (args->cidr6 && cidr6_parse(args->cidr6, ret))
		return refuse(reterr, MODEL_E_CIDR_MALFORMED, args->cidr6);
	return 0;
}

static int parse_entry(const struct acl_entry_args *args, struct acl_entry *ret,
		       struct refusal *reterr)
{
	struct acl_entry e = {.rule = args->rule, .egress = args->egress};
	struct traffic kind;
	char text[16];
	int r;

	if (!args->rule || args->rule > ACL_RULE_MAX)
		return refuse(reterr, MODEL_E_ACL_RULE, rule_text(args->rule, text));
	if (!str_equal(args->action, "allow") && !str_equal(args->action, "deny"))
		return refuse(reterr, MODEL_E_VALUE, args->action, "ruleAction",
			      "It is allow or deny.");
	e.allow = str_equal(args->action, "allow");
	r = parse_prefix(args, &e.prefix, reterr);
	/* which of the two ranges counts is the protocol's matter */
	if (!r)
		r = traffic_parse(args->protocol, &(const int32_t){0}, &(const int32_t){0}, &kind,
				  reterr);
	if (!r && traffic_is_icmp(&kind) && (!args->type || !args->code))
		return refuse(reterr, MODEL_E_MISSING, "Icmp.Type and Icmp.Code");
	if (!r)
		r = traffic_is_icmp(&kind) ? traffic_parse(args->protocol, args->type, args->code,
							   &e.traffic, reterr)
					   : traffic_parse(args->protocol, args->from, args->to,
							   &e.traffic, reterr);
	if (!r)
		*ret = e;
	return r;
}

/* Where the entry is, or belongs. */
static size_t entry_place(const struct network_acl *a, uint32_t rule, bool egress, bool *ret_found)
{
	size_t i = 0;

	while (i < a->n_entries && (a->entries[i].egress < egress ||
				    (a->entries[i].egress == egress && a->entries[i].rule < rule)))
		i++;
	*ret_found =
		i < a->n_entries && a->entries[i].egress == egress && a->entries[i].rule == rule;
	return i;
}

static int check_room(const struct model *m, const struct network_acl *a, bool egress,
		      const char *id, struct refusal *reterr)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_entries; i++)
		n += a->entries[i].egress == egress;
	return n < account_limits(m, a->o.account).acl_entries
		       ? 0
		       : refuse(reterr, MODEL_E_ACL_ENTRY_LIMIT, id);
}

int network_acl_insert(struct network_acl *a, const struct acl_entry *e)
{
	bool found;
	size_t place = entry_place(a, e->rule, e->egress, &found);
	struct acl_entry *entries = reallocarray(a->entries, a->n_entries + 1, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	a->entries = entries;
	memmove(&entries[place + 1], &entries[place], (a->n_entries - place) * sizeof(*entries));
	entries[place] = *e;
	a->n_entries++;
	return 0;
}

static int do_set(struct tx *tx, const struct caller *c, const struct acl_entry_args *args,
		  bool replace, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct network_acl *old;
	struct network_acl *new;
	struct acl_entry entry;
	char text[16];
	size_t place;
	bool found;
	int r = network_acl_find(tx->m, c, args->acl_id, &old, reterr);

	if (!r)
		r = parse_entry(args, &entry, reterr);
	if (r)
		return r;
	place = entry_place(old, entry.rule, entry.egress, &found);
	if (found != replace)
		return refuse(reterr,
			      found ? MODEL_E_ACL_ENTRY_EXISTS : MODEL_E_ACL_ENTRY_NOT_FOUND,
			      rule_text(entry.rule, text));
	if (!replace)
		r = check_room(tx->m, old, entry.egress, args->acl_id, reterr);
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct network_acl *)o;
	if (replace)
		new->entries[place] = entry;
	else
		r = network_acl_insert(new, &entry);
	return r || record_equal(&old->o, o) ? r : tx_put(tx, &old->o, &o);
}

int network_acl_add(struct tx *tx, const struct caller *c, const struct acl_entry_args *args,
		    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_set(tx, c, args, false, reterr));
}

int network_acl_replace(struct tx *tx, const struct caller *c, const struct acl_entry_args *args,
			struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_set(tx, c, args, true, reterr));
}

static int do_remove(struct tx *tx, const struct network_acl *old, uint32_t rule, bool egress,
		     struct refusal *reterr)
{
	struct network_acl *new = NULL;
	char text[16];
	bool found;
	size_t place = entry_place(old, rule, egress, &found);
	int r;

	if (!found)
		return refuse(reterr, MODEL_E_ACL_ENTRY_NOT_FOUND, rule_text(rule, text));
	r = TX_EDIT(tx, old, &new);
	if (r)
		return r;
	new->n_entries--;
	memmove(&new->entries[place], &new->entries[place + 1],
		(new->n_entries - place) * sizeof(*new->entries));
	return TX_PUT(tx, old, &new);
}

int network_acl_remove(struct tx *tx, const struct caller *c, const char *id, uint32_t rule,
		       bool egress, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct network_acl *a;
	int r = network_acl_find(tx->m, c, id, &a, reterr);

	return r ? r : tx_settle(tx, mark, do_remove(tx, a, rule, egress, reterr));
}
