"""What the reference implementation gets wrong, point by point of the hook protocol's description, on a real containerd."""

import os
import stat

import grpc
import pytest

from Peers.containerd import same_shares
from Peers.cri import Life, Runtime, container_config, pod_config
from Peers.messages import cri
from Peers.recorder import echo, hang, register, sparse, write_whole
from Peers.wait import eventually
from Wire.expect import by, refused

MiB = 1 << 20


def test_01_a_broken_file_does_not_crash_it(life, start_plugin, hook_dir, front, parent):
    write_whole(os.path.join(hook_dir, "broken.json"), '{"remote-endpoint": "/run/x.so')
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    life.container(pod)
    assert plugin.names() == ["PreRunPodSandbox", "PreCreateContainer"]
    assert front.process.poll() is None


def test_02_all_plugins_of_a_hook_point_are_called_in_order(life, start_plugin, parent, direct):
    plugins = [start_plugin(name, policy="Fail") for name in ["20-b", "10-a", "30-c"]]
    for plugin, key in zip(plugins, "bac"):
        plugin.on(
            "PreRunPodSandbox",
            echo(lambda answer, key=key: answer.annotations.update({key: "1"})),
        )
    pod = life.pod(cgroup_parent=parent)
    annotations = direct.pod_status(pod).status.annotations
    assert [annotations[key] for key in "abc"] == ["1", "1", "1"]
    assert "a" in plugins[0].take().request.annotations, "b saw what a did"
    assert {"a", "b"} <= set(plugins[2].take().request.annotations), "c saw both"


def test_03_a_hung_plugin_does_not_eat_kubelets_deadline(life, start_plugin, parent, direct):
    start_plugin().on("PreRunPodSandbox", hang())
    pod = life.pod(cgroup_parent=parent, timeout=6)
    assert direct.pod_status(pod).status.state == 0


def test_04_a_sparse_answer_keeps_everything_it_does_not_name(life, start_plugin, containerd, parent, kernel):
    start_plugin(policy="Fail").on(
        "PreCreateContainer", sparse(resources={"cpu_shares": 300}, container_envs={"NEW": "1"})
    )
    container = life.container(
        life.pod(cgroup_parent=parent),
        cpu_shares=512, oom_score_adj=555, cpuset_cpus="0", cpuset_mems="0",
        envs=[("A", "1"), ("B", "2"), ("A", "3")],
    )
    life.runtime.start_container(container)
    spec = containerd.spec(container)
    assert spec["process"]["oomScoreAdj"] == 555
    assert (spec["linux"]["resources"]["cpu"]["cpus"], spec["linux"]["resources"]["cpu"]["mems"]) == ("0", "0")
    assert kernel(parent, container, "cpuset.cpus") == "0" or kernel(parent, container, "cpuset.cpus") == 0
    assert same_shares(kernel(parent, container, "cpu.shares"), 300)
    ours = [e for e in spec["process"]["env"] if e.split("=")[0] in ("A", "B", "NEW")]
    assert ours == ["A=1", "B=2", "A=3", "NEW=1"] or ours == ["A=3", "B=2", "NEW=1"], "order kept (containerd may merge)"


def test_05_new_fields_metadata_and_large_messages_pass(life, start_plugin, direct, parent, runtime, place, hook_dir):
    """Fields newer than us, trace context, 16 MiB, GetContainerEvents: before containerd, and before a runtime that shows it."""
    from Peers.manager import Manager

    start_plugin(policy="Fail").on("PreRunPodSandbox", sparse(annotations={"changed": "yes"}))
    with pytest.raises(grpc.RpcError) as events:
        list(life.runtime.server_stream("GetContainerEvents"))
    with pytest.raises(grpc.RpcError) as directly:
        list(direct.server_stream("GetContainerEvents"))
    assert (events.value.code(), events.value.details()) == (directly.value.code(), directly.value.details())
    big = pod_config(cgroup_parent=parent, annotations={"big": "x" * (5 * MiB)})
    pod = life.runtime.run_pod(big, timeout=120)
    annotations = direct.pod_status(pod).status.annotations
    assert (len(annotations["big"]), annotations["changed"]) == (5 * MiB, "yes")

    with Manager(place, runtime.socket, listen=os.path.join(place, "second.sock"), hook_dir=hook_dir) as second:
        with Runtime(second.listen) as kubelet:
            request = cri.RunPodSandboxRequest(config=pod_config()).SerializeToString() + b"\xfa\xbb\x07\x06future"
            kubelet.unary("RunPodSandbox", request, metadata=[("traceparent", "00-1-2-01")])
            arrived = runtime.take("RunPodSandbox")
            assert b"\x06future" in arrived.raw and arrived.request.config.annotations["changed"] == "yes"
            assert arrived.header("traceparent") == ["00-1-2-01"]


