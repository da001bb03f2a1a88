#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/dataplane: Viaduct's formats beside bare veth, plain routing and kernel VXLAN, in one run.

Every round measures every path once, so that a drift of the machine hits all alike; a figure is the
median over the rounds with the 95 % interval of the median, a ratio the median of the rounds' ratios.
"""
import json
import math
import os
import random
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hosts  # noqa: E402
import options  # noqa: E402
from cluster import Cluster  # noqa: E402

# (name, traffic's mode, streams, offloads, unit, better)
MEASURES = [
    ("tcp_bulk", "tcp-bulk", 1, True, "bits_per_second"),
    ("tcp_bulk4", "tcp-bulk", 4, True, "bits_per_second"),
    ("tcp_bulk_notso", "tcp-bulk", 1, False, "bits_per_second"),
    ("tcp_bulk4_notso", "tcp-bulk", 4, False, "bits_per_second"),
    ("udp64", "udp-rate", 1, True, "packets_per_second"),
    ("tcp_rr_p50", "tcp-rr", 1, True, "p50_ns"),
    ("tcp_rr_p99", "tcp-rr", 1, True, "p99_ns"),
    ("udp_rr_p50", "udp-rr", 1, True, "p50_ns"),
    ("udp_rr_p99", "udp-rr", 1, True, "p99_ns"),
]
CORES = {"one": "0,0", "two": "0,1"}
# Viaduct's paths: cluster options and the names of the paths in it.
CLUSTERS = {
    "siit2": (dict(), {"siit2": "remote", "ipip6": "no-df", "same-host": "local"}),
    "siit1": (dict(formats="siit/1,ipip6/1"), {"siit1": "remote"}),
    "vxlan": (dict(substrate="ipv4"), {"vxlan": "remote"}),
    "reip4": (dict(substrate="ipv4", aliases=True), {"reip4": "remote"}),
}
# The goals of siit/2 on one core, as ratios: measure -> (peer, bound, whether the ratio must be at least it)
GOALS = [
    ("siit2", "udp64", "routing", 1.05, True),
    ("siit2", "tcp_rr_p50", "routing", 0.92, False),
    ("siit2", "tcp_bulk", "routing", 0.97, True),
    ("siit2", "tcp_bulk_notso", "routing", 1.25, True),
    ("siit2", "udp64", "kernel-vxlan", 1.6, True),
    ("same-host", "tcp_bulk", "bare", 0.90, True),
    ("same-host", "udp64", "bare", 0.90, True),
]


def median_interval(values):
    """The distribution-free 95 % interval of the median (order statistics of the binomial)."""
    ordered, n = sorted(values), len(values)
    k = max(0, int(math.floor(n / 2 - 0.98 * math.sqrt(n))))
    return ordered[k], ordered[n - 1 - k]


def measure(traffic, one, mode, streams, cpus, seconds):
    out = hosts.sh(traffic, "--from", hosts.path(one.from_ns), "--to", hosts.path(one.to_ns), "--address",
                   one.to_address, "--mode", mode, "--streams", str(streams), "--cpus", cpus,
                   "--seconds", str(seconds))
    return json.loads(out)


def pmtu_discovery(one, on):
    """A node without it sends packets without DF, which travel by ipip6."""
    for ns in (one.from_ns, one.to_ns):
        hosts.sh("nsenter", f"--net={hosts.path(ns)}", "sh", "-c",
                 f"echo {0 if on else 1} >/proc/sys/net/ipv4/ip_no_pmtu_disc")


def run_round(traffic, paths, seconds, results, cores_wanted):
    """Measures everything once; modes whose two figures come from one run share it."""
    runs = {}
    for name, mode, streams, offload, _ in MEASURES:
        runs.setdefault((mode, streams, offload), []).append(name)
    for (mode, streams, offload), _names in runs.items():
        for cores, cpus in cores_wanted.items():
            for one in random.sample(paths, len(paths)):
                one.set_offload(offload)
                pmtu_discovery(one, not one.no_df)
                answer = measure(traffic, one, mode, streams, cpus, seconds)
                for name, m, s, o, key in MEASURES:
                    if (m, s, o) == (mode, streams, offload):
                        results.setdefault((one.name, cores, name), []).append(answer[key])


def ratio(results, path_name, peer, cores, name):
    mine, theirs = results.get((path_name, cores, name)), results.get((peer, cores, name))
    # A round in which a starved peer got nothing through says nothing about a ratio.
    return [m / t for m, t in zip(mine or [], theirs or []) if t] or None


def summary(results, path_names):
    """The figures as bench.json has them: one core unless the name says otherwise."""
    out = {}
    for one in path_names:
        mine = out.setdefault(one, {})
        for cores in CORES:
            suffix = "" if cores == "one" else "_two_cores"
            for name, *_ in MEASURES:
                values = results.get((one, cores, name))
                if not values:
                    continue
                low, high = median_interval(values)
                mine[name + suffix] = {"median": statistics.median(values), "low": low, "high": high}
                for peer, word in (("routing", "routing"), ("kernel-vxlan", "vxlan"), ("bare", "bare")):
                    r = ratio(results, one, peer, cores, name)
                    if r and one != peer:
                        low, high = median_interval(r)
                        mine[f"{name}{suffix}_vs_{word}"] = round(statistics.median(r), 4)
                        mine[f"{name}{suffix}_vs_{word}_interval"] = [round(low, 4), round(high, 4)]
    return out


def print_table(out):
    for cores in CORES:
        suffix = "" if cores == "one" else "_two_cores"
        print(f"\n{cores} core{'s' if cores == 'two' else ''}: median (ratio to plain routing)")
        print(f"{'path':14}" + "".join(f"{m[0]:>22}" for m in MEASURES))
        for one, figures in out.items():
            row = f"{one:14}"
            for name, _, _, _, unit in MEASURES:
                f = figures.get(name + suffix)
                if not f:
                    row += f"{'-':>22}"
                    continue
                scale, text = {"bits_per_second": (1e9, "Gb/s"), "packets_per_second": (1e3, "kpps"),
                               "p50_ns": (1e3, "us"), "p99_ns": (1e3, "us")}[unit]
                r = figures.get(f"{name}{suffix}_vs_routing")
                row += f"{f['median'] / scale:>9.2f} {text:4}" + (f" ({r:5.2f})" if r else " " * 8)
            print(row)
    print("\ngoals (one core)")
    for one, name, peer, bound, at_least in GOALS:
        word = {"kernel-vxlan": "vxlan"}.get(peer, peer)
        r = out.get(one, {}).get(f"{name}_vs_{word}")
        if r is not None:
            met = r >= bound if at_least else r <= bound
            print(f"  {one} {name} vs {peer}: {r:.3f}, goal {'>=' if at_least else '<='} {bound}: "
                  f"{'met' if met else 'NOT met'}")


def main():
    parser = options.parser("dataplane", __doc__, 15)
    parser.add_argument("--paths", help="only these, comma separated (routing is always there)")
    parser.add_argument("--cores", choices=CORES, help="only on one core or two (default: both)")
    given = options.parse(parser)
    cores = {given.cores: CORES[given.cores]} if given.cores else CORES
    wanted = set(given.paths.split(",")) if given.paths else None
    traffic = options.traffic(given.build)
    nss, clusters, paths, results = hosts.Namespaces(), [], [], {}
    try:
        for name, make in (("bare", hosts.bare), ("routing", hosts.routing), ("kernel-vxlan", hosts.vxlan)):
            if not wanted or name in wanted or name == "routing":
                paths.append(make(nss))
        for name, (how, names) in CLUSTERS.items():
            names = {n: k for n, k in names.items() if not wanted or n in wanted}
            if not names:
                continue
            cluster = Cluster(nss, given.build, name, **how)
            clusters.append(cluster)
            cluster.start()
            cluster.run_instances()
            paths += cluster.paths(names)
        for n in range(given.rounds):
            run_round(traffic, paths, given.seconds, results, cores)
            print(f"round {n + 1} of {given.rounds}", file=sys.stderr)
    finally:
        for cluster in clusters:
            cluster.stop()
        nss.remove()
    out = summary(results, [p.name for p in paths])
    print_table(out)
    options.save(out, given.output)


if __name__ == "__main__":
    main()
