# SPDX-License-Identifier: Apache-2.0
"""Security groups and their rules as boto3 sees them.

requirement: NIC-6, OPS-1
"""
import pytest

from conftest import raw
from test_clients import code, names, refused, run

ANYWHERE = "0.0.0.0/0"
NOWHERE = "sg-00000000000000001"


def group_of(ec2, vpc, name="g", **more):
    return ec2.create_security_group(GroupName=name, Description="for " + name, VpcId=vpc,
                                     **more)["GroupId"]


def shown(ec2, group):
    return ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]


def tcp(port, *cidrs, **more):
    return dict({"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                 "IpRanges": [{"CidrIp": c} for c in cidrs]}, **more)


def default_of(ec2, vpc):
    return ec2.describe_security_groups(Filters=names(vpc_id=[vpc], group_name=["default"]))[
        "SecurityGroups"][0]


def test_default_group(ec2, vpc):
    g = default_of(ec2, vpc)
    assert g["Description"] == "default VPC security group" and g["OwnerId"] == "111111111111"
    assert g["IpPermissions"] == [{
        "IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [],
        "UserIdGroupPairs": [{"GroupId": g["GroupId"], "UserId": "111111111111"}]}]
    assert g["IpPermissionsEgress"] == [{
        "IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}], "Ipv6Ranges": [],
        "PrefixListIds": [], "UserIdGroupPairs": []}]
    assert code(ec2.delete_security_group, GroupId=g["GroupId"]) == "CannotDelete"
    assert code(ec2.create_security_group, GroupName="default", Description="d",
                VpcId=vpc) == "InvalidParameterValue"


def test_group_goes_with_its_vpc(ec2):
    v = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    d = default_of(ec2, v)["GroupId"]
    g = group_of(ec2, v)
    assert code(ec2.delete_vpc, VpcId=v) == "DependencyViolation"
    ec2.delete_security_group(GroupId=g)
    ec2.delete_vpc(VpcId=v)
    assert refused(ec2.describe_security_groups, GroupIds=[d])[:2] == (
        "InvalidGroup.NotFound", "The security group '%s' does not exist" % d)
    assert ec2.describe_security_group_rules(Filters=names(group_id=[d]))[
        "SecurityGroupRules"] == []


def test_life(ec2, vpc):
    tags = [{"Key": "Name", "Value": "web"}]
    made = ec2.create_security_group(
        GroupName="web", Description="web servers", VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}])
    assert made["Tags"] == tags
    g = shown(ec2, made["GroupId"])
    assert (g["GroupName"], g["Description"], g["VpcId"], g["Tags"]) == (
        "web", "web servers", vpc, tags)
    assert g["IpPermissions"] == [] and len(g["IpPermissionsEgress"]) == 1
    ec2.get_waiter("security_group_exists").wait(GroupIds=[g["GroupId"]])
    arn = "arn:aws:ec2:us-east-1:111111111111:security-group"
    assert f"<securityGroupArn>{arn}/{g['GroupId']}<" in raw(ec2, "describe_security_groups", GroupIds=[g["GroupId"]])
    rules = {"Filters": names(group_id=[g["GroupId"]])}
    rule, = ec2.describe_security_group_rules(**rules)["SecurityGroupRules"]
    assert f"<securityGroupRuleArn>{arn}-rule/{rule['SecurityGroupRuleId']}<" in raw(
        ec2, "describe_security_group_rules", **rules)
    ec2.create_tags(Resources=[g["GroupId"]], Tags=[{"Key": "a", "Value": "b"}])
    assert {t["ResourceType"] for t in ec2.describe_tags(
        Filters=names(resource_id=[g["GroupId"]]))["Tags"]} == {"security-group"}
    assert refused(ec2.create_security_group, GroupName="web", Description="d", VpcId=vpc)[:2] == (
        "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '%s'" % vpc)
    assert code(ec2.create_security_group, GroupName="x", Description="d", VpcId=vpc,
                DryRun=True) == "DryRunOperation"
    ec2.delete_security_group(GroupId=g["GroupId"])
    assert code(ec2.delete_security_group, GroupId=g["GroupId"]) == "InvalidGroup.NotFound"
    assert code(ec2.delete_security_group, GroupId="nonsense") == "InvalidGroupId.Malformed"
    assert code(ec2.describe_security_groups, GroupIds=["sg-xyz"]) == "InvalidGroupId.Malformed"
    assert code(ec2.describe_security_groups, GroupNames=["nobody"]) == "InvalidGroup.NotFound"


