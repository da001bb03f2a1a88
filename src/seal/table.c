/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/table.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

#include "base/boot.h"

/* ---- the past ---- */

/* Before the reserve is there again. */
static int past_match(const char *reserve, const char *windows)
{
	if (!access(reserve, F_OK))
		return 0;
	if (errno == ENOENT && (!unlink(windows) || errno == ENOENT))
		return 0;
	return -errno;
}

static int past_open_windows(struct past *p, const char *windows)
{
	uint8_t boot[BOOT_ID_SIZE];
	int e = boot_id(boot);

	return e ? e : windows_open(&p->windows, windows, boot);
}

int past_open(struct past *p, const char *reserve, const char *windows, uint64_t now_ns)
{
	int e = past_match(reserve, windows);

	if (!e)
		e = reserve_open(&p->reserve, reserve, now_ns);
	if (e)
		return e;
	e = past_open_windows(p, windows);
	if (e)
		reserve_close(&p->reserve);
	return e;
}

void past_close(struct past *p)
{
	windows_close(&p->windows);
	reserve_close(&p->reserve);
}

int past_incarnation(const char *reserve, const char *windows, uint64_t now_ns, uint64_t *ret)
{
	struct past p = {};
	int e = past_open(&p, reserve, windows, now_ns);

	if (e == -EWOULDBLOCK)
		e = past_open_windows(&p, windows);
	if (e)
		return e;
	*ret = windows_incarnation(&p.windows);
	past_close(&p);
	return 0;
}

/* ---- keys and classes ---- */

static int table_compare_class(const void *a, const void *b)
{
	const struct table_class *x = a, *y = b;

	return (x->record.number > y->record.number) - (x->record.number < y->record.number);
}

/* What tells keys apart. */
struct table_name {
	bool seals;
	uint32_t peer, spi;
};

static int table_compare_name(const struct table_name *n, const struct table_key *k)
{
	if (n->seals != k->record.seals)
		return n->seals - k->record.seals;
	/* an SPI names its sender, which of all keys that seal is this host */
	if (n->seals && n->peer != k->record.peer)
		return n->peer < k->record.peer ? -1 : 1;
	return (n->spi > k->record.spi) - (n->spi < k->record.spi);
}

static int table_compare_key(const void *a, const void *b)
{
	const struct table_key *x = *(const struct table_key *const *)a;
	const struct table_name name = {x->record.seals, x->record.peer, x->record.spi};

	return table_compare_name(&name, *(const struct table_key *const *)b);
}

static int table_compare_to_name(const void *name, const void *key)
{
	return table_compare_name(name, *(const struct table_key *const *)key);
}

/* 'peer' is of a key that seals: to whom. */
static struct table_key *table_find_key(const struct table *t, bool seals, uint32_t peer,
					uint32_t spi)
{
	const struct table_name name = {seals, peer, spi};
	struct table_key **found = t->n_keys ? bsearch(&name, t->keys, t->n_keys, sizeof(*t->keys),
						       table_compare_to_name)
					     : NULL;

	return found ? *found : NULL;
}

const struct table_class *table_class_find(const struct table *t, uint32_t number)
{
	struct table_class wanted = {.record = {.number = number}};

	return t->n_classes ? bsearch(&wanted, t->classes, t->n_classes, sizeof(*t->classes),
				      table_compare_class)
			    : NULL;
}

struct table_key *table_opener_find(const struct table *t, uint32_t spi)
{
	return table_find_key(t, false, 0, spi & ~(uint32_t)SEAL_SPI_PARTIAL);
}

static struct table_key *table_key_free(struct table_key *k, struct past *past)
{
	if (!k)
		return NULL;
	if (k->next)
		reserve_used(&past->reserve, k->next);
	if (k->replay)
		windows_release(&past->windows, k->replay);
	cipher_deinit(&k->cipher);
	free(k);
	return NULL;
}

static bool table_record_is_valid(const struct seal_key_record *r)
{
	return r->cipher > SEAL_CLEAR && r->cipher < SEAL_CIPHERS && r->seals <= 1 &&
	       r->goes_on <= 1 && !(r->spi & SEAL_SPI_PARTIAL) && r->peer && r->peer < DP_PEERS_MAX;
}

static int table_key_new(const struct seal_key_record *r, const uint8_t *name, struct past *past,
			 uint64_t now_ns, struct table_key **ret)
{
	struct table_key *k = calloc(1, sizeof(*k));
	int e;

	if (!k)
		return -ENOMEM;
	k->record = *r;
	OPENSSL_cleanse(k->record.key, sizeof(k->record.key));
	memcpy(k->name, name, sizeof(k->name));
	e = cipher_init(&k->cipher, (enum seal_cipher)r->cipher, r->key, r->seals);
	if (!e)
		e = r->seals ? reserve_start(&past->reserve, now_ns, &k->next)
			     : windows_take(&past->windows, name, &k->replay);
	if (e) {
		table_key_free(k, past);
		return e;
	}
	*ret = k;
	return 0;
}

