# SPDX-License-Identifier: Apache-2.0
"""What a node sees of its network: an ordinary one.

    a 10.0.1.x --- h1 ---+                 +--- h2 --- b 10.0.1.x
    c 10.0.1.x ---/      +--- [ router ] ---+        \\--- d 10.0.2.x, whose router is at 10.0.2.254
                              IPv6, MTU 1500
"""
import json
import re

import pytest

import lab as labs
from packets import sent_by, UDP_GSO, udp_sink, udp_source

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def nodes(lab):
    vpc, (one, two) = lab.subnets("10.0.1.0/24", "10.0.2.0/24")
    lab.viaduct("router", two, "10.0.2.254", "--lab", lab.name)
    a, b = lab.pair(one)
    c = lab.mate(a, one)
    d = lab.mate(b, two)
    return {"a": a, "b": b, "c": c, "d": d, "vpc": vpc, "one": one, "two": two}


def test_ping_across_hosts(nodes):
    """requirement: PKT-2 PKT-1"""
    assert nodes["a"].ping(nodes["b"].address) == 3


def test_ping_on_the_same_host_does_not_touch_the_substrate(lab, nodes):
    """requirement: PKT-5"""
    with lab.capture() as seen:
        assert nodes["a"].ping(nodes["c"].address, count=5) == 5
    organisation = [p for p in seen if p.haslayer("IPv6") and p["IPv6"].dst.startswith("fd56:6961:")]
    assert not organisation


def test_ping_between_subnets_takes_one_from_the_ttl(nodes):
    """requirement: PKT-7"""
    for far, ttl in ((nodes["b"], 64), (nodes["d"], 63)):
        out = nodes["a"].run("ping", "-n", "-c", "1", "-W", "5", far.address).stdout
        assert int(re.search(r"ttl=(\d+)", out).group(1)) == ttl


def test_traceroute_shows_the_logical_router_and_nothing_else(nodes):
    """requirement: PKT-7"""
    out = nodes["a"].run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "5", nodes["d"].address).stdout
    hops = re.findall(r"^\s*\d+\s+(\S+)", out, re.M)
    assert hops == ["10.0.1.1", nodes["d"].address]
    out = nodes["d"].run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "5", nodes["a"].address).stdout
    assert re.findall(r"^\s*\d+\s+(\S+)", out, re.M) == ["10.0.2.254", nodes["a"].address]


def test_router_answers_in_each_subnet(nodes):
    """At its first usable address, or where it was put; nobody is where it is not.  requirement: PKT-7"""
    assert nodes["a"].ping("10.0.1.1") == 3
    assert nodes["d"].ping("10.0.2.254") == 3
    assert nodes["a"].ping("10.0.2.254") == 3
    assert "default via 10.0.2.254" in nodes["d"].run("ip", "route").stdout
    assert nodes["d"].ping("10.0.2.1", "-W", "1", count=1) == 0


def test_arp_answers_with_made_up_macs(nodes):
    """requirement: PKT-1"""
    a, b, c = nodes["a"], nodes["b"], nodes["c"]
    for far in (b, c):
        assert a.ping(far.address, count=1) == 1
        mac = a.neighbour(far.address)
        assert mac and mac != far.mac
        assert int(mac[:2], 16) & 3 == 2, "a locally administered, unicast MAC"
    assert a.neighbour(b.address) != a.neighbour(c.address)


def test_frames_to_macs_that_were_not_handed_out(lab, nodes):
    """Dropped, or carried by their IP address if the network says so; nodes go on running.  requirement: PKT-1"""
    a, far = nodes["a"], [nodes[name].address for name in "bcd"]

    def answered(address):
        return a.ping(address, "-W", "1", count=1) == 1

    def by_hand(*change):
        for address in (*far[:2], "10.0.1.1"):  # d is behind the router
            a.run("ip", "neigh", *change, address, "dev", "eth0")
    by_hand("replace", "lladdr", "02:de:ad:be:ef:01", "nud", "permanent", "to")
    assert not answered(far[0])
    lab.viaduct("unknown-macs", nodes["vpc"], "resolve", "--lab", lab.name)
    labs.wait_for("the frames to be carried", lambda: all(answered(x) for x in far))
    lab.viaduct("unknown-macs", nodes["vpc"], "refuse", "--lab", lab.name)
    labs.wait_for("the frames to be dropped", lambda: not any(answered(x) for x in far))
    by_hand("del", "to")
    assert all(answered(x) for x in far)


