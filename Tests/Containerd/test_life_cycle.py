"""Pods and containers on a real containerd, with plugins; what counts is read back from the kernel or from containerd."""

import grpc
import pytest

from Peers import images
from Peers.containerd import same_shares
from Peers.cri import Life, Runtime
from Peers.messages import cri
from Peers.recorder import HOOKS, echo, refuse, sparse
from Wire.expect import by, refused

MiB = 1 << 20


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_a_pod_goes_through_all_verbs_with_a_recording_plugin(containerd, direct, front, start_plugin, parent, version):
    plugin = start_plugin(policy="Fail")
    with Runtime(front.listen, version, before=front.start) as kubelet:
        life = Life(kubelet)
        pod = life.pod(cgroup_parent=parent, attempt=2, labels={"app": "web"})
        container = life.container(pod, cpu_shares=512, memory_limit_in_bytes=64 * MiB, envs=[("A", "1")])
        kubelet.start_container(container)
        assert kubelet.exec(container, "/bin/echo", "hello") == "hello\n"
        kubelet.update(container, cpu_shares=256)
        assert kubelet.container_status(container).status.state == 1
        kubelet.stop_container(container)
        kubelet.remove_container(container)
        kubelet.stop_pod(pod)
        kubelet.remove_pod(pod)
    assert plugin.names() == [
        "PreRunPodSandbox",
        "PreCreateContainer",
        "PreStartContainer",
        "PostStartContainer",
        "PreUpdateContainerResources",
        "PostStopContainer",
        "PostStopPodSandbox",
    ]
    assert plugin.of("PreStartContainer")[0].request.container_meta.id == container
    assert plugin.of("PostStopPodSandbox")[0].request.pod_meta.attempt == 2
    assert list(direct.call("ListPodSandbox").items) == []
    assert list(direct.call("ListContainers").containers) == []


def test_a_plugin_sets_cpu_shares_and_memory_at_creation(life, start_plugin, parent, kernel):
    start_plugin(policy="Fail").on(
        "PreCreateContainer", sparse(resources={"cpu_shares": 300, "memory_limit_in_bytes": 48 * MiB})
    )
    container = life.container(life.pod(cgroup_parent=parent), cpu_shares=512, memory_limit_in_bytes=64 * MiB)
    life.runtime.start_container(container)
    assert same_shares(kernel(parent, container, "cpu.shares"), 300)
    assert kernel(parent, container, "memory.limit_in_bytes") == 48 * MiB


@pytest.mark.parametrize("hook", ["PreStartContainer", "PostStartContainer"])
def test_a_plugin_sets_cpu_shares_around_the_start(life, start_plugin, parent, kernel, hook):
    start_plugin(policy="Fail").on(hook, sparse(resources={"cpu_shares": 400}))
    container = life.container(
        life.pod(cgroup_parent=parent), cpu_shares=512, cpu_quota=50000, cpu_period=100000, oom_score_adj=500
    )
    life.runtime.start_container(container)
    assert same_shares(kernel(parent, container, "cpu.shares"), 400)
    assert kernel(parent, container, "cpu.cfs_quota_us") == 50000, "what it did not name stays"


def test_a_plugin_sets_cpu_shares_at_update(life, start_plugin, parent, kernel):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreUpdateContainerResources", echo(lambda answer: setattr(answer.container_resources, "cpu_shares", 700)))
    container = life.container(life.pod(cgroup_parent=parent), cpu_shares=512, memory_limit_in_bytes=64 * MiB)
    life.runtime.start_container(container)
    life.runtime.update(container, cpu_quota=30000, cpu_period=100000)
    assert same_shares(kernel(parent, container, "cpu.shares"), 700)
    assert kernel(parent, container, "cpu.cfs_quota_us") == 30000
    assert kernel(parent, container, "memory.limit_in_bytes") == 64 * MiB


def test_a_plugin_sets_the_environment(life, start_plugin, parent):
    start_plugin(policy="Fail").on("PreCreateContainer", sparse(container_envs={"FROM_PLUGIN": "yes", "B": "changed"}))
    container = life.container(life.pod(cgroup_parent=parent), envs=[("A", "1"), ("B", "2")])
    life.runtime.start_container(container)
    seen = life.runtime.exec(container, "/bin/env").splitlines()
    assert {"A=1", "B=changed", "FROM_PLUGIN=yes", "FROM_IMAGE=yes"} <= set(seen)
    assert "B=2" not in seen


def test_a_plugin_sets_annotations_and_labels(life, start_plugin, parent, direct):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreRunPodSandbox", sparse(labels={"l": "1"}, annotations={"a": "2"}))
    plugin.on("PreCreateContainer", sparse(container_annotations={"c": "3"}))
    pod = life.pod(cgroup_parent=parent)
    container = life.container(pod)
    status = direct.pod_status(pod).status
    assert (status.labels["l"], status.annotations["a"]) == ("1", "2")
    assert direct.container_status(container).status.annotations["c"] == "3"


