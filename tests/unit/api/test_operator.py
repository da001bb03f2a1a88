# SPDX-License-Identifier: Apache-2.0
"""The operators' JSON API: every route, against docs/openapi.yaml.

requirement: OPS-1
"""
import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
API = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
DUMP = os.environ.get("API_DUMP", "build/tests/unit/api/api_dump")
OPERATOR = {"Authorization": "Bearer operator"}


def resolve(x):
    while "$ref" in x:
        node = API
        for part in x["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        x = node
    return x


def check(value, schema, path="answer"):
    """The part of JSON schema that the file uses; a field that it does not name is an error."""
    schema = resolve(schema)
    if not schema:
        return  # anything
    if value is None:
        assert schema.get("nullable"), path
        return
    types = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
    assert type(value) is types[schema["type"]], (path, value)
    if "enum" in schema:
        assert value in schema["enum"], (path, value)
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), (path, value)
    if schema["type"] == "array":
        for v in value:
            check(v, schema["items"], path + "[]")
    if schema["type"] == "object":
        for name in schema.get("required", []):
            assert name in value, path + "." + name
        for name, v in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            assert inner is not None, "%s.%s is not in the file" % (path, name)
            check(v, inner, path + "." + name)


def template_of(path):
    parts = path.split("/")
    for t in API["paths"]:
        pattern = t.split("/")
        if len(pattern) == len(parts) and all(
                p == q or p.startswith("{") for p, q in zip(pattern, parts)):
            return t
    return None


