# SPDX-License-Identifier: Apache-2.0
"""The same traffic over every kind of substrate, and over hosts that may not do everything.

    a --- h1 --- [ router ] --- h2 --- b        the kind, MTU and formats vary
"""
import ipaddress

import pytest

import lab as labs
from packets import sent_by, UDP_GSO, udp_sink, udp_source

KINDS = {
    # name: (lab, formats expected between h1 and h2, the node's MTU)
    "ipv6, 1500": ({}, "siit/2", 1460),
    "ipv6, 9000": ({"mtu": 9000}, "siit/2", 8960),
    "ipv4, 1500": ({"substrate": "ipv4", "aliases": False}, "vxlan/1", 1450),
    "ipv4, 9000": ({"substrate": "ipv4", "mtu": 9000, "aliases": False}, "vxlan/1", 8950),
    "ipv4 with aliases, 1500": ({"substrate": "ipv4"}, "reip4/1", 1450),
    "ipv4 with aliases, 9000": ({"substrate": "ipv4", "mtu": 9000}, "reip4/1", 8950),
    "one host without reip4": ({"substrate": "ipv4", "formats": ["h2=vxlan/1"]}, "vxlan/1", 1450),
    "siit/1 only": ({"formats": ["siit/1,ipip6/1"]}, "siit/1", 1460),
    "one host siit/1 only": ({"formats": ["h2=siit/1,ipip6/1"]}, "siit/1", 1460),
    "vxlan over ipv6": ({"formats": ["vxlan/1"]}, "vxlan/1", 1430),
}


@pytest.fixture(scope="module", params=list(KINDS), ids=list(KINDS))
def world(request):
    kw, chosen, mtu = KINDS[request.param]
    lab = labs.Lab(hosts=2, **kw)
    try:
        _, (one, two) = lab.subnets("10.0.1.0/24", "10.0.2.0/24")
        a, b = lab.pair(one)
        d = lab.mate(b, two)
        yield lab, a, b, d, chosen, mtu
    finally:
        lab.down()


def test_the_manager_chose(world):
    """requirement: NEG-1 NEG-2 NEG-7"""
    lab, _, _, _, chosen, _ = world
    out = lab.viaduct("pair", "h1", "h2", "--json", "--lab", lab.name)
    assert chosen in out
    companion = "vxlan/1" if chosen == "reip4/1" else chosen
    for other in {"siit/1", "siit/2", "reip4/1", "vxlan/1"} - {chosen, companion}:
        assert f'"{other}"' not in out.split('"reason"')[0]


def test_node_mtu(world):
    """requirement: PKT-9"""
    _, a, b, d, _, mtu = world
    assert {n.mtu() for n in (a, b, d)} == {mtu}


def test_ping_small_and_large(world):
    """requirement: PKT-2 PKT-3 PKT-9"""
    _, a, b, d, _, mtu = world
    for far in (b, d):
        assert a.ping(far.address) == 3
        assert a.ping(far.address, "-M", "do", "-s", str(mtu - 28)) == 3
        assert a.ping(far.address, "-M", "dont", "-s", str(2 * mtu)) == 3


def test_udp_loses_nothing(world):
    """requirement: PKT-2 PKT-3"""
    _, a, b, _, _, mtu = world
    with udp_sink(b, 6000) as got:
        sent = got.sent = sent_by(udp_source(a, b.address, 6000, rate=1000, seconds=1, size=mtu - 28))
    assert got == {"n": sent, "distinct": sent, "sizes": [mtu - 28]}


def test_udp_gso_loses_nothing(world):
    """requirement: PKT-2 PKT-3"""
    _, a, b, d, _, _ = world
    for far in (b, d):
        assert a.ping(far.address, count=1) == 1
        with udp_sink(far, 6001) as got:
            got.sent = int(a.python(UDP_GSO, far.address, "6001").stdout)
        assert got == {"n": 800, "distinct": 800, "sizes": [1000]}


def test_tcp_both_ways(world):
    """requirement: PKT-2 PKT-3"""
    _, a, b, d, _, _ = world
    for client, server in ((a, b), (d, a)):
        process = server.spawn("iperf3", "-s", "-1")
        labs.wait_for("iperf3", lambda: ":5201 " in server.run("ss", "-ltn").stdout)
        out = client.run("iperf3", "-c", server.address, "-n", "50M").stdout
        process.wait(60)
        assert "receiver" in out


def test_the_substrate_carries_that_format_alone(world):
    """requirement: NEG-6 PKT-3"""
    lab, a, b, _, chosen, _ = world
    with lab.capture(expression="ip6 or ip") as seen:
        # Answers of the kernel have no DF, which a re-headed packet needs on IPv4: they go whole.
        if chosen == "reip4/1":
            with udp_sink(b, 6002) as got:
                got.sent = sent_by(udp_source(a, b.address, 6002, rate=100, seconds=0.1, size=100))
            assert got["n"]
        else:
            assert a.ping(b.address) == 3
    labels = [p for p in seen if p.haslayer("IP") and p["IP"].dst.startswith("172.30.")]
    assert bool(labels) == (chosen == "reip4/1")
    assert all(p["IP"].src.startswith("172.30.") and p["IP"].flags == "DF" for p in labels)
    vxlan = [p for p in seen if p.haslayer("UDP") and p["UDP"].dport == 4789]
    ours = [p for p in seen if p.haslayer("IPv6") and p["IPv6"].dst.startswith("fd56:6961:")]
    assert bool(vxlan) == (chosen == "vxlan/1")
    assert bool(ours) == chosen.startswith("siit/")
    versions = {ipaddress.ip_address(p["IPv6"].dst).packed[4] >> 6 for p in ours}
    assert versions <= {{"siit/1": 0, "siit/2": 2}.get(chosen)}
