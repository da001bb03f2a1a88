# SPDX-License-Identifier: Apache-2.0
"""Policies for negotiation over HTTP: what may be said and by whom, and what a dry run promises.

requirement: NEG-3
"""
import json
import pathlib
import random
import re
import urllib.error
import urllib.request

import jsonschema
import pytest

from test_operator import OPERATOR, call, check, resolve, signed, template_of  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/policy.schema.json").read_text()))


def policy(name, effect, *what, match=None, **more):
    return {"name": name, "effect": effect, "what": list(what), "match": {} if match is None else match, **more}


@pytest.fixture(autouse=True)
def none_left(call):
    yield
    for p in call("GET", "/v1/policies")["policies"]:
        call("DELETE", "/v1/policies/" + p["id"])


def settle(call):
    """The fixture's hosts acknowledge with each request, which is what the steps of a change wait for."""
    for _ in range(6):
        call("GET", "/v1/status")


def pairs(call):
    return {(p["from"], p["to"]): (p["send"], tuple(p["send_features"]), p["policy"])
            for p in call("GET", "/v1/pairs")["pairs"]}


def test_life(call):
    made = call("POST", "/v1/policies", policy("one", "forbid", "siit/2", match={"direction": "out"}), expect=201)
    p = made["policy"]
    assert p["id"].startswith("np-") and p["account"] is None and p["match"] == {"direction": "out"}
    assert p["state"] in ("changing", "effective")
    settle(call)
    assert call("GET", "/v1/policies/one")["policy"] == {**p, "state": "effective"}
    progress = call("GET", "/v1/status")["policies"]
    assert progress["state"] == "effective" and progress["applied"] == progress["directions"] > 0
    assert [q["id"] for q in call("GET", "/v1/policies")["policies"]] == [p["id"]]
    again = call("PUT", "/v1/policies/" + p["id"], policy("two", "require", "rate", rate={"mbit": 5}))["policy"]
    assert again["id"] == p["id"] and again["rate"] == {"mbit": 5, "burst_kib": 256}
    assert call("DELETE", "/v1/policies/two") == {"left_with_nothing": 0, "warning": None}
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
    policy("p", "require", "crypt", rate={}), policy("p", "require", "rate"), policy("p", "require", "rate", rate={}),
    policy("p", "pin", "siit", "ipip6"), policy("p", "forbid", "siit/"),
])
def test_what_is_refused_says_why(call, body):
    answer = call("POST", "/v1/policies", body, expect=400)
    assert answer["error"]["message"]
    assert call("GET", "/v1/policies")["policies"] == []
    assert not SCHEMA.is_valid(body)


def names_in_sources():
    """All formats and features, as the model calls them."""
    text = (ROOT / "abi/format.h").read_text() + (ROOT / "abi/feature.h").read_text()
    return sorted(set(re.findall(r'"([a-z0-9]+/[0-9]+)"', text)))


def test_the_schema_names_what_can_be_named(call):
    """All that there is, and nothing else."""
    names = names_in_sources()
    assert len(names) > 10
    defs = SCHEMA.schema["$defs"]
    assert sorted(n for d in defs.values() for n in d.get("enum", []) if "/" in n) == names
    for name in names:
        for n in name, name.split("/")[0]:
            call("POST", "/v1/policies?dry-run=true", policy("p", "forbid", n), expect=200)


