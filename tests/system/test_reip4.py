# SPDX-License-Identifier: Apache-2.0
"""IPv4 on IPv4 without a byte more: labels on the substrate, and what becomes of them.

    a, c --- h1 --- [ router ] --- h2 --- b        172.30.1.0/24 is routed to h1, 172.30.2.0/24 to h2
"""
import re

import pytest
from scapy.layers.inet import IP, TCP, UDP

import lab as labs
from conversations import Conversation, ask, server
from edges import Network
from lab import wait_for
from packets import only_ip, received, udp_sink, udp_source

LAB = {"hosts": 2, "substrate": "ipv4"}
PORT = 7300


class World:
    def __init__(self, lab):
        self.lab = lab
        self.net = Network(lab)
        self.a, self.b = self.net.node(host="h1"), self.net.node(host="h2")
        self.c = self.net.node(host="h1")


@pytest.fixture(scope="module")
def world(lab):
    return World(lab)


def aliases(lab, host):
    record = next(h for h in lab.api("hosts") if h["name"] == host)
    return record["aliases"], record["alias_use"]


def between(lab, a, b, size=64, lossless=True):
    """What the router's side of the substrate carries of a few datagrams from a to b."""
    with lab.capture(expression="ip") as seen:
        with udp_sink(b, PORT) as got:
            sent = int(udp_source(a, b.address, PORT, rate=100, seconds=0.1, size=size).communicate(timeout=30)[0])
    assert got["n"] == sent or not lossless
    return [p[IP] for p in seen if IP in p and UDP in p and p[UDP].dport in (PORT, 4789)]


def labels_of(packets):
    return {(p.src, p.dst) for p in packets if p.dst.startswith("172.30.")}


def test_each_address_has_a_label_of_its_host(world):
    """requirement: PKT-16"""
    lab = world.lab
    for host in ("h1", "h2"):
        n = sum(i["host"] == host for i in lab.api("instances"))
        assert aliases(lab, host) == (f"172.30.{host[1]}.0/24", {"room": 254, "used": n, "resting": 0})
    one, two = labels_of(between(lab, world.a, world.b)), labels_of(between(lab, world.c, world.b))
    assert len(one) == len(two) == 1 and one != two
    (source, destination), (other, same) = *one, *two
    assert source != other and destination == same
    assert source.startswith("172.30.1.") and destination.startswith("172.30.2.")


def test_hops_of_the_substrate_are_not_seen(world):
    """requirement: PKT-7 PKT-16"""
    b = world.b
    private = world.net.node(world.net.private, host="h1")
    out = private.run("ping", "-n", "-c", "1", "-M", "do", "-t", "2", b.address).stdout
    assert "1 received" in out, "one router is between the subnets, and none more"
    out = private.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-t", "1", b.address, check=False).stdout
    assert "Time to live exceeded" in out
    script = ("import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              f"s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 7)\ns.sendto(b'x', ('{b.address}', {PORT}))")
    with received(b) as frames:
        world.a.python(script)
    assert [p.ttl for p in only_ip(frames, src=world.a.address)] == [7]


def test_the_substrates_errors_reach_the_node(world):
    """requirement: PKT-9 PKT-16"""
    lab, a, b = world.lab, world.a, world.b
    router = f"vd-{lab.name}-router"
    labs.run("ip", "-n", router, "link", "set", "h2", "mtu", "1400")
    try:
        a.run("ip", "route", "flush", "cache")
        done = a.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do", "-s", "1420", b.address, check=False)
        told = re.search(r"mtu ?= ?(\d+)", done.stdout + done.stderr)
        assert told and int(told.group(1)) == 1400, done.stdout + done.stderr  # not a byte is added
        assert re.search(r"From 10\.\d+\.\d+\.1 ", done.stdout + done.stderr), "in the words of its own router"
        with udp_sink(b, PORT) as got:
            sent = int(udp_source(a, b.address, PORT, rate=50, seconds=0.3, size=1372).communicate(timeout=30)[0])
        assert got["distinct"] == sent > 0
    finally:
        labs.run("ip", "-n", router, "link", "set", "h2", "mtu", "1500")
        a.run("ip", "route", "flush", "cache")


def test_spoofed_labels_arrive_nowhere(world):
    """requirement: MAP-4 PKT-4 PKT-16"""
    lab, a, b = world.lab, world.a, world.b
    (source, destination), = labels_of(between(lab, a, b))
    mine, its = (list(map(int, x.split("."))) for x in (source, destination))
    script = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
              "for line in sys.stdin:\n    d = bytes.fromhex(line)\n    s.sendto(d, (socket.inet_ntoa(d[16:20]), 0))")

    def packet(src, dst, **kw):
        return bytes(IP(src=src, dst=dst, flags="DF", id=64 << 8, ttl=60, **kw) / UDP(sport=9, dport=9) / b"from nobody")

    free = f"172.30.1.{(mine[3] % 200) + 50}"
    forged = [
        packet(free, destination),                         # a label that nobody has
        packet("172.30.2.250", destination),               # of the receiver's own range
        packet("172.30.9.9", destination),                 # in no range
        packet(lab_address(lab, "h1"), destination),       # a host's own address
        packet(source, f"172.30.2.{(its[3] % 200) + 50}"), # to a label that nobody has
    ]
    with received(b) as frames:
        labs.run("ip", "netns", "exec", f"vd-{lab.name}-router", "/usr/bin/python3", "-c", script,
                 input="\n".join(p.hex() for p in forged) + "\n")
    assert not [p for p in frames if b"from nobody" in bytes(p)]
    wait_for("the drops to be counted", lambda: lab.drops("UNKNOWN_PEER") and lab.drops("NOT_LOCAL"))
    assert between(lab, a, b), "and the real one goes on"


