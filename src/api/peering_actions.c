/* SPDX-License-Identifier: Apache-2.0 */
/* VPC peering connections. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/peering.h"
#include "model/vpc.h"

#include <string.h>

static void write_blocks(struct ec2_call *c, const struct vpc *v)
{
	xml_open(c->xml, "cidrBlockSet");
	for (size_t i = 0; i < v->n_blocks; i++) {
		xml_open(c->xml, "item");
		ec2_write_prefix(c, "cidrBlock", &v->blocks[i].prefix);
		xml_close(c->xml);
	}
	xml_close(c->xml);
	if (!v->n_blocks6)
		return;
	xml_open(c->xml, "ipv6CidrBlockSet");
	for (size_t i = 0; i < v->n_blocks6; i++) {
		xml_open(c->xml, "item");
		ec2_write_prefix(c, "ipv6CidrBlock", &v->blocks6[i].prefix);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static bool lives(const struct peering *p)
{
	return p->state == PEERING_PENDING || p->state == PEERING_ACTIVE;
}

static void write_side(struct ec2_call *c, const char *name, const struct peering *p,
		       const struct peering_side *s)
{
	const struct vpc *v = (const struct vpc *)model_get(c->model, KIND_VPC, s->vpc);

	xml_open(c->xml, name);
	if (s->vni)
		ec2_write_prefix(c, "cidrBlock", &s->block);
	if (v && lives(p))
		write_blocks(c, v);
	ec2_write_owner(c, "ownerId", s->account);
	if (p->state == PEERING_ACTIVE) {
		xml_open(c->xml, "peeringOptions");
		xml_bool(c->xml, "allowDnsResolutionFromRemoteVpc", s->dns);
		xml_bool(c->xml, "allowEgressFromLocalClassicLinkToRemoteVpc", false);
		xml_bool(c->xml, "allowEgressFromLocalVpcToRemoteClassicLink", false);
		xml_close(c->xml);
	}
	ec2_write_id(c, "vpcId", KIND_VPC, s->vpc);
	xml_text(c->xml, "region", model_region(c->model));
	xml_close(c->xml);
}

static void write_peering(struct ec2_call *c, const struct peering *p)
{
	write_side(c, "accepterVpcInfo", p, &p->accepter);
	if (p->expires_ms)
		xml_time(c->xml, "expirationTime", p->expires_ms);
	write_side(c, "requesterVpcInfo", p, &p->requester);
	xml_open(c->xml, "status");
	xml_text(c->xml, "code", peering_state_text(p->state));
	xml_text(c->xml, "message", peering_state_message(p->state));
	xml_close(c->xml);
	ec2_write_tags(c, &p->o);
	ec2_write_id(c, "vpcPeeringConnectionId", KIND_PEERING, p->o.id);
}

static void write_result(struct ec2_call *c, const struct peering *p)
{
	xml_open(c->xml, "vpcPeeringConnection");
	write_peering(c, p);
	xml_close(c->xml);
}

int action_create_vpc_peering_connection(struct ec2_call *c)
{
	static const char *const taggable[] = {"vpc-peering-connection", NULL};
	struct peering_create_args args = {
		.vpc_id = param_text(c, "VpcId"),
		.peer_vpc_id = param_text(c, "PeerVpcId"),
		.peer_account = param_text(c, "PeerOwnerId"),
	};
	const char *region = param_text(c, "PeerRegion");
	const struct peering *p;
	int r;

	if (region && strcmp(region, model_region(c->model)))
		return ec2_refuse(c, 400, "OperationNotPermitted",
				  "There is no region %.64s here: leave PeerRegion away", region);
	r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = peering_create(c->tx, &c->caller, &args, &p, &c->refusal);
	if (!r)
		write_result(c, p);
	return r;
}

int action_accept_vpc_peering_connection(struct ec2_call *c)
{
	const char *id = param_text(c, "VpcPeeringConnectionId");
	const struct peering *p;
	int r = id ? peering_accept(c->tx, &c->caller, id, &p, &c->refusal)
		   : ec2_refuse_missing(c, "vpcPeeringConnectionId");

	if (!r)
		write_result(c, p);
	return r;
}

int action_reject_vpc_peering_connection(struct ec2_call *c)
{
	int r = peering_reject(c->tx, &c->caller, param_text(c, "VpcPeeringConnectionId"),
			       &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_delete_vpc_peering_connection(struct ec2_call *c)
{
	int r = peering_delete(c->tx, &c->caller, param_text(c, "VpcPeeringConnectionId"),
			       &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

#define REQUESTER_DNS "RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc"
#define ACCEPTER_DNS  "AccepterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc"

static void write_option(struct ec2_call *c, const char *name, const bool *value)
{
	if (!value)
		return;
	xml_open(c->xml, name);
	xml_bool(c->xml, "allowDnsResolutionFromRemoteVpc", *value);
	xml_close(c->xml);
}

int action_modify_vpc_peering_connection_options(struct ec2_call *c)
{
	struct peering_modify_args args = {
		.id = param_text(c, "VpcPeeringConnectionId"),
		.requester_dns = param_bool(c, REQUESTER_DNS),
		.accepter_dns = param_bool(c, ACCEPTER_DNS),
	};
	const struct peering *p;
	int r = peering_modify(c->tx, &c->caller, &args, &p, &c->refusal);

	if (r)
		return r;
	write_option(c, "accepterPeeringConnectionOptions", args.accepter_dns);
	write_option(c, "requesterPeeringConnectionOptions", args.requester_dns);
	return 0;
}

/* ---- showing: to both sides ---- */

