# SPDX-License-Identifier: Apache-2.0
"""Features that a policy asks for act, in the direction that it names, and stop when it goes.

    a --- h1 ---+                 +--- h2 --- b
                +--- [ router ] ---+
                     IPv6, MTU 1500
"""
import json
import urllib.request

import pytest

import lab as labs
from packets import sent_by, udp_sink, udp_source

LAB = {"hosts": 2}
SEAL_PORT = 1000


@pytest.fixture(scope="module")
def nodes(lab):
    _, (one,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(one)
    assert a.ping(b.address) == 3
    return a, b


def call(lab, method, path, body=None):
    request = urllib.request.Request(lab.endpoint + path, method=method,
                                     data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": "Bearer " + lab.env["VIADUCT_TOKEN"],
                                              "Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"{}")


def pair(lab, a, b):
    both = json.loads(lab.viaduct("pair", "h1", "h2", "--json", "--lab", lab.name))["pairs"]
    return next(p for p in both if p["from"] == a.host and p["to"] == b.host)


def held_back_metric(lab, one, other):
    """As Prometheus would read it."""
    request = urllib.request.Request(lab.endpoint + "/metrics",
                                     headers={"Authorization": "Bearer " + lab.env["VIADUCT_TOKEN"]})
    text = urllib.request.urlopen(request, timeout=60).read().decode()
    line = f'viaduct_pair_held_back_packets_total{{from="{one}",to="{other}"}} '
    return next((int(l.removeprefix(line)) for l in text.splitlines() if l.startswith(line)), 0)


def policy(lab, a, b, what, **more):
    """From a's host to b's alone; settled when this returns."""
    body = {"name": "one-way", "match": {"host": a.host, "peer": {"host": b.host}, "direction": "out"},
            "effect": "require", "what": what, **more}
    call(lab, "POST", "/v1/policies", body)
    labs.wait_for("the choice", lambda: {f.split("/")[0] for f in pair(lab, a, b)["send_features"]} == set(what) and
                  len(pair(lab, b, a)["accepts"]) == 1)


def no_policy(lab, a, b):
    call(lab, "DELETE", "/v1/policies/one-way")
    labs.wait_for("the choice to be as it was", lambda: not pair(lab, a, b)["send_features"] and
                  len(pair(lab, b, a)["accepts"]) == 1)


def versions(lab, a, b):
    """The PSP versions seen from a's host to b's, and the other way, while a pings b."""
    known = lab.hosts()
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address) == 3
    ways = {b.host: set(), a.host: set()}
    for p in seen:
        if p.haslayer("UDP") and p["UDP"].dport == SEAL_PORT:
            for host, way in ways.items():
                if p["IPv6"].dst == known[host]["v6"]:
                    way.add(bytes(p["UDP"].payload)[3] >> 2 & 15)
    return ways[b.host], ways[a.host]


@pytest.mark.parametrize("what, version", [("crypt", 1), ("integrity", 2)])
def test_one_direction_alone(lab, nodes, what, version):
    """requirement: NEG-11"""
    a, b = nodes
    assert versions(lab, a, b) == (set(), set())
    policy(lab, a, b, [what])
    assert versions(lab, a, b) == ({version}, set())
    no_policy(lab, a, b)
    assert versions(lab, a, b) == (set(), set())


def test_rate_holds(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes
    policy(lab, a, b, ["rate"], rate={"mbit": 8, "burst_kib": 128})
    for sender, receiver, limited in ((a, b, True), (b, a, False)):
        with udp_sink(receiver, 6400) as result:
            sent = result.sent = sent_by(udp_source(sender, receiver.address, 6400, rate=2000, seconds=4, size=1000))
        # 8 Mbit/s of IP on the substrate, 1,000 bytes and 48 of headers: 954 a second, and the burst.
        most = 4 * 8e6 / 8 / 1048 + 128 * 1024 / 1048
        if limited:
            assert sent > 1.5 * most and 0.9 * most <= result["n"] <= 1.1 * most
        else:
            assert result["n"] == sent
    labs.wait_for("what was held back to be told", lambda: pair(lab, a, b)["held_back"] > 1000)
    labs.wait_for("the drops to be counted", lambda: lab.drops("RATE", a.host) > 1000)
    assert held_back_metric(lab, a.host, b.host) > 1000
    sent = {r["format"]: r["sent_packets"] for r in json.loads(lab.viaduct("traffic", "--json", "--lab", lab.name))["traffic"]
            if r["host"] == a.host}
    assert sent["siit/2"] > 1000, "what was held back had a format"
    no_policy(lab, a, b)
