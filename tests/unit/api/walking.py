# SPDX-License-Identifier: Apache-2.0
"""What the random walks of two accounts have in common: asking, choosing, and who may know of what.

A walk keeps what there is in tables {id: thing}, each thing with the number of its account, and says to
each request what is wrong with it: a set of EC2's error codes, of which the answer has one; none if the
set is empty. EC2 does not say which of two faults it tells first.

By hand, for longer: VIADUCT_WALKS=200 VIADUCT_WALK_STEPS=200.
"""
import contextlib
import os
import random

from botocore.config import Config

from conftest import CONFIG, client, serving
from test_policy_random import attempt

NAMES = ("111111111111", "222222222222")


def seeds(usual):
    return range(1, 1 + int(os.environ.get("VIADUCT_WALKS", usual)))


def steps(usual):
    return int(os.environ.get("VIADUCT_WALK_STEPS", usual))


@contextlib.contextmanager
def two_accounts():
    """A server of one's own, and clients that leave it to the server to refuse."""
    config = CONFIG.merge(Config(parameter_validation=False))
    with serving() as endpoint:
        yield endpoint, [client(endpoint, number, config=config) for number in (1, 2)]


class Thing:
    """Something with an owner; what else is known of it is the walk's."""

    def __init__(self, account, **more):
        self.account = account
        self.__dict__.update(more)


class Walk:
    LOST = {}       # {prefix of an id: the error of one that is not there}
    LEAST = 1 / 8   # of what is asked is refused, and not refused

    def __init__(self, seed, clients):
        self.rng, self.clients = random.Random(seed), clients
        self.asked = self.refused = 0
        self.caller = 0

    # ---- asking ----

    def ask(self, call, faults, account=None, **arguments):
        """The answer, or None after one of the errors that there must be."""
        self.caller = self.caller if account is None else account
        answer, code = attempt(getattr(self.clients[self.caller], call), **arguments)
        assert code in faults if faults else code is None, (call, self.caller, arguments, code, faults)
        self.asked += 1
        self.refused += code is not None
        return answer

    # ---- choosing ----

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *choices):
        return self.rng.choice(choices)

    def some(self, table, kind, own=0.93):
        """The id of something, mostly the caller's own; or of nothing."""
        mine = [i for i, x in table.items() if x.account == self.caller]
        if mine and self.chance(own):
            return self.rng.choice(mine)
        return self.rng.choice([*table, kind + "-00000000000000001"])

    def lost(self, table, *ids):
        """What is wrong with naming these: they are not there, or another's, which is the same."""
        return {self.LOST[i.rsplit("-", 1)[0]] for i in ids if i not in table or table[i].account != self.caller}

    def mine(self, table, account=None):
        account = self.caller if account is None else account
        return {i: x for i, x in table.items() if x.account == account}

    # ---- walking ----

    def acts(self):
        """[(weight, function)]"""
        raise NotImplementedError

    def compare(self, account):
        """What every describe tells the account, against the reference."""
        raise NotImplementedError

    def run(self, number):
        acts = [f for weight, f in self.acts() for _ in range(weight)]
        for n in range(number):
            self.caller = self.rng.randrange(2)
            self.rng.choice(acts)()
            self.compare(self.caller)
            if n % 4 == 0 or n == number - 1:
                self.compare(1 - self.caller)
        assert self.LEAST < self.refused / self.asked < 1 - self.LEAST, "a walk that never gets anywhere proves nothing"
