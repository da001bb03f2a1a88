# SPDX-License-Identifier: Apache-2.0
"""Where nodes go, asked for by real clients on real hosts: groups, capabilities, room, and the dry run.

    rack 0        rack 1        rack 2
    h1            h2            h3
    h4            h5            h6 (vxlan/1 only)
"""
import json

import pytest

import aws as awscli
import lab as labs

LAB = {"hosts": 6, "racks": 3, "formats": ["h6=vxlan/1"]}
RACKS = {"h1": 0, "h2": 1, "h3": 2, "h4": 0, "h5": 1, "h6": 2}


@pytest.fixture(scope="module")
def subnet(lab):
    lab.connected()
    return lab.subnets("10.0.1.0/24")[1][0]


@pytest.fixture(scope="module")
def aws(lab):
    with awscli.client(lab) as call:
        yield call


def viaduct(lab, *argv):
    return labs.run(labs.VIADUCT, *argv, "--lab", lab.name, check=False)


def set_host(lab, *argv):
    assert not viaduct(lab, "host", "set", *argv).returncode


def host_of(lab, instance):
    return next(i["host"] for i in lab.api("instances") if i["id"] == instance)


def started(lab, answer):
    ids = [i["InstanceId"] for i in answer["Instances"]]
    for i in ids:
        lab.becomes(i, "running")
    return ids


def gone(lab, ids):
    lab.ec2.terminate_instances(InstanceIds=ids)
    for i in ids:
        lab.becomes(i, "terminated")


def wishes(**tags):
    return [{"ResourceType": "instance", "Tags": [{"Key": f"viaduct:{k}", "Value": v} for k, v in tags.items()]}]


def run(lab, subnet, number=1, **more):
    return lab.ec2.run_instances(MinCount=number, MaxCount=number, SubnetId=subnet,
                                 **{"InstanceType": "t2.micro", **more})


def test_groups(lab, aws, subnet):
    """requirement: NEG-10"""
    aws("create-placement-group", "--group-name", "apart", "--strategy", "spread")
    aws("create-placement-group", "--group-name", "near", "--strategy", "cluster")
    aws("create-placement-group", "--group-name", "parts", "--strategy", "partition", "--partition-count", "2")
    groups = aws("describe-placement-groups", "--filters", "Name=strategy,Values=partition")["PlacementGroups"]
    assert [g["GroupName"] for g in groups] == ["parts"] and groups[0]["PartitionCount"] == 2

    def some(number, placement):
        return started(lab, aws("run-instances", "--subnet-id", subnet, "--count", str(number),
                                "--instance-type", "t2.micro", "--placement", placement))
    apart = some(3, "GroupName=apart")
    assert sorted(RACKS[host_of(lab, i)] for i in apart) == [0, 1, 2]
    refused = aws("run-instances", "--subnet-id", subnet, "--placement", "GroupName=apart", check=False)
    assert refused.returncode and "InsufficientInstanceCapacity" in refused.stderr
    near = some(4, "GroupName=near")
    assert len({RACKS[host_of(lab, i)] for i in near}) == 1
    one, two = some(2, "GroupName=parts,PartitionNumber=1"), some(2, "GroupName=parts,PartitionNumber=2")
    racks = [{RACKS[host_of(lab, i)] for i in part} for part in (one, two)]
    assert not racks[0] & racks[1]
    shown = aws("describe-instances", "--filters", "Name=placement-group-name,Values=parts",
                "Name=placement-partition-number,Values=2")["Reservations"]
    assert sorted(i["InstanceId"] for r in shown for i in r["Instances"]) == sorted(two)
    refused = aws("delete-placement-group", "--group-name", "near", check=False)
    assert refused.returncode and "InvalidPlacementGroup.InUse" in refused.stderr
    aws("stop-instances", "--instance-ids", apart[0])
    lab.becomes(apart[0], "stopped")
    aws("modify-instance-placement", "--instance-id", apart[0], "--group-name", "near")
    aws("start-instances", "--instance-ids", apart[0])
    assert RACKS[host_of(lab, apart[0])] == RACKS[host_of(lab, near[0])]
    gone(lab, apart + near + one + two)
    for name in "apart", "near", "parts":
        aws("delete-placement-group", "--group-name", name)


