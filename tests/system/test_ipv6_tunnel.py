# SPDX-License-Identifier: Apache-2.0
"""IPv6 between nodes over a substrate that has IPv4 alone: by VXLAN.

    a --- h1 ---- [ router ] ---- h2 --- b, d
"""
import json

import pytest

import lab as labs
from test_ipv6 import address6, dual_stack, ready6

LAB = {"hosts": 2, "substrate": "ipv4", "aliases": False}


@pytest.fixture(scope="module")
def world(lab):
    _, ((one, _), (two, _)) = dual_stack(lab)
    a, b = lab.pair(one)
    return ready6(a), ready6(b), ready6(lab.mate(b, two))


def test_every_way(world):
    """requirement: PKT-1 PKT-3"""
    a, b, d = world
    for node, target in ((a, b), (b, a), (a, d), (d, a), (b, d)):
        assert node.ping(address6(target), "-6") == 3


def test_tcp_and_large_packets(world):
    """requirement: PKT-3 PKT-9"""
    a, b, _ = world
    assert a.ping(address6(b), "-6", "-M", "do", "-s", str(a.mtu() - 48)) == 3
    server = b.spawn("iperf3", "-6", "-s", "-1")
    labs.wait_for("iperf3", lambda: ":5201 " in b.run("ss", "-6", "-ltn").stdout)
    out = json.loads(a.run("iperf3", "-6", "-J", "-c", address6(b), "-n", "20M", timeout=60).stdout)
    server.wait(60)
    assert out["end"]["sum_sent"]["bytes"] >= 20 << 20
