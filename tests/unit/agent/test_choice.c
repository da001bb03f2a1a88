/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent takes from a choice: for the programs, for the worker, and what it keeps of it in
 * its file. */
#include <stdio.h>
#include <string.h>

#include "abi/feature.h"
#include "agent/desired.h"
#include "agent/sealing.h"
#include "agent/snapshot.h"
#include "base/file.h"
#include "tests/unit/test.h"

enum { CRYPT_2 = FEATURE_BIT(FEATURE_CRYPT_2), LZ4 = FEATURE_BIT(FEATURE_LZ4_1) };

static uint8_t key_bytes[32] = "no file may ever have these, ok";

struct told {
	Viaduct__Agent__Object object;
	Viaduct__Agent__Peer peer;
	Viaduct__Agent__Choice choice;
	Viaduct__Agent__Accept accepts[2], *accept_pointers[2];
	Viaduct__Agent__PairKey keys[2], *key_pointers[2];
};

/* Sends in the clear, takes what is sealed: one direction alone. */
static void fill(struct told *t)
{
	viaduct__agent__object__init(&t->object);
	viaduct__agent__peer__init(&t->peer);
	viaduct__agent__choice__init(&t->choice);
	t->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PEER;
	t->object.peer = &t->peer;
	t->peer.number = 3;
	t->peer.name = (char *)"h3";
	t->peer.choice = &t->choice;
	t->choice.send = FORMAT_SIIT_2;
	t->choice.path_mtu = 1500;
	t->choice.accepts = t->accept_pointers;
	t->choice.keys = t->key_pointers;
	for (int i = 0; i < 2; i++) {
		viaduct__agent__accept__init(&t->accepts[i]);
		viaduct__agent__pair_key__init(&t->keys[i]);
		t->accept_pointers[i] = &t->accepts[i];
		t->key_pointers[i] = &t->keys[i];
		t->keys[i].key.data = key_bytes;
		t->keys[i].key.len = sizeof(key_bytes);
		t->keys[i].spi = seal_spi(3, SEAL_AES_256_GCM, 7U + (unsigned int)i);
	}
	t->accepts[0].formats = FORMAT_BIT(FORMAT_SIIT_2);
	t->accepts[0].features = CRYPT_2 | LZ4;
	t->choice.n_accepts = 1;
	t->choice.n_keys = 1;
}

static int set(struct desired *d, struct told *t, const char **text)
{
	struct desired_key key;

	return desired_set(d, &t->object, &key, text);
}

/* requirement: NEG-11 */
static void test_each_direction_by_itself(void **state)
{
	const struct desired_peer *p;
	const char *text = NULL;
	struct desired d;
	struct told t;

	fill(&t);
	desired_init(&d);
	assert_ok(set(&d, &t, &text));
	p = desired_find_peer(&d, 3);
	assert_int_equal(p->dp.seal, SEAL_CLEAR);
	assert_int_equal(p->dp.accept, 0);
	assert_int_equal(p->dp.accept_sealed[SEAL_AES_256_GCM],
			 FORMAT_BIT(FORMAT_SIIT_2) | SEAL_ACCEPT_LZ4);
	assert_true(desired_peer_is_sealed(p));
	assert_int_equal(p->n_keys, 1);
	assert_int_equal(p->keys[0].cipher, SEAL_AES_256_GCM);
	assert_false(sealing_lacks_keys(&d));
	/* The other one alone, while both are accepted in the clear. */
	fill(&t);
	t.choice.send_features = CRYPT_2 | FEATURE_BIT(FEATURE_RATE_1);
	t.choice.rate_bits = 1000;
	t.accepts[0].features = FEATURE_BIT(FEATURE_RATE_1);
	t.keys[0].send = true;
	assert_ok(set(&d, &t, &text));
	p = desired_find_peer(&d, 3);
	assert_int_equal(p->dp.seal, SEAL_AES_256_GCM);
	assert_int_equal(p->dp.accept, FORMAT_BIT(FORMAT_SIIT_2));
	assert_int_equal(p->dp.accept_sealed[SEAL_AES_256_GCM], 0);
	assert_int_equal(p->dp.rate_bits, 1000);
	/* Numbers without the feature are no rate. */
	t.choice.send_features = CRYPT_2;
	assert_ok(set(&d, &t, &text));
	assert_int_equal(desired_find_peer(&d, 3)->dp.rate_bits, 0);
	desired_deinit(&d);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
	const char *text = NULL;
	struct desired d;
	struct told t;

	desired_init(&d);
	for (int i = 0; i < 6; i++) {
		fill(&t);
		switch (i) {
		case 0:
			t.choice.send_features = 1U << FEATURE_MAX;
			break;
		case 1:
			t.accepts[0].features = 1U << FEATURE_MAX;
			break;
		case 2:
			t.keys[0].key.len = 16; /* of a cipher that wants 32 */
			break;
		case 3:
			t.keys[0].spi |= SEAL_SPI_PARTIAL;
			break;
		case 4:
			t.keys[0].spi = seal_spi(3, SEAL_CLEAR, 7);
			break;
		case 5:
			t.choice.n_keys = 1000;
		}
		text = NULL;
		assert_error(set(&d, &t, &text), EINVAL);
		assert_non_null(text);
		assert_null(desired_find_peer(&d, 3));
	}
	desired_deinit(&d);
}

