"""A containerd of one's own: nothing of the machine's configuration or services is touched.

    with PrivateContainerd() as containerd:
        containerd.socket      # the CRI endpoint
        containerd.restart()   # killed and started again; containers live on

Everything lives in one short directory (socket paths stay under 108 bytes). `stop` takes away all of it: shims,
containers, mounts, network namespaces, cgroups. What a killed test run left behind is swept by the next one.

    python3 -m Peers.containerd            # prints the socket, serves until Ctrl-C
    python3 -m Peers.containerd --sweep    # only removes what dead runs left
"""

import atexit
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import images
from .held_runc import HANDLER, HeldRunc
from .wait import eventually

PREFIX = "rmc-"
CGROUP_ROOT = pathlib.Path("/sys/fs/cgroup")
PACKAGED = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "busybox": "busybox-static",
}
_libc = ctypes.CDLL(None, use_errno=True)


class NotPossible(Exception):
    """A real containerd cannot run here; the text says why in one line."""


def why_not():
    """Why a private containerd cannot run here; None if it can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = sorted({package for tool, package in PACKAGED.items() if not shutil.which(tool)})
    if missing:
        return "missing packages: " + " ".join(missing) + " (Tests/setup installs them)"
    if cgroup_version() is None:
        return "no cgroup file system at /sys/fs/cgroup"
    return None


def cgroup_version():
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        return 2
    return 1 if (CGROUP_ROOT / "cpu").is_dir() else None


def dying_with_parent(command):
    """The command as one that is killed when the thread that starts it ends.

    It is not asked for in a `preexec_fn`: Python would then run between fork and exec, with gRPC's threads gone and
    their locks as they were, where gRPC aborts now and then.
    """
    return ["setpriv", "--pdeathsig", "KILL", *command]


def _start_time(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def _processes():
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            arguments = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            parent = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            yield int(entry), parent, [a.decode(errors="replace") for a in arguments]


def _mounts_below(directory):
    below = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split(" ")[4].encode().decode("unicode_escape")
        if point == str(directory) or point.startswith(f"{directory}/"):
            below.append(point)
    return below


def _hierarchies():
    """The directories that hold a tree of cgroups: one on v2, one a controller on v1."""
    if cgroup_version() == 2:
        return [CGROUP_ROOT]
    return [path for path in CGROUP_ROOT.iterdir() if path.is_dir() and not path.is_symlink()]


def _remove_cgroup(path):
    for directory, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def clean(directory):
    """Takes away everything that a private containerd in `directory` made, whether it still runs or not."""
    directory = pathlib.Path(directory)
    address = str(directory / "c.sock")
    mine, containers, sockets = set(), set(), set()
    table = list(_processes())
    for pid, _, arguments in table:
        if arguments[0].endswith("containerd") and f"--config={directory}/config.toml" in arguments:
            mine.add(pid)
        elif "containerd-shim" in arguments[0] and address in arguments:
            mine.add(pid)
            if "-id" in arguments:
                containers.add(arguments[arguments.index("-id") + 1])
    for pid in mine:  # the daemon and the shims first stop starting things, then die after their children
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    family = set(mine)
    grown = True
    while grown:
        grown = False
        for pid, parent, _ in _processes():
            if parent in family and pid not in family and pid != os.getpid():
                family.add(pid)
                grown = True
    for path in (directory / "t").glob("io.containerd.runtime.v2.task/*/*"):
        containers.add(path.name)
        with contextlib.suppress(OSError):
            sockets.add((path / "address").read_text().strip())
    groups = [h / part for h in _hierarchies() for part in [directory.name, *(f"k8s.io/{name}" for name in containers)]]
    for pid in list(family - mine) + [pid for group in groups for pid in _members(group)] + list(mine):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for name in sockets:
        path = name.removeprefix("unix://")
        if path.startswith("/run/containerd/s/"):
            with contextlib.suppress(OSError):
                os.unlink(path)
    for attempt in range(100):  # a killed container's mounts stay busy for a moment
        points = _mounts_below(directory)
        if not points:
            break
        for point in reversed(points):
            _libc.umount2(point.encode(), 2 if attempt > 50 else 0)
        time.sleep(0.02)
    link = directory / "bridge"
    if link.exists():
        subprocess.run(["ip", "link", "delete", link.read_text()], stderr=subprocess.DEVNULL)
    for attempt in range(100):
        groups = [group for group in groups if group.exists()]
        if not groups:
            break
        for group in groups:
            _remove_cgroup(group)
        time.sleep(0.02 if attempt else 0)
    for hierarchy in _hierarchies():
        with contextlib.suppress(OSError):
            (hierarchy / "k8s.io").rmdir()
    shutil.rmtree(directory, ignore_errors=True)
    for leftover in ["s", "runc/k8s.io", "runc", ""]:
        with contextlib.suppress(OSError):
            os.rmdir(f"/run/containerd/{leftover}")


def _members(group):
    for path in [*group.glob("**/cgroup.procs")]:
        with contextlib.suppress(OSError):
            yield from map(int, path.read_text().split())


def sweep():
    """Cleans up after runs whose process is gone."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            owner = json.loads((path / "owner").read_text())
        except (OSError, ValueError):
            continue
        if _start_time(owner["pid"]) != owner["started"]:
            clean(path)


