"""What plugins make of a manifest: the requests that kubelet would send, asked of real plugins, without a runtime."""

import json
import os

import pytest

from Peers.messages import hook
from Peers.recorder import sparse

from .program import lines_fit, refused, run

SECRET = "canary-of-an-env"
POD = f"""
apiVersion: v1
kind: Pod
metadata:
  name: web
  uid: 1234-5678
  labels: {{app: web}}
spec:
  initContainers:
  - name: setup
  containers:
  - name: main
    env:
    - {{name: TOKEN, value: {SECRET}}}
    - {{name: FROM, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
    resources:
      requests: {{cpu: 100m, memory: 1Gi}}
      limits: {{memory: 2Gi}}
"""


@pytest.fixture
def manifest(place):
    def write(text, name="pod.yaml"):
        path = os.path.join(place, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    return write


def simulate(path, hook_dir, *flags):
    code, out, err = run("simulate", path, "--hook-dir", hook_dir, "--output", "json", "--node-memory", "8Gi", *flags)
    assert err == "", err
    return code, json.loads(out)["pods"]


def steps(pod):
    return [(step["hookPoint"], step.get("container")) for step in pod["steps"]]


def test_plugins_are_asked_as_kubelet_would_have_them_asked(manifest, start_plugin, hook_dir):
    plugin = start_plugin("p", ["PreRunPodSandbox", "PreCreateContainer", "PreStartContainer"])
    code, (pod,) = simulate(manifest(POD), hook_dir)
    assert code == 0
    assert pod["qosClass"] == "Burstable"
    assert steps(pod) == [("PreRunPodSandbox", None), ("PreCreateContainer", "setup"), ("PreStartContainer", "setup"),
                          ("PreCreateContainer", "main"), ("PreStartContainer", "main")]
    asked = plugin.of("PreRunPodSandbox")[0].request
    assert (asked.pod_meta.name, asked.pod_meta.namespace, asked.pod_meta.uid) == ("web", "default", "1234-5678")
    assert asked.labels["app"] == "web" and asked.labels["io.kubernetes.pod.name"] == "web"
    assert asked.cgroup_parent == "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234_5678.slice"
    main = plugin.of("PreCreateContainer")[1].request
    assert main.container_meta.name == "main"
    assert dict(main.container_envs) == {"TOKEN": SECRET}
    resources = main.container_resources
    assert (resources.cpu_shares, resources.memory_limit_in_bytes, resources.oom_score_adj) == (102, 2 << 30, 875)
    assert plugin.of("PreStartContainer")[1].request.container_meta.id == "simulated-main"


def test_changes_are_shown_with_what_was_there_and_values_of_envs_are_not(manifest, start_plugin, hook_dir):
    a = start_plugin("a", ["PreRunPodSandbox", "PreCreateContainer"])
    a.on("PreRunPodSandbox", sparse(labels={"tier": "low"}, annotations={"api-token": SECRET}))
    a.on("PreCreateContainer", sparse(
        container_resources=hook.LinuxContainerResources(cpu_shares=128), container_envs={"TOKEN": SECRET + "-2"}))
    path = manifest(POD)
    _, (pod,) = simulate(path, hook_dir)
    assert pod["steps"][0]["changes"] == [
        {"plugin": "a", "field": "label tier", "after": "low"},
        {"plugin": "a", "field": "annotation api-token", "after": "(set)"}]
    main = next(step for step in pod["steps"] if step.get("container") == "main")
    assert main["changes"] == [
        {"plugin": "a", "field": "cpu_shares", "before": "102", "after": "128"},
        {"plugin": "a", "field": "env TOKEN", "after": "(changed)"}]
    for flags in [(), ("--output", "json")]:
        _, out, err = run("simulate", path, "--hook-dir", hook_dir, *flags)
        assert SECRET not in out + err
    # What was changed in the pod is there when its containers are made.
    assert a.of("PreCreateContainer")[0].request.pod_labels["tier"] == "low"


def test_the_table(manifest, start_plugin, hook_dir):
    a = start_plugin("a", ["PreCreateContainer"])
    a.on("PreCreateContainer", sparse(container_resources=hook.LinuxContainerResources(cpu_shares=128)))
    path = manifest(POD)
    code, out, _ = run("simulate", path, "--hook-dir", hook_dir)
    assert code == 0
    assert out.splitlines() == [
        "pod default/web, Burstable",
        "  PreRunPodSandbox", "    no plugin is asked",
        "  PreCreateContainer of setup", "    a  cpu_shares  2  ->  128",
        "  PreStartContainer of setup", "    no plugin is asked",
        "  PreCreateContainer of main", "    a  cpu_shares  102  ->  128",
        "  PreStartContainer of main", "    no plugin is asked",
        "  1 environment entries come from elsewhere (valueFrom, envFrom); plugins were not shown them",
    ]
    lines_fit(run("simulate", path, "--hook-dir", hook_dir, COLUMNS="20")[1], 20)


def test_a_plugin_under_fail_that_is_not_there_refuses(manifest, start_plugin, hook_dir):
    start_plugin("p", ["PreCreateContainer"], policy="Fail", start=False)
    code, (pod,) = simulate(manifest(POD), hook_dir)
    assert code == 1
    # A container that was refused is not started.
    assert steps(pod) == [("PreRunPodSandbox", None), ("PreCreateContainer", "setup"), ("PreCreateContainer", "main")]
    assert pod["steps"][1]["refusal"].startswith("hook server err: p: PreCreateContainer: socket unavailable: ")


def test_under_ignore_it_is_told_and_the_call_goes_on(manifest, start_plugin, hook_dir):
    start_plugin("p", ["PreCreateContainer"], policy="Ignore", start=False)
    code, (pod,) = simulate(manifest(POD), hook_dir)
    assert code == 0
    (note,) = pod["steps"][1]["notes"]
    assert note.startswith("ignored: hook server p: PreCreateContainer: socket unavailable: ")


def test_fail_never_refuses_where_it_never_does(manifest, start_plugin, hook_dir):
    start_plugin("p", ["PreCreateContainer"], policy="Fail", start=False)
    path = manifest(POD.replace("name: web\n", "name: web\n  namespace: kube-system\n", 1))
    assert simulate(path, hook_dir)[0] == 0


def test_what_is_forbidden_is_dropped_and_told(manifest, start_plugin, hook_dir):
    p = start_plugin("p", ["PreRunPodSandbox"])
    p.on("PreRunPodSandbox", sparse(labels={"io.kubernetes.pod.name": "other", "fine": "x"}))
    _, (pod,) = simulate(manifest(POD), hook_dir)
    assert [change["field"] for change in pod["steps"][0]["changes"]] == ["label fine"]
    assert "change dropped: hook server p: PreRunPodSandbox: forbidden change of label io.kubernetes.pod.name" in \
        pod["steps"][0]["notes"][0]


def test_the_first_owner_wins(manifest, start_plugin, hook_dir):
    for name, value in [("a", "1"), ("b", "2")]:
        start_plugin(name, ["PreRunPodSandbox"]).on("PreRunPodSandbox", sparse(labels={"x": value}))
    _, (pod,) = simulate(manifest(POD), hook_dir)
    assert pod["steps"][0]["changes"] == [{"plugin": "a", "field": "label x", "after": "1"}]
    assert "conflict: label x belongs to a" in pod["steps"][0]["notes"][0]


def test_a_pod_with_the_skip_label_is_left_alone(manifest, start_plugin, hook_dir):
    p = start_plugin("p", ["PreRunPodSandbox"])
    path = manifest(POD.replace("{app: web}", '{runtimeproxy.koordinator.sh/skip-hookserver: "true"}'))
    _, (pod,) = simulate(path, hook_dir)
    assert all(step["plugins"] == [] for step in pod["steps"]) and not p.of("PreRunPodSandbox")


def test_json_and_several_documents(manifest, hook_dir):
    pod = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}
    text = json.dumps(pod) + "\n---\nkind: ConfigMap\n---\n" + POD
    code, pods = simulate(manifest(text, "pods.json"), hook_dir, "--cgroup-driver", "cgroupfs")
    assert (code, [pod["name"] for pod in pods]) == (0, ["a", "web"])


@pytest.mark.parametrize("text, told", [
    ("kind: Service\n", ": has no pod (kind: Pod)"), ("", ": has no pod (kind: Pod)"),
    ("a: b: c", ":1: is not YAML: mapping values are not allowed in this context"),
    ("kind: Pod\nmetadata: {}\n", ":1: metadata.name: is missing"),
])
def test_what_is_no_pod_is_told(manifest, hook_dir, text, told):
    path = manifest(text)
    assert refused("simulate", path, "--hook-dir", hook_dir, code=66) == path + told


def test_what_is_not_there_is_told(place, manifest, hook_dir):
    assert refused("simulate", f"{place}/no.yaml", code=66) == f"{place}/no.yaml: there is no such file"
    assert refused("simulate", manifest(POD), "--hook-dir", f"{place}/no", code=66) == \
        f"{place}/no: there is no such directory"
    refused("simulate", manifest(POD), "--node-memory", "lots", code=64)


def test_a_broken_registration_ends_it(manifest, hook_dir):
    with open(f"{hook_dir}/p.json", "w") as file:
        file.write("{}")
    os.chmod(file.name, 0o644)
    assert "remote-endpoint" in refused("simulate", manifest(POD), "--hook-dir", hook_dir, code=1)
