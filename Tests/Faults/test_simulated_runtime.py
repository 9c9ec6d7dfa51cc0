"""What a test machine's containerd 1.6 on cgroup v1 cannot show, before a simulated runtime: the streams and methods of
newer CRI, `unified` and swap, systemd slices. docs/proof/faults-plugins.md says which promise is shown where.
"""

import itertools
import json
import threading

import grpc
import pytest

from Peers.cri import Life, Runtime, container_config, pod_config
from Peers.fake_runtime import Refused
from Peers.messages import cri
from Peers.recorder import hang, sparse
from Peers.wait import eventually
from Wire.expect import by, refused

STREAMS = [
    "GetContainerEvents", "StreamPodSandboxes", "StreamContainers", "StreamContainerStats", "StreamPodSandboxStats",
    "StreamPodSandboxMetrics", "StreamImages",
]
#: Methods that containerd 1.6 does not have, nobody hooks, and RuntimeManager knows nothing of.
NEWER = [
    "RuntimeConfig", "UpdateRuntimeConfig", "CheckpointContainer", "CheckpointPod", "RestorePod", "ListMetricDescriptors",
    "ListPodSandboxMetrics", "PodSandboxStats", "ListPodSandboxStats",
]
#: No protobuf that anybody knows.
OPAQUE = b"\xfa\xbb\x07\x06future\x00\xff"
DETAILS = ("grpc-status-details-bin", b"\x08\x05\x12\x03abc\xff")
MiB = 1 << 20


# Streams


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
@pytest.mark.parametrize("method", STREAMS)
def test_a_stream_arrives_whole_and_in_order(runtime, start_plugin, start_manager, method, version):
    plugin = start_plugin()
    messages = [b"", OPAQUE, *(b"%d" % number for number in range(200)), b"x" * (3 * MiB), b"last"]
    runtime.stream(method, lambda call: messages)
    front = start_manager(runtime)
    with Runtime(front.listen, version) as kubelet:
        assert list(kubelet.server_stream(method, OPAQUE)) == messages
    assert runtime.take(method).raw == OPAQUE
    assert plugin.names() == []


@pytest.mark.parametrize("method", STREAMS)
def test_a_stream_that_fails_keeps_what_came_before_and_the_runtimes_words(runtime, kubelet, method):
    def messages(call):
        yield b"one"
        yield OPAQUE
        raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many ünread", [DETAILS])

    runtime.stream(method, messages)
    stream = kubelet.server_stream(method)
    assert [next(stream), next(stream)] == [b"one", OPAQUE]
    with refused("RESOURCE_EXHAUSTED", "too many ünread") as error:
        next(stream)
    assert dict(error.value.trailing_metadata())[DETAILS[0]] == DETAILS[1]


class Events:
    """What is put in becomes an event for whoever listens; each listener hears of all, from the first one on."""

    def __init__(self):
        self._all = []
        self._changed = threading.Condition()

    def put(self, event):
        with self._changed:
            self._all.append(event)
            self._changed.notify_all()

    def messages(self, call):
        for index in itertools.count():
            with self._changed:
                while not self._changed.wait_for(lambda: len(self._all) > index, 0.05):
                    if call.cancelled.is_set():
                        return
            yield self._all[index]


@pytest.fixture
def events(runtime):
    events = Events()
    runtime.stream("GetContainerEvents", events.messages)
    return events


def test_an_event_arrives_before_there_is_a_next_one(kubelet, events):
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    for number in range(100):
        events.put(b"%d" % number)
        assert next(stream) == b"%d" % number
    stream.cancel()


def test_events_arrive_while_the_calls_that_cause_them_are_under_way(start_plugin, runtime, kubelet, events):
    """kubelet may hear of a container's start before its call is answered, also when a plugin takes its time."""
    slow = hang()
    plugin = start_plugin(hooks=["PostStartContainer"], timeout="60s")
    plugin.on("PostStartContainer", slow)
    runtime.on("StartContainer", lambda call: events.put(b"started"))
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    life = Life(kubelet)
    container = life.container(life.pod())
    running = kubelet.begin("StartContainer", cri.StartContainerRequest(container_id=container), timeout=120)
    plugin.take()
    assert next(stream) == b"started"
    assert not running.done()
    slow.release()
    assert running.result(60) == b""
    stream.cancel()


