# SPDX-License-Identifier: Apache-2.0
"""Ways out of a VPC as boto3 sees them: route tables, gateways.

requirement: TOPO-1
"""
import urllib.error

import pytest

from conftest import operator, raw
from test_clients import code, names, refused


@pytest.fixture
def gateway(ec2, vpc):
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    yield igw
    for a in ec2.describe_internet_gateways(InternetGatewayIds=[igw])["InternetGateways"][0]["Attachments"]:
        ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=a["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=igw)


def main_table(ec2, vpc):
    t, = ec2.describe_route_tables(Filters=names(vpc_id=[vpc]) + [
        {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
    return t


def test_main_route_table(ec2, vpc):
    t = main_table(ec2, vpc)
    assert t["VpcId"] == vpc and t["OwnerId"] == "111111111111" and t["PropagatingVgws"] == []
    assert t["Routes"] == [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local",
                            "Origin": "CreateRouteTable", "State": "active"}]
    a, = t["Associations"]
    assert a["Main"] and a["RouteTableId"] == t["RouteTableId"] and "SubnetId" not in a
    assert a["AssociationState"] == {"State": "associated"}
    assert refused(ec2.delete_route_table, RouteTableId=t["RouteTableId"])[:2] == (
        "DependencyViolation",
        "The routeTable '%s' has dependencies and cannot be deleted. It is its VPC's main one, or subnets or a gateway "
        "are associated with it." % t["RouteTableId"])
    assert code(ec2.disassociate_route_table,
                AssociationId=a["RouteTableAssociationId"]) == "InvalidParameterValue"


def test_route_table_life(ec2, other, vpc, subnet, gateway):
    t = ec2.create_route_table(VpcId=vpc, TagSpecifications=[
        {"ResourceType": "route-table", "Tags": [{"Key": "Name", "Value": "public"}]}])["RouteTable"]
    rtb = t["RouteTableId"]
    assert t["Associations"] == [] and t["Tags"] == [{"Key": "Name", "Value": "public"}]
    assert ec2.describe_route_tables(RouteTableIds=[rtb])["RouteTables"] == [t]
    route = {"RouteTableId": rtb, "DestinationCidrBlock": "0.0.0.0/0"}
    assert ec2.create_route(GatewayId=gateway, **route)["Return"] is True
    assert refused(ec2.create_route, GatewayId=gateway, **route)[:2] == (
        "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists.")
    assert refused(ec2.replace_route, RouteTableId=rtb, DestinationCidrBlock="192.168.0.0/16",
                   GatewayId=gateway)[:2] == (
        "InvalidParameterValue",
        "There is no route defined for '192.168.0.0/16' in the route table. Use CreateRoute instead.")
    a = ec2.associate_route_table(RouteTableId=rtb, SubnetId=subnet)
    assert a["AssociationState"]["State"] == "associated"
    t, = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
        "RouteTables"]
    assert t["RouteTableId"] == rtb
    assert t["Routes"][1] == {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway,
                              "Origin": "CreateRoute", "State": "active"}
    b, = t["Associations"]
    assert b["RouteTableAssociationId"] == a["AssociationId"] and b["SubnetId"] == subnet
    assert b["Main"] is False
    assert code(ec2.associate_route_table, RouteTableId=main_table(ec2, vpc)["RouteTableId"],
                SubnetId=subnet) == "Resource.AlreadyAssociated"
    for name, value in (("route.gateway-id", gateway), ("route.destination-cidr-block", "0.0.0.0/0"),
                        ("route.state", "active"), ("route.origin", "CreateRoute"),
                        ("association.route-table-association-id", a["AssociationId"]),
                        ("association.route-table-id", rtb), ("tag:Name", "public"),
                        ("route-table-id", rtb)):
        found = ec2.describe_route_tables(Filters=[
            {"Name": "vpc-id", "Values": [vpc]}, {"Name": name, "Values": [value]}])["RouteTables"]
        assert rtb in [f["RouteTableId"] for f in found], name
    assert ec2.describe_route_tables(Filters=[{"Name": "route.nat-gateway-id", "Values": ["*"]}])[
        "RouteTables"] == []
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    t, = ec2.describe_route_tables(RouteTableIds=[rtb])["RouteTables"]
    assert t["Routes"][1]["State"] == "blackhole"
    assert code(other.describe_route_tables, RouteTableIds=[rtb]) == "InvalidRouteTableID.NotFound"
    assert code(other.delete_route, **route) == "InvalidRouteTableID.NotFound"
    assert code(ec2.delete_route_table, RouteTableId=rtb) == "DependencyViolation"
    n = ec2.replace_route_table_association(AssociationId=a["AssociationId"],
                                            RouteTableId=main_table(ec2, vpc)["RouteTableId"])
    assert n["NewAssociationId"] != a["AssociationId"]
    assert code(ec2.replace_route_table_association, AssociationId=a["AssociationId"],
                RouteTableId=rtb) == "InvalidAssociationID.NotFound"
    ec2.disassociate_route_table(AssociationId=n["NewAssociationId"])
    ec2.delete_route(**route)
    assert code(ec2.delete_route, **route) == "InvalidRoute.NotFound"
    ec2.delete_route_table(RouteTableId=rtb)
    assert refused(ec2.delete_route_table, RouteTableId=rtb)[:2] == (
        "InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist" % rtb)


def test_another_main_table(ec2, vpc):
    rtb = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    before = main_table(ec2, vpc)
    n = ec2.replace_route_table_association(
        AssociationId=before["Associations"][0]["RouteTableAssociationId"], RouteTableId=rtb)
    after = main_table(ec2, vpc)
    assert after["RouteTableId"] == rtb
    assert after["Associations"][0]["RouteTableAssociationId"] == n["NewAssociationId"]
    ec2.delete_route_table(RouteTableId=before["RouteTableId"])


def test_routes_refused(ec2, vpc, gateway):
    rtb = main_table(ec2, vpc)["RouteTableId"]
    for arguments, expected in (
            ({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": gateway}, "InvalidParameterValue"),
            ({"DestinationCidrBlock": "x", "GatewayId": gateway}, "InvalidParameterValue"),
            ({"GatewayId": gateway}, "MissingParameter"),
            ({"DestinationCidrBlock": "0.0.0.0/0"}, "InvalidParameterCombination"),
            ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-00000000000000001"},
             "InvalidGatewayID.NotFound"),
            ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vpce-00000000000000001"},
             "RouteNotSupported"),
            ({"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"},
             "UnsupportedOperation"),
            ({"DestinationCidrBlock": "0.0.0.0/0", "NetworkInterfaceId": "eni-00000000000000001"},
             "InvalidNetworkInterfaceID.NotFound")):
        assert code(ec2.create_route, RouteTableId=rtb, **arguments) == expected, arguments
    assert code(ec2.create_route, RouteTableId=rtb, DestinationCidrBlock="0.0.0.0/0",
                GatewayId=gateway, DryRun=True) == "DryRunOperation"
    assert len(main_table(ec2, vpc)["Routes"]) == 1
    assert code(ec2.enable_vgw_route_propagation, RouteTableId=rtb,
                GatewayId="vgw-1") == "InvalidVpnGatewayID.NotFound"
    assert code(ec2.disable_vgw_route_propagation, RouteTableId="rtb-00000000000000001",
                GatewayId="vgw-1") == "InvalidRouteTableID.NotFound"


def test_routes_inside_the_network(ec2, vpc, subnet, gateway):
    """requirement: TOPO-1"""
    rtb = main_table(ec2, vpc)["RouteTableId"]
    i = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    eni = i["NetworkInterfaces"][0]["NetworkInterfaceId"]
    cidr = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"]
    for call, arguments, expected in (
            (ec2.create_route, {"DestinationCidrBlock": "10.0.200.0/30", "NetworkInterfaceId": eni},
             ("InvalidParameterValue",
              "Destination CIDR block 10.0.200.0/30 is more specific than one of this VPC's CIDR blocks, but no subnet's. "
              "Name the whole CIDR block of a subnet; ReplaceRoute leads the whole VPC's elsewhere.")),
            (ec2.create_route, {"DestinationCidrBlock": cidr, "GatewayId": gateway},
             ("InvalidParameterValue",
              f"Destination CIDR block {cidr} is equal to or more specific than one of this VPC's CIDR blocks. "
              "Such a route can target only a network interface or an instance.")),
            (ec2.create_route, {"DestinationCidrBlock": "10.0.0.0/16", "NetworkInterfaceId": eni},
             ("RouteAlreadyExists", "The route identified by 10.0.0.0/16 already exists.")),
            (ec2.replace_route, {"DestinationCidrBlock": cidr, "LocalTarget": True},
             ("InvalidParameterValue",
              f"There is no local route {cidr} in route table {rtb}: LocalTarget is for the CIDR blocks of the VPC. "
              "DeleteRoute removes other routes.")),
            (ec2.delete_route, {"DestinationCidrBlock": "10.0.0.0/16"},
             ("InvalidParameterValue", f"cannot remove local route 10.0.0.0/16 in route table {rtb}. "
              "ReplaceRoute with LocalTarget gives it its own target again."))):
        assert refused(call, RouteTableId=rtb, **arguments)[:2] == expected
    local, = main_table(ec2, vpc)["Routes"]
    inside = {"InstanceId": i["InstanceId"], "InstanceOwnerId": "111111111111", "NetworkInterfaceId": eni,
              "State": "active"}
    ec2.create_route(RouteTableId=rtb, DestinationCidrBlock=cidr, InstanceId=i["InstanceId"])
    specific = {"DestinationCidrBlock": cidr, "Origin": "CreateRoute", **inside}
    assert main_table(ec2, vpc)["Routes"] == [local, specific]
    ec2.replace_route(RouteTableId=rtb, DestinationCidrBlock="10.0.0.0/16", NetworkInterfaceId=eni)
    assert main_table(ec2, vpc)["Routes"] == [
        {"DestinationCidrBlock": "10.0.0.0/16", "Origin": "CreateRouteTable", **inside}, specific]
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    for name, value, n in (("route.gateway-id", "local", 0), ("route.destination-cidr-block", "10.0.0.0/16", 1),
                           ("route.instance-id", i["InstanceId"], 1), ("route.origin", "CreateRouteTable", 1)):
        found = ec2.describe_route_tables(Filters=here + [{"Name": name, "Values": [value]}])["RouteTables"]
        assert len(found) == n, name
    ec2.delete_route(RouteTableId=rtb, DestinationCidrBlock=cidr)
    origin = here + [{"Name": "route.origin", "Values": ["CreateRoute"]}]
    assert not ec2.describe_route_tables(Filters=origin)["RouteTables"]
    ec2.replace_route(RouteTableId=rtb, DestinationCidrBlock="10.0.0.0/16", LocalTarget=True)
    assert main_table(ec2, vpc)["Routes"] == [local]
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])


