# SPDX-License-Identifier: Apache-2.0
"""Security groups and network ACLs on packets.

    h1: a1 a2 ...   h2: b1 b2 ...        10.0.1.0/24 and 10.0.2.0/24 of one VPC; groups as each test makes them
"""
import signal

import botocore.exceptions
import pytest

from conversations import ask, Conversation, reach, server
from lab import Lab, wait_for

LAB = {"hosts": 2}
PORT, OTHER_PORT = 7000, 7001
ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]


def tcp(port, to=None, **who):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": to or port, **(who or {"IpRanges": ANYWHERE})}


def udp(port, **who):
    return {**tcp(port, **who), "IpProtocol": "udp"}


def icmp(kind=-1, code=-1, **who):
    return {"IpProtocol": "icmp", "FromPort": kind, "ToPort": code, **(who or {"IpRanges": ANYWHERE})}


class Vpc:
    """A VPC with two subnets, its groups, and its nodes."""

    def __init__(self, lab):
        self.lab, self.ec2 = lab, lab.ec2
        self.id, self.subnets = lab.subnets("10.0.1.0/24", "10.0.2.0/24")
        self.n = 0

    def group(self, *ingress):
        self.n += 1
        group = self.ec2.create_security_group(GroupName=f"g{self.n}", Description="of a test",
                                               VpcId=self.id)["GroupId"]
        self.allow(group, *ingress)
        return group

    def allow(self, group, *rules):
        if rules:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(rules))

    def forbid(self, group, *rules):
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=list(rules))

    def node(self, *groups, subnet=0, host=None):
        """A node in groups, on a host if that matters."""
        kw = {"SecurityGroupIds": list(groups)} if groups else {}
        for _ in range(6):
            node = self.lab.start(self.subnets[subnet], **kw)
            if not host or node.host == host:
                return node
        raise AssertionError(f"placement never chose {host}")

    def set_groups(self, node, *groups):
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=node.interface, Groups=list(groups))


@pytest.fixture(scope="module")
def vpc(lab):
    return Vpc(lab)


def becomes(condition, what, seconds=60):
    """A change of rules reaches hosts on its own; the call need not wait for it."""
    wait_for(what, condition, seconds)


@pytest.mark.parametrize("hosts", [("h1", "h2"), ("h1", "h1")], ids=["across", "same-host"])
def test_the_default_group_talks_to_itself_alone(vpc, lab, hosts):
    """requirement: NIC-6"""
    a, b = (vpc.node(host=h) for h in hosts)
    stranger = vpc.node(vpc.group(), host=hosts[0])
    with server(b, stranger):
        assert a.ping(b.address) == 3
        assert reach(a, b.address)[0] == a.address
        assert reach(a, b.address, protocol="udp")[0] == a.address
        before = lab.drops_now("GROUP_INGRESS")
        assert ask(stranger, b.address) is None
        assert ask(stranger, b.address, protocol="udp") is None
        assert stranger.ping(b.address, count=1) == 0
        assert ask(a, stranger.address) is None
        becomes(lambda: lab.drops("GROUP_INGRESS") >= before + 4, "the drops to be counted")


def test_rules_by_port_protocol_and_sender(vpc, lab):
    """requirement: NIC-6"""
    friends = vpc.group()
    friend, other = vpc.node(friends, host="h1"), vpc.node(vpc.group(), host="h1", subnet=1)
    group = vpc.group(tcp(PORT, UserIdGroupPairs=[{"GroupId": friends}]),
                      udp(OTHER_PORT, IpRanges=[{"CidrIp": f"{other.address}/32"}]), icmp(8))
    target = vpc.node(group, host="h2")
    with server(target, port=PORT), server(target, port=OTHER_PORT):
        assert reach(friend, target.address, PORT)[0] == friend.address
        assert ask(friend, target.address, OTHER_PORT) is None
        assert ask(friend, target.address, OTHER_PORT, protocol="udp") is None
        assert ask(other, target.address, PORT) is None
        assert reach(other, target.address, OTHER_PORT, protocol="udp")[0] == other.address
        assert friend.ping(target.address) == 3 and other.ping(target.address) == 3
        # An interface that joins the group named is a friend at once, and one that leaves is none.
        vpc.set_groups(other, friends)
        becomes(lambda: ask(other, target.address, PORT), "the new member to be let in")
        vpc.set_groups(other, vpc.group())
        becomes(lambda: not ask(other, target.address, PORT), "the old member to be kept out")


def test_a_change_of_rules_is_for_new_connections(vpc, lab):
    """requirement: NIC-6"""
    group = vpc.group()
    target, client = vpc.node(group, host="h2"), vpc.node(vpc.group(), host="h1")
    with server(target):
        assert ask(client, target.address) is None
        vpc.allow(group, tcp(PORT))
        becomes(lambda: ask(client, target.address), "the new rule to allow")
        with Conversation(client, target.address) as talk:
            assert talk.lives()
            vpc.forbid(group, tcp(PORT))
            becomes(lambda: not ask(client, target.address, seconds=0.5), "the rule to be gone")
            assert talk.lives() and talk.lives()
            shown = lab.api("connections", target.interface)
            assert any(c["protocol"] == "tcp" and c["local_port"] == PORT and c["begun"] == "there" and
                       c["state"] == "established" for c in shown), shown


