/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of security groups.  See group_rule.h.
 */
#include "model/group_rule.h"

#include "base/str.h"
#include "model/edit.h"
#include "model/group_rule_edit.h"
#include "model/security_group.h"
#include "model/text.h"

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
		    const struct group_rule **ret)
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
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = rule;
	return r;
}
