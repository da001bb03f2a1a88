# SPDX-License-Identifier: Apache-2.0
"""What every kind of thing has in common: tags and the filters for them, pages, client tokens, and that
another account's are not there; random requests of two accounts, sensible and not, against a plain
reference. Every list is compared, whole, filtered and in pages between which things come and go.

requirement: TOPO-1, OPS-1, PKT-4
"""
import re

import pytest

from conftest import operator
from kinds import KINDS, LIMITS, SMALL_PAGED, UNPAGED
from walking import Thing, Walk, two_accounts
from walks import seeds, steps

WORST, MOST = "InvalidParameterValue", 50
KEYS = ["Name", "name", "a:b", "k", "ключ", "x*y", "k?", "viaduct", "awsome"]
VALUES = ["", "v", "w", "V", "a*b", "a?b", "a\\b", "two words", "ü", "<&>\"'"]
PATTERNS = ["*", "?", "v", "V", "w*", "*b", "a\\*b", "a?b", "a\\?b", "a\\\\b", "ü", "", "\\w", "two*s", "*ключ*",
            "k", "nothing"]
# Filters that the server has an index for, and what they are about.
POINTERS = {"subnet": [("vpc-id", "VpcId"), ("subnet-id", "SubnetId")],
            "sg": [("vpc-id", "VpcId"), ("group-id", "GroupId")],
            "eni": [("subnet-id", "SubnetId"), ("vpc-id", "VpcId"), ("network-interface-id", "NetworkInterfaceId")],
            "acl": [("vpc-id", "VpcId")], "rtb": [("vpc-id", "VpcId"), ("route-table-id", "RouteTableId")],
            "nat": [("subnet-id", "SubnetId"), ("vpc-id", "VpcId"), ("nat-gateway-id", "NatGatewayId")],
            "fl": [("resource-id", "ResourceId"), ("flow-log-id", "FlowLogId")], "sgr": [("group-id", "GroupId")],
            "tmt": [("network-interface-id", "NetworkInterfaceId")], "vpc": [("vpc-id", "VpcId")],
            "tms": [("network-interface-id", "NetworkInterfaceId"),
                    ("traffic-mirror-filter-id", "TrafficMirrorFilterId")],
            "igw": [("internet-gateway-id", "InternetGatewayId")], "pl": [("prefix-list-id", "PrefixListId")]}


def dig(answer, where):
    for part in re.findall(r"\w+", where):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


def matches(pattern, text):
    """EC2's wildcards: * anything, ? one character, and a backslash before one that is meant itself."""
    out = re.sub(r"\\(.)|(\*)|(\?)|(.)", lambda m: re.escape(m[1]) if m[1] else ".*" if m[2] else "." if m[3] else
                 re.escape(m[4]), pattern, flags=re.S)
    return re.fullmatch(out, text, re.S) is not None


