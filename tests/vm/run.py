#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs Viaduct on Debian 12's own kernel (6.1), in a virtual machine that has no network device.

The programs of a build folder and a script go into an initramfs; the script's lines "ok WHAT" and
"not ok WHAT" come back by the serial console and are counted.  KVM is tried first; where the kernel
does not come up with it, emulation."""
import argparse
import base64
import io
import json
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST_WORD_SECONDS = 20  # within which a kernel that works has said something
READY, DONE = "VM-READY", "VM-DONE"

INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s
export PATH=/usr/bin:/bin:/sbin:/usr/sbin HOME=/root
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/net /dev/pts; mount -t devpts devpts /dev/pts
mount -t tmpfs run /run; mount -t tmpfs tmp /tmp; mkdir -p /run/netns
mount -t bpf bpf /sys/fs/bpf
for m in {' '.join(image.MODULES)}; do modprobe $m || echo "not ok load module $m"; done
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
ip link set lo up
echo {READY} $(uname -r)
cd /tests && sh ./script </dev/null
echo {DONE}
poweroff -f
"""


# Each table loads the programs of two hosts, which takes an emulated processor the better part of a minute.  These check
# rules that no kernel has a part in, or what the labs do too; the programs are loaded and run by the others.
LEFT_OUT = {f"test_bpf_{name}" for name in ("connection", "edge6", "edge_gso", "nat", "nat_idle", "neighbour", "path",
                                            "policy", "recall", "route", "seal", "spread", "spread_edge", "upcall",
                                            "watch")}

# It makes a device as iproute2 does and busybox does not.
LEFT_OUT.add("test_bpf_foreign")


def programs(build):
    """What the script may call, as (source, place in the machine)."""
    for room, name in (("manager", "viaductd"), ("agent", "viaduct-agent"), ("seal", "viaduct-seal"),
                       ("ctl", "viaduct")):
        yield os.path.join(build, "src", room, name), f"/usr/bin/{name}"
    tests = os.path.join(build, "tests", "bpf")
    for name in sorted(os.listdir(tests)):
        path = os.path.join(tests, name)
        if name not in LEFT_OUT and os.path.isfile(path) and os.access(path, os.X_OK):
            yield path, f"/tests/bpf/{name}"
    for name in ("curl", "tcpdump"):
        yield f"/usr/bin/{name}", f"/usr/bin/{name}"


def make_image(build, script, folder):
    vmlinuz, modules, version = image.kernel(os.path.join(folder, "kernel"))
    tree = image.Tree(os.path.join(folder, "root"))
    for source, target in programs(build):
        tree.add(source, target)
    tree.add(script, "/tests/script")
    tree.add_modules(modules, version)
    init = os.path.join(tree.folder, "init")
    with open(init, "w") as f:
        f.write(INIT)
    os.chmod(init, 0o755)
    archive = os.path.join(folder, "initramfs.gz")
    tree.pack(archive)
    return vmlinuz, archive


def boot(vmlinuz, archive, accelerator, seconds):
    """Boots and returns the console's lines; None if the kernel stayed silent."""
    # Two emulated processors were once seen locked up, both in the guest's kernel; one is no slower on a small machine.
    processors = "2" if accelerator == "kvm" else "1"
    # It ends with this process.
    argv = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", accelerator, "-cpu", "max", "-m", "2048", "-smp", processors, "-nographic",
            "-no-reboot", "-nic", "none", "-kernel", vmlinuz, "-initrd", archive,
            "-append", "console=ttyS0 quiet panic=-1 softlockup_panic=1 watchdog_thresh=30 no_timer_check rdinit=/init"]
    # In a session of its own: the kernel gives each session the same share of the processors (autogroup), and this one
    # has as much to do as all that 'make check' runs beside it.
    machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    lines, rest, start = [], b"", time.monotonic()
    try:
        while time.monotonic() - start < seconds:
            if accelerator == "kvm" and time.monotonic() - start > FIRST_WORD_SECONDS and \
                    not any(READY in line for line in lines):
                return None
            if not select.select([machine.stdout], [], [], 1)[0]:
                continue
            data = os.read(machine.stdout.fileno(), 65536)
            if not data:
                break
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                text = line.decode(errors="replace").rstrip("\r")
                lines.append(text)
                if not text.startswith("PCAP "):
                    print(text, flush=True)
                if text.startswith(DONE):
                    return lines
    finally:
        machine.kill()
        machine.wait()
    return lines if any(READY in line for line in lines) else None


