# SPDX-License-Identifier: Apache-2.0
"""Policies flip what hosts use between them, for pairs, networks, interfaces and directions, and packets follow.

    a --- h1 ---+
                |  [ router ]      all formats on all hosts
    b --- h2 ---+
"""
import json

import pytest

import lab as labs

LAB = {"hosts": 2}


@pytest.fixture(scope="module")
def nodes(lab):
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    found = {}
    for _ in range(6):
        node = lab.start(subnet)
        found.setdefault(node.host, node)
        if len(found) == 2:
            break
    return found["h1"], found["h2"]


@pytest.fixture(autouse=True)
def none_left(lab):
    yield
    for p in json.loads(lab.viaduct("policy", "list", "--json", "--lab", lab.name))["policies"]:
        lab.viaduct("policy", "delete", p["id"], "--lab", lab.name)


@pytest.fixture
def policy(lab, tmp_path):
    """Makes one; '.check' only tries."""
    def make(name, effect, *what, command="create", notify="both", **match):
        path = tmp_path / (name + ".json")
        path.write_text(json.dumps({"name": name, "effect": effect, "what": what, "match": match, "notify": notify}))
        done = labs.run(labs.VIADUCT, "policy", command, "--file", str(path), "--json", "--lab", lab.name)
        make.warned = done.stderr
        return json.loads(done.stdout)
    return make


def pair(lab, one="h1", other="h2"):
    return json.loads(lab.viaduct("pair", one, other, "--json", "--lab", lab.name))["pairs"]


def sends(lab, from_, network=None, interface=None):
    """What 'from_' is told to send to the other host, in the narrowest class there is."""
    entries = [p for p in pair(lab) if p["from"] == from_]
    for p in entries:
        if interface and p["interface"] == interface:
            return p["send"]
    for p in entries:
        if network and p["network"] == network and not p["interface"]:
            return p["send"]
    return [p["send"] for p in entries if not p["network"]][0]


def settled(lab, from_, format_, **kind):
    labs.wait_for(f"{from_} to send {format_}", lambda: sends(lab, from_, **kind) == format_, seconds=60)


def test_a_network_without_siit_2(lab, nodes, policy):
    """requirement: NEG-3, NEG-4"""
    a, b = nodes
    network = lab.api("networks")[0]["id"]
    assert a.ping(b.address) == 3
    tried = policy("old", "forbid", "siit/2", command="check", network=network)
    assert {(c["from"], c["before"]["send"], c["after"]["send"]) for c in tried["changes"]} == {
        ("h1", "siit/2", "siit/1"), ("h2", "siit/2", "siit/1")}
    assert sends(lab, "h1", network=network) == "siit/2"
    made = policy("old", "forbid", "siit/2", network=network)
    for h in ("h1", "h2"):
        settled(lab, h, "siit/1", network=network)
    labs.wait_for("the policy to be effective", lambda: "effective" in lab.viaduct(
        "policy", "list", "--lab", lab.name), seconds=60)
    assert lab.viaduct("policy", "progress", "--lab", lab.name) == (
        "effective: applied to 2 of 2 directions between hosts\n")
    decided = [p for p in pair(lab) if p["network"] == network]
    assert decided and all(p["policy"] == made["id"] and "old" in p["reason"] for p in decided)
    assert sends(lab, "h1") == "siit/2"  # the hosts' own choice is as it was
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3


def test_a_pin_for_two_interfaces_in_one_direction(lab, nodes, policy):
    """requirement: NEG-3, NEG-4"""
    a, b = nodes
    interfaces = {i["addresses"][0]: i["id"] for i in lab.api("interfaces")}
    one, other = interfaces[a.address], interfaces[b.address]
    policy("tunnel", "pin", "vxlan", interfaces=[one, other], direction="out")
    settled(lab, "h1", "vxlan/1", interface=one)
    assert sends(lab, "h2", interface=other) == "siit/2"
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3


def test_no_choice_is_an_error_that_names_the_policy(lab, nodes, policy):
    """requirement: NEG-7, NEG-3"""
    a, b = nodes
    policy("only-two", "pin", "siit/2")
    assert policy.warned == ""
    policy("no-two", "forbid", "siit/2")
    assert "warning: Nothing is sent" in policy.warned and "for example from h" in policy.warned
    for h in ("h1", "h2"):
        settled(lab, h, "none")
    text = lab.viaduct("pair", "h1", "h2", "--lab", lab.name)
    assert "no format in common" in text and "only-two" in text and "no-two" in text
    labs.wait_for("the hosts to have it", lambda: a.ping(b.address, count=1) == 0)
    before = lab.drops_now(host="h1")
    assert a.ping(b.address, count=2) == 0
    labs.wait_for("the drops to be counted", lambda: lab.drops(host="h1") > before)



def test_only_the_source_is_told(lab, nodes, policy):
    """requirement: NEG-5"""
    a, b = nodes
    policy("quiet", "prefer", "siit/1", notify="source", host="h1", direction="out")
    policy("never", "forbid", "vxlan")
    settled(lab, "h1", "siit/1")
    there, = [p for p in pair(lab) if p["from"] == "h2" and not p["network"]]
    assert there["inferred"]  # what it takes is whatever policies permit
    labs.wait_for("what is permitted to be all", lambda: {"siit/1", "siit/2"} <= set(
        [p for p in pair(lab) if p["from"] == "h2"][0]["accept"]), seconds=60)
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3
    labs.wait_for("what is forbidden not to be", lambda: "vxlan/1" not in
                  [p for p in pair(lab) if p["from"] == "h2"][0]["accept"], seconds=60)
    # what a change made it take beside that is over
    labs.wait_for("all to have settled", lambda: lab.viaduct("policy", "progress", "--lab", lab.name).startswith(
        "effective"), seconds=60)
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3


def test_a_network_is_sealed_and_the_rest_is_not(lab, nodes, policy):
    """requirement: NEG-3, NEG-4"""
    a, b = nodes
    network = lab.api("networks")[0]["id"]
    policy("seal", "require", "crypt", network=network)

    def sealed():
        return {p["from"] for p in pair(lab) if p["network"] == network and p["send_features"] == ["crypt/2"]}

    labs.wait_for("the network to be sealed", lambda: sealed() == {"h1", "h2"}, seconds=60)
    assert all(p["send_features"] == [] for p in pair(lab) if not p["network"])
    labs.wait_for("packets to pass", lambda: a.ping(b.address, count=1) == 1)
    assert a.ping(b.address) == 3 and b.ping(a.address) == 3
