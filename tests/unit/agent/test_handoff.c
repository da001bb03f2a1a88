/* SPDX-License-Identifier: Apache-2.0 */
/* What an edge does with a NAT gateway that goes to another edge, or comes from one. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/told.h"
#include "base/limits.h"
#include "datapath/fake_gateway.h"
#include "rig.h"

enum { HANDLE = 0xf00001, UPLINK = 3, ROWS = 6 };

typedef Viaduct__Agent__TranslationsRead__Step read_kind;

static const read_kind copy = VIADUCT__AGENT__TRANSLATIONS_READ__STEP__COPY,
		       closing = VIADUCT__AGENT__TRANSLATIONS_READ__STEP__CLOSE,
		       rest = VIADUCT__AGENT__TRANSLATIONS_READ__STEP__REST,
		       end = VIADUCT__AGENT__TRANSLATIONS_READ__STEP__END;

/* ---- the gateway ---- */

static Viaduct__Agent__Object *gateway(struct rig *r)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Gateway *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY, sizeof(*m), &o);

	viaduct__agent__gateway__init(m);
	m->handle = HANDLE;
	m->kind = VIADUCT__AGENT__GATEWAY__KIND__NAT;
	m->id = (char *)(uintptr_t) "nat-1";
	m->vni = RIG_VNI;
	m->public_ = rig_v4(r, 0xc6336401);
	m->port_first = 1024;
	m->port_last = 65535;
	return o;
}

static struct fake_gateway *found(const struct rig *r)
{
	return fake_gateway_find(fake_host_of(r->agent->dp), HANDLE);
}

static struct dp_translation row(uint32_t i)
{
	return (struct dp_translation){.protocol = IPPROTO_UDP,
				       .public_port = (uint16_t)(2000 + i),
				       .port = 7,
				       .addr = rig_addr(0x0a000100 + i),
				       .seconds = 100};
}

static void translate(struct rig *r, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct dp_translation t = row(i);

		assert_int_equal(datapath_translations_write(r->agent->dp, HANDLE, &t, 1), 0);
	}
}

static void desire(struct rig *r, uint64_t revision, bool has_gateway)
{
	Viaduct__Agent__Object *host = rig_host(r);
	Viaduct__Agent__Object *objects[] = {host, rig_peer(r, RIG_PEER), gateway(r)};

	host->host->edge = true;
	rig_desire(r, revision, true, objects, has_gateway ? 3 : 2);
	assert_int_equal(rig_ack(r)->n_failed, 0);
}

/* One that has the gateway, and what it translates. */
static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	rig_init(r);
	r->uplink = UPLINK;
	rig_start(r);
	desire(r, 10, true);
	translate(r, 0, ROWS);
	*state = r;
	return 0;
}

/* One that has no gateway. */
static int set_up_heir(void **state)
{
	int e = set_up(state);

	desire(*state, 11, false);
	assert_null(found(*state));
	return e;
}

/* ---- what the manager says ---- */

static const Viaduct__Agent__Translations *read_step(struct rig *r, read_kind kind, uint64_t at)
{
	Viaduct__Agent__TranslationsRead m = VIADUCT__AGENT__TRANSLATIONS_READ__INIT;
	const Viaduct__Agent__Translations *answer;
	static uint64_t seq;

	m.seq = ++seq;
	m.handle = HANDLE;
	m.step = kind;
	m.at = at;
	rig_forget_frames(r);
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_READ, &m);
	answer = rig_last(r, VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS)->translations;
	assert_int_equal(answer->seq, seq);
	return answer;
}

static int32_t write_step(struct rig *r, bool with_gateway, Viaduct__Agent__Translation **rows,
			  size_t n)
{
	Viaduct__Agent__TranslationsWrite m = VIADUCT__AGENT__TRANSLATIONS_WRITE__INIT;
	const Viaduct__Agent__TranslationsWritten *answer;
	static uint64_t seq;

	m.seq = ++seq;
	m.handle = HANDLE;
	m.gateway = with_gateway ? gateway(r)->gateway : NULL;
	m.n_translations = n;
	m.translations = rows;
	rig_forget_frames(r);
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITE, &m);
	answer =
		rig_last(r, VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITTEN)->translations_written;
	assert_int_equal(answer->seq, seq);
	return answer->error;
}

