# SPDX-License-Identifier: Apache-2.0
"""The command line: every table shows what the API has, and mistakes are answered with what to do.

    viaduct --- 127.0.0.1 --- vd-NAME-manager            h1: node,  h2: node
"""
import json
import os
import re

import pytest
from scapy.layers.inet6 import IPv6

import lab as labs

LAB = {"hosts": 2}
# Columns that must have a value in at least one row.
TABLES = {
    "hosts": ["NAME", "ID", "STATE", "ZONE", "SIIT1", "SIIT2", "V6", "INSTANCES"],
    "networks": ["ID", "VNI", "CIDRS", "MTU", "ACCOUNT"],
    "subnets": ["ID", "NETWORK", "CIDR", "ROUTER", "FREE"],
    "instances": ["ID", "STATE", "HOST", "ADDRESS", "ACCOUNT", "TAGS"],
    "interfaces": ["ID", "STATUS", "ADDRESSES", "MAC", "INSTANCE", "HOST"],
    "mappings": ["NETWORK", "VNI", "ADDRESS", "HOST", "INTERFACE", "REVISION"],
    "capabilities": ["HOST", "FORMATS", "MTU", "KERNEL"],
    "drops": ["HOST", "REASON", "PACKETS"],
}


@pytest.fixture(scope="module")
def nodes(lab):
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "one"}]}]
    a, b = lab.start(subnet, TagSpecifications=tags), lab.start(subnet)
    assert a.ping(b.address) == 3
    a.ping("10.0.1.99", count=1)  # something to be dropped
    labs.wait_for("a drop", lambda: lab.api("drops"))
    return a, b


def rows(text):
    """A printed table as a list of dictionaries."""
    head, *lines = text.splitlines()
    starts = [m.start() for m in re.finditer(r"(?:^|(?<=  ))\S", head)]
    cut = [slice(a, b) for a, b in zip(starts, starts[1:] + [None])]
    return [{head[c].strip(): line[c].strip() for c in cut} for line in lines]


@pytest.mark.parametrize("what", TABLES)
def test_tables_have_what_the_api_has(lab, nodes, what):
    """requirement: OPS-1"""
    found = {}

    def agree():
        """Both are asked one after the other, and a drop may come between the two."""
        found["table"] = rows(lab.viaduct(what, "--lab", lab.name))
        return len(found["table"]) == len(lab.api(what)) > 0

    labs.wait_for(f"the table of {what} to have what the API has", agree)
    table = found["table"]
    for column in TABLES[what]:
        assert any(row[column] not in ("", "-") for row in table), f"{what}: {column} is empty in all rows"


def test_status(lab, nodes):
    """requirement: OPS-1"""
    text = lab.viaduct("status", "--lab", lab.name)
    assert "store state: ok" in text and "hosts connected: 2" in text and "instances: 2" in text
    assert ": -" not in text.replace("store error: -", "")
    assert lab.status()["counts"]["interfaces"] == 2


def test_mappings_of_one_network(lab, nodes):
    """requirement: MAP-1 OPS-1"""
    network = lab.api("networks")[0]["id"]
    found = lab.api("mappings", "--network", network)
    assert {m["address"] for m in found} >= {n.address for n in nodes}
    wrong = labs.run(labs.VIADUCT, "mappings", "--network", "vpc-00000000000000000", "--json", "--lab", lab.name,
                     check=False)
    assert wrong.returncode == 1 and "There is no network" in wrong.stderr


@pytest.mark.parametrize("what, option, field", [
    ("instances", "host", "host"), ("instances", "state", "state"), ("instances", "subnet", "subnet"),
    ("instances", "network", "network"), ("interfaces", "network", "network"), ("interfaces", "subnet", "subnet"),
    ("interfaces", "host", "hosts"), ("interfaces", "instance", "instances"), ("mappings", "host", "hosts"),
    ("subnets", "network", "network"), ("drops", "host", "host"), ("drops", "interface", "interface"),
    ("traffic", "host", "host"),
])
def test_lists_are_cut_down(lab, nodes, what, option, field):
    """requirement: OPS-1"""
    def values(row):
        return row[field] if isinstance(row[field], list) else [row[field]]
    labs.wait_for("something to show", lambda: any(v for row in lab.api(what) for v in values(row)))
    value = next(v for row in lab.api(what) for v in values(row) if v)
    assert all(value in values(row) for row in lab.api(what, f"--{option}", value))
    assert lab.api(what, f"--{option}={value}")
    nothing = labs.run(labs.VIADUCT, what, f"--{option}", "no such", "--lab", lab.name, check=False)
    assert nothing.returncode == 1 and "no such" in nothing.stderr


