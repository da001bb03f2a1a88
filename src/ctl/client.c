/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"

struct client {
	CURL *curl;
	struct curl_slist *headers;
	char *endpoint; /* without a slash at its end */
};

static int add_header(struct client *c, const char *text)
{
	struct curl_slist *grown = curl_slist_append(c->headers, text);

	if (!grown)
		return -ENOMEM;
	c->headers = grown;
	return 0;
}

int client_new(const char *endpoint, const char *token, struct client **ret)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_free_ char *authorization = NULL;
	int r;

	if (!str_has_prefix(endpoint, "http://") && !str_has_prefix(endpoint, "https://"))
		return -EINVAL;
	if (strpbrk(token, "\r\n"))
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->endpoint = strdup(endpoint);
	c->curl = curl_easy_init();
	if (!c->endpoint || !c->curl)
		return -ENOMEM;
	while (str_has_suffix(c->endpoint, "/"))
		c->endpoint[strlen(c->endpoint) - 1] = '\0';
	r = str_printf(&authorization, "Authorization: Bearer %s", token);
	if (!r)
		r = add_header(c, authorization);
	if (!r)
		r = add_header(c, "Content-Type: application/json");
	if (r)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;
	curl_slist_free_all(c->headers);
	if (c->curl)
		curl_easy_cleanup(c->curl);
	free(c->endpoint);
	free(c);
	return NULL;
}

static size_t receive(char *data, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_put(b, data, size * n);
	return buf_error(b) ? 0 : size * n;
}

__attribute__((format(printf, 3, 4))) static int fail(int error, struct client_error *e,
						      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	return error;
}

static int error_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return -ENOENT;
	case 409:
		return -EEXIST;
	default:
		return status >= 500 ? -EREMOTEIO : -EINVAL;
	}
}

/* A refusal: {"error":{"code","message"}}. */
static int refusal(struct client *c, long status, const json_t *answer, struct client_error *e)
{
	const char *code = NULL, *message = NULL;

	if (json_unpack((json_t *)answer, "{s:{s:s,s:s}}", "error", "code", &code, "message",
			&message))
		return fail(-EPROTO, e, "%s answered with HTTP status %ld and no explanation",
			    c->endpoint, status);
	return fail(error_of_status(status), e, "%s (%s)", message, code);
}

static int transport_error(struct client *c, CURLcode code, struct client_error *e)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return fail(
			-ECONNREFUSED, e,
			"no manager answers at %s: is viaductd running? (viaduct lab list shows "
			"labs; viaduct agent ... asks the agents of this machine)",
			c->endpoint);
	case CURLE_OPERATION_TIMEDOUT:
		return fail(-ETIMEDOUT, e, "the manager at %s did not answer in time", c->endpoint);
	case CURLE_WRITE_ERROR:
		return fail(-EMSGSIZE, e, "the answer of %s is too large", c->endpoint);
	case CURLE_OUT_OF_MEMORY:
		return fail(-ENOMEM, e, "out of memory");
	default:
		return fail(-EPROTO, e, "%s: %s", c->endpoint, curl_easy_strerror(code));
	}
}

static int perform(struct client *c, const char *method, const char *path, const char *body,
		   struct buf *answer, long *ret_status, struct client_error *e)
{
	_cleanup_free_ char *url = NULL;
	CURLcode code;
	int r;

	r = str_printf(&url, "%s%s", c->endpoint, path);
	if (r)
		return fail(r, e, "out of memory");
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)LIMIT_CTL_REQUEST_MS);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_PROXY,
			 ""); /* the manager is near: no proxy of the user's */
	if (body)
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
	code = curl_easy_perform(c->curl);
	if (code != CURLE_OK)
		return transport_error(c, code, e);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, ret_status);
	return 0;
}

int client_request(struct client *c, const char *method, const char *path, const json_t *body,
		   json_t **ret, struct client_error *reterr_error)
{
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf b;
	long status = 0;
	int r;

	buf_init(&b, LIMIT_CTL_ANSWER_SIZE);
	if (body) {
		text = json_dumps(body, JSON_COMPACT);
		if (!text)
			return fail(-ENOMEM, reterr_error, "out of memory");
	}
	r = perform(c, method, path, text, &b, &status, reterr_error);
	if (r)
		return r;
	if (buf_size(&b))
		answer = json_loadb((const char *)buf_data(&b), buf_size(&b), 0, NULL);
	if (status < 200 || status > 299)
		return refusal(c, status, answer, reterr_error);
	if (buf_size(&b) && !json_is_object(answer))
		return fail(-EPROTO, reterr_error, "the answer of %s%s is no JSON object",
			    c->endpoint, path);
	if (ret)
		*ret = answer ? TAKE_PTR(answer) : json_null();
	return 0;
}

/* Adds the next page to 'whole'; '*ret_next' is the page behind it, to be freed, or NULL. */
static int next_page(struct client *c, const char *path, const char *key, json_t *whole,
		     char **next, struct client_error *e)
{
	_cleanup_free_ char *token = client_escape(c, *next);
	_cleanup_free_ char *page_path = NULL;
	_cleanup_json_ json_t *page = NULL;
	const char *following;
	int r;

	free(TAKE_PTR(*next));
	if (!token)
		return fail(-ENOMEM, e, "out of memory");
	r = str_printf(&page_path, "%s%snext=%s", path, strchr(path, '?') ? "&" : "?", token);
	if (r)
		return fail(r, e, "out of memory");
	r = client_request(c, "GET", page_path, NULL, &page, e);
	if (r)
		return r;
	if (json_array_extend(json_object_get(whole, key), json_object_get(page, key)))
		return fail(-EPROTO, e, "a page of %s%s has no \"%s\"", c->endpoint, path, key);
	following = json_string_value(json_object_get(page, "next"));
	if (following) {
		*next = strdup(following);
		if (!*next)
			return fail(-ENOMEM, e, "out of memory");
	}
	return 0;
}

int client_list(struct client *c, const char *path, const char *key, json_t **ret,
		struct client_error *reterr_error)
{
	_cleanup_json_ json_t *whole = NULL;
	_cleanup_free_ char *next = NULL;
	const char *following;
	int r;

	r = client_request(c, "GET", path, NULL, &whole, reterr_error);
	if (r)
		return r;
	if (!json_is_array(json_object_get(whole, key)))
		return fail(-EPROTO, reterr_error, "the answer of %s%s has no list \"%s\"",
			    c->endpoint, path, key);
	following = json_string_value(json_object_get(whole, "next"));
	if (following) {
		next = strdup(following);
		if (!next)
			return fail(-ENOMEM, reterr_error, "out of memory");
	}
	while (!r && next)
		r = next_page(c, path, key, whole, &next, reterr_error);
	if (r)
		return r;
	json_object_del(whole, "next");
	*ret = TAKE_PTR(whole);
	return 0;
}

char *client_escape(struct client *c, const char *text)
{
	char *escaped = curl_easy_escape(c->curl, text, 0);
	char *copy = escaped ? strdup(escaped) : NULL;

	curl_free(escaped);
	return copy;
}
