/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "api/form.h"
#include "api/sigv4_canonical.h"
#include "base/buf.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/str.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

const char *http_header_find(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (!strcasecmp(r->headers[i].name, name))
			return r->headers[i].value;
	return NULL;
}

static enum sigv4_result refuse_as(struct sigv4_auth *a, enum sigv4_result result,
				   const char *reason)
{
	a->reason = reason ? reason : "The request is not signed as it should be";
	return result;
}

/* Splits "a/b/c" in place; returns the number of parts, of which 'parts' gets at most 'max'. */
static size_t split(char *s, char separator, char **parts, size_t max)
{
	size_t n = 0;

	while (s) {
		char *next = strchr(s, separator);

		if (next)
			*next++ = '\0';
		if (n < max)
			parts[n] = s;
		n++;
		s = next;
	}
	return n;
}

/* AKID/20230131/us-east-1/ec2/aws4_request */
static enum sigv4_result parse_credential(const char *text, struct arena *a, struct sigv4_auth *ret)
{
	char *copy = arena_strdup(a, text);
	char *parts[5];

	if (!copy)
		return SIGV4_FAULT;
	if (split(copy, '/', parts, 5) != 5 || strcmp(parts[4], "aws4_request") || !*parts[0])
		return refuse_as(ret, SIGV4_INCOMPLETE,
				 "Credential must be KEY/DATE/REGION/SERVICE/aws4_request");
	ret->access_key_id = parts[0];
	ret->date = parts[1];
	ret->region = parts[2];
	ret->service = parts[3];
	return SIGV4_OK;
}

static enum sigv4_result parse_signature(const char *text, struct sigv4_auth *ret)
{
	if (hex_decode(text, ret->signature, sizeof(ret->signature)))
		return refuse_as(ret, SIGV4_INCOMPLETE, "Signature must be 64 hexadecimal digits");
	return SIGV4_OK;
}

static bool list_has(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = list; p; p = strchr(p, ';')) {
		if (*p == ';')
			p++;
		if (!strncmp(p, name, length) && (p[length] == ';' || !p[length]))
			return true;
	}
	return false;
}

static enum sigv4_result parse_header(const struct http_request *r, const char *text,
				      struct arena *a, struct sigv4_auth *ret)
{
	const char *credential = NULL, *signature = NULL;
	enum sigv4_result result;
	char *copy = arena_strdup(a, text + strlen(ALGORITHM));
	char *save = NULL;

	if (!copy)
		return SIGV4_FAULT;
	for (char *p = strtok_r(copy, ", \t", &save); p; p = strtok_r(NULL, ", \t", &save)) {
		if (str_has_prefix(p, "Credential="))
			credential = p + strlen("Credential=");
		else if (str_has_prefix(p, "SignedHeaders="))
			ret->signed_headers = p + strlen("SignedHeaders=");
		else if (str_has_prefix(p, "Signature="))
			signature = p + strlen("Signature=");
		else
			return refuse_as(ret, SIGV4_INCOMPLETE,
					 "Authorization has a part that is not known");
	}
	if (!credential || !signature || !ret->signed_headers)
		return refuse_as(
			ret, SIGV4_INCOMPLETE,
			"Authorization needs 'Credential', 'SignedHeaders' and 'Signature'");
	ret->timestamp = http_header_find(r, "x-amz-date");
	if (!ret->timestamp || !list_has(ret->signed_headers, "x-amz-date"))
		return refuse_as(ret, SIGV4_INCOMPLETE, "'X-Amz-Date' must be sent and signed");
	result = parse_credential(credential, a, ret);
	return result ? result : parse_signature(signature, ret);
}

static enum sigv4_result parse_query(const struct http_request *r, struct arena *a,
				     struct sigv4_auth *ret)
{
	const char *algorithm, *credential, *signature, *expires;
	enum sigv4_result result;
	struct form form;

