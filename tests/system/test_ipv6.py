# SPDX-License-Identifier: Apache-2.0
"""A dual-stack network: two subnets with an IPv6 block each, nodes on both hosts.

    one (10.0.1.0/24, ...::/64)    a --- h1 ---- [ router ] ---- h2 --- b
    two (10.0.2.0/24, ...1::/64)   c --- h1                      h2 --- d
"""
import ipaddress
import json
import re
import socket
import subprocess

import pytest
from botocore.exceptions import ClientError
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_RA, IPv6
from scapy.layers.l2 import Ether

import lab as labs
from packets import received, send_frames

LAB = {"hosts": 2}

# Sends a DHCPv6 message from the client's port and prints what comes back, in hex.
DHCP_CLIENT = r"""
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
index = socket.if_nametoindex("eth0")
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::", 546))
s.settimeout(60)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
s.sendto(bytes.fromhex(sys.argv[1]), ("ff02::1:2", 547, 0, index))
data, who = s.recvfrom(2000)
print(data.hex(), who[0])
"""


def dual_stack(lab, ec2=None):
    """(vpc, [(subnet, its IPv6 block)])"""
    ec2 = ec2 or lab.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = ipaddress.IPv6Network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    subnets = []
    for n, six in zip((1, 2), block.subnets(new_prefix=64)):
        made = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"10.0.{n}.0/24", Ipv6CidrBlock=str(six),
                                 AvailabilityZone=f"{labs.REGION}a")["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=made, AssignIpv6AddressOnCreation={"Value": True})
        subnets.append((made, six))
    return vpc["VpcId"], subnets


def addresses6(node, scope="global"):
    out = labs.run("ip", "-n", node.netns, "-6", "-j", "addr", "show", "dev", "eth0").stdout
    return [a["local"] for link in json.loads(out) for a in link.get("addr_info", []) if a.get("scope") == scope]


def address6(node):
    return node.interfaces[0]["Ipv6Addresses"][0]["Ipv6Address"]


def default_route(node):
    routes = json.loads(labs.run("ip", "-n", node.netns, "-6", "-j", "route", "show", "default").stdout or "[]")
    return routes[0] if routes else None


def ready6(node):
    labs.wait_for("the IPv6 address", lambda: address6(node) in addresses6(node))
    labs.wait_for("the router's advertisement", lambda: default_route(node))
    labs.wait_for("its kernel to use what it made up", lambda: not labs.run(
        "ip", "-n", node.netns, "-6", "addr", "show", "dev", "eth0", "tentative").stdout)
    return node


@pytest.fixture(scope="module")
def world(lab):
    vpc, ((one, block1), (two, block2)) = dual_stack(lab)
    a, b = lab.pair(one)
    c, d = lab.mate(a, two), lab.mate(b, two)
    near = lab.mate(a, one)
    for node in (a, b, c, d, near):
        ready6(node)
    return {"vpc": vpc, "one": one, "two": two, "block1": block1, "block2": block2,
            "a": a, "b": b, "c": c, "d": d, "near": near}


def router_of(world):
    return default_route(world["a"])["gateway"]


def test_a_node_configures_itself(world):
    """requirement: PKT-1 PKT-9"""
    a = world["a"]
    assert ipaddress.IPv6Address(address6(a)) in world["block1"]
    route = default_route(a)
    assert route["protocol"] == "ra" and route["gateway"].startswith("fe80::")
    routes = json.loads(labs.run("ip", "-n", a.netns, "-6", "-j", "route", "show").stdout)
    on_link = next(r for r in routes if r["dst"] == str(world["block1"]))
    assert on_link["dev"] == "eth0" and "gateway" not in on_link
    # no address that nobody assigned
    assert addresses6(a) == [address6(a)]
    mtu = labs.run("ip", "netns", "exec", a.netns, "sysctl", "-n", "net.ipv6.conf.eth0.mtu").stdout
    assert int(mtu) == a.mtu()


@pytest.mark.parametrize("sender, receiver, hops", [
    ("a", "b", 0), ("a", "near", 0), ("a", "c", 1), ("a", "d", 1), ("d", "a", 1), ("c", "b", 1)])
def test_every_way(world, sender, receiver, hops):
    """requirement: PKT-1 PKT-3"""
    node, target = world[sender], address6(world[receiver])
    done = node.run("ping", "-6", "-n", "-l", "5", "-i", "3", "-c", "5", "-W", "5", target)
    assert "5 received" in done.stdout
    assert set(re.findall(r"ttl=(\d+)", done.stdout)) == {str(64 - hops)}


def test_neighbours_have_made_up_macs(world):
    """requirement: PKT-1"""
    a, b = world["a"], world["b"]
    a.run("ping", "-6", "-n", "-c", "1", "-W", "5", address6(b))
    assert a.neighbour(address6(b)) not in (None, b.mac)
    link_local, = addresses6(b, scope="link")
    done = a.run("ping", "-6", "-n", "-c", "2", "-W", "2", f"{link_local}%eth0")
    assert "2 received" in done.stdout


def test_the_router_answers_and_is_seen_on_the_way(world):
    """requirement: PKT-1"""
    a, router = world["a"], router_of(world)
    done = a.run("ping", "-6", "-n", "-c", "2", "-W", "2", f"{router}%eth0")
    assert "2 received" in done.stdout
    done = a.run("ping", "-6", "-n", "-c", "1", "-W", "2", "-t", "1", address6(world["d"]), check=False)
    assert "Time exceeded" in done.stdout and router in done.stdout
    # a UDP port that the router has not
    done = a.python("import socket, sys\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
                    "s.connect((sys.argv[1], 9, 0, socket.if_nametoindex('eth0')))\ns.settimeout(5)\ns.send(b'x')\n"
                    "try:\n    s.recv(1)\nexcept ConnectionRefusedError:\n    print('refused')\n", router)
    assert done.stdout.strip() == "refused"


def test_names_have_addresses_of_both_families(world):
    """requirement: PKT-8"""
    a, b = world["a"], world["b"]
    resolver = re.search(r"nameserver (\S+)", a.run("cat", "/etc/resolv.conf").stdout).group(1)

    def dig(kind, name):
        return a.run("dig", "+short", "+time=2", "+tries=2", f"@{resolver}", name, kind).stdout.split()

    for name in (f"{b.id}.ec2.internal", "ip-" + b.address.replace(".", "-") + ".ec2.internal"):
        assert dig("AAAA", name) == [address6(b)] and dig("A", name) == [b.address]
    assert dig("AAAA", f"{a.id}.ec2.internal") == [address6(a)]
    assert a.run("getent", "ahosts", f"{b.id}.ec2.internal").stdout.split()[0] in (b.address, address6(b))


@pytest.mark.parametrize("receiver", ["b", "c", "d"])
def test_tcp(world, receiver):
    """requirement: PKT-3"""
    a, b = world["a"], world[receiver]
    server = b.spawn("iperf3", "-6", "-s", "-1")
    labs.wait_for("iperf3", lambda: ":5201 " in b.run("ss", "-6", "-ltn").stdout)
    out = json.loads(a.run("iperf3", "-6", "-J", "-c", address6(b), "-n", "30M", timeout=60).stdout)
    server.wait(60)
    assert out["end"]["sum_sent"]["bytes"] >= 30 << 20


def test_dhcp_as_a_node_sees_it(world):
    """requirement: PKT-1 PKT-8"""
    a = world["a"]
    client = "0001" "000a" "00030001" + a.mac.replace(":", "")
    ia = "0003" "000c" "00000001" "00000000" "00000000"
    reply, who = a.python(DHCP_CLIENT, "01aabbcc" + client + "000e0000" + ia).stdout.split()
    assert who.split("%")[0] == router_of(world)
    assert reply.startswith("07aabbcc")
    assert socket.inet_pton(socket.AF_INET6, address6(a)).hex() in reply
    assert (140).to_bytes(4, "big").hex() + (450).to_bytes(4, "big").hex() in reply
    advertised = a.python(DHCP_CLIENT, "01aabbcd" + client + ia).stdout.split()[0]
    assert advertised.startswith("02aabbcd")
    server = re.search(r"0002000a(00030001[0-9a-f]{12})", advertised).group(1)
    renewed = a.python(DHCP_CLIENT, "05aabbce" + client + "0002000a" + server + ia).stdout.split()[0]
    assert renewed.startswith("07aabbce") and socket.inet_pton(socket.AF_INET6, address6(a)).hex() in renewed
    told = a.python(DHCP_CLIENT, "0baabbcf" "00060004" "00170018").stdout.split()[0]
    assert told.startswith("07aabbcf") and b"\x03ec2\x08internal\x00".hex() in told


def test_a_real_dhcp_client(world, tmp_path):
    """ISC's dhclient gets what the record has.  requirement: PKT-8"""
    a = world["a"]
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\n[ "$new_ip6_address" ] && echo "told $reason $new_ip6_address $new_ip6_prefixlen '
                      '$new_dhcp6_domain_search $new_max_life" >&2\nexit 0\n')
    script.chmod(0o755)
    with a.spawn("dhclient", "-6", "-1", "-d", "-sf", script, "-lf", tmp_path / "leases", "-pf", tmp_path / "pid",
                 "-cf", "/dev/null", "eth0") as client:
        try:
            told = next(line for line in client.stdout if line.startswith("told BOUND6"))
        finally:
            client.terminate()
    assert told.split()[2] == address6(a) and told.split()[-1] == "450"


