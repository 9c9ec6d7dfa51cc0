"""What RuntimeManager remembers, and how it learns it again: after its own restart, the runtime's, or on a miss."""

import grpc
import pytest

from Peers.cri import Life, Runtime
from Peers.messages import cri
from Peers.recorder import sparse
from Peers.wait import eventually
from Wire.expect import by, refused

POD = dict(
    cgroup_parent="/kubepods/pod7",
    attempt=3,
    labels={"app": "web"},
    annotations={"note": "n"},
    overhead=cri.LinuxContainerResources(cpu_shares=5),
    resources=cri.LinuxContainerResources(cpu_shares=9),
)
CONTAINER = dict(
    name="web",
    attempt=5,
    envs=[("A", "1"), ("B", "two")],
    annotations={"c": "d"},
    cpu_shares=100,
    memory_limit_in_bytes=1 << 20,
    oom_score_adj=500,
    cpuset_cpus="0",
)


def complete(told, sent, container):
    """Whether a container hook was told everything."""
    assert told.pod_meta.SerializeToString() == sent.metadata.SerializeToString()
    assert (told.container_meta.name, told.container_meta.attempt, told.container_meta.id) == ("web", 5, container)
    assert dict(told.pod_labels) == dict(sent.labels)
    assert dict(told.pod_annotations) == dict(sent.annotations)
    assert told.pod_cgroup_parent == sent.linux.cgroup_parent
    assert told.pod_resources.cpu_shares == 9
    assert dict(told.container_envs) == {"A": "1", "B": "two"}
    assert told.container_annotations["c"] == "d"
    assert told.container_resources.memory_limit_in_bytes == 1 << 20
    assert told.container_resources.oom_score_adj == 500
    assert told.container_resources.cpuset_cpus == "0"
    return told


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_after_our_restart_hook_requests_are_complete_and_hold_the_values_in_force(
    runtime, start_plugin, start_manager, version
):
    plugin = start_plugin()
    front = start_manager(runtime)
    with Runtime(front.listen, version) as kubelet:
        life = Life(kubelet)
        pod = life.pod(**POD)
        container = life.container(pod, **CONTAINER)
        kubelet.start_container(container)
        kubelet.update(container, cpu_shares=150)
    sent = life.configs[pod]
    plugin.forget()
    front.restart()
    with Runtime(front.listen, version) as kubelet:
        kubelet.update(container, cpu_quota=5000)
        told = complete(plugin.take("PreUpdateContainerResources").request, sent, container)
        assert (told.container_resources.cpu_shares, told.container_resources.cpu_quota) == (150, 5000)
        front.restart()
        kubelet.stop_container(container)
        complete(plugin.take("PostStopContainer", within=15).request, sent, container)
        kubelet.stop_pod(pod)
        told = plugin.take("PostStopPodSandbox", within=15).request
        assert (told.pod_meta.attempt, told.cgroup_parent) == (3, "/kubepods/pod7")
        assert (told.overhead.cpu_shares, told.resources.cpu_shares) == (5, 9)


def test_a_graceful_restart_forgets_nothing_either(runtime, start_plugin, start_manager):
    plugin = start_plugin()
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod(**POD)
        container = life.container(pod, **CONTAINER)
        front.restart(gracefully=True)
        kubelet.start_container(container)
        complete(plugin.take("PreStartContainer").request, life.configs[pod], container)


def test_after_the_runtimes_restart_values_are_those_in_force(runtime, start_plugin, life):
    plugin = start_plugin(hooks=["PreUpdateContainerResources"])
    pod = life.pod(**POD)
    container = life.container(pod, **CONTAINER)
    life.runtime.update(container, cpu_shares=77)
    plugin.forget()
    runtime.restart()

    def told():
        try:
            life.runtime.update(container, cpu_quota=5000)
        except grpc.RpcError:
            return None
        return plugin.of("PreUpdateContainerResources")

    request = complete(eventually(told)[-1].request, life.configs[pod], container)
    assert request.container_resources.cpu_shares == 77


def test_a_container_gone_while_the_runtime_was_away_is_forgotten(runtime, start_plugin, life):
    plugin = start_plugin(policy="Fail")
    container = life.container(life.pod())
    runtime.stop()
    del runtime.containers[container]
    runtime.start()

    def code():
        try:
            life.runtime.update(container, cpu_quota=5000)
        except grpc.RpcError as error:
            return error.code() if error.code() != grpc.StatusCode.UNAVAILABLE else None

    assert eventually(code) == grpc.StatusCode.NOT_FOUND


