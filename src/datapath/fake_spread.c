/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/fake_spread.h"

#include <string.h>

static bool has(const struct dp_mapping *m, uint32_t peer)
{
	for (uint32_t i = 0; i < m->n_peers; i++)
		if (m->peers[i] == peer)
			return true;
	return false;
}

static struct fake_pin *find(struct fake_host *h, const struct dp_pin_key *key)
{
	for (size_t i = 0; i < h->pins.n; i++) {
		struct fake_pin *pin = (struct fake_pin *)h->pins.rows + i;

		if (!memcmp(&pin->key, key, sizeof(*key)))
			return pin;
	}
	return NULL;
}

/* Without memory the connection goes by its weights. */
static void pin(struct fake_host *h, const struct dp_pin_key *key, uint32_t peer)
{
	struct fake_pin record = {*key, peer};

	(void)!fake_table_put(&h->pins, find(h, key), &record);
}

int fake_spread_choose(struct fake_host *h, const struct dp_mapping *m,
		       const struct dp_pin_key *key, bool here, uint32_t *ret)
{
	const struct fake_pin *is = find(h, key);
	uint64_t flow = dp_spread_flow(key), most = 0;
	bool found = false;

	if (is && has(m, is->peer)) {
		*ret = is->peer;
		return 0;
	}
	for (uint32_t i = 0; i < m->n_peers; i++) {
		const struct dp_peer *peer = fake_peer_find(h, m->peers[i]);
		uint64_t weight = dp_spread_weight(flow, m->peers[i]);

		if (m->peers[i] ? !peer || peer->send == FORMAT_NONE : !here)
			continue;
		if (found && weight <= most)
			continue;
		found = true;
		most = weight;
		*ret = m->peers[i];
	}
	if (!found)
		return -EHOSTUNREACH;
	pin(h, key, *ret);
	return 0;
}

void fake_spread_note(struct fake_host *h, const struct dp_mapping *m, const struct dp_pin_key *key,
		      uint32_t peer)
{
	const struct fake_pin *is = find(h, key);

	if (!is || !has(m, is->peer))
		pin(h, key, peer);
}
