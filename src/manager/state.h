/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory of viaductd, beside the store: the cluster's CA, the manager's certificate,
 * and what proves the operator.
 *
 *	ca.crt ca.key server.crt server.key   PEM
 *	state.json                            the server's names, the operator token's hash
 *	store.db                              the store (store/store_sqlite.h)
 *	admin.json                            the bootstrap administrator's credentials; written
 *	                                      once, last
 *
 * All 0600 in a directory of 0700.  admin.json being there is what makes a directory initialised.
 *
 * Threading: before the loop runs.  Errors: -errno, explained in a struct state_error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "wire/pki.h"

struct model;
struct store;
struct store_disk;

enum {
	STATE_ERROR_SIZE = 512,
	STATE_TOKEN_HASH_SIZE = 32,
	STATE_KEY_SIZE = 32,
	STATE_NAMES_MAX = 32
};

struct state_error {
	char text[STATE_ERROR_SIZE];
};

struct state {
	char *dir;
	struct pki_pair ca, server;
	size_t n_names;
	char *names[STATE_NAMES_MAX];              /* of the server's certificate */
	uint8_t token_hash[STATE_TOKEN_HASH_SIZE]; /* SHA-256 */
	struct store_disk *disk;                   /* of a memory store; NULL: none */
};

/* Makes 'dir' and all that is in it; 'names' are what agents will call the manager, beside
 * localhost. -EEXIST: it is initialised already, and nothing was changed. */
must_check int state_init(const char *dir, const char *const *names, size_t n_names,
			  uint64_t now_ms, struct state_error *reterr);
/* The server's certificate is made anew when it is about to expire.  -ENOENT: not initialised. */
must_check int state_load(const char *dir, uint64_t now_ms, struct state *ret,
			  struct state_error *reterr);
void state_deinit(struct state *state);
/* A key of the cluster for 'purpose', the same each time.  -EIO when the cryptographic library
 * refuses. */
must_check int state_derive_key(const struct state *state, const char *purpose,
				uint8_t ret[static STATE_KEY_SIZE]);

bool state_store_is_known(const char *kind);
/* The prefixes of the locators, and of the VPCs' blocks ("none": zero).  -EINVAL */
must_check int state_parse_prefixes(const char *organisation, const char *ipv6_pool,
				    struct prefix *ret_organisation, struct prefix *ret_pool,
				    struct state_error *reterr);
/* Opens the store of 'kind' ("sqlite" or "memory") and loads a model from it.  The memory store
 * begins empty and ends with 'state'. */
must_check int state_open_store(struct state *state, const char *kind, struct store **ret,
				struct state_error *reterr);
/* Puts the administrator of admin.json into the model of a memory store that has no accounts
 * yet. */
must_check int state_restore_admin(const struct state *state, struct store *store,
				   struct model *model, struct state_error *reterr);
/* 'ipv6_pool': "none", or what VPCs get their IPv6 blocks from. */
must_check int state_load_model(struct store *store, const char *region, const char *organisation,
				const char *ipv6_pool, struct model **ret,
				struct state_error *reterr);
