#!/usr/bin/python3
"""What RuntimeManager costs: a direct call, a byte relay (socat) and RuntimeManager, interleaved in one run.

The far end is a simulated runtime that answers at once (Tests/SimulatedRuntime), the near end h2load. Everything is
pinned to one core, so that times do not depend on which cores happen to be awake. Prints medians and goals; it
compares, and never fails because something is slow.
"""

import argparse
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATUS = "/runtime.v1.RuntimeService/Status"
RUN_POD = "/runtime.v1.RuntimeService/RunPodSandbox"
HOOK = "/runtime.v1.RuntimeHookService/PreRunPodSandboxHook"


# Messages


def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def pairs(number, entries):
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in entries.items())


def opaque(size):
    """A message of about `size` bytes: one field that CRI does not have."""
    return field(1000, b"a" * (size - 3))


def run_pod_sandbox():
    """A RunPodSandboxRequest of about 2 KB, as kubelet sends it for a pod with ordinary metadata."""
    uid = "6f0c3c9e-1f5b-4d59-9a43-0c7f5a1f2f4e"
    labels = {"io.kubernetes.pod.name": "web-7c5ddbdf54-x2x7k", "io.kubernetes.pod.namespace": "default",
              "io.kubernetes.pod.uid": uid, "app": "web", "pod-template-hash": "7c5ddbdf54"}
    labels |= {f"example.com/label-{index}": f"value-{index}" for index in range(8)}
    annotations = {"kubernetes.io/config.seen": "2025-01-01T00:00:00.000000000Z", "kubernetes.io/config.source": "api"}
    annotations |= {f"example.com/annotation-{index}": "v" * 120 for index in range(8)}
    metadata = field(1, "web-7c5ddbdf54-x2x7k") + field(2, uid) + field(3, "default") + field(4, 0)
    linux = field(1, f"/kubepods/burstable/pod{uid}") + field(2, field(7, field(1, 2)))
    config = field(1, metadata) + field(2, "web-7c5ddbdf54-x2x7k") + field(3, f"/var/log/pods/default_web_{uid}")
    config += field(4, field(1, "10.96.0.10") + field(2, "default.svc.cluster.local"))
    config += pairs(6, labels) + pairs(7, annotations) + field(8, linux)
    return field(1, config) + field(2, "runc")


# Processes


def stop(text):
    sys.exit(f"bench: {text}")


def find_tools():
    missing = [tool for tool in ("h2load", "socat") if not shutil.which(tool)]
    if missing and os.geteuid() == 0:
        subprocess.run([os.path.join(ROOT, "Tests", "setup")], check=False)
        missing = [tool for tool in missing if not shutil.which(tool)]
    if missing:
        stop(f"{' and '.join(missing)} missing: install the packages nghttp2-client and socat")


def build():
    if not shutil.which("swift"):
        stop("swift missing: a Swift 6 toolchain must be in PATH")
    # One after the other: SwiftPM builds one product at a time.
    for product in ("runtime-manager", "simulated-runtime"):
        command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", product]
        if subprocess.run(command, cwd=ROOT).returncode:
            stop(f"{' '.join(command)} failed")


