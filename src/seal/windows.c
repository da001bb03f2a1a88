/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/windows.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rand.h"
#include "seal/protocol.h"

enum {
	WINDOWS_MAX = SEAL_KEYS_MAX + WINDOWS_KEPT,
	WINDOWS_MORE = 32, /* the file grows by so many */
};

/* Grows with each change of what is below, or of struct replay. */
static const char windows_layout[8] = "replay/1";

struct windows_slot {
	uint8_t name[WINDOWS_NAME_SIZE]; /* zero: of no key */
	uint64_t released;               /* when, as a count; WINDOWS_TAKEN */
	struct replay replay;
};

#define WINDOWS_TAKEN UINT64_MAX

struct windows_file {
	char layout[8];
	uint32_t n, pad;   /* slots that were ever used */
	uint64_t releases; /* so far */
	/* Zero in a file from before they were there. */
	uint64_t incarnation;
	uint8_t boot[BOOT_ID_SIZE];
	uint8_t more[16];
	struct windows_slot slots[];
};

static_assert(sizeof(struct windows_file) == 64, "");
static_assert(sizeof(struct windows_slot) % 8 == 0, "");

struct windows_place {
	struct hmap_node by_name;
	struct list in_released;
	uint32_t n_taken;
};

static const size_t windows_size =
	sizeof(struct windows_file) + WINDOWS_MAX * sizeof(struct windows_slot);

static uint64_t windows_hash(const uint8_t *name)
{
	uint64_t hash;

	memcpy(&hash, name, sizeof(hash));
	return hash;
}

static struct windows_slot *windows_slot(const struct windows *w, const struct windows_place *p)
{
	return &w->file->slots[p - w->places];
}

static struct windows_place *windows_find(const struct windows *w, const uint8_t *name)
{
	struct windows_place *p;

	hmap_for_each_at (p, &w->by_name, windows_hash(name), by_name)
		if (!memcmp(windows_slot(w, p)->name, name, WINDOWS_NAME_SIZE))
			return p;
	return NULL;
}

static void windows_put_released(struct windows *w, struct windows_place *p)
{
	list_push_back(&w->released, &p->in_released);
	w->n_released++;
}

static void windows_remove_released(struct windows *w, struct windows_place *p)
{
	if (list_empty(&p->in_released))
		return;
	list_remove(&p->in_released);
	w->n_released--;
}

/* ---- the file ---- */

/* A page that is not there when it is written to would end the process. */
static int windows_make_room(struct windows *w, size_t n)
{
	size_t size = sizeof(struct windows_file) + n * sizeof(struct windows_slot);
	int e = posix_fallocate(w->fd, 0, (off_t)size);

	if (!e)
		w->n_room = n;
	return -e;
}

static int windows_grow(struct windows *w)
{
	size_t n = w->file->n + WINDOWS_MORE;

	return windows_make_room(w, n < WINDOWS_MAX ? n : WINDOWS_MAX);
}

static bool windows_is_whole(const struct windows *w, size_t size, const uint8_t *boot)
{
	const struct windows_file *f = w->file;

	return size >= sizeof(*f) && !memcmp(f->layout, windows_layout, sizeof(f->layout)) &&
	       (!f->incarnation || !memcmp(f->boot, boot, sizeof(f->boot))) &&
	       f->n <= WINDOWS_MAX && size >= sizeof(*f) + f->n * sizeof(f->slots[0]);
}

static void windows_incarnate(struct windows *w, const uint8_t *boot)
{
	memcpy(w->file->boot, boot, sizeof(w->file->boot));
	while (!w->file->incarnation)
		w->file->incarnation = rand_u64();
}

static int windows_compare_slot(const void *a, const void *b)
{
	const struct windows_slot *x = *(const struct windows_slot *const *)a;
	const struct windows_slot *y = *(const struct windows_slot *const *)b;

	return (x->released > y->released) - (x->released < y->released);
}

