# SPDX-License-Identifier: Apache-2.0
"""What the analysis of reachability says, and what packets do, in networks configured at random, on every kind of substrate.

One kind alone, and what was drawn there once: VIADUCT_SEED=N VIADUCT_REACH_ROUNDS=N pytest -k ipv4 test_reach.py.
"""
import os
import random

import pytest

import lab as labs
from draws import Draw
from questions import Questions
from worlds import Net

ROUNDS = int(os.environ.get("VIADUCT_REACH_ROUNDS", "3"))
PROBES = 32  # in each round
NO_FORMAT = "BAD_STATE_ATTACHMENT"
# What a lab of the kind may be like besides.
SUBSTRATES = {"ipv6": [{}, {}, {"formats": ["h2=siit/1,ipip6/1,vxlan/1"]}, {"formats": ["vxlan/1"]},
                       {"formats": ["h1=siit/2"]}],
              "ipv4": [{}, {}, {"aliases": False}, {"formats": ["h2=vxlan/1"]}]}
HOSTS = [{}, {}, {}, {"require": ["h1=crypt"]}, {"features": ["h2=none"]}, {"features": ["e1=integrity,lz4"]}]


class World:
    def __init__(self, substrate):
        self.seed = int(os.environ.get("VIADUCT_SEED", random.randrange(1 << 30)))
        self.dice = random.Random(self.seed)
        self.kind = {"substrate": substrate, "edges": self.dice.choice([1, 1, 2]),
                     **self.dice.choice(SUBSTRATES[substrate]), **self.dice.choice(HOSTS)}
        self.lab = labs.Lab(hosts=2, **self.kind)
        try:
            self.net = Net(self.lab)
        except BaseException:
            self.lab.down()
            raise
        self.draw = Draw(self.net, substrate)

    def end(self):
        self.net.end()
        self.lab.down()


@pytest.fixture(scope="module", params=list(SUBSTRATES))
def world(request):
    made = World(request.param)
    yield made
    made.end()


def test_packets_do_what_the_analysis_says(world):
    """requirement: NIC-6 TOPO-1 EDGE-1 NEG-3 NEG-7 PKT-16"""
    net, draw, dice = world.net, world.draw, world.dice
    questions = Questions(net)
    told = {True: 0, False: 0, NO_FORMAT: 0, "open": 0, "ranges": 0, "translated": 0, "hidden": 0}
    for round_ in range(ROUNDS):
        draw.shuffle(dice)
        probes = [questions.draw(dice, draw.pairs()) for _ in range(PROBES)]
        differ = questions.agree(probes)
        assert not differ, (f"seed {world.seed} round {round_} on {world.kind}: packets do not what the analysis says: "
                            f"{differ}; policies: {draw.policies}, nodes: {net.nodes}, conditions: {draw.conditions}")
        for p in probes:
            told[p["found"]] += 1
            told[NO_FORMAT] += NO_FORMAT in p["codes"]
            told["open"] += p["found"] and not p["named"]
            told["ranges"] += p["found"] and p["filtered"]
            told["translated"] += p["translated"] and p["source"] == "world"
            told["hidden"] += p["found"] and (p["target"] == "g" or p.get("sent_to") == net.at["g"][0])
    print(f"seed {world.seed} on {world.kind}: {told}")
    assert told[True] >= 2 * ROUNDS and told[False] >= 2 * ROUNDS, told
    assert told[NO_FORMAT] and told["open"] and told["ranges"], told
    assert told["translated"] or ROUNDS < 10, told