def test_route_table_of_a_gateway(ec2, other, vpc, subnet, gateway):
    """requirement: TOPO-1"""
    main = main_table(ec2, vpc)
    rtb = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    cidr = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"]
    associate = ec2.associate_route_table
    for call, arguments, expected in (
            (associate, {"RouteTableId": main["RouteTableId"], "GatewayId": gateway},
             ("InvalidParameterValue", f"Route table {main['RouteTableId']} cannot be associated with {gateway}. "
              "It is the main route table of its VPC.")),
            (associate, {"RouteTableId": rtb, "GatewayId": "vgw-00000000000000001"},
             ("InvalidVpnGatewayID.NotFound", "The vpnGateway ID 'vgw-00000000000000001' does not exist")),
            (associate, {"RouteTableId": rtb, "GatewayId": "igw-00000000000000001"},
             ("InvalidGatewayID.NotFound", "The gateway ID 'igw-00000000000000001' does not exist")),
            (associate, {"RouteTableId": rtb, "GatewayId": gateway, "SubnetId": subnet},
             ("InvalidParameterCombination", "The request must contain exactly one of subnetId and gatewayId."))):
        assert refused(call, **arguments)[:2] == expected
    assert code(associate, RouteTableId=rtb) == "MissingParameter"
    assert code(other.associate_route_table, RouteTableId=rtb, GatewayId=gateway) == "InvalidRouteTableID.NotFound"
    a = associate(RouteTableId=rtb, GatewayId=gateway)
    assert a["AssociationState"] == {"State": "associated"}
    t, = ec2.describe_route_tables(RouteTableIds=[rtb])["RouteTables"]
    assert t["Associations"] == [{
        "Main": False, "RouteTableAssociationId": a["AssociationId"], "RouteTableId": rtb, "GatewayId": gateway,
        "AssociationState": {"State": "associated"}}]
    for name, value in (("association.gateway-id", gateway), ("association.main", "false"),
                        ("association.route-table-association-id", a["AssociationId"]),
                        ("association.route-table-id", rtb)):
        found = ec2.describe_route_tables(Filters=names(vpc_id=[vpc]) + [{"Name": name, "Values": [value]}])["RouteTables"]
        assert [f["RouteTableId"] for f in found] == [rtb], name
    route = {"RouteTableId": rtb, "NetworkInterfaceId": eni}
    for call, arguments, expected in (
            (associate, {"RouteTableId": rtb, "SubnetId": subnet},
             ("InvalidParameterValue", f"Route table {rtb} is associated with {gateway}, and can be neither a subnet's nor "
              "the main one. Create another route table.")),
            (ec2.create_route, {"DestinationCidrBlock": "0.0.0.0/0", **route},
             ("InvalidParameterValue", f"Route table {rtb} is associated with {gateway}. Destination 0.0.0.0/0 is not supported "
              "there: its routes have the CIDR block of the VPC or of a subnet, and lead to a network interface or an "
              "instance.")),
            (ec2.delete_route_table, {"RouteTableId": rtb},
             ("DependencyViolation", f"The routeTable '{rtb}' has dependencies and cannot be deleted. It is its VPC's main "
              "one, or subnets or a gateway are associated with it.")),
            (ec2.detach_internet_gateway, {"InternetGatewayId": gateway, "VpcId": vpc},
             ("DependencyViolation", f"The internetGateway '{gateway}' has dependencies and cannot be detached. Route table "
              f"{rtb} is associated with it: DisassociateRouteTable first."))):
        assert refused(call, **arguments)[:2] == expected
    assert code(ec2.delete_internet_gateway, InternetGatewayId=gateway) == "DependencyViolation"
    ec2.create_route(DestinationCidrBlock=cidr, **route)
    ec2.replace_route(DestinationCidrBlock="10.0.0.0/16", **route)
    ec2.replace_route(RouteTableId=rtb, DestinationCidrBlock="10.0.0.0/16", LocalTarget=True)
    second = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    assert code(associate, RouteTableId=second, GatewayId=gateway) == "Resource.AlreadyAssociated"
    n = ec2.replace_route_table_association(AssociationId=a["AssociationId"], RouteTableId=second)["NewAssociationId"]
    ec2.delete_route_table(RouteTableId=rtb)
    ec2.disassociate_route_table(AssociationId=n)
    assert ec2.describe_route_tables(RouteTableIds=[second])["RouteTables"][0]["Associations"] == []
    ec2.delete_route_table(RouteTableId=second)
    ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_a_prefix_list_as_destination(ec2, vpc, gateway, endpoint):
    """requirement: TOPO-1"""
    rtb = main_table(ec2, vpc)["RouteTableId"]
    pl = ec2.create_managed_prefix_list(PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4",
                                        Entries=[{"Cidr": "192.0.2.0/24"}])["PrefixList"]["PrefixListId"]
    route = {"RouteTableId": rtb, "DestinationPrefixListId": pl}
    assert ec2.create_route(GatewayId=gateway, **route)["Return"] is True
    assert refused(ec2.create_route, GatewayId=gateway, **route)[0] == "RouteAlreadyExists"
    shown, = (r for r in main_table(ec2, vpc)["Routes"] if r.get("GatewayId") == gateway)
    assert shown == {"DestinationPrefixListId": pl, "GatewayId": gateway, "Origin": "CreateRoute", "State": "active"}
    by_list = [{"Name": "route.destination-prefix-list-id", "Values": [pl]}]
    assert [t["RouteTableId"] for t in ec2.describe_route_tables(Filters=by_list)["RouteTables"]] == [rtb]
    used = ec2.get_managed_prefix_list_associations(PrefixListId=pl)["PrefixListAssociations"]
    assert used == [{"ResourceId": rtb, "ResourceOwner": "111111111111"}]
    assert code(ec2.delete_managed_prefix_list, PrefixListId=pl) == "DependencyViolation"
    assert code(ec2.create_route, RouteTableId=rtb, GatewayId=gateway, DestinationPrefixListId="pl-00000000000000001") == \
        "InvalidPrefixListID.NotFound"
    assert code(ec2.create_route, RouteTableId=rtb, GatewayId=gateway, DestinationPrefixListId=pl,
                DestinationCidrBlock="0.0.0.0/0") == "InvalidParameterCombination"
    assert ec2.delete_route(**route)
    assert code(ec2.delete_route, **route) == "InvalidRoute.NotFound"
    ec2.delete_managed_prefix_list(PrefixListId=pl)


