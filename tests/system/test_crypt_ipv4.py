# SPDX-License-Identifier: Apache-2.0
"""Sealed traffic on a substrate that speaks only IPv4: what reip4 re-heads and what VXLAN carries whole, compressed where
that helps.

    a 10.0.1.x --- h1 ---+                 +--- h2 --- b 10.0.1.x
                         +--- [ router ] ---+
                              IPv4, MTU 1500
"""
import json

import pytest

import lab as labs
from packets import UDP_GSO, udp_sink

LAB = {"hosts": 2, "substrate": "ipv4", "require": ["crypt,lz4"]}
SEAL_PORT = 1000


@pytest.fixture(scope="module")
def nodes(lab):
    _, (one,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(one)
    assert a.ping(b.address) == 3
    return a, b


def sealed(packets):
    return [bytes(p["UDP"].payload) for p in packets if p.haslayer("UDP") and p["UDP"].dport == SEAL_PORT]


def size(packets):
    """Of the sealed ones, on the wire; they are captured only in part."""
    return sum(p.wirelen for p in packets if p.haslayer("UDP") and p["UDP"].dport == SEAL_PORT)


def pair(lab, a, b):
    both = json.loads(lab.viaduct("pair", a.host, b.host, "--json", "--lab", lab.name))["pairs"]
    return next(p for p in both if p["from"] == a.host)


def pour(sender, receiver, data, count):
    """'data' (an expression) so many times by TCP; how many bytes arrived as they were sent."""
    sink = receiver.spawn("/usr/bin/python3", "-c", "import socket, hashlib; s = socket.create_server(('', 7000)); "
                          "c = s.accept()[0]\nh = hashlib.sha256(); n = 0\nwhile True:\n d = c.recv(65536)\n if not d: break\n"
                          " n += len(d); h.update(d)\nprint(n, h.hexdigest())")
    sent = sender.python("import socket, sys, time, os, hashlib\nfor _ in range(1200):\n"
                         " try: s = socket.create_connection((sys.argv[1], 7000)); break\n except OSError: time.sleep(0.05)\n"
                         f"d = {data}\nh = hashlib.sha256()\nfor _ in range({count}): s.sendall(d); h.update(d)\n"
                         "s.close(); print(h.hexdigest())", receiver.address).stdout.split()[0]
    n, digest = sink.communicate(timeout=60)[0].split()
    assert digest == sent
    return int(n)


def test_the_wire_shows_only_sealed_packets(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address, *labs.APART) == 3
    payloads = sealed(seen)
    assert len(payloads) >= 6
    # What is re-headed (4), VXLAN's datagram (17), or the compression of either (108); AES-256-GCM.
    assert {p[0] for p in payloads} <= {4, 17, 108} and {p[3] for p in payloads} == {5}
    assert not [p for p in seen if p.haslayer("UDP") and p["UDP"].dport == 4789]


def test_each_format_is_sealed(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes
    assert pair(lab, a, b)["send"] == "reip4/1"
    for inside, options in ((4, ("-M", "do")), (17, ("-M", "dont"))):
        with lab.capture(expression="inbound") as seen:
            assert a.ping(b.address, *options, "-s", "40") == 3
        assert inside in {p[0] for p in sealed(seen)}


def test_udp_gso_loses_nothing(nodes):
    """requirement: NEG-11"""
    a, b = nodes
    with udp_sink(b, 6000) as result:
        result.sent = int(a.python(UDP_GSO, b.address, "6000").stdout)
    assert result == {"n": 800, "distinct": 800, "sizes": [1000]}


def test_large_packets_fit_the_path(nodes):
    """requirement: NEG-11 PKT-9"""
    a, b = nodes
    size = a.mtu() - 28
    assert a.ping(b.address, "-M", "do", "-s", size) == 3
    assert a.ping(b.address, "-M", "dont", "-s", size + 2000) == 3


def test_text_is_compressed_and_noise_is_left_alone(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes
    with lab.capture(expression="inbound") as seen:
        n = pour(a, b, "b'the same words over and over. ' * 2000", 20)
    assert n == 20 * 2000 * 30 and size(seen) < n / 4
    with lab.capture(expression="inbound") as seen:
        n = pour(a, b, "os.urandom(65536)", 20)
    data = [p for p in sealed(seen) if len(p) > 1000]
    assert data and 108 not in {p[0] for p in data}
    assert n < size(seen)
    labs.wait_for("the saving to be told", lambda: pair(lab, a, b)["saved_bytes"] > 500000)
