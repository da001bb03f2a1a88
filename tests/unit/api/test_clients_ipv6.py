# SPDX-License-Identifier: Apache-2.0
"""IPv6 in the EC2 API as boto3 sees it.

requirement: OPS-1
"""
import ipaddress

from test_clients import code, names, refused

POOL = "ipv6pool-ec2-00000000000000001"


def network(text):
    return ipaddress.IPv6Network(text)


def block_of(vpc, n):
    """The n-th /64 of a VPC's IPv6 block."""
    base = network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    return str(list(base.subnets(new_prefix=64))[n])


def make_vpc(ec2, cidr="10.6.0.0/16"):
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    return ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]


def test_block_of_a_vpc(ec2, other):
    vpc = make_vpc(ec2)
    block, = vpc["Ipv6CidrBlockAssociationSet"]
    assert network(block["Ipv6CidrBlock"]).prefixlen == 56
    assert network(block["Ipv6CidrBlock"]).subnet_of(network("fd56:6976:3600::/40"))
    assert block["Ipv6CidrBlockState"] == {"State": "associated"} and block["Ipv6Pool"] == "Amazon"
    assert block["NetworkBorderGroup"] == "us-east-1"
    assert len(block["AssociationId"]) == len("vpc-cidr-assoc-") + 17
    for filters in (
            names(**{"ipv6-cidr-block-association.association-id": [block["AssociationId"]]}),
            names(**{"ipv6-cidr-block-association.ipv6-cidr-block": [block["Ipv6CidrBlock"]]}),
            names(**{"ipv6-cidr-block-association.ipv6-pool": ["Amazon"], "vpc-id": [vpc["VpcId"]]}),
            names(**{"ipv6-cidr-block-association.state": ["associated"], "vpc-id": [vpc["VpcId"]]})):
        assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=filters)["Vpcs"]] == [vpc["VpcId"]]
    assert refused(ec2.associate_vpc_cidr_block, VpcId=vpc["VpcId"],
                   AmazonProvidedIpv6CidrBlock=True)[:2] == (
        "CidrLimitExceeded",
        "This network '%s' has met its maximum number of allowed CIDRs: 1" % vpc["VpcId"])
    assert code(other.disassociate_vpc_cidr_block, AssociationId=block["AssociationId"]) == \
        "InvalidVpcCidrBlockAssociationID.NotFound"
    gone = ec2.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])
    assert gone["VpcId"] == vpc["VpcId"]
    assert gone["Ipv6CidrBlockAssociation"] == dict(
        block, Ipv6CidrBlockState={"State": "disassociating"})
    assert ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"] == []
    assert code(ec2.disassociate_vpc_cidr_block, AssociationId=block["AssociationId"]) == \
        "InvalidVpcCidrBlockAssociationID.NotFound"
    again = ec2.associate_vpc_cidr_block(VpcId=vpc["VpcId"], AmazonProvidedIpv6CidrBlock=True)
    assert again["VpcId"] == vpc["VpcId"]
    assert again["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"] == {"State": "associating"}
    ec2.delete_vpc(VpcId=vpc["VpcId"])


