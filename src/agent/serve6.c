/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router advertisements and DHCPv6 for the nodes: between the codecs (ra.h, dhcp6.h), the records
 * and the data plane.  An interface has a router when the IPv6 subnet of its address is known here.
 */
#include <netinet/in.h>

#include "agent/agent.h"
#include "agent/dhcp6.h"
#include "agent/ra.h"
#include "agent/reply6.h"
#include "base/limits.h"
#include "base/log.h"

/* The IPv6 subnet of an interface; NULL: it has no IPv6 address, or the subnet is not known
 * (yet). */
static const struct desired_subnet *serve6_subnet(const struct agent *a,
						  const struct desired_interface *i)
{
	struct desired_subnet *s;
	struct prefix p;

	for (uint32_t n = 0; n < i->n_addrs; n++) {
		if (ipaddr_is_v4(&i->addrs[n]) || ipaddr_is_link_local(&i->addrs[n]))
			continue;
		p = prefix_make(&i->addrs[n], 64);
		s = desired_find_subnet(&a->desired, i->vni, &p);
		if (s)
			return s;
	}
	return NULL;
}

static void serve6_deliver(struct agent *a, uint32_t port, const struct reply6 *r)
{
	_cleanup_buf_ struct buf frame;
	int e;

	buf_init(&frame, LIMIT_AGENT_REPLY_SIZE);
	reply6_build(&frame, r);
	e = buf_error(&frame);
	if (!e)
		e = datapath_deliver(a->dp, port, buf_data(&frame), buf_size(&frame));
	if (e)
		log_debug("answer not delivered", LOG_U64("port", port), LOG_ERRNO(e));
}

/* ---- router advertisements ---- */

static void serve6_advertise(struct agent *a, uint32_t port, const struct desired_interface *i,
			     const struct desired_subnet *s)
{
	const struct ra_params params = {s->dp.router_mac, (uint16_t)i->driver.mtu, s->dp.prefix};
	struct reply6 r = {
		.source_mac = s->dp.router_mac,
		/* to all nodes, of which there is one here: it may not have an address yet */
		.destination_mac = {{0x33, 0x33, 0, 0, 0, 1}},
		.source = s->dp.router,
		.destination = {{0xff, 0x02, [15] = 1}},
		.hop_limit = RA_HOP_LIMIT,
		.protocol = IPPROTO_ICMPV6,
	};
	_cleanup_buf_ struct buf message;

	buf_init(&message, LIMIT_AGENT_REPLY_SIZE);
	ra_write(&message, &params);
	if (buf_error(&message))
		return;
	r.payload = buf_data(&message);
	r.size = buf_size(&message);
	a->n_advertisements++;
	serve6_deliver(a, port, &r);
}

void serve6_greet(struct agent *a, const struct port *port)
{
	const struct desired_interface *i =
		*port->interface_id ? desired_find_interface(&a->desired, port->interface_id)
				    : NULL;
	const struct desired_subnet *s = i ? serve6_subnet(a, i) : NULL;

	if (a->dp && port->set && s)
		serve6_advertise(a, port->dp.id, i, s);
}

static void serve6_on_interval(struct timer *t, void *data)
{
	struct agent *a = data;
	const struct port *port;

	hmap_for_each (port, &a->ports.by_interface, by_interface)
		serve6_greet(a, port);
	timer_arm_in(t, RA_INTERVAL_S * UINT64_C(1000000000));
}

/* ---- DHCPv6 ---- */

static struct dhcp6_lease serve6_lease(const struct desired_interface *i,
				       const struct desired_subnet *s)
{
	struct dhcp6_lease lease = {
		.router_mac = s->dp.router_mac,
		.addrs = i->addrs,
		.n_addrs = i->n_addrs,
		.subnet = s->dp.prefix,
		.domain = *i->domain_name ? i->domain_name : s->domain,
	};

	for (size_t k = 0; k < i->n_dns_servers && lease.n_resolvers < DHCP6_SERVERS_MAX; k++)
		if (!ipaddr_is_v4(&i->dns_servers[k]))
			lease.resolvers[lease.n_resolvers++] = i->dns_servers[k];
	return lease;
}

static int serve6_dhcp(struct agent *a, uint32_t port, const struct desired_interface *i,
		       const struct desired_subnet *s, const struct reply6 *request)
{
	const struct dhcp6_lease lease = serve6_lease(i, s);
	struct reply6 r = {
		.source_mac = s->dp.router_mac,
		.destination_mac = i->driver.mac,
		.source = s->dp.router,
		.destination = request->source,
		.hop_limit = 64,
		.protocol = IPPROTO_UDP,
		.source_port = DHCP6_SERVER_PORT,
		.destination_port = DHCP6_CLIENT_PORT,
	};
	_cleanup_buf_ struct buf payload;
	enum dhcp6_verdict verdict;
	const char *kind;
	int e;

	buf_init(&payload, LIMIT_AGENT_REPLY_SIZE);
	e = dhcp6_serve(request->payload, request->size, request->destination.b[0] != 0xff, &lease,
			&payload, &verdict, &kind);
	if (e)
		return e;
	log_debug("DHCPv6", LOG_STR("interface", i->driver.id), LOG_STR("answer", kind));
	if (verdict != DHCP6_ANSWER)
		return 0;
	r.payload = buf_data(&payload);
	r.size = buf_size(&payload);
	a->n_dhcp_answers++;
	serve6_deliver(a, port, &r);
	return 0;
}

static int serve6_request(struct agent *a, const struct dp_upcall *upcall)
{
	const struct port *port = ports_find(&a->ports, upcall->port);
	const struct desired_interface *i =
		port ? desired_find_interface(&a->desired, port->interface_id) : NULL;
	const struct desired_subnet *s = i ? serve6_subnet(a, i) : NULL;
	struct reply6 request;
	int e;

	/* a network with IPv6, and a node without: nothing to tell it */
	if (!s)
		return i ? 0 : -ENOENT;
	e = reply6_parse(upcall->frame, upcall->size, &request);
	if (e)
		return e;
	if (request.protocol == IPPROTO_UDP && request.destination_port == DHCP6_SERVER_PORT)
		return serve6_dhcp(a, upcall->port, i, s, &request);
	if (request.protocol != IPPROTO_ICMPV6)
		return -EBADMSG;
	e = ra_check_solicitation(request.payload, request.size, request.hop_limit,
				  &request.source);
	if (!e)
		serve6_advertise(a, upcall->port, i, s);
	return e;
}

void serve6(struct agent *a, struct dp_upcall *upcall)
{
	if (serve6_request(a, upcall))
		a->n_bad_requests++;
	datapath_upcall_free(upcall);
}

void serve6_init(struct agent *a)
{
	timer_init(&a->advertise, a->loop, serve6_on_interval, a);
	timer_arm_in(&a->advertise, RA_INTERVAL_S * UINT64_C(1000000000));
}

void serve6_deinit(struct agent *a)
{
	timer_deinit(&a->advertise);
}