def test_06_post_hooks_run_only_after_success_and_a_failed_stop_is_hooked_again(life, start_plugin, containerd, parent):
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    container = life.container(pod, command=["/no/such/program"])
    with pytest.raises(grpc.RpcError):
        life.runtime.start_container(container)
    assert "PostStartContainer" not in plugin.names(), "the runtime refused the start"
    containerd.kill()
    try:
        with refused("UNAVAILABLE"):
            life.runtime.stop_pod(pod, timeout=10)
        assert "PostStopPodSandbox" not in plugin.names()
    finally:
        containerd.start()

    def stopped():
        try:
            life.runtime.stop_pod(pod)
            return True
        except grpc.RpcError:
            return False

    eventually(stopped)
    assert plugin.take("PostStopPodSandbox").request.cgroup_parent == parent


def test_07_containers_that_exit_by_themselves_do_not_leak(life, start_plugin, parent, direct):
    """After the removal a record is gone: a call about it is the runtime's to refuse, and no plugin is asked."""
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent)
    container = life.container(pod, command=["/bin/true"])
    life.runtime.start_container(container)
    eventually(lambda: direct.container_status(container).status.state == 2)
    life.runtime.remove_container(container)
    plugin.forget()
    with refused("NOT_FOUND"):
        life.runtime.update(container, cpu_shares=5)
    life.runtime.stop_pod(pod)
    life.runtime.remove_pod(pod)
    assert plugin.names() == ["PostStopPodSandbox"]


def test_08_a_restart_loses_nothing(life, start_plugin, front, parent):
    plugin = start_plugin(policy="Fail")
    pod = life.pod(cgroup_parent=parent, attempt=1, resources=cri.LinuxContainerResources(cpu_shares=9))
    container = life.container(pod, cpu_shares=512, memory_limit_in_bytes=64 * MiB, envs=[("A", "1")])
    life.runtime.start_container(container)
    life.runtime.update(container, cpu_shares=256)
    plugin.forget()
    front.restart()
    life.runtime.update(container, cpu_quota=50000)
    told = plugin.take("PreUpdateContainerResources").request
    assert told.pod_cgroup_parent == parent
    assert (told.container_resources.cpu_shares, told.container_resources.memory_limit_in_bytes) == (256, 64 * MiB)
    assert dict(told.container_envs) == {"A": "1"}
    assert (told.pod_meta.attempt, told.pod_resources.cpu_shares) == (1, 9)


def test_09_a_container_without_linux_in_its_config_is_created(life, start_plugin, front, parent, direct):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreCreateContainer", sparse(container_annotations={"seen": "yes"}))
    pod = life.pod(cgroup_parent=parent)
    config = container_config()
    config.ClearField("linux")
    container = life.runtime.create(pod, config, life.configs[pod])
    life.runtime.start_container(container)
    assert direct.container_status(container).status.annotations["seen"] == "yes"
    assert front.process.poll() is None