class Writer:
    """Of policies, one in a few of which is wrong."""

    def __init__(self, dice, hosts, networks, interfaces, accounts):
        self.dice, self.hosts, self.networks, self.interfaces, self.accounts = dice, hosts, networks, interfaces, accounts
        names = names_in_sources()
        self.names = names + sorted({n.split("/")[0] for n in names})

    def wrong(self, one_in=40):
        return self.dice.randrange(one_in) == 0

    def some(self, *values):
        return self.dice.choice(values)

    def labels(self):
        if self.wrong():
            return self.some({"": "a"}, {"a": 1}, {"k" * 129: "a"}, {"a": "v" * 257}, {f"k{n}": "" for n in range(9)}, [])
        return self.some({}, {"site": "a"}, {"site": ""}, {"k" * 128: "v" * 256}, {f"k{n}": "" for n in range(8)})

    def member(self, more=()):
        one = {"host": lambda: self.some(*self.hosts), "network": lambda: self.some(*self.networks),
               "account": lambda: self.some(*self.accounts), "host_label": self.labels, **dict(more)}
        m = {k: one[k]() for k in one if self.dice.random() < 0.2}
        if self.wrong():
            m[self.some("hots", *one)] = self.some(3, [], {}, True)
        return m

    def match(self):
        if self.wrong():
            return self.some([], "all", 3)
        return self.member({
            "environment": lambda: "" if self.wrong() else self.some("production", "e" * 256, "e" * 257 if self.wrong() else "e"),
            "direction": lambda: "up" if self.wrong() else self.some("both", "in", "out"),
            "interfaces": lambda: self.dice.sample(self.interfaces, self.some(1, 3) if self.wrong() else 2)
            if not self.wrong() else [self.interfaces[0]] * 2,
            "peer": lambda: self.some([], "x") if self.wrong() else self.member()})

    def rate(self):
        if self.wrong(10):
            return self.some({}, 3, {"mbit": 0}, {"mbit": 1000001}, {"mbit": "1"}, {"mbit": -1}, {"mbps": 1},
                             {"burst_kib": 1}, {"mbit": 1, "burst_kib": 0}, {"mbit": 1, "burst_kib": 65537}, {"mbit": 1.5})
        return self.some({"mbit": 1}, {"mbit": 1000000}, {"mbit": 7, "burst_kib": 1}, {"mbit": 7, "burst_kib": 65536})

    def what(self):
        if self.wrong():
            return self.some([], "siit", [3], ["siit/9"], ["siit/"], ["siit"] * 2, [""], ["SIIT"], self.names[:17])
        return self.dice.sample(self.names, self.some(1, 1, 2, 3))

    def policy(self):
        body = {"name": self.some("np-1", "P", "", "n" * 64, 3) if self.wrong() else self.some("p", "7", "n" * 63, "np", "-"),
                "effect": self.some("allow", "", 1) if self.wrong() else self.some("forbid", "require", "prefer", "pin"),
                "what": self.what()}
        if self.dice.random() < 0.7:
            body["match"] = self.match()
        named = {"rate", "rate/1"} & {w for w in body["what"] if isinstance(w, str)} and body["effect"] != "forbid"
        if bool(named) != self.wrong(8):
            body["rate"] = self.rate()
        if self.dice.random() < 0.3:
            body["notify"] = "all" if self.wrong() else self.some("both", "source")
        if self.wrong():
            del body[self.some("name", "effect", "what")]
        if self.wrong():
            body["surprise"] = 1
        return body


def test_the_schema_takes_what_the_manager_takes(call, endpoint, networks):
    """And refuses what it refuses: but for what a name stands for, and that a host is no pair with itself, the schema
    says all."""
    writer = Writer(random.Random(11), [h["name"] for h in call("GET", "/v1/hosts")["hosts"]],
                    [v for v, _ in networks.values()], [i for _, ids in networks.values() for i in ids], ["1" * 12, "2" * 12])
    taken = 0
    for _ in range(700):
        body = writer.policy()
        request = urllib.request.Request(endpoint + "/v1/policies?dry-run=true", method="POST",
                                         data=json.dumps(body).encode(), headers=OPERATOR)
        try:
            status = urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as e:
            status = e.code
        assert status in (200, 400), (status, body)
        valid = SCHEMA.is_valid(body)
        if valid and (match := body.get("match", {})).get("host"):
            valid = match["host"] != match.get("peer", {}).get("host")
        assert valid == (status == 200), (status, body, [e.message for e in SCHEMA.iter_errors(body)])
        taken += status == 200
    assert 140 < taken < 560


def test_choices_follow_and_name_the_policy(call):
    before = pairs(call)
    assert before
    made = call("POST", "/v1/policies", policy("no-two", "forbid", "siit/2"), expect=201)["policy"]
    wishes = {k: v for k, v in pairs(call).items()}
    assert any(v != before[k] for k, v in wishes.items())
    assert all(v[2] in (None, made["id"]) for v in wishes.values())


