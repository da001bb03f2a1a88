#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a build into an empty folder, and looks whether what is there belongs together.

usage: check_install.py BUILD

Programs run, each has its man page, units start programs that are installed, and what the pages and documents name is there.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAMS = {"viaduct": "man1/viaduct.1", "viaductd": "man8/viaductd.8", "viaduct-agent": "man8/viaduct-agent.8"}
UNITS = {"viaductd.service": "viaductd.conf", "viaduct-agent.service": "agent.conf"}


def find(root, name):
    found = [p for p in root.rglob(name) if p.is_file()]
    return found[0] if len(found) == 1 else None


def check(root):
    for name, page in PROGRAMS.items():
        program = find(root, name)
        if not program:
            yield f"{name} is not installed"
            continue
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30)
        if done.returncode or not done.stdout.startswith(f"{name} "):
            yield f"{name} --version: {done.returncode} {done.stdout}{done.stderr}"
        if not any(root.rglob(page)):
            yield f"{name} has no man page"
    for name, config in UNITS.items():
        unit = find(root, name)
        if not unit:
            yield f"{name} is not installed"
            continue
        command = re.search(r"^ExecStart=(\S+) run --config (\S+)$", unit.read_text(), re.M)
        if not command or not (root / command.group(1).lstrip("/")).exists():
            yield f"{name} starts what is not installed"
        elif pathlib.Path(command.group(2)).name != config or not find(root, config):
            yield f"{name} reads a configuration of which no example is installed"


def main(arguments):
    if len(arguments) != 1:
        raise SystemExit(__doc__.split("\n\n")[1])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["/usr/bin/meson", "install", "-C", arguments[0], "--no-rebuild", "--quiet", "--destdir", folder],
                       check=True, stdout=subprocess.DEVNULL)
        problems = list(check(pathlib.Path(folder)))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
