# SPDX-License-Identifier: Apache-2.0
"""Two edges, and one is drained: what goes through it goes on through the other.

    node, worker --- h1, h2 --- [ router ] --- e1, e2 --- (one segment) --- world
"""
import json

import pytest

from conversations import ask, Conversation, server
from edges import Network
from lab import WORLD, wait_for
from packets import Stream, Talker

LAB = {"hosts": 2, "edges": 2}
EDGES = ("e1", "e2")
MANY = 200
GAP_SECONDS = 1.0  # on a machine that does all the rest meanwhile, too; bench/reassign has the figure

# So many connections; "all" says something on each, with a number: how many were answered, and from which ports.
MANY_CLIENTS = """
import json, socket, sys
every = [socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30) for _ in range(int(sys.argv[3]))]
files = [s.makefile() for s in every]
print("ready", flush=True)
for line in sys.stdin:
    ports, error = [], None
    try:
        for s in every:
            s.sendall(line.encode())
        ports = [int(f.readline().split()[1]) for f in files]
    except (OSError, ValueError, IndexError) as e:
        error = type(e).__name__
    print(json.dumps({"ports": ports, "error": error}), flush=True)
"""

# Says what it is told to, on all connections that it has; how many those are.
SPEAKER = """
import json, socket, sys, threading
have = []
listener = socket.create_server(("", int(sys.argv[1])))
def accept():
    while True:
        have.append(listener.accept()[0])
threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    for c in have:
        c.sendall(line.encode())
    print(json.dumps(len(have)), flush=True)
"""

# Only listens.
LISTENER = """
import json, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
f = s.makefile()
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(f.readline()), flush=True)
    except OSError as e:
        print(json.dumps(type(e).__name__), flush=True)
"""


class Site:
    """A network with all that leads out of it."""

    def __init__(self, lab):
        self.lab, self.net = lab, Network(lab)
        self.net.internet()
        self.node = self.net.node(host="h1")
        self.public = self.net.publish(self.node)
        self.nat, self.nat_address = self.net.nat()
        self.worker = self.net.node(self.net.private, host="h2")
        lab.viaduct("nat-gateway", "open", self.nat, "tcp", "2222", self.worker.address, "7000", "--lab", lab.name)
        self.inner = "10.10.1.200"
        self.private_nat = self.net.private_nat(self.inner)
        self.far = self.net.behind(self.private_nat).node(host="h1")

    def edge_of(self, gateway):
        return self.net.gateways()[gateway]

    def drain(self, edge):
        """Empties an edge, and lets it be chosen again."""
        self.lab.viaduct("host", "drain", edge, "--lab", self.lab.name)
        wait_for(f"{edge} to have nothing", lambda: not self.owns(edge))
        self.lab.viaduct("host", "drain", edge, "--off", "--lab", self.lab.name)

    def owns(self, edge):
        return next(h for h in self.lab.api("hosts") if h["name"] == edge)["owns"]

    def gather(self, edge):
        """All is at this edge."""
        for other in EDGES:
            if other != edge:
                self.drain(other)
        wait_for(f"all to be at {edge}", lambda: set(self.net.gateways().values()) == {edge} and
                 any(p["public"] == self.public and p["applied"] for p in self.lab.agent(edge, "edge")["publics"]))


@pytest.fixture(scope="module")
def site(lab):
    return Site(lab)


def gap_of(stream, name):
    arrivals = stream.arrivals(name)
    return max(b[2] - a[2] for a, b in zip(arrivals, arrivals[1:]))


def flows(stream, name):
    before = stream.count(name)
    wait_for("the stream to flow", lambda: stream.count(name) > before + 200)


def test_no_connection_ends(lab, site):
    """requirement: EDGE-1, EDGE-2, EDGE-6

    To and fro between the edges: by both kinds of NAT gateways, by a static port and a public address, from inside and
    outside; many at once, one that is silent inside, and datagrams."""
    site.gather("e1")
    with server(site.node, site.worker, site.far, lab.world):
        for what, place, address in (("NAT", site.worker, WORLD), ("the private one", site.worker, site.far.address),
                                     ("the public address", lab.world, site.public)):
            wait_for(f"{what} to work", lambda p=place, a=address: ask(p, a))
        wait_for("the static port to work", lambda: ask(lab.world, site.nat_address, 2222))
        speaker = Talker(lab.world, SPEAKER, 7300)
        listener = Talker(site.worker, LISTENER, WORLD, 7300)
        many = Talker(site.worker, MANY_CLIENTS, WORLD, 7000, MANY)
        with Conversation(site.worker, WORLD) as out, Conversation(site.worker, site.far.address) as inner, \
                Conversation(lab.world, site.nat_address, 2222) as static, \
                Conversation(lab.world, site.public) as public_in, Conversation(site.node, WORLD) as public_out, \
                Stream(site.worker, WORLD, {"world": lab.world}) as stream:
            everyone = {"NAT": out, "private NAT": inner, "static": static, "in": public_in, "out": public_out}
            seen = {name: c.peer() for name, c in everyone.items()}
            ports = many.ask("0")["ports"]
            assert len(set(ports)) == MANY
            assert seen["NAT"][0] == site.nat_address and seen["private NAT"][0] == site.inner
            flows(stream, "world")
            for n, (edge, other) in enumerate((EDGES, EDGES[::-1], EDGES)):
                assert site.edge_of(site.nat) == site.edge_of(site.private_nat) == edge
                site.drain(edge)
                assert site.edge_of(site.nat) == site.edge_of(site.private_nat) == other
                assert speaker.ask(f"word {n}") == 1
                assert listener.ask("") == f"word {n}\n"
                assert {name: c.peer() for name, c in everyone.items()} == seen
                assert many.ask(str(n)) == {"ports": ports, "error": None}
                flows(stream, "world")
                assert ask(site.worker, WORLD, seconds=15)[0] == site.nat_address
            sent = {a[3] for a in stream.arrivals("world")}
            assert len(sent) == 1, sent  # as one flow, all the time
            gap = gap_of(stream, "world")
            print(f"the longest gap was {gap * 1000:.0f} ms")
            assert gap < GAP_SECONDS
        for talker in (speaker, listener, many):
            talker.end()


def test_the_last_edge_says_that_there_is_no_other(lab, site):
    """requirement: EDGE-6, OPS-1"""
    site.gather("e1")

    def drain(edge, *options):
        return lab.viaduct("host", "drain", edge, *options, "--lab", lab.name)

    def state():
        return next(h for h in lab.api("hosts") if h["name"] == "e1")["drain"]["state"]

    assert "nothing is left" in drain("e2")
    assert "no other edge" in drain("e1") and state() == "no-other-edge" and site.owns("e1")
    drain("e2", "--off")
    wait_for("the other to have everything", lambda: not site.owns("e1"))
    assert state() == "empty"
    assert "now: -" in drain("e1", "--off")
