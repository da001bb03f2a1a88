#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/edge: an edge's translation beside nftables' on the same topology, in one run.

    node (10.0.1.2) --- host --- edge --- world (198.51.100.1)

Kernel: the host routes, the edge has nftables (masquerade, and one address to one). Viaduct: the data plane on both, as
agents would set it up. nat: out of the node by port translation; public: from the world to the node's public address.
Every round measures every path once; a figure is the median over the rounds, a ratio the median of the rounds' ratios.
"""
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dataplane"))
import hosts  # noqa: E402
import options  # noqa: E402
from run import median_interval  # noqa: E402

PUBLIC, WORLD, NODE = "198.51.100.10", "198.51.100.1", "10.0.1.2"
NODE_MAC = "02:00:00:00:00:02"
# (name, traffic's mode, streams, processors, its key in traffic's answer)
MEASURES = [
    ("tcp_bulk", "tcp-bulk", 1, "0,0", "bits_per_second"),
    ("tcp_bulk2", "tcp-bulk", 2, "0,0", "bits_per_second"),
    ("tcp_bulk_two_cores", "tcp-bulk", 1, "0,1", "bits_per_second"),
    ("udp64", "udp-rate", 1, "0,0", "packets_per_second"),
    ("tcp_crr", "tcp-crr", 1, "0,0", "connections_per_second"),
]
UNITS = {"bits_per_second": (1e9, "Gb/s"), "packets_per_second": (1e3, "kpps"), "connections_per_second": (1e3, "k/s")}
GOALS = [("udp64", 1.1), ("tcp_bulk", 1.0), ("tcp_bulk2", 1.0)]

RULES = f"""table ip edge {{
  chain out {{ type nat hook postrouting priority 100; oifname "uplink" %s }}
  chain in {{ type nat hook prerouting priority -100; iifname "uplink" ip daddr {PUBLIC} dnat to {NODE}; }}
}}
"""


def topology(nss, name):
    """The namespaces node, host, edge and world, linked; the node and the world have their addresses."""
    node, host, edge, world = (nss.make(f"{name}-{n}") for n in ("node", "host", "edge", "world"))
    hosts.veth(node, "eth0", host, "node", hosts.INNER_MTU)
    hosts.veth(host, "sub0", edge, "sub0", hosts.SUBSTRATE_MTU)
    hosts.veth(edge, "uplink", world, "eth0", hosts.SUBSTRATE_MTU)
    hosts.sh("ip", "-n", node, "link", "set", "eth0", "address", NODE_MAC)
    hosts.address(node, "eth0", f"{NODE}/24")
    hosts.sh("ip", "-n", node, "route", "add", "default", "via", "10.0.1.1")
    hosts.address(edge, "uplink", "198.51.100.2/24")
    hosts.sh("ip", "-n", edge, "route", "add", "default", "via", WORLD)
    hosts.address(world, "eth0", f"{WORLD}/24")
    return node, host, edge, world


class Kernel:
    """Routing and nftables."""

    def __init__(self, nss):
        self.node, host, edge, self.world = topology(nss, "edge-k")
        hosts.address(host, "node", "10.0.1.1/24")
        hosts.address(host, "sub0", "192.168.0.1/24")
        hosts.address(edge, "sub0", "192.168.0.2/24")
        hosts.address(edge, "uplink", f"{PUBLIC}/24")
        hosts.sh("ip", "-n", host, "route", "add", "default", "via", "192.168.0.2")
        hosts.sh("ip", "-n", edge, "route", "add", "10.0.1.0/24", "via", "192.168.0.1")
        for ns in (host, edge):
            hosts.forward(ns)
        self.edge = edge
        self.translate("nat")

    def translate(self, way):
        rule = "masquerade;" if way == "nat" else f"ip saddr {NODE} snat to {PUBLIC};"
        subprocess.run(["nsenter", f"--net={hosts.path(self.edge)}", "nft", "-f", "-"], check=True, text=True,
                       input="flush ruleset\n" + RULES % rule)

    def stop(self):
        pass


class Viaduct:
    """The data planes of a host and an edge."""

    def __init__(self, nss, build):
        self.node, host, edge, self.world = topology(nss, "edge-v")
        self.directory = tempfile.TemporaryDirectory(prefix="viaduct-bench-")
        self.process = subprocess.Popen([os.path.join(build, "bench", "edge", "edge-hosts"), host, edge,
                                         self.directory.name, NODE_MAC], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.await_ready()

    def await_ready(self):
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("edge-hosts did not come up")

    def translate(self, way):
        self.process.stdin.write(way + "\n")
        self.process.stdin.flush()
        self.await_ready()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.directory.cleanup()


def measure(traffic, path, way, mode, streams, cpus, seconds):
    path.translate(way)
    ends = (path.node, path.world, WORLD) if way == "nat" else (path.world, path.node, PUBLIC)
    out = hosts.sh(traffic, "--from", hosts.path(ends[0]), "--to", hosts.path(ends[1]), "--address", ends[2],
                   "--mode", mode, "--streams", str(streams), "--cpus", cpus, "--seconds", str(seconds))
    return json.loads(out)


def summary(results):
    out = {}
    for way in ("nat", "public"):
        for name, _, _, _, _ in MEASURES:
            mine, theirs = results[("viaduct", way, name)], results[("kernel", way, name)]
            ratios = [m / t for m, t in zip(mine, theirs) if t]
            low, high = median_interval(ratios)
            out.setdefault(way, {})[name] = {
                "median": statistics.median(mine), "nftables": statistics.median(theirs),
                "vs_nftables": round(statistics.median(ratios), 4),
                "vs_nftables_interval": [round(low, 4), round(high, 4)]}
    return out


def print_table(out):
    for way, figures in out.items():
        print(f"\n{way}: Viaduct, nftables (ratio, 95 % interval)")
        for name, _, _, _, key in MEASURES:
            f, (scale, unit) = figures[name], UNITS[key]
            print(f"  {name:20}{f['median'] / scale:9.2f} {f['nftables'] / scale:9.2f} {unit:5}"
                  f"({f['vs_nftables']:.2f}, {f['vs_nftables_interval'][0]:.2f} to {f['vs_nftables_interval'][1]:.2f})")
    print("\ngoals (one core)")
    for name, bound in GOALS:
        for way in out:
            r = out[way][name]["vs_nftables"]
            print(f"  {way} {name}: {r:.3f}, goal >= {bound}: {'met' if r >= bound else 'NOT met'}")


def main():
    parser = options.parser("edge", __doc__, 11)
    given = options.parse(parser)
    traffic = options.traffic(given.build)
    nss, results, paths = hosts.Namespaces(), {}, {}
    try:
        paths["kernel"] = Kernel(nss)
        paths["viaduct"] = Viaduct(nss, given.build)
        for n in range(given.rounds):
            for way in ("nat", "public"):
                for name, mode, streams, cpus, key in MEASURES:
                    for which in random.sample(list(paths), len(paths)):
                        answer = measure(traffic, paths[which], way, mode, streams, cpus, given.seconds)
                        results.setdefault((which, way, name), []).append(answer[key])
            print(f"round {n + 1} of {given.rounds}", file=sys.stderr)
    finally:
        for one in paths.values():
            one.stop()
        nss.remove()
    out = summary(results)
    print_table(out)
    options.save(out, given.output)


if __name__ == "__main__":
    main()