class Bench:
    def __init__(self, arguments, place):
        self.place, self.binaries = place, arguments.binaries
        self.manager = arguments.manager or os.path.join(self.binaries, "runtime-manager")
        self.processes = []

    def path(self, name):
        return os.path.join(self.place, name)

    def start(self, command, socket, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        until = time.monotonic() + 10
        while not os.path.exists(socket):
            if process.poll() is not None or time.monotonic() > until:
                stop(f"{' '.join(command)} did not come up")
            time.sleep(0.01)
        return process

    def runtime(self, name, *flags):
        socket = self.path(name)
        self.start([os.path.join(self.binaries, "simulated-runtime"), socket, *flags], socket)
        return socket

    def relay(self, name, runtime):
        socket = self.path(name)
        self.start(["socat", "-b", "65536", f"UNIX-LISTEN:{socket},fork,backlog=64", f"UNIX-CONNECT:{runtime}"], socket)
        return socket

    def serve(self, name, runtime, plugins=None):
        socket, hooks, log = self.path(name), self.path(name + ".d"), self.path(name + ".log")
        os.mkdir(hooks, 0o755)
        for plugin, endpoint in (plugins or {}).items():
            register(hooks, plugin, endpoint)
        command = [self.manager, "serve", "--listen", socket, "--runtime-endpoint", runtime, "--hook-dir", hooks]
        with open(log, "wb") as stderr:
            process = self.start(command, socket, stderr=stderr)
        wait_for(log, "store rebuilt")
        return Manager(process, socket, hooks, log)

    def body(self, name, message):
        with open(self.path(name), "wb") as file:
            file.write(struct.pack(">BI", 0, len(message)) + message)
        return self.path(name)

    def load(self, socket, method, body, calls, in_flight=1, smallest_answer=1):
        """Runs h2load; the latencies in microseconds, sorted, and calls a second."""
        log = self.path("calls.log")
        if os.path.exists(log):
            os.remove(log)
        command = ["h2load", "-n", str(calls), "-c", "1", "-m", str(in_flight), "-w", "24", "-W", "26", "-B", f"unix:{socket}",
                   "-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body, "--log-file", log,
                   "http://localhost" + method]
        out = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
        # An error status has no message, so the bytes of DATA prove that every call was answered.
        data = re.search(r"\((\d+)\) data", out)
        if f"{calls} succeeded" not in out or not data or int(data[1]) < calls * smallest_answer:
            stop(f"calls of {method} on {socket} failed:\n{out}")
        with open(log) as lines:
            calls_seen = [tuple(map(int, line.split("\t"))) for line in lines]
        span = max(start + took for start, _, took in calls_seen) - min(start for start, _, _ in calls_seen)
        return sorted(took for _, _, took in calls_seen), calls / span * 1e6

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Manager:
    def __init__(self, process, socket, hooks, log):
        self.process, self.socket, self.hooks, self.log = process, socket, hooks, log

    def cpu(self):
        """CPU time of all threads, seconds: in nanoseconds where the kernel counts them, else in ticks."""
        task = f"/proc/{self.process.pid}/task"
        try:
            spent = [int(open(f"{task}/{thread}/schedstat").read().split()[0]) for thread in os.listdir(task)]
            return sum(spent) / 1e9
        except OSError:
            fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Of /proc/PID/status, in MB: the peak, and now: of our own, and of mapped files; and the threads."""
        text = open(f"/proc/{self.process.pid}/status").read()
        number = lambda name: int(re.search(rf"{name}:\s+(\d+)", text)[1])
        return [number(name) * 1024 / 1e6 for name in ("VmHWM", "RssAnon", "RssFile")] + [number("Threads")]


def register(hooks, name, endpoint):
    """Puts a registration file in its place as a careful vendor does: written aside, then renamed."""
    aside = os.path.join(hooks, f".{name}")
    with open(aside, "w") as file:
        file.write(f'{{"remote-endpoint": "{endpoint}", "runtime-hooks": ["PreRunPodSandbox"]}}')
    os.chmod(aside, 0o644)
    renamed = time.monotonic()
    os.rename(aside, os.path.join(hooks, f"{name}.json"))
    return renamed


def wait_for(log, text, within=10):
    until = time.monotonic() + within
    while time.monotonic() < until:
        with open(log) as lines:
            if text in lines.read():
                return time.monotonic()
        time.sleep(0.0005)
    stop(f"no line with {text!r} in {log}:\n" + open(log).read())


# Measurements


class Series:
    """One row of the table: what each round measured."""

    def __init__(self, title):
        self.title, self.medians, self.p99s, self.rates, self.cpus = title, [], [], [], []

    def add(self, measured, cpu=None):
        latencies, rate = measured
        self.medians.append(statistics.median(latencies))
        self.p99s.append(latencies[min(int(len(latencies) * 0.99), len(latencies) - 1)])
        self.rates.append(rate)
        if cpu is not None:
            self.cpus.append(cpu * 1e6 / len(latencies))

    def row(self):
        middle = statistics.median
        cpu = f"{middle(self.cpus):.2f} ({min(self.cpus):.2f}..{max(self.cpus):.2f})" if self.cpus else ""
        return [self.title, f"{middle(self.medians):.0f}", f"{min(self.medians):.0f}..{max(self.medians):.0f}",
                f"{middle(self.p99s):.0f}", f"{middle(self.rates):,.0f}", cpu]


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for index, row in enumerate(rows):
        print("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))))
        if index == 0:
            print("  ".join("-" * width for width in widths))


def over(numbers, digits=2):
    return f"{statistics.median(numbers):.{digits}f} ({min(numbers):.{digits}f}..{max(numbers):.{digits}f})"


def measure(bench, arguments):
    runtime = bench.runtime("runtime.sock")
    relay = bench.relay("relay.sock", runtime)
    plain = bench.serve("plain.sock", runtime)
    plugin = bench.runtime("plugin.sock", "--plugin")
    hooked = bench.serve("hooked.sock", runtime, {"bench": plugin})
    small, pod = bench.body("small", opaque(100)), bench.body("pod", run_pod_sandbox())
    ways = {"direct": runtime, "byte relay": relay, "RuntimeManager": plain.socket}
    calls, series = arguments.calls, {}

    def sample(title, socket, *load, manager=None, **options):
        before = manager.cpu() if manager else 0
        measured = bench.load(socket, *load, **options)
        spent = manager.cpu() - before if manager else None
        series.setdefault(title, Series(title)).add(measured, spent)

    for way, socket in ways.items():
        bench.load(socket, STATUS, small, 500)
    peak = None
    for number in range(arguments.rounds):
        print(f"bench: round {number + 1} of {arguments.rounds}", file=sys.stderr)
        for in_flight in (1, 32):
            for way, socket in ways.items():
                sample(f"100 B, {in_flight} in flight, {way}", socket, STATUS, small, calls * (3 if in_flight > 1 else 1),
                       manager=plain if way == "RuntimeManager" else None, in_flight=in_flight, smallest_answer=100)
    peak = plain.memory()
    for _ in range(arguments.rounds):
        sample("RunPodSandbox 2 KB, direct", runtime, RUN_POD, pod, calls // 4)
        sample("2 KB, relayed", plain.socket, STATUS, pod, calls // 4, manager=plain)
        sample("RunPodSandbox 2 KB, observed", plain.socket, RUN_POD, pod, calls // 4, manager=plain)
        sample("hook, plugin called directly", plugin, HOOK, pod, calls // 4)
        sample("RunPodSandbox 2 KB, one plugin", hooked.socket, RUN_POD, pod, calls // 4, manager=hooked)
    if arguments.large:
        large = bench.runtime("large.sock", "--answer-bytes", str(16 << 20))
        relay, manager = bench.relay("large-relay.sock", large), bench.serve("large-rm.sock", large)
        for _ in range(arguments.rounds):
            for way, socket in (("direct", large), ("byte relay", relay), ("RuntimeManager", manager.socket)):
                sample(f"16 MiB answer, {way}", socket, STATUS, small, 10, smallest_answer=16 << 20,
                       manager=manager if way == "RuntimeManager" else None)
    reactions = []
    for number in range(20):
        renamed = register(plain.hooks, f"reaction-{number}", plugin)
        reactions.append((wait_for(plain.log, f"plugin reaction-{number}: registered") - renamed) * 1e3)
        time.sleep(0.05)
    return series, peak, reactions


def report(series, peak, reactions):
    print()
    table([["", "median us", "min..max", "p99 us", "calls/s", "CPU us a call"]] + [one.row() for one in series.values()])
    medians = lambda title: series[title].medians
    one = "100 B, 1 in flight, "
    direct, relay, manager = medians(one + "direct"), medians(one + "byte relay"), medians(one + "RuntimeManager")
    added = [(m - d) / max(r - d, 0.5) for d, r, m in zip(direct, relay, manager)]
    plain, hooked = medians("2 KB, relayed"), medians("RunPodSandbox 2 KB, one plugin")
    plugin = medians("hook, plugin called directly")
    cost = [h / (2 * p + q) for h, p, q in zip(hooked, plain, plugin)]
    print()
    table([
        ["", "measured (min..max)", "goal"],
        ["1 in flight: added, of what the byte relay adds", over(added), "at most 2.20"],
        ["32 in flight: CPU us a call", over(series["100 B, 32 in flight, RuntimeManager"].cpus), "at most 6.50"],
        ["one plugin: of two relayed calls and the plugin's own time", over(cost), "at most 1.00"],
        ["peak memory after the 100 B load, MB", f"{peak[0]:.1f}", "below 14"],
        ["  of it ours / of mapped files, MB", f"{peak[1]:.1f} / {peak[2]:.1f}", ""],
        ["  threads", f"{peak[3]}", ""],
        ["a registration file renamed into place: ms to the reaction", over(reactions, 1), "aim 100"],
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of 100 B at 1 in flight, a round")
    parser.add_argument("--large", action="store_true", help="16 MiB answers too")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--no-pin", action="store_true", help="use every core")
    parser.add_argument("--binaries", default=os.path.join(ROOT, ".build", "release"))
    parser.add_argument("--manager", help="another runtime-manager")
    arguments = parser.parse_args()
    find_tools()
    if not arguments.no_build:
        build()
    if not arguments.no_pin:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="rm-bench-", dir="/tmp") as place:
        bench = Bench(arguments, place)
        try:
            report(*measure(bench, arguments))
        finally:
            bench.end()


if __name__ == "__main__":
    main()
