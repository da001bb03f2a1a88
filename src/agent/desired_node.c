/* SPDX-License-Identifier: Apache-2.0 */
/* Instances and their interfaces. */
#include <string.h>

#include "agent/convert.h"
#include "agent/desired_take.h"
#include "base/limits.h"

static const char *desired_read_instance(const Viaduct__Agent__Instance *m,
					 struct desired_instance *i)
{
	if (convert_id(m->id, i->id))
		return "the instance's id cannot be used";
	if (convert_name(m->driver, i->driver, sizeof(i->driver)))
		return "the instance's driver has too long a name";
	if (convert_name(m->name, i->name, sizeof(i->name)))
		return "the instance's name is too long";
	i->running = m->running;
	i->generation = m->generation;
	return NULL;
}

static const char *desired_read_interface(const Viaduct__Agent__Interface *m,
					  struct desired_interface *i)
{
	const bool standby = m->n_standby_addrs;
	const size_t n_addrs = standby ? m->n_standby_addrs : m->n_addrs;

	if (convert_id(m->id, i->driver.id))
		return "the interface's id cannot be used";
	if (convert_id(m->instance_id, i->instance_id))
		return "the id of the interface's instance cannot be used";
	if (!convert_vni_is_valid(m->vni))
		return "the interface's VNI is not one of a network";
	if (convert_mac(&m->mac, &i->driver.mac))
		return "the interface has no unicast MAC";
	if (m->mtu < LIMIT_NODE_MTU_MIN || m->mtu > UINT16_MAX)
		return "the interface's MTU is outside of 576 to 65535";
	if (m->device_index >= LIMIT_NODE_INTERFACES)
		return "the interface's device index is too large";
	if (!n_addrs || n_addrs > DP_PORT_ADDRS_MAX)
		return "the interface has no address, or more than a port can have";
	if (standby && m->n_addrs)
		return "the interface stands by, and does not";
	if (convert_prefix(&m->subnet_prefix, m->subnet_prefix_len, &i->subnet))
		return "the interface's subnet is no prefix";
	for (size_t n = 0; n < n_addrs; n++)
		if (convert_addr(standby ? &m->standby_addrs[n] : &m->addrs[n], &i->addrs[n]))
			return "an address of the interface is not 16 bytes";
	if (m->n_labels > m->n_addrs)
		return "the interface has more labels than addresses";
	for (size_t n = 0; n < m->n_labels; n++) {
		if (m->labels[n] && !ipaddr_is_v4(&i->addrs[n]))
			return "an IPv6 address of the interface has a label";
		i->labels[n] = m->labels[n];
	}
	if (convert_name(m->host_name, i->host_name, sizeof(i->host_name)))
		return "the interface's host name is too long";
	i->vni = m->vni;
	i->driver.mtu = m->mtu;
	i->driver.device_index = m->device_index;
	i->standby = standby;
	i->n_addrs = (uint32_t)n_addrs;
	i->dns = m->dns;
	return NULL;
}

/* What it may do, and what means it. */
static const char *desired_read_policy(const Viaduct__Agent__Interface *m,
				       struct desired_interface *i)
{
	if (m->n_groups > DP_GROUPS_MAX)
		return "the interface is in more security groups than a port can be in";
	for (size_t n = 0; n < m->n_groups; n++) {
		if (!m->groups[n])
			return "the interface names a security group without a number";
		desired_insert_number(i->groups, &i->n_groups, m->groups[n]);
	}
	if (m->handle && !convert_handle_is_valid(m->handle))
		return "the interface's handle is none";
	if (m->vlan > DP_VLAN_MAX)
		return "the interface's VLAN is none";
	if (m->gateway && (!convert_handle_is_valid(m->gateway) || !m->handle))
		return "the interface's gateway is none, or no way leads to it";
	i->gateway = m->gateway;
	i->vlan = (uint16_t)m->vlan;
	i->forwards = m->forwards;
	i->disabled = m->disabled;
	i->shared = m->shared;
	i->resolves = m->resolves;
	i->handle = m->handle;
	i->connections = m->connections;
	return NULL;
}

static bool desired_has_addr(const struct desired_interface *i, const struct ipaddr *addr)
{
	for (uint32_t n = 0; n < i->n_addrs; n++)
		if (ipaddr_equal(&i->addrs[n], addr))
			return true;
	return false;
}

static const char *desired_read_exits(const Viaduct__Agent__Interface *m,
				      struct desired_interface *i)
{
	if (m->n_exits > DP_PORT_ADDRS_MAX)
		return "the interface has more public addresses than a port can have";
	for (size_t n = 0; n < m->n_exits; n++) {
		const Viaduct__Agent__Exit *e = m->exits[n];
		struct desired_exit *exit = &i->exits[n];

		if (convert_addr(&e->addr, &exit->addr) || !desired_has_addr(i, &exit->addr))
			return "a public address is for an address that the interface has not";
		if (convert_addr(&e->public_, &exit->public))
			return "a public address of the interface is not 16 bytes";
		if (e->handle && !convert_handle_is_valid(e->handle))
			return "the handle of a public address of the interface is none";
		exit->peer = e->peer;
		exit->handle = e->handle;
		i->n_exits++;
	}
	return NULL;
}

static int desired_read_servers(const ProtobufCBinaryData *from, size_t n, struct ipaddr *to,
				size_t *ret_n)
{
	if (n > DESIRED_SERVERS_MAX)
		return -EINVAL;
	for (size_t k = 0; k < n; k++)
		if (convert_addr(&from[k], &to[k]))
			return -EINVAL;
	*ret_n = n;
	return 0;
}

