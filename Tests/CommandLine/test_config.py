"""Where settings come from, and that a wrong one is one line before anything is bound."""

import json
import os
import stat
import subprocess

import grpc
import pytest

from Peers.cri import Life, Runtime
from Peers.manager import BINARY

from .program import environment, lines_fit, refused, run, run_in_terminal


@pytest.fixture
def config(place):
    """Writes the configuration file; gives its path."""
    path = os.path.join(place, "config.yaml")

    def write(text, mode=0o644):
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    return write


def settings(*arguments, **variables):
    """What `config --output json` says, by name."""
    code, out, err = run("config", "--output", "json", *arguments, **variables)
    assert (code, err) == (0, ""), err
    return {setting["name"]: setting for setting in json.loads(out)["settings"]}


def test_flag_over_environment_over_file_over_default(config):
    path = config("log-level: error\nhook-dir: /file\nlog-format: json\n")
    found = settings("--config", path, "--log-level=trace", RUNTIME_MANAGER_LOG_LEVEL="debug",
                     RUNTIME_MANAGER_HOOK_DIR="/environment")
    assert (found["log-level"]["value"], found["log-level"]["source"]) == ("trace", "flag")
    assert (found["hook-dir"]["value"], found["hook-dir"]["source"]) == ("/environment", "environment")
    assert found["log-format"] == {"name": "log-format", "variable": "RUNTIME_MANAGER_LOG_FORMAT", "value": "json",
                                   "source": "file", "file": path, "line": 3}
    assert found["skip-label"]["source"] == "default"


def test_every_setting_can_be_said_in_each_way(config):
    """What `config` prints is a file that says the same, and an environment that says the same."""
    values = {name: setting["value"] for name, setting in settings().items() if "value" in setting}
    path = config("".join(f"{name}: {json.dumps(value) if value not in ('true', 'false') else value}\n"
                          for name, value in values.items()))
    assert {name: s.get("value") for name, s in settings("--config", path).items() if s["source"] == "file"} == values
    variables = {setting["variable"]: setting["value"] for setting in settings().values() if "value" in setting}
    assert {name: s.get("value") for name, s in settings(**variables).items() if s["source"] == "environment"} == values


def test_the_daemon_is_set_up_by_the_file(config, place, start_manager, runtime):
    hooks = os.path.join(place, "elsewhere.d")
    os.makedirs(hooks, 0o755)
    path = config(f"log-format: json\nhook-dir: {hooks}\nlisten: {place}/other.sock\n")
    manager = start_manager(runtime, flags=["--config", path])
    # Its own flags win.
    assert os.path.exists(manager.listen) and not os.path.exists(f"{place}/other.sock")
    assert json.loads(manager.wait_log("the runtime answers"))["level"] == "info"


def test_a_file_that_is_named_must_be_there(place):
    line = refused("serve", "--config", f"{place}/none.yaml", code=78)
    assert line == f"{place}/none.yaml: there is no such file"
    assert refused("config", code=78, RUNTIME_MANAGER_CONFIG=f"{place}/none.yaml") == line


@pytest.mark.parametrize("text, told", [
    ("log-level: info\nlog-levle: debug\n", ':2: "log-levle": there is no such setting; did you mean log-level?'),
    ("hook-dir: hooks.d\n", ":1: hook-dir: The value 'hooks.d' is invalid"),
    ("listen: [/a]\n", ":1: listen: one value is meant"),
    ("allow-core-dumps: 1\n", ":1: allow-core-dumps: true or false is meant"),
    ("- listen\n", ":1: is no mapping"),
    ("listen: /a\n  x: y\n", ":2: is not YAML: mapping values are not allowed in this context"),
])
def test_what_is_wrong_with_the_file_is_one_line(config, place, text, told):
    path = config(text)
    line = refused("serve", "--config", path, "--listen", f"{place}/rm.sock", code=78)
    assert line.startswith(path + told), line
    assert not os.path.exists(f"{place}/rm.sock") and not os.path.exists(f"{place}/rm.sock.lock")


def test_who_may_write_the_file_may_say_what_is_done(config, place):
    path = config("", mode=0o664)
    assert refused("serve", "--config", path, code=78).startswith(f"{path}: group or others may write here (mode 0664)")
    config("")
    os.chown(path, 4321, 0)
    assert refused("serve", "--config", path, code=78) == f"{path}: belongs to user 4321; root must own it"
    assert refused("serve", "--config", place, code=78) == f"{place}: is not a regular file"