def test_an_address_that_nobody_has_gets_no_answer(lab, nodes):
    """Who was refused is counted and in the manager's log.  requirement: PKT-1 MAP-2"""
    a = nodes["a"]
    before = lab.hosts()[a.host]["lookups_refused"]
    assert a.ping("10.0.1.200", "-W", "1", count=1) == 0
    assert a.neighbour("10.0.1.200") is None
    labs.wait_for("the refusal to be counted", lambda: lab.hosts()[a.host]["lookups_refused"] > before)
    labs.wait_for("the log to have it", lambda: any(
        f"asker={a.address}" in line and "address=10.0.1.200" in line
        for line in (lab.directory / "manager.log").read_text().splitlines() if "mapping refused" in line))


@pytest.mark.parametrize("far", ["b", "c", "d"])
def test_tcp_in_bulk(nodes, far):
    """requirement: PKT-2 PKT-5"""
    server = nodes[far].spawn("iperf3", "-s", "-1")
    try:
        labs.wait_for("iperf3", lambda: ":5201 " in nodes[far].run("ss", "-ltn").stdout)
        out = nodes["a"].run("iperf3", "-c", nodes[far].address, "-t", "2", "-J").stdout
    finally:
        server.kill()
        server.wait()
    rate = float(re.search(r'"sum_received":\s*{[^}]*"bits_per_second":\s*([\d.e+]+)', out).group(1))
    assert rate > 100e6, f"{rate / 1e6:.0f} Mb/s"


TCP_SINK = """
import hashlib, socket, sys
s = socket.create_server(("", int(sys.argv[1])))
print("ready", flush=True)
c, _ = s.accept()
h = hashlib.sha256()
while data := c.recv(1 << 20):
    h.update(data)
print(h.hexdigest())
"""
TCP_SOURCE = """
import hashlib, os, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
h = hashlib.sha256()
for _ in range(300):
    data = os.urandom(100001)
    h.update(data)
    s.sendall(data)
print(h.hexdigest())
"""


@pytest.mark.parametrize("far", ["b", "c", "d"])
def test_tcp_carries_bytes_unchanged(nodes, far):
    """requirement: PKT-2 PKT-5"""
    sink = nodes[far].spawn("/usr/bin/python3", "-c", TCP_SINK, "5500")
    assert sink.stdout.readline().strip() == "ready"
    sent = nodes["a"].python(TCP_SOURCE, nodes[far].address, "5500").stdout.strip()
    got, _ = sink.communicate(timeout=60)
    assert got.strip() == sent


def test_gso_packets_stay_whole_on_the_substrate(lab, nodes):
    """requirement: PKT-2"""
    server = nodes["b"].spawn("iperf3", "-s", "-1")
    try:
        labs.wait_for("iperf3", lambda: ":5201 " in nodes["b"].run("ss", "-ltn").stdout)
        with lab.capture(expression="ip6 and len > 3000") as seen:
            nodes["a"].run("iperf3", "-c", nodes["b"].address, "-n", "20M")
    finally:
        server.kill()
        server.wait()
    assert any(p.wirelen > 20000 for p in seen), "no packet above 20 kB: segmentation came before the substrate"


@pytest.mark.parametrize("far", ["b", "c", "d"])
def test_udp_gso_loses_nothing(nodes, far):
    """requirement: PKT-2 PKT-5"""
    assert nodes["a"].ping(nodes[far].address, count=1) == 1
    with udp_sink(nodes[far], 6000) as result:
        result.sent = int(nodes["a"].python(UDP_GSO, nodes[far].address, "6000").stdout)
    assert result == {"n": 800, "distinct": 800, "sizes": [1000]}


@pytest.mark.parametrize("far", ["b", "c", "d"])
def test_the_first_packets_are_late_not_lost(lab, nodes, far):
    """A node that was never spoken to: its mapping has to be asked for.  requirement: MAP-2 MAP-4"""
    subnet = nodes["two"] if far == "d" else nodes["one"]
    fresh = lab.mate(nodes[far], subnet)
    with udp_sink(fresh, 6100) as result:
        sent = result.sent = sent_by(udp_source(nodes["a"], fresh.address, 6100, rate=500, seconds=1))
    # ARP of the sending node queues few packets before it has an answer; that is the node's own limit.
    assert result["n"] == result["distinct"]
    assert sent - result["distinct"] == 0


