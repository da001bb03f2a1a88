#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every room to the table of rooms in ARCHITECTURE.md.

usage: check_layers.py [ROOT]

Fails, naming file and line, on each #include of another room or of a library that the including room's
row does not allow, on a room without a row, and on a row without a room.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
QUOTED = re.compile(r"`([^`]+)`")
SOURCES = {".c", ".h", ".def"}

# No clock, no signals, no threads: what a pure room may take from the C library.
ISO_C = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h",
         "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h"}
# The C library and the kernel's own headers.
LIBC = ISO_C | {"dirent.h", "dlfcn.h", "endian.h", "fcntl.h", "getopt.h", "glob.h", "grp.h",
                "ifaddrs.h", "libgen.h", "locale.h", "math.h", "netdb.h", "poll.h", "pthread.h",
                "pwd.h", "sched.h", "search.h", "semaphore.h", "setjmp.h", "signal.h", "spawn.h",
                "stdatomic.h", "strings.h", "syslog.h", "termios.h", "threads.h", "time.h",
                "unistd.h", "wchar.h"}
LIBC_FOLDERS = ("sys/", "net/", "netinet/", "arpa/", "linux/", "asm/", "asm-generic/")


class Room:
    """One row of the table."""

    def __init__(self, name, may_use, libraries):
        self.name = name
        self.may_use = set(QUOTED.findall(may_use))
        self.libraries = QUOTED.findall(libraries)
        self.iso_c_only = "ISO C only" in libraries

    def allows_header(self, header):
        for library in self.libraries:
            if header == library or (library.endswith("/") and header.startswith(library)):
                return True
        if self.iso_c_only:
            return header in ISO_C
        return header in LIBC or header.startswith(LIBC_FOLDERS)


def read_table(path):
    rooms = {}
    inside = False
    for line in path.read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if cells[:3] == ["room", "may use", "libraries"]:
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and not cells[0].startswith("---"):
            room = Room(cells[0].strip("`"), cells[1], cells[2])
            rooms[room.name] = room
    return rooms


def closure(rooms, name):
    """The rooms that 'name' may use, itself among them."""
    seen = set()
    todo = [name]
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo += rooms[room].may_use
    return seen


def room_folders(root):
    folders = {p.name: p for p in (root / "src").iterdir() if p.is_dir()}
    for name in ("abi", "bpf"):
        folders[name] = root / name
    return folders


def check_file(path, room, allowed, rooms, folder):
    """Yields (line number, complaint)."""
    text = path.read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        ours, system = match.groups()
        if system:
            if not room.allows_header(system):
                yield number, f"room {room.name} may not use the library header <{system}>"
            continue
        target = ours.split("/")[0]
        if "/" in ours and target in rooms:
            if target not in allowed:
                yield number, f"room {room.name} may not use room {target} (\"{ours}\")"
        elif ours.startswith(".."):
            yield number, f"\"{ours}\" goes around the rooms: write it from the root"
        # Parts of the room itself, generated ones included: bpf's lib/, skeletons.
        elif "/" in ours and not (folder / ours).exists():
            yield number, f"\"{ours}\" is in no room"


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[1]).resolve()
    try:
        rooms = read_table(root / "ARCHITECTURE.md")
        folders = room_folders(root)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    complaints = []

    if not rooms:
        complaints.append("ARCHITECTURE.md: no table of rooms")
    for name in sorted(folders.keys() - rooms.keys()):
        complaints.append(f"ARCHITECTURE.md: room {name} has no row")
    for name in sorted(rooms.keys() - folders.keys()):
        complaints.append(f"ARCHITECTURE.md: room {name} has no folder")
    for room in rooms.values():
        for other in sorted(room.may_use - rooms.keys()):
            complaints.append(f"ARCHITECTURE.md: room {room.name} may use {other}, which is no room")
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        return 1

    n_files = 0
    for name, folder in folders.items():
        allowed = closure(rooms, name)
        for path in sorted(p for p in folder.rglob("*") if p.suffix in SOURCES):
            n_files += 1
            complaints += [f"{path.relative_to(root)}:{number}: {what}" for number, what
                           in check_file(path, rooms[name], allowed, rooms, folder)]
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        return 1
    print(f"{n_files} files in {len(rooms)} rooms keep to ARCHITECTURE.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
