#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/policy: security groups beside kernel VXLAN with stateful nftables rules, in one run.

    a (10.0.1.2) --- host --- host --- b (10.0.2.2)

Kernel: each host routes between its node and a vxlan device and has nftables: established connections pass, then N rules,
of which the last one allows. Viaduct: the data plane on both, b in a security group of N rules, or of one rule that
names a group of 1,000 members; or of one rule, while another node of a's host is at its quota of connections. Every
round measures every path once with every number of rules; a figure is the median over the rounds, a ratio the median of
the rounds' ratios. Then what an established connection costs with rules: of each kind, next to one without, as often
again, for rounds that lie apart differ by more than what is looked for; without beside without says by how much these
still do. Then: what 1,000,000 tracked connections take.
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

A, B = "10.0.1.2", "10.0.2.2"
RULES = ("none", "rules 1", "rules 100", "rules 1000", "groups", "crowd")
# (name, traffic's mode, its key in traffic's answer)
MEASURES = [
    ("tcp_crr", "tcp-crr", "connections_per_second"),
    ("tcp_rr", "tcp-rr", "p50_ns"),
    ("tcp_bulk", "tcp-bulk", "bits_per_second"),
]
UNITS = {"connections_per_second": (1e3, "k/s"), "p50_ns": (1e3, "us"), "bits_per_second": (1e9, "Gb/s")}
ESTABLISHED = {"tcp_rr": 1.05, "tcp_bulk": 1 / 1.05}  # the goal, to the same without rules
MILLION = 1000000


def topology(nss, name):
    """The namespaces a, host, host and b, linked; the nodes have their addresses."""
    a, h1, h2, b = hosts.two_hosts(nss, name)
    for number, node, net in ((1, a, 1), (2, b, 2)):
        hosts.sh("ip", "-n", node, "link", "set", "eth0", "address", f"02:00:00:00:00:0{number}")
        hosts.address(node, "eth0", f"10.0.{net}.2/24")
        hosts.sh("ip", "-n", node, "route", "add", "default", "via", f"10.0.{net}.1")
    return a, h1, h2, b


class Kernel:
    """VXLAN between two routers, and nftables on both."""

    def __init__(self, nss):
        self.a, h1, h2, self.b = topology(nss, "policy-k")
        self.hosts = (h1, h2)
        for host, own, far in ((h1, 1, 2), (h2, 2, 1)):
            hosts.address(host, "node", f"10.0.{own}.1/24")
            hosts.address(host, "sub0", f"192.168.0.{own}/24")
            hosts.sh("ip", "-n", host, "link", "add", "vx0", "type", "vxlan", "id", "77", "dstport", "4789",
                     "local", f"192.168.0.{own}", "remote", f"192.168.0.{far}", "dev", "sub0")
            hosts.address(host, "vx0", f"172.16.0.{own}/24")
            hosts.sh("ip", "-n", host, "link", "set", "vx0", "up")
            hosts.sh("ip", "-n", host, "route", "add", f"10.0.{far}.0/24", "via", f"172.16.0.{far}")
            hosts.forward(host)

    def use(self, rules):
        count = 1 if rules in ("groups", "crowd") else int(rules.split()[1]) if rules != "none" else 0
        for host, is_b in zip(self.hosts, (False, True)):
            lines = ["flush ruleset"]
            if count:
                allow = [f"ip saddr 10.100.{k >> 8}.{k & 255} tcp dport 5201-5217 accept" for k in range(count - 1)]
                if rules == "groups":
                    members = ", ".join(f"10.0.{10 + (k >> 8)}.{k & 255}" for k in range(1, 1000))
                    allow.append(f"ip saddr {{ {A}, {members} }} tcp dport 5201-5217 accept")
                else:
                    allow.append("ip saddr 10.0.1.0/24 tcp dport 5201-5217 accept")
                body = "; ".join(["ct state established,related accept"] + (allow if is_b else ["accept"]))
                lines.append("table inet groups { chain forward { type filter hook forward priority 0; policy drop; "
                             f"{body}; }}\n}}")
            subprocess.run(["nsenter", f"--net={hosts.path(host)}", "nft", "-f", "-"], check=True, text=True,
                           input="\n".join(lines) + "\n")

    def stop(self):
        pass


