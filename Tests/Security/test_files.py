"""Who can reach which file: the socket, its lock, the hook directory, plugins' sockets. A stranger is a user without
any rights; what only root can do wrong must not hang or end the program either.
"""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import sys

import grpc
import pytest

from Peers.admin import Admin
from Peers.containerd import dying_with_parent
from Peers.cri import Runtime
from Peers.fake_runtime import FakeRuntime
from Peers.manager import run_once
from Peers.recorder import register, write_whole
from Peers.wait import eventually

STRANGER = 64321
BUSY = 69
PRE = "PreRunPodSandbox"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="skipped: needs root to be somebody else")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def as_stranger(program, *arguments):
    """Runs Python as the stranger; gives what it printed."""
    done = subprocess.run(
        ["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups", "--inh-caps=-all",
         sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True, text=True, timeout=30)
    return done.stdout.strip() or done.stderr


@contextlib.contextmanager
def served_by_stranger(path):
    """A socket on which the stranger listens."""
    program = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\n"
        "print('ready', flush=True)\nwhile True: s.accept()"
    )
    process = subprocess.Popen(
        dying_with_parent(["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups",
                           sys.executable, "-c", program, str(path)]), stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield
    process.kill()
    process.wait()


# The listening socket


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_modes_do_not_depend_on_the_umask(place, start_manager, umask):
    front = start_manager(f"{place}/runtime.sock", listen=f"{place}/a/b/rm.sock", umask=umask)
    assert mode(front.listen) == 0o600
    assert mode(front.listen + ".lock") == 0o600
    assert mode(front.listen + ".upgrade") == 0o600
    assert [mode(Admin(front.admin).path), mode(front.admin + ".lock")] == [0o600, 0o600]
    assert [mode(f"{place}/a"), mode(f"{place}/a/b")] == [0o755, 0o755]
    assert {os.stat(p).st_uid for p in (front.listen, front.listen + ".lock", f"{place}/a")} == {0}
    assert sorted(os.listdir(f"{place}/a/b")) == ["rm.sock", "rm.sock.lock", "rm.sock.upgrade"], "nothing else is written"


ATTEMPTS = {
    "connect": "s.connect(path)",
    "hold the lock": "fcntl.flock(open(path + '.lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)",
    "remove it": "os.unlink(path)",
    "put another in its place": "s.bind(path + '.new'); os.rename(path + '.new', path)",
    "remove the lock": "os.unlink(path + '.lock')",
    "make it public": "os.chmod(path, 0o666)",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_stranger_cannot(place, start_manager, runtime, attempt):
    """In a directory as the program makes it, and with the runtime's own socket closed to strangers."""
    os.chmod(place, 0o755)
    os.chmod(runtime.socket, 0o660)
    front = start_manager(runtime, listen=f"{place}/run/rm.sock")
    front.wait_log("the runtime answers")
    program = f"import fcntl, os, socket, sys\npath = sys.argv[1]\ns = socket.socket(socket.AF_UNIX)\n{ATTEMPTS[attempt]}\nprint('done')"
    assert "PermissionError" in as_stranger(program, front.listen)
    with Runtime(front.listen) as kubelet:
        kubelet.call("Version")


def test_who_may_use_the_runtime_does_not_administer_us(place, start_manager, runtime):
    """The group of the runtime's socket gets kubelet's calls, and neither the admin side nor an upgrade."""
    os.chmod(place, 0o755)
    os.chmod(runtime.socket, 0o660)
    os.chown(runtime.socket, 0, STRANGER)
    front = start_manager(runtime)
    front.wait_log("the socket has the runtime's owner now")
    connect = "import socket, sys\nsocket.socket(socket.AF_UNIX).connect(sys.argv[1])\nprint('done')"
    assert as_stranger(connect, front.listen) == "done"
    for path in (Admin(front.admin).path, front.listen + ".upgrade"):
        assert "PermissionError" in as_stranger(connect, path)


@pytest.mark.parametrize("name", ["rm.sock", "rm.sock.lock"])
@pytest.mark.parametrize("target", ["a file", "nothing"])
def test_a_link_in_the_way_is_not_followed(place, runtime, name, target):
    victim = f"{place}/victim"
    if target == "a file":
        write_whole(victim, "content")
    os.symlink(victim, f"{place}/{name}")
    code, _, stderr = run_once("serve", "--listen", f"{place}/rm.sock", "--runtime-endpoint", runtime.socket, "--hook-dir", place)
    assert code == BUSY and name in stderr
    assert os.path.islink(f"{place}/{name}")
    assert os.path.exists(victim) == (target == "a file")


def test_a_link_put_in_its_place_does_not_get_the_runtimes_owner(place, start_manager):
    front = start_manager(f"{place}/runtime.sock")
    write_whole(f"{place}/victim", "content", 0o640)
    os.unlink(front.listen)
    os.symlink(f"{place}/victim", front.listen)
    other = FakeRuntime(f"{place}/other.sock")
    os.chown(other.socket, STRANGER, STRANGER)
    os.rename(other.socket, f"{place}/runtime.sock")
    with other:
        front.wait_log("store rebuilt from the runtime")
        assert (mode(f"{place}/victim"), os.stat(f"{place}/victim").st_uid) == (0o640, 0)
    front.terminate()
    assert front.wait_exit() == 0
    assert os.path.islink(front.listen), "nor is it taken away at the end"


@pytest.mark.parametrize("wide,words", [(0o777, True), (0o1777, True), (0o775, True), (0o755, False)], ids=["0777", "1777", "0775", "0755"])
def test_a_socket_in_a_directory_of_others_is_warned_of(place, start_manager, wide, words):
    os.mkdir(f"{place}/run")
    os.chmod(f"{place}/run", wide)
    front = start_manager(f"{place}/runtime.sock", listen=f"{place}/run/rm.sock")
    front.wait_log("waiting for the runtime")
    assert ("can put another socket in its place" in front.log()) == words


# The hook directory


def valid(path="/run/nobody.sock"):
    return json.dumps({"remote-endpoint": path, "runtime-hooks": [PRE]})


def link_to(target):
    return lambda path, place: os.symlink(target.format(place=place), path)


def sparse(path, place):
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    os.chmod(path, 0o644)


def bound(path, place):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


def of_stranger(path, place):
    write_whole(path, valid())
    os.chown(path, STRANGER, STRANGER)


def link_to_strangers(path, place):
    of_stranger(f"{place}/strangers", place)
    os.symlink(f"{place}/strangers", path)


def link_to_writable(path, place):
    write_whole(f"{place}/writable", valid(), 0o666)
    os.symlink(f"{place}/writable", path)


def fifo(path, place):
    os.mkfifo(path, 0o644)


def link_to_fifo(path, place):
    os.mkfifo(f"{place}/fifo", 0o644)
    os.symlink(f"{place}/fifo", path)


#: What may lie in the hook directory under the name bad.json.
ODD = {
    "a dangling link": link_to("{place}/nothing"),
    "a link to itself": link_to("bad.json"),
    "a link to /dev/zero": link_to("/dev/zero"),
    "a link to /dev/random": link_to("/dev/random"),
    "a link to a terminal": link_to("/dev/ptmx"),
    "a link to memory": link_to("/proc/self/mem"),
    "a link to a file of the kernel": link_to("/proc/self/pagemap"),
    "a FIFO": fifo,
    "a link to a FIFO": link_to_fifo,
    "a socket": bound,
    "a file of a TiB": sparse,
    "a file of a stranger": of_stranger,
    "a link to a file of a stranger": link_to_strangers,
    "a link to a file that others may write": link_to_writable,
    "a file that others may write": lambda path, place: write_whole(path, valid(), 0o602),
    "a file that its group may write": lambda path, place: write_whole(path, valid(), 0o620),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_refused_by_name_and_costs_only_itself(place, start_plugin, hook_dir, manager, life, case):
    good = start_plugin("good", hooks=[PRE], policy="Fail")
    ODD[case](os.path.join(hook_dir, "bad.json"), place)
    life.pod()
    line = manager.wait_log("bad.json")
    assert "it registers nothing" in line, line
    assert good.names() == [PRE]
    late = start_plugin("late", hooks=[PRE])
    manager.wait_log("plugin late: registered:")
    assert manager.process.poll() is None and late.socket


@pytest.mark.parametrize("case", ["a directory", "a link to a directory"])
def test_directories_are_nobody(place, start_plugin, hook_dir, manager, life, case):
    start_plugin("good", hooks=[PRE])
    os.mkdir(f"{place}/elsewhere")
    write_whole(f"{place}/elsewhere/p.json", valid())
    if case == "a directory":
        os.rename(f"{place}/elsewhere", f"{hook_dir}/bad.json")
    else:
        os.symlink(f"{place}/elsewhere", f"{hook_dir}/bad.json")
    life.pod()
    assert "bad.json" not in manager.log()


@pytest.mark.parametrize("case", ["a link of a stranger", "a link through a link"])
def test_links_lead_where_root_let_them(place, start_plugin, hook_dir, life, case):
    plugin = start_plugin(registered=False)
    register(place, "target", plugin.socket, [PRE])
    os.symlink(f"{place}/target.json", f"{place}/between")
    os.symlink(f"{place}/between", f"{hook_dir}/p.json")
    os.chown(f"{hook_dir}/p.json", STRANGER if "stranger" in case else 0, 0, follow_symlinks=False)
    life.pod()
    assert plugin.names() == [PRE]


DIRECTORIES = {
    "others may write": lambda path: os.chmod(path, 0o757),
    "its group may write": lambda path: os.chmod(path, 0o775),
    "sticky, as /tmp": lambda path: os.chmod(path, 0o1777),
    "a stranger owns it": lambda path: os.chown(path, STRANGER, STRANGER),
}


@pytest.mark.parametrize("case", DIRECTORIES)
def test_a_directory_of_others_is_not_read(start_plugin, hook_dir, manager, life, case):
    plugin = start_plugin()
    DIRECTORIES[case](hook_dir)
    life.pod()
    assert plugin.names() == []
    manager.wait_log("no registration file is read until this is mended")


@pytest.mark.parametrize("case", DIRECTORIES)
def test_a_directory_that_becomes_others_freezes_what_is_registered(start_plugin, hook_dir, manager, life, case):
    plugin = start_plugin(hooks=[PRE])
    life.pod()
    DIRECTORIES[case](hook_dir)
    manager.wait_log("no registration file is read until this is mended")
    write_whole(os.path.join(hook_dir, "p.json"), valid())
    register(hook_dir, "new", "/run/nobody.sock", [PRE], "Fail")
    life.pod()
    assert plugin.names() == [PRE, PRE]
    assert "plugin new" not in manager.log()


def test_a_directory_behind_a_link_is_judged_at_its_end(place, start_plugin, hook_dir, manager, life):
    start_plugin(registered=False)
    os.rmdir(hook_dir)
    os.mkdir(f"{place}/strangers")
    write_whole(f"{place}/strangers/p.json", valid())
    os.chown(f"{place}/strangers", STRANGER, STRANGER)
    os.symlink(f"{place}/strangers", hook_dir)
    life.pod()
    manager.wait_log("no registration file is read until this is mended")


def test_nobody_else_writes_a_line_of_the_log(place, start_plugin, hook_dir, manager, life):
    """Names, keys, values and words that would break a line, or drive a terminal."""
    evil = b"\n2026-01-01T00:00:00+0000 error runtime-manager: forged\x1b[2J\xe2\x80\xa8\xc2\x85\xff"
    for name in (evil + b".json", b"esc\x1b]0;x\x07.json"):
        write_whole(f"{hook_dir}/plain", "{")
        os.rename(f"{hook_dir}/plain".encode(), hook_dir.encode() + b"/" + name)
    forged = "\n2026-01-01T00:00:00+0000 error runtime-manager: forged\x1b[2J\u2028\x85"
    for number, keys in enumerate([{forged: 1}, {"remote-endpoint": "/x" + forged}, {"runtime-hooks": [forged]},
                                   {"failure-policy": forged}, {"timeout": forged}]):
        text = json.dumps({"remote-endpoint": "/run/x.sock", "runtime-hooks": [PRE], **keys})
        write_whole(f"{hook_dir}/k{number}.json", text)
    plugin = start_plugin("good", hooks=[PRE, "PreCreateContainer"])
    plugin.on(PRE, lambda call, context: context.abort(grpc.StatusCode.INTERNAL, "no" + forged))
    life.pod(name="pod" + forged, namespace="ns" + forged, labels={"l" + forged: forged})
    eventually(lambda: all(f"k{n}" in manager.log() for n in range(5)) and "INTERNAL" in manager.log(), what="all is logged")
    for line in manager.lines:
        assert re.match(r"\d{4}-\d\d-\d\dT[\d:+.-]+ (trace|debug|info|notice|warning|error|critical) ", line), line
        assert not line.startswith("2026-01-01"), line
        assert line.isprintable(), line


# Plugins' sockets


def fails(place, hook_dir, life, manager, path, **more):
    """Why the plugin at this path has failed, under Fail."""
    register(hook_dir, "p", path, [PRE], "Fail", **more)
    manager.start()
    with pytest.raises(grpc.RpcError) as error:
        life.pod()
    return error.value.code().name, error.value.details().removeprefix("hook server err: p: PreRunPodSandbox: ")


@pytest.mark.parametrize("way", ["directly", "through a link"])
def test_the_socket_of_a_stranger_is_not_asked(place, hook_dir, life, manager, way):
    os.chmod(place, 0o777)
    path = f"{place}/evil.sock"
    with served_by_stranger(path):
        os.chmod(place, 0o755)
        if way == "through a link":
            os.symlink(path, f"{place}/link.sock")
            path = f"{place}/link.sock"
        code, text = fails(place, hook_dir, life, manager, path)
        assert code == "FAILED_PRECONDITION" and f"socket belongs to uid {STRANGER}" in text
        code, text = fails(place, hook_dir, life, manager, path, uid=STRANGER + 1)
        assert code == "FAILED_PRECONDITION" and f"socket belongs to uid {STRANGER}" in text


def test_whoever_listens_counts_and_not_who_owns_the_file(place, hook_dir, life, manager):
    os.chmod(place, 0o777)
    path = f"{place}/evil.sock"
    with served_by_stranger(path):
        os.chown(path, 0, 0)
        assert fails(place, hook_dir, life, manager, path)[0] == "FAILED_PRECONDITION"


OTHER_ENDS = {
    "nothing": ("{place}/nothing", "UNAVAILABLE"),
    "a file": ("/etc/passwd", "UNAVAILABLE"),
    "a directory": ("/etc", "UNAVAILABLE"),
    "itself": ("{place}/p.sock", "UNAVAILABLE"),
    "the runtime": ("{place}/runtime.sock", "FAILED_PRECONDITION"),
    "RuntimeManager": ("{place}/rm.sock", "FAILED_PRECONDITION"),
}


@pytest.mark.parametrize("case", OTHER_ENDS)
def test_a_socket_replaced_by_a_link_is_a_failure_of_that_plugin(place, hook_dir, life, manager, runtime, case):
    """The runtime, or RuntimeManager itself, asked as a plugin, says UNIMPLEMENTED: there is no way round in circles."""
    target, code = OTHER_ENDS[case]
    os.symlink(target.format(place=place), f"{place}/p.sock")
    assert fails(place, hook_dir, life, manager, f"{place}/p.sock")[0] == code
    assert life.runtime.call("Version").runtime_name
    assert not runtime.of("RunPodSandbox")
