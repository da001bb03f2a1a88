/* SPDX-License-Identifier: Apache-2.0 */
/* What can be run: the built-in image, and the types of instances. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/str.h"
#include "model/instance.h"

#include <stdio.h>
#include <string.h>

static const struct object untagged;

#define IMAGE_ID       "ami-netns"
#define IMAGE_NAME     "netns"
#define IMAGE_OWNER    "000000000000"
#define IMAGE_LOCATION "amazon/" IMAGE_NAME
#define ENA_SUPPORT    "unsupported"

enum { PERFORMANCE_SIZE = 32 };

#define BY_TEXT(name, value)                                                                       \
	static void name(struct filter_probe *p, const void *item)                                 \
	{                                                                                          \
		filter_text(p, value);                                                             \
	}

BY_TEXT(by_architecture, "x86_64")
BY_TEXT(by_description, "A network namespace on a host")
BY_TEXT(by_hypervisor, "xen")
BY_TEXT(by_image_id, IMAGE_ID)
BY_TEXT(by_image_type, "machine")
BY_TEXT(by_true, "true")
BY_TEXT(by_false, "false")
BY_TEXT(by_name, IMAGE_NAME)
BY_TEXT(by_owner, IMAGE_OWNER)
BY_TEXT(by_owner_alias, "amazon")
BY_TEXT(by_available, "available")
BY_TEXT(by_virtualization, "hvm")
BY_TEXT(by_root_type, "instance-store")
BY_TEXT(by_root_name, "/dev/root")
BY_TEXT(by_nothing, NULL)
BY_TEXT(by_location, IMAGE_LOCATION)

const struct filter image_filters[] = {
	{"architecture", by_architecture},
	{"block-device-mapping.delete-on-termination", by_nothing},
	{"block-device-mapping.device-name", by_nothing},
	{"block-device-mapping.encrypted", by_nothing},
	{"block-device-mapping.snapshot-id", by_nothing},
	{"block-device-mapping.volume-size", by_nothing},
	{"block-device-mapping.volume-type", by_nothing},
	{"creation-date", by_nothing},
	{"description", by_description},
	{"ena-support", by_nothing},
	{"free-tier-eligible", by_false},
	{"hypervisor", by_hypervisor},
	{"image-allowed", by_nothing},
	{"image-id", by_image_id},
	{"image-type", by_image_type},
	{"is-public", by_true},
	{"kernel-id", by_nothing},
	{"manifest-location", by_location},
	{"name", by_name},
	{"owner-alias", by_owner_alias},
	{"owner-id", by_owner},
	{"platform", by_nothing},
	{"product-code", by_nothing},
	{"product-code.type", by_nothing},
	{"ramdisk-id", by_nothing},
	{"root-device-name", by_root_name},
	{"root-device-type", by_root_type},
	{"source-image-id", by_nothing},
	{"source-image-region", by_nothing},
	{"source-instance-id", by_nothing},
	{"sriov-net-support", by_nothing},
	{"state", by_available},
	{"state-reason-code", by_nothing},
	{"state-reason-message", by_nothing},
	{"virtualization-type", by_virtualization},
	{},
};

static void write_image(struct ec2_call *c)
{
	xml_open(c->xml, "item");
	xml_text(c->xml, "imageId", IMAGE_ID);
	xml_text(c->xml, "imageLocation", IMAGE_LOCATION);
	xml_text(c->xml, "imageState", "available");
	xml_text(c->xml, "imageOwnerId", IMAGE_OWNER);
	xml_text(c->xml, "imageOwnerAlias", "amazon");
	xml_bool(c->xml, "isPublic", true);
	xml_empty(c->xml, "productCodes");
	xml_text(c->xml, "architecture", "x86_64");
	xml_text(c->xml, "imageType", "machine");
	xml_text(c->xml, "name", IMAGE_NAME);
	xml_text(c->xml, "description", "A network namespace on a host");
	xml_text(c->xml, "rootDeviceType", "instance-store");
	xml_text(c->xml, "rootDeviceName", "/dev/root");
	xml_empty(c->xml, "blockDeviceMapping");
	xml_text(c->xml, "virtualizationType", "hvm");
	xml_text(c->xml, "hypervisor", "xen");
	ec2_write_tags(c, &untagged);
	xml_close(c->xml);
}

static bool owner_matches(const char *const *owners, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(owners[i], "amazon") || !strcmp(owners[i], IMAGE_OWNER))
			return true;
	return !n;
}

int action_describe_images(struct ec2_call *c)
{
	const char *const *ids, *const *owners, *const *users;
	size_t n_ids, n_owners, n_users;
	struct filter_set filters;
	bool shown;
	int r;

	r = filter_parse(c, image_filters, true, &filters);
	if (!r)
		r = param_list(c, "ImageId", &ids, &n_ids);
	if (!r)
		r = param_list(c, "Owner", &owners, &n_owners);
	if (!r)
		r = param_list(c, "ExecutableBy", &users, &n_users);
	if (r)
		return r;
	for (size_t i = 0; i < n_ids; i++) {
		if (!str_has_prefix(ids[i], "ami-"))
			return ec2_refuse(c, 400, "InvalidAMIID.Malformed",
					  "Invalid id: \"%.100s\" (expecting \"ami-...\")", ids[i]);
		if (strcmp(ids[i], IMAGE_ID))
			return ec2_refuse(c, 400, "InvalidAMIID.NotFound",
					  "The image id '[%.100s]' does not exist", ids[i]);
	}
	/* It is public: explicit permissions, for this or another account, there are none. */
	shown = owner_matches(owners, n_owners) && filter_passes(c, &filters, NULL, &untagged);
	for (size_t i = 0; i < n_users; i++)
		shown = shown && !strcmp(users[i], "all");
	xml_open(c->xml, "imagesSet");
	if (shown)
		write_image(c);
	xml_close(c->xml);
	return 0;
}

