"""What the admin socket tells, asked for with Python's http.client."""

import http.client
import json
import os
import socket
import subprocess

import pytest

from Peers.admin import Admin, AdminConnection
from Peers.fake_runtime import FakeRuntime
from Peers.recorder import hang, sparse
from Peers.wait import eventually

SECRET = "canary-7f3a"


def test_it_is_alive_and_ready(admin):
    assert admin.request("GET", "/livez")[::2] == (200, "ok\n")
    assert admin.request("GET", "/readyz")[::2] == (200, "ok\n")


def test_it_is_alive_and_not_ready_before_the_runtime_has_answered(place, start_manager):
    front = start_manager(f"{place}/runtime.sock")
    front.wait_log("waiting for the runtime", within=60)
    admin = Admin(front.admin)
    assert admin.request("GET", "/livez")[0] == 200
    assert admin.refused("GET", "/readyz") == (503, {"error": "the runtime has not answered yet"})
    with FakeRuntime(f"{place}/runtime.sock"):
        eventually(lambda: admin.request("GET", "/readyz")[0] == 200, within=60)
    # It stays ready: that the runtime is away is not told here.
    front.wait_log("the runtime is gone", within=60)
    assert admin.request("GET", "/readyz")[0] == 200


# Plugins


def test_a_plugin_shows_its_registration(admin, start_plugin, manager):
    plugin = start_plugin("p", ["PreRunPodSandbox", "PreCreateContainer"], "Fail", timeout="500ms")
    manager.wait_log("plugin p: registered", within=60)
    shown = admin.plugin("p")
    assert shown["state"] == "healthy"
    assert shown["since"].endswith("Z")
    assert shown["file"] == f"{manager.hook_dir}/p.json"
    assert shown["endpoint"] == plugin.socket
    assert (shown["policy"], shown["timeoutMs"]) == ("Fail", 500)
    assert shown["hooks"] == ["PreRunPodSandbox", "PreCreateContainer"]


def test_a_file_that_was_never_good_is_rejected_with_the_reason(admin, manager):
    with open(f"{manager.hook_dir}/bad.json", "w") as file:
        file.write('{"remote-endpoint": "relative"}')
    os.chmod(file.name, 0o644)
    manager.wait_log("it registers nothing", within=60)
    shown = admin.plugin("bad")
    assert (shown["state"], shown["hooks"]) == ("rejected", [])
    assert "is not an absolute path" in shown["reason"] and shown["since"].endswith("Z")


def test_a_file_that_broke_says_so_beside_the_state_of_its_plugin(admin, start_plugin, manager):
    start_plugin("p", ["PreRunPodSandbox"])
    manager.wait_log("plugin p: registered", within=60)
    with open(f"{manager.hook_dir}/p.json", "w") as file:
        file.write("[]")
    manager.wait_log("its last good version stays in force", within=60)
    shown = admin.plugin("p")
    assert shown["state"] == "healthy" and "is not a JSON object" in shown["fileError"]


def test_a_plugin_without_a_socket_is_unreachable(admin, start_plugin, manager):
    start_plugin("p", ["PreRunPodSandbox"], start=False)
    manager.wait_log("plugin p: registered", within=60)
    shown = admin.plugin("p")
    assert (shown["state"], shown["reason"]) == ("unreachable", "its socket is not there")


def test_a_tripped_plugin_says_so_and_a_reset_lets_it_be_asked_again(admin, start_plugin, manager, life):
    plugin = start_plugin("slow", ["PreRunPodSandbox"], timeout="1ms")
    plugin.on("PreRunPodSandbox", hang())
    manager.wait_log("plugin slow: registered", within=60)
    for _ in range(20):
        life.pod()
        shown = admin.plugin("slow")
        if shown["state"] == "tripped":
            break
    assert shown["state"] == "tripped", shown
    assert shown["reason"] == "5 calls in a row ran into their deadlines" and shown["since"].endswith("Z")
    status, _, content = admin.request("POST", "/v1/plugins/slow/reset")
    assert (status, json.loads(content)) == (200, {"plugin": "slow", "wasTripped": True})
    assert admin.plugin("slow")["state"] != "tripped"
    status, _, content = admin.request("POST", "/v1/plugins/slow/reset")
    assert (status, json.loads(content)) == (200, {"plugin": "slow", "wasTripped": False})


def test_a_plugin_that_nobody_registered_cannot_be_reset(admin):
    status, document = admin.refused("POST", "/v1/plugins/no%20such%2Fone/reset")
    assert (status, document) == (404, {"error": "no plugin is called no such/one"})


# Pods and containers


