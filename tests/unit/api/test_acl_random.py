# SPDX-License-Identifier: Apache-2.0
"""Random requests about network ACLs, their entries and subnets, sensible and not, against a plain reference; every
describe is compared, and what is refused changes nothing.

requirement: NIC-6, OPS-1
"""
import random

import pytest

from test_clients import names
from test_policy_random import attempt
from walks import seeds, steps

STEPS = steps(150)
LAST = 32767
CIDRS = ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/24", "nonsense"]
LOST = "acl-00000000000000001"


class Reference:
    """{acl: {(egress, number): (protocol, ports, action, cidr)}} and {subnet: acl}."""

    def __init__(self, default, subnets):
        self.default = default
        self.entries = {default: {(e, 100): ("-1", None, "allow", "0.0.0.0/0") for e in (True, False)}}
        self.subnets = dict.fromkeys(subnets, default)

    def entry(self, acl, number, protocol, ports, cidr):
        """What is wrong with it."""
        if acl not in self.entries:
            return "InvalidNetworkAclID.NotFound"
        if cidr == "nonsense" or not 1 <= number < LAST or (protocol == "6" and ports[0] > ports[1]):
            return "InvalidParameterValue"
        return None


def told(ec2, vpc):
    entries, subnets = {}, {}
    for acl in ec2.describe_network_acls(Filters=names(vpc_id=[vpc]))["NetworkAcls"]:
        shown = {}
        for e in acl["Entries"]:
            ports = e.get("PortRange")
            shown[e["Egress"], e["RuleNumber"]] = (
                e["Protocol"], (ports["From"], ports["To"]) if ports else None, e["RuleAction"], e["CidrBlock"])
        assert list(shown) == sorted(shown, key=lambda k: (not k[0], k[1])), "in the order of evaluation"
        for egress in (True, False):
            assert shown.pop((egress, LAST)) == ("-1", None, "deny", "0.0.0.0/0")
        entries[acl["NetworkAclId"]] = shown
        for a in acl["Associations"]:
            subnets[a["SubnetId"]] = acl["NetworkAclId"], a["NetworkAclAssociationId"]
    return entries, subnets


@pytest.mark.parametrize("seed", seeds(3))
def test_random_requests(ec2, vpc, seed):
    rng = random.Random(seed)
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in range(3)]
    default = ec2.describe_network_acls(Filters=names(vpc_id=[vpc], default=["true"]))["NetworkAcls"][0]["NetworkAclId"]
    ref, refused = Reference(default, subnets), 0
    _, associations = told(ec2, vpc)
    gone = [LOST]
    for _ in range(STEPS):
        acl = rng.choice(list(ref.entries) + gone[-1:])
        step, expected = rng.randrange(7), None
        if step == 0 and len(ref.entries) < 6:
            answer, code = attempt(ec2.create_network_acl, VpcId=vpc)
            ref.entries[answer["NetworkAcl"]["NetworkAclId"]] = {}
        elif step <= 1:
            if acl not in ref.entries:
                expected = "InvalidNetworkAclID.NotFound"
            elif acl == default:
                expected = "InvalidParameterValue"
            elif acl in ref.subnets.values():
                expected = "DependencyViolation"
            answer, code = attempt(ec2.delete_network_acl, NetworkAclId=acl)
            if not expected:
                del ref.entries[acl]
                gone.append(acl)
        elif step == 2:
            subnet = rng.choice(subnets)
            expected = None if acl in ref.entries else "InvalidNetworkAclID.NotFound"
            old = associations[subnet][1]
            answer, code = attempt(ec2.replace_network_acl_association, AssociationId=old, NetworkAclId=acl)
            if not expected:
                ref.subnets[subnet] = acl
                # its id is not good for anything any more
                assert attempt(ec2.replace_network_acl_association, AssociationId=old,
                               NetworkAclId=acl)[1] == "InvalidAssociationID.NotFound"
        elif step == 3:
            egress, number = rng.random() < 0.5, rng.choice([100, 100, 101, 102, LAST])
            if acl not in ref.entries:
                expected = "InvalidNetworkAclID.NotFound"
            elif (egress, number) not in ref.entries[acl]:
                expected = "InvalidNetworkAclEntry.NotFound"
            answer, code = attempt(ec2.delete_network_acl_entry, NetworkAclId=acl, RuleNumber=number, Egress=egress)
            if not expected:
                del ref.entries[acl][egress, number]
        else:
            egress, number = rng.random() < 0.5, rng.choice([100, 101, 102, 103, 0, LAST])
            protocol, ports = rng.choice(["-1", "6"]), (rng.randrange(3), rng.randrange(4))
            action, cidr = rng.choice(["allow", "deny"]), rng.choice(CIDRS)
            replace = step == 4
            expected = ref.entry(acl, number, protocol, ports, cidr)
            if not expected and ((egress, number) in ref.entries[acl]) != replace:
                expected = "InvalidNetworkAclEntry.NotFound" if replace else "NetworkAclEntryAlreadyExists"
            said = {"PortRange": {"From": ports[0], "To": ports[1]}} if protocol == "6" else {}
            call = ec2.replace_network_acl_entry if replace else ec2.create_network_acl_entry
            answer, code = attempt(call, NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol=protocol,
                                   RuleAction=action, CidrBlock=cidr, **said)
            if not expected:
                ref.entries[acl][egress, number] = (protocol, ports if said else None, action, cidr)
        assert code == expected, (step, acl)
        refused += code is not None
        entries, associations = told(ec2, vpc)
        assert entries == ref.entries
        assert {s: a for s, (a, _) in associations.items()} == ref.subnets
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    for acl in ref.entries.keys() - {default}:
        ec2.delete_network_acl(NetworkAclId=acl)
    assert STEPS / 6 < refused < STEPS * 5 / 6  # a walk that never gets anywhere proves nothing