static Viaduct__Agent__Translation message(struct rig *r, uint32_t i)
{
	Viaduct__Agent__Translation m = VIADUCT__AGENT__TRANSLATION__INIT;

	m.protocol = IPPROTO_UDP;
	m.public_port = 2000 + i;
	m.addr = rig_v4(r, 0x0a000100 + i);
	m.port = 7;
	m.seconds = 100;
	return m;
}

static void assert_open(const struct rig *r)
{
	assert_non_null(found(r));
	assert_false(found(r)->dp.closed);
	assert_false(found(r)->dp.standby);
}

/* ---- giving ---- */

/* requirement: EDGE-6 */
static void test_it_tells_what_it_translates_and_then_what_is_new(void **state)
{
	struct rig *r = *state;
	const Viaduct__Agent__Translations *t = read_step(r, copy, 0);

	assert_int_equal(t->error, 0);
	assert_int_equal(t->n_translations, ROWS);
	assert_int_equal(t->next, 0);
	assert_int_equal(t->translations[2]->public_port, 2002);
	assert_int_equal(t->translations[2]->world.len, 0);
	assert_open(r);
	translate(r, ROWS, 1);
	assert_int_equal(read_step(r, closing, 0)->n_translations, 0);
	assert_true(found(r)->dp.closed);
	t = read_step(r, rest, 0);
	assert_int_equal(t->n_translations, 1);
	assert_int_equal(t->translations[0]->public_port, 2000 + ROWS);
	assert_int_equal(read_step(r, rest, 0)->n_translations, 0);
	assert_int_equal(read_step(r, copy, 0)->n_translations, ROWS + 1); /* anew */
	assert_open(r);
}

/* requirement: EDGE-6 */
static void test_order_is_kept(void **state)
{
	struct rig *r = *state;

	assert_int_equal(read_step(r, closing, 0)->error, -ESTALE);
	assert_int_equal(read_step(r, rest, 0)->error, -ESTALE);
	read_step(r, copy, 0);
	assert_int_equal(read_step(r, rest, 0)->error, -ESTALE); /* it is not closed */
	assert_int_equal(read_step(r, (read_kind)7, 0)->error, -EOPNOTSUPP);
	desire(r, 11, false);
	assert_int_equal(read_step(r, copy, 0)->error, -ENOENT);
	assert_int_equal(read_step(r, end, 0)->error, -ESTALE);
}

/* requirement: EDGE-6 */
static void test_closed_is_closed_whatever_else_is_told(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o = gateway(r);

	read_step(r, copy, 0);
	read_step(r, closing, 0);
	rig_desire(r, 11, false, &o, 1);
	assert_true(found(r)->dp.closed);
	read_step(r, end, 0);
	assert_open(r);
	assert_int_equal(found(r)->n_translations, ROWS);
}

/* requirement: EDGE-6 */
static void test_it_opens_again_without_a_word(void **state)
{
	struct rig *r = *state;

	read_step(r, copy, 0);
	read_step(r, closing, 0);
	rig_advance_ms(r, LIMIT_AGENT_HANDOFF_MS / 2);
	assert_true(found(r)->dp.closed);
	rig_advance_ms(r, LIMIT_AGENT_HANDOFF_MS);
	assert_open(r);
	assert_int_equal(read_step(r, rest, 0)->error, -ESTALE);
}

/* requirement: EDGE-6 */
static void test_it_opens_again_without_a_manager(void **state)
{
	struct rig *r = *state;

	read_step(r, copy, 0);
	read_step(r, closing, 0);
	rig_cut(r);
	assert_open(r);
}

/* ---- taking ---- */

/* requirement: EDGE-6 */
static void test_an_heir_has_it_when_the_manager_says_so(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Translation m = message(r, 1), *rows[] = {&m};

	assert_int_equal(write_step(r, true, rows, 1), 0);
	assert_true(found(r)->dp.standby);
	m.public_port++;
	m.world = rig_v4(r, 0xcb007101);
	m.world_port = 53;
	m.seconds = 3; /* when it was read */
	assert_int_equal(write_step(r, false, rows, 1), 0);
	desire(r, 11, false); /* a look at everything does not end it */
	assert_non_null(found(r));
	r->n_announced = 0;
	desire(r, 12, true);
	rig_advance_ms(r, 1);
	assert_open(r);
	assert_int_equal(r->n_announced, 1);
	assert_int_equal(found(r)->n_translations, 2);
	assert_false(found(r)->translations[0].is_session);
	assert_int_equal(found(r)->translations[0].seconds, 100);
	assert_true(found(r)->translations[1].is_session);
	assert_int_equal(found(r)->translations[1].seconds, LIMIT_AGENT_HANDOFF_LASTS_S);
	rig_advance_ms(r, 2 * LIMIT_AGENT_HANDOFF_MS);
	assert_open(r);
	assert_int_equal(write_step(r, true, NULL, 0), -EEXIST);
	assert_int_equal(found(r)->n_translations, 2);
}

