# SPDX-License-Identifier: Apache-2.0
"""GET /metrics, read as Prometheus reads it."""
import json
import re
import urllib.error
import urllib.request

import pytest

OPERATOR = {"Authorization": "Bearer operator"}
SAMPLE = re.compile(r'(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>-?\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def get(endpoint, headers=None):
    request = urllib.request.Request(endpoint + "/metrics", headers=OPERATOR if headers is None else headers)
    with urllib.request.urlopen(request, timeout=20) as r:
        return r.headers["Content-Type"], r.read().decode()


def parse(text):
    """{(name, labels): value}; the format's rules are asserted."""
    assert text.endswith("\n")
    types, samples, family = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
            assert family not in types, "each family once, and whole"
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == family and kind in ("gauge", "counter")
            types[name] = kind
        else:
            m = SAMPLE.fullmatch(line)
            assert m, line
            assert m["name"] == family
            labels = LABEL.findall(m["labels"] or "")
            assert "".join(f'{k}="{v}",' for k, v in labels) == (m["labels"] + "," if m["labels"] else "")
            key = (m["name"].removeprefix("viaduct_"), tuple(labels))
            assert key not in samples, line
            samples[key] = float(m["value"])
    return samples


def test_it_is_as_prometheus_reads_it(endpoint):
    """requirement: OPS-1, OPS-3, NEG-8, MAP-2"""
    kind, text = get(endpoint)
    assert kind.startswith("text/plain; version=0.0.4")
    samples = parse(text)
    assert samples[("store_up", ())] == 1
    assert samples[("choices_changing", ())] == 0
    assert samples[("objects", (("kind", "account"),))] >= 1
    hosts = {labels[0][1] for name, labels in samples if name == "host_connected"}
    assert hosts
    lost = {dict(labels)["host"]: value for (name, labels), value in samples.items() if name == "host_state_lost"}
    assert sorted(lost.values()) == [0] * (len(hosts) - 1) + [1], "the fixture's second host has an alarm"
    asked = {dict(labels)["answer"]: value for (name, labels), value in samples.items()
             if name == "host_lookups_total" and dict(labels)["host"] == "h2"}
    assert asked == {"told": 12, "refused": 2}
    pairs = {(dict(labels)["from"], dict(labels)["to"]) for name, labels in samples if name == "pair_choice"}
    assert pairs == {(a, b) for a in hosts for b in hosts if a != b}


def test_pairs_are_counted_by_choice_and_keys_have_an_age(endpoint):
    """requirement: NEG-8, OPS-1"""
    samples = parse(get(endpoint)[1])
    choices = [dict(labels) for name, labels in samples if name == "pair_choice"]
    counts = {labels: value for (name, labels), value in samples.items() if name == "pairs"}
    assert len(choices) == 2 and sum(counts.values()) == len(choices)
    for labels, value in counts.items():
        wanted = dict(labels)
        assert value == sum(all(c[k] == v for k, v in wanted.items()) for c in choices) > 0
    waiting = {dict(labels)["for"] for name, labels in samples if name == "choices_waiting"}
    assert waiting == {"receiver", "sender", "time"}
    ages = {dict(labels)["host"]: value for (name, labels), value in samples.items() if name == "host_key_age_seconds"}
    assert set(ages) == {c["from"] for c in choices}
    assert all(0 <= age < 600 for age in ages.values()), "the fixture's hosts are as old as this run"


def test_what_features_did_is_told_by_host_and_by_pair(endpoint):
    """requirement: OPS-1"""
    samples = parse(get(endpoint)[1])
    # what each host of the fixture reports about the next one
    told = {"sealed_packets": 1, "sealed_bytes": 2, "opened_packets": 3, "opened_bytes": 4, "saved_bytes": 5,
            "held_back_packets": 6}
    for name, value in told.items():
        for host in "h1", "h2":
            assert samples[(f"host_{name}_total", (("host", host),))] == value
        pairs = {labels: v for (family, labels), v in samples.items() if family == f"pair_{name}_total"}
        assert pairs == {(("from", "h1"), ("to", "h2")): value}, "not of hosts that are not there"
    # something was sealed, by the choice of a network perhaps
    aged = [labels for name, labels in samples if name == "pair_key_age_seconds"]
    assert aged == [(("from", "h1"), ("to", "h2"))]


def test_traffic_is_told_by_format(endpoint):
    """requirement: PKT-15, OPS-1"""
    samples = parse(get(endpoint)[1])
    for name, value in {"sent_packets": 30, "sent_bytes": 3000, "received_packets": 40, "received_bytes": 4000}.items():
        told = {tuple(v for _, v in labels): v for (family, labels), v in samples.items()
                if family == f"host_{name}_total"}
        assert told[("h1", "siit/2")] == value
        assert set(told) == {("h1", "none"), ("h1", "siit/2"), ("h2", "FORMAT_13")}, "not of hosts that are not there"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_operators_alone(endpoint, headers):
    """requirement: OPS-1"""
    with pytest.raises(urllib.error.HTTPError) as e:
        get(endpoint, headers)
    assert e.value.code == 401


def test_nothing_is_written_there(endpoint):
    """requirement: OPS-1"""
    request = urllib.request.Request(endpoint + "/metrics", data=b"{}", method="POST", headers=OPERATOR)
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(request, timeout=20)
    assert e.value.code == 405


def test_of_many_hosts_each_is_told_and_no_pair(endpoint):
    """requirement: OPS-1"""
    for n in range(3, 102):
        body = json.dumps({"name": f"h{n}", "v6": f"fd00::1:{n:x}"}).encode()
        request = urllib.request.Request(endpoint + "/v1/hosts", data=body, method="POST",
                                         headers={**OPERATOR, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as r:
            assert r.status == 201
    samples = parse(get(endpoint)[1])
    assert len([1 for name, _ in samples if name == "host_sealed_packets_total"]) == 101
    assert not [name for name, _ in samples if name == "pairs" or name.startswith("pair_")]
