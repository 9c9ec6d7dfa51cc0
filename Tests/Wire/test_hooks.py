"""Hooked calls from end to end, before a simulated runtime: who is asked, what he is told, what his answer does."""

import copy
import threading

import grpc
import pytest

from Peers.cri import Life, Runtime, container_config, pod_config
from Peers.h2peer import H2Client, framed
from Peers.messages import cri
from Peers.recorder import HOOKS, echo, hang, refuse, sparse
from Wire.expect import by, refused, told

SHARES = {"cpu_shares": 333}


def whole_life(life):
    kubelet = life.runtime
    pod = life.pod()
    container = life.container(pod, cpu_shares=100)
    kubelet.start_container(container)
    kubelet.update(container, cpu_shares=200)
    kubelet.stop_container(container)
    kubelet.remove_container(container)
    kubelet.stop_pod(pod)
    kubelet.remove_pod(pod)
    return pod, container


# Who is asked


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_every_hook_point_is_asked_once_at_its_call(runtime, start_plugin, start_manager, version):
    plugin = start_plugin()
    front = start_manager(runtime)
    with Runtime(front.listen, version) as kubelet:
        whole_life(Life(kubelet))
    assert plugin.names() == [
        "PreRunPodSandbox",
        "PreCreateContainer",
        "PreStartContainer",
        "PostStartContainer",
        "PreUpdateContainerResources",
        "PostStopContainer",
        "PostStopPodSandbox",
    ]
    for verb in ["RunPodSandbox", "CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer"]:
        assert [call.version for call in runtime.of(verb)] == [version]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_is_asked_only_for_what_it_registered(start_plugin, life, hook):
    plugin = start_plugin(hooks=[hook])
    whole_life(life)
    assert plugin.names() == [hook]


def test_the_name_that_koordlet_writes_too_much_is_accepted(start_plugin, life):
    plugin = start_plugin(hooks=["PreRemoveRunPodSandbox", "PreRunPodSandbox"])
    whole_life(life)
    assert plugin.names() == ["PreRunPodSandbox"]


def test_an_unknown_hook_name_costs_only_itself(start_plugin, manager, life):
    plugin = start_plugin(hooks=["PreEverything", "PreRunPodSandbox"])
    whole_life(life)
    assert plugin.names() == ["PreRunPodSandbox"]
    manager.wait_log("PreEverything")


def test_an_endpoint_with_double_slashes_is_found(start_plugin, hook_dir, place, life):
    from Peers.recorder import register

    plugin = start_plugin(registered=False)
    register(hook_dir, "p", f"{place}//p.sock", ["PreRunPodSandbox"])
    life.pod()
    assert plugin.names() == ["PreRunPodSandbox"]


def test_a_pod_with_the_skip_label_is_never_hooked(start_plugin, life):
    plugin = start_plugin(policy="Fail")
    pod = life.pod(labels={"runtimeproxy.koordinator.sh/skip-hookserver": "true"})
    container = life.container(pod)
    life.runtime.start_container(container)
    life.runtime.update(container, cpu_shares=5)
    life.runtime.stop_container(container)
    life.runtime.stop_pod(pod)
    assert plugin.names() == []


def test_the_skip_label_can_be_another_one(runtime, start_plugin, start_manager):
    plugin = start_plugin()
    front = start_manager(runtime, flags=["--skip-label", "no-hooks=please"])
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        life.pod(labels={"no-hooks": "please"})
        assert plugin.names() == []
        life.pod(labels={"no-hooks": "other"})
        assert plugin.names() == ["PreRunPodSandbox"]


