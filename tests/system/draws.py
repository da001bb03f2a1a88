# SPDX-License-Identifier: Apache-2.0
"""What of a world (worlds.py) is random: rules, routes, addresses, the state of nodes, what hosts use between them."""
import json

from questions import PORTS
from worlds import ANY4, ANY6, FORWARDERS, MORE, WORLD_BLOCK

FORMATS = {"ipv6": ["siit/1", "siit/2", "vxlan"] * 4 + ["geneve", "reip4"],
           "ipv4": ["vxlan", "reip4"] * 5 + ["siit", "geneve"]}
FRAMEWORKS = ["siit", "ipip6", "vxlan", "reip4", "geneve"]
FORBIDDEN = {"ipv6": [["siit/2"], ["ipip6"], ["siit"], ["vxlan", "ipip6"]],
             "ipv4": [["vxlan"], ["reip4"], ["vxlan", "siit"]]}
FEATURES = [["crypt"], ["crypt/1"], ["integrity"], ["lz4"], ["crypt", "lz4"], ["rate"], ["crypt/2", "rate"]]
RATE = {"mbit": 2000, "burst_kib": 1024}
LISTS = {"offices": ["10.50.0.0/16", "10.50.1.0/24"], "some": ["10.40.1.0/24", "10.50.1.0/24", "10.41.1.0/24", WORLD_BLOCK]}


