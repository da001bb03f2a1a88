# SPDX-License-Identifier: Apache-2.0
"""Placement as clients see it: placement groups by boto3, wishes as tags and as fields, hosts and the dry run.

Zone c is this file's: four hosts in three racks.

requirement: NEG-10
"""
import pytest

from test_clients import code, names
from test_operator import call, signed  # noqa: F401 (a fixture)

ZONE = "us-east-1c"


@pytest.fixture
def hosts(call):  # noqa: F811
    for name, rack, fields in (("pa", 11, {"memory": 4096, "labels": {"disk": "ssd"}}),
                               ("pb", 11, {"memory": 4096, "cost": 2}),
                               ("pc", 12, {"ports": 3}), ("pd", 13, {"vcpus": 4, "bandwidth": 1000})):
        call("POST", "/v1/hosts", {"name": name, "zone": ZONE, "rack": rack, "v6": "fd00::c:" + name[1],
                                   "edge": True, "instances": True, **fields})  # edges are connected at once here
    yield
    for name in "pa", "pb", "pc", "pd":
        call("DELETE", f"/v1/hosts/{name}?force=true")


@pytest.fixture
def there(ec2, vpc, hosts):
    """A subnet of the hosts' zone."""
    yield ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.77.0/24", AvailabilityZone=ZONE)["Subnet"]["SubnetId"]


def run(ec2, subnet, number=1, tags=None, **more):
    if tags:
        more["TagSpecifications"] = [{"ResourceType": "instance", "Tags": [
            {"Key": "viaduct:" + k, "Value": v} for k, v in tags.items()]}]
    return [i["InstanceId"] for i in ec2.run_instances(
        MinCount=number, MaxCount=number, SubnetId=subnet, **{"InstanceType": "t2.micro", **more})["Instances"]]


def refusal(ec2, subnet, **more):
    with pytest.raises(ec2.exceptions.ClientError) as e:
        run(ec2, subnet, **more)
    return e.value.response["Error"]


def host_of(call, instance):  # noqa: F811
    return next(i["host"] for i in call("GET", "/v1/instances?limit=1000")["instances"] if i["id"] == instance)


