# SPDX-License-Identifier: Apache-2.0
"""Two edges, and one is lost: its addresses and gateways move to the other.

    node --- h1, h2 --- [ router ] --- e1, e2 --- (one segment) --- world
"""
import signal

import pytest

from conversations import ask, server
from edges import Network
from lab import WORLD, wait_for
from packets import Stream

LAB = {"hosts": 2, "edges": 2}
GAP_SECONDS = 15.0


@pytest.fixture(scope="module")
def net(lab):
    net = Network(lab)
    net.internet()
    return net


def owner(lab, address):
    """The edges that have a public address now, by what their agents say."""
    said = {h: lab.agent(h, "edge") for h in ("e1", "e2")}
    return [h for h, edge in said.items() if edge and
            any(p["public"] == address and p["applied"] for p in edge["publics"])]


def lose(lab, edge):
    """The machine is gone: no agent, and nothing gets through to its links."""
    lab.kill(edge, signal.SIGKILL)
    for where in ("world", "router"):
        lab.host_run(where, "tc", "qdisc", "add", "dev", edge, "root", "tbf", "rate", "8bit", "burst", "1", "limit", "1")


def test_a_lost_edge_is_replaced_under_traffic(lab, net):
    """requirement: EDGE-2, EDGE-6"""
    node = net.node(host="h1")
    allocation, address = net.allocate()
    net.associate(allocation, node)
    _, nat_address = net.nat()
    worker = net.node(net.private, host="h2")
    with server(node, lab.world):
        wait_for("the address to work", lambda: ask(lab.world, address))
        assert ask(worker, WORLD)[0] == nat_address
        (edge,) = owner(lab, address)
        with Stream(lab.world, address, {"node": node}) as stream:
            wait_for("the stream to flow", lambda: stream.count("node") > 200)
            lose(lab, edge)
            survivor = "e2" if edge == "e1" else "e1"
            wait_for("the address to move", lambda: owner(lab, address) == [survivor], GAP_SECONDS)
            before = stream.count("node")
            wait_for("the stream to flow again", lambda: stream.count("node") > before + 200)
            arrivals = stream.arrivals("node")
        gap = max(b[2] - a[2] for a, b in zip(arrivals, arrivals[1:]))
        print(f"the gap was {gap:.2f} s")
        assert gap < GAP_SECONDS
        wait_for("the world to be let in", lambda: ask(lab.world, address))
        wait_for("NAT to work by the other edge", lambda: (ask(worker, WORLD) or [0])[0] == nat_address)
        # The lost one comes back, and owns nothing: no address has two edges.
        for where in ("router", "world"):
            lab.host_run(where, "tc", "qdisc", "del", "dev", edge, "root")
        lab.restart(edge)
        lab.connected()
        wait_for("the old edge to know", lambda: owner(lab, address) == [survivor])
        assert ask(lab.world, address) and ask(worker, WORLD)
