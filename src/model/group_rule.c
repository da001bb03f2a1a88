/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of security groups.  See group_rule.h.
 */
#include "model/group_rule.h"

#include <stdio.h>

#include "model/account.h"
#include "model/cidr.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/group_rule_edit.h"
#include "model/peering.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "model/text.h"
#include "model/vpc.h"

const char *rule_end_text(enum rule_end e)
{
	static const char *const texts[] = {
		[RULE_END_PREFIX] = "cidr",
		[RULE_END_GROUP] = "group",
		[RULE_END_LIST] = "prefix-list",
	};

	return e < ARRAY_SIZE(texts) ? texts[e] : NULL;
}

int group_rule_find(const struct model *m, const struct caller *c, const char *id,
		    const struct group_rule **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!text_is_id("sgr-", id))
		return refuse(reterr, MODEL_E_RULE_ID_MALFORMED, id);
	if (!id_parse(KIND_SECURITY_GROUP_RULE, id, &number))
		o = model_get(m, KIND_SECURITY_GROUP_RULE, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_RULE_ID_NOT_FOUND, id);
	*ret = (const struct group_rule *)o;
	return 0;
}

void group_rule_say(struct group_rule *to, const struct group_rule *from)
{
	to->egress = from->egress;
	to->traffic = from->traffic;
	to->end = from->end;
	to->prefix = from->prefix;
	to->peer = from->peer;
	to->peer_number = from->peer_number;
	to->peer_account = from->peer_account;
	to->peer_vpc = from->peer_vpc;
	to->list = from->list;
}

