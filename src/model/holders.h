/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holders (MAP-3): which host holds which mapping, until when, and what it knows of it.
 *
 * An entry is (VNI, address, host).  It is renewed by each answer, and ends when the host lets go,
 * when its lifetime is over (holders_expire(): for connected hosts; a disconnected host's entries
 * are kept, for it may be using them), or when the host is removed.  Times are milliseconds of the
 * caller's clock; one that is HOLDERS_NEVER over (of a preloaded network, MAP-7) stays so, however
 * it is renewed, until holders_lease(). Volatile: hosts tell what they hold when they connect.
 *
 * One thread.  Errors: -ENOMEM, and nothing has changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

struct holders;
struct mapping_key;

must_check int holders_new(struct holders **ret);
struct holders *holders_free(struct holders *h);
CLEANUP_DEFINE(struct holders *, holders_free);

#define HOLDERS_NEVER UINT64_MAX

/* 'host' holds the mapping as of 'revision' until 'expires_ms'; renews an entry that is there. */
must_check int holders_add(struct holders *h, uint32_t vni, const struct ipaddr *addr,
			   uint32_t host, uint64_t revision, uint64_t expires_ms);
must_check int holders_add_key(struct holders *h, const struct mapping_key *key, uint32_t host,
			       uint64_t revision, uint64_t expires_ms);
enum { HOLDERS_PREFETCH_STAGES = 5 };
/* Brings nearer to the processor what holders_add_key() will read, in stages 0 to 4 with other work
 * between them.  For many at a time; changes nothing. */
void holders_prefetch(const struct holders *h, unsigned int stage, const struct mapping_key *key,
		      uint32_t host);
/* The time of an entry that is there is 'expires_ms', also when it was never. */
void holders_lease(struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host,
		   uint64_t expires_ms);
/* That of all entries of 'host' in the network that were never over. */
void holders_lease_network(struct holders *h, uint32_t vni, uint32_t host, uint64_t expires_ms);
/* And the other way: all entries of 'host' in the network are never over. */
void holders_keep_network(struct holders *h, uint32_t vni, uint32_t host);
/* False when there was none. */
bool holders_remove(struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host);
void holders_remove_host(struct holders *h, uint32_t host);
/* Removes entries of 'host' that were over before 'now_ms', the least recently renewed first, up to
 * the first that is not over, at most 'max' of them; returns how many. */
size_t holders_expire(struct holders *h, uint32_t host, uint64_t now_ms, size_t max);

size_t holders_count(const struct holders *h);
size_t holders_memory(const struct holders *h);
bool holders_any(const struct holders *h, uint32_t vni, const struct ipaddr *addr);
/* Somebody holds it as it was before 'revision'. */
bool holders_any_before(const struct holders *h, uint32_t vni, const struct ipaddr *addr,
			uint64_t revision);

struct holder {
	uint32_t vni;
	struct ipaddr addr;
	uint32_t host;
	uint64_t revision; /* of the mapping as the host knows it */
	uint64_t expires_ms;
};
/* False when 'host' holds no such mapping. */
bool holders_get(const struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host,
		 struct holder *ret);
/* Call 'fn' for each holder of a mapping, or for each mapping of a host.  'fn' may remove the entry
 * it is called for, and change nothing else. */
void holders_each_of_mapping(const struct holders *h, uint32_t vni, const struct ipaddr *addr,
			     void (*fn)(void *data, const struct holder *e), void *data);
void holders_each_of_host(const struct holders *h, uint32_t host,
			  void (*fn)(void *data, const struct holder *e), void *data);
