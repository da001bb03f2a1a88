# SPDX-License-Identifier: Apache-2.0
"""Raw frames into and out of a node's eth0, and counted streams between nodes.  Frames are made and read by the
tests with scapy; inside the namespaces run only small scripts on plain sockets."""
import contextlib
import json
import subprocess
import threading
import time

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from lab import WAIT_SECONDS

SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
"""

RECEIVE = """
import select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    ready = select.select([s, sys.stdin], [], [])[0]
    if s in ready:
        data, where = s.recvfrom(70000)
        if where[2] != socket.PACKET_OUTGOING:
            print(data.hex(), flush=True)
    elif ready:  # all that came before is told
        break
"""

# Ends when as many different ones have come as its input says, or if none comes any more: what is late is not lost.
UDP_SINK = """
import json, socket, sys, select
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
s.bind(("", int(sys.argv[1])))
print("ready", flush=True)
seen, sizes, n, sent = set(), set(), 0, None
while True:
    patience = None if sent is None else 0.2 if len(seen) >= sent else 5
    ready = select.select([s] if sent is not None else [s, sys.stdin], [], [], patience)[0]
    if s in ready:
        data = s.recv(70000)
        n += 1
        seen.add(int.from_bytes(data[:8], "big"))
        sizes.add(len(data))
    elif ready:
        sent = int(sys.stdin.readline())
    else:
        break
print(json.dumps({"n": n, "distinct": len(seen), "sizes": sorted(sizes)}))
"""

UDP_SOURCE = """
import socket, sys, time
address, port, rate, seconds, size = sys.argv[1], *map(float, sys.argv[2:6])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((address, int(port)))
begin, n, tail = time.monotonic(), 0, bytes(int(size) - 8)
while (now := time.monotonic() - begin) < seconds:
    while n < now * rate:
        s.send(n.to_bytes(8, "big") + tail)
        n += 1
    time.sleep(0.001)
print(n)
"""


# 800 numbered datagrams, 40 to each call (UDP_SEGMENT).
UDP_GSO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.setsockopt(17, 103, 1000)  # SOL_UDP, UDP_SEGMENT
for batch in range(20):
    s.send(b"".join((batch * 40 + i).to_bytes(8, "big") + bytes(992) for i in range(40)))
print(800)
"""


def send_frames(node, frames, device="eth0"):
    lines = "\n".join(bytes(f).hex() for f in frames)
    node.run("/usr/bin/python3", "-c", SEND, device, input=lines)


def _start(node, script, *argv):
    process = subprocess.Popen(node.argv("/usr/bin/python3", "-c", script, *argv), text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    if process.stdout.readline().strip() != "ready":
        raise AssertionError(f"what was to run at {node.id} with {argv} did not start (exit {process.wait(60)})")
    return process


@contextlib.contextmanager
def received(node, device="eth0", until=None, settle=0.4):
    """The frames that reach a node while the block runs, as scapy packets in the list that it gives.  What may come later is
    waited for 'until' the list has it."""
    process = _start(node, RECEIVE, device)
    frames = []
    reader = threading.Thread(target=lambda: frames.extend(Ether(bytes.fromhex(line)) for line in process.stdout), daemon=True)
    reader.start()
    try:
        yield frames
        end = time.monotonic() + (WAIT_SECONDS if until else settle)  # what should not come may be under way
        while time.monotonic() < end and not (until and until(frames)):
            time.sleep(0.02)
    finally:
        process.stdin.close()
        reader.join(60)
        process.wait(60)


class Counted(dict):
    """What a sink has counted, once it has ended; 'sent' is how many there were."""
    sent = 0


@contextlib.contextmanager
def udp_sink(node, port):
    """Counts numbered datagrams; the block says in 'sent' how many to wait for, and the dictionary is filled at the end."""
    process = _start(node, UDP_SINK, port)
    result = Counted()
    try:
        yield result
    finally:
        out, _ = process.communicate(f"{result.sent}\n", timeout=60)
    result.update(json.loads(out))


def udp_source(node, address, port, rate=1000, seconds=1.0, size=64):
    """Starts sending numbered datagrams; sent_by() waits for the end."""
    return subprocess.Popen(node.argv("/usr/bin/python3", "-c", UDP_SOURCE, address, port, rate, seconds, size),
                            text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)


def sent_by(source):
    """How many datagrams a source has sent, when it has ended."""
    return int(source.communicate(timeout=60)[0])


def known_mac(node, address):
    """The MAC that a node uses for an address of its subnet, asked for by ARP if need be."""
    if not node.neighbour(address):
        node.ping(address, count=1)
    mac = node.neighbour(address)
    assert mac, f"{node.id} resolves no MAC for {address}"
    return mac


def frame(sender, receiver_address, ip):
    """An Ethernet frame from a node's eth0 to what it holds to be 'receiver_address'."""
    return Ether(src=sender.mac, dst=known_mac(sender, receiver_address)) / ip


def only_ip(frames, **fields):
    """The IPv4 packets among frames whose fields have these values."""
    return [f[IP] for f in frames if IP in f and all(getattr(f[IP], k) == v for k, v in fields.items())]


# Both answer each line on their standard input with one line of JSON, and end with it.
STREAM_SOURCE = """
import json, select, socket, struct, sys, time
source, address, port, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
if source:
    s.bind((source, 0))
print("ready", flush=True)
begin, n, errors = time.monotonic(), 0, 0
while True:
    while n < (time.monotonic() - begin) * rate:
        try:
            s.sendto(struct.pack("!Qd", n, time.monotonic()), (address, port))
        except OSError:
            errors += 1
        n += 1
    if select.select([sys.stdin], [], [], 0.5 / rate)[0]:
        if not sys.stdin.readline():
            break
        print(json.dumps({"n": n, "errors": errors}), flush=True)
"""

# When a datagram came is the kernel's word: this process may look at it much later.
STREAM_SINK = """
import json, select, socket, struct, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
s.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
s.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
s.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
got = []
while True:
    ready = select.select([s, sys.stdin], [], [])[0]
    if s in ready:
        data, control, _, where = s.recvmsg(2048, 64)
        seq, at = struct.unpack("!Qd", data[:16])
        seconds, ns = struct.unpack("qq", control[0][2])
        came = seconds + ns / 1e9 - max(time.time() - time.monotonic() for _ in range(3))
        got.append((seq, at, came, where[0]))
    if sys.stdin in ready:
        line = sys.stdin.readline()
        if not line:
            break
        print(json.dumps(got if line == "all\\n" else {"n": len(got), "last": got[-1] if got else None}), flush=True)
"""


class Talker:
    """One end of a stream of numbered, dated datagrams, asked while it runs."""

    def __init__(self, node, script, *argv):
        self.process = _start(node, script, *argv)

    def ask(self, what="state"):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


class Stream:
    """Datagrams at 'rate' per second from one node to an address, wherever that is: 'sinks' listen on several nodes.
    Times are of the machine's one monotonic clock."""

    def __init__(self, sender, address, sinks, port=7100, rate=1000, source=""):
        everything = "::" if ":" in address else ""
        self.sinks = {name: Talker(node, STREAM_SINK, everything, port) for name, node in sinks.items()}
        self.source = Talker(sender, STREAM_SOURCE, source, address, port, rate)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.source.end()
        for sink in self.sinks.values():
            sink.end()

    def sent(self):
        return self.source.ask()["n"]

    def count(self, name):
        return self.sinks[name].ask()["n"]

    def arrivals(self, name):
        """[(number, sent at, received at, from)], in order of arrival."""
        return [tuple(a) for a in self.sinks[name].ask("all")]
