/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's multi-buffer crypto library (intel-ipsec-mb.h), its direct calls for GCM.  A manager is a
 * table of functions for this processor here and has no state of a call, so that one serves all
 * threads.
 */
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "seal/aead.h"

enum { AEAD_TAG = 16 };

struct ipsec_mb_state {
	struct gcm_key_data key __attribute__((aligned(64)));
	struct gcm_context_data context;
	aes_gcm_enc_dec_t run;
};

static IMB_MGR *ipsec_mb;

static void ipsec_mb_drop(void *state)
{
	struct ipsec_mb_state *s = state;

	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

static int ipsec_mb_make(const uint8_t *key, size_t key_size, bool seals, void **ret)
{
	struct ipsec_mb_state *s = aligned_alloc(64, sizeof(*s));

	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof(*s));
	if (key_size == 32) {
		IMB_AES256_GCM_PRE(ipsec_mb, key, &s->key);
		s->run = seals ? ipsec_mb->gcm256_enc : ipsec_mb->gcm256_dec;
	} else {
		IMB_AES128_GCM_PRE(ipsec_mb, key, &s->key);
		s->run = seals ? ipsec_mb->gcm128_enc : ipsec_mb->gcm128_dec;
	}
	*ret = s;
	return 0;
}

static int ipsec_mb_seal(void *state, const struct aead_text *t, uint8_t tag[static AEAD_TAG])
{
	struct ipsec_mb_state *s = state;

	s->run(&s->key, &s->context, t->to, t->from, t->size, t->nonce, t->header, t->header_size,
	       tag, AEAD_TAG);
	return 0;
}

static int ipsec_mb_open(void *state, const struct aead_text *t, const uint8_t tag[static AEAD_TAG])
{
	uint8_t found[AEAD_TAG];

	(void)ipsec_mb_seal(state, t, found);
	return CRYPTO_memcmp(found, tag, AEAD_TAG) ? -EBADMSG : 0;
}

static const struct aead aead_by_ipsec_mb = {
	.name = "intel-ipsec-mb",
	.make = ipsec_mb_make,
	.drop = ipsec_mb_drop,
	.seal = ipsec_mb_seal,
	.open = ipsec_mb_open,
};

static void ipsec_mb_find(void)
{
	const uint64_t needed = IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;
	IMB_MGR *m = alloc_mb_mgr(0);
	IMB_ARCH arch;

	if (!m)
		return;
	init_mb_mgr_auto(m, &arch);
	if (arch == IMB_ARCH_AVX512 && (m->features & needed) == needed)
		ipsec_mb = m;
	else
		free_mb_mgr(m);
}

const struct aead *aead_ipsec_mb(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, ipsec_mb_find);
	return ipsec_mb ? &aead_by_ipsec_mb : NULL;
}
