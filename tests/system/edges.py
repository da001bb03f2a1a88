# SPDX-License-Identifier: Apache-2.0
"""The usual network with a way out, made by the EC2 API: public and private subnets, gateways, elastic addresses."""
import json

from lab import wait_for

EVERYWHERE = "0.0.0.0/0"
OPEN = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}


class Network:
    """A VPC; its first subnet is public, the second has no way out until it is given one."""

    def __init__(self, lab, block=10, ec2=None):
        self.lab, self.ec2 = lab, ec2 or lab.ec2
        self.cidr, self.public_cidr = f"10.{block}.0.0/16", f"10.{block}.1.0/24"
        self.id, (self.public, self.private) = lab.subnets(self.public_cidr, f"10.{block}.2.0/24",
                                                           vpc_cidr=self.cidr, ec2=self.ec2)
        self.tables = {s: self.table(s) for s in (self.public, self.private)}
        self.open = self.ec2.create_security_group(GroupName="open", Description="all is allowed",
                                                   VpcId=self.id)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=self.open, IpPermissions=[OPEN])

    def table(self, subnet):
        """A route table of the subnet's own."""
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def route(self, subnet, cidr, **target):
        self.ec2.create_route(RouteTableId=self.tables[subnet], DestinationCidrBlock=cidr, **target)

    def unroute(self, subnet, cidr):
        self.ec2.delete_route(RouteTableId=self.tables[subnet], DestinationCidrBlock=cidr)

    def internet(self):
        """An internet gateway, and the route of the public subnet to it."""
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.id)
        self.route(self.public, EVERYWHERE, GatewayId=gateway)
        return gateway

    def internet6(self):
        """IPv6 in the public subnet, with a way to the internet gateway; all of it is let in."""
        self.ec2.associate_vpc_cidr_block(VpcId=self.id, AmazonProvidedIpv6CidrBlock=True)
        vpc = self.ec2.describe_vpcs(VpcIds=[self.id])["Vpcs"][0]
        block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        self.ec2.associate_subnet_cidr_block(SubnetId=self.public, Ipv6CidrBlock=block.replace("/56", "/64"))
        gateway, = self.ec2.describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": [self.id]}])["InternetGateways"]
        self.ec2.create_route(RouteTableId=self.tables[self.public], DestinationIpv6CidrBlock="::/0",
                              GatewayId=gateway["InternetGatewayId"])
        self.ec2.authorize_security_group_ingress(GroupId=self.open, IpPermissions=[
            {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])

    def address6(self, node):
        """An IPv6 address of the node's."""
        return self.ec2.assign_ipv6_addresses(NetworkInterfaceId=node.interface,
                                              Ipv6AddressCount=1)["AssignedIpv6Addresses"][0]

    def allocate(self):
        """An elastic address: (allocation id, address)."""
        a = self.ec2.allocate_address(Domain="vpc")
        return a["AllocationId"], a["PublicIp"]

    def associate(self, allocation, node, **kw):
        return self.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=node.interface,
                                          **kw)["AssociationId"]

    def publish(self, node, **kw):
        """An elastic address of the node's: the address."""
        allocation, address = self.allocate()
        self.associate(allocation, node, **kw)
        return address

    def nat(self, subnet=None, behind=None):
        """A NAT gateway in the public subnet, and the route of the private one to it: (id, its public address)."""
        allocation, public = self.allocate()
        gateway = self.ec2.create_nat_gateway(SubnetId=subnet or self.public, AllocationId=allocation)[
            "NatGateway"]["NatGatewayId"]

        def available():
            found = self.ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"][0]
            assert found["State"] in ("pending", "available"), found
            return found["State"] == "available"

        wait_for(f"{gateway} to be available", available)
        self.route(behind or self.private, EVERYWHERE, NatGatewayId=gateway)
        return gateway, public

    def private_nat(self, address):
        """A private NAT gateway in the public subnet."""
        gateway = self.ec2.create_nat_gateway(SubnetId=self.public, ConnectivityType="private",
                                              PrivateIpAddress=address)["NatGateway"]["NatGatewayId"]
        self.ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway],
                                                          WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        return gateway

    def peer(self, other):
        """Peers the two networks of one account; routes are the caller's."""
        pcx = self.ec2.create_vpc_peering_connection(VpcId=self.id, PeerVpcId=other.id)[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        self.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
        return pcx

    def behind(self, gateway, block=70):
        """A peered network that the private subnet reaches by the private NAT gateway."""
        other = Network(self.lab, block)
        pcx = self.peer(other)
        self.route(self.private, other.cidr, NatGatewayId=gateway)
        self.route(self.public, other.cidr, VpcPeeringConnectionId=pcx)
        other.route(other.public, self.public_cidr, VpcPeeringConnectionId=pcx)
        return other

    def gateways(self):
        """Which edge has which NAT gateway."""
        shown = json.loads(self.lab.viaduct("nat-gateways", "--json", "--lab", self.lab.name))["nat_gateways"]
        return {g["id"]: g["edge"] for g in shown}

    def analyse(self, source, target):
        """Whether the analysis finds a way for TCP."""
        path = self.ec2.create_network_insights_path(
            Source=source.interface, Destination=target.interface, Protocol="tcp", DestinationPort=7000)[
            "NetworkInsightsPath"]["NetworkInsightsPathId"]
        return self.ec2.start_network_insights_analysis(NetworkInsightsPathId=path)["NetworkInsightsAnalysis"][
            "NetworkPathFound"]

    def node(self, subnet=None, group=None, host=None, **kw):
        for _ in range(6):
            node = self.lab.start(subnet or self.public, ec2=self.ec2, SecurityGroupIds=[group or self.open], **kw)
            if not host or node.host == host:
                return node
        raise AssertionError(f"placement never chose {host}")
