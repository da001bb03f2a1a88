# SPDX-License-Identifier: Apache-2.0
"""IPv4 on IPv4 without a byte more: labels on the substrate, and what becomes of them.

    a, c --- h1 --- [ router ] --- h2 --- b        172.30.1.0/24 is routed to h1, 172.30.2.0/24 to h2
                        |
                       box: no host of ours, but an ordinary VXLAN device (docs/howto/foreign-hosts.md)
"""
import re

import pytest
from scapy.layers.inet import IP, TCP, UDP

import lab as labs
from conversations import ask, Conversation, reach, server
from edges import Network
from foreign import Box, OpenVSwitch
from lab import wait_for
from packets import only_ip, received, sent_by, udp_sink, udp_source

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
            got.sent = sent_by(udp_source(a, b.address, PORT, rate=100, seconds=0.1, size=size))
    assert got["n"] == got.sent or not lossless
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
    with received(b, until=lambda f: only_ip(f, src=world.a.address)) as frames:
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
            sent = got.sent = sent_by(udp_source(a, b.address, PORT, rate=50, seconds=0.3, size=1372))
        assert got["distinct"] == sent > 0
    finally:
        labs.run("ip", "-n", router, "link", "set", "h2", "mtu", "1500")
        a.run("ip", "route", "flush", "cache")


def test_what_goes_beside_is_asked_in_its_own_direction(world):
    """Without vxlan from one host, the other one's goes on.  requirement: NEG-3 NEG-4 PKT-16"""
    lab, a, b = world.lab, world.a, world.b
    # without DF it goes whole
    script = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "s.setsockopt(socket.IPPROTO_IP, 10, 0)\nfor n in range(5):\n"
              "    s.sendto(n.to_bytes(8, 'big'), (sys.argv[1], int(sys.argv[2])))")

    def arrive(source, target):
        with udp_sink(target, PORT) as got:
            source.python(script, target.address, str(PORT))
            got.sent = 5
        return got["n"]

    assert arrive(a, b) == arrive(b, a) == 5
    before = lab.drops_now("NO_FORMAT", "h1")
    lab.operate("POST", "/v1/policies", {"name": "no-vxlan", "effect": "forbid", "what": ["vxlan"],
                                         "match": {"host": "h1", "direction": "out"}})
    try:
        wait_for("h1 to send none", lambda: not arrive(a, b))
        assert arrive(b, a) == 5
        wait_for("the drops to be counted", lambda: lab.drops("NO_FORMAT", "h1") >= before + 5)
        assert labels_of(between(lab, a, b)) and labels_of(between(lab, b, a))
    finally:
        lab.operate("DELETE", "/v1/policies/no-vxlan")
    wait_for("h1 to send it again", lambda: arrive(a, b) == 5)


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
        wait_for("the drops to be counted", lambda: lab.drops("UNKNOWN_PEER") and lab.drops("NOT_LOCAL"))
    assert not [p for p in frames if b"from nobody" in bytes(p)]
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
        assert reach(world.a, far.address)[0] == world.a.address
        assert reach(far, world.a.address)[0] == far.address
        with lab.capture(expression="ip") as seen:
            assert reach(world.a, far.address)
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


@pytest.fixture
def box(world):
    """As the foreign host "box", and a record of the network on it."""
    lab, net = world.lab, world.net
    eni = net.ec2.create_network_interface(SubnetId=net.public, Groups=[net.open])["NetworkInterface"]
    box = Box(lab)
    try:
        box.interface, box.address = eni["NetworkInterfaceId"], eni["PrivateIpAddress"]
        lab.viaduct("host", "add", "box", "--foreign", box.substrate, "--lab", lab.name)
        lab.viaduct("interface", "place", box.interface, "--host", "box", "--lab", lab.name)
        yield box
    finally:
        box.end()
        lab.operate("DELETE", "/v1/hosts/box?force=true")
        net.ec2.delete_network_interface(NetworkInterfaceId=box.interface)