@pytest.fixture(scope="session")
def call(endpoint):
    def f(method, path, body=None, headers=None, expect=None):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(endpoint + path, data=data, method=method,
                                         headers=OPERATOR if headers is None else headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as r:
                status, text, kind = r.status, r.read(), r.headers["Content-Type"]
        except urllib.error.HTTPError as e:
            status, text, kind = e.code, e.read(), e.headers["Content-Type"]
        assert kind == "application/json"
        answer = json.loads(text)
        template = template_of(path.partition("?")[0])
        responses = API["paths"].get(template, {}).get(method.lower(), {}).get("responses", {})
        response = responses.get(str(status)) or API["components"]["responses"]["error"]
        check(answer, resolve(response)["content"]["application/json"]["schema"])
        assert status == (expect or (201 if method == "POST" else 200)), answer
        return answer
    return f


def signed(endpoint, method, path, number, body=None):
    request = botocore.awsrequest.AWSRequest(method=method, url=endpoint + path,
                                             data=None if body is None else json.dumps(body).encode())
    credentials = botocore.credentials.Credentials("KEY%d" % number, "SECRET%d" % number)
    botocore.auth.SigV4Auth(credentials, "ec2", "us-east-1").add_auth(request)
    return dict(request.headers)


def dump(what):
    return json.loads(subprocess.run([DUMP, what], check=True, capture_output=True).stdout)


def test_file_and_program_agree():
    """Each route is in the file with its parameters, fields and text, and the file has no others."""
    found = set()
    for r in dump("routes"):
        operation = API["paths"][r["path"]][r["method"].lower()]
        found.add((r["path"], r["method"].lower()))
        parameters = [resolve(p) for p in operation.get("parameters", [])]
        assert {p["name"] for p in parameters if p["in"] == "query"} == set(r["query"].split())
        assert [p["name"] for p in parameters if p["in"] == "path"] == re.findall(
            r"{(\w+)}", r["path"])
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        fields = resolve(body.get("schema", {})).get("properties", {})
        assert list(fields) == r["fields"].split()
        assert operation["summary"] == r["text"]
        assert operation.get("x-accounts", False) == r["for_accounts"]
        # a dry run has a body, and changes nothing
        assert r["writes"] == (r["method"] != "GET" and r["path"] != "/v1/placement")
    assert found == {(p, m) for p, ms in API["paths"].items() for m in ms}


def test_status(call):
    s = call("GET", "/v1/status")
    assert s["region"] == "us-east-1" and s["hosts"] == {"total": 2, "connected": 2, "foreign": 0}
    assert s["store"] == {"kind": "memory", "state": "ok", "error": None}
    assert s["revision"] == s["durable_revision"] and s["counts"]["accounts"] >= 2


def test_hosts(call):
    h1, h2 = call("GET", "/v1/hosts")["hosts"][:2]
    assert (h1["name"], h2["name"]) == ("h1", "h2") and h1["v6"] == "fd00::11"
    assert h1["state"] == "connected" and h2["state"] == "disconnected"
    assert h1["capabilities"]["formats"] == ["siit/1", "siit/2", "ipip6/1"]
    assert (h2["lookups_told"], h2["lookups_refused"]) == (12, 2)
    new = call("POST", "/v1/hosts", {"name": "h9", "rack": 3, "v6": "fd00::99",
                                     "labels": {"env": "test"}})
    host, bundle = new["host"], new["bundle"]
    assert host["rack"] == 3 and host["labels"] == {"env": "test"} and host["siit2"]
    assert bundle["host"] == {k: host[k] for k in ("id", "name", "number")}
    assert bundle["certificate"] == host["id"] and bundle["managers"] == ["[fd00::1]:8774"]
    assert call("GET", "/v1/hosts/h9")["host"]["id"] == host["id"]
    for body, message in (
            ({}, "'name' must be given"), ({"name": "h9", "v6": "fd00::98"}, "exists"),
            ({"name": 3}, "'name' must be a string"), ({"name": "x", "rack": -1}, "'rack'"),
            ({"name": "x", "v6": "nonsense"}, "nonsense"), ({"name": "x y", "v6": "fd00::97"}, "x y"),
            ({"name": "x", "nonsense": 1}, "'nonsense' is not known"),
            ({"name": "x", "labels": {"a": 1}}, "'a' of 'labels' must be a string"), ([], "must be a JSON object"),
            ({"name": "x\u0001"}, "control"), ({"name": "x", "rack": 4096, "v6": "fd00::96"}, "")):
        expect = 409 if message == "exists" else 400
        error = call("POST", "/v1/hosts", body, expect=expect)["error"]
        assert message in error["message"], (body, error)
    call("POST", "/v1/hosts", b"{", expect=400)
    call("POST", "/v1/hosts", b'{"name":"a","name":"b"}', expect=400)
    call("DELETE", "/v1/hosts/h9")
    call("DELETE", "/v1/hosts/h9", expect=404)
    call("GET", "/v1/hosts/h9", expect=404)
    call("DELETE", "/v1/hosts/h1?force=maybe", expect=400)


def test_flow_logs(call, endpoint, ec2, other, subnet):
    """A log's records are read by its owner's signature and by operators; another customer's there is none of.
    requirement: OPS-1 OPS-4"""
    log, = ec2.create_flow_logs(ResourceIds=[subnet], ResourceType="Subnet", TrafficType="ALL", LogGroupName="g",
                                DeliverLogsPermissionArn="arn:r",
                                LogFormat="${version} ${account-id} ${srcaddr}")["FlowLogIds"]
    f, = call("GET", "/v1/flow-logs")["flow_logs"]
    assert (f["id"], f["resource"], f["traffic"], f["destination"], f["account"]) == (
        log, subnet, "ALL", "g", "111111111111")
    a = call("GET", "/v1/flow-logs/%s/records" % log)
    assert a["fields"] == ["version", "account-id", "srcaddr"]
    assert a["records"] == ["2 111111111111 one", "2 111111111111 two"]
    assert call("GET", "/v1/flow-logs/%s/records?after=%s" % (log, a["next"])) == dict(a, records=[])
    call("GET", "/v1/flow-logs/%s/records?after=x" % log, expect=400)
    call("GET", "/v1/flow-logs/fl-00000000000000001/records", expect=404)
    path = "/v1/flow-logs/%s/records" % log
    assert call("GET", path, headers=signed(endpoint, "GET", path, 1)) == a
    assert set(call("GET", path, headers=signed(endpoint, "GET", path, 2), expect=404)) == {"error"}
    assert call("GET", "/v1/flow-logs", headers=signed(endpoint, "GET", "/v1/flow-logs", 2))["flow_logs"] == []
    ec2.delete_flow_logs(FlowLogIds=[log])


def test_capabilities_and_pairs(call):
    assert [c["host"] for c in call("GET", "/v1/capabilities")["capabilities"]] == ["h1", "h2"]
    pairs = call("GET", "/v1/pairs")["pairs"]
    assert {(p["from"], p["to"]) for p in pairs} == {("h1", "h2"), ("h2", "h1")}
    assert all(p["send"] == "siit/2" and p["reason"] for p in pairs)
    p, = call("GET", "/v1/pairs?from=h1&to=h2")["pairs"]
    assert "siit/2" in p["accept"] and "ipip6/1" in p["accept"]
    call("GET", "/v1/pairs?from=nobody", expect=404)


@pytest.fixture
def instance(ec2, subnet):
    r = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet, TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "x"}]}])
    return r["Instances"][0]