def test_pods_and_containers_are_shown_without_values_that_are_nobodys_business(admin, life, kubelet):
    pod = life.pod(
        labels={"app": "web", "example.com/api-token": SECRET},
        annotations={"note": "n", "example.com/password": SECRET}, cgroup_parent="/kubepods/p", attempt=2)
    container = life.container(
        pod, name="main", envs=[("B", SECRET), ("A", SECRET)], annotations={"c": "d"}, cpu_shares=100)
    eventually(lambda: admin.get("/v1/containers")["containers"], within=60)

    (shown,) = admin.get("/v1/pods")["pods"]
    sent = life.configs[pod].metadata
    assert (shown["id"], shown["namespace"], shown["name"], shown["uid"]) == (pod, sent.namespace, sent.name, sent.uid)
    assert (shown["attempt"], shown["cgroupParent"], shown["containers"]) == (2, "/kubepods/p", [container])
    assert shown["labels"] == {**life.configs[pod].labels, "example.com/api-token": "(hidden)"}
    assert shown["annotations"] == {**life.configs[pod].annotations, "example.com/password": "(hidden)"}

    (shown,) = admin.get("/v1/containers")["containers"]
    assert (shown["id"], shown["name"], shown["podSandboxId"], shown["pod"]) == (container, "main", pod, sent.name)
    assert shown["envNames"] == ["A", "B"]
    assert shown["resources"] == {"cpuShares": 100}
    assert SECRET not in admin.request("GET", "/v1/pods")[2] + admin.request("GET", "/v1/containers")[2]

    kubelet.remove_container(container)
    kubelet.remove_pod(pod)
    eventually(lambda: not admin.get("/v1/pods")["pods"], within=60)
    assert admin.get("/v1/containers") == {"containers": []}


def test_why_knows_a_container_that_no_plugin_was_asked_about_by_the_beginning_of_its_id(admin, life):
    pod = life.pod()
    eventually(lambda: admin.get("/v1/pods")["pods"], within=60)
    assert admin.get(f"/v1/why/{pod}") == {"id": pod, "calls": [], "earlier": 0}
    assert admin.get(f"/v1/why/{pod[:-1]}")["id"] == pod


def test_why_does_not_know_everything(admin):
    status, document = admin.refused("GET", "/v1/why/cafe")
    assert (status, document["error"]) == (404, 'nothing is known of "cafe": neither a hooked call nor a pod or container')


# The log level


@pytest.mark.parametrize("body", [b"debug", b"debug\n", b'{"level": "debug"}', b'"DEBUG"'])
def test_the_log_level_changes_at_once(admin, manager, start_plugin, life, body):
    status, _, content = admin.request("PUT", "/v1/log-level", body)
    assert (status, json.loads(content)) == (200, {"level": "debug"})
    manager.wait_log("log level set by an admin client", within=60)
    plugin = start_plugin("p", ["PreRunPodSandbox"])
    plugin.on("PreRunPodSandbox", sparse(annotations={"a": "b"}))
    manager.wait_log("plugin p: registered", within=60)
    life.pod()
    assert " debug " in manager.wait_log("changed annotation a", within=60)


@pytest.mark.parametrize("body", [b"loud", b"", b"{}", b'{"level": 3}', b"\xff\xfe", b"\x1b[2J"])
def test_a_level_that_is_none_changes_nothing(admin, body):
    status, document = admin.refused("PUT", "/v1/log-level", body)
    assert status == 400
    assert document["error"].endswith("is no level: trace, debug, info, notice, warning, error, critical")
    assert "\x1b" not in document["error"]


# HTTP


@pytest.mark.parametrize("target", ["/", "/v1", "/v1/plugins/", "/v1/plugins/x", "//v1/pods", "/v1/why/", "/v1/why/%zz", "/v1/%70ods", "*"])
def test_what_is_not_there_is_not_found(admin, target):
    assert admin.refused("GET", target)[0] == 404


@pytest.mark.parametrize("method, target, allowed", [
    ("POST", "/v1/pods", "GET, HEAD"), ("DELETE", "/v1/why/x", "GET, HEAD"), ("GET", "/v1/log-level", "PUT"),
    ("GET", "/v1/plugins/p/reset", "POST"), ("OPTIONS", "/livez", "GET, HEAD")])
def test_a_wrong_method_is_told_the_right_ones(admin, method, target, allowed):
    status, headers, content = admin.request(method, target)
    assert (status, headers["allow"]) == (405, allowed)
    assert json.loads(content)["error"] == f"{method} is not possible here, {allowed} is"


def test_a_query_and_a_host_in_the_target_do_not_matter(admin):
    assert admin.get("/v1/pods?pretty=1") == {"pods": []}
    assert admin.get("http://node:80/v1/pods") == {"pods": []}


def test_head_is_get_without_the_content(admin):
    status, headers, content = admin.request("HEAD", "/v1/pods")
    assert (status, headers["content-length"], content) == (200, "12", "")
    assert admin.request("HEAD", "/v1/events")[0] == 200


def test_a_connection_is_kept(admin):
    connection = AdminConnection(admin.path)
    for _ in range(100):
        connection.request("GET", "/v1/pods")
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"pods": []})
        kept = connection.sock
        assert kept is not None
    connection.close()


# The metrics port


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    """The addresses at which somebody listens on this port."""
    done = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True)
    return [line.split()[3] for line in done.stdout.splitlines()]


def test_the_metrics_port_serves_metrics_and_nothing_else(runtime, start_manager, port):
    front = start_manager(runtime, flags=["--metrics-port", str(port)])
    admin = Admin(front.admin)
    (address,) = eventually(lambda: listening(port), within=60)
    assert address == f"127.0.0.1:{port}"
    for path, status in [("/metrics", 200), ("/v1/pods", 404), ("/livez", 404)]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == status
        assert ("runtime_manager_build_info" in answer.read().decode()) == (status == 200)
        connection.close()
    assert admin.request("GET", "/metrics")[0] == 200


def test_a_port_that_is_taken_costs_only_itself(runtime, start_manager, port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        front = start_manager(runtime, flags=["--metrics-port", str(port)])
        assert f"port={port}" in front.wait_log("no metrics port", within=60)
        assert Admin(front.admin).request("GET", "/metrics")[0] == 200
