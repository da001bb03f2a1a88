# SPDX-License-Identifier: Apache-2.0
"""Random requests about default VPCs and subnets, DHCP options sets, and kept questions about
reachability, of two accounts, sensible and not, against a plain reference; every describe is compared,
and what is refused changes nothing.

requirement: TOPO-1, PKT-8, OPS-1
"""
import ipaddress

import pytest

from walking import Thing, Walk, two_accounts
from walks import seeds, steps

WORST, MISSING, COMBINATION = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
SERVERS = ["10.0.0.8", "10.0.0.9", "192.0.2.53", "AmazonProvidedDNS"]
# Of each option: values that it may have, and how many at once.
OPTIONS = {"domain-name": (["a.example", "b", "x-1.example"], 1), "domain-name-servers": (SERVERS, 4),
           "ntp-servers": (SERVERS[:3], 4), "netbios-name-servers": (SERVERS[:3], 4),
           "netbios-node-type": (["1", "2", "4", "8"], 1)}
BAD_VALUES = ["two words", "", "10.0.0", "224.0.0.1", "0.0.0.0"]


class Defaults(Walk):
    LOST = {"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound",
            "dopt": "InvalidDhcpOptionID.NotFound", "eni": "InvalidNetworkInterfaceID.NotFound",
            "igw": "InvalidInternetGatewayID.NotFound", "nip": "InvalidNetworkInsightsPathId.NotFound",
            "nia": "InvalidNetworkInsightsAnalysisId.NotFound"}

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.vpcs, self.subnets, self.igws, self.options = {}, {}, {}, {}
        self.enis, self.paths, self.analyses = {}, {}, {}
        for self.caller in (0, 1):
            for first in [self.create_vpc, self.create_default_vpc] + [self.create_options] * 3 + \
                    [self.create_interface] * 3:
                first()

    # ---- VPCs ----

    def default_vpc(self, account=None):
        return next((i for i, v in self.mine(self.vpcs, account).items() if v.default), None)

    def create_vpc(self):
        if len(self.mine(self.vpcs)) < 3:
            made = self.ask("create_vpc", None, CidrBlock="172.31.0.0/16")["Vpc"]["VpcId"]
            self.vpcs[made] = Thing(self.caller, default=False, option="default")

    def create_default_vpc(self):
        faults = {"DefaultVpcAlreadyExists"} if self.default_vpc() else set()
        made = self.ask("create_default_vpc", faults)
        if not made:
            return
        vpc = made["Vpc"]["VpcId"]
        assert made["Vpc"]["IsDefault"]
        self.vpcs[vpc] = Thing(self.caller, default=True, option="default")
        here = [{"Name": "vpc-id", "Values": [vpc]}]
        ec2 = self.clients[self.caller]
        for s in ec2.describe_subnets(Filters=here)["Subnets"]:
            self.subnets[s["SubnetId"]] = Thing(self.caller, vpc=vpc, cidr=s["CidrBlock"], zone=s["AvailabilityZone"],
                                                default=True)
        assert sorted(s.zone for s in self.subnets.values() if s.vpc == vpc) == ZONES
        igw, = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id",
                                                        "Values": [vpc]}])["InternetGateways"]
        self.igws[igw["InternetGatewayId"]] = Thing(self.caller, vpc=vpc)

    def delete_vpc(self):
        vpc = self.some(self.vpcs, "vpc")
        faults = self.lost(self.vpcs, vpc)
        if not faults and any(x.vpc == vpc for x in [*self.subnets.values(), *self.igws.values()]):
            faults = {"DependencyViolation"}
        self.ask("delete_vpc", faults, VpcId=vpc)
        if not faults:
            del self.vpcs[vpc]

    def empty_vpc(self):
        """The gateway of a default VPC goes, and with luck its subnets."""
        for igw, g in list(self.mine(self.igws).items()):
            self.ask("detach_internet_gateway", None, InternetGatewayId=igw, VpcId=g.vpc)
            self.ask("delete_internet_gateway", None, InternetGatewayId=igw)
            del self.igws[igw]
        for subnet in list(self.mine(self.subnets)):
            if not any(e.subnet == subnet for e in self.enis.values()):
                self.ask("delete_subnet", None, SubnetId=subnet)
                del self.subnets[subnet]
        self.delete_vpc()

    # ---- subnets ----

    def create_default_subnet(self):
        zone, vpc, faults = self.pick(*ZONES * 3, "mars-1a"), self.default_vpc(), set()
        if zone not in ZONES:
            faults.add(WORST)
        if not vpc:
            faults.add("DefaultVpcDoesNotExist")
        elif any(s.vpc == vpc and s.default and s.zone == zone for s in self.subnets.values()):
            faults.add("DefaultSubnetAlreadyExistsInAvailabilityZone")
        made = self.ask("create_default_subnet", faults, AvailabilityZone=zone)
        if made:
            s = made["Subnet"]
            net = ipaddress.IPv4Network(s["CidrBlock"])
            assert net.prefixlen == 20 and s["MapPublicIpOnLaunch"] and s["VpcId"] == vpc
            assert not any(x.vpc == vpc and net.overlaps(ipaddress.IPv4Network(x.cidr)) for x in self.subnets.values())
            self.subnets[s["SubnetId"]] = Thing(self.caller, vpc=vpc, cidr=str(net), zone=zone, default=True)

    def create_subnet(self):
        """Also in the way of a default one."""
        vpc, cidr = self.some(self.vpcs, "vpc"), "172.31.%d.0/24" % self.pick(0, 16, 17, 32, 48, 64, 80)
        faults = self.lost(self.vpcs, vpc)
        net = ipaddress.IPv4Network(cidr)
        if not faults and any(s.vpc == vpc and net.overlaps(ipaddress.IPv4Network(s.cidr))
                              for s in self.subnets.values()):
            faults = {"InvalidSubnet.Conflict"}
        zone = self.pick(*ZONES)
        made = self.ask("create_subnet", faults, VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
        if made:
            self.subnets[made["Subnet"]["SubnetId"]] = Thing(self.caller, vpc=vpc, cidr=cidr, zone=zone, default=False)

    def delete_subnet(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        if not faults and any(e.subnet == subnet for e in self.enis.values()):
            faults = {"DependencyViolation"}
        self.ask("delete_subnet", faults, SubnetId=subnet)
        if not faults:
            del self.subnets[subnet]

    # ---- DHCP options ----

    def create_options(self):
        said, faults = {}, set()
        for key in self.rng.sample(list(OPTIONS), self.rng.randrange(1, 4)):
            values, most = OPTIONS[key]
            said[key] = self.rng.sample(values, self.rng.randrange(1, min(most, len(values)) + 1))
        key = self.rng.choice(list(said))
        if self.chance(0.15):
            said[key] = [self.rng.choice(BAD_VALUES[:2] if key == "domain-name" else BAD_VALUES)]
            faults = {WORST}
        elif self.chance(0.1):
            said[key], faults = OPTIONS[key][0] * 3, {WORST}
        elif self.chance(0.1):
            said["colour"], faults = ["red"], {WORST}
        made = self.ask("create_dhcp_options", faults, DhcpConfigurations=[{"Key": k, "Values": v} for k,
                                                                           v in said.items()])
        if made:
            self.options[made["DhcpOptions"]["DhcpOptionsId"]] = Thing(self.caller, said=said)

    def use_options(self):
        option, vpc = self.some(self.options, "dopt"), self.some(self.vpcs, "vpc")
        option = "default" if self.chance(0.2) else option
        faults = self.lost(self.vpcs, vpc) | (set() if option == "default" else self.lost(self.options, option))
        self.ask("associate_dhcp_options", faults, DhcpOptionsId=option, VpcId=vpc)
        if not faults:
            self.vpcs[vpc].option = option

    def delete_options(self):
        option = self.some(self.options, "dopt")
        faults = self.lost(self.options, option)
        if not faults and any(v.option == option for v in self.vpcs.values()):
            faults = {"DependencyViolation"}
        if self.chance(0.05):
            option, faults = "default", {"InvalidDhcpOptionsId.Malformed"}
        self.ask("delete_dhcp_options", faults, DhcpOptionsId=option)
        if not faults:
            del self.options[option]

    # ---- questions ----

    def create_interface(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        made = self.ask("create_network_interface", faults, SubnetId=subnet)
        if made:
            i = made["NetworkInterface"]
            self.enis[i["NetworkInterfaceId"]] = Thing(self.caller, subnet=subnet, address=i["PrivateIpAddress"])

    def delete_interface(self):
        eni = self.some(self.enis, "eni")
        faults = self.lost(self.enis, eni)
        self.ask("delete_network_interface", faults, NetworkInterfaceId=eni)
        if not faults:
            del self.enis[eni]

    def create_path(self):
        a, b = self.some(self.enis, "eni"), self.some(self.enis, "eni")
        said = {"Source": a, "Destination": b, "Protocol": self.pick("tcp", "udp", "tcp", "icmp"),
                "DestinationPort": self.pick(1, 80, 65535, 80, 80, 0, 65536)}
        if self.chance(0.2):
            del said["DestinationPort"]  # any
        if self.chance(0.25):
            return self.create_path_to_an_address(said)
        faults = self.lost(self.enis, a, b)
        if a == b:
            faults = faults | {COMBINATION}
        if said["Protocol"] == "icmp" or not 1 <= said.get("DestinationPort", 1) <= 65535:
            faults = faults | {WORST}
        if self.chance(0.2):
            ours = self.enis[a].address if a in self.enis else "10.0.0.1"
            said["SourceIp"] = self.pick(ours, ours, "nonsense")
            faults = faults | ({WORST} if said["SourceIp"] == "nonsense" else set())
        made = self.ask("create_network_insights_path", faults, **said)
        if made:
            self.paths[made["NetworkInsightsPath"]["NetworkInsightsPathId"]] = Thing(self.caller, said=said)

    def create_path_to_an_address(self, said):
        """Of an interface, whoever's it is now, of nobody, or none."""
        to = said.pop("Destination")
        faults = self.lost(self.enis, said["Source"])
        said["DestinationIp"] = self.pick(self.enis[to].address if to in self.enis else "10.0.0.1", "10.99.0.9",
                                          "2001:db8::1", "10.0.0")
        if said["Protocol"] == "icmp" or not 1 <= said.get("DestinationPort", 1) <= 65535 or said[
                "DestinationIp"] == "10.0.0":
            faults = faults | {WORST}
        if self.chance(0.1):
            del said["DestinationIp"]
            faults = faults | {"MissingParameter"}
        made = self.ask("create_network_insights_path", faults, **said)
        if made:
            self.paths[made["NetworkInsightsPath"]["NetworkInsightsPathId"]] = Thing(self.caller, said=said)

    def delete_path(self):
        path = self.some(self.paths, "nip")
        faults = self.lost(self.paths, path)
        if not faults and any(a.path == path for a in self.analyses.values()):
            faults = {"AnalysisExistsForNetworkInsightsPath"}
        self.ask("delete_network_insights_path", faults, NetworkInsightsPathId=path)
        if not faults:
            del self.paths[path]

    def start_analysis(self):
        path = self.some(self.paths, "nip")
        faults = self.lost(self.paths, path)
        said = None if faults else self.paths[path].said
        if said and not {said[end] for end in ("Source", "Destination") if end in said} <= self.enis.keys():
            faults = {WORST}
        elif said and "Destination" not in said and (
                said["DestinationIp"] == self.enis[said["Source"]].address or ":" in said["DestinationIp"]):
            faults = {WORST}  # it is the source's own; or the source has none of that family
        made = self.ask("start_network_insights_analysis", faults, NetworkInsightsPathId=path)
        if made:
            a = made["NetworkInsightsAnalysis"]
            assert a["Status"] == "succeeded" and not a["NetworkPathFound"]  # nothing is attached
            self.analyses[a["NetworkInsightsAnalysisId"]] = Thing(self.caller, path=path)

    def delete_analysis(self):
        analysis = self.some(self.analyses, "nia")
        faults = self.lost(self.analyses, analysis)
        self.ask("delete_network_insights_analysis", faults, NetworkInsightsAnalysisId=analysis)
        if not faults:
            del self.analyses[analysis]

    def describe_analyses(self):
        """Those of one path."""
        path = self.some(self.paths, "nip")
        faults = self.lost(self.paths, path)
        told = self.ask("describe_network_insights_analyses", faults, NetworkInsightsPathId=path)
        if told:
            assert {a["NetworkInsightsAnalysisId"] for a in told["NetworkInsightsAnalyses"]} == {
                i for i, a in self.analyses.items() if a.path == path}

    # ---- what is told ----

    def compare(self, account):
        ec2 = self.clients[account]
        told = {v["VpcId"]: (v["IsDefault"], v["DhcpOptionsId"]) for v in ec2.describe_vpcs()["Vpcs"]}
        assert told == {i: (v.default, v.option) for i, v in self.mine(self.vpcs, account).items()}
        attribute, = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"]
        assert attribute["AttributeValues"][0]["AttributeValue"] == (self.default_vpc(account) or "none")
        told = {s["SubnetId"]: (s["VpcId"], s["CidrBlock"], s["AvailabilityZone"], s["DefaultForAz"])
                for s in ec2.describe_subnets()["Subnets"]}
        assert told == {i: (s.vpc, s.cidr, s.zone, s.default) for i, s in self.mine(self.subnets, account).items()}
        told = {d["DhcpOptionsId"]: {o["Key"]: [v["Value"] for v in o["Values"]] for o in d["DhcpConfigurations"]}
                for d in ec2.describe_dhcp_options()["DhcpOptions"]}
        assert told.pop("default")["domain-name-servers"] == ["AmazonProvidedDNS"]
        assert told == {i: d.said for i, d in self.mine(self.options, account).items()}
        asked = ("Source", "Destination", "Protocol", "DestinationPort", "SourceIp", "DestinationIp")
        told = {p["NetworkInsightsPathId"]: {k: p[k] for k in asked if k in p}
                for p in ec2.describe_network_insights_paths()["NetworkInsightsPaths"]}
        assert told == {i: p.said for i, p in self.mine(self.paths, account).items()}
        told = {a["NetworkInsightsAnalysisId"]: a["NetworkInsightsPathId"]
                for a in ec2.describe_network_insights_analyses()["NetworkInsightsAnalyses"]}
        assert told == {i: a.path for i, a in self.mine(self.analyses, account).items()}

    def acts(self):
        return [(2, self.create_vpc), (3, self.create_default_vpc), (2, self.delete_vpc), (2, self.empty_vpc),
                (5, self.create_default_subnet), (4, self.create_subnet), (4, self.delete_subnet),
                (4, self.create_options),
                (4, self.use_options), (4, self.delete_options), (4, self.create_interface), (3, self.delete_interface),
                (7, self.create_path), (2, self.delete_path), (5, self.start_analysis), (2, self.delete_analysis),
                (2, self.describe_analyses)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (_, clients):
        Defaults(seed, clients).run(steps(80))
