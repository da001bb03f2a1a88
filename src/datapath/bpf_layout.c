/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/bpf_layout.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "datapath/bpf_convert.h"
#include "datapath/bpf_skel.h"

enum kind { NAMED, REMADE, STATE, FRESH, TRANSIENT };

static const struct info {
	const char *name;
	uint32_t layout;
	enum kind kind;
} infos[] = {
#define DP_TABLE(name, layout, kind) {#name, layout, kind},
#include "abi/tables.def"
#undef DP_TABLE
};

enum { TABLES = ARRAY_SIZE(infos) };

/* What a table of tables has in it; type 0: it is none. */
struct inner {
	uint32_t type, key_size, value_size, flags, n_entries;
};

struct table {
	struct bpf_map *map;
	struct inner inner;
	bool pinned;         /* with this build's layout */
	uint32_t was_layout; /* of the pinned table of another layout; 0: there is none */
	int was;             /* that table, if this one takes its place; else -1 */
	const struct bpf_conversion *conversion; /* NULL: it begins empty */
	size_t n_carried;
	struct bpf_carried *carried; /* one for each table in it */
};

struct bpf_layouts {
	struct table tables[TABLES];
	struct dp_adoption adoption;
};

/* ---- names ---- */

static void path_of(const struct bpf_host *h, const char *table, uint32_t layout,
		    char ret[static PATH_MAX + 64])
{
	if (layout > 1)
		snprintf(ret, PATH_MAX + 64, "%s/%s@%u", h->dir, table, layout);
	else
		snprintf(ret, PATH_MAX + 64, "%s/%s", h->dir, table);
}

static int index_of(const char *table, size_t length)
{
	for (int i = 0; i < (int)TABLES; i++)
		if (strlen(infos[i].name) == length && !strncmp(infos[i].name, table, length))
			return i;
	return -1;
}

void bpf_layout_path(const struct bpf_host *h, const char *table, char ret[static PATH_MAX + 64])
{
	int i = index_of(table, strlen(table));

	path_of(h, table, i < 0 ? 1 : infos[i].layout, ret);
}

/* What a pin is: the number of a table, -1 if this build has none such, and its layout. */
static int parse(const char *pin, uint32_t *ret_layout)
{
	size_t length = strcspn(pin, "@");
	unsigned long n = 1;
	char *end = "";

	if (pin[length])
		n = strtoul(pin + length + 1, &end, 10);
	*ret_layout = (uint32_t)n;
	return *end || !n || n > INT32_MAX ? -1 : index_of(pin, length);
}

/* ---- what is there ---- */

static int each_pin(struct bpf_host *h, void (*fn)(struct bpf_host *, const char *pin))
{
	DIR *dir = opendir(h->dir);
	const struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && strncmp(e->d_name, "link_", 5) != 0)
			fn(h, e->d_name);
	closedir(dir);
	return 0;
}

static void see_pin(struct bpf_host *h, const char *pin)
{
	const struct bpf_conversion *c;
	struct table *t;
	uint32_t layout;
	int i = parse(pin, &layout);

	if (i < 0)
		return;
	t = &h->layouts->tables[i];
	if (layout == infos[i].layout) {
		t->pinned = true;
		return;
	}
	c = bpf_conversion_find(infos[i].name, layout, infos[i].layout);
	/* rather one that can be converted, rather the newest */
	if (c ? t->conversion && t->was_layout > layout : t->conversion || t->was_layout > layout)
		return;
	t->was_layout = layout;
	t->conversion = c;
}

static void take_pin(struct bpf_host *h, const char *pin)
{
	char path[PATH_MAX + 64];
	uint32_t layout;
	int i = parse(pin, &layout);

	if (i >= 0 && infos[i].kind != TRANSIENT && layout == infos[i].layout)
		return;
	snprintf(path, sizeof(path), "%s/%s", h->dir, pin);
	unlink(path);
}

/* ---- planning ---- */

