# SPDX-License-Identifier: Apache-2.0
"""Random requests about instances and what they are attached to, NAT gateways, prefix lists, DHCP options and the routes that
name them, sensible and not, against a plain reference; every describe is compared, and what is refused changes nothing.

requirement: TOPO-1, NIC-1, EDGE-1, OPS-1
"""
import ipaddress
import random

import pytest

from test_policy_random import attempt
from walks import seeds, steps

STEPS = steps(60)
BLOCK, SUBNETS = "10.0.0.0/16", ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/28"]
OUTSIDE = ["192.168.0.0/16", "0.0.0.0/0", "10.0.0.0/8"]
ENTRIES = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "10.0.1.0/24", "0.0.0.0/0"]
ATTACHABLE, LIVE, WORST = 2, ("running", "stopped"), "InvalidParameterValue"
LOST = {"i": "i-00000000000000001", "eni": "eni-00000000000000001", "subnet": "subnet-00000000000000001",
        "nat": "nat-00000000000000001", "eipalloc": "eipalloc-00000000000000001", "pl": "pl-00000000000000001",
        "dopt": "dopt-00000000000000001"}
NOT_FOUND = {"i": "InvalidInstanceID.NotFound", "eni": "InvalidNetworkInterfaceID.NotFound",
             "subnet": "InvalidSubnetID.NotFound", "eipalloc": "InvalidAllocationID.NotFound",
             "pl": "InvalidPrefixListID.NotFound", "dopt": "InvalidDhcpOptionID.NotFound"}


class Instance:
    def __init__(self, eni, protected=False):
        self.state, self.protected, self.enis = "running", protected, {0: eni}  # by device index


class Interface:
    def __init__(self, subnet, address, ends=False):
        self.subnet, self.address, self.ends = subnet, address, ends  # with its instance
        self.instance, self.check, self.managed = None, True, False


class List:
    def __init__(self, entries, most):
        self.most, self.version, self.entries, self.before = most, 1, entries, {}


class Nat:
    def __init__(self, subnet, allocation, eni):
        self.subnet, self.allocation, self.eni, self.state = subnet, allocation, eni, "available"


