# SPDX-License-Identifier: Apache-2.0
"""Two networks that are peered: what their routes say goes, and nothing else.

    10.10.0.0/16  one --- peering --- other  10.20.0.0/16            nodes of both on both hosts
"""
import botocore.exceptions
import pytest

import lab as labs
from conversations import ask, Conversation, reach, server
from edges import Network
from lab import wait_for
from packets import only_ip, received

KINDS = {"siit/2": {}, "siit/1": {"formats": ["siit/1,ipip6/1"]}}


class Pair:
    def __init__(self, **kw):
        self.lab = labs.Lab(hosts=2, **kw)
        try:
            self.one, self.other = Network(self.lab, 10), Network(self.lab, 20)
            self.a, self.b = self.one.node(host="h1"), self.other.node(host="h2")
            self.mate = self.other.node(host="h1")
        except BaseException:
            self.lab.down()
            raise

    def peer(self):
        return self.one.peer(self.other)


@pytest.fixture(scope="module", params=list(KINDS), ids=list(KINDS))
def pair(request):
    made = Pair(**KINDS[request.param])
    yield made
    made.lab.down()


def test_routes_and_peering_together_open_the_way(pair):
    """requirement: TOPO-1, PKT-4"""
    lab, one, other, a, b = pair.lab, pair.one, pair.other, pair.a, pair.b
    with server(a, b, pair.mate):
        assert ask(a, b.address, seconds=0.7) is None, "two networks know nothing of each other"
        peering = pair.peer()
        assert ask(a, b.address, seconds=0.7) is None, "without routes a peering carries nothing"
        one.route(one.public, other.cidr, VpcPeeringConnectionId=peering)
        # One way: what arrives is not answered, for there is no way back.
        with pytest.raises(AssertionError):
            wait_for("an answer that cannot come", lambda: ask(a, b.address, seconds=0.7), 2)
        other.route(other.public, one.cidr, VpcPeeringConnectionId=peering)
        wait_for("the way to be open", lambda: ask(a, b.address))
        assert reach(a, b.address)[0] == a.address
        assert reach(b, a.address)[0] == b.address
        assert reach(a, pair.mate.address)[0] == a.address, "on the same host"
        assert reach(a, b.address, protocol="udp")[0] == a.address
        assert a.ping(b.address) == 3 and b.ping(a.address, "-s", "1400") == 3
        # The private subnets have no such route.
        hidden = other.node(other.private)
        assert a.ping(hidden.address, count=1) == 0
        with Conversation(a, b.address) as talk:
            assert talk.lives()
            for what in ("h1", "h2"):
                lab.kill(what)
            assert talk.lives()
            assert reach(a, b.address)
            for what in ("h1", "h2"):
                lab.restart(what)
            assert talk.lives()
            lab.connected()
            lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
            wait_for("the way to be closed", lambda: not ask(a, b.address, seconds=0.5))
            assert not talk.lives(1.0)
        found = lab.ec2.describe_route_tables(RouteTableIds=[one.tables[one.public]])["RouteTables"][0]
        states = {r["DestinationCidrBlock"]: r["State"] for r in found["Routes"]}
        assert states[other.cidr] == "blackhole"
        wait_for("the drops to be counted", lambda: lab.drops("BLACKHOLE") > 0)
        for net, far in ((one, other), (other, one)):
            net.unroute(net.public, far.cidr)


def test_a_third_network_with_the_same_addresses_sees_nothing(pair):
    """requirement: PKT-4, TOPO-1"""
    one, other, a, b = pair.one, pair.other, pair.a, pair.b
    twin = Network(pair.lab, 20)
    double = pair.lab.start(twin.public, address=b.address, SecurityGroupIds=[twin.open])
    peering = pair.peer()
    for net, far in ((one, other), (other, one)):
        net.route(net.public, far.cidr, VpcPeeringConnectionId=peering)
    with server(a, b):
        wait_for("the way to be open", lambda: ask(a, b.address))
        with received(double) as frames:
            for _ in range(5):
                assert reach(a, b.address) and reach(b, a.address)
        assert not only_ip(frames, src=a.address), "what is for b reached its double"
        assert ask(double, a.address, seconds=0.7) is None and double.ping(a.address, count=1) == 0
    pair.lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
    for net, far in ((one, other), (other, one)):
        net.unroute(net.public, far.cidr)


def test_networks_with_common_addresses_are_not_peered(pair):
    """requirement: TOPO-1"""
    twin = Network(pair.lab, 10)
    made = pair.lab.ec2.create_vpc_peering_connection(VpcId=pair.one.id, PeerVpcId=twin.id)["VpcPeeringConnection"]
    assert made["Status"]["Code"] == "failed"
    with pytest.raises(botocore.exceptions.ClientError):
        pair.lab.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
