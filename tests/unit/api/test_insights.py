# SPDX-License-Identifier: Apache-2.0
"""Network insights as boto3 sees them.  What they say is proved on packets by tests/system/test_reach.py.

requirement: OPS-1
"""
import ipaddress
import re

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import CONFIG, raw
from test_clients import code, names


@pytest.fixture
def ends(ec2, subnet):
    made = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2)]
    yield made
    for i in made:
        ec2.delete_network_interface(NetworkInterfaceId=i)


@pytest.fixture
def path(ec2, ends):
    p = ec2.create_network_insights_path(
        Source=ends[0], Destination=ends[1], Protocol="tcp", DestinationPort=80,
        TagSpecifications=[{"ResourceType": "network-insights-path", "Tags": [{"Key": "Name", "Value": "web"}]}])
    yield p["NetworkInsightsPath"]
    for a in ec2.describe_network_insights_analyses()["NetworkInsightsAnalyses"]:
        ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=a["NetworkInsightsAnalysisId"])
    for p in ec2.describe_network_insights_paths()["NetworkInsightsPaths"]:
        ec2.delete_network_insights_path(NetworkInsightsPathId=p["NetworkInsightsPathId"])


def test_path(ec2, ends, path):
    assert path["NetworkInsightsPathId"].startswith("nip-0") and path["Protocol"] == "tcp"
    assert path["Source"] == ends[0] and path["SourceArn"].endswith(f":network-interface/{ends[0]}")
    found = ec2.describe_network_insights_paths(NetworkInsightsPathIds=[path["NetworkInsightsPathId"]])
    assert found["NetworkInsightsPaths"] == [path]
    for filters, n in ((names(destination=[ends[1]], protocol=["tcp"], destination_port=["80"]), 1),
                       (names(source=[ends[1]]), 0), ([{"Name": "tag:Name", "Values": ["web"]}], 1)):
        assert len(ec2.describe_network_insights_paths(Filters=filters)["NetworkInsightsPaths"]) == n


def test_analysis(ec2, ends, path):
    token = "a-token"
    a = ec2.start_network_insights_analysis(NetworkInsightsPathId=path["NetworkInsightsPathId"],
                                            ClientToken=token)["NetworkInsightsAnalysis"]
    assert a["Status"] == "succeeded" and a["NetworkPathFound"] is False
    assert {e["ExplanationCode"] for e in a["Explanations"]} == {"BAD_STATE"}  # neither is attached
    assert {e["NetworkInterface"]["Id"] for e in a["Explanations"]} == set(ends)
    again = ec2.start_network_insights_analysis(NetworkInsightsPathId=path["NetworkInsightsPathId"], ClientToken=token)
    assert again["NetworkInsightsAnalysis"] == a
    found = ec2.describe_network_insights_analyses(NetworkInsightsPathId=path["NetworkInsightsPathId"])
    assert found["NetworkInsightsAnalyses"] == [a]
    for filters, n in ((names(path_found=["true"]), 0), (names(path_found=["false"], status=["succeeded"]), 1)):
        assert len(ec2.describe_network_insights_analyses(Filters=filters)["NetworkInsightsAnalyses"]) == n
    assert code(ec2.delete_network_insights_path,
                NetworkInsightsPathId=path["NetworkInsightsPathId"]) == "AnalysisExistsForNetworkInsightsPath"


