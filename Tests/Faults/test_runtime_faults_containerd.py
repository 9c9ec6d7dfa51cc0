"""Faults of a real containerd: killed, stopped, restarted and starved of file descriptors around hooked calls.

What the simulated runtime does at will (Faults/test_runtime_faults.py), containerd does as it comes: kubelet's part
here is to find what there is, as a real one does, and to go on with it.
"""

import os
import resource

import grpc
import pytest

from Containerd.conftest import containerd, direct, front, kernel, kubelet, life, parent  # fixtures
from Peers.admin import Admin
from Peers.containerd import same_shares
from Peers.cri import container_config, pod_config
from Peers.held_runc import HANDLER
from Peers.messages import cri
from Peers.recorder import HOOKS, echo, hang
from Peers.wait import eventually, freeze, thaw
from Wire.expect import refused

#: States of pods, and of containers.
READY, NOT_READY = range(2)
CREATED, RUNNING, EXITED, UNKNOWN = range(4)


@pytest.fixture(scope="module")
def back():
    """How long kubelet's connection was of no use, seconds, from when containerd was well again: by fault."""
    times = {}
    yield times
    print()
    for fault, seconds in times.items():
        print(f"| containerd {fault} | {seconds * 1000:.0f} ms |")


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
    return kubelet.run_pod(config)


def whole(told, config, prefix="pod_"):
    """Whether a container hook was told everything about its pod; with no prefix, a pod's hook."""
    assert told.pod_meta.SerializeToString() == config.metadata.SerializeToString()
    assert dict(getattr(told, f"{prefix}labels")) == dict(config.labels)
    assert dict(getattr(told, f"{prefix}annotations")) == dict(config.annotations)
    assert getattr(told, f"{prefix}cgroup_parent") == config.linux.cgroup_parent
    return told


def prepared(kubelet, life, parent, verb):
    """A pod with what the verb is about: gives the pod, the container (or None) and kubelet's request."""
    pod = life.pod(handler=HANDLER, cgroup_parent=parent)
    container = None
    if verb not in ("CreateContainer", "StopPodSandbox"):
        container = life.container(pod, cpu_shares=512)
    if verb in ("UpdateContainerResources", "StopContainer"):
        kubelet.start_container(container)
    return pod, container, {
        "CreateContainer": lambda: cri.CreateContainerRequest(
            pod_sandbox_id=pod, config=container_config(cpu_shares=512), sandbox_config=life.configs[pod]
        ),
        "StartContainer": lambda: cri.StartContainerRequest(container_id=container),
        "UpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
            container_id=container, linux=cri.LinuxContainerResources(cpu_shares=256)
        ),
        "StopContainer": lambda: cri.StopContainerRequest(container_id=container, timeout=0),
        "StopPodSandbox": lambda: cri.StopPodSandboxRequest(pod_sandbox_id=pod),
    }[verb]()


def pre_hooks(verb):
    return [hook for hook in HOOKS if hook == f"Pre{verb}"]


def killed(front, containerd, answer):
    """containerd is killed, and with it this call; gives the place in RuntimeManager's log from where on it says so."""
    since = front.log_length()
    containerd.kill()
    with refused("UNAVAILABLE"):
        answer.result(60)
    front.wait_log("the runtime is gone", since)
    return since


def started_again(kubelet, front, containerd, since):
    """containerd is there, and RuntimeManager has read what it has; gives how long kubelet had to wait, seconds."""
    containerd.start()
    seconds = kubelet.until_answered()
    front.wait_log("store rebuilt", since)
    return seconds


def stored_as_there(front, direct):
    """The Store has the pods, the containers and their shares that containerd has."""
    admin = Admin(front.admin)
    pods = {pod["id"] for pod in admin.get("/v1/pods")["pods"]}
    assert pods == {pod.id for pod in direct.call("ListPodSandbox").items}
    stored = {c["id"]: c["resources"]["cpuShares"] for c in admin.get("/v1/containers")["containers"]}
    there = [c.id for c in direct.call("ListContainers").containers]
    assert stored == {c: direct.container_status(c).status.resources.linux.cpu_shares for c in there}


def state(direct, pod, container):
    """That of the container, or of a pod without one, as containerd has it."""
    return (direct.container_status(container) if container else direct.pod_status(pod)).status.state


def stopped_at_last(kubelet, direct, plugin, config, pod, container):
    """kubelet stops the container, or the pod without one, for the last time: in all the plugin is told so once."""
    if container:
        kubelet.stop_container(container)
        (told,) = plugin.of("PostStopContainer")
        whole(told.request, config)
    else:
        kubelet.stop_pod(pod)
        (told,) = plugin.of("PostStopPodSandbox")
        whole(told.request, config, prefix="")
    assert state(direct, pod, container) == (EXITED if container else NOT_READY)


def test_killed_while_it_runs_a_pod(kubelet, front, containerd, direct, start_plugin, parent, back):
    """While its shim waits for runc to create the sandbox's container."""
    plugin = start_plugin(policy="Fail")
    kubelet.call("Status")
    config = pod_config(cgroup_parent=parent, labels={"app": "web"})
    with containerd.runc.holding("create") as runc:
        request = cri.RunPodSandboxRequest(config=config, runtime_handler=HANDLER)
        answer = kubelet.begin("RunPodSandbox", request, timeout=60)
        runc.reached()
        since = killed(front, containerd, answer)
        runc.ended()
    back["killed and started again"] = started_again(kubelet, front, containerd, since)
    assert containerd.received("RunPodSandbox", config.metadata.uid) == 1, "it is not sent again"
    assert [found.state for found in sandboxes(kubelet, config)] == [NOT_READY], "what it has made of it is there"
    assert plugin.names() == ["PreRunPodSandbox"]
    stored_as_there(front, direct)
    pod = sync_pod(kubelet, config)
    assert [found.id for found in sandboxes(kubelet, config)] == [pod]
    assert containerd.received("RunPodSandbox", config.metadata.uid) == 2, "kubelet's"
    plugin.forget()
    container = kubelet.create(pod, container_config(cpu_shares=512), config)
    kubelet.start_container(container)
    whole(plugin.take("PreCreateContainer").request, config)
    told = whole(plugin.take("PostStartContainer").request, config)
    assert told.container_resources.cpu_shares == 512
    stopped_at_last(kubelet, direct, plugin, config, pod, container)
    stored_as_there(front, direct)


