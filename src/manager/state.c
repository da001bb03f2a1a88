/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/str.h"
#include "manager/persist.h"
#include "model/account.h"
#include "model/cidr6.h"
#include "model/host.h"
#include "model/model.h"
#include "model/tx.h"
#include "net/addr.h"
#include "store/store.h"
#include "store/store_memory.h"
#include "store/store_sqlite.h"

static const uint32_t ca_days = 7300;
static const uint32_t server_days = 1825;
static const uint64_t renew_ms = UINT64_C(30) * 86400 * 1000;

CLEANUP_DEFINE(json_t *, json_decref);

static int fail(struct state_error *reterr, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct state_error *reterr, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reterr->text, sizeof(reterr->text), format, args);
	va_end(args);
	return r;
}

static int file_path(const char *dir, const char *name, char **ret)
{
	return str_printf(ret, "%s/%s", dir, name);
}

static int write_file(const char *dir, const char *name, const char *text,
		      struct state_error *reterr)
{
	_cleanup_free_ char *path = NULL;
	int r = file_path(dir, name, &path);

	if (!r)
		r = file_write_atomic(path, text, strlen(text), 0600);
	return r ? fail(reterr, r, "%s/%s could not be written: %s", dir, name, strerror(-r)) : 0;
}

static int read_file(const char *dir, const char *name, char **ret, struct state_error *reterr)
{
	_cleanup_free_ char *path = NULL;
	int r = file_path(dir, name, &path);

	if (!r)
		r = file_read(path, LIMIT_STATE_FILE_SIZE, ret, NULL);
	return r ? fail(reterr, r, "%s/%s could not be read: %s", dir, name, strerror(-r)) : 0;
}

static bool has_file(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;

	return !file_path(dir, name, &path) && !lstat(path, &st);
}

static int write_pair(const char *dir, const char *name, const struct pki_pair *pair,
		      struct state_error *reterr)
{
	char file[32];
	int r;

	snprintf(file, sizeof(file), "%s.crt", name);
	r = write_file(dir, file, pair->certificate, reterr);
	snprintf(file, sizeof(file), "%s.key", name);
	return r ? r : write_file(dir, file, pair->key, reterr);
}

static int read_pair(const char *dir, const char *name, struct pki_pair *ret,
		     struct state_error *reterr)
{
	char file[32];
	int r;

	snprintf(file, sizeof(file), "%s.crt", name);
	r = read_file(dir, file, &ret->certificate, reterr);
	snprintf(file, sizeof(file), "%s.key", name);
	return r ? r : read_file(dir, file, &ret->key, reterr);
}

static int write_json(const char *dir, const char *name, const json_t *json,
		      struct state_error *reterr)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	if (!text)
		return fail(reterr, -ENOMEM, "out of memory");
	return write_file(dir, name, text, reterr);
}

static int write_state(const char *dir, const char *const *names, size_t n_names, const char *token,
		       struct state_error *reterr)
{
	_cleanup_(json_decref_cleanup) json_t *array = json_array();
	_cleanup_(json_decref_cleanup) json_t *state = NULL;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char hash[2 * SHA256_DIGEST_LENGTH + 1];

	SHA256((const uint8_t *)token, strlen(token), digest);
	hex_encode(digest, sizeof(digest), hash);
	for (size_t i = 0; i < n_names; i++)
		json_array_append_new(array, json_string(names[i]));
	state = json_pack("{s:O, s:s}", "names", array, "token_sha256", hash);
	return write_json(dir, "state.json", state, reterr);
}

static void fill_random(void *data, void *ret, size_t size)
{
	rand_bytes(ret, size);
}

int state_parse_prefixes(const char *organisation, const char *ipv6_pool,
			 struct prefix *ret_organisation, struct prefix *ret_pool,
			 struct state_error *reterr)
{
	struct prefix whole, pool = {0};

	if (prefix_parse(organisation, &whole) || whole.len != 32)
		return fail(reterr, -EINVAL, "organisation '%s' is not an IPv6 prefix of 32 bits",
			    organisation);
	if (strcmp(ipv6_pool, "none") && (prefix_parse(ipv6_pool, &pool) || !cidr6_is_pool(&pool) ||
					  prefix_overlaps(&pool, &whole)))
		return fail(reterr, -EINVAL,
			    "ipv6-pool '%s' is not an IPv6 prefix of 32 to 56 bits, global or "
			    "unique local, outside of the organisation's",
			    ipv6_pool);
	*ret_organisation = whole;
	*ret_pool = pool;
	return 0;
}

