"""Made-up nodes, each with one thing wrong, and what doctor says of it."""

import json
import os
import socket

import pytest

from Peers.fake_runtime import FakeRuntime
from Peers.manager import Manager
from Peers.messages import cri
from Peers.recorder import Recorder

from .program import lines_fit, refused, run

LISTEN = "/run/runtime-manager/runtime-manager.sock"
RUNTIME = "/run/containerd/containerd.sock"
HOOKS = "/etc/runtime/hookserver.d"


class Node:
    def __init__(self, place):
        self.root = place
        for directory in ["/run/runtime-manager", "/run/containerd", HOOKS]:
            os.makedirs(place + directory, 0o755)
        self.write("/var/lib/kubelet/config.yaml", f"containerRuntimeEndpoint: unix://{LISTEN}\n")
        self.write("/etc/crictl.yaml", f"runtime-endpoint: unix://{LISTEN}\nimage-endpoint: unix://{LISTEN}\n")
        self.kubelet("--config=/var/lib/kubelet/config.yaml")

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.root + path), 0o755, exist_ok=True)
        with open(self.root + path, "w") as file:
            file.write(text)
        os.chmod(self.root + path, mode)

    def kubelet(self, *flags):
        self.write("/proc/7/comm", "kubelet\n")
        self.write("/proc/7/cmdline", "".join(f"{word}\0" for word in ("/usr/bin/kubelet", *flags)))

    def doctor(self, *flags, **variables):
        return run("doctor", "--root", self.root, *flags, **variables)

    def findings(self, about):
        """Mark and text of what is said about something."""
        code, out, err = self.doctor("--output", "json")
        assert err == "", err
        document = json.loads(out)
        assert code == (1 if any(f["mark"] == "fail" for f in document["findings"]) else 0)
        for finding in document["findings"]:
            assert finding["mark"] == "ok" or finding.get("advice"), finding
        return [(f["mark"], f["finding"]) for f in document["findings"] if f["about"] == about]


@pytest.fixture
def node(place):
    return Node(place)


@pytest.fixture
def healthy(node):
    """A node where everything is as it should be."""
    with FakeRuntime(node.root + RUNTIME):
        os.chmod(node.root + RUNTIME, 0o660)
        with Manager(node.root, node.root + RUNTIME, listen=node.root + LISTEN, hook_dir=node.root + HOOKS) as manager:
            # The last thing it does to its socket.
            manager.wait_log("the socket has the runtime's owner now")
            yield node


def test_a_healthy_node_is_fine(healthy):
    plugin = Recorder(healthy.root + "/run/p.sock")
    plugin.register(healthy.root + HOOKS, "p", hooks=["PreStartContainer"])
    rewrite_endpoint(healthy, "p", "/run/p.sock")
    try:
        code, out, err = healthy.doctor()
    finally:
        plugin.stop()
    assert (code, err) == (0, ""), out
    marks = {line.split()[0] for line in out.splitlines()[:-1]}
    assert marks == {"ok"}, out
    assert "p answers on /run/p.sock" in out
    assert out.splitlines()[-1].endswith(" ok, 0 warn, 0 fail")


def rewrite_endpoint(node, name, endpoint):
    """A registration as the node sees it, below its root."""
    path = f"{node.root}{HOOKS}/{name}.json"
    with open(path) as file:
        registration = json.load(file)
    node.write(f"{HOOKS}/{name}.json", json.dumps({**registration, "remote-endpoint": endpoint}))


def test_it_fits_a_narrow_terminal(node):
    code, out, _ = node.doctor(COLUMNS="20")
    assert code == 1
    lines_fit(out, 20)
    assert "fail" in out


def test_kubelet_elsewhere(node):
    node.write("/var/lib/kubelet/config.yaml", f"containerRuntimeEndpoint: unix://{RUNTIME}\n")
    assert node.findings("kubelet") == [
        ("fail", f"dials unix://{RUNTIME} (/var/lib/kubelet/config.yaml), not unix://{LISTEN}")]


def test_images_elsewhere(node):
    node.kubelet("--image-service-endpoint=unix:///run/images.sock")
    assert node.findings("images")[0][0] == "warn"


