"""`make prove` runs every part, whatever comes of the others, and says so. Its parts are stand-ins here."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from Peers.wait import eventually

from .readme import ROOT

PARTS = ["test", "model", "fuzz", "asan", "tsan", "bench", "scale", "isolation", "flood", "soak"]
MAKE = """#!/bin/bash
printf '%s\\n' "$*" >>made
for target in "$@"; do
  [ ! -e "said/$target" ] || cat "said/$target"
  [ ! -e "deaf/$target" ] || trap '' INT
  [ ! -e "hangs/$target" ] || { echo $$ >"hangs/$target"; exec tail -f /dev/null; }
  [ ! -e "fails/$target" ] || exit 1
done
"""


class Tree:
    """A checkout in which `make`, `swift` and the scripts do as the test says."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for folder in ("Tests/Fuzz/Corpus/target", "Tests/Faults", "Tests/Bench", "bin", "said", "fails", "hangs", "deaf"):
            (self.path / folder).mkdir(parents=True)
        shutil.copy(ROOT / "Tests" / "prove", self.path / "Tests")
        for script in ("Tests/Faults/isolation.py", "Tests/Bench/admin_flood.py"):
            (self.path / script).touch()
        for name, text in {"bin/make": MAKE, "bin/swift": "#!/bin/bash\n", "Tests/Fuzz/seeds": "#!/bin/bash\n"}.items():
            (self.path / name).write_text(text)
            (self.path / name).chmod(0o755)

    def start(self, *parts, **environment):
        path = f"{self.path}/bin:{os.environ['PATH']}"
        return subprocess.Popen([self.path / "Tests" / "prove", *parts], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True,
                                env={**os.environ, "SCALE": "", "PATH": path, **environment})

    def run(self, *parts, **environment):
        """The exit code, and all lines."""
        process = self.start(*parts, **environment)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out.splitlines()

    def say(self, target, text):
        (self.path / "said" / target).write_text(text)


@pytest.fixture
def tree(place):
    return Tree(f"{place}/tree")


def ctrl_c(process):
    """As a terminal does it: to the whole group that is in front."""
    os.killpg(process.pid, signal.SIGINT)


def rows(lines):
    """Part and result of each row."""
    return [tuple(line.split()[1:3]) for line in lines if line[2:3] == ":"]


def test_every_part_runs_in_order(tree):
    code, lines = tree.run()
    assert (code, rows(lines)) == (0, [(part, "ok") for part in PARTS])
    assert lines[-1] == "every part has passed, and every goal holds"
    assert (tree.path / ".build/prove/summary").read_text().splitlines() == lines


def test_a_part_that_fails_keeps_no_other_from_running(tree):
    tree.say("test-asan", "what it said last\n")
    (tree.path / "fails" / "test-asan").touch()
    code, lines = tree.run()
    assert (code, rows(lines)) == (1, [(part, "FAILED" if part == "asan" else "ok") for part in PARTS])
    assert lines[-3:] == ["== the end of .build/prove/asan.log", "what it said last", "FAILED: asan"]


def test_what_a_part_says_is_told_in_its_row(tree):
    tree.say("test", "✔ Test run with 671 tests in 100 suites passed after 65.911 seconds.\n"
             "======= 1537 passed in 706.32s (0:11:46) =======\n")
    tree.say("test-tsan", "=== 3 passed in 1.00s ===\nthread: nothing reported\n")
    _, lines = tree.run("test", "tsan")
    assert rows(lines) == [("test", "ok"), ("tsan", "ok")]
    assert [line.split("min  ")[1] for line in lines if "min" in line] == [
        "671 tests in Swift, 1537 passed in pytest", "3 passed in pytest, nothing reported"]


def test_a_skipped_test_fails_its_part(tree):
    tree.say("test", "======= 1500 passed, 37 skipped in 706.32s (0:11:46) =======\n")
    tree.say("test-asan", "➜ Test ofAnotherUser() skipped: \"only root may\"\n✔ Test run with 2 tests in 1 suite passed after 1 s.\n")
    tree.say("test-tsan", "=== 1 failed, 2 skipped in 1.00s ===\n")
    (tree.path / "fails" / "test-tsan").touch()
    code, lines = tree.run("test", "asan", "tsan")
    assert (code, rows(lines)) == (1, [("test", "SKIPPED"), ("asan", "SKIPPED"), ("tsan", "FAILED")])


def test_a_goal_that_is_missed_is_said_last(tree):
    tree.say("bench", "1 in flight    at most 1.70   2.28  1.29..2.95  MISSED\n16 MiB   at most 2.00  1.81  1.44..2  holds\n")
    code, lines = tree.run("bench")
    assert (code, rows(lines)) == (0, [("bench", "ok")])
    assert "1 goals hold, 1 MISSED" in "\n".join(lines)
    assert "missed" in lines[-1]


def test_what_is_measured_is_recorded_when_that_is_asked_for(tree):
    for asked, flags in (("", ""), ("1", " --document docs/proof/{}.md")):
        (tree.path / "made").unlink(missing_ok=True)
        assert tree.run("bench", "scale", "soak", DOCUMENT=asked, BENCH="--rounds 11", MINUTES="0.5")[0] == 0
        assert (tree.path / "made").read_text().splitlines() == [
            f"bench BENCH=--rounds 11 {flags[1:].format('speed')}", f"scale SCALE= {flags[1:].format('scale')}",
            f"soak MINUTES=0.5 SOAK={flags[1:].format('soak')}"]


@pytest.mark.parametrize("name", ["nothing", "t.*", "", "test model"])
def test_a_part_that_does_not_exist_is_named_beside_those_that_do(tree, name):
    code, lines = tree.run("test", name)
    assert code == 2
    assert lines == [f"prove: no part '{name}'; there are: {' '.join(PARTS)}"]


def test_ctrl_c_ends_the_part_that_runs(tree):
    (tree.path / "hangs" / "check").touch()
    process = tree.start()
    child = tree.path / "hangs" / "check"
    eventually(lambda: child.read_text().strip(), 20, "the part runs")
    ctrl_c(process)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(rows(out.splitlines())) == 1 and "ending test" in out
    assert not os.path.exists(f"/proc/{child.read_text().strip()}")


def test_ctrl_c_once_more_kills_a_part_that_does_not_end(tree):
    for folder in ("hangs", "deaf"):
        (tree.path / folder / "check").touch()
    process = tree.start()
    child = tree.path / "hangs" / "check"
    eventually(lambda: child.read_text().strip(), 20, "the part runs")
    ctrl_c(process)
    summary = tree.path / ".build/prove/summary"
    eventually(lambda: "again kills it" in summary.read_text(), 20, "it says how to kill it")
    ctrl_c(process)
    process.communicate(timeout=60)
    assert process.returncode == 130
    eventually(lambda: not os.path.exists(f"/proc/{child.read_text().strip()}"), 20, "it is gone")


def test_the_parts_are_commands_that_exist():
    text = (ROOT / "Tests" / "prove").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for line in text.split('parts="\n')[1].split('\n"\n')[0].splitlines():
        command = line.split("|")[2]
        for step in re.sub(r"\w+='[^']*'|\$\([^)]*\)", "", command).split(" && "):
            words = [word for word in step.split() if "=" not in word]
            if "make" in words:
                for target in words[words.index("make") + 1:]:
                    assert f"\n{target}:" in makefile or f" {target}" in makefile.split(".PHONY:")[1].split("\n\n")[0], target
            for word in words:
                if word.startswith("Tests/"):
                    assert (ROOT / word).exists(), word
