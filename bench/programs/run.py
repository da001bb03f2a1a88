#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the data plane's programs cost in ns per packet: runs bench/programs/programs, prints a table and writes its
figures.  'out' is a packet leaving a node, 'in' one arriving from the wire; the kernel's run-time statistics of each
program over real packets, which adds the cost of reading the clock twice (see the row 'pass')."""
import argparse
import json
import os
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="the Meson build folder")
    parser.add_argument("--output", default="build/bench/programs.json")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench/programs makes network namespaces: run it as root")
    program = os.path.join(options.build, "bench", "programs", "programs")
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{program} failed:\n{done.stderr}")
    figures = json.loads(done.stdout)
    print(f"{'ns per packet':44}{'out':>8}{'in':>8}")
    for name, cost in figures.items():
        print(f"{name:44}{cost['out'] or '':>8}{cost['in'] or '':>8}")
    one, many = figures["hit, 1 mappings"], figures["hit, 1000000 mappings"]
    figures["hit_1m_vs_1"] = {d: round(many[d] / one[d], 3) for d in ("out", "in")}
    print(f"a hit with 1M mappings to a hit with 1: out {figures['hit_1m_vs_1']['out']}, in {figures['hit_1m_vs_1']['in']}")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
