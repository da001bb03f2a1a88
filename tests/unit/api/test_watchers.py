# SPDX-License-Identifier: Apache-2.0
"""Flow logs and traffic mirroring as boto3 sees them.

requirement: OPS-1, OPS-4
"""
import botocore.exceptions
import pytest

from test_clients import refused


def code(call, *more, **arguments):
    """The error code of a call, or None when it succeeds."""
    try:
        call(*more, **arguments)
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
    return None


LOG = {"ResourceType": "NetworkInterface", "TrafficType": "ALL", "LogGroupName": "g", "DeliverLogsPermissionArn": "arn:r"}


@pytest.fixture
def net(ec2):
    class Net:
        pass
    n = Net()
    n.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    n.subnet = ec2.create_subnet(VpcId=n.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    n.made = []

    def interface():
        n.made.append(ec2.create_network_interface(SubnetId=n.subnet)["NetworkInterface"]["NetworkInterfaceId"])
        return n.made[-1]
    n.interface = interface
    yield n
    for s in ec2.describe_traffic_mirror_sessions()["TrafficMirrorSessions"]:
        ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=s["TrafficMirrorSessionId"])
    for f in ec2.describe_traffic_mirror_filters()["TrafficMirrorFilters"]:
        ec2.delete_traffic_mirror_filter(TrafficMirrorFilterId=f["TrafficMirrorFilterId"])
    for t in ec2.describe_traffic_mirror_targets()["TrafficMirrorTargets"]:
        ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=t["TrafficMirrorTargetId"])
    for i in n.made:
        code(ec2.delete_network_interface, NetworkInterfaceId=i)
    ec2.delete_subnet(SubnetId=n.subnet)
    ec2.delete_vpc(VpcId=n.vpc)


def flow_logs(ec2, **more):
    return ec2.describe_flow_logs(**more)["FlowLogs"]


def test_flow_log_life(ec2, net):
    i = net.interface()
    made = ec2.create_flow_logs(ResourceIds=[i], ClientToken="t1", TagSpecifications=[
        {"ResourceType": "vpc-flow-log", "Tags": [{"Key": "k", "Value": "v"}]}], **LOG)
    assert made["Unsuccessful"] == [] and made["ClientToken"] == "t1"
    fl, = made["FlowLogIds"]
    assert ec2.create_flow_logs(ResourceIds=[i], ClientToken="t1", TagSpecifications=[
        {"ResourceType": "vpc-flow-log", "Tags": [{"Key": "k", "Value": "v"}]}], **LOG)["FlowLogIds"] == [fl]
    log, = flow_logs(ec2, FlowLogIds=[fl])
    assert log.pop("CreationTime")
    assert log == {
        "FlowLogId": fl, "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": "SUCCESS", "ResourceId": i,
        "TrafficType": "ALL", "LogDestinationType": "cloud-watch-logs", "LogGroupName": "g",
        "DeliverLogsPermissionArn": "arn:r", "MaxAggregationInterval": 600, "Tags": [{"Key": "k", "Value": "v"}],
        "LogFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
                     "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"}
    assert refused(ec2.create_flow_logs, ResourceIds=[i], **LOG)[0] == "FlowLogAlreadyExists"
    for name, value in [("resource-id", i), ("traffic-type", "ALL"), ("log-group-name", "g*"), ("flow-log-id", fl),
                        ("log-destination-type", "cloud-watch-logs"), ("tag:k", "v")]:
        assert [f["FlowLogId"] for f in flow_logs(ec2, Filter=[{"Name": name, "Values": [value]}])] == [fl]
    assert not flow_logs(ec2, Filter=[{"Name": "traffic-type", "Values": ["REJECT"]}])
    ec2.create_tags(Resources=[fl], Tags=[{"Key": "x", "Value": "y"}])
    assert ec2.delete_flow_logs(FlowLogIds=[fl])["Unsuccessful"] == []
    assert refused(ec2.delete_flow_logs, FlowLogIds=[fl])[0] == "InvalidFlowLogId.NotFound"


