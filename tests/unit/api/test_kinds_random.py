# SPDX-License-Identifier: Apache-2.0
"""What every kind of thing has in common: tags and the filters for them, pages, client tokens, and that
another account's are not there; random requests of two accounts, sensible and not, against a plain
reference. Every list is compared, whole, filtered and in pages between which things come and go.

requirement: TOPO-1, OPS-1, PKT-4
"""
import re

import pytest

from conftest import operator
from walking import Thing, Walk, seeds, steps, two_accounts

WORST, MOST = "InvalidParameterValue", 50
KEYS = ["Name", "name", "a:b", "k", "ключ", "x*y", "k?", "viaduct", "awsome"]
VALUES = ["", "v", "w", "V", "a*b", "a?b", "a\\b", "two words", "ü", "<&>\"'"]
PATTERNS = ["*", "?", "v", "V", "w*", "*b", "a\\*b", "a?b", "a\\?b", "a\\\\b", "ü", "", "\\w", "two*s", "*ключ*", "k",
            "nothing"]


class Kind:
    """How things of a kind are made, ended and listed. 'more': what makes one, from the walk."""

    def __init__(self, tags, make, where, more, end, key, lists, named, token=False, tag_key="Tags", param=None):
        self.tags, self.make, self.where, self.more, self.end, self.key = tags, make, where, more, end, key
        self.lists, self.named, self.token, self.tag_key = lists, named, token, tag_key
        self.param = param or self.key + "s"


def of(name):
    return lambda w: {name: w.base[name]}


def block(w):
    w.counter += 1
    return {"VpcId": w.base["VpcId"], "CidrBlock": f"10.0.{w.counter}.0/28"}


def name(key, **more):
    def make(w):
        w.counter += 1
        return {key: "n%d" % w.counter, **more}
    return make


def log(w):
    w.counter += 1
    if w.counter % 7 == 0:
        w.counter += 1
    return {"ResourceIds": [w.some_subnet()], "ResourceType": "Subnet", "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::b%d" % w.counter}