	if (!r->query || !strstr(r->query, "X-Amz-"))
		return refuse_as(ret, SIGV4_MISSING, "Request is missing Authentication Token");
	form_init(&form, a);
	if (form_parse(&form, r->query, strlen(r->query)) || form_sort(&form))
		return refuse_as(ret, SIGV4_INCOMPLETE, "The query cannot be read");
	algorithm = form_find(&form, "X-Amz-Algorithm");
	credential = form_find(&form, "X-Amz-Credential");
	signature = form_find(&form, "X-Amz-Signature");
	expires = form_find(&form, "X-Amz-Expires");
	ret->signed_headers = form_find(&form, "X-Amz-SignedHeaders");
	ret->timestamp = form_find(&form, "X-Amz-Date");
	if (!signature && !credential)
		return refuse_as(ret, SIGV4_MISSING, "Request is missing Authentication Token");
	if (!algorithm || strcmp(algorithm, ALGORITHM) || !credential || !signature || !expires ||
	    !ret->signed_headers || !ret->timestamp)
		return refuse_as(ret, SIGV4_INCOMPLETE,
				 "A presigned request needs X-Amz-Algorithm (" ALGORITHM
				 "), -Credential, -Date, -Expires, -SignedHeaders and -Signature");
	if (str_u64(expires, 1, LIMIT_SIGV4_EXPIRES_S, &ret->expires_s))
		return refuse_as(ret, SIGV4_INCOMPLETE,
				 "X-Amz-Expires must be between 1 and 604800 seconds");
	result = parse_credential(credential, a, ret);
	return result ? result : parse_signature(signature, ret);
}

enum sigv4_result sigv4_parse(const struct http_request *r, struct arena *a, struct sigv4_auth *ret)
{
	const char *authorization = http_header_find(r, "authorization");
	enum sigv4_result result;

	*ret = (struct sigv4_auth){};
	if (!authorization)
		result = parse_query(r, a, ret);
	else if (str_has_prefix(authorization, ALGORITHM " "))
		result = parse_header(r, authorization, a, ret);
	else
		result = refuse_as(ret, SIGV4_INCOMPLETE,
				   "Authorization must be of the form " ALGORITHM " ...");
	if (!result && !list_has(ret->signed_headers, "host"))
		result = refuse_as(ret, SIGV4_INCOMPLETE, "'Host' must be signed");
	return result;
}

static bool hmac(const void *key, size_t key_size, const void *data, size_t size,
		 uint8_t ret[static SIGV4_DIGEST_SIZE])
{
	unsigned int n = SIGV4_DIGEST_SIZE;

	return HMAC(EVP_sha256(), key, (int)key_size, data, size, ret, &n);
}

static bool derive_key(const char *secret, const struct sigv4_auth *auth,
		       uint8_t ret[static SIGV4_DIGEST_SIZE])
{
	_cleanup_buf_ struct buf first;
	bool ok;

	buf_init(&first, LIMIT_API_HEADER_SIZE);
	buf_put_str(&first, "AWS4");
	buf_put_str(&first, secret);
	ok = !buf_error(&first) &&
	     hmac(buf_data(&first), buf_size(&first), auth->date, strlen(auth->date), ret);
	ok = ok && hmac(ret, SIGV4_DIGEST_SIZE, auth->region, strlen(auth->region), ret);
	ok = ok && hmac(ret, SIGV4_DIGEST_SIZE, auth->service, strlen(auth->service), ret);
	ok = ok && hmac(ret, SIGV4_DIGEST_SIZE, "aws4_request", strlen("aws4_request"), ret);
	if (first.bytes)
		OPENSSL_cleanse(first.bytes, first.allocated);
	return ok;
}

/* The key for signing, from the cache or derived. */
static bool signing_key(const char *secret, const struct sigv4_auth *auth,
			struct sigv4_cache *cache, uint8_t ret[static SIGV4_DIGEST_SIZE])
{
	_cleanup_buf_ struct buf name;
	uint8_t digest[SIGV4_DIGEST_SIZE];
	struct sigv4_cached *entry;

