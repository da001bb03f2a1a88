/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapping-bench WHAT N [STORE]: measures one thing and prints it as a line of JSON.  run.py calls
 * it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "bench.h"

void bench_drop_change(struct change *change, void *data)
{
	change_free(change);
}

int main(int argc, char **argv)
{
	const char *store = argc > 3 ? argv[3] : NULL;
	uint32_t n;

	log_set_level(LOG_LEVEL_WARN);
	if (argc < 3 || str_u32(argv[2], 0, 100000000, &n)) {
		fprintf(stderr,
			"usage: mapping-bench in-process|tls|push|ready|place|start|start-single "
			"N [STORE]\n");
		return 2;
	}
	if (!strcmp(argv[1], "in-process"))
		bench_in_process(n);
	else if (!strcmp(argv[1], "tls"))
		bench_tls(n);
	else if (!strcmp(argv[1], "push"))
		bench_push(n);
	else if (!strcmp(argv[1], "ready"))
		bench_ready(n, store);
	else if (!strcmp(argv[1], "place"))
		bench_place(n);
	else if (!strcmp(argv[1], "start") && store)
		bench_start(n, 10, store);
	else if (!strcmp(argv[1], "start-single") && store)
		bench_start(n, 1, store);
	else
		return 2;
	return 0;
}