def test_objects(call, vpc, subnet, instance):
    n, = [x for x in call("GET", "/v1/networks")["networks"] if x["id"] == vpc]
    assert n["cidr"] == "10.0.0.0/16" and n["subnets"] == 1 and n["mtu"] == 1460
    assert n["ipv6_cidrs"] == []
    s, = call("GET", "/v1/subnets?network=" + vpc)["subnets"]
    assert s["id"] == subnet and s["vni"] == n["vni"] and s["router"] == "10.0.1.1"
    assert s["interfaces"] == 1 and s["available"] == 250
    i, = call("GET", "/v1/instances?network=%s&state=running" % vpc)["instances"]
    assert i["id"] == instance["InstanceId"] and i["tags"] == {"Name": "x"}
    assert i["host"] in ("h1", "h2") and i["private_address"] == instance["PrivateIpAddress"]
    assert call("GET", "/v1/instances?network=%s&state=stopped" % vpc)["instances"] == []
    e, = call("GET", "/v1/interfaces?instance=" + i["id"])["interfaces"]
    assert [e["id"]] == i["interfaces"] and e["addresses"] == [i["private_address"]]
    assert e["status"] == "in-use" and e["attachment"]["instance"] == i["id"]
    assert e["applied"] is True and e["host"] == i["host"]
    assert call("GET", "/v1/interfaces?subnet=%s&host=%s" % (subnet, i["host"]))[
        "interfaces"] == [e]
    m, = call("GET", "/v1/mappings?network=" + vpc)["mappings"]
    assert m["address"] == i["private_address"] and m["state"] == "active"
    assert m["interface"] == e["id"] and m["host"] == i["host"] and m["holders"] == 0
    assert call("GET", "/v1/releases")["releases"] == []
    call("DELETE", "/v1/releases/%s/10.0.1.9" % vpc, expect=400)
    call("DELETE", "/v1/releases/%s/nonsense" % vpc, expect=400)
    call("DELETE", "/v1/releases/vpc-1/10.0.1.9", expect=404)
    call("DELETE", "/v1/hosts/" + i["host"], expect=409)


def test_drops(call):
    assert call("GET", "/v1/drops") == {"drops": []}
    call("GET", "/v1/drops?host=nobody", expect=404)
    call("GET", "/v1/drops?interface=eni-00000000000000001", expect=404)
    for path in "addresses", "nat-gateways":
        call("GET", f"/v1/{path}?edge=nobody", expect=404)
    assert "shutting-down" in call("GET", "/v1/instances?state=bogus", expect=400)["error"]["message"]
    assert call("GET", "/v1/instances?state=stopping") == {"instances": []}


def test_traffic(call):
    """requirement: PKT-15, OPS-1"""
    rows = call("GET", "/v1/traffic")["traffic"]
    assert [(r["host"], r["format"]) for r in rows[:3]] == [("h1", "none"), ("h1", "siit/2"), ("h2", "FORMAT_13")]
    assert call("GET", "/v1/traffic?host=h1")["traffic"] == rows[:2]
    assert rows[1] == {"host": "h1", "format": "siit/2", "sent_packets": 30, "sent_bytes": 3000,
                       "received_packets": 40, "received_bytes": 4000}
    call("GET", "/v1/traffic?host=nobody", expect=404)


def test_an_account_with_a_default_vpc(call):
    a = call("POST", "/v1/accounts", {"name": "n", "default_vpc": True})["account"]["id"]
    mine = [n for n in call("GET", "/v1/networks")["networks"] if n["account"] == a]
    assert [n["cidr"] for n in mine] == ["172.31.0.0/16"]
    call("POST", "/v1/accounts", {"name": "n", "default_vpc": "yes"}, expect=400)


