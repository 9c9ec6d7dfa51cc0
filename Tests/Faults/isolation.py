#!/usr/bin/python3
"""What pods notice of a plugin that hangs for other pods.

    make build && RUNTIME_MANAGER=.build/release/runtime-manager /usr/bin/python3 Tests/Faults/isolation.py

500 pods start at once: RunPodSandbox, CreateContainer, StartContainer. For every fifth of them one plugin never answers,
at one hook point or another. The time from a pod's first call to its last answer, over all others, is compared with runs
of the same 500 pods with a plugin that answers for all, and with none: rounds of the three in turn, each on a daemon of its
own. It compares, and fails only if a pod that nothing hangs for does not start. Both ends are Python and share the
machine: the times are mostly theirs.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Peers.cri import Runtime, container_config, pod_config
from Peers.fake_runtime import FakeRuntime
from Peers.h2peer import H2Server
from Peers.manager import BINARY, Manager
from Peers.messages import cri
from Peers.recorder import POD_HOOKS, register
from Faults.plugin_faults import hook_of, request_of

PODS, EVERY = 500, 5
#: Where the plugin hangs, in turn.
POINTS = ("PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PostStartContainer")
LABEL = "example.com/hangs-at"
#: What the plugin's own timeout and kubelet's deadline are: longer than anything here takes.
TIMEOUT, DEADLINE = "60s", 600


class PartlyHanging:
    """A plugin that answers at once, except for pods whose label names the hook point: for those never."""

    def __init__(self, path, max_streams=2**31 - 1):
        self.held = []
        self.answered = 0
        self._changed = threading.Condition()
        self._is_released = False
        # As gRPC's servers, which limit nobody unless told to.
        self.server = H2Server(path, {"end": self._end}, max_streams=max_streams)

    def _end(self, connection, stream):
        name = hook_of(stream)
        request = request_of(name, bytes(stream.data[5:]))
        labels = request.labels if name in POD_HOOKS else request.pod_labels
        with self._changed:
            if labels.get(LABEL) == name and not self._is_released:
                self.held.append((connection, stream))
                self._changed.notify_all()
                return
            self.answered += 1
        connection.answer(stream)

    def wait_held(self, count, within):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.held) >= count, within), f"{len(self.held)} of {count} hang"

    def release(self):
        """Answers whatever it has left unanswered, and all that comes from now on."""
        with self._changed:
            self._is_released = True
            held, self.held = self.held, []
        for connection, stream in held:
            connection.answer(stream)

    def stop(self):
        self.server.stop()


class PodStart:
    """One pod from its first call to its last answer."""

    def __init__(self, fleet, number, hangs_at=None):
        self.fleet, self.number, self.hangs_at = fleet, number, hangs_at
        self.config = pod_config(name=f"pod-{number}", labels={LABEL: hangs_at} if hangs_at else {})
        self.pod = self.began = self.seconds = self.error = None

    def begin(self):
        self.began = time.monotonic()
        self._call(cri.RunPodSandboxRequest(config=self.config), self._create)

    def _create(self, answer):
        self.pod = cri.RunPodSandboxResponse.FromString(answer).pod_sandbox_id
        request = cri.CreateContainerRequest(
            pod_sandbox_id=self.pod, config=container_config(cpu_shares=100), sandbox_config=self.config
        )
        self._call(request, self._start)

    def _start(self, answer):
        container = cri.CreateContainerResponse.FromString(answer).container_id
        self._call(cri.StartContainerRequest(container_id=container), self._end)

    def _end(self, _):
        self.seconds = time.monotonic() - self.began
        self.fleet.ended(self)

    def _call(self, request, then):
        verb = type(request).__name__.removesuffix("Request")

        def done(call):
            try:
                then(call.result())
            except Exception as error:
                self.error = error
                self.fleet.ended(self)

        self.fleet.kubelet.begin(verb, request, timeout=DEADLINE).add_done_callback(done)


class Fleet:
    """Pods that start at once."""

    def __init__(self, kubelet, numbers, hangs_at=lambda number: None):
        self.kubelet = kubelet
        self._changed = threading.Condition()
        self._ended = []
        self.pods = [PodStart(self, number, hangs_at(number)) for number in numbers]
        self.others = [pod for pod in self.pods if not pod.hangs_at]
        self.hanging = [pod for pod in self.pods if pod.hangs_at]

    def begin(self):
        for pod in self.pods:
            pod.begin()

    def ended(self, pod):
        with self._changed:
            self._ended.append(pod)
            self._changed.notify_all()

    def wait(self, pods, within=90):
        """Waits until these pods have ended, well or not."""
        wanted = set(pods)
        with self._changed:
            done = self._changed.wait_for(lambda: wanted <= set(self._ended), within)
            assert done, f"{len(wanted & set(self._ended))} of {len(wanted)} pods have ended"

    def under_way(self):
        with self._changed:
            return [pod for pod in self.pods if pod not in self._ended]


def point_of(number):
    """Where the plugin hangs for the pod with this number, if it does."""
    return POINTS[number // EVERY % len(POINTS)] if number % EVERY == 0 else None


#: What is compared.
RUNS = ("no plugin", "it answers", "it hangs")


def one_round(run):
    """The others' times in seconds, sorted."""
    with tempfile.TemporaryDirectory(prefix="rmi-", dir="/tmp") as place, \
            FakeRuntime(os.path.join(place, "runtime.sock")) as runtime:
        plugin = PartlyHanging(os.path.join(place, "p.sock"))
        hook_dir = os.path.join(place, "hooks.d")
        os.makedirs(hook_dir)
        if run != "no plugin":
            register(hook_dir, "p", plugin.server.path, POINTS, "Fail", timeout=TIMEOUT)
        with Manager(place, runtime.socket) as manager, Runtime(manager.listen) as kubelet:
            kubelet.call("Status")
            fleet = Fleet(kubelet, range(PODS), point_of if run == "it hangs" else lambda number: None)
            fleet.begin()
            fleet.wait(fleet.others)
            failed = [pod.error for pod in fleet.others if pod.error]
            if failed:
                sys.exit(f"isolation: {len(failed)} pods did not start, the first: {failed[0]}")
            if len(fleet.under_way()) != len(fleet.hanging):
                sys.exit("isolation: pods have started for which the plugin hangs")
            plugin.release()
            fleet.wait(fleet.hanging)
        plugin.stop()
        return sorted(pod.seconds for pod in fleet.others if point_of(pod.number) is None)


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{PODS} pods start at once; \"it hangs\": for {PODS // EVERY} of them the plugin never answers; times of the others")
    print("ms     " + "".join(f"{run + ': p50':>18}{'p99':>7}" for run in RUNS))
    seen = {run: [] for run in RUNS}
    one_round("it answers")  # the ends warm up
    for number in range(rounds):
        for run in RUNS[number % len(RUNS):] + RUNS[:number % len(RUNS)]:
            times = one_round(run)
            seen[run].append((percentile(times, 0.5), percentile(times, 0.99)))
        print(f"round {number + 1}" + "".join(f"{seen[run][-1][0]:18.0f}{seen[run][-1][1]:7.0f}" for run in RUNS))
    for name, choose in (("median", statistics.median), ("least", min), ("most", max)):
        columns = [(choose(p50 for p50, _ in seen[run]), choose(p99 for _, p99 in seen[run])) for run in RUNS]
        print(f"{name:7}" + "".join(f"{p50:18.0f}{p99:7.0f}" for p50, p99 in columns))


if __name__ == "__main__":
    main()
