/* SPDX-License-Identifier: Apache-2.0 */
/* Showing instances, as instances and by their attributes. */
#include "api/describe.h"
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/instance_options.h"
#include "api/param.h"
#include "api/placement_view.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/names.h"

#include <string.h>

#define ROOT_DEVICE "/dev/root"

static void write_state(struct ec2_call *c, const char *name, enum instance_state state)
{
	xml_open(c->xml, name);
	xml_u64(c->xml, "code", state);
	xml_text(c->xml, "name", instance_state_text(state));
	xml_close(c->xml);
}

/* The interface at device index 0, or NULL. */
static const struct interface *primary_of(const struct ec2_call *c, const struct instance *i)
{
	struct model_iter it = model_iter_group(c->model, REL_INSTANCE_INTERFACES, i->o.id);
	const struct interface *e;

	while ((e = (const struct interface *)model_iter_next(&it)))
		if (!interface_attachment_to(e, i->o.id)->device_index)
			return e;
	return NULL;
}

/* The public address of its primary private one, or NULL. */
static const struct elastic *public_of(const struct ec2_call *c, const struct instance *i)
{
	const struct interface *e = primary_of(c, i);

	return e ? elastic_of(c, e, &e->addrs[0].addr) : NULL;
}

static void write_dns_names(struct ec2_call *c, const struct instance *i)
{
	const struct elastic *e = public_of(c, i);
	char text[NAMES_SIZE] = "";

	if (!ipaddr_is_zero(&i->private_addr))
		names_private_dns(model_region(c->model), &i->private_addr, text);
	xml_text(c->xml, "privateDnsName", text);
	xml_text(c->xml, "dnsName", e ? elastic_name(c, e, text) : "");
	if (e)
		ec2_write_addr(c, "ipAddress", &e->public);
}

static void write_reason(struct ec2_call *c, const struct instance *i)
{
	xml_text(c->xml, "reason", i->reason ? i->reason : "");
	if (!i->reason_code || !*i->reason_code)
		return;
	xml_open(c->xml, "stateReason");
	xml_text(c->xml, "code", i->reason_code);
	xml_text(c->xml, "message", i->reason);
	xml_close(c->xml);
}

/* The one with the lowest device index from 'least' on, or NULL; no two have the same. */
static const struct interface *next_interface(const struct ec2_call *c, const struct instance *i,
					      uint32_t least)
{
	struct model_iter it = model_iter_group(c->model, REL_INSTANCE_INTERFACES, i->o.id);
	const struct interface *e, *best = NULL;
	uint32_t lowest = 0;

	while ((e = (const struct interface *)model_iter_next(&it))) {
		uint32_t index = interface_attachment_to(e, i->o.id)->device_index;

		if (index < least || (best && index >= lowest))
			continue;
		best = e;
		lowest = index;
	}
	return best;
}

/* In the order of their device indexes: clients take the first one for the primary. */
static void write_interfaces(struct ec2_call *c, const struct instance *i)
{
	const struct interface *e;
	uint32_t least = 0;

	xml_open(c->xml, "networkInterfaceSet");
	while ((e = next_interface(c, i, least))) {
		interface_write_in_instance(c, e, i->o.id);
		least = interface_attachment_to(e, i->o.id)->device_index + 1;
	}
	xml_close(c->xml);
}

static void write_machine(struct ec2_call *c, const struct instance *i)
{
	const struct instance_type *t = instance_type_find(i->type);

	xml_open(c->xml, "monitoring");
	xml_text(c->xml, "state", "disabled");
	xml_close(c->xml);
	xml_text(c->xml, "architecture", "x86_64");
	xml_text(c->xml, "rootDeviceType", "instance-store");
	xml_text(c->xml, "rootDeviceName", ROOT_DEVICE);
	xml_empty(c->xml, "blockDeviceMapping");
	xml_text(c->xml, "virtualizationType", "hvm");
	xml_text(c->xml, "hypervisor", "xen");
	xml_bool(c->xml, "ebsOptimized", false);
	xml_bool(c->xml, "enaSupport", false);
	if (t) {
		xml_open(c->xml, "cpuOptions");
		xml_u64(c->xml, "coreCount", t->vcpus);
		xml_u64(c->xml, "threadsPerCore", 1);
		xml_close(c->xml);
	}
}

static void write_enclave(struct ec2_call *c)
{
	xml_open(c->xml, "enclaveOptions");
	xml_bool(c->xml, "enabled", false);
	xml_close(c->xml);
}

