# SPDX-License-Identifier: Apache-2.0
"""Random requests about VPCs and their blocks, subnets, interfaces and their addresses, peerings and egress-only gateways,
of two accounts, sensible and not, against a plain reference; every describe is compared, and what is refused changes
nothing.

requirement: TOPO-1, NIC-1, NIC-3, OPS-1
"""
import ipaddress
import random

import pytest

from test_policy_random import attempt
from walks import seeds, steps

STEPS = steps(100)
VPC_CIDRS = ["10.0.0.0/16", "10.0.0.0/20", "10.1.0.0/16", "10.2.0.0/28", "10.0.0.0/15", "10.3.0.0/29", "127.0.0.0/16",
             "224.0.0.0/16", "10.0.0.0", "nonsense"]
SUBNET_CIDRS = ["10.0.0.0/28", "10.0.0.16/28", "10.0.0.0/27", "10.0.32.0/24", "10.1.0.0/24", "10.1.0.0/29",
                "10.2.0.0/28", "192.168.0.0/24", "nonsense"]
ZONES = {None: "us-east-1a", "us-east-1b": "us-east-1b", "use1-az3": "us-east-1c"}
HOSTS = ["%s.%d" % (net, n) for net in ("10.0.0", "10.1.0") for n in (2, 4, 5, 6, 15, 20, 21)] + ["nonsense"]
BLOCKS, WORST = 5, "InvalidParameterValue"


def network(text):
    """The block that the text says, or None."""
    try:
        return ipaddress.IPv4Network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def is_block(net):
    """/16 to /28 of addresses that hosts may have."""
    excluded = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
    return 16 <= net.prefixlen <= 28 and not any(net.overlaps(ipaddress.IPv4Network(x)) for x in excluded)


class Subnet:
    def __init__(self, vpc, cidr, zone):
        self.vpc, self.cidr, self.zone = vpc, cidr, zone


class Reference:
    """What there is, and what the rules say to a request: an error code or None."""

    def __init__(self):
        self.vpcs = {}        # {vpc: [block, ...]}, the primary one first
        self.owners = {}      # {vpc: account's number}
        self.subnets = {}     # {subnet: Subnet}
        self.interfaces = {}  # {interface: (subnet, [address, ...])}
        self.peerings = {}    # {peering: (requester, accepter, state)}
        self.gateways = {}    # {egress-only gateway: vpc}

    def peered(self, vpc, states=("active", "pending-acceptance")):
        for a, b, state in self.peerings.values():
            if vpc in (a, b) and state in states:
                yield b if vpc == a else a

    def overlap(self, a, b):
        return any(x.overlaps(y) for x in self.vpcs[a] for y in self.vpcs[b])

    def create_vpc(self, cidr):
        net = network(cidr)
        return WORST if not net else None if is_block(net) else "InvalidVpc.Range"

    def delete_vpc(self, vpc):
        used = any(s.vpc == vpc for s in self.subnets.values()) or vpc in self.gateways.values()
        return "DependencyViolation" if used or any(self.peered(vpc)) else None

    def add_block(self, vpc, cidr):
        net = network(cidr)
        if not net:
            return WORST
        others = [b for peer in self.peered(vpc, ["active"]) for b in self.vpcs[peer]]
        if not is_block(net) or any(net.overlaps(b) for b in self.vpcs[vpc] + others):
            return "InvalidVpc.Range"
        return "CidrLimitExceeded" if len(self.vpcs[vpc]) >= BLOCKS else None

    def drop_block(self, vpc, n):
        if not n:
            return "OperationNotPermitted"
        block = self.vpcs[vpc][n]
        used = any(s.vpc == vpc and s.cidr.subnet_of(block) for s in self.subnets.values())
        return "InvalidCidrBlock.InUse" if used else None

    def create_subnet(self, vpc, cidr, zone):
        net = network(cidr)
        if zone not in ZONES or not net:
            return WORST
        if not is_block(net) or not any(net.subnet_of(b) for b in self.vpcs[vpc]):
            return "InvalidSubnet.Range"
        taken = any(s.vpc == vpc and s.cidr.overlaps(net) for s in self.subnets.values())
        return "InvalidSubnet.Conflict" if taken else None

    def delete_subnet(self, subnet):
        return "DependencyViolation" if any(s == subnet for s, _ in self.interfaces.values()) else None

    def usable(self, subnet, text):
        """Whether a node there may have the address."""
        cidr = self.subnets[subnet].cidr
        if text == "nonsense" or ipaddress.IPv4Address(text) not in cidr:
            return False
        offset = int(ipaddress.IPv4Address(text)) - int(cidr.network_address)
        return 4 <= offset < cidr.num_addresses - 1

    def holder(self, subnet, text):
        return next((i for i, (s, addresses) in self.interfaces.items() if s == subnet and text in addresses), None)

    def create_interface(self, subnet, text):
        if text is None:
            return None
        if not self.usable(subnet, text):
            return WORST
        return "InvalidIPAddress.InUse" if self.holder(subnet, text) else None

    def assign(self, interface, text, take):
        subnet, mine = self.interfaces[interface]
        if not self.usable(subnet, text):
            return WORST
        other = self.holder(subnet, text)
        if other is None or other == interface:
            return None
        return None if take and self.interfaces[other][1][0] != text else WORST

    def peer(self, requester, accepter):
        for a, b, state in self.peerings.values():
            if {a, b} == {requester, accepter} and state in ("active", "pending-acceptance"):
                again = state == "pending-acceptance" and a == requester
                return None if again else "VpcPeeringConnectionAlreadyExists"
        return None


