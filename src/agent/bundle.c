/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bundle.h"

#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "driver/driver.h"

enum { BUNDLE_VERSION = 1 };

void bundle_deinit(struct bundle *b)
{
	free(b->host_id);
	free(b->host_name);
	free(b->ca);
	pki_pair_deinit(&b->pair);
	for (size_t i = 0; i < b->n_managers; i++)
		free(b->managers[i].name);
	free(b->managers);
	*b = (struct bundle){0};
}

static void bundle_json_free(json_t **json)
{
	json_decref(*json);
}

/* "[fd00::1]:8774" or "192.0.2.1:8774". */
static int bundle_read_manager(const char *text, struct bundle_manager *m)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	_cleanup_free_ char *host = NULL;
	struct addrinfo *found;
	const char *colon = strrchr(text, ':');
	uint16_t port;
	size_t length;

	if (!colon || colon == text || str_u16(colon + 1, 1, UINT16_MAX, &port))
		return -EINVAL;
	length = (size_t)(colon - text);
	if (text[0] == '[' && text[length - 1] == ']')
		host = strndup(text + 1, length - 2);
	else
		host = strndup(text, length);
	if (!host)
		return -ENOMEM;
	if (getaddrinfo(host, colon + 1, &hints, &found))
		return -EINVAL;
	memcpy(&m->addr, found->ai_addr, found->ai_addrlen);
	m->addr_size = found->ai_addrlen;
	freeaddrinfo(found);
	m->name = TAKE_PTR(host);
	return 0;
}

static int bundle_read_managers(const json_t *managers, struct bundle *b)
{
	size_t n = json_array_size(managers);

	if (!n || n > LIMIT_AGENT_MANAGERS)
		return -EINVAL;
	b->managers = calloc(n, sizeof(*b->managers));
	if (!b->managers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(managers, i));
		int e = text ? bundle_read_manager(text, &b->managers[i]) : -EINVAL;

		if (e)
			return e;
		b->n_managers++;
	}
	return 0;
}

static int bundle_copy(struct bundle *b, const char *id, const char *name, const char *ca,
		       const char *certificate, const char *key)
{
	b->host_id = strdup(id);
	b->host_name = strdup(name);
	b->ca = strdup(ca);
	b->pair.certificate = strdup(certificate);
	b->pair.key = strdup(key);
	return b->host_id && b->host_name && b->ca && b->pair.certificate && b->pair.key ? 0
											 : -ENOMEM;
}

static int bundle_decode(const char *text, size_t size, struct bundle *b, char *reterr_text)
{
	_cleanup_(bundle_json_free) json_t *root = NULL;
	const char *id, *name, *ca, *certificate, *key;
	json_t *managers;
	json_int_t cluster_id;
	json_error_t error;
	int version, number, e;

	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "no JSON: line %d: %s", error.line,
			 error.text);
		return -EINVAL;
	}
	if (json_unpack_ex(root, &error, 0, "{s:i,s:{s:s,s:s,s:i},s:s,s:s,s:s,s:o,s:I}", "version",
			   &version, "host", "id", &id, "name", &name, "number", &number, "ca", &ca,
			   "certificate", &certificate, "key", &key, "managers", &managers,
			   "cluster_id", &cluster_id)) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "no join bundle: %s", error.text);
		return -EINVAL;
	}
	if (version != BUNDLE_VERSION) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE,
			 "version %d of the join bundle is not known: "
			 "use an agent as new as the manager",
			 version);
		return -EINVAL;
	}
	if (!driver_id_is_valid(id) || number < 1) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "the host's id or number makes no sense");
		return -EINVAL;
	}
	b->number = (uint32_t)number;
	b->cluster_id = (uint64_t)cluster_id;
	e = bundle_copy(b, id, name, ca, certificate, key);
	if (!e)
		e = bundle_read_managers(managers, b);
	if (e)
		snprintf(reterr_text, BUNDLE_ERROR_SIZE,
			 "managers must be a list of addresses like [fd00::1]:8774");
	return e;
}

static int bundle_check(const struct bundle *b, uint64_t now_ms, char *reterr_text)
{
	char until[CLOCK_DATE_SIZE], now[CLOCK_DATE_SIZE];
	struct pki_info info;
	int e = pki_check(b->ca, &b->pair);

	if (e) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE,
			 "certificate, key and CA do not belong together");
		return e;
	}
	e = pki_info(b->pair.certificate, &info);
	if (!e && !str_equal(info.name, b->host_id)) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "the certificate is another host's: %s",
			 info.name);
		e = -EINVAL;
	}
	if (!e && info.not_after_ms <= now_ms) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE,
			 "the certificate expired on %s, and this machine's clock says %s: set the "
			 "clock, or add the host anew on the manager",
			 clock_date_text(info.not_after_ms, until), clock_date_text(now_ms, now));
		e = -EINVAL;
	}
	return e;
}