def test_an_ordinary_vxlan_device_is_a_peer(world, box):
    """It talks with the nodes of its own network, by the groups of its record, and with nobody else's.
    requirement: PKT-3 NEG-7 PKT-4 MAP-4"""
    lab, net, a, b = world.lab, world.net, world.a, world.b
    state = {h["name"]: h["state"] for h in lab.api("hosts")}
    assert state == {"h1": "connected", "h2": "connected", "box": "foreign"}
    vni = next(m["vni"] for m in lab.api("mappings") if m["interface"] == box.interface)
    box.join("vx0", vni, box.address, ["h1", "h2"], [a, b])
    with server(a, b, box):
        for node in (a, b):
            wait_for("the node to answer", lambda n=node: ask(box, n.address))
            assert box.ping(node.address, "-M", "do", "-s", 1450 - 28) == 3 == node.ping(box.address)
            assert reach(box, node.address, seconds=10)[0] == box.address
            assert reach(node, box.address, seconds=10)[0] == node.address
        with udp_sink(b, PORT) as got:
            sent = got.sent = sent_by(udp_source(box, b.address, PORT, rate=100, seconds=0.3, size=1400))
        assert got["distinct"] == sent > 0
        # the groups that its record is in are asked at the node's host
        friends = net.ec2.create_security_group(GroupName="friends", Description="x", VpcId=net.id)["GroupId"]
        closed = net.ec2.create_security_group(GroupName="closed", Description="x", VpcId=net.id)["GroupId"]
        net.ec2.authorize_security_group_ingress(GroupId=closed, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 7000, "ToPort": 7000, "UserIdGroupPairs": [{"GroupId": friends}]}])
        net.ec2.modify_network_interface_attribute(NetworkInterfaceId=b.interface, Groups=[closed])
        wait_for("the group to keep it out", lambda: not ask(box, b.address, seconds=0.5))
        net.ec2.modify_network_interface_attribute(NetworkInterfaceId=box.interface, Groups=[friends])
        wait_for("the group to let it in", lambda: ask(box, b.address))
        net.ec2.modify_network_interface_attribute(NetworkInterfaceId=b.interface, Groups=[net.open])
        # another network's number, and the address of another node
        other = Network(lab, 40)
        far = other.node(host="h1")
        its = next(m["vni"] for m in lab.api("mappings") if m["interface"] == far.interface)
        box.join("vx1", its, "10.40.1.99", ["h1", "h2"], [far])
        box.ip("address", "add", f"{b.address}/32", "dev", "vx0")
        before = lab.drops_now("SPOOF", "h1")
        with received(far) as frames, received(a) as spoofed:
            assert box.ping(far.address) == 0
            assert box.ping(a.address, "-I", b.address) == 0
            wait_for("the drops to be counted", lambda: lab.drops("SPOOF", "h1") > before)
        assert not only_ip(frames, src="10.40.1.99") and not only_ip(spoofed, src=b.address)
        box.ip("address", "delete", f"{b.address}/32", "dev", "vx0")
        assert far.ping(box.address) == 0
        assert reach(box, a.address, seconds=10)
        # what must be sealed does not go there, and the reason says why
        lab.operate("POST", "/v1/policies", {"name": "sealed", "match": {"host": "box"}, "effect": "require",
                                              "what": ["crypt"]})
        try:
            wait_for("nothing to go there", lambda: not ask(a, box.address, seconds=0.5))
            pair = next(p for p in lab.operate("GET", "/v1/pairs?from=h1&to=box")["pairs"])
            assert pair["send"] == "none" and "sealed" in pair["reason"] and "box" in pair["reason"]
        finally:
            lab.operate("DELETE", "/v1/policies/sealed")
        wait_for("it to go there again", lambda: ask(a, box.address))
        # off again
        lab.viaduct("interface", "unplace", box.interface, "--lab", lab.name)
        wait_for("nothing to be taken from it", lambda: not ask(box, a.address, seconds=0.5))


def test_open_vswitch_is_a_peer(world, box):
    """requirement: PKT-3"""
    lab, a, b = world.lab, world.a, world.b
    vni = next(m["vni"] for m in lab.api("mappings") if m["interface"] == box.interface)
    with OpenVSwitch(box) as ovs, server(a, b, box):
        ovs.join(vni, box.address, ["h1", "h2"], [a, b])
        for node in (a, b):
            wait_for("the node to answer", lambda n=node: ask(box, n.address))
            wait_for("the box to answer", lambda n=node: ask(n, box.address))
            assert reach(box, node.address, seconds=10)[0] == box.address
            assert reach(node, box.address, seconds=10)[0] == node.address
            assert box.ping(node.address, "-M", "do", "-s", 1450 - 28) and node.ping(box.address)


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
