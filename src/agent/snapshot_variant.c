/* SPDX-License-Identifier: Apache-2.0 */
/* Variants of peers in the desired state on disk. */
#include "agent/convert.h"
#include "agent/snapshot_build.h"

/* Of a cipher, as desired_variant.c reads it. */
static const uint32_t snapshot_seals[SEAL_CIPHERS] = {
	[SEAL_CLEAR] = 0,
	[SEAL_AES_128_GCM] = FEATURE_BIT(FEATURE_CRYPT_1),
	[SEAL_AES_256_GCM] = FEATURE_BIT(FEATURE_CRYPT_2),
	[SEAL_AES_128_GMAC] = FEATURE_BIT(FEATURE_INTEGRITY_1),
};

static int snapshot_accepts(struct snapshot *s, const struct dp_variant *v,
			    Viaduct__Agent__Choice *c)
{
	c->accepts = arena_alloc_array(&s->arena, SEAL_CIPHERS, sizeof(*c->accepts));
	if (!c->accepts)
		return -ENOMEM;
	for (int i = SEAL_CLEAR; i < SEAL_CIPHERS; i++) {
		uint32_t bits = i == SEAL_CLEAR ? v->accept : v->accept_sealed[i];
		Viaduct__Agent__Accept *m;

		if (!bits)
			continue;
		m = arena_alloc(&s->arena, sizeof(*m));
		if (!m)
			return -ENOMEM;
		viaduct__agent__accept__init(m);
		m->formats = bits & ~(uint32_t)SEAL_ACCEPT_LZ4;
		m->features = snapshot_seals[i] |
			      (bits & SEAL_ACCEPT_LZ4 ? FEATURE_BIT(FEATURE_LZ4_1) : 0);
		c->accepts[c->n_accepts++] = m;
	}
	return 0;
}

static Viaduct__Agent__Variant *snapshot_variant(struct snapshot *s, const struct dp_variant *v)
{
	Viaduct__Agent__Variant *m = arena_alloc(&s->arena, sizeof(*m));
	Viaduct__Agent__Choice *c = arena_alloc(&s->arena, sizeof(*c));

	if (!m || !c)
		return NULL;
	viaduct__agent__variant__init(m);
	viaduct__agent__choice__init(c);
	m->vni = v->vni;
	m->peer_vni = v->peer_vni;
	if (!ipaddr_is_zero(&v->addr)) {
		m->addr = convert_bytes(&v->addr);
		m->peer_addr = convert_bytes(&v->peer_addr);
	}
	m->choice = c;
	c->send = v->send;
	c->send_features = snapshot_seals[v->seal] | (v->lz4 ? FEATURE_BIT(FEATURE_LZ4_1) : 0);
	c->alone = v->alone;
	c->outer_v6 = v->vxlan_over_v6;
	c->path_mtu = v->path_mtu;
	c->rate_bits = v->rate_bits;
	c->rate_burst = v->rate_burst;
	c->policy = snapshot_policy_id(s, v->policy);
	if (!c->policy)
		return NULL;
	return snapshot_accepts(s, v, c) ? NULL : m;
}

int snapshot_variants(struct snapshot *s, const struct desired_peer *p, Viaduct__Agent__Peer *m)
{
	m->variants = arena_alloc_array(&s->arena, p->dp.n_variants + 1, sizeof(*m->variants));
	if (!m->variants)
		return -ENOMEM;
	for (size_t i = 0; i < p->dp.n_variants; i++) {
		m->variants[i] = snapshot_variant(s, &p->variants[i]);
		if (!m->variants[i])
			return -ENOMEM;
		m->n_variants++;
	}
	return 0;
}
