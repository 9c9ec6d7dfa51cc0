"""Registration files are judged as the daemon judges them, with line and key, before they are on a node."""

import json
import os
import subprocess

import pytest

from Peers.recorder import Recorder
from Peers.wait import eventually, listens

from .program import lines_fit, refused, run


@pytest.fixture
def write(hook_dir):
    def write(name, text, mode=0o644):
        path = os.path.join(hook_dir, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    return write


GOOD = '{"remote-endpoint": "/run/a.sock", "runtime-hooks": ["PreStartContainer"]}'


def test_good_files_are_counted(write, hook_dir):
    write("a.json", GOOD)
    write("b.json", GOOD)
    write("ignored.txt", "{")
    assert run("check", hook_dir) == (0, "2 files, 0 errors, 0 warnings\n", "")


def test_each_error_has_file_line_key_and_what_is_meant(write, hook_dir):
    path = write("a.json", '{\n "remote-endpoint": "run/a",\n "failure-policy": "fail",\n "timeout": 5,\n'
                           ' "runtime-hooks": ["PreStartContainer"]\n}')
    code, out, err = run("check", hook_dir)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f'{path}:2: error: remote-endpoint: "run/a" is not an absolute path; "/run/plugin.sock" or'
        ' "unix:///run/plugin.sock" is meant',
        f'{path}:3: error: failure-policy: "fail" is unknown; "Fail" or "Ignore" is meant',
        f'{path}:4: error: timeout: a string such as "500ms" or "2s" is meant',
        "1 file, 3 errors, 0 warnings",
    ]


def test_warnings_alone_are_no_errors(write, hook_dir):
    path = write("a.json", '{"remote-endpoint": "/a",\n"runtime-hooks": ["PreRunPodSandBox", "PreStartContainer"],\n'
                           '"time-out": "1s",\n"remote-endpoint": "/b"}')
    code, out, _ = run("check", hook_dir)
    assert code == 0
    assert out.splitlines() == [
        f'{path}:2: warning: runtime-hooks: "PreRunPodSandBox" is no hook point; did you mean PreRunPodSandbox?',
        f"{path}:3: warning: time-out: unknown key; did you mean timeout?",
        f"{path}:4: warning: remote-endpoint: is there before; its first value counts",
        "1 file, 0 errors, 3 warnings",
    ]


@pytest.mark.parametrize("text, told", [
    ('{"remote-endpoint":\n "/run', ":2: error: ends too early, at column 7; written only in part?"),
    ('{"remote-endpoint": "/a"\n "uid": 1}', ":2: error: is not valid JSON: at column 2, a comma or } is meant"),
    ("", ": error: is empty; a JSON object is meant"), ("[]", ": error: is not a JSON object"),
    ('{"remote-endpoint": "/%s", "runtime-hooks": ["PreStartContainer"]}' % ("x" * 107),
     ":1: error: remote-endpoint: the path has 108 bytes; a socket's path has at most 107"),
])
def test_what_is_no_registration_is_told_with_its_place(write, text, told):
    path = write("a.json", text)
    assert run("check", path)[:2] == (1, f"{path}{told}\n1 file, 1 error, 0 warnings\n")


def test_who_may_write_counts(write, hook_dir):
    path = write("a.json", GOOD, mode=0o666)
    assert f"{path}: error: group or others may write here (mode 0666)" in run("check", hook_dir)[1]
    os.chmod(hook_dir, 0o777)
    code, out, _ = run("check", hook_dir)
    assert code == 1 and out.startswith(f"{hook_dir}: error: group or others may write here (mode 0777)"), out


def test_one_file_may_have_any_name_but_it_is_told(write):
    path = write("a.json.new", GOOD)
    assert run("check", path)[:2] == (
        0, f"{path}: warning: is ignored under this name; NAME.json is meant\n1 file, 0 errors, 1 warning\n")


def test_without_a_path_it_is_the_directory_of_the_daemon(write, hook_dir):
    write("a.json", "{}")
    assert run("check", RUNTIME_MANAGER_HOOK_DIR=hook_dir)[0] == 1


def test_what_is_not_there_is_told(place):
    assert refused("check", f"{place}/none", code=66) == f"{place}/none: No such file or directory"


def test_the_document(write):
    path = write("a.json", '{"remote-endpoint": 1}')
    code, out, _ = run("check", path, "--output", "json")
    document = json.loads(out)
    assert code == 1
    assert (document["errors"], document["warnings"]) == (1, 1)
    finding = next(f for f in document["files"][0]["findings"] if f["severity"] == "error")
    assert finding == {"severity": "error", "line": 1, "key": "remote-endpoint",
                       "problem": "a string, the absolute path of a unix socket is meant"}


def test_findings_fit_a_narrow_terminal(write, hook_dir):
    write("a.json", '{"remote-endpoint": "a", "x": 1}')
    code, out, _ = run("check", hook_dir, COLUMNS="20")
    assert code == 1
    lines_fit(out, 20)


def test_a_file_cannot_drive_the_terminal(write, hook_dir):
    write("a\x1b[2J.json", '{"remote-endpoint": "a", "\\u001b]0;x": 1}')
    assert "\x1b" not in run("check", hook_dir)[1]


# --dial


def test_a_plugin_that_serves_is_fine(start_plugin, hook_dir):
    start_plugin("p", ["PreStartContainer"])
    assert run("check", "--dial", hook_dir)[:2] == (0, "1 file, 0 errors, 0 warnings\n")


def test_a_plugin_that_is_not_there_is_an_error(write, hook_dir, place):
    path = write("a.json", json.dumps({"remote-endpoint": f"{place}/none.sock", "runtime-hooks": ["PreStartContainer"]}))
    code, out, _ = run("check", "--dial", hook_dir)
    assert code == 1
    assert f"{path}: error: remote-endpoint: unix://{place}/none.sock: No such file or directory" in out


def test_what_is_no_grpc_server_is_an_error(write, hook_dir, place):
    write("a.json", json.dumps({"remote-endpoint": f"{place}/old.sock", "runtime-hooks": ["PreStartContainer"]}))
    server = subprocess.Popen(["socat", f"UNIX-LISTEN:{place}/old.sock,fork", "SYSTEM:echo HTTP/1.1 400 Bad Request"])
    try:
        eventually(lambda: listens(f"{place}/old.sock"), what="socat listens")
        code, out, _ = run("check", "--dial", hook_dir)
    finally:
        server.terminate()
        server.wait()
    assert code == 1 and "what answers is no gRPC server" in out, out


def test_a_socket_of_another_user_is_an_error(hook_dir, place):
    plugin = Recorder(os.path.join(place, "p.sock"), start=False)
    plugin.register(hook_dir, "p", hooks=["PreStartContainer"])
    os.chmod(place, 0o777)
    server = subprocess.Popen(["setpriv", "--reuid=4321", "--clear-groups", "socat",
                               f"UNIX-LISTEN:{place}/p.sock,fork,mode=777", "EXEC:cat"])
    try:
        eventually(lambda: listens(f"{place}/p.sock"), what="socat listens")
        code, out, _ = run("check", "--dial", hook_dir)
    finally:
        server.terminate()
        server.wait()
    assert code == 1
    assert 'the socket belongs to uid 4321; if that is right, set "uid": 4321 in the file' in out