class Draw:
    """Changes all that is random of 'net'; what was drawn last is in 'policies' and 'apart'."""

    def __init__(self, net, substrate):
        self.net, self.lab, self.ec2, self.substrate = net, net.lab, net.ec2, substrate
        self.policies, self.apart, self.conditions, self.environments = [], None, {}, {}
        self.listed = {name: [] for name in net.lists}

    def shuffle(self, dice):
        net = self.net
        self.favoured = dice.choice(["near", "far", "annex", None, None])  # in by the private NAT gateway, if rules let it
        self.shuffle_lists(dice)
        self.shuffle_groups(dice)
        for acl in net.acls.values():
            self.shuffle_acl(dice, acl)
        self.shuffle_routes(dice)
        self.shuffle_public(dice)
        self.shuffle_forwards(dice, self.net.nat, self.net.forwards, self.translated)
        self.shuffle_forwards(dice, self.net.private_nat, self.net.inner_forwards, self.hidden)
        self.shuffle_nodes(dice)
        self.shuffle_policies(dice)

    def shuffle_lists(self, dice):
        blocks6 = {name: [b[1] for n, b in self.net.blocks.items() if n in names] for name, names in (
            ("offices6", ("office",)), ("some6", ("near", "far", "annex", "office")))}
        for name, blocks in {**LISTS, **blocks6}.items():
            wanted = dice.sample(blocks, dice.randint(1, min(3, len(blocks))))
            add = [b for b in wanted if b not in self.listed[name]]
            remove = [b for b in self.listed[name] if b not in wanted]
            if not add and not remove:
                continue
            version = self.ec2.describe_managed_prefix_lists(
                PrefixListIds=[self.net.lists[name]])["PrefixLists"][0]["Version"]
            self.ec2.modify_managed_prefix_list(
                PrefixListId=self.net.lists[name], CurrentVersion=version, AddEntries=[{"Cidr": b} for b in add],
                RemoveEntries=[{"Cidr": b} for b in remove])
            self.listed[name] = wanted

    def shuffle_groups(self, dice):
        for name, g in self.net.groups.items():
            now = self.ec2.describe_security_groups(GroupIds=[g])["SecurityGroups"][0]
            if now["IpPermissions"]:
                self.ec2.revoke_security_group_ingress(GroupId=g, IpPermissions=now["IpPermissions"])
            if now["IpPermissionsEgress"]:
                self.ec2.revoke_security_group_egress(GroupId=g, IpPermissions=now["IpPermissionsEgress"])
            for authorize in (self.ec2.authorize_security_group_ingress, self.ec2.authorize_security_group_egress):
                rules = [self.rule(dice, name) for _ in range(dice.randint(0, 5))]
                if dice.random() < (0.9 if name == "grey" or self.favoured else 0.6):
                    rules = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANY4}], "Ipv6Ranges": [{"CidrIpv6": ANY6}]}]
                unique = list({json.dumps(r, sort_keys=True): r for r in rules}.values())
                if unique:
                    authorize(GroupId=g, IpPermissions=unique)

    def rule(self, dice, owner):
        ports = dice.choice([(0, 65535), (80, 80), (443, 5432), (22, 80)])
        rule = {"IpProtocol": dice.choice(["tcp", "tcp", "udp"]), "FromPort": ports[0], "ToPort": ports[1]}
        if dice.random() < 0.2:
            rule = {"IpProtocol": "-1"}
        kind = dice.choice(["group", "group", "block", "block", "block6", "list"])
        if kind == "group":
            near = [g for n, g in self.net.groups.items() if (n == "blue") == (owner == "blue")] * 2
            rule["UserIdGroupPairs"] = [{"GroupId": dice.choice([*near, *self.net.groups.values()])}]
        elif kind == "block6":
            rule["Ipv6Ranges"] = [{"CidrIpv6": dice.choice([ANY6, *(b[1] for b in self.net.blocks.values())])}]
        elif kind == "list":
            rule["PrefixListIds"] = [{"PrefixListId": dice.choice(list(self.net.lists.values()))}]
        else:
            rule["IpRanges"] = [{"CidrIp": dice.choice([ANY4, "10.40.0.0/16", "10.40.1.0/24", "10.50.1.0/24",
                                                        "10.40.2.0/23", MORE])}]
        return rule

    def shuffle_acl(self, dice, acl):
        now = self.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]
        for entry in now["Entries"]:
            if entry["RuleNumber"] < 32767:
                self.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=entry["RuleNumber"],
                                                  Egress=entry["Egress"])
        for egress in (True, False):
            for number in range(10, 10 * dice.choice([1, 1, 2, 3]), 10):
                ports = dice.choice([(80, 80), (22, 443), (5432, 5432), (1024, 65535), (32768, 45000), (40000, 60999)])
                block = {"CidrBlock": dice.choice([ANY4, "10.40.0.0/16", "10.40.1.0/24", "10.50.0.0/16"])}
                if dice.random() < 0.3:
                    block = {"Ipv6CidrBlock": dice.choice([ANY6, *(b[1] for b in self.net.blocks.values())])}
                self.ec2.create_network_acl_entry(
                    NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol=dice.choice(["6", "6", "17", "-1"]),
                    PortRange={"From": ports[0], "To": ports[1]}, RuleAction=dice.choice(["allow", "allow", "deny"]),
                    **block)
            for number, block in ((900, {"CidrBlock": ANY4}), (901, {"Ipv6CidrBlock": ANY6})):
                if dice.random() < 0.95:
                    self.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol="-1",
                                                      RuleAction="allow", **block)

    @staticmethod
    def destination(block):
        return {"DestinationIpv6CidrBlock" if ":" in block else "DestinationCidrBlock": block}

    def clear(self, table):
        for route in self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]:
            if route.get("GatewayId") != "local":
                self.ec2.delete_route(RouteTableId=table, **{k: v for k, v in route.items() if k in (
                    "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")})

    def lead(self, table, block, **target):
        self.ec2.create_route(RouteTableId=table, **self.destination(block), **target)

    def lead_list(self, table, name, **target):
        self.ec2.create_route(RouteTableId=table, DestinationPrefixListId=self.net.lists[name], **target)

    def shuffle_routes(self, dice):
        self.translated = []  # the subnets whose way to the world is the NAT gateway,
        self.hidden = []  # and whose way to the office is the private one
        for subnet, table in self.net.tables.items():
            self.clear(table)
            forwarders = [{"NetworkInterfaceId": self.net.nodes[n].interface} for n, s in FORWARDERS.items() if s != subnet]
            if subnet == "office":
                self.lead_home(dice, table)
                continue
            self.lead_to_office(dice, subnet, table, forwarders)
            self.lead_out(dice, subnet, table, forwarders)
            for other in ("near", "far", "annex"):
                for family in (0, 1):
                    if subnet != other and dice.random() < (0.15 if subnet in FORWARDERS.values() else 0.3):
                        self.lead(table, self.net.blocks[other][family], **dice.choice(forwarders))
        self.shuffle_entrance(dice)

    def lead_home(self, dice, table):
        """From the office."""
        for block in (*self.net.blocks["shop"], MORE):
            if self.favoured or dice.random() < 0.8:
                self.lead(table, block, VpcPeeringConnectionId=self.net.peering)

    def lead_to_office(self, dice, subnet, table, forwarders):
        by = [{"VpcPeeringConnectionId": self.net.peering}] * 8 + [{"NetworkInterfaceId": self.net.idle}, *forwarders]
        translated = [{"NatGatewayId": self.net.private_nat}]
        for block, name, more in zip(self.net.blocks["office"], ("offices", "offices6"), (translated, [])):
            if dice.random() < 0.2:
                continue
            way = dice.choice([*by, *more])
            if more and self.favoured and subnet in (self.favoured, "middle"):
                way = (translated if subnet == self.favoured else by)[0]
            if dice.random() < 0.3:
                self.lead_list(table, name, **way)
            else:
                self.lead(table, block, **way)
            if way.get("NatGatewayId"):
                self.hidden.append(subnet)

    def lead_out(self, dice, subnet, table, forwarders):
        out = [{"GatewayId": self.net.igw}] * 4 + forwarders + [{"NetworkInterfaceId": self.net.idle}]
        gateways = {"NatGatewayId": self.net.nat}, {"EgressOnlyInternetGatewayId": self.net.egress}
        for block, gateway in zip((ANY4, ANY6), gateways):
            if dice.random() < 0.8:
                way = dice.choice([*out, *[gateway] * 3])
                if subnet == "near" and block == ANY4 and dice.random() < 0.7:
                    way = out[0]  # where the NAT gateway is, whose way it is too
                self.lead(table, block, **way)
                if way.get("NatGatewayId"):
                    self.translated.append(subnet)
        if dice.random() < 0.15:
            self.lead(table, WORLD_BLOCK, **dice.choice([*out, gateways[0]]))

    def shuffle_entrance(self, dice):
        net = self.net
        self.clear(net.entrance)
        for subnet in ("near", "far", "annex"):
            for family in (0, 1):
                if dice.random() < 0.5:
                    self.lead(net.entrance, net.blocks[subnet][family],
                              NetworkInterfaceId=net.nodes[dice.choice(list(FORWARDERS))].interface)
        wanted = dice.random() < 0.4
        if wanted and not net.entrance_association:
            net.entrance_association = self.ec2.associate_route_table(
                RouteTableId=net.entrance, GatewayId=net.igw)["AssociationId"]
        elif net.entrance_association and not wanted:
            self.ec2.disassociate_route_table(AssociationId=net.entrance_association)
            net.entrance_association = None

    def shuffle_public(self, dice):
        now = self.ec2.describe_addresses(AllocationIds=[self.net.public["AllocationId"]])["Addresses"][0]
        if "AssociationId" in now:
            self.ec2.disassociate_address(AssociationId=now["AssociationId"])
        self.net.move_second(dice.choice(["a1", "a2"]))
        self.net.public_at = dice.choice(["a1", "a3", "a3", "a4", "m", "x", "e", "s", None])
        if self.net.public_at:
            self.ec2.associate_address(AllocationId=self.net.public["AllocationId"],
                                       NetworkInterfaceId=self.net.interface_of(self.net.public_at),
                                       PrivateIpAddress=self.net.at[self.net.public_at][0])

    def shuffle_forwards(self, dice, gateway, forwards, subnets):
        """To whoever may answer by the gateway, in those subnets, and to others; no two to the same."""
        net = self.net
        path = f"/v1/nat-gateways/{gateway}/ports"
        for protocol, port in forwards:
            self.lab.operate("DELETE", f"{path}/{protocol}/{port}")
        forwards.clear()
        homes = {"a1": "near", "a2": "near", "x": "near", "s": "near", "a3": "far", "e": "far", "a4": "annex", **FORWARDERS}
        able = [n for n, s in homes.items() if s in subnets]
        for protocol in ("tcp", "udp"):
            for public in dice.sample(PORTS, dice.randint(1, 3)):
                to = dice.choice(able if able and dice.random() < 0.8 else list(homes)), dice.choice(PORTS)
                if (protocol, to) in ((p, t) for (p, _), t in forwards.items()):
                    continue
                self.lab.operate("POST", path, {"protocol": protocol, "public_port": public, "address": net.at[to[0]][0],
                                                "port": to[1]})
                forwards[protocol, public] = to

    def pairs(self):
        """(source, target) that are worth a question more than others."""
        return [self.apart, *(("world", to) for to, _ in self.net.forwards.values()),
                *(("b1", to) for to, _ in self.net.inner_forwards.values()), *[("b1", "g")] * 4]

    def shuffle_nodes(self, dice):
        net = self.net
        for name in (*net.nodes, "s", "e"):
            condition = dice.choice(["normal"] * 24 + ["disabled", "in-repair"])
            if condition != self.conditions.get(name, "normal"):
                self.lab.operate("PUT", f"/v1/interfaces/{net.interface_of(name)}", {"condition": condition})
                self.conditions[name] = condition
        for name, was in net.checked.items():
            checked = dice.random() < 0.15
            if checked != was:
                self.ec2.modify_network_interface_attribute(NetworkInterfaceId=net.nodes[name].interface,
                                                            SourceDestCheck={"Value": checked})
                net.checked[name] = checked

    # ---- what hosts use between them ----

    def shuffle_policies(self, dice):
        """And what is left of it for some; two that are apart have nothing in common."""
        net = self.net
        for policy in self.policies:
            self.lab.operate("DELETE", f"/v1/policies/{policy['name']}")
        self.policies = []
        for name, vpc in net.vpcs.items():
            wanted = dice.choice(["production", "test", ""])
            if wanted != self.environments.get(name, ""):
                self.lab.operate("PUT", f"/v1/networks/{vpc}", {"environment": wanted})
                self.environments[name] = wanted
        for _ in range(dice.choice([0, 1, 1, 2])):
            if dice.random() < 0.6:
                self.policy("pin", [dice.choice(FORMATS[self.substrate])], self.match(dice))
            else:
                self.policy("forbid", dice.choice(FORBIDDEN[self.substrate]), self.match(dice))
        for _ in range(dice.choice([0, 0, 1, 2])):
            effect = dice.choice(["require", "prefer", "prefer", "pin", "forbid"])
            what = dice.choice(FEATURES)
            rate = {"rate": RATE} if "rate" in what and effect != "forbid" else {}
            self.policy(effect, what, self.match(dice), notify=dice.choice(["both", "both", "source"]), **rate)
        distant = [(a, b) for a in net.nodes for b in net.nodes if net.nodes[a].host != net.nodes[b].host]
        self.apart = dice.choice(distant)
        self.policy("forbid", FRAMEWORKS, self.interfaces(self.apart) | {"direction": dice.choice(["both", "in", "out"])})

    def match(self, dice):
        net = self.net
        match = dice.choice([{}, {"network": net.vpcs["shop"]}, {"network": net.vpcs["office"]},
                             {"environment": "production"}, {"host": dice.choice(["h1", "h2", "e1"])},
                             {"host": "h1", "peer": {"host": "h2"}},
                             {"network": net.vpcs["shop"], "peer": {"network": net.vpcs["office"]}},
                             self.interfaces(dice.sample(list(net.nodes), 2))])
        return match | {"direction": dice.choice(["both", "both", "both", "out", "in"])}

    def interfaces(self, names):
        return {"interfaces": [self.net.interface_of(n) for n in names]}

    def policy(self, effect, what, match, **more):
        policy = {"name": f"draw-{len(self.policies)}", "effect": effect, "what": what, "match": match, **more}
        self.lab.operate("POST", "/v1/policies", policy)
        self.policies.append(policy)