def test_route_to_an_instance(ec2, vpc, subnet):
    i = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    eni = i["NetworkInterfaces"][0]["NetworkInterfaceId"]
    rtb = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=rtb, DestinationCidrBlock="192.168.0.0/16",
                     InstanceId=i["InstanceId"])
    assert main_table(ec2, vpc)["Routes"][1] == {
        "DestinationCidrBlock": "192.168.0.0/16", "InstanceId": i["InstanceId"],
        "InstanceOwnerId": "111111111111", "NetworkInterfaceId": eni, "Origin": "CreateRoute",
        "State": "active"}
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])
    r = main_table(ec2, vpc)["Routes"][1]
    assert r["State"] == "blackhole" and r["NetworkInterfaceId"] == eni
    assert "InstanceId" not in r


def test_internet_gateway_life(ec2, other, vpc):
    g = ec2.create_internet_gateway(TagSpecifications=[
        {"ResourceType": "internet-gateway", "Tags": [{"Key": "a", "Value": "b"}]}])["InternetGateway"]
    igw = g["InternetGatewayId"]
    assert g["Attachments"] == [] and g["OwnerId"] == "111111111111"
    assert g["Tags"] == [{"Key": "a", "Value": "b"}]
    ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[igw])
    assert code(other.attach_internet_gateway, InternetGatewayId=igw,
                VpcId=vpc) == "InvalidInternetGatewayID.NotFound"
    assert code(ec2.attach_internet_gateway, InternetGatewayId=igw,
                VpcId="vpc-00000000000000001") == "InvalidVpcID.NotFound"
    assert code(ec2.detach_internet_gateway, InternetGatewayId=igw,
                VpcId=vpc) == "Gateway.NotAttached"
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    g, = ec2.describe_internet_gateways(Filters=[
        {"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
    assert g["Attachments"] == [{"VpcId": vpc, "State": "available"}]
    for name, value in (("attachment.state", "available"), ("internet-gateway-id", igw),
                        ("owner-id", "111111111111"), ("tag:a", "b")):
        found = ec2.describe_internet_gateways(Filters=[{"Name": name, "Values": [value]}])
        assert igw in [f["InternetGatewayId"] for f in found["InternetGateways"]]
    assert code(ec2.attach_internet_gateway, InternetGatewayId=igw,
                VpcId=vpc) == "Resource.AlreadyAssociated"
    second = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    assert code(ec2.attach_internet_gateway, InternetGatewayId=second,
                VpcId=vpc) == "InvalidParameterValue"
    ec2.delete_internet_gateway(InternetGatewayId=second)
    assert code(ec2.delete_internet_gateway, InternetGatewayId=igw) == "DependencyViolation"
    assert code(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=igw)
    assert code(ec2.describe_internet_gateways,
                InternetGatewayIds=[igw]) == "InvalidInternetGatewayID.NotFound"


def test_egress_only_gateway(ec2, other, vpc):
    g = ec2.create_egress_only_internet_gateway(VpcId=vpc, ClientToken="e-" + vpc)
    assert g["ClientToken"] == "e-" + vpc
    g = g["EgressOnlyInternetGateway"]
    assert g["Attachments"] == [{"State": "attached", "VpcId": vpc}]
    eigw = g["EgressOnlyInternetGatewayId"]
    assert ec2.create_egress_only_internet_gateway(VpcId=vpc, ClientToken="e-" + vpc)[
        "EgressOnlyInternetGateway"] == g
    found, = ec2.describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=[eigw])[
        "EgressOnlyInternetGateways"]
    assert found["EgressOnlyInternetGatewayId"] == eigw
    rtb = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=rtb, DestinationIpv6CidrBlock="::/0",
                     EgressOnlyInternetGatewayId=eigw)
    r = main_table(ec2, vpc)["Routes"][1]
    assert r["DestinationIpv6CidrBlock"] == "::/0" and r["State"] == "active"
    assert r["EgressOnlyInternetGatewayId"] == eigw
    assert code(ec2.create_route, RouteTableId=rtb, DestinationCidrBlock="0.0.0.0/0",
                EgressOnlyInternetGatewayId=eigw) == "InvalidParameterValue"
    assert code(other.delete_egress_only_internet_gateway,
                EgressOnlyInternetGatewayId=eigw) == "InvalidGatewayID.NotFound"
    assert ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=eigw)["ReturnCode"]
    assert main_table(ec2, vpc)["Routes"][1]["State"] == "blackhole"
    assert code(ec2.create_egress_only_internet_gateway,
                VpcId="vpc-00000000000000001") == "InvalidVpcID.NotFound"


