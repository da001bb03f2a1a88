#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the contract of the next release of abi/: what somebody who changes tables would write.

usage: change.py FILE OUT

Each change has to be found once: whoever renames what is changed here finds out."""
import pathlib
import sys

CHANGES = {
    "maps.h": [
        ("DP_ABI_VERSION = 6,", "DP_ABI_VERSION = 7,"),
        # of the table of connections, which programs write: converted place by place
        ("\t__u32 seen; /* tick of its last packet */\n}", "\t__u32 seen; /* tick of its last packet */\n\t__u64 next;\n}"),
        ("DP_LAYOUT(struct dp_connection_value, 48);", "DP_LAYOUT(struct dp_connection_value, 56);"),
        ("DP_LAYOUT(struct dp_connection_set, 392);", "DP_LAYOUT(struct dp_connection_set, 456);"),
        # of a table that the agent makes and others count on: converted
        ("struct dp_port_value {\n", "struct dp_port_value {\n\t__u64 next;\n"),
        ("DP_LAYOUT(struct dp_port_value, 136);", "DP_LAYOUT(struct dp_port_value, 144);"),
        # of a table that the agent makes: it is filled anew
        ("struct dp_subnet_value {\n", "struct dp_subnet_value {\n\t__u64 next;\n"),
        ("DP_LAYOUT(struct dp_subnet_value, 48);", "DP_LAYOUT(struct dp_subnet_value, 56);"),
        # of counters for each processor
        ("__u64 packets[128];", "__u64 packets[256];"),
        ("DP_LAYOUT(struct dp_drops_value, 1024);", "DP_LAYOUT(struct dp_drops_value, 2048);"),
    ],
    "gateway.h": [
        # of tables in tables, and there of a hash without its order
        ("\t__u8 state;\n\t__u8 pad;\n\t__u32 expires;\n}", "\t__u8 state;\n\t__u8 pad;\n\t__u32 expires;\n\t__u32 next;\n}"),
        ("DP_GATEWAY_LAYOUT(struct dp_session_value, 12);", "DP_GATEWAY_LAYOUT(struct dp_session_value, 16);"),
    ],
    # 'pins' and 'sessions6' have no conversion: they are lost, and said so
    "tables.def": [(f"DP_TABLE({name}, 1, ", f"DP_TABLE({name}, 2, ")
                   for name in ("connections", "ports", "subnets", "drops", "sessions", "sessions6", "pins")],
}


def main(source, target):
    text = source.read_text()
    for old, new in CHANGES[source.name]:
        if text.count(old) != 1:
            sys.exit(f"{source}: {text.count(old)} times, and not once: {old!r}")
        text = text.replace(old, new)
    target.write_text(text)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:3]))