@pytest.mark.parametrize("arguments, expected", [
    ({"GroupName": "", "Description": "d"}, "MissingParameter"),
    ({"GroupName": "g", "Description": ""}, "MissingParameter"),
    ({"GroupName": "sg-like", "Description": "d"}, "InvalidParameterValue"),
    ({"GroupName": "x" * 256, "Description": "d"}, "InvalidParameterValue"),
    ({"GroupName": "snow ☃", "Description": "d"}, "InvalidParameterValue"),
    ({"GroupName": "g", "Description": "a\nb"}, "InvalidParameterValue"),
    ({"GroupName": "g", "Description": "d", "VpcId": "vpc-00000000000000001"},
     "InvalidVpcID.NotFound")])
def test_malformed_groups(ec2, vpc, arguments, expected):
    arguments.setdefault("VpcId", vpc)
    assert code(ec2.create_security_group, **arguments) == expected


def test_rules(ec2, vpc):
    g = group_of(ec2, vpc)
    answer = ec2.authorize_security_group_ingress(
        GroupId=g, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 80, "IpRanges": [
                {"CidrIp": "10.0.0.9/8", "Description": "inside"}, {"CidrIp": "192.0.2.0/24"}]},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": ANYWHERE}]},
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": g}]},
            {"IpProtocol": "17", "FromPort": 53, "ToPort": 53,
             "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
            {"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        TagSpecifications=[{"ResourceType": "security-group-rule",
                            "Tags": [{"Key": "k", "Value": "v"}]}])
    rules = answer["SecurityGroupRules"]
    assert answer["Return"] and len(rules) == 6
    assert [(r["IpProtocol"], r["FromPort"], r["ToPort"]) for r in rules] == [
        ("tcp", 22, 80), ("tcp", 22, 80), ("icmp", 8, -1), ("-1", -1, -1), ("udp", 53, 53),
        ("50", -1, -1)]
    assert rules[0]["CidrIpv4"] == "10.0.0.0/8" and rules[0]["Description"] == "inside"
    assert rules[3]["ReferencedGroupInfo"] == {"GroupId": g, "UserId": "111111111111",
                                               "VpcId": vpc}
    assert rules[4]["CidrIpv6"] == "2001:db8::/32"
    assert all(r["Tags"] == [{"Key": "k", "Value": "v"}] and not r["IsEgress"] and
               r["GroupId"] == g and r["GroupOwnerId"] == "111111111111" for r in rules)
    permissions = shown(ec2, g)["IpPermissions"]
    assert len(permissions) == 5
    assert permissions[0]["IpRanges"] == [{"CidrIp": "10.0.0.0/8", "Description": "inside"},
                                          {"CidrIp": "192.0.2.0/24"}]
    assert "FromPort" not in permissions[2] and permissions[1]["ToPort"] == -1
    by_id = ec2.describe_security_group_rules(
        SecurityGroupRuleIds=[r["SecurityGroupRuleId"] for r in rules])["SecurityGroupRules"]
    assert by_id == rules
    of_group = ec2.describe_security_group_rules(Filters=names(group_id=[g]))["SecurityGroupRules"]
    assert len(of_group) == 7 and sum(r["IsEgress"] for r in of_group) == 1
    assert ec2.describe_security_group_rules(Filters=[{"Name": "tag:k", "Values": ["v"]}])[
        "SecurityGroupRules"] == rules
    # pages
    seen, token = [], None
    while token is not None or not seen:
        more = {"NextToken": token} if token else {}
        page = ec2.describe_security_group_rules(Filters=names(group_id=[g]), MaxResults=5, **more)
        seen += page["SecurityGroupRules"]
        token = page.get("NextToken")
        if token is None:
            break
    assert seen == of_group
    # by id, and by what they say; all or none
    ec2.revoke_security_group_ingress(GroupId=g, SecurityGroupRuleIds=[
        rules[0]["SecurityGroupRuleId"]])
    assert code(ec2.revoke_security_group_ingress, GroupId=g, SecurityGroupRuleIds=[
        rules[1]["SecurityGroupRuleId"], rules[0]["SecurityGroupRuleId"]]) == \
        "InvalidSecurityGroupRuleId.NotFound"
    assert len(shown(ec2, g)["IpPermissions"]) == 5
    ec2.revoke_security_group_ingress(GroupId=g, IpPermissions=shown(ec2, g)["IpPermissions"])
    assert shown(ec2, g)["IpPermissions"] == []
    ec2.revoke_security_group_egress(GroupId=g,
                                     IpPermissions=shown(ec2, g)["IpPermissionsEgress"])
    assert shown(ec2, g)["IpPermissionsEgress"] == []


