#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/api: durable CreateNetworkInterface per second, with 1 and with 64 clients, on a manager of its
own whose store is on this machine's disk."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
from botocore.config import Config

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from listeners import Listeners  # noqa: E402

WAIT_SECONDS = 30
GOAL_PER_SECOND, GOAL_P99_MS = 8000, 15


def answers(endpoint, token):
    try:
        request = urllib.request.Request(endpoint + "/v1/status", headers={"Authorization": f"Bearer {token}"})
        return urllib.request.urlopen(request, timeout=1).status == 200
    except OSError:
        return False


class Manager:
    """viaductd on loopback, with a state folder that is gone afterwards."""

    def __init__(self, build, folder):
        self.program = os.path.join(build, "src", "manager", "viaductd")
        self.state = os.path.join(folder, "state")
        self.log = open(os.path.join(folder, "log"), "w+")

    def __enter__(self):
        subprocess.run([self.program, "init", "--state", self.state], check=True, capture_output=True)
        with open(os.path.join(self.state, "admin.json")) as f:
            self.admin = json.load(f)
        with Listeners("http", "agents") as listeners:
            self.port = listeners.port("http")
            self.endpoint = f"http://{listeners.address('http')}"
            self.process = subprocess.Popen(listeners.command(self.program, "run", "--state", self.state),
                                            pass_fds=listeners.fds, stdout=self.log, stderr=subprocess.STDOUT)
        end = time.monotonic() + WAIT_SECONDS
        while not answers(self.endpoint, self.admin["token"]):
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                raise RuntimeError("viaductd did not come up:\n" + self.log.read())
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def subnets(self, n):
        """Makes VPCs of one large subnet each: addresses enough for a run."""
        ec2 = boto3.client("ec2", region_name="us-east-1", endpoint_url=self.endpoint,
                           aws_access_key_id=self.admin["access_key_id"],
                           aws_secret_access_key=self.admin["secret_access_key"],
                           config=Config(retries={"max_attempts": 1}))
        out = []
        for _ in range(n):
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            out.append(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/16")["Subnet"]["SubnetId"])
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--folder", help="where the store lies (default: in BUILD)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--output", default="build/bench/api.json")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    load = os.path.join(build, "bench", "api", "load")
    runs = {1: [], 64: []}
    for _ in range(options.rounds):
        for clients, results in runs.items():
            with tempfile.TemporaryDirectory(dir=options.folder or build) as folder:
                with Manager(build, folder) as m:
                    out = subprocess.run(
                        [load, "--port", str(m.port), "--key", m.admin["access_key_id"], "--secret",
                         m.admin["secret_access_key"], "--clients", str(clients), "--seconds",
                         str(options.seconds), "--subnets", ",".join(m.subnets(4))],
                        check=True, capture_output=True, text=True).stdout
                    results.append(json.loads(out))
    figures = {}
    for clients, results in runs.items():
        for key in ("per_second", "p50_ns", "p99_ns"):
            figures[f"create_interface_{clients}_{key}"] = statistics.median(r[key] for r in results)
    for clients in runs:
        print(f"CreateNetworkInterface, {clients:2} clients: {figures[f'create_interface_{clients}_per_second']:8.0f}/s, "
              f"p50 {figures[f'create_interface_{clients}_p50_ns'] / 1e6:6.2f} ms, "
              f"p99 {figures[f'create_interface_{clients}_p99_ns'] / 1e6:6.2f} ms")
    met = figures["create_interface_64_per_second"] >= GOAL_PER_SECOND and \
        figures["create_interface_64_p99_ns"] <= GOAL_P99_MS * 1e6
    print(f"goal with 64 clients: {GOAL_PER_SECOND}/s, p99 {GOAL_P99_MS} ms: {'met' if met else 'NOT met'}")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w") as f:
        json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
