# SPDX-License-Identifier: Apache-2.0
"""The operations of the virtual network itself against EC2's reference, as botocore has it: each is there, knows
every parameter, and its list every filter.

requirement: OPS-1
"""
import html
import json
import os
import re
import subprocess

import botocore.session
import pytest
from botocore import xform_name

# VPN gateways are EDGE-3's.
CORE = """
AcceptVpcPeeringConnection AllocateAddress AssignIpv6Addresses AssignPrivateIpAddresses AssociateAddress
AssociateDhcpOptions AssociateRouteTable AssociateSubnetCidrBlock AssociateVpcCidrBlock AttachInternetGateway
AttachNetworkInterface AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateDefaultSubnet
CreateDefaultVpc CreateDhcpOptions CreateEgressOnlyInternetGateway CreateFlowLogs CreateInternetGateway
CreateManagedPrefixList CreateNatGateway CreateNetworkAcl CreateNetworkAclEntry CreateNetworkInterface
CreateRoute CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags CreateTrafficMirrorFilter
CreateTrafficMirrorFilterRule CreateTrafficMirrorSession CreateTrafficMirrorTarget CreateVpc
CreateVpcPeeringConnection DeleteDhcpOptions DeleteEgressOnlyInternetGateway DeleteFlowLogs
DeleteInternetGateway DeleteManagedPrefixList DeleteNatGateway DeleteNetworkAcl DeleteNetworkAclEntry
DeleteNetworkInterface DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags
DeleteTrafficMirrorFilter DeleteTrafficMirrorFilterRule DeleteTrafficMirrorSession DeleteTrafficMirrorTarget
DeleteVpc DeleteVpcPeeringConnection DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute
DescribeAvailabilityZones DescribeDhcpOptions DescribeEgressOnlyInternetGateways DescribeFlowLogs
DescribeImages DescribeInstanceAttribute DescribeInstanceStatus DescribeInstanceTypes DescribeInstances
DescribeInternetGateways DescribeManagedPrefixLists DescribeNatGateways DescribeNetworkAcls
DescribeNetworkInterfaceAttribute DescribeNetworkInterfaces DescribePrefixLists DescribeRegions
DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags
DescribeTrafficMirrorFilters DescribeTrafficMirrorSessions DescribeTrafficMirrorTargets DescribeVpcAttribute
DescribeVpcPeeringConnections DescribeVpcs DetachInternetGateway DetachNetworkInterface
DisableVgwRoutePropagation DisassociateAddress DisassociateRouteTable DisassociateSubnetCidrBlock
DisassociateVpcCidrBlock EnableVgwRoutePropagation GetManagedPrefixListEntries ModifyInstanceAttribute
ModifyManagedPrefixList ModifyNetworkInterfaceAttribute ModifySecurityGroupRules ModifySubnetAttribute
ModifyVpcAttribute ModifyVpcPeeringConnectionOptions RebootInstances RejectVpcPeeringConnection ReleaseAddress
ReplaceNetworkAclAssociation ReplaceNetworkAclEntry ReplaceRoute ReplaceRouteTableAssociation
RevokeSecurityGroupEgress RevokeSecurityGroupIngress RunInstances StartInstances StopInstances
TerminateInstances UnassignIpv6Addresses UnassignPrivateIpAddresses
UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress
""".split()


@pytest.fixture(scope="module")
def table():
    dump = os.environ.get("API_DUMP", "build/tests/unit/api/api_dump")
    rows = json.loads(subprocess.run([dump, "actions"], check=True, capture_output=True).stdout)
    return {a["name"]: a for a in rows}


@pytest.fixture(scope="module")
def reference():
    return botocore.session.get_session().get_service_model("ec2")


