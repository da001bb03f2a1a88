/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider's functions are called as its dispatch table has them (provider-cipher(7)), without
 * EVP between: of what a segment of 1,400 bytes costs, EVP takes a fifth, mostly comparing
 * parameters' names.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "seal/aead.h"

enum { AEAD_NONCE = 12, AEAD_TAG = 16 };

/* Of a provider. */
struct aead_functions {
	OSSL_FUNC_cipher_newctx_fn *make;
	OSSL_FUNC_cipher_freectx_fn *drop;
	OSSL_FUNC_cipher_encrypt_init_fn *encrypt;
	OSSL_FUNC_cipher_decrypt_init_fn *decrypt;
	OSSL_FUNC_cipher_update_fn *update;
	OSSL_FUNC_cipher_final_fn *final;
	OSSL_FUNC_cipher_get_ctx_params_fn *get;
	OSSL_FUNC_cipher_set_ctx_params_fn *set;
};

struct openssl_state {
	EVP_CIPHER *evp; /* holds the provider */
	struct aead_functions functions;
	void *context; /* has the key, and wipes it */
};

/* Whether 'name' is one of 'names', which colons separate. */
static bool openssl_is_named(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (; names; names = strchr(names, ':')) {
		names += *names == ':';
		if (!strncasecmp(names, name, n) && (!names[n] || names[n] == ':'))
			return true;
	}
	return false;
}

static void openssl_read_dispatch(const OSSL_DISPATCH *d, struct aead_functions *f)
{
	for (; d->function_id; d++)
		switch (d->function_id) {
		case OSSL_FUNC_CIPHER_NEWCTX:
			f->make = OSSL_FUNC_cipher_newctx(d);
			break;
		case OSSL_FUNC_CIPHER_FREECTX:
			f->drop = OSSL_FUNC_cipher_freectx(d);
			break;
		case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
			f->encrypt = OSSL_FUNC_cipher_encrypt_init(d);
			break;
		case OSSL_FUNC_CIPHER_DECRYPT_INIT:
			f->decrypt = OSSL_FUNC_cipher_decrypt_init(d);
			break;
		case OSSL_FUNC_CIPHER_UPDATE:
			f->update = OSSL_FUNC_cipher_update(d);
			break;
		case OSSL_FUNC_CIPHER_FINAL:
			f->final = OSSL_FUNC_cipher_final(d);
			break;
		case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
			f->get = OSSL_FUNC_cipher_get_ctx_params(d);
			break;
		case OSSL_FUNC_CIPHER_SET_CTX_PARAMS:
			f->set = OSSL_FUNC_cipher_set_ctx_params(d);
			break;
		default:
			break;
		}
}

static bool openssl_functions_are_whole(const struct aead_functions *f)
{
	return f->make && f->drop && f->encrypt && f->decrypt && f->update && f->final && f->get &&
	       f->set;
}

static int openssl_find_functions(struct openssl_state *s, const char *name)
{
	const OSSL_PROVIDER *provider = EVP_CIPHER_get0_provider(s->evp);
	const OSSL_ALGORITHM *all, *a;
	int no_cache;

	if (!provider)
		return -EOPNOTSUPP;
	all = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &no_cache);
	for (a = all; a && a->algorithm_names; a++)
		if (openssl_is_named(a->algorithm_names, name)) {
			openssl_read_dispatch(a->implementation, &s->functions);
			break;
		}
	OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_CIPHER, all);
	return openssl_functions_are_whole(&s->functions) ? 0 : -EOPNOTSUPP;
}

static void openssl_drop(void *state)
{
	struct openssl_state *s = state;

	if (s->context)
		s->functions.drop(s->context);
	EVP_CIPHER_free(s->evp);
	free(s);
}

static int openssl_prepare(struct openssl_state *s, const uint8_t *key, size_t key_size, bool seals)
{
	const char *name = key_size == 32 ? "AES-256-GCM" : "AES-128-GCM";
	int e;

	s->evp = EVP_CIPHER_fetch(NULL, name, NULL);
	e = s->evp ? openssl_find_functions(s, name) : -EOPNOTSUPP;
	if (e)
		return e;
	s->context = s->functions.make(
		OSSL_PROVIDER_get0_provider_ctx(EVP_CIPHER_get0_provider(s->evp)));
	if (!s->context)
		return -ENOMEM;
	if ((seals ? s->functions.encrypt : s->functions.decrypt)(s->context, key, key_size, NULL,
								  0, NULL) != 1)
		return -EOPNOTSUPP;
	return 0;
}

static int openssl_make(const uint8_t *key, size_t key_size, bool seals, void **ret)
{
	struct openssl_state *s = calloc(1, sizeof(*s));
	int e = s ? openssl_prepare(s, key, key_size, seals) : -ENOMEM;

	if (e) {
		if (s)
			openssl_drop(s);
		return e;
	}
	*ret = s;
	return 0;
}

static bool openssl_run(struct openssl_state *s, const struct aead_text *t)
{
	size_t n;

	return s->functions.update(s->context, NULL, &n, t->header_size, t->header,
				   t->header_size) == 1 &&
	       (!t->size ||
		s->functions.update(s->context, t->to, &n, t->size, t->from, t->size) == 1);
}

static int openssl_seal(void *state, const struct aead_text *t, uint8_t tag[static AEAD_TAG])
{
	struct openssl_state *s = state;
	OSSL_PARAM get[] = {
		OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, AEAD_TAG),
		OSSL_PARAM_construct_end()};
	uint8_t none[16];
	size_t n;

	if (s->functions.encrypt(s->context, NULL, 0, t->nonce, AEAD_NONCE, NULL) != 1 ||
	    !openssl_run(s, t) || s->functions.final(s->context, none, &n, sizeof(none)) != 1 ||
	    s->functions.get(s->context, get) != 1)
		return -EIO;
	return 0;
}

static int openssl_open(void *state, const struct aead_text *t, const uint8_t tag[static AEAD_TAG])
{
	struct openssl_state *s = state;
	uint8_t expected[AEAD_TAG], none[16];
	const OSSL_PARAM set[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
								    expected, sizeof(expected)),
				  OSSL_PARAM_construct_end()};
	size_t n;

	memcpy(expected, tag, sizeof(expected));
	if (s->functions.decrypt(s->context, NULL, 0, t->nonce, AEAD_NONCE, NULL) != 1 ||
	    !openssl_run(s, t) || s->functions.set(s->context, set) != 1 ||
	    s->functions.final(s->context, none, &n, sizeof(none)) != 1)
		return -EBADMSG;
	return 0;
}

const struct aead aead_openssl = {
	.name = "OpenSSL",
	.make = openssl_make,
	.drop = openssl_drop,
	.seal = openssl_seal,
	.open = openssl_open,
};
