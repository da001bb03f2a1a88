# SPDX-License-Identifier: Apache-2.0
"""Hosts that talk to nobody in the clear: what is between them is sealed.

    a 10.0.1.x --- h1 ---+                 +--- h2 --- b 10.0.1.x
                         +--- [ router ] ---+
                              IPv6, MTU 1500
"""
import hashlib
import hmac
import ipaddress
import json
import os
import re
import signal
import struct

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import lab as labs
from packets import received, sent_by, UDP_GSO, udp_sink, udp_source

LAB = {"hosts": 2, "require": ["crypt"]}
SEAL_PORT = 1000
MARK = b"what nobody on the way may read. "


@pytest.fixture(scope="module")
def nodes(lab):
    _, (one,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(one)
    assert a.ping(b.address) == 3
    return a, b


def sealed(packets):
    """The payloads of the sealed datagrams among packets on the wire."""
    return [bytes(p["UDP"].payload) for p in packets if p.haslayer("UDP") and p["UDP"].dport == SEAL_PORT]


def worker(lab, host):
    """The process that seals for a host."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/viaduct-seal") and words[1] == str(lab.directory / host / "seal").encode():
            return int(pid)
    return None


def test_the_wire_shows_nothing_but_sealed_packets(lab, nodes):
    """requirement: NEG-11 NEG-6"""
    a, b = nodes
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address, *labs.APART, "-p", MARK[:16].hex(), count=5) == 5
        sink = b.spawn("/usr/bin/python3", "-c", "import socket; s = socket.create_server(('', 7000)); c = s.accept()[0]\n"
                       "n = 0\nwhile True:\n d = c.recv(65536)\n if not d: break\n n += len(d)\nprint(n)")
        a.python("import socket, sys, time\nfor _ in range(1200):\n try: s = socket.create_connection((sys.argv[1], 7000)); break\n"
                 " except OSError: time.sleep(0.05)\ns.sendall(bytes.fromhex(sys.argv[2]) * 3000)", b.address, MARK.hex())
        assert int(sink.communicate(timeout=60)[0]) == 3000 * len(MARK)
    payloads = sealed(seen)
    assert len(payloads) > 20
    for p in seen:
        assert MARK[:16] not in bytes(p)
        # Nothing goes between the two sides' locators any more.
        assert not (p.haslayer("IPv6") and p["IPv6"].dst.startswith("fd56:6961:")), p.summary()
        assert not p.haslayer("IPv6ExtHdrFragment")
    for p in payloads:
        assert p[:4] == bytes([41, 1, 0, 1 << 2 | 1])  # IPv6 inside, PSP version 1: AES-256-GCM
    # No vector is there twice, whatever the last bit of its SPI says.
    vectors = [(p[4:7], p[7] & 0xfe, p[8:16]) for p in payloads]
    assert len(set(vectors)) == len(vectors)


def test_udp_gso_loses_nothing(nodes):
    """requirement: NEG-11"""
    a, b = nodes
    with udp_sink(b, 6000) as result:
        result.sent = int(a.python(UDP_GSO, b.address, "6000").stdout)
    assert result == {"n": 800, "distinct": 800, "sizes": [1000]}


def through(lab, a, b, act, seconds=3.0):
    """'act' happens while datagrams go both ways at 1,000 a second: how many of each were lost."""
    with udp_sink(b, 6200) as there, udp_sink(a, 6201) as back:
        sources = [udp_source(a, b.address, 6200, rate=1000, seconds=seconds),
                   udp_source(b, a.address, 6201, rate=1000, seconds=seconds)]
        act()
        there.sent, back.sent = sent = [sent_by(s) for s in sources]
    assert [r["n"] - r["distinct"] for r in (there, back)] == [0, 0]
    return [n - r["distinct"] for n, r in zip(sent, (there, back))]


def pairs(lab):
    """Both directions, as the manager chose them."""
    both = json.loads(lab.viaduct("pair", "h1", "h2", "--json", "--lab", lab.name))
    return both["pairs"] if "pairs" in both else both


def epochs(lab):
    return {(p["from"], p["to"]): p["key_epoch"] for p in pairs(lab)}


def settled(lab):
    """No choice is changing: what each sends and what the other takes is one thing again."""
    return all(len(p["accepts"]) == 1 for p in pairs(lab))


def test_rotating_keys_loses_nothing(lab, nodes):
    """requirement: NEG-11 NEG-8"""
    a, b = nodes
    labs.wait_for("nothing to change", lambda: settled(lab))
    before = epochs(lab)

    def rotate():
        for host in (a.host, b.host):
            lab.viaduct("host", "rotate", host, "--lab", lab.name)
        labs.wait_for("new keys", lambda: all(epochs(lab)[k] == before[k] + 1 for k in before))
        labs.wait_for("the old keys to go", lambda: settled(lab))

    assert through(lab, a, b, rotate, seconds=6) == [0, 0]
    # What was sealed is not opened with another's key, and the old key is gone: its epoch is in the SPI.
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address) == 3
    assert {int.from_bytes(p[4:8], "big") >> 1 & 0x7fff for p in sealed(seen)} == set(epochs(lab).values())


def windows(lab, host):
    """The file in which a host's worker keeps what it has taken (seal/windows.h)."""
    return lab.directory / "run" / f"{lab.name}-{host}.seal.windows"


def incarnation(lab, host):
    return struct.unpack_from("=Q", windows(lab, host).read_bytes(), 24)[0]


def derived(lab):
    """The keys of both directions, made as the manager makes them (manager/keyring.h): {(from, to, epoch): key}."""
    ca = (lab.directory / "manager" / "ca.key").read_bytes()
    secret = hmac.new(ca, b"pair keys", hashlib.sha256).digest()
    prk = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    numbers = {name: h["number"] for name, h in lab.hosts().items()}
    keys = {}
    for (one, two), epoch in epochs(lab).items():
        info = b"viaduct pair key" + struct.pack(">IIIIQQ", numbers[one], numbers[two], epoch, 2,
                                                 incarnation(lab, one), incarnation(lab, two))
        keys[one, two, epoch] = hmac.new(prk, info + b"\x01", hashlib.sha256).digest()
    return keys


def test_keys_open_what_is_on_the_wire_and_are_in_no_file(lab, nodes):
    """Another implementation opens it with the keys as they are derived.  requirement: NEG-11"""
    a, b = nodes
    labs.wait_for("nothing to change", lambda: settled(lab))
    keys = derived(lab)
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address, *labs.APART, "-p", MARK[:16].hex()) == 3
    opened = 0
    for p in sealed(seen):
        for key in keys.values():
            try:
                opened += MARK[:8] in AESGCM(key).decrypt(p[4:16], p[16:], p[:16])
            except InvalidTag:
                pass
    assert opened == 6
    files = [f for f in lab.directory.rglob("*") if f.is_file() and not f.name.endswith(".pcap")
             and lab.directory / "bpf" not in f.parents]
    assert len(files) > 8
    for f in files:
        content = f.read_bytes()
        for key in keys.values():
            assert key[:16] not in content and key.hex().encode() not in content, f
    for text in (json.dumps(pairs(lab)), json.dumps(lab.agent(a.host, "peers"))):
        assert not [k for k in keys.values() if k.hex() in text]


