# SPDX-License-Identifier: Apache-2.0
"""Random questions about reachability, as EC2 lets them be asked, and the packets that answer them.

A question is about all ports of a range: where there is a path, the answer says for which, and a packet with any of
them gets there; where there is none, no packet of the ranges does.
"""
import random
import time

PORTS = (22, 80, 443, 5432)
CLIENT_PORTS = (32768, 60999)
# What is said of ports: the source's (None: nothing) and the destination's.
SOURCE_RANGES = (None, CLIENT_PORTS, (40000, 50000), (1024, 65535), (44000, 46000))
DESTINATION_RANGES = ((22, 22), (80, 80), (5432, 5432), (22, 443), (81, 6000), (1, 65535), (300, 5431))


def random_probe(dice, pairs, net):
    """Of one of 'pairs', (source, target), or of others."""
    source, target = dice.choice(pairs) if pairs and dice.random() < 0.3 else (None, None)
    v6 = dice.random() < 0.4 and source != "world"
    if not source:
        source = dice.choice(net.sources(v6))
        target = dice.choice(net.others(source, v6))
    v6 = v6 and net.at[target][1] is not None
    return {"source": source, "target": target, "protocol": dice.choice(["tcp", "udp"]), "port": dice.choice(PORTS),
            "v6": int(v6), "by_interface": dice.random() < 0.5, "named": dice.random() < 0.7 and target != "g",
            "where": dice.choice(["ip", "source", "destination"]), "filtered": dice.random() < 0.35,
            "source_range": dice.choice(SOURCE_RANGES), "range": dice.choice(DESTINATION_RANGES)}


