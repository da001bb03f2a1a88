/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/tls.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls_context {
	SSL_CTX *ssl;
	bool server;
	tls_admit_fn admit;
	void *arg;
};

CLEANUP_DEFINE(BIO *, BIO_free_all);
CLEANUP_DEFINE(X509 *, X509_free);
CLEANUP_DEFINE(EVP_PKEY *, EVP_PKEY_free);
CLEANUP_DEFINE(struct tls_context *, tls_free);

/* Asks about the client's certificate once the chain and the dates are right. */
static int verify_client(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct pki_info info;

	if (!ok || X509_STORE_CTX_get_error_depth(store) > 0)
		return ok;
	/* The context is gone when the daemon ends while a handshake is under way. */
	if (context && !pki_info_x509(X509_STORE_CTX_get_current_cert(store), &info) &&
	    context->admit(&info, context->arg))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
	return 0;
}

static int load_ca(SSL_CTX *ssl, const char *pem)
{
	_cleanup_(BIO_free_all_cleanup) BIO *bio = BIO_new_mem_buf(pem, -1);
	_cleanup_(X509_free_cleanup) X509 *ca = NULL;

	if (!bio)
		return -ENOMEM;
	ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!ca)
		return -EINVAL;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), ca) ? 0 : -EINVAL;
}

static int load_pair(SSL_CTX *ssl, const struct pki_pair *pair)
{
	_cleanup_(BIO_free_all_cleanup) BIO *bio = BIO_new_mem_buf(pair->certificate, -1);
	_cleanup_(BIO_free_all_cleanup) BIO *key_bio = BIO_new_mem_buf(pair->key, -1);
	_cleanup_(X509_free_cleanup) X509 *certificate = NULL;
	_cleanup_(EVP_PKEY_free_cleanup) EVP_PKEY *key = NULL;

	if (!bio || !key_bio)
		return -ENOMEM;
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, (void *)"");
	if (!certificate || !key || SSL_CTX_use_certificate(ssl, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ssl, key) != 1)
		return -EINVAL;
	return 0;
}

static int tls_new(bool server, const char *ca_certificate, const struct pki_pair *pair,
		   struct tls_context **ret)
{
	_cleanup_(tls_free_cleanup) struct tls_context *context = calloc(1, sizeof(*context));
	int mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	int r;

	if (!context)
		return -ENOMEM;
	r = pki_check(ca_certificate, pair);
	if (r)
		return r;
	context->server = server;
	context->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!context->ssl)
		return -ENOMEM;
	if (!SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(context->ssl, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_"
						    "SHA256:TLS_AES_256_GCM_SHA384"))
		return -EIO;
	r = load_ca(context->ssl, ca_certificate);
	if (!r)
		r = load_pair(context->ssl, pair);
	if (r) {
		ERR_clear_error();
		return r;
	}
	/* A resumed session would skip the question whether the host is still welcome. */
	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context->ssl, 0);
	/* A connection that breaks without a close_notify is an ordinary end: frames say where they
	 * end. */
	SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* An idle session keeps no buffers: 34 KB less for each of thousands. */
	SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One read for all records that have come, not two for each. */
	SSL_CTX_set_read_ahead(context->ssl, 1);
	SSL_CTX_set_verify(context->ssl, mode, server ? verify_client : NULL);
	SSL_CTX_set_app_data(context->ssl, context);
	*ret = TAKE_PTR(context);
	return 0;
}

int tls_server_new(const char *ca_certificate, const struct pki_pair *pair, tls_admit_fn admit,
		   void *arg, struct tls_context **ret)
{
	int r = tls_new(true, ca_certificate, pair, ret);

	if (r)
		return r;
	(*ret)->admit = admit;
	(*ret)->arg = arg;
	return 0;
}

int tls_client_new(const char *ca_certificate, const struct pki_pair *pair,
		   struct tls_context **ret)
{
	return tls_new(false, ca_certificate, pair, ret);
}

struct tls_context *tls_free(struct tls_context *context)
{
	if (!context)
		return NULL;
	if (context->ssl) {
		SSL_CTX_set_app_data(context->ssl, NULL);
		SSL_CTX_free(context->ssl);
	}
	free(context);
	return NULL;
}

bool tls_is_server(const struct tls_context *context)
{
	return context->server;
}

int tls_connection(struct tls_context *context, const char *peer_name, SSL **ret)
{
	SSL *ssl = SSL_new(context->ssl);
	uint8_t addr[16];
	bool is_addr;
	int ok;

	if (!ssl)
		return -ENOMEM;
	if (peer_name) {
		is_addr = inet_pton(AF_INET, peer_name, addr) == 1 ||
			  inet_pton(AF_INET6, peer_name, addr) == 1;
		ok = is_addr ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer_name)
			     : SSL_set1_host(ssl, peer_name);
		if (!ok) {
			SSL_free(ssl);
			return -EINVAL;
		}
	}
	*ret = ssl;
	return 0;
}

int tls_peer(const SSL *ssl, struct pki_info *ret)
{
	X509 *x = SSL_get0_peer_certificate(ssl);

	return x ? pki_info_x509(x, ret) : -EINVAL;
}