def test_a_plugin_moves_a_pod_to_another_cgroup_parent(life, start_plugin, containerd, parent, kernel):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreRunPodSandbox", sparse(cgroup_parent=f"{parent}/moved"))
    pod = life.pod(cgroup_parent=f"{parent}/asked")
    container = life.container(pod, cpu_shares=123)
    life.runtime.start_container(container)
    assert containerd.spec(container)["linux"]["cgroupsPath"] == f"{parent}/moved/{container}"
    assert containerd.spec(pod)["linux"]["cgroupsPath"] == f"{parent}/moved/{pod}"
    assert same_shares(kernel(f"{parent}/moved", container, "cpu.shares"), 123)


def test_a_plugin_moves_one_container_to_another_cgroup_parent(life, start_plugin, containerd, parent):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreCreateContainer", sparse(pod_cgroup_parent=f"{parent}/one"), then=echo())
    pod = life.pod(cgroup_parent=parent)
    first, second = life.container(pod, name="first"), life.container(pod, name="second")
    assert containerd.spec(first)["linux"]["cgroupsPath"] == f"{parent}/one/{first}"
    assert containerd.spec(second)["linux"]["cgroupsPath"] == f"{parent}/{second}"


@pytest.mark.parametrize("hook", [h for h in HOOKS if h.startswith("Pre")])
def test_fail_refuses_and_leaves_nothing_behind(life, start_plugin, parent, direct, kernel, hook):
    plugin = start_plugin(hooks=[hook], policy="Fail")
    plugin.on(hook, refuse(grpc.StatusCode.PERMISSION_DENIED, "not here"))

    def refuses(call):
        with refused("PERMISSION_DENIED", by("p", hook), "not here"):
            call()

    if hook == "PreRunPodSandbox":
        refuses(lambda: life.pod(cgroup_parent=parent))
        assert list(direct.call("ListPodSandbox").items) == []
        return
    pod = life.pod(cgroup_parent=parent)
    if hook == "PreCreateContainer":
        refuses(lambda: life.container(pod))
        assert list(direct.call("ListContainers").containers) == []
        return
    container = life.container(pod, cpu_shares=512)
    if hook == "PreStartContainer":
        refuses(lambda: life.runtime.start_container(container))
        assert direct.container_status(container).status.state == 0, "it was not started"
        return
    life.runtime.start_container(container)
    refuses(lambda: life.runtime.update(container, cpu_shares=100))
    assert same_shares(kernel(parent, container, "cpu.shares"), 512)


def test_fail_after_the_start_stops_the_container(life, start_plugin, parent, direct):
    plugin = start_plugin(policy="Fail")
    plugin.on("PostStartContainer", refuse(grpc.StatusCode.INTERNAL, "no"))
    container = life.container(life.pod(cgroup_parent=parent))
    with refused("INTERNAL", by("p", "PostStartContainer")):
        life.runtime.start_container(container)
    assert direct.container_status(container).status.state == 2, "it has exited"
    plugin.take("PostStopContainer")


def test_a_plugin_restarted_between_two_calls_under_fail_is_not_noticed(life, start_plugin, parent):
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    plugin.restart()
    container = life.container(pod)
    plugin.restart()
    life.runtime.start_container(container)
    assert plugin.names() == ["PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PostStartContainer"]


# Restarts

DETAILS = dict(
    name="web", attempt=4, envs=[("A", "1"), ("B", "two=2")], annotations={"c": "d"}, cpu_shares=512, cpu_quota=50000,
    cpu_period=100000, memory_limit_in_bytes=64 * MiB, oom_score_adj=500,
)


def complete(request, life, pod, container, parent, **resources):
    """The hook request holds all that kubelet said, and the resources in force."""
    sent = life.configs[pod]
    assert request.pod_meta.SerializeToString() == sent.metadata.SerializeToString()
    assert dict(request.pod_labels) == dict(sent.labels)
    assert dict(request.pod_annotations) == dict(sent.annotations)
    assert request.pod_cgroup_parent == parent
    assert request.pod_resources.cpu_shares == 9
    assert (request.container_meta.name, request.container_meta.attempt) == ("web", 4)
    assert request.container_meta.id == container
    assert dict(request.container_envs) == {"A": "1", "B": "two=2"}
    assert request.container_annotations["c"] == "d"
    for name, value in resources.items():
        assert getattr(request.container_resources, name) == value, name


def restart_ours(front, containerd):
    front.restart()


def restart_containerd(front, containerd):
    containerd.restart()


def restart_both(front, containerd):
    front.kill()
    containerd.restart()
    front.start()


