# SPDX-License-Identifier: Apache-2.0
"""A fleet is upgraded and taken back, host by host, while everybody talks to everybody.

    a --- h1 --- [ router ] --- h2 --- b        agents of this build, of one that has siit/1 and no siit/2, and of
                    |                           one that has VXLAN alone, one after the other on each host
                    h3 --- c
"""
import contextlib
import json

import pytest

from conversations import Conversation, server
from lab import wait_for
from packets import Stream

LAB = {"hosts": 3}
HOSTS = ("h1", "h2", "h3")
FORMATS = {None: "siit/2", "viaduct-agent-n1": "siit/1", "viaduct-agent-n2": "vxlan/1"}
ORDER = list(FORMATS)


@pytest.fixture(scope="module")
def nodes(lab):
    _, (subnet,) = lab.subnets("10.0.0.0/24")
    found = {}
    while set(found) != set(HOSTS):
        node = lab.start(subnet)
        found[node.host] = node
    return found


def choices(lab, one, other):
    """What each of the two sends, and whether it is settled: nothing else is accepted."""
    pairs = json.loads(lab.viaduct("pair", one, other, "--json", "--lab", lab.name))["pairs"]
    return [p["send"] for p in pairs], all(p["send"] in p["accept"] and len(p["accepts"]) == 1 for p in pairs)


def settled(lab, builds):
    """All pairs use the best that both of their builds have, and accept nothing else."""
    for i, one in enumerate(HOSTS):
        for other in HOSTS[i + 1:]:
            lesser = max(builds[one], builds[other], key=ORDER.index)
            if choices(lab, one, other) != ([FORMATS[lesser]] * 2, True):
                return False
    return True


@contextlib.contextmanager
def traffic(nodes):
    """From each to each: numbered datagrams, and a connection.  What was sent by then has all arrived at the end."""
    with contextlib.ExitStack() as stack:
        talks, streams = [], []
        stack.enter_context(server(*nodes.values(), port=7000))
        for n, (host, node) in enumerate(nodes.items()):
            for other, target in nodes.items():
                if other == host:
                    continue
                talks.append(stack.enter_context(Conversation(node, target.address)))
                streams.append((stack.enter_context(Stream(node, target.address, {other: target}, port=7100 + n,
                                                           rate=200)), other))
        for stream, _ in streams:
            wait_for("the stream to flow", lambda: stream.sent() > 100)
        yield talks
        for stream, other in streams:
            sent = stream.sent()
            wait_for("the last to arrive", lambda: stream.arrivals(other)[-1][0] >= sent - 1)
            numbers = {a[0] for a in stream.arrivals(other)}
            lost = [n for n in range(sent) if n not in numbers]
            assert not lost, f"{len(lost)} of {sent} to {other} lost: {lost[:20]}"


def test_a_fleet_goes_back_two_versions_and_forward_without_a_lost_packet(lab, nodes):
    """requirement: NEG-8, NEG-2, NEG-6, OPS-3"""
    builds = dict.fromkeys(HOSTS)
    assert settled(lab, builds)
    with traffic(nodes) as talks:
        for build in ("viaduct-agent-n1", "viaduct-agent-n2", "viaduct-agent-n1", None):
            for host in HOSTS:
                builds[host] = build
                lab.restart(host, build)
                wait_for(f"{host} to have changed", lambda: settled(lab, builds), 120)
                assert all(t.lives() for t in talks)
    for reason in ("FORMAT", "FORMAT_VERSION", "NO_FORMAT"):
        assert lab.drops_now(reason) == 0


def test_the_manager_restarts_in_the_middle(lab, nodes):
    """requirement: NEG-8, MAP-1"""
    builds = dict.fromkeys(HOSTS)
    with traffic(nodes) as talks:
        for build in ("viaduct-agent-n1", None):
            for host in HOSTS:
                builds[host] = build
                lab.restart(host, build)
            lab.kill("manager")
            assert all(t.lives() for t in talks)
            lab.restart("manager")
            wait_for("all to have changed", lambda: settled(lab, builds), 120)
            assert all(t.lives() for t in talks)
    assert lab.drops_now("FORMAT") == 0
