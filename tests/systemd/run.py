#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Does what docs/real-hosts.md tells an operator to do, on two machines with systemd: install, init, units, hosts,
accounts, instances; restarts and stops services under traffic, reboots both machines. Says "ok WHAT" or "not ok WHAT".

    m1: viaductd, viaduct-agent ---eth0--- [ switch ] ---eth0--- m2: viaduct-agent"""
import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import Machine, run, wait_for  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOC = "/usr/local/share/doc/viaduct"
ADDRESS = {"m1": "2001:db8:1::1", "m2": "2001:db8:1::2"}
LINE = re.compile(r"^[EWID] \S.*$")


class Failed(Exception):
    pass


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, what, good, detail=""):
        if good:
            self.passed += 1
            print(f"ok {what}", flush=True)
            return
        self.failed += 1
        print(f"not ok {what}", flush=True)
        for line in str(detail).splitlines()[-40:]:
            print(f"# {line}")


class Site:
    """The two machines, and the switch between them."""

    def __init__(self, folder, local, ok):
        self.ok, self.machines, self.routes = ok, {}, []
        for name in ADDRESS:
            self.machines[name] = Machine(folder, name, local)
        self.m1, self.m2 = self.machines.values()
        self.switch = f"vd-systemd-{os.getpid()}-switch"
        run("ip", "netns", "add", self.switch)
        run("ip", "-n", self.switch, "link", "add", "switch", "up", "type", "bridge", "mcast_snooping", "0")

    def plug(self, machine):
        """What is there when the machine boots: its link to the switch, address and routes, as an operator has set them up."""
        # the last boot's namespace ends when the kernel has the time
        run("ip", "-n", self.switch, "link", "del", machine.name, check=False)
        run("ip", "link", "add", "eth0", "netns", machine.netns, "type", "veth", "peer", "name", machine.name, "netns",
            self.switch)
        run("ip", "-n", self.switch, "link", "set", machine.name, "master", "switch", "up")
        run("ip", "-n", machine.netns, "address", "add", f"{ADDRESS[machine.name]}/64", "dev", "eth0", "nodad")
        run("ip", "-n", machine.netns, "link", "set", "eth0", "up")
        for owner, route in self.routes:
            if owner != machine.name:
                run("ip", "-n", machine.netns, "-6", "route", "add", route, "via", ADDRESS[owner])

    def boot(self, *machines):
        for m in machines:
            m.boot(self.plug)

    def aws(self, *argv):
        done = self.m1.run("env", *self.keys, "AWS_DEFAULT_REGION=us-east-1", "aws", "--endpoint-url",
                           "http://127.0.0.1:8773", "--output", "json", "ec2", *argv)
        return json.loads(done.stdout or "{}")

    def active(self, machine, unit):
        done = machine.run("systemctl", "is-active", unit, check=False)
        return done.stdout.strip() == "active"

    def connected(self):
        done = self.m1.run("viaduct", "hosts", "--json", check=False)
        hosts = json.loads(done.stdout)["hosts"] if done.returncode == 0 else []
        return len(hosts) == 2 and all(h["state"] == "connected" for h in hosts)

    def where(self, instance):
        """The network namespace of an instance, as a command's beginning."""
        return "ip", "netns", "exec", f"vd-{instance}"

    def ping(self, machine, instance, to, *options):
        return machine.run(*self.where(instance), "ping", "-n", "-c", "3", "-W", "5", *options, to, check=False).returncode == 0


def install(build, folder):
    run("/usr/bin/meson", "install", "-C", build, "--no-rebuild", "--destdir", os.path.join(folder, "install"))
    return os.path.join(folder, "install", "usr", "local")


def manager_up(site):
    m1, ok = site.m1, site.ok
    m1.run("viaductd", "init", "--address", ADDRESS["m1"])
    early = m1.run("systemctl", "start", "viaduct-agent", check=False)
    ok("an agent that has not joined does not start", early.returncode != 0 and not site.active(m1, "viaduct-agent"))
    m1.run("install", "-D", "-m", "644", f"{DOC}/viaductd.conf", "/etc/viaduct/viaductd.conf")
    m1.run("systemctl", "daemon-reload")
    m1.run("systemctl", "enable", "--now", "viaductd")
    wait_for("the manager", lambda: m1.run("viaduct", "status", check=False).returncode == 0)
    ok("the manager runs", site.active(m1, "viaductd"))


