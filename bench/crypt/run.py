#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/crypt: traffic between hosts that is sealed, beside plain routing and wireguard-go, in one run.

    routing       a --- h1 ----substrate----- h2 --- b         IPv4 forwarding
    wireguard-go  a --- h1 [wireguard-go] --- h2 [...] --- b    ChaCha20-Poly1305, in user space too
    siit2         a --- h1 [agent] ---------- h2 [agent] --- b  in the clear
    crypt/1 ...   the same, and the agents' workers seal: AES-128-GCM, AES-256-GCM, AES-128-GMAC
    crypt/1 placed  crypt/1, each host's worker on its node's core: seal-cpus of viaduct-agent(8)

With one core everything, workers included, shares it; with two each node has one, and workers run on both, where the
kernel wants them, unless they are placed.
Every round measures every path once; a figure is the median over the rounds, a ratio the median of the rounds' ratios.
Then: of what a core does while it seals, how much is the cipher ("perf" where it is there).
"""
import json
import os
import random
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dataplane"))
import hosts  # noqa: E402
import options  # noqa: E402
from cluster import Cluster  # noqa: E402
from run import median_interval  # noqa: E402

FEATURES = ("crypt/1", "crypt/2", "integrity/1")
# (name, traffic's mode, its key in the answer)
MEASURES = [
    ("tcp_bulk", "tcp-bulk", "bits_per_second"),
    ("udp64", "udp-rate", "packets_per_second"),
    ("tcp_rr", "tcp-rr", "p50_ns"),
]
UNITS = {"bits_per_second": (1e9, "Gb/s"), "packets_per_second": (1e3, "kpps"), "p50_ns": (1e3, "us")}
CORES = {"one": "0", "two": "0,1"}
SUFFIX = {"one": "", "two": "_two_cores"}
PLACED = " placed"
SEAL_CPUS = ("0", "1")  # of the hosts, where their nodes are, too
GOALS = [("crypt/1", "routing", 0.35), ("crypt/1", "wireguard-go", 8.0),
         ("crypt/1" + PLACED, "routing", 0.35), ("crypt/1" + PLACED, "wireguard-go", 8.0)]


def wireguard(nss, build):
    """Two routers with wireguard-go between them, as its documentation sets it up."""
    a, h1, h2, b = hosts.two_hosts(nss, "wg")
    keys = [hosts.sh("wg", "genkey").strip() for _ in range(2)]
    public = [hosts.sh("wg", "pubkey", input=k).strip() for k in keys]
    processes = []
    for n, (node, host, net, far) in enumerate(((a, h1, 1, 2), (b, h2, 2, 1))):
        hosts.address(node, "eth0", f"10.0.{net}.2/24")
        hosts.address(host, "node", f"10.0.{net}.1/24")
        hosts.address(host, "sub0", f"192.168.0.{net}/24")
        hosts.sh("ip", "-n", node, "route", "add", "default", "via", f"10.0.{net}.1")
        device = f"wg{os.getpid() % 10000}{n}"
        processes.append(subprocess.Popen(
            ["nsenter", f"--net={hosts.path(host)}", "wireguard-go", "--foreground", device],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1", "LOG_LEVEL": "silent"}))
        enter = ["nsenter", f"--net={hosts.path(host)}"]
        hosts.wait_for("wireguard-go", lambda: subprocess.run(enter + ["wg", "show", device],
                                                             capture_output=True).returncode == 0)
        subprocess.run(enter + ["wg", "set", device, "private-key", "/dev/stdin", "listen-port", "51820", "peer",
                                public[1 - n], "allowed-ips", "10.0.0.0/8", "endpoint", f"192.168.0.{far}:51820"],
                       input=keys[n], text=True, check=True)
        hosts.sh("ip", "-n", host, "link", "set", device, "mtu", str(hosts.INNER_MTU), "up")
        hosts.sh("ip", "-n", host, "route", "add", f"10.0.{far}.0/24", "dev", device)
        hosts.forward(host)
    return hosts.Path("wireguard-go", a, b, "10.0.2.2"), processes


def workers(cluster):
    """The processes that seal for a cluster's hosts, found by their files."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"/viaduct-seal") and words[1].startswith(cluster.directory.encode()):
            found.append(int(pid))
    return found


def pin(pids, cpus):
    """All threads of these processes to these processors."""
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                os.sched_setaffinity(int(thread), {int(c) for c in cpus.split(",")})
            except ProcessLookupError:
                pass


def measure(traffic, path, mode, cores, seconds):
    cpus = {"one": "0,0", "two": getattr(path, "cpus", "0,1")}[cores]
    return json.loads(hosts.sh(traffic, "--from", hosts.path(path.from_ns), "--to", hosts.path(path.to_ns), "--address",
                               path.to_address, "--mode", mode, "--cpus", cpus, "--seconds", str(seconds)))


