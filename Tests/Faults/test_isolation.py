"""A plugin that hangs for some pods costs the others nothing: they all start while it never answers."""

import os

import pytest

from Peers.messages import cri
from Peers.recorder import register
from Faults.isolation import EVERY, POINTS, PODS, TIMEOUT, Fleet, PartlyHanging, point_of

HUNG = PODS // EVERY


@pytest.mark.timeout(300)
@pytest.mark.parametrize("policy", ["Fail", "Ignore"])
def test_400_pods_start_while_a_plugin_hangs_for_100(place, hook_dir, start_plugin, runtime, kubelet, policy):
    other = start_plugin("a-other", hooks=POINTS, policy="Fail", timeout=TIMEOUT)
    plugin = PartlyHanging(os.path.join(place, "hangs.sock"))
    register(hook_dir, "hangs", plugin.server.path, POINTS, policy, timeout=TIMEOUT)
    fleet = Fleet(kubelet, range(PODS), point_of)
    assert (len(fleet.others), len(fleet.hanging)) == (PODS - HUNG, HUNG)

    fleet.begin()
    fleet.wait(fleet.others)
    assert [pod.error for pod in fleet.others if pod.error] == []
    plugin.wait_held(HUNG, within=60)
    assert set(fleet.under_way()) == set(fleet.hanging), "it has answered for none of the others"
    assert plugin.answered == len(POINTS) * len(fleet.others) + sum(POINTS.index(pod.hangs_at) for pod in fleet.hanging)
    assert kubelet.call("Status").status.conditions, "other calls go on"
    # PostStartContainer is asked when the container runs.
    started = len(fleet.others) + sum(pod.hangs_at == "PostStartContainer" for pod in fleet.hanging)
    assert len(runtime.of("StartContainer")) == started

    plugin.release()
    fleet.wait(fleet.hanging)
    assert [pod.error for pod in fleet.pods if pod.error] == [], "nothing but the plugin held them"
    assert len(runtime.of("StartContainer")) == PODS
    assert len(other.names()) == PODS * len(POINTS), "each plugin was asked once for each pod and hook point"
    plugin.stop()


def test_a_plugin_that_takes_one_call_at_a_time_is_sent_the_next_when_it_has_answered(
    place, hook_dir, start_plugin, runtime, kubelet
):
    """The limit of streams that a plugin sets for itself is kept; what exceeds it waits within its own timeout."""
    plugin = PartlyHanging(os.path.join(place, "hangs.sock"), max_streams=1)
    register(hook_dir, "hangs", plugin.server.path, POINTS[:1], "Fail", timeout=TIMEOUT)
    warm, hanging = Fleet(kubelet, [1]), Fleet(kubelet, [0], point_of)
    warm.begin()
    warm.wait(warm.pods)  # it has told its limit
    hanging.begin()
    plugin.wait_held(1, within=60)
    late = Fleet(kubelet, [2])
    late.begin()
    assert kubelet.call("Status").status.conditions
    assert (len(plugin.held), plugin.answered, late.under_way()) == (1, 1, late.pods)
    plugin.release()
    for fleet in (hanging, late):
        fleet.wait(fleet.pods)
        assert fleet.pods[0].error is None
    plugin.stop()
