# SPDX-License-Identifier: Apache-2.0
"""GET /metrics, read as Prometheus reads it."""
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
    """requirement: OPS-1, NEG-8"""
    kind, text = get(endpoint)
    assert kind.startswith("text/plain; version=0.0.4")
    samples = parse(text)
    assert samples[("store_up", ())] == 1
    assert samples[("choices_changing", ())] == 0
    assert samples[("objects", (("kind", "account"),))] >= 1
    hosts = {labels[0][1] for name, labels in samples if name == "host_connected"}
    assert hosts
    pairs = {(dict(labels)["from"], dict(labels)["to"]) for name, labels in samples if name == "pair_choice"}
    assert pairs == {(a, b) for a in hosts for b in hosts if a != b}


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
