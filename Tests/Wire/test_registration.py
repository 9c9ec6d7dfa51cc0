"""Files in the hook directory: what is read, what is refused, and that a change counts without a restart."""

import json
import os

import pytest

from Peers.recorder import register, write_whole
from Peers.wait import eventually
from Wire.expect import by, refused

PRE = "PreRunPodSandbox"


def asked_after(plugin, life):
    """Whether the plugin is asked about a new pod."""
    before = len(plugin.names())
    life.pod()
    return len(plugin.names()) > before


def test_a_new_file_counts_without_a_restart(start_plugin, hook_dir, life):
    plugin = start_plugin(registered=False)
    life.pod()
    plugin.register(hook_dir)
    eventually(lambda: asked_after(plugin, life))


def test_a_removed_file_counts_without_a_restart(start_plugin, hook_dir, life):
    plugin = start_plugin()
    life.pod()
    assert plugin.names() == [PRE]
    os.unlink(os.path.join(hook_dir, "p.json"))
    eventually(lambda: not asked_after(plugin, life), within=5)


def test_a_changed_file_counts_without_a_restart(start_plugin, hook_dir, life):
    old, new = start_plugin("old", registered=False), start_plugin("new", registered=False)
    register(hook_dir, "p", old.socket)
    life.pod()
    assert old.names() == [PRE]
    register(hook_dir, "p", new.socket)
    eventually(lambda: asked_after(new, life))
    assert not asked_after(old, life)


def test_a_file_written_in_place_and_slowly_is_read_when_it_is_whole(start_plugin, hook_dir, life):
    """koordlet creates its file and then writes it."""
    plugin = start_plugin(registered=False)
    text = json.dumps({"remote-endpoint": plugin.socket, "failure-policy": "Ignore", "runtime-hooks": [PRE]})
    with open(os.path.join(hook_dir, "koordlet.json"), "w") as file:
        for character in text:
            file.write(character)
            file.flush()
    eventually(lambda: asked_after(plugin, life))


def test_a_directory_swapped_by_a_link_is_read_anew(start_plugin, place, life, hook_dir):
    """How a ConfigMap changes: p.json -> ..data/p.json, and ..data is exchanged."""
    old, new = start_plugin("old", registered=False), start_plugin("new", registered=False)
    for name, plugin in [("1", old), ("2", new)]:
        os.mkdir(os.path.join(hook_dir, f"..{name}"), 0o755)
        register(os.path.join(hook_dir, f"..{name}"), "p", plugin.socket)
    os.symlink("..1", os.path.join(hook_dir, "..data"))
    os.symlink("..data/p.json", os.path.join(hook_dir, "p.json"))
    life.pod()
    assert old.names() == [PRE]
    os.symlink("..2", os.path.join(hook_dir, "..data.new"))
    os.rename(os.path.join(hook_dir, "..data.new"), os.path.join(hook_dir, "..data"))
    eventually(lambda: asked_after(new, life))


def test_a_directory_that_appears_later_is_read(runtime, start_plugin, start_manager, place):
    from Peers.cri import Life, Runtime

    plugin = start_plugin(registered=False)
    late = os.path.join(place, "not", "yet", "there")
    front = start_manager(runtime, start=False)
    front.hook_dir = late
    front.start()
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        life.pod()
        os.makedirs(late, 0o755)
        plugin.register(late)
        eventually(lambda: asked_after(plugin, life), within=15)


def test_hidden_files_and_other_names_are_not_read(start_plugin, hook_dir, life):
    plugin = start_plugin(registered=False)
    text = json.dumps({"remote-endpoint": plugin.socket, "runtime-hooks": [PRE]})
    for name in [".p.json", "p.json.bak", "p.yaml", "p"]:
        write_whole(os.path.join(hook_dir, name), text)
    os.mkdir(os.path.join(hook_dir, "directory.json"))
    life.pod()
    assert plugin.names() == []


