/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired.h"

#include <string.h>

#include "agent/convert.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"

static uint64_t desired_subnet_hash(uint32_t vni, const struct prefix *prefix)
{
	return hash_u64_bytes((uint64_t)vni << 8 | prefix->len, prefix->addr.b,
			      sizeof(prefix->addr.b));
}

struct desired_peer *desired_find_peer(const struct desired *d, uint32_t number)
{
	struct desired_peer *p;

	hmap_for_each_at (p, &d->peers, hash_u64(number), node)
		if (p->dp.id == number)
			return p;
	return NULL;
}

struct desired_subnet *desired_find_subnet(const struct desired *d, uint32_t vni,
					   const struct prefix *prefix)
{
	struct desired_subnet *s;

	hmap_for_each_at (s, &d->subnets, desired_subnet_hash(vni, prefix), node)
		if (s->dp.vni == vni && prefix_equal(&s->dp.prefix, prefix))
			return s;
	return NULL;
}

struct desired_instance *desired_find_instance(const struct desired *d, const char *id)
{
	struct desired_instance *i;

	hmap_for_each_at (i, &d->instances, hash_str(id), node)
		if (str_equal(i->id, id))
			return i;
	return NULL;
}

struct desired_interface *desired_find_interface(const struct desired *d, const char *id)
{
	struct desired_interface *i;

	hmap_for_each_at (i, &d->interfaces, hash_str(id), node)
		if (str_equal(i->driver.id, id))
			return i;
	return NULL;
}

void desired_init(struct desired *d)
{
	*d = (struct desired){0};
	hmap_init(&d->peers);
	hmap_init(&d->subnets);
	hmap_init(&d->instances);
	hmap_init(&d->interfaces);
}

/* Removes every object that the sweep 'keep' did not see; 0: every object. */
static void desired_remove_unseen(struct desired *d, uint64_t keep)
{
	struct desired_peer *p;
	struct desired_subnet *s;
	struct desired_instance *i;
	struct desired_interface *f;

	hmap_for_each (p, &d->peers, node)
		if (!keep || p->sweep != keep) {
			hmap_remove(&d->peers, &p->node);
			free(p);
		}
	hmap_for_each (s, &d->subnets, node)
		if (!keep || s->sweep != keep) {
			hmap_remove(&d->subnets, &s->node);
			free(s);
		}
	hmap_for_each (i, &d->instances, node)
		if (!keep || i->sweep != keep) {
			hmap_remove(&d->instances, &i->node);
			free(i);
		}
	hmap_for_each (f, &d->interfaces, node)
		if (!keep || f->sweep != keep) {
			hmap_remove(&d->interfaces, &f->node);
			free(f);
		}
}

void desired_deinit(struct desired *d)
{
	desired_remove_unseen(d, 0);
	hmap_deinit(&d->peers);
	hmap_deinit(&d->subnets);
	hmap_deinit(&d->instances);
	hmap_deinit(&d->interfaces);
}

void desired_sweep_begin(struct desired *d)
{
	d->sweep++;
}

void desired_sweep_end(struct desired *d)
{
	desired_remove_unseen(d, d->sweep);
}

/* ---- one object from the wire ---- */

static const char *desired_read_host(const Viaduct__Agent__HostConfig *m, struct desired_host *h)
{
	*h = (struct desired_host){.set = true, .number = m->number};
	if (!m->number)
		return "the host has no number";
	if (convert_name(m->name, h->name, sizeof(h->name)))
		return "the host's name is too long";
	if (convert_locator(&m->siit1, 64, &h->siit1) || convert_locator(&m->siit2, 56, &h->siit2))
		return "a locator of the host is no prefix of its layout";
	if (convert_optional_addr(&m->v4, &h->v4) || convert_optional_addr(&m->v6, &h->v6))
		return "a substrate address of the host is not 16 bytes";
	return NULL;
}

static const char *desired_read_peer(const Viaduct__Agent__Peer *m, struct desired_peer *p)
{
	if (!m->number)
		return "the peer has no number";
	if (convert_name(m->name, p->name, sizeof(p->name)))
		return "the peer's name is too long";
	(void)!convert_name(m->reason, p->reason, sizeof(p->reason)); /* for people: cut is fine */
	p->dp.id = m->number;
	if (convert_locator(&m->siit1, 64, &p->dp.siit1) ||
	    convert_locator(&m->siit2, 56, &p->dp.siit2))
		return "a locator of the peer is no prefix of its layout";
	if (convert_optional_addr(&m->v4, &p->dp.v4) || convert_optional_addr(&m->v6, &p->dp.v6))
		return "a substrate address of the peer is not 16 bytes";
	if (m->send >= FORMAT_MAX || m->accept >> FORMAT_MAX)
		return "the peer's format is none that this agent knows";
	if (m->path_mtu > UINT16_MAX)
		return "the peer's path MTU is above 65535";
	p->dp.send = (enum format)m->send;
	p->dp.accept = m->accept;
	p->dp.vxlan_over_v6 = m->vxlan_over_v6;
	p->dp.path_mtu = (uint16_t)m->path_mtu;
	return NULL;
}