def test_an_object_made_beside_us_is_looked_up(runtime, start_plugin, start_manager):
    """crictl may speak to the runtime directly."""
    plugin = start_plugin()
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet, Runtime(runtime.socket) as beside:
        kubelet.call("Status")
        direct = Life(beside)
        pod = direct.pod(**POD)
        container = direct.container(pod, **CONTAINER)
        kubelet.start_container(container)
        complete(plugin.take("PreStartContainer").request, direct.configs[pod], container)
        kubelet.stop_pod(pod)
        assert plugin.take("PostStopPodSandbox").request.cgroup_parent == "/kubepods/pod7"


def test_what_is_read_and_what_calls_need_share_one_heap(runtime, start_manager):
    """Else a rebuild leaves free memory with whichever threads it was decoded on."""
    with Runtime(runtime.socket) as beside:
        life = Life(beside)
        for _ in range(50):
            life.container(life.pod(**POD), **CONTAINER)
    front = start_manager(runtime)
    front.wait_log("50 containers listed, 100 read")
    with Runtime(front.listen) as kubelet:
        assert len(kubelet.call("ListContainers").containers) == 50
    assert front.arenas() == 0


def test_a_runtime_that_comes_back_with_another_version_of_cri_is_understood(runtime, start_plugin, start_manager):
    runtime.versions = {"v1alpha2"}
    plugin = start_plugin(hooks=["PreStartContainer"], policy="Fail")
    front = start_manager(runtime)
    front.wait_log("store rebuilt")
    runtime.stop()
    runtime.versions = {"v1"}
    runtime.start()
    with Runtime(runtime.socket) as beside:
        life = Life(beside)
        container = life.container(life.pod(**POD), **CONTAINER)

    with Runtime(front.listen) as kubelet:

        def told():
            try:
                kubelet.start_container(container)
            except grpc.RpcError as error:
                assert "subject unknown" not in error.details()
                return None
            return plugin.of("PreStartContainer")

        assert eventually(told)[-1].request.container_meta.id == container


def test_an_unknown_container_is_the_runtimes_to_refuse(start_plugin, runtime, life):
    plugin = start_plugin(policy="Fail")
    for call in [
        lambda: life.runtime.start_container("nobody"),
        lambda: life.runtime.update("nobody", cpu_shares=5),
        lambda: life.runtime.stop_container("nobody"),
    ]:
        with refused("NOT_FOUND", "nobody"):
            call()
    assert plugin.names() == []


def test_a_subject_that_cannot_be_looked_up_is_a_failure_under_fail(start_plugin, runtime, start_manager):
    start_plugin(policy="Fail")
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet, Runtime(runtime.socket) as beside:
        kubelet.call("Status")
        direct = Life(beside)
        container = direct.container(direct.pod())
        runtime.refuse("ContainerStatus", grpc.StatusCode.INTERNAL, "disk on fire")
        with refused("FAILED_PRECONDITION", by("p", "PreStartContainer"), "disk on fire"):
            kubelet.start_container(container)
        assert runtime.of("StartContainer") == []
        runtime.on("ContainerStatus", None)
        kubelet.start_container(container)


def test_a_subject_that_cannot_be_looked_up_under_ignore_goes_on(start_plugin, runtime, start_manager):
    start_plugin()
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet, Runtime(runtime.socket) as beside:
        kubelet.call("Status")
        direct = Life(beside)
        container = direct.container(direct.pod())
        runtime.refuse("ContainerStatus", grpc.StatusCode.INTERNAL, "disk on fire")
        kubelet.start_container(container)
        assert runtime.of("StartContainer")


def test_a_look_up_never_delays_a_stop(start_plugin, runtime, start_manager):
    import threading

    start_plugin(hooks=["PostStopContainer"])
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet, Runtime(runtime.socket) as beside:
        kubelet.call("Status")
        direct = Life(beside)
        container = direct.container(direct.pod())
        gate = threading.Event()
        runtime.on("ContainerStatus", lambda call: gate.wait(20) and None)
        running = kubelet.begin("StopContainer", cri.StopContainerRequest(container_id=container))
        runtime.take("StopContainer")  # it arrives while the look-up still hangs
        gate.set()
        running.result(20)


@pytest.mark.parametrize("verb", ["RemoveContainer", "RemovePodSandbox"])
def test_records_go_with_their_objects(start_plugin, runtime, life, verb):
    """After the removal a call about the container is a miss: the runtime is asked for its status."""
    start_plugin()
    pod = life.pod()
    container = life.container(pod)
    life.runtime.update(container, cpu_shares=5)
    assert runtime.of("ContainerStatus") == [], "known: nobody is asked"
    if verb == "RemoveContainer":
        life.runtime.remove_container(container)
    else:
        life.runtime.remove_pod(pod)
    with refused("NOT_FOUND"):
        life.runtime.update(container, cpu_shares=6)
    assert runtime.of("ContainerStatus"), "the record is gone"


