#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/listeners.py: whoever is started finds the sockets by name, whatever their descriptors are here."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "tools"))
from listeners import Listeners  # noqa: E402

TELL = """
import json, os, socket
names = os.environ["LISTEN_FDNAMES"].split(":")
assert int(os.environ["LISTEN_PID"]) == os.getpid() and int(os.environ["LISTEN_FDS"]) == len(names)
ports = {name: socket.socket(fileno=fd).getsockname()[1] for fd, name in enumerate(names, 3)}
others = [fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2 + len(names)]
print(json.dumps([ports, [fd for fd in others if os.path.exists(f"/proc/self/fd/{fd}")]]))
"""


class Handed(unittest.TestCase):
    def hand_over(self, held):
        with contextlib.ExitStack() as stack:
            for _ in range(held):
                stack.enter_context(open(os.devnull))
            listeners = stack.enter_context(Listeners("http", "agents"))
            command = listeners.command("prlimit", "--nofile=64", sys.executable, "-c", TELL)
            out = subprocess.run(command, pass_fds=listeners.fds, check=True, capture_output=True, text=True).stdout
            ports, left_over = json.loads(out)
            self.assertEqual(ports, {name: listeners.port(name) for name in ("http", "agents")})
            self.assertEqual(left_over, [])

    def test_descriptors_of_one_digit(self):
        self.hand_over(0)

    def test_descriptors_of_two_digits_are_moved_and_not_left_behind(self):
        self.hand_over(20)


if __name__ == "__main__":
    unittest.main()