static const char *desired_read_options(const Viaduct__Agent__Interface *m,
					struct desired_interface *i)
{
	if (desired_read_servers(m->dns_servers, m->n_dns_servers, i->dns_servers,
				 &i->n_dns_servers))
		return "the interface's DNS servers are more than 4, or one is not 16 bytes";
	if (desired_read_servers(m->ntp_servers, m->n_ntp_servers, i->ntp_servers,
				 &i->n_ntp_servers))
		return "the interface's NTP servers are more than 4, or one is not 16 bytes";
	if (convert_name(m->domain_name, i->domain_name, sizeof(i->domain_name)))
		return "the interface's domain is too long";
	if (m->n_routes > DHCP_ROUTES_MAX)
		return "the interface has more than 16 routes for its node";
	for (size_t n = 0; n < m->n_routes; n++) {
		const Viaduct__Agent__NodeRoute *r = m->routes[n];

		if (convert_prefix(&r->prefix, r->prefix_len, &i->routes[n].prefix) ||
		    !ipaddr_is_v4(&i->routes[n].prefix.addr) ||
		    (r->via.len && convert_addr(&r->via, &i->routes[n].via)))
			return "a route for the interface's node is no IPv4 route";
		i->n_routes++;
	}
	return NULL;
}

static const char *desired_read_mirror_rule(const Viaduct__Agent__MirrorRule *m, uint8_t session,
					    struct dp_mirror_rule *r)
{
	struct prefix source, destination;

	if (convert_any_prefix(&m->source, m->source_len, &source) ||
	    convert_any_prefix(&m->destination, m->destination_len, &destination) ||
	    prefix_is_v4(&source) != prefix_is_v4(&destination))
		return "a rule of a mirror of the interface has no two prefixes of one family";
	if (m->protocol > DP_MIRROR_PROTOCOL_ANY || m->source_from > m->source_to ||
	    m->source_to > UINT16_MAX || m->destination_from > m->destination_to ||
	    m->destination_to > UINT16_MAX)
		return "a rule of a mirror of the interface has no protocol or range of ports";
	*r = (struct dp_mirror_rule){
		.src_len = source.len,
		.dst_len = destination.len,
		.v6 = !prefix_is_v4(&source),
		.egress = m->egress ? 1 : 0,
		.accept = m->accept ? 1 : 0,
		.session = session,
		.protocol = (uint16_t)m->protocol,
		.src_from = (uint16_t)m->source_from,
		.src_to = (uint16_t)m->source_to,
		.dst_from = (uint16_t)m->destination_from,
		.dst_to = (uint16_t)m->destination_to,
	};
	memcpy(r->src, source.addr.b, 16);
	memcpy(r->dst, destination.addr.b, 16);
	return NULL;
}

static const char *desired_read_mirror(const Viaduct__Agent__Mirror *m, struct desired_mirrors *all)
{
	struct desired_mirror *s = &all->sessions[all->n];
	const char *text = NULL;

	if (convert_addr(&m->target, &s->target) || !ipaddr_is_v4(&s->target))
		return "the target of a mirror of the interface is no IPv4 address";
	if (m->vni > 0xffffff)
		return "the VNI of a mirror of the interface has more than 24 bits";
	s->number = m->number;
	s->vni = m->vni;
	s->length = m->length;
	all->rules.dns |= (uint32_t)m->dns << all->n;
	for (size_t i = 0; i < m->n_rules && !text; i++) {
		if (all->rules.n >= DP_MIRROR_RULES)
			return "the mirrors of the interface have more than 120 rules";
		text = desired_read_mirror_rule(m->rules[i], (uint8_t)all->n,
						&all->rules.rules[all->rules.n++]);
	}
	all->n++;
	return text;
}

/* What watches it. */
static const char *desired_read_watchers(const Viaduct__Agent__Interface *m,
					 struct desired_interface *i)
{
	const char *text = NULL;

	i->logged = m->logged;
	if (m->n_mirrors > DP_MIRROR_SESSIONS)
		return "the interface has more than 3 mirrors";
	if (!m->n_mirrors)
		return NULL;
	i->mirrors = (struct desired_mirrors *)(void *)&i->exits[m->n_exits];
	for (size_t n = 0; n < m->n_mirrors && !text; n++)
		text = desired_read_mirror(m->mirrors[n], i->mirrors);
	return text;
}

int desired_take_instance(struct desired *d, const Viaduct__Agent__Instance *m,
			  struct desired_key *key, const char **text)
{
	struct desired_instance *i = calloc(1, sizeof(*i));

	*key = (struct desired_key){.kind = DESIRED_INSTANCE};
	if (!i)
		return -ENOMEM;
	*text = desired_read_instance(m, i);
	memcpy(key->id, i->id, sizeof(key->id));
	return desired_place(d, key, &i->item, *text);
}

int desired_take_interface(struct desired *d, const Viaduct__Agent__Interface *m,
			   struct desired_key *key, const char **text)
{
	const size_t n_exits = m->n_exits < DP_PORT_ADDRS_MAX ? m->n_exits : DP_PORT_ADDRS_MAX;
	struct desired_interface *i =
		calloc(1, sizeof(*i) + n_exits * sizeof(i->exits[0]) +
				  (m->n_mirrors ? sizeof(struct desired_mirrors) : 0));

	*key = (struct desired_key){.kind = DESIRED_INTERFACE};
	if (!i)
		return -ENOMEM;
	*text = desired_read_interface(m, i);
	if (!*text)
		*text = desired_read_policy(m, i);
	if (!*text)
		*text = desired_read_exits(m, i);
	if (!*text)
		*text = desired_read_options(m, i);
	if (!*text)
		*text = desired_read_watchers(m, i);
	memcpy(key->id, i->driver.id, sizeof(key->id));
	return desired_place(d, key, &i->item, *text);
}
