# SPDX-License-Identifier: Apache-2.0
"""Random requests about route tables, routes, internet gateways and public addresses, sensible and not, against a plain
reference; every describe is compared, and what is refused changes nothing.

requirement: TOPO-1, EDGE-1, OPS-1
"""
import random

import pytest

from test_clients import names
from test_policy_random import attempt
from walks import seeds, steps

STEPS = steps(200)
BLOCK = "10.0.0.0/16"
CIDRS = ["0.0.0.0/0", "192.0.2.0/24", "198.18.0.0/15", BLOCK, "nonsense"]
LOST = {"table": "rtb-00000000000000001", "gateway": "igw-00000000000000001", "address": "eipalloc-00000000000000001"}


class Reference:
    def __init__(self, main, subnets):
        self.main = main
        self.tables = {main: {}}           # {table: {cidr: gateway}}
        self.subnets = dict.fromkeys(subnets)  # its own table, or None
        self.gateways = {}                 # {gateway: attached}
        self.addresses = {}                # {allocation: interface or None}

    def state(self, gateway):
        return "active" if self.gateways.get(gateway) else "blackhole"


def told(ec2, vpc, gateways, addresses):
    tables, subnets = {}, {}
    for t in ec2.describe_route_tables(Filters=names(vpc_id=[vpc]))["RouteTables"]:
        local, *routes = t["Routes"]
        assert (local["DestinationCidrBlock"], local["GatewayId"], local["State"]) == (BLOCK, "local", "active")
        tables[t["RouteTableId"]] = {r["DestinationCidrBlock"]: (r["GatewayId"], r["State"]) for r in routes}
        for a in t["Associations"]:
            subnets[None if a["Main"] else a["SubnetId"]] = t["RouteTableId"], a["RouteTableAssociationId"]
    attached = {g["InternetGatewayId"]: bool(g["Attachments"])
                for g in ec2.describe_internet_gateways(InternetGatewayIds=list(gateways))["InternetGateways"]
                } if gateways else {}
    held = {a["AllocationId"]: (a.get("NetworkInterfaceId"), a.get("AssociationId"))
            for a in ec2.describe_addresses(AllocationIds=list(addresses))["Addresses"]} if addresses else {}
    return tables, subnets, attached, held


@pytest.mark.parametrize("seed", seeds(3))
def test_random_requests(ec2, edge, vpc, seed):
    rng = random.Random(seed)
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in range(3)]
    interfaces = [ec2.create_network_interface(SubnetId=s)["NetworkInterface"]["NetworkInterfaceId"] for s in subnets]
    tables, associations, _, _ = told(ec2, vpc, {}, {})
    ref, refused, held = Reference(next(iter(tables)), subnets), 0, {}
    gone = dict(LOST)
    try:
        for _ in range(STEPS):
            table = rng.choice(list(ref.tables) + [gone["table"]])
            gateway = rng.choice(list(ref.gateways) + [gone["gateway"]])
            address = rng.choice(list(ref.addresses) + [gone["address"]])
            act = rng.choice([a for a in ACTS for _ in range(ACTS[a])])
            code, expected = act(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, held,
                                 gone)
            assert code == expected, act.__name__
            refused += code is not None
            tables, associations, attached, held = told(ec2, vpc, ref.gateways, ref.addresses)
            assert tables == {t: {c: (g, ref.state(g)) for c, g in routes.items()} for t, routes in ref.tables.items()}
            assert {s: t for s, (t, _) in associations.items()} == {
                None: ref.main, **{s: t for s, t in ref.subnets.items() if t}}
            assert attached == ref.gateways
            assert {a: i for a, (i, _) in held.items()} == ref.addresses
        assert STEPS / 6 < refused < STEPS * 5 / 6  # a walk that never gets anywhere proves nothing
    finally:
        for a, (_, association) in held.items():
            if association:
                ec2.disassociate_address(AssociationId=association)
            ec2.release_address(AllocationId=a)
        for g, attached in ref.gateways.items():
            if attached:
                ec2.detach_internet_gateway(InternetGatewayId=g, VpcId=vpc)
            ec2.delete_internet_gateway(InternetGatewayId=g)
        for subnet, (_, association) in associations.items():
            if subnet:
                ec2.disassociate_route_table(AssociationId=association)
        for t in ref.tables.keys() - {ref.main}:
            ec2.delete_route_table(RouteTableId=t)


# ---- what may be asked: (the answer's code, what the rules say) ----

def make_table(rng, ec2, vpc, ref, *_):
    answer, code = attempt(ec2.create_route_table, VpcId=vpc)
    if answer:
        ref.tables[answer["RouteTable"]["RouteTableId"]] = {}
    return code, None


def delete_table(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, held, gone):
    expected = None
    if table not in ref.tables:
        expected = "InvalidRouteTableID.NotFound"
    elif table == ref.main or table in ref.subnets.values():
        expected = "DependencyViolation"
    _, code = attempt(ec2.delete_route_table, RouteTableId=table)
    if not expected:
        del ref.tables[table]
        gone["table"] = table
    return code, expected


def set_route(rng, ec2, vpc, ref, table, gateway, *_):
    cidr, replace = rng.choice(CIDRS), rng.random() < 0.4
    expected = None
    if table not in ref.tables:
        expected = "InvalidRouteTableID.NotFound"
    elif cidr in (BLOCK, "nonsense"):
        expected = "InvalidParameterValue"
    elif gateway not in ref.gateways:
        expected = "InvalidGatewayID.NotFound"
    elif not ref.gateways[gateway]:
        expected = "InvalidParameterValue"
    elif replace and cidr not in ref.tables[table]:
        expected = "InvalidParameterValue"
    elif not replace and cidr in ref.tables[table]:
        expected = "RouteAlreadyExists"
    _, code = attempt(ec2.replace_route if replace else ec2.create_route, RouteTableId=table,
                      DestinationCidrBlock=cidr, GatewayId=gateway)
    if not expected:
        ref.tables[table][cidr] = gateway
    return code, expected


