"""The account of a call: what real plugins did on the wire is what `why` and the events say."""

import contextlib
import json

import grpc
import pytest

from Peers.admin import Admin, AdminConnection
from Peers.cri import pod_config
from Peers.recorder import hang, refuse, sparse
from Peers.wait import eventually

SECRET = "canary-52c1"
PATIENCE = 60


@pytest.fixture
def why(manager):
    """The calls of an object, at least so many, as soon as they are filed (behind the answer to kubelet)."""

    def ask(name, calls=1):
        admin = Admin(manager.admin)

        def filed():
            status, _, content = admin.request("GET", f"/v1/why/{name}")
            return status == 200 and len(json.loads(content)["calls"]) >= calls and json.loads(content)

        return eventually(filed, within=PATIENCE)["calls"]

    return ask


def outcomes(call):
    return [(asked["plugin"], asked["outcome"]) for asked in call["plugins"]]


def test_order_owner_before_and_after_and_conflict_are_told(start_plugin, life, why):
    hooks = ["PreCreateContainer"]
    start_plugin("c", hooks)
    start_plugin("b", hooks).on(hooks[0], sparse(
        resources={"cpu_shares": 8, "cpu_quota": 5000},
        container_annotations={"io.kubernetes.container.restartCount": "7", "example.com/token": SECRET}))
    start_plugin("a", hooks).on(hooks[0], sparse(resources={"cpu_shares": 7}, container_envs={"KEY": SECRET, "OLD": SECRET + "-new"}))
    pod = life.pod()
    container = life.container(pod, envs=[("OLD", SECRET)], cpu_shares=100)

    (call,) = why(container)
    sent = life.configs[pod].metadata
    assert call["pod"] == {"namespace": sent.namespace, "name": sent.name, "uid": sent.uid}
    assert (call["call"], call["containerId"], call["podSandboxId"]) == ("CreateContainer", container, pod)
    assert (call["runtimeCode"], call["kubeletCode"]) == ("OK", "OK")
    assert outcomes(call) == [("a", "changed"), ("b", "changed"), ("c", "unchanged")]
    first, second, _ = call["plugins"]
    assert first["changes"] == [
        {"field": "cpu_shares", "before": "100", "after": "7", "owner": "a"},
        {"field": "env KEY", "after": "(set)", "owner": "a"},
        {"field": "env OLD", "after": "(changed)", "owner": "a"},
    ]
    assert second["changes"] == [
        {"field": "annotation example.com/token", "after": "(set)", "owner": "b"},
        {"field": "cpu_quota", "after": "5000", "owner": "b"},
    ]
    assert second["dropped"] == [
        {"field": "annotation io.kubernetes.container.restartCount", "wanted": "7", "reason": "forbidden",
         "why": "the key is reserved for kubelet"},
        {"field": "cpu_shares", "wanted": "8", "reason": "conflict", "owner": "a"},
    ]
    assert SECRET not in json.dumps(call)
    # The pod brings its container along.
    assert why(pod) == [call]