def test_pair_tells_both_directions_and_why(lab, nodes):
    """requirement: NEG-2 OPS-1"""
    table = rows(lab.viaduct("pair", "h1", "h2", "--lab", lab.name))
    assert {(r["FROM"], r["TO"]) for r in table} == {("h1", "h2"), ("h2", "h1")}
    assert all("siit/2" in r["REASON"] for r in table)
    assert {(r["SENDS"], r["COMPANIONS"]) for r in table} == {("siit/2", "ipip6/1")}


def test_pair_tells_whose_choice_it_is_and_by_which_key(lab, nodes, tmp_path):
    """requirement: NEG-4 NEG-11 OPS-1"""
    a, b = nodes
    path = tmp_path / "policy"
    path.write_text(json.dumps({"name": "sealed", "effect": "require", "what": ["crypt"],
                                "match": {"interfaces": [a.interface, b.interface]}}))
    lab.viaduct("policy", "create", "--file", path, "--lab", lab.name)
    try:
        def told():
            return rows(lab.viaduct("pair", a.host, b.host, "--lab", lab.name))

        def sealed():
            found = [r for r in told() if r["INTERFACE"] != "-"]
            return len(found) == 2 and all(r["FEATURES"].startswith("crypt") and r["KEY"] != "-" for r in found) and found

        whose = {(a.host, "-", "-"), (a.host, a.interface, b.interface), (b.host, "-", "-"), (b.host, b.interface, a.interface)}
        labs.wait_for("a choice for both", lambda: {(r["FROM"], r["INTERFACE"], r["PEER INTERFACE"]) for r in told()} == whose)
        for r in labs.wait_for("both to seal", sealed):
            assert int(r["KEY"]) > 0 and re.match(r"20..-..-..T", r["KEY MADE"])
    finally:
        lab.viaduct("policy", "delete", "sealed", "--lab", lab.name)


@pytest.mark.parametrize("argv, said", [
    (["nonsense"], "no command"),
    (["hosts", "--colour"], "--colour"),
    (["hsot", "add", "x"], 'is it "host"?'),
    (["instances", "--stat", "running"], "is it --state?"),
    (["host", "remove", "h99"], "viaduct hosts"),
    (["host", "drain", "h99"], "viaduct hosts"),
    (["pair", "h1", "h99"], "viaduct hosts"),
    (["capabilities", "--probe", "h99"], "viaduct hosts"),
    (["host", "add"], "NAME"),
    (["account", "key", "list", "abc"], "12 digits"),
    (["account", "key", "delete", "123456789012", "NOSUCHKEY"], "NOSUCHKEY"),
    (["account", "pay-for", "payer", "123456789012"], "12 digits"),
    (["account", "pay-for", "123456789012", "444444444444"], "444444444444"),
    (["decode", "2001:db8::1", "10.0.0.1"], "10.0.0.1"),
    (["lab", "exec", "nobody", "--", "true"], "viaduct instances"),
    (["lab", "restart", "h99"], "h99"),
    (["lab", "up", "--name", "Not-A-Name"], "lower case"),
    (["lab", "up", "--name", "q", "--substrate", "ipx"], "ipv4 or ipv6"),
    (["lab", "up", "--name", "q", "--formats", "h9=siit/2"], "no such host"),
])
def test_mistakes_are_told(lab, argv, said):
    """requirement: OPS-1"""
    done = labs.run(labs.VIADUCT, *argv, check=False, env={**os.environ, **lab.env})
    assert done.returncode in (1, 2)
    assert said in done.stderr and done.stderr.startswith("viaduct: ")
    for_a_script = labs.run(labs.VIADUCT, "--json", *argv, check=False, env={**os.environ, **lab.env})
    assert for_a_script.returncode in (1, 2) and not for_a_script.stdout
    error = json.loads(for_a_script.stderr)["error"]
    assert error["code"] and (said in error["message"] or "exec" in argv)


def test_an_agent_says_what_the_manager_was_told(lab, nodes):
    """requirement: NEG-1 OPS-1"""
    told = {h["host"]: h for h in lab.api("capabilities")}
    for said in json.loads(lab.viaduct("agent", "capabilities", "--json", "--lab", lab.name))["capabilities"]:
        for field in "formats", "features", "required_features", "substrate_mtu", "kernel":
            assert said[field] == told[said["agent"]][field] and (said[field] or field == "required_features")