def test_accounts(call, make_client):
    a = call("POST", "/v1/accounts", {"name": "someone"})["account"]
    assert re.fullmatch("[0-9]{12}", a["id"]) and a["name"] == "someone"
    assert a["limits"] == {"rules_per_security_group": 60, "security_groups_per_interface": 5,
                           "entries_per_network_acl": 20}
    limits = "/v1/accounts/%s/limits" % a["id"]
    assert call("PUT", limits, {"rules_per_security_group": 1000})["account"]["limits"] == dict(
        a["limits"], rules_per_security_group=1000)
    call("PUT", limits, {"security_groups_per_interface": 17}, expect=400)
    call("PUT", limits, {"entries_per_network_acl": 41}, expect=400)
    call("PUT", "/v1/accounts/999999999999/limits", {}, expect=404)
    assert call("PUT", limits, {"rules_per_security_group": 0})["account"] == a
    path = "/v1/accounts/%s/keys" % a["id"]
    key = call("POST", path, {})["key"]
    assert len(key["secret_access_key"]) == 40 and key["account"] == a["id"]
    listed, = call("GET", path)["keys"]
    assert listed["access_key_id"] == key["access_key_id"] and "secret_access_key" not in listed
    client = make_client(aws_access_key_id=key["access_key_id"],
                         aws_secret_access_key=key["secret_access_key"])
    v = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    call("DELETE", "/v1/accounts/" + a["id"], expect=409)
    client.delete_vpc(VpcId=v)
    call("DELETE", path + "/" + key["access_key_id"])
    with pytest.raises(botocore.exceptions.ClientError):
        client.describe_vpcs()
    call("DELETE", path + "/" + key["access_key_id"], expect=404)
    call("POST", path, {"access_key_id": "KEY1", "secret_access_key": "x" * 20}, expect=409)
    call("DELETE", "/v1/accounts/" + a["id"])
    call("GET", path, expect=404)
    call("POST", "/v1/accounts", {"id": "12"}, expect=400)
    call("POST", "/v1/accounts", {"id": "111111111111"}, expect=409)
    before = call("GET", "/v1/accounts")
    for name in ("", "  ", "a\nb", "a\x7f", "x" * 256):
        call("POST", "/v1/accounts", {"name": name}, expect=400)
    assert call("GET", "/v1/accounts") == before
    named = call("POST", "/v1/accounts", {"name": "\u00fcber"})["account"]
    assert named["name"] == "\u00fcber"
    call("DELETE", "/v1/accounts/" + named["id"])


def test_pages(call):
    ids = [call("POST", "/v1/accounts", {"name": "page"})["account"]["id"] for _ in range(5)]
    found, path = [], "/v1/accounts?limit=2"
    while path:
        page = call("GET", path)
        assert len(page["accounts"]) <= 2
        found += [a["id"] for a in page["accounts"]]
        path = "next" in page and "/v1/accounts?limit=2&next=" + page["next"]
    assert found[-5:] == ids and len(set(found)) == len(found)
    for bad in ("limit=0", "limit=1001", "limit=x", "next=x", "nonsense=1"):
        call("GET", "/v1/accounts?" + bad, expect=400)
    for i in ids:
        call("DELETE", "/v1/accounts/" + i)


def test_who_may(call, endpoint, vpc, instance):
    assert call("GET", "/v1/status", headers={}, expect=401)["error"]["code"] == "Unauthorized"
    call("GET", "/v1/status", headers={"Authorization": "Bearer wrong"}, expect=401)
    call("GET", "/v1/status", headers={"Authorization": "Basic YTpi"}, expect=400)
    for r in dump("routes"):
        path = re.sub(r"{\w+}", "x", r["path"])
        headers = signed(endpoint, r["method"], path, 1)
        if not r["for_accounts"]:
            error = call(r["method"], path, headers=headers, expect=403)["error"]
            assert error["code"] == "Forbidden"
        elif "{" in r["path"]:
            call(r["method"], path, headers=headers, expect=404 if r["path"].count("/") == 3 or
                 r["method"] in ("DELETE", "GET") or "/accounts/" in path else 400)
        else: # an instance needs a subnet
            call(r["method"], path, headers=headers, expect=400 if r["method"] == "POST" else 200)
    for path, name in (("/v1/networks", "networks"), ("/v1/instances", "instances"),
                       ("/v1/interfaces", "interfaces"), ("/v1/mappings", "mappings"),
                       ("/v1/subnets", "subnets")):
        assert call("GET", path, headers=signed(endpoint, "GET", path, 1))[name]
        assert call("GET", path, headers=signed(endpoint, "GET", path, 2))[name] == []


