/* SPDX-License-Identifier: Apache-2.0 */
/* Elastic addresses and the pools they come from. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/elastic.h"
#include "model/interface.h"
#include "model/names.h"
#include "model/pool.h"
#include "model/vpc.h"

#include <string.h>

#define AMAZON "amazon"

/* ---- as others show them ---- */

const struct elastic *elastic_of(const struct ec2_call *c, const struct interface *i,
				 const struct ipaddr *a)
{
	return elastic_by_private(c->model, i->vni, a);
}

static bool has_public_name(const struct ec2_call *c, const struct elastic *e)
{
	const struct vpc *v = (const struct vpc *)model_get(c->model, KIND_VPC, e->vpc);

	return v && v->dns_hostnames;
}

const char *elastic_name(const struct ec2_call *c, const struct elastic *e,
			 char buf[static NAMES_SIZE])
{
	return has_public_name(c, e) ? names_public_dns(model_region(c->model), &e->public, buf)
				     : "";
}

static void write_ip_owner(struct ec2_call *c, const struct elastic *e)
{
	if (e->automatic)
		xml_text(c->xml, "ipOwnerId", AMAZON);
	else
		ec2_write_owner(c, "ipOwnerId", e->o.account);
}

void elastic_write_association(struct ec2_call *c, const struct elastic *e, bool in_instance)
{
	char id[ID_TEXT_SIZE], name[NAMES_SIZE];

	xml_open(c->xml, "association");
	if (!e->automatic && !in_instance) {
		ec2_write_id(c, "allocationId", KIND_ADDRESS, e->o.id);
		xml_text(c->xml, "associationId",
			 id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id));
	}
	write_ip_owner(c, e);
	xml_text(c->xml, "publicDnsName", elastic_name(c, e, name));
	ec2_write_addr(c, "publicIp", &e->public);
	xml_close(c->xml);
}

void elastic_filter_owner(struct filter_probe *p, const struct elastic *e)
{
	if (e->automatic)
		filter_text(p, AMAZON);
	else
		filter_owner(p, e->o.account);
}

/* ---- actions ---- */

int action_allocate_address(struct ec2_call *c)
{
	static const char *const taggable[] = {"elastic-ip", NULL};
	struct elastic_allocate_args args = {
		.address = param_text(c, "Address"),
		.pool_id = param_text(c, "PublicIpv4Pool"),
	};
	const char *domain = param_text(c, "Domain");
	const char *border = param_text(c, "NetworkBorderGroup");
	const struct elastic *e;
	int r;

	if (domain && strcmp(domain, "vpc"))
		return ec2_refuse_value(c, "domain", domain, "It is vpc.");
	if (border && strcmp(border, model_region(c->model)))
		return ec2_refuse_value(c, "networkBorderGroup", border,
					"It is the region's name.");
	r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = elastic_allocate(c->tx, &c->caller, &args, &e, &c->refusal);
	if (r)
		return r;
	ec2_write_addr(c, "publicIp", &e->public);
	ec2_write_id(c, "allocationId", KIND_ADDRESS, e->o.id);
	ec2_write_id(c, "publicIpv4Pool", KIND_POOL, e->pool);
	xml_text(c->xml, "networkBorderGroup", model_region(c->model));
	xml_text(c->xml, "domain", "vpc");
	return 0;
}

