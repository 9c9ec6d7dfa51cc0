"""Faults of a real containerd: killed, stopped, restarted and starved of file descriptors around hooked calls.

What the simulated runtime does at will (Faults/test_runtime_faults.py), containerd does as it comes: kubelet's part
here is to find what there is, as a real one does, and to go on with it.
"""

import os
import resource
import time

import grpc
import pytest

from Containerd.conftest import containerd, direct, front, kubelet, life, parent  # fixtures
from Peers.cri import container_config, pod_config
from Peers.messages import cri
from Peers.recorder import echo, hang
from Peers.wait import eventually, freeze, thaw
from Wire.expect import refused

READY = 0
RUNNING = 1


@pytest.fixture(scope="module")
def back():
    """How long kubelet's connection was of no use, seconds, from when containerd was well again: by fault."""
    times = {}
    yield times
    print()
    for fault, seconds in times.items():
        print(f"| containerd {fault} | {seconds * 1000:.0f} ms |")


def until_back(kubelet):
    began = time.monotonic()

    def answers():
        try:
            return kubelet.call("Status", timeout=5)
        except grpc.RpcError:
            return None

    eventually(answers, 30, "kubelet's calls are answered again")
    return time.monotonic() - began


def sandboxes(kubelet, config):
    """What kubelet finds of its pod, by the uid in the labels."""
    uid = config.metadata.uid
    return [pod for pod in kubelet.call("ListPodSandbox").items if pod.labels["io.kubernetes.pod.uid"] == uid]


def sync_pod(kubelet, config):
    """As kubelet: what is ready is taken, what is not is stopped and removed, and a further attempt made."""
    found = sandboxes(kubelet, config)
    ready = [pod for pod in found if pod.state == READY]
    for pod in found:
        if pod not in ready:
            kubelet.stop_pod(pod.id)
            kubelet.remove_pod(pod.id)
    if ready:
        return ready[0].id
    config.metadata.attempt = max([pod.metadata.attempt + 1 for pod in found], default=config.metadata.attempt)
    return eventually(lambda: run(kubelet, config), 20, "the pod runs")


def run(kubelet, config):
    try:
        return kubelet.run_pod(config)
    except grpc.RpcError as error:
        assert "is reserved" in error.details(), error.details()  # the killed attempt's name, until that is cleaned up


def whole(told, config):
    """Whether a container hook was told everything about its pod."""
    assert told.pod_meta.SerializeToString() == config.metadata.SerializeToString()
    assert dict(told.pod_labels) == dict(config.labels)
    assert dict(told.pod_annotations) == dict(config.annotations)
    assert told.pod_cgroup_parent == config.linux.cgroup_parent
    return told


def test_killed_while_it_runs_a_pod(kubelet, front, containerd, start_plugin, parent, back):
    plugin = start_plugin(policy="Fail")
    kubelet.call("Status")
    config = pod_config(cgroup_parent=parent, labels={"app": "web"})
    begun = containerd.dir / "t" / "io.containerd.grpc.v1.cri" / "sandboxes"
    before = os.listdir(begun) if begun.exists() else []
    answer = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=config), timeout=60)
    eventually(lambda: begun.exists() and os.listdir(begun) != before, 20, "it has made the sandbox's directory")
    since = front.log_length()
    containerd.kill()
    try:
        answer.result(60)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, "nearly always: it may have been just ready"
    front.wait_log("the runtime is gone", since)
    containerd.start()
    back["killed and started again"] = until_back(kubelet)
    assert len(sandboxes(kubelet, config)) <= 1, "nothing is sent twice"
    assert len(plugin.of("PreRunPodSandbox")) == 1
    pod = sync_pod(kubelet, config)
    assert [found.id for found in sandboxes(kubelet, config)] == [pod]
    plugin.forget()
    container = kubelet.create(pod, container_config(cpu_shares=512), config)
    kubelet.start_container(container)
    whole(plugin.take("PreCreateContainer").request, config)
    told = whole(plugin.take("PostStartContainer").request, config)
    assert told.container_resources.cpu_shares == 512


