# SPDX-License-Identifier: Apache-2.0
"""What the analysis of reachability says, and what packets do, in networks configured at random.

    shop 10.40.0.0/16: a1 a2 (one subnet), a3 (another)  --- peering --- office 10.50.0.0/16: b1
    world --- edge1
"""
import json
import os
import random

import pytest

import lab as labs

LAB = {"hosts": 2, "edges": 1}
ROUNDS = int(os.environ.get("VIADUCT_REACH_ROUNDS", "8"))
PROBES = 8  # in each round
PORTS = (22, 80, 443, 5432)
ANY4 = "0.0.0.0/0"

# Accepts whatever comes, on all ports, and says one byte: a connection counts when it has brought that.
LISTENER = """
import selectors, socket, sys
s = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    l = socket.create_server(("", port), backlog=64)
    s.register(l, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in s.select():
        c, _ = key.fileobj.accept()
        c.send(b"x")
        c.close()
"""
CONNECT = """
import json, socket, sys
address, port = sys.argv[1:]
try:
    with socket.create_connection((address, int(port)), 0.7) as c:
        c.settimeout(0.7)
        print(json.dumps(c.recv(1) == b"x"))
except OSError:
    print(json.dumps(False))
"""


class Net:
    """Two peered networks, everything in them under a name."""

    def __init__(self, lab):
        self.lab, self.ec2 = lab, lab.ec2
        self.vpc, (self.near, self.far) = lab.subnets("10.40.1.0/24", "10.40.2.0/24", vpc_cidr="10.40.0.0/16")
        self.other, (self.office,) = lab.subnets("10.50.1.0/24", vpc_cidr="10.50.0.0/16")
        self.groups = {name: self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
                       for name, vpc in (("red", self.vpc), ("green", self.vpc), ("blue", self.other))}
        for g in self.groups.values():
            self.ec2.revoke_security_group_egress(GroupId=g, IpPermissions=[
                {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY4}]}])
        self.igw = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
        self.peering = self.ec2.create_vpc_peering_connection(VpcId=self.vpc, PeerVpcId=self.other)[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        self.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=self.peering)
        self.tables = {s: self.table(vpc, s) for vpc, s in
                       ((self.vpc, self.near), (self.vpc, self.far), (self.other, self.office))}
        self.acls = {s: self.acl(vpc, s) for vpc, s in
                     ((self.vpc, self.near), (self.vpc, self.far), (self.other, self.office))}
        self.nodes = {"a1": lab.start(self.near, SecurityGroupIds=[self.groups["red"]]),
                      "a2": lab.start(self.near, SecurityGroupIds=[self.groups["green"]]),
                      "a3": lab.start(self.far, SecurityGroupIds=[self.groups["red"], self.groups["green"]]),
                      "b1": lab.start(self.office, SecurityGroupIds=[self.groups["blue"]])}
        self.world = lab.world
        self.public = self.ec2.allocate_address(Domain="vpc")
        self.nat = self.ec2.create_nat_gateway(
            SubnetId=self.near, AllocationId=self.ec2.allocate_address(Domain="vpc")["AllocationId"])[
                "NatGateway"]["NatGatewayId"]
        labs.wait_for("the NAT gateway", lambda: self.ec2.describe_nat_gateways(NatGatewayIds=[self.nat])[
            "NatGateways"][0]["State"] == "available")
        self.listeners = [n.spawn("/usr/bin/python3", "-c", LISTENER, *PORTS)
                          for n in (*self.nodes.values(), self.world)]
        for one in self.listeners:
            assert one.stdout.readline() == "ready\n"

    def table(self, vpc, subnet):
        t = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=t, SubnetId=subnet)
        return t

    def acl(self, vpc, subnet):
        a = self.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
        found = self.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
        association = next(x for x in found["NetworkAcls"][0]["Associations"] if x["SubnetId"] == subnet)
        self.ec2.replace_network_acl_association(
            AssociationId=association["NetworkAclAssociationId"], NetworkAclId=a)
        return a

    def end(self):
        for one in self.listeners:
            one.kill()
            one.wait()

    # ---- a random configuration ----

    def shuffle(self, dice):
        self.shuffle_groups(dice)
        for acl in self.acls.values():
            self.shuffle_acl(dice, acl)
        self.shuffle_routes(dice)
        self.shuffle_public(dice)

    def shuffle_groups(self, dice):
        for name, g in self.groups.items():
            now = self.ec2.describe_security_groups(GroupIds=[g])["SecurityGroups"][0]
            if now["IpPermissions"]:
                self.ec2.revoke_security_group_ingress(GroupId=g, IpPermissions=now["IpPermissions"])
            if now["IpPermissionsEgress"]:
                self.ec2.revoke_security_group_egress(GroupId=g, IpPermissions=now["IpPermissionsEgress"])
            for authorize in (self.ec2.authorize_security_group_ingress, self.ec2.authorize_security_group_egress):
                rules = [r for r in (self.rule(dice, name) for _ in range(dice.randint(1, 5))) if r]
                if dice.random() < 0.6:
                    rules = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY4}]}]
                unique = list({json.dumps(r, sort_keys=True): r for r in rules}.values())
                if unique:
                    authorize(GroupId=g, IpPermissions=unique)

    def rule(self, dice, owner):
        ports = dice.choice([(0, 65535), (80, 80), (443, 5432), (22, 80)])
        rule = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1]}
        if dice.random() < 0.2:
            rule = {"IpProtocol": "-1"}
        if dice.random() < 0.5:
            near = [g for n, g in self.groups.items() if (n == "blue") == (owner == "blue")] * 2
            rule["UserIdGroupPairs"] = [{"GroupId": dice.choice([*near, *self.groups.values()])}]
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
                ports = dice.choice([(80, 80), (22, 443), (5432, 5432), (1024, 65535)])
                self.ec2.create_network_acl_entry(
                    NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol=dice.choice(["6", "6", "-1"]),
                    PortRange={"From": ports[0], "To": ports[1]}, RuleAction=dice.choice(["allow", "allow", "deny"]),
                    CidrBlock=dice.choice([ANY4, "10.40.0.0/16", "10.40.1.0/24", "10.50.0.0/16"]))
            if dice.random() < 0.95:
                self.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=900, Egress=egress, Protocol="-1",
                                                  RuleAction="allow", CidrBlock=ANY4)

    def shuffle_routes(self, dice):
        for subnet, table in self.tables.items():
            now = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
            for route in now["Routes"]:
                if route.get("GatewayId") != "local":
                    self.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=route["DestinationCidrBlock"])
            far = "10.40.0.0/16" if subnet == self.office else "10.50.0.0/16"
            if dice.random() < 0.7:
                self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=far,
                                      VpcPeeringConnectionId=self.peering)
            if subnet != self.office and dice.random() < 0.8:
                out = {"NatGatewayId": self.nat} if dice.random() < 0.4 else {"GatewayId": self.igw}
                self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANY4, **out)

    def shuffle_public(self, dice):
        now = self.ec2.describe_addresses(AllocationIds=[self.public["AllocationId"]])["Addresses"][0]
        if "AssociationId" in now:
            self.ec2.disassociate_address(AssociationId=now["AssociationId"])
        self.public_at = dice.choice(["a1", "a3", None])
        if self.public_at:
            self.ec2.associate_address(AllocationId=self.public["AllocationId"],
                                       InstanceId=self.nodes[self.public_at].id)

    # ---- asking twice ----

    def analyse(self, source, target, port):
        """(found, explanation codes)"""
        kw = {}
        if source == "world":
            kw["SourceIp"] = labs.WORLD
        if target == "world":
            kw["DestinationIp"] = labs.WORLD
        path = self.ec2.create_network_insights_path(
            Source=self.id(source), Destination=self.id(target), Protocol="tcp", DestinationPort=port,
            **kw)["NetworkInsightsPath"]["NetworkInsightsPathId"]
        got = self.ec2.start_network_insights_analysis(NetworkInsightsPathId=path)["NetworkInsightsAnalysis"]
        self.ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=got["NetworkInsightsAnalysisId"])
        self.ec2.delete_network_insights_path(NetworkInsightsPathId=path)
        assert got["Status"] == "succeeded"
        return got["NetworkPathFound"], [e["ExplanationCode"] for e in got["Explanations"]]

    def id(self, name):
        return self.igw if name == "world" else self.nodes[name].id

    def connects(self, source, target, port):
        node = self.world if source == "world" else self.nodes[source]
        address = labs.WORLD if target == "world" else self.nodes[target].address
        if source == "world":
            if target != self.public_at:
                return False  # there is no address to try
            address = self.public["PublicIp"]
        return json.loads(node.python(CONNECT, address, port).stdout)


@pytest.fixture(scope="module")
def net(lab):
    made = Net(lab)
    yield made
    made.end()


def test_packets_do_what_the_analysis_says(net):
    """requirement: NIC-6 TOPO-1 EDGE-1"""
    seed = int(os.environ.get("VIADUCT_SEED", random.randrange(1 << 30)))
    dice = random.Random(seed)
    told = {True: 0, False: 0}
    names = ["a1", "a2", "a3", "b1", "world"]
    for round_ in range(ROUNDS):
        net.shuffle(dice)
        for _ in range(PROBES):
            source, target = dice.sample(names, 2)
            port = dice.choice(PORTS)
            found, codes = net.analyse(source, target, port)
            assert found == (not codes), codes
            told[found] += 1
            # Hosts take the configuration over one by one: the answer is what packets settle at.
            labs.wait_for(f"seed {seed} round {round_}: {source} -> {target}:{port} to be {found} {codes}",
                          lambda: net.connects(source, target, port) == found, 5)
    assert told[True] >= ROUNDS // 2 and told[False] >= ROUNDS, told