def test_addresses_come_and_go(lab, world):
    """requirement: PKT-1 NIC-3"""
    a, b = world["a"], world["b"]
    nic = a.interfaces[0]["NetworkInterfaceId"]
    more, = lab.ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=1)["AssignedIpv6Addresses"]
    labs.wait_for("the new address", lambda: more in addresses6(a))
    assert b.ping(more, "-6") == 3
    lab.ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6Addresses=[more])
    labs.wait_for("the address to go", lambda: more not in addresses6(a))
    assert address6(a) in addresses6(a)
    assert b.ping(more, "-6", count=2) == 0
    # and then another's
    lab.ec2.assign_ipv6_addresses(NetworkInterfaceId=b.interfaces[0]["NetworkInterfaceId"], Ipv6Addresses=[more])
    labs.wait_for("the address at its new place", lambda: more in addresses6(b))
    assert labs.wait_for("it to answer", lambda: a.ping(more, "-6", count=1))


# Who serves an address: says its name to each client, and then what the client says.
NAMED_SERVER = r"""
import socket, sys, threading
s = socket.create_server(("::", 7200), family=socket.AF_INET6)
def serve(c):
    c.sendall(sys.argv[1].encode())
    while data := c.recv(100):
        c.sendall(data)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
ASK_NAME = r"""
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], 7200), timeout=2).recv(10).decode())
except OSError:
    print("nobody")
