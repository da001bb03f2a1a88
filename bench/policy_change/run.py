#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/policy_change: a rule is added to a security group with 10,000 members on 100 hosts: the time until the last
host has confirmed it. The figures are the medians of several runs of build/bench/policy_change/policy-change-bench."""
import argparse
import json
import os
import statistics
import subprocess

HOSTS, MEMBERS = 100, 10000
GOALS = {"p50_ms": None, "p99_ms": 500, "manager_cpu_ms": None}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build directory")
    parser.add_argument("--output", required=True, help="where the figures go, as JSON")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    program = os.path.join(options.build, "bench", "policy_change", "policy-change-bench")
    runs = [json.loads(subprocess.run([program, str(HOSTS), str(MEMBERS)], check=True, capture_output=True,
                                      text=True).stdout) for _ in range(options.rounds)]
    figures = {name: statistics.median(r[name] for r in runs) for name in GOALS}
    print(f"{'':36} {'measured':>12} {'goal':>12}")
    for name, value in figures.items():
        goal = GOALS[name]
        text = f"{goal:>12,}{'  met' if value <= goal else '  NOT MET'}" if goal else ""
        print(f"{name:36} {value:>12,.2f} {text}")
    with open(options.output, "w", encoding="utf-8") as f:
        json.dump(dict(figures, hosts=HOSTS, members=MEMBERS), f, indent=1)


if __name__ == "__main__":
    main()