def test_flat_parameters(ec2, vpc):
    g = group_of(ec2, vpc)
    flat = {"GroupId": g, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": ANYWHERE}
    ec2.authorize_security_group_ingress(**flat)
    ec2.authorize_security_group_ingress(GroupId=g, IpProtocol="udp", FromPort=1, ToPort=2,
                                         SourceSecurityGroupName="default")
    assert [p["IpProtocol"] for p in shown(ec2, g)["IpPermissions"]] == ["tcp", "udp"]
    assert shown(ec2, g)["IpPermissions"][1]["UserIdGroupPairs"][0]["GroupId"] == \
        default_of(ec2, vpc)["GroupId"]
    assert refused(ec2.authorize_security_group_ingress, **flat)[:2] == (
        "InvalidPermission.Duplicate", 'the specified rule "peer: 0.0.0.0/0, TCP, from port: 443, '
        'to port: 443, ALLOW" already exists')
    assert code(ec2.authorize_security_group_ingress, IpPermissions=[tcp(1, ANYWHERE)],
                **flat) == "InvalidParameterCombination"
    ec2.revoke_security_group_ingress(**flat)
    assert code(ec2.revoke_security_group_ingress, **flat) == "InvalidPermission.NotFound"
    assert code(ec2.authorize_security_group_ingress, GroupName="g", IpProtocol="tcp",
                FromPort=1, ToPort=1, CidrIp=ANYWHERE) in ("InvalidGroup.NotFound",
                                                           "VPCIdNotSpecified")


@pytest.mark.parametrize("permission, expected", [
    ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": ANYWHERE}]}, "InvalidParameterValue"),
    ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 22, "IpRanges": [{"CidrIp": ANYWHERE}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "tcp", "FromPort": -1, "ToPort": 65536, "IpRanges": [{"CidrIp": ANYWHERE}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "icmp", "FromPort": 300, "ToPort": 0, "IpRanges": [{"CidrIp": ANYWHERE}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": 3, "IpRanges": [{"CidrIp": ANYWHERE}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "foo", "IpRanges": [{"CidrIp": ANYWHERE}]}, "InvalidParameterValue"),
    ({"IpProtocol": "256", "IpRanges": [{"CidrIp": ANYWHERE}]}, "InvalidParameterValue"),
    ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0"}]}, "InvalidParameterValue"),
    ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "::/0"}]}, "InvalidParameterValue"),
    ({"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "10.0.0.0/8"}]}, "InvalidParameterValue"),
    ({"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::ffff:10.0.0.0/104"}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE, "Description": "a\tb"}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": NOWHERE}]}, "InvalidGroup.NotFound"),
    ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "x"}]}, "InvalidGroupId.Malformed"),
    ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupName": "nobody"}]}, "InvalidGroup.NotFound"),
    ({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-00000000000000001"}]},
     "InvalidPrefixListID.NotFound"),
    ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.0.0.1/8"}]},
     "InvalidParameterValue"),
    ({"IpProtocol": "-1"}, "MissingParameter")])
