/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP and DNS for the nodes: between the codecs (dhcp.h, dns.h), the records and the data
 * plane. */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/dhcp.h"
#include "agent/dns.h"
#include "agent/reply.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"

struct serve_dns {
	struct list link;
	struct agent *agent;
	struct question question;
	uint32_t port;
	char interface_id[DRIVER_ID_SIZE]; /* the port may be another's when the answer comes */
	struct dns_question dns;
	struct ipaddr asker, resolver;
	uint16_t asker_port;
};

/* The interface behind a port, and its subnet; false when either is unknown (no longer, or not
 * yet). */
static bool serve_find(const struct agent *a, uint32_t id, const struct desired_interface **ret_i,
		       const struct desired_subnet **ret_s)
{
	const struct port *port = ports_find(&a->ports, id);

	*ret_i = port ? desired_find_interface(&a->desired, port->interface_id) : NULL;
	*ret_s = *ret_i ? desired_find_subnet(&a->desired, (*ret_i)->vni, &(*ret_i)->subnet) : NULL;
	return *ret_s;
}

static void serve_deliver(struct agent *a, uint32_t port, const struct reply_udp *u)
{
	_cleanup_buf_ struct buf frame;
	int e;

	buf_init(&frame, LIMIT_AGENT_REPLY_SIZE);
	reply_build(&frame, u);
	e = buf_error(&frame);
	if (!e)
		e = datapath_deliver(a->dp, port, buf_data(&frame), buf_size(&frame));
	if (e)
		log_debug("answer not delivered", LOG_U64("port", port), LOG_ERRNO(e));
}

/* ---- DHCP ---- */

static size_t serve_v4_servers(const struct ipaddr *from, size_t n, struct ipaddr *to)
{
	size_t n_v4 = 0;

	for (size_t k = 0; k < n; k++)
		if (ipaddr_is_v4(&from[k]))
			to[n_v4++] = from[k];
	return n_v4;
}

/* The network's resolver serves unless the VPC's DHCP options name others. */
static struct dhcp_lease serve_lease(const struct desired_interface *i,
				     const struct desired_subnet *s)
{
	struct dhcp_lease lease = {
		.mac = i->driver.mac,
		.addr = i->addrs[0],
		.subnet = s->dp.prefix,
		.router = s->dp.router,
		.network = s->network,
		.n_routes = i->n_routes,
		.routes = i->routes,
		.mtu = (uint16_t)i->driver.mtu,
		.host_name = i->host_name,
		.domain = *i->domain_name ? i->domain_name : s->domain,
	};

	lease.n_resolvers = serve_v4_servers(i->dns_servers, i->n_dns_servers, lease.resolvers);
	lease.n_ntp = serve_v4_servers(i->ntp_servers, i->n_ntp_servers, lease.ntp);
	if (!i->n_dns_servers && i->dns && !ipaddr_is_zero(&s->dp.resolver))
		lease.resolvers[lease.n_resolvers++] = s->dp.resolver;
	return lease;
}

