# SPDX-License-Identifier: Apache-2.0
"""Our re-headed packets beside those of another translator (Debian's tayga) for the same packets and addresses:
everything but hop limit and flow label must be the same.

    a --- h1 --- [ router: capture ] --- h2 --- b         ours
    [ namespace: tun "nat64" of tayga: capture ]          the other, with the addresses seen in ours mapped
"""
import os
import subprocess

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import rdpcap

import lab as labs
from packets import frame, send_frames

PAYLOAD = bytes(range(200))


def packets(source, target):
    def ip(**kw):
        return IP(src=source, dst=target, flags="DF", id=0, ttl=64, **kw)

    return [
        ip() / UDP(sport=1001, dport=53) / PAYLOAD,
        ip(tos=0xb8) / UDP(sport=1002, dport=53) / PAYLOAD[:1],
        ip() / UDP(sport=1003, dport=53),
        ip() / TCP(sport=1004, dport=80, flags="S", seq=1, options=[("MSS", 1400), ("SAckOK", b""), ("WScale", 7)]),
        ip(tos=1) / TCP(sport=1005, dport=80, flags="PA", seq=5, ack=9) / PAYLOAD,
        ip() / TCP(sport=1006, dport=80, flags="FA", seq=5, ack=9),
    ]


def fields(p):
    """All of an IPv6 packet but hop limit and flow label, as bytes."""
    copy = p[IPv6].copy()
    raw = bytearray(bytes(copy)[:40 + copy.plen])
    raw[1] &= 0xf0
    raw[2:4] = b"\0\0"
    raw[7] = 0
    return bytes(raw)


@pytest.fixture(scope="module", params=["siit/2", "siit/1"])
def ours(request):
    """Packets as the substrate carries them: {(source port): IPv6 packet}, and the address pair."""
    lab = labs.Lab(hosts=2, formats=[f"{request.param},ipip6/1"])
    try:
        _, (subnet,) = lab.subnets("10.0.1.0/24")
        a, b = lab.pair(subnet)
        assert a.ping(b.address) == 3
        rows = packets(a.address, b.address)
        with lab.capture(device=a.host, expression="ip6") as seen:
            send_frames(a, [frame(a, b.address, p) for p in rows])
        wire = [p[IPv6] for p in seen if IPv6 in p and p[IPv6].dst.startswith("fd56:6961:") and (TCP in p or UDP in p)]
        wire = [p for p in wire if p.sport in {r.sport for r in rows}]  # without b's answers
        assert len(wire) == len(rows)
        yield a.address, b.address, rows, {p.sport: p for p in wire}
    finally:
        lab.down()


@pytest.fixture
def tayga(ours, tmp_path):
    """A namespace in which tayga maps just the two addresses; gives a function that translates packets."""
    source, target, _, wire = ours
    any_packet = next(iter(wire.values()))
    name = f"vdtayga{os.getpid()}"
    config = tmp_path / "tayga.conf"
    config.write_text(f"tun-device nat64\nipv4-addr 192.0.2.1\nipv6-addr 2001:db8::1\ndata-dir {tmp_path}\n"
                      f"map {source} {any_packet.src}\nmap {target} {any_packet.dst}\n")

    def inside(*argv, **kw):
        return labs.run("ip", "netns", "exec", name, *argv, **kw)

    labs.run("ip", "netns", "add", name)
    daemon = dump = None
    try:
        inside("tayga", "-c", config, "--mktun")
        inside("ip", "link", "set", "lo", "up")
        inside("ip", "link", "set", "nat64", "up")
        inside("ip", "-4", "route", "add", f"{target}/32", "dev", "nat64")
        inside("ip", "-4", "addr", "add", f"{source}/32", "dev", "lo")
        inside("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1")
        daemon = subprocess.Popen(["ip", "netns", "exec", name, "tayga", "-c", str(config), "-d"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        labs.wait_for("tayga", lambda: "LOWER_UP" in inside("ip", "link", "show", "nat64").stdout)

        def translate(rows):
            nonlocal dump
            capture = tmp_path / "tayga.pcap"
            dump = subprocess.Popen(["ip", "netns", "exec", name, "tcpdump", "-i", "nat64", "-U", "--immediate-mode",
                                     "-w", str(capture), "ip6"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    text=True)
            while "listening" not in dump.stderr.readline():
                pass
            script = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
                      "for l in sys.stdin: s.sendto(bytes.fromhex(l), (sys.argv[1], 0))")
            inside("/usr/bin/python3", "-c", script, target, input="\n".join(bytes(p).hex() for p in rows))

            def enough():
                return capture.exists() and capture.stat().st_size > 24 and \
                    len([p for p in rdpcap(str(capture)) if TCP in p or UDP in p]) >= len(rows)

            labs.wait_for("tayga's packets", enough)
            return {p.sport: p for p in (q[IPv6] for q in rdpcap(str(capture)) if TCP in q or UDP in q)}

        yield translate
    finally:
        for process in (dump, daemon):
            if process:
                process.kill()
                process.wait()
        labs.run("ip", "netns", "del", name)


def test_we_translate_as_tayga_does(ours, tayga):
    """requirement: PKT-2"""
    _, _, rows, wire = ours
    theirs = tayga(rows)
    assert set(theirs) == set(wire) == {p.sport for p in rows}
    for port in sorted(wire):
        assert fields(wire[port]) == fields(theirs[port]), f"port {port}"
