/* SPDX-License-Identifier: Apache-2.0 */
/* What went through interfaces, and who pays for it. */
#include "api/call.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/account.h"
#include "model/usage.h"

json_t *json_usage(struct route_call *c, const struct usage *u)
{
	json_t *o = json_new_object(c);

	json_put_u64(c, o, "tx_packets", u->sum.tx_packets);
	json_put_u64(c, o, "tx_bytes", u->sum.tx_bytes);
	json_put_u64(c, o, "rx_packets", u->sum.rx_packets);
	json_put_u64(c, o, "rx_bytes", u->sum.rx_bytes);
	json_put_u64(c, o, "used_seconds", u->used_ms / 1000);
	json_put_time(c, o, "reported_at", u->reported_ms);
	return o;
}

/* What the payer it names has to pay, also of interfaces that are gone. */
static json_t *show_used(struct route_call *c, const struct object *object)
{
	const struct usage *stored = (const struct usage *)object;
	struct usage usage = *stored;
	char text[ACCOUNT_TEXT_SIZE];
	json_t *o;

	if (!stored->interface)
		c->api->live->usage(c->api->live->data, object->id, &usage);
	usage_part(&usage, stored);
	o = json_usage(c, &usage);
	json_put_id(c, o, "interface", KIND_INTERFACE, usage_interface(stored));
	json_put_account(c, o, object->account);
	json_put_text(c, o, "billing_account", account_text(stored->billing_account, text));
	return o;
}

int route_usage(struct route_call *c)
{
	static const struct route_list list = {"usage", KIND_USAGE, show_used};
	const char *payer = route_query(c, "payer");
	const struct account *account = payer ? account_find(c->model, payer) : NULL;

	if (!payer)
		return route_list_run(c, &list);
	/* what an account pays for, whosever it is, is for itself and operators to know */
	if (!account || (!c->caller.is_operator && account->o.id != c->caller.account))
		return route_refuse(c, 404, "NotFound", "There is no account '%.40s'", payer);
	return route_list_run_over(c, &list,
				   model_iter_group(c->model, REL_PAYER_USAGE, account->o.id));
}
