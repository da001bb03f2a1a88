# SPDX-License-Identifier: Apache-2.0
"""Policies for negotiation over HTTP: what may be said and by whom, and what a dry run promises.

requirement: NEG-3
"""
import json
import pathlib
import random
import urllib.error
import urllib.request

import pytest

from test_operator import call, check, resolve, template_of  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[3]


def policy(name, effect, *what, match=None, **more):
    return {"name": name, "effect": effect, "what": list(what), "match": {} if match is None else match, **more}


@pytest.fixture(autouse=True)
def none_left(call):
    yield
    for p in call("GET", "/v1/policies")["policies"]:
        call("DELETE", "/v1/policies/" + p["id"])


def pairs(call):
    return {(p["from"], p["to"]): (p["send"], tuple(p["send_features"]), p["policy"])
            for p in call("GET", "/v1/pairs")["pairs"]}


def test_life(call):
    made = call("POST", "/v1/policies", policy("one", "forbid", "siit/2", match={"direction": "out"}), expect=201)
    p = made["policy"]
    assert p["id"].startswith("np-") and p["account"] is None and p["match"] == {"direction": "out"}
    assert call("GET", "/v1/policies/one")["policy"] == p
    assert [q["id"] for q in call("GET", "/v1/policies")["policies"]] == [p["id"]]
    again = call("PUT", "/v1/policies/" + p["id"], policy("two", "require", "rate", rate={"mbit": 5}))["policy"]
    assert again["id"] == p["id"] and again["rate"] == {"mbit": 5, "burst_kib": 256}
    assert call("DELETE", "/v1/policies/two") == {}
    call("GET", "/v1/policies/two", expect=404)
    schema = call("GET", "/v1/policies/schema")
    assert schema == json.loads((ROOT / "docs/policy.schema.json").read_text())


@pytest.mark.parametrize("body", [
    {}, {"name": "p", "effect": "forbid"}, policy("p", "allow", "siit"), policy("p", "forbid", "siit/9"),
    policy("p", "forbid", 7), policy("p", "forbid", "siit", match={"hots": "h1"}),
    policy("p", "forbid", "siit", match=[]), policy("p", "forbid", "siit", match={"peer": 3}),
    policy("p", "forbid", "siit", match={"interfaces": ["eni-1"]}),
    policy("p", "forbid", "siit", match={"host_label": {"a": 1}}),
    policy("p", "require", "rate", rate=3), policy("p", "require", "rate", rate={"mbit": "3"}),
    policy("p", "require", "rate", rate={"mbps": 3}), policy("P", "forbid", "siit"),
    policy("p", "forbid", "siit", notify="none"), policy("p", "forbid", "siit", surprise=1),
])
def test_what_is_refused_says_why(call, body):
    answer = call("POST", "/v1/policies", body, expect=400)
    assert answer["error"]["message"]
    assert call("GET", "/v1/policies")["policies"] == []


def test_choices_follow_and_name_the_policy(call):
    before = pairs(call)
    assert before
    made = call("POST", "/v1/policies", policy("no-two", "forbid", "siit/2"), expect=201)["policy"]
    wishes = {k: v for k, v in pairs(call).items()}
    assert any(v != before[k] for k, v in wishes.items())
    assert all(v[2] in (None, made["id"]) for v in wishes.values())


def test_a_dry_run_says_what_happens_and_changes_nothing(call):
    dice = random.Random(7)
    hosts = [h["name"] for h in call("GET", "/v1/hosts")["hosts"]]
    for n in range(25):
        what = dice.choice(["siit", "siit/1", "siit/2", "vxlan"])
        match = dice.choice([{}, {"host": dice.choice(hosts)},
                             {"host": dice.choice(hosts), "direction": dice.choice(["in", "out"])}])
        body = policy("p%d" % n, dice.choice(["forbid", "prefer", "pin", "require"]), what, match=match)
        before = call("GET", "/v1/pairs")["pairs"]
        revision = call("GET", "/v1/status")["revision"]
        dry = call("POST", "/v1/policies?dry-run=true", body, expect=200)
        assert dry["dry_run"] and dry["total"] == len(dry["changes"])
        assert call("GET", "/v1/pairs")["pairs"] == before
        assert call("GET", "/v1/status")["revision"] == revision
        call("POST", "/v1/policies", body, expect=201)
        # what is wished for then is what was promised: the other way round a dry run says the same
        back = call("DELETE", "/v1/policies/p%d?dry-run=true" % n)
        assert [(c["from"], c["to"], c["before"], c["after"]) for c in back["changes"]] == \
            [(c["from"], c["to"], c["after"], c["before"]) for c in dry["changes"]]
        if dice.random() < 0.5:
            call("DELETE", "/v1/policies/p%d" % n)
