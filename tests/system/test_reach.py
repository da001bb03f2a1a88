# SPDX-License-Identifier: Apache-2.0
"""What the analysis of reachability says, and what packets do, in networks configured at random.

    shop 10.40.0.0/16: a1 a2 (near)  a3 (far)  m (middle, sends on)  --- peering --- office 10.50.0.0/16: b1
    world --- edge1                  s: a record of near on two of their hosts

Both networks have IPv6 as well.
"""
import ipaddress
import json
import os
import random

import pytest

import lab as labs
from probes import Prober
from questions import PORTS, Questions, random_probe

LAB = {"hosts": 2, "edges": 1}
ROUNDS = int(os.environ.get("VIADUCT_REACH_ROUNDS", "4"))
PROBES = 32  # in each round
ANY4, ANY6 = "0.0.0.0/0", "::/0"
WORLD6 = "2001:db8:ffff::1"
SHARED = "10.40.1.99"
FORMATS = ("siit/1", "siit/2", "vxlan", "geneve", "reip4")
FRAMEWORKS = ["siit", "ipip6", "vxlan", "reip4", "geneve"]
NO_FORMAT = "BAD_STATE_ATTACHMENT"
SHOP = ("near", "far", "middle")


def tables_of(vpc):
    return (*SHOP,) if vpc == "shop" else ("office",)