def host_up(site, m, name):
    bundle = site.m1.run("viaduct", "host", "add", name, "--v6", ADDRESS[m.name]).stdout
    m.write("/var/tmp/bundle.json", bundle)
    m.run("viaduct-agent", "join", "/var/tmp/bundle.json")
    m.run("rm", "/var/tmp/bundle.json")
    m.run("install", "-D", "-m", "644", f"{DOC}/agent.conf", "/etc/viaduct/agent.conf")
    m.run("sed", "-i", "s/^#substrate = .*/substrate = eth0/", "/etc/viaduct/agent.conf")
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "enable", "--now", "viaduct-agent")
    host = next(h for h in site.m1.json("viaduct", "hosts")["hosts"] if h["name"] == name)
    for route in (host["siit1"], host["siit2"]):
        site.routes.append((m.name, route))
        other = next(x for x in site.machines.values() if x is not m)
        other.run("ip", "-6", "route", "add", route, "via", ADDRESS[m.name])


def network_up(site):
    """An account, a network, an instance on each host."""
    account = site.m1.json("viaduct", "account", "create", "red")
    account = account.get("account", account)["id"]
    key = site.m1.json("viaduct", "account", "key", "create", account)
    key = key.get("key", key)
    site.keys = (f"AWS_ACCESS_KEY_ID={key['access_key_id']}", f"AWS_SECRET_ACCESS_KEY={key['secret_access_key']}")
    vpc = site.aws("create-vpc", "--cidr-block", "10.0.0.0/16")["Vpc"]["VpcId"]
    site.subnet = site.aws("create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24")["Subnet"]["SubnetId"]
    group = site.aws("describe-security-groups", "--filters", f"Name=vpc-id,Values={vpc}")["SecurityGroups"][0]["GroupId"]
    site.aws("authorize-security-group-ingress", "--group-id", group, "--protocol=-1", "--cidr", "10.0.0.0/16")
    for host in ("h1", "h2"):
        site.m1.run("viaduct", "place", "--subnet", site.subnet, "--host", host)
    wait_for("the instances", lambda: running(site) == 2)
    instances = site.m1.json("viaduct", "instances")["instances"]
    site.a, site.b = (next(i for i in instances if i["host"] == host) for host in ("h1", "h2"))
    described = site.aws("describe-instances")["Reservations"]
    site.address = {i["InstanceId"]: i["PrivateIpAddress"] for r in described for i in r["Instances"]}


def running(site):
    return sum(i["state"] == "running" for i in site.m1.json("viaduct", "instances")["instances"])


def reach(site):
    a, b = site.a["id"], site.b["id"]
    return site.ping(site.m1, a, site.address[b]) and site.ping(site.m2, b, site.address[a])


def under_traffic(site, what, action):
    """Not one packet is lost while 'action' runs."""
    ping = site.m1.spawn(*site.where(site.a["id"]), "ping", "-n", "-i", "0.02", "-W", "10", site.address[site.b["id"]])
    wait_for("its traffic", lambda: ping.stdout.readline().startswith("64 bytes"))
    action()
    # the innermost process is ping: it says what it counted when it is interrupted
    site.m1.run("pkill", "-INT", "-x", "ping")
    text = ping.communicate(timeout=60)[0]
    found = re.search(r"(\d+) packets transmitted, (\d+) received", text)
    sent, received = map(int, found.groups()) if found else (0, -1)
    # the last one may be on its way when it is interrupted
    site.ok(f"{what}: no packet is lost", sent > 50 and sent - received <= 1 and "DUP" not in text, text[-400:])


def restart_all(site):
    for m, unit in ((site.m1, "viaductd"), (site.m1, "viaduct-agent"), (site.m2, "viaduct-agent")):
        m.run("systemctl", "restart", unit)
        wait_for("the hosts", site.connected)


def kill_all(site):
    for m, unit in ((site.m1, "viaductd"), (site.m1, "viaduct-agent"), (site.m2, "viaduct-agent")):
        before = m.run("systemctl", "show", "-P", "MainPID", unit).stdout
        m.run("systemctl", "kill", "--kill-whom=main", "-s", "KILL", unit)
        wait_for("systemd to start it again", lambda: site.active(m, unit) and
                 m.run("systemctl", "show", "-P", "MainPID", unit).stdout != before)
        wait_for("the manager", lambda: site.m1.run("viaduct", "status", check=False).returncode == 0)
        wait_for("the hosts", site.connected)


def stop_all(site):
    """Managers and agents are stopped for a while: the programs and instances go on."""
    site.m1.run("systemctl", "stop", "viaductd", "viaduct-agent")
    site.m2.run("systemctl", "stop", "viaduct-agent")
    site.ok("stopped services leave traffic alone", reach(site))
    site.m1.run("systemctl", "start", "viaductd", "viaduct-agent")
    site.m2.run("systemctl", "start", "viaduct-agent")
    wait_for("the manager", lambda: site.m1.run("viaduct", "status", check=False).returncode == 0)
    wait_for("the hosts", site.connected)