int state_load_model(struct store *store, const char *region, const char *organisation,
		     const char *ipv6_pool, struct model **ret, struct state_error *reterr)
{
	_cleanup_(model_free_cleanup) struct model *model = NULL;
	struct model_config config = {.region = region, .ids.fill = fill_random};
	const struct host *stray;
	int r = state_parse_prefixes(organisation, ipv6_pool, &config.organisation,
				     &config.ipv6_pool, reterr);

	if (r)
		return r;
	r = model_new(&config, &model);
	if (r)
		return fail(reterr, r, "no model: %s", strerror(-r));
	r = persist_load(store, model);
	if (r)
		return fail(reterr, r, "the store could not be loaded: %s %s", strerror(-r),
			    store_error_text(store));
	stray = host_of_other_config(model);
	if (stray)
		return fail(reterr, -EINVAL,
			    "host %s was added with another organisation or region than %s and %s: "
			    "say those again, they cannot change once there are hosts",
			    stray->name, organisation, region);
	*ret = TAKE_PTR(model);
	return 0;
}

/* The bootstrap administrator's account and key, in the model: as 'like' says, or new ones. */
static int make_administrator(struct model *model, const struct key_create_args *like,
			      struct change **ret, char *ret_account, const struct key **ret_key,
			      struct state_error *reterr)
{
	struct account_create_args account_args = {.id = like->account_id, .name = "administrator"};
	struct key_create_args key_args = *like;
	struct caller caller = {.is_operator = true};
	const struct account *account;
	struct refusal refusal = {0};
	struct tx *tx;
	int r;

	r = tx_begin(model, 0, &tx);
	if (r)
		return fail(reterr, r, "no administrator: %s", strerror(-r));
	r = account_create(tx, &caller, &account_args, &account, &refusal);
	if (!r) {
		object_id_text(&account->o, ret_account);
		key_args.account_id = ret_account;
		r = key_create(tx, &caller, &key_args, ret_key, &refusal);
	}
	if (r) {
		tx_abort(tx);
		return fail(reterr, r < 0 ? r : -EINVAL, "no administrator: %s", refusal.message);
	}
	return tx_end(tx, ret);
}

static int commit(struct store *store, const struct change *change, struct state_error *reterr)
{
	const struct store_batch *batches[1];
	struct store_batch batch;
	int r;

	store_batch_init(&batch);
	batches[0] = &batch;
	r = persist_change(change, &batch);
	if (!r)
		r = store_commit(store, batches, 1);
	store_batch_deinit(&batch);
	return r ? fail(reterr, r, "the store does not work: %s %s", strerror(-r),
			store_error_text(store))
		 : 0;
}

static int write_admin(const char *dir, const char *token, const char *account,
		       const struct key *key, struct state_error *reterr)
{
	_cleanup_(json_decref_cleanup) json_t *json =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "endpoint", "http://127.0.0.1:8773", "token",
			  token, "account_id", account, "access_key_id", key->access_key_id,
			  "secret_access_key", key->secret);

	return write_json(dir, "admin.json", json, reterr);
}

/* The store with the administrator in it, and then the file that says so. */
static int init_store(const char *dir, const char *token, struct state_error *reterr)
{
	struct state state = {.dir = (char *)dir};
	_cleanup_(store_free_cleanup) struct store *store = NULL;
	_cleanup_(model_free_cleanup) struct model *model = NULL;
	_cleanup_(change_free_cleanup) struct change *change = NULL;
	_cleanup_free_ char *path = NULL;
	char account[ID_TEXT_SIZE];
	const struct key *key;
	int r;

	/* An init that was interrupted may have left one. */
	r = file_path(dir, "store.db", &path);
	if (!r && has_file(dir, "store.db"))
		r = file_remove_tree(path);
	if (r)
		return fail(reterr, r, "%s/store.db: %s", dir, strerror(-r));
	r = state_open_store(&state, "sqlite", &store, reterr);
	if (!r)
		r = state_load_model(store, "us-east-1", "fd56:6961::/32", "none", &model, reterr);
	if (!r)
		r = make_administrator(model, &(struct key_create_args){0}, &change, account, &key,
				       reterr);
	if (!r)
		r = commit(store, change, reterr);
	return r ? r : write_admin(dir, token, account, key, reterr);
}

