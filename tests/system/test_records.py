# SPDX-License-Identifier: Apache-2.0
"""Interface records on packets: interfaces that come and go on running instances, addresses that move.

    a --- h1 --- [ router ] --- h2 --- b
                     |
                    h3 --- c
"""
import json
import time

import pytest
from botocore.exceptions import ClientError

import lab as labs
from packets import Stream

LAB = {"hosts": 3}


@pytest.fixture(scope="module")
def nodes(lab):
    vpc, (subnet, other) = lab.subnets("10.0.1.0/24", "10.0.2.0/24")
    by_host = {}
    while len(by_host) < 3:
        node = lab.start(subnet, InstanceType="t3.small")
        by_host.setdefault(node.host, node)
    a, b, c = (by_host[h] for h in sorted(by_host))
    for x in (a, b, c):
        for y in (a, b, c):
            assert x.ping(y.address) == 3
    return {"a": a, "b": b, "c": c, "subnet": subnet, "other": other, "vpc": vpc}


def links(node):
    return {link["ifname"] for link in json.loads(labs.run("ip", "-n", node.netns, "-j", "link", "show").stdout)}


def addresses(node, device):
    out = labs.run("ip", "-n", node.netns, "-4", "-j", "addr", "show", "dev", device, check=False).stdout
    return {a["local"] for link in json.loads(out or "[]") for a in link.get("addr_info", [])}


def configured(node, device, address):
    """By DHCP: the address, and the rule that what is sent from it goes by that interface."""
    rules = labs.run("ip", "-n", node.netns, "-j", "rule", "show").stdout
    return address in addresses(node, device) and any(r.get("src") == address for r in json.loads(rules))


def status(lab, eni):
    return lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]


def code(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def attach(lab, eni, node, index=1):
    made = lab.ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=node.id, DeviceIndex=index)
    labs.wait_for("the attachment", lambda: status(lab, eni)["Attachment"]["Status"] == "attached")
    return made["AttachmentId"]


def test_an_interface_comes_and_goes_on_a_running_instance(lab, nodes):
    """requirement: NIC-2"""
    a, c = nodes["a"], nodes["c"]
    eni = lab.ec2.create_network_interface(SubnetId=nodes["other"], PrivateIpAddress="10.0.2.50")
    eni = eni["NetworkInterface"]["NetworkInterfaceId"]
    attachment = attach(lab, eni, a)
    assert status(lab, eni)["Status"] == "in-use"
    assert "eth1" in links(a)
    labs.wait_for("DHCP on the new interface", lambda: configured(a, "eth1", "10.0.2.50"))
    assert c.ping("10.0.2.50") == 3
    # The first interface is still the way out.
    assert a.ping(c.address) == 3
    lab.ec2.detach_network_interface(AttachmentId=attachment)
    # When the call returns it is done: in the record, in the node, on the wire.
    assert status(lab, eni)["Status"] == "available"
    assert "eth1" not in links(a)
    assert c.ping("10.0.2.50", count=2) == 0
    # ... and it may appear elsewhere.
    attachment = attach(lab, eni, nodes["b"])
    labs.wait_for("DHCP on the other instance", lambda: configured(nodes["b"], "eth1", "10.0.2.50"))
    labs.wait_for("the new place to be known", lambda: c.ping("10.0.2.50") == 3)
    lab.ec2.detach_network_interface(AttachmentId=attachment)
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_after_a_detach_not_a_packet_passes(lab, nodes):
    """A numbered stream each way while the interface is detached: what was sent after the call returned is never
    received, on any host.  requirement: NIC-2"""
    a, c = nodes["a"], nodes["c"]
    eni = lab.ec2.create_network_interface(SubnetId=nodes["subnet"], PrivateIpAddress="10.0.1.60")
    eni = eni["NetworkInterface"]["NetworkInterfaceId"]
    attachment = attach(lab, eni, a)
    labs.wait_for("DHCP", lambda: configured(a, "eth1", "10.0.1.60"))
    with Stream(c, "10.0.1.60", {"a": a}) as to, Stream(a, c.address, {"c": c}, 7101, source="10.0.1.60") as back:
        labs.wait_for("the streams", lambda: to.count("a") > 200 and back.count("c") > 200)
        lab.ec2.detach_network_interface(AttachmentId=attachment)
        returned = time.monotonic()
        sent = to.sent(), back.sent()
        labs.wait_for("more to be sent", lambda: to.sent() > sent[0] + 500 and back.sent() > sent[1] + 500)
        assert max(at for _, _, at, _ in to.arrivals("a")) < returned
        assert max(at for _, _, at, _ in back.arrivals("c")) < returned
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def move(lab, address, node):
    """Takes an address to another node's first interface; how long the call took."""
    begin = time.monotonic()
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=node.interfaces[0]["NetworkInterfaceId"],
                                        PrivateIpAddresses=[address], AllowReassignment=True)
    return time.monotonic() - begin


def test_an_address_is_never_on_two_nodes(lab, nodes):
    """Both nodes have the address on their interface and send from it all the time; a third one sends to it.  At any
    moment only one of them is heard, and after the call only the second.  requirement: NIC-3"""
    a, b, c = nodes["a"], nodes["b"], nodes["c"]
    address = "10.0.1.70"
    for node in (a, b):
        node.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
    move(lab, address, a)
    with Stream(c, address, {"a": a, "b": b}) as to, \
            Stream(a, c.address, {"c": c}, 7101, source=address) as from_a, \
            Stream(b, c.address, {"c": c}, 7102, source=address) as from_b:
        labs.wait_for("the streams", lambda: to.count("a") > 300 and from_a.count("c") > 300)
        assert to.count("b") == 0 and from_b.count("c") == 0
        move(lab, address, b)
        returned = time.monotonic()
        labs.wait_for("the other node", lambda: to.count("b") > 300 and from_b.count("c") > 300)
        last = {"to a": max(x[2] for x in to.arrivals("a")), "from a": max(x[2] for x in from_a.arrivals("c"))}
        first = {"to b": min(x[2] for x in to.arrivals("b")), "from b": min(x[2] for x in from_b.arrivals("c"))}
        print(f"gap to {1000 * (first['to b'] - last['to a']):.1f} ms, "
              f"from {1000 * (first['from b'] - last['from a']):.1f} ms")
        assert max(last.values()) < returned
        assert max(last.values()) < min(first.values()) + 0.001, "both nodes had the address"
    shown = status(lab, a.interfaces[0]["NetworkInterfaceId"])["PrivateIpAddresses"]
    assert address not in [x["PrivateIpAddress"] for x in shown]
    for node in (a, b):
        node.run("ip", "addr", "del", f"{address}/32", "dev", "eth0")