# requirement: NEG-7
def test_who_leaves_pairs_with_nothing_is_warned(call):
    usual = {k for k, v in pairs(call).items() if v[0] != "none"}
    assert usual
    harmless = call("POST", "/v1/policies", policy("rate", "prefer", "rate", rate={"mbit": 5}), expect=201)
    assert (harmless["left_with_nothing"], harmless["warning"]) == (0, None)
    cutting = policy("none", "pin", "geneve/1")
    tried = call("POST", "/v1/policies?dry-run=true", cutting, expect=200)
    made = call("POST", "/v1/policies", cutting, expect=201)
    settle(call)
    lost = usual - {k for k, v in pairs(call).items() if v[0] != "none"}
    assert lost
    for answer, verb in (tried, "would be sent"), (made, "is sent"):
        # with the directions of networks, which may have had less or more in common
        assert answer["left_with_nothing"] >= len(lost) and verb in answer["warning"]
        assert any(answer["warning"].split(" (")[0].split(";")[0].endswith("from %s to %s" % pair) for pair in lost)
    assert "dry run" in made["warning"] and "viaduct pair" in made["warning"] and "viaduct pair" not in tried["warning"]
    for change in tried["changes"]:
        assert ("pinned by" in (change["reason"] or "")) == (change["after"]["send"] == "none"), change
    # what had nothing before is not lost again; what comes back is no loss
    assert call("PUT", "/v1/policies/none", policy("none", "pin", "geneve/2"))["left_with_nothing"] == 0
    assert call("DELETE", "/v1/policies/none")["warning"] is None
    settle(call)
    assert usual == {k for k, v in pairs(call).items() if v[0] != "none"}


def test_a_dry_run_says_what_happens_and_changes_nothing(call):
    dice = random.Random(7)
    hosts = [h["name"] for h in call("GET", "/v1/hosts")["hosts"]]
    for n in range(25):
        what = dice.choice(["siit", "siit/1", "siit/2", "vxlan"])
        match = dice.choice([{}, {"host": dice.choice(hosts)},
                             {"host": dice.choice(hosts), "direction": dice.choice(["in", "out"])}])
        body = policy("p%d" % n, dice.choice(["forbid", "prefer", "pin", "require"]), what, match=match)
        settle(call)
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


def test_a_mistake_is_told_with_what_would_be_right(call):
    def message(body):
        return call("POST", "/v1/policies", body, expect=400)["error"]["message"]
    host = call("GET", "/v1/hosts")["hosts"][0]["name"]
    said = message(policy("p", "forbid", "siit", match={"hosts": host}))
    assert "'hosts'" in said and all(name in said for name in ("host_label", "peer", "interfaces", "direction"))
    said = message(policy("p", "forbid", "siit", match={"peer": {"direction": "in"}}))
    assert "'direction'" in said and "host_label" in said and "interfaces" not in said
    said = message(policy("p", "forbid", "siit", match={"host": host, "peer": {"host": host}}))
    assert f"({host})" in said and "match.peer.host" in said
    assert "(0)" in message(policy("p", "require", "rate", rate={"mbit": 0}))
    assert "(65537)" in message(policy("p", "require", "rate", rate={"mbit": 1, "burst_kib": 65537}))


# ---- customers, who sign ----

@pytest.fixture
def customer(endpoint, call):
    """A request of an account, by its number."""
    def f(number, method, path, body=None, expect=None):
        return call(method, path, body, headers=signed(endpoint, method, path, number, body), expect=expect)
    return f