def test_kubelets_cancel_of_its_events_reaches_the_runtime(runtime, kubelet, events):
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    events.put(b"one")
    assert next(stream) == b"one"
    stream.cancel()
    assert runtime.take("GetContainerEvents").cancelled.wait(30)


def test_events_end_with_the_runtime_and_come_again_with_it(runtime, kubelet, events):
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    events.put(b"before")
    assert next(stream) == b"before"
    runtime.stop()
    with refused("UNAVAILABLE"):
        next(stream)
    runtime.start()

    def again():
        try:
            return next(kubelet.server_stream("GetContainerEvents", timeout=60))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error

    assert eventually(again) == b"before"


# Methods that we know nothing of


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
@pytest.mark.parametrize("method", NEWER)
def test_a_newer_method_travels_untouched(runtime, start_plugin, start_manager, method, version):
    plugin = start_plugin()
    runtime.on(method, lambda call: call.raw[::-1])
    front = start_manager(runtime)
    with Runtime(front.listen, version) as kubelet:
        assert kubelet.unary(method, OPAQUE) == OPAQUE[::-1]
    assert runtime.take(method).raw == OPAQUE
    assert plugin.names() == []


@pytest.mark.parametrize("method", NEWER)
def test_a_newer_methods_error_is_the_runtimes(runtime, kubelet, method):
    runtime.refuse(method, grpc.StatusCode.UNIMPLEMENTED, "this runtime has no such thing", [DETAILS])
    with refused("UNIMPLEMENTED", "this runtime has no such thing") as error:
        kubelet.unary(method, OPAQUE)
    assert dict(error.value.trailing_metadata())[DETAILS[0]] == DETAILS[1]


# cgroup v2: unified, swap

#: As kubelet sends it for a container with memory QoS and swap.
QOS = {"memory.min": "1048576", "memory.high": "94371840"}
SWAP = 200 * MiB
CHANGE = {"memory.high": "max", "cpu.idle": "1"}


def qos_container(life, pod):
    return life.container(pod, memory_limit_in_bytes=100 * MiB, memory_swap_limit_in_bytes=SWAP, unified=QOS)


def test_unified_and_swap_reach_plugin_and_runtime_at_creation(start_plugin, runtime, life):
    plugin = start_plugin()
    qos_container(life, life.pod())
    for resources in [
        plugin.take("PreCreateContainer").request.container_resources,
        runtime.take("CreateContainer").request.config.linux.resources,
    ]:
        assert dict(resources.unified) == QOS
        assert resources.memory_swap_limit_in_bytes == SWAP


def test_a_pod_hook_changes_unified_of_the_pods_resources(start_plugin, runtime, life):
    start_plugin().on("PreRunPodSandbox", sparse(resources={"unified": CHANGE}))
    life.pod(resources=cri.LinuxContainerResources(unified=QOS), overhead=cri.LinuxContainerResources(unified={"a": "1"}))
    linux = runtime.take("RunPodSandbox").request.config.linux
    assert dict(linux.resources.unified) == {**QOS, **CHANGE}
    assert dict(linux.overhead.unified) == {"a": "1"}


@pytest.mark.parametrize("hook", ["PreCreateContainer", "PreUpdateContainerResources"])
def test_unified_is_changed_key_by_key_in_the_request(start_plugin, runtime, life, hook):
    start_plugin(hooks=[hook]).on(hook, sparse(resources={"unified": CHANGE, "memory_swap_limit_in_bytes": SWAP + 1}))
    container = qos_container(life, life.pod())
    if hook == "PreCreateContainer":
        told = runtime.take("CreateContainer").request.config.linux.resources
        assert dict(told.unified) == {**QOS, **CHANGE}
    else:
        life.runtime.update(container, unified={"memory.high": "7", "io.weight": "50"})
        told = runtime.take("UpdateContainerResources").request.linux
        assert dict(told.unified) == {"memory.high": "max", "io.weight": "50", "cpu.idle": "1"}, "what is not asked stays out"
    assert told.memory_swap_limit_in_bytes == SWAP + 1


@pytest.mark.parametrize("hook", ["PreStartContainer", "PostStartContainer"])
def test_a_start_hook_brings_only_the_changed_keys(start_plugin, runtime, life, hook):
    start_plugin(hooks=[hook]).on(hook, sparse(resources={"unified": {**CHANGE, "memory.min": QOS["memory.min"]}}))
    container = qos_container(life, life.pod())
    life.runtime.start_container(container)
    assert runtime.take("UpdateContainerResources").request.linux == cri.LinuxContainerResources(unified=CHANGE)


