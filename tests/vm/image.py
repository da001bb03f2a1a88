# SPDX-License-Identifier: Apache-2.0
"""Makes what QEMU boots: Debian's own kernel, unpacked and not installed, and an initramfs of this
machine's busybox, the programs under test with their libraries, and the kernel modules they need."""
import os
import re
import shutil
import subprocess

KERNEL_META_PACKAGE = "linux-image-cloud-amd64"
MODULES = ["veth", "tun", "vxlan", "geneve", "sch_ingress", "cls_bpf", "bridge"]


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kw).stdout


def kernel(folder):
    """Downloads and unpacks the kernel once; (vmlinuz, modules folder, version)."""
    os.makedirs(folder, exist_ok=True)
    depends = run("apt-cache", "depends", KERNEL_META_PACKAGE)
    package = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
    version = package.removeprefix("linux-image-")
    root = os.path.join(folder, version)
    if not os.path.exists(os.path.join(root, "complete")):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        run("apt-get", "download", "-o", "APT::Sandbox::User=root", package, cwd=root)
        deb = next(f for f in os.listdir(root) if f.endswith(".deb"))
        run("dpkg-deb", "-x", os.path.join(root, deb), root)
        run("busybox", "depmod", "-b", root, version)
        open(os.path.join(root, "complete"), "w").close()
    return (os.path.join(root, "boot", f"vmlinuz-{version}"),
            os.path.join(root, "lib", "modules", version), version)


def module_files(modules, names):
    """The files of modules and of all that they need, as paths under the modules folder."""
    needs = {}
    with open(os.path.join(modules, "modules.dep")) as f:
        for line in f:
            name, _, rest = line.partition(":")
            needs[name.strip()] = rest.split()
    by_name = {os.path.basename(p).split(".ko")[0].replace("-", "_"): p for p in needs}
    todo, out = [by_name[n] for n in names if n in by_name], set()
    while todo:
        path = todo.pop()
        if path not in out:
            out.add(path)
            todo += needs[path]
    return out


def libraries(program):
    """The shared objects that the loader would bring in, itself included."""
    out = subprocess.run(["ldd", program], capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", out.stdout) if out.returncode == 0 else []


class Tree:
    """A folder that becomes the initramfs."""

    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for d in ("bin", "sbin", "proc", "sys", "dev", "tmp", "run/netns", "etc", "root", "var/lib", "usr/bin",
                  "usr/sbin"):
            os.makedirs(os.path.join(folder, d))
        self.add("/bin/busybox")

    def add(self, source, target=None):
        """Copies a file, with its libraries if it is a program."""
        place = self.folder + (target or source)
        if os.path.exists(place):
            return
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy2(source, place)
        if os.access(source, os.X_OK):
            for library in libraries(source):
                self.add(library)

    def add_modules(self, modules, version):
        for path in module_files(modules, MODULES):
            self.add(os.path.join(modules, path), f"/lib/modules/{version}/{path}")
        for index in ("modules.dep", "modules.alias", "modules.symbols", "modules.builtin"):
            if os.path.exists(os.path.join(modules, index)):
                self.add(os.path.join(modules, index), f"/lib/modules/{version}/{index}")

    def pack(self, archive):
        files = run("find", ".", cwd=self.folder)
        with open(archive, "wb") as out:
            cpio = subprocess.Popen(["busybox", "cpio", "-o", "-H", "newc"], cwd=self.folder,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            gzip = subprocess.Popen(["gzip", "-1"], stdin=cpio.stdout, stdout=out)
            cpio.stdin.write(files.encode())
            cpio.stdin.close()
            if gzip.wait() or cpio.wait():
                raise RuntimeError("packing the initramfs failed")