@pytest.mark.parametrize("restart", [restart_ours, restart_containerd, restart_both])
def test_hook_requests_are_complete_after_a_restart_between_create_update_and_stop(
    life, front, containerd, start_plugin, parent, kernel, restart
):
    plugin = start_plugin(policy="Fail")
    kubelet = life.runtime
    pod = life.pod(
        cgroup_parent=parent, attempt=2, labels={"app": "web"}, annotations={"note": "ünï"},
        overhead=cri.LinuxContainerResources(cpu_shares=5), resources=cri.LinuxContainerResources(cpu_shares=9),
    )
    container = life.container(pod, **DETAILS)

    def again():
        restart(front, containerd)
        kubelet.until_answered()
        plugin.forget()

    again()
    kubelet.start_container(container)
    complete(
        plugin.take("PreStartContainer").request, life, pod, container, parent,
        cpu_shares=512, cpu_quota=50000, memory_limit_in_bytes=64 * MiB, oom_score_adj=500, memory_swap_limit_in_bytes=0,
    )
    kubelet.update(container, cpu_shares=256)
    again()
    kubelet.update(container, cpu_quota=40000)
    complete(
        plugin.take("PreUpdateContainerResources").request, life, pod, container, parent,
        cpu_shares=256, cpu_quota=40000, memory_limit_in_bytes=64 * MiB, oom_score_adj=500, memory_swap_limit_in_bytes=0,
    )
    assert same_shares(kernel(parent, container, "cpu.shares"), 256)
    assert kernel(parent, container, "cpu.cfs_quota_us") == 40000
    again()
    kubelet.stop_container(container)
    complete(
        plugin.take("PostStopContainer", within=15).request, life, pod, container, parent, cpu_shares=256, cpu_quota=40000
    )
    again()
    kubelet.stop_pod(pod)
    told = plugin.take("PostStopPodSandbox", within=15).request
    assert (told.pod_meta.attempt, told.cgroup_parent) == (2, parent)
    assert (told.overhead.cpu_shares, told.resources.cpu_shares) == (5, 9)


def test_what_a_plugin_changed_in_the_pod_is_still_there_after_our_restart(life, front, containerd, start_plugin, parent):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreRunPodSandbox", sparse(labels={"l": "1"}, cgroup_parent=f"{parent}/moved"))
    pod = life.pod(cgroup_parent=parent)
    front.restart()
    container = life.container(pod)
    assert containerd.spec(container)["linux"]["cgroupsPath"] == f"{parent}/moved/{container}"
    told = plugin.take("PreCreateContainer").request
    assert (told.pod_labels["l"], told.pod_cgroup_parent) == ("1", f"{parent}/moved")


# The rest of kubelet's day


def test_kubelets_first_calls_are_answered_as_containerd_does(kubelet, direct):
    assert kubelet.call("Version") == direct.call("Version")
    assert kubelet.call("ImageFsInfo").image_filesystems
    assert any(tag == images.SAMPLE for image in kubelet.call("ListImages").images for tag in image.repo_tags)
    for method in ["RuntimeConfig", "GetContainerEvents"]:
        codes = []
        for client in (kubelet, direct):
            with pytest.raises(grpc.RpcError) as error:
                list(client.server_stream(method))
            codes.append((error.value.code(), error.value.details()))
        assert codes[0] == codes[1], "mirrored exactly"


def test_errors_of_containerd_pass_word_for_word(kubelet, direct, start_plugin):
    start_plugin()
    for call in [
        lambda client: client.start_container("no-such-container"),
        lambda client: client.update("no-such-container", cpu_shares=5),
        lambda client: client.stop_container("no-such-container"),
        lambda client: client.container_status("no-such-container"),
        lambda client: client.call(
            "CreateContainer", cri.CreateContainerRequest(pod_sandbox_id="no-such-pod", config=cri.ContainerConfig())
        ),
    ]:
        seen = []
        for client in (kubelet, direct):
            try:
                call(client)
                seen.append(None)
            except grpc.RpcError as error:
                seen.append((error.code(), error.details()))
        assert seen[0] == seen[1]


def test_a_pod_with_a_network_of_its_own_runs(life, containerd, direct, parent, start_plugin):
    if not containerd.bridge:
        pytest.skip("skipped: this kernel makes no bridges")
    start_plugin(policy="Fail")
    pod = life.pod(network=0, cgroup_parent=parent)
    assert direct.pod_status(pod).status.network.ip.startswith("10.255.77.")


def test_many_pods_at_once_all_run(life, start_plugin, parent, direct):
    from concurrent.futures import ThreadPoolExecutor

    plugin = start_plugin(policy="Fail")

    def one(i):
        pod = life.pod(cgroup_parent=parent)
        container = life.container(pod)
        life.runtime.start_container(container)
        return container

    with ThreadPoolExecutor(8) as pool:
        containers = list(pool.map(one, range(8)))
    assert all(direct.container_status(c).status.state == 1 for c in containers)
    assert len(plugin.names()) == 8 * 4
