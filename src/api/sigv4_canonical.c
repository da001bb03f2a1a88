/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sigv4_canonical.h"

#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

#include "api/form.h"
#include "api/sigv4.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/str.h"

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

static void put_encoded(struct buf *b, const char *s, size_t size, bool keep_slash)
{
	for (size_t i = 0; i < size; i++) {
		if (is_unreserved(s[i]) || (keep_slash && s[i] == '/'))
			buf_put_u8(b, (uint8_t)s[i]);
		else
			buf_put_printf(b, "%%%02X", (uint8_t)s[i]);
	}
}

/* RFC 3986 5.2.4 on a path, and double slashes made one; then encoded once more: what was encoded
 * on the wire is encoded twice in the canonical form (all services but S3). */
static int put_canonical_path(struct buf *b, const char *path)
{
	_cleanup_buf_ struct buf out;
	const char *p = path;
	int r;

	buf_init(&out, LIMIT_API_HEADER_SIZE);
	while (*p) {
		size_t length = strcspn(p, "/");

		if (length == 2 && p[0] == '.' && p[1] == '.') {
			size_t n = buf_size(&out);
			const uint8_t *d = buf_data(&out);

			while (n && d[n - 1] != '/')
				n--;
			out.end = out.start + (n ? n - 1 : 0);
		} else if (length && !(length == 1 && *p == '.')) {
			buf_put_u8(&out, '/');
			buf_put(&out, p, length);
		}
		p += length;
		while (*p == '/')
			p++;
	}
	if (!buf_size(&out) || (*path && path[strlen(path) - 1] == '/'))
		buf_put_u8(&out, '/');
	r = buf_error(&out);
	if (!r)
		put_encoded(b, (const char *)buf_data(&out), buf_size(&out), true);
	return r;
}

struct pair {
	const char *name;
	const char *value;
};

static int compare_pairs(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->value, b->value);
}

static char *encode_in_arena(struct arena *a, const char *s)
{
	size_t size = strlen(s), n = 0;
	char *text = arena_alloc(a, 3 * size + 1);

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		if (is_unreserved(s[i])) {
			text[n++] = s[i];
		} else {
			static const char digits[] = "0123456789ABCDEF";

			text[n++] = '%';
			text[n++] = digits[(uint8_t)s[i] >> 4];
			text[n++] = digits[(uint8_t)s[i] & 15];
		}
	}
	text[n] = '\0';
	return text;
}

static int put_canonical_query(struct buf *b, const char *query, struct arena *a)
{
	struct form form;
	struct pair *pairs;
	size_t n = 0;
	int r;

	if (!query || !*query)
		return 0;
	form_init(&form, a);
	form.plus_is_space = false;
	r = form_parse(&form, query, strlen(query));
	if (r)
		return r;
	pairs = arena_alloc_array(a, form.n + 1, sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < form.n; i++) {
		if (str_equal(form.params[i].name, "X-Amz-Signature"))
			continue;
		pairs[n].name = encode_in_arena(a, form.params[i].name);
		pairs[n].value = encode_in_arena(a, form.params[i].value);
		if (!pairs[n].name || !pairs[n].value)
			return -ENOMEM;
		n++;
	}
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_put_u8(b, '&');
		buf_put_str(b, pairs[i].name);
		buf_put_u8(b, '=');
		buf_put_str(b, pairs[i].value);
	}
	return 0;
}

/* A header's value without white space at its ends, runs of spaces made one. */
static void put_trimmed(struct buf *b, const char *value)
{
	bool space = false, begun = false;

	for (; *value; value++) {
		if (*value == ' ' || *value == '\t') {
			space = begun;
			continue;
		}
		if (space)
			buf_put_u8(b, ' ');
		space = false;
		begun = true;
		buf_put_u8(b, (uint8_t)*value);
	}
}

/* -EBADMSG: a header that is said to be signed was not sent. */
static int put_canonical_headers(struct buf *b, const struct http_request *r,
				 const char *signed_headers)
{
	for (const char *p = signed_headers; *p;) {
		size_t length = strcspn(p, ";");
		bool found = false;

		if (!length)
			return -EBADMSG;
		buf_put(b, p, length);
		buf_put_u8(b, ':');
		for (size_t i = 0; i < r->n_headers; i++) {
			const struct http_header *h = &r->headers[i];

			if (strlen(h->name) != length || strncasecmp(h->name, p, length))
				continue;
			if (found)
				buf_put_u8(b, ',');
			found = true;
			put_trimmed(b, h->value);
		}
		if (!found)
			return -EBADMSG;
		buf_put_u8(b, '\n');
		p += length;
		if (*p == ';')
			p++;
	}
	buf_put_u8(b, '\n');
	return 0;
}

void sigv4_put_sha256(struct buf *b, const void *data, size_t size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[SIGV4_HEX_SIZE];

	SHA256(data, size, digest);
	hex_encode(digest, sizeof(digest), text);
	buf_put_str(b, text);
}

int sigv4_put_canonical_request(struct buf *b, const struct http_request *r,
				const char *signed_headers, struct arena *a)
{
	int ret;

	buf_put_str(b, r->method);
	buf_put_u8(b, '\n');
	ret = put_canonical_path(b, r->path);
	buf_put_u8(b, '\n');
	if (!ret)
		ret = put_canonical_query(b, r->query, a);
	buf_put_u8(b, '\n');
	if (!ret)
		ret = put_canonical_headers(b, r, signed_headers);
	buf_put_str(b, signed_headers);
	buf_put_u8(b, '\n');
	sigv4_put_sha256(b, r->body_size ? r->body : "", r->body_size);
	return ret ? ret : buf_error(b);
}

char *sigv4_canonical_request(const struct http_request *r, const char *signed_headers,
			      struct arena *a)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, LIMIT_API_BODY_SIZE);
	if (sigv4_put_canonical_request(&b, r, signed_headers, a))
		return NULL;
	return arena_strndup(a, (const char *)buf_data(&b), buf_size(&b));
}
