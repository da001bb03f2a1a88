# SPDX-License-Identifier: Apache-2.0
"""Each filter of the reference finds exactly the objects that show the value in their list.

requirement: OPS-1
"""
import datetime

import jmespath
import pytest
from botocore import xform_name

from conftest import client, operator, serving
from test_reference import filters

TAGS = {"tag:k": "Tags[?Key=='k'].Value", "tag-key": "Tags[].Key", "tag-value": "Tags[].Value"}

# Of each list: where its objects are, what names one, and where each filter's values are in one.
# NOTHING: a filter about what no object has here (volumes, outposts, carriers), which finds none. A text
# that is no path: a value that the list does not show, in quotes as jmespath has it.
NOTHING = None


def rules(way):
    """The filters of a group's rules of one way, and where they are."""
    return {"cidr": way + "[].IpRanges[].CidrIp", "from-port": way + "[].FromPort",
            "group-id": way + "[].UserIdGroupPairs[].GroupId", "ipv6-cidr": way + "[].Ipv6Ranges[].CidrIpv6",
            "prefix-list-id": way + "[].PrefixListIds[].PrefixListId", "protocol": way + "[].IpProtocol",
            "to-port": way + "[].ToPort", "user-id": way + "[].UserIdGroupPairs[].UserId"}


# Of the groups that rules name, the list tells the id only; the names are g1, g2 and default.
NAMES = "%s[?UserIdGroupPairs].UserIdGroupPairs[].Name"

INTERFACE = {
    "association.allocation-id": "PrivateIpAddresses[].Association.AllocationId",
    "association.association-id": "PrivateIpAddresses[].Association.AssociationId",
    "addresses.association.public-ip": "PrivateIpAddresses[].Association.PublicIp",
    "addresses.association.owner-id": "PrivateIpAddresses[].Association.IpOwnerId",
    "association.ip-owner-id": "PrivateIpAddresses[].Association.IpOwnerId",
    "association.public-ip": "PrivateIpAddresses[].Association.PublicIp",
    "association.public-dns-name": "PrivateIpAddresses[].Association.PublicDnsName",
    "addresses.primary": "PrivateIpAddresses[].Primary",
    "addresses.private-ip-address": "PrivateIpAddresses[].PrivateIpAddress",
    "attachment.attach-time": "Attachment.AttachTime", "attachment.attachment-id": "Attachment.AttachmentId",
    "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    "attachment.device-index": "Attachment.DeviceIndex", "attachment.instance-id": "Attachment.InstanceId",
    "attachment.instance-owner-id": "Attachment.InstanceOwnerId", "attachment.status": "Attachment.Status",
    "availability-zone": "AvailabilityZone", "description": "Description", "group-id": "Groups[].GroupId",
    "group-name": "Groups[].GroupName", "ipv6-addresses.ipv6-address": "Ipv6Addresses[].Ipv6Address",
    "interface-type": "InterfaceType", "mac-address": "MacAddress", "network-interface-id": "NetworkInterfaceId",
    "owner-id": "OwnerId", "private-dns-name": "PrivateDnsName", "private-ip-address": "PrivateIpAddress",
    "requester-id": "RequesterId", "requester-managed": "RequesterManaged",
    "source-dest-check": "SourceDestCheck", "status": "Status", "subnet-id": "SubnetId", "vpc-id": "VpcId",
}

