# SPDX-License-Identifier: Apache-2.0
"""Daemons are killed while packets flow and calls are made.

    a, c --- h1 --- [ router ] --- h2 --- b          the manager on a link of its own
"""
import json
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import lab as labs
from packets import Stream

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def nodes(lab):
    vpc, (subnet,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(subnet)
    c = lab.mate(a, subnet)
    assert a.ping(b.address) == 3 and a.ping(c.address) == 3
    return {"a": a, "b": b, "c": c, "subnet": subnet, "vpc": vpc}


@pytest.mark.parametrize("victim", ["a", "b"])
def test_killing_an_agent_loses_no_packet(lab, nodes, victim):
    """Both agents in turn, at either end of the flows, killed and started again.  requirement: OPS-3"""
    a, b, c, host = nodes["a"], nodes["b"], nodes["c"], nodes[victim].host
    with Stream(a, b.address, {"": b}, port=7000, rate=2000) as across, \
            Stream(a, c.address, {"": c}, port=7001, rate=2000) as near:
        def more(n):
            before = [s.count("") for s in (across, near)]
            labs.wait_for("more to come", lambda: all(s.count("") > was + n for s, was in zip((across, near), before)))

        more(2000)
        lab.kill(host)
        more(2000)
        lab.restart(host)
        lab.connected()
        more(4000)
        for stream in (across, near):
            sent = stream.sent()
            labs.wait_for("the last to arrive", lambda s=stream, n=sent: s.arrivals("")[-1][0] >= n - 1)
            numbers = sorted(number for number, *_ in stream.arrivals(""))
            assert numbers[:sent] == list(range(sent)), "lost, or duplicates"


def test_a_connection_outlives_the_agents_and_the_manager(lab, nodes):
    """requirement: OPS-3"""
    a, b = nodes["a"], nodes["b"]
    server = b.spawn("iperf3", "-s", "-1")
    labs.wait_for("iperf3", lambda: ":5201 " in b.run("ss", "-ltn").stdout)
    client = a.spawn("iperf3", "-c", b.address, "-t", "8", "-i", "1")
    for what in ("h1", "h2", "manager"):
        time.sleep(1)
        lab.kill(what)
    time.sleep(1)
    for what in ("manager", "h1", "h2"):
        lab.restart(what)
    out, _ = client.communicate(timeout=60)
    server.wait(60)
    assert client.returncode == 0, out
    assert "0.00 bits/sec" not in out, out
    lab.connected()


def test_new_traffic_works_after_an_adoption(lab, nodes):
    """What a restarted agent adopted is whole: old and new nodes reach each other.  requirement: OPS-3"""
    for host in ("h1", "h2"):
        lab.kill(host)
        lab.restart(host)
    lab.connected()
    fresh = lab.start(nodes["subnet"])
    for name in "abc":
        assert fresh.ping(nodes[name].address) == 3
        assert nodes[name].ping(fresh.address) == 3


def assert_agents_answer(lab, nodes):
    """What the command line can say without a manager: all that the hosts know."""
    def rows(what, *argv):
        return json.loads(lab.viaduct("agent", what, *argv, "--json", "--lab", lab.name))[what]

    assert {r["agent"] for r in rows("status")} == {"h1", "h2"}
    assert all(r["manager"]["state"] != "connected" for r in rows("status"))
    a, b = nodes["a"], nodes["b"]
    host = {r["id"]: r["agent"] for r in rows("instances")}
    for what, key, value in (("mappings", "addr", b.address), ("ports", "instance", a.id), ("instances", "id", a.id),
                             ("peers", "name", host[b.id])):
        assert any(r[key] == value for r in rows(what, host[a.id])), what
    assert {r["agent"]: "siit/2" in r["formats"] for r in rows("capabilities")} == {"h1": True, "h2": True}
    assert a.ping("10.0.1.250", count=1) == 0
    labs.wait_for("the drop", lambda: any(r["interface"] == a.interface and r["packets"] for r in rows("drops", host[a.id])))
    assert b.address in lab.viaduct("agent", "mappings", "--lab", lab.name)
    unknown = labs.run(labs.VIADUCT, "agent", "drops", "h9", "--lab", lab.name, check=False)
    assert unknown.returncode == 1 and '"h9"' in unknown.stderr


def test_without_a_manager_known_traffic_goes_on(lab, nodes):
    """requirement: OPS-3"""
    lab.kill("manager")
    try:
        assert nodes["a"].ping(nodes["b"].address, count=10) == 10
        assert nodes["a"].ping(nodes["c"].address, count=10) == 10
        done = labs.run(labs.VIADUCT, "status", "--lab", lab.name, check=False)
        assert done.returncode == 1 and "viaductd" in done.stderr and "viaduct agent" in done.stderr
        assert_agents_answer(lab, nodes)
    finally:
        lab.restart("manager")
    lab.connected()
    assert nodes["a"].ping(nodes["b"].address) == 3


def test_without_a_manager_new_pairs_of_a_preloaded_network_find_each_other(lab):
    """Nodes that have never talked.  requirement: MAP-7 OPS-3"""
    vpc, (subnet,) = lab.subnets("10.8.1.0/24", vpc_cidr="10.8.0.0/16")
    lab.viaduct("preload", vpc, "--lab", lab.name)
    a, b = lab.pair(subnet)

    def holds(host, address):
        return any(m["addr"] == address and m["state"] == "live" for m in lab.agent(host, "mappings") or [])
    labs.wait_for("both hosts to hold the other's mapping",
                  lambda: holds(a.host, b.address) and holds(b.host, a.address))
    lab.kill("manager")
    try:
        assert a.ping(b.address) == 3
        assert b.ping(a.address) == 3
    finally:
        lab.restart("manager")
    lab.connected()
    assert a.ping(b.address) == 3


def test_the_manager_killed_at_any_moment_forgets_nothing_acknowledged(lab, nodes):
    """requirement: MAP-1 OPS-3"""
    acknowledged, stop = [], threading.Event()
    _, (subnet,) = lab.subnets("10.0.0.0/20")  # of its own: a fast manager fills a small one

    def create(thread):
        ec2 = lab.client(labs.KEY, labs.SECRET)
        n = 0
        while not stop.is_set():
            n += 1
            tag = f"t{thread}-{n}"
            try:
                eni = ec2.create_network_interface(SubnetId=subnet, Description=tag)["NetworkInterface"]
            except (BotoCoreError, ClientError):
                time.sleep(0.02)
                continue
            acknowledged.append((eni["NetworkInterfaceId"], eni["PrivateIpAddress"], tag))
            if n % 3 == 0:
                try:
                    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
                    acknowledged.append((eni["NetworkInterfaceId"], None, None))
                except (BotoCoreError, ClientError):
                    acknowledged.append((eni["NetworkInterfaceId"], "unknown", None))

    threads = [threading.Thread(target=create, args=(t,)) for t in range(4)]
    for t in threads:
        t.start()
    generator = random.Random(1)
    for _ in range(6):
        time.sleep(generator.uniform(0.1, 0.6))
        lab.kill("manager")
        lab.restart("manager")
    stop.set()
    for t in threads:
        t.join()
    expected = {}
    for eni, address, tag in acknowledged:
        expected[eni] = (address, tag)
    assert len(expected) > 12
    found = {e["NetworkInterfaceId"]: (e["PrivateIpAddress"], e["Description"])
             for page in lab.ec2.get_paginator("describe_network_interfaces").paginate()
             for e in page["NetworkInterfaces"]
             if e["SubnetId"] == subnet}
    for eni, (address, tag) in expected.items():
        if address is None:
            assert eni not in found, f"{eni} was deleted and is back"
        elif address != "unknown":
            assert found.get(eni) == (address, tag), f"{eni} was acknowledged and is lost"
    addresses = [a for a, _ in found.values()]
    assert len(addresses) == len(set(addresses)), "an address was given twice"
    lab.connected()
    assert nodes["a"].ping(nodes["b"].address) == 3


def test_an_agent_that_was_away_learns_what_it_missed(lab, nodes):
    """requirement: MAP-3 OPS-3"""
    fresh = lab.start(nodes["subnet"])
    witness = nodes["a"] if fresh.host != nodes["a"].host else nodes["b"]
    assert witness.ping(fresh.address) == 3
    lab.kill(witness.host)
    lab.ec2.terminate_instances(InstanceIds=[fresh.id])
    lab.restart(witness.host)
    lab.connected()
    labs.wait_for("the address to be forgotten", lambda: witness.ping(fresh.address, count=1) == 0)


def end_of(netns, device):
    """What an end of the wire has: its addresses and routes, as ip(8) takes them."""
    def shown(*what):
        return labs.run("ip", "-n", netns, "-6", "-o", *what, "dev", device).stdout.splitlines()
    return ([line.split()[3] for line in shown("addr", "show", "scope", "global")],
            [line.split("proto")[0].split() for line in shown("route", "show", "proto", "static")])


def set_up_end(netns, device, addresses, routes):
    labs.run("ip", "-n", netns, "link", "set", device, "up")
    for address in addresses:
        labs.run("ip", "-n", netns, "addr", "add", address, "dev", device, "nodad")
    for route in routes:
        labs.run("ip", "-n", netns, "-6", "route", "add", *route, "dev", device)


def test_a_substrate_device_that_is_made_again(lab, nodes):
    """As a host's network manager does with a bond or a VLAN.  requirement: NEG-1 OPS-3"""
    a, b = nodes["a"], nodes["b"]
    host = a.host
    inside, router = f"vd-{lab.name}-{host}", f"vd-{lab.name}-router"
    ends = [(netns, device, *end_of(netns, device)) for netns, device in ((inside, "sub0"), (router, host))]
    pid = lab.pid(host)
    labs.run("ip", "-n", inside, "link", "delete", "sub0")
    labs.wait_for("the agent to say so", lambda: "sub0 is gone" in lab.agent(host, "status")["problem"])
    table = lab.viaduct("agent", "status", host, "--lab", lab.name)
    assert "PROBLEM" in table and "sub0 is gone" in table
    assert a.ping(nodes["c"].address) == 3  # on the same host nothing is amiss
    labs.run("ip", "link", "add", "sub0", "netns", inside, "type", "veth", "peer", "name", host, "netns", router)
    for end in ends:
        set_up_end(*end)
    labs.wait_for("packets to flow again", lambda: a.ping(b.address, count=1) == 1 and b.ping(a.address, count=1) == 1)
    labs.wait_for("the agent to be content", lambda: lab.agent(host, "status")["problem"] == "")
    assert lab.pid(host) == pid
    lab.connected()


def test_a_host_that_has_not_the_address_it_was_added_with(lab, nodes):
    """Mistyped, or given to another interface since.  It is said, and not taken for the end of all traffic: the host can
    still reach others and, by the routes to its locators, be reached.  requirement: NEG-1 OPS-3"""
    a, b = nodes["a"], nodes["b"]
    netns, own = f"vd-{lab.name}-{a.host}", lab.hosts()[a.host]["v6"]
    other = own.rsplit(":", 1)[0] + ":7"

    def problem():
        return {c["host"]: c["error"] for c in lab.api("capabilities")}[a.host]

    assert problem() is None
    labs.run("ip", "-n", netns, "address", "add", f"{other}/64", "dev", "sub0", "nodad")
    labs.run("ip", "-n", netns, "address", "delete", f"{own}/64", "dev", "sub0")
    labs.wait_for("the manager to hear of it", lambda: own in (problem() or ""))
    assert own in lab.viaduct("hosts", "--lab", lab.name)
    lab.viaduct("place", "--dry-run", "--host", a.host, "--subnet", nodes["subnet"], "--lab", lab.name)
    labs.run("ip", "-n", netns, "address", "add", f"{own}/64", "dev", "sub0", "nodad")
    labs.run("ip", "-n", netns, "address", "delete", f"{other}/64", "dev", "sub0")
    labs.wait_for("nothing to be amiss", lambda: problem() is None)
    labs.wait_for("packets to flow", lambda: a.ping(b.address, count=1) == 1)
    lab.connected()


def sign(bundle, state, folder, days):
    """A certificate for the bundle's key that ends sooner than the manager makes them."""
    files = {name: folder / name for name in ("key", "request", "extensions", "certificate")}
    files["key"].write_text(bundle["key"])
    files["extensions"].write_text("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n")
    labs.run("openssl", "req", "-new", "-key", files["key"], "-subj", "/CN=" + bundle["host"]["id"], "-out", files["request"])
    labs.run("openssl", "x509", "-req", "-in", files["request"], "-CA", state / "ca.crt", "-CAkey", state / "ca.key",
             "-days", days, "-extfile", files["extensions"], "-out", files["certificate"])
    return files["certificate"].read_text()


def test_a_certificate_that_ends_soon_is_renewed(lab, nodes, tmp_path):
    """The agent comes with one of 30 days, is given one of a year, and comes back with that.  requirement: OPS-3"""
    path = lab.directory / "h1" / "bundle.json"
    bundle = json.loads(path.read_text())
    bundle["certificate"] = sign(bundle, lab.directory / "manager", tmp_path, 30)
    lab.kill("h1")
    path.write_text(json.dumps(bundle))
    lab.restart("h1")
    labs.wait_for("the new certificate",
                  lambda: json.loads(path.read_text())["certificate"] != bundle["certificate"])
    renewed = json.loads(path.read_text())
    assert renewed["key"] != bundle["key"] and renewed["host"] == bundle["host"]
    (tmp_path / "renewed").write_text(renewed["certificate"])
    labs.run("openssl", "x509", "-in", tmp_path / "renewed", "-noout", "-checkend", 360 * 86400)
    lab.kill("h1")
    lab.restart("h1")
    lab.connected()
    assert nodes["a"].ping(nodes["b"].address) == 3
    assert json.loads(path.read_text()) == renewed


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "state"
    place.mkdir()
    labs.run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place)
    yield place
    labs.run("umount", "-l", place)