# ---- public addresses and NAT gateways ----

@pytest.fixture
def address(ec2, edge):
    a = ec2.allocate_address(Domain="vpc")
    yield a
    if ec2.describe_addresses(Filters=names(allocation_id=[a["AllocationId"]]))["Addresses"]:
        ec2.release_address(AllocationId=a["AllocationId"])


def test_elastic_address_life(ec2, other, edge, gateway, subnet, vpc):
    a = ec2.allocate_address(Domain="vpc", TagSpecifications=[
        {"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "a"}]}])
    ip, allocation = a["PublicIp"], a["AllocationId"]
    assert a["Domain"] == "vpc" and a["NetworkBorderGroup"] == "us-east-1"
    assert a["PublicIpv4Pool"] == edge["id"] and ip.startswith("198.51.100.")
    d, = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert d == {"PublicIp": ip, "AllocationId": allocation, "Domain": "vpc",
                 "Tags": [{"Key": "Name", "Value": "a"}], "PublicIpv4Pool": edge["id"],
                 "NetworkBorderGroup": "us-east-1"}
    assert ec2.describe_addresses(PublicIps=[ip])["Addresses"] == [d]
    assert ec2.describe_addresses_attribute(AllocationIds=[allocation], Attribute="domain-name")[
        "Addresses"] == [{"PublicIp": ip, "AllocationId": allocation}]
    p, = ec2.describe_public_ipv4_pools(PoolIds=[edge["id"]])["PublicIpv4Pools"]
    assert p["TotalAddressCount"] == 14 and p["TotalAvailableAddressCount"] == 13
    assert code(other.describe_addresses, AllocationIds=[allocation]) == "InvalidAllocationID.NotFound"
    assert code(ec2.describe_addresses, PublicIps=["192.0.2.1"]) == "InvalidAddress.NotFound"
    assert code(other.release_address, AllocationId=allocation) == "InvalidAllocationID.NotFound"
    assert code(ec2.allocate_address, Address=ip) == "InvalidIPAddress.InUse"
    assert code(ec2.allocate_address, Address="192.0.2.1") == "InvalidAddress.NotFound"
    assert code(ec2.allocate_address, Domain="standard") == "InvalidParameterValue"
    assert code(ec2.allocate_address, DryRun=True) == "DryRunOperation"

    i = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    eni = i["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    association = ec2.associate_address(AllocationId=allocation, InstanceId=i["InstanceId"])["AssociationId"]
    assert ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=eni)[
        "AssociationId"] == association
    d, = ec2.describe_addresses(Filters=names(association_id=[association]))["Addresses"]
    assert d["InstanceId"] == i["InstanceId"] and d["NetworkInterfaceId"] == eni
    assert d["PrivateIpAddress"] == i["PrivateIpAddress"]
    assert d["NetworkInterfaceOwnerId"] == "111111111111"
    name = "ec2-%s.compute-1.amazonaws.com" % ip.replace(".", "-")
    n, = ec2.describe_network_interfaces(Filters=[
        {"Name": "association.public-ip", "Values": [ip]}])["NetworkInterfaces"]
    assert n["Association"] == {"AllocationId": allocation, "AssociationId": association,
                                "IpOwnerId": "111111111111", "PublicDnsName": name, "PublicIp": ip}
    assert n["PrivateIpAddresses"][0]["Association"] == n["Association"]
    i = ec2.describe_instances(Filters=names(ip_address=[ip]))["Reservations"][0]["Instances"][0]
    assert i["PublicIpAddress"] == ip and i["PublicDnsName"] == name
    assert i["NetworkInterfaces"][0]["Association"]["PublicIp"] == ip

    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert refused(ec2.associate_address, AllocationId=allocation, NetworkInterfaceId=second,
                   AllowReassociation=False)[:2] == (
        "Resource.AlreadyAssociated",
        "resource %s is already associated with associate-id %s" % (allocation, association))
    assert code(ec2.release_address, AllocationId=allocation) == "InvalidIPAddress.InUse"
    assert code(ec2.detach_internet_gateway, InternetGatewayId=gateway,
                VpcId=vpc) == "DependencyViolation"
    moved = ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=second,
                                  AllowReassociation=True)["AssociationId"]
    assert code(ec2.disassociate_address, AssociationId=association) == "InvalidAssociationID.NotFound"
    assert code(other.disassociate_address, AssociationId=moved) == "InvalidAssociationID.NotFound"
    ec2.disassociate_address(AssociationId=moved)
    assert "AssociationId" not in ec2.describe_addresses(PublicIps=[ip])["Addresses"][0]
    for arguments in ({}, {"AllocationId": allocation}, {"InstanceId": i["InstanceId"]}):
        assert code(ec2.associate_address, **arguments) == "MissingParameter"
    assert code(ec2.disassociate_address) == "MissingParameter"
    ec2.release_address(AllocationId=allocation)
    assert code(ec2.release_address, AllocationId=allocation) == "InvalidAllocationID.NotFound"


def test_an_association_moves_unless_it_may_not(ec2, address, gateway, subnet):
    """Without AllowReassociation as with true, as the reference has it: both addresses' associations give way.
    requirement: EDGE-1"""
    nics = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2)]
    allocations = [address["AllocationId"], ec2.allocate_address()["AllocationId"]]

    def where():
        return [a.get("NetworkInterfaceId") for allocation in allocations
                for a in ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]]

    first = ec2.associate_address(AllocationId=allocations[0], NetworkInterfaceId=nics[0])["AssociationId"]
    assert ec2.associate_address(AllocationId=allocations[0], NetworkInterfaceId=nics[0],
                                 AllowReassociation=False)["AssociationId"] == first
    moved = ec2.associate_address(AllocationId=allocations[0], NetworkInterfaceId=nics[1])["AssociationId"]
    assert moved != first and where() == [nics[1], None]
    assert code(ec2.associate_address, AllocationId=allocations[1], NetworkInterfaceId=nics[1],
                AllowReassociation=False) == "Resource.AlreadyAssociated"
    assert where() == [nics[1], None]
    ec2.associate_address(AllocationId=allocations[1], NetworkInterfaceId=nics[1])
    assert where() == [None, nics[1]]
    ec2.release_address(AllocationId=allocations[0])
    ec2.disassociate_address(PublicIp=ec2.describe_addresses(AllocationIds=allocations[1:])["Addresses"][0]["PublicIp"])
    ec2.release_address(AllocationId=allocations[1])