@pytest.fixture(scope="module")
def networks(ec2, other):
    """One of each account, with a node on each host: two of them are round the hosts once."""
    made = {}
    for number, client in (1, ec2), (2, other):
        v = client.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        s = client.create_subnet(VpcId=v, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        nodes = client.run_instances(ImageId="ami-netns", MinCount=4, MaxCount=4, SubnetId=s)["Instances"]
        made[number] = v, [i["NetworkInterfaces"][0]["NetworkInterfaceId"] for i in nodes]
    yield made
    for number, client in (1, ec2), (2, other):
        by_vpc = [{"Name": "vpc-id", "Values": [made[number][0]]}]
        for r in client.describe_instances(Filters=by_vpc)["Reservations"]:
            client.terminate_instances(InstanceIds=[i["InstanceId"] for i in r["Instances"]])
        for s in client.describe_subnets(Filters=by_vpc)["Subnets"]:
            client.delete_subnet(SubnetId=s["SubnetId"])
        client.delete_vpc(VpcId=made[number][0])


def chosen(call, network):
    """What h1 sends to h2: in general, and of a network, which is the same where it has no choice of its own."""
    settle(call)
    said = call("GET", "/v1/pairs?from=h1&to=h2")["pairs"]
    whole = next(p for p in said if not p["network"] and not p["interface"])
    return whole, next((p for p in said if p["network"] == network and not p["interface"]), whole)


def test_a_customers_policy_is_about_its_own_network_alone(call, customer, networks):
    (mine, _), (theirs, _) = networks[1], networks[2]
    before = chosen(call, mine)[0]["send"]
    made = customer(1, "POST", "/v1/policies", policy("mine", "forbid", before, match={"network": mine}), expect=201)
    assert made["policy"]["account"] == "1" * 12
    whole, class_ = chosen(call, mine)
    assert whole["send"] == before and class_["send"] != before and class_["policy"] == made["policy"]["id"]
    assert chosen(call, theirs)[1]["send"] == before
    assert [p["name"] for p in customer(1, "GET", "/v1/policies")["policies"]] == ["mine"]
    customer(1, "DELETE", "/v1/policies/mine", expect=200)


@pytest.mark.parametrize("dry", ["", "?dry-run=true"])
@pytest.mark.parametrize("match, status", [
    ({}, 403), ({"direction": "out"}, 403), ({"environment": "production"}, 403), ({"peer": {"network": "MINE"}}, 403),
    ({"network": "THEIRS"}, 404), ({"network": "MINE", "peer": {"network": "THEIRS"}}, 404),
    ({"network": "MINE", "host": "h1"}, 403), ({"network": "MINE", "peer": {"host": "h1"}}, 403),
    ({"network": "MINE", "host_label": {"rack": "1"}}, 403), ({"network": "MINE", "account": "2" * 12}, 403),
    ({"network": "MINE", "peer": {"account": "2" * 12}}, 403), ({"interfaces": ["MY-ENI", "THEIR-ENI"]}, 404),
    ({"interfaces": ["THEIR-ENI", "MY-ENI"]}, 404),
])
def test_a_customer_says_nothing_about_others(call, customer, networks, match, status, dry):
    names = {"MINE": networks[1][0], "THEIRS": networks[2][0], "MY-ENI": networks[1][1][0],
             "THEIR-ENI": networks[2][1][0]}
    text = json.dumps(match)
    for name, id in names.items():
        text = text.replace('"%s"' % name, '"%s"' % id)
    answer = customer(1, "POST", "/v1/policies" + dry, policy("p", "forbid", "siit", match=json.loads(text)),
                      expect=status)
    assert answer["error"]["message"]
    assert call("GET", "/v1/policies")["policies"] == []


def test_nobody_elses_policy_is_seen_or_touched(call, customer, networks):
    mine = networks[1][0]
    admin = call("POST", "/v1/policies", policy("admin", "forbid", "siit/1"), expect=201)["policy"]
    one = customer(1, "POST", "/v1/policies", policy("one", "forbid", "siit/1", match={"network": mine}),
                   expect=201)["policy"]
    for number, p in (1, admin), (2, admin), (2, one):
        for name in p["id"], p["name"]:
            for method, body in ("GET", None), ("DELETE", None), ("PUT", policy("x", "forbid", "vxlan", match={
                    "network": networks[number][0]})):
                customer(number, method, "/v1/policies/" + name, body, expect=404)
        assert p["id"] not in [q["id"] for q in customer(number, "GET", "/v1/policies")["policies"]]
    assert [p["id"] for p in call("GET", "/v1/policies")["policies"]] == [admin["id"], one["id"]]
    # a name is taken in its own account alone
    customer(1, "POST", "/v1/policies", policy("admin", "forbid", "siit/1", match={"network": mine}), expect=201)


@pytest.mark.parametrize("effect", ["require", "prefer", "pin"])
def test_a_customer_lifts_nothing_of_an_administrators(call, customer, networks, effect):
    mine = networks[1][0]
    best = chosen(call, mine)[0]["send"]
    call("POST", "/v1/policies", policy("admin", "forbid", best), expect=201)
    without = chosen(call, mine)[0]["send"]
    assert without != best
    customer(1, "POST", "/v1/policies", policy("mine", effect, best, match={"network": mine}))
    whole, class_ = chosen(call, mine)
    assert whole["send"] == without
    assert class_["send"] in (without, "none"), "what is forbidden stays so"
    assert not [a for p in (whole, class_) for a in p["accepts"] if best in a["formats"]]


def test_an_environment_that_an_operator_fixed_is_not_escaped_by_tags(call, customer, ec2, networks):
    mine = networks[1][0]
    best = chosen(call, mine)[1]["send"]
    call("POST", "/v1/policies", policy("prod", "forbid", best, match={"environment": "production"}), expect=201)
    assert chosen(call, mine)[1]["send"] == best
    customer(1, "PUT", "/v1/networks/" + mine, {"environment": "test"}, expect=403)
    customer(2, "PUT", "/v1/networks/" + mine, {"environment": "test"}, expect=404)
    network = call("PUT", "/v1/networks/" + mine, {"environment": "production"})["network"]
    assert (network["environment"], network["environment_fixed"]) == ("production", True)
    call("PUT", "/v1/networks/" + mine, {}, expect=400)
    without = chosen(call, mine)[1]["send"]
    assert without != best
    tag = [{"Key": "viaduct:environment", "Value": "test"}]
    ec2.create_tags(Resources=[mine], Tags=tag)
    assert chosen(call, mine)[1]["send"] == without
    ec2.delete_tags(Resources=[mine])
    assert chosen(call, mine)[1]["send"] == without
    ec2.create_tags(Resources=[mine], Tags=tag)
    seen = next(n for n in customer(1, "GET", "/v1/networks")["networks"] if n["id"] == mine)
    assert (seen["environment"], seen["environment_fixed"]) == ("production", True)
    network = call("PUT", "/v1/networks/" + mine, {"environment": ""})["network"]
    assert (network["environment"], network["environment_fixed"]) == ("test", False)
    assert chosen(call, mine)[1]["send"] == best
    ec2.delete_tags(Resources=[mine])
    call("PUT", "/v1/networks/" + mine, {"environment": "x" * 300}, expect=400)
    call("PUT", "/v1/networks/vpc-0", {"environment": "x"}, expect=404)


def test_an_environment_without_a_name_is_not_all_of_them(call):
    for dry in "", "?dry-run=true":
        error = call("POST", "/v1/policies" + dry, policy("p", "forbid", "siit", match={"environment": ""}),
                     expect=400)["error"]
        assert "match.environment" in error["message"]
    assert call("GET", "/v1/policies")["policies"] == []


def test_what_sends_the_same_as_before_is_no_other_choice(call, networks):
    """requirement: NEG-2"""
    best = chosen(call, networks[1][0])[0]["send"]
    answer = call("POST", "/v1/policies?dry-run=true", policy("p", "pin", best, "vxlan/1"), expect=200)
    assert (answer["total"], answer["changes"]) == (0, [])
    answer = call("POST", "/v1/policies?dry-run=true", policy("p", "forbid", best), expect=200)
    assert answer["total"] == len(answer["changes"]) > 0
    assert all(c["before"] != c["after"] for c in answer["changes"])


def test_a_customers_dry_run_names_no_hosts(customer, networks):
    answer = customer(1, "POST", "/v1/policies?dry-run=true",
                      policy("p", "forbid", "siit", match={"network": networks[1][0]}), expect=200)
    assert answer["changes"] and all(c["from"] is None and c["to"] is None for c in answer["changes"])
    assert {c["network"] for c in answer["changes"]} == {networks[1][0]}


def test_a_customers_warning_names_no_hosts(call, customer, networks):
    answer = customer(1, "POST", "/v1/policies",
                      policy("p", "pin", "geneve/1", match={"network": networks[1][0]}), expect=201)
    assert answer["left_with_nothing"] and answer["warning"]
    assert not any(h["name"] in answer["warning"] for h in call("GET", "/v1/hosts")["hosts"])
