# SPDX-License-Identifier: Apache-2.0
"""A usual cloud network built, found unchanged, and taken down by Debian's Ansible; and one with everything around it by
Debian's awscli.

    ansible-playbook --- 127.0.0.1 --- vd-NAME-manager --- h1, edge1 --- world
"""
import json
import os
import pathlib
import re

import pytest

import aws as awscli
import lab as labs

LAB = {"hosts": 1, "edges": 1}
PLAYBOOK = pathlib.Path(__file__).parent / "ansible" / "network.yml"


@pytest.fixture(scope="module")
def play(lab, tmp_path_factory):
    home = tmp_path_factory.mktemp("ansible")
    env = {**os.environ, **lab.env, "HOME": str(home), "ANSIBLE_LOCAL_TEMP": str(home), "LC_ALL": "C.UTF-8",
           "ANSIBLE_NOCOLOR": "1", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "AWS_EC2_METADATA_DISABLED": "true"}

    def call(state):
        done = labs.run("/usr/bin/ansible-playbook", "-i", "localhost,", "-c", "local", PLAYBOOK, "-e",
                        json.dumps({"state": state, "endpoint": lab.endpoint, "out": str(home / "out.json"),
                                    "ansible_python_interpreter": "/usr/bin/python3"}), env=env, timeout=300)
        recap = re.search(r"ok=(\d+)\s+changed=(\d+).*failed=(\d+)", done.stdout)
        assert recap and recap.group(3) == "0", done.stdout
        changed = re.findall(r"TASK \[(.*?)\] \**\n(?:.*\n)*?changed:", done.stdout)
        return int(recap.group(2)), changed, json.loads((home / "out.json").read_text()), done.stdout
    return call


def test_a_cloud_network_by_playbook(lab, play):
    """requirement: OPS-1 TOPO-1"""
    changed, _, made, said = play("present")
    assert changed >= 15, said
    world = lab.world
    assert world.ping(made["public"]) == 3  # the group lets ping in
    changed, what, again, said = play("present")
    assert changed == 0, f"{what}\n{said}"
    assert again == made
    play("absent")
    assert not [v for v in lab.ec2.describe_vpcs()["Vpcs"] if v["VpcId"] in (made["vpc"], made["office"])]
    assert not lab.ec2.describe_addresses()["Addresses"]


def becomes(lab, nat, state):
    labs.wait_for(f"the NAT gateway to be {state}", lambda: lab.ec2.describe_nat_gateways(NatGatewayIds=[nat])[
        "NatGateways"][0]["State"] == state)