def test_a_read_only_key(call, make_client, vpc):
    """requirement: OPS-2"""
    path = "/v1/accounts/111111111111/keys"
    assert call("POST", path, {"role": "king"}, expect=400)["error"]
    key = call("POST", path, {"role": "read-only"})["key"]
    assert key["role"] == "read-only"
    ec2 = make_client(aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])
    assert vpc in [v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]]
    for write, arguments in ((ec2.create_vpc, {"CidrBlock": "10.3.0.0/16"}), (ec2.delete_vpc, {"VpcId": vpc}),
                             (ec2.create_vpc, {"CidrBlock": "10.3.0.0/16", "DryRun": True})):
        with pytest.raises(botocore.exceptions.ClientError) as e:
            write(**arguments)
        assert e.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert vpc in [v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]]
    call("DELETE", "%s/%s" % (path, key["access_key_id"]))


def test_an_interface_record(call, ec2, subnet, instance):
    """What EC2 does not have of a record is set and shown here.  requirement: NIC-1"""
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    path = "/v1/interfaces/" + eni
    before = call("GET", path)["interface"]
    assert before["condition"] == "normal" and before["zone"] == "us-east-1a" and before["macs"] == []
    assert before["billing_account"] == before["account"] == "111111111111"
    wanted = {"attachers": ["222222222222"], "setters": ["222222222222"], "condition": "disabled", "vlan": 12,
              "dns_server": "10.0.1.53", "billing_account": "222222222222",
              "routes": [{"prefix": "192.168.0.0/16", "via": "10.0.1.9"}]}
    after = call("PUT", path, wanted)["interface"]
    assert {k: after[k] for k in wanted} == wanted and after["modifiers"] == []
    assert call("GET", path)["interface"] == after
    for wrong in ({"attachers": "222222222222"}, {"attachers": [1]}, {"routes": [{"via": "10.0.1.9"}]},
                  {"vlan": "x"}, {"color": "red"}):
        assert call("PUT", path, wrong, expect=400)["error"]["code"] == "BadRequest"
    assert call("PUT", path, {"attachers": ["333333333333"]}, expect=404)["error"]
    assert call("GET", path)["interface"] == after
    attach = {"instance": instance["InstanceId"]}
    assert call("PUT", path + "/attachment", attach, expect=409)["error"]
    call("PUT", path, {"condition": "normal"})
    attached = call("PUT", path + "/attachment", attach)["interface"]
    assert attached["attachment"]["device_index"] == 1 and attached["attachment"]["owner"] == "111111111111"
    assert attached["macs"] == [attached["mac"]]
    call("DELETE", path + "/attachment?force=true")
    assert call("GET", path)["interface"]["attachment"] is None
    call("DELETE", path + "/attachment", expect=404)


