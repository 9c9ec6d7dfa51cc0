#!/usr/bin/python3
"""A kubelet's load on RuntimeManager for minutes or days, with plugins and a runtime that restart.

    run.py --minutes 10 --seed 1

Once a second all pods and 2,000 containers are listed and a pod lives from run to remove; 50 exec probes a second, one
event stream, three plugins: one stays up under Fail, two restart at random under Ignore, one of them being owed its
PostStop hooks under Fail. The runtime is a simulated one (Tests/SimulatedRuntime). Writes soak.csv and soak.svg; ends
with exit code 0 only if every goal holds.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import random
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", "Bench"), os.path.join(HERE, "..")]

import verdict  # noqa: E402
from kubelet import BASE_ID, Kubelet, middle, p99  # noqa: E402
from Peers.admin import Admin  # noqa: E402
from Peers.cri import Runtime  # noqa: E402
from Peers.messages import cri  # noqa: E402
from Peers.wait import eventually  # noqa: E402
from processes import ROOT, Manager, Place, build_swift, find_pictures, memory, read, register  # noqa: E402
from report import command, markdown, put_into, shown  # noqa: E402
from restarts import Outages, control, schedule  # noqa: E402

import grpc  # noqa: E402

PRE_HOOKS = ["PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PostStartContainer", "PreUpdateContainerResources"]
STOP_HOOKS = ["PostStopContainer", "PostStopPodSandbox"]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="of the restarts (printed)")
    parser.add_argument("--pods", type=int, default=500)
    parser.add_argument("--containers", type=int, default=2_000)
    parser.add_argument("--out", default=os.path.join(ROOT, ".build", "soak"))
    parser.add_argument("--manager", help="another runtime-manager")
    parser.add_argument("--binaries", default=os.path.join(ROOT, ".build", "release"), help="where the Swift programs are")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="print the goals as markdown")
    parser.add_argument("--document", metavar="FILE", help="put the goals between the marks in FILE, CSV and picture beside it")
    arguments = parser.parse_args()
    arguments.manager = arguments.manager or os.path.join(arguments.binaries, "runtime-manager")
    arguments.seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    arguments.command = command(parser, arguments)
    return arguments


class Plugin:
    """A plugin as a process that can be killed and started again on its path."""

    def __init__(self, place, name):
        self.place, self.name = place, name
        self.process, self.socket = place.runtime(f"{name}.sock", "--plugin")

    def restart(self, away, stop):
        self.process.kill()
        self.process.wait()
        self.place.processes.remove(self.process)
        stop.wait(away)
        self.process, _ = self.place.runtime(f"{self.name}.sock", "--plugin")


class Direct:
    """Five probes a second past RuntimeManager: what the machine and this program's own threads cost at that time."""

    def __init__(self, socket, stop):
        self.socket, self.stop, self.asked, self._fresh = socket, stop, 0, []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        request = cri.ExecSyncRequest(container_id=BASE_ID.format("c", 0), cmd=["probe"]).SerializeToString()
        with Runtime(self.socket) as runtime:
            while not self.stop.wait(0.2):
                began = time.monotonic()
                with contextlib.suppress(grpc.RpcError):
                    runtime.unary("ExecSync", request, timeout=5)
                    self.asked += 1
                    self._fresh.append((time.monotonic() - began) * 1e6)

    def take(self):
        taken, self._fresh = self._fresh, []
        return taken


COLUMNS = ["second", "rss_kib", "anon_kib", "fds", "threads", "probe_median_us", "probe_p99_us", "direct_median_us",
           "list_median_us", "run_pod_us", "calls", "failed", "restarted"]


def counts(socket):
    """What a simulated runtime or plugin was asked, by its own count."""
    return json.loads(control(socket, "Counts"))


def owed_checks(manager, kubelet):
    return verdict.owed_checks(Admin(manager.admin).request("GET", "/metrics")[2], kubelet)


def observed(second, manager, kubelet, direct, happened):
    """One row of the CSV: the state now, the latencies since the last row."""
    now, ledger = memory(manager.process.pid), kubelet.ledger
    probes = ledger.take("ExecSync")
    whole = lambda number: "" if number is None else round(number)
    return dict(zip(COLUMNS, [
        second, now.all // 1024, now.own // 1024, len(os.listdir(f"/proc/{manager.process.pid}/fd")), now.threads,
        whole(middle(probes)), whole(p99(probes)), whole(middle(direct.take())), whole(middle(ledger.take("ListContainers"))),
        whole(middle(ledger.take("RunPodSandbox"))), ledger.total(), len(ledger.failed), " ".join(happened)]))


