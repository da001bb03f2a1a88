# SPDX-License-Identifier: Apache-2.0
"""Network ACLs as boto3 sees them.

requirement: NIC-6, OPS-1
"""
import pytest

from test_clients import code, names, refused

LAST = [{"CidrBlock": "0.0.0.0/0", "Egress": egress, "Protocol": "-1", "RuleAction": "deny",
         "RuleNumber": 32767} for egress in (True, False)]


def shown(ec2, acl):
    return ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]


def default_of(ec2, vpc):
    return ec2.describe_network_acls(Filters=names(vpc_id=[vpc], default=["true"]))[
        "NetworkAcls"][0]


def entry(acl, number=100, **more):
    return dict({"NetworkAclId": acl, "RuleNumber": number, "Protocol": "6", "Egress": False,
                 "RuleAction": "allow", "CidrBlock": "10.0.0.0/8",
                 "PortRange": {"From": 80, "To": 443}}, **more)


def test_default_acl(ec2, vpc, subnet):
    a = default_of(ec2, vpc)
    assert a["IsDefault"] and a["OwnerId"] == "111111111111" and a["VpcId"] == vpc
    allow = [dict(e, RuleAction="allow", RuleNumber=100) for e in LAST]
    assert a["Entries"] == [allow[0], LAST[0], allow[1], LAST[1]]
    association, = a["Associations"]
    assert association["SubnetId"] == subnet
    assert association["NetworkAclId"] == a["NetworkAclId"]
    assert association["NetworkAclAssociationId"].startswith("aclassoc-0")
    assert code(ec2.delete_network_acl,
                NetworkAclId=a["NetworkAclId"]) == "InvalidParameterValue"


def test_life(ec2, vpc):
    a = ec2.create_network_acl(VpcId=vpc, TagSpecifications=[
        {"ResourceType": "network-acl", "Tags": [{"Key": "Name", "Value": "n"}]}])["NetworkAcl"]
    assert not a["IsDefault"] and a["Entries"] == LAST and a["Associations"] == []
    assert a["Tags"] == [{"Key": "Name", "Value": "n"}]
    assert shown(ec2, a["NetworkAclId"]) == a
    assert code(ec2.create_network_acl, VpcId=vpc, DryRun=True) == "DryRunOperation"
    ec2.delete_network_acl(NetworkAclId=a["NetworkAclId"])
    assert refused(ec2.delete_network_acl, NetworkAclId=a["NetworkAclId"])[:2] == (
        "InvalidNetworkAclID.NotFound",
        "The networkAcl ID '%s' does not exist" % a["NetworkAclId"])
    assert code(ec2.create_network_acl, VpcId="vpc-00000000000000001") == "InvalidVpcID.NotFound"


def test_entries(ec2, vpc):
    a = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(**entry(a, 200))
    ec2.create_network_acl_entry(**entry(a, 100, Protocol="1", IcmpTypeCode={
        "Type": 8, "Code": -1}, CidrBlock="10.0.0.77/16"))
    ec2.create_network_acl_entry(**entry(a, 100, Egress=True, Protocol="-1", RuleAction="deny"))
    ec2.create_network_acl_entry(NetworkAclId=a, RuleNumber=150, Protocol="17", Egress=False,
                                 RuleAction="deny", Ipv6CidrBlock="2001:db8::/32",
                                 PortRange={"From": 0, "To": 65535})
    entries = shown(ec2, a)["Entries"]
    assert [(e["Egress"], e["RuleNumber"], e["Protocol"], e["RuleAction"]) for e in entries] == [
        (True, 100, "-1", "deny"), (True, 32767, "-1", "deny"), (False, 100, "1", "allow"),
        (False, 150, "17", "deny"), (False, 200, "6", "allow"), (False, 32767, "-1", "deny")]
    assert entries[2]["IcmpTypeCode"] == {"Type": 8, "Code": -1}
    assert entries[2]["CidrBlock"] == "10.0.0.0/16" and "PortRange" not in entries[0]
    assert entries[3]["Ipv6CidrBlock"] == "2001:db8::/32"
    assert entries[4]["PortRange"] == {"From": 80, "To": 443}
    assert refused(ec2.create_network_acl_entry, **entry(a, 200))[:2] == (
        "NetworkAclEntryAlreadyExists",
        "The network acl entry identified by 200 already exists.")
    ec2.replace_network_acl_entry(**entry(a, 200, RuleAction="deny"))
    assert shown(ec2, a)["Entries"][4]["RuleAction"] == "deny"
    assert code(ec2.replace_network_acl_entry, **entry(a, 201)) == "InvalidNetworkAclEntry.NotFound"
    ec2.delete_network_acl_entry(NetworkAclId=a, RuleNumber=200, Egress=False)
    assert refused(ec2.delete_network_acl_entry, NetworkAclId=a, RuleNumber=200,
                   Egress=False)[:2] == (
        "InvalidNetworkAclEntry.NotFound",
        "The network acl entry identified by 200 does not exist.")


