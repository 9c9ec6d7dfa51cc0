"""Calls and streams through upgrades."""

import contextlib
import http.client
import json
import os
import signal
import socket
import struct
import threading

import grpc
import pytest

from Peers.cri import Runtime
from Peers.messages import cri
from Peers.recorder import sparse
from Peers.wait import eventually


def test_an_idle_daemon_is_replaced(daemon, kubelet):
    kubelet.call("Version")
    first = daemon.process.pid
    new, old = daemon.upgraded()
    assert old == first
    kubelet.call("Version")
    daemon.alone(new)
    assert daemon.process.wait(60) == 0
    with Runtime(daemon.listen) as another:
        another.call("Version")
    os.kill(new, signal.SIGTERM)
    eventually(lambda: not daemon.processes(), within=60)
    assert not os.path.exists(daemon.listen)
    assert not os.path.exists(daemon.listen + ".upgrade")


class Load:
    """Finite calls of several kinds from several threads, each with a channel of its own, and connects."""

    KINDS = ("Version", "Echo", "Sized", "Count", "Life")

    def __init__(self, daemon, threads, calls_a_second):
        self.failures, self.count = [], 0
        self._daemon, self._lock, self._over = daemon, threading.Lock(), threading.Event()
        self._pause = threads / calls_a_second
        self._threads = [threading.Thread(target=self._run, args=(i,)) for i in range(threads)]
        self._threads.append(threading.Thread(target=self._connect))

    def _run(self, index):
        with Runtime(self._daemon.listen) as kubelet:
            number = index
            while not self._over.wait(self._pause):
                number += 1
                self._call(self._one, kubelet, self.KINDS[number % len(self.KINDS)], f"{index}-{number}")

    def _connect(self):
        while not self._over.wait(0.02):
            self._call(self._dial)

    def _call(self, function, *arguments):
        try:
            made = function(*arguments) or 1
        except Exception as error:
            with self._lock:
                self.failures.append(error)
        else:
            with self._lock:
                self.count += made

    def _dial(self):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(60)
            one.connect(self._daemon.listen)
            assert one.recv(1)

    def _one(self, kubelet, kind, number):
        if kind == "Version":
            kubelet.call("Version", timeout=60)
        elif kind == "Echo":
            assert kubelet.unary("/test.Wire/Echo", number.encode(), timeout=60) == number.encode()
        elif kind == "Sized":
            assert len(kubelet.unary("/test.Wire/Sized", b"100000", timeout=60)) == 100000
        elif kind == "Count":
            assert len(list(kubelet.server_stream("/test.Wire/Count", b"20", timeout=60))) == 20
        else:
            config = cri.PodSandboxConfig(metadata=cri.PodSandboxMetadata(name=f"p{number}", namespace="n", uid=number))
            pod = kubelet.run_pod(config, timeout=60)
            container = kubelet.create(
                pod, cri.ContainerConfig(metadata=cri.ContainerMetadata(name="c")), config, timeout=60)
            kubelet.start_container(container, timeout=60)
            kubelet.call("StopContainer", cri.StopContainerRequest(container_id=container), timeout=60)
            kubelet.call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=60)
            return 5
        return 1

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.timeout(600)
def test_a_hundred_upgrades_under_load_fail_no_call_refuse_no_connection_and_repeat_no_hook(daemon, kubelet, start_plugin):
    plugin = start_plugin("p", ["PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PostStopContainer"], "Fail")
    kubelet.call("Version")
    descriptors = daemon.descriptors()
    with Load(daemon, threads=8, calls_a_second=200) as load:
        for _ in range(100):
            # Refused while three old ones live, as far as the one that serves knows; they have finite calls.
            code, out, error = eventually(lambda: unless_refused(daemon.upgrade()), within=60)
            assert code == 0, error
            new = int(out.split()[1])
            assert not load.failures, load.failures[:3]
    assert not load.failures, load.failures[:3]
    assert load.count > 0
    daemon.alone(new)
    # No connection of an old process has stayed open in a new one.
    eventually(lambda: len(os.listdir(f"/proc/{new}/fd")) <= descriptors + 8, within=60)
    # Each hook once for each object: the plugin counts by what it was told.
    told = [
        (call.hook, call.request.pod_meta.uid) for call in plugin.calls if call.hook != "PostStopContainer"
    ] + [(call.hook, call.request.container_meta.id) for call in plugin.calls if call.hook == "PostStopContainer"]
    assert len(told) == len(set(told))
    runs = {uid for hook, uid in told if hook == "PreRunPodSandbox"}
    for hook in ("PreCreateContainer", "PreStartContainer"):
        assert {uid for what, uid in told if what == hook} == runs
    assert sum(hook == "PostStopContainer" for hook, _ in told) == len(runs)


def unless_refused(outcome):
    """Nothing if an upgrade was put off because three old processes live."""
    return None if outcome[0] == 75 else outcome


def test_an_event_stream_is_kept_across_three_upgrades_and_holds_up_none(daemon, kubelet, runtime):
    go_on = threading.Semaphore(0)

    def events(call):
        for number in range(100):
            while not go_on.acquire(timeout=0.02):
                if call.cancelled.is_set():
                    return
            yield b"%d" % number

    runtime.stream("GetContainerEvents", events)
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    go_on.release()
    assert next(stream) == b"0"
    first = daemon.process.pid
    for number in range(1, 5):
        new, _ = daemon.upgraded()
        kubelet.call("Version")
        go_on.release()
        assert next(stream) == b"%d" % number
        eventually(lambda: daemon.processes() == sorted([first, new]), within=60)
    stream.cancel()
    daemon.alone(new)