LISTS = {
    "DescribeVpcs": ("Vpcs", "VpcId", {
        "cidr": "CidrBlock", "cidr-block-association.cidr-block": "CidrBlockAssociationSet[].CidrBlock",
        "cidr-block-association.association-id": "CidrBlockAssociationSet[].AssociationId",
        "cidr-block-association.state": "CidrBlockAssociationSet[].CidrBlockState.State",
        "dhcp-options-id": "DhcpOptionsId",
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        "ipv6-cidr-block-association.ipv6-pool": "Ipv6CidrBlockAssociationSet[].Ipv6Pool",
        "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
        "is-default": "IsDefault", "owner-id": "OwnerId", "state": "State", "vpc-id": "VpcId", **TAGS}),
    "DescribeSubnets": ("Subnets", "SubnetId", {
        "availability-zone": "AvailabilityZone", "availability-zone-id": "AvailabilityZoneId",
        "available-ip-address-count": "AvailableIpAddressCount", "cidr-block": "CidrBlock",
        "customer-owned-ipv4-pool": NOTHING, "default-for-az": "DefaultForAz", "enable-dns64": "EnableDns64",
        "enable-lni-at-device-index": NOTHING,
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
        "ipv6-native": "Ipv6Native", "map-customer-owned-ip-on-launch": "MapCustomerOwnedIpOnLaunch",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch", "outpost-arn": NOTHING, "owner-id": "OwnerId",
        "private-dns-name-options-on-launch.hostname-type": "PrivateDnsNameOptionsOnLaunch.HostnameType",
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record":
            "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord",
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record":
            "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord",
        "state": "State", "subnet-arn": "SubnetArn", "subnet-id": "SubnetId", "vpc-id": "VpcId", **TAGS}),
    "DescribeNetworkInterfaces": ("NetworkInterfaces", "NetworkInterfaceId",
                                  {**INTERFACE, **{k: v.replace("Tags", "TagSet") for k, v in TAGS.items()}}),
    "DescribeAddresses": ("Addresses", "AllocationId", {
        "allocation-id": "AllocationId", "association-id": "AssociationId", "domain": "Domain",
        "instance-id": "InstanceId", "network-border-group": "NetworkBorderGroup",
        "network-interface-id": "NetworkInterfaceId", "network-interface-owner-id": "NetworkInterfaceOwnerId",
        "private-ip-address": "PrivateIpAddress", "public-ip": "PublicIp", **TAGS}),
    "DescribeSecurityGroups": ("SecurityGroups", "GroupId", {
        "description": "Description", "group-id": "GroupId", "group-name": "GroupName", "owner-id": "OwnerId",
        "vpc-id": "VpcId", "ip-permission.group-name": NAMES % "IpPermissions",
        "egress.ip-permission.group-name": NAMES % "IpPermissionsEgress",
        **{"ip-permission." + k: v for k, v in rules("IpPermissions").items()},
        **{"egress.ip-permission." + k: v for k, v in rules("IpPermissionsEgress").items()}, **TAGS}),
    "DescribeSecurityGroupRules": ("SecurityGroupRules", "SecurityGroupRuleId", {
        "group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId", "tag:k": TAGS["tag:k"]}),
    "DescribeNetworkAcls": ("NetworkAcls", "NetworkAclId", {
        "association.association-id": "Associations[].NetworkAclAssociationId",
        "association.network-acl-id": "Associations[].NetworkAclId",
        "association.subnet-id": "Associations[].SubnetId", "default": "IsDefault",
        "entry.cidr": "Entries[].CidrBlock", "entry.icmp.code": "Entries[].IcmpTypeCode.Code",
        "entry.icmp.type": "Entries[].IcmpTypeCode.Type", "entry.ipv6-cidr": "Entries[].Ipv6CidrBlock",
        "entry.port-range.from": "Entries[].PortRange.From", "entry.port-range.to": "Entries[].PortRange.To",
        "entry.protocol": "Entries[].Protocol", "entry.rule-action": "Entries[].RuleAction",
        "entry.egress": "Entries[].Egress", "entry.rule-number": "Entries[].RuleNumber",
        "network-acl-id": "NetworkAclId", "owner-id": "OwnerId", "vpc-id": "VpcId", **TAGS}),
    "DescribeRouteTables": ("RouteTables", "RouteTableId", {
        "association.route-table-association-id": "Associations[].RouteTableAssociationId",
        "association.route-table-id": "Associations[].RouteTableId",
        "association.subnet-id": "Associations[].SubnetId", "association.main": "Associations[].Main",
        "owner-id": "OwnerId", "route-table-id": "RouteTableId",
        "route.destination-cidr-block": "Routes[].DestinationCidrBlock",
        "route.destination-ipv6-cidr-block": "Routes[].DestinationIpv6CidrBlock",
        "route.destination-prefix-list-id": "Routes[].DestinationPrefixListId",
        "route.egress-only-internet-gateway-id": "Routes[].EgressOnlyInternetGatewayId",
        "route.gateway-id": "Routes[].GatewayId", "route.instance-id": "Routes[].InstanceId",
        "route.nat-gateway-id": "Routes[].NatGatewayId", "route.transit-gateway-id": NOTHING,
        "route.origin": "Routes[].Origin", "route.state": "Routes[].State",
        "route.vpc-peering-connection-id": "Routes[].VpcPeeringConnectionId", "vpc-id": "VpcId", **TAGS}),
    "DescribeInternetGateways": ("InternetGateways", "InternetGatewayId", {
        "attachment.state": "Attachments[].State", "attachment.vpc-id": "Attachments[].VpcId",
        "internet-gateway-id": "InternetGatewayId", "owner-id": "OwnerId", **TAGS}),
    "DescribeEgressOnlyInternetGateways": ("EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId", TAGS),
    "DescribeNatGateways": ("NatGateways", "NatGatewayId", {
        "nat-gateway-id": "NatGatewayId", "state": "State", "subnet-id": "SubnetId", "vpc-id": "VpcId",
        "tag:k": TAGS["tag:k"], "tag-key": TAGS["tag-key"]}),
    "DescribeVpcPeeringConnections": ("VpcPeeringConnections", "VpcPeeringConnectionId", {
        "accepter-vpc-info.cidr-block": "AccepterVpcInfo.CidrBlock",
        "accepter-vpc-info.owner-id": "AccepterVpcInfo.OwnerId",
        "accepter-vpc-info.vpc-id": "AccepterVpcInfo.VpcId", "expiration-time": "ExpirationTime",
        "requester-vpc-info.cidr-block": "RequesterVpcInfo.CidrBlock",
        "requester-vpc-info.owner-id": "RequesterVpcInfo.OwnerId",
        "requester-vpc-info.vpc-id": "RequesterVpcInfo.VpcId", "status-code": "Status.Code",
        "status-message": "Status.Message", "vpc-peering-connection-id": "VpcPeeringConnectionId", **TAGS}),
    "DescribeFlowLogs": ("FlowLogs", "FlowLogId", {
        "deliver-log-status": "DeliverLogsStatus", "log-destination-type": "LogDestinationType",
        "flow-log-id": "FlowLogId", "log-group-name": "LogGroupName", "resource-id": "ResourceId",
        "traffic-type": "TrafficType", **TAGS}),
    "DescribeTrafficMirrorTargets": ("TrafficMirrorTargets", "TrafficMirrorTargetId", {
        "description": "Description", "network-interface-id": "NetworkInterfaceId",
        "network-load-balancer-arn": NOTHING, "owner-id": "OwnerId",
        "traffic-mirror-target-id": "TrafficMirrorTargetId"}),
    "DescribeTrafficMirrorFilters": ("TrafficMirrorFilters", "TrafficMirrorFilterId", {
        "description": "Description", "traffic-mirror-filter-id": "TrafficMirrorFilterId"}),
    "DescribeTrafficMirrorSessions": ("TrafficMirrorSessions", "TrafficMirrorSessionId", {
        "description": "Description", "network-interface-id": "NetworkInterfaceId", "owner-id": "OwnerId",
        "packet-length": "PacketLength", "session-number": "SessionNumber",
        "traffic-mirror-filter-id": "TrafficMirrorFilterId",
        "traffic-mirror-session-id": "TrafficMirrorSessionId",
        "traffic-mirror-target-id": "TrafficMirrorTargetId", "virtual-network-id": "VirtualNetworkId"}),
    "DescribeDhcpOptions": ("DhcpOptions", "DhcpOptionsId", {
        "dhcp-options-id": "DhcpOptionsId", "key": "DhcpConfigurations[].Key",
        "value": "DhcpConfigurations[].Values[].Value", "owner-id": "OwnerId", **TAGS}),
    "DescribeInstances": ("Reservations[].Instances[]", "InstanceId", {
        "affinity": NOTHING, "architecture": "Architecture", "availability-zone": "Placement.AvailabilityZone",
        "client-token": "ClientToken", "dns-name": "PublicDnsName", "hypervisor": "Hypervisor",
        "image-id": "ImageId", "instance-id": "InstanceId", "instance-state-code": "State.Code",
        "instance-state-name": "State.Name", "instance-type": "InstanceType",
        "instance.group-id": "NetworkInterfaces[].Groups[].GroupId",
        "instance.group-name": "NetworkInterfaces[].Groups[].GroupName", "ip-address": "PublicIpAddress",
        "key-name": "KeyName", "launch-index": "AmiLaunchIndex", "launch-time": "LaunchTime",
        "monitoring-state": "Monitoring.State", "placement-group-name": "Placement.GroupName",
        "placement-partition-number": "Placement.PartitionNumber", "private-dns-name": "PrivateDnsName",
        "private-ip-address": "PrivateIpAddress", "root-device-name": "RootDeviceName",
        "root-device-type": "RootDeviceType", "source-dest-check": "SourceDestCheck",
        "state-reason-code": "StateReason.Code", "state-reason-message": "StateReason.Message",
        "subnet-id": "SubnetId", "tenancy": "Placement.Tenancy", "virtualization-type": "VirtualizationType",
        "vpc-id": "VpcId", "reason": "StateTransitionReason",
        "hibernation-options.configured": "'false'", "owner-id": "Owner", "reservation-id": "Reservation",
        "network-interface.association.allocation-id": "Networks[].PrivateIpAddresses[].Association.AllocationId",
        "network-interface.association.association-id":
            "Networks[].PrivateIpAddresses[].Association.AssociationId",
        "network-interface.attachment.instance-owner-id": "Networks[].Attachment.InstanceOwnerId",
        "network-interface.availability-zone": "Networks[].AvailabilityZone",
        "network-interface.requester-managed": "Networks[].RequesterManaged",
        "network-interface.addresses.primary": "NetworkInterfaces[].PrivateIpAddresses[].Primary",
        "network-interface.addresses.private-ip-address":
            "NetworkInterfaces[].PrivateIpAddresses[].PrivateIpAddress",
        "network-interface.addresses.association.public-ip":
            "NetworkInterfaces[].PrivateIpAddresses[].Association.PublicIp",
        "network-interface.addresses.association.ip-owner-id":
            "NetworkInterfaces[].PrivateIpAddresses[].Association.IpOwnerId",
        "network-interface.association.public-ip":
            "NetworkInterfaces[].PrivateIpAddresses[].Association.PublicIp",
        "network-interface.association.ip-owner-id":
            "NetworkInterfaces[].PrivateIpAddresses[].Association.IpOwnerId",
        "network-interface.attachment.attachment-id": "NetworkInterfaces[].Attachment.AttachmentId",
        "network-interface.attachment.instance-id": "NetworkInterfaces[].Attachment.AttachmentId && InstanceId",
        "network-interface.attachment.device-index": "NetworkInterfaces[].Attachment.DeviceIndex",
        "network-interface.attachment.status": "NetworkInterfaces[].Attachment.Status",
        "network-interface.attachment.attach-time": "NetworkInterfaces[].Attachment.AttachTime",
        "network-interface.attachment.delete-on-termination":
            "NetworkInterfaces[].Attachment.DeleteOnTermination",
        "network-interface.description": "NetworkInterfaces[].Description",
        "network-interface.group-id": "NetworkInterfaces[].Groups[].GroupId",
        "network-interface.group-name": "NetworkInterfaces[].Groups[].GroupName",
        "network-interface.ipv6-addresses.ipv6-address": "NetworkInterfaces[].Ipv6Addresses[].Ipv6Address",
        "network-interface.mac-address": "NetworkInterfaces[].MacAddress",
        "network-interface.network-interface-id": "NetworkInterfaces[].NetworkInterfaceId",
        "network-interface.owner-id": "NetworkInterfaces[].OwnerId",
        "network-interface.private-dns-name": "NetworkInterfaces[].PrivateDnsName",
        "network-interface.source-dest-check": "NetworkInterfaces[].SourceDestCheck",
        "network-interface.status": "NetworkInterfaces[].Status",
        "network-interface.subnet-id": "NetworkInterfaces[].SubnetId",
        "network-interface.vpc-id": "NetworkInterfaces[].VpcId", **TAGS}),
    "DescribeInstanceStatus": ("InstanceStatuses", "InstanceId", {
        "availability-zone": "AvailabilityZone", "event.code": NOTHING, "event.description": NOTHING,
        "event.instance-event-id": NOTHING, "event.not-after": NOTHING, "event.not-before": NOTHING,
        "event.not-before-deadline": NOTHING, "instance-state-code": "InstanceState.Code",
        "instance-state-name": "InstanceState.Name",
        "instance-status.reachability": "InstanceStatus.Details[].Status",
        "instance-status.status": "InstanceStatus.Status",
        "system-status.reachability": "SystemStatus.Details[].Status",
        "system-status.status": "SystemStatus.Status"}),
    "DescribeAvailabilityZones": ("AvailabilityZones", "ZoneName", {
        "group-name": "GroupName", "message": NOTHING, "opt-in-status": "OptInStatus", "parent-zoneID": NOTHING,
        "parent-zoneName": NOTHING, "region-name": "RegionName", "state": "State", "zone-id": "ZoneId",
        "zone-name": "ZoneName", "zone-type": "ZoneType"}),
    "DescribePlacementGroups": ("PlacementGroups", "GroupId", {
        "group-name": "GroupName", "group-arn": "GroupArn", "spread-level": "SpreadLevel", "state": "State",
        "strategy": "Strategy", **TAGS}),
    "DescribeTags": ("Tags", "ResourceId", {
        "key": "Key", "resource-id": "ResourceId", "resource-type": "ResourceType", "value": "Value",
        "tag:k": "[@][?Key=='k'].Value"}),
    "DescribeManagedPrefixLists": ("PrefixLists", "PrefixListId", {
        "owner-id": "OwnerId", "prefix-list-id": "PrefixListId", "prefix-list-name": "PrefixListName"}),
}

