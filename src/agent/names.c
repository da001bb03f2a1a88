/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/names.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"

struct name {
	struct hmap_node node;
	struct list age;
	uint32_t vni;
	char label[DNS_LABEL_SIZE];
	struct ipaddr addr;
	uint64_t told_ns;
};

void names_init(struct names *n)
{
	hmap_init(&n->names);
	list_init(&n->age);
}

static uint64_t names_hash(uint32_t vni, const char *label)
{
	return hash_u64_bytes(vni, label, strlen(label));
}

static struct name *names_find(const struct names *n, uint32_t vni, const char *label, bool v6)
{
	struct name *name;

	hmap_for_each_at (name, &n->names, names_hash(vni, label), node)
		if (name->vni == vni && str_equal(name->label, label) &&
		    ipaddr_is_v4(&name->addr) != v6)
			return name;
	return NULL;
}

static void names_remove(struct names *n, struct name *name)
{
	hmap_remove(&n->names, &name->node);
	list_remove(&name->age);
	free(name);
}

void names_deinit(struct names *n)
{
	struct name *name;

	list_for_each (name, &n->age, age)
		names_remove(n, name);
	hmap_deinit(&n->names);
}

static void names_forget(struct names *n, uint32_t vni, const char *label, bool v6)
{
	struct name *name = names_find(n, vni, label, v6);

	if (name)
		names_remove(n, name);
}

void names_drop(struct names *n, uint32_t vni, const char *label)
{
	names_forget(n, vni, label, false);
	names_forget(n, vni, label, true);
}

void names_put(struct names *n, uint32_t vni, const char *label, const struct ipaddr *addr,
	       uint64_t now_ns)
{
	struct name *name;

	names_forget(n, vni, label, !ipaddr_is_v4(addr));
	if (hmap_count(&n->names) >= LIMIT_AGENT_NAMES)
		names_remove(n, list_first(&n->age, struct name, age));
	name = calloc(1, sizeof(*name));
	if (!name || str_copy(name->label, sizeof(name->label), label)) {
		free(name);
		return;
	}
	name->vni = vni;
	name->addr = *addr;
	name->told_ns = now_ns;
	hmap_insert(&n->names, &name->node, names_hash(vni, label));
	list_push_back(&n->age, &name->age);
}

int names_get(const struct names *n, uint32_t vni, const char *label, bool v6, uint64_t now_ns,
	      struct ipaddr *ret, bool *ret_fresh)
{
	const struct name *name = names_find(n, vni, label, v6);

	if (!name)
		return -ENOENT;
	*ret = name->addr;
	*ret_fresh = now_ns - name->told_ns < DNS_ANSWER_TTL * CLOCK_NS_PER_S;
	return 0;
}