class Net:
    """Two peered networks, everything in them under a name."""

    def __init__(self, lab):
        self.lab, self.ec2 = lab, lab.ec2
        self.vpcs, self.blocks = {}, {}
        self.subnets = {**self.make_vpc("shop", "10.40.0.0/16", SHOP), **self.make_vpc("office", "10.50.0.0/16", ("office",))}
        self.where = {s: "office" if s == "office" else "shop" for s in self.subnets}
        self.groups = {name: self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpcs[vpc])["GroupId"]
                       for name, vpc in (("red", "shop"), ("green", "shop"), ("grey", "shop"), ("blue", "office"))}
        starts = {"a1": ("near", ["red"]), "a2": ("near", ["green"]), "a3": ("far", ["red", "green"]),
                  "m": ("middle", ["grey"]), "b1": ("office", ["blue"])}
        started = {n: lab.start(self.subnets[s], wait=False, SecurityGroupIds=[self.groups[g] for g in groups])
                   for n, (s, groups) in starts.items()}
        self.make_gateways()
        self.tables = {s: self.table(s) for s in self.subnets}
        self.acls = {s: self.acl(s) for s in self.subnets}
        self.lists = {"offices": self.list("10.50.0.0/16"), "some": self.list("10.40.1.0/24", "10.50.1.0/24", "203.0.113.0/24")}
        self.nodes = {n: lab.ready(i) for n, i in started.items()}
        self.at = {n: [self.nodes[n].address, self.nodes[n].interfaces[0]["Ipv6Addresses"][0]["Ipv6Address"]] for n in starts}
        self.at["world"] = [labs.WORLD, WORLD6]
        self.at["s"] = [SHARED, None]
        for node in self.nodes.values():
            self.ready6(node)
        self.make_middle()
        self.share()
        self.probers = {n: Prober(p, PORTS) for n, p in {**self.nodes, "world": lab.world}.items()}
        labs.wait_for("the NAT gateways", lambda: all(
            g["State"] == "available" for g in self.ec2.describe_nat_gateways()["NatGateways"]))
        self.public_at, self.policies, self.apart = None, [], None

    # ---- what there is ----

    def make_vpc(self, name, block, subnets):
        vpc = self.ec2.create_vpc(CidrBlock=block, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        six = ipaddress.IPv6Network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
        self.vpcs[name] = vpc["VpcId"]
        self.blocks[name] = (block, str(six))
        made = {}
        for n, (subnet, block6) in enumerate(zip(subnets, six.subnets(new_prefix=64)), 1):
            block4 = block.replace("0.0/16", f"{n}.0/24")
            made[subnet] = self.ec2.create_subnet(VpcId=self.vpcs[name], CidrBlock=block4, Ipv6CidrBlock=str(block6),
                                                  AvailabilityZone=f"{labs.REGION}a")["Subnet"]["SubnetId"]
            self.ec2.modify_subnet_attribute(SubnetId=made[subnet], AssignIpv6AddressOnCreation={"Value": True})
            self.blocks[subnet] = (block4, str(block6))
        return made

    def make_gateways(self):
        shop, ec2 = self.vpcs["shop"], self.ec2
        self.igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=shop)
        self.egress = ec2.create_egress_only_internet_gateway(VpcId=shop)[
            "EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
        self.peering = ec2.create_vpc_peering_connection(VpcId=shop, PeerVpcId=self.vpcs["office"])[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=self.peering)
        self.public = ec2.allocate_address(Domain="vpc")
        self.nat = ec2.create_nat_gateway(
            SubnetId=self.subnets["near"],
            AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])["NatGateway"]["NatGatewayId"]
        self.private_nat = ec2.create_nat_gateway(
            SubnetId=self.subnets["middle"], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        self.idle = ec2.create_network_interface(SubnetId=self.subnets["far"])["NetworkInterface"]["NetworkInterfaceId"]
        self.entrance = ec2.create_route_table(VpcId=shop)["RouteTable"]["RouteTableId"]
        self.entrance_association = None

    def table(self, subnet):
        t = self.ec2.create_route_table(VpcId=self.vpcs[self.where[subnet]])["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=t, SubnetId=self.subnets[subnet])
        return t

    def acl(self, subnet):
        a = self.ec2.create_network_acl(VpcId=self.vpcs[self.where[subnet]])["NetworkAcl"]["NetworkAclId"]
        found = self.ec2.describe_network_acls(
            Filters=[{"Name": "association.subnet-id", "Values": [self.subnets[subnet]]}])
        association = next(x for x in found["NetworkAcls"][0]["Associations"] if x["SubnetId"] == self.subnets[subnet])
        self.ec2.replace_network_acl_association(
            AssociationId=association["NetworkAclAssociationId"], NetworkAclId=a)
        return a

    def list(self, *blocks):
        return self.ec2.create_managed_prefix_list(
            PrefixListName="blocks", AddressFamily="IPv4", MaxEntries=3,
            Entries=[{"Cidr": b} for b in blocks])["PrefixList"]["PrefixListId"]

    @staticmethod
    def ready6(node):
        def configured():
            out = labs.run("ip", "-n", node.netns, "-6", "-j", "route", "show", "default").stdout
            return json.loads(out or "[]") and "inet6" in labs.run(
                "ip", "-n", node.netns, "-6", "addr", "show", "scope", "global").stdout
        labs.wait_for(f"IPv6 in {node.netns}", configured)

    def make_middle(self):
        """It sends on what it gets, of either family, and still learns its router."""
        self.nodes["m"].run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2", "net.ipv6.conf.all.forwarding=1",
                            "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0",
                            "net.ipv4.conf.eth0.send_redirects=0")
        self.ready6(self.nodes["m"])
        self.checked = True

    def share(self):
        """One record at two nodes, on two hosts if there are nodes on both.  To them it is an address of their own."""
        other = next((n for n in ("a2", "m") if self.nodes[n].host != self.nodes["a1"].host), None)
        self.sharers = ["a1", *filter(None, [other])]
        self.shared = self.ec2.create_network_interface(
            SubnetId=self.subnets["near"], PrivateIpAddress=SHARED, Groups=[self.groups["green"]])[
                "NetworkInterface"]["NetworkInterfaceId"]
        self.lab.operate("PUT", f"/v1/interfaces/{self.shared}", {"shared": True})
        for node in (self.nodes[n] for n in self.sharers):
            self.ec2.attach_network_interface(NetworkInterfaceId=self.shared, InstanceId=node.id, DeviceIndex=1)
            labs.wait_for(f"the shared record in {node.netns}",
                          lambda: SHARED in labs.run("ip", "-n", node.netns, "rule", "show").stdout)

    def end(self):
        for one in self.probers.values():
            one.end()

    # ---- a random configuration ----

    def shuffle(self, dice):
        self.shuffle_groups(dice)
        for acl in self.acls.values():
            self.shuffle_acl(dice, acl)
        self.shuffle_routes(dice)
        self.shuffle_public(dice)
        self.shuffle_nodes(dice)
        self.shuffle_formats(dice)

    def shuffle_groups(self, dice):
        for name, g in self.groups.items():
            now = self.ec2.describe_security_groups(GroupIds=[g])["SecurityGroups"][0]
            if now["IpPermissions"]:
                self.ec2.revoke_security_group_ingress(GroupId=g, IpPermissions=now["IpPermissions"])
            if now["IpPermissionsEgress"]:
                self.ec2.revoke_security_group_egress(GroupId=g, IpPermissions=now["IpPermissionsEgress"])
            for authorize in (self.ec2.authorize_security_group_ingress, self.ec2.authorize_security_group_egress):
                rules = [self.rule(dice, name) for _ in range(dice.randint(0, 5))]
                if dice.random() < (0.9 if name == "grey" else 0.6):
                    rules = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY4}], "Ipv6Ranges": [{"CidrIpv6": ANY6}]}]
                unique = list({json.dumps(r, sort_keys=True): r for r in rules}.values())
                if unique:
                    authorize(GroupId=g, IpPermissions=unique)

    def rule(self, dice, owner):
        ports = dice.choice([(0, 65535), (80, 80), (443, 5432), (22, 80)])
        rule = {"IpProtocol": dice.choice(["tcp", "tcp", "udp"]), "FromPort": ports[0], "ToPort": ports[1]}
        if dice.random() < 0.2:
            rule = {"IpProtocol": "-1"}
        kind = dice.choice(["group", "group", "block", "block", "block6", "list"])
        if kind == "group":
            near = [g for n, g in self.groups.items() if (n == "blue") == (owner == "blue")] * 2
            rule["UserIdGroupPairs"] = [{"GroupId": dice.choice([*near, *self.groups.values()])}]
        elif kind == "block6":
            rule["Ipv6Ranges"] = [{"CidrIpv6": dice.choice([ANY6, *(b[1] for b in self.blocks.values())])}]
        elif kind == "list":
            rule["PrefixListIds"] = [{"PrefixListId": dice.choice(list(self.lists.values()))}]
        else:
            rule["IpRanges"] = [{"CidrIp": dice.choice([ANY4, "10.40.0.0/16", "10.40.1.0/24", "10.50.1.0/24",
                                                        "10.40.2.0/23"])}]
        return rule

    def shuffle_acl(self, dice, acl):
        now = self.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]
        for entry in now["Entries"]:
            if entry["RuleNumber"] < 32767:
                self.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=entry["RuleNumber"],
                                                  Egress=entry["Egress"])
        for egress in (True, False):
            for number in range(10, 10 * dice.choice([1, 1, 2, 3]), 10):
                ports = dice.choice([(80, 80), (22, 443), (5432, 5432), (1024, 65535), (32768, 45000), (40000, 60999)])
                block = {"CidrBlock": dice.choice([ANY4, "10.40.0.0/16", "10.40.1.0/24", "10.50.0.0/16"])}
                if dice.random() < 0.3:
                    block = {"Ipv6CidrBlock": dice.choice([ANY6, *(b[1] for b in self.blocks.values())])}
                self.ec2.create_network_acl_entry(
                    NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol=dice.choice(["6", "6", "17", "-1"]),
                    PortRange={"From": ports[0], "To": ports[1]}, RuleAction=dice.choice(["allow", "allow", "deny"]),
                    **block)
            for number, block in ((900, {"CidrBlock": ANY4}), (901, {"Ipv6CidrBlock": ANY6})):
                if dice.random() < 0.95:
                    self.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol="-1",
                                                      RuleAction="allow", **block)

    @staticmethod
    def destination(block):
        return {"DestinationIpv6CidrBlock" if ":" in block else "DestinationCidrBlock": block}

    def clear(self, table):
        for route in self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]:
            if route.get("GatewayId") != "local":
                self.ec2.delete_route(RouteTableId=table, **{k: v for k, v in route.items() if k in (
                    "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")})

    def lead(self, table, block, **target):
        self.ec2.create_route(RouteTableId=table, **self.destination(block), **target)

    def shuffle_routes(self, dice):
        middle = {"NetworkInterfaceId": self.nodes["m"].interface}
        black = {"NetworkInterfaceId": self.idle}
        peering = {"VpcPeeringConnectionId": self.peering}
        for subnet, table in self.tables.items():
            self.clear(table)
            far = self.blocks["shop" if subnet == "office" else "office"]
            by = [peering] * 6 if subnet == "office" else [peering] * 6 + [{"NatGatewayId": self.private_nat}, black, middle]
            if dice.random() < 0.8:
                if subnet != "office" and dice.random() < 0.2:
                    self.ec2.create_route(RouteTableId=table, DestinationPrefixListId=self.lists["offices"], **dice.choice(by))
                else:
                    self.lead(table, far[0], **dice.choice(by))
            if dice.random() < 0.8:
                self.lead(table, far[1], **dice.choice([b for b in by if "NatGatewayId" not in b]))
            if subnet == "office":
                continue
            out = [{"GatewayId": self.igw}] * 4 + ([middle, middle] if subnet != "middle" else []) + [black]
            if dice.random() < 0.8:
                self.lead(table, ANY4, **dice.choice([*out, *[{"NatGatewayId": self.nat}] * 3]))
            if dice.random() < 0.8:
                self.lead(table, ANY6, **dice.choice([*out, *[{"EgressOnlyInternetGatewayId": self.egress}] * 3]))
            for other in ("near", "far"):
                for family in (0, 1):
                    if subnet not in ("middle", other) and dice.random() < 0.3:
                        self.lead(table, self.blocks[other][family], **middle)
        self.shuffle_entrance(dice, middle)

    def shuffle_entrance(self, dice, middle):
        self.clear(self.entrance)
        for subnet in ("near", "far"):
            for family in (0, 1):
                if dice.random() < 0.5:
                    self.lead(self.entrance, self.blocks[subnet][family], **middle)
        wanted = dice.random() < 0.4
        if wanted and not self.entrance_association:
            self.entrance_association = self.ec2.associate_route_table(
                RouteTableId=self.entrance, GatewayId=self.igw)["AssociationId"]
        elif self.entrance_association and not wanted:
            self.ec2.disassociate_route_table(AssociationId=self.entrance_association)
            self.entrance_association = None

    def shuffle_public(self, dice):
        now = self.ec2.describe_addresses(AllocationIds=[self.public["AllocationId"]])["Addresses"][0]
        if "AssociationId" in now:
            self.ec2.disassociate_address(AssociationId=now["AssociationId"])
        self.public_at = dice.choice(["a1", "a3", "a3", "m", None])
        if self.public_at:
            self.ec2.associate_address(AllocationId=self.public["AllocationId"],
                                       NetworkInterfaceId=self.nodes[self.public_at].interface)

    def shuffle_nodes(self, dice):
        condition = dice.choice(["normal"] * 8 + ["disabled", "in-repair"])
        self.lab.operate("PUT", f"/v1/interfaces/{self.nodes['a2'].interface}", {"condition": condition})
        checked = dice.random() < 0.15
        if checked != self.checked:
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=self.nodes["m"].interface,
                                                        SourceDestCheck={"Value": checked})
            self.checked = checked

    def shuffle_formats(self, dice):
        """What hosts use between them, and what is left of it for some; two that are apart have nothing in common."""
        for policy in self.policies:
            self.lab.operate("DELETE", f"/v1/policies/{policy['name']}")
        self.policies = []
        for _ in range(dice.choice([0, 1, 1, 2])):
            match = dice.choice([{}, {"network": self.vpcs["shop"]}, {"network": self.vpcs["office"]},
                                 self.interfaces(dice.sample(list(self.nodes), 2))])
            match["direction"] = dice.choice(["both", "both", "both", "out"])
            if dice.random() < 0.6:
                self.format_policy("pin", [dice.choice(FORMATS[:3] * 4 + FORMATS[3:])], match)
            else:
                self.format_policy("forbid", dice.choice([["siit/2"], ["ipip6"], ["siit"], ["vxlan", "ipip6"]]), match)
        distant = [(a, b) for a in self.nodes for b in self.nodes if self.nodes[a].host != self.nodes[b].host]
        self.apart = dice.choice(distant)
        self.format_policy("forbid", FRAMEWORKS, self.interfaces(self.apart) | {"direction": dice.choice(["both", "in", "out"])})

    def interfaces(self, names):
        return {"interfaces": [self.nodes[n].interface for n in names]}

    def format_policy(self, effect, what, match):
        policy = {"name": f"draw-{len(self.policies)}", "effect": effect, "what": what, "match": match}
        self.lab.operate("POST", "/v1/policies", policy)
        self.policies.append(policy)

    def others(self, source, v6):
        """Whom a source may be asked about; of the shared record, whoever has it not."""
        return ([n for n in ("a1", "a2", "a3", "b1", "m", "world") if n != source]
                + ([] if v6 or source in self.sharers else ["s"]))


