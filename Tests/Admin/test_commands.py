"""The commands that ask a running daemon, as people and scripts use them."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import grpc
import pytest

from Peers.containerd import dying_with_parent
from Peers.manager import BINARY, environment
from Peers.recorder import refuse, sparse
from Peers.wait import eventually

FINDINGS, USAGE, UNAVAILABLE, NOT_PERMITTED = 1, 64, 69, 77
TRACE = "0af7651916cd43dd8448eb211c80319c"
COMMANDS = [["plugins"], ["pods"], ["containers"], ["why", "cafe"], ["watch"], ["log-level", "info"], ["plugins", "reset", "p"]]


def run(*arguments, prefix=(), **variables):
    done = subprocess.run(
        [*prefix, BINARY, *arguments], capture_output=True, timeout=100, stdin=subprocess.DEVNULL,
        env=environment(**variables))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def ask(admin, manager):
    """Runs a command against the program under test; gives what it prints."""

    def ask(*arguments, **environment):
        code, out, error = run(*arguments, "--admin", manager.admin, **environment)
        assert (code, error) == (0, "")
        return out

    return ask


@pytest.fixture
def history(admin, start_plugin, manager, life):
    """Two plugins that quarrel, and one container."""
    first, second = start_plugin("batch", ["PreCreateContainer"]), start_plugin("numa", ["PreCreateContainer"])
    first.on("PreCreateContainer", sparse(resources={"cpu_shares": 128}, container_envs={"CLASS": "x"}))
    second.on("PreCreateContainer", sparse(resources={"cpu_shares": 256, "cpuset_mems": "0"}))
    for name in ("batch", "numa"):
        manager.wait_log(f"plugin {name}: registered", within=60)
    pod = life.pod(cgroup_parent="/kubepods/p")
    container = life.container(pod, cpu_shares=1024, metadata=[("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")])
    eventually(lambda: admin.why(container), within=60)
    return life.configs[pod].metadata, pod, container


def test_plugins_are_a_table_and_what_each_has_to_say(ask, history):
    lines = ask("plugins").splitlines()
    assert lines[0].split() == ["PLUGIN", "STATE", "POLICY", "CALLS", "FAILED", "P50", "P99"]
    assert lines[1].split()[:5] == ["batch", "healthy", "Ignore", "1", "0"]
    assert "  hooks     PreCreateContainer" in lines


def test_pods_and_containers_are_tables(ask, history):
    pod, pod_id, container = history
    assert ask("pods").splitlines()[1].split() == [f"{pod.namespace}/{pod.name}", pod_id[:13], "0", "1", "/kubepods/p"]
    assert ask("containers").splitlines()[1].startswith(f"{pod.namespace}/{pod.name}  main")
    assert container[:13] in ask("containers")


def test_why_tells_it_at_a_glance(ask, history):
    pod, pod_id, container = history
    lines = [re.sub(r"[\d.]+ m?s", "TIME", line) for line in ask("why", container[:12]).splitlines()]
    assert lines[0] == f"{container}: 1 hooked call"
    assert lines[2].endswith(f"CreateContainer  {pod.namespace}/{pod.name}  container {container[:13]}  TIME  OK")
    assert lines[3:] == [
        f"  trace {TRACE}",
        "  1. batch  PreCreateContainer  TIME  changed",
        "     cpu_shares: 1024 -> 128  (owner batch)",
        "     env CLASS: (none) -> (set)  (owner batch)",
        "  2. numa  PreCreateContainer  TIME  changed",
        "     cpuset_mems: (none) -> 0  (owner numa)",
        "     dropped cpu_shares = 256: conflict, owner batch",
    ]
    assert f"{pod_id}: 1 hooked call" in ask("why", pod_id)
    assert f"{pod.namespace}/{pod.name}: 1 hooked call" in ask("why", f"{pod.namespace}/{pod.name}")


@pytest.mark.parametrize("columns", ["20", "33", "79"])
def test_no_line_is_wider_than_the_terminal(ask, history, columns):
    for command in [["plugins"], ["pods"], ["containers"], ["why", history[2]]]:
        shown = ask(*command, COLUMNS=columns)
        assert max(map(len, shown.splitlines())) <= int(columns), shown
        assert "\x1b" not in shown


def test_json_is_what_the_daemon_says(ask, admin, history):
    _, _, container = history
    for command, target in [(["pods"], "/v1/pods"), (["containers"], "/v1/containers"), (["plugins"], "/v1/plugins"),
                            (["why", container], f"/v1/why/{container}")]:
        assert json.loads(ask(*command, "--output", "json")) == admin.get(target)


def test_nothing_known_is_said_in_words(ask):
    assert ask("plugins") == "no registration files\n"
    assert ask("pods") == "no pod sandboxes\n"
    assert ask("containers") == "no containers\n"


def test_the_level_of_the_log_and_a_plugin_are_set(ask, manager, history):
    assert ask("log-level", "debug") == "the daemon logs from debug on\n"
    assert "level=debug" in manager.wait_log("log level set by an admin client", within=60)
    assert ask("plugins", "reset", "batch") == "plugin batch: was asked all along\n"


# What is in the way


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_daemon_each_says_which_socket_and_where_to_look(place, command):
    code, out, error = run(*command, "--admin", f"{place}/admin.sock")
    assert (code, out) == (UNAVAILABLE, "")
    assert error == (
        f"runtime-manager: no runtime-manager answers at {place}/admin.sock: No such file or directory; "
        "see systemctl status runtime-manager\n")


@pytest.mark.parametrize("mode", [0o600, 0o666], ids=["by the kernel", "by the daemon"])
def test_who_may_not_ask_is_told_so(admin, place, mode):
    os.chmod(place, 0o755)
    os.chmod(admin.path, mode)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    code, out, error = run("pods", "--admin", admin.path, prefix=nobody)
    assert (code, out, error.count("\n")) == (NOT_PERMITTED, "", 1)
    assert error.startswith(f"runtime-manager: not permitted at {admin.path}: ")


def test_what_nobody_knows_is_a_finding(admin, history):
    code, out, error = run("why", "zz", "--admin", admin.path)
    assert (code, out) == (FINDINGS, "")
    assert error == 'runtime-manager: nothing is known of "zz": neither a hooked call nor a pod or container\n'
    assert run("plugins", "reset", "zz", "--admin", admin.path)[::2] == (
        FINDINGS, "runtime-manager: no plugin is called zz\n")


def test_several_that_may_be_meant_are_named(admin, history, life):
    _, pod, _ = history
    created = [life.container(pod) for _ in range(17)]
    digit = next(digit for digit in "0123456789abcdef" if sum(id[0] == digit for id in created) > 1)
    eventually(lambda: admin.request("GET", f"/v1/why/{digit}")[0] == 409, within=60)
    code, _, error = run("why", digit, "--admin", admin.path)
    assert code == FINDINGS and f"objects have an id that begins with {digit}: {digit}" in error


@pytest.mark.parametrize("arguments", [
    ["log-level", "loud"], ["why"], ["why", ""], ["pods", "--admin", "relative"], ["plugins", "reset"],
    ["serve", "--metrics-port", "0"], ["serve", "--metrics-port", "65536"]], ids=" ".join)
def test_a_wrong_command_line_says_so(arguments):
    code, out, error = run(*arguments)
    assert (code, out, error.count("\n")) == (USAGE, "", 1)


# Watching


@contextlib.contextmanager
def watching(*arguments):
    """`watch` into a pipe, line by line."""
    process = subprocess.Popen(
        dying_with_parent([BINARY, "watch", *arguments]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def until_followed(life, pod, process):
    """Hooked calls, until one is seen: the reader may not have been there for the first ones."""
    seen = threading.Event()

    def create():
        while not seen.is_set():
            life.container(pod)

    thread = threading.Thread(target=create)
    thread.start()
    try:
        return process.stdout.readline()
    finally:
        seen.set()
        thread.join()


def test_without_a_terminal_watch_prints_a_line_for_each_hooked_call(admin, history, life):
    with watching("--admin", admin.path) as process:
        line = until_followed(life, history[1], process)
        assert "CreateContainer" in line and "batch: PreCreateContainer: changed 2" in line
        assert "numa: PreCreateContainer: changed 1, dropped 1" in line
        assert "\x1b" not in line


def test_as_json_watch_prints_a_document_for_each_hooked_call(admin, history, life):
    with watching("--admin", admin.path, "--output", "json") as process:
        document = json.loads(until_followed(life, history[1], process))
        assert document["call"] == "CreateContainer" and len(document["plugins"]) == 2


def test_watch_ends_with_the_daemon(admin, history, life, manager):
    with watching("--admin", admin.path) as process:
        until_followed(life, history[1], process)
        manager.terminate()
        assert process.wait(60) == UNAVAILABLE
        assert process.stderr.read() == f"runtime-manager: the daemon at {admin.path} gave no answer: it has ended\n"


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *command, columns=80, rows=24):
        self.screen = ""
        self._changed = threading.Condition()
        self.control, terminal = pty.openpty()
        self.terminal = terminal
        self.resize(columns, rows)
        self.before = termios.tcgetattr(terminal)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *dying_with_parent(command)], stdin=terminal, stdout=terminal, stderr=terminal,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": "1"})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while part := os.read(self.control, 65536):
                with self._changed:
                    self.screen += part.decode(errors="replace")
                    self._changed.notify_all()

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, pattern, since=0):
        """What was written up to the pattern."""
        with self._changed:
            assert self._changed.wait_for(lambda: re.search(pattern, self.screen[since:]), 60), self.screen[since:]
            return re.search(pattern, self.screen[since:])

    def type(self, text):
        os.write(self.control, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


@pytest.fixture
def terminal(admin):
    with contextlib.closing(Terminal(BINARY, "watch", "--admin", admin.path)) as terminal:
        yield terminal


def test_on_a_terminal_watch_draws_in_place_and_leaves_all_as_it_was(terminal, history, start_plugin, manager, life):
    terminal.wait(r"^\x1b\[\?1049h\x1b\[\?25l\x1b\[Hcalls/s -  in flight [0-9]+(?s:.*)batch +healthy")
    terminal.wait(r"\x1b\[J\x1b\[Hcalls/s [0-9]")
    plugin = start_plugin("strict", ["PreCreateContainer"], "Fail")
    plugin.on("PreCreateContainer", refuse(grpc.StatusCode.INTERNAL, "impossible"))
    manager.wait_log("plugin strict: registered", within=60)
    with pytest.raises(grpc.RpcError):
        life.container(history[1])
    terminal.wait(r"LAST REFUSALS(?s:.*)impossible")
    assert termios.tcgetattr(terminal.terminal)[3] & termios.ECHO == 0
    terminal.type("\x03")
    assert terminal.process.wait(60) == 0
    terminal.wait(r"\x1b\[\?25h\x1b\[\?1049l$")
    assert termios.tcgetattr(terminal.terminal) == terminal.before


def test_watch_follows_the_size_of_the_window(terminal, history):
    terminal.wait(r"PLUGIN +STATE +POLICY")
    terminal.resize(20, 10)
    drawn = terminal.wait(r"\x1b\[H((?:[^\x1b]*\x1b\[K[\r\n]*)*PLUGIN: batch(?:[^\x1b]*\x1b\[K[\r\n]*)*)\x1b\[J")[1]
    lines = re.sub(r"\x1b\[K", "", drawn).replace("\r", "").split("\n")
    assert len(lines) <= 10 and max(map(len, lines)) <= 20, lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_however_watch_is_ended_the_terminal_is_restored(terminal, number):
    terminal.wait(r"calls/s")
    terminal.process.send_signal(number)
    assert terminal.process.wait(60) == 0
    terminal.wait(r"\x1b\[\?25h\x1b\[\?1049l")
    assert termios.tcgetattr(terminal.terminal) == terminal.before


def test_a_daemon_that_ends_ends_watch_with_a_reason(terminal, manager):
    terminal.wait(r"calls/s")
    manager.terminate()
    assert terminal.process.wait(60) == UNAVAILABLE
    terminal.wait(r"\x1b\[\?1049l(?s:.*)runtime-manager: .*admin.sock")
