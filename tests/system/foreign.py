# SPDX-License-Identifier: Apache-2.0
"""A machine at the substrate that is no host of ours, with the kernel's VXLAN device or Open vSwitch, set up as
docs/howto/foreign-hosts.md says."""
import os
import pathlib
import subprocess
import tempfile

import lab as labs


class Box(labs.Place):
    """A namespace at the router of an IPv4 substrate."""
    substrate, gateway, mac = "172.31.200.2", "172.31.200.1", "0e:76:69:61:00:02"

    def __init__(self, lab):
        super().__init__(lab, "box")
        self.router = f"vd-{lab.name}-router"
        labs.run("ip", "netns", "add", self.netns)
        labs.run("ip", "-n", self.router, "link", "add", "box", "type", "veth", "peer", "name", "eth0", "netns", self.netns)
        self.ip("link", "set", "lo", "up")
        for netns, device, address in ((self.router, "box", self.gateway), (self.netns, "eth0", self.substrate)):
            labs.run("ip", "-n", netns, "address", "add", f"{address}/24", "dev", device)
            labs.run("ip", "-n", netns, "link", "set", device, "up")
        self.ip("route", "add", "default", "via", self.gateway)

    def argv(self, *argv):
        return ["ip", "netns", "exec", self.netns, *map(str, argv)]

    def ip(self, *argv):
        labs.run("ip", "-n", self.netns, *argv)

    def host_address(self, host):
        return self.lab.hosts()[host]["v4"]

    def have(self, device, address, hosts, nodes):
        """An address in the network, and each node's at its host's MAC."""
        self.ip("address", "add", f"{address}/24", "dev", device)
        self.ip("link", "set", device, "up")
        for node in nodes:
            self.ip("neighbour", "replace", node.address, "lladdr", host_mac(hosts.index(node.host)), "dev", device)

    def join(self, device, vni, address, hosts, nodes):
        """With a device of the kernel's."""
        self.ip("link", "add", device, "address", self.mac, "mtu", "1450", "type", "vxlan", "id", vni, "dstport", "4789",
                "local", self.substrate, "nolearning")
        self.have(device, address, hosts, nodes)
        for n, host in enumerate(hosts):
            self.run("bridge", "fdb", "append", host_mac(n), "dev", device, "dst", self.host_address(host))

    def end(self):
        # with its namespace it would go some time later, when another one is wanted perhaps
        labs.run("ip", "-n", self.router, "link", "delete", "box")
        labs.run("ip", "netns", "delete", self.netns)


def host_mac(n):
    return f"0e:76:69:61:01:{n:02x}"


class OpenVSwitch:
    """Debian's, in user space, with its database and sockets in a directory of its own: no kernel module, nothing of the
    machine's.  It is unpacked and not installed, because as a service it would start."""
    PACKAGES = ("openvswitch-switch", "openvswitch-common")

    def __init__(self, box):
        self.box, self.daemons = box, []

    def unpack(self):
        """Where its files are."""
        folder = self.directory.name
        labs.run("apt-get", "download", "-o", "APT::Sandbox::User=root", *self.PACKAGES, cwd=folder)
        for package in pathlib.Path(folder).glob("*.deb"):
            labs.run("dpkg-deb", "-x", package, f"{folder}/root")
        return f"{folder}/root/usr"

    def __enter__(self):
        box, self.directory = self.box, tempfile.TemporaryDirectory()
        usr = self.unpack()
        self.log = open(f"{self.directory.name}/log", "w")
        self.env = dict(os.environ, **{f"OVS_{k}DIR": self.directory.name for k in ("RUN", "DB", "LOG", "SYSCONF")},
                        PATH=f"{usr}/bin:{usr}/sbin:{usr}/lib/openvswitch-switch:{os.environ['PATH']}")
        try:
            # a wire has whole packets with checksums; on a veth pair they would be left to do
            for what in ("tx", "tso", "gso"):
                labs.run("ip", "netns", "exec", box.router, "ethtool", "-K", "box", what, "off")
            self.run("ovsdb-tool", "create", f"{self.directory.name}/conf.db", f"{usr}/share/openvswitch/vswitch.ovsschema")
            self.database = f"unix:{self.directory.name}/db.sock"
            self.start("ovsdb-server", f"{self.directory.name}/conf.db", f"--remote=p{self.database}")
            labs.wait_for("the database", lambda: os.path.exists(self.database[5:]))
            self.set("--no-wait", "init")
            self.start("ovs-vswitchd", self.database, "--disable-system")
            # its tunnels go by the bridge that has the machine's own address
            box.ip("address", "flush", "dev", "eth0")
            self.set("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev", "--", "add-port", "br-phy", "eth0")
            box.ip("address", "add", f"{box.substrate}/24", "dev", "br-phy")
            box.ip("link", "set", "br-phy", "up")
            box.ip("route", "replace", "default", "via", box.gateway)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for p in reversed(self.daemons):
            p.terminate()
            p.wait(60)
        self.log.close()
        self.directory.cleanup()

    def run(self, *argv):
        return labs.run(*self.box.argv(*argv), env=self.env)

    def set(self, *argv):
        return self.run("ovs-vsctl", f"--db={self.database}", *argv)

    def start(self, program, *argv):
        argv = self.box.argv(program, *argv, f"--unixctl={self.directory.name}/{program}.ctl")
        self.daemons.append(subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log))

    def join(self, vni, address, hosts, nodes):
        box = self.box
        self.set("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail-mode=secure",
                 f'other-config:hwaddr="{box.mac}"')
        for n, host in enumerate(hosts):
            self.set("add-port", "br-int", f"vx{n}", "--", "set", "interface", f"vx{n}", "type=vxlan", f"options:key={vni}",
                     f"options:remote_ip={box.host_address(host)}", f"options:local_ip={box.substrate}",
                     f"ofport_request={10 + n}")
            for flow in (f"in_port={10 + n},actions=LOCAL", f"in_port=LOCAL,dl_dst={host_mac(n)},actions=output:{10 + n}"):
                self.run("ovs-ofctl", "add-flow", f"unix:{self.directory.name}/br-int.mgmt", flow)
        box.ip("link", "set", "br-int", "mtu", "1450")
        box.have("br-int", address, hosts, nodes)
