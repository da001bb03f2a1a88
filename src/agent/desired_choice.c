/* SPDX-License-Identifier: Apache-2.0 */
/* What the manager chose between this host and a peer, as the data plane and the sealing worker
 * want it. */
#include <string.h>

#include "abi/feature.h"
#include "agent/convert.h"
#include "agent/desired_take.h"

static const char *choice_read_accepts(const Viaduct__Agent__Choice *m, struct desired_peer *p)
{
	p->dp.accept = 0;
	for (size_t i = 0; i < m->n_accepts; i++) {
		const Viaduct__Agent__Accept *a = m->accepts[i];
		enum seal_cipher cipher = seal_cipher_of(a->features);

		if (a->formats >> FORMAT_MAX || a->features >> FEATURE_MAX)
			return "the peer may use something that this agent does not know";
		if (cipher == SEAL_CLEAR) {
			p->dp.accept |= a->formats;
			continue;
		}
		p->dp.accept_sealed[cipher] |= a->formats;
		if (a->features & FEATURE_BIT(FEATURE_LZ4_1))
			p->dp.accept_sealed[cipher] |= SEAL_ACCEPT_LZ4;
	}
	return NULL;
}

static const char *choice_read_key(const Viaduct__Agent__PairKey *m, struct desired_peer *p)
{
	struct desired_peer_key *k = &p->keys[p->n_keys];

	k->cipher = seal_spi_cipher(m->spi);
	if (k->cipher == SEAL_CLEAR || m->spi & SEAL_SPI_PARTIAL ||
	    m->key.len != (k->cipher == SEAL_AES_256_GCM ? 32 : 16))
		return "a key for the peer is none";
	k->spi = m->spi;
	k->seals = m->send;
	k->made_ms = m->made;
	k->incarnation = m->incarnation;
	memcpy(k->key, m->key.data, m->key.len);
	p->n_keys++;
	return NULL;
}

const char *desired_read_choice(const Viaduct__Agent__Choice *m, struct desired_peer *p)
{
	const char *text = choice_read_accepts(m, p);

	if (text)
		return text;
	if (m->send >= FORMAT_MAX || m->send_features >> FEATURE_MAX)
		return "the peer's choice is none that this agent knows";
	if (m->path_mtu > UINT16_MAX)
		return "the peer's path MTU is above 65535";
	if (m->n_keys > DESIRED_PEER_KEYS)
		return "the peer has more keys than this agent keeps";
	p->dp.send = (enum format)m->send;
	p->dp.alone = m->alone;
	p->dp.path_mtu = (uint16_t)m->path_mtu;
	p->dp.vxlan_over_v6 = m->outer_v6;
	p->features = m->send_features;
	p->dp.seal = seal_cipher_of(m->send_features);
	if (m->send_features & FEATURE_BIT(FEATURE_RATE_1)) {
		p->dp.rate_bits = m->rate_bits;
		p->dp.rate_burst = m->rate_burst;
	}
	p->dp.policy = convert_policy(m->policy);
	for (size_t i = 0; i < m->n_keys; i++) {
		text = choice_read_key(m->keys[i], p);
		if (text)
			return text;
	}
	return NULL;
}

static bool choice_is_sealed(enum seal_cipher seal, const uint32_t accept_sealed[SEAL_CIPHERS])
{
	for (int i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		if (accept_sealed[i])
			return true;
	return seal != SEAL_CLEAR;
}

bool desired_peer_is_sealed(const struct desired_peer *p)
{
	bool sealed = choice_is_sealed(p->dp.seal, p->dp.accept_sealed);

	for (size_t i = 0; i < p->dp.n_variants && !sealed; i++)
		sealed = choice_is_sealed(p->variants[i].seal, p->variants[i].accept_sealed);
	return sealed;
}