def test_a_refusal_ends_the_order_and_a_pod_that_was_never_made_is_found_by_its_name(start_plugin, kubelet, why, place):
    hooks = ["PreRunPodSandbox"]
    start_plugin("a", hooks, start=False)
    start_plugin("b", hooks, "Fail").on(hooks[0], refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota"))
    start_plugin("c", hooks)
    with pytest.raises(grpc.RpcError):
        kubelet.run_pod(pod_config("never", "shop"))

    (call,) = why("shop%2Fnever")
    assert outcomes(call) == [("a", "failed"), ("b", "refused"), ("c", "not_asked")]
    assert [asked.get("failure", {}).get("kind") for asked in call["plugins"]] == ["socketUnavailable", "status", None]
    assert call["plugins"][1]["failure"]["text"] == "RESOURCE_EXHAUSTED: quota"
    assert call["plugins"][2]["notAsked"] == "refusedEarlier"
    assert (call["kubeletCode"], call["refusal"]) == (
        "RESOURCE_EXHAUSTED", "hook server err: b: PreRunPodSandbox: RESOURCE_EXHAUSTED: quota")
    assert "runtimeCode" not in call and "podSandboxId" not in call


def test_a_whole_life_is_told_call_by_call_and_outlives_the_container(start_plugin, life, kubelet, why):
    start_plugin("p")
    pod = life.pod()
    container = life.container(pod)
    kubelet.start_container(container)
    kubelet.update(container, cpu_shares=200)
    kubelet.stop_container(container)
    kubelet.remove_container(container)
    kubelet.stop_pod(pod)
    kubelet.remove_pod(pod)
    calls = why(pod, calls=6)
    assert [(call["call"], [(a["hookPoint"], a["outcome"]) for a in call["plugins"]]) for call in calls] == [
        ("RunPodSandbox", [("PreRunPodSandbox", "unchanged")]),
        ("CreateContainer", [("PreCreateContainer", "unchanged")]),
        ("StartContainer", [("PreStartContainer", "unchanged"), ("PostStartContainer", "unchanged")]),
        ("UpdateContainerResources", [("PreUpdateContainerResources", "unchanged")]),
        ("StopContainer", [("PostStopContainer", "answered")]),
        ("StopPodSandbox", [("PostStopPodSandbox", "answered")]),
    ]
    assert [call["call"] for call in why(container[:20], calls=4)] == [
        "CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer"]
    assert {call["podSandboxId"] for call in calls} == {pod}


def test_an_owed_call_and_its_repetition_are_told(start_plugin, life, kubelet, why, manager):
    plugin = start_plugin("p", ["PostStopPodSandbox"], "Fail", start=False)
    pod = life.pod()
    kubelet.stop_pod(pod)
    (call,) = why(pod)
    assert outcomes(call) == [("p", "owed")]
    assert call["kubeletCode"] == "OK"
    plugin.start()
    manager.wait_log("the owed call has succeeded", within=PATIENCE)
    kubelet.stop_pod(pod)
    *_, repeated, again = why(pod, calls=3)
    assert (outcomes(repeated), "kubeletCode" in repeated) == ([("p", "answered")], False)
    assert repeated["attempt"] >= 2
    assert outcomes(again) == [("p", "not_asked")]
    assert again["plugins"][0]["notAsked"] == "toldBefore"


def test_a_plugin_that_kubelet_did_not_wait_for_is_told_when_it_answers(start_plugin, life, kubelet, why):
    plugin = start_plugin("p", ["PostStopPodSandbox"], timeout="60s")
    waiting = hang()
    plugin.on("PostStopPodSandbox", waiting)
    pod = life.pod()
    # kubelet is answered 1 s before its deadline, whatever the plugin does. On a busy machine it may have left by then.
    with contextlib.suppress(grpc.RpcError):
        kubelet.stop_pod(pod, timeout=3)
    (call,) = why(pod)
    assert outcomes(call) == [("p", "pending")]
    plugin.stop()
    later = why(pod, calls=2)[1]
    assert (outcomes(later), later["attempt"]) == ([("p", "failed")], 1)


def test_a_tripped_plugin_and_a_skipped_pod_are_told(start_plugin, life, why):
    plugin = start_plugin("slow", ["PreRunPodSandbox"], timeout="1ms")
    plugin.on("PreRunPodSandbox", hang())
    for _ in range(20):
        (call,) = why(life.pod())
        if outcomes(call) == [("slow", "tripped")]:
            break
    assert outcomes(call) == [("slow", "tripped")]
    assert call["plugins"][0]["failure"]["effect"] == "ignored"
    (call,) = why(life.pod(labels={"runtimeproxy.koordinator.sh/skip-hookserver": "true"}))
    assert call["plugins"][0]["notAsked"] == "skipLabel"


def test_what_the_runtime_refuses_is_told(start_plugin, life, kubelet, runtime, why):
    start_plugin("p", ["PreStartContainer", "PostStartContainer"]).on(
        "PreStartContainer", sparse(resources={"cpu_shares": 5}))
    container = life.container(life.pod())
    runtime.refuse("UpdateContainerResources", grpc.StatusCode.INVALID_ARGUMENT)
    runtime.refuse("StartContainer", grpc.StatusCode.NOT_FOUND)
    with pytest.raises(grpc.RpcError):
        kubelet.start_container(container)
    (call,) = why(container)
    assert [(a["hookPoint"], a["outcome"]) for a in call["plugins"]] == [
        ("PreStartContainer", "failed"), ("PostStartContainer", "not_asked")]
    assert call["plugins"][0]["failure"]["kind"] == "runtimeRefused"
    assert (call["runtimeCode"], call["kubeletCode"]) == ("NOT_FOUND", "NOT_FOUND")


def test_events_tell_each_call_as_it_ends(start_plugin, life, manager):
    start_plugin("p", ["PreRunPodSandbox"])
    manager.start()
    connection = AdminConnection(Admin(manager.admin).path)
    connection.request("GET", "/v1/events")
    events = connection.getresponse()
    pods = [life.pod() for _ in range(3)]
    told = []
    while len(told) < 3:
        line = events.readline().decode()
        if line.startswith("data: "):
            told.append(json.loads(line.removeprefix("data: ")))
    connection.close()
    assert [call["podSandboxId"] for call in told] == pods


def test_statistics_of_a_plugin_count_its_calls_and_failures(start_plugin, life, manager, why):
    start_plugin("good", ["PreRunPodSandbox"])
    start_plugin("bad", ["PreRunPodSandbox"]).on("PreRunPodSandbox", refuse(grpc.StatusCode.INTERNAL, "broken"))
    for _ in range(3):
        why(life.pod())
    admin = Admin(manager.admin)
    good, bad = admin.plugin("good"), admin.plugin("bad")
    assert (good["calls"], good["failures"]) == (3, {})
    assert (bad["calls"], bad["failures"]) == (3, {"status": 3})
    assert good["p50Ms"] <= good["p99Ms"]
    assert "broken" in json.dumps(bad)


def test_secrets_are_in_nothing_that_is_told(start_plugin, life, kubelet, why, manager):
    secrets = {"container_envs": {"NEW": SECRET, "OLD": SECRET + "-new", "a=b": SECRET},
               "container_annotations": {"example.com/api-key": SECRET, "DB_PASSWORD": SECRET}}
    for name, suffix in [("a", ""), ("b", "-other")]:
        start_plugin(name, ["PreCreateContainer", "PostStartContainer"]).on("PreCreateContainer", sparse(
            **{field: {key: value + suffix for key, value in values.items()} for field, values in secrets.items()}))
    manager.start()
    admin = Admin(manager.admin)
    connection = AdminConnection(admin.path)
    connection.request("GET", "/v1/events")
    events = connection.getresponse()
    container = life.container(life.pod(), envs=[("OLD", SECRET), ("KEPT", SECRET)])
    kubelet.start_container(container)
    calls = why(container, calls=2)
    told = ""
    while told.count("\ndata: ") < 2:
        told += "\n" + events.readline().decode().rstrip("\n")
    connection.close()
    paths = ["/metrics", "/v1/plugins", "/v1/pods", "/v1/containers", f"/v1/why/{container}"]
    told += "".join(admin.request("GET", path)[2] for path in paths)
    assert "env NEW" in told and "annotation DB_PASSWORD" in told, "it was about them"
    assert [dropped["wanted"] for dropped in calls[0]["plugins"][1]["dropped"]] == ["(hidden)"] * 5
    assert SECRET not in told