static void note_lost(struct dp_adoption *a, const char *table)
{
	size_t n = strlen(a->lost);

	snprintf(a->lost + n, sizeof(a->lost) - n, "%s%s", n ? " " : "", table);
}

/* Its programs have another one: this one is pinned when they are replaced. */
static int replace(struct bpf_host *h, struct table *t, const struct info *info)
{
	char path[PATH_MAX + 64];

	if (!t->conversion && info->kind == NAMED) {
		log_debug("nothing converts a table that others depend on",
			  LOG_STR("table", info->name), LOG_U64("from", t->was_layout),
			  LOG_U64("to", info->layout));
		return -EINVAL;
	}
	path_of(h, info->name, t->was_layout, path);
	t->was = bpf_obj_get(path);
	if (t->was < 0)
		return -errno;
	h->layouts->adoption.n_changed++;
	if (!t->conversion && info->kind == STATE)
		note_lost(&h->layouts->adoption, info->name);
	return 0;
}

static int plan_table(struct bpf_host *h, struct table *t, const struct info *info)
{
	const struct bpf_map *inner = bpf_map__inner_map(t->map);
	char path[PATH_MAX + 64];

	if (inner)
		t->inner = (struct inner){.type = bpf_map__type(inner),
					  .key_size = bpf_map__key_size(inner),
					  .value_size = bpf_map__value_size(inner),
					  .flags = bpf_map__map_flags(inner),
					  .n_entries = bpf_map__max_entries(inner)};
	path_of(h, info->name, info->layout, path);
	if (info->kind == TRANSIENT) {
		unlink(path); /* earlier versions pinned it */
		return 0;
	}
	/* both are there after a replacement that did not come to its end: it begins again */
	if (t->was_layout && (t->conversion || !t->pinned))
		return replace(h, t, info);
	return bpf_map__set_pin_path(t->map, path);
}

int bpf_layout_plan(struct bpf_host *h)
{
	struct bpf_map *map;
	int r;

	h->layouts = calloc(1, sizeof(*h->layouts));
	if (!h->layouts)
		return -ENOMEM;
	for (size_t i = 0; i < TABLES; i++)
		h->layouts->tables[i].was = -1;
	r = each_pin(h, see_pin);
	bpf_object__for_each_map (map, h->skel->obj) {
		const char *name = bpf_map__name(map);
		int i = index_of(name, strlen(name));

		if (r)
			return r;
		if (bpf_map__is_internal(map))
			continue;
		if (i < 0) { /* it stands not in abi/tables.def */
			log_debug("a table without a layout", LOG_STR("table", name));
			return -ENOSYS;
		}
		h->layouts->tables[i].map = map;
		r = plan_table(h, &h->layouts->tables[i], &infos[i]);
	}
	return r;
}

/* ---- tables in tables: one for each gateway ---- */

static int inner_get(int outer, uint32_t row)
{
	uint32_t id;
	int r = bpf_map_lookup_elem(outer, &row, &id);

	return r ? r : bpf_map_get_fd_by_id(id);
}

static int inner_new(const struct table *t, int was, uint32_t row)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = t->inner.flags);
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), n = t->inner.n_entries;
	int fd, r;

	if (bpf_obj_get_info_by_fd(was, &info, &size))
		return -errno;
	if (t->inner.type != BPF_MAP_TYPE_ARRAY)
		n = info.max_entries;
	fd = bpf_map_create((enum bpf_map_type)t->inner.type, bpf_map__name(t->map),
			    t->inner.key_size, t->inner.value_size, n, &opts);
	if (fd < 0)
		return -errno;
	r = bpf_map_update_elem(bpf_map__fd(t->map), &row, &fd, BPF_ANY);
	if (!r)
		return fd;
	close(fd);
	return r;
}

