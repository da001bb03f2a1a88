# SPDX-License-Identifier: Apache-2.0
"""What hosts can do is probed and reported, the manager alone chooses, and no common choice is an error.

    a --- h1 (siit/2) --- [ router ] --- h2 (vxlan/1) --- b       nothing in common
    h3 (all)
"""
import json

import pytest

import lab as labs

LAB = {"hosts": 3, "formats": ["h1=siit/2,ipip6/1", "h2=vxlan/1"]}


def choices(lab, one, other):
    return lab.viaduct("pair", one, other, "--json", "--lab", lab.name)


def test_probes_are_reported(lab):
    """requirement: NEG-1"""
    text = json.dumps({"x": lab.api("capabilities")})
    for what in ("siit/2", "ipip6/1", "vxlan/1", "mtu", "tcx"):
        assert what in text


def test_a_probe_on_request_is_waited_for(lab):
    """requirement: NEG-1, OPS-1"""
    before = {c["host"]: c["reported_at"] for c in lab.api("capabilities")}
    assert all(before.values())
    after = json.loads(lab.viaduct("capabilities", "--probe", "h2", "--json", "--lab", lab.name))["capabilities"]
    assert {c["host"] for c in after if c["reported_at"] > before[c["host"]]} >= {"h2"}
    for c in after:
        assert c["formats"] and c["features"] and c["probed_at"] and c["error"] is None
    wrong = labs.run(labs.VIADUCT, "capabilities", "--probe", "h9", "--lab", lab.name, check=False)
    assert "h9" in wrong.stderr and wrong.returncode == 1


def test_pairs_differ(lab):
    """requirement: NEG-2"""
    assert "siit/2" in choices(lab, "h1", "h3")
    assert "vxlan/1" in choices(lab, "h2", "h3")


def test_no_common_choice_is_named_and_carries_no_traffic(lab):
    """requirement: NEG-7"""
    text = choices(lab, "h1", "h2")
    reason = json.loads(text)["pairs"][0]["reason"]
    assert reason and "siit/2" in text and "vxlan/1" in text
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    nodes = {}
    for _ in range(8):
        node = lab.start(subnet)
        nodes.setdefault(node.host, node)
        if len(nodes) == 3:
            break
    assert nodes["h1"].ping(nodes["h3"].address) == 3
    assert nodes["h2"].ping(nodes["h3"].address) == 3
    before = lab.drops_now(host="h1")
    assert nodes["h1"].ping(nodes["h2"].address, count=2) == 0
    labs.wait_for("the drops to be counted", lambda: lab.drops(host="h1") > before)


@pytest.mark.parametrize("wrong", ["siit/9", "", "siit/2,,ipip6/1"])
def test_a_format_that_does_not_exist_is_refused(wrong):
    """requirement: NEG-1"""
    name = labs.free_name("w")
    done = labs.run(labs.VIADUCT, "lab", "up", "--name", name, "--hosts", "1", "--formats", f"h1={wrong}", check=False)
    labs.run(labs.VIADUCT, "lab", "down", "--name", name)
    assert done.returncode == 1
    assert "formats" in done.stderr
