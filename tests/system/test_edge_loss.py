# SPDX-License-Identifier: Apache-2.0
"""Two edges, and one is lost: its addresses and gateways move to the other.

    node --- h1, h2 --- [ router ] --- e1, e2 --- (one segment) --- world
"""
import json
import shutil
import signal

import pytest

from conversations import ask, Conversation, reach, server
from edges import Network
from lab import WORLD, wait_for
from packets import Stream

LAB = {"hosts": 2, "edges": 2}
GAP_SECONDS = 8.0


@pytest.fixture(scope="module")
def net(lab):
    net = Network(lab)
    net.internet()
    return net


@pytest.fixture(scope="module")
def target(net):
    """A node with a public address: (the node, the address)."""
    node = net.node(host="h1")
    return node, net.publish(node)


def owner(lab, address):
    """The edges that have a public address now, by what their agents say."""
    said = {h: lab.agent(h, "edge") for h in ("e1", "e2")}
    return [h for h, edge in said.items() if edge and
            any(p["public"] == address and p["applied"] for p in edge["publics"])]


def only_owner(lab, address):
    """The edge that has it, once one alone has."""
    return wait_for("the address to have an edge", lambda: len(found := owner(lab, address)) == 1 and found)[0]


def links(lab, edge):
    """Both ends of its links: (where, device)."""
    own = json.loads(lab.host_run(edge, "ip", "-j", "link", "show", "type", "veth").stdout)
    return [("world", edge), ("router", edge), *((edge, link["ifname"]) for link in own)]


def lose(lab, edge):
    """The machine is gone: nothing goes through its links any more, and nobody hears of its agent's end."""
    for where, device in links(lab, edge):
        lab.host_run(where, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", "8bit", "burst", "1", "limit", "1")
    lab.kill(edge, signal.SIGKILL)


def forget_plane(lab, edge):
    """The host's tables and programs, which a start of the machine finds no more."""
    shutil.rmtree(lab.directory / "bpf" / "viaduct" / f"{lab.name}-{edge}")


def find(lab, edge):
    """It is there again."""
    for where, device in links(lab, edge):
        lab.host_run(where, "tc", "qdisc", "del", "dev", device, "root")
    lab.restart(edge)


def private_nat_at(lab, net, edge):
    """A private NAT gateway that this edge has, and a node behind it: (its address, the node)."""
    for n in range(200, 204):  # each goes to the edge with less
        address = f"10.10.1.{n}"
        gateway = net.private_nat(address)
        if net.gateways()[gateway] == edge:
            break
    else:
        raise AssertionError(f"no gateway went to {edge}")
    return address, net.behind(gateway).node(host="h1")


def with_ipv6_at(lab, edge):
    """A node in a network whose way out for IPv6 is this edge, and the node's address."""
    for block in range(80, 84):  # each goes to the edge with less
        net = Network(lab, block)
        net.internet()
        net.internet6()
        if edge in gateways6(lab, net):
            break
    else:
        raise AssertionError(f"no gateway went to {edge}")
    node = net.node()
    return node, net.address6(node)


def gap_of(stream):
    """The longest time without a datagram, of a stream that flows again."""
    before = stream.count("node")
    wait_for("the stream to flow again", lambda: stream.count("node") > before + 200)
    arrivals = stream.arrivals("node")
    return round(max(b[2] - a[2] for a, b in zip(arrivals, arrivals[1:])), 2)


def gateways6(lab, net):
    """The edges that have the internet gateway of a network without public addresses."""
    gateway, = net.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [net.id]}])["InternetGateways"]
    found = []
    wait_for("the gateway to have an edge", lambda: found.extend(
        h for h in ("e1", "e2") for g in (lab.agent(h, "edge") or {"gateways": []})["gateways"]
        if g["id"] == gateway["InternetGatewayId"] and g["applied"]) or found)
    return found


def neighbour(lab, address):
    """The edge whose uplink the world holds to be an address's neighbour, or None."""
    entries = json.loads(lab.host_run("world", "ip", "-6", "-j", "neigh", "show", "to", address).stdout or "[]")
    macs = {json.loads(lab.host_run(e, "ip", "-j", "link", "show", "up0").stdout)[0]["address"]: e for e in ("e1", "e2")}
    return next((macs.get(entry.get("lladdr")) for entry in entries), None)


