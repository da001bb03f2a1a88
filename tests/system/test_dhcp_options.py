# SPDX-License-Identifier: Apache-2.0
"""What a VPC's DHCP options say reaches its nodes.

    h1: a        one VPC, other options for each test
"""
import lab as labs

LAB = {"hosts": 1}


def resolv(node):
    return node.run("cat", "/etc/resolv.conf").stdout


def test_servers_and_domain_are_those_of_the_options(lab):
    """requirement: PKT-8, NIC-1"""
    vpc, (subnet,) = lab.subnets("10.0.1.0/24")
    labs.wait_for("the default servers", lambda n=lab.start(subnet): "nameserver 10.0.0.2" in resolv(n))
    options = lab.ec2.create_dhcp_options(DhcpConfigurations=[
        {"Key": "domain-name-servers", "Values": ["10.0.0.53", "192.0.2.53"]},
        {"Key": "domain-name", "Values": ["example.org"]},
        {"Key": "ntp-servers", "Values": ["192.0.2.123"]}])["DhcpOptions"]["DhcpOptionsId"]
    lab.ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    node = lab.start(subnet)
    labs.wait_for("the lease to be written down",
                  lambda: all(w in resolv(node) for w in ("nameserver 10.0.0.53", "nameserver 192.0.2.53", "example.org")))
    assert "10.0.0.2\n" not in resolv(node)
    lab.ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    labs.wait_for("the default servers", lambda n=lab.start(subnet): "nameserver 10.0.0.2" in resolv(n))
