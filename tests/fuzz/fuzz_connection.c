/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sequences of packets through the real programs, beside a plain twin of the table of
 * connections (tests/bpf/connection_twin.h).  Needs root, as tests/bpf does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/bpf/connection_twin.h"
#include "tests/bpf/policy_lab.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tear_down(void)
{
	policy_lab_tear_down(NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	policy_lab_set_up(NULL);
	twin_set_up();
	atexit(tear_down);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	twin_play(data, size);
	return 0;
}
