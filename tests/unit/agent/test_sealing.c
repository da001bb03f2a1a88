/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sealing worker is told, and when: a whole agent on the fake data plane, with a stand-in
 * for the worker that keeps what it hears and looks, each time, at what the data plane has.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/feature.h"
#include "base/limits.h"
#include "seal/message.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum {
	CRYPT_1 = FEATURE_BIT(FEATURE_CRYPT_1),
	TOLD_MAX = 16,
	CLASSES_MAX = 8,
	KEYS_MAX = 4,
	OTHER_VNI = RIG_VNI + 1,
	CPUS = 5, /* that the worker may use: 0 and 2 */
};

/* One CONFIGURE. */
struct told {
	struct seal_image image;
	struct seal_class classes[CLASSES_MAX];
	struct seal_key_record keys[KEYS_MAX];
	size_t n_variants; /* of the peer, that the data plane has then */
};

struct fixture {
	struct rig rig;
	char dir[64], socket[96];
	int listener;
	pthread_t worker;
	_Atomic uint64_t incarnation; /* that the worker says */
	_Atomic int agent;            /* its end of the agent's connection */
	size_t n_told;                /* the agent waits for the answer to each */
	struct told told[TOLD_MAX];
};

static int note_variants(const struct dp_peer *p, void *arg)
{
	*(size_t *)arg = p->n_variants;
	return 0;
}

static bool welcome(struct fixture *f, int fd)
{
	const uint64_t incarnation = f->incarnation;
	const struct seal_message m = {
		.kind = SEAL_WELCOME, .version = SEAL_PROTOCOL, .pid = getpid()};
	int counters = memfd_create("counters", MFD_CLOEXEC);
	bool done = counters >= 0 && !ftruncate(counters, sizeof(struct seal_shared)) &&
		    pwrite(counters, &incarnation, sizeof(incarnation),
			   offsetof(struct seal_shared, incarnation)) == sizeof(incarnation) &&
		    !seal_message_send(fd, &m, counters);

	close(counters);
	return done;
}

/* The agent is waiting: nobody else looks at the data plane. */
static bool take(struct fixture *f, int fd, int image)
{
	struct told *t = &f->told[f->n_told];
	struct seal_message m = {.kind = SEAL_CONFIGURED};
	size_t size;
	bool whole = f->n_told < TOLD_MAX &&
		     pread(image, &t->image, sizeof(t->image), 0) == sizeof(t->image) &&
		     t->image.n_classes <= CLASSES_MAX && t->image.n_keys <= KEYS_MAX;

	if (!whole)
		return false;
	size = t->image.n_classes * sizeof(t->classes[0]);
	if (pread(image, t->classes, size, sizeof(t->image)) != (ssize_t)size ||
	    pread(image, t->keys, sizeof(t->keys), (off_t)(sizeof(t->image) + size)) < 0 ||
	    datapath_peers(f->rig.agent->dp, note_variants, &t->n_variants))
		return false;
	close(image);
	f->n_told++;
	m.generation = t->image.generation;
	return !seal_message_send(fd, &m, -1);
}

static void serve(struct fixture *f, int fd)
{
	struct seal_message m;
	int passed = -1;

	f->agent = fd;
	while (!seal_message_receive(fd, &m, &passed)) {
		if (m.kind == SEAL_HELLO ? !welcome(f, fd)
					 : m.kind != SEAL_CONFIGURE || !take(f, fd, passed))
			break;
		passed = -1;
	}
	close(fd);
}