#define ITEM ((const struct instance_type *)item)

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, ITEM->name);
}

static void by_memory(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->memory_mib);
}

static void by_vcpus(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->vcpus);
}

static void by_interfaces(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->interfaces);
}

static void by_addresses(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->addresses);
}

BY_TEXT(by_usage_class, "on-demand")
BY_TEXT(by_one, "1")
BY_TEXT(by_ena, ENA_SUPPORT)

static const char *performance_text(const struct instance_type *t, char out[PERFORMANCE_SIZE])
{
	snprintf(out, PERFORMANCE_SIZE, "%u Megabit", t->bandwidth_mbps);
	return out;
}

static void by_performance(struct filter_probe *p, const void *item)
{
	char text[PERFORMANCE_SIZE];

	filter_text(p, performance_text(ITEM, text));
}

const struct filter instance_type_filters[] = {
	{"auto-recovery-supported", by_false},
	{"bare-metal", by_false},
	{"burstable-performance-supported", by_false},
	{"current-generation", by_true},
	{"dedicated-hosts-supported", by_false},
	{"ebs-info.attachment-limit-type", by_nothing},
	{"ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps", by_nothing},
	{"ebs-info.ebs-optimized-info.baseline-iops", by_nothing},
	{"ebs-info.ebs-optimized-info.baseline-throughput-in-mbps", by_nothing},
	{"ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps", by_nothing},
	{"ebs-info.ebs-optimized-info.maximum-iops", by_nothing},
	{"ebs-info.ebs-optimized-info.maximum-throughput-in-mbps", by_nothing},
	{"ebs-info.ebs-optimized-support", by_nothing},
	{"ebs-info.encryption-support", by_nothing},
	{"ebs-info.maximum-ebs-attachments", by_nothing},
	{"ebs-info.nvme-support", by_nothing},
	{"free-tier-eligible", by_false},
	{"hibernation-supported", by_false},
	{"hypervisor", by_hypervisor},
	{"instance-storage-info.disk.count", by_nothing},
	{"instance-storage-info.disk.size-in-gb", by_nothing},
	{"instance-storage-info.disk.type", by_nothing},
	{"instance-storage-info.encryption-support", by_nothing},
	{"instance-storage-info.nvme-support", by_nothing},
	{"instance-storage-info.total-size-in-gb", by_nothing},
	{"instance-storage-supported", by_false},
	{"instance-type", by_type},
	{"memory-info.size-in-mib", by_memory},
	{"network-info.bandwidth-weightings", by_nothing},
	{"network-info.efa-info.maximum-efa-interfaces", by_nothing},
	{"network-info.efa-supported", by_false},
	{"network-info.ena-support", by_ena},
	{"network-info.encryption-in-transit-supported", by_false},
	{"network-info.flexible-ena-queues-support", by_nothing},
	{"network-info.ipv4-addresses-per-interface", by_addresses},
	{"network-info.ipv6-addresses-per-interface", by_addresses},
	{"network-info.ipv6-supported", by_true},
	{"network-info.maximum-network-cards", by_one},
	{"network-info.maximum-network-interfaces", by_interfaces},
	{"network-info.network-performance", by_performance},
	{"nitro-enclaves-support", by_nothing},
	{"nitro-tpm-info.supported-versions", by_nothing},
	{"nitro-tpm-support", by_nothing},
	{"processor-info.supported-architecture", by_architecture},
	{"processor-info.supported-features", by_nothing},
	{"processor-info.sustained-clock-speed-in-ghz", by_nothing},
	{"reboot-migration-support", by_nothing},
	{"supported-boot-mode", by_nothing},
	{"supported-root-device-type", by_root_type},
	{"supported-usage-class", by_usage_class},
	{"supported-virtualization-type", by_virtualization},
	{"vcpu-info.default-cores", by_vcpus},
	{"vcpu-info.default-threads-per-core", by_one},
	{"vcpu-info.default-vcpus", by_vcpus},
	{"vcpu-info.valid-cores", by_nothing},
	{"vcpu-info.valid-threads-per-core", by_nothing},
	{},
};