static const char *desired_read_subnet(const Viaduct__Agent__Subnet *m, struct desired_subnet *s)
{
	if (!convert_vni_is_valid(m->vni))
		return "the subnet's VNI is not one of a network";
	s->dp.vni = m->vni;
	if (convert_prefix(&m->prefix, m->prefix_len, &s->dp.prefix))
		return "the subnet's prefix is none";
	if (convert_addr(&m->router, &s->dp.router) ||
	    (!prefix_contains(&s->dp.prefix, &s->dp.router) &&
	     (prefix_is_v4(&s->dp.prefix) || !ipaddr_is_link_local(&s->dp.router))))
		return "the subnet's router is neither inside it nor link-local";
	if (convert_mac(&m->router_mac, &s->dp.router_mac))
		return "the subnet's router has no unicast MAC";
	if (convert_optional_addr(&m->resolver, &s->dp.resolver))
		return "the subnet's resolver is not 16 bytes";
	if (m->network.len && convert_prefix(&m->network, m->network_len, &s->network))
		return "the subnet's network is no prefix";
	if (convert_name(m->domain, s->domain, sizeof(s->domain)))
		return "the subnet's domain is too long";
	return NULL;
}

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
	if (!m->n_addrs || m->n_addrs > DP_PORT_ADDRS_MAX)
		return "the interface has no address, or more than a port can have";
	if (convert_prefix(&m->subnet_prefix, m->subnet_prefix_len, &i->subnet))
		return "the interface's subnet is no prefix";
	for (size_t n = 0; n < m->n_addrs; n++)
		if (convert_addr(&m->addrs[n], &i->addrs[n]))
			return "an address of the interface is not 16 bytes";
	if (convert_name(m->host_name, i->host_name, sizeof(i->host_name)))
		return "the interface's host name is too long";
	i->vni = m->vni;
	i->driver.mtu = m->mtu;
	i->driver.device_index = m->device_index;
	i->n_addrs = (uint32_t)m->n_addrs;
	i->dns = m->dns;
	return NULL;
}

/* ---- into the tables ---- */

/* Each of these takes a new object into its table, in the place of the one with the same key; when
 * it was refused ('text') the old one stays and counts as seen. */

static int desired_take_peer(struct desired *d, const Viaduct__Agent__Peer *m,
			     struct desired_key *key, const char **text)
{
	_cleanup_free_ struct desired_peer *p = calloc(1, sizeof(*p));
	struct desired_peer *old = desired_find_peer(d, m->number);

	*key = (struct desired_key){.kind = DESIRED_PEER, .number = m->number};
	if (!p)
		return -ENOMEM;
	*text = desired_read_peer(m, p);
	if (*text) {
		if (old)
			old->sweep = d->sweep;
		return -EINVAL;
	}
	if (old)
		hmap_remove(&d->peers, &old->node);
	free(old);
	p->sweep = d->sweep;
	hmap_insert(&d->peers, &p->node, hash_u64(p->dp.id));
	(void)TAKE_PTR(p);
	return 0;
}

static int desired_take_subnet(struct desired *d, const Viaduct__Agent__Subnet *m,
			       struct desired_key *key, const char **text)
{
	_cleanup_free_ struct desired_subnet *s = calloc(1, sizeof(*s));
	struct desired_subnet *old;

	*key = (struct desired_key){.kind = DESIRED_SUBNET, .number = m->vni};
	if (!s)
		return -ENOMEM;
	*text = desired_read_subnet(m, s);
	key->prefix = s->dp.prefix;
	old = desired_find_subnet(d, m->vni, &s->dp.prefix);
	if (*text) {
		if (old)
			old->sweep = d->sweep;
		return -EINVAL;
	}
	if (old)
		hmap_remove(&d->subnets, &old->node);
	free(old);
	s->sweep = d->sweep;
	hmap_insert(&d->subnets, &s->node, desired_subnet_hash(s->dp.vni, &s->dp.prefix));
	(void)TAKE_PTR(s);
	return 0;
}

static int desired_take_instance(struct desired *d, const Viaduct__Agent__Instance *m,
				 struct desired_key *key, const char **text)
{
	_cleanup_free_ struct desired_instance *i = calloc(1, sizeof(*i));
	struct desired_instance *old;

