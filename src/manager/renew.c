/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/renew.h"

#include "base/limits.h"
#include "base/log.h"
#include "manager/manager.h"
#include "wire/session.h"

static const uint64_t day_ms = UINT64_C(86400000);

static int issue(struct manager *manager, struct agent *agent, uint64_t now_ms)
{
	struct pki_validity validity = {now_ms, LIMIT_HOST_CERTIFICATE_DAYS};
	Viaduct__Agent__Certificate body = VIADUCT__AGENT__CERTIFICATE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct pki_pair pair;
	struct pki_info info;
	int r;

	r = pki_make_host(manager->ca, session_peer(agent->session)->name, validity, &pair);
	if (r)
		return r;
	body.certificate = pair.certificate;
	body.key = pair.key;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_CERTIFICATE;
	frame.certificate = &body;
	r = pki_info(pair.certificate, &info);
	if (!r)
		r = session_send(agent->session, &frame);
	if (!r)
		agent->certificate_until_ms = info.not_after_ms;
	pki_pair_deinit(&pair);
	return r;
}

static void check(struct manager *manager, struct agent *agent)
{
	uint64_t now_ms = clock_wall_ms(manager->clock);
	int r;

	/* 0: a session without certificates. */
	if (!manager->ca || !agent->session || !agent->certificate_until_ms ||
	    agent->certificate_until_ms > now_ms + LIMIT_HOST_CERTIFICATE_RENEW_DAYS * day_ms)
		return;
	r = issue(manager, agent, now_ms);
	if (!r) {
		log_info("certificate renewed", LOG_U64("host", agent->number));
	} else if (r != -ENOTCONN && r != -ENOBUFS) {
		log_err("certificate not renewed", LOG_U64("host", agent->number), LOG_ERRNO(r));
		agent->certificate_until_ms = 0; /* until the next session */
	}
}

void renew_begin(struct manager *manager, struct agent *agent)
{
	agent->certificate_until_ms = session_peer(agent->session)->not_after_ms;
	check(manager, agent);
}

void renew_tick(struct manager *manager)
{
	struct agent *agent;

	hmap_for_each (agent, &manager->agents.by_number, by_number)
		check(manager, agent);
}
