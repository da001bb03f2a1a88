/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"

enum { MARK_SIZE = 6 * 8, MAC_SIZE_USED = 16 };

uint64_t page_list(const char *name)
{
	return hash_siphash13(0, 0, name, strlen(name));
}

static int authenticate(const uint8_t *key, const uint8_t *bytes, uint8_t ret[static MAC_SIZE_USED])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size = sizeof(digest);

	if (!HMAC(EVP_sha256(), key, PAGE_KEY_SIZE, bytes, MARK_SIZE, digest, &size))
		return -EIO;
	memcpy(ret, digest, MAC_SIZE_USED);
	return 0;
}

int page_encode(const uint8_t key[static PAGE_KEY_SIZE], const struct page_mark *m,
		char ret[static PAGE_TOKEN_SIZE])
{
	const uint64_t words[] = {m->account, m->list, m->kind, m->id, m->serial, m->part};
	uint8_t bytes[MARK_SIZE + MAC_SIZE_USED];
	int r;

	static_assert(sizeof(words) == MARK_SIZE, "every part is in the token");
	memcpy(bytes, words, sizeof(words));
	r = authenticate(key, bytes, bytes + MARK_SIZE);
	if (r)
		return r;
	hex_encode(bytes, sizeof(bytes), ret);
	return 0;
}

int page_decode(const uint8_t key[static PAGE_KEY_SIZE], const char *token, uint64_t account,
		uint64_t list, struct page_mark *ret)
{
	uint8_t bytes[MARK_SIZE + MAC_SIZE_USED], mac[MAC_SIZE_USED];
	uint64_t words[6];
	int r;

	if (hex_decode(token, bytes, sizeof(bytes)))
		return -EBADMSG;
	r = authenticate(key, bytes, mac);
	if (r)
		return r;
	memcpy(words, bytes, sizeof(words));
	if (CRYPTO_memcmp(mac, bytes + MARK_SIZE, sizeof(mac)) || words[0] != account ||
	    words[1] != list)
		return -EBADMSG;
	*ret = (struct page_mark){
		.account = words[0],
		.list = words[1],
		.kind = words[2],
		.id = words[3],
		.serial = words[4],
		.part = words[5],
	};
	return 0;
}