def test_address_without_a_gateway(ec2, address, subnet):
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert code(ec2.associate_address, AllocationId=address["AllocationId"],
                NetworkInterfaceId=eni) == "Gateway.NotAttached"


def test_addresses_run_out(ec2, edge):
    allocations = [ec2.allocate_address()["AllocationId"] for _ in range(14)]
    assert code(ec2.allocate_address) == "InsufficientAddressCapacity"
    for a in allocations:
        ec2.release_address(AllocationId=a)


def test_secondary_addresses_have_their_own(ec2, address, gateway, subnet):
    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddresses=[
        {"PrivateIpAddress": "10.0.1.10", "Primary": True}, {"PrivateIpAddress": "10.0.1.11"}])[
        "NetworkInterface"]["NetworkInterfaceId"]
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    allocation = address["AllocationId"]
    assert code(ec2.associate_address, AllocationId=allocation, NetworkInterfaceId=eni,
                PrivateIpAddress="10.0.1.12") == "InvalidParameterValue"
    ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=eni,
                          PrivateIpAddress="10.0.1.11")
    # a private address that moves takes its public one along
    ec2.assign_private_ip_addresses(NetworkInterfaceId=second, PrivateIpAddresses=["10.0.1.11"],
                                    AllowReassignment=True)
    d, = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert d["NetworkInterfaceId"] == second and d["PrivateIpAddress"] == "10.0.1.11"
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=second, PrivateIpAddresses=["10.0.1.11"])
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]