def test_capabilities(lab, subnet):
    """requirement: NEG-10"""
    set_host(lab, "h2", "--label", "disk=ssd", "--ports", "2")
    set_host(lab, "h5", "--label", "disk=ssd", "--label", "gpu=a100", "--ports", "1")
    both = started(lab, run(lab, subnet, TagSpecifications=wishes(require="disk=ssd, siit/2", desire="gpu")))
    assert host_of(lab, both[0]) == "h5"  # and is full now
    rest = started(lab, run(lab, subnet, 2, TagSpecifications=wishes(require="disk=ssd", desire="gpu")))
    assert [host_of(lab, i) for i in rest] == ["h2", "h2"]
    with pytest.raises(lab.ec2.exceptions.ClientError) as e:
        run(lab, subnet, TagSpecifications=wishes(require="disk=ssd", desire="gpu"))
    error = e.value.response["Error"]
    assert error["Code"] == "InsufficientInstanceCapacity"
    assert "required: disk=ssd" in error["Message"] and "desired: gpu" in error["Message"]
    desired = started(lab, run(lab, subnet, TagSpecifications=wishes(desire="disk=tape")))
    only = started(lab, run(lab, subnet, TagSpecifications=wishes(require="vxlan/1", desire="siit/2")))
    assert host_of(lab, only[0]) != "h6"
    gone(lab, both + rest + desired + only)
    for host in "h2", "h5":
        set_host(lab, host, "--no-labels", "--ports", "0")


def test_room_and_the_dry_run(lab, subnet):
    """requirement: NEG-10"""
    set_host(lab, "h1", "--memory", "1500", "--label", "here=1")
    first = started(lab, run(lab, subnet, TagSpecifications=wishes(require="here")))
    with pytest.raises(lab.ec2.exceptions.ClientError, match="too little memory left"):
        run(lab, subnet, TagSpecifications=wishes(require="here"))
    lab.kill("h3")
    labs.wait_for("h3 to be missed", lambda: lab.hosts()["h3"]["state"] != "connected")
    before = lab.status()["revision"]
    answer = json.loads(viaduct(lab, "place", "--dry-run", "--json", "--subnet", subnet, "--type", "t2.micro",
                                "--require", "siit/2", "--near", first[0]).stdout)["placement"]
    why = {h["host"]: h["text"] for h in answer["hosts"]}
    assert why["h1"] == "memory: 476 MiB left, 1024 MiB needed" and why["h3"] == "not connected"
    assert why["h6"] == "lacks siit/2, which is required"
    assert answer["host"] == "h4" and answer["hosts"][0]["distance"] == 1  # in the rack of h1
    assert [h["verdict"] for h in answer["hosts"]].count("rejected") == 3
    text = viaduct(lab, "place", "--dry-run", "--host", "h2", "--require", "tape")
    assert text.returncode == 1 and "lacks tape" in text.stdout and "required: tape" in text.stderr
    assert lab.status()["revision"] == before
    lab.restart("h3")
    lab.connected()
    # what the dry run says is what is done, and it carries packets
    placed = viaduct(lab, "place", "--subnet", subnet, "--type", "t2.micro", "--near", first[0], "--json")
    placed, = json.loads(placed.stdout)["instances"]
    assert placed["host"] == "h4" and placed["tags"]["viaduct:near"] == first[0]
    a, b = lab.ready(first[0]), lab.ready(placed["id"])
    assert a.ping(b.address) == 3
    gone(lab, [first[0], placed["id"]])
    set_host(lab, "h1", "--memory", "0", "--no-labels")


def test_round_robin_is_a_setting_that_lasts(lab, subnet):
    """requirement: NEG-10"""
    assert "round-robin" in viaduct(lab, "settings", "--placement", "round-robin").stdout
    lab.kill("manager")
    lab.restart("manager")
    lab.connected()
    assert "round-robin" in viaduct(lab, "settings").stdout
    ids = started(lab, run(lab, subnet, 6))
    assert sorted(host_of(lab, i) for i in ids) == ["h1", "h2", "h3", "h4", "h5", "h6"]
    gone(lab, ids)
    viaduct(lab, "settings", "--placement", "least-loaded")