class Walk:
    def __init__(self, seed, ec2, vpc, gateway):
        self.rng, self.ec2, self.vpc, self.gateway = random.Random(seed), ec2, vpc, gateway
        self.refused = 0
        self.subnets = {}                # {subnet: cidr}
        self.instances, self.interfaces = {}, {}
        self.nats, self.addresses = {}, {}  # {allocation: its NAT gateway or None}
        self.lists = {}
        self.options, self.option = {}, "default"  # {set: domain name}, the VPC's
        table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        self.table, self.routes = table["RouteTableId"], {}  # {destination: target's id}; BLOCK's when it is not local

    # ---- asking ----

    def ask(self, call, expected, **arguments):
        answer, code = attempt(getattr(self.ec2, call), **arguments)
        assert code == expected, (call, arguments)
        self.refused += code is not None
        return answer

    def some(self, table, lost):
        return self.rng.choice(list(table)) if table and self.rng.random() < 0.93 else LOST[lost]

    def taken(self, subnet):
        return {i.address for i in self.interfaces.values() if i.subnet == subnet}

    def wanted(self, subnet):
        """An address to ask for, or None; and the answer to that."""
        if self.rng.random() < 0.6 or subnet not in self.subnets:
            return None, None
        net = ipaddress.IPv4Network(self.subnets[subnet])
        address = str(net[self.rng.choice([0, 1, 3, 4, 5, 6, 7, 8, net.num_addresses - 1])])
        offset = int(ipaddress.IPv4Address(address)) - int(net.network_address)
        if not 4 <= offset < net.num_addresses - 1:
            return address, WORST
        return address, "InvalidIPAddress.InUse" if address in self.taken(subnet) else None

    # ---- subnets and interfaces ----

    def create_subnet(self):
        cidr = self.rng.choice(SUBNETS)
        expected = "InvalidSubnet.Conflict" if cidr in self.subnets.values() else None
        answer = self.ask("create_subnet", expected, VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone="us-east-1a")
        if answer:
            self.subnets[answer["Subnet"]["SubnetId"]] = cidr

    def delete_subnet(self):
        subnet, expected = self.some(self.subnets, "subnet"), None
        if subnet not in self.subnets:
            expected = NOT_FOUND["subnet"]
        elif self.taken(subnet):
            expected = "DependencyViolation"
        self.ask("delete_subnet", expected, SubnetId=subnet)
        if not expected:
            del self.subnets[subnet]

    def create_interface(self):
        subnet = self.some(self.subnets, "subnet")
        address, expected = self.wanted(subnet)
        if subnet not in self.subnets:
            expected = NOT_FOUND["subnet"]
        elif not expected and subnet in self.subnets and self.full(subnet):
            return
        answer = self.ask("create_network_interface", expected, SubnetId=subnet,
                          **({"PrivateIpAddress": address} if address else {}))
        if answer:
            made = answer["NetworkInterface"]
            self.interfaces[made["NetworkInterfaceId"]] = Interface(subnet, made["PrivateIpAddress"])

    def full(self, subnet):
        return len(self.taken(subnet)) >= ipaddress.IPv4Network(self.subnets[subnet]).num_addresses - 5

    def delete_interface(self):
        eni, expected = self.some(self.interfaces, "eni"), None
        i = self.interfaces.get(eni)
        if not i:
            expected = NOT_FOUND["eni"]
        elif i.managed:
            expected = "OperationNotPermitted"
        elif i.instance:
            expected = "InvalidNetworkInterface.InUse"
        self.ask("delete_network_interface", expected, NetworkInterfaceId=eni)
        if not expected:
            del self.interfaces[eni]

    def attach(self):
        eni, instance = self.some(self.interfaces, "eni"), self.some(self.instances, "i")
        index, expected = self.rng.choice([0, 1, 1, 2]), None
        i, n = self.interfaces.get(eni), self.instances.get(instance)
        if not i:
            expected = NOT_FOUND["eni"]
        elif i.managed:
            expected = "OperationNotPermitted"
        elif not n:
            expected = NOT_FOUND["i"]
        elif i.instance:
            expected = "InvalidNetworkInterface.InUse"
        elif n.state not in LIVE:
            expected = "IncorrectState"
        elif index in n.enis:
            expected = WORST
        elif index >= ATTACHABLE or len(n.enis) >= ATTACHABLE:
            expected = "AttachmentLimitExceeded"
        self.ask("attach_network_interface", expected, NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=index)
        if not expected:
            n.enis[index], i.instance = eni, instance

    def detach(self):
        attached = [e for e, i in self.interfaces.items() if i.instance]
        if not attached:
            return
        eni = self.rng.choice(attached)
        i = self.interfaces[eni]
        shown, = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
        n = self.instances[i.instance]
        expected = "OperationNotPermitted" if n.enis[0] == eni else None
        self.ask("detach_network_interface", expected, AttachmentId=shown["Attachment"]["AttachmentId"])
        if not expected:
            n.enis = {index: e for index, e in n.enis.items() if e != eni}
            i.instance = None

    # ---- instances ----

    def run_instance(self):
        if sum(n.state in LIVE for n in self.instances.values()) > 5:
            return
        subnet = self.some(self.subnets, "subnet")
        address, expected = self.wanted(subnet)
        if subnet not in self.subnets:
            expected = NOT_FOUND["subnet"]
        elif not expected and self.full(subnet):
            return
        protected = self.rng.random() < 0.2
        answer = self.ask("run_instances", expected, MinCount=1, MaxCount=1, SubnetId=subnet,
                          DisableApiTermination=protected, **({"PrivateIpAddress": address} if address else {}))
        if not answer:
            return
        made, = answer["Instances"]
        eni = made["NetworkInterfaces"][0]["NetworkInterfaceId"]
        assert made["State"]["Name"] == "pending" and address in (None, made["PrivateIpAddress"])
        self.interfaces[eni] = Interface(subnet, made["PrivateIpAddress"], ends=True)
        self.interfaces[eni].instance = made["InstanceId"]
        self.instances[made["InstanceId"]] = Instance(eni, protected)

    def change_state(self):
        instance, what = self.some(self.instances, "i"), self.rng.choice(["start", "stop", "stop", "reboot"])
        n, expected = self.instances.get(instance), None
        if not n:
            expected = NOT_FOUND["i"]
        elif n.state == "terminated" or (what == "reboot" and n.state != "running"):
            expected = "IncorrectInstanceState"
        self.ask(what + "_instances", expected, InstanceIds=[instance])
        if not expected and what != "reboot":
            n.state = "running" if what == "start" else "stopped"

    def terminate(self):
        instance, expected = self.some(self.instances, "i"), None
        n = self.instances.get(instance)
        if not n:
            expected = NOT_FOUND["i"]
        elif n.protected and n.state in LIVE:
            expected = "OperationNotPermitted"
        self.ask("terminate_instances", expected, InstanceIds=[instance])
        if expected or n.state == "terminated":
            return
        n.state = "terminated"
        for eni in n.enis.values():
            self.interfaces[eni].instance = None
            if self.interfaces[eni].ends:
                del self.interfaces[eni]
        n.enis = {}

    def modify(self):
        instance, expected = self.some(self.instances, "i"), None
        n, value = self.instances.get(instance), self.rng.random() < 0.5
        what = self.rng.choice(["SourceDestCheck", "DisableApiTermination"])
        if not n:
            expected = NOT_FOUND["i"]
        elif n.state == "terminated":
            expected = "IncorrectInstanceState"
        elif what == "SourceDestCheck" and len(n.enis) != 1:
            expected = "InvalidInstanceID" if n.enis else "IncorrectInstanceState"
        self.ask("modify_instance_attribute", expected, InstanceId=instance, **{what: {"Value": value}})
        if expected:
            return
        if what == "DisableApiTermination":
            n.protected = value
        else:
            self.interfaces[n.enis[0]].check = value

    # ---- NAT gateways ----

    def allocate(self):
        if len(self.addresses) < 4:
            self.addresses[self.ask("allocate_address", None, Domain="vpc")["AllocationId"]] = None

    def release(self):
        allocation, expected = self.some(self.addresses, "eipalloc"), None
        if allocation not in self.addresses:
            expected = NOT_FOUND["eipalloc"]
        elif self.addresses[allocation]:
            expected = "InvalidIPAddress.InUse"
        self.ask("release_address", expected, AllocationId=allocation)
        if not expected:
            del self.addresses[allocation]

    def create_nat(self):
        subnet, allocation = self.some(self.subnets, "subnet"), self.some(self.addresses, "eipalloc")
        expected = None
        if subnet not in self.subnets:
            expected = NOT_FOUND["subnet"]
        elif allocation not in self.addresses:
            expected = NOT_FOUND["eipalloc"]
        elif self.addresses[allocation]:
            expected = "Resource.AlreadyAssociated"
        elif self.full(subnet):
            return
        answer = self.ask("create_nat_gateway", expected, SubnetId=subnet, AllocationId=allocation)
        if answer:
            nat = answer["NatGateway"]["NatGatewayId"]
            a, = answer["NatGateway"]["NatGatewayAddresses"]
            self.nats[nat] = Nat(subnet, allocation, a["NetworkInterfaceId"])
            self.addresses[allocation] = nat
            self.interfaces[a["NetworkInterfaceId"]] = i = Interface(subnet, a["PrivateIp"])
            i.managed = True

    def delete_nat(self):
        nat = self.some(self.nats, "nat")
        n = self.nats.get(nat)
        self.ask("delete_nat_gateway", None if n else "NatGatewayNotFound", NatGatewayId=nat)
        if n and n.state == "available":
            n.state = "deleted"
            self.addresses[n.allocation] = None
            del self.interfaces[n.eni]

    # ---- prefix lists ----

    def create_list(self):
        if len(self.lists) > 3:
            return
        entries = self.rng.sample(ENTRIES, self.rng.randrange(3))
        most = self.rng.choice([1, 2, 3, 0])
        expected = WORST if not most else "PrefixListMaxEntriesExceeded" if len(entries) > most else None
        answer = self.ask("create_managed_prefix_list", expected, PrefixListName="l", AddressFamily="IPv4",
                          MaxEntries=most, Entries=[{"Cidr": e} for e in entries])
        if answer:
            self.lists[answer["PrefixList"]["PrefixListId"]] = List(entries, most)

    def modify_list(self):
        pl = self.some(self.lists, "pl")
        l, more, less = self.lists.get(pl), self.rng.choice(ENTRIES), self.rng.choice(ENTRIES)
        if more == less:
            return
        version = l.version if l and self.rng.random() < 0.85 else 7777
        add, remove = self.rng.choice([([more], []), ([], [less]), ([more], [less])])
        expected, entries = None, []
        if not l:
            expected = NOT_FOUND["pl"]
        else:
            entries = [e for e in l.entries if e not in remove] + add
            if version != l.version:
                expected = "PrefixListVersionMismatch"
            elif any(e not in l.entries for e in remove) or any(e in l.entries for e in add):
                expected = "InvalidPrefixListModification"
            elif len(entries) > l.most:
                expected = "PrefixListMaxEntriesExceeded"
        self.ask("modify_managed_prefix_list", expected, PrefixListId=pl, CurrentVersion=version,
                 **({"AddEntries": [{"Cidr": c} for c in add]} if add else {}),
                 **({"RemoveEntries": [{"Cidr": c} for c in remove]} if remove else {}))
        if not expected:
            self.next_version(l, entries)

    @staticmethod
    def next_version(l, entries):
        l.before[l.version] = l.entries
        l.version, l.entries = l.version + 1, entries

    def restore_list(self):
        pl = self.some(self.lists, "pl")
        l = self.lists.get(pl)
        version = l.version if l and self.rng.random() < 0.85 else 7777
        back, expected = self.rng.choice([*(l.before if l else ()), 8888]), None
        if not l:
            expected = NOT_FOUND["pl"]
        elif version != l.version:
            expected = "PrefixListVersionMismatch"
        elif back not in l.before:
            expected = "InvalidPrefixListVersion.NotFound"
        self.ask("restore_managed_prefix_list_version", expected, PrefixListId=pl, PreviousVersion=back,
                 CurrentVersion=version)
        if not expected:
            self.next_version(l, l.before[back])

    def delete_list(self):
        pl = self.some(self.lists, "pl")
        expected = NOT_FOUND["pl"] if pl not in self.lists else "DependencyViolation" if pl in self.routes else None
        self.ask("delete_managed_prefix_list", expected, PrefixListId=pl)
        if not expected:
            del self.lists[pl]

    # ---- DHCP options ----

    def create_options(self):
        if len(self.options) > 3:
            return
        key, value = self.rng.choice([("domain-name", "a.example"), ("domain-name", "b.example"), ("nonsense", "x"),
                                      ("ntp-servers", "nowhere")])
        answer = self.ask("create_dhcp_options", None if key == "domain-name" else WORST,
                          DhcpConfigurations=[{"Key": key, "Values": [value]}])
        if answer:
            self.options[answer["DhcpOptions"]["DhcpOptionsId"]] = value

    def use_options(self):
        dopt = self.some([*self.options, "default"], "dopt")
        expected = None if dopt in self.options or dopt == "default" else NOT_FOUND["dopt"]
        self.ask("associate_dhcp_options", expected, DhcpOptionsId=dopt, VpcId=self.vpc)
        if not expected:
            self.option = dopt

    def delete_options(self):
        dopt = self.some(self.options, "dopt")
        expected = NOT_FOUND["dopt"] if dopt not in self.options else "DependencyViolation" if dopt == self.option else None
        self.ask("delete_dhcp_options", expected, DhcpOptionsId=dopt)
        if not expected:
            del self.options[dopt]

    # ---- routes ----

    def target(self):
        """What is asked for, what it would lead to, and the answer."""
        kind = self.rng.choice(["GatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId", "InstanceId"])
        if kind == "GatewayId":
            return {kind: self.gateway}, self.gateway, None
        if kind == "NatGatewayId":
            nat = self.some(self.nats, "nat")
            there = nat in self.nats and self.nats[nat].state == "available"
            return {kind: nat}, nat, None if there else "InvalidNatGatewayID.NotFound"
        if kind == "NetworkInterfaceId":
            eni = self.some(self.interfaces, "eni")
            return {kind: eni}, eni, None if eni in self.interfaces else NOT_FOUND["eni"]
        instance = self.some(self.instances, "i")
        n = self.instances.get(instance)
        if not n:
            return {kind: instance}, None, NOT_FOUND["i"]
        if len(n.enis) != 1:
            return {kind: instance}, None, "InvalidInstanceID" if n.enis else "IncorrectInstanceState"
        return {kind: instance}, n.enis[0], None

    def set_route(self):
        where = self.rng.choice([*OUTSIDE, BLOCK, "10.0.9.0/24", *SUBNETS, self.some(self.lists, "pl")])
        replace, (target, leads, unknown) = self.rng.random() < 0.4, self.target()
        inside = where == BLOCK or where.startswith("10.0.") and where != "10.0.0.0/8"
        own = where == BLOCK and replace and self.rng.random() < 0.3  # the local route's own target
        expected = unknown
        if where.startswith("pl-") and where not in self.lists:
            expected = NOT_FOUND["pl"]
        elif own:
            target, expected = {"LocalTarget": True}, None
        elif inside and not {"NetworkInterfaceId", "InstanceId"} & target.keys():
            expected = WORST
        elif where == BLOCK and not replace:
            expected = "RouteAlreadyExists"
        elif inside and not replace and where not in self.subnets.values():
            expected = WORST
        elif not expected and replace and where not in self.routes and where != BLOCK:
            expected = WORST
        elif not expected and not replace and where in self.routes:
            expected = "RouteAlreadyExists"
        named = "DestinationPrefixListId" if where.startswith("pl-") else "DestinationCidrBlock"
        self.ask("replace_route" if replace else "create_route", expected, RouteTableId=self.table, **{named: where},
                 **target)
        if own:
            self.routes.pop(BLOCK, None)
        elif not expected:
            self.routes[where] = leads

    def delete_route(self):
        where = self.rng.choice([*self.routes, *OUTSIDE, BLOCK])
        expected = WORST if where == BLOCK else None if where in self.routes else "InvalidRoute.NotFound"
        named = "DestinationPrefixListId" if where.startswith("pl-") else "DestinationCidrBlock"
        self.ask("delete_route", expected, RouteTableId=self.table, **{named: where})
        if not expected:
            del self.routes[where]

    def is_active(self, target):
        if target == self.gateway:
            return True
        if target in self.nats:
            return self.nats[target].state == "available"
        i = self.interfaces.get(target)
        if not i:
            return False
        if i.managed:
            return False
        return bool(i.instance) and self.instances[i.instance].state == "running"

    # ---- what is told ----

    def compare(self):
        here = [{"Name": "vpc-id", "Values": [self.vpc]}]
        told = {s["SubnetId"]: (s["CidrBlock"], s["AvailableIpAddressCount"])
                for s in self.ec2.describe_subnets(Filters=here)["Subnets"]}
        assert told == {s: (c, ipaddress.IPv4Network(c).num_addresses - 5 - len(self.taken(s)))
                        for s, c in self.subnets.items()}
        told = {i["NetworkInterfaceId"]: (i["SubnetId"], i["PrivateIpAddress"], i["SourceDestCheck"],
                                          i.get("Attachment", {}).get("InstanceId"), i["RequesterManaged"])
                for i in self.ec2.describe_network_interfaces(Filters=here)["NetworkInterfaces"]}
        assert told == {e: (i.subnet, i.address, i.check and not i.managed, i.instance, i.managed)
                        for e, i in self.interfaces.items()}
        self.compare_instances()
        told = {g["NatGatewayId"]: (g["State"], g["SubnetId"], g["NatGatewayAddresses"][0]["AllocationId"])
                for g in self.ec2.describe_nat_gateways(Filters=here)["NatGateways"]}
        assert told == {n: (g.state, g.subnet, g.allocation) for n, g in self.nats.items()}
        told = {p["PrefixListId"]: (p["MaxEntries"], p["Version"])
                for p in self.ec2.describe_managed_prefix_lists(PrefixListIds=[*self.lists])["PrefixLists"]
                } if self.lists else {}
        assert told == {p: (l.most, l.version) for p, l in self.lists.items()}
        for p, l in self.lists.items():
            version = self.rng.choice([l.version, *l.before])
            told = self.ec2.get_managed_prefix_list_entries(PrefixListId=p, TargetVersion=version)["Entries"]
            assert sorted(e["Cidr"] for e in told) == sorted(l.before.get(version, l.entries))
        told = {d["DhcpOptionsId"]: d["DhcpConfigurations"][0]["Values"][0]["Value"]
                for d in self.ec2.describe_dhcp_options()["DhcpOptions"] if d["DhcpOptionsId"] != "default"}
        assert told == self.options
        assert self.ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]["DhcpOptionsId"] == self.option
        self.compare_routes()

    def compare_instances(self):
        told = {}
        for r in self.ec2.describe_instances(InstanceIds=[*self.instances])["Reservations"] if self.instances else []:
            for i in r["Instances"]:
                enis = {n["Attachment"]["DeviceIndex"]: n["NetworkInterfaceId"] for n in i["NetworkInterfaces"]}
                told[i["InstanceId"]] = i["State"]["Name"], enis, i.get("PrivateIpAddress")
        assert told == {i: (n.state, n.enis, self.interfaces[n.enis[0]].address if n.enis else None)
                        for i, n in self.instances.items()}

    def compare_routes(self):
        told = {}
        table, = self.ec2.describe_route_tables(RouteTableIds=[self.table])["RouteTables"]
        assert table["Routes"][0]["DestinationCidrBlock"] == BLOCK
        for r in table["Routes"]:
            where = r.get("DestinationCidrBlock") or r["DestinationPrefixListId"]
            leads = r.get("NetworkInterfaceId") or r.get("NatGatewayId") or r["GatewayId"]
            told[where] = leads, r["State"] == "active", r["Origin"]
        expected = {w: (t, self.is_active(t), "CreateRoute") for w, t in self.routes.items()}
        own = self.routes.get(BLOCK)
        expected[BLOCK] = own or "local", self.is_active(own) if own else True, "CreateRouteTable"
        assert told == expected

    def run(self):
        acts = [self.create_subnet, self.delete_subnet] + [self.create_interface, self.delete_interface] + \
            [self.attach] * 3 + [self.detach] + [self.run_instance] * 3 + [self.change_state] * 3 + [self.terminate] + \
            [self.modify] * 2 + [self.allocate, self.release] + [self.create_nat] * 2 + [self.delete_nat] + \
            [self.create_list, self.modify_list, self.modify_list, self.restore_list, self.delete_list] + \
            [self.create_options, self.use_options, self.delete_options] + [self.set_route] * 7 + [self.delete_route]
        for first in [self.create_subnet] * 4 + [self.run_instance] * 3 + [self.allocate, self.create_list,
                                                                            self.create_options]:
            first()
        for _ in range(STEPS):
            act = self.rng.choice(acts)
            act()
            self.compare()
        assert STEPS / 8 < self.refused < STEPS * 7 / 8  # a walk that never gets anywhere proves nothing

    def clean(self):
        """What the VPC's own end does not take."""
        table, = self.ec2.describe_route_tables(RouteTableIds=[self.table])["RouteTables"]
        for r in table["Routes"][1:]:
            named = {k: r[k] for k in ("DestinationCidrBlock", "DestinationPrefixListId") if k in r}
            self.ec2.delete_route(RouteTableId=self.table, **named)
        for nat, g in self.nats.items():
            if g.state == "available":
                self.ec2.delete_nat_gateway(NatGatewayId=nat)
        for allocation in self.addresses:
            self.ec2.release_address(AllocationId=allocation)
        for pl in self.lists:
            self.ec2.delete_managed_prefix_list(PrefixListId=pl)
        self.ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=self.vpc)
        for dopt in self.options:
            self.ec2.delete_dhcp_options(DhcpOptionsId=dopt)


@pytest.fixture
def gateway(ec2, vpc):
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    yield made
    ec2.detach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=made)


@pytest.mark.parametrize("seed", seeds(2))
def test_random_requests(ec2, edge, vpc, gateway, seed):
    walk = Walk(seed, ec2, vpc, gateway)
    try:
        walk.run()
    finally:
        walk.clean()
