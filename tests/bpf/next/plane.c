/* SPDX-License-Identifier: Apache-2.0 */
/* The one thing that the next release's data plane is asked for by name: what it opens has its own
 * functions. */
#include "datapath/datapath.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int next_open(const struct dp_config *config, struct datapath **ret, bool *ret_adopted);

int next_open(const struct dp_config *config, struct datapath **ret, bool *ret_adopted)
{
	return datapath_open(config, ret, ret_adopted);
}