class Questions:
    """About 'net' (worlds.py)."""

    def __init__(self, net):
        self.net, self.ec2, self.more = net, net.ec2, {}
        # Debian's botocore does not know filters, nor that there need be no destination
        self.ec2.meta.events.register("before-call.ec2.CreateNetworkInsightsPath", self.extend)

    def extend(self, params, **_):
        body = params["body"]
        body.update(self.more)
        for name in [n for n, v in body.items() if v in ("", 0)]:
            del body[name]

    def draw(self, dice, pairs):
        """One that is analysed.  Most of all there are have no answer but no: of those some are left out."""
        while True:
            probe = random_probe(dice, pairs, self.net)
            self.analyse(probe)
            if probe["found"] or dice.random() < 0.3:
                return probe

    # ---- as it is asked ----

    def id(self, probe, side):
        name = probe[side]
        if name == "world":
            return self.net.igw
        by_instance = name in (*self.net.nodes, "x") and not probe["by_interface"]
        return self.net.nodes[self.net.node_of(name)].id if by_instance else self.net.interface_of(name)

    def form(self, probe):
        """What is said of addresses and ports."""
        source, target = (self.net.at[probe[side]][probe["v6"]] for side in ("source", "target"))
        form, ranges = {}, {}
        if probe["filtered"]:
            ranges["DestinationPortRange"] = probe["range"]
            if probe["source_range"]:
                ranges["SourcePortRange"] = probe["source_range"]
            for name, (first, last) in ranges.items():
                form.update({f"FilterAtSource.{name}.FromPort": first, f"FilterAtSource.{name}.ToPort": last})
        if probe["source"] in ("world", "x") or probe["v6"]:
            form["FilterAtSource.SourceAddress" if probe["filtered"] else "SourceIp"] = source
        hidden = probe["filtered"] and probe["where"] == "source" and self.is_hidden(probe)
        if probe["target"] in ("world", "x") or probe["v6"] or not probe["named"] or hidden:
            where = probe["where"]
            if where == "destination" and probe["target"] == "g":
                where = "ip"  # nothing arrives there
            if where == "source" and not probe["filtered"]:
                where = "ip"  # the filter cannot be beside a port
            if where == "source" and probe["source"] == "world" and not probe["v6"]:
                probe["sent_to"] = random.choice(self.addresses(probe) or [target])
                target = probe["sent_to"]  # as the world calls it
            elif hidden:
                target = probe["sent_to"] = self.net.at["g"][0]
            form[{"ip": "DestinationIp", "source": "FilterAtSource.DestinationAddress",
                  "destination": "FilterAtDestination.DestinationAddress"}[where]] = target
        return form

    def analyse(self, probe):
        """Adds whether there is a path, what is in its way, and the ports that the answer is about."""
        self.more = self.form(probe)
        path = self.ec2.create_network_insights_path(
            Source=self.id(probe, "source"), Destination=self.id(probe, "target") if probe["named"] else "",
            Protocol=probe["protocol"], DestinationPort=0 if probe["filtered"] else probe["port"])[
                "NetworkInsightsPath"]["NetworkInsightsPathId"]
        got = self.ec2.start_network_insights_analysis(NetworkInsightsPathId=path)["NetworkInsightsAnalysis"]
        self.ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=got["NetworkInsightsAnalysisId"])
        self.ec2.delete_network_insights_path(NetworkInsightsPathId=path)
        assert got["Status"] == "succeeded"
        codes = [e["ExplanationCode"] for e in got["Explanations"]]
        assert got["NetworkPathFound"] == (not codes), codes
        filtered = probe["filtered"]
        sources = (filtered and probe["source_range"]) or CLIENT_PORTS
        ports = probe["range"] if filtered else (probe["port"], probe["port"])
        if not codes:
            header = got["ForwardPathComponents"][0]["OutboundHeader"]
            asked = (sources, ports)
            sources, ports = ((r[0]["From"], r[0]["To"]) for r in (header["SourcePortRanges"],
                                                                  header["DestinationPortRanges"]))
            for (first, last), (least, most) in zip((sources, ports), asked):
                assert least <= first <= last <= most, (probe, header)
        probe.update(found=not codes, codes=codes, sources=sources, why=got["Explanations"],
                     translated=self.net.nat in (c["Component"]["Id"] for c in got.get("ForwardPathComponents", [])),
                     tried=next((p for p in random.sample(PORTS, len(PORTS)) if ports[0] <= p <= ports[1]), None))

    def is_hidden(self, probe):
        """The private NAT gateway stands for it."""
        names = [to for to, _ in self.net.inner_forwards.values() if to != "x"]  # that one is named by its address alone
        return probe["source"] != "world" and not probe["v6"] and probe["target"] in names

    # ---- as packets answer it ----

    def addresses(self, probe):
        """Where to send: the world knows public addresses alone."""
        if probe["source"] != "world" or probe["v6"]:
            return [self.net.at[probe["target"]][probe["v6"]]]
        one_to_one = [self.net.public["PublicIp"]] if probe["target"] == self.net.public_at else []
        return one_to_one + [self.net.nat_address] * any(to == probe["target"] for to, _ in self.net.forwards.values())

    def asked(self, probe):
        """Those that a packet of the question may have; the NAT gateway's is another's at other ports."""
        sent_to, translated = probe.get("sent_to"), self.net.nat_address
        if sent_to == self.net.at["g"][0]:
            to, _ = self.net.inner_forwards.get((probe["protocol"], probe["tried"]), (None, None))
            return [sent_to] if to == probe["target"] or not probe["named"] else []
        if sent_to == translated and not probe["named"]:
            return [translated]
        to, _ = self.net.forwards.get((probe["protocol"], probe["tried"]), (None, None))
        return [a for a in self.addresses(probe) if sent_to in (None, a) and (a != translated or to == probe["target"])]

    def can_try(self, probe):
        """Nobody listens at other ports; and without an address there must be no path."""
        return probe["tried"] and (self.asked(probe) or probe["found"])

    def ask(self, probe):
        name = probe["source"]
        prober = self.net.probers[self.net.node_of(name)]
        own = "" if name == "world" else self.net.at[name][probe["v6"]]
        return prober, [prober.ask(probe["protocol"], address, probe["tried"], own, probe["sources"])
                        for address in self.asked(probe)]

    def agree(self, probes, limit=90):
        """Hosts take the configuration over one by one: the answer is what packets settle at, all of them at last once more.
        Those that differ."""
        end = time.monotonic() + limit
        tried = [p for p in probes if self.can_try(p)]
        left, all_of_them = self.differ(tried), False
        while (left or not all_of_them) and time.monotonic() < end:
            all_of_them = not left
            left = self.differ(left or tried)
        return left

    def differ(self, probes):
        asked = [(p, *self.ask(p)) for p in probes]
        return [p for p, prober, ns in asked if any([prober.result(n) for n in ns]) != p["found"]]