/* What a former life has left: nobody has any of it yet. */
static int windows_read(struct windows *w)
{
	const uint32_t n = w->file->n;
	_cleanup_free_ struct windows_slot **slots = calloc(n + 1, sizeof(struct windows_slot *));

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		slots[i] = &w->file->slots[i];
	qsort(slots, n, sizeof(*slots), windows_compare_slot);
	for (uint32_t i = 0; i < n; i++) {
		struct windows_place *p = &w->places[slots[i] - w->file->slots];

		hmap_insert(&w->by_name, &p->by_name, windows_hash(slots[i]->name));
		windows_put_released(w, p);
	}
	return 0;
}

static int windows_load(struct windows *w, const uint8_t *boot)
{
	struct stat st;
	void *file;
	int e;

	if (fstat(w->fd, &st))
		return -errno;
	file = mmap(NULL, windows_size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (file == MAP_FAILED)
		return -errno;
	w->file = file;
	if (windows_is_whole(w, (size_t)st.st_size, boot)) {
		e = windows_make_room(w, w->file->n);
		if (!e)
			windows_incarnate(w, boot);
		return e ? e : windows_read(w);
	}
	if (ftruncate(w->fd, 0))
		return -errno;
	e = windows_make_room(w, 0);
	if (e)
		return e;
	windows_incarnate(w, boot);
	/* last: without it all of this counts as not there */
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(w->file->layout, windows_layout, sizeof(windows_layout));
	return 0;
}

/* Two that find it missing must not both make it. */
static int windows_load_alone(struct windows *w, const uint8_t *boot)
{
	int e;

	while (flock(w->fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	e = windows_load(w, boot);
	(void)flock(w->fd, LOCK_UN);
	return e;
}

int windows_open(struct windows *w, const char *path, const uint8_t boot[static BOOT_ID_SIZE])
{
	int e;

	*w = (struct windows){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
	list_init(&w->released);
	if (w->fd < 0)
		return -errno;
	w->places = calloc(WINDOWS_MAX, sizeof(*w->places));
	e = w->places ? windows_load_alone(w, boot) : -ENOMEM;
	if (e)
		windows_close(w);
	return e;
}

void windows_close(struct windows *w)
{
	hmap_deinit(&w->by_name);
	if (w->file)
		munmap(w->file, windows_size);
	free(w->places);
	close_cleanup(&w->fd);
	*w = (struct windows){.fd = -1};
}

uint64_t windows_incarnation(const struct windows *w)
{
	return w->file->incarnation;
}

/* ---- windows ---- */

bool windows_know(const struct windows *w, const uint8_t name[static WINDOWS_NAME_SIZE])
{
	return windows_find(w, name);
}

/* A place without a name that nobody has. */
static int windows_vacate(struct windows *w, struct windows_place **ret)
{
	struct windows_file *f = w->file;
	struct windows_place *p;
	int e;

	if (w->n_released <= WINDOWS_KEPT && f->n < WINDOWS_MAX) {
		e = f->n < w->n_room ? 0 : windows_grow(w);
		if (!e)
			*ret = &w->places[f->n++];
		return e;
	}
	p = list_first(&w->released, struct windows_place, in_released);
	if (!p)
		return -ENOSPC;
	windows_remove_released(w, p);
	hmap_remove(&w->by_name, &p->by_name);
	*ret = p;
	return 0;
}

int windows_take(struct windows *w, const uint8_t name[static WINDOWS_NAME_SIZE],
		 struct replay **ret)
{
	struct windows_place *p = windows_find(w, name);
	struct windows_slot *slot;
	int e = p ? 0 : windows_vacate(w, &p);

	if (e)
		return e;
	slot = windows_slot(w, p);
	if (memcmp(slot->name, name, sizeof(slot->name))) {
		slot->replay = (struct replay){};
		memcpy(slot->name, name, sizeof(slot->name));
		hmap_insert(&w->by_name, &p->by_name, windows_hash(name));
	}
	windows_remove_released(w, p);
	slot->released = WINDOWS_TAKEN;
	p->n_taken++;
	*ret = &slot->replay;
	return 0;
}

void windows_release(struct windows *w, struct replay *replay)
{
	struct windows_slot *slot = container_of(replay, struct windows_slot, replay);
	struct windows_place *p = &w->places[slot - w->file->slots];

	if (--p->n_taken)
		return;
	slot->released = ++w->file->releases;
	windows_put_released(w, p);
}
