/* SPDX-License-Identifier: Apache-2.0 */
/* What a host takes from the wire, and for whom: as bpf/lib/ingress.h. */
#include "datapath/fake_verdict.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/fake_gateway.h"
#include "datapath/fake_peer.h"
#include "datapath/fake_spread.h"

static enum fake_verdict hold_for_verification(struct fake_host *h, const struct dp_peer *peer,
					       enum format format, enum seal_cipher seal,
					       const struct fake_flight *p, uint32_t *ret_reason)
{
	_cleanup_free_ uint8_t *frame = malloc(p->size);
	struct fake_note note = {.peer = peer->id,
				 .handle = p->handle,
				 .format = (uint16_t)format,
				 .seal = (uint16_t)seal};
	struct fake_flight noted = *p;

	if (!frame)
		return fake_refuse(h, NULL, p, DROP_UPCALL_LIMIT, ret_reason);
	memcpy(frame, p->frame, p->size);
	memcpy(frame, &note, sizeof(note));
	noted.frame = frame;
	return fake_hold(h, NULL, &noted, DP_UPCALL_VERIFY, ret_reason);
}

/* For an address that was here, from who lives there: dropped, and shown to the agent. */
static enum fake_verdict show_stale(struct fake_host *h, const struct dp_peer *peer,
				    const struct fake_flight *p, uint32_t *ret_reason)
{
	struct dp_upcall up = {.kind = DP_UPCALL_STALE,
			       .peer = peer->id,
			       .vni = p->vni,
			       .src = p->src,
			       .dst = p->dst};

	if (p->src_vni != p->vni)
		up.other_vni = p->src_vni;
	/* a queue that is full shows less of it */
	(void)!fake_queue_upcall(h, &up, p->frame, p->size);
	return fake_refuse(h, NULL, p, DROP_LOCAL_GONE, ret_reason);
}

/* From an edge: an address that no subnet of the network has needs no mapping, but for a
 * gateway. */
static bool is_outside(struct fake_host *h, const struct dp_peer *peer,
		       const struct fake_port *port, const struct fake_flight *p)
{
	return peer->edge && p->src_vni == p->vni && (!p->handle || port) &&
	       !fake_subnet_find(h, p->vni, &p->src);
}

/* In another version of what is accepted, or in none of it. */
static uint32_t format_refusal(uint32_t accept, enum format format)
{
	return accept & FORMAT_VERSIONS(format) ? DROP_FORMAT_VERSION : DROP_FORMAT;
}

/* As bpf/lib/seal.h. */
static uint32_t seal_refusal(const struct dp_peer *peer, enum seal_cipher seal, enum format format)
{
	uint32_t accept = seal ? peer->accept_sealed[seal] : peer->accept, sealed = 0;

	if (accept & FORMAT_BIT(format))
		return DROP_NONE;
	for (int i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		sealed |= peer->accept_sealed[i];
	if (seal)
		return accept & ~(uint32_t)SEAL_ACCEPT_LZ4 ? format_refusal(accept, format)
							   : DROP_SEALED;
	return sealed & FORMAT_BIT(format) ? DROP_PLAIN : format_refusal(accept, format);
}

/* The address is at 'peer', or at several hosts of which that is one. */
static bool is_at(const struct dp_mapping *m, uint32_t peer)
{
	for (uint32_t i = 0; i < m->n_peers; i++)
		if (m->peers[i] == peer)
			return true;
	return !m->n_peers && m->peer == peer;
}

enum fake_verdict fake_ingress(struct fake_host *h, const struct dp_peer *peer, enum format format,
			       enum seal_cipher seal, struct fake_flight *p, uint32_t *ret_reason)
{
	struct ipaddr into = ipaddr_from_v4(p->vni);
	struct dp_mapping *m =
		fake_mapping_find(h, p->src_vni, fake_is_forwarded(p) ? &into : &p->src);
	struct fake_port *port = p->handle ? fake_port_by_handle(h, p->handle)
					   : fake_port_by_addr(h, p->vni, &p->dst);
	struct dp_mapping outside = {.peer = peer ? peer->id : 0};
	struct dp_peer accepts;
	uint32_t reason;
	bool gone;

	p->format = format;
	if (!peer)
		return fake_refuse(h, NULL, p, DROP_UNKNOWN_PEER, ret_reason);
	if (p->src_vni != p->vni && !fake_is_forwarded(p) && !fake_is_peered(h, p->src_vni, p->vni))
		return fake_refuse(h, NULL, p, DROP_NOT_PEERED, ret_reason);
	accepts = fake_peer_decisive(peer, p->vni, &p->dst, fake_network_of(p), &p->src);
	reason = h->formats & FORMAT_BIT(format) ? seal_refusal(&accepts, seal, format)
						 : DROP_FORMAT;
	if (reason)
		return fake_refuse(h, NULL, p, reason, ret_reason);
	if (p->handle && !port && !fake_gateway_find(h, p->handle))
		return fake_refuse(h, NULL, p, DROP_HANDLE, ret_reason);
	if (!m && is_outside(h, peer, port, p))
		m = &outside;
	gone = !port && !p->handle && fake_has_departed(h, p->vni, &p->dst);
	if (!port && !p->handle && !gone)
		return fake_refuse(h, NULL, p, DROP_NOT_LOCAL, ret_reason);
	if (port && port->dp.disabled)
		return fake_refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (!m && gone)
		return fake_refuse(h, NULL, p, DROP_LOCAL_GONE, ret_reason);
	if (!m || (m->state == DP_MAPPING_HELD && !p->reinjected && !gone))
		return hold_for_verification(h, peer, format, seal, p, ret_reason);
	p->revision = m->revision;
	if (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE)
		return fake_refuse(h, NULL, p, DROP_SOURCE_REFUSED, ret_reason);
	if (!is_at(m, peer->id))
		return fake_refuse(h, NULL, p, DROP_SPOOF, ret_reason);
	if (gone)
		return show_stale(h, peer, p, ret_reason);
	if (p->handle)
		return fake_to_handle(h, p, ret_reason);
	reason = fake_ask(h, port, p, false, m->groups, m->n_groups);
	if (reason)
		return fake_refuse(h, port, p, reason, ret_reason);
	if (m->n_peers) {
		struct dp_pin_key key = fake_pin_key(port, p, false);

		fake_spread_note(h, m, &key, peer->id);
	}
	return fake_to_node(h, port, p, ret_reason);
}
