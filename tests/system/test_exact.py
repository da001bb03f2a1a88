# SPDX-License-Identifier: Apache-2.0
"""The far end gets what was sent: every field of the header, whatever the packet.

    a --- h1 --- [ router ] --- h2 --- b        siit/2 or siit/1, with ipip6/1 for what they cannot carry; vxlan/1;
                                                reip4/1, with vxlan/1 likewise
"""
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_RR
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

import lab as labs
from packets import frame, only_ip, received, send_frames

FORMATS = ["siit/2", "siit/1", "vxlan/1", "reip4/1"]
COMPANIONS = {"siit/2": ",ipip6/1", "siit/1": ",ipip6/1", "reip4/1": ",vxlan/1", "vxlan/1": ""}
PAYLOAD = bytes(range(256)) + b"end"


@pytest.fixture(scope="module", params=FORMATS)
def lab(request):
    made = labs.Lab(hosts=2, formats=[request.param + COMPANIONS[request.param]],
                    substrate="ipv4" if request.param == "reip4/1" else "ipv6")
    made.format = request.param
    yield made
    made.down()


@pytest.fixture(scope="module")
def pair(lab):
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(subnet)
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3
    return a, b


def variants(a, b):
    """(name, packet, next header on the substrate)"""
    def ip(**kw):
        return IP(src=a.address, dst=b.address, **kw)

    df = {"flags": "DF", "id": 0}
    return [
        ("udp", ip(**df) / UDP(sport=1111, dport=2222) / PAYLOAD, 17),
        ("udp without checksum", ip(**df) / UDP(sport=1112, dport=2222, chksum=0) / PAYLOAD, 17),
        ("udp, empty", ip(**df) / UDP(sport=1113, dport=2222), 17),
        ("tcp", ip(**df) / TCP(sport=1114, dport=2222, flags="PA", seq=77, options=[("MSS", 1000)]) / PAYLOAD, 6),
        ("icmp", ip(**df) / ICMP(type=8, id=5, seq=6) / PAYLOAD, 1),
        ("ToS", ip(tos=0xb9, **df) / UDP(sport=1115, dport=2222) / PAYLOAD, 17),
        ("TTL 1", ip(ttl=1, **df) / UDP(sport=1116, dport=2222) / PAYLOAD, 17),
        ("TTL 255", ip(ttl=255, **df) / UDP(sport=1117, dport=2222) / PAYLOAD, 17),
        ("wrong checksum inside", ip(**df) / UDP(sport=1118, dport=2222, chksum=0x1234) / PAYLOAD, 17),
        ("an unknown protocol", ip(proto=253, **df) / Raw(PAYLOAD), 253),
        ("SCTP's number", ip(proto=132, **df) / Raw(PAYLOAD), 132),
        ("no DF, no identification", ip(flags=0, id=0) / UDP(sport=1119, dport=2222) / PAYLOAD, 17),
        ("no DF", ip(flags=0, id=0xbeef) / UDP(sport=1120, dport=2222) / PAYLOAD, 4),
        ("options", ip(options=[IPOption_NOP(), IPOption_NOP(), IPOption_NOP(), IPOption_NOP()], **df) /
         UDP(sport=1121, dport=2222) / PAYLOAD, 4),
        ("record route", ip(options=[IPOption_RR(routers=["0.0.0.0"] * 2), IPOption_NOP()], **df) /
         UDP(sport=1122, dport=2222) / PAYLOAD, 4),
        # One datagram: a later fragment passes where the first has.
        ("first fragment", ip(flags="MF", id=0xaaaa) / UDP(sport=1123, dport=2222, len=8 + 512) /
         Raw(PAYLOAD[:248]), 4),
        ("middle fragment", ip(flags="MF", frag=32, id=0xaaaa, proto=17) / Raw(PAYLOAD[:248]), 4),
        ("last fragment", ip(frag=64, id=0xaaaa, proto=17) / Raw(PAYLOAD), 4),
        ("IPv4 in IPv4", ip(proto=4, **df) / IP(src="1.2.3.4", dst="5.6.7.8") / UDP() / PAYLOAD, 4),
        ("IPv6 in IPv4", ip(proto=41, **df) / IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / PAYLOAD, 4),
        ("protocol 0", ip(proto=0, **df) / Raw(PAYLOAD), 4),
        ("protocol 43", ip(proto=43, **df) / Raw(PAYLOAD), 4),
        ("protocol 44", ip(proto=44, **df) / Raw(PAYLOAD), 4),
        ("protocol 58", ip(proto=58, **df) / Raw(PAYLOAD), 4),
        ("protocol 59", ip(proto=59, **df) / Raw(PAYLOAD), 4),
        ("protocol 60", ip(proto=60, **df) / Raw(PAYLOAD), 4),
        ("protocol 135", ip(proto=135, **df) / Raw(PAYLOAD), 4),
        ("protocol 139", ip(proto=139, **df) / Raw(PAYLOAD), 4),
        ("protocol 140", ip(proto=140, **df) / Raw(PAYLOAD), 4),
    ]


