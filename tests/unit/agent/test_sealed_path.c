/* SPDX-License-Identifier: Apache-2.0 */
/* Path MTUs of sealed packets: who is asked for when, and what becomes of the answer. */
#include "../test.h"
#include "agent/sealed_path.h"
#include "base/limits.h"
#include "base/log.h"

enum { PEERS = LIMIT_AGENT_SEALED_PATHS + 10, LOOK_NS = LIMIT_AGENT_SEALED_PATH_MS * 1000000 };

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct desired desired;
	struct sealing sealing;
	struct seal_shared *shared;
	struct sealed_paths paths;
	uint16_t mtu; /* of peer 1 over IPv6, as the kernel says */
	unsigned int n_asked, n_asked_of_1, n_changed;
};

static int answer(void *arg, const struct ipaddr *target, uint16_t *ret)
{
	struct fixture *f = arg;
	bool is_1 = target->b[15] == 1 && !target->b[14];

	f->n_asked++;
	f->n_asked_of_1 += is_1;
	*ret = is_1 ? f->mtu : 0;
	return 0;
}

static const struct nexthop_kernel kernel = {.path_mtu = answer};

static void changed(uint32_t peer, void *arg)
{
	assert_int_equal(peer, 1);
	((struct fixture *)arg)->n_changed++;
}

static void set_peer(struct fixture *f, uint32_t number, enum format send)
{
	uint8_t address[16] = {0xfd, [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number};
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
	peer.v6.data = address;
	peer.v6.len = sizeof(address);
	choice.path_mtu = 1500;
	choice.send = send;
	assert_ok(desired_set(&f->desired, &object, &key, &text));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERR);
	f->shared = calloc(1, sizeof(*f->shared));
	clock_init_manual(&f->clock, CLOCK_NS_PER_S, 0);
	assert_ok(loop_new(&f->clock, &f->loop));
	desired_init(&f->desired);
	f->sealing.client.shared = f->shared;
	sealed_paths_init(&f->paths, f->loop,
			  &(struct sealed_paths){.kernel = &kernel,
						 .kernel_arg = f,
						 .desired = &f->desired,
						 .sealing = &f->sealing,
						 .changed = changed,
						 .arg = f});
	for (uint32_t n = 1; n <= PEERS; n++)
		set_peer(f, n, FORMAT_NONE);
	sealed_paths_run(&f->paths, true);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sealed_paths_deinit(&f->paths);
	desired_deinit(&f->desired);
	loop_free(f->loop);
	free(f->shared);
	free(f);
	return 0;
}

/* requirement: PKT-9 NEG-11 */
static void test_what_is_learned(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sealed_paths_mtu(NULL, 1, true, 1500), 1500);
	f->mtu = 1400;
	assert_ok(loop_advance(f->loop, 3 * LOOK_NS));
	assert_int_equal(f->n_asked, 0); /* nothing was sealed */
	f->shared->peers[1].sealed_packets = 1;
	assert_ok(loop_advance(f->loop, LOOK_NS));
	assert_int_equal(f->n_changed, 1);
	assert_int_equal(sealed_paths_mtu(&f->paths, 1, true, 1500), 1400);
	assert_int_equal(sealed_paths_mtu(&f->paths, 1, true, 1300), 1300);
	assert_int_equal(sealed_paths_mtu(&f->paths, 1, false, 1500), 1500);
	assert_int_equal(sealed_paths_mtu(&f->paths, 2, true, 1500), 1500);
	/* Asked for as long as it is known, if nothing is sealed any more; the kernel forgets
	 * it. */
	assert_ok(loop_advance(f->loop, LOOK_NS));
	assert_int_equal(f->n_changed, 1);
	f->mtu = 0;
	assert_ok(loop_advance(f->loop, LOOK_NS));
	assert_int_equal(f->n_changed, 2);
	assert_int_equal(sealed_paths_mtu(&f->paths, 1, true, 1500), 1500);
	f->n_asked = 0;
	assert_ok(loop_advance(f->loop, 3 * LOOK_NS));
	assert_int_equal(f->n_asked, 0);
}

/* What the kernel's devices carry nobody counts for each peer: they are asked for all the time. */
/* requirement: PKT-9 */
static void test_tunnels(void **state)
{
	static const enum format formats[] = {FORMAT_VXLAN_1, FORMAT_GENEVE_2, FORMAT_REIP4_1};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_true(sealed_paths_is_of_kernel(formats[i]));
		set_peer(f, 1, formats[i]);
		f->mtu = 1400;
		f->n_asked = f->n_changed = 0;
		assert_ok(loop_advance(f->loop, LOOK_NS));
		assert_int_equal(f->n_asked, 1);
		assert_int_equal(f->n_changed, 1);
		assert_int_equal(sealed_paths_mtu(&f->paths, 1, true, 1500), 1400);
		f->mtu = 0;
		assert_ok(loop_advance(f->loop, LOOK_NS));
		assert_int_equal(sealed_paths_mtu(&f->paths, 1, true, 1500), 1500);
	}
	assert_false(sealed_paths_is_of_kernel(FORMAT_SIIT_2));
	set_peer(f, 1, FORMAT_SIIT_2);
	f->n_asked = 0;
	assert_ok(loop_advance(f->loop, 3 * LOOK_NS));
	assert_int_equal(f->n_asked, 0);
}

/* No more at once than there may be, and all of them in their turn. */
static void test_many_peers(void **state)
{
	struct fixture *f = *state;

	for (uint32_t n = 1; n <= PEERS; n++)
		f->shared->peers[n].sealed_packets = 1;
	assert_ok(loop_advance(f->loop, LOOK_NS));
	assert_int_equal(f->n_asked, LIMIT_AGENT_SEALED_PATHS);
	assert_ok(loop_advance(f->loop, LOOK_NS));
	assert_int_equal(f->n_asked, PEERS);
	assert_int_equal(f->n_asked_of_1, 1);
	for (uint32_t n = 1; n <= PEERS; n++)
		f->shared->peers[n].sealed_packets = 2;
	assert_ok(loop_advance(f->loop, 2 * LOOK_NS));
	assert_int_equal(f->n_asked_of_1, 2);
	/* Not without a data plane. */
	sealed_paths_run(&f->paths, false);
	f->shared->peers[1].sealed_packets = 3;
	assert_ok(loop_advance(f->loop, 2 * LOOK_NS));
	assert_int_equal(f->n_asked_of_1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_learned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tunnels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_peers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
