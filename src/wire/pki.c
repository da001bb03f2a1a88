/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates by OpenSSL.  Extensions are built as objects, never from configuration text, so that
 * no name can smuggle one in.
 */
#include "wire/pki.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

CLEANUP_DEFINE(X509 *, X509_free);
CLEANUP_DEFINE(EVP_PKEY *, EVP_PKEY_free);
CLEANUP_DEFINE(BIO *, BIO_free_all);
CLEANUP_DEFINE(BIGNUM *, BN_free);
CLEANUP_DEFINE(ASN1_TIME *, ASN1_TIME_free);
CLEANUP_DEFINE(ASN1_INTEGER *, ASN1_INTEGER_free);
CLEANUP_DEFINE(GENERAL_NAMES *, GENERAL_NAMES_free);
CLEANUP_DEFINE(GENERAL_NAME *, GENERAL_NAME_free);
CLEANUP_DEFINE(ASN1_STRING *, ASN1_STRING_free);

static const int64_t backdate_s = 3600;

void pki_pair_deinit(struct pki_pair *pair)
{
	if (pair->key)
		OPENSSL_cleanse(pair->key, strlen(pair->key));
	free(pair->key);
	free(pair->certificate);
	*pair = (struct pki_pair){0};
}

/* The text that 'bio' has gathered, as a heap string. */
static char *bio_text(BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);

	return size > 0 ? strndup(data, (size_t)size) : NULL;
}

static int read_certificate(const char *pem, X509 **ret)
{
	_cleanup_(BIO_free_all_cleanup) BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x;

	if (!bio)
		return -ENOMEM;
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!x)
		return -EINVAL;
	*ret = x;
	return 0;
}

static int read_key(const char *pem, EVP_PKEY **ret)
{
	_cleanup_(BIO_free_all_cleanup) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key;

	if (!bio)
		return -ENOMEM;
	/* An empty pass phrase instead of a prompt on the terminal. */
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	if (!key)
		return -EINVAL;
	*ret = key;
	return 0;
}

static int set_serial(X509 *x)
{
	_cleanup_(BN_free_cleanup) BIGNUM *serial = BN_new();
	_cleanup_(ASN1_INTEGER_free_cleanup) ASN1_INTEGER *number = NULL;

	if (!serial || !BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY))
		return -EIO;
	if (BN_is_zero(serial))
		return -EIO;
	number = BN_to_ASN1_INTEGER(serial, NULL);
	return number && X509_set_serialNumber(x, number) ? 0 : -EIO;
}

static int set_validity(X509 *x, struct pki_validity validity)
{
	int64_t from = (int64_t)(validity.now_ms / 1000) - backdate_s;
	_cleanup_(ASN1_TIME_free_cleanup) ASN1_TIME *before = ASN1_TIME_set(NULL, (time_t)from);
	_cleanup_(ASN1_TIME_free_cleanup) ASN1_TIME *after =
		ASN1_TIME_adj(NULL, (time_t)from, (int)validity.days, backdate_s);

	if (!before || !after)
		return -EIO;
	return X509_set1_notBefore(x, before) && X509_set1_notAfter(x, after) ? 0 : -EIO;
}

/* Adds an extension from its configuration text, which is always a literal of this file. */
static int add_fixed(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int r;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension)
		return -EIO;
	r = X509_add_ext(x, extension, -1) ? 0 : -EIO;
	X509_EXTENSION_free(extension);
	return r;
}

/* Of an address: its size in bytes, and it itself in 'ret'; 0: it is none. */
static int name_address(const char *text, uint8_t ret[static 16])
{
	if (inet_pton(AF_INET, text, ret) == 1)
		return 4;
	return inet_pton(AF_INET6, text, ret) == 1 ? 16 : 0;
}

bool pki_name_is_valid(const char *text)
{
	uint8_t addr[16];

	if (name_address(text, addr))
		return true;
	return *text && strlen(text) <= 253 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
		       strlen(text);
}

/* A subject alternative name: an address if it reads as one, else a DNS name. */
static int add_name(GENERAL_NAMES *names, const char *text)
{
	_cleanup_(GENERAL_NAME_free_cleanup) GENERAL_NAME *name = GENERAL_NAME_new();
	_cleanup_(ASN1_STRING_free_cleanup) ASN1_STRING *value = NULL;
	uint8_t addr[16];
	int type, size = name_address(text, addr);

	if (!pki_name_is_valid(text))
		return -EINVAL;
	type = size ? GEN_IPADD : GEN_DNS;
	value = ASN1_STRING_type_new(size ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	if (!name || !value)
		return -ENOMEM;
	if (!ASN1_STRING_set(value, size ? (const void *)addr : text, size ? size : -1))
		return -ENOMEM;
	GENERAL_NAME_set0_value(name, type, TAKE_PTR(value));
	if (!sk_GENERAL_NAME_push(names, name))
		return -ENOMEM;
	name = NULL;
	return 0;
}

static int add_names(X509 *x, const char *const *texts, size_t n)
{
	_cleanup_(GENERAL_NAMES_free_cleanup) GENERAL_NAMES *names = GENERAL_NAMES_new();
	int r;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = add_name(names, texts[i]);
		if (r)
			return r;
	}
	return X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1 ? 0
											     : -EIO;
}

