# SPDX-License-Identifier: Apache-2.0
"""Every kind of thing of the EC2 API that has tags: how one is made, ended and listed."""


class Kind:
    """How things of a kind are made, ended and listed. 'more': what makes one, from the walk."""

    def __init__(self, tags, make, where, more, end, key, lists, named, token=False, tag_key="Tags", param=None):
        self.tags, self.make, self.where, self.more, self.end, self.key = tags, make, where, more, end, key
        self.lists, self.named, self.token, self.tag_key = lists, named, token, tag_key
        self.param = param or self.key + "s"


def of(name):
    return lambda w: {name: w.base[name]}


def block(w):
    w.counter += 1
    return {"VpcId": w.base["VpcId"], "CidrBlock": f"10.0.{w.counter // 16}.{w.counter % 16 * 16}/28"}


def name(key, **more):
    def make(w):
        w.counter += 1
        return {key: "n%d" % w.counter, **more}
    return make


def log(w):
    w.counter += 1
    return {"ResourceIds": [w.some_subnet()], "ResourceType": "Subnet", "TrafficType": "ALL",
            "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::b%d" % w.counter}


def rule(w):
    w.counter += 1
    return {"GroupId": w.base["GroupId"], "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": w.counter, "ToPort": w.counter, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]}


def session(w):
    w.counter += 1
    return {"NetworkInterfaceId": w.base["Source"], "TrafficMirrorTargetId": w.base["TrafficMirrorTargetId"],
            "TrafficMirrorFilterId": w.base["TrafficMirrorFilterId"], "SessionNumber": w.counter}


def peering(w):
    """With a VPC of its own: one that there is already is answered with itself."""
    w.counter += 1
    made = w.ask("create_vpc", None, CidrBlock="10.%d.0.0/16" % (100 + w.counter % 100))["Vpc"]["VpcId"]
    w.keep(made)
    w.learn(made)
    return {"VpcId": w.base["VpcId"], "PeerVpcId": made}


