/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The join bundle: who this host is in its cluster, and how it proves it. The manager prints it
 * once ("viaduct host add"); "viaduct-agent join" checks it and installs it, readable by root
 * alone.
 *
 * JSON: {"version":1, "host":{"id","name","number"}, "ca":PEM, "certificate":PEM, "key":PEM,
 * "managers":["[fd00::1]:8774"], "cluster_id":N}.  Managers are numeric addresses with a port.
 *
 * Ownership: embedded; heap strings inside: bundle_deinit() wipes the key.  Errors: 0 or a negative
 * errno with a text for people; -EINVAL: the bundle is damaged, expired or contradicts itself.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/pki.h"

struct bundle_manager {
	char *name; /* the address, as the certificate must have it */
	struct sockaddr_storage addr;
	socklen_t addr_size;
};

struct bundle {
	char *host_id, *host_name;
	uint32_t number;
	uint64_t cluster_id;
	char *ca;
	struct pki_pair pair;
	struct bundle_manager *managers;
	size_t n_managers;
};

enum { BUNDLE_ERROR_SIZE = 256 };

void bundle_deinit(struct bundle *b);
#define _cleanup_bundle_ _cleanup_(bundle_deinit)

/* Reads and checks the bundle in the file 'path'; 'now_ms' is Unix time. */
must_check int bundle_read(const char *path, uint64_t now_ms, struct bundle *ret,
			   char reterr_text[static BUNDLE_ERROR_SIZE]);
/* Checks the file 'path' and copies it into the directory 'state', which is made when missing.
 * -EEXIST: another host's bundle is there: leave first. */
must_check int bundle_install(const char *path, const char *state, uint64_t now_ms,
			      char reterr_text[static BUNDLE_ERROR_SIZE]);
/* Puts 'pair' into the bundle in the file 'path' and into 'b', which was read from it.  -EINVAL: it
 * is not this host's, not of this cluster, or ends no later than what is there; nothing has changed
 * then. */
must_check int bundle_renew(const char *path, struct bundle *b, const struct pki_pair *pair,
			    uint64_t now_ms, char reterr_text[static BUNDLE_ERROR_SIZE]);
/* The path of the installed bundle, to be freed. */
must_check int bundle_path(const char *state, char **ret);
