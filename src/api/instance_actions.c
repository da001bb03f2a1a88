/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, stopping, changing instances; instance_view.c shows them. */
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/interface_params.h"
#include "api/param.h"
#include "api/placement_view.h"
#include "api/rule_params.h"
#include "base/limits.h"
#include "model/instance.h"

#include <string.h>
#include <strings.h>

/* RFC 4648 section 4, with its padding; nothing else between. */
static bool is_base64(const char *s)
{
	size_t length = strlen(s);
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	return length % 4 == 0 && length - n <= 2 && strspn(s + n, "=") == length - n;
}

static int read_user_data(struct ec2_call *c, const char *name, const char **ret)
{
	const char *text = param_text(c, name);

	if (text && !is_base64(text))
		return ec2_refuse(c, 400, "InvalidUserData.Malformed",
				  "Invalid BASE64 encoding of user data.");
	*ret = text;
	return 0;
}

static int read_shutdown_behavior(struct ec2_call *c, const char *name, const bool **ret)
{
	static const bool values[] = {false, true};
	const char *text = param_text(c, name);

	*ret = NULL;
	if (!text)
		return 0;
	if (strcmp(text, "stop") && strcmp(text, "terminate"))
		return ec2_refuse_value(c, name, text, "It must be stop or terminate.");
	*ret = &values[!strcmp(text, "terminate")];
	return 0;
}

/* NetworkInterface.INDEX.NAME */
static const char *of_interface(struct ec2_call *c, uint32_t index, const char *name)
{
	const char *full = param_name(c, "NetworkInterface.%u.%s", index, name);

	return full ? full : "";
}

static int read_interface(struct ec2_call *c, uint32_t index, struct instance_interface_args *ret)
{
	const char *type = param_text(c, of_interface(c, index, "InterfaceType"));
	const char *prefix = param_name(c, "NetworkInterface.%u.", index);
	int r;

	if (!prefix)
		return -ENOMEM;
	if (type && strcmp(type, "interface"))
		return ec2_refuse_unsupported(c, "InterfaceType other than interface");
	*ret = (struct instance_interface_args){
		.device_index = param_u32(c, of_interface(c, index, "DeviceIndex"), UINT32_MAX),
		.interface_id = param_text(c, of_interface(c, index, "NetworkInterfaceId")),
		.subnet_id = param_text(c, of_interface(c, index, "SubnetId")),
		.description = param_text(c, of_interface(c, index, "Description")),
		.private_ip = param_text(c, of_interface(c, index, "PrivateIpAddress")),
		.secondary_count =
			param_u32(c, of_interface(c, index, "SecondaryPrivateIpAddressCount"), 0),
		.delete_on_termination =
			param_bool(c, of_interface(c, index, "DeleteOnTermination")),
		.public_ip = param_bool(c, of_interface(c, index, "AssociatePublicIpAddress")),
	};
	if (ret->device_index == UINT32_MAX)
		return ec2_refuse_missing(c, of_interface(c, index, "DeviceIndex"));
	r = param_list(c, of_interface(c, index, "SecurityGroupId"), &ret->groups, &ret->n_groups);
	if (r)
		return r;
	r = interface_params_addrs(c, prefix, &ret->addrs, &ret->n_addrs);
	return r ? r
		 : interface_params_addrs6(c, prefix, "Ipv6Addresses", &ret->addrs6, &ret->n_addrs6,
					   &ret->count6);
}

static int read_interfaces(struct ec2_call *c, struct instance_run_args *args)
{
	struct instance_interface_args *interfaces;
	const uint32_t *indices;
	size_t n;
	int r;

	r = param_indices(c, "NetworkInterface", &indices, &n);
	if (r || !n)
		return r;
	if (args->subnet_id || args->private_ip || args->secondary_count || args->n_addrs6 ||
	    args->count6)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Network interfaces and an instance-level subnet ID or private "
				  "address may not be specified on the same request");
	interfaces = arena_alloc_array(c->arena, n, sizeof(*interfaces));
	if (!interfaces)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = read_interface(c, indices[i], &interfaces[i]);
		if (r)
			return r;
	}
	args->interfaces = interfaces;
	args->n_interfaces = n;
	return 0;
}