def delete_route(rng, ec2, vpc, ref, table, *_):
    cidr, expected = rng.choice(CIDRS[:3]), None
    if table not in ref.tables:
        expected = "InvalidRouteTableID.NotFound"
    elif cidr not in ref.tables[table]:
        expected = "InvalidRoute.NotFound"
    _, code = attempt(ec2.delete_route, RouteTableId=table, DestinationCidrBlock=cidr)
    if not expected:
        del ref.tables[table][cidr]
    return code, expected


def associate(rng, ec2, vpc, ref, table, gateway, address, subnets, *_):
    subnet, expected = rng.choice(subnets), None
    if table not in ref.tables:
        expected = "InvalidRouteTableID.NotFound"
    elif ref.subnets[subnet]:
        expected = "Resource.AlreadyAssociated"
    _, code = attempt(ec2.associate_route_table, RouteTableId=table, SubnetId=subnet)
    if not expected:
        ref.subnets[subnet] = table
    return code, expected


def disassociate(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, *_):
    which = rng.choice([None] + subnets)
    association = associations.get(which, (None, "rtbassoc-00000000000000001"))[1]
    expected = None
    if which not in associations:
        expected = "InvalidAssociationID.NotFound"
    elif which is None:
        expected = "InvalidParameterValue"
    _, code = attempt(ec2.disassociate_route_table, AssociationId=association)
    if not expected:
        ref.subnets[which] = None
    return code, expected


def replace_main(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, *_):
    expected = None if table in ref.tables else "InvalidRouteTableID.NotFound"
    _, code = attempt(ec2.replace_route_table_association, AssociationId=associations[None][1], RouteTableId=table)
    if not expected:
        ref.main = table
    return code, expected


def make_gateway(rng, ec2, vpc, ref, *_):
    answer, code = attempt(ec2.create_internet_gateway)
    if answer:
        ref.gateways[answer["InternetGateway"]["InternetGatewayId"]] = False
    return code, None


def move_gateway(rng, ec2, vpc, ref, table, gateway, *_):
    attach, expected = rng.random() < 0.7, None
    if gateway not in ref.gateways:
        expected = "InvalidInternetGatewayID.NotFound"
    elif attach and (ref.gateways[gateway] or any(ref.gateways.values())):
        expected = "Resource.AlreadyAssociated" if ref.gateways[gateway] else "InvalidParameterValue"
    elif not attach and not ref.gateways[gateway]:
        expected = "Gateway.NotAttached"
    elif not attach and any(ref.addresses.values()):
        expected = "DependencyViolation"
    _, code = attempt(ec2.attach_internet_gateway if attach else ec2.detach_internet_gateway,
                      InternetGatewayId=gateway, VpcId=vpc)
    if not expected:
        ref.gateways[gateway] = attach
    return code, expected


def delete_gateway(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, held, gone):
    expected = None
    if gateway not in ref.gateways:
        expected = "InvalidInternetGatewayID.NotFound"
    elif ref.gateways[gateway]:
        expected = "DependencyViolation"
    _, code = attempt(ec2.delete_internet_gateway, InternetGatewayId=gateway)
    if not expected:
        del ref.gateways[gateway]
        gone["gateway"] = gateway
    return code, expected


def make_address(rng, ec2, vpc, ref, *_):
    if len(ref.addresses) > 3:
        return None, None
    answer, code = attempt(ec2.allocate_address, Domain="vpc")
    if answer:
        ref.addresses[answer["AllocationId"]] = None
    return code, None


def associate_address(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, *_):
    interface, again = rng.choice(interfaces), rng.random() < 0.5
    has = next((a for a, i in ref.addresses.items() if i == interface), None)
    expected = None
    if address not in ref.addresses:
        expected = "InvalidAllocationID.NotFound"
    elif not any(ref.gateways.values()):
        expected = "Gateway.NotAttached"
    elif not again and (has not in (None, address) or ref.addresses[address] not in (None, interface)):
        expected = "Resource.AlreadyAssociated"
    _, code = attempt(ec2.associate_address, AllocationId=address, NetworkInterfaceId=interface, AllowReassociation=again)
    if not expected:
        if has:
            ref.addresses[has] = None
        ref.addresses[address] = interface
    return code, expected


def disassociate_address(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, held, gone):
    association = held.get(address, (None, None))[1]
    expected = None if association else "InvalidAssociationID.NotFound"
    _, code = attempt(ec2.disassociate_address, AssociationId=association or "eipassoc-00000000000000001")
    if not expected:
        ref.addresses[address] = None
    return code, expected


def release_address(rng, ec2, vpc, ref, table, gateway, address, subnets, interfaces, associations, held, gone):
    expected = None
    if address not in ref.addresses:
        expected = "InvalidAllocationID.NotFound"
    elif ref.addresses[address]:
        expected = "InvalidIPAddress.InUse"
    _, code = attempt(ec2.release_address, AllocationId=address)
    if not expected:
        del ref.addresses[address]
        gone["address"] = address
    return code, expected


# how often each, in proportion
ACTS = {make_table: 2, delete_table: 2, set_route: 6, delete_route: 3, associate: 3, disassociate: 2, replace_main: 1,
        make_gateway: 1, move_gateway: 3, delete_gateway: 1, make_address: 2, associate_address: 4, disassociate_address: 2,
        release_address: 2}
