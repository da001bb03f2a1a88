/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions of other accounts to use an interface. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/permission.h"

static void write_permission(struct ec2_call *c, const struct permission *p)
{
	ec2_write_id(c, "networkInterfacePermissionId", KIND_PERMISSION, p->o.id);
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, p->interface);
	ec2_write_owner(c, "awsAccountId", p->grantee);
	xml_text(c->xml, "permission", permission_type_text(p->type));
	xml_open(c->xml, "permissionState");
	xml_text(c->xml, "state", "granted");
	xml_close(c->xml);
}

int action_create_network_interface_permission(struct ec2_call *c)
{
	const struct permission_create_args args = {
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.account_id = param_text(c, "AwsAccountId"),
		.type = param_text(c, "Permission"),
	};
	const struct permission *p;
	int r;

	if (!args.account_id)
		return ec2_refuse_missing(c, "AwsAccountId");
	r = permission_create(c->tx, &c->caller, &args, &p, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "interfacePermission");
	write_permission(c, p);
	xml_close(c->xml);
	return 0;
}

int action_delete_network_interface_permission(struct ec2_call *c)
{
	int r = permission_delete(c->tx, &c->caller, param_text(c, "NetworkInterfacePermissionId"),
				  param_is_true(c, "Force"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct permission *p;
	int r = permission_find(m, caller, id, &p, reterr);

	if (!r)
		*ret = &p->o;
	return r;
}

#define ITEM ((const struct permission *)item)

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_PERMISSION, ITEM->o.id);
}

static void by_interface(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INTERFACE, ITEM->interface);
}

static void by_grantee(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->grantee);
}

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, permission_type_text(ITEM->type));
}

/* No service of AWS's is granted anything. */
static void by_nothing(struct filter_probe *p, const void *item)
{
}

const struct filter permission_filters[] = {
	{"network-interface-permission.aws-account-id", by_grantee},
	{"network-interface-permission.aws-service", by_nothing},
	{"network-interface-permission.network-interface-id", by_interface},
	{"network-interface-permission.network-interface-permission-id", by_id},
	{"network-interface-permission.permission", by_type},
	{},
};

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_permission(c, (const struct permission *)o);
	xml_close(c->xml);
}

int action_describe_network_interface_permissions(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"network-interface-permission.network-interface-id", KIND_INTERFACE,
		 REL_INTERFACE_PERMISSIONS},
		{},
	};
	static const struct describe d = {
		.kind = KIND_PERMISSION,
		.ids = "NetworkInterfacePermissionId",
		.find = find,
		.filters = permission_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "networkInterfacePermissions", NULL, NULL);
}
