# SPDX-License-Identifier: Apache-2.0
"""A world to ask questions of reachability about: two peered networks with everything that has a say in it.

    shop 10.40.0.0/16: a1 a2 (near)  a3 (far)  m (middle) n (beyond), which send on  --- peering --- office 10.50.0.0/16: b1
         10.41.0.0/16: a4 (annex)
    world --- edges                  s: a record of near on two of their hosts
                                     x: a secondary address of near, at a1 or a2;  e: a2's second interface, in far
                                     g: the address of the private NAT gateway, in middle

Both networks have IPv6 as well.  What is so of them is drawn by draws.py.
"""
import ipaddress
import itertools
import json

import lab as labs
from probes import Prober
from questions import PORTS

ANY4, ANY6 = "0.0.0.0/0", "::/0"
WORLD6 = "2001:db8:ffff::1"
WORLD_BLOCK = "203.0.113.0/24"
SHARED = "10.40.1.99"
SECOND = "10.40.1.77"
SHOP = ("near", "far", "middle", "beyond")
MORE = "10.41.0.0/16"  # shop's second block
FORWARDERS = {"m": "middle", "n": "beyond"}


class Net:
    """Two peered networks, everything in them under a name."""

    def __init__(self, lab):
        self.lab, self.ec2 = lab, lab.ec2
        self.vpcs, self.blocks = {}, {}
        self.subnets = {**self.make_vpc("shop", "10.40.0.0/16", SHOP),
                        **self.make_vpc("office", "10.50.0.0/16", ("office",))}
        self.add_block()
        self.where = {s: "office" if s == "office" else "shop" for s in self.subnets}
        self.groups = {name: self.group(name, vpc) for name, vpc in (
            ("red", "shop"), ("green", "shop"), ("grey", "shop"), ("blue", "office"))}
        starts = {"a1": ("near", ["red"]), "a2": ("near", ["green"]), "a3": ("far", ["red", "green"]),
                  "a4": ("annex", ["green"]), "m": ("middle", ["grey"]), "n": ("beyond", ["grey"]),
                  "b1": ("office", ["blue"])}
        started = {n: lab.start(self.subnets[s], wait=False, InstanceType="t3.small",
                                SecurityGroupIds=[self.groups[g] for g in groups])
                   for n, (s, groups) in starts.items()}
        self.make_gateways()
        self.tables = {s: self.table(s) for s in self.subnets}
        self.acls = {s: self.acl(s) for s in self.subnets}
        self.lists = {name: self.list(family) for name, family in (
            ("offices", "IPv4"), ("some", "IPv4"), ("offices6", "IPv6"), ("some6", "IPv6"))}
        self.nodes = {n: lab.ready(i) for n, i in started.items()}
        self.at = {n: [p.address, p.interfaces[0]["Ipv6Addresses"][0]["Ipv6Address"]] for n, p in self.nodes.items()}
        self.at["world"] = [labs.WORLD, WORLD6]
        self.at["s"] = [SHARED, None]
        self.at["x"] = [SECOND, None]
        for node in self.nodes.values():
            self.ready6(node)
        for name in FORWARDERS:
            self.make_forwarder(self.nodes[name])
        self.checked = dict.fromkeys(FORWARDERS, True)
        self.share()
        self.add_interface()
        self.second_at = None
        self.move_second("a1")
        self.probers = {n: Prober(p, PORTS) for n, p in {**self.nodes, "world": lab.world}.items()}
        labs.wait_for("the NAT gateways", lambda: all(
            g["State"] == "available" for g in self.ec2.describe_nat_gateways()["NatGateways"]))
        self.at["g"] = [self.ec2.describe_nat_gateways(NatGatewayIds=[self.private_nat])["NatGateways"][0][
            "NatGatewayAddresses"][0]["PrivateIp"], None]
        self.public_at = None

    # ---- what there is ----

    def make_vpc(self, name, block, subnets):
        vpc = self.ec2.create_vpc(CidrBlock=block, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        six = ipaddress.IPv6Network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
        self.vpcs[name] = vpc["VpcId"]
        self.blocks[name] = (block, str(six))
        return {subnet: self.make_subnet(name, subnet, block.replace("0.0/16", f"{n}.0/24"), n)
                for n, subnet in enumerate(subnets, 1)}

    def make_subnet(self, vpc, name, block4, n):
        """With the n-th of the network's IPv6 blocks."""
        six = ipaddress.IPv6Network(self.blocks[vpc][1])
        block6 = str(next(itertools.islice(six.subnets(new_prefix=64), n - 1, None)))
        made = self.ec2.create_subnet(VpcId=self.vpcs[vpc], CidrBlock=block4, Ipv6CidrBlock=block6,
                                      AvailabilityZone=f"{labs.REGION}a")["Subnet"]["SubnetId"]
        self.ec2.modify_subnet_attribute(SubnetId=made, AssignIpv6AddressOnCreation={"Value": True})
        self.blocks[name] = (block4, block6)
        return made

    def add_block(self):
        """Another of IPv4, to shop."""
        self.ec2.associate_vpc_cidr_block(VpcId=self.vpcs["shop"], CidrBlock=MORE)
        self.subnets["annex"] = self.make_subnet("shop", "annex", MORE.replace("0.0/16", "1.0/24"), len(SHOP) + 1)

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
        translated = ec2.allocate_address(Domain="vpc")
        self.nat_address = translated["PublicIp"]
        self.nat = ec2.create_nat_gateway(
            SubnetId=self.subnets["near"], AllocationId=translated["AllocationId"])["NatGateway"]["NatGatewayId"]
        self.forwards = {}  # its static ports: (protocol, public port) to (name, port)
        self.private_nat = ec2.create_nat_gateway(
            SubnetId=self.subnets["middle"], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        self.inner_forwards = {}  # likewise, of the private one
        self.idle = ec2.create_network_interface(SubnetId=self.subnets["far"])["NetworkInterface"]["NetworkInterfaceId"]
        self.entrance = ec2.create_route_table(VpcId=shop)["RouteTable"]["RouteTableId"]
        self.entrance_association = None

    def group(self, name, vpc):
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpcs[vpc])["GroupId"]

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

    def list(self, family):
        return self.ec2.create_managed_prefix_list(
            PrefixListName="blocks", AddressFamily=family, MaxEntries=3)["PrefixList"]["PrefixListId"]

    @staticmethod
    def ready6(node):
        def configured():
            out = labs.run("ip", "-n", node.netns, "-6", "-j", "route", "show", "default").stdout
            return json.loads(out or "[]") and "inet6" in labs.run(
                "ip", "-n", node.netns, "-6", "addr", "show", "scope", "global").stdout
        labs.wait_for(f"IPv6 in {node.netns}", configured)

    def make_forwarder(self, node):
        """It sends on what it gets, of either family, and still learns its router."""
        node.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2", "net.ipv6.conf.all.forwarding=1",
                 "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0")
        self.ready6(node)

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

    def add_interface(self):
        """a2's second one, in another subnet, for what is sent from its address alone."""
        node = self.nodes["a2"]
        self.ec2.modify_subnet_attribute(SubnetId=self.subnets["far"], AssignIpv6AddressOnCreation={"Value": False})
        made = self.ec2.create_network_interface(
            SubnetId=self.subnets["far"], Groups=[self.groups["red"]])["NetworkInterface"]
        self.extra = made["NetworkInterfaceId"]
        self.at["e"] = [made["PrivateIpAddress"], None]
        self.ec2.attach_network_interface(NetworkInterfaceId=self.extra, InstanceId=node.id, DeviceIndex=2)
        labs.wait_for("the second interface", lambda: self.at["e"][0] in labs.run(
            "ip", "-n", node.netns, "rule", "show").stdout)
        node.run("ip", "route", "del", "10.40.2.0/24", "dev", "eth2")
        node.run("sysctl", "-qw", "net.ipv6.conf.eth2.disable_ipv6=1")

    def move_second(self, name):
        """The secondary address, to another node."""
        if name == self.second_at:
            return
        if self.second_at:
            self.nodes[self.second_at].run("ip", "addr", "del", f"{SECOND}/32", "dev", "eth0")
        self.ec2.assign_private_ip_addresses(NetworkInterfaceId=self.nodes[name].interface, AllowReassignment=True,
                                             PrivateIpAddresses=[SECOND])
        self.nodes[name].run("ip", "addr", "add", f"{SECOND}/32", "dev", "eth0")
        self.second_at = name

    def end(self):
        for one in self.probers.values():
            one.end()

    # ---- the ends of questions ----

    def node_of(self, name):
        """The name of the node where an end is."""
        return {"x": self.second_at, "e": "a2"}.get(name, name)

    def interface_of(self, name):
        return {"s": self.shared, "e": self.extra}.get(name) or self.nodes[self.node_of(name)].interface

    def sources(self, v6):
        return ["a1", "a2", "a3", "a4", "b1", "m", "n", "world", *([] if v6 else ["x", "e"])]

    def others(self, source, v6):
        """Whom a source may be asked about; of the shared record, whoever has it not."""
        node = self.node_of(source)
        return ([n for n in ("a1", "a2", "a3", "a4", "b1", "m", "n", "world") if n != node]
                + ([] if v6 else [n for n in ("x", "e") if self.node_of(n) != node])
                + ([] if v6 or node in self.sharers else ["s"])
                + ([] if v6 or source == "world" else ["g"]))
