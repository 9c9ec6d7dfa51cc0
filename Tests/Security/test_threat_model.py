"""docs/threat-model.md has every door, it and docs/proof/security.md name tests that exist, and every test here is named."""

import re

import pytest

from Documentation.readme import ROOT, code, rows, sources
from Documentation.test_readme import commands, options
from Peers.manager import run_once

MODEL, PROOF = ROOT / "docs" / "threat-model.md", ROOT / "docs" / "proof" / "security.md"


def names_in(folder):
    return {name for path in folder.rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}


def named_in(path):
    return set(re.findall(r"`(test_\w+)`", path.read_text()))


@pytest.mark.parametrize("path", [MODEL, PROOF], ids=lambda path: path.name)
def test_each_test_that_is_named_exists(path):
    assert named_in(path)
    assert named_in(path) - names_in(ROOT / "Tests") == set()


def test_each_promise_names_a_test():
    rows = [line for line in MODEL.read_text().splitlines() if line.startswith("| ") and line.count("|") == 3]
    promises = [row for row in rows if not row.startswith("| promise")]
    assert len(promises) > 20
    assert [row for row in promises if not re.search(r"`test_\w+`", row)] == []


def test_each_test_of_security_shows_something_in_the_results():
    mine = names_in(ROOT / "Tests" / "Security") - own_names()
    assert mine - named_in(PROOF) == set()


def own_names():
    return set(re.findall(r"^def (test_\w+)", open(__file__).read(), re.M))


def test_swift_suites_that_are_named_exist():
    suites = {path.stem for path in (ROOT / "Tests").rglob("*Tests.swift")}
    assert set(re.findall(r"`(\w+Tests)`", MODEL.read_text() + PROOF.read_text())) <= suites


# The doors


def doors():
    """The part of the page with the table of them."""
    return MODEL.read_text().split("\n## Who can reach what\n")[1].split("\n## ")[0]


def named_doors():
    return set(re.findall(r"`([^`]+)`", doors()))


#: What the help calls the values of flags and arguments: those that something is opened by, and those that are only words.
OPENED = {"file", "socket", "directory", "path", "port", "manifest"}
WORDS = {"key=value", "names", "level", "format", "driver", "quantity", "seconds", "container|pod", "name", "options", "subcommand"}


def test_every_flag_that_opens_something_is_at_a_door():
    known = named_doors()
    for command in ["", *commands()]:
        usage = re.search(r"USAGE: (.*?)\n\n", run_once(*command.split(), "--help")[1], re.S)[1]
        taken = re.findall(r"(?:(--[\w-]+) )?<([^>]+)>", usage)
        assert {kind for _, kind in taken} <= OPENED | WORDS, "a kind of value that nobody has thought about"
        for flag, kind in taken:
            assert kind in WORDS or (flag or command) in known, f"{command} {flag} <{kind}>"


def test_the_flag_that_opens_the_memory_is_at_a_door():
    assert "--allow-core-dumps" in named_doors()


def test_every_key_of_a_registration_that_leads_to_a_socket_is_at_a_door():
    keys = [code(key)[0] for key, _, meaning in rows(["key", "default"]) if re.search(r"\b(socket|path|port)\b", meaning)]
    assert "remote-endpoint" in keys
    assert set(keys) - named_doors() == set()


def swift():
    """Path and code of each hand-written source, without comments."""
    found = {path: re.sub(r"^\s*//.*", "", text, flags=re.M) for path, text in sources().items()}
    return found | {path: path.read_text() for path in (ROOT / "Sources").rglob("*.c")}


#: Where a system call, or what NIO and Foundation make of it, opens something, starts or ends a process, or lets one in.
OPENING = re.compile(
    r"\b(?:socket\(AF_|socketpair\(|(?:Server|Client|Pipe|Datagram|Raw)\w*Bootstrap\(|(?<!OpenFile\.)open(?:at)?\([^)]*O_|fopen\(|opendir\("
    r"|contentsOf(?:Directory|File)|contentsOf:.*URL|inotify_init|getenv\(|secure_getenv\(|environ\b|ProcessInfo|posix_spawn|Subprocess\.run|exec[lv]p?e?\(|fork\("
    r"|system\(|popen\(|kill\(|UnixSignalsSequence\(|sigaction\(|prctl\(|mkfifo\(|shm_open\(|FileHandle|URLSession)")


def test_every_source_that_opens_something_is_at_a_door():
    opening = {path.stem for path, text in swift().items() if OPENING.search(text)}
    assert len(opening) > 20
    assert opening - named_doors() == set()


def test_every_source_at_a_door_is_there():
    files = {path.stem for path in swift()}
    named = {name for row in doors().splitlines() if row.startswith("| ") for name in re.findall(r"`([A-Z]\w+[a-z](?:\+\w+)?)`", row)}
    assert named <= files


def test_every_variable_that_is_read_is_at_a_door():
    text = "\n".join(swift().values())
    read = set(re.findall(r'(?:getenv|value|environment)\("([A-Z_]+)"\)|[vV]ariable = "([A-Z_]+)"', text))
    read = {one or other for one, other in read}
    assert {"NOTIFY_SOCKET", "RUNTIME_MANAGER_CONFIG"} <= read
    assert read - named_doors() == set()


#: What kubelet says of every container, and simulate with it: only words.
SAID = {"/dev/termination-log"}


def test_every_file_that_the_sources_know_is_at_a_door():
    text = "\n".join(swift().values())
    paths = set(re.findall(r'(?<!\\)"(?:unix://)?(/(?:etc|run|proc|var|sys|dev|usr|tmp|root|home)\b[^"\\]*)', text))
    assert {"/etc/runtime-manager/config.yaml", "/proc/self/exe"} <= paths
    # The default of a flag is at the flag's door.
    known = named_doors() | set(filter(None, options().values()))
    directories = tuple(name for name in known if name.startswith("/") and name.endswith("/"))
    assert [path for path in sorted(paths - known - SAID) if not f"{path}/".startswith(directories)] == []
    beside = set(re.findall(r'path \+ "(\.\w+)"', text))
    assert beside and beside <= {name.removeprefix("<listen>") for name in known if name.startswith("<listen>")}


def test_every_door_has_a_promise_with_a_test_or_leads_to_some():
    rows = [line for line in doors().splitlines() if line.startswith("| ") and not line.startswith("| door |")]
    assert len(rows) > 10
    assert [row for row in rows if not re.search(r"`test_\w+`|\(#", row.split(" | ")[3])] == []
