/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/preload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/log.h"
#include "net/log_addr.h"

static int compare_vnis(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void preload_networks(struct agent *a)
{
	struct hmap *subnets = desired_table(&a->desired, DESIRED_SUBNET);
	_cleanup_free_ uint32_t *vnis = NULL, *was = NULL;
	size_t n = 0, n_unique = 0, n_was = a->cache.n_preloaded;
	struct desired_item *item;
	bool carried;

	vnis = calloc(hmap_count(subnets) + 1, sizeof(*vnis));
	was = calloc(n_was + 1, sizeof(*was));
	if (!vnis || !was) {
		log_err("no memory for preloaded networks");
		return;
	}
	hmap_for_each (item, subnets, node)
		if (((struct desired_subnet *)item)->preloaded)
			vnis[n++] = ((struct desired_subnet *)item)->dp.vni;
	if (n)
		qsort(vnis, n, sizeof(*vnis), compare_vnis);
	for (size_t i = 0; i < n; i++)
		if (!i || vnis[i] != vnis[n_unique - 1])
			vnis[n_unique++] = vnis[i];
	if (n_was)
		memcpy(was, a->cache.preloaded, n_was * sizeof(*was));
	if (cache_set_preloaded(&a->cache, vnis, n_unique))
		log_err("no memory for preloaded networks");
	for (size_t i = 0; i < n_was; i++) {
		carried = false;
		hmap_for_each (item, subnets, node)
			carried |= ((struct desired_subnet *)item)->dp.vni == was[i];
		if (!carried)
			cache_drop_network(&a->cache, was[i]);
	}
}

bool preload_is_inherited(const struct agent *a, const struct answer *told)
{
	const struct prefix prefix = prefix_make(&told->addr, 64);

	return a->desired.host.edge && !ipaddr_is_v4(&told->addr) &&
	       desired_find_subnet(&a->desired, told->vni, &prefix);
}

void preload_take(struct agent *a, const struct answer *told)
{
	int e = -ENOENT;

	if (cache_is_preloaded(&a->cache, told->vni))
		e = miss_preload(&a->miss, told);
	else if (preload_is_inherited(a, told))
		e = miss_learn(&a->miss, told);
	if (e)
		agent_release(a, told->vni, &told->addr, told->revision);
	if (e && e != -ENOENT)
		log_debug("mapping not preloaded", LOG_U64("vni", told->vni),
			  LOG_ADDR("addr", &told->addr), LOG_ERRNO(e));
}