/* A certificate and key, complete but for extensions and signature. */
static int make_blank(const char *name, struct pki_validity validity, X509 **ret,
		      EVP_PKEY **ret_key)
{
	_cleanup_(X509_free_cleanup) X509 *x = X509_new();
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
	int r;

	if (!*name || strlen(name) >= PKI_NAME_SIZE)
		return -EINVAL;
	if (!x || !key)
		return -EIO;
	r = set_serial(x);
	if (!r)
		r = set_validity(x, validity);
	if (r)
		return r;
	if (!X509_set_version(x, X509_VERSION_3) || !X509_set_pubkey(x, key) ||
	    !X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_UTF8,
					(const unsigned char *)name, -1, -1, 0))
		return -EIO;
	*ret = TAKE_PTR(x);
	*ret_key = TAKE_PTR(key);
	return 0;
}

static int sign_and_write(X509 *x, X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key,
			  struct pki_pair *ret)
{
	_cleanup_(BIO_free_all_cleanup) BIO *certificate = BIO_new(BIO_s_mem());
	_cleanup_(BIO_free_all_cleanup) BIO *private = BIO_new(BIO_s_mem());
	struct pki_pair pair;

	if (!certificate || !private)
		return -ENOMEM;
	if (!X509_set_issuer_name(x, X509_get_subject_name(issuer)) ||
	    !X509_sign(x, issuer_key, EVP_sha256()) || !PEM_write_bio_X509(certificate, x) ||
	    !PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL))
		return -EIO;
	pair.certificate = bio_text(certificate);
	pair.key = bio_text(private);
	if (!pair.certificate || !pair.key) {
		pki_pair_deinit(&pair);
		return -ENOMEM;
	}
	*ret = pair;
	return 0;
}

int pki_make_ca(const char *name, struct pki_validity validity, struct pki_pair *ret)
{
	_cleanup_(X509_free_cleanup) X509 *x = NULL;
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *key = NULL;
	int r;

	r = make_blank(name, validity, &x, &key);
	if (!r)
		r = add_fixed(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (!r)
		r = add_fixed(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (!r)
		r = add_fixed(x, x, NID_subject_key_identifier, "hash");
	return r ? r : sign_and_write(x, x, key, key, ret);
}

/* An end certificate of 'ca' for clients or servers. */
static int make_end(const struct pki_pair *ca, const char *name, const char *usage,
		    const char *const *names, size_t n_names, struct pki_validity validity,
		    struct pki_pair *ret)
{
	_cleanup_(X509_free_cleanup) X509 *issuer = NULL;
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *issuer_key = NULL;
	_cleanup_(X509_free_cleanup) X509 *x = NULL;
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *key = NULL;
	int r;

	r = read_certificate(ca->certificate, &issuer);
	if (!r)
		r = read_key(ca->key, &issuer_key);
	if (!r)
		r = make_blank(name, validity, &x, &key);
	if (!r)
		r = add_fixed(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
	if (!r)
		r = add_fixed(x, issuer, NID_key_usage, "critical,digitalSignature");
	if (!r)
		r = add_fixed(x, issuer, NID_ext_key_usage, usage);
	if (!r)
		r = add_fixed(x, issuer, NID_authority_key_identifier, "keyid:always");
	if (!r && n_names)
		r = add_names(x, names, n_names);
	return r ? r : sign_and_write(x, issuer, issuer_key, key, ret);
}

int pki_make_server(const struct pki_pair *ca, const char *const *names, size_t n_names,
		    struct pki_validity validity, struct pki_pair *ret)
{
	if (!n_names)
		return -EINVAL;
	return make_end(ca, "viaductd", "serverAuth", names, n_names, validity, ret);
}

int pki_make_host(const struct pki_pair *ca, const char *host_id, struct pki_validity validity,
		  struct pki_pair *ret)
{
	return make_end(ca, host_id, "clientAuth", NULL, 0, validity, ret);
}

int pki_info_x509(const X509 *x, struct pki_info *ret)
{
	_cleanup_(BN_free_cleanup) BIGNUM *serial = NULL;
	struct pki_info info = {0};
	struct tm tm;
	char *text;
	int length, r;

	/* A name with a NUL inside would read as another name behind this point. */
	length = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, info.name,
					   sizeof(info.name));
	if (length <= 0 || strlen(info.name) != (size_t)length)
		return -EINVAL;
	serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	text = serial ? BN_bn2hex(serial) : NULL;
	if (!text)
		return -ENOMEM;
	r = snprintf(info.serial, sizeof(info.serial), "%s", text);
	OPENSSL_free(text);
	if (r < 0 || (size_t)r >= sizeof(info.serial))
		return -EINVAL;
	if (!ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm))
		return -EINVAL;
	info.not_after_ms = (uint64_t)timegm(&tm) * 1000;
	*ret = info;
	return 0;
}

int pki_info(const char *certificate, struct pki_info *ret)
{
	_cleanup_(X509_free_cleanup) X509 *x = NULL;
	int r = read_certificate(certificate, &x);

	return r ? r : pki_info_x509(x, ret);
}

int pki_check(const char *ca_certificate, const struct pki_pair *pair)
{
	_cleanup_(X509_free_cleanup) X509 *ca = NULL;
	_cleanup_(X509_free_cleanup) X509 *x = NULL;
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *key = NULL;
	int r;

	r = read_certificate(ca_certificate, &ca);
	if (!r)
		r = read_certificate(pair->certificate, &x);
	if (!r)
		r = read_key(pair->key, &key);
	if (r)
		return r;
	if (X509_verify(x, X509_get0_pubkey(ca)) != 1 || X509_check_private_key(x, key) != 1)
		return -EINVAL;
	return 0;
}