def test_dhcp_gives_the_mtu_that_fits(nodes):
    """requirement: PKT-8 PKT-9"""
    for name in "abcd":
        assert nodes[name].mtu() == 1460


def test_the_largest_packet_passes_and_one_more_byte_does_not(nodes):
    """requirement: PKT-9"""
    a, b, d = nodes["a"], nodes["b"], nodes["d"]
    for far in (b, d):
        assert a.ping(far.address, "-M", "do", "-s", "1432") == 3
        done = a.run("ping", "-n", "-c", "1", "-W", "1", "-M", "do", "-s", "1433", far.address, check=False)
        assert "too long" in done.stdout + done.stderr
        # Without DF the node fragments; fragments arrive.
        assert a.ping(far.address, "-M", "dont", "-s", "4000") == 3


def test_dns_knows_instances_and_refuses_the_rest(nodes):
    """requirement: PKT-8"""
    a, b = nodes["a"], nodes["b"]
    resolver = re.search(r"nameserver (\S+)", a.run("cat", "/etc/resolv.conf").stdout).group(1)
    name = "ip-" + b.address.replace(".", "-")
    out = a.run("dig", "+short", "+search", "+time=2", "+tries=2", f"@{resolver}",
                f"{name}.ec2.internal").stdout.strip()
    assert out == b.address
    assert "status: REFUSED" in a.run("dig", "+time=2", "+tries=1", f"@{resolver}", "example.org", check=False).stdout
    assert a.run("getent", "hosts", name, check=False).stdout.split()[:1] == [b.address]


def test_the_machines_own_resolver_is_untouched(lab, nodes):
    """requirement: PKT-8"""
    inside = nodes["a"].run("cat", "/etc/resolv.conf").stdout
    assert open("/etc/resolv.conf").read() != inside


def test_a_dhcp_client_of_the_nodes_own_gets_the_same_lease(nodes):
    """requirement: PKT-8"""
    done = nodes["a"].run("busybox", "udhcpc", "-f", "-n", "-q", "-t", "3", "-i", "eth0", "-s", "/bin/true",
                          check=False)
    assert f"lease of {nodes['a'].address} obtained" in done.stdout + done.stderr


def link_local(node):
    """The address that a node makes itself from its MAC (EUI-64)."""
    m = [int(x, 16) for x in node.mac.split(":")]
    return f"fe80::{m[0] ^ 2:x}{m[1]:02x}:{m[2]:x}ff:fe{m[3]:02x}:{m[4]:x}{m[5]:02x}"


@pytest.mark.parametrize("far", ["b", "c"])
def test_ipv6_between_nodes_of_a_subnet(nodes, far):
    """requirement: PKT-1 PKT-3 PKT-5"""
    for name in ("a", far):
        labs.wait_for("duplicate address detection", lambda: "tentative" not in labs.run(
            "ip", "-6", "-n", nodes[name].netns, "addr").stdout)
    address = link_local(nodes[far]) + "%eth0"
    done = nodes["a"].run("ping", "-6", "-n", "-l", "4", "-i", "3", "-c", "4", "-W", "5", address, check=False)
    assert " 4 received" in done.stdout, done.stdout
    large = nodes["a"].run("ping", "-6", "-n", "-l", "2", "-i", "3", "-c", "2", "-W", "5", "-s", "1412", address, check=False)
    assert " 2 received" in large.stdout, large.stdout


def test_ipv6_does_not_leave_its_subnet(nodes):
    """Link-local addresses of another subnet are not found.  requirement: PKT-1"""
    done = nodes["a"].run("ping", "-6", "-n", "-c", "1", "-W", "1", link_local(nodes["d"]) + "%eth0", check=False)
    assert " 0 received" in done.stdout


def test_dhcp_options_reach_the_node(lab, nodes):
    """requirement: PKT-8"""
    node = nodes["a"]
    interface, = lab.ec2.describe_instances(InstanceIds=[node.id])["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
    made = lab.ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name", "Values": ["shop.example"]},
        {"Key": "domain-name-servers", "Values": ["10.0.0.77", "AmazonProvidedDNS"]}])["DhcpOptions"]["DhcpOptionsId"]
    lab.ec2.associate_dhcp_options(DhcpOptionsId=made, VpcId=interface["VpcId"])
    script = lab.directory / "told.sh"
    script.write_text("#!/bin/sh\nexec env\n")
    script.chmod(0o755)

    def asks():
        """What a client of the node's own is told: its script prints what it was given."""
        out = node.run("busybox", "udhcpc", "-f", "-n", "-q", "-t", "3", "-i", "eth0", "-s", script).stdout
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    labs.wait_for("the options", lambda: asks().get("domain") == "shop.example")
    assert asks()["dns"].split()[0] == "10.0.0.77" and len(asks()["dns"].split()) == 2
    lab.ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=interface["VpcId"])
    labs.wait_for("the default", lambda: asks().get("domain") == "ec2.internal")
    lab.ec2.delete_dhcp_options(DhcpOptionsId=made)