/* Volumes are accepted as a resource to tag, since clients tag them along; there are none. */
static int read_tags(struct ec2_call *c, struct instance_run_args *args)
{
	static const char *const taggable[] = {"instance", "network-interface", "volume", NULL};
	int r;

	r = param_tag_specification(c, "instance", taggable, &args->tags, &args->n_tags);
	if (!r)
		r = param_tag_specification(c, "network-interface", taggable, &args->interface_tags,
					    &args->n_interface_tags);
	return r;
}

/* Names are those of groups of the default VPC. */
static int read_groups(struct ec2_call *c, struct instance_run_args *args)
{
	const char *const *names;
	const char **ids;
	size_t n;
	int r = param_list(c, "SecurityGroupId", &args->groups, &args->n_groups);

	if (!r)
		r = param_list(c, "SecurityGroup", &names, &n);
	if (r || !n)
		return r;
	if (args->subnet_id)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "The parameter groupName cannot be used with the parameter "
				  "subnet: name groups by SecurityGroupId");
	ids = arena_alloc_array(c->arena, args->n_groups + n, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < args->n_groups; i++)
		ids[i] = args->groups[i];
	for (size_t i = 0; i < n && !r; i++)
		r = rule_params_named(c, names[i], &ids[args->n_groups + i]);
	args->groups = ids;
	args->n_groups += n;
	return r;
}

static int read_run_args(struct ec2_call *c, struct instance_run_args *args)
{
	const bool *terminate;
	int r = placement_check_tenancy(c, "Placement.");

	if (r)
		return r;

	*args = (struct instance_run_args){
		.image = param_text(c, "ImageId"),
		.type = param_text(c, "InstanceType"),
		.min_count = param_u32(c, "MinCount", 0),
		.max_count = param_u32(c, "MaxCount", 0),
		.subnet_id = param_text(c, "SubnetId"),
		.private_ip = param_text(c, "PrivateIpAddress"),
		.zone = param_text(c, "Placement.AvailabilityZone"),
		.key_name = param_text(c, "KeyName"),
		.disable_api_termination = param_is_true(c, "DisableApiTermination"),
		.disable_api_stop = param_is_true(c, "DisableApiStop"),
	};
	if (!args->min_count || args->min_count > args->max_count)
		return ec2_refuse_value(c, "MinCount", param_text(c, "MinCount"),
					"It must be at least 1 and at most MaxCount.");
	if (args->max_count > LIMIT_MODEL_RUN_COUNT)
		return ec2_refuse(c, 400, "InstanceLimitExceeded",
				  "You have requested more instances (%u) than one call may start "
				  "(%u)",
				  args->max_count, LIMIT_MODEL_RUN_COUNT);
	r = read_groups(c, args);
	if (!r)
		r = placement_read_group(c, "Placement.", &args->group);
	if (!r)
		r = read_shutdown_behavior(c, "InstanceInitiatedShutdownBehavior", &terminate);
	args->terminate_on_shutdown = !r && terminate && *terminate;
	if (!r)
		r = read_user_data(c, "UserData", &args->user_data);
	if (!r)
		r = interface_params_addrs6(c, "", "Ipv6Address", &args->addrs6, &args->n_addrs6,
					    &args->count6);
	if (!r)
		r = read_interfaces(c, args);
	if (!r)
		r = read_tags(c, args);
	return r ? r : param_token(c, &args->token);
}

int action_run_instances(struct ec2_call *c)
{
	const struct instance **instances;
	struct instance_run_args args;
	char id[ID_TEXT_SIZE];
	size_t n;
	int r;

	r = read_run_args(c, &args);
	if (r)
		return r;
	instances = arena_alloc_array(c->arena, args.max_count, sizeof(*instances));
	if (!instances)
		return -ENOMEM;
	r = instance_run(c->tx, &c->caller, &args, instances, &n, &c->refusal);
	if (r)
		return r;
	xml_text(c->xml, "reservationId",
		 id_text_prefixed(ID_PREFIX_RESERVATION, instances[0]->reservation, id));
	ec2_write_owner(c, "ownerId", instances[0]->o.account);
	group_write_set(c, NULL);
	xml_open(c->xml, "instancesSet");
	for (size_t i = 0; i < n; i++)
		instance_write(c, instances[i]);
	xml_close(c->xml);
	return 0;
}

static void write_state(struct ec2_call *c, const char *name, enum instance_state state)
{
	xml_open(c->xml, name);
	xml_u64(c->xml, "code", state);
	xml_text(c->xml, "name", instance_state_text(state));
	xml_close(c->xml);
}