int group_rule_make(struct tx *tx, const struct security_group *g, const struct group_rule *like,
		    const struct tag_args *tags, size_t n_tags, const struct group_rule **ret,
		    struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct group_rule *rule;
	int r = tx_make(tx, KIND_SECURITY_GROUP_RULE, g->o.account, &o);

	if (r)
		return r;
	rule = (struct group_rule *)o;
	rule->group = g->o.id;
	group_rule_say(rule, like);
	r = edit_string(&rule->description, like->description);
	if (!r)
		r = tags_set(o, tags, n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = rule;
	return r;
}

/* ---- comparing and counting ---- */

bool group_rule_same(const struct group_rule *a, const struct group_rule *b)
{
	return a->egress == b->egress && traffic_equal(&a->traffic, &b->traffic) &&
	       a->end == b->end && prefix_equal(&a->prefix, &b->prefix) && a->peer == b->peer &&
	       a->list == b->list;
}

const struct group_rule *group_rule_find_same(const struct model *m, uint64_t group,
					      const struct group_rule *like,
					      const struct group_rule *except)
{
	struct model_iter it = model_iter_group(m, REL_GROUP_RULES, group);
	const struct group_rule *rule;

	while ((rule = (const struct group_rule *)model_iter_next(&it)))
		if (rule != except && group_rule_same(rule, like))
			return rule;
	return NULL;
}

/* As how many rules of a family it counts. */
static uint32_t group_rule_weight(const struct model *m, const struct group_rule *rule, bool v6)
{
	const struct prefix_list *l;

	switch (rule->end) {
	case RULE_END_PREFIX:
		return prefix_is_v4(&rule->prefix) != v6;
	case RULE_END_LIST:
		l = (const struct prefix_list *)model_get(m, KIND_PREFIX_LIST, rule->list);
		return l && l->v6 == v6 ? l->max_entries : 0;
	default:
		return 1;
	}
}

int group_rule_check_limit(const struct model *m, uint64_t group, struct refusal *reterr)
{
	const struct object *g = model_get(m, KIND_SECURITY_GROUP, group);
	struct model_iter it = model_iter_group(m, REL_GROUP_RULES, group);
	uint32_t most = account_limits(m, g->account).group_rules;
	const struct group_rule *rule;
	uint64_t n[2][2] = {{0}};
	char id[ID_TEXT_SIZE];

	while ((rule = (const struct group_rule *)model_iter_next(&it)))
		for (size_t v6 = 0; v6 < 2; v6++) {
			n[rule->egress][v6] += group_rule_weight(m, rule, v6);
			if (n[rule->egress][v6] > most)
				return refuse(reterr, MODEL_E_RULE_LIMIT, object_id_text(g, id));
		}
	return 0;
}

/* "TCP", "ALL", "50" */
static void upper_name(const struct traffic *t, char buf[static TRAFFIC_TEXT_SIZE])
{
	char text[TRAFFIC_TEXT_SIZE];
	const char *name = t->protocol == TRAFFIC_ANY ? "all" : traffic_name(t, text);

	do
		*buf++ = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
	while (*name++);
}

/* As EC2 writes a rule in its messages. */
static const char *rule_text(const struct group_rule *rule, char *buf, size_t size)
{
	char peer[PREFIX_TEXT_SIZE + ID_TEXT_SIZE], name[TRAFFIC_TEXT_SIZE], range[64] = "";
	int32_t from, to;

	if (rule->end == RULE_END_PREFIX)
		prefix_text(&rule->prefix, peer);
	else if (rule->end == RULE_END_GROUP)
		id_text(KIND_SECURITY_GROUP, rule->peer, peer);
	else
		id_text(KIND_PREFIX_LIST, rule->list, peer);
	upper_name(&rule->traffic, name);
	traffic_range(&rule->traffic, &from, &to);
	if (traffic_has_ports(&rule->traffic))
		snprintf(range, sizeof(range), "from port: %d, to port: %d, ", from, to);
	else if (traffic_is_icmp(&rule->traffic))
		snprintf(range, sizeof(range), "type: %d, code: %d, ", from, to);
	snprintf(buf, size, "peer: %s, %s, %sALLOW", peer, name, range);
	return buf;
}

int group_rule_refuse(int code, const struct group_rule *rule, struct refusal *reterr)
{
	char text[REFUSAL_SUBJECT_SIZE];

	return refuse(reterr, code, rule_text(rule, text, sizeof(text)));
}

/* ---- reading ---- */

static int read_group(const struct model *m, const struct caller *c, const struct security_group *g,
		      const struct rule_args *args, struct group_rule *ret, struct refusal *reterr)
{
	const struct security_group *peer;
	uint64_t id, owner;
	bool near;

	if (args->group_id) {
		if (!text_is_id("sg-", args->group_id))
			return refuse(reterr, MODEL_E_GROUP_MALFORMED, args->group_id);
		peer = id_parse(KIND_SECURITY_GROUP, args->group_id, &id)
			       ? NULL
			       : (const struct security_group *)model_get(m, KIND_SECURITY_GROUP,
									  id);
	} else {
		peer = security_group_by_name(m, g->vpc, args->group_name);
	}
	/* Groups of a VPC that is peered with may be named, also another account's. */
	near = peer && (peer->vpc == g->vpc || peering_joins(m, g->vpc, peer->vpc));
	if (!peer || (!near && !caller_sees(c, &peer->o)) ||
	    (args->user_id &&
	     (id_parse(KIND_ACCOUNT, args->user_id, &owner) || owner != peer->o.account)))
		return refuse(reterr, MODEL_E_GROUP_NOT_FOUND,
			      args->group_id ? args->group_id : args->group_name);
	if (!near)
		return refuse(reterr, MODEL_E_GROUP_VPC_MISMATCH, args->group_id);
	ret->end = RULE_END_GROUP;
	ret->peer = peer->o.id;
	ret->peer_number = peer->number;
	ret->peer_account = peer->o.account;
	ret->peer_vpc = peer->vpc;
	return 0;
}

static int read_end(const struct model *m, const struct caller *c, const struct security_group *g,
		    const struct rule_args *args, struct group_rule *ret, struct refusal *reterr)
{
	int n = !!args->cidr + !!args->cidr6 + (args->group_id || args->group_name) +
		!!args->list_id;
	const struct prefix_list *list;
	int r;

	if (!n)
		return refuse(reterr, MODEL_E_MISSING,
			      "CidrIp, CidrIpv6, GroupId or PrefixListId of the rule");
	if (n > 1)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A rule names one of an IPv4 block, an IPv6 block, a security group "
			      "and a prefix list.");
	if (args->cidr)
		return cidr_parse(args->cidr, &ret->prefix)
			       ? refuse(reterr, MODEL_E_CIDR_MALFORMED, args->cidr)
			       : 0;
	if (args->cidr6)
		return cidr6_parse(args->cidr6, &ret->prefix)
			       ? refuse(reterr, MODEL_E_CIDR_MALFORMED, args->cidr6)
			       : 0;
	if (!args->list_id)
		return read_group(m, c, g, args, ret, reterr);
	r = prefix_list_find(m, c, args->list_id, &list, reterr);
	if (r)
		return r;
	ret->end = RULE_END_LIST;
	ret->list = list->o.id;
	return 0;
}

int group_rule_read(const struct model *m, const struct caller *c, const struct security_group *g,
		    bool egress, const struct rule_args *args, struct group_rule *ret,
		    struct refusal *reterr)
{
	int r;

	*ret = (struct group_rule){
		.group = g->o.id,
		.egress = egress,
		.description = (char *)(uintptr_t)args->description,
	};
	if (args->description && !text_is_plain(args->description))
		return refuse(reterr, MODEL_E_RULE_DESCRIPTION, args->description);
	r = traffic_parse(args->protocol ? args->protocol : "-1", args->from, args->to,
			  &ret->traffic, reterr);
	return r ? r : read_end(m, c, g, args, ret, reterr);
}
