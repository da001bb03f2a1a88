# SPDX-License-Identifier: Apache-2.0
"""Listening sockets for a viaductd that a test or a benchmark starts. The kernel chooses the ports, and the sockets
themselves are handed over (LISTEN_FDS, as systemd does): a port that is only looked up first can be somebody else's by the
time the manager binds it."""
import socket

FIRST = 3  # sd_listen_fds(3)
BACKLOG = 4096


class Listeners:
    """Sockets on loopback, by viaductd's names for them ("http", "agents"). Closed at the end of a 'with', when the
    program that was started with 'command' and 'fds' has its own."""

    def __init__(self, *names):
        self.sockets = {name: socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) for name in names}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets.values():
            s.close()

    def address(self, name):
        return "127.0.0.1:%d" % self.port(name)

    def port(self, name):
        return self.sockets[name].getsockname()[1]

    @property
    def fds(self):
        """What the program has to inherit: 'pass_fds' of subprocess."""
        return sorted(s.fileno() for s in self.sockets.values())

    def command(self, *argv):
        """'argv' with the sockets in place; it may go through programs that execute each other without a fork. Only
        the process itself can say LISTEN_PID. In order of descriptors none is written over before it has moved; bash, as
        others know descriptors of one digit alone."""
        names = ":".join(sorted(self.sockets, key=lambda name: self.sockets[name].fileno()))
        moves = " ".join(f"{to}<&{fd}-" for to, fd in enumerate(self.fds, FIRST) if to != fd)
        return ["bash", "-c", f"LISTEN_PID=$$ LISTEN_FDS={len(self.fds)} LISTEN_FDNAMES={names} exec \"$@\" {moves}",
                "bash", *map(str, argv)]
