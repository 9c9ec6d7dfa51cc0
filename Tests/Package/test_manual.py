"""The man page says what `--help` says, and man has nothing to complain of."""

import re
import subprocess

import pytest

from Documentation.readme import rows

from . import debian


@pytest.fixture(scope="module")
def page(tree):
    """The page as man shows it on a wide terminal, blanks made one."""
    shown = debian.output(
        "man", "--local-file", tree / "usr/share/man/man8/runtime-manager.8.gz",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MANROFFOPT": "-c", "MAN_KEEP_FORMATTING": ""})
    return re.sub(r"[ \t]+", " ", re.sub(r".\x08", "", shown))


def helped(binary, *command):
    """The words of `--help`, unwrapped."""
    return re.sub(r"\s+", " ", debian.output(binary, *command, "--help"))


def commands(binary, *above):
    """Each command as the words that call it, as `--help` lists them."""
    text = debian.output(binary, *above, "--help")
    listed = re.search(r"^SUBCOMMANDS:\n(.*?)(?:\n\n|\Z)", text, re.M | re.S)
    for name in re.findall(r"^  ([a-z][a-z-]*)\b", listed[1] if listed else "", re.M):
        yield (*above, name)
        yield from commands(binary, *above, name)


def test_man_reads_it_without_a_warning(tree):
    done = subprocess.run(
        ["man", "--warnings", "-l", "-E", "UTF-8", "-Tutf8", "-Z", str(tree / "usr/share/man/man8/runtime-manager.8.gz")],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_and_every_flag_is_there(binary, page):
    found = list(commands(binary))
    assert ("serve",) in found
    for command in found:
        assert f"\n {' '.join(command)}\n" in page, command
        section = page.split(f"\n {' '.join(command)}\n")[1]
        text = helped(binary, *command)
        for flag in re.findall(r"(?<=[ ,])--[a-z][a-z-]+", text.split("OPTIONS:")[1] if "OPTIONS:" in text else ""):
            assert flag in ("--help", "--version") or re.search(rf"(?<![\w-]){flag}(?![\w-])", section), (command, flag)


def test_every_default_is_there(binary, page):
    flat = re.sub(r"\s+", " ", page)
    for command in commands(binary):
        for default in re.findall(r"default: ([^)]+)\)", helped(binary, *command)):
            assert f"efault: {default}" in flat, (command, default)


def test_the_exit_codes_are_those_of_the_readme(page):
    section = page.split("\nEXIT STATUS\n")[1].split("\nENVIRONMENT\n")[0]
    assert re.findall(r"^ (\d+) ", section, re.M) == [cells[0] for cells in rows(["exit code"])]


def test_the_files_it_names_are_those_of_the_package(tree, page):
    for path in re.findall(r"(?<=\s)/(?:etc/runtime-manager|lib|usr)/[\w./-]*\w", page):
        assert (tree / path.lstrip("/")).exists(), path
