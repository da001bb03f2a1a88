# SPDX-License-Identifier: Apache-2.0
"""Two networks of two accounts, peered: packets pass where both sides have routes, and nowhere else.

    h1: a 10.0.1.x (mine)   h2: b 10.1.1.x (theirs)      c 10.2.1.x: a third network, peered with nobody
"""
import lab as labs

LAB = {"hosts": 2}


def main_table(ec2, vpc):
    t, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                            {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
    return t["RouteTableId"]


def open_groups(ec2, vpc):
    g, = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    ec2.authorize_security_group_ingress(GroupId=g["GroupId"], IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])


def reaches(node, address):
    return node.ping(address, count=1) == 1


def test_peering_on_packets(lab):
    """requirement: TOPO-1 MAP-2 PKT-4"""
    mine = lab.ec2
    _, theirs = lab.account("theirs")
    vpc_a, (subnet_a,) = lab.subnets("10.0.1.0/24")
    vpc_b, (subnet_b,) = lab.subnets("10.1.1.0/24", vpc_cidr="10.1.0.0/16", ec2=theirs)
    vpc_c, (subnet_c,) = lab.subnets("10.2.1.0/24", vpc_cidr="10.2.0.0/16", ec2=theirs)
    for ec2, vpc in ((mine, vpc_a), (theirs, vpc_b), (theirs, vpc_c)):
        open_groups(ec2, vpc)
    a, b, c = lab.start(subnet_a), lab.start(subnet_b, ec2=theirs), lab.start(subnet_c, ec2=theirs)
    assert not reaches(a, b.address) and not reaches(b, a.address)

    pcx = mine.create_vpc_peering_connection(VpcId=vpc_a, PeerVpcId=vpc_b, PeerOwnerId=theirs.describe_vpcs(
        VpcIds=[vpc_b])["Vpcs"][0]["OwnerId"])["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    for ec2, vpc, cidr in ((mine, vpc_a, "10.1.0.0/16"), (theirs, vpc_b, "10.0.0.0/16")):
        ec2.create_route(RouteTableId=main_table(ec2, vpc), DestinationCidrBlock=cidr,
                         VpcPeeringConnectionId=pcx)
    assert not reaches(a, b.address)  # asked for, not accepted

    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    labs.wait_for("packets between peered networks", lambda: reaches(a, b.address))
    assert b.ping(a.address) == 3 and a.ping(b.address) == 3
    # the third network has nothing to do with it, whatever routes say
    theirs.create_route(RouteTableId=main_table(theirs, vpc_b), DestinationCidrBlock="10.3.0.0/16",
                        VpcPeeringConnectionId=pcx)
    assert not reaches(a, c.address) and not reaches(c, a.address) and not reaches(c, b.address)

    # without the way back nothing comes back
    theirs.delete_route(RouteTableId=main_table(theirs, vpc_b), DestinationCidrBlock="10.0.0.0/16")
    labs.wait_for("the way back to be gone", lambda: not reaches(a, b.address))
    theirs.create_route(RouteTableId=main_table(theirs, vpc_b), DestinationCidrBlock="10.0.0.0/16",
                        VpcPeeringConnectionId=pcx)
    labs.wait_for("the way back to be there", lambda: reaches(a, b.address))

    mine.delete_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    labs.wait_for("the peering to be over", lambda: not reaches(a, b.address))
    assert not reaches(b, a.address)