"""
# A connection over which a number goes there and back all the time, until there is input.
TALK = r"""
import select, socket, sys
s = socket.create_connection((sys.argv[1], 7200), timeout=60)
name, n = s.recv(10), 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    text, n = b"%08d" % n, n + 1
    s.sendall(text)
    got = b""
    while len(got) < 8:
        got += s.recv(8 - len(got)) or exit("closed")
    if got != text:
        exit("wrong")
print("talked", flush=True)
"""


def test_an_address_moves_under_traffic(lab, world):
    """From one node to another and, given by an operator, back: one of them serves it at any time, and a connection to the
    first one's own address does not notice.  requirement: NIC-3 PKT-1"""
    a, b, d = world["a"], world["b"], world["d"]
    nic = {n.id: n.interfaces[0]["NetworkInterfaceId"] for n in (a, b)}
    moving = str(world["block1"][0x7777])
    servers = [n.spawn("/usr/bin/python3", "-c", NAMED_SERVER, name) for n, name in ((a, "a"), (b, "b"))]
    for s in servers:
        assert s.stdout.readline().strip() == "ready"
    talk = d.spawn("/usr/bin/python3", "-c", TALK, address6(a), stdin=subprocess.PIPE)

    def who():
        return d.python(ASK_NAME, moving).stdout.strip()

    try:
        assert talk.stdout.readline().strip() == "ready"
        lab.ec2.assign_ipv6_addresses(NetworkInterfaceId=nic[a.id], Ipv6Addresses=[moving])
        labs.wait_for("the first one to serve", lambda: who() == "a")
        lab.ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic[a.id], Ipv6Addresses=[moving])
        assert who() == "nobody"
        lab.ec2.assign_ipv6_addresses(NetworkInterfaceId=nic[b.id], Ipv6Addresses=[moving])
        labs.wait_for("the second one to serve", lambda: who() == "b")
        lab.operate("PUT", f"/v1/subnets/{world['one']}/addresses/{moving}", {"instance": a.id})
        labs.wait_for("the first one again", lambda: who() == "a")
        labs.wait_for("the second one to be without", lambda: moving not in addresses6(b))
        out, _ = talk.communicate("\n", timeout=90)
        assert out.strip() == "talked"
    finally:
        for process in [talk, *servers]:
            process.kill()
    lab.ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic[a.id], Ipv6Addresses=[moving])


