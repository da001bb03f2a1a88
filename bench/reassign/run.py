#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/reassign: how long an address is nowhere while it moves from one node to another.

    a --- h1 --- [ router ] --- h2 --- b        c on h3, d beside a on h1
                     |
                     e1 --- world               the address has a public one

A stream of 1,000 datagrams per second goes to the address, from another host, from the old one and, to its public address,
from the world, and one comes from it to another host and to the world; it moves to and fro (AssignPrivateIpAddresses with
AllowReassignment). Connections to an address that moves away and back, to its public one, and to a neighbour, must live on. The
same from the world while the public address alone moves (AssociateAddress with AllowReassociation): what the first node has
stays with it. Then an interface with a public address goes elsewhere under the same stream, in one call
(AttachNetworkInterface with AllowReassignment) and in two (DetachNetworkInterface, AttachNetworkInterface): connections to
it and to its public address must live on when it is back. One that stays gets other groups and another source/destination
check (ModifyNetworkInterfaceAttribute)."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

GOAL_MS = 5

# Answers each datagram of a connection until it ends.
ECHO = """
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen()
print("ready", flush=True)
c, _ = s.accept()
while True:
    data = c.recv(64)
    if not data:
        break
    c.sendall(data)
"""

# Says one line for each line of its input: how long an exchange took, or what ended the connection.
TALK = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
print("ready", flush=True)
for line in sys.stdin:
    begin = time.monotonic()
    try:
        s.sendall(b"x")
        ok = s.recv(1) == b"x"
        print(time.monotonic() - begin if ok else "closed", flush=True)
    except OSError as e:
        print(type(e).__name__, flush=True)
"""


class Connection:
    """'by': the address that the client uses, where it is not the server's own."""

    def __init__(self, packets, client, server, address, port, by=None):
        self.server = packets._start(server, ECHO, address, port)
        self.client = packets._start(client, TALK, by or address, port)

    def exchange(self):
        self.client.stdin.write("go\n")
        self.client.stdin.flush()
        return self.client.stdout.readline().strip()

    def end(self):
        self.client.stdin.close()
        self.client.wait(20)
        self.server.kill()
        self.server.wait(20)


def note(said, failed, longest):
    """An exchange's time, or what ended the connection."""
    try:
        return max(longest, float(said))
    except ValueError:
        failed.append(said)
        return longest


def gap(arrivals, first, second, moved_at):
    """Milliseconds between the last datagram that the first node got and the first one of the second; and how many of
    those sent around the move nobody got."""
    before = [x for x in arrivals[first] if x[2] < moved_at + 10]
    after = [x for x in arrivals[second] if x[1] > moved_at]
    last, begin = max(before, key=lambda x: x[2]), min(after, key=lambda x: x[2])
    seen = {x[0] for name in arrivals for x in arrivals[name]}
    lost = sum(n not in seen for n in range(last[0], begin[0]))
    return 1000 * (begin[2] - last[2]), lost


