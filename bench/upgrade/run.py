#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/upgrade: what is lost while hosts change what they use between them.

    a --- h1 --- [ router ] --- h2 --- b        c on h3, d on h4

From each node to each other goes a stream of numbered datagrams, 10,000 a second in all, and a connection with an exchange
every 10 ms. Meanwhile policies flip formats and features to and fro, in both directions or in one, agents are replaced by builds
that have other formats, the BPF programs by the same ones again, and at the end by those of a release whose tables have another
layout. Then policies do the same on a substrate of IPv4, where labels are the best. Goal: no datagram lost, no connection ended."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

HOSTS = 4
RATE = 10000
MANY = {"mbit": 10000, "burst_kib": 1024}  # more than there is of the traffic: what is held back would count as lost
FROM_H1 = {"host": "h1", "direction": "out"}
# one more round of each costs some 20 s
CHOICES = {
    "ipv6": [
        ("siit/1", {"effect": "pin", "what": ["siit/1"]}),
        ("vxlan/1", {"effect": "pin", "what": ["vxlan/1"]}),
        ("geneve/2", {"effect": "pin", "what": ["geneve/2"]}),
        ("siit/2 without ipip6", {"effect": "forbid", "what": ["ipip6"]}),
        ("siit/2, sealed", {"effect": "require", "what": ["crypt"]}),
        ("siit/2, integrity", {"effect": "require", "what": ["integrity"]}),
        ("siit/2, lz4", {"effect": "require", "what": ["lz4"]}),
        ("siit/2, rate", {"effect": "require", "what": ["rate"], "rate": MANY}),
        ("siit/1 from h1", {"effect": "pin", "what": ["siit/1"], "match": FROM_H1}),
        ("siit/2, sealed from h1", {"effect": "require", "what": ["crypt"], "match": FROM_H1}),
    ],
    "ipv4": [
        ("vxlan/1", {"effect": "pin", "what": ["vxlan/1"]}),
        ("geneve/1", {"effect": "pin", "what": ["geneve/1"]}),
        ("reip4/1, sealed", {"effect": "require", "what": ["crypt"]}),
        ("reip4/1, lz4", {"effect": "require", "what": ["lz4"]}),
        ("reip4/1, rate", {"effect": "require", "what": ["rate"], "rate": MANY}),
        ("vxlan/1 from h1", {"effect": "pin", "what": ["vxlan/1"], "match": FROM_H1}),
    ],
}
BEST = {"ipv6": "siit/2", "ipv4": "reip4/1"}
BUILDS = ["viaduct-agent-n1", "viaduct-agent-n2", "viaduct-agent-n1", None]
FORMATS = {None: "siit/2", "viaduct-agent-n1": "siit/1", "viaduct-agent-n2": "vxlan/1"}  # the best of each


class Operator:
    def __init__(self, lab):
        self.lab = lab

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.lab.endpoint + path, method=method, data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": "Bearer " + self.lab.env["VIADUCT_TOKEN"]})
        with urllib.request.urlopen(request, timeout=20) as r:
            return json.loads(r.read() or b"{}")

    def pairs(self):
        return self.call("GET", "/v1/pairs")["pairs"]

    def formats(self):
        """What all hosts have."""
        return set.intersection(*(set(h["capabilities"]["formats"]) for h in self.call("GET", "/v1/hosts")["hosts"]))

    def best_of(self, builds):
        """All use the best that both ends' builds have."""
        order = list(FORMATS)
        return all(p["send"] == FORMATS[max(builds[p["from"]], builds[p["to"]], key=order.index)]
                   for p in self.pairs() if p["from"] in builds and p["to"] in builds)

    def uses(self, policy):
        """All whom the policy is about use what it says, and nobody is between two choices."""
        wanted, effect = policy["what"][0], policy["effect"]

        def obeys(p):
            used = [p["send"], *p["send_formats"], *p["send_features"]]
            return any(u.startswith(wanted) for u in used) == (effect != "forbid")

        return self.settled() and all(obeys(p) for p in self.pairs()
                                      if p["from"] == policy.get("match", {}).get("host", p["from"]))

    def settled(self, format=None):
        """Nobody is between two choices (and all use a format)."""
        return all(len(p["accepts"]) == 1 and (not format or p["send"] == format) for p in self.pairs())