def test_a_block_for_a_running_network(lab):
    """IPv6 comes to a network, its subnet and its nodes while they run.  requirement: PKT-1"""
    ec2 = lab.ec2
    vpc, (subnet,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(subnet)
    assert default_route(a) is None
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)["Ipv6CidrBlockAssociation"]
    block = next(ipaddress.IPv6Network(made["Ipv6CidrBlock"]).subnets(new_prefix=64))
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=str(block))
    for node in (a, b):
        nic = node.interfaces[0]["NetworkInterfaceId"]
        ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6AddressCount=1)
        shown, = ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
        node.interfaces = [shown]
        ready6(node)
    assert a.ping(address6(b), "-6") == 3
    with pytest.raises(ClientError, match="InvalidCidrBlock.InUse"):
        ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])


@pytest.fixture
def narrow(lab, world):
    """The router's link to b's host carries 1400 bytes."""
    host = world["b"].host
    labs.run("ip", "-n", f"vd-{lab.name}-router", "link", "set", host, "mtu", "1400")
    yield
    labs.run("ip", "-n", f"vd-{lab.name}-router", "link", "set", host, "mtu", "1500")


def test_the_path_may_be_smaller_than_known(world, narrow):
    """requirement: PKT-9"""
    a, b = world["a"], world["b"]
    a.run("ip", "-6", "route", "flush", "cache")
    done = a.run("ping", "-6", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-M", "do", "-s", "1400", address6(b),
                 check=False)
    told = re.search(r"mtu ?= ?(\d+)", done.stdout + done.stderr)
    assert told and int(told.group(1)) == 1360, done.stdout + done.stderr
    server = b.spawn("iperf3", "-6", "-s", "-1")
    labs.wait_for("iperf3", lambda: ":5201 " in b.run("ss", "-6", "-ltn").stdout)
    assert "receiver" in a.run("iperf3", "-6", "-c", address6(b), "-n", "10M", timeout=60).stdout
    server.wait(60)


def test_what_does_not_fit_is_said(world):
    """requirement: PKT-9"""
    a, b = world["a"], world["b"]
    most = a.mtu() - 48
    for node in (a, b):  # what an earlier test has taught them
        node.run("ip", "-6", "route", "flush", "cache")
    assert a.ping(address6(b), "-6", "-M", "do", "-s", str(most)) == 3
    done = a.run("ping", "-6", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", str(most + 1), address6(b), check=False)
    assert f"mtu: {a.mtu()}" in done.stdout + done.stderr or "too long" in done.stdout + done.stderr
    # in fragments it arrives all the same
    assert a.ping(address6(b), "-6", "-s", "4000") == 3


def test_networks_are_apart(lab, world):
    """requirement: PKT-4 PKT-5"""
    _, other = lab.account("green")
    _, ((one, _), _) = dual_stack(lab, ec2=other)
    stranger = ready6(lab.start(one, ec2=other))
    a, b = world["a"], world["b"]
    assert stranger.ping(address6(b), "-6", count=2) == 0
    assert a.ping(address6(stranger), "-6", count=2) == 0
    # as another of its own network, and as the router
    router = router_of(world)
    a.ping(address6(b), "-6", count=1)
    mac = a.neighbour(address6(b))
    frames = [Ether(src=a.mac, dst=mac) / IPv6(src=address6(world["near"]), dst=address6(b)) /
              ICMPv6EchoRequest(data=b"spoof"),
              Ether(src=a.mac, dst=mac) / IPv6(src=router, dst=address6(b)) / ICMPv6EchoRequest(data=b"spoof"),
              Ether(src=a.mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::bad", dst="ff02::1", hlim=255) /
              ICMPv6ND_RA(routerlifetime=9000)]
    with received(b) as at_b, received(world["near"]) as at_near:
        send_frames(a, frames)
        assert a.ping(address6(b), "-6", count=1) == 1
    assert not [f for f in at_b + at_near if b"spoof" in bytes(f) or ICMPv6ND_RA in f]
    for reason in ("ROUTER_GUARD", "SOURCE_ADDR"):
        labs.wait_for("the drops to be counted", lambda: lab.drops(reason=reason, host=a.host) > 0)
