# SPDX-License-Identifier: Apache-2.0
"""Random requests about groups, rules and interfaces, sensible and not, against a plain reference of the
rules; every describe is compared, and what is refused changes nothing.

requirement: NIC-6, OPS-1
"""
import random

import botocore.exceptions
import pytest

from test_clients import names
from walks import seeds, steps

STEPS = steps(150)
CIDRS = ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "nonsense"]
PROTOCOLS = ["tcp", "udp", "-1", "nonsense"]


class Reference:
    def __init__(self, default):
        self.rules = {default: {(False, "-1", -1, -1, default), (True, "-1", -1, -1, "0.0.0.0/0")}}
        self.names = {"default": default}
        self.default = default
        self.interfaces = {}
        self.entries = {}

    def rule(self, group, egress, protocol, first, last, end):
        """The rule as the answers show it, or why it is refused."""
        if group not in self.rules:
            return "InvalidGroup.NotFound"
        if protocol == "nonsense" or (protocol != "-1" and first > last):
            return "InvalidParameterValue"
        if end.startswith("sg-") and end not in self.rules:
            return "InvalidGroup.NotFound"
        if end == "nonsense":
            return "InvalidParameterValue"
        if protocol == "-1":
            first = last = -1
        return (egress, protocol, first, last, end)

    def may_delete(self, group):
        if group not in self.rules:
            return "InvalidGroup.NotFound"
        if group == self.default:
            return "CannotDelete"
        named = any(r[4] == group for g, rules in self.rules.items() if g != group for r in rules)
        used = any(group in groups for groups in self.interfaces.values())
        return "DependencyViolation" if named or used else None


def told(ec2, vpc):
    rules = {g["GroupId"]: set() for g in ec2.describe_security_groups(
        Filters=names(vpc_id=[vpc]))["SecurityGroups"]}
    for g in rules:
        for r in ec2.describe_security_group_rules(Filters=names(group_id=[g]))["SecurityGroupRules"]:
            end = r.get("CidrIpv4") or r["ReferencedGroupInfo"]["GroupId"]
            rules[g].add((r["IsEgress"], r["IpProtocol"], r["FromPort"], r["ToPort"], end))
    interfaces = {i["NetworkInterfaceId"]: [g["GroupId"] for g in i["Groups"]]
                  for i in ec2.describe_network_interfaces(Filters=names(vpc_id=[vpc]))[
                      "NetworkInterfaces"]}
    return rules, interfaces


def permission(protocol, first, last, end):
    p = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
    if end.startswith("sg-"):
        return dict(p, UserIdGroupPairs=[{"GroupId": end}])
    return dict(p, IpRanges=[{"CidrIp": end}])


def attempt(call, **arguments):
    try:
        return call(**arguments), None
    except botocore.exceptions.ClientError as e:
        return None, e.response["Error"]["Code"]


@pytest.mark.parametrize("seed", seeds(2))
def test_random_requests(ec2, vpc, subnet, seed):
    rng = random.Random(seed)
    default = ec2.describe_security_groups(Filters=names(vpc_id=[vpc]))["SecurityGroups"][0]["GroupId"]
    ref = Reference(default)
    gone = ["sg-00000000000000001"]
    refused = 0
    for _ in range(STEPS):
        some = lambda: rng.choice(list(ref.rules) + gone[-2:])
        step = rng.randrange(6)
        expected = None
        if step == 0:
            name = "g%d" % rng.randrange(6)
            expected = "InvalidGroup.Duplicate" if name in ref.names else None
            answer, code = attempt(ec2.create_security_group, GroupName=name, Description="d", VpcId=vpc)
            if answer:
                ref.names[name] = answer["GroupId"]
                ref.rules[answer["GroupId"]] = {(True, "-1", -1, -1, "0.0.0.0/0")}
        elif step == 1:
            g = some()
            expected = ref.may_delete(g)
            answer, code = attempt(ec2.delete_security_group, GroupId=g)
            if answer:
                del ref.rules[g]
                ref.names = {n: i for n, i in ref.names.items() if i != g}
                gone.append(g)
        elif step in (2, 3):
            g, egress, add = some(), rng.random() < 0.4, step == 2 or rng.random() < 0.2
            said = (rng.choice(PROTOCOLS), rng.randrange(3), rng.randrange(4),
                    rng.choice(CIDRS + [some()]))
            rule = ref.rule(g, egress, *said)
            if isinstance(rule, str):
                expected = rule
            elif (rule in ref.rules[g]) == add:
                expected = "InvalidPermission.Duplicate" if add else "InvalidPermission.NotFound"
            call = getattr(ec2, "%s_security_group_%s" % ("authorize" if add else "revoke",
                                                          "egress" if egress else "ingress"))
            answer, code = attempt(call, GroupId=g, IpPermissions=[permission(*said)])
            if answer:
                (ref.rules[g].add if add else ref.rules[g].remove)(rule)
        elif step == 4:
            groups = [some() for _ in range(rng.randrange(3))]
            if any(g not in ref.rules for g in groups):
                expected = "InvalidGroup.NotFound"
            if len(set(groups)) < len(groups):
                expected = expected and groups[0] not in ref.rules and expected or "InvalidParameterValue"
            answer, code = attempt(ec2.create_network_interface, SubnetId=subnet, Groups=groups)
            if answer:
                ref.interfaces[answer["NetworkInterface"]["NetworkInterfaceId"]] = groups or [default]
        else:
            if not ref.interfaces:
                continue
            i = rng.choice(list(ref.interfaces))
            if rng.random() < 0.5:
                answer, code = attempt(ec2.delete_network_interface, NetworkInterfaceId=i)
                del ref.interfaces[i]
            else:
                g = some()
                expected = None if g in ref.rules else "InvalidGroup.NotFound"
                answer, code = attempt(ec2.modify_network_interface_attribute, NetworkInterfaceId=i,
                                       Groups=[g])
                if answer:
                    ref.interfaces[i] = [g]
        assert code == expected
        refused += code is not None
        assert told(ec2, vpc) == (ref.rules, ref.interfaces)
    assert STEPS / 6 < refused < STEPS * 5 / 6 # a walk that never gets anywhere proves nothing
