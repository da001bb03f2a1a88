# SPDX-License-Identifier: Apache-2.0
"""The paths that bench/dataplane compares, each between two nodes 'a' and 'b' in namespaces:

    bare      a ------------------------- b
    routing   a --- h1 ----substrate----- h2 --- b      IPv4 forwarding
    vxlan     a --- h1 [bridge, vxlan] -- h2 --- b      the kernel's, over IPv4
    Viaduct   a --- h1 [agent] ---------- h2 [agent] -- b

The substrate is one veth between the hosts, MTU SUBSTRATE_MTU; every node's MTU is INNER_MTU.
"""
import os
import subprocess
import time

INNER_MTU = 1400
SUBSTRATE_MTU = 1500
WAIT_SECONDS = 60
PREFIX = f"vdb{os.getpid()}"


def sh(*argv, **kw):
    """Runs a command; its output, or an exception that shows what it said."""
    done = subprocess.run(argv, capture_output=True, text=True, **kw)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait_for(what, condition, seconds=WAIT_SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise RuntimeError(f"waited {seconds} s in vain for {what}")


class Namespaces:
    """Makes network namespaces and removes them, whatever happens."""

    def __init__(self):
        self.names = []

    def make(self, name):
        full = f"{PREFIX}-{name}"
        sh("ip", "netns", "add", full)
        self.names.append(full)
        sh("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def path(ns):
    return f"/run/netns/{ns}"


def veth(ns1, if1, ns2, if2, mtu):
    sh("ip", "link", "add", if1, "netns", ns1, "mtu", str(mtu), "type", "veth",
       "peer", "name", if2, "netns", ns2, "mtu", str(mtu))
    for ns, dev in ((ns1, if1), (ns2, if2)):
        sh("ip", "-n", ns, "link", "set", dev, "up")


def address(ns, dev, text):
    extra = ["nodad"] if ":" in text else []
    sh("ip", "-n", ns, "addr", "add", text, "dev", dev, *extra)


def forward(ns):
    """Makes a namespace forward; /proc/sys/net is the reader's own namespace."""
    sh("nsenter", f"--net={path(ns)}", "sh", "-c",
       "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")


def offloads(ns, dev, on):
    state = "on" if on else "off"
    sh("nsenter", f"--net={path(ns)}", "ethtool", "-K", dev, "tso", state, "gso", state,
       "tx-udp-segmentation", state)


class Path:
    """One way from node 'a' to node 'b': what traffic(1) has to know, and where a's interface is."""

    def __init__(self, name, from_ns, to_ns, to_address, dev="eth0", no_df=False):
        self.name, self.from_ns, self.to_ns = name, from_ns, to_ns
        self.to_address, self.dev, self.no_df = to_address, dev, no_df

    def set_offload(self, on):
        for ns in (self.from_ns, self.to_ns):
            offloads(ns, self.dev, on)


def bare(nss):
    a, b = nss.make("bare-a"), nss.make("bare-b")
    veth(a, "eth0", b, "eth0", INNER_MTU)
    address(a, "eth0", "10.0.1.1/24")
    address(b, "eth0", "10.0.1.2/24")
    return Path("bare", a, b, "10.0.1.2")


def two_hosts(nss, name):
    """a - h1 - h2 - b, linked, without addresses."""
    a, h1, h2, b = (nss.make(f"{name}-{n}") for n in ("a", "h1", "h2", "b"))
    veth(a, "eth0", h1, "node", INNER_MTU)
    veth(h1, "sub0", h2, "sub0", SUBSTRATE_MTU)
    veth(b, "eth0", h2, "node", INNER_MTU)
    return a, h1, h2, b


def routing(nss):
    a, h1, h2, b = two_hosts(nss, "route")
    for node, host, net, far, hop in ((a, h1, 1, 2, 2), (b, h2, 2, 1, 1)):
        address(node, "eth0", f"10.0.{net}.2/24")
        address(host, "node", f"10.0.{net}.1/24")
        address(host, "sub0", f"192.168.0.{net}/24")
        sh("ip", "-n", node, "route", "add", "default", "via", f"10.0.{net}.1")
        sh("ip", "-n", host, "route", "add", f"10.0.{far}.0/24", "via", f"192.168.0.{hop}")
        forward(host)
    return Path("routing", a, b, "10.0.2.2")


def vxlan(nss):
    a, h1, h2, b = two_hosts(nss, "vxlan")
    for node, host, own, far in ((a, h1, 1, 2), (b, h2, 2, 1)):
        address(node, "eth0", f"10.0.1.{own}/24")
        address(host, "sub0", f"192.168.0.{own}/24")
        sh("ip", "-n", host, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", host, "link", "add", "vx0", "type", "vxlan", "id", "77", "dstport", "4789",
           "local", f"192.168.0.{own}", "remote", f"192.168.0.{far}", "dev", "sub0")
        for dev in ("vx0", "node"):
            sh("ip", "-n", host, "link", "set", dev, "master", "br0")
            sh("ip", "-n", host, "link", "set", dev, "up")
        sh("ip", "-n", host, "link", "set", "br0", "up")
    return Path("kernel-vxlan", a, b, "10.0.1.2")
