/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts report, and how news of a host reach the pairs that it is of.  See host.h.
 */
#include "base/str.h"
#include "model/ability.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/host_edit.h"
#include "model/pair_shift.h"

bool host_is_changing(const struct model *m, uint32_t number)
{
	const struct host *h = host_by_number(m, number);

	return h && h->changing_at;
}

static const struct host *first_changing(const struct model *m)
{
	struct model_iter it = model_iter_group(m, REL_CHANGING_HOSTS, 0);

	return (const struct host *)model_iter_next(&it);
}

bool host_report_due(const struct model *m)
{
	return first_changing(m);
}

/* ---- on its way ---- */

/* What choices go by. */
static struct capabilities looked_at(const struct capabilities *can)
{
	return (struct capabilities){
		.formats = can->formats,
		.substrate_mtu = can->substrate_mtu,
		.probed_ms = can->probed_ms,
		.features = can->features,
		.required_features = can->required_features,
		.disallowed_features = can->disallowed_features,
		.disallowed_formats = can->disallowed_formats,
		.incarnation = can->incarnation,
	};
}

/* The next of its pairs go by what it can do now. */
static int step(struct tx *tx, const struct host *h, size_t budget)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const uint32_t number = h->number;
	uint32_t at = h->changing_at;
	struct host *new;
	int r = pair_survey_host_from(tx->m, number, &at, budget, &before);

	if (!r)
		r = TX_EDIT(tx, h, &new);
	if (r)
		return r;
	new->changing_at = at;
	if (!at) {
		new->former = (struct capabilities){0};
		new->former_key_epoch = new->former_n_incarnations = 0;
	}
	r = TX_PUT(tx, h, &new);
	if (!r)
		r = pair_survey_shift(tx, &before);
	/* networks' MTUs have left room for what it was */
	return r || at ? r : network_refresh_host(tx, number);
}

int host_report_step(struct tx *tx, size_t budget)
{
	const struct host *h = first_changing(tx->m);
	size_t mark = tx_mark(tx);

	return h ? tx_settle(tx, mark, step(tx, h, budget)) : 0;
}

int host_end_change(struct tx *tx, const struct host *h)
{
	return step(tx, h, SIZE_MAX);
}

int host_put_at_once(struct tx *tx, const struct host *old, struct object **o)
{
	_cleanup_(pair_survey_deinit) struct pair_survey before = {0};
	const uint32_t number = old->number;
	int r = pair_survey_host(tx->m, number, &before);

	if (!r)
		r = tx_put(tx, &old->o, o);
	if (!r)
		r = pair_survey_shift(tx, &before);
	return r ? r : network_refresh_host(tx, number);
}

int host_put_changed(struct tx *tx, const struct host *old, struct object **o)
{
	struct host *new = (struct host *)*o;
	const uint32_t number = old->number;
	int r;

	if (2 * model_count(tx->m, KIND_HOST) <= tx->m->choice_at_once)
		return host_put_at_once(tx, old, o);
	new->changing_at = 1;
	new->former = looked_at(&old->can);
	new->former_key_epoch = old->key_epoch;
	new->former_n_incarnations = old->n_incarnations;
	r = tx_put(tx, &old->o, o);
	return r ? r : network_refresh_host(tx, number);
}

/* ---- reports ---- */

static int set_abilities(struct capabilities *can, const struct capabilities *report)
{
	int r;

	can->formats = report->formats;
	can->substrate_mtu = report->substrate_mtu;
	can->tcx = report->tcx;
	can->tap_uso = report->tap_uso;
	can->stands_by = report->stands_by;
	can->hands_over = report->hands_over;
	can->probed_ms = report->probed_ms;
	can->features = report->features;
	can->required_features = report->required_features;
	can->disallowed_features = report->disallowed_features;
	can->disallowed_formats = report->disallowed_formats;
	can->generation = report->generation;
	r = edit_string(&can->kernel, report->kernel);
	return r ? r : edit_string(&can->refused, report->refused);
}

static bool differs_in_abilities(const struct host *a, const struct host *b)
{
	struct ability x = ability_of(a), y = ability_of(b);

	return !ability_same(&x, &y);
}

/* All keys that it uses are to be others. */
static bool is_incarnated(const struct host *old, const struct host *new)
{
	return old->can.incarnation != new->can.incarnation;
}

/* Of whatever it says first there are no keys yet. */
static void set_incarnation(struct tx *tx, const struct host *old, struct host *new,
			    uint64_t incarnation)
{
	new->can.incarnation = incarnation;
	if (!is_incarnated(old, new) || !old->can.probed_ms)
		return;
	new->n_incarnations++;
	new->incarnated_ms = tx->now_ms;
}

static int do_report(struct tx *tx, const struct host *old, const struct capabilities *report)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	bool failed = report->error && report->error[0];
	uint64_t probed_ms = old->can.probed_ms;
	struct host *new;
	uint32_t number;
	int r = tx_edit(tx, &old->o, &o);

	if (r)
		return r;
	new = (struct host *)o;
	if (!failed)
		r = set_abilities(&new->can, report);
	if (!r)
		r = edit_string(&new->can.error, report->error);
	new->can.carries_nothing = report->carries_nothing;
	if (r)
		return r;
	set_incarnation(tx, old, new, report->incarnation);
	/* the time of the probe alone is not worth a commit */
	if (probed_ms && new->can.probed_ms) {
		uint64_t now = new->can.probed_ms;

		new->can.probed_ms = probed_ms;
		if (record_equal(&old->o, o))
			return 0;
		new->can.probed_ms = now;
	} else if (record_equal(&old->o, o)) {
		return 0;
	}
	if (!differs_in_abilities(old, new) && !is_incarnated(old, new))
		return tx_put(tx, &old->o, &o);
	if (!old->changing_at)
		return host_put_changed(tx, old, &o);
	number = old->number;
	r = host_end_change(tx, old);
	return r ? r : do_report(tx, host_by_number(tx->m, number), report);
}

int host_report(struct tx *tx, uint32_t number, const struct capabilities *report,
		struct refusal *reterr)
{
	const struct host *h = host_by_number(tx->m, number);
	size_t mark = tx_mark(tx);
	char text[16];

	if (!h || h->foreign) {
		if (str_format(text, sizeof(text), "%u", number))
			return -EINVAL;
		return refuse(reterr, MODEL_E_HOST_NOT_FOUND, text);
	}
	return tx_settle(tx, mark, do_report(tx, h, report));
}