def test_no_runtime_and_no_runtime_manager(node):
    assert node.findings("runtime") == [("fail", f"{RUNTIME}: No such file or directory")]
    assert node.findings("runtime-manager") == [("fail", f"{LISTEN}: No such file or directory")]


def test_both_answer(healthy):
    (runtime,) = healthy.findings("runtime")
    (ours,) = healthy.findings("runtime-manager")
    assert runtime[0] == ours[0] == "ok"
    assert f"answers on {RUNTIME}, CRI v1" in runtime[1]


def test_runtime_manager_relays_elsewhere(node, place):
    with FakeRuntime(f"{place}/other.sock") as other, FakeRuntime(node.root + RUNTIME):
        other.on("Version", lambda call: cri.VersionResponse(runtime_name="other", runtime_version="2"))
        with Manager(node.root, f"{place}/other.sock", listen=node.root + LISTEN) as manager:
            manager.wait_log("the runtime answers")
            (finding,) = node.findings("runtime-manager")
    assert finding[0] == "fail" and "not what serves" in finding[1], finding


def test_everybody_may_dial(healthy):
    os.chmod(healthy.root + LISTEN, 0o666)
    mark, text = healthy.findings("socket")[0]
    assert mark == "fail" and "more people may dial it than should (mode 0666" in text


@pytest.mark.parametrize("mode, mark", [(0o600, "ok"), (0o660, "fail")])
def test_the_admin_socket_is_its_owners(node, mode, mark):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(node.root + "/run/runtime-manager/admin.sock")
        os.chmod(node.root + "/run/runtime-manager/admin.sock", mode)
        assert node.findings("admin socket")[0][0] == mark


def test_no_socket_where_one_should_be(node):
    node.write(LISTEN, "")
    assert node.findings("socket") == [("fail", f"{LISTEN} is no socket")]


def test_others_may_write_beside_the_socket(node):
    os.chmod(node.root + "/run/runtime-manager", 0o777)
    mark, text = node.findings("directory")[0]
    assert mark == "fail" and "others can put another socket in its place" in text


@pytest.mark.parametrize("policy, mark", [("Fail", "fail"), ("Ignore", "warn")])
def test_a_plugin_that_does_not_answer(node, policy, mark):
    node.write(f"{HOOKS}/p.json", json.dumps(
        {"remote-endpoint": "/run/p.sock", "failure-policy": policy, "runtime-hooks": ["PreStartContainer"]}))
    (finding,) = node.findings("plugins")
    assert finding[0] == mark and "No such file or directory" in finding[1]


def test_a_broken_registration(node):
    node.write(f"{HOOKS}/p.json", '{"remote-endpoint":\n 5}')
    assert ("fail", f"{HOOKS}/p.json:2: remote-endpoint: a string, the absolute path of a unix socket is meant") in \
        node.findings("plugins")


def test_a_registration_that_others_may_write(node):
    node.write(f"{HOOKS}/p.json", "{}", mode=0o666)
    mark, text = node.findings("plugins")[0]
    assert mark == "fail" and "group or others may write here" in text


def test_no_plugins(node):
    assert node.findings("plugins") == [("ok", f"{HOOKS}: none is registered")]
    os.rmdir(node.root + HOOKS)
    assert node.findings("plugins") == [("ok", f"{HOOKS} does not exist: none is registered")]


@pytest.fixture
def kubectl(node, monkeypatch):
    """Puts a kubectl of that text first in PATH; gives where it leaves its arguments."""
    node.write("/etc/kubernetes/kubelet.conf", "")
    node.write("/proc/sys/kernel/hostname", "Node-1\n")
    monkeypatch.setenv("PATH", f"{node.root}/bin:{os.environ['PATH']}")

    def write(text):
        node.write("/bin/kubectl", f"#!/bin/sh\necho \"$@\" > {node.root}/asked\n{text}\n", mode=0o755)
        return f"{node.root}/asked"

    return write


@pytest.mark.parametrize("endpoint, mark, words", [
    (f"unix://{LISTEN}", "ok", "keeps unix"),
    (f"unix://{RUNTIME}", "fail", f"will write unix://{RUNTIME} back at its next upgrade (the node's annotation)"),
    (None, "warn", "the node has no annotation kubeadm.alpha.kubernetes.io/cri-socket")])