static void table_name_key(const struct seal_key_record *r, uint8_t ret[static WINDOWS_NAME_SIZE])
{
	struct seal_key_record plain = {
		.spi = r->spi, .peer = r->peer, .cipher = r->cipher, .seals = r->seals};

	static_assert(WINDOWS_NAME_SIZE == SHA256_DIGEST_LENGTH, "");
	memcpy(plain.key, r->key, cipher_key_size((enum seal_cipher)r->cipher));
	SHA256((const uint8_t *)&plain, sizeof(plain), ret);
	OPENSSL_cleanse(&plain, sizeof(plain));
}

/* It is for this incarnation; or for none, and goes on. */
static bool table_is_ours(const struct seal_key_record *r, const uint8_t *name,
			  const struct past *past)
{
	if (r->incarnation)
		return r->incarnation == windows_incarnation(&past->windows);
	return r->seals || !r->goes_on || windows_know(&past->windows, name);
}

/* The key of a record: 'old' one's when it is the same; NULL: it is left out. */
static int table_take_key(const struct seal_key_record *r, const struct table *old,
			  struct past *past, uint64_t now_ns, struct table_key **ret)
{
	struct table_key *k = old ? table_find_key(old, r->seals, r->peer, r->spi) : NULL;
	uint8_t name[WINDOWS_NAME_SIZE];

	table_name_key(r, name);
	if (!table_is_ours(r, name, past)) {
		*ret = NULL;
		return 0;
	}
	if (k && !memcmp(k->name, name, sizeof(name))) {
		*ret = k;
		return 0;
	}
	return table_key_new(r, name, past, now_ns, ret);
}

static bool table_has_key(const struct table *t, const struct table_key *key)
{
	return table_find_key(t, key->record.seals, key->record.peer, key->record.spi) == key;
}

/* Frees a table and those keys that 'other', which may be NULL, has not. */
static void table_drop(struct table *t, const struct table *other, struct past *past)
{
	for (uint32_t i = 0; t->keys && i < t->n_keys; i++)
		if (t->keys[i] && (!other || !table_has_key(other, t->keys[i])))
			table_key_free(t->keys[i], past);
	free(t->keys);
	free(t->classes);
	free(t);
}

struct table *table_free(struct table *t, struct past *past)
{
	if (t)
		table_drop(t, NULL, past);
	return NULL;
}

static int table_read_keys(struct table *t, const struct seal_key_record *records, uint32_t n,
			   const struct table *old, struct past *past, uint64_t now_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		struct table_key *k = NULL;
		int e = table_record_is_valid(&records[i])
				? table_take_key(&records[i], old, past, now_ns, &k)
				: -EINVAL;

		if (e)
			return e;
		if (k)
			t->keys[t->n_keys++] = k;
	}
	qsort(t->keys, t->n_keys, sizeof(*t->keys), table_compare_key);
	for (uint32_t i = 1; i < t->n_keys; i++)
		if (!table_compare_key(&t->keys[i - 1], &t->keys[i]))
			return -EINVAL;
	return 0;
}

static int table_read_classes(struct table *t, const struct seal_class *records, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct table_class *c = &t->classes[i];

		c->record = records[i];
		if (!c->record.peer || c->record.peer >= DP_PEERS_MAX || !c->record.cipher ||
		    c->record.cipher >= SEAL_CIPHERS)
			return -EINVAL;
		c->key = table_find_key(t, true, c->record.peer, c->record.spi);
		if (c->key && (c->key->record.cipher != c->record.cipher ||
			       c->key->record.peer != c->record.peer))
			c->key = NULL;
	}
	t->n_classes = n;
	qsort(t->classes, n, sizeof(*t->classes), table_compare_class);
	return 0;
}

int table_new(const void *image, size_t size, struct table *old, struct past *past, uint64_t now_ns,
	      struct table **ret)
{
	const struct seal_image *head = image;
	const struct seal_class *classes = (const void *)(head + 1);
	struct table *t;
	int e;

	if (size < sizeof(*head) || head->n_classes > SEAL_CLASSES_MAX ||
	    head->n_keys > SEAL_KEYS_MAX ||
	    size != sizeof(*head) + head->n_classes * sizeof(struct seal_class) +
			    head->n_keys * sizeof(struct seal_key_record))
		return -EINVAL;
	for (uint32_t i = 0; old && i < old->n_keys; i++)
		if (old->keys[i]->record.seals)
			reserve_used(&past->reserve, old->keys[i]->next);
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->keys = calloc(head->n_keys + 1, sizeof(struct table_key *));
	t->classes = calloc(head->n_classes + 1, sizeof(*t->classes));
	e = t->keys && t->classes ? 0 : -ENOMEM;
	if (!e)
		e = table_read_keys(t, (const void *)(classes + head->n_classes), head->n_keys, old,
				    past, now_ns);
	if (!e)
		e = table_read_classes(t, classes, head->n_classes);
	if (e) {
		table_drop(t, old, past);
		return e;
	}
	if (old)
		table_drop(old, t, past);
	*ret = t;
	return 0;
}
