/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is told of itself and of its peers: where they are, and what is used between the
 * two. */
#include "manager/message_build.h"

void message_set_host(struct message *c, const struct plan_host *host)
{
	viaduct__agent__host_config__init(&c->host);
	c->host.number = host->number;
	c->host.name = (char *)host->name;
	c->host.siit1 = message_locator_or_empty(&host->locators.siit1);
	c->host.siit2 = message_locator_or_empty(&host->locators.siit2);
	c->host.v4 = message_addr_or_empty(&host->locators.v4);
	c->host.v6 = message_addr_or_empty(&host->locators.v6);
	c->host.aliases = message_locator_or_empty(&host->locators.aliases);
	c->host.aliases_len = host->locators.aliases.len;
	c->host.edge = host->edge;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_HOST;
	c->object.host = &c->host;
}

static void set_choice(struct message_choice *m, const struct choice *choice)
{
	Viaduct__Agent__Choice *c = &m->choice;

	viaduct__agent__choice__init(c);
	c->send = choice->send;
	c->send_features = choice->send_features;
	for (size_t i = 0; i < choice->n_accepts; i++) {
		viaduct__agent__accept__init(&m->accepts[i]);
		m->accepts[i].formats = choice->accepts[i].formats;
		m->accepts[i].features = choice->accepts[i].features;
		m->accept_pointers[i] = &m->accepts[i];
	}
	c->n_accepts = choice->n_accepts;
	c->accepts = m->accept_pointers;
	c->path_mtu = choice->path_mtu;
	c->outer_v6 = choice->outer_v6;
	c->rate_bits = choice->rate.bits;
	c->rate_burst = choice->rate.burst;
	if (choice->policy)
		c->policy = (char *)id_text_prefixed(ID_PREFIX_CHOICE_POLICY, choice->policy,
						     m->policy);
	c->reason = (char *)choice->reason;
	c->inferred = choice->inferred;
	c->alone = choice->send == FORMAT_REIP4_1 &&
		   !(choice->send_formats & FORMAT_BIT(FORMAT_VXLAN_1));
}

/* The variant comes first: pointers to these are pointers to it. */
struct message_variant {
	Viaduct__Agent__Variant variant;
	struct message_choice choice;
};

/* For the one who sends or takes packets: the reasons stay here. */
static void fill_variant(struct message_variant *m, const struct plan_variant *v)
{
	viaduct__agent__variant__init(&m->variant);
	m->variant.vni = v->vni;
	m->variant.addr = message_addr_or_empty(&v->addr);
	m->variant.peer_vni = v->peer_vni;
	m->variant.peer_addr = message_addr_or_empty(&v->peer_addr);
	set_choice(&m->choice, v->choice);
	m->choice.choice.reason = (char *)protobuf_c_empty_string;
	m->variant.choice = &m->choice.choice;
}

static int set_variants(struct message *c, const struct plan_peer *peer)
{
	void **variants;

	if (!peer->n_variants)
		return 0;
	variants = message_alloc(c, peer->n_variants, sizeof(struct message_variant));
	if (!variants)
		return -ENOMEM;
	for (size_t i = 0; i < peer->n_variants; i++)
		fill_variant(variants[i], &peer->variants[i]);
	c->peer.n_variants = peer->n_variants;
	c->peer.variants = (Viaduct__Agent__Variant **)variants;
	return 0;
}

int message_set_peer(struct message *c, const struct plan_peer *peer)
{
	int r = 0;

	viaduct__agent__peer__init(&c->peer);
	c->peer.number = peer->number;
	c->peer.name = (char *)peer->name;
	c->peer.siit1 = message_locator_or_empty(&peer->locators.siit1);
	c->peer.siit2 = message_locator_or_empty(&peer->locators.siit2);
	c->peer.v4 = message_addr_or_empty(&peer->locators.v4);
	c->peer.v6 = message_addr_or_empty(&peer->locators.v6);
	c->peer.aliases = message_locator_or_empty(&peer->locators.aliases);
	c->peer.aliases_len = peer->locators.aliases.len;
	c->peer.send = peer->choice.send;
	c->peer.accept = choice_formats(&peer->choice);
	c->peer.path_mtu = peer->choice.path_mtu;
	c->peer.vxlan_over_v6 = peer->choice.outer_v6;
	c->peer.reason = (char *)peer->choice.reason;
	c->peer.edge = peer->edge;
	c->peer.foreign = peer->foreign;
	set_choice(&c->choice, &peer->choice);
	c->peer.choice = &c->choice.choice;
	if (set_variants(c, peer))
		return -ENOMEM;
	if (c->keyring)
		r = keyring_fill(c->keyring, c->self, peer->number, &peer->choice, &c->choice.keys);
	for (size_t i = 0; i < peer->n_variants && c->keyring && !r; i++)
		if (!i || peer->variants[i].choice != peer->variants[i - 1].choice)
			r = keyring_fill_more(c->keyring, c->self, peer->number,
					      peer->variants[i].choice, &c->choice.keys);
	c->choice.choice.n_keys = r || !c->keyring ? 0 : c->choice.keys.n;
	c->choice.choice.keys = c->choice.keys.pointers;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_PEER;
	c->object.peer = &c->peer;
	return r;
}