class Viaduct:
    """The data planes of two hosts."""

    def __init__(self, nss, build):
        self.a, h1, h2, self.b = topology(nss, "policy-v")
        hosts.veth(h1, "crowd", h1, "crowd-node", hosts.INNER_MTU)
        self.directory = tempfile.TemporaryDirectory(prefix="viaduct-bench-")
        self.process = subprocess.Popen([os.path.join(build, "bench", "policy", "policy-hosts"), h1, h2,
                                         self.directory.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("policy-hosts ended")
        return line.strip()

    def use(self, rules):
        self.process.stdin.write(rules + "\n")
        self.process.stdin.flush()
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.directory.cleanup()


def measure(traffic, path, mode, seconds):
    return json.loads(hosts.sh(traffic, "--from", hosts.path(path.a), "--to", hosts.path(path.b), "--address", B,
                               "--mode", mode, "--cpus", "0,0", "--seconds", str(seconds)))


def measure_established(traffic, path, rounds, seconds):
    """The ratios of each kind of rules to none: {(rules, name): [...]}."""
    ratios = {}
    for n in range(rounds):
        for rules in random.sample(RULES, len(RULES)):
            answers = {}
            for which in random.sample(("with", "without"), 2):
                path.use(rules if which == "with" else "none")
                for name, mode, key in MEASURES:
                    if name in ESTABLISHED:
                        answers[(which, name)] = measure(traffic, path, mode, seconds)[key]
            for name in ESTABLISHED:
                ratios.setdefault((rules, name), []).append(answers[("with", name)] / answers[("without", name)])
        print(f"round {n + 1} of {rounds}, established", file=sys.stderr)
    return ratios


def summary(results, established):
    out = {}
    for rules in RULES:
        for name, _, _ in MEASURES:
            mine, theirs = results[("viaduct", rules, name)], results[("kernel", rules, name)]
            ratios = [m / t for m, t in zip(mine, theirs)]
            low, high = median_interval(ratios)
            out.setdefault(rules.replace(" ", "_"), {})[name] = {
                "median": statistics.median(mine), "nftables": statistics.median(theirs),
                "vs_nftables": round(statistics.median(ratios), 4),
                "vs_nftables_interval": [round(low, 4), round(high, 4)]}
    for (rules, name), ratios in established.items():
        figures = out[rules.replace(" ", "_")][name]
        figures["vs_without"] = round(statistics.median(ratios), 4)
        figures["vs_without_interval"] = [round(x, 4) for x in median_interval(ratios)]
    for name, _, _ in MEASURES:
        one, crowd = results[("viaduct", "rules 1", name)], results[("viaduct", "crowd", name)]
        ratios = [c / r for c, r in zip(crowd, one)]
        out["crowd"][name]["vs_alone"] = round(statistics.median(ratios), 4)
        out["crowd"][name]["vs_alone_interval"] = [round(x, 4) for x in median_interval(ratios)]
    return out


def print_table(out):
    for rules, figures in out.items():
        print(f"\n{rules}: Viaduct, VXLAN and nftables (ratio, 95 % interval), beside Viaduct without rules (interval)")
        for name, _, key in MEASURES:
            f, (scale, unit) = figures[name], UNITS[key]
            without = "" if name not in ESTABLISHED else (
                f" {f['vs_without']:.3f} ({f['vs_without_interval'][0]:.3f} to {f['vs_without_interval'][1]:.3f})")
            print(f"  {name:10}{f['median'] / scale:9.2f} {f['nftables'] / scale:9.2f} {unit:5}({f['vs_nftables']:.2f}, "
                  f"{f['vs_nftables_interval'][0]:.2f} to {f['vs_nftables_interval'][1]:.2f}){without}")


def print_goals(out, million):
    print("\ngoals")
    for rules in out:
        r = out[rules]["tcp_crr"]["vs_nftables"]
        if rules != "none":
            print(f"  new connections, {rules}: {r:.3f}, goal >= 1.3: {'met' if r >= 1.3 else 'NOT met'}")
            for name, worse in ESTABLISHED.items():
                r = out[rules][name]["vs_without"]
                met = r <= worse if worse > 1 else r >= worse
                print(f"  established {name}, {rules}: {r:.3f} of none, goal {worse:.3f}: {'met' if met else 'NOT met'}")
    for name, _, _ in MEASURES:
        r, (low, high) = out["crowd"][name]["vs_alone"], out["crowd"][name]["vs_alone_interval"]
        met = low <= 1 if name == "tcp_rr" else high >= 1
        print(f"  {name} beside a port at its quota: {r:.3f} of that without ({low:.3f} to {high:.3f}), no worse: "
              f"{'met' if met else 'NOT met'}")
    size = million["bytes"] / 2 ** 20
    print(f"  {million['connections']} tracked connections: {size:.0f} MB, goal <= 256: "
          f"{'met' if size <= 256 and million['connections'] >= 0.999 * MILLION else 'NOT met'}")


def main():
    parser = options.parser("policy", __doc__, 9)
    given = options.parse(parser)
    traffic = options.traffic(given.build)
    nss, results, paths = hosts.Namespaces(), {}, {}
    try:
        paths["kernel"] = Kernel(nss)
        paths["viaduct"] = Viaduct(nss, given.build)
        for n in range(given.rounds):
            for rules in random.sample(RULES, len(RULES)):
                for path in paths.values():
                    path.use(rules)
                for name, mode, key in MEASURES:
                    for which in random.sample(list(paths), len(paths)):
                        answer = measure(traffic, paths[which], mode, given.seconds)
                        results.setdefault((which, rules, name), []).append(answer[key])
            print(f"round {n + 1} of {given.rounds}", file=sys.stderr)
        established = measure_established(traffic, paths["viaduct"], given.rounds, given.seconds)
        million = json.loads(paths["viaduct"].use(f"fill {MILLION}"))
    finally:
        for one in paths.values():
            one.stop()
        nss.remove()
    out = summary(results, established)
    print_table(out)
    print_goals(out, million)
    out["million"] = million
    options.save(out, given.output)


if __name__ == "__main__":
    main()
