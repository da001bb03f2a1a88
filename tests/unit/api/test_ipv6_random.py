# SPDX-License-Identifier: Apache-2.0
"""Random requests about IPv6 blocks of VPCs and subnets and the IPv6 addresses of interfaces, of two
accounts, sensible and not, against a plain reference; every describe is compared, and what is refused
changes nothing.

requirement: TOPO-1, NIC-3, OPS-1
"""
import ipaddress

import pytest

from walking import Thing, Walk, two_accounts
from walks import seeds, steps

WORST, COMBINATION, POOL = "InvalidParameterValue", "InvalidParameterCombination", "fd56:6976:3600::/40"


def network(text):
    try:
        return ipaddress.IPv6Network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


class Ipv6(Walk):
    LOST = {"vpc": "InvalidVpcID.NotFound", "subnet": "InvalidSubnetID.NotFound",
            "eni": "InvalidNetworkInterfaceID.NotFound", "vpc-cidr-assoc": "InvalidVpcCidrBlockAssociationID.NotFound",
            "subnet-cidr-assoc": "InvalidSubnetCidrBlockAssociationID.NotFound"}

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.vpcs, self.subnets, self.enis = {}, {}, {}
        for account in (0, 1, 0, 1):
            self.caller = account
            vpc = self.ask("create_vpc", None, CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            self.vpcs[vpc] = Thing(account, block=None, association=None)
        for account in (0, 1):
            self.caller = account
            for vpc in self.mine(self.vpcs):
                self.keep_vpc_block(vpc, self.ask("associate_vpc_cidr_block", None, VpcId=vpc,
                                                  AmazonProvidedIpv6CidrBlock=True))
            for first in [self.create_subnet] * 6 + [self.create_interface] * 4:
                first()

    # ---- blocks of VPCs ----

    def keep_vpc_block(self, vpc, made):
        v, block = self.vpcs[vpc], made["Ipv6CidrBlockAssociation"]
        v.block, v.association = network(block["Ipv6CidrBlock"]), block["AssociationId"]
        assert v.block.prefixlen == 56 and v.block.subnet_of(network(POOL))
        assert not any(x is not v and x.block and x.block.overlaps(v.block) for x in self.vpcs.values())

    def add_vpc_block(self):
        vpc = self.some(self.vpcs, "vpc")
        faults = self.lost(self.vpcs, vpc)
        if not faults and self.vpcs[vpc].block:
            faults = {"CidrLimitExceeded"}
        made = self.ask("associate_vpc_cidr_block", faults, VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
        if made:
            self.keep_vpc_block(vpc, made)

    def drop_vpc_block(self):
        associations = {v.association: v for v in self.vpcs.values() if v.block}
        wanted = self.some(associations, "vpc-cidr-assoc")
        faults = self.lost(associations, wanted)
        if not faults and any(s.block and s.block.subnet_of(associations[wanted].block) for s in self.subnets.values()):
            faults = {"InvalidCidrBlock.InUse"}
        self.ask("disassociate_vpc_cidr_block", faults, AssociationId=wanted)
        if not faults:
            associations[wanted].block = associations[wanted].association = None

    # ---- blocks of subnets ----

    def wanted_block(self, vpc):
        """Text, mostly a /64 of the VPC's."""
        v = self.vpcs.get(vpc)
        if not v or not v.block or self.chance(0.1):
            return self.pick("fd00::/64", "nonsense", "10.0.0.0/24", "2001:db8::/64")
        sixtyfour = v.block.network_address + (self.rng.randrange(6) << 64)
        return "%s/%d" % (sixtyfour, self.pick(64, 64, 64, 64, 64, 60, 65))

    def block_faults(self, vpc, text):
        net = network(text)
        if not net:
            return {WORST}
        v = self.vpcs[vpc]
        if net.prefixlen != 64 or not v.block or not net.subnet_of(v.block):
            return {"InvalidSubnet.Range"}
        taken = any(s.vpc == vpc and s.block == net for s in self.subnets.values())
        return {"InvalidSubnet.Conflict"} if taken else set()

    def create_subnet(self):
        vpc = self.some(self.vpcs, "vpc")
        taken = {s.cidr for s in self.subnets.values() if s.vpc == vpc}
        if len(taken) > 3:
            return
        cidr = next(c for c in (f"10.0.{n}.0/24" for n in range(9)) if c not in taken)
        text = self.wanted_block(vpc) if self.chance(0.7) else None
        faults = self.lost(self.vpcs, vpc)
        if text and (not faults or not network(text)):
            faults = faults | self.block_faults(vpc, text)
        made = self.ask("create_subnet", faults, VpcId=vpc, CidrBlock=cidr, **({"Ipv6CidrBlock": text} if text else {}))
        if made:
            s = made["Subnet"]
            self.subnets[s["SubnetId"]] = kept = Thing(self.caller, vpc=vpc, cidr=cidr, block=None, association=None,
                                                       assign=False)
            for block in s["Ipv6CidrBlockAssociationSet"]:
                kept.block, kept.association = network(block["Ipv6CidrBlock"]), block["AssociationId"]
            assert kept.block == (network(text) if text else None)

    def delete_subnet(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        if not faults and any(i.subnet == subnet for i in self.enis.values()):
            faults = {"DependencyViolation"}
        self.ask("delete_subnet", faults, SubnetId=subnet)
        if not faults:
            del self.subnets[subnet]

    def add_subnet_block(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        text = self.wanted_block(None if faults else self.subnets[subnet].vpc)
        if not faults:
            s = self.subnets[subnet]
            faults = self.block_faults(s.vpc, text) | ({"CidrLimitExceeded"} if s.block else set())
        elif not network(text):
            faults = faults | {WORST}
        made = self.ask("associate_subnet_cidr_block", faults, SubnetId=subnet, Ipv6CidrBlock=text)
        if made:
            s.block, s.association = network(text), made["Ipv6CidrBlockAssociation"]["AssociationId"]

    def drop_subnet_block(self):
        associations = {s.association: i for i, s in self.subnets.items() if s.block}
        wanted = self.rng.choice([*associations] * 6 + ["subnet-cidr-assoc-00000000000000001", "x"])
        subnet = associations.get(wanted)
        faults = set()
        if wanted == "x":
            faults = {"InvalidSubnetCidrBlockAssociationId.Malformed"}
        elif not subnet or self.subnets[subnet].account != self.caller:
            faults = {self.LOST["subnet-cidr-assoc"]}
        elif self.subnets[subnet].assign or any(i.subnet == subnet and i.addresses for i in self.enis.values()):
            faults = {"InvalidCidrBlock.InUse"}
        self.ask("disassociate_subnet_cidr_block", faults, AssociationId=wanted)
        if not faults:
            self.subnets[subnet].block = self.subnets[subnet].association = None

    def modify_subnet(self):
        subnet, assign = self.some(self.subnets, "subnet"), self.chance(0.4)
        faults = self.lost(self.subnets, subnet)
        self.ask("modify_subnet_attribute", faults, SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": assign})
        if not faults:
            self.subnets[subnet].assign = assign

    # ---- addresses ----

    def wanted_addresses(self, subnet):
        """One or two texts, mostly of the subnet's block."""
        s = self.subnets.get(subnet)
        block = s.block if s and s.block else network("fd00::/64")
        offsets = [4, 5, 6, 7, 8, 9, 0x10000, 0, 3, (1 << 64) - 1]
        texts = [str(block.network_address + self.rng.choice(offsets[:7] * 4 + offsets))
                 for _ in range(self.pick(1, 1, 2))]
        if self.chance(0.05):
            texts[0] = self.pick("10.0.0.9", "nonsense", "fd00::1")
        return list(dict.fromkeys(texts))

    def address_faults(self, subnet, texts):
        s, faults = self.subnets[subnet], set()
        for text in texts:
            try:
                offset = int(ipaddress.IPv6Address(text)) - int(s.block.network_address) if s.block else -1
            except ValueError:
                offset = -1
            if not 4 <= offset < (1 << 64) - 1:
                faults.add(WORST)
            elif any(i.subnet == subnet and text in i.addresses for i in self.enis.values()):
                faults.add("InvalidIPAddress.InUse")
        return faults

    def check_new(self, subnet, texts):
        """Addresses that were chosen for somebody."""
        assert not self.address_faults(subnet, texts) and len(set(texts)) == len(texts)

    def create_interface(self):
        subnet, said = self.some(self.subnets, "subnet"), {}
        count, texts = self.pick(None, None, 0, 1, 2), self.wanted_addresses(subnet) if self.chance(0.4) else []
        if texts:
            said["Ipv6Addresses"] = [{"Ipv6Address": t} for t in texts]
        if count is not None and (not texts or count and self.chance(0.2)):
            said["Ipv6AddressCount"] = count
        faults = self.lost(self.subnets, subnet)
        s = self.subnets.get(subnet)
        if not faults:
            faults = self.address_faults(subnet, texts)
            if said.get("Ipv6AddressCount") and not s.block:
                faults.add(WORST)
        if len(said) == 2:
            faults = faults | {COMBINATION}
        made = self.ask("create_network_interface", faults, SubnetId=subnet, **said)
        if not made:
            return
        got = [a["Ipv6Address"] for a in made["NetworkInterface"]["Ipv6Addresses"]]
        if texts:
            assert got == texts
        else:
            assert len(got) == said.get("Ipv6AddressCount", 1 if s.assign and s.block else 0)
            self.check_new(subnet, got)
        self.enis[made["NetworkInterface"]["NetworkInterfaceId"]] = Thing(self.caller, subnet=subnet, addresses=got)

    def delete_interface(self):
        eni = self.some(self.enis, "eni")
        faults = self.lost(self.enis, eni)
        self.ask("delete_network_interface", faults, NetworkInterfaceId=eni)
        if not faults:
            del self.enis[eni]

    def assign(self):
        eni, said = self.some(self.enis, "eni"), {}
        subnet = self.enis[eni].subnet if eni in self.enis else None
        texts = self.wanted_addresses(subnet) if self.chance(0.6) else []
        if texts:
            said["Ipv6Addresses"] = texts
        if not texts and self.chance(0.95) or self.chance(0.1):
            said["Ipv6AddressCount"] = self.pick(1, 2)
        faults = self.lost(self.enis, eni)
        if not faults:
            faults = self.address_faults(subnet, texts)
            if "Ipv6AddressCount" in said and not self.subnets[subnet].block:
                faults.add(WORST)
        if len(said) != 1:
            faults = faults | {COMBINATION if said else "MissingParameter"}
        made = self.ask("assign_ipv6_addresses", faults, NetworkInterfaceId=eni, **said)
        if made:
            got = made["AssignedIpv6Addresses"]
            assert got == texts or not texts and len(got) == said["Ipv6AddressCount"]
            self.check_new(subnet, got)
            self.enis[eni].addresses += got

    def unassign(self):
        eni = self.some(self.enis, "eni")
        i = self.enis.get(eni)
        texts = self.wanted_addresses(i.subnet if i else None)
        if i and i.addresses and self.chance(0.8):
            texts = self.rng.sample(i.addresses, self.rng.randrange(1, 1 + len(i.addresses)))
            texts += ["fd00::9"] if self.chance(0.1) else []
        faults = self.lost(self.enis, eni)
        if not faults and not set(texts) <= set(i.addresses):
            faults = {WORST}
        self.ask("unassign_ipv6_addresses", faults, NetworkInterfaceId=eni, Ipv6Addresses=texts)
        if not faults:
            i.addresses = [a for a in i.addresses if a not in texts]

    # ---- what is told ----

    def compare(self, account):
        ec2 = self.clients[account]

        def block(x):
            return [(b["Ipv6CidrBlock"], b["AssociationId"]) for b in x["Ipv6CidrBlockAssociationSet"]]

        def kept(x):
            return [(str(x.block), x.association)] if x.block else []
        told = {v["VpcId"]: block(v) for v in ec2.describe_vpcs()["Vpcs"]}
        assert told == {i: kept(v) for i, v in self.mine(self.vpcs, account).items()}
        told = {s["SubnetId"]: (s["VpcId"], s["CidrBlock"], block(s), s["AssignIpv6AddressOnCreation"],
                                s["AvailableIpAddressCount"]) for s in ec2.describe_subnets()["Subnets"]}
        assert told == {i: (s.vpc, s.cidr, kept(s), s.assign, 251 - sum(e.subnet == i for e in self.enis.values()))
                        for i, s in self.mine(self.subnets, account).items()}
        told = {i["NetworkInterfaceId"]: (i["SubnetId"], [a["Ipv6Address"] for a in i["Ipv6Addresses"]])
                for i in ec2.describe_network_interfaces()["NetworkInterfaces"]}
        assert told == {i: (e.subnet, e.addresses) for i, e in self.mine(self.enis, account).items()}

    def acts(self):
        return [(2, self.add_vpc_block), (2, self.drop_vpc_block), (4, self.create_subnet), (2, self.delete_subnet),
                (4, self.add_subnet_block), (4, self.drop_subnet_block), (3, self.modify_subnet),
                (6, self.create_interface),
                (3, self.delete_interface), (7, self.assign), (4, self.unassign)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (_, clients):
        Ipv6(seed, clients).run(steps(80))