@pytest.mark.parametrize("verb, subcommand, found, repeated", [
    ("StartContainer", "create", CREATED, "ALREADY_EXISTS"),
    ("StartContainer", "start", CREATED, "UNKNOWN"),
    ("UpdateContainerResources", "update", RUNNING, "OK"),
    ("StopContainer", "kill", RUNNING, "OK"),
    ("StopContainer", "delete", UNKNOWN, "OK"),
    ("StopPodSandbox", "kill", READY, "OK"),
    ("StopPodSandbox", "delete", NOT_READY, "OK"),
])
def test_killed_while_it_works(
    kubelet, front, containerd, direct, life, start_plugin, parent, kernel, verb, subcommand, found, repeated
):
    """Its shim waits for runc's `subcommand`, which dies with containerd.

    `found` is the state that is there afterwards; `repeated` is what kubelet's next try gets. containerd 1.6 by itself
    cannot start a container whose start it has lost: kubelet hears so, and makes another one. CreateContainer is not
    here: containerd runs nothing in it, so there is nothing to hold.
    """
    plugin = start_plugin(policy="Fail")
    pod, container, request = prepared(kubelet, life, parent, verb)
    config, subject = life.configs[pod], container or pod
    plugin.forget()
    with containerd.runc.holding(subcommand, subject) as runc:
        answer = kubelet.begin(verb, request, timeout=60)
        runc.reached()
        since = killed(front, containerd, answer)
        runc.ended()
    started_again(kubelet, front, containerd, since)
    assert containerd.received(verb, subject) == 1, "it is not sent again"
    assert plugin.names() == pre_hooks(verb), "asked once, and told of nothing"
    assert state(direct, pod, container) == found
    stored_as_there(front, direct)
    if verb == "UpdateContainerResources":
        assert direct.container_status(container).status.resources.linux.cpu_shares == 512
        assert same_shares(kernel(parent, container, "cpu.shares"), 512)
    if repeated == "OK":
        kubelet.call(verb, request)
    else:
        with refused(repeated) as error:
            kubelet.call(verb, request)
        assert error.value.details().startswith("failed to create containerd task: "), error.value.details()
        assert not plugin.of("PostStartContainer")
        container = kubelet.create(pod, container_config(attempt=1, cpu_shares=256), config)
        kubelet.start_container(container)
        whole(plugin.take("PostStartContainer").request, config)
    assert containerd.received(verb, subject) == 2, "kubelet's"
    if not verb.startswith("Stop"):
        assert state(direct, pod, container) == RUNNING
        assert same_shares(kernel(parent, container, "cpu.shares"), 256)
    stopped_at_last(kubelet, direct, plugin, config, pod, container)
    stored_as_there(front, direct)


@pytest.mark.parametrize(
    "verb", ["CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer", "StopPodSandbox"]
)
def test_killed_with_a_call_unread(kubelet, front, containerd, direct, life, start_plugin, parent, verb):
    """The call has been sent to a containerd that was stopped before, and lies in its socket when that is killed."""
    plugin = start_plugin(policy="Fail")
    pod, container, request = prepared(kubelet, life, parent, verb)
    config, subject = life.configs[pod], container or pod
    plugin.forget()
    if pre_hooks(verb):
        (hook,), held = pre_hooks(verb), hang()
        plugin.on(hook, held, then=echo())
        answer = kubelet.begin(verb, request, timeout=60)
        plugin.take(hook)
        freeze(containerd.process)
        unread = containerd.unread()
        held.release()
    else:
        freeze(containerd.process)
        unread = containerd.unread()
        answer = kubelet.begin(verb, request, timeout=60)
    # What the connection says for itself is shorter than the id that is in the call.
    eventually(lambda: containerd.unread() - unread >= len(subject), 20, "the call has been sent")
    since = killed(front, containerd, answer)
    started_again(kubelet, front, containerd, since)
    assert containerd.received(verb, subject) == 0, "it was never read, and is not sent again"
    assert plugin.names() == pre_hooks(verb), "asked once, and told of nothing"
    stored_as_there(front, direct)
    kubelet.call(verb, request)
    assert containerd.received(verb, subject) == 1, "kubelet's"
    if verb == "CreateContainer":
        ((container,),) = [[c.id for c in kubelet.call("ListContainers").containers if c.pod_sandbox_id == pod]]
        kubelet.start_container(container)
    if not verb.startswith("Stop"):
        assert state(direct, pod, container) == RUNNING
    stopped_at_last(kubelet, direct, plugin, config, pod, container)
    stored_as_there(front, direct)


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
    back["stopped and continued"] = kubelet.until_answered()
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
    back["stopped past kubelet's deadline"] = kubelet.until_answered()
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
    back["out of file descriptors, then not"] = kubelet.until_answered()
    container = life.container(pod)
    kubelet.start_container(container)
    assert {p.id for p in direct.call("ListPodSandbox").items} == {p.id for p in kubelet.call("ListPodSandbox").items}