int bundle_read(const char *path, uint64_t now_ms, struct bundle *ret,
		char reterr_text[static BUNDLE_ERROR_SIZE])
{
	_cleanup_bundle_ struct bundle b = {0};
	_cleanup_free_ char *text = NULL;
	size_t size;
	int e;

	e = file_read(path, LIMIT_AGENT_BUNDLE_SIZE, &text, &size);
	if (e) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "%s: %s", path, strerror(-e));
		return e;
	}
	e = bundle_decode(text, size, &b, reterr_text);
	explicit_bzero(text, size);
	if (!e)
		e = bundle_check(&b, now_ms, reterr_text);
	if (e)
		return e;
	*ret = b;
	b = (struct bundle){0};
	return 0;
}

/* Whether the bundle would be good with 'pair' instead, and for longer. */
static int bundle_check_renewal(const struct bundle *b, const struct pki_pair *pair,
				uint64_t now_ms, char *reterr_text)
{
	struct bundle renewed = *b; /* borrows */
	struct pki_info before, after;
	int e;

	renewed.pair = *pair;
	e = bundle_check(&renewed, now_ms, reterr_text);
	if (!e)
		e = pki_info(b->pair.certificate, &before);
	if (!e)
		e = pki_info(pair->certificate, &after);
	if (!e && after.not_after_ms <= before.not_after_ms) {
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "it ends no later than the present one");
		e = -EINVAL;
	}
	return e;
}

static int bundle_write_pair(const char *path, const struct pki_pair *pair)
{
	_cleanup_(bundle_json_free) json_t *root = NULL;
	char *text;
	size_t size;
	int e;

	e = file_read(path, LIMIT_AGENT_BUNDLE_SIZE, &text, &size);
	if (e)
		return e;
	root = json_loadb(text, size, 0, NULL);
	explicit_bzero(text, size);
	free(text);
	if (json_object_set_new(root, "certificate", json_string(pair->certificate)) ||
	    json_object_set_new(root, "key", json_string(pair->key)))
		return -EINVAL;
	text = json_dumps(root, JSON_INDENT(1));
	if (!text)
		return -ENOMEM;
	e = file_write_atomic(path, text, strlen(text), 0600);
	explicit_bzero(text, strlen(text));
	free(text);
	return e;
}

int bundle_renew(const char *path, struct bundle *b, const struct pki_pair *pair, uint64_t now_ms,
		 char reterr_text[static BUNDLE_ERROR_SIZE])
{
	struct pki_pair copy = {strdup(pair->certificate), strdup(pair->key)};
	int e = copy.certificate && copy.key ? 0 : -ENOMEM;

	if (e)
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "out of memory");
	else
		e = bundle_check_renewal(b, pair, now_ms, reterr_text);
	if (!e) {
		e = bundle_write_pair(path, pair);
		if (e)
			snprintf(reterr_text, BUNDLE_ERROR_SIZE, "%s: %s", path, strerror(-e));
	}
	if (e) {
		pki_pair_deinit(&copy);
		return e;
	}
	pki_pair_deinit(&b->pair);
	b->pair = copy;
	return 0;
}

int bundle_path(const char *state, char **ret)
{
	return str_printf(ret, "%s/bundle.json", state);
}

/* Another host's state must not be mixed with ours; our own bundle may be renewed. */
static int bundle_check_place(const char *installed, const struct bundle *b, char *reterr_text)
{
	_cleanup_bundle_ struct bundle old = {0};
	char ignored[BUNDLE_ERROR_SIZE];
	int e = bundle_read(installed, 0, &old, ignored);

	if (e || (str_equal(old.host_id, b->host_id) && old.cluster_id == b->cluster_id))
		return 0;
	snprintf(reterr_text, BUNDLE_ERROR_SIZE,
		 "this machine is host %s already: run viaduct-agent leave first", old.host_id);
	return -EEXIST;
}

int bundle_install(const char *path, const char *state, uint64_t now_ms,
		   char reterr_text[static BUNDLE_ERROR_SIZE])
{
	_cleanup_bundle_ struct bundle b = {0};
	_cleanup_free_ char *text = NULL, *installed = NULL;
	size_t size;
	int e;

	e = bundle_read(path, now_ms, &b, reterr_text);
	if (e)
		return e;
	e = bundle_path(state, &installed);
	if (!e)
		e = bundle_check_place(installed, &b, reterr_text);
	if (e)
		return e;
	e = file_mkdirs(state, 0700);
	if (!e)
		e = file_read(path, LIMIT_AGENT_BUNDLE_SIZE, &text, &size);
	if (!e) {
		e = file_write_atomic(installed, text, size, 0600);
		explicit_bzero(text, size);
	}
	if (e)
		snprintf(reterr_text, BUNDLE_ERROR_SIZE, "%s: %s", installed, strerror(-e));
	return e;
}