def test_malformed_rules(ec2, vpc, permission, expected):
    g = group_of(ec2, vpc)
    good = tcp(22, ANYWHERE)
    for direction in ("ingress", "egress"):
        before = shown(ec2, g)
        assert code(getattr(ec2, "authorize_security_group_" + direction), GroupId=g,
                    IpPermissions=[good, permission]) == expected
        assert shown(ec2, g) == before


def test_modify_rules(ec2, vpc):
    g, h = group_of(ec2, vpc, "g"), group_of(ec2, vpc, "h")
    a, b = ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[
        tcp(1, ANYWHERE, "10.0.0.0/8")])["SecurityGroupRules"]
    ec2.modify_security_group_rules(GroupId=g, SecurityGroupRules=[{
        "SecurityGroupRuleId": a["SecurityGroupRuleId"], "SecurityGroupRule": {
            "IpProtocol": "udp", "FromPort": 5, "ToPort": 6, "ReferencedGroupId": h,
            "Description": "new"}}])
    now, = ec2.describe_security_group_rules(SecurityGroupRuleIds=[a["SecurityGroupRuleId"]])[
        "SecurityGroupRules"]
    assert (now["IpProtocol"], now["FromPort"], now["ToPort"], now["Description"]) == (
        "udp", 5, 6, "new")
    assert now["ReferencedGroupInfo"]["GroupId"] == h and "CidrIpv4" not in now
    same = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "10.0.0.0/8"}
    assert code(ec2.modify_security_group_rules, GroupId=g, SecurityGroupRules=[
        {"SecurityGroupRuleId": a["SecurityGroupRuleId"], "SecurityGroupRule": same}]) == \
        "InvalidPermission.Duplicate"
    assert code(ec2.modify_security_group_rules, GroupId=h, SecurityGroupRules=[
        {"SecurityGroupRuleId": b["SecurityGroupRuleId"], "SecurityGroupRule": same}]) == \
        "InvalidSecurityGroupRuleId.NotFound"
    ec2.update_security_group_rule_descriptions_ingress(GroupId=g, IpPermissions=[
        tcp(1, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "said"}])])
    ec2.update_security_group_rule_descriptions_ingress(GroupId=g, SecurityGroupRuleDescriptions=[
        {"SecurityGroupRuleId": a["SecurityGroupRuleId"], "Description": "named"}])
    assert {r.get("Description") for r in ec2.describe_security_group_rules(
        Filters=names(group_id=[g]))["SecurityGroupRules"]} == {"named", "said", None}
    assert code(ec2.update_security_group_rule_descriptions_egress, GroupId=g,
                SecurityGroupRuleDescriptions=[{
                    "SecurityGroupRuleId": a["SecurityGroupRuleId"], "Description": "x"}]) == \
        "InvalidSecurityGroupRuleId.NotFound"
    # h is named by a rule of g
    assert code(ec2.delete_security_group, GroupId=h) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=g, SecurityGroupRuleIds=[a["SecurityGroupRuleId"]])
    ec2.delete_security_group(GroupId=h)


