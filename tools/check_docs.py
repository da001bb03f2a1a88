#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a document names a file that does not exist, or links to a heading that is not there.

usage: check_docs.py [ROOT]

Names of files are looked for in links and in `code`, where they begin with a folder of the source tree. Words in capitals stand for
something else (`tests/unit/ROOM`), and `*` for anything.
"""
import pathlib
import re
import sys

FOLDERS = "abi|bench|bpf|docs|man|packaging|src|tests|tools"
PATH = re.compile(rf"^(?:{FOLDERS})/[\w./*-]*$")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def documents(root):
    return [p for p in [root / "README.md", root / "ARCHITECTURE.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
            if p.exists()]


def anchors(text):
    """The anchors of a document's headings, as web sites make them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w -]", "", h.strip().lower()).replace(" ", "-") for h in headings}


def check(root, path):
    text = path.read_text()
    name = path.relative_to(root)
    for target, anchor in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists():
            yield f"{name}: there is no {target}"
        elif anchor and file.suffix == ".md" and anchor[1:] not in anchors(file.read_text()):
            yield f"{name}: {target or name} has no heading {anchor}"
    for code in re.findall(r"`([^`\n]+)`", text):
        for word in code.split():
            word = word.rstrip(".,:;")
            if not PATH.match(word) or re.search(r"[A-Z]{3}", word) and not (root / word).exists():
                continue
            if not any(root.glob(word.rstrip("/"))):
                yield f"{name}: there is no {word}"


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[1]).resolve()
    found = [problem for path in documents(root) for problem in check(root, path)]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
