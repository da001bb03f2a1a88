# SPDX-License-Identifier: Apache-2.0
"""An edge reports what it can do and gets its choices like any host.

    node --- h1 --- [ router ] --- e1 --- world
"""
import json

import pytest

from conversations import ask, Conversation, reach, server
from edges import Network
from lab import wait_for

LAB = {"hosts": 1, "edges": 1}


@pytest.fixture(scope="module")
def place(lab):
    """A node with a public address, and that address."""
    net = Network(lab)
    net.internet()
    node = net.node(host="h1")
    address = net.publish(node)
    with server(node, port=7000):
        wait_for("the address to work", lambda: ask(lab.world, address))
        yield node, address


def pairs(lab):
    return json.loads(lab.viaduct("pair", "h1", "e1", "--json", "--lab", lab.name))["pairs"]


def policy(lab, tmp_path, effect, *what):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"name": "edge", "effect": effect, "what": what, "match": {"host": "e1"}}))
    return json.loads(lab.viaduct("policy", "create", "--file", str(path), "--json", "--lab", lab.name))["id"]


def all_send(lab, format_):
    return lambda: all(p["send"] == format_ and len(p["accepts"]) <= 1 for p in pairs(lab) if not p["network"])


def test_it_reports_as_hosts_do(lab, place):
    """requirement: NEG-9, NEG-1"""
    said = {c["host"]: c for c in lab.api("capabilities")}
    assert "siit/2" in said["e1"]["formats"] and said["e1"]["formats"] == said["h1"]["formats"]


def test_policies_reach_it_and_connections_from_the_world_live_on(lab, place, tmp_path):
    """requirement: NEG-9, NEG-8"""
    _, address = place
    with Conversation(lab.world, address) as talk:
        for format_ in ("siit/1", "vxlan/1", "siit/2"):
            made = policy(lab, tmp_path, "pin", format_)
            wait_for(f"the edge to use {format_}", all_send(lab, format_), 60)
            assert talk.lives() and reach(lab.world, address)
            assert all(p["policy"] == made for p in pairs(lab) if not p["network"])
            lab.viaduct("policy", "delete", made, "--lab", lab.name)
        wait_for("all to be as before", all_send(lab, "siit/2"), 60)
        assert talk.lives()


def test_without_a_choice_nothing_passes_and_it_is_said(lab, place, tmp_path):
    """requirement: NEG-9, NEG-7"""
    _, address = place
    before = lab.drops_now("NO_FORMAT")
    made = policy(lab, tmp_path, "forbid", "siit", "vxlan", "reip4")
    wait_for("no choice", all_send(lab, "none"), 60)
    assert "edge" in pairs(lab)[0]["reason"]
    wait_for("the hosts to have it", lambda: not ask(lab.world, address))
    wait_for("the drops to be counted", lambda: lab.drops("NO_FORMAT") > before)
    lab.viaduct("policy", "delete", made, "--lab", lab.name)
    wait_for("the address to work again", lambda: ask(lab.world, address), 60)
