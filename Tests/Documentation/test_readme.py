"""What README.md says is what the program does."""

import json
import os
import re
import subprocess
import sys

import grpc
import pytest

from Peers import messages
from Peers.manager import run_once
from Peers.recorder import Recorder
from Peers.wait import eventually, listens

from .readme import README, ROOT, blocks, code, constants, quantity, rows, source, sources


def help_of_serve():
    exit_code, out, _ = run_once("serve", "--help")
    assert exit_code == 0
    return re.sub(r"\s+", " ", out[out.index("OPTIONS:"):])


def options():
    """Flag and default as `serve --help` shows them; no default is None."""
    found = {}
    for entry in re.split(r" (?=--\w)", help_of_serve())[1:]:
        flag = entry.split()[0]
        default = re.search(r"default: ([^)]+)\)", entry)
        found[flag] = default[1] if default else None
    return {flag: default for flag, default in found.items() if flag not in ("--help", "--version")}


def commands():
    """The subcommands, as `--help` shows them."""
    exit_code, out, _ = run_once("--help")
    assert exit_code == 0
    return re.findall(r"^  ([a-z-]+) ", out[out.index("SUBCOMMANDS:"):], re.M)


def all_flags():
    """Those of every command."""
    return {flag for command in commands() for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", run_once(command, "--help")[1])}


def hook_points():
    return re.findall(r'case \w+ = "(\w+)"', source("HookPoint.swift"))


def test_every_flag_and_its_default_is_in_the_table_and_nothing_else():
    documented = {code(flag)[0]: (code(default) or [None])[0] for flag, default, _ in rows(["flag", "default"])}
    assert documented == options()


def test_flags_named_anywhere_exist():
    elsewhere = {"--help", "--overwrite", "--now", "--container-runtime-endpoint", "--image-service-endpoint",
                 "--unix-socket", "--proto_path", "--python_out"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z_-]+", README)) - elsewhere <= all_flags()


def test_every_command_is_named():
    for command in commands():
        assert f"`runtime-manager {command}" in README, command


def test_exit_codes_are_those_of_the_program(place):
    documented = [cells[0] for cells in rows(["exit code"])]
    codes = re.findall(r"ExitCode\((\d+)\)", source("ExitCode+Meaning.swift"))
    assert documented == ["0", *codes]
    assert run_once("--help")[0] == 0
    assert run_once("serve", "--no-such-flag")[0] == 64
    open(f"{place}/file", "w").close()
    assert run_once("serve", "--listen", f"{place}/file/rm.sock")[0] == 69


def test_every_key_and_its_default_is_in_the_table_and_nothing_else():
    keys = re.search(r"enum Key: String.*?\{(.*?)\}", source("RegistrationFile.swift"), re.S)[1]
    names = [quoted or bare for bare, quoted in re.findall(r'case (\w+)(?: = "([^"]+)")?', keys)]
    documented = {code(key)[0]: default for key, default, _ in rows(["key", "default"])}
    assert list(documented) == names
    assert code(documented["timeout"]) == [f"{constants()['Registration.defaultTimeout']:g}s"]
    assert code(documented["failure-policy"]) == ["Ignore"]


def test_every_hook_point_is_in_the_table_and_nothing_else():
    assert sorted(code(cells[0])[0] for cells in rows(["hook point"])) == sorted(hook_points())
    for name in re.findall(r"\b(?:Pre|Post)[A-Z]\w+(?![\w*])", README):
        assert name.removesuffix("Hook") in [*hook_points(), "PreRemoveRunPodSandbox"], name


def test_each_hooked_and_observed_call_is_named():
    verbs = re.findall(r'case \w+ = "(\w+)"', source("Verb.swift"))
    table = [cells for cells in rows(["calls", "what happens"])]
    observed, hooked = table[1][0], table[2][0]
    for verb in verbs:
        assert verb in observed or verb in hooked, verb


def test_each_limit_is_the_constant_of_the_sources():
    known = constants()
    documented = {code(name)[0]: quantity(value) for _, value, name in rows(["limit", "value"])}
    assert documented == {name: known.get(name) for name in documented}


def test_every_limit_of_the_server_is_in_the_table():
    documented = {code(name)[0] for _, _, name in rows(["limit", "value"])}
    assert {name for name in constants() if name.startswith("ServerLimits.")} <= documented


def test_every_route_is_in_the_table_and_nothing_else():
    documented = [code(route)[0] for route, _ in rows(["route"])]
    routes = re.findall(r'AdminRoute\(\.([A-Z]+), "([^"]+)"\)', source("RouteTable+Daemon.swift"))
    assert documented == [f"{method} {path}" for method, path in routes]


def test_every_limit_of_the_admin_side_is_in_the_table():
    documented = {code(name)[0] for _, _, name in rows(["limit", "value"])}
    assert {name for name in constants() if name.startswith("AdminLimits.")} <= documented


def metrics():
    """Name, type and labels of each family in MetricTable.swift, in its order."""
    families = re.findall(
        r'MetricFamily\(\s*"(\w+)", \.(\w+)[^"]*?(?:labels: \[([^]]*)\])?,\s*"', source("MetricTable.swift"))
    return [(name, kind, re.findall(r"\w+", labels)) for name, kind, labels in families]


def test_every_metric_is_in_the_table_and_nothing_else():
    documented = [(code(name)[0], kind, code(labels)) for name, kind, labels, _ in rows(["metric", "type"])]
    assert documented == metrics()
    assert len(documented) == source("MetricTable.swift").count("= MetricFamily(")


def test_every_outcome_of_a_hook_call_is_in_the_table():
    documented = [name for cells in rows(["outcome", "what came"]) for name in code(cells[0])]
    names = [quoted or name for line in re.findall(r"case (.+)", source("Outcome.swift"))
             for name, quoted in re.findall(r'(\w+)(?: = "(\w+)")?', line)]
    assert sorted(documented) == sorted(names)


def test_every_cause_of_failure_is_in_the_table():
    documented = " ".join(code(cells[0])[0] for cells in rows(["cause"]))
    texts = source("HookFailure+Text.swift").split("package var description: String")[1]
    for text in re.findall(r'"((?:[^"\\]|\\\([^)]*\)+|\\.)*)"', texts):
        words = max(re.split(r"\\\([^)]*\)+", text), key=len).strip().split(";")[0]
        if re.search(r"[a-z]{4}", words):
            assert words in documented, text


def test_each_log_line_in_the_table_is_in_the_sources():
    # A name in a line, such as a plugin's, is one of the documentation's.
    everything = re.sub(r"\\\([^)]*\)+", "*", "\n".join(sources().values()))
    for cells in rows(["log line"]):
        for text in code(cells[0]):
            text = re.sub(r"\bbatch\b", "*", text).replace("PreCreateContainer", "*")
            text = text.replace("hook server *: *:", "hook server *")
            assert text in everything, text


def test_each_make_target_named_exists_and_each_target_has_a_line_of_help():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    commands = [line for text in [*blocks("sh"), *code(README)] for line in text.splitlines()]
    named = {match[1] for line in commands if (match := re.search(r"(?:^|[ =])make ([a-z-]+)", line))}
    assert {"run", "test", "deb", "bench", "check"} <= named <= targets
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+) ", shown, re.M)) == targets


