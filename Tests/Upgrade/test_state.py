"""What is remembered goes from process to process."""

import threading

import grpc
import pytest

from Peers.messages import cri
from Peers.recorder import refuse, sparse
from Peers.wait import eventually


def pod_config(name="web"):
    return cri.PodSandboxConfig(metadata=cri.PodSandboxMetadata(name=name, namespace="n", uid=name))


def container(kubelet, config=None, name="c"):
    config = config or pod_config()
    pod = kubelet.run_pod(config)
    return pod, kubelet.create(pod, cri.ContainerConfig(metadata=cri.ContainerMetadata(name=name)), config)


def stop(kubelet, identifier, timeout=60):
    kubelet.call("StopContainer", cri.StopContainerRequest(container_id=identifier), timeout=timeout)


def test_what_only_the_store_knows(daemon, kubelet, start_plugin):
    """Annotations of a start hook are in no runtime's status."""
    plugin = start_plugin("p", ["PreStartContainer", "PreUpdateContainerResources"])
    plugin.on("PreStartContainer", sparse(container_annotations={"only/here": "yes"}))
    _, identifier = container(kubelet)
    kubelet.start_container(identifier)
    for _ in range(2):
        new, _ = daemon.upgraded()
    kubelet.update(identifier, cpu_shares=512)
    assert plugin.take("PreUpdateContainerResources").request.container_annotations["only/here"] == "yes"
    daemon.alone(new)


def test_a_value_changed_under_a_key_that_kubelet_also_sends(daemon, kubelet, runtime, start_plugin):
    """A restart cannot recover it; an upgrade does."""
    start_plugin("p", ["PreRunPodSandbox"]).on("PreRunPodSandbox", sparse(annotations={"both": "plugin"}))
    config = pod_config()
    config.annotations["both"] = "kubelet"
    pod = kubelet.run_pod(config)
    daemon.upgraded()
    kubelet.create(pod, cri.ContainerConfig(metadata=cri.ContainerMetadata(name="c")), config)
    assert runtime.take("CreateContainer").request.sandbox_config.annotations["both"] == "plugin"


def test_a_success_is_remembered(daemon, kubelet, start_plugin):
    plugin = start_plugin("p", ["PostStopContainer"], "Fail")
    _, identifier = container(kubelet)
    stop(kubelet, identifier)
    plugin.take("PostStopContainer")
    for _ in range(2):
        daemon.upgraded()
        stop(kubelet, identifier)
    assert len([call for call in plugin.calls if call.hook == "PostStopContainer"]) == 1


def test_an_owed_call_is_repeated_by_the_new_process_alone(daemon, kubelet, start_plugin):
    plugin = start_plugin("p", ["PostStopContainer"], "Fail", start=False)
    _, identifier = container(kubelet)
    stop(kubelet, identifier)
    daemon.wait_log("verdict=owed", within=60)
    new, _ = daemon.upgraded()
    daemon.alone(new)
    plugin.start()
    call = plugin.take("PostStopContainer", within=90)
    assert call.request.container_meta.id == identifier
    daemon.wait_log("the owed call has succeeded", within=60)
    stop(kubelet, identifier)
    assert len([call for call in plugin.calls if call.hook == "PostStopContainer"]) == 1


def test_a_stop_whose_hook_is_under_way_is_not_told_twice(daemon, kubelet, start_plugin):
    plugin = start_plugin("p", ["PostStopContainer"], "Fail", timeout="60s")
    asked, go_on = threading.Event(), threading.Event()

    def answer(call, context):
        asked.set()
        go_on.wait(60)
        return b""

    plugin.on("PostStopContainer", answer, then=None)
    _, identifier = container(kubelet)
    first = kubelet.begin("StopContainer", cri.StopContainerRequest(container_id=identifier), timeout=90)
    assert asked.wait(60)
    new, old = daemon.upgraded()
    # kubelet's second stop reaches the new process while the old one asks.
    stop(kubelet, identifier)
    assert daemon.processes() == sorted([old, new])
    go_on.set()
    first.result()
    daemon.alone(new)
    stop(kubelet, identifier)
    assert len([call for call in plugin.calls if call.hook == "PostStopContainer"]) == 1


def test_a_call_that_fails_in_the_old_process_is_owed_by_the_new_one(daemon, kubelet, start_plugin):
    plugin = start_plugin("p", ["PostStopContainer"], "Fail", timeout="60s")
    asked, go_on = threading.Event(), threading.Event()
    refusal = refuse(grpc.StatusCode.INTERNAL, "not now")

    def answer(call, context):
        asked.set()
        go_on.wait(60)
        return refusal(call, context)

    plugin.on("PostStopContainer", answer, then=sparse())
    _, identifier = container(kubelet)
    first = kubelet.begin("StopContainer", cri.StopContainerRequest(container_id=identifier), timeout=90)
    assert asked.wait(60)
    new, _ = daemon.upgraded()
    go_on.set()
    first.result()
    # The old process does not stay for it.
    daemon.alone(new)
    daemon.wait_log("the owed call has succeeded", within=90)
    assert len([call for call in plugin.calls if call.hook == "PostStopContainer"]) == 2


def test_a_tripped_plugin_stays_tripped(daemon, kubelet, start_plugin):
    """Its pause has to be shorter than five timeouts are apart: nothing else in the test takes time."""
    plugin = start_plugin("p", ["PreRunPodSandbox"], "Fail", timeout="200ms")
    over = threading.Event()

    def hang(call, context):
        over.wait(60)
        return b""

    plugin.on("PreRunPodSandbox", hang)
    config = pod_config()
    for _ in range(4):
        with pytest.raises(grpc.RpcError) as failure:
            kubelet.run_pod(config)
        assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    # Four deadlines in a row here and the fifth there: it is tripped only if they are counted together.
    daemon.upgraded()
    with pytest.raises(grpc.RpcError) as failure:
        kubelet.run_pod(config)
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED, failure.value.details()
    since = len(plugin.calls)
    with pytest.raises(grpc.RpcError) as failure:
        kubelet.run_pod(config)
    over.set()
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE, failure.value.details()
    assert "not asked, because its last calls ran into their deadlines" in failure.value.details()
    assert len(plugin.calls) == since


def test_what_an_old_process_removes_is_removed(daemon, kubelet, runtime, start_plugin):
    plugin = start_plugin("p", ["PreUpdateContainerResources", "PostStopPodSandbox"])
    pod, identifier = container(kubelet)
    held, go_on = threading.Event(), threading.Event()

    def slow(call):
        held.set()
        go_on.wait(60)

    runtime.on("RemovePodSandbox", slow)
    removal = kubelet.begin("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=90)
    assert held.wait(60)
    new, _ = daemon.upgraded()
    go_on.set()
    removal.result()
    daemon.alone(new)
    # The record is gone, so the runtime is asked, which does not know it either: there is nothing to hook.
    with pytest.raises(grpc.RpcError) as failure:
        kubelet.update(identifier, cpu_shares=512)
    assert failure.value.code() == grpc.StatusCode.NOT_FOUND
    assert not [call for call in plugin.calls if call.hook == "PreUpdateContainerResources"]