def test_sealed_traffic_goes_on_without_agents(lab, nodes):
    """requirement: NEG-11 OPS-3"""
    a, b = nodes
    before = {h: worker(lab, h) for h in (a.host, b.host)}
    assert all(before.values())

    def without_agents():
        for h in before:
            lab.kill(h)
        assert a.ping(b.address, count=20) == 20
        for h in before:
            lab.restart(h)
        lab.connected()

    assert through(lab, a, b, without_agents, seconds=8) == [0, 0]
    # Found again, not started again; and it takes new keys.
    assert {h: worker(lab, h) for h in before} == before
    was = epochs(lab)
    lab.viaduct("host", "rotate", a.host, "--lab", lab.name)
    labs.wait_for("new keys", lambda: epochs(lab)[a.host, b.host] == was[a.host, b.host] + 1)
    labs.wait_for("the old keys to go", lambda: settled(lab))
    assert a.ping(b.address) == 3


def test_a_worker_that_ends_is_started_again_and_repeats_no_vector(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes
    with lab.capture(expression="inbound") as seen:
        for _ in range(3):
            pid = worker(lab, a.host)
            os.kill(pid, signal.SIGKILL)
            labs.wait_for("another worker", lambda: worker(lab, a.host) not in (None, pid))
            labs.wait_for("packets to pass again", lambda: a.ping(b.address, *labs.APART) == 3)
    vectors = [(p[4:7], p[7] & 0xfe, p[8:16]) for p in sealed(seen)]
    assert len(vectors) > 6 and len(set(vectors)) == len(vectors)
    assert not lab.drops_now("REPLAYED")


def test_no_worker_takes_what_the_one_before_it_took(lab, nodes):
    """requirement: NEG-6 NEG-11"""
    a, b = nodes
    there = lab.hosts()[b.host]["v6"]
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address) == 3
    taken = sent_to(seen, there)
    pid = worker(lab, b.host)
    os.kill(pid, signal.SIGKILL)
    labs.wait_for("another worker", lambda: worker(lab, b.host) not in (None, pid))
    labs.wait_for("packets to pass again", lambda: a.ping(b.address, *labs.APART) == 3)
    before = lab.drops_now("REPLAYED", b.host)
    with received(b) as frames:
        for payload in taken:
            from_the_middle(lab, there, payload)
        labs.wait_for("all of them to be counted", lambda: lab.drops("REPLAYED", b.host) >= before + len(taken))
    assert not [f for f in frames if "ICMP" in f and f["IP"].src == a.address]


