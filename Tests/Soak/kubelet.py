"""The load of a kubelet: lists, probes, pods that come and go, one event stream; every call is written down."""

import collections
import dataclasses
import itertools
import statistics
import threading
import time

from Peers.cri import Runtime, container_config, pod_config
from Peers.messages import cri

import grpc  # after Peers, which sets it up

#: The ids of the simulated runtime's own pods and containers, there from the start.
BASE_ID = "{}{:063x}"
#: Pods that live at once, one after the other: their accounts fill the 4 MiB that RuntimeManager keeps of them, which else
#: is growth until then.
FIRST_PODS = 1_500


@dataclasses.dataclass
class Call:
    method: str
    began: float
    ended: float
    #: gRPC's status code.
    code: object

    @property
    def ok(self):
        return self.code is grpc.StatusCode.OK


class Ledger:
    """Every call that has ended, and the latencies of those that nobody has looked at yet."""

    def __init__(self):
        self._lock = threading.Lock()
        self.attempts, self.answered = collections.Counter(), collections.Counter()
        self.failed = []
        self._fresh = collections.defaultdict(list)

    def add(self, call):
        with self._lock:
            self.attempts[call.method] += 1
            if call.ok:
                self.answered[call.method] += 1
                self._fresh[call.method].append((call.ended - call.began) * 1e6)
            else:
                self.failed.append(call)

    def take(self, method):
        """The latencies of a method since the last time, in microseconds."""
        with self._lock:
            return self._fresh.pop(method, [])

    def total(self):
        with self._lock:
            return sum(self.attempts.values())


class Kubelet:
    """Threads that call until `stop` is set."""

    def __init__(self, socket, stop, pods, containers):
        self.runtime, self.stop, self.ledger = Runtime(socket), stop, Ledger()
        self.pods, self.containers = pods, containers
        #: Set: no further pod begins to live.
        self.full = threading.Event()
        self.events, self.subscribed = 0, threading.Event()
        self.listed = collections.Counter()
        #: What has been stopped with success, by id.
        self.stopped_containers, self.stopped_pods = set(), set()
        self._threads = [threading.Thread(target=self.guarded, args=(work,), daemon=True)
                         for work in (self._list, self._probe, self._listen, self._churn)]
        self._churning = self._threads[-1]
        self.crashed = []

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def finish_pods(self):
        """Lets the last pod come to its end."""
        self.full.set()
        self._churning.join(60)

    def join(self):
        for thread in self._threads:
            thread.join(30)
        self.runtime.close()

    def guarded(self, work):
        """Runs a thread's work; what ends it before its time is a fault of the load."""
        try:
            work()
        except Exception as error:  # a bug of the load is no success
            self.crashed.append(f"{work.__name__}: {error!r}")

    def _every(self, seconds):
        """Ticks on a fixed schedule, so that a slow answer does not lower the rate."""
        due = time.monotonic()
        while not self.stop.wait(max(due - time.monotonic(), 0)):
            yield
            due = max(due + seconds, time.monotonic() - 1)

    def _call(self, method, request, timeout=30):
        """The answer's message; None if it failed, which is written down."""
        began = time.monotonic()
        try:
            answer, code = self.runtime.unary(method, request.SerializeToString(), timeout=timeout), grpc.StatusCode.OK
        except grpc.RpcError as error:
            answer, code = None, error.code()
        self.ledger.add(Call(method, began, time.monotonic(), code))
        return None if answer is None else getattr(cri, f"{method}Response").FromString(answer)

    # 1 Hz: what kubelet's relist asks

    def _list(self):
        for _ in self._every(1):
            pods = self._call("ListPodSandbox", cri.ListPodSandboxRequest())
            containers = self._call("ListContainers", cri.ListContainersRequest())
            if pods is not None and containers is not None:
                self.listed["pods"], self.listed["containers"] = len(pods.items), len(containers.containers)

    # 50 a second: exec probes, which do not wait for each other

    def _probe(self):
        for number, _ in enumerate(self._every(1 / 50)):
            request = cri.ExecSyncRequest(container_id=BASE_ID.format("c", number % self.containers), cmd=["probe"], timeout=1)
            began = time.monotonic()
            call = self.runtime.begin("ExecSync", request, timeout=10)
            call.add_done_callback(
                lambda done, began=began: self.ledger.add(Call("ExecSync", began, time.monotonic(), done.code())))

    # 1 a second, after the first ones: a pod's whole life

    def _churn(self):
        for _ in itertools.chain(range(FIRST_PODS), self._every(1)):
            if self.full.is_set() or self.stop.is_set():
                return
            if not self._live_once():
                self._collect_garbage()

    def _live_once(self):
        """A pod and a container from run to remove; False if a call failed on the way."""
        config = pod_config()
        container = container_config(envs=[("A", "1"), ("B", "2")], cpu_shares=1024, memory_limit_in_bytes=64 << 20)
        self.subscribed.wait(30)
        pod = self._call("RunPodSandbox", cri.RunPodSandboxRequest(config=config, runtime_handler="runc"))
        if pod is None:
            return False
        created = self._call("CreateContainer", cri.CreateContainerRequest(
            pod_sandbox_id=pod.pod_sandbox_id, config=container, sandbox_config=config))
        if created is None:
            return False
        identifier = created.container_id
        update = cri.UpdateContainerResourcesRequest(
            container_id=identifier, linux=cri.LinuxContainerResources(cpu_shares=2048))
        return (self._call("StartContainer", cri.StartContainerRequest(container_id=identifier)) is not None
                and self._call("UpdateContainerResources", update) is not None
                and self._end_container(identifier) and self._end_pod(pod.pod_sandbox_id))

    def _end_container(self, identifier):
        if self._call("StopContainer", cri.StopContainerRequest(container_id=identifier, timeout=1)) is None:
            return False
        self.stopped_containers.add(identifier)
        return self._call("RemoveContainer", cri.RemoveContainerRequest(container_id=identifier)) is not None

    def _end_pod(self, identifier):
        if self._call("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=identifier)) is None:
            return False
        self.stopped_pods.add(identifier)
        return self._call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=identifier)) is not None

    def _collect_garbage(self):
        """Removes what failed calls have left, until nothing of ours is there: as kubelet does."""
        ours = lambda identifier: int(identifier[1:], 16) >= max(self.pods, self.containers)
        for _ in self._every(0.1):
            pods = self._call("ListPodSandbox", cri.ListPodSandboxRequest())
            containers = self._call("ListContainers", cri.ListContainersRequest())
            if pods is None or containers is None:
                continue
            left = [self._end_container(one.id) for one in containers.containers if ours(one.id)]
            left += [self._end_pod(one.id) for one in pods.items if ours(one.id)]
            if all(left):
                return

    # One stream, opened again whenever it ends

    def _listen(self):
        while not self.stop.is_set():
            stream = self.runtime.server_stream("GetContainerEvents", timeout=None)
            watcher = threading.Thread(target=lambda one=stream: (self.stop.wait(), one.cancel()), daemon=True)
            try:
                stream.initial_metadata()  # the runtime has taken it
                self.subscribed.set()
                watcher.start()
                for _ in stream:
                    self.events += 1
            except grpc.RpcError:
                pass
            self.subscribed.clear()
            self.stop.wait(0.05)


def middle(numbers):
    return statistics.median(numbers) if numbers else None


def p99(numbers):
    return sorted(numbers)[min(int(len(numbers) * 0.99), len(numbers) - 1)] if numbers else None
