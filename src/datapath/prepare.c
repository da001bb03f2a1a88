/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/prepare.h"

#include "datapath/provider.h"

void dp_preparer_init(struct dp_preparer *p, const struct dp_preparer_ops *ops)
{
	p->ops = ops;
	atomic_init(&p->n_references, 1);
}

struct dp_preparer *datapath_preparer(struct datapath *dp)
{
	return dp_preparer_ref(dp->preparer);
}

struct dp_preparer *dp_preparer_ref(struct dp_preparer *p)
{
	if (p)
		atomic_fetch_add(&p->n_references, 1);
	return p;
}

struct dp_preparer *dp_preparer_unref(struct dp_preparer *p)
{
	if (p && atomic_fetch_sub(&p->n_references, 1) == 1)
		p->ops->free(p);
	return NULL;
}

int dp_preparer_prepare(struct dp_preparer *p, int ifindex, bool watched)
{
	return p->ops->prepare(p, ifindex, watched);
}

int dp_preparer_watch(struct dp_preparer *p, int ifindex, bool watched)
{
	return p->ops->watch(p, ifindex, watched);
}

void dp_preparer_tidy(struct dp_preparer *p)
{
	p->ops->tidy(p);
}