def test_each_file_that_is_linked_or_named_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in ["Protos/generate", ".ci/run", "Sources/runtime-manager/Commands/Serve.swift"]:
        assert (ROOT / path).exists(), path


def test_each_anchor_is_a_heading():
    headings = {re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in README.splitlines() if line.startswith("#")}
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        assert anchor in headings, anchor


def test_the_sample_registration_is_taken_without_a_warning(runtime, start_manager, hook_dir):
    (text,) = blocks("json")
    with open(os.path.join(hook_dir, "batch.json"), "w") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    line = start_manager(runtime).wait_log("plugin batch: registered:")
    assert f'"{json.loads(text)["remote-endpoint"]}", Ignore, [PreCreateContainer]' in line
    assert " info " in line


@pytest.fixture
def sample_plugin(place):
    """The plugin of README.md as a process, given as its socket."""
    (program,) = blocks("python")
    path, socket = os.path.join(place, "plugin.py"), os.path.join(place, "batch.sock")
    with open(path, "w") as file:
        file.write(program)
    generated = os.path.dirname(messages.hook.__file__)
    process = subprocess.Popen([sys.executable, path, socket], env={**os.environ, "PYTHONPATH": generated})
    eventually(lambda: listens(socket), what="the plugin of README.md serves its socket")
    yield socket
    process.terminate()
    process.wait()


@pytest.mark.parametrize("label, shares", [("batch", 128), ("other", 0)])
def test_the_sample_plugin_does_what_it_says(sample_plugin, label, shares):
    with grpc.insecure_channel(f"unix:{sample_plugin}") as channel:
        ask = channel.unary_unary(
            "/runtime.v1alpha1.RuntimeHookService/PreCreateContainerHook",
            request_serializer=messages.hook.ContainerResourceHookRequest.SerializeToString,
            response_deserializer=messages.hook.ContainerResourceHookResponse.FromString)
        answer = ask(messages.hook.ContainerResourceHookRequest(pod_labels={"example.com/class": label}), timeout=10,
            # Its socket may be there a moment before it listens.
            wait_for_ready=True)
    assert answer.container_resources.cpu_shares == shares