def test_pool(ec2, other):
    pool, = ec2.describe_ipv6_pools()["Ipv6Pools"]
    assert pool["PoolId"] == POOL and pool["PoolCidrBlocks"] == [{"Cidr": "fd56:6976:3600::/40"}]
    assert ec2.describe_ipv6_pools(PoolIds=[POOL])["Ipv6Pools"] == [pool]
    assert code(ec2.describe_ipv6_pools, PoolIds=["ipv6pool-ec2-x"]) == "InvalidIpv6PoolID.NotFound"
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", Ipv6Pool=POOL,
                         Ipv6CidrBlock="fd56:6976:36ab:cd00::/56")["Vpc"]
    block, = vpc["Ipv6CidrBlockAssociationSet"]
    assert block["Ipv6CidrBlock"] == "fd56:6976:36ab:cd00::/56" and block["Ipv6Pool"] == POOL
    found = ec2.get_associated_ipv6_pool_cidrs(PoolId=POOL)["Ipv6CidrAssociations"]
    assert found == [{"Ipv6Cidr": "fd56:6976:36ab:cd00::/56", "AssociatedResource": vpc["VpcId"]}]
    assert other.get_associated_ipv6_pool_cidrs(PoolId=POOL)["Ipv6CidrAssociations"] == []
    assert code(other.create_vpc, CidrBlock="10.7.0.0/16", Ipv6Pool=POOL,
                Ipv6CidrBlock="fd56:6976:36ab:cd00::/56") == "InvalidCidr.InUse"
    for cidr in ("fd56:6976:36ab:cd00::/60", "fd56:6976:3700::/56", "10.0.0.0/8", "x"):
        assert code(ec2.create_vpc, CidrBlock="10.7.0.0/16", Ipv6Pool=POOL,
                    Ipv6CidrBlock=cidr) == "InvalidParameterValue"
    assert code(ec2.create_vpc, CidrBlock="10.7.0.0/16",
                Ipv6CidrBlock="fd56:6976:36ab:ce00::/56") == "MissingParameter"
    assert code(ec2.create_vpc, CidrBlock="10.7.0.0/16", AmazonProvidedIpv6CidrBlock=True,
                Ipv6Pool=POOL) == "InvalidParameterCombination"
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    assert ec2.get_associated_ipv6_pool_cidrs(PoolId=POOL)["Ipv6CidrAssociations"] == []


def test_block_of_a_subnet(ec2, other):
    vpc = make_vpc(ec2)
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.6.0.0/24",
                               Ipv6CidrBlock=block_of(vpc, 1))["Subnet"]
    block, = subnet["Ipv6CidrBlockAssociationSet"]
    assert block["Ipv6CidrBlock"] == block_of(vpc, 1)
    assert block["Ipv6CidrBlockState"] == {"State": "associated"}
    assert subnet["AssignIpv6AddressOnCreation"] is False and subnet["Ipv6Native"] is False
    assert len(block["AssociationId"]) == len("subnet-cidr-assoc-") + 17
    for filters in (
            names(**{"ipv6-cidr-block-association.association-id": [block["AssociationId"]]}),
            names(**{"ipv6-cidr-block-association.ipv6-cidr-block": [block["Ipv6CidrBlock"]]}),
            names(**{"ipv6-cidr-block-association.state": ["associated"], "vpc-id": [vpc["VpcId"]]})):
        assert [s["SubnetId"] for s in ec2.describe_subnets(Filters=filters)["Subnets"]] == [
            subnet["SubnetId"]]
    plain = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.6.1.0/24")["Subnet"]
    assert plain["Ipv6CidrBlockAssociationSet"] == []
    assert refused(ec2.associate_subnet_cidr_block, SubnetId=plain["SubnetId"],
                   Ipv6CidrBlock=block_of(vpc, 1))[:2] == (
        "InvalidSubnet.Conflict",
        "The IPv6 CIDR '%s' conflicts with another subnet" % block_of(vpc, 1))
    assert code(ec2.associate_subnet_cidr_block, SubnetId=plain["SubnetId"],
                Ipv6CidrBlock="fd00::/64") == "InvalidSubnet.Range"
    assert code(ec2.associate_subnet_cidr_block, SubnetId=plain["SubnetId"],
                Ipv6CidrBlock="fd00::") == "InvalidParameterValue"
    assert code(other.associate_subnet_cidr_block, SubnetId=plain["SubnetId"],
                Ipv6CidrBlock=block_of(vpc, 2)) == "InvalidSubnetID.NotFound"
    made = ec2.associate_subnet_cidr_block(SubnetId=plain["SubnetId"],
                                           Ipv6CidrBlock=block_of(vpc, 2))
    assert made["SubnetId"] == plain["SubnetId"]
    association = made["Ipv6CidrBlockAssociation"]
    assert association["Ipv6CidrBlock"] == block_of(vpc, 2)
    assert code(ec2.associate_subnet_cidr_block, SubnetId=plain["SubnetId"],
                Ipv6CidrBlock=block_of(vpc, 3)) == "CidrLimitExceeded"
    vpc_block = vpc["Ipv6CidrBlockAssociationSet"][0]
    assert refused(ec2.disassociate_vpc_cidr_block, AssociationId=vpc_block["AssociationId"])[:2] == (
        "InvalidCidrBlock.InUse", "The vpc %s currently has a subnet within CIDR block %s" % (
            vpc["VpcId"], vpc_block["Ipv6CidrBlock"]))
    ec2.modify_subnet_attribute(SubnetId=plain["SubnetId"], AssignIpv6AddressOnCreation={"Value": True})
    assert ec2.describe_subnets(SubnetIds=[plain["SubnetId"]])["Subnets"][0][
        "AssignIpv6AddressOnCreation"] is True
    assert refused(ec2.disassociate_subnet_cidr_block,
                   AssociationId=association["AssociationId"])[:2] == (
        "InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be "
        "disassociated, because its subnet has assign-ipv6-address-on-creation set to true."
        % association["AssociationId"])
    ec2.modify_subnet_attribute(SubnetId=plain["SubnetId"], AssignIpv6AddressOnCreation={"Value": False})
    gone = ec2.disassociate_subnet_cidr_block(AssociationId=association["AssociationId"])
    assert gone["Ipv6CidrBlockAssociation"]["Ipv6CidrBlockState"] == {"State": "disassociating"}
    assert gone["SubnetId"] == plain["SubnetId"]
    assert code(ec2.disassociate_subnet_cidr_block, AssociationId="x") == \
        "InvalidSubnetCidrBlockAssociationId.Malformed"
    assert code(ec2.disassociate_subnet_cidr_block, AssociationId=association["AssociationId"]) == \
        "InvalidSubnetCidrBlockAssociationID.NotFound"
    assert code(ec2.create_subnet, VpcId=vpc["VpcId"], CidrBlock="10.6.2.0/24",
                Ipv6Native=True) == "UnsupportedOperation"