static void write_list(struct ec2_call *c, const char *name, const char *value)
{
	xml_open(c->xml, name);
	xml_text(c->xml, "item", value);
	xml_close(c->xml);
}

static void write_network(struct ec2_call *c, const struct instance_type *t)
{
	char performance[PERFORMANCE_SIZE];

	xml_open(c->xml, "networkInfo");
	xml_text(c->xml, "networkPerformance", performance_text(t, performance));
	xml_u64(c->xml, "maximumNetworkInterfaces", t->interfaces);
	xml_u64(c->xml, "maximumNetworkCards", 1);
	xml_u64(c->xml, "defaultNetworkCardIndex", 0);
	xml_u64(c->xml, "ipv4AddressesPerInterface", t->addresses);
	xml_u64(c->xml, "ipv6AddressesPerInterface", t->addresses);
	xml_bool(c->xml, "ipv6Supported", true);
	xml_text(c->xml, "enaSupport", ENA_SUPPORT);
	xml_bool(c->xml, "efaSupported", false);
	xml_bool(c->xml, "encryptionInTransitSupported", false);
	xml_close(c->xml);
}

static void write_type(struct ec2_call *c, const struct instance_type *t)
{
	xml_open(c->xml, "item");
	xml_text(c->xml, "instanceType", t->name);
	xml_bool(c->xml, "currentGeneration", true);
	xml_bool(c->xml, "freeTierEligible", false);
	write_list(c, "supportedUsageClasses", "on-demand");
	write_list(c, "supportedRootDeviceTypes", "instance-store");
	write_list(c, "supportedVirtualizationTypes", "hvm");
	xml_bool(c->xml, "bareMetal", false);
	xml_text(c->xml, "hypervisor", "xen");
	xml_open(c->xml, "processorInfo");
	write_list(c, "supportedArchitectures", "x86_64");
	xml_close(c->xml);
	xml_open(c->xml, "vCpuInfo");
	xml_u64(c->xml, "defaultVCpus", t->vcpus);
	xml_u64(c->xml, "defaultCores", t->vcpus);
	xml_u64(c->xml, "defaultThreadsPerCore", 1);
	xml_close(c->xml);
	xml_open(c->xml, "memoryInfo");
	xml_u64(c->xml, "sizeInMiB", t->memory_mib);
	xml_close(c->xml);
	xml_bool(c->xml, "instanceStorageSupported", false);
	write_network(c, t);
	xml_open(c->xml, "placementGroupInfo");
	xml_open(c->xml, "supportedStrategies");
	xml_text(c->xml, "item", "cluster");
	xml_text(c->xml, "item", "partition");
	xml_text(c->xml, "item", "spread");
	xml_close(c->xml);
	xml_close(c->xml);
	xml_bool(c->xml, "burstablePerformanceSupported", false);
	xml_bool(c->xml, "hibernationSupported", false);
	xml_bool(c->xml, "autoRecoverySupported", false);
	xml_close(c->xml);
}

static bool is_named(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return !n;
}

/* The table is short; a page ends with its position. */
int action_describe_instance_types(struct ec2_call *c)
{
	const struct instance_type *types;
	struct filter_set filters;
	const char *const *names;
	struct page_run page;
	size_t n_names, n;
	int r;

	r = filter_parse(c, instance_type_filters, false, &filters);
	if (!r)
		r = page_run_begin(c, &page);
	if (!r)
		r = param_list(c, "InstanceType", &names, &n_names);
	if (r)
		return r;
	for (size_t i = 0; i < n_names; i++)
		if (!instance_type_find(names[i]))
			return ec2_refuse(c, 400, "InvalidInstanceType",
					  "The following supplied instance types do not exist: "
					  "[%.100s]",
					  names[i]);
	types = instance_types(&n);
	xml_open(c->xml, "instanceTypeSet");
	for (size_t i = page.begun_before ? page.after.part : 0; i < n; i++) {
		if (!is_named(names, n_names, types[i].name) ||
		    !filter_passes(c, &filters, &types[i], &untagged))
			continue;
		if (!page_run_admit(&page))
			break;
		write_type(c, &types[i]);
		page.last.part = i + 1;
	}
	xml_close(c->xml);
	return page_run_end(c, &page);
}
