#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Joins the rows of docs/requirements.tsv with the tests that name them ("requirement: PKT-3") into
docs/requirements.md.

usage: requirements.py [--check] [ROOT]

With --check nothing is written: fails when the table is not what it would be written as, when a row that is done,
or done in part, has no test, or when a test names a row that does not exist.
"""
import pathlib
import re
import sys

MENTION = re.compile(r"requirements?:((?:[ ,]+[A-Z]+-\d+)+)")
ROW = re.compile(r"[A-Z]+-\d+")
SOURCES = {".c", ".h", ".py", ".sh", ".def", ".inc"}
# The sections of the table, by the letters of their rows.
SECTIONS = {"NEG": "Choosing how two nodes talk", "MAP": "Knowing where everything is", "PKT": "Carrying packets",
            "TOPO": "Topology", "TAG": "Networks of different kinds joined together", "NIC": "Interface records",
            "EDGE": "In and out", "SITE": "Sites", "MOVE": "Changing while it runs",
            "PATH": "Choosing the way through the substrate", "RTR": "A router to log in to", "OPS": "Running it",
            "NODE": "Nodes"}


def read_rows(root):
    rows = {}
    for line in (root / "docs/requirements.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            row, state, text = line.split("\t")
            rows[row] = (state, text)
    return rows


def read_mentions(root):
    """{row: {file: how many times it is named there}}"""
    mentions = {}
    for path in sorted((root / "tests").rglob("*")):
        if path.suffix not in SOURCES or not path.is_file():
            continue
        for match in MENTION.finditer(path.read_text(errors="replace")):
            for row in ROW.findall(match.group(1)):
                files = mentions.setdefault(row, {})
                name = str(path.relative_to(root))
                files[name] = files.get(name, 0) + 1
    return mentions


def render(rows, mentions):
    out = ["<!-- SPDX-License-Identifier: Apache-2.0 -->",
           "<!-- Written by tools/requirements.py from docs/requirements.tsv and the tests: not to be edited. -->",
           "# What the system must do, and what proves it", "",
           "A row that is done has tests that fail without it; each names the row. One that is done in part says what is "
           "missing. The others are due later.", ""]
    section = None
    for row, (state, text) in rows.items():
        letters = row.split("-")[0]
        if letters != section:
            section = letters
            out += ["", f"## {letters}: {SECTIONS[letters]}", "", "| row | state | behaviour | tests |",
                    "|---|---|---|---|"]
        tests = "<br>".join(f"`{f}`" for f in mentions.get(row, {}))
        out.append(f"| {row} | {state} | {text} | {tests} |")
    return "\n".join(out) + "\n"


def problems(rows, mentions, text, path):
    for row, files in mentions.items():
        if row not in rows:
            yield f"{', '.join(files)}: there is no requirement {row}"
    for row, (state, _) in rows.items():
        if state != "later" and row not in mentions:
            yield f"requirement {row} is {state.split(':')[0]}, and no test names it"
    if not path.exists() or path.read_text() != text:
        yield f"{path} is not up to date: run tools/requirements.py"


def main(arguments):
    check = "--check" in arguments
    folders = [a for a in arguments if a != "--check"]
    root = pathlib.Path(folders[0] if folders else pathlib.Path(__file__).parents[1]).resolve()
    rows, mentions = read_rows(root), read_mentions(root)
    path = root / "docs/requirements.md"
    text = render(rows, mentions)
    if not check:
        path.write_text(text)
        return 0
    found = list(problems(rows, mentions, text, path))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
