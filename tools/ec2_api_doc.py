# SPDX-License-Identifier: Apache-2.0
"""Writes docs/ec2-api.md from the table of actions: ec2_api_doc.py API_DUMP [--check FILE]

API_DUMP is the program that prints the table.  With --check FILE nothing is written: the exit status tells
whether FILE is what would be written.
"""
import itertools
import json
import pathlib
import subprocess
import sys

HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tools/ec2_api_doc.py from src/api/actions.def: change that, then run it again. -->
# The EC2 API

Served on the manager's HTTP port (8773) at `/`: EC2's Query protocol, version 2016-11-15, requests signed with
Signature Version 4 for the service `ec2` and the cluster's region. Clients made for AWS work when given the
endpoint: `aws --endpoint-url http://127.0.0.1:8773 ec2 describe-vpcs`. `GetCallerIdentity` of STS (service `sts`)
is answered too.

What all actions have in common:
- `DryRun=true` checks everything and changes nothing: `DryRunOperation`, HTTP status 412.
- `ClientToken`, where an action has it: the same request again is answered alike and done once; the same
  token with other parameters is `IdempotentParameterMismatch`. Tokens are remembered for a day.
- Filters: `Filter.N.Name`, `Filter.N.Value.M`. All filters must match, of each any value; `*` is any text, `?` one
  character, `\\` takes their meaning away. `tag:KEY`, `tag-key` and `tag-value` go wherever there are tags.
- Pages: `MaxResults` (5 to 1000; from 1 where EC2 takes that) and `NextToken`. They are in the order of creation: what
  comes and goes meanwhile neither hides nor repeats anything.
- An account sees and changes only its own; another's object is one that does not exist.
- An answer leaves when all that it tells is on stable storage. If that cannot be written: `Unavailable`, 503, and
  nothing was changed.
- A parameter that is not listed is `UnknownParameter`. One marked *not supported* is `UnsupportedOperation`
  unless it says `false` or `0`.
"""


def document(actions):
    lines = [HEAD.rstrip()]
    for group, members in itertools.groupby(actions, lambda a: a["group"]):
        members = list(members)
        lines += ["", "## " + group]
        refused = [a["name"] for a in members if a["effect"] == "refuses"]
        for a in members:
            if a["effect"] != "refuses":
                lines += ["", "### " + a["name"], a["text"]]
                for need, label in (("required", "Required"), ("optional", "Optional"),
                                    ("ignored", "Accepted without effect"),
                                    ("unsupported", "Not supported")):
                    names = ["`%s`" % p["name"] for p in a["params"] if p["need"] == need]
                    if names:
                        lines += ["- %s: %s" % (label, ", ".join(names))]
                if a["filters"]:
                    lines += ["- Filters: " + ", ".join("`%s`" % f for f in a["filters"])]
        if refused:
            lines += ["", "Answered with `UnsupportedOperation`: " + ", ".join(refused) + "."]
    return "\n".join(lines) + "\n"


def main():
    dump = subprocess.run([sys.argv[1], "actions"], check=True, capture_output=True).stdout
    text = document(json.loads(dump))
    if len(sys.argv) == 4 and sys.argv[2] == "--check":
        if pathlib.Path(sys.argv[3]).read_text() != text:
            sys.exit("%s is not what the table of actions says: run %s again" % (
                sys.argv[3], sys.argv[0]))
    else:
        (pathlib.Path(__file__).resolve().parent.parent / "docs/ec2-api.md").write_text(text)


main()