static int make_certificates(const char *dir, const char *const *names, size_t n_names,
			     uint64_t now_ms, struct state_error *reterr)
{
	struct pki_pair ca = {0}, server = {0};
	int r;

	r = pki_make_ca("Viaduct cluster CA", (struct pki_validity){now_ms, ca_days}, &ca);
	if (!r)
		r = pki_make_server(&ca, names, n_names, (struct pki_validity){now_ms, server_days},
				    &server);
	if (r)
		fail(reterr, r, "certificates could not be made: %s",
		     r == -EINVAL ? "an address is neither a DNS name nor an IP address"
				  : strerror(-r));
	if (!r)
		r = write_pair(dir, "ca", &ca, reterr);
	if (!r)
		r = write_pair(dir, "server", &server, reterr);
	pki_pair_deinit(&ca);
	pki_pair_deinit(&server);
	return r;
}

int state_init(const char *dir, const char *const *names, size_t n_names, uint64_t now_ms,
	       struct state_error *reterr)
{
	const char *all[STATE_NAMES_MAX] = {"localhost", "127.0.0.1", "::1"};
	char token[2 * 24 + 1];
	uint8_t secret[24];
	size_t n = 3;
	int r;

	if (n_names > STATE_NAMES_MAX - n)
		return fail(reterr, -E2BIG, "more than %zu addresses", STATE_NAMES_MAX - n);
	for (size_t i = 0; i < n_names; i++)
		all[n++] = names[i];
	if (has_file(dir, "admin.json"))
		return fail(reterr, -EEXIST,
			    "%s is initialised already; nothing was changed (credentials: "
			    "%s/admin.json)",
			    dir, dir);
	r = file_mkdirs(dir, 0700);
	if (!r && chmod(dir, 0700))
		r = -errno;
	if (r)
		return fail(reterr, r, "%s could not be made: %s", dir, strerror(-r));
	rand_bytes(secret, sizeof(secret));
	hex_encode(secret, sizeof(secret), token);
	r = make_certificates(dir, all, n, now_ms, reterr);
	if (!r)
		r = write_state(dir, all, n, token, reterr);
	return r ? r : init_store(dir, token, reterr);
}

static int read_state(struct state *state, struct state_error *reterr)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(json_decref_cleanup) json_t *json = NULL;
	json_t *names, *name;
	const char *hash;
	size_t i;
	int r;

	r = read_file(state->dir, "state.json", &text, reterr);
	if (r)
		return r;
	json = json_loads(text, 0, NULL);
	names = json_object_get(json, "names");
	hash = json_string_value(json_object_get(json, "token_sha256"));
	if (!hash || hex_decode(hash, state->token_hash, sizeof(state->token_hash)) ||
	    json_array_size(names) > STATE_NAMES_MAX)
		return fail(reterr, -EBADMSG, "%s/state.json is damaged", state->dir);
	json_array_foreach (names, i, name) {
		state->names[i] = json_is_string(name) ? strdup(json_string_value(name)) : NULL;
		if (!state->names[i])
			return fail(reterr, -EBADMSG, "%s/state.json is damaged", state->dir);
		state->n_names++;
	}
	return 0;
}

int state_derive_key(const struct state *state, const char *purpose,
		     uint8_t ret[static STATE_KEY_SIZE])
{
	unsigned int size = STATE_KEY_SIZE;

	static_assert(STATE_KEY_SIZE == SHA256_DIGEST_LENGTH, "what the function gives");
	/* The CA's key lasts as long as the cluster, and nobody else has it. */
	if (!HMAC(EVP_sha256(), state->ca.key, (int)strlen(state->ca.key), (const uint8_t *)purpose,
		  strlen(purpose), ret, &size))
		return -EIO;
	return 0;
}

int state_restore_admin(const struct state *state, struct store *store, struct model *model,
			struct state_error *reterr)
{
	_cleanup_(change_free_cleanup) struct change *change = NULL;
	_cleanup_(json_decref_cleanup) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	struct key_create_args like = {0};
	char account[ID_TEXT_SIZE];
	const struct key *key;
	int r;

