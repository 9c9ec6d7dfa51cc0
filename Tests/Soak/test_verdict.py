"""That a soak misses its goals when it should: each check sees the fault that it is for."""

import os
import sys
import types

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "Bench")]

import verdict  # noqa: E402
from kubelet import Call, Ledger  # noqa: E402
from restarts import Outages, schedule  # noqa: E402

import grpc  # noqa: E402

LIFE = ["RunPodSandbox", "CreateContainer", "StartContainer", "UpdateContainerResources", "StopContainer",
        "RemoveContainer", "StopPodSandbox", "RemovePodSandbox", "ExecSync"]
#: One container and its pod have been stopped.
STOPPED = types.SimpleNamespace(stopped_containers={"c"}, stopped_pods={"p"})


def rows(rss=lambda second: 20_000, fds=lambda second: 25):
    return [{"second": second, "rss_kib": rss(second), "anon_kib": 5_000, "fds": fds(second), "threads": 4}
            for second in range(100)]


def held(checks):
    return all(check.holds for check in checks)


def answered(*methods):
    ledger = Ledger()
    for method in methods:
        ledger.add(Call(method, 1, 2, grpc.StatusCode.OK))
    return ledger


def test_a_warm_up_and_a_spike_are_no_growth_and_a_leak_is():
    assert held(verdict.memory_checks(rows(lambda second: min(second, 19) * 1_000 + (9_000 if second % 10 == 0 else 0))))
    assert not held(verdict.memory_checks(rows(lambda second: 20_000 + second * 20)))


def test_a_descriptor_too_many_is_growth():
    assert held(verdict.memory_checks(rows()))
    assert not held(verdict.memory_checks(rows(fds=lambda second: 25 + (second > 70))))


@pytest.mark.parametrize("code, began, ended, excused", [
    (grpc.StatusCode.UNAVAILABLE, 9, 10.5, True),
    (grpc.StatusCode.UNAVAILABLE, 11, 11.1, True),
    (grpc.StatusCode.UNAVAILABLE, 12.5, 13, False),
    (grpc.StatusCode.UNAVAILABLE, 8, 9.5, False),
    (grpc.StatusCode.INTERNAL, 11, 11.1, False),
    (grpc.StatusCode.DEADLINE_EXCEEDED, 9, 13, False),
])
def test_only_unavailable_while_the_runtime_is_away_is_excused(code, began, ended, excused):
    outages = Outages(None, None)
    outages.spans.append((10, 12))
    ledger = answered(*LIFE)
    ledger.add(Call("ExecSync", began, ended, code))
    seen = {"calls": dict.fromkeys(LIFE, 1)}
    assert held(verdict.call_checks(ledger, outages.excuse, seen, {})) is excused


def test_a_call_that_the_runtime_saw_twice_or_never_is_seen():
    excuse = lambda call: True
    once = dict.fromkeys(LIFE, 1)
    assert held(verdict.call_checks(answered(*LIFE), excuse, {"calls": once}, {}))
    assert not held(verdict.call_checks(answered(*LIFE), excuse, {"calls": once | {"StopContainer": 2}}, {}))
    assert not held(verdict.call_checks(answered(*LIFE), excuse, {"calls": once | {"StopContainer": 0}}, {}))
    # What was asked past RuntimeManager does not count.
    assert held(verdict.call_checks(answered(*LIFE), excuse, {"calls": once | {"ExecSync": 4}}, {"ExecSync": 3}))


def test_a_load_that_never_stopped_a_container_shows_nothing():
    rest = [method for method in LIFE if method != "StopContainer"]
    assert not held(verdict.call_checks(answered(*rest), lambda call: True, {"calls": dict.fromkeys(rest, 1)}, {}))


def test_a_hook_that_was_skipped_or_told_twice_is_seen():
    told = {f"{hook}Hook": 1 for hook in (
        "PreRunPodSandbox", "PreCreateContainer", "PreStartContainer", "PostStartContainer", "PreUpdateContainerResources",
        "PostStopContainer", "PostStopPodSandbox")}
    assert held(verdict.hook_checks(answered(*LIFE), STOPPED, {"calls": told}))
    for hook in told:
        assert not held(verdict.hook_checks(answered(*LIFE), STOPPED, {"calls": told | {hook: 0}}))
        assert not held(verdict.hook_checks(answered(*LIFE), STOPPED, {"calls": told | {hook: 2}}))


@pytest.mark.parametrize("seen, right", [
    ({}, True),
    ({("PostStopContainer", "owed"): 3}, True),
    ({("PostStopContainer", "answered"): 0}, False),
    ({("PostStopContainer", "answered"): 2}, False),
    ({("PostStopPodSandbox", "answered"): None}, False),
    ({("PostStopPodSandbox", "dropped"): 1}, False),
    ({"still": 1}, False),
])
def test_an_owed_call_that_never_came_or_came_twice_is_seen(seen, right):
    seen = {("PostStopContainer", "answered"): 1, ("PostStopPodSandbox", "answered"): 1, "still": 0} | seen
    metrics = f"runtime_manager_owed_calls {seen.pop('still')}\n" + "".join(
        f'runtime_manager_hook_calls_total{{plugin="{plugin}",hook_point="{hook}",outcome="{outcome}"}} {count + more}\n'
        for (hook, outcome), count in seen.items() if count is not None for plugin, more in (("owed", 5), ("owed-stops", 0)))
    assert held(verdict.owed_checks(metrics, STOPPED)) is right


def test_an_event_too_few_is_lost_unless_the_runtime_restarted():
    assert held(verdict.event_checks(told=10, received=10, restarts=0))
    assert held(verdict.event_checks(told=10, received=9, restarts=1))
    assert not held(verdict.event_checks(told=10, received=9, restarts=0))
    assert not held(verdict.event_checks(told=10, received=11, restarts=1))


def test_a_load_that_stopped_in_between_shows_nothing():
    assert held(verdict.load_checks([], 5, 5))
    assert not held(verdict.load_checks(["restart: AssertionError()"], 5, 5))
    assert not held(verdict.load_checks([], 5, 4))


@pytest.mark.parametrize("read, removed, failed, right", [(0, 0, 0, True), (1, 0, 0, False), (0, 1, 0, False), (0, 0, 1, False)])
def test_the_last_rebuild_must_find_nothing(read, removed, failed, right):
    line = (f"store rebuilt from the runtime in 0.1 seconds: 5 pod sandboxes and 20 containers listed, {read} read, "
            f"{removed} removed, 0 gone meanwhile, {failed} failed")
    assert held(verdict.store_checks(line, 5, 20)) is right
    assert not held(verdict.store_checks(line, 6, 20))


def test_a_seed_gives_the_same_restarts_and_the_first_come_in_the_warm_up():
    planned = schedule(7, 600)
    assert planned == schedule(7, 600) and planned != schedule(8, 600)
    for what in ("runtime", "plugin"):
        assert min(one.at for one in planned if one.what == what) < 600 * verdict.WARM_UP
    assert max(one.at for one in planned) < 600