# Of instances, what is about volumes, dedicated hosts, EC2-Classic and the like: none has any.
LISTS["DescribeInstances"][2].update(dict.fromkeys("""
    block-device-mapping.attach-time block-device-mapping.delete-on-termination block-device-mapping.device-name
    block-device-mapping.status block-device-mapping.volume-id capacity-reservation-id group-id group-name host-id
    iam-instance-profile.arn instance-lifecycle kernel-id network-interface.requester-id outpost-arn platform
    product-code product-code.type ramdisk-id requester-id spot-instance-request-id""".split(), NOTHING))
LISTS["DescribeInstances"][2].update({
    "metadata-options.http-tokens": "MetadataOptions.HttpTokens",
    "metadata-options.http-put-response-hop-limit": "MetadataOptions.HttpPutResponseHopLimit",
    "metadata-options.http-endpoint": "MetadataOptions.HttpEndpoint",
    "metadata-options.instance-metadata-tags": "MetadataOptions.InstanceMetadataTags",
    "private-dns-name-options.hostname-type": "PrivateDnsNameOptions.HostnameType",
    "private-dns-name-options.enable-resource-name-dns-a-record": "PrivateDnsNameOptions.EnableResourceNameDnsARecord",
    "private-dns-name-options.enable-resource-name-dns-aaaa-record":
        "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord",
    "maintenance-options.auto-recovery": "MaintenanceOptions.AutoRecovery",
    "capacity-reservation-specification.capacity-reservation-preference":
        "CapacityReservationSpecification.CapacityReservationPreference",
    "enclave-options.enabled": "EnclaveOptions.Enabled",
    "hibernation-options.configured": "HibernationOptions.Configured",
    "platform-details": "PlatformDetails", "usage-operation": "UsageOperation"})


