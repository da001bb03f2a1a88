# SPDX-License-Identifier: Apache-2.0
"""Random requests about the route tables of subnets and of internet gateways, routes of both families
and of prefix lists, egress-only and private NAT gateways, of two accounts, sensible and not, against a
plain reference; every describe is compared, and what is refused changes nothing.

requirement: TOPO-1, EDGE-1, OPS-1
"""
import ipaddress

import pytest

from conftest import operator
from walking import Thing, Walk, two_accounts
from walks import seeds, steps

WORST = "InvalidParameterValue"
LOST_ASSOCIATION = "rtbassoc-00000000000000001"


def network(text):
    try:
        return ipaddress.ip_network(text) if "/" in text else None
    except ValueError:
        return None


def inside(net, blocks):
    return any(b.version == net.version and net.subnet_of(b) for b in blocks)


class Gateways(Walk):
    LOST = {"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound", "rtb": "InvalidRouteTableID.NotFound",
            "eni": "InvalidNetworkInterfaceID.NotFound", "igw": "InvalidInternetGatewayID.NotFound",
            "eigw": "InvalidGatewayID.NotFound", "nat": "NatGatewayNotFound", "pl": "InvalidPrefixListID.NotFound",
            "rtbassoc": "InvalidAssociationID.NotFound"}
    TARGETS = {**LOST, "igw": "InvalidGatewayID.NotFound", "nat": "InvalidNatGatewayID.NotFound"}  # of a route

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.vpcs, self.subnets, self.enis, self.lists = {}, {}, {}, {}
        self.tables, self.igws, self.eigws, self.nats = {}, {}, {}, {}
        self.associations = {}  # {association: Thing(table, of: ("main", vpc), ("subnet", ...), or ("igw", ...))}
        for account in (0, 1):
            self.caller = account
            vpc = self.ask("create_vpc", None, CidrBlock="10.0.0.0/16",
                           AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
            shown, = clients[account].describe_vpcs(VpcIds=[vpc])["Vpcs"]
            six = network(shown["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
            self.vpcs[vpc] = Thing(account, blocks=[network("10.0.0.0/16"), six])
            main, = clients[account].describe_route_tables()["RouteTables"]
            association, = main["Associations"]
            self.tables[main["RouteTableId"]] = Thing(account, vpc=vpc, routes={})
            self.associations[association["RouteTableAssociationId"]] = Thing(account, table=main["RouteTableId"],
                                                                              of=("main", vpc))
            for n, block in zip(range(2), six.subnets(new_prefix=64)):
                four = network(f"10.0.{n}.0/24")
                made = self.ask("create_subnet", None, VpcId=vpc, CidrBlock=str(four),
                                Ipv6CidrBlock=str(block))["Subnet"]["SubnetId"]
                self.subnets[made] = Thing(account, vpc=vpc, blocks=[four, block])
            for first in [self.create_interface] * 3 + [self.create_list] * 2 + [self.create_table] * 2 + \
                    [self.create_igw, self.create_eigw]:
                first()
            igw = next(iter(self.mine(self.igws)))
            self.ask("attach_internet_gateway", None, InternetGatewayId=igw, VpcId=vpc)
            self.igws[igw].vpc = vpc

    # ---- what routes name ----

    def create_interface(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        made = self.ask("create_network_interface", faults, SubnetId=subnet)
        if made:
            i = made["NetworkInterface"]
            self.enis[i["NetworkInterfaceId"]] = Thing(self.caller, vpc=i["VpcId"], subnet=subnet,
                                                       address=i["PrivateIpAddress"],
                                                       nat=False)

    def delete_interface(self):
        eni = self.some(self.enis, "eni")
        faults = self.lost(self.enis, eni)
        if not faults and self.enis[eni].nat:
            faults = {"OperationNotPermitted"}
        self.ask("delete_network_interface", faults, NetworkInterfaceId=eni)
        if not faults:
            del self.enis[eni]

    def create_list(self):
        if len(self.mine(self.lists)) > 3:
            return
        six = self.chance(0.5)
        made = self.ask("create_managed_prefix_list", None, PrefixListName="l", MaxEntries=2,
                        AddressFamily="IPv6" if six else "IPv4",
                        Entries=[{"Cidr": "2001:db8:7::/48" if six
                                  else "203.0.113.0/24"}])["PrefixList"]["PrefixListId"]
        self.lists[made] = Thing(self.caller, six=six)

    def delete_list(self):
        pl = self.some(self.lists, "pl")
        faults = self.lost(self.lists, pl)
        if not faults and any(pl in t.routes for t in self.tables.values()):
            faults = {"DependencyViolation"}
        self.ask("delete_managed_prefix_list", faults, PrefixListId=pl)
        if not faults:
            del self.lists[pl]

    def create_igw(self):
        if len(self.mine(self.igws)) < 3:
            made = self.ask("create_internet_gateway", None)["InternetGateway"]["InternetGatewayId"]
            self.igws[made] = Thing(self.caller, vpc=None)

    def delete_igw(self):
        igw = self.some(self.igws, "igw")
        faults = self.lost(self.igws, igw)
        if not faults and self.igws[igw].vpc:
            faults = {"DependencyViolation"}
        self.ask("delete_internet_gateway", faults, InternetGatewayId=igw)
        if not faults:
            del self.igws[igw]

    def move_igw(self):
        igw, vpc, attach = self.some(self.igws, "igw"), self.some(self.vpcs, "vpc"), self.chance(0.6)
        faults = self.lost(self.igws, igw) | self.lost(self.vpcs, vpc)
        if not faults and attach:
            if self.igws[igw].vpc:
                faults.add("Resource.AlreadyAssociated")
            if any(g.vpc == vpc for i, g in self.igws.items() if i != igw):
                faults.add(WORST)
        elif not faults and self.igws[igw].vpc != vpc:
            faults = {"Gateway.NotAttached"}
        elif not faults and self.association_of("igw", igw):
            faults = {"DependencyViolation"}
        self.ask("attach_internet_gateway" if attach else "detach_internet_gateway", faults, InternetGatewayId=igw,
                 VpcId=vpc)
        if not faults:
            self.igws[igw].vpc = vpc if attach else None

    def create_eigw(self):
        if len(self.mine(self.eigws)) > 2:
            return
        vpc = self.some(self.vpcs, "vpc")
        faults = self.lost(self.vpcs, vpc)
        made = self.ask("create_egress_only_internet_gateway", faults, VpcId=vpc)
        if made:
            self.eigws[made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]] = Thing(self.caller, vpc=vpc)

    def delete_eigw(self):
        eigw = self.some(self.eigws, "eigw")
        faults = self.lost(self.eigws, eigw)
        self.ask("delete_egress_only_internet_gateway", faults, EgressOnlyInternetGatewayId=eigw)
        if not faults:
            del self.eigws[eigw]

    def create_nat(self):
        if len(self.mine(self.nats)) > 5:
            return
        subnet, said = self.some(self.subnets, "subnet"), {"ConnectivityType": self.pick("private", "private",
                                                                                         "private", "secret")}
        faults = self.lost(self.subnets, subnet)
        if said["ConnectivityType"] == "secret":
            faults = faults | {WORST}
        if self.chance(0.4):
            said["PrivateIpAddress"] = self.pick("10.0.0.77", "10.0.1.77", "10.0.0.78", "10.0.1.3", "10.0.1.255")
            address = ipaddress.IPv4Address(said["PrivateIpAddress"])
            if not self.lost(self.subnets, subnet):
                if address not in self.subnets[subnet].blocks[0] or int(address) % 256 in (3, 255):
                    faults = faults | {WORST}
                elif any(e.subnet == subnet and e.address == said["PrivateIpAddress"] for e in self.enis.values()):
                    faults = faults | {"InvalidIPAddress.InUse"}
        if self.chance(0.1):
            said["AllocationId"] = "eipalloc-00000000000000001"
            faults = faults | {"InvalidParameterCombination"}
        made = self.ask("create_nat_gateway", faults, SubnetId=subnet, **said)
        if made:
            g = made["NatGateway"]
            a, = g["NatGatewayAddresses"]
            assert a["PrivateIp"] == said.get("PrivateIpAddress", a["PrivateIp"]) and g["ConnectivityType"] == "private"
            vpc = self.subnets[subnet].vpc
            self.nats[g["NatGatewayId"]] = Thing(self.caller, vpc=vpc, subnet=subnet, eni=a["NetworkInterfaceId"],
                                                 address=a["PrivateIp"], state="available")
            self.enis[a["NetworkInterfaceId"]] = Thing(self.caller, vpc=vpc, subnet=subnet, address=a["PrivateIp"],
                                                       nat=True)

    def delete_nat(self):
        nat = self.some(self.nats, "nat")
        faults = self.lost(self.nats, nat)
        self.ask("delete_nat_gateway", faults, NatGatewayId=nat)
        if not faults and self.nats[nat].state == "available":
            self.nats[nat].state = "deleted"
            del self.enis[self.nats[nat].eni]

    # ---- tables and whom they serve ----

    def association_of(self, kind, of):
        return next((a for a, x in self.associations.items() if x.of == (kind, of)), None)

    def served(self, table, *kinds):
        return any(x.table == table and x.of[0] in kinds for x in self.associations.values())

    def suits_gateway(self, table):
        """A gateway's routes lead parts of its VPC to interfaces, and it is nobody else's."""
        t = self.tables[table]
        routes = all(network(to) and inside(network(to), self.vpcs[t.vpc].blocks) and leads.startswith("eni")
                     for to, leads in t.routes.items())
        return routes and not self.served(table, "main", "subnet")

    def create_table(self):
        if len(self.mine(self.tables)) > 4:
            return
        vpc = self.some(self.vpcs, "vpc")
        faults = self.lost(self.vpcs, vpc)
        made = self.ask("create_route_table", faults, VpcId=vpc)
        if made:
            self.tables[made["RouteTable"]["RouteTableId"]] = Thing(self.caller, vpc=vpc, routes={})

    def delete_table(self):
        table = self.some(self.tables, "rtb")
        faults = self.lost(self.tables, table)
        if not faults and self.served(table, "main", "subnet", "igw"):
            faults = {"DependencyViolation"}
        self.ask("delete_route_table", faults, RouteTableId=table)
        if not faults:
            del self.tables[table]

    def suits(self, kind, table):
        """What is wrong with the table for such a one."""
        suits = self.suits_gateway(table) if kind == "igw" else not self.served(table, "igw")
        return set() if suits else {WORST}

    def associate(self):
        table, kind = self.some(self.tables, "rtb"), self.pick("subnet", "igw", "igw")
        of = self.some(self.subnets if kind == "subnet" else self.igws, kind)
        faults = self.lost(self.tables, table)
        if of not in (known := self.mine(self.subnets if kind == "subnet" else self.igws)):
            faults = faults | {self.TARGETS[kind]}
        if not faults:
            if known[of].vpc != self.tables[table].vpc:
                faults.add(WORST)
            elif self.association_of(kind, of):
                faults.add("Resource.AlreadyAssociated")
            faults |= self.suits(kind, table)
        made = self.ask("associate_route_table", faults, RouteTableId=table,
                        **{"SubnetId" if kind == "subnet" else "GatewayId": of})
        if made:
            self.associations[made["AssociationId"]] = Thing(self.caller, table=table, of=(kind, of))

    def disassociate(self):
        wanted = self.some(self.associations, "rtbassoc")
        faults = self.lost(self.associations, wanted)
        if not faults and self.associations[wanted].of[0] == "main":
            faults = {WORST}
        self.ask("disassociate_route_table", faults, AssociationId=wanted)
        if not faults:
            del self.associations[wanted]

    def reassociate(self):
        wanted, table = self.some(self.associations, "rtbassoc"), self.some(self.tables, "rtb")
        faults = self.lost(self.associations, wanted) | self.lost(self.tables, table)
        if not faults and self.associations[wanted].table != table:
            faults = self.suits(self.associations[wanted].of[0], table)
        made = self.ask("replace_route_table_association", faults, AssociationId=wanted, RouteTableId=table)
        if made:
            old = self.associations.pop(wanted)
            assert (made["NewAssociationId"] == wanted) == (old.table == table)
            old.table = table
            self.associations[made["NewAssociationId"]] = old

    # ---- routes ----

    def destination(self, table):
        """What a route may be for, and how that is said."""
        blocks = [str(b) for s in self.mine(self.subnets).values() for b in s.blocks]
        whole = [str(b) for v in self.mine(self.vpcs).values() for b in v.blocks]
        to = self.pick("0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8", "::/0", "2001:db8::/32", "10.0.9.0/24", "nonsense",
                       *blocks * 2, *whole, *[self.some(self.lists, "pl")] * 3, *self.tables[table].routes
                       if table in self.tables else ())
        kind = "PrefixListId" if to.startswith("pl-") else "Ipv6CidrBlock" if ":" in to else "CidrBlock"
        return to, {"Destination" + kind: to}

    def target(self):
        """What it leads to, how that is said, and what is wrong with that for a table of the VPC and a family."""
        kind = self.pick("igw", "eigw", "nat", "eni", "eni", "eni")
        table = {"igw": self.igws, "eigw": self.eigws, "nat": self.nats, "eni": self.enis}[kind]
        leads = self.some(table, kind)
        named = {"igw": "GatewayId", "eigw": "EgressOnlyInternetGatewayId", "nat": "NatGatewayId",
                 "eni": "NetworkInterfaceId"}[kind]
        x = self.mine(table).get(leads)
        if not x or kind == "nat" and x.state != "available":
            return leads, {named: leads}, lambda vpc, six: {self.TARGETS[kind]}
        return leads, {named: leads}, lambda vpc, six: {WORST} if x.vpc != vpc or (kind, six) in (
            ("eigw", False), ("nat", True)) or six and getattr(x, "nat", False) else set()

    def set_route(self):
        table, replace = self.some(self.tables, "rtb"), self.chance(0.4)
        (to, said), (leads, target, wrong) = self.destination(table), self.target()
        own = replace and self.chance(0.1)  # the local route's own target
        faults = self.lost(self.tables, table) | (self.lost(self.lists, to) if to.startswith("pl-") else set())
        if to == "nonsense":
            faults = faults | {WORST}
        if own:
            target = {"LocalTarget": True}
        if not faults:
            faults = self.route_faults(self.tables[table], table, to, leads, replace, own)
            six = self.lists[to].six if to in self.lists else ":" in to
            if not own:
                faults = faults | wrong(self.tables[table].vpc, six)
        elif not own:
            faults = faults | wrong(None, None)
        self.ask("replace_route" if replace else "create_route", faults, RouteTableId=table, **said, **target)
        if faults:
            return
        if own:
            self.tables[table].routes.pop(to, None)
        else:
            self.tables[table].routes[to] = leads

    def route_faults(self, t, table, to, leads, replace, own):
        net, blocks = network(to), self.vpcs[t.vpc].blocks
        within = bool(net) and inside(net, blocks)
        if own:
            return set() if net in blocks else {WORST}
        faults = set()
        if within and not leads.startswith("eni"):
            faults.add(WORST)
        if within and net not in blocks and not replace and not any(
                s.vpc == t.vpc and net in s.blocks for s in self.subnets.values()):
            faults.add(WORST)
        if self.served(table, "igw") and not (within and leads.startswith("eni")):
            faults.add(WORST)
        there = to in t.routes or net in blocks
        if there and not replace:
            faults.add("RouteAlreadyExists")
        if replace and not there:
            faults.add(WORST)
        return faults

    def delete_route(self):
        table = self.some(self.tables, "rtb")
        to, said = self.destination(table)
        faults = self.lost(self.tables, table) | (self.lost(self.lists, to) if to.startswith("pl-") else set())
        if to == "nonsense":
            faults = faults | {WORST}
        if not faults:
            t = self.tables[table]
            if network(to) in self.vpcs[t.vpc].blocks:
                faults = {WORST}
            elif to not in t.routes:
                faults = {"InvalidRoute.NotFound"}
        self.ask("delete_route", faults, RouteTableId=table, **said)
        if not faults:
            del t.routes[to]

    def is_active(self, leads, vpc):
        """The interface of a NAT gateway leads where that does; the others are attached to nothing."""
        own = {g.eni: g for g in self.nats.values()}
        x = {**self.igws, **self.eigws, **self.nats, **own}.get(leads)
        return bool(x) and x.vpc == vpc and getattr(x, "state", "available") == "available"

    # ---- what is told ----

    def compare(self, account):
        ec2 = self.clients[account]
        tables, associations = {}, {}
        for t in ec2.describe_route_tables()["RouteTables"]:
            routes = {}
            for r in t["Routes"]:
                to = r.get("DestinationCidrBlock") or r.get("DestinationIpv6CidrBlock") or r["DestinationPrefixListId"]
                leads = [r[k] for k in ("GatewayId", "EgressOnlyInternetGatewayId", "NatGatewayId",
                                        "NetworkInterfaceId") if k in r]
                assert to not in routes and len(leads) == 1
                routes[to] = leads[0], r["State"], r["Origin"]
            tables[t["RouteTableId"]] = t["VpcId"], routes
            for a in t["Associations"]:
                of = ("main", t["VpcId"]) if a["Main"] else \
                    ("subnet", a["SubnetId"]) if "SubnetId" in a else ("igw", a["GatewayId"])
                associations[a["RouteTableAssociationId"]] = a["RouteTableId"], of
                assert a["RouteTableId"] == t["RouteTableId"]
        expected = {}
        for i, t in self.mine(self.tables, account).items():
            routes = {str(b): ("local", "active", "CreateRouteTable") for b in self.vpcs[t.vpc].blocks}
            for to, leads in t.routes.items():
                state = "active" if self.is_active(leads, t.vpc) else "blackhole"
                routes[to] = leads, state, "CreateRouteTable" if to in routes else "CreateRoute"
            expected[i] = t.vpc, routes
        assert tables == expected
        assert associations == {i: (a.table, a.of) for i, a in self.mine(self.associations, account).items()}
        self.compare_targets(account)

    def compare_targets(self, account):
        ec2 = self.clients[account]
        told = {g["InternetGatewayId"]: [a["VpcId"] for a in g["Attachments"]]
                for g in ec2.describe_internet_gateways()["InternetGateways"]}
        assert told == {i: [g.vpc] if g.vpc else [] for i, g in self.mine(self.igws, account).items()}
        told = {g["EgressOnlyInternetGatewayId"]: [a["VpcId"] for a in g["Attachments"]]
                for g in ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]}
        assert told == {i: [g.vpc] for i, g in self.mine(self.eigws, account).items()}
        told = {g["NatGatewayId"]: (g["State"], g["SubnetId"], g["NatGatewayAddresses"][0]["PrivateIp"])
                for g in ec2.describe_nat_gateways()["NatGateways"]}
        assert told == {i: (g.state, g.subnet, g.address) for i, g in self.mine(self.nats, account).items()}
        told = {i["NetworkInterfaceId"]: (i["SubnetId"], i["PrivateIpAddress"], i["RequesterManaged"])
                for i in ec2.describe_network_interfaces()["NetworkInterfaces"]}
        assert told == {i: (e.subnet, e.address, e.nat) for i, e in self.mine(self.enis, account).items()}
        told = {p["PrefixListId"]: p["AddressFamily"] for p in ec2.describe_managed_prefix_lists()["PrefixLists"]}
        assert told == {i: "IPv6" if p.six else "IPv4" for i, p in self.mine(self.lists, account).items()}

    def acts(self):
        return [(2, self.create_interface), (1, self.delete_interface), (1, self.create_list), (2, self.delete_list),
                (1, self.create_igw), (1, self.delete_igw), (3, self.move_igw), (1, self.create_eigw),
                (1, self.delete_eigw),
                (2, self.create_nat), (1, self.delete_nat), (2, self.create_table), (2, self.delete_table),
                (6, self.associate),
                (2, self.disassociate), (4, self.reassociate), (14, self.set_route), (5, self.delete_route)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (endpoint, clients):
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        Gateways(seed, clients).run(steps(80))