typedef int (*transition_fn)(struct tx *tx, const struct caller *c, const char *const *ids,
			     size_t n, struct instance_transition *ret, struct refusal *reterr);

static int change_state(struct ec2_call *c, transition_fn change)
{
	struct instance_transition *t;
	const char *const *ids;
	size_t n;
	int r;

	r = param_list(c, "InstanceId", &ids, &n);
	if (r)
		return r;
	t = arena_alloc_array(c->arena, n, sizeof(*t));
	if (!t)
		return -ENOMEM;
	r = change(c->tx, &c->caller, ids, n, t, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "instancesSet");
	for (size_t i = 0; i < n; i++) {
		xml_open(c->xml, "item");
		ec2_write_id(c, "instanceId", KIND_INSTANCE, t[i].instance->o.id);
		write_state(c, "currentState", t[i].instance->state);
		write_state(c, "previousState", t[i].before);
		xml_close(c->xml);
	}
	xml_close(c->xml);
	return 0;
}

int action_start_instances(struct ec2_call *c)
{
	return change_state(c, instance_start);
}

int action_stop_instances(struct ec2_call *c)
{
	return change_state(c, instance_stop);
}

int action_terminate_instances(struct ec2_call *c)
{
	return change_state(c, instance_terminate);
}

int action_reboot_instances(struct ec2_call *c)
{
	const char *const *ids;
	size_t n;
	int r;

	r = param_list(c, "InstanceId", &ids, &n);
	if (!r)
		r = instance_reboot(c->tx, &c->caller, ids, n, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

static int parse_flag(struct ec2_call *c, const char *value, const bool **ret)
{
	static const bool values[] = {false, true};

	if (strcasecmp(value, "true") && strcasecmp(value, "false"))
		return ec2_refuse_value(c, "Value", value, "It must be true or false.");
	*ret = &values[!strcasecmp(value, "true")];
	return 0;
}

/* The older form: Attribute=disableApiTermination with Value=true. */
static int read_named_attribute(struct ec2_call *c, struct instance_modify_args *args)
{
	const char *name = param_text(c, "Attribute");
	const char *value = param_text(c, "Value");

	if (!name)
		return 0;
	if (!value)
		return ec2_refuse_missing(c, "Value");
	if (!strcmp(name, "disableApiTermination"))
		return parse_flag(c, value, &args->disable_api_termination);
	if (!strcmp(name, "disableApiStop"))
		return parse_flag(c, value, &args->disable_api_stop);
	if (!strcmp(name, "sourceDestCheck"))
		return parse_flag(c, value, &args->source_dest_check);
	if (!strcmp(name, "instanceType"))
		args->type = value;
	else if (!strcmp(name, "userData"))
		return read_user_data(c, "Value", &args->user_data);
	else if (!strcmp(name, "instanceInitiatedShutdownBehavior"))
		return read_shutdown_behavior(c, "Value", &args->terminate_on_shutdown);
	else
		return ec2_refuse_value(c, "attribute", name, "Unknown attribute.");
	return 0;
}

int action_modify_instance_attribute(struct ec2_call *c)
{
	struct instance_modify_args args = {
		.instance_id = param_text(c, "InstanceId"),
		.disable_api_termination = param_bool(c, "DisableApiTermination.Value"),
		.disable_api_stop = param_bool(c, "DisableApiStop.Value"),
		.source_dest_check = param_bool(c, "SourceDestCheck.Value"),
		.type = param_text(c, "InstanceType.Value"),
	};
	int n, r;

	r = param_list(c, "GroupId", &args.groups, &args.n_groups);
	if (!r)
		r = read_user_data(c, "UserData.Value", &args.user_data);
	if (!r)
		r = read_shutdown_behavior(c, "InstanceInitiatedShutdownBehavior.Value",
					   &args.terminate_on_shutdown);
	if (!r)
		r = read_named_attribute(c, &args);
	if (r)
		return r;
	n = !!args.disable_api_termination + !!args.disable_api_stop + !!args.source_dest_check +
	    !!args.type + !!args.user_data + !!args.terminate_on_shutdown + !!args.n_groups;
	if (!n)
		return ec2_refuse_missing(c, "Attribute");
	if (n > 1)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Fields for multiple attribute types specified: name one");
	r = instance_modify(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}
