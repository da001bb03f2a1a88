# SPDX-License-Identifier: Apache-2.0
"""A cluster without the lab, as on real hosts: init, host add, join, accounts, keys, leave.

    [ hub ] manager, host two links: --- ns h1 (agent)          namespaces of this test
"""
import contextlib
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys

import pytest

import lab as labs

sys.path.insert(0, str(labs.ROOT / "tools"))
from listeners import Listeners  # noqa: E402

VIADUCTD = str(labs.BUILD / "src" / "manager" / "viaductd")
AGENT = str(labs.BUILD / "src" / "agent" / "viaduct-agent")
SEAL = str(labs.BUILD / "src" / "seal" / "viaduct-seal")
DESCRIPTORS = 200  # of the manager


@pytest.mark.parametrize("program, argv", [
    (VIADUCTD, ["run", "--http", "nowhere"]),
    (VIADUCTD, ["run", "--agents", "8774"]),
    (VIADUCTD, ["run", "--store", "postgres"]),
    (VIADUCTD, ["run", "--organisation", "fd00::/16"]),
    (VIADUCTD, ["run", "--ipv6-pool", "fd56:6961::/40"]),
    (VIADUCTD, ["init", "--address", "no name"]),
    (AGENT, ["run", "--substrate", "eth0", "--formats", "siit/9"]),
    (AGENT, ["run", "--substrate", "eth0", "--max-connections", "1"]),
    (AGENT, ["run", "--substrate", "eth0", "--role", "both"]),
    (AGENT, ["leave", "--name", "Not-A-Name"]),
    (SEAL, ["--nonsense"]),
    (SEAL, []),
])
def test_a_wrong_command_line_ends_with_2(program, argv, tmp_path):
    """As the man pages say.  requirement: OPS-1"""
    state = ["--state", tmp_path / "none"] if program != SEAL else []
    done = labs.run(program, *argv, *state, check=False, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and done.stderr, done
    assert not os.listdir(tmp_path)


@pytest.fixture
def state(tmp_path):
    labs.run(VIADUCTD, "init", "--state", tmp_path / "state", "--address", "127.0.0.1")
    return tmp_path / "state"


def admin_of(state):
    return json.loads((state / "admin.json").read_text())


@pytest.fixture
def manager(state, tmp_path):
    log = open(tmp_path / "log", "w")
    with Listeners("http", "agents") as listeners:
        port = listeners.port("http")
        daemon = subprocess.Popen(listeners.command("prlimit", f"--nofile={DESCRIPTORS}", VIADUCTD, "run", "--state", state,
                                                    "--advertise", listeners.address("agents")),
                                  pass_fds=listeners.fds, stderr=log, stdout=log)
    token = admin_of(state)["token"]

    def viaduct(*argv, check=True):
        return labs.run(labs.VIADUCT, *argv, "--endpoint", f"http://127.0.0.1:{port}", "--token", token, check=check)

    labs.wait_for("viaductd", lambda: viaduct("status", check=False).returncode == 0)
    yield viaduct, port, daemon
    daemon.terminate()
    daemon.wait(60)


def test_init_writes_secrets_for_root_alone_and_only_once(state):
    """requirement: OPS-1 MAP-1"""
    admin = admin_of(state)
    assert {"endpoint", "token", "account_id", "access_key_id", "secret_access_key"} <= set(admin)
    assert stat.S_IMODE(os.stat(state).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(state / "admin.json").st_mode) == 0o600
    again = labs.run(VIADUCTD, "init", "--state", state, "--address", "127.0.0.1", check=False)
    assert again.returncode != 0 and again.stderr
    assert admin_of(state) == admin


def test_the_administrator_is_known_and_others_are_not(state, manager):
    """requirement: OPS-1"""
    viaduct, port, _ = manager
    admin = admin_of(state)
    assert json.loads(viaduct("status", "--json").stdout)["store"]["state"] == "ok"
    wrong = labs.run(labs.VIADUCT, "status", "--endpoint", f"http://127.0.0.1:{port}", "--token", "wrong", check=False)
    assert wrong.returncode == 1
    none = labs.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/v1/status").stdout
    assert none == "401"
    import boto3
    ec2 = boto3.client("ec2", region_name=labs.REGION, endpoint_url=f"http://127.0.0.1:{port}",
                       aws_access_key_id=admin["access_key_id"], aws_secret_access_key=admin["secret_access_key"])
    assert ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["OwnerId"] == admin["account_id"]


def test_accounts_and_keys(manager):
    """requirement: OPS-1"""
    viaduct, port, _ = manager
    viaduct("account", "create", "team", "--id", "111122223333")
    assert "111122223333" in viaduct("account", "list").stdout
    viaduct("account", "key", "create", "111122223333", "--access-key-id", "TEAMKEY",
            "--secret-access-key", "TEAMSECRET")
    assert "TEAMKEY" in viaduct("account", "key", "list", "111122223333").stdout
    assert "TEAMSECRET" not in viaduct("account", "key", "list", "111122223333").stdout
    import boto3
    from botocore.exceptions import ClientError
    ec2 = boto3.client("ec2", region_name=labs.REGION, endpoint_url=f"http://127.0.0.1:{port}",
                       aws_access_key_id="TEAMKEY", aws_secret_access_key="TEAMSECRET")
    assert ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["OwnerId"] == "111122223333"
    viaduct("account", "key", "delete", "111122223333", "TEAMKEY")
    with pytest.raises(ClientError) as e:
        ec2.describe_vpcs()
    assert e.value.response["Error"]["Code"] == "AuthFailure"
    duplicate = viaduct("account", "create", "team", "--id", "111122223333", check=False)
    assert duplicate.returncode == 1 and duplicate.stderr


def test_a_host_joins_by_its_bundle_and_no_other_way(manager, tmp_path):
    """requirement: MAP-5 OPS-1"""
    viaduct, _, _ = manager
    bundle = tmp_path / "bundle.json"
    bundle.write_text(viaduct("host", "add", "node1", "--zone", "us-east-1a", "--rack", "3", "--v6", "fd00::1").stdout)
    assert {"ca", "certificate", "key", "managers"} <= set(json.loads(bundle.read_text()))
    host = next(h for h in json.loads(viaduct("hosts", "--json").stdout)["hosts"] if h["name"] == "node1")
    assert host["state"] == "never" and host["siit2"].endswith("/56") and host["siit1"].endswith("/64")
    labs.run(AGENT, "join", bundle, "--state", tmp_path / "agent")
    keys = [p for p in (tmp_path / "agent").rglob("*") if p.is_file()]
    assert keys and all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in keys)
    broken = json.loads(bundle.read_text())
    broken["key"] = broken["certificate"]
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    refused = labs.run(AGENT, "join", tmp_path / "broken.json", "--state", tmp_path / "other", check=False)
    assert refused.returncode != 0 and refused.stderr
    assert viaduct("host", "add", "node1", "--v6", "fd00::2", check=False).returncode == 1
    viaduct("host", "remove", "node1")
    assert "node1" not in viaduct("hosts").stdout


