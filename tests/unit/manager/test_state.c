/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory: made once, readable by root alone, loaded again, refused when damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <openssl/sha.h>

#include <cmocka.h>

#include "base/file.h"
#include "manager/state.h"
#include "model/account.h"
#include "model/model.h"
#include "store/store.h"

#define NOW_MS UINT64_C(1764000000000)

static struct state_error error;

struct fixture {
	char base[32];
	char dir[48];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/viaduct-state-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->dir, sizeof(f->dir), "%s/a/b", f->base);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(file_remove_tree(f->base), 0);
	free(f);
	return 0;
}

static char *read_state(const struct fixture *f, const char *name)
{
	char path[128], *text;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(file_read(path, 65536, &text, NULL), 0);
	return text;
}

static void init_makes_a_directory_for_root_alone(void **state)
{
	static const char *const names[] = {"fd00::1", "manager.example"};
	static const char *const files[] = {"ca.crt",     "ca.key",     "server.crt", "server.key",
					    "state.json", "admin.json", "store.db"};
	const struct fixture *f = *state;
	struct state loaded;
	struct stat st;
	char path[128];

	assert_int_equal(state_init(f->dir, names, 2, NOW_MS, &error), 0);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	assert_int_equal(loaded.n_names, 5);
	assert_string_equal(loaded.names[4], "manager.example");
	state_deinit(&loaded);
}

static void the_token_is_stored_as_its_hash_only(void **state)
{
	const struct fixture *f = *state;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct state loaded;
	const char *token;
	char *text;
	json_t *admin;

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	text = read_state(f, "admin.json");
	admin = json_loads(text, 0, NULL);
	free(text);
	token = json_string_value(json_object_get(admin, "token"));
	assert_true(strlen(token) >= 32);
	text = read_state(f, "state.json");
	assert_null(strstr(text, token));
	free(text);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	SHA256((const uint8_t *)token, strlen(token), digest);
	assert_memory_equal(loaded.token_hash, digest, sizeof(digest));
	state_deinit(&loaded);
	json_decref(admin);
}

static void check_administrator(const struct fixture *f, const char *kind)
{
	struct state loaded;
	struct store *store;
	struct model *model;
	const struct key *key;
	char *text;
	json_t *admin;

	text = read_state(f, "admin.json");
	admin = json_loads(text, 0, NULL);
	free(text);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	assert_int_equal(state_open_store(&loaded, kind, &store, &error), 0);
	assert_int_equal(state_load_model(store, "us-east-1", "fd56:6961::/32",
					  "fd56:6976:3600::/40", &model, &error),
			 0);
	assert_int_equal(state_restore_admin(&loaded, store, model, &error), 0);
	assert_int_equal(state_restore_admin(&loaded, store, model, &error), 0);
	assert_int_equal(model_count(model, KIND_ACCOUNT), 1);
	assert_int_equal(store_info_get(store)->revision, model_revision(model));
	key = key_find(model, json_string_value(json_object_get(admin, "access_key_id")));
	assert_non_null(key);
	assert_string_equal(key->secret,
			    json_string_value(json_object_get(admin, "secret_access_key")));
	assert_non_null(
		account_find(model, json_string_value(json_object_get(admin, "account_id"))));
	model_free(model);
	store_free(store);
	state_deinit(&loaded);
	json_decref(admin);
}

/* requirement: OPS-1 */
static void the_administrator_is_in_the_store(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	check_administrator(f, "sqlite");
	check_administrator(f, "memory"); /* which begins empty each time */
	check_administrator(f, "memory");
}

/* requirement: OPS-1, OPS-3 */
static void a_store_that_lost_everything_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct state loaded;
	struct store *store;
	struct model *model;
	char path[128];

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	snprintf(path, sizeof(path), "%s/store.db", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	assert_int_equal(state_open_store(&loaded, "sqlite", &store, &error), 0);
	assert_int_equal(state_load_model(store, "us-east-1", "fd56:6961::/32",
					  "fd56:6976:3600::/40", &model, &error),
			 0);
	assert_int_equal(state_restore_admin(&loaded, store, model, &error), -ENODATA);
	assert_non_null(strstr(error.text, "backup"));
	model_free(model);
	store_free(store);
	state_deinit(&loaded);
}

static void a_key_is_the_same_each_time(void **state)
{
	uint8_t keys[3][STATE_KEY_SIZE];
	const struct fixture *f = *state;
	struct state loaded;

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
		assert_int_equal(state_derive_key(&loaded, i < 2 ? "pages" : "other", keys[i]), 0);
		state_deinit(&loaded);
	}
	assert_memory_equal(keys[0], keys[1], STATE_KEY_SIZE);
	assert_memory_not_equal(keys[0], keys[2], STATE_KEY_SIZE);
}

static void a_second_init_changes_nothing(void **state)
{
	const struct fixture *f = *state;
	char *before, *after;

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	before = read_state(f, "admin.json");
	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), -EEXIST);
	assert_non_null(strstr(error.text, "initialised already"));
	after = read_state(f, "admin.json");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void an_interrupted_init_is_begun_anew(void **state)
{
	const struct fixture *f = *state;
	struct state loaded;
	char path[128];

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	snprintf(path, sizeof(path), "%s/admin.json", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), -ENOENT);
	assert_non_null(strstr(error.text, "viaductd init"));
	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	state_deinit(&loaded);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {"not a name"};
	const struct fixture *f = *state;
	struct state loaded;

	assert_int_equal(state_init(f->dir, bad, 1, NOW_MS, &error), -EINVAL);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), -ENOENT);
}

static void the_server_certificate_is_renewed_in_time(void **state)
{
	const struct fixture *f = *state;
	const uint64_t later = NOW_MS + UINT64_C(1810) * 86400 * 1000;
	struct pki_info before, after;
	struct state loaded;

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), 0);
	assert_int_equal(pki_info(loaded.server.certificate, &before), 0);
	state_deinit(&loaded);
	assert_int_equal(state_load(f->dir, later, &loaded, &error), 0);
	assert_int_equal(pki_info(loaded.server.certificate, &after), 0);
	assert_true(after.not_after_ms > before.not_after_ms);
	assert_int_equal(pki_check(loaded.ca.certificate, &loaded.server), 0);
	state_deinit(&loaded);
}

static void damaged_files_are_named(void **state)
{
	const struct fixture *f = *state;
	struct state loaded;
	char path[128];

	assert_int_equal(state_init(f->dir, NULL, 0, NOW_MS, &error), 0);
	snprintf(path, sizeof(path), "%s/state.json", f->dir);
	assert_int_equal(file_write_atomic(path, "{", 1, 0600), 0);
	assert_int_equal(state_load(f->dir, NOW_MS, &loaded, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "state.json"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(init_makes_a_directory_for_root_alone),
		TEST(the_token_is_stored_as_its_hash_only),
		TEST(the_administrator_is_in_the_store),
		TEST(a_key_is_the_same_each_time),
		TEST(a_second_init_changes_nothing),
		TEST(an_interrupted_init_is_begun_anew),
		TEST(a_store_that_lost_everything_is_refused),
		TEST(names_that_are_none_are_refused),
		TEST(the_server_certificate_is_renewed_in_time),
		TEST(damaged_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