def test_who_pays_has_agreed(call, endpoint, ec2, subnet):
    """An account names another as payer only as that one wishes; both see it.  requirement: NIC-1 OPS-1 OPS-2"""
    first, second = "111111111111", "222222222222"
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    path, agreement = "/v1/interfaces/" + eni, f"/v1/accounts/{second}/billing/{first}"

    def by(number, method, path, body=None, expect=200):
        return call(method, path, body, headers=signed(endpoint, method, path, number, body), expect=expect)

    def billing(number, account):
        return by(number, "GET", f"/v1/accounts/{account}/billing")["billing"]

    def payer():
        return call("GET", path)["interface"]["billing_account"]

    name = {"billing_account": second}
    assert "has not agreed" in by(1, "PUT", path, name, expect=403)["error"]["message"]
    assert by(1, "PUT", path, {"billing_account": first}) and payer() == first
    for method in ("PUT", "DELETE"):
        by(1, method, agreement, expect=404)
    by(1, "GET", f"/v1/accounts/{second}/billing", expect=404)
    by(2, "PUT", f"/v1/accounts/{second}/billing/333333333333", expect=404)
    by(2, "PUT", f"/v1/accounts/{second}/billing/{second}", expect=400)
    assert by(2, "PUT", agreement)["billing"] == {"account": second, "pays_for": [first], "payers": []}
    assert billing(1, first) == {"account": first, "pays_for": [], "payers": [second]} and payer() == first
    assert by(1, "PUT", path, name)["interface"]["billing_account"] == second
    assert by(2, "DELETE", agreement)["billing"]["pays_for"] == [] == billing(1, first)["payers"]
    assert payer() == first
    by(1, "PUT", path, name, expect=403)
    assert call("PUT", path, name)["interface"]["billing_account"] == second == payer()
    assert by(1, "PUT", path, {"billing_account": ""}) and payer() == first
    ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_an_address_is_given_to_whom_it_is_for(call, ec2, subnet, instance):
    """requirement: NIC-3"""
    a, b = (ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in "ab")
    path = f"/v1/subnets/{subnet}/addresses/10.0.1.200"
    first = call("PUT", path, {"interface": a})
    assert not first["made"] and first["interface"]["addresses"][-1] == "10.0.1.200"
    assert call("PUT", path, {"interface": b})["interface"]["id"] == b
    assert "10.0.1.200" not in call("GET", "/v1/interfaces/" + a)["interface"]["addresses"]
    # with neither, a new record that is attached to nothing; one that nobody has is its primary address
    made = call("PUT", path, {}, expect=201)
    assert made["made"] and made["interface"]["addresses"][1:] == ["10.0.1.200"] and not made["interface"]["attachment"]
    own = call("PUT", f"/v1/subnets/{subnet}/addresses/10.0.1.201", expect=201)["interface"]
    assert own["addresses"] == ["10.0.1.201"]
    given = call("PUT", path, {"instance": instance["InstanceId"]})["interface"]
    assert given["attachment"]["instance"] == instance["InstanceId"]
    interfaces = len(call("GET", "/v1/interfaces")["interfaces"])
    for where, body, status in ((path, {"interface": a, "instance": instance["InstanceId"]}, 400),
                                (path, {"interface": "eni-00000000000000000"}, 404),
                                (path, {"node": "x"}, 400),
                                (f"/v1/subnets/{subnet}/addresses/x", {}, 400),
                                (f"/v1/subnets/{subnet}/addresses/10.0.1.201", {"interface": a}, 409),  # a primary one
                                ("/v1/subnets/subnet-00000000000000000/addresses/10.0.1.200", {}, 404)):
        assert call("PUT", where, body, expect=status)["error"]["message"]
    assert len(call("GET", "/v1/interfaces")["interfaces"]) == interfaces
    for eni in (made["interface"]["id"], own["id"], a, b):
        ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=given["id"], PrivateIpAddresses=["10.0.1.200"])


def test_a_preloaded_network(call, ec2, vpc):
    """The mark is the owner's tag, whoever sets it; other values of that tag make no sense.  requirement: MAP-7"""
    def shown():
        return [n["preloaded"] for n in call("GET", "/v1/networks")["networks"] if n["id"] == vpc]
    path = "/v1/networks/" + vpc
    assert shown() == [False]
    assert call("PUT", path, {"preloaded": "yes"}, expect=400)["error"]["code"] == "BadRequest"
    assert "preloaded" in call("PUT", path, {}, expect=400)["error"]["message"]
    assert call("PUT", "/v1/networks/vpc-0123456789abcdef0", {"preloaded": True}, expect=404)["error"]
    assert call("PUT", path, {"preloaded": True})["network"]["preloaded"] is True
    tags = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", [])
    assert {"Key": "viaduct:preloaded", "Value": "true"} in tags and shown() == [True]
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "viaduct:preloaded"}])
    assert shown() == [False]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "viaduct:preloaded", "Value": "true"}])
    assert shown() == [True]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "viaduct:preloaded", "Value": "sometimes"}])
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue" and '"true"' in str(refused.value)
    assert call("PUT", path, {"preloaded": False})["network"]["preloaded"] is False


def test_unknown_macs_of_a_network(call, ec2, vpc):
    """The owner's tag says it, whoever sets it.  requirement: PKT-1"""
    def shown():
        return [n["unknown_macs"] for n in call("GET", "/v1/networks")["networks"] if n["id"] == vpc]
    path = "/v1/networks/" + vpc
    assert shown() == ["refuse"]
    wrong = call("PUT", path, {"unknown_macs": "flood"}, expect=400)["error"]
    assert '"resolve" or "refuse"' in wrong["message"] and shown() == ["refuse"]
    assert call("PUT", path, {"unknown_macs": True}, expect=400)["error"]["code"] == "BadRequest"
    assert call("PUT", path, {"unknown_macs": "resolve"})["network"]["unknown_macs"] == "resolve"
    tags = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", [])
    assert {"Key": "viaduct:unknown-macs", "Value": "resolve"} in tags and shown() == ["resolve"]
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "viaduct:unknown-macs"}])
    assert shown() == ["refuse"]
    assert call("PUT", path, {"unknown_macs": "refuse", "preloaded": False})["network"]["unknown_macs"] == "refuse"


