# SPDX-License-Identifier: Apache-2.0
"""Servers that say who asked, single questions to them, and connections that stay: what policy and address translation
are seen by."""
import contextlib

from packets import Talker, _start

# Answers every line over TCP, and every datagram, with the address and port that it came from and the server's own
# address.
SERVER = """
import socket, sys, threading
port = int(sys.argv[1])
def serve_tcp(listener):
    while True:
        c, _ = listener.accept()
        threading.Thread(target=answer, args=(c,), daemon=True).start()
def answer(c):
    with c:
        try:
            peer, own = c.getpeername(), c.getsockname()[0]
            for line in c.makefile():
                c.sendall(f"{peer[0]} {peer[1]} {own} {line}".encode())
        except OSError:
            pass
def serve_udp(s):
    own = sys.argv[2]
    s.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: the answer comes from where it was asked
    while True:
        data, (about, *_), _, peer = s.recvmsg(65536, 64)
        asked = bytes(4) + about[2][8:12] + bytes(4)
        s.sendmsg([f"{peer[0]} {peer[1]} {own} ".encode() + data], [(socket.IPPROTO_IP, 8, asked)], 0, peer)
t = socket.create_server(("", port), backlog=128)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("", port))
for f, s in ((serve_tcp, t), (serve_udp, u)):
    threading.Thread(target=f, args=(s,), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""

# One question; prints what the server saw, or why there was no answer.
ASK = """
import socket, sys
protocol, address, port, seconds, source_port = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6])
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
s.settimeout(seconds)
try:
    if source_port:
        s.bind(("", int(source_port)))
    s.connect((address, int(port)))
    s.send(b"hello\\n")
    print(*[w.decode() for w in s.recv(4096).split()[:3]])
except OSError as e:
    print("-", 0, type(e).__name__)
"""

# A TCP connection that is used when a line comes, and says whether it lives.
CLIENT = """
import json, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
f = s.makefile()
print("ready", flush=True)
for n, line in enumerate(sys.stdin):
    s.settimeout(float(line))
    try:
        s.sendall(f"{n}\\n".encode())
        peer, port, own, got = f.readline().split()
        said = {"ok": int(got) == n, "peer": peer, "port": int(port), "server": own}
    except (OSError, ValueError) as e:
        said = {"ok": False, "error": type(e).__name__}
    print(json.dumps(said), flush=True)
"""


@contextlib.contextmanager
def server(*places, port=7000):
    """Runs a server at each place while the block runs."""
    processes = []
    try:
        for place in places:
            processes.append(_start(place, SERVER, port, getattr(place, "address", place.id)))
        yield
    finally:
        for p in processes:
            p.stdin.close()
            p.wait(60)


def ask(place, address, port=7000, protocol="tcp", seconds=1.5, source_port=0):
    """Who the server saw and what its own address is: (address, port, server), or None if there was no answer."""
    from lab import run
    done = run(*place.argv("/usr/bin/python3", "-c", ASK, protocol, address, port, seconds, source_port))
    peer, peer_port, own = done.stdout.split()
    return (peer, int(peer_port), own) if peer != "-" else None


def reach(place, address, port=7000, **more):
    """The same where an answer is expected: a busy machine may take its time."""
    return ask(place, address, port, **{"seconds": 15, **more})


class Conversation(Talker):
    """A TCP connection from a place to a server, used when it is asked."""

    def __init__(self, place, address, port=7000):
        super().__init__(place, CLIENT, address, port)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()

    def lives(self, seconds=15.0):
        """Says something; whether the answer came in time."""
        return self.ask(seconds)["ok"]

    def peer(self):
        """Who the server sees."""
        said = self.ask(15.0)
        return said["peer"], said["port"]


__all__ = ["ask", "server", "Conversation"]
