"""What the unit takes away is not needed: the daemon works with its capabilities alone, and makes no other system call than
its filter lets through."""

import contextlib
import os
import pathlib
import re
import signal
import stat
import subprocess

import pytest

from Peers.cri import Runtime
from Peers.daemon import Daemon
from Peers.messages import cri
from Peers.wait import eventually

UNIT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "runtime-manager.service"


def settings(name):
    return [line.split("=", 1)[1] for line in UNIT.read_text().splitlines() if line.startswith(f"{name}=")]


def calls_of(name):
    """The system calls of a group of systemd's, groups in it included."""
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    members = [line.strip() for line in shown.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*map(calls_of, members))


def allowed():
    """What the unit's filter lets through (systemd.exec(5)): the first line is a list of what is allowed, later ones add or,
    with a tilde, take away."""
    calls = set()
    for line in settings("SystemCallFilter"):
        named = set().union(*map(calls_of, line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    return calls | calls_of("@default")


@pytest.fixture
def sandboxed(place, runtime):
    """A daemon with the unit's capabilities and no others."""
    started = []
    (names,) = settings("CapabilityBoundingSet")
    kept = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in names.split())

    def start(*more):
        prefix = ["setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--no-new-privs", *more]
        started.append(Daemon(place, runtime.socket, prefix=prefix))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def a_life(daemon, start_plugin):
    plugin = start_plugin("p", ["PreCreateContainer", "PreStartContainer", "PostStopContainer"], "Fail", uid=64321)
    # Another user's, closed to everybody else.
    os.chown(plugin.socket, 64321, 64321)
    os.chmod(plugin.socket, 0o600)
    daemon.wait_log("plugin p: registered", within=60)
    with Runtime(daemon.listen) as kubelet:
        config = cri.PodSandboxConfig(metadata=cri.PodSandboxMetadata(name="p", namespace="n", uid="u"))
        pod = kubelet.run_pod(config, timeout=120)
        identifier = kubelet.create(
            pod, cri.ContainerConfig(metadata=cri.ContainerMetadata(name="c")), config, timeout=120)
        kubelet.start_container(identifier, timeout=120)
        kubelet.call("StopContainer", cri.StopContainerRequest(container_id=identifier), timeout=120)
        kubelet.call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=120)
    assert [call.hook for call in plugin.calls] == ["PreCreateContainer", "PreStartContainer", "PostStopContainer"]


def test_its_capabilities_are_enough(runtime, sandboxed, start_plugin):
    os.chmod(runtime.socket, 0o660)
    os.chown(runtime.socket, 0, 64321)
    daemon = sandboxed()
    with open(f"/proc/{daemon.process.pid}/status") as status:
        (effective,) = re.findall(r"CapEff:\t(\w+)", status.read())
    # CHOWN is 0 and DAC_OVERRIDE is 1 (capabilities(7)).
    assert int(effective, 16) == 0b11
    daemon.wait_log("the socket has the runtime's owner now", within=60)
    # Its owner changes while it is not ours any more.
    runtime.stop()
    runtime.start()
    os.chmod(runtime.socket, 0o600)
    os.chown(runtime.socket, 64321, 64322)
    runtime.stop()
    runtime.start()
    a_life(daemon, start_plugin)
    daemon.alone(daemon.upgraded()[0])


def test_an_owner_that_changes_twice_is_followed(runtime, sandboxed):
    os.chmod(runtime.socket, 0o660)
    os.chown(runtime.socket, 64321, 64322)
    daemon = sandboxed()

    def theirs():
        found = os.stat(daemon.listen)
        return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)

    eventually(lambda: theirs() == (64321, 64322, 0o660), within=60)
    os.chmod(runtime.socket, 0o600)
    os.chown(runtime.socket, 64323, 0)
    new, _ = daemon.upgraded()
    eventually(lambda: theirs() == (64323, 0, 0o600), within=60)


def test_its_filter_lets_every_system_call_through(place, sandboxed, start_plugin):
    trace = os.path.join(place, "trace")
    daemon = sandboxed("strace", "-f", "-qq", "-o", trace)
    a_life(daemon, start_plugin)
    # strace follows the new process too.
    daemon.upgraded()
    eventually(lambda: len(daemon.processes()) == 2, within=120, what="the tracer and the new process")
    for pid in daemon.processes():
        if pid != daemon.process.pid:
            os.kill(pid, signal.SIGTERM)
    assert daemon.process.wait(120) == 0
    with contextlib.suppress(FileNotFoundError), open(trace) as file:
        made = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)", file.read(), re.M))
    assert {"accept4", "sendto", "execve", "chmod", "clone3"} & made, made
    assert made - allowed() == set()
