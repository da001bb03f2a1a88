# SPDX-License-Identifier: Apache-2.0
"""Debian's awscli against the API, from the machine's own shell.

    aws --- 127.0.0.1 --- vd-NAME-manager
"""
import json
import os

import pytest

import aws as awscli
import lab as labs

LAB = {"hosts": 1}


@pytest.fixture(scope="module")
def aws(lab):
    with awscli.client(lab) as call:
        yield call


def test_a_network_from_nothing_to_nothing(lab, aws):
    """requirement: OPS-1"""
    vpc = aws("create-vpc", "--cidr-block", "10.1.0.0/16", "--tag-specifications",
              "ResourceType=vpc,Tags=[{Key=Name,Value=t1}]")["Vpc"]
    assert vpc["OwnerId"] == labs.ACCOUNT and {"Key": "Name", "Value": "t1"} in vpc["Tags"]
    aws("wait", "vpc-available", "--vpc-ids", vpc["VpcId"])
    aws("modify-vpc-attribute", "--vpc-id", vpc["VpcId"], "--enable-dns-hostnames", "Value=true")
    got = aws("describe-vpc-attribute", "--vpc-id", vpc["VpcId"], "--attribute", "enableDnsHostnames")
    assert got["EnableDnsHostnames"]["Value"] is True
    subnet = aws("create-subnet", "--vpc-id", vpc["VpcId"], "--cidr-block", "10.1.1.0/24", "--availability-zone",
                 "us-east-1a")["Subnet"]
    assert subnet["AvailableIpAddressCount"] == 251
    aws("wait", "subnet-available", "--subnet-ids", subnet["SubnetId"])
    eni = aws("create-network-interface", "--subnet-id", subnet["SubnetId"], "--private-ip-address", "10.1.1.20",
              "--description", "d")["NetworkInterface"]
    aws("wait", "network-interface-available", "--network-interface-ids", eni["NetworkInterfaceId"])
    aws("assign-private-ip-addresses", "--network-interface-id", eni["NetworkInterfaceId"], "--private-ip-addresses",
        "10.1.1.30")
    found = aws("describe-network-interfaces", "--filters", "Name=private-ip-address,Values=10.1.1.20")
    addresses = [a["PrivateIpAddress"] for a in found["NetworkInterfaces"][0]["PrivateIpAddresses"]]
    assert addresses == ["10.1.1.20", "10.1.1.30"]
    aws("unassign-private-ip-addresses", "--network-interface-id", eni["NetworkInterfaceId"], "--private-ip-addresses",
        "10.1.1.30")
    instance = aws("run-instances", "--image-id", "ami-netns", "--count", "1", "--network-interfaces",
                   json.dumps([{"DeviceIndex": 0, "NetworkInterfaceId": eni["NetworkInterfaceId"]}]))["Instances"][0]
    lab.becomes(instance["InstanceId"], "running")
    aws("wait", "instance-running", "--instance-ids", instance["InstanceId"])
    node = lab.ready(instance["InstanceId"])
    assert node.address == "10.1.1.20" and node.mac == eni["MacAddress"]
    refused = aws("delete-subnet", "--subnet-id", subnet["SubnetId"], check=False)
    assert refused.returncode and "DependencyViolation" in refused.stderr
    aws("stop-instances", "--instance-ids", instance["InstanceId"])
    lab.becomes(instance["InstanceId"], "stopped")
    aws("wait", "instance-stopped", "--instance-ids", instance["InstanceId"])
    aws("start-instances", "--instance-ids", instance["InstanceId"])
    lab.becomes(instance["InstanceId"], "running")
    aws("wait", "instance-running", "--instance-ids", instance["InstanceId"])
    lab.ready(instance["InstanceId"])
    aws("terminate-instances", "--instance-ids", instance["InstanceId"])
    lab.becomes(instance["InstanceId"], "terminated")
    aws("wait", "instance-terminated", "--instance-ids", instance["InstanceId"])
    # It was brought, not made by RunInstances: it stays.
    aws("wait", "network-interface-available", "--network-interface-ids", eni["NetworkInterfaceId"])
    aws("delete-network-interface", "--network-interface-id", eni["NetworkInterfaceId"])
    aws("delete-subnet", "--subnet-id", subnet["SubnetId"])
    aws("delete-vpc", "--vpc-id", vpc["VpcId"])
    gone = aws("describe-vpcs", "--vpc-ids", vpc["VpcId"], check=False)
    assert gone.returncode and "InvalidVpcID.NotFound" in gone.stderr