def test_public_addresses_of_instances(ec2, edge, gateway, subnet, vpc):
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    i = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    ip = i["PublicIpAddress"]
    assert ip.startswith("198.51.100.")
    association = i["NetworkInterfaces"][0]["Association"]
    assert association == {"IpOwnerId": "amazon", "PublicDnsName": "", "PublicIp": ip}
    assert ec2.describe_addresses()["Addresses"] == []
    assert code(ec2.describe_addresses, PublicIps=[ip]) == "InvalidAddress.NotFound"
    ec2.stop_instances(InstanceIds=[i["InstanceId"]])
    d = ec2.describe_instances(InstanceIds=[i["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert "PublicIpAddress" not in d
    ec2.start_instances(InstanceIds=[i["InstanceId"]])
    d = ec2.describe_instances(InstanceIds=[i["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert d["PublicIpAddress"].startswith("198.51.100.")
    allocation = ec2.allocate_address()
    ec2.associate_address(AllocationId=allocation["AllocationId"], InstanceId=i["InstanceId"])
    d = ec2.describe_instances(InstanceIds=[i["InstanceId"]])["Reservations"][0]["Instances"][0]
    assert d["PublicIpAddress"] == allocation["PublicIp"]
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])
    ec2.release_address(AllocationId=allocation["AllocationId"])
    i = ec2.run_instances(MinCount=1, MaxCount=1, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": False}])["Instances"][0]
    assert "PublicIpAddress" not in i
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False})
    i = ec2.run_instances(MinCount=1, MaxCount=1, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": True}])["Instances"][0]
    assert i["PublicIpAddress"]
    ec2.terminate_instances(InstanceIds=[i["InstanceId"]])


def test_edges_run_no_instances(ec2, endpoint, edge, subnet):
    """requirement: EDGE-1"""
    for _ in range(6):
        ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet)
    hosts = {h["name"]: h for h in operator(endpoint, "GET", "/v1/hosts")["hosts"]}
    assert hosts["e1"]["role"] == "edge" and hosts["e1"]["instances"] == 0
    assert hosts["h1"]["role"] == "host" and hosts["h1"]["instances"] >= 3


def applied(endpoint, vpc, interface):
    return next(i for i in operator(endpoint, "GET", "/v1/interfaces?network=" + vpc)["interfaces"]
                if i["id"] == interface)["applied"]


def test_nat_gateway_life(ec2, other, endpoint, address, gateway, subnet, vpc):
    allocation = address["AllocationId"]
    g = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation, ClientToken="n-" + vpc,
                               TagSpecifications=[{"ResourceType": "natgateway", "Tags": [
                                   {"Key": "k", "Value": "v"}]}])
    assert g["ClientToken"] == "n-" + vpc
    g = g["NatGateway"]
    nat = g["NatGatewayId"]
    assert g["State"] == "pending" and g["ConnectivityType"] == "public" and g["VpcId"] == vpc
    a, = g["NatGatewayAddresses"]
    assert a["AllocationId"] == allocation and a["PublicIp"] == address["PublicIp"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat])
    assert ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation,
                                  ClientToken="n-" + vpc, TagSpecifications=[
                                      {"ResourceType": "natgateway", "Tags": [
                                          {"Key": "k", "Value": "v"}]}])["NatGateway"]["NatGatewayId"] == nat
    n, = ec2.describe_network_interfaces(NetworkInterfaceIds=[a["NetworkInterfaceId"]])[
        "NetworkInterfaces"]
    assert n["InterfaceType"] == "nat_gateway" and n["RequesterManaged"] and n["Status"] == "in-use"
    assert n["PrivateIpAddress"] == a["PrivateIp"] and n["SubnetId"] == subnet
    assert applied(endpoint, vpc, n["NetworkInterfaceId"]) is True, "its edge has the gateway"
    assert n["Association"]["AllocationId"] == allocation
    shown = raw(ec2, "describe_nat_gateways", NatGatewayIds=[nat])
    for field in ("associationId>" + n["Association"]["AssociationId"], "isPrimary>true", "status>succeeded"):
        assert "<%s<" % field in shown
    for call, arguments in (
            (ec2.delete_network_interface, {}),
            (ec2.modify_network_interface_attribute, {"Description": {"Value": "x"}}),
            (ec2.assign_private_ip_addresses, {"SecondaryPrivateIpAddressCount": 1})):
        assert code(call, NetworkInterfaceId=n["NetworkInterfaceId"],
                    **arguments) == "OperationNotPermitted"
    association = n["Association"]["AssociationId"]
    assert code(ec2.disassociate_address, AssociationId=association) == "OperationNotPermitted"
    rtb = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=rtb, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    r = main_table(ec2, vpc)["Routes"][1]
    assert r["NatGatewayId"] == nat and r["State"] == "active"
    for name, value in (("state", "available"), ("subnet-id", subnet), ("vpc-id", vpc),
                        ("tag:k", "v"), ("nat-gateway-id", nat)):
        found = ec2.describe_nat_gateways(Filters=[{"Name": name, "Values": [value]},
                                                   {"Name": "vpc-id", "Values": [vpc]}])
        assert [f["NatGatewayId"] for f in found["NatGateways"]] == [nat], name
    assert code(other.delete_nat_gateway, NatGatewayId=nat) == "NatGatewayNotFound"
    assert code(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    shown, = operator(endpoint, "GET", "/v1/nat-gateways?edge=e1")["nat_gateways"]
    assert shown["id"] == nat and shown["state"] == "available"

    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.1.77")[
        "NetworkInterface"]["NetworkInterfaceId"]
    port = {"protocol": "tcp", "public_port": 80, "address": "10.0.1.77", "port": 8080}
    path = "/v1/nat-gateways/%s/ports" % nat
    assert operator(endpoint, "POST", path, port)["port"] == port
    with pytest.raises(urllib.error.HTTPError) as e:
        operator(endpoint, "POST", path, port)
    assert e.value.code == 409
    with pytest.raises(urllib.error.HTTPError) as e:  # answers from there have one port
        operator(endpoint, "POST", path, {**port, "public_port": 81})
    assert e.value.code == 409 and "Port 80 of" in e.value.read().decode()
    assert operator(endpoint, "GET", "/v1/nat-gateways?edge=e1")["nat_gateways"][0]["ports"] == [port]
    operator(endpoint, "DELETE", path + "/tcp/80")
    with pytest.raises(urllib.error.HTTPError) as e:
        operator(endpoint, "DELETE", path + "/tcp/80")
    assert e.value.code == 404
    ec2.delete_network_interface(NetworkInterfaceId=eni)

    assert ec2.delete_nat_gateway(NatGatewayId=nat)["NatGatewayId"] == nat
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat])
    d, = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    assert d["State"] == "deleted" and d["DeleteTime"] >= d["CreateTime"]
    assert d["NatGatewayAddresses"] == g["NatGatewayAddresses"]
    assert main_table(ec2, vpc)["Routes"][1]["State"] == "blackhole"
    assert code(ec2.describe_network_interfaces, NetworkInterfaceIds=[
        n["NetworkInterfaceId"]]) == "InvalidNetworkInterfaceID.NotFound"
    ec2.delete_nat_gateway(NatGatewayId=nat)  # deleted already: nothing more
    ec2.release_address(AllocationId=allocation)