/* What EC2 tells of every instance, and clients read without asking whether it is there.  There is
 * no metadata service at an address, and nothing is recovered by itself. */
static void write_options(struct ec2_call *c, const struct instance *i)
{
	xml_text(c->xml, "platformDetails", INSTANCE_PLATFORM);
	xml_text(c->xml, "usageOperation", INSTANCE_OPERATION);
	xml_time(c->xml, "usageOperationUpdateTime", i->launched_ms);
	xml_open(c->xml, "capacityReservationSpecification");
	xml_text(c->xml, "capacityReservationPreference", INSTANCE_RESERVATION);
	xml_close(c->xml);
	xml_open(c->xml, "hibernationOptions");
	xml_bool(c->xml, "configured", false);
	xml_close(c->xml);
	write_enclave(c);
	xml_open(c->xml, "metadataOptions");
	xml_text(c->xml, "state", INSTANCE_METADATA_STATE);
	xml_text(c->xml, "httpTokens", INSTANCE_METADATA_TOKENS);
	xml_u64(c->xml, "httpPutResponseHopLimit", INSTANCE_METADATA_HOPS);
	xml_text(c->xml, "httpEndpoint", INSTANCE_OFF);
	xml_text(c->xml, "httpProtocolIpv6", INSTANCE_OFF);
	xml_text(c->xml, "instanceMetadataTags", INSTANCE_OFF);
	xml_close(c->xml);
	xml_open(c->xml, "privateDnsNameOptions");
	xml_text(c->xml, "hostnameType", INSTANCE_HOSTNAME);
	xml_bool(c->xml, "enableResourceNameDnsARecord", false);
	xml_bool(c->xml, "enableResourceNameDnsAAAARecord", false);
	xml_close(c->xml);
	xml_open(c->xml, "maintenanceOptions");
	xml_text(c->xml, "autoRecovery", INSTANCE_OFF);
	xml_close(c->xml);
}

void instance_write(struct ec2_call *c, const struct instance *i)
{
	const struct interface *primary = primary_of(c, i);

	xml_open(c->xml, "item");
	ec2_write_id(c, "instanceId", KIND_INSTANCE, i->o.id);
	xml_text(c->xml, "imageId", i->image);
	write_state(c, "instanceState", i->state);
	write_dns_names(c, i);
	write_reason(c, i);
	xml_text(c->xml, "keyName", i->key_name);
	xml_u64(c->xml, "amiLaunchIndex", i->launch_index);
	xml_empty(c->xml, "productCodes");
	xml_text(c->xml, "instanceType", i->type);
	xml_time(c->xml, "launchTime", i->launched_ms);
	placement_write(c, i);
	write_machine(c, i);
	write_options(c, i);
	if (i->state != INSTANCE_TERMINATED) {
		ec2_write_id(c, "subnetId", KIND_SUBNET, i->subnet);
		ec2_write_id(c, "vpcId", KIND_VPC, i->vpc);
		ec2_write_addr(c, "privateIpAddress", &i->private_addr);
	}
	if (primary)
		xml_bool(c->xml, "sourceDestCheck", primary->source_dest_check);
	if (primary)
		interface_write_addr6(c, primary);
	group_write_set(c, primary);
	xml_text(c->xml, "clientToken", i->client_token ? i->client_token : "");
	ec2_write_tags(c, &i->o);
	write_interfaces(c, i);
	xml_close(c->xml);
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct instance *i;
	int r = instance_find(m, caller, id, &i, reterr);

	if (!r)
		*ret = &i->o;
	return r;
}

/* The reservation whose item is open in the answer. */
struct reservations {
	uint64_t open;
};

static void close_reservation(struct ec2_call *c, void *data)
{
	struct reservations *r = data;

	if (!r->open)
		return;
	xml_close(c->xml);
	xml_close(c->xml);
	r->open = 0;
}

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	const struct instance *i = (const struct instance *)o;
	struct reservations *r = data;
	char id[ID_TEXT_SIZE];

	if (r->open != i->reservation) {
		close_reservation(c, r);
		r->open = i->reservation;
		xml_open(c->xml, "item");
		xml_text(c->xml, "reservationId",
			 id_text_prefixed(ID_PREFIX_RESERVATION, i->reservation, id));
		ec2_write_owner(c, "ownerId", o->account);
		group_write_set(c, NULL);
		xml_open(c->xml, "instancesSet");
	}
	instance_write(c, i);
}