def test_the_router_of_a_subnet(call, ec2, vpc):
    """By the operators' API, and by a tag when the subnet is made.  requirement: PKT-7"""
    def shown(subnet):
        found, = [s for s in call("GET", "/v1/subnets?network=" + vpc)["subnets"] if s["id"] == subnet]
        return found["router"], found["available"]

    def tagged(cidr, router):
        return ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, TagSpecifications=[
            {"ResourceType": "subnet", "Tags": [{"Key": "viaduct:router", "Value": router}]}])["Subnet"]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        tagged("10.0.77.0/28", "10.0.78.1")
    assert "does not fall within the subnet" in str(refused.value)
    made = tagged("10.0.77.0/28", "10.0.77.14")
    subnet, path = made["SubnetId"], "/v1/subnets/" + made["SubnetId"]
    assert made["AvailableIpAddressCount"] == 10 and shown(subnet) == ("10.0.77.14", 10)
    assert call("PUT", path, {"router": "10.0.77.9"})["subnet"]["router"] == "10.0.77.9"
    assert call("PUT", path, {}, expect=400)["error"]["code"] == "BadRequest"
    assert call("PUT", "/v1/subnets/subnet-0123456789abcdef0", {"router": ""}, expect=404)["error"]
    for wrong in ("10.0.77.0", "10.0.77.2", "10.0.77.15", "10.0.78.1", "fe80::1", "none"):
        assert wrong in call("PUT", path, {"router": wrong}, expect=400)["error"]["message"]
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.77.9")
    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.77.8")["NetworkInterface"]
    assert "10.0.77.8" in call("PUT", path, {"router": "10.0.77.8"}, expect=409)["error"]["message"]
    assert shown(subnet) == ("10.0.77.9", 9)
    assert call("PUT", path, {"router": ""})["subnet"]["router"] == "10.0.77.1" and shown(subnet) == ("10.0.77.1", 10)
    ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=subnet)


