# SPDX-License-Identifier: Apache-2.0
"""A link of the substrate gets smaller than the hosts know: what the router says about our packets is
translated for the nodes, and nothing is silently cut.

    a --- h1 ---1500--- [ router ] ---1400--- h2 --- b
"""
import json
import re

import pytest

import lab as labs
from packets import sent_by, udp_sink, udp_source

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def pair(lab):
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(subnet)
    assert a.ping(b.address) == 3
    return a, b


@pytest.fixture
def narrow(lab, pair):
    """The router's link to b's host carries 1400 bytes."""
    host = pair[1].host
    labs.run("ip", "-n", f"vd-{lab.name}-router", "link", "set", host, "mtu", "1400")
    yield
    labs.run("ip", "-n", f"vd-{lab.name}-router", "link", "set", host, "mtu", "1500")


def test_before_all_is_wide(pair):
    """requirement: PKT-9"""
    a, b = pair
    assert a.ping(b.address, "-M", "do", "-s", "1432") == 3


def test_the_substrates_error_reaches_the_node_in_its_own_words(pair, narrow):
    """requirement: PKT-9 PKT-2"""
    a, b = pair
    a.run("ip", "route", "flush", "cache")
    done = a.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do", "-s", "1432", b.address, check=False)
    text = done.stdout + done.stderr
    told = re.search(r"mtu ?= ?(\d+)", text)
    assert told, text
    # 1400 less what re-heading adds; an implementation may leave room for ipip6.
    assert 1360 <= int(told.group(1)) <= 1380
    # What fits by that word arrives.  (Sent one way: what b sends without DF goes by ipip6, for which the narrow link
    # would have to be known at b too.)
    with udp_sink(b, 7100) as got:
        sent = got.sent = sent_by(udp_source(a, b.address, 7100, rate=50, seconds=0.5, size=int(told.group(1)) - 28))
    assert got["distinct"] == sent > 0


def test_tcp_finds_its_way_through(pair, narrow):
    """requirement: PKT-9"""
    a, b = pair
    a.run("ip", "route", "flush", "cache")
    server = b.spawn("iperf3", "-s", "-1")
    labs.wait_for("iperf3", lambda: ":5201 " in b.run("ss", "-ltn").stdout)
    out = a.run("iperf3", "-c", b.address, "-n", "20M", timeout=60).stdout
    server.wait(60)
    assert "receiver" in out


def test_the_host_says_what_would_not_fit(lab, pair):
    """Both ends of the node's link widened by hand: its host answers for the path.  requirement: PKT-9 PKT-15"""
    a, b = pair
    peer = json.loads(labs.run("ip", "-n", a.netns, "-j", "link", "show", "eth0").stdout)[0]["link_index"]
    links = json.loads(lab.host_run(a.host, "ip", "-j", "link").stdout)
    device = next(x["ifname"] for x in links if x["ifindex"] == peer)
    for mtu in ("1500", "1460"):
        lab.host_run(a.host, "ip", "link", "set", device, "mtu", mtu)
        labs.run("ip", "-n", a.netns, "link", "set", "eth0", "mtu", mtu)
        if mtu == "1460":
            break
        a.run("ip", "route", "flush", "cache")
        before = lab.drops_now(reason="TOO_BIG", host=a.host)
        done = a.run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-M", "do", "-s", "1472", b.address, check=False)
        told = re.search(r"mtu ?= ?(\d+)", done.stdout + done.stderr)
        assert told and 1460 <= int(told.group(1)) <= 1480
        labs.wait_for("the drops to be counted", lambda: lab.drops(reason="TOO_BIG", host=a.host) > before)