def test_each_key_of_unified_has_its_own_owner(start_plugin, runtime, life):
    start_plugin("a").on("PreCreateContainer", sparse(resources={"unified": {"memory.high": "1", "cpu.idle": "1"}}))
    start_plugin("b").on("PreCreateContainer", sparse(resources={"unified": {"memory.high": "2", "io.weight": "9"}}))
    strict = start_plugin("c", policy="Fail")
    pod = life.pod()
    qos_container(life, pod)
    told = dict(runtime.take("CreateContainer").request.config.linux.resources.unified)
    assert told == {**QOS, "memory.high": "1", "cpu.idle": "1", "io.weight": "9"}
    strict.on("PreCreateContainer", sparse(resources={"unified": {"cpu.idle": "0"}}))
    with refused("FAILED_PRECONDITION", by("c", "PreCreateContainer"), "cpu.idle", "belongs to a"):
        qos_container(life, pod)


@pytest.mark.parametrize("told_by", ["status", "runtime specification"])
def test_unified_in_force_is_known_before_and_after_our_restart(start_plugin, runtime, start_manager, told_by):
    """As a runtime on cgroup v2 tells it: in the status (CRI 1.25 and newer), or only in the container's specification."""
    plugin = start_plugin()
    front = start_manager(runtime)

    def status(call):
        answer = runtime._on_ContainerStatus(call)
        if told_by != "status":
            unified = dict(answer.status.resources.linux.unified)
            answer.status.ClearField("resources")
            info = json.loads(answer.info["info"]) if call.request.verbose else {}
            info.setdefault("runtimeSpec", {})["linux"] = {"resources": {"unified": unified}}
            answer.info["info"] = json.dumps(info)
        return answer

    runtime.on("ContainerStatus", status)
    in_force = {**QOS, "memory.high": "7", "cpu.idle": "1"}
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        container = qos_container(life, life.pod())
        kubelet.update(container, unified={"memory.high": "7", "cpu.idle": "1"})
        # The simulated runtime replaces the map; one on cgroup v2 writes the keys that it is sent.
        runtime.containers[container]["resources"].unified.update(QOS | {"memory.high": "7", "cpu.idle": "1"})
        for _ in range(2):
            plugin.forget()
            kubelet.start_container(container)
            told = plugin.take("PreStartContainer").request.container_resources
            assert dict(told.unified) == in_force
            assert told.memory_swap_limit_in_bytes == SWAP
            front.restart()


# cgroup v2: systemd slices

POD_SLICE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice"
ELSEWHERE = "/kubepods.slice/kubepods-batch.slice"


def test_a_container_can_be_moved_to_another_slice_and_is_still_there_after_our_restart(start_plugin, runtime, start_manager):
    plugin = start_plugin()
    plugin.on("PreCreateContainer", sparse(pod_cgroup_parent=ELSEWHERE))
    front = start_manager(runtime)

    def status(call):
        answer = runtime._on_ContainerStatus(call)
        if call.request.verbose:
            info = json.loads(answer.info["info"])
            identifier = call.request.container_id
            parent = runtime.containers[identifier]["cgroup_parent"].rsplit("/", 1)[1]
            info["runtimeSpec"]["linux"] = {"cgroupsPath": f"{parent}:cri-containerd:{identifier}"}
            answer.info["info"] = json.dumps(info)
        return answer

    runtime.on("ContainerStatus", status)
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod(cgroup_parent=POD_SLICE)
        container = life.container(pod)
        assert runtime.take("CreateContainer").request.sandbox_config.linux.cgroup_parent == ELSEWHERE
        for _ in range(2):
            plugin.forget()
            kubelet.start_container(container)
            assert plugin.take("PreStartContainer").request.pod_cgroup_parent == ELSEWHERE
            front.restart()


def test_a_slice_cannot_become_a_path(start_plugin, runtime, life):
    start_plugin(policy="Fail").on("PreCreateContainer", sparse(pod_cgroup_parent="/batch"))
    pod = life.pod(cgroup_parent=POD_SLICE)
    with refused("FAILED_PRECONDITION", by("p", "PreCreateContainer"), "cgroup_parent"):
        life.container(pod)
    assert runtime.of("CreateContainer") == []