def journal(site):
    for m, unit in ((site.m1, "viaductd"), (site.m1, "viaduct-agent"), (site.m2, "viaduct-agent")):
        # -t: not what systemd itself says of the unit
        own = m.run("journalctl", "-q", "-o", "cat", "-u", unit, "-t", unit).stdout.splitlines()
        odd = [t for t in own if not LINE.match(t)]
        site.ok(f"the journal of {unit} on {m.name} has a line per event", own and not odd, "\n".join(odd))
        warnings = m.run("journalctl", "-q", "-o", "cat", "-p", "warning", "-u", unit, "-t", unit).stdout
        marked = [t for t in own if t[:2] in ("E ", "W ")]
        site.ok(f"and warnings of {unit} on {m.name} are found by priority", warnings.splitlines() == marked, warnings)


def reboot(site, m):
    before = site.m1.json("viaduct", "instances")["instances"]
    m.shut_down("reboot")
    site.boot(m)
    wait_for("the manager", lambda: site.m1.run("viaduct", "status", check=False).returncode == 0)
    wait_for("the hosts", site.connected)
    wait_for("the instances", lambda: running(site) == 2)
    after = site.m1.json("viaduct", "instances")["instances"]
    keep = ("id", "host", "state")
    site.ok(f"after a reboot of {m.name} the cluster knows what it knew",
            [[i[k] for k in keep] for i in before] == [[i[k] for k in keep] for i in after], after)
    wait_for("the addresses", lambda: all(
        site.address[i["id"]] in x.run(*site.where(i["id"]), "ip", "-4", "address", check=False).stdout
        for x, i in ((site.m1, site.a), (site.m2, site.b))))
    site.ok(f"after a reboot of {m.name} the instances reach each other", reach(site))


def leave(site):
    for i in (site.a, site.b):
        site.aws("terminate-instances", "--instance-ids", i["id"])
    wait_for("the instances to end", lambda: not [
        i for i in site.m1.json("viaduct", "instances")["instances"] if i["state"] != "terminated"])
    site.m1.run("viaduct", "host", "remove", "h2")
    site.m2.run("systemctl", "disable", "--now", "viaduct-agent")
    site.m2.run("viaduct-agent", "leave")
    left = site.m2.run("sh", "-c", "find /run/netns /sys/fs/bpf/viaduct -mindepth 1 2>/dev/null; ip -br link | grep vd-; "
                       "pgrep -a 'viaduct|udhcpc'", check=False).stdout
    site.ok("a host that left is as it was", not left.strip(), left)
    failed = [m.run("systemctl", "--failed", "--plain", "--no-legend").stdout.strip() for m in site.machines.values()]
    site.ok("no unit has failed", not any("viaduct" in f for f in failed), "\n".join(failed))


def walk(site):
    site.boot(site.m1, site.m2)
    manager_up(site)
    host_up(site, site.m1, "h1")
    host_up(site, site.m2, "h2")
    wait_for("the hosts", site.connected)
    site.ok("both hosts are connected", True)
    network_up(site)
    site.ok("instances of two hosts reach each other", reach(site))
    under_traffic(site, "every service restarted", lambda: restart_all(site))
    under_traffic(site, "every service killed", lambda: kill_all(site))
    under_traffic(site, "every service stopped and started", lambda: stop_all(site))
    journal(site)
    reboot(site, site.m2)
    reboot(site, site.m1)
    leave(site)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--keep", action="store_true", help="leaves the machines' folder")
    options = parser.parse_args()
    folder, ok, site = tempfile.mkdtemp(prefix="viaduct-systemd-"), Report(), None
    try:
        site = Site(folder, install(os.path.abspath(options.build), folder), ok)
        walk(site)
    except Exception:
        ok("the walk comes to its end", False, traceback.format_exc())
        for m in site.machines.values() if site else ():
            if m.init:
                print(m.run("journalctl", "-q", "-n", "60", "-o", "short-monotonic", check=False).stdout)
    finally:
        for m in site.machines.values() if site else ():
            m.destroy()
        if site:
            run("ip", "netns", "del", site.switch)
        if not options.keep:
            shutil.rmtree(folder)
    print(f"{ok.passed} passed, {ok.failed} failed")
    return 1 if ok.failed or not ok.passed else 0


if __name__ == "__main__":
    sys.exit(main())