def test_flow_log_arguments(ec2, net):
    i = net.interface()

    def create(**more):
        a = dict(LOG, ResourceIds=[i])
        a.update(more)
        return {k: v for k, v in a.items() if v is not None}
    for wrong, expected in [
            (create(MaxAggregationInterval=61), "InvalidParameter"),
            (create(TrafficType=None), "InvalidParameter"),
            (create(TrafficType="SOME"), "InvalidParameterValue"),
            (create(ResourceType="Router"), "InvalidParameterValue"),
            (create(LogGroupName=None), "InvalidParameter"),
            (create(DeliverLogsPermissionArn=None), "InvalidParameter"),
            (create(LogDestination="arn:x"), "InvalidParameter"),
            (create(LogDestinationType="s3"), "InvalidParameter"),
            (create(LogDestinationType="s3", LogGroupName=None, DeliverLogsPermissionArn=None), "InvalidParameter"),
            (create(LogDestinationType="kinesis-data-firehose"), "UnsupportedOperation"),
            (create(LogFormat="${srcaddr} ${colour}"), "InvalidParameter"),
            (create(LogFormat="srcaddr"), "InvalidParameter"),
            (create(LogFormat="${srcaddr"), "InvalidParameter"),
            (create(DestinationOptions={"FileFormat": "parquet"}), "UnsupportedOperation"),
            (create(DryRun=True), "DryRunOperation")]:
        assert code(ec2.create_flow_logs, **wrong) == expected, wrong
    assert not flow_logs(ec2)
    # one that is not there does not keep the other from being made
    made = ec2.create_flow_logs(**create(ResourceIds=[i, "eni-00000000000000001"], LogFormat="${dstaddr}  ${tcp-flags}"))
    assert len(made["FlowLogIds"]) == 1
    bad, = made["Unsuccessful"]
    assert bad["ResourceId"] == "eni-00000000000000001" and bad["Error"]["Code"] == "InvalidNetworkInterfaceID.NotFound"
    s3 = ec2.create_flow_logs(ResourceIds=[i], ResourceType="NetworkInterface", TrafficType="REJECT",
                              LogDestinationType="s3", LogDestination="arn:aws:s3:::b", MaxAggregationInterval=60)
    log, = flow_logs(ec2, FlowLogIds=s3["FlowLogIds"])
    assert (log["LogDestination"], log["MaxAggregationInterval"]) == ("arn:aws:s3:::b", 60)
    # they go with what they are about
    ec2.delete_network_interface(NetworkInterfaceId=i)
    assert not flow_logs(ec2)


def test_flow_logs_of_networks(ec2, other, net):
    many = dict(LOG, ResourceType="VPC", ResourceIds=[net.vpc])
    fl, = ec2.create_flow_logs(**many)["FlowLogIds"]
    sub, = ec2.create_flow_logs(**dict(many, ResourceType="Subnet", ResourceIds=[net.subnet]))["FlowLogIds"]
    assert {f["ResourceId"] for f in flow_logs(ec2)} == {net.vpc, net.subnet}
    assert flow_logs(other) == [] and code(other.delete_flow_logs, FlowLogIds=[fl]) == "InvalidFlowLogId.NotFound"
    assert other.create_flow_logs(**many)["Unsuccessful"][0]["Error"]["Code"] == "InvalidVpcID.NotFound"
    n = 1
    while not code(ec2.create_flow_logs, **dict(many, LogGroupName="g%d" % n)):
        n += 1
    assert n == 8 and code(ec2.create_flow_logs, **dict(many, LogGroupName="more")) == "FlowLogsLimitExceeded"
    pages, token = [], {}
    while True:
        page = ec2.describe_flow_logs(MaxResults=5, **token)
        pages.append(len(page["FlowLogs"]))
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == [5, 4]


@pytest.fixture
def mirror(ec2, net):
    net.source, net.sink = net.interface(), net.interface()
    net.target = ec2.create_traffic_mirror_target(NetworkInterfaceId=net.sink)["TrafficMirrorTarget"]
    net.filter = ec2.create_traffic_mirror_filter(Description="f")["TrafficMirrorFilter"]
    net.t, net.f = net.target["TrafficMirrorTargetId"], net.filter["TrafficMirrorFilterId"]
    return net


def rule(ec2, f, number, **more):
    a = dict({"TrafficMirrorFilterId": f, "TrafficDirection": "ingress", "RuleNumber": number, "RuleAction": "accept",
              "SourceCidrBlock": "0.0.0.0/0", "DestinationCidrBlock": "10.0.0.0/8"}, **more)
    return ec2.create_traffic_mirror_filter_rule(**a)["TrafficMirrorFilterRule"]