#define ITEM ((const struct peering *)item)

static void side_blocks(struct filter_probe *p, const struct peering_side *s)
{
	char text[PREFIX_TEXT_SIZE];

	if (s->vni)
		filter_text(p, prefix_text(&s->block, text));
}

static void by_accepter_cidr(struct filter_probe *p, const void *item)
{
	side_blocks(p, &ITEM->accepter);
}

static void by_accepter_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->accepter.account);
}

static void by_accepter_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->accepter.vpc);
}

static void by_requester_cidr(struct filter_probe *p, const void *item)
{
	side_blocks(p, &ITEM->requester);
}

static void by_requester_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->requester.account);
}

static void by_requester_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->requester.vpc);
}

static void by_expiration(struct filter_probe *p, const void *item)
{
	if (ITEM->expires_ms)
		filter_time(p, ITEM->expires_ms);
}

static void by_code(struct filter_probe *p, const void *item)
{
	filter_text(p, peering_state_text(ITEM->state));
}

static void by_message(struct filter_probe *p, const void *item)
{
	filter_text(p, peering_state_message(ITEM->state));
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_PEERING, ITEM->o.id);
}

const struct filter peering_filters[] = {
	{"accepter-vpc-info.cidr-block", by_accepter_cidr},
	{"accepter-vpc-info.owner-id", by_accepter_owner},
	{"accepter-vpc-info.vpc-id", by_accepter_vpc},
	{"expiration-time", by_expiration},
	{"requester-vpc-info.cidr-block", by_requester_cidr},
	{"requester-vpc-info.owner-id", by_requester_owner},
	{"requester-vpc-info.vpc-id", by_requester_vpc},
	{"status-code", by_code},
	{"status-message", by_message},
	{"vpc-peering-connection-id", by_id},
	{},
};

static bool is_named(const struct ec2_call *c, const struct peering *p, const char *const *ids,
		     size_t n)
{
	const struct peering *named;

	for (size_t i = 0; i < n; i++)
		if (!peering_find(c->model, &c->caller, ids[i], &named, NULL) && named == p)
			return true;
	return !n;
}

int action_describe_vpc_peering_connections(struct ec2_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_PEERING);
	const struct peering *p;
	struct filter_set filters;
	const char *const *ids;
	struct page_run page;
	size_t n;
	int r = filter_parse(c, peering_filters, true, &filters);

	if (!r)
		r = page_run_begin(c, &page);
	if (!r)
		r = param_list(c, "VpcPeeringConnectionId", &ids, &n);
	for (size_t i = 0; !r && i < n; i++)
		r = peering_find(c->model, &c->caller, ids[i], &p, &c->refusal);
	if (r)
		return r;
	if (page.begun_before)
		model_iter_skip(c->model, &it, KIND_PEERING, page.after.id, page.after.serial);
	xml_open(c->xml, "vpcPeeringConnectionSet");
	while ((p = (const struct peering *)model_iter_next(&it))) {
		if (!peering_sees(&c->caller, p) || !is_named(c, p, ids, n) ||
		    !filter_passes(c, &filters, p, &p->o))
			continue;
		if (!page_run_admit(&page))
			break;
		xml_open(c->xml, "item");
		write_peering(c, p);
		xml_close(c->xml);
		page.last.kind = KIND_PEERING;
		page.last.id = p->o.id;
		page.last.serial = p->o.serial;
	}
	xml_close(c->xml);
	return page_run_end(c, &page);
}
