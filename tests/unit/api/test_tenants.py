# SPDX-License-Identifier: Apache-2.0
"""Every operation that names something, asked by an account whose that is not: it is refused as though
it were not there, and changes nothing.  The owner, who asks the same, is not told so.

requirement: OPS-1, PKT-4
"""
import json
import os
import subprocess

import botocore.exceptions
import jmespath
import pytest
from botocore import xform_name

from conftest import client, operator, serving
from test_filters import LISTS, build

# What has to be there beside a thing's id, by the name of the parameter.
PLAIN = {
    "DestinationCidrBlock": "9.0.0.0/8", "CidrBlock": "10.0.77.0/24", "Ipv6CidrBlock": "2001:db8:77::/64",
    "DeviceIndex": 3, "Egress": True, "Protocol": "-1", "RuleAction": "allow",
    "RuleNumber": 77, "MinCount": 1, "MaxCount": 1, "ImageId": "ami-netns", "ResourceType": "NetworkInterface",
    "TrafficType": "ALL", "LogGroupName": "x", "DeliverLogsPermissionArn": "arn:r", "SessionNumber": 77,
    "TrafficDirection": "ingress", "SourceCidrBlock": "9.0.0.0/8", "GroupName": "theirs", "Description": "theirs",
    "Tags": [{"Key": "stolen", "Value": "yes"}], "Permission": "INSTANCE-ATTACH", "AwsAccountId": "222222222222",
    "CurrentVersion": 1, "AddEntries": [{"Cidr": "9.0.0.0/8"}], "PrivateIpAddresses": ["10.0.1.200"],
    "Ipv6AddressCount": 1, "Ipv6Addresses": ["2001:db8::1"],
    "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "9.0.0.0/8"}]}],
}
# More than the required parameters: what the operation is about, or what it cannot do without.
MORE = {
    "AssociateAddress": ["AllocationId", "NetworkInterfaceId"], "DisassociateAddress": ["AssociationId"],
    "ReleaseAddress": ["AllocationId"], "DeleteSecurityGroup": ["GroupId"],
    "AuthorizeSecurityGroupIngress": ["GroupId", "IpPermissions"], "AuthorizeSecurityGroupEgress": ["IpPermissions"],
    "RevokeSecurityGroupIngress": ["GroupId", "IpPermissions"], "RevokeSecurityGroupEgress": ["IpPermissions"],
    "UpdateSecurityGroupRuleDescriptionsIngress": ["GroupId", "IpPermissions"],
    "UpdateSecurityGroupRuleDescriptionsEgress": ["GroupId", "IpPermissions"],
    "CreateNetworkAclEntry": ["CidrBlock"], "ReplaceNetworkAclEntry": ["CidrBlock"],
    "CreateRoute": ["DestinationCidrBlock", "GatewayId"], "ReplaceRoute": ["DestinationCidrBlock", "GatewayId"],
    "DeleteRoute": ["DestinationCidrBlock"], "AssociateRouteTable": ["SubnetId"], "AcceptVpcPeeringConnection":
        ["VpcPeeringConnectionId"], "AssociateVpcCidrBlock": ["CidrBlock"], "CreateSubnet": ["CidrBlock"],
    "AssignPrivateIpAddresses": ["PrivateIpAddresses"], "UnassignPrivateIpAddresses": ["PrivateIpAddresses"],
    "AssignIpv6Addresses": ["Ipv6AddressCount"], "UnassignIpv6Addresses": ["Ipv6Addresses"], "RunInstances": ["SubnetId"],
    "CreateTrafficMirrorTarget": ["NetworkInterfaceId"], "CreateNetworkInterfacePermission": ["AwsAccountId"],
    "CreateFlowLogs": ["TrafficType", "LogGroupName", "DeliverLogsPermissionArn"], "CreateSecurityGroup": ["VpcId"],
    "ModifyManagedPrefixList": ["CurrentVersion", "AddEntries"], "CreateNatGateway": ["AllocationId"],
    "CreateVpcPeeringConnection": ["VpcId", "PeerVpcId"],
}
# What has other values than PLAIN.
EXTRA = {
    "ModifyVpcAttribute": {"EnableDnsSupport": {"Value": True}}, "DescribeVpcAttribute": {"Attribute": "enableDnsSupport"},
    "ModifyNetworkInterfaceAttribute": {"Description": {"Value": "theirs"}},
    "DescribeNetworkInterfaceAttribute": {"Attribute": "description"},
    "ResetNetworkInterfaceAttribute": {"SourceDestCheck": "true"}, "DescribeInstanceAttribute": {"Attribute": "instanceType"},
    "ModifyInstanceAttribute": {"DisableApiTermination": {"Value": True}},
    "ModifyTrafficMirrorFilterNetworkServices": {"AddNetworkServices": ["amazon-dns"]},
}
VPN = ("EnableVgwRoutePropagation", "DisableVgwRoutePropagation") # there are no such gateways
# The AssociationId of each.
ASSOCIATIONS = {"DisassociateAddress": "eipassoc", "DisassociateRouteTable": "rtbassoc",
                "ReplaceRouteTableAssociation": "rtbassoc", "ReplaceNetworkAclAssociation": "aclassoc",
                "DisassociateVpcCidrBlock": "vpc-cidr-assoc", "DisassociateSubnetCidrBlock": "subnet-cidr-assoc"}
