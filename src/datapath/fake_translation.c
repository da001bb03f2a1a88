/* SPDX-License-Identifier: Apache-2.0 */
/* What gateways of the fake data plane translate: what a test has written, for nothing expires and
 * no packet is translated here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/fake_gateway.h"

enum { STRETCH = 4 }; /* so that a test has several */

static int find(struct datapath *dp, uint32_t handle, struct fake_gateway **ret)
{
	*ret = fake_gateway_find(fake_host_of(dp), handle);
	if (!*ret)
		return -ENOENT;
	return (*ret)->dp.kind == DP_GATEWAY_NAT || (*ret)->dp.kind == DP_GATEWAY_PRIVATE
		       ? 0
		       : -EOPNOTSUPP;
}

int fake_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			   struct dp_translation *ret, size_t *ret_n)
{
	struct fake_gateway *g;
	int r = find(dp, handle, &g);

	*ret_n = 0;
	if (r)
		return r;
	while (*at < g->n_translations && *ret_n < STRETCH)
		ret[(*ret_n)++] = g->translations[(*at)++];
	if (*at >= g->n_translations)
		*at = 0;
	return 0;
}

static bool is_same(const struct dp_translation *a, const struct dp_translation *b)
{
	return a->is_session == b->is_session && a->protocol == b->protocol &&
	       a->public_port == b->public_port && a->world_port == b->world_port &&
	       ipaddr_equal(&a->world, &b->world);
}

static int put(struct fake_gateway *g, const struct dp_translation *t)
{
	struct dp_translation *grown;

	for (size_t i = 0; i < g->n_translations; i++)
		if (is_same(&g->translations[i], t)) {
			g->translations[i] = *t;
			return 0;
		}
	grown = reallocarray(g->translations, g->n_translations + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[g->n_translations++] = *t;
	g->translations = grown;
	return 0;
}

int fake_translations_write(struct datapath *dp, uint32_t handle,
			    const struct dp_translation *translations, size_t n)
{
	struct fake_gateway *g;
	int r = find(dp, handle, &g);

	for (size_t i = 0; i < n && !r; i++)
		r = put(g, &translations[i]);
	return r;
}