def parameters(shape, prefix=""):
    """The names of a shape's texts and numbers as a request of the Query protocol has them."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            s = member.serialization
            key = s.get("queryName") or s.get("name", name)
            key = key if "queryName" in s else key[0].upper() + key[1:]
            yield from parameters(member, prefix + "." + key if prefix else key)
    elif shape.type_name == "list":
        yield from parameters(shape.member, prefix + ".N")
    else:
        yield prefix


def filters(operation):
    """The filters that the reference lists for it; [] for an operation without any."""
    members = operation.input_shape.members if operation.input_shape else {}
    shape = members.get("Filters") or members.get("Filter")
    text = html.unescape(shape.documentation) if shape else ""
    found = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", text)
    return ["tag:k" if f in ("tag", "tag:") else f for f in found]


def test_every_operation_is_there(table):
    missing = [n for n in CORE if n not in table or table[n]["effect"] == "refuses"]
    assert not missing


def test_every_parameter_is_known(table, reference):
    """What is not done is said so (UnsupportedOperation), never that there is no such parameter."""
    unknown = {}
    for name, action in table.items():
        if name not in reference.operation_names or action["effect"] == "refuses":
            continue
        shape = reference.operation_model(name).input_shape
        known = {p["name"] for p in action["params"]} | {"DryRun"}
        more = [p for p in parameters(shape) if p not in known] if shape else []
        if more:
            unknown[name] = more
    assert not unknown


def test_every_filter_is_known(table, reference, ec2):
    asked = 0
    for name, action in table.items():
        if name not in reference.operation_names or action["effect"] != "reads":
            continue
        operation = reference.operation_model(name)
        for f in filters(operation):
            key = "Filters" if "Filters" in operation.input_shape.members else "Filter"
            needed = {m: "x" for m in operation.input_shape.required_members}
            assert not needed, name
            getattr(ec2, xform_name(name))(**{key: [{"Name": f, "Values": ["*"]}]})
            asked += 1
    assert asked > 300 # of a botocore that has the reference's text


def test_filters_of_instances_ask_their_interfaces(ec2, edge, subnet, vpc):
    """Each filter finds the instance that has the value, and not the other."""
    ours = ec2.run_instances(SubnetId=subnet, ImageId="ami-netns", MinCount=2, MaxCount=2)["Instances"]
    a, b = (i["InstanceId"] for i in ours)
    by_id = {i["InstanceId"]: i for r in ec2.describe_instances(InstanceIds=[a, b])["Reservations"]
             for i in r["Instances"]}
    nic = by_id[a]["NetworkInterfaces"][0]
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")
    association = ec2.associate_address(AllocationId=address["AllocationId"],
                                        NetworkInterfaceId=nic["NetworkInterfaceId"])["AssociationId"]

    ec2.create_tags(Resources=[nic["NetworkInterfaceId"]], Tags=[{"Key": "of-a", "Value": "yes"}])

    def found(name, value):
        r = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]},
                                            {"Name": "vpc-id", "Values": [vpc]}])["Reservations"]
        return {i["InstanceId"] for x in r for i in x["Instances"]}
    nic_filter = "network-interface."
    for name, value in (("attachment.instance-id", a),
                        ("association.public-ip", address["PublicIp"]),
                        ("association.allocation-id", address["AllocationId"]),
                        ("association.association-id", association),
                        ("association.ip-owner-id", "111111111111"),
                        ("addresses.association.public-ip", address["PublicIp"]),
                        ("addresses.association.ip-owner-id", "111111111111"),
                        ("addresses.association.allocation-id", address["AllocationId"]),
                        ("private-ip-address", nic["PrivateIpAddress"]), ("tag-key", "of-a"), ("tag-value", "yes")):
        assert found(nic_filter + name, value) == {a}, name
    for name, value in (("attachment.instance-owner-id", "111111111111"),
                        ("requester-managed", "false")):
        assert found(nic_filter + name, value) == {a, b}, name
    for name in ("network-interface.requester-id", "kernel-id", "block-device-mapping.status"):
        assert found(name, "*") == set(), name
    for name, value in (("hibernation-options.configured", "false"), ("availability-zone-id", "use1-az1"),
                        ("ena-support", "false")):
        assert found(name, value) == {a, b}, name
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=address["AllocationId"])
    ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=internet)


def test_filters_tell_what_the_lists_show(ec2, subnet):
    s, = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    for name, value in (("subnet-arn", s["SubnetArn"]),
                        ("private-dns-name-options-on-launch.hostname-type",
                         s["PrivateDnsNameOptionsOnLaunch"]["HostnameType"]),
                        ("map-customer-owned-ip-on-launch", "false")):
        found = ec2.describe_subnets(Filters=[{"Name": name, "Values": [value]}])["Subnets"]
        assert subnet in [x["SubnetId"] for x in found], name
    assert ec2.describe_subnets(Filters=[{"Name": "outpost-arn", "Values": ["*"]}])["Subnets"] == []
    t, = ec2.describe_instance_types(InstanceTypes=["m5.large"])["InstanceTypes"]
    assert t["NetworkInfo"]["Ipv6Supported"] and t["NetworkInfo"]["Ipv6AddressesPerInterface"] == 10
    for name, value in (("network-info.network-performance", t["NetworkInfo"]["NetworkPerformance"]),
                        ("network-info.ipv6-addresses-per-interface", "10"),
                        ("vcpu-info.default-cores", "2")):
        found = ec2.describe_instance_types(Filters=[{"Name": name, "Values": [value]}])["InstanceTypes"]
        assert "m5.large" in [x["InstanceType"] for x in found], name
        assert "t2.nano" not in [x["InstanceType"] for x in found], name


def test_tokens_of_clients_that_are_younger(make_client, vpc):
    """Clients of 2024 and later send a token that they make themselves with these as well; what was made with it is made
    once, and told again as it is."""
    ec2 = make_client()
    token = {"ClientToken": "t-%s" % vpc}
    for name in ("CreateRouteTable", "CreateNetworkAcl"):
        ec2.meta.events.register("before-call.ec2." + name, lambda params, **_: params["body"].update(token))
    for create, result, key in ((ec2.create_route_table, "RouteTable", "RouteTableId"),
                                (ec2.create_network_acl, "NetworkAcl", "NetworkAclId")):
        first = create(VpcId=vpc)[result][key]
        assert create(VpcId=vpc)[result][key] == first
        with pytest.raises(ec2.exceptions.ClientError) as e:
            create(VpcId="vpc-00000000000000001")
        assert e.value.response["Error"]["Code"] == "IdempotentParameterMismatch"
        token["ClientToken"] += "-another"
        second = create(VpcId=vpc)[result][key]
        assert second != first
        if result == "RouteTable":
            for t in (first, second):
                ec2.delete_route_table(RouteTableId=t)
            with pytest.raises(ec2.exceptions.ClientError) as e:
                create(VpcId=vpc)
            assert e.value.response["Error"]["Code"] == "InvalidRouteTableID.NotFound"
