/* SPDX-License-Identifier: Apache-2.0 */
/* What routers say about ways to peers: what of it is believed, and for how long. */
#include "../test.h"
#include "agent/narrow_path.h"
#include "base/limits.h"
#include "base/log.h"

enum { PEERS = 3, NS_PER_MS = 1000000 };

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct desired desired;
	struct narrow_paths paths;
	unsigned int n_changed[PEERS + 1];
};

static void changed(uint32_t peer, void *arg)
{
	struct fixture *f = arg;

	assert_in_range(peer, 1, PEERS);
	f->n_changed[peer]++;
}

static void add_peer(struct fixture *f, uint32_t number)
{
	Viaduct__Agent__Object object = VIADUCT__AGENT__OBJECT__INIT;
	Viaduct__Agent__Peer peer = VIADUCT__AGENT__PEER__INIT;
	Viaduct__Agent__Choice choice = VIADUCT__AGENT__CHOICE__INIT;
	struct desired_key key;
	const char *text;

	object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PEER;
	object.peer = &peer;
	peer.number = number;
	peer.name = (char *)"other";
	peer.choice = &choice;
	choice.path_mtu = 1500;
	assert_ok(desired_set(&f->desired, &object, &key, &text));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERR);
	clock_init_manual(&f->clock, CLOCK_NS_PER_S, 0);
	assert_ok(loop_new(&f->clock, &f->loop));
	desired_init(&f->desired);
	narrow_paths_init(
		&f->paths, f->loop,
		&(struct narrow_paths){.desired = &f->desired, .changed = changed, .arg = f});
	for (uint32_t n = 1; n <= PEERS; n++)
		add_peer(f, n);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	narrow_paths_deinit(&f->paths);
	desired_deinit(&f->desired);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void advance_ms(struct fixture *f, uint64_t ms)
{
	assert_ok(loop_advance(f->loop, ms * NS_PER_MS));
}

/* requirement: PKT-9 */
static void test_what_is_believed(void **state)
{
	static const struct {
		uint32_t mtu, known;
	} rows[] = {
		{1600, 1500}, {1500, 1500}, {UINT32_MAX, 1500}, /* no news */
		{1400, 1400}, {1450, 1400}, {1400, 1400},       /* narrower alone */
		{1300, 1300}, {68, 1280},   {0, 1280},          /* no narrower than IPv6 allows */
	};
	struct fixture *f = *state;

	assert_int_equal(narrow_paths_mtu(NULL, 1, 1500), 1500);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int before = f->n_changed[1];
		uint16_t was = narrow_paths_mtu(&f->paths, 1, 1500);

		narrow_paths_learn(&f->paths, 1, rows[i].mtu);
		assert_int_equal(narrow_paths_mtu(&f->paths, 1, 1500), rows[i].known);
		assert_int_equal(f->n_changed[1] - before, rows[i].known < was);
	}
	assert_int_equal(narrow_paths_mtu(&f->paths, 1, 1200), 1200);
	assert_int_equal(narrow_paths_mtu(&f->paths, 2, 1500), 1500);
	/* whom nobody here sends to */
	narrow_paths_learn(&f->paths, PEERS + 1, 1400);
	assert_int_equal(narrow_paths_mtu(&f->paths, PEERS + 1, 1500), 1500);
}

/* Each for its time, and what is said again for that of the last word that was news. */
/* requirement: PKT-9 */
static void test_how_long(void **state)
{
	const uint64_t half = LIMIT_AGENT_NARROW_PATH_MS / 2;
	struct fixture *f = *state;

	narrow_paths_learn(&f->paths, 1, 1400);
	narrow_paths_learn(&f->paths, 3, 1400);
	advance_ms(f, half);
	narrow_paths_learn(&f->paths, 2, 1350);
	narrow_paths_learn(&f->paths, 3, 1300);
	advance_ms(f, half - 1);
	assert_int_equal(narrow_paths_mtu(&f->paths, 1, 1500), 1400);
	advance_ms(f, 2);
	assert_int_equal(narrow_paths_mtu(&f->paths, 1, 1500), 1500);
	assert_int_equal(f->n_changed[1], 2);
	assert_int_equal(narrow_paths_mtu(&f->paths, 2, 1500), 1350);
	assert_int_equal(narrow_paths_mtu(&f->paths, 3, 1500), 1300);
	advance_ms(f, half);
	assert_int_equal(narrow_paths_mtu(&f->paths, 2, 1500), 1500);
	assert_int_equal(narrow_paths_mtu(&f->paths, 3, 1500), 1500);
	assert_int_equal(f->n_changed[2], 2);
	assert_int_equal(f->n_changed[3], 3);
	assert_int_equal(hmap_count(&f->paths.by_peer), 0);
	narrow_paths_learn(&f->paths, 1, 1400); /* and again */
	advance_ms(f, 2 * half + 1);
	assert_int_equal(narrow_paths_mtu(&f->paths, 1, 1500), 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_how_long, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
