# SPDX-License-Identifier: Apache-2.0
"""Debian's awscli, kept loaded: its start takes a second of a processor, what it then does a tenth of that."""
import contextlib
import json
import os
import subprocess

import lab as labs

# A line is a list of arguments; the answer a line with status and outputs.  As /usr/bin/aws, which has one call.
SHELL = """
import contextlib, io, json, sys
from awscli.clidriver import AWSCLIEntryPoint, create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = AWSCLIEntryPoint(create_clidriver()).main(json.loads(line))
        except SystemExit as e:
            status = e.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


@contextlib.contextmanager
def client(lab):
    """Calls "aws ec2 ARGV" at a lab: gives the answer, or with 'check' False what the command did."""
    env = {**os.environ, **lab.env, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    shell = subprocess.Popen(["/usr/bin/python3", "-c", SHELL], text=True, env=env, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)

    def call(*argv, check=True):
        whole = ["--endpoint-url", lab.endpoint, "--output", "json", "ec2", *map(str, argv)]
        shell.stdin.write(json.dumps(whole) + "\n")
        shell.stdin.flush()
        done = subprocess.CompletedProcess(whole, *json.loads(shell.stdout.readline()))
        if check and done.returncode:
            raise labs.Failed(["aws", *whole], done)
        if not check:
            return done
        return json.loads(done.stdout) if done.stdout.strip() else None

    try:
        yield call
    finally:
        shell.stdin.close()
        shell.wait(60)