def _can(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class PrivateContainerd:
    def __init__(self, config_extra=""):
        reason = why_not()
        if reason:
            raise NotPossible(reason)
        sweep()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
        (self.dir / "owner").write_text(json.dumps({"pid": os.getpid(), "started": _start_time(os.getpid())}))
        self.socket = str(self.dir / "c.sock")
        self.log = self.dir / "log"
        #: A cgroup of this instance's own; pods go below it and `stop` removes it.
        self.cgroup = "/" + self.dir.name
        #: What pods of the runtime handler `HANDLER` are run by.
        self.runc = HeldRunc(self.dir / "held")
        self.bridge = None
        self.process = None
        self._atexit = lambda: self.stop()
        atexit.register(self._atexit)
        self._configure(config_extra)
        self.start()
        self.import_images()

    # Life

    def start(self, within=30):
        self.process = subprocess.Popen(
            dying_with_parent(["containerd", f"--config={self.dir}/config.toml"]),
            stdin=subprocess.DEVNULL,
            stdout=open(self.log, "ab"),
            stderr=subprocess.STDOUT,
        )
        from .cri import Runtime

        def answers():
            if self.process.poll() is not None:
                raise NotPossible("containerd ended: " + self.last_error())
            with Runtime(self.socket) as runtime:
                try:
                    conditions = runtime.call("Status", timeout=5).status.conditions
                except Exception:
                    return False
                return any(c.type == "RuntimeReady" and c.status for c in conditions)

        eventually(answers, within=within, what="containerd answers Status")

    def kill(self):
        """The daemon alone dies, at once; its containers live on."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        atexit.unregister(self._atexit)
        clean(self.dir)
        if self.process:
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Reading back

    def last_error(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line for line in reversed(lines) if "level=fatal" in line or "error" in line), "no log")

    def received(self, verb, identifier):
        """How often it has taken up this call about this pod or container: it logs that, and each call's end."""
        begun = re.compile(rf'msg="{verb} (?!.*( returns | failed")).*{identifier}')
        return sum(bool(begun.search(line)) for line in self.log.read_text(errors="replace").splitlines())

    def unread(self):
        """How many bytes lie in the sockets of its connections, sent and not read."""
        command = ["ss", "-Hx", "state", "connected", "src", self.socket]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return sum(int(line.split()[2]) for line in listed.splitlines())

    def ctr(self, *arguments):
        done = subprocess.run(
            ["ctr", "-a", self.socket, "-n", "k8s.io", *arguments], capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise RuntimeError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def spec(self, container):
        """The OCI spec that containerd gave the container at creation."""
        return json.loads(self.ctr("container", "info", container))["Spec"]

    # Parts

    def _configure(self, extra):
        d = self.dir
        snapshotter = "overlayfs" if self._overlay_works() else "native"
        (d / "cni").mkdir()
        if shutil.which("ip") and os.path.exists("/usr/lib/cni/bridge"):
            self._configure_bridge()
        (d / "config.toml").write_text(
            f"""
version = 2
root = "{d}/r"
state = "{d}/t"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing"]
[grpc]
  address = "{d}/c.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{d}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  enable_selinux = false
  tolerate_missing_hugetlb_controller = true
  disable_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{d}/t/runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{HANDLER}]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{HANDLER}.options]
        Root = "{d}/t/runc"
        BinaryName = "{self.runc.path}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{d}/cni"
{extra}
"""
        )

    def _overlay_works(self):
        with tempfile.TemporaryDirectory(dir=self.dir) as probe:
            for name in ["lower", "upper", "work", "merged"]:
                os.mkdir(f"{probe}/{name}")
            options = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
            if not _can("mount", "-t", "overlay", "overlay", "-o", options, f"{probe}/merged"):
                return False
            _libc.umount2(f"{probe}/merged".encode(), 2)
            return True

    def _configure_bridge(self):
        """Pod networks, where the kernel can make bridges and veth pairs; otherwise pods use the host's network."""
        if not _can("unshare", "--net", "sh", "-c", "ip link add b0 type bridge && ip link add v0 type veth peer name v1"):
            return
        self.bridge = "rmc" + os.urandom(3).hex()
        (self.dir / "bridge").write_text(self.bridge)
        (self.dir / "cni" / "10-test.conflist").write_text(
            json.dumps(
                {
                    "cniVersion": "1.0.0",
                    "name": self.bridge,
                    "plugins": [
                        {
                            "type": "bridge",
                            "bridge": self.bridge,
                            "isGateway": False,
                            "ipMasq": False,
                            "ipam": {
                                "type": "host-local",
                                "dataDir": f"{self.dir}/ipam",
                                "ranges": [[{"subnet": "10.255.77.0/24"}]],
                            },
                        }
                    ],
                }
            )
        )

    def import_images(self):
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        tar = self.dir / "images.tar"
        tar.write_bytes(images.archive(machine))
        self.ctr("image", "import", str(tar))
        tar.unlink()
        from .cri import Runtime

        with Runtime(self.socket) as runtime:  # the CRI plugin learns of imported images by events

            def known():
                tags = [t for i in runtime.call("ListImages").images for t in i.repo_tags]
                return images.PAUSE in tags and images.SAMPLE in tags

            eventually(known, what="containerd's CRI plugin knows the imported images")


def in_cgroup(parent, name, file):
    """What the kernel says: `file` of cgroup `parent`/`name`, given by its v1 name and read on v1 or v2.

    Files: cpu.shares, cpu.cfs_quota_us, cpu.cfs_period_us, memory.limit_in_bytes, cpuset.cpus. Numbers come back as int.
    """
    parent = parent.strip("/")
    if cgroup_version() == 1:
        text = (CGROUP_ROOT / file.split(".")[0] / parent / name / file).read_text().strip()
        return int(text) if text.lstrip("-").isdigit() else text
    directory = CGROUP_ROOT / parent / name
    if file == "cpu.shares":  # runc's conversion, turned around
        weight = int((directory / "cpu.weight").read_text())
        return weight_to_shares(weight)
    if file in ("cpu.cfs_quota_us", "cpu.cfs_period_us"):
        quota, period = (directory / "cpu.max").read_text().split()
        return int(period) if file == "cpu.cfs_period_us" else -1 if quota == "max" else int(quota)
    if file == "memory.limit_in_bytes":
        text = (directory / "memory.max").read_text().strip()
        return -1 if text == "max" else int(text)
    return (directory / file).read_text().strip()


def weight_to_shares(weight):
    return 2 + (weight - 1) * 262142 // 9999


def same_shares(read, asked):
    """Whether the kernel holds the shares asked for; v2 rounds them to a weight of 1 to 10,000."""
    if cgroup_version() == 1:
        return read == asked
    return abs(read - asked) <= 262142 // 9999 + 1


def _serve():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with PrivateContainerd() as containerd:
        print(containerd.socket, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    if sys.argv[1:] == ["--sweep"]:
        sweep()
    else:
        try:
            _serve()
        except NotPossible as reason:
            sys.exit(f"skipped: {reason}")