class Fleet:
    """The traffic between all nodes."""

    def __init__(self, build, nodes):
        self.nodes = nodes
        program = build / "bench" / "upgrade" / "upgrade-traffic"
        addresses = [n.address for n in nodes]
        self.processes = [
            subprocess.Popen(n.argv(program, n.address, RATE // len(nodes), *[a for a in addresses if a != n.address]),
                             text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for n in nodes]
        for p in self.processes:
            assert p.stdout.readline() == "ready\n"

    def ask(self, what="state"):
        for p in self.processes:
            p.stdin.write(what + "\n")
            p.stdin.flush()
        return {n.address: json.loads(p.stdout.readline()) for n, p in zip(self.nodes, self.processes)}

    def lost(self, figures):
        """Of each direction: sent, and not arrived yet."""
        return sum(figures[a][b]["sent"] - figures[b][a]["received"] for a in figures for b in figures[a])

    @staticmethod
    def missing(figures):
        """Of each direction: not arrived, while later ones have."""
        return sum(f["highest"] + 1 - f["received"] for by_peer in figures.values() for f in by_peer.values() if f["received"])

    def end(self):
        """All that was sent has arrived, or never will."""
        self.ask("stop")
        until = time.monotonic() + 5
        while self.lost(figures := self.ask()) and time.monotonic() < until:
            time.sleep(0.05)
        for p in self.processes:
            p.stdin.close()
            p.wait(20)
        return figures


def measure(fleet, what, change, done, results):
    from lab import wait_for
    before = fleet.ask()
    begin = time.monotonic()
    change()
    wait_for(f"the change to {what}", done, 60)
    took = time.monotonic() - begin
    after = fleet.ask()
    sent = sum(after[a][b]["sent"] - before[a][b]["sent"] for a in after for b in after[a])
    ended = sum(after[a][b]["ended"] - before[a][b]["ended"] for a in after for b in after[a])
    missing = fleet.missing(after) - fleet.missing(before)
    results.append({"change": what, "seconds": round(took, 2), "sent": sent, "missing": missing, "ended": ended})
    print(f"{what:48} {took:6.2f} s   {sent:8} datagrams   {missing} missing   {ended} connections ended", flush=True)


def flip(operator, fleet, substrate, results):
    """Each choice by a policy, and what there was before it without one."""
    best = BEST[substrate]
    known = operator.formats()
    for name, policy in CHOICES[substrate]:
        created = []
        if "/" in policy["what"][0] and policy["what"][0] not in known:
            print(f"{substrate}: {name} is left out, this kernel has it not")
            continue

        def create():
            created.append(operator.call("POST", "/v1/policies", {"name": "bench", "match": {}, **policy})["policy"])

        measure(fleet, f"{substrate}, policy: {name}", create, lambda: operator.uses(policy), results)
        measure(fleet, f"{substrate}, policy: none", lambda: operator.call("DELETE", f"/v1/policies/{created[0]['id']}"),
                lambda: operator.settled(best) and not any(p["send_features"] for p in operator.pairs()), results)


def replace(lab, operator, fleet, hosts, results):
    """Agents of builds that have other formats, one host after the other, and the same programs again."""
    builds = dict.fromkeys(hosts)
    for build in BUILDS:
        for host in hosts:
            builds[host] = build
            measure(fleet, f"{host}: {build or 'viaduct-agent'}", lambda: lab.restart(host, build),
                    lambda: operator.settled() and operator.best_of(builds), results)
    for host in hosts:
        measure(fleet, f"{host}: the same programs again", lambda: lab.restart(host), operator.settled, results)


def run(args, substrate, results):
    import lab as labs
    lab = labs.Lab(hosts=HOSTS, substrate=substrate)
    try:
        operator = Operator(lab)
        _, (subnet,) = lab.subnets("10.0.0.0/24")
        nodes = {}
        while len(nodes) < HOSTS:
            node = lab.start(subnet)
            nodes[node.host] = node
        hosts = sorted(nodes)
        labs.wait_for("the best to be used", lambda: operator.settled(BEST[substrate]))
        fleet = Fleet(args.build, [nodes[h] for h in hosts])
        for _ in range(args.rounds):
            flip(operator, fleet, substrate, results)
            if substrate == "ipv6" and not args.policies:
                replace(lab, operator, fleet, hosts, results)
        if substrate == "ipv6" and not args.policies:
            for host in hosts:
                measure(fleet, f"{host}: tables of another layout", lambda: lab.restart(host, "viaduct-agent-next"),
                        operator.settled, results)
        return fleet.end()
    finally:
        lab.down()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--substrate", nargs="+", choices=list(CHOICES), default=list(CHOICES))
    parser.add_argument("--policies", action="store_true", help="nothing but policies: builds and programs stay")
    args = parser.parse_args()
    os.environ["VIADUCT_BUILD"] = str(args.build)
    results = []
    runs = [run(args, substrate, results) for substrate in args.substrate]
    each = [figures[a][b] | {"received": figures[b][a]["received"]} for figures in runs for a in figures for b in figures[a]]
    total = {
        "changes": len(results),
        "sent": sum(f["sent"] for f in each),
        "lost": sum(f["sent"] - f["received"] for f in each),
        "connections_ended": sum(f["ended"] for f in each),
        "exchanges": sum(f["exchanges"] for f in each),
        "longest_exchange_ms": max(f["longest_ms"] for f in each),
        "longest_change_s": max(r["seconds"] for r in results),
    }
    print(f"\n{total['changes']} changes, {total['sent']} datagrams: {total['lost']} lost; {total['exchanges']} exchanges, "
          f"the longest {total['longest_exchange_ms']:.1f} ms: {total['connections_ended']} connections ended (goals: 0)")
    if args.output:
        args.output.write_text(json.dumps({**total, "each": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
