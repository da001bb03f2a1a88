/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, found out by trying; what they claim is what test_path carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab.h"

static struct lab lab;

static int n_entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* requirement: NEG-1 */
static void test_formats(void **state)
{
	const uint32_t all = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) |
			     FORMAT_BIT(FORMAT_IPIP6_1) | FORMAT_BIT(FORMAT_VXLAN_1) |
			     FORMAT_BIT(FORMAT_REIP4_1);
	struct dp_capabilities caps;
	struct utsname name;
	char path[128];
	int before;

	snprintf(path, sizeof(path), "%s/viaduct", lab.hosts[0].config.bpffs);
	before = n_entries(path);
	lab_enter(&lab, lab.hosts[0].netns);
	assert_int_equal(datapath_probe(&lab.hosts[0].config, &caps), 0);
	lab_enter(&lab, -1);
	/* geneve is for kernels that have its device: test_geneve.c */
	assert_true(!*caps.refused || !strncmp(caps.refused, "geneve/1: ", 10));
	assert_int_equal(caps.formats & ~(uint32_t)FORMATS_GENEVE, all);
	assert_true(caps.rate);
	assert_int_equal(caps.substrate_mtu, LAB_WIRE_MTU);
	uname(&name);
	assert_string_equal(caps.kernel, name.release);
	assert_int_equal(n_entries(path), before); /* nothing is left */
}

/* requirement: NEG-1 */
static void test_probing_again_finds_the_same(void **state)
{
	struct dp_capabilities caps, again;

	lab_enter(&lab, lab.hosts[1].netns);
	assert_int_equal(datapath_probe(&lab.hosts[1].config, &caps), 0);
	assert_int_equal(datapath_probe(&lab.hosts[1].config, &again), 0);
	lab_enter(&lab, -1);
	assert_string_equal(caps.refused, again.refused);
	assert_int_equal(caps.formats, again.formats);
}

static int set_up(void **state)
{
	lab_init(&lab, FORMAT_SIIT_2);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_probing_again_finds_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