KINDS = {
    "vpc": Kind("vpc", "create_vpc", "Vpc.VpcId", lambda w: {"CidrBlock": "10.9.0.0/16"}, "delete_vpc", "VpcId",
                "describe_vpcs", "Vpcs"),
    "subnet": Kind("subnet", "create_subnet", "Subnet.SubnetId", block, "delete_subnet", "SubnetId",
                   "describe_subnets", "Subnets"),
    "eni": Kind("network-interface", "create_network_interface", "NetworkInterface.NetworkInterfaceId", of("SubnetId"),
                "delete_network_interface", "NetworkInterfaceId", "describe_network_interfaces", "NetworkInterfaces",
                True,
                "TagSet"),
    "sg": Kind("security-group", "create_security_group", "GroupId",
               lambda w: {**name("GroupName", Description="d")(w), "VpcId": w.base["VpcId"]}, "delete_security_group",
               "GroupId",
               "describe_security_groups", "SecurityGroups"),
    "acl": Kind("network-acl", "create_network_acl", "NetworkAcl.NetworkAclId", of("VpcId"), "delete_network_acl",
                "NetworkAclId", "describe_network_acls", "NetworkAcls", True),
    "rtb": Kind("route-table", "create_route_table", "RouteTable.RouteTableId", of("VpcId"), "delete_route_table",
                "RouteTableId", "describe_route_tables", "RouteTables", True),
    "igw": Kind("internet-gateway", "create_internet_gateway", "InternetGateway.InternetGatewayId", lambda w: {},
                "delete_internet_gateway", "InternetGatewayId", "describe_internet_gateways", "InternetGateways"),
    "eigw": Kind("egress-only-internet-gateway", "create_egress_only_internet_gateway",
                 "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId", of("VpcId"),
                 "delete_egress_only_internet_gateway",
                 "EgressOnlyInternetGatewayId", "describe_egress_only_internet_gateways",
                 "EgressOnlyInternetGateways", True),
    "pl": Kind("prefix-list", "create_managed_prefix_list", "PrefixList.PrefixListId",
               name("PrefixListName", MaxEntries=3, AddressFamily="IPv4"), "delete_managed_prefix_list", "PrefixListId",
               "describe_managed_prefix_lists", "PrefixLists", True),
    "dopt": Kind("dhcp-options", "create_dhcp_options", "DhcpOptions.DhcpOptionsId",
                 lambda w: {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["a.example"]}]},
                 "delete_dhcp_options",
                 "DhcpOptionsId", "describe_dhcp_options", "DhcpOptions", param="DhcpOptionsIds"),
    "nip": Kind("network-insights-path", "create_network_insights_path", "NetworkInsightsPath.NetworkInsightsPathId",
                lambda w: {"Source": w.base["Source"], "Destination": w.base["Destination"], "Protocol": "tcp",
                           "DestinationPort": w.rng.randrange(1, 65536)}, "delete_network_insights_path",
                           "NetworkInsightsPathId",
                "describe_network_insights_paths", "NetworkInsightsPaths", True),
    "nia": Kind("network-insights-analysis", "start_network_insights_analysis",
                "NetworkInsightsAnalysis.NetworkInsightsAnalysisId", of("NetworkInsightsPathId"),
                "delete_network_insights_analysis", "NetworkInsightsAnalysisId", "describe_network_insights_analyses",
                "NetworkInsightsAnalyses", True, param="NetworkInsightsAnalysisIds"),
    "fl": Kind("vpc-flow-log", "create_flow_logs", "FlowLogIds[0]", log, "delete_flow_logs", "FlowLogId",
               "describe_flow_logs",
               "FlowLogs", True),
    "tmf": Kind("traffic-mirror-filter", "create_traffic_mirror_filter", "TrafficMirrorFilter.TrafficMirrorFilterId",
                lambda w: {}, "delete_traffic_mirror_filter", "TrafficMirrorFilterId",
                "describe_traffic_mirror_filters",
                "TrafficMirrorFilters", True),
    "pg": Kind("placement-group", "create_placement_group", "PlacementGroup.GroupId", name("GroupName"),
               "delete_placement_group",
               "GroupId", "describe_placement_groups", "PlacementGroups"),
    "eipalloc": Kind("elastic-ip", "allocate_address", "AllocationId", lambda w: {"Domain": "vpc"}, "release_address",
                     "AllocationId", "describe_addresses", "Addresses"),
    "nat": Kind("natgateway", "create_nat_gateway", "NatGateway.NatGatewayId",
                lambda w: {"SubnetId": w.base["SubnetId"], "ConnectivityType": "private"}, None, "NatGatewayId",
                "describe_nat_gateways", "NatGateways", True),
    "i": Kind("instance", "run_instances", "Instances[0].InstanceId",
              lambda w: {"SubnetId": w.base["SubnetId"], "MinCount": 1, "MaxCount": 1}, None, "InstanceId",
              "describe_instances", "Reservations", True),
    "sgr": Kind("security-group-rule", "authorize_security_group_ingress", "SecurityGroupRules[0].SecurityGroupRuleId",
                rule, "revoke_security_group_ingress", "SecurityGroupRuleId", "describe_security_group_rules",
                "SecurityGroupRules"),
    "pcx": Kind("vpc-peering-connection", "create_vpc_peering_connection",
                "VpcPeeringConnection.VpcPeeringConnectionId", peering, None, "VpcPeeringConnectionId",
                "describe_vpc_peering_connections", "VpcPeeringConnections"),
    "tmt": Kind("traffic-mirror-target", "create_traffic_mirror_target", "TrafficMirrorTarget.TrafficMirrorTargetId",
                lambda w: {"NetworkInterfaceId": w.new_interface()}, "delete_traffic_mirror_target",
                "TrafficMirrorTargetId", "describe_traffic_mirror_targets", "TrafficMirrorTargets", True),
    "tms": Kind("traffic-mirror-session", "create_traffic_mirror_session",
                "TrafficMirrorSession.TrafficMirrorSessionId", session, "delete_traffic_mirror_session",
                "TrafficMirrorSessionId", "describe_traffic_mirror_sessions", "TrafficMirrorSessions", True),
}
UNPAGED = ("pg", "eipalloc")
SMALL_PAGED = ("pl", "nip", "nia")  # whose pages may have one
LIMITS = {"eigw": 5, "nat": 4, "eipalloc": 6, "i": 4, "pcx": 3, "tms": 3}  # what is not asked for more often
