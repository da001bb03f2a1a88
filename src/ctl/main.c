/* SPDX-License-Identifier: Apache-2.0 */
/*
 * viaduct: the command line.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/tree.h"

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("viaduct " VIADUCT_VERSION);
		return 0;
	}
	return command_main(tree_root(), argc - 1, argv + 1);
}
