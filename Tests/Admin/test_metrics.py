"""Metrics as a scrape gets them, read by Prometheus' own Python parser and judged by promtool."""

import os
import subprocess

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from Documentation.readme import code, rows
from Peers.admin import Admin
from Peers.messages import cri
from Peers.recorder import sparse
from Peers.wait import eventually

PATIENCE = 60


@pytest.fixture
def scrape(manager):
    """All samples, as {(name, labels...): value}; `text` is what they were read from."""

    def get():
        status, headers, text = Admin(manager.admin).request("GET", "/metrics")
        assert status == 200
        assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = list(text_string_to_metric_families(text))
        samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families for sample in family.samples}
        assert len(samples) == sum(len(family.samples) for family in families), "no series twice"
        return samples

    return get


def sample(samples, name, **labels):
    return samples.get((f"runtime_manager_{name}", *sorted(labels.items())))


@pytest.fixture
def used(manager, start_plugin, life, kubelet, runtime):
    """Everything has been counted once: a life, a change, a conflict, a refusal, an unknown method, a broken file."""
    start_plugin("a", ["PreCreateContainer", "PostStopContainer"]).on(
        "PreCreateContainer", sparse(resources={"cpu_shares": 7}, container_envs={"A": "1", "B": "2"}))
    start_plugin("b", ["PreCreateContainer"]).on("PreCreateContainer", sparse(resources={"cpu_shares": 8}))
    with open(f"{manager.hook_dir}/broken.json", "w") as file:
        file.write("{}")
    pod = life.pod()
    container = life.container(pod)
    kubelet.stop_container(container)
    kubelet.call("Version")
    runtime.refuse("Status", grpc.StatusCode.RESOURCE_EXHAUSTED)
    with pytest.raises(grpc.RpcError):
        kubelet.call("Status")
    with pytest.raises(grpc.RpcError):
        kubelet.unary("/made.up.Service/Method-\"with\"-quotes")


@pytest.fixture
def counted(used, scrape):
    """What is shown when all of `used` is over and filed."""

    def get():
        samples = scrape()
        is_filed = sample(samples, "hook_calls_total", plugin="a", hook_point="PostStopContainer", outcome="answered")
        return is_filed and sample(samples, "calls_in_flight") == 0 and samples

    return eventually(get, within=PATIENCE)


def test_calls_are_counted_by_method_and_code(counted):
    samples = counted
    assert sample(samples, "calls_total", method="RunPodSandbox", code="OK") == 1
    assert sample(samples, "calls_total", method="CreateContainer", code="OK") == 1
    assert sample(samples, "calls_total", method="Version", code="OK") == 1
    assert sample(samples, "calls_total", method="Status", code="RESOURCE_EXHAUSTED") == 1
    assert sample(samples, "calls_total", method="other", code="UNIMPLEMENTED") == 1
    assert sample(samples, "relayed_bytes_total", direction="request") > 100
    assert sample(samples, "relayed_bytes_total", direction="answer") > 100
    assert sample(samples, "call_duration_seconds_count", method="CreateContainer") == 1
    assert sample(samples, "call_duration_seconds_count", method="Version") is None, "hooked calls only"


def test_hooks_are_counted_by_plugin(counted):
    samples = counted
    point = {"hook_point": "PreCreateContainer"}
    assert sample(samples, "hook_calls_total", plugin="a", outcome="changed", **point) == 1
    assert sample(samples, "hook_calls_total", plugin="b", outcome="unchanged", **point) == 1
    assert sample(samples, "hook_call_duration_seconds_count", plugin="a", **point) == 1
    assert sample(samples, "hook_call_duration_seconds_bucket", plugin="a", le="+Inf", **point) == 1
    assert sample(samples, "hook_changes_total", plugin="a", field="env") == 2
    assert sample(samples, "hook_changes_total", plugin="a", field="cpu_shares") == 1
    assert sample(samples, "hook_conflicts_total", plugin="b", field="cpu_shares") == 1
    assert sample(samples, "breaker_open", plugin="a") == 0


def test_what_is_there_is_looked_at(used, scrape):
    samples = eventually(
        lambda: (s := scrape()) and sample(s, "store_containers") == 1 and sample(s, "rebuilds_total", outcome="done")
        and s, within=PATIENCE)
    assert sample(samples, "store_pods") == 1
    assert sample(samples, "store_bytes") > 100
    assert sample(samples, "owed_calls") == 0
    assert sample(samples, "runtime_up") == 1
    assert sample(samples, "runtime_connects_total") == 1
    assert sample(samples, "registration_files", state="good") == 2
    assert sample(samples, "registration_files", state="rejected") == 1
    assert sample(samples, "registration_files", state="last_good_kept") == 0


def test_the_runtime_goes_and_comes(manager, runtime, kubelet, scrape):
    kubelet.call("Version")
    eventually(lambda: sample(scrape(), "runtime_up") == 1, within=PATIENCE)
    runtime.stop()
    eventually(lambda: sample(scrape(), "runtime_up") == 0, within=PATIENCE)
    runtime.start()
    eventually(lambda: sample(scrape(), "runtime_up") == 1, within=PATIENCE)
    assert sample(scrape(), "runtime_connects_total") == 2


def test_a_stream_without_end_is_in_flight(manager, kubelet, scrape):
    stream = kubelet.server_stream("GetContainerEvents", cri.GetEventsRequest().SerializeToString(), timeout=PATIENCE)
    eventually(lambda: sample(scrape(), "calls_in_flight") == 1, within=PATIENCE)
    stream.cancel()
    eventually(lambda: sample(scrape(), "calls_in_flight") == 0, within=PATIENCE)
    assert sample(scrape(), "calls_total", method="GetContainerEvents", code="CANCELLED") == 1


def test_a_plugin_that_is_gone_has_no_series(used, scrape, manager):
    eventually(lambda: sample(scrape(), "breaker_open", plugin="a") == 0, within=PATIENCE)
    os.unlink(f"{manager.hook_dir}/a.json")
    eventually(lambda: not any(("plugin", "a") in series for series in scrape()), within=PATIENCE)


def test_readme_has_every_metric_with_its_type_and_labels(used, scrape, manager):
    eventually(lambda: sample(scrape(), "store_containers") == 1 and sample(scrape(), "hook_changes_total", plugin="a", field="env"), within=PATIENCE)
    text = Admin(manager.admin).request("GET", "/metrics")[2]
    # The parser leaves `_total` out of the names of counters.
    served = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for one in family.samples for label in one.labels} - {"le"}
        served[name] = (family.type, labels)
    documented = {code(name)[0]: (kind, set(code(labels))) for name, kind, labels, _ in rows(["metric", "type"])}
    assert served == documented


def test_promtool_finds_nothing_to_complain_about(used, scrape, manager):
    eventually(lambda: sample(scrape(), "hook_changes_total", plugin="a", field="env"), within=PATIENCE)
    text = Admin(manager.admin).request("GET", "/metrics")[2]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