int action_release_address(struct ec2_call *c)
{
	int r = elastic_release(c->tx, &c->caller, param_text(c, "AllocationId"),
				param_text(c, "PublicIp"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_associate_address(struct ec2_call *c)
{
	const bool *again = param_bool(c, "AllowReassociation");
	struct elastic_associate_args args = {
		.allocation_id = param_text(c, "AllocationId"),
		.public_ip = param_text(c, "PublicIp"),
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.instance_id = param_text(c, "InstanceId"),
		.private_ip = param_text(c, "PrivateIpAddress"),
		.allow_reassociation = !again || *again, /* EC2's default in a VPC */
	};
	const struct elastic *e;
	char id[ID_TEXT_SIZE];
	int r = elastic_associate(c->tx, &c->caller, &args, &e, &c->refusal);

	if (r)
		return r;
	xml_text(c->xml, "associationId",
		 id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id));
	return 0;
}

int action_disassociate_address(struct ec2_call *c)
{
	int r = elastic_disassociate(c->tx, &c->caller, param_text(c, "AssociationId"),
				     param_text(c, "PublicIp"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

/* ---- showing ---- */

static uint64_t instance_of(const struct interface *i)
{
	return i && i->attachment.state != ATTACHMENT_NONE ? i->attachment.instance : 0;
}

static void write_elastic(struct ec2_call *c, const struct object *o, void *data)
{
	const struct elastic *e = (const struct elastic *)o;
	const struct interface *i = elastic_interface(c->model, e);
	char id[ID_TEXT_SIZE];

	xml_open(c->xml, "item");
	if (instance_of(i))
		ec2_write_id(c, "instanceId", KIND_INSTANCE, instance_of(i));
	ec2_write_addr(c, "publicIp", &e->public);
	ec2_write_id(c, "allocationId", KIND_ADDRESS, e->o.id);
	if (e->association)
		xml_text(c->xml, "associationId",
			 id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id));
	xml_text(c->xml, "domain", "vpc");
	if (i) {
		ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, i->o.id);
		ec2_write_owner(c, "networkInterfaceOwnerId", i->o.account);
	}
	ec2_write_addr(c, "privateIpAddress", &e->private_addr);
	ec2_write_tags(c, o);
	ec2_write_id(c, "publicIpv4Pool", KIND_POOL, e->pool);
	xml_text(c->xml, "networkBorderGroup", model_region(c->model));
	xml_close(c->xml);
}

#define ITEM ((const struct elastic *)item)

static void by_allocation(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_ADDRESS, ITEM->o.id);
}

static void by_association(struct filter_probe *p, const void *item)
{
	char id[ID_TEXT_SIZE];

	if (ITEM->association)
		filter_text(p,
			    id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, ITEM->association, id));
}

static void by_domain(struct filter_probe *p, const void *item)
{
	filter_text(p, "vpc");
}

static void by_instance(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INSTANCE, instance_of(elastic_interface(p->call->model, ITEM)));
}

static void by_border(struct filter_probe *p, const void *item)
{
	filter_text(p, model_region(p->call->model));
}

static void by_interface(struct filter_probe *p, const void *item)
{
	const struct interface *i = elastic_interface(p->call->model, ITEM);

	if (i)
		filter_id(p, KIND_INTERFACE, i->o.id);
}

static void by_interface_owner(struct filter_probe *p, const void *item)
{
	const struct interface *i = elastic_interface(p->call->model, ITEM);

	if (i)
		filter_owner(p, i->o.account);
}

static void by_private(struct filter_probe *p, const void *item)
{
	filter_addr(p, &ITEM->private_addr);
}

static void by_public(struct filter_probe *p, const void *item)
{
	filter_addr(p, &ITEM->public);
}

const struct filter address_filters[] = {
	{"allocation-id", by_allocation},
	{"association-id", by_association},
	{"domain", by_domain},
	{"instance-id", by_instance},
	{"network-border-group", by_border},
	{"network-interface-id", by_interface},
	{"network-interface-owner-id", by_interface_owner},
	{"private-ip-address", by_private},
	{"public-ip", by_public},
	{},
};

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct elastic *e;
	int r = strchr(id, '.') ? elastic_find_public(m, caller, id, &e, reterr)
				: elastic_find(m, caller, id, &e, reterr);

	if (!r)
		*ret = &e->o;
	return r;
}

static bool is_shown(const struct ec2_call *c, const struct object *o)
{
	return !((const struct elastic *)o)->automatic;
}

int action_describe_addresses(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{"allocation-id", KIND_ADDRESS, REL_MAX},
						       {}};
	struct describe d = {
		.kind = KIND_ADDRESS,
		.ids = "AllocationId",
		.find = find,
		.filters = address_filters,
		.groups = groups,
		.write = write_elastic,
		.shows = is_shown,
	};
	const char *const *public;
	size_t n;
	int r = param_list(c, "PublicIp", &public, &n);

	if (r)
		return r;
	if (n)
		d.ids = "PublicIp";
	return describe_run(c, &d, "addressesSet", NULL, NULL);
}