KINDS = {
    "vpc": Kind("vpc", "create_vpc", "Vpc.VpcId", lambda w: {"CidrBlock": "10.9.0.0/16"}, "delete_vpc", "VpcId",
                "describe_vpcs", "Vpcs"),
    "subnet": Kind("subnet", "create_subnet", "Subnet.SubnetId", block, "delete_subnet", "SubnetId",
                   "describe_subnets", "Subnets"),
    "eni": Kind("network-interface", "create_network_interface", "NetworkInterface.NetworkInterfaceId", of("SubnetId"),
                "delete_network_interface", "NetworkInterfaceId", "describe_network_interfaces", "NetworkInterfaces",
                True,
                "TagSet"),
    "sg": Kind("security-group", "create_security_group", "GroupId",
               lambda w: {**name("GroupName", Description="d")(w), "VpcId": w.base["VpcId"]}, "delete_security_group",
               "GroupId",
               "describe_security_groups", "SecurityGroups"),
    "acl": Kind("network-acl", "create_network_acl", "NetworkAcl.NetworkAclId", of("VpcId"), "delete_network_acl",
                "NetworkAclId", "describe_network_acls", "NetworkAcls"),
    "rtb": Kind("route-table", "create_route_table", "RouteTable.RouteTableId", of("VpcId"), "delete_route_table",
                "RouteTableId", "describe_route_tables", "RouteTables"),
    "igw": Kind("internet-gateway", "create_internet_gateway", "InternetGateway.InternetGatewayId", lambda w: {},
                "delete_internet_gateway", "InternetGatewayId", "describe_internet_gateways", "InternetGateways"),
    "eigw": Kind("egress-only-internet-gateway", "create_egress_only_internet_gateway",
                 "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId", of("VpcId"),
                 "delete_egress_only_internet_gateway",
                 "EgressOnlyInternetGatewayId", "describe_egress_only_internet_gateways",
                 "EgressOnlyInternetGateways", True),
    "pl": Kind("prefix-list", "create_managed_prefix_list", "PrefixList.PrefixListId",
               name("PrefixListName", MaxEntries=3, AddressFamily="IPv4"), "delete_managed_prefix_list", "PrefixListId",
               "describe_managed_prefix_lists", "PrefixLists", True),
    "dopt": Kind("dhcp-options", "create_dhcp_options", "DhcpOptions.DhcpOptionsId",
                 lambda w: {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["a.example"]}]},
                 "delete_dhcp_options",
                 "DhcpOptionsId", "describe_dhcp_options", "DhcpOptions", param="DhcpOptionsIds"),
    "nip": Kind("network-insights-path", "create_network_insights_path", "NetworkInsightsPath.NetworkInsightsPathId",
                lambda w: {"Source": w.base["Source"], "Destination": w.base["Destination"], "Protocol": "tcp",
                           "DestinationPort": w.rng.randrange(1, 65536)}, "delete_network_insights_path",
                           "NetworkInsightsPathId",
                "describe_network_insights_paths", "NetworkInsightsPaths", True),
    "nia": Kind("network-insights-analysis", "start_network_insights_analysis",
                "NetworkInsightsAnalysis.NetworkInsightsAnalysisId", of("NetworkInsightsPathId"),
                "delete_network_insights_analysis", "NetworkInsightsAnalysisId", "describe_network_insights_analyses",
                "NetworkInsightsAnalyses", True, param="NetworkInsightsAnalysisIds"),
    "fl": Kind("vpc-flow-log", "create_flow_logs", "FlowLogIds[0]", log, "delete_flow_logs", "FlowLogId",
               "describe_flow_logs",
               "FlowLogs", True),
    "tmf": Kind("traffic-mirror-filter", "create_traffic_mirror_filter", "TrafficMirrorFilter.TrafficMirrorFilterId",
                lambda w: {}, "delete_traffic_mirror_filter", "TrafficMirrorFilterId",
                "describe_traffic_mirror_filters",
                "TrafficMirrorFilters", True),
    "pg": Kind("placement-group", "create_placement_group", "PlacementGroup.GroupId", name("GroupName"),
               "delete_placement_group",
               "GroupId", "describe_placement_groups", "PlacementGroups"),
    "eipalloc": Kind("elastic-ip", "allocate_address", "AllocationId", lambda w: {"Domain": "vpc"}, "release_address",
                     "AllocationId", "describe_addresses", "Addresses"),
    "nat": Kind("natgateway", "create_nat_gateway", "NatGateway.NatGatewayId",
                lambda w: {"SubnetId": w.base["SubnetId"], "ConnectivityType": "private"}, None, "NatGatewayId",
                "describe_nat_gateways", "NatGateways", True),
}
UNPAGED = ("pg", "eipalloc")


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
            "nat": "NatGatewayNotFound"}

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
            for i in base.values():
                self.keep(i)
            self.learn(base["VpcId"])
        for kind in KINDS:
            for self.caller in (0, 1, 0):
                self.make(kind)

    @property
    def base(self):
        return self.bases[self.caller]

    def keep(self, i, fixed=True, tags=None, vpc=None):
        self.things[i] = Thing(self.caller, kind=i.rsplit("-", 1)[0], fixed=fixed, tags=tags or {}, vpc=vpc)

    def learn(self, vpc):
        """What comes with a VPC, and goes with it."""
        for kind in ("sg", "acl", "rtb"):
            k = KINDS[kind]
            for x in getattr(self.clients[self.caller], k.lists)(Filters=[{"Name": "vpc-id",
                                                                           "Values": [vpc]}])[k.named]:
                self.keep(x[k.key], vpc=vpc)

    def some_subnet(self):
        return self.rng.choice([i for i, x in self.mine(self.things).items() if x.kind == "subnet"])

    # ---- making and ending ----

    def limit(self, kind):
        """More than these are not asked for."""
        most = {"eigw": 5, "nat": 4, "eipalloc": 6}.get(kind, 12)
        return sum(x.kind == kind for x in self.mine(self.things).values()) >= most

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
        made = self.ask(k.make, faults, **said, **({"ClientToken": token} if token else {}))
        if made:
            i = dig(made, k.where)
            assert i not in self.things
            self.keep(i, False, tags)
            if kind == "vpc":
                self.learn(i)
            if kind == "nat":
                self.keep(made["NatGateway"]["NatGatewayAddresses"][0]["NetworkInterfaceId"])
            if token:
                self.tokens[self.caller, kind, token] = said, i

    def fail_with_token(self, kind, token, said):
        """What was refused is not remembered."""
        wrong = dict(said, TagSpecifications=[{"ResourceType": KINDS[kind].tags,
                                               "Tags": [{"Key": "aws:x", "Value": ""}]}])
        self.ask(KINDS[kind].make, {WORST}, **wrong, ClientToken=token)

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
        made = self.ask(k.make, faults, **wanted, ClientToken=token)
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
        made = self.ask(KINDS[kind].make, None, **said, ClientToken=token)
        i = dig(made, KINDS[kind].where)
        assert i not in self.things
        self.keep(i, False)
        if kind == "nat":
            self.keep(made["NatGateway"]["NatGatewayAddresses"][0]["NetworkInterfaceId"])
        self.tokens[self.caller, kind, token] = said, i

    def end_some(self):
        ends = {i: x for i, x in self.things.items() if not x.fixed and KINDS[x.kind].end}
        kind = self.rng.choice([x for x in KINDS if KINDS[x].end])
        i = self.some({i: x for i, x in ends.items() if x.kind == kind}, kind)
        self.end(i)

    def end(self, i):
        k, x = KINDS[i.rsplit("-", 1)[0]], self.things.get(i)
        faults = self.lost(self.things, i)
        if i.startswith("pg-"):
            if not x or faults:
                return  # a name may be anybody's
            said = {"GroupName": self.name_of(i)}
        else:
            said = {"FlowLogIds": [i]} if i.startswith("fl-") else {k.key: i}
        self.ask(k.end, faults, **said)
        if not faults:
            self.forget(i)

    def name_of(self, group):
        return self.clients[self.caller].describe_placement_groups(GroupIds=[group])["PlacementGroups"][0]["GroupName"]

    def forget(self, i):
        self.things = {j: x for j, x in self.things.items() if j != i and x.vpc != i}
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
        return [(x[k.key], {t["Key"]: t["Value"] for t in x.get(k.tag_key, ())}) for x in answer[k.named]
                if x[k.key] != "default"]

    def filter_of(self, kind):
        meta = self.clients[0].meta
        op = meta.service_model.operation_model(meta.method_to_api_mapping[KINDS[kind].lists])
        return "Filters" if "Filters" in op.input_shape.members else "Filter"

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
            self.ask(KINDS[kind].lists, {WORST}, MaxResults=self.pick(1, 4, 1001, 0))
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
                (5, self.delete_tags), (5, self.describe_filtered), (3, self.walk_pages), (2, self.bad_page),
                (3, self.describe_named), (4, self.describe_tags)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (endpoint, clients):
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})
        Kinds(seed, clients).run(steps(80))
