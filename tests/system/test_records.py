# SPDX-License-Identifier: Apache-2.0
"""Interface records on packets: interfaces that come and go on running instances, addresses that move.

    a --- h1 --- [ router ] --- h2 --- b
                     |
                    h3 --- c
"""
import json
import signal
import time

import pytest
from botocore.exceptions import ClientError
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

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
    """Also from one to another in one call, in which only one of them ever has it.  requirement: NIC-2, NIC-3"""
    a, b, c = nodes["a"], nodes["b"], nodes["c"]
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
    # When the call returns it is done: in the record and on the wire.  Its device goes from the node right after.
    assert status(lab, eni)["Status"] == "available"
    assert c.ping("10.0.2.50", count=2) == 0
    labs.wait_for("the device to go", lambda: "eth1" not in links(a))
    # ... and it may appear elsewhere.
    attach(lab, eni, b)
    labs.wait_for("DHCP on the other instance", lambda: configured(b, "eth1", "10.0.2.50"))
    with Stream(c, "10.0.2.50", {"a": a, "b": b}) as to:
        labs.wait_for("the new place to be known", lambda: to.count("b") > 200)
        lab.viaduct("interface", "attach", eni, a.id, "--allow-reassignment", "--lab", lab.name)
        attachment = status(lab, eni)["Attachment"]
        assert attachment["InstanceId"] == a.id and attachment["Status"] == "attached"
        labs.wait_for("the next place to be known", lambda: to.count("a") > 200)
        last, first = max(x[2] for x in to.arrivals("b")), min(x[2] for x in to.arrivals("a"))
        print(f"gap {1000 * (first - last):.1f} ms")
        assert last < first + 0.001, "both nodes had it"
    labs.wait_for("the last node to lose it", lambda: "eth1" not in links(b))
    lab.ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"])
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


def test_an_address_goes_to_a_node_that_gets_a_record_for_it(lab, nodes):
    """requirement: NIC-3"""
    address, device = "10.0.1.220", "eth1"
    move = f"/v1/subnets/{nodes['subnet']}/addresses/{address}"
    first = nodes["a"]
    while (second := lab.start(nodes["other"], InstanceType="t3.small")).host == first.host:
        pass
    assert not lab.operate("PUT", move, {"interface": first.interface})["made"]
    first.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
    second.run("ip", "addr", "add", f"{address}/32", "dev", "lo")
    with Stream(nodes["c"], address, {"first": first, "second": second}, port=7150) as stream:
        labs.wait_for("the first node", lambda: stream.count("first") > 200)
        moved = lab.operate("PUT", move, {"instance": second.id})
        assert moved["made"] and moved["interface"]["attachment"]["instance"] == second.id
        eni, own = moved["interface"]["id"], moved["interface"]["addresses"][0]
        labs.wait_for("the second node", lambda: stream.count("second") > 200)
        labs.wait_for("the record's own address", lambda: configured(second, device, own))
        before, after = stream.arrivals("first"), stream.arrivals("second")
    assert before[-1][2] <= after[0][2] and before[-1][0] < after[0][0], "never both"
    assert [a["PrivateIpAddress"] for a in status(lab, eni)["PrivateIpAddresses"]] == [own, address]
    assert not lab.operate("PUT", move, {"interface": first.interface})["made"]
    first.run("ip", "addr", "del", f"{address}/32", "dev", "eth0")


def test_an_address_is_not_given_away_while_its_host_is_silent(lab, nodes):
    """The host of the first holder is away: the call returns after 5 s, the second one has nothing, and an operator sees
    for whom is waited.  When the host is back it goes on.  requirement: NIC-3"""
    a, b, c = nodes["a"], nodes["b"], nodes["c"]
    address = "10.0.1.71"
    for node in (a, b):
        node.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
    move(lab, address, a)
    labs.wait_for("the first holder", lambda: c.ping(address) == 3)
    lab.kill(a.host)
    took = move(lab, address, b)
    assert 4.5 < took < 15
    waiting = [r for r in lab.api("releases") if r["address"] == address]
    assert [r["step"] for r in waiting] == ["leaving"]
    assert [w["host"] for w in waiting[0]["waits_for"]] == [a.host]
    # It is the first one still that has it, without its agent, and nobody else.
    with Stream(c, address, {"a": a, "b": b}) as to:
        labs.wait_for("the first holder", lambda: to.count("a") > 100)
        assert to.count("b") == 0
        lab.restart(a.host)
        lab.connected()
        labs.wait_for("the second holder", lambda: to.count("b") > 100)
        first_of_b = min(x[2] for x in to.arrivals("b"))
        assert max(x[2] for x in to.arrivals("a")) < first_of_b
    labs.wait_for("the end of the move", lambda: not lab.api("releases"))
    for node in (a, b):
        node.run("ip", "addr", "del", f"{address}/32", "dev", "eth0")


