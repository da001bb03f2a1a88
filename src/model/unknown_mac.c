/* SPDX-License-Identifier: Apache-2.0 */
/* See unknown_mac.h. */
#include "model/unknown_mac.h"

#include "base/str.h"
#include "model/host.h"
#include "model/tag.h"
#include "model/tx.h"
#include "model/vpc.h"

static const char resolve_value[] = "resolve";
static const char refuse_value[] = "refuse";

bool unknown_mac_is_resolved(const struct vpc *v)
{
	return str_equal(object_tag(&v->o, UNKNOWN_MAC_TAG), resolve_value);
}

const char *unknown_mac_text(const struct vpc *v)
{
	return unknown_mac_is_resolved(v) ? resolve_value : refuse_value;
}

int unknown_mac_check(const char *text, struct refusal *reterr)
{
	if (str_equal(text, resolve_value) || str_equal(text, refuse_value))
		return 0;
	return refuse(reterr, MODEL_E_VALUE, text, UNKNOWN_MAC_TAG,
		      "It is \"resolve\" or \"refuse\".");
}

int unknown_mac_set(struct tx *tx, const struct caller *c, const char *vpc_id, const char *text,
		    struct refusal *reterr)
{
	const struct tag_args tag = {UNKNOWN_MAC_TAG, str_equal(text, refuse_value) ? NULL : text};
	const struct vpc *v;
	int r = vpc_find(tx_model(tx), c, vpc_id, &v, reterr);

	return r ? r : tag_set(tx, c, vpc_id, &tag, reterr);
}
