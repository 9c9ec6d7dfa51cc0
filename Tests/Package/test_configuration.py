"""The configuration file of the package says what is in force without it, and changes nothing."""

import json
import re

import pytest

from . import debian


def settings(binary, *arguments):
    """Name, value and source of each setting in force, in order."""
    told = json.loads(debian.output(binary, "config", "--output", "json", *arguments, env={}))
    return [(one["name"], one.get("value"), one["source"]) for one in told["settings"]]


@pytest.fixture
def configuration(tree):
    return tree / "etc/runtime-manager/config.yaml"


def test_it_changes_nothing(binary, configuration, tmp_path):
    empty = tmp_path / "config.yaml"
    empty.write_text("")
    assert settings(binary, "--config", configuration) == settings(binary, "--config", empty)
    assert {source for _, _, source in settings(binary, "--config", configuration)} == {"default"}


def test_it_has_every_setting_with_its_default(binary, configuration, tmp_path):
    shown = dict(re.findall(r"^#([a-z-]+): (.*)$", configuration.read_text(), re.M))
    defaults = {name: value for name, value, _ in settings(binary, "--config", configuration)}
    assert list(shown) == list(defaults)
    for name, value in defaults.items():
        # What has no default shows in capitals what it takes.
        assert shown[name] == value or (value is None and shown[name].isupper()), name


def test_each_of_its_lines_is_taken_when_it_is_no_comment_any_more(binary, configuration, tmp_path):
    changed = tmp_path / "config.yaml"
    changed.write_text(re.sub(r"^#([a-z-]+: (?![A-Z]+$))", r"\1", configuration.read_text(), flags=re.M))
    for name, value, source in settings(binary, "--config", changed):
        assert (source == "default") == (value is None), name
