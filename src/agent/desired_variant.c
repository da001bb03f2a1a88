/* SPDX-License-Identifier: Apache-2.0 */
/* Variants of a peer: what was chosen for some of its nodes. */
#include "agent/convert.h"
#include "agent/desired_take.h"

/* What may come, in the clear or sealed. */
static const char *desired_read_accept(const Viaduct__Agent__Accept *m, struct dp_variant *v)
{
	uint32_t lz4 = m->features & FEATURE_BIT(FEATURE_LZ4_1) ? SEAL_ACCEPT_LZ4 : 0;
	enum seal_cipher cipher = seal_cipher_of(m->features);

	if (m->formats >> FORMAT_MAX || m->formats & FORMAT_BIT(FORMAT_NONE) ||
	    m->features >> FEATURE_MAX)
		return "a variant of the peer accepts what this agent does not know";
	if (cipher == SEAL_CLEAR)
		v->accept |= m->formats;
	else
		v->accept_sealed[cipher] |= m->formats | lz4;
	return NULL;
}

static const char *desired_read_variant_choice(const Viaduct__Agent__Choice *m,
					       struct dp_variant *v)
{
	const char *text = NULL;

	if (m->send >= FORMAT_MAX || m->send_features >> FEATURE_MAX)
		return "a variant of the peer sends what this agent does not know";
	if (m->path_mtu > UINT16_MAX)
		return "a variant's path MTU is above 65535";
	v->send = (enum format)m->send;
	v->alone = m->alone;
	v->seal = seal_cipher_of(m->send_features);
	v->lz4 = m->send_features & FEATURE_BIT(FEATURE_LZ4_1);
	v->vxlan_over_v6 = m->outer_v6;
	v->path_mtu = (uint16_t)m->path_mtu;
	v->rate_bits = m->rate_bits;
	v->rate_burst = m->rate_burst;
	v->policy = convert_policy(m->policy);
	for (size_t i = 0; i < m->n_accepts && !text; i++)
		text = desired_read_accept(m->accepts[i], v);
	return text;
}

static const char *desired_read_variant(const Viaduct__Agent__Variant *m, struct dp_variant *v)
{
	if (!convert_vni_is_valid(m->vni) || !convert_vni_is_valid(m->peer_vni))
		return "a variant's VNI is not one of a network";
	v->vni = m->vni;
	v->peer_vni = m->peer_vni;
	if (convert_optional_addr(&m->addr, &v->addr) ||
	    convert_optional_addr(&m->peer_addr, &v->peer_addr))
		return "an address of a variant is not 16 bytes";
	if (ipaddr_is_zero(&v->addr) != ipaddr_is_zero(&v->peer_addr))
		return "a variant has one address";
	if (!m->choice)
		return "a variant has no choice";
	return desired_read_variant_choice(m->choice, v);
}

const char *desired_read_variants(const Viaduct__Agent__Peer *m, struct desired_peer *p)
{
	const char *text = NULL;

	p->dp.n_variants = m->n_variants;
	p->dp.variants = p->variants;
	for (size_t i = 0; i < m->n_variants && !text; i++)
		text = desired_read_variant(m->variants[i], &p->variants[i]);
	return text;
}
