# SPDX-License-Identifier: Apache-2.0
"""What the random walks of two accounts have in common: asking, choosing, and who may know of what.

A walk keeps what there is in tables {id: thing}, each thing with the number of its account, and says to
each request what is wrong with it: a set of EC2's error codes, of which the answer has one; none if the
set is empty. EC2 does not say which of two faults it tells first.
"""
import contextlib
import random
import re

from botocore.config import Config

from conftest import CONFIG, client, serving
from test_policy_random import attempt

NAMES = ("111111111111", "222222222222")
ID = re.compile("[a-z-]+-[0-9a-f]{17}")
NO_NUMBERS = ["abc", "1e3", "0x10", "4294967296", "-99999999999999999999", "7 ", "\u0661"]
NO_IDS = ["x", "-", "vpc", "eni-", "vpc-0", "i-0123456789abcdef", "../../etc/passwd", "%s%n", "\u00f1", "a" * 300]
UNREFUSED = {"create_flow_logs", "describe_egress_only_internet_gateways"}  # which tell of an id in their answer


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
        """The answer, or None after one of the errors that there must be. Now and then the same is asked
        as a dry run first, which says whether it would be done, or with nonsense in it; neither does anything."""
        self.caller = self.caller if account is None else account
        ec2 = self.clients[self.caller]
        if self.chance(0.1) and self.takes(call, "DryRun"):
            _, code = attempt(getattr(ec2, call), **arguments, DryRun=True)
            assert code in (faults or {"DryRunOperation"}), ("dry run", call, self.caller, arguments, code, faults)
        if self.chance(0.1) and call not in UNREFUSED:
            self.ask_nonsense(call, arguments)
        answer, code = attempt(getattr(ec2, call), **arguments)
        assert code in faults if faults else code is None, (call, self.caller, arguments, code, faults)
        self.asked += 1
        self.refused += code is not None
        return answer

    def ask_nonsense(self, call, arguments):
        """The same with an id that is none, a number that is none, or without something it cannot do without:
        an error of EC2's."""
        meta = self.clients[self.caller].meta
        operation = meta.service_model.operation_model(meta.method_to_api_mapping[call])
        # a token that is left out botocore makes up
        required = set(operation.input_shape.required_members) - set(operation.idempotent_members)
        wrong = [{**arguments, k: v} for k, before in arguments.items() for v in self.nonsense(before)]
        wrong += [{k: v for k, v in arguments.items() if k != gone} for gone in sorted(required) if gone in arguments]
        if wrong:
            wrong = self.rng.choice(wrong)
            _, code = attempt(getattr(self.clients[self.caller], call), **wrong)
            assert code and not code.startswith("Internal") and not code.isdigit(), (call, self.caller, wrong, code)

    def nonsense(self, value):
        """What may stand there instead."""
        if isinstance(value, list):
            return [value[:-1] + [v] for v in self.nonsense(value[-1])] if value else []
        if isinstance(value, str) and ID.fullmatch(value):
            return [*NO_IDS, value.upper(), value + " ", value[:-1], value + "0"]
        return NO_NUMBERS if isinstance(value, int) and not isinstance(value, bool) else []

    def takes(self, call, parameter):
        """Whether the operation has such a parameter."""
        meta = self.clients[0].meta
        return parameter in meta.service_model.operation_model(meta.method_to_api_mapping[call]).input_shape.members

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
