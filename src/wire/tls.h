/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS contexts of the agent protocol: TLS 1.3 only, both ends with certificates of the cluster's CA
 * and of no other.
 *
 * The manager's side asks a callback about each client certificate (its name and serial), so that a
 * removed host is refused during the handshake.  The agent's side checks chain, expiry and that the
 * certificate is one for servers; the name is the address it dialled, when it is told to check it.
 *
 * Ownership: a context may be freed while sessions made from it live.  Threading: one thread.
 */
#pragma once

#include <stdbool.h>

#include <openssl/types.h>

#include "base/err.h"
#include "wire/pki.h"

struct tls_context;

/* Whether a client with this certificate may come in. */
typedef bool (*tls_admit_fn)(const struct pki_info *client, void *arg);

/* -EINVAL: the PEM texts do not parse or do not fit together. */
must_check int tls_server_new(const char *ca_certificate, const struct pki_pair *pair,
			      tls_admit_fn admit, void *arg, struct tls_context **ret);
must_check int tls_client_new(const char *ca_certificate, const struct pki_pair *pair,
			      struct tls_context **ret);
struct tls_context *tls_free(struct tls_context *context); /* returns NULL */

bool tls_is_server(const struct tls_context *context);

/* A new connection's state, with server or client role as the context's.  'peer_name' (may be NULL)
 * is the DNS name or address that a server's certificate must have. */
must_check int tls_connection(struct tls_context *context, const char *peer_name, SSL **ret);

/* The certificate that the other end of an established connection showed. */
must_check int tls_peer(const SSL *ssl, struct pki_info *ret);