def test_a_lost_edge_is_replaced_under_traffic(lab, net, target):
    """requirement: EDGE-1, EDGE-2, EDGE-6

    Public addresses and both kinds of NAT gateways. The sessions of these end with their edge, and whoever goes on with one
    is told so. IPv6, which the world has on link: also to a node that only listens."""
    node, address = target
    _, nat_address = net.nat()
    worker = net.node(net.private, host="h2")
    edge = only_owner(lab, address)
    inner, far = private_nat_at(lab, net, edge)
    quiet, quiet6 = with_ipv6_at(lab, edge)
    with server(node, far, lab.world), Conversation(worker, far.address) as c:
        wait_for("the address to work", lambda: ask(lab.world, address))
        assert reach(worker, WORLD)[0] == nat_address
        assert c.peer()[0] == inner
        wait_for("IPv6 to work", lambda: lab.world.ping(quiet6, count=1))
        assert neighbour(lab, quiet6) == edge
        with Stream(lab.world, address, {"node": node}) as stream, Stream(lab.world, quiet6, {"node": quiet}) as stream6:
            wait_for("the streams to flow", lambda: min(s.count("node") for s in (stream, stream6)) > 200)
            lose(lab, edge)
            survivor = "e2" if edge == "e1" else "e1"
            wait_for("the address to move", lambda: owner(lab, address) == [survivor], GAP_SECONDS)
            gaps = [gap_of(s) for s in (stream, stream6)]
        print(f"the gaps were {gaps} s")
        assert max(gaps) < GAP_SECONDS
        assert neighbour(lab, quiet6) == survivor
        wait_for("the world to be let in", lambda: ask(lab.world, address))
        wait_for("NAT to work by the other edge", lambda: (ask(worker, WORLD) or [0])[0] == nat_address)
        wait_for("the private gateway to work there", lambda: (ask(worker, far.address) or [0])[0] == inner)
        assert c.ask(30.0)["error"] == "ConnectionResetError"
        # The lost one comes back, and owns nothing: no address has two edges.
        find(lab, edge)
        lab.connected()
        wait_for("the old edge to know", lambda: owner(lab, address) == [survivor])
        assert reach(lab.world, address) and reach(worker, WORLD)
        assert lab.world.ping(quiet6, count=1) and neighbour(lab, quiet6) == survivor
    # One that is drained gives IPv6 away while it runs.
    with Stream(lab.world, quiet6, {"node": quiet}) as stream6:
        wait_for("the stream to flow", lambda: stream6.count("node") > 200)
        lab.viaduct("host", "drain", survivor, "--lab", lab.name)
        wait_for("the neighbour to be the other edge", lambda: neighbour(lab, quiet6) == edge)
        assert gap_of(stream6) < GAP_SECONDS / 2
    lab.viaduct("host", "drain", survivor, "--off", "--lab", lab.name)


def test_an_edge_that_restarts_keeps_what_it_has(lab, target):
    """requirement: EDGE-2, EDGE-6, OPS-3"""
    node, address = target
    with server(node):
        wait_for("the address to work", lambda: ask(lab.world, address))
        edge = only_owner(lab, address)
        with Stream(lab.world, address, {"node": node}) as stream:
            wait_for("the stream to flow", lambda: stream.count("node") > 200)
            lab.kill(edge, signal.SIGTERM)
            lab.kill("manager", signal.SIGKILL)
            lab.restart(edge)
            wait_for("the agent to be there", lambda: lab.agent(edge, "edge"))
            before = stream.count("node")
            wait_for("the stream to flow without a manager", lambda: stream.count("node") > before + 200)
            lab.restart("manager")
            lab.connected()
            wait_for("the manager's word", lambda: owner(lab, address) == [edge])
            before = stream.count("node")
            wait_for("the stream to flow", lambda: stream.count("node") > before + 200)
            arrivals = stream.arrivals("node")
        assert max(b[2] - a[2] for a, b in zip(arrivals, arrivals[1:])) < 0.5


def test_a_drained_edge_hands_over_under_traffic(lab, target):
    """requirement: EDGE-2, EDGE-6"""
    node, address = target
    with server(node):
        wait_for("the address to work", lambda: ask(lab.world, address))
        edge = only_owner(lab, address)
        with Stream(lab.world, address, {"node": node}) as stream:
            wait_for("the stream to flow", lambda: stream.count("node") > 200)
            lab.viaduct("host", "drain", edge, "--lab", lab.name)
            wait_for("the address to move", lambda: owner(lab, address) not in ([edge], []))
            before = stream.count("node")
            wait_for("the stream to flow", lambda: stream.count("node") > before + 200)
            arrivals = stream.arrivals("node")
        gap = max(b[2] - a[2] for a, b in zip(arrivals, arrivals[1:]))
        print(f"the gap was {gap:.2f} s")
        assert gap < GAP_SECONDS / 2
        wait_for("it to have nothing", lambda: not next(h for h in lab.api("hosts") if h["name"] == edge)["owns"])
        assert not lab.api("addresses", "--edge", edge)
        lab.viaduct("host", "drain", edge, "--off", "--lab", lab.name)
        assert owner(lab, address) not in ([edge], [])


def test_an_edge_that_begins_anew_waits_for_the_managers_word(lab, target):
    """requirement: EDGE-2, EDGE-6"""
    node, address = target
    with server(node):
        wait_for("the address to work", lambda: ask(lab.world, address))
        edge = only_owner(lab, address)
        lab.kill("manager", signal.SIGKILL)
        lab.kill(edge, signal.SIGKILL)
        forget_plane(lab, edge)
        lab.restart(edge)
        wait_for("the agent to have what it remembers",
                 lambda: any(p["public"] == address for p in (lab.agent(edge, "edge") or {"publics": []})["publics"]))
        lab.world.run("ip", "neigh", "flush", "to", address, check=False)
        assert owner(lab, address) == []
        assert ask(lab.world, address, seconds=1) is None
        lab.restart("manager")
        lab.connected()
        wait_for("the address to work again", lambda: ask(lab.world, address))
        assert owner(lab, address) == [edge]
