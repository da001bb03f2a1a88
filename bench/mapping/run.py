#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/mapping: the mapping service: look-ups, pushes, readiness, start. Each figure is the median of several runs
of build/bench/mapping/mapping-bench, which says what it does."""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

MILLION = 1000000
GOALS = {  # name: (goal, "least" or "most")
    "lookups_in_process_per_s": None,
    "bytes_per_mapping": (160, "most"),
    "lookups_tls_batched_per_core_s": (1000000, "least"),
    "lookups_tls_pipelined_per_core_s": (1000000, "least"),
    "lookups_tls_one_at_a_time_per_s": (80000, "least"),
    "push_1000_p50_ms": (20, "most"),
    "push_1000_p99_ms": (40, "most"),
    "run_instances_1000_hosts_per_s": None,
    "ready_0_p50_ms": (20, "most"),
    "ready_10000_p50_ms": (20, "most"),
    "start_1m_s": (1.5, "most"),          # 100,000 instances with 10 addresses each
    "start_1m_single_s": (1.5, "most"),   # 1,000,000 instances with one
}


def once(program, *words):
    return json.loads(subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True).stdout)


def with_store(program, what, n, rounds, shared=False):
    """Results of several rounds, each with a store of its own, or all with one that the first round fills."""
    with tempfile.TemporaryDirectory(prefix="viaduct-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        return [once(program, what, n, os.path.join(folder, "store" if shared else f"store{i}")) for i in range(rounds)]


def median(results, *path):
    def pick(value):
        for key in path:
            value = value[key]
        return value
    return statistics.median(pick(r) for r in results)


def measure(program, rounds, size):
    figures = {}
    results = [once(program, "in-process", size) for _ in range(rounds)]
    figures["lookups_in_process_per_s"] = median(results, "lookups_per_s")
    figures["bytes_per_mapping"] = median(results, "bytes_per_mapping")
    results = [once(program, "tls", 100000) for _ in range(rounds)]
    figures["lookups_tls_batched_per_core_s"] = median(results, "batched", "lookups_per_core_s")
    figures["lookups_tls_pipelined_per_core_s"] = median(results, "pipelined", "lookups_per_core_s")
    figures["lookups_tls_one_at_a_time_per_s"] = median(results, "one_at_a_time", "lookups_per_s")
    results = [once(program, "push", 1000) for _ in range(rounds)]
    figures["push_1000_p50_ms"] = median(results, "p50_ms")
    figures["push_1000_p99_ms"] = median(results, "p99_ms")
    results = [once(program, "place", 1000) for _ in range(rounds)]
    figures["run_instances_1000_hosts_per_s"] = median(results, "batched_per_s")
    for n in (0, 10000):
        results = with_store(program, "ready", n, rounds)
        figures[f"ready_{n}_p50_ms"] = median(results, "p50_ms")
    results = with_store(program, "start", size, rounds, shared=True)
    figures["start_1m_s"] = median(results, "total_s")
    results = with_store(program, "start-single", size, rounds, shared=True)
    figures["start_1m_single_s"] = median(results, "total_s")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build directory")
    parser.add_argument("--output", required=True, help="where the figures go, as JSON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=MILLION, help="mappings of the large runs")
    options = parser.parse_args()
    program = os.path.join(options.build, "bench", "mapping", "mapping-bench")
    figures = measure(program, options.rounds, options.size)
    print(f"{'':36} {'measured':>12} {'goal':>12}")
    for name, value in figures.items():
        goal = GOALS[name]
        text = f"{goal[0]:>12,}" if goal else f"{'':>12}"
        met = "" if not goal else "  met" if (value >= goal[0]) == (goal[1] == "least") or value == goal[0] else "  NOT MET"
        print(f"{name:36} {value:>12,.2f} {text}{met}")
    with open(options.output, "w", encoding="utf-8") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