static int carry_row(struct table *t, uint32_t row, bool first)
{
	_cleanup_close_ int was = inner_get(t->was, row), now = -1;

	if (was < 0)
		return was == -ENOENT ? 0 : was;
	now = first ? inner_new(t, was, row) : inner_get(bpf_map__fd(t->map), row);
	if (now < 0) /* its gateway is gone */
		return now == -ENOENT ? 0 : now;
	return t->conversion ? bpf_convert(t->conversion, was, now, &t->carried[row]) : 0;
}

static int carry_rows(struct table *t, bool first)
{
	int r = 0;

	for (uint32_t row = 0; !r && row < t->n_carried; row++)
		r = carry_row(t, row, first);
	return r;
}

/* ---- carrying over ---- */

static int carry(struct table *t, bool first)
{
	if (t->was < 0)
		return 0;
	if (!t->carried) {
		t->n_carried = t->inner.type ? bpf_map__max_entries(t->map) : 1;
		t->carried = calloc(t->n_carried, sizeof(*t->carried));
		if (!t->carried)
			return -ENOMEM;
	}
	if (t->inner.type)
		return carry_rows(t, first);
	return t->conversion
		       ? bpf_convert(t->conversion, t->was, bpf_map__fd(t->map), &t->carried[0])
		       : 0;
}

static int carry_all(struct bpf_host *h, bool first)
{
	int r = 0;

	for (size_t i = 0; !r && i < TABLES; i++)
		r = carry(&h->layouts->tables[i], first);
	return r;
}

/* What is lost is of the size that others count on, all the same: a port has a part of the
 * connections. */
static int check_size(const struct table *t)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (t->was < 0 || t->conversion)
		return 0;
	if (bpf_obj_get_info_by_fd(t->was, &info, &size))
		return -errno;
	return info.max_entries == bpf_map__max_entries(t->map) ? 0 : -EINVAL;
}

int bpf_layout_fill(struct bpf_host *h)
{
	int r = 0;

	for (size_t i = 0; !r && i < TABLES; i++)
		if (infos[i].kind == STATE)
			r = check_size(&h->layouts->tables[i]);
	return r ? r : carry_all(h, true);
}

/* ---- replacing ---- */

static int pin(const struct bpf_host *h, const struct table *t, const struct info *info)
{
	char path[PATH_MAX + 64];

	if (t->was < 0)
		return 0;
	path_of(h, info->name, info->layout, path);
	unlink(path); /* of a replacement that did not come to its end */
	return bpf_obj_pin(bpf_map__fd(t->map), path) ? -errno : 0;
}

int bpf_layout_begin(struct bpf_host *h)
{
	int r = carry_all(h, false);

	for (size_t i = 0; !r && i < TABLES; i++)
		r = pin(h, &h->layouts->tables[i], &infos[i]);
	return r;
}

static void forget(struct table *t)
{
	close_cleanup(&t->was);
	t->was = -1;
	for (size_t i = 0; i < t->n_carried; i++)
		bpf_carried_deinit(&t->carried[i]);
	free(t->carried);
	t->carried = NULL;
	t->n_carried = 0;
}

int bpf_layout_finish(struct bpf_host *h)
{
	int r = 0;

	if (h->layouts->adoption.n_changed) {
		/* programs run in RCU's read side: those that began before have ended */
		(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		r = carry_all(h, false);
	}
	for (size_t i = 0; i < TABLES; i++)
		for (size_t k = 0; k < h->layouts->tables[i].n_carried; k++)
			h->layouts->adoption.n_left_out +=
				h->layouts->tables[i].carried[k].n_left_out;
	if (r)
		return r;
	for (size_t i = 0; i < TABLES; i++)
		forget(&h->layouts->tables[i]);
	return each_pin(h, take_pin);
}

void bpf_layout_close(struct bpf_host *h)
{
	if (!h->layouts)
		return;
	for (size_t i = 0; i < TABLES; i++)
		forget(&h->layouts->tables[i]);
	free(h->layouts);
	h->layouts = NULL;
}

void bpf_layout_adoption(const struct datapath *dp, struct dp_adoption *ret)
{
	*ret = container_of(dp, const struct bpf_host, base)->layouts->adoption;
}
