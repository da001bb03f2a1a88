# SPDX-License-Identifier: Apache-2.0
"""How many random walks there are, and how long: by hand for longer, and elsewhere,
VIADUCT_WALKS=20 VIADUCT_WALK_STEPS=2000 VIADUCT_FIRST_WALK=1000."""
import os

FIRST = int(os.environ.get("VIADUCT_FIRST_WALK", "1"))


def seeds(usual):
    return range(FIRST, FIRST + int(os.environ.get("VIADUCT_WALKS", usual)))


def steps(usual):
    return int(os.environ.get("VIADUCT_WALK_STEPS", usual))
