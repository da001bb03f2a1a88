/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups, ACLs and connections of the fake data plane: the rules are gone through one by
 * one, which is what the programs' look-ups have to agree with.  Nothing expires.
 */
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

#include "abi/connection.h"
#include "datapath/fake_tables.h"
#include "datapath/policy.h"

enum { CONNECTIONS_SHARE = 1024 }; /* of a port that does not say how many */

struct fake_connection {
	struct fake_tuple tuple;
	uint8_t state, flags;
};

/* ---- what a packet is about ---- */

void fake_tuple_read(struct fake_tuple *t, uint8_t protocol, const uint8_t *data, size_t size)
{
	uint16_t ports[2] = {};

	*t = (struct fake_tuple){.protocol = protocol};
	if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) && size >= 4) {
		memcpy(ports, data, sizeof(ports));
		t->source = ntohs(ports[0]);
		t->destination = ntohs(ports[1]);
	} else if (protocol == IPPROTO_ICMP && size >= 8) {
		t->destination = (uint16_t)(data[0] << 8 | data[1]);
	}
	if (protocol == IPPROTO_TCP && size > 13)
		t->tcp = data[13];
}

/* Whether a packet of the other direction belongs to the same. */
static bool is_answer(const struct fake_tuple *a, const struct fake_tuple *b)
{
	if (a->protocol != b->protocol)
		return false;
	if (a->protocol == IPPROTO_ICMP)
		return a->destination == 8 << 8 && !b->destination; /* echo */
	return a->source == b->destination && a->destination == b->source;
}

static bool is_same(const struct fake_tuple *a, const struct fake_tuple *b)
{
	return a->protocol == b->protocol && a->source == b->source &&
	       a->destination == b->destination;
}

/* ---- connections ---- */

static struct fake_connection *connection_find(struct fake_port *port,
					       const struct fake_judged *what)
{
	for (size_t i = 0; i < port->n_connections; i++) {
		struct fake_connection *c = &port->connections[i];
		bool begun_here = c->flags & CONNECTION_EGRESS;

		if (!ipaddr_equal(&c->tuple.local, &what->local) ||
		    !ipaddr_equal(&c->tuple.remote, &what->remote))
			continue;
		if (begun_here == what->egress ? is_same(&c->tuple, what->tuple)
					       : is_answer(&c->tuple, what->tuple))
			return c;
	}
	return NULL;
}

static int connection_begin(struct fake_port *port, const struct fake_judged *what)
{
	size_t most = port->dp.connections ? port->dp.connections : CONNECTIONS_SHARE;
	struct fake_connection *all;

	if (port->n_connections >= most)
		return DROP_CONNECTION_LIMIT;
	all = reallocarray(port->connections, port->n_connections + 1, sizeof(*all));
	if (!all)
		return DROP_CONNECTION_LIMIT;
	port->connections = all;
	all[port->n_connections] = (struct fake_connection){
		.tuple = *what->tuple,
		.state = connection_first(what->tuple->protocol, what->tuple->tcp),
		.flags = what->egress ? CONNECTION_EGRESS : 0,
	};
	all[port->n_connections].tuple.local = what->local;
	all[port->n_connections++].tuple.remote = what->remote;
	return 0;
}

/* ---- judging ---- */

static bool group_allows(struct fake_host *h, const struct fake_port *port,
			 const struct fake_judged *what)
{
	const struct dp_group *groups[DP_GROUPS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < port->dp.n_groups; i++) {
		const struct dp_group *g = fake_group_find(h, port->dp.groups[i]);

		if (g)
			groups[n++] = g;
	}
	return policy_groups_allow(groups, n, what->egress, &what->remote, what->groups,
				   what->n_groups,
				   policy_subject(what->tuple->protocol, what->tuple->destination));
}

static int judge_groups(struct fake_host *h, struct fake_port *port, const struct fake_judged *what)
{
	struct fake_connection *c = connection_find(port, what);
	const struct fake_tuple *t = what->tuple;
	bool is_judged = !c || connection_is_judged(c->state, t->protocol, t->tcp);

	if (is_judged && t->protocol == IPPROTO_TCP && t->tcp & CONNECTION_TCP_RST)
		return DROP_CONNECTION_STATE;
	if (is_judged && !group_allows(h, port, what))
		return what->egress ? DROP_GROUP_EGRESS : DROP_GROUP_INGRESS;
	if (!c)
		return connection_begin(port, what);
	if (is_judged && connection_begins_again(c->state)) {
		c->flags = what->egress ? CONNECTION_EGRESS : 0;
		c->state = connection_first(t->protocol, t->tcp);
	} else {
		c->state = connection_next(t->protocol, c->state, &c->flags, t->tcp, what->egress);
	}
	return 0;
}