def test_paging_by_the_command_line(lab, aws):
    """requirement: OPS-1"""
    vpc = aws("create-vpc", "--cidr-block", "10.2.0.0/16")["Vpc"]["VpcId"]
    made = {lab.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.2.{n}.0/24")["Subnet"]["SubnetId"] for n in range(12)}
    pages = aws("describe-subnets", "--filters", f"Name=vpc-id,Values={vpc}", "--page-size", "5")["Subnets"]
    assert {s["SubnetId"] for s in pages} == made and len(pages) == 12


@pytest.mark.parametrize("argv, overrides, code", [
    (("describe-vpcs",), {"AWS_SECRET_ACCESS_KEY": "WRONG"}, "SignatureDoesNotMatch"),
    (("describe-vpcs",), {"AWS_ACCESS_KEY_ID": "NOBODY"}, "AuthFailure"),
    (("describe-vpcs", "--vpc-ids", "vpc-1"), {}, "InvalidVpcID"),
    (("create-vpc", "--cidr-block", "10.0.0.0/8"), {}, "InvalidVpc.Range"),
    (("create-vpc", "--cidr-block", "nonsense"), {}, "InvalidParameterValue"),
    (("create-vpc", "--cidr-block", "10.0.0.0/16", "--dry-run"), {}, "DryRunOperation"),
    (("run-instances", "--image-id", "ami-unknown"), {}, "InvalidAMIID"),
    (("create-transit-gateway",), {}, "InvalidAction"),
])
def test_refusals(lab, aws, argv, overrides, code):
    """With other keys, as a shell calls it.  requirement: OPS-1"""
    if overrides:
        done = labs.run("/usr/bin/aws", "--endpoint-url", lab.endpoint, "ec2", *argv, check=False,
                        env={**os.environ, **lab.env, **overrides})
    else:
        done = aws(*argv, check=False)
    assert done.returncode in (253, 254, 255)
    assert code in done.stderr, done.stderr
    assert "DryRunOperation" in code or "An error occurred" in done.stderr


def test_ipv6_from_nothing_to_nothing(lab, aws):
    """requirement: OPS-1 PKT-1"""
    vpc = aws("create-vpc", "--cidr-block", "10.6.0.0/16", "--amazon-provided-ipv6-cidr-block")["Vpc"]["VpcId"]
    block, = aws("describe-vpcs", "--vpc-ids", vpc)["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    assert block["Ipv6CidrBlockState"]["State"] == "associated"
    cidr = block["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = aws("create-subnet", "--vpc-id", vpc, "--cidr-block", "10.6.1.0/24", "--availability-zone", "us-east-1a",
                 "--ipv6-cidr-block", cidr)["Subnet"]
    part, = subnet["Ipv6CidrBlockAssociationSet"]
    aws("modify-subnet-attribute", "--subnet-id", subnet["SubnetId"], "--assign-ipv6-address-on-creation")
    instance, = aws("run-instances", "--image-id", "ami-netns", "--count", "1", "--subnet-id", subnet["SubnetId"],
                    "--ipv6-address-count", "2")["Instances"]
    lab.becomes(instance["InstanceId"], "running")
    aws("wait", "instance-running", "--instance-ids", instance["InstanceId"])
    node = lab.ready(instance["InstanceId"])
    nic = node.interfaces[0]
    first, second = [a["Ipv6Address"] for a in nic["Ipv6Addresses"]]
    shown = labs.run("ip", "-n", node.netns, "-6", "addr", "show", "dev", "eth0").stdout
    assert first in shown and second in shown
    gone = aws("unassign-ipv6-addresses", "--network-interface-id", nic["NetworkInterfaceId"], "--ipv6-addresses", second)
    assert gone["UnassignedIpv6Addresses"] == [second]
    third, = aws("assign-ipv6-addresses", "--network-interface-id", nic["NetworkInterfaceId"], "--ipv6-address-count",
                 "1")["AssignedIpv6Addresses"]
    found = aws("describe-network-interfaces", "--filters", f"Name=ipv6-addresses.ipv6-address,Values={third}")
    assert [i["NetworkInterfaceId"] for i in found["NetworkInterfaces"]] == [nic["NetworkInterfaceId"]]
    refused = aws("disassociate-subnet-cidr-block", "--association-id", part["AssociationId"], check=False)
    assert refused.returncode and "InvalidCidrBlock.InUse" in refused.stderr
    aws("terminate-instances", "--instance-ids", instance["InstanceId"])
    lab.becomes(instance["InstanceId"], "terminated")
    aws("wait", "instance-terminated", "--instance-ids", instance["InstanceId"])
    aws("modify-subnet-attribute", "--subnet-id", subnet["SubnetId"], "--no-assign-ipv6-address-on-creation")
    # the last of its addresses is free when its host has said so
    labs.wait_for("the block to be free", lambda: aws("disassociate-subnet-cidr-block", "--association-id",
                                                      part["AssociationId"], check=False).returncode == 0)
    aws("disassociate-vpc-cidr-block", "--association-id", block["AssociationId"])
    aws("delete-subnet", "--subnet-id", subnet["SubnetId"])
    aws("delete-vpc", "--vpc-id", vpc)
