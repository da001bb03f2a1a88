/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two hosts use between them.  See pair.h.
 */
#include "model/pair.h"

#include <string.h>

#include "model/host.h"

const struct pair_class pair_all;

struct pair_class pair_class_reverse(const struct pair_class *c)
{
	return (struct pair_class){c->peer_vni, c->vni, c->peer_interface, c->interface};
}

uint32_t choice_formats(const struct choice *c)
{
	uint32_t formats = 0;

	for (size_t i = 0; i < c->n_accepts; i++)
		formats |= c->accepts[i].formats;
	return formats;
}

void pair_wish(const struct model *m, const struct host *from, const struct host *to,
	       const struct pair_class *c, struct wish *ret)
{
	struct ability a = ability_of(from), b = ability_of(to);

	negotiate(&a, from->name, &b, to->name, NULL, ret);
}

/* What a receiver takes that has to infer what is used: whatever is left of what both have. */
static void accept_permitted(const struct wish *w, struct choice *c)
{
	static const uint32_t seals[] = {0, FEATURE_BIT(FEATURE_INTEGRITY_1),
					 FEATURE_BIT(FEATURE_CRYPT_1), FEATURE_BIT(FEATURE_CRYPT_2)};
	uint32_t lz4 = w->permitted_features & FEATURE_BIT(FEATURE_LZ4_1);
	uint32_t required = w->required_features;

	for (size_t i = 0; i < ARRAY_SIZE(seals); i++) {
		bool crypt = seals[i] & FEATURES_CRYPT;

		if (seals[i] & ~w->permitted_features || (required & FEATURES_CRYPT && !crypt) ||
		    (required & FEATURE_BIT(FEATURE_INTEGRITY_1) && !seals[i]))
			continue;
		c->accepts[c->n_accepts++] = (struct accept){w->permitted_formats, seals[i] | lz4};
	}
}

static void add_accepts(const struct wish *in, struct choice *c)
{
	if (in->send == FORMAT_NONE)
		return;
	if (in->inferred)
		accept_permitted(in, c);
	else
		c->accepts[c->n_accepts++] = (struct accept){in->formats, in->features & FEATURES_PAYLOAD};
}

void pair_choice(const struct model *m, const struct host *self, const struct host *peer,
		 const struct pair_class *c, struct choice *ret)
{
	struct pair_class reverse = pair_class_reverse(c);
	struct wish out, in;

	pair_wish(m, self, peer, c, &out);
	pair_wish(m, peer, self, &reverse, &in);
	*ret = (struct choice){
		.send = out.send,
		.send_formats = out.formats,
		.send_features = out.features,
		.outer_v6 = out.outer_v6,
		.path_mtu = out.path_mtu,
		.overhead = out.overhead,
		.rate = out.rate,
		.inferred = in.inferred,
		.policy = out.policy.id,
	};
	memcpy(ret->reason, out.reason, sizeof(ret->reason));
	add_accepts(&in, ret);
}