def start_anew(lab, host, forget):
    """As when its machine is started anew: 'forget' takes what does not outlive that."""
    pid = worker(lab, host)
    lab.kill(host)
    os.kill(pid, signal.SIGKILL)
    labs.wait_for("the worker to end", lambda: worker(lab, host) is None)
    forget()
    lab.restart(host)
    lab.connected()


def forget_file(lab, host):
    windows(lab, host).unlink()


def forget_by_boot(lab, host):
    """The file is on a disk: another start of the kernel is in it."""
    with open(windows(lab, host), "r+b") as file:
        file.seek(32)
        file.write(os.urandom(16))


def forget_vectors(lab, host):
    """What it has used, and not what it has taken."""
    (lab.directory / host / "seal").unlink()


@pytest.mark.parametrize("forget", [forget_file, forget_by_boot, forget_vectors])
def test_nothing_from_before_a_host_starts_anew_is_taken(lab, nodes, forget):
    """Recorded datagrams come again and again, from before its end until after it goes on. requirement: NEG-6 NEG-11"""
    a, b = nodes
    there, mark = lab.hosts()[b.host]["v6"], b"recorded before " + os.urandom(8).hex().encode()
    labs.wait_for("nothing to change", lambda: settled(lab))
    with lab.capture(expression="inbound") as seen:
        sink = b.spawn("/usr/bin/python3", "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                       "s.bind(('', 6300))\nprint('ready', flush=True)\nfor _ in range(5): print(s.recv(2000).hex(), flush=True)")
        assert sink.stdout.readline() == "ready\n"
        # One by one, or several are one packet in the capture.
        a.python("import socket, sys, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                 "for _ in range(5): s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 6300)); time.sleep(0.05)", b.address, mark.hex())
        assert sink.communicate(timeout=60)[0].split() == 5 * [mark.hex()]
    recorded, was, epoch = sent_to(seen, there), incarnation(lab, b.host), epochs(lab)
    assert len([p for p in recorded if len(mark) < len(p) < 2 * len(mark) + 100]) >= 5
    with lab.capture(expression="inbound") as seen, received(b) as frames:
        middle = labs.Place(lab, "router").spawn(
            "/usr/bin/python3", "-c", "import socket, sys, time\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\nwhile True:\n"
            " for p in sys.argv[2:]:\n  try: s.sendto(bytes.fromhex(p), (sys.argv[1], 1000))\n  except OSError: pass\n"
            " time.sleep(0.01)", there, *[p.hex() for p in recorded])
        try:
            start_anew(lab, b.host, lambda: forget(lab, b.host))
            labs.wait_for("packets to pass again", lambda: a.ping(b.address, *labs.APART) == 3 and b.ping(a.address, *labs.APART) == 3)
            labs.wait_for("nothing to change", lambda: settled(lab))
            # The worker that runs has counted from its start.
            labs.wait_for("recorded ones to be counted", lambda: lab.drops("KEY_UNKNOWN", b.host) > 5, seconds=60)
        finally:
            middle.kill()
            middle.wait()
        assert a.ping(b.address, *labs.APART) == 3
    assert not [f for f in frames if mark in bytes(f)]
    assert incarnation(lab, b.host) != was
    assert {k: v + 1 for k, v in epoch.items()} == epochs(lab)
    # Nothing went in the clear, and no vector is there twice but those that were recorded.
    vectors = [(p[4:7], p[7] & 0xfe, p[8:16]) for p in sealed(seen) if p not in recorded]
    assert len(vectors) > 6 and len(set(vectors)) == len(vectors)
    assert not [p for p in seen if p.haslayer("IPv6") and p["IPv6"].dst.startswith("fd56:6961:")]


def sent_to(packets, address):
    """The payloads of the sealed datagrams for a host."""
    found = [bytes(p["UDP"].payload) for p in packets
             if p.haslayer("UDP") and p["UDP"].dport == SEAL_PORT and p["IPv6"].dst == address]
    assert found
    return found


