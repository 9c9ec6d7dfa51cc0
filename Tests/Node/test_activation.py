"""A socket that the service manager has opened: systemd's own tool hands it over."""

import os
import stat
import subprocess
import sys

import pytest

from Peers.cri import Runtime
from Peers.manager import BINARY
from Peers.wait import eventually, listens


def activated(start_manager, runtime, path):
    """systemd's tool in front of the program: it listens, and becomes the program at the first connection."""
    kept = ["-E", "ASAN_OPTIONS"] if "ASAN_OPTIONS" in os.environ else []
    manager = start_manager(runtime, start=False, prefix=["systemd-socket-activate", *kept, "-l", path], listen=path)
    return manager.start(ready=False)


@pytest.fixture
def path(place):
    return os.path.join(place, "rm.sock")


def test_the_first_connection_is_served_by_a_process_that_did_not_run_yet(runtime, start_manager, path):
    manager = activated(start_manager, runtime, path)
    eventually(lambda: listens(path), within=60)
    with Runtime(path) as kubelet:
        assert kubelet.call("Version", timeout=60).runtime_name
    manager.wait_log("serving", within=60)


def test_the_socket_gets_the_runtimes_mode_and_stays_when_the_process_ends(runtime, start_manager, path):
    os.chmod(runtime.socket, 0o660)
    manager = activated(start_manager, runtime, path)
    eventually(lambda: listens(path), within=60)
    with Runtime(path) as kubelet:
        kubelet.call("Version", timeout=60)
    eventually(lambda: stat.S_IMODE(os.stat(path).st_mode) == 0o660, within=60)
    before = os.stat(path).st_ino
    manager.terminate()
    assert manager.wait_exit(60) == 0
    assert os.stat(path).st_ino == before


def test_a_second_daemon_does_not_take_the_path(runtime, start_manager, path):
    activated(start_manager, runtime, path)
    eventually(lambda: listens(path), within=60)
    with Runtime(path) as kubelet:
        kubelet.call("Version", timeout=60)
    done = subprocess.run([BINARY, "serve", "--listen", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69
    assert "locked" in done.stderr


#: Opens descriptor 3 (and 4) as each case wants it, and becomes the program.
HAND_OVER = """
import os, socket, sys
kind, path, program, *arguments = sys.argv[1:]
os.environ["LISTEN_FDS"] = "2" if kind == "two" else "1"
os.environ["LISTEN_FDNAMES"] = "a:b"
os.environ["LISTEN_PID"] = str(os.getpid())
if kind == "file":
    one = os.open("/dev/null", os.O_RDONLY)
elif kind == "datagram":
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.bind(path)
elif kind == "inet":
    one = socket.socket(socket.AF_INET)
    one.bind(("127.0.0.1", 0))
    one.listen()
else:
    one = socket.socket(socket.AF_UNIX)
    if kind != "unbound":
        one.bind(path + ("x" if kind == "elsewhere" else ""))
    if kind not in ("unbound", "deaf"):
        one.listen()
number = one if isinstance(one, int) else one.detach()
if number != 3:
    os.dup2(number, 3)
os.set_inheritable(3, True)
os.execv(program, [program, *arguments])
"""


@pytest.mark.parametrize(
    "kind, words",
    [
        ("file", "is not a socket"),
        ("datagram", "is not a unix stream socket"),
        ("inet", "is not a unix stream socket"),
        ("deaf", "does not listen"),
        ("elsewhere", "is bound to"),
        ("two", "2 sockets were handed over (a:b)"),
    ],
)
def test_anything_else_is_refused_in_one_line(place, path, kind, words):
    done = subprocess.run(
        [sys.executable, "-c", HAND_OVER, kind, path, BINARY, "serve", "--listen", path],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 69, done.stderr
    (line,) = done.stderr.splitlines()
    assert words in line and path in line


def test_a_socket_handed_over_is_taken_and_not_unlinked(place, runtime, path):
    with subprocess.Popen(
        [sys.executable, "-c", HAND_OVER, "good", path, BINARY, "serve", "--listen", path, "--runtime-endpoint",
         runtime.socket, "--hook-dir", place]) as process:
        eventually(lambda: listens(path), within=60)
        with Runtime(path) as kubelet:
            kubelet.call("Version", timeout=60)
        process.terminate()
        assert process.wait(60) == 0
    assert stat.S_ISSOCK(os.stat(path).st_mode)