def test_private_nat_gateway_life(ec2, other, endpoint, edge, subnet, vpc):
    """No elastic address, no internet gateway: its interface is at an edge, as that of a node is at a host."""
    g = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private", PrivateIpAddress="10.0.1.99")["NatGateway"]
    nat = g["NatGatewayId"]
    assert g["State"] == "pending" and g["ConnectivityType"] == "private" and g["VpcId"] == vpc
    a, = g["NatGatewayAddresses"]
    assert a == {"NetworkInterfaceId": a["NetworkInterfaceId"], "PrivateIp": "10.0.1.99"}
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat])
    n, = ec2.describe_network_interfaces(NetworkInterfaceIds=[a["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert n["InterfaceType"] == "nat_gateway" and n["RequesterManaged"] and n["Status"] == "in-use"
    assert n["PrivateIpAddress"] == "10.0.1.99" and n["Groups"] == []
    assert applied(endpoint, vpc, n["NetworkInterfaceId"]) is True
    assert n["Attachment"]["Status"] == "attached" and "InstanceId" not in n["Attachment"]
    assert code(ec2.detach_network_interface, AttachmentId=n["Attachment"]["AttachmentId"]) == "OperationNotPermitted"
    assert code(ec2.delete_network_interface, NetworkInterfaceId=n["NetworkInterfaceId"]) == "OperationNotPermitted"
    assert code(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    assert code(other.delete_nat_gateway, NatGatewayId=nat) == "NatGatewayNotFound"
    shown, = operator(endpoint, "GET", "/v1/nat-gateways?edge=e1")["nat_gateways"]
    assert shown["id"] == nat and shown["connectivity"] == "private" and shown["public"] is None
    rtb = main_table(ec2, vpc)["RouteTableId"]
    ec2.create_route(RouteTableId=rtb, DestinationCidrBlock="10.7.0.0/16", NatGatewayId=nat)
    for leads in {"NatGatewayId": nat}, {"NetworkInterfaceId": n["NetworkInterfaceId"]}:
        assert code(ec2.create_route, RouteTableId=rtb, DestinationIpv6CidrBlock="2001:db8::/32",
                    **leads) == "InvalidParameterValue"
    assert main_table(ec2, vpc)["Routes"][1]["State"] == "active"
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat])
    assert main_table(ec2, vpc)["Routes"][1]["State"] == "blackhole"
    d, = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    assert d["NatGatewayAddresses"] == g["NatGatewayAddresses"] and d["ConnectivityType"] == "private"
    assert code(ec2.describe_network_interfaces, NetworkInterfaceIds=[
        n["NetworkInterfaceId"]]) == "InvalidNetworkInterfaceID.NotFound"
    ec2.delete_route(RouteTableId=rtb, DestinationCidrBlock="10.7.0.0/16")


def test_nat_gateways_refused(ec2, address, subnet, vpc):
    allocation = address["AllocationId"]
    assert code(ec2.create_nat_gateway, SubnetId=subnet,
                AllocationId=allocation) == "Gateway.NotAttached"
    assert code(ec2.create_nat_gateway, SubnetId=subnet) == "MissingParameter"
    assert code(ec2.create_nat_gateway, SubnetId="subnet-00000000000000001",
                AllocationId=allocation) == "InvalidSubnetID.NotFound"
    assert code(ec2.create_nat_gateway, SubnetId=subnet,
                AllocationId="eipalloc-00000000000000001") == "InvalidAllocationID.NotFound"
    assert code(ec2.create_nat_gateway, SubnetId=subnet, AllocationId=allocation,
                ConnectivityType="private") == "InvalidParameterCombination"
    assert code(ec2.create_nat_gateway, SubnetId=subnet,
                ConnectivityType="hidden") == "InvalidParameterValue"
    assert code(ec2.create_nat_gateway, SubnetId=subnet, ConnectivityType="private",
                PrivateIpAddress="10.9.9.9") == "InvalidParameterValue"
    assert code(ec2.delete_nat_gateway, NatGatewayId="nat-00000000000000001") == "NatGatewayNotFound"
    assert code(ec2.describe_nat_gateways, NatGatewayIds=[
        "nat-00000000000000001"]) == "NatGatewayNotFound"
    assert code(ec2.create_route, RouteTableId=main_table(ec2, vpc)["RouteTableId"],
                DestinationCidrBlock="0.0.0.0/0",
                NatGatewayId="nat-00000000000000001") == "InvalidNatGatewayID.NotFound"


# ---- peering ----

@pytest.fixture
def two_vpcs(ec2, other):
    mine = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    theirs = other.create_vpc(CidrBlock="10.41.0.0/16")["Vpc"]["VpcId"]
    yield mine, theirs
    for p in ec2.describe_vpc_peering_connections(Filters=[
            {"Name": "status-code", "Values": ["pending-acceptance", "active"]}])["VpcPeeringConnections"]:
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=p["VpcPeeringConnectionId"])
    ec2.delete_vpc(VpcId=mine)
    other.delete_vpc(VpcId=theirs)


def test_peering_between_accounts(ec2, other, two_vpcs):
    mine, theirs = two_vpcs
    p = ec2.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs, PeerOwnerId="222222222222",
                                          TagSpecifications=[
                                              {"ResourceType": "vpc-peering-connection",
                                               "Tags": [{"Key": "k", "Value": "v"}]}])["VpcPeeringConnection"]
    pcx = p["VpcPeeringConnectionId"]
    assert p["Status"] == {"Code": "pending-acceptance", "Message": "Pending Acceptance"}
    assert p["RequesterVpcInfo"]["VpcId"] == mine and p["AccepterVpcInfo"]["VpcId"] == theirs
    assert p["AccepterVpcInfo"]["OwnerId"] == "222222222222" and p["Tags"] == [{"Key": "k", "Value": "v"}]
    assert (p["ExpirationTime"] - p["ExpirationTime"].now(p["ExpirationTime"].tzinfo)).days in (6, 7)
    ec2.get_waiter("vpc_peering_connection_exists").wait(VpcPeeringConnectionIds=[pcx])
    seen, = other.describe_vpc_peering_connections(Filters=[
        {"Name": "accepter-vpc-info.vpc-id", "Values": [theirs]}])["VpcPeeringConnections"]
    assert seen["VpcPeeringConnectionId"] == pcx
    assert code(ec2.accept_vpc_peering_connection, VpcPeeringConnectionId=pcx) == "OperationNotPermitted"
    assert code(ec2.reject_vpc_peering_connection, VpcPeeringConnectionId=pcx) == "OperationNotPermitted"
    rtb = main_table(ec2, mine)["RouteTableId"]
    ec2.create_route(RouteTableId=rtb, DestinationCidrBlock="10.41.0.0/16", VpcPeeringConnectionId=pcx)
    assert main_table(ec2, mine)["Routes"][1]["State"] == "blackhole"
    p = other.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)["VpcPeeringConnection"]
    assert p["Status"]["Code"] == "active" and "ExpirationTime" not in p
    assert p["AccepterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": "10.41.0.0/16"}]
    assert p["RequesterVpcInfo"]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"] is False
    r = main_table(ec2, mine)["Routes"][1]
    assert r["State"] == "active" and r["VpcPeeringConnectionId"] == pcx
    o = ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=pcx, RequesterPeeringConnectionOptions={
        "AllowDnsResolutionFromRemoteVpc": True})
    assert o["RequesterPeeringConnectionOptions"]["AllowDnsResolutionFromRemoteVpc"] is True
    assert code(ec2.modify_vpc_peering_connection_options, VpcPeeringConnectionId=pcx,
                AccepterPeeringConnectionOptions={
                    "AllowDnsResolutionFromRemoteVpc": True}) == "OperationNotPermitted"
    for name, value in (("requester-vpc-info.vpc-id", mine), ("status-code", "active"),
                        ("requester-vpc-info.cidr-block", "10.40.0.0/16"), ("tag:k", "v"),
                        ("accepter-vpc-info.owner-id", "222222222222"),
                        ("vpc-peering-connection-id", pcx)):
        found = ec2.describe_vpc_peering_connections(Filters=[{"Name": name, "Values": [value]}])
        assert [f["VpcPeeringConnectionId"] for f in found["VpcPeeringConnections"]] == [pcx], name
    assert code(ec2.delete_vpc, VpcId=mine) == "DependencyViolation"
    assert code(ec2.associate_vpc_cidr_block, VpcId=mine,
                CidrBlock="10.41.8.0/24") == "InvalidVpc.Range"
    other.delete_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    ec2.get_waiter("vpc_peering_connection_deleted").wait(VpcPeeringConnectionIds=[pcx])
    assert main_table(ec2, mine)["Routes"][1]["State"] == "blackhole"
    assert code(other.reject_vpc_peering_connection, VpcPeeringConnectionId=pcx) == "InvalidStateTransition"


