/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 addresses of interfaces. */
#include "api/handlers.h"
#include "api/interface_params.h"
#include "api/param.h"
#include "model/interface.h"

int interface_params_addrs6(struct ec2_call *c, const char *prefix, const char *list_name,
			    const char *const **ret, size_t *ret_n, const uint32_t **ret_count)
{
	const char *list = param_name(c, "%s%s", prefix, list_name);
	const char *count = param_name(c, "%sIpv6AddressCount", prefix);
	const uint32_t *indices;
	const char **addrs;
	uint32_t *number;
	size_t n;
	int r;

	if (!list || !count)
		return -ENOMEM;
	r = param_indices(c, list, &indices, &n);
	if (r)
		return r;
	addrs = arena_alloc_array(c->arena, n + 1, sizeof(*addrs));
	number = arena_alloc_array(c->arena, 1, sizeof(*number));
	if (!addrs || !number)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *name = param_name(c, "%s.%u.Ipv6Address", list, indices[i]);

		if (!name)
			return -ENOMEM;
		addrs[i] = param_text(c, name);
		if (!addrs[i])
			return ec2_refuse_missing(c, name);
	}
	*number = param_u32(c, count, 0);
	*ret = addrs;
	*ret_n = n;
	*ret_count = param_text(c, count) ? number : NULL;
	return 0;
}

int action_assign_ipv6_addresses(struct ec2_call *c)
{
	struct interface_assign_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.count = param_u32(c, "Ipv6AddressCount", 0),
	};
	const struct interface *i;
	size_t n;
	int r;

	r = param_list(c, "Ipv6Addresses", &args.addrs, &args.n_addrs);
	if (r)
		return r;
	if (!args.n_addrs && !args.count)
		return ec2_refuse_missing(c, "ipv6Addresses or ipv6AddressCount");
	r = interface_assign6(c->tx, &c->caller, &args, &i, &n, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, i->o.id);
	xml_open(c->xml, "assignedIpv6Addresses");
	for (size_t k = i->n_addrs - n; k < i->n_addrs; k++)
		ec2_write_addr(c, "item", &i->addrs[k].addr);
	xml_close(c->xml);
	xml_empty(c->xml, "assignedIpv6PrefixSet");
	return 0;
}

int action_unassign_ipv6_addresses(struct ec2_call *c)
{
	const char *id = param_text(c, "NetworkInterfaceId");
	const char *const *addrs;
	struct ipaddr a;
	size_t n;
	int r;

	r = param_list(c, "Ipv6Addresses", &addrs, &n);
	if (!r)
		r = interface_unassign6(c->tx, &c->caller, id, addrs, n, &c->refusal);
	if (r)
		return r;
	xml_text(c->xml, "networkInterfaceId", id);
	xml_open(c->xml, "unassignedIpv6Addresses");
	for (size_t k = 0; k < n; k++)
		if (!ipaddr_parse(addrs[k], &a))
			ec2_write_addr(c, "item", &a);
	xml_close(c->xml);
	xml_empty(c->xml, "unassignedIpv6PrefixSet");
	return 0;
}
