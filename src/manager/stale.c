/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/stale.h"

#include "abi/substrate.h"
#include "base/limits.h"
#include "base/log.h"
#include "manager/journal.h"
#include "manager/manager.h"
#include "manager/message.h"
#include "manager/preload.h"
#include "manager/updates.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "net/log_addr.h"
#include "wire/session.h"

/* What the sender's host may know of the address: 0 with '*ret', MODEL_E_MAPPING_UNKNOWN: that it
 * is nowhere; or another refusal: nothing, the source is not there. */
static int may_know(const struct manager *manager, uint32_t host, const struct mapping_key *src,
		    const struct mapping_key *addr, const struct mapping **ret)
{
	const struct model *m = manager->model;
	const struct mapping *from;

	if (src->vni < SUBSTRATE_VNI_HANDLE_MIN)
		return mapping_resolve_key(m, host, MAPPING_SEND, src, addr, NULL, ret, NULL);
	/* a node that forwards, by its handle: into which network it may is known as an address */
	from = mapping_find_key(model_mappings(m), src);
	if (!from || !mapping_is_at(from, host) || ipaddr_v4(&src->addr) != addr->vni)
		return MODEL_E_MAPPING_NOT_HERE;
	*ret = mapping_find_key(model_mappings(m), addr);
	return *ret && (*ret)->host && !ipaddr_is_link_local(&addr->addr) ? 0
									  : MODEL_E_MAPPING_UNKNOWN;
}

/* One that is not on record as a holder is put there before it is told, as with an answer; one that
 * has not acknowledged what is new stays on record with what it knows. */
static int push(struct manager *manager, struct agent *to, const struct mapping *now)
{
	struct holders *holders = model_holders(manager->model);
	uint64_t expires = preload_keeps(to, now->vni)
				   ? HOLDERS_NEVER
				   : manager_now_ms(manager) + manager_lease_ms(manager);
	struct holder holder;
	int r = 0;

	if (now->host && (!holders_get(holders, now->vni, &now->addr, to->number, &holder) ||
			  holder.revision >= now->revision))
		r = holders_add(holders, now->vni, &now->addr, to->number, now->revision, expires);
	if (!r)
		updates_queue(manager, to, now);
	return r;
}

/* Nothing is told that may yet be undone: if it still sends when that is durable, this comes
 * again. */
static bool is_durable(const struct manager *manager, const struct mapping *found)
{
	return found ? found->revision <= journal_durable(manager->journal)
		     : !journal_is_pending(manager->journal);
}

static int correct(struct manager *manager, const struct agent *teller, struct agent *sender,
		   const struct mapping_key *src, const struct mapping_key *addr)
{
	struct mapping gone = {.vni = addr->vni,
			       .addr = addr->addr,
			       .revision = journal_durable(manager->journal)};
	const struct mapping *found = mapping_find_key(model_mappings(manager->model), addr),
			     *now = &gone;
	int r;

	if (found && mapping_is_at(found, teller->number)) {
		log_debug("an address is not at the host that should have it",
			  LOG_U64("host", teller->number), LOG_ADDR("addr", &addr->addr));
		return 0;
	}
	r = may_know(manager, sender->number, src, addr, &now);
	if (r && (r != MODEL_E_MAPPING_UNKNOWN || (found && found->host)))
		return 0; /* it may know nothing of this; nor that it is somewhere */
	if (!is_durable(manager, found))
		return 0;
	if (r)
		now = &gone;
	sender->n_corrected++;
	log_info("a host had not heard where an address is", LOG_U64("host", sender->number),
		 LOG_U64("vni", addr->vni), LOG_ADDR("addr", &addr->addr),
		 LOG_U64("teller", teller->number));
	return push(manager, sender, now);
}

static void correct_one(struct manager *manager, const struct agent *teller,
			const Viaduct__Agent__StaleMapping *m)
{
	struct agent *sender = agents_find(&manager->agents, m->host);
	struct mapping_key src, addr;
	struct ipaddr from, to;
	int r;

	/* a host that comes back says what it holds; to one that is behind the word is on its
	 * way */
	if (!sender || sender == teller || !sender->session ||
	    sender->n_updates >= LIMIT_STALE_BEHIND || message_addr(&m->src, &from) ||
	    message_addr(&m->addr, &to))
		return;
	src = mapping_key_of(m->src_vni, &from);
	addr = mapping_key_of(m->vni, &to);
	r = correct(manager, teller, sender, &src, &addr);
	if (r)
		log_err("a holder is not told again", LOG_U64("host", sender->number),
			LOG_ERRNO(r));
}

void stale_correct(struct manager *manager, struct agent *agent, const Viaduct__Agent__Stale *stale)
{
	if (stale->n_mappings > LIMIT_STALE_MAPPINGS) {
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "too many mappings in one Stale");
		return;
	}
	for (size_t i = 0; i < stale->n_mappings; i++)
		correct_one(manager, agent, stale->mappings[i]);
}
