/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/aead.h"

#include <pthread.h>
#include <string.h>

#include "base/log.h"

enum { AEAD_TEST = 1000 };

#ifndef HAVE_IPSEC_MB
const struct aead *aead_ipsec_mb(void)
{
	return NULL;
}
#endif

/* What 'a' makes of the test message: text and tag. */
static bool aead_try(const struct aead *a, size_t key_size, const uint8_t text[static AEAD_TEST],
		     uint8_t ret[static AEAD_TEST + 16])
{
	static const uint8_t key[32] = {1, 2, 3}, nonce[12] = {4, 5, 6};
	const struct aead_text t = {.nonce = nonce,
				    .header = text,
				    .header_size = 16,
				    .from = text + 16,
				    .to = ret,
				    .size = AEAD_TEST - 16};
	void *state;
	int e = a->make(key, key_size, true, &state);

	if (e)
		return false;
	e = a->seal(state, &t, ret + AEAD_TEST - 16);
	a->drop(state);
	return !e;
}

static bool aead_agree(const struct aead *a, const struct aead *b)
{
	uint8_t text[AEAD_TEST], by_a[AEAD_TEST + 16] = {0}, by_b[AEAD_TEST + 16] = {0};

	for (int i = 0; i < AEAD_TEST; i++)
		text[i] = (uint8_t)(i * 7);
	for (size_t key_size = 16; key_size <= 32; key_size += 16)
		if (!aead_try(a, key_size, text, by_a) || !aead_try(b, key_size, text, by_b) ||
		    memcmp(by_a, by_b, sizeof(by_a)))
			return false;
	return true;
}

static const struct aead *aead_chosen = &aead_openssl;

static void aead_choose(void)
{
	const struct aead *quick = aead_ipsec_mb();

	if (!quick)
		return;
	if (aead_agree(quick, &aead_openssl))
		aead_chosen = quick;
	else
		log_warn("two libraries seal differently: only OpenSSL is used",
			 LOG_STR("other", quick->name));
}

const struct aead *aead_best(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, aead_choose);
	return aead_chosen;
}
