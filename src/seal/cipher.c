/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/cipher.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>

size_t cipher_key_size(enum seal_cipher kind)
{
	return kind == SEAL_AES_256_GCM ? 32 : 16;
}

/* ---- the provider's functions ---- */

/* Whether 'name' is one of 'names', which colons separate. */
static bool cipher_is_named(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (; names; names = strchr(names, ':')) {
		names += *names == ':';
		if (!strncasecmp(names, name, n) && (!names[n] || names[n] == ':'))
			return true;
	}
	return false;
}

static void cipher_read_dispatch(const OSSL_DISPATCH *d, struct cipher_functions *f)
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

static bool cipher_functions_are_whole(const struct cipher_functions *f)
{
	return f->make && f->drop && f->encrypt && f->decrypt && f->update && f->final && f->get &&
	       f->set;
}

static int cipher_find_functions(struct cipher *c, const char *name)
{
	const OSSL_PROVIDER *provider = EVP_CIPHER_get0_provider(c->evp);
	const OSSL_ALGORITHM *all, *a;
	int no_cache;

	if (!provider)
		return -EOPNOTSUPP;
	all = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &no_cache);
	for (a = all; a && a->algorithm_names; a++)
		if (cipher_is_named(a->algorithm_names, name)) {
			cipher_read_dispatch(a->implementation, &c->functions);
			break;
		}
	OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_CIPHER, all);
	return cipher_functions_are_whole(&c->functions) ? 0 : -EOPNOTSUPP;
}

/* ---- life ---- */

int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals)
{
	const char *name = kind == SEAL_AES_256_GCM ? "AES-256-GCM" : "AES-128-GCM";
	int e;

	*c = (struct cipher){.kind = kind, .evp = EVP_CIPHER_fetch(NULL, name, NULL)};
	e = c->evp ? cipher_find_functions(c, name) : -EOPNOTSUPP;
	if (!e) {
		c->context = c->functions.make(
			OSSL_PROVIDER_get0_provider_ctx(EVP_CIPHER_get0_provider(c->evp)));
		e = c->context ? 0 : -ENOMEM;
	}
	if (!e && (seals ? c->functions.encrypt : c->functions.decrypt)(
			  c->context, key, cipher_key_size(kind), NULL, 0, NULL) != 1)
		e = -EOPNOTSUPP;
	if (e)
		cipher_deinit(c);
	return e;
}

void cipher_deinit(struct cipher *c)
{
	if (c->context)
		c->functions.drop(c->context);
	EVP_CIPHER_free(c->evp);
	*c = (struct cipher){};
}

/* ---- datagrams ---- */

/* Header and payload through the cipher, to 'ret'; 'ret' NULL means that nothing is encrypted. */
static bool cipher_run(struct cipher *c, const uint8_t *header, const uint8_t *payload, size_t size,
		       uint8_t *ret)
{
	size_t n;

	return c->functions.update(c->context, NULL, &n, SEAL_HEADER_SIZE, header,
				   SEAL_HEADER_SIZE) == 1 &&
	       c->functions.update(c->context, ret, &n, size, payload, size) == 1;
}

int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload, size_t size)
{
	uint8_t *to = datagram + SEAL_HEADER_SIZE;
	OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, to + size,
							      SEAL_TAG_SIZE),
			    OSSL_PARAM_construct_end()};
	bool only_tag = c->kind == SEAL_AES_128_GMAC;
	uint8_t none[16];
	size_t n;

	if (only_tag)
		memcpy(to, payload, size);
	if (c->functions.encrypt(c->context, NULL, 0, datagram + SEAL_NONCE_AT, SEAL_NONCE_SIZE,
				 NULL) != 1 ||
	    !cipher_run(c, datagram, payload, size, only_tag ? NULL : to) ||
	    c->functions.final(c->context, none, &n, sizeof(none)) != 1 ||
	    c->functions.get(c->context, tag) != 1)
		return -EIO;
	return 0;
}

int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret)
{
	const uint8_t *payload = datagram + SEAL_HEADER_SIZE;
	bool only_tag = c->kind == SEAL_AES_128_GMAC;
	uint8_t tag[SEAL_TAG_SIZE], none[16];
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, sizeof(tag)),
		OSSL_PARAM_construct_end()};
	size_t n;

	if (size < SEAL_HEADER_SIZE + SEAL_TAG_SIZE)
		return -EBADMSG;
	size -= SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
	memcpy(tag, payload + size, sizeof(tag));
	if (c->functions.decrypt(c->context, NULL, 0, datagram + SEAL_NONCE_AT, SEAL_NONCE_SIZE,
				 NULL) != 1 ||
	    !cipher_run(c, datagram, payload, size, only_tag ? NULL : ret) ||
	    c->functions.set(c->context, params) != 1 ||
	    c->functions.final(c->context, none, &n, sizeof(none)) != 1)
		return -EBADMSG;
	if (only_tag)
		memcpy(ret, payload, size);
	return 0;
}