def test_a_disabled_interface_passes_nothing(lab, nodes):
    """requirement: NIC-1"""
    a, c = nodes["a"], nodes["c"]
    path = f"/v1/interfaces/{a.interfaces[0]['NetworkInterfaceId']}"
    assert c.ping(a.address) == 3
    lab.operate("PUT", path, {"condition": "disabled"})
    labs.wait_for("the interface to be off", lambda: c.ping(a.address, count=1) == 0)
    assert a.ping(c.address, count=2) == 0
    lab.operate("PUT", path, {"condition": "normal"})
    labs.wait_for("the interface to be on", lambda: c.ping(a.address) == 3)


# Sends the frames of its input until one comes in that begins with the bytes given; prints its VLAN, or "none".
ASK_TAGGED = """
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
s.settimeout(0.2)
frames, wanted, end = [bytes.fromhex(x) for x in sys.stdin], bytes.fromhex(sys.argv[1]), time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for frame in frames:
        s.send(frame)
    try:
        while True:
            data, control, _, where = s.recvmsg(2048, 256)
            if where[2] != socket.PACKET_OUTGOING and wanted in data:
                status, *_, tci, _ = struct.unpack("IIIHHHH", control[0][2])
                print(tci if status & 16 else "none")
                sys.exit(0)
    except socket.timeout:
        pass
print("silence")
"""


def test_a_tagged_record_speaks_with_its_tag_alone(lab, nodes):
    """The node asks its agent (DHCP) and its neighbourhood (ARP): with the tag of its record it is answered with that tag,
    with none or another it is not, and what it sends so is counted.  requirement: NIC-1"""
    a, c = nodes["a"], nodes["c"]
    path, mac = f"/v1/interfaces/{a.interfaces[0]['NetworkInterfaceId']}", a.interfaces[0]["MacAddress"]
    arp = ARP(op=1, hwsrc=mac, psrc=a.address, pdst=c.address)
    dhcp = IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / \
        BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=0x76696164) / DHCP(options=[("message-type", "discover"), "end"])

    def ask(tag, seconds):
        """The tags of what answers."""
        head = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        head = head / Dot1Q(vlan=tag) if tag else head
        return [a.python(ASK_TAGGED, answer, seconds, input=bytes(head / what).hex()).stdout.strip()
                for what, answer in ((arp, "0001080006040002"), (dhcp, "76696164"))]

    assert ask(None, 60) == ["none", "none"]
    lab.operate("PUT", path, {"vlan": 12})
    labs.wait_for("the tag", lambda: c.ping(a.address, count=1) == 0)
    assert ask(12, 60) == ["12", "12"]
    refused = lab.drops_now("VLAN")
    assert ask(None, 1) == ["silence", "silence"]
    assert ask(13, 1) == ["silence", "silence"]
    labs.wait_for("the drops to be counted", lambda: lab.drops("VLAN") >= refused + 4)
    lab.operate("PUT", path, {"vlan": 0})
    labs.wait_for("the tag to be gone", lambda: c.ping(a.address) == 3)


def test_another_account_attaches_what_it_was_permitted_to(lab, nodes):
    """An interface of one account's network in an instance of another's.  requirement: NIC-1 NIC-2"""
    account, guest = lab.account("guest")
    _, (subnet,) = lab.subnets("10.66.1.0/24", vpc_cidr="10.66.0.0/16", ec2=guest)
    node = lab.start(subnet, ec2=guest, InstanceType="t3.small")
    eni = lab.ec2.create_network_interface(SubnetId=nodes["subnet"], PrivateIpAddress="10.0.1.80")
    eni = eni["NetworkInterface"]["NetworkInterfaceId"]
    wanted = {"NetworkInterfaceId": eni, "InstanceId": node.id, "DeviceIndex": 1}
    assert code(guest.attach_network_interface, **wanted) == "InvalidNetworkInterfaceID.NotFound"
    permission = lab.ec2.create_network_interface_permission(
        NetworkInterfaceId=eni, AwsAccountId=account, Permission="INSTANCE-ATTACH")["InterfacePermission"]
    attachment = guest.attach_network_interface(**wanted)["AttachmentId"]
    labs.wait_for("DHCP in the guest's instance", lambda: configured(node, "eth1", "10.0.1.80"))
    assert nodes["c"].ping("10.0.1.80") == 3
    assert status(lab, eni)["Attachment"]["InstanceOwnerId"] == account
    assert code(guest.delete_network_interface, NetworkInterfaceId=eni) == "AuthFailure"
    guest.detach_network_interface(AttachmentId=attachment)
    assert status(lab, eni)["Status"] == "available"
    lab.ec2.delete_network_interface_permission(
        NetworkInterfacePermissionId=permission["NetworkInterfacePermissionId"])
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)