def test_limits(ec2, vpc):
    g = group_of(ec2, vpc)
    sixty = [tcp(p, ANYWHERE) for p in range(1, 61)]
    ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=sixty)
    before = shown(ec2, g)
    assert code(ec2.authorize_security_group_ingress, GroupId=g, IpPermissions=[
        tcp(99, ANYWHERE)]) == "RulesPerSecurityGroupLimitExceeded"
    assert shown(ec2, g) == before
    # the other family and the other direction have limits of their own; a group counts in both
    ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
    ec2.authorize_security_group_egress(GroupId=g, IpPermissions=[tcp(99, ANYWHERE)])
    assert code(ec2.authorize_security_group_ingress, GroupId=g, IpPermissions=[
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": g}]}]) == \
        "RulesPerSecurityGroupLimitExceeded"


def test_interfaces(ec2, vpc, subnet):
    g, h = group_of(ec2, vpc, "g"), group_of(ec2, vpc, "h")
    i = ec2.create_network_interface(SubnetId=subnet, Groups=[h, g])["NetworkInterface"]
    assert i["Groups"] == [{"GroupId": h, "GroupName": "h"}, {"GroupId": g, "GroupName": "g"}]
    eni = i["NetworkInterfaceId"]
    for filters in (names(group_id=[g]), names(group_name=["h"], vpc_id=[vpc])):
        assert [n["NetworkInterfaceId"] for n in ec2.describe_network_interfaces(Filters=filters)[
            "NetworkInterfaces"]] == [eni]
    assert code(ec2.delete_security_group, GroupId=g) == "DependencyViolation"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[h])
    assert ec2.describe_network_interface_attribute(
        NetworkInterfaceId=eni, Attribute="groupSet")["Groups"] == [
            {"GroupId": h, "GroupName": "h"}]
    ec2.delete_security_group(GroupId=g)
    assert code(ec2.modify_network_interface_attribute, NetworkInterfaceId=eni,
                Groups=[g]) == "InvalidGroup.NotFound"
    assert code(ec2.modify_network_interface_attribute, NetworkInterfaceId=eni,
                Groups=[h, h]) == "InvalidParameterValue"
    more = [group_of(ec2, vpc, "m%d" % n) for n in range(6)]
    assert code(ec2.modify_network_interface_attribute, NetworkInterfaceId=eni,
                Groups=more) == "SecurityGroupsPerInterfaceLimitExceeded"
    v = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    foreign = default_of(ec2, v)["GroupId"]
    assert code(ec2.create_network_interface, SubnetId=subnet,
                Groups=[foreign]) == "InvalidGroup.NotFound"
    assert code(ec2.authorize_security_group_ingress, GroupId=h, IpPermissions=[
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": foreign}]}]) == \
        "InvalidGroup.NotFound"
    ec2.delete_vpc(VpcId=v)


def test_instances(ec2, vpc, subnet):
    g, h = group_of(ec2, vpc, "g"), group_of(ec2, vpc, "h")
    i = run(ec2, subnet, SecurityGroupIds=[g])["Instances"][0]
    assert i["SecurityGroups"] == [{"GroupId": g, "GroupName": "g"}]
    assert i["NetworkInterfaces"][0]["Groups"] == i["SecurityGroups"]
    ec2.modify_instance_attribute(InstanceId=i["InstanceId"], Groups=[h, g])
    expected = [{"GroupId": h, "GroupName": "h"}, {"GroupId": g, "GroupName": "g"}]
    assert ec2.describe_instance_attribute(InstanceId=i["InstanceId"], Attribute="groupSet")[
        "Groups"] == expected
    for name in ("instance.group-id", "network-interface.group-id"):
        found = ec2.describe_instances(Filters=[{"Name": name, "Values": [h]}])["Reservations"]
        assert [n["InstanceId"] for r in found for n in r["Instances"]] == [i["InstanceId"]]
        assert found[0]["Groups"] == [] and found[0]["Instances"][0]["SecurityGroups"] == expected
    two = ec2.run_instances(MinCount=1, MaxCount=1, NetworkInterfaces=[
        {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [h]},
        {"DeviceIndex": 1, "SubnetId": subnet}])["Instances"][0]
    assert [[x["GroupName"] for x in n["Groups"]] for n in two["NetworkInterfaces"]] == [
        ["h"], ["default"]]
    assert code(ec2.modify_instance_attribute, InstanceId=two["InstanceId"],
                Groups=[g]) == "InvalidInstanceID"
    assert code(run, ec2=ec2, subnet=subnet, SecurityGroupIds=[NOWHERE]) == "InvalidGroup.NotFound"
    assert code(run, ec2=ec2, subnet=subnet,
                SecurityGroups=["default"]) == "InvalidParameterCombination"
    assert code(ec2.run_instances, MinCount=1, MaxCount=1, SecurityGroupIds=[g],
                NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet}]) == \
        "InvalidParameterCombination"


def test_filters(ec2, vpc):
    g, h = group_of(ec2, vpc, "web"), group_of(ec2, vpc, "db")
    ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[tcp(443, "192.0.2.0/24")])
    ec2.authorize_security_group_egress(GroupId=h, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 53, "ToPort": 54,
         "UserIdGroupPairs": [{"GroupId": g}]}])

    def found(**filters):
        filters = [{"Name": k.replace("__", ".").replace("_", "-"), "Values": [v]}
                   for k, v in filters.items()] + names(vpc_id=[vpc])
        return {x["GroupName"] for x in ec2.describe_security_groups(Filters=filters)[
            "SecurityGroups"]}

    assert found() == {"default", "web", "db"}
    assert found(description="for w*") == {"web"}
    assert found(group_id=h) == {"db"} and found(group_name="web") == {"web"}
    assert found(ip_permission__cidr="192.0.2.0/24") == {"web"}
    assert found(ip_permission__from_port="443") == {"web"}
    assert found(ip_permission__to_port="443") == {"web"}
    assert found(ip_permission__protocol="tcp") == {"web"}
    assert found(egress__ip_permission__cidr=ANYWHERE) == {"default", "web", "db"}
    assert found(egress__ip_permission__group_id=g) == {"db"}
    assert found(egress__ip_permission__group_name="web") == {"db"}
    assert found(egress__ip_permission__from_port="53") == {"db"}
    assert found(egress__ip_permission__to_port="54") == {"db"}
    assert found(egress__ip_permission__user_id="111111111111") == {"db"}
    assert found(ip_permission__user_id="111111111111") == {"default"}
    assert found(owner_id="111111111111") == {"default", "web", "db"}
    assert found(ip_permission__ipv6_cidr="::/0") == set()
    assert code(ec2.describe_security_groups,
                Filters=[{"Name": "nonsense", "Values": ["x"]}]) == "InvalidParameterValue"