def test_a_file_that_may_not_be_read_is_told(config, place):
    path = config("", mode=0o600)
    os.chmod(place, 0o755)
    done = subprocess.run(["setpriv", "--reuid=4321", "--clear-groups", BINARY, "config", "--config", path],
                          capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == f"runtime-manager: {path}: open: Permission denied\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_wrong_variable_is_named():
    line = refused("serve", code=78, RUNTIME_MANAGER_LOG_LEVEL="loud")
    assert line.startswith("RUNTIME_MANAGER_LOG_LEVEL: The value 'loud' is invalid"), line


def test_a_misspelled_variable_is_told():
    code, out, _ = run("config", RUNTIME_MANAGER_LISTNE="/run/x.sock")
    assert code == 0 and out.splitlines()[-1] == "RUNTIME_MANAGER_LISTNE: there is no such setting"
    assert json.loads(run("config", "--output", "json", RUNTIME_MANAGER_LISTNE="")[1])["unknownVariables"] == [
        "RUNTIME_MANAGER_LISTNE"]


def test_one_socket_cannot_be_both_ends(config):
    path = config("runtime-endpoint: /run/a.sock\n")
    line = refused("serve", "--config", path, "--listen", "unix:///run/a.sock", code=64)
    assert "--listen and the runtime's endpoint are the same socket: /run/a.sock" in line


@pytest.mark.parametrize("arguments", [
    ("config", "--output", "xml"), ("config", "--no-such-flag"), ("serve", "--hook-dir", "relative"), ("serve", "extra"),
    ("no-such-command",), ("serve", "--listen"), ("serve", "--never-fail-namespaces", "A_B"), ("check", "--dail"),
])
def test_a_wrong_command_line_is_one_line(arguments):
    assert "(see runtime-manager --help)" in refused(*arguments, code=64)


def test_the_table_fits_terminals_of_any_width():
    _, wide, _ = run("config")
    assert wide.splitlines()[0].split() == ["SETTING", "VALUE", "FROM"]
    assert "\x1b" not in wide
    for columns in (20, 33, 60, 100):
        code, out, _ = run("config", COLUMNS=str(columns))
        assert code == 0
        lines_fit(out, columns)
    assert "never-fail-namespaces" in run("config", COLUMNS="100")[1]


def test_colour_is_for_terminals_that_want_it():
    assert "\x1b[" in run_in_terminal("config")[1]
    assert "\x1b" not in run_in_terminal("config", NO_COLOR="1")[1]
    assert "\x1b" not in run_in_terminal("config", TERM="dumb")[1]
    _, narrow = run_in_terminal("config", columns=24, NO_COLOR="1")
    lines_fit(narrow, 24)


def test_json_is_the_same_bytes_each_time_and_its_keys_are_sorted():
    first, second = run("config", "--output", "json")[1], run("config", "--output", "json")[1]
    assert first == second

    def in_order(pairs):
        names = [name for name, _ in pairs]
        assert names == sorted(names)
        return dict(pairs)

    assert json.loads(first, object_pairs_hook=in_order)["settings"]


# The log


def test_the_log_as_json(start_manager, runtime, start_plugin, place):
    """Each line is one object, whatever happens."""
    start_plugin("p", ["PreRunPodSandbox"], policy="Fail", start=False)
    manager = start_manager(runtime, flags=["--log-format", "json", "--log-level", "trace"])
    with Runtime(manager.listen) as kubelet, pytest.raises(grpc.RpcError):
        Life(kubelet).pod()
    manager.wait_log('"verdict":"refused"')
    ended = json.loads(manager.wait_log("RunPodSandbox ended with"))
    manager.stop()
    lines = [json.loads(line) for line in manager.lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert ended["level"] == "debug"
    assert ended["message"].startswith("RunPodSandbox ended with UNAVAILABLE after ")
    assert ended["metadata"]["plugins"] == ["p PreRunPodSandbox refused"]
    (refusal,) = [line for line in lines if line.get("metadata", {}).get("verdict") == "refused"]
    assert refusal["level"] == "error" and refusal["metadata"]["pod"] == ended["metadata"]["pod"]
