"""What a service manager is told (sd_notify(3)), heard by one that is not systemd."""

import os
import signal
import subprocess

import pytest

from Peers.cri import Runtime
from Peers.fake_runtime import FakeRuntime
from Peers.notify import NotifySocket


@pytest.fixture(params=["path", "abstract"])
def service_manager(request, place):
    name = os.path.join(place, "notify") if request.param == "path" else f"@{place}/notify"
    with NotifySocket(name) as manager:
        yield manager


def started(start_manager, runtime, service_manager, ready=True, **environment):
    manager = start_manager(runtime, start=False)
    manager.environment = {"NOTIFY_SOCKET": service_manager.name, **environment}
    return manager.start(ready)


def test_ready_is_said_when_the_socket_is_served_and_the_runtime_has_answered_once(place, start_manager, service_manager):
    runtime = FakeRuntime(os.path.join(place, "runtime.sock"), start=False)
    manager = started(start_manager, runtime, service_manager)
    service_manager.wait(f"STATUS=waiting for the runtime at {runtime.socket}")
    assert "READY=1" not in service_manager.all()
    with runtime.start():
        service_manager.wait("READY=1")
        service_manager.wait("STATUS=serving, 0 plugins")
        with Runtime(manager.listen) as kubelet:
            kubelet.call("Version")
    service_manager.wait(f"STATUS=waiting for the runtime at {runtime.socket}", since=2)
    assert service_manager.all().count("READY=1") == 1


def test_the_status_counts_plugins(runtime, start_manager, start_plugin, service_manager):
    started(start_manager, runtime, service_manager)
    service_manager.wait("STATUS=serving, 0 plugins")
    start_plugin("a", ["PreRunPodSandbox"])
    service_manager.wait("STATUS=serving, 1 plugin")


def test_stopping_and_what_is_drained_are_said(runtime, start_manager, service_manager):
    manager = started(start_manager, runtime, service_manager)
    service_manager.wait("READY=1")
    with Runtime(manager.listen) as kubelet:
        slow = kubelet.start("/test.Wire/Slow", b"x", timeout=60)
        runtime.take("Slow", within=60)
        manager.terminate()
        service_manager.wait("STOPPING=1")
        service_manager.wait("STATUS=draining, 1 call")
        runtime.release()
        assert slow.result() == b"x"
    assert manager.wait_exit(60) == 0
    assert not [line for line in service_manager.all() if "=" not in line]


def test_the_watchdog_hears_a_sign_of_life_again_and_again(runtime, start_manager, service_manager):
    manager = started(start_manager, runtime, service_manager, WATCHDOG_USEC="200000")
    for _ in range(3):
        service_manager.wait("WATCHDOG=1", since=service_manager.length())
    with manager.frozen():
        pass
    service_manager.wait("WATCHDOG=1", since=service_manager.length())


def test_the_watchdog_is_fed_by_the_event_loop_itself(runtime, start_manager, service_manager):
    """One thread that sends it, and it is the one that serves calls."""
    manager = started(start_manager, runtime, service_manager, WATCHDOG_USEC="200000")
    trace = os.path.join(os.path.dirname(manager.listen), "trace")
    with subprocess.Popen(
        ["strace", "-f", "-o", trace, "-e", "trace=sendto,accept4", "-p", str(manager.process.pid)],
        stderr=subprocess.PIPE, text=True) as strace:
        assert "attached" in strace.stderr.readline()
        service_manager.wait("WATCHDOG=1", since=service_manager.length())
        service_manager.wait("WATCHDOG=1", since=service_manager.length())
        with Runtime(manager.listen) as kubelet:
            kubelet.call("Version")
        strace.send_signal(signal.SIGINT)
        strace.wait(60)
    lines = [line.split(maxsplit=1) for line in open(trace) if "sendto" in line or "accept4" in line]
    senders = {thread for thread, call in lines if "WATCHDOG=1" in call}
    assert senders and senders == {thread for thread, call in lines if call.startswith("accept4")}


def test_no_watchdog_is_fed_that_watches_another_process(runtime, start_manager, service_manager):
    manager = started(start_manager, runtime, service_manager, WATCHDOG_USEC="2000", WATCHDOG_PID="1")
    service_manager.wait("STATUS=serving, 0 plugins")
    manager.terminate()
    assert manager.wait_exit(60) == 0
    assert "WATCHDOG=1" not in service_manager.all()


@pytest.mark.parametrize("name", ["", "relative", "/nonexistent/notify", "@nobody", "vsock:2:1234"])
def test_a_manager_that_does_not_listen_costs_nothing(runtime, start_manager, name):
    manager = start_manager(runtime, start=False)
    manager.environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"}
    manager.start()
    with Runtime(manager.listen) as kubelet:
        kubelet.call("Version")
    manager.terminate()
    assert manager.wait_exit(60) == 0