def test_targets(ec2, other, mirror):
    assert mirror.target == {"TrafficMirrorTargetId": mirror.t, "NetworkInterfaceId": mirror.sink,
                             "Type": "network-interface", "OwnerId": "111111111111", "Tags": []}
    assert ec2.describe_traffic_mirror_targets(TrafficMirrorTargetIds=[mirror.t])["TrafficMirrorTargets"] == [mirror.target]
    assert code(ec2.create_traffic_mirror_target, NetworkInterfaceId=mirror.sink) == "InvalidParameterValue"
    assert code(ec2.create_traffic_mirror_target) == "MissingParameter"
    assert code(ec2.create_traffic_mirror_target, GatewayLoadBalancerEndpointId="vpce-1") == "UnsupportedOperation"
    assert code(other.create_traffic_mirror_target, NetworkInterfaceId=mirror.sink) == "InvalidNetworkInterfaceID.NotFound"
    assert code(other.delete_traffic_mirror_target, TrafficMirrorTargetId=mirror.t) == "InvalidTrafficMirrorTargetId.NotFound"
    ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=mirror.t)
    assert code(ec2.describe_traffic_mirror_targets,
                TrafficMirrorTargetIds=[mirror.t]) == "InvalidTrafficMirrorTargetId.NotFound"


def test_rules(ec2, other, mirror):
    two = rule(ec2, mirror.f, 2, Protocol=6, DestinationPortRange={"FromPort": 80, "ToPort": 90}, Description="web",
               ClientToken="r")
    assert rule(ec2, mirror.f, 2, Protocol=6, DestinationPortRange={"FromPort": 80, "ToPort": 90}, Description="web",
                ClientToken="r") == two
    one = rule(ec2, mirror.f, 1, RuleAction="reject", SourceCidrBlock="2001:db8::/32", DestinationCidrBlock="::/0")
    out = rule(ec2, mirror.f, 1, TrafficDirection="egress")
    f, = ec2.describe_traffic_mirror_filters(TrafficMirrorFilterIds=[mirror.f])["TrafficMirrorFilters"]
    assert f["IngressFilterRules"] == [one, two] and f["EgressFilterRules"] == [out]
    assert two["DestinationPortRange"] == {"FromPort": 80, "ToPort": 90} and "SourcePortRange" not in two
    assert "Protocol" not in one
    for wrong, expected in [
            (dict(number=2), "TrafficMirrorFilterRuleAlreadyExists"), (dict(number=0), "InvalidParameterValue"),
            (dict(number=3, Protocol=256), "InvalidParameterValue"), (dict(number=3, RuleAction="drop"), "InvalidParameterValue"),
            (dict(number=3, TrafficDirection="up"), "InvalidParameterValue"),
            (dict(number=3, SourceCidrBlock="x"), "InvalidParameterValue"),
            (dict(number=3, SourceCidrBlock="::/0"), "InvalidParameterCombination"),
            (dict(number=3, Protocol=1, SourcePortRange={"FromPort": 1, "ToPort": 2}), "InvalidParameterCombination"),
            (dict(number=3, Protocol=6, SourcePortRange={"FromPort": 3, "ToPort": 2}), "InvalidParameterValue"),
            (dict(number=3, Protocol=6, SourcePortRange={"FromPort": 3}), "InvalidParameterCombination")]:
        assert code(rule, ec2, mirror.f, **wrong) == expected, wrong
    i = two["TrafficMirrorFilterRuleId"]
    changed = ec2.modify_traffic_mirror_filter_rule(
        TrafficMirrorFilterRuleId=i, RuleNumber=9, RuleAction="reject",
        RemoveFields=["destination-port-range", "protocol", "description"])["TrafficMirrorFilterRule"]
    assert "Protocol" not in changed and "DestinationPortRange" not in changed and "Description" not in changed
    assert (changed["RuleNumber"], changed["RuleAction"], changed["TrafficMirrorFilterRuleId"]) == (9, "reject", i)
    assert code(ec2.modify_traffic_mirror_filter_rule, TrafficMirrorFilterRuleId=i,
                RuleNumber=1) == "TrafficMirrorFilterRuleAlreadyExists"
    assert code(ec2.modify_traffic_mirror_filter_rule, TrafficMirrorFilterRuleId=i,
                RemoveFields=["rule-number"]) == "InvalidParameterValue"
    assert code(other.delete_traffic_mirror_filter_rule,
                TrafficMirrorFilterRuleId=i) == "InvalidTrafficMirrorFilterRuleId.NotFound"
    n = 2
    while not code(rule, ec2, mirror.f, 100 + n):
        n += 1
    assert n == 10 and code(rule, ec2, mirror.f, 500) == "TrafficMirrorFilterRuleLimitExceeded"
    ec2.delete_traffic_mirror_filter_rule(TrafficMirrorFilterRuleId=i)
    assert code(ec2.delete_traffic_mirror_filter_rule,
                TrafficMirrorFilterRuleId=i) == "InvalidTrafficMirrorFilterRuleId.NotFound"


