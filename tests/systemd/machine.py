# SPDX-License-Identifier: Apache-2.0
"""A machine with systemd as its process 1, in namespaces of this one: this machine's /usr, with what "make install" made
in /usr/local, and /etc and /var of its own that outlive a boot. /run, /tmp, the BPF file system and all processes are new
with each boot."""
import errno
import json
import os
import shutil
import signal
import subprocess
import time

SECONDS = 120
SYSTEMD = "/lib/systemd/systemd"
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\ntty:x:5:\nadm:x:4:\nutmp:x:43:\nshadow:x:42:\nsystemd-journal:x:101:\nnogroup:x:65534:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "fstab": "", "machine-id": "", "resolv.conf": "",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    # the machine's journal goes to a disk that a boot keeps, and to nowhere else
    "systemd/journald.conf": "[Journal]\nStorage=persistent\nForwardToConsole=no\nReadKMsg=no\n",
}
# What would look for hardware, consoles and users that are not here.
MASKED = ("getty.target", "console-getty.service", "systemd-logind.service", "systemd-timesyncd.service", "apt-daily.timer",
          "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "e2scrub_reap.service",
          "remote-fs.target", "systemd-udevd.service", "systemd-resolved.service", "systemd-networkd.service")
COPIED = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl", "protocols", "services")

# Runs in new namespaces: makes the tree, and becomes systemd. $1: the machine's folder, $2: its name.
START = r"""
set -e
mount --make-rprivate /
root=$1/root
mount -t tmpfs -o mode=755 tmpfs $root
cd $root
mkdir -p usr etc var run tmp proc sys dev root srv opt home mnt
mount --rbind /usr usr
mount --make-rslave usr
mount --bind $1/local usr/local
mount --bind $1/etc etc
mount --bind $1/var var
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
for d in bin sbin lib lib64; do ln -s usr/$d $d; done
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || {
	mount -t tmpfs tmpfs sys/fs/cgroup
	mount -t cgroup2 cgroup2 sys/fs/cgroup
}
mount -t tmpfs -o mode=755 tmpfs dev
for n in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
	set -- $n "$@"
	mknod -m 666 dev/$1 c $2 $3
	shift 3
done
mkdir dev/pts dev/shm dev/net dev/mqueue
mknod -m 666 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
hostname $2
mkdir -p old
pivot_root . old
umount -l /old
rmdir /old
exec env -i container=viaduct PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin /lib/systemd/systemd --system \
	--log-target=journal --show-status=false --unit=multi-user.target
"""


def run(*argv, check=True, **kw):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **{"timeout": SECONDS, **kw})
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def wait_for(what, condition, seconds=SECONDS):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)


def unified():
    """Where this machine's control groups of version 2 are."""
    for line in open("/proc/mounts"):
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return place
    raise RuntimeError("no control groups of version 2 are mounted here")


class Machine:
    def __init__(self, folder, name, local):
        self.name, self.folder = name, os.path.join(folder, name)
        self.netns = f"vd-systemd-{os.getpid()}-{name}"
        self.cgroup = os.path.join(unified(), self.netns)
        self.process, self.init = None, None
        for d in ("root", "etc/systemd/system", "var/log/journal", "var/lib", "var/tmp"):
            os.makedirs(os.path.join(self.folder, d))
        shutil.copytree(local, os.path.join(self.folder, "local"), symlinks=True)
        for path, text in ETC.items():
            with open(os.path.join(self.folder, "etc", path), "w") as f:
                f.write(text)
        for path in COPIED:
            source, target = f"/etc/{path}", os.path.join(self.folder, "etc", path)
            if os.path.isdir(source):
                shutil.copytree(source, target, symlinks=True)
            elif os.path.exists(source):
                shutil.copy2(source, target)
        os.symlink("../run", os.path.join(self.folder, "var/run"))
        for unit in MASKED:
            os.symlink("/dev/null", os.path.join(self.folder, "etc/systemd/system", unit))

    def boot(self, plug):
        """Starts it; 'plug' gives its network namespace, which is new, its links."""
        run("ip", "netns", "add", self.netns)
        run("ip", "-n", self.netns, "link", "set", "lo", "up")
        plug(self)
        os.makedirs(self.cgroup, exist_ok=True)
        log = open(os.path.join(self.folder, "console"), "a")
        inner = f"echo $$ > {self.cgroup}/cgroup.procs && exec unshare --mount --pid --uts --ipc --cgroup --fork " \
                f"--kill-child sh -c '{START_QUOTED}' start {self.folder} {self.name}"
        self.process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.netns}", "sh", "-c", inner],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.init = wait_for(f"process 1 of {self.name}", self.find_init)
        wait_for(f"{self.name} to start", lambda: self.state() in ("running", "degraded"))

    def find_init(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start: {open(os.path.join(self.folder, 'console')).read()}")
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        if not children or os.path.basename(os.readlink(f"/proc/{children[0]}/exe")) != "systemd":
            return None
        return int(children[0])

    def state(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def argv(self, *argv):
        return ["nsenter", "-t", str(self.init), "-m", "-n", "-p", "-u", "-i", "-C", "-r", "-w", "--", "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", *map(str, argv)]

    def run(self, *argv, **kw):
        return run(*self.argv(*argv), **kw)

    def spawn(self, *argv):
        return subprocess.Popen(self.argv(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def json(self, *argv):
        return json.loads(self.run(*argv, "--json").stdout)

    def write(self, path, text):
        """A file as the machine sees it, in /etc, /var or /usr/local."""
        place = self.folder + (path.replace("/usr/local", "/local") if path.startswith("/usr/local") else path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as f:
            f.write(text)

    def shut_down(self, verb="poweroff"):
        """As an operator does it; every process is gone afterwards."""
        self.run("systemctl", verb, check=False)
        self.process.wait(SECONDS)
        self.clean()

    def clean(self):
        wait_for("the control group to end", self.remove_cgroup)
        run("ip", "netns", "del", self.netns, check=False)
        self.init = None

    def remove_cgroup(self):
        """False: it has processes yet, be it dead ones."""
        try:
            for path, _, _ in os.walk(self.cgroup, topdown=False):
                os.rmdir(path)
        except OSError as e:
            if e.errno in (errno.EBUSY, errno.ENOTEMPTY):
                return False
            raise
        return True

    def destroy(self):
        if self.process and self.process.poll() is None:
            if self.init:
                os.kill(self.init, signal.SIGKILL)
            self.process.kill()
            self.process.wait(SECONDS)
        self.clean()


START_QUOTED = START.replace("'", "'\\''")