def test_usage_is_kept_across_restarts(lab, nodes):
    """requirement: OPS-2"""
    a, b, c = nodes["a"], nodes["b"], nodes["c"]
    eni = a.interfaces[0]["NetworkInterfaceId"]
    payer, _ = lab.account("payer")
    assert lab.api("usage", "--payer", payer) == []
    lab.operate("PUT", f"/v1/interfaces/{eni}", {"billing_account": payer})

    def usage():
        return lab.operate("GET", f"/v1/interfaces/{eni}")["interface"]["usage"]

    def after_pings():
        """The usage that has 50 pings more than before, and nothing between two of its reports."""
        def settled():
            before = usage()
            labs.wait_for("another report", lambda: usage()["reported_at"] != before["reported_at"])
            return start + 50 <= usage()["tx_packets"] == before["tx_packets"] and before

        start = usage()["tx_packets"]
        assert a.ping(c.address, "-s", 1000, count=50) == 50
        return labs.wait_for("the last packets to be reported", settled)

    first = after_pings()
    assert first["tx_bytes"] >= 50 * 1028 and first["used_seconds"] > 0
    for what in (a.host, "manager"):
        lab.kill(what, signal.SIGTERM)
        lab.restart(what)
        lab.connected()
    second = after_pings()
    assert 50 <= second["tx_packets"] - first["tx_packets"] < 70
    assert second["used_seconds"] >= first["used_seconds"]
    labs.wait_for("the list to say the same", lambda: usage()["tx_packets"] in
                  [u["tx_packets"] for u in lab.api("usage") if u["interface"] == eni])
    labs.wait_for("the next record of it", lambda: lab.api("usage", "--payer", payer), seconds=180)
    assert [u["interface"] for u in lab.api("usage", "--payer", payer)] == [eni]
    assert eni not in [u["interface"] for u in lab.api("usage", "--payer", labs.ACCOUNT)]
    lab.operate("PUT", f"/v1/interfaces/{eni}", {"billing_account": ""})
    assert b.ping(c.address) == 3


def test_terminating_deletes_or_keeps_each_interface(lab, nodes):
    """requirement: NIC-5"""
    kept, gone = (lab.ec2.create_network_interface(SubnetId=nodes["subnet"])["NetworkInterface"]["NetworkInterfaceId"]
                  for _ in range(2))
    made = lab.ec2.run_instances(ImageId=labs.IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.small", NetworkInterfaces=[
        {"DeviceIndex": 0, "NetworkInterfaceId": kept}, {"DeviceIndex": 1, "NetworkInterfaceId": gone}])["Instances"][0]
    node = lab.ready(made["InstanceId"])
    attachment = status(lab, gone)["Attachment"]
    assert attachment["DeleteOnTermination"] is False
    lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=gone, Attachment={
        "AttachmentId": attachment["AttachmentId"], "DeleteOnTermination": True})
    assert links(node) >= {"eth0", "eth1"}
    assert code(lab.ec2.detach_network_interface,
                AttachmentId=status(lab, kept)["Attachment"]["AttachmentId"]) == "OperationNotPermitted"
    lab.ec2.terminate_instances(InstanceIds=[node.id])
    labs.wait_for("the interface that is kept", lambda: status(lab, kept)["Status"] == "available")
    assert code(lab.ec2.describe_network_interfaces,
                NetworkInterfaceIds=[gone]) == "InvalidNetworkInterfaceID.NotFound"
    lab.ec2.delete_network_interface(NetworkInterfaceId=kept)


def test_a_record_tells_its_node_resolver_and_routes(lab, nodes):
    """What is set on a record that is attached afterwards is what the node is told by DHCP.  requirement: NIC-1"""
    eni = lab.ec2.create_network_interface(SubnetId=nodes["subnet"], PrivateIpAddress="10.0.1.91")
    eni = eni["NetworkInterface"]["NetworkInterfaceId"]
    lab.operate("PUT", f"/v1/interfaces/{eni}", {
        "dns_server": "10.0.1.53", "routes": [{"prefix": "172.16.0.0/12", "via": nodes["c"].address}]})
    made = lab.ec2.run_instances(ImageId=labs.IMAGE, MinCount=1, MaxCount=1, NetworkInterfaces=[
        {"DeviceIndex": 0, "NetworkInterfaceId": eni}])["Instances"][0]
    node = lab.ready(made["InstanceId"])

    def routes():
        return {r["dst"]: r.get("gateway") for r in json.loads(
            labs.run("ip", "-n", node.netns, "-4", "-j", "route", "show").stdout)}

    wanted = {"172.16.0.0/12": nodes["c"].address, "default": "10.0.1.1"}
    labs.wait_for("the routes", lambda: wanted.items() <= routes().items())
    labs.wait_for("the resolver", lambda: "nameserver 10.0.1.53" in node.run("cat", "/etc/resolv.conf").stdout)
    lab.ec2.terminate_instances(InstanceIds=[node.id])
    labs.wait_for("the interface", lambda: status(lab, eni)["Status"] == "available")
    lab.ec2.delete_network_interface(NetworkInterfaceId=eni)
