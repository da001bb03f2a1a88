# SPDX-License-Identifier: Apache-2.0
"""The test server, and clients of its two accounts."""
import contextlib
import json
import os
import re
import subprocess
import urllib.request
import xml.etree.ElementTree

import boto3
import botocore.config
import botocore.parsers
import pytest

CONFIG = botocore.config.Config(retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20)



# Elements that are younger than Debian's botocore, by the name of their shape.
YOUNGER = {("CreateRouteTableResult", "clientToken"), ("CreateNetworkAclResult", "clientToken"),
           ("NatGatewayAddress", "associationId"), ("NatGatewayAddress", "isPrimary"), ("NatGatewayAddress", "status"),
           ("SecurityGroup", "securityGroupArn"), ("SecurityGroupRule", "securityGroupRuleArn"),
           ("NetworkInsightsPath", "filterAtSource"), ("NetworkInsightsPath", "filterAtDestination")}


def check_shape(element, shape, path):
    """Every element must be one that the service's model names, and its text of the right type: the
    parser would silently drop what it does not know."""
    if shape.type_name == "structure":
        members = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        for child in element:
            name = child.tag.split("}")[-1]
            if (path.count("/") == 0 and name == "requestId") or (shape.name, name) in YOUNGER:
                continue
            assert name in members, "%s/%s is not in the model" % (path, name)
            check_shape(child, members[name], path + "/" + name)
    elif shape.type_name == "list":
        for child in element:
            assert child.tag.split("}")[-1] == shape.member.serialization.get("name", "member")
            check_shape(child, shape.member, path + "[]")
    else:
        text = element.text or ""
        forms = {"boolean": "true|false", "integer": "-?[0-9]+", "long": "[0-9]+",
                 "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"}
        assert re.fullmatch(forms.get(shape.type_name, "(?s:.*)"), text), (path, text)


@pytest.fixture(scope="session", autouse=True)
def checked_parser():
    """All answers of all tests are checked against the service model that comes with botocore."""
    parser = botocore.parsers.EC2QueryParser
    original = parser.parse

    def parse(self, response, shape):
        if response["status_code"] < 300 and shape is not None:
            check_shape(xml.etree.ElementTree.fromstring(response["body"]), shape, shape.name)
        return original(self, response, shape)
    parser.parse = parse
    yield
    parser.parse = original


@contextlib.contextmanager
def serving():
    """A test server of its own, and its address."""
    server = os.environ.get("API_SERVER", "build/tests/unit/api/api_server")
    p = subprocess.Popen([server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield "http://127.0.0.1:%d" % int(p.stdout.readline())
    finally:
        p.stdin.close()
        assert p.wait(timeout=20) == 0


@pytest.fixture(scope="session")
def endpoint():
    with serving() as address:
        yield address


def client(endpoint, number, service="ec2", **more):
    arguments = {"region_name": "us-east-1", "endpoint_url": endpoint, "config": CONFIG,
                 "aws_access_key_id": "KEY%d" % number,
                 "aws_secret_access_key": "SECRET%d" % number}
    arguments.update(more)
    return boto3.client(service, **arguments)


@pytest.fixture(scope="session")
def ec2(endpoint):
    return client(endpoint, 1)


@pytest.fixture(scope="session")
def other(endpoint):
    return client(endpoint, 2)


@pytest.fixture
def make_client(endpoint):
    return lambda number=1, **more: client(endpoint, number, **more)


def raw(ec2, operation, **arguments):
    """The answer as it came, for what Debian's botocore does not know yet."""
    with urllib.request.urlopen(ec2.generate_presigned_url(operation, arguments, ExpiresIn=60, HttpMethod="GET")) as answer:
        return answer.read().decode()


@pytest.fixture
def vpc(ec2):
    """A VPC of account 1, taken away with everything in it."""
    v = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    yield v
    by_vpc = [{"Name": "vpc-id", "Values": [v]}]
    still = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    for r in ec2.describe_instances(Filters=by_vpc + [still])["Reservations"]:
        for i in r["Instances"]:
            ec2.modify_instance_attribute(InstanceId=i["InstanceId"],
                                          DisableApiTermination={"Value": False})
            ec2.terminate_instances(InstanceIds=[i["InstanceId"]])
    for i in ec2.describe_network_interfaces(Filters=by_vpc)["NetworkInterfaces"]:
        ec2.delete_network_interface(NetworkInterfaceId=i["NetworkInterfaceId"])
    for s in ec2.describe_subnets(Filters=by_vpc)["Subnets"]:
        ec2.delete_subnet(SubnetId=s["SubnetId"])
    for a in ec2.describe_network_acls(Filters=by_vpc)["NetworkAcls"]:
        if not a["IsDefault"]:
            ec2.delete_network_acl(NetworkAclId=a["NetworkAclId"])
    groups = ec2.describe_security_groups(Filters=by_vpc)["SecurityGroups"]
    for g in groups: # rules name other groups
        for rules, revoke in ((g["IpPermissions"], ec2.revoke_security_group_ingress),
                              (g["IpPermissionsEgress"], ec2.revoke_security_group_egress)):
            if rules:
                revoke(GroupId=g["GroupId"], IpPermissions=rules)
    for g in groups:
        if g["GroupName"] != "default":
            ec2.delete_security_group(GroupId=g["GroupId"])
    ec2.delete_vpc(VpcId=v)


@pytest.fixture
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


def operator(endpoint, method, path, body=None):
    request = urllib.request.Request(endpoint + path, method=method,
                                     data=json.dumps(body).encode() if body else None,
                                     headers={"Authorization": "Bearer operator"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture
def edge(endpoint):
    """An edge, and a pool of 14 public addresses."""
    operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
    pool = operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})["pool"]
    yield pool
    operator(endpoint, "DELETE", "/v1/pools/" + pool["id"])
    operator(endpoint, "DELETE", "/v1/hosts/e1")
