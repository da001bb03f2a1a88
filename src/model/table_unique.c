/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uniques: which indexes objects are found in by what nothing else has.  See table_uses.h.
 */
#include "model/table_uses.h"

#include <string.h>

#include "base/hash.h"
#include "model/account.h"
#include "model/drain.h"
#include "model/egress_gateway.h"
#include "model/elastic_edit.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/label.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/token.h"
#include "model/vpc.h"

static bool label_addr_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct label *)o)->addr);
	return true;
}

static bool label_virtual_hash(const struct object *o, uint64_t *ret)
{
	const struct label *l = (const struct label *)o;

	*ret = hash_u64_bytes(l->vni, &l->virtual, sizeof(l->virtual));
	return true;
}

static bool access_key_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_str(((const struct key *)o)->access_key_id);
	return true;
}

static bool host_name_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_str(((const struct host *)o)->name);
	return true;
}

static bool host_number_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct host *)o)->number);
	return true;
}

static bool vni_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct vpc *)o)->vni);
	return true;
}

static bool mac_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_bytes(&((const struct interface *)o)->mac, sizeof(struct mac));
	return true;
}

uint64_t token_hash(uint64_t account, const char *operation, const char *token)
{
	return hash_str(token) ^ hash_u64_bytes(account, operation, strlen(operation));
}

static bool token_key(const struct object *o, uint64_t *ret)
{
	const struct token *t = (const struct token *)o;

	*ret = token_hash(o->account, t->operation, t->token);
	return true;
}

static bool group_number_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct security_group *)o)->number);
	return true;
}

uint64_t group_name_hash(uint64_t vpc, const char *name)
{
	return hash_u64_bytes(vpc, name, strlen(name));
}

static bool group_name(const struct object *o, uint64_t *ret)
{
	const struct security_group *g = (const struct security_group *)o;

	*ret = group_name_hash(g->vpc, g->name);
	return true;
}

static bool acl_number_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct network_acl *)o)->number);
	return true;
}

static bool acl_association_hash(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct subnet *)o)->acl_association);
	return ((const struct subnet *)o)->acl_association;
}

static bool handle_key(const struct handle *h, uint64_t *ret)
{
	if (!h->number)
		return false; /* nearly all interfaces */
	*ret = hash_u64(h->number);
	return true;
}

static bool interface_handle(const struct object *o, uint64_t *ret)
{
	return handle_key(&((const struct interface *)o)->handle, ret);
}

static bool internet_gateway_handle(const struct object *o, uint64_t *ret)
{
	return handle_key(&((const struct internet_gateway *)o)->handle, ret);
}

static bool egress_gateway_handle(const struct object *o, uint64_t *ret)
{
	return handle_key(&((const struct egress_gateway *)o)->handle, ret);
}

static bool nat_gateway_handle(const struct object *o, uint64_t *ret)
{
	return handle_key(&((const struct nat_gateway *)o)->handle, ret);
}

static bool elastic_public(const struct object *o, uint64_t *ret)
{
	const struct elastic *e = (const struct elastic *)o;

	*ret = hash_bytes(&e->public, sizeof(e->public));
	return true;
}

static bool elastic_association(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct elastic *)o)->association);
	return ((const struct elastic *)o)->association;
}

static bool elastic_private(const struct object *o, uint64_t *ret)
{
	const struct elastic *e = (const struct elastic *)o;

	*ret = elastic_private_hash(e->vni, &e->private_addr);
	return e->association;
}

static bool drain_private(const struct object *o, uint64_t *ret)
{
	const struct drain *d = (const struct drain *)o;

	*ret = elastic_private_hash(d->vni, &d->private_addr);
	return true;
}

static bool table_number(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct route_table *)o)->number);
	return true;
}

static bool table_association(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct subnet *)o)->table_association);
	return ((const struct subnet *)o)->table_association;
}

static bool main_association(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct vpc *)o)->main_association);
	return ((const struct vpc *)o)->main_association;
}

static bool gateway_association(const struct object *o, uint64_t *ret)
{
	*ret = hash_u64(((const struct internet_gateway *)o)->table_association);
	return ((const struct internet_gateway *)o)->table_association;
}

static const struct unique_use uniques[] = {
	{KIND_KEY, UNIQUE_ACCESS_KEY_ID, offsetof(struct key, by_access_key_id), access_key_hash},
	{KIND_HOST, UNIQUE_HOST_NAME, offsetof(struct host, by_name), host_name_hash},
	{KIND_HOST, UNIQUE_HOST_NUMBER, offsetof(struct host, by_number), host_number_hash},
	{KIND_VPC, UNIQUE_VNI, offsetof(struct vpc, by_vni), vni_hash},
	{KIND_INTERFACE, UNIQUE_MAC, offsetof(struct interface, by_mac), mac_hash},
	{KIND_SECURITY_GROUP, UNIQUE_GROUP_NUMBER, offsetof(struct security_group, by_number),
	 group_number_hash},
	{KIND_SECURITY_GROUP, UNIQUE_GROUP_NAME, offsetof(struct security_group, by_name),
	 group_name},
	{KIND_NETWORK_ACL, UNIQUE_ACL_NUMBER, offsetof(struct network_acl, by_number),
	 acl_number_hash},
	{KIND_SUBNET, UNIQUE_ACL_ASSOCIATION, offsetof(struct subnet, by_acl_association),
	 acl_association_hash},
	{KIND_TOKEN, UNIQUE_TOKEN, offsetof(struct token, by_token), token_key},
	{KIND_INTERFACE, UNIQUE_HANDLE, offsetof(struct interface, handle.node), interface_handle},
	{KIND_INTERNET_GATEWAY, UNIQUE_HANDLE, offsetof(struct internet_gateway, handle.node),
	 internet_gateway_handle},
	{KIND_EGRESS_GATEWAY, UNIQUE_HANDLE, offsetof(struct egress_gateway, handle.node),
	 egress_gateway_handle},
	{KIND_NAT_GATEWAY, UNIQUE_HANDLE, offsetof(struct nat_gateway, handle.node),
	 nat_gateway_handle},
	{KIND_ADDRESS, UNIQUE_PUBLIC, offsetof(struct elastic, by_public), elastic_public},
	{KIND_ADDRESS, UNIQUE_ADDRESS_ASSOCIATION, offsetof(struct elastic, by_association),
	 elastic_association},
	{KIND_ADDRESS, UNIQUE_ELASTIC_PRIVATE, offsetof(struct elastic, by_private),
	 elastic_private},
	{KIND_LABEL, UNIQUE_LABEL, offsetof(struct label, by_addr), label_addr_hash},
	{KIND_LABEL, UNIQUE_LABEL_VIRTUAL, offsetof(struct label, by_virtual), label_virtual_hash},
	{KIND_DRAIN, UNIQUE_DRAIN_PRIVATE, offsetof(struct drain, by_private), drain_private},
	{KIND_ROUTE_TABLE, UNIQUE_TABLE_NUMBER, offsetof(struct route_table, by_number),
	 table_number},
	{KIND_SUBNET, UNIQUE_TABLE_ASSOCIATION, offsetof(struct subnet, by_table_association),
	 table_association},
	{KIND_VPC, UNIQUE_MAIN_ASSOCIATION, offsetof(struct vpc, by_main_association),
	 main_association},
	{KIND_INTERNET_GATEWAY, UNIQUE_GATEWAY_ASSOCIATION,
	 offsetof(struct internet_gateway, by_table_association), gateway_association},
};

const struct unique_use *table_uniques(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(uniques);
	return uniques;
}