	/* What hosts run would be ended: nobody has made it, as far as an empty store says. */
	if (!state->disk && !model_revision(model))
		return fail(reterr, -ENODATA,
			    "%s/store.db is empty, not even what init wrote is in it: put a backup "
			    "of %s back, "
			    "or, for a new cluster, remove %s and run 'viaductd init --state %s'",
			    state->dir, state->dir, state->dir, state->dir);
	if (!state->disk || model_count(model, KIND_ACCOUNT))
		return 0;
	r = read_file(state->dir, "admin.json", &text, reterr);
	if (r)
		return r;
	json = json_loads(text, 0, NULL);
	like.account_id = json_string_value(json_object_get(json, "account_id"));
	like.access_key_id = json_string_value(json_object_get(json, "access_key_id"));
	like.secret = json_string_value(json_object_get(json, "secret_access_key"));
	if (!like.account_id || !like.access_key_id || !like.secret)
		return fail(reterr, -EBADMSG, "%s/admin.json is damaged", state->dir);
	r = make_administrator(model, &like, &change, account, &key, reterr);
	return r ? r : commit(store, change, reterr);
}

/* Agents that trust the CA accept the new certificate as they did the old one. */
static int renew_server(struct state *state, uint64_t now_ms, struct state_error *reterr)
{
	struct pki_pair pair;
	struct pki_info info;
	int r;

	r = pki_info(state->server.certificate, &info);
	if (r)
		return fail(reterr, r, "%s/server.crt is damaged", state->dir);
	if (info.not_after_ms > now_ms + renew_ms)
		return 0;
	r = pki_make_server(&state->ca, (const char *const *)state->names, state->n_names,
			    (struct pki_validity){now_ms, server_days}, &pair);
	if (r)
		return fail(reterr, r, "the server's certificate could not be renewed");
	r = write_pair(state->dir, "server", &pair, reterr);
	if (r) {
		pki_pair_deinit(&pair);
		return r;
	}
	pki_pair_deinit(&state->server);
	state->server = pair;
	return 0;
}

int state_load(const char *dir, uint64_t now_ms, struct state *ret, struct state_error *reterr)
{
	struct state state = {0};
	int r = 0;

	if (!has_file(dir, "admin.json")) {
		if (access(dir, X_OK) && errno == EACCES)
			return fail(reterr, -EACCES, "%s may not be read: run this as its owner",
				    dir);
		return fail(reterr, -ENOENT,
			    "%s is not initialised: run 'viaductd init --state %s'", dir, dir);
	}
	state.dir = strdup(dir);
	if (!state.dir)
		r = fail(reterr, -ENOMEM, "out of memory");
	if (!r)
		r = read_pair(dir, "ca", &state.ca, reterr);
	if (!r)
		r = read_pair(dir, "server", &state.server, reterr);
	if (!r)
		r = read_state(&state, reterr);
	if (!r)
		r = renew_server(&state, now_ms, reterr);
	if (!r && pki_check(state.ca.certificate, &state.server))
		r = fail(reterr, -EINVAL,
			 "%s: server.crt, server.key and ca.crt do not belong together", dir);
	if (r) {
		state_deinit(&state);
		return r;
	}
	*ret = state;
	return 0;
}

void state_deinit(struct state *state)
{
	pki_pair_deinit(&state->ca);
	pki_pair_deinit(&state->server);
	for (size_t i = 0; i < state->n_names; i++)
		free(state->names[i]);
	store_disk_free(state->disk);
	free(state->dir);
	*state = (struct state){0};
}

bool state_store_is_known(const char *kind)
{
	return str_equal(kind, "sqlite") || str_equal(kind, "memory");
}

int state_open_store(struct state *state, const char *kind, struct store **ret,
		     struct state_error *reterr)
{
	_cleanup_free_ char *path = NULL;
	struct store_error error = {0};
	int r;

	if (!state_store_is_known(kind))
		return fail(reterr, -EINVAL, "store '%s': sqlite or memory", kind);
	if (str_equal(kind, "memory")) {
		r = state->disk ? 0 : store_disk_new(&state->disk);
		if (!r)
			r = store_memory_open(state->disk, ret);
		return r ? fail(reterr, r, "no store: %s", strerror(-r)) : 0;
	}
	r = file_path(state->dir, "store.db", &path);
	if (!r)
		r = store_sqlite_open(path, ret, &error);
	return r ? fail(reterr, r, "%s/store.db: %s", state->dir, error.text) : 0;
}