def test_10_an_unknown_container_does_not_skip_its_hooks_under_fail(life, kubelet, start_plugin, direct, parent, hook_dir, place):
    plugin = start_plugin(policy="Fail")
    kubelet.call("Status")
    beside = Life(direct)  # made beside RuntimeManager, as crictl may
    pod = beside.pod(cgroup_parent=parent)
    container = beside.container(pod, cpu_shares=512)
    kubelet.start_container(container)
    assert plugin.take("PreStartContainer").request.pod_cgroup_parent == parent
    plugin.stop()
    other = beside.container(pod, name="other")
    with refused("UNAVAILABLE", by("p", "PreStartContainer")):
        kubelet.start_container(other)
    assert direct.container_status(other).status.state == 0


def test_11_attempt_overhead_resources_and_pod_resources_are_filled(life, start_plugin, parent):
    plugin = start_plugin(policy="Fail")
    pod = life.pod(
        cgroup_parent=parent, attempt=7,
        overhead=cri.LinuxContainerResources(memory_limit_in_bytes=3 * MiB),
        resources=cri.LinuxContainerResources(cpu_shares=77, memory_limit_in_bytes=99 * MiB),
    )
    life.container(pod, attempt=6)
    told = plugin.take("PreRunPodSandbox").request
    assert told.pod_meta.attempt == 7
    assert told.overhead.memory_limit_in_bytes == 3 * MiB
    assert (told.resources.cpu_shares, told.resources.memory_limit_in_bytes) == (77, 99 * MiB)
    told = plugin.take("PreCreateContainer").request
    assert (told.pod_meta.attempt, told.container_meta.attempt) == (7, 6)
    assert (told.pod_resources.cpu_shares, told.pod_resources.memory_limit_in_bytes) == (77, 99 * MiB)


def test_12_an_update_sends_only_what_was_asked_and_changed(life, start_plugin, containerd, direct, parent, kernel):
    """The container's shares are changed behind our back; an update of the quota must not bring the old ones back."""
    start_plugin(policy="Fail")
    container = life.container(life.pod(cgroup_parent=parent), cpu_shares=512)
    life.runtime.start_container(container)
    direct.update(container, cpu_shares=111)
    life.runtime.update(container, cpu_quota=50000, cpu_period=100000)
    assert same_shares(kernel(parent, container, "cpu.shares"), 111)
    assert kernel(parent, container, "cpu.cfs_quota_us") == 50000


def test_13_a_runtime_that_is_down_at_start_and_a_stale_socket_are_waited_for_and_replaced(containerd, direct, front):
    import socket

    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(front.listen)
    containerd.kill()
    try:
        front.start()
        assert stat.S_ISSOCK(os.stat(front.listen).st_mode)
        with Runtime(front.listen) as kubelet:
            early = kubelet.begin("Status", cri.StatusRequest(), timeout=30)
            containerd.start()
            assert early.result(30)
    finally:
        if containerd.process.poll() is not None:
            containerd.start()


def test_14_environment_values_are_not_logged(containerd, direct, start_plugin, start_manager, parent):
    start_plugin(policy="Fail").on("PreCreateContainer", sparse(container_envs={"ADDED": "token-of-the-plugin"}))
    front = start_manager(containerd.socket, flags=["--log-level", "trace"])
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod(cgroup_parent=parent)
        container = life.container(pod, envs=[("PASSWORD", "very-secret-value")])
        kubelet.start_container(container)
        kubelet.update(container, cpu_shares=5)
        kubelet.stop_container(container)
    front.restart()
    with Runtime(front.listen) as kubelet:
        kubelet.call("Status")
        kubelet.stop_pod(pod)
    assert "very-secret-value" not in front.log() and "token-of-the-plugin" not in front.log()


def test_15_removing_a_plugins_file_takes_effect_without_a_wait(life, start_plugin, hook_dir, place, parent):
    path = register(hook_dir, "gone", os.path.join(place, "nobody.sock"), ["PreRunPodSandbox"], "Fail")
    with refused("UNAVAILABLE", by("gone", "PreRunPodSandbox")):
        life.pod(cgroup_parent=parent)
    os.unlink(path)

    def runs():
        try:
            return life.pod(cgroup_parent=parent)
        except grpc.RpcError:
            return None

    eventually(runs, within=5, what="the removed plugin is no longer asked")