/* An ACL speaks of packets that cross the border of its subnet. */
static int judge_acl(struct fake_host *h, const struct fake_judged *what)
{
	const struct dp_subnet *mine = fake_subnet_find(h, what->vni, &what->local);
	const struct dp_subnet *its = fake_subnet_find(h, what->vni, &what->remote);
	const struct dp_acl *acl;

	if (!mine || mine == its || !mine->acl)
		return 0;
	acl = fake_acl_find(h, mine->acl);
	if (acl &&
	    policy_acl_allows(acl, what->egress, &what->remote,
			      policy_subject(what->tuple->protocol, what->tuple->destination)))
		return 0;
	return what->egress ? DROP_ACL_EGRESS : DROP_ACL_INGRESS;
}

uint32_t fake_judge(struct fake_host *h, struct fake_port *port, const struct fake_judged *what)
{
	int r = what->egress ? 0 : judge_acl(h, what);

	if (!r && port->dp.n_groups)
		r = judge_groups(h, port, what);
	if (!r && what->egress)
		r = judge_acl(h, what);
	return (uint32_t)r;
}

/* ---- the contract's operations ---- */

/* Takes over what it is given. */
static int group_put(struct fake_host *h, const struct dp_group *group)
{
	struct dp_group *found = fake_group_find(h, group->number);
	void *was = found ? (void *)found->rules : NULL;
	int r = fake_table_put(&h->groups, found, group);

	free(r ? (void *)group->rules : was);
	return r;
}

/* The same. */
static int acl_put(struct fake_host *h, const struct dp_acl *acl)
{
	struct dp_acl *found = fake_acl_find(h, acl->number);
	void *was = found ? (void *)found->entries : NULL;
	int r = fake_table_put(&h->acls, found, acl);

	free(r ? (void *)acl->entries : was);
	return r;
}

int fake_group_set(struct datapath *dp, const struct dp_group *group)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_group own = *group;
	struct dp_rule *rules;

	if (!group->number)
		return -EINVAL;
	for (size_t i = 0; i < group->n_rules; i++)
		if (policy_check_rule(&group->rules[i]))
			return -EINVAL;
	rules = calloc(group->n_rules + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	if (group->n_rules)
		memcpy(rules, group->rules, group->n_rules * sizeof(*rules));
	own.rules = rules;
	return group_put(h, &own);
}

int fake_acl_set(struct datapath *dp, const struct dp_acl *acl)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_acl own = *acl;
	struct dp_acl_entry *entries;

	if (!acl->number || acl->n_entries > DP_ACL_ENTRIES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < acl->n_entries; i++)
		if (policy_check_entry(&acl->entries[i]))
			return -EINVAL;
	entries = calloc(acl->n_entries + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	if (acl->n_entries)
		memcpy(entries, acl->entries, acl->n_entries * sizeof(*entries));
	own.entries = entries;
	return acl_put(h, &own);
}

int fake_group_delete(struct datapath *dp, uint32_t number)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_group *found = fake_group_find(h, number);

	if (found)
		free((void *)found->rules);
	return fake_table_drop(&h->groups, found);
}

int fake_acl_delete(struct datapath *dp, uint32_t number)
{
	struct fake_host *h = fake_host_of(dp);
	struct dp_acl *found = fake_acl_find(h, number);

	if (found)
		free((void *)found->entries);
	return fake_table_drop(&h->acls, found);
}

static struct dp_connection shown(const struct fake_port *port, const struct fake_connection *c)
{
	bool egress = c->flags & CONNECTION_EGRESS;

	return (struct dp_connection){
		.port = port->dp.id,
		.protocol = c->tuple.protocol,
		.local = c->tuple.local,
		.remote = c->tuple.remote,
		.local_port = egress ? c->tuple.source : c->tuple.destination,
		.remote_port = egress ? c->tuple.destination : c->tuple.source,
		.egress = egress,
		.state = connection_text(c->state),
		.expires_in = connection_timeout(c->state),
	};
}

int fake_connections(struct datapath *dp, uint32_t port,
		     int (*fn)(const struct dp_connection *, void *), void *arg)
{
	struct fake_host *h = fake_host_of(dp);
	int r = 0;

	if (port && !fake_port_find(h, port))
		return -ENOENT;
	for (size_t i = 0; i < h->ports.n; i++) {
		const struct fake_port *p = (struct fake_port *)h->ports.rows + i;

		for (size_t k = 0; !r && k < p->n_connections && (!port || port == p->dp.id); k++) {
			struct dp_connection c = shown(p, &p->connections[k]);

			r = fn(&c, arg);
		}
	}
	return r;
}
