# SPDX-License-Identifier: Apache-2.0
"""The EC2 API as boto3 uses it: life cycles, tokens, filters, pages, refusals.

    boto3 --- 127.0.0.1 --- vd-NAME-manager            h1, h2 run what is started
"""
import pytest
from botocore.exceptions import ClientError

import lab as labs

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def net(lab):
    vpc, subnets = lab.subnets("10.0.1.0/24", "10.0.2.0/28")
    return vpc, subnets[0], subnets[1]


def refused(code, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code
    assert e.value.response["Error"]["Message"]
    assert e.value.response["ResponseMetadata"]["RequestId"]
    return e.value


def eni_of(lab, instance_id):
    found = lab.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found["NetworkInterfaces"]


def state_of(lab, instance_id):
    return lab.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]["State"]["Name"]


def test_regions_zones_and_attributes(lab):
    """requirement: OPS-1"""
    assert labs.REGION in {r["RegionName"] for r in lab.ec2.describe_regions()["Regions"]}
    zones = {z["ZoneName"]: z["State"] for z in lab.ec2.describe_availability_zones()["AvailabilityZones"]}
    assert zones[f"{labs.REGION}a"] == "available"
    attributes = {a["AttributeName"]: [v["AttributeValue"] for v in a["AttributeValues"]]
                  for a in lab.ec2.describe_account_attributes()["AccountAttributes"]}
    assert attributes["supported-platforms"] == ["VPC"]
    assert [i["ImageId"] for i in lab.ec2.describe_images()["Images"]] == [labs.IMAGE]
    assert lab.ec2.describe_instance_types()["InstanceTypes"]


def test_dry_run_changes_nothing(lab, net):
    """requirement: OPS-1"""
    before = lab.ec2.describe_vpcs()["Vpcs"]
    e = refused("DryRunOperation", lab.ec2.create_vpc, CidrBlock="10.9.0.0/16", DryRun=True)
    assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert lab.ec2.describe_vpcs()["Vpcs"] == before
    refused("DryRunOperation", lab.ec2.run_instances, ImageId=labs.IMAGE, MinCount=1, MaxCount=1, SubnetId=net[1],
            DryRun=True)


def test_client_tokens(lab, net):
    """requirement: OPS-1"""
    one = lab.ec2.create_network_interface(SubnetId=net[1], ClientToken="token-1", Description="x")["NetworkInterface"]
    two = lab.ec2.create_network_interface(SubnetId=net[1], ClientToken="token-1", Description="x")["NetworkInterface"]
    assert one["NetworkInterfaceId"] == two["NetworkInterfaceId"]
    refused("IdempotentParameterMismatch", lab.ec2.create_network_interface, SubnetId=net[1], ClientToken="token-1",
            Description="y")
    lab.ec2.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])


def test_addresses_are_given_once_and_come_back(lab, net):
    """requirement: OPS-1"""
    _, _, small = net
    made = [lab.ec2.create_network_interface(SubnetId=small)["NetworkInterface"] for _ in range(11)]
    assert len({e["PrivateIpAddress"] for e in made}) == 11
    assert {e["PrivateIpAddress"] for e in made} == {f"10.0.2.{n}" for n in range(4, 15)}
    assert lab.ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 0
    refused("InsufficientFreeAddressesInSubnet", lab.ec2.create_network_interface, SubnetId=small)
    taken = made[0]["PrivateIpAddress"]
    refused("InvalidIPAddress.InUse", lab.ec2.create_network_interface, SubnetId=small, PrivateIpAddress=taken)
    lab.ec2.delete_network_interface(NetworkInterfaceId=made[0]["NetworkInterfaceId"])
    again = lab.ec2.create_network_interface(SubnetId=small, PrivateIpAddress=taken)["NetworkInterface"]
    assert again["PrivateIpAddress"] == taken
    for e in made[1:] + [again]:
        lab.ec2.delete_network_interface(NetworkInterfaceId=e["NetworkInterfaceId"])
    for outside in ("10.0.3.1", "10.0.2.0", "10.0.2.1", "10.0.2.3", "10.0.2.15"):
        with pytest.raises(ClientError):
            lab.ec2.create_network_interface(SubnetId=small, PrivateIpAddress=outside)


