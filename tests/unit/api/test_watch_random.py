# SPDX-License-Identifier: Apache-2.0
"""Random requests about flow logs and traffic mirroring, of two accounts, sensible and not, against a
plain reference; every describe is compared, and what is refused changes nothing.

requirement: OPS-1, OPS-4
"""
import ipaddress

import pytest

from walking import NAMES, Thing, Walk, two_accounts
from walks import seeds, steps

WORST, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
TYPES = {"vpc": "VPC", "subnet": "Subnet", "eni": "NetworkInterface"}
LOGS, RULES, SESSIONS = 8, 10, 3  # of one resource, of one filter and direction, of one source
USUAL = ("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
         "${packets} ${bytes} ${start} ${end} ${action} ${log-status}")
CIDRS = ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32", "nonsense"]


class Watch(Walk):
    LOST = {"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound",
            "eni": "InvalidNetworkInterfaceID.NotFound", "fl": "InvalidFlowLogId.NotFound",
            "tmt": "InvalidTrafficMirrorTargetId.NotFound", "tmf": "InvalidTrafficMirrorFilterId.NotFound",
            "tmfr": "InvalidTrafficMirrorFilterRuleId.NotFound", "tms": "InvalidTrafficMirrorSessionId.NotFound"}

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.vpcs, self.subnets, self.enis = {}, {}, {}
        self.logs, self.targets, self.filters, self.rules, self.sessions = {}, {}, {}, {}, {}
        for account in (0, 1):
            self.caller = account
            vpc = self.ask("create_vpc", None, CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            self.vpcs[vpc] = Thing(account)
            for _ in range(2):
                self.create_subnet()
            for _ in range(4):
                self.create_interface()

    # ---- what is watched ----

    def create_subnet(self):
        mine = self.mine(self.subnets)
        if len(mine) > 3:
            return
        vpc, = self.mine(self.vpcs)
        free = next(c for c in (f"10.0.{n}.0/24" for n in range(9)) if c not in [s.cidr for s in mine.values()])
        made = self.ask("create_subnet", None, VpcId=vpc, CidrBlock=free)["Subnet"]["SubnetId"]
        self.subnets[made] = Thing(self.caller, cidr=free)

    def delete_subnet(self):
        subnet = self.some(self.subnets, "subnet")
        used = any(i.subnet == subnet for i in self.enis.values())
        faults = self.lost(self.subnets, subnet) or ({"DependencyViolation"} if used else set())
        self.ask("delete_subnet", faults, SubnetId=subnet)
        if not faults:
            del self.subnets[subnet]
            self.end_logs(subnet)

    def create_interface(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        made = self.ask("create_network_interface", faults, SubnetId=subnet)
        if made:
            self.enis[made["NetworkInterface"]["NetworkInterfaceId"]] = Thing(self.caller, subnet=subnet)

    def delete_interface(self):
        eni = self.some(self.enis, "eni")
        faults = self.lost(self.enis, eni)
        self.ask("delete_network_interface", faults, NetworkInterfaceId=eni)
        if faults:
            return
        del self.enis[eni]
        self.end_logs(eni)
        ended = {t for t, x in self.targets.items() if x.eni == eni}
        self.sessions = {i: s for i, s in self.sessions.items() if s.source != eni and s.target not in ended}
        self.targets = {t: x for t, x in self.targets.items() if t not in ended}

    def end_logs(self, resource):
        self.logs = {i: x for i, x in self.logs.items() if x.resource != resource}

    # ---- flow logs ----

    def create_logs(self):
        kind = self.pick("vpc", "subnet", "eni", "eni")
        table = {"vpc": self.vpcs, "subnet": self.subnets, "eni": self.enis}[kind]
        resources = [self.some(table, kind) for _ in range(self.pick(1, 1, 2))]
        if self.chance(0.05):
            resources.append(self.some(self.enis, "eni"))  # which may be of another kind than is said
        resources = list(dict.fromkeys(resources))
        said = {"TrafficType": self.pick("ALL", "ACCEPT", "REJECT"), "LogGroupName": self.pick("g1", "g2"),
                "DeliverLogsPermissionArn": "arn:r"}
        if self.chance(0.3):
            said = {"TrafficType": said["TrafficType"], "LogDestinationType": "s3",
                    "LogDestination": "arn:aws:s3:::" + self.pick("one", "two")}
        said["MaxAggregationInterval"] = self.pick(60, 600)
        if self.chance(0.3):
            said["LogFormat"] = self.pick(USUAL, "${srcaddr} ${bytes}", "${bytes}")
        faults = self.spoil_log(said)
        config = tuple(said.get(k) for k in ("TrafficType", "LogGroupName", "LogDestination", "MaxAggregationInterval"))
        config += (said.get("LogFormat", USUAL),)
        there = [r for r in resources if r in table and table[r].account == self.caller]
        if any(x.resource in there and x.config == config for x in self.logs.values()):
            faults.add("FlowLogAlreadyExists")
        elif any(sum(x.resource == r for x in self.logs.values()) >= LOGS for r in there):
            faults.add("FlowLogsLimitExceeded")
        made = self.ask("create_flow_logs", faults, ResourceIds=resources, ResourceType=TYPES[kind], **said)
        if not made:
            return
        told = {u["ResourceId"]: u["Error"]["Code"] for u in made["Unsuccessful"]}
        assert told == {r: self.LOST[kind] for r in resources if r not in there}
        assert len(made["FlowLogIds"]) == len(there)
        for i, r in zip(made["FlowLogIds"], there):
            self.logs[i] = Thing(self.caller, resource=r, config=config)

    def spoil_log(self, said):
        """Now and then something without sense, and what EC2 says to that."""
        if self.chance(0.85):
            return set()
        what, code = self.pick(({"MaxAggregationInterval": 61}, "InvalidParameter"), ({"TrafficType": "SOME"}, WORST),
                               ({"LogFormat": "${colour}"}, "InvalidParameter"),
                               ({"LogFormat": ""}, "InvalidParameter"),
                               ({"LogDestinationType": "tape"}, WORST))
        said.update(what)
        return {code}

    def delete_logs(self):
        logs = list(dict.fromkeys(self.some(self.logs, "fl") for _ in range(self.pick(1, 1, 2))))
        faults = self.lost(self.logs, *logs)
        made = self.ask("delete_flow_logs", faults, FlowLogIds=logs)
        if made:
            assert made["Unsuccessful"] == []
            self.logs = {i: x for i, x in self.logs.items() if i not in logs}

    # ---- targets and filters ----

    def create_target(self):
        eni = self.some(self.enis, "eni")
        faults = self.lost(self.enis, eni)
        if not faults and any(t.eni == eni for t in self.targets.values()):
            faults = {WORST}
        made = self.ask("create_traffic_mirror_target", faults, NetworkInterfaceId=eni)
        if made:
            self.targets[made["TrafficMirrorTarget"]["TrafficMirrorTargetId"]] = Thing(self.caller, eni=eni)

    def delete_target(self):
        target = self.some(self.targets, "tmt")
        faults = self.lost(self.targets, target)
        if not faults and any(s.target == target for s in self.sessions.values()):
            faults = {"TrafficMirrorTargetInUseException"}
        self.ask("delete_traffic_mirror_target", faults, TrafficMirrorTargetId=target)
        if not faults:
            del self.targets[target]

    def create_filter(self):
        if len(self.mine(self.filters)) > 3:
            return
        made = self.ask("create_traffic_mirror_filter", None)["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
        self.filters[made] = Thing(self.caller, dns=False)

    def delete_filter(self):
        tmf = self.some(self.filters, "tmf")
        faults = self.lost(self.filters, tmf)
        if not faults and any(s.filter == tmf for s in self.sessions.values()):
            faults = {"TrafficMirrorFilterInUse"}
        self.ask("delete_traffic_mirror_filter", faults, TrafficMirrorFilterId=tmf)
        if not faults:
            del self.filters[tmf]
            self.rules = {i: r for i, r in self.rules.items() if r.filter != tmf}

    def set_dns(self):
        tmf, add = self.some(self.filters, "tmf"), self.chance(0.5)
        service = self.pick("amazon-dns", "amazon-dns", "amazon-dns", "ntp")
        faults = self.lost(self.filters, tmf) | ({WORST} if service == "ntp" else set())
        self.ask("modify_traffic_mirror_filter_network_services", faults, TrafficMirrorFilterId=tmf,
                 **{"AddNetworkServices" if add else "RemoveNetworkServices": [service]})
        if not faults:
            self.filters[tmf].dns = add

    # ---- rules ----

    def wanted_rule(self):
        """What a rule may be told to be."""
        family = self.pick(CIDRS[:2], CIDRS[:2], CIDRS[2:4], CIDRS)
        protocol = self.pick(6, 17, 1, 256)
        said = {"TrafficDirection": self.pick("ingress", "ingress", "egress"),
                "RuleNumber": self.pick(*range(1, 14), 0, 32767),
                "RuleAction": self.pick("accept", "reject"), "SourceCidrBlock": self.rng.choice(family),
                "DestinationCidrBlock": self.rng.choice(family)}
        if self.chance(0.5):
            said["Protocol"] = protocol
        if self.chance(0.2 + 0.4 * (protocol in (6, 17))):
            first = self.pick(0, 53, 80, 65535)
            said[self.pick("SourcePortRange", "DestinationPortRange")] = {
                "FromPort": first, "ToPort": self.pick(first, first, 80, 70000)}
        if self.chance(0.05):
            said.update(self.pick({"TrafficDirection": "up"}, {"RuleAction": "drop"}))
        return said

    @staticmethod
    def rule_faults(rule):
        """What is wrong with a rule as it would be."""
        faults = set()
        if not 1 <= rule["RuleNumber"] <= 32766 or rule.get("Protocol", 0) > 255:
            faults.add(WORST)
        if rule["TrafficDirection"] == "up" or rule["RuleAction"] == "drop":
            faults.add(WORST)
        ends = [rule["SourceCidrBlock"], rule["DestinationCidrBlock"]]
        if "nonsense" in ends:
            faults.add(WORST)
        elif len({ipaddress.ip_network(e).version for e in ends}) > 1:
            faults.add(COMBINATION)
        for side in ("SourcePortRange", "DestinationPortRange"):
            if side in rule:
                if rule.get("Protocol") not in (6, 17):
                    faults.add(COMBINATION)
                if not rule[side]["FromPort"] <= rule[side]["ToPort"] <= 65535:
                    faults.add(WORST)
        return faults

    def crowd_faults(self, tmf, rule, but=None):
        """What the other rules of the filter say to that."""
        others = [r.said for i, r in self.rules.items() if r.filter == tmf and i != but and
                  r.said["TrafficDirection"] == rule["TrafficDirection"]]
        faults = {"TrafficMirrorFilterRuleLimitExceeded"} if len(others) >= RULES else set()
        if any(o["RuleNumber"] == rule["RuleNumber"] for o in others):
            faults.add("TrafficMirrorFilterRuleAlreadyExists")
        return faults

    def create_rule(self):
        tmf, rule = self.some(self.filters, "tmf"), self.wanted_rule()
        faults = self.lost(self.filters, tmf) | self.rule_faults(rule) | self.crowd_faults(tmf, rule)
        made = self.ask("create_traffic_mirror_filter_rule", faults, TrafficMirrorFilterId=tmf, **rule)
        if made:
            i = made["TrafficMirrorFilterRule"]["TrafficMirrorFilterRuleId"]
            self.rules[i] = Thing(self.caller, filter=tmf, said=rule)

    def modify_rule(self):
        i, wanted = self.some(self.rules, "tmfr"), self.wanted_rule()
        change = {k: v for k, v in wanted.items() if self.chance(0.5)}
        gone = [f for f in ("protocol", "source-port-range", "destination-port-range") if self.chance(0.1)]
        keys = {"protocol": "Protocol", "source-port-range": "SourcePortRange",
                "destination-port-range": "DestinationPortRange"}
        if any(keys[f] in change for f in gone):
            return  # to set what is removed has no meaning that EC2 tells
        faults = self.lost(self.rules, i)
        if not faults:
            rule = {k: v for k, v in self.rules[i].said.items() if k not in [keys[f] for f in gone]}
            rule.update(change)
            faults = self.rule_faults(rule) | self.crowd_faults(self.rules[i].filter, rule, i)
        more = {"RemoveFields": gone} if gone else {}
        self.ask("modify_traffic_mirror_filter_rule", faults, TrafficMirrorFilterRuleId=i, **change, **more)
        if not faults:
            self.rules[i].said = rule

    def delete_rule(self):
        i = self.some(self.rules, "tmfr")
        faults = self.lost(self.rules, i)
        self.ask("delete_traffic_mirror_filter_rule", faults, TrafficMirrorFilterRuleId=i)
        if not faults:
            del self.rules[i]

    # ---- sessions ----

    def session_faults(self, source, target, number, but=None):
        """Of one that would be: copies are not copied, and each source's numbers are different."""
        others = {i: s for i, s in self.sessions.items() if i != but}
        sink = self.targets[target].eni
        faults = set()
        if sink == source or any(self.targets[s.target].eni == source or s.source == sink for s in others.values()):
            faults.add(COMBINATION)
        if not 1 <= number <= 32766 or any(s.source == source and s.number == number for s in others.values()):
            faults.add(WORST)
        return faults

    def create_session(self):
        source, target, tmf = self.some(self.enis, "eni"), self.some(self.targets, "tmt"), self.some(self.filters,
                                                                                                     "tmf")
        number, vni, length = self.pick(1, 2, 3, 4, 5, 0), self.pick(7, 8, 1 << 24), self.pick(None, 100, 0)
        faults = self.lost(self.enis, source) | self.lost(self.targets, target) | self.lost(self.filters, tmf)
        if not faults:
            faults = self.session_faults(source, target, number)
            if sum(s.source == source for s in self.sessions.values()) >= SESSIONS:
                faults.add("TrafficMirrorSessionsPerInterfaceLimitExceeded")
        if vni >> 24 or length == 0:
            faults.add(WORST)
        if not 1 <= number:
            faults.add(WORST)
        more = {} if length is None else {"PacketLength": length}
        made = self.ask("create_traffic_mirror_session", faults, NetworkInterfaceId=source,
                        TrafficMirrorTargetId=target,
                        TrafficMirrorFilterId=tmf, SessionNumber=number, VirtualNetworkId=vni, **more)
        if made:
            self.sessions[made["TrafficMirrorSession"]["TrafficMirrorSessionId"]] = Thing(
                self.caller, source=source, target=target, filter=tmf, number=number, vni=vni, length=length)

    def modify_session(self):
        i = self.some(self.sessions, "tms")
        s = self.sessions.get(i, Thing(None, target=None, filter=None, number=1, length=None))
        target = self.some(self.targets, "tmt") if self.chance(0.5) else None
        tmf = self.some(self.filters, "tmf") if self.chance(0.5) else None
        number = self.pick(1, 2, 3, 4, 5, 0) if self.chance(0.5) else None
        shorten = self.chance(0.2)
        faults = self.lost(self.sessions, i)
        if not faults:
            faults = (self.lost(self.targets, target) if target else set()) | (self.lost(self.filters, tmf) if tmf
                                                                               else set())
        if not faults:
            faults = self.session_faults(s.source, target or s.target, s.number if number is None else number, i)
        if number == 0:
            faults.add(WORST)
        said = {"TrafficMirrorTargetId": target, "TrafficMirrorFilterId": tmf, "SessionNumber": number}
        said = {k: v for k, v in said.items() if v is not None}
        self.ask("modify_traffic_mirror_session", faults, TrafficMirrorSessionId=i, **said,
                 **({"RemoveFields": ["packet-length"]} if shorten else {}))
        if not faults:
            s.target, s.filter, s.number = target or s.target, tmf or s.filter, number or s.number
            s.length = None if shorten else s.length

    def delete_session(self):
        i = self.some(self.sessions, "tms")
        faults = self.lost(self.sessions, i)
        self.ask("delete_traffic_mirror_session", faults, TrafficMirrorSessionId=i)
        if not faults:
            del self.sessions[i]

    # ---- what is told ----

    def compare(self, account):
        ec2 = self.clients[account]
        told = {f["FlowLogId"]: (f["ResourceId"], (f["TrafficType"], f.get("LogGroupName"), f.get("LogDestination"),
                                                   f["MaxAggregationInterval"], f["LogFormat"]))
                for f in ec2.describe_flow_logs()["FlowLogs"]}
        assert told == {i: (x.resource, x.config) for i, x in self.mine(self.logs, account).items()}
        told = {t["TrafficMirrorTargetId"]: (t["NetworkInterfaceId"], t["OwnerId"])
                for t in ec2.describe_traffic_mirror_targets()["TrafficMirrorTargets"]}
        assert told == {i: (t.eni, NAMES[account]) for i, t in self.mine(self.targets, account).items()}
        self.compare_filters(account)
        told = {s["TrafficMirrorSessionId"]: (s["NetworkInterfaceId"], s["TrafficMirrorTargetId"],
                                              s["TrafficMirrorFilterId"],
                                              s["SessionNumber"], s["VirtualNetworkId"], s.get("PacketLength"))
                for s in ec2.describe_traffic_mirror_sessions()["TrafficMirrorSessions"]}
        assert told == {i: (s.source, s.target, s.filter, s.number, s.vni, s.length)
                        for i, s in self.mine(self.sessions, account).items()}

    def compare_filters(self, account):
        filters, rules = {}, {}
        for f in self.clients[account].describe_traffic_mirror_filters()["TrafficMirrorFilters"]:
            filters[f["TrafficMirrorFilterId"]] = f["NetworkServices"]
            for way in ("Ingress", "Egress"):
                shown = f[way + "FilterRules"]
                numbers = [r["RuleNumber"] for r in shown]
                assert numbers == sorted(numbers) and {r["TrafficDirection"] for r in shown} <= {way.lower()}
                for r in shown:
                    rules[r.pop("TrafficMirrorFilterRuleId")] = r
        assert filters == {i: ["amazon-dns"] if f.dns else [] for i, f in self.mine(self.filters, account).items()}
        assert rules == {i: {**r.said, "TrafficMirrorFilterId": r.filter} for i,
                         r in self.mine(self.rules, account).items()}

    def acts(self):
        return [(1, self.create_subnet), (1, self.delete_subnet), (3, self.create_interface),
                (2, self.delete_interface),
                (6, self.create_logs), (2, self.delete_logs), (3, self.create_target), (2, self.delete_target),
                (2, self.create_filter), (1, self.delete_filter), (1, self.set_dns), (8, self.create_rule),
                (4, self.modify_rule), (1, self.delete_rule), (7, self.create_session), (3, self.modify_session),
                (1, self.delete_session)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (_, clients):
        Watch(seed, clients).run(steps(80))