def lab_address(lab, host):
    return next(h for h in lab.api("hosts") if h["name"] == host)["v4"]


def test_peered_networks_have_labels_of_their_own(world):
    """requirement: TOPO-1 PKT-16"""
    lab, one = world.lab, world.net
    other = Network(lab, 20)
    far = other.node(host="h2")
    made = lab.ec2.create_vpc_peering_connection(VpcId=one.id, PeerVpcId=other.id)
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    lab.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    for net, to in ((one, other), (other, one)):
        net.route(net.public, to.cidr, VpcPeeringConnectionId=peering)
    with server(world.a, far):
        wait_for("the way to be open", lambda: ask(world.a, far.address))
        assert ask(world.a, far.address)[0] == world.a.address
        assert ask(far, world.a.address)[0] == far.address
        with lab.capture(expression="ip") as seen:
            assert ask(world.a, far.address)
        carried = [p[IP] for p in seen if IP in p and TCP in p and p[IP].dst.startswith("172.30.")]
        assert carried and not [p for p in seen if UDP in p and p[UDP].dport == 4789]
        lab.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
        wait_for("the way to be closed", lambda: not ask(world.a, far.address, seconds=0.5))


def test_another_range_under_traffic(world):
    """requirement: PKT-16"""
    lab, a, b = world.lab, world.a, world.b
    router = f"vd-{lab.name}-router"
    before = labels_of(between(lab, a, b))
    labs.run("ip", "-n", router, "route", "add", "172.30.101.0/24", "via", lab_address(lab, "h1"))
    with server(b), Conversation(a, b.address) as talk:
        assert talk.lives()
        lab.viaduct("host", "set", "h1", "--aliases", "172.30.101.0/24", "--lab", lab.name)
        # Hosts hear of it one after the other: for that moment packets are lost.
        wait_for("the new labels", lambda: labels_of(between(lab, a, b, lossless=False)) - before)
        assert talk.lives()
        (source, _), = labels_of(between(lab, a, b))
        assert source.startswith("172.30.101.")
        assert aliases(lab, "h1")[1]["resting"] >= 2, "the old ones are given to nobody yet"
        with pytest.raises(labs.Failed) as refused:
            lab.viaduct("host", "set", "h2", "--aliases", "172.30.1.0/24", "--lab", lab.name)
        assert "still use" in str(refused.value)
        lab.viaduct("host", "set", "h1", "--aliases", "none", "--lab", lab.name)
        wait_for("vxlan", lambda: not labels_of(between(lab, a, b, lossless=False)))
        assert talk.lives()
        lab.viaduct("host", "set", "h1", "--aliases", "172.30.1.0/24", "--lab", lab.name)
        wait_for("labels again", lambda: labels_of(between(lab, a, b, lossless=False)))
        assert talk.lives()


def test_daemons_may_go(world):
    """requirement: PKT-16"""
    lab, a, b = world.lab, world.a, world.b
    with server(b), Conversation(a, b.address) as talk:
        assert talk.lives()
        before = labels_of(between(lab, a, b))
        for what in ("h1", "h2", "manager"):
            lab.kill(what)
        assert talk.lives() and labels_of(between(lab, a, b)) == before
        for what in ("manager", "h1", "h2"):
            lab.restart(what)
        lab.connected()
        assert talk.lives() and labels_of(between(lab, a, b)) == before


def test_a_range_without_room(world):
    """requirement: PKT-16"""
    lab, b = world.lab, world.b
    labs.run("ip", "-n", f"vd-{lab.name}-router", "route", "add", "172.30.111.0/28", "via", lab_address(lab, "h1"))
    lab.viaduct("host", "set", "h1", "--aliases", "172.30.111.0/28", "--lab", lab.name)
    large = world.net.node(host="h1", InstanceType="m5.4xlarge")
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=large.interface, SecondaryPrivateIpAddressCount=14)
    wait_for("the range to be full", lambda: aliases(lab, "h1")[1]["used"] == 14)
    late = world.net.node(host="h1")
    assert aliases(lab, "h1")[1]["used"] == 14
    carried = between(lab, late, b)
    assert carried and all(p[UDP].dport == 4789 for p in carried), "by vxlan"
    assert late.ping(b.address) == 3
