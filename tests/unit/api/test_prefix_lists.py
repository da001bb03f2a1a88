# SPDX-License-Identifier: Apache-2.0
"""Managed prefix lists as boto3 sees them.

requirement: NIC-6, OPS-1
"""
import pytest

from test_clients import code, refused


@pytest.fixture
def make(ec2):
    made = []

    def make(*cidrs, **more):
        arguments = dict({"PrefixListName": "l", "MaxEntries": 5, "AddressFamily": "IPv4"}, **more)
        made.append(ec2.create_managed_prefix_list(
            Entries=[{"Cidr": c} for c in cidrs], **arguments)["PrefixList"])
        return made[-1]
    yield make
    for l in made:
        ec2.delete_managed_prefix_list(PrefixListId=l["PrefixListId"])


def entries(ec2, l, **more):
    return [e["Cidr"] for e in ec2.get_managed_prefix_list_entries(
        PrefixListId=l["PrefixListId"], **more)["Entries"]]


def test_life(ec2):
    l = ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=3, AddressFamily="IPv4",
        Entries=[{"Cidr": "192.0.2.1/24", "Description": "here"}, {"Cidr": "10.0.0.0/8"}],
        TagSpecifications=[{"ResourceType": "prefix-list", "Tags": [{"Key": "k", "Value": "v"}]}])[
            "PrefixList"]
    i = l["PrefixListId"]
    assert (l["State"], l["Version"], l["MaxEntries"], l["AddressFamily"], l["OwnerId"]) == (
        "create-complete", 1, 3, "IPv4", "111111111111")
    assert l["PrefixListArn"] == "arn:aws:ec2:us-east-1:111111111111:prefix-list/" + i
    assert l["Tags"] == [{"Key": "k", "Value": "v"}]
    assert ec2.describe_managed_prefix_lists(PrefixListIds=[i])["PrefixLists"] == [l]
    assert ec2.describe_managed_prefix_lists(Filters=[
        {"Name": "prefix-list-name", "Values": ["off*"]}])["PrefixLists"] == [l]
    assert ec2.get_managed_prefix_list_entries(PrefixListId=i)["Entries"] == [
        {"Cidr": "192.0.2.0/24", "Description": "here"}, {"Cidr": "10.0.0.0/8", "Description": ""}]
    ended = ec2.delete_managed_prefix_list(PrefixListId=i)["PrefixList"]
    assert ended["State"] == "delete-complete"
    assert refused(ec2.describe_managed_prefix_lists, PrefixListIds=[i])[:2] == (
        "InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist" % i)


def test_versions(ec2, make):
    l = make("10.0.0.0/8")
    i = l["PrefixListId"]
    change = {"PrefixListId": i, "CurrentVersion": 1, "AddEntries": [{"Cidr": "10.1.0.0/16"}],
              "RemoveEntries": [{"Cidr": "10.0.0.0/8"}]}
    assert ec2.modify_managed_prefix_list(**change)["PrefixList"]["Version"] == 2
    assert refused(ec2.modify_managed_prefix_list, **change)[0] == "PrefixListVersionMismatch"
    assert entries(ec2, l) == ["10.1.0.0/16"] and entries(ec2, l, TargetVersion=1) == ["10.0.0.0/8"]
    back = ec2.restore_managed_prefix_list_version(PrefixListId=i, PreviousVersion=1,
                                                   CurrentVersion=2)["PrefixList"]
    assert (back["Version"], back["State"]) == (3, "restore-complete")
    assert entries(ec2, l) == ["10.0.0.0/8"] and entries(ec2, l, TargetVersion=2) == ["10.1.0.0/16"]
    assert code(ec2.restore_managed_prefix_list_version, PrefixListId=i, PreviousVersion=1,
                CurrentVersion=2) == "PrefixListVersionMismatch"
    assert code(ec2.get_managed_prefix_list_entries, PrefixListId=i,
                TargetVersion=9) == "InvalidPrefixListVersion.NotFound"
    named = ec2.modify_managed_prefix_list(PrefixListId=i, PrefixListName="x")["PrefixList"]
    assert (named["Version"], named["PrefixListName"]) == (3, "x")
    # an entry's description is changed by removing and adding it
    ec2.modify_managed_prefix_list(PrefixListId=i, CurrentVersion=3, AddEntries=[
        {"Cidr": "10.0.0.0/8", "Description": "new"}], RemoveEntries=[{"Cidr": "10.0.0.0/8"}])
    assert ec2.get_managed_prefix_list_entries(PrefixListId=i)["Entries"] == [
        {"Cidr": "10.0.0.0/8", "Description": "new"}]