def placement(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["Placement"]


def test_groups_come_and_go(ec2, other):
    g = ec2.create_placement_group(GroupName="web", Strategy="partition", PartitionCount=3, TagSpecifications=[
        {"ResourceType": "placement-group", "Tags": [{"Key": "a", "Value": "b"}]}])["PlacementGroup"]
    assert g["GroupId"].startswith("pg-") and g["State"] == "available" and g["Strategy"] == "partition"
    assert g["PartitionCount"] == 3 and g["Tags"] == [{"Key": "a", "Value": "b"}]
    assert g["GroupArn"] == "arn:aws:ec2:us-east-1:111111111111:placement-group/web"
    s = ec2.create_placement_group(GroupName="apart", Strategy="spread", SpreadLevel="rack")["PlacementGroup"]
    assert s["SpreadLevel"] == "rack" and "PartitionCount" not in s
    ec2.create_placement_group(GroupName="near", Strategy="cluster")

    def found(**more):
        return sorted(x["GroupName"] for x in ec2.describe_placement_groups(**more)["PlacementGroups"])
    assert found() == ["apart", "near", "web"]
    assert found(GroupNames=["near", "web"]) == ["near", "web"] and found(GroupIds=[g["GroupId"]]) == ["web"]
    assert found(Filters=[{"Name": "strategy", "Values": ["s*"]}]) == ["apart"]
    assert found(Filters=[{"Name": "tag:a", "Values": ["b"]}]) == ["web"]
    assert found(Filters=[{"Name": "group-name", "Values": ["n*"]}, {"Name": "state", "Values": ["available"]}]) == ["near"]
    assert found(Filters=[{"Name": "spread-level", "Values": ["rack"]}]) == ["apart"]
    assert found(Filters=[{"Name": "group-arn", "Values": [g["GroupArn"]]}]) == ["web"]
    assert other.describe_placement_groups()["PlacementGroups"] == []
    ec2.create_tags(Resources=[s["GroupId"]], Tags=[{"Key": "x", "Value": "y"}])
    assert [t["ResourceType"] for t in ec2.describe_tags(Filters=names(**{"resource-id": [s["GroupId"]]}))["Tags"]] == [
        "placement-group"]

    assert code(ec2.create_placement_group, GroupName="web", Strategy="spread") == "InvalidPlacementGroup.Duplicate"
    assert code(ec2.create_placement_group, GroupName="x", Strategy="heap") == "InvalidParameterValue"
    assert code(ec2.create_placement_group, GroupName="x", Strategy="partition",
                PartitionCount=8) == "InvalidParameterValue"
    assert code(ec2.create_placement_group, GroupName="x", Strategy="spread",
                PartitionCount=2) == "InvalidParameterCombination"
    assert code(ec2.create_placement_group, GroupName="x", DryRun=True) == "DryRunOperation"
    assert code(ec2.describe_placement_groups, GroupNames=["x"]) == "InvalidPlacementGroup.Unknown"
    assert code(ec2.describe_placement_groups, GroupIds=["pg-00000000000000001"]) == "InvalidPlacementGroupId.NotFound"
    assert code(ec2.describe_placement_groups, GroupIds=["x"]) == "InvalidPlacementGroupId.Malformed"
    assert code(other.delete_placement_group, GroupName="web") == "InvalidPlacementGroup.Unknown"
    assert code(ec2.delete_placement_group, GroupName="web", DryRun=True) == "DryRunOperation"
    for name in found():
        ec2.delete_placement_group(GroupName=name)
    assert found() == []


def test_groups_decide(ec2, there, call):  # noqa: F811
    for strategy in "spread", "cluster", "partition":
        ec2.create_placement_group(GroupName=strategy, Strategy=strategy)
    apart = run(ec2, there, 3, Placement={"GroupName": "spread"})
    assert sorted(host_of(call, i) for i in apart) == ["pa", "pc", "pd"]
    assert placement(ec2, apart[0])["GroupName"] == "spread"
    error = refusal(ec2, there, Placement={"GroupName": "spread"})
    assert error["Code"] == "InsufficientInstanceCapacity" and "spread" in error["Message"]
    assert code(ec2.delete_placement_group, GroupName="spread") == "InvalidPlacementGroup.InUse"

    group = ec2.describe_placement_groups(GroupNames=["cluster"])["PlacementGroups"][0]["GroupId"]
    near = run(ec2, there, 6, Placement={"GroupId": group})  # too many for rack 12, or the vCPUs of rack 13
    assert {host_of(call, i) for i in near} == {"pa", "pb"} and placement(ec2, near[0])["GroupId"] == group
    assert refusal(ec2, there, number=2, Placement={"GroupName": "cluster"})["Code"] == "InsufficientInstanceCapacity"
    ec2.terminate_instances(InstanceIds=near + apart)

    ids = run(ec2, there, 2, Placement={"GroupName": "partition"})
    one, = run(ec2, there, Placement={"GroupName": "partition", "PartitionNumber": 2})
    assert [placement(ec2, i)["PartitionNumber"] for i in [*ids, one]] == [1, 2, 2]
    found = ec2.describe_instances(Filters=[{"Name": "placement-group-name", "Values": ["partition"]},
                                            {"Name": "placement-partition-number", "Values": ["2"]},
                                            {"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
    assert sorted(i["InstanceId"] for r in found for i in r["Instances"]) == sorted([ids[1], one])
    assert refusal(ec2, there, Placement={"GroupName": "partition", "PartitionNumber": 3})["Code"] == \
        "InvalidParameterValue"
    assert refusal(ec2, there, Placement={"PartitionNumber": 1})["Code"] == "InvalidParameterCombination"
    assert refusal(ec2, there, Placement={"GroupName": "none"})["Code"] == "InvalidPlacementGroup.Unknown"

    assert code(ec2.modify_instance_placement, InstanceId=one, GroupName="spread") == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[one])
    ec2.modify_instance_placement(InstanceId=one, PartitionNumber=1)
    assert placement(ec2, one)["PartitionNumber"] == 1
    ec2.modify_instance_placement(InstanceId=one, GroupName="spread", Tenancy="default", Affinity="default")
    assert placement(ec2, one)["GroupName"] == "spread" and "PartitionNumber" not in placement(ec2, one)
    ec2.modify_instance_placement(InstanceId=one, GroupName="")
    assert placement(ec2, one)["GroupName"] == ""
    assert code(ec2.modify_instance_placement, InstanceId=one) == "MissingParameter"
    ec2.terminate_instances(InstanceIds=ids + [one])
    for strategy in "spread", "cluster", "partition":
        ec2.delete_placement_group(GroupName=strategy)


def test_shared_hardware_only(ec2, there):
    assert refusal(ec2, there, Placement={"Tenancy": "dedicated"})["Code"] == "UnsupportedOperation"
    assert refusal(ec2, there, Placement={"Tenancy": "host", "HostId": "h-1"})["Code"] == "UnsupportedOperation"
    assert refusal(ec2, there, Placement={"HostId": "h-1"})["Code"] == "UnsupportedOperation"
    assert refusal(ec2, there, Placement={"Affinity": "host"})["Code"] == "UnsupportedOperation"
    assert refusal(ec2, there, Placement={"Tenancy": "x"})["Code"] == "InvalidParameterValue"
    i, = run(ec2, there, Placement={"Tenancy": "default", "Affinity": "default", "AvailabilityZone": ZONE})
    assert placement(ec2, i)["Tenancy"] == "default"
    ec2.terminate_instances(InstanceIds=[i])


def test_wishes_as_tags(ec2, there, call):  # noqa: F811
    ids = [run(ec2, there, tags={"require": "siit/2, disk=ssd"})[0], run(ec2, there, tags={"desire": "disk"})[0],
           run(ec2, there, tags={"require": "siit", "desire": "tape,disk"})[0]]
    assert [host_of(call, i) for i in ids[:2]] == ["pa", "pa"] and host_of(call, ids[2]) != "pa"
    error = refusal(ec2, there, tags={"require": "disk=tape", "desire": "crypt"})
    assert error["Code"] == "InsufficientInstanceCapacity"
    assert "required: disk=tape" in error["Message"] and "desired: crypt" in error["Message"]
    # CreateTags says where it starts next time
    ec2.stop_instances(InstanceIds=[ids[0]])
    ec2.create_tags(Resources=[ids[0]], Tags=[{"Key": "viaduct:require", "Value": "disk=tape"}])
    assert code(ec2.start_instances, InstanceIds=[ids[0]]) == "InsufficientInstanceCapacity"
    call("PUT", "/v1/hosts/pd", {"labels": {"disk": "tape"}})
    ec2.start_instances(InstanceIds=[ids[0]])
    assert host_of(call, ids[0]) == "pd"
    assert refusal(ec2, there, tags={"max-cost": "cheap"})["Code"] == "InvalidParameterValue"
    for key, value in (("max-cost", "cheap"), ("strategy", "fastest"), ("require", ","), ("desire", " , "), ("near", "")):
        assert refusal(ec2, there, tags={key: value})["Code"] == "InvalidParameterValue"
        assert code(ec2.create_tags, Resources=[ids[0]], Tags=[{"Key": "viaduct:" + key, "Value": value}]) == \
            "InvalidParameterValue"
    ec2.terminate_instances(InstanceIds=ids)


def test_a_misspelt_wish_is_refused(ec2, there, vpc):
    error = refusal(ec2, there, tags={"requires": "disk=ssd"})
    assert error["Code"] == "InvalidParameterValue" and "viaduct:requires" in error["Message"]
    assert code(ec2.create_tags, Resources=[vpc], Tags=[{"Key": "viaduct:", "Value": ""}]) == "InvalidParameterValue"
    # a client may give the same tags to all that it makes
    ec2.create_tags(Resources=[there], Tags=[{"Key": "viaduct:require", "Value": "disk"}, {"Key": "viaduct", "Value": "x"}])


def test_a_format_that_a_host_has_no_address_for_is_not_had(call):  # noqa: F811
    call("POST", "/v1/hosts", {"name": "p4", "zone": ZONE, "v4": "192.0.2.77", "edge": True, "instances": True})
    try:
        can = call("GET", "/v1/hosts/p4")["host"]["can"]
        assert "siit/2" not in can  # which its report has
        tried = call("POST", "/v1/placement", {"zone": ZONE, "require": ["siit/2"]}, expect=200)["placement"]["hosts"]
        assert next(h["text"] for h in tried if h["host"] == "p4") == "lacks siit/2, which is required"
    finally:
        call("DELETE", "/v1/hosts/p4?force=true")


def test_wishes_as_fields(ec2, endpoint, there, call):  # noqa: F811
    ec2.create_placement_group(GroupName="g", Strategy="partition")
    i, = call("POST", "/v1/instances", {
        "subnet": there, "type": "t2.nano", "require": ["siit/2", "disk=ssd"], "desire": ["crypt"], "max_cost": 1,
        "strategy": "round-robin", "group": "g", "partition": 2, "tags": {"Name": "x"}})["instances"]
    assert i["host"] == "pa" and i["placement_group"] == "g" and i["partition"] == 2 and i["account"] == "111111111111"
    assert i["tags"] == {"Name": "x", "viaduct:require": "siit/2,disk=ssd", "viaduct:desire": "crypt",
                         "viaduct:max-cost": "1", "viaduct:strategy": "round-robin"}
    near, = call("POST", "/v1/instances", {"subnet": there, "near": [i["id"]], "host": "pc"})["instances"]
    assert near["host"] == "pc"
    near2, = call("POST", "/v1/instances", {"subnet": there, "near": [near["id"]]})["instances"]
    assert near2["host"] == "pc"
    call("POST", "/v1/instances", {"subnet": there, "host": "nobody"}, expect=404)
    call("POST", "/v1/instances", {"subnet": there, "require": "siit"}, expect=400)
    call("POST", "/v1/instances", {"subnet": there, "require": ["a,b"]}, expect=400)

    def by_account(number, body, expect):
        return call("POST", "/v1/instances", body, expect=expect,
                    headers=signed(endpoint, "POST", "/v1/instances", number, body))
    by_account(1, {"subnet": there, "host": "pa"}, 403)
    by_account(2, {"subnet": there}, 404)
    mine, = by_account(1, {"subnet": there, "require": ["disk"]}, 201)["instances"]
    assert mine["host"] == "pa"
    ec2.terminate_instances(InstanceIds=[mine["id"]])
    ec2.terminate_instances(InstanceIds=[i["id"], near["id"], near2["id"]])
    ec2.delete_placement_group(GroupName="g")


def test_hosts_have_room(ec2, there, call):  # noqa: F811
    h = call("GET", "/v1/hosts/pa")["host"]
    assert h["room"]["memory"] == {"capacity": 4096, "used": 0} and h["room"]["vcpus"]["capacity"] is None
    assert h["room"]["ports"] == {"capacity": 1023, "used": 0} and "disk=ssd" in h["can"] and "siit/2" in h["can"]
    ids = run(ec2, there, 2, tags={"require": "disk=ssd"})
    h = call("PUT", "/v1/hosts/pa", {"vcpus": 3, "cost": 7})["host"]
    assert h["room"]["memory"] == {"capacity": 4096, "used": 2048} and h["cost"] == 7
    assert h["room"]["vcpus"] == {"capacity": 3, "used": 2} and h["room"]["ports"]["used"] == 2
    assert h["room"]["disk"]["used"] == 16 and h["room"]["bandwidth"]["used"] == 128 and h["labels"] == {"disk": "ssd"}
    ec2.stop_instances(InstanceIds=ids)
    h = call("GET", "/v1/hosts/pa")["host"]
    assert h["room"]["memory"]["used"] == 0 and h["room"]["disk"]["used"] == 16
    call("PUT", "/v1/hosts/pa", {"ports": 1024}, expect=400)
    call("PUT", "/v1/hosts/pa", {"memory": -1}, expect=400)
    call("PUT", "/v1/hosts/nobody", {"memory": 1}, expect=404)
    ec2.terminate_instances(InstanceIds=ids)


def test_a_drained_host_gets_nothing(ec2, there, call):  # noqa: F811
    one, = run(ec2, there, tags={"require": "disk=ssd"})
    h = call("PUT", "/v1/hosts/pa", {"drained": True})["host"]
    assert h["drained"] and h["instances"] == 1 and h["drain"]["state"] == "instances"
    assert not call("PUT", "/v1/hosts/pb", {"cost": 2})["host"]["drained"]
    p = call("POST", "/v1/placement", {"subnet": there, "require": ["disk=ssd"]}, expect=200)["placement"]
    reason = {v["host"]: (v["reason"], v["text"]) for v in p["hosts"]}["pa"]
    assert p["host"] is None and reason[0] == "drained" and "viaduct host drain pa --off" in reason[1]
    assert "1 drained" in refusal(ec2, there, tags={"require": "disk=ssd"})["Message"]
    call("PUT", "/v1/hosts/pa", {"drained": "yes"}, expect=400)
    assert call("GET", "/v1/hosts/pa")["host"]["drained"]
    assert call("PUT", "/v1/hosts/pa", {"drained": False})["host"]["drain"] is None
    two, = run(ec2, there, tags={"require": "disk=ssd"})
    ec2.terminate_instances(InstanceIds=[one, two])


def test_dry_run(ec2, there, call):  # noqa: F811
    ids = run(ec2, there, 3, tags={"require": "disk=ssd"})
    before = call("GET", "/v1/status")["revision"]

    def ask(**fields):
        return call("POST", "/v1/placement", fields, expect=200)["placement"]
    p = ask(subnet=there, type="t2.small", require=["siit/2"], desire=["disk"], max_cost=1)
    by_host = {h["host"]: h for h in p["hosts"]}
    assert p["host"] == p["hosts"][0]["host"] and p["error"] is None and p["hosts"][0]["verdict"] == "chosen"
    assert by_host["pa"]["text"] == "memory: 1024 MiB left, 2048 MiB needed" and by_host["pa"]["reason"] == "full"
    assert by_host["pb"]["text"] == "costs 2, more than 1" and by_host["pb"]["verdict"] == "rejected"
    assert by_host["h1"]["text"] == f"in zone us-east-1a, not in {ZONE}"
    assert [h["verdict"] for h in p["hosts"]][:3] == ["chosen", "fits", "rejected"]
    p = ask(subnet=there, require=["disk=tape"], host="pb")
    assert p["host"] is None and "required: disk=tape" in p["error"]
    by_host = {h["host"]: h for h in p["hosts"]}
    assert by_host["pb"]["text"] == "lacks disk=tape, which is required"
    assert by_host["pa"]["text"] == "not the host asked for, which is pb"
    assert ask(zone=ZONE, near=[])["host"]
    assert call("GET", "/v1/status")["revision"] == before
    for fields, status in (({"zone": "x"}, 400), ({"account": "1"}, 404), ({"subnet": there, "zone": ZONE}, 400),
                           ({"type": "x"}, 400), ({"near": ["tape"]}, 400), ({"strategy": "x"}, 400),
                           ({"near": [" "]}, 400), ({"host": "x"}, 404), ({"group": "x"}, 404)):
        call("POST", "/v1/placement", fields, expect=status)
    ec2.terminate_instances(InstanceIds=ids)


def test_settings(ec2, endpoint, there, call):  # noqa: F811
    assert call("GET", "/v1/settings") == {"settings": {"placement": "least-loaded"}}
    assert call("PUT", "/v1/settings", {"placement": "round-robin"}) == {"settings": {"placement": "round-robin"}}
    ids = run(ec2, there, 4)
    assert len({host_of(call, i) for i in ids}) == 3  # pb costs more
    call("PUT", "/v1/settings", {"placement": "random"}, expect=400)
    call("PUT", "/v1/settings", {"placement": "least-loaded"})
    call("PUT", "/v1/settings", {}, headers=signed(endpoint, "PUT", "/v1/settings", 1), expect=403)
    ec2.terminate_instances(InstanceIds=ids)


def test_types_tell_what_they_need(ec2):
    t, = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    assert t["NetworkInfo"]["NetworkPerformance"] == "64 Megabit"
    assert t["PlacementGroupInfo"]["SupportedStrategies"] == ["cluster", "partition", "spread"]
