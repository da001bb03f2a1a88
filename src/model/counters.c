/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in turn.  See counters.h.
 */
#include "model/counters.h"

#include "abi/substrate.h"
#include "base/hash.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/network_acl.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "model/vpc.h"

static bool vni_in_use(const struct model *m, uint32_t n)
{
	return vpc_by_vni(m, n);
}

static bool host_in_use(const struct model *m, uint32_t n)
{
	return host_by_number(m, n);
}

static bool handle_in_use(const struct model *m, uint32_t n)
{
	uint32_t number = SUBSTRATE_VNI_HANDLE_MIN - 1 + n;
	const struct hmap_node *node = unique_first(m, UNIQUE_HANDLE, hash_u64(number));

	for (; node; node = hmap_next_at(node))
		if (hmap_entry(node, const struct handle, node)->number == number)
			return true;
	return false;
}

static bool table_in_use(const struct model *m, uint32_t n)
{
	const struct hmap_node *node = unique_first(m, UNIQUE_TABLE_NUMBER, hash_u64(n));

	for (; node; node = hmap_next_at(node))
		if (hmap_entry(node, const struct route_table, by_number)->number == n)
			return true;
	return false;
}

static int next(struct tx *tx, uint32_t max, size_t offset,
		bool (*in_use)(const struct model *m, uint32_t n), const char *what, uint32_t *ret,
		struct refusal *reterr)
{
	const struct object *old = model_get(tx->m, KIND_COUNTERS, COUNTERS_ID);
	struct object *new;
	uint32_t *last;
	uint32_t n;
	int r;

	r = tx_edit(tx, old, &new);
	if (r)
		return r;
	last = (uint32_t *)(void *)((char *)new + offset);
	n = *last;
	for (uint32_t tries = 0; tries < max; tries++) {
		n = n >= max ? 1 : n + 1;
		if (in_use(tx->m, n))
			continue;
		*last = n;
		r = tx_put(tx, old, &new);
		if (!r)
			*ret = n;
		return r;
	}
	record_free(new);
	return refuse(reterr, MODEL_E_NUMBERS_EXHAUSTED, what);
}

static bool group_in_use(const struct model *m, uint32_t n)
{
	return security_group_by_number(m, n);
}

static bool acl_in_use(const struct model *m, uint32_t n)
{
	return network_acl_by_number(m, n);
}

int counters_next_vni(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	return next(tx, SUBSTRATE_VNI_MAX, offsetof(struct counters, last_vni), vni_in_use,
		    "networks", ret, reterr);
}

int counters_next_host(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	return next(tx, HOST_NUMBER_MAX, offsetof(struct counters, last_host), host_in_use, "hosts",
		    ret, reterr);
}

int counters_next_group(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	return next(tx, UINT32_MAX, offsetof(struct counters, last_group), group_in_use,
		    "security groups", ret, reterr);
}

int counters_next_acl(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	return next(tx, UINT32_MAX, offsetof(struct counters, last_acl), acl_in_use, "network ACLs",
		    ret, reterr);
}

int counters_next_handle(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	uint32_t n = 0;
	int r = next(tx, SUBSTRATE_VNI_HANDLE_MAX - SUBSTRATE_VNI_HANDLE_MIN + 1,
		     offsetof(struct counters, last_handle), handle_in_use, "gateways", &n, reterr);

	if (!r)
		*ret = SUBSTRATE_VNI_HANDLE_MIN - 1 + n;
	return r;
}

int counters_next_table(struct tx *tx, uint32_t *ret, struct refusal *reterr)
{
	return next(tx, UINT32_MAX, offsetof(struct counters, last_table), table_in_use,
		    "route tables", ret, reterr);
}

int counters_note_placed(struct tx *tx, uint32_t host)
{
	const struct object *old = model_get(tx->m, KIND_COUNTERS, COUNTERS_ID);
	struct object *new;
	int r = tx_edit(tx, old, &new);

	if (r)
		return r;
	((struct counters *)new)->last_placed = host;
	return tx_put(tx, old, &new);
}
