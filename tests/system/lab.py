# SPDX-License-Identifier: Apache-2.0
"""A lab of the tests' own: started by the real command line, used through the real API.

A test file says at its top what it wants (LAB = {"hosts": 3, ...}); conftest.py starts it under a name that is
free, so that files may run side by side, and ends it afterwards."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time
import urllib.request

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIADUCT_BUILD", ROOT / "build")).resolve()
VIADUCT = str(BUILD / "src" / "ctl" / "viaduct")
ACCOUNT, KEY, SECRET = "123456789012", "FOOBARKEY", "FOOBARSECRET"
REGION, IMAGE = "us-east-1", "ami-netns"
WORLD = "203.0.113.1"  # the world's address, outside of all networks
POOL = "198.51.100.0/24"  # of public addresses
# For Place.ping(): pings that are not put together to one message on their way.
APART = ("-l", 1, "-i", 1)
WAIT_SECONDS = 60
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")
SNAP = 2048  # bytes of each captured packet: a larger one leaves few places in the ring


class Failed(Exception):
    """A command ended unhappily; its outputs are in the text."""

    def __init__(self, argv, done):
        super().__init__(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.returncode, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr


def run(*argv, check=True, timeout=120, **kw):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout, **kw)
    if check and done.returncode:
        raise Failed(argv, done)
    return done


def wait_for(what, condition, seconds=WAIT_SECONDS):
    """Calls 'condition' until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def sleeps(pid):
    """Whether a process waits for something to do."""
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "S"


def overflows():
    """Packets that the machine's processors had no room for (softnet_stat: dropped)."""
    return sum(int(line.split()[1], 16) for line in open("/proc/net/softnet_stat"))


