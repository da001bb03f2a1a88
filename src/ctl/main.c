/* SPDX-License-Identifier: Apache-2.0 */
/*
 * viaduct: the command line.
 */
#include "ctl/tree.h"

int main(int argc, char **argv)
{
	return command_main(tree_root(), argc - 1, argv + 1);
}