@pytest.mark.parametrize("argv, key", [
    (["lab", "list"], "labs"),
    (["lab", "env"], "VIADUCT_ENDPOINT"),
    (["lab", "restart", "h2"], None),
    (["account", "list"], "accounts"),
    (["account", "key", "list", "123456789012"], "keys"),
    (["account", "billing", "123456789012"], "billing"),
    (["pool", "list"], "pools"),
    (["policy", "list"], "policies"),
    (["place", "--dry-run", "--account", "123456789012"], "placement"),
    (["settings"], "settings"),
    (["host", "probe", "h1"], None),
    (["host", "drain", "h1"], "host"),
    (["host", "drain", "h1", "--off"], "host"),
    (["host", "add", "later", "--v6", "fd00::77"], "bundle"),
    (["host", "remove", "later"], None),
    (["agent", "peers", "h1"], "peers"),
])
def test_what_is_done_is_said_in_json(lab, argv, key):
    """Also where there is nothing to say, and where people read a text.  requirement: OPS-1"""
    done = labs.run(labs.VIADUCT, *argv, "--json", env={**os.environ, **lab.env})
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict) and not done.stderr
    assert key is None or key in answer


@pytest.mark.parametrize("argv", [
    ["hosts", "--colour"],
    ["host", "add"],
    ["host", "add", "x", "--v6", "2001:db8::1", "--rack", "left"],
    ["host", "add", "x", "--v6", "2001:db8::1", "--label", "fast"],
    ["account", "key", "list", "abc"],
    ["account", "limit", "123456789012", "--rules-per-group", "many"],
    ["policy", "create"],
    ["interface", "place", "eni-00000000000000000"],
    ["place", "--max-cost", "much"],
    ["lab", "up", "--name", "q", "--hosts", "0"],
    ["lab", "restart", "router"],
])
def test_a_wrong_command_line_has_a_status_of_its_own(lab, argv):
    """requirement: OPS-1"""
    assert labs.run(labs.VIADUCT, *argv, check=False, env={**os.environ, **lab.env}).returncode == 2


def test_a_file_that_is_not_there_is_named_once(lab):
    done = labs.run(labs.VIADUCT, "policy", "create", "--file", "/nonexistent", check=False, env={**os.environ, **lab.env})
    assert done.returncode == 1 and done.stderr.count("/nonexistent") == 1 and "schema" not in done.stderr


def test_a_policy_is_tried_before_it_is_made_changed_or_deleted(lab, tmp_path):
    """requirement: NEG-3 OPS-1"""
    def policy(*argv):
        return labs.run(labs.VIADUCT, "policy", *argv, env={**os.environ, **lab.env})

    def listed():
        return json.loads(policy("list", "--json").stdout)["policies"]
    tunnel, cut = tmp_path / "tunnel", tmp_path / "cut"
    tunnel.write_text('{"name": "tunnel", "effect": "pin", "what": ["vxlan"]}')
    cut.write_text('{"name": "tunnel", "effect": "pin", "what": ["reip4"]}')
    dry = policy("create", "--file", tunnel, "--dry-run").stdout
    assert re.search(r"^h1 +h2 .* siit/2 .* vxlan/1 ", dry, re.M) and dry == policy("check", "--file", tunnel).stdout
    assert not listed()
    policy("create", "--file", tunnel)
    before = listed()
    try:
        tried = policy("replace", "tunnel", "--file", cut, "--dry-run")
        assert re.search(r"^h1 +h2 .* none .* no format in common", tried.stdout, re.M) and "warning" in tried.stderr
        assert re.search(r"^h1 +h2 .* vxlan/1 .* siit/2 ", policy("delete", "tunnel", "--dry-run").stdout, re.M)
        assert [(p["id"], p["what"]) for p in listed()] == [(before[0]["id"], ["vxlan"])]
    finally:
        assert json.loads(policy("delete", "tunnel", "--json").stdout) == {} and not listed()


def test_what_is_missing_is_shown_with_the_whole_command():
    """requirement: OPS-1"""
    done = labs.run(labs.VIADUCT, "host", "add", check=False)
    assert "usage: viaduct host add [OPTION]... NAME" in done.stderr