@pytest.mark.parametrize("verb", ["CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer"])
def test_killed_with_a_call_in_its_hands(kubelet, front, containerd, direct, life, start_plugin, parent, verb):
    """It is stopped first, so that it surely has the call and surely has not answered."""
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    config = life.configs[pod]
    create = cri.CreateContainerRequest(pod_sandbox_id=pod, config=container_config(cpu_shares=512), sandbox_config=config)
    request = create
    if verb != "CreateContainer":
        container = kubelet.call("CreateContainer", create).container_id
        if verb != "StartContainer":
            kubelet.start_container(container)
        request = {
            "StartContainer": lambda: cri.StartContainerRequest(container_id=container),
            "UpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
                container_id=container, linux=cri.LinuxContainerResources(cpu_shares=256)
            ),
            "StopContainer": lambda: cri.StopContainerRequest(container_id=container, timeout=0),
        }[verb]()
    hook = f"Pre{verb}"
    plugin.forget()
    held = hang()
    if verb != "StopContainer":
        plugin.on(hook, held, then=echo())
        answer = kubelet.begin(verb, request, timeout=60)
        plugin.take(hook)
        freeze(containerd.process)
        held.release()
    else:
        freeze(containerd.process)
        answer = kubelet.begin(verb, request, timeout=60)
    with pytest.raises(grpc.FutureTimeoutError):
        answer.result(0.2)
    containerd.kill()
    with refused("UNAVAILABLE"):
        answer.result(60)
    containerd.start()
    until_back(kubelet)
    containers = [c for c in kubelet.call("ListContainers").containers if c.pod_sandbox_id == pod]
    assert len(containers) == (verb != "CreateContainer"), "containerd never read the call, and it is not sent again"
    plugin.forget()
    kubelet.call(verb, request)
    if verb == "CreateContainer":
        ((container,),) = [[c.id for c in kubelet.call("ListContainers").containers if c.pod_sandbox_id == pod]]
    kubelet.stop_container(container)
    whole(plugin.take("PostStopContainer", within=15).request, config)


def test_stopped_for_a_while(kubelet, containerd, direct, life, start_plugin, parent, back):
    """SIGSTOP, SIGCONT: what it had been asked it does, once, and nobody has noticed."""
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    first, second, third = [life.container(pod, name=name, cpu_shares=512) for name in ("a", "b", "c")]
    for container in (second, third):
        kubelet.start_container(container)
    other = pod_config(cgroup_parent=parent)
    plugin.forget()
    freeze(containerd.process)
    calls = [
        kubelet.begin(verb, request, timeout=60)
        for verb, request in [
            ("RunPodSandbox", cri.RunPodSandboxRequest(config=other)),
            ("StartContainer", cri.StartContainerRequest(container_id=first)),
            ("UpdateContainerResources", cri.UpdateContainerResourcesRequest(
                container_id=second, linux=cri.LinuxContainerResources(cpu_shares=256))),
            ("StopContainer", cri.StopContainerRequest(container_id=third, timeout=0)),
        ]
    ]
    for name in ["PreRunPodSandbox", "PreStartContainer", "PreUpdateContainerResources"]:
        plugin.take(name)
    thaw(containerd.process)
    for call in calls:
        call.result(60)
    back["stopped and continued"] = until_back(kubelet)
    states = {c.id: c.state for c in direct.call("ListContainers").containers}
    assert (states[first], states[second]) == (RUNNING, RUNNING) and states[third] != RUNNING
    assert len(sandboxes(direct, other)) == 1
    plugin.forget()
    kubelet.update(second, cpu_quota=50000)
    assert plugin.take("PreUpdateContainerResources").request.container_resources.cpu_shares == 256


def test_stopped_past_kubelets_deadline(kubelet, containerd, direct, life, start_plugin, parent, back):
    """kubelet hears DEADLINE_EXCEEDED; whether the update was done is then asked of containerd, not guessed."""
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    container = life.container(pod, cpu_shares=512)
    kubelet.start_container(container)
    freeze(containerd.process)
    with refused("DEADLINE_EXCEEDED"):
        kubelet.update(container, cpu_shares=256, timeout=3)
    thaw(containerd.process)
    back["stopped past kubelet's deadline"] = until_back(kubelet)
    kubelet.update(container, cpu_shares=256)
    plugin.forget()
    kubelet.update(container, cpu_quota=50000)
    told = whole(plugin.take("PreUpdateContainerResources").request, life.configs[pod])
    there = direct.container_status(container).status.resources.linux
    assert told.container_resources.cpu_shares == there.cpu_shares == 256


def test_out_of_file_descriptors(kubelet, containerd, direct, life, start_plugin, parent, back):
    """containerd's own error reaches kubelet as it is, and nothing is left behind that kubelet does not find."""
    start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    direct.call("Status")
    pid = containerd.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    seen = []
    try:
        for client in (kubelet, direct):
            with pytest.raises(grpc.RpcError) as error:
                client.run_pod(pod_config(cgroup_parent=parent))
            seen.append(error.value)
        assert kubelet.call("ListPodSandbox").items, "what needs none is answered"
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    ours, its = seen
    assert ours.code() == its.code() and "too many open files" in ours.details() and "too many open files" in its.details()
    assert "hook server" not in ours.details()
    back["out of file descriptors, then not"] = until_back(kubelet)
    container = life.container(pod)
    kubelet.start_container(container)
    assert {p.id for p in direct.call("ListPodSandbox").items} == {p.id for p in kubelet.call("ListPodSandbox").items}


