# SPDX-License-Identifier: Apache-2.0
"""A Viaduct cluster of two hosts linked directly, with the real daemons, for bench/dataplane:

    a --- h1 [viaduct-agent, viaductd] ---substrate--- h2 [viaduct-agent] --- b
    c ---/

The manager's API listens on a loopback socket made here and handed over (LISTEN_FDS)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import boto3
from botocore.config import Config

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from hosts import INNER_MTU, SUBSTRATE_MTU, Path, address, forward, path, sh, veth, wait_for  # noqa: E402
from listeners import Listeners  # noqa: E402

REGION = "us-east-1"
IMAGE = "ami-netns"


class Cluster:
    """'formats' limits what the agents offer ("siit/1,ipip6/1"); None offers all.  'require' is what they do not talk
    without ("crypt/1"), 'seal_cpus' the processors that seal for each of the two hosts."""

    def __init__(self, nss, build, name, substrate="ipv6", formats=None, require=None, aliases=False,
                 seal_cpus=None):
        self.nss, self.build, self.name = nss, build, name
        self.substrate, self.formats, self.require, self.aliases = substrate, formats, require, aliases
        self.seal_cpus = seal_cpus
        self.directory = tempfile.mkdtemp(prefix="viaduct-bench-")
        self.processes = []
        self.hosts = [nss.make(f"viaduct-{name}-h{n}") for n in (1, 2)]

    # ---- the hosts ----

    def host_address(self, n):
        return f"fd00:77::{n}" if self.substrate == "ipv6" else f"192.168.0.{n}"

    def link_hosts(self):
        veth(self.hosts[0], "sub0", self.hosts[1], "sub0", SUBSTRATE_MTU)
        for n, host in enumerate(self.hosts, 1):
            address(host, "sub0", self.host_address(n) + ("/64" if self.substrate == "ipv6" else "/24"))
            forward(host)

    def route_locators(self, records):
        """The operator's part: each host's locators are routed to its ordinary address."""
        for n, host in enumerate(self.hosts):
            other = records[1 - n]
            for locator in (other.get("siit1"), other.get("siit2"), other.get("aliases")):
                if locator:
                    sh("ip", "-n", host, "route", "replace", locator, "via", self.host_address(2 - n))

    # ---- the daemons ----

    def program(self, room, name):
        return os.path.join(self.build, "src", room, name)

    def spawn(self, host, argv, name, fds=()):
        log = open(os.path.join(self.directory, name + ".log"), "w")
        process = subprocess.Popen(["nsenter", f"--net={path(host)}", *argv], stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, pass_fds=fds)
        self.processes.append((name, process))
        return process

    def api_get(self, what):
        out = subprocess.run([self.program("ctl", "viaduct"), "--endpoint", self.endpoint, "--token",
                              self.admin["token"], what, "--json"], capture_output=True, text=True)
        return json.loads(out.stdout) if out.returncode == 0 else None

    def viaduct(self, *argv):
        return sh(self.program("ctl", "viaduct"), "--endpoint", self.endpoint, "--token",
                  self.admin["token"], *argv)

    def start_manager(self):
        state = os.path.join(self.directory, "manager")
        manager = f"{self.host_address(1)}"
        manager = f"[{manager}]:8774" if ":" in manager else f"{manager}:8774"
        sh(self.program("manager", "viaductd"), "init", "--state", state, "--address", self.host_address(1))
        with open(os.path.join(state, "admin.json")) as f:
            self.admin = json.load(f)
        with Listeners("http") as listeners:
            self.endpoint = f"http://{listeners.address('http')}"
            self.spawn(self.hosts[0], listeners.command(self.program("manager", "viaductd"), "run", "--state", state,
                                                        "--agents", manager, "--advertise", manager), "viaductd",
                       listeners.fds)
        wait_for("the manager", lambda: self.api_get("status"))

    def start_agent(self, n):
        host = self.hosts[n - 1]
        bundle = os.path.join(self.directory, f"h{n}.json")
        state = os.path.join(self.directory, f"h{n}")
        family = "--v6" if self.substrate == "ipv6" else "--v4"
        with open(bundle, "w") as f:
            aliases = ["--aliases", f"198.18.{n}.0/24"] if self.aliases else []
            f.write(self.viaduct("host", "add", f"h{n}", "--rack", str(n), family, self.host_address(n), *aliases))
        agent = self.program("agent", "viaduct-agent")
        sh(agent, "join", bundle, "--state", state)
        argv = [agent, "run", "--state", state, "--substrate", "sub0", "--name", self.agent_name(n),
                "--run", self.directory, "--netns-prefix", f"{host}-"]
        if self.formats or self.require or self.seal_cpus:
            config = os.path.join(state, "bench.conf")
            with open(config, "w") as f:
                f.write(f"formats = {self.formats}\n" if self.formats else "")
                f.write(f"require = {self.require}\nfeatures = {self.require}\n" if self.require else "")
                f.write(f"seal-cpus = {self.seal_cpus[n - 1]}\n" if self.seal_cpus else "")
            argv += ["--config", config]
        self.spawn(host, argv, f"agent{n}")

    def agent_name(self, n):
        return f"b{os.getpid() % 10000}{self.name[-4:]}{n}"

    def start(self):
        self.link_hosts()
        self.start_manager()
        for n in (1, 2):
            self.start_agent(n)
        records = wait_for("the agents", lambda: self.connected_hosts())
        self.route_locators(sorted(records, key=lambda r: r["name"]))

    def connected_hosts(self):
        answer = self.api_get("hosts")
        up = [h for h in (answer or {}).get("hosts", []) if h["state"] == "connected"]
        return up if len(up) == len(self.hosts) else None

    # ---- the nodes ----

    def run_instances(self):
        """Three nodes in one subnet: a and c on one host, b on the other."""
        ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=self.endpoint,
                           aws_access_key_id=self.admin["access_key_id"],
                           aws_secret_access_key=self.admin["secret_access_key"],
                           config=Config(retries={"max_attempts": 1}))
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        ec2.run_instances(ImageId=IMAGE, MinCount=3, MaxCount=3, SubnetId=subnet)

        wait_for("the instances", lambda: self.running(ec2))
        addresses = {i["InstanceId"]: i["PrivateIpAddress"] for i in self.running(ec2)}
        by_host = {}
        for record in self.api_get("instances")["instances"]:
            by_host.setdefault(record["host"], []).append(record["id"])
        one, two = sorted(by_host.values(), key=len)
        self.b, (self.a, self.c) = one[0], two
        self.addresses = addresses
        for node in (self.a, self.b, self.c):
            self.prepare(node)

    @staticmethod
    def running(ec2):
        """The instances, once all three are running."""
        all_ = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        up = [i for i in all_ if i["State"]["Name"] == "running"]
        return up if len(up) == 3 else None

    def prepare(self, node):
        """Waits for the node's address and gives it the MTU that every path of the bench has."""
        ns = self.netns(node)
        wait_for("DHCP in " + ns, lambda: self.address_of(node) in sh("ip", "-n", ns, "-4", "addr"))
        sh("ip", "-n", ns, "link", "set", "eth0", "mtu", str(INNER_MTU))
        sh("ip", "-n", ns, "route", "flush", "cache")

    def netns(self, node):
        for host in self.hosts:
            if os.path.exists(path(f"{host}-{node}")):
                return f"{host}-{node}"
        raise RuntimeError(f"no namespace of {node}")

    def address_of(self, node):
        return self.addresses[node]

    def paths(self, names):
        """{"siit2": "remote", ...}: the paths of this cluster under the bench's names."""
        far = {"remote": self.b, "local": self.c, "no-df": self.b}
        return [Path(name, self.netns(self.a), self.netns(far[kind]), self.address_of(far[kind]),
                     no_df=kind == "no-df") for name, kind in names.items()]

    def stop(self):
        for _, process in reversed(self.processes):
            process.terminate()
        for _, process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        for n, host in enumerate(self.hosts, 1):
            subprocess.run(["nsenter", f"--net={path(host)}", self.program("agent", "viaduct-agent"), "leave",
                            "--state", os.path.join(self.directory, f"h{n}")], capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)