def test_the_last_rule_of_an_acl_is_told_as_the_acl_shows_it(ec2, vpc, subnet):
    far = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    was, = [a["NetworkAclAssociationId"] for n in ec2.describe_network_acls(Filters=names(vpc_id=[vpc]))["NetworkAcls"]
            for a in n["Associations"] if a["SubnetId"] == far]
    ec2.replace_network_acl_association(AssociationId=was, NetworkAclId=acl["NetworkAclId"])
    a, b = (ec2.create_network_interface(SubnetId=s)["NetworkInterface"]["NetworkInterfaceId"] for s in (subnet, far))
    p = ec2.create_network_insights_path(Source=a, Destination=b, Protocol="tcp",
                                         DestinationPort=80)["NetworkInsightsPath"]["NetworkInsightsPathId"]
    said = ec2.start_network_insights_analysis(NetworkInsightsPathId=p)["NetworkInsightsAnalysis"]
    denied = {e["Direction"]: e["AclRule"] for e in said["Explanations"]
              if e["ExplanationCode"] == "SUBNET_ACL_RESTRICTION"}
    for direction, rule in denied.items():
        entry, = [e for e in acl["Entries"] if e["Egress"] == (direction == "egress") and e["RuleNumber"] == 32767]
        assert (rule["RuleNumber"], rule["Cidr"], rule["RuleAction"]) == (32767, entry["CidrBlock"], "deny")
    assert set(denied) == {"ingress", "egress"}
    ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=said["NetworkInsightsAnalysisId"])
    ec2.delete_network_insights_path(NetworkInsightsPathId=p)


def test_an_end_that_is_gone(ec2, subnet, path):
    gone = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    p = ec2.create_network_insights_path(Source=path["Source"], Destination=gone, Protocol="udp", DestinationPort=53)
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    assert code(ec2.start_network_insights_analysis,
                NetworkInsightsPathId=p["NetworkInsightsPath"]["NetworkInsightsPathId"]) == "InvalidParameterValue"


@pytest.mark.parametrize("change, expected", [
    ({"Source": "eni-00000000000000001"}, "InvalidNetworkInterfaceID.NotFound"),
    ({"Source": "vpc-00000000000000001"}, "InvalidParameterValue"), ({"Source": ""}, "MissingParameter"),
    ({"Destination": "i-00000000000000001"}, "InvalidInstanceID.NotFound"),
    ({"Protocol": "icmp"}, "InvalidParameterValue"), ({"DestinationPort": 65536}, "InvalidParameterValue"),
    ({"DestinationPort": 0}, "InvalidParameterValue"), ({"SourceIp": "10.0.0"}, "InvalidParameterValue"),
    ({"SourceIp": "10.0.0.4", "DestinationIp": "fd00::4"}, "InvalidParameterCombination")])
def test_questions_without_sense_are_refused(ec2, ends, change, expected):
    good = {"Source": ends[0], "Destination": ends[1], "Protocol": "tcp", "DestinationPort": 80}
    assert code(ec2.create_network_insights_path, **{**good, **change}) == expected
    assert code(ec2.create_network_insights_path, **{**good, "Destination": ends[0]}) == "InvalidParameterCombination"
    assert not ec2.describe_network_insights_paths()["NetworkInsightsPaths"]


def test_from_and_to_anybody_in_the_world(ec2, ends, path):
    """An internet gateway as an end, and no address, as in EC2's own example."""
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    for source, target in ((igw, ends[0]), (ends[0], igw)):
        p = ec2.create_network_insights_path(Source=source, Destination=target, DestinationPort=22, Protocol="TCP")[
            "NetworkInsightsPath"]
        assert "SourceIp" not in p and "DestinationIp" not in p
        a = ec2.start_network_insights_analysis(NetworkInsightsPathId=p["NetworkInsightsPathId"])["NetworkInsightsAnalysis"]
        assert a["Status"] == "succeeded" and not a["NetworkPathFound"]
        assert {e.get("InternetGateway", {}).get("Id") for e in a["Explanations"]} >= {igw if source == igw else None}
        ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=a["NetworkInsightsAnalysisId"])
        ec2.delete_network_insights_path(NetworkInsightsPathId=p["NetworkInsightsPathId"])
    ec2.delete_internet_gateway(InternetGatewayId=igw)