@pytest.mark.parametrize("change, expected", [
    ({"AddEntries": [{"Cidr": "10.0.0.0/8"}]}, "InvalidPrefixListModification"),
    ({"RemoveEntries": [{"Cidr": "10.9.0.0/16"}]}, "InvalidPrefixListModification"),
    ({"AddEntries": [{"Cidr": "2001:db8::/32"}]}, "InvalidParameterValue"),
    ({"AddEntries": [{"Cidr": "10.%d.0.0/16" % n} for n in range(9)]},
     "PrefixListMaxEntriesExceeded"),
    ({"AddEntries": [{"Cidr": "10.1.0.0/16"}], "MaxEntries": 9}, "InvalidParameterCombination"),
    ({"MaxEntries": 0}, "InvalidParameterValue"), ({"MaxEntries": 1001}, "InvalidParameterValue"),
    ({"PrefixListName": "com.amazonaws.x"}, "InvalidParameterValue")])
def test_malformed_changes(ec2, make, change, expected):
    l = make("10.0.0.0/8")
    assert code(ec2.modify_managed_prefix_list, PrefixListId=l["PrefixListId"], CurrentVersion=1,
                **change) == expected
    assert ec2.describe_managed_prefix_lists(PrefixListIds=[l["PrefixListId"]])[
        "PrefixLists"] == [l]
    assert entries(ec2, l) == ["10.0.0.0/8"]


def test_in_rules(ec2, vpc, make):
    """A list counts as what it may grow to; what names it stands in the way of its end."""
    l = make("10.0.0.0/8", MaxEntries=40)
    i = l["PrefixListId"]
    g = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    rule, = ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "PrefixListIds": [
            {"PrefixListId": i, "Description": "d"}]}])["SecurityGroupRules"]
    assert rule["PrefixListId"] == i and rule["Description"] == "d"
    shown = ec2.describe_security_groups(GroupIds=[g])["SecurityGroups"][0]
    assert shown["IpPermissions"][0]["PrefixListIds"] == [{"PrefixListId": i, "Description": "d"}]
    assert ec2.get_managed_prefix_list_associations(PrefixListId=i)[
        "PrefixListAssociations"] == [{"ResourceId": g, "ResourceOwner": "111111111111"}]
    assert code(ec2.delete_managed_prefix_list, PrefixListId=i) == "DependencyViolation"
    assert code(ec2.authorize_security_group_ingress, GroupId=g, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 1, "ToPort": 2, "PrefixListIds": [
            {"PrefixListId": i}]}]) == "RulesPerSecurityGroupLimitExceeded"
    assert code(ec2.modify_managed_prefix_list, PrefixListId=i,
                MaxEntries=61) == "RulesPerSecurityGroupLimitExceeded"
    ec2.modify_managed_prefix_list(PrefixListId=i, MaxEntries=60)
    ec2.revoke_security_group_ingress(GroupId=g, SecurityGroupRuleIds=[
        rule["SecurityGroupRuleId"]])


def test_client_token_and_pages(ec2, make):
    arguments = {"PrefixListName": "t", "MaxEntries": 20, "AddressFamily": "IPv6",
                 "Entries": [{"Cidr": "2001:db8:%x::/48" % n} for n in range(12)],
                 "ClientToken": "once"}
    l = ec2.create_managed_prefix_list(**arguments)["PrefixList"]
    assert ec2.create_managed_prefix_list(**arguments)["PrefixList"] == l
    assert code(ec2.create_managed_prefix_list,
                **dict(arguments, MaxEntries=21)) == "IdempotentParameterMismatch"
    pages = list(ec2.get_paginator("get_managed_prefix_list_entries").paginate(
        PrefixListId=l["PrefixListId"], PaginationConfig={"PageSize": 5}))
    assert [len(p["Entries"]) for p in pages] == [5, 5, 2]
    assert [e["Cidr"] for p in pages for e in p["Entries"]] == [
        e["Cidr"].replace(":0::", "::") for e in arguments["Entries"]]
    ec2.delete_managed_prefix_list(PrefixListId=l["PrefixListId"])


def test_other_accounts_see_nothing(ec2, other, make):
    i = make("10.0.0.0/8")["PrefixListId"]
    assert code(other.get_managed_prefix_list_entries,
                PrefixListId=i) == "InvalidPrefixListID.NotFound"
    assert code(other.delete_managed_prefix_list, PrefixListId=i) == "InvalidPrefixListID.NotFound"
    assert other.describe_managed_prefix_lists()["PrefixLists"] == []
    assert ec2.describe_prefix_lists()["PrefixLists"] == []
