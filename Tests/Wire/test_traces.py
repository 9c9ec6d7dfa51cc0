"""W3C Trace Context on its way: to the runtime as it came, to plugins too, whatever else happens to the call."""

import pytest

from Peers.recorder import sparse

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = [("traceparent", PARENT), ("tracestate", "rojo=00f067aa0ba902b7"), ("tracestate", "congo=t61rcWkgMzE")]


def context(call):
    """What a call carries of a trace; several states mean the same as one with commas between."""
    values = [(name, value) for name, value in call.metadata if name in ("traceparent", "tracestate")]
    states = ",".join(value for name, value in values if name == "tracestate")
    return [value for name, value in values if name == "traceparent"], states


def test_a_trace_goes_to_the_runtime_and_to_every_plugin_at_every_hook_point(start_plugin, life, kubelet, runtime):
    plugin = start_plugin()
    plugin.on("PreStartContainer", sparse(resources={"cpu_shares": 5}))
    other = start_plugin("q")
    pod = life.pod(metadata=TRACE)
    container = life.container(pod, metadata=TRACE)
    kubelet.start_container(container, metadata=TRACE)
    kubelet.update(container, cpu_shares=3, metadata=TRACE)
    kubelet.stop_container(container, metadata=TRACE)
    kubelet.stop_pod(pod, metadata=TRACE)
    wanted = ([PARENT], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
    assert len(plugin.calls) == len(other.calls) == 7
    for call in plugin.calls + other.calls:
        assert context(call) == wanted, call.hook
    for verb in ["RunPodSandbox", "CreateContainer", "StartContainer", "StopContainer", "StopPodSandbox"]:
        (call,) = runtime.of(verb)
        assert context(call) == wanted, verb
    # Our own before the start, and kubelet's.
    assert [context(call) for call in runtime.of("UpdateContainerResources")] == [wanted] * 2


def test_a_repetition_of_an_owed_call_belongs_to_the_same_trace(start_plugin, life, kubelet):
    plugin = start_plugin("p", ["PostStopPodSandbox"], "Fail", start=False)
    pod = life.pod()
    kubelet.stop_pod(pod, metadata=TRACE)
    plugin.start()
    assert context(plugin.take("PostStopPodSandbox", within=60))[0] == [PARENT]


@pytest.mark.parametrize("metadata", [
    [], [("tracestate", "a=1")], [("traceparent", "00-a-b-01"), ("tracestate", "a=1")],
    [("traceparent", PARENT.upper())], [("traceparent", "ff" + PARENT[2:])]])
def test_what_is_no_trace_goes_to_the_runtime_only(start_plugin, life, runtime, metadata):
    plugin = start_plugin()
    life.pod(metadata=metadata)
    assert context(plugin.take()) == ([], "")
    (call,) = runtime.of("RunPodSandbox")
    assert [pair for pair in call.metadata if pair[0].startswith("trace")] == metadata


def test_a_state_that_is_too_long_for_a_plugin_is_left_out(start_plugin, life):
    plugin = start_plugin()
    life.pod(metadata=[("traceparent", PARENT), ("tracestate", "a=" + "x" * 600)])
    assert context(plugin.take()) == ([PARENT], "")