def test_help_of_every_command():
    """requirement: OPS-1"""
    def walk(words):
        out = labs.run(labs.VIADUCT, *words, "--help").stdout
        assert out.startswith(f"{words[-1] if words else 'viaduct'}: ")
        assert "Usage: " not in out or f"\nUsage: viaduct {' '.join(words)}" in out
        commands = out.split("Commands (each with --help):\n")
        for line in commands[1].split("\n\n")[0].splitlines() if len(commands) > 1 else []:
            yield from walk(words + [line.split()[0]])
        yield words
    assert len(list(walk([]))) > 25


def test_what_ec2_does_not_have_of_an_interface_is_set(lab, nodes):
    """requirement: NIC-1 OPS-1"""
    eni = lab.ec2.create_network_interface(SubnetId=nodes[0].interfaces[0]["SubnetId"])
    eni = eni["NetworkInterface"]["NetworkInterfaceId"]
    lab.viaduct("account", "create", "payer", "--id", "333333333333", "--lab", lab.name)

    def put(*argv):
        record = json.loads(lab.viaduct("interface", "set", eni, *argv, "--json", "--lab", lab.name))["interface"]
        return {k: v for k, v in record.items() if k != "revision"}

    def pays_for(*argv):
        text = lab.viaduct("account", "pay-for", "333333333333", labs.ACCOUNT, *argv, "--lab", lab.name)
        return f"pays for: {labs.ACCOUNT}" in text.splitlines()

    assert pays_for() and "payers: 333333333333" in lab.viaduct("account", "billing", labs.ACCOUNT, "--lab", lab.name)
    assert not pays_for("--off")
    before = put("--vlan", "0")
    record = put("--condition", "in-repair", "--vlan", "12", "--dns-server", "10.0.1.53", "--billing-account",
                 "333333333333", "--attachers", "333333333333,123456789012", "--setters", "333333333333", "--routes",
                 "192.0.2.0/24=10.0.1.9,198.51.100.0/24")
    expected = {"condition": "in-repair", "vlan": 12, "dns_server": "10.0.1.53",
                "billing_account": "333333333333", "detachers": [], "setters": ["333333333333"], "modifiers": [],
                "routes": [{"prefix": "192.0.2.0/24", "via": "10.0.1.9"}, {"prefix": "198.51.100.0/24", "via": None}]}
    assert {k: record[k] for k in expected} == expected
    assert set(record["attachers"]) == {"333333333333", "123456789012"}
    assert put("--condition", "disabled") == {**record, "condition": "disabled"}
    assert put("--condition", "normal", "--vlan", "0", "--dns-server", "none", "--billing-account", "none",
               "--attachers", "none", "--setters", "none", "--routes", "none") == before
    text = lab.viaduct("interface", "set", eni, "--modifiers", "333333333333", "--lab", lab.name)
    assert "modifiers: 333333333333" in text and "vlan: 0" in text
    for argv, status in ([], 2), (["--vlan", "many"], 2), (["--vlan", "4095"], 1), (["--attachers", "1,2"], 1), \
            (["--condition", "broken"], 1), (["--dns-server", "ten"], 1), (["--routes", "nowhere"], 1):
        done = labs.run(labs.VIADUCT, "interface", "set", eni, *argv, "--lab", lab.name, check=False)
        assert done.returncode == status and done.stderr.startswith("viaduct: ")
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_decode_reads_addresses_of_the_substrate(lab, nodes):
    """requirement: MAP-5"""
    a, b = nodes
    with lab.capture(expression="ip6 proto 1 and dst net fd56:6961::/32") as seen:
        assert a.ping(b.address, count=1) == 1
    packet = seen[0][IPv6]
    table = rows(lab.viaduct("decode", packet.src, packet.dst))
    assert [r["VIRTUAL ADDRESS"] for r in table] == [a.address, b.address]
    assert {r["VNI"] for r in table} == {str(lab.api("networks")[0]["vni"])}
    assert {r["LAYOUT"] for r in table} == {"siit/2"}


def test_a_host_that_is_gone_for_good_is_removed_with_its_nodes(lab, nodes):
    """requirement: OPS-1"""
    refused = labs.run(labs.VIADUCT, "host", "remove", "h2", check=False, env={**os.environ, **lab.env})
    assert refused.returncode == 1 and "viaduct host remove --force" in refused.stderr
    lab.viaduct("host", "remove", "h2", "--force", "--lab", lab.name)
    assert "h2" not in lab.hosts()
    assert {i["state"] for i in lab.api("instances") if i["host"] != "h1"} <= {"terminated"}
