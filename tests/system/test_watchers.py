# SPDX-License-Identifier: Apache-2.0
"""Flow logs and traffic mirroring on packets.

        h1                     h2
    a (logged, source) ===== b      sink (target), on either
    c (beside a)

requirement: OPS-1, OPS-4
"""
import pathlib
import socket
import struct
import tempfile

import pytest

from lab import Lab, wait_for

FORMAT = " ".join("${%s}" % f for f in (
    "interface-id srcaddr dstaddr srcport dstport protocol packets bytes action log-status flow-direction tcp-flags vpc-id "
    "subnet-id instance-id type start end az-id region account-id version").split())

SERVER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
n = 0
s.settimeout(60)
while n < int(sys.argv[2]):
    n += len(s.recv(2000)) > 0
print(n)
"""
CLIENT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[4])))
for i in range(int(sys.argv[3])):
    s.sendto(b"x" * int(sys.argv[5]), (sys.argv[1], int(sys.argv[2])))
"""
TCP_SERVER = """
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
c, _ = s.accept()
n = 0
while True:
    d = c.recv(65536)
    if not d:
        break
    n += len(d)
print(n)
"""
TCP_CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), source_address=("0.0.0.0", int(sys.argv[4])))
s.sendall(b"y" * int(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def lab():
    l = Lab(hosts=2)
    yield l
    l.down()


@pytest.fixture(scope="module")
def net(lab):
    class Net:
        pass
    n = Net()
    n.vpc, (n.subnet,) = lab.subnets("10.0.1.0/24")
    n.group = lab.ec2.create_security_group(GroupName="g", Description="g", VpcId=n.vpc)["GroupId"]
    lab.ec2.authorize_security_group_ingress(GroupId=n.group, IpPermissions=[
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
        {"IpProtocol": "udp", "FromPort": 5000, "ToPort": 5009, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
        {"IpProtocol": "tcp", "FromPort": 5000, "ToPort": 5009, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    n.a = lab.start(n.subnet, SecurityGroupIds=[n.group])
    for _ in range(6):
        n.b = lab.start(n.subnet, SecurityGroupIds=[n.group])
        if n.b.host != n.a.host:
            break
    for _ in range(6):
        n.c = lab.start(n.subnet, SecurityGroupIds=[n.group])
        if n.c.host == n.a.host:
            break
    assert n.b.host != n.a.host and n.c.host == n.a.host
    return n


def serve(node, script, *argv):
    p = node.spawn("/usr/bin/python3", "-c", script, *argv)
    assert p.stdout.readline().strip() == "ready"
    return p


class Log:
    """What a flow log has said so far, as dictionaries."""

    def __init__(self, lab, log):
        self.lab, self.id = lab, log

    def records(self):
        out = self.lab.viaduct("flow-log", self.id, "--lab", self.lab.name).splitlines()
        names = out[0].split(" ")
        return [dict(zip(names, line.split(" "))) for line in out[1:]]

    def sums(self, **want):
        """(packets, bytes) of all records that are so."""
        found = [r for r in self.records() if r["log-status"] == "OK" and all(r[k.replace("_", "-")] == str(v) for k, v in want.items())]
        return sum(int(r["packets"]) for r in found), sum(int(r["bytes"]) for r in found)


@pytest.fixture(scope="module")
def log(lab, net):
    made = lab.ec2.create_flow_logs(ResourceIds=[net.vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="all",
                                    DeliverLogsPermissionArn="arn:x", LogFormat=FORMAT)
    l = Log(lab, made["FlowLogIds"][0])
    wait_for("the hosts to watch", lambda: len({r["interface-id"] for r in l.records()}) >= 3)
    return l


def test_nothing_to_say(lab, net, log):
    nothing = [r for r in log.records() if r["log-status"] == "NODATA"]
    assert nothing and nothing[0]["srcaddr"] == nothing[0]["packets"] == nothing[0]["action"] == "-"
    assert int(nothing[0]["start"]) <= int(nothing[0]["end"]) and nothing[0]["vpc-id"] == net.vpc


@pytest.mark.parametrize("where", ["b", "c"])
def test_packets_are_counted(lab, net, log, where):
    """Both ends agree with what was sent, packet for packet, on one host and on two."""
    to = getattr(net, where)
    port = 5000 if where == "b" else 5001
    server = serve(to, SERVER, port, 100)
    net.a.python(CLIENT, to.address, port, 100, 6000 + port, 500)
    assert server.stdout.readline().strip() == "100"
    for node, direction in ((net.a, "egress"), (to, "ingress")):
        want = dict(interface_id=node.interface, srcaddr=net.a.address, dstaddr=to.address, srcport=6000 + port,
                    dstport=port, protocol=17, action="ACCEPT", flow_direction=direction)
        wait_for("the records", lambda: log.sums(**want)[0] >= 100)
        assert log.sums(**want) == (100, 100 * 528)
    r = next(r for r in log.records() if r["dstport"] == str(port) and r["interface-id"] == net.a.interface)
    assert (r["subnet-id"], r["instance-id"], r["type"], r["version"], r["account-id"][:1]) == (
        net.subnet, net.a.id, "IPv4", "5", r["account-id"][:1])
    assert r["az-id"].endswith("-az1") and r["region"] == "us-east-1" and int(r["start"]) <= int(r["end"])


def test_tcp(lab, net, log):
    """Large segments are counted as the packets that they become; both ends see as many."""
    size = 3000000
    server = serve(net.b, TCP_SERVER, 5002)
    net.a.python(TCP_CLIENT, net.b.address, 5002, size, 7002)
    assert server.stdout.readline().strip() == str(size)
    flow = dict(srcaddr=net.a.address, dstaddr=net.b.address, srcport=7002, dstport=5002, protocol=6, action="ACCEPT")
    wait_for("the records", lambda: log.sums(interface_id=net.b.interface, **flow)[1] >= size)
    wait_for("both ends", lambda: log.sums(interface_id=net.a.interface, **flow) == log.sums(
        interface_id=net.b.interface, **flow))
    packets, size_of_all = log.sums(interface_id=net.a.interface, **flow)
    assert size_of_all >= size + packets * 40 and packets >= size // net.a.mtu()
    flags = 0
    for r in log.records():
        if r["srcport"] == "7002":
            flags |= int(r["tcp-flags"])
    assert flags & 3 == 3  # SYN and FIN


def test_what_is_refused(lab, net, log):
    rejects = lab.ec2.create_flow_logs(ResourceIds=[net.b.interface], ResourceType="NetworkInterface", TrafficType="REJECT",
                                       LogDestinationType="s3", LogDestination="arn:aws:s3:::b", LogFormat=FORMAT)
    only = Log(lab, rejects["FlowLogIds"][0])
    wait_for("the new flow log", only.records)
    net.a.python(CLIENT, net.b.address, 9, 7, 6009, 100)
    flow = dict(srcaddr=net.a.address, dstaddr=net.b.address, srcport=6009, dstport=9, protocol=17)
    want = dict(flow, interface_id=net.b.interface, action="REJECT", flow_direction="ingress")
    sent = dict(flow, interface_id=net.a.interface, action="ACCEPT")
    for name, sums in (("rejections", lambda: log.sums(**want)), ("rejections alone", lambda: only.sums(**want)),
                       ("packets as they left", lambda: log.sums(**sent))):
        wait_for(f"the {name}", lambda: sums()[0] >= 7)
        assert sums() == (7, 7 * 128)
    assert only.sums(action="ACCEPT") == (0, 0)
    lab.ec2.delete_flow_logs(FlowLogIds=rejects["FlowLogIds"])
    out = lab.viaduct("flow-log", only.id, "--lab", lab.name, check=False)
    assert out == ""


def test_others_do_not_see_it(lab, net, log):
    _, other = lab.account("others")
    assert other.describe_flow_logs()["FlowLogs"] == []


def test_restarts(lab, net, log):
    """What was counted while no agent ran, or no manager, is told later."""
    server = serve(net.b, SERVER, 5003, 60)
    want = dict(interface_id=net.a.interface, dstport=5003, action="ACCEPT")
    net.a.python(CLIENT, net.b.address, 5003, 20, 6003, 100)
    lab.kill(net.a.host)
    net.a.python(CLIENT, net.b.address, 5003, 20, 6003, 100)
    lab.restart(net.a.host)
    lab.kill("manager")
    net.a.python(CLIENT, net.b.address, 5003, 20, 6003, 100)
    lab.restart("manager")
    assert server.stdout.readline().strip() == "60"
    wait_for("all of it", lambda: log.sums(**want)[0] >= 60)
    assert log.sums(**want) == (60, 60 * 128)


# ---- traffic mirroring ----

def headers(frame):
    """An Ethernet frame's IPv4 packet: (src, dst, protocol, transport and what follows)."""
    ip = frame[14:]
    header = (ip[0] & 15) * 4
    return (".".join(map(str, ip[12:16])), ".".join(map(str, ip[16:20])), ip[9], ip[header:])


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def is_intact(frame):
    src, dst, protocol, rest = headers(frame)
    ip = frame[14:34]
    pseudo = bytes(map(int, src.split("."))) + bytes(map(int, dst.split("."))) + struct.pack("!BBH", 0, protocol, len(rest))
    return checksum(ip) == 0xffff and checksum(pseudo + rest) == 0xffff


class Tap:
    """tcpdump on a node; the VXLAN packets that it got."""

    def __init__(self, lab, node):
        self.file = tempfile.NamedTemporaryFile(suffix=".pcap")
        self.p = node.spawn("tcpdump", "-U", "--immediate-mode", "-B", "32768", "-i", "eth0", "-s", "0", "-w", self.file.name, "udp", "dst", "port", "4789")
        self.node = node
        while "listening" not in (line := self.p.stdout.readline()):
            assert line

    def packets(self):
        """(outer source, VNI, inner frame) of each so far."""
        data = pathlib.Path(self.file.name).read_bytes()
        at, got = 24, []
        while at + 16 <= len(data):
            size, = struct.unpack_from("<I", data, at + 8)
            frame = data[at + 16:at + 16 + size]
            at += 16 + size
            if len(frame) == size:
                src, dst, protocol, rest = headers(frame)
                assert dst == self.node.address and protocol == 17 and rest[8] == 8
                got.append((src, int.from_bytes(rest[12:15], "big"), rest[16:]))
        return got

    def close(self):
        self.p.terminate()
        self.p.wait()


@pytest.fixture(scope="module")
def mirror(lab, net):
    """Copies of what a sends and gets go to a sink, first on the other host."""
    ec2 = lab.ec2
    net.open = ec2.create_security_group(GroupName="sink", Description="s", VpcId=net.vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=net.open, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    for _ in range(6):
        net.sink = lab.start(net.subnet, SecurityGroupIds=[net.open])
        if net.sink.host != net.a.host:
            break
    net.target = ec2.create_traffic_mirror_target(NetworkInterfaceId=net.sink.interface)["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    net.filter = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]

    def rule(number, direction, action="accept", **more):
        return ec2.create_traffic_mirror_filter_rule(**dict(
            dict(TrafficMirrorFilterId=net.filter, RuleNumber=number, TrafficDirection=direction, RuleAction=action,
                 SourceCidrBlock="0.0.0.0/0", DestinationCidrBlock="0.0.0.0/0"), **more))
    rule(10, "egress", Protocol=17, DestinationPortRange={"FromPort": 5000, "ToPort": 5009})
    rule(10, "ingress", "reject", Protocol=17, SourcePortRange={"FromPort": 5001, "ToPort": 5001})
    rule(20, "ingress")
    net.session = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=net.a.interface, TrafficMirrorTargetId=net.target, TrafficMirrorFilterId=net.filter,
        SessionNumber=1, VirtualNetworkId=4242)["TrafficMirrorSession"]["TrafficMirrorSessionId"]
    net.rule = rule
    return net


def send(net, to, port, n, size, source=6100):
    server = serve(to, SERVER, port, n)
    net.a.python(CLIENT, to.address, port, n, source, size)
    assert server.stdout.readline().strip() == str(n)


def test_copies_arrive(lab, mirror):
    tap = Tap(lab, mirror.sink)
    wait_for("the source's host to copy", lambda: send(mirror, mirror.b, 5000, 1, 10) or tap.packets())
    send(mirror, mirror.b, 5004, 40, 300)
    mirror.a.ping(mirror.b.address, count=2)  # out no rule accepts it, in one does

    def new():
        """But for those of before, some of which may be late, and what the sink's kernel answers to copies: nobody
        listens there."""
        found = [(p, headers(p[2])) for p in tap.packets()]
        return [p for p, h in found if (h[2] == 17 and h[3][2:4] == struct.pack("!H", 5004)) or (h[2] == 1 and h[3][0] == 0)]
    wait_for("the copies", lambda: len(new()) >= 42)
    got = new()
    tap.close()
    assert len(got) == 42 and {g[:2] for g in got} == {(mirror.a.address, 4242)}
    out = [f for _, _, f in got if headers(f)[2] == 17]
    assert len(out) == 40 and all(is_intact(f) for f in out)
    assert all(headers(f)[:2] == (mirror.a.address, mirror.b.address) and headers(f)[3][8:] == b"x" * 300 for f in out)
    assert all(f[6:12].hex(":") == mirror.a.mac for f in out)
    back = [f for _, _, f in got if headers(f)[2] == 1]
    assert len(back) == 2 and all(headers(f)[:2] == (mirror.b.address, mirror.a.address) for f in back)
    assert all(headers(f)[3][0] == 0 and f[:6].hex(":") == mirror.a.mac for f in back)


def test_large_segments(lab, mirror):
    """What left its node as one large packet is copied as what it is on the wire; each is whole, or cut at its end where
    the copy would not fit."""
    mirror.rule(30, "egress", Protocol=6)
    size = 400000
    tap = Tap(lab, mirror.sink)
    port = [7100]

    def once():
        port[0] += 1
        server = serve(mirror.b, TCP_SERVER, 5005)
        mirror.a.python(TCP_CLIENT, mirror.b.address, 5005, size, port[0])
        assert server.stdout.readline().strip() == str(size)
        return stream(port[0])

    def stream(source):
        return [headers(f)[3] for _, _, f in tap.packets() if headers(f)[2] == 6 and f[34:36] == struct.pack("!H", source)]

    wait_for("the new rule", once)
    once()

    def covered():
        """How far the sequence numbers reach without a gap, by the lengths that the IP headers say."""
        segments = {}
        for _, _, f in tap.packets():
            src, _, protocol, t = headers(f)
            if protocol == 6 and src == mirror.a.address and struct.unpack_from("!H", t)[0] == port[0]:
                length = struct.unpack_from("!H", f, 16)[0] - 20 - (t[12] >> 4) * 4
                segments[struct.unpack_from("!I", t, 4)[0]] = length + (t[13] & 2) // 2
        at = first = min(segments) if segments else 0
        while at in segments and segments[at]:
            at += segments[at]
        return at - first - 1
    wait_for("the whole stream", lambda: covered() >= size)
    assert covered() in (size, size + 1)
    frames = [f for _, _, f in tap.packets() if headers(f)[2] == 6]
    tap.close()
    mtu = mirror.sink.mtu()
    assert max(len(f) for f in frames) == mtu - 36
    short = [f for f in frames if len(f) == 14 + struct.unpack_from("!H", f, 16)[0]]
    assert short and all(is_intact(f) for f in short)


def test_length_and_order(lab, mirror):
    """A session with a lower number takes what its filter accepts; its copies are as long as it says."""
    ec2 = lab.ec2
    first = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    ec2.create_traffic_mirror_filter_rule(TrafficMirrorFilterId=first, RuleNumber=1, TrafficDirection="egress", RuleAction="accept",
                                          SourceCidrBlock="10.0.0.0/8", DestinationCidrBlock=mirror.c.address + "/32")
    ec2.modify_traffic_mirror_session(TrafficMirrorSessionId=mirror.session, SessionNumber=9)
    s = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=mirror.a.interface, TrafficMirrorTargetId=mirror.target, TrafficMirrorFilterId=first,
        SessionNumber=2, VirtualNetworkId=7, PacketLength=60)["TrafficMirrorSession"]["TrafficMirrorSessionId"]
    tap = Tap(lab, mirror.sink)

    def to(address, vni):
        return [f for _, v, f in tap.packets() if v == vni and headers(f)[1] == address and headers(f)[2] == 17]
    wait_for("the new session", lambda: send(mirror, mirror.c, 5006, 1, 200) or to(mirror.c.address, 7))
    before = len(to(mirror.c.address, 4242))
    send(mirror, mirror.c, 5007, 5, 200)
    send(mirror, mirror.b, 5007, 5, 200)
    wait_for("both", lambda: len(to(mirror.c.address, 7)) >= 6 and len(to(mirror.b.address, 4242)) >= 5)
    assert len(to(mirror.c.address, 4242)) == before
    assert {len(f) for f in to(mirror.c.address, 7)} == {60}
    assert {len(f) for f in to(mirror.b.address, 4242)} == {14 + 28 + 200}
    # whoever is no session's source any more pays nothing and sends nothing
    ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=s)
    ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=mirror.session)

    def silent():
        before = len(tap.packets())
        send(mirror, mirror.c, 5008, 3, 50)
        send(mirror, mirror.b, 5008, 3, 50)
        return len(tap.packets()) == before  # else once more: some may be late
    wait_for("silence", silent)
    tap.close()


def test_the_targets_groups_are_asked(lab, mirror):
    ec2 = lab.ec2
    s = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=mirror.c.interface, TrafficMirrorTargetId=mirror.target, TrafficMirrorFilterId=mirror.filter,
        SessionNumber=1, VirtualNetworkId=1)["TrafficMirrorSession"]["TrafficMirrorSessionId"]
    ec2.revoke_security_group_ingress(GroupId=mirror.open, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    # what c itself may send does not matter to its copies
    ec2.revoke_security_group_egress(GroupId=mirror.group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.authorize_security_group_egress(GroupId=mirror.group, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 5000, "ToPort": 5009, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    try:
        def dropped():
            return sum(d["packets"] for d in lab.api("drops") if d["interface"] == mirror.sink.interface)
        before = dropped()

        def refused():
            mirror.c.python(CLIENT, mirror.b.address, 5009, 3, 6200, 50)
            return dropped() > before
        wait_for("the target to refuse them", refused)
        tap = Tap(lab, mirror.sink)
        ec2.authorize_security_group_ingress(GroupId=mirror.open, IpPermissions=[
            {"IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
        wait_for("the copies", lambda: mirror.c.python(CLIENT, mirror.b.address, 5009, 3, 6200, 50) and tap.packets())
        tap.close()
    finally:
        ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=s)


def test_ipv6_to_a_peered_network(lab, mirror):
    """IPv6 packets are copied as well, and the copies cross a peering to a target in another network, by the routes of the
    source's subnet.  requirement: OPS-4 TOPO-1"""
    ec2, a, b = lab.ec2, mirror.a, mirror.b
    far, (subnet,) = lab.subnets("10.77.1.0/24", vpc_cidr="10.77.0.0/16")
    made = ec2.create_vpc_peering_connection(VpcId=mirror.vpc, PeerVpcId=far)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made)
    for vpc, there in ((mirror.vpc, "10.77.0.0/16"), (far, "10.0.0.0/16")):
        table, = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=there, VpcPeeringConnectionId=made)
    group = ec2.create_security_group(GroupName="far", Description="f", VpcId=far)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])
    sink = lab.start(subnet, SecurityGroupIds=[group])
    block = ec2.associate_vpc_cidr_block(VpcId=mirror.vpc, AmazonProvidedIpv6CidrBlock=True)["Ipv6CidrBlockAssociation"]
    ec2.associate_subnet_cidr_block(SubnetId=mirror.subnet, Ipv6CidrBlock=block["Ipv6CidrBlock"].split("/")[0] + "/64")
    every = [{"IpProtocol": "icmpv6", "FromPort": -1, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=mirror.group, IpPermissions=every)
    ec2.authorize_security_group_egress(GroupId=mirror.group, IpPermissions=every)
    six = [ec2.assign_ipv6_addresses(NetworkInterfaceId=n.interface, Ipv6AddressCount=1)["AssignedIpv6Addresses"][0]
           for n in (a, b)]
    wait_for("IPv6", lambda: a.ping(six[1], "-6", count=1))
    chosen = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    for direction in ("ingress", "egress"):
        ec2.create_traffic_mirror_filter_rule(TrafficMirrorFilterId=chosen, RuleNumber=1, TrafficDirection=direction,
                                              RuleAction="accept", SourceCidrBlock="::/0", DestinationCidrBlock="::/0")
    target = ec2.create_traffic_mirror_target(NetworkInterfaceId=sink.interface)["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    ec2.create_traffic_mirror_session(NetworkInterfaceId=a.interface, TrafficMirrorTargetId=target,
                                      TrafficMirrorFilterId=chosen, SessionNumber=5, VirtualNetworkId=66)
    tap = Tap(lab, sink)

    def copies():
        """{(source, destination, ICMPv6 type)} of those that are whole."""
        found = set()
        for outer, vni, f in tap.packets():
            assert (outer, vni, f[12:14], f[20]) == (a.address, 66, b"\x86\xdd", 58)
            size = struct.unpack_from("!H", f, 18)[0]
            assert len(f) == 54 + size
            assert checksum(f[22:54] + struct.pack("!II", size, 58) + f[54:]) == 0xffff
            found.add((socket.inet_ntop(socket.AF_INET6, f[22:38]), socket.inet_ntop(socket.AF_INET6, f[38:54]), f[54]))
        return found

    both = {(six[0], six[1], 128), (six[1], six[0], 129)}
    wait_for("copies both ways", lambda: a.ping(six[1], "-6", count=1) and both <= copies())
    tap.close()
    assert copies() == both