# The kinds of what other parameters name.
KINDS = {"VpcId": "vpc", "PeerVpcId": "vpc", "SubnetId": "subnet", "NetworkInterfaceId": "eni", "InstanceId": "i",
         "AttachmentId": "eni-attach", "AllocationId": "eipalloc", "GroupId": "sg", "RouteTableId": "rtb",
         "NetworkAclId": "acl", "InternetGatewayId": "igw", "GatewayId": "igw", "NatGatewayId": "nat",
         "EgressOnlyInternetGatewayId": "eigw", "VpcPeeringConnectionId": "pcx", "DhcpOptionsId": "dopt",
         "PrefixListId": "pl", "TrafficMirrorTargetId": "tmt", "TrafficMirrorFilterId": "tmf",
         "TrafficMirrorSessionId": "tms", "ResourceIds": "eni", "Resources": "vpc", "InstanceIds": "i",
         "FlowLogIds": "fl"}


@pytest.fixture(scope="module")
def tenants():
    with serving() as endpoint:
        ec2, other = client(endpoint, 1), client(endpoint, 2)
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})
        build(ec2, other)
        yield ec2, other


def everything(ec2):
    return {name: jmespath.search(where, getattr(ec2, xform_name(name))()) for name, (where, _, _) in LISTS.items()}


def ids(shown):
    """One id of each kind: of what is in the first VPC, where there are several."""
    found = {}

    def walk(x):
        if isinstance(x, dict):
            if x.get("AccepterVpcInfo", {}).get("OwnerId") == "222222222222":
                return  # a peering that is the other account's as well
            for v in x.values():
                walk(v)
        elif isinstance(x, list):
            for v in x:
                walk(v)
        elif isinstance(x, str) and len(x.rsplit("-", 1)[-1]) == 17:
            found.setdefault(x.rsplit("-", 1)[0], x)
    for name in ("DescribeInstances", *sorted(shown)):
        walk(shown[name])
    return found


def actions():
    dump = os.environ.get("API_DUMP", "build/tests/unit/api/api_dump")
    rows = json.loads(subprocess.run([dump, "actions"], check=True, capture_output=True).stdout)
    return [a["name"] for a in rows if a["effect"] != "refuses"]


def arguments(operation, found):
    """What to call it with, or None when it names nothing."""
    names = [*operation.input_shape.required_members, *MORE.get(operation.name, ())] if operation.input_shape else []
    out, about = {}, False
    for name in dict.fromkeys(names):
        shape = operation.input_shape.members[name]
        kind = ASSOCIATIONS[operation.name] if name == "AssociationId" else KINDS.get(name)
        if kind:
            out[name] = [found[kind]] if shape.type_name == "list" else found[kind]
            about = True
        elif name in PLAIN or name in EXTRA.get(operation.name, ()):
            out[name] = PLAIN.get(name)
        else:
            return None
    return {**out, **EXTRA.get(operation.name, {})} if about else None