def test_the_nodes_annotation_is_asked_for(node, kubectl, endpoint, mark, words):
    annotations = {"kubeadm.alpha.kubernetes.io/cri-socket": endpoint} if endpoint else {}
    asked = kubectl(f"cat <<'EOF'\n{json.dumps({'kind': 'Node', 'metadata': {'annotations': annotations}})}\nEOF")
    (finding,) = node.findings("kubeadm")
    assert finding[0] == mark and words in finding[1]
    with open(asked) as file:
        assert file.read() == (f"--kubeconfig {node.root}/etc/kubernetes/kubelet.conf --request-timeout 3s "
                               "get --raw /api/v1/nodes/node-1\n")


@pytest.mark.parametrize("text, words", [
    ("echo 'Error from server (Forbidden):\n  not yours' >&2; exit 1", "(kubectl: Error from server (Forbidden): not yours)"),
    ("exit 7", "(kubectl: ended with exit code 7)"),
    ("kill -9 $$", "(kubectl: was ended by signal 9)"),
    ("echo hello", "(kubectl's answer is no Node object)"),
    ("head -c 5000000 /dev/zero", "(kubectl: "),
    # Its child would hold the pipe open for ever.
    ("trap '' TERM; sleep 1000", "(kubectl did not end within 5.0 seconds)")])
def test_a_cluster_that_cannot_be_asked_is_a_note(node, kubectl, text, words):
    kubectl(text)
    (finding,) = node.findings("kubeadm")
    assert finding[0] == "note" and words in finding[1]


def test_a_node_without_kubectl(node, kubectl, monkeypatch):
    monkeypatch.setenv("PATH", f"{node.root}/bin")
    assert node.findings("kubeadm") == [
        ("note", "its next upgrade reads the endpoint from the node's annotation, which could not be looked at "
                 "(there is no kubectl here)")]


@pytest.mark.parametrize("text, mark", [
    (None, "note"), ("timeout: 2\n", "warn"), (f"runtime-endpoint: unix://{RUNTIME}\n", "warn"), ("a: b: c\n", "warn")])
def test_crictl_elsewhere(node, text, mark):
    if text is None:
        os.remove(node.root + "/etc/crictl.yaml")
    else:
        node.write("/etc/crictl.yaml", text)
    assert node.findings("crictl")[0][0] == mark


def test_the_daemons_files_say_where_it_listens(node):
    node.write("/etc/default/runtime-manager", 'RUNTIME_MANAGER_FLAGS="--listen /run/elsewhere.sock"\n')
    assert node.findings("runtime-manager") == [("fail", "/run/elsewhere.sock: No such file or directory")]
    node.write("/etc/default/runtime-manager", "")
    node.write("/etc/runtime-manager/config.yaml", "listen: /run/third.sock\n")
    assert node.findings("runtime-manager") == [("fail", "/run/third.sock: No such file or directory")]


def test_a_misspelled_variable(node):
    node.write("/etc/default/runtime-manager", "RUNTIME_MANAGER_LISTNE=/run/x.sock\n")
    code, out, _ = node.doctor("--output", "json")
    finding = json.loads(out)["findings"][0]
    assert finding["mark"] == "warn" and "RUNTIME_MANAGER_LISTNE: there is no such setting" in finding["finding"]
    assert finding["advice"] == "did you mean RUNTIME_MANAGER_LISTEN?"


def test_settings_that_are_wrong(node):
    node.write("/etc/runtime-manager/config.yaml", "lisen: /run/third.sock\n")
    mark, text = node.findings("settings")[0]
    assert mark == "fail" and text.endswith('config.yaml:1: "lisen": there is no such setting; did you mean listen?')


def test_what_answers_is_no_runtime(node):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(node.root + RUNTIME)
        assert node.findings("runtime") == [("fail", f"{RUNTIME}: Connection refused")]


def test_a_wrong_root_is_a_wrong_command_line():
    refused("doctor", "--root", "here", code=64)
