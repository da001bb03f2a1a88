# SPDX-License-Identifier: Apache-2.0
"""Every list that has pages tells the same in pages as at once, while nothing changes and while what is told
already goes; and a token is of one list and one account.  Lists of what has tags are walked by
test_kinds_random.py as well.

requirement: OPS-1
"""
import json
import os
import subprocess

import pytest
from botocore import xform_name
from botocore.config import Config

from conftest import CONFIG, client, operator, serving
from test_clients import code

N = 7


def paged():
    dump = os.environ.get("API_DUMP", "build/tests/unit/api/api_dump")
    rows = json.loads(subprocess.run([dump, "actions"], check=True, capture_output=True).stdout)
    return [a["name"] for a in rows if "MaxResults" in (p["name"] for p in a["params"])]


@pytest.fixture(scope="module")
def world():
    """Two clients, and arguments of the lists that need some."""
    with serving() as endpoint:
        ec2, other = (client(endpoint, n, config=CONFIG.merge(Config(parameter_validation=False))) for n in (1, 2))
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        for n in range(N):
            operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.%d/28" % (16 * n)})
        yield ec2, other, build(ec2, other)


def rule(**more):
    return {"IpPermissions": [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, **more}]}


def build(ec2, other):
    pool, = ec2.describe_ipv6_pools()["Ipv6Pools"]
    v, peer = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    s = ec2.create_subnet(VpcId=v, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.run_instances(SubnetId=s, MinCount=N, MaxCount=N)
    pl = ec2.create_managed_prefix_list(PrefixListName="l", MaxEntries=2 * N, AddressFamily="IPv4", Entries=[
        {"Cidr": "10.%d.0.0/16" % n} for n in range(2 * N)])["PrefixList"]["PrefixListId"]
    p = ec2.create_vpc_peering_connection(VpcId=v, PeerVpcId=peer)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=p)
    theirs = ec2.create_security_group(GroupName="g", Description="d", VpcId=peer)["GroupId"]
    for n in range(N):
        ec2.create_vpc(CidrBlock="10.9.0.0/16", Ipv6Pool=pool["PoolId"])
        ec2.allocate_address(Domain="vpc")
        nic = ec2.create_network_interface(SubnetId=s)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.create_network_interface_permission(NetworkInterfaceId=nic, AwsAccountId="222222222222",
                                                Permission="INSTANCE-ATTACH")
        g = ec2.create_security_group(GroupName="g%d" % n, Description="d", VpcId=v)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=g, **rule(UserIdGroupPairs=[{"GroupId": theirs}]))
        ec2.authorize_security_group_egress(GroupId=g, **rule(PrefixListIds=[{"PrefixListId": pl}]))
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=p)
    ec2.delete_security_group(GroupId=theirs)
    other.allocate_address(Domain="vpc")
    return {"GetAssociatedIpv6PoolCidrs": {"PoolId": pool["PoolId"]}, "DescribeStaleSecurityGroups": {"VpcId": v},
            "GetManagedPrefixListAssociations": {"PrefixListId": pl},
            "GetManagedPrefixListEntries": {"PrefixListId": pl},
            "DescribeInstanceStatus": {"IncludeAllInstances": True}}


# Of what there are more than a page of here.
MANY = ["DescribeAddressesAttribute", "DescribePublicIpv4Pools", "DescribeNetworkInterfacePermissions",
        "GetAssociatedIpv6PoolCidrs", "DescribeStaleSecurityGroups", "GetManagedPrefixListAssociations",
        "GetManagedPrefixListEntries", "DescribeInstanceStatus", "DescribeInstanceTypes", "DescribeVpcs",
        "DescribeNetworkInterfaces", "DescribeInstances", "DescribeSecurityGroups", "DescribeSecurityGroupRules",
        "DescribeNetworkAcls",
        "DescribeRouteTables"]


def told(ec2, name, **arguments):
    """What an answer tells, and the token for more."""
    lists = [k for k, s in ec2.meta.service_model.operation_model(name).output_shape.members.items()
             if s.type_name == "list"]
    answer = getattr(ec2, xform_name(name))(**arguments)
    found, = (answer[k] for k in lists)
    if name == "DescribeInstances":  # counted one by one, so that a reservation may begin in one page and end in another
        found = [i for r in found for i in r["Instances"]]
    return found, answer.get("NextToken")


def smallest(ec2, name):
    """The least MaxResults that EC2 takes, by botocore's model; where that says nothing, 5 as the reference has it."""
    size = ec2.meta.service_model.operation_model(name).input_shape.members["MaxResults"]
    return size.metadata.get("min", 5)


@pytest.mark.parametrize("name", paged())
def test_pages_are_the_list(world, name):
    ec2, other, arguments = world
    said = arguments.get(name, {})
    whole, token = told(ec2, name, **said)
    assert token is None and (len(whole) > 5 or name not in MANY)
    for least in {smallest(ec2, name), 5}:
        pages, token = told(ec2, name, MaxResults=least, **said)
        first = token
        assert len(pages) <= least
        while token:
            page, token = told(ec2, name, MaxResults=least, NextToken=token, **said)
            assert 0 < len(page) <= least
            pages += page
        assert pages == whole and bool(first) == (len(whole) > least)
    for size in smallest(ec2, name) - 1, 1001:
        assert code(getattr(ec2, xform_name(name)), MaxResults=size, **said) == "InvalidParameterValue"
    if not first:
        return
    another = next(n for n in MANY if n != name)
    for who, what, wrong, more in ((ec2, name, "nonsense", said), (ec2, name, first[:-1] + "x", said),
                                   (ec2, another, first, arguments.get(another, {}))):
        assert code(getattr(who, xform_name(what)), MaxResults=5, NextToken=wrong, **more) == "InvalidNextToken"
    if name not in arguments:
        assert code(getattr(other, xform_name(name)), MaxResults=5, NextToken=first) == "InvalidNextToken"


def test_pages_of_entries_are_of_one_version(world):
    """The list has another version before the second page, which still tells of the first page's."""
    ec2, _, arguments = world
    pl = arguments["GetManagedPrefixListEntries"]["PrefixListId"]
    whole, _ = told(ec2, "GetManagedPrefixListEntries", PrefixListId=pl)
    first, token = told(ec2, "GetManagedPrefixListEntries", PrefixListId=pl, MaxResults=5)
    ec2.modify_managed_prefix_list(PrefixListId=pl, CurrentVersion=1,
                                   RemoveEntries=[{"Cidr": e["Cidr"]} for e in first[:3]])
    rest, _ = told(ec2, "GetManagedPrefixListEntries", PrefixListId=pl, NextToken=token)
    assert first + rest == whole
    another = ec2.create_managed_prefix_list(PrefixListName="m", MaxEntries=2, AddressFamily="IPv4", Entries=[
        {"Cidr": "10.0.0.0/8"}])["PrefixList"]["PrefixListId"]
    for wrong in {"PrefixListId": another}, {"PrefixListId": pl, "TargetVersion": 2}:
        assert code(ec2.get_managed_prefix_list_entries, NextToken=token, **wrong) == "InvalidNextToken"
    ec2.delete_managed_prefix_list(PrefixListId=another)