def test_post_hooks_do_not_run_when_the_runtime_refused(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PostStartContainer", "PostStopContainer", "PostStopPodSandbox"])
    pod = life.pod()
    container = life.container(pod)
    for verb, call in [
        ("StartContainer", lambda: life.runtime.start_container(container)),
        ("StopContainer", lambda: life.runtime.stop_container(container)),
        ("StopPodSandbox", lambda: life.runtime.stop_pod(pod)),
    ]:
        runtime.refuse(verb, grpc.StatusCode.INTERNAL)
        with refused("INTERNAL", "refused by the test"):
            call()
        runtime.on(verb, None)
    assert plugin.names() == []
    life.runtime.stop_container(container)
    life.runtime.stop_pod(pod)
    assert plugin.names() == ["PostStopContainer", "PostStopPodSandbox"]


def test_repeated_stops_of_a_pod_ask_the_plugin_once(start_plugin, life):
    plugin = start_plugin(hooks=["PostStopPodSandbox"])
    pod = life.pod()
    for _ in range(3):
        life.runtime.stop_pod(pod)
    assert plugin.names() == ["PostStopPodSandbox"]


def test_a_stop_that_finds_nothing_still_tells_the_plugin(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PostStopContainer"])
    container = life.container(life.pod())
    runtime.refuse("StopContainer", grpc.StatusCode.NOT_FOUND, "gone")
    with refused("NOT_FOUND", "gone"):
        life.runtime.stop_container(container)
    assert plugin.take("PostStopContainer").request.container_meta.id == container


# What a plugin is told


def test_a_pod_hook_is_told_all_that_kubelet_sent(start_plugin, life):
    plugin = start_plugin(hooks=["PreRunPodSandbox", "PostStopPodSandbox"])
    pod = life.pod(
        handler="kata",
        namespace="shop",
        attempt=4,
        labels={"app": "web"},
        annotations={"note": "ünïcode"},
        cgroup_parent="/kubepods/burstable/pod1",
        overhead=cri.LinuxContainerResources(memory_limit_in_bytes=1 << 20),
        resources=cri.LinuxContainerResources(
            cpu_shares=7,
            unified={"memory.high": "9"},
            hugepage_limits=[cri.HugepageLimit(page_size="2MB", limit=4)],
        ),
    )
    life.runtime.stop_pod(pod)
    sent = life.configs[pod]
    for name in ["PreRunPodSandbox", "PostStopPodSandbox"]:
        told = plugin.take(name).request
        assert told.pod_meta.SerializeToString() == sent.metadata.SerializeToString()
        assert told.runtime_handler == "kata"
        assert dict(told.labels) == dict(sent.labels)
        assert dict(told.annotations) == dict(sent.annotations)
        assert told.cgroup_parent == "/kubepods/burstable/pod1"
        assert told.overhead.memory_limit_in_bytes == 1 << 20
        assert told.resources.cpu_shares == 7
        assert dict(told.resources.unified) == {"memory.high": "9"}
        assert [(h.page_size, h.limit) for h in told.resources.hugepage_limits] == [("2MB", 4)]


def test_a_container_hook_is_told_pod_and_container(start_plugin, life):
    plugin = start_plugin()
    pod = life.pod(
        cgroup_parent="/kubepods/pod2",
        attempt=2,
        labels={"app": "web"},
        annotations={"note": "n"},
        resources=cri.LinuxContainerResources(cpu_shares=9),
    )
    container = life.container(
        pod,
        name="web",
        attempt=5,
        envs=[("A", "1"), ("B", "2"), ("A", "3")],
        annotations={"c": "d"},
        cpu_shares=100,
        cpu_quota=5000,
        memory_limit_in_bytes=1 << 20,
        memory_swap_limit_in_bytes=1 << 21,
        oom_score_adj=-998,
        cpuset_cpus="0-1",
        cpuset_mems="0",
        cpu_period=10000,
    )
    life.runtime.start_container(container)
    life.runtime.stop_container(container)
    sent = life.configs[pod]
    for name in ["PreCreateContainer", "PreStartContainer", "PostStartContainer", "PostStopContainer"]:
        told = plugin.take(name).request
        assert told.pod_meta.SerializeToString() == sent.metadata.SerializeToString(), name
        assert (told.container_meta.name, told.container_meta.attempt) == ("web", 5)
        assert told.container_meta.id == ("" if name == "PreCreateContainer" else container)
        assert told.container_annotations["c"] == "d"
        assert dict(told.pod_labels) == dict(sent.labels)
        assert dict(told.pod_annotations) == dict(sent.annotations)
        assert told.pod_cgroup_parent == "/kubepods/pod2"
        assert told.pod_resources.cpu_shares == 9
        assert dict(told.container_envs) == {"A": "3", "B": "2"}
        resources = told.container_resources
        assert (resources.cpu_shares, resources.cpu_quota, resources.cpu_period) == (100, 5000, 10000)
        assert (resources.memory_limit_in_bytes, resources.memory_swap_limit_in_bytes) == (1 << 20, 1 << 21)
        assert (resources.oom_score_adj, resources.cpuset_cpus, resources.cpuset_mems) == (-998, "0-1", "0")


def test_an_update_hook_is_told_all_resources_in_force(start_plugin, life):
    plugin = start_plugin(hooks=["PreUpdateContainerResources"])
    container = life.container(life.pod(), cpu_shares=100, memory_limit_in_bytes=1 << 20)
    life.runtime.update(container, cpu_quota=5000)
    life.runtime.update(container, cpu_shares=101)
    told = [call.request.container_resources for call in plugin.of("PreUpdateContainerResources")]
    assert [(r.cpu_shares, r.cpu_quota, r.memory_limit_in_bytes) for r in told] == [
        (100, 5000, 1 << 20),
        (101, 5000, 1 << 20),
    ]


def test_a_failed_call_is_not_remembered(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreUpdateContainerResources"])
    container = life.container(life.pod(), cpu_shares=100)
    runtime.refuse("UpdateContainerResources", grpc.StatusCode.INVALID_ARGUMENT)
    with refused("INVALID_ARGUMENT"):
        life.runtime.update(container, cpu_shares=999)
    runtime.on("UpdateContainerResources", None)
    life.runtime.update(container, cpu_quota=7)
    assert plugin.of("PreUpdateContainerResources")[-1].request.container_resources.cpu_shares == 100


def test_env_values_that_are_no_text_are_not_shown_and_kept(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreCreateContainer"])
    plugin.on("PreCreateContainer", echo(lambda answer: answer.container_envs.update({"NEW": "1"})))
    life.container(life.pod(), envs=[("TEXT", "ok"), ("BYTES", b"\xff\xfe")])
    assert dict(plugin.take().request.container_envs) == {"TEXT": "ok"}
    arrived = runtime.take("CreateContainer").request.config.envs
    assert [(e.key, e.value) for e in arrived] == [("TEXT", b"ok"), ("BYTES", b"\xff\xfe"), ("NEW", b"1")]


# What an answer does


def test_a_pod_hook_changes_labels_annotations_cgroup_parent_and_resources(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreRunPodSandbox"])
    plugin.on(
        "PreRunPodSandbox",
        sparse(labels={"l": "1"}, annotations={"a": "2"}, cgroup_parent="/elsewhere", resources=SHARES),
    )
    pod = life.pod(cgroup_parent="/kubepods/pod3", annotations={"a": "old", "b": "kept"})
    config = runtime.take("RunPodSandbox").request.config
    assert config.labels == {**life.configs[pod].labels, "l": "1"}
    assert (config.annotations["a"], config.annotations["b"]) == ("2", "kept")
    assert config.linux.cgroup_parent == "/elsewhere"
    assert config.linux.resources.cpu_shares == 333
    assert config.linux.security_context.namespace_options.network == 2


def test_containers_are_created_in_the_pod_as_the_plugin_made_it(start_plugin, runtime, life):
    plugin = start_plugin()
    plugin.on("PreRunPodSandbox", sparse(labels={"l": "1"}, annotations={"a": "2"}, cgroup_parent="/elsewhere"))
    pod = life.pod(cgroup_parent="/kubepods/pod3")
    life.container(pod)
    told = plugin.take("PreCreateContainer").request
    assert (told.pod_labels["l"], told.pod_annotations["a"], told.pod_cgroup_parent) == ("1", "2", "/elsewhere")
    sandbox = runtime.take("CreateContainer").request.sandbox_config
    assert (sandbox.labels["l"], sandbox.annotations["a"], sandbox.linux.cgroup_parent) == ("1", "2", "/elsewhere")


def test_recorded_changes_of_a_pod_apply_without_a_container_hook(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreRunPodSandbox"])
    plugin.on("PreRunPodSandbox", sparse(cgroup_parent="/elsewhere"))
    life.container(life.pod(cgroup_parent="/kubepods/pod3"))
    assert runtime.take("CreateContainer").request.sandbox_config.linux.cgroup_parent == "/elsewhere"


def test_a_create_hook_changes_annotations_resources_env_and_cgroup_parent(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreCreateContainer"])
    plugin.on(
        "PreCreateContainer",
        sparse(
            container_annotations={"a": "1"}, container_envs={"B": "two"}, pod_cgroup_parent="/mine", resources=SHARES
        ),
        then=echo(),
    )
    pod = life.pod(cgroup_parent="/kubepods/pod3")
    life.container(pod, envs=[("A", "1"), ("B", "2")], memory_limit_in_bytes=1 << 20, cpu_shares=100)
    request = runtime.take("CreateContainer").request
    assert request.config.annotations["a"] == "1"
    assert [(e.key, e.value) for e in request.config.envs] == [("A", b"1"), ("B", b"two")]
    assert request.config.linux.resources.cpu_shares == 333
    assert request.config.linux.resources.memory_limit_in_bytes == 1 << 20
    assert request.sandbox_config.linux.cgroup_parent == "/mine"
    life.container(pod, name="other")
    other = runtime.take("CreateContainer").request
    assert other.sandbox_config.linux.cgroup_parent == "/kubepods/pod3", "the change was for one container"


@pytest.mark.parametrize("hook,before", [("PreStartContainer", True), ("PostStartContainer", False)])
def test_a_start_hook_changes_resources_by_one_update_of_only_those(start_plugin, runtime, life, hook, before):
    plugin = start_plugin()
    plugin.on(hook, sparse(resources=SHARES))
    container = life.container(life.pod(), cpu_shares=100, memory_limit_in_bytes=1 << 20)
    life.runtime.start_container(container, metadata=[("traceparent", "00-a-b-01")])
    (update,) = runtime.of("UpdateContainerResources")
    assert update.request == cri.UpdateContainerResourcesRequest(
        container_id=container, linux=cri.LinuxContainerResources(cpu_shares=333)
    )
    assert update.header("traceparent") == ["00-a-b-01"]
    order = [name for name in runtime.names() if name in ("StartContainer", "UpdateContainerResources")]
    assert order == ["UpdateContainerResources", "StartContainer"][:: 1 if before else -1]
    assert "PreUpdateContainerResources" not in plugin.names(), "no hooks on our own update"
    life.runtime.stop_container(container)
    assert plugin.take("PostStopContainer").request.container_resources.cpu_shares == 333


def test_an_update_carries_what_kubelet_asked_and_what_the_plugin_changed(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreUpdateContainerResources"])
    plugin.on("PreUpdateContainerResources", echo(lambda answer: setattr(answer.container_resources, "cpu_shares", 333)))
    container = life.container(life.pod(cgroup_parent="/p"), cpu_shares=100, memory_limit_in_bytes=1 << 20)
    life.runtime.update(container, cpu_quota=5000, annotations={"a": "1"})
    arrived = runtime.take("UpdateContainerResources").request
    assert arrived == cri.UpdateContainerResourcesRequest(
        container_id=container,
        linux=cri.LinuxContainerResources(cpu_quota=5000, cpu_shares=333),
        annotations={"a": "1"},
    )


def test_a_sparse_answer_changes_only_what_it_names(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreCreateContainer"])
    plugin.on("PreCreateContainer", sparse(resources=SHARES))
    sent = dict(oom_score_adj=-997, cpuset_cpus="0", cpuset_mems="0", cpu_shares=100, cpu_quota=-1)
    life.container(life.pod(), envs=[("A", "1"), ("A", "2")], **sent)
    config = runtime.take("CreateContainer").request.config
    assert config.linux.resources == cri.LinuxContainerResources(**{**sent, **SHARES})
    assert [(e.key, e.value) for e in config.envs] == [("A", b"1"), ("A", b"2")]


def test_a_whole_answer_with_empty_cpuset_clears_it(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreCreateContainer"])
    plugin.on("PreCreateContainer", echo(lambda answer: answer.container_resources.ClearField("cpuset_cpus")))
    life.container(life.pod(cgroup_parent="/p"), cpuset_cpus="0-1", cpuset_mems="0", cpu_shares=100, oom_score_adj=5)
    resources = runtime.take("CreateContainer").request.config.linux.resources
    assert (resources.cpuset_cpus, resources.cpuset_mems, resources.cpu_shares) == ("", "0", 100)


#: A field that nobody knows.
ODD = b"\xfa\x7d\x03odd"


def padded(number):
    """A varint with a byte more than it needs."""
    out = bytearray()
    while number:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + b"\0")


def bulky(number, body):
    """A field of bytes, its tag and its length with a byte too many."""
    return padded(number << 3 | 2) + padded(len(body)) + body


def in_halves(message):
    """A message's later fields, one that nobody knows, and its earlier fields."""
    names = [field.name for field, _ in message.ListFields()]
    earlier, later = copy.deepcopy(message), copy.deepcopy(message)
    for name in names:
        (later if name in names[: len(names) // 2] else earlier).ClearField(name)
    return later.SerializeToString() + ODD + earlier.SerializeToString()


def odd_requests(pod, container):
    """Legal and not canonical: fields out of order, twice, in halves, longer than they need be, and of no name."""
    sandbox = in_halves(pod_config(annotations={"b": "c"}))
    inner = in_halves(container_config(envs=[("A", "1"), ("A", "2")], cpu_shares=5))
    shares, more_shares, quota = padded(3 << 3) + padded(77), b"\x18\x05", b"\x10\x00"
    resources = shares + bulky(6, b"0-3") + b"\x32\x010" + ODD + more_shares + quota
    key, value = b"\x0a\x04size", b"\x12\x05small"
    return {
        "RunPodSandbox": bulky(2, b"") + bulky(1, sandbox) + ODD + bulky(1, sandbox),
        "CreateContainer": bulky(3, sandbox) + ODD + bulky(2, inner) + bulky(1, b"another") + bulky(3, sandbox)
        + bulky(2, inner) + bulky(1, pod.encode()),
        "UpdateContainerResources": bulky(4, value + key) + bulky(2, resources) + ODD + bulky(1, b"another")
        + bulky(4, key + value) + bulky(2, resources) + bulky(1, container.encode()),
    }


@pytest.mark.parametrize("verb", ["RunPodSandbox", "CreateContainer", "UpdateContainerResources"])
def test_an_unchanged_call_travels_byte_for_byte(start_plugin, life, runtime, verb):
    plugin = start_plugin()
    pod = life.pod()
    odd = odd_requests(pod, life.container(pod))[verb]
    plugin.forget()
    runtime.forget()
    life.runtime.unary(verb, odd)
    assert plugin.names() == [f"Pre{verb}"]
    assert runtime.take(verb).raw == odd


@pytest.mark.parametrize("verb", ["RunPodSandbox", "CreateContainer", "UpdateContainerResources"])
def test_an_odd_request_is_read_as_it_is_meant(start_plugin, life, runtime, verb):
    plugin = start_plugin()
    pod = life.pod()
    odd = odd_requests(pod, life.container(pod))[verb]
    plugin.on(f"Pre{verb}", sparse(resources={"cpu_quota": 5000}))
    runtime.forget()
    life.runtime.unary(verb, odd)
    expected = getattr(cri, f"{verb}Request").FromString(odd)
    resources = expected.linux if verb == "UpdateContainerResources" else expected.config.linux.resources
    resources.cpu_quota = 5000
    assert runtime.take(verb).request == expected


def test_new_envs_come_last_in_byte_order(start_plugin, runtime, life):
    plugin = start_plugin(hooks=["PreCreateContainer"])
    plugin.on("PreCreateContainer", sparse(container_envs={"b": "1", "a": "2", "Z": "3", "A": "new"}))
    life.container(life.pod(), envs=[("X", "1"), ("A", "0"), ("X", "2"), ("A", "1")])
    envs = [(e.key, e.value.decode()) for e in runtime.take("CreateContainer").request.config.envs]
    assert envs == [("X", "1"), ("A", "0"), ("X", "2"), ("A", "new"), ("Z", "3"), ("a", "2"), ("b", "1")]


FORBIDDEN = {
    "kubelet's label": ("PreRunPodSandbox", sparse(labels={"io.kubernetes.pod.name": "other"})),
    "a new label of kubelet's": ("PreRunPodSandbox", sparse(labels={"io.kubernetes.pod.new": "x"})),
    "a new container annotation of kubelet's": (
        "PreCreateContainer",
        sparse(container_annotations={"io.kubernetes.container.new": "x"}),
    ),
    "the skip label": ("PreRunPodSandbox", sparse(labels={"runtimeproxy.koordinator.sh/skip-hookserver": "true"})),
    "the pod's source": ("PreRunPodSandbox", sparse(annotations={"kubernetes.io/config.source": "file"})),
    "a path made a slice": ("PreRunPodSandbox", sparse(cgroup_parent="other.slice")),
    "env at start": ("PreStartContainer", sparse(container_envs={"A": "1"})),
    "cgroup parent at start": ("PreStartContainer", sparse(pod_cgroup_parent="/other")),
    "oom score at start": ("PreStartContainer", sparse(resources={"oom_score_adj": 7})),
    "oom score at update": ("PreUpdateContainerResources", sparse(resources={"oom_score_adj": 7})),
    "cgroup parent at update": ("PreUpdateContainerResources", sparse(pod_cgroup_parent="/other")),
}


def drive(life, hook):
    """The calls up to the one that `hook` hangs on."""
    pod = life.pod(cgroup_parent="/kubepods/pod1")
    if hook in ("PreRunPodSandbox",):
        return
    if hook == "PostStopPodSandbox":
        return life.runtime.stop_pod(pod)
    container = life.container(pod, cpu_shares=100)
    if hook == "PreCreateContainer":
        return
    if hook in ("PreStartContainer", "PostStartContainer"):
        return life.runtime.start_container(container)
    if hook == "PostStopContainer":
        return life.runtime.stop_container(container)
    return life.runtime.update(container, cpu_quota=5000)


VERB = {
    "PreRunPodSandbox": "RunPodSandbox",
    "PreCreateContainer": "CreateContainer",
    "PreStartContainer": "StartContainer",
    "PreUpdateContainerResources": "UpdateContainerResources",
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_forbidden_change_under_fail_refuses_the_call(start_plugin, runtime, life, case):
    hook, answer = FORBIDDEN[case]
    plugin = start_plugin(hooks=[hook], policy="Fail")
    plugin.on(hook, answer)
    with refused("FAILED_PRECONDITION", by("p", hook)):
        drive(life, hook)
    assert runtime.of(VERB[hook]) == [], "the runtime was never asked"


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_forbidden_change_under_ignore_costs_only_itself(start_plugin, runtime, life, case):
    hook, answer = FORBIDDEN[case]
    plugin = start_plugin(hooks=[hook])

    def and_shares(call, context):
        message = answer(call, context)
        (message.resources if hook == "PreRunPodSandbox" else message.container_resources).cpu_shares = 333
        return message

    plugin.on(hook, and_shares)
    drive(life, hook)
    arrived = runtime.take("UpdateContainerResources" if hook == "PreStartContainer" else VERB[hook]).request
    resources = {
        "PreRunPodSandbox": lambda: arrived.config.linux.resources,
        "PreCreateContainer": lambda: arrived.config.linux.resources,
    }.get(hook, lambda: arrived.linux)()
    assert resources.cpu_shares == 333, "the allowed part of the answer counts"
    assert resources.oom_score_adj == 0
    if hook == "PreRunPodSandbox":
        assert arrived.config.linux.cgroup_parent == "/kubepods/pod1"
        assert "io.kubernetes.pod.new" not in arrived.config.labels
        assert "runtimeproxy.koordinator.sh/skip-hookserver" not in arrived.config.labels
        assert arrived.config.annotations["kubernetes.io/config.source"] == "api"


# Unknown fields


def future(message):
    """The bytes of a message with fields that do not exist yet, in itself and in every message inside it."""
    for field, value in message.ListFields():
        if field.message_type and not field.message_type.GetOptions().map_entry:
            for part in value if field.label == 3 else [value]:
                part.ParseFromString(future(part))
    return message.SerializeToString() + b"\xfa\xbb\x07\x06future" + b"\xf0\xbb\x07\x2a"


def known_and_future(raw, kind):
    """Everything in the bytes, known fields and unknown ones, as comparable text; maps have no order."""
    return sorted(str(kind.FromString(raw)).splitlines()), raw.count(b"future")


@pytest.mark.parametrize("verb", ["RunPodSandbox", "CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer", "StopPodSandbox"])
@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_fields_and_enum_values_that_do_not_exist_yet_survive_a_change(runtime, start_plugin, start_manager, verb, version):
    plugin = start_plugin()
    plugin.on("PreRunPodSandbox", sparse(annotations={"changed": "yes"}))
    plugin.on("PreCreateContainer", sparse(container_annotations={"changed": "yes"}))
    plugin.on("PreStartContainer", sparse(resources=SHARES))
    plugin.on("PreUpdateContainerResources", sparse(resources={"cpu_period": 77777}))
    front = start_manager(runtime)
    with Runtime(front.listen, version) as kubelet:
        life = Life(kubelet)
        pod = life.pod()
        container = life.container(pod)
        sandbox = pod_config(annotations={"b": "c"}, resources=cri.LinuxContainerResources(cpu_shares=4))
        sandbox.linux.security_context.namespace_options.pid = 77
        inner = container_config(envs=[("A", "1")], cpu_shares=5)
        inner.linux.security_context.namespace_options.ipc = 78
        message = {
            "RunPodSandbox": cri.RunPodSandboxRequest(config=sandbox),
            "CreateContainer": cri.CreateContainerRequest(pod_sandbox_id=pod, config=inner, sandbox_config=sandbox),
            "StartContainer": cri.StartContainerRequest(container_id=container),
            "UpdateContainerResources": cri.UpdateContainerResourcesRequest(
                container_id=container, linux=cri.LinuxContainerResources(cpu_quota=5)
            ),
            "StopContainer": cri.StopContainerRequest(container_id=container, timeout=3),
            "StopPodSandbox": cri.StopPodSandboxRequest(pod_sandbox_id=pod),
        }[verb]
        sent = future(message)
        runtime.forget()
        kubelet.unary(verb, sent)
    arrived = runtime.take(verb).raw
    kind = getattr(cri, f"{verb}Request")
    expected = kind.FromString(sent)
    if verb == "RunPodSandbox":
        expected.config.annotations["changed"] = "yes"
    if verb == "CreateContainer":
        expected.config.annotations["changed"] = "yes"
        expected.sandbox_config.annotations["changed"] = "yes"
    if verb == "UpdateContainerResources":
        expected.linux.cpu_period = 77777
    assert known_and_future(arrived, kind) == known_and_future(expected.SerializeToString(), kind)


def test_answers_of_the_runtime_keep_fields_that_do_not_exist_yet(start_plugin, runtime, kubelet):
    start_plugin()
    answer = cri.RunPodSandboxResponse(pod_sandbox_id="abc").SerializeToString() + b"\xfa\xbb\x07\x06future"
    runtime.on("RunPodSandbox", lambda call: answer)
    assert kubelet.unary("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()).SerializeToString()) == answer


# Several plugins


def test_plugins_are_asked_in_the_order_of_their_file_names(start_plugin, runtime, life):
    asked = []
    for name in ["b", "a", "B", "10", "a.b"]:
        plugin = start_plugin(name, hooks=["PreRunPodSandbox"])

        def answer(call, context, name=name):
            asked.append(name)
            return echo(lambda answer: answer.annotations.update({f"by-{name}": "1"}))(call, context)

        plugin.on("PreRunPodSandbox", answer)
    life.pod()
    assert asked == ["10", "B", "a", "a.b", "b"]
    annotations = runtime.take("RunPodSandbox").request.config.annotations
    assert all(annotations[f"by-{name}"] == "1" for name in asked), "every plugin's change counts"


def test_a_plugin_sees_what_earlier_ones_changed(start_plugin, life):
    start_plugin("a", hooks=["PreRunPodSandbox"]).on("PreRunPodSandbox", sparse(annotations={"x": "a"}))
    second = start_plugin("b", hooks=["PreRunPodSandbox"])
    life.pod()
    assert second.take().request.annotations["x"] == "a"


def test_the_first_plugin_to_change_a_field_owns_it(start_plugin, runtime, life):
    start_plugin("a").on("PreCreateContainer", sparse(resources=SHARES, container_annotations={"k": "a"}))
    start_plugin("b").on(
        "PreCreateContainer",
        sparse(resources={"cpu_shares": 444, "cpu_quota": 5000}, container_annotations={"k": "b", "l": "b"}),
    )
    life.container(life.pod())
    config = runtime.take("CreateContainer").request.config
    assert config.linux.resources == cri.LinuxContainerResources(cpu_shares=333, cpu_quota=5000)
    assert (config.annotations["k"], config.annotations["l"]) == ("a", "b")


def test_a_conflict_under_fail_refuses_and_names_both(start_plugin, runtime, life):
    start_plugin("a").on("PreCreateContainer", sparse(resources=SHARES))
    start_plugin("b", policy="Fail").on("PreCreateContainer", sparse(resources={"cpu_shares": 444}))
    pod = life.pod()
    with refused("FAILED_PRECONDITION", by("b", "PreCreateContainer"), "a", "cpu_shares"):
        life.container(pod)
    assert runtime.of("CreateContainer") == []


def test_two_plugins_that_want_the_same_do_not_conflict(start_plugin, runtime, life):
    for name in "ab":
        start_plugin(name, policy="Fail").on("PreCreateContainer", sparse(resources=SHARES))
    life.container(life.pod())
    assert runtime.take("CreateContainer").request.config.linux.resources.cpu_shares == 333


def test_a_failure_under_fail_ends_the_chain(start_plugin, life):
    start_plugin("a", policy="Fail").on("PreRunPodSandbox", refuse(grpc.StatusCode.INTERNAL))
    second = start_plugin("b")
    with refused("INTERNAL", by("a", "PreRunPodSandbox")):
        life.pod()
    assert second.names() == []


def test_a_failure_under_ignore_does_not_end_the_chain(start_plugin, life):
    start_plugin("a").on("PreRunPodSandbox", refuse(grpc.StatusCode.INTERNAL))
    second = start_plugin("b")
    life.pod()
    assert second.names() == ["PreRunPodSandbox"]


def test_post_hooks_are_asked_all_at_once_before_kubelet_is_answered(start_plugin, life):
    together = threading.Barrier(3)

    def answer(call, context):
        together.wait(10)  # passes only when all three plugins are being asked
        return echo()(call, context)

    plugins = [start_plugin(name, hooks=["PostStartContainer"], policy="Fail") for name in "abc"]
    for plugin in plugins:
        plugin.on("PostStartContainer", answer)
    container = life.container(life.pod())
    life.runtime.start_container(container)
    assert all(plugin.names() == ["PostStartContainer"] for plugin in plugins)


def test_one_pods_slow_plugin_does_not_delay_another_pod(start_plugin, runtime, kubelet):
    plugin = start_plugin(hooks=["PreRunPodSandbox"])
    slow = hang()
    plugin.on("PreRunPodSandbox", slow, then=echo())
    held = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config(name="slow")))
    plugin.take()
    Life(kubelet).pod()
    assert not held.done()
    slow.release()
    assert held.result(10)


# What travels with a hooked call


def test_metadata_and_deadline_of_a_hooked_call_reach_the_runtime(start_plugin, runtime, life):
    start_plugin()
    sent = [("traceparent", "00-1-2-01"), ("x-bin", b"\x00\xff"), ("x-a", "1"), ("x-a", "2")]
    life.pod(timeout=5, metadata=sent)
    arrived = runtime.take("RunPodSandbox")
    assert [pair for pair in arrived.metadata if pair[0] in dict(sent)] == sent
    assert 0 < arrived.time_remaining <= told(5)


def test_a_hooked_call_without_a_deadline_stays_without(start_plugin, runtime, life):
    start_plugin()
    life.pod(timeout=None)
    assert runtime.take("RunPodSandbox").time_remaining is None


def test_an_error_of_the_runtime_on_a_hooked_call_arrives_whole(start_plugin, runtime, life):
    start_plugin()
    details = b"\x08\x05\x12\x03abc\xff"
    runtime.refuse("RunPodSandbox", grpc.StatusCode.NOT_FOUND, "RROUnsupported: ünï", [("grpc-status-details-bin", details)])
    with refused("NOT_FOUND", "RROUnsupported: ünï") as error:
        life.pod()
    assert dict(error.value.trailing_metadata())["grpc-status-details-bin"] == details


def test_kubelets_cancel_aborts_pre_hooks(start_plugin, runtime, kubelet):
    plugin = start_plugin()
    plugin.on("PreRunPodSandbox", hang())
    running = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()))
    asked = plugin.take()
    running.cancel()
    assert asked.cancelled.wait(10)
    assert runtime.of("RunPodSandbox") == [], "a call whose caller is gone is not sent"


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
@pytest.mark.parametrize("leaves", ["cancels", "hangs up"])
def test_a_call_whose_caller_has_left_during_a_pre_hook_is_not_sent(
    start_plugin, runtime, manager, kubelet, policy, leaves
):
    """Whether the plugin answers all the same or not; nor is the next plugin asked."""
    first, second = [start_plugin(name, hooks=["PreRunPodSandbox"], policy=policy) for name in "ab"]
    first.on("PreRunPodSandbox", hang(), then=echo())
    request = cri.RunPodSandboxRequest(config=pod_config(name="left"))
    with H2Client(manager.start().listen) as leaving:
        stream = leaving.start("/runtime.v1.RuntimeService/RunPodSandbox", framed(request.SerializeToString()))
        asked = first.take()
        if leaves == "cancels":
            leaving.reset(stream.id)
        else:
            leaving.close()
        assert asked.cancelled.wait(10), "the plugin hears of it"
    Life(kubelet).pod(name="after")
    assert [call.request.config.metadata.name for call in runtime.of("RunPodSandbox")] == ["after"]
    assert [call.request.pod_meta.name for call in second.calls] == ["after"]


def test_kubelets_cancel_of_a_hooked_call_reaches_the_runtime(start_plugin, runtime, kubelet):
    start_plugin()
    entered = threading.Event()

    def slow(call):
        entered.set()
        call.cancelled.wait(20)

    runtime.on("RunPodSandbox", slow)
    running = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()))
    assert entered.wait(10)
    running.cancel()
    assert runtime.take("RunPodSandbox").cancelled.wait(10)


def test_create_without_linux_in_its_config_is_hooked_and_passes(start_plugin, runtime, kubelet):
    plugin = start_plugin(policy="Fail")
    bare = pod_config()
    bare.ClearField("linux")
    pod = kubelet.run_pod(bare)
    config = container_config()
    config.ClearField("linux")
    assert kubelet.create(pod, config, bare)
    assert plugin.names() == ["PreRunPodSandbox", "PreCreateContainer"]
    assert not runtime.take("CreateContainer").request.config.HasField("linux")


def test_secrets_in_the_environment_are_not_logged(runtime, start_plugin, start_manager):
    """Whatever goes well or wrong, at the finest level of the log, before and after a restart."""
    canary = "c4nary"
    first, second = start_plugin("a"), start_plugin("b", policy="Fail")

    def changed(value):
        return sparse(container_envs={"PASSWORD": f"{canary}-{value}", "ADDED": f"{canary}-added"})

    front = start_manager(runtime, flags=["--log-level", "trace"])
    envs = [("PASSWORD", f"{canary}-value"), ("BYTES", canary.encode() + b"\xff")]
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        pod = life.pod()
        first.on("PreCreateContainer", changed("first"))
        container = life.container(pod, envs=envs)
        second.on("PreCreateContainer", changed("second"))
        with refused("FAILED_PRECONDITION", "conflict") as conflict:
            life.container(pod, envs=envs)
        second.on("PreCreateContainer", sparse(container_envs={"BYTES": f"{canary}-forbidden"}))
        with refused("FAILED_PRECONDITION", "forbidden") as forbidden:
            life.container(pod, envs=envs)
        second.on("PreCreateContainer", echo())
        request = cri.CreateContainerRequest(pod_sandbox_id=pod, config=container_config(envs=envs))
        with refused("INTERNAL") as broken:
            kubelet.unary("CreateContainer", request.SerializeToString() + b"\x0a\x7f")
        for error in [conflict, forbidden, broken]:
            assert canary not in error.value.details()
        first.on("PreStartContainer", sparse(container_envs={"PASSWORD": f"{canary}-late"}))
        front.restart()
        kubelet.start_container(container)
        kubelet.update(container, cpu_shares=5)
        second.on("PostStopContainer", lambda call, context: context.abort(grpc.StatusCode.INTERNAL, "no"))
        kubelet.stop_container(container)
        front.wait_log("PostStopContainer: INTERNAL")
        kubelet.remove_container(container)
    assert second.take("PreStartContainer").request.container_envs["PASSWORD"] == f"{canary}-first", "plugins see it"
    assert "env PASSWORD" in front.log(), "names are logged"
    assert canary not in front.log()