def test_nodes_leave_room_for_a_longer_header(lab, nodes):
    """Their devices are in a bridge that asks for it, and that carries nothing itself.  requirement: PKT-2, PKT-4"""
    links = json.loads(lab.host_run("h1", "ip", "-j", "-d", "link").stdout)
    bridge, = (x for x in links if x.get("linkinfo", {}).get("info_kind") == "bridge")
    assert "UP" not in bridge["flags"]
    inside = [x for x in links if x.get("master") == bridge["ifname"]]
    veths = [x for x in links if x.get("linkinfo", {}).get("info_kind") == "veth" and x["ifname"].startswith("vd")]
    assert veths and all(v in inside for v in veths)
    wide, = (x for x in inside if x not in veths)
    assert wide["linkinfo"]["info_kind"] == "vxlan" and "UP" not in wide["flags"]
    assert all(x["linkinfo"]["info_slave_data"]["state"] == "disabled" for x in inside)


def hops(node, address):
    out = node.run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "6", address).stdout
    return re.findall(r"^\s*\d+\s+(\S+)", out, re.M)


def ttl(node, address):
    """Of an answer: what the way back has taken of 64."""
    found = re.search(r"ttl=(\d+)", node.run("ping", "-n", "-c", "1", "-W", "5", address, check=False).stdout)
    return int(found.group(1)) if found else None


def test_a_node_looks_at_what_passes_between_subnets(lab, nodes):
    """requirement: TOPO-1 PKT-13 PKT-10"""
    ec2, a, d = lab.ec2, nodes["a"], nodes["d"]
    three = ec2.create_subnet(VpcId=nodes["vpc"], CidrBlock="10.0.3.0/24")["Subnet"]["SubnetId"]
    box = lab.start(three)
    ec2.modify_instance_attribute(InstanceId=box.id, SourceDestCheck={"Value": False})
    box.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    group, = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [nodes["vpc"]]}])["SecurityGroups"]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}])  # groups are not known behind such a node
    tables = {}
    for name, far in (("one", "10.0.2.0/24"), ("two", "10.0.1.0/24")):
        tables[name] = ec2.create_route_table(VpcId=nodes["vpc"])["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=tables[name], SubnetId=nodes[name])
    assert ttl(a, d.address) == 63

    ec2.create_route(RouteTableId=tables["one"], DestinationCidrBlock="10.0.2.0/24", InstanceId=box.id)
    ec2.create_route(RouteTableId=tables["two"], DestinationCidrBlock="10.0.1.0/24", InstanceId=box.id)
    labs.wait_for("the way through the node", lambda: ttl(a, d.address) == 61)
    labs.wait_for("the way back through the node", lambda: ttl(d, a.address) == 61)
    assert a.ping(d.address) == 3 and a.ping(nodes["b"].address) == 3  # neighbours need no router
    assert hops(a, d.address) == ["10.0.1.1", box.address, "10.0.3.1", d.address]

    # all that is not for the subnet itself; and as it was
    for name in tables:
        ec2.replace_route(RouteTableId=tables[name], DestinationCidrBlock="10.0.0.0/16", InstanceId=box.id)
    ec2.delete_route(RouteTableId=tables["one"], DestinationCidrBlock="10.0.2.0/24")
    assert ttl(a, d.address) == 61
    ec2.delete_route(RouteTableId=tables["two"], DestinationCidrBlock="10.0.1.0/24")
    ec2.replace_route(RouteTableId=tables["two"], DestinationCidrBlock="10.0.0.0/16", LocalTarget=True)
    labs.wait_for("the answers to come straight", lambda: ttl(a, d.address) == 63)
    assert box.address in hops(a, d.address)
    ec2.replace_route(RouteTableId=tables["one"], DestinationCidrBlock="10.0.0.0/16", LocalTarget=True)
    labs.wait_for("the way past the node", lambda: hops(a, d.address) == ["10.0.1.1", d.address])