def test_the_admin_socket_and_the_metrics_port_are_the_new_ones(daemon, kubelet):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon.flags += ["--metrics-port", str(port)]
    kubelet.call("Version")

    def scraped():
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()

    def served_by():
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.connect(daemon.admin)
            return struct.unpack("iII", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    assert 'method="Version"' in eventually(scraped, within=60)
    for _ in range(3):
        new, _ = daemon.upgraded()
        eventually(lambda: served_by() == new, within=60)
        daemon.alone(new)
        # Its own: what was counted before is the old process's.
        assert 'method="Version"' not in eventually(scraped, within=60)
        kubelet.call("Version")
        eventually(lambda: 'method="Version"' in scraped(), within=60)


def test_programs_are_told_too(daemon, kubelet):
    kubelet.call("Version")
    code, out, error = daemon.upgrade("--output", "json")
    assert (code, error) == (0, "")
    told = json.loads(out)
    assert told.keys() == {"newProcess", "oldProcess", "callsInFlight"}
    assert told["oldProcess"] == daemon.process.pid
    daemon.alone(told["newProcess"])


def test_a_fourth_old_process_is_refused_until_one_has_ended(daemon, runtime):
    daemon.start()
    clients, calls = [], []
    try:
        for _ in range(3):
            clients.append(Runtime(daemon.listen))
            calls.append(clients[-1].start("/test.Wire/Slow", b"x", timeout=None))
            runtime.take("Slow", within=60)
            serving, _ = daemon.upgraded()
        before = daemon.processes()
        assert len(before) == 4
        code, out, error = daemon.upgrade()
        assert (code, out) == (75, "")
        assert error == (
            "runtime-manager: not upgraded: 3 old processes still finish their calls, and that is the limit: try again when"
            " one has ended\n")
        assert daemon.processes() == before
        calls.pop().cancel()
        eventually(lambda: len(daemon.processes()) == 3, within=60)
        serving, _ = daemon.upgraded()
        runtime.release()
        assert [call.result() for call in calls] == [b"x", b"x"]
        daemon.alone(serving)
    finally:
        for client in clients:
            client.close()


def test_a_slow_pod_begun_on_the_old_one_gets_its_container_through_the_new_one(daemon, kubelet, runtime, start_plugin):
    plugin = start_plugin("p", ["PreRunPodSandbox", "PreCreateContainer"])
    plugin.on("PreRunPodSandbox", sparse(annotations={"plugin/was": "here"}, cgroup_parent="/plugins"))
    held, go_on = threading.Event(), threading.Event()

    def slow(call):
        held.set()
        go_on.wait(60)

    runtime.on("RunPodSandbox", slow)
    config = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name="slow", namespace="n", uid="u"),
        linux=cri.LinuxPodSandboxConfig(cgroup_parent="/kubelet"))
    run = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=config), timeout=240)
    assert held.wait(60)
    new, old = daemon.upgraded()
    assert daemon.processes() == sorted([new, old])
    go_on.set()
    pod = cri.RunPodSandboxResponse.FromString(run.result()).pod_sandbox_id
    kubelet.create(pod, cri.ContainerConfig(metadata=cri.ContainerMetadata(name="c")), config)
    sent = runtime.take("CreateContainer").request.sandbox_config
    assert sent.annotations["plugin/was"] == "here"
    assert sent.linux.cgroup_parent == "/plugins"
    assert plugin.take("PreCreateContainer").request.pod_annotations["plugin/was"] == "here"
    daemon.alone(new)


def test_sigterm_to_the_one_that_serves_ends_the_old_ones_too(daemon, kubelet, runtime):
    slow = kubelet.start("/test.Wire/Slow", b"x", timeout=None)
    runtime.take("Slow", within=60)
    new, old = daemon.upgraded()
    since = daemon.log_length()
    os.kill(new, signal.SIGTERM)
    # The old one drains as it does at SIGTERM; the one that serves waits for it.
    daemon.wait_log("finishing calls in flight", since=since, within=60)
    assert daemon.processes() == sorted([new, old])
    runtime.release()
    assert slow.result() == b"x"
    eventually(lambda: not daemon.processes(), within=60)
    assert not os.path.exists(daemon.listen)


def test_sigterm_to_an_old_one_ends_only_that(daemon, kubelet, runtime):
    stream = kubelet.server_stream("GetContainerEvents", timeout=None)
    assert next(stream) == b"event"
    new, old = daemon.upgraded()
    os.kill(old, signal.SIGTERM)
    with pytest.raises(grpc.RpcError) as failure:
        next(stream)
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE
    daemon.alone(new)
    kubelet.call("Version")


def test_a_runtime_that_has_answered_is_not_waited_for_again(daemon, kubelet, runtime):
    kubelet.call("Version")
    runtime.stop()
    daemon.wait_log("the runtime is gone", within=60)
    new, _ = daemon.upgraded()
    daemon.alone(new)
    with pytest.raises(grpc.RpcError) as failure:
        kubelet.call("Version", timeout=60)
    assert failure.value.code() == grpc.StatusCode.UNAVAILABLE