def test_altered_and_replayed_packets_are_dropped_with_their_reason(lab, nodes):
    """requirement: NEG-6 NEG-11"""
    a, b = nodes
    there = lab.hosts()[b.host]["v6"]
    with lab.capture(expression="inbound") as seen:
        assert a.ping(b.address) == 3
    datagram = sent_to(seen, there)[0]
    # Of a vector that has not been there, so that it is not taken for a copy.
    altered = datagram[:8] + b"\x7f" + datagram[9:]
    cases = [(datagram, "REPLAYED"), (altered, "BAD_TAG"), (datagram[:6] + b"\x7f" + datagram[7:], "KEY_UNKNOWN"),
             (datagram[:3] + b"\x01" + datagram[4:], "STATEMENT"), (datagram[:20], "MALFORMED")]
    for payload, reason in cases:
        before = lab.drops_now(reason, b.host)
        from_the_middle(lab, there, payload)
        labs.wait_for(f"{reason} to be counted", lambda: lab.drops(reason, b.host) > before)
    assert a.ping(b.address) == 3


def from_the_middle(lab, address, payload):
    """To a host, by somebody on the substrate who is none."""
    labs.Place(lab, "router").python("import socket, sys\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
                                     "s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 1000))", address, payload.hex())


def siit2(locator, vni, v4):
    """The substrate address of a virtual one (abi/substrate.h)."""
    a = bytearray(ipaddress.IPv6Network(locator).network_address.packed)
    a[9:12], a[12:] = vni.to_bytes(3, "big"), ipaddress.IPv4Address(v4).packed
    words = [a[0] << 8 | a[1], a[2] << 8 | a[3], a[4] << 8 | a[5], a[6] << 8, a[9], a[10] << 8 | a[11]]
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    adjust = ~total & 0xffff
    adjust = 0 if adjust == 0xffff else adjust
    a[7], a[8] = adjust & 0xff, adjust >> 8
    return str(ipaddress.IPv6Address(bytes(a)))


def test_what_is_not_sealed_is_refused(lab, nodes):
    """As the other host would send it if it were not to seal: addresses and format are right.  requirement: NEG-6"""
    a, b = nodes
    known, vni = lab.hosts(), lab.api("networks")[0]["vni"]
    before = lab.drops_now("PLAIN", b.host)
    with received(b) as frames:
        labs.Place(lab, "router").python(
            "import socket, sys\nfrom scapy.layers.inet6 import IPv6\nfrom scapy.packet import Raw\n"
            "s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
            "p = IPv6(src=sys.argv[1], dst=sys.argv[2], nh=1, fl=64 << 11) / Raw(bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0]))\n"
            "for _ in range(3): s.sendto(bytes(p), (sys.argv[2], 0))",
            siit2(known[a.host]["siit2"], vni, a.address), siit2(known[b.host]["siit2"], vni, b.address))
        labs.wait_for("PLAIN to be counted", lambda: lab.drops("PLAIN", b.host) >= before + 3)
    assert not [f for f in frames if "ICMP" in f and f["IP"].src == a.address]


def test_counters_tell_what_was_sealed(lab, nodes):
    """requirement: NEG-11"""
    a, b = nodes

    def counted():
        both = {(p["from"], p["to"]): p for p in pairs(lab)}
        one, two = both[a.host, b.host], both[b.host, a.host]
        return one["sealed_packets"] > 0 and two["opened_packets"] > 0 and one["key_made_at"]

    labs.wait_for("counters", counted)


def test_a_smaller_link_on_the_way_is_found(lab, nodes):
    """What a router says about sealed packets quotes nothing that a node would know: the host learns the path's MTU and
    tells the node itself. The last test here: what was learned stays for minutes. requirement: PKT-9 NEG-11"""
    a, b = nodes
    lab.viaduct("lab", "exec", "--name", lab.name, "router", "--", "ip", "link", "set", "h2", "mtu", "1400")
    # 1,400 less IPv6, UDP, PSP header and tag, and what an IPv4 header becomes inside
    told = str(1400 - 40 - 8 - 16 - 16 - 20)

    def is_told():
        out = a.run("ping", "-M", "do", "-s", "1300", "-c", "1", "-W", "1", b.address, check=False)
        return re.search(f"mtu ?= ?{told}", out.stdout + out.stderr)
    labs.wait_for("the node to be told of the path's MTU", is_told)
    # answers come without DF and so whole, with 20 bytes more
    labs.wait_for("packets of that size", lambda: a.ping(b.address, "-M", "do", "-s", str(int(told) - 20 - 28)) == 3)
    sink = b.spawn("/usr/bin/python3", "-c", "import socket; s = socket.create_server(('', 7001)); c = s.accept()[0]\n"
                   "n = 0\nwhile True:\n d = c.recv(65536)\n if not d: break\n n += len(d)\nprint(n)")
    a.python("import socket, sys, time\nfor _ in range(600):\n try: s = socket.create_connection((sys.argv[1], 7001)); break\n"
             " except OSError: time.sleep(0.1)\ns.sendall(bytes(500000))", b.address)
    assert int(sink.communicate(timeout=60)[0]) == 500000