static int take(uint64_t cluster_id, const Viaduct__Agent__Desired *m, void *arg)
{
	struct desired_key key;
	const char *text;

	for (size_t i = 0; i < m->n_set; i++)
		assert_ok(desired_set(arg, m->set[i], &key, &text));
	return 0;
}

/* requirement: NEG-11 */
static void test_the_file_has_all_but_the_keys(void **state)
{
	char path[64];
	_cleanup_free_ char *bytes = NULL;
	const struct desired_peer *p;
	struct desired d, back;
	const char *text;
	struct told t;
	size_t size;

	snprintf(path, sizeof(path), "/tmp/viaduct-choice-%d", (int)getpid());
	fill(&t);
	t.choice.send_features = CRYPT_2;
	t.accepts[1].formats = FORMAT_BIT(FORMAT_SIIT_2);
	t.choice.n_accepts = t.choice.n_keys = 2;
	desired_init(&d);
	desired_init(&back);
	d.host.set = true;
	d.host.number = 1;
	assert_ok(set(&d, &t, &text));
	assert_ok(snapshot_write(path, &d, 1, 2));
	assert_ok(file_read(path, 100000, &bytes, &size));
	assert_null(memmem(bytes, size, key_bytes, 16));
	/* Without its manager it knows that it must not send in the clear, and that it has no
	 * key. */
	assert_ok(snapshot_read(path, take, &back));
	p = desired_find_peer(&back, 3);
	assert_int_equal(p->dp.seal, SEAL_AES_256_GCM);
	assert_int_equal(p->dp.accept, FORMAT_BIT(FORMAT_SIIT_2));
	assert_int_equal(p->dp.accept_sealed[SEAL_AES_256_GCM],
			 FORMAT_BIT(FORMAT_SIIT_2) | SEAL_ACCEPT_LZ4);
	assert_int_equal(p->n_keys, 0);
	assert_true(sealing_lacks_keys(&back));
	desired_deinit(&d);
	desired_deinit(&back);
	unlink(path);
}

/* An agent that starts without its manager still knows which MACs go there.  requirement: PKT-3 */
static void test_a_foreign_peer_is_in_the_file(void **state)
{
	struct desired d, back;
	const char *text;
	char path[64];
	struct told t;

	snprintf(path, sizeof(path), "/tmp/viaduct-foreign-%d", (int)getpid());
	desired_init(&d);
	desired_init(&back);
	d.host.set = true;
	d.host.number = 1;
	fill(&t);
	t.choice.n_accepts = t.choice.n_keys = 0;
	t.choice.send = FORMAT_VXLAN_1;
	assert_ok(set(&d, &t, &text));
	assert_false(desired_find_peer(&d, 3)->dp.foreign);
	t.peer.foreign = true;
	assert_ok(set(&d, &t, &text));
	assert_true(desired_find_peer(&d, 3)->dp.foreign);
	assert_ok(snapshot_write(path, &d, 1, 2));
	assert_ok(snapshot_read(path, take, &back));
	assert_true(desired_find_peer(&back, 3)->dp.foreign);
	desired_deinit(&d);
	desired_deinit(&back);
	unlink(path);
}

/* Of all traffic, and of a variant.  requirement: PKT-16 */
static void test_what_goes_alone_is_in_the_file(void **state)
{
	Viaduct__Agent__Variant variant = VIADUCT__AGENT__VARIANT__INIT, *variants = &variant;
	Viaduct__Agent__Choice other = VIADUCT__AGENT__CHOICE__INIT;
	const struct desired_peer *p;
	struct desired d, back;
	const char *text;
	char path[64];
	struct told t;

	snprintf(path, sizeof(path), "/tmp/viaduct-alone-%d", (int)getpid());
	for (int alone = 0; alone < 2; alone++) {
		desired_init(&d);
		desired_init(&back);
		d.host.set = true;
		d.host.number = 1;
		fill(&t);
		t.choice.n_accepts = t.choice.n_keys = 0;
		t.choice.send = other.send = FORMAT_REIP4_1;
		t.choice.alone = alone;
		other.alone = !alone;
		variant.vni = variant.peer_vni = 7;
		variant.choice = &other;
		t.peer.n_variants = 1;
		t.peer.variants = &variants;
		assert_ok(set(&d, &t, &text));
		assert_ok(snapshot_write(path, &d, 1, 2));
		assert_ok(snapshot_read(path, take, &back));
		p = desired_find_peer(&back, 3);
		assert_int_equal(p->dp.alone, alone);
		assert_int_equal(p->dp.n_variants, 1);
		assert_int_equal(p->dp.variants[0].alone, !alone);
		desired_deinit(&d);
		desired_deinit(&back);
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_direction_by_itself),
		cmocka_unit_test(test_what_makes_no_sense_is_refused),
		cmocka_unit_test(test_the_file_has_all_but_the_keys),
		cmocka_unit_test(test_a_foreign_peer_is_in_the_file),
		cmocka_unit_test(test_what_goes_alone_is_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
