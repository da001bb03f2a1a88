# SPDX-License-Identifier: Apache-2.0
"""Two networks of two accounts with the same addresses on the same hosts.  Everything that can be constructed to
get from one into the other is tried, and nothing arrives.

    h1: red1 10.0.1.10   blue1 10.0.1.10        h2: red2 10.0.1.11   blue2 10.0.1.11
              \\____________ h1 ---- [ router ] ---- h2 ____________/
"""
import ipaddress
import json

import pytest
from botocore.exceptions import ClientError
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

import lab as labs
from packets import known_mac, received, send_frames

LAB = {"hosts": 2}
BROADCAST = "ff:ff:ff:ff:ff:ff"
MARK = b"from red, for blue alone"


@pytest.fixture(scope="module")
def world(lab):
    _, other = lab.account("blue")
    w = {}
    for colour, ec2 in (("red", lab.ec2), ("blue", other)):
        vpc, (subnet,) = lab.subnets("10.0.1.0/24", ec2=ec2)
        # The same two addresses on the same two hosts: placement is asked again until it says so.
        first = lab.start(subnet, "10.0.1.10", ec2=ec2)
        while colour == "blue" and first.host != w["red1"].host:
            ec2.terminate_instances(InstanceIds=[first.id])
            labs.wait_for("the address to be free", lambda: not ec2.describe_network_interfaces(
                Filters=[{"Name": "private-ip-address", "Values": ["10.0.1.10"]}])["NetworkInterfaces"])
            filler = lab.start(subnet, ec2=ec2)
            first = lab.start(subnet, "10.0.1.10", ec2=ec2)
        second = lab.start(subnet, "10.0.1.11", ec2=ec2)
        if second.host == first.host:
            ec2.terminate_instances(InstanceIds=[second.id])
            lab.start(subnet, ec2=ec2)
            labs.wait_for("the address to be free", lambda: not ec2.describe_network_interfaces(
                Filters=[{"Name": "private-ip-address", "Values": ["10.0.1.11"]}])["NetworkInterfaces"])
            second = lab.start(subnet, "10.0.1.11", ec2=ec2)
        w[colour + "1"], w[colour + "2"] = first, second
        w[colour] = {"vpc": vpc, "subnet": subnet, "ec2": ec2}
    vnis = {n["id"]: n["vni"] for n in lab.api("networks")}
    w["red"]["vni"], w["blue"]["vni"] = vnis[w["red"]["vpc"]], vnis[w["blue"]["vpc"]]
    assert w["red1"].host != w["red2"].host and w["blue1"].host != w["blue2"].host
    for colour in ("red", "blue"):
        assert w[colour + "1"].ping("10.0.1.11") == 3
    return w


def test_both_networks_use_the_same_addresses(world):
    """requirement: PKT-4"""
    assert world["red1"].address == world["blue1"].address
    assert world["red2"].address == world["blue2"].address
    assert world["red1"].host == world["blue1"].host


def test_each_reaches_its_own_and_only_its_own(world):
    """requirement: PKT-4 PKT-5"""
    for sender, own, others in (("red1", "red2", ("blue2", "blue1")), ("blue1", "blue2", ("red2", "red1"))):
        with received(world[own]) as at_own, received(world[others[0]]) as far, received(world[others[1]]) as near:
            assert world[sender].ping("10.0.1.11", count=3) == 3
        assert sum(ICMP in f and f[IP].src == "10.0.1.10" for f in at_own) == 3
        for frames in (far, near):
            assert not [f for f in frames if ICMP in f]


