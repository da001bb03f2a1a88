/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster's own certificate authority: makes the CA, the server's and the hosts' certificates.
 *
 * Everything is PEM text in memory; who keeps it where is the caller's business.  Keys are EC
 * P-256. Serial numbers are 127 random bits.  A host's certificate names the host: CN = its id.
 *
 * Ownership: results are heap strings in a struct pki_pair; pki_pair_deinit() wipes and frees the
 * key.  Threading: any thread.  Errors: -EINVAL for PEM that does not parse or does not fit
 * together, -ENOMEM, -EIO when OpenSSL fails otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"

enum {
	PKI_SERIAL_TEXT_SIZE = 41, /* hex of at most 20 bytes (RFC 5280 4.1.2.2) and NUL */
	PKI_NAME_SIZE = 65,        /* ub-common-name is 64 (RFC 5280 appendix A) */
};

/* A certificate and its private key. */
struct pki_pair {
	char *certificate; /* PEM */
	char *key;         /* PEM, PKCS#8 */
};

void pki_pair_deinit(struct pki_pair *pair);

/* When a certificate is valid: from an hour before 'now_ms' (clocks differ) for 'days'. */
struct pki_validity {
	uint64_t now_ms; /* unix */
	uint32_t days;
};

/* A self-signed CA that may only sign end certificates. */
must_check int pki_make_ca(const char *name, struct pki_validity validity, struct pki_pair *ret);

/* An IP address, or what can be a DNS name. */
bool pki_name_is_valid(const char *text);
/* The manager's certificate: 'names' are DNS names or IP addresses, at least one. */
must_check int pki_make_server(const struct pki_pair *ca, const char *const *names, size_t n_names,
			       struct pki_validity validity, struct pki_pair *ret);

/* A host's certificate, CN = 'host_id', usable as a client only. */
must_check int pki_make_host(const struct pki_pair *ca, const char *host_id,
			     struct pki_validity validity, struct pki_pair *ret);

/* What a certificate says. */
struct pki_info {
	char name[PKI_NAME_SIZE];          /* CN */
	char serial[PKI_SERIAL_TEXT_SIZE]; /* upper-case hex */
	uint64_t not_after_ms;             /* unix */
};

must_check int pki_info(const char *certificate, struct pki_info *ret);
must_check int pki_info_x509(const X509 *certificate, struct pki_info *ret);

/* Whether 'pair' is a certificate that 'ca_certificate' signed and the key that belongs to it.
 * Returns 0 or -EINVAL. */
must_check int pki_check(const char *ca_certificate, const struct pki_pair *pair);