	*key = (struct desired_key){.kind = DESIRED_INSTANCE};
	if (!i)
		return -ENOMEM;
	*text = desired_read_instance(m, i);
	memcpy(key->id, i->id, sizeof(key->id));
	old = desired_find_instance(d, i->id);
	if (*text) {
		if (old)
			old->sweep = d->sweep;
		return -EINVAL;
	}
	if (old)
		hmap_remove(&d->instances, &old->node);
	free(old);
	i->sweep = d->sweep;
	hmap_insert(&d->instances, &i->node, hash_str(i->id));
	(void)TAKE_PTR(i);
	return 0;
}

static int desired_take_interface(struct desired *d, const Viaduct__Agent__Interface *m,
				  struct desired_key *key, const char **text)
{
	_cleanup_free_ struct desired_interface *i = calloc(1, sizeof(*i));
	struct desired_interface *old;

	*key = (struct desired_key){.kind = DESIRED_INTERFACE};
	if (!i)
		return -ENOMEM;
	*text = desired_read_interface(m, i);
	memcpy(key->id, i->driver.id, sizeof(key->id));
	old = desired_find_interface(d, i->driver.id);
	if (*text) {
		if (old)
			old->sweep = d->sweep;
		return -EINVAL;
	}
	if (old)
		hmap_remove(&d->interfaces, &old->node);
	free(old);
	i->sweep = d->sweep;
	hmap_insert(&d->interfaces, &i->node, hash_str(i->driver.id));
	(void)TAKE_PTR(i);
	return 0;
}

static int desired_take_host(struct desired *d, const Viaduct__Agent__HostConfig *m,
			     struct desired_key *key, const char **text)
{
	struct desired_host host;

	*key = (struct desired_key){.kind = DESIRED_HOST};
	*text = desired_read_host(m, &host);
	if (*text)
		return -EINVAL;
	d->host = host;
	return 0;
}

int desired_set(struct desired *d, const Viaduct__Agent__Object *object,
		struct desired_key *ret_key, const char **reterr_text)
{
	struct desired_key key = {0};
	const char *text = "out of memory";
	int e;

	switch (object->object_case) {
	case VIADUCT__AGENT__OBJECT__OBJECT_HOST:
		e = desired_take_host(d, object->host, &key, &text);
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_PEER:
		e = desired_take_peer(d, object->peer, &key, &text);
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_SUBNET:
		e = desired_take_subnet(d, object->subnet, &key, &text);
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE:
		e = desired_take_instance(d, object->instance, &key, &text);
		break;
	case VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE:
		e = desired_take_interface(d, object->interface, &key, &text);
		break;
	default:
		text = "this agent does not know this kind of object: update it";
		e = -EINVAL;
	}
	*ret_key = key;
	if (e)
		*reterr_text = text;
	return e;
}

static int desired_read_key(const Viaduct__Agent__ObjectKey *m, struct desired_key *key,
			    const char **text)
{
	switch (m->key_case) {
	case VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER:
		*key = (struct desired_key){.kind = DESIRED_PEER, .number = m->peer_number};
		return 0;
	case VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET:
		*key = (struct desired_key){.kind = DESIRED_SUBNET, .number = m->subnet->vni};
		*text = "the prefix of the subnet to remove is none";
		return convert_prefix(&m->subnet->prefix, m->subnet->prefix_len, &key->prefix);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID:
		key->kind = DESIRED_INSTANCE;
		*text = "the id of the instance to remove cannot be used";
		return convert_id(m->instance_id, key->id);
	case VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID:
		key->kind = DESIRED_INTERFACE;
		*text = "the id of the interface to remove cannot be used";
		return convert_id(m->interface_id, key->id);
	default:
		*text = "this agent does not know this kind of object: update it";
		return -EINVAL;
	}
}

static void desired_remove_key(struct desired *d, const struct desired_key *key)
{
	struct desired_subnet *s = NULL;
	struct desired_peer *p = NULL;
	struct desired_instance *i = NULL;
	struct desired_interface *f = NULL;

	if (key->kind == DESIRED_PEER && (p = desired_find_peer(d, key->number)))
		hmap_remove(&d->peers, &p->node);
	if (key->kind == DESIRED_SUBNET && (s = desired_find_subnet(d, key->number, &key->prefix)))
		hmap_remove(&d->subnets, &s->node);
	if (key->kind == DESIRED_INSTANCE && (i = desired_find_instance(d, key->id)))
		hmap_remove(&d->instances, &i->node);
	if (key->kind == DESIRED_INTERFACE && (f = desired_find_interface(d, key->id)))
		hmap_remove(&d->interfaces, &f->node);
	free(p);
	free(s);
	free(i);
	free(f);
}

int desired_remove(struct desired *d, const Viaduct__Agent__ObjectKey *key,
		   struct desired_key *ret_key, const char **reterr_text)
{
	struct desired_key read = {0};
	const char *text = NULL;
	int e = desired_read_key(key, &read, &text);

	*ret_key = read;
	if (e) {
		*reterr_text = text;
		return e;
	}
	desired_remove_key(d, &read);
	return 0;
}