def test_ways_and_rules_from_nothing_to_nothing_by_the_command_line(lab):
    """What is made by the command line is found by it, changed and taken away again.  requirement: OPS-1 TOPO-1 NIC-6"""
    with awscli.client(lab) as aws:
        vpc, other = (aws("create-vpc", "--cidr-block", f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (71, 72))
        subnet = aws("create-subnet", "--vpc-id", vpc, "--cidr-block", "10.71.1.0/24")["Subnet"]["SubnetId"]

        group = aws("create-security-group", "--group-name", "web", "--description", "w", "--vpc-id", vpc)["GroupId"]
        aws("wait", "security-group-exists", "--group-ids", group)
        rule, = aws("authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "80-81",
                    "--cidr", "192.0.2.0/24")["SecurityGroupRules"]
        aws("update-security-group-rule-descriptions-ingress", "--group-id", group, "--security-group-rule-descriptions",
            f"SecurityGroupRuleId={rule['SecurityGroupRuleId']},Description=told")
        shown, = aws("describe-security-group-rules", "--security-group-rule-ids", rule["SecurityGroupRuleId"])[
            "SecurityGroupRules"]
        assert (shown["FromPort"], shown["ToPort"], shown["Description"]) == (80, 81, "told")
        aws("revoke-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "80-81", "--cidr",
            "192.0.2.0/24")

        acl = aws("create-network-acl", "--vpc-id", vpc)["NetworkAcl"]["NetworkAclId"]
        aws("create-network-acl-entry", "--network-acl-id", acl, "--ingress", "--rule-number", "10", "--protocol", "tcp",
            "--port-range", "From=22,To=22", "--cidr-block", "0.0.0.0/0", "--rule-action", "allow")
        used = aws("describe-network-acls", "--filters", f"Name=association.subnet-id,Values={subnet}")["NetworkAcls"]
        link, = [a for a in used[0]["Associations"] if a["SubnetId"] == subnet]
        back = aws("replace-network-acl-association", "--association-id", link["NetworkAclAssociationId"],
                   "--network-acl-id", acl)["NewAssociationId"]
        aws("replace-network-acl-association", "--association-id", back, "--network-acl-id", used[0]["NetworkAclId"])
        aws("delete-network-acl", "--network-acl-id", acl)

        igw = aws("create-internet-gateway")["InternetGateway"]["InternetGatewayId"]
        aws("attach-internet-gateway", "--internet-gateway-id", igw, "--vpc-id", vpc)
        address = aws("allocate-address", "--domain", "vpc")
        nat = aws("create-nat-gateway", "--subnet-id", subnet, "--allocation-id", address["AllocationId"])["NatGateway"][
            "NatGatewayId"]
        becomes(lab, nat, "available") # a waiter looks each 15 seconds
        aws("wait", "nat-gateway-available", "--nat-gateway-ids", nat)
        peering = aws("create-vpc-peering-connection", "--vpc-id", vpc, "--peer-vpc-id", other)["VpcPeeringConnection"][
            "VpcPeeringConnectionId"]
        aws("wait", "vpc-peering-connection-exists", "--vpc-peering-connection-ids", peering)
        aws("accept-vpc-peering-connection", "--vpc-peering-connection-id", peering)
        names = aws("create-managed-prefix-list", "--prefix-list-name", "office", "--max-entries", "2",
                    "--address-family", "IPv4", "--entries", "Cidr=198.18.0.0/24")["PrefixList"]["PrefixListId"]

        table = aws("create-route-table", "--vpc-id", vpc)["RouteTable"]["RouteTableId"]
        for where in (("--destination-cidr-block", "0.0.0.0/0", "--gateway-id", igw),
                      ("--destination-cidr-block", "10.72.0.0/16", "--vpc-peering-connection-id", peering),
                      ("--destination-prefix-list-id", names, "--nat-gateway-id", nat)):
            aws("create-route", "--route-table-id", table, *where)
        aws("replace-route", "--route-table-id", table, "--destination-cidr-block", "0.0.0.0/0", "--nat-gateway-id", nat)
        shown, = aws("describe-route-tables", "--route-table-ids", table)["RouteTables"]
        assert sorted((r.get("DestinationCidrBlock") or r["DestinationPrefixListId"], r["State"]) for r in shown["Routes"]
                      ) == sorted([("10.71.0.0/16", "active"), ("0.0.0.0/0", "active"), ("10.72.0.0/16", "active"),
                                   (names, "active")])
        link = aws("associate-route-table", "--route-table-id", table, "--subnet-id", subnet)["AssociationId"]
        refused = aws("delete-route-table", "--route-table-id", table, check=False)
        assert refused.returncode and "DependencyViolation" in refused.stderr

        options = aws("create-dhcp-options", "--dhcp-configuration", "Key=domain-name,Values=a.example")["DhcpOptions"][
            "DhcpOptionsId"]
        aws("associate-dhcp-options", "--dhcp-options-id", options, "--vpc-id", vpc)
        aws("associate-dhcp-options", "--dhcp-options-id", "default", "--vpc-id", vpc)
        logs, = aws("create-flow-logs", "--resource-ids", vpc, "--resource-type", "VPC", "--traffic-type", "ALL",
                    "--log-group-name", "g", "--deliver-logs-permission-arn", "arn:r")["FlowLogIds"]
        assert aws("describe-flow-logs", "--filter", f"Name=resource-id,Values={vpc}")["FlowLogs"][0]["FlowLogId"] == logs
        egress = aws("create-egress-only-internet-gateway", "--vpc-id", vpc)["EgressOnlyInternetGateway"][
            "EgressOnlyInternetGatewayId"]

        aws("delete-egress-only-internet-gateway", "--egress-only-internet-gateway-id", egress)
        aws("delete-flow-logs", "--flow-log-ids", logs)
        aws("delete-dhcp-options", "--dhcp-options-id", options)
        aws("disassociate-route-table", "--association-id", link)
        aws("delete-route-table", "--route-table-id", table)
        aws("delete-managed-prefix-list", "--prefix-list-id", names)
        aws("delete-vpc-peering-connection", "--vpc-peering-connection-id", peering)
        aws("wait", "vpc-peering-connection-deleted", "--vpc-peering-connection-ids", peering)
        aws("delete-nat-gateway", "--nat-gateway-id", nat)
        becomes(lab, nat, "deleted")
        aws("wait", "nat-gateway-deleted", "--nat-gateway-ids", nat)
        labs.wait_for("the address to be free", lambda: aws(
            "release-address", "--allocation-id", address["AllocationId"], check=False).returncode == 0)
        aws("detach-internet-gateway", "--internet-gateway-id", igw, "--vpc-id", vpc)
        aws("delete-internet-gateway", "--internet-gateway-id", igw)
        aws("delete-security-group", "--group-id", group)
        aws("delete-subnet", "--subnet-id", subnet)
        for v in (vpc, other):
            aws("delete-vpc", "--vpc-id", v)
        assert not [v for v in aws("describe-vpcs")["Vpcs"] if v["VpcId"] in (vpc, other)]