static void serve_dhcp_answer(struct agent *a, uint32_t port, const struct dhcp_lease *lease,
			      const struct mac *router_mac, const struct dhcp_answer *answer,
			      const struct buf *payload)
{
	struct reply_udp u = {
		.source_mac = *router_mac,
		.destination_mac = lease->mac,
		.source = lease->router,
		.destination = answer->destination,
		.source_port = DHCP_SERVER_PORT,
		.destination_port = DHCP_CLIENT_PORT,
		.payload = buf_data(payload),
		.size = buf_size(payload),
	};

	if (answer->broadcast) {
		u.destination = ipaddr_from_v4(UINT32_MAX);
		u.destination_mac = (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	}
	a->n_dhcp_answers++;
	serve_deliver(a, port, &u);
}

static int serve_dhcp_request(struct agent *a, const struct dp_upcall *upcall)
{
	const struct desired_interface *i;
	const struct desired_subnet *s;
	_cleanup_buf_ struct buf payload;
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct dhcp_lease lease;
	struct reply_udp request;
	int e;

	buf_init(&payload, LIMIT_AGENT_REPLY_SIZE);
	if (!serve_find(a, upcall->port, &i, &s) || !ipaddr_is_v4(&i->addrs[0]))
		return -ENOENT;
	e = reply_parse(upcall->frame, upcall->size, &request);
	if (e)
		return e;
	if (request.destination_port != DHCP_SERVER_PORT)
		return -EBADMSG;
	lease = serve_lease(i, s);
	e = dhcp_serve(request.payload, request.size, &lease, &payload, &verdict, &answer);
	if (e)
		return e;
	log_debug("DHCP", LOG_STR("interface", i->driver.id), LOG_STR("answer", answer.kind));
	if (verdict == DHCP_ANSWER)
		serve_dhcp_answer(a, upcall->port, &lease, &s->dp.router_mac, &answer, &payload);
	return 0;
}

void serve_dhcp(struct agent *a, struct dp_upcall *upcall)
{
	if (serve_dhcp_request(a, upcall))
		a->n_bad_requests++;
	datapath_upcall_free(upcall);
}

/* ---- DNS ---- */

static void serve_dns_free(struct serve_dns *d)
{
	questions_cancel(&d->agent->questions, &d->question);
	list_remove(&d->link);
	d->agent->n_dns--;
	free(d);
}

/* Sends the answer to whoever asked, if it is still there. */
static void serve_dns_answer(struct agent *a, const struct serve_dns *d, enum dns_rcode rcode,
			     const struct ipaddr *addr, const char *name)
{
	const struct desired_interface *i;
	const struct desired_subnet *s;
	_cleanup_buf_ struct buf payload;

	buf_init(&payload, LIMIT_AGENT_REPLY_SIZE);
	if (!a->dp || !serve_find(a, d->port, &i, &s) || !str_equal(i->driver.id, d->interface_id))
		return;
	dns_answer(&payload, &d->dns, rcode, addr, name);
	if (buf_error(&payload))
		return;

	const struct reply_udp u = {
		.source_mac = s->dp.router_mac,
		.destination_mac = i->driver.mac,
		.source = d->resolver,
		.destination = d->asker,
		.source_port = DNS_PORT,
		.destination_port = d->asker_port,
		.payload = buf_data(&payload),
		.size = buf_size(&payload),
	};

	a->n_dns_answers++;
	serve_deliver(a, d->port, &u);
}

/* "10.0.0.4 is here" as the name that EC2 gives it. */
static void serve_dns_address(struct agent *a, const struct serve_dns *d, const struct ipaddr *addr)
{
	const struct desired_interface *i;
	const struct desired_subnet *s;
	char name[DNS_NAME_SIZE + 32];
	uint32_t v4 = ipaddr_v4(addr);

	if (!serve_find(a, d->port, &i, &s))
		return;
	snprintf(name, sizeof(name), "ip-%u-%u-%u-%u%s%s", v4 >> 24, v4 >> 16 & 0xff,
		 v4 >> 8 & 0xff, v4 & 0xff, *s->domain ? "." : "", s->domain);
	serve_dns_answer(a, d, DNS_NOERROR, NULL, name);
}

/* The manager does not know it: our domain is ours to deny, of bare names we know nothing. */
static enum dns_rcode serve_dns_unknown(const struct serve_dns *d)
{
	return d->dns.in_domain || d->dns.kind == DNS_ADDRESS ? DNS_NXDOMAIN : DNS_REFUSED;
}

static void serve_dns_ask(struct agent *a, struct serve_dns *d, uint32_t vni, bool v6);

/* The name has no IPv6 address; whether there is such a name is another question. */
static void serve_dns_without_v6(struct agent *a, struct serve_dns *d, uint32_t vni)
{
	struct ipaddr v4;
	bool fresh;

	if (names_get(&a->names, vni, d->dns.label, false, agent_now(a), &v4, &fresh) || !fresh) {
		d->question = (struct question){0};
		serve_dns_ask(a, d, vni, false);
		return;
	}
	serve_dns_answer(a, d, DNS_NOERROR, NULL, NULL);
	serve_dns_free(d);
}

static void serve_dns_told(struct question *q, enum question_result result,
			   const struct answer *answer, void *arg)
{
	struct serve_dns *d = arg;
	struct agent *a = d->agent;
	struct ipaddr stale;
	bool fresh;

	/* The manager counts us as a holder now, so we are one; packets will follow. */
	if (result == QUESTION_OK && miss_learn(&a->miss, answer))
		log_debug("mapping of a name not kept");
	if (result == QUESTION_OK && d->dns.kind == DNS_ADDRESS) {
		serve_dns_address(a, d, &q->addr);
	} else if (result == QUESTION_OK) {
		names_put(&a->names, q->vni, d->dns.label, &answer->addr, agent_now(a));
		serve_dns_answer(a, d, DNS_NOERROR, &answer->addr, NULL);
	} else if (result == QUESTION_REFUSED && q->kind == VIADUCT__AGENT__QUESTION__KIND__NAME6) {
		serve_dns_without_v6(a, d, q->vni);
		return;
	} else if (result == QUESTION_REFUSED) {
		if (d->dns.kind == DNS_NAME)
			names_drop(&a->names, q->vni, d->dns.label);
		serve_dns_answer(a, d, serve_dns_unknown(d), NULL, NULL);
	} else if (d->dns.kind == DNS_NAME &&
		   (!names_get(&a->names, q->vni, d->dns.label, dns_wants_v6(&d->dns), agent_now(a),
			       &stale, &fresh) ||
		    !names_get(&a->names, q->vni, d->dns.label, false, agent_now(a), &stale,
			       &fresh))) {
		serve_dns_answer(a, d, DNS_NOERROR, &stale, NULL);
	} else {
		serve_dns_answer(a, d, DNS_SERVFAIL, NULL, NULL);
	}
	serve_dns_free(d);
}

/* The first IPv6 address that is known outside its subnet; or, if it has none, the IPv4 one, which
 * answers nothing. */
static struct ipaddr serve_v6_of(const struct desired_interface *i)
{
	for (uint32_t n = 0; n < i->n_addrs; n++)
		if (!ipaddr_is_v4(&i->addrs[n]) && !ipaddr_is_link_local(&i->addrs[n]))
			return i->addrs[n];
	return i->addrs[0];
}

/* What this host knows by itself: its own interfaces, and what it was told before. */
static bool serve_dns_known_name(const struct agent *a, uint32_t vni, const char *label, bool v6,
				 struct ipaddr *ret)
{
	const struct desired_interface *i;
	bool fresh;

	hmap_for_each (i, &a->desired.interfaces, node)
		if (i->vni == vni &&
		    (str_equal(i->host_name, label) ||
		     (i->driver.device_index == 0 && str_equal(i->instance_id, label)))) {
			*ret = v6 ? serve_v6_of(i) : i->addrs[0];
			return true;
		}
	if (names_get(&a->names, vni, label, v6, agent_now(a), ret, &fresh))
		return false;
	return fresh || a->link.state != LINK_UP;
}

static bool serve_dns_known_address(const struct agent *a, uint32_t vni, const struct ipaddr *addr)
{
	const struct mapping *m = cache_find(&a->cache, vni, addr);
	const struct desired_interface *i;

	if (m)
		return mapping_is_held(m);
	hmap_for_each (i, &a->desired.interfaces, node)
		for (uint32_t n = 0; i->vni == vni && n < i->n_addrs; n++)
			if (ipaddr_equal(&i->addrs[n], addr))
				return true;
	return false;
}

static void serve_dns_ask(struct agent *a, struct serve_dns *d, uint32_t vni, bool v6)
{
	d->question.vni = vni;
	d->question.asker = d->asker;
	d->question.fn = serve_dns_told;
	d->question.arg = d;
	if (d->dns.kind == DNS_ADDRESS) {
		d->question.kind = VIADUCT__AGENT__QUESTION__KIND__SEND;
		d->question.addr = d->dns.addr;
	} else {
		d->question.kind = v6 ? VIADUCT__AGENT__QUESTION__KIND__NAME6
				      : VIADUCT__AGENT__QUESTION__KIND__NAME;
		if (str_copy(d->question.name, sizeof(d->question.name), d->dns.label)) {
			serve_dns_free(d);
			return;
		}
	}
	if (questions_ask(&a->questions, &d->question)) {
		serve_dns_answer(a, d, DNS_SERVFAIL, NULL, NULL);
		serve_dns_free(d);
	}
}

static void serve_dns_decide(struct agent *a, struct serve_dns *d,
			     const struct desired_interface *i, const struct desired_subnet *s)
{
	struct ipaddr addr = serve_v6_of(i);
	/* of whom cannot use it nothing more is asked than whether there is the name */
	bool v6 = dns_wants_v6(&d->dns) && !ipaddr_is_v4(&addr);

	if (d->dns.kind == DNS_OTHER) {
		serve_dns_answer(a, d, d->dns.rcode, NULL, NULL);
	} else if (d->dns.kind == DNS_NAME) {
		if (!serve_dns_known_name(a, i->vni, d->dns.label, v6, &addr)) {
			serve_dns_ask(a, d, i->vni, v6);
			return;
		}
		serve_dns_answer(a, d, DNS_NOERROR, &addr, NULL);
	} else if (!prefix_contains(s->network.len ? &s->network : &s->dp.prefix, &d->dns.addr)) {
		serve_dns_answer(a, d, DNS_REFUSED, NULL, NULL);
	} else if (serve_dns_known_address(a, i->vni, &d->dns.addr)) {
		serve_dns_address(a, d, &d->dns.addr);
	} else {
		serve_dns_ask(a, d, i->vni, false);
		return;
	}
	serve_dns_free(d);
}

static size_t serve_dns_waiting(const struct agent *a, uint32_t port)
{
	const struct serve_dns *d;
	size_t n = 0;

	list_for_each (d, &a->dns, link)
		n += d->port == port;
	return n;
}

static int serve_dns_query(struct agent *a, const struct dp_upcall *upcall)
{
	const struct desired_interface *i;
	const struct desired_subnet *s;
	struct reply_udp query;
	struct serve_dns *d;
	int e;

	if (!serve_find(a, upcall->port, &i, &s) || !i->dns)
		return -ENOENT;
	if (a->n_dns >= LIMIT_AGENT_DNS ||
	    serve_dns_waiting(a, upcall->port) >= LIMIT_AGENT_DNS_PER_PORT)
		return -ENOBUFS;
	e = reply_parse(upcall->frame, upcall->size, &query);
	if (e)
		return e;
	if (query.destination_port != DNS_PORT ||
	    !ipaddr_equal(&query.destination, &s->dp.resolver))
		return -EBADMSG;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	e = dns_parse(query.payload, query.size, s->domain, &d->dns);
	if (!e)
		e = str_copy(d->interface_id, sizeof(d->interface_id), i->driver.id);
	if (e) {
		free(d);
		return e;
	}
	d->agent = a;
	d->port = upcall->port;
	d->asker = query.source;
	d->resolver = query.destination;
	d->asker_port = query.source_port;
	list_push_back(&a->dns, &d->link);
	a->n_dns++;
	serve_dns_decide(a, d, i, s);
	return 0;
}

void serve_dns(struct agent *a, struct dp_upcall *upcall)
{
	if (serve_dns_query(a, upcall))
		a->n_bad_requests++;
	datapath_upcall_free(upcall);
}

void serve_init(struct agent *a)
{
	list_init(&a->dns);
	names_init(&a->names);
}

void serve_deinit(struct agent *a)
{
	struct serve_dns *d;

	list_for_each (d, &a->dns, link)
		serve_dns_free(d);
	names_deinit(&a->names);
}
