#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of drop reasons in docs/troubleshooting.md from abi/drop_reasons.def and docs/drop_reasons.tsv.

usage: drop_reasons.py [--check] [ROOT]

With --check nothing is written: fails when the table is not what it would be written as, or when a reason has no advice or an
advice no reason.
"""
import pathlib
import re
import sys

BEGIN, END = "<!-- begin: tools/drop_reasons.py -->\n", "<!-- end: tools/drop_reasons.py -->\n"


def read_reasons(root):
    """[(name, counted only, text)]"""
    text = (root / "abi/drop_reasons.def").read_text()
    return [(name, event == "0", words) for name, event, words in
            re.findall(r'^DROP_REASON\(\d+, (\w+), ([01]), "([^"]*)"\)', text, re.M)]


def read_advice(root):
    advice = {}
    for line in (root / "docs/drop_reasons.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            name, text = line.split("\t")
            advice[name] = text
    return advice


def render(reasons, advice):
    out = ["| reason | dropped because | what to do |", "|---|---|---|"]
    out += [f"| {name} | {text} | {advice.get(name, '')} |" for name, _, text in reasons]
    return "\n".join(out) + "\n"


def main(arguments):
    check = "--check" in arguments
    folders = [a for a in arguments if a != "--check"]
    root = pathlib.Path(folders[0] if folders else pathlib.Path(__file__).parents[1]).resolve()
    reasons, advice = read_reasons(root), read_advice(root)
    names = {name for name, _, _ in reasons}
    problems = [f"docs/drop_reasons.tsv: no advice about {n}" for n, _, _ in reasons if n not in advice]
    problems += [f"docs/drop_reasons.tsv: there is no reason {n}" for n in advice if n not in names]
    path = root / "docs/troubleshooting.md"
    old = path.read_text()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        problems.append(f"{path}: the marks of the table are not there")
        new = old
    else:
        new = old[: old.index(BEGIN) + len(BEGIN)] + render(reasons, advice) + old[old.index(END):]
    if check and new != old:
        problems.append(f"{path} is not up to date: run tools/drop_reasons.py")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems and not check:
        path.write_text(new)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
