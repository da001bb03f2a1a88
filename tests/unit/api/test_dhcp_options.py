# SPDX-License-Identifier: Apache-2.0
"""DHCP options sets as boto3 sees them.

requirement: OPS-1
requirement: PKT-8
"""
import pytest

from test_clients import code, names


def configuration(**options):
    return [{"Key": k.replace("_", "-"), "Values": v} for k, v in options.items()]


@pytest.fixture
def options(ec2):
    made = ec2.create_dhcp_options(
        DhcpConfigurations=configuration(domain_name=["shop.example"], ntp_servers=["10.0.0.9"],
                                         domain_name_servers=["10.0.0.8", "AmazonProvidedDNS"]),
        TagSpecifications=[{"ResourceType": "dhcp-options", "Tags": [{"Key": "Name", "Value": "shop"}]}])
    yield made["DhcpOptions"]["DhcpOptionsId"]
    for d in ec2.describe_dhcp_options()["DhcpOptions"]:
        if d["DhcpOptionsId"] != "default":
            ec2.delete_dhcp_options(DhcpOptionsId=d["DhcpOptionsId"])


def test_life(ec2, vpc, options):
    d, = ec2.describe_dhcp_options(DhcpOptionsIds=[options])["DhcpOptions"]
    assert {o["Key"]: [v["Value"] for v in o["Values"]] for o in d["DhcpConfigurations"]} == {
        "domain-name": ["shop.example"], "domain-name-servers": ["10.0.0.8", "AmazonProvidedDNS"],
        "ntp-servers": ["10.0.0.9"]}
    assert d["Tags"] == [{"Key": "Name", "Value": "shop"}] and d["OwnerId"] == "111111111111"
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == "default"
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == options
    assert len(ec2.describe_vpcs(Filters=names(dhcp_options_id=[options]))["Vpcs"]) == 1
    assert code(ec2.delete_dhcp_options, DhcpOptionsId=options) == "DependencyViolation"
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=options)
    assert code(ec2.describe_dhcp_options, DhcpOptionsIds=[options]) == "InvalidDhcpOptionID.NotFound"


def test_describe_finds_the_default_one_as_well(ec2, options):
    def ids(**kw):
        return sorted(d["DhcpOptionsId"] for d in ec2.describe_dhcp_options(**kw)["DhcpOptions"])

    assert ids() == ["default", options]
    assert ids(DhcpOptionsIds=["default", options]) == ["default", options]
    assert ids(Filters=names(key=["ntp-servers"])) == [options]
    assert ids(Filters=names(value=["AmazonProvidedDNS"])) == ["default", options]
    assert ids(Filters=names(value=["*.internal"])) == ["default"]
    assert ids(Filters=[{"Name": "tag:Name", "Values": ["shop"]}]) == [options]
    other = ec2.create_dhcp_options(DhcpConfigurations=configuration(domain_name=["b"]))["DhcpOptions"]["DhcpOptionsId"]
    pages = [[d["DhcpOptionsId"] for d in p["DhcpOptions"]]
             for p in ec2.get_paginator("describe_dhcp_options").paginate(PaginationConfig={"PageSize": 5})]
    assert sorted(sum(pages, [])) == sorted(["default", options, other])


@pytest.mark.parametrize("wrong", [
    {"domain_nam": ["x"]}, {"domain_name": ["a", "b"]}, {"domain_name": ["two words"]}, {"domain_name": [""]},
    {"domain_name_servers": ["10.0.0"]}, {"domain_name_servers": ["10.0.0.%d" % i for i in range(5)]},
    {"ntp_servers": ["AmazonProvidedDNS"]}, {"netbios_node_type": ["3"]}, {"ntp_servers": ["0.0.0.0"]}])
def test_options_without_sense_are_refused(ec2, wrong):
    assert code(ec2.create_dhcp_options, DhcpConfigurations=configuration(**wrong)) == "InvalidParameterValue"
    assert [d["DhcpOptionsId"] for d in ec2.describe_dhcp_options()["DhcpOptions"]] == ["default"]


def test_ids_without_sense_are_refused(ec2, vpc, options):
    assert code(ec2.delete_dhcp_options, DhcpOptionsId="default") == "InvalidDhcpOptionsId.Malformed"
    assert code(ec2.delete_dhcp_options, DhcpOptionsId="dopt-12") == "InvalidDhcpOptionID.NotFound"
    assert code(ec2.associate_dhcp_options, DhcpOptionsId="dopt-12", VpcId=vpc) == "InvalidDhcpOptionID.NotFound"
    assert code(ec2.associate_dhcp_options, DhcpOptionsId=options, VpcId="vpc-1") == "InvalidVpcID.NotFound"