def crossing_frames(world):
    """Frames that red1 sends in the hope that one reaches blue."""
    red1 = world["red1"]
    own_mac, router = red1.mac, known_mac(red1, "10.0.1.1")
    known = known_mac(red1, "10.0.1.11")
    blue_macs = [world["blue1"].mac, world["blue2"].mac]
    blue_dummy = [known_mac(world["blue1"], "10.0.1.11"), known_mac(world["blue2"], "10.0.1.10")]
    udp = UDP(sport=9, dport=9) / MARK
    out = []
    for mac in [BROADCAST, "01:00:5e:00:00:fb", router, known, *blue_macs, *blue_dummy]:
        for target in ("10.0.1.10", "10.0.1.255", "255.255.255.255", "224.0.0.251", "10.0.2.10"):
            out.append(Ether(src=own_mac, dst=mac) / IP(src=red1.address, dst=target, flags="DF", id=0) / udp)
    out += [Ether(src=own_mac, dst=BROADCAST) / ARP(op=op, hwsrc=own_mac, psrc=psrc, pdst="10.0.1.10", hwdst=m)
            for op in (1, 2) for psrc in ("10.0.1.10", "10.0.1.11") for m in (BROADCAST, *blue_macs)]
    # IPIP towards the substrate addresses of blue, ICMP errors about its packets, frames that are not IP.
    out.append(Ether(src=own_mac, dst=router) / IP(src=red1.address, dst="10.0.1.11") /
               IP(src="10.0.1.11", dst="10.0.1.10") / udp)
    out.append(Ether(src=own_mac, dst=router) / IP(src=red1.address, dst="10.0.1.11") / ICMP(type=3, code=4) /
               IP(src="10.0.1.11", dst="10.0.1.10") / UDP(sport=9, dport=9))
    out.append(Ether(src=own_mac, dst=BROADCAST, type=0x88b5) / MARK)
    out.append(Ether(src=own_mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1") / udp)
    for target in substrate_addresses(world, "blue"):
        out.append(Ether(src=own_mac, dst=router) / IPv6(src="fd56:6961::1", dst=target) / udp)
    return out


def substrate_addresses(world, colour):
    """Addresses on the substrate that say (VNI of 'colour', 10.0.1.10 or .11) at every host."""
    lab = world["red1"].lab
    out = []
    for host in lab.api("hosts"):
        for inner in ("10.0.1.10", "10.0.1.11"):
            if host.get("siit2"):
                out.append(siit2(host["siit2"], world[colour]["vni"], inner))
            if host.get("siit1"):
                out.append(siit1(host["siit1"], world[colour]["vni"], inner))
    return out


def tail(vni, inner):
    return vni.to_bytes(3, "big") + ipaddress.ip_address(inner).packed


def siit1(locator, vni, inner):
    net = ipaddress.ip_network(locator, strict=False).network_address.packed
    return str(ipaddress.ip_address(net[:8] + b"\0" + tail(vni, inner)))


def siit2(locator, vni, inner):
    """The rule of docs/substrate.md anew, in other words than the program's: byte 7 low, 8 high of the complement."""
    a = bytearray(ipaddress.ip_network(locator, strict=False).network_address.packed[:7] + b"\0\0" + tail(vni, inner))
    total = sum(a[i] << 8 | a[i + 1] for i in range(0, 12, 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    adjust = ~total & 0xffff
    adjust = 0 if adjust == 0xffff else adjust
    a[7], a[8] = adjust & 0xff, adjust >> 8
    return str(ipaddress.ip_address(bytes(a)))


def test_no_frame_of_one_network_reaches_the_other(world):
    """requirement: PKT-4 PKT-10"""
    with received(world["blue1"]) as near, received(world["blue2"]) as far:
        send_frames(world["red1"], crossing_frames(world))
    for frames in (near, far):
        assert not [f for f in frames if MARK in bytes(f)]
        assert not [f for f in frames if f.src == world["red1"].mac]


def test_arp_tells_nothing_about_the_other_network(world):
    """An address that only blue has is not resolved for red.  requirement: PKT-4 MAP-2"""
    lab, blue = world["red1"].lab, world["blue"]
    alone = lab.start(blue["subnet"], "10.0.1.77", ec2=blue["ec2"])
    assert world["blue1"].ping("10.0.1.77") == 3
    with received(alone) as frames:
        assert world["red1"].ping("10.0.1.77", count=1) == 0
    assert world["red1"].neighbour("10.0.1.77") is None
    assert not [f for f in frames if f.haslayer(ICMP) or f.haslayer(ARP)]


SEND_V6 = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("sub0", 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""


def forged(world, packets):
    """Sends IPv6 packets from the namespace of the host where red1 is, past its programs."""
    lab, host = world["red1"].lab, world["red1"].host
    link = json.loads(lab.host_run(host, "ip", "-j", "link", "show", "sub0").stdout)[0]["address"]
    gateway = f"fd76:6c61:6200:{int(host[1:]):x}::1"
    lab.host_run(host, "ping", "-c1", "-W1", gateway)
    entries = json.loads(lab.host_run(host, "ip", "-j", "neigh", "show", gateway).stdout)
    lines = "\n".join(bytes(Ether(src=link, dst=entries[0]["lladdr"]) / p).hex() for p in packets)
    lab.host_run(host, "/usr/bin/python3", "-c", SEND_V6, input=lines)


def test_forged_substrate_packets_are_dropped_and_counted(world):
    """Packets that say they come from a network, address or host that they do not come from.
    requirement: MAP-4 NEG-6 PKT-15"""
    lab = world["red1"].lab
    hosts = lab.hosts()
    here, there = hosts[world["blue1"].host], hosts[world["blue2"].host]
    red, blue = world["red"]["vni"], world["blue"]["vni"]
    udp = UDP(sport=9, dport=9) / MARK
    to_blue = siit2(there["siit2"], blue, "10.0.1.11")
    inner = IP(src="10.0.1.10", dst="10.0.1.11") / udp
    sources = [
        siit2(here["siit2"], red, "10.0.1.10"),       # the right host, the other network
        siit2(here["siit2"], blue, "10.0.1.99"),      # an address that nobody has
        siit2(there["siit2"], blue, "10.0.1.10"),     # the receiver itself
        siit2("fd56:6961:bfff:ff00::/56", blue, "10.0.1.10"),  # a host that does not exist
        f"fd76:6c61:6200:{int(world['red1'].host[1:]):x}::2",  # no substrate address of ours at all
    ]
    packets = [IPv6(src=s, dst=to_blue, fl=64 << 11) / udp for s in sources]
    packets += [IPv6(src=s, dst=to_blue, nh=4) / inner for s in sources]
    # ipip6 whose inside says something else than its outside
    good = siit2(here["siit2"], blue, "10.0.1.10")
    packets += [IPv6(src=good, dst=to_blue, nh=4) / IP(src=src, dst=dst) / udp
                for src, dst in (("10.0.1.99", "10.0.1.11"), ("10.0.1.10", "10.0.1.10"), ("10.0.1.10", "10.0.1.77"))]
    # a network that was never made; siit/1 where siit/2 was chosen; a broken adjust
    packets.append(IPv6(src=siit2(here["siit2"], 0xeffffe, "10.0.1.10"),
                        dst=siit2(there["siit2"], 0xeffffe, "10.0.1.11")) / udp)
    packets.append(IPv6(src=siit1(here["siit1"], blue, "10.0.1.10"),
                        dst=siit1(there["siit1"], blue, "10.0.1.11")) / udp)
    broken = bytearray(ipaddress.ip_address(to_blue).packed)
    broken[8] ^= 0x10
    packets.append(IPv6(src=good, dst=str(ipaddress.ip_address(bytes(broken)))) / udp)
    before = lab.drops_now(host=world["blue2"].host)
    with received(world["blue2"]) as far, received(world["red2"]) as own:
        forged(world, packets)
        labs.wait_for("the drops to be counted",
                      lambda: lab.drops(host=world["blue2"].host) >= before + len(packets) - 2)
    assert not [f for f in far if MARK in bytes(f)]
    assert not [f for f in own if MARK in bytes(f)]


def test_the_forger_could_have_reached_it_with_the_truth(world):
    """That the packets above were dropped for what they say, not for how they were sent.  requirement: MAP-4"""
    hosts = world["red1"].lab.hosts()
    here, there = hosts[world["blue1"].host], hosts[world["blue2"].host]
    vni = world["blue"]["vni"]
    true = IPv6(src=siit2(here["siit2"], vni, "10.0.1.10"), dst=siit2(there["siit2"], vni, "10.0.1.11"),
                fl=1 << 19 | 64 << 11) / UDP(sport=9, dport=9) / MARK
    def marked(frames):
        return [f for f in frames if MARK in bytes(f)]

    with received(world["blue2"], until=marked) as frames:
        forged(world, [true])
    assert marked(frames)


@pytest.mark.parametrize("colour", ["red", "blue"])
def test_the_api_shows_and_changes_only_ones_own(world, colour):
    """requirement: OPS-1 PKT-4"""
    own, other = world[colour], world["blue" if colour == "red" else "red"]
    ec2 = own["ec2"]
    foreign = world[("blue" if colour == "red" else "red") + "1"]
    eni = foreign.interfaces[0]["NetworkInterfaceId"]
    listed = {v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]}
    assert own["vpc"] in listed and other["vpc"] not in listed
    seen = [i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    assert foreign.id not in seen
    attempts = [
        (lambda: ec2.describe_vpcs(VpcIds=[other["vpc"]]), "InvalidVpcID.NotFound"),
        (lambda: ec2.describe_instances(InstanceIds=[foreign.id]), "InvalidInstanceID.NotFound"),
        (lambda: ec2.terminate_instances(InstanceIds=[foreign.id]), "InvalidInstanceID.NotFound"),
        (lambda: ec2.describe_network_interfaces(NetworkInterfaceIds=[eni]), "InvalidNetworkInterfaceID.NotFound"),
        (lambda: ec2.delete_network_interface(NetworkInterfaceId=eni), "InvalidNetworkInterfaceID.NotFound"),
        (lambda: ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.50"]),
         "InvalidNetworkInterfaceID.NotFound"),
        (lambda: ec2.create_subnet(VpcId=other["vpc"], CidrBlock="10.0.9.0/24"), "InvalidVpcID.NotFound"),
        (lambda: ec2.create_network_interface(SubnetId=other["subnet"]), "InvalidSubnetID.NotFound"),
        (lambda: ec2.run_instances(ImageId="ami-netns", MinCount=1, MaxCount=1, SubnetId=other["subnet"]),
         "InvalidSubnetID.NotFound"),
        (lambda: ec2.create_tags(Resources=[other["vpc"]], Tags=[{"Key": "a", "Value": "b"}]), "InvalidVpcID.NotFound"),
        (lambda: ec2.delete_vpc(VpcId=other["vpc"]), "InvalidVpcID.NotFound"),
    ]
    for attempt, code in attempts:
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == code


def test_spoofed_sources_are_stopped_counted_and_reported(world):
    """requirement: PKT-10 PKT-15"""
    red1, lab = world["red1"], world["red1"].lab
    dst = known_mac(red1, "10.0.1.11")
    udp = UDP(sport=9, dport=9) / MARK
    frames = [
        Ether(src=red1.mac, dst=dst) / IP(src="10.0.1.12", dst="10.0.1.11") / udp,
        Ether(src=red1.mac, dst=dst) / IP(src="10.0.1.11", dst="10.0.1.11") / udp,
        Ether(src=red1.mac, dst=dst) / IP(src="8.8.8.8", dst="10.0.1.11") / udp,
        Ether(src="02:00:00:00:00:99", dst=dst) / IP(src=red1.address, dst="10.0.1.11") / udp,
        Ether(src=world["red2"].mac, dst=dst) / IP(src="10.0.1.11", dst="10.0.1.11") / TCP(sport=9, dport=9, flags="S"),
    ]
    eni = red1.interfaces[0]["NetworkInterfaceId"]

    def counted():
        return sum(d["packets"] for d in lab.api("drops") if d.get("interface") == eni)

    before = counted()
    with received(world["red2"]) as got:
        send_frames(red1, frames)
        labs.wait_for("the drops to be counted", lambda: counted() >= before + len(frames))
    assert not [f for f in got if MARK in bytes(f) or TCP in f]
    assert any("spoof" in d["reason"].lower() or "source" in d["reason"].lower() for d in lab.api("drops")
               if d.get("interface") == eni)