/* requirement: EDGE-6 */
static void test_what_stands_by_goes_without_a_word(void **state)
{
	struct rig *r = *state;

	assert_int_equal(write_step(r, true, NULL, 0), 0);
	rig_advance_ms(r, LIMIT_AGENT_HANDOFF_MS / 2);
	assert_int_equal(write_step(r, false, NULL, 0), 0);
	rig_advance_ms(r, LIMIT_AGENT_HANDOFF_MS * 3 / 4);
	assert_non_null(found(r));
	rig_advance_ms(r, LIMIT_AGENT_HANDOFF_MS);
	assert_null(found(r));
	assert_int_equal(write_step(r, false, NULL, 0), -ESTALE);
}

/* requirement: EDGE-6 */
static void test_what_stands_by_goes_without_a_manager(void **state)
{
	struct rig *r = *state;

	assert_int_equal(write_step(r, true, NULL, 0), 0);
	rig_cut(r);
	assert_null(found(r));
}

/* An agent that begins finds one that nobody wants. */
/* requirement: EDGE-6, OPS-3 */
static void test_what_stands_by_goes_with_its_agent(void **state)
{
	struct rig *r = *state;

	assert_int_equal(write_step(r, true, NULL, 0), 0);
	rig_stop(r);
	rig_start(r);
	desire(r, 12, false);
	assert_null(found(r));
}

/* One that begins anew has nothing of before. */
/* requirement: EDGE-6 */
static void test_it_may_begin_anew(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Translation m = message(r, 1), *rows[] = {&m};

	assert_int_equal(write_step(r, true, rows, 1), 0);
	assert_int_equal(write_step(r, true, NULL, 0), 0);
	assert_int_equal(found(r)->n_translations, 0);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Translation good = message(r, 1), m, *rows[] = {&m};

	assert_int_equal(write_step(r, true, NULL, 0), 0);
	m = good;
	m.public_port = 65536;
	assert_int_equal(write_step(r, false, rows, 1), -EINVAL);
	m = good;
	m.addr.len = 4;
	assert_int_equal(write_step(r, false, rows, 1), -EINVAL);
	m = good;
	m.seconds = UINT32_MAX;
	assert_int_equal(write_step(r, false, rows, 1), -EINVAL);
	m = good;
	m.world = (ProtobufCBinaryData){.len = 3, .data = good.addr.data};
	assert_int_equal(write_step(r, false, rows, 1), -EINVAL);
	m = good;
	assert_int_equal(write_step(r, false, rows, 1), 0);
	assert_int_equal(found(r)->n_translations, 1);
}

/* ---- what was told ---- */

static void test_told(void **state)
{
	struct told t = {0};

	for (uint64_t i = 0; i < 5000; i++)
		assert_false(told_before(&t, i * 0x9e3779b97f4a7c15U));
	for (uint64_t i = 0; i < 5000; i++)
		assert_true(told_before(&t, i * 0x9e3779b97f4a7c15U));
	assert_int_equal(t.n, 5000);
	told_deinit(&t);
	assert_false(told_before(&t, 7));
	told_deinit(&t);
}

#define GIVING(f) cmocka_unit_test_setup_teardown(f, set_up, rig_teardown)
#define TAKING(f) cmocka_unit_test_setup_teardown(f, set_up_heir, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GIVING(test_it_tells_what_it_translates_and_then_what_is_new),
		GIVING(test_order_is_kept),
		GIVING(test_closed_is_closed_whatever_else_is_told),
		GIVING(test_it_opens_again_without_a_word),
		GIVING(test_it_opens_again_without_a_manager),
		TAKING(test_an_heir_has_it_when_the_manager_says_so),
		TAKING(test_what_stands_by_goes_without_a_word),
		TAKING(test_what_stands_by_goes_without_a_manager),
		TAKING(test_what_stands_by_goes_with_its_agent),
		TAKING(test_it_may_begin_anew),
		TAKING(test_what_makes_no_sense_is_refused),
		cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
