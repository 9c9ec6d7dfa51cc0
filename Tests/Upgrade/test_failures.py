"""Upgrades that do not come about: the old process serves on, and says why."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from Peers.cri import Runtime
from Peers.manager import BINARY, run_once
from Peers.wait import eventually

from Peers.daemon import Daemon, state
from .test_state import container, stop

#: The descriptors of a new process, as their numbers come in its environment: flags first, then the link.
LINK = 3


@pytest.fixture
def program(place):
    """Writes a program that stands in for the new one."""

    def write(text, interpreter=sys.executable):
        path = os.path.join(place, "program")
        with open(path, "w") as file:
            file.write(f"#!{interpreter}\n{textwrap.dedent(text)}")
        os.chmod(path, 0o755)
        return path

    return write


def serves_on(daemon, kubelet, pid):
    """The same process, alone, for those who are connected and for those who dial."""
    kubelet.call("Version", timeout=60)
    with Runtime(daemon.listen) as another:
        another.call("Version", timeout=60)
    daemon.alone(pid)


def test_a_program_that_is_not_there(daemon, kubelet):
    kubelet.call("Version")
    code, _, error = daemon.upgrade("--program", "/nonexistent/program")
    assert code == 1
    assert error == (
        "runtime-manager: not upgraded: /nonexistent/program cannot be started: No such file or directory\n")
    serves_on(daemon, kubelet, daemon.process.pid)


def test_a_program_that_ends_at_once(daemon, kubelet):
    kubelet.call("Version")
    code, _, error = daemon.upgrade("--program", "/bin/false")
    assert code == 1
    assert "not upgraded: the new process ended before it had taken over" in error
    serves_on(daemon, kubelet, daemon.process.pid)


def test_a_program_that_says_nothing(daemon, kubelet, program, place):
    kubelet.call("Version")
    path = program(f"""
        import os, signal
        open({place + "/pid"!r}, "w").write(str(os.getpid()))
        signal.pause()
        """)
    code, _, error = daemon.upgrade("--program", path, "--timeout", "5")
    assert (code, error) == (1, "runtime-manager: not upgraded: it did not take over within 5 s\n")
    serves_on(daemon, kubelet, daemon.process.pid)
    hanging = int(open(f"{place}/pid").read())
    eventually(lambda: not os.path.exists(f"/proc/{hanging}") or state(hanging) == "Z", within=60)


def test_a_program_that_takes_everything_and_never_serves(daemon, kubelet, program):
    kubelet.call("Version")
    # A frame: four bytes of length, then field 3 (hello) with version 1 and a process id.
    path = program(f"""
        import socket
        link = socket.socket(fileno={LINK})
        link.sendall(bytes([0, 0, 0, 6, 0x1a, 4, 8, 1, 16, 99]))
        while link.recv(65536):
            pass
        """)
    code, _, error = daemon.upgrade("--program", path, "--timeout", "5")
    assert (code, error) == (1, "runtime-manager: not upgraded: it did not take over within 5 s\n")
    serves_on(daemon, kubelet, daemon.process.pid)


@pytest.mark.parametrize("words", [b"", b"\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\xff\xff", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_program_that_says_garbage_and_ends(daemon, kubelet, program, words):
    kubelet.call("Version")
    path = program(f"""
        import socket
        socket.socket(fileno={LINK}).sendall({words!r})
        """)
    code, _, error = daemon.upgrade("--program", path, "--timeout", "60")
    assert code == 1
    assert "not upgraded: " in error
    serves_on(daemon, kubelet, daemon.process.pid)


def test_a_program_of_another_version_of_the_handover(daemon, kubelet, program):
    kubelet.call("Version")
    path = program(f"""
        import signal, socket
        link = socket.socket(fileno={LINK})
        link.sendall(bytes([0, 0, 0, 6, 0x1a, 4, 8, 2, 16, 99]))
        signal.pause()
        """)
    code, _, error = daemon.upgrade("--program", path)
    assert (code, error) == (
        1,
        "runtime-manager: not upgraded: the new program speaks version 2 of the handover, this one version 1: restart"
        " instead\n")
    serves_on(daemon, kubelet, daemon.process.pid)


def test_after_a_failure_the_next_one_works(daemon, kubelet):
    kubelet.call("Version")
    assert daemon.upgrade("--program", "/bin/false")[0] == 1
    new, _ = daemon.upgraded()
    daemon.alone(new)
    kubelet.call("Version")


def test_nobody_is_there(place):
    code, out, error = run_once("upgrade", "--listen", f"{place}/rm.sock")
    assert (code, out) == (69, "")
    assert error == f"runtime-manager: no daemon answers at {place}/rm.sock.upgrade: No such file or directory\n"


@pytest.mark.parametrize("arguments", [["--timeout", "0"], ["--timeout", "x"], ["--program", "relative"], ["--no-such-flag"]])
def test_wrong_arguments(arguments):
    code, out, error = run_once("upgrade", *arguments)
    assert (code, out) == (64, "")
    assert len(error.splitlines()) == 1


def test_another_user_may_not(daemon, kubelet, place):
    kubelet.call("Version")
    os.chmod(place, 0o755)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", BINARY, "upgrade", "--listen", daemon.listen],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 77, done.stderr
    assert done.stderr == f"runtime-manager: {daemon.listen}.upgrade: only root and the daemon's user may\n"
    serves_on(daemon, kubelet, daemon.process.pid)


OLD = ["started", "greeted", "closed", "given", "finishing"]
NEW = ["ready", "greeting", "taken", "accepting", "serving"]


@pytest.mark.parametrize("step", OLD + NEW)
def test_either_dies_at_any_step_and_somebody_serves_with_what_was_promised(daemon, kubelet, start_plugin, step):
    """The annotations of a pod that plugins changed, and a stop that a plugin has been told of."""
    plugin = start_plugin("p", ["PostStopContainer"], "Fail")
    # Of the two processes only one ever comes to the step.
    daemon.environment = {"RUNTIME_MANAGER_TEST_KILL_AT": f"upgrade:{step}"}
    _, identifier = container(kubelet)
    stop(kubelet, identifier)
    plugin.take("PostStopContainer")
    first = daemon.process.pid
    daemon.upgrade("--timeout", "60")
    if step in OLD:
        assert daemon.process.wait(60) == -signal.SIGKILL
        eventually(lambda: len(daemon.processes()) == 1 and daemon.processes() != [first], within=60)
    else:
        daemon.alone(first)

    def again():
        with Runtime(daemon.listen) as another:
            try:
                another.call("Version", timeout=60)
                return True
            except Exception:
                return False

    eventually(again, within=60)
    with Runtime(daemon.listen) as another:
        stop(another, identifier)
    told = len(plugin.of("PostStopContainer"))
    # A process that dies before it has given everything takes with it what only it knew, as at any crash.
    assert told == 1 if step in NEW + ["given", "finishing"] else told in (1, 2)


def test_the_old_process_serves_again_when_the_new_one_dies_before_its_last_call_has_ended(daemon, kubelet, runtime):
    slow = kubelet.start("/test.Wire/Slow", b"x", timeout=None)
    runtime.take("Slow", within=60)
    first = daemon.process.pid
    new, _ = daemon.upgraded()
    os.kill(new, signal.SIGKILL)
    daemon.wait_log("the process that had taken over is gone", within=60)
    daemon.alone(first)
    with Runtime(daemon.listen) as another:
        another.call("Version", timeout=60)
    third, old = daemon.upgraded()
    assert old == first
    runtime.release()
    assert slow.result() == b"x"
    daemon.alone(third)


def test_a_process_whose_place_was_given_on_keeps_the_path_from_nobody(daemon, kubelet, runtime):
    slow = kubelet.start("/test.Wire/Slow", b"x", timeout=None)
    runtime.take("Slow", within=60)
    for _ in range(2):
        new, _ = daemon.upgraded()
    oldest = daemon.process.pid
    eventually(lambda: daemon.processes() == sorted([oldest, new]), within=60)
    os.kill(new, signal.SIGKILL)
    daemon.alone(oldest)
    with Daemon(daemon.place, daemon.runtime) as another, Runtime(another.listen) as client:
        client.call("Version", timeout=60)
        runtime.release()
        assert slow.result() == b"x"


def test_nothing_but_frames_is_heard_on_the_upgrade_socket(daemon, kubelet):
    kubelet.call("Version")
    for words in [b"\xff" * 8, b"\x00\x00\x00\x02\xff\xff", b"GET / HTTP/1.1\r\n\r\n"]:
        done = subprocess.run(
            ["socat", "-t", "60", "-", f"UNIX-CONNECT:{daemon.listen}.upgrade"], input=words, capture_output=True, timeout=60)
        assert done.stdout == b""
    serves_on(daemon, kubelet, daemon.process.pid)
