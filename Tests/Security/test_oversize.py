"""Too much of everything, from those who choose it: authors of pods, plugins, the runtime. Nobody else waits for it."""

import json

import pytest

from Peers.cri import container_config, pod_config
from Peers.messages import cri, hook
from Peers.recorder import echo, raw, sparse
from Security.conftest import LIMITS, MIB, SLACK, TIME_FACTOR

PRE_POD, PRE_CREATE = "PreRunPodSandbox", "PreCreateContainer"
MANY = 100_000 // TIME_FACTOR
MESSAGE = LIMITS["ServerLimits.messageBytes"]
ANSWER = LIMITS["GRPCHookTransport.answerLimitBytes"]
#: Entries of maps are small, and each costs some hundred bytes while a call is decided.
ENTRIES = 2048 * MANY


def many(prefix="k"):
    return {f"{prefix}{i}": "v" for i in range(MANY)}


@pytest.fixture
def asked(scene, start_plugin):
    """One more plugin, at all hook points, that answers as the test says."""
    plugin = start_plugin("late", timeout="60s")
    scene.manager.start()
    scene.manager.wait_log("plugin late: registered:")
    return plugin


def change_one(answer):
    answer.annotations["a0"] = "changed"


@pytest.mark.parametrize("edit", [None, change_one], ids=["no opinion", "one change"])
def test_a_pod_with_100_000_labels_and_annotations(scene, asked, runtime, edit):
    with scene.harmless(growth=ENTRIES + SLACK):
        asked.on(PRE_POD, echo(edit), then=echo())
        pod = scene.life.pod(labels=many("l"), annotations=many("a"), timeout=100)
        config = runtime.pods[pod]["config"]
        assert len(config.labels) == MANY + 3
        assert len(config.annotations) == MANY + 1
        assert config.annotations["a0"] == ("v" if edit is None else "changed")


def test_a_container_whose_100_000_envs_are_all_changed(scene, asked, runtime):
    """Each takes its own place: once through the list for all of them, not once for each."""

    def all_changed(answer):
        for key in answer.container_envs:
            answer.container_envs[key] = "w"

    asked.on(PRE_CREATE, echo(all_changed))
    with scene.harmless(growth=ENTRIES + SLACK):
        pod = scene.life.pod()
        container = scene.life.container(pod, envs=many().items(), timeout=100)
        envs = runtime.containers[container]["config"].envs
        assert [(e.key, e.value) for e in envs] == [(f"k{i}", b"w") for i in range(MANY)]


def test_100_000_envs_that_a_plugin_adds(scene, asked, runtime):
    asked.on(PRE_CREATE, sparse(container_envs=many()))
    with scene.harmless(growth=ENTRIES + SLACK):
        pod = scene.life.pod()
        container = scene.life.container(pod, envs=[("own", "1")] * 1000, timeout=100)
        envs = runtime.containers[container]["config"].envs
        assert [e.key for e in envs[1000:]] == sorted(many())


def test_100_000_huge_page_limits_that_a_plugin_sets(scene, asked, runtime):
    limits = [hook.HugepageLimit(page_size=f"{i}", limit=1 + i) for i in range(MANY)]
    asked.on("PreStartContainer", sparse(resources={"hugepage_limits": limits}), then=echo())
    container = scene.life.container(scene.life.pod())
    with scene.harmless(growth=ENTRIES + SLACK):
        scene.life.runtime.start_container(container, timeout=60)
        assert len(runtime.take("UpdateContainerResources").request.linux.hugepage_limits) == MANY


def test_100_000_forbidden_changes_do_not_flood_the_log(scene, asked):
    """Under Ignore each is dropped; a few are named, and how many more there were."""
    asked.on(PRE_CREATE, sparse(container_annotations={f"io.kubernetes.pod.{i}": "v" for i in range(MANY)}))
    pod = scene.life.pod()
    with scene.harmless(growth=ENTRIES + SLACK):
        before = scene.manager.log_length()
        scene.life.container(pod, timeout=100)
        scene.manager.wait_log("more changes", since=before)
        lines = [line for line in scene.manager.lines[before:] if "forbidden change" in line]
        assert 0 < len(lines) <= 10


def test_100_000_conflicts_do_not_either(scene, asked, start_plugin):
    later = start_plugin("later", hooks=[PRE_CREATE], timeout="60s")
    scene.manager.wait_log("plugin later: registered:")
    pod = scene.life.pod()
    scene.life.container(pod)
    with scene.harmless(growth=2 * ENTRIES + SLACK):
        asked.on(PRE_CREATE, sparse(container_envs=many()))
        later.on(PRE_CREATE, sparse(container_envs={key: "other" for key in many()}))
        before = scene.manager.log_length()
        scene.life.container(pod, timeout=100)
        scene.manager.wait_log("more changes", since=before)
        assert len([line for line in scene.manager.lines[before:] if "conflict" in line]) <= 10