class Bench:
    def __init__(self, labs, packets, edges, lab):
        self.labs, self.packets, self.lab = labs, packets, lab
        self.net = edges.Network(lab, block=0)
        self.net.internet()
        self.subnet = self.net.public
        by_host = {}
        while len(by_host) < 3:
            node = lab.start(self.subnet, InstanceType="t3.small", SecurityGroupIds=[self.net.open])
            by_host.setdefault(node.host, node)
        self.a, self.b, self.c = (by_host[h] for h in sorted(by_host))
        self.d = lab.mate(self.a, self.subnet)
        for node in (self.b, self.c, self.d):
            assert node.ping(self.a.address) == 3 and node.ping(self.b.address) == 3
        for node in (self.a, self.b):
            assert node.ping("10.0.1.1") == 3  # a node may not ask for its router by an address that it has not yet

    def move(self, address, node):
        begin = time.monotonic()
        self.lab.ec2.assign_private_ip_addresses(
            NetworkInterfaceId=node.interface, PrivateIpAddresses=[address], AllowReassignment=True)
        return begin, 1000 * (time.monotonic() - begin)

    def public(self, interface, address=None):
        """A public address of one of an interface's: (allocation, address)."""
        allocation, public = self.net.allocate()
        self.lab.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=interface,
                                       **({"PrivateIpAddress": address} if address else {}))
        return allocation, public

    def hold(self, address):
        """Both nodes' kernels have the address; a's record gets it."""
        for node in (self.a, self.b):
            node.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
        self.move(address, self.a)

    def drop(self, address):
        for node in (self.a, self.b):
            node.run("ip", "addr", "del", f"{address}/32", "dev", "eth0", check=False)

    def streams(self, address, moves):
        """Gaps of datagrams to the address from three places and from it, and how long the calls took."""
        self.hold(address)
        _, public = self.public(self.a.interface, address)
        world = self.lab.world
        nodes = {"a": self.a, "b": self.b}
        stream = self.packets.Stream
        calls = []
        with stream(self.c, address, nodes, 7200) as far, stream(self.d, address, nodes, 7201) as near, \
                stream(world, public, nodes, 7202) as outside, \
                stream(self.a, self.c.address, {"to": self.c}, 7203, source=address) as out_a, \
                stream(self.b, self.c.address, {"to": self.c}, 7204, source=address) as out_b, \
                stream(self.a, self.labs.WORLD, {"to": world}, 7205, source=address) as up_a, \
                stream(self.b, self.labs.WORLD, {"to": world}, 7206, source=address) as up_b:
            to = {"from another host": far, "from the old host": near, "from the world": outside}
            out = {"from the address": {"a": out_a, "b": out_b}, "from the address to the world": {"a": up_a, "b": up_b}}
            gaps = {k: [] for k in [*to, *out]}
            lost = {k: [] for k in gaps}
            for n in range(moves):
                first, second = ("a", "b") if n % 2 == 0 else ("b", "a")
                self.labs.wait_for("the first node", lambda: all(o[first].count("to") > 200 for o in out.values()) and
                                   all(s.count(first) > 200 for s in to.values()))
                before = {k: s.count(second) for k, s in to.items()}
                out_before = {k: o[second].count("to") for k, o in out.items()}
                at, took = self.move(address, nodes[second])
                calls.append(took)
                self.labs.wait_for("the second node", lambda: all(s.count(second) > before[k] + 200 for k, s in to.items()) and
                                   all(o[second].count("to") > out_before[k] + 200 for k, o in out.items()))
                for name, s in to.items():
                    arrivals = {k: [x for x in s.arrivals(k) if x[2] > at - 0.5] for k in nodes}
                    ms, missing = gap(arrivals, first, second, at)
                    gaps[name].append(ms)
                    lost[name].append(missing)
                for name, o in out.items():
                    last = max(x[2] for x in o[first].arrivals("to"))
                    begin = min(x[2] for x in o[second].arrivals("to") if x[2] > at)
                    gaps[name].append(1000 * (begin - last))
        self.drop(address)
        return gaps, lost, calls

    def connections(self, address, moves):
        """Connections to an address that goes away and comes back, also by its public one, and to a neighbour: exchanges
        that failed."""
        self.hold(address)
        _, public = self.public(self.a.interface, address)
        moving = [Connection(self.packets, self.c, self.a, address, 7300),
                  Connection(self.packets, self.lab.world, self.a, address, 7302, by=public)]
        neighbour = Connection(self.packets, self.c, self.a, self.a.address, 7301)
        failed, longest = [], 0.0
        for _ in range(moves):
            for node in (self.b, self.a):
                self.move(address, node)
                for c in (neighbour, *(moving if node is self.a else ())):
                    longest = note(c.exchange(), failed, longest)
        for c in (*moving, neighbour):
            c.end()
        self.drop(address)
        return failed, 1000 * longest

    def remap(self, moves):
        """The public address alone moves: gaps from the world, how long the calls took, exchanges that failed of connections
        that stay with the node that they began with."""
        nodes = {"a": self.a, "b": self.b}
        allocation, public = self.public(self.a.interface)
        gaps, lost, calls, failed, connections, longest = [], [], [], [], [], 0.0
        with self.packets.Stream(self.lab.world, public, nodes, 7207) as s:
            for n in range(moves):
                first, second = ("a", "b") if n % 2 == 0 else ("b", "a")
                self.labs.wait_for("the first node", lambda: s.count(first) > 200)
                if n < 3:
                    connections.append(Connection(self.packets, self.lab.world, nodes[first], nodes[first].address,
                                                  7400 + n, by=public))
                before, at = s.count(second), time.monotonic()
                self.net.associate(allocation, nodes[second], AllowReassociation=True)
                calls.append(1000 * (time.monotonic() - at))
                self.labs.wait_for("the second node", lambda: s.count(second) > before + 200)
                ms, missing = gap({k: [x for x in s.arrivals(k) if x[2] > at - 0.5] for k in nodes}, first, second, at)
                gaps.append(ms)
                lost.append(missing)
                for c in connections:
                    longest = note(c.exchange(), failed, longest)
        for c in connections:
            c.end()
        return gaps, lost, calls, failed, 1000 * longest

    def reattach(self, moves, index, at_once, rest):
        """A whole interface goes from a to b and back, in one call ('at_once') or in two, 'rest' seconds apart: milliseconds
        without an answer inside and from the world, the instances' own configuration and all; how many datagrams nobody got;
        what the calls took; exchanges that failed of connections to a when it is there again."""
        ec2 = self.lab.ec2
        eni = ec2.create_network_interface(SubnetId=self.subnet, Groups=[self.net.open])["NetworkInterface"]
        address, eni = eni["PrivateIpAddress"], eni["NetworkInterfaceId"]
        _, public = self.public(eni)

        def state():
            return ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]

        def attach(node):
            # boto3 does not know that AllowReassignment may be said here; the operators' call does the same
            self.lab.operate("PUT", f"/v1/interfaces/{eni}/attachment",
                             {"instance": node.id, "device_index": index, "allow_reassignment": True})

        attach(self.a)
        nodes = {"a": self.a, "b": self.b}
        gaps, lost = {"inside": [], "from the world": []}, {"inside": [], "from the world": []}
        calls, failed, longest = {"detach": [], "attach": []}, [], 0.0
        port = 7220 + 10 * index
        with self.packets.Stream(self.c, address, nodes, port) as inside, \
                self.packets.Stream(self.lab.world, public, nodes, port + 1) as outside:
            streams = dict(zip(gaps, (inside, outside)))
            self.labs.wait_for("the first node", lambda: all(s.count("a") > 200 for s in streams.values()))
            connections = [Connection(self.packets, self.c, self.a, address, port + 2),
                           Connection(self.packets, self.lab.world, self.a, address, port + 3, by=public)]
            for n in range(moves):
                first, second = ("a", "b") if n % 2 == 0 else ("b", "a")
                self.labs.wait_for("the first node", lambda: all(s.count(first) > 200 for s in streams.values()))
                self.labs.wait_for("the attachment", lambda: state()["Attachment"]["Status"] == "attached")
                time.sleep(rest)
                attachment = state()["Attachment"]["AttachmentId"]
                before = {k: s.count(second) for k, s in streams.items()}
                at = detached = time.monotonic()
                if not at_once:
                    ec2.detach_network_interface(AttachmentId=attachment)
                    detached = time.monotonic()
                    calls["detach"].append(1000 * (detached - at))
                attach(nodes[second])
                calls["attach"].append(1000 * (time.monotonic() - detached))
                self.labs.wait_for("the second node", lambda: all(s.count(second) > before[k] + 200
                                                                  for k, s in streams.items()))
                for name, s in streams.items():
                    arrivals = {k: [x for x in s.arrivals(k) if x[2] > at - 0.5] for k in nodes}
                    ms, missing = gap(arrivals, first, second, at)
                    gaps[name].append(ms)
                    lost[name].append(missing)
                for c in connections if second == "a" else ():
                    longest = note(c.exchange(), failed, longest)
        for c in connections:
            c.end()
        return gaps, lost, calls, failed, 1000 * longest

    def modify(self, moves):
        """An interface gets other groups, and its source/destination check is turned, under a stream to it and a
        connection: the longest time between two datagrams around each call, how many nobody got, exchanges that failed."""
        other = self.lab.ec2.create_security_group(GroupName="other", Description="all is allowed",
                                                   VpcId=self.net.id)["GroupId"]
        self.lab.ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[{
            "IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        connection = Connection(self.packets, self.c, self.b, self.b.address, 7500)
        changes = {"other groups": lambda n: {"Groups": [(other, self.net.open)[n % 2]]},
                   "source/destination check": lambda n: {"SourceDestCheck": {"Value": bool(n % 2)}}}
        gaps, lost, failed, longest = {k: [] for k in changes}, {k: [] for k in changes}, [], 0.0
        with self.packets.Stream(self.c, self.b.address, {"b": self.b}, 7210) as s:
            self.labs.wait_for("the stream", lambda: s.count("b") > 200)
            for n in range(2 * ((moves + 1) // 2)):
                for name, change in changes.items():
                    before, at = s.count("b"), time.monotonic()
                    self.lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=self.b.interface, **change(n))
                    longest = note(connection.exchange(), failed, longest)
                    self.labs.wait_for("the stream to go on", lambda: s.count("b") > before + 300)
                    got = [x for x in s.arrivals("b") if x[2] > at - 0.02]
                    gaps[name].append(1000 * max(y[2] - x[2] for x, y in zip(got, got[1:])))
                    lost[name].append(sum(y[0] - x[0] - 1 for x, y in zip(got, got[1:])))
        connection.end()
        return gaps, lost, failed, 1000 * longest


def show(name, values, missing=None):
    """One line; the median."""
    values = sorted(values)
    p90 = values[int(0.9 * (len(values) - 1))]
    lost = f"{statistics.median(missing):5.0f}" if missing else "    -"
    print(f"{name:42} {statistics.median(values):5.1f} ms {p90:5.1f} ms {values[-1]:5.1f} ms {lost}")
    return statistics.median(values)


def header(what):
    print(f"{what:42} {'median':>8} {'p90':>8} {'worst':>8}  lost")


def addresses(bench, moves, figures):
    """Private and public addresses; true: within the goal."""
    gaps, lost, calls = bench.streams("10.0.1.200", moves)
    failed, longest = bench.connections("10.0.1.201", 5)
    public = "public address to another node"
    gaps[public], lost[public], remap_calls, remap_failed, remap_longest = bench.remap(moves)
    figures |= {"call_ms": statistics.median(calls), "connections_failed": len(failed),
                "connections_longest_exchange_ms": longest, "remap_call_ms": statistics.median(remap_calls),
                "remap_connections_failed": len(remap_failed), "remap_connections_longest_exchange_ms": remap_longest}
    header("an address that moves, 1,000 datagrams/s")
    medians = []
    for name, values in gaps.items():
        key = name.replace(" ", "_")
        medians.append(show(name, values, lost.get(name)))
        figures[f"gap_{key}_ms"] = medians[-1]
        figures[f"gap_{key}_worst_ms"] = max(values)
    for name, values, ended, slowest in (("private address", calls, failed, longest),
                                         ("public address", remap_calls, remap_failed, remap_longest)):
        print(f"{name + ': the call itself':42} {statistics.median(values):5.1f} ms")
        print(f"{name + ': connections that ended':42} {len(ended):5}    (longest exchange {slowest:.0f} ms) {' '.join(ended)}")
    return max(medians) <= GOAL_MS and not failed and not remap_failed


def interfaces(bench, moves, rest, figures):
    """Whole interfaces: whether those that stay lose nothing, and whether those that move, in one call and in two, do so
    within the goal."""
    gaps, lost, failed, longest = bench.modify(moves)
    header("an interface that is modified")
    for name, values in gaps.items():
        figures[f"modify_{name.replace(' ', '_').replace('/', '_')}_ms"] = show(name, values, lost[name])
    print(f"{'connections that ended':42} {len(failed):5}    (longest exchange {longest:.0f} ms) {' '.join(failed)}")
    stays = not any(map(sum, lost.values())) and not failed
    return stays, elsewhere(bench, moves, True, rest, figures), elsewhere(bench, moves, False, rest, figures)


def elsewhere(bench, moves, at_once, rest, figures):
    """Whether an interface that goes elsewhere, in one call or in two, does so within the goal."""
    gaps, lost, calls, failed, longest = bench.reattach(moves, 1 if at_once else 2, at_once, rest)
    key = "transfer" if at_once else "reattach"
    header("an interface attached elsewhere, one call" if at_once else "an interface detached, attached elsewhere")
    for name, values in gaps.items():
        figures[f"{key}_{name.replace(' ', '_')}_ms"] = show(name, values, lost[name])
    for name, values in calls.items():
        if values:
            figures[f"{key}_{name}_call_ms"] = show(f"{name}: the call itself", values)
    print(f"{'connections that ended':42} {len(failed):5}    (longest exchange {longest:.0f} ms) {' '.join(failed)}")
    return max(map(statistics.median, gaps.values())) <= GOAL_MS and not failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--rest", type=float, default=0, help="seconds between moves of whole interfaces: after 2 a host is done")
    parser.add_argument("--only", choices=("interfaces",), help="interfaces: whole ones that move or change, no addresses")
    parser.add_argument("--output", default="build/bench/reassign.json")
    options = parser.parse_args()
    os.environ["VIADUCT_BUILD"] = os.path.abspath(options.build)
    import edges
    import lab as labs
    import packets
    lab = labs.Lab(name=labs.free_name("r"), hosts=3, edges=1)
    figures, met = {}, {}
    try:
        bench = Bench(labs, packets, edges, lab)
        if not options.only:
            met["an address"] = addresses(bench, options.moves, figures)
        met["an interface that is modified"], met["an interface attached elsewhere, one call"], \
            met["an interface attached elsewhere, two calls"] = interfaces(bench, options.moves, options.rest, figures)
    finally:
        lab.down()
    for what, good in met.items():
        print(f"goal: {what}: at most {GOAL_MS} ms, no reset: {'met' if good else 'NOT met'}")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