def code(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
    return None


def is_not_there(said):
    return said is not None and (said.endswith("NotFound") or said.endswith("NotFoundException"))


def test_what_is_anothers_is_not_there(tenants):
    ec2, other = tenants
    before = everything(ec2)
    found = ids(before)
    asked, wrong = [], []
    for name in actions():
        model = ec2.meta.service_model
        operation = model.operation_model(name) if name in model.operation_names and name not in VPN else None
        wanted = arguments(operation, found) if operation else None
        if not wanted:
            continue
        asked.append(name)
        said = code(getattr(other, xform_name(name)), **wanted)
        if name == "CreateFlowLogs": # tells each resource's error
            said = said or other.create_flow_logs(**wanted)["Unsuccessful"][0]["Error"]["Code"]
        if not is_not_there(said):
            wrong.append((name, "another", said))
        if "DryRun" in operation.input_shape.members:
            mine = code(getattr(ec2, xform_name(name)), **wanted, DryRun=True)
            if mine in (None, said):
                wrong.append((name, "the owner", mine))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(asked) > 70, asked
    assert everything(ec2) == before


def test_lists_are_of_ones_own(tenants):
    """Nor is anything in a list, or found by a filter."""
    ec2, other = tenants
    mine = everything(ec2)
    theirs = everything(other)
    for name, (_, key, _) in LISTS.items():
        if name in ("DescribeAvailabilityZones", "DescribeInstanceStatus"):
            continue
        common = {x[key] for x in mine[name]} & {x[key] for x in theirs[name]}
        if name == "DescribeVpcPeeringConnections":
            assert len(common) == 1, "the one that is of both"
        else:
            assert common <= {"default"}, name


def test_tags_are_their_owners(tenants):
    """Of what two accounts see, a peering connection, each has tags of its own, which the other is not told."""
    ec2, other = tenants
    peering, = {p["VpcPeeringConnectionId"] for p in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]} & {
        p["VpcPeeringConnectionId"] for p in other.describe_vpc_peering_connections()["VpcPeeringConnections"]}
    ec2.create_tags(Resources=[peering], Tags=[{"Key": "secret", "Value": "plan"}])

    def told(who, **more):
        return [p["Tags"] for p in who.describe_vpc_peering_connections(
            VpcPeeringConnectionIds=[peering], **more)["VpcPeeringConnections"]]
    assert told(ec2) == [[{"Key": "secret", "Value": "plan"}]] and told(other) == [[]]
    for name, value in (("tag:secret", "plan"), ("tag-key", "secret"), ("tag-value", "p*")):
        by_tag = [{"Name": name, "Values": [value]}]
        assert len(told(ec2, Filters=by_tag)) == 1 and told(other, Filters=by_tag) == []
    def listed(who):
        whole = who.describe_tags(Filters=[{"Name": "resource-id", "Values": [peering]}])["Tags"]
        assert whole == [t for t in who.describe_tags()["Tags"] if t["ResourceId"] == peering]
        return {t["Key"]: t["Value"] for t in whole}
    other.create_tags(Resources=[peering], Tags=[{"Key": "secret", "Value": "theirs"}, {"Key": "x", "Value": "y"}])
    assert listed(ec2) == {"secret": "plan"} and listed(other) == {"secret": "theirs", "x": "y"}
    by_tag = [{"Name": "tag:secret", "Values": ["theirs"]}]
    assert told(ec2, Filters=by_tag) == [] and len(told(other, Filters=by_tag)) == 1
    other.delete_tags(Resources=[peering], Tags=[{"Key": "secret"}])
    assert listed(ec2) == {"secret": "plan"} and listed(other) == {"x": "y"}
    ec2.delete_tags(Resources=[peering])
    assert listed(ec2) == {} and listed(other) == {"x": "y"}
    other.delete_tags(Resources=[peering])
    assert listed(other) == {}