LONG = "/tmp/" + "x" * 103
#: Files that cannot be used, as text and mode.
BROKEN = {
    "empty": ("", 0o644),
    "half written": ('{"remote-endpoint": "/run/x.sock", "runtime-ho', 0o644),
    "no JSON": ("remote-endpoint: /run/x.sock", 0o644),
    "not an object": ('["PreRunPodSandbox"]', 0o644),
    "bytes that are no text": (b'{"remote-endpoint": "\xff\xfe"}', 0o644),
    "over 1 MiB": ('{"remote-endpoint": "/run/x.sock", "runtime-hooks": ["PreRunPodSandbox"]}' + " " * (1 << 20), 0o644),
    "deeply nested": ("[" * 100_000, 0o644),
    "deeply nested in a key": ('{"runtime-hooks": ' + "[" * 50_000 + "]" * 50_000 + "}", 0o644),
    "group-writable": ('{"remote-endpoint": "/run/x.sock", "runtime-hooks": ["PreRunPodSandbox"]}', 0o664),
    "world-writable": ('{"remote-endpoint": "/run/x.sock", "runtime-hooks": ["PreRunPodSandbox"]}', 0o646),
    "a path of 108 bytes": (json.dumps({"remote-endpoint": LONG, "runtime-hooks": [PRE]}), 0o644),
    "no endpoint": ('{"runtime-hooks": ["PreRunPodSandbox"]}', 0o644),
    "an unknown policy": (
        '{"remote-endpoint": "/run/x.sock", "failure-policy": "fail", "runtime-hooks": ["PreRunPodSandbox"]}',
        0o644,
    ),
    "a timeout of nothing": (
        '{"remote-endpoint": "/run/x.sock", "timeout": "0s", "runtime-hooks": ["PreRunPodSandbox"]}',
        0o644,
    ),
    "a timeout of two minutes": (
        '{"remote-endpoint": "/run/x.sock", "timeout": "120s", "runtime-hooks": ["PreRunPodSandbox"]}',
        0o644,
    ),
    "hooks that are no list": ('{"remote-endpoint": "/run/x.sock", "runtime-hooks": "PreRunPodSandbox"}', 0o644),
}
assert len(LONG) == 108


@pytest.mark.parametrize("case", BROKEN)
def test_a_bad_file_at_first_sight_is_named_and_costs_only_itself(start_plugin, hook_dir, manager, runtime, life, case):
    text, mode = BROKEN[case]
    write_whole(os.path.join(hook_dir, "bad.json"), text, mode)
    good = start_plugin("good", hooks=[PRE], policy="Fail")
    assert life.pod() in runtime.pods
    assert life.pod() in runtime.pods
    assert good.names() == [PRE, PRE]
    manager.wait_log("bad.json")
    assert manager.process.poll() is None


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_goes_bad_keeps_its_last_good_version(start_plugin, hook_dir, manager, life, case):
    plugin = start_plugin(hooks=[PRE])
    life.pod()
    text, mode = BROKEN[case]
    before = manager.log_length()
    write_whole(os.path.join(hook_dir, "p.json"), text, mode)
    manager.wait_log("p.json", since=before)
    life.pod()
    assert plugin.names() == [PRE, PRE]


def test_a_writable_directory_is_not_read(start_plugin, hook_dir, manager, life):
    plugin = start_plugin()
    os.chmod(hook_dir, 0o777)
    life.pod()
    assert plugin.names() == []
    manager.wait_log("hooks.d")


@pytest.mark.skipif(os.geteuid() != 0, reason="skipped: needs root to give a file away")
def test_a_file_of_a_stranger_is_not_read(start_plugin, hook_dir, manager, life):
    plugin = start_plugin()
    os.chown(os.path.join(hook_dir, "p.json"), 12345, 12345)
    life.pod()
    assert plugin.names() == []
    manager.wait_log("p.json")


def test_an_unknown_key_is_warned_of_and_the_file_used(start_plugin, manager, life):
    plugin = start_plugin(**{"runtime-hook": ["typo"]})
    life.pod()
    assert plugin.names() == [PRE]
    manager.wait_log("runtime-hook")


def test_an_empty_policy_is_ignore(start_plugin, runtime, life):
    import grpc

    from Peers.recorder import refuse

    start_plugin(policy="").on(PRE, refuse(grpc.StatusCode.INTERNAL))
    assert life.pod() in runtime.pods


def test_a_file_that_was_removed_and_comes_back_broken_has_no_last_good_version(start_plugin, hook_dir, manager, life):
    plugin = start_plugin(hooks=[PRE])
    life.pod()
    os.unlink(os.path.join(hook_dir, "p.json"))
    eventually(lambda: not asked_after(plugin, life))
    before = manager.log_length()
    write_whole(os.path.join(hook_dir, "p.json"), "{")
    manager.wait_log("p.json", since=before)
    assert not asked_after(plugin, life)


def test_fail_counts_as_soon_as_the_file_says_so(place, hook_dir, life):
    register(hook_dir, "p", os.path.join(place, "nobody.sock"), [PRE], "Fail")
    with refused("UNAVAILABLE", by("p", PRE)):
        life.pod()
