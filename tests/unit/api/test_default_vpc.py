# SPDX-License-Identifier: Apache-2.0
"""Default VPCs as boto3 sees them.

requirement: TOPO-1
requirement: OPS-1
"""
import pytest

from test_clients import code, names


@pytest.fixture
def default(ec2):
    v = ec2.create_default_vpc()["Vpc"]
    yield v
    for s in ec2.describe_subnets(Filters=names(vpc_id=[v["VpcId"]]))["Subnets"]:
        ec2.delete_subnet(SubnetId=s["SubnetId"])
    for g in ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [v["VpcId"]]}])[
            "InternetGateways"]:
        table, = ec2.describe_route_tables(Filters=names(vpc_id=[v["VpcId"]]))["RouteTables"]
        ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
        ec2.detach_internet_gateway(InternetGatewayId=g["InternetGatewayId"], VpcId=v["VpcId"])
        ec2.delete_internet_gateway(InternetGatewayId=g["InternetGatewayId"])
    ec2.delete_vpc(VpcId=v["VpcId"])


def attribute(ec2):
    return ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"][0][
        "AttributeValues"][0]["AttributeValue"]


def test_what_it_has(ec2, default):
    assert default["IsDefault"] and default["CidrBlock"] == "172.31.0.0/16"
    assert attribute(ec2) == default["VpcId"]
    assert code(ec2.create_default_vpc) == "DefaultVpcAlreadyExists"
    found = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    assert sorted((s["AvailabilityZone"][-1], s["CidrBlock"]) for s in found) == [
        ("a", "172.31.0.0/20"), ("b", "172.31.16.0/20"), ("c", "172.31.32.0/20")]
    assert all(s["MapPublicIpOnLaunch"] and s["DefaultForAz"] for s in found)
    assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=names(is_default=["true"]))["Vpcs"]] == [default["VpcId"]]
    table, = ec2.describe_route_tables(Filters=names(vpc_id=[default["VpcId"]]))["RouteTables"]
    assert any(r["DestinationCidrBlock"] == "0.0.0.0/0" and r["GatewayId"].startswith("igw-") and
               r["State"] == "active" for r in table["Routes"])


def test_without_one(ec2):
    assert attribute(ec2) == "none"
    assert code(ec2.create_default_subnet, AvailabilityZone="us-east-1a") == "DefaultVpcDoesNotExist"
    assert code(ec2.run_instances, MinCount=1, MaxCount=1) == "VPCIdNotSpecified"


def test_a_subnet_of_it_made_again(ec2, default):
    assert code(ec2.create_default_subnet,
                AvailabilityZone="us-east-1b") == "DefaultSubnetAlreadyExistsInAvailabilityZone"
    assert code(ec2.create_default_subnet, AvailabilityZone="mars-1a") == "InvalidParameterValue"
    old, = ec2.describe_subnets(Filters=names(availability_zone=["us-east-1b"], vpc_id=[default["VpcId"]]))["Subnets"]
    ec2.delete_subnet(SubnetId=old["SubnetId"])
    made = ec2.create_default_subnet(AvailabilityZone="us-east-1b")["Subnet"]
    assert made["DefaultForAz"] and made["CidrBlock"] == old["CidrBlock"]


def test_instances_that_name_no_subnet_go_there(ec2, default):
    made = ec2.run_instances(ImageId="ami-netns", MinCount=1, MaxCount=1)["Instances"][0]
    assert made["VpcId"] == default["VpcId"] and made["PrivateIpAddress"].startswith("172.31.")
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
