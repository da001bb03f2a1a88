/* SPDX-License-Identifier: Apache-2.0 */
/* Making, changing, attaching interfaces, and their addresses; interface_view.c shows them. */
#include "api/handlers.h"
#include "api/interface_params.h"
#include "api/param.h"
#include "model/interface.h"

#include <string.h>

int interface_params_addrs(struct ec2_call *c, const char *prefix,
			   const struct private_addr_args **ret, size_t *ret_n)
{
	const char *list = param_name(c, "%sPrivateIpAddresses", prefix);
	struct private_addr_args *addrs;
	const uint32_t *indices;
	size_t n;
	int r;

	if (!list)
		return -ENOMEM;
	r = param_indices(c, list, &indices, &n);
	if (r)
		return r;
	addrs = arena_alloc_array(c->arena, n + 1, sizeof(*addrs));
	if (!addrs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *addr = param_name(c, "%s.%u.PrivateIpAddress", list, indices[i]);
		const char *primary = param_name(c, "%s.%u.Primary", list, indices[i]);

		if (!addr || !primary)
			return -ENOMEM;
		addrs[i].addr = param_text(c, addr);
		addrs[i].primary = param_is_true(c, primary);
		if (!addrs[i].addr)
			return ec2_refuse_missing(c, addr);
	}
	*ret = addrs;
	*ret_n = n;
	return 0;
}

int action_create_network_interface(struct ec2_call *c)
{
	static const char *const taggable[] = {"network-interface", NULL};
	const char *type = param_text(c, "InterfaceType");
	struct interface_create_args args = {
		.subnet_id = param_text(c, "SubnetId"),
		.description = param_text(c, "Description"),
		.private_ip = param_text(c, "PrivateIpAddress"),
		.secondary_count = param_u32(c, "SecondaryPrivateIpAddressCount", 0),
	};
	const struct interface *i;
	int r;

	if (type && strcmp(type, "interface"))
		return ec2_refuse_unsupported(c, "InterfaceType other than interface");
	r = interface_params_addrs(c, "", &args.addrs, &args.n_addrs);
	if (!r)
		r = param_list(c, "SecurityGroupId", &args.groups, &args.n_groups);
	if (!r)
		r = interface_params_addrs6(c, "", "Ipv6Addresses", &args.addrs6, &args.n_addrs6,
					    &args.count6);
	if (!r)
		r = param_tag_specification(c, "network-interface", taggable, &args.tags,
					    &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = interface_create(c->tx, &c->caller, &args, &i, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "networkInterface");
	interface_write(c, i);
	xml_close(c->xml);
	xml_text(c->xml, "clientToken", args.token.token);
	return 0;
}

int action_delete_network_interface(struct ec2_call *c)
{
	int r = interface_delete(c->tx, &c->caller, param_text(c, "NetworkInterfaceId"),
				 &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_attach_network_interface(struct ec2_call *c)
{
	struct interface_attach_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.instance_id = param_text(c, "InstanceId"),
		.device_index = param_u32(c, "DeviceIndex", 0),
		.allow_reassignment = param_is_true(c, "AllowReassignment"),
	};
	const struct attachment *a;
	char id[ID_TEXT_SIZE];
	int r;

	r = interface_attach(c->tx, &c->caller, &args, &a, &c->refusal);
	if (r)
		return r;
	xml_text(c->xml, "attachmentId", id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, id));
	xml_u64(c->xml, "networkCardIndex", 0);
	return 0;
}

int action_detach_network_interface(struct ec2_call *c)
{
	int r = interface_detach(c->tx, &c->caller, param_text(c, "AttachmentId"),
				 param_is_true(c, "Force"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_modify_network_interface_attribute(struct ec2_call *c)
{
	struct interface_modify_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.description = param_text(c, "Description.Value"),
		.source_dest_check = param_bool(c, "SourceDestCheck.Value"),
		.attachment_id = param_text(c, "Attachment.AttachmentId"),
		.delete_on_termination = param_bool(c, "Attachment.DeleteOnTermination"),
	};
	int n = !!args.description + !!args.source_dest_check +
		(args.attachment_id || args.delete_on_termination);
	int r = param_list(c, "SecurityGroupId", &args.groups, &args.n_groups);

	if (r)
		return r;
	n += !!args.n_groups;
	if (!n)
		return ec2_refuse_missing(
			c, "Description, SourceDestCheck, Attachment or SecurityGroupId");
	if (n > 1)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Fields for multiple attribute types specified: name one");
	if (args.delete_on_termination && !args.attachment_id)
		return ec2_refuse_missing(c, "Attachment.AttachmentId");
	if (args.attachment_id && !args.delete_on_termination)
		return ec2_refuse_missing(c, "Attachment.DeleteOnTermination");
	r = interface_modify(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

int action_reset_network_interface_attribute(struct ec2_call *c)
{
	static const bool yes = true;
	const struct interface_modify_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.source_dest_check = &yes,
	};
	int r;

	if (!param_text(c, "SourceDestCheck"))
		return ec2_refuse_missing(c, "SourceDestCheck");
	r = interface_modify(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

int action_assign_private_ip_addresses(struct ec2_call *c)
{
	struct interface_assign_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.count = param_u32(c, "SecondaryPrivateIpAddressCount", 0),
		.allow_reassignment = param_is_true(c, "AllowReassignment"),
	};
	const struct interface *i;
	size_t n;
	int r;

	r = param_list(c, "PrivateIpAddress", &args.addrs, &args.n_addrs);
	if (r)
		return r;
	if (!args.n_addrs && !args.count)
		return ec2_refuse_missing(c, "privateIpAddress or secondaryPrivateIpAddressCount");
	r = interface_assign(c->tx, &c->caller, &args, &i, &n, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, i->o.id);
	xml_open(c->xml, "assignedPrivateIpAddressesSet");
	for (size_t k = i->n_addrs - n; k < i->n_addrs; k++) {
		xml_open(c->xml, "item");
		ec2_write_addr(c, "privateIpAddress", &i->addrs[k].addr);
		xml_close(c->xml);
	}
	xml_close(c->xml);
	xml_empty(c->xml, "assignedIpv4PrefixSet");
	return 0;
}

int action_unassign_private_ip_addresses(struct ec2_call *c)
{
	const char *const *addrs;
	size_t n;
	int r;

	r = param_list(c, "PrivateIpAddress", &addrs, &n);
	if (!r)
		r = interface_unassign(c->tx, &c->caller, param_text(c, "NetworkInterfaceId"),
				       addrs, n, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}