@pytest.mark.parametrize("change, expected", [
    ({"RuleNumber": 0}, "InvalidParameterValue"), ({"RuleNumber": 32767}, "InvalidParameterValue"),
    ({"RuleAction": "maybe"}, "InvalidParameterValue"), ({"Protocol": "x"}, "InvalidParameterValue"),
    ({"CidrBlock": "10.0.0.0/33"}, "InvalidParameterValue"),
    ({"PortRange": {"From": 5, "To": 1}}, "InvalidParameterValue"),
    ({"PortRange": {}}, "InvalidParameterValue"),
    ({"Protocol": "1"}, "MissingParameter"),
    ({"Ipv6CidrBlock": "::/0"}, "InvalidParameterCombination"),
    ({"NetworkAclId": "acl-00000000000000001"}, "InvalidNetworkAclID.NotFound")])
def test_malformed_entries(ec2, vpc, change, expected):
    a = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    assert code(ec2.create_network_acl_entry, **dict(entry(a), **change)) == expected
    assert shown(ec2, a)["Entries"] == LAST


def test_limit(ec2, vpc):
    a = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for number in range(1, 21):
        ec2.create_network_acl_entry(**entry(a, number))
    assert code(ec2.create_network_acl_entry,
                **entry(a, 21)) == "NetworkAclEntryLimitExceeded"
    ec2.create_network_acl_entry(**entry(a, 21, Egress=True))
    ec2.replace_network_acl_entry(**entry(a, 20, RuleAction="deny"))


def test_associations(ec2, vpc, subnet):
    a = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    old = default_of(ec2, vpc)["Associations"][0]["NetworkAclAssociationId"]
    new = ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=a)[
        "NewAssociationId"]
    assert new != old and default_of(ec2, vpc)["Associations"] == []
    assert shown(ec2, a)["Associations"] == [
        {"NetworkAclAssociationId": new, "NetworkAclId": a, "SubnetId": subnet}]
    for filters in (names(**{"association.association-id": [new]}),
                    names(**{"association.subnet-id": [subnet]}),
                    names(**{"association.network-acl-id": [a]}), names(network_acl_id=[a])):
        assert [x["NetworkAclId"] for x in ec2.describe_network_acls(Filters=filters)[
            "NetworkAcls"]] == [a]
    assert code(ec2.delete_network_acl, NetworkAclId=a) == "DependencyViolation"
    assert code(ec2.replace_network_acl_association, AssociationId=old,
                NetworkAclId=a) == "InvalidAssociationID.NotFound"
    v = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    assert code(ec2.replace_network_acl_association, AssociationId=new,
                NetworkAclId=default_of(ec2, v)["NetworkAclId"]) == "InvalidParameterValue"
    other_acl = ec2.create_network_acl(VpcId=v)["NetworkAcl"]["NetworkAclId"]
    assert code(ec2.delete_vpc, VpcId=v) == "DependencyViolation"
    ec2.delete_network_acl(NetworkAclId=other_acl)
    ec2.delete_vpc(VpcId=v)


def test_filters(ec2, vpc):
    a = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(**entry(a, 77, CidrBlock="192.0.2.0/24"))

    def found(**filters):
        filters = [{"Name": k.replace("__", ".").replace("_", "-"), "Values": [v]}
                   for k, v in filters.items()] + names(vpc_id=[vpc])
        return [x["NetworkAclId"] for x in ec2.describe_network_acls(Filters=filters)[
            "NetworkAcls"]]

    assert len(found()) == 2 and found(default="false") == [a]
    assert found(entry__cidr="192.0.2.0/24") == [a] and found(entry__rule_number="77") == [a]
    assert found(entry__port_range__from="80") == [a] and found(entry__protocol="6") == [a]
    assert found(entry__port_range__to="443") == [a]
    assert len(found(entry__rule_number="32767")) == 2 and len(found(entry__egress="true")) == 2
    assert len(found(entry__rule_action="allow")) == 2 and found(id=a) == [a]
    assert found(entry__icmp__type="8") == [] and len(found(owner_id="111111111111")) == 2


def test_other_accounts_see_nothing(ec2, other, vpc):
    a = default_of(ec2, vpc)["NetworkAclId"]
    assert code(other.describe_network_acls, NetworkAclIds=[a]) == "InvalidNetworkAclID.NotFound"
    assert code(other.create_network_acl_entry, **entry(a, 5)) == "InvalidNetworkAclID.NotFound"
    assert code(other.create_network_acl, VpcId=vpc) == "InvalidVpcID.NotFound"
