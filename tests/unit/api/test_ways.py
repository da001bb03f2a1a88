# SPDX-License-Identifier: Apache-2.0
"""Ways out of a VPC as boto3 sees them: route tables, gateways.

requirement: TOPO-1
"""
import pytest

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
        "The routeTable '%s' has dependencies and cannot be deleted." % t["RouteTableId"])
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
