/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 against another implementation, and the process key. */
#include "base/hash.h"

#include <endian.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/unit/test.h"

static void test_function_agrees_with_another_implementation(void **state)
{
	/* What CPython 3.11 gives for these under the key 0 (PYTHONHASHSEED=0). */
	static const struct {
		const char *text;
		uint64_t hash;
	} cases[] = {
		{"a", UINT64_C(0x407448d2b89b1813)},
		{"abc", UINT64_C(0xc03bc3a0042630f2)},
		{"1234567", UINT64_C(0xa33d651594fdae81)},
		{"12345678", UINT64_C(0x3489982430560a87)},
		{"123456789", UINT64_C(0x0fbc0f0007965fcf)},
		{"0123456789abcdef0123456789", UINT64_C(0x87a70aa599d1ae8a)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(hash_siphash13(0, 0, cases[i].text, strlen(cases[i].text)) ==
			    cases[i].hash);
	assert_true(hash_siphash13(1, 0, "abc", 3) != hash_siphash13(0, 0, "abc", 3));
	assert_true(hash_siphash13(0, 1, "abc", 3) != hash_siphash13(0, 0, "abc", 3));
}

static void test_equal_keys_have_equal_hashes(void **state)
{
	char copy[] = "eni-0123456789abcdef0";
	uint64_t v = htole64(0x1122334455667788);

	assert_true(hash_str(copy) == hash_bytes("eni-0123456789abcdef0", strlen(copy)));
	assert_true(hash_u64(le64toh(v)) == hash_bytes(&v, sizeof(v)));
	assert_true(hash_u64_bytes(7, "x", 1) == hash_u64_bytes(7, "x", 1));
	assert_true(hash_u64_bytes(7, "x", 1) != hash_u64_bytes(8, "x", 1));
	assert_true(hash_u64_bytes(7, "x", 1) != hash_u64_bytes(7, "y", 1));
	assert_true(hash_bytes("a\0", 2) != hash_bytes("a", 1));
}

static void test_low_bits_spread(void **state)
{
	unsigned int n[16] = {0};

	for (uint64_t i = 0; i < 16000; i++)
		n[hash_u64(i << 32) & 15]++;
	for (size_t i = 0; i < 16; i++)
		assert_in_range(n[i], 800, 1200);
}

/* Runs this program anew and gets the hash of "x" there. */
static uint64_t hash_in_another_process(void)
{
	uint64_t hash;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test_hash", "print", NULL);
		_exit(1);
	}
	assert_int_equal(read(fds[0], &hash, sizeof(hash)), sizeof(hash));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	close(fds[1]);
	return hash;
}

static void test_every_process_has_its_own_key(void **state)
{
	assert_true(hash_str("x") == hash_str("x"));
	assert_true(hash_in_another_process() != hash_str("x"));
	assert_true(hash_in_another_process() != hash_in_another_process());
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_function_agrees_with_another_implementation),
		cmocka_unit_test(test_equal_keys_have_equal_hashes),
		cmocka_unit_test(test_low_bits_spread),
		cmocka_unit_test(test_every_process_has_its_own_key),
	};

	if (argc > 1) {
		uint64_t hash = hash_str("x");

		return write(STDOUT_FILENO, &hash, sizeof(hash)) != sizeof(hash);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