int action_describe_instances(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"instance-id", KIND_INSTANCE, REL_MAX},
		{"subnet-id", KIND_SUBNET, REL_SUBNET_INSTANCES},
		{},
	};
	static const struct describe d = {
		.kind = KIND_INSTANCE,
		.ids = "InstanceId",
		.find = find,
		.filters = instance_filters,
		.groups = groups,
		.ids_exclude_pages = true,
		.write = write_item,
	};
	struct reservations open = {};

	return describe_run(c, &d, "reservationSet", close_reservation, &open);
}

static void write_check(struct ec2_call *c, const char *name, bool runs)
{
	xml_open(c->xml, name);
	xml_text(c->xml, "status", runs ? "ok" : "not-applicable");
	if (runs) {
		xml_open(c->xml, "details");
		xml_open(c->xml, "item");
		xml_text(c->xml, "name", "reachability");
		xml_text(c->xml, "status", "passed");
		xml_close(c->xml);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static void write_status(struct ec2_call *c, const struct object *o, void *data)
{
	const struct instance *i = (const struct instance *)o;
	bool runs = i->state == INSTANCE_RUNNING;

	xml_open(c->xml, "item");
	ec2_write_id(c, "instanceId", KIND_INSTANCE, o->id);
	xml_text(c->xml, "availabilityZone", i->zone);
	write_state(c, "instanceState", i->state);
	write_check(c, "systemStatus", runs);
	write_check(c, "instanceStatus", runs);
	xml_close(c->xml);
}

static bool shows_status(const struct ec2_call *c, const struct object *o)
{
	return param_is_true(c, "IncludeAllInstances") ||
	       ((const struct instance *)o)->state == INSTANCE_RUNNING;
}

int action_describe_instance_status(struct ec2_call *c)
{
	static const struct describe d = {
		.kind = KIND_INSTANCE,
		.ids = "InstanceId",
		.find = find,
		.filters = instance_status_filters,
		.ids_exclude_pages = true,
		.write = write_status,
		.shows = shows_status,
	};

	return describe_run(c, &d, "instanceStatusSet", NULL, NULL);
}

static void write_value(struct ec2_call *c, const char *name, const char *value)
{
	xml_open(c->xml, name);
	xml_text(c->xml, "value", value);
	xml_close(c->xml);
}

static void write_flag(struct ec2_call *c, const char *name, bool value)
{
	write_value(c, name, value ? "true" : "false");
}

/* False for an attribute that EC2 does not know. */
static bool write_attribute(struct ec2_call *c, const struct instance *i, const char *name)
{
	const struct interface *primary = primary_of(c, i);

	if (!strcmp(name, "instanceType"))
		write_value(c, name, i->type);
	else if (!strcmp(name, "userData"))
		write_value(c, name, i->user_data);
	else if (!strcmp(name, "disableApiTermination"))
		write_flag(c, name, i->disable_api_termination);
	else if (!strcmp(name, "disableApiStop"))
		write_flag(c, name, i->disable_api_stop);
	else if (!strcmp(name, "instanceInitiatedShutdownBehavior"))
		write_value(c, name, i->terminate_on_shutdown ? "terminate" : "stop");
	else if (!strcmp(name, "rootDeviceName"))
		write_value(c, name, ROOT_DEVICE);
	else if (!strcmp(name, "sourceDestCheck"))
		write_flag(c, name, primary && primary->source_dest_check);
	else if (!strcmp(name, "ebsOptimized") || !strcmp(name, "enaSupport"))
		write_flag(c, name, false);
	else if (!strcmp(name, "enclaveOptions"))
		write_enclave(c);
	else if (!strcmp(name, "groupSet"))
		group_write_set(c, primary);
	else if (!strcmp(name, "blockDeviceMapping") || !strcmp(name, "productCodes") ||
		 !strcmp(name, "kernel") || !strcmp(name, "ramdisk") ||
		 !strcmp(name, "sriovNetSupport"))
		xml_empty(c->xml, name);
	else
		return false;
	return true;
}

int action_describe_instance_attribute(struct ec2_call *c)
{
	const char *attribute = param_text(c, "Attribute");
	const struct instance *i;
	int r;

	r = instance_find(c->model, &c->caller, param_text(c, "InstanceId"), &i, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "instanceId", KIND_INSTANCE, i->o.id);
	if (!write_attribute(c, i, attribute))
		return ec2_refuse_value(c, "attribute", attribute, "Unknown attribute.");
	return 0;
}
