# SPDX-License-Identifier: Apache-2.0
"""A usual cloud network built, found unchanged, and taken down by Debian's Ansible.

    ansible-playbook --- 127.0.0.1 --- vd-NAME-manager --- h1, edge1 --- world
"""
import json
import os
import pathlib
import re

import pytest

import lab as labs

LAB = {"hosts": 1, "edges": 1}
PLAYBOOK = pathlib.Path(__file__).parent / "ansible" / "network.yml"


@pytest.fixture(scope="module")
def play(lab, tmp_path_factory):
    home = tmp_path_factory.mktemp("ansible")
    env = {**os.environ, **lab.env, "HOME": str(home), "ANSIBLE_LOCAL_TEMP": str(home), "LC_ALL": "C.UTF-8",
           "ANSIBLE_NOCOLOR": "1", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "AWS_EC2_METADATA_DISABLED": "true"}

    def call(state):
        done = labs.run("/usr/bin/ansible-playbook", "-i", "localhost,", "-c", "local", PLAYBOOK, "-e",
                        json.dumps({"state": state, "endpoint": lab.endpoint, "out": str(home / "out.json"),
                                    "ansible_python_interpreter": "/usr/bin/python3"}), env=env, timeout=300)
        recap = re.search(r"ok=(\d+)\s+changed=(\d+).*failed=(\d+)", done.stdout)
        assert recap and recap.group(3) == "0", done.stdout
        changed = re.findall(r"TASK \[(.*?)\] \**\n(?:.*\n)*?changed:", done.stdout)
        return int(recap.group(2)), changed, json.loads((home / "out.json").read_text()), done.stdout
    return call


def test_a_cloud_network_by_playbook(lab, play):
    """requirement: OPS-1 TOPO-1"""
    changed, _, made, said = play("present")
    assert changed >= 15, said
    world = lab.world
    assert world.ping(made["public"]) == 3  # the group lets ping in
    changed, what, again, said = play("present")
    assert changed == 0, f"{what}\n{said}"
    assert again == made
    play("absent")
    assert not [v for v in lab.ec2.describe_vpcs()["Vpcs"] if v["VpcId"] in (made["vpc"], made["office"])]
    assert not lab.ec2.describe_addresses()["Addresses"]
