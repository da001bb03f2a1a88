/* SPDX-License-Identifier: Apache-2.0 */
/* What a lab is called and where it is; what is written of it is read back. */
#include "ctl/lab.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/test.h"

static void test_names(void **state)
{
	static const char *const good[] = {"lab", "a", "t123456"};
	static const char *const bad[] = {"", "Lab", "1a", "a-b", "a_b", "../x", "toolongx", "a/b"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(lab_name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(lab_name_is_valid(bad[i]));
}

static void test_addresses_differ_by_node_and_end(void **state)
{
	struct lab l = {.name = "x"};
	char a[IPADDR_TEXT_SIZE], b[IPADDR_TEXT_SIZE];
	struct ipaddr node = lab_node_address(&l, 64), gateway = lab_gateway_address(&l, 64);

	assert_string_equal(ipaddr_text(&node, a), "fd76:6c61:6200:40::2");
	assert_string_equal(ipaddr_text(&gateway, b), "fd76:6c61:6200:40::1");
	l.ipv4 = true;
	node = lab_node_address(&l, 1);
	gateway = lab_gateway_address(&l, 0);
	assert_string_equal(ipaddr_text(&node, a), "172.31.1.2");
	assert_string_equal(ipaddr_text(&gateway, b), "172.31.0.1");
}

static void test_what_is_saved_is_loaded(void **state)
{
	struct lab l = {.n_hosts = 3, .mtu = 9000, .ipv4 = true, .port = 4711, .lock_fd = -1}, back;
	struct lab again = {.n_hosts = 1, .lock_fd = -1};

	if (geteuid() != 0)
		skip();
	snprintf(l.name, sizeof(l.name), "u%u", (unsigned int)getpid() % 100000);
	l.formats[2] = strdup("vxlan/1");
	l.features[1] = strdup("none");
	l.seal_cpus[3] = strdup("0-1");
	assert_ok(lab_create(&l));
	memcpy(again.name, l.name, sizeof(l.name));
	assert_error(lab_create(&again), EEXIST);
	lab_deinit(&again);
	l.processes[0] = (struct lab_process){.pid = 12, .start = UINT64_C(1) << 40};
	assert_ok(lab_save(&l));
	assert_ok(lab_load(l.name, &back));
	assert_int_equal(back.n_hosts, 3);
	assert_int_equal(back.mtu, 9000);
	assert_int_equal(back.port, 4711);
	assert_true(back.ipv4);
	assert_false(back.up);
	assert_string_equal(back.formats[2], "vxlan/1");
	assert_string_equal(back.features[1], "none");
	assert_string_equal(back.seal_cpus[3], "0-1");
	assert_null(back.features[2]);
	assert_null(back.formats[1]);
	assert_int_equal(back.processes[0].pid, 12);
	assert_true(back.processes[0].start == UINT64_C(1) << 40);
	assert_int_equal(back.processes[1].pid, 0);
	assert_error(lab_lock(&back), EWOULDBLOCK);
	assert_ok(file_remove_tree(l.directory));
	lab_deinit(&back);
	assert_error(lab_load(l.name, &back), ENOENT);
	lab_deinit(&l);
}

static void test_damage_is_told_apart_from_absence(void **state)
{
	struct lab l = {.n_hosts = 1, .lock_fd = -1}, back;
	char *path;

	if (geteuid() != 0)
		skip();
	snprintf(l.name, sizeof(l.name), "v%u", (unsigned int)getpid() % 100000);
	assert_ok(lab_create(&l));
	path = lab_path(&l, "lab.json");
	assert_ok(file_write_atomic(path, "{\"version\":1}", 13, 0600));
	assert_error(lab_load(l.name, &back), EBADMSG);
	assert_ok(file_write_atomic(path, "nonsense", 8, 0600));
	assert_error(lab_load(l.name, &back), EBADMSG);
	free(path);
	assert_ok(file_remove_tree(l.directory));
	lab_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses_differ_by_node_and_end),
		cmocka_unit_test(test_what_is_saved_is_loaded),
		cmocka_unit_test(test_damage_is_told_apart_from_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