def test_what_hosts_were_added_with_cannot_be_changed(manager, state):
    """requirement: MAP-5 OPS-1"""
    viaduct, _, daemon = manager
    viaduct("host", "add", "node1", "--v6", "fd00::1")
    daemon.terminate()
    daemon.wait(60)
    for option, value in (("--organisation", "fd99:1::/32"), ("--region", "eu-west-1")):
        done = labs.run("timeout", "60", VIADUCTD, "run", "--state", state, option, value, check=False)
        assert done.returncode == 1 and "node1 was added with another" in done.stderr


def test_who_takes_all_connections_keeps_no_agent_out(manager, tmp_path):
    """requirement: OPS-1 OPS-3"""
    viaduct, port, daemon = manager
    bundle = json.loads(viaduct("host", "add", "node1", "--v6", "fd00::1").stdout)
    (tmp_path / "pem").write_text(bundle["certificate"] + bundle["key"])
    context = ssl.create_default_context(cadata=bundle["ca"])
    context.load_cert_chain(tmp_path / "pem")
    address, agents = bundle["managers"][0].rsplit(":", 1)
    share = (DESCRIPTORS - DESCRIPTORS // 4) // 2

    def in_use():
        return len(os.listdir(f"/proc/{daemon.pid}/fd"))

    before = in_use()
    with contextlib.ExitStack() as silent:
        for _ in range(2 * DESCRIPTORS):
            silent.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        labs.wait_for("HTTP's share to be full", lambda: in_use() >= share)
        with socket.create_connection((address, int(agents)), timeout=60) as s, \
                context.wrap_socket(s, server_hostname=address) as agent:
            assert agent.version() == "TLSv1.3"
            assert in_use() < share + 10
    labs.wait_for("an answer", lambda: viaduct("status", check=False).returncode == 0)
    labs.wait_for("nothing to be left of them", lambda: in_use() <= before)


def test_a_terminated_manager_keeps_everything(state, manager, tmp_path):
    """requirement: MAP-1"""
    viaduct, _, daemon = manager
    viaduct("account", "create", "kept", "--id", "444455556666")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) == 0
    with Listeners("http", "agents") as listeners:
        port = listeners.port("http")
        again = subprocess.Popen(listeners.command(VIADUCTD, "run", "--state", state), pass_fds=listeners.fds,
                                 stderr=subprocess.DEVNULL)
    try:
        argv = (labs.VIADUCT, "account", "list", "--endpoint", f"http://127.0.0.1:{port}", "--token",
                admin_of(state)["token"])
        labs.wait_for("viaductd", lambda: labs.run(*argv, check=False).returncode == 0)
        assert "444455556666" in labs.run(*argv).stdout
    finally:
        again.terminate()
        again.wait(60)


def test_a_port_in_use_is_said_plainly(state):
    with Listeners("agents") as taken, Listeners("http") as listeners:
        done = subprocess.run(listeners.command(VIADUCTD, "run", "--state", state, "--agents", taken.address("agents")),
                              pass_fds=listeners.fds, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "in use" in done.stderr.lower()