def captures(lines):
    """What the script captured: {name: bytes}, from its lines "PCAP NAME BASE64"."""
    texts = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "PCAP":
            name, _, text = rest.partition(" ")
            texts[name] = texts.get(name, "") + text.strip()
    return {name: base64.b64decode(text) for name, text in texts.items()}


def outer_udp(capture):
    """The UDP packets of a capture, as what carries the rest."""
    import scapy.layers.inet6  # noqa: F401 (what is around UDP here)
    from scapy.layers.inet import UDP
    from scapy.utils import rdpcap
    return [p[UDP] for p in rdpcap(io.BytesIO(capture)) if UDP in p]


def is_read(packet, length):
    """Whole, with the option that it should have, and without an error (0x800000); warnings are of how TCP goes."""
    return int(packet.get("geneve.option.class", ["0"])[0], 0) == 0xfff6 and "ip.src" in packet and \
        set(packet["geneve.option.length"]) == {length} and "_ws.malformed" not in packet and \
        all(int(s, 0) < 0x800000 for s in packet.get("_ws.expert.severity", []))


def dissect(name, capture, folder):
    """Whether Wireshark reads a capture of geneve, "geneve-VERSION", without a complaint and finds our option in each
    packet: a line "ok" or "not ok".
    requirement: PKT-3"""
    length = {"geneve-1": "12", "geneve-2": "16"}[name]
    path = os.path.join(folder, f"{name}.pcap")
    with open(path, "wb") as f:
        f.write(capture)
    # what is in TCP is noise, and the source ports are a flow's, which one dissector or another would take for its own
    argv = ["tshark", "-r", path, "-d", "tcp.port==5000,data", "-T", "json"]
    for port in {p.sport for p in outer_udp(capture)}:
        argv += ["-d", f"udp.port=={port},geneve"]
    for field in ("geneve.vni", "geneve.option.class", "geneve.option.length", "ip.src", "_ws.malformed",
                  "_ws.expert.severity", "_ws.expert.message"):
        argv += ["-e", field]
    packets = [p["_source"]["layers"] for p in json.loads(subprocess.run(
        argv, check=True, capture_output=True, text=True).stdout)]
    bad = [p for p in packets if not is_read(p, length)]
    for p in bad:
        print(f"# {p}")
    return f"{'not ok' if bad or not packets else 'ok'} tshark reads {name}: {len(packets)} packets, {len(bad)} unread"


def switched(found):
    """Whether Open vSwitch knows our option in each packet of the captures of geneve, and writes the packets as they were:
    lines "ok" or "not ok".
    requirement: PKT-3"""
    import ovs
    sent = {name: [bytes(p.payload) for p in outer_udp(capture)] for name, capture in found.items()}
    back = ovs.reflected(sent)
    return [f"{'ok' if packets and back[name] == len(packets) else 'not ok'} Open vSwitch reads and writes {name}: "
            f"{len(packets)} packets, {back[name]} came back as they were" for name, packets in sent.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--script", default=os.path.join(HERE, "script.sh"))
    parser.add_argument("--folder", help="for the kernel and the image (default: BUILD/vm)")
    parser.add_argument("--seconds", type=int, default=1800)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    vmlinuz, archive = make_image(build, options.script, os.path.abspath(options.folder or os.path.join(build, "vm")))
    lines = None
    for accelerator in ["kvm", "tcg"] if os.access("/dev/kvm", os.W_OK) else ["tcg"]:
        lines = boot(vmlinuz, archive, accelerator, options.seconds)
        if lines is not None:
            break
    lines = lines or []
    found = captures(lines)
    for name, capture in found.items():
        lines.append(dissect(name, capture, os.path.abspath(options.folder or os.path.join(build, "vm"))))
        print(lines[-1], flush=True)
    for line in switched(found) if found else []:
        lines.append(line)
        print(line, flush=True)
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("not ok ") for line in lines)
    if not any(line.startswith(DONE) for line in lines):
        print("not ok the machine did not get to the end of the script")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