def test_addresses_of_an_interface(ec2):
    vpc = make_vpc(ec2)
    base = network(block_of(vpc, 0))
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.6.0.0/24",
                               Ipv6CidrBlock=str(base))["Subnet"]["SubnetId"]
    first = str(base[0x10])
    i = ec2.create_network_interface(SubnetId=subnet, Ipv6Addresses=[{"Ipv6Address": first}])[
        "NetworkInterface"]
    assert i["Ipv6Addresses"] == [{"Ipv6Address": first}]
    assert [a["PrivateIpAddress"] for a in i["PrivateIpAddresses"]] == [i["PrivateIpAddress"]]
    nic = i["NetworkInterfaceId"]
    got = ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=2)
    assert got["NetworkInterfaceId"] == nic and len(got["AssignedIpv6Addresses"]) == 2
    assert all(ipaddress.IPv6Address(a) in base for a in got["AssignedIpv6Addresses"])
    named = str(base[0x20])
    assert ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6Addresses=[named])[
        "AssignedIpv6Addresses"] == [named]

    def addresses():
        shown, = ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
        return [a["Ipv6Address"] for a in shown["Ipv6Addresses"]]

    assert addresses() == [first] + got["AssignedIpv6Addresses"] + [named]
    found = ec2.describe_network_interfaces(Filters=names(**{"ipv6-addresses.ipv6-address": [named]}))
    assert [n["NetworkInterfaceId"] for n in found["NetworkInterfaces"]] == [nic]
    # an IPv4 address that comes later does not mix with them
    four = ec2.assign_private_ip_addresses(NetworkInterfaceId=nic, SecondaryPrivateIpAddressCount=1)
    assert ipaddress.ip_address(four["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]).version == 4
    gone = ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6Addresses=[first, named])
    assert gone["NetworkInterfaceId"] == nic and gone["UnassignedIpv6Addresses"] == [first, named]
    assert addresses() == got["AssignedIpv6Addresses"]
    for call, arguments, expected in (
            (ec2.assign_ipv6_addresses, {}, "MissingParameter"),
            (ec2.assign_ipv6_addresses, {"Ipv6Addresses": [str(base[3])]}, "InvalidParameterValue"),
            (ec2.assign_ipv6_addresses, {"Ipv6Addresses": ["fd00::1"]}, "InvalidParameterValue"),
            (ec2.assign_ipv6_addresses, {"Ipv6Addresses": ["10.6.0.9"]}, "InvalidParameterValue"),
            (ec2.assign_ipv6_addresses, {"Ipv6Addresses": [named], "Ipv6AddressCount": 1},
             "InvalidParameterCombination"),
            (ec2.assign_ipv6_addresses, {"Ipv6Addresses": got["AssignedIpv6Addresses"][:1]},
             "InvalidIPAddress.InUse"),
            (ec2.assign_ipv6_addresses, {"Ipv6AddressCount": 60}, "Ipv6AddressLimitExceeded"),
            (ec2.unassign_ipv6_addresses, {"Ipv6Addresses": [named]}, "InvalidParameterValue")):
        assert code(call, NetworkInterfaceId=nic, **arguments) == expected, arguments
    assert code(ec2.disassociate_subnet_cidr_block, AssociationId=ec2.describe_subnets(
        SubnetIds=[subnet])["Subnets"][0]["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]) == \
        "InvalidCidrBlock.InUse"


def test_addresses_on_creation(ec2):
    vpc = make_vpc(ec2)
    base = network(block_of(vpc, 9))
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.6.0.0/24",
                               Ipv6CidrBlock=str(base))["Subnet"]["SubnetId"]

    def count(**arguments):
        return len(ec2.create_network_interface(SubnetId=subnet, **arguments)[
            "NetworkInterface"]["Ipv6Addresses"])

    assert count() == 0 and count(Ipv6AddressCount=3) == 3
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    assert count() == 1 and count(Ipv6AddressCount=0) == 0
    run = {"MinCount": 1, "MaxCount": 1, "ImageId": "ami-netns"}
    for arguments, expected in (
            ({"SubnetId": subnet}, 1), ({"SubnetId": subnet, "Ipv6AddressCount": 2}, 2),
            ({"SubnetId": subnet, "Ipv6Addresses": [{"Ipv6Address": str(base[0x77])}]}, 1),
            ({"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Ipv6AddressCount": 2}]}, 2),
            ({"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Ipv6Addresses": [
                {"Ipv6Address": str(base[0x78])}]}]}, 1)):
        i, = ec2.run_instances(**run, **arguments)["Instances"]
        nic, = i["NetworkInterfaces"]
        assert len(nic["Ipv6Addresses"]) == expected, arguments
        assert i["Ipv6Address"] == nic["Ipv6Addresses"][0]["Ipv6Address"]
    found = ec2.describe_instances(Filters=names(
        **{"network-interface.ipv6-addresses.ipv6-address": [str(base[0x78])]}))["Reservations"]
    assert found[0]["Instances"][0]["InstanceId"] == i["InstanceId"]
    assert code(ec2.run_instances, **run, SubnetId=subnet, Ipv6AddressCount=1,
                Ipv6Addresses=[{"Ipv6Address": str(base[0x79])}]) == "InvalidParameterCombination"
    assert code(ec2.run_instances, **dict(run, MaxCount=2), SubnetId=subnet,
                Ipv6Addresses=[{"Ipv6Address": str(base[0x79])}]) == "InvalidParameterCombination"
    # the type's limit is one for each family: m1.small has 4
    assert code(ec2.run_instances, **run, SubnetId=subnet, InstanceType="m1.small",
                Ipv6AddressCount=5) == "Ipv6AddressLimitExceeded"


def test_without_a_block(ec2, subnet):
    assert code(ec2.create_network_interface, SubnetId=subnet, Ipv6AddressCount=1) == \
        "InvalidParameterValue"
    # asked for in advance: it has an effect when the subnet gets its block
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    assert ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["Ipv6Addresses"] == []