def test_an_answer_over_the_limit_is_a_failure_of_that_plugin(scene, asked):
    with scene.harmless(growth=2 * ANSWER + SLACK):
        asked.on(PRE_POD, sparse(annotations={"a": "v" * ANSWER}), then=echo())
        scene.life.pod(timeout=60)
        scene.manager.wait_log("bad answer: ")


def test_answers_that_are_odd_are_failures_of_that_plugin(scene, asked):
    """Not protobuf, not UTF-8, groups without end, a length that lies."""
    with scene.harmless():
        for data in (b"\xff" * 100, b"\x0a\x05\x0a\x01k\x12\xff", b"\x0a\x03\x0a\x01\xff", b"\x0b" * 100_000, b"\x0a\xff\xff\xff\xff\x07"):
            asked.on(PRE_POD, raw(data), then=echo())
            before = scene.manager.log_length()
            scene.life.pod()
            scene.manager.wait_log("answer cannot be decoded", since=before)


def test_a_message_at_the_limit_passes_its_hooks(scene, asked, runtime):
    for plugin in (asked, scene.plugin):
        plugin.on(PRE_POD, sparse())
    with scene.harmless(growth=8 * MESSAGE + SLACK):
        pod = scene.life.pod(annotations={"big": "v" * (MESSAGE - 4096)}, timeout=100)
        assert len(runtime.pods[pod]["config"].annotations["big"]) == MESSAGE - 4096


ODD_PODS = {
    "empty keys and values": {"labels": {"": ""}, "annotations": {"": ""}},
    "long keys": {"labels": {"k" * 100_000: "v"}, "annotations": {"k" * 100_000: "v" * 100_000}},
    "control characters": {"labels": {"\x00\x1b[2J\n": "\x00\r\n\u202e"}, "annotations": {"\u2028": "\x7f"}},
    "a key like ours": {"annotations": {"io.kubernetes.pod.name": "other", "kubernetes.io/config.source": "nowhere"}},
}


@pytest.mark.parametrize("case", ODD_PODS)
def test_a_pod_with_odd_values_is_forwarded_as_it_came(scene, asked, runtime, case):
    sent = cri.RunPodSandboxRequest(config=pod_config(**ODD_PODS[case]))
    with scene.harmless():
        # The pod of the kubelet that behaves comes first.
        runtime.take("RunPodSandbox")
        asked.take(PRE_POD)
        scene.life.runtime.unary("RunPodSandbox", sent.SerializeToString())
        assert runtime.take("RunPodSandbox").raw == sent.SerializeToString()
        assert asked.take(PRE_POD).request.annotations == sent.config.annotations


def test_a_container_with_odd_envs_is_forwarded_as_it_came(scene, asked, runtime):
    envs = [("", "empty"), ("a=b", "c"), ("twice", "1"), ("twice", "2"), ("raw", b"\xff\xfe"), ("nul", "a\x00b"), ("k" * 100_000, "")]
    pod = scene.life.pod()
    sent = cri.CreateContainerRequest(
        pod_sandbox_id=pod, config=container_config(envs=envs), sandbox_config=scene.life.configs[pod]
    ).SerializeToString()
    with scene.harmless():
        scene.life.runtime.unary("CreateContainer", sent)
        assert runtime.take("CreateContainer").raw == sent


def test_many_metadata_fields_pass_a_hooked_call(scene, asked, runtime):
    metadata = [(f"big-{i}", "v" * 20) for i in range(10_000)]
    with scene.harmless(growth=16 * MIB + SLACK):
        scene.life.pod(metadata=metadata, timeout=60)
        assert len([k for k, _ in runtime.of("RunPodSandbox")[-1].metadata if k.startswith("big-")]) == 10_000


#: What a runtime may say in a verbose status.
ODD_INFO = {
    "no JSON": "info",
    "nested arrays": "[" * 1_000_000,
    "nested objects": '{"config":' * 300_000 + "1" + "}" * 300_000,
    "other types": json.dumps({"config": [1], "runtimeSpec": "x", "sandboxID": {}}),
    "numbers without end": '{"config":{"linux":{"resources":{"cpu_shares":' + "9" * 1_000_000 + "}}}}",
    "14 MiB": json.dumps({"config": {"envs": [{"key": "k", "value": "v" * (14 * MIB)}]}}),
    "100,000 envs": json.dumps({"config": {"envs": [{"key": f"k{i}", "value": "v"} for i in range(MANY)]}}),
}


@pytest.mark.parametrize("case", ODD_INFO)
def test_a_runtime_that_says_odd_things_of_a_container(scene, asked, runtime, case):
    """After a restart everything is read back from it: what cannot be read is unknown, by policy, and nothing more."""
    pod = scene.life.pod()
    container = scene.life.container(pod)

    def status(call):
        answer = runtime._on_ContainerStatus(call)
        if call.request.verbose:
            answer.info["info"] = ODD_INFO[case]
        return answer

    runtime.on("ContainerStatus", status)
    scene.manager.restart()
    scene.manager.wait_log("store rebuilt from the runtime", within=60)
    scene.life.runtime.start_container(container, timeout=60)
    assert runtime.containers[container]["state"] == 1
    scene.others_go_on()