def test_a_failed_stop_or_remove_keeps_the_record(start_plugin, runtime, life):
    plugin = start_plugin()
    container = life.container(life.pod())
    for verb, call in [
        ("StopContainer", lambda: life.runtime.stop_container(container)),
        ("RemoveContainer", lambda: life.runtime.remove_container(container)),
    ]:
        runtime.refuse(verb, grpc.StatusCode.INTERNAL)
        with refused("INTERNAL"):
            call()
        runtime.on(verb, None)
    life.runtime.stop_container(container)
    assert plugin.take("PostStopContainer").request.container_meta.id == container
    assert runtime.of("ContainerStatus") == []


def test_an_outcome_that_is_unknown_makes_the_record_be_read_anew(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreUpdateContainerResources"])
    container = life.container(life.pod(), cpu_shares=100)

    def done_but_not_said(call):
        runtime.containers[container]["resources"].cpu_shares = 222
        from Peers.fake_runtime import Refused

        raise Refused(grpc.StatusCode.DEADLINE_EXCEEDED)

    runtime.on("UpdateContainerResources", done_but_not_said)
    with refused("DEADLINE_EXCEEDED"):
        life.runtime.update(container, cpu_shares=222)
    runtime.on("UpdateContainerResources", None)
    life.runtime.update(container, cpu_quota=5000)
    assert plugin.of("PreUpdateContainerResources")[-1].request.container_resources.cpu_shares == 222


def test_the_pods_resources_are_kept_up_to_date(start_plugin, runtime, life):
    plugin = start_plugin()
    pod = life.pod(**POD)
    life.runtime.call(
        "UpdatePodSandboxResources",
        cri.UpdatePodSandboxResourcesRequest(pod_sandbox_id=pod, resources=cri.LinuxContainerResources(cpu_shares=42)),
    )
    life.container(pod)
    assert plugin.take("PreCreateContainer").request.pod_resources.cpu_shares == 42


def test_calls_that_nobody_was_asked_about_are_remembered_too(start_plugin, hook_dir, runtime, life):
    plugin = start_plugin(registered=False)
    pod = life.pod(**POD)
    container = life.container(pod, **CONTAINER)
    life.runtime.update(container, cpu_shares=150)
    plugin.register(hook_dir)

    def told():
        life.runtime.update(container, cpu_quota=5000)
        return plugin.of("PreUpdateContainerResources")

    request = complete(eventually(told)[0].request, life.configs[pod], container)
    assert request.container_resources.cpu_shares == 150
    assert runtime.of("ContainerStatus") == []


def test_changes_of_a_pod_survive_our_restart(runtime, start_plugin, start_manager):
    plugin = start_plugin()
    plugin.on("PreRunPodSandbox", sparse(labels={"l": "1"}, cgroup_parent="/elsewhere"))
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod(**POD)
        front.restart()
        life.container(pod, **CONTAINER)
    sandbox = runtime.take("CreateContainer").request.sandbox_config
    assert (sandbox.labels["l"], sandbox.linux.cgroup_parent) == ("1", "/elsewhere")


def test_an_annotation_set_at_start_is_remembered(start_plugin, life):
    plugin = start_plugin()
    plugin.on("PreStartContainer", sparse(container_annotations={"seen": "yes"}))
    container = life.container(life.pod())
    life.runtime.start_container(container)
    life.runtime.stop_container(container)
    assert plugin.take("PostStopContainer").request.container_annotations["seen"] == "yes"


def test_serving_does_not_wait_for_the_rebuild(runtime, start_plugin, start_manager):
    import threading

    plugin = start_plugin()
    with Runtime(runtime.socket) as beside:
        direct = Life(beside)
        pods = [direct.pod() for _ in range(20)]
    gate = threading.Event()
    runtime.on("PodSandboxStatus", lambda call: gate.wait(30) and None)
    front = start_manager(runtime)
    try:
        with Runtime(front.listen) as kubelet:
            kubelet.call("Status")
            Life(kubelet).pod()
            assert plugin.names() == ["PreRunPodSandbox"]
    finally:
        gate.set()
    assert pods


def test_the_beginning_of_an_id_means_the_same_object(start_plugin, runtime, life):
    """crictl shows, and then sends, the first 13 characters."""
    plugin = start_plugin()
    pod = life.pod(**POD)
    container = life.container(pod, **CONTAINER)
    whole = {"UpdateContainerResources": runtime._on_UpdateContainerResources, "RemoveContainer": runtime._on_RemoveContainer}

    def found(call):
        call.raw = call.request.__class__(container_id=container, **(
            {"linux": call.request.linux} if call.method.startswith("Update") else {}
        )).SerializeToString()
        return whole[call.method](call)

    for verb in whole:
        runtime.on(verb, found)
    life.runtime.update(container[:13], cpu_shares=150)
    life.runtime.update(container, cpu_quota=5000)
    assert plugin.of("PreUpdateContainerResources")[-1].request.container_resources.cpu_shares == 150
    life.runtime.remove_container(container[:13])
    runtime.on("UpdateContainerResources", None)
    with refused("NOT_FOUND"):
        life.runtime.update(container, cpu_shares=6)
    assert [call.request.container_id for call in runtime.of("ContainerStatus")][-1] == container, "the record is gone"


@pytest.mark.parametrize(
    "tail", ["[" * 512, "[" * 100_000 + "]" * 100_000 + "}", "}"], ids=["ends at level 513", "deep", "broken"]
)
def test_a_verbose_status_that_cannot_be_read_costs_no_more_than_what_it_says(runtime, start_plugin, start_manager, tail):
    plugin = start_plugin(hooks=["PreStartContainer"], policy="Fail")
    with Runtime(runtime.socket) as beside:
        direct = Life(beside)
        container = direct.container(direct.pod(labels={"app": "web"}), name="web")

    def odd(usual):
        def answer(call):
            message = usual(call)
            message.info["info"] = message.info["info"][:-1] + ', "x": ' + tail
            return message

        return answer

    runtime.on("PodSandboxStatus", odd(runtime._on_PodSandboxStatus))
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet:
        kubelet.start_container(container)
    told = plugin.take("PreStartContainer").request
    assert (told.container_meta.name, told.pod_labels["app"]) == ("web", "web"), "what the plain status says"
    assert front.process.poll() is None


def test_a_stop_that_finds_nothing_tells_what_is_remembered_although_that_was_in_doubt(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PostStopContainer"])
    pod = life.pod(**POD)
    container = life.container(pod, **CONTAINER)
    runtime.refuse("StopContainer", grpc.StatusCode.DEADLINE_EXCEEDED)
    with refused("DEADLINE_EXCEEDED"):
        life.runtime.stop_container(container)
    runtime.on("StopContainer", None)
    del runtime.containers[container]
    with refused("NOT_FOUND"):
        life.runtime.stop_container(container)
    complete(plugin.take("PostStopContainer").request, life.configs[pod], container)


def test_a_runtime_that_comes_back_with_another_version_of_cri_is_still_asked(start_plugin, runtime, start_manager):
    plugin = start_plugin(hooks=["PreStartContainer"], policy="Fail")
    runtime.versions = ["v1alpha2"]
    front = start_manager(runtime)
    with Runtime(runtime.socket, "v1alpha2") as beside, Runtime(front.listen, "v1alpha2") as old:
        direct = Life(beside)
        first, second = [direct.container(direct.pod()) for _ in range(2)]
        old.start_container(first)
    runtime.stop()
    runtime.versions = ["v1"]
    runtime.start()
    front.wait_log("the runtime is gone")
    with Runtime(runtime.socket) as beside, Runtime(front.listen) as new:
        direct = Life(beside)
        late = direct.container(direct.pod())
        eventually(lambda: _starts(new, late))
    assert [call.request.container_meta.id for call in plugin.of("PreStartContainer")][-1] == late
    assert second


def _starts(kubelet, container):
    try:
        kubelet.start_container(container)
        return True
    except grpc.RpcError as error:
        assert "unknown" in error.details() or error.code() == grpc.StatusCode.UNAVAILABLE, error.details()


def test_a_skip_label_taken_from_the_pod_is_not_brought_back_by_our_restart(runtime, start_plugin, start_manager):
    plugin = start_plugin(policy="Fail")
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod(labels={"runtimeproxy.koordinator.sh/skip-hookserver": "true"})
        front.restart()
        del life.configs[pod].labels["runtimeproxy.koordinator.sh/skip-hookserver"]
        life.container(pod)
    assert plugin.names() == ["PreCreateContainer"], "kubelet's labels count"
    assert "runtimeproxy.koordinator.sh/skip-hookserver" not in runtime.take("CreateContainer").request.sandbox_config.labels


def test_a_stop_whose_subject_is_unknown_is_owed_until_the_look_up_succeeds(start_plugin, runtime, start_manager):
    plugin = start_plugin(hooks=["PostStopContainer"], policy="Fail")
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet, Runtime(runtime.socket) as beside:
        kubelet.call("Status")
        direct = Life(beside)
        container = direct.container(direct.pod())
        runtime.refuse("ContainerStatus", grpc.StatusCode.INTERNAL, "disk on fire")
        kubelet.stop_container(container)
        front.wait_log("subject unknown")
        assert plugin.names() == []
        runtime.on("ContainerStatus", None)
        assert plugin.take("PostStopContainer").request.container_meta.id == container