	buf_init(&name, LIMIT_API_HEADER_SIZE);
	buf_put_printf(&name, "%s\n%s\n%s\n%s", secret, auth->date, auth->region, auth->service);
	if (buf_error(&name))
		return false;
	SHA256(buf_data(&name), buf_size(&name), digest);
	OPENSSL_cleanse(name.bytes, name.allocated);
	entry = &cache->entries[digest[0] % SIGV4_CACHE_SIZE];
	if (CRYPTO_memcmp(entry->name, digest, sizeof(digest))) {
		if (!derive_key(secret, auth, entry->key)) {
			memset(entry, 0, sizeof(*entry));
			return false;
		}
		memcpy(entry->name, digest, sizeof(digest));
	}
	memcpy(ret, entry->key, SIGV4_DIGEST_SIZE);
	return true;
}

static int compute_signature(const struct http_request *r, const struct sigv4_auth *auth,
			     const char *secret, struct sigv4_cache *cache, struct arena *a,
			     uint8_t ret[static SIGV4_DIGEST_SIZE])
{
	_cleanup_buf_ struct buf canonical, to_sign;
	uint8_t key[SIGV4_DIGEST_SIZE];
	int ret_code;

	buf_init(&to_sign, LIMIT_API_HEADER_SIZE);
	buf_init(&canonical, LIMIT_API_BODY_SIZE);
	ret_code = sigv4_put_canonical_request(&canonical, r, auth->signed_headers, a);
	if (ret_code)
		return ret_code;
	buf_put_printf(&to_sign, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n", auth->timestamp,
		       auth->date, auth->region, auth->service);
	sigv4_put_sha256(&to_sign, buf_data(&canonical), buf_size(&canonical));
	ret_code = buf_error(&to_sign);
	if (ret_code)
		return ret_code;
	if (!signing_key(secret, auth, cache, key) ||
	    !hmac(key, sizeof(key), buf_data(&to_sign), buf_size(&to_sign), ret))
		return -ENOMEM;
	return 0;
}

/* "20230131T120000Z" as unix seconds; false when it is not of that form. */
static bool parse_timestamp(const char *text, uint64_t *ret)
{
	struct tm tm = {};
	const char *end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
	time_t t;

	if (strlen(text) != 16 || !end || *end)
		return false;
	t = timegm(&tm);
	if (t < 0)
		return false;
	*ret = (uint64_t)t;
	return true;
}

/* Whose clock is wrong, nobody here can know: both are told. */
static enum sigv4_result refuse_time(struct sigv4_auth *auth, const char *text, time_t now_s,
				     struct arena *a)
{
	char now[20];
	struct tm tm;

	if (!gmtime_r(&now_s, &tm) || !strftime(now, sizeof(now), "%Y%m%dT%H%M%SZ", &tm))
		return refuse_as(auth, SIGV4_EXPIRED, text);
	return refuse_as(
		auth, SIGV4_EXPIRED,
		arena_printf(a,
			     "%s It is of %s, and the manager's clock says %s: see which of "
			     "the two clocks is wrong.",
			     text, auth->timestamp, now));
}

static enum sigv4_result check_time(struct sigv4_auth *auth, uint64_t now_ms, struct arena *a)
{
	uint64_t signed_s, now_s = now_ms / 1000;
	uint64_t valid_s = auth->expires_s ? auth->expires_s : LIMIT_SIGV4_SKEW_S;

	if (!parse_timestamp(auth->timestamp, &signed_s))
		return refuse_as(auth, SIGV4_INCOMPLETE,
				 "X-Amz-Date must be of the form YYYYMMDD'T'HHMMSS'Z'");
	if (strncmp(auth->date, auth->timestamp, 8) || strlen(auth->date) != 8)
		return refuse_as(auth, SIGV4_SCOPE,
				 "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
				 "version of date from HTTP");
	if (signed_s > now_s + LIMIT_SIGV4_SKEW_S)
		return refuse_time(auth, "Signature not yet current.", (time_t)now_s, a);
	if (now_s > signed_s + valid_s)
		return refuse_time(auth, "Request has expired.", (time_t)now_s, a);
	return SIGV4_OK;
}