def test_peering_refused(ec2, other, two_vpcs):
    mine, theirs = two_vpcs
    create = ec2.create_vpc_peering_connection
    assert create(VpcId=mine, PeerVpcId=theirs)["VpcPeeringConnection"]["Status"]["Code"] == "failed"
    assert create(VpcId=mine, PeerVpcId=mine)["VpcPeeringConnection"]["Status"] == {
        "Code": "failed",
        "Message": "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"}
    assert code(create, VpcId=theirs, PeerVpcId=mine) == "InvalidVpcID.NotFound"
    assert code(create, VpcId=mine) == "MissingParameter"
    assert code(create, VpcId=mine, PeerVpcId=theirs, PeerRegion="eu-west-1") == "OperationNotPermitted"
    nowhere = "pcx-00000000000000001"
    for call in (ec2.accept_vpc_peering_connection, ec2.reject_vpc_peering_connection,
                 ec2.delete_vpc_peering_connection):
        assert code(call, VpcPeeringConnectionId=nowhere) == "InvalidVpcPeeringConnectionID.NotFound"
    pcx = create(VpcId=mine, PeerVpcId=theirs, PeerOwnerId="222222222222")["VpcPeeringConnection"][
        "VpcPeeringConnectionId"]
    assert code(other.delete_vpc_peering_connection,
                VpcPeeringConnectionId=pcx) == "OperationNotPermitted"
    other.reject_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    p, = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[pcx])["VpcPeeringConnections"]
    assert p["Status"]["Code"] == "rejected"
    assert code(other.accept_vpc_peering_connection,
                VpcPeeringConnectionId=pcx) == "InvalidStateTransition"