@pytest.fixture(scope="module")
def net(lab):
    made = Net(lab)
    yield made
    made.end()


def test_packets_do_what_the_analysis_says(net):
    """requirement: NIC-6 TOPO-1 EDGE-1 NEG-3 NEG-7"""
    seed = int(os.environ.get("VIADUCT_SEED", random.randrange(1 << 30)))
    dice = random.Random(seed)
    questions = Questions(net)
    told = {True: 0, False: 0, NO_FORMAT: 0, "open": 0, "ranges": 0}
    for round_ in range(ROUNDS):
        net.shuffle(dice)
        probes = [random_probe(dice, [net.apart], net.others) for _ in range(PROBES)]
        differ = questions.agree(probes)
        assert not differ, (f"seed {seed} round {round_}: packets do not what the analysis says: {differ}; "
                            f"policies: {net.policies}, nodes: {net.nodes}")
        for p in probes:
            told[p["found"]] += 1
            told[NO_FORMAT] += NO_FORMAT in p["codes"]
            told["open"] += p["found"] and not p["named"]
            told["ranges"] += p["found"] and p["filtered"]
    assert told[True] >= 2 * ROUNDS and told[False] >= 2 * ROUNDS, told
    assert told[NO_FORMAT] and told["open"] and told["ranges"], told