def test_a_question_by_ipv6(ec2):
    """One address says the family of both; who has none of it is told so."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = ipaddress.IPv6Network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.9.1.0/24",
                               Ipv6CidrBlock=str(next(block.subnets(new_prefix=64))))["Subnet"]["SubnetId"]
    six = [ec2.create_network_interface(SubnetId=subnet, Ipv6AddressCount=1)["NetworkInterface"] for _ in range(2)]
    four = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = six[0]["Ipv6Addresses"][0]["Ipv6Address"]

    def path(target):
        return ec2.create_network_insights_path(
            Source=six[0]["NetworkInterfaceId"], Destination=target, SourceIp=address, Protocol="udp",
            DestinationPort=53)["NetworkInsightsPath"]

    p = path(six[1]["NetworkInterfaceId"])
    assert p["SourceIp"] == address and "DestinationIp" not in p
    a = ec2.start_network_insights_analysis(NetworkInsightsPathId=p["NetworkInsightsPathId"])["NetworkInsightsAnalysis"]
    assert {e["ExplanationCode"] for e in a["Explanations"]} == {"BAD_STATE"}  # all but that they are attached
    none = path(four)["NetworkInsightsPathId"]
    with pytest.raises(ClientError, match="IPv6"):
        ec2.start_network_insights_analysis(NetworkInsightsPathId=none)
    ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=a["NetworkInsightsAnalysisId"])
    for one in (none, p["NetworkInsightsPathId"]):
        ec2.delete_network_insights_path(NetworkInsightsPathId=one)


@pytest.fixture
def younger(make_client):
    """Makes paths with what is younger than Debian's botocore: filters, and no destination."""
    ec2 = make_client(config=CONFIG.merge(Config(parameter_validation=False)))
    form = {}
    ec2.meta.events.register("before-call.ec2.CreateNetworkInsightsPath", lambda params, **_: params["body"].update(form))

    def make(more, **arguments):
        form.clear()
        form.update(more)
        return ec2.create_network_insights_path(**{"Protocol": "tcp", **arguments})["NetworkInsightsPath"]
    return make


def filters(end, address=None, ports=None, destination=None, destination_ports=None):
    """As a request has them."""
    form = {"SourceAddress": address, "DestinationAddress": destination}
    for name, range_ in (("Source", ports), ("Destination", destination_ports)):
        form.update(zip((f"{name}PortRange.FromPort", f"{name}PortRange.ToPort"), range_ or ()))
    return {f"FilterAt{end}.{k}": v for k, v in form.items() if v is not None}


def test_filters(ec2, ends, younger, path):
    """They are kept and told, and paths are found by them."""
    made = younger({**filters("Source", "10.0.1.4", (1024, 2048), "10.0.1.9", (80, 80)),
                    **filters("Destination", "10.0.1.4", (1, 65535), "10.0.1.9", (0, 443))}, Source=ends[0])
    assert "Destination" not in made and "DestinationArn" not in made and "DestinationPort" not in made
    told = raw(ec2, "describe_network_insights_paths", NetworkInsightsPathIds=[made["NetworkInsightsPathId"]])
    told = re.sub(r"\s", "", told)
    for end, ports, others in (("Source", "1024", "2048"), ("Destination", "1", "65535")):
        to = ("80", "80") if end == "Source" else ("0", "443")
        assert (f"<filterAt{end}><sourceAddress>10.0.1.4</sourceAddress><sourcePortRange><fromPort>{ports}</fromPort>"
                f"<toPort>{others}</toPort></sourcePortRange><destinationAddress>10.0.1.9</destinationAddress>"
                f"<destinationPortRange><fromPort>{to[0]}</fromPort><toPort>{to[1]}</toPort></destinationPortRange>"
                f"</filterAt{end}>") in told
    assert "filterAt" not in raw(ec2, "describe_network_insights_paths",
                                 NetworkInsightsPathIds=[path["NetworkInsightsPathId"]])
    for name, value, other in (("source.source-address", "10.0.1.4", "10.0.1.5"),
                               ("source.source-port-range", "1024-2048", "1024"),
                               ("source.destination-address", "10.0.1.9", "10.0.1.4"),
                               ("source.destination-port-range", "80", "80-443"),
                               ("destination.source-address", "10.0.1.4", "0.0.0.0"),
                               ("destination.source-port-range", "1-65535", "1"),
                               ("destination.destination-address", "10.0.1.9", ""),
                               ("destination.destination-port-range", "0-443", "443")):
        for values, n in (([value], 1), ([other], 0), ([other, value], 1)):
            found = ec2.describe_network_insights_paths(Filters=[{"Name": f"filter-at-{name}", "Values": values}])
            assert [p["NetworkInsightsPathId"] for p in found["NetworkInsightsPaths"]] == [
                made["NetworkInsightsPathId"]] * n
    again = {**filters("Destination", destination=made_address(ec2, ends[1]))}
    told = younger(again, Source=ends[0], ClientToken="one")
    assert younger(again, Source=ends[0], ClientToken="one") == told
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        younger(filters("Destination", destination="10.0.1.77"), Source=ends[0], ClientToken="one")


