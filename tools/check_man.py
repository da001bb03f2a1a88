#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a program and its man page disagree.

usage: check_man.py PROGRAM PAGE... [--config EXAMPLE]

Commands and options are taken from what PROGRAM says with --help: each must be in one of the PAGEs, and what the PAGEs say must
be in the program. Options of a command must stand in the item of that command, if it has one. EXAMPLE is a configuration file
in which every key stands commented out: it must have them all, and the program must understand it with all of them in force.
"""
import os
import re
import subprocess
import sys
import tempfile

GLOBAL = {"help", "version"}
NO_KEY = GLOBAL | {"config"}


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)


def help_of(program, *words):
    done = run(program, *words, "--help")
    if done.returncode:
        raise SystemExit(f"{program} {' '.join(words)} --help failed: {done.stderr}")
    return done.stdout


def section(text, title):
    """The indented lines below a title line."""
    found = re.search(rf"^{title}[^\n]*:\n((?:  .*\n?)*)", text, re.M)
    return found.group(1) if found else ""


def walk(program, *path):
    """(path, own options) of every command of a tree, whose --help lists the words below each."""
    text = help_of(program, *path)
    words = re.findall(r"^  ([a-z][a-z-]*) ", section(text, "Commands"), re.M)
    yield path, set(re.findall(r"^  --([a-z0-9-]+)", section(text, "Options"), re.M))
    for word in words:
        yield from walk(program, *path, word)


def is_tree(program):
    return "Commands (each with --help)" in help_of(program)


class Page:
    def __init__(self, path):
        with open(path) as file:
            self.lines = [line.rstrip("\n") for line in file if not line.startswith('.\\"')]
        self.name = os.path.basename(path)

    @staticmethod
    def flags(lines):
        """The long options that macro lines with Fl name."""
        found = set()
        for line in lines:
            if line.startswith(".") and re.search(r"(^\.|\s)Fl\s", line):
                found |= set(re.findall(r"(?:^|\s)-([a-z][a-z0-9-]*)", line))
        return found

    def commands(self):
        """The words of each item or synopsis line that names commands."""
        found = set()
        for line in self.lines:
            for words in re.findall(r"^\.(?:It )?(?:Nm )?(?:viaduct lab )?Cm ([a-z| -]+?)(?= Fl| Ar| Op| Oo| Ns| [A-Z]|$)", line):
                found |= {w.strip() for w in words.split("|")}
        return found

    def item(self, command):
        """The lines of a command's item, until the next command's; None if it has none."""
        start = None
        for i, line in enumerate(self.lines):
            found = re.match(r"\.It (?:Nm )?Cm ([a-z -]+?)(?= Fl| Ar| Op| Oo|$)", line)
            if start is not None and (found or line.startswith(".Sh")):
                return self.lines[start:i]
            if start is None and found and found.group(1) == command:
                start = i
        return None


def check_tree(program, pages, say):
    main = pages[0]
    known_options, known_commands = set(GLOBAL), set()
    text = help_of(program)
    for option in re.findall(r"^  --([a-z0-9-]+)", section(text, "Global options"), re.M):
        known_options.add(option)
        if option not in Page.flags(main.lines):
            say(f"--{option} is not in {main.name}")
    for path, options in walk(program):
        known_options |= options
        if not path:
            continue
        # A command with a page of its own (viaduct-lab) is described there without its first word.
        own = next((p for p in pages[1:] if p.name.startswith(f"{os.path.basename(program)}-{path[0]}.")), None)
        if own and len(path) == 1:
            continue
        page, name = (own, " ".join(path[1:])) if own else (main, " ".join(path))
        known_commands.add((page, name))
        leaf = bool(run(program, *path, "--help").stdout.count("Usage:"))
        item = page.item(name)
        if leaf and name not in page.commands():
            say(f"command {' '.join(path)} is not in {page.name}")
        for option in sorted(options - Page.flags(item if item and not own else page.lines)):
            say(f"--{option} of {' '.join(path)} is not in {page.name}")
    for page in pages:
        for option in sorted(Page.flags(page.lines) - known_options):
            say(f"{page.name} has --{option}, which {os.path.basename(program)} does not know")
        for line in page.lines:
            found = re.match(r"\.It (?:Nm )?Cm ([a-z -]+?)(?= Fl| Ar| Op| Oo|$)", line)
            if found and (page, found.group(1)) not in known_commands:
                say(f"{page.name} has the command {found.group(1)}, which {os.path.basename(program)} does not know")


def check_flat(program, page, say):
    text = help_of(program)
    name = os.path.basename(program)
    options = set(re.findall(r"--([a-z][a-z0-9-]*)", text)) | GLOBAL
    commands = set(re.findall(rf"^  {re.escape(name)} ([a-z]+)", text, re.M))
    if not commands:
        say(f"{name} --help names no command")
    for option in sorted(options - Page.flags(page.lines)):
        say(f"--{option} is not in {page.name}")
    for option in sorted(Page.flags(page.lines) - options):
        say(f"{page.name} has --{option}, which {name} --help does not")
    documented = page.commands()
    for command in sorted(commands - documented):
        say(f"command {command} is not in {page.name}")
    return options


def check_config(program, options, path, say):
    with open(path) as file:
        lines = file.read().splitlines()
    settings = [m.group(1) for m in (re.match(r"#([a-z0-9-]+ = .+)$", line) for line in lines) if m]
    keys = {s.split(" = ")[0] for s in settings}
    for key in sorted(options - NO_KEY - keys):
        if f"# {key}:" not in "\n".join(lines):
            say(f"{os.path.basename(path)} does not have {key}")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("\n".join(settings) + "\n")
        file.flush()
        done = run(program, "run", "--config", file.name, "--help")
    if done.returncode:
        say(f"{os.path.basename(path)} is refused: {done.stderr.strip()}")


def main(arguments):
    config = None
    if "--config" in arguments:
        at = arguments.index("--config")
        config = arguments[at + 1]
        del arguments[at : at + 2]
    if len(arguments) < 2:
        raise SystemExit(__doc__.split("\n\n")[1])
    program, pages = arguments[0], [Page(p) for p in arguments[1:]]
    complaints = []
    if is_tree(program):
        check_tree(program, pages, complaints.append)
    else:
        options = check_flat(program, pages[0], complaints.append)
        if config:
            check_config(program, options, config, complaints.append)
    for page in pages:
        for line in page.lines:
            if re.search(r"\sQl\s.*\s(?:Ql|No)\s", line):
                complaints.append(f"{page.name}: groff ends a quotation (Ql) with its line, and not before: {line}")
    for text in complaints:
        print(text)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
