#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/reassign, drain: how long what goes through an edge waits while the edge is drained, and what is lost.

    worker, node --- h1 --- [ router ] --- e1, e2 --- world

A stream of 1,000 datagrams per second goes out by a NAT gateway, another comes in to a public address; connections are open
both ways, and every 10 ms one begins and ends by the NAT gateway. The edge that has all of it is drained, and the other one
next. Then the same while the gateway translates many more flows."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

from run import Connection, header, note, show

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

GOAL_MS = 50

# One datagram to each of so many ports.
SPRAY = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
for line in sys.stdin:
    for n in range(int(line)):
        s.sendto(b"x", (sys.argv[1], 10000 + n))
        if n % 50 == 0:
            time.sleep(0.001)
    print(json.dumps(0), flush=True)
"""

# A connection after another; says how many there were and how long the longest took, and which failed.
BEGIN = """
import json, socket, sys, threading, time
times, failed = [], []
def run():
    while True:
        begin = time.monotonic()
        try:
            socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20).close()
            times.append(time.monotonic() - begin)
        except OSError as e:
            failed.append(type(e).__name__)
        time.sleep(0.01)
threading.Thread(target=run, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    got, times = times, []
    print(json.dumps({"n": len(got), "longest": max(got, default=0), "late": sum(t > 0.5 for t in got), "failed": failed}),
          flush=True)
"""

LISTEN = """
import socket, sys
s = socket.create_server(("", int(sys.argv[1])), backlog=512)
print("ready", flush=True)
while True:
    s.accept()[0].close()
"""


class Bench:
    def __init__(self, labs, packets, edges, lab):
        self.labs, self.packets, self.lab = labs, packets, lab
        self.net = edges.Network(lab)
        self.net.internet()
        self.node, self.nat = self.net.node(), self.net.nat()[0]
        self.worker = self.net.node(self.net.private)
        allocation, self.public = self.net.allocate()
        self.net.associate(allocation, self.node)
        for e in ("e1", "e2", "e1"):  # all is at one, and both have had it
            self.drain(e)

    def owns(self, edge):
        return next(h for h in self.lab.api("hosts") if h["name"] == edge)["owns"]

    def edge(self):
        shown = json.loads(self.lab.viaduct("nat-gateways", "--json", "--lab", self.lab.name))["nat_gateways"]
        return next(g["edge"] for g in shown if g["id"] == self.nat)

    def drain(self, edge):
        """Milliseconds until it is empty."""
        begin = time.monotonic()
        self.lab.viaduct("host", "drain", edge, "--lab", self.lab.name)
        self.labs.wait_for(f"{edge} to be empty", lambda: not self.owns(edge))
        took = 1000 * (time.monotonic() - begin)
        self.lab.viaduct("host", "drain", edge, "--off", "--lab", self.lab.name)
        return took

    def drains(self, times, flows):
        """Gaps and losses by stream, how long a drain took, exchanges that failed, and what became of connections that
        began."""
        world, stream = self.lab.world, self.packets.Stream
        spray = self.packets.Talker(self.worker, SPRAY, self.labs.WORLD)
        listening = self.packets._start(world, LISTEN, 7600)
        begins = self.packets.Talker(self.worker, BEGIN, self.labs.WORLD, 7600)
        connections = [Connection(self.packets, self.worker, world, self.labs.WORLD, 7500),
                       Connection(self.packets, world, self.node, self.node.address, 7501, by=self.public)]
        failed, longest, took, began = [], 0.0, [], []
        with stream(self.worker, self.labs.WORLD, {"to": world}, 7502) as out, \
                stream(world, self.public, {"to": self.node}, 7503) as into:
            streams = {"out by a NAT gateway": out, "in to a public address": into}
            gaps, lost = {k: [] for k in streams}, {k: [] for k in streams}
            for _ in range(times):
                spray.ask(flows)
                before = {k: s.count("to") for k, s in streams.items()}
                self.labs.wait_for("the streams", lambda: all(s.count("to") > before[k] + 300 for k, s in streams.items()))
                begins.ask()
                at = time.monotonic()
                took.append(self.drain(self.edge()))
                before = {k: s.count("to") for k, s in streams.items()}
                self.labs.wait_for("the streams", lambda: all(s.count("to") > before[k] + 1500 for k, s in streams.items()))
                for c in connections:
                    longest = note(c.exchange(), failed, longest)
                for name, s in streams.items():
                    got = [x for x in s.arrivals("to") if x[2] > at]
                    gaps[name].append(1000 * max(y[2] - x[2] for x, y in zip(got, got[1:])))
                    seen = {x[0] for x in got}
                    lost[name].append(max(seen) - min(seen) + 1 - len(seen))
                began.append(begins.ask())
        for c in connections:
            c.end()
        for t in (spray, begins):
            t.end()
        listening.kill()
        listening.wait(20)
        return gaps, lost, took, failed, 1000 * longest, began


def measure(bench, times, flows, figures):
    gaps, lost, took, failed, longest, began = bench.drains(times, flows)
    key = f"flows_{flows}_"
    header(f"an edge is drained, {flows} more flows")
    for name, values in gaps.items():
        figures[f"{key}{name.replace(' ', '_')}_ms"] = show(name, values, lost[name])
        figures[f"{key}{name.replace(' ', '_')}_worst_ms"] = max(values)
        figures[f"{key}{name.replace(' ', '_')}_lost"] = lost[name]
    figures[f"{key}drain_ms"] = show("from the call until it is empty", took)
    ended = failed + [f for b in began[-1:] for f in b["failed"]]
    print(f"{'connections that ended':42} {len(ended):5}    (longest exchange {longest:.0f} ms) {' '.join(ended)}")
    print(f"{'connections that began meanwhile':42} {sum(b['n'] for b in began):5}    of which their sender had to ask again "
          f"for {sum(b['late'] for b in began)}")
    figures[f"{key}began"], figures[f"{key}late"] = sum(b["n"] for b in began), sum(b["late"] for b in began)
    return max(map(statistics.median, gaps.values())) <= GOAL_MS and not ended


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--flows", type=int, default=50000)
    parser.add_argument("--output", default="build/bench/drain.json")
    options = parser.parse_args()
    os.environ["VIADUCT_BUILD"] = os.path.abspath(options.build)
    import edges
    import lab as labs
    import packets
    lab = labs.Lab(name=labs.free_name("d"), hosts=1, edges=2)
    figures = {}
    try:
        bench = Bench(labs, packets, edges, lab)
        met = [measure(bench, options.times, flows, figures) for flows in (0, options.flows)]
    finally:
        lab.down()
    print(f"goal: few flows: at most {GOAL_MS} ms, no connection ends: {'met' if met[0] else 'NOT met'}; many: "
          f"{'met' if met[1] else 'NOT met'}")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