enum sigv4_result sigv4_verify(const struct http_request *r, struct sigv4_auth *auth,
			       const char *secret, const char *region, uint64_t now_ms,
			       struct sigv4_cache *cache, struct arena *a)
{
	uint8_t expected[SIGV4_DIGEST_SIZE];
	enum sigv4_result result;
	int ret;

	result = check_time(auth, now_ms, a);
	if (result)
		return result;
	if (strcmp(auth->region, region))
		return refuse_as(
			auth, SIGV4_SCOPE,
			arena_printf(a,
				     "Credential should be scoped to the region '%s', not to "
				     "'%.64s': see the client's configuration.",
				     region, auth->region));
	ret = compute_signature(r, auth, secret, cache, a, expected);
	if (ret == -EBADMSG)
		return refuse_as(auth, SIGV4_INCOMPLETE,
				 "SignedHeaders names a header that was not sent");
	if (ret)
		return refuse_as(auth, SIGV4_FAULT, "The signature could not be computed");
	if (CRYPTO_memcmp(expected, auth->signature, sizeof(expected)))
		return refuse_as(
			auth, SIGV4_MISMATCH,
			"The request signature we calculated does not match the signature you "
			"provided. Check your AWS Secret Access Key and signing method. Consult "
			"the service documentation for details.");
	return SIGV4_OK;
}

void sigv4_timestamp(uint64_t now_ms, char ret[static SIGV4_TIMESTAMP_SIZE])
{
	time_t t = (time_t)(now_ms / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(ret, SIGV4_TIMESTAMP_SIZE, "%Y%m%dT%H%M%SZ", &tm);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "host;x-amz-date" of all headers of the request. */
static const char *list_headers(const struct http_request *r, struct arena *a)
{
	char **names = arena_alloc_array(a, r->n_headers, sizeof(*names));
	_cleanup_buf_ struct buf b;

	buf_init(&b, LIMIT_API_HEADER_SIZE);
	if (!names)
		return NULL;
	for (size_t i = 0; i < r->n_headers; i++) {
		names[i] = arena_strdup(a, r->headers[i].name);
		if (!names[i])
			return NULL;
		for (char *p = names[i]; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p + 'a' - 'A');
	}
	qsort(names, r->n_headers, sizeof(*names), compare_names);
	for (size_t i = 0; i < r->n_headers; i++) {
		if (i)
			buf_put_u8(&b, ';');
		buf_put_str(&b, names[i]);
	}
	if (buf_error(&b))
		return NULL;
	return arena_strndup(a, (const char *)buf_data(&b), buf_size(&b));
}

const char *sigv4_sign(const struct http_request *r, const struct sigv4_sign_args *args,
		       struct sigv4_cache *cache, struct arena *a)
{
	struct sigv4_auth auth = {
		.access_key_id = args->access_key_id,
		.region = args->region,
		.service = args->service,
	};
	uint8_t signature[SIGV4_DIGEST_SIZE];
	char text[SIGV4_HEX_SIZE];

	auth.timestamp = http_header_find(r, "x-amz-date");
	auth.signed_headers = list_headers(r, a);
	if (!auth.timestamp || !auth.signed_headers)
		return NULL;
	auth.date = arena_strndup(a, auth.timestamp, 8);
	if (!auth.date || compute_signature(r, &auth, args->secret, cache, a, signature))
		return NULL;
	hex_encode(signature, sizeof(signature), text);
	return arena_printf(a,
			    ALGORITHM " Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, "
				      "Signature=%s",
			    args->access_key_id, auth.date, args->region, args->service,
			    auth.signed_headers, text);
}
