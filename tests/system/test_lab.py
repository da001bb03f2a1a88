# SPDX-License-Identifier: Apache-2.0
"""Labs come, go, and leave nothing; several stand side by side.

    vd-NAME-h1 --- vd-NAME-router --- vd-NAME-h2      for two NAMEs with the same addresses
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import lab as labs

ROOT = pathlib.Path("/run/viaduct/lab")


def machine(name):
    """All on this machine that a lab of that name could leave: namespaces, links, mounts, pins, processes, files."""
    prefix = f"vd-{name}-"
    found = set()
    if os.path.isdir("/run/netns"):
        found |= {f"netns {n}" for n in os.listdir("/run/netns") if n.startswith(prefix)}
    found |= {f"link {n}" for n in os.listdir("/sys/class/net")}
    for line in open("/proc/self/mounts"):
        if f"/{name}/" in line or prefix in line:
            found.add("mount " + line.split()[1])
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"/{name}/" in command or prefix in command or f"{name}-h" in command:
            found.add("process " + command)
    found |= {f"file {p}" for p in ROOT.glob(f"{name}*")}
    return found


def routes():
    return labs.run("ip", "route", "show", "table", "all").stdout + labs.run("ip", "-6", "addr").stdout


def test_down_leaves_nothing():
    """requirement: OPS-3"""
    name = labs.free_name("l")
    before, before_routes = machine(name), routes()
    lab = labs.Lab(name=name)
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    a, b = lab.pair(subnet)
    assert a.ping(b.address) == 3
    sleeper = a.spawn("sleep", "1000")
    assert machine(name) > before
    lab.down()
    sleeper.wait(10)
    assert machine(name) == before
    assert routes() == before_routes
    done = labs.run(labs.VIADUCT, "lab", "down", "--name", name)
    assert "no lab" in done.stdout


def test_down_after_the_start_was_killed_at_any_moment():
    """requirement: OPS-3"""
    name = labs.free_name("k")
    before = machine(name)
    for delay in (0.005, 0.03, 0.08, 0.2, 0.5, 1.0):
        up = subprocess.Popen([labs.VIADUCT, "lab", "up", "--name", name, "--hosts", "3"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        time.sleep(delay)
        up.kill()
        up.wait()
        labs.run(labs.VIADUCT, "lab", "down", "--name", name)
        labs.wait_for("all to be gone", lambda: machine(name) == before)


def test_down_after_everything_was_killed():
    """requirement: OPS-3"""
    name = labs.free_name("m")
    before = machine(name)
    lab = labs.Lab(name=name)
    _, (subnet,) = lab.subnets("10.0.1.0/24")
    lab.pair(subnet)
    for what in ("h1", "h2", "manager"):
        lab.kill(what)
    (lab.directory / "lab.json").write_text("{")
    lab.down()
    assert machine(name) == before


def test_down_removes_what_is_made_while_it_ends(tmp_path):
    """A process on a host that, told to end, first makes a namespace with another process in it: as an agent does
    that was just starting an instance.  requirement: OPS-3"""
    name = labs.free_name("l")
    before = machine(name)
    lab = labs.Lab(name=name, hosts=1)
    script = tmp_path / "late"
    script.write_text(f"""#!/bin/sh
late() {{
	ip netns add vd-{name}-late
	nsenter --net=/run/netns/vd-{name}-late sleep 1000 &
	exit
}}
trap late TERM
: > {tmp_path}/ready
while :; do sleep 0.05; done
""")
    late = subprocess.Popen(["nsenter", f"--net=/run/netns/vd-{name}-h1", "sh", str(script)])
    labs.wait_for("the script", (tmp_path / "ready").exists)
    try:
        lab.down()
        assert machine(name) == before
    finally:
        late.wait(60)


def test_an_interrupted_start_cleans_up_after_itself():
    """requirement: OPS-3"""
    name = labs.free_name("n")
    before = machine(name)
    up = subprocess.Popen([labs.VIADUCT, "lab", "up", "--name", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    labs.wait_for("the first namespace", lambda: any(p.startswith("netns") for p in machine(name)))
    up.send_signal(signal.SIGINT)
    out, _ = up.communicate(timeout=60)
    assert up.returncode == 1 and "nothing of it is left" in out, out
    assert machine(name) == before


def test_a_lab_that_is_up_works():
    """When the command returns all hosts have their programs, and know each other.  requirement: NEG-1"""
    lab = labs.Lab(name=labs.free_name("u"), hosts=4, edges=1)
    try:
        assert {h: state["applied"] for h, state in lab.hosts().items()} == dict.fromkeys(("h1", "h2", "h3", "h4", "e1"), True)
        assert all(p["send"] != "none" for p in lab.operate("GET", "/v1/pairs")["pairs"])
    finally:
        lab.down()


# Runs a command for which, and for whose children, the system call bpf does not exist.
WITHOUT_BPF = """
import ctypes, os, struct, sys
ALLOW, ERRNO, SET_NO_NEW_PRIVS, SET_SECCOMP, FILTER = 0x7fff0000, 0x00050000, 38, 22, 2
number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
code = struct.pack("HBBI" * 4, 0x20, 0, 0, 0,  0x15, 0, 1, number,  0x06, 0, 0, ERRNO | 38,  0x06, 0, 0, ALLOW)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
assert not libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(Program(4, code)))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_lab_without_a_data_plane_says_so():
    """requirement: NEG-1"""
    name = labs.free_name("w")
    before = machine(name)
    done = labs.run("/usr/bin/python3", "-c", WITHOUT_BPF, labs.VIADUCT, "lab", "up", "--name", name, check=False)
    assert done.returncode == 1
    assert re.search(r"(h1|h2|e1) carries no traffic: .*Function not implemented", done.stderr), done.stderr
    assert "capabilities cannot be found out" in done.stderr and "nothing of it is left" in done.stderr
    assert machine(name) == before