class Walk:
    def __init__(self, seed, clients):
        self.rng = random.Random(seed)
        self.clients = clients  # by account's number
        self.parties = {}       # {peering: the accounts of requester and accepter}
        self.ref = Reference()
        self.refused = 0

    def choose(self, table, lost):
        return self.rng.choice(list(table)) if table and self.rng.random() < 0.92 else lost

    def ask(self, name, expected, account=None, **arguments):
        """Makes the call as the account, and expects that answer; a stranger is told that there is no such thing."""
        call = getattr(self.clients[0 if account is None else account], name)
        answer, code = attempt(call, **arguments)
        assert code == expected, (name, arguments)
        self.refused += code is not None
        return answer

    # ---- what may be asked ----

    def create_vpc(self):
        cidr, owner = self.rng.choice(VPC_CIDRS[:4] + VPC_CIDRS), self.rng.randrange(2)
        answer = self.ask("create_vpc", self.ref.create_vpc(cidr), owner, CidrBlock=cidr)
        if answer:
            vpc = answer["Vpc"]["VpcId"]
            self.ref.vpcs[vpc], self.ref.owners[vpc] = [network(cidr)], owner

    def delete_vpc(self):
        vpc, lost = self.vpc_and_whether_lost()
        expected = lost or self.ref.delete_vpc(vpc)
        if self.ask("delete_vpc", expected, self.account(vpc, lost), VpcId=vpc) and not expected:
            del self.ref.vpcs[vpc], self.ref.owners[vpc]

    def vpc_and_whether_lost(self):
        """One that there is, of an account that may be another's; or one that there is not."""
        vpc = self.choose(self.ref.vpcs, "vpc-00000000000000001")
        self.stranger = self.rng.random() < 0.1
        return vpc, "InvalidVpcID.NotFound" if self.stranger or vpc not in self.ref.vpcs else None

    def account(self, vpc, lost=None):
        owner = self.ref.owners.get(vpc, 0)
        return 1 - owner if lost and self.stranger else owner

    def add_block(self):
        vpc, lost = self.vpc_and_whether_lost()
        cidr = self.rng.choice(VPC_CIDRS[:4] + VPC_CIDRS + ["172.16.%d.0/24" % self.rng.randrange(8)] * 3)
        of_peers = [str(b) for peer in self.ref.peered(vpc) for b in self.ref.vpcs[peer]]
        if of_peers and self.rng.random() < 0.5:
            cidr = self.rng.choice(of_peers)
        answer = self.ask("associate_vpc_cidr_block", lost or self.ref.add_block(vpc, cidr), self.account(vpc, lost),
                          VpcId=vpc, CidrBlock=cidr)
        if answer:
            self.ref.vpcs[vpc].append(network(cidr))

    def drop_block(self):
        if not self.ref.vpcs:
            return
        vpc = self.rng.choice(list(self.ref.vpcs))
        client = self.clients[self.ref.owners[vpc]]
        n = self.rng.randrange(len(self.ref.vpcs[vpc]))
        shown = client.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlockAssociationSet"]
        expected = self.ref.drop_block(vpc, n)
        if self.ask("disassociate_vpc_cidr_block", expected, self.ref.owners[vpc],
                    AssociationId=shown[n]["AssociationId"]):
            del self.ref.vpcs[vpc][n]

    def create_subnet(self):
        vpc, lost = self.vpc_and_whether_lost()
        cidr, zone = self.rng.choice(SUBNET_CIDRS), self.rng.choice(list(ZONES) * 3 + ["eu-west-9z"])
        inside = [c for c in SUBNET_CIDRS[:-1] if any(network(c).subnet_of(b) for b in self.ref.vpcs.get(vpc, []))]
        if inside and self.rng.random() < 0.7:
            cidr = self.rng.choice(inside)
        place = {} if zone is None else {"AvailabilityZoneId" if "az" in zone else "AvailabilityZone": zone}
        answer = self.ask("create_subnet", lost or self.ref.create_subnet(vpc, cidr, zone), self.account(vpc, lost),
                          VpcId=vpc, CidrBlock=cidr, **place)
        if answer:
            self.ref.subnets[answer["Subnet"]["SubnetId"]] = Subnet(vpc, network(cidr), ZONES[zone])

    def delete_subnet(self):
        subnet = self.choose(self.ref.subnets, "subnet-00000000000000001")
        there = subnet in self.ref.subnets
        expected = self.ref.delete_subnet(subnet) if there else "InvalidSubnetID.NotFound"
        owner = self.ref.owners[self.ref.subnets[subnet].vpc] if there else 0
        self.ask("delete_subnet", expected, owner, SubnetId=subnet)
        if not expected:
            del self.ref.subnets[subnet]

    def owner_of(self, interface):
        return self.ref.owners[self.ref.subnets[self.ref.interfaces[interface][0]].vpc]

    def create_interface(self):
        subnet = self.choose(self.ref.subnets, "subnet-00000000000000001")
        there = subnet in self.ref.subnets
        inside = [h for h in HOSTS if there and self.ref.usable(subnet, h)]
        text = self.rng.choice(HOSTS + inside * 4 + [None] * 6)
        expected = self.ref.create_interface(subnet, text) if there else "InvalidSubnetID.NotFound"
        owner = self.ref.owners[self.ref.subnets[subnet].vpc] if there else 0
        answer = self.ask("create_network_interface", expected, owner, SubnetId=subnet,
                          **({"PrivateIpAddress": text} if text else {}))
        if answer:
            made = answer["NetworkInterface"]
            given = made["PrivateIpAddress"]
            assert text in (None, given) and self.ref.usable(subnet, given) and not self.ref.holder(subnet, given)
            self.ref.interfaces[made["NetworkInterfaceId"]] = subnet, [given]

    def delete_interface(self):
        interface = self.choose(self.ref.interfaces, "eni-00000000000000001")
        there = interface in self.ref.interfaces
        self.ask("delete_network_interface", None if there else "InvalidNetworkInterfaceID.NotFound",
                 self.owner_of(interface) if there else 0, NetworkInterfaceId=interface)
        self.ref.interfaces.pop(interface, None)

    def assign(self):
        if not self.ref.interfaces:
            return
        interface = self.rng.choice(list(self.ref.interfaces))
        held = [a for s, addresses in self.ref.interfaces.values() if s == self.ref.interfaces[interface][0]
                for a in addresses]
        inside = [h for h in HOSTS if self.ref.usable(self.ref.interfaces[interface][0], h)]
        text, take = self.rng.choice(HOSTS + (inside + held) * 4), self.rng.random() < 0.5
        expected = self.ref.assign(interface, text, take)
        self.ask("assign_private_ip_addresses", expected, self.owner_of(interface), NetworkInterfaceId=interface,
                 PrivateIpAddresses=[text], AllowReassignment=take)
        subnet, mine = self.ref.interfaces[interface]
        if expected or text in mine:
            return
        other = self.ref.holder(subnet, text)
        if other:
            self.ref.interfaces[other][1].remove(text)
        mine.append(text)

    def unassign(self):
        if not self.ref.interfaces:
            return
        interface = self.rng.choice(list(self.ref.interfaces))
        mine = self.ref.interfaces[interface][1]
        text = self.rng.choice(mine + HOSTS[:2])
        expected = None if text in mine[1:] else WORST
        self.ask("unassign_private_ip_addresses", expected, self.owner_of(interface), NetworkInterfaceId=interface,
                 PrivateIpAddresses=[text])
        if not expected:
            mine.remove(text)

    def peer(self):
        if not self.ref.vpcs:
            return
        a, b = self.rng.choice(list(self.ref.vpcs)), self.rng.choice(list(self.ref.vpcs))
        apart = [v for v in self.ref.vpcs if not self.ref.overlap(a, v)]
        if apart and self.rng.random() < 0.8:
            b = self.rng.choice(apart)
        expected = self.ref.peer(a, b)
        answer = self.ask("create_vpc_peering_connection", expected, self.ref.owners[a], VpcId=a, PeerVpcId=b,
                          PeerOwnerId="%d" % (111111111111 * (1 + self.ref.owners[b])))
        if answer:
            p = answer["VpcPeeringConnection"]["VpcPeeringConnectionId"]
            self.ref.peerings.setdefault(p, (a, b, "failed" if self.ref.overlap(a, b) else "pending-acceptance"))
            self.parties[p] = self.ref.owners[a], self.ref.owners[b]

    def answer_peering(self):
        if not self.ref.peerings:
            return
        p = self.rng.choice([p for p in self.ref.peerings if self.ref.peerings[p][2] == "pending-acceptance"] * 8 +
                            list(self.ref.peerings)[-2:])
        a, b, state = self.ref.peerings[p]
        what = self.rng.choice(["accept", "accept", "reject", "delete"])
        requester, accepter = self.parties[p]
        account = self.rng.choice([0, 1, accepter, accepter])
        expected, to = None, {"accept": "active", "reject": "rejected", "delete": "deleted"}[what]
        if account not in (requester, accepter):
            expected = "InvalidVpcPeeringConnectionID.NotFound"
        elif what == "delete":
            if state == "pending-acceptance" and account != requester:
                expected = "OperationNotPermitted"
            elif state not in ("pending-acceptance", "active"):
                expected = "InvalidStateTransition"
        elif account != accepter:
            expected = "OperationNotPermitted"
        elif state != "pending-acceptance":
            expected = "InvalidStateTransition"
        self.ask(what + "_vpc_peering_connection", expected, account, VpcPeeringConnectionId=p)
        if not expected:
            if what == "accept" and self.ref.overlap(a, b):
                to = "failed"  # a block that came meanwhile
            self.ref.peerings[p] = a, b, to

    def open_gateway(self):
        vpc, lost = self.vpc_and_whether_lost()
        full = list(self.ref.gateways.values()).count(vpc) >= 5
        answer = self.ask("create_egress_only_internet_gateway",
                          lost or ("EgressOnlyInternetGatewayLimitExceeded" if full else None), self.account(vpc, lost),
                          VpcId=vpc)
        if answer:
            self.ref.gateways[answer["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]] = vpc

    def close_gateway(self):
        gateway = self.choose(self.ref.gateways, "eigw-00000000000000001")
        vpc = self.ref.gateways.get(gateway)
        self.ask("delete_egress_only_internet_gateway", None if vpc else "InvalidGatewayID.NotFound",
                 self.ref.owners.get(vpc, 0), EgressOnlyInternetGatewayId=gateway)
        self.ref.gateways.pop(gateway, None)

    # ---- what is told ----

    def compare(self):
        ref = self.ref
        for account, ec2 in enumerate(self.clients):
            mine = {v for v, owner in ref.owners.items() if owner == account}
            vpcs = {v["VpcId"]: [a["CidrBlock"] for a in v["CidrBlockAssociationSet"]]
                    for v in ec2.describe_vpcs()["Vpcs"]}
            assert vpcs == {v: [str(b) for b in ref.vpcs[v]] for v in mine}
            shown = {s["SubnetId"]: (s["VpcId"], s["CidrBlock"], s["AvailabilityZone"], s["AvailableIpAddressCount"])
                     for s in ec2.describe_subnets()["Subnets"]}
            held = {s: sum(len(a) for at, a in ref.interfaces.values() if at == s) for s in ref.subnets}
            assert shown == {i: (s.vpc, str(s.cidr), s.zone, s.cidr.num_addresses - 5 - held[i])
                             for i, s in ref.subnets.items() if s.vpc in mine}
            shown = {i["NetworkInterfaceId"]: (i["SubnetId"], [a["PrivateIpAddress"] for a in i["PrivateIpAddresses"]])
                     for i in ec2.describe_network_interfaces()["NetworkInterfaces"]}
            assert shown == {i: x for i, x in ref.interfaces.items() if ref.subnets[x[0]].vpc in mine}
            shown = {p["VpcPeeringConnectionId"]: (p["RequesterVpcInfo"]["VpcId"], p["AccepterVpcInfo"]["VpcId"],
                                                   p["Status"]["Code"])
                     for p in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]}
            assert shown == {p: x for p, x in ref.peerings.items() if account in self.parties[p]}
            shown = {g["EgressOnlyInternetGatewayId"]: g["Attachments"][0]["VpcId"] for g in
                     ec2.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]}
            assert shown == {g: v for g, v in ref.gateways.items() if v in mine}

    def run(self):
        acts = [self.create_vpc] * 2 + [self.delete_vpc] + [self.add_block] * 3 + [self.drop_block] + \
            [self.create_subnet] * 2 + [self.delete_subnet] + [self.create_interface] * 3 + \
            [self.delete_interface] + [self.assign] * 5 + [self.unassign] + [self.peer] * 3 + \
            [self.answer_peering] * 3 + [self.open_gateway, self.close_gateway]
        for first in [self.create_vpc] * 6 + [self.create_subnet] * 8 + [self.create_interface] * 6:
            first()
        for _ in range(STEPS):
            self.rng.choice(acts)()
            self.compare()
        assert STEPS / 6 < self.refused < STEPS * 5 / 6  # a walk that never gets anywhere proves nothing

    def clean(self):
        ref = self.ref
        for i in ref.interfaces:
            self.clients[self.owner_of(i)].delete_network_interface(NetworkInterfaceId=i)
        for s, x in ref.subnets.items():
            self.clients[ref.owners[x.vpc]].delete_subnet(SubnetId=s)
        for g, v in ref.gateways.items():
            self.clients[ref.owners[v]].delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=g)
        for p, (a, _, state) in ref.peerings.items():
            if state in ("active", "pending-acceptance"):
                self.clients[ref.owners[a]].delete_vpc_peering_connection(VpcPeeringConnectionId=p)
        for v, owner in ref.owners.items():
            self.clients[owner].delete_vpc(VpcId=v)


@pytest.mark.parametrize("seed", seeds(2))
def test_random_requests(endpoint, ec2, other, seed):
    walk = Walk(seed, [ec2, other])
    # what a walk before left to be told for an hour
    for c in (ec2, other):
        for p in c.describe_vpc_peering_connections()["VpcPeeringConnections"]:
            sides = p["RequesterVpcInfo"], p["AccepterVpcInfo"]
            walk.ref.peerings[p["VpcPeeringConnectionId"]] = (*(s["VpcId"] for s in sides), p["Status"]["Code"])
            walk.parties[p["VpcPeeringConnectionId"]] = tuple(int(s["OwnerId"]) // 111111111111 - 1 for s in sides)
    try:
        walk.run()
    finally:
        walk.clean()
