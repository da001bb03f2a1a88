/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/keyring.h"

#include <string.h>

#include "../test.h"
#include "base/hex.h"

static struct keyring ring(uint8_t first)
{
	struct keyring k;

	for (size_t i = 0; i < sizeof(k.secret); i++)
		k.secret[i] = (uint8_t)(first + i);
	return k;
}

/* By RFC 5869 in another language: sender 5, receiver 6, epoch 7, AES-256-GCM.
 * requirement: NEG-11 */
static void test_known_answer(void **state)
{
	const struct keyring k = ring(0);
	uint8_t key[SEAL_KEY_SIZE], expected[SEAL_KEY_SIZE];

	assert_ok(hex_decode("a9a9a95697324a82d8ab68ca419961bb831318cea50c099c6aae8dc2521b0e2d",
			     expected, sizeof(expected)));
	assert_ok(keyring_derive(&k, 5, 6, SEAL_AES_256_GCM, &(struct pair_key){.epoch = 7}, key));
	assert_memory_equal(key, expected, sizeof(key));
	/* and of incarnations 0x0102030405060708 and 9 */
	assert_ok(hex_decode("444abaaaa4259c66d5650d8c3ac8dfea7f86d3a0132b8370a4063f62b84c1677",
			     expected, sizeof(expected)));
	assert_ok(keyring_derive(&k, 5, 6, SEAL_AES_256_GCM,
				 &(struct pair_key){7, 0x0102030405060708, 9}, key));
	assert_memory_equal(key, expected, sizeof(key));
}

/* Each direction, epoch, cipher, cluster and incarnation of either end has its own.  requirement:
 * NEG-11 */
static void test_all_differ(void **state)
{
	static const struct {
		uint8_t secret;
		uint32_t sender, receiver;
		enum seal_cipher cipher;
		struct pair_key key;
	} of[] = {
		{0, 1, 2, SEAL_AES_128_GCM, {1, 0, 0}}, {0, 2, 1, SEAL_AES_128_GCM, {1, 0, 0}},
		{0, 1, 3, SEAL_AES_128_GCM, {1, 0, 0}}, {0, 1, 2, SEAL_AES_128_GCM, {2, 0, 0}},
		{0, 1, 2, SEAL_AES_256_GCM, {1, 0, 0}}, {0, 1, 2, SEAL_AES_128_GMAC, {1, 0, 0}},
		{1, 1, 2, SEAL_AES_128_GCM, {1, 0, 0}}, {0, 1, 2, SEAL_AES_128_GCM, {1, 5, 0}},
		{0, 1, 2, SEAL_AES_128_GCM, {1, 0, 5}}, {0, 1, 2, SEAL_AES_128_GCM, {1, 5, 5}},
		{0, 1, 2, SEAL_AES_128_GCM, {1, 5, 6}}, {0, 1, 2, SEAL_AES_128_GCM, {1, 6, 5}},
	};
	uint8_t keys[ARRAY_SIZE(of)][SEAL_KEY_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const struct keyring k = ring(of[i].secret);

		assert_ok(keyring_derive(&k, of[i].sender, of[i].receiver, of[i].cipher, &of[i].key,
					 keys[i]));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], 16);
	}
}

/* What two hosts are told fits together, while a choice changes, too.  requirement: NEG-11 */
static void test_both_ends_get_the_same(void **state)
{
	const uint32_t crypt = FEATURE_BIT(FEATURE_CRYPT_2), lz4 = FEATURE_BIT(FEATURE_LZ4_1);
	const struct keyring k = ring(3);
	const struct choice sender = {
		.send_features = crypt | lz4, .send_key = {4, 77, 88}, .send_keyed_ms = 99};
	const struct choice receiver = {.n_accepts = 4,
					.accepts = {{1, 0, {4, 77, 88}},
						    {1, crypt, {4, 77, 88}},
						    {1, crypt | lz4, {4, 77, 88}},
						    {1, crypt, {5, 77, 88}}}};
	struct keyring_keys a, b;

	assert_ok(keyring_fill(&k, 1, 2, &sender, &a));
	assert_ok(keyring_fill(&k, 2, 1, &receiver, &b));
	assert_int_equal(a.n, 1);
	assert_true(a.keys[0].send);
	assert_true(a.keys[0].made == 99);
	assert_int_equal(a.keys[0].key.len, 32);
	/* One for each epoch, however often it is accepted; none for what is in the clear. */
	assert_int_equal(b.n, 2);
	assert_false(b.keys[0].send);
	assert_int_equal(b.keys[0].spi, a.keys[0].spi);
	/* each is told its own incarnation */
	assert_int_equal(a.keys[0].incarnation, 77);
	assert_int_equal(b.keys[0].incarnation, 88);
	assert_memory_equal(b.keys[0].key.data, a.keys[0].key.data, 32);
	assert_int_not_equal(b.keys[1].spi, a.keys[0].spi);
	assert_memory_not_equal(b.keys[1].key.data, a.keys[0].key.data, 32);
	assert_int_equal(seal_spi_cipher(b.keys[1].spi), SEAL_AES_256_GCM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_all_differ),
		cmocka_unit_test(test_both_ends_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
