# SPDX-License-Identifier: Apache-2.0
"""Random requests about what two accounts may do with each other's interfaces (permissions,
attachments, public addresses) and about placement groups, sensible and not, against a plain reference;
every describe is compared, and what is refused changes nothing.

requirement: NIC-1, NEG-10, OPS-1
"""
import pytest

from conftest import operator
from walking import NAMES, Thing, Walk, two_accounts
from walks import seeds, steps

WORST, COMBINATION, ATTACHABLE = "InvalidParameterValue", "InvalidParameterCombination", 2
ATTACH, ASSOCIATE = "INSTANCE-ATTACH", "EIP-ASSOCIATE"
ZONE = "us-east-1a"
UNKNOWN, COUNTS = "InvalidPlacementGroup.Unknown", {"partition": 2}


class Rights(Walk):
    LOST = {"subnet": "InvalidSubnetID.NotFound", "eni": "InvalidNetworkInterfaceID.NotFound",
            "i": "InvalidInstanceID.NotFound", "eni-perm": "InvalidPermissionID.NotFound",
            "eni-attach": "InvalidAttachmentID.NotFound", "eipalloc": "InvalidAllocationID.NotFound",
            "eipassoc": "InvalidAssociationID.NotFound"}

    def __init__(self, seed, clients):
        super().__init__(seed, clients)
        self.enis, self.instances, self.subnets = {}, {}, {}
        self.permissions, self.addresses = {}, {}
        self.groups = {}  # {(account, name): Thing}
        for account in (0, 1):
            self.caller = account
            vpc = self.ask("create_vpc", None, CidrBlock=f"10.{account}.0.0/16")["Vpc"]["VpcId"]
            gateway = self.ask("create_internet_gateway", None)["InternetGateway"]["InternetGatewayId"]
            self.ask("attach_internet_gateway", None, VpcId=vpc, InternetGatewayId=gateway)
            subnet = self.ask("create_subnet", None, VpcId=vpc, CidrBlock=f"10.{account}.1.0/24", AvailabilityZone=ZONE)
            self.subnets[subnet["Subnet"]["SubnetId"]] = Thing(account)
            for first in [self.create_interface] * 3 + [self.run_instance] * 2 + [self.allocate] * 2 + \
                    [self.create_group] * 3:
                first()

    # ---- interfaces ----

    def create_interface(self):
        subnet = self.some(self.subnets, "subnet")
        faults = self.lost(self.subnets, subnet)
        made = self.ask("create_network_interface", faults, SubnetId=subnet, TagSpecifications=[
            {"ResourceType": "network-interface", "Tags": [{"Key": "k", "Value": "v"}]}])
        if made:
            self.enis[made["NetworkInterface"]["NetworkInterfaceId"]] = Thing(self.caller, at=None, index=None,
                                                                              ends=False)

    def granted(self, eni, what=None):
        return any(p.eni == eni and p.to == self.caller and what in (None, p.what) for p in self.permissions.values())

    def sees(self, eni):
        i = self.enis.get(eni)
        return i and (i.account == self.caller or self.granted(eni) or
                      bool(i.at) and self.instances[i.at].account == self.caller)

    def may(self, eni, what):
        """What is wrong with doing that: to whom has no right at all the interface does not exist."""
        if not self.sees(eni):
            return {self.LOST["eni"]}
        if self.enis[eni].account == self.caller or what and self.granted(eni, what):
            return set()
        return {"AuthFailure"}

    def any_interface(self):
        """Own, or another's."""
        return self.some(self.enis, "eni", 0.5)

    def delete_interface(self):
        eni = self.any_interface()
        faults = self.may(eni, None)
        if not faults and self.enis[eni].at:
            faults = {"InvalidNetworkInterface.InUse"}
        self.ask("delete_network_interface", faults, NetworkInterfaceId=eni)
        if not faults:
            self.forget_interface(eni)

    def forget_interface(self, eni):
        del self.enis[eni]
        self.permissions = {i: p for i, p in self.permissions.items() if p.eni != eni}
        for a in self.addresses.values():
            if a.eni == eni:
                a.eni = a.association = None

    def describe_one(self):
        eni = self.any_interface()
        faults = set() if self.sees(eni) else {self.LOST["eni"]}
        told = self.ask("describe_network_interfaces", faults, NetworkInterfaceIds=[eni])
        if not told:
            return
        e, (shown,) = self.enis[eni], told["NetworkInterfaces"]
        own = e.account == self.caller and not e.ends  # tags are nobody else's to see, nor to look for
        assert (shown["OwnerId"], bool(shown["TagSet"])) == (NAMES[e.account], own)
        told = self.ask("describe_network_interfaces", None, NetworkInterfaceIds=[eni],
                        Filters=[{"Name": "tag:k", "Values": ["v"]}])
        assert len(told["NetworkInterfaces"]) == own

    # ---- permissions ----

    def permit(self):
        eni, to = self.any_interface(), self.pick(0, 1, 1 - self.caller, 1 - self.caller)
        what = self.pick(ATTACH, ATTACH, ASSOCIATE, ASSOCIATE, "ALL")
        account = self.pick(*[NAMES[to]] * 9, "333333333333")
        faults = self.may(eni, None)
        if not faults and what == "ALL":
            faults.add(WORST)
        if account not in NAMES:
            faults.add("InvalidAccountID.NotFound")
        made = self.ask("create_network_interface_permission", faults, NetworkInterfaceId=eni, AwsAccountId=account,
                        Permission=what)
        if made:
            i = made["InterfacePermission"]["NetworkInterfacePermissionId"]
            same = [k for k, p in self.permissions.items() if (p.eni, p.to, p.what) == (eni, to, what)]
            assert same in ([], [i]), "what is permitted already is so once"
            self.permissions[i] = Thing(self.caller, eni=eni, to=to, what=what)

    def forbid(self):
        i, force = self.some(self.permissions, "eni-perm", 0.6), self.chance(0.4)
        p = self.permissions.get(i)
        faults = set()
        if not p or self.caller not in (p.account, p.to):
            faults = {self.LOST["eni-perm"]}
        elif p.account != self.caller:
            faults = {"UnauthorizedOperation"}
        elif not force and p.what == ATTACH and self.holder(p.eni) == p.to:
            faults = {"OperationNotPermitted"}
        self.ask("delete_network_interface_permission", faults, NetworkInterfacePermissionId=i, Force=force)
        if not faults:
            del self.permissions[i]

    def holder(self, eni):
        """The account whose instance it is attached to."""
        at = self.enis[eni].at
        return self.instances[at].account if at else None

    # ---- attachments ----

    def attach(self):
        eni, instance, index = self.any_interface(), self.some(self.instances, "i"), self.pick(0, 1, 1, 1, 2)
        faults = self.may(eni, ATTACH) | self.lost(self.instances, instance)
        if not faults:
            n = self.instances[instance]
            taken = [e.index for e in self.enis.values() if e.at == instance]
            if self.enis[eni].at:
                faults.add("InvalidNetworkInterface.InUse")
            if n.state == "terminated":
                faults.add("IncorrectState")
            if index in taken:
                faults.add(WORST)
            if index >= ATTACHABLE or len(taken) >= ATTACHABLE:
                faults.add("AttachmentLimitExceeded")
        made = self.ask("attach_network_interface", faults, NetworkInterfaceId=eni, InstanceId=instance,
                        DeviceIndex=index)
        if made:
            e = self.enis[eni]
            e.at, e.index, e.attachment = instance, index, made["AttachmentId"]

    def detach(self):
        attached = {e.attachment: i for i, e in self.enis.items() if e.at and e.index}
        attachment = self.rng.choice([*attached, "eni-attach-00000000000000001"])
        eni = attached.get(attachment)
        if not eni or not self.sees(eni):
            faults = {self.LOST["eni-attach"]}
        else:
            faults = set() if self.holder(eni) == self.caller else self.may(eni, ATTACH)
        self.ask("detach_network_interface", faults, AttachmentId=attachment)
        if not faults:
            self.enis[eni].at = None

    # ---- public addresses ----

    def allocate(self):
        if len(self.mine(self.addresses)) < 3:
            made = self.ask("allocate_address", None, Domain="vpc")["AllocationId"]
            self.addresses[made] = Thing(self.caller, eni=None, association=None)

    def release(self):
        allocation = self.some(self.addresses, "eipalloc")
        faults = self.lost(self.addresses, allocation)
        if not faults and self.addresses[allocation].eni:
            faults = {"InvalidIPAddress.InUse"}
        self.ask("release_address", faults, AllocationId=allocation)
        if not faults:
            del self.addresses[allocation]

    def associate(self):
        allocation, eni, again = self.some(self.addresses, "eipalloc"), self.any_interface(), self.chance(0.5)
        faults = self.lost(self.addresses, allocation) | self.may(eni, ASSOCIATE)
        if not faults and not again:
            other = [i for i, a in self.addresses.items() if a.eni == eni and i != allocation]
            if other or self.addresses[allocation].eni not in (None, eni):
                faults = {"Resource.AlreadyAssociated"}
        made = self.ask("associate_address", faults, AllocationId=allocation, NetworkInterfaceId=eni,
                        AllowReassociation=again)
        if not made:
            return
        for a in self.addresses.values():
            if a.eni == eni:
                a.eni = a.association = None
        self.addresses[allocation].eni, self.addresses[allocation].association = eni, made["AssociationId"]

    def disassociate(self):
        associations = {a.association: a for a in self.addresses.values() if a.eni}
        wanted = self.rng.choice([*associations, "eipassoc-00000000000000001"])
        a = associations.get(wanted)
        faults = set() if a and a.account == self.caller else {self.LOST["eipassoc"]}
        self.ask("disassociate_address", faults, AssociationId=wanted)
        if not faults:
            a.eni = a.association = None

    # ---- instances and placement groups ----

    def some_group(self):
        """The name of one, mostly the caller's own."""
        mine = [name for account, name in self.groups if account == self.caller]
        return self.rng.choice(mine) if mine and self.chance(0.9) else self.pick("g1", "g2", "g3", "g4", "g5", "none")

    def run_instance(self):
        if sum(n.state != "terminated" for n in self.mine(self.instances).values()) > 4:
            return
        subnet, place, faults = self.some(self.subnets, "subnet"), {}, set()
        group = None
        if self.chance(0.5):
            group = self.groups.get((self.caller, place.setdefault("GroupName", self.some_group())))
            faults = set() if group else {UNKNOWN}
            if group and group.strategy != "cluster":
                return  # may lack hosts, which is another file's
            if group and self.chance(0.2):
                place["PartitionNumber"], faults = 1, {COMBINATION}
        faults = faults | self.lost(self.subnets, subnet)
        made = self.ask("run_instances", faults, MinCount=1, MaxCount=1, SubnetId=subnet,
                        **({"Placement": place} if place else {}))
        if not made:
            return
        i, = made["Instances"]
        self.instances[i["InstanceId"]] = Thing(self.caller, state="running", group=place.get("GroupName", ""),
                                                partition=None)
        nic, = i["NetworkInterfaces"]
        self.enis[nic["NetworkInterfaceId"]] = Thing(self.caller, at=i["InstanceId"], index=0, ends=True,
                                                     attachment=nic["Attachment"]["AttachmentId"])

    def stop(self):
        instance = self.some(self.instances, "i")
        faults = self.lost(self.instances, instance)
        if not faults and self.instances[instance].state == "terminated":
            faults = {"IncorrectInstanceState"}
        self.ask("stop_instances", faults, InstanceIds=[instance])
        if not faults:
            self.instances[instance].state = "stopped"

    def terminate(self):
        instance = self.some(self.instances, "i")
        faults = self.lost(self.instances, instance)
        self.ask("terminate_instances", faults, InstanceIds=[instance])
        if faults or self.instances[instance].state == "terminated":
            return
        n = self.instances[instance]
        n.state = "terminated"
        for eni, e in list(self.enis.items()):
            if e.at == instance:
                e.at = None
                if e.ends:
                    self.forget_interface(eni)

    def move_instance(self):
        """Into a group, or a partition, or out."""
        instance, said = self.some(self.instances, "i"), {}
        n = self.instances.get(instance)
        if self.chance(0.8):
            said["GroupName"] = self.pick(self.some_group(), self.some_group(), "")
        if self.chance(0.4):
            said["PartitionNumber"] = self.pick(0, 1, 2, 3)
        faults = self.lost(self.instances, instance)
        if not faults and n.state != "stopped":
            faults = {"IncorrectInstanceState"}
        if not said:
            faults = faults | {"MissingParameter"}
        if not faults:
            name = said.get("GroupName", n.group)
            g = self.groups.get((self.caller, name))
            if name and not g:
                faults.add(UNKNOWN)
            elif "PartitionNumber" in said and (not g or g.strategy != "partition"):
                faults.add(COMBINATION)
            elif "PartitionNumber" in said and not 1 <= said["PartitionNumber"] <= g.partitions:
                faults.add(WORST)
        self.ask("modify_instance_placement", faults, InstanceId=instance, **said)
        if not faults:
            n.group, n.partition = name, said.get("PartitionNumber")

    def create_group(self):
        name, strategy = self.pick("g1", "g2", "g3", "g4", "g5"), self.pick(None, "cluster", "cluster", "spread",
                                                                            "partition", "heap")
        count = self.pick(None, None, None, 1, 7, 8, 0) if self.chance(0.7) else None
        level = self.pick("rack", "host", "floor") if self.chance(0.2) else None
        faults = {"InvalidPlacementGroup.Duplicate"} if (self.caller, name) in self.groups else set()
        if strategy == "heap" or level == "floor":
            faults.add(WORST)
        if count is not None and strategy != "partition" or level and strategy != "spread":
            faults.add(COMBINATION)
        if count is not None and not 1 <= count <= 7:
            faults.add(WORST)
        said = {"Strategy": strategy, "PartitionCount": count, "SpreadLevel": level}
        made = self.ask("create_placement_group", faults, GroupName=name,
                        **{k: v for k, v in said.items() if v is not None})
        if made:
            strategy = strategy or "cluster"
            self.groups[self.caller, name] = Thing(
                self.caller, strategy=strategy, partitions=(count or COUNTS[strategy]) if strategy == "partition"
                else None,
                level=(level or "rack") if strategy == "spread" else None)

    def delete_group(self):
        name, faults = self.some_group(), set()
        if (self.caller, name) not in self.groups:
            faults = {UNKNOWN}
        elif any(n.group == name and n.state != "terminated" for n in self.mine(self.instances).values()):
            faults = {"InvalidPlacementGroup.InUse"}
        self.ask("delete_placement_group", faults, GroupName=name)
        if not faults:
            del self.groups[self.caller, name]

    # ---- what is told ----

    def compare(self, account):
        ec2 = self.clients[account]
        told = {i["NetworkInterfaceId"]: (i.get("Attachment", {}).get("InstanceId"),
                                          i.get("Attachment", {}).get("InstanceOwnerId"),
                                          i.get("Association", {}).get("AllocationId"))
                for i in ec2.describe_network_interfaces()["NetworkInterfaces"]}
        public = {a.eni: i for i, a in self.addresses.items()}
        assert told == {i: (e.at, NAMES[self.holder(i)] if e.at else None, public.get(i))
                        for i, e in self.mine(self.enis, account).items()}
        told = {p["NetworkInterfacePermissionId"]: (p["NetworkInterfaceId"], p["AwsAccountId"], p["Permission"])
                for p in ec2.describe_network_interface_permissions()["NetworkInterfacePermissions"]}
        assert told == {i: (p.eni, NAMES[p.to], p.what) for i, p in self.mine(self.permissions, account).items()}
        told = {a["AllocationId"]: (a.get("NetworkInterfaceId"), a.get("AssociationId"))
                for a in ec2.describe_addresses()["Addresses"]}
        assert told == {i: (a.eni, a.association) for i, a in self.mine(self.addresses, account).items()}
        told = {g["GroupName"]: (g["Strategy"], g.get("PartitionCount"), g.get("SpreadLevel"))
                for g in ec2.describe_placement_groups()["PlacementGroups"]}
        assert told == {name: (g.strategy, g.partitions, g.level) for (a, name), g in self.groups.items()
                        if a == account}
        told = {}
        for r in ec2.describe_instances()["Reservations"]:
            for i in r["Instances"]:
                told[i["InstanceId"]] = (i["State"]["Name"], i["Placement"]["GroupName"],
                                         i["Placement"].get("PartitionNumber"),
                                         {n["NetworkInterfaceId"] for n in i["NetworkInterfaces"]})
        for i, n in self.mine(self.instances, account).items():
            expected = n.state, n.group, n.partition, {e for e, x in self.enis.items() if x.at == i}
            shown = told.pop(i)
            assert shown == expected or n.state == "terminated" and (shown[0], shown[3]) == ("terminated", set())
        assert not told

    def acts(self):
        return [(2, self.create_interface), (2, self.delete_interface), (2, self.describe_one), (6, self.permit),
                (3, self.forbid), (7, self.attach), (3, self.detach), (1, self.allocate), (1, self.release),
                (6, self.associate), (2, self.disassociate), (3, self.run_instance), (2, self.stop),
                (2, self.terminate),
                (4, self.move_instance), (3, self.create_group), (2, self.delete_group)]


@pytest.mark.parametrize("seed", seeds(1))
def test_random_requests(seed):
    with two_accounts() as (endpoint, clients):
        operator(endpoint, "POST", "/v1/hosts", {"name": "e1", "v6": "fd00::e1", "edge": True})
        operator(endpoint, "POST", "/v1/pools", {"cidr": "198.51.100.0/28"})
        Rights(seed, clients).run(steps(80))