def test_nothing_leaves_that_no_group_allows(vpc, lab):
    """requirement: NIC-6"""
    group = vpc.group()
    open_all = vpc.group({"IpProtocol": "-1", "IpRanges": ANYWHERE})
    client, target = vpc.node(group, host="h1"), vpc.node(open_all, host="h2")
    with server(target), server(client, port=OTHER_PORT):
        assert reach(client, target.address)
        vpc.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": ANYWHERE}])
        becomes(lambda: not ask(client, target.address, seconds=0.5), "egress to end")
        before = lab.drops_now("GROUP_EGRESS")
        assert client.ping(target.address, count=2) == 0
        becomes(lambda: lab.drops("GROUP_EGRESS") >= before + 2, "the drops to be counted")
        # What is allowed in is answered all the same.
        vpc.allow(group, tcp(OTHER_PORT))
        becomes(lambda: ask(target, client.address, OTHER_PORT), "answers to leave")


def test_a_network_acl_is_without_memory_and_in_order(vpc, lab):
    """requirement: NIC-6"""
    open_all = vpc.group({"IpProtocol": "-1", "IpRanges": ANYWHERE})
    near, mate, far = vpc.node(open_all), vpc.node(open_all), vpc.node(open_all, subnet=1)
    acls = vpc.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [vpc.subnets[0]]}])
    default = acls["NetworkAcls"][0]
    association = next(a for a in default["Associations"] if a["SubnetId"] == vpc.subnets[0])
    acl = vpc.ec2.create_network_acl(VpcId=vpc.id)["NetworkAcl"]["NetworkAclId"]

    def entry(number, egress, allow, ports, protocol="6", cidr="0.0.0.0/0"):
        vpc.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol=protocol,
                                         RuleAction="allow" if allow else "deny", CidrBlock=cidr,
                                         PortRange={"From": ports[0], "To": ports[1]})

    with server(near, mate):
        assert reach(far, near.address) and reach(mate, near.address)
        moved = vpc.ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"],
                                                        NetworkAclId=acl)
        becomes(lambda: not ask(far, near.address, seconds=0.5), "the empty ACL to deny")
        becomes(lambda: lab.drops("ACL_INGRESS") > 0, "the drops to be counted")
        assert reach(mate, near.address), "within the subnet no ACL counts"
        entry(200, False, True, (PORT, PORT))
        before = lab.drops_now("ACL_EGRESS")

        def counted():
            assert ask(far, near.address) is None, "the answer needs an entry of its own"
            return lab.drops("ACL_EGRESS") > before
        becomes(counted, "the answers to be counted")
        entry(200, True, True, (1024, 65535))
        becomes(lambda: ask(far, near.address), "both entries to allow")
        entry(100, False, False, (PORT, PORT), cidr=f"{far.address}/32")
        becomes(lambda: not ask(far, near.address, seconds=0.5), "the lower number to decide")
    vpc.ec2.replace_network_acl_association(AssociationId=moved["NewAssociationId"],
                                            NetworkAclId=default["NetworkAclId"])


def test_killed_agents_lose_no_connection_and_open_no_hole(vpc, lab):
    """requirement: NIC-6, OPS-3"""
    group = vpc.group(tcp(PORT))
    target, client = vpc.node(group, host="h2"), vpc.node(vpc.group(), host="h1")
    with server(target, port=PORT), server(target, port=OTHER_PORT), Conversation(client, target.address) as talk:
        assert talk.lives()
        for host in ("h1", "h2"):
            lab.kill(host, signal.SIGKILL)
        assert talk.lives()
        assert reach(client, target.address), "what is allowed is allowed without agents"
        assert ask(client, target.address, OTHER_PORT) is None
        for host in ("h1", "h2"):
            lab.restart(host)
            assert talk.lives()
            assert ask(client, target.address, OTHER_PORT) is None
        lab.connected()
        assert talk.lives() and reach(client, target.address)
        # Rules that change while an agent is away are there when it is back.
        lab.kill("h2", signal.SIGKILL)
        vpc.allow(group, tcp(OTHER_PORT))
        vpc.forbid(group, tcp(PORT))
        lab.restart("h2")
        becomes(lambda: ask(client, target.address, OTHER_PORT), "the rule that was missed")
        becomes(lambda: not ask(client, target.address, seconds=0.5), "the rule that was taken away")
        assert talk.lives()


def test_a_group_in_use_is_not_deleted(vpc):
    """requirement: NIC-6"""
    group = vpc.group()
    node = vpc.node(group)
    with pytest.raises(botocore.exceptions.ClientError) as e:
        vpc.ec2.delete_security_group(GroupId=group)
    assert e.value.response["Error"]["Code"] == "DependencyViolation"
    vpc.ec2.terminate_instances(InstanceIds=[node.id])


@pytest.mark.parametrize("kind", [{"formats": ["siit/1,ipip6/1"]}, {"substrate": "ipv4", "aliases": False},
                                  {"substrate": "ipv4"}], ids=["siit/1", "vxlan", "reip4"])
def test_groups_count_in_every_format(kind):
    """requirement: NIC-6, NEG-7"""
    lab = Lab(hosts=2, **kind)
    try:
        vpc = Vpc(lab)
        friends = vpc.group()
        group = vpc.group(tcp(PORT, UserIdGroupPairs=[{"GroupId": friends}]), icmp(8))
        target, friend, other = vpc.node(group, host="h2"), vpc.node(friends, host="h1"), vpc.node(host="h1", subnet=1)
        with server(target):
            assert reach(friend, target.address) and ask(other, target.address) is None
            assert other.ping(target.address, "-s", "1400") == 3
            with Conversation(friend, target.address) as talk:
                assert talk.lives()
                vpc.forbid(group, tcp(PORT, UserIdGroupPairs=[{"GroupId": friends}]))
                becomes(lambda: not ask(friend, target.address, seconds=0.5), "the rule to be gone")
                assert talk.lives()
    finally:
        lab.down()