def test_a_full_disk_refuses_writes_serves_reads_and_recovers(small_disk):
    """requirement: OPS-3 MAP-1"""
    lab = labs.Lab(name=labs.free_name("f"), hosts=1, manager_state=small_disk / "manager")
    try:
        vpc, (subnet,) = lab.subnets("10.0.0.0/20")
        filler = small_disk / "filler"
        with open(filler, "wb", buffering=0) as f:
            with pytest.raises(OSError):
                while True:
                    f.write(bytes(4096))
        made, error = [], None
        for _ in range(2000):
            try:
                made.append(lab.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"])
            except ClientError as e:
                error = e
                break
        assert error is not None, "the disk is full and writes went on"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert error.response["Error"]["Code"] in ("Unavailable", "ServiceUnavailable", "InternalError")
        # Reads go on, and show what was acknowledged and not what was refused.
        shown = {e["NetworkInterfaceId"] for p in lab.ec2.get_paginator("describe_network_interfaces").paginate()
                 for e in p["NetworkInterfaces"]}
        assert set(made) == shown
        status = lab.status()
        assert status["store"]["state"] == "broken" and status["store"]["error"]
        filler.unlink()
        fresh = labs.wait_for("writes to work again", lambda: _created(lab, subnet))
        assert lab.status()["store"]["state"] == "ok"
        lab.kill("manager")
        lab.restart("manager")
        shown = {e["NetworkInterfaceId"] for p in lab.ec2.get_paginator("describe_network_interfaces").paginate()
                 for e in p["NetworkInterfaces"]}
        assert shown == {*made, fresh}
    finally:
        lab.down()


def _created(lab, subnet):
    try:
        return lab.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    except ClientError:
        return None