def soak(arguments, place):
    """Runs the load; gives the rows and what is needed to judge."""
    there = ["--pods", str(arguments.pods), "--containers", str(arguments.containers)]
    _, runtime = place.runtime("runtime.sock", "--living", *there)
    steady, *restarting = [Plugin(place, name) for name in ("steady", "flaky", "owed")]
    manager = Manager(place, "RuntimeManager", arguments.manager, runtime)
    register(manager.hooks, "steady", steady.socket, PRE_HOOKS + STOP_HOOKS, **{"failure-policy": "Fail"})
    register(manager.hooks, "flaky", restarting[0].socket, PRE_HOOKS + STOP_HOOKS)
    register(manager.hooks, "owed", restarting[1].socket, PRE_HOOKS)
    register(manager.hooks, "owed-stops", restarting[1].socket, STOP_HOOKS, **{"failure-policy": "Fail"})
    for name in ("steady", "flaky", "owed", "owed-stops"):
        manager.wait_log(f"plugin {name}: registered")

    stop, quiet = threading.Event(), threading.Event()
    outages, planned = Outages(runtime, manager.socket), schedule(arguments.seed, arguments.minutes * 60)
    kubelet, direct = Kubelet(manager.socket, stop, arguments.pods, arguments.containers).start(), Direct(runtime, stop)
    begun, happened, rows, done = time.monotonic(), [], [], []

    def restart():
        for one in planned:
            if quiet.wait(max(begun + one.at - time.monotonic(), 0)):
                return
            happened.append(one.what)
            if one.what == "runtime":
                outages.restart_runtime(one.away)
            else:
                restarting[one.which].restart(one.away, quiet)
            done.append(one)

    restarter = threading.Thread(target=lambda: kubelet.guarded(restart), daemon=True)
    restarter.start()
    for second in range(1, int(arguments.minutes * 60) + 1):
        stop.wait(max(begun + second - time.monotonic(), 0))
        since, happened[:] = list(happened), []
        rows.append(observed(second, manager, kubelet, direct, since))
        if second % 60 == 0:
            last = rows[-1]
            print(f"soak: minute {second // 60}: {last['calls']:,} calls, {last['failed']} failed while the runtime was away, "
                  f"{last['rss_kib'] / 1024:.1f} MiB resident, probes {last['probe_median_us']} us", file=sys.stderr, flush=True)
    quiet.set()
    restarter.join(90)
    kubelet.finish_pods()
    with contextlib.suppress(AssertionError):  # those lost in a restart never come; the verdict counts them
        eventually(lambda: counts(runtime)["events"] == kubelet.events, 5)
    stop.set()
    kubelet.join()
    direct.thread.join(30)
    with contextlib.suppress(AssertionError):  # one that never comes is the verdict's
        eventually(lambda: owed_checks(manager, kubelet)[0].holds, 60)
    told, asked = counts(runtime), counts(steady.socket)
    events, rebuilds = kubelet.events, read(manager.log).count("store rebuilt")
    # The last comparison: what a fresh reading of the runtime finds wrong in the Store.
    restarts = len(outages.spans)
    outages.restart_runtime(0.1)
    eventually(lambda: read(manager.log).count("store rebuilt") > rebuilds, 60, "the Store is rebuilt")
    checks = verdict.memory_checks(rows)
    past = {"ExecSync": direct.asked, **verdict.list_checks(rebuilds)}
    checks += verdict.call_checks(kubelet.ledger, outages.excuse, told, past)
    checks += verdict.hook_checks(kubelet.ledger, kubelet, asked)
    checks += owed_checks(manager, kubelet)
    checks += verdict.event_checks(told["events"], events, restarts)
    checks += verdict.store_checks(read(manager.log), arguments.pods, arguments.containers)
    checks += verdict.load_checks(kubelet.crashed, len(planned), len(done))
    return rows, checks, kubelet, planned


def tell(arguments, kubelet, planned, checks, table, stream):
    ledger, restarts = kubelet.ledger, [one.what for one in planned]
    print(f"{arguments.minutes:g} minutes, seed {arguments.seed}: {ledger.total():,} calls, of which {len(ledger.failed)} failed "
          f"while the runtime was away; {restarts.count('runtime')} restarts of the runtime, {restarts.count('plugin')} of "
          "plugins.\n", file=stream)
    table([["soak", "goal", "measured", "verdict"]] + [check.row() for check in checks], stream)


def main():
    arguments = parsed()
    has_pictures = find_pictures()
    if not arguments.no_build:
        build_swift("simulated-runtime", "runtime-manager")
    print(f"soak: {arguments.minutes:g} minutes, seed {arguments.seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="rm-soak-", dir="/tmp") as directory:
        with Place(directory, arguments.binaries, None) as place:
            rows, checks, kubelet, planned = soak(arguments, place)
    os.makedirs(arguments.out, exist_ok=True)
    for directory in [arguments.out] + ([os.path.dirname(arguments.document) or "."] if arguments.document else []):
        with open(os.path.join(directory, "soak.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        if has_pictures:
            import timeline

            timeline.draw(rows, os.path.join(directory, "soak.svg"))
    if arguments.document:
        text = io.StringIO()
        tell(arguments, kubelet, planned, checks, markdown, text)
        put_into(arguments.document, arguments.command, text.getvalue())
    print()
    tell(arguments, kubelet, planned, checks, markdown if arguments.markdown else shown, sys.stdout)
    print(f"soak: soak.csv and soak.svg are in {arguments.out}", file=sys.stderr)
    sys.exit(0 if all(check.holds for check in checks) else 1)


if __name__ == "__main__":
    main()