class Kinds(Walk):
    LOST = {"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound",
            "eni": "InvalidNetworkInterfaceID.NotFound", "sg": "InvalidGroup.NotFound",
            "acl": "InvalidNetworkAclID.NotFound",
            "rtb": "InvalidRouteTableID.NotFound", "igw": "InvalidInternetGatewayID.NotFound",
            "eigw": "InvalidGatewayID.NotFound", "pl": "InvalidPrefixListID.NotFound",
            "dopt": "InvalidDhcpOptionID.NotFound",
            "nip": "InvalidNetworkInsightsPathId.NotFound", "nia": "InvalidNetworkInsightsAnalysisId.NotFound",
            "fl": "InvalidFlowLogId.NotFound", "tmf": "InvalidTrafficMirrorFilterId.NotFound",
            "pg": "InvalidPlacementGroupId.NotFound", "eipalloc": "InvalidAllocationID.NotFound",
            "nat": "NatGatewayNotFound", "i": "InvalidInstanceID.NotFound",
            "sgr": "InvalidSecurityGroupRuleId.NotFound", "pcx": "InvalidVpcPeeringConnectionID.NotFound",
            "tmt": "InvalidTrafficMirrorTargetId.NotFound", "tms": "InvalidTrafficMirrorSessionId.NotFound"}

    LEAST = 1 / 20  # most of it is describing

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.things = {}            # {id: Thing(kind, tags, fixed)}
        self.tokens = {}            # {(account, kind, token): (arguments, id)}
        self.bases, self.counter = ({}, {}), 0
        for account in (0, 1):
            self.caller = account
            base = self.base
            base["VpcId"] = self.ask("create_vpc", None, CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            base["SubnetId"] = self.ask("create_subnet", None, VpcId=base["VpcId"],
                                        CidrBlock="10.0.255.0/24")["Subnet"]["SubnetId"]
            for end in ("Source", "Destination"):
                base[end] = self.ask("create_network_interface", None, SubnetId=base["SubnetId"])[
                    "NetworkInterface"]["NetworkInterfaceId"]
            base["NetworkInsightsPathId"] = self.ask("create_network_insights_path", None, Source=base["Source"],
                                                     Protocol="tcp",
                                                     Destination=base["Destination"], DestinationPort=9)[
                "NetworkInsightsPath"]["NetworkInsightsPathId"]
            base["TrafficMirrorTargetId"] = self.ask(
                "create_traffic_mirror_target", None, NetworkInterfaceId=base["Destination"])[
                    "TrafficMirrorTarget"]["TrafficMirrorTargetId"]
            base["TrafficMirrorFilterId"] = self.ask("create_traffic_mirror_filter", None)[
                "TrafficMirrorFilter"]["TrafficMirrorFilterId"]
            for i in base.values():
                self.keep(i)
            self.learn(base["VpcId"])
            base["GroupId"] = next(i for i, x in self.mine(self.things).items() if x.kind == "sg")
        for kind in KINDS:
            for self.caller in (0, 1, 0):
                self.make(kind)

    @property
    def base(self):
        return self.bases[self.caller]

    def keep(self, i, fixed=True, tags=None, parent=None):
        self.things[i] = Thing(self.caller, kind=i.rsplit("-", 1)[0], fixed=fixed, tags=tags or {}, parent=parent)

    def learn(self, parent):
        """What comes with a VPC or a group, and goes with it."""
        of_vpc = parent.startswith("vpc-")
        here = [{"Name": "vpc-id" if of_vpc else "group-id", "Values": [parent]}]
        for k in [KINDS[kind] for kind in (("sg", "acl", "rtb") if of_vpc else ("sgr",))]:
            for x in getattr(self.clients[self.caller], k.lists)(Filters=here)[k.named]:
                self.keep(x[k.key], parent=parent)
                if k is KINDS["sg"]:
                    self.learn(x[k.key])

    def new_interface(self):
        made = self.ask("create_network_interface", None, SubnetId=self.base["SubnetId"])["NetworkInterface"]
        self.keep(made["NetworkInterfaceId"])
        return made["NetworkInterfaceId"]

    def some_subnet(self):
        return self.rng.choice([i for i, x in self.mine(self.things).items() if x.kind == "subnet"])

    # ---- making and ending ----

    def limit(self, kind):
        return sum(x.kind == kind for x in self.mine(self.things).values()) >= LIMITS.get(kind, 12)

    def wanted_tags(self, most=3):
        keys = self.rng.sample(KEYS, self.rng.randrange(most + 1))
        return {k: self.rng.choice(VALUES) for k in keys}

    def make_some(self):
        self.make(self.rng.choice(list(KINDS)))

    def make(self, kind):
        k = KINDS[kind]
        if self.limit(kind):
            return
        tags, said, faults = self.wanted_tags(), k.more(self), set()
        if tags:
            said["TagSpecifications"] = [{"ResourceType": k.tags,
                                          "Tags": [{"Key": a, "Value": v} for a, v in tags.items()]}]
            if self.chance(0.08):
                said["TagSpecifications"][0]["ResourceType"] = self.pick("vpc" if kind != "vpc" else "subnet",
                                                                         "nonsense")
                faults = {WORST}
        token = "t%d" % self.rng.randrange(1000) if k.token and self.chance(0.5) else None
        if token and (self.caller, kind, token) in self.tokens:
            return
        if token and self.chance(0.3):
            self.fail_with_token(kind, token, said)
        made = self.ask_once(k.make, faults, token, **said)
        if made:
            self.keep_made(kind, made, tags)
            if token:
                self.tokens[self.caller, kind, token] = said, dig(made, k.where)

    def ask_once(self, call, faults, token, **said):
        """With a client token, also where Debian's botocore does not know of it yet."""
        if not token or self.takes(call, "ClientToken"):
            return self.ask(call, faults, **said, **({"ClientToken": token} if token else {}))
        meta = self.clients[self.caller].meta
        event = "before-call.ec2." + meta.method_to_api_mapping[call]

        def add(params, **_):
            params["body"]["ClientToken"] = token
        meta.events.register(event, add)
        try:
            return self.ask(call, faults, **said)
        finally:
            meta.events.unregister(event, add)

    def keep_made(self, kind, made, tags=None):
        i = dig(made, KINDS[kind].where)
        assert i not in self.things
        self.keep(i, False, tags, parent=self.base["GroupId"] if kind == "sgr" else None)
        if kind in ("vpc", "sg"):
            self.learn(i)
        if kind == "nat":
            self.keep(made["NatGateway"]["NatGatewayAddresses"][0]["NetworkInterfaceId"])
        if kind == "i":
            self.keep(made["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"])

    def fail_with_token(self, kind, token, said):
        """What was refused is not remembered."""
        wrong = dict(said, TagSpecifications=[{"ResourceType": KINDS[kind].tags,
                                               "Tags": [{"Key": "aws:x", "Value": ""}]}])
        self.ask_once(KINDS[kind].make, {WORST}, token, **wrong)

    def repeat(self):
        """With a token that was used: by the same account for the same, for something else, or by the other account."""
        if not self.tokens:
            return
        key = self.rng.choice(list(self.tokens))
        (account, kind, token), (said, i) = key, self.tokens[key]
        self.caller = account
        k, faults, wanted = KINDS[kind], set(), said
        if self.chance(0.4):
            wanted = dict(said, TagSpecifications=[{"ResourceType": k.tags,
                                                    "Tags": [{"Key": "other", "Value": "one"}]}])
            faults = {"IdempotentParameterMismatch"}
        elif i not in self.things and kind != "fl":
            faults = {self.LOST[kind]}
        made = self.ask_once(k.make, faults, token, **wanted)
        assert not made or dig(made, k.where) == i

    def repeat_elsewhere(self):
        """A token is its account's, and its operation's."""
        if not self.tokens:
            return
        account, kind, token = self.rng.choice(list(self.tokens))
        kind = self.pick(kind, *(x for x in KINDS if KINDS[x].token))
        self.caller = self.pick(account, 1 - account)
        if (self.caller, kind, token) in self.tokens or self.limit(kind):
            return
        said = KINDS[kind].more(self)
        made = self.ask_once(KINDS[kind].make, None, token, **said)
        self.keep_made(kind, made)
        self.tokens[self.caller, kind, token] = said, dig(made, KINDS[kind].where)

    def end_some(self):
        ends = {i: x for i, x in self.things.items() if not x.fixed and KINDS[x.kind].end}
        kind = self.rng.choice([x for x in KINDS if KINDS[x].end])
        i = self.some({i: x for i, x in ends.items() if x.kind == kind}, kind)
        self.end(i)

    def end(self, i):
        k, x = KINDS[i.rsplit("-", 1)[0]], self.things.get(i)
        faults = self.lost(self.things, i)
        if i[:3] in ("pg-", "sgr") and faults:
            return  # whose name or group may be anybody's
        said = {"FlowLogIds": [i]} if i.startswith("fl-") else {k.key: i}
        if i.startswith("pg-"):
            said = {"GroupName": self.name_of(i)}
        elif i.startswith("sgr-"):
            said = {"GroupId": x.parent, "SecurityGroupRuleIds": [i]}
        self.ask(k.end, faults, **said)
        if not faults:
            self.forget(i)

    def name_of(self, group):
        return self.clients[self.caller].describe_placement_groups(GroupIds=[group])["PlacementGroups"][0]["GroupName"]

    def forget(self, i):
        for child in [j for j, x in self.things.items() if x.parent == i]:
            self.forget(child)
        del self.things[i]
        if i.startswith("subnet-"):  # and with it its flow logs
            shown = {f["FlowLogId"] for f in self.clients[self.caller].describe_flow_logs()["FlowLogs"]}
            self.things = {j: x for j, x in self.things.items()
                           if x.kind != "fl" or x.account != self.caller or j in shown}

    # ---- tags ----

    def resources(self):
        out = [self.some(self.things, self.rng.choice(list(KINDS)), 0.9) for _ in range(self.pick(1, 1, 2, 3))]
        if self.chance(0.04):
            out.append(self.pick("x-1", "nonsense", "vpc_1"))
        return list(dict.fromkeys(out))

    def resource_faults(self, resources):
        faults = set()
        for i in resources:
            kind = i.rsplit("-", 1)[0]
            faults |= self.lost(self.things, i) if kind in self.LOST else {"InvalidID"}
        return faults

    def create_tags(self):
        resources, tags, faults = self.resources(), list(self.wanted_tags().items()), set()
        if self.chance(0.06):
            tags += [("full%d" % n, "") for n in range(self.rng.randrange(40, 51))]
        if self.chance(0.12):
            bad = self.pick(("aws:x", ""), ("", "v"), ("é" * 129, ""), ("long", "é" * 257), ("aws:", ""))
            tags, faults = tags + [bad], {WORST}
        elif self.chance(0.05):
            tags.append(self.pick(("é" * 128, ""), ("long", "é" * 256)))
        if tags and self.chance(0.03):
            tags, faults = tags + tags[:1], {WORST}
        if not tags:
            faults = {"MissingParameter"}
        faults = faults | self.resource_faults(resources)
        for i in resources:
            if i in self.things and len(self.things[i].tags.keys() | dict(tags).keys()) > MOST:
                faults = faults | {"TagLimitExceeded"}
        self.ask("create_tags", faults, Resources=resources, Tags=[{"Key": k, "Value": v} for k, v in tags])
        if not faults:
            for i in resources:
                self.things[i].tags.update(tags)

    def delete_tags(self):
        resources = self.resources()
        tags = [(k, self.pick(None, None, v, "")) for k, v in self.wanted_tags().items()]
        faults = self.resource_faults(resources)
        for i in resources:  # something that there is
            if i in self.things and self.things[i].tags and self.chance(0.5):
                k = self.rng.choice(list(self.things[i].tags))
                tags = [t for t in tags if t[0] != k] + [(k, self.pick(None, self.things[i].tags[k], "other"))]
        tags = [] if self.chance(0.1) else tags
        if self.chance(0.05):
            tags, faults = tags + [("aws:x", None)], faults | {WORST}
        said = [{"Key": k, **({} if v is None else {"Value": v})} for k, v in tags]
        self.ask("delete_tags", faults, Resources=resources, **({"Tags": said} if said else {}))
        if faults:
            return
        for i in resources:
            has = self.things[i].tags
            gone = [k for k, v in tags if k in has and v in (None, has[k])] if tags else list(has)
            self.things[i].tags = {k: v for k, v in has.items() if k not in gone}

    # ---- what is told ----

    def listed(self, kind, account):
        return {i: x for i, x in self.mine(self.things, account).items() if x.kind == kind}

    def shown(self, kind, answer):
        """[(id, tags)] of an answer; 'default' is everybody's DHCP options set."""
        k = KINDS[kind]
        found = [i for r in answer[k.named] for i in r["Instances"]] if kind == "i" else answer[k.named]
        return [(x[k.key], {t["Key"]: t["Value"] for t in x.get(k.tag_key, ())}) for x in found
                if x[k.key] != "default"]

    def filter_of(self, kind):
        return "Filters" if self.takes(KINDS[kind].lists, "Filters") else "Filter"

    def describe_filtered(self):
        kind = self.rng.choice(list(KINDS))
        mine = self.listed(kind, self.caller)
        wanted, keep = self.wanted_filters(), dict(mine)
        for f in wanted:
            keep = {i: x for i, x in keep.items() if self.passes(f, x.tags)}
        said = {self.filter_of(kind): wanted}
        told = self.shown(kind, self.ask(KINDS[kind].lists, None, **said))
        assert dict(told) == {i: x.tags for i, x in keep.items()} and len(told) == len(keep), wanted
        if kind not in UNPAGED:
            assert self.pages(kind, said) == told

    def describe_pointed(self):
        """By a filter that points at few of them, own ones and others': the list and its pages are the same."""
        kind = self.rng.choice(list(POINTERS))
        name, key = self.rng.choice(POINTERS[kind])
        k, (caller, other) = KINDS[kind], (self.caller, 1 - self.caller)
        whole = self.ask(k.lists, None)[k.named]
        values = {x[key] for x in whole + getattr(self.clients[other], k.lists)()[k.named] if key in x}
        wanted = self.rng.choice(sorted(values) or ["none"])
        said = {self.filter_of(kind): [{"Name": name, "Values": [wanted]}]}
        told = self.shown(kind, self.ask(k.lists, None, caller, **said))
        assert told == self.shown(kind, {k.named: [x for x in whole if x.get(key) == wanted]})
        assert self.pages(kind, said) == told

    def wanted_filters(self):
        out = []
        for _ in range(self.pick(1, 1, 2)):
            what = self.pick("tag:", "tag-key", "tag-value") if not out else "tag:"
            name = "tag:" + self.rng.choice(KEYS) if what == "tag:" else what
            out.append({"Name": name, "Values": [self.rng.choice(PATTERNS + KEYS[:3] + VALUES[:4])
                                                 for _ in range(self.pick(1, 2))]})
        return out

    @staticmethod
    def passes(f, tags):
        texts = tags.keys() if f["Name"] == "tag-key" else tags.values() if f["Name"] == "tag-value" else [
            v for k, v in tags.items() if "tag:" + k == f["Name"]]
        return any(matches(p, t) for p in f["Values"] for t in texts)

    def pages(self, kind, said=None, between=lambda: None):
        """What the pages tell, one after another."""
        size, out, token, caller = self.pick(5, 6, 1000), [], {}, self.caller
        while True:
            answer = self.ask(KINDS[kind].lists, None, caller, MaxResults=size, **(said or {}), **token)
            assert len(answer[KINDS[kind].named]) <= size
            out += self.shown(kind, answer)
            if "NextToken" not in answer:
                return out
            token = {"NextToken": answer["NextToken"]}
            between()

    def walk_pages(self):
        """While things come and go, what was there all the while is told once."""
        kind = self.rng.choice([k for k in KINDS if k not in UNPAGED])
        caller, before = self.caller, set(self.listed(kind, self.caller))

        def between():
            if self.chance(0.7):
                self.pick(self.make_some, self.end_some, self.create_tags, self.delete_tags)()
            if self.chance(0.5):
                self.make(kind)
            mine = [i for i, x in self.listed(kind, caller).items() if not x.fixed]
            if mine and self.chance(0.5) and KINDS[kind].end:
                self.caller = caller
                self.end(self.rng.choice(mine))
            self.caller = caller
        told = [i for i, _ in self.pages(kind, between=between)]
        assert len(set(told)) == len(told)
        assert before & set(self.listed(kind, caller)) <= set(told)

    def bad_page(self):
        """A token is its account's and its list's; sizes have bounds."""
        kind, other = self.rng.sample([k for k in KINDS if k not in UNPAGED], 2)
        if self.chance(0.3):
            small = () if kind in SMALL_PAGED else (1, 4)
            self.ask(KINDS[kind].lists, {WORST}, MaxResults=self.pick(*small, 1001, 0))
            return
        page = self.ask(KINDS[kind].lists, None, MaxResults=5)
        token = page.get("NextToken")
        wrong = self.pick("nonsense", *[token] * 3) or "00" * 64
        if wrong == token and self.chance(0.4):
            wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
        elif wrong == token and self.chance(0.5):
            self.caller = 1 - self.caller
        elif wrong == token:
            kind = other
        self.ask(KINDS[kind].lists, {"InvalidNextToken"}, MaxResults=5, NextToken=wrong)

    def describe_named(self):
        """By id: all, or an error when one is not there, in which case none is told."""
        kind = self.rng.choice(list(KINDS))
        table = {i: x for i, x in self.things.items() if x.kind == kind}
        ids = list(dict.fromkeys(self.some(table, kind) for _ in range(self.pick(1, 2, 3))))
        faults = self.lost(table, *ids)
        if kind == "eigw" and faults:
            return  # EC2's documents say nothing of that
        answer = self.ask(KINDS[kind].lists, faults, **{KINDS[kind].param: ids})
        if answer:
            assert dict(self.shown(kind, answer)) == {i: table[i].tags for i in ids}

    def describe_tags(self):
        what = self.pick("key", "value", "resource-id", "resource-type", "tag:")
        choices = {"key": KEYS + PATTERNS, "value": PATTERNS + VALUES, "resource-id": list(self.things) + ["vpc-*"],
                   "resource-type": [k.tags for k in KINDS.values()] + ["*gateway*"], "tag:": PATTERNS + VALUES}[what]
        values = [self.rng.choice(choices) for _ in range(self.pick(1, 2))]
        key = self.rng.choice(KEYS) if what == "tag:" else ""
        said = {"Filters": [{"Name": what + key, "Values": values}]}
        field = {"key": 2, "value": 3, "tag:": 3, "resource-id": 0, "resource-type": 1}[what]
        expected = sorted(t for t in self.all_tags(self.caller)
                          if key in ("", t[2]) and any(matches(v, t[field]) for v in values))
        size = self.pick(5, 7, 1000, None)
        told, token = [], {}
        while True:
            answer = self.ask("describe_tags", None, **said, **token, **({"MaxResults": size} if size else {}))
            told += [(t["ResourceId"], t["ResourceType"], t["Key"], t["Value"]) for t in answer["Tags"]]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
        assert sorted(told) == expected, said

    def all_tags(self, account):
        return [(i, KINDS[x.kind].tags, k, v) for i, x in self.mine(self.things, account).items() for k,
                v in x.tags.items()]

    def compare(self, account):
        ec2 = self.clients[account]
        told = [(t["ResourceId"], t["ResourceType"], t["Key"], t["Value"]) for t in ec2.describe_tags()["Tags"]]
        assert sorted(told) == sorted(self.all_tags(account))
        for kind in self.rng.sample(list(KINDS), 4):
            told = self.shown(kind, getattr(ec2, KINDS[kind].lists)())
            assert dict(told) == {i: x.tags for i, x in self.listed(kind,
                                                                    account).items()} and len(dict(told)) == len(told)

    def acts(self):
        return [(5, self.make_some), (2, self.end_some), (4, self.repeat), (2, self.repeat_elsewhere),
                (8, self.create_tags),
                (5, self.delete_tags), (5, self.describe_filtered), (3, self.describe_pointed), (3, self.walk_pages),
                (2, self.bad_page),
                (3, self.describe_named), (4, self.describe_tags)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (endpoint, clients):
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})
        Kinds(seed, clients).run(steps(80))
