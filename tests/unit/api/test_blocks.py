# SPDX-License-Identifier: Apache-2.0
"""Further IPv4 blocks of VPCs as boto3 sees them.

requirement: TOPO-1
"""
import pytest

from test_clients import code


def blocks(ec2, vpc):
    return {b["CidrBlock"]: b["AssociationId"]
            for b in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]}


def test_life(ec2, vpc):
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
    assert made["VpcId"] == vpc and made["CidrBlockAssociation"]["CidrBlockState"]["State"] == "associating"
    association = made["CidrBlockAssociation"]["AssociationId"]
    assert blocks(ec2, vpc)["10.1.0.0/16"] == association
    table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert {r["DestinationCidrBlock"]: r["GatewayId"] for r in table["Routes"]} == {
        "10.0.0.0/16": "local", "10.1.0.0/16": "local"}
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.3.0/24")["Subnet"]["SubnetId"]
    assert code(ec2.disassociate_vpc_cidr_block, AssociationId=association) == "InvalidCidrBlock.InUse"
    ec2.delete_subnet(SubnetId=subnet)
    gone = ec2.disassociate_vpc_cidr_block(AssociationId=association)
    assert gone["CidrBlockAssociation"]["CidrBlockState"]["State"] == "disassociating"
    assert list(blocks(ec2, vpc)) == ["10.0.0.0/16"]
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.3.0/24") == "InvalidSubnet.Range"


@pytest.mark.parametrize("cidr, expected", [
    ("10.0.128.0/17", "InvalidVpc.Range"), ("10.0.0.0/15", "InvalidVpc.Range"), ("10.1.0.0/29", "InvalidVpc.Range"),
    ("10.1.0.0", "InvalidParameterValue"), ("nonsense", "InvalidParameterValue")])
def test_a_block_that_does_not_fit_is_refused(ec2, vpc, cidr, expected):
    assert code(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock=cidr) == expected
    assert list(blocks(ec2, vpc)) == ["10.0.0.0/16"]


def test_limits(ec2, vpc):
    for n in range(1, 5):
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=f"10.{n}.0.0/16")
    assert code(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.9.0.0/16") == "CidrLimitExceeded"
    primary = blocks(ec2, vpc)["10.0.0.0/16"]
    assert code(ec2.disassociate_vpc_cidr_block, AssociationId=primary) == "OperationNotPermitted"
    assert code(ec2.disassociate_vpc_cidr_block,
                AssociationId="vpc-cidr-assoc-00000000000000001") == "InvalidVpcCidrBlockAssociationID.NotFound"


def test_a_route_is_in_the_way(ec2, vpc):
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="10.1.1.0/24", GatewayId=igw)
    assert code(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.1.0.0/16") == "InvalidVpc.Range"
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="10.1.1.0/24")
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.1.0.0/16")
    ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=igw)