def test_moving_an_address_needs_permission(lab, net):
    """requirement: OPS-1"""
    a = lab.ec2.create_network_interface(SubnetId=net[1])["NetworkInterface"]["NetworkInterfaceId"]
    b = lab.ec2.create_network_interface(SubnetId=net[1])["NetworkInterface"]["NetworkInterfaceId"]
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=a, PrivateIpAddresses=["10.0.1.200"])
    with pytest.raises(ClientError):
        lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=b, PrivateIpAddresses=["10.0.1.200"])
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=b, PrivateIpAddresses=["10.0.1.200"], AllowReassignment=True)

    def of(eni):
        found = lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
        return {x["PrivateIpAddress"] for x in found["PrivateIpAddresses"]}

    assert "10.0.1.200" in of(b) and "10.0.1.200" not in of(a)
    assert len(of(b)) == 2
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=a, SecondaryPrivateIpAddressCount=3)
    assert len(of(a)) == 4
    for eni in (a, b):
        lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_tags_and_filters(lab, net):
    """requirement: OPS-1"""
    ids = [lab.ec2.create_network_interface(SubnetId=net[1], TagSpecifications=[
        {"ResourceType": "network-interface", "Tags": [{"Key": "Name", "Value": f"web-{n}"},
                                                       {"Key": "tier", "Value": "front" if n % 2 else "back"}]}])
        ["NetworkInterface"]["NetworkInterfaceId"] for n in range(4)]

    def matching(**filters):
        found = lab.ec2.describe_network_interfaces(Filters=[{"Name": k.replace("__", ":").replace("_", "-"),
                                                              "Values": v} for k, v in filters.items()])
        return {e["NetworkInterfaceId"] for e in found["NetworkInterfaces"]}

    assert matching(tag__Name=["web-*"]) == set(ids)
    assert matching(tag__Name=["web-?"], tag__tier=["front"]) == {ids[1], ids[3]}
    assert matching(tag__Name=["web-0", "web-1"]) == set(ids[:2])
    assert matching(tag_key=["tier"], subnet_id=[net[1]]) == set(ids)
    assert matching(tag__Name=["WEB-0"]) == set()
    lab.ec2.delete_tags(Resources=ids[:1], Tags=[{"Key": "tier"}])
    assert matching(tag_key=["tier"]) == set(ids[1:])
    lab.ec2.create_tags(Resources=ids, Tags=[{"Key": "tier", "Value": "all"}])
    assert matching(tag__tier=["all"]) == set(ids)
    described = lab.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": ids[:1]}])["Tags"]
    assert {(t["Key"], t["Value"]) for t in described} == {("Name", "web-0"), ("tier", "all")}
    refused("InvalidParameterValue", lab.ec2.describe_network_interfaces,
            Filters=[{"Name": "no-such", "Values": ["x"]}])
    for eni in ids:
        lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_pages_hold_everything_once(lab, net):
    """requirement: OPS-1"""
    made = [lab.ec2.create_network_interface(SubnetId=net[1])["NetworkInterface"]["NetworkInterfaceId"]
            for _ in range(13)]
    seen, token, pages = [], None, 0
    while True:
        kw = {"NextToken": token} if token else {}
        page = lab.ec2.describe_network_interfaces(
            MaxResults=5, Filters=[{"Name": "subnet-id", "Values": [net[1]]}], **kw)
        pages += 1
        seen += [e["NetworkInterfaceId"] for e in page["NetworkInterfaces"]]
        assert len(page["NetworkInterfaces"]) <= 5
        token = page.get("NextToken")
        if not token:
            break
    assert pages >= 3 and len(seen) == len(set(seen)) and set(made) <= set(seen)
    refused("InvalidNextToken", lab.ec2.describe_network_interfaces,
            MaxResults=5, NextToken="forged")
    for eni in made:
        lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_an_instances_life(lab, net):
    """requirement: OPS-1 MAP-1"""
    node = lab.start(net[1], "10.0.1.40", TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "life"}]}])
    eni = eni_of(lab, node.id)[0]["NetworkInterfaceId"]
    found = lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    assert found["Status"] == "in-use" and found["Attachment"]["InstanceId"] == node.id
    assert found["Attachment"]["DeleteOnTermination"] is True
    labs.wait_for("its host to have it as it is",
                  lambda: next(i for i in lab.api("interfaces") if i["id"] == eni)["applied"])
    refused("InvalidNetworkInterface.InUse", lab.ec2.delete_network_interface,
            NetworkInterfaceId=eni)
    lab.ec2.stop_instances(InstanceIds=[node.id])
    labs.wait_for("it to stop", lambda: state_of(lab, node.id) == "stopped")
    assert not labs.run("ip", "netns", "pids", node.netns, check=False).stdout.strip()
    lab.ec2.start_instances(InstanceIds=[node.id])
    node = lab.ready(node.id)
    assert node.address == "10.0.1.40"
    lab.ec2.terminate_instances(InstanceIds=[node.id])
    labs.wait_for("it to end", lambda: state_of(lab, node.id) == "terminated")
    refused("InvalidNetworkInterfaceID.NotFound", lab.ec2.describe_network_interfaces, NetworkInterfaceIds=[eni])
    labs.wait_for("the namespace to go", lambda: node.netns not in labs.run("ip", "netns").stdout)
    refused("IncorrectInstanceState", lab.ec2.start_instances, InstanceIds=[node.id])