def made_address(ec2, eni):
    return ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]["PrivateIpAddress"]


def test_an_address_alone(ec2, ends, younger, path):
    """Whoever has it is the destination; nobody has, and it is told so."""
    addresses = [made_address(ec2, e) for e in ends]

    def codes(form, **arguments):
        p = younger(form, Source=ends[0], **arguments)
        a = ec2.start_network_insights_analysis(NetworkInsightsPathId=p["NetworkInsightsPathId"])
        return {(e["ExplanationCode"], (e.get("NetworkInterface") or e.get("RouteTable") or {}).get("Id"))
                for e in a["NetworkInsightsAnalysis"]["Explanations"]}

    apart = {("BAD_STATE", e) for e in ends}  # neither is attached
    assert codes({}, DestinationIp=addresses[1], DestinationPort=80) == apart
    assert codes(filters("Destination", destination=addresses[1])) == apart
    assert codes(filters("Source", destination=addresses[1], destination_ports=(1, 9))) == apart
    assert ("NO_POSSIBLE_DESTINATION", ends[0]) in codes(filters("Destination", destination="10.0.1.77"))
    assert codes(filters("Destination", address="10.0.1.88", destination=addresses[1])) == apart | {
        ("FILTER_AT_DESTINATION_SOURCE_ADDRESS", ends[1])}
    assert codes(filters("Source", address="10.0.1.88"), Destination=ends[1]) == apart | {
        ("FILTER_AT_SOURCE_SOURCE_ADDRESS", ends[0])}
    own = younger(filters("Destination", destination=addresses[0]), Source=ends[0])["NetworkInsightsPathId"]
    with pytest.raises(ClientError, match="the source itself"):
        ec2.start_network_insights_analysis(NetworkInsightsPathId=own)


@pytest.mark.parametrize("form, more, expected", [
    ({}, {}, "MissingParameter"),
    (filters("Destination", "10.0.0.9"), {}, "MissingParameter"),
    (filters("Source", destination="10.0.0.9"), {"SourceIp": "10.0.0.4"}, "InvalidParameterCombination"),
    (filters("Source", destination="10.0.0.9"), {"DestinationPort": 80}, "InvalidParameterCombination"),
    (filters("Destination", "10.0.0.9"), {"DestinationIp": "10.0.0.5"}, "InvalidParameterCombination"),
    (filters("Source", destination="10.0.0.x"), {}, "InvalidParameterValue"),
    (filters("Destination", "", destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", "fd00::1", destination="10.0.0.9"), {}, "InvalidParameterCombination"),
    (filters("Source", ports=(80, 79), destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", ports=(0, 0), destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", ports=(0, 65536), destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", ports=(-1, 9), destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", ports=("x", 9), destination="10.0.0.9"), {}, "InvalidParameterValue"),
    (filters("Source", ports=(80,), destination="10.0.0.9"), {}, "MissingParameter")])
def test_filters_without_sense_are_refused(ec2, ends, younger, form, more, expected):
    assert code(younger, more=form, Source=ends[0], **more) == expected
    assert not ec2.describe_network_insights_paths()["NetworkInsightsPaths"]


def test_ids_without_sense_are_refused(ec2):
    assert code(ec2.delete_network_insights_path,
                NetworkInsightsPathId="nip-00000000000000001") == "InvalidNetworkInsightsPathId.NotFound"
    assert code(ec2.describe_network_insights_analyses,
                NetworkInsightsAnalysisIds=["nia-1"]) == "InvalidNetworkInsightsAnalysisId.NotFound"