static void *work(void *arg)
{
	struct fixture *f = arg;
	int fd;

	while ((fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve(f, fd);
	return NULL;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(f->dir, sizeof(f->dir), "/tmp/vd-sealing-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->socket, sizeof(f->socket), "%s/s", f->dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->socket);
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(f->listener >= 0);
	assert_ok(bind(f->listener, (struct sockaddr *)&address, sizeof(address)));
	assert_ok(listen(f->listener, 1));
	f->incarnation = 5;
	assert_ok(pthread_create(&f->worker, NULL, work, f));
	rig_init(&f->rig);
	f->rig.sealing =
		(struct sealing_paths){f->socket, "/nonexistent", "/nonexistent", {{CPUS}}, 0};
	rig_start(&f->rig);
	rig_desire_all(&f->rig);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	rig_deinit(&f->rig);
	shutdown(f->listener, SHUT_RDWR);
	assert_ok(pthread_join(f->worker, NULL));
	close(f->listener);
	unlink(f->socket);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* ---- what the manager says ---- */

static Viaduct__Agent__Choice *choice(struct rig *r, uint32_t features)
{
	Viaduct__Agent__Choice *c = arena_alloc(&r->arena, sizeof(*c));
	Viaduct__Agent__Accept *a = arena_alloc(&r->arena, sizeof(*a));

	viaduct__agent__choice__init(c);
	viaduct__agent__accept__init(a);
	a->formats = FORMAT_BIT(FORMAT_SIIT_2);
	c->send = FORMAT_SIIT_2;
	c->send_features = features;
	c->path_mtu = 1500;
	c->n_accepts = 1;
	c->accepts = arena_alloc(&r->arena, sizeof(*c->accepts));
	c->accepts[0] = a;
	return c;
}

/* Seals with crypt/1 from network RIG_VNI to OTHER_VNI, or nothing. */
static void tell(struct fixture *f, uint64_t revision, bool sealed)
{
	struct rig *r = &f->rig;
	Viaduct__Agent__Object *o = rig_peer(r, RIG_PEER);
	Viaduct__Agent__Variant *v = arena_alloc(&r->arena, sizeof(*v));
	Viaduct__Agent__PairKey *key = arena_alloc(&r->arena, sizeof(*key));

	o->peer->choice = choice(r, 0);
	if (sealed) {
		viaduct__agent__pair_key__init(key);
		key->spi = seal_spi(1, SEAL_AES_128_GCM, 7);
		key->key.data = (uint8_t *)(uintptr_t) "sixteen bytes ok";
		key->key.len = 16;
		key->send = true;
		key->incarnation = 6;
		o->peer->choice->n_keys = 1;
		o->peer->choice->keys = &key;
		viaduct__agent__variant__init(v);
		v->vni = RIG_VNI;
		v->peer_vni = OTHER_VNI;
		v->choice = choice(r, CRYPT_1);
		o->peer->n_variants = 1;
		o->peer->variants = &v;
	}
	f->n_told = 0;
	rig_desire(r, revision, false, &o, 1);
}

static bool has_class(const struct told *t, uint32_t number)
{
	for (size_t i = 0; i < t->image.n_classes; i++)
		if (t->classes[i].number == number)
			return t->classes[i].cipher == SEAL_AES_128_GCM &&
			       t->classes[i].peer == RIG_PEER &&
			       t->classes[i].spi == seal_spi(1, SEAL_AES_128_GCM, 7);
	return false;
}

/* The worker knows a class before the first packet of it, and until the last.
 * requirement: NEG-8, NEG-11 */
static void test_a_class_is_there_before_it_is_used(void **state)
{
	const struct dp_variant variant = {.vni = RIG_VNI, .peer_vni = OTHER_VNI};
	struct fixture *f = *state;
	uint32_t class;

	tell(f, 11, true);
	assert_true(f->n_told > 0);
	assert_ok(datapath_variant_class(f->rig.agent->dp, RIG_PEER, &variant, &class));
	assert_int_equal(f->told[0].n_variants, 0);
	assert_true(has_class(&f->told[0], class));
	assert_true(f->told[0].image.cpus.words[0] == CPUS);
	assert_true(has_class(&f->told[f->n_told - 1], class));
	assert_int_equal(rig_last(&f->rig, VIADUCT__AGENT__FRAME__BODY_ACK)->ack->revision, 11);
	/* and it goes after the data plane has none of it any more, and what that had given the
	 * worker has come out of its queue */
	tell(f, 12, false);
	assert_int_equal(f->n_told, 0);
	assert_error(datapath_variant_class(f->rig.agent->dp, RIG_PEER, &variant, &class), ENOENT);
	tell(f, 13, false);
	rig_advance_ms(&f->rig, LIMIT_AGENT_SEAL_LEAVE_MS - 1);
	assert_int_equal(f->n_told, 0);
	rig_advance_ms(&f->rig, 2);
	assert_int_equal(f->n_told, 1);
	assert_int_equal(f->told[0].n_variants, 0);
	assert_int_equal(f->told[0].image.n_classes, 0);
	assert_int_equal(f->told[0].image.n_keys, 0);
}

/* What it finds out when it starts, and what it finds later.  requirement: NEG-11 */
static void test_the_manager_is_told_the_incarnation(void **state)
{
	struct fixture *f = *state;
	const Viaduct__Agent__Frame *frame = rig_last(&f->rig, VIADUCT__AGENT__FRAME__BODY_HELLO);

	assert_int_equal(frame->hello->capabilities->incarnation, 5);
	assert_null(rig_last(&f->rig, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES));
	tell(f, 11, true);
	assert_null(rig_last(&f->rig, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES));
	/* another worker, which has not what the first one had */
	f->incarnation = 6;
	f->n_told = 0;
	assert_ok(shutdown(f->agent, SHUT_RDWR));
	rig_advance_ms(&f->rig, 1000);
	assert_true(f->n_told > 0);
	frame = rig_last(&f->rig, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES);
	assert_non_null(frame);
	assert_int_equal(frame->capabilities->incarnation, 6);
}

/* The worker decides which keys it takes; what it goes by comes from the manager.
 * requirement: NEG-11 */
static void test_the_worker_is_told_whom_a_key_is_for(void **state)
{
	struct fixture *f = *state;

	tell(f, 11, true);
	assert_true(f->n_told > 0);
	assert_int_equal(f->told[0].image.n_keys, 1);
	assert_int_equal(f->told[0].keys[0].incarnation, 6);
	assert_true(f->told[0].keys[0].goes_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_class_is_there_before_it_is_used, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_manager_is_told_the_incarnation, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_worker_is_told_whom_a_key_is_for, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