def test_attach_and_detach_on_a_stopped_instance(lab, net):
    """requirement: OPS-1"""
    node = lab.start(net[1])
    eni = lab.ec2.create_network_interface(SubnetId=net[1])["NetworkInterface"]["NetworkInterfaceId"]
    lab.ec2.stop_instances(InstanceIds=[node.id])
    labs.wait_for("it to stop", lambda: state_of(lab, node.id) == "stopped")
    attachment = lab.ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=node.id,
                                                  DeviceIndex=1)["AttachmentId"]
    lab.ec2.start_instances(InstanceIds=[node.id])
    node = lab.ready(node.id)
    assert len(node.interfaces) == 2
    second = next(i["PrivateIpAddress"] for i in node.interfaces if i["NetworkInterfaceId"] == eni)
    labs.wait_for("the second interface", lambda: second in labs.run("ip", "-n", node.netns, "-4", "addr").stdout)
    lab.ec2.stop_instances(InstanceIds=[node.id])
    labs.wait_for("it to stop", lambda: state_of(lab, node.id) == "stopped")
    lab.ec2.detach_network_interface(AttachmentId=attachment)
    labs.wait_for("it to be free", lambda: lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])
                  ["NetworkInterfaces"][0]["Status"] == "available")
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)
    lab.ec2.terminate_instances(InstanceIds=[node.id])


@pytest.mark.parametrize("call, kw, code", [
    ("describe_vpcs", {"VpcIds": ["vpc-00000000000000000"]}, "InvalidVpcID.NotFound"),
    ("describe_subnets", {"SubnetIds": ["subnet-00000000000000000"]}, "InvalidSubnetID.NotFound"),
    ("describe_instances", {"InstanceIds": ["i-00000000000000000"]}, "InvalidInstanceID.NotFound"),
    ("delete_subnet", {"SubnetId": "subnet-00000000000000000"}, "InvalidSubnetID.NotFound"),
    ("create_subnet", {"VpcId": "vpc-00000000000000000", "CidrBlock": "10.0.0.0/24"}, "InvalidVpcID.NotFound"),
    ("terminate_instances", {"InstanceIds": ["i-00000000000000000"]}, "InvalidInstanceID.NotFound"),
    ("create_vpc", {"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range"),
])
def test_what_is_not_there_is_refused(lab, call, kw, code):
    """requirement: OPS-1"""
    refused(code, getattr(lab.ec2, call), **kw)


def test_ranges_of_subnets(lab, net):
    """requirement: OPS-1"""
    vpc = net[0]
    refused("InvalidSubnet.Conflict", lab.ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.128/25")
    refused("InvalidSubnet.Range", lab.ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24")
    refused("DependencyViolation", lab.ec2.delete_vpc, VpcId=vpc)


def test_unknown_actions_and_groups_are_refused(lab, net):
    """requirement: OPS-1"""
    with pytest.raises(ClientError) as e:
        lab.ec2.describe_spot_instance_requests()
    assert e.value.response["Error"]["Code"] in ("InvalidAction", "UnsupportedOperation")
    refused("InvalidGroup.NotFound", lab.ec2.create_network_interface, SubnetId=net[1], Groups=["sg-00000000000000000"])
