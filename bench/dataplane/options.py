# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks that make namespaces and count in rounds have in common on their command lines."""
import argparse
import json
import os
import sys


def parser(name, description, rounds, seconds=0.2):
    """The options of bench/NAME: --build, --rounds, --seconds, --output (build/bench/NAME.json)."""
    made = argparse.ArgumentParser(prog=f"bench/{name}", description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--build", default="build", help="the Meson build folder")
    made.add_argument("--rounds", type=int, default=rounds)
    made.add_argument("--seconds", type=float, default=seconds, help="of each measurement")
    made.add_argument("--output", default=f"build/bench/{name}.json")
    return made


def parse(made):
    """The options given, with the build folder absolute; ends the process unless it is root."""
    options = made.parse_args()
    if os.geteuid():
        sys.exit(f"{made.prog} makes network namespaces: run it as root")
    options.build = os.path.abspath(options.build)
    return options


def traffic(build):
    """The program that makes the traffic."""
    return os.path.join(build, "bench", "dataplane", "traffic")


def save(figures, path):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(figures, f, indent=1)
