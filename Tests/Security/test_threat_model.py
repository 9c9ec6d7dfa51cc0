"""docs/threat-model.md and docs/proof/security.md name tests that exist, and every test here is named."""

import re

import pytest

from Documentation.readme import ROOT

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