def test_network_services(ec2, mirror):
    modify = ec2.modify_traffic_mirror_filter_network_services
    assert modify(TrafficMirrorFilterId=mirror.f, AddNetworkServices=["amazon-dns"])["TrafficMirrorFilter"][
        "NetworkServices"] == ["amazon-dns"]
    assert modify(TrafficMirrorFilterId=mirror.f, RemoveNetworkServices=["amazon-dns"])["TrafficMirrorFilter"][
        "NetworkServices"] == []
    assert code(modify, TrafficMirrorFilterId=mirror.f, AddNetworkServices=["ntp"]) == "InvalidParameterValue"
    assert code(modify, TrafficMirrorFilterId=mirror.f) == "InvalidParameterCombination"


def session(ec2, m, number=1, **more):
    a = dict({"NetworkInterfaceId": m.source, "TrafficMirrorTargetId": m.t, "TrafficMirrorFilterId": m.f,
              "SessionNumber": number}, **more)
    return ec2.create_traffic_mirror_session(**a)["TrafficMirrorSession"]


def test_sessions(ec2, other, mirror):
    s = session(ec2, mirror, VirtualNetworkId=77, PacketLength=100, Description="d", ClientToken="s")
    i = s["TrafficMirrorSessionId"]
    assert s == {"TrafficMirrorSessionId": i, "TrafficMirrorTargetId": mirror.t, "TrafficMirrorFilterId": mirror.f,
                 "NetworkInterfaceId": mirror.source, "OwnerId": "111111111111", "PacketLength": 100, "SessionNumber": 1,
                 "VirtualNetworkId": 77, "Description": "d", "Tags": []}
    assert session(ec2, mirror, VirtualNetworkId=77, PacketLength=100, Description="d", ClientToken="s") == s
    for name, value in [("virtual-network-id", "77"), ("network-interface-id", mirror.source), ("session-number", "1"),
                        ("traffic-mirror-target-id", mirror.t), ("traffic-mirror-filter-id", mirror.f)]:
        assert ec2.describe_traffic_mirror_sessions(
            Filters=[{"Name": name, "Values": [value]}])["TrafficMirrorSessions"] == [s]
    assert code(ec2.delete_traffic_mirror_target, TrafficMirrorTargetId=mirror.t) == "TrafficMirrorTargetInUseException"
    assert code(ec2.delete_traffic_mirror_filter, TrafficMirrorFilterId=mirror.f) == "TrafficMirrorFilterInUse"
    for wrong, expected in [
            (dict(number=1), "InvalidParameterValue"), (dict(number=0), "InvalidParameterValue"),
            (dict(number=2, VirtualNetworkId=1 << 24), "InvalidParameterValue"),
            (dict(number=2, PacketLength=0), "InvalidParameterValue"),
            (dict(number=2, NetworkInterfaceId=mirror.sink), "InvalidParameterCombination"),
            (dict(number=2, TrafficMirrorTargetId="tmt-00000000000000001"), "InvalidTrafficMirrorTargetId.NotFound"),
            (dict(number=2, TrafficMirrorFilterId="tmf-00000000000000001"), "InvalidTrafficMirrorFilterId.NotFound")]:
        assert code(session, ec2, mirror, **wrong) == expected, wrong
    # copies are not copied: neither end may be the other one of another session
    third = mirror.interface()
    back = ec2.create_traffic_mirror_target(NetworkInterfaceId=mirror.source)["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    assert code(session, ec2, mirror, NetworkInterfaceId=third, TrafficMirrorTargetId=back) == "InvalidParameterCombination"
    changed = ec2.modify_traffic_mirror_session(TrafficMirrorSessionId=i, SessionNumber=5,
                                                RemoveFields=["packet-length"])["TrafficMirrorSession"]
    assert changed["SessionNumber"] == 5 and "PacketLength" not in changed and changed["VirtualNetworkId"] == 77
    assert 0 <= session(ec2, mirror, 6)["VirtualNetworkId"] < 1 << 24
    session(ec2, mirror, 7)
    assert code(session, ec2, mirror, 8) == "TrafficMirrorSessionsPerInterfaceLimitExceeded"
    assert code(other.delete_traffic_mirror_session, TrafficMirrorSessionId=i) == "InvalidTrafficMirrorSessionId.NotFound"
    ec2.create_tags(Resources=[i], Tags=[{"Key": "a", "Value": "b"}])
    assert [t["ResourceType"] for t in ec2.describe_tags()["Tags"]] == ["traffic-mirror-session"]
    ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=i)
    # a session goes with its source, and with the interface of its target
    ec2.delete_network_interface(NetworkInterfaceId=mirror.sink)
    assert not ec2.describe_traffic_mirror_sessions()["TrafficMirrorSessions"]
    assert [t["TrafficMirrorTargetId"] for t in ec2.describe_traffic_mirror_targets()["TrafficMirrorTargets"]] == [back]