def profile(traffic, path, pids, seconds):
    """Where the processors' time goes while TCP goes through the workers: {function: share}; None without perf."""
    record = ["perf", "record", "-q", "-a", "-o", "/dev/stdout"]
    try:
        perf = subprocess.Popen(record + ["--", "sleep", str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    measure(traffic, path, "tcp-bulk", "two", seconds)
    data = perf.communicate()[0]
    out = subprocess.run(["perf", "report", "-q", "-i", "-", "--no-children", "--sort", "symbol", "--stdio"], input=data,
                         capture_output=True).stdout.decode(errors="replace")
    shares = {}
    for line in out.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].endswith("%"):
            shares[words[-1]] = float(words[0][:-1])
    return dict(sorted(shares.items(), key=lambda kv: -kv[1])[:25])


def processor_time(pids):
    """Seconds that these processes have used: in user space, in the kernel."""
    tick, total = os.sysconf("SC_CLK_TCK"), [0.0, 0.0]
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total[0] += int(fields[11]) / tick
        total[1] += int(fields[12]) / tick
    return total


def limits(traffic, path, pids, seconds):
    """What bounds the sealed path: how busy the workers are, and with what, while TCP goes through them."""
    pin(pids, "0,1")
    before = processor_time(pids)
    answer = measure(traffic, path, "tcp-bulk", "two", seconds)
    user, kernel = (b - a for a, b in zip(before, processor_time(pids)))
    return {"bits_per_second": answer["bits_per_second"], "workers_user_share": round(user / seconds, 3),
            "workers_kernel_share": round(kernel / seconds, 3)}


def key_of(name):
    """Of a path's figures."""
    return name.replace("/", "").replace(" ", "_")


def runs(name, cores):
    """One core leaves nothing to be placed."""
    return cores == "two" or not name.endswith(PLACED)


def summary(results, names):
    out = {}
    for name in names:
        mine = out.setdefault(key_of(name), {})
        for cores, suffix in SUFFIX.items():
            if not runs(name, cores):
                continue
            for measured, _, _ in MEASURES:
                values = results[(name, cores, measured)]
                low, high = median_interval(values)
                mine[measured + suffix] = {"median": statistics.median(values), "low": low, "high": high}
                for peer in ("routing", "wireguard-go"):
                    theirs = results[(peer, cores, measured)]
                    ratios = [m / t for m, t in zip(values, theirs) if t]
                    if ratios and peer != name:
                        mine[f"{measured}{suffix}_vs_{peer}"] = round(statistics.median(ratios), 4)
    return out


def print_table(out):
    for cores, suffix in SUFFIX.items():
        print(f"\n{cores} core{'s' if cores == 'two' else ''}: median (ratio to plain routing; to wireguard-go)")
        for name, figures in out.items():
            if "tcp_bulk" + suffix not in figures:
                continue
            row = f"  {name:14}"
            for measured, _, key in MEASURES:
                f, (scale, unit) = figures[measured + suffix], UNITS[key]
                row += (f"{f['median'] / scale:9.2f} {unit:4} ({figures.get(f'{measured}{suffix}_vs_routing', 1):5.2f}; "
                        f"{figures.get(f'{measured}{suffix}_vs_wireguard-go', 1):6.2f})")
            print(row)
    print("\ngoals")
    for cores, suffix in SUFFIX.items():
        for name, peer, bound in GOALS:
            r = out.get(key_of(name), {}).get(f"tcp_bulk{suffix}_vs_{peer}")
            if r is not None:
                print(f"  {name} TCP vs {peer}, {cores}: {r:.2f}, goal >= {bound}: {'met' if r >= bound else 'NOT met'}")


def main():
    parser = options.parser("crypt", __doc__, 7, 0.5)
    parser.add_argument("--only", help="one feature alone, for looking at it")
    given = options.parse(parser)
    traffic = options.traffic(given.build)
    nss, clusters, paths, pids, processes, results = hosts.Namespaces(), [], {}, {}, [], {}
    try:
        paths["routing"] = hosts.routing(nss)
        paths["wireguard-go"], processes = wireguard(nss, given.build)
        pids["wireguard-go"] = [p.pid for p in processes]
        sealed = given.only or FEATURES[0]
        for name in ("siit2", *([given.only] if given.only else FEATURES), sealed + PLACED):
            feature = None if name == "siit2" else name.removesuffix(PLACED)
            placed = SEAL_CPUS if name.endswith(PLACED) else None
            cluster = Cluster(nss, given.build, "cr" + key_of(name)[-4:], require=feature, seal_cpus=placed)
            clusters.append(cluster)
            cluster.start()
            cluster.run_instances()
            paths[name], = cluster.paths({name: "remote"})
            if placed and not paths[name].from_ns.startswith(cluster.hosts[0]):
                paths[name].cpus = ",".join(reversed(placed))
            pids[name] = workers(cluster)
        for n in range(given.rounds):
            for cores, cpus in CORES.items():
                names = [name for name in paths if runs(name, cores)]
                for name in names:
                    if not name.endswith(PLACED):
                        pin(pids.get(name, []), cpus)
                for measured, mode, key in MEASURES:
                    for name in random.sample(names, len(names)):
                        answer = measure(traffic, paths[name], mode, cores, given.seconds)
                        results.setdefault((name, cores, measured), []).append(answer[key])
            print(f"round {n + 1} of {given.rounds}", file=sys.stderr)
        out = summary(results, list(paths))
        out["limits"] = limits(traffic, paths[sealed], pids[sealed], 2.0)
        out["limits"]["profile"] = profile(traffic, paths[sealed], pids[sealed], 2.0)
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)
        for cluster in clusters:
            cluster.stop()
        nss.remove()
    limit = out.pop("limits")
    print_table(out)
    print(f"\nwhile two cores seal and open {limit['bits_per_second'] / 1e9:.2f} Gb/s: the workers' own code takes "
          f"{limit['workers_user_share']:.2f} of a core, their system calls {limit['workers_kernel_share']:.2f}")
    for symbol, share in list((limit["profile"] or {}).items())[:12]:
        print(f"  {share:5.1f} % {symbol}")
    out["limits"] = limit
    options.save(out, given.output)


if __name__ == "__main__":
    main()