def test_labs_side_by_side_share_nothing():
    """requirement: PKT-4"""
    one, two = labs.Lab(name=labs.free_name("x")), None
    try:
        # Its port stays its own while no manager listens there.
        one.kill("manager")
        two = labs.Lab(name=labs.free_name("y"))
        assert one.endpoint != two.endpoint
        one.restart("manager")
        one.connected()
        nodes = []
        for lab in (one, two):
            _, (subnet,) = lab.subnets("10.0.1.0/24")
            nodes.append(lab.pair(subnet))
        for a, b in nodes:
            assert a.ping(b.address) == 3
        names = {e["name"] for e in json.loads(labs.run(labs.VIADUCT, "lab", "list", "--json").stdout)["labs"]}
        assert {one.name, two.name} <= names
        ambiguous = labs.run(labs.VIADUCT, "lab", "env", check=False,
                             env={k: v for k, v in os.environ.items() if not k.startswith("VIADUCT_")})
        assert ambiguous.returncode == 1 and "several labs" in ambiguous.stderr
        one.down()
        a, b = nodes[1]
        assert a.ping(b.address) == 3
        two.connected()
    finally:
        one.down()
        if two:
            two.down()


def test_a_second_lab_of_the_same_name_is_refused_and_harms_nothing():
    lab = labs.Lab(name=labs.free_name("z"), hosts=1)
    try:
        done = labs.run(labs.VIADUCT, "lab", "up", "--name", lab.name, check=False)
        assert done.returncode == 1 and "there already" in done.stderr
        assert lab.status()["hosts"] == {"total": 1, "connected": 1, "foreign": 0}
    finally:
        lab.down()


def the_only_agent_leaves_nothing(lab):
    """What agents of one machine share goes with the last of them."""
    pins, state, shared = lab.directory / "bpf", lab.directory / "h1", lab.directory / "run"
    assert os.listdir(pins / "viaduct") and (state / "run.conf").exists()
    lab.kill("h1", signal.SIGTERM)
    lab.host_run("h1", labs.BUILD / "src" / "agent" / "viaduct-agent", "leave", "--state", state)
    assert not (pins / "viaduct").exists() and not state.exists() and not shared.exists()


def test_env_and_exec_by_name():
    """requirement: OPS-1"""
    lab = labs.Lab(name=labs.free_name("e"), hosts=1)
    try:
        _, (subnet,) = lab.subnets("10.0.1.0/24")
        node = lab.start(subnet, TagSpecifications=[{"ResourceType": "instance",
                                                     "Tags": [{"Key": "Name", "Value": "web"}]}])
        by_name = labs.run(labs.VIADUCT, "lab", "exec", "--name", lab.name, "web", "--", "ip", "-4", "addr").stdout
        assert node.address in by_name
        host = labs.run(labs.VIADUCT, "lab", "exec", "--name", lab.name, "h1", "--", "ip", "-6", "addr").stdout
        assert re.search(r"inet6 fd76:6c61:6200:1::2/64", host)
        wrong = labs.run(labs.VIADUCT, "lab", "exec", "--name", lab.name, "nobody", "--", "true", check=False)
        assert wrong.returncode == 1 and "viaduct instances" in wrong.stderr
        status = labs.run(labs.VIADUCT, "lab", "exec", "--name", lab.name, "web", "--", "sh", "-c", "exit 7",
                          check=False)
        assert status.returncode == 7
        for command, code, said in (("no-such-command", 127, "No such file"), ("/etc", 126, "Permission denied")):
            failed = labs.run(labs.VIADUCT, "lab", "exec", "--name", lab.name, "web", "--", command, check=False)
            assert failed.returncode == code and f"{command}: {said}" in failed.stderr
        evaluated = labs.run("sh", "-c", f'eval "$({labs.VIADUCT} lab env --name {lab.name})"; '
                                         f'{labs.VIADUCT} status --json')
        assert json.loads(evaluated.stdout)["hosts"]["connected"] == 1
        the_only_agent_leaves_nothing(lab)
    finally:
        lab.down()