def free_name(prefix="t"):
    """A lab name that no lab and no namespace has, and no process beside this one will choose."""
    for n in range(64):
        number, digits = os.getpid() * 64 + n, ""
        for _ in range(5):
            number, digit = divmod(number, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        name = prefix + digits
        taken = any(f.startswith(f"vd-{name}-") for f in os.listdir("/run/netns")) \
            if os.path.isdir("/run/netns") else False
        if not taken and not os.path.exists(f"/run/viaduct/lab/{name}"):
            return name
    raise AssertionError("no free lab name")


class Place:
    """Where commands run: an instance, a host, an edge, the router, the world."""

    def __init__(self, lab, where):
        self.lab, self.id = lab, where
        self.netns = f"vd-{lab.name}-{where}"

    def argv(self, *argv):
        return [VIADUCT, "lab", "exec", "--name", self.lab.name, self.id, "--", *map(str, argv)]

    def run(self, *argv, **kw):
        return run(*self.argv(*argv), **kw)

    def spawn(self, *argv, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.argv(*argv), text=True, **kw)

    def python(self, script, *argv, **kw):
        return self.run("/usr/bin/python3", "-c", script, *argv, **kw)

    def ping(self, address, *options, count=3):
        """How many of 'count' pings, sent at once, were answered.  A processor's queue of packets is one for all labs of the
        machine: while another's flood overflows it, what is lost says nothing of this one.

        ping(8) waits for the last answer no longer than its interval once it has seen another, and twice the longest
        round trip: on a busy machine an answer that is late would count as lost, so the interval is long."""
        while True:
            before = overflows()
            done = self.run("ping", "-n", "-l", count, "-i", "3", "-c", count, "-W", "2", *options, address, check=False)
            answered = int(re.search(r"(\d+) received", done.stdout).group(1)) if "received" in done.stdout else 0
            if answered == count or overflows() == before:
                return answered


class Node(Place):
    """A running instance: commands run inside its namespace."""

    def __init__(self, lab, instance):
        super().__init__(lab, instance["InstanceId"])
        self.address = instance["PrivateIpAddress"]
        self.interfaces = instance["NetworkInterfaces"]
        self.mac = self.interfaces[0]["MacAddress"] if self.interfaces else None

    @property
    def interface(self):
        return self.interfaces[0]["NetworkInterfaceId"]

    def neighbour(self, address):
        """The MAC by which this node knows an address, or None."""
        out = run("ip", "-n", self.netns, "-j", "neigh", "show", address).stdout
        entries = json.loads(out or "[]")
        return entries[0].get("lladdr") if entries else None

    def mtu(self):
        return json.loads(run("ip", "-n", self.netns, "-j", "link", "show", "eth0").stdout)[0]["mtu"]

    @property
    def host(self):
        """The name of its host."""
        record = next(i for i in self.lab.api("instances") if i["id"] == self.id)
        return record["host"]


class Lab:
    def __init__(self, name=None, hosts=2, edges=0, substrate="ipv6", mtu=1500, formats=(), features=(), require=(),
                 manager_state=None, racks=None, aliases=True):
        self.name = name or free_name()
        argv = [VIADUCT, "lab", "up", "--name", self.name, "--hosts", hosts, "--edges", edges, "--substrate", substrate,
                "--mtu", mtu]
        for f in formats:
            argv += ["--formats", f]
        for f in features:
            argv += ["--features", f]
        if racks:
            argv += ["--racks", racks]
        if not aliases:
            argv += ["--no-aliases"]
        for r in require:
            argv += ["--require", r]
        if manager_state:
            argv += ["--manager-state", manager_state]
        self.directory = pathlib.Path("/run/viaduct/lab") / self.name
        assert json.loads(run(*argv, "--json").stdout)["name"] == self.name
        self.env = json.loads(self.viaduct("lab", "env", "--name", self.name, "--json"))
        self.endpoint = self.env["VIADUCT_ENDPOINT"]
        self.n_hosts = hosts
        self.world = Place(self, "world") if edges else None
        self.ec2 = self.client(KEY, SECRET)
        self.n_vpcs = 0

    def down(self):
        """Ends the lab.  Its daemons end first, each by itself, and their logs are searched for what sanitizers say."""
        try:
            said = self.end_daemons()
        finally:
            run(VIADUCT, "lab", "down", "--name", self.name)
        assert not said, said

    def end_daemons(self):
        """What sanitizers say in the logs of the daemons, after they ended."""
        try:
            processes = json.loads((self.directory / "lab.json").read_text())["processes"]
        except (OSError, ValueError):
            return ""
        for name in sorted(processes, reverse=True):
            with contextlib.suppress(ProcessLookupError):
                self.kill(name, signal.SIGTERM)
        reports = []
        for log in self.directory.glob("*.log"):
            lines = log.read_text(errors="replace").splitlines()
            first = next((i for i, line in enumerate(lines) if SANITIZER.search(line)), None)
            if first is not None:  # with the stacks that follow it
                reports.append("\n".join([f"{log.name}:", *lines[first:first + 60]]))
        return "\n".join(reports)

    # ---- the two APIs ----

    def viaduct(self, *argv, **kw):
        return run(VIADUCT, *argv, **kw).stdout

    def api(self, what, *argv):
        """The list that 'viaduct WHAT --json' prints."""
        return json.loads(self.viaduct(what, *argv, "--json", "--lab", self.name))[what]

    def operate(self, method, path, body=None):
        """A request to the operators' API."""
        request = urllib.request.Request(self.endpoint + path, data=json.dumps(body or {}).encode(), method=method,
                                         headers={"Authorization": f"Bearer {self.env['VIADUCT_TOKEN']}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=WAIT_SECONDS) as answer:
            return json.load(answer)

    def status(self):
        return json.loads(self.viaduct("status", "--json", "--lab", self.name))

    def client(self, key, secret, endpoint=None):
        return boto3.client("ec2", region_name=REGION, endpoint_url=endpoint or self.endpoint, aws_access_key_id=key,
                            aws_secret_access_key=secret,
                            config=Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=60,
                                          proxies={}))

    def account(self, name):
        """An account of its own; (its id, a client)."""
        out = json.loads(self.viaduct("account", "create", name, "--json", "--lab", self.name))
        account = out.get("account", out)["id"]
        key = json.loads(self.viaduct("account", "key", "create", account, "--json", "--lab", self.name))
        key = key.get("key", key)
        return account, self.client(key["access_key_id"], key["secret_access_key"])

    # ---- networks and nodes ----

    def subnets(self, *cidrs, vpc_cidr="10.0.0.0/16", ec2=None):
        """A VPC with subnets: (vpc id, [subnet ids])."""
        ec2 = ec2 or self.ec2
        vpc = ec2.create_vpc(CidrBlock=vpc_cidr)["Vpc"]["VpcId"]
        zone = f"{REGION}a"
        return vpc, [ec2.create_subnet(VpcId=vpc, CidrBlock=c, AvailabilityZone=zone)["Subnet"]["SubnetId"]
                     for c in cidrs]

    def start(self, subnet, address=None, ec2=None, wait=True, **kw):
        """One running, configured node."""
        ec2 = ec2 or self.ec2
        if address:
            kw["PrivateIpAddress"] = address
        made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnet, **kw)["Instances"][0]
        return self.ready(made["InstanceId"], ec2) if wait else made["InstanceId"]

    def becomes(self, instance_id, state, ec2=None):
        """Waits for an instance's state; clients' own waiters look every 15 s."""
        def found():
            i = (ec2 or self.ec2).describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
            return i if i["State"]["Name"] == state else None
        return wait_for(f"{instance_id} to be {state}", found)

    def ready(self, instance_id, ec2=None):
        """Waits until an instance runs and has its address by DHCP."""
        node = Node(self, self.becomes(instance_id, "running", ec2))

        def configured():
            out = run("ip", "-n", node.netns, "-4", "-j", "addr", "show", "dev", "eth0", check=False).stdout
            return any(a.get("local") == node.address for link in json.loads(out or "[]")
                       for a in link.get("addr_info", []))

        wait_for(f"DHCP in {node.netns}", configured)
        return node

    def pair(self, subnet, ec2=None, other_subnet=None):
        """Two nodes on two different hosts."""
        a = self.start(subnet, ec2=ec2)
        for _ in range(2 * self.n_hosts):
            b = self.start(other_subnet or subnet, ec2=ec2)
            if b.host != a.host:
                return a, b
        raise AssertionError("placement put all nodes on one host")

    def mate(self, node, subnet, ec2=None):
        """A node on the same host as 'node'."""
        for _ in range(2 * self.n_hosts + 1):
            b = self.start(subnet, ec2=ec2)
            if b.host == node.host:
                return b
        raise AssertionError("placement never chose that host")

    # ---- the substrate and the daemons ----

    def host_run(self, host, *argv, **kw):
        return run("ip", "netns", "exec", f"vd-{self.name}-{host}", *argv, **kw)

    def pid(self, what):
        return json.loads((self.directory / "lab.json").read_text())["processes"][what]["pid"]

    def kill(self, what, how=signal.SIGKILL):
        """Ends a daemon and waits for its end; ProcessLookupError: it has ended before."""
        pid = self.pid(what)
        fd = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(fd, how)
            assert select.select([fd], [], [], WAIT_SECONDS)[0], f"the daemon of {what} does not end"
        finally:
            os.close(fd)

    def restart(self, what, build=None):
        """Starts a daemon anew; an agent perhaps from another build (tests/builds)."""
        other = ["--agent", BUILD / "tests" / "builds" / build] if build else []
        self.viaduct("lab", "restart", what, "--name", self.name, *other)

    def agent(self, host, request):
        """What a host's agent answers on its control socket; None if it does not run."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(WAIT_SECONDS)
            try:
                s.connect(str(self.directory / "run" / f"{self.name}-{host}.sock"))
            except (ConnectionRefusedError, FileNotFoundError):
                return None
            s.sendall(json.dumps({"request": request}).encode() + b"\n")
            return json.loads(s.makefile().readline())[request]

    def hosts(self):
        return {h["name"]: h for h in self.api("hosts")}

    def connected(self):
        wait_for("all agents to connect",
                 lambda: all(h["state"] == "connected" for h in self.api("hosts")))

    def drops_now(self, reason=None, host=None):
        """What agents have dropped until this moment, by what they say themselves; drops() follows within seconds."""
        told = [self.agent(h, "drops") for h in ([host] if host else self.hosts())]
        assert all(told), "every agent answers"
        return sum(n for t in told for d in (t["host"], *t["interfaces"].values()) for r, n in d.items() if reason in (None, r))

    def drops(self, reason=None, host=None):
        """The sum of the counters of dropped packets, as hosts last reported them: to be waited for."""
        return sum(d["packets"] for d in self.api("drops")
                   if (reason is None or d["reason"] == reason) and (host is None or d["host"] == host))

    @contextlib.contextmanager
    def capture(self, where="router", device="any", expression=""):
        """Packets seen while the block runs, as scapy packets in the list it gives; their lengths are 'wirelen'."""
        from scapy.utils import rdpcap
        path = self.directory / f"capture-{time.monotonic_ns()}.pcap"
        argv = ["ip", "netns", "exec", f"vd-{self.name}-{where}", "tcpdump", "-i", device, "-n", "-U", "-s", str(SNAP),
                "-B", "32768", "--immediate-mode", "-w", str(path), *([expression] if expression else [])]
        dump = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = ""
        while "listening on" not in said:
            line = dump.stderr.readline()
            if not line:
                raise AssertionError(f"tcpdump did not start: {said}")
            said += line
        packets = []
        try:
            yield packets
            time.sleep(0.3)  # what is under way is still to be seen
            wait_for("tcpdump to have written all", lambda: sleeps(dump.pid))
        finally:
            dump.send_signal(signal.SIGINT)
            dump.wait(WAIT_SECONDS)
            lost = re.search(r"(\d+) packets dropped by kernel", dump.stderr.read())
        dump.stderr.close()
        assert not lost or lost.group(1) == "0", f"the capture missed {lost.group(1)} packets"
        packets += rdpcap(str(path)) if path.stat().st_size > 24 else []
