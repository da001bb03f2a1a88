# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch, in user space, is given the geneve packets that the machine's hosts sent, and sends them back: it has
read a packet if it knows our option, and writes it if what comes back is the same to the byte."""
import os
import sys
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
import lab as labs  # noqa: E402
from foreign import Box, OpenVSwitch  # noqa: E402

GENEVE_PORT = 6081
PORT = 10  # of the tunnel, at the switch
OPTIONS = {"geneve-1": "{class=0xfff6,type=1,len=8}->tun_metadata1", "geneve-2": "{class=0xfff6,type=2,len=12}->tun_metadata2"}

# Sends each line to the switch until it comes back the same, or half a minute is over; says how many did.
EXCHANGE = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 6081))
s.settimeout(0.2)
good, end = 0, time.monotonic() + 30
for line in sys.stdin:
    packet, same = bytes.fromhex(line), False
    while not same and time.monotonic() < end:
        s.sendto(packet, (sys.argv[1], 6081))
        try:
            same = s.recv(65536) == packet
        except TimeoutError:
            pass
    good += same
print(good)
"""


def reflected(packets):
    """How many of the geneve packets, of {name: [bytes behind UDP]}, come back from the switch as they were sent to it:
    {name: number}."""
    place = types.SimpleNamespace(name=labs.free_name("ovs"))
    router = f"vd-{place.name}-router"
    labs.run("ip", "netns", "add", router)
    try:
        box = Box(place)
        try:
            with OpenVSwitch(box) as switch:
                return exchange(box, switch, packets)
        finally:
            box.end()
    finally:
        labs.run("ip", "netns", "delete", router)


def exchange(box, switch, packets):
    switch.set("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure")
    switch.set("add-port", "br-int", "gnv", "--", "set", "interface", "gnv", "type=geneve", "options:key=flow",
               f"options:remote_ip={box.gateway}", f"options:local_ip={box.substrate}", f"ofport_request={PORT}")
    bridge = f"unix:{switch.directory.name}/br-int.mgmt"
    came_back = {}
    for name, sent in packets.items():
        switch.run("ovs-ofctl", "add-tlv-map", bridge, OPTIONS[name])
        field = OPTIONS[name].partition("->")[2]
        # what has the option, and nothing else, goes back where it came from
        switch.run("ovs-ofctl", "add-flow", bridge, f"in_port={PORT},{field},actions=in_port")
        done = labs.run("ip", "netns", "exec", box.router, "/usr/bin/python3", "-c", EXCHANGE, box.substrate,
                        input="".join(p.hex() + "\n" for p in sent))
        came_back[name] = int(done.stdout)
    return came_back