@pytest.fixture(scope="module")
def world():
    """Two accounts' things, two or more of each kind, alike in nothing that can differ."""
    with serving() as endpoint:
        ec2, other = client(endpoint, 1), client(endpoint, 2)
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})
        build(ec2, other)
        yield ec2


def tags(kind, value):
    return [{"ResourceType": kind, "Tags": [{"Key": "k", "Value": value}, {"Key": "k" + value, "Value": "same"}]}]


def build(ec2, other):
    a = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True,
                       TagSpecifications=tags("vpc", "a"))["Vpc"]["VpcId"]
    b = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("vpc", "b"))["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=a, CidrBlock="10.2.0.0/16")
    ec2.modify_vpc_attribute(VpcId=b, EnableDnsHostnames={"Value": True})
    ec2.create_default_vpc()
    theirs = other.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    block = ec2.describe_vpcs(VpcIds=[a])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]

    options = [ec2.create_dhcp_options(DhcpConfigurations=[{"Key": key, "Values": [value]}],
                                       TagSpecifications=tags("dhcp-options", value))["DhcpOptions"]["DhcpOptionsId"]
               for key, value in (("domain-name", "a.example"), ("ntp-servers", "10.0.0.9"))]
    ec2.associate_dhcp_options(DhcpOptionsId=options[0], VpcId=a)

    def subnet(v, cidr, zone, tag, **more):
        return ec2.create_subnet(VpcId=v, CidrBlock=cidr, AvailabilityZone=zone,
                                 TagSpecifications=tags("subnet", tag), **more)["Subnet"]["SubnetId"]
    s1 = subnet(a, "10.0.1.0/24", "us-east-1a", "s1", Ipv6CidrBlock=block.replace("/56", "/64"))
    s2 = subnet(a, "10.2.2.0/24", "us-east-1b", "s2")
    s3 = subnet(b, "10.1.3.0/28", "us-east-1a", "s3")
    ec2.modify_subnet_attribute(SubnetId=s2, MapPublicIpOnLaunch={"Value": True})

    lists = [ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=3, AddressFamily="IPv4",
                                            Entries=[{"Cidr": "192.0.2.0/24"}],
                                            TagSpecifications=tags("prefix-list", name))["PrefixList"]["PrefixListId"]
             for name in ("one", "two")]
    g1, g2 = (ec2.create_security_group(GroupName=name, Description="of " + name, VpcId=a,
                                        TagSpecifications=tags("security-group", name))["GroupId"]
              for name in ("g1", "g2"))
    for authorize in (ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress):
        authorize(GroupId=g1, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]},
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "UserIdGroupPairs": [{"GroupId": g2}]}],
            TagSpecifications=tags("security-group-rule", "r1"))
        authorize(GroupId=g2, IpPermissions=[
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "PrefixListIds": [{"PrefixListId": lists[0]}]},
            {"IpProtocol": "47", "Ipv6Ranges": [{"CidrIpv6": "2001:db8:1::/48"}]}],
            TagSpecifications=tags("security-group-rule", "r2"))

    acl = ec2.create_network_acl(VpcId=a, TagSpecifications=tags("network-acl", "acl"))["NetworkAcl"]["NetworkAclId"]
    for number, egress, more in (
            (10, False, {"Protocol": "6", "CidrBlock": "192.0.2.0/24", "PortRange": {"From": 80, "To": 90}}),
            (20, True, {"Protocol": "1", "CidrBlock": "0.0.0.0/0", "IcmpTypeCode": {"Type": 8, "Code": 0}}),
            (30, True, {"Protocol": "-1", "Ipv6CidrBlock": "2001:db8:1::/48"})):
        ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=egress, RuleAction="allow", **more)
    association, = [x["NetworkAclAssociationId"] for n in ec2.describe_network_acls()["NetworkAcls"]
                    for x in n["Associations"] if x["SubnetId"] == s2]
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)

    igw = [ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", t))["InternetGateway"][
        "InternetGatewayId"] for t in ("i1", "i2", "i3")]
    ec2.attach_internet_gateway(InternetGatewayId=igw[0], VpcId=a)
    ec2.attach_internet_gateway(InternetGatewayId=igw[1], VpcId=b)
    egress = [ec2.create_egress_only_internet_gateway(
        VpcId=v, TagSpecifications=tags("egress-only-internet-gateway", t))["EgressOnlyInternetGateway"][
            "EgressOnlyInternetGatewayId"] for v, t in ((a, "e1"), (b, "e2"))]

    for name, strategy, more in (("parts", "partition", {"PartitionCount": 2}), ("near", "cluster", {}),
                                 ("apart", "spread", {"SpreadLevel": "rack"})):
        ec2.create_placement_group(GroupName=name, Strategy=strategy,
                                   TagSpecifications=tags("placement-group", name), **more)
    first = ec2.run_instances(ImageId="ami-netns", InstanceType="m5.large", MinCount=2, MaxCount=2, SubnetId=s1,
                              SecurityGroupIds=[g1], ClientToken="token-1", KeyName="key",
                              Placement={"GroupName": "parts", "PartitionNumber": 1},
                              TagSpecifications=tags("instance", "x1"))["Instances"]
    second, = ec2.run_instances(ImageId="ami-netns", InstanceType="t2.nano", MinCount=1, MaxCount=1, SubnetId=s3,
                                Placement={"GroupName": "near"}, PrivateIpAddress="10.1.3.9",
                                TagSpecifications=tags("instance", "x2"))["Instances"]
    ids = [i["InstanceId"] for i in first]
    ec2.modify_instance_attribute(InstanceId=second["InstanceId"], SourceDestCheck={"Value": False})

    nics = [ec2.create_network_interface(SubnetId=s, Description=text, Groups=groups, PrivateIpAddresses=addresses,
                                         TagSpecifications=tags("network-interface", text), **more)[
                                             "NetworkInterface"]["NetworkInterfaceId"]
            for s, text, groups, addresses, more in (
                (s1, "n1", [g2], [{"PrivateIpAddress": "10.0.1.77", "Primary": True},
                                  {"PrivateIpAddress": "10.0.1.78", "Primary": False}], {"Ipv6AddressCount": 1}),
                (s2, "n2", [g1], [{"PrivateIpAddress": "10.2.2.88", "Primary": True}], {}))]
    ec2.attach_network_interface(NetworkInterfaceId=nics[0], InstanceId=ids[0], DeviceIndex=1)

    allocations = [ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", t))["AllocationId"]
                   for t in ("p1", "p2", "p3", "p4")]
    ec2.associate_address(AllocationId=allocations[0], NetworkInterfaceId=nics[0], PrivateIpAddress="10.0.1.78")
    ec2.associate_address(AllocationId=allocations[1], InstanceId=second["InstanceId"])
    nat = [ec2.create_nat_gateway(SubnetId=s, AllocationId=al, TagSpecifications=tags("natgateway", t))["NatGateway"][
        "NatGatewayId"] for s, al, t in ((s1, allocations[2], "t1"), (s3, allocations[3], "t2"))]
    gone = ec2.create_nat_gateway(SubnetId=s1, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.delete_nat_gateway(NatGatewayId=gone)

    peering = ec2.create_vpc_peering_connection(VpcId=a, PeerVpcId=b, TagSpecifications=tags(
        "vpc-peering-connection", "c1"))["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    ec2.create_vpc_peering_connection(VpcId=b, PeerVpcId=theirs, PeerOwnerId="222222222222")

    tables = [ec2.create_route_table(VpcId=v, TagSpecifications=tags("route-table", t))["RouteTable"]["RouteTableId"]
              for v, t in ((a, "rt1"), (b, "rt2"), (a, "rt3"))]
    for n, r in ((0, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": igw[0]}),
                 (0, {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": egress[0]}),
                 (0, {"DestinationCidrBlock": "10.1.0.0/16", "VpcPeeringConnectionId": peering}),
                 (2, {"DestinationPrefixListId": lists[0], "InstanceId": ids[1]}),
                 (2, {"DestinationCidrBlock": "192.168.0.0/16", "NetworkInterfaceId": nics[1]}),
                 (1, {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat[1]})):
        ec2.create_route(RouteTableId=tables[n], **r)
    ec2.associate_route_table(RouteTableId=tables[0], SubnetId=s1)
    ec2.associate_route_table(RouteTableId=tables[2], SubnetId=s2)

    for resource, kind, traffic, name in ((nics[0], "NetworkInterface", "ALL", "l1"), (s1, "Subnet", "REJECT", "l2")):
        ec2.create_flow_logs(ResourceIds=[resource], ResourceType=kind, TrafficType=traffic, LogGroupName=name,
                             DeliverLogsPermissionArn="arn:r", TagSpecifications=tags("vpc-flow-log", name))
    targets = [ec2.create_traffic_mirror_target(NetworkInterfaceId=n, Description="d" + str(i))["TrafficMirrorTarget"][
        "TrafficMirrorTargetId"] for i, n in enumerate(nics)]
    filters_ = [ec2.create_traffic_mirror_filter(Description="f" + str(i))["TrafficMirrorFilter"][
        "TrafficMirrorFilterId"] for i in range(2)]
    for n, i in enumerate(first):
        ec2.create_traffic_mirror_session(
            NetworkInterfaceId=i["NetworkInterfaces"][0]["NetworkInterfaceId"], TrafficMirrorTargetId=targets[n],
            TrafficMirrorFilterId=filters_[n], SessionNumber=n + 1, PacketLength=100 + n, VirtualNetworkId=70 + n,
            Description="s" + str(n))

    ended, = ec2.run_instances(ImageId="ami-netns", MinCount=1, MaxCount=1, SubnetId=s3)["Instances"]
    ec2.terminate_instances(InstanceIds=[ended["InstanceId"]])
    ec2.stop_instances(InstanceIds=[ids[1]])


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (value.microsecond // 1000)
    return str(value)


def values(path, item):
    found = jmespath.search(path, item)
    flat = [found] if not isinstance(found, list) else found
    while any(isinstance(v, list) for v in flat):
        flat = [w for v in flat for w in (v if isinstance(v, list) else [v])]
    return {text(v) for v in flat if v is not None and v != ""}


def instances(ec2):
    """A function that tells the instances of an answer with what is told around them: by reservations,
    and by the list of interfaces."""
    nics = ec2.describe_network_interfaces()["NetworkInterfaces"]
    return lambda answer: [{**i, "Owner": r["OwnerId"], "Reservation": r["ReservationId"], "Networks": [
        n for n in nics if n.get("Attachment", {}).get("InstanceId") == i["InstanceId"]]}
            for r in answer["Reservations"] for i in r["Instances"]]


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_filter_finds_what_shows_its_value(world, name):
    where, key, paths = LISTS[name]
    operation = world.meta.service_model.operation_model(name)
    argument = "Filters" if "Filters" in operation.input_shape.members else "Filter"

    def found(*wanted):
        answer = getattr(world, xform_name(name))(**({argument: [
            {"Name": f, "Values": [v]} for f, v in wanted]} if wanted else {}))
        return around(answer) if name == "DescribeInstances" else jmespath.search(where, answer)
    around = instances(world)
    everything = found()
    if name == "DescribeSecurityGroups":
        names = {g["GroupId"]: g["GroupName"] for g in everything}
        for pair in jmespath.search("[].[IpPermissions, IpPermissionsEgress][][].UserIdGroupPairs[]", everything):
            pair["Name"] = names[pair["GroupId"]]
    assert len(everything) > 1
    unknown = [f for f in filters(operation) if f not in paths]
    wrong = [("no path", f) for f in unknown]
    for f, path in paths.items():
        if path is NOTHING:
            if found((f, "*")):
                wrong.append((f, "finds something"))
            continue
        shown = [(item, values(path, item)) for item in everything]
        if not any(v for _, v in shown):
            wrong.append((f, "nothing shown"))
        for value in sorted(set().union(*(v for _, v in shown)))[:6]: # more tell nothing new
            expected = [item[key] for item, v in shown if value in v]
            got = [item[key] for item in found((f, value))]
            if got != expected:
                wrong.append((f, value, len(got), len(expected), len(everything)))
    assert not wrong, "\n".join(map(str, wrong))
