"""The processes of the bench: starting them, and what /proc says of them."""

import contextlib
import dataclasses
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Peers.wait import listens  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))


def stop(text):
    sys.exit(f"bench: {text}")


@dataclasses.dataclass
class Counters:
    """What a process has used so far: seconds of CPU of all threads, and how often they left a core."""

    cpu: float
    switches: int

    def __sub__(self, before):
        return Counters(self.cpu - before.cpu, self.switches - before.switches)


@dataclasses.dataclass
class Memory:
    """Of a process, in bytes: the peak, and now: all, its own (not of files), of mapped files."""

    peak: int
    all: int
    own: int
    files: int
    threads: int


def numbers(path, *names):
    with open(path) as file:
        text = file.read()
    return [int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for name in names]


def counters(pid):
    """Of all threads that there are. CPU in nanoseconds as the scheduler counts it, or in ticks where it does not."""
    task, spent, switches = f"/proc/{pid}/task", 0, 0
    for thread in os.listdir(task):
        # One that ends meanwhile was idle: those that do the work live as long as their process.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            switched = sum(numbers(f"{task}/{thread}/status", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))
            spent += cpu(f"{task}/{thread}")
            switches += switched
    return Counters(spent, switches)


def cpu(thread):
    if os.path.exists(f"{thread}/schedstat"):
        with open(f"{thread}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9
    with open(f"{thread}/stat") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    values = numbers(f"/proc/{pid}/status", "VmHWM", "VmRSS", "RssAnon", "RssFile", "Threads")
    return Memory(*[value * 1024 for value in values[:4]], values[4])


def find_tools(*wanted):
    """The Debian packages that the bench needs, installed if that is possible."""
    missing = lambda: [tool for tool in wanted if not shutil.which(tool)]
    if missing() and os.geteuid() == 0:
        subprocess.run([os.path.join(ROOT, "Tests", "setup"), "bench"], check=False)
    if missing():
        stop(f"{' and '.join(missing())} missing: run Tests/setup bench as root")


def find_pictures():
    """Whether pictures can be drawn; Debian's matplotlib is installed for it if that is possible."""
    there = lambda: importlib.util.find_spec("matplotlib") is not None
    if not there() and os.geteuid() == 0:
        subprocess.run([os.path.join(ROOT, "Tests", "setup"), "bench"], check=False)
        importlib.invalidate_caches()
    if not there():
        print("bench: no pictures: python3-matplotlib is missing (run Tests/setup bench as root)", file=sys.stderr)
    return there()


def build_swift(*products):
    if not shutil.which("swift"):
        stop("swift missing: a Swift 6 toolchain must be in PATH")
    # One after the other: SwiftPM builds one product at a time.
    for product in products:
        command = ["make", "build", f"PRODUCT={product}"]
        if subprocess.run(command, cwd=ROOT).returncode:
            stop(f"{' '.join(command)} failed")


def build_c(name, into, *flags):
    """Compiles Tests/Bench/`name`.c; gives the program's path."""
    os.makedirs(into, exist_ok=True)
    program, source = os.path.join(into, name), os.path.join(HERE, f"{name}.c")
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
        command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, *flags]
        if subprocess.run(command).returncode:
            stop(f"{' '.join(command)} failed")
    return program


def wait_for(condition, what, within=20):
    """Polls: what comes up or writes a log has no event for us."""
    until = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > until:
            stop(f"not within {within} s: {what() if callable(what) else what}")
        time.sleep(0.0005)
    return value


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def register(hooks, name, endpoint, points=("PreRunPodSandbox",), **keys):
    """Puts a registration file in its place as a careful vendor does: written aside, then renamed."""
    aside = os.path.join(hooks, f".{name}")
    with open(aside, "w") as file:
        json.dump({"remote-endpoint": endpoint, "runtime-hooks": list(points), **keys}, file)
    os.chmod(aside, 0o644)
    renamed = time.monotonic()
    os.rename(aside, os.path.join(hooks, f"{name}.json"))
    return renamed


