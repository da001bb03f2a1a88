# SPDX-License-Identifier: Apache-2.0
"""Many questions at once, from and to many places: whether a TCP connection or a datagram is answered.

What answers a connection is more than one packet, so that hosts are shown what the kernel makes of many."""
import json
import threading

from packets import _start

# Serves the ports that it is told over TCP and UDP, IPv4 and IPv6; and for each line, a question of others' ports,
# prints whether it was answered.  A UDP answer comes from the address that was asked.
PROBE = """
import json, random, selectors, socket, sys, threading, time
seconds, bulk = float(sys.argv[1]), 100000
WHERE = {socket.AF_INET: (socket.IPPROTO_IP, 8), socket.AF_INET6: (socket.IPPROTO_IPV6, 50)}  # packet info of each
def serve(ports):
    s = selectors.DefaultSelector()
    for port in ports:
        for family in WHERE:
            t = socket.create_server(("", port), family=family, backlog=128)
            u = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                u.setsockopt(socket.IPPROTO_IPV6, 49, 1)
            else:
                u.setsockopt(socket.IPPROTO_IP, 8, 1)
            u.bind(("", port))
            s.register(t, selectors.EVENT_READ, take)
            s.register(u, selectors.EVENT_READ, echo)
    while True:
        for key, _ in s.select():
            try:
                key.data(key.fileobj)
            except OSError:
                pass
def take(listener):
    c, _ = listener.accept()
    threading.Thread(target=give, args=[c], daemon=True).start()
def give(c):
    with c:
        c.settimeout(seconds)
        try:
            c.sendall(b"x" * bulk)
        except OSError:
            pass
def echo(s):
    data, (about, *_), _, peer = s.recvmsg(2048, 256)
    level, kind, info = about
    if s.family == socket.AF_INET:
        info = bytes(4) + info[8:12] + bytes(4)
    s.sendmsg([data], [(level, kind, info)], 0, peer)
def ask(protocol, address, port, source, sources):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(seconds)
        for _ in range(20):
            try:
                s.bind((source, random.randint(*sources)))
                break
            except OSError:
                pass
        s.connect((address, port))
        if protocol == "tcp":
            left, end = bulk, time.monotonic() + seconds
            while left and time.monotonic() < end:
                got = len(s.recv(left))
                if not got:
                    break
                left -= got
            return not left
        s.send(b"x")
        return s.recv(1) == b"x"
def answer(n, *what):
    try:
        said = ask(*what)
    except OSError:
        said = False
    with lock:
        print(json.dumps([n, said]), flush=True)
lock = threading.Lock()
threading.Thread(target=serve, args=(list(map(int, sys.argv[2:])),), daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    threading.Thread(target=answer, args=json.loads(line), daemon=True).start()
"""


class Prober:
    """At one place; serves the ports and asks others."""

    def __init__(self, place, ports, seconds=0.7):
        self.process = _start(place, PROBE, seconds, *ports)
        self.n, self.answers, self.told = 0, {}, threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            n, said = json.loads(line)
            with self.told:
                self.answers[n] = said
                self.told.notify_all()

    def ask(self, protocol, address, port, source, sources):
        """Sends a question, from that address ("": any) and one of those ports; result() has the answer."""
        self.n += 1
        self.process.stdin.write(json.dumps([self.n, protocol, address, port, source, sources]) + "\n")
        self.process.stdin.flush()
        return self.n

    def result(self, n):
        with self.told:
            assert self.told.wait_for(lambda: n in self.answers, 60), "no result of a probe"
            return self.answers.pop(n)

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