N_VARIANTS = 29


@pytest.fixture(scope="module")
def seen(lab, pair):
    """All variants sent at once: what b received, and what the substrate carried."""
    a, b = pair
    rows = variants(a, b)
    assert len(rows) == N_VARIANTS
    with lab.capture(device="any", expression="ip" if lab.format == "reip4/1" else "ip6") as substrate, \
            received(b, until=lambda frames: len(only_ip(frames, src=a.address)) >= N_VARIANTS) as frames:
        send_frames(a, [frame(a, b.address, packet) for _, packet, _ in rows])
    return rows, frames, substrate


@pytest.mark.parametrize("row", range(N_VARIANTS))
def test_every_field_arrives(lab, pair, seen, row):
    """requirement: PKT-2 PKT-3 PKT-16"""
    rows, frames, substrate = seen
    name, packet, next_header = rows[row]
    expected = bytes(IP(bytes(packet)))
    got = [bytes(p)[:p.len] for p in only_ip(frames, src=pair[0].address)]
    assert expected in got, f"{name}: not among {len(got)} packets received"
    plain = lab.format == "reip4/1" and packet.flags == "DF" and len(expected) > 20 and expected[0] == 0x45
    if lab.format == "vxlan/1" or (lab.format == "reip4/1" and not plain):
        assert any(UDP in p and p[UDP].dport == 4789 and expected in bytes(p[UDP]) for p in substrate)
        return
    if plain:
        part = expected[40:] or expected[20:26]  # not the transport's checksum
        carried = [p[IP] for p in substrate if IP in p and p[IP].dst.startswith("172.30.") and
                   p[IP].len == len(expected) and p[IP].proto == expected[9] and
                   part in bytes(p[IP].payload)[:p[IP].len - 20] and
                   (expected[9] not in (6, 17) or bytes(p[IP].payload)[:2] == expected[20:22])]  # its own port
        assert carried, f"{name}: nothing between labels carried it"
        # Not a byte more; its own TTL, of which the router takes one, and the packet's in the identification.
        assert all(p.ttl in (63, 64) and p.flags == "DF" and p.id == expected[8] << 8 and p.tos == expected[1]
                   for p in carried), [(p.ttl, p.flags, p.id, p.tos) for p in carried]
        return
    on_wire = [p[IPv6] for p in substrate if IPv6 in p and p[IPv6].dst.startswith("fd56:6961:")]
    inner = expected if next_header == 4 else expected[packet.ihl * 4 if packet.ihl else 20:]
    part = inner[20:] or inner[:6]  # not the transport's checksum, which siit/1 changes
    carried = [p for p in on_wire if p.nh == next_header and part in bytes(p.payload)[:p.plen]]
    assert carried, f"{name}: no packet with next header {next_header} carried it"


def test_hop_limit_and_traffic_class_on_the_substrate(lab, pair, seen):
    """requirement: PKT-2"""
    rows, _, substrate = seen
    if lab.format in ("vxlan/1", "reip4/1"):
        pytest.skip("re-heading on IPv6 alone")
    wire = [p[IPv6] for p in substrate if IPv6 in p and p[IPv6].dst.startswith("fd56:6961:")]
    assert wire
    # The router takes one: 64 on its near side, 63 behind it.  A node's TTL never rides there.
    assert {p.hlim for p in wire} <= {63, 64}
    assert 0xb9 in {p.tc for p in wire}


def test_one_flow_has_one_label(lab, pair):
    """requirement: PKT-2"""
    if lab.format in ("vxlan/1", "reip4/1"):
        pytest.skip("re-heading on IPv6 alone")
    a, b = pair
    packets = [IP(src=a.address, dst=b.address, flags="DF", id=0) / UDP(sport=4000, dport=4001) / bytes([n])
               for n in range(5)]
    other = IP(src=a.address, dst=b.address, flags="DF", id=0) / UDP(sport=4002, dport=4001) / b"x"
    with lab.capture(expression="ip6") as substrate:
        send_frames(a, [frame(a, b.address, p) for p in packets + [other]])
    labels = {}
    for p in substrate:
        if IPv6 in p and p[IPv6].nh == 17 and p[IPv6].dst.startswith("fd56:6961:") and UDP in p:
            labels.setdefault(p[UDP].sport, set()).add(p[IPv6].fl)
    assert len(labels[4000]) == 1 and len(labels[4002]) == 1