class Place:
    """A directory for sockets, and the processes that serve there until it is left."""

    def __init__(self, path, binaries, peers):
        """`binaries`: where the Swift programs are; `peers`: where the C ones are."""
        self.path, self.binaries, self.peers = path, binaries, peers
        self.processes = []
        os.makedirs(path, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def named(self, name):
        return os.path.join(self.path, name)

    def start(self, command, socket, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        wait_for(lambda: listens(socket) or process.poll() is not None, f"{' '.join(command)} did not come up")
        if process.poll() is not None:
            stop(f"{' '.join(command)} ended")
        return process

    def runtime(self, name="runtime.sock", *flags):
        """A simulated runtime (or plugin); gives its process and socket."""
        socket = self.named(name)
        return self.start([os.path.join(self.binaries, "simulated-runtime"), socket, *flags], socket), socket

    def peer(self, name, program, runtime):
        """One of our own programs between, `program <listening socket> <runtime's socket>`."""
        socket = self.named(f"{program}.sock")
        return Way(name, socket, self.start([os.path.join(self.peers, program), socket, runtime], socket))

    def body(self, name, message):
        with open(self.named(name), "wb") as file:
            file.write(message)
        return self.named(name)


class Way:
    """A way to the runtime: its name, its socket, and the process in the middle, if there is one."""

    def __init__(self, name, socket, process=None):
        self.name, self.socket, self.process = name, socket, process

    def begin(self):
        """Before a measured load."""
        self.before = counters(self.process.pid) if self.process else None

    def look(self):
        """While a measured load is running."""

    def end(self):
        """After a measured load: what the process in the middle used for it."""
        return counters(self.process.pid) - self.before if self.process else None

    def memory(self):
        return memory(self.process.pid) if self.process else None


class Socat(Way):
    """socat serves one connection and ends with it, so each load gets its own."""

    def __init__(self, place, runtime):
        super().__init__("socat", place.named("socat.sock"))
        self.place, self.seen = place, None
        self.command = ["socat", "-b", "65536", f"UNIX-LISTEN:{self.socket},unlink-early", f"UNIX-CONNECT:{runtime}"]

    def begin(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = self.place.start(self.command, self.socket)
        self.before = counters(self.process.pid)

    def look(self):
        try:
            self.seen = memory(self.process.pid)
        except (OSError, TypeError):
            pass  # it has ended

    def end(self):
        _, _, usage = os.wait4(self.process.pid, 0)
        self.place.processes.remove(self.process)
        self.process.returncode = 0
        return Counters(usage.ru_utime + usage.ru_stime, usage.ru_nvcsw + usage.ru_nivcsw) - self.before

    def memory(self):
        return self.seen


def admin_flags(binary, path):
    """None for a build that is older than the admin side."""
    known = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True).stdout
    return ["--admin", os.environ.get("BENCH_ADMIN", path)] if "--admin" in known else []


class Manager(Way):
    """RuntimeManager with a hook directory of its own."""

    def __init__(self, place, name, binary, runtime, plugins=(), points=("PreRunPodSandbox",)):
        stem = f"rm-{len(place.processes)}"
        super().__init__(name, place.named(f"{stem}.sock"))
        self.hooks, self.log = place.named(f"{stem}.d"), place.named(f"{stem}.log")
        self.admin = place.named(f"{stem}.admin")
        os.mkdir(self.hooks, 0o755)
        for index, endpoint in enumerate(plugins):
            register(self.hooks, f"plugin-{index}", endpoint, points)
        command = [binary, "serve", "--listen", self.socket, "--runtime-endpoint", runtime, "--hook-dir", self.hooks,
                   *admin_flags(binary, self.admin)]
        with open(self.log, "wb") as stderr:
            self.process = place.start(command, self.socket, stderr=stderr)
        self.wait_log("store rebuilt")

    def wait_log(self, text, within=60):
        wait_for(lambda: text in read(self.log), lambda: f"a line with {text!r} in {self.log}:\n{read(self.log)}", within)
        return time.monotonic()


def turned(things, number):
    """Every round begins with another one of them."""
    return things[number % len(things):] + things[:number % len(things)]


def pinned(core):
    """Pins this process, and those it starts, to one core; gives that core."""
    core = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {core})
    return core