def test_a_filter_for_rules_names_a_group(ec2):
    """What is no id of a group is refused, as EC2 does; one that nobody has finds nothing."""
    for wrong in ("foobar", "sg-1", "vpc-00000000000000001"):
        assert code(ec2.describe_security_group_rules, Filters=names(group_id=[wrong])) == "InvalidGroupId.Malformed"
    for unknown in ("sg-00000000000000001", "sg-0000*"):
        assert ec2.describe_security_group_rules(Filters=names(group_id=[unknown]))["SecurityGroupRules"] == []


def test_other_accounts_see_nothing(ec2, other, vpc):
    """requirement: OPS-1"""
    g = group_of(ec2, vpc)
    rule = ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[tcp(1, ANYWHERE)])[
        "SecurityGroupRules"][0]["SecurityGroupRuleId"]
    assert code(other.describe_security_groups, GroupIds=[g]) == "InvalidGroup.NotFound"
    assert code(other.delete_security_group, GroupId=g) == "InvalidGroup.NotFound"
    assert code(other.authorize_security_group_ingress, GroupId=g,
                IpPermissions=[tcp(2, ANYWHERE)]) == "InvalidGroup.NotFound"
    assert code(other.describe_security_group_rules,
                SecurityGroupRuleIds=[rule]) == "InvalidSecurityGroupRuleId.NotFound"
    assert other.describe_security_groups(Filters=names(vpc_id=[vpc]))["SecurityGroups"] == []
    v = other.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    mine = group_of(other, v)
    assert code(other.authorize_security_group_ingress, GroupId=mine, IpPermissions=[
        {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": g, "UserId": "111111111111"}]}]) == \
        "InvalidGroup.NotFound"
    other.delete_security_group(GroupId=mine)
    other.delete_vpc(VpcId=v)


def test_references(ec2, vpc):
    g = group_of(ec2, vpc)
    assert ec2.describe_security_group_references(GroupId=[g])[
        "SecurityGroupReferenceSet"] == []
    assert ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == []
    assert code(ec2.describe_security_group_references,
                GroupId=[NOWHERE]) == "InvalidGroup.NotFound"
    assert code(ec2.describe_stale_security_groups,
                VpcId="vpc-00000000000000001") == "InvalidVpcID.NotFound"


def test_names_are_those_of_the_default_vpc(other):
    v = other.create_default_vpc()["Vpc"]["VpcId"]
    g = other.create_security_group(GroupName="g", Description="d")["GroupId"]
    assert shown(other, g)["VpcId"] == v
    other.authorize_security_group_ingress(GroupName="g", IpProtocol="tcp", FromPort=1, ToPort=1,
                                           SourceSecurityGroupName="default")
    i = other.run_instances(MinCount=1, MaxCount=1, SecurityGroups=["g"])["Instances"][0]
    assert i["SecurityGroups"] == [{"GroupId": g, "GroupName": "g"}]
    assert code(other.run_instances, MinCount=1, MaxCount=1,
                SecurityGroups=["nobody"]) == "InvalidGroup.NotFound"
    assert code(other.authorize_security_group_ingress, GroupName="nobody", IpProtocol="tcp",
                FromPort=1, ToPort=1, CidrIp=ANYWHERE) == "InvalidGroup.NotFound"
    other.terminate_instances(InstanceIds=[i["InstanceId"]])


def test_groups_of_peered_networks(ec2, other, vpc):
    """requirement: NIC-6, TOPO-1"""
    theirs = other.create_vpc(CidrBlock="10.66.0.0/16")["Vpc"]["VpcId"]
    g, h = group_of(ec2, vpc), group_of(other, theirs)
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": h, "UserId": "222222222222"}]}
    assert code(ec2.authorize_security_group_ingress, GroupId=g,
                IpPermissions=[rule]) == "InvalidGroup.NotFound"
    p = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=theirs, PeerOwnerId="222222222222")[
        "VpcPeeringConnection"]["VpcPeeringConnectionId"]
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=p)
    made, = ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[rule])[
        "SecurityGroupRules"]
    assert made["ReferencedGroupInfo"] == {"GroupId": h, "UserId": "222222222222",
                                           "VpcId": theirs}
    references = other.describe_security_group_references(GroupId=[h])["SecurityGroupReferenceSet"]
    assert [(r["GroupId"], r["ReferencingVpcId"]) for r in references] == [(h, vpc)]
    # it may go, and leaves a rule that is stale
    assert ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == []
    other.delete_vpc_peering_connection(VpcPeeringConnectionId=p)
    stale, = ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"]
    assert stale["GroupId"] == g and stale["StaleIpPermissionsEgress"] == []
    assert stale["StaleIpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == h
    p = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=theirs, PeerOwnerId="222222222222")[
        "VpcPeeringConnection"]["VpcPeeringConnectionId"]
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=p)
    assert ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == []
    other.delete_security_group(GroupId=h)
    stale, = ec2.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"]
    assert stale["GroupId"] == g
    assert stale["StaleIpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == h
    ec2.revoke_security_group_ingress(GroupId=g, SecurityGroupRuleIds=[
        made["SecurityGroupRuleId"]])
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=p)
    other.delete_vpc(VpcId=theirs)