def test_a_shared_record(call, ec2, subnet, instance):
    """Marked so by its owner, and by nobody else; each attachment is shown.  requirement: NIC-4"""
    other = ec2.run_instances(ImageId="ami-netns", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    path = "/v1/interfaces/" + eni
    assert call("GET", path)["interface"]["shared"] is False
    assert call("PUT", path, {"shared": "yes"}, expect=400)["error"]["code"] == "BadRequest"
    call("PUT", path, {"attachers": ["222222222222"]})
    assert call("PUT", path, {"shared": True})["interface"]["shared"] is True
    first = call("PUT", path + "/attachment", {"instance": instance["InstanceId"]})
    assert first["attachment"]["instance"] == instance["InstanceId"]
    assert first["interface"]["attachments"] == [first["attachment"]]
    hosts = {i["id"]: i["host"] for i in call("GET", "/v1/instances")["instances"]}
    assert hosts[other["InstanceId"]] != hosts[instance["InstanceId"]], hosts
    second = call("PUT", path + "/attachment", {"instance": other["InstanceId"]})
    shown = second["interface"]
    assert [a["id"] for a in shown["attachments"]] == [first["attachment"]["id"], second["attachment"]["id"]]
    assert shown["attachment"]["id"] == first["attachment"]["id"]
    assert shown["instances"] == [instance["InstanceId"], other["InstanceId"]]
    assert shown["hosts"] == [hosts[i] for i in shown["instances"]]
    assert call("PUT", path, {"shared": False}, expect=409)["error"]
    # EC2's clients see the first, and find it by any
    found = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [other["InstanceId"]]}])
    assert eni in [i["NetworkInterfaceId"] for i in found["NetworkInterfaces"]]
    found = [i for i in found["NetworkInterfaces"] if i["NetworkInterfaceId"] == eni][0]
    assert found["Attachment"]["AttachmentId"] == first["attachment"]["id"]
    nics = ec2.describe_instances(InstanceIds=[other["InstanceId"]])["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
    assert [n["Attachment"]["AttachmentId"] for n in nics if n["NetworkInterfaceId"] == eni] == [second["attachment"]["id"]]
    # which one ends has to be said
    assert "attachment=" in call("DELETE", path + "/attachment", expect=409)["error"]["message"]
    call("DELETE", path + "/attachment?attachment=eni-attach-00000000000000001", expect=404)
    call("DELETE", path + "/attachment?force=true&attachment=" + first["attachment"]["id"])
    shown = call("GET", path)["interface"]
    assert [a["id"] for a in shown["attachments"]] == [second["attachment"]["id"]]
    assert shown["attachment"]["id"] == second["attachment"]["id"]
    mappings = [m for m in call("GET", "/v1/mappings")["mappings"] if m["interface"] == eni]
    assert [m["hosts"] for m in mappings] == [[m["host"]] if m["host"] else [] for m in mappings]
    call("DELETE", path + "/attachment?force=true")
    ec2.terminate_instances(InstanceIds=[other["InstanceId"]])


def test_a_foreign_host(call, endpoint, ec2, subnet):
    """An operator registers it, without a bundle, and puts a record on it.  requirement: PKT-3 OPS-1"""
    new = call("POST", "/v1/hosts", {"name": "box", "foreign": "192.0.2.9", "labels": {"kind": "switch"}})
    assert set(new) == {"host"}
    host = new["host"]
    assert (host["state"], host["role"], host["runs_instances"]) == ("foreign", "foreign", False)
    assert (host["v4"], host["v6"], host["siit1"], host["siit2"]) == ("192.0.2.9", None, None, None)
    assert host["capabilities"]["formats"] == ["vxlan/1"] and host["capabilities"]["features"] == []
    assert call("GET", "/v1/status")["hosts"] == {"total": 2, "connected": 2, "foreign": 1}
    with urllib.request.urlopen(urllib.request.Request(endpoint + "/metrics", headers=OPERATOR), timeout=20) as r:
        metrics = r.read().decode()
    assert 'viaduct_host_connected{host="h1"}' in metrics and 'viaduct_host_connected{host="box"}' not in metrics
    for body in ({"foreign": "192.0.2.9"}, {"foreign": "x"}, {"foreign": "192.0.2.7", "v4": "192.0.2.8"},
                 {"foreign": "192.0.2.7", "mtu": 100}, {"foreign": "192.0.2.7", "edge": True}):
        call("POST", "/v1/hosts", dict(body, name="other"), expect=409 if body["foreign"] == host["v4"] else 400)
    for what in "probe", "rotate":
        assert "no agent" in call("POST", "/v1/hosts/box/" + what, expect=409)["error"]["message"]
    verdicts = call("POST", "/v1/placement", {"subnet": subnet}, expect=200)["placement"]["hosts"]
    assert [v["reason"] for v in verdicts if v["host"] == "box"] == ["foreign"], verdicts
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    path = "/v1/interfaces/%s/attachment" % eni
    call("PUT", path, {"host": "h1"}, expect=400)
    call("PUT", path, {"host": "nobody"}, expect=404)
    call("PUT", path, {"host": "box", "device_index": 1}, expect=400)
    call("PUT", path, {"host": "box"}, headers=signed(endpoint, "PUT", path, 1, {"host": "box"}), expect=403)
    placed = call("PUT", path, {"host": "box"})
    assert placed["attachment"]["host"] == "box" and placed["attachment"]["instance"] is None
    assert placed["interface"]["instances"] == [] and placed["interface"]["applied"] is True
    mapping, = [m for m in call("GET", "/v1/mappings")["mappings"] if m["interface"] == eni]
    assert (mapping["host"], mapping["hosts"], mapping["instance"]) == ("box", ["box"], None)
    # EC2's clients see it in use, at nobody's instance
    shown = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    assert shown["Status"] == "in-use" and "InstanceId" not in shown["Attachment"]
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.detach_network_interface(AttachmentId=shown["Attachment"]["AttachmentId"])
    with pytest.raises(botocore.exceptions.ClientError):
        ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert "1 interfaces" in call("DELETE", "/v1/hosts/box", expect=409)["error"]["message"]
    call("DELETE", path)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    call("DELETE", "/v1/hosts/box")
    assert call("GET", "/v1/status")["hosts"] == {"total": 2, "connected": 2, "foreign": 0}


def test_what_is_not_there(call):
    for path in ("/v1", "/v1/", "/v1/nonsense", "/v1/hosts/", "/v1//hosts", "/v1/hosts/a/b",
                 "/v1/a/b/c/d/e/f/g"):
        assert call("GET", path, expect=404)["error"]["code"] == "NotFound"
    call("POST", "/v1/status", {}, expect=405)
    call("DELETE", "/v1/accounts", expect=405)