static void write_attribute(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	ec2_write_addr(c, "publicIp", &((const struct elastic *)o)->public);
	ec2_write_id(c, "allocationId", KIND_ADDRESS, o->id);
	xml_close(c->xml);
}

static const struct filter no_filters[] = {{}};

int action_describe_addresses_attribute(struct ec2_call *c)
{
	static const struct describe d = {
		.kind = KIND_ADDRESS,
		.ids = "AllocationId",
		.find = find,
		.filters = no_filters,
		.small_pages = true,
		.write = write_attribute,
		.shows = is_shown,
	};
	const char *attribute = param_text(c, "Attribute");

	if (attribute && strcmp(attribute, "domain-name"))
		return ec2_refuse_value(c, "attribute", attribute, "It is domain-name.");
	return describe_run(c, &d, "addressSet", NULL, NULL);
}

/* ---- pools ---- */

enum { POOLS_OF_A_PAGE = 10 };

static void write_range(struct ec2_call *c, const struct pool *p)
{
	uint32_t base = ipaddr_v4(&p->prefix.addr), border = p->prefix.len < 96 + 31;
	struct ipaddr first = ipaddr_from_v4(base + border);
	struct ipaddr last = ipaddr_from_v4(base + border + (uint32_t)pool_size(p) - 1);

	xml_open(c->xml, "poolAddressRangeSet");
	xml_open(c->xml, "item");
	ec2_write_addr(c, "firstAddress", &first);
	ec2_write_addr(c, "lastAddress", &last);
	xml_u64(c->xml, "addressCount", pool_size(p));
	xml_u64(c->xml, "availableAddressCount", pool_size(p) - pool_used(c->model, p));
	xml_close(c->xml);
	xml_close(c->xml);
}

static void write_pool(struct ec2_call *c, const struct pool *p)
{
	xml_open(c->xml, "item");
	ec2_write_id(c, "poolId", KIND_POOL, p->o.id);
	xml_text(c->xml, "description", "");
	write_range(c, p);
	xml_u64(c->xml, "totalAddressCount", pool_size(p));
	xml_u64(c->xml, "totalAvailableAddressCount", pool_size(p) - pool_used(c->model, p));
	xml_text(c->xml, "networkBorderGroup", model_region(c->model));
	ec2_write_tags(c, &p->o);
	xml_close(c->xml);
}

/* The system's, and there for everybody.  EC2's pages of them are short. */
int action_describe_public_ipv4_pools(struct ec2_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_POOL);
	struct filter_set filters;
	const char *const *ids;
	const struct object *o;
	struct page_run page;
	size_t n;
	int r = filter_parse(c, no_filters, true, &filters);

	if (!r)
		r = page_run_begin_within(c, 1, POOLS_OF_A_PAGE, &page);
	if (!r)
		r = param_list(c, "PoolId", &ids, &n);
	for (size_t i = 0; !r && i < n; i++)
		if (!pool_find(c->model, ids[i]))
			r = ec2_refuse(c, 400, "InvalidPublicIpv4PoolID.NotFound",
				       "The public pool '%.100s' does not exist", ids[i]);
	if (r)
		return r;
	if (page.begun_before)
		model_iter_skip(c->model, &it, KIND_POOL, page.after.id, page.after.serial);
	xml_open(c->xml, "publicIpv4PoolSet");
	while ((o = model_iter_next(&it))) {
		bool wanted = !n;

		for (size_t i = 0; i < n; i++)
			wanted |= pool_find(c->model, ids[i]) == (const struct pool *)o;
		if (!wanted || !filter_passes(c, &filters, o, o))
			continue;
		if (!page_run_admit(&page))
			break;
		write_pool(c, (const struct pool *)o);
		page.last = (struct page_mark){.kind = KIND_POOL, .id = o->id, .serial = o->serial};
	}
	xml_close(c->xml);
	return page_run_end(c, &page);
}
